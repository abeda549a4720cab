//! Kept and not used: restriction, objection and agreements taken back, each with everything that follows from it in
//! one transaction.
//!
//! Who: a viewer through the portal, a coach who answers, the periodic job. Call these inside [`Backend::fence`]: a
//! person's state changes only when no mail to them is on its way.

use domain::ids::{CoachId, ObjectionId, SubjectId};
use domain::registration::ConsentPurpose;
use domain::rights::{OBJECTION_DAYS, ObjectionScope, RestrictionGround, SubjectState};
use domain::{Moment, Refusal, RefusalKind};
use futures::FutureExt;
use persistence::mails::{self, Of};
use persistence::restrictions::{self as queries, MAIL, REJECTED, UPHELD};
use persistence::sealed::{Place, Standing};
use persistence::{registrations, rights};
use privacy::audit::{Event, Role};
use privacy::restriction::Purpose;
use sea_orm::ConnectionTrait;

use super::fence::being_erased;
use crate::mails::about_rights::{LIFT_ANNOUNCED, LIFT_NOTICE_DAYS, OBJECTION_REJECTED, OBJECTION_UPHELD};
use crate::{Backend, Coach, Result};

/// The one purpose a registration form asks an agreement for.
pub const RUN_WEBINAR: &str = "run_webinar";
/// Longest answer to an objection.
const MOST_REASON_CHARS: usize = 2_000;
/// Class of the data these verbs are about.
const CLASS: &str = "restriction";

/// Holds a person who may still say something about their data.
pub(super) async fn hold(conn: &impl ConnectionTrait, coach: CoachId, subject: SubjectId) -> Result<SubjectState> {
    match rights::hold_subject(conn, coach, subject).await? {
        Some(SubjectState::Erasing) => Err(being_erased().into()),
        Some(state) => Ok(state),
        None => Err(Refusal::not_found().into()),
    }
}

impl Backend {
    /// Restricts the use of a person's data: it is kept as it is, planned mail waits, nothing is measured.
    ///
    /// # Errors
    /// Refuses a person who is being erased.
    pub async fn restrict(
        &self,
        conn: &impl ConnectionTrait,
        (coach, subject): (CoachId, SubjectId),
        ground: RestrictionGround,
        by: Role,
        now: Moment,
    ) -> Result<()> {
        let state = hold(conn, coach, subject).await?;
        let known = queries::standing(conn, subject).await?;
        if known.iter().any(|one| one.ground == ground.as_str()) {
            // A new reason of the same kind: what was about to end does not.
            return Ok(queries::call_off_end(conn, subject, ground).await?);
        }
        queries::insert(conn, subject, ground, now).await?;
        if state == SubjectState::Active {
            let from = [SubjectState::Active];
            rights::set_subject_state(conn, coach, subject, &from, SubjectState::Restricted).await?;
        }
        self.audit(conn, Event::Restricted, by, None, (CLASS, 1), now).await
    }

    /// Ends a person's restriction on one ground, or on all. When none is left the data is used again, and mail whose
    /// time passed meanwhile is dropped.
    ///
    /// # Errors
    /// Refuses a person who is being erased, and one who is not restricted on that ground.
    pub async fn lift(
        &self,
        conn: &impl ConnectionTrait,
        (coach, subject): (CoachId, SubjectId),
        ground: Option<RestrictionGround>,
        by: Role,
        now: Moment,
    ) -> Result<()> {
        hold(conn, coach, subject).await?;
        if queries::end(conn, subject, ground, now).await? == 0 {
            let message = "There is no such restriction. Nothing was changed.";
            return Err(Refusal::new(RefusalKind::Conflict, message).into());
        }
        if by == Role::Viewer && ground.is_none_or(|ground| ground == RestrictionGround::Objection) {
            queries::take_back_objections(conn, subject, now).await?;
        }
        if queries::standing(conn, subject).await?.is_empty() {
            let from = [SubjectState::Restricted];
            rights::set_subject_state(conn, coach, subject, &from, SubjectState::Active).await?;
        }
        self.audit(conn, Event::Lifted, by, None, (CLASS, 1), now).await
    }

