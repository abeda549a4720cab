//! Rows as this installation keeps them: what an archive cannot bring is made here, people are sealed under new keys.

use std::collections::HashMap;

use domain::ids::{DekId, SubjectId, SuppressionId, VideoId};
use domain::schedule::{Rule, RuleForm, RuleKind, Schedule, ScheduleForm};
use domain::sequence::placeholders::{check_body, check_subject};
use domain::sequence::{Segment, Timing};
use domain::video::VideoState;
use domain::webinar::{FieldChoice, SessionKind, WebinarState};
use persistence::entities::{subject, suppression};
use persistence::restrictions::MAIL;
use persistence::sealed::SubjectKey;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, Set, Value};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{Error, Import, Row, id_of};
use crate::erasure::hash_of;
use crate::portability::tables::{ArchiveTable, Source, column_before};
use crate::portability::values::{Taken as Took, take};

/// Rows ready to be written.
pub(super) struct Page {
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Vec<Value>>,
}

/// What the rows of a page need besides themselves.
#[derive(Default)]
struct Beside {
    /// Keys by the row they seal.
    keys: HashMap<Uuid, (DekId, SubjectKey)>,
    /// Blind indexes by person.
    indexes: HashMap<Uuid, Vec<u8>>,
}

fn text<'a>(row: &'a Row, name: &str) -> &'a str {
    row.get(name).and_then(Json::as_str).unwrap_or_default()
}

