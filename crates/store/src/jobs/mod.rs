//! Jobs: heads, rows and results of many questions, sealed, with what has been done of them.
//!
//! A job is one row; what it was given and what came of it stand in parts of some hundred rows,
//! each sealed with one nonce. All changes go through the ledger's thread, one transaction each,
//! so that a job and the journal entry of an act on it cannot disagree.
//!
//! **Invariant:** only the holder of a job's lease stores results. **Invariant:** no row and no
//! result stands in clear.

mod keep;
mod kinds;
mod look;
mod rows;
mod taken;

use std::sync::Arc;

use dancu_domain::moment::Moment;
use dancu_journal::Body;
use parking_lot::Mutex;

use crate::engine::{ATTEMPTS, Kind, Tx};
use crate::error::{Error, Result};
use crate::keys::{Key, Purpose, random};
use crate::store::Store;
use crate::values;

pub use keep::{PARTS_GONE, RECEIVING_MS, Uploaded};
pub use kinds::{Counts, JobRow, Part, PartKind, Progress, Registered, SealedPart, State};
use look::open_jobs;
use rows::{JOB, lease_of, read_job};

/// A list's scan that has come to the end of the registry, as `job.scan` has it.
const SCANNED: i64 = -1;

impl Store {
    /// Seals some rows of a job.
    pub fn seal_part(&self, id: [u8; 16], kind: PartKind, part: &Part) -> Result<SealedPart> {
        let aad = aad(&id, kind as u8, part.first);
        let sealed = self.job_key()?.seal.seal(nonce()?, &aad, &part.plain)?;
        Ok(SealedPart { kind, first: part.first, last: part.last, sealed })
    }

