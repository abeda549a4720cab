//! Mails that came back, written in the manner of the servers that send them, whole, damaged and hostile.

use mail::bounce::{Action, DeliveryReport, FeedbackKind, FeedbackReport, MOST_BYTES, RecipientReport, Returned, read};
use mail::{Consequence, verp};
use proptest::prelude::*;

const TO_US: &str = "bounces+0199abc-9f2e@mail.example.com";
const BOUNCE_MAILBOX: &str = "bounces@mail.example.com";
const ORIGINAL: Option<&str> = Some("0199-abc@mail.example.com");

const POSTFIX_UNKNOWN: &str = include_str!("reports/postfix_unknown.eml");
const REPORTS: [&str; 10] = [
    POSTFIX_UNKNOWN,
    include_str!("reports/postfix_delayed.eml"),
    include_str!("reports/exim_bare.eml"),
    include_str!("reports/exchange_policy.eml"),
    include_str!("reports/delivered_to_two.eml"),
    include_str!("reports/complaint.eml"),
    include_str!("reports/complaint_redacted.eml"),
    include_str!("reports/vacation.eml"),
    include_str!("reports/read_receipt.eml"),
    include_str!("reports/person.eml"),
];

/// Reads a report as it travels and as it lies in a mail folder on Unix: both mean the same.
fn returned(report: &str) -> Returned {
    let in_folder = read(report.as_bytes());
    assert_eq!(read(report.replace('\n', "\r\n").as_bytes()), in_folder);
    in_folder
}

fn delivery(report: &str) -> DeliveryReport {
    match returned(report) {
        Returned::Delivery(report) => report,
        other => panic!("{other:?}"),
    }
}

fn complaint(report: &str) -> FeedbackReport {
    match returned(report) {
        Returned::Complaint(report) => report,
        other => panic!("{other:?}"),
    }
}

/// Action, status, code and consequence in words.
fn said(recipient: &RecipientReport) -> (Action, String, Option<u16>, Option<Consequence>) {
    (recipient.action, recipient.status.to_string(), recipient.code, recipient.consequence())
}

#[test]
fn an_unknown_address_as_postfix_says_it() {
    let report = delivery(POSTFIX_UNKNOWN);
    assert_eq!(report.sent_to, [BOUNCE_MAILBOX, TO_US]);
    let tokens: Vec<_> = report.sent_to.iter().filter_map(|address| verp::token_in(address, BOUNCE_MAILBOX)).collect();
    assert_eq!(tokens, ["0199abc-9f2e"]);
    assert_eq!(report.original_message_id.as_deref(), ORIGINAL);
    // The report inside the returned mail is the mail's own affair.
    let [recipient] = report.recipients.as_slice() else { panic!("{report:?}") };
    assert_eq!(said(recipient), (Action::Failed, "5.1.1".into(), Some(550), Some(Consequence::SuppressAddress)));
    assert_eq!(
        recipient.diagnostic,
        "550 5.1.1 <address>: Recipient address rejected: User unknown in virtual mailbox table"
    );
}

#[test]
fn a_mail_delayed_is_none_lost() {
    let report = delivery(REPORTS[1]);
    assert_eq!(report.original_message_id.as_deref(), ORIGINAL);
    assert_eq!(said(&report.recipients[0]), (Action::Delayed, "4.4.1".into(), None, None));
    assert_eq!(report.recipients[0].diagnostic, "connect to mx.slow.example[192.0.2.8]:25: Connection timed out");
}

#[test]
fn where_exim_says_nothing_the_last_server_is_asked() {
    let report = delivery(REPORTS[2]);
    assert_eq!(report.sent_to, [TO_US]);
    let [recipient] = report.recipients.as_slice() else { panic!("{report:?}") };
    assert_eq!(said(recipient), (Action::Failed, "5.2.2".into(), Some(552), Some(Consequence::TryLater)));
    assert!(!recipient.diagnostic.contains("tom"), "{}", recipient.diagnostic);
}

#[test]
fn our_own_policy_problem_as_exchange_says_it_in_base64() {
    let report = delivery(REPORTS[3]);
    let [recipient] = report.recipients.as_slice() else { panic!("{report:?}") };
    assert_eq!(said(recipient), (Action::Failed, "5.7.1".into(), Some(550), Some(Consequence::AlertOperators)));
    assert_eq!(report.original_message_id.as_deref(), ORIGINAL);
}

#[test]
fn each_recipient_is_told_apart_and_what_nobody_knows_is_left_out() {
    let report = delivery(REPORTS[4]);
    assert_eq!(report.original_message_id, None);
    let all: Vec<_> = report.recipients.iter().map(said).collect();
    assert_eq!(
        all,
        [
            (Action::Expanded, "2.0.0".into(), None, None),
            (Action::Relayed, "2.0.0".into(), None, None),
            (Action::Failed, "4.4.7".into(), None, Some(Consequence::TryLater)),
        ]
    );
}

#[test]
fn a_complaint_names_the_mail_by_its_return_path() {
    let report = complaint(REPORTS[5]);
    assert_eq!(report.kind, FeedbackKind::Abuse);
    assert!(report.kind.is_complaint());
    assert_eq!(report.sent_to, ["complaints@mail.example.com"]);
    assert_eq!(report.original_return_path.as_deref(), Some(TO_US));
    assert_eq!(report.original_message_id.as_deref(), ORIGINAL);
    assert_eq!(report.original_recipient.as_deref(), Some("tom@provider.example"));
}

