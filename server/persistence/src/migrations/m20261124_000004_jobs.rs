//! Background work: written in the transaction that causes it, leased by a worker.

use sea_orm_migration::prelude::*;

use super::{index, unique};

/// Background work.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    // SQLite migrations are not transactional unless asked.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(Alias::new("job"))
            .col(ColumnDef::new(Alias::new("id")).uuid().not_null().primary_key())
            .col(ColumnDef::new(Alias::new("kind")).text().not_null())
            .col(ColumnDef::new(Alias::new("payload")).text().not_null())
            .col(ColumnDef::new(Alias::new("state")).text().not_null())
            .col(ColumnDef::new(Alias::new("run_at")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("attempts")).integer().not_null())
            .col(ColumnDef::new(Alias::new("max_attempts")).integer().not_null())
            .col(ColumnDef::new(Alias::new("lease_until")).big_integer())
            .col(ColumnDef::new(Alias::new("lease_owner")).text())
            .col(ColumnDef::new(Alias::new("idempotency_key")).text())
            .col(ColumnDef::new(Alias::new("last_error")).text())
            .col(ColumnDef::new(Alias::new("created_at")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("finished_at")).big_integer())
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(unique("job_idempotency_key", "job", &["idempotency_key"])).await?;
        manager.create_index(index("job_due_idx", "job", &["state", "run_at"])).await?;
        Ok(())
    }
}
