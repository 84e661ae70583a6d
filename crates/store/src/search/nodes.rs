//! Search runs on PostgreSQL, where several nodes journal: one of them at a time writes the runs,
//! and what is in none yet is read from the journal itself.

use std::sync::Arc;

use super::closed::Closed;
use super::runs::find_in_runs;
use super::{Item, Key, RUN_ITEMS, RUN_WAIT, Tail, end_of_runs, found_by, key, write_run};
use crate::engine::{Db, Tx};
use crate::entries::{self, Scanned, commitment_of};
use crate::error::{Error, Result};
use crate::keys::Keyring;
use crate::readers::Place;

/// Number of the advisory lock of whoever writes a run; it ends with the transaction, so that a
/// node that is gone holds it no longer than its connection lives.
const LEASE: i64 = 0x72_75_6e_73;

/// Indexes of entries with a digest, rising: those of the runs, then of the entries beyond them.
pub(super) fn find(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    kind: u8,
    digest: &[u8; 16],
    from: u64,
    limit: usize,
) -> Result<Vec<u64>> {
    let beyond = end_of_runs(tx)?.max(from);
    let mut found = find_in_runs(tx, kind, digest, from, limit)?;
    if found.len() < limit {
        scan(tx, keys, beyond, |index, items| {
            if items.iter().any(|(k, d, _)| (*k, d) == (kind, digest)) {
                found.push(index);
            }
            found.len() < limit
        })?;
    }
    found.truncate(limit);
    Ok(found)
}

/// Entries that are in no run.
pub(super) fn waiting(tx: &mut Tx<'_>) -> Result<u64> {
    let sql = "SELECT next_index FROM ledger_head WHERE id = 1";
    let head: i64 = tx.one(sql, &[], |r| r.get(0))?;
    Ok(head.cast_unsigned().saturating_sub(end_of_runs(tx)?))
}

/// Gives `each` the index of every entry from one on, and what it is found by. Entries of a month
/// whose key is gone are told by the last of them, and found by nothing.
fn scan(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    from: u64,
    mut each: impl FnMut(u64, &[Item]) -> bool,
) -> Result<Closed> {
    // Another node may have made the keys of a new month or year.
    keys.load(tx)?;
    let mut closed = Closed::default();
    entries::scan_past(tx, keys, from, |scanned| {
        let entry = match scanned {
            Scanned::Entry(entry) => entry,
            Scanned::Closed { month, first, end } => {
                closed.add(month, end - first);
                return Ok(each(end - 1, &[]));
            }
        };
        Ok(each(entry.index, &found_by(keys, &entry)))
    })?;
    Ok(closed)
}

/// Writes runs while no other node does.
pub(super) struct Indexer {
    place: Place,
    keys: Arc<Keyring>,
    /// Only told here when to stop.
    tail: Arc<Tail>,
}

impl Indexer {
    pub(super) fn new(place: Place, keys: Arc<Keyring>, tail: Arc<Tail>) -> Self {
        Self { place, keys, tail }
    }

    pub(super) fn run(self) {
        let mut db = None;
        loop {
            let stopped = {
                let mut state = self.tail.state.lock();
                if !state.stopped {
                    self.tail.work.wait_for(&mut state, RUN_WAIT);
                }
                state.stopped
            };
            if let Err(error) = self.write_all(&mut db) {
                // The search is derived: what is in no run is found in the journal.
                tracing::warn!(error = %error, "search.run could not be written");
            }
            if stopped {
                return;
            }
        }
    }

    fn write_all(&self, db: &mut Option<Db>) -> Result<()> {
        let db = match db {
            Some(db) => db,
            none => none.insert(self.place.writer()?),
        };
        if db.is_lost() {
            db.reconnect()?;
        }
        while db.write(|tx| write_one(tx, &self.keys))? {}
        Ok(())
    }
}

/// Writes one run of what the journal has beyond the runs; whether there may be more.
fn write_one(tx: &mut Tx<'_>, keys: &Keyring) -> Result<bool> {
    let sql = format!("SELECT pg_try_advisory_xact_lock({LEASE})");
    if !tx.one(&sql, &[], |r| r.get::<bool>(0))? {
        return Ok(false);
    }
    let first = end_of_runs(tx)?;
    let mut found: Vec<Key> = vec![];
    let mut end = first;
    let closed = scan(tx, keys, first, |index, items| {
        end = index + 1;
        found.extend(items.iter().map(|(k, d, i)| key(*k, d, *i)));
        found.len() < RUN_ITEMS
    })?;
    if end == first {
        return Ok(false);
    }
    closed.tell();
    let commitment = commitment_of(tx, end - 1)?.ok_or(Error::Damaged("entry of a run"))?;
    write_run(tx, &found, (first, end), &commitment)?;
    Ok(found.len() >= RUN_ITEMS)
}
