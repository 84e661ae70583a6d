//! What a system does with its own jobs: look, cancel, delete; results are in `results.rs`. Another
//! system's job is none.

use dancu_domain::ids::SystemId;
use dancu_domain::moment::Moment;
use dancu_journal::{Act, Body};
use dancu_store::jobs::{JobRow, PartKind, State};
use dancu_store::{Error, Result, Store};

use super::code;
use super::listed::statuses;
use super::types::{BadPage, BadRow, JOBS_KEPT_MAX, JobId, JobStatus, KEPT_MS};
use crate::path::Gate;

/// Jobs that a list of them tells at most: as many as are kept.
pub const JOBS_LISTED: u32 = JOBS_KEPT_MAX as u32;
/// Parts read for one page: a part has up to 256 rows, and may be filled by halves.
pub(super) const PARTS_READ: u32 = 8;
/// Jobs deleted at their time in one go; the rest follows with the next.
const EXPIRED_AT_ONCE: u32 = 20;

/// What became of a job that was to be cancelled.
#[derive(Debug)]
pub enum Ended {
    /// It stands so now.
    Told(Box<JobStatus>),
    /// It is over, and its head cannot be read: nothing else can be told of it.
    Untold,
}

impl Gate {
    /// A system's jobs, the newest first. Reads the store: not for the threads of questions.
    pub fn jobs(&self, system: SystemId) -> Result<Vec<JobStatus>> {
        let rows = self.store.jobs_of(system.0, JOBS_LISTED)?;
        Ok(statuses(&self.store, &rows))
    }

    /// One of a system's jobs. Reads the store: not for the threads of questions.
    pub fn job(&self, system: SystemId, id: JobId) -> Result<Option<JobStatus>> {
        job_of(&self.store, system, id)
    }

    /// Rows of one of a system's jobs that could not be read; `None` = no such job.
    pub fn job_bad_rows(
        &self,
        system: SystemId,
        id: JobId,
        from: u32,
        limit: u32,
    ) -> Result<Option<BadPage>> {
        if own(&self.store, system, id)?.is_none() {
            return Ok(None);
        }
        let (mut page, mut from, limit) = (BadPage::default(), from, limit as usize);
        loop {
            let parts = self.store.job_parts(id.0, PartKind::Bad, from, PARTS_READ)?;
            let Some(last) = parts.last().map(|p| p.last) else { break };
            for part in parts {
                let rows: Vec<BadRow> = code::decode(&part.plain)?;
                page.rows.extend(rows.into_iter().filter(|r| r.row >= from));
            }
            if page.rows.len() > limit {
                break;
            }
            from = last.saturating_add(1);
        }
        page.next = page.rows.get(limit).map(|r| r.row);
        page.rows.truncate(limit);
        Ok(Some(page))
    }

    /// Cancels a system's job; one that is over stays as it is. Gives how it stands then; `None` =
    /// no such job.
    ///
    /// # Errors
    /// The store failed; it may have been cancelled.
    pub async fn cancel_job(
        &self,
        at: Moment,
        system: SystemId,
        id: JobId,
    ) -> Result<Option<Ended>> {
        let Some(row) = self.away(move |s| own(s, system, id)).await? else { return Ok(None) };
        if row.state as u8 <= State::Paused as u8 {
            let entry = self.act("job.cancelled", &row);
            self.store.job_end(at, id.0, State::Cancelled, 0, entry).await?;
        }
        self.away(move |s| own(s, system, id)?.map(|row| ended(s, &row)).transpose()).await
    }

    /// Deletes a system's job that is over, before its time. Whether there was one.
    pub async fn delete_job(&self, at: Moment, system: SystemId, id: JobId) -> Result<bool> {
        let Some(row) = self.away(move |s| own(s, system, id)).await? else { return Ok(false) };
        self.store.job_remove(at, id.0, self.act("job.deleted", &row)).await
    }

    /// Deletes jobs whose time is over, and one slice of what is not needed any more. Whether
    /// there may be more.
    pub async fn tidy_jobs(&self, at: Moment) -> Result<bool> {
        let before = at.plus_ms(-KEPT_MS);
        let expired = self.away(move |s| s.jobs_ended_before(before, EXPIRED_AT_ONCE)).await?;
        for row in &expired {
            let mut entry = self.act("job.purged", row);
            if let Body::Act(act) = &mut entry {
                "dancu".clone_into(&mut act.actor);
            }
            self.store.job_remove(at, row.id, entry).await?;
        }
        Ok(self.store.jobs_tidy(at).await? || !expired.is_empty())
    }

    /// A job whoever asks.
    pub(super) async fn read_job(&self, id: [u8; 16]) -> Result<Option<JobStatus>> {
        self.away(move |s| s.job(id)?.map(|row| status_of(s, &row)).transpose()).await
    }

    /// Reads the store away from the threads that questions run on.
    pub(super) async fn away<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Store) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = self.store.clone();
        let done = tokio::task::spawn_blocking(move || read(&store)).await;
        done.map_err(|_| Error::Unavailable("job"))?
    }

    /// The entry of an act of a system on its job (F1).
    pub(super) fn act(&self, kind: &str, row: &JobRow) -> Body {
        let c = row.counts;
        Body::Act(Act {
            kind: kind.to_owned(),
            actor: self.code_of(SystemId(row.system)),
            system: row.system,
            detail: format!(
                "{}: {} rows, {} bad, {} accepted, {} refused",
                JobId(row.id),
                c.rows,
                c.bad,
                c.matched + c.no_match,
                c.refused,
            ),
        })
    }
}

/// One of a system's jobs as it is stored.
pub(super) fn own(store: &Store, system: SystemId, id: JobId) -> Result<Option<JobRow>> {
    Ok(store.job(id.0)?.filter(|row| row.system == system.0))
}

/// The same as its system sees it.
pub(super) fn job_of(store: &Store, system: SystemId, id: JobId) -> Result<Option<JobStatus>> {
    own(store, system, id)?.map(|row| status_of(store, &row)).transpose()
}

/// How a job stands that is over: what cannot be read of it does not undo its end.
fn ended(store: &Store, row: &JobRow) -> Result<Ended> {
    match status_of(store, row) {
        Ok(status) => Ok(Ended::Told(Box::new(status))),
        Err(error) if row.state as u8 > State::Paused as u8 => {
            tracing::error!(error = %error, job = %JobId(row.id), "an ended job cannot be told");
            Ok(Ended::Untold)
        }
        Err(error) => Err(error),
    }
}

pub(super) fn status_of(store: &Store, row: &JobRow) -> Result<JobStatus> {
    let waits = row.state == State::Waiting;
    let before = if waits { store.jobs_before(row.journal_index)? } else { 0 };
    code::status(row, before)
}
