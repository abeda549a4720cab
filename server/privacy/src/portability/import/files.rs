//! An archive's files on their way to where the new rows will look for them.

use std::collections::HashSet;

use bytes::Bytes;
use domain::ids::VideoId;
use futures::StreamExt;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{Import, PAGE_ROWS, WAITING, id_of};
use crate::portability::Error;
use crate::portability::read::Archive;
use crate::portability::tables::{ArchiveTable, Home, Source};

impl Import<'_> {
    /// Puts the archive's files where the new rows will look for them.
    pub(super) async fn put_files(&mut self, archive: Archive) -> Result<Archive, Error> {
        let plan = archive.plan().clone();
        let mut archive = archive;
        for table in plan.of(Home::Data).filter(|table| table.attachment.is_some()) {
            let wanted;
            (archive, wanted) = tokio::task::spawn_blocking({
                let table = table.clone();
                move || {
                    let wanted = attachments(&mut archive, &table)?;
                    Ok::<_, Error>((archive, wanted))
                }
            })
            .await??;
            for some in wanted.chunks(PAGE_ROWS) {
                let ids: Vec<Uuid> = some.iter().map(|(id, _)| *id).collect();
                let here = self.here_outside(table, &ids).await?;
                for (id, path) in some.iter().filter(|(id, _)| !here.contains(id)) {
                    archive = self.put(archive, table, *id, path.clone()).await?;
                }
            }
        }
        Ok(archive)
    }

    async fn here_outside(&self, table: &ArchiveTable, ids: &[Uuid]) -> Result<HashSet<Uuid>, Error> {
        let snapshot = self.stores.database.snapshot().await?;
        let here = self.here(&snapshot, table, ids).await?;
        snapshot.commit().await?;
        Ok(here)
    }

    async fn put(&mut self, archive: Archive, table: &ArchiveTable, id: Uuid, path: String) -> Result<Archive, Error> {
        let object = match table.name {
            "video" => format!("coaches/{}/videos/{}/original", self.coach, VideoId::new()),
            _ => format!("coaches/{}/logos/{}.png", self.coach, Uuid::now_v7().simple()),
        };
        let (send, chunks) = mpsc::channel::<Result<Bytes, storage::Error>>(WAITING);
        let is_picture = table.name != "video";
        let reading = tokio::task::spawn_blocking(move || read_file(archive, &path, is_picture, &send));
        let stream =
            futures::stream::unfold(
                chunks,
                |mut chunks| async move { chunks.recv().await.map(|chunk| (chunk, chunks)) },
            );
        self.put.push(object.clone());
        let stored = self.stores.bucket.put_stream(&object, stream.boxed()).await;
        let archive = reading.await??;
        stored?;
        self.files.insert(id, object);
        Ok(archive)
    }
}

/// Files of a table's rows: the row, and the archive's path.
fn attachments(archive: &mut Archive, table: &ArchiveTable) -> Result<Vec<(Uuid, String)>, Error> {
    let mut found = Vec::new();
    let column = table.columns.iter().find(|column| column.source == Source::Attachment);
    let Some(column) = column else { return Ok(found) };
    for path in archive.files_of(table) {
        archive.each_row(table, &path, |row| {
            let file = row.get(&column.export).and_then(|path| path.as_str());
            if let (Some(id), Some(file)) = (id_of(&row, "id"), file) {
                found.push((id, file.to_owned()));
            }
            Ok(())
        })?;
    }
    for (_, file) in &found {
        if !file.starts_with("media/") || archive.size_of(file).is_none() {
            return Err(Error::refused(format!("{} is named by a row and not in the archive", file.escape_debug())));
        }
    }
    Ok(found)
}

fn read_file(
    mut archive: Archive,
    path: &str,
    is_picture: bool,
    chunks: &mpsc::Sender<Result<Bytes, storage::Error>>,
) -> Result<Archive, Error> {
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
    let mut is_first = true;
    let read = archive.each_chunk(path, |chunk| {
        if std::mem::take(&mut is_first) && is_picture && !chunk.starts_with(PNG) {
            return Err(Error::refused("a logo is no picture of ours"));
        }
        chunks.blocking_send(Ok(chunk.into())).map_err(|_| Error::Stopped)
    });
    if let Err(error) = read {
        let source = std::io::Error::other("the archive could not be read");
        let given_up = storage::Error::File { operation: "read", key: path.to_owned(), source };
        // The storage may have given up first; then nobody listens.
        let _told = chunks.blocking_send(Err(given_up));
        return Err(error);
    }
    Ok(archive)
}
