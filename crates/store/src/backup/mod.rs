//! Backup, its check and its restoring: one format, the same from both engines.
//!
//! A backup is a folder: `manifest.json` and parts, each the rows of one table or of a part of it
//! as they are stored, so that what stands sealed in the database stays sealed with its own keys.
//! The wrapped keys never stand in it but in a file of their own ([`KeyFile`]). Parts that did not
//! change since an earlier backup are taken over from it: the finished months of the journal.
//!
//! **Invariant:** a backup shows one state of the database, made by reading alone.
//! **Invariant:** a folder has the name of a backup only when every file in it is on disk.
//! **Invariant:** nothing is restored that was not checked first, and it is checked again while it
//! is read. What was not restored to its end is never taken for a database.

mod keyfile;
mod make;
mod manifest;
mod needs;
mod part;
mod restore;
mod row;
mod snapshot;
pub mod tables;
mod verify;

use std::path::{Path, PathBuf};

pub use keyfile::KeyFile;
pub use make::{Made, Making, make};
pub use manifest::{FORMAT, Head, MANIFEST_FILE, Manifest, PARTS, Part, Versions};
pub use restore::{RESTORING, Restored, restore, unfinished};
pub use verify::{Checked, verify};

use crate::engine::{Db, Postgres, Settings};
use crate::error::Result;
use crate::sqlite::{self, Area};

/// Where a database is.
#[derive(Clone)]
pub enum Site {
    /// SQLite in a data folder.
    Folder(PathBuf),
    /// A PostgreSQL server.
    Server(Box<Settings>),
}

impl Site {
    fn reader(&self, area: Area) -> Result<Db> {
        Ok(match self {
            Self::Folder(dir) => sqlite::reader(&dir.join(area.file()))?.into(),
            Self::Server(settings) => Postgres::connect(settings)?.into(),
        })
    }
}

/// How far a backup, a check or a restoring has come.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Progress {
    /// Parts done.
    pub parts: u64,
    /// Parts in all.
    pub of: u64,
    /// Bytes of the parts done.
    pub bytes: u64,
}

/// Limits of a read or a load of hours on PostgreSQL: nobody waits for its locks.
const NO_LIMITS: &str = "SET LOCAL statement_timeout = 0; \
    SET LOCAL idle_in_transaction_session_timeout = 0";

fn sync_dir(dir: &Path) -> Result<()> {
    std::fs::File::open(dir)?.sync_all()?;
    Ok(())
}

fn sync_parent(path: &Path) -> Result<()> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    sync_dir(parent.unwrap_or(Path::new(".")))
}
