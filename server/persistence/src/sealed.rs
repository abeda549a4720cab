//! Sealed values: a person's identity under that person's own key (privacy-design §2.2).
//!
//! XChaCha20-Poly1305 with a random nonce. The place and the row are bound as associated data, so a value copied to
//! another column or row does not open there.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use domain::processing::ProcessingPurpose;
use domain::rights::SubjectState;
use hmac::{Hmac, Mac};
use sha2::Sha256;
pub use warrant::Warrant;
use zeroize::Zeroizing;

use crate::{Error, declared};

/// First byte of every sealed value: how it was sealed.
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;

/// Where a sealed value lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `subject.email_ct`
    SubjectEmail,
    /// `subject.name_ct`
    SubjectName,
    /// `registration.answers_ct`
    RegistrationAnswers,
    /// `coach.totp_ct`
    TotpSecret,
    /// `dsr_request.details_ct`
    RequestDetails,
    /// `objection.reason_ct`
    ObjectionReason,
    /// `portal_proof.address_ct`
    ProofAddress,
    /// `objection.answer_ct`
    ObjectionAnswer,
    /// `portal_session.address_ct`
    PortalAddress,
    /// A key in the keyring, wrapped by the key-encryption key.
    WrappedKey,
    /// A coach's pepper in the keyring.
    WrappedPepper,
}

impl Place {
    /// Every column that is sealed.
    pub const COLUMNS: [Self; 9] = [
        Self::SubjectEmail,
        Self::SubjectName,
        Self::RegistrationAnswers,
        Self::TotpSecret,
        Self::RequestDetails,
        Self::ObjectionReason,
        Self::ObjectionAnswer,
        Self::ProofAddress,
        Self::PortalAddress,
    ];

    /// The place a sealed column is, by its table and name; nothing for a column that is not sealed.
    #[must_use]
    pub fn of_column(table: &str, column: &str) -> Option<Self> {
        Self::COLUMNS.into_iter().find(|place| place.label().split_once('.') == Some((table, column)))
    }

    /// What it is kept for, as the data map says (promise P17).
    #[must_use]
    pub const fn purposes(self) -> &'static [ProcessingPurpose] {
        match self {
            Self::SubjectEmail
            | Self::SubjectName
            | Self::RegistrationAnswers
            | Self::ObjectionAnswer
            | Self::ProofAddress => &[ProcessingPurpose::Provide, ProcessingPurpose::Communicate],
            Self::TotpSecret | Self::RequestDetails | Self::ObjectionReason | Self::PortalAddress => {
                &[ProcessingPurpose::Provide]
            }
            Self::WrappedKey | Self::WrappedPepper => &[],
        }
    }

    /// `table.column`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::SubjectEmail => "subject.email_ct",
            Self::SubjectName => "subject.name_ct",
            Self::RegistrationAnswers => "registration.answers_ct",
            Self::TotpSecret => "coach.totp_ct",
            Self::RequestDetails => "dsr_request.details_ct",
            Self::ObjectionReason => "objection.reason_ct",
            Self::ProofAddress => "portal_proof.address_ct",
            Self::ObjectionAnswer => "objection.answer_ct",
            Self::PortalAddress => "portal_session.address_ct",
            Self::WrappedKey => "dek.wrapped",
            Self::WrappedPepper => "pepper.wrapped",
        }
    }
}

/// A person's rows that may be processed: the only form in which queries hand them out. A person who asked for
/// restriction is not among them, and only the privacy module can reach her rows another way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Active<T>(T);

impl<T> Active<T> {
    /// Wraps rows a query has already filtered by the subject's state.
    pub(crate) const fn new(row: T) -> Self {
        Self(row)
    }

    /// The rows.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> std::ops::Deref for Active<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A row of a person who asked for restriction: stored, and shown to nobody. It opens with a [`Warrant`], which only
/// the privacy module can issue, after looking at the reason.
///
/// ```compile_fail
/// fn name(row: persistence::sealed::Restricted<String>) -> String {
///     row.into_inner()
/// }
/// ```
/// ```compile_fail
/// fn name(row: &persistence::sealed::Restricted<String>) -> &str {
///     row
/// }
/// ```
/// ```
/// fn name(row: persistence::sealed::Active<String>) -> String {
///     row.into_inner()
/// }
/// ```
pub struct Restricted<T>(T);

impl<T> Restricted<T> {
    /// Closes a row whose person's state does not matter to whoever may open it.
    pub(crate) const fn new(row: T) -> Self {
        Self(row)
    }

    /// The row, for whoever may see it.
    pub fn open(self, _proof: &Warrant) -> T {
        self.0
    }
}

impl<T> std::fmt::Debug for Restricted<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Restricted(…)")
    }
}

