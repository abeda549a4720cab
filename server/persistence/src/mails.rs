//! The outbox as a fence sees it: which mail is on its way, which one waits, and how either ends.
//!
//! A mail goes `queued → sending → sent`. Nobody's state leaves "active" while a mail to them is `sending`, and no mail
//! becomes `sending` for somebody who is not: so a mail is sent before an erasure, restriction or withdrawal commits,
//! or never, without a transaction staying open while a mail server answers.

use domain::Moment;
use domain::fence::ABOUT_A_REQUEST;
use domain::ids::{CoachId, MailId, RegistrationId, SubjectId};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, ExprTrait, JoinType, PaginatorTrait, QueryFilter,
    QuerySelect, RelationDef, RelationTrait,
};

use crate::entities::{mail, registration, subject};
use crate::sequences;

/// Sending one mail takes no longer; a worker that says nothing after that has died with it.
pub const SENDING_SECONDS: i64 = 90;
/// How the refusal to raise a fence over a mail that is on its way reads.
const UNDER_WAY: &str = "a mail to this person is on its way";

/// Whose mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Every registrant of a coach.
    Coach(CoachId),
    /// One person.
    Subject(SubjectId),
    /// One booking.
    Registration(RegistrationId),
}

/// Whether a state could not be changed because of a mail that is on its way: worth trying again in a moment.
#[must_use]
pub fn is_under_way(error: &DbErr) -> bool {
    matches!(error, DbErr::Custom(text) if text == UNDER_WAY)
}

fn of(whose: Of) -> Condition {
    let of_registration = mail::Column::RegistrationId.is_not_null();
    match whose {
        Of::Coach(coach) => Condition::all().add(mail::Column::CoachId.eq(coach)).add(of_registration),
        Of::Registration(id) => Condition::all().add(mail::Column::RegistrationId.eq(id)),
        Of::Subject(subject) => {
            let bookings = Query::select()
                .column(registration::Column::Id)
                .from(registration::Entity)
                .and_where(registration::Column::SubjectId.eq(subject))
                .to_owned();
            Condition::all().add(mail::Column::RegistrationId.in_subquery(bookings))
        }
    }
}

/// One mail, for the worker.
///
/// # Errors
/// When the database fails.
pub async fn mail(conn: &impl ConnectionTrait, id: MailId) -> Result<Option<mail::Model>, DbErr> {
    mail::Entity::find_by_id(id).one(conn).await
}

/// Whose booking it is.
///
/// # Errors
/// When the database fails.
pub async fn person_of(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: RegistrationId,
) -> Result<Option<SubjectId>, DbErr> {
    registration::Entity::find_by_id(id)
        .filter(registration::Column::CoachId.eq(coach))
        .select_only()
        .column(registration::Column::SubjectId)
        .into_tuple()
        .one(conn)
        .await
}

/// Takes a mail to send it. Returns false when another worker was first.
///
/// # Errors
/// When the database fails.
pub async fn claim(conn: &impl ConnectionTrait, row: &mail::Model, now: Moment) -> Result<bool, DbErr> {
    let as_read = match row.sent_at {
        None => mail::Column::SentAt.is_null(),
        Some(since) => mail::Column::SentAt.eq(since),
    };
    let done = mail::Entity::update_many()
        .col_expr(mail::Column::State, Expr::value("sending"))
        .col_expr(mail::Column::SentAt, Expr::value(Some(now)))
        .filter(mail::Column::Id.eq(row.id))
        .filter(mail::Column::State.eq(row.state.as_str()))
        .filter(as_read)
        .exec(conn)
        .await?;
    Ok(done.rows_affected == 1)
}

/// The keyed hash of the address its person has now, of a mail to a registrant.
///
/// # Errors
/// When the database fails.
pub async fn address_of(conn: &impl ConnectionTrait, id: MailId) -> Result<Option<Vec<u8>>, DbErr> {
    let to_registration: RelationDef = mail::Entity::belongs_to(registration::Entity)
        .from(mail::Column::RegistrationId)
        .to(registration::Column::Id)
        .into();
    mail::Entity::find_by_id(id)
        .join(JoinType::InnerJoin, to_registration)
        .join(JoinType::InnerJoin, registration::Relation::Subject.def())
        .select_only()
        .column(subject::Column::EmailBidx)
        .into_tuple()
        .one(conn)
        .await
}

