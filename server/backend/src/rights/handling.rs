//! A coach and the requests of her viewers: she sees them with their dates, answers objections with reasons, and can
//! keep something only on a ground of the closed list and to a day (privacy-design §2.4). She cannot refuse.

use domain::holds::check_hold;
use domain::ids::{LegalHoldId, ObjectionId, RequestId, SubjectId};
use domain::processing::ProcessingPurpose;
use domain::rights::{HoldGround, ObjectionScope, RequestState, RightKind, SubjectKind};
use domain::{EmailAddress, Moment, Refusal};
use persistence::holds::{self, NewHold};
use persistence::sealed::{Place, Standing};
use persistence::wordings;
pub use persistence::wordings::Wording;
use persistence::{messages, registrations, restrictions, rights as queries};
use privacy::audit::{Event, Role};
use privacy::restriction::Purpose;

use super::fence::{being_erased, hold_changeable};
use super::my_data::class_title;
use crate::mails::about_rights::HOLD_PLACED;
use crate::{Backend, Coach, Error, Result};

/// A viewer's request, without the viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewerRequest {
    /// Its id.
    pub id: RequestId,
    /// Which right.
    pub kind: RightKind,
    /// Where it is.
    pub state: RequestState,
    /// When it came in.
    pub received_at: Moment,
    /// Until when the law wants it done.
    pub due_at: Moment,
    /// When it was over.
    pub completed_at: Option<Moment>,
}

/// An objection that waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenObjection {
    /// Its id.
    pub id: ObjectionId,
    /// To what.
    pub scope: ObjectionScope,
    /// In the person's words.
    pub words: String,
    /// When it was made.
    pub made_at: Moment,
    /// Without an answer by then it is upheld.
    pub answer_due_at: Moment,
}

/// A hold that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldLine {
    /// Its id.
    pub id: LegalHoldId,
    /// Why.
    pub ground: String,
    /// Which kinds of data, in words.
    pub classes: Vec<String>,
    /// When it ends by itself.
    pub until: Moment,
    /// Whether it is on one of her viewers; the others are on her own account and not hers to end.
    pub is_viewers: bool,
}

/// What a coach wants to keep of a viewer.
#[derive(Clone, Debug)]
pub struct HoldWish {
    /// The viewer's address.
    pub email: String,
    /// Why.
    pub ground: HoldGround,
    /// Which kinds of data.
    pub classes: Vec<String>,
    /// Until when.
    pub until: Moment,
}

