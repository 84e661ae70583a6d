//! The ledger's thread: drain, count and seal; hand large batches to the second stage and commit
//! small ones here.

use std::sync::Arc;

use dancu_domain::lines::Row;
use dancu_domain::moment::Moment;
use parking_lot::MutexGuard;

use super::commit::Committer;
use super::follow::{self, Seen};
use super::health::Stage;
use super::nodes::Watch;
use super::prepare::Preparer;
use super::rows::{self, Head};
use super::{
    ActFn, BATCH_MAX, Counts, Draft, GATHER, GATHER_UNTIL, HAND_OVER, Job, LedgerParts, SMALL,
    Shared, Waiter,
};
use crate::engine::{Mode, Tx};
use crate::error::{Error, Result};
use crate::search;

/// Commits that fail are tried again this often while nobody asks.
const PROBE: std::time::Duration = std::time::Duration::from_secs(1);

/// A node that nobody asks looks this often at what other nodes did.
const LOOK: std::time::Duration = std::time::Duration::from_millis(500);

pub(super) struct Writer {
    pub(super) committer: Arc<Committer>,
    pub(super) shared: Arc<Shared>,
    pub(super) preparer: Preparer,
    /// Whether other nodes write to the same ledger.
    nodes: bool,
    pub(super) watch: Watch,
}

impl Writer {
    pub(super) fn new(
        committer: Arc<Committer>,
        parts: LedgerParts,
        shared: Arc<Shared>,
        head: Head,
        seen: Option<Seen>,
    ) -> Self {
        let nodes = seen.is_some();
        let preparer = Preparer::new(parts, shared.clone(), head, nodes);
        let watch = Watch::new(seen.unwrap_or_default());
        Self { committer, shared, preparer, nodes, watch }
    }

    /// Works until the queue is stopped and empty; everything handed over is then durable.
    pub(super) fn run(mut self) {
        let mut before = 0;
        while let Some(jobs) = self.next_jobs(before) {
            before = jobs.len();
            self.all(jobs);
        }
        self.committer.wait_until_idle();
        self.committer.stop();
    }

    /// Waits for work. After a batch of several the next one is given time to gather.
    fn next_jobs(&mut self, before: usize) -> Option<Vec<Job>> {
        // While a batch waits for the disk, what comes belongs to the one after it.
        self.committer.wait_for_room();
        let shared = self.shared.clone();
        let mut queue = shared.queue.lock();
        let grown = if before < SMALL { before } else { before + before / 2 };
        let enough = grown.min(GATHER_UNTIL);
        if before > 1 && queue.jobs.len() < enough && !queue.stopped {
            queue.enough = enough;
            queue.gathering = true;
            shared.work.wait_for(&mut queue, GATHER);
            queue.gathering = false;
        }
        while queue.jobs.is_empty() && !queue.stopped {
            if self.shared.health.is_older_copy() {
                // Only a person can mend it: there is nothing to try.
                shared.work.wait(&mut queue);
            } else if self.committer.is_failing() {
                // Nobody is sent here while commits fail: whether they succeed again is tried.
                shared.work.wait_for(&mut queue, PROBE);
                MutexGuard::unlocked(&mut queue, || self.probe());
            } else if self.nodes {
                if shared.work.wait_for(&mut queue, LOOK).timed_out() {
                    MutexGuard::unlocked(&mut queue, || self.look());
                }
            } else {
                shared.work.wait(&mut queue);
            }
        }
        let jobs = std::mem::take(&mut queue.jobs);
        (!jobs.is_empty()).then_some(jobs)
    }

    fn probe(&mut self) {
        let shared = self.shared.clone();
        let _turn = shared.health.turn(Stage::Prepare);
        self.committer.wait_until_idle();
        let tried = self.mend().and_then(|()| self.try_commit());
        if let Err(error) = tried {
            tracing::warn!(error = %error, "ledger still cannot commit");
        }
    }

    fn try_commit(&mut self) -> Result<()> {
        if self.nodes { self.probe_shared() } else { self.committer.probe(&self.preparer.head) }
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
        let shared = self.shared.clone();
        let _turn = shared.health.turn(Stage::Prepare);
        if self.nodes {
            return self.batch_shared(drafts);
        }
        if let Err(error) = self.make_ready(&drafts) {
            tracing::error!(error = %error, "ledger is not ready, nothing was journaled");
            self.committer.set_broken();
            return self.committer.refuse(drafts.into_iter().map(|(_, waiter)| waiter));
        }
        let size = drafts.len();
        match self.preparer.prepare(drafts) {
            Ok(prepared) if prepared.is_void() => {
                self.shared.lines.write().cancel();
                self.committer.reply(prepared.replies);
            }
            Ok(prepared) if size < HAND_OVER && self.committer.is_idle() => {
                self.committer.commit(prepared);
            }
            Ok(prepared) => self.committer.hand_over(prepared),
            Err(error) => {
                // The callers' places are gone with the batch: they are told that nothing came.
                tracing::error!(error = %error, "ledger.batch could not be prepared");
                self.committer.set_broken();
            }
        }
    }

