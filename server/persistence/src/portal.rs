//! Queries of the viewers' portal: proofs and sessions, and everything held about one person, for that person.
//!
//! These are the only queries that look across coaches, and they do it by what an address is called at each: nothing
//! stored says that two coaches hold the same person. What they hand out is closed, so that whoever opens it says why.

use domain::Moment;
use domain::ids::{CoachId, PortalProofId, RegistrationId, RequestId, SubjectId};
use domain::rights::{RequestState, RightKind};
use domain::sequence::Suppression;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, Set,
};

use crate::entities::{
    consent, consent_text, dsr_request, mail, objection, portal_proof, portal_session, registration, restriction,
    subject, suppression, tombstone, view, webinar,
};
use crate::sealed::Restricted;

/// Rows of one listing.
const LIST_ROWS: u64 = 200;
/// Indexes asked for in one statement; both databases bind more.
const LOOKUP: usize = 5_000;

/// Writes a proof. Of the proofs for one address and purpose only the newest counts.
///
/// # Errors
/// When the database fails.
pub async fn insert_proof(conn: &impl ConnectionTrait, row: portal_proof::Model) -> Result<(), DbErr> {
    portal_proof::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(conn).await.map(drop)
}

/// One proof by its id, for whoever mails it.
///
/// # Errors
/// When the database fails.
pub async fn proof(conn: &impl ConnectionTrait, id: PortalProofId) -> Result<Option<portal_proof::Model>, DbErr> {
    portal_proof::Entity::find_by_id(id).one(conn).await
}

/// The proof a link's token belongs to.
///
/// # Errors
/// When the database fails.
pub async fn proof_by_token(
    conn: &impl ConnectionTrait,
    token_hash: &[u8],
) -> Result<Option<portal_proof::Model>, DbErr> {
    portal_proof::Entity::find().filter(portal_proof::Column::TokenHash.eq(token_hash.to_vec())).one(conn).await
}

/// The newest proof for an address and purpose.
///
/// # Errors
/// When the database fails.
pub async fn newest_proof(
    conn: &impl ConnectionTrait,
    address_mac: &[u8],
) -> Result<Option<portal_proof::Model>, DbErr> {
    portal_proof::Entity::find()
        .filter(portal_proof::Column::AddressMac.eq(address_mac.to_vec()))
        // Ids are made in order of time.
        .order_by_desc(portal_proof::Column::Id)
        .one(conn)
        .await
}

