//! Addresses that do not take mail: how often in a row, and until when they are left alone.

use sea_orm_migration::prelude::*;

use super::{add, column};

/// Addresses that do not take mail.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    // SQLite migrations are not transactional unless asked.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut strikes = column("strikes");
        strikes.integer();
        add(manager, "suppression", strikes).await?;
        let mut until = column("until_at");
        until.big_integer();
        add(manager, "suppression", until).await
    }
}