    /// Tells a person that a restriction ends, days before it does (Art. 18(3)). [`Self::lift_announced`] ends it.
    ///
    /// # Errors
    /// Refuses a person who is being erased, or not restricted on that ground.
    pub async fn announce_lift(
        &self,
        conn: &impl ConnectionTrait,
        (coach, subject): (CoachId, SubjectId),
        ground: RestrictionGround,
        now: Moment,
    ) -> Result<()> {
        hold(conn, coach, subject).await?;
        if !queries::announce_end(conn, subject, ground, now).await? {
            let message = "There is no such restriction, or its end was announced already. Nothing was changed.";
            return Err(Refusal::new(RefusalKind::Conflict, message).into());
        }
        self.write_about_rights(conn, (coach, subject), LIFT_ANNOUNCED, now).await
    }

    /// Plans a mail to a person about their own request; none when no booking tells where it belongs.
    pub(crate) async fn write_about_rights(
        &self,
        conn: &impl ConnectionTrait,
        (coach, subject): (CoachId, SubjectId),
        template: &str,
        now: Moment,
    ) -> Result<()> {
        let Some(booking) = registrations::latest_booking(conn, coach, subject).await? else { return Ok(()) };
        let once = format!("{template}:{subject}:{}", now.0);
        self.enqueue_mail(conn, coach, template, &once, Some(booking), None, now).await
    }

    /// Notes an objection. To marketing it is absolute and done with this transaction; to anything else the data rests
    /// until the coach has weighed it (Art. 21).
    ///
    /// # Errors
    /// Refuses a person who is being erased.
    pub async fn object(
        &self,
        conn: &impl ConnectionTrait,
        (coach, subject): (CoachId, SubjectId),
        scope: ObjectionScope,
        reason: &str,
        now: Moment,
    ) -> Result<ObjectionId> {
        hold(conn, coach, subject).await?;
        let person = registrations::subject(conn, coach, subject).await?.ok_or_else(Refusal::not_found)?;
        let row = match person.standing {
            Standing::Active(row) => row.into_inner(),
            Standing::Restricted(row) => privacy::restriction::open(row, Purpose::OwnRequest),
            Standing::Erasing => return Err(being_erased().into()),
        };
        let id = ObjectionId::new();
        let reason_sealed = match reason.trim() {
            "" => None,
            words => {
                let key = self.keyring().key(row.dek_id).await?;
                Some(key.seal(Place::ObjectionReason, id.as_bytes(), words.as_bytes()))
            }
        };
        let is_absolute = scope == ObjectionScope::Marketing;
        let new = queries::NewObjection {
            id,
            subject,
            scope,
            reason_sealed,
            answer_due_at: now.plus_days(OBJECTION_DAYS),
            decision: is_absolute.then_some(UPHELD),
        };
        queries::insert_objection(conn, new, now).await?;
        if is_absolute {
            queries::suppress(conn, coach, &row.email_bidx, MAIL, now).await?;
            // An agreement to offers goes with it: wanting mail again is not wanting offers.
            queries::withdraw(conn, coach, subject, ConsentPurpose::Offers.as_str(), now).await?;
            // What is being sent at this instant was sent before; what is not yet claimed reads the mark.
            mails::none_under_way(conn, Of::Subject(subject)).await?;
        } else {
            self.restrict(conn, (coach, subject), RestrictionGround::Objection, Role::Viewer, now).await?;
        }
        self.audit(conn, Event::Objected, Role::Viewer, None, (CLASS, 1), now).await?;
        Ok(id)
    }

    /// Takes an agreement back: its records stay as proof, the links of its bookings end now, and planned mail about
    /// them never goes out. What was done until now stays lawful and stays.
    ///
    /// # Errors
    /// Refuses a person who is being erased, and a purpose nothing was agreed to for.
    pub async fn withdraw(
        &self,
        conn: &impl ConnectionTrait,
        (coach, subject): (CoachId, SubjectId),
        purpose: &str,
        now: Moment,
    ) -> Result<()> {
        hold(conn, coach, subject).await?;
        let bookings = queries::withdraw(conn, coach, subject, purpose, now).await?;
        if bookings.is_empty() {
            let message = "There is no agreement of yours for this any more. Nothing was changed.";
            return Err(Refusal::new(RefusalKind::Conflict, message).into());
        }
        if purpose == RUN_WEBINAR {
            queries::withdraw(conn, coach, subject, ConsentPurpose::Offers.as_str(), now).await?;
            queries::end_links(conn, coach, &bookings, now).await?;
            for booking in bookings {
                mails::none_under_way(conn, Of::Registration(booking)).await?;
                mails::drop_planned(conn, Of::Registration(booking), "The agreement was taken back.").await?;
            }
        }
        self.audit(conn, Event::Withdrawn, Role::Viewer, None, ("consent", 1), now).await
    }

