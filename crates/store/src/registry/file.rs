//! Connections to the registry's file.

use std::path::{Path, PathBuf};

use parking_lot::{Mutex, MutexGuard};
use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::sqlite;

/// Connections for reading: more than cores, so that a slow page read holds up nobody else.
const READERS: usize = 16;

/// Connections for reading the file, opened as they are needed.
pub(super) struct Readers {
    path: PathBuf,
    readers: Vec<Mutex<Option<Connection>>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, readers: (0..READERS).map(|_| Mutex::new(None)).collect() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Closes every connection.
    pub(super) fn close(&self) {
        self.readers.iter().for_each(|r| *r.lock() = None);
    }

    /// Ends the state that each connection holds, so that its next read sees the newest.
    pub(super) fn refresh(&self) {
        for slot in &self.readers {
            let mut slot = slot.lock();
            if slot.as_ref().is_some_and(|db| db.execute_batch("COMMIT; BEGIN").is_err()) {
                *slot = None;
            }
        }
    }

    /// Runs a read on a free connection. After an engine error the connection is opened anew, so
    /// that a database that was gone is found again without a restart.
    pub(super) fn with<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut slot = self.reader();
        if slot.is_none() {
            let db = sqlite::reader(&self.path)?;
            // One read transaction for many reads: this process is the only writer, a load closes
            // every reader and a rotation of keys refreshes them, so that no lock has to be taken
            // for each read.
            db.execute_batch("BEGIN")?;
            *slot = Some(db);
        }
        let Some(db) = slot.as_ref() else { return Err(Error::Damaged("reader")) };
        let result = read(db);
        if matches!(result, Err(Error::Engine(_))) {
            *slot = None;
        }
        result
    }

    fn reader(&self) -> MutexGuard<'_, Option<Connection>> {
        for slot in &self.readers {
            if let Some(free) = slot.try_lock() {
                return free;
            }
        }
        self.readers[0].lock()
    }
}
