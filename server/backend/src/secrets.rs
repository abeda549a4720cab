//! Keys derived from the installation's one secret, each for one purpose.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The installation's secret. Never printed, and stored by the engine only under the seal of a backup of the keyring.
#[derive(Clone)]
pub struct Secrets {
    master: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secrets(…)")
    }
}

impl Secrets {
    /// From 32 bytes of the operating system's randomness.
    #[must_use]
    pub fn new(master: [u8; 32]) -> Self {
        Self { master: Zeroizing::new(master) }
    }

    /// The secret itself, for the sealed copy of the keyring, which opens nothing without it.
    #[must_use]
    pub(crate) fn for_a_backup_of_the_keyring(&self) -> Zeroizing<[u8; 32]> {
        self.master.clone()
    }

    /// A key for one purpose (RFC 5869); the same label always gives the same key.
    #[must_use]
    pub fn derive(&self, label: &str) -> [u8; 32] {
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(None, self.master.as_slice())
            .expand(label.as_bytes(), &mut key)
            .expect("32 bytes are a valid HKDF-SHA256 length");
        key
    }

    /// HMAC-SHA256 under the key of a purpose.
    #[must_use]
    pub fn mac(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.derive(label)).expect("HMAC takes a key of any length");
        for part in parts {
            // The length in front keeps ("ab", "c") and ("a", "bc") apart.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

/// Fresh random bytes from the operating system.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// Whether two secrets are equal, in time that does not depend on where they differ.
#[must_use]
pub fn same(one: &[u8], two: &[u8]) -> bool {
    use subtle::ConstantTimeEq;
    one.ct_eq(two).into()
}
