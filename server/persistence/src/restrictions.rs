//! Restrictions, objections, suppressions and agreements taken back: what a person said about the use of their data.
//!
//! Whoever writes here has held the person first ([`crate::rights::hold_subject`]), so that no worker decides on what
//! is about to change.

use domain::Moment;
use domain::ids::{CoachId, ObjectionId, RegistrationId, RestrictionId, SubjectId, SuppressionId};
use domain::registration::ConsentPurpose;
use domain::rights::{ObjectionScope, RestrictionGround};
use sea_orm::sea_query::{Expr, OnConflict, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, ExprTrait, JoinType, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, RelationTrait, Set,
};

use crate::entities::{consent, objection, registration, restriction, subject, suppression};

/// The channel every mail goes by.
pub const MAIL: &str = "mail";
/// How an objection ended: the use stays away.
pub const UPHELD: &str = "upheld";
/// How an objection ended: the coach has grounds that weigh more.
pub const REJECTED: &str = "rejected";
/// How an objection ended: its person took it back.
pub const WITHDRAWN: &str = "withdrawn";
/// Rows of one listing.
const LIST_ROWS: u64 = 500;

/// Notes a restriction.
///
/// # Errors
/// When the database fails.
pub async fn insert(
    conn: &impl ConnectionTrait,
    subject: SubjectId,
    ground: RestrictionGround,
    now: Moment,
) -> Result<(), DbErr> {
    let row = restriction::ActiveModel {
        id: Set(RestrictionId::new()),
        subject_id: Set(subject),
        ground: Set(ground.as_str().to_owned()),
        from_at: Set(now),
        lift_notice_at: Set(None),
        lifted_at: Set(None),
    };
    restriction::Entity::insert(row).exec_without_returning(conn).await.map(drop)
}

/// Restrictions of a person that stand, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn standing(conn: &impl ConnectionTrait, subject: SubjectId) -> Result<Vec<restriction::Model>, DbErr> {
    restriction::Entity::find()
        .filter(restriction::Column::SubjectId.eq(subject))
        .filter(restriction::Column::LiftedAt.is_null())
        .order_by_asc(restriction::Column::FromAt)
        .limit(LIST_ROWS)
        .all(conn)
        .await
}

/// Ends the restrictions of a person on one ground, or all; tells how many stood.
///
/// # Errors
/// When the database fails.
pub async fn end(
    conn: &impl ConnectionTrait,
    subject: SubjectId,
    ground: Option<RestrictionGround>,
    now: Moment,
) -> Result<u64, DbErr> {
    let mut update = restriction::Entity::update_many()
        .col_expr(restriction::Column::LiftedAt, Expr::value(Some(now)))
        .filter(restriction::Column::SubjectId.eq(subject))
        .filter(restriction::Column::LiftedAt.is_null());
    if let Some(ground) = ground {
        update = update.filter(restriction::Column::Ground.eq(ground.as_str()));
    }
    Ok(update.exec(conn).await?.rows_affected)
}

/// Notes that a person was told of the end of their restriction on one ground; tells whether one stood untold.
///
/// # Errors
/// When the database fails.
pub async fn announce_end(
    conn: &impl ConnectionTrait,
    subject: SubjectId,
    ground: RestrictionGround,
    now: Moment,
) -> Result<bool, DbErr> {
    let done = restriction::Entity::update_many()
        .col_expr(restriction::Column::LiftNoticeAt, Expr::value(Some(now)))
        .filter(restriction::Column::SubjectId.eq(subject))
        .filter(restriction::Column::Ground.eq(ground.as_str()))
        .filter(restriction::Column::LiftedAt.is_null())
        .filter(restriction::Column::LiftNoticeAt.is_null())
        .exec(conn)
        .await?;
    Ok(done.rows_affected > 0)
}

/// Calls off the announced end of a person's restriction on one ground.
///
/// # Errors
/// When the database fails.
pub async fn call_off_end(
    conn: &impl ConnectionTrait,
    subject: SubjectId,
    ground: RestrictionGround,
) -> Result<(), DbErr> {
    restriction::Entity::update_many()
        .col_expr(restriction::Column::LiftNoticeAt, Expr::value(None::<Moment>))
        .filter(restriction::Column::SubjectId.eq(subject))
        .filter(restriction::Column::Ground.eq(ground.as_str()))
        .filter(restriction::Column::LiftedAt.is_null())
        .exec(conn)
        .await
        .map(drop)
}