impl Import<'_> {
    /// Makes rows of what an archive says.
    pub(super) async fn fill(
        &mut self,
        conn: &DatabaseTransaction,
        table: &ArchiveTable,
        rows: Vec<Row>,
    ) -> Result<Page, Error> {
        let (rows, beside) = match table.name {
            "subject" => self.people(conn, rows).await?,
            _ if table.dek.is_some() => {
                let keys = self.keys_of(conn, &rows).await?;
                (rows, Beside { keys, ..Beside::default() })
            }
            _ => (rows, Beside::default()),
        };
        let given = table.columns.iter().filter_map(|column| match column.source {
            Source::Column(name) => Some((name, column)),
            Source::Derived(_) | Source::Attachment => None,
        });
        let given: Vec<_> = given.collect();
        let mut columns: Vec<&'static str> = given.iter().map(|(name, _)| *name).collect();
        let mut filled = Vec::with_capacity(rows.len());
        let mut names_made = Vec::new();
        for row in &rows {
            check(table, row)?;
            let id = id_of(row, "id").unwrap_or_default();
            let mut values = Vec::with_capacity(columns.len() + 6);
            for (_, column) in &given {
                let before = column_before(table.name, &column.export);
                let value = row.get(&column.export).or(before.as_ref()).unwrap_or(&Json::Null);
                let took = take(column, value)
                    .map_err(|what| Error::refused(format!("{} should be {what}", column.export)))?;
                values.push(match (took, column.sealed) {
                    (Took::Value(value), _) => value,
                    (Took::Plain(None), _) => None::<Vec<u8>>.into(),
                    (Took::Plain(Some(plain)), place) => {
                        let key = beside.keys.get(&id).zip(place);
                        let ((_, key), place) =
                            key.ok_or_else(|| Error::refused("a row is about nobody who is here"))?;
                        key.seal(place, id.as_bytes(), &plain).into()
                    }
                });
            }
            let made = self.made(table, row, id, &beside);
            names_made = made.iter().map(|(name, _)| *name).collect();
            values.extend(made.into_iter().map(|(_, value)| value));
            filled.push(values);
            if table.name == "video" && self.files.contains_key(&id) {
                self.taken.videos.push(VideoId(id));
            }
        }
        columns.extend(names_made);
        Ok(Page { columns, rows: filled })
    }

    /// What is made here: by column.
    fn made(&self, table: &ArchiveTable, row: &Row, id: Uuid, beside: &Beside) -> Vec<(&'static str, Value)> {
        let now = self.fresh.now.0;
        match table.name {
            "coach" => {
                let normal = domain::EmailAddress::parse(text(row, "email")).map(|address| address.normalised());
                vec![
                    ("email_normal", normal.unwrap_or_default().into()),
                    // Whoever runs the installation vouches for the address, as with any account opened at the console.
                    ("email_confirmed_at", Some(now).into()),
                    ("password_hash", self.fresh.password_hash.clone().into()),
                    ("terms_version", self.fresh.terms_version.clone().into()),
                    ("terms_hash", Some(self.fresh.terms_hash.clone()).into()),
                    ("terms_accepted_at", now.into()),
                    ("state", "active".into()),
                ]
            }
            "webinar" => vec![("logo_key", self.files.get(&id).cloned().into())],
            "video" => {
                let object = self.files.get(&id).cloned();
                // Without its file there is nothing to work on, and the coach is told.
                let (state, note) = match object {
                    Some(_) => (VideoState::Processing, None),
                    None => (VideoState::ReadyWithoutExtras, Some("The recording was missing from the archive.")),
                };
                let object = object.unwrap_or_default();
                vec![
                    ("object_key", object.clone().into()),
                    ("playable_key", object.into()),
                    ("poster_count", 0.into()),
                    ("state", state.as_str().into()),
                    ("note", note.map(str::to_owned).into()),
                ]
            }
            "subject" => {
                let dek = beside.keys.get(&id).map_or_else(Uuid::nil, |(dek, _)| dek.0);
                let index = beside.indexes.get(&id).cloned().unwrap_or_default();
                vec![("dek_id", dek.into()), ("email_bidx", index.into())]
            }
            "registration" => vec![("link_version", 1.into())],
            // No job comes with it: what another installation planned never leaves from here.
            "mail" => vec![("dedupe_key", format!("imported:{id}").into())],
            _ => Vec::new(),
        }
    }

    /// People of a page without those who were erased here, with new keys; marks not to write to them come along.
    async fn people(&mut self, conn: &DatabaseTransaction, rows: Vec<Row>) -> Result<(Vec<Row>, Beside), Error> {
        let pepper = self.stores.keyring.pepper(self.coach, self.fresh.now).await?;
        let mut kept = Vec::with_capacity(rows.len());
        let mut beside = Beside::default();
        for row in rows {
            let address = domain::EmailAddress::parse(text(&row, "email"))
                .map_err(|_| Error::refused("a person has no address"))?;
            let index = pepper.blind_index(&address.normalised());
            let id = id_of(&row, "id").unwrap_or_default();
            if self.buried.contains(&index) || self.buried_ids.contains(&hash_of(SubjectId(id))) {
                self.taken.erased += 1;
                self.skipped.entry("subject").or_default().insert(id);
                continue;
            }
            beside.indexes.insert(id, index);
            kept.push(row);
        }
        let made = self.stores.keyring.create_keys(kept.len(), self.fresh.now).await?;
        for (row, key) in kept.iter().zip(made) {
            beside.keys.insert(id_of(row, "id").unwrap_or_default(), key);
        }
        let marked = kept.iter().filter(|row| row.get("do_not_write") == Some(&Json::Bool(true)));
        let marks: Vec<_> = marked
            .filter_map(|row| beside.indexes.get(&id_of(row, "id")?))
            .map(|index| suppression::ActiveModel {
                id: Set(SuppressionId::new()),
                coach_id: Set(self.coach),
                email_bidx: Set(index.clone()),
                channel: Set(MAIL.to_owned()),
                created_at: Set(self.fresh.now),
                strikes: Set(None),
                until_at: Set(None),
            })
            .collect();
        if !marks.is_empty() {
            use suppression::Column::{Channel, CoachId, EmailBidx};
            // The account comes with the page before this one, and is there by now.
            let known = OnConflict::columns([CoachId, EmailBidx, Channel]).do_nothing().to_owned();
            suppression::Entity::insert_many(marks).on_conflict(known).exec_without_returning(conn).await?;
        }
        Ok((kept, beside))
    }

    /// Keys of the people the rows of a page are about.
    async fn keys_of(
        &self,
        conn: &DatabaseTransaction,
        rows: &[Row],
    ) -> Result<HashMap<Uuid, (DekId, SubjectKey)>, Error> {
        let people: HashMap<Uuid, Uuid> =
            rows.iter().filter_map(|row| Some((id_of(row, "id")?, id_of(row, "subject_id")?))).collect();
        let found: Vec<(SubjectId, DekId)> = subject::Entity::find()
            .select_only()
            .columns([subject::Column::Id, subject::Column::DekId])
            .filter(subject::Column::CoachId.eq(self.coach))
            .filter(subject::Column::Id.is_in(people.values().copied().map(SubjectId)))
            .into_tuple()
            .all(conn)
            .await?;
        let keys = self.stores.keyring.keys(&found.iter().map(|(_, dek)| *dek).collect::<Vec<_>>()).await?;
        let deks: HashMap<Uuid, DekId> = found.into_iter().map(|(id, dek)| (id.0, dek)).collect();
        let of = |(row, person): (Uuid, Uuid)| {
            let dek = deks.get(&person)?;
            Some((row, (*dek, keys.get(dek)?.clone())))
        };
        Ok(people.into_iter().filter_map(of).collect())
    }
}

