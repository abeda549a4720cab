//! Mails to registrants, put together from what was read for all that go at the same time ([`Case`]).

use domain::Moment;
use domain::fence::{ABOUT_A_REQUEST, SESSION_CALLED_OFF, SESSION_MOVED};
use domain::processing::ProcessingPurpose;
use domain::rights::SubjectState;
use domain::stay::is_worth_an_entry;
use mail::{Letter, Outgoing};
use persistence::entities::{mail as outbox, registration, subject, webinar};
use persistence::mailing::Case;
use persistence::restrictions;
use persistence::sealed::{self, Place, SubjectKey};
use privacy::restriction::Purpose;

use super::about_rights::AGREE_AGAIN;
use crate::calendars::{Delivery, Invitation};
use crate::registrations::first_name_of;
use crate::registrations::whole_seconds;
use crate::sequences::Addressed;
use crate::{Backend, Error, Result};

/// Reads sealed text of one person.
fn opened(key: &SubjectKey, place: Place, subject: &subject::Model, sealed: &[u8]) -> Result<String> {
    let bytes = key.open(ProcessingPurpose::Communicate, place, subject.id.as_bytes(), sealed)?;
    String::from_utf8(bytes).map_err(|error| Error::fault("read a sealed text", error))
}

impl Backend {
    /// A registrant's mail; nothing when it is not for them any more.
    pub(super) async fn compose_for_registrant(&self, row: &outbox::Model, case: Case) -> Result<Option<Outgoing>> {
        let Case { coach, webinar, registration, person, session, recording, template, .. } = case;
        let subject = match person.standing {
            sealed::Standing::Active(subject) => subject.into_inner(),
            // The one mail a restricted person gets is the answer to their own request.
            sealed::Standing::Restricted(subject) if row.template.starts_with(ABOUT_A_REQUEST) => {
                privacy::restriction::open(subject, Purpose::OwnRequest)
            }
            sealed::Standing::Restricted(_) | sealed::Standing::Erasing => return Ok(None),
        };
        let key = self.keyring().key(subject.dek_id).await?;
        let to = opened(&key, Place::SubjectEmail, &subject, &subject.email_ct)?;
        let name = subject.name_ct.as_deref();
        let name = name.map(|sealed| opened(&key, Place::SubjectName, &subject, sealed)).transpose()?;
        let presenter = if webinar.presenter.is_empty() { coach.name.clone() } else { webinar.presenter.clone() };
        let starts_at = session.as_ref().and_then(|session| session.starts_at);
        let return_path = self.return_path(row.id, &subject.email_bidx);
        let duration_seconds = whole_seconds(recording.as_deref());
        if let Some(template) = &template {
            let first_name = first_name_of(ProcessingPurpose::Communicate, &key, &registration)?;
            let about = Addressed {
                coach: &coach,
                webinar: &webinar,
                registration: &registration,
                to,
                first_name: first_name.or_else(|| name.clone()),
                name,
                presenter: &presenter,
                starts_at,
                duration_seconds,
            };
            let outgoing = self.compose_sequence_mail(row, template, &about)?;
            return Ok(Some(Outgoing { return_path, ..outgoing }));
        }
        let greeting = name.filter(|name| !name.is_empty());
        let greeting = greeting.map_or_else(|| "Hello,".to_owned(), |name| format!("Hello {name},"));
        let is_about_rights = row.template.starts_with(ABOUT_A_REQUEST);
        let letter = if is_about_rights {
            let rests = subject.state == SubjectState::Restricted.as_str();
            let answer = self.answer_to_an_objection(&registration, &key).await?;
            let again = match row.template.as_str() {
                AGREE_AGAIN => self.agreeing_url(&registration).await?,
                _ => None,
            };
            self.letter_about_rights(&row.template, greeting, &presenter, rests, &registration, (answer, again))
        } else {
            let booked = (&registration, session.as_deref());
            Some(self.letter_with_link(&row.template, greeting, &presenter, &webinar, booked))
        };
        let Some(letter) = letter else { return Ok(None) };
        let invitation = match starts_at {
            Some(_) if is_about_rights => None,
            Some(_) if row.template == SESSION_CALLED_OFF => Some(Invitation::Cancelled),
            // An entry that is there has to move, however soon it is.
            Some(at) if row.template == SESSION_MOVED || is_worth_an_entry(at, self.now()) => {
                Some(Invitation::Requested)
            }
            _ => None,
        };
        let attachment = starts_at.zip(invitation).map(|(starts_at, invitation)| {
            self.calendar_file(&webinar, &registration, (starts_at, duration_seconds), (&to, invitation))
        });
        let outgoing =
            self.outgoing(row, to, mail::sender::from_name(&presenter), Some(coach.email.clone()), &letter)?;
        Ok(Some(Outgoing { attachment, return_path, ..outgoing }))
    }

    /// What the coach wrote about a person's last objection.
    async fn answer_to_an_objection(
        &self,
        registration: &registration::Model,
        key: &SubjectKey,
    ) -> Result<Option<String>> {
        let (coach, subject) = (registration.coach_id, registration.subject_id);
        let Some(decided) = restrictions::last_decided(self.db().reader(), coach, subject).await? else {
            return Ok(None);
        };
        let Some(sealed) = &decided.answer_ct else { return Ok(None) };
        let answer = key.open(ProcessingPurpose::Communicate, Place::ObjectionAnswer, decided.id.as_bytes(), sealed)?;
        String::from_utf8(answer).map(Some).map_err(|error| Error::fault("read a sealed text", error))
    }

    /// The entry a calendar puts in by itself, and moves when it comes again.
    pub(crate) fn calendar_file(
        &self,
        webinar: &webinar::Model,
        registration: &registration::Model,
        (starts_at, duration_seconds): (Moment, i64),
        (attendee, invitation): (&str, Invitation),
    ) -> mail::Attachment {
        let link = self.config().absolute(&self.room_path(registration.id, registration.link_version));
        let entry = self.calendar_entry(webinar, registration, (starts_at, duration_seconds), &link);
        let sent = Delivery::Mailed { organizer: &self.config().mail_from, attendee, invitation };
        mail::Attachment {
            name: "session.ics".to_owned(),
            content_type: format!("text/calendar; charset=utf-8; method={}", invitation.method()),
            content: entry.file(sent, self.now()),
        }
    }

    pub(super) fn outgoing(
        &self,
        row: &outbox::Model,
        to: String,
        from_name: String,
        reply_to: Option<String>,
        letter: &Letter,
    ) -> Result<Outgoing> {
        Ok(Outgoing {
            id: row.id.to_string(),
            to,
            from_name,
            from: self.config().mail_from.clone(),
            return_path: None,
            reply_to,
            content: letter.render().map_err(|error| Error::fault("render a mail", error))?,
            // Mail of this kind answers no machine and wants no vacation replies.
            headers: vec![("Auto-Submitted".to_owned(), "auto-generated".to_owned())],
            attachment: None,
        })
    }
}
