//! A registrant's own link: what the room shows.
//!
//! Opening it notes a visit, which beats need to belong to; it is no attendance, because scanners open every link.

use domain::ids::{CoachId, RegistrationId, SubjectId, ViewId, WebinarId};
use domain::processing::ProcessingPurpose;
use domain::registration::{Answers, BookedTime};
use domain::rights::{AccountState, SubjectState};
use domain::schedule::LateJoin;
use domain::stay::{is_worth_an_entry, opens_at_second};
use domain::video::TranscriptLine;
use domain::webinar::{PlayerProps, RegistrationField, Room, RoomPhase, SessionKind, WebinarState};
use domain::{Moment, Refusal, RefusalKind};
use persistence::entities::{registration, video};
use persistence::registrations::{Arrived, Named};
use persistence::sealed::{Place, Standing, SubjectKey};
use persistence::{registrations as queries, rights, videos};

use super::{recorded, whole_seconds};
use crate::calendars::Delivery;
use crate::captions::transcript;
use crate::rights::fence::{hold_public, public};
use crate::webinars::{kind_of, state_of};
use crate::zones::in_one_line;
use crate::{Backend, Client, Result, Visitor};

/// What the room says of a person who is just being erased.
fn erased() -> Refusal {
    Refusal::new(RefusalKind::Gone, "Your details on this page are being erased, as you asked. This link is over.")
}

impl Visitor {
    /// The room behind a registrant's link. Once the link has expired, or the recording is gone, the room has no
    /// player and no media address. A visit is noted for the browser that opens it; without one, such as for `HEAD`,
    /// nothing is.
    ///
    /// # Errors
    /// Refuses a token that is not one of ours, in the same words as any unknown address, a webinar its coach has
    /// closed, and one whose coach closes or rests her account.
    pub async fn room(&self, token: &str, client: Option<&Client>) -> Result<Room> {
        let backend = &self.backend;
        let reader = backend.db().reader();
        let found = backend.booking_of(token).await?;
        public(AccountState::from_stored(&found.account_state))?;
        let row = persistence::webinars::webinar(reader, found.coach, found.webinar).await?;
        let row = row.ok_or_else(Refusal::not_found)?;
        if row.closed_at.is_some() {
            let who = if row.presenter.is_empty() { "The presenter" } else { &row.presenter };
            let message = format!(
                "{who} has closed “{}”. Your registration is kept, and the link works again if it reopens.",
                row.title
            );
            return Err(Refusal::new(RefusalKind::Gone, message).into());
        }
        let Named { id, webinar, expires_at, starts_at, .. } = found;
        let booking = match found.standing {
            Standing::Active(booking) => Some(booking.into_inner()),
            // Playing works; nothing that is stored about the person is used for it, and nothing is added.
            Standing::Restricted(_) => None,
            Standing::Erasing => return Err(erased().into()),
        };
        let video = backend.current_recording(reader, &row).await?;
        let kind = kind_of(&row)?;
        let stored = match kind == SessionKind::Scheduled || starts_at.is_some() {
            true => Some(backend.stored_schedule(&row).await?),
            false => None,
        };
        let now = backend.now();
        let phase = match (starts_at, &stored) {
            _ if found.is_called_off => RoomPhase::CalledOff,
            (_, Some(stored)) if found.is_waiting && !stored.schedule.on_demand => RoomPhase::NoDateYet,
            _ if expires_at <= now || video.is_none() => RoomPhase::Over,
            (Some(starts_at), Some(stored)) if starts_at > now => {
                RoomPhase::Waiting { starts_at, doors_at: stored.schedule.doors_open(starts_at), now }
            }
            _ => RoomPhase::Open,
        };
        let late_join = stored.as_ref().map_or(LateJoin::FromTheStart, |stored| stored.schedule.late_join);
        let player = match &video {
            Some(video) if phase == RoomPhase::Open => {
                let (coach, subject) = (row.coach_id, found.subject);
                let by_mail = backend.was_mailed(token, id, found.link_version);
                let visit = Visit { id, webinar, coach, subject, late_join, starts_at, by_mail };
                Some(backend.player(&visit, booking.is_some(), video, client).await?)
            }
            _ => None,
        };
        let joins_where_it_is = late_join == LateJoin::WhereItIs;
        let zone = found.time_zone.as_deref();
        let may_choose = phase != RoomPhase::Open
            && kind == SessionKind::Scheduled
            && booking.is_some()
            && state_of(&row)? == WebinarState::Published;
        let times = match &stored {
            Some(stored) if may_choose => Some(backend.times(&row, stored, zone)?),
            _ => None,
        };
        let calendar = match (&booking, starts_at) {
            (Some(booking), Some(starts_at)) if is_worth_an_entry(starts_at, now) && phase != RoomPhase::CalledOff => {
                let link = backend.config().absolute(&format!("/r/{token}"));
                let duration_seconds = whole_seconds(video.as_ref());
                let entry = backend.calendar_entry(&row, booking, (starts_at, duration_seconds), &link);
                Some(entry.web_links())
            }
            _ => None,
        };
        let time_text = starts_at.map(|starts_at| in_one_line(starts_at, zone.unwrap_or("UTC")));
        Ok(Room {
            path: format!("/r/{token}"),
            title: row.title.clone(),
            slug: row.slug.clone(),
            presenter: row.presenter.clone(),
            accent: row.accent.clone(),
            logo_url: backend.logo_url(&row),
            description_html: crate::markdown::to_html(&row.description).to_string(),
            first_name: match &booking {
                Some(booking) => backend.first_name(booking).await?,
                None => None,
            },
            recorded: recorded(&row, video.as_ref()),
            session_kind: kind,
            embed_hosts: serde_json::from_str(&row.embed_hosts)?,
            expires_at,
            phase,
            time_text,
            change_note: found.change_note.filter(|_| phase == RoomPhase::CalledOff),
            joins_where_it_is,
            times,
            calendar,
            agree: None,
            player,
        })
    }

