//! A coach's sequence of mails: read, written, looked at and tried on herself.

use domain::ids::{MailTemplateId, RegistrationId, WebinarId};
use domain::sequence::form::{SequenceView, TemplateForm, TemplateView, Written};
use domain::sequence::placeholders::{Placeholder, Values};
use domain::sequence::{Template, Timing, check_sequence};
use domain::webinar::SessionKind;
use domain::{Refusal, RefusalKind};
use mail::SendError;
use persistence::entities::{mail_template, webinar};
use persistence::sequences as queries;
use persistence::webinars;
use sea_orm::ConnectionTrait;

use super::composing::{Written as Filled, length_in_words};
use super::planning::{first_sequence, in_order};
use super::template_of;
use crate::limits::Limit;
use crate::registrations::whole_seconds;
use crate::rights::fence::hold_changeable;
use crate::webinars::kind_of;
use crate::zones::in_words;
use crate::{Coach, Error, Result};

fn written(row: &mail_template::Model) -> Result<Written> {
    let template = template_of(row)?;
    Ok(Written {
        timing: template.timing,
        segment: template.segment,
        is_promotional: row.is_promotional,
        is_on: row.is_on,
        subject: row.subject.clone(),
        body: row.body.clone(),
    })
}

fn view(row: &mail_template::Model) -> Result<TemplateView> {
    let written = written(row)?;
    Ok(TemplateView {
        id: row.id,
        when: written.timing.label(),
        to: (!written.segment.is_everybody()).then(|| written.segment.sentence()),
        is_confirmation: written.timing == Timing::Confirmation,
        form: TemplateForm::of(row.id, &written),
    })
}

fn not_there() -> Refusal {
    Refusal::new(RefusalKind::NotFound, "This mail is not in the sequence any more. Nothing was changed.")
}

impl Coach {
    async fn held_webinar(&self, conn: &impl ConnectionTrait, id: WebinarId) -> Result<webinar::Model> {
        hold_changeable(conn, self.id).await?;
        Ok(webinars::webinar(conn, self.id, id).await?.ok_or_else(Refusal::not_found)?)
    }

    /// Everything the page of mails shows. A webinar without a sequence gets the one every webinar starts with.
    ///
    /// # Errors
    /// Refuses a webinar that is not hers.
    pub async fn mail_sequence(&self, id: WebinarId) -> Result<SequenceView> {
        let row = self.own_webinar(id).await?;
        let known = queries::templates(self.backend.db().reader(), id).await?;
        let templates = match known.is_empty() {
            false => in_order(known),
            true => in_order(first_sequence(id, self.backend.now())?),
        };
        Ok(SequenceView {
            title: row.title.clone(),
            templates: templates.iter().map(view).collect::<Result<_>>()?,
            has_a_start: kind_of(&row)? == SessionKind::Scheduled,
        })
    }

    /// Adds a mail, or writes one anew. Whoever is registered gets it when its time still lies ahead; what went stays
    /// gone.
    ///
    /// # Errors
    /// Refuses, by field, what is not acceptable, and a webinar or mail that is not hers.
    pub async fn save_template(&self, id: WebinarId, form: &TemplateForm) -> Result<()> {
        let backend = &self.backend;
        let now = backend.now();
        let transaction = backend.db().begin().await?;
        let webinar = self.held_webinar(&transaction, id).await?;
        let rows = backend.sequence(&transaction, id, now).await?;
        let known = match form.template.as_str() {
            "" => None,
            template => Some(rows.iter().find(|row| row.id.to_string() == template).ok_or_else(not_there)?),
        };
        let before = known.map(template_of).transpose()?;
        let typed = form.parse(before.as_ref().map(|template| &template.segment))?;
        if before.as_ref().is_some_and(|before| before.timing.kind() != typed.timing.kind()) {
            let message = "A mail stays what it is: confirmation, reminder or follow-up. Please add a new one instead.";
            return Err(Refusal::field("timing", message).into());
        }
        let template = Template {
            id: before.as_ref().map_or_else(MailTemplateId::new, |before| before.id),
            timing: typed.timing,
            segment: typed.segment.clone(),
            is_promotional: typed.is_promotional,
            is_on: typed.is_on,
            added_at: before.as_ref().map_or(now, |before| before.added_at),
        };
        let duration = backend.duration_seconds(&webinar).await?;
        template.check((duration > 0).then_some(duration as f64))?;
        let others = rows.iter().filter(|row| row.id != template.id).map(template_of);
        let mut all: Vec<Template<MailTemplateId>> = others.collect::<Result<_>>()?;
        all.push(template.clone());
        check_sequence(&all)?;
        let row = mail_template::Model {
            id: template.id,
            webinar_id: id,
            timing: typed.timing.kind().as_str().to_owned(),
            minutes: i32::try_from(typed.timing.minutes()).unwrap_or(i32::MAX),
            segment: serde_json::to_string(&typed.segment)?,
            is_promotional: typed.is_promotional,
            is_on: typed.is_on,
            subject: typed.subject,
            body: typed.body,
            added_at: template.added_at,
            changed_at: now,
        };
        match &before {
            None => queries::insert_templates(&transaction, vec![row.clone()]).await?,
            Some(_) => queries::save_template(&transaction, row.clone()).await?,
        }
        let moves = before.is_none_or(|before| before.timing != template.timing || before.is_on != template.is_on);
        if moves {
            backend.replan_template(&transaction, &row, now).await?;
        }
        transaction.commit().await?;
        backend.wake_worker();
        Ok(())
    }

