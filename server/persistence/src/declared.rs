//! What the work under way is for (promise P17).
//!
//! Whoever opens sealed data names the purpose, and is refused when the data is not kept for it. A job has said before it
//! began which purposes it serves, and is refused any other, however deep below it the data is opened.
//!
//! Not chosen: reading the purpose of every column out of every statement. Rows are read whole in most places, so that
//! each purpose would have to be widened to all of them, and the check would say nothing. What names a person is sealed,
//! and there is one way to open it: that is where the question is asked.

use domain::processing::ProcessingPurpose;

use crate::Error;
use crate::sealed::Place;

tokio::task_local! {
    static DECLARED: &'static [ProcessingPurpose];
}

/// Does work that serves these purposes and no other.
pub async fn serving<F: Future>(purposes: &'static [ProcessingPurpose], work: F) -> F::Output {
    DECLARED.scope(purposes, work).await
}

/// What the work under way has declared; every purpose where nobody had to declare any: a person is asking.
#[must_use]
pub fn purposes() -> &'static [ProcessingPurpose] {
    DECLARED.try_with(|purposes| *purposes).unwrap_or(&ProcessingPurpose::ALL)
}

pub(crate) fn check(purpose: ProcessingPurpose, place: Place) -> Result<(), Error> {
    if place.purposes().contains(&purpose) && purposes().contains(&purpose) {
        Ok(())
    } else {
        Err(Error::Purpose { purpose: purpose.as_str(), place: place.label() })
    }
}
