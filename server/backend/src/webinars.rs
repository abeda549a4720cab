//! A coach's webinars: her list, her home page, and the editor's reading and saving.
//!
//! Saving never overwrites what was saved elsewhere in the meantime: the form carries the revision it was made from.

mod home;
mod life;
mod logo;

use domain::ids::WebinarId;
use domain::watching::{Thresholds, Watched, outcome};
use domain::webinar::{
    DEFAULT_CONSENT_TEXT, FieldChoice, Finding, MAX_TITLE_CHARS, PublishFacts, Said, SessionKind, WebinarCard,
    WebinarForm, WebinarState, WebinarView, publish_check, wording_check,
};
use domain::wording::Truth;
use domain::{Refusal, RefusalKind, Slug};
use persistence::entities::{video, webinar};
use persistence::{registrations, results, videos, webinars as queries};
use sea_orm::{ConnectionTrait, DbErr};

use crate::links::MediaKind;
use crate::registrations::slots::StoredSchedule;
use crate::rights::fence::hold_changeable;
use crate::schedules::facts_of;
use crate::{Backend, Coach, Error, Result};

/// Days a link works, percent that counts as the end, seconds that count as attending (product.md §4.1 and §4.4).
const DEFAULT_NUMBERS: (i32, i32, i32) = (7, 95, 60);
/// Tries for a free slug when other requests take the ones just found free.
const SLUG_TRIES: usize = 5;
/// Bookings judged anew in one read.
const JUDGE_ROWS: u64 = 2_000;

/// Whether a database error says that a slug is taken.
fn slug_is_taken(error: &DbErr) -> bool {
    persistence::unique_violation(error).is_some_and(|name| name.contains("slug"))
}

/// The stored settings in the form's own shape.
pub(crate) fn form_of(row: &webinar::Model, consent_text: &str, offers_text: &str) -> Result<WebinarForm> {
    let hosts: Vec<String> = serde_json::from_str(&row.embed_hosts)?;
    Ok(WebinarForm {
        title: row.title.clone(),
        slug: row.slug.clone(),
        description: row.description.clone(),
        presenter: row.presenter.clone(),
        accent: row.accent.clone(),
        session_kind: row.session_kind.clone(),
        link_days: row.link_days.to_string(),
        recorded_month: row.recorded_month.clone(),
        fields: fields_of(row)?,
        consent_text: consent_text.to_owned(),
        offers_text: offers_text.to_owned(),
        embed_hosts: hosts.join("\n"),
        end_percent: row.end_percent.to_string(),
        floor_seconds: row.floor_seconds.to_string(),
        retention_days: row.retention_days.map_or_else(String::new, |days| days.to_string()),
        ask_age: row.ask_age.then(|| "yes".to_owned()),
    })
}

pub(crate) fn fields_of(row: &webinar::Model) -> Result<FieldChoice> {
    Ok(serde_json::from_str(&row.fields)?)
}

pub(crate) fn state_of(row: &webinar::Model) -> Result<WebinarState> {
    WebinarState::from_stored(&row.state)
        .ok_or_else(|| Error::fault("read a webinar", format!("unknown state {}", row.state)))
}

pub(crate) fn kind_of(row: &webinar::Model) -> Result<SessionKind> {
    SessionKind::from_stored(&row.session_kind)
        .ok_or_else(|| Error::fault("read a webinar", format!("unknown kind {}", row.session_kind)))
}

pub(crate) const fn thresholds_of(row: &webinar::Model) -> Thresholds {
    Thresholds { end_percent: row.end_percent, floor_seconds: row.floor_seconds }
}

impl Backend {
    pub(crate) fn logo_url(&self, row: &webinar::Model) -> Option<String> {
        // Named by the picture as well: a new one is seen at once, whatever a browser kept.
        let picture = |key: &String| hex::encode(&self.secrets().mac("logo", &[key.as_bytes()])[..8]);
        row.logo_key.as_ref().map(|key| self.media_url(MediaKind::Logo, &format!("{}-{}", row.id, picture(key))))
    }

    /// The wording registrants of this webinar agree to today.
    pub(crate) async fn consent_wording(&self, conn: &impl ConnectionTrait, row: &webinar::Model) -> Result<String> {
        let Some(id) = row.consent_text_id else {
            return Ok(DEFAULT_CONSENT_TEXT.to_owned());
        };
        let wording = queries::consent_wording(conn, id).await?;
        Ok(wording.map_or_else(|| DEFAULT_CONSENT_TEXT.to_owned(), |wording| wording.text))
    }

