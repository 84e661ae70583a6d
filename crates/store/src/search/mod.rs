//! Search runs: derived from the journal by a background thread, sorted, rebuildable.
//!
//! A run holds (kind, digest, index) of one range of the log in key order. A search reads the runs
//! and then the tail that is not yet in one, so that what is durable is found at once. Eight runs
//! of a level are merged into one of the next.

use std::path::Path;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use rusqlite::{Connection, params};

use crate::entries::{self, Pseudonyms, SearchKind};
use crate::error::{Error, Result};
use crate::keys::Keyring;
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

type Item = [u8; ITEM];

fn item(kind: u8, digest: &[u8; 16], index: u64) -> Item {
    let mut out = [0; ITEM];
    out[0] = kind;
    out[1..17].copy_from_slice(digest);
    out[17..].copy_from_slice(&index.to_be_bytes());
    out
}

fn index_of(item: &[u8]) -> u64 {
    let mut out = [0; 8];
    out.copy_from_slice(&item[17..ITEM]);
    u64::from_be_bytes(out)
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
    writing: Arc<Vec<Item>>,
    /// Since then.
    fresh: Vec<Item>,
    /// Next index after the last item of `fresh`.
    end: u64,
    stopped: bool,
}

impl Tail {
    /// Adds what a batch journaled; `end` is the next journal index.
    pub fn extend(&self, items: &[(u8, [u8; 16], u64)], end: u64) {
        let mut state = self.state.lock();
        state.fresh.extend(items.iter().map(|(k, d, i)| item(*k, d, *i)));
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
        let prefix = &item(kind, digest, 0)[..17];
        let mut found: Vec<u64> = state
            .writing
            .iter()
            .chain(&state.fresh)
            .filter(|i| &i[..17] == prefix)
            .map(|i| index_of(i))
            .filter(|i| *i >= from)
            .collect();
        found.sort_unstable();
        found.truncate(limit);
        found
    }
}

