//! Sentences that stand on more than one viewer page.

use domain::webinar::{Invitation, SessionKind};
use leptos::prelude::*;

/// Said to a browser that sends the Global Privacy Control signal; the words are tested for by monitors.
pub const SIGNAL_HONOURED: &str = "Your browser sends the Global Privacy Control signal, and it is honoured: nothing about you is sold or shared for \
     advertising, and no optional cookie is set.";

/// What this is, said plainly: a recording, how long, from when.
#[must_use]
pub fn recording_sentence(kind: SessionKind, duration_seconds: f64, recorded: &str) -> String {
    let what = match kind {
        SessionKind::OnDemand => "This is a recording",
        SessionKind::Replay => "This is the recording of a past session",
        SessionKind::Scheduled => "This is a recording, shown at set times",
    };
    let when = if recorded.is_empty() { String::new() } else { format!(", recorded {recorded}") };
    format!("{what}, {}{when}.", minutes(duration_seconds))
}

fn minutes(duration_seconds: f64) -> String {
    match (duration_seconds / 60.0).round() as u64 {
        0 => "less than a minute".to_owned(),
        1 => "1 minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    }
}

/// `7 days`.
#[must_use]
pub fn days(days: i32) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

/// How it can be watched.
#[must_use]
pub fn extras(invitation: &Invitation) -> String {
    let captions = if invitation.has_captions { ", with captions" } else { "" };
    match invitation.session_kind {
        SessionKind::OnDemand | SessionKind::Replay => {
            format!("Watch it whenever you like{captions}; pause, go back, go on later on another device.")
        }
        SessionKind::Scheduled => format!("Choose a time that suits you{captions}; your link works on every device."),
    }
}

/// `with Maya Moreau`; nothing without a name.
#[must_use]
pub fn presenter_line(presenter: &str) -> Option<AnyView> {
    (!presenter.is_empty())
        .then(|| view! { <p class="presenter">"with "<span dir="auto">{presenter.to_owned()}</span></p> }.into_any())
}

/// What happens with a viewer's data, in two lines.
#[must_use]
pub fn data_lines(presenter: &str) -> AnyView {
    let who = if presenter.is_empty() { "the host".to_owned() } else { presenter.to_owned() };
    view! {
        <p class="data-note">
            "Your details and which parts of the recording you play are kept for "<span dir="auto">{who}</span>", who runs this webinar."
            <br/>
            "No cookies, no advertising, nobody else looks on."
        </p>
    }
    .into_any()
}
