//! Mails shown to programs nobody here wrote: a mail server and a reader of signatures, both in Python.

mod dkim;
mod smtp;
#[path = "../support/mod.rs"]
mod support;
