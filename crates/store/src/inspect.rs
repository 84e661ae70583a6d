//! A look at the database files from outside, read-only and beside a process that serves them: for
//! `doctor`.
//!
//! How a writer syncs (`PRAGMA synchronous`) belongs to its connection, so that no look from
//! outside can tell it: every writer sets it when it opens ([`crate::sqlite::writer`]).

use std::path::Path;

use rusqlite::ErrorCode;

use crate::error::Result;
use crate::sqlite::{self, Area};

/// Structural errors that are told of one file.
const PROBLEMS_MAX: u32 = 10;

/// What is told of one database file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileReport {
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes of its write-ahead log, which a checkpoint copies back.
    pub wal_bytes: u64,
    /// `wal` where a commit is one sync; anything else was changed by hand.
    pub journal_mode: String,
    /// Version of its schema.
    pub version: u32,
    /// Bytes in pages that hold nothing; they are used again.
    pub free_bytes: u64,
    /// What `PRAGMA quick_check` found wrong with its structure, at most ten lines, without any
    /// content; `None` where the file is larger than was to be read through.
    pub problems: Option<Vec<String>>,
}

/// Looks at every database file of a data folder; those that are not there are left out, as all of
/// them are on PostgreSQL. Files of up to `check_below` bytes are read through: the look is one
/// read transaction, during which the write-ahead log of a serving process cannot begin anew.
///
/// # Errors
/// Per file: it cannot be opened or is no database.
pub fn inspect(dir: &Path, check_below: u64) -> Vec<(Area, Result<FileReport>)> {
    [Area::Core, Area::Registry, Area::Search]
        .into_iter()
        .filter(|area| dir.join(area.file()).exists())
        .map(|area| (area, look(&dir.join(area.file()), check_below)))
        .collect()
}

fn look(path: &Path, check_below: u64) -> Result<FileReport> {
    let bytes = std::fs::metadata(path)?.len();
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let db = sqlite::reader(path)?;
    let number = |pragma: &str| db.pragma_query_value(None, pragma, |r| r.get::<_, i64>(0));
    let free = number("freelist_count")?.saturating_mul(number("page_size")?);
    Ok(FileReport {
        bytes,
        wal_bytes: std::fs::metadata(log).map_or(0, |about| about.len()),
        journal_mode: db.pragma_query_value(None, "journal_mode", |r| r.get(0))?,
        version: sqlite::version(&db)?,
        free_bytes: free.unsigned_abs(),
        problems: if bytes <= check_below { Some(problems(&db)?) } else { None },
    })
}

/// A page that cannot be read at all ends the check: that is a finding, not a failure to look.
fn problems(db: &rusqlite::Connection) -> Result<Vec<String>> {
    let mut found = vec![];
    let sql = format!("PRAGMA quick_check({PROBLEMS_MAX})");
    let looked = db.prepare(&sql).and_then(|mut statement| {
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            found.push(row.get(0)?);
        }
        Ok(())
    });
    match looked {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            found.push(error.to_string());
        }
        looked => looked?,
    }
    found.retain(|line| line != "ok");
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, SeekFrom, Write as _};
    use std::path::PathBuf;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("dancu-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    /// A core file with some rows; its writer stays open.
    fn served(folder: &Path) -> rusqlite::Connection {
        let mut db = sqlite::writer(&folder.join(Area::Core.file())).unwrap();
        sqlite::migrate(&mut db, Area::Core).unwrap();
        let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
                    INSERT INTO meta SELECT 'name' || i, hex(zeroblob(100)) FROM n";
        db.execute_batch(rows).unwrap();
        db
    }

    fn only(folder: &Path, check_below: u64) -> Result<FileReport> {
        let mut all = inspect(folder, check_below);
        assert_eq!(all.len(), 1, "one file is there");
        all.remove(0).1
    }

    #[test]
    fn a_served_file_is_told_without_being_touched() {
        let dir = folder("inspect-served");
        assert!(inspect(&dir, u64::MAX).is_empty());
        let db = served(&dir);
        let found = only(&dir, u64::MAX).unwrap();
        assert_eq!((found.journal_mode.as_str(), found.version), ("wal", Area::Core.version()));
        assert_eq!(found.problems, Some(vec![]));
        assert!(found.wal_bytes > 100_000, "{found:?}");
        assert_eq!(only(&dir, 0).unwrap().problems, None, "too large to be read through");
        // The writer goes on, and space that it gives up is told.
        db.execute("DELETE FROM meta", []).unwrap();
        assert!(only(&dir, u64::MAX).unwrap().free_bytes > 100_000);
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_damaged_page_is_found() {
        let dir = folder("inspect-damaged");
        let db = served(&dir);
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        drop(db);
        let path = dir.join(Area::Core.file());
        let length = std::fs::metadata(&path).unwrap().len();
        let mut file = std::fs::File::options().write(true).open(&path).unwrap();
        file.seek(SeekFrom::Start(length - 40 * 4_096)).unwrap();
        file.write_all(&[0x5a; 4_096]).unwrap();
        drop(file);
        let found = only(&dir, u64::MAX).unwrap().problems.unwrap();
        assert!((1..=PROBLEMS_MAX as usize).contains(&found.len()), "{found:?}");
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn what_is_no_database_is_an_error() {
        let dir = folder("inspect-none");
        std::fs::write(dir.join(Area::Core.file()), [7; 8_192]).unwrap();
        assert!(only(&dir, u64::MAX).is_err());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
