//! What a person asks for at the portal, each with its record and the word to the coach in the transaction that does
//! it. The uses themselves are ended and resumed by [`crate::rights::resting`]; nothing of that is written twice here.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ids::{CoachId, RequestId, SubjectId};
use domain::my_data::{MAX_REASON_CHARS, Wish};
use domain::rights::{RequestState, RightKind, SubjectKind, SubjectState, due_at};
use domain::{Moment, Refusal, RefusalKind};
use futures::FutureExt;
use persistence::entities::dsr_request;
use persistence::rights as queries;
use privacy::audit::{Event, Role};
use sea_orm::{ConnectionTrait, Set};

use super::{Portal, hold, regime_of};
use crate::rights::{Asked, Details, FORGET_MARK, RequestKey, Whose};
use crate::{Backend, Result};

/// What a coach is told a viewer asked for: templates of mail begin so, and end with the right.
pub(crate) const VIEWER_ASKED: &str = "rights_viewer_";

/// Which right a wish uses.
const fn kind_of(wish: &Wish) -> RightKind {
    match wish {
        Wish::Restrict(_) => RightKind::Restrict,
        Wish::Lift(_) => RightKind::Lift,
        Wish::Object(..) => RightKind::Object,
        Wish::Withdraw(_) => RightKind::Withdraw,
        Wish::Erase { .. } => RightKind::Erase,
    }
}

/// Refuses a reason that is too long before anything is done.
fn check(wish: &Wish) -> Result<()> {
    match wish {
        Wish::Object(_, words) if words.chars().count() > MAX_REASON_CHARS => {
            let message = format!("Please use at most {MAX_REASON_CHARS} characters. Nothing was sent.");
            Err(Refusal::field("words", message).into())
        }
        _ => Ok(()),
    }
}

impl Portal {
    /// Does what a person asks for at one coach.
    ///
    /// # Errors
    /// Refuses a coach who holds nothing, as if she did not exist; what is being erased; and what makes no sense, such
    /// as ending a restriction that is not there.
    pub async fn wish(&self, coach: CoachId, wish: &Wish) -> Result<()> {
        check(wish)?;
        let person = self.person(coach).await?;
        match wish {
            Wish::Erase { forget_mark } => self.erase(person, *forget_mark).await?,
            other => self.say(person, other).await?,
        }
        if matches!(wish, Wish::Lift(_)) {
            self.backend.apply_pending(person).await?;
        }
        self.backend.wake_worker();
        Ok(())
    }

    /// Does the same at every coach who holds something; tells at how many. Where it makes no sense, nothing changes.
    ///
    /// # Errors
    /// When something breaks, or a mail on its way keeps one of them waiting; what was done until then is done, and doing
    /// it again is safe.
    pub async fn wish_everywhere(&self, wish: &Wish) -> Result<usize> {
        check(wish)?;
        let mut done = 0;
        let mut waiting = None;
        for (coach, _) in self.backend.held_everywhere(&self.address).await?.held {
            match self.wish(coach, wish).await {
                Ok(()) => done += 1,
                // Erased meanwhile, or nothing of the kind here.
                Err(crate::Error::Refused(refusal))
                    if matches!(refusal.kind, RefusalKind::Conflict | RefusalKind::NotFound) => {}
                // Nothing was done there yet, and must not read as if it were; the others are not kept waiting.
                Err(crate::Error::Refused(refusal)) if refusal.kind == RefusalKind::Busy => waiting = Some(refusal),
                Err(error) => return Err(error),
            }
        }
        match waiting {
            None => Ok(done),
            Some(refusal) if done == 0 => Err(refusal.into()),
            Some(_) => {
                let message = "This is done at some of the coaches, and not yet at all of them, because a mail is on its \
                               way there. Please press it once more in a minute; nothing is done twice.";
                Err(Refusal::new(RefusalKind::Busy, message).into())
            }
        }
    }

