//! The search of one program with its own file: its thread writes runs of what this program itself
//! journals, and makes them anew where they are of another journal.

use std::path::Path;
use std::sync::Arc;

use super::closed::Closed;
use super::{Key, RUN_ITEMS, RUN_WAIT, Tail, end_of_runs, found_by, write_run};
use crate::engine::{Db, Tx};
use crate::entries::{self, Scanned, commitment_of};
use crate::error::{Error, Result};
use crate::keys::Keyring;
use crate::sqlite::{self, Area};

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

/// Empties the runs.
fn empty(search: &mut Tx<'_>) -> Result<()> {
    tracing::warn!("the search was not made from this journal: it is emptied and made anew");
    for sql in ["DELETE FROM run_chunk", "DELETE FROM run", "DELETE FROM run_origin"] {
        search.execute(sql, &[])?;
    }
    Ok(())
}

/// Writes what waits in the tail as runs.
pub(super) struct Indexer {
    db: Db,
    /// Of the journal, to bind the runs to it.
    journal: Db,
    tail: Arc<Tail>,
    first: u64,
}

impl Indexer {
    /// Opens the search file and takes in what the journal has beyond it.
    pub(super) fn open(
        dir: &Path,
        core: &mut Tx<'_>,
        keys: &Keyring,
        tail: &Arc<Tail>,
    ) -> Result<Self> {
        let mut writer = sqlite::writer(&dir.join(Area::Search.file()))?;
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
        let mut indexer = Self { db: writer, journal, tail: tail.clone(), first };
        // Written as it comes: a journal of years does not fit into the memory.
        take_in(core, keys, tail, first, || match tail.len() {
            0..RUN_ITEMS => Ok(()),
            _ => indexer.flush(),
        })?;
        Ok(indexer)
    }

    pub(super) fn run(mut self) {
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

    use super::super::key;
    use super::super::runs::{find_in_run, find_in_runs};
    use super::*;
    use crate::readers::{Place, Readers};

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

    /// What was written before acts were found holds none: nothing of it is taken for whole.
    #[test]
    fn runs_without_acts_are_made_anew() {
        let mut db = Connection::open_in_memory().unwrap();
        sqlite::migrate(&mut db, Area::Search).unwrap();
        let (core, journal) = (journal(100, 1), journal(100, 1).into());
        let tail = Arc::new(Tail::default());
        let mut indexer = Indexer { db: db.into(), journal, tail, first: 0 };
        indexer.write(&[key(1, &[7; 16], 59)], 60).unwrap();
        let Db::Sqlite(mut db) = indexer.db else { panic!("another engine") };
        db.pragma_update(None, "user_version", 1).unwrap();
        sqlite::migrate(&mut db, Area::Search).unwrap();
        let covered = covered(&mut Tx::from(&core), &mut Tx::from(&db)).unwrap();
        assert_eq!(covered, Some(0));
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
