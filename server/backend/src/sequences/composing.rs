//! What a registrant's mail says: the coach's words with this person's values, put together when it is sent.

use domain::Moment;
use domain::sequence::Timing;
use domain::sequence::placeholders::{Placeholder, Values, fill_body, fill_subject};
use domain::stay::is_worth_an_entry;
use mail::{CoachLetter, Outgoing, Rendered};
use persistence::entities::{coach, mail as outbox, mail_template, registration, webinar};

use super::template_of;
use crate::calendars::Invitation;
use crate::mails::about_the_booking::accent_of;
use crate::zones::in_words;
use crate::{Backend, Error, Result};

/// Whom a mail is about.
pub(crate) struct Addressed<'a> {
    pub coach: &'a coach::Model,
    pub webinar: &'a webinar::Model,
    pub registration: &'a registration::Model,
    /// The address.
    pub to: String,
    /// First and last name, as far as given.
    pub name: Option<String>,
    /// The first name where it was asked for by itself, else the name.
    pub first_name: Option<String>,
    pub presenter: &'a str,
    pub starts_at: Option<Moment>,
    /// Of the recording; 0 when there is none.
    pub duration_seconds: i64,
}

/// A length of time for people, in whole minutes: `45 minutes`, `1 hour and 5 minutes`.
pub(super) fn length_in_words(seconds: i64) -> String {
    let minutes = (seconds + 30).div_euclid(60).max(1);
    let counted = |count: i64, unit: &str| match count {
        0 => None,
        1 => Some(format!("1 {unit}")),
        _ => Some(format!("{count} {unit}s")),
    };
    let parts = [counted(minutes / 60, "hour"), counted(minutes % 60, "minute")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}

impl Backend {
    /// Everything a coach's words may ask for, of one person.
    fn values(&self, about: &Addressed<'_>) -> Values {
        let Addressed { webinar, registration, presenter, starts_at, duration_seconds, .. } = about;
        let link = self.config().absolute(&self.room_path(registration.id, registration.link_version));
        let zone = registration.time_zone.as_deref().unwrap_or("UTC");
        let mut values = Values::default()
            .with(Placeholder::Webinar, &webinar.title)
            .with(Placeholder::Presenter, *presenter)
            .with(Placeholder::Link, &link);
        if *duration_seconds > 0 {
            values = values.with(Placeholder::Duration, length_in_words(*duration_seconds));
        }
        if let Some(name) = &about.name {
            values = values.with(Placeholder::Name, name);
        }
        if let Some(first_name) = &about.first_name {
            values = values.with(Placeholder::FirstName, first_name);
        }
        if let Some(starts_at) = starts_at {
            let (when, zone_text) = in_words(*starts_at, zone);
            let (day, time) = when.rsplit_once(", ").unwrap_or((&when, ""));
            values = values
                .with(Placeholder::SessionDay, day)
                .with(Placeholder::SessionTime, time)
                .with(Placeholder::TimeZone, zone_text)
                .with(Placeholder::CalendarLink, format!("{link}/calendar.ics"));
        }
        let until = in_words(registration.expires_at, zone).0;
        values
            .with(Placeholder::MinutesWatched, (registration.unique_seconds / 60).to_string())
            .with(Placeholder::PercentWatched, (registration.percent_milli / 1_000).to_string())
            .with(Placeholder::ReplayUntil, until)
    }

    /// A mail of a sequence for one person.
    pub(crate) fn compose_sequence_mail(
        &self,
        row: &outbox::Model,
        template: &mail_template::Model,
        about: &Addressed<'_>,
    ) -> Result<Outgoing> {
        let values = self.values(about);
        let is_confirmation = template_of(template)?.timing == Timing::Confirmation;
        let unsubscribe = self.config().absolute(&self.unsubscribe_path(about.registration.id));
        let texts = (template.subject.as_str(), template.body.as_str());
        let reply_to = about.coach.email.clone();
        let written = Written::new(self, about.webinar, about.presenter, reply_to, texts, &values, &unsubscribe);
        let written = written.with_one_click((!is_confirmation).then_some(unsubscribe));
        let outgoing = written.addressed(row.id.to_string(), about.to.clone())?;
        let entry = about.starts_at.filter(|at| is_confirmation && is_worth_an_entry(*at, self.now()));
        let attachment = entry.map(|starts_at| {
            let when = (starts_at, about.duration_seconds);
            self.calendar_file(about.webinar, about.registration, when, (&about.to, Invitation::Requested))
        });
        Ok(Outgoing { attachment, ..outgoing })
    }
}

/// A mail of a sequence, filled in.
pub(super) struct Written {
    letter: CoachLetter,
    from_name: String,
    from: String,
    reply_to: String,
    /// Where such mail is ended; nothing for mail that belongs to the booking itself.
    one_click: Option<String>,
}

impl Written {
    /// Subject and body with somebody's values. `unsubscribe` is where its reader ends such mail.
    pub(super) fn new(
        backend: &Backend,
        webinar: &webinar::Model,
        presenter: &str,
        reply_to: String,
        (subject, body): (&str, &str),
        values: &Values,
        unsubscribe: &str,
    ) -> Self {
        let config = backend.config();
        let page = config.absolute(&format!("/w/{}", webinar.slug));
        Self {
            letter: CoachLetter {
                subject: fill_subject(subject, values),
                body: fill_body(body, values),
                accent: accent_of(webinar),
                footer: vec![format!("{presenter} writes to you because this address was registered on {page}.")],
                unsubscribe_url: unsubscribe.to_owned(),
                privacy_url: config.absolute("/my-data"),
            },
            from_name: mail::sender::from_name(presenter),
            from: config.mail_from.clone(),
            reply_to,
            one_click: None,
        }
    }

    fn with_one_click(self, url: Option<String>) -> Self {
        Self { one_click: url, ..self }
    }

    pub(super) fn rendered(&self) -> Result<Rendered> {
        self.letter.render().map_err(|error| Error::fault("render a mail", error))
    }

    pub(super) fn addressed(&self, id: String, to: String) -> Result<Outgoing> {
        let mut headers = vec![("Auto-Submitted".to_owned(), "auto-generated".to_owned())];
        headers.extend(self.one_click.iter().flat_map(|url| mail::one_click(url)));
        Ok(Outgoing {
            id,
            to,
            from_name: self.from_name.clone(),
            from: self.from.clone(),
            return_path: None,
            reply_to: Some(self.reply_to.clone()),
            content: self.rendered()?,
            headers,
            attachment: None,
        })
    }
}
