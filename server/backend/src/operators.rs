//! Operators: exactly two people who keep the service, and what binds them (promises P25, P42, P43).
//!
//! Who sits on a seat is decided at the machine, by the command line. A seat opens nothing without a second factor, and
//! no look into an account goes without a reason, which its coach gets to read. A second factor here is an
//! authenticator app; keys of hardware are not supported yet, and the console says so.

pub mod children;
pub mod disclosures;
pub mod incidents;
pub mod reviews;

use domain::ids::CoachId;
use domain::{EmailAddress, Moment, Refusal, RefusalKind};
use persistence::entities::audit_entry;
pub use persistence::entities::disclosure::Model as DisclosureRow;
pub use persistence::entities::incident::Model as IncidentRow;
pub use persistence::entities::security_review::Model as ReviewRow;
use persistence::seats::{self as queries, AccountLine, Look, SEATS};
use persistence::{accounts, audits, rights};
use privacy::Person;
pub use privacy::audit::Verdict;
use privacy::audit::{Event, Role};
use privacy::holding::Held;
use privacy::retention::is_alarming;

use crate::rights::keep_promises::waiting;
use crate::{Backend, Coach, Error, Result};

/// Accounts and audit entries of one page.
pub const PAGE_ROWS: u64 = 100;
/// Longest reason for a look.
const MOST_REASON_CHARS: usize = 500;

/// An operator at work. Made by [`Coach::operator`] alone.
#[derive(Clone)]
pub struct Operator {
    backend: Backend,
    seat: i32,
}

/// Somebody on a seat.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Seated {
    /// 1 or 2.
    pub seat: i32,
    /// Sign-in address.
    pub email: String,
    /// Whether the second factor is on; without it the seat opens nothing.
    pub second_factor: bool,
    /// Since when.
    pub since: Moment,
}

/// An account somebody looked into, for a reason that is on record.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Which.
    pub id: CoachId,
    /// Her name.
    pub name: String,
    /// Her address.
    pub email: String,
    /// By kind, what is held: counts of her viewers', values of her own.
    pub held: Vec<Held>,
}

/// What an operator sees first.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Accounts by their ids.
    pub accounts: Vec<AccountLine>,
    /// Requests that are not over.
    pub open_requests: usize,
    /// Of these, erasures close to their last day.
    pub late: usize,
    /// The last review.
    pub review: Option<reviews::LastReview>,
}

/// A page of the audit chain, and whether the whole of it holds.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// Entries in order.
    pub entries: Vec<audit_entry::Model>,
    /// What a look through the whole chain found.
    pub verdict: Verdict,
}

fn no_account() -> Refusal {
    Refusal::new(RefusalKind::NotFound, "There is no account with this address.")
}

impl Backend {
    /// Gives an account one of the two seats: for the command line alone.
    ///
    /// # Errors
    /// Refuses an unknown address, one that sits already, and a third.
    pub async fn add_operator(&self, email: &str) -> Result<i32> {
        let email = EmailAddress::parse(email)?.normalised();
        let now = self.now();
        let transaction = self.db().begin().await?;
        let coach = accounts::coach_by_email(&transaction, &email).await?.ok_or_else(no_account)?;
        let conflict = |message: &str| Error::from(Refusal::new(RefusalKind::Conflict, message));
        let taken = queries::taken(&transaction).await?;
        if taken.iter().any(|(seat, _)| seat.coach_id == coach.id) {
            return Err(conflict("This account has a seat already."));
        }
        let free = SEATS.into_iter().find(|seat| taken.iter().all(|(one, _)| one.seat != *seat));
        let both = "Both seats are taken, and the policy promises that there are no more than two. Remove one first.";
        let seat = free.ok_or_else(|| conflict(both))?;
        if let Err(error) = queries::sit(&transaction, seat, coach.id, now).await {
            // Somebody else sat down in between.
            return Err(if persistence::unique_violation(&error).is_some() { conflict(both) } else { error.into() });
        }
        transaction.commit().await?;
        Ok(seat)
    }