/// Counts a typed code; tells whether there was a try left.
///
/// # Errors
/// When the database fails.
pub async fn count_try(conn: &impl ConnectionTrait, id: PortalProofId, most: i32) -> Result<bool, DbErr> {
    let done = portal_proof::Entity::update_many()
        .col_expr(portal_proof::Column::Tries, Expr::col(portal_proof::Column::Tries).add(1))
        .filter(portal_proof::Column::Id.eq(id))
        .filter(portal_proof::Column::Tries.lt(most))
        .exec(conn)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Uses a proof up, and forgets the address it was for; tells whether it could still be used.
///
/// # Errors
/// When the database fails.
pub async fn use_proof(conn: &impl ConnectionTrait, id: PortalProofId, now: Moment) -> Result<bool, DbErr> {
    let done = portal_proof::Entity::update_many()
        .col_expr(portal_proof::Column::UsedAt, Expr::value(Some(now)))
        .col_expr(portal_proof::Column::AddressCt, Expr::value(None::<Vec<u8>>))
        .filter(portal_proof::Column::Id.eq(id))
        .filter(portal_proof::Column::UsedAt.is_null())
        .filter(portal_proof::Column::ExpiresAt.gt(now))
        .exec(conn)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Opens a session.
///
/// # Errors
/// When the database fails.
pub async fn insert_session(conn: &impl ConnectionTrait, row: portal_session::Model) -> Result<(), DbErr> {
    portal_session::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(conn).await.map(drop)
}

/// The session of a browser's token, as long as it lasts.
///
/// # Errors
/// When the database fails.
pub async fn session(
    conn: &impl ConnectionTrait,
    token_hash: &[u8],
    now: Moment,
) -> Result<Option<portal_session::Model>, DbErr> {
    portal_session::Entity::find_by_id(token_hash.to_vec())
        .filter(portal_session::Column::ExpiresAt.gt(now))
        .one(conn)
        .await
}

/// Ends a session.
///
/// # Errors
/// When the database fails.
pub async fn end_session(conn: &impl ConnectionTrait, token_hash: &[u8]) -> Result<(), DbErr> {
    portal_session::Entity::delete_by_id(token_hash.to_vec()).exec(conn).await.map(drop)
}

/// Who stands behind these blind indexes: coach, person, index. Whoever asks compares the coach, since an index is only
/// one coach's.
///
/// # Errors
/// When the database fails.
pub async fn people_by_index(
    conn: &impl ConnectionTrait,
    indexes: &[Vec<u8>],
) -> Result<Vec<(CoachId, SubjectId, Vec<u8>)>, DbErr> {
    let mut found = Vec::new();
    for some in indexes.chunks(LOOKUP) {
        let rows: Vec<(CoachId, SubjectId, Vec<u8>)> = subject::Entity::find()
            .select_only()
            .columns([subject::Column::CoachId, subject::Column::Id, subject::Column::EmailBidx])
            .filter(subject::Column::EmailBidx.is_in(some.iter().cloned()))
            .into_tuple()
            .all(conn)
            .await?;
        found.extend(rows);
    }
    Ok(found)
}

/// Who was erased behind these blind indexes: coach, request, index. A mark bears the id of the request it came of.
///
/// # Errors
/// When the database fails.
pub async fn erased_by_index(
    conn: &impl ConnectionTrait,
    indexes: &[Vec<u8>],
) -> Result<Vec<(CoachId, RequestId, Vec<u8>)>, DbErr> {
    let mut found = Vec::new();
    for some in indexes.chunks(LOOKUP) {
        let rows = tombstone::Entity::find()
            .filter(tombstone::Column::EmailBidx.is_in(some.iter().cloned()))
            .all(conn)
            .await?;
        let erased = rows.into_iter().filter_map(|row| Some((row.coach_id, RequestId(row.id.0), row.email_bidx?)));
        found.extend(erased);
    }
    Ok(found)
}

/// A booking with the webinar it is on.
#[derive(Clone, Debug)]
pub struct HeldBooking {
    /// The booking.
    pub booking: registration::Model,
    /// The webinar.
    pub webinar: webinar::Model,
    /// Visits to its room.
    pub visits: usize,
    /// Mails planned or sent for it, oldest first.
    pub mails: Vec<mail::Model>,
}

/// An agreement with the wording that was agreed to.
#[derive(Clone, Debug)]
pub struct HeldConsent {
    /// The agreement.
    pub consent: consent::Model,
    /// The wording; empty when it is gone.
    pub wording: String,
}

/// Everything told in words about one person at one coach.
#[derive(Clone, Debug)]
pub struct HeldPerson {
    /// The person.
    pub subject: subject::Model,
    /// Bookings, newest first.
    pub bookings: Vec<HeldBooking>,
    /// Agreements, newest first.
    pub consents: Vec<HeldConsent>,
    /// Restrictions that stand.
    pub restrictions: Vec<restriction::Model>,
    /// Objections, newest first.
    pub objections: Vec<objection::Model>,
    /// Whether mail of the coach's own wish is not wanted.
    pub is_suppressed: bool,
}

/// Everything told in words about one person at one coach, whatever state they are in.
///
/// # Errors
/// When the database fails.
pub async fn person(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: SubjectId,
) -> Result<Option<Restricted<HeldPerson>>, DbErr> {
    let found = subject::Entity::find_by_id(id).filter(subject::Column::CoachId.eq(coach)).one(conn).await?;
    let Some(subject) = found else { return Ok(None) };
    let is_suppressed = crate::restrictions::is_suppressed(conn, coach, id, crate::restrictions::MAIL).await?;
    Ok(Some(Restricted::new(HeldPerson {
        bookings: bookings(conn, coach, id).await?,
        consents: consents(conn, id).await?,
        restrictions: crate::restrictions::standing(conn, id).await?,
        objections: objection::Entity::find()
            .filter(objection::Column::SubjectId.eq(id))
            .order_by_desc(objection::Column::MadeAt)
            .limit(LIST_ROWS)
            .all(conn)
            .await?,
        is_suppressed,
        subject,
    })))
}

async fn bookings(conn: &impl ConnectionTrait, coach: CoachId, id: SubjectId) -> Result<Vec<HeldBooking>, DbErr> {
    let rows = registration::Entity::find()
        .find_also_related(webinar::Entity)
        .filter(registration::Column::CoachId.eq(coach))
        .filter(registration::Column::SubjectId.eq(id))
        .order_by_desc(registration::Column::RegisteredAt)
        .limit(LIST_ROWS)
        .all(conn)
        .await?;
    let ids: Vec<RegistrationId> = rows.iter().map(|(row, _)| row.id).collect();
    let visits: Vec<RegistrationId> = view::Entity::find()
        .select_only()
        .column(view::Column::RegistrationId)
        .filter(view::Column::RegistrationId.is_in(ids.iter().copied()))
        .into_tuple()
        .all(conn)
        .await?;
    let mails = mail::Entity::find()
        .filter(mail::Column::CoachId.eq(coach))
        .filter(mail::Column::RegistrationId.is_in(ids))
        .order_by_asc(mail::Column::Id)
        .limit(LIST_ROWS)
        .all(conn)
        .await?;
    let held = rows.into_iter().filter_map(|(booking, webinar)| {
        Some(HeldBooking {
            visits: visits.iter().filter(|of| **of == booking.id).count(),
            mails: mails.iter().filter(|mail| mail.registration_id == Some(booking.id)).cloned().collect(),
            webinar: webinar?,
            booking,
        })
    });
    Ok(held.collect())
}

async fn consents(conn: &impl ConnectionTrait, id: SubjectId) -> Result<Vec<HeldConsent>, DbErr> {
    let rows = consent::Entity::find()
        .find_also_related(consent_text::Entity)
        .filter(consent::Column::SubjectId.eq(id))
        .order_by_desc(consent::Column::GivenAt)
        .limit(LIST_ROWS)
        .all(conn)
        .await?;
    let held = |(consent, text): (consent::Model, Option<consent_text::Model>)| HeldConsent {
        consent,
        wording: text.map(|text| text.text).unwrap_or_default(),
    };
    Ok(rows.into_iter().map(held).collect())
}

/// Requests of a person to correct something that wait until their data is used again, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn pending_corrections(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: SubjectId,
) -> Result<Vec<RequestId>, DbErr> {
    dsr_request::Entity::find()
        .select_only()
        .column(dsr_request::Column::Id)
        .filter(dsr_request::Column::CoachId.eq(coach))
        .filter(dsr_request::Column::SubjectId.eq(id))
        .filter(dsr_request::Column::Kind.eq(RightKind::Rectify.as_str()))
        .filter(dsr_request::Column::State.eq(RequestState::Verified.as_str()))
        .order_by_asc(dsr_request::Column::Id)
        .limit(LIST_ROWS)
        .into_tuple()
        .all(conn)
        .await
}

/// Corrects a person's name. Whoever asks has held the person and found their data in use.
///
/// # Errors
/// When the database fails.
pub async fn set_name(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: SubjectId,
    name_sealed: Option<Vec<u8>>,
) -> Result<(), DbErr> {
    let change = subject::ActiveModel { name_ct: Set(name_sealed), ..Default::default() };
    set_subject(conn, coach, id, change).await
}

async fn set_subject(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: SubjectId,
    change: subject::ActiveModel,
) -> Result<(), DbErr> {
    subject::Entity::update_many()
        .set(change)
        .filter(subject::Column::Id.eq(id))
        .filter(subject::Column::CoachId.eq(coach))
        .exec(conn)
        .await
        .map(drop)
}

/// Corrects a person's address, and takes their marks "do not write to me" along.
///
/// # Errors
/// When the database fails; also when the coach has somebody with the new address.
pub async fn set_address(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    id: SubjectId,
    email_sealed: Vec<u8>,
    (old_index, new_index): (Vec<u8>, Vec<u8>),
) -> Result<(), DbErr> {
    let change =
        subject::ActiveModel { email_ct: Set(email_sealed), email_bidx: Set(new_index.clone()), ..Default::default() };
    set_subject(conn, coach, id, change).await?;
    let of = |index: Vec<u8>| {
        suppression::Entity::find()
            .filter(suppression::Column::CoachId.eq(coach))
            .filter(suppression::Column::EmailBidx.eq(index))
    };
    // That the old address takes no mail says nothing about the new one.
    let of = |index: Vec<u8>| of(index).filter(suppression::Column::Channel.ne(Suppression::Bounced.as_str()));
    let known: Vec<String> = of(new_index.clone()).all(conn).await?.into_iter().map(|mark| mark.channel).collect();
    for mark in of(old_index).all(conn).await? {
        if known.contains(&mark.channel) {
            suppression::Entity::delete_by_id(mark.id).exec(conn).await?;
        } else {
            let mut moved = mark.into_active_model();
            moved.email_bidx = Set(new_index.clone());
            moved.update(conn).await?;
        }
    }
    Ok(())
}

/// Corrects the answers of one booking.
///
/// # Errors
/// When the database fails.
pub async fn set_answers(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    (id, booking): (SubjectId, RegistrationId),
    answers_sealed: Option<Vec<u8>>,
) -> Result<(), DbErr> {
    registration::Entity::update_many()
        .set(registration::ActiveModel { answers_ct: Set(answers_sealed), ..Default::default() })
        .filter(registration::Column::Id.eq(booking))
        .filter(registration::Column::SubjectId.eq(id))
        .filter(registration::Column::CoachId.eq(coach))
        .exec(conn)
        .await
        .map(drop)
}

/// The country a person's latest registration came from, as stored.
///
/// # Errors
/// When the database fails.
pub async fn country(conn: &impl ConnectionTrait, coach: CoachId, id: SubjectId) -> Result<Option<String>, DbErr> {
    registration::Entity::find()
        .select_only()
        .column(registration::Column::Country)
        .filter(registration::Column::CoachId.eq(coach))
        .filter(registration::Column::SubjectId.eq(id))
        .order_by_desc(registration::Column::RegisteredAt)
        .into_tuple()
        .one(conn)
        .await
}

/// The sealed answers of one booking of a person: nothing when it is not theirs.
///
/// # Errors
/// When the database fails.
pub async fn answers(
    conn: &impl ConnectionTrait,
    coach: CoachId,
    (id, booking): (SubjectId, RegistrationId),
) -> Result<Option<Option<Vec<u8>>>, DbErr> {
    registration::Entity::find_by_id(booking)
        .select_only()
        .column(registration::Column::AnswersCt)
        .filter(registration::Column::SubjectId.eq(id))
        .filter(registration::Column::CoachId.eq(coach))
        .into_tuple()
        .one(conn)
        .await
}
