//! The mails around a webinar: what its coach wrote, and what each registrant gets of it.
//!
//! A registrant's mails are rows of the outbox, one per template, which tell for ever what became of each. Those that
//! wait carry the moment they are looked at next; nothing else wakes anybody.

use std::collections::HashMap;

use domain::Moment;
use domain::fence::{NEW_DATES, SESSION_CALLED_OFF, SESSION_MOVED};
use domain::ids::{CoachId, MailId, MailTemplateId, RegistrationId, SessionId, SubjectId, VideoId, WebinarId};
use domain::rights::SubjectState;
use domain::sequence::{DropReason, Purpose, Row, RowState, SkipReason, StoredRow};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait, FromQueryResult, JoinType,
    QueryFilter, QueryOrder, QuerySelect, RelationTrait, Set,
};

use crate::entities::{mail, mail_template, registration, session, subject, webinar};
use crate::mails::SENDING_SECONDS;

/// Rows written with one statement: both databases take no more than some ten thousand values at once.
const ROWS_AT_ONCE: usize = 500;

/// The templates of a webinar, in no order.
///
/// # Errors
/// When the database fails.
pub async fn templates(conn: &impl ConnectionTrait, webinar: WebinarId) -> Result<Vec<mail_template::Model>, DbErr> {
    mail_template::Entity::find().filter(mail_template::Column::WebinarId.eq(webinar)).all(conn).await
}

/// One template of a coach.
///
/// # Errors
/// When the database fails.
pub async fn template(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: MailTemplateId,
) -> Result<Option<mail_template::Model>, DbErr> {
    mail_template::Entity::find_by_id(id)
        .join(JoinType::InnerJoin, mail_template::Relation::Webinar.def())
        .filter(webinar::Column::CoachId.eq(coach))
        .one(conn)
        .await
}

/// Adds templates; one for the same people at the same time is there already and stays.
///
/// # Errors
/// When the database fails.
pub async fn insert_templates(conn: &impl ConnectionTrait, rows: Vec<mail_template::Model>) -> Result<(), DbErr> {
    use mail_template::Column::{Minutes, Segment, Timing, WebinarId};
    let rows = rows.into_iter().map(|row| mail_template::ActiveModel::from(row).reset_all());
    mail_template::Entity::insert_many(rows)
        .on_conflict(OnConflict::columns([WebinarId, Timing, Minutes, Segment]).do_nothing().to_owned())
        .exec_without_returning(conn)
        .await
        .map(drop)
}

/// Writes a template anew.
///
/// # Errors
/// When the database fails.
pub async fn save_template(conn: &impl ConnectionTrait, row: mail_template::Model) -> Result<(), DbErr> {
    mail_template::ActiveModel::from(row).reset_all().update(conn).await.map(drop)
}

/// Removes a template. What went of it stays on record.
///
/// # Errors
/// When the database fails.
pub async fn delete_template(conn: &impl ConnectionTrait, id: MailTemplateId) -> Result<(), DbErr> {
    mail_template::Entity::delete_by_id(id).exec(conn).await.map(drop)
}

/// A mail of a sequence, to be planned for somebody.
#[derive(Clone, Copy, Debug)]
pub struct NewPlanned {
    /// Whose webinar.
    pub coach: CoachId,
    /// For whom.
    pub registration: RegistrationId,
    /// Of which template.
    pub template: MailTemplateId,
    /// What it is for.
    pub purpose: Purpose,
    /// What is planned.
    pub row: Row,
}

/// What keeps a registrant from getting a template twice.
#[must_use]
pub fn once(registration: RegistrationId, template: MailTemplateId) -> String {
    format!("sequence:{registration}:{template}")
}

/// The word of a sequence's mail in the outbox.
#[must_use]
pub const fn word(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Confirmation => "registration_confirmed",
        other => other.as_str(),
    }
}

