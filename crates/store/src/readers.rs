//! Connections for reading one database: a few, so that a long read makes nobody wait who reads a
//! single row.

use std::path::PathBuf;

use parking_lot::{Condvar, Mutex};

use crate::engine::{Db, Postgres, Settings, Tx};
use crate::error::{Error, Result};
use crate::sqlite;

/// Connections of one database: more than long reads are let in at a time, and the page caches of
/// all of SQLite's stay below 10 MiB.
const READERS: usize = 4;

/// What is read.
#[derive(Clone)]
pub(crate) enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL server.
    Server(Box<Settings>),
}

impl Place {
    /// A new connection for reading.
    pub(crate) fn reader(&self) -> Result<Db> {
        Ok(match self {
            Self::File(path) => sqlite::reader(path)?.into(),
            Self::Server(settings) => Postgres::connect(settings)?.into(),
        })
    }

    /// A new connection for writing.
    pub(crate) fn writer(&self) -> Result<Db> {
        Ok(match self {
            Self::File(path) => sqlite::writer(path)?.into(),
            Self::Server(settings) => Postgres::connect(settings)?.into(),
        })
    }
}

/// A few connections, opened as they are needed.
pub(crate) struct Readers {
    place: Place,
    state: Mutex<State>,
    given_back: Condvar,
}

struct State {
    idle: Vec<Db>,
    open: usize,
}

impl Readers {
    /// Opens the first connection, so that a database that cannot be read is told at the start.
    pub(crate) fn open(place: Place) -> Result<Self> {
        let first = place.reader()?;
        let state = Mutex::new(State { idle: vec![first], open: 1 });
        Ok(Self { place, state, given_back: Condvar::new() })
    }

    /// Reads with a connection of its own, each statement for itself; waits where all are in use.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        self.with(|db| read(&mut db.tx()))
    }

    /// The same over one state of the database.
    pub(crate) fn read_state<T>(&self, read: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        self.with(|db| db.read(read))
    }

    fn with<T>(&self, read: impl FnOnce(&mut Db) -> Result<T>) -> Result<T> {
        let mut lent = self.lend()?;
        let Some(db) = &mut lent.db else { return Err(Error::Unavailable("no reader")) };
        db.refresh()?;
        read(db)
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
            lent.db = Some(self.place.reader()?);
        }
        Ok(lent)
    }
}

/// A connection in use; given back when dropped, also by a read that panics.
struct Lent<'a> {
    readers: &'a Readers,
    db: Option<Db>,
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
        let readers = Readers::open(Place::File(path)).unwrap();
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
                let n: i64 =
                    readers.read(|tx| tx.one("SELECT COUNT(*) FROM t", &[], |r| r.get(0))).unwrap();
                assert_eq!(n, 0);
            }
            end.send(()).unwrap();
        });
        assert!(readers.state.lock().open <= 2);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