/// The search tables and the thread that fills them.
pub struct Search {
    tail: Arc<Tail>,
    reader: Mutex<Connection>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Search {
    /// Opens the search file, takes in what the journal has beyond it, starts the indexer.
    pub fn start(dir: &Path, core: &Connection, keys: &Keyring, tail: Arc<Tail>) -> Result<Self> {
        let path = dir.join(Area::Search.file());
        let mut writer = sqlite::writer(&path)?;
        // Derived data: a commit need not reach the disk before the next does.
        writer.pragma_update(None, "synchronous", "NORMAL")?;
        writer.pragma_update(None, "wal_autocheckpoint", 4_000)?;
        sqlite::migrate(&mut writer, Area::Search)?;
        let from: i64 =
            writer.query_row("SELECT COALESCE(MAX(end_index), 0) FROM run", [], |r| r.get(0))?;
        catch_up(core, keys, &tail, from.cast_unsigned())?;
        let reader = Mutex::new(sqlite::reader(&path)?);
        let indexer = Indexer { db: writer, tail: tail.clone(), first: from.cast_unsigned() };
        let thread =
            std::thread::Builder::new().name("indexer".into()).spawn(move || indexer.run())?;
        Ok(Self { tail, reader, thread: Mutex::new(Some(thread)) })
    }

    /// Indexes of entries with a digest, rising, from an index on, at most `limit`.
    pub fn find(
        &self,
        kind: SearchKind,
        digest: &[u8; 16],
        from: u64,
        limit: usize,
    ) -> Result<Vec<u64>> {
        // The tail is read first: what moves into a run meanwhile is then found twice, never lost.
        let tail = self.tail.find(kind as u8, digest, from, limit);
        let db = self.reader.lock();
        let mut runs =
            db.prepare_cached("SELECT id FROM run WHERE end_index > $1 ORDER BY first_index")?;
        let ids: Vec<i64> = runs
            .query_map([from.cast_signed()], |r| r.get(0))?
            .collect::<Result<_, rusqlite::Error>>()?;
        let mut found = vec![];
        for run in ids {
            find_in_run(&db, run, kind as u8, digest, from, limit, &mut found)?;
            if found.len() >= limit {
                break;
            }
        }
        found.extend(tail);
        found.sort_unstable();
        found.dedup();
        found.truncate(limit);
        Ok(found)
    }

    /// Items waiting for a run.
    pub fn tail_items(&self) -> u64 {
        self.tail.len() as u64
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
fn catch_up(core: &Connection, keys: &Keyring, tail: &Tail, from: u64) -> Result<()> {
    entries::scan(core, keys, from, |entry| {
        let mut items = vec![];
        if let dancu_journal::Body::Query(q) = &entry.body {
            items = digests(keys, entry.at, q, entry.index);
        }
        tail.extend(&items, entry.index + 1);
        Ok(true)
    })
}

/// The digests that an entry is found by.
fn digests(
    keys: &Keyring,
    at: i64,
    q: &dancu_journal::Query,
    index: u64,
) -> Vec<(u8, [u8; 16], u64)> {
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

fn find_in_run(
    db: &Connection,
    run: i64,
    kind: u8,
    digest: &[u8; 16],
    from: u64,
    limit: usize,
    found: &mut Vec<u64>,
) -> Result<()> {
    let first = item(kind, digest, from);
    let last = item(kind, digest, u64::MAX);
    // The chunk that may begin before the key, then those that begin within it.
    let mut statement = db.prepare_cached(
        "SELECT items FROM run_chunk WHERE run = $1 AND first_key <= $2 AND first_key >= \
         COALESCE((SELECT MAX(first_key) FROM run_chunk WHERE run = $1 AND first_key <= $3), $3) \
         ORDER BY first_key",
    )?;
    let mut rows = statement.query(params![run, &last[..], &first[..]])?;
    while let Some(r) = rows.next()? {
        let items = r.get_ref(0)?.as_blob().map_err(|_| Error::Damaged("run_chunk"))?;
        let (items, _) = items.as_chunks::<ITEM>();
        let start = items.partition_point(|i| *i < first);
        for hit in items[start..].iter().take_while(|i| **i <= last) {
            found.push(index_of(hit));
            if found.len() >= limit {
                return Ok(());
            }
        }
    }
    Ok(())
}

struct Indexer {
    db: Connection,
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
            }
            if stopped && self.tail.state.lock().fresh.is_empty() {
                return;
            }
        }
    }

    /// Waits for work and takes the fresh items; they stay visible while they are written.
    fn take(&self) -> (Arc<Vec<Item>>, u64, bool) {
        let mut state = self.tail.state.lock();
        if state.fresh.len() < RUN_ITEMS && !state.stopped {
            self.tail.work.wait_for(&mut state, RUN_WAIT);
        }
        state.writing = Arc::new(std::mem::take(&mut state.fresh));
        (state.writing.clone(), state.end, state.stopped)
    }

    fn give_back(&self, items: &[Item]) {
        let mut state = self.tail.state.lock();
        state.fresh.extend_from_slice(items);
        state.writing = Arc::default();
    }

    fn write(&mut self, items: &[Item], end: u64) -> Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        let mut sorted = items.to_vec();
        sorted.sort_unstable();
        let tx = self.db.transaction()?;
        let count = sorted.len() as i64;
        let sorted: Vec<&[u8]> = sorted.iter().map(|i| &i[..]).collect();
        let run = new_run(&tx, 0, self.first, end, count)?;
        for chunk in sorted.chunks(CHUNK_ITEMS) {
            write_chunk(&tx, run, &chunk.concat())?;
        }
        merge(&tx)?;
        tx.commit()?;
        self.first = end;
        self.tail.state.lock().writing = Arc::default();
        Ok(())
    }
}

fn new_run(db: &Connection, level: i64, first: u64, end: u64, items: i64) -> Result<i64> {
    db.execute(
        "INSERT INTO run (level, first_index, end_index, items) VALUES ($1, $2, $3, $4)",
        params![level, first.cast_signed(), end.cast_signed(), items],
    )?;
    Ok(db.last_insert_rowid())
}

fn write_chunk(db: &Connection, run: i64, items: &[u8]) -> Result<()> {
    db.prepare_cached("INSERT INTO run_chunk (run, first_key, items) VALUES ($1, $2, $3)")?
        .execute(params![run, &items[..ITEM], items])?;
    Ok(())
}

