//! The data map as everybody may read it: by kind of data, with purpose, source, basis, recipients and time (promise
//! P35), as JSON, as JSON-LD in the words of the W3C Data Privacy Vocabulary, and as records of processing (Art. 30).

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use crate::map::{Erase, Export, Form, Place, Restrict, Source, Subject};
use crate::recipients::{Recipients, State};
use crate::{DataMap, map};

/// Form of the JSON.
pub const FORMAT: &str = "mini-webinar-data-map/1";

/// One kind of data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kind {
    /// Its key.
    pub key: String,
    /// In plain words.
    pub title: String,
    /// Where it comes from.
    pub source: Source,
    /// Whose: `coach`, `viewer` or both; nobody's when empty.
    pub about: Vec<&'static str>,
    /// What for, keys of the purposes.
    pub purposes: Vec<String>,
    /// On which bases, keys of them.
    pub bases: Vec<String>,
    /// How long, keys of the retentions.
    pub retentions: Vec<String>,
    /// Who gets it, ids of recipients in use.
    pub recipients: Vec<String>,
    /// Whether some of it is sealed under the person's own key.
    pub is_sealed: bool,
    /// Whether some of it can be corrected by its person.
    pub can_be_corrected: bool,
    /// Its term in the Data Privacy Vocabulary.
    pub dpv: String,
    /// In how many places it sits.
    pub places: usize,
}

/// Every kind of data, those about people first.
#[must_use]
pub fn kinds(map: &DataMap, recipients: &Recipients) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = map.classes.iter().map(|(key, class)| kind(map, recipients, key, class)).collect();
    kinds.sort_by_key(|kind| (kind.about.is_empty(), kind.key.clone()));
    kinds
}

fn kind(map: &DataMap, recipients: &Recipients, key: &str, class: &map::Class) -> Kind {
    let places: Vec<&Place> = map.places.iter().filter(|place| place.class == key).collect();
    let set = |values: BTreeSet<&String>| values.into_iter().cloned().collect();
    let about = [(Subject::Coach, "coach"), (Subject::Viewer, "viewer")];
    let is_about = |subject| places.iter().any(|place| place.subject == subject);
    Kind {
        key: key.to_owned(),
        title: class.title.clone(),
        source: class.source,
        about: about.into_iter().filter(|(subject, _)| is_about(*subject)).map(|(_, word)| word).collect(),
        purposes: set(places.iter().flat_map(|place| &place.purposes).collect()),
        bases: set(places.iter().filter_map(|place| place.basis.as_ref()).collect()),
        retentions: set(places.iter().filter_map(|place| place.retention.as_ref()).collect()),
        recipients: recipients.recipients.iter().filter(|one| one.gets(key)).map(|one| one.id.clone()).collect(),
        is_sealed: places.iter().any(|place| place.form == Form::Sealed),
        can_be_corrected: places.iter().any(|place| place.rectify),
        dpv: class.dpv.clone(),
        places: places.len(),
    }
}

/// The map in a few sentences: what stands on top of the policy and of every page about rights (promise P02).
#[must_use]
pub fn summary(map: &DataMap, recipients: &Recipients) -> Vec<String> {
    let kinds = kinds(map, recipients);
    let about = |word: &str| kinds.iter().filter(|kind| kind.about.contains(&word)).count();
    let sealed: Vec<String> =
        kinds.iter().filter(|kind| kind.is_sealed).map(|kind| kind.title.to_lowercase()).collect();
    let in_use: Vec<&str> =
        recipients.recipients.iter().filter(|one| one.state == State::InUse).map(|one| one.category.label()).collect();
    vec![
        format!(
            "We keep {} kinds of data about coaches and {} about viewers, for {} purposes, and sell none of it.",
            about("coach"),
            about("viewer"),
            map.purposes.len()
        ),
        format!("Under a key of each person's own, so that nobody else can read it, lies some of: {}.", list(&sealed)),
        format!("Besides us, only these get any: {}.", list(&in_use)),
        "You can see it, take it along, correct it, have it rest or have it erased, and complain, without giving reasons \
         or papers."
            .to_owned(),
    ]
}

