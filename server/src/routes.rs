//! Routes that are no server functions: public pages, media, uploads, beats, files, health.

pub mod answer;
pub mod archives;
pub mod beats;
pub mod desk;
pub mod dev;
pub mod evidence;
pub mod health;
pub mod hooks;
pub mod mail_previews;
pub mod media;
pub mod my_data;
pub mod operators;
pub mod own_data;
pub mod policy_pages;
pub mod receipts;
pub mod site_files;
pub mod studio_files;
pub mod studio_pages;
pub mod uploads;
pub mod viewer_pages;
pub mod viewer_requests;