/// Plans mails; one that is planned already stays as it is.
///
/// # Errors
/// When the database fails.
pub async fn insert_planned(conn: &impl ConnectionTrait, rows: &[NewPlanned], now: Moment) -> Result<(), DbErr> {
    for some in rows.chunks(ROWS_AT_ONCE) {
        let rows = some.iter().map(|new| {
            let stored = new.row.stored();
            mail::ActiveModel {
                id: Set(MailId::new()),
                coach_id: Set(new.coach),
                registration_id: Set(Some(new.registration)),
                one_time_token_id: Set(None),
                template: Set(word(new.purpose).to_owned()),
                dedupe_key: Set(once(new.registration, new.template)),
                state: Set(stored.state.to_owned()),
                note: Set(note_of(new.row)),
                created_at: Set(now),
                sent_at: Set(None),
                template_id: Set(Some(new.template)),
                send_at: Set(stored.send_at),
                due_at: Set(stored.send_at),
                useful_until_at: Set(stored.useful_until),
                decided_at: Set(stored.decided_at),
                reason: Set(stored.reason.map(str::to_owned)),
            }
        });
        mail::Entity::insert_many(rows)
            .on_conflict(OnConflict::column(mail::Column::DedupeKey).do_nothing().to_owned())
            .exec_without_returning(conn)
            .await?;
    }
    Ok(())
}

/// Mails without a template of the coach's that wait and are judged like those of a sequence: to everybody on a session
/// that changed, and to everybody who waits for a date.
pub const NOTICES: [&str; 3] = [SESSION_MOVED, SESSION_CALLED_OFF, NEW_DATES];

/// Plans a notice for everybody given. One that waits still is taken back: what it would say is no longer so.
///
/// # Errors
/// When the database fails.
pub async fn insert_notices(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    (template, useful_until): (&'static str, Moment),
    registrations: &[RegistrationId],
    now: Moment,
) -> Result<(), DbErr> {
    let overtaken = Row::Superseded { at: now };
    for some in registrations.chunks(ROWS_AT_ONCE) {
        mail::Entity::update_many()
            .set(change_to(overtaken))
            .filter(mail::Column::RegistrationId.is_in(some.iter().copied()))
            .filter(mail::Column::Template.is_in(NOTICES))
            .filter(mail::Column::State.eq(RowState::Waiting.as_str()))
            .exec(conn)
            .await?;
        let rows = some.iter().map(|registration| mail::ActiveModel {
            id: Set(MailId::new()),
            coach_id: Set(coach),
            registration_id: Set(Some(*registration)),
            one_time_token_id: Set(None),
            template: Set(template.to_owned()),
            dedupe_key: Set(format!("{template}:{registration}:{}", now.0)),
            state: Set(RowState::Waiting.as_str().to_owned()),
            note: Set(None),
            created_at: Set(now),
            sent_at: Set(None),
            template_id: Set(None),
            send_at: Set(Some(now)),
            due_at: Set(Some(now)),
            useful_until_at: Set(Some(useful_until)),
            decided_at: Set(None),
            reason: Set(None),
        });
        mail::Entity::insert_many(rows)
            .on_conflict(OnConflict::column(mail::Column::DedupeKey).do_nothing().to_owned())
            .exec_without_returning(conn)
            .await?;
    }
    Ok(())
}

/// Drops what waits of the sequence for these registrations, with the reason.
///
/// # Errors
/// When the database fails.
pub async fn drop_waiting(
    conn: &impl ConnectionTrait,
    registrations: &[RegistrationId],
    reason: DropReason,
    now: Moment,
) -> Result<(), DbErr> {
    let dropped = Row::Dropped { reason, at: now };
    for some in registrations.chunks(ROWS_AT_ONCE) {
        mail::Entity::update_many()
            .set(change_to(dropped))
            .filter(mail::Column::RegistrationId.is_in(some.iter().copied()))
            .filter(mail::Column::TemplateId.is_not_null())
            .filter(mail::Column::State.eq(RowState::Waiting.as_str()))
            .exec(conn)
            .await?;
    }
    Ok(())
}

/// For the timeline: what waits or went needs no words.
fn note_of(row: Row) -> Option<String> {
    (!matches!(row, Row::Waiting { .. } | Row::Sent { .. })).then(|| row.sentence().to_owned())
}

/// What a stored mail of a sequence says; nothing while it is on its way or in other hands.
#[must_use]
pub fn row_of(mail: &mail::Model) -> Option<Row> {
    Row::from_stored(StoredRow {
        state: &mail.state,
        reason: mail.reason.as_deref(),
        send_at: mail.send_at,
        useful_until: mail.useful_until_at,
        decided_at: mail.decided_at.or(mail.sent_at),
    })
}

/// Writes what becomes of planned mails, all the same. One that was taken to be sent meanwhile goes.
///
/// # Errors
/// When the database fails.
pub async fn set_rows(conn: &impl ConnectionTrait, ids: &[MailId], row: Row) -> Result<(), DbErr> {
    write_rows(conn, ids, row, mail::Column::State.is_not_in(["sending", "sent"])).await
}

/// Writes what became of mails that were taken to be sent and did not go.
///
/// # Errors
/// When the database fails.
pub async fn end_taken(conn: &impl ConnectionTrait, ids: &[MailId], row: Row) -> Result<(), DbErr> {
    write_rows(conn, ids, row, mail::Column::State.eq("sending")).await
}

/// What a row says, as a change of columns.
fn change_to(row: Row) -> mail::ActiveModel {
    let stored = row.stored();
    let mut change = mail::ActiveModel {
        state: Set(stored.state.to_owned()),
        reason: Set(stored.reason.map(str::to_owned)),
        note: Set(note_of(row)),
        due_at: Set(stored.send_at),
        decided_at: Set(stored.decided_at),
        ..Default::default()
    };
    // When it was to go stays on record.
    if let Row::Waiting { send_at, useful_until } = row {
        change.send_at = Set(Some(send_at));
        change.useful_until_at = Set(Some(useful_until));
    }
    change
}

async fn write_rows(conn: &impl ConnectionTrait, ids: &[MailId], row: Row, those: Expr) -> Result<(), DbErr> {
    for some in ids.chunks(ROWS_AT_ONCE) {
        mail::Entity::update_many()
            .set(change_to(row))
            .filter(mail::Column::Id.is_in(some.iter().copied()))
            .filter(those.clone())
            .exec(conn)
            .await?;
    }
    Ok(())
}

/// Takes those of these mails that wait still, to send them: from here on they are on their way.
///
/// # Errors
/// When the database fails.
pub async fn take(conn: &impl ConnectionTrait, ids: &[MailId], now: Moment) -> Result<Vec<mail::Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let change = mail::ActiveModel { state: Set("sending".to_owned()), sent_at: Set(Some(now)), ..Default::default() };
    mail::Entity::update_many()
        .set(change)
        .filter(mail::Column::Id.is_in(ids.iter().copied()))
        .filter(mail::Column::State.eq(RowState::Waiting.as_str()))
        .exec_with_returning(conn)
        .await
}

