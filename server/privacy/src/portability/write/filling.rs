//! One writing under way: tables, sheets and documents, a page at a time.

use std::collections::{BTreeMap, HashMap};

use domain::ids::DekId;
use persistence::catalog::Kind;
use persistence::entities::coach;
use persistence::sealed::SubjectKey;
use sea_orm::{ConnectionTrait, EntityTrait, QueryResult};
use serde_json::json;
use uuid::Uuid;

use super::files::{ABOUT_A_RECORDING, Media};
use super::sheets::Sheet;
use super::{Error, Writing, named};
use crate::plan::Root;
use crate::portability::access::Access;
use crate::portability::packer::{Entry, Packer};
use crate::portability::rows::{Pages, Snapshot, distinct, key_name};
use crate::portability::schemas;
use crate::portability::tables::{ArchivePlan, ArchiveTable, Omission, Source};
use crate::portability::values::Cell;
use crate::{DataMap, canonical};

/// Text gathered before it is handed to the packer.
const TEXT_BYTES: usize = 256 * 1024;
/// Rows of one file; more go into another.
const FILE_ROWS: u64 = 250_000;
/// Rows between two looks whether the archive is still wanted.
const LOOK_ROWS: u64 = 25_000;

/// One writing under way.
pub(super) struct Filling<'a> {
    pub(super) writing: &'a Writing<'a>,
    pub(super) plan: &'a ArchivePlan,
    pub(super) packer: &'a Packer,
    pub(super) done: u64,
    pub(super) looked_at: u64,
    pub(super) total: u64,
    /// What should be here and could not be had.
    pub(super) missing: Vec<Omission>,
    /// Values whose key is gone, by class and table.
    pub(super) unreadable: BTreeMap<(String, &'static str), u64>,
    /// Files the rows name, by path.
    pub(super) media: BTreeMap<String, Media>,
    /// Checksums of recordings that have none yet.
    pub(super) fresh: BTreeMap<Uuid, [u8; 32]>,
    /// Rows of each class, for the answer to an access request.
    pub(super) rows_of_class: BTreeMap<String, u64>,
}

