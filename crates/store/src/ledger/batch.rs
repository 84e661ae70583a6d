//! The writer thread: drain, settle, journal, commit, wake.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use dancu_domain::lines::{Event, Outcome, Row};
use dancu_domain::moment::Moment;
use dancu_journal::{Body, Decision, Entry};
use rusqlite::{Connection, params};

use super::rows::{self, Head};
use super::{
    ActFn, BATCH_MAX, COUNT_DAYS_KEPT, Decided, Draft, GATHER, GATHER_UNTIL, Job, LedgerParts,
    Replies, Settled, Shared, Verdict,
};
use crate::entries::{Sealer, SearchKind};
use crate::error::{Error, Result};
use crate::keys::random;
use crate::requests::{InFlight, RequestItem};

pub(super) struct Writer {
    db: Connection,
    parts: LedgerParts,
    shared: Arc<Shared>,
    head: Head,
    sealer: Sealer,
    /// Random bytes drawn ahead for nonces.
    entropy: Entropy,
    /// Duty day at which old counts were last forgotten.
    today: dancu_domain::moment::DutyDay,
}

/// What a batch adds besides its rows; applied once the commit is durable.
#[derive(Default)]
struct Effects {
    requests: Vec<RequestItem>,
    search: Vec<(u8, [u8; 16], u64)>,
    /// Request ids stay taken until what they stand for is remembered.
    guards: Vec<std::sync::Arc<InFlight>>,
}

type Waiter = tokio::sync::oneshot::Sender<Result<Verdict>>;

impl Writer {
    pub(super) fn new(db: Connection, parts: LedgerParts, shared: Arc<Shared>, head: Head) -> Self {
        let sealer = Sealer::new(parts.keys.clone());
        let today = dancu_domain::moment::DutyDay(0);
        Self { db, parts, shared, head, sealer, entropy: Entropy::default(), today }
    }

    pub(super) fn run(mut self) {
        let mut before = 0;
        while let Some(jobs) = self.next_jobs(before) {
            before = jobs.len();
            self.all(jobs);
            self.finish_checkpoint();
        }
    }

    /// Waits for work. After a batch of several the next one is given time to gather.
    fn next_jobs(&self, before: usize) -> Option<Vec<Job>> {
        let mut queue = self.shared.queue.lock();
        let enough = before.min(GATHER_UNTIL);
        if before > 1 && queue.jobs.len() < enough && !queue.stopped {
            queue.enough = enough;
            queue.gathering = true;
            self.shared.work.wait_for(&mut queue, GATHER);
            queue.gathering = false;
        }
        while queue.jobs.is_empty() && !queue.stopped {
            self.shared.work.wait(&mut queue);
        }
        let jobs = std::mem::take(&mut queue.jobs);
        (!jobs.is_empty()).then_some(jobs)
    }

    /// Copies the few pages back that were written during a checkpoint: only then does the next
    /// commit begin the WAL anew instead of letting it grow.
    fn finish_checkpoint(&self) {
        if self.shared.checkpointed.swap(false, Ordering::AcqRel) {
            let done = self.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            if let Err(error) = done {
                tracing::warn!(error = %error, "ledger.checkpoint could not be finished");
            }
        }
    }

    /// Works through the drained jobs in order: runs of drafts as batches, acts one by one.
    fn all(&mut self, jobs: Vec<Job>) {
        let mut drafts = Vec::with_capacity(jobs.len().min(BATCH_MAX));
        for job in jobs {
            match job {
                Job::Draft(draft, waiter) => {
                    drafts.push((draft, waiter));
                    if drafts.len() == BATCH_MAX {
                        self.batch(std::mem::take(&mut drafts));
                    }
                }
                Job::Act(at, policy, change, waiter) => {
                    self.batch(std::mem::take(&mut drafts));
                    let _ = waiter.send(self.act(at, policy, change));
                }
            }
        }
        self.batch(drafts);
    }

