//! Letters to viewers about their own requests: the only mail that reaches somebody whose data rests.

use domain::messages::REPORT_HOURS;
use domain::rights::{RightKind, authority};
use mail::{Button, Letter};
use persistence::entities::registration;

use super::{CoachMail, HOUSE_ACCENT, LeadsTo};
use crate::Backend;
use crate::rights::messages::COMPLAINT_PAGE;
use crate::rights::portal::VIEWER_ASKED;

/// Somebody registered with an address whose data rests.
pub(crate) const RESTING: &str = "rights_resting";
/// A restriction ends soon, and not by the person's own wish.
pub(crate) const LIFT_ANNOUNCED: &str = "rights_lift_announced";
/// An objection was upheld.
pub(crate) const OBJECTION_UPHELD: &str = "rights_objection_upheld";
/// An objection was answered with grounds that weigh more, while another one keeps the data from being used.
pub(crate) const OBJECTION_REJECTED: &str = "rights_objection_rejected";
/// Somebody registered with the address of a person who took the agreement back.
pub(crate) const AGREE_AGAIN: &str = "rights_agree_again";
/// An archive was asked for.
pub(crate) const ARCHIVE_ASKED: &str = "rights_archive_asked";
/// An archive can be fetched.
pub(crate) const ARCHIVE_READY: &str = "rights_archive_ready";
/// An archive was fetched.
pub(crate) const ARCHIVE_FETCHED: &str = "rights_archive_fetched";

/// Somebody reported that the address is a child's.
pub(crate) const REPORTED: &str = "rights_reported";
/// Something is kept although its person may ask for erasure.
pub(crate) const HOLD_PLACED: &str = "rights_hold_placed";

/// Days between the announcement of a restriction's end and the end (Art. 18(3)).
pub(crate) const LIFT_NOTICE_DAYS: i64 = 3;

/// The mail that tells a coach that one of her viewers used a right: which one, and not who. She cannot refuse it by
/// silence, and there is nothing to do unless the mail says so.
pub(super) fn to_coach(template: &str) -> Option<CoachMail> {
    let lines: &'static [&'static str] = match RightKind::from_stored(template.strip_prefix(VIEWER_ASKED)?)? {
        RightKind::Rectify => &[
            "one of your viewers corrected their name, address or answers. What you see is the corrected version.",
            "If you keep a copy elsewhere, please correct it there, too.",
        ],
        RightKind::Erase | RightKind::Minor => &[
            "one of your viewers had everything erased that you hold about them here. It is gone within a day, and there \
             is nothing for you to do here.",
            "If you keep a copy elsewhere, please remove it there, too.",
        ],
        RightKind::Restrict => &[
            "one of your viewers asked for their data to be kept and not used. You see them masked, and planned mail to \
             them waits, until they end it.",
            "Please do not use copies you keep elsewhere either.",
        ],
        RightKind::Lift => &["one of your viewers ended a restriction: what you hold about them can be used again."],
        RightKind::Object => &[
            "one of your viewers objected to a use of their data. Mail of your own wish to them has ended, or their data \
             rests until you have answered.",
            "An objection without an answer is upheld after 30 days.",
        ],
        RightKind::Withdraw => &[
            "one of your viewers took an agreement back. Their link has ended, and planned mail to them never goes out.",
        ],
        RightKind::Access | RightKind::Complaint => return None,
    };
    Some(CoachMail {
        subject: "One of your viewers used a right over their data",
        lines,
        button: "Open your dashboard",
        leads_to: LeadsTo::Page("/dashboard/requests"),
    })
}

impl Backend {
    /// The letter of a template; nothing for a name nobody knows.
    pub(super) fn letter_about_rights(
        &self,
        template: &str,
        greeting: String,
        presenter: &str,
        rests: bool,
        registration: &registration::Model,
        (answer, agreeing_url): (Option<String>, Option<String>),
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
            // Meanwhile given again.
            AGREE_AGAIN if agreeing_url.is_none() => return None,
            AGREE_AGAIN => (
                "Do you want to take part after all?",
                vec![
                    format!(
                        "somebody, probably you, registered with this address for a webinar of {presenter}. You had taken \
                         your agreement back, so nothing was changed by that."
                    ),
                    "If you want to take part, open the page, read what you agree to, and press the button there. If it \
                     was not you, there is nothing to do."
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
            OBJECTION_REJECTED => (
                "One of your objections was answered",
                vec![format!(
                    "{presenter} sees reasons that weigh more than one of your objections. Another one still stands, so \
                     your data stays as it is and is not used."
                )],
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
            Some(words) if matches!(template, LIFT_ANNOUNCED | OBJECTION_UPHELD | OBJECTION_REJECTED) => {
                lines.into_iter().chain([format!("{presenter} writes: “{words}”")]).collect()
            }
            _ => lines,
        };
        let authority = authority(&registration.country);
        Some(Letter {
            subject: subject.to_owned(),
            accent: HOUSE_ACCENT.to_owned(),
            before: std::iter::once(greeting).chain(lines).collect(),
            button: Some(match (template, agreeing_url) {
                (AGREE_AGAIN, Some(url)) => Button { label: "Read it and take part".to_owned(), url },
                _ => Button { label: "See your data".to_owned(), url: self.config().absolute("/my-data") },
            }),
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
