//! How a node follows the others: it looks at the head, takes over what was committed since, and
//! finds out what became of a commit whose answer was lost.
//!
//! **Invariant:** a node goes on only in the history that it saw. Each transaction has a random id:
//! where the last one that this node knows is not in the log any more, an older copy was put in the
//! database's place, or a standby was promoted without the last commits. Entries that were told are
//! gone then, and only a person can say what follows.

use std::time::Duration;

use dancu_domain::moment::Moment;

use super::changes::Changes;
use super::health::Trouble;
use super::nodes::KEPT;
use super::rows::{self, Found, Head};
use super::writer::Writer;
use super::{LedgerParts, Shared};
use crate::engine::checks::{CLOCK_MAX_MS, is_standby};
use crate::engine::{Db, Kind, Tx, migrate};
use crate::error::{Error, Result};
use crate::requests::RequestItem;
use crate::used::Used;
use crate::values;

/// Tries to find out what became of a COMMIT, the wait between them, and the time after which no
/// further one begins: 10 s are longer than a server takes to start again or a standby to be
/// promoted, and shorter than clients wait.
const ASK_TRIES: u32 = 50;
const ASK_WAIT: Duration = Duration::from_millis(200);
const ASK_MAX: Duration = Duration::from_secs(10);

/// What an operator reads where a node stopped for good.
pub(crate) const STOPPED: &str = "\
     cơ sở dữ liệu không còn giao dịch mà nút này đã thấy: máy dự phòng được nâng lên khi thiếu \
     lần ghi cuối, hoặc một bản cũ được đặt vào chỗ. Nút ngừng phục vụ. Đưa dữ liệu mới nhất trở \
     lại; nếu không còn, dừng mọi nút, chạy `dancu restore accept` để ghi vào nhật ký phần đã mất, \
     rồi khởi động lại (the database lost a transaction that this node had seen: a standby was \
     promoted without the last commits, or an older copy put in its place. Bring the newest data \
     back; else stop every node, run `dancu restore accept`, which journals what is lost, and \
     start again)";

/// The last transaction that a node knows to be durable.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Seen {
    pub(crate) generation: u64,
    /// Its random id; none where the database was new, or restored without its log.
    pub(crate) id: Option<[u8; 16]>,
}

impl Seen {
    /// Whether it stands in a database's history that has come to `generation` and holds `there`
    /// under its number. Of what is no longer kept nothing can be said.
    pub(crate) fn is_before(self, generation: u64, there: Option<[u8; 16]>) -> bool {
        match generation.checked_sub(self.generation) {
            None => false,
            Some(since) => since > KEPT || there == self.id,
        }
    }
}

/// Whether a database still has the history in which that was seen.
pub(crate) fn continues(tx: &mut Tx<'_>, seen: Seen) -> Result<bool> {
    let head = rows::head(tx)?;
    Ok(seen.is_before(head.generation, rows::id_of(tx, seen.generation)?))
}

impl Shared {
    /// The database has another history than this node saw: it stops for good. A standby that
    /// lags is no other history: it is asked again.
    pub(super) fn other_history(&self, tx: &mut Tx<'_>, seen: Seen, found: &Head) -> Error {
        match is_standby(tx) {
            Ok(false) => {}
            Ok(true) => return Error::Unavailable("standby"),
            Err(error) => return error,
        }
        if !self.health.is_older_copy() {
            *self.lost.lock() = Some(seen);
            self.health.set_older_copy();
            tracing::error!(
                seen = seen.generation,
                found = found.generation,
                next_index = found.next_index,
                "ledger: {STOPPED}"
            );
        }
        Error::OlderCopy(STOPPED.to_owned())
    }
}

/// Milliseconds by which the machine's clock is off the database's at the least: the database was
/// asked somewhen between two looks at the machine's, and may have let this node wait for the head.
fn off_by((before, after): (Moment, Moment), database_ms: i64) -> i64 {
    (before.0 - database_ms).max(database_ms - after.0).max(0)
}

