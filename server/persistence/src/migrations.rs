//! The schema, in dated steps that only go forward. Every step is one transaction on both databases.

mod m20261124_000001_accounts;
mod m20261124_000002_webinars;
mod m20261124_000003_registrations;
mod m20261124_000004_jobs;
mod m20261125_000005_rights;
mod m20261126_000006_times;
mod m20261126_000007_rights_mended;
mod m20261126_000008_sequences;
mod m20261127_000009_session_changes;
mod m20261127_000010_bounces;
mod m20261127_000011_promotion;
mod m20261127_000012_proven;

use sea_orm_migration::prelude::*;

use crate::{Database, Error};

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261124_000001_accounts::Migration),
            Box::new(m20261124_000002_webinars::Migration),
            Box::new(m20261124_000003_registrations::Migration),
            Box::new(m20261124_000004_jobs::Migration),
            Box::new(m20261125_000005_rights::Migration),
            Box::new(m20261126_000006_times::Migration),
            Box::new(m20261126_000007_rights_mended::Migration),
            Box::new(m20261126_000008_sequences::Migration),
            Box::new(m20261127_000009_session_changes::Migration),
            Box::new(m20261127_000010_bounces::Migration),
            Box::new(m20261127_000011_promotion::Migration),
            Box::new(m20261127_000012_proven::Migration),
        ]
    }
}

/// Brings the schema up to date; harmless when it is.
///
/// # Errors
/// When a step fails; that step has then changed nothing.
pub async fn migrate(database: &Database) -> Result<(), Error> {
    Migrator::up(database.writer(), None).await.map_err(Error::db("migrate the database"))
}

/// Applies so many of the steps that are missing: a copy of an older schema is loaded into that schema.
///
/// # Errors
/// When a step fails; that step has then changed nothing.
pub async fn migrate_steps(database: &Database, steps: u32) -> Result<(), Error> {
    Migrator::up(database.writer(), Some(steps)).await.map_err(Error::db("migrate the database"))
}

/// The names of all steps this program knows, in order.
#[must_use]
pub fn known_migrations() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}

/// Every migration by name, and whether it is applied.
///
/// # Errors
/// When the database cannot be asked.
pub async fn migration_status(database: &Database) -> Result<Vec<(String, bool)>, Error> {
    let applied =
        Migrator::get_applied_migrations(database.writer()).await.map_err(Error::db("list the migrations"))?;
    let applied: Vec<String> = applied.iter().map(|migration| migration.name().to_owned()).collect();
    Ok(Migrator::migrations()
        .iter()
        .map(|migration| (migration.name().to_owned(), applied.iter().any(|name| name == migration.name())))
        .collect())
}

fn reference(table: &str, column: &str, target: &str, on_delete: ForeignKeyAction) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_{column}_fkey"))
        .from(Alias::new(table), Alias::new(column))
        .to(Alias::new(target), Alias::new("id"))
        .on_delete(on_delete)
        .to_owned()
}

/// A column by its name.
fn column(name: &str) -> ColumnDef {
    ColumnDef::new(Alias::new(name))
}

/// Adds a column to a table.
async fn add(manager: &SchemaManager<'_>, table: &str, mut column: ColumnDef) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(Alias::new(table)).add_column(&mut column).to_owned()).await
}

fn index(name: &str, table: &str, columns: &[&str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(Alias::new(table));
    for column in columns {
        index.col(Alias::new(*column));
    }
    index
}

fn unique(name: &str, table: &str, columns: &[&str]) -> IndexCreateStatement {
    index(name, table, columns).unique().to_owned()
}
