//! Letters to a registrant that are part of the booking: the link, a new time, a session called off, dates to choose from.

use domain::fence::{NEW_DATES, SESSION_CALLED_OFF, SESSION_MOVED, WAITING_LIST};
use mail::{Button, Letter};
use persistence::entities::{registration, session, webinar};

use super::HOUSE_ACCENT;
use crate::Backend;

impl Backend {
    pub(super) fn letter_with_link(
        &self,
        template: &str,
        greeting: String,
        presenter: &str,
        webinar: &webinar::Model,
        (registration, session): (&registration::Model, Option<&session::Model>),
    ) -> Letter {
        let link = self.config().absolute(&self.room_path(registration.id, registration.link_version));
        let starts_at = session.and_then(|session| session.starts_at);
        let said = session.and_then(|session| session.change_note.clone());
        let said = said.filter(|_| matches!(template, SESSION_MOVED | SESSION_CALLED_OFF));
        if matches!(template, WAITING_LIST | NEW_DATES) {
            return self.letter_about_dates(template, greeting, webinar, link);
        }
        if template == SESSION_CALLED_OFF {
            return self.letter_calling_off(greeting, (presenter, said), webinar, (registration, starts_at), link);
        }
        let opening = match template {
            SESSION_MOVED => {
                format!("“{}” with {presenter} is shown at another time than the one you booked.", webinar.title)
            }
            "registration_link" => format!("here is your link to “{}” again.", webinar.title),
            _ => format!("you are registered for “{}” with {presenter}.", webinar.title),
        };
        let zone = registration.time_zone.as_deref().unwrap_or("UTC");
        let words = |at| crate::zones::in_one_line(at, zone);
        let (when, works_until) = match starts_at {
            Some(starts_at) => (
                format!(
                    "Your time: {}. It is a recording that is shown then; the room opens a little earlier.",
                    words(starts_at)
                ),
                format!(
                    "The link is yours alone and works until {}. With it you can also choose another time.",
                    words(registration.expires_at)
                ),
            ),
            None => (
                "It is a recording: it starts when you press play, and you can stop and go on later, on any device."
                    .to_owned(),
                format!(
                    "The link is yours alone and works until {}, or {} days from your first play.",
                    registration.expires_at.utc_text(),
                    webinar.link_days
                ),
            ),
        };
        let subject = match template {
            SESSION_MOVED => format!("New time: {}", webinar.title),
            _ => format!("Your link: {}", webinar.title),
        };
        let said = said.map(|said| format!("{presenter} writes: {said}"));
        Letter {
            subject,
            accent: accent_of(webinar),
            before: [Some(greeting), Some(opening), said, Some(when)].into_iter().flatten().collect(),
            button: Some(Button { label: "Open the webinar".to_owned(), url: link }),
            after: vec![works_until],
            footer: vec![self.why_this_mail(webinar)],
        }
    }

    /// What does not take place, and the way to what does: the link is the same one as before.
    fn letter_calling_off(
        &self,
        greeting: String,
        (presenter, said): (&str, Option<String>),
        webinar: &webinar::Model,
        (registration, starts_at): (&registration::Model, Option<domain::Moment>),
        link: String,
    ) -> Letter {
        let zone = registration.time_zone.as_deref().unwrap_or("UTC");
        let when = starts_at.map_or_else(String::new, |at| format!(" on {}", crate::zones::in_one_line(at, zone)));
        let opening =
            format!("“{}” with {presenter}{when} does not take place. We are sorry about that.", webinar.title);
        let other = "Your link stays yours: it shows the other dates, and one press books the one that suits you. If \
                     you do nothing, you hear no more about this one."
            .to_owned();
        let said = said.map(|said| format!("{presenter} writes: {said}"));
        Letter {
            subject: format!("Called off: {}", webinar.title),
            accent: accent_of(webinar),
            before: [Some(greeting), Some(opening), said, Some(other)].into_iter().flatten().collect(),
            button: Some(Button { label: "See other dates".to_owned(), url: link }),
            after: Vec::new(),
            footer: vec![self.why_this_mail(webinar)],
        }
    }

    /// To somebody who waits for a date: that they do, or that there are some.
    fn letter_about_dates(&self, template: &str, greeting: String, webinar: &webinar::Model, link: String) -> Letter {
        let title = &webinar.title;
        let (subject, says, label) = match template {
            NEW_DATES => (
                format!("New dates: {title}"),
                format!("there are new dates for “{title}”. Choose the one that suits you with your own link."),
                "Choose a date",
            ),
            _ => (
                format!("You are on the list: {title}"),
                format!(
                    "there is no date for “{title}” at the moment. You get one mail as soon as there is one; until then \
                     there is nothing to do."
                ),
                "Your own page",
            ),
        };
        Letter {
            subject,
            accent: accent_of(webinar),
            before: vec![greeting, says],
            button: Some(Button { label: label.to_owned(), url: link }),
            after: Vec::new(),
            footer: vec![self.why_this_mail(webinar)],
        }
    }

    fn why_this_mail(&self, webinar: &webinar::Model) -> String {
        let page = self.config().absolute(&format!("/w/{}", webinar.slug));
        format!("You get this mail because this address was registered on {page}.")
    }
}

/// The colour of a webinar's buttons.
pub(crate) fn accent_of(webinar: &webinar::Model) -> String {
    if webinar.accent.is_empty() { HOUSE_ACCENT.to_owned() } else { webinar.accent.clone() }
}
