//! Small queries of the retention engine: what is over, a batch at a time, and its removal.
//!
//! What is under a legal hold, or restricted because its person needs it for a claim, is never over.

use std::collections::BTreeMap;

use domain::Moment;
use domain::ids::{CoachId, DekId, ExportId, RegistrationId, RequestId, SubjectId, WebinarId};
use domain::rights::{RequestState, RestrictionGround};
use sea_orm::sea_query::{Expr, OnConflict, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};

use crate::entities::{
    disclosure, dsr_request, erased_total, export_archive, legal_hold, portal_proof, portal_session, registration,
    restriction, subject, suppression, tombstone, webinar,
};

/// Rows of one batch: bounds how long a removal holds the database.
pub const BATCH: u64 = 200;

/// Webinars whose coach set a rule, after `after` in order of id: whose, which, how many days.
///
/// # Errors
/// When the database fails.
pub async fn webinar_rules(
    conn: &impl ConnectionTrait,
    after: Option<WebinarId>,
) -> Result<Vec<(CoachId, WebinarId, i32)>, DbErr> {
    let mut find = webinar::Entity::find()
        .select_only()
        .columns([webinar::Column::CoachId, webinar::Column::Id, webinar::Column::RetentionDays])
        .filter(webinar::Column::RetentionDays.is_not_null())
        .order_by_asc(webinar::Column::Id)
        .limit(BATCH);
    if let Some(after) = after {
        find = find.filter(webinar::Column::Id.gt(after));
    }
    find.into_tuple().all(conn).await
}

fn needed_for_a_claim() -> SelectStatement {
    Query::select()
        .column(restriction::Column::SubjectId)
        .from(restriction::Entity)
        .and_where(restriction::Column::LiftedAt.is_null())
        .and_where(restriction::Column::Ground.eq(RestrictionGround::Claim.as_str()))
        .to_owned()
}

fn held(coach: CoachId, now: Moment) -> SelectStatement {
    Query::select()
        .column(legal_hold::Column::SubjectId)
        .from(legal_hold::Entity)
        .and_where(legal_hold::Column::CoachId.eq(coach))
        .and_where(legal_hold::Column::SubjectId.is_not_null())
        .and_where(legal_hold::Column::UntilAt.gt(now))
        .to_owned()
}

/// Whether everything of a coach is under a hold.
async fn is_held(conn: &impl ConnectionTrait, coach: CoachId, now: Moment) -> Result<bool, DbErr> {
    let hold = legal_hold::Entity::find()
        .filter(legal_hold::Column::CoachId.eq(coach))
        .filter(legal_hold::Column::SubjectId.is_null())
        .filter(legal_hold::Column::UntilAt.gt(now))
        .one(conn)
        .await?;
    Ok(hold.is_some())
}

/// A booking whose time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// Which.
    pub booking: RegistrationId,
    /// Whose.
    pub subject: SubjectId,
}

/// A batch of bookings of a webinar whose link ran out before a moment.
///
/// # Errors
/// When the database fails.
pub async fn bookings_over(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    webinar: WebinarId,
    before: Moment,
    now: Moment,
) -> Result<Vec<Over>, DbErr> {
    if is_held(conn, coach, now).await? {
        return Ok(Vec::new());
    }
    let kept = Condition::any()
        .add(registration::Column::SubjectId.in_subquery(needed_for_a_claim()))
        .add(registration::Column::SubjectId.in_subquery(held(coach, now)));
    let rows: Vec<(RegistrationId, SubjectId)> = registration::Entity::find()
        .select_only()
        .columns([registration::Column::Id, registration::Column::SubjectId])
        .filter(registration::Column::CoachId.eq(coach))
        .filter(registration::Column::WebinarId.eq(webinar))
        .filter(registration::Column::ExpiresAt.lt(before))
        .filter(kept.not())
        .order_by_asc(registration::Column::Id)
        .limit(BATCH)
        .into_tuple()
        .all(conn)
        .await?;
    Ok(rows.into_iter().map(|(booking, subject)| Over { booking, subject }).collect())
}

/// Of the people behind these bookings, those who have no other one: they go as well, with their keys.
///
/// # Errors
/// When the database fails.
pub async fn without_others(conn: &impl ConnectionTrait, over: &[Over]) -> Result<Vec<(SubjectId, DekId)>, DbErr> {
    let others = Query::select()
        .column(registration::Column::SubjectId)
        .from(registration::Entity)
        .and_where(registration::Column::SubjectId.is_in(over.iter().map(|one| one.subject)))
        .and_where(registration::Column::Id.is_not_in(over.iter().map(|one| one.booking)))
        .to_owned();
    subject::Entity::find()
        .select_only()
        .columns([subject::Column::Id, subject::Column::DekId])
        .filter(subject::Column::Id.is_in(over.iter().map(|one| one.subject)))
        .filter(subject::Column::Id.not_in_subquery(others))
        .into_tuple()
        .all(conn)
        .await
}