fn list<T: AsRef<str>>(words: &[T]) -> String {
    match words {
        [] => "nobody".to_owned(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// Everything as JSON.
#[must_use]
pub fn json(map: &DataMap, recipients: &Recipients) -> Value {
    let places: Vec<Value> = map.places.iter().map(place_json).collect();
    let bases: serde_json::Map<String, Value> = map
        .bases
        .iter()
        .map(|(key, basis)| (key.clone(), json!({ "article": basis.article, "text": basis.text })))
        .collect();
    let retentions: serde_json::Map<String, Value> = map
        .retentions
        .iter()
        .map(|(key, kept)| {
            let said =
                json!({ "text": kept.text, "starts": kept.starts, "days": kept.days, "enforced_by": kept.enforced_by });
            (key.clone(), said)
        })
        .collect();
    json!({
        "format": FORMAT,
        "sha256": hex::encode(DataMap::hash()),
        "purposes": map.purposes,
        "bases": bases,
        "retentions": retentions,
        "recipients": recipients.recipients,
        "operated_from": recipients.places,
        "kinds": kinds(map, recipients),
        "places": places,
    })
}

fn place_json(place: &Place) -> Value {
    json!({
        "where": place.location.to_string(),
        "class": place.class,
        "about": about(place.subject),
        "purposes": place.purposes,
        "basis": place.basis,
        "retention": place.retention,
        "export": place.export.as_ref().map(export_word),
        "erase": place.erase.as_ref().map(erase_word),
        "can_be_corrected": place.rectify,
        "while_restricted": place.restrict.map(restrict_word),
        "form": form_word(place.form),
    })
}

const fn about(subject: Subject) -> Option<&'static str> {
    match subject {
        Subject::Coach => Some("coach"),
        Subject::Viewer => Some("viewer"),
        Subject::None => None,
    }
}

fn export_word(export: &Export) -> String {
    match export {
        Export::Access => "access".to_owned(),
        Export::Portable => "portable".to_owned(),
        Export::Never(reason) => format!("never: {reason}"),
    }
}

fn erase_word(erase: &Erase) -> String {
    match erase {
        Erase::Delete => "delete".to_owned(),
        Erase::Null => "empty".to_owned(),
        Erase::Shred => "destroy the key".to_owned(),
        Erase::Retain(hold) => format!("keep: {}", hold.as_str()),
    }
}

const fn restrict_word(restrict: Restrict) -> &'static str {
    match restrict {
        Restrict::Hide => "hidden",
        Restrict::Freeze => "unchanged",
        Restrict::Drop => "not collected",
    }
}

const fn form_word(form: Form) -> &'static str {
    match form {
        Form::Plain => "plain",
        Form::Sealed => "sealed",
        Form::BlindIndex => "keyed hash",
        Form::Hashed => "hash",
        Form::Wrapped => "wrapped key",
    }
}

/// A purpose's term in the Data Privacy Vocabulary.
fn purpose_term(purpose: &str) -> &'static str {
    match purpose {
        "provide" => "dpv:ServiceProvision",
        "improve" => "dpv:ServiceOptimisation",
        "communicate" => "dpv:CommunicationManagement",
        "pay" => "dpv:PaymentManagement",
        _ => "dpv:Purpose",
    }
}

/// A basis' term there.
fn basis_term(basis: &str) -> &'static str {
    match basis {
        "contract" => "eu-gdpr:A6-1-b",
        "consent" => "eu-gdpr:A6-1-a",
        "legal_obligation" => "eu-gdpr:A6-1-c",
        "legitimate_interest" => "eu-gdpr:A6-1-f",
        "on_behalf" => "dpv:DataProcessorContract",
        _ => "dpv:LegalBasis",
    }
}

/// The kinds as JSON-LD in the words of the W3C Data Privacy Vocabulary.
#[must_use]
pub fn json_ld(map: &DataMap, recipients: &Recipients, base: &str) -> Value {
    let ids = |terms: Vec<&'static str>| terms.into_iter().map(|term| json!({ "@id": term })).collect::<Vec<_>>();
    let handling = |kind: &Kind| {
        let subjects: Vec<Value> = kind.about.iter().map(|word| json!({ "@id": format!("#{word}") })).collect();
        let kept: Vec<&str> =
            kind.retentions.iter().filter_map(|key| map.retentions.get(key)).map(|kept| kept.text.as_str()).collect();
        json!({
            "@id": format!("#{}", kind.key),
            "@type": "dpv:PersonalDataHandling",
            "dct:title": kind.title,
            "dpv:hasPersonalData": { "@id": kind.dpv },
            "dpv:hasDataSubject": subjects,
            "dpv:hasPurpose": ids(kind.purposes.iter().map(|purpose| purpose_term(purpose)).collect()),
            "dpv:hasLegalBasis": ids(kind.bases.iter().map(|basis| basis_term(basis)).collect()),
            "dpv:hasStorageCondition": kept,
            "dpv:hasRecipient": kind.recipients.iter().map(|id| json!({ "@id": format!("#{id}") })).collect::<Vec<_>>(),
        })
    };
    let party = |one: &crate::recipients::Recipient| {
        json!({
            "@id": format!("#{}", one.id), "@type": "dpv:Recipient", "dct:title": one.name,
            "dpv:hasCountry": one.countries, "dpv:hasDataTransferLegalBasis": one.mechanism.label(),
        })
    };
    let people = [("coach", "Coaches"), ("viewer", "Viewers")]
        .map(|(id, title)| json!({ "@id": format!("#{id}"), "@type": "dpv:DataSubject", "dct:title": title }));
    let kinds = kinds(map, recipients);
    let in_use = recipients.recipients.iter().filter(|one| one.state == State::InUse);
    let graph: Vec<Value> = people
        .into_iter()
        .chain(in_use.map(party))
        .chain(kinds.iter().filter(|kind| !kind.about.is_empty()).map(handling))
        .collect();
    json!({
        "@context": {
            "@base": format!("{base}/privacy/data-map"),
            "dpv": "https://w3id.org/dpv#",
            "pd": "https://w3id.org/dpv/pd#",
            "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
            "dct": "http://purl.org/dc/terms/",
        },
        "@graph": graph,
    })
}

