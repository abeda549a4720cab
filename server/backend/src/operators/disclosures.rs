//! Requests of authorities: one operator enters, the other agrees, and only then the named kinds of data of the named
//! number of people can be handed out; the count is public (promise P25).

use std::collections::BTreeMap;

use domain::ids::{CoachId, DisclosureId};
use domain::{EmailAddress, Moment, Refusal, RefusalKind};
use persistence::entities::disclosure;
use persistence::{registrations, seats as queries};
use privacy::audit::{Event, Role};
use privacy::{DataMap, Person};

use super::{Operator, checked_line};
use crate::{Backend, Error, Result};

/// Days after the second agreement in which data can be handed out: an order does not last for ever.
const OPEN_DAYS: i64 = 30;
/// Longest name of an authority or a law.
const MOST_CHARS: usize = 300;
/// People one order can be about; more is no order about somebody.
const MOST_PEOPLE: i32 = 100;

/// What an operator enters.
#[derive(Clone, Debug)]
pub struct Order {
    /// Which authority.
    pub authority: String,
    /// Which law it named.
    pub legal_basis: String,
    /// Which kinds of data.
    pub classes: Vec<String>,
    /// About how many people.
    pub people: i32,
}

/// Of whom data is handed out.
#[derive(Clone, Debug)]
pub struct Named {
    /// Which coach.
    pub coach: CoachId,
    /// Which of her viewers; the coach herself when it is empty.
    pub email: String,
}

/// A year of the public count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct YearCount {
    /// Requests that came.
    pub requests: u32,
    /// Of these, requests two operators agreed to answer.
    pub answered: u32,
    /// People these were about.
    pub people: i64,
}

fn alone() -> Refusal {
    let message = "One operator alone cannot do this: the other one has to agree. Nothing was handed out.";
    Refusal::new(RefusalKind::NotAllowed, message)
}

