//! Opening SQLite files the way each area needs them.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::{Error, Result};

/// Pages that a reader may keep mapped: the whole registry of a province, 64 GiB of address space.
const MMAP_BYTES: i64 = 64 << 30;
/// Statements kept prepared per connection: more than one area uses.
const STATEMENTS: usize = 64;

/// The databases of a data folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Area {
    /// Policy, counts, journal.
    Core,
    /// Sealed people.
    Registry,
    /// Derived search runs.
    Search,
}

impl Area {
    /// File name in the data folder.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Core => crate::CORE_FILE,
            Self::Registry => "registry.db",
            Self::Search => "search.db",
        }
    }

    const fn migrations(self) -> &'static [&'static str] {
        match self {
            Self::Core => &[
                include_str!("../migrations/core/0001_init.sql"),
                include_str!("../migrations/core/0002_nodes.sql"),
                include_str!("../migrations/core/0003_people.sql"),
                include_str!("../migrations/core/0004_units.sql"),
                include_str!("../migrations/core/0005_dossiers.sql"),
                include_str!("../migrations/core/0006_plans.sql"),
                include_str!("../migrations/core/0007_notices.sql"),
                include_str!("../migrations/core/0008_campaigns.sql"),
                include_str!("../migrations/core/0009_service.sql"),
            ],
            Self::Registry => &[include_str!("../migrations/registry/0001_init.sql")],
            Self::Search => &[
                include_str!("../migrations/search/0001_init.sql"),
                include_str!("../migrations/search/0002_acts.sql"),
            ],
        }
    }

    /// The whole schema as one readable text; a test proves that the migrations lead to it.
    pub const fn latest(self) -> &'static str {
        match self {
            Self::Core => include_str!("../migrations/core/latest.sql"),
            Self::Registry => include_str!("../migrations/registry/latest.sql"),
            Self::Search => include_str!("../migrations/search/latest.sql"),
        }
    }

    /// The version that this program needs.
    pub const fn version(self) -> u32 {
        self.migrations().len() as u32
    }
}

/// Opens for writing, durable at each commit: WAL with a full sync.
pub fn writer(path: &Path) -> Result<Connection> {
    let db = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    // Checkpoints run in their own thread, so that no commit waits for one.
    db.pragma_update(None, "wal_autocheckpoint", 0)?;
    db.pragma_update(None, "cache_size", -16_384)?;
    Ok(db)
}

/// Opens for reading only.
pub fn reader(path: &Path) -> Result<Connection> {
    let db = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    db.pragma_update(None, "mmap_size", MMAP_BYTES)?;
    db.pragma_update(None, "query_only", true)?;
    db.pragma_update(None, "cache_size", -2_048)?;
    Ok(db)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let db = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(std::time::Duration::from_secs(5))?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    // Plans do not depend on bound values: otherwise each new value prepares the statement anew.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(db)
}

/// Brings a file to the version this program needs, one transaction per step.
pub fn migrate(db: &mut Connection, area: Area) -> Result<u32> {
    let found = version(db)?;
    if found > area.version() {
        return Err(Error::Schema { file: area.file(), found, wanted: area.version() });
    }
    for (i, step) in area.migrations().iter().enumerate().skip(found as usize) {
        let tx = db.transaction()?;
        tx.execute_batch(&for_sqlite(step))?;
        tx.pragma_update(None, "user_version", i as u32 + 1)?;
        tx.commit()?;
    }
    Ok(found)
}

/// The version of a file; 0 = new.
pub fn version(db: &Connection) -> Result<u32> {
    Ok(db.pragma_query_value(None, "user_version", |r| r.get(0))?)
}

/// One text serves both engines; these words are what differs.
pub fn for_sqlite(text: &str) -> String {
    text.replace("@BIGKEY@", "INTEGER PRIMARY KEY")
        .replace("@BYTES@", "BLOB")
        .replace("@CLUSTERED@", "WITHOUT ROWID")
}

/// The same text for PostgreSQL 15+.
pub fn for_postgresql(text: &str) -> String {
    text.replace("@BIGKEY@", "BIGINT PRIMARY KEY")
        .replace("@BYTES@", "BYTEA")
        .replace(" @CLUSTERED@", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(db: &Connection) -> Vec<String> {
        let mut statement = db
            .prepare(
                "SELECT m.name, m.type, p.cid, p.name, p.type, p.\"notnull\", p.pk \
                 FROM sqlite_master m, pragma_table_xinfo(m.name) p ORDER BY 1, 3",
            )
            .unwrap();
        let rows = statement
            .query_map([], |r| {
                Ok(format!(
                    "{} {} {} {} {} {} {}",
                    r.get::<_, String>(0)?,
                    r.get::<_, String>(1)?,
                    r.get::<_, i64>(2)?,
                    r.get::<_, String>(3)?,
                    r.get::<_, String>(4)?,
                    r.get::<_, i64>(5)?,
                    r.get::<_, i64>(6)?
                ))
            })
            .unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn migrations_lead_to_latest() {
        for area in [Area::Core, Area::Registry, Area::Search] {
            let mut migrated = Connection::open_in_memory().unwrap();
            migrate(&mut migrated, area).unwrap();
            let latest = Connection::open_in_memory().unwrap();
            latest.execute_batch(&for_sqlite(area.latest())).unwrap();
            assert_eq!(schema(&migrated), schema(&latest), "{area:?}");
            assert!(schema(&latest).len() > 3);
            assert_eq!(migrate(&mut migrated, area).unwrap(), area.version());
        }
    }

    #[test]
    fn a_newer_file_is_refused() {
        let mut db = Connection::open_in_memory().unwrap();
        db.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(migrate(&mut db, Area::Core), Err(Error::Schema { found: 99, .. })));
    }
}