impl Coach {
    /// Requests of her viewers, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn viewer_requests(&self) -> Result<Vec<ViewerRequest>> {
        let rows = queries::requests_of_coach(self.backend.db().reader(), self.id, SubjectKind::Viewer).await?;
        rows.into_iter()
            .map(|row| {
                let unknown = || Error::fault("read a request", format!("nothing is called {}", row.kind));
                Ok(ViewerRequest {
                    id: row.id,
                    kind: RightKind::from_stored(&row.kind).ok_or_else(unknown)?,
                    state: Backend::request_state(&row)?,
                    received_at: row.received_at,
                    due_at: row.due_at,
                    completed_at: row.completed_at,
                })
            })
            .collect()
    }

    /// Objections that wait for her answer, the most urgent first.
    ///
    /// # Errors
    /// When a database fails.
    pub async fn open_objections(&self) -> Result<Vec<OpenObjection>> {
        let backend = &self.backend;
        let reader = backend.db().reader();
        let mut open = Vec::new();
        for row in restrictions::open_objections(reader, self.id).await? {
            let Some(scope) = ObjectionScope::from_stored(&row.scope) else { continue };
            let words = match &row.reason_ct {
                None => String::new(),
                Some(sealed) => {
                    let Some(key) = backend.key_for_request(self.id, row.subject_id).await? else { continue };
                    let opened =
                        key.open(ProcessingPurpose::Provide, Place::ObjectionReason, row.id.as_bytes(), sealed)?;
                    String::from_utf8(opened).map_err(|error| Error::fault("read a sealed text", error))?
                }
            };
            open.push(OpenObjection {
                id: row.id,
                scope,
                words,
                made_at: row.made_at,
                answer_due_at: row.answer_due_at,
            });
        }
        Ok(open)
    }

    /// Holds that stand, the first to end first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holds(&self) -> Result<Vec<HoldLine>> {
        let rows = holds::standing(self.backend.db().reader(), self.id, self.backend.now()).await?;
        rows.into_iter()
            .map(|row| {
                let classes: Vec<String> = serde_json::from_str(&row.classes)?;
                let ground = HoldGround::from_stored(&row.ground);
                Ok(HoldLine {
                    id: row.id,
                    ground: ground.map_or(row.ground, |ground| ground.label().to_owned()),
                    classes: classes.iter().map(|class| class_title(class)).collect(),
                    until: row.until_at,
                    is_viewers: row.subject_id.is_some(),
                })
            })
            .collect()
    }

    /// Keeps something of a viewer although they may ask for erasure: on a ground of the list, no more than named, no
    /// longer than said. The person is told by mail, and sees it in the preview and on the receipt.
    ///
    /// # Errors
    /// Refuses what [`check_hold`] does, an address nobody is registered with, and a person whose erasure has begun.
    pub async fn place_hold(&self, wish: &HoldWish) -> Result<LegalHoldId> {
        let backend = &self.backend;
        let now = backend.now();
        check_hold(wish.ground, &wish.classes, wish.until, now)?;
        let address = EmailAddress::parse(&wish.email)?.normalised();
        let index = backend.keyring().pepper(self.id, now).await?.blind_index(&address);
        let classes = serde_json::to_string(&wish.classes)?;
        let id = LegalHoldId::new();
        let transaction = backend.db().begin().await?;
        hold_changeable(&transaction, self.id).await?;
        let nobody = || Refusal::field("email", "Nobody is registered with you under this address. Nothing was kept.");
        let person = registrations::hold_by_index(&transaction, self.id, &index).await?.ok_or_else(nobody)?;
        if matches!(person.standing, Standing::Erasing) {
            return Err(being_erased().into());
        }
        if messages::report_under_way(&transaction, self.id, person.id).await?.is_some() {
            // A child's data is kept on no ground of a coach's (promise P50).
            return Err(being_erased().into());
        }
        let new = NewHold {
            id,
            coach: self.id,
            subject: Some(person.id),
            ground: wish.ground,
            classes,
            until: wish.until,
            approved_by: Role::Coach.as_str(),
        };
        holds::insert(&transaction, new, now).await?;
        backend.write_about_rights(&transaction, (self.id, person.id), HOLD_PLACED, now).await?;
        let kept = wish.classes.len() as u64;
        backend.audit(&transaction, Event::Held, Role::Coach, None, ("restriction", kept), now).await?;
        transaction.commit().await?;
        backend.wake_worker();
        Ok(id)
    }

    /// Ends a hold before its day; what waited for it goes on at once.
    ///
    /// # Errors
    /// Refuses one that is not hers, or is on her own account.
    pub async fn release_hold(&self, id: LegalHoldId) -> Result<()> {
        let backend = &self.backend;
        let now = backend.now();
        let transaction = backend.db().begin().await?;
        let subject = holds::release(&transaction, self.id, id).await?.ok_or_else(Refusal::not_found)?;
        for request in holds::held_requests(&transaction, self.id, subject).await? {
            backend.plan_run(&transaction, request.id, now, now).await?;
        }
        backend.audit(&transaction, Event::Lifted, Role::Coach, None, ("restriction", 1), now).await?;
        transaction.commit().await?;
        backend.wake_worker();
        Ok(())
    }

    /// Every wording her registrants agreed to, with its versions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn wordings(&self) -> Result<Vec<Wording>> {
        Ok(wordings::wordings(self.backend.db().reader(), self.id).await?)
    }
}

impl Backend {
    /// The key of a person whose own request has to be read or answered; none when they are on their way out.
    pub(crate) async fn key_for_request(
        &self,
        coach: domain::ids::CoachId,
        subject: SubjectId,
    ) -> Result<Option<persistence::sealed::SubjectKey>> {
        let Some(person) = registrations::subject(self.db().reader(), coach, subject).await? else { return Ok(None) };
        let dek = match person.standing {
            Standing::Active(row) => row.into_inner().dek_id,
            Standing::Restricted(row) => privacy::restriction::open(row, Purpose::OwnRequest).dek_id,
            Standing::Erasing => return Ok(None),
        };
        Ok(self.keyring().keys(&[dek]).await?.remove(&dek))
    }
}
