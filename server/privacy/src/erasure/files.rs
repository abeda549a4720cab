//! Objects of an account, letters in the folder that takes the place of a mail server, and what tools left behind.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use persistence::entities::upload;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use storage::{Bucket, StagedUpload};
use uuid::Uuid;

use super::{Erasure, Error, Outcome};

impl Erasure {
    /// Everything below the account's prefixes: whole objects, parts of uploads, files a crash left.
    pub(super) async fn erase_objects(&self) -> Result<Outcome, Error> {
        let bucket = &self.stores.bucket;
        let coach = self.person.coach();
        // Parts that a store keeps for an upload under way are known by the upload alone.
        let uploads = upload::Entity::find()
            .filter(upload::Column::CoachId.eq(coach))
            .filter(upload::Column::State.ne("complete"))
            .all(self.stores.database.reader())
            .await?;
        for row in uploads {
            let staged: StagedUpload = serde_json::from_str(&row.parts)?;
            bucket.abort_staged(&row.object_key, &staged).await?;
        }
        let mut removed = 0;
        for template in &self.plan.objects {
            let prefix = template.replace("{coach}", &coach.to_string());
            removed += bucket.erase_prefix(&prefix).await?;
            removed += bucket.erase_prefix(&Bucket::staged_prefix(&prefix)).await?;
        }
        Ok(Outcome::removed(removed))
    }

    /// Files named after rows that go: letters after their mail, work folders after their recording.
    pub(super) async fn erase_files(&self) -> Result<Outcome, Error> {
        let mut removed = 0;
        if let Some(mailbox) = &self.stores.mailbox {
            removed += erase_named(mailbox.clone(), self.ids_of("mail").await?).await?;
        }
        removed += erase_named(self.stores.work.clone(), self.ids_of("video").await?).await?;
        Ok(Outcome::removed(removed))
    }

    async fn ids_of(&self, table: &str) -> Result<HashSet<String>, Error> {
        let Some(rows) = self.plan.rows_of(table) else {
            return Ok(HashSet::new());
        };
        let reader = self.stores.database.reader();
        let sql = format!("SELECT \"id\" FROM \"{table}\" WHERE {}", rows.filter);
        let found = reader.query_all_raw(self.ask(reader.get_database_backend(), sql)).await?;
        found.iter().map(|row| Ok(row.try_get::<Uuid>("", "id")?.to_string())).collect()
    }
}

/// Removes files and folders in `folder` whose name contains one of the ids.
async fn erase_named(folder: PathBuf, ids: HashSet<String>) -> Result<u64, Error> {
    let walked = tokio::task::spawn_blocking(move || {
        let mut removed = 0;
        let entries = match std::fs::read_dir(&folder) {
            // No tool has worked yet.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            other => other?,
        };
        for entry in entries {
            let entry = entry?;
            if !names_one(&entry.file_name().to_string_lossy(), &ids) {
                continue;
            }
            remove(&entry.path())?;
            removed += 1;
        }
        Ok::<_, std::io::Error>(removed)
    });
    Ok(walked.await.map_err(std::io::Error::other)??)
}

/// Bytes of an id in text.
const ID_CHARS: usize = 36;

fn names_one(name: &str, ids: &HashSet<String>) -> bool {
    (0..name.len().saturating_sub(ID_CHARS - 1))
        .filter_map(|start| name.get(start..start + ID_CHARS))
        .any(|part| ids.contains(part))
}

fn remove(path: &Path) -> std::io::Result<()> {
    let done = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    match done {
        // A tool cleaned up behind itself in between.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_wherever_the_id_stands() {
        let id = "01990000-0000-7000-8000-000000000001";
        let ids = HashSet::from([id.to_owned()]);
        for name in [format!("{id}.json"), format!(".{id}.part"), format!("posters-{id}")] {
            assert!(names_one(&name, &ids), "{name}");
        }
        assert!(!names_one("posters-01990000-0000-7000-8000-000000000002", &ids));
        assert!(!names_one("ünï.json", &ids));
    }
}
