//! Letters to a coach about her account.

use mail::{Button, Letter, Outgoing};
use persistence::entities::{coach, mail as outbox, one_time_token};
use sea_orm::EntityTrait;

use super::about_rights::{self, ARCHIVE_ASKED, ARCHIVE_FETCHED, ARCHIVE_READY};
use super::{HOUSE_ACCENT, about_leaving};
use crate::policy_notices::POLICY_CHANGED;
use crate::{Backend, Result};

impl Backend {
    pub(super) async fn compose_for_coach(
        &self,
        row: &outbox::Model,
        coach: &coach::Model,
    ) -> Result<Option<Outgoing>> {
        let token = match row.one_time_token_id {
            None => None,
            Some(id) => match one_time_token::Entity::find_by_id(id).one(self.db().reader()).await? {
                // Used, replaced or expired in the meantime: a dead link helps nobody.
                Some(token) if token.used_at.is_none() && token.expires_at > self.now() => Some(token),
                _ => return Ok(None),
            },
        };
        let Some(text) = coach_mail(&row.template) else {
            return Ok(None);
        };
        let url = match text.leads_to {
            LeadsTo::Page(path) => Some(self.config().absolute(path)),
            LeadsTo::OneTime(path) => {
                token.as_ref().map(|t| self.config().absolute(&format!("{path}?t={}", self.one_time_token_text(t))))
            }
        };
        let to = match (row.template.as_str(), token.as_ref().and_then(|t| t.new_email.clone())) {
            ("change_email" | "email_changed_notice", Some(address)) => address,
            _ => coach.email.clone(),
        };
        let letter = Letter {
            subject: text.subject.to_owned(),
            accent: HOUSE_ACCENT.to_owned(),
            before: std::iter::once(format!("Hello {},", coach.name))
                .chain(text.lines.iter().map(|line| (*line).to_owned()))
                .collect(),
            button: url.map(|url| Button { label: text.button.to_owned(), url }),
            after: Vec::new(),
            footer: vec![format!("Sent by My Mini Webinar, {}", self.config().absolute("/"))],
        };
        Ok(Some(self.outgoing(row, to, "My Mini Webinar".to_owned(), None, &letter)?))
    }
}

/// Where the button of a mail to a coach leads.
pub(super) enum LeadsTo {
    /// A page anybody may open.
    Page(&'static str),
    /// A page that takes the mail's one-time token.
    OneTime(&'static str),
}

/// A mail to a coach about her account.
pub(super) struct CoachMail {
    pub subject: &'static str,
    pub lines: &'static [&'static str],
    pub button: &'static str,
    pub leads_to: LeadsTo,
}

fn coach_mail(template: &str) -> Option<CoachMail> {
    let mail = match template {
        "confirm_email" => CoachMail {
            subject: "Please confirm your e-mail address",
            lines: &["one step is left: confirm that this address is yours."],
            button: "Confirm my address",
            leads_to: LeadsTo::OneTime("/confirm"),
        },
        "already_registered" => CoachMail {
            subject: "You already have an account",
            lines: &[
                "somebody, probably you, tried to open an account with this address. There already is one.",
                "If you forgot your password, you can choose a new one. If it was not you, there is nothing to do.",
            ],
            button: "Sign in",
            leads_to: LeadsTo::Page("/login"),
        },
        "reset_password" => CoachMail {
            subject: "Choose a new password",
            lines: &[
                "you asked for a new password. The button works for 15 minutes, once.",
                "If it was not you, leave this mail alone: nothing has changed.",
            ],
            button: "Choose a new password",
            leads_to: LeadsTo::OneTime("/reset/new"),
        },
        "password_changed" => CoachMail {
            subject: "Your password was changed",
            lines: &[
                "the password of your account was just changed, and every other browser was signed out.",
                "If it was not you, choose a new password now.",
            ],
            button: "Choose a new password",
            leads_to: LeadsTo::Page("/reset"),
        },
        "change_email" => CoachMail {
            subject: "Please confirm your new e-mail address",
            lines: &["you asked to sign in with this address from now on."],
            button: "Confirm the new address",
            leads_to: LeadsTo::OneTime("/confirm"),
        },
        POLICY_CHANGED => CoachMail {
            subject: "Our privacy policy changes",
            lines: &[
                "we published a new version of our privacy policy. The page below says in a sentence what is new, shows every \
                 sentence that changed, and names the day on which it takes effect.",
                "If you do not agree, you can take your data along and close your account before that day.",
            ],
            button: "See what changes",
            leads_to: LeadsTo::Page("/privacy/versions"),
        },
        "email_changed_notice" => CoachMail {
            subject: "Your e-mail address is being changed",
            lines: &[
                "somebody signed in to your account asked to replace this address by another. It changes when the new one \
                 is confirmed.",
                "If it was not you, sign in and choose a new password.",
            ],
            button: "Sign in",
            leads_to: LeadsTo::Page("/login"),
        },
        ARCHIVE_ASKED => CoachMail {
            subject: "An archive of your account was asked for",
            lines: &[
                "somebody signed in to your account asked for an archive of everything in it. It is being written, and can \
                 be fetched only by somebody who knows your password.",
                "If it was not you, end it under “My data” and choose a new password.",
            ],
            button: "See your data",
            leads_to: LeadsTo::Page("/dashboard/my-data"),
        },
        ARCHIVE_READY => CoachMail {
            subject: "Your archive is ready",
            lines: &[
                "the archive of everything in your account is written. You can fetch it for seven days; then it goes by \
                 itself.",
                "This mail holds no link to the file: sign in, and give your password once more.",
            ],
            button: "See your data",
            leads_to: LeadsTo::Page("/dashboard/my-data"),
        },
        ARCHIVE_FETCHED => CoachMail {
            subject: "Your archive was downloaded",
            lines: &[
                "the archive of your account was just downloaded.",
                "If it was not you, choose a new password now, and write to us.",
            ],
            button: "Choose a new password",
            leads_to: LeadsTo::Page("/reset"),
        },
        "close_account" => CoachMail {
            subject: "Close your account",
            lines: &[
                "somebody signed in to your account wants to close it. The button opens the page on which that is done; it \
                 works for 15 minutes, once.",
                "If it was not you, leave this mail alone and choose a new password: nothing has changed.",
            ],
            button: "Open the page",
            leads_to: LeadsTo::OneTime("/dashboard/my-data/close"),
        },
        _ => return about_rights::to_coach(template).or_else(|| about_leaving::to_coach(template)),
    };
    Some(mail)
}