    fn batch(&mut self, drafts: Vec<(Draft, Waiter)>) {
        if drafts.is_empty() {
            return;
        }
        let (drafts, waiters): (Vec<_>, Vec<_>) = drafts.into_iter().unzip();
        let (result, effects) = self.commit_drafts(drafts);
        match result {
            Ok(verdicts) => {
                self.apply(&effects);
                self.forget_days();
                self.reply(waiters.into_iter().zip(verdicts.into_iter().map(Ok)).collect());
            }
            Err(error) => {
                tracing::error!(error = %error, "ledger.batch failed, nothing was journaled");
                let failed = |w| (w, Err(Error::Unavailable("commit failed")));
                self.reply(waiters.into_iter().map(failed).collect());
            }
        }
    }

    /// Hands the replies to the runtime; wakes the callers from here where it is gone.
    fn reply(&self, replies: Replies) {
        let unsent = match self.shared.replies.get() {
            Some(runtime) => runtime.send(replies).err().map(|e| e.0),
            None => Some(replies),
        };
        if let Some(replies) = unsent {
            super::wake(replies);
        }
    }

    fn commit_drafts(&mut self, drafts: Vec<Draft>) -> (Result<Vec<Verdict>>, Effects) {
        let before = self.head;
        let mut effects = Effects::default();
        let result = match self.write_drafts(drafts, &mut effects) {
            Ok(verdicts) => match self.commit() {
                // Nobody knows what a failed COMMIT left: if the entries are there, it was durable.
                Err(error) if !self.take_back(before) => Err(error),
                _ => Ok(verdicts),
            },
            Err(error) => {
                self.take_back(before);
                Err(error)
            }
        };
        (result, effects)
    }