    /// What stands beside the box for offers; empty where none is asked.
    pub(crate) async fn offers_wording(&self, conn: &impl ConnectionTrait, row: &webinar::Model) -> Result<String> {
        let Some(id) = row.promotion_text_id else { return Ok(String::new()) };
        Ok(queries::consent_wording(conn, id).await?.map(|wording| wording.text).unwrap_or_default())
    }

    /// The recording a webinar plays, with its number of caption tracks.
    pub(crate) async fn current_recording(
        &self,
        conn: &impl ConnectionTrait,
        row: &webinar::Model,
    ) -> Result<Option<video::Model>> {
        match row.current_video_id {
            Some(id) => Ok(videos::video(conn, row.coach_id, id).await?),
            None => Ok(None),
        }
    }

    /// What the publish check wants to know of a webinar's times.
    pub(crate) async fn time_facts(&self, row: &webinar::Model) -> Result<(bool, usize)> {
        match kind_of(row)? {
            SessionKind::Scheduled => Ok(facts_of(&self.stored_schedule(row).await?, self.now())),
            SessionKind::OnDemand | SessionKind::Replay => Ok((true, 0)),
        }
    }

    pub(crate) fn webinar_card(&self, row: &queries::CardRow) -> Result<WebinarCard> {
        Ok(WebinarCard {
            id: row.webinar.id,
            title: row.webinar.title.clone(),
            slug: row.webinar.slug.clone(),
            state: state_of(&row.webinar)?,
            session_kind: kind_of(&row.webinar)?,
            duration_seconds: row.video.as_ref().map(|video| video.duration_ms as f64 / 1000.0),
            poster_url: row.video.as_ref().and_then(|video| self.poster_url(video)),
            registered: row.registered,
            attended: row.attended,
            updated_at: row.webinar.updated_at,
        })
    }
}

impl Coach {
    /// A webinar of hers, or the answer for "missing".
    pub(crate) async fn own_webinar(&self, id: WebinarId) -> Result<webinar::Model> {
        let found = queries::webinar(self.backend.db().reader(), self.id, id).await?;
        Ok(found.ok_or_else(Refusal::not_found)?)
    }