/// Puts mails off that are not to go yet.
///
/// # Errors
/// When the database fails.
pub async fn put_off(conn: &impl ConnectionTrait, ids: &[MailId], until: Moment) -> Result<(), DbErr> {
    let change = mail::ActiveModel {
        state: Set(RowState::Waiting.as_str().to_owned()),
        due_at: Set(Some(until)),
        sent_at: Set(None),
        ..Default::default()
    };
    mail::Entity::update_many()
        .set(change)
        .filter(mail::Column::Id.is_in(ids.iter().copied()))
        .filter(mail::Column::State.is_in([RowState::Waiting.as_str(), "sending"]))
        .exec(conn)
        .await
        .map(drop)
}

/// Mails that wait are held from now on, with the note that says why.
///
/// # Errors
/// When the database fails.
pub async fn hold_waiting(conn: &impl ConnectionTrait, ids: &[MailId], note: &str) -> Result<(), DbErr> {
    mail::Entity::update_many()
        .col_expr(mail::Column::State, Expr::value("held"))
        .col_expr(mail::Column::Note, Expr::value(Some(note.to_owned())))
        .col_expr(mail::Column::SentAt, Expr::value(None::<Moment>))
        .filter(mail::Column::Id.is_in(ids.iter().copied()))
        .filter(mail::Column::State.eq(RowState::Waiting.as_str()))
        .exec(conn)
        .await
        .map(drop)
}

/// Mails of sequences whose worker died while sending them wait again.
///
/// # Errors
/// When the database fails.
pub async fn give_back_stale(conn: &impl ConnectionTrait, now: Moment) -> Result<(), DbErr> {
    let change = mail::ActiveModel {
        state: Set(RowState::Waiting.as_str().to_owned()),
        due_at: Set(Some(now)),
        sent_at: Set(None),
        ..Default::default()
    };
    mail::Entity::update_many()
        .set(change)
        .filter(mail::Column::State.eq("sending"))
        .filter(mail::Column::DueAt.is_not_null())
        .filter(mail::Column::SentAt.lte(now.plus_seconds(-SENDING_SECONDS)))
        .exec(conn)
        .await
        .map(drop)
}