/// Restrictions whose end was announced before `before`: whose, of which coach, on which ground as stored.
///
/// # Errors
/// When the database fails.
pub async fn announced_before(
    conn: &impl ConnectionTrait,
    before: Moment,
) -> Result<Vec<(CoachId, SubjectId, String)>, DbErr> {
    restriction::Entity::find()
        .select_only()
        .column(subject::Column::CoachId)
        .column(restriction::Column::SubjectId)
        .column(restriction::Column::Ground)
        .join(JoinType::InnerJoin, restriction::Relation::Subject.def())
        .filter(restriction::Column::LiftedAt.is_null())
        .filter(restriction::Column::LiftNoticeAt.lte(before))
        .limit(LIST_ROWS)
        .into_tuple()
        .all(conn)
        .await
}

/// An objection to be noted.
pub struct NewObjection {
    /// Its id; the place its words are bound to.
    pub id: ObjectionId,
    /// Whose.
    pub subject: SubjectId,
    /// To what.
    pub scope: ObjectionScope,
    /// Why, sealed.
    pub reason_sealed: Option<Vec<u8>>,
    /// By when it has to be answered.
    pub answer_due_at: Moment,
    /// Decided at once, when there is nothing to weigh.
    pub decision: Option<&'static str>,
}

/// Notes an objection.
///
/// # Errors
/// When the database fails.
pub async fn insert_objection(conn: &impl ConnectionTrait, new: NewObjection, now: Moment) -> Result<(), DbErr> {
    let row = objection::ActiveModel {
        id: Set(new.id),
        subject_id: Set(new.subject),
        scope: Set(new.scope.as_str().to_owned()),
        reason_ct: Set(new.reason_sealed),
        answer_ct: Set(None),
        made_at: Set(now),
        answer_due_at: Set(new.answer_due_at),
        decision: Set(new.decision.map(str::to_owned)),
        decided_at: Set(new.decision.map(|_| now)),
    };
    objection::Entity::insert(row).exec_without_returning(conn).await.map(drop)
}

/// One objection of a person of this coach.
///
/// # Errors
/// When the database fails.
pub async fn objection(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: ObjectionId,
) -> Result<Option<objection::Model>, DbErr> {
    objection::Entity::find_by_id(id)
        .join(JoinType::InnerJoin, objection::Relation::Subject.def())
        .filter(subject::Column::CoachId.eq(coach))
        .one(conn)
        .await
}

/// Objections of a person that keep their data from being used: not to marketing, which has its own mark, and waiting
/// or upheld.
fn resting(subject: SubjectId) -> Condition {
    let waits = objection::Column::Decision.is_null();
    Condition::all()
        .add(objection::Column::SubjectId.eq(subject))
        .add(objection::Column::Scope.ne(ObjectionScope::Marketing.as_str()))
        .add(waits.or(objection::Column::Decision.eq(UPHELD)))
}

/// Whether an objection keeps a person's data from being used.
///
/// # Errors
/// When the database fails.
pub async fn objection_stands(conn: &impl ConnectionTrait, subject: SubjectId) -> Result<bool, DbErr> {
    Ok(objection::Entity::find().filter(resting(subject)).count(conn).await? > 0)
}

/// Notes that a person took back the objections that kept their data from being used.
///
/// # Errors
/// When the database fails.
pub async fn take_back_objections(conn: &impl ConnectionTrait, subject: SubjectId, now: Moment) -> Result<(), DbErr> {
    objection::Entity::update_many()
        .col_expr(objection::Column::Decision, Expr::value(Some(WITHDRAWN)))
        .col_expr(objection::Column::DecidedAt, Expr::value(Some(now)))
        .filter(resting(subject))
        .exec(conn)
        .await
        .map(drop)
}

