//! The second stage of a batch: bring it to disk, then make it known and wake the callers.
//!
//! It runs in a thread of its own while the first stage counts and seals the next batch on top.
//! **Invariant:** where a commit fails, everything counted on top of it fails too: nothing is
//! written until the first stage has gone back to what is durable.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::follow::Seen;
use super::health::{Stage, Trouble};
use super::prepare::Prepared;
use super::rows::{self, Head};
use super::{Replies, Shared};
use crate::engine::{Db, Mode, Tx};
use crate::error::{Error, Result};
use crate::keys::Keyring;
use crate::requests::RequestMemory;
use crate::search::Tail;

/// The database of the ledger and the way to it.
pub(super) struct Committer {
    db: Mutex<Db>,
    shared: Arc<Shared>,
    keys: Arc<Keyring>,
    requests: Arc<RequestMemory>,
    tail: Option<Arc<Tail>>,
    slot: Mutex<Slot>,
    changed: Condvar,
    /// A commit failed: batches fail until the first stage has gone back to what is durable.
    broken: AtomicBool,
}

/// Where the first stage leaves a batch for the second.
#[derive(Default)]
struct Slot {
    next: Option<Prepared>,
    busy: bool,
    stopped: bool,
}

impl Committer {
    pub(super) fn new(db: Db, shared: Arc<Shared>, parts: &super::LedgerParts) -> Self {
        Self {
            db: Mutex::new(db),
            shared,
            keys: parts.keys.clone(),
            requests: parts.requests.clone(),
            tail: parts.tail.clone(),
            slot: Mutex::default(),
            changed: Condvar::new(),
            broken: AtomicBool::new(false),
        }
    }

    /// Commits what is handed over until [`Committer::stop`].
    pub(super) fn run(&self) {
        let mut slot = self.slot.lock();
        loop {
            if let Some(prepared) = slot.next.take() {
                slot.busy = true;
                self.changed.notify_all();
                MutexGuard::unlocked(&mut slot, || self.commit(prepared));
                slot.busy = false;
                self.changed.notify_all();
            } else if slot.stopped {
                return;
            } else {
                self.changed.wait(&mut slot);
            }
        }
    }

    /// Ends [`Committer::run`] once everything handed over is done.
    pub(super) fn stop(&self) {
        self.slot.lock().stopped = true;
        self.changed.notify_all();
    }

    /// A thread of the ledger died: what was handed over is dropped, and nothing more is taken.
    pub(super) fn abandon(&self) {
        self.shared.health.set_dead();
        self.set_broken();
        let dropped = {
            let mut slot = self.slot.lock();
            (slot.stopped, slot.busy) = (true, false);
            slot.next.take()
        };
        drop(dropped);
        self.changed.notify_all();
    }

    /// Waits until a batch can be handed over.
    pub(super) fn wait_for_room(&self) {
        let mut slot = self.slot.lock();
        self.changed.wait_while(&mut slot, |s| s.next.is_some());
    }

    /// Waits until everything handed over is done.
    pub(super) fn wait_until_idle(&self) {
        let mut slot = self.slot.lock();
        self.changed.wait_while(&mut slot, |s| s.next.is_some() || s.busy);
    }

    /// Whether nothing is on its way.
    pub(super) fn is_idle(&self) -> bool {
        let slot = self.slot.lock();
        slot.next.is_none() && !slot.busy
    }

    /// Hands a batch to the thread of the second stage; fails it where that thread is gone.
    pub(super) fn hand_over(&self, prepared: Prepared) {
        let mut slot = self.slot.lock();
        self.changed.wait_while(&mut slot, |s| s.next.is_some() && !s.stopped);
        if slot.stopped {
            drop(slot);
            return self.fail(prepared);
        }
        slot.next = Some(prepared);
        self.changed.notify_all();
    }

    /// Whether batches fail until the first stage has gone back.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    /// Says that memory and disk do not agree any more, because the disk failed.
    pub(super) fn set_broken(&self) {
        self.shared.health.failed();
        self.set_ahead();
    }

    /// Says that the memory is ahead of the disk: it has to go back.
    pub(super) fn set_ahead(&self) {
        self.broken.store(true, Ordering::Release);
        // The first stage may sleep until somebody asks: it is to try again by itself. The lock
        // waits until it really sleeps where it has just looked.
        drop(self.shared.queue.lock());
        self.shared.work.notify_one();
    }

    /// Whether the last try to commit failed, or none will be made any more.
    pub(super) fn is_failing(&self) -> bool {
        self.shared.health.is_failing()
    }

    /// Tries whether a commit succeeds again, by storing the head as it is.
    pub(super) fn probe(&self, head: &Head) -> Result<()> {
        self.db.lock().write(|tx| rows::save_head(tx, head))?;
        self.shared.health.well();
        Ok(())
    }

