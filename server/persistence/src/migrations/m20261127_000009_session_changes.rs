//! A coach moves a session or calls it off, and says why.

use sea_orm_migration::prelude::*;

use super::{add, column};

/// A coach moves a session or calls it off, and says why.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    // SQLite migrations are not transactional unless asked.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut note = column("change_note");
        note.text();
        add(manager, "session", note).await
    }
}
