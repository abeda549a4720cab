//! The outbox: every mail is a row and a job written in the transaction that causes it, rendered when it is sent.
//!
//! Neither the address nor the text is stored with the mail: both come from their one place at the moment of
//! sending, so an erasure between planning and sending leaves nothing to send. Who may still be written to is decided
//! in the transaction that claims the mail, with account and person held: a mail is sent before an erasure, a
//! restriction or a withdrawal commits, or never.

mod about_leaving;
pub(crate) mod about_rights;
pub(crate) mod about_the_booking;
mod returned;

use std::time::Duration;

use domain::Moment;
use domain::fence::{ABOUT_A_REQUEST, MailVerdict, SESSION_CALLED_OFF, SESSION_MOVED, mail_to_coach, mail_to_viewer};
use domain::ids::{CoachId, MailId, OneTimeTokenId, RegistrationId};
use domain::rights::{AccountState, SubjectState};
use domain::stay::is_worth_an_entry;
use mail::{Button, Consequence, Letter, Outgoing, SendError};
use persistence::bounces::{self, Marks};
use persistence::entities::{coach, mail as outbox, one_time_token, registration, webinar};
use persistence::mails as queries;
use persistence::sealed::{self, Place};
use persistence::{registrations, restrictions, rights};
use privacy::restriction::Purpose;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, EntityTrait, Set};

use self::about_rights::{AGREE_AGAIN, ARCHIVE_ASKED, ARCHIVE_FETCHED, ARCHIVE_READY};
use crate::calendars::{Delivery, Invitation};
use crate::policy_notices::POLICY_CHANGED;
use crate::sequences::Addressed;
use crate::{Backend, Error, Result};

/// Accent of mails that belong to no webinar.
pub(crate) const HOUSE_ACCENT: &str = "#b4532a";
/// Kind of the job that sends one mail.
pub const SEND_MAIL: &str = "send_mail";
/// A mail server that takes longer is given up; well within what a claim lasts.
const SEND_TIMEOUT: Duration = Duration::from_secs(queries::SENDING_SECONDS as u64 - 30);

/// What a send attempt led to.
pub(crate) enum Sent {
    /// Sent, or there was nothing to send any more.
    Settled,
    /// Worth trying again.
    Later(String),
}

/// What came of handing a mail over.
pub(crate) enum Handed {
    /// The mail server took it.
    Taken,
    /// There is nobody to send it to any more.
    Nobody,
    /// It was refused for good: what was said, and what follows from it.
    Refused(String, Consequence),
    /// Worth trying again.
    Later(String),
}

/// How a registrant stands to mail.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    /// The coach's account.
    pub account: AccountState,
    /// The person.
    pub person: SubjectState,
    /// What is on record about writing to them.
    pub marks: Marks,
    /// Whether the agreement that came with the booking stands.
    pub agreed: bool,
}

/// What came of asking for a mail.
pub(crate) enum Claim {
    /// It is ours to send.
    Taken(Box<outbox::Model>),
    /// It was sent, or never will be, or waits.
    Settled,
    /// Another worker has it.
    Busy,
}

