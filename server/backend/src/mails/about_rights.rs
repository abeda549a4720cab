//! Letters to viewers about their own requests: the only mail that reaches somebody whose data rests.

use domain::rights::authority;
use mail::{Button, Letter};
use persistence::entities::registration;

use super::HOUSE_ACCENT;
use crate::Backend;

/// Somebody registered with an address whose data rests.
pub(crate) const RESTING: &str = "rights_resting";
/// A restriction ends soon, and not by the person's own wish.
pub(crate) const LIFT_ANNOUNCED: &str = "rights_lift_announced";
/// An objection was upheld.
pub(crate) const OBJECTION_UPHELD: &str = "rights_objection_upheld";
/// Something is kept although its person may ask for erasure.
pub(crate) const HOLD_PLACED: &str = "rights_hold_placed";

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
        answer: Option<String>,
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
            HOLD_PLACED => (
                "Something of yours is kept for a legal reason",
                vec![
                    format!(
                        "{presenter} has to keep a part of your data for a while, on a ground the law knows. It is named, \
                         with its last day, wherever you see or erase your data; everything else goes when you ask."
                    ),
                    "On that day it ends by itself.".to_owned(),
                ],
            ),
            _ => return None,
        };
        let lines = match answer {
            Some(words) if matches!(template, LIFT_ANNOUNCED | OBJECTION_UPHELD) => {
                lines.into_iter().chain([format!("{presenter} writes: “{words}”")]).collect()
            }
            _ => lines,
        };
        let authority = authority(&registration.country);
        Some(Letter {
            subject: subject.to_owned(),
            accent: HOUSE_ACCENT.to_owned(),
            before: std::iter::once(greeting).chain(lines).collect(),
            button: Some(Button { label: "See your data".to_owned(), url: self.config().absolute("/my-data") }),
            after: vec![format!(
                "Not content with the answer? Write to {}, or complain to the {} ({}).",
                self.config().contact_email,
                authority.name,
                authority.url
            )],
            footer: vec![format!("Sent by My Mini Webinar, {}", self.config().absolute("/"))],
        })
    }
}
