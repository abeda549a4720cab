//! Webinars as their coach sets them, and as the public page asks for them.
//!
//! Every function with a coach sees that coach's rows only. The three without one serve public pages and say so.

use std::collections::HashMap;

use domain::ids::{CoachId, ConsentTextId, VideoId, WebinarId};
use domain::rights::AccountState;
use domain::webinar::{CheckedWebinar, SessionKind, WebinarState};
use domain::{Moment, Slug};
use sea_orm::sea_query::{Expr, LockType, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, ExprTrait, FromQueryResult, IdenStatic, JoinType,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, RelationDef, SelectA, SelectB, Set,
};
use sha2::{Digest, Sha256};

use crate::entities::{caption, coach, consent_text, page_view, registration, schedule_rule, upload, video, webinar};

/// Webinars one account can hold: far beyond a busy coach's, and what one list can show.
pub const MAX_WEBINARS: u64 = 500;
/// Twins of one slug looked at when numbering a new one.
const SLUG_TWINS: u64 = 1_000;

/// The coach behind a webinar, as its rules need her.
#[derive(Clone, Debug)]
pub struct Owner {
    /// Display name.
    pub name: String,
    /// Whether she confirmed her address.
    pub email_confirmed: bool,
}

/// What the rules ask of the coach herself.
///
/// # Errors
/// When the database fails.
pub async fn owner(conn: &impl ConnectionTrait, coach: CoachId) -> Result<Option<Owner>, DbErr> {
    let row = coach::Entity::find_by_id(coach).one(conn).await?;
    Ok(row.map(|row| Owner { name: row.name, email_confirmed: row.email_confirmed_at.is_some() }))
}

/// One webinar of this coach.
///
/// # Errors
/// When the database fails.
pub async fn webinar(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: WebinarId,
) -> Result<Option<webinar::Model>, DbErr> {
    webinar::Entity::find_by_id(id).filter(webinar::Column::CoachId.eq(coach)).one(conn).await
}

/// Public: the webinar at an address, whatever its state. The caller decides who may see it.
///
/// # Errors
/// When the database fails.
pub async fn at_slug(conn: &impl ConnectionTrait, slug: &str) -> Result<Option<webinar::Model>, DbErr> {
    webinar::Entity::find().filter(webinar::Column::Slug.eq(slug)).one(conn).await
}

/// Public: a page with what stands on it besides the webinar's own row.
#[derive(Clone, Debug)]
pub struct PageRow {
    /// The webinar.
    pub webinar: webinar::Model,
    /// What plays.
    pub video: Option<video::Model>,
    /// State of the account behind it.
    pub account: Option<AccountState>,
    /// What registrants agree to.
    pub wording: Option<String>,
    /// What stands beside the box for offers, where there is one.
    pub promotion: Option<String>,
    /// Caption tracks of what plays.
    pub captions: i64,
    /// Its rules, where it takes place at set times.
    pub rules: Vec<schedule_rule::Model>,
}

/// A webinar of a coach, held so that nothing else changes its times before the caller's transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn hold(conn: &impl ConnectionTrait, coach: CoachId, id: WebinarId) -> Result<Option<webinar::Model>, DbErr> {
    let mut query = webinar::Entity::find_by_id(id).filter(webinar::Column::CoachId.eq(coach));
    if conn.get_database_backend() == DbBackend::Postgres {
        query = query.lock(LockType::NoKeyUpdate);
    }
    query.one(conn).await
}