impl Backend {
    /// Plans a mail inside the transaction that causes it. A second mail with the same `dedupe_key` is not planned, and
    /// neither is one to somebody who is being erased; one to somebody whose data rests waits.
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
        let state = match self.verdict(transaction, coach, template, registration).await? {
            MailVerdict::Send => "queued",
            MailVerdict::Hold(_) => "held",
            MailVerdict::Drop(_) => return Ok(()),
        };
        let id = MailId::new();
        let row = outbox::ActiveModel {
            id: Set(id),
            coach_id: Set(coach),
            registration_id: Set(registration),
            one_time_token_id: Set(token),
            template: Set(template.to_owned()),
            dedupe_key: Set(dedupe_key.to_owned()),
            state: Set(state.to_owned()),
            note: Set(None),
            created_at: Set(now),
            sent_at: Set(None),
            template_id: Set(None),
            send_at: Set(None),
            due_at: Set(None),
            useful_until_at: Set(None),
            decided_at: Set(None),
            reason: Set(None),
        };
        let inserted = outbox::Entity::insert(row)
            .on_conflict(OnConflict::column(outbox::Column::DedupeKey).do_nothing().to_owned())
            .exec_without_returning(transaction)
            .await?;
        if inserted == 0 || state == "held" {
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

    /// Whether a mail may go out, with the account and the person held until the transaction ends.
    async fn verdict(
        &self,
        conn: &impl ConnectionTrait,
        coach: CoachId,
        template: &str,
        booking: Option<RegistrationId>,
    ) -> Result<MailVerdict> {
        let nobody = MailVerdict::Drop("There is nobody to send it to any more.");
        let Some(booking) = booking else {
            let account = rights::hold_account(conn, coach).await?;
            return Ok(account.map_or(nobody, |account| mail_to_coach(template, account)));
        };
        let standing = self.standing(conn, coach, booking).await?;
        Ok(standing.map_or(nobody, |Standing { account, person, marks, agreed }| {
            mail_to_viewer(template, account, person, (marks.objected, agreed), marks.suppression)
        }))
    }

    /// How a registrant stands to mail, with the account and the person held until the transaction ends; nothing when
    /// they are gone.
    pub(crate) async fn standing(
        &self,
        conn: &impl ConnectionTrait,
        coach: CoachId,
        booking: RegistrationId,
    ) -> Result<Option<Standing>> {
        let Some(account) = rights::hold_account(conn, coach).await? else { return Ok(None) };
        let Some(subject) = queries::person_of(conn, coach, booking).await? else { return Ok(None) };
        let Some(person) = rights::hold_subject(conn, coach, subject).await? else { return Ok(None) };
        let marks = bounces::marks(conn, coach, subject, self.now()).await?;
        let agreed = restrictions::agreement_stands(conn, booking).await?;
        Ok(Some(Standing { account, person, marks, agreed }))
    }

    /// Sends one planned mail.
    pub(crate) async fn send_planned_mail(&self, id: MailId) -> Result<Sent> {
        let row = match self.claim_mail(id).await? {
            Claim::Taken(row) => row,
            Claim::Settled => return Ok(Sent::Settled),
            Claim::Busy => return Ok(Sent::Later("another worker is sending it".to_owned())),
        };
        let sent = self.deliver(&row).await;
        if sent.is_err() {
            self.settle_mail(&row, "queued", None).await?;
        }
        self.mail_settled().notify_waiters();
        sent
    }

    /// Takes a mail to send it, if it may be sent at this moment.
    pub(crate) async fn claim_mail(&self, id: MailId) -> Result<Claim> {
        let now = self.now();
        let transaction = self.db().begin().await?;
        let Some(row) = queries::mail(&transaction, id).await? else { return Ok(Claim::Settled) };
        let stale = now.plus_seconds(-queries::SENDING_SECONDS);
        match row.state.as_str() {
            "queued" => {}
            // Its worker died while sending: the same Message-ID tells the mailbox that it is the same mail.
            "sending" if row.sent_at.is_none_or(|since| since <= stale) => {}
            "sending" => return Ok(Claim::Busy),
            _ => return Ok(Claim::Settled),
        }
        let claim = match self.verdict(&transaction, row.coach_id, &row.template, row.registration_id).await? {
            MailVerdict::Send if queries::claim(&transaction, &row, now).await? => {
                Claim::Taken(Box::new(outbox::Model { state: "sending".to_owned(), sent_at: Some(now), ..row }))
            }
            MailVerdict::Send => Claim::Busy,
            MailVerdict::Hold(note) => {
                queries::settle(&transaction, id, &row.state, "held", Some(note), None).await?;
                Claim::Settled
            }
            MailVerdict::Drop(note) => {
                queries::settle(&transaction, id, &row.state, "dropped", Some(note), None).await?;
                Claim::Settled
            }
        };
        transaction.commit().await?;
        Ok(claim)
    }

    /// Renders a claimed mail and hands it over. What was rendered lives no longer than this call.
    pub(crate) async fn deliver(&self, row: &outbox::Model) -> Result<Sent> {
        match self.hand_over(row).await? {
            Handed::Taken => self.settle_mail(row, "sent", None).await?,
            Handed::Nobody => {
                self.settle_mail(row, "dropped", Some("There is nobody to send it to any more.")).await?;
            }
            Handed::Refused(said, consequence) => {
                let transaction = self.db().begin().await?;
                queries::settle(&transaction, row.id, "sending", "failed", Some(&said), None).await?;
                self.judge_answer(&transaction, row, consequence, &said).await?;
                transaction.commit().await?;
            }
            Handed::Later(reason) => {
                self.settle_mail(row, "queued", None).await?;
                return Ok(Sent::Later(reason));
            }
        }
        Ok(Sent::Settled)
    }

    /// Puts a claimed mail together and hands it over; what became of it is the caller's to write down.
    pub(crate) async fn hand_over(&self, row: &outbox::Model) -> Result<Handed> {
        let Some(outgoing) = self.compose(row).await? else { return Ok(Handed::Nobody) };
        let sent = tokio::time::timeout(SEND_TIMEOUT, self.mailer().send(&outgoing, self.now())).await;
        Ok(match sent.unwrap_or_else(|late| Err(SendError::Transient(late.into()))) {
            Ok(()) => Handed::Taken,
            Err(error @ SendError::Permanent(_)) => {
                tracing::warn!(template = row.template, "a mail was refused for good");
                Handed::Refused(said(&error), error.consequence())
            }
            Err(error @ SendError::Transient(_)) => {
                if error.consequence() == Consequence::AlertOperators {
                    tracing::error!(said = said(&error), "a mail server refuses us: look at user name and password");
                }
                Handed::Later(said(&error))
            }
        })
    }

    async fn settle_mail(&self, row: &outbox::Model, state: &str, note: Option<&str>) -> Result<()> {
        let transaction = self.db().begin().await?;
        let sent_at = (state == "sent").then(|| self.now());
        queries::settle(&transaction, row.id, "sending", state, note, sent_at).await?;
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
        let Some(person) = registrations::subject(reader, coach.id, registration.subject_id).await? else {
            return Ok(None);
        };
        let Some(webinar) = webinar::Entity::find_by_id(registration.webinar_id).one(reader).await? else {
            return Ok(None);
        };
        let subject = match person.standing {
            sealed::Standing::Active(subject) => subject.into_inner(),
            // The one mail a restricted person gets is the answer to their own request.
            sealed::Standing::Restricted(subject) if row.template.starts_with(ABOUT_A_REQUEST) => {
                privacy::restriction::open(subject, Purpose::OwnRequest)
            }
            sealed::Standing::Restricted(_) | sealed::Standing::Erasing => return Ok(None),
        };
        let key = self.keyring().key(subject.dek_id).await?;
        let open = |place, sealed: &[u8]| -> Result<String> {
            let bytes = key.open(place, subject.id.as_bytes(), sealed)?;
            String::from_utf8(bytes).map_err(|error| Error::fault("read a sealed text", error))
        };
        let to = open(Place::SubjectEmail, &subject.email_ct)?;
        let name = subject.name_ct.as_deref().map(|sealed| open(Place::SubjectName, sealed)).transpose()?;
        let greeting =
            name.clone().filter(|n| !n.is_empty()).map_or_else(|| "Hello,".to_owned(), |name| format!("Hello {name},"));
        let presenter = if webinar.presenter.is_empty() { coach.name.clone() } else { webinar.presenter.clone() };
        let session = persistence::schedules::session_by_id(reader, registration.session_id).await?;
        let starts_at = session.as_ref().and_then(|session| session.starts_at);
        if row.template_id.is_some() {
            let (webinar, registration, presenter) = (&webinar, &registration, presenter.as_str());
            let about = Addressed { coach, webinar, registration, to, name, presenter, starts_at };
            let outgoing = self.compose_sequence_mail(row, &about).await?;
            let return_path = self.return_path(row.id, &subject.email_bidx);
            return Ok(outgoing.map(|outgoing| Outgoing { return_path, ..outgoing }));
        }
        let is_about_rights = row.template.starts_with(ABOUT_A_REQUEST);
        let letter = if is_about_rights {
            let rests = subject.state == SubjectState::Restricted.as_str();
            let answer = match restrictions::last_decided(reader, coach.id, subject.id).await? {
                Some(decided) => {
                    let sealed = decided.answer_ct.as_deref();
                    let opened = sealed.map(|sealed| key.open(Place::ObjectionAnswer, decided.id.as_bytes(), sealed));
                    let opened = opened.transpose()?;
                    opened.map(String::from_utf8).transpose().map_err(|e| Error::fault("read a sealed text", e))?
                }
                None => None,
            };
            let again = match row.template.as_str() {
                AGREE_AGAIN => self.agreeing_url(&registration).await?,
                _ => None,
            };
            self.letter_about_rights(&row.template, greeting, &presenter, rests, &registration, (answer, again))
        } else {
            Some(self.letter_with_link(
                &row.template,
                greeting,
                &presenter,
                &webinar,
                (&registration, session.as_ref()),
            ))
        };
        let Some(letter) = letter else { return Ok(None) };
        let reply_to = Some(coach.email.clone());
        let attachment = match (is_about_rights, starts_at) {
            (false, Some(starts_at)) if row.template == SESSION_CALLED_OFF => {
                Some(self.calendar_file(&webinar, &registration, starts_at, (&to, Invitation::Cancelled)).await?)
            }
            // An entry that is there has to move, however soon it is.
            (false, Some(starts_at)) if row.template == SESSION_MOVED || is_worth_an_entry(starts_at, self.now()) => {
                Some(self.calendar_file(&webinar, &registration, starts_at, (&to, Invitation::Requested)).await?)
            }
            _ => None,
        };
        let outgoing = self.outgoing(row, to, mail::sender::from_name(&presenter), reply_to, &letter)?;
        Ok(Some(Outgoing { attachment, return_path: self.return_path(row.id, &subject.email_bidx), ..outgoing }))
    }

    /// The entry a calendar puts in by itself, and moves when it comes again.
    pub(crate) async fn calendar_file(
        &self,
        webinar: &webinar::Model,
        registration: &registration::Model,
        starts_at: domain::Moment,
        (attendee, invitation): (&str, Invitation),
    ) -> Result<mail::Attachment> {
        let link = self.config().absolute(&self.room_path(registration.id, registration.link_version));
        let duration_seconds = self.duration_seconds(webinar).await?;
        let entry = self.calendar_entry(webinar, registration, (starts_at, duration_seconds), &link);
        let sent = Delivery::Mailed { organizer: &self.config().mail_from, attendee, invitation };
        Ok(mail::Attachment {
            name: "session.ics".to_owned(),
            content_type: format!("text/calendar; charset=utf-8; method={}", invitation.method()),
            content: entry.file(sent, self.now()),
        })
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
            return_path: None,
            reply_to,
            content: letter.render().map_err(|error| Error::fault("render a mail", error))?,
            // Mail of this kind answers no machine and wants no vacation replies.
            headers: vec![("Auto-Submitted".to_owned(), "auto-generated".to_owned())],
            attachment: None,
        })
    }
}

/// What the mail server said, for whoever reads the mail's line.
fn said(error: &SendError) -> String {
    let reply = error.reply();
    if reply.text.is_empty() { error.to_string() } else { format!("The mail server said: {}", reply.text) }
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
