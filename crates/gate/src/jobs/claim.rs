//! Whose turn it is: jobs that may go on are taken by lease, those that a rule holds are marked so,
//! those that cannot go on are ended.
//!
//! **Invariant:** no job is kept for ever. One that is held without an end, or that no program
//! reads, fails after [`PAUSED_MAX_MS`]. **Invariant:** one job that cannot be opened hinders no
//! other one.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use dancu_domain::ids::SystemId;
use dancu_domain::moment::{DAY_MS, MINUTE_MS, Moment};
use dancu_domain::refusal::Reason;
use dancu_journal::Body;
use dancu_store::jobs::{JobRow, State};
use dancu_store::{Error, Result};
use hashbrown::HashSet;

use super::code::{StoredHead, is_damage};
use super::intake::Expects;
use super::run::JobRun;
use super::types::JobId;
use crate::path::Gate;

/// How long a node holds a job without a word, ms: longer than a stalled disk, and short enough
/// that a dead node's job goes on elsewhere within a minute.
pub const LEASE_MS: i64 = 30_000;
/// How long a job goes on while jobs of other systems wait, ms: long against what giving it back
/// costs, and short enough that a small job of the next system begins within minutes.
pub const TURN_MS: i64 = 3 * MINUTE_MS;
/// How long a job may be held without a date at which the hindrance ends, ms: as far ahead as an
/// end is looked for. Whoever has not lifted it by then sends the file again.
pub const PAUSED_MAX_MS: i64 = 31 * DAY_MS;

/// Who ends a job that nobody ended.
const PROGRAM: &str = "dancu";

impl Gate {
    /// How many questions were asked so far by callers that wait: here and, as far as this node
    /// has heard, on other nodes of the same database. Jobs yield to them.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Takes the next job that may go on now and that `may` lets in: of the system that was served
    /// least recently, its first. Those that a rule holds are marked so, those that cannot go on
    /// are ended. `holder` = the random name of this process.
    ///
    /// # Errors
    /// The store failed; whoever looks again a little later misses nothing.
    pub async fn claim_job(
        &self,
        at: Moment,
        holder: [u8; 16],
        may: impl Fn(SystemId, JobId) -> bool,
    ) -> Result<Option<JobRun>> {
        self.reload(at).await?;
        let mut passed = HashSet::new();
        for row in self.to_do(at, holder).await? {
            // One job of a system at a time, the first that may go on.
            let busy = passed.contains(&row.system) || !may(SystemId(row.system), JobId(row.id));
            // What is paused is run by nobody: what becomes of it is seen all the same.
            if busy && row.state != State::Paused {
                continue;
            }
            let stored = match StoredHead::of(&row) {
                Ok(stored) => stored,
                Err(error) => {
                    self.unread(at, &row, &error).await?;
                    continue;
                }
            };
            match self.expects_surely(&row, &stored, at).await? {
                Expects::Open if busy => {}
                Expects::Open => {
                    passed.insert(row.system);
                    if let Some(run) = JobRun::claim(self, at, holder, row, stored).await? {
                        return Ok(Some(run));
                    }
                }
                Expects::Waits(reason, None) if is_held_too_long(&row, at) => {
                    self.fail(at, &row, Some(&stored), reason).await?;
                }
                Expects::Waits(reason, until) => {
                    let same = row.reason == reason as u8 && row.until == until;
                    if row.state != State::Paused || !same {
                        self.store.job_pause(at, row.id, holder, reason as u8, until).await?;
                    }
                }
                Expects::Never(reason) => self.fail(at, &row, Some(&stored), reason).await?,
            }
        }
        Ok(None)
    }

    /// Whether a job that `may` lets in could go on now, if there were a place for it.
    ///
    /// # Errors
    /// The store failed.
    pub async fn job_waits(
        &self,
        at: Moment,
        holder: [u8; 16],
        may: impl Fn(SystemId, JobId) -> bool,
    ) -> Result<bool> {
        self.reload(at).await?;
        let found = self.to_do(at, holder).await?;
        let mut waiting = found.iter().filter(|row| may(SystemId(row.system), JobId(row.id)));
        Ok(waiting.any(|row| {
            let open = |stored| matches!(self.expects_of(row, &stored, at), Expects::Open);
            StoredHead::of(row).is_ok_and(open)
        }))
    }

    async fn to_do(&self, at: Moment, holder: [u8; 16]) -> Result<Vec<JobRow>> {
        self.away(move |store| store.jobs_to_do(at, holder)).await
    }

    /// A job whose head cannot be read: it fails, unless a later program wrote it.
    async fn unread(&self, at: Moment, row: &JobRow, error: &Error) -> Result<()> {
        let id = JobId(row.id);
        if !is_damage(error) && at.0 - row.changed_at.0 < PAUSED_MAX_MS {
            tracing::debug!(error = %error, job = %id, "a job is left to a later program");
            return Ok(());
        }
        tracing::error!(error = %error, job = %id, "the head of a job cannot be opened");
        self.fail(at, row, None, Reason::RecordDamaged).await
    }

    /// What a job can expect now.
    pub(super) fn expects_of(&self, row: &JobRow, stored: &StoredHead, at: Moment) -> Expects {
        let snapshot = self.snapshot.load_full();
        match snapshot.by_id(SystemId(row.system)) {
            Some(system) => self.expects(system, &stored.kind, &stored.head, at),
            None => Expects::Never(Reason::ConnectionNotLive),
        }
    }

    /// The same, looked at once more before a job fails by it: a node hears a little later of what
    /// was registered through another one, and a job that failed does not come back.
    ///
    /// # Errors
    /// The store failed; the job is left as it is.
    pub(super) async fn expects_surely(
        &self,
        row: &JobRow,
        stored: &StoredHead,
        at: Moment,
    ) -> Result<Expects> {
        let found = self.expects_of(row, stored, at);
        let fails = match found {
            Expects::Open => false,
            Expects::Waits(_, until) => until.is_none() && is_held_too_long(row, at),
            Expects::Never(_) => true,
        };
        if !fails {
            return Ok(found);
        }
        Box::pin(self.catch_up(at)).await?;
        Ok(self.expects_of(row, stored, at))
    }

    /// Ends a job by a reason that does not end by itself.
    pub(super) async fn fail(
        &self,
        at: Moment,
        row: &JobRow,
        stored: Option<&StoredHead>,
        reason: Reason,
    ) -> Result<()> {
        let entry = self.act_of_program("job.failed", row, stored, Some(reason));
        self.store.job_end(at, row.id, State::Failed, reason as u8, entry).await?;
        Ok(())
    }

    /// The entry of what the program did with a job (F1): the account that submitted it stands in
    /// the detail, since nobody of it acted.
    pub(super) fn act_of_program(
        &self,
        kind: &str,
        row: &JobRow,
        stored: Option<&StoredHead>,
        reason: Option<Reason>,
    ) -> Body {
        let mut entry = self.act(kind, row);
        if let Body::Act(act) = &mut entry {
            PROGRAM.clone_into(&mut act.actor);
            // Writing to a text cannot fail.
            if let Some(stored) = stored {
                let _ = write!(act.detail, "; submitted by {}", stored.head.officer.as_str());
            }
            if let Some(reason) = reason {
                let _ = write!(act.detail, "; {} {}", reason.rule().code(), reason.name());
            }
        }
        entry
    }
}

/// Whether a job is held without a date for so long that nobody will lift it.
fn is_held_too_long(row: &JobRow, at: Moment) -> bool {
    let held = row.state == State::Paused && row.until.is_none();
    held && at.0 - row.changed_at.0 >= PAUSED_MAX_MS
}
