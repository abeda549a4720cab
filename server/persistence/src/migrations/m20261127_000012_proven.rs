//! By which link somebody opened the room: a mailed one, once they play, proves that the address is theirs.

use sea_orm_migration::prelude::*;

use super::{add, column};

/// By which link somebody opened the room.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    // SQLite migrations are not transactional unless asked.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut came_by = column("came_by");
        came_by.text();
        add(manager, "view", came_by).await
    }
}