    /// Takes a mail out of the sequence. What waits of it never goes; what went stays on record.
    ///
    /// # Errors
    /// Refuses the confirmation, and a webinar or mail that is not hers.
    pub async fn remove_template(&self, id: WebinarId, template: MailTemplateId) -> Result<()> {
        let transaction = self.backend.db().begin().await?;
        self.held_webinar(&transaction, id).await?;
        self.backend.sequence(&transaction, id, self.backend.now()).await?;
        let row = self.own_template(&transaction, id, template).await?;
        if template_of(&row)?.timing == Timing::Confirmation {
            let message = "The confirmation cannot be taken away: it brings people their link.";
            return Err(Refusal::new(RefusalKind::Conflict, message).into());
        }
        queries::skip_removed(&transaction, template).await?;
        queries::delete_template(&transaction, template).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn own_template(
        &self,
        conn: &impl ConnectionTrait,
        webinar: WebinarId,
        id: MailTemplateId,
    ) -> Result<mail_template::Model> {
        let row = match queries::templates(conn, webinar).await? {
            known if known.is_empty() => first_sequence(webinar, self.backend.now())?,
            known => known,
        };
        Ok(row.into_iter().find(|row| row.id == id).ok_or_else(not_there)?)
    }

    /// A mail as it would arrive, with made-up values, while it is being written.
    ///
    /// # Errors
    /// Refuses what [`TemplateForm::parse`] does, and a webinar that is not hers.
    pub async fn preview_template(&self, id: WebinarId, form: &TemplateForm) -> Result<String> {
        let row = self.own_webinar(id).await?;
        let typed = form.parse(None)?;
        let filled = self.example(&row, &typed.subject, &typed.body).await?;
        Ok(filled.rendered()?.html)
    }

    /// A stored mail of the sequence as it would arrive at somebody made up.
    ///
    /// # Errors
    /// Refuses a webinar or mail that is not hers.
    pub async fn preview_saved(&self, id: WebinarId, template: MailTemplateId) -> Result<String> {
        let row = self.own_webinar(id).await?;
        let reader = self.backend.db().reader();
        let stored = match queries::templates(reader, id).await?.is_empty() {
            // The set every webinar starts with is not stored before somebody registers.
            true => first_sequence(id, self.backend.now())?.into_iter().find(|one| one.id == template),
            false => Some(self.own_template(reader, id, template).await?),
        };
        let stored = stored.ok_or_else(not_there)?;
        Ok(self.example(&row, &stored.subject, &stored.body).await?.rendered()?.html)
    }

    /// Sends a mail of the sequence to the coach herself, with made-up values and marked as a test.
    ///
    /// # Errors
    /// Refuses more than a few an hour, a webinar or mail that is not hers, and when the mail server takes none now.
    pub async fn test_template(&self, id: WebinarId, template: MailTemplateId) -> Result<()> {
        let backend = &self.backend;
        let row = self.own_webinar(id).await?;
        let template = self.own_template(backend.db().reader(), id, template).await?;
        backend.limit(Limit::TestMail, &self.id.to_string()).await?;
        let filled = self.example(&row, &format!("[Test] {}", template.subject), &template.body).await?;
        let coach = self.row().await?;
        let outgoing = filled.addressed(RegistrationId::new().to_string(), coach.email)?;
        backend.mailer().send(&outgoing, backend.now()).await.map_err(|error| match error {
            SendError::Transient(_) | SendError::NotBefore(..) | SendError::Permanent(_) => {
                let message = "The mail server did not take the test. Please try again in a few minutes.";
                Error::from(Refusal::new(RefusalKind::Busy, message))
            }
        })
    }

    /// A text filled in for somebody made up.
    async fn example(&self, row: &webinar::Model, subject: &str, body: &str) -> Result<Filled> {
        let backend = &self.backend;
        let coach = self.row().await?;
        let presenter = if row.presenter.is_empty() { coach.name.clone() } else { row.presenter.clone() };
        let video = backend.current_recording(backend.db().reader(), row).await?;
        let link = backend.config().absolute(&format!("/w/{}", row.slug));
        let starts_at = domain::Moment::from_unix_seconds(backend.now().plus_days(2).unix_seconds() / 3_600 * 3_600);
        let (when, zone_text) = in_words(starts_at, &coach.time_zone);
        let (day, time) = when.rsplit_once(", ").unwrap_or((&when, ""));
        let values = Values::default()
            .with(Placeholder::FirstName, "Anna")
            .with(Placeholder::Name, "Anna Example")
            .with(Placeholder::Webinar, &row.title)
            .with(Placeholder::Presenter, &presenter)
            .with(Placeholder::Link, &link)
            .with(Placeholder::CalendarLink, &link)
            .with(Placeholder::Duration, length_in_words(whole_seconds(video.as_ref()).max(60)))
            .with(Placeholder::SessionDay, day)
            .with(Placeholder::SessionTime, time)
            .with(Placeholder::TimeZone, zone_text)
            .with(Placeholder::MinutesWatched, "20")
            .with(Placeholder::PercentWatched, "45")
            .with(Placeholder::ReplayUntil, in_words(starts_at.plus_days(7), &coach.time_zone).0);
        Ok(Filled::new(backend, row, &presenter, coach.email.clone(), (subject, body), &values, &link))
    }
}
