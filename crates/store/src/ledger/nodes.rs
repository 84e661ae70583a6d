//! The ledger of a node on PostgreSQL, where other nodes write to the same one.
//!
//! Each transaction first locks the head. If another node went on since this node's last one, its
//! changes are taken over before anything is counted: so counts, locks and request ids are exact
//! across nodes. Entries, counts and head go with COMMIT in one round trip.
//!
//! **Invariant:** nobody is answered and nothing is repeated before it is known what became of a
//! COMMIT whose answer was lost. **Invariant:** memory is changed by what is committed, or by the
//! one transaction under way, which can be taken back.

use dancu_domain::moment::Moment;

use super::changes::Changes;
use super::prepare::Prepared;
use super::rows::{self, Head};
use super::writer::Writer;
use super::{ActFn, Draft, Verdict, Waiter};
use crate::engine::checks::{CLOCK_MAX_MS, clock_offset};
use crate::engine::{Db, Kind, Mode, Tx, retry};
use crate::error::{Error, Result};
use crate::requests::RequestItem;
use crate::values;

/// Transactions whose changes are kept for other nodes: at the 100 to 300 a second that a database
/// commits they last for minutes. Who fell further behind reads all counts anew.
const KEPT: u64 = 65_536;
/// How often, in transactions, older ones are removed.
const TIDY_EVERY: u64 = 256;
/// Tries to find out what became of a COMMIT, and the wait between them: 10 s are longer than a
/// server takes to start again or a standby to be promoted, and shorter than clients wait.
const ASK_TRIES: u32 = 50;
const ASK_WAIT: std::time::Duration = std::time::Duration::from_millis(200);

/// How often the machine's clock is compared with the database's, ms; sooner when it jumps.
const CLOCK_EVERY_MS: i64 = 5_000;

/// What the last comparison of the clocks said.
#[derive(Default)]
pub(super) struct ClockWatch {
    /// The machine's time at it; none was made yet at 0.
    at: i64,
    /// Whether they were too far apart.
    off: bool,
}

