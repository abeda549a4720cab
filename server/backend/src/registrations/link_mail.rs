//! Mailing a registrant's link again, within what a stranger's inbox must bear.

use domain::ids::{CoachId, RegistrationId, SubjectId, WebinarId};
use domain::webinar::WebinarState;
use domain::{EmailAddress, Moment, Refusal, Slug};
use persistence::sealed::Standing;
use persistence::{registrations as queries, webinars};
use sea_orm::ConnectionTrait;

use super::DAY_SECONDS;
use crate::limits::Limit;
use crate::rights::fence::{being_erased, hold_changeable, hold_public, rests};
use crate::webinars::state_of;
use crate::{Backend, Client, Coach, Error, Result, Visitor};

/// Mails with a link one address gets within a day (product.md §4.2), so that no form floods an inbox.
const LINK_MAILS_A_DAY: u64 = 3;

impl Backend {
    /// Whether this person got as many mails with a link within a day as they must bear.
    pub(super) async fn had_enough_links(
        &self,
        conn: &impl ConnectionTrait,
        coach: CoachId,
        subject: SubjectId,
        now: Moment,
    ) -> Result<bool> {
        let day_ago = now.plus_seconds(-DAY_SECONDS);
        Ok(queries::link_mails_since(conn, coach, subject, day_ago).await? >= LINK_MAILS_A_DAY)
    }

    /// Whether one more mail with a link may go to this person today. Asked before a mail nobody proved to want;
    /// "no" is silent, because the answer must not tell whether an address is known.
    pub(super) async fn may_mail_link(
        &self,
        conn: &impl ConnectionTrait,
        coach: CoachId,
        subject: SubjectId,
        email: &EmailAddress,
        now: Moment,
    ) -> Result<bool> {
        // By person and coach, exactly; then by address over all coaches, which only a keyed hash remembers.
        if self.had_enough_links(conn, coach, subject, now).await? {
            return Ok(false);
        }
        match self.limit_in(conn, Limit::LinkMail, &email.normalised()).await {
            Ok(()) => Ok(true),
            Err(Error::Refused(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Plans one more mail with a link the person already has.
    pub(super) async fn plan_link_mail(
        &self,
        conn: &impl ConnectionTrait,
        coach: CoachId,
        registration: RegistrationId,
        now: Moment,
    ) -> Result<()> {
        let once = format!("registration:{registration}:link:{}", now.0);
        self.enqueue_mail(conn, coach, "registration_link", &once, Some(registration), None, now).await
    }
}

impl Visitor {
    /// "Send my link again": mails the link if this address is registered on this page, and answers alike if not.
    ///
    /// # Errors
    /// Refuses what is no address, more than three an hour for one address or a flood from one network, and a page whose
    /// coach closes or rests her account. Somebody whose data rests gets no mail and the same answer.
    pub async fn send_link_again(&self, slug: &str, email: &str, client: &Client) -> Result<()> {
        let backend = &self.backend;
        let email = EmailAddress::parse(email)?;
        let slug = Slug::parse(slug).map_err(|_| Refusal::not_found())?;
        let row = webinars::at_slug(backend.db().reader(), slug.as_str()).await?.ok_or_else(Refusal::not_found)?;
        if state_of(&row)? == WebinarState::Draft {
            return Err(Refusal::not_found().into());
        }
        backend.limit(Limit::Registration, &format!("{}:{}", hex::encode(client.network), row.id)).await?;
        backend.limit(Limit::LinkAgain, &format!("{}:{}", row.id, email.normalised())).await?;
        let now = backend.now();
        let index = backend.keyring().pepper(row.coach_id, now).await?.blind_index(&email.normalised());
        let transaction = backend.db().begin().await?;
        hold_public(&transaction, row.coach_id).await?;
        if let Some(person) = queries::hold_by_index(&transaction, row.coach_id, &index).await?
            && let Some(subject) = person.standing.active()
            && let Some(found) = queries::booking(&transaction, row.coach_id, row.id, subject.id).await?
            && backend.may_mail_link(&transaction, row.coach_id, subject.id, &email, now).await?
        {
            backend.plan_link_mail(&transaction, row.coach_id, found.id, now).await?;
        }
        transaction.commit().await?;
        backend.wake_worker();
        Ok(())
    }
}

impl Coach {
    /// Mails a registrant's link again.
    ///
    /// # Errors
    /// Refuses a booking that is not hers, one of a person whose data rests, and a fourth mail with a link within a day.
    pub async fn resend_link(&self, webinar: WebinarId, id: RegistrationId) -> Result<()> {
        let backend = &self.backend;
        let now = backend.now();
        let transaction = backend.db().begin().await?;
        hold_changeable(&transaction, self.id).await?;
        let found = queries::registration(&transaction, self.id, webinar, id).await?.ok_or_else(Refusal::not_found)?;
        let found = match found {
            Standing::Active(found) => found.into_inner(),
            Standing::Restricted(_) => return Err(rests().into()),
            Standing::Erasing => return Err(being_erased().into()),
        };
        if backend.had_enough_links(&transaction, self.id, found.subject_id, now).await? {
            let message = "This person was sent the link three times within a day. Please wait until tomorrow, or copy it and send it yourself.";
            return Err(Refusal { message: message.to_owned(), ..Refusal::too_often(DAY_SECONDS as u32) }.into());
        }
        backend.plan_link_mail(&transaction, self.id, id, now).await?;
        transaction.commit().await?;
        backend.wake_worker();
        Ok(())
    }
}
