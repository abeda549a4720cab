//! A journey played through for the coach: what one made-up registrant would meet, before anybody does.
//!
//! Nothing is written and nothing is sent: what happens is decided by [`domain::rehearsal`], with the functions that
//! decide for real people, from what the coach has saved.

use domain::ids::WebinarId;
use domain::rehearsal::form::{Look, RehearsalForm, RehearsalView, SceneView, options};
use domain::rehearsal::{Figure, Letter, Mishaps, Scene, Setup, What, rehearse};
use persistence::entities::webinar;
use persistence::sequences as queries;

use crate::sequences::{first_sequence, in_order, template_of};
use crate::webinars::{kind_of, thresholds_of};
use crate::zones::{Bundled, in_words, time_zones, wall_at};
use crate::{Coach, Error, Result};

impl Coach {
    /// What a made-up registrant meets, in order. What cannot be rehearsed is said in the view, with the form kept.
    ///
    /// # Errors
    /// Refuses a webinar that is not hers.
    pub async fn rehearsal(&self, id: WebinarId, form: &RehearsalForm) -> Result<RehearsalView> {
        let row = self.own_webinar(id).await?;
        let own_zone = self.backend.stored_schedule(&row).await?.own_zone().to_owned();
        let own_zone = if own_zone == "UTC" { self.row().await?.time_zone } else { own_zone };
        let mut view = RehearsalView {
            title: row.title.clone(),
            slug: row.slug.clone(),
            form: form.clone(),
            asks_about_offers: row.promotion_text_id.is_some(),
            zones: time_zones(),
            times: Vec::new(),
            scenes: Vec::new(),
            problem: None,
        };
        if view.form.zone.trim().is_empty() {
            view.form.zone.clone_from(&own_zone);
        }
        let figure = match form.parse(&own_zone, &Bundled, self.backend.now()) {
            Ok(figure) => figure,
            Err(refusal) => return Ok(RehearsalView { problem: Some(refusal), ..view }),
        };
        if let Some(wall) = wall_at(figure.signs_up_at, &figure.zone) {
            view.form.day = wall.date().to_string();
            view.form.at = wall.strftime("%H:%M").to_string();
        }
        match self.played(&row, &figure).await {
            Ok(scenes) => {
                if let Some(What::PageSeen { slots, at_once }) = scenes.first().map(|scene| &scene.what) {
                    view.times = options(slots, *at_once);
                }
                view.scenes = scenes.iter().map(|scene| shown(scene, &figure.zone)).collect();
                Ok(view)
            }
            Err(Error::Refused(refusal)) => Ok(RehearsalView { problem: Some(refusal), ..view }),
            Err(error) => Err(error),
        }
    }

    async fn played(&self, row: &webinar::Model, figure: &Figure) -> Result<Vec<Scene>> {
        let backend = &self.backend;
        let stored = backend.stored_schedule(row).await?;
        let known = queries::templates(backend.db().reader(), row.id).await?;
        let templates = match known.is_empty() {
            false => in_order(known),
            true => in_order(first_sequence(row.id, backend.now())?),
        };
        let letters = templates.iter().map(|one| {
            let mut template = template_of(one)?;
            // Somebody made up has always known of every mail there is.
            template.added_at = figure.signs_up_at;
            Ok(Letter { template, subject: one.subject.clone() })
        });
        let letters: Vec<Letter<_>> = letters.collect::<Result<_>>()?;
        let recording = backend.current_recording(backend.db().reader(), row).await?;
        let presenter = if row.presenter.is_empty() { self.row().await?.name } else { row.presenter.clone() };
        let setup = Setup {
            title: &row.title,
            presenter: &presenter,
            kind: kind_of(row)?,
            schedule: &stored.schedule,
            link_days: u16::try_from(row.link_days).unwrap_or(u16::MAX),
            duration_seconds: recording.as_ref().map_or(0.0, |video| video.duration_ms as f64 / 1_000.0),
            thresholds: thresholds_of(row),
            asks_about_offers: row.promotion_text_id.is_some(),
            letters: &letters,
        };
        Ok(rehearse(&setup, figure, Mishaps::default(), &Bundled)?)
    }
}

fn shown(scene: &Scene, zone: &str) -> SceneView {
    let (look, note) = match &scene.what {
        What::PageSeen { .. } => (Look::Page, None),
        What::Registered { session, .. } => (Look::Nothing, session.as_ref().and_then(|session| session.note.clone())),
        What::Mail { template, .. } => (Look::Mail(*template), None),
        What::MailNot { .. } => (Look::NoMail, None),
        _ => (Look::Nothing, None),
    };
    // The zone stands above, once.
    let (text, _) = in_words(scene.at, zone);
    SceneView { at: scene.at, text, sentence: scene.what.sentence(), note, look }
}
