//! A reported child: one action removes what every coach holds under an address, without papers and without putting
//! the name on record (promise P50, scenario 15).

use domain::Moment;
use domain::ids::RequestId;
use domain::rights::RightKind;
use persistence::rights;

use super::Operator;
use crate::Result;
use crate::rights::messages::CHILD;

/// Mail: a child's registration goes.
pub(crate) const CHILD_REMOVED: &str = "rights_child_removed";

/// A report that waits.
#[derive(Clone, Debug)]
pub struct Report {
    /// The request that holds it.
    pub id: RequestId,
    /// The child's address.
    pub address: String,
    /// What was said.
    pub words: String,
    /// When it came in.
    pub received_at: Moment,
    /// By when the data has to be gone.
    pub due_at: Moment,
}

impl Operator {
    /// Reports that wait, the most urgent first.
    ///
    /// # Errors
    /// When a database fails.
    pub async fn reported_children(&self) -> Result<Vec<Report>> {
        let backend = &self.backend;
        let mut reports = Vec::new();
        for row in rights::unfinished(backend.db().reader()).await? {
            if row.kind != RightKind::Minor.as_str() || row.subject_id.is_some() {
                continue;
            }
            let details = backend.request_details(&row).await?.unwrap_or_default();
            reports.push(Report {
                id: row.id,
                address: details.choices.get(CHILD).cloned().unwrap_or_default(),
                words: details.words,
                received_at: row.received_at,
                due_at: row.due_at,
            });
        }
        Ok(reports)
    }

    /// Removes what every coach holds under an address: from this moment nothing of it is used, and the worker erases
    /// it. Each coach is told that, and not whom. A report that asked for it is answered by it. Answers with how many
    /// coaches held something.
    ///
    /// # Errors
    /// Refuses what is no address, and a report that is not one, or over.
    pub async fn purge_child(&self, address: &str, report: Option<RequestId>) -> Result<usize> {
        let removed = self.backend.purge_viewers(address).await?.len();
        if let Some(report) = report {
            self.backend.settle_report(report).await?;
        }
        self.backend.wake_worker();
        Ok(removed)
    }
}
