//! The command line, asked of the real binary in a folder and an environment of its own.

mod archives;
mod backups;
mod commands;
mod configuration;
mod installation;
mod mail_batch;
mod mail_speed;
mod messages;
mod serving;
