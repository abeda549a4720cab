//! Files that belong to rows: recordings as they were uploaded, and logos. Pinned by their checksum when the row is
//! written, copied once the snapshot is over.

use bytes::Bytes;
use domain::ids::VideoId;
use futures::StreamExt;
use persistence::entities::video;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryResult, QuerySelect};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use uuid::Uuid;

use super::filling::Filling;
use super::{Error, Writing};
use crate::erasure::Person;
use crate::portability::packer::Entry;
use crate::portability::rows::key_name;
use crate::portability::tables::{ArchiveTable, Omission};
use crate::portability::values::Cell;

/// What else is asked for of a recording.
pub(super) const ABOUT_A_RECORDING: [&str; 3] = ["sha256", "content_type", "file_name"];

/// A file to be copied.
pub(super) struct Media {
    /// Where it lies.
    object: String,
    /// How large it is.
    size_bytes: u64,
    /// What it should be.
    sha256: String,
    /// What it is called when it turns out to be something else.
    name: String,
}

/// How files of a type are called.
fn ending(content_type: &str) -> &'static str {
    match content_type {
        "video/mp4" => "mp4",
        "video/webm" => "webm",
        "video/quicktime" => "mov",
        "video/x-matroska" | "video/matroska" => "mkv",
        _ => "bin",
    }
}

impl Writing<'_> {
    /// Checksums of recordings the background work has not come to yet: a file is named by its own.
    pub(super) async fn missing_checksums(&self) -> Result<BTreeMap<Uuid, [u8; 32]>, Error> {
        let Person::Coach(coach) = self.person else { return Ok(BTreeMap::new()) };
        let rows: Vec<(VideoId, String)> = video::Entity::find()
            .select_only()
            .columns([video::Column::Id, video::Column::ObjectKey])
            .filter(video::Column::CoachId.eq(coach))
            .filter(video::Column::Sha256.is_null())
            .into_tuple()
            .all(self.stores.database.reader())
            .await?;
        let mut found = BTreeMap::new();
        for (id, object) in rows {
            let bucket = &self.stores.bucket;
            let size = match bucket.size(&object).await {
                Ok(size) => size,
                Err(error) if error.is_missing() => continue,
                Err(error) => return Err(error.into()),
            };
            let mut hash = Sha256::new();
            let mut chunks = bucket.read(&object, 0..size).await?;
            while let Some(chunk) = chunks.next().await {
                hash.update(chunk?);
            }
            found.insert(id.0, hash.finalize().into());
        }
        Ok(found)
    }
}

impl Filling<'_> {
    /// What a row calls its file; nothing when there is none, or when it is missing, which is listed.
    pub(super) async fn attach(
        &mut self,
        table: &ArchiveTable,
        row: &QueryResult,
        object: Option<String>,
    ) -> Result<Cell, Error> {
        let Some(object) = object else { return Ok(Cell::Nothing) };
        let id: Uuid = row.try_get("", &key_name(0))?;
        let bucket = &self.writing.stores.bucket;
        let found = if table.name == "video" {
            let known: Option<Vec<u8>> = row.try_get("", "about_sha256")?;
            let sha256 = known.map(hex::encode).or_else(|| self.fresh.get(&id).map(hex::encode));
            let content_type: String = row.try_get("", "about_content_type")?;
            let size = match bucket.size(&object).await {
                Err(error) if error.is_missing() => None,
                size => Some(size?),
            };
            size.zip(sha256).map(|(size, sha256)| (size, sha256, ending(&content_type)))
        } else {
            match bucket.get(&object).await {
                Err(error) if error.is_missing() => None,
                bytes => {
                    let bytes = bytes?;
                    Some((bytes.len() as u64, hex::encode(Sha256::digest(&bytes)), "png"))
                }
            }
        };
        let name = match table.name {
            "video" => format!("{} (video {id})", row.try_get::<String>("", "about_file_name")?),
            _ => format!("the logo of {} {id}", table.name),
        };
        let Some((size_bytes, sha256, ending)) = found else {
            self.missing.push(Omission {
                class: "media".to_owned(),
                what: vec![name],
                reason: "The file is not in our storage any more.".to_owned(),
                ground: "None: it should be here.".to_owned(),
            });
            return Ok(Cell::Nothing);
        };
        let path = format!("media/{sha256}.{ending}");
        self.media.insert(path.clone(), Media { object, size_bytes, sha256, name });
        Ok(Cell::Text(path))
    }

    /// A recording has its checksum in the archive, also when the background work has not come to it yet.
    pub(super) fn add_checksum(
        &self,
        table: &ArchiveTable,
        row: &QueryResult,
        cells: &mut [Cell],
    ) -> Result<(), Error> {
        if table.name != "video" || self.fresh.is_empty() {
            return Ok(());
        }
        let id: Uuid = row.try_get("", &key_name(0))?;
        let place = table.columns.iter().position(|column| column.export == "sha256");
        if let (Some(place), Some(sha256)) = (place, self.fresh.get(&id))
            && cells[place] == Cell::Nothing
        {
            cells[place] = Cell::Text(hex::encode(sha256));
        }
        Ok(())
    }

    /// Copies every file the rows name, once.
    pub(super) async fn media(&mut self) -> Result<(), Error> {
        for (path, media) in std::mem::take(&mut self.media) {
            self.look("Copying recordings").await?;
            self.copy(path, media).await?;
        }
        Ok(())
    }

    async fn copy(&mut self, path: String, media: Media) -> Result<(), Error> {
        let chunks = self.writing.stores.bucket.read(&media.object, 0..media.size_bytes).await;
        let mut chunks = match chunks {
            Err(error) if error.is_missing() => {
                self.missing.push(gone(&media, "The file went while this was written."));
                return Ok(());
            }
            chunks => chunks?,
        };
        let entry = Entry {
            path,
            is_stored: true,
            size_bytes: Some(media.size_bytes),
            schema: None,
            classes: vec!["media".to_owned()],
        };
        self.packer.begin(entry).await?;
        let mut hash = Sha256::new();
        while let Some(chunk) = chunks.next().await {
            let chunk: Bytes = chunk?;
            hash.update(&chunk);
            self.packer.bytes(chunk).await?;
        }
        self.packer.end(None).await?;
        if hex::encode(hash.finalize()) != media.sha256 {
            self.missing.push(gone(&media, "The file in our storage is not what was uploaded; it is here as it is."));
        }
        Ok(())
    }
}

fn gone(media: &Media, reason: &str) -> Omission {
    Omission {
        class: "media".to_owned(),
        what: vec![media.name.clone()],
        reason: reason.to_owned(),
        ground: "None: it should be here.".to_owned(),
    }
}