/// Public: the page at an address, whatever its state, in one query, and one more for its rules. The caller decides who may see it.
///
/// # Errors
/// When the database fails.
pub async fn page_at_slug(conn: &impl ConnectionTrait, slug: &str) -> Result<Option<PageRow>, DbErr> {
    let playing: RelationDef =
        webinar::Entity::belongs_to(video::Entity).from(webinar::Column::CurrentVideoId).to(video::Column::Id).into();
    let of_webinar = |column: webinar::Column| Expr::col((webinar::Entity, column));
    let wording = |column: webinar::Column| {
        Query::select()
            .column(consent_text::Column::Text)
            .from(consent_text::Entity)
            .and_where(consent_text::Column::Id.into_expr().eq(of_webinar(column)))
            .to_owned()
    };
    let promotion = wording(webinar::Column::PromotionTextId);
    let wording = wording(webinar::Column::ConsentTextId);
    let captions = Query::select()
        .expr(caption::Column::Id.count())
        .from(caption::Entity)
        .and_where(caption::Column::VideoId.into_expr().eq(of_webinar(webinar::Column::CurrentVideoId)))
        .to_owned();
    let account = Query::select()
        .column(coach::Column::State)
        .from(coach::Entity)
        .and_where(coach::Column::Id.into_expr().eq(of_webinar(webinar::Column::CoachId)))
        .to_owned();
    let mut query = webinar::Entity::find()
        .filter(webinar::Column::Slug.eq(slug))
        .join(JoinType::LeftJoin, playing)
        .select_also(video::Entity)
        .into_query();
    for (name, asked) in [("account", account), ("wording", wording), ("promotion", promotion), ("captions", captions)]
    {
        query.expr_as(Expr::SubQuery(None, Box::new(asked.into())), name);
    }
    let Some(row) = conn.query_one(&query).await? else { return Ok(None) };
    let account: String = row.try_get("", "account")?;
    let webinar = webinar::Model::from_query_result(&row, SelectA.as_str())?;
    let rules = match webinar.session_kind == SessionKind::Scheduled.as_str() {
        true => crate::schedules::rules_of(conn, webinar.id).await?,
        false => Vec::new(),
    };
    Ok(Some(PageRow {
        webinar,
        video: video::Model::from_query_result_optional(&row, SelectB.as_str())?,
        account: AccountState::from_stored(&account),
        wording: row.try_get("", "wording")?,
        promotion: row.try_get("", "promotion")?,
        captions: row.try_get("", "captions")?,
        rules,
    }))
}

/// Public: the webinar at an address, when registration is open.
///
/// # Errors
/// When the database fails.
pub async fn published_at_slug(conn: &impl ConnectionTrait, slug: &str) -> Result<Option<webinar::Model>, DbErr> {
    let open = webinar::Column::State.eq(WebinarState::Published.as_str());
    webinar::Entity::find().filter(webinar::Column::Slug.eq(slug)).filter(open).one(conn).await
}

/// Public: a wording by its id, as a webinar or a consent names it.
///
/// # Errors
/// When the database fails.
pub async fn consent_wording(
    conn: &impl ConnectionTrait,
    id: ConsentTextId,
) -> Result<Option<consent_text::Model>, DbErr> {
    consent_text::Entity::find_by_id(id).one(conn).await
}

/// A webinar with what its card shows.
#[derive(Clone, Debug)]
pub struct CardRow {
    /// The webinar.
    pub webinar: webinar::Model,
    /// Its current recording.
    pub video: Option<video::Model>,
    /// Caption tracks of that recording.
    pub captions: i64,
    /// People registered.
    pub registered: i64,
    /// People who watched past the floor.
    pub attended: i64,
}

/// The coach's webinars, last touched first, in four queries however many there are.
///
/// # Errors
/// When the database fails.
pub async fn cards(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    state: Option<WebinarState>,
) -> Result<Vec<CardRow>, DbErr> {
    let mut find = webinar::Entity::find()
        .filter(webinar::Column::CoachId.eq(coach))
        .order_by_desc(webinar::Column::UpdatedAt)
        .order_by_desc(webinar::Column::Id)
        .limit(MAX_WEBINARS);
    if let Some(state) = state {
        find = find.filter(webinar::Column::State.eq(state.as_str()));
    }
    let webinars = find.all(conn).await?;
    let video_ids: Vec<VideoId> = webinars.iter().filter_map(|row| row.current_video_id).collect();
    let mut videos = current_videos(conn, coach, &video_ids).await?;
    let captions = caption_counts(conn, coach, &video_ids).await?;
    let people = people_counts(conn, coach, webinars.iter().map(|row| row.id).collect()).await?;
    let card = |webinar: webinar::Model| {
        let video = webinar.current_video_id.and_then(|id| videos.remove(&id));
        let captions = webinar.current_video_id.and_then(|id| captions.get(&id).copied()).unwrap_or_default();
        let (registered, attended) = people.get(&webinar.id).copied().unwrap_or_default();
        CardRow { webinar, video, captions, registered, attended }
    };
    Ok(webinars.into_iter().map(card).collect())
}

