//! A registrant's calendar entry (RFC 5545, RFC 5546).
//!
//! One entry for ever: its UID is the registration, and every change raises the sequence, so that a calendar moves the
//! entry it has instead of adding one. Times are in UTC: one session needs no zone, and no zone can be wrong.
//! Source: product.md §4.8.

use domain::Moment;
use domain::ids::RegistrationId;
use domain::stay::entry_ends_at;
use domain::webinar::CalendarLinks;
use icalendar::{Alarm, Calendar, Class, Component, Event, EventLike, EventStatus, Property, Trigger};

/// Minutes before the start at which a calendar rings.
const ALARM_MINUTES: i64 = 10;
/// What wrote the file.
const PRODUCT: &str = "-//My Mini Webinar//Sessions//EN";

/// What an entry says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    pub registration: RegistrationId,
    pub sequence: i32,
    pub starts_at: Moment,
    pub duration_seconds: i64,
    pub title: &'a str,
    pub presenter: &'a str,
    /// The registrant's own link.
    pub link: &'a str,
    /// Our domain, which makes the UID one of a kind.
    pub host: &'a str,
}

/// How a calendar gets it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Delivery<'a> {
    /// Downloaded: the person puts it in by themselves.
    Published,
    /// By mail: the calendar does it by itself.
    Mailed {
        /// Sender of the mail.
        organizer: &'a str,
        /// The person's address.
        attendee: &'a str,
        /// What it does.
        invitation: Invitation,
    },
}

/// What a calendar does with an entry that comes by mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Invitation {
    /// Puts it in, and moves it when it comes again with a higher sequence.
    Requested,
    /// Takes it out.
    Cancelled,
}

impl Invitation {
    /// RFC 5546 §3.2.
    pub(crate) const fn method(self) -> &'static str {
        match self {
            Self::Requested => "REQUEST",
            Self::Cancelled => "CANCEL",
        }
    }
}

/// `20261201T170000Z`
fn utc(moment: Moment) -> String {
    moment.timestamp().strftime("%Y%m%dT%H%M%SZ").to_string()
}

