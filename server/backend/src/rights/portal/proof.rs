//! Proof of an address: a link for the button and a code for the fingers, each good for a quarter of an hour, once, and
//! only as long as no newer one was made.
//!
//! Link and code are derived from the proof's id and the installation's secret, so that the job can write them into the
//! mail and the database holds nothing that opens anything. The link carries its token behind `#`, which browsers keep
//! to themselves: no server log, no referrer and no scanner's GET ever sees it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ids::{CoachId, PortalProofId};
use domain::my_data::{CODE_TRIES, Errand, PROOF_MINUTES, SESSION_MINUTES};
use domain::processing::ProcessingPurpose;
use domain::{EmailAddress, Moment, Refusal, RefusalKind};
use mail::{Outgoing, SendError};
use persistence::entities::{portal_proof, portal_session};
use persistence::portal as queries;
use persistence::sealed::Place;
use privacy::audit::{Event, Role};
use sea_orm::DatabaseTransaction;
use sha2::{Digest, Sha256};

use super::{Portal, place_of};
use crate::limits::Limit;
use crate::mails::Sent;
use crate::secrets::{random, same};
use crate::{Backend, Client, Error, Result, Visitor};

/// Kind of the job that mails a proof.
pub const MAIL_PROOF: &str = "mail_proof";
/// Tries of that job: after the proof has expired it sends nothing.
const MAIL_TRIES: i32 = 6;
/// Where the mail's button leads.
const PROVE_PAGE: &str = "/my-data/prove";

/// What a proof is good for, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To open the portal.
    Open(Errand),
    /// To put a new address in the place of the one the portal was opened with.
    NewAddress,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Open(errand) => errand.as_str(),
            Self::NewAddress => "new_address",
        }
    }

    fn from_stored(text: &str) -> Option<Self> {
        if text == Self::NewAddress.as_str() {
            return Some(Self::NewAddress);
        }
        Errand::from_stored(text).map(Self::Open)
    }
}

/// What a proof led to.
#[derive(Clone, Debug)]
pub struct Opened {
    /// For the browser's cookie.
    pub token: String,
    /// What the proof was asked for.
    pub errand: Errand,
}

/// What is stored of a token.
pub(super) fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.trim().as_bytes()).to_vec()
}

fn dead_link() -> Refusal {
    let message = "This link does not work any more: it was used, is older than 15 minutes, or a newer mail was sent. \
                   Please ask for a new one.";
    Refusal::new(RefusalKind::Gone, message)
}

/// The same whatever is wrong: that an address asked for a proof is nobody else's business either.
pub(super) fn dead_code() -> Refusal {
    let message = "This code is not the one of the newest mail, or it does not work any more: it was used, is older than \
                   15 minutes, or was typed wrong too often. Please look again, or ask for a new mail.";
    Refusal::field("code", message)
}

/// A code as people type it: with spaces or dashes where they like them.
fn digits(code: &str) -> String {
    code.chars().filter(char::is_ascii_digit).collect()
}

impl Backend {
    /// The token of a proof's link.
    #[must_use]
    pub fn portal_token(&self, id: PortalProofId, purpose: &str) -> String {
        let mac = self.secrets().mac("portal-token", &[id.as_bytes(), purpose.as_bytes()]);
        URL_SAFE_NO_PAD.encode([id.as_bytes().as_slice(), &mac[..16]].concat())
    }

    /// The eight digits of a proof.
    #[must_use]
    pub fn portal_code(&self, id: PortalProofId, purpose: &str) -> String {
        let mac = self.secrets().mac("portal-code", &[id.as_bytes(), purpose.as_bytes()]);
        let number = mac.iter().take(8).fold(0u64, |number, byte| (number << 8) | u64::from(*byte));
        format!("{:08}", number % 100_000_000)
    }

    fn code_mac(&self, id: PortalProofId, code: &str) -> Vec<u8> {
        self.secrets().mac("portal-code-stored", &[id.as_bytes(), code.as_bytes()]).to_vec()
    }

    /// What stands for whoever may use a proof: everything it is bound to.
    fn address_mac(&self, bound_to: &[&str]) -> Vec<u8> {
        let parts: Vec<&[u8]> = bound_to.iter().map(|part| part.as_bytes()).collect();
        self.secrets().mac("portal-address", &parts).to_vec()
    }