/// What the log of transactions tells of one: its changes and its request ids with first index.
type Logged = (Changes, Option<(u64, Vec<u8>)>);

/// The log from a transaction that is known on: of that one the id alone.
const LOG_SINCE: &str = "SELECT b.generation, b.id, \
    CASE WHEN b.generation > $1 THEN b.changes END, r.first_idx, r.items FROM ledger_batch b \
    LEFT JOIN request_batch r ON r.first_idx = b.first_idx AND b.generation > $1 \
    WHERE b.generation >= $1 AND b.generation <= $2 ORDER BY b.generation";

/// The log since a transaction, as it was read.
#[derive(Default)]
struct Log {
    /// Id of the transaction that is known, as it stands there.
    known: Option<[u8; 16]>,
    /// Id of the last one.
    last: Option<[u8; 16]>,
    since: Vec<Logged>,
    of_another_format: bool,
}

impl Log {
    fn read(tx: &mut Tx<'_>, from: u64, to: u64) -> Result<Self> {
        let mut log = Self::default();
        tx.each(LOG_SINCE, values![from.cast_signed(), to.cast_signed()], |r| {
            let id: [u8; 16] = r.get(1)?;
            log.last = Some(id);
            match r.get::<Option<&[u8]>>(2)? {
                None => log.known = Some(id),
                Some(changes) => {
                    let items = r.get::<Option<i64>>(3)?.zip(r.get::<Option<Vec<u8>>>(4)?);
                    let items = items.map(|(first, items)| (first.cast_unsigned(), items));
                    match Changes::unpack(changes)? {
                        Some(changes) => log.since.push((changes, items)),
                        // Not whole then: everything is read.
                        None => log.of_another_format = true,
                    }
                }
            }
            Ok(true)
        })?;
        Ok(log)
    }
}

impl Writer {
    /// Looks at the head. Nothing is journaled while this machine's clock is more than 2 s off the
    /// database's: windows, days and the order of time would not be those of the other nodes. And
    /// nothing once the schema was changed so that this program does not fit it any more.
    pub(super) fn head(&mut self, tx: &mut Tx<'_>, lock: bool) -> Result<Found> {
        let before = self.preparer.parts.clock.map(|clock| clock());
        let found = rows::head_of_nodes(tx, lock)?;
        let after = self.preparer.parts.clock.map(|clock| clock());
        let off = before.zip(after).map_or(0, |clock| off_by(clock, found.database_ms));
        let was_off = std::mem::replace(&mut self.watch.off, off > CLOCK_MAX_MS);
        if self.watch.off {
            if !was_off {
                tracing::error!(off_ms = off, "ledger.clock is off the database's");
            }
            self.shared.health.failed_by(Trouble::Clock);
            self.committer.set_broken();
            return Err(Error::Unavailable("clock"));
        }
        if let Some(area) = &found.unfit {
            self.shared.health.failed_by(Trouble::Schema);
            self.committer.set_broken();
            return Err(migrate::refusal(tx, area)?);
        }
        self.shared.health.fits();
        Ok(found)
    }

    /// Takes over what other nodes committed since this node's last transaction.
    pub(super) fn catch_up(&mut self, tx: &mut Tx<'_>, found: &Found) -> Result<()> {
        let (head, seen) = (found.head, self.watch.seen);
        if head.generation == seen.generation {
            return if found.id == seen.id {
                Ok(())
            } else {
                Err(self.shared.other_history(tx, seen, &head))
            };
        }
        let log = Log::read(tx, seen.generation, head.generation)?;
        if !seen.is_before(head.generation, log.known) {
            return Err(self.shared.other_history(tx, seen, &head));
        }
        let is_whole =
            !log.of_another_format && head.generation - seen.generation == log.since.len() as u64;
        let last = log.last;
        if is_whole {
            self.take_over(tx, log.since)?;
        } else {
            self.read_all(tx, &head)?;
        }
        self.preparer.head = head;
        self.watch.seen = Seen { generation: head.generation, id: last };
        self.committer.publish(&head);
        Ok(())
    }

