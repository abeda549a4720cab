//! What every column of the business database can hold, from the entities: the one list that is the same on both
//! databases. A test compares it with the schema both really have, so a new column is here or red.

use sea_orm::sea_query::ColumnType;
use sea_orm::{ColumnTrait, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn};

use crate::entities as e;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An id.
    Id,
    /// Text.
    Text,
    /// A number.
    Number,
    /// An instant in microseconds since the epoch.
    Moment,
    /// Yes or no.
    Flag,
    /// Bytes.
    Bytes,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be empty.
    pub is_optional: bool,
    /// 32 bits are enough for its numbers.
    pub is_short: bool,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its primary key.
    pub key: Vec<&'static str>,
}

/// Names of numbers that are instants: `sent_at`, `at`, `since`, `undo_until`, `extended_to`.
fn is_moment(name: &str) -> bool {
    matches!(name, "at" | "since" | "undo_until" | "extended_to" | "lease_until") || name.ends_with("_at")
}

fn kind_of(name: &str, column_type: &ColumnType) -> Kind {
    match column_type {
        ColumnType::Uuid => Kind::Id,
        ColumnType::Boolean => Kind::Flag,
        ColumnType::Blob | ColumnType::Binary(_) | ColumnType::VarBinary(_) => Kind::Bytes,
        ColumnType::BigInteger if is_moment(name) => Kind::Moment,
        ColumnType::BigInteger | ColumnType::Integer => Kind::Number,
        _ => Kind::Text,
    }
}

fn table<E: EntityTrait>() -> Table {
    let columns = E::Column::iter().map(|column| {
        let definition = column.def();
        Column {
            name: column.as_str(),
            kind: kind_of(column.as_str(), definition.get_column_type()),
            is_optional: definition.is_null(),
            is_short: matches!(definition.get_column_type(), ColumnType::Integer),
        }
    });
    Table {
        name: E::default().table_name(),
        columns: columns.collect(),
        key: E::PrimaryKey::iter().map(|key| key.into_column().as_str()).collect(),
    }
}

/// Every table that has an entity.
#[must_use]
pub fn tables() -> Vec<Table> {
    vec![
        table::<e::audit_entry::Entity>(),
        table::<e::backup_copy::Entity>(),
        table::<e::beat::Entity>(),
        table::<e::caption::Entity>(),
        table::<e::coach::Entity>(),
        table::<e::consent::Entity>(),
        table::<e::consent_text::Entity>(),
        table::<e::disclosure::Entity>(),
        table::<e::dsr_request::Entity>(),
        table::<e::dsr_task::Entity>(),
        table::<e::erased_total::Entity>(),
        table::<e::export_archive::Entity>(),
        table::<e::incident::Entity>(),
        table::<e::incident_coach::Entity>(),
        table::<e::legal_hold::Entity>(),
        table::<e::login::Entity>(),
        table::<e::mail::Entity>(),
        table::<e::mail_template::Entity>(),
        table::<e::objection::Entity>(),
        table::<e::one_time_token::Entity>(),
        table::<e::operator_access::Entity>(),
        table::<e::operator_seat::Entity>(),
        table::<e::page_view::Entity>(),
        table::<e::policy_notice::Entity>(),
        table::<e::portal_proof::Entity>(),
        table::<e::portal_session::Entity>(),
        table::<e::rate_limit::Entity>(),
        table::<e::recovery_code::Entity>(),
        table::<e::registration::Entity>(),
        table::<e::restore_run::Entity>(),
        table::<e::restriction::Entity>(),
        table::<e::schedule_rule::Entity>(),
        table::<e::security_review::Entity>(),
        table::<e::session::Entity>(),
        table::<e::status_change::Entity>(),
        table::<e::subject::Entity>(),
        table::<e::suppression::Entity>(),
        table::<e::tombstone::Entity>(),
        table::<e::upload::Entity>(),
        table::<e::video::Entity>(),
        table::<e::view::Entity>(),
        table::<e::watch_map::Entity>(),
        table::<e::webinar::Entity>(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(table: &str, column: &str) -> (Kind, bool) {
        let tables = tables();
        let table = tables.iter().find(|one| one.name == table).expect("the table");
        let column = table.columns.iter().find(|one| one.name == column).expect("the column");
        (column.kind, column.is_optional)
    }

    #[test]
    fn kinds_are_read_from_the_entities() {
        assert_eq!(kind("coach", "email_confirmed_at"), (Kind::Moment, true));
        assert_eq!(kind("coach", "email"), (Kind::Text, false));
        assert_eq!(kind("subject", "dek_id"), (Kind::Id, false));
        assert_eq!(kind("subject", "name_ct"), (Kind::Bytes, true));
        assert_eq!(kind("beat", "hidden"), (Kind::Flag, false));
        assert_eq!(kind("beat", "from_ms"), (Kind::Number, false));
        let beat = tables().into_iter().find(|table| table.name == "beat").expect("there");
        assert_eq!(beat.key, ["view_id", "seq"]);
    }

    /// A long number is an instant by its name or is counted here: a new one that is neither is red.
    #[test]
    fn every_long_number_is_an_instant_or_a_count() {
        let counts =
            ["_ms", "_bytes", "_rows", "seq", "views", "people", "coaches", "removed", "totp_last_step", "size_bytes"];
        for table in tables() {
            for column in table.columns.iter().filter(|column| column.kind == Kind::Number && !column.is_short) {
                assert!(
                    counts.iter().any(|count| column.name.ends_with(count)),
                    "{}.{}: an instant ends in _at, and what is counted is in this test's list",
                    table.name,
                    column.name
                );
            }
        }
    }
}
