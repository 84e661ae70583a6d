//! Connections for reading one SQLite file: a few, so that a long read makes nobody wait who reads
//! a single row.

use std::path::PathBuf;

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::sqlite;

/// Connections of one file: more than long reads are let in at a time, and the page caches of all
/// of them stay below 10 MiB.
const READERS: usize = 4;

/// A few connections, opened as they are needed.
pub(crate) struct Readers {
    path: PathBuf,
    state: Mutex<State>,
    given_back: Condvar,
}

struct State {
    idle: Vec<Connection>,
    open: usize,
}

impl Readers {
    /// Opens the first connection, so that a file that cannot be read is told at the start.
    pub(crate) fn open(path: PathBuf) -> Result<Self> {
        let first = sqlite::reader(&path)?;
        let state = Mutex::new(State { idle: vec![first], open: 1 });
        Ok(Self { path, state, given_back: Condvar::new() })
    }

    /// Reads with a connection of its own; waits where all are in use.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let lent = self.lend()?;
        match &lent.db {
            Some(db) => read(db),
            None => Err(Error::Unavailable("no reader")),
        }
    }

    fn lend(&self) -> Result<Lent<'_>> {
        let mut state = self.state.lock();
        let idle = loop {
            if let Some(db) = state.idle.pop() {
                break Some(db);
            }
            if state.open < READERS {
                state.open += 1;
                break None;
            }
            self.given_back.wait(&mut state);
        };
        drop(state);
        let mut lent = Lent { readers: self, db: idle };
        if lent.db.is_none() {
            lent.db = Some(sqlite::reader(&self.path)?);
        }
        Ok(lent)
    }
}

/// A connection in use; given back when dropped, also by a read that panics.
struct Lent<'a> {
    readers: &'a Readers,
    db: Option<Connection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut state = self.readers.state.lock();
        match self.db.take() {
            Some(db) => state.idle.push(db),
            // It could not be opened: another may try.
            None => state.open -= 1,
        }
        drop(state);
        self.readers.given_back.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// A long read holds one connection; others read meanwhile.
    #[test]
    fn a_long_read_makes_nobody_wait() {
        let dir = std::env::temp_dir().join(format!("dancu-readers-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("a.db");
        sqlite::writer(&path).unwrap().execute_batch("CREATE TABLE t (n INTEGER)").unwrap();
        let readers = Readers::open(path).unwrap();
        let (end, ended) = mpsc::channel::<()>();
        let (ready, taken) = mpsc::channel::<()>();
        std::thread::scope(|s| {
            let held = &readers;
            s.spawn(move || {
                held.read(|_| {
                    ready.send(()).unwrap();
                    Ok(ended.recv_timeout(Duration::from_secs(20)))
                })
            });
            taken.recv().unwrap();
            for _ in 0..20 {
                let n: i64 = readers
                    .read(|db| Ok(db.query_row("SELECT COUNT(*) FROM t", [], |r| r.get(0))?))
                    .unwrap();
                assert_eq!(n, 0);
            }
            end.send(()).unwrap();
        });
        assert!(readers.state.lock().open <= 2);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
