//! One file a table: its columns as Rust types, and what it belongs to.

pub mod beat;
pub mod caption;
pub mod coach;
pub mod consent;
pub mod consent_text;
pub mod login;
pub mod mail;
pub mod one_time_token;
pub mod page_view;
pub mod rate_limit;
pub mod recovery_code;
pub mod registration;
pub mod schedule_rule;
pub mod session;
pub mod status_change;
pub mod subject;
pub mod upload;
pub mod video;
pub mod view;
pub mod watch_map;
pub mod webinar;