/// A person's row as queries hand it out: whoever wants it says what happens when it may not be used.
///
/// ```compile_fail
/// fn greet(name: persistence::sealed::Standing<String>) -> String {
///     match name {
///         persistence::sealed::Standing::Active(name) => name.into_inner(),
///     }
/// }
/// ```
#[derive(Debug)]
pub enum Standing<T> {
    /// It may be used.
    Active(Active<T>),
    /// It is kept and not used.
    Restricted(Restricted<T>),
    /// It is being erased: nothing is read and nothing is added.
    Erasing,
}

impl<T> Standing<T> {
    /// By the stored state of the person; an unknown state is treated like the strictest.
    pub(crate) fn of(state: &str, row: T) -> Self {
        match SubjectState::from_stored(state) {
            Some(SubjectState::Active) => Self::Active(Active::new(row)),
            Some(SubjectState::Restricted) => Self::Restricted(Restricted::new(row)),
            Some(SubjectState::Erasing) | None => Self::Erasing,
        }
    }

    /// The state.
    pub const fn state(&self) -> SubjectState {
        match self {
            Self::Active(_) => SubjectState::Active,
            Self::Restricted(_) => SubjectState::Restricted,
            Self::Erasing => SubjectState::Erasing,
        }
    }

    /// The row when it may be used, and nothing otherwise.
    pub fn active(self) -> Option<T> {
        match self {
            Self::Active(row) => Some(row.into_inner()),
            Self::Restricted(_) | Self::Erasing => None,
        }
    }
}

/// A key that seals and opens. Wiped from memory when dropped; prints nothing of itself.
#[derive(Clone)]
pub struct SubjectKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for SubjectKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SubjectKey(…)")
    }
}

impl SubjectKey {
    /// From its bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.0.as_slice().try_into().expect("a key has 32 bytes"))
    }

    /// Seals a value for one place of one row.
    #[must_use]
    pub fn seal(&self, place: Place, row: &[u8; 16], plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).expect("the operating system gives randomness");
        let aad = associated(place, row);
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad })
            .expect("sealing fails only beyond 256 GiB");
        [&[VERSION], nonce.as_slice(), &sealed].concat()
    }

    /// Stands for something without naming it, for as long as this key exists: HMAC-SHA256 under it.
    #[must_use]
    pub fn reference(&self, of: &[u8]) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("HMAC takes a key of any length");
        mac.update(of);
        mac.finalize().into_bytes().to_vec()
    }

    /// Opens a value sealed for this place of this row, for a purpose it is kept for.
    ///
    /// # Errors
    /// [`Error::Purpose`], see [`crate::declared`]; or when it was sealed under another key, for another place or row, or
    /// was changed.
    pub fn open(
        &self,
        purpose: ProcessingPurpose,
        place: Place,
        row: &[u8; 16],
        sealed: &[u8],
    ) -> Result<Vec<u8>, Error> {
        declared::check(purpose, place)?;
        self.unseal(place, row, sealed)
    }

    pub(crate) fn unseal(&self, place: Place, row: &[u8; 16], sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let (version, rest) = sealed.split_first().ok_or(Error::Sealed)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_BYTES).ok_or(Error::Sealed)?;
        if *version != VERSION {
            return Err(Error::Sealed);
        }
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| Error::Sealed)?;
        let aad = associated(place, row);
        self.cipher().decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad: &aad }).map_err(|_| Error::Sealed)
    }
}

fn associated(place: Place, row: &[u8; 16]) -> Vec<u8> {
    [place.label().as_bytes(), b"\0", row].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_value_opens_only_with_its_key_place_and_row(plain in prop::collection::vec(any::<u8>(), 0..300), key: [u8; 32], row: [u8; 16]) {
            let own = SubjectKey::from_bytes(key);
            let sealed = own.seal(Place::SubjectEmail, &row, &plain);
            prop_assert_eq!(own.open(ProcessingPurpose::Provide, Place::SubjectEmail, &row, &sealed).expect("opens"), plain.clone());
            let mut other_key = key;
            other_key[0] ^= 1;
            let mut other_row = row;
            other_row[15] ^= 1;
            prop_assert!(SubjectKey::from_bytes(other_key).open(ProcessingPurpose::Provide, Place::SubjectEmail, &row, &sealed).is_err());
            prop_assert!(own.open(ProcessingPurpose::Provide, Place::SubjectName, &row, &sealed).is_err());
            prop_assert!(own.open(ProcessingPurpose::Provide, Place::SubjectEmail, &other_row, &sealed).is_err());
            for position in [0, 1, sealed.len() - 1] {
                let mut changed = sealed.clone();
                changed[position] ^= 1;
                prop_assert!(own.open(ProcessingPurpose::Provide, Place::SubjectEmail, &row, &changed).is_err());
            }
        }

        #[test]
        fn rubbish_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert!(SubjectKey::from_bytes([7; 32]).open(ProcessingPurpose::Provide, Place::SubjectEmail, &[0; 16], &bytes).is_err());
        }
    }
}