    /// The calendar entry of a registration, as a file.
    ///
    /// # Errors
    /// Refuses a token that is not one of ours, a registration without a session to come, and somebody whose data rests.
    pub async fn calendar(&self, token: &str) -> Result<String> {
        let backend = &self.backend;
        let reader = backend.db().reader();
        let found = backend.booking_of(token).await?;
        public(AccountState::from_stored(&found.account_state))?;
        let row = persistence::webinars::webinar(reader, found.coach, found.webinar).await?;
        let row = row.ok_or_else(Refusal::not_found)?;
        let starts_at = found.starts_at.filter(|starts_at| *starts_at > backend.now() && !found.is_called_off);
        let starts_at = starts_at.ok_or_else(Refusal::not_found)?;
        let Standing::Active(booking) = found.standing else { return Err(Refusal::not_found().into()) };
        let link = backend.config().absolute(&format!("/r/{token}"));
        let duration_seconds = backend.duration_seconds(&row).await?;
        let entry = backend.calendar_entry(&row, &booking.into_inner(), (starts_at, duration_seconds), &link);
        Ok(entry.file(Delivery::Published, backend.now()))
    }

    /// Takes another time with one's own link, which stays the same.
    ///
    /// # Errors
    /// Refuses a token that is not one of ours, a time that is none, a webinar that is closed to registration, and
    /// somebody whose data rests.
    pub async fn change_time(&self, token: &str, (slot, zone): (&str, &str)) -> Result<BookedTime> {
        let backend = &self.backend;
        let reader = backend.db().reader();
        let found = backend.booking_of(token).await?;
        let row = persistence::webinars::webinar(reader, found.coach, found.webinar).await?;
        let row = row.ok_or_else(Refusal::not_found)?;
        if state_of(&row)? != WebinarState::Published {
            let message = "No other time can be booked any more. Nothing was changed.";
            return Err(Refusal::new(RefusalKind::Gone, message).into());
        }
        let stored = backend.stored_schedule(&row).await?;
        let (chosen, _, zone) = backend.chosen(&row, &stored, (slot, zone))?;
        let chosen = chosen.ok_or_else(|| Refusal::field("slot", "Please choose one of the times."))?;
        let booked = backend.move_to(&row, found.id, (chosen, zone), None).await?;
        backend.note_gesture(token, &found).await?;
        Ok(booked)
    }
}

