//! Mails shown to programs nobody here wrote: a mail server and a reader of signatures, both in Python. And
//! a DNS server by such people, asked about a sender's domain.

mod dkim;
mod dns;
mod smtp;
#[path = "../support/mod.rs"]
mod support;
