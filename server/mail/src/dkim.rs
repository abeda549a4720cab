//! Signing mails for a domain (RFC 6376).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lettre::Message;
use lettre::message::dkim::{
    DkimCanonicalization, DkimCanonicalizationType, DkimConfig, DkimSigningAlgorithm, DkimSigningKey,
    DkimSigningKeyError,
};
use lettre::message::header::HeaderName;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::EncodePublicKey as _;

/// Headers every mail of ours has, of those RFC 6376 section 5.4.1 wants signed.
const ALWAYS_SIGNED: [&str; 7] = ["From", "Subject", "To", "Date", "Message-ID", "MIME-Version", "Content-Type"];
/// Headers a mail may lack (the last two have to be signed, RFC 8058 section 4). What is absent is not named in the signature: a relay may still add it.
const SIGNED_WHEN_PRESENT: [&str; 3] = ["Reply-To", "List-Unsubscribe", "List-Unsubscribe-Post"];
/// Fewest characters of a PEM of 1024 bits, the least a reader has to accept (RFC 8301 section 3.2).
const FEWEST_RSA_CHARACTERS: usize = 800;
/// Most bytes of headers that are signed. lettre calls itself once for every one of them, so that some 20 KiB overflow
/// the stack of a thread, which ends the program.
const MOST_HEADER_BYTES: usize = 12 * 1024;

/// A domain's signature.
#[derive(Clone)]
pub struct Dkim {
    /// The domain that signs (`d=`); DMARC wants it to be the sender address's.
    pub domain: String,
    /// The name of the key in that domain's DNS (`s=`), below `_domainkey`.
    pub selector: String,
    /// An RSA key as PKCS#1 PEM (`-----BEGIN RSA PRIVATE KEY-----`, from `openssl genrsa -traditional 2048`), or the 32
    /// bytes of an Ed25519 key in base64 (RFC 8463). Many readers know RSA only.
    pub private_key_pem: String,
}

impl std::fmt::Debug for Dkim {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Dkim")
            .field("domain", &self.domain)
            .field("selector", &self.selector)
            .finish_non_exhaustive()
    }
}

/// Settings that cannot sign. Never repeats the key.
#[derive(Debug, thiserror::Error)]
pub enum DkimError {
    /// Domain or selector is not made of letters, digits, hyphens and single dots.
    #[error("expected a domain and a selector as they stand in DNS")]
    Name,
    /// The key cannot be read.
    #[error(
        "expected an RSA key (PKCS#1 PEM, from `openssl genrsa -traditional 2048`) or an Ed25519 key (32 bytes in base64)"
    )]
    Key(#[source] DkimSigningKeyError),
    /// The key is shorter than RFC 8301 allows.
    #[error("expected an RSA key of 1024 bits or more")]
    Short,
    /// The key signs, but its public half cannot be written down.
    #[error("the public key that belongs to this key cannot be computed")]
    PublicKey,
}

/// The public key that belongs to the private one, as the `p=` of the record at `selector._domainkey.domain` wants it:
/// base64 of a `SubjectPublicKeyInfo` for RSA (what `openssl rsa -pubout` prints), of the 32 bytes alone for Ed25519
/// (RFC 8463 section 4.2).
///
/// # Errors
///
/// The same as for signing: a name that cannot stand in DNS, a key that cannot be read or is too short.
pub fn public_key_of(dkim: &Dkim) -> Result<String, DkimError> {
    check_names(dkim)?;
    // What cannot sign has no record worth publishing.
    key(&dkim.private_key_pem)?;
    let text = dkim.private_key_pem.trim();
    if is_pem(text) {
        let private = rsa::RsaPrivateKey::from_pkcs1_pem(text).map_err(|_| DkimError::PublicKey)?;
        let public = private.to_public_key().to_public_key_der().map_err(|_| DkimError::PublicKey)?;
        return Ok(BASE64_STANDARD.encode(public.as_bytes()));
    }
    let seed = BASE64_STANDARD.decode(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let private = ed25519_dalek::SigningKey::from_bytes(&seed.ok_or(DkimError::PublicKey)?);
    Ok(BASE64_STANDARD.encode(private.verifying_key().as_bytes()))
}

/// A mail has more headers than can be signed.
#[derive(Debug, thiserror::Error)]
#[error("the headers are longer than {MOST_HEADER_BYTES} bytes")]
pub(crate) struct HeadersTooLong;

/// Signs mails.
pub(crate) struct Signer {
    /// One for every choice of [`SIGNED_WHEN_PRESENT`]: lettre's keys cannot be shared between lists of headers.
    configs: Vec<DkimConfig>,
}

impl Signer {
    pub(crate) fn new(dkim: &Dkim) -> Result<Self, DkimError> {
        check_names(dkim)?;
        let choices = 0..1_usize << SIGNED_WHEN_PRESENT.len();
        let configs = choices.map(|choice| config(dkim, choice)).collect::<Result<_, _>>()?;
        Ok(Self { configs })
    }

    pub(crate) fn sign(&self, message: &mut Message) -> Result<(), HeadersTooLong> {
        if message.headers().to_string().len() > MOST_HEADER_BYTES {
            return Err(HeadersTooLong);
        }
        let is_present = |name: &&str| message.headers().get_raw(name).is_some();
        let choice = SIGNED_WHEN_PRESENT.iter().rev().fold(0, |bits, name| bits << 1 | usize::from(is_present(name)));
        if let Some(config) = self.configs.get(choice) {
            message.sign(config);
        }
        Ok(())
    }
}

fn config(dkim: &Dkim, choice: usize) -> Result<DkimConfig, DkimError> {
    // lettre's own default signs too little, and simple canonicalisation breaks where a relay folds a header anew
    // (product.md §4.9).
    let relaxed =
        DkimCanonicalization { header: DkimCanonicalizationType::Relaxed, body: DkimCanonicalizationType::Relaxed };
    let present = SIGNED_WHEN_PRESENT.into_iter().enumerate().filter(|(place, _)| choice >> place & 1 == 1);
    let names = ALWAYS_SIGNED.into_iter().chain(present.map(|(_, name)| name));
    let headers = names.map(HeaderName::new_from_ascii_str).collect();
    Ok(DkimConfig::new(dkim.selector.clone(), dkim.domain.clone(), key(&dkim.private_key_pem)?, headers, relaxed))
}

fn key(text: &str) -> Result<DkimSigningKey, DkimError> {
    let text = text.trim();
    if !is_pem(text) {
        return DkimSigningKey::new(text, DkimSigningAlgorithm::Ed25519).map_err(DkimError::Key);
    }
    let key = DkimSigningKey::new(text, DkimSigningAlgorithm::Rsa).map_err(DkimError::Key)?;
    // lettre panics when a key is too short to sign with.
    if text.len() < FEWEST_RSA_CHARACTERS { Err(DkimError::Short) } else { Ok(key) }
}

fn is_pem(text: &str) -> bool {
    text.contains("-----BEGIN")
}

fn check_names(dkim: &Dkim) -> Result<(), DkimError> {
    if is_dns_name(&dkim.domain) && is_dns_name(&dkim.selector) { Ok(()) } else { Err(DkimError::Name) }
}

fn is_dns_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.len() <= 253 && name.split('.').all(is_label)
}
