//! Everything held about a coach, for herself, in whatever state her account is (promise P26), and what closing it
//! would take away (promise P28).

use domain::leaving::cools_until;
use domain::rights::{
    AccountState, BACKUP_DAYS, HoldGround, KEYRING_BACKUP_DAYS, RECORD_DAYS, SubjectKind, TOMBSTONE_DAYS,
};
use domain::{Moment, Refusal};
use persistence::entities::{incident, incident_coach, operator_access};
use persistence::{leaving, rights as queries, seats};
use privacy::erasure::Hold;
use privacy::holding;
pub use privacy::holding::{Held, HeldPlace};
use privacy::{DataMap, Person};

use super::console::{self, RequestLine};
use crate::{Backend, Coach, Error, Result};

/// Values of one column shown at once; the archive has them all.
const SHOWN_VALUES: u64 = 50;

/// What a coach sees about herself.
#[derive(Clone, Debug)]
pub struct MyData {
    /// Her name.
    pub name: String,
    /// Her address.
    pub email: String,
    /// Where the account is.
    pub state: AccountState,
    /// Until when its deletion can be called off.
    pub undo_until: Option<Moment>,
    /// When a closed account begins to be erased.
    pub closes_at: Option<Moment>,
    /// By kind, what is held and why.
    pub held: Vec<Held>,
    /// Her own requests, newest first.
    pub requests: Vec<RequestLine>,
    /// Operators who looked.
    pub looks: Vec<operator_access::Model>,
    /// Breaches that concern her or her viewers.
    pub incidents: Vec<(incident_coach::Model, incident::Model)>,
}

/// Something that stays when everything else goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
    /// Until when.
    pub until: Moment,
}

/// What closing the account means, before it is done.
#[derive(Clone, Debug)]
pub struct Preview {
    /// Her name, to be typed.
    pub name: String,
    /// Where the account is.
    pub state: AccountState,
    /// Kinds of data that go, with how many rows of each table, by the names of the data map.
    pub going: Vec<(String, u64)>,
    /// What stays.
    pub kept: Vec<Kept>,
    /// Whether a second factor is asked for; without one a mailed link is.
    pub second_factor: bool,
    /// Until when no exit can be taken, after a change of password or address.
    pub cools_until: Option<Moment>,
    /// From when on backups cannot be read, and when the last one is gone, if it were erased now.
    pub backups: (Moment, Moment),
}

/// Tables of the preview that say something to a person, with their words, in the order in which they matter to her.
const COUNTED: [(&str, &str); 10] = [
    ("webinar", "webinars"),
    ("video", "recordings"),
    ("caption", "caption tracks"),
    ("subject", "people registered"),
    ("registration", "registrations"),
    ("beat", "pieces of watching"),
    ("consent", "agreements"),
    ("mail", "records of mail"),
    ("login", "signed-in browsers"),
    ("export_archive", "archives"),
];

/// A kind of data in plain words, as the data map says it.
#[must_use]
pub fn class_title(class: &str) -> String {
    DataMap::current().classes.get(class).map_or_else(|| class.to_owned(), |class| class.title.clone())
}

/// Every kind of data: its key and its words.
#[must_use]
pub fn classes() -> Vec<(String, String)> {
    DataMap::current().classes.iter().map(|(key, class)| (key.clone(), class.title.clone())).collect()
}

impl Backend {
    /// What is held about a coach, by kind.
    pub(crate) async fn held_about(&self, person: Person) -> Result<Vec<Held>> {
        let held = holding::held(self.db().reader(), person, SHOWN_VALUES).await;
        held.map_err(|error| Error::fault("read what is held", error))
    }
}

impl Coach {
    /// Everything held about her, on screen at once.
    ///
    /// # Errors
    /// When a database fails.
    pub async fn my_data(&self) -> Result<MyData> {
        let backend = &self.backend;
        let reader = backend.db().reader();
        let row = self.row().await?;
        let requests = queries::requests_of_coach(reader, self.id, SubjectKind::Coach).await?;
        let incidents = seats::incidents_of(reader, self.id).await?;
        Ok(MyData {
            name: row.name,
            email: row.email,
            state: AccountState::from_stored(&row.state).ok_or_else(Refusal::sign_in)?,
            undo_until: leaving::undoable(reader, self.id).await?.and_then(|request| request.undo_until),
            closes_at: row.closes_at,
            held: backend.held_about(Person::Coach(self.id)).await?,
            requests: requests.into_iter().map(console::line).collect(),
            looks: seats::looks_at(reader, self.id).await?,
            incidents: incidents.into_iter().filter_map(|(one, of)| Some((one, of?))).collect(),
        })
    }

    /// What closing the account takes away and what stays, and why.
    ///
    /// # Errors
    /// When a database fails.
    pub async fn leaving_preview(&self) -> Result<Preview> {
        let backend = &self.backend;
        let reader = backend.db().reader();
        let now = backend.now();
        let row = self.row().await?;
        let person = Person::Coach(self.id);
        let rows = holding::rows(reader, person).await.map_err(|error| Error::fault("count what is held", error))?;
        let holds = Hold::of(reader, person, now).await.map_err(|error| Error::fault("read the holds", error))?;
        let going = COUNTED
            .iter()
            .filter_map(|(table, words)| Some(((*words).to_owned(), rows.get(*table).copied()?)))
            .collect();
        Ok(Preview {
            name: row.name,
            state: AccountState::from_stored(&row.state).ok_or_else(Refusal::sign_in)?,
            going,
            kept: kept(&holds, now),
            second_factor: row.totp_enabled_at.is_some(),
            cools_until: cools_until(row.credentials_changed_at, now),
            backups: (now.plus_days(KEYRING_BACKUP_DAYS), now.plus_days(BACKUP_DAYS)),
        })
    }
}

/// What a hold keeps, and what every erasure leaves behind: a mark, a record, neither of which names anybody.
fn kept(holds: &[Hold], now: Moment) -> Vec<Kept> {
    let held = holds.iter().map(|hold| Kept {
        what: hold.classes.iter().map(|class| class_title(class)).collect::<Vec<_>>().join(", "),
        why: HoldGround::from_stored(&hold.ground).map_or_else(|| hold.ground.clone(), |one| one.label().to_owned()),
        until: hold.until,
    });
    let always = [
        Kept {
            what: "A mark that this account is gone, by its random number".to_owned(),
            why: "so that no restored backup brings it back".to_owned(),
            until: now.plus_days(TOMBSTONE_DAYS),
        },
        Kept {
            what: "The record of the deletion, with its receipt; it names nobody".to_owned(),
            why: "so that we can show that it was done".to_owned(),
            until: now.plus_days(RECORD_DAYS),
        },
    ];
    held.chain(always).collect()
}
