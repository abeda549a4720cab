//! Variable envelope return paths: each mail's bounces come to an address of its own, which names the mail.
//!
//! The token is the only thing in a bounce that can be trusted, and only as far as the caller made it unguessable
//! (a keyed hash in it). Some servers write local parts in lower case: a token must not depend on its case.

/// Most octets of a local part (RFC 5321 section 4.5.3.1.1).
const MOST_LOCAL_OCTETS: usize = 64;
/// Most octets of an address: a path of 256 without its angle brackets (RFC 5321 section 4.5.3.1.3).
const MOST_ADDRESS_OCTETS: usize = 254;

/// The return path of the mail a token names: `bounces@mail.example.com` and `abc` make
/// `bounces+abc@mail.example.com`.
///
/// `None` when the token is empty or holds anything but ASCII letters, digits, `-` and `_`, when the mailbox is no
/// address, or when the result is longer than RFC 5321 section 4.5.3.1 allows (64 octets before the `@`).
#[must_use]
pub fn return_path(bounce_mailbox: &str, token: &str) -> Option<String> {
    let (local, domain) = parts(bounce_mailbox)?;
    if local.len() + 1 + token.len() > MOST_LOCAL_OCTETS || !is_token(token) {
        return None;
    }
    let address = format!("{local}+{token}@{domain}");
    (address.len() <= MOST_ADDRESS_OCTETS && address.parse::<lettre::Address>().is_ok()).then_some(address)
}

/// The token in an address made by [`return_path`] for this mailbox; the mailbox may come back in another case.
#[must_use]
pub fn token_in<'a>(address: &'a str, bounce_mailbox: &str) -> Option<&'a str> {
    let address = address.trim().trim_start_matches('<').trim_end_matches('>');
    let (local, domain) = parts(address)?;
    let (mailbox_local, mailbox_domain) = parts(bounce_mailbox)?;
    let (start, rest) = local.split_at_checked(mailbox_local.len())?;
    let token = rest.strip_prefix('+')?;
    let is_ours = start.eq_ignore_ascii_case(mailbox_local) && domain.eq_ignore_ascii_case(mailbox_domain);
    (is_ours && is_token(token)).then_some(token)
}

fn parts(address: &str) -> Option<(&str, &str)> {
    address.rsplit_once('@').filter(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAILBOX: &str = "bounces@mail.example.com";

    #[test]
    fn a_mail_has_its_own_return_path() {
        assert_eq!(return_path(MAILBOX, "abc-1").as_deref(), Some("bounces+abc-1@mail.example.com"));
        assert_eq!(token_in("bounces+abc-1@mail.example.com", MAILBOX), Some("abc-1"));
        assert_eq!(token_in(" <Bounces+ABC@Mail.Example.com> ", MAILBOX), Some("ABC"));
    }

    #[test]
    fn what_would_not_be_an_address_is_none() {
        let longest = "x".repeat(MOST_LOCAL_OCTETS - "bounces+".len());
        assert!(return_path(MAILBOX, &longest).is_some());
        assert_eq!(return_path(MAILBOX, &format!("{longest}x")), None);
        for token in ["", "a b", "a@b", "a\r\nRCPT TO:<x>", "ä", "a.b", "a+b"] {
            assert_eq!(return_path(MAILBOX, token), None, "{token}");
        }
        for mailbox in ["", "bounces", "@example.com", "bounces@", "boun ces@example.com"] {
            assert_eq!(return_path(mailbox, "abc"), None, "{mailbox}");
        }
    }

    #[test]
    fn what_was_not_sent_to_us_has_no_token() {
        for address in [
            "bounces@mail.example.com",
            "bounces+@mail.example.com",
            "bounces+abc@example.com",
            "other+abc@mail.example.com",
            "bouncesabc@mail.example.com",
            "büunces+abc@mail.example.com",
            "bounces+a+b@mail.example.com",
            "",
            "@",
        ] {
            assert_eq!(token_in(address, MAILBOX), None, "{address}");
        }
    }

    proptest! {
        #[test]
        fn what_goes_out_comes_back(token in "[A-Za-z0-9_-]{1,56}") {
            let address = return_path(MAILBOX, &token).expect("fits");
            prop_assert_eq!(token_in(&address, MAILBOX), Some(token.as_str()));
        }

        #[test]
        fn any_address_can_be_asked(address in any::<String>(), mailbox in any::<String>()) {
            let _ = token_in(&address, &mailbox);
            let _ = return_path(&mailbox, &address);
        }
    }
}