async fn current_videos(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    ids: &[VideoId],
) -> Result<HashMap<VideoId, video::Model>, DbErr> {
    let rows = video::Entity::find()
        .filter(video::Column::CoachId.eq(coach))
        .filter(video::Column::Id.is_in(ids.iter().copied()))
        .all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Number of caption tracks of each of these recordings.
///
/// # Errors
/// When the database fails.
pub async fn caption_counts(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    videos: &[VideoId],
) -> Result<HashMap<VideoId, i64>, DbErr> {
    let to_video: RelationDef =
        caption::Entity::belongs_to(video::Entity).from(caption::Column::VideoId).to(video::Column::Id).into();
    let rows: Vec<(VideoId, i64)> = caption::Entity::find()
        .select_only()
        .column(caption::Column::VideoId)
        .column_as(caption::Column::Id.count(), "tracks")
        .join(JoinType::InnerJoin, to_video)
        .filter(video::Column::CoachId.eq(coach))
        .filter(caption::Column::VideoId.is_in(videos.iter().copied()))
        .group_by(caption::Column::VideoId)
        .into_tuple()
        .all(conn)
        .await?;
    Ok(rows.into_iter().collect())
}

async fn people_counts(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    webinars: Vec<WebinarId>,
) -> Result<HashMap<WebinarId, (i64, i64)>, DbErr> {
    let rows: Vec<(WebinarId, String, i64)> = registration::Entity::find()
        .select_only()
        .column(registration::Column::WebinarId)
        .column(registration::Column::Outcome)
        .column_as(registration::Column::Id.count(), "people")
        .filter(registration::Column::CoachId.eq(coach))
        .filter(registration::Column::WebinarId.is_in(webinars))
        .group_by(registration::Column::WebinarId)
        .group_by(registration::Column::Outcome)
        .into_tuple()
        .all(conn)
        .await?;
    let mut counts: HashMap<WebinarId, (i64, i64)> = HashMap::new();
    for (webinar, outcome, people) in rows {
        let count = counts.entry(webinar).or_default();
        count.0 += people;
        if crate::results::is_attended(&outcome) {
            count.1 += people;
        }
    }
    Ok(counts)
}

/// How many webinars this coach has.
///
/// # Errors
/// When the database fails.
pub async fn count(conn: &impl ConnectionTrait, coach: CoachId) -> Result<u64, DbErr> {
    webinar::Entity::find().filter(webinar::Column::CoachId.eq(coach)).count(conn).await
}

/// The slug itself when it is free, else the same with the lowest free number.
///
/// Addresses are one namespace for all coaches, so this looks beyond one account; it gives away nothing that opening
/// the page would not.
///
/// # Errors
/// When the database fails.
pub async fn free_slug(conn: &impl ConnectionTrait, wanted: &Slug) -> Result<Slug, DbErr> {
    let twin = webinar::Column::Slug.eq(wanted.as_str()).or(webinar::Column::Slug.starts_with(format!("{wanted}-")));
    let taken: Vec<String> = webinar::Entity::find()
        .select_only()
        .column(webinar::Column::Slug)
        .filter(twin)
        .limit(SLUG_TWINS)
        .into_tuple()
        .all(conn)
        .await?;
    if !taken.iter().any(|slug| slug == wanted.as_str()) {
        return Ok(wanted.clone());
    }
    let candidates = (2..).map(|number| wanted.numbered(number));
    // One more number than there are twins always holds a free one.
    let free = candidates.take(taken.len() + 1).find(|slug| !taken.iter().any(|t| t == slug.as_str()));
    Ok(free.unwrap_or_else(|| wanted.numbered(u32::MAX)))
}

/// What a new draft starts with.
pub struct NewWebinar<'a> {
    /// Its id.
    pub id: WebinarId,
    /// Its title, checked.
    pub title: &'a str,
    /// A slug believed free.
    pub slug: &'a Slug,
    /// The coach's own name.
    pub presenter: &'a str,
    /// First version of the wording.
    pub consent_text: &'a str,
    /// Default of the three numbers: link days, end percent, floor seconds.
    pub numbers: (i32, i32, i32),
}

