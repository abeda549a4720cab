//! The server as its callers meet it: every request goes through the real router, every answer comes from a real
//! engine on a fresh SQLite and a fresh PostgreSQL, with recordings in a folder and mails in the dev mailbox.
//!
//! One program instead of one a file: linking the server takes longer than running these tests.

mod beats;
mod csrf;
mod lines;
mod media;
mod pages;
mod registering;
mod running;
mod seats;
mod tenancy;
mod uploads;
mod world;