    /// Upholds objections nobody answered in time, and ends restrictions whose end was announced long enough ago.
    pub(crate) async fn settle_rights(&self, now: Moment) -> Result<()> {
        let transaction = self.db().begin().await?;
        let upheld = queries::uphold_overdue(&transaction, now).await?;
        if upheld > 0 {
            self.audit(&transaction, Event::ObjectionUpheld, Role::System, None, (CLASS, upheld), now).await?;
        }
        transaction.commit().await?;
        self.lift_announced(now).await
    }

    /// Ends restrictions whose end was announced long enough ago.
    async fn lift_announced(&self, now: Moment) -> Result<()> {
        let due = queries::announced_before(self.db().reader(), now.plus_days(-LIFT_NOTICE_DAYS)).await?;
        for (coach, subject, ground) in due {
            let ground = RestrictionGround::from_stored(&ground);
            let person = (coach, subject);
            let backend = self.clone();
            let lifted = self.fence(move |transaction| {
                let backend = backend.clone();
                async move {
                    // Objected to once more since, or to something else: it does not end yet.
                    if ground == Some(RestrictionGround::Objection)
                        && queries::objection_stands(transaction, subject).await?
                    {
                        return Ok(queries::call_off_end(transaction, subject, RestrictionGround::Objection).await?);
                    }
                    backend.lift(transaction, person, ground, Role::System, now).await
                }
                .boxed()
            });
            match lifted.await {
                // Being erased meanwhile, or lifted by the person.
                Ok(()) | Err(crate::Error::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Coach {
    /// Answers an objection: uphold it and the data stays unused, or show grounds that weigh more and it is used again
    /// after the person was told. Her reasons are mailed; without any, only upholding is possible (Art. 21(1)).
    ///
    /// # Errors
    /// Refuses an objection that is not to her, or is decided already, and a rejection without reasons.
    pub async fn decide_objection(&self, id: ObjectionId, uphold: bool, reasons: &str) -> Result<()> {
        let backend = &self.backend;
        let now = backend.now();
        let reasons = reasons.trim();
        if reasons.chars().count() > MOST_REASON_CHARS {
            return Err(Refusal::field("reasons", "Please say it in 2,000 characters or fewer.").into());
        }
        let row = queries::objection(backend.db().reader(), self.id, id).await?.ok_or_else(Refusal::not_found)?;
        if !uphold && reasons.is_empty() {
            let message = "Please say which of your reasons weigh more than this person's. They get to read it.";
            return Err(Refusal::field("reasons", message).into());
        }
        let answer = match reasons {
            "" => None,
            words => {
                let key = backend.key_for_request(self.id, row.subject_id).await?.ok_or_else(being_erased)?;
                Some(key.seal(Place::ObjectionAnswer, id.as_bytes(), words.as_bytes()))
            }
        };
        let transaction = backend.db().begin().await?;
        let person = (self.id, row.subject_id);
        hold(&transaction, self.id, row.subject_id).await?;
        if !queries::decide(&transaction, id, if uphold { UPHELD } else { REJECTED }, answer, now).await? {
            return Err(Refusal::new(RefusalKind::Conflict, "This objection is decided already.").into());
        }
        let event = if uphold {
            backend.write_about_rights(&transaction, person, OBJECTION_UPHELD, now).await?;
            Event::ObjectionUpheld
        } else {
            match queries::objection_stands(&transaction, row.subject_id).await? {
                true => backend.write_about_rights(&transaction, person, OBJECTION_REJECTED, now).await?,
                false => {
                    backend.announce_lift(&transaction, person, RestrictionGround::Objection, now).await?;
                }
            }
            Event::ObjectionRejected
        };
        backend.audit(&transaction, event, Role::Coach, None, (CLASS, 1), now).await?;
        transaction.commit().await?;
        backend.wake_worker();
        Ok(())
    }
}