impl Entry<'_> {
    pub(crate) fn ends_at(&self) -> Moment {
        entry_ends_at(self.starts_at, self.duration_seconds)
    }

    fn description(&self) -> String {
        let with = if self.presenter.is_empty() { String::new() } else { format!(" with {}", self.presenter) };
        format!("“{}”{with}: a recording, shown at this time.\nYour own link: {}", self.title, self.link)
    }

    /// The file.
    pub(crate) fn file(&self, sent: Delivery<'_>, now: Moment) -> String {
        let is_cancelled = matches!(sent, Delivery::Mailed { invitation: Invitation::Cancelled, .. });
        let mut event = Event::with_uid(&format!("{}@{}", self.registration, self.host));
        event
            .add_property("SEQUENCE", self.sequence.to_string())
            .add_property("DTSTAMP", utc(now))
            .add_property("DTSTART", utc(self.starts_at))
            .add_property("DTEND", utc(self.ends_at()))
            .summary(self.title)
            .description(&self.description())
            .location(self.link)
            .url(self.link)
            .class(Class::Private)
            .status(if is_cancelled { EventStatus::Cancelled } else { EventStatus::Confirmed });
        if !is_cancelled {
            let rings = Trigger::before_start(chrono::Duration::minutes(ALARM_MINUTES));
            event.alarm(Alarm::display(self.title, rings));
        }
        let method = match sent {
            Delivery::Published => "PUBLISH",
            Delivery::Mailed { organizer, attendee, invitation } => {
                event.append_property(Property::new("ORGANIZER", format!("mailto:{organizer}")));
                let mut invited = Property::new("ATTENDEE", format!("mailto:{attendee}"));
                invited.add_parameter("PARTSTAT", "ACCEPTED").add_parameter("RSVP", "FALSE");
                event.append_property(invited);
                invitation.method()
            }
        };
        let mut calendar = Calendar::empty();
        calendar
            .append_property(Property::new("VERSION", "2.0"))
            .append_property(Property::new("PRODID", PRODUCT))
            .append_property(Property::new("METHOD", method))
            .push(event);
        calendar.to_string()
    }

    /// Addresses that fill in the forms of two calendars in the browser.
    pub(crate) fn web_links(&self) -> CalendarLinks {
        let parameters = |pairs: &[(&str, String)]| {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(pairs);
            query.finish()
        };
        let (starts_at, ends_at) = (self.starts_at, self.ends_at());
        CalendarLinks {
            google: format!(
                "https://calendar.google.com/calendar/render?{}",
                parameters(&[
                    ("action", "TEMPLATE".to_owned()),
                    ("text", self.title.to_owned()),
                    ("dates", format!("{}/{}", utc(starts_at), utc(ends_at))),
                    ("details", self.description()),
                    ("location", self.link.to_owned()),
                ])
            ),
            outlook: format!(
                "https://outlook.live.com/calendar/0/deeplink/compose?{}",
                parameters(&[
                    ("path", "/calendar/action/compose".to_owned()),
                    ("rru", "addevent".to_owned()),
                    ("subject", self.title.to_owned()),
                    ("startdt", starts_at.rfc3339()),
                    ("enddt", ends_at.rfc3339()),
                    ("body", self.description()),
                    ("location", self.link.to_owned()),
                ])
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry<'a>(title: &'a str, link: &'a str) -> Entry<'a> {
        Entry {
            registration: "01a21915-64bc-7288-930a-a5794c06c1f1".parse().expect("an id"),
            sequence: 2,
            starts_at: "2026-12-01T17:00:00Z".parse().expect("a moment"),
            duration_seconds: 47 * 60,
            title,
            presenter: "Maya",
            link,
            host: "webinar.example",
        }
    }

    #[test]
    fn an_entry_keeps_its_name_and_says_everything() {
        let title = "Breathing, speaking; listening\\pausing — مرحبا بكم في هذا التسجيل الطويل جدا";
        let text = entry(title, "https://webinar.example/r/token")
            .file(Delivery::Published, "2026-11-26T18:00:00Z".parse().expect("a moment"));
        let unfolded = text.replace("\r\n ", "");
        for line in [
            "METHOD:PUBLISH",
            "UID:01a21915-64bc-7288-930a-a5794c06c1f1@webinar.example",
            "SEQUENCE:2",
            "DTSTAMP:20261126T180000Z",
            "DTSTART:20261201T170000Z",
            "DTEND:20261201T180000Z",
            "CLASS:PRIVATE",
            "TRIGGER;RELATED=START:-PT600S",
            "URL:https://webinar.example/r/token",
        ] {
            assert!(unfolded.lines().any(|found| found.trim_end_matches('\r') == line), "{line} is not in {unfolded}");
        }
        assert!(unfolded.contains("SUMMARY:Breathing\\, speaking\\; listening\\\\pausing"), "{unfolded}");
        assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains(['\r', '\n'])), "{text}");
        assert!(text.ends_with("END:VCALENDAR\r\n"));
    }

    #[test]
    fn a_mailed_entry_names_who_invites_whom() {
        let (organizer, attendee) = ("hello@webinar.example", "anna@example.net");
        let sent = Delivery::Mailed { organizer, attendee, invitation: Invitation::Requested };
        let text = entry("Talk", "https://webinar.example/r/t").file(sent, Moment::from_unix_seconds(1_795_000_000));
        let unfolded = text.replace("\r\n ", "");
        assert!(unfolded.contains("METHOD:REQUEST") && unfolded.contains("ORGANIZER:mailto:hello@webinar.example"));
        assert!(unfolded.contains("RSVP=FALSE") && unfolded.contains(":mailto:anna@example.net"), "{unfolded}");
    }

    #[test]
    fn an_entry_that_is_taken_out_rings_no_more() {
        let (organizer, attendee) = ("hello@webinar.example", "anna@example.net");
        let sent = Delivery::Mailed { organizer, attendee, invitation: Invitation::Cancelled };
        let text = entry("Talk", "https://webinar.example/r/t").file(sent, Moment::from_unix_seconds(1_795_000_000));
        assert!(text.contains("METHOD:CANCEL\r\n") && text.contains("STATUS:CANCELLED\r\n"), "{text}");
        assert!(text.contains("UID:01a21915-64bc-7288-930a-a5794c06c1f1@webinar.example") && !text.contains("VALARM"));
    }

    #[test]
    fn calendars_in_the_browser_get_utc_and_the_link() {
        let links = entry("A & B", "https://webinar.example/r/t").web_links();
        assert!(links.google.contains("dates=20261201T170000Z%2F20261201T180000Z") && links.google.contains("A+%26+B"));
        assert!(links.outlook.contains("startdt=2026-12-01T17%3A00%3A00Z"), "{}", links.outlook);
    }
}
