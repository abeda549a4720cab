//! The mails around a webinar, from a coach's templates to a registrant's inbox.
//!
//! Who: a coach writes templates ([`editing`]); registering, taking another time and every change of a template plan
//! what each registrant gets ([`planning`]); a job that wakes when the first of them is due judges and sends them
//! ([`sending`]). How it travels: one row of the outbox per registrant and template, unique, written in the transaction
//! that causes it. Name, address and text are put together at the moment of sending and kept nowhere.
//! Rules: product.md §4.7, decided by [`domain::sequence`].

mod composing;
pub mod editing;
mod planning;
mod sending;
#[cfg(test)]
mod tests;

use domain::ids::MailTemplateId;
use domain::sequence::{Segment, Template, Timing};
use persistence::entities::mail_template;

use crate::{Error, Result};

pub(crate) use composing::Addressed;
pub(crate) use planning::{first_sequence, in_order};
pub(crate) use sending::SEND_DUE_MAILS;

/// A stored template as the planner knows it.
pub(crate) fn template_of(row: &mail_template::Model) -> Result<Template<MailTemplateId>> {
    let unknown = || Error::fault("read a template", format!("{} {} is no timing", row.timing, row.minutes));
    let segment: Segment = serde_json::from_str(&row.segment)?;
    Ok(Template {
        id: row.id,
        timing: Timing::from_stored(&row.timing, row.minutes).ok_or_else(unknown)?,
        segment,
        is_promotional: row.is_promotional,
        is_on: row.is_on,
        added_at: row.added_at,
    })
}
