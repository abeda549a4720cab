//! What follows from a mail server's answer: for the mail, for the address, for us.

use crate::EnhancedStatus;

/// What to do after an answer that was not a yes. See [`consequence`] for the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// The address does not exist: nothing is sent there any more, from now on.
    SuppressAddress,
    /// We are at fault (reputation, signature, password, sender address): operators are alerted, the address is kept
    /// and nothing is counted against it.
    AlertOperators,
    /// The mail waits and is tried again; counts against the address when it was not taken in the end.
    TryLater,
    /// The mail waits and is tried again; the server, not the address, was the reason, so nothing is counted.
    WaitForServer,
    /// This mail is not tried again; the address is kept, and it counts.
    RefuseMail,
}

impl Consequence {
    /// Whether it counts towards the three in 30 days that pause an address (product.md §4.9). Count once per mail, not
    /// once per try: greylisting would use up the three with the first mail.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::TryLater | Self::RefuseMail)
    }

    /// Whether the same mail may be tried again.
    #[must_use]
    pub const fn is_for_now(self) -> bool {
        matches!(self, Self::TryLater | Self::WaitForServer)
    }
}

/// What follows from a reply code (RFC 5321 section 4.2.3) and an enhanced status (RFC 3463), either of which may be
/// missing. The first line that fits decides; product.md §4.9 unless another source is named.
///
/// | Code | Status | Consequence | Why |
/// |---|---|---|---|
/// | none | none | [`WaitForServer`](Consequence::WaitForServer) | nobody answered |
/// | 421, 432, 454 | any | [`WaitForServer`](Consequence::WaitForServer) | the server closes, or cannot check a password or start TLS now (RFC 5321 §3.8, RFC 4954 §4.7, RFC 3207 §4) |
/// | 530, 534, 535, 538 | any | [`AlertOperators`](Consequence::AlertOperators) | sign-in refused (RFC 4954 §6) |
/// | 4xx | any | [`TryLater`](Consequence::TryLater) | where code and status contradict each other, the milder one holds |
/// | any | 4.x.x | [`TryLater`](Consequence::TryLater) | |
/// | any | 5.2.2 | [`TryLater`](Consequence::TryLater) | a full mailbox is emptied one day |
/// | any | 5.1.7, 5.1.8 | [`AlertOperators`](Consequence::AlertOperators) | these are about the *sender's* address (RFC 3463 §3.2): our mistake must not suppress everybody we write to |
/// | any | other 5.1.x | [`SuppressAddress`](Consequence::SuppressAddress) | |
/// | any | 5.7.x | [`AlertOperators`](Consequence::AlertOperators) | policy: a blocked network, a broken signature |
/// | any | other 5.x.x | [`RefuseMail`](Consequence::RefuseMail) | |
/// | 552 | none | [`TryLater`](Consequence::TryLater) | “exceeded storage allocation”: 5.2.2 before there were statuses |
/// | other 5xx | none | [`RefuseMail`](Consequence::RefuseMail) | see below |
/// | else | else | [`WaitForServer`](Consequence::WaitForServer) | not an answer to a refused mail |
///
/// A plain 550, 551 or 553 may mean an unknown address, but also a blocked network or unwanted content, and whoever
/// carries the mail for us (lettre) does not tell which command was answered. Suppressing is for good, so it takes a
/// server that says so: such an address is kept, and paused when it happens three times. Where it is known that the
/// answer was to `RCPT`, see [`consequence_at_recipient`].
#[must_use]
pub fn consequence(code: Option<u16>, enhanced: Option<EnhancedStatus>) -> Consequence {
    let numbers = enhanced.map(|status| (status.class(), status.subject(), status.detail()));
    match (code, numbers) {
        (Some(421 | 432 | 454), _) => Consequence::WaitForServer,
        (Some(530 | 534 | 535 | 538), _) => Consequence::AlertOperators,
        (Some(400..=499), _) | (_, Some((4, _, _) | (5, 2, 2))) => Consequence::TryLater,
        (_, Some((5, 1, 7 | 8) | (5, 7, _))) => Consequence::AlertOperators,
        (_, Some((5, 1, _))) => Consequence::SuppressAddress,
        (_, Some((5, _, _))) => Consequence::RefuseMail,
        (Some(552), _) => Consequence::TryLater,
        (Some(500..=599), _) => Consequence::RefuseMail,
        _ => Consequence::WaitForServer,
    }
}

/// As [`consequence`], for an answer known to be one to `RCPT`: there a plain 550, 551 or 553 without enhanced status
/// is about the address (RFC 5321 section 4.2.3: mailbox unavailable, user not local, mailbox name not allowed), so it
/// is suppressed.
#[must_use]
pub fn consequence_at_recipient(code: Option<u16>, enhanced: Option<EnhancedStatus>) -> Consequence {
    match (code, enhanced) {
        (Some(550 | 551 | 553), None) => Consequence::SuppressAddress,
        _ => consequence(code, enhanced),
    }
}

#[cfg(test)]
mod tests {
    use super::Consequence::{AlertOperators, RefuseMail, SuppressAddress, TryLater, WaitForServer};
    use super::*;
    use crate::Reply;

