//! The server as its callers meet it: every request goes through the real router, every answer comes from a real
//! engine on a fresh SQLite and a fresh PostgreSQL, with recordings in a folder and mails in the dev mailbox.
//!
//! One program instead of one a file: linking the server takes longer than running these tests.

mod archives;
mod beats;
mod csrf;
mod hooks;
mod lines;
mod links;
mod media;
mod my_data;
mod pages;
mod promise;
mod registering;
mod running;
mod seats;
mod studio_forms;
mod tenancy;
mod times;
mod uploads;
mod world;
