//! The ledger of a node on PostgreSQL, where other nodes write to the same one.
//!
//! Each transaction first locks the head. If another node went on since this node's last one, its
//! changes are taken over before anything is counted: so counts, locks and request ids are exact
//! across nodes. Entries, counts and head go with COMMIT in one round trip.
//!
//! **Invariant:** nobody is answered and nothing is repeated before it is known what became of a
//! COMMIT whose answer was lost. **Invariant:** memory is changed by what is committed, or by the
//! one transaction under way, which can be taken back.

use dancu_domain::moment::{DAY_MS, HOUR_MS, Moment};

use super::changes::Changes;
use super::prepare::Prepared;
use super::rows::{self, Head};
use super::writer::Writer;
use super::{ActFn, Draft, Verdict, Waiter};
use crate::engine::checks::CLOCK_MAX_MS;
use crate::engine::{Db, Kind, Mode, Tx, retry};
use crate::entries::month_of;
use crate::error::{Error, Result};
use crate::month;
use crate::requests::RequestItem;
use crate::sqlite::Area;
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

/// What a node goes by beside its memory.
#[derive(Default)]
pub(super) struct Watch {
    /// Whether this machine's clock was too far off the database's.
    off: bool,
    /// Day (UTC+7, since 1970) and month whose partition is known to be there.
    day: i64,
    month: u32,
}

/// Milliseconds by which the machine's clock is off the database's at the least: the database was
/// asked somewhen between two looks at the machine's, and may have let this node wait for the head.
fn off_by((before, after): (Moment, Moment), database_ms: i64) -> i64 {
    (before.0 - database_ms).max(database_ms - after.0).max(0)
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
            self.settle_doubt(db, written, before.generation + 1, &id)
        });
        match committed {
            Ok(()) => {
                self.preparer.parts.keys.committed();
                self.shared.figures.committed(began);
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
            let found = self.head(tx, false)?;
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
            let mut tx = db.tx();
            let found = self.head(&mut tx, true)?;
            self.catch_up(&mut tx, found)?;
            for at in arrivals {
                self.make_month_ready(&mut tx, *at)?;
                if let Some(month) = self.preparer.missing_keys(*at) {
                    self.preparer.sealer.make_keys(&mut tx, month)?;
                }
            }
            Ok(())
        })
    }

    /// Looks at the head. Nothing is journaled while this machine's clock is more than 2 s off the
    /// database's: windows, days and the order of time would not be those of the other nodes. And
    /// nothing once the schema was changed so that this program does not fit it any more.
    fn head(&mut self, tx: &mut Tx<'_>, lock: bool) -> Result<Head> {
        let before = self.preparer.parts.clock.map(|clock| clock());
        let found = rows::head_of_nodes(tx, lock)?;
        let after = self.preparer.parts.clock.map(|clock| clock());
        let off = before.zip(after).map_or(0, |clock| off_by(clock, found.database_ms));
        let was_off = std::mem::replace(&mut self.watch.off, off > CLOCK_MAX_MS);
        if self.watch.off {
            if !was_off {
                tracing::error!(off_ms = off, "ledger.clock is off the database's");
            }
            self.committer.set_broken();
            return Err(Error::Unavailable("clock"));
        }
        let wanted = Area::Core.version();
        if found.oldest > wanted {
            self.committer.set_broken();
            return Err(Error::Schema { file: Area::Core.file(), found: found.oldest, wanted });
        }
        Ok(found.head)
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
            let items = logged.iter().filter_map(|(_, items)| items.as_ref());
            let items: Vec<RequestItem> =
                items.flat_map(|(first, items)| RequestItem::unpack(*first, items)).collect();
            for item in items.iter().filter(|i| i.answered) {
                parts.requests.remember(&item.key, item.index);
            }
            if let Some(clock) = parts.clock {
                parts.requests.bind(items.iter(), clock().0);
            }
            let rows = logged.into_iter().flat_map(|(changes, _)| changes.rows);
            self.shared.lines.write().take_over(rows);
        } else {
            // Too far behind, or another history was put back: everything is read.
            parts.keys.load(tx)?;
            let loaded = rows::load(tx, found.last_at, &parts.profiles)?;
            let headers = crate::requests::load(tx, &parts.requests, &parts.profiles, 0)?;
            parts.bind(&headers);
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
        self.watch.month = 0;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_for_the_head_is_no_difference_of_clocks() {
        let asked = |before, after, database| off_by((Moment(before), Moment(after)), database);
        assert_eq!(asked(1_000, 1_002, 1_001), 0);
        assert_eq!(asked(1_000, 6_000, 1_001), 0);
        assert_eq!(asked(1_000, 1_010, 4_010), 3_000, "the machine is behind");
        assert_eq!(asked(4_010, 4_020, 1_010), 3_000, "the machine is ahead");
    }
}