    /// Her webinars in one state or in all, last touched first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn webinars(&self, state: Option<WebinarState>) -> Result<Vec<WebinarCard>> {
        let rows = queries::cards(self.backend.db().reader(), self.id, state).await?;
        rows.iter().map(|row| self.backend.webinar_card(row)).collect()
    }

    /// Opens a draft with this title. Its address is made from the title, with a number behind it when it is taken.
    ///
    /// # Errors
    /// Refuses a title that is empty, too long or not on one line, and more than [`queries::MAX_WEBINARS`] webinars.
    pub async fn create_webinar(&self, title: &str) -> Result<WebinarId> {
        let title = title.trim();
        if title.is_empty() {
            return Err(Refusal::field("title", "A webinar needs a title. You can change it later.").into());
        }
        if title.chars().count() > MAX_TITLE_CHARS || title.chars().any(char::is_control) {
            return Err(Refusal::field("title", "Please keep the title within 120 characters on one line.").into());
        }
        let now = self.backend.now();
        let wanted = Slug::from_title(title);
        for _ in 0..SLUG_TRIES {
            let transaction = self.backend.db().begin().await?;
            hold_changeable(&transaction, self.id).await?;
            let owner = queries::owner(&transaction, self.id).await?.ok_or_else(Refusal::sign_in)?;
            if queries::count(&transaction, self.id).await? >= queries::MAX_WEBINARS {
                let message = "An account can hold 500 webinars. Delete a draft you no longer need, and try again.";
                return Err(Refusal::new(RefusalKind::Conflict, message).into());
            }
            let id = WebinarId::new();
            let slug = queries::free_slug(&transaction, &wanted).await?;
            let new = queries::NewWebinar {
                id,
                title,
                slug: &slug,
                presenter: &owner.name,
                consent_text: DEFAULT_CONSENT_TEXT,
                numbers: DEFAULT_NUMBERS,
            };
            match queries::insert(&transaction, self.id, new, now).await {
                Ok(()) => {
                    transaction.commit().await?;
                    return Ok(id);
                }
                // Somebody took it in between; the transaction is given up and the next number tried.
                Err(error) if slug_is_taken(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::fault("find a free address", "every try was taken by somebody else"))
    }

    /// Everything the editor shows.
    ///
    /// # Errors
    /// Refuses a webinar that is not hers.
    pub async fn webinar(&self, id: WebinarId) -> Result<WebinarView> {
        let row = self.own_webinar(id).await?;
        self.webinar_view(row).await
    }

    pub(crate) async fn webinar_view(&self, row: webinar::Model) -> Result<WebinarView> {
        let backend = &self.backend;
        let reader = backend.db().reader();
        let offers = backend.offers_wording(reader, &row).await?;
        let form = form_of(&row, &backend.consent_wording(reader, &row).await?, &offers)?;
        let video = match backend.current_recording(reader, &row).await? {
            Some(video) => Some(backend.video_view(reader, &video).await?),
            None => None,
        };
        let owner = queries::owner(reader, self.id).await?.ok_or_else(Refusal::sign_in)?;
        let captions = video.as_ref().map_or(0, |video| video.captions.len());
        let times = backend.time_facts(&row).await?;
        let mut findings = findings(&form, video.is_some(), captions, owner.email_confirmed, times);
        findings.extend(self.said(&row, &form).await?);
        let registered: i64 =
            results::outcome_counts(reader, self.id, row.id, backend.now()).await?.by_outcome.values().sum();
        Ok(WebinarView {
            id: row.id,
            state: state_of(&row)?,
            video,
            logo_url: backend.logo_url(&row),
            page_url: backend.config().absolute(&format!("/w/{}", row.slug)),
            snippet: snippet(&backend.config().absolute("/embed.js"), &row.slug),
            findings,
            registered,
            published_at: row.published_at,
            revision: row.revision,
            form,
        })
    }

    /// What her page and her mails say that is not so, and offers nobody can have agreed to.
    async fn said(&self, row: &webinar::Model, form: &WebinarForm) -> Result<Vec<Finding>> {
        let backend = &self.backend;
        let schedule = StoredSchedule::of(row, &[])?.schedule;
        let mails = persistence::sequences::templates(backend.db().reader(), row.id).await?;
        let truth = Truth {
            // Something that can be watched for a week does not end tonight.
            has_replay_expiry: match kind_of(row)? {
                SessionKind::Scheduled => schedule.replay_days <= 1,
                SessionKind::OnDemand | SessionKind::Replay => row.link_days <= 1,
            },
            ..Truth::default()
        };
        let mut said = vec![
            Said { about: "title", place: "the title", text: &form.title },
            Said { about: "description", place: "the description", text: &form.description },
        ];
        let going: Vec<_> = mails.iter().filter(|mail| mail.is_on).collect();
        let places: Vec<String> = going.iter().map(|mail| format!("the mail “{}”", mail.subject)).collect();
        for (mail, place) in going.iter().zip(&places) {
            said.extend([&mail.subject, &mail.body].map(|text| Said { about: "mails", place, text }));
        }
        let mut findings = wording_check(&said, &truth);
        if form.offers_text.is_empty() && going.iter().any(|mail| mail.is_promotional) {
            let message = "A mail is an offer, and there is no box for offers on the page: nobody can agree to it, so it \
                           goes to nobody.";
            findings.push(Finding { blocks: false, about: "offers_text".to_owned(), message: message.to_owned() });
        }
        Ok(findings)
    }

    /// Saves the editor's form as it was made from `revision`. A changed consent wording becomes a new version;
    /// changed thresholds judge everybody anew, and each change of status is logged.
    ///
    /// # Errors
    /// Refuses a form with a field that is not acceptable (by name), a slug that is taken, and a form made from an
    /// older revision: then nothing is written. Refuses a webinar that is not hers.
    pub async fn save_webinar(&self, id: WebinarId, revision: i32, form: WebinarForm) -> Result<WebinarView> {
        let backend = &self.backend;
        let settings = form.check()?;
        let now = backend.now();
        let transaction = backend.db().begin().await?;
        hold_changeable(&transaction, self.id).await?;
        let row = queries::webinar(&transaction, self.id, id).await?.ok_or_else(Refusal::not_found)?;
        if row.revision != revision {
            return Err(saved_elsewhere().into());
        }
        let wording = match row.consent_text_id {
            Some(current) if backend.consent_wording(&transaction, &row).await? == settings.consent_text => current,
            _ => queries::add_consent_version(&transaction, id, &settings.consent_text, now).await?,
        };
        let offers = match (&settings.offers_text, row.promotion_text_id) {
            (None, _) => None,
            (Some(text), Some(current)) if backend.offers_wording(&transaction, &row).await? == *text => Some(current),
            (Some(text), _) => Some(queries::add_consent_version(&transaction, id, text, now).await?),
        };
        match queries::save(&transaction, self.id, id, revision, &settings, (wording, offers), now).await {
            Ok(true) => {}
            Ok(false) => return Err(saved_elsewhere().into()),
            Err(error) if slug_is_taken(&error) => {
                let message = "This address is taken. Try it with your name or a year behind it.";
                return Err(Refusal::field("slug", message).into());
            }
            Err(error) => return Err(error.into()),
        }
        let thresholds = Thresholds { end_percent: settings.end_percent, floor_seconds: settings.floor_seconds };
        if thresholds != thresholds_of(&row) {
            self.judge_anew(&transaction, id, thresholds).await?;
        }
        transaction.commit().await?;
        self.webinar(id).await
    }

    /// Gives every booking the outcome these thresholds stand for, each measured on the recording it watched.
    async fn judge_anew(&self, conn: &impl ConnectionTrait, id: WebinarId, thresholds: Thresholds) -> Result<()> {
        let now = self.backend.now();
        let durations = results::durations(conn, self.id, id).await?;
        let mut after = None;
        loop {
            let rows = registrations::progress_after(conn, self.id, id, after, JUDGE_ROWS).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(last.id);
            let mut changes = Vec::new();
            for row in rows {
                let Some(duration) = row.current_video_id.and_then(|video| durations.get(&video)) else {
                    continue;
                };
                let watched = Watched {
                    unique_seconds: row.unique_seconds.unsigned_abs(),
                    last_credit_at: None,
                    finalised: row.finalised_at.is_some(),
                };
                let to = outcome(&watched, *duration, thresholds);
                if let Some(from) = domain::watching::Attendance::from_stored(&row.outcome)
                    && from != to
                {
                    changes.push(results::StatusChange { registration: row.id, from, to });
                }
            }
            for status in domain::watching::Attendance::ALL {
                let ids: Vec<_> = changes.iter().filter(|change| change.to == status).map(|c| c.registration).collect();
                if !ids.is_empty() {
                    registrations::set_outcome(conn, self.id, &ids, status).await?;
                }
            }
            results::log_changes(conn, &changes, "thresholds", now).await?;
        }
    }
}

fn saved_elsewhere() -> Refusal {
    let message = "This webinar was saved in another window after you opened this page. Nothing was overwritten. \
                   Copy what you changed, load the page again, and put it in there.";
    Refusal::new(RefusalKind::Conflict, message)
}

/// The publish check over a stored form. Settings from before a rule changed may fail it; that is a finding as well.
pub(crate) fn findings(
    form: &WebinarForm,
    has_video: bool,
    caption_tracks: usize,
    email_confirmed: bool,
    times: (bool, usize),
) -> Vec<Finding> {
    match form.check() {
        Ok(webinar) => {
            let (has_a_time, shifted_sessions) = times;
            publish_check(&PublishFacts {
                webinar: &webinar,
                has_video,
                caption_tracks,
                email_confirmed,
                has_a_time,
                shifted_sessions,
            })
        }
        Err(refusal) => {
            vec![Finding {
                blocks: true,
                about: refusal.field.unwrap_or_else(|| "title".to_owned()),
                message: refusal.message,
            }]
        }
    }
}

/// What the coach pastes on her site. It keeps its room, so that her page does not jump.
fn snippet(script: &str, slug: &str) -> String {
    format!(
        "<div data-mini-webinar=\"{slug}\" style=\"min-height:560px\"></div><script async src=\"{script}\"></script>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_snippet_is_the_one_in_the_wild() {
        assert_eq!(
            snippet("https://app.example/embed.js", "five-mistakes"),
            "<div data-mini-webinar=\"five-mistakes\" style=\"min-height:560px\"></div><script async src=\"https://app.example/embed.js\"></script>"
        );
    }

    #[test]
    fn a_stored_form_that_breaks_a_newer_rule_is_a_finding() {
        let found = findings(&WebinarForm::default(), true, 1, true, (true, 0));
        assert_eq!(found.len(), 1);
        assert!(found[0].blocks);
        assert_eq!(found[0].about, "title");
    }
}
