//! What the records of rights were missing: whom a mark of an erasure means after an address was corrected, of whom data
//! was handed out, and which download a request for bytes belongs to.

use sea_orm_migration::prelude::*;

use super::{add, column};

/// What the records of rights were missing.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    // SQLite migrations are not transactional unless asked.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut subject_hash = column("subject_hash");
        subject_hash.blob();
        add(manager, "tombstone", subject_hash).await?;
        let mut given_of = column("given_of");
        given_of.text().not_null().default("[]");
        add(manager, "disclosure", given_of).await?;
        let mut last_link_at = column("last_link_at");
        last_link_at.big_integer();
        add(manager, "export_archive", last_link_at).await
    }
}
