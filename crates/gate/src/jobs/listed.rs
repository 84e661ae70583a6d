//! Jobs of a system in pages, and how far one of them reaches.

use dancu_domain::ids::SystemId;
use dancu_domain::moment::Moment;
use dancu_store::jobs::JobRow;
use dancu_store::{Result, Store};

use super::own::status_of;
use super::types::{JobId, JobStatus};
use crate::path::Gate;

impl Gate {
    /// A system's jobs that were submitted from one moment on and before another, the newest first:
    /// at most `limit` after the first `skip`, and how many there are in all. Reads the store: not
    /// for the threads of questions.
    ///
    /// # Errors
    /// The store failed.
    pub fn jobs_between(
        &self,
        system: SystemId,
        (from, to): (Option<Moment>, Option<Moment>),
        skip: u32,
        limit: u32,
    ) -> Result<(Vec<JobStatus>, u32)> {
        let time = (from.unwrap_or(Moment(i64::MIN)), to.unwrap_or(Moment(i64::MAX)));
        let (rows, all) = self.store.jobs_between(system.0, time, skip, limit)?;
        Ok((statuses(&self.store, &rows), all))
    }

    /// The highest row of a job that has a result or will have one; pages of its result are cut by
    /// row numbers. The job must be the asking system's own.
    ///
    /// # Errors
    /// The store failed.
    pub fn job_last_row(&self, id: JobId) -> Result<u32> {
        self.store.job_last_row(id.0)
    }
}

/// How jobs stand. One that cannot be read is left out and hides no other.
pub(super) fn statuses(store: &Store, rows: &[JobRow]) -> Vec<JobStatus> {
    let read = |row: &JobRow| match status_of(store, row) {
        Ok(status) => Some(status),
        Err(error) => {
            tracing::error!(error = %error, job = %JobId(row.id), "a job cannot be told");
            None
        }
    };
    rows.iter().filter_map(read).collect()
}
