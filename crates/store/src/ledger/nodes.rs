//! The ledger of a node on PostgreSQL, where other nodes write to the same one.
//!
//! Each transaction first locks the head. If another node went on since this node's last one, its
//! changes are taken over before anything is counted: so counts, locks and request ids are exact
//! across nodes. Entries, counts and head go with COMMIT in one round trip.
//!
//! **Invariant:** nobody is answered and nothing is repeated before it is known what became of a
//! COMMIT whose answer was lost. **Invariant:** memory is changed by what is committed, or by the
//! one transaction under way, which can be taken back.

use std::sync::atomic::Ordering;

use dancu_domain::moment::{DAY_MS, HOUR_MS, Moment};

use super::changes::Changes;
use super::follow::Seen;
use super::health::Stage;
use super::prepare::Prepared;
use super::rows::{self, Head};
use super::writer::{Writer, Written, tell};
use super::{ActFn, Draft, Verdict, Waiter};
use crate::engine::{Db, Kind, Mode, Tx, retry};
use crate::entries::month_of;
use crate::error::{Error, Result};
use crate::month;
use crate::values;

/// Transactions whose changes are kept for other nodes: at the 100 to 300 a second that a database
/// commits they last for minutes. Who fell further behind reads all counts anew.
pub(super) const KEPT: u64 = 65_536;
/// How often, in transactions, older ones are removed.
const TIDY_EVERY: u64 = 256;
/// What a batch writes to, locked as its inserts do: so a probe finds out whether anybody stands in
/// the way of one, without writing anything.
const WRITABLE: &str = "LOCK TABLE entry_chunk, request_batch, line_day, account_day, plan_day, \
    line_lock, ledger_batch, used_once IN ROW EXCLUSIVE MODE";

/// What a node goes by beside its memory.
#[derive(Default)]
pub(super) struct Watch {
    /// The last transaction that is known to be durable.
    pub(super) seen: Seen,
    /// Whether this machine's clock was too far off the database's.
    pub(super) off: bool,
    /// Day (UTC+7, since 1970) and month whose partition is known to be there.
    day: i64,
    month: u32,
}

impl Watch {
    /// At the start.
    pub(super) fn new(seen: Seen) -> Self {
        Self { seen, ..Self::default() }
    }
}

impl Writer {
    /// Settles a batch while the head is locked and makes it durable.
    pub(super) fn batch_shared(&mut self, drafts: Vec<(Draft, Waiter)>) {
        let committer = self.committer.clone();
        let mut begun = self.mend();
        let mut db = committer.db();
        if begun.is_ok() {
            let arrivals: Vec<Moment> = drafts.iter().map(|(d, _)| d.arrival).collect();
            begun = self.begin_shared(&mut db, &arrivals);
        }
        if let Err(error) = begun {
            tracing::error!(error = %error, "ledger is not ready, nothing was journaled");
            self.undo(&mut db, &error);
            committer.set_broken();
            return committer.refuse(drafts.into_iter().map(|(_, waiter)| waiter));
        }
        let before = self.preparer.head;
        match self.preparer.prepare(drafts) {
            Ok(prepared) if prepared.is_void() => {
                self.shared.lines.write().cancel();
                self.finish_void(&mut db);
                committer.reply(prepared.replies);
            }
            Ok(prepared) => self.commit_shared(&mut db, prepared),
            Err(error) => {
                // The callers' places are gone with the batch: they are told that nothing came.
                tracing::error!(error = %error, "ledger.batch could not be prepared");
                self.preparer.restart(before);
                self.undo(&mut db, &error);
                committer.set_broken();
            }
        }
    }

    /// A transaction that has nothing to keep, except perhaps keys of a month.
    fn finish_void(&mut self, db: &mut Db) {
        let keys = self.preparer.parts.keys.clone();
        if !keys.has_made() {
            self.watch.month = 0;
            return db.rollback();
        }
        match db.commit() {
            Ok(()) => keys.committed(),
            Err(error) => self.undo(db, &error),
        }
    }