/// Objections to this coach that wait for her answer, the most urgent first.
///
/// # Errors
/// When the database fails.
pub async fn open_objections(conn: &impl ConnectionTrait, coach: CoachId) -> Result<Vec<objection::Model>, DbErr> {
    objection::Entity::find()
        .join(JoinType::InnerJoin, objection::Relation::Subject.def())
        .filter(subject::Column::CoachId.eq(coach))
        .filter(objection::Column::Decision.is_null())
        .order_by_asc(objection::Column::AnswerDueAt)
        .limit(LIST_ROWS)
        .all(conn)
        .await
}

/// Writes the answer to an objection; tells whether it still waited for one.
///
/// # Errors
/// When the database fails.
pub async fn decide(
    conn: &impl ConnectionTrait,
    id: ObjectionId,
    decision: &'static str,
    answer_sealed: Option<Vec<u8>>,
    now: Moment,
) -> Result<bool, DbErr> {
    let done = objection::Entity::update_many()
        .col_expr(objection::Column::Decision, Expr::value(Some(decision)))
        .col_expr(objection::Column::AnswerCt, Expr::value(answer_sealed))
        .col_expr(objection::Column::DecidedAt, Expr::value(Some(now)))
        .filter(objection::Column::Id.eq(id))
        .filter(objection::Column::Decision.is_null())
        .exec(conn)
        .await?;
    Ok(done.rows_affected == 1)
}

/// The objection of a person that this coach decided last.
///
/// # Errors
/// When the database fails.
pub async fn last_decided(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    subject: SubjectId,
) -> Result<Option<objection::Model>, DbErr> {
    objection::Entity::find()
        .join(JoinType::InnerJoin, objection::Relation::Subject.def())
        .filter(subject::Column::CoachId.eq(coach))
        .filter(objection::Column::SubjectId.eq(subject))
        .filter(objection::Column::Decision.is_in([UPHELD, REJECTED]))
        .order_by_desc(objection::Column::DecidedAt)
        .one(conn)
        .await
}

/// Upholds every objection whose answer is overdue; tells how many there were.
///
/// # Errors
/// When the database fails.
pub async fn uphold_overdue(conn: &impl ConnectionTrait, now: Moment) -> Result<u64, DbErr> {
    let done = objection::Entity::update_many()
        .col_expr(objection::Column::Decision, Expr::value(Some(UPHELD)))
        .col_expr(objection::Column::DecidedAt, Expr::value(Some(now)))
        .filter(objection::Column::Decision.is_null())
        .filter(objection::Column::AnswerDueAt.lte(now))
        .exec(conn)
        .await?;
    Ok(done.rows_affected)
}

/// The keyed hash of the address a person has now.
pub(crate) fn index_of(coach: CoachId, id: SubjectId) -> SelectStatement {
    Query::select()
        .column(subject::Column::EmailBidx)
        .from(subject::Entity)
        .and_where(subject::Column::Id.eq(id))
        .and_where(subject::Column::CoachId.eq(coach))
        .to_owned()
}

/// Remembers not to write to a person of this coach by a channel; remembering twice is remembering once.
///
/// # Errors
/// When the database fails.
pub async fn suppress(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    email_index: &[u8],
    channel: &str,
    now: Moment,
) -> Result<(), DbErr> {
    insert_mark(conn, coach, email_index, (channel, None), now).await
}

pub(crate) async fn insert_mark(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    email_index: &[u8],
    (channel, strikes): (&str, Option<i32>),
    now: Moment,
) -> Result<(), DbErr> {
    use suppression::Column::{Channel, CoachId as Coach, EmailBidx};
    let row = suppression::ActiveModel {
        id: Set(SuppressionId::new()),
        coach_id: Set(coach),
        email_bidx: Set(email_index.to_vec()),
        channel: Set(channel.to_owned()),
        created_at: Set(now),
        strikes: Set(strikes),
        until_at: Set(None),
    };
    let known = OnConflict::columns([Coach, EmailBidx, Channel]).do_nothing().to_owned();
    suppression::Entity::insert(row).on_conflict(known).exec_without_returning(conn).await.map(drop)
}

/// Forgets that a person of this coach did not want to be written to by a channel.
///
/// # Errors
/// When the database fails.
pub async fn want_mail_again(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: SubjectId,
    channel: &str,
) -> Result<(), DbErr> {
    suppression::Entity::delete_many()
        .filter(suppression::Column::CoachId.eq(coach))
        .filter(suppression::Column::Channel.eq(channel))
        .filter(suppression::Column::EmailBidx.in_subquery(index_of(coach, id)))
        .exec(conn)
        .await
        .map(drop)
}