/// Adds a draft with its wording.
///
/// # Errors
/// When the slug is taken (a unique violation) or the database fails.
pub async fn insert(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    new: NewWebinar<'_>,
    now: Moment,
) -> Result<(), DbErr> {
    let (link_days, end_percent, floor_seconds) = new.numbers;
    let row = webinar::ActiveModel {
        id: Set(new.id),
        coach_id: Set(coach),
        slug: Set(new.slug.as_str().to_owned()),
        title: Set(new.title.to_owned()),
        description: Set(String::new()),
        presenter: Set(new.presenter.to_owned()),
        accent: Set(String::new()),
        session_kind: Set(SessionKind::OnDemand.as_str().to_owned()),
        state: Set(WebinarState::Draft.as_str().to_owned()),
        link_days: Set(link_days),
        recorded_month: Set(String::new()),
        fields: Set("{}".to_owned()),
        consent_text_id: Set(None),
        promotion_text_id: Set(None),
        embed_hosts: Set("[]".to_owned()),
        end_percent: Set(end_percent),
        floor_seconds: Set(floor_seconds),
        logo_key: Set(None),
        logo_type: Set(None),
        current_video_id: Set(None),
        closed_at: Set(None),
        revision: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
        published_at: Set(None),
        retention_days: Set(None),
        ask_age: Set(false),
        schedule: Set("{}".to_owned()),
    };
    webinar::Entity::insert(row).exec_without_returning(conn).await?;
    let wording = add_consent_version(conn, new.id, new.consent_text, now).await?;
    change(conn, coach, new.id, webinar::ActiveModel { consent_text_id: Set(Some(wording)), ..Default::default() })
        .await?;
    Ok(())
}

/// Adds the next version of a wording; earlier ones stay, because consents name them.
///
/// # Errors
/// When the database fails.
pub async fn add_consent_version(
    conn: &impl ConnectionTrait,
    webinar: WebinarId,
    text: &str,
    now: Moment,
) -> Result<ConsentTextId, DbErr> {
    let last: Option<i32> = consent_text::Entity::find()
        .select_only()
        .column(consent_text::Column::Version)
        .filter(consent_text::Column::WebinarId.eq(webinar))
        .order_by_desc(consent_text::Column::Version)
        .limit(1)
        .into_tuple()
        .one(conn)
        .await?;
    let id = ConsentTextId::new();
    let row = consent_text::ActiveModel {
        id: Set(id),
        webinar_id: Set(webinar),
        version: Set(last.unwrap_or_default() + 1),
        text: Set(text.to_owned()),
        text_hash: Set(Sha256::digest(text.as_bytes()).to_vec()),
        created_at: Set(now),
    };
    consent_text::Entity::insert(row).exec_without_returning(conn).await?;
    Ok(id)
}

/// Writes the settings if nobody saved since `revision`. Returns whether it did.
///
/// # Errors
/// When the slug is taken (a unique violation) or the database fails.
pub async fn save(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: WebinarId,
    revision: i32,
    settings: &CheckedWebinar,
    (consent_text, promotion_text): (ConsentTextId, Option<ConsentTextId>),
    now: Moment,
) -> Result<bool, DbErr> {
    let json = |error: serde_json::Error| DbErr::Custom(error.to_string());
    let row = webinar::ActiveModel {
        slug: Set(settings.slug.as_str().to_owned()),
        title: Set(settings.title.clone()),
        description: Set(settings.description.clone()),
        presenter: Set(settings.presenter.clone()),
        accent: Set(settings.accent.clone()),
        session_kind: Set(settings.session_kind.as_str().to_owned()),
        link_days: Set(settings.link_days),
        recorded_month: Set(settings.recorded_month.clone()),
        fields: Set(serde_json::to_string(&settings.fields).map_err(json)?),
        consent_text_id: Set(Some(consent_text)),
        promotion_text_id: Set(promotion_text),
        embed_hosts: Set(serde_json::to_string(&settings.embed_hosts).map_err(json)?),
        end_percent: Set(settings.end_percent),
        floor_seconds: Set(settings.floor_seconds),
        retention_days: Set(settings.retention_days),
        ask_age: Set(settings.ask_age),
        revision: Set(revision.saturating_add(1)),
        updated_at: Set(now),
        ..Default::default()
    };
    let saved = webinar::Entity::update_many()
        .set(row)
        .filter(webinar::Column::Id.eq(id))
        .filter(webinar::Column::CoachId.eq(coach))
        .filter(webinar::Column::Revision.eq(revision))
        .exec(conn)
        .await?;
    Ok(saved.rows_affected == 1)
}

