//! A box of its own for offers: its wording today, beside that of the agreement every registration rests on.

use sea_orm_migration::prelude::*;

use super::{add, column};

/// A box of its own for offers.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    // SQLite migrations are not transactional unless asked.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut wording = column("promotion_text_id");
        wording.uuid();
        add(manager, "webinar", wording).await
    }
}