/// Whether a person of this coach does not want to be written to by a channel.
///
/// # Errors
/// When the database fails.
pub async fn is_suppressed(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: SubjectId,
    channel: &str,
) -> Result<bool, DbErr> {
    let marks = suppression::Entity::find()
        .filter(suppression::Column::CoachId.eq(coach))
        .filter(suppression::Column::Channel.eq(channel))
        .filter(suppression::Column::EmailBidx.in_subquery(index_of(coach, id)))
        .count(conn)
        .await?;
    Ok(marks > 0)
}

/// Notes that a person took an agreement back for a purpose; tells for which bookings it stood. The records stay, as
/// proof of what was in order until now.
///
/// # Errors
/// When the database fails.
pub async fn withdraw(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: SubjectId,
    purpose: &str,
    now: Moment,
) -> Result<Vec<RegistrationId>, DbErr> {
    let rows: Vec<(domain::ids::ConsentId, RegistrationId)> = consent::Entity::find()
        .select_only()
        .columns([consent::Column::Id, consent::Column::RegistrationId])
        .join(JoinType::InnerJoin, consent::Relation::Subject.def())
        .filter(consent::Column::SubjectId.eq(id))
        .filter(subject::Column::CoachId.eq(coach))
        .filter(consent::Column::Purpose.eq(purpose))
        .filter(consent::Column::WithdrawnAt.is_null())
        .into_tuple()
        .all(conn)
        .await?;
    consent::Entity::update_many()
        .col_expr(consent::Column::WithdrawnAt, Expr::value(Some(now)))
        .filter(consent::Column::Id.is_in(rows.iter().map(|(consent, _)| *consent)))
        .exec(conn)
        .await?;
    let mut bookings: Vec<RegistrationId> = rows.into_iter().map(|(_, booking)| booking).collect();
    bookings.sort_unstable();
    bookings.dedup();
    Ok(bookings)
}

/// Ends the links of these bookings now, unless they have run out before.
///
/// # Errors
/// When the database fails.
pub async fn end_links(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    bookings: &[RegistrationId],
    now: Moment,
) -> Result<(), DbErr> {
    registration::Entity::update_many()
        .col_expr(registration::Column::ExpiresAt, Expr::value(now))
        .filter(registration::Column::CoachId.eq(coach))
        .filter(registration::Column::Id.is_in(bookings.iter().copied()))
        .filter(registration::Column::ExpiresAt.gt(now))
        .exec(conn)
        .await
        .map(drop)
}

/// When the last agreement a booking rested on was taken back; nothing while one stands, or none was needed.
///
/// # Errors
/// When the database fails.
pub async fn taken_back_at(conn: &impl ConnectionTrait, booking: RegistrationId) -> Result<Option<Moment>, DbErr> {
    let given: Vec<Option<Moment>> = consent::Entity::find()
        .select_only()
        .column(consent::Column::WithdrawnAt)
        .filter(consent::Column::RegistrationId.eq(booking))
        .filter(consent::Column::Purpose.eq(ConsentPurpose::RunWebinar.as_str()))
        .limit(LIST_ROWS)
        .into_tuple()
        .all(conn)
        .await?;
    Ok(given.into_iter().collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().max()))
}

/// Whether somebody agreed, with this booking, to be sent offers, and did not take that back.
///
/// # Errors
/// When the database fails.
pub async fn agreed_to_offers(conn: &impl ConnectionTrait, booking: RegistrationId) -> Result<bool, DbErr> {
    let standing = consent::Entity::find()
        .filter(consent::Column::RegistrationId.eq(booking))
        .filter(consent::Column::Purpose.eq(ConsentPurpose::Offers.as_str()))
        .filter(consent::Column::WithdrawnAt.is_null())
        .count(conn)
        .await?;
    Ok(standing > 0)
}

/// Whether what a booking rests on still stands: false once every agreement given for it was taken back.
///
/// # Errors
/// When the database fails.
pub async fn agreement_stands(conn: &impl ConnectionTrait, booking: RegistrationId) -> Result<bool, DbErr> {
    Ok(taken_back_at(conn, booking).await?.is_none())
}
