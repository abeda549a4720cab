//! The receipt of an erasure: what was asked, done and kept, signed, and provable by the person alone.
//!
//! Ed25519 over the canonical JSON (RFC 8785) of its content. Whose receipt it is stands in it as
//! `SHA-256(address ‖ nonce)`; the nonce is in the person's copy and nowhere else, so she can prove it is hers and
//! nobody can find out from it whose it is (privacy-design §2.7).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::rights::{BACKUP_DAYS, KEYRING_BACKUP_DAYS, SubjectKind};
use domain::{EmailAddress, Moment};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::canonical;
use crate::erasure::Retained;

/// The shape of this receipt; another one gets another name.
pub const FORMAT: &str = "mini-webinar-receipt/1";
/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 16;

/// Why a receipt cannot be written or believed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A number has no agreed form.
    #[error(transparent)]
    Canonical(#[from] canonical::Error),
    /// It is no receipt.
    #[error("this is not a receipt of ours: {0}")]
    Shape(#[from] serde_json::Error),
    /// It is of a shape this program does not know.
    #[error("this receipt has the format {0}, which this program does not know")]
    Format(String),
    /// A key, a signature or a nonce is not written as it should be.
    #[error("the {0} of this receipt is damaged")]
    Damaged(&'static str),
    /// The signature does not fit the content.
    #[error("this receipt was changed after it was signed, or was signed by somebody else")]
    Signature,
    /// It is signed, by a key that is not the one expected.
    #[error("this receipt was signed by another installation's key")]
    OtherKey,
    /// The address and the nonce do not make the commitment.
    #[error("this receipt is not about this address")]
    OtherPerson,
}

/// What came of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Which step.
    pub what: String,
    /// Kinds of data it concerned.
    pub classes: Vec<String>,
    /// How many rows, objects, keys or files went.
    pub removed: i64,
}

/// What the byte scan found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// Names the report.
    pub sha256: String,
    /// Places the person's address was still found in.
    pub hits: i64,
}

/// The content of a receipt. Counts and dates, no names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// [`FORMAT`].
    pub format: String,
    /// Which request.
    pub request: String,
    /// `erase` or `minor`.
    pub kind: String,
    /// `coach` or `viewer`.
    pub subject_kind: String,
    /// When it came in, RFC 3339.
    pub received_at: String,
    /// When the person proved who they are.
    pub verified_at: Option<String>,
    /// When everything was gone.
    pub completed_at: String,
    /// The data map in force.
    pub map_sha256: String,
    /// The software that did it.
    pub software: String,
    /// What was done, step by step.
    pub results: Vec<Line>,
    /// What had to stay, why, and until when.
    pub retained: Vec<Kept>,
    /// Services that were told, and what they answered.
    pub recipients: Vec<String>,
    /// From when on nobody can read what backups still hold: the last backup of the keys is gone.
    pub backups_unreadable_since: String,
    /// When the last backup that holds anything is gone.
    pub backups_gone_by: String,
    /// What the byte scan found.
    pub scan: Scan,
    /// `SHA-256(address ‖ nonce)`.
    pub commitment: String,
}

/// Something that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Which kind of data.
    pub class: String,
    /// On which ground.
    pub ground: String,
    /// Until when, RFC 3339; until the coach's account goes when it is missing.
    pub until: Option<String>,
}

impl From<&Retained> for Kept {
    fn from(retained: &Retained) -> Self {
        Self {
            class: retained.class.clone(),
            ground: retained.ground.clone(),
            until: retained.until.map(|until| until.to_string()),
        }
    }
}

/// A receipt with its signature. The nonce is only in the person's copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The content.
    pub receipt: Receipt,
    /// The public key it was signed with, base64.
    pub key: String,
    /// The signature, base64.
    pub signature: String,
    /// Proves, with the address, whose it is: hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
}

/// When backups stop being readable, and when they are gone, for an erasure at this moment. A viewer is sealed under a
/// key of their own, whose last copy goes with the last backup of the keyring; an account's own rows and recordings are
/// sealed under the key of the backups alone, and so can be read until the last of these is gone (promise P46).
#[must_use]
pub fn backup_dates(erased_at: Moment, whose: SubjectKind) -> (Moment, Moment) {
    let gone = erased_at.plus_days(BACKUP_DAYS);
    match whose {
        SubjectKind::Viewer => (erased_at.plus_days(KEYRING_BACKUP_DAYS), gone),
        SubjectKind::Coach => (gone, gone),
    }
}

/// What stands for the person on the receipt.
#[must_use]
pub fn commitment(address: &str, nonce: &[u8]) -> String {
    let normal = EmailAddress::parse(address).map_or_else(|_| address.trim().to_lowercase(), |it| it.normalised());
    hex::encode(Sha256::new().chain_update(normal).chain_update(nonce).finalize())
}

/// The key receipts are signed with.
pub struct Signer(Ed25519KeyPair);

impl Signer {
    /// From 32 secret bytes.
    ///
    /// # Panics
    /// Never: every 32 bytes are a key.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(seed).expect("every 32 bytes are an Ed25519 seed"))
    }

    /// The public half, base64.
    #[must_use]
    pub fn public_key(&self) -> String {
        STANDARD.encode(self.0.public_key().as_ref())
    }

    /// Signs bytes; base64.
    #[must_use]
    pub fn sign_bytes(&self, bytes: &[u8]) -> String {
        STANDARD.encode(self.0.sign(bytes).as_ref())
    }

    /// Signs a receipt.
    ///
    /// # Errors
    /// When a number in it has no agreed form.
    pub fn sign(&self, receipt: Receipt) -> Result<Signed, Error> {
        let text = canonical::to_string(&serde_json::to_value(&receipt)?)?;
        Ok(Signed { receipt, key: self.public_key(), signature: self.sign_bytes(text.as_bytes()), nonce: None })
    }
}

