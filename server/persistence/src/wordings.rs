//! The wordings registrants agreed to, version by version, and how many agreed to each.

use std::collections::HashMap;

use domain::Moment;
use domain::ids::{CoachId, ConsentTextId, WebinarId};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    RelationTrait,
};

use crate::entities::{consent, consent_text, webinar};

/// Wordings of one listing.
const LIST_ROWS: u64 = 2_000;

/// One version of a wording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    /// Of which webinar.
    pub webinar: WebinarId,
    /// Its title.
    pub title: String,
    /// Its number.
    pub version: i32,
    /// What it says.
    pub text: String,
    /// Since when.
    pub since: Moment,
    /// Whether registrants agree to it today.
    pub is_current: bool,
    /// How many people agreed to it.
    pub agreed: i64,
    /// How many of them took that back.
    pub withdrawn: i64,
}

type Line = (ConsentTextId, WebinarId, String, i32, String, Moment, Option<ConsentTextId>, Option<ConsentTextId>);

/// Every wording of a coach's webinars, the latest version of each first.
///
/// # Errors
/// When the database fails.
pub async fn wordings(conn: &impl ConnectionTrait, coach: CoachId) -> Result<Vec<Wording>, DbErr> {
    let lines: Vec<Line> = consent_text::Entity::find()
        .select_only()
        .column(consent_text::Column::Id)
        .column(consent_text::Column::WebinarId)
        .column(webinar::Column::Title)
        .column(consent_text::Column::Version)
        .column(consent_text::Column::Text)
        .column(consent_text::Column::CreatedAt)
        .column(webinar::Column::ConsentTextId)
        .column(webinar::Column::PromotionTextId)
        .join(JoinType::InnerJoin, consent_text::Relation::Webinar.def())
        .filter(webinar::Column::CoachId.eq(coach))
        .order_by_desc(webinar::Column::UpdatedAt)
        .order_by_asc(consent_text::Column::WebinarId)
        .order_by_desc(consent_text::Column::Version)
        .limit(LIST_ROWS)
        .into_tuple()
        .all(conn)
        .await?;
    let ids = || lines.iter().map(|line| line.0);
    let counts: Vec<(ConsentTextId, i64, i64)> = consent::Entity::find()
        .select_only()
        .column(consent::Column::ConsentTextId)
        .column_as(Expr::col((consent::Entity, consent::Column::Id)).count(), "agreed")
        .column_as(Expr::col((consent::Entity, consent::Column::WithdrawnAt)).count(), "withdrawn")
        .filter(consent::Column::ConsentTextId.is_in(ids()))
        .group_by(consent::Column::ConsentTextId)
        .into_tuple()
        .all(conn)
        .await?;
    let counts: HashMap<_, _> = counts.into_iter().map(|(id, agreed, withdrawn)| (id, (agreed, withdrawn))).collect();
    let wording = |(id, webinar, title, version, text, since, current, offers): Line| {
        let (agreed, withdrawn) = counts.get(&id).copied().unwrap_or_default();
        let is_current = current == Some(id) || offers == Some(id);
        Wording { webinar, title, version, text, since, is_current, agreed, withdrawn }
    };
    Ok(lines.iter().cloned().map(wording).collect())
}
