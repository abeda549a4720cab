//! The nouns of the product: small validated values, forms, rules and views, shared by server and browser.
//!
//! Nothing here knows a database, a clock or a web framework. Rules take `now`; what is stored and what is shown has
//! one name everywhere.

pub mod account;
pub mod archive;
pub mod beating;
mod closed_list;
pub mod email_address;
pub mod fence;
pub mod holds;
pub mod ids;
pub mod leaving;
pub mod messages;
pub mod moment;
pub mod my_data;
pub mod processing;
pub mod refusal;
pub mod registration;
pub mod rehearsal;
pub mod results;
pub mod rights;
pub mod schedule;
pub mod secret;
pub mod sequence;
pub mod slug;
pub mod stay;
pub mod uploading;
pub mod video;
pub mod watching;
pub mod webinar;
pub mod wording;

pub use email_address::EmailAddress;
pub use moment::Moment;
pub use refusal::{Refusal, RefusalKind};
pub use slug::Slug;
