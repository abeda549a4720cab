//! Legal holds: what has to stay although its person wants it gone, until a day.

use domain::Moment;
use domain::ids::{CoachId, LegalHoldId, SubjectId};
use domain::rights::{HoldGround, RequestState};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};

use crate::entities::{dsr_request, legal_hold};
use crate::rights::LIST_ROWS;

/// A hold to be placed.
pub struct NewHold {
    /// Its id.
    pub id: LegalHoldId,
    /// Whose account, or the controller of the viewer.
    pub coach: CoachId,
    /// Which viewer; nothing when it is the coach.
    pub subject: Option<SubjectId>,
    /// Why.
    pub ground: HoldGround,
    /// Which kinds of data, as JSON.
    pub classes: String,
    /// When it ends by itself.
    pub until: Moment,
    /// In which role it was placed: a part, never a person.
    pub approved_by: &'static str,
}

/// Places a hold.
///
/// # Errors
/// When the database fails.
pub async fn insert(conn: &impl ConnectionTrait, new: NewHold, now: Moment) -> Result<(), DbErr> {
    let row = legal_hold::ActiveModel {
        id: Set(new.id),
        coach_id: Set(new.coach),
        subject_id: Set(new.subject),
        ground: Set(new.ground.as_str().to_owned()),
        classes: Set(new.classes),
        until_at: Set(new.until),
        approved_by: Set(new.approved_by.to_owned()),
        created_at: Set(now),
    };
    legal_hold::Entity::insert(row).exec_without_returning(conn).await.map(drop)
}

/// Holds of a coach that stand, those on her own account and those on her viewers, the first to end first.
///
/// # Errors
/// When the database fails.
pub async fn standing(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    now: Moment,
) -> Result<Vec<legal_hold::Model>, DbErr> {
    legal_hold::Entity::find()
        .filter(legal_hold::Column::CoachId.eq(coach))
        .filter(legal_hold::Column::UntilAt.gt(now))
        .order_by_asc(legal_hold::Column::UntilAt)
        .limit(LIST_ROWS)
        .all(conn)
        .await
}

/// Takes a hold on one of a coach's viewers back; tells on whom it was.
///
/// # Errors
/// When the database fails.
pub async fn release(conn: &impl ConnectionTrait, coach: CoachId, id: LegalHoldId) -> Result<Option<SubjectId>, DbErr> {
    let found = legal_hold::Entity::find_by_id(id)
        .filter(legal_hold::Column::CoachId.eq(coach))
        .filter(legal_hold::Column::SubjectId.is_not_null())
        .one(conn)
        .await?;
    if found.is_some() {
        legal_hold::Entity::delete_by_id(id).exec(conn).await?;
    }
    Ok(found.and_then(|row| row.subject_id))
}

/// Erasures of a viewer of this coach that wait for a hold to end.
///
/// # Errors
/// When the database fails.
pub async fn held_requests(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    subject: SubjectId,
) -> Result<Vec<dsr_request::Model>, DbErr> {
    dsr_request::Entity::find()
        .filter(dsr_request::Column::CoachId.eq(coach))
        .filter(dsr_request::Column::SubjectId.eq(subject))
        .filter(dsr_request::Column::State.eq(RequestState::Held.as_str()))
        .limit(LIST_ROWS)
        .all(conn)
        .await
}
