//! What comes back to the bounce mailbox: delivery reports, complaints, automatic answers.
//!
//! **Anybody can write such a mail.** Every address, id and status in it is a claim. A caller acts only when an address
//! the mail was *sent to* carries a token of ours (see [`crate::verp`]) that proves itself by a keyed hash, and then
//! acts on the mail that token names, never on an address or id found inside the report.

use crate::mime::Entity;
use crate::reply::storable;
use crate::{Consequence, EnhancedStatus, consequence};

/// Most bytes of a mail that are read. What a machine is to read comes before the returned mail, which may be cut.
pub const MOST_BYTES: usize = 1024 * 1024;
/// Most recipients of one report that are read; our mails have one each.
const MOST_RECIPIENTS: usize = 32;

/// The headers that say where a mail was delivered, the receiving server's own before the sender's.
const SENT_TO: [&str; 4] = ["Delivered-To", "X-Original-To", "Envelope-To", "To"];

/// A mail that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Returned {
    /// What became of a mail (RFC 3464).
    Delivery(DeliveryReport),
    /// Somebody complained about a mail, or took a complaint back (RFC 5965).
    Complaint(FeedbackReport),
    /// A machine answered: a holiday notice, a receipt (RFC 3834). Never a bounce.
    AutoReply,
    /// Anything else: a person's words, a bounce no machine can read.
    Other,
}

/// A mail server's report on a mail it was given (RFC 3464).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryReport {
    /// Where the report was sent, from `Delivered-To`, `X-Original-To`, `Envelope-To` and `To`; one of them carries the
    /// token of the mail it is about.
    pub sent_to: Vec<String>,
    /// Message-ID of the returned mail without angle brackets: a claim.
    pub original_message_id: Option<String>,
    /// What became of it, by recipient. Never empty.
    pub recipients: Vec<RecipientReport>,
}

/// What became of a mail for one recipient. The recipient's address is left out on purpose: it is a claim, and the
/// token already names the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientReport {
    /// What the reporting server did.
    pub action: Action,
    /// Why. When the field says no more than `5.0.0` and the last server's own words begin with a status of the same
    /// class, theirs is taken.
    pub status: EnhancedStatus,
    /// The last server's reply code, when its words were SMTP's.
    pub code: Option<u16>,
    /// The last server's words, safe to store: one line of at most 200 characters without e-mail addresses.
    pub diagnostic: String,
}

/// What a server did with a mail (RFC 3464 section 2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It gave up.
    Failed,
    /// It goes on trying: nothing to do.
    Delayed,
    /// It delivered.
    Delivered,
    /// It passed the mail on to a server that sends no reports.
    Relayed,
    /// It passed the mail on to several addresses.
    Expanded,
}

impl RecipientReport {
    /// What follows, when the server gave up; nothing otherwise. Failing with a 4.x.x means that the mail server tried
    /// for days: the mail is not sent again, and it counts.
    #[must_use]
    pub fn consequence(&self) -> Option<Consequence> {
        (self.action == Action::Failed).then(|| match consequence(None, Some(self.status)) {
            Consequence::WaitForServer => Consequence::RefuseMail,
            other => other,
        })
    }
}

/// A mailbox provider's note that its user judged a mail (RFC 5965).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedbackReport {
    /// What is said about the mail.
    pub kind: FeedbackKind,
    /// Where the report was sent, as in [`DeliveryReport::sent_to`]. Providers send to one fixed address, so the token
    /// is rather in [`original_return_path`](Self::original_return_path).
    pub sent_to: Vec<String>,
    /// The return path of the mail complained about (`Original-Mail-From`, else its `Return-Path`): carries our token.
    pub original_return_path: Option<String>,
    /// Message-ID of the mail complained about without angle brackets: a claim.
    pub original_message_id: Option<String>,
    /// Who complained (`Original-Rcpt-To`, else the mail's `To`): a claim, and many providers leave it out.
    pub original_recipient: Option<String>,
}

/// Kinds of feedback (RFC 5965 section 7.3, RFC 6591, RFC 6430).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedbackKind {
    /// “This is spam.”
    Abuse,
    /// “This is a fraud.”
    Fraud,
    /// “This holds a virus.”
    Virus,
    /// “This is no spam”, which takes a complaint back.
    NotSpam,
    /// A signature or sender check failed; nobody complained.
    AuthFailure,
    /// Something else, or a kind not known here (RFC 5965 section 3.1 has both treated alike).
    Other,
}

impl FeedbackKind {
    /// Whether a person does not want such mail: the address is suppressed for that coach (product.md §4.9).
    #[must_use]
    pub const fn is_complaint(self) -> bool {
        matches!(self, Self::Abuse | Self::Fraud | Self::Other)
    }
}

/// Reads a mail that came back. Never fails: what cannot be read is [`Returned::Other`]. Of a mail longer than
/// [`MOST_BYTES`] only the beginning is read.
#[must_use]
pub fn read(raw: &[u8]) -> Returned {
    let Some(mail) = Entity::read(&raw[..raw.len().min(MOST_BYTES)]) else { return Returned::Other };
    // Reports call themselves automatic as well, so they are looked for first.
    if mail.media_type() == "multipart/report" {
        let parts = mail.parts();
        if let Some(report) = delivery(&mail, &parts) {
            return Returned::Delivery(report);
        }
        if let Some(report) = feedback(&mail, &parts) {
            return Returned::Complaint(report);
        }
    }
    if is_automatic(&mail) { Returned::AutoReply } else { Returned::Other }
}

fn part_of<'e, 'x>(parts: &'e [Entity<'x>], media_types: &[&str]) -> Option<&'e Entity<'x>> {
    parts.iter().find(|part| media_types.contains(&part.media_type().as_str()))
}