    /// Takes an account's seat away.
    ///
    /// # Errors
    /// Refuses an address that has none.
    pub async fn remove_operator(&self, email: &str) -> Result<()> {
        let email = EmailAddress::parse(email)?.normalised();
        let transaction = self.db().begin().await?;
        let coach = accounts::coach_by_email(&transaction, &email).await?.ok_or_else(no_account)?;
        if !queries::stand_up(&transaction, coach.id).await? {
            return Err(Refusal::new(RefusalKind::NotFound, "This account has no seat.").into());
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Who sits where.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn operators(&self) -> Result<Vec<Seated>> {
        let taken = queries::taken(self.db().reader()).await?;
        let seated = |(seat, coach): (persistence::entities::operator_seat::Model, Option<_>)| {
            let coach: persistence::entities::coach::Model = coach?;
            let second_factor = coach.totp_enabled_at.is_some();
            Some(Seated { seat: seat.seat, email: coach.email, second_factor, since: seat.since })
        };
        Ok(taken.into_iter().filter_map(seated).collect())
    }
}

impl Coach {
    /// The operator she is.
    ///
    /// # Errors
    /// Refuses who has no seat in the words of an address that leads nowhere, and whoever did not give a second factor
    /// when signing in.
    pub async fn operator(&self) -> Result<Operator> {
        let reader = self.backend.db().reader();
        let seat = queries::seat_of(reader, self.id).await?.ok_or_else(Refusal::not_found)?;
        let row = self.row().await?;
        let logins = accounts::logins(reader, self.id).await?;
        let signed_in_at = logins.iter().find(|login| login.id == self.login).map(|login| login.created_at);
        match (row.totp_enabled_at, signed_in_at) {
            // A browser that signed in before the factor was switched on has never shown it.
            (Some(enabled), Some(signed_in)) if signed_in >= enabled => {
                Ok(Operator { backend: self.backend.clone(), seat })
            }
            _ => {
                let message =
                    "An operator needs a second factor. Switch it on under “Account” and sign in again with it.";
                Err(Refusal::new(RefusalKind::NotAllowed, message).into())
            }
        }
    }

    /// Whether she has one of the two seats, for the way there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_seat(&self) -> Result<bool> {
        Ok(queries::seat_of(self.backend.db().reader(), self.id).await?.is_some())
    }
}

impl Operator {
    /// Her seat.
    #[must_use]
    pub const fn seat(&self) -> i32 {
        self.seat
    }

    /// What there is to do, and accounts by their ids, before one of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overview(&self, before: Option<CoachId>) -> Result<Overview> {
        let backend = &self.backend;
        let now = backend.now();
        let open = rights::unfinished(backend.db().reader()).await?;
        let mut late = 0;
        for row in &open {
            late += usize::from(is_alarming(&waiting(row)?, now));
        }
        Ok(Overview {
            accounts: queries::accounts(backend.db().reader(), before, PAGE_ROWS).await?,
            open_requests: open.len(),
            late,
            review: backend.last_review(now).await?,
        })
    }

    /// Looks into an account. The reason is on record before anything is read, and its coach sees it (promise P42).
    ///
    /// # Errors
    /// Refuses without a reason, and an account that is not there.
    pub async fn look_into(&self, id: CoachId, reason: &str) -> Result<Opened> {
        let backend = &self.backend;
        let reason = checked_reason(reason)?;
        self.put_on_record(id, "account", reason).await?;
        let row = accounts::coach(backend.db().reader(), id).await?.ok_or_else(Refusal::not_found)?;
        let held = backend.held_about(Person::Coach(id)).await?;
        Ok(Opened { id, name: row.name, email: row.email, held })
    }

    async fn put_on_record(&self, coach: CoachId, what: &'static str, reason: String) -> Result<()> {
        let backend = &self.backend;
        let now = backend.now();
        let transaction = backend.db().begin().await?;
        if rights::hold_account(&transaction, coach).await?.is_none() {
            return Err(Refusal::not_found().into());
        }
        queries::insert_look(&transaction, Look { seat: self.seat, coach, what, reason }, now).await?;
        backend.audit(&transaction, Event::Looked, Role::Operator, None, ("oversight", 1), now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A page of the audit chain after an entry, with a look through the whole of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit(&self, after: i64) -> Result<AuditPage> {
        let reader = self.backend.db().reader();
        Ok(AuditPage {
            entries: audits::after(reader, after, PAGE_ROWS).await?,
            verdict: privacy::audit::verify_chain(reader).await?,
        })
    }
}

fn checked_reason(reason: &str) -> Result<String> {
    let reason = reason.trim();
    if reason.is_empty() {
        let message =
            "Nobody looks into an account without a reason, and its coach gets to read it. Nothing was shown.";
        return Err(
            Refusal { field: Some("reason".to_owned()), ..Refusal::new(RefusalKind::NotAllowed, message) }.into()
        );
    }
    if reason.chars().count() > MOST_REASON_CHARS {
        return Err(Refusal::field("reason", "Please say it in 500 characters or fewer.").into());
    }
    Ok(reason.to_owned())
}

/// A line of a register: something was typed, and not too much.
fn checked_line(field: &str, text: &str, most: usize) -> Result<String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > most {
        return Err(Refusal::field(field, format!("Please write between 1 and {most} characters.")).into());
    }
    Ok(text.to_owned())
}
