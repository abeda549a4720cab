//! Sessions at set times: what goes for a webinar's rules, and what a booking on a dated session needs.

use sea_orm_migration::prelude::*;

use super::{add, column, index};

/// Sessions at set times.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    // SQLite migrations are not transactional unless asked.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut schedule = column("schedule");
        schedule.text().not_null().default("{}");
        add(manager, "webinar", schedule).await?;
        let mut cancelled_at = column("cancelled_at");
        cancelled_at.big_integer();
        add(manager, "session", cancelled_at).await?;
        let mut finalises_at = column("finalises_at");
        finalises_at.big_integer();
        add(manager, "registration", finalises_at).await?;
        let mut calendar_sequence = column("calendar_sequence");
        calendar_sequence.integer().not_null().default(0);
        add(manager, "registration", calendar_sequence).await?;
        manager.create_index(index("registration_session_idx", "registration", &["session_id"])).await
    }
}