    fn of(answer: &str) -> Consequence {
        let (code, words) = answer.split_once(' ').expect("a code and words");
        let reply = Reply::new(code.parse().ok(), words);
        consequence(reply.code, reply.enhanced)
    }

    #[test]
    fn answers_as_mail_servers_give_them() {
        for (answer, expected) in [
            // In the manner of Gmail.
            (
                "550 5.1.1 The email account that you tried to reach does not exist. Try double-checking.",
                SuppressAddress,
            ),
            ("550 5.2.1 The email account that you tried to reach is inactive.", RefuseMail),
            ("552 5.2.2 The recipient's inbox is out of storage space.", TryLater),
            ("452 4.2.2 The recipient's inbox is out of storage space.", TryLater),
            ("450 4.2.1 The user you are trying to contact is receiving mail too quickly.", TryLater),
            ("421 4.7.28 Our system has detected an unusual rate of unsolicited mail.", WaitForServer),
            ("550 5.7.26 Your email has been blocked because the sender is unauthenticated.", AlertOperators),
            ("552 5.3.4 Your message exceeded our message size limits.", RefuseMail),
            ("553 5.1.3 The recipient address is not a valid RFC 5321 address.", SuppressAddress),
            // In the manner of Outlook and Exchange Online.
            ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", SuppressAddress),
            ("550 5.5.0 Requested action not taken: mailbox unavailable", RefuseMail),
            ("550 5.4.1 Recipient address rejected: Access denied.", RefuseMail),
            ("550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent.", AlertOperators),
            ("550 5.7.509 Access denied, sending domain does not pass DMARC verification", AlertOperators),
            ("451 4.7.500 Server busy. Please try again later", TryLater),
            ("554 5.2.2 mailbox full", TryLater),
            // In the manner of Postfix.
            ("550 5.1.1 <tom@example.com>: Recipient address rejected: User unknown", SuppressAddress),
            ("450 4.2.0 <tom@example.com>: Recipient address rejected: Greylisted", TryLater),
            ("550 5.1.8 <us@example.com>: Sender address rejected: Domain not found", AlertOperators),
            ("553 5.1.7 <us@>: Sender address rejected: bad address syntax", AlertOperators),
            ("554 5.7.1 <tom@example.com>: Relay access denied", AlertOperators),
            (
                "556 5.1.10 <tom@example.com>: Recipient address rejected: Domain does not accept mail (nullMX)",
                SuppressAddress,
            ),
            ("535 5.7.8 Error: authentication failed", AlertOperators),
            ("530 5.7.0 Must issue a STARTTLS command first", AlertOperators),
            ("454 4.7.0 TLS not available due to local problem", WaitForServer),
            ("451 4.3.0 Error: queue file write error", TryLater),
            ("503 5.5.1 Error: need RCPT command", RefuseMail),
            // In the manner of Exim, without statuses.
            ("550 Unrouteable address", RefuseMail),
            ("550 No such user here", RefuseMail),
            ("551 User not local; please try elsewhere", RefuseMail),
            ("553 sorry, that domain isn't in my list of allowed rcpthosts", RefuseMail),
            ("451 Temporary local problem - please try later", TryLater),
            ("421 too many connections from your network", WaitForServer),
            ("535 Incorrect authentication data", AlertOperators),
            ("552 Message size exceeds maximum permitted", TryLater),
            ("552 Mailbox quota exceeded", TryLater),
            ("554 This message looks like spam", RefuseMail),
            // Contradictions: the milder one holds.
            ("450 5.1.1 User unknown, but come again", TryLater),
            ("550 4.2.1 Mailbox disabled for now", TryLater),
            // No failure of a mail.
            ("250 2.0.0 Ok: queued", WaitForServer),
        ] {
            assert_eq!(of(answer), expected, "{answer}");
        }
        assert_eq!(consequence(None, None), WaitForServer);
        assert_eq!(consequence(None, EnhancedStatus::new(5, 1, 2)), SuppressAddress);
        assert_eq!(consequence(None, EnhancedStatus::new(4, 4, 1)), TryLater);
    }

    #[test]
    fn a_plain_no_to_the_recipient_is_about_the_address() {
        for code in [550, 551, 553] {
            assert_eq!(consequence_at_recipient(Some(code), None), SuppressAddress);
        }
        assert_eq!(consequence_at_recipient(Some(554), None), RefuseMail);
        assert_eq!(consequence_at_recipient(Some(550), EnhancedStatus::new(5, 7, 1)), AlertOperators);
    }

    #[test]
    fn only_what_the_address_is_to_blame_for_counts() {
        let counting = [SuppressAddress, AlertOperators, TryLater, WaitForServer, RefuseMail].map(Consequence::counts);
        assert_eq!(counting, [false, false, true, false, true]);
    }

    #[test]
    fn our_own_fault_suppresses_nobody() {
        for detail in 0..=999 {
            let about_us = EnhancedStatus::new(5, 7, detail);
            for code in [None, Some(550), Some(551), Some(553), Some(554)] {
                assert_eq!(consequence_at_recipient(code, about_us), AlertOperators);
            }
        }
    }
}
