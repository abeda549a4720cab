//! The link in every reminder: no more mail of this coach's own wish, at once and without signing in.
//!
//! Opening it changes nothing, because scanners follow links; pressing its button, or the button of a mail program
//! (RFC 8058), does. It is an objection like one made at the portal, and the same page takes it back.

use domain::ids::{CoachId, SubjectId};
use domain::rights::ObjectionScope;
use domain::sequence::Suppression;
use domain::webinar::MailChoice;
use domain::{Refusal, RefusalKind};
use futures::FutureExt;
use persistence::{bounces, registrations as queries, restrictions};
use sea_orm::ConnectionTrait;

use crate::{Backend, Result, Visitor};

impl Backend {
    /// Whether somebody gets no mail of this coach's own wish: they said so, or reported one.
    async fn has_ended_mail(&self, conn: &impl ConnectionTrait, (coach, person): (CoachId, SubjectId)) -> Result<bool> {
        let marks = bounces::marks(conn, coach, person, self.now()).await?;
        Ok(marks.objected || marks.suppression == Some(Suppression::Complained))
    }
}

impl Visitor {
    /// What the page behind the link shows.
    ///
    /// # Errors
    /// Refuses a token that is not one of ours, and one of somebody whose data is gone, alike.
    pub async fn mail_choice(&self, token: &str) -> Result<MailChoice> {
        let backend = &self.backend;
        let reader = backend.db().reader();
        let id = backend.unsubscribe_token_proves(token).ok_or_else(Refusal::not_found)?;
        let found = queries::named_by_token(reader, id).await?.ok_or_else(Refusal::not_found)?;
        let row = persistence::webinars::webinar(reader, found.coach, found.webinar).await?;
        let row = row.ok_or_else(Refusal::not_found)?;
        let coach = persistence::accounts::coach(reader, found.coach).await?.ok_or_else(Refusal::not_found)?;
        Ok(MailChoice {
            presenter: if row.presenter.is_empty() { coach.name } else { row.presenter },
            title: row.title,
            is_ended: backend.has_ended_mail(reader, (found.coach, found.subject)).await?,
        })
    }

    /// Ends, or takes up again, reminders and follow-ups of a registration's coach. Doing it again changes nothing.
    ///
    /// # Errors
    /// As [`Self::mail_choice`]; and while a mail to them is on its way and does not arrive.
    pub async fn choose_mail(&self, token: &str, wants_mail: bool) -> Result<MailChoice> {
        let backend = &self.backend;
        let id = backend.unsubscribe_token_proves(token).ok_or_else(Refusal::not_found)?;
        let found = queries::named_by_token(backend.db().reader(), id).await?.ok_or_else(Refusal::not_found)?;
        let person = (found.coach, found.subject);
        let now = backend.now();
        let engine = backend.clone();
        let chosen = backend.fence(move |transaction| {
            let engine = engine.clone();
            async move {
                let (coach, subject) = person;
                let is_ended = engine.has_ended_mail(transaction, (coach, subject)).await?;
                match (wants_mail, is_ended) {
                    (false, false) => {
                        engine.object(transaction, person, ObjectionScope::Marketing, "", now).await.map(drop)
                    }
                    (true, true) => {
                        restrictions::want_mail_again(transaction, coach, subject, restrictions::MAIL).await?;
                        // Whoever reported a mail by mistake takes it back with the link of that very mail.
                        bounces::forgive_complaint(transaction, coach, subject).await?;
                        Ok(())
                    }
                    _ => Ok(()),
                }
            }
            .boxed()
        });
        match chosen.await {
            // They are being erased: nothing is written to them any more, which is what was asked.
            Err(crate::Error::Refused(refusal)) if refusal.kind == RefusalKind::Conflict && !wants_mail => {}
            chosen => chosen?,
        }
        self.mail_choice(token).await
    }
}