#[test]
fn a_complaint_taken_back_is_none() {
    let report = complaint(REPORTS[6]);
    assert_eq!(report.kind, FeedbackKind::NotSpam);
    assert!(!report.kind.is_complaint());
    assert_eq!(report.original_return_path.as_deref(), Some(TO_US));
    assert_eq!(report.original_message_id.as_deref(), ORIGINAL);
    assert_eq!(report.original_recipient, None);
}

#[test]
fn a_machine_s_answer_is_never_a_bounce() {
    assert_eq!(returned(REPORTS[7]), Returned::AutoReply);
    assert_eq!(returned(REPORTS[8]), Returned::AutoReply);
    assert_eq!(returned("Precedence: auto_reply\n\nAway"), Returned::AutoReply);
    assert_eq!(returned("Auto-Submitted: auto-generated\n\nAway"), Returned::AutoReply);
}

#[test]
fn anything_else_is_something_else() {
    assert_eq!(returned(REPORTS[9]), Returned::Other);
    for nothing in ["", "\n", "\n\n\n", "no header at all", ":\n\n", "Content-Type: multipart/report\n\n--\n--\n"] {
        assert_eq!(returned(nothing), Returned::Other, "{nothing:?}");
    }
    // A person who sends a report on as a file has not bounced.
    let sent_on = POSTFIX_UNKNOWN.replacen("multipart/report", "multipart/mixed", 1).replace("Auto-Submitted", "X-Was");
    assert_eq!(returned(&sent_on), Returned::Other);
    // Nor is a report a report that reports nothing.
    let empty = POSTFIX_UNKNOWN.replace("Action:", "X-Action:").replace("Auto-Submitted", "X-Was");
    assert_eq!(returned(&empty), Returned::Other);
}

#[test]
fn a_report_is_read_though_the_returned_mail_is_endless() {
    let endless = format!("{}{}", POSTFIX_UNKNOWN.replace("\n--inner", "\n"), "x".repeat(76).repeat(100_000));
    assert!(endless.len() > 4 * MOST_BYTES);
    let Returned::Delivery(report) = read(endless.as_bytes()) else { panic!("no report") };
    assert_eq!(report.recipients.len(), 1);
    assert_eq!(report.original_message_id.as_deref(), ORIGINAL);
}

#[test]
fn a_report_without_a_status_is_read_by_its_words() {
    let with = |status: &str, diagnostic: &str| {
        let fields = format!("Action: failed\n{status}{diagnostic}");
        let mail = format!(
            "To: {TO_US}\nContent-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n\
             Reporting-MTA: dns; a\n\n{fields}\n--b--\n"
        );
        delivery(&mail).recipients[0].status.to_string()
    };
    assert_eq!(with("", ""), "5.0.0");
    assert_eq!(with("", "Diagnostic-Code: smtp; 550 5.1.1 gone\n"), "5.1.1");
    assert_eq!(with("Status: 5.0.0\n", "Diagnostic-Code: smtp; 550 gone\n"), "5.0.0");
    assert_eq!(with("Status: 5.0.0\n", "Diagnostic-Code: smtp; 450 4.2.0 come again\n"), "5.0.0");
    assert_eq!(with("Status: 5.4.4\n", "Diagnostic-Code: smtp; 550 5.1.1 gone\n"), "5.4.4");
    assert_eq!(with("Status: nonsense\n", "Diagnostic-Code: X-Unix; 67\n"), "5.0.0");
}

/// Mails in mails, as deep as fit, in every way they can be.
#[test]
fn a_mail_in_a_mail_in_a_mail_ends_nothing() {
    let room = MOST_BYTES * 2;
    let nested = |layer: &str| layer.repeat(room / layer.len());
    let report = "Content-Type: multipart/report; boundary=b\n\n--b\n";
    for deep in [
        nested("Content-Type: message/rfc822\n\n"),
        format!("{report}{}", nested("Content-Type: message/rfc822\n\n")),
        format!("{report}{}", nested("Content-Type: multipart/digest; boundary=b\n\n--b\n\n")),
        format!("{report}{}", nested("Content-Type: multipart/report; boundary=b\n\n--b\n")),
        format!("{report}{}", nested("Content-Type: message/delivery-status\n\n--b\n")),
        format!("{report}Content-Type: message/delivery-status\n\n{}", nested("Action: failed\n\n")),
        format!("{report}Content-Type: message/delivery-status\n\n{}", nested("\n")),
        nested("A: b\n"),
        nested("To: a@b.example,\n "),
        nested("("),
        format!("To: {}", nested("(")),
        format!("Content-Type: multipart/report; boundary={}\n\n--b", nested("x")),
    ] {
        let _ = read(deep.as_bytes());
    }
}

proptest! {
    #[test]
    fn any_bytes_can_be_read(raw in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = read(&raw);
    }

    #[test]
    fn a_damaged_report_can_be_read(
        which in 0..REPORTS.len(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<prop::sample::Index>(),
        twice in any::<prop::sample::Index>(),
    ) {
        let mut raw = REPORTS[which].as_bytes().to_vec();
        for (place, byte) in damage {
            let place = place.index(raw.len());
            raw[place] = byte;
        }
        let again = raw[twice.index(raw.len())..].to_vec();
        raw.truncate(cut.index(raw.len()) + 1);
        raw.extend(again);
        let diagnostics = match read(&raw) {
            Returned::Delivery(report) => report.recipients.into_iter().map(|recipient| recipient.diagnostic).collect(),
            _ => Vec::new(),
        };
        for diagnostic in diagnostics {
            prop_assert!(diagnostic.chars().count() <= 200 && !diagnostic.contains(['@', '\r', '\n']));
        }
    }
}