    /// Memory and disk agree, and the keys of every entry's month are there.
    fn make_ready(&mut self, drafts: &[(Draft, Waiter)]) -> Result<()> {
        self.mend()?;
        for (draft, _) in drafts {
            if let Some(month) = self.preparer.missing_keys(draft.arrival) {
                self.make_keys(month)?;
            }
        }
        Ok(())
    }

    /// Goes back to what is durable after a commit failed.
    pub(super) fn mend(&mut self) -> Result<()> {
        if self.shared.health.is_older_copy() {
            return Err(Error::OlderCopy(follow::STOPPED.to_owned()));
        }
        if self.committer.is_broken() {
            self.committer.wait_until_idle();
            let (parts, seen) = (&self.preparer.parts, self.nodes.then_some(self.watch.seen));
            let (head, seen) = self.committer.go_back(parts, &self.preparer.head, seen)?;
            self.preparer.restart(head);
            self.watch.seen = seen.unwrap_or_default();
        }
        Ok(())
    }

    fn make_keys(&mut self, month: u32) -> Result<()> {
        self.committer.wait_until_idle();
        self.mend()?;
        let sealer = &self.preparer.sealer;
        let made = self.committer.db().write(|tx| sealer.make_keys(tx, month));
        if made.is_ok() {
            self.preparer.parts.keys.committed();
        } else {
            self.preparer.parts.keys.rolled_back();
        }
        made
    }

    /// A change with its entry, in one transaction and with nothing else on its way.
    fn act(&mut self, at: Moment, policy: bool, change: ActFn) -> Result<u64> {
        let shared = self.shared.clone();
        let _turn = shared.health.turn(Stage::Prepare);
        if self.nodes {
            return self.act_shared(at, policy, change);
        }
        self.committer.wait_until_idle();
        self.mend()?;
        if let Some(month) = self.preparer.missing_keys(at) {
            self.make_keys(month)?;
        }
        let before = self.preparer.head;
        match self.write_act(at, policy, change) {
            Ok(written) => {
                self.preparer.parts.keys.committed();
                self.shared.lines.write().durable();
                if let Some(tail) = &self.preparer.parts.tail {
                    let items = written.found_by.as_slice();
                    tail.extend(items, self.preparer.head.next_index);
                }
                self.committer.publish(&self.preparer.head);
                Ok(written.index)
            }
            Err(error) => {
                tell(&error);
                let went = self.preparer.head.next_index > before.next_index;
                // An act that is refused says nothing about the disk.
                match error {
                    Error::Engine(_) | Error::File(_) => self.committer.set_broken(),
                    _ => self.committer.set_ahead(),
                }
                if let Err(unread) = self.mend() {
                    return Err(if went { Error::InDoubt } else { unread });
                }
                // Nobody knows what a failed COMMIT left: if the entry is there, it was durable.
                let durable = self.preparer.head.next_index > before.next_index;
                if went && durable { Ok(before.next_index) } else { Err(error) }
            }
        }
    }

    fn write_act(&mut self, at: Moment, policy: bool, change: ActFn) -> Result<Written> {
        let committer = self.committer.clone();
        let mut db = committer.db();
        db.begin(Mode::Write)?;
        let written = self.change(&mut db.tx(), at, policy, change)?;
        db.commit()?;
        committer.finish_checkpoint(&db);
        Ok(written)
    }

    /// Runs a change and writes its entry, the counts that it touched and the head.
    pub(super) fn change(
        &mut self,
        tx: &mut Tx<'_>,
        at: Moment,
        policy: bool,
        change: ActFn,
    ) -> Result<Written> {
        self.shared.lines.write().begin();
        let body = change(tx, &mut Counts::of(&self.shared.lines))?;
        let mut found_by = None;
        let index = match body {
            None => self.preparer.head.next_index,
            Some(body) => {
                found_by = search::act_item(&body, self.preparer.head.next_index);
                self.preparer.head.policy_epoch += u64::from(policy);
                let (index, chunks) = self.preparer.act(at, body)?;
                rows::append(tx, &chunks)?;
                rows::save_head(tx, &self.preparer.head)?;
                index
            }
        };
        let touched = self.shared.lines.read().touched();
        touched.iter().try_for_each(|row| rows::save(tx, row))?;
        Ok(Written { index, touched, found_by })
    }
}

/// What a change wrote.
pub(super) struct Written {
    /// Index of its entry; the next one where it has none.
    pub(super) index: u64,
    /// Counts that it touched.
    pub(super) touched: Vec<Row>,
    /// What the entry is found by.
    found_by: Option<search::Item>,
}

/// Tells the log why an act was not journaled. One that is refused is no trouble of this node.
pub(super) fn tell(error: &Error) {
    match error {
        Error::Final(_) | Error::Refused(_) => tracing::info!(error = %error, "ledger.act refused"),
        _ => tracing::error!(error = %error, "ledger.act failed"),
    }
}
