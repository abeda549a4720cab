//! A coach leaves, or lets her account rest: proof, fence and record in one transaction, and one way back
//! (architecture walk B, privacy-design §2.3, promises P28 and P45).
//!
//! What proves her is her password and, fresh, her second factor: six digits or a recovery code, and for who has none
//! a link mailed a moment ago. Whoever took over a session has neither, and for three days after a change of password
//! or address nobody gets through at all.

use std::sync::Arc;

use domain::ids::{CoachId, RequestId};
use domain::leaving::{Exit, check_cooled, check_typed_name};
use domain::rights::{AccountState, Regime, RequestState, RightKind};
use domain::secret::Secret;
use domain::{Moment, Refusal, RefusalKind};
use futures::FutureExt;
use persistence::entities::dsr_request;
use persistence::{accounts, leaving as queries, rights};
use privacy::audit::{Event, Role};
use sea_orm::{DatabaseTransaction, Set};

use super::{Asked, Details, RequestKey, Whose};
use crate::limits::Limit;
use crate::tokens::Purpose;
use crate::{Backend, Coach, Error, Result};

/// Mail: the account goes in a fortnight.
pub(crate) const DELETION_BEGUN: &str = "rights_deletion_begun";
/// Mail: the account is closed and can be read for a month.
pub(crate) const ACCOUNT_CLOSED: &str = "rights_account_closed";
/// Mail: everything is as it was.
pub(crate) const CALLED_OFF: &str = "rights_called_off";

/// What proves that it is really she who leaves.
#[derive(Default)]
pub struct LeavingProof {
    /// Her password.
    pub password: Secret,
    /// Six digits or a recovery code, when she has a second factor.
    pub code: String,
    /// The token of the mailed link, when she has none.
    pub token: String,
    /// Her name, typed.
    pub name: String,
}

fn moved_on(state: AccountState) -> Refusal {
    let message = match state {
        AccountState::Leaving | AccountState::Closing => {
            "Your account is on its way out already. You can call that off, or have everything deleted now."
        }
        AccountState::Erasing => "Your account is being deleted.",
        AccountState::Active | AccountState::Restricted => "Your account is not in a state that allows this.",
    };
    Refusal::new(RefusalKind::Conflict, message)
}

impl Coach {
    /// Mails the link that stands in for a second factor: it opens the page on which the account is closed, for a
    /// quarter of an hour, once.
    ///
    /// # Errors
    /// Refuses more than three mails an hour, and an account that has a second factor.
    pub async fn mail_leaving_link(&self) -> Result<()> {
        let backend = &self.backend;
        let row = self.row().await?;
        if row.totp_enabled_at.is_some() {
            let message = "You have a second factor; its code is all that is wanted.";
            return Err(Refusal::new(RefusalKind::Conflict, message).into());
        }
        backend.limit(Limit::AccountMail, &row.email_normal).await?;
        let transaction = backend.db().begin().await?;
        backend.mail_token(&transaction, self.id, Purpose::CloseAccount, None, backend.now()).await?;
        transaction.commit().await?;
        backend.wake_worker();
        Ok(())
    }

