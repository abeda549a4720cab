//! The time trap of the registration form: a signed moment, so that a form filled faster than a person can is seen.
//!
//! Nothing is stored for it, and it says nothing of who loaded the page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Moment;
use domain::ids::WebinarId;
use domain::registration::MIN_FILL_SECONDS;

use crate::secrets::{Secrets, same};

/// Bytes of the signature: 128 bits.
const SIGNATURE_BYTES: usize = 16;
/// A page left open for longer is asked to be sent once more; a stamp is no ticket for ever.
const MAX_AGE_DAYS: i64 = 7;

fn signature(secrets: &Secrets, webinar: WebinarId, micros: i64) -> [u8; 32] {
    secrets.mac("form-stamp", &[webinar.as_bytes(), &micros.to_be_bytes()])
}

/// The stamp of a form made now.
pub(crate) fn make(secrets: &Secrets, webinar: WebinarId, now: Moment) -> String {
    let mut bytes = now.0.to_be_bytes().to_vec();
    bytes.extend_from_slice(&signature(secrets, webinar, now.0)[..SIGNATURE_BYTES]);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Whether a form with this stamp may have been filled by a person: ours, old enough, not from last month.
pub(crate) fn is_human(secrets: &Secrets, webinar: WebinarId, stamp: &str, now: Moment) -> bool {
    let Some((moment, signed)) = URL_SAFE_NO_PAD.decode(stamp).ok().and_then(|bytes| {
        let (moment, signed) = bytes.split_at_checked(8)?;
        Some((i64::from_be_bytes(moment.try_into().ok()?), signed.to_vec()))
    }) else {
        return false;
    };
    let made = Moment(moment);
    same(&signed, &signature(secrets, webinar, moment)[..SIGNATURE_BYTES])
        && made.plus_seconds(MIN_FILL_SECONDS) <= now
        && made.plus_days(MAX_AGE_DAYS) > now
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webinar(number: u128) -> WebinarId {
        format!("{number:032x}").parse().expect("a UUID")
    }

    #[test]
    fn a_stamp_is_good_from_one_second_to_a_week() {
        let secrets = Secrets::new([3; 32]);
        let made = Moment::from_unix_seconds(1_800_000_000);
        let stamp = make(&secrets, webinar(1), made);
        let at = |seconds| is_human(&secrets, webinar(1), &stamp, made.plus_seconds(seconds));
        assert!(!at(0));
        assert!(at(1));
        assert!(at(6 * 86_400));
        assert!(!at(7 * 86_400));
        assert!(!at(-60));
    }

    #[test]
    fn only_our_own_stamp_for_this_form_is_good() {
        let secrets = Secrets::new([3; 32]);
        let now = Moment::from_unix_seconds(1_800_000_000);
        let stamp = make(&secrets, webinar(1), now.plus_seconds(-60));
        assert!(is_human(&secrets, webinar(1), &stamp, now));
        assert!(!is_human(&secrets, webinar(2), &stamp, now));
        assert!(!is_human(&Secrets::new([4; 32]), webinar(1), &stamp, now));
        for forged in ["", "x", "AAAAAAAAAAA", &stamp[..stamp.len() - 2], &format!("{stamp}AA"), &"A".repeat(32)] {
            assert!(!is_human(&secrets, webinar(1), forged, now), "{forged}");
        }
    }
}
