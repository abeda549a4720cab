//! Letters to a coach about an account that is on its way out, and about what others found or did in it.

use super::{CoachMail, LeadsTo};
use crate::operators::children::CHILD_REMOVED;
use crate::operators::incidents::INCIDENT_FOUND;
use crate::rights::leaving::{ACCOUNT_CLOSED, CALLED_OFF, DELETION_BEGUN};

/// The letter of a template; nothing for a name nobody knows.
pub(super) fn to_coach(template: &str) -> Option<CoachMail> {
    let my_data = LeadsTo::Page("/dashboard/my-data");
    let mail = match template {
        DELETION_BEGUN => CoachMail {
            subject: "Your account will be deleted in 14 days",
            lines: &[
                "you asked for your account to be deleted, with everything in it and everybody registered there. Your \
                 pages are closed already. In 14 days the deletion begins, and then you get a signed receipt.",
                "Until then you can call it off. If it was not you, do that now and choose a new password.",
            ],
            button: "See it or call it off",
            leads_to: my_data,
        },
        ACCOUNT_CLOSED => CoachMail {
            subject: "Your account is closed; take your data along",
            lines: &[
                "your account is closed: your pages are gone for others, and you can read and take along everything for \
                 30 days. Then it is deleted, and you get a signed receipt.",
                "Until then you can call it off. If it was not you, do that now and choose a new password.",
            ],
            button: "Take your data along",
            leads_to: my_data,
        },
        CALLED_OFF => CoachMail {
            subject: "Your account stays",
            lines: &[
                "closing your account was called off: everything is as it was. Mail whose time passed meanwhile is not sent.",
            ],
            button: "To my data",
            leads_to: my_data,
        },
        CHILD_REMOVED => CoachMail {
            subject: "A child's registration was removed",
            lines: &[
                "somebody registered with you was reported to be younger than 16. As our policy promises, everything about \
                 them is being removed; there is nothing for you to do.",
            ],
            button: "See the requests",
            leads_to: LeadsTo::Page("/dashboard/requests"),
        },
        INCIDENT_FOUND => CoachMail {
            subject: "A security incident concerns your data",
            lines: &[
                "we found that somebody could have got at data of yours or of people registered with you. What it was, when, \
                 and how many people it concerns is on the page below.",
                "As the one responsible for your registrants you may have to tell your authority within 72 hours; we help.",
            ],
            button: "Read what happened",
            leads_to: my_data,
        },
        _ => return None,
    };
    Some(mail)
}