    /// Password, then the second factor or the mailed link; each is used up.
    async fn prove_twice(&self, proof: &LeavingProof) -> Result<()> {
        let backend = &self.backend;
        let row = self.prove("password", &proof.password).await?;
        let now = backend.now();
        if row.totp_enabled_at.is_none() {
            let missing = || {
                let message =
                    "Please open the link we mail you first. It works for 15 minutes, once; nothing was changed.";
                Refusal::field("token", message)
            };
            let transaction = backend.db().begin().await?;
            let token = backend.usable_token(&transaction, &proof.token).await?;
            let token = token
                .filter(|token| token.coach_id == self.id && token.purpose == Purpose::CloseAccount.as_str())
                .ok_or_else(missing)?;
            if !accounts::use_token(&transaction, token.id, now).await? {
                return Err(missing().into());
            }
            transaction.commit().await?;
            return Ok(());
        }
        backend.limit(Limit::SecondFactor, &self.id.to_string()).await?;
        let transaction = backend.db().begin().await?;
        if !backend.use_second_factor(&transaction, &row, &proof.code, now).await? {
            let message = "This code is wrong, late, or was used before. Please take the one shown now.";
            return Err(Refusal::field("code", message).into());
        }
        backend.forgive(&transaction, Limit::SecondFactor, &self.id.to_string()).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Takes an exit. In the same second every other browser is signed out, her pages answer that they are gone, no
    /// mail leaves and uploads end. Answers with the request, when one was opened.
    ///
    /// # Errors
    /// Refuses a wrong name, password or second factor, an account that has just changed hands, and an exit that does
    /// not lead from where the account is.
    pub async fn leave(&self, exit: Exit, proof: &LeavingProof) -> Result<Option<RequestId>> {
        let backend = &self.backend;
        let now = backend.now();
        let row = self.row().await?;
        let state = AccountState::from_stored(&row.state).ok_or_else(Refusal::sign_in)?;
        if !exit.can_be_taken_from(state) {
            return Err(moved_on(state).into());
        }
        check_cooled(row.credentials_changed_at, now)?;
        check_typed_name(&proof.name, &row.name)?;
        self.prove_twice(proof).await?;
        let key = Arc::new(backend.request_key(now).await?);
        let (engine, coach) = (backend.clone(), self.clone());
        let request = backend
            .fence(move |transaction| {
                let (engine, coach, key) = (engine.clone(), coach.clone(), key.clone());
                async move { engine.take_exit(transaction, &coach, (exit, state), &key, now).await }.boxed()
            })
            .await?;
        backend.abort_uploads_of(self.id).await?;
        backend.wake_worker();
        Ok(request)
    }

    /// Calls her leaving off: everything is as it was before, but mail whose time passed meanwhile.
    ///
    /// # Errors
    /// Refuses when there is nothing to call off, or the erasure has begun.
    pub async fn stay(&self) -> Result<()> {
        let backend = &self.backend;
        let now = backend.now();
        let (engine, id) = (backend.clone(), self.id);
        let ended = backend
            .fence(move |transaction| {
                let engine = engine.clone();
                async move { engine.call_off(transaction, id, now).await }.boxed()
            })
            .await?;
        if let Some(request) = ended {
            // After the commit: a request whose key went first could not go on if the commit failed.
            backend.keyring().destroy(request.dek_id).await?;
        }
        backend.wake_worker();
        Ok(())
    }

    /// Lets her account rest: everything is kept and nothing is sent, shown to strangers or changed (Art. 18).
    ///
    /// # Errors
    /// Refuses an account that is not in use.
    pub async fn restrict_account(&self) -> Result<()> {
        self.move_account(AccountState::Active, AccountState::Restricted, Event::Restricted).await
    }

    /// Ends that.
    ///
    /// # Errors
    /// Refuses an account that does not rest.
    pub async fn end_account_restriction(&self) -> Result<()> {
        self.move_account(AccountState::Restricted, AccountState::Active, Event::Lifted).await
    }

    async fn move_account(&self, from: AccountState, to: AccountState, event: Event) -> Result<()> {
        let backend = &self.backend;
        let now = backend.now();
        let (engine, id) = (backend.clone(), self.id);
        backend
            .fence(move |transaction| {
                let engine = engine.clone();
                async move {
                    if !rights::set_account_state(transaction, id, &[from], to).await? {
                        let message = "Your account is not in a state that allows this. Nothing was changed.";
                        return Err(Refusal::new(RefusalKind::Conflict, message).into());
                    }
                    engine.audit(transaction, event, Role::Coach, None, ("restriction", 1), now).await
                }
                .boxed()
            })
            .await?;
        backend.wake_worker();
        Ok(())
    }
}

impl Backend {
    async fn take_exit(
        &self,
        transaction: &DatabaseTransaction,
        coach: &Coach,
        (exit, before): (Exit, AccountState),
        key: &RequestKey,
        now: Moment,
    ) -> Result<Option<RequestId>> {
        let id = coach.id;
        if !rights::set_account_state(transaction, id, &[before], exit.leads_to()).await? {
            return Err(moved_on(AccountState::Erasing).into());
        }
        // This browser stays, because it shows the way back; from an erasure there is none.
        let kept = (exit != Exit::Now).then_some(coach.login);
        accounts::delete_logins(transaction, id, kept).await?;
        match exit {
            Exit::Later => {
                queries::remember(transaction, id, Some(before), None).await?;
                let request = self.open_deletion(transaction, id, key, Some(exit.begins_at(now)), now).await?;
                self.tell_of_account(transaction, id, DELETION_BEGUN, now).await?;
                Ok(Some(request))
            }
            Exit::TakeAlong => {
                queries::remember(transaction, id, Some(before), Some(exit.begins_at(now))).await?;
                self.audit(transaction, Event::Opened, Role::Coach, None, ("right", 1), now).await?;
                self.tell_of_account(transaction, id, ACCOUNT_CLOSED, now).await?;
                Ok(None)
            }
            Exit::Now => match queries::undoable(transaction, id).await? {
                // It was asked for already: the days left are given up.
                Some(row) => {
                    if !queries::give_up_undo(transaction, row.id, now).await? {
                        return Err(moved_on(AccountState::Erasing).into());
                    }
                    self.plan_run(transaction, row.id, now, now).await?;
                    Ok(Some(row.id))
                }
                None => Ok(Some(self.open_deletion(transaction, id, key, None, now).await?)),
            },
        }
    }

