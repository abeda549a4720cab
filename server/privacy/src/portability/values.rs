//! One value on its way out of a row and back into one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Moment;
use domain::processing::ProcessingPurpose;
use domain::registration::Answers;
use domain::webinar::RegistrationField;
use persistence::catalog::Kind;
use persistence::sealed::{Place, SubjectKey};
use sea_orm::{QueryResult, Value};
use serde_json::Value as Json;
use uuid::Uuid;

use super::Error;
use super::tables::ArchiveColumn;
use crate::canonical;

/// A value as an archive has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// Empty.
    Nothing,
    Text(String),
    Number(i64),
    Flag(bool),
    /// A record within the record.
    Record(Json),
    /// It lies under a key that is gone.
    Unreadable,
}

/// Checksums are written as people know them.
fn is_checksum(column: &ArchiveColumn) -> bool {
    matches!(column.source, super::tables::Source::Column(name) if name == "sha256" || name.ends_with("_hash"))
}

impl Cell {
    /// Reads a column that is not sealed.
    pub(super) fn read(row: &QueryResult, index: usize, column: &ArchiveColumn) -> Result<Self, Error> {
        let text = |value: Option<String>| value.map_or(Self::Nothing, Self::Text);
        Ok(match column.kind {
            Kind::Id => text(row.try_get_by_index::<Option<Uuid>>(index)?.map(|id| id.to_string())),
            Kind::Text => text(row.try_get_by_index(index)?),
            Kind::Moment => text(row.try_get_by_index::<Option<i64>>(index)?.map(|at| Moment(at).to_string())),
            Kind::Number if column.is_short => {
                row.try_get_by_index::<Option<i32>>(index)?.map_or(Self::Nothing, |number| Self::Number(number.into()))
            }
            Kind::Number => row.try_get_by_index::<Option<i64>>(index)?.map_or(Self::Nothing, Self::Number),
            Kind::Flag => row.try_get_by_index::<Option<bool>>(index)?.map_or(Self::Nothing, Self::Flag),
            Kind::Bytes => {
                let bytes: Option<Vec<u8>> = row.try_get_by_index(index)?;
                let write =
                    |bytes: Vec<u8>| if is_checksum(column) { hex::encode(bytes) } else { STANDARD.encode(bytes) };
                text(bytes.map(write))
            }
        })
    }

    /// Opens a sealed column.
    pub(super) fn open(
        sealed: Option<Vec<u8>>,
        place: Place,
        row: &[u8; 16],
        key: Option<&SubjectKey>,
    ) -> Result<Self, Error> {
        let Some(sealed) = sealed else { return Ok(Self::Nothing) };
        let Some(key) = key else { return Ok(Self::Unreadable) };
        let plain = key.open(ProcessingPurpose::Provide, place, row, &sealed)?;
        Ok(match place {
            Place::RegistrationAnswers => {
                let answers: Answers = serde_json::from_slice(&plain)?;
                let given =
                    answers.given.into_iter().map(|(field, text)| (field.as_str().to_owned(), Json::String(text)));
                Self::Record(Json::Object(given.collect()))
            }
            Place::RequestDetails => Self::Record(serde_json::from_slice(&plain)?),
            _ => String::from_utf8(plain).map_or(Self::Unreadable, Self::Text),
        })
    }

    /// Writes it in the form of RFC 8785.
    pub(super) fn write_json(&self, out: &mut String) -> Result<(), Error> {
        match self {
            Self::Nothing | Self::Unreadable => out.push_str("null"),
            Self::Text(text) => canonical::write_text(text, out),
            Self::Number(number) => out.push_str(&canonical::to_string(&Json::from(*number))?),
            Self::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Record(record) => out.push_str(&canonical::to_string(record)?),
        }
        Ok(())
    }

    /// Writes it for a cell no spreadsheet takes for a formula (OWASP: CSV injection). The lossless twin is the JSON.
    pub(super) fn csv(&self) -> String {
        match self {
            Self::Nothing | Self::Unreadable => String::new(),
            Self::Text(text) => harmless(text),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Record(record) => harmless(&record.to_string()),
        }
    }

    /// One field of a record within the record.
    pub(super) fn field(&self, name: &str) -> String {
        match self {
            Self::Record(record) => record.get(name).and_then(Json::as_str).map(harmless).unwrap_or_default(),
            _ => String::new(),
        }
    }
}

fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

/// What an archive's value is, checked against its column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Taken {
    /// Fit to be written.
    Value(Value),
    /// Has to be sealed first.
    Plain(Option<Vec<u8>>),
}

/// Longest text of one value: a caption file, generously.
const LONGEST_TEXT: usize = 4 * 1024 * 1024;