    /// The database, for what the first stage writes itself while nothing is on its way.
    pub(super) fn db(&self) -> MutexGuard<'_, Db> {
        self.db.lock()
    }

    /// Brings a batch to disk and tells its callers.
    pub(super) fn commit(&self, prepared: Prepared) {
        if self.is_broken() {
            return self.fail(prepared);
        }
        let shared = self.shared.clone();
        let _turn = shared.health.turn(Stage::Commit);
        let mut db = self.db.lock();
        let began = self.shared.figures.begin();
        if let Err(error) = write(&mut db, &prepared) {
            tracing::error!(error = %error, "ledger.batch could not be committed");
            db.rollback();
            // Nobody knows what a failed COMMIT left: if the entries are there, it was durable.
            match rows::head(&mut db.tx()) {
                Ok(found) if found.next_index > prepared.before.next_index => {}
                Ok(_) => {
                    self.set_broken();
                    return self.fail(prepared);
                }
                Err(_) => {
                    self.shared.health.failed_by(Trouble::InDoubt);
                    self.set_broken();
                    return self.leave_in_doubt(prepared);
                }
            }
        }
        self.shared.figures.committed(began);
        self.make_known(prepared);
        self.finish_checkpoint(&db);
    }

    /// A batch is durable: memory and callers learn of it.
    pub(super) fn make_known(&self, prepared: Prepared) {
        let Prepared { before, after, effects, replies, .. } = prepared;
        self.shared.health.durable();
        self.shared.figures.durable(after.next_index.saturating_sub(before.next_index));
        self.shared.lines.write().durable();
        for item in effects.requests.iter().filter(|r| r.answered) {
            self.requests.remember(&item.key, item.index);
        }
        if let Some(tail) = &self.tail {
            tail.extend(&effects.search, after.next_index);
        }
        self.publish(&after);
        self.reply(replies);
    }

    /// Nothing of the batch was journaled: its callers may try again.
    pub(super) fn fail(&self, prepared: Prepared) {
        self.refuse(prepared.replies.into_iter().map(|(waiter, _)| waiter));
    }

    /// Tells callers that nothing was journaled.
    pub(super) fn refuse(&self, waiters: impl Iterator<Item = super::Waiter>) {
        self.shared.figures.failed();
        self.reply(waiters.map(|w| (w, Err(Error::Unavailable("commit failed")))).collect());
    }

    /// Nobody knows whether the batch is durable: its callers are told so. What the database holds
    /// of it is read before the next batch, so that their request ids then decide.
    pub(super) fn leave_in_doubt(&self, prepared: Prepared) {
        self.shared.figures.failed();
        let waiters = prepared.replies.into_iter();
        self.reply(waiters.map(|(w, _)| (w, Err(Error::InDoubt))).collect());
    }

    /// Makes a durable head known.
    pub(super) fn publish(&self, head: &Head) {
        self.shared.epoch.store(head.policy_epoch, Ordering::Release);
        self.shared.head.store(head.next_index, Ordering::Release);
    }

    /// Hands the replies to the runtime; wakes the callers from here where it is gone.
    pub(super) fn reply(&self, replies: Replies) {
        let unsent = match self.shared.replies.get() {
            Some(runtime) => runtime.send(replies).err().map(|e| e.0),
            None => Some(replies),
        };
        if let Some(replies) = unsent {
            super::wake(replies);
        }
    }

    /// Copies the few pages back that were written during a checkpoint: only then does the next
    /// commit begin the WAL anew instead of letting it grow.
    pub(super) fn finish_checkpoint(&self, db: &Db) {
        let Db::Sqlite(db) = db else { return };
        if self.shared.checkpointed.swap(false, Ordering::AcqRel) {
            let done = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            if let Err(error) = done {
                tracing::warn!(error = %error, "ledger.checkpoint could not be finished");
            }
        }
    }

    /// Reads what is durable and brings the memory there. Nothing may be on its way. `seen` is the
    /// last transaction that this node knows of, where there are other nodes; the newest is given.
    pub(super) fn go_back(
        &self,
        parts: &super::LedgerParts,
        before: &Head,
        seen: Option<Seen>,
    ) -> Result<(Head, Option<Seen>)> {
        let mut db = self.db.lock();
        db.rollback();
        self.keys.rolled_back();
        let known = self.shared.head.load(Ordering::Acquire);
        // The lock waits for what a lost connection of this node may still be committing.
        let found = db.write(|tx| {
            let head = rows::lock_head(tx)?;
            let newest = seen.map(|seen| self.continued(tx, seen, &head)).transpose()?;
            if head.next_index == known && head.generation == before.generation {
                self.shared.lines.write().rollback();
            } else {
                // A commit that reported a failure was durable after all, or another node went
                // on: what was counted is read.
                self.keys.load(tx)?;
                let loaded = rows::load(tx, head.last_at, &parts.profiles)?;
                let headers = crate::requests::load(tx, &self.requests, &parts.profiles, known)?;
                parts.bind(&headers);
                if let Some(tail) = &self.tail {
                    crate::search::catch_up(tx, &self.keys, tail, known)?;
                }
                *self.shared.lines.write() = loaded;
            }
            Ok((head, newest))
        })?;
        self.publish(&found.0);
        self.broken.store(false, Ordering::Release);
        Ok(found)
    }

    /// Makes sure that the database still has the history that was seen in it; gives its newest
    /// transaction.
    fn continued(&self, tx: &mut Tx<'_>, seen: Seen, head: &Head) -> Result<Seen> {
        if !seen.is_before(head.generation, rows::id_of(tx, seen.generation)?) {
            return Err(self.shared.other_history(tx, seen, head));
        }
        Ok(Seen { generation: head.generation, id: rows::id_of(tx, head.generation)? })
    }
}

/// One transaction: entries, request ids, head, counts.
fn write(db: &mut Db, prepared: &Prepared) -> Result<()> {
    db.begin(Mode::Write)?;
    rows::write(&mut db.tx(), prepared)?;
    db.commit()
}