    async fn open_deletion(
        &self,
        transaction: &DatabaseTransaction,
        coach: CoachId,
        key: &RequestKey,
        undo_until: Option<Moment>,
        now: Moment,
    ) -> Result<RequestId> {
        let asked = Asked {
            regime: Regime::Gdpr,
            kind: RightKind::Erase,
            whose: Whose::Coach(coach),
            undo_until,
            details: Details::default(),
        };
        self.open_request(transaction, key, &asked, now).await
    }

    pub(crate) async fn tell_of_account(
        &self,
        transaction: &DatabaseTransaction,
        coach: CoachId,
        template: &str,
        now: Moment,
    ) -> Result<()> {
        let once = format!("{template}:{coach}:{}", now.0);
        self.enqueue_mail(transaction, coach, template, &once, None, None, now).await
    }

    /// Answers with the request that was ended, when there was one.
    async fn call_off(
        &self,
        transaction: &DatabaseTransaction,
        id: CoachId,
        now: Moment,
    ) -> Result<Option<dsr_request::Model>> {
        let nothing = || {
            let message = "There is nothing to call off any more. Nothing was changed.";
            Error::from(Refusal::new(RefusalKind::Conflict, message))
        };
        let row = accounts::coach(transaction, id).await?.ok_or_else(Refusal::sign_in)?;
        let back = row.state_before.as_deref().and_then(AccountState::from_stored).unwrap_or(AccountState::Active);
        let ended = queries::undoable(transaction, id).await?;
        if let Some(request) = &ended {
            domain::rights::step(RequestState::Undo, RequestState::Cancelled)?;
            let change = dsr_request::ActiveModel {
                coach_id: Set(None),
                details_ct: Set(None),
                completed_at: Set(Some(now)),
                ..Default::default()
            };
            let (undo, cancelled) = (RequestState::Undo, RequestState::Cancelled);
            if !rights::move_request(transaction, request.id, undo, cancelled, change).await? {
                return Err(nothing());
            }
        }
        let from = [AccountState::Leaving, AccountState::Closing];
        if !rights::set_account_state(transaction, id, &from, back).await? {
            return Err(nothing());
        }
        queries::remember(transaction, id, None, None).await?;
        let request = ended.as_ref().map(|request| request.id);
        self.audit(transaction, Event::Cancelled, Role::Coach, request, ("right", 1), now).await?;
        self.tell_of_account(transaction, id, CALLED_OFF, now).await?;
        Ok(ended)
    }

    /// Closed accounts whose month is over begin to be erased, each in a transaction of its own. The thirty days of
    /// promise P45 begin here: until now she could take everything along.
    pub(crate) async fn end_closed_accounts(&self, now: Moment) -> Result<()> {
        for id in queries::closed_before(self.db().reader(), now).await? {
            let key = Arc::new(self.request_key(now).await?);
            let engine = self.clone();
            let used = Arc::clone(&key);
            let opened = self.fence(move |transaction| {
                let (engine, key) = (engine.clone(), used.clone());
                async move {
                    let (closing, erasing) = (AccountState::Closing, AccountState::Erasing);
                    // Called off in between.
                    if rights::set_account_state(transaction, id, &[closing], erasing).await? {
                        accounts::delete_logins(transaction, id, None).await?;
                        engine.open_deletion(transaction, id, &key, None, now).await?;
                    }
                    Ok(())
                }
                .boxed()
            });
            match opened.await {
                Err(Error::Refused(refusal)) if refusal.kind == RefusalKind::Busy => {
                    // An hour later is early enough, and what else is due is not kept waiting.
                    tracing::warn!("a mail on its way keeps an account from ending; it is tried again");
                    self.keyring().destroy(key.id).await?;
                }
                ended => ended?,
            }
        }
        Ok(())
    }
}