/// Where a webinar stands in its life.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    /// State.
    pub state: WebinarState,
    /// Since when even booked people are turned away.
    pub closed_at: Option<Moment>,
    /// When it was first published.
    pub published_at: Option<Moment>,
}

/// Moves a webinar to another state.
///
/// # Errors
/// When the database fails.
pub async fn set_life(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: WebinarId,
    life: Life,
    now: Moment,
) -> Result<(), DbErr> {
    let row = webinar::ActiveModel {
        state: Set(life.state.as_str().to_owned()),
        closed_at: Set(life.closed_at),
        published_at: Set(life.published_at),
        updated_at: Set(now),
        ..Default::default()
    };
    change(conn, coach, id, row).await
}

/// Puts a logo in place, or takes it away.
///
/// # Errors
/// When the database fails.
pub async fn set_logo(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: WebinarId,
    key: Option<&str>,
    now: Moment,
) -> Result<(), DbErr> {
    let row = webinar::ActiveModel {
        logo_key: Set(key.map(str::to_owned)),
        logo_type: Set(key.map(|_| "image/png".to_owned())),
        updated_at: Set(now),
        ..Default::default()
    };
    change(conn, coach, id, row).await
}

async fn change(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: WebinarId,
    row: webinar::ActiveModel,
) -> Result<(), DbErr> {
    webinar::Entity::update_many()
        .set(row)
        .filter(webinar::Column::Id.eq(id))
        .filter(webinar::Column::CoachId.eq(coach))
        .exec(conn)
        .await?;
    Ok(())
}

/// Removes a draft and what hangs on it. The caller has made sure that nobody is registered.
///
/// # Errors
/// When the database fails.
pub async fn delete(conn: &impl ConnectionTrait, coach: CoachId, id: WebinarId) -> Result<(), DbErr> {
    page_view::Entity::delete_many().filter(page_view::Column::WebinarId.eq(id)).exec(conn).await?;
    upload::Entity::delete_many()
        .filter(upload::Column::WebinarId.eq(id))
        .filter(upload::Column::CoachId.eq(coach))
        .exec(conn)
        .await?;
    video::Entity::delete_many()
        .filter(video::Column::WebinarId.eq(id))
        .filter(video::Column::CoachId.eq(coach))
        .exec(conn)
        .await?;
    webinar::Entity::delete_many()
        .filter(webinar::Column::Id.eq(id))
        .filter(webinar::Column::CoachId.eq(coach))
        .exec(conn)
        .await?;
    Ok(())
}

/// The stored objects of every version of a webinar's recording.
///
/// # Errors
/// When the database fails.
pub async fn recording_keys(conn: &impl ConnectionTrait, coach: CoachId, id: WebinarId) -> Result<Vec<String>, DbErr> {
    video::Entity::find()
        .select_only()
        .column(video::Column::ObjectKey)
        .filter(video::Column::WebinarId.eq(id))
        .filter(video::Column::CoachId.eq(coach))
        .limit(MAX_WEBINARS)
        .into_tuple()
        .all(conn)
        .await
}

/// People of this coach registered since `since`, and people credited with play since `watching_since`.
///
/// # Errors
/// When the database fails.
pub async fn activity(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    since: Moment,
    watching_since: Moment,
) -> Result<(i64, i64), DbErr> {
    let hers = registration::Entity::find().filter(registration::Column::CoachId.eq(coach));
    let signups = hers.clone().filter(registration::Column::RegisteredAt.gte(since)).count(conn).await?;
    let watching = hers.filter(registration::Column::LastCreditAt.gt(watching_since)).count(conn).await?;
    Ok((i64::try_from(signups).unwrap_or(i64::MAX), i64::try_from(watching).unwrap_or(i64::MAX)))
}