/// Who opens the room.
struct Visit {
    id: RegistrationId,
    webinar: WebinarId,
    coach: CoachId,
    subject: SubjectId,
    /// Where somebody begins who comes late.
    late_join: LateJoin,
    /// When their session starts, if it has a time.
    starts_at: Option<Moment>,
    /// Whether by a link that was mailed.
    by_mail: bool,
}

impl Backend {
    /// Notes that the person behind a booking pressed something on a page, if a mailed link led them there.
    pub(super) async fn note_gesture(&self, token: &str, found: &Named) -> Result<()> {
        if self.was_mailed(token, found.id, found.link_version) {
            let transaction = self.db().begin().await?;
            queries::prove(&transaction, found.coach, found.id, self.now()).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// The booking a room token proves, or the answer for any unknown address.
    pub(super) async fn booking_of(&self, token: &str) -> Result<Named> {
        let id = self.room_token_names(token).ok_or_else(Refusal::not_found)?;
        let found = queries::named_by_token(self.db().reader(), id).await?.ok_or_else(Refusal::not_found)?;
        match self.room_token_proves(token, found.id, found.link_version) {
            true => Ok(found),
            false => Err(Refusal::not_found().into()),
        }
    }

    async fn player(
        &self,
        visit: &Visit,
        may_be_used: bool,
        video: &video::Model,
        client: Option<&Client>,
    ) -> Result<PlayerProps> {
        let reader = self.db().reader();
        let duration_seconds = video.duration_ms as f64 / 1000.0;
        let left_at = match may_be_used {
            true => queries::last_position_ms(reader, visit.id, video.id).await?,
            false => None,
        };
        let left_at = left_at.map(|left_at| left_at.max(0) as f64 / 1000.0);
        let comes = (visit.starts_at, self.now());
        let arrival = opens_at_second(visit.late_join, comes, duration_seconds, left_at);
        let tracks = videos::captions(reader, video.id).await?;
        let view = match client {
            Some(client) => self.open_view(visit, video, client).await?,
            None => None,
        };
        Ok(PlayerProps {
            view,
            media_url: self.recording_url(video),
            content_type: video.content_type.clone(),
            poster_url: self.poster_url(video),
            duration_seconds,
            resume_seconds: arrival.at_second,
            transcript: tracks.first().map_or_else(Vec::<TranscriptLine>::new, |track| transcript(&track.webvtt)),
            captions: tracks.iter().map(|track| self.caption_track(track)).collect(),
        })
    }

    /// Notes the visit, unless the person's data rests by now.
    async fn open_view(&self, visit: &Visit, video: &video::Model, client: &Client) -> Result<Option<ViewId>> {
        let view = ViewId::new();
        let transaction = self.db().begin().await?;
        hold_public(&transaction, visit.coach).await?;
        match rights::hold_subject(&transaction, visit.coach, visit.subject).await? {
            Some(SubjectState::Active) => {}
            Some(SubjectState::Restricted) => return Ok(None),
            Some(SubjectState::Erasing) | None => return Err(erased().into()),
        }
        let arrived =
            Arrived { device: client.device.as_str(), country: client.country.as_str(), by_mail: visit.by_mail };
        queries::open_view(&transaction, view, (visit.id, visit.webinar), video.id, arrived, self.now()).await?;
        transaction.commit().await?;
        Ok(Some(view))
    }

    /// The first name as given on this registration, while the person's data may be used.
    pub(crate) async fn first_name(&self, found: &registration::Model) -> Result<Option<String>> {
        if found.answers_ct.is_none() {
            return Ok(None);
        }
        let subject = queries::subject(self.db().reader(), found.coach_id, found.subject_id).await?;
        let Some(subject) = subject.and_then(|person| person.standing.active()) else {
            return Ok(None);
        };
        first_name_of(ProcessingPurpose::Provide, &self.keyring().key(subject.dek_id).await?, found)
    }
}

/// The first name a registrant gave by itself, read with their key.
pub(crate) fn first_name_of(
    purpose: ProcessingPurpose,
    key: &SubjectKey,
    found: &registration::Model,
) -> Result<Option<String>> {
    let Some(sealed) = &found.answers_ct else { return Ok(None) };
    let opened = key.open(purpose, Place::RegistrationAnswers, found.id.as_bytes(), sealed)?;
    let answers: Answers = serde_json::from_slice(&opened)?;
    Ok(answers.get(RegistrationField::FirstName).map(str::to_owned))
}
