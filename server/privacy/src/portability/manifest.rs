//! The manifest: what is in an archive, and that it is unchanged. Signed with the key of receipts (Ed25519), over the
//! bytes of the file as they are.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Error;
use crate::receipt::{Signer, is_signed};

/// The name of the form; a reader takes any of its minor versions and no other major one.
pub const FORMAT: &str = "mini-webinar-archive/1.0";
/// Where it is.
pub const MANIFEST: &str = "manifest.json";
/// Where its signature is.
pub const SIGNATURE: &str = "manifest.sig";

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its path.
    pub path: String,
    /// Its checksum, hex.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// Its rows, where it has rows.
    pub rows: Option<u64>,
    /// The path of the schema of its rows.
    pub schema: Option<String>,
    /// Kinds of data in it.
    pub classes: Vec<String>,
}

/// What is in an archive. Names no one: ids and checksums only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// Its id.
    pub archive: String,
    /// `coach` or `viewer`.
    pub kind: String,
    /// Whose: the id of the account or of the viewer.
    pub person: String,
    /// Who answers for the data: the id of the account.
    pub controller: String,
    /// The moment the rows are of.
    pub snapshot_at: String,
    /// The data map it was made from.
    pub map_sha256: String,
    /// The software that made it.
    pub software: String,
    /// `ready`, or `incomplete` when something could not be had.
    pub state: String,
    /// Every file but this one and its signature.
    pub files: Vec<FileEntry>,
}

/// A signature in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// `Ed25519`.
    pub alg: String,
    /// The public key, base64.
    pub key: String,
    /// Over the bytes of `manifest.json`, base64.
    pub signature: String,
}

/// What a key is called when people compare it.
#[must_use]
pub fn fingerprint(key: &str) -> String {
    let digest = hex::encode(Sha256::digest(key.trim().as_bytes()));
    digest.as_bytes()[..32].chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ")
}

impl Signature {
    /// Signs a manifest as it is written.
    #[must_use]
    pub fn of(signer: &Signer, manifest: &[u8]) -> Self {
        Self { alg: "Ed25519".to_owned(), key: signer.public_key(), signature: signer.sign_bytes(manifest) }
    }

    /// Checks it; with a key, also that it was that one.
    ///
    /// # Errors
    /// Says what does not fit.
    pub fn check(&self, manifest: &[u8], key: Option<&str>) -> Result<(), Error> {
        if self.alg != "Ed25519" {
            return Err(Error::refused(format!("the signature is of a kind this program does not know: {}", self.alg)));
        }
        if !is_signed(manifest, &self.key, &self.signature) {
            return Err(Error::refused("the manifest was changed after it was signed"));
        }
        if key.is_some_and(|key| key.trim() != self.key) {
            return Err(Error::refused("the archive was signed by another installation than the one expected"));
        }
        Ok(())
    }
}

impl Manifest {
    /// Reads one, and refuses a form of another major version.
    ///
    /// # Errors
    /// When it is no manifest this program can read.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Form {
            format: String,
        }
        let unreadable = |_| Error::refused("manifest.json is not the manifest of an archive of ours");
        let form: Form = serde_json::from_slice(bytes).map_err(unreadable)?;
        let (name, version) = form.format.split_once('/').unwrap_or((&form.format, ""));
        let (ours, our_version) = FORMAT.split_once('/').unwrap_or((FORMAT, ""));
        let major = |version: &str| version.split('.').next().map(str::to_owned);
        if name != ours || major(version) != major(our_version) {
            let format = form.format.escape_debug();
            return Err(Error::refused(format!("the archive has the form {format}, and this program knows {FORMAT}")));
        }
        serde_json::from_slice(bytes).map_err(unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(format: &str) -> String {
        format!(
            r#"{{"format":"{format}","archive":"a","kind":"coach","person":"p","controller":"c","snapshot_at":"s",
            "map_sha256":"m","software":"0","state":"ready","files":[],"later":1}}"#
        )
    }

    #[test]
    fn a_later_minor_version_is_read_and_another_major_one_is_not() {
        assert!(Manifest::read(text("mini-webinar-archive/1.7").as_bytes()).is_ok());
        for other in ["mini-webinar-archive/2.0", "mini-webinar-archive/", "mini-webinar-receipt/1", "x"] {
            assert!(matches!(Manifest::read(text(other).as_bytes()), Err(Error::Refused(_))), "{other}");
        }
        assert!(matches!(Manifest::read(b"[]"), Err(Error::Refused(_))));
    }

    #[test]
    fn a_signature_is_about_these_bytes_and_this_key() {
        let signer = Signer::from_seed(&[3; 32]);
        let signed = Signature::of(&signer, b"content");
        assert!(signed.check(b"content", None).is_ok());
        assert!(signed.check(b"content", Some(&signer.public_key())).is_ok());
        assert!(signed.check(b"Content", None).is_err());
        assert!(signed.check(b"content", Some(&Signer::from_seed(&[4; 32]).public_key())).is_err());
        assert_ne!(fingerprint(&signed.key), fingerprint(&Signer::from_seed(&[4; 32]).public_key()));
        assert_eq!(fingerprint(&signed.key).len(), 39);
    }
}