/// Writes what became of a mail, unless somebody else has meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn settle(
    conn: &impl ConnectionTrait,
    id: MailId,
    from: &str,
    to: &str,
    note: Option<&str>,
    sent_at: Option<Moment>,
) -> Result<bool, DbErr> {
    let done = mail::Entity::update_many()
        .col_expr(mail::Column::State, Expr::value(to))
        .col_expr(mail::Column::Note, Expr::value(note.map(str::to_owned)))
        .col_expr(mail::Column::SentAt, Expr::value(sent_at))
        .filter(mail::Column::Id.eq(id))
        .filter(mail::Column::State.eq(from))
        .exec(conn)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Gives mails back whose worker died while sending them.
///
/// # Errors
/// When the database fails.
pub async fn give_back_stale(conn: &impl ConnectionTrait, now: Moment) -> Result<u64, DbErr> {
    let done = mail::Entity::update_many()
        .col_expr(mail::Column::State, Expr::value("queued"))
        .col_expr(mail::Column::SentAt, Expr::value(None::<Moment>))
        .filter(mail::Column::State.eq("sending"))
        // Those of a sequence go back to waiting for their own worker.
        .filter(mail::Column::DueAt.is_null())
        .filter(mail::Column::SentAt.lte(now.plus_seconds(-SENDING_SECONDS)))
        .exec(conn)
        .await?;
    sequences::give_back_stale(conn, now).await?;
    Ok(done.rows_affected)
}

/// Refuses while a mail is on its way. Asked after the fence was raised in the same transaction: from then on no
/// worker can take another one.
///
/// # Errors
/// An error [`is_under_way`] knows; or when the database fails.
pub async fn none_under_way(conn: &impl ConnectionTrait, whose: Of) -> Result<(), DbErr> {
    let sending = mail::Entity::find().filter(of(whose)).filter(mail::Column::State.eq("sending")).count(conn).await?;
    if sending > 0 { Err(DbErr::Custom(UNDER_WAY.to_owned())) } else { Ok(()) }
}

/// Moves every waiting mail that is not about a request itself.
async fn move_all(conn: &impl ConnectionTrait, whose: Of, from: &[&str], to: &str, note: &str) -> Result<u64, DbErr> {
    let done = mail::Entity::update_many()
        .col_expr(mail::Column::State, Expr::value(to))
        .col_expr(mail::Column::Note, Expr::value(Some(note.to_owned())))
        .filter(of(whose))
        .filter(mail::Column::State.is_in(from.iter().copied()))
        .filter(mail::Column::Template.starts_with(ABOUT_A_REQUEST).not())
        .exec(conn)
        .await?;
    Ok(done.rows_affected)
}

/// Planned mail waits from now on; nothing of it is rendered.
///
/// # Errors
/// When the database fails.
pub async fn hold_planned(conn: &impl ConnectionTrait, whose: Of) -> Result<u64, DbErr> {
    move_all(conn, whose, &["queued"], "held", "Waits, as long as the restriction lasts.").await
}

/// Planned mail never goes out.
///
/// # Errors
/// When the database fails.
pub async fn drop_planned(conn: &impl ConnectionTrait, whose: Of, note: &str) -> Result<u64, DbErr> {
    move_all(conn, whose, &["queued", "waiting"], "dropped", note).await
}

/// Mail that waited is dropped: its time has passed, and nobody is flooded with it.
///
/// # Errors
/// When the database fails.
pub async fn drop_held(conn: &impl ConnectionTrait, whose: Of) -> Result<u64, DbErr> {
    // What became of a session is told while that is of use, which is judged when it goes.
    mail::Entity::update_many()
        .col_expr(mail::Column::State, Expr::value("waiting"))
        .col_expr(mail::Column::Note, Expr::value(None::<String>))
        .col_expr(mail::Column::DueAt, Expr::col(mail::Column::SendAt))
        .filter(of(whose))
        .filter(mail::Column::State.eq("held"))
        .filter(mail::Column::Template.is_in(crate::sequences::NOTICES))
        .exec(conn)
        .await?;
    move_all(conn, whose, &["held"], "dropped", "Its time passed while it waited.").await
}
