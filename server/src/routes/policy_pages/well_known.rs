//! What programs look for at fixed addresses: the Global Privacy Control statement, and where weaknesses are reported.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::Moment;
use privacy::policy::Versions;

use crate::state::AppState;

/// Days the contact stays good: a scanner that reads it later has to look again (RFC 9116 §2.5.5 wants less than a year).
const GOOD_DAYS: i64 = 90;

/// `/.well-known/gpc.json`: the signal is honoured (W3C Global Privacy Control).
pub(super) async fn gpc(State(state): State<AppState>) -> Response {
    let since = &Versions::of_the_policy().current(state.backend.now()).name;
    Json(serde_json::json!({ "gpc": true, "lastUpdate": since })).into_response()
}

/// `/.well-known/security.txt` (RFC 9116).
pub(super) async fn security(State(state): State<AppState>) -> Response {
    let config = state.backend.config();
    let text = security_txt(&config.contact_email, &config.absolute(""), state.backend.now());
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

fn security_txt(contact: &str, base: &str, now: Moment) -> String {
    // Whole days, so that it reads the same for a day.
    let until = Moment::from_unix_seconds((i64::from(now.day()) + GOOD_DAYS) * 86_400);
    format!(
        "Contact: mailto:{contact}\nExpires: {}\nPreferred-Languages: en, fr, uk\nCanonical: {base}/.well-known/security.txt\n\
         Policy: {base}/privacy\n",
        until.rfc3339()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_expires_while_it_is_served_and_never_lasts_a_year() {
        for now in [1_795_000_000, 1_795_046_399, 2_200_000_000].map(Moment::from_unix_seconds) {
            let text = security_txt("a@example.org", "https://x.example", now);
            let expires = text.lines().find_map(|line| line.strip_prefix("Expires: ")).expect("a day");
            let expires: Moment = expires.parse().expect("RFC 3339");
            assert!(expires > now.plus_days(80) && expires < now.plus_days(365), "{text}");
        }
    }
}
