//! What a system does with its own jobs: look, read results, cancel, delete. Another system's job
//! is none.

use dancu_domain::ids::SystemId;
use dancu_domain::moment::Moment;
use dancu_journal::{Act, Body};
use dancu_store::Result;
use dancu_store::jobs::{JobRow, PartKind, State};

use super::code;
use super::types::{BadPage, BadRow, ItemResult, JobId, JobStatus, KEPT_MS, Page};
use crate::path::Gate;

/// Jobs that a list of them tells at most: those of seven days are rarely more.
pub const JOBS_LISTED: u32 = 200;
/// Parts read for one page: a part has up to 256 rows, and may be filled by halves.
const PARTS_READ: u32 = 8;
/// Jobs deleted at their time in one go; the rest follows with the next.
const EXPIRED_AT_ONCE: u32 = 20;

impl Gate {
    /// A system's jobs, the newest first. Reads the store: not for the threads of questions.
    pub fn jobs(&self, system: SystemId) -> Result<Vec<JobStatus>> {
        self.store.jobs_of(system.0, JOBS_LISTED)?.iter().map(|row| self.status_of(row)).collect()
    }

    /// One of a system's jobs.
    pub fn job(&self, system: SystemId, id: JobId) -> Result<Option<JobStatus>> {
        self.own(system, id)?.map(|row| self.status_of(&row)).transpose()
    }

    /// Results of one of a system's jobs from a row on, at most `limit`; `None` = no such job.
    pub fn job_results(
        &self,
        system: SystemId,
        id: JobId,
        from: u32,
        limit: u32,
    ) -> Result<Option<Page>> {
        if self.own(system, id)?.is_none() {
            return Ok(None);
        }
        let (mut page, mut from, limit) = (Page::default(), from, limit as usize);
        loop {
            let parts = self.store.job_parts(id.0, PartKind::Result, from, PARTS_READ)?;
            let Some(last) = parts.last().map(|p| p.last) else { break };
            for part in parts {
                let results: Vec<ItemResult> = code::decode(&part.plain)?;
                page.results.extend(results.into_iter().filter(|r| r.row >= from));
            }
            if page.results.len() > limit {
                break;
            }
            from = last.saturating_add(1);
        }
        page.next = page.results.get(limit).map(|r| r.row);
        page.results.truncate(limit);
        Ok(Some(page))
    }

    /// Rows of one of a system's jobs that could not be read; `None` = no such job.
    pub fn job_bad_rows(
        &self,
        system: SystemId,
        id: JobId,
        from: u32,
        limit: u32,
    ) -> Result<Option<BadPage>> {
        if self.own(system, id)?.is_none() {
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

    /// Cancels a system's job; one that is over stays as it is. Gives how it stands then.
    pub async fn cancel_job(
        &self,
        at: Moment,
        system: SystemId,
        id: JobId,
    ) -> Result<Option<JobStatus>> {
        let Some(row) = self.own(system, id)? else { return Ok(None) };
        if row.state as u8 <= State::Paused as u8 {
            let entry = self.act("job.cancelled", &row);
            self.store.job_end(at, id.0, State::Cancelled, 0, entry).await?;
        }
        self.job(system, id)
    }

    /// Deletes a system's job that is over, before its time. Whether there was one.
    pub async fn delete_job(&self, at: Moment, system: SystemId, id: JobId) -> Result<bool> {
        let Some(row) = self.own(system, id)? else { return Ok(false) };
        self.store.job_remove(at, id.0, self.act("job.deleted", &row)).await
    }

    /// Deletes jobs whose time is over, and one slice of what is not needed any more. Whether
    /// there may be more.
    pub async fn tidy_jobs(&self, at: Moment) -> Result<bool> {
        let store = self.store.clone();
        let before = at.plus_ms(-KEPT_MS);
        let expired =
            tokio::task::spawn_blocking(move || store.jobs_ended_before(before, EXPIRED_AT_ONCE));
        let expired = expired.await.map_err(|_| dancu_store::Error::Unavailable("job"))??;
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
    pub(super) fn read_job(&self, id: [u8; 16]) -> Result<Option<JobStatus>> {
        self.store.job(id)?.map(|row| self.status_of(&row)).transpose()
    }

    /// The entry of an act of a system on its job (F1).
    pub(super) fn act(&self, kind: &str, row: &JobRow) -> Body {
        let snapshot = self.snapshot.load();
        let system = snapshot.by_id(SystemId(row.system));
        let c = row.counts;
        Body::Act(Act {
            kind: kind.to_owned(),
            actor: system.map_or("-", |s| s.code.as_str()).to_owned(),
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

    fn own(&self, system: SystemId, id: JobId) -> Result<Option<JobRow>> {
        Ok(self.store.job(id.0)?.filter(|row| row.system == system.0))
    }

    fn status_of(&self, row: &JobRow) -> Result<JobStatus> {
        let waits = row.state == State::Waiting;
        let before = if waits { self.store.jobs_before(row.journal_index)? } else { 0 };
        code::status(row, before)
    }
}