impl Operator {
    /// The register, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn disclosures(&self) -> Result<Vec<disclosure::Model>> {
        Ok(queries::disclosures(self.backend.db().reader()).await?)
    }

    /// Enters a request of an authority. No name stands in the register.
    ///
    /// # Errors
    /// Refuses empty lines, kinds the data map does not know, and more people than an order can be about.
    pub async fn enter_order(&self, order: &Order) -> Result<DisclosureId> {
        let map = DataMap::current();
        if order.classes.is_empty() || order.classes.iter().any(|class| !map.classes.contains_key(class)) {
            return Err(
                Refusal::field("classes", "Please name the kinds of data the order names, and only these.").into()
            );
        }
        if !(1..=MOST_PEOPLE).contains(&order.people) {
            return Err(Refusal::field("people", "An order is about 1 to 100 people.").into());
        }
        let backend = &self.backend;
        let row = disclosure::Model {
            id: DisclosureId::new(),
            received_at: backend.now(),
            authority: checked_line("authority", &order.authority, MOST_CHARS)?,
            legal_basis: checked_line("legal_basis", &order.legal_basis, MOST_CHARS)?,
            classes: serde_json::to_string(&order.classes)?,
            subject_count: order.people,
            asked_by_seat: self.seat,
            approved_by_seat: None,
            approved_at: None,
            given_at: None,
            given_of: "[]".to_owned(),
        };
        let id = row.id;
        let transaction = backend.db().begin().await?;
        queries::insert_disclosure(&transaction, row).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Agrees to what the other operator entered.
    ///
    /// # Errors
    /// Refuses who entered it herself, what was agreed to already, and what is not there.
    pub async fn agree(&self, id: DisclosureId) -> Result<()> {
        let backend = &self.backend;
        let transaction = backend.db().begin().await?;
        let row = queries::hold_disclosure(&transaction, id).await?.ok_or_else(Refusal::not_found)?;
        if row.asked_by_seat == self.seat {
            return Err(alone().into());
        }
        if !queries::approve_disclosure(&transaction, id, self.seat, backend.now()).await? {
            return Err(Refusal::new(RefusalKind::Conflict, "This was agreed to already.").into());
        }
        transaction.commit().await?;
        Ok(())
    }

    /// What the authority gets of one person: the kinds both operators agreed on, and nothing beside. The coach sees
    /// that it was handed out.
    ///
    /// # Errors
    /// Refuses while only one operator agreed, after a month, a person who is not there, and one more person than both
    /// agreed on.
    pub async fn hand_out(&self, id: DisclosureId, named: &Named) -> Result<serde_json::Value> {
        let backend = &self.backend;
        let now = backend.now();
        let person = self.named(named, now).await?;
        let row = self.note_handing_out(id, person, now).await?;
        self.put_on_record(named.coach, "disclosure", row.legal_basis.clone()).await?;
        let classes: Vec<String> = serde_json::from_str(&row.classes)?;
        let data = privacy::holding::disclose(backend.db().reader(), backend.keyring(), person, &classes).await;
        let data = data.map_err(|error| Error::fault("read what an order names", error))?;
        Ok(serde_json::json!({ "disclosure": id, "authority": row.authority, "legal_basis": row.legal_basis,
            "classes": classes, "handed_out_at": now.to_string(), "data": data }))
    }

    /// Counts the person towards the order and puts it on record, before anything is read.
    async fn note_handing_out(&self, id: DisclosureId, person: Person, now: Moment) -> Result<disclosure::Model> {
        let backend = &self.backend;
        let transaction = backend.db().begin().await?;
        let row = queries::hold_disclosure(&transaction, id).await?.ok_or_else(Refusal::not_found)?;
        let agreed_at = row.approved_at.filter(|_| row.approved_by_seat.is_some_and(|seat| seat != row.asked_by_seat));
        let agreed_at = agreed_at.ok_or_else(alone)?;
        if agreed_at.plus_days(OPEN_DAYS) <= now {
            let message = "This was agreed to more than a month ago. Please enter the order again.";
            return Err(Refusal::new(RefusalKind::Gone, message).into());
        }
        let mut given_of: Vec<String> = serde_json::from_str(&row.given_of)?;
        let reference = hex::encode(backend.secrets().mac("disclosure", &[id.as_bytes(), person.id().as_bytes()]));
        if !given_of.contains(&reference) {
            if given_of.len() as i64 >= i64::from(row.subject_count) {
                let message = "Both of you agreed on fewer people than that. Nothing was handed out; a new order can be \
                               entered.";
                return Err(Refusal::new(RefusalKind::NotAllowed, message).into());
            }
            given_of.push(reference);
        }
        queries::note_given(&transaction, id, &serde_json::to_string(&given_of)?, now).await?;
        let classes: Vec<String> = serde_json::from_str(&row.classes)?;
        let class = classes.first().map_or("oversight", String::as_str);
        backend.audit(&transaction, Event::Disclosed, Role::Operator, None, (class, 1), now).await?;
        transaction.commit().await?;
        Ok(row)
    }

    async fn named(&self, named: &Named, now: Moment) -> Result<Person> {
        if named.email.trim().is_empty() {
            return Ok(Person::Coach(named.coach));
        }
        let backend = &self.backend;
        let address = EmailAddress::parse(&named.email)?.normalised();
        let index = backend.keyring().pepper(named.coach, now).await?.blind_index(&address);
        let found = registrations::subject_by_index(backend.db().reader(), named.coach, &index).await?;
        let found = found.ok_or_else(|| Refusal::field("email", "Nothing is held under this address there."))?;
        Ok(Person::Viewer(named.coach, found.id))
    }
}

impl Backend {
    /// Requests of authorities by year, for everybody to read.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn disclosure_counts(&self) -> Result<BTreeMap<String, YearCount>> {
        let mut years: BTreeMap<String, YearCount> = BTreeMap::new();
        for row in queries::disclosures(self.db().reader()).await? {
            let year: String = row.received_at.rfc3339().chars().take(4).collect();
            let count = years.entry(year).or_default();
            count.requests += 1;
            if row.approved_at.is_some() {
                count.answered += 1;
                count.people += i64::from(row.subject_count);
            }
        }
        Ok(years)
    }
}