fn delivery(mail: &Entity<'_>, parts: &[Entity<'_>]) -> Option<DeliveryReport> {
    let status = part_of(parts, &["message/delivery-status", "message/global-delivery-status"])?;
    let mut recipients = Vec::new();
    // The first block is about the mail as a whole; it has no action and drops out.
    status.for_each_block(MOST_RECIPIENTS + 1, |block| recipients.extend(recipient(block)));
    if recipients.is_empty() {
        return None;
    }
    let original_message_id = with_original(parts, |original| original.message_id());
    Some(DeliveryReport { sent_to: mail.addresses(&SENT_TO), original_message_id, recipients })
}

/// The first word, in lower case; comments behind it are for people.
fn keyword(text: &str) -> String {
    text.split([' ', '\t', '\r', '\n', '(', ';']).next().unwrap_or_default().to_ascii_lowercase()
}

fn recipient(block: &Entity<'_>) -> Option<RecipientReport> {
    let action = match keyword(&block.text("Action")?).as_str() {
        "failed" => Action::Failed,
        "delayed" => Action::Delayed,
        "delivered" => Action::Delivered,
        "relayed" => Action::Relayed,
        "expanded" => Action::Expanded,
        _ => return None,
    };
    let diagnostic = block.text("Diagnostic-Code").unwrap_or_default();
    let (protocol, words) = diagnostic.split_once(';').unwrap_or(("", diagnostic.as_str()));
    let words = words.trim();
    let is_smtp = protocol.trim().eq_ignore_ascii_case("smtp");
    let (code, said) = if is_smtp { code_and_words(words) } else { (None, words) };
    let said_status = EnhancedStatus::leading(said);
    let field = block.text("Status").and_then(|text| EnhancedStatus::leading(&text));
    let status = match (field, said_status) {
        (Some(field), Some(said)) if field.is_bare() && said.class() == field.class() => said,
        (Some(field), _) => field,
        (None, Some(said)) => said,
        (None, None) => bare(action)?,
    };
    Some(RecipientReport { action, status, code, diagnostic: storable(words) })
}

/// A reply's three digits and what is behind them.
fn code_and_words(reply: &str) -> (Option<u16>, &str) {
    let digits = reply.get(..3).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let code = digits.and_then(|digits| digits.parse().ok()).filter(|code| (200..600).contains(code));
    let rest = reply.get(3..).unwrap_or_default();
    match code {
        Some(_) if rest.is_empty() || rest.starts_with([' ', '-', '\t']) => (code, rest[rest.len().min(1)..].trim()),
        _ => (None, reply),
    }
}

/// The status of a report that gives none, though it must.
const fn bare(action: Action) -> Option<EnhancedStatus> {
    match action {
        Action::Failed => EnhancedStatus::new(5, 0, 0),
        Action::Delayed => EnhancedStatus::new(4, 0, 0),
        Action::Delivered | Action::Relayed | Action::Expanded => EnhancedStatus::new(2, 0, 0),
    }
}

/// Looks into the returned mail, whole or headers only.
fn with_original<T>(parts: &[Entity<'_>], read: impl Fn(&Entity<'_>) -> Option<T>) -> Option<T> {
    let whole = part_of(parts, &["message/rfc822", "message/global"]);
    if let Some(found) = whole.and_then(|part| Entity::read(part.body())).and_then(|original| read(&original)) {
        return Some(found);
    }
    let headers = part_of(parts, &["text/rfc822-headers", "message/rfc822-headers", "message/global-headers"])?;
    Entity::read(&headers.decoded()).and_then(|original| read(&original))
}

fn feedback(mail: &Entity<'_>, parts: &[Entity<'_>]) -> Option<FeedbackReport> {
    let fields = part_of(parts, &["message/feedback-report"])?;
    let mut report = None;
    fields.for_each_block(1, |block| {
        let Some(kind) = block.text("Feedback-Type") else { return };
        let kind = match keyword(&kind).as_str() {
            "abuse" => FeedbackKind::Abuse,
            "fraud" => FeedbackKind::Fraud,
            "virus" => FeedbackKind::Virus,
            "not-spam" => FeedbackKind::NotSpam,
            "auth-failure" => FeedbackKind::AuthFailure,
            _ => FeedbackKind::Other,
        };
        let claimed = |name| block.addresses(&[name]).into_iter().next();
        let original = |name| with_original(parts, |mail| mail.addresses(&[name]).into_iter().next());
        report = Some(FeedbackReport {
            kind,
            sent_to: mail.addresses(&SENT_TO),
            original_return_path: claimed("Original-Mail-From").or_else(|| original("Return-Path")),
            original_message_id: with_original(parts, |original| original.message_id()),
            original_recipient: claimed("Original-Rcpt-To").or_else(|| original("To")),
        });
    });
    report
}

/// Whether a machine wrote it: by RFC 3834 section 5, or by what was usual before it.
fn is_automatic(mail: &Entity<'_>) -> bool {
    let says_so = |name: &'static str| mail.text(name).map(|text| keyword(&text));
    let is_receipt = mail.media_type() == "multipart/report"
        && mail.parameter("report-type").is_some_and(|kind| kind.eq_ignore_ascii_case("disposition-notification"));
    is_receipt
        || says_so("Auto-Submitted").is_some_and(|word| !word.is_empty() && word != "no")
        || says_so("Precedence").is_some_and(|word| word == "auto_reply")
        || ["X-Autoreply", "X-Autorespond", "X-Auto-Reply", "X-Vacation"]
            .into_iter()
            .any(|name| says_so(name).is_some_and(|word| word != "no"))
}