    /// Makes a proof and plans its mail: the same work whoever the address belongs to, and no look at what is held.
    async fn write_proof(&self, to: &EmailAddress, purpose: Purpose, bound_to: &[&str]) -> Result<()> {
        let now = self.now();
        let (dek, key) = self.keyring().create_key(now).await?;
        let id = PortalProofId::new();
        let row = portal_proof::Model {
            id,
            purpose: purpose.as_str().to_owned(),
            address_mac: self.address_mac(bound_to),
            dek_id: dek,
            address_ct: Some(key.seal(Place::ProofAddress, id.as_bytes(), to.as_str().as_bytes())),
            token_hash: hash(&self.portal_token(id, purpose.as_str())),
            code_mac: self.code_mac(id, &self.portal_code(id, purpose.as_str())),
            tries: 0,
            created_at: now,
            expires_at: now.plus_seconds(PROOF_MINUTES * 60),
            used_at: None,
        };
        let job = jobs::NewJob {
            kind: MAIL_PROOF,
            payload: serde_json::json!({ "proof": id }),
            run_at: now,
            idempotency_key: Some(format!("{MAIL_PROOF}:{id}")),
            max_attempts: MAIL_TRIES,
        };
        let transaction = self.db().begin().await?;
        queries::insert_proof(&transaction, row).await?;
        jobs::enqueue(&transaction, job, now).await?;
        transaction.commit().await?;
        self.wake_worker();
        Ok(())
    }

    /// Mails a proof, unless it cannot be used any more.
    pub(crate) async fn mail_proof(&self, id: PortalProofId) -> Result<Sent> {
        let Some(row) = queries::proof(self.db().reader(), id).await? else { return Ok(Sent::Settled) };
        let (Some(purpose), Some(sealed)) = (Purpose::from_stored(&row.purpose), &row.address_ct) else {
            return Ok(Sent::Settled);
        };
        if row.used_at.is_some() || row.expires_at <= self.now() {
            return Ok(Sent::Settled);
        }
        let Some(key) = self.keyring().keys(&[row.dek_id]).await?.remove(&row.dek_id) else {
            return Ok(Sent::Settled);
        };
        let opened = key.open(ProcessingPurpose::Communicate, Place::ProofAddress, id.as_bytes(), sealed)?;
        let to = String::from_utf8(opened).map_err(|error| Error::fault("read a sealed text", error))?;
        let code = self.portal_code(id, &row.purpose);
        let letter = match purpose {
            Purpose::Open(errand) => {
                let token = self.portal_token(id, &row.purpose);
                let link = format!("{}#{token}", self.config().absolute(PROVE_PAGE));
                self.proof_letter(errand, link, &code)
            }
            Purpose::NewAddress => self.new_address_letter(&code),
        };
        let outgoing = Outgoing {
            id: id.to_string(),
            to,
            from_name: "My Mini Webinar".to_owned(),
            from: self.config().mail_from.clone(),
            return_path: None,
            reply_to: Some(self.config().contact_email.clone()),
            content: letter.render().map_err(|error| Error::fault("render a mail", error))?,
            headers: vec![("Auto-Submitted".to_owned(), "auto-generated".to_owned())],
            attachment: None,
        };
        match self.mailer().send(&outgoing, self.now()).await {
            Ok(()) => Ok(Sent::Settled),
            Err(SendError::Permanent(_)) => {
                // Nobody is there; the person who typed the address cannot be told without telling everybody.
                tracing::warn!(template = "rights_proof", "a mail was refused for good");
                Ok(Sent::Settled)
            }
            Err(error @ (SendError::Transient(_) | SendError::NotBefore(..))) => Ok(Sent::Later(error.to_string())),
        }
    }

    /// The proof of this row, if it is the newest of its kind and can still be used.
    async fn usable(
        &self,
        transaction: &DatabaseTransaction,
        row: Option<portal_proof::Model>,
        now: Moment,
    ) -> Result<Option<portal_proof::Model>> {
        let Some(row) = row.filter(|row| row.used_at.is_none() && row.expires_at > now) else { return Ok(None) };
        let newest = queries::newest_proof(transaction, &row.address_mac).await?;
        Ok(newest.filter(|newest| newest.id == row.id))
    }

    /// Counts a typed code and uses the proof up when it is the right one. The count stays whatever comes of it.
    async fn use_code(&self, bound_to: &[&str], code: &str) -> Result<Option<portal_proof::Model>> {
        let now = self.now();
        let transaction = self.db().begin().await?;
        let newest = queries::newest_proof(&transaction, &self.address_mac(bound_to)).await?;
        let mut used = None;
        if let Some(row) = self.usable(&transaction, newest, now).await?
            && queries::count_try(&transaction, row.id, CODE_TRIES).await?
            && same(&self.code_mac(row.id, &digits(code)), &row.code_mac)
            && queries::use_proof(&transaction, row.id, now).await?
        {
            used = Some(row);
        }
        transaction.commit().await?;
        Ok(used)
    }

    /// Opens the portal for the address of a proof that was just used in this transaction.
    async fn open_portal(
        &self,
        transaction: &DatabaseTransaction,
        address: &EmailAddress,
        now: Moment,
    ) -> Result<String> {
        let token = URL_SAFE_NO_PAD.encode(random::<32>());
        let session = hash(&token);
        let sealed =
            self.session_key(&token).seal(Place::PortalAddress, &place_of(&session), address.as_str().as_bytes());
        let row = portal_session::Model {
            token_hash: session,
            address_ct: sealed,
            created_at: now,
            expires_at: now.plus_seconds(SESSION_MINUTES * 60),
        };
        queries::insert_session(transaction, row).await?;
        self.audit(transaction, Event::Proven, Role::Viewer, None, ("right", 1), now).await?;
        Ok(token)
    }
}