/// A rule as its form makes it. Earlier archives name a rule for webinars without times as well.
fn is_rule(row: &Row) -> bool {
    RuleKind::from_stored(text(row, "kind")).is_none()
        || serde_json::from_str::<Rule>(text(row, "rule"))
            .is_ok_and(|rule| RuleForm::from(&rule).parse(|_| true).is_ok())
}

/// Rules a form would have kept: an archive did not come through a form.
fn check(table: &ArchiveTable, row: &Row) -> Result<(), Error> {
    let is_in_order = match table.name {
        "webinar" => is_webinar(row),
        "schedule_rule" => is_rule(row),
        "mail_template" => is_template(row),
        "video" => {
            ["video/mp4", "video/webm", "video/quicktime", "video/x-matroska"].contains(&text(row, "content_type"))
        }
        _ => true,
    };
    if is_in_order {
        Ok(())
    } else {
        Err(Error::refused(format!("a row of {} says what no form of ours takes", table.file)))
    }
}

fn is_schedule(text: &str) -> bool {
    serde_json::from_str::<Schedule>(text).is_ok_and(|schedule| ScheduleForm::from(&schedule).parse(Vec::new()).is_ok())
}

fn is_template(row: &Row) -> bool {
    let minutes = row.get("minutes").and_then(Json::as_i64).and_then(|minutes| i32::try_from(minutes).ok());
    let segment = serde_json::from_str::<Segment>(text(row, "segment"));
    minutes.is_some_and(|minutes| Timing::from_stored(text(row, "timing"), minutes).is_some())
        && segment.is_ok_and(|segment| segment.check(None).is_ok())
        && check_subject(text(row, "subject")).is_ok()
        && check_body(text(row, "body")).is_ok()
}

fn is_webinar(row: &Row) -> bool {
    let accent = text(row, "accent");
    let is_colour =
        accent.len() == 7 && accent.starts_with('#') && accent[1..].bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_host = |host: &String| {
        !host.is_empty()
            && host.len() <= 253
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'*'))
    };
    let hosts = serde_json::from_str::<Vec<String>>(text(row, "embed_hosts"));
    (accent.is_empty() || is_colour)
        && hosts.is_ok_and(|hosts| hosts.len() <= 20 && hosts.iter().all(is_host))
        && WebinarState::from_stored(text(row, "state")).is_some()
        && SessionKind::from_stored(text(row, "session_kind")).is_some()
        && serde_json::from_str::<FieldChoice>(text(row, "fields")).is_ok()
        && row.get("schedule").and_then(Json::as_str).is_none_or(is_schedule)
        && row.get("logo_type").is_none_or(|kind| kind.is_null() || kind == "image/png")
}
