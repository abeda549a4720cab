//! The outbox: every mail is a row and a job written in the transaction that causes it, rendered when it is sent.
//!
//! Neither the address nor the text is stored with the mail: both come from their one place at the moment of
//! sending, so an erasure between planning and sending leaves nothing to send.

use domain::Moment;
use domain::ids::{CoachId, MailId, OneTimeTokenId, RegistrationId};
use mail::{Button, Letter, Outgoing, SendError};
use persistence::entities::{coach, mail as outbox, one_time_token, registration, subject, webinar};
use persistence::sealed::Place;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, Set};

use crate::{Backend, Error, Result};

/// Accent of mails that belong to no webinar.
pub(crate) const HOUSE_ACCENT: &str = "#b4532a";
/// Kind of the job that sends one mail.
pub const SEND_MAIL: &str = "send_mail";

/// What a send attempt led to.
pub(crate) enum Sent {
    /// Sent, or there was nothing to send any more.
    Settled,
    /// Worth trying again.
    Later(String),
}

impl Backend {
    /// Plans a mail inside the transaction that causes it. A second mail with the same `dedupe_key` is not planned.
    ///
    /// # Errors
    /// When the database cannot keep it.
    #[expect(clippy::too_many_arguments, reason = "one row, each column once")]
    pub async fn enqueue_mail(
        &self,
        transaction: &impl ConnectionTrait,
        coach: CoachId,
        template: &str,
        dedupe_key: &str,
        registration: Option<RegistrationId>,
        token: Option<OneTimeTokenId>,
        now: Moment,
    ) -> Result<()> {
        let id = MailId::new();
        let row = outbox::ActiveModel {
            id: Set(id),
            coach_id: Set(coach),
            registration_id: Set(registration),
            one_time_token_id: Set(token),
            template: Set(template.to_owned()),
            dedupe_key: Set(dedupe_key.to_owned()),
            state: Set("queued".to_owned()),
            note: Set(None),
            created_at: Set(now),
            sent_at: Set(None),
        };
        let inserted = outbox::Entity::insert(row)
            .on_conflict(OnConflict::column(outbox::Column::DedupeKey).do_nothing().to_owned())
            .exec_without_returning(transaction)
            .await?;
        if inserted == 0 {
            return Ok(());
        }
        let job = jobs::NewJob {
            kind: SEND_MAIL,
            payload: serde_json::json!({ "mail": id }),
            run_at: now,
            idempotency_key: Some(format!("{SEND_MAIL}:{id}")),
            max_attempts: 12,
        };
        jobs::enqueue(transaction, job, now).await?;
        Ok(())
    }

    /// Sends one planned mail.
    pub(crate) async fn send_planned_mail(&self, id: MailId) -> Result<Sent> {
        let Some(row) = outbox::Entity::find_by_id(id).one(self.db().reader()).await? else {
            return Ok(Sent::Settled);
        };
        if row.state != "queued" {
            return Ok(Sent::Settled);
        }
        let Some(outgoing) = self.compose(&row).await? else {
            self.settle_mail(row, "dropped", Some("There is nobody to send it to any more.")).await?;
            return Ok(Sent::Settled);
        };
        match self.mailer().send(&outgoing, self.now()).await {
            Ok(()) => {
                self.settle_mail(row, "sent", None).await?;
                Ok(Sent::Settled)
            }
            Err(error @ SendError::Permanent(_)) => {
                tracing::warn!(template = row.template, "a mail was refused for good");
                self.settle_mail(row, "failed", Some(&error.to_string())).await?;
                Ok(Sent::Settled)
            }
            Err(error @ SendError::Transient(_)) => Ok(Sent::Later(error.to_string())),
        }
    }