    /// Makes room for a job whose rows come in.
    pub async fn job_begin(&self, at: Moment, job: &JobRow) -> Result<()> {
        let sealed = self.job_key()?.seal.seal(nonce()?, &aad(&job.id, 0, 0), &job.head)?;
        let job = job.clone();
        let change = move |tx: &mut Tx<'_>| {
            tx.execute(
                "INSERT INTO job (id, system, state, reason, until_at, request, body, head, \
                 row_count, items, bad, matched, no_match, refused, scan, submitted_at, \
                 started_at, changed_at, ended_at, journal_index, journal_from, holder, \
                 lease_until) VALUES ($1, $2, 0, 0, NULL, $3, $4, $5, 0, 0, 0, 0, 0, 0, $6, $7, \
                 NULL, $7, NULL, 0, 0, $8, 0)",
                values![
                    job.id,
                    job.system,
                    job.request,
                    job.body,
                    sealed,
                    job.scan.unwrap_or(SCANNED),
                    at.0,
                    [0u8; 16]
                ],
            )?;
            Ok(((), None))
        };
        self.job_change(at, change).await
    }

    /// Keeps rows that came in, unless the uploads of the job's system would then take more than
    /// `room` bytes. Whether they were kept.
    pub async fn job_take(
        &self,
        at: Moment,
        id: [u8; 16],
        parts: Vec<SealedPart>,
        room: u64,
    ) -> Result<bool> {
        self.job_change(at, move |tx| {
            let bytes: usize = parts.iter().map(|p| p.sealed.len()).sum();
            let sql = "SELECT system FROM job WHERE id = $1 AND state = 0";
            let Some(system) = tx.optional(sql, values![id], |r| r.get::<u32>(0))? else {
                // Rows without a job would never be deleted.
                return Err(Error::Unavailable("the upload took too long"));
            };
            if keep::uploaded(tx, system)? + bytes as u64 > room {
                return Ok((false, None));
            }
            let sql = "UPDATE job SET changed_at = $1, bytes = bytes + $2 WHERE id = $3";
            tx.execute(sql, values![at.0, bytes as i64, id])?;
            put_parts(tx, &id, &parts)?;
            Ok((true, None))
        })
        .await
    }

    /// Makes what came in a job, with the entry of its submission. Where it is none, its rows are
    /// given to be deleted. `body` = keyed digest of the whole request. The request id is taken
    /// from then on, for single questions too (A3); the caller holds it meanwhile.
    pub async fn job_submit(
        &self,
        at: Moment,
        job: &JobRow,
        open_max: u32,
        entry: Body,
    ) -> Result<Registered> {
        let (job, memory) = (job.clone(), self.requests().clone());
        let keep_ms = self.profiles().at(at).remember_requests_ms;
        let (key, body) = (job.request, job.body);
        let change = move |tx: &mut Tx<'_>| {
            let sql = "SELECT id FROM job WHERE system = $1 AND request = $2 AND state > 0 \
                       AND state < 7";
            let earlier = tx.optional(sql, values![job.system, job.request], |r| r.get(0))?;
            let since = at.plus_ms(-keep_ms);
            let found = match earlier {
                Some(earlier) => Registered::Earlier(earlier),
                None if taken::is_taken(tx, &memory, &key, since)? => Registered::Taken,
                None if open_jobs(tx, job.system)? >= open_max => Registered::TooMany,
                None => Registered::New,
            };
            if found != Registered::New {
                let sql = "UPDATE job SET state = 7 WHERE id = $1 AND state = 0";
                tx.execute(sql, values![job.id])?;
                return Ok(((found, 0), None));
            }
            let c = job.counts;
            let changed = tx.execute(
                "UPDATE job SET state = 1, body = $1, row_count = $2, items = $3, bad = $4, \
                 submitted_at = $5, changed_at = $5, \
                 journal_index = (SELECT next_index FROM ledger_head WHERE id = 1), \
                 journal_from = (SELECT next_index FROM ledger_head WHERE id = 1) \
                 WHERE id = $6 AND state = 0",
                values![job.body, c.rows, c.items, c.bad, at.0, job.id],
            )?;
            // Nothing came for so long that what had come was given to be deleted.
            if changed == 0 {
                return Err(Error::Unavailable("the upload took too long"));
            }
            let index = taken::take(tx, &key, &body, at)?;
            Ok(((found, index), Some(entry.clone())))
        };
        let (found, index) = self.job_change(at, change).await?;
        if found == Registered::New {
            self.requests().remember(&key, index);
        }
        Ok(found)
    }

    /// Gives what came in to be deleted.
    pub async fn job_drop(&self, at: Moment, id: [u8; 16]) -> Result<()> {
        self.job_change(at, move |tx| {
            let sql = "UPDATE job SET state = 7 WHERE id = $1 AND state = 0";
            tx.execute(sql, values![id])?;
            Ok(((), None))
        })
        .await
    }

    /// Takes a job that nobody works on until `lease`; none where it is over or held.
    pub async fn job_claim(
        &self,
        at: Moment,
        id: [u8; 16],
        holder: [u8; 16],
        lease: Moment,
    ) -> Result<Option<JobRow>> {
        let key = self.job_key()?;
        self.job_change(at, move |tx| {
            let changed = tx.execute(
                "UPDATE job SET state = 2, reason = 0, until_at = NULL, holder = $1, \
                 lease_until = $2, started_at = COALESCE(started_at, $3), changed_at = $3, \
                 served_at = $3 WHERE id = $4 AND state > 0 AND state < 4 \
                 AND (lease_until <= $3 OR holder = $1)",
                values![holder, lease.0, at.0, id],
            )?;
            if changed == 0 {
                return Ok((None, None));
            }
            let sql = format!("{JOB} WHERE id = $1");
            Ok((tx.optional(&sql, values![id], |r| read_job(r, &key))?, None))
        })
        .await
    }

    /// Stores results and goes on holding the job until `lease`. Gives where it stands, as its
    /// system may have ended it; `None` = somebody else holds it, and nothing was stored.
    pub async fn job_store(
        &self,
        at: Moment,
        id: [u8; 16],
        holder: [u8; 16],
        lease: Moment,
        progress: Progress,
    ) -> Result<Option<State>> {
        self.job_change(at, move |tx| {
            let Some(state) = lease_of(tx, &id, &holder)? else { return Ok((None, None)) };
            put_parts(tx, &id, &progress.parts)?;
            if let Some(first) = progress.asked {
                let sql = "DELETE FROM job_part WHERE job = $1 AND kind = 1 AND first_row = $2";
                tx.execute(sql, values![id, first])?;
                // Every entry of the job before this has its result now.
                let sql = "UPDATE job SET journal_from = (SELECT next_index FROM ledger_head \
                           WHERE id = 1) WHERE id = $1";
                tx.execute(sql, values![id])?;
            }
            let c = progress.counts;
            tx.execute(
                "UPDATE job SET row_count = $1, items = $2, bad = $3, matched = $4, \
                 no_match = $5, refused = $6, scan = $7, changed_at = $8, served_at = $8, \
                 lease_until = $9 WHERE id = $10",
                values![
                    c.rows,
                    c.items,
                    c.bad,
                    c.matched,
                    c.no_match,
                    c.refused,
                    progress.scan.unwrap_or(SCANNED),
                    at.0,
                    lease.0,
                    id
                ],
            )?;
            Ok((Some(state), None))
        })
        .await
    }

    /// Goes on holding a job; the same as storing nothing.
    pub async fn job_renew(
        &self,
        at: Moment,
        id: [u8; 16],
        holder: [u8; 16],
        lease: Moment,
    ) -> Result<Option<State>> {
        self.job_change(at, move |tx| {
            let Some(state) = lease_of(tx, &id, &holder)? else { return Ok((None, None)) };
            let sql = "UPDATE job SET lease_until = $1 WHERE id = $2";
            tx.execute(sql, values![lease.0, id])?;
            Ok((Some(state), None))
        })
        .await
    }

    /// Holds a job by a rule, nobody working on it.
    pub async fn job_pause(
        &self,
        at: Moment,
        id: [u8; 16],
        holder: [u8; 16],
        reason: u8,
        until: Option<Moment>,
    ) -> Result<()> {
        self.job_change(at, move |tx| {
            tx.execute(
                "UPDATE job SET state = 3, reason = $1, until_at = $2, changed_at = $3, \
                 lease_until = 0 WHERE id = $4 AND state > 0 AND state < 4 \
                 AND (lease_until <= $3 OR holder = $5)",
                values![reason, until.map(|m| m.0), at.0, id, holder],
            )?;
            Ok(((), None))
        })
        .await
    }

    /// Gives a job back without a change of its state: the next who looks takes it.
    pub async fn job_release(&self, at: Moment, id: [u8; 16], holder: [u8; 16]) -> Result<()> {
        self.job_change(at, move |tx| {
            let sql =
                "UPDATE job SET lease_until = 0, served_at = $1 WHERE id = $2 AND holder = $3";
            tx.execute(sql, values![at.0, id, holder])?;
            Ok(((), None))
        })
        .await
    }

    /// Ends a job, with the entry of it. Whether it was not over before. Who works on it may still
    /// store the results of what was asked already.
    pub async fn job_end(
        &self,
        at: Moment,
        id: [u8; 16],
        state: State,
        reason: u8,
        entry: Body,
    ) -> Result<bool> {
        self.job_change(at, move |tx| {
            let changed = tx.execute(
                "UPDATE job SET state = $1, reason = $2, until_at = NULL, changed_at = $3, \
                 ended_at = $3 WHERE id = $4 AND state > 0 AND state < 4",
                values![state as u8, reason, at.0, id],
            )?;
            Ok((changed > 0, (changed > 0).then(|| entry.clone())))
        })
        .await
    }

    /// One change of jobs on the ledger's thread, with its journal entry where it has one. It is
    /// made again while the database says that the same transaction may succeed then: what waits
    /// for the ledger's head waits long enough.
    pub(crate) async fn job_change<T: Send + 'static>(
        &self,
        at: Moment,
        change: impl Fn(&mut Tx<'_>) -> Result<(T, Option<Body>)> + Send + Sync + 'static,
    ) -> Result<T> {
        let (change, done) = (Arc::new(change), Arc::new(Mutex::new(None)));
        let mut tries = 0;
        loop {
            let (change, out) = (change.clone(), done.clone());
            let made = self.ledger().attempt(at, move |tx| {
                let (value, entry) = change(tx)?;
                *out.lock() = Some(value);
                Ok(entry)
            });
            tries += 1;
            match made.await {
                Ok(()) => break,
                Err(e) if e.kind() == Some(Kind::Retryable) && tries < ATTEMPTS => {
                    tracing::info!(error = %e, "a change of a job is made again");
                }
                Err(error) => return Err(error),
            }
        }
        let value = done.lock().take();
        value.ok_or(Error::Unavailable("job"))
    }

    fn job_key(&self) -> Result<Arc<Key>> {
        self.keys().get(Purpose::Policy, 0).ok_or(Error::Damaged("key is missing"))
    }
}

fn put_parts(tx: &mut Tx<'_>, id: &[u8; 16], parts: &[SealedPart]) -> Result<()> {
    parts.iter().try_for_each(|p| {
        tx.queue(
            "INSERT INTO job_part (job, kind, first_row, last_row, sealed) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (job, kind, first_row) DO UPDATE SET \
             last_row = excluded.last_row, sealed = excluded.sealed",
            values![id, p.kind as u8, p.first, p.last, p.sealed],
        )
    })
}

/// A sealed part is bound to its job, its kind and its place.
fn aad(id: &[u8; 16], kind: u8, first: u32) -> [u8; 24] {
    let mut out = *b"job\0................\0\0\0\0";
    out[3] = kind;
    out[4..20].copy_from_slice(id);
    out[20..].copy_from_slice(&first.to_be_bytes());
    out
}

fn nonce() -> Result<[u8; crate::NONCE_BYTES]> {
    let mut nonce = [0; crate::NONCE_BYTES];
    random(&mut nonce)?;
    Ok(nonce)
}