    fn take_over(&self, tx: &mut Tx<'_>, logged: Vec<Logged>) -> Result<()> {
        let parts = &self.preparer.parts;
        if logged.iter().any(|(changes, _)| changes.keys) {
            parts.keys.load(tx)?;
        }
        let mut items: Vec<RequestItem> = vec![];
        for (changes, requests) in &logged {
            items.extend(changes.used.iter().map(Used::item));
            if let Some((first, packed)) = requests {
                items.extend(RequestItem::unpack(*first, packed));
            }
        }
        parts.requests.charge(logged.iter().flat_map(|(changes, _)| &changes.charges));
        for item in items.iter().filter(|i| i.answered) {
            parts.requests.remember(&item.key, item.index);
        }
        if let Some(clock) = parts.clock {
            parts.requests.bind(items.iter(), clock().0);
        }
        let rows = logged.into_iter().flat_map(|(changes, _)| changes.rows);
        self.shared.lines.write().take_over(rows);
        Ok(())
    }

    /// The log does not reach back to what is known: everything is read.
    fn read_all(&self, tx: &mut Tx<'_>, head: &Head) -> Result<()> {
        let parts: &LedgerParts = &self.preparer.parts;
        parts.keys.load(tx)?;
        let loaded = rows::load(tx, head.last_at, &parts.profiles)?;
        let headers = crate::requests::load(tx, &parts.requests, &parts.profiles, 0)?;
        parts.bind(&headers);
        *self.shared.lines.write() = loaded;
        Ok(())
    }

    /// What became of a COMMIT: where its answer was lost, the log of transactions is asked. The
    /// head's lock waits for a lost connection that is still committing, and a commit of this one
    /// after it makes sure that what was found is as durable as anything else. Meanwhile the node
    /// is not ready.
    ///
    /// # Errors
    /// [`Error::InDoubt`] where nobody could be asked in time: the next transaction reads what the
    /// database holds then, and request ids decide.
    pub(super) fn settle_doubt(
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
        self.shared.health.failed_by(Trouble::InDoubt);
        let began = self.shared.figures.begin();
        for _ in 0..ASK_TRIES {
            db.rollback();
            let asked = db.write(|tx| {
                rows::lock_head(tx)?;
                let found = rows::id_of(tx, generation)?;
                tx.execute("UPDATE ledger_head SET generation = generation WHERE id = 1", &[])?;
                Ok(found)
            });
            match asked {
                Ok(Some(found)) if found == *id => return Ok(()),
                Ok(_) => {
                    self.shared.health.well();
                    return Err(crate::engine::Fault::not_committed().into());
                }
                Err(error) => tracing::warn!(error = %error, "ledger.commit is still in doubt"),
            }
            if self.shared.figures.since(began).is_some_and(|asked| asked >= ASK_MAX) {
                break;
            }
            let mut queue = self.shared.queue.lock();
            self.shared.work.wait_for(&mut queue, ASK_WAIT);
        }
        tracing::error!("ledger.commit stays in doubt: its callers are told so");
        Err(Error::InDoubt)
    }
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

    #[test]
    fn another_history_is_told_by_the_id_of_what_was_seen() {
        let seen = Seen { generation: 100, id: Some([1; 16]) };
        assert!(seen.is_before(100, Some([1; 16])) && seen.is_before(101, Some([1; 16])));
        for generation in [100, 101, 100 + KEPT] {
            assert!(!seen.is_before(generation, Some([2; 16])), "{generation}");
            assert!(!seen.is_before(generation, None), "{generation}");
        }
        assert!(!seen.is_before(99, None), "the database went back");
        assert!(seen.is_before(101 + KEPT, None), "what was seen is no longer kept");
        let restored = Seen { generation: 7, id: None };
        assert!(restored.is_before(7, None) && restored.is_before(8, None));
    }
}