impl Filling<'_> {
    /// Tells how far it is, and stops when nobody wants it any more.
    pub(super) async fn look(&mut self, step: &'static str) -> Result<(), Error> {
        self.looked_at = self.done;
        let goes_on = (self.writing.progress)(step, self.done, self.total).await;
        if goes_on { Ok(()) } else { Err(Error::Stopped) }
    }

    async fn json(&self, path: &str, schema: Option<&str>, value: &serde_json::Value) -> Result<(), Error> {
        let entry = Entry { schema: schema.map(str::to_owned), ..named(path) };
        self.packer.file(entry, canonical::to_string(value)?).await
    }

    /// What people read, and what machines read first.
    pub(super) async fn preface(&self, conn: &impl ConnectionTrait) -> Result<(), Error> {
        let coach = coach::Entity::find_by_id(self.writing.person.coach()).one(conn).await?.ok_or(Error::Stopped)?;
        let root = self.writing.person.root();
        let access = Access {
            map: DataMap::current(),
            plan: self.plan,
            root,
            controller: match root {
                Root::Coach => ("My Mini Webinar".to_owned(), self.writing.contact.to_owned()),
                Root::Subject => (coach.name, coach.email),
            },
            contact: self.writing.contact,
            base_url: self.writing.base_url,
            now: self.writing.now,
        };
        self.packer.file(named("README.html"), access.readme()).await?;
        for table in &self.plan.tables {
            self.json(&table.schema(), None, &schemas::of_table(table)).await?;
        }
        let general = [
            ("manifest", schemas::of_manifest()),
            ("omissions", schemas::of_omissions()),
            ("art15", schemas::of_access()),
        ];
        for (name, schema) in general {
            self.json(&format!("schemas/archive.{name}.json"), None, &schema).await?;
        }
        self.json("access/art15.json", Some("schemas/archive.art15.json"), &access.json()).await?;
        self.packer.file(named("access/art15.html"), access.html()).await
    }

    /// One table, in as many files as it takes.
    pub(super) async fn table(&mut self, from: Snapshot<'_>, table: &ArchiveTable) -> Result<(), Error> {
        self.look(step_of(table)).await?;
        let select = select_of(table);
        let mut pages = Pages::new(from, self.plan, table, &select);
        let (mut number, mut rows, mut text) = (1, 0, String::with_capacity(TEXT_BYTES + 4096));
        self.begin(table, number).await?;
        while let Some(page) = pages.next().await? {
            let keys = self.keys_of(table, &page).await?;
            for row in &page {
                if rows == FILE_ROWS && table.path(number) != table.path(number + 1) {
                    self.flush(&mut text, 0).await?;
                    self.packer.end(Some(rows)).await?;
                    (number, rows) = (number + 1, 0);
                    self.begin(table, number).await?;
                }
                let cells = self.cells(table, row, &keys).await?;
                write_line(table, &cells, &mut text)?;
                rows += 1;
                self.flush(&mut text, TEXT_BYTES).await?;
            }
            self.count(table, page.len() as u64).await?;
        }
        self.flush(&mut text, 0).await?;
        self.packer.end(Some(rows)).await
    }

    async fn begin(&self, table: &ArchiveTable, number: u32) -> Result<(), Error> {
        let entry = Entry {
            path: table.path(number),
            schema: Some(table.schema()),
            classes: table.classes(),
            ..Entry::default()
        };
        self.packer.begin(entry).await
    }

    async fn flush(&self, text: &mut String, above: usize) -> Result<(), Error> {
        if text.len() > above {
            let full = std::mem::replace(text, String::with_capacity(TEXT_BYTES + 4096));
            self.packer.bytes(full).await?;
        }
        Ok(())
    }

    async fn count(&mut self, table: &ArchiveTable, rows: u64) -> Result<(), Error> {
        self.done += rows;
        for class in table.classes() {
            *self.rows_of_class.entry(class).or_default() += rows;
        }
        if self.done - self.looked_at >= LOOK_ROWS { self.look(step_of(table)).await } else { Ok(()) }
    }

    /// The keys a page's sealed values lie under.
    async fn keys_of(&self, table: &ArchiveTable, page: &[QueryResult]) -> Result<Keys, Error> {
        if table.dek.is_none() {
            return Ok(Keys::default());
        }
        let mut ids = Vec::with_capacity(page.len());
        for row in page {
            ids.extend(row.try_get::<Option<Uuid>>("", DEK)?);
        }
        let ids: Vec<_> = distinct(ids.into_iter()).into_iter().map(DekId).collect();
        Ok(Keys(self.writing.stores.keyring.keys(&ids).await?))
    }

    async fn cells(&mut self, table: &ArchiveTable, row: &QueryResult, keys: &Keys) -> Result<Vec<Cell>, Error> {
        let mut cells = Vec::with_capacity(table.columns.len());
        for (index, column) in table.columns.iter().enumerate() {
            let cell = match (&column.source, column.sealed) {
                (Source::Attachment, _) => {
                    let object: Option<String> = row.try_get_by_index(index)?;
                    self.attach(table, row, object).await?
                }
                (_, Some(place)) => {
                    let id: Uuid = row.try_get("", &key_name(0))?;
                    let key = row.try_get::<Option<Uuid>>("", DEK)?.and_then(|id| keys.0.get(&DekId(id)));
                    Cell::open(row.try_get_by_index(index)?, place, id.as_bytes(), key)?
                }
                _ => Cell::read(row, index, column)?,
            };
            if cell == Cell::Unreadable {
                *self.unreadable.entry((column.class.clone(), table.name)).or_default() += 1;
            }
            cells.push(cell);
        }
        self.add_checksum(table, row, &mut cells)?;
        Ok(cells)
    }

    pub(super) async fn sheet(&mut self, from: Snapshot<'_>, table: &ArchiveTable) -> Result<(), Error> {
        let sheet = Sheet::of(table);
        let mut pages = Pages::new(from, self.plan, table, &sheet.select());
        let entry = Entry { path: sheet.path(), classes: table.classes(), ..Entry::default() };
        self.packer.begin(entry).await?;
        self.packer.bytes(sheet.heading()?).await?;
        let mut rows = 0;
        while let Some(page) = pages.next().await? {
            let keys = self.keys_of(table, &page).await?;
            self.packer.bytes(sheet.lines(&page, &keys)?).await?;
            rows += page.len() as u64;
            self.count(table, page.len() as u64).await?;
        }
        self.packer.end(Some(rows)).await
    }

    /// People who are not in a coach's archive because they asked for rest, or are being erased.
    pub(super) async fn resting(&self, from: Snapshot<'_>) -> Result<u64, Error> {
        if self.plan.root == Root::Subject {
            return Ok(0);
        }
        from.number("SELECT COUNT(*) FROM \"subject\" WHERE \"coach_id\" = $1 AND \"state\" <> 'active'".to_owned())
            .await
    }

    /// Says what is not here; also that nothing is missing, when nothing is. Tells how much is.
    pub(super) async fn omissions(&mut self, resting: u64) -> Result<u32, Error> {
        for ((class, table), count) in std::mem::take(&mut self.unreadable) {
            self.missing.push(Omission {
                class,
                what: vec![format!("{count} in {table}")],
                reason: "The key it was sealed under is gone: its person was erased while this was written.".to_owned(),
                ground: "Art. 17 GDPR".to_owned(),
            });
        }
        let left_out = (resting > 0).then(|| Omission {
            class: "restriction".to_owned(),
            what: vec![format!("{resting} people")],
            reason: "They asked for their data to be kept and not used, or to be erased.".to_owned(),
            ground: "Art. 17 and 18 GDPR".to_owned(),
        });
        let value = json!({
            "is_complete": self.missing.is_empty(),
            "missing": self.missing,
            "left_out": left_out.into_iter().collect::<Vec<_>>(),
            "never_given": self.plan.never,
        });
        self.json("omissions.json", Some("schemas/archive.omissions.json"), &value).await?;
        Ok(u32::try_from(self.missing.len()).unwrap_or(u32::MAX))
    }
}

