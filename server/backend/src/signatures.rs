//! What another server says is believed when it is signed: HMAC-SHA256 over the time and the raw body, in one header
//! `t=<Unix seconds>,v1=<hex>`, several `v1` while a secret is replaced.

use domain::Moment;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Seconds by which the two clocks may differ, and within which a copy of a message is a copy.
const TOLERANCE_SECONDS: u64 = 300;

/// Whether a body was signed with this secret, lately. Compared in constant time.
#[must_use]
pub fn is_signed(secret: &str, header: &str, body: &[u8], now: Moment) -> bool {
    let part = |wanted: &'static str| {
        let parts = header.split(',').filter_map(|part| part.trim().split_once('='));
        parts.filter(move |(name, _)| *name == wanted).map(|(_, value)| value)
    };
    let Some(time) = part("t").next() else { return false };
    let is_recent = time.parse::<i64>().is_ok_and(|at| now.unix_seconds().abs_diff(at) <= TOLERANCE_SECONDS);
    if !is_recent {
        return false;
    }
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    let mac = mac.chain_update(time.as_bytes()).chain_update(b".").chain_update(body);
    part("v1").filter_map(|hex| hex::decode(hex).ok()).any(|given| mac.clone().verify_slice(&given).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a secret both know";

    fn signed(secret: &str, at: i64, body: &[u8]) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
        let mac = mac.chain_update(at.to_string().as_bytes()).chain_update(b".").chain_update(body);
        format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes()))
    }

    #[test]
    fn only_what_was_signed_lately_with_the_secret_is_believed() {
        let now = Moment::from_unix_seconds(1_795_000_000);
        let good = signed(SECRET, now.unix_seconds(), b"body");
        assert!(is_signed(SECRET, &good, b"body", now));
        assert!(is_signed(SECRET, &good, b"body", now.plus_seconds(300)));
        assert!(!is_signed(SECRET, &good, b"body", now.plus_seconds(301)), "stale");
        assert!(!is_signed(SECRET, &good, b"another", now));
        assert!(!is_signed("another", &good, b"body", now));
        let two = format!("{},v1=00ff", good.replace("v1=", "v1=1234,v1="));
        assert!(is_signed(SECRET, &two, b"body", now), "any of several may fit");
        for wrong in [
            "",
            "t=,v1=",
            "v1=00",
            "t=soon,v1=00",
            "t=1795000000",
            "t=1795000000,v1=xyz",
            "t=-9223372036854775808,v1=00",
        ] {
            assert!(!is_signed(SECRET, wrong, b"body", now), "{wrong}");
        }
    }
}
