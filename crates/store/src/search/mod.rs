//! Search runs: derived from the journal by a background thread, sorted, rebuildable.
//!
//! A run holds (kind, digest, index) of one range of the log in key order. A search reads the runs
//! and then the tail that is not yet in one, so that what is durable is found at once. Eight runs
//! of a level are merged into one of the next.
//!
//! **Invariant:** the runs tell of this journal and no other. They are bound to the commitment of
//! the last entry that they cover; where the journal has another one there, because an older or a
//! foreign file was put back, they are emptied and made anew. Entries of a month whose key is gone
//! are in no run: nothing says what they would be found by.

mod closed;
mod nodes;
mod runs;

use std::path::Path;
use std::sync::Arc;

use dancu_journal::{Body, Entry};
use parking_lot::{Condvar, Mutex};

use self::closed::Closed;
use self::runs::{bind, find_in_runs, merge, new_run, write_chunk};
use crate::engine::{Db, Settings, Tx};
use crate::entries::{self, Pseudonyms, Scanned, SearchKind, commitment_of};
use crate::error::{Error, Result};
use crate::keys::Keyring;
use crate::readers::{Place, Readers};
use crate::sqlite::{self, Area};

/// Bytes of one item: kind 1, digest 16, index 8.
const ITEM: usize = 25;
/// Items of a chunk: 1,024 × 25 bytes = 25 KiB, a handful of pages per look.
const CHUNK_ITEMS: usize = 1_024;
/// Runs of one level that are merged into one of the next.
const FAN_IN: usize = 8;
/// Items that make the indexer write a run at once; otherwise it waits for [`RUN_WAIT`].
const RUN_ITEMS: usize = 65_536;
/// Longest time an item stays in the tail: half of the 2 s that the tail may lag.
const RUN_WAIT: std::time::Duration = std::time::Duration::from_secs(1);

/// Kind, digest and index of an entry, as the ledger gives them.
pub(crate) type Item = (u8, [u8; 16], u64);

/// An item as two numbers that sort as its bytes do: kind and the digest's first 15 bytes; the
/// digest's last byte and the index.
type Key = (u128, u128);

fn key(kind: u8, digest: &[u8; 16], index: u64) -> Key {
    let digest = u128::from_be_bytes(*digest);
    (u128::from(kind) << 120 | digest >> 8, (digest & 0xff) << 64 | u128::from(index))
}

fn bytes(key: &Key) -> [u8; ITEM] {
    let mut out = [0; ITEM];
    out[..16].copy_from_slice(&key.0.to_be_bytes());
    out[16..].copy_from_slice(&key.1.to_be_bytes()[7..]);
    out
}

fn item(kind: u8, digest: &[u8; 16], index: u64) -> [u8; ITEM] {
    bytes(&key(kind, digest, index))
}

fn key_of(item: &[u8; ITEM]) -> Key {
    let (mut high, mut low) = ([0; 16], [0; 16]);
    high.copy_from_slice(&item[..16]);
    low[7..].copy_from_slice(&item[16..]);
    (u128::from_be_bytes(high), u128::from_be_bytes(low))
}

fn index_of(item: &[u8; ITEM]) -> u64 {
    key_of(item).1 as u64
}

/// What is journaled and not yet in a run.
#[derive(Default)]
pub struct Tail {
    state: Mutex<TailState>,
    work: Condvar,
}

#[derive(Default)]
struct TailState {
    /// Being written as a run.
    writing: Arc<Vec<Key>>,
    /// Since then.
    fresh: Vec<Key>,
    /// Next index after the last item of `fresh`.
    end: u64,
    stopped: bool,
}

impl TailState {
    /// Takes the fresh items; they stay visible while they are written.
    fn take(&mut self) -> (Arc<Vec<Key>>, u64, bool) {
        self.writing = Arc::new(std::mem::take(&mut self.fresh));
        (self.writing.clone(), self.end, self.stopped)
    }
}

