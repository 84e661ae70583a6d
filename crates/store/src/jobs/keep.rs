//! What becomes of jobs that are over: kept for a while, then deleted in slices.

use dancu_domain::moment::{HOUR_MS, Moment};
use dancu_journal::Body;

use super::JobRow;
use super::rows::{JOB, read_job};
use crate::engine::Tx;
use crate::error::Result;
use crate::store::Store;
use crate::values;

/// Parts deleted in one transaction: 16 × 25 KB are freed in about 2 ms.
pub const PARTS_GONE: u32 = 16;
/// A file of which nothing more came for this time is given up, ms: the slowest upload that may go
/// on brings a part each few minutes. One that ends without a job is given up at once; this is for
/// those whose process died.
pub const RECEIVING_MS: i64 = HOUR_MS;

/// The first part whose job is gone. Nothing leaves one behind: this makes sure of it. Each step
/// goes to the next job by the key, past its parts.
const ORPHAN: &str = "WITH RECURSIVE found (id) AS (\
    SELECT (SELECT p.job FROM job_part p ORDER BY p.job LIMIT 1) UNION ALL \
    SELECT (SELECT p.job FROM job_part p WHERE p.job > f.id ORDER BY p.job LIMIT 1) \
    FROM found f WHERE f.id IS NOT NULL) \
    SELECT f.id FROM found f WHERE f.id IS NOT NULL \
    AND NOT EXISTS (SELECT 1 FROM job j WHERE j.id = f.id) LIMIT 1";

/// What a system has uploaded and takes room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Uploaded {
    /// Jobs and uploads: not over, kept, coming in, not deleted yet.
    pub jobs: u32,
    /// Bytes of their rows as they came in, sealed; bad rows too. A job's rows count until it is
    /// gone, as its results take their place.
    pub bytes: u64,
}

impl Store {
    /// What a system has uploaded and takes room, in whichever state.
    pub fn jobs_uploaded(&self, system: u32) -> Result<Uploaded> {
        let sql = "SELECT COUNT(*) FROM job WHERE system = $1";
        self.jobs_read(|tx| {
            let jobs = tx.one(sql, values![system], |r| r.get(0))?;
            Ok(Uploaded { jobs, bytes: uploaded(tx, system)? })
        })
    }

    /// Jobs that were over before a moment.
    pub fn jobs_ended_before(&self, before: Moment, limit: u32) -> Result<Vec<JobRow>> {
        let key = self.job_key()?;
        let sql = format!("{JOB} WHERE state > 3 AND state < 7 AND ended_at < $1 LIMIT $2");
        self.jobs_read(|tx| tx.query(&sql, values![before.0, limit], |r| read_job(r, &key)))
    }

    /// Gives a job that is over to be deleted, with the entry of it. Whether it was there.
    pub async fn job_remove(&self, at: Moment, id: [u8; 16], entry: Body) -> Result<bool> {
        self.job_change(at, move |tx| {
            let sql = "UPDATE job SET state = 7, changed_at = $1 \
                       WHERE id = $2 AND state > 3 AND state < 7";
            let changed = tx.execute(sql, values![at.0, id])?;
            Ok((changed > 0, (changed > 0).then(|| entry.clone())))
        })
        .await
    }

    /// Deletes one slice of what is not needed any more: jobs given to be deleted, uploads given
    /// up, rows of jobs that are over. Whether there may be more.
    pub async fn jobs_tidy(&self, at: Moment) -> Result<bool> {
        if self.jobs_read(|tx| next_slice(tx, at))?.is_none() {
            return Ok(false);
        }
        self.job_change(at, move |tx| {
            let sql = "UPDATE job SET state = 7 WHERE state = 0 AND changed_at < $1";
            tx.execute(sql, values![at.plus_ms(-RECEIVING_MS).0])?;
            let Some((id, whole)) = next_slice(tx, at)? else { return Ok((false, None)) };
            let gone = tx.execute(
                "DELETE FROM job_part WHERE job = $1 AND kind <= $2 AND first_row IN \
                 (SELECT first_row FROM job_part WHERE job = $1 AND kind <= $2 LIMIT $3)",
                values![id, if whole { 3 } else { 1 }, PARTS_GONE],
            )?;
            if whole && gone == 0 {
                let sql = "DELETE FROM job WHERE id = $1 AND state = 7";
                tx.execute(sql, values![id])?;
            }
            Ok((true, None))
        })
        .await
    }

    /// Ends the leases that a process before this one left, and gives up its uploads. Only where
    /// nobody else can hold one: a data folder with SQLite has one process. On a server they end by
    /// themselves.
    pub async fn jobs_begin(&self, at: Moment) -> Result<()> {
        if self.checkpoint.is_none() {
            return Ok(());
        }
        self.job_change(at, move |tx| {
            let sql = "UPDATE job SET lease_until = 0 WHERE state < 4 AND lease_until > 0";
            tx.execute(sql, &[])?;
            let sql = "UPDATE job SET state = 7 WHERE state = 0 AND changed_at < $1";
            tx.execute(sql, values![at.0])?;
            Ok(((), None))
        })
        .await
    }

    pub(super) fn jobs_read<T>(&self, read: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        self.readers.read(read)
    }
}

/// The next job of which something is to be deleted, and whether it is the whole job.
fn next_slice(tx: &mut Tx<'_>, at: Moment) -> Result<Option<([u8; 16], bool)>> {
    let given_up = at.plus_ms(-RECEIVING_MS).0;
    let sql = "SELECT id FROM job WHERE state = 7 OR (state = 0 AND changed_at < $1) LIMIT 1";
    if let Some(id) = tx.optional(sql, values![given_up], |r| r.get(0))? {
        return Ok(Some((id, true)));
    }
    // Nobody holds the job any more: what was asked has its results.
    let sql = "SELECT j.id FROM job j WHERE j.state > 3 AND j.state < 7 AND j.lease_until <= $1 \
               AND EXISTS (SELECT 1 FROM job_part p WHERE p.job = j.id AND p.kind = 1) LIMIT 1";
    if let Some(id) = tx.optional(sql, values![at.0], |r| r.get(0))? {
        return Ok(Some((id, false)));
    }
    Ok(tx.optional(ORPHAN, &[], |r| r.get(0))?.map(|id| (id, true)))
}

/// Bytes of a system's uploads, whatever became of them.
pub(super) fn uploaded(tx: &mut Tx<'_>, system: u32) -> Result<u64> {
    // A sum is no BIGINT on every engine.
    let sql = "SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM job WHERE system = $1";
    let bytes: i64 = tx.one(sql, values![system], |r| r.get(0))?;
    Ok(bytes.cast_unsigned())
}
