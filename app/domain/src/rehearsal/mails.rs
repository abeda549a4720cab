//! The figure's mails: planned, judged and sent by the sequence's own rules, look after look.

use super::{Letter, Mishaps, Scene, What};
use crate::moment::Moment;
use crate::rights::SubjectState;
use crate::sequence::placeholders::{Values, fill_subject};
use crate::sequence::{Behaviour, Booking, Decision, DueRow, Facts, Row, TimingKind, due, replan};
use crate::stay::is_idle;
use crate::webinar::WebinarState;

/// What is known of the figure at a moment.
pub(super) trait Known {
    /// What a plan depends on.
    fn booking(&self, now: Moment) -> Booking;
    /// What they did.
    fn behaviour(&self, now: Moment) -> Behaviour;
    /// When play was last credited.
    fn last_credit_at(&self, now: Moment) -> Option<Moment>;
    /// What their mails say.
    fn values(&self, now: Moment) -> Values;
    /// When the outcome becomes final.
    fn final_at(&self) -> Moment;
}

/// One mail of the figure's.
#[derive(Clone, Copy)]
struct Copied {
    row: Option<Row>,
    /// When the row became what it is.
    since: Moment,
    /// When it is looked at again.
    looked_at: Moment,
}

/// All of them.
pub(super) struct Post<'a, Id, K> {
    pub letters: &'a [Letter<Id>],
    pub known: &'a K,
    pub mishaps: Mishaps,
    /// Whether they agreed to offers.
    pub wants_offers: bool,
    /// Whether the first reminder is answered by unsubscribing.
    pub is_unwanted: bool,
}

struct Played {
    copies: Vec<Copied>,
    unsubscribed_at: Option<Moment>,
}

impl<Id: Copy, K: Known> Post<'_, Id, K> {
    /// Every mail from the moment of registering to the last one, each once.
    pub(super) fn scenes(&self, signs_up_at: Moment) -> Vec<Scene<Id>> {
        let nothing = Copied { row: None, since: signs_up_at, looked_at: signs_up_at };
        let mut played = Played { copies: vec![nothing; self.letters.len()], unsubscribed_at: None };
        self.plan(&mut played, signs_up_at, true);
        let mut is_final = false;
        loop {
            let waiting = played.copies.iter().filter(|copy| matches!(copy.row, Some(Row::Waiting { .. })));
            let look_at = waiting.map(|copy| self.awake(copy.looked_at)).min();
            let final_at = (!is_final).then(|| self.known.final_at());
            let Some(now) = [look_at, final_at].into_iter().flatten().min() else { break };
            if final_at == Some(now) {
                is_final = true;
                // Who watched when they liked is followed up from here on; for everybody else nothing changes.
                self.plan(&mut played, now, false);
            }
            if self.awake(now) == now {
                self.look(&mut played, is_final, now);
            }
        }
        self.told(&played)
    }

    /// When the worker looks at what is due then.
    fn awake(&self, at: Moment) -> Moment {
        match self.mishaps.mails_rest {
            Some((from, until)) if from <= at && at < until => until,
            _ => at,
        }
    }

    fn plan(&self, played: &mut Played, now: Moment, is_first: bool) {
        let booking = self.known.booking(now);
        for (letter, copy) in self.letters.iter().zip(&mut played.copies) {
            // The confirmation is what registering got, once.
            if !is_first && letter.template.timing.kind() == TimingKind::Confirmation {
                continue;
            }
            let row = replan(copy.row, Some(&letter.template), &booking, now);
            if row != copy.row {
                copy.become_row(row, now);
            }
        }
    }

    /// One look of the worker at everything that is due.
    fn look(&self, played: &mut Played, is_final: bool, now: Moment) {
        let (facts, behaviour) = (self.facts(played, now), self.known.behaviour(now));
        let waiting = self.letters.iter().zip(&played.copies).enumerate();
        let rows: Vec<DueRow<'_, usize>> = waiting
            .filter_map(|(place, (letter, copy))| match copy.row {
                Some(Row::Waiting { send_at, useful_until }) => Some(DueRow {
                    id: place,
                    timing: letter.template.timing,
                    segment: &letter.template.segment,
                    // One that was put off is not due, whatever its time.
                    send_at: if copy.looked_at > now { copy.looked_at } else { send_at },
                    useful_until,
                    verdict: letter.template.verdict_until_final(&facts, &behaviour, is_final),
                }),
                _ => None,
            })
            .collect();
        let kind = |place: usize| self.letters.get(place).map(|letter| letter.template.timing.kind());
        let sent = played.copies.iter().enumerate().filter(|(place, _)| kind(*place) == Some(TimingKind::After));
        let last = sent.filter_map(|(_, copy)| match copy.row {
            Some(Row::Sent { at }) => Some(at),
            _ => None,
        });
        for (place, decision) in due(&rows, last.max(), now) {
            let Some(copy) = played.copies.get_mut(place) else { continue };
            match decision {
                Decision::Send => {
                    copy.become_row(Some(Row::Sent { at: now }), now);
                    if self.is_unwanted && kind(place) == Some(TimingKind::Before) {
                        played.unsubscribed_at.get_or_insert(now);
                    }
                }
                Decision::Later { at } => copy.looked_at = at,
                Decision::Drop(reason) => copy.become_row(Some(Row::Dropped { reason, at: now }), now),
                Decision::Expired => copy.become_row(Some(Row::Expired { at: now }), now),
                Decision::Superseded => copy.become_row(Some(Row::Superseded { at: now }), now),
            }
        }
    }

    fn facts(&self, played: &Played, now: Moment) -> Facts {
        Facts {
            person: Some(SubjectState::Active),
            suppression: None,
            is_unsubscribed: played.unsubscribed_at.is_some(),
            has_withdrawn: false,
            is_session_cancelled: self.mishaps.called_off_at.is_some_and(|at| at <= now),
            webinar: WebinarState::Published,
            is_closed_now: false,
            agreed_to_promotion: self.wants_offers,
            // Nothing can be bought yet.
            has_converted: false,
            is_in_the_room: !is_idle(self.known.last_credit_at(now), now),
        }
    }

    fn told(&self, played: &Played) -> Vec<Scene<Id>> {
        let mails = self.letters.iter().zip(&played.copies).filter_map(|(letter, copy)| {
            let template = letter.template.id;
            let subject = fill_subject(&letter.subject, &self.known.values(copy.since));
            let what = match copy.row? {
                Row::Sent { .. } => What::Mail { template, subject },
                row => What::MailNot { template, subject, sentence: row.sentence().to_owned() },
            };
            Some(Scene { at: copy.since, what })
        });
        let ended = played.unsubscribed_at.map(|at| Scene { at, what: What::Unsubscribed });
        mails.chain(ended).collect()
    }
}

impl Copied {
    fn become_row(&mut self, row: Option<Row>, now: Moment) {
        self.row = row;
        self.since = now;
        if let Some(Row::Waiting { send_at, .. }) = row {
            self.looked_at = send_at;
        }
    }
}
