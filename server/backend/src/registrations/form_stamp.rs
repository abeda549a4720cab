//! What a registration form carries, signed: when it was made, which wording of the agreement it showed, and the id
//! the booking gets that is made with it.
//!
//! The moment shows a form that was filled faster than a person can. The wording makes sure that what is on record is
//! what was read. The id makes a second press of the same button recognisable: it meets the booking it made itself,
//! while somebody else who types the same address meets one with another id. Nothing is stored for any of it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Moment;
use domain::ids::{ConsentTextId, RegistrationId, WebinarId};
use domain::registration::MIN_FILL_SECONDS;

use crate::secrets::{Secrets, same};

/// Bytes of the signature: 128 bits.
const SIGNATURE_BYTES: usize = 16;
/// Bytes that are signed: a moment and three ids.
const CLAIM_BYTES: usize = 8 + 16 + 16 + 16;
/// A page left open for longer is asked to be sent once more; a stamp is no ticket for ever.
const MAX_AGE_DAYS: i64 = 7;

/// What a stamp of ours says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FormStamp {
    /// When the form was made.
    pub made: Moment,
    /// The booking made with it.
    pub booking: RegistrationId,
    /// The wordings it showed: of the agreement, none on a page nobody can register on yet; and of the box for offers,
    /// none where there is none.
    pub wordings: (Option<ConsentTextId>, Option<ConsentTextId>),
}

impl FormStamp {
    /// For a form made now.
    pub(crate) fn new(wordings: (Option<ConsentTextId>, Option<ConsentTextId>), now: Moment) -> Self {
        Self { made: now, booking: RegistrationId::new(), wordings }
    }

    /// As the form carries it.
    pub(crate) fn sign(&self, secrets: &Secrets, webinar: WebinarId) -> String {
        let bytes_of = |id: Option<ConsentTextId>| id.map(|id| *id.as_bytes()).unwrap_or_default();
        let (agreement, offers) = (bytes_of(self.wordings.0), bytes_of(self.wordings.1));
        let mut bytes = [self.made.0.to_be_bytes().as_slice(), self.booking.as_bytes(), &agreement, &offers].concat();
        let signature = signature(secrets, webinar, &bytes);
        bytes.extend_from_slice(&signature[..SIGNATURE_BYTES]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a stamp of ours for this webinar that a person may have sent: old enough, not from last month.
    pub(crate) fn read(secrets: &Secrets, webinar: WebinarId, stamp: &str, now: Moment) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(stamp).ok()?;
        let (claim, signed) = bytes.split_at_checked(CLAIM_BYTES)?;
        if !same(signed, &signature(secrets, webinar, claim)[..SIGNATURE_BYTES]) {
            return None;
        }
        let made = Moment(i64::from_be_bytes(claim[..8].try_into().ok()?));
        let id = |bytes: &[u8]| <[u8; 16]>::try_from(bytes).ok().map(uuid::Uuid::from_bytes);
        let wording = |bytes: &[u8]| id(bytes).filter(|id| !id.is_nil()).map(ConsentTextId);
        let wordings = (wording(&claim[24..40]), wording(&claim[40..]));
        let is_human = made.plus_seconds(MIN_FILL_SECONDS) <= now && made.plus_days(MAX_AGE_DAYS) > now;
        let booking = RegistrationId(id(&claim[8..24])?);
        is_human.then_some(Self { made, booking, wordings })
    }
}

fn signature(secrets: &Secrets, webinar: WebinarId, claim: &[u8]) -> [u8; 32] {
    secrets.mac("form-stamp", &[webinar.as_bytes(), claim])
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
        let stamp = FormStamp::new((Some(ConsentTextId::new()), Some(ConsentTextId::new())), made);
        let signed = stamp.sign(&secrets, webinar(1));
        let at = |seconds| FormStamp::read(&secrets, webinar(1), &signed, made.plus_seconds(seconds));
        assert_eq!(at(0), None);
        assert_eq!(at(1), Some(stamp));
        assert_eq!(at(6 * 86_400), Some(stamp));
        assert_eq!(at(7 * 86_400), None);
        assert_eq!(at(-60), None);
    }

    #[test]
    fn only_our_own_stamp_for_this_form_is_good() {
        let secrets = Secrets::new([3; 32]);
        let now = Moment::from_unix_seconds(1_800_000_000);
        let stamp = FormStamp::new((None, None), now.plus_seconds(-60)).sign(&secrets, webinar(1));
        let read = |secrets: &Secrets, of: WebinarId, stamp: &str| FormStamp::read(secrets, of, stamp, now);
        assert!(read(&secrets, webinar(1), &stamp).is_some());
        assert!(read(&secrets, webinar(2), &stamp).is_none());
        assert!(read(&Secrets::new([4; 32]), webinar(1), &stamp).is_none());
        for forged in ["", "x", "AAAAAAAAAAA", &stamp[..stamp.len() - 2], &format!("{stamp}AA"), &"A".repeat(96)] {
            assert!(read(&secrets, webinar(1), forged).is_none(), "{forged}");
        }
    }
}
