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
mod file;
mod nodes;
mod runs;

use std::path::Path;
use std::sync::Arc;

use dancu_journal::{Body, Entry};
use parking_lot::{Condvar, Mutex};

pub(crate) use self::file::catch_up;
use self::runs::{bind, find_in_runs, merge, new_run, write_chunk};
use crate::engine::{Settings, Tx};
use crate::entries::{self, Pseudonyms, SearchKind};
use crate::error::Result;
use crate::keys::Keyring;
use crate::readers::{Place, Readers};
use crate::sqlite::Area;

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
pub type Item = (u8, [u8; 16], u64);

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
    pub fn extend(&self, items: &[Item], end: u64) {
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
        let indexer = file::Indexer::open(dir, core, keys, &tail)?;
        let readers = Readers::open(Place::File(dir.join(Area::Search.file())))?;
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

/// The journal index after the last that a run covers.
fn end_of_runs(search: &mut Tx<'_>) -> Result<u64> {
    let sql = "SELECT COALESCE(MAX(end_index), 0) FROM run";
    search.one(sql, &[], |r| Ok(r.get::<i64>(0)?.cast_unsigned()))
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