/// Takes a value from an archive, or says what it should have been.
pub(super) fn take(column: &ArchiveColumn, value: &Json) -> Result<Taken, &'static str> {
    if value.is_null() {
        return if !column.is_optional {
            Err("something")
        } else if column.sealed.is_some() {
            Ok(Taken::Plain(None))
        } else {
            Ok(Taken::Value(nothing(column)))
        };
    }
    let text = |what: &'static str| value.as_str().filter(|text| text.len() <= LONGEST_TEXT).ok_or(what);
    if let Some(place) = column.sealed {
        return sealed_text(place, value).map(|plain| Taken::Plain(Some(plain)));
    }
    Ok(Taken::Value(match column.kind {
        Kind::Id => Uuid::parse_str(text("an id")?).map_err(|_| "an id")?.into(),
        Kind::Text => text("text")?.to_owned().into(),
        Kind::Moment => Moment::parse(text("a moment in UTC")?).ok_or("a moment in UTC")?.0.into(),
        Kind::Number if column.is_short => {
            i32::try_from(value.as_i64().ok_or("a number")?).map_err(|_| "a smaller number")?.into()
        }
        Kind::Number => value.as_i64().ok_or("a number")?.into(),
        Kind::Flag => value.as_bool().ok_or("true or false")?.into(),
        Kind::Bytes if is_checksum(column) => hex::decode(text("a checksum")?).map_err(|_| "a checksum")?.into(),
        Kind::Bytes => STANDARD.decode(text("bytes in base64")?).map_err(|_| "bytes in base64")?.into(),
    }))
}

fn nothing(column: &ArchiveColumn) -> Value {
    match column.kind {
        Kind::Id => None::<Uuid>.into(),
        Kind::Text => None::<String>.into(),
        Kind::Number if column.is_short => None::<i32>.into(),
        Kind::Moment | Kind::Number => None::<i64>.into(),
        Kind::Flag => None::<bool>.into(),
        Kind::Bytes => None::<Vec<u8>>.into(),
    }
}

fn sealed_text(place: Place, value: &Json) -> Result<Vec<u8>, &'static str> {
    if place != Place::RegistrationAnswers {
        return value.as_str().map(|text| text.as_bytes().to_vec()).ok_or("text");
    }
    let fields = value.as_object().ok_or("answers by name")?;
    let known = |name: &String| RegistrationField::ALL.iter().any(|field| field.as_str() == name);
    if !fields.keys().all(known) {
        return Err("answers to questions that exist");
    }
    let mut given = Vec::new();
    for field in RegistrationField::ALL {
        if let Some(answer) = fields.get(field.as_str()) {
            given.push((field, answer.as_str().ok_or("answers in words")?.to_owned()));
        }
    }
    serde_json::to_vec(&Answers { given }).map_err(|_| "answers in words")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for hostile in ["=1+1", "+49", "-2", "@SUM(A1)", "\t=1", "\r=1"] {
            assert!(Cell::Text(hostile.to_owned()).csv().starts_with('\''), "{hostile}");
        }
        assert_eq!(Cell::Text("Anna".to_owned()).csv(), "Anna");
        assert_eq!(Cell::Number(-5).csv(), "-5", "a number of ours is no formula");
    }

    #[test]
    fn moments_keep_their_microseconds() {
        for micros in [0, 1, 1_795_000_000_123_456, -1] {
            let text = Moment(micros).to_string();
            assert_eq!(Moment::parse(&text), Some(Moment(micros)), "{text}");
        }
        for odd in ["2026-11-26T10:00:00+01:00", "yesterday", "Z", ""] {
            assert_eq!(Moment::parse(odd), None, "{odd}");
        }
    }

    #[test]
    fn answers_come_back_as_they_were_given() {
        let given = vec![(RegistrationField::FirstName, "Zoë".to_owned()), (RegistrationField::Phone, "1".to_owned())];
        let plain = serde_json::to_vec(&Answers { given }).expect("is written");
        let key = SubjectKey::from_bytes([1; 32]);
        let sealed = key.seal(Place::RegistrationAnswers, &[2; 16], &plain);
        let cell = Cell::open(Some(sealed), Place::RegistrationAnswers, &[2; 16], Some(&key)).expect("opens");
        let Cell::Record(record) = cell else { panic!("{cell:?}") };
        assert_eq!(record, serde_json::json!({ "first_name": "Zoë", "phone": "1" }));
        assert_eq!(sealed_text(Place::RegistrationAnswers, &record).expect("is taken"), plain);
        assert!(sealed_text(Place::RegistrationAnswers, &serde_json::json!({ "iban": "x" })).is_err());
    }
}