    async fn settle_mail(&self, row: outbox::Model, state: &str, note: Option<&str>) -> Result<()> {
        let transaction = self.db().begin().await?;
        let sent_at = (state == "sent").then(|| self.now());
        let mut row: outbox::ActiveModel = row.into();
        row.state = Set(state.to_owned());
        row.note = Set(note.map(str::to_owned));
        row.sent_at = Set(sent_at);
        row.update(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn compose(&self, row: &outbox::Model) -> Result<Option<Outgoing>> {
        let reader = self.db().reader();
        let Some(coach) = coach::Entity::find_by_id(row.coach_id).one(reader).await? else {
            return Ok(None);
        };
        match row.registration_id {
            Some(registration) => self.compose_for_registrant(row, &coach, registration).await,
            None => self.compose_for_coach(row, &coach).await,
        }
    }

    async fn compose_for_registrant(
        &self,
        row: &outbox::Model,
        coach: &coach::Model,
        id: RegistrationId,
    ) -> Result<Option<Outgoing>> {
        let reader = self.db().reader();
        let Some(registration) = registration::Entity::find_by_id(id).one(reader).await? else {
            return Ok(None);
        };
        let Some(subject) = subject::Entity::find_by_id(registration.subject_id).one(reader).await? else {
            return Ok(None);
        };
        let Some(webinar) = webinar::Entity::find_by_id(registration.webinar_id).one(reader).await? else {
            return Ok(None);
        };
        if subject.state != "active" {
            return Ok(None);
        }
        let key = self.keyring().key(subject.dek_id).await?;
        let open = |place, sealed: &[u8]| -> Result<String> {
            let bytes = key.open(place, subject.id.as_bytes(), sealed)?;
            String::from_utf8(bytes).map_err(|error| Error::fault("read a sealed text", error))
        };
        let to = open(Place::SubjectEmail, &subject.email_ct)?;
        let name = subject.name_ct.as_deref().map(|sealed| open(Place::SubjectName, sealed)).transpose()?;
        let greeting =
            name.filter(|n| !n.is_empty()).map_or_else(|| "Hello,".to_owned(), |name| format!("Hello {name},"));
        let link = self.config().absolute(&self.room_path(registration.id, registration.link_version));
        let presenter = if webinar.presenter.is_empty() { coach.name.clone() } else { webinar.presenter.clone() };
        let opening = match row.template.as_str() {
            "registration_link" => format!("here is your link to “{}” again.", webinar.title),
            _ => format!("you are registered for “{}” with {presenter}.", webinar.title),
        };
        let letter = Letter {
            subject: format!("Your link: {}", webinar.title),
            accent: if webinar.accent.is_empty() { HOUSE_ACCENT.to_owned() } else { webinar.accent.clone() },
            before: vec![
                greeting,
                opening,
                "It is a recording: it starts when you press play, and you can stop and go on later, on any device."
                    .to_owned(),
            ],
            button: Some(Button { label: "Open the webinar".to_owned(), url: link }),
            after: vec![format!(
                "The link is yours alone and works until {}, or {} days from your first play.",
                registration.expires_at.utc_text(),
                webinar.link_days
            )],
            footer: vec![format!(
                "You get this mail because this address was registered on {}.",
                self.config().absolute(&format!("/w/{}", webinar.slug))
            )],
        };
        Ok(Some(self.outgoing(
            row,
            to,
            format!("{presenter} via My Mini Webinar"),
            Some(coach.email.clone()),
            &letter,
        )?))
    }

    async fn compose_for_coach(&self, row: &outbox::Model, coach: &coach::Model) -> Result<Option<Outgoing>> {
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
            ("change_email", Some(new_email)) => new_email,
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

    fn outgoing(
        &self,
        row: &outbox::Model,
        to: String,
        from_name: String,
        reply_to: Option<String>,
        letter: &Letter,
    ) -> Result<Outgoing> {
        Ok(Outgoing {
            id: row.id.to_string(),
            to,
            from_name,
            from: self.config().mail_from.clone(),
            reply_to,
            content: letter.render().map_err(|error| Error::fault("render a mail", error))?,
            // Mail of this kind answers no machine and wants no vacation replies.
            headers: vec![("Auto-Submitted".to_owned(), "auto-generated".to_owned())],
        })
    }
}

/// Where the button of a mail to a coach leads.
enum LeadsTo {
    /// A page anybody may open.
    Page(&'static str),
    /// A page that takes the mail's one-time token.
    OneTime(&'static str),
}

/// A mail to a coach about her account.
struct CoachMail {
    subject: &'static str,
    lines: &'static [&'static str],
    button: &'static str,
    leads_to: LeadsTo,
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
        _ => return None,
    };
    Some(mail)
}