/// Merges every level that has enough runs, from the lowest up.
fn merge(db: &Connection) -> Result<()> {
    for level in 0.. {
        let mut statement = db.prepare_cached(
            "SELECT id, first_index, end_index, items FROM run WHERE level = $1 \
             ORDER BY first_index LIMIT $2",
        )?;
        let runs: Vec<(i64, i64, i64, i64)> = statement
            .query_map(params![level, FAN_IN as i64], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))
            })?
            .collect::<Result<_, rusqlite::Error>>()?;
        if runs.len() < FAN_IN {
            return Ok(());
        }
        let first = runs[0].1.cast_unsigned();
        let end = runs[runs.len() - 1].2.cast_unsigned();
        let run = new_run(db, level + 1, first, end, runs.iter().map(|r| r.3).sum())?;
        let ids: Vec<i64> = runs.iter().map(|r| r.0).collect();
        merge_into(db, run, &ids)?;
        for id in ids {
            db.prepare_cached("DELETE FROM run_chunk WHERE run = $1")?.execute([id])?;
            db.prepare_cached("DELETE FROM run WHERE id = $1")?.execute([id])?;
        }
    }
    Ok(())
}

/// One source of a merge: its current chunk and the place in it.
struct Source {
    run: i64,
    chunk: Vec<u8>,
    at: usize,
}

impl Source {
    fn head(&self) -> Option<&[u8]> {
        self.chunk.get(self.at..self.at + ITEM)
    }

    fn advance(&mut self, db: &Connection) -> Result<()> {
        self.at += ITEM;
        if self.at < self.chunk.len() {
            return Ok(());
        }
        let first = self.chunk.get(..ITEM).map(<[u8]>::to_vec).unwrap_or_default();
        self.load_after(db, &first)
    }

    fn load_after(&mut self, db: &Connection, first_key: &[u8]) -> Result<()> {
        let mut statement = db.prepare_cached(
            "SELECT items FROM run_chunk WHERE run = $1 AND first_key > $2 \
             ORDER BY first_key LIMIT 1",
        )?;
        let mut rows = statement.query(params![self.run, first_key])?;
        self.at = 0;
        self.chunk = match rows.next()? {
            Some(r) => r.get(0)?,
            None => vec![],
        };
        Ok(())
    }
}

fn merge_into(db: &Connection, run: i64, ids: &[i64]) -> Result<()> {
    let mut sources = vec![];
    for id in ids {
        let mut source = Source { run: *id, chunk: vec![], at: 0 };
        source.load_after(db, &[])?;
        sources.push(source);
    }
    let mut out = Vec::with_capacity(CHUNK_ITEMS * ITEM);
    loop {
        let next = sources
            .iter()
            .enumerate()
            .filter_map(|(i, s)| s.head().map(|h| (h, i)))
            .min()
            .map(|(_, i)| i);
        let Some(next) = next else { break };
        if let Some(head) = sources[next].head() {
            out.extend_from_slice(head);
        }
        sources[next].advance(db)?;
        if out.len() == CHUNK_ITEMS * ITEM {
            write_chunk(db, run, &out)?;
            out.clear();
        }
    }
    if out.is_empty() { Ok(()) } else { write_chunk(db, run, &out) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_tail_give_every_index_once() {
        let mut db = Connection::open_in_memory().unwrap();
        sqlite::migrate(&mut db, Area::Search).unwrap();
        let tail = Arc::new(Tail::default());
        let mut indexer = Indexer { db, tail: tail.clone(), first: 0 };
        let digest = |i: u64| [(i % 7) as u8; 16];
        let mut next = 0u64;
        for round in 0..70u64 {
            let n = 1 + round * 13 % 300;
            let items: Vec<_> = (next..next + n).map(|i| (3u8, digest(i), i)).collect();
            next += n;
            tail.extend(&items, next);
            let (taken, end, _) = {
                let mut state = tail.state.lock();
                state.writing = Arc::new(std::mem::take(&mut state.fresh));
                (state.writing.clone(), state.end, false)
            };
            indexer.write(&taken, end).unwrap();
        }
        let levels: i64 = indexer
            .db
            .query_row("SELECT COUNT(DISTINCT level) FROM run", [], |r| r.get(0))
            .unwrap();
        assert!(levels >= 2);
        let all: Vec<i64> = {
            let mut s = indexer.db.prepare("SELECT id FROM run ORDER BY first_index").unwrap();
            s.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect()
        };
        for key in 0..7u64 {
            for from in [0, 100, 5_000] {
                let mut found = vec![];
                for run in &all {
                    find_in_run(&indexer.db, *run, 3, &digest(key), from, usize::MAX, &mut found)
                        .unwrap();
                }
                let expected: Vec<u64> = (from..next).filter(|i| i % 7 == key).collect();
                assert_eq!(found, expected);
            }
        }
    }
}
