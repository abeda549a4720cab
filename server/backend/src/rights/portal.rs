//! The viewers' portal: rights of people without an account (promises P26, P29, P31 to P36; privacy-design §2.6).
//!
//! How somebody gets in: an address is typed → the same answer for everybody → a job mails a link and a code → one of
//! them is posted → half an hour in which this browser is a [`Portal`], the only handle to data across coaches. The
//! answer to an address depends on nothing that is held: nobody is looked up before the proof.

mod archives;
mod correct;
mod held;
mod letters;
mod lookup;
mod proof;
mod wishes;

use domain::ids::{CoachId, SubjectId};
use domain::processing::ProcessingPurpose;
use domain::rights::{Regime, SubjectState};
use domain::{EmailAddress, Moment, Refusal};
use persistence::portal as queries;
use persistence::rights;
use persistence::sealed::{Place, SubjectKey};
use sea_orm::ConnectionTrait;

use super::fence::being_erased;
use crate::{Backend, Error, Result};

pub use correct::{Corrected, answer_name};
pub use proof::{MAIL_PROOF, Opened};
pub(crate) use wishes::VIEWER_ASKED;

/// Somebody who proved an address, for half an hour. Every verb is about that address and no other: a coach is named by
/// the person, the person's row at her is found by the address.
#[derive(Clone)]
pub struct Portal {
    backend: Backend,
    address: EmailAddress,
    session: Vec<u8>,
    until: Moment,
}

impl Backend {
    /// Who a browser's portal cookie stands for, as long as it does.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn portal_by_token(&self, token: &str) -> Result<Option<Portal>> {
        let session = proof::hash(token);
        let Some(row) = queries::session(self.db().reader(), &session, self.now()).await? else { return Ok(None) };
        let opened = self.session_key(token).open(
            ProcessingPurpose::Provide,
            Place::PortalAddress,
            &place_of(&session),
            &row.address_ct,
        )?;
        let text = String::from_utf8(opened).map_err(|error| Error::fault("read a sealed text", error))?;
        Ok(Some(Portal { backend: self.clone(), address: EmailAddress::parse(&text)?, session, until: row.expires_at }))
    }

    /// The key of a session's address: without the browser's token nobody reads it.
    fn session_key(&self, token: &str) -> SubjectKey {
        SubjectKey::from_bytes(self.secrets().mac("portal-session", &[token.as_bytes()]))
    }
}

/// What a session's sealed address is bound to.
fn place_of(session: &[u8]) -> [u8; 16] {
    let mut place = [0; 16];
    for (to, from) in place.iter_mut().zip(session) {
        *to = *from;
    }
    place
}

/// Whose law sets the clock, by the country a registration came from. California's clock is the longer one, and the
/// earliest wins (privacy-design §2.3), so everybody but the United Kingdom has the GDPR's.
fn regime_of(country: &str) -> Regime {
    if country == "GB" { Regime::Uk } else { Regime::Gdpr }
}

/// Holds account and person, in this order, for a change of the person's own.
///
/// # Errors
/// Refuses what is not there, and somebody who is being erased.
async fn hold(conn: &impl ConnectionTrait, (coach, subject): (CoachId, SubjectId)) -> Result<SubjectState> {
    match rights::hold_account(conn, coach).await? {
        None => Err(Refusal::not_found().into()),
        Some(domain::rights::AccountState::Erasing) => Err(being_erased().into()),
        // The coach's account may rest or be closed: what the person asks for is not hers to refuse.
        Some(_) => super::resting::hold(conn, coach, subject).await,
    }
}

impl Portal {
    /// The proven address, as it was typed.
    #[must_use]
    pub fn address(&self) -> &str {
        self.address.as_str()
    }

    /// Until when this browser has it.
    #[must_use]
    pub const fn until(&self) -> Moment {
        self.until
    }

    /// Ends the session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn leave(&self) -> Result<()> {
        let transaction = self.backend.db().begin().await?;
        queries::end_session(&transaction, &self.session).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The person a coach holds under the proven address.
    ///
    /// # Errors
    /// Refuses a coach who holds nothing, in the same words as one who does not exist.
    pub async fn person(&self, coach: CoachId) -> Result<(CoachId, SubjectId)> {
        let subject = self.backend.held_at(coach, &self.address).await?;
        Ok((coach, subject.ok_or_else(Refusal::not_found)?))
    }
}