/// What the log of transactions tells of one: its changes and its request ids with first index.
type Logged = (Changes, Option<(u64, Vec<u8>)>);

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
        let committed = self.preparer.random_id().and_then(|id| {
            let written = self.write_shared(db, &prepared, &id).and_then(|()| db.commit());
            self.settle_doubt(db, written, before.generation + 1, &id)
        });
        match committed {
            Ok(()) => {
                self.preparer.parts.keys.committed();
                self.committer.make_known(prepared);
            }
            Err(error) => {
                tracing::error!(error = %error, "ledger.batch could not be committed");
                self.preparer.restart(before);
                self.undo(db, &error);
                if error.kind() == Some(Kind::Retryable) {
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
        let changes = Changes::pack(keys, &prepared.rows)?;
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
                committer.well();
                Ok(index)
            }
            Err(error) => {
                tracing::error!(error = %error, "ledger.act failed");
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
        let (index, touched) = self.change(&mut db.tx(), at, policy, change)?;
        if self.preparer.head.next_index == before.next_index {
            // Nothing that another node has to know of.
            self.preparer.head.generation = before.generation;
            return db.commit().map(|()| index);
        }
        let changes = Changes::pack(self.preparer.parts.keys.has_made(), &touched)?;
        log(&mut db.tx(), &self.preparer.head, &id, before.next_index, &changes)?;
        let written = db.commit();
        self.settle_doubt(db, written, before.generation + 1, &id)?;
        Ok(index)
    }

    /// Stores the head as it is, to see whether a commit succeeds.
    pub(super) fn probe_shared(&mut self) -> Result<()> {
        let committer = self.committer.clone();
        let mut db = committer.db();
        let done = self.begin_shared(&mut db, &[]).and_then(|()| {
            rows::save_head(&mut db.tx(), &self.preparer.head)?;
            db.commit()
        });
        match &done {
            Ok(()) => committer.well(),
            Err(error) => self.undo(&mut db, error),
        }
        done
    }

    /// Takes over what other nodes did while nobody asked this one.
    pub(super) fn look(&mut self) {
        let committer = self.committer.clone();
        let mut db = committer.db();
        let looked = db.read(|tx| {
            let found = rows::head(tx)?;
            self.catch_up(tx, found)
        });
        match looked {
            Ok(()) => committer.well(),
            Err(error) => {
                tracing::warn!(error = %error, "ledger cannot be read");
                self.undo(&mut db, &error);
            }
        }
    }

    /// Begins a transaction with the head locked, memory as the head says, and the keys of these
    /// arrivals' months.
    fn begin_shared(&mut self, db: &mut Db, arrivals: &[Moment]) -> Result<()> {
        self.check_clock(db)?;
        let shared = self.shared.clone();
        let wait = |time| {
            let mut queue = shared.queue.lock();
            shared.work.wait_for(&mut queue, time);
        };
        retry(wait, || {
            db.rollback();
            db.begin(Mode::Write)?;
            let mut tx = db.tx();
            let found = rows::lock_head(&mut tx)?;
            self.catch_up(&mut tx, found)?;
            for at in arrivals {
                if let Some(month) = self.preparer.missing_keys(*at) {
                    self.preparer.sealer.make_keys(&mut tx, month)?;
                }
            }
            Ok(())
        })
    }

    /// Journals nothing while this machine's clock is more than 2 s off the database's: windows,
    /// days and the order of time would not be those of the other nodes.
    fn check_clock(&mut self, db: &mut Db) -> Result<()> {
        let Some(clock) = self.preparer.parts.clock else { return Ok(()) };
        let passed = clock().0 - self.watch.at;
        if !(0..CLOCK_EVERY_MS).contains(&passed) {
            if db.is_lost() {
                db.reconnect()?;
            }
            let offset = clock_offset(&mut db.tx(), clock)?;
            self.watch = ClockWatch { at: clock().0, off: offset.abs() > CLOCK_MAX_MS };
            if self.watch.off {
                tracing::error!(offset, "ledger.clock is off the database's");
            }
        }
        if !self.watch.off {
            return Ok(());
        }
        self.committer.set_broken();
        Err(Error::Unavailable("clock"))
    }

    /// Takes over what other nodes committed since this node's last transaction.
    fn catch_up(&mut self, tx: &mut Tx<'_>, found: Head) -> Result<()> {
        let known = self.preparer.head;
        if found.generation == known.generation {
            return Ok(());
        }
        let parts = &self.preparer.parts;
        let logged = tx.query(
            "SELECT b.changes, r.first_idx, r.items FROM ledger_batch b \
             LEFT JOIN request_batch r ON r.first_idx = b.first_idx \
             WHERE b.generation > $1 AND b.generation <= $2 ORDER BY b.generation",
            values![known.generation.cast_signed(), found.generation.cast_signed()],
            |r| {
                let items = r.get::<Option<i64>>(1)?.zip(r.get::<Option<Vec<u8>>>(2)?);
                let items = items.map(|(first, items)| (first.cast_unsigned(), items));
                Ok::<Logged, Error>((Changes::unpack(r.get(0)?)?, items))
            },
        )?;
        let since = found.generation.checked_sub(known.generation);
        if since == Some(logged.len() as u64) {
            if logged.iter().any(|(changes, _)| changes.keys) {
                parts.keys.load(tx)?;
            }
            for (_, items) in &logged {
                let Some((first, items)) = items else { continue };
                for item in RequestItem::unpack(*first, items).filter(|i| i.answered) {
                    parts.requests.remember(&item.key, item.index);
                }
            }
            let rows = logged.into_iter().flat_map(|(changes, _)| changes.rows);
            self.shared.lines.write().take_over(rows);
        } else {
            // Too far behind, or another history was put back: everything is read.
            parts.keys.load(tx)?;
            let loaded = rows::load(tx, found.last_at, &parts.profiles)?;
            crate::requests::load(tx, &parts.requests, &parts.profiles, 0)?;
            *self.shared.lines.write() = loaded;
        }
        self.preparer.head = found;
        self.committer.publish(&found);
        Ok(())
    }

    /// What became of a COMMIT: where its answer was lost, the log of transactions is asked. The
    /// head's lock waits for a lost connection that is still committing, and a commit of this one
    /// after it makes sure that what was found is as durable as anything else.
    fn settle_doubt(
        &self,
        db: &mut Db,
        committed: Result<()>,
        generation: u64,
        id: &[u8; 16],
    ) -> Result<()> {
        let Err(error) = committed else { return Ok(()) };
        if error.kind() != Some(Kind::InDoubt) {
            return Err(error);
        }
        tracing::warn!(error = %error, "ledger.commit is in doubt");
        for _ in 0..ASK_TRIES {
            db.rollback();
            let asked = db.write(|tx| {
                rows::lock_head(tx)?;
                let sql = "SELECT id FROM ledger_batch WHERE generation = $1";
                let found: Option<[u8; 16]> =
                    tx.optional(sql, values![generation.cast_signed()], |r| r.get(0))?;
                tx.execute("UPDATE ledger_head SET generation = generation WHERE id = 1", &[])?;
                Ok(found)
            });
            match asked {
                Ok(Some(found)) if found == *id => return Ok(()),
                Ok(_) => return Err(not_committed()),
                Err(error) => tracing::warn!(error = %error, "ledger.commit is still in doubt"),
            }
            let mut queue = self.shared.queue.lock();
            self.shared.work.wait_for(&mut queue, ASK_WAIT);
        }
        Err(error)
    }

    /// Takes back what the transaction under way did in memory. Where the database cannot be
    /// relied on, what is durable is read before the next one.
    fn undo(&mut self, db: &mut Db, error: &Error) {
        db.rollback();
        self.preparer.parts.keys.rolled_back();
        self.preparer.sealer.forget();
        self.shared.lines.write().rollback();
        if error.kind().is_some_and(|k| k != Kind::Retryable) {
            self.committer.set_broken();
        }
    }
}

/// A COMMIT whose answer was lost and that left nothing.
fn not_committed() -> Error {
    crate::engine::Fault::not_committed().into()
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
