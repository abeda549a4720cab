//! Agreements of one registration with the wordings they were given to.

use domain::ids::{CoachId, RegistrationId};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::entities::{consent, consent_text, registration};

/// Agreements of one listing: one a wording, and a coach changes hers now and then.
const LIST_ROWS: u64 = 500;

/// Every agreement of a registration of this coach with its wording, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn of_registration(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: RegistrationId,
) -> Result<Vec<(consent::Model, Option<consent_text::Model>)>, DbErr> {
    consent::Entity::find()
        .inner_join(registration::Entity)
        .find_also_related(consent_text::Entity)
        .filter(registration::Column::CoachId.eq(coach))
        .filter(consent::Column::RegistrationId.eq(id))
        .order_by_asc(consent::Column::GivenAt)
        .limit(LIST_ROWS)
        .all(conn)
        .await
}