    fn commit(&self) -> Result<()> {
        self.db.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    /// Rolls back and compares the head on disk with the one before. True where the commit was
    /// durable after all: its callers are then answered, for their queries are counted.
    fn take_back(&mut self, before: Head) -> bool {
        let _ = self.db.execute_batch("ROLLBACK");
        self.shared.lines.write().rollback();
        self.head = before;
        self.sealer.forget();
        self.parts.keys.rolled_back();
        match rows::head(&self.db) {
            Ok(head) if head.next_index == before.next_index => false,
            Ok(head) => {
                self.head = head;
                self.shared.head.store(head.next_index, Ordering::Release);
                self.shared.epoch.store(head.policy_epoch, Ordering::Release);
                if let Err(e) = self.parts.keys.load(&self.db) {
                    tracing::error!(error = %e, "keys cannot be read");
                }
                let reloaded = rows::load(&self.db, head.last_at, &self.parts.profiles);
                if let Ok(lines) = reloaded {
                    *self.shared.lines.write() = lines;
                }
                true
            }
            Err(e) => {
                tracing::error!(error = %e, "ledger.head cannot be read");
                false
            }
        }
    }

    fn write_drafts(&mut self, drafts: Vec<Draft>, effects: &mut Effects) -> Result<Vec<Verdict>> {
        let outcomes = self.settle(&drafts);
        if outcomes.iter().all(Option::is_none) {
            self.db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            return Ok(drafts.iter().map(|_| Verdict::Stale).collect());
        }
        self.db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut verdicts = Vec::with_capacity(drafts.len());
        let first_index = self.head.next_index;
        for (draft, outcome) in drafts.into_iter().zip(outcomes) {
            verdicts.push(match outcome {
                None => Verdict::Stale,
                Some(Settling::ReadFirst) => Verdict::ReadFirst,
                Some(Settling::Done(outcome, account_used)) => {
                    Verdict::Settled(self.journal(draft, outcome, account_used, effects)?)
                }
            });
        }
        if self.head.next_index > first_index {
            self.write_requests(first_index, &effects.requests)?;
            rows::save_head(&self.db, &self.head)?;
        }
        // Also without an entry: a lock may have ended.
        let touched: Vec<Row> = self.shared.lines.read().touched();
        touched.iter().try_for_each(|row| rows::save(&self.db, row))?;
        Ok(verdicts)
    }

    /// Counts the batch in memory, in its order; `None` = decided over an older epoch.
    fn settle(&self, drafts: &[Draft]) -> Vec<Option<Settling>> {
        let mut lines = self.shared.lines.write();
        lines.begin();
        drafts
            .iter()
            .map(|draft| {
                if draft.epoch != self.head.policy_epoch {
                    return None;
                }
                Some(match &draft.decided {
                    Decided::Refused(_) => Settling::Done(None, 0),
                    Decided::Count(intent) => {
                        let profile = self.parts.profiles.at(intent.at);
                        match lines.one(profile, intent) {
                            Outcome::ReadFirst => Settling::ReadFirst,
                            outcome => {
                                let used = lines.account_used(intent.account, intent.duty.day);
                                Settling::Done(Some(outcome), used)
                            }
                        }
                    }
                })
            })
            .collect()
    }

    fn journal(
        &mut self,
        draft: Draft,
        outcome: Option<Outcome>,
        account_used: u32,
        effects: &mut Effects,
    ) -> Result<Settled> {
        let mut query = draft.query;
        effects.guards.extend(draft.guard);
        fill(&mut query, &draft.decided, outcome.as_ref());
        query.features.account_used = account_used;
        let answered = query.decision == Decision::Accepted;
        let body = query.body;
        let at = draft.arrival.max(self.head.last_at);
        let nonce = self.entropy.take::<8>()?;
        let entry = Entry {
            index: self.head.next_index,
            at: at.0,
            arrival: draft.arrival.0,
            nonce,
            profile: self.parts.profiles.at(draft.arrival).version.clone(),
            epoch: draft.epoch,
            body: Body::Query(query),
        };
        self.append(&entry)?;
        let zero = [0; 16];
        if (answered && draft.request_key != zero) || draft.header.is_some() {
            let (header, header_until) = draft.header.unwrap_or((zero, 0));
            effects.requests.push(RequestItem {
                index: entry.index,
                answered,
                key: draft.request_key,
                body,
                header,
                header_until,
            });
        }
        effects.search.extend(draft.search.into_iter().map(|(k, d)| (k, d, entry.index)));
        if let Body::Query(query) = &entry.body {
            let subject = SearchKind::Subject as u8;
            let subjects = query.subjects.iter().map(|s| (subject, s.pseudonym, entry.index));
            effects.search.extend(subjects);
        }
        Ok(Settled { index: entry.index, nonce, at, outcome })
    }

    fn append(&mut self, entry: &Entry) -> Result<()> {
        let nonce = self.entropy.take::<12>()?;
        let sealed = self.sealer.seal(&self.db, entry, nonce)?;
        self.db
            .prepare_cached(
                "INSERT INTO entry (idx, month, commitment, sealed) VALUES ($1, $2, $3, $4)",
            )?
            .execute(params![
                entry.index.cast_signed(),
                sealed.month,
                sealed.commitment,
                sealed.blob
            ])?;
        self.head.next_index += 1;
        self.head.last_at = Moment(entry.at);
        Ok(())
    }

    fn write_requests(&self, first_index: u64, requests: &[RequestItem]) -> Result<()> {
        if requests.is_empty() {
            return Ok(());
        }
        let mut packed = Vec::with_capacity(requests.len() * 65);
        for request in requests {
            request.pack(&mut packed);
        }
        self.db
            .prepare_cached("INSERT INTO request_batch (first_idx, at, items) VALUES ($1, $2, $3)")?
            .execute(params![first_index.cast_signed(), self.head.last_at.0, packed])?;
        Ok(())
    }

    fn apply(&self, effects: &Effects) {
        self.parts.keys.committed();
        for item in effects.requests.iter().filter(|r| r.answered) {
            self.parts.requests.remember(&item.key, item.index);
        }
        self.parts.tail.extend(&effects.search, self.head.next_index);
        self.shared.head.store(self.head.next_index, Ordering::Release);
    }

    /// Counts of days that no arrival can name any more leave the memory; the file keeps them.
    fn forget_days(&mut self) {
        let at = self.head.last_at;
        let today = self.parts.profiles.at(at).hours.duty(at).day;
        if today != self.today {
            self.today = today;
            let oldest = dancu_domain::moment::DutyDay(today.0 - COUNT_DAYS_KEPT);
            self.shared.lines.write().forget_before(oldest);
        }
    }

    fn act(&mut self, at: Moment, policy: bool, change: ActFn) -> Result<u64> {
        let before = self.head;
        let result = self.write_act(at, policy, change);
        match result {
            Ok(index) => {
                self.parts.keys.committed();
                self.parts.tail.extend(&[], self.head.next_index);
                self.shared.head.store(self.head.next_index, Ordering::Release);
                self.shared.epoch.store(self.head.policy_epoch, Ordering::Release);
                Ok(index)
            }
            Err(error) => {
                tracing::error!(error = %error, "ledger.act failed, nothing was changed");
                self.take_back(before);
                Err(error)
            }
        }
    }

    fn write_act(&mut self, at: Moment, policy: bool, change: ActFn) -> Result<u64> {
        self.db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let body = {
            let mut lines = self.shared.lines.write();
            lines.begin();
            change(&self.db, &mut lines)?
        };
        let Some(body) = body else {
            self.db.prepare_cached("COMMIT")?.execute([])?;
            return Ok(self.head.next_index);
        };
        self.head.policy_epoch += u64::from(policy);
        let index = self.head.next_index;
        let entry = Entry {
            index,
            at: at.max(self.head.last_at).0,
            arrival: at.0,
            nonce: self.entropy.take::<8>()?,
            profile: self.parts.profiles.at(at).version.clone(),
            epoch: self.head.policy_epoch,
            body,
        };
        self.append(&entry)?;
        let touched: Vec<Row> = self.shared.lines.read().touched();
        touched.iter().try_for_each(|row| rows::save(&self.db, row))?;
        rows::save_head(&self.db, &self.head)?;
        self.db.prepare_cached("COMMIT")?.execute([])?;
        Ok(index)
    }
}

enum Settling {
    /// What became of it, and the account's count right after it.
    Done(Option<Outcome>, u32),
    ReadFirst,
}

/// Writes what settling found out into the entry.
fn fill(query: &mut dancu_journal::Query, decided: &Decided, outcome: Option<&Outcome>) {
    let refusal = match (decided, outcome) {
        (Decided::Refused(refusal), _) => Some(*refusal),
        (Decided::Count(_), Some(Outcome::Refused { refusal, remaining, event })) => {
            query.features.line_left = *remaining;
            query.event = match event {
                None => 0,
                Some(Event::Exceeded) => 1,
                Some(Event::Locked) => 2,
            };
            Some(*refusal)
        }
        (Decided::Count(intent), Some(Outcome::Accepted { remaining, .. })) => {
            query.features.line_left = *remaining;
            query.decision = if intent.repeat { Decision::Repeat } else { Decision::Accepted };
            query.counted = if intent.repeat { 0 } else { intent.items };
            None
        }
        (Decided::Count(_), _) => None,
    };
    if let Some(refusal) = refusal {
        query.decision = Decision::Refused;
        query.reason = refusal.reason as u8;
        refusal.reason.rule().code().clone_into(&mut query.rule);
        // A refusal discloses nothing: what was looked up is dropped, also from the journal.
        query.answer = 0;
        query.fields = 0;
        query.counted = 0;
        query.subjects.truncate(1);
        query.subjects.iter_mut().for_each(|s| s.delivered = false);
    }
}

/// Random bytes for nonces, drawn in blocks: one call to the generator per 512 entries.
struct Entropy {
    bytes: Vec<u8>,
    at: usize,
}

/// 4 KiB: a block serves about 200 entries.
const ENTROPY_BYTES: usize = 4_096;

impl Default for Entropy {
    fn default() -> Self {
        Self { bytes: vec![0; ENTROPY_BYTES], at: ENTROPY_BYTES }
    }
}

impl Entropy {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        if self.at + N > self.bytes.len() {
            random(&mut self.bytes)?;
            self.at = 0;
        }
        let mut out = [0; N];
        out.copy_from_slice(&self.bytes[self.at..self.at + N]);
        self.at += N;
        Ok(out)
    }
}
