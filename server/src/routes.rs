//! Routes that are no server functions: public pages, media, uploads, beats, files, health.

pub mod answer;
pub mod archives;
pub mod beats;
pub mod dev;
pub mod health;
pub mod media;
pub mod policy_pages;
pub mod receipts;
pub mod site_files;
pub mod studio_files;
pub mod studio_pages;
pub mod uploads;
pub mod viewer_pages;
