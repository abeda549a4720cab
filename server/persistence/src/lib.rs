//! Persistence: connections, schema, sealed identity, and one query file per noun.
//!
//! Query functions take the owner's id right after the connection, so an unscoped read has no signature; those that
//! serve public or signed addresses say so in their name or doc.

pub mod accounts;
pub mod audits;
pub mod backups;
pub mod beats;
pub mod bounces;
pub mod catalog;
pub mod consents;
pub mod database;
pub mod declared;
pub mod dump;
pub mod entities;
pub mod error;
pub mod exports;
pub mod holds;
pub mod keyring;
pub mod leaving;
pub mod mailing;
pub mod mails;
pub mod messages;
pub mod migrations;
pub mod policy_notices;
pub mod portal;
pub mod registrations;
pub mod restrictions;
pub mod results;
pub mod retention;
pub mod rights;
pub mod schedules;
pub mod sealed;
pub mod sealed_file;
pub mod seats;
pub mod sequences;
pub mod turns;
pub mod videos;
pub mod webinars;
pub mod wordings;

pub use database::Database;
pub use error::{Error, unique_violation};
pub use migrations::{known_migrations, migrate, migrate_steps, migration_status};