impl Visitor {
    /// Mails a proof to an address. The answer is the same whether anything is held under it, whether it has asked too
    /// often, and however long a look would take: nobody looks.
    ///
    /// # Errors
    /// Refuses what is no address, and too many asks from one network.
    pub async fn ask_for_my_data(&self, email: &str, errand: Errand, client: &Client) -> Result<()> {
        let backend = &self.backend;
        let address = EmailAddress::parse(email)?;
        backend.limit(Limit::Portal, &hex::encode(client.network)).await?;
        let normal = address.normalised();
        match backend.limit(Limit::PortalMail, &normal).await {
            Ok(()) => backend.write_proof(&address, Purpose::Open(errand), &["open", &normal]).await,
            Err(Error::Refused(refusal)) if refusal.kind == RefusalKind::TooOften => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Opens the portal by the token of a mailed link.
    ///
    /// # Errors
    /// Refuses, always in the same words, a token that is unknown, used, too old, not the newest, or for something
    /// else.
    pub async fn prove_by_link(&self, token: &str) -> Result<Opened> {
        let backend = &self.backend;
        let now = backend.now();
        let transaction = backend.db().begin().await?;
        let found = queries::proof_by_token(&transaction, &hash(token)).await?;
        let row = backend.usable(&transaction, found, now).await?.ok_or_else(dead_link)?;
        let Some(Purpose::Open(errand)) = Purpose::from_stored(&row.purpose) else { return Err(dead_link().into()) };
        let key = backend.keyring().keys(&[row.dek_id]).await?.remove(&row.dek_id).ok_or_else(dead_link)?;
        let sealed = row.address_ct.as_ref().ok_or_else(dead_link)?;
        let opened = key.open(ProcessingPurpose::Provide, Place::ProofAddress, row.id.as_bytes(), sealed)?;
        let text = String::from_utf8(opened).map_err(|error| Error::fault("read a sealed text", error))?;
        if !queries::use_proof(&transaction, row.id, now).await? {
            return Err(dead_link().into());
        }
        let token = backend.open_portal(&transaction, &EmailAddress::parse(&text)?, now).await?;
        transaction.commit().await?;
        backend.keyring().destroy(row.dek_id).await?;
        Ok(Opened { token, errand })
    }

    /// Opens the portal by the code of a mail and the address it went to.
    ///
    /// # Errors
    /// Refuses, always in the same words, a code that is wrong, used, too old, not the newest, or typed wrong too often;
    /// and too many from one network.
    pub async fn prove_by_code(&self, email: &str, code: &str, client: &Client) -> Result<Opened> {
        let backend = &self.backend;
        let address = EmailAddress::parse(email)?;
        backend.limit(Limit::PortalCode, &hex::encode(client.network)).await?;
        let row = backend.use_code(&["open", &address.normalised()], code).await?.ok_or_else(dead_code)?;
        let Some(Purpose::Open(errand)) = Purpose::from_stored(&row.purpose) else { return Err(dead_code().into()) };
        let now = backend.now();
        let transaction = backend.db().begin().await?;
        let token = backend.open_portal(&transaction, &address, now).await?;
        transaction.commit().await?;
        backend.keyring().destroy(row.dek_id).await?;
        Ok(Opened { token, errand })
    }
}

impl Portal {
    fn bound_to(&self, coach: CoachId, new: &EmailAddress) -> [String; 4] {
        ["new_address".to_owned(), coach.to_string(), self.address.normalised(), new.normalised()]
    }

    /// Mails a code to the address that is to take the place of the proven one at a coach.
    ///
    /// # Errors
    /// Refuses what is no address, one that is the same, a coach who holds nothing, and too many mails to one address.
    pub async fn ask_new_address(&self, coach: CoachId, email: &str) -> Result<()> {
        let new = EmailAddress::parse(email)?;
        self.person(coach).await?;
        if new.normalised() == self.address.normalised() {
            return Err(Refusal::field("email", "This is the address you have already.").into());
        }
        self.backend.limit(Limit::PortalMail, &new.normalised()).await?;
        let bound = self.bound_to(coach, &new);
        let bound: Vec<&str> = bound.iter().map(String::as_str).collect();
        self.backend.write_proof(&new, Purpose::NewAddress, &bound).await
    }

    /// Uses the code of the new address up.
    pub(super) async fn use_new_address_code(&self, coach: CoachId, new: &EmailAddress, code: &str) -> Result<()> {
        let bound = self.bound_to(coach, new);
        let bound: Vec<&str> = bound.iter().map(String::as_str).collect();
        let row = self.backend.use_code(&bound, code).await?.ok_or_else(dead_code)?;
        Ok(self.backend.keyring().destroy(row.dek_id).await?)
    }
}
