//! Letters to viewers about their own requests: the only mail that reaches somebody whose data rests.

use domain::messages::REPORT_HOURS;
use domain::rights::authority;
use mail::{Button, Letter};
use persistence::entities::registration;

use super::HOUSE_ACCENT;
use crate::Backend;
use crate::rights::messages::COMPLAINT_PAGE;

/// Somebody registered with an address whose data rests.
pub(crate) const RESTING: &str = "rights_resting";
/// A restriction ends soon, and not by the person's own wish.
pub(crate) const LIFT_ANNOUNCED: &str = "rights_lift_announced";
/// An objection was upheld.
pub(crate) const OBJECTION_UPHELD: &str = "rights_objection_upheld";
/// An archive was asked for.
pub(crate) const ARCHIVE_ASKED: &str = "rights_archive_asked";
/// An archive can be fetched.
pub(crate) const ARCHIVE_READY: &str = "rights_archive_ready";
/// An archive was fetched.
pub(crate) const ARCHIVE_FETCHED: &str = "rights_archive_fetched";

/// Somebody reported that the address is a child's.
pub(crate) const REPORTED: &str = "rights_reported";

/// Days between the announcement of a restriction's end and the end (Art. 18(3)).
pub(crate) const LIFT_NOTICE_DAYS: i64 = 3;

impl Backend {
    /// The letter of a template; nothing for a name nobody knows.
    pub(super) fn letter_about_rights(
        &self,
        template: &str,
        greeting: String,
        presenter: &str,
        rests: bool,
        registration: &registration::Model,
    ) -> Option<Letter> {
        let (subject, lines) = match template {
            // Meanwhile ended: the next registration simply works.
            RESTING if !rests => return None,
            RESTING => (
                "Your data rests, so nothing was added",
                vec![
                    format!(
                        "somebody, probably you, registered with this address for a webinar of {presenter}. You asked \
                         {presenter} to keep your data and not to use it, so nothing was added to it."
                    ),
                    "If you want to take part, end the restriction first. If it was not you, there is nothing to do."
                        .to_owned(),
                ],
            ),
            LIFT_ANNOUNCED => (
                "The restriction of your data is about to end",
                vec![
                    format!(
                        "the reason for which {presenter} kept your data without using it no longer holds. In \
                         {LIFT_NOTICE_DAYS} days it is used again as before."
                    ),
                    "You can object, ask for another restriction, or have everything erased.".to_owned(),
                ],
            ),
            OBJECTION_UPHELD => (
                "Your objection was upheld",
                vec![format!(
                    "your data at {presenter} stays as it is and is not used. You can have it erased at any time."
                )],
            ),
            REPORTED => (
                "Somebody reported that this is a child's address",
                vec![
                    format!(
                        "somebody told us that this address was registered for a webinar of {presenter} by a child under \
                         16. Since then the data rests, and in {REPORT_HOURS} hours from the report it is erased. Nobody \
                         has to prove anything for that."
                    ),
                    "If it is not true, answer this mail or write to us before then, and everything stays as it was."
                        .to_owned(),
                ],
            ),
            ARCHIVE_ASKED => (
                "An archive of your data was asked for",
                vec![
                    format!("you asked for an archive of everything {presenter} holds about you. It is being written."),
                    "If it was not you, somebody reads your mail: only who can do that can ask for it.".to_owned(),
                ],
            ),
            ARCHIVE_READY => (
                "Your archive is ready",
                vec![
                    format!(
                        "the archive of everything {presenter} holds about you is written. You can fetch it for seven \
                         days; then it goes by itself."
                    ),
                    "This mail holds no link to the file: prove your address once more to fetch it.".to_owned(),
                ],
            ),
            ARCHIVE_FETCHED => (
                "Your archive was downloaded",
                vec![format!("the archive of what {presenter} holds about you was just downloaded.")],
            ),
            _ => return None,
        };
        let authority = authority(&registration.country);
        Some(Letter {
            subject: subject.to_owned(),
            accent: HOUSE_ACCENT.to_owned(),
            before: std::iter::once(greeting).chain(lines).collect(),
            button: Some(Button { label: "See your data".to_owned(), url: self.config().absolute("/my-data") }),
            after: vec![format!(
                "Not content with the answer? Write to {}, complain to us on {}, or to the {} ({}).",
                self.config().contact_email,
                self.config().absolute(COMPLAINT_PAGE),
                authority.name,
                authority.url
            )],
            footer: vec![format!("Sent by My Mini Webinar, {}", self.config().absolute("/"))],
        })
    }
}