/// Open keys, by id.
#[derive(Default)]
pub(super) struct Keys(pub(super) HashMap<DekId, SubjectKey>);

/// What the key of a row's sealed values is called in an answer.
pub(super) const DEK: &str = "sealed_under";

/// What is asked for of each row: its columns, then what they are opened and found with.
pub(super) fn select_of(table: &ArchiveTable) -> Vec<String> {
    let attachment = table.attachment.map_or("NULL".to_owned(), |attachment| format!("\"{}\"", attachment.key));
    let mut select: Vec<String> = table
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| match &column.source {
            Source::Column(name) => format!("\"{name}\" AS \"column_{index}\""),
            Source::Derived(sql) => format!("{sql} AS \"column_{index}\""),
            Source::Attachment => format!("{attachment} AS \"column_{index}\""),
        })
        .collect();
    if let Some(dek) = table.dek {
        select.push(format!("{dek} AS \"{DEK}\""));
    }
    if matches!(table.key_kinds[0], Kind::Id) {
        for (part, name) in table.key.iter().enumerate().take(2) {
            select.push(format!("\"{name}\" AS \"{}\"", key_name(part)));
        }
    }
    if table.attachment.is_some() && table.name == "video" {
        select.extend(ABOUT_A_RECORDING.map(|name| format!("\"{name}\" AS \"about_{name}\"")));
    }
    select
}

fn write_line(table: &ArchiveTable, cells: &[Cell], out: &mut String) -> Result<(), Error> {
    let mut separator = '{';
    for (column, cell) in table.columns.iter().zip(cells) {
        out.push(separator);
        canonical::write_text(&column.export, out);
        out.push(':');
        cell.write_json(out)?;
        separator = ',';
    }
    out.push_str("}\n");
    Ok(())
}

fn step_of(table: &ArchiveTable) -> &'static str {
    match table.name {
        "coach" | "login" | "one_time_token" | "recovery_code" => "Writing the account",
        "webinar" | "consent_text" | "mail_template" | "schedule_rule" | "session" => "Writing webinars",
        "video" | "caption" | "upload" => "Writing what is known of recordings",
        "subject" | "registration" | "consent" => "Writing registrations",
        "view" | "beat" | "watch_map" | "status_change" => "Writing what was watched",
        "mail" => "Writing messages",
        _ => "Writing records",
    }
}