    fn commit_shared(&mut self, db: &mut Db, mut prepared: Prepared) {
        let before = prepared.before;
        self.preparer.head.generation = before.generation + 1;
        prepared.after = self.preparer.head;
        let began = self.shared.figures.begin();
        let committed = self.preparer.random_id().and_then(|id| {
            let written = self.write_shared(db, &prepared, &id).and_then(|()| db.commit());
            self.settle_doubt(db, written, before.generation + 1, &id).map(|()| id)
        });
        match committed {
            Ok(id) => {
                self.watch.seen = Seen { generation: before.generation + 1, id: Some(id) };
                self.preparer.parts.keys.committed();
                self.shared.figures.committed(began);
                self.committer.make_known(prepared);
            }
            Err(error) => {
                tracing::error!(error = %error, "ledger.batch could not be committed");
                self.preparer.restart(before);
                self.undo(db, &error);
                if matches!(error, Error::InDoubt) {
                    return self.committer.leave_in_doubt(prepared);
                }
                if error.kind() == Some(Kind::Retryable) && !self.shared.health.conflict() {
                    // Nothing was changed and nothing is wrong: it is decided again.
                    let waiters = prepared.replies.into_iter();
                    let again = waiters.map(|(w, _)| (w, Ok(Verdict::Stale))).collect();
                    return self.committer.reply(again);
                }
                self.committer.fail(prepared);
            }
        }
    }

    fn write_shared(&self, db: &mut Db, prepared: &Prepared, id: &[u8; 16]) -> Result<()> {
        let mut tx = db.tx();
        let keys = self.preparer.parts.keys.has_made();
        let changes = prepared.changes.pack(keys)?;
        log(&mut tx, &prepared.after, id, prepared.before.next_index, &changes)?;
        rows::write(&mut tx, prepared)?;
        if prepared.after.next_index == prepared.before.next_index {
            rows::save_head(&mut tx, &prepared.after)?;
        }
        Ok(())
    }

    /// A change with its entry, in one transaction of its own.
    pub(super) fn act_shared(&mut self, at: Moment, policy: bool, change: ActFn) -> Result<u64> {
        self.mend()?;
        let committer = self.committer.clone();
        let mut db = committer.db();
        if let Err(error) = self.begin_shared(&mut db, &[at]) {
            if error.kind() == Some(Kind::Retryable) {
                self.shared.health.conflict();
            }
            self.undo(&mut db, &error);
            return Err(error);
        }
        let before = self.preparer.head;
        let done = self.change_shared(&mut db, at, policy, change);
        match done {
            Ok(index) => {
                self.preparer.parts.keys.committed();
                self.shared.lines.write().durable();
                committer.publish(&self.preparer.head);
                self.shared.health.durable();
                Ok(index)
            }
            Err(error) => {
                tell(&error);
                self.preparer.restart(before);
                self.undo(&mut db, &error);
                Err(error)
            }
        }
    }

    fn change_shared(
        &mut self,
        db: &mut Db,
        at: Moment,
        policy: bool,
        change: ActFn,
    ) -> Result<u64> {
        let before = self.preparer.head;
        self.preparer.head.generation += 1;
        let id = self.preparer.random_id()?;
        let Written { index, touched, .. } = self.change(&mut db.tx(), at, policy, change)?;
        if self.preparer.head.next_index == before.next_index {
            // Nothing that another node has to know of.
            self.preparer.head.generation = before.generation;
            return db.commit().map(|()| index);
        }
        let changes = Changes { rows: touched, ..Changes::default() };
        let changes = changes.pack(self.preparer.parts.keys.has_made())?;
        log(&mut db.tx(), &self.preparer.head, &id, before.next_index, &changes)?;
        let written = db.commit();
        self.settle_doubt(db, written, before.generation + 1, &id)?;
        self.watch.seen = Seen { generation: before.generation + 1, id: Some(id) };
        Ok(index)
    }