    /// Everything that is done the moment it is asked.
    async fn say(&self, person: (CoachId, SubjectId), wish: &Wish) -> Result<()> {
        let backend = &self.backend;
        let now = backend.now();
        let key = Arc::new(backend.request_key(now).await?);
        let (engine, asked, used) = (backend.clone(), wish.clone(), Arc::clone(&key));
        let done = backend.fence(move |transaction| {
            let (engine, asked, key) = (engine.clone(), asked.clone(), Arc::clone(&used));
            async move {
                hold(transaction, person).await?;
                match &asked {
                    Wish::Restrict(ground) => {
                        engine.restrict(transaction, person, *ground, Role::Viewer, now).await?;
                    }
                    Wish::Lift(ground) => engine.lift(transaction, person, Some(*ground), Role::Viewer, now).await?,
                    Wish::Object(scope, words) => {
                        engine.object(transaction, person, *scope, words, now).await?;
                    }
                    Wish::Withdraw(purpose) => engine.withdraw(transaction, person, purpose, now).await?,
                    // Has a way of its own.
                    Wish::Erase { .. } => return Err(Refusal::not_found().into()),
                }
                engine.note_done(transaction, &key, kind_of(&asked), person, now).await
            }
            .boxed()
        });
        let done = done.await;
        // Nothing was put in words: what stays of the key is a record that names nobody.
        backend.keyring().destroy(key.id).await?;
        done
    }

    /// Raises the fence and opens the request in one transaction; the job does the rest (A5, P28).
    async fn erase(&self, person: (CoachId, SubjectId), forget_mark: bool) -> Result<()> {
        let backend = &self.backend;
        let now = backend.now();
        let key = Arc::new(backend.request_key(now).await?);
        let forget = forget_mark.then(|| (FORGET_MARK.to_owned(), "yes".to_owned()));
        let asked = Asked {
            regime: regime_of(&backend.country_of(person).await?),
            kind: RightKind::Erase,
            whose: Whose::Viewer(person.0, person.1),
            undo_until: None,
            details: Details {
                answer_to: Some(self.address.as_str().to_owned()),
                choices: BTreeMap::from_iter(forget),
                ..Details::default()
            },
        };
        let (engine, used) = (backend.clone(), Arc::clone(&key));
        let opened = backend.fence(move |transaction| {
            let (engine, asked, key) = (engine.clone(), asked.clone(), Arc::clone(&used));
            async move {
                hold(transaction, person).await?;
                let from = [SubjectState::Active, SubjectState::Restricted];
                queries::set_subject_state(transaction, person.0, person.1, &from, SubjectState::Erasing).await?;
                let id = engine.open_request(transaction, &key, &asked, now).await?;
                engine.tell_coach(transaction, person.0, RightKind::Erase, id, now).await
            }
            .boxed()
        });
        let opened = opened.await;
        if opened.is_err() {
            backend.keyring().destroy(key.id).await?;
        }
        opened
    }
}

impl Backend {
    /// The country the latest registration came from.
    pub(super) async fn country_of(&self, (coach, subject): (CoachId, SubjectId)) -> Result<String> {
        let found = persistence::portal::country(self.db().reader(), coach, subject).await?;
        Ok(found.unwrap_or_else(|| "??".to_owned()))
    }

    /// Puts a request on record that was done with this very transaction. The record is over from the start, so it names
    /// nobody; the coach is told.
    async fn note_done(
        &self,
        conn: &impl ConnectionTrait,
        key: &RequestKey,
        kind: RightKind,
        (coach, subject): (CoachId, SubjectId),
        now: Moment,
    ) -> Result<()> {
        let id = RequestId::new();
        let country = persistence::portal::country(conn, coach, subject).await?.unwrap_or_default();
        let regime = regime_of(&country);
        let new = queries::NewRequest {
            id,
            regime,
            kind,
            subject_kind: SubjectKind::Viewer,
            coach: Some(coach),
            subject: None,
            subject_ref: key.key.reference(subject.as_bytes()),
            dek: key.id,
            details_sealed: None,
            state: RequestState::Verifying,
            undo_until: None,
            due_at: due_at(regime, kind, now),
            verified_at: Some(now),
        };
        queries::insert_request(conn, new, now).await?;
        let to = domain::rights::step(RequestState::Verifying, RequestState::Done)?;
        let change = dsr_request::ActiveModel { completed_at: Set(Some(now)), ..Default::default() };
        queries::move_request(conn, id, RequestState::Verifying, to, change).await?;
        self.audit(conn, Event::Opened, Role::Viewer, Some(id), ("right", 1), now).await?;
        self.audit(conn, Event::Done, Role::System, Some(id), ("right", 1), now).await?;
        self.tell_coach(conn, coach, kind, id, now).await
    }

    /// Tells a coach by mail that one of her viewers used a right: which one, and not who.
    pub(super) async fn tell_coach(
        &self,
        conn: &impl ConnectionTrait,
        coach: CoachId,
        kind: RightKind,
        request: RequestId,
        now: Moment,
    ) -> Result<()> {
        let template = format!("{VIEWER_ASKED}{}", kind.as_str());
        let once = format!("{VIEWER_ASKED}{request}");
        self.enqueue_mail(conn, coach, &template, &once, None, None, now).await
    }
}
