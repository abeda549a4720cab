//! How often something may be tried (quality.md §4). What is counted is a keyed hash: neither an address nor a network
//! can be read from the table, and rows are forgotten within days.

use domain::Refusal;
use persistence::accounts;
use sea_orm::ConnectionTrait;

use crate::{Backend, Result};

/// A limit and what its key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Wrong passwords for one address from one network.
    Login,
    /// Wrong passwords for one address from anywhere.
    LoginAnywhere,
    /// Wrong codes of the second factor of one account.
    SecondFactor,
    /// Accounts opened from one network.
    SignUp,
    /// Mails an address gets because somebody typed it into a form of ours.
    AccountMail,
    /// Mails with a registrant's link to one address.
    LinkMail,
    /// "Send my link again" for one address on one page.
    LinkAgain,
    /// Registrations on one page from one network; an office may share one.
    Registration,
    /// Uploads begun by one coach.
    Upload,
    /// Wrong passwords typed by somebody already signed in.
    Proof,
    /// Complaints and reports from one network.
    Message,
    /// Proofs an address gets because somebody typed it into the viewers' portal.
    PortalMail,
    /// Asks of the portal from one network.
    Portal,
    /// Codes typed at the portal from one network.
    PortalCode,
    /// Mails a coach sends herself to see how they look.
    TestMail,
}

impl Limit {
    /// Tries, within so many seconds.
    const fn rate(self) -> (i64, i64) {
        match self {
            Self::Login | Self::SecondFactor | Self::Proof => (5, 15 * 60),
            Self::LoginAnywhere => (30, 15 * 60),
            Self::SignUp => (20, 3600),
            Self::Message => (10, 3600),
            Self::AccountMail | Self::LinkMail | Self::LinkAgain | Self::PortalMail => (3, 3600),
            Self::Portal => (30, 3600),
            Self::PortalCode => (30, 15 * 60),
            Self::Registration => (50, 5 * 60),
            Self::Upload | Self::TestMail => (20, 3600),
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::LoginAnywhere => "login-anywhere",
            Self::SecondFactor => "second-factor",
            Self::SignUp => "sign-up",
            Self::AccountMail => "account-mail",
            Self::LinkMail => "link-mail",
            Self::LinkAgain => "link-again",
            Self::Registration => "registration",
            Self::Upload => "upload",
            Self::Proof => "proof",
            Self::TestMail => "test-mail",
            Self::Message => "message",
            Self::PortalMail => "portal-mail",
            Self::Portal => "portal",
            Self::PortalCode => "portal-code",
        }
    }
}

impl Backend {
    fn limit_key(&self, limit: Limit, key: &str) -> [u8; 32] {
        self.secrets().mac("limit", &[limit.label().as_bytes(), key.as_bytes()])
    }

    /// Takes one place under a limit, in a transaction of its own: a try counts whatever comes of it.
    ///
    /// # Errors
    /// Refuses when no place is free, with the time until one is.
    pub(crate) async fn limit(&self, limit: Limit, key: &str) -> Result<()> {
        let transaction = self.db().begin().await?;
        self.limit_in(&transaction, limit, key).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Takes one place under a limit within the caller's transaction.
    ///
    /// # Errors
    /// Refuses when no place is free, with the time until one is.
    pub(crate) async fn limit_in(&self, conn: &impl ConnectionTrait, limit: Limit, key: &str) -> Result<()> {
        let (tries, seconds) = limit.rate();
        let tolerance = seconds * 1_000_000;
        let place =
            accounts::take_place(conn, &self.limit_key(limit, key), tolerance / tries, tolerance, self.now()).await?;
        place.map_err(|wait| Refusal::too_often(u32::try_from(wait / 1_000_000 + 1).unwrap_or(u32::MAX)).into())
    }

    /// Forgets the tries under a key, because the last one was right.
    pub(crate) async fn forgive(&self, conn: &impl ConnectionTrait, limit: Limit, key: &str) -> Result<()> {
        Ok(accounts::forget_place(conn, &self.limit_key(limit, key)).await?)
    }
}
