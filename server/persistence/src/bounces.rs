//! Addresses that do not take mail, and people who reported one: marks beside "do not write to me", by keyed hash.
//!
//! A mark outlives its person on purpose: whoever is erased and comes back is still not written to at an address that
//! does not exist. It belongs to one coach, so that nobody learns from it what another one sends.

use domain::Moment;
use domain::ids::{CoachId, SubjectId};
use domain::sequence::Suppression;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect, Set,
};

use crate::entities::{subject, suppression};
use crate::restrictions::{MAIL, index_of, insert_mark, want_mail_again};

/// Failed deliveries within [`STRIKE_DAYS`] that pause an address (product.md §4.9).
pub const MOST_STRIKES: i32 = 3;
/// Days within which failed deliveries count together, and for which an address is then left alone (product.md §4.9).
pub const STRIKE_DAYS: i64 = 30;

/// What is on record about writing to somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// They asked for no mail of the coach's own wish.
    pub objected: bool,
    /// Why their address is not written to.
    pub suppression: Option<Suppression>,
}

/// Whether a row that counts failed deliveries keeps mail back at this moment.
fn is_active(mark: &suppression::Model, now: Moment) -> bool {
    mark.strikes.is_none() || mark.until_at.is_some_and(|until| until > now)
}

impl Marks {
    /// From what is on record about one person.
    pub(crate) fn of(found: &[suppression::Model], now: Moment) -> Self {
        let has =
            |wanted: Suppression| found.iter().any(|mark| mark.channel == wanted.as_str() && is_active(mark, now));
        let weightiest = [Suppression::Complained, Suppression::Bounced].into_iter().find(|one| has(*one));
        Self { objected: found.iter().any(|mark| mark.channel == MAIL), suppression: weightiest }
    }
}

/// What is on record about writing to a person of this coach.
///
/// # Errors
/// When the database fails.
pub async fn marks(conn: &impl ConnectionTrait, coach: CoachId, id: SubjectId, now: Moment) -> Result<Marks, DbErr> {
    let found = suppression::Entity::find()
        .filter(suppression::Column::CoachId.eq(coach))
        .filter(suppression::Column::EmailBidx.in_subquery(index_of(coach, id)))
        .all(conn)
        .await?;
    Ok(Marks::of(&found, now))
}

/// What a mail that came back says about its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bounce {
    /// It does not exist.
    ForGood,
    /// It did not take this one.
    ForNow,
}

/// Notes that a person's address did not take a mail; tells whether it is left alone from here on.
///
/// # Errors
/// When the database fails.
pub async fn bounced(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: SubjectId,
    bounce: Bounce,
    now: Moment,
) -> Result<bool, DbErr> {
    let mut known = suppression::Entity::find()
        .filter(suppression::Column::CoachId.eq(coach))
        .filter(suppression::Column::Channel.eq(Suppression::Bounced.as_str()))
        .filter(suppression::Column::EmailBidx.in_subquery(index_of(coach, id)));
    if conn.get_database_backend() == DbBackend::Postgres {
        known = known.lock_exclusive();
    }
    let Some(known) = known.one(conn).await? else {
        let strikes = (bounce == Bounce::ForNow).then_some(1);
        mark(conn, coach, id, Suppression::Bounced, strikes, now).await?;
        return Ok(strikes.is_none());
    };
    let (before, began) = (known.strikes, known.created_at);
    let mut row = known.into_active_model();
    let is_left_alone = match (bounce, before) {
        (_, None) => return Ok(true),
        (Bounce::ForGood, Some(_)) => {
            row.strikes = Set(None);
            row.until_at = Set(None);
            true
        }
        (Bounce::ForNow, Some(_)) if began.plus_days(STRIKE_DAYS) <= now => {
            row.created_at = Set(now);
            row.strikes = Set(Some(1));
            row.until_at = Set(None);
            false
        }
        (Bounce::ForNow, Some(strikes)) => {
            let strikes = strikes.saturating_add(1);
            let is_enough = strikes >= MOST_STRIKES;
            row.strikes = Set(Some(strikes));
            row.until_at = Set(is_enough.then(|| now.plus_days(STRIKE_DAYS)));
            is_enough
        }
    };
    row.update(conn).await?;
    Ok(is_left_alone)
}

/// Notes that a person reported a mail as unwanted.
///
/// # Errors
/// When the database fails.
pub async fn complained(conn: &impl ConnectionTrait, coach: CoachId, id: SubjectId, now: Moment) -> Result<(), DbErr> {
    mark(conn, coach, id, Suppression::Complained, None, now).await
}

async fn mark(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: SubjectId,
    why: Suppression,
    strikes: Option<i32>,
    now: Moment,
) -> Result<(), DbErr> {
    let person = subject::Entity::find_by_id(id).filter(subject::Column::CoachId.eq(coach)).one(conn).await?;
    let Some(person) = person else { return Ok(()) };
    insert_mark(conn, coach, &person.email_bidx, (why.as_str(), strikes), now).await
}

/// A person who reported a mail wants mail again, and proved that it is they.
///
/// # Errors
/// When the database fails.
pub async fn forgive_complaint(conn: &impl ConnectionTrait, coach: CoachId, id: SubjectId) -> Result<(), DbErr> {
    want_mail_again(conn, coach, id, Suppression::Complained.as_str()).await
}

/// Writes to an address again that did not take mail: its coach knows better.
///
/// # Errors
/// When the database fails.
pub async fn try_again(conn: &impl ConnectionTrait, coach: CoachId, id: SubjectId) -> Result<(), DbErr> {
    want_mail_again(conn, coach, id, Suppression::Bounced.as_str()).await
}
