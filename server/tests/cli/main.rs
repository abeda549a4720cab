//! The command line, asked of the real binary in a folder and an environment of its own.

mod commands;
mod configuration;
mod installation;
mod messages;
mod serving;
