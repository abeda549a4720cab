//! The life of an erasure, checked over every order in which its parts can run (privacy-design §2.3): the person, the
//! mail worker, a writer that holds the row, one that does not, the job, its death, the watchdog, and a hold.
//!
//! The model takes its decisions from the very functions the product takes them from: the state machine, the verdict
//! over a mail, the rules of the account, the watchdog's care. What it adds is what a database gives them: a writer
//! and a fence never interleave, and a claimed mail is awaited. Each of these can be taken away, and the checker has
//! to notice.

use domain::Moment;
use domain::fence::{MailVerdict, mail_to_viewer};
use domain::rights::{AccountState, RequestState, RightKind, SubjectKind, SubjectState};
use privacy::retention::{Care, Waiting, care};
use stateright::{Checker, Model, Property};

const RECEIVED: Moment = Moment::from_unix_seconds(1_795_000_000);
/// Steps of the plan: one takes the person's rows, the other has nothing to do.
const STEPS: u8 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Mail {
    Planned,
    Claimed,
    Sent,
    Dropped,
}

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    whose: SubjectKind,
    request: RequestState,
    account: AccountState,
    person: SubjectState,
    /// Rows nothing keeps.
    rows: u8,
    /// A row a hold keeps; it falls like any other once the hold has ended.
    held_row: bool,
    hold_stands: bool,
    mail: Mail,
    /// A writer has looked at the fence and not committed.
    writes: bool,
    writes_left: u8,
    /// Rows that come in past every fence, such as a part of an upload that a storage delivers late.
    strays_left: u8,
    steps_left: u8,
    /// Every eraser was repeated and found nothing.
    repeated: bool,
    sweeps_left: u8,
    /// A worker has the request.
    job: bool,
    deaths_left: u8,
    sent_after_fence: bool,
    written_after_fence: bool,
    erased_under_hold: bool,
}

impl World {
    fn is_fenced(&self) -> bool {
        self.account != AccountState::Active || self.person != SubjectState::Active
    }

    fn is_being_erased(&self) -> bool {
        self.account == AccountState::Erasing || self.person == SubjectState::Erasing
    }

    fn verdict(&self) -> MailVerdict {
        mail_to_viewer("webinar_reminder", self.account, self.person, (false, true), None)
    }

    fn care(&self) -> Care {
        let request = Waiting {
            state: self.request,
            kind: RightKind::Erase,
            whose: self.whose,
            received_at: RECEIVED,
            undo_until: (self.whose == SubjectKind::Coach).then(|| RECEIVED.plus_days(14)),
        };
        care(&request, RECEIVED.plus_days(40))
    }

    fn go(&mut self, to: RequestState) -> Option<()> {
        self.request = domain::rights::step(self.request, to).ok()?;
        Some(())
    }

