//! Agreeing again after an agreement was taken back.
//!
//! Anybody can type anybody's address into the form, so the form gives nothing back: whoever reads the person's mail
//! gets a link, the page behind it shows the wording of today, and pressing its button is the new agreement. A link is
//! good for the withdrawal it was made after and no later one.

use domain::ids::{ConsentTextId, RegistrationId};
use domain::registration::ConsentPurpose;
use domain::rights::SubjectState;
use domain::webinar::{AgreeAgain, DEFAULT_CONSENT_TEXT, Room, SessionKind, WebinarState};
use domain::{Moment, Refusal, RefusalKind, Slug};
use persistence::entities::{registration, webinar};
use persistence::{registrations as queries, restrictions, rights, webinars};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};

use super::slots::{proven, signed};
use super::{DAY_SECONDS, Press};
use crate::mails::about_rights::AGREE_AGAIN;
use crate::rights::fence::{being_erased, hold_public};
use crate::webinars::{kind_of, state_of};
use crate::{Backend, Result, Visitor};

/// How long a mailed link to agree again is good.
const LINK_DAYS: i64 = 7;
/// What keeps a mailed link and a form apart.
const LINK: &str = "agree again link";
/// The same for the form behind it.
const FORM: &str = "agree again form";

/// What a mailed link says.
#[derive(Serialize, Deserialize)]
struct Link {
    booking: RegistrationId,
    taken_back_at: Moment,
    until: Moment,
}

/// What the button of the page behind it says.
#[derive(Serialize, Deserialize)]
struct Form {
    booking: RegistrationId,
    taken_back_at: Moment,
    wording: ConsentTextId,
    until: Moment,
}

fn over() -> Refusal {
    let message =
        "This link is no longer good. If you want to take part, please register once more; nothing was changed.";
    Refusal::new(RefusalKind::Gone, message)
}

impl Backend {
    /// Tells a person who took the agreement back that somebody registered with their address, once a day.
    pub(super) async fn plan_agreeing_mail(
        &self,
        transaction: &DatabaseTransaction,
        press: &Press<'_>,
        booking: RegistrationId,
    ) -> Result<()> {
        let (coach, now) = (press.row.coach_id, press.now);
        let once = format!("{AGREE_AGAIN}:{booking}:{}", now.day());
        self.enqueue_mail(transaction, coach, AGREE_AGAIN, &once, Some(booking), None, now).await
    }

    /// Where a person agrees again; nothing when the agreement stands.
    pub(crate) async fn agreeing_url(&self, booking: &registration::Model) -> Result<Option<String>> {
        let Some(taken_back_at) = restrictions::taken_back_at(self.db().reader(), booking.id).await? else {
            return Ok(None);
        };
        let link = Link { booking: booking.id, taken_back_at, until: self.now().plus_seconds(LINK_DAYS * DAY_SECONDS) };
        let token = signed(self.secrets(), LINK, booking.webinar_id, &link)?;
        let path = self.room_path(booking.id, booking.link_version);
        Ok(Some(self.config().absolute(&format!("{path}?again={token}"))))
    }

    /// The wording somebody has just agreed to again, if that is what they did.
    pub(super) async fn agreed_again(
        &self,
        transaction: &DatabaseTransaction,
        row: &webinar::Model,
        booking: RegistrationId,
        again: &str,
    ) -> Result<ConsentTextId> {
        let form: Form = proven(self.secrets(), FORM, row.id, again).ok_or_else(over)?;
        let taken_back_at = restrictions::taken_back_at(transaction, booking).await?;
        if form.booking != booking || form.until <= self.now() || taken_back_at != Some(form.taken_back_at) {
            return Err(over().into());
        }
        if row.consent_text_id != Some(form.wording) {
            let message = "What you agree to was worded anew while this page was open. Please open the link in your mail \
                           once more and read it; nothing was changed.";
            return Err(Refusal::new(RefusalKind::Conflict, message).into());
        }
        Ok(form.wording)
    }
}

impl Visitor {
    /// The page behind a mailed link to agree again: the room as it is, with the wording of today when the link is good.
    ///
    /// # Errors
    /// As [`Self::room`].
    pub async fn room_to_agree(&self, token: &str, again: &str) -> Result<Room> {
        let backend = &self.backend;
        let mut room = self.room(token, None).await?;
        let found = backend.booking_of(token).await?;
        let link: Option<Link> = proven(backend.secrets(), LINK, found.webinar, again);
        let reader = backend.db().reader();
        let taken_back_at = restrictions::taken_back_at(reader, found.id).await?;
        let Some(link) = link.filter(|link| link.booking == found.id && link.until > backend.now()) else {
            return Ok(room);
        };
        let slug = Slug::parse(&room.slug).map_err(|_| Refusal::not_found())?;
        let page = webinars::page_at_slug(reader, slug.as_str()).await?.ok_or_else(Refusal::not_found)?;
        let (Some(taken_back_at), Some(wording)) = (taken_back_at, page.webinar.consent_text_id) else {
            return Ok(room);
        };
        if taken_back_at != link.taken_back_at || state_of(&page.webinar)? != WebinarState::Published {
            return Ok(room);
        }
        let form = Form { booking: found.id, taken_back_at, wording, until: link.until };
        room.agree = Some(AgreeAgain {
            wording: page.wording.unwrap_or_else(|| DEFAULT_CONSENT_TEXT.to_owned()),
            token: signed(backend.secrets(), FORM, found.webinar, &form)?,
        });
        Ok(room)
    }

    /// Agrees again, and takes a time where there are times to choose from. The link stays the same one.
    ///
    /// # Errors
    /// Refuses a form that is not the one the mailed link led to, a wording that was changed meanwhile, a time that is
    /// none, a webinar closed to registration, and somebody whose data rests.
    pub async fn agree_again(&self, token: &str, again: &str, (slot, zone): (&str, &str)) -> Result<()> {
        let backend = &self.backend;
        let found = backend.booking_of(token).await?;
        let row = webinars::webinar(backend.db().reader(), found.coach, found.webinar).await?;
        let row = row.ok_or_else(Refusal::not_found)?;
        if state_of(&row)? != WebinarState::Published {
            return Err(over().into());
        }
        if kind_of(&row)? == SessionKind::Scheduled {
            let stored = backend.stored_schedule(&row).await?;
            let (chosen, _, zone) = backend.chosen(&row, &stored, (slot, zone))?;
            let chosen = chosen.ok_or_else(|| Refusal::field("slot", "Please choose one of the times."))?;
            backend.move_to(&row, found.id, (chosen, zone), Some(again)).await?;
            return backend.note_gesture(token, &found).await;
        }
        let now = backend.now();
        let transaction = backend.db().begin().await?;
        hold_public(&transaction, row.coach_id).await?;
        match rights::hold_subject(&transaction, row.coach_id, found.subject).await? {
            Some(SubjectState::Active) => {}
            _ => return Err(being_erased().into()),
        }
        let wording = backend.agreed_again(&transaction, &row, found.id, again).await?;
        let agreed = (ConsentPurpose::RunWebinar, wording);
        queries::note_consent(&transaction, found.subject, found.id, agreed, now).await?;
        let expires_at = now.plus_days(i64::from(row.link_days));
        queries::renew(&transaction, row.coach_id, found.id, expires_at).await?;
        transaction.commit().await?;
        backend.note_gesture(token, &found).await
    }
}
