//! Records of consent in the shape of ISO/IEC TS 27560: header, notice and processing, parties, events. One record a
//! person, registration and wording; taking it back adds an event and takes nothing away (promise P33).

use domain::Moment;
use serde::Serialize;

use crate::DataMap;

/// Version of this shape.
const SCHEMA: &str = "ISO/IEC TS 27560:2023";

/// What is known of one agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Its id.
    pub id: String,
    /// Stands for the person: an id without a name.
    pub person: String,
    /// Stands for the controller.
    pub controller: String,
    /// What the controller is called in public.
    pub controller_name: String,
    /// What was agreed to, a word of ours.
    pub purpose: String,
    /// How: which control was used.
    pub method: String,
    /// Number of the wording.
    pub wording_version: i32,
    /// The wording.
    pub wording: String,
    /// Its SHA-256.
    pub wording_sha256: String,
    /// Keys of classes of the data map it covers.
    pub classes: Vec<String>,
    /// When it was given.
    pub given_at: Moment,
    /// When it was taken back.
    pub withdrawn_at: Option<Moment>,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Which record, in which shape.
    pub header: Header,
    /// The notice and what it covers.
    pub pii_processing: Processing,
    /// Who the parties are.
    pub party_identification: Vec<Party>,
    /// What happened, oldest first.
    pub events: Vec<Event>,
}

/// Which record, in which shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Header {
    /// The shape.
    pub schema_version: &'static str,
    /// The record.
    pub record_id: String,
    /// The person.
    pub pii_principal_id: String,
}

/// The notice and what it covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Processing {
    /// What the person read.
    pub privacy_notice: Notice,
    /// Its language; registration pages are in English.
    pub language: &'static str,
    /// What was agreed to.
    pub purposes: Vec<Purpose>,
}

/// What the person read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// Number of the wording.
    pub version: i32,
    /// The wording.
    pub text: String,
    /// Its digest.
    pub sha256: String,
}

/// What was agreed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Purpose {
    /// A word of ours.
    pub purpose: String,
    /// On which basis.
    pub lawful_basis: &'static str,
    /// Titles of the kinds of data.
    pub pii_information: Vec<String>,
    /// How it is kept.
    pub storage_condition: String,
    /// How it can be taken back.
    pub withdrawal_method: &'static str,
}

/// One of the parties.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Party {
    /// Stands for it.
    pub party_id: String,
    /// Its name in public.
    pub party_name: String,
    /// `pii_controller` or `pii_processor`.
    pub party_role: &'static str,
}

/// Something that happened to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// `explicit` when it was given, `withdrawn` when it was taken back.
    pub event_state: &'static str,
    /// When, RFC 3339.
    pub event_time: String,
    /// How.
    pub event_method: String,
}

impl Record {
    /// Writes a record down.
    #[must_use]
    pub fn of(agreement: &Agreement, map: &DataMap) -> Self {
        let titles = agreement.classes.iter().filter_map(|key| map.classes.get(key));
        let kept = map.retentions.get("controller").map(|kept| kept.text.clone()).unwrap_or_default();
        let given = Event {
            event_state: "explicit",
            event_time: agreement.given_at.rfc3339(),
            event_method: agreement.method.clone(),
        };
        let withdrawn = agreement.withdrawn_at.map(|at| Event {
            event_state: "withdrawn",
            event_time: at.rfc3339(),
            event_method: "portal".to_owned(),
        });
        Self {
            header: Header {
                schema_version: SCHEMA,
                record_id: agreement.id.clone(),
                pii_principal_id: agreement.person.clone(),
            },
            pii_processing: Processing {
                privacy_notice: Notice {
                    version: agreement.wording_version,
                    text: agreement.wording.clone(),
                    sha256: agreement.wording_sha256.clone(),
                },
                language: "en",
                purposes: vec![Purpose {
                    purpose: agreement.purpose.clone(),
                    lawful_basis: "Art. 6(1)(a) GDPR",
                    pii_information: titles.map(|class| class.title.clone()).collect(),
                    storage_condition: kept,
                    withdrawal_method: "/my-data",
                }],
            },
            party_identification: vec![
                Party {
                    party_id: agreement.controller.clone(),
                    party_name: agreement.controller_name.clone(),
                    party_role: "pii_controller",
                },
                Party {
                    party_id: "my-mini-webinar".to_owned(),
                    party_name: "My Mini Webinar".to_owned(),
                    party_role: "pii_processor",
                },
            ],
            events: std::iter::once(given).chain(withdrawn).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_back_adds_an_event_and_takes_nothing_away() {
        let given = Agreement {
            id: "1".to_owned(),
            person: "2".to_owned(),
            controller: "3".to_owned(),
            controller_name: "Maya".to_owned(),
            purpose: "run_webinar".to_owned(),
            method: "form_box".to_owned(),
            wording_version: 2,
            wording: "I agree.".to_owned(),
            wording_sha256: "00".to_owned(),
            classes: vec!["email".to_owned(), "watching".to_owned()],
            given_at: Moment::from_unix_seconds(1_795_000_000),
            withdrawn_at: None,
        };
        let before = Record::of(&given, DataMap::current());
        assert_eq!(before.events.len(), 1);
        assert_eq!(before.pii_processing.purposes[0].pii_information, ["E-mail address", "What was watched, and when"]);
        let taken = Agreement { withdrawn_at: Some(given.given_at.plus_days(3)), ..given };
        let after = Record::of(&taken, DataMap::current());
        assert_eq!(after.events[0], before.events[0]);
        assert_eq!(after.events[1].event_state, "withdrawn");
        assert_eq!((after.header, after.pii_processing), (before.header, before.pii_processing));
    }
}