/// When somebody has to look again: at what waits, or at what its worker may have died over.
///
/// # Errors
/// When the database fails.
pub async fn next_look(conn: &impl ConnectionTrait) -> Result<Option<Moment>, DbErr> {
    let first = |state: &'static str, column: mail::Column| {
        mail::Entity::find()
            .select_only()
            .column(column)
            .filter(mail::Column::State.eq(state))
            .filter(mail::Column::DueAt.is_not_null())
            .filter(column.is_not_null())
            .order_by_asc(column)
            .into_tuple::<Moment>()
    };
    let waits = first(RowState::Waiting.as_str(), mail::Column::DueAt).one(conn).await?;
    let dies = first("sending", mail::Column::SentAt).one(conn).await?;
    let dies = dies.map(|since| since.plus_seconds(SENDING_SECONDS));
    Ok([waits, dies].into_iter().flatten().min())
}

/// Registrations of which a mail has come due, the longest waiting first, at most `limit`; in order of their ids, so
/// that two workers hold people in the same order.
///
/// # Errors
/// When the database fails.
pub async fn due_registrations(
    conn: &impl ConnectionTrait,
    limit: u64,
    now: Moment,
) -> Result<Vec<(CoachId, RegistrationId)>, DbErr> {
    let mut found: Vec<(CoachId, RegistrationId)> = mail::Entity::find()
        .select_only()
        .columns([mail::Column::CoachId, mail::Column::RegistrationId])
        .filter(mail::Column::State.eq(RowState::Waiting.as_str()))
        .filter(mail::Column::DueAt.lte(now))
        .filter(mail::Column::RegistrationId.is_not_null())
        .order_by_asc(mail::Column::DueAt)
        .limit(limit)
        .into_tuple()
        .all(conn)
        .await?;
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The mails of sequences of these registrations, by registration.
///
/// # Errors
/// When the database fails.
pub async fn rows_of(
    conn: &impl ConnectionTrait,
    registrations: &[RegistrationId],
) -> Result<HashMap<RegistrationId, Vec<mail::Model>>, DbErr> {
    let mut by: HashMap<RegistrationId, Vec<mail::Model>> = HashMap::new();
    for some in registrations.chunks(ROWS_AT_ONCE) {
        let rows = mail::Entity::find()
            .filter(mail::Column::RegistrationId.is_in(some.iter().copied()))
            .filter(mail::Column::TemplateId.is_not_null().or(mail::Column::Template.is_in(NOTICES)))
            .order_by_asc(mail::Column::Id)
            .all(conn)
            .await?;
        for row in rows {
            if let Some(registration) = row.registration_id {
                by.entry(registration).or_default().push(row);
            }
        }
    }
    Ok(by)
}

/// The mails of one template to these registrations, by registration.
///
/// # Errors
/// When the database fails.
pub async fn rows_of_template(
    conn: &impl ConnectionTrait,
    template: MailTemplateId,
    registrations: &[RegistrationId],
) -> Result<HashMap<RegistrationId, mail::Model>, DbErr> {
    let mut by = HashMap::with_capacity(registrations.len());
    for some in registrations.chunks(ROWS_AT_ONCE) {
        let rows = mail::Entity::find()
            .filter(mail::Column::RegistrationId.is_in(some.iter().copied()))
            .filter(mail::Column::TemplateId.eq(template))
            .all(conn)
            .await?;
        by.extend(rows.into_iter().filter_map(|row| Some((row.registration_id?, row))));
    }
    Ok(by)
}

/// Notes that mails on their way have arrived at the mail server.
///
/// # Errors
/// When the database fails.
pub async fn mark_sent(conn: &impl ConnectionTrait, ids: &[MailId], now: Moment) -> Result<(), DbErr> {
    let change = mail::ActiveModel {
        state: Set(RowState::Sent.as_str().to_owned()),
        sent_at: Set(Some(now)),
        decided_at: Set(Some(now)),
        ..Default::default()
    };
    mail::Entity::update_many()
        .set(change)
        .filter(mail::Column::Id.is_in(ids.iter().copied()))
        .filter(mail::Column::State.eq("sending"))
        .exec(conn)
        .await
        .map(drop)
}

/// What planning and judging mails need to know of a registration.
#[derive(Clone, Debug, FromQueryResult)]
pub struct BookingFacts {
    /// Which.
    pub id: RegistrationId,
    /// Of which webinar.
    pub webinar_id: WebinarId,
    /// Of which coach.
    pub coach_id: CoachId,
    /// Whose.
    pub subject_id: SubjectId,
    /// When it was made.
    pub registered_at: Moment,
    /// When its time was taken.
    pub session_id: SessionId,
    /// How the recording is met.
    pub kind: String,
    /// When the session starts.
    pub starts_at: Option<Moment>,
    /// When its coach called the session off.
    pub cancelled_at: Option<Moment>,
    /// From when the outcome can become final.
    pub finalises_at: Option<Moment>,
    /// When it became final.
    pub finalised_at: Option<Moment>,
    /// Outcome as stored.
    pub outcome: String,
    /// First play.
    pub first_played_at: Option<Moment>,
    /// Last credited play.
    pub last_credit_at: Option<Moment>,
    /// Furthest media position.
    pub furthest_ms: i64,
    /// Unique share in thousandths of a percent.
    pub percent_milli: i32,
    /// The recording its numbers belong to.
    pub current_video_id: Option<VideoId>,
}

fn facts() -> sea_orm::Select<registration::Entity> {
    use registration::Column::{
        CoachId, CurrentVideoId, FinalisedAt, FinalisesAt, FirstPlayedAt, FurthestMs, Id, LastCreditAt, Outcome,
        PercentMilli, RegisteredAt, SessionId, SubjectId, WebinarId,
    };
    registration::Entity::find()
        .select_only()
        .columns([
            Id,
            WebinarId,
            CoachId,
            SubjectId,
            RegisteredAt,
            SessionId,
            FinalisesAt,
            FinalisedAt,
            Outcome,
            FirstPlayedAt,
            LastCreditAt,
            FurthestMs,
            PercentMilli,
            CurrentVideoId,
        ])
        .column(session::Column::Kind)
        .column(session::Column::StartsAt)
        .column(session::Column::CancelledAt)
        .join(JoinType::InnerJoin, registration::Relation::Session.def())
}

/// What is known of these registrations.
///
/// # Errors
/// When the database fails.
pub async fn facts_of(conn: &impl ConnectionTrait, ids: &[RegistrationId]) -> Result<Vec<BookingFacts>, DbErr> {
    facts().filter(registration::Column::Id.is_in(ids.iter().copied())).into_model().all(conn).await
}

/// Registrations of a webinar after `after`, in order of id, at most `limit`; those of people whose data rests or goes
/// are left as they are.
///
/// # Errors
/// When the database fails.
pub async fn facts_after(
    conn: &impl ConnectionTrait,
    webinar: WebinarId,
    after: Option<RegistrationId>,
    limit: u64,
) -> Result<Vec<BookingFacts>, DbErr> {
    let mut find = facts()
        .join(JoinType::InnerJoin, registration::Relation::Subject.def())
        .filter(subject::Column::State.eq(SubjectState::Active.as_str()))
        .filter(registration::Column::WebinarId.eq(webinar))
        .order_by_asc(registration::Column::Id)
        .limit(limit);
    if let Some(after) = after {
        find = find.filter(registration::Column::Id.gt(after));
    }
    find.into_model().all(conn).await
}

/// Marks what waits of a template as removed from the sequence.
///
/// # Errors
/// When the database fails.
pub async fn skip_removed(conn: &impl ConnectionTrait, template: MailTemplateId) -> Result<(), DbErr> {
    let row = Row::Skipped(SkipReason::Removed);
    let stored = row.stored();
    mail::Entity::update_many()
        .col_expr(mail::Column::State, Expr::value(stored.state))
        .col_expr(mail::Column::Reason, Expr::value(stored.reason))
        .col_expr(mail::Column::Note, Expr::value(note_of(row)))
        .filter(mail::Column::TemplateId.eq(template))
        .filter(mail::Column::State.eq(RowState::Waiting.as_str()))
        .exec(conn)
        .await
        .map(drop)
}