    /// Stores the head as it is, to see whether a commit succeeds.
    pub(super) fn probe_shared(&mut self) -> Result<()> {
        let committer = self.committer.clone();
        let mut db = committer.db();
        let done = self.begin_shared(&mut db, &[]).and_then(|()| {
            db.tx().batch(WRITABLE)?;
            rows::save_head(&mut db.tx(), &self.preparer.head)?;
            db.commit()
        });
        match &done {
            Ok(()) => self.shared.health.well(),
            Err(error) => self.undo(&mut db, error),
        }
        done
    }

    /// Takes over what other nodes did while nobody asked this one.
    pub(super) fn look(&mut self) {
        let shared = self.shared.clone();
        let _turn = shared.health.turn(Stage::Prepare);
        let committer = self.committer.clone();
        let mut db = committer.db();
        let looked = db.read(|tx| {
            let found = self.head(tx, false)?;
            self.catch_up(tx, &found)
        });
        self.shared.connections.store(db.connections(), Ordering::Release);
        if let Err(error) = looked {
            tracing::warn!(error = %error, "ledger cannot be read");
            self.undo(&mut db, &error);
        }
    }

    /// Begins a transaction with the head locked, memory as the head says, and the keys of these
    /// arrivals' months.
    fn begin_shared(&mut self, db: &mut Db, arrivals: &[Moment]) -> Result<()> {
        let shared = self.shared.clone();
        let wait = |time| {
            let mut queue = shared.queue.lock();
            shared.work.wait_for(&mut queue, time);
        };
        let mut again = false;
        retry(wait, || {
            db.rollback();
            if std::mem::replace(&mut again, true) {
                // Keys and months that the try before made were never there.
                self.preparer.parts.keys.rolled_back();
                self.preparer.restart(self.preparer.head);
                self.watch.month = 0;
            }
            db.begin(Mode::Write)?;
            self.shared.connections.store(db.connections(), Ordering::Release);
            let mut tx = db.tx();
            let found = self.head(&mut tx, true)?;
            self.catch_up(&mut tx, &found)?;
            for at in arrivals {
                self.make_month_ready(&mut tx, *at)?;
                if let Some(month) = self.preparer.missing_keys(*at) {
                    self.preparer.sealer.make_keys(&mut tx, month)?;
                }
            }
            Ok(())
        })
    }

    /// Makes the partition of an entry's month where there is none. One look a day.
    fn make_month_ready(&mut self, tx: &mut Tx<'_>, arrival: Moment) -> Result<()> {
        let at = arrival.max(self.preparer.head.last_at);
        let day = at.plus_ms(7 * HOUR_MS).0.div_euclid(DAY_MS);
        if self.watch.month != 0 && day == self.watch.day {
            return Ok(());
        }
        let month = month_of(at);
        if month != self.watch.month {
            month::make_ready(tx, month)?;
        }
        (self.watch.day, self.watch.month) = (day, month);
        Ok(())
    }

    /// Takes back what the transaction under way did in memory. Where the database cannot be
    /// relied on, what is durable is read before the next one.
    fn undo(&mut self, db: &mut Db, error: &Error) {
        db.rollback();
        self.watch.month = 0;
        self.preparer.parts.keys.rolled_back();
        self.preparer.sealer.forget();
        self.shared.lines.write().rollback();
        let is_known = error.kind().is_none_or(|k| k == Kind::Retryable);
        if !is_known || matches!(error, Error::InDoubt) {
            self.committer.set_broken();
        }
    }
}

/// Keeps what a transaction changed for the other nodes, under its random id.
fn log(tx: &mut Tx<'_>, after: &Head, id: &[u8; 16], first: u64, changes: &[u8]) -> Result<()> {
    let generation = after.generation.cast_signed();
    tx.queue(
        "INSERT INTO ledger_batch (generation, id, first_idx, changes) VALUES ($1, $2, $3, $4)",
        values![generation, id, first.cast_signed(), changes],
    )?;
    if after.generation.is_multiple_of(TIDY_EVERY) {
        let oldest = generation - KEPT as i64;
        tx.queue("DELETE FROM ledger_batch WHERE generation < $1", values![oldest])?;
    }
    Ok(())
}
