//! Accounts of coaches: who may sign in, and how often may be tried.

use sea_orm_migration::prelude::*;

use super::{index, reference, unique};

/// Accounts of coaches: who may sign in, and how often may be tried.
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
            .table(Alias::new("coach"))
            .col(ColumnDef::new(Alias::new("id")).uuid().not_null().primary_key())
            .col(ColumnDef::new(Alias::new("name")).text().not_null())
            .col(ColumnDef::new(Alias::new("email")).text().not_null())
            .col(ColumnDef::new(Alias::new("email_normal")).text().not_null())
            .col(ColumnDef::new(Alias::new("email_confirmed_at")).big_integer())
            .col(ColumnDef::new(Alias::new("password_hash")).text().not_null())
            .col(ColumnDef::new(Alias::new("time_zone")).text().not_null())
            .col(ColumnDef::new(Alias::new("totp_ct")).blob())
            .col(ColumnDef::new(Alias::new("totp_enabled_at")).big_integer())
            .col(ColumnDef::new(Alias::new("totp_last_step")).big_integer())
            .col(ColumnDef::new(Alias::new("terms_version")).text().not_null())
            .col(ColumnDef::new(Alias::new("terms_accepted_at")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("created_at")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("updated_at")).big_integer().not_null())
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(unique("coach_email_normal_key", "coach", &["email_normal"])).await?;
        let table = Table::create()
            .table(Alias::new("recovery_code"))
            .col(ColumnDef::new(Alias::new("id")).uuid().not_null().primary_key())
            .col(ColumnDef::new(Alias::new("coach_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("code_hash")).blob().not_null())
            .col(ColumnDef::new(Alias::new("used_at")).big_integer())
            .col(ColumnDef::new(Alias::new("created_at")).big_integer().not_null())
            .foreign_key(&mut reference("recovery_code", "coach_id", "coach", ForeignKeyAction::Cascade))
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(index("recovery_code_coach_idx", "recovery_code", &["coach_id"])).await?;
        let table = Table::create()
            .table(Alias::new("login"))
            .col(ColumnDef::new(Alias::new("id")).uuid().not_null().primary_key())
            .col(ColumnDef::new(Alias::new("coach_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("token_hash")).blob().not_null())
            .col(ColumnDef::new(Alias::new("awaiting_second_factor")).boolean().not_null())
            .col(ColumnDef::new(Alias::new("device")).text().not_null())
            .col(ColumnDef::new(Alias::new("country")).text().not_null())
            .col(ColumnDef::new(Alias::new("created_at")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("seen_at")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("expires_at")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("proven_at")).big_integer())
            .foreign_key(&mut reference("login", "coach_id", "coach", ForeignKeyAction::Cascade))
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(unique("login_token_hash_key", "login", &["token_hash"])).await?;
        manager.create_index(index("login_coach_idx", "login", &["coach_id"])).await?;
        let table = Table::create()
            .table(Alias::new("one_time_token"))
            .col(ColumnDef::new(Alias::new("id")).uuid().not_null().primary_key())
            .col(ColumnDef::new(Alias::new("coach_id")).uuid().not_null())
            .col(ColumnDef::new(Alias::new("purpose")).text().not_null())
            .col(ColumnDef::new(Alias::new("token_hash")).blob().not_null())
            .col(ColumnDef::new(Alias::new("new_email")).text())
            .col(ColumnDef::new(Alias::new("created_at")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("expires_at")).big_integer().not_null())
            .col(ColumnDef::new(Alias::new("used_at")).big_integer())
            .foreign_key(&mut reference("one_time_token", "coach_id", "coach", ForeignKeyAction::Cascade))
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(unique("one_time_token_hash_key", "one_time_token", &["token_hash"])).await?;
        manager.create_index(index("one_time_token_coach_idx", "one_time_token", &["coach_id", "purpose"])).await?;
        let table = Table::create()
            .table(Alias::new("rate_limit"))
            .col(ColumnDef::new(Alias::new("key_hash")).blob().not_null().primary_key())
            .col(ColumnDef::new(Alias::new("arrival_at")).big_integer().not_null())
            .to_owned();
        manager.create_table(table).await?;
        Ok(())
    }
}