    /// What an eraser does: everything but what a hold keeps.
    fn erase(&mut self, respects_holds: bool) {
        self.rows = 0;
        if self.held_row && !(respects_holds && self.hold_stands) {
            self.erased_under_hold |= self.hold_stands;
            self.held_row = false;
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    AskForProof,
    Prove,
    Confirm,
    CallOff,
    UndoEnds,
    ClaimMail,
    SendMail,
    BeginWrite,
    CommitWrite,
    Stray,
    EraseOneStep,
    FailOneStep,
    GoOnToVerifying,
    Repeat,
    End,
    Sweep,
    Die,
    Watchdog,
    HoldEnds,
}

const ACTIONS: [Action; 19] = [
    Action::AskForProof,
    Action::Prove,
    Action::Confirm,
    Action::CallOff,
    Action::UndoEnds,
    Action::ClaimMail,
    Action::SendMail,
    Action::BeginWrite,
    Action::CommitWrite,
    Action::Stray,
    Action::EraseOneStep,
    Action::FailOneStep,
    Action::GoOnToVerifying,
    Action::Repeat,
    Action::End,
    Action::Sweep,
    Action::Die,
    Action::Watchdog,
    Action::HoldEnds,
];

/// What the database and the engine give; each true in the product.
#[derive(Clone, Copy, Debug)]
struct Given {
    /// A writer looks at the fence inside its own transaction and holds the row until it commits.
    writers_hold: bool,
    /// A fence is raised only when no mail is claimed.
    mail_is_awaited: bool,
    /// The state is read again when a mail is claimed.
    verdict_at_claim: bool,
    /// Every eraser runs once more before the receipt, and twice after it.
    erasers_repeat: bool,
    holds_are_read: bool,
    /// The hourly job takes up what was left lying.
    watchdog: bool,
}

const PRODUCT: Given = Given {
    writers_hold: true,
    mail_is_awaited: true,
    verdict_at_claim: true,
    erasers_repeat: true,
    holds_are_read: true,
    watchdog: true,
};

impl Given {
    fn fence_can_rise(self, world: &World) -> bool {
        !(self.writers_hold && world.writes || self.mail_is_awaited && world.mail == Mail::Claimed)
    }

    fn apply(self, world: &mut World, action: Action) -> Option<()> {
        use RequestState as S;
        let when = |condition: bool| condition.then_some(());
        match action {
            Action::AskForProof => {
                when(world.request == S::Received)?;
                world.go(S::AwaitingProof)
            }
            Action::Prove => {
                when(world.request == S::AwaitingProof)?;
                world.go(S::Verified)?;
                world.job = true;
                Some(())
            }
            Action::Confirm => {
                when(world.job && world.request == S::Verified && self.fence_can_rise(world))?;
                match world.whose {
                    SubjectKind::Coach => {
                        world.account = AccountState::Leaving;
                        world.job = false;
                        world.go(S::Undo)
                    }
                    SubjectKind::Viewer => {
                        world.person = SubjectState::Erasing;
                        world.go(S::Running)
                    }
                }
            }
            Action::CallOff => {
                when(world.request == S::Undo)?;
                world.go(S::Cancelled)?;
                world.account = AccountState::Active;
                Some(())
            }
            Action::UndoEnds => {
                when(world.request == S::Undo && self.fence_can_rise(world))?;
                world.account = AccountState::Erasing;
                world.job = true;
                world.go(S::Running)
            }
            Action::ClaimMail => {
                when(world.mail == Mail::Planned)?;
                world.mail = match world.verdict() {
                    _ if !self.verdict_at_claim => Mail::Claimed,
                    MailVerdict::Send => Mail::Claimed,
                    MailVerdict::Drop(_) => Mail::Dropped,
                    MailVerdict::Hold(_) => return None,
                };
                Some(())
            }
            Action::SendMail => {
                when(world.mail == Mail::Claimed)?;
                world.sent_after_fence |= world.is_fenced();
                world.mail = Mail::Sent;
                Some(())
            }
            Action::BeginWrite => {
                when(world.writes_left > 0 && !world.writes && !world.is_fenced() && world.account.is_public())?;
                world.writes = true;
                world.writes_left -= 1;
                Some(())
            }
            Action::CommitWrite => {
                when(world.writes)?;
                world.writes = false;
                world.written_after_fence |= world.is_fenced();
                world.rows += 1;
                Some(())
            }
            Action::Stray => {
                when(world.strays_left > 0 && world.is_being_erased() && world.sweeps_left > 0)?;
                world.strays_left -= 1;
                world.rows += 1;
                // A stray that came in before the looking ended is found by it.
                if !world.request.is_over() {
                    world.repeated = false;
                }
                Some(())
            }
            Action::EraseOneStep => {
                when(world.job && world.request == S::Running && world.steps_left > 0)?;
                if world.steps_left == STEPS {
                    world.erase(self.holds_are_read);
                }
                world.steps_left -= 1;
                Some(())
            }
            Action::FailOneStep => {
                when(world.job && world.deaths_left > 0 && matches!(world.request, S::Running | S::Verifying))?;
                world.deaths_left -= 1;
                world.job = false;
                world.go(S::Failed)
            }
            Action::GoOnToVerifying => {
                when(world.job && world.request == S::Running && world.steps_left == 0)?;
                world.go(S::Verifying)
            }
            Action::Repeat => {
                when(world.job && world.request == S::Verifying && !world.repeated)?;
                if self.erasers_repeat {
                    world.erase(self.holds_are_read);
                }
                world.repeated = true;
                Some(())
            }
            Action::End => {
                when(world.job && world.request == S::Verifying && world.repeated)?;
                world.job = false;
                world.go(if world.held_row { S::Held } else { S::Done })
            }
            Action::Sweep => {
                when(
                    world.request == S::Done
                        && world.sweeps_left > 0
                        && (world.strays_left == 0 || world.sweeps_left > 1),
                )?;
                world.sweeps_left -= 1;
                if self.erasers_repeat {
                    world.erase(self.holds_are_read);
                }
                Some(())
            }
            Action::Die => {
                when(world.job && world.deaths_left > 0)?;
                world.deaths_left -= 1;
                world.job = false;
                Some(())
            }
            Action::Watchdog => {
                when(self.watchdog && !world.job)?;
                match world.care() {
                    Care::Leave => return None,
                    Care::Expire => return world.go(S::Expired),
                    Care::Resume => world.go(S::Running)?,
                    // The end of the time to call it off has an action of its own.
                    Care::Run if world.request == S::Undo => return None,
                    Care::Run if world.request == S::Held => {
                        when(!world.hold_stands)?;
                        world.go(S::Verifying)?;
                        world.repeated = false;
                    }
                    Care::Run => {}
                }
                world.job = true;
                Some(())
            }
            Action::HoldEnds => {
                when(world.hold_stands)?;
                world.hold_stands = false;
                Some(())
            }
        }
    }
}

impl Model for Given {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let mut worlds = Vec::new();
        for whose in SubjectKind::ALL.iter().copied() {
            for hold_stands in [false, true] {
                worlds.push(World {
                    whose,
                    request: RequestState::Received,
                    account: AccountState::Active,
                    person: SubjectState::Active,
                    rows: 1,
                    held_row: hold_stands,
                    hold_stands,
                    mail: Mail::Planned,
                    writes: false,
                    writes_left: 2,
                    strays_left: 1,
                    steps_left: STEPS,
                    repeated: false,
                    sweeps_left: 2,
                    job: false,
                    deaths_left: 2,
                    sent_after_fence: false,
                    written_after_fence: false,
                    erased_under_hold: false,
                });
            }
        }
        worlds
    }

    fn actions(&self, _world: &World, actions: &mut Vec<Action>) {
        actions.extend(ACTIONS);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        self.apply(&mut next, action)?;
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no mail after the fence", |_, world: &World| !world.sent_after_fence),
            Property::always("no writer after the fence", |_, world: &World| !world.written_after_fence),
            Property::always("what a hold keeps is never erased", |_, world: &World| !world.erased_under_hold),
            Property::always("done means gone, once swept", |_, world: &World| {
                !(world.request == RequestState::Done && world.sweeps_left == 0) || (world.rows == 0 && !world.held_row)
            }),
            Property::always("only its own person calls it off, and not once it runs", |_, world: &World| {
                world.request != RequestState::Cancelled || world.steps_left == STEPS && !world.is_being_erased()
            }),
            Property::eventually("every request ends", |_, world: &World| world.request.is_over()),
            Property::sometimes("an erasure is done", |_, world: &World| world.request == RequestState::Done),
            Property::sometimes("one is held first", |_, world: &World| world.request == RequestState::Held),
            Property::sometimes("one is called off", |_, world: &World| world.request == RequestState::Cancelled),
            Property::sometimes("one nobody proved expires", |_, world: &World| world.request == RequestState::Expired),
            Property::sometimes("a mail goes out before the fence", |_, world: &World| {
                world.mail == Mail::Sent && world.is_fenced()
            }),
        ]
    }
}

fn checked(given: Given) -> impl Checker<Given> {
    given.checker().spawn_bfs().join()
}

#[test]
fn in_every_order_nothing_is_sent_written_kept_or_left_lying() {
    let checker = checked(PRODUCT);
    checker.assert_properties();
    assert!(checker.unique_state_count() > 5_000, "a model this small proves little: {}", checker.unique_state_count());
}

#[test]
fn the_model_notices_what_is_taken_away() {
    let cases = [
        (Given { writers_hold: false, ..PRODUCT }, "no writer after the fence"),
        (Given { mail_is_awaited: false, ..PRODUCT }, "no mail after the fence"),
        (Given { verdict_at_claim: false, ..PRODUCT }, "no mail after the fence"),
        (Given { erasers_repeat: false, ..PRODUCT }, "done means gone, once swept"),
        (Given { holds_are_read: false, ..PRODUCT }, "what a hold keeps is never erased"),
        (Given { watchdog: false, ..PRODUCT }, "every request ends"),
    ];
    for (given, property) in cases {
        assert!(checked(given).discovery(property).is_some(), "{property}: nothing noticed of {given:?}");
    }
}