/// Removes bookings with everything that hangs on them, and the people who have none left. How many there were, by
/// outcome, is kept, so that the totals of a webinar stay true.
///
/// # Errors
/// When the database fails.
pub async fn forget(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    bookings: &[RegistrationId],
    people: &[SubjectId],
) -> Result<u64, DbErr> {
    let of_hers = || {
        Condition::all()
            .add(registration::Column::CoachId.eq(coach))
            .add(registration::Column::Id.is_in(bookings.iter().copied()))
    };
    let outcomes: Vec<(WebinarId, String)> = registration::Entity::find()
        .select_only()
        .columns([registration::Column::WebinarId, registration::Column::Outcome])
        .filter(of_hers())
        .into_tuple()
        .all(conn)
        .await?;
    let mut totals: BTreeMap<(WebinarId, String), i64> = BTreeMap::new();
    for of in outcomes {
        *totals.entry(of).or_default() += 1;
    }
    for ((webinar, outcome), people) in totals {
        use erased_total::Column::{Outcome, People, WebinarId as Webinar};
        let row = erased_total::ActiveModel { webinar_id: Set(webinar), outcome: Set(outcome), people: Set(people) };
        let more = OnConflict::columns([Webinar, Outcome])
            .value(People, Expr::col((erased_total::Entity, People)).add(people))
            .to_owned();
        erased_total::Entity::insert(row).on_conflict(more).exec_without_returning(conn).await?;
    }
    let gone = registration::Entity::delete_many().filter(of_hers()).exec(conn).await?;
    subject::Entity::delete_many()
        .filter(subject::Column::CoachId.eq(coach))
        .filter(subject::Column::Id.is_in(people.iter().copied()))
        .exec(conn)
        .await?;
    Ok(gone.rows_affected)
}

/// A batch of requests that were over before a moment, with what is left of their keys.
///
/// # Errors
/// When the database fails.
pub async fn requests_over(conn: &impl ConnectionTrait, before: Moment) -> Result<Vec<(RequestId, DekId)>, DbErr> {
    let over = RequestState::ALL.iter().filter(|state| state.is_over()).map(|state| state.as_str());
    dsr_request::Entity::find()
        .select_only()
        .columns([dsr_request::Column::Id, dsr_request::Column::DekId])
        .filter(dsr_request::Column::State.is_in(over))
        .filter(dsr_request::Column::CompletedAt.lt(before))
        .limit(BATCH)
        .into_tuple()
        .all(conn)
        .await
}

/// Removes records of requests with their steps.
///
/// # Errors
/// When the database fails.
pub async fn delete_requests(conn: &impl ConnectionTrait, ids: &[RequestId]) -> Result<u64, DbErr> {
    let done = dsr_request::Entity::delete_many()
        .filter(dsr_request::Column::Id.is_in(ids.iter().copied()))
        .exec(conn)
        .await?;
    Ok(done.rows_affected)
}

/// Removes disclosures asked for before a moment.
///
/// # Errors
/// When the database fails.
pub async fn delete_disclosures(conn: &impl ConnectionTrait, before: Moment) -> Result<u64, DbErr> {
    let done = disclosure::Entity::delete_many().filter(disclosure::Column::ReceivedAt.lt(before)).exec(conn).await?;
    Ok(done.rows_affected)
}

/// Removes tombstones of erasures before a moment.
///
/// # Errors
/// When the database fails.
pub async fn delete_tombstones(conn: &impl ConnectionTrait, before: Moment) -> Result<u64, DbErr> {
    let done = tombstone::Entity::delete_many().filter(tombstone::Column::CreatedAt.lt(before)).exec(conn).await?;
    Ok(done.rows_affected)
}

/// Removes proofs and sessions of the portal that expired before a moment.
///
/// # Errors
/// When the database fails.
pub async fn delete_proofs(conn: &impl ConnectionTrait, before: Moment) -> Result<u64, DbErr> {
    let proofs =
        portal_proof::Entity::delete_many().filter(portal_proof::Column::ExpiresAt.lt(before)).exec(conn).await?;
    let sessions =
        portal_session::Entity::delete_many().filter(portal_session::Column::ExpiresAt.lt(before)).exec(conn).await?;
    Ok(proofs.rows_affected + sessions.rows_affected)
}

/// Removes holds whose end came: what they held is under the ordinary rules again.
///
/// # Errors
/// When the database fails.
pub async fn delete_holds(conn: &impl ConnectionTrait, before: Moment) -> Result<u64, DbErr> {
    let done = legal_hold::Entity::delete_many().filter(legal_hold::Column::UntilAt.lt(before)).exec(conn).await?;
    Ok(done.rows_affected)
}

/// Removes counts of failed deliveries that count no more; tells how many.
///
/// # Errors
/// When the database fails.
pub async fn delete_strikes(conn: &impl ConnectionTrait, before: Moment) -> Result<u64, DbErr> {
    let done = suppression::Entity::delete_many()
        .filter(suppression::Column::Strikes.is_not_null())
        .filter(suppression::Column::CreatedAt.lt(before))
        .exec(conn)
        .await?;
    Ok(done.rows_affected)
}

/// An archive whose days are over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldArchive {
    /// Which.
    pub id: ExportId,
    /// The key it is sealed with.
    pub dek: DekId,
    /// The object, when it was made.
    pub object_key: Option<String>,
}

/// A batch of archives whose days ended before a moment.
///
/// # Errors
/// When the database fails.
pub async fn exports_over(conn: &impl ConnectionTrait, before: Moment) -> Result<Vec<OldArchive>, DbErr> {
    let rows: Vec<(ExportId, DekId, Option<String>)> = export_archive::Entity::find()
        .select_only()
        .columns([export_archive::Column::Id, export_archive::Column::DekId, export_archive::Column::ObjectKey])
        .filter(export_archive::Column::ExpiresAt.lt(before))
        .limit(BATCH)
        .into_tuple()
        .all(conn)
        .await?;
    Ok(rows.into_iter().map(|(id, dek, object_key)| OldArchive { id, dek, object_key }).collect())
}

/// Removes rows of archives.
///
/// # Errors
/// When the database fails.
pub async fn delete_exports(conn: &impl ConnectionTrait, ids: &[ExportId]) -> Result<u64, DbErr> {
    let done = export_archive::Entity::delete_many()
        .filter(export_archive::Column::Id.is_in(ids.iter().copied()))
        .exec(conn)
        .await?;
    Ok(done.rows_affected)
}