/// One processing activity of the records of processing (Art. 30(1) as controller, Art. 30(2) as processor).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What is done, from the list of purposes.
    pub purpose: String,
    /// Whose data.
    pub about: &'static str,
    /// Titles of the kinds of data.
    pub kinds: Vec<String>,
    /// On which bases.
    pub bases: Vec<String>,
    /// Names of recipients in use.
    pub recipients: Vec<String>,
    /// Transfers to third countries with what covers them.
    pub transfers: Vec<String>,
    /// Until when.
    pub limits: Vec<String>,
}

/// Records in the role of the controller (coaches' own accounts), then in that of the processor (viewers of coaches).
#[must_use]
pub fn records(map: &DataMap, recipients: &Recipients) -> [Vec<Record>; 2] {
    [(Subject::Coach, "coaches"), (Subject::Viewer, "viewers")].map(|(subject, about)| {
        let of_purpose = |purpose: &String| record(map, recipients, purpose, subject, about);
        map.purposes.keys().filter_map(of_purpose).collect()
    })
}

fn record(
    map: &DataMap,
    recipients: &Recipients,
    purpose: &str,
    subject: Subject,
    about: &'static str,
) -> Option<Record> {
    let places: Vec<&Place> = map
        .places
        .iter()
        .filter(|place| place.subject == subject && place.purposes.iter().any(|one| one == purpose))
        .collect();
    let classes: BTreeSet<&str> = places.iter().map(|place| place.class.as_str()).collect();
    let bases: BTreeSet<&String> = places.iter().filter_map(|place| place.basis.as_ref()).collect();
    let kept: BTreeSet<&String> = places.iter().filter_map(|place| place.retention.as_ref()).collect();
    if classes.is_empty() {
        return None;
    }
    let gets = |one: &&crate::recipients::Recipient| classes.iter().any(|class| one.gets(class));
    let abroad = recipients
        .places
        .iter()
        .filter(|place| place.mechanism != crate::recipients::Mechanism::Home)
        .map(|place| format!("{}: {}", place.name, place.mechanism.label()));
    Some(Record {
        purpose: map.purposes.get(purpose).cloned().unwrap_or_default(),
        about,
        kinds: classes.iter().filter_map(|class| map.classes.get(*class)).map(|class| class.title.clone()).collect(),
        bases: bases
            .into_iter()
            .filter_map(|key| map.bases.get(key))
            .map(|basis| format!("{}: {}", basis.article, basis.text))
            .collect(),
        recipients: recipients.recipients.iter().filter(gets).map(|one| one.name.clone()).collect(),
        transfers: abroad.collect(),
        limits: kept
            .into_iter()
            .filter_map(|key| map.retentions.get(key))
            .map(|retention| retention.text.clone())
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_roles_are_recorded_with_everything_article_30_asks_for() {
        let [controller, processor] = records(DataMap::current(), Recipients::built_in());
        assert!(controller.len() >= 2 && processor.len() >= 2);
        for record in controller.iter().chain(&processor) {
            assert!(!record.kinds.is_empty() && !record.bases.is_empty() && !record.limits.is_empty(), "{record:?}");
            assert!(!record.recipients.is_empty() && !record.transfers.is_empty(), "{record:?}");
        }
        assert!(processor.iter().flat_map(|record| &record.bases).any(|basis| basis.starts_with("Art. 28")));
    }

    #[test]
    fn the_summary_counts_what_the_map_holds() {
        let summary = summary(DataMap::current(), Recipients::built_in());
        assert!(summary[0].contains("4 purposes"), "{summary:?}");
        assert!(summary[1].contains("e-mail address"), "{summary:?}");
        assert!(summary[2].contains("hosting, mail delivery and authority"), "{summary:?}");
    }

    #[test]
    fn every_term_of_the_vocabulary_is_a_known_one() {
        let map = DataMap::current();
        assert!(map.purposes.keys().all(|purpose| purpose_term(purpose) != "dpv:Purpose"));
        assert!(map.bases.keys().all(|basis| basis_term(basis) != "dpv:LegalBasis"));
        let text = json_ld(map, Recipients::built_in(), "https://webinar.example").to_string();
        assert!(text.contains("\"@id\":\"pd:EmailAddress\"") && text.contains("eu-gdpr:A6-1-b"), "{text}");
    }
}
