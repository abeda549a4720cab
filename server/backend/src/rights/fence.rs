//! The fence: what every writer asks inside its own transaction, and how one is raised.
//!
//! Whoever adds to an account's or a person's data holds the account first, then the person, and only then writes. An
//! erasure or restriction changes the state of that same row, so it comes before the writer or after it, never between.

use std::time::Duration;

use domain::ids::CoachId;
use domain::rights::AccountState;
use domain::{Refusal, RefusalKind};
use futures::future::BoxFuture;
use persistence::{mails, rights};
use sea_orm::{ConnectionTrait, DatabaseTransaction};

use crate::{Backend, Result};

/// How long a mail that is on its way is awaited: longer than a claim lasts, so that one whose server died is not.
const PATIENCE_SECONDS: i64 = mails::SENDING_SECONDS + 10;
/// Another server may be sending it; its end is only seen by looking.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Holds an account whose public pages take something from a stranger.
///
/// # Errors
/// Refuses when its pages are not public any more.
pub(crate) async fn hold_public(conn: &impl ConnectionTrait, coach: CoachId) -> Result<()> {
    public(rights::hold_account(conn, coach).await?)
}

/// An account as seen, whose pages only show something.
///
/// # Errors
/// Refuses when its pages are not public any more.
pub(crate) fn public(state: Option<AccountState>) -> Result<()> {
    match state {
        Some(state) if state.is_public() => Ok(()),
        Some(state) => Err(state.not_public().into()),
        None => Err(Refusal::not_found().into()),
    }
}

/// Holds an account in which the coach changes something.
///
/// # Errors
/// Refuses when nothing in it can be changed any more.
pub(crate) async fn hold_changeable(conn: &impl ConnectionTrait, coach: CoachId) -> Result<()> {
    match rights::hold_account(conn, coach).await? {
        Some(state) if state.may_be_changed() => Ok(()),
        Some(state) => Err(state.not_changeable().into()),
        None => Err(Refusal::sign_in().into()),
    }
}

/// The answer about a person whose data rests, to a coach who wants to do something with it.
pub(crate) fn rests() -> Refusal {
    let message = "This person asked for their data to be kept and not used. You can do nothing with it until they end \
                   that, and nothing was done now.";
    Refusal::new(RefusalKind::Conflict, message)
}

/// The answer about a person who is being erased.
pub(crate) fn being_erased() -> Refusal {
    let message = "This cannot be done at the moment, because something about this address is just being removed. \
                   Please try again tomorrow; nothing you typed was kept.";
    Refusal::new(RefusalKind::Conflict, message)
}

impl Backend {
    /// Changes somebody's state in a transaction that commits only when no mail to them is on its way: what is being
    /// sent at this instant is awaited, and what is not yet claimed never goes out. `change` may run more than once; of
    /// its runs only the last one is kept.
    ///
    /// # Errors
    /// What `change` refuses; and when a mail server keeps us waiting for longer than a mail may take.
    pub async fn fence<T, F>(&self, change: F) -> Result<T>
    where
        F: for<'a> Fn(&'a DatabaseTransaction) -> BoxFuture<'a, Result<T>>,
    {
        let give_up = self.now().plus_seconds(PATIENCE_SECONDS);
        loop {
            let settled = self.mail_settled().notified();
            let transaction = self.db().begin().await?;
            match change(&transaction).await {
                Ok(done) => {
                    transaction.commit().await?;
                    return Ok(done);
                }
                Err(error) if error.is_mail_under_way() => transaction.rollback().await?,
                Err(error) => return Err(error),
            }
            if self.now() >= give_up {
                let message = "A mail is on its way and does not arrive. Nothing was changed; please try again in a \
                               minute.";
                return Err(Refusal::new(RefusalKind::Busy, message).into());
            }
            let transaction = self.db().begin().await?;
            mails::give_back_stale(&transaction, self.now()).await?;
            transaction.commit().await?;
            tokio::select! {
                () = settled => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }
}