/// Whether bytes were signed with a key, both in base64.
#[must_use]
pub fn is_signed(bytes: &[u8], key: &str, signature: &str) -> bool {
    let (Ok(key), Ok(signature)) = (STANDARD.decode(key.trim()), STANDARD.decode(signature.trim())) else {
        return false;
    };
    UnparsedPublicKey::new(&ED25519, key).verify(bytes, &signature).is_ok()
}

/// Reads a receipt and checks its signature; nothing is asked of anybody for it. With a key, also that it was that one;
/// with an address, also that it is about it.
///
/// # Errors
/// Says what does not fit.
pub fn verify(text: &str, key: Option<&str>, address: Option<&str>) -> Result<Signed, Error> {
    let signed: Signed = serde_json::from_str(text)?;
    if signed.receipt.format != FORMAT {
        return Err(Error::Format(signed.receipt.format));
    }
    // What the reader does not know is part of what was signed: the content is taken as it came.
    let whole: serde_json::Value = serde_json::from_str(text)?;
    let content = canonical::to_string(whole.get("receipt").unwrap_or(&serde_json::Value::Null))?;
    if !is_signed(content.as_bytes(), &signed.key, &signed.signature) {
        return Err(Error::Signature);
    }
    if key.is_some_and(|key| key.trim() != signed.key) {
        return Err(Error::OtherKey);
    }
    if let Some(address) = address.filter(|address| !address.trim().is_empty()) {
        let nonce = signed.nonce.as_deref().ok_or(Error::Damaged("nonce"))?;
        let nonce = hex::decode(nonce).map_err(|_| Error::Damaged("nonce"))?;
        if commitment(address, &nonce) != signed.receipt.commitment {
            return Err(Error::OtherPerson);
        }
    }
    Ok(signed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt() -> Receipt {
        Receipt {
            format: FORMAT.to_owned(),
            request: "01990000-0000-7000-8000-000000000001".to_owned(),
            kind: "erase".to_owned(),
            subject_kind: "viewer".to_owned(),
            received_at: "2026-11-25T10:00:00Z".to_owned(),
            verified_at: Some("2026-11-25T10:00:00Z".to_owned()),
            completed_at: "2026-11-25T10:00:03Z".to_owned(),
            map_sha256: "00".repeat(32),
            software: "0.1.0".to_owned(),
            results: vec![Line { what: "rows:beat".to_owned(), classes: vec!["watching".to_owned()], removed: 12 }],
            retained: Vec::new(),
            recipients: Vec::new(),
            backups_unreadable_since: "2026-12-02T10:00:03Z".to_owned(),
            backups_gone_by: "2027-02-23T10:00:03Z".to_owned(),
            scan: Scan { sha256: "11".repeat(32), hits: 0 },
            commitment: commitment("Zoe@Example.com", &[7; NONCE_BYTES]),
        }
    }

    fn copy() -> (Signer, String) {
        let signer = Signer::from_seed(&[3; 32]);
        let mut signed = signer.sign(receipt()).expect("signs");
        signed.nonce = Some(hex::encode([7; NONCE_BYTES]));
        let text = serde_json::to_string_pretty(&signed).expect("is written");
        (signer, text)
    }

    #[test]
    fn a_receipt_is_believed_as_it_was_signed_and_in_no_other_way() {
        let (signer, text) = copy();
        assert!(verify(&text, Some(&signer.public_key()), Some("zoe@example.com")).is_ok());
        assert!(verify(&text, None, None).is_ok());
        let reordered: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert!(verify(&reordered.to_string(), None, None).is_ok(), "white space and order do not matter");

        let changed = text.replace("\"removed\": 12", "\"removed\": 13");
        assert!(matches!(verify(&changed, None, None), Err(Error::Signature)));
        let more = text.replace("\"removed\": 12", "\"removed\": 12, \"kept\": 1");
        assert!(matches!(verify(&more, None, None), Err(Error::Signature)), "a line added is a change, too");
        let other = Signer::from_seed(&[4; 32]).public_key();
        assert!(matches!(verify(&text, Some(&other), None), Err(Error::OtherKey)));
        assert!(matches!(verify(&text, None, Some("tom@example.com")), Err(Error::OtherPerson)));
        assert!(matches!(verify("{}", None, None), Err(Error::Shape(_))));
    }

    #[test]
    fn a_key_in_the_receipt_does_not_vouch_for_itself() {
        let (_, text) = copy();
        let honest: Signed = serde_json::from_str(&text).expect("reads");
        let forged = Signer::from_seed(&[9; 32]).sign(Receipt { retained: Vec::new(), ..honest.receipt });
        let forged = serde_json::to_string(&forged.expect("signs")).expect("is written");
        assert!(verify(&forged, None, None).is_ok());
        assert!(matches!(verify(&forged, Some(&honest.key), None), Err(Error::OtherKey)));
    }

    #[test]
    fn nobody_reads_the_address_out_of_it() {
        let (_, text) = copy();
        assert!(!text.to_lowercase().contains("zoe"));
        assert_ne!(commitment("zoe@example.com", &[1; 16]), commitment("zoe@example.com", &[2; 16]));
    }
}