impl Tail {
    /// Adds what a batch journaled; `end` is the next journal index.
    pub fn extend(&self, items: &[(u8, [u8; 16], u64)], end: u64) {
        let mut state = self.state.lock();
        state.fresh.extend(items.iter().map(|(k, d, i)| key(*k, d, *i)));
        state.end = end;
        let full = state.fresh.len() >= RUN_ITEMS;
        drop(state);
        if full {
            self.work.notify_one();
        }
    }

    /// Items waiting for a run.
    pub fn len(&self) -> usize {
        let state = self.state.lock();
        state.fresh.len() + state.writing.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn find(&self, kind: u8, digest: &[u8; 16], from: u64, limit: usize) -> Vec<u64> {
        let state = self.state.lock();
        let range = key(kind, digest, from)..=key(kind, digest, u64::MAX);
        let mut found: Vec<u64> = state
            .writing
            .iter()
            .chain(&state.fresh)
            .filter(|k| range.contains(k))
            .map(|k| k.1 as u64)
            .collect();
        found.sort_unstable();
        found.truncate(limit);
        found
    }
}

/// The search tables and the thread that fills them.
pub struct Search {
    tail: Arc<Tail>,
    readers: Readers,
    /// On PostgreSQL what is in no run is read from the journal, as other nodes write to it.
    journal_keys: Option<Arc<Keyring>>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Search {
    /// Opens the search file, takes in what the journal has beyond it, starts the indexer.
    pub fn start(dir: &Path, core: &mut Tx<'_>, keys: &Keyring, tail: Arc<Tail>) -> Result<Self> {
        let path = dir.join(Area::Search.file());
        let mut writer = sqlite::writer(&path)?;
        // Derived data: a commit need not reach the disk before the next does.
        writer.pragma_update(None, "synchronous", "NORMAL")?;
        writer.pragma_update(None, "wal_autocheckpoint", 4_000)?;
        sqlite::migrate(&mut writer, Area::Search)?;
        let mut writer = Db::from(writer);
        let first = if let Some(end) = covered(core, &mut writer.tx())? {
            end
        } else {
            writer.write(empty)?;
            0
        };
        let journal = Db::from(sqlite::reader(&dir.join(Area::Core.file()))?);
        let mut indexer = Indexer { db: writer, journal, tail: tail.clone(), first };
        // Written as it comes: a journal of years does not fit into the memory.
        take_in(core, keys, &tail, first, || match tail.len() {
            0..RUN_ITEMS => Ok(()),
            _ => indexer.flush(),
        })?;
        let readers = Readers::open(Place::File(path))?;
        let thread =
            std::thread::Builder::new().name("indexer".into()).spawn(move || indexer.run())?;
        Ok(Self { tail, readers, journal_keys: None, thread: Mutex::new(Some(thread)) })
    }

    /// Starts a node's indexer on PostgreSQL; one node at a time writes runs.
    pub(crate) fn start_node(settings: &Settings, keys: Arc<Keyring>) -> Result<Self> {
        let place = Place::Server(Box::new(settings.clone()));
        let tail = Arc::new(Tail::default());
        let indexer = nodes::Indexer::new(place.clone(), keys.clone(), tail.clone());
        let readers = Readers::open(place)?;
        let thread =
            std::thread::Builder::new().name("indexer".into()).spawn(move || indexer.run())?;
        Ok(Self { tail, readers, journal_keys: Some(keys), thread: Mutex::new(Some(thread)) })
    }

    /// Indexes of entries with a digest, rising, from an index on, at most `limit`.
    pub fn find(
        &self,
        kind: SearchKind,
        digest: &[u8; 16],
        from: u64,
        limit: usize,
    ) -> Result<Vec<u64>> {
        if let Some(keys) = &self.journal_keys {
            return self
                .readers
                .read_state(|tx| nodes::find(tx, keys, kind as u8, digest, from, limit));
        }
        // The tail is read first: what moves into a run meanwhile is then found twice, never lost.
        let mut found = self.tail.find(kind as u8, digest, from, limit);
        let in_runs =
            self.readers.read_state(|tx| find_in_runs(tx, kind as u8, digest, from, limit))?;
        found.extend(in_runs);
        found.sort_unstable();
        found.dedup();
        found.truncate(limit);
        Ok(found)
    }

    /// Items waiting for a run; on PostgreSQL entries, of every node, which are asked for.
    pub fn tail_items(&self) -> Result<u64> {
        if self.journal_keys.is_some() {
            return self.readers.read(nodes::waiting);
        }
        Ok(self.tail.len() as u64)
    }

    /// Writes what waits as a last run and ends the thread.
    pub fn stop(&self) {
        self.tail.state.lock().stopped = true;
        self.tail.work.notify_all();
        if let Some(thread) = self.thread.lock().take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Puts the digests of entries that are in no run into the tail.
pub(crate) fn catch_up(core: &mut Tx<'_>, keys: &Keyring, tail: &Tail, from: u64) -> Result<()> {
    take_in(core, keys, tail, from, || Ok(()))
}

/// The same, calling `then` after each entry.
fn take_in(
    core: &mut Tx<'_>,
    keys: &Keyring,
    tail: &Tail,
    from: u64,
    mut then: impl FnMut() -> Result<()>,
) -> Result<()> {
    let mut closed = Closed::default();
    entries::scan_past(core, keys, from, |scanned| {
        match scanned {
            Scanned::Entry(entry) => {
                tail.extend(&found_by(keys, &entry), entry.index + 1);
                then()?;
            }
            Scanned::Closed { month, first, end } => {
                closed.add(month, end - first);
                tail.extend(&[], end);
            }
        }
        Ok(true)
    })?;
    closed.tell();
    Ok(())
}

/// The journal index up to which the runs cover this journal; `None` = they were made from another.
fn covered(core: &mut Tx<'_>, search: &mut Tx<'_>) -> Result<Option<u64>> {
    let (end, origin) = origin(search)?;
    let agrees = match origin {
        None => end == 0,
        Some((of, commitment)) => {
            of == end
                && of > 0
                && commitment_of(core, of - 1)?.is_some_and(|here| here[..] == commitment[..])
        }
    };
    Ok(agrees.then_some(end))
}

/// The end of the runs and the commitment of the entry before it.
type Origin = (u64, Vec<u8>);

/// Up to where the runs go, and the end and commitment that they are bound to.
fn origin(search: &mut Tx<'_>) -> Result<(u64, Option<Origin>)> {
    let sql = "SELECT end_index, commitment FROM run_origin WHERE id = 1";
    let origin = search
        .optional(sql, &[], |r| Ok((r.get::<i64>(0)?.cast_unsigned(), r.get::<Vec<u8>>(1)?)))?;
    Ok((end_of_runs(search)?, origin))
}

/// The journal index after the last that a run covers.
fn end_of_runs(search: &mut Tx<'_>) -> Result<u64> {
    let sql = "SELECT COALESCE(MAX(end_index), 0) FROM run";
    search.one(sql, &[], |r| Ok(r.get::<i64>(0)?.cast_unsigned()))
}

/// Empties the runs.
fn empty(search: &mut Tx<'_>) -> Result<()> {
    tracing::warn!("the search was not made from this journal: it is emptied and made anew");
    for sql in ["DELETE FROM run_chunk", "DELETE FROM run", "DELETE FROM run_origin"] {
        search.execute(sql, &[])?;
    }
    Ok(())
}

/// Writes items as a run, merges what is to be merged, and binds the runs to the journal.
fn write_run(
    tx: &mut Tx<'_>,
    items: &[Key],
    (first, end): (u64, u64),
    commitment: &[u8],
) -> Result<()> {
    let mut sorted = items.to_vec();
    sorted.sort_unstable();
    let run = new_run(tx, 0, first, end, sorted.len() as i64)?;
    let mut packed = Vec::with_capacity(CHUNK_ITEMS * ITEM);
    for chunk in sorted.chunks(CHUNK_ITEMS) {
        packed.clear();
        for key in chunk {
            packed.extend_from_slice(&bytes(key));
        }
        write_chunk(tx, run, &packed)?;
    }
    merge(tx)?;
    bind(tx, end, commitment)
}

/// What an entry is found by.
fn found_by(keys: &Keyring, entry: &Entry) -> Vec<Item> {
    match &entry.body {
        Body::Query(q) => digests(keys, entry.at, q, entry.index),
        Body::Act(_) => act_item(&entry.body, entry.index).into_iter().collect(),
        Body::Aggregate(_) => vec![],
    }
}

/// What the entry of an act is found by: its kind and system.
pub(crate) fn act_item(body: &Body, index: u64) -> Option<Item> {
    let Body::Act(act) = body else { return None };
    let digest = entries::act_digest(act.system, &act.kind);
    Some((SearchKind::Act as u8, digest, index))
}

/// The digests that a question's entry is found by.
fn digests(keys: &Keyring, at: i64, q: &dancu_journal::Query, index: u64) -> Vec<Item> {
    let mut out = vec![(SearchKind::System as u8, entries::system_digest(q.system), index)];
    let year = dancu_domain::moment::Moment(at).viet_nam_date().year();
    if let Some(p) = Pseudonyms::of_year(keys, year.unsigned_abs()) {
        if q.account != 0 {
            out.push((SearchKind::Account as u8, p.account(q.account), index));
        }
        if !q.case.is_empty() {
            out.push((SearchKind::Case as u8, p.case(&q.case), index));
        }
    }
    out.extend(q.subjects.iter().map(|s| (SearchKind::Subject as u8, s.pseudonym, index)));
    out
}

struct Indexer {
    db: Db,
    /// Of the journal, to bind the runs to it.
    journal: Db,
    tail: Arc<Tail>,
    first: u64,
}

impl Indexer {
    fn run(mut self) {
        loop {
            let (items, end, stopped) = self.take();
            if let Err(error) = self.write(&items, end) {
                // The search is derived: it is rebuilt from the journal at the next start.
                tracing::error!(error = %error, "search.run could not be written");
                self.give_back(&items);
                if stopped {
                    return;
                }
                // A full tail does not make a disk that fails work: it is tried now and then.
                let mut state = self.tail.state.lock();
                self.tail.work.wait_while_for(&mut state, |s| !s.stopped, RUN_WAIT);
                continue;
            }
            if stopped && self.tail.state.lock().fresh.is_empty() {
                return;
            }
        }
    }

    /// Waits for work and takes the fresh items; they stay visible while they are written.
    fn take(&self) -> (Arc<Vec<Key>>, u64, bool) {
        let mut state = self.tail.state.lock();
        if state.fresh.len() < RUN_ITEMS && !state.stopped {
            self.tail.work.wait_for(&mut state, RUN_WAIT);
        }
        state.take()
    }

    /// Writes the fresh items as a run at once.
    fn flush(&mut self) -> Result<()> {
        let (items, end, _) = self.tail.state.lock().take();
        self.write(&items, end)
    }

    fn give_back(&self, items: &[Key]) {
        let mut state = self.tail.state.lock();
        state.fresh.extend_from_slice(items);
        state.writing = Arc::default();
    }

    fn write(&mut self, items: &[Key], end: u64) -> Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        let commitment = commitment_of(&mut self.journal.tx(), end.saturating_sub(1))?;
        let commitment = commitment.ok_or(Error::Damaged("entry of a run"))?;
        self.db.write(|tx| write_run(tx, items, (self.first, end), &commitment))?;
        self.first = end;
        self.tail.state.lock().writing = Arc::default();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use rusqlite::{Connection, params};

    use super::runs::find_in_run;
    use super::*;

    /// A journal of `n` entries, as far as the runs look at it.
    fn journal(n: u64, fill: u8) -> Connection {
        let mut db = Connection::open_in_memory().unwrap();
        sqlite::migrate(&mut db, Area::Core).unwrap();
        put_entries(&db, n, fill);
        db
    }

    fn put_entries(db: &Connection, n: u64, fill: u8) {
        db.execute("DELETE FROM entry_chunk", []).unwrap();
        let commitments = vec![fill; 32 * n as usize];
        db.execute(
            "INSERT INTO entry_chunk (first_idx, entries, month, commitments, sealed) \
             VALUES (0, $1, 202603, $2, x'')",
            params![n as i64, commitments],
        )
        .unwrap();
    }

    /// Merging takes runs away: who looks meanwhile still finds what was in them.
    #[test]
    fn nothing_is_lost_while_runs_are_merged() {
        let dir = std::env::temp_dir().join(format!("dancu-search-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join(Area::Search.file());
        let mut db = sqlite::writer(&path).unwrap();
        db.pragma_update(None, "synchronous", "OFF").unwrap();
        sqlite::migrate(&mut db, Area::Search).unwrap();
        let db = Db::from(db);
        let readers = Readers::open(Place::File(path)).unwrap();
        let tail = Arc::new(Tail::default());
        let mut indexer = Indexer { db, journal: journal(600, 1).into(), tail, first: 0 };
        let known = AtomicU64::new(0);
        std::thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| {
                    while known.load(Ordering::Acquire) < 600 {
                        let durable = known.load(Ordering::Acquire);
                        let found = readers
                            .read_state(|tx| find_in_runs(tx, 1, &[7; 16], 0, usize::MAX))
                            .unwrap();
                        assert!(found.len() as u64 >= durable, "{} of {durable}", found.len());
                    }
                });
            }
            for i in 0..600u64 {
                indexer.write(&[key(1, &[7; 16], i)], i + 1).unwrap();
                known.store(i + 1, Ordering::Release);
            }
        });
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn runs_of_another_journal_are_told() {
        let mut db = Connection::open_in_memory().unwrap();
        sqlite::migrate(&mut db, Area::Search).unwrap();
        let core = journal(100, 1);
        let mut core_tx = Tx::from(&core);
        assert_eq!(covered(&mut core_tx, &mut Tx::from(&db)).unwrap(), Some(0));
        let tail = Arc::new(Tail::default());
        let journal = journal(100, 1).into();
        let mut indexer = Indexer { db: db.into(), journal, tail, first: 0 };
        indexer.write(&[key(1, &[7; 16], 59)], 60).unwrap();
        let mut db = indexer.db;
        assert_eq!(covered(&mut core_tx, &mut db.tx()).unwrap(), Some(60));
        // An older journal, and one that went on differently.
        put_entries(&core, 59, 1);
        assert_eq!(covered(&mut core_tx, &mut db.tx()).unwrap(), None);
        put_entries(&core, 100, 2);
        assert_eq!(covered(&mut core_tx, &mut db.tx()).unwrap(), None);
        db.write(empty).unwrap();
        assert_eq!(covered(&mut core_tx, &mut db.tx()).unwrap(), Some(0));
        assert!(find_in_runs(&mut db.tx(), 1, &[7; 16], 0, 10).unwrap().is_empty());
    }

    #[test]
    fn runs_and_tail_give_every_index_once() {
        let mut db = Connection::open_in_memory().unwrap();
        sqlite::migrate(&mut db, Area::Search).unwrap();
        let tail = Arc::new(Tail::default());
        let journal = journal(20_000, 1).into();
        let mut indexer = Indexer { db: db.into(), journal, tail: tail.clone(), first: 0 };
        let digest = |i: u64| [(i % 7) as u8; 16];
        let mut next = 0u64;
        for round in 0..70u64 {
            let n = 1 + round * 13 % 300;
            let items: Vec<_> = (next..next + n).map(|i| (3u8, digest(i), i)).collect();
            next += n;
            tail.extend(&items, next);
            indexer.flush().unwrap();
        }
        let mut tx = indexer.db.tx();
        let sql = "SELECT COUNT(DISTINCT level) FROM run";
        assert!(tx.one(sql, &[], |r| r.get::<i64>(0)).unwrap() >= 2);
        let sql = "SELECT id FROM run ORDER BY first_index";
        let all: Vec<i64> = tx.query(sql, &[], |r| r.get(0)).unwrap();
        for key in 0..7u64 {
            for from in [0, 100, 5_000] {
                let mut found = vec![];
                for run in &all {
                    find_in_run(&mut tx, *run, 3, &digest(key), from, usize::MAX, &mut found)
                        .unwrap();
                }
                let expected: Vec<u64> = (from..next).filter(|i| i % 7 == key).collect();
                assert_eq!(found, expected);
            }
        }
    }
}
