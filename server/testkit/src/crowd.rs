//! Many people at once, for tests and measurements of many.

use domain::Moment;
use domain::ids::{CoachId, RegistrationId, SessionId, SubjectId, WebinarId};
use persistence::entities::{registration, session, subject};
use persistence::keyring::Keyring;
use persistence::sealed::Place;
use sea_orm::{ConnectionTrait, EntityTrait, Set};

/// Rows written with one statement.
const ROWS: usize = 500;

/// Somebody's address in the crowd.
#[must_use]
pub fn in_the_crowd(number: usize) -> String {
    format!("guest{number}@crowd.example")
}

/// Lets so many people book one session, each with a key, an address and a name of their own. Nothing is planned for
/// them.
///
/// # Panics
/// When a database fails.
pub async fn crowd(
    conn: &impl ConnectionTrait,
    keyring: &Keyring,
    (coach, webinar, session): (CoachId, WebinarId, SessionId),
    count: usize,
    now: Moment,
) -> Vec<RegistrationId> {
    let stored = session::Entity::find_by_id(session).one(conn).await.expect("reads").expect("a session");
    let pepper = keyring.pepper(coach, now).await.expect("a pepper");
    let keys = keyring.create_keys(count, now).await.expect("keys");
    let (mut people, mut bookings) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for (number, (dek, key)) in keys.iter().enumerate() {
        let (id, email) = (SubjectId::new(), in_the_crowd(number));
        people.push(subject::ActiveModel {
            id: Set(id),
            kind: Set("viewer".to_owned()),
            coach_id: Set(coach),
            state: Set("active".to_owned()),
            dek_id: Set(*dek),
            email_bidx: Set(pepper.blind_index(&email)),
            email_ct: Set(key.seal(Place::SubjectEmail, id.as_bytes(), email.as_bytes())),
            name_ct: Set(Some(key.seal(Place::SubjectName, id.as_bytes(), format!("Guest {number}").as_bytes()))),
            created_at: Set(now),
        });
        bookings.push(registration::ActiveModel {
            id: Set(RegistrationId::new()),
            webinar_id: Set(webinar),
            coach_id: Set(coach),
            subject_id: Set(id),
            session_id: Set(session),
            link_version: Set(1),
            answers_ct: Set(None),
            source: Set(String::new()),
            time_zone: Set(Some("Europe/Paris".to_owned())),
            country: Set(String::new()),
            device: Set(String::new()),
            registered_at: Set(now),
            proven_at: Set(None),
            first_played_at: Set(None),
            expires_at: Set(stored.starts_at.unwrap_or(now).plus_days(8)),
            finalised_at: Set(None),
            outcome: Set("registered".to_owned()),
            unique_seconds: Set(0),
            total_ms: Set(0),
            hidden_ms: Set(0),
            furthest_ms: Set(0),
            percent_milli: Set(0),
            last_credit_at: Set(None),
            current_video_id: Set(None),
            finalises_at: Set(stored.starts_at.map(|at| at.plus_seconds(4_500))),
            calendar_sequence: Set(0),
        });
    }
    let ids = bookings.iter().map(|row| row.id.clone().take().expect("an id")).collect();
    for some in people.chunks(ROWS) {
        subject::Entity::insert_many(some.iter().cloned()).exec_without_returning(conn).await.expect("people");
    }
    for some in bookings.chunks(ROWS) {
        registration::Entity::insert_many(some.iter().cloned()).exec_without_returning(conn).await.expect("bookings");
    }
    ids
}
