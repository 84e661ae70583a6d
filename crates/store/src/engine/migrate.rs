//! The schema on PostgreSQL, from the same numbered files as SQLite's.
//!
//! All areas stand in one schema with their plain names: no two areas share a table name (a test
//! holds that), the texts of the queries name no schema, and a schema per area would need a
//! `search_path` per session, which a transaction pooler does not keep. Which version each area has
//! stands in `schema_version`. What SQLite does by itself or cannot do stands beside a step in a
//! file `….postgresql.sql`, run right after it.

use super::fault::{Fault, Kind};
use super::{Db, Engine, Tx};
use crate::error::{Error, Result};
use crate::sqlite::{self, Area};
use crate::values;

/// Every area of the store.
pub const AREAS: [Area; 3] = [Area::Core, Area::Registry, Area::Search];
/// Number of the advisory lock under which migrations run, one at a time per database.
const LOCK: i64 = 0x64_61_6e_63_75;
/// A step may rewrite a large table, and another node may be at it: one hour.
const LIMITS: &str = "SET LOCAL statement_timeout = '1h'; SET LOCAL lock_timeout = '1h'";

/// One step: the text of both engines, and what PostgreSQL needs besides.
type Step = (&'static str, &'static str);

const fn steps(area: Area) -> &'static [Step] {
    match area {
        Area::Core => &[
            (
                include_str!("../../migrations/core/0001_init.sql"),
                include_str!("../../migrations/core/0001_init.postgresql.sql"),
            ),
            (include_str!("../../migrations/core/0002_nodes.sql"), ""),
        ],
        Area::Registry => &[(include_str!("../../migrations/registry/0001_init.sql"), "")],
        Area::Search => &[(
            include_str!("../../migrations/search/0001_init.sql"),
            include_str!("../../migrations/search/0001_init.postgresql.sql"),
        )],
    }
}

/// The whole schema of an area for PostgreSQL as one readable text; a test proves that the
/// migrations lead to it.
pub fn latest(area: Area) -> String {
    let besides = match area {
        Area::Core => include_str!("../../migrations/core/latest.postgresql.sql"),
        Area::Registry => "",
        Area::Search => include_str!("../../migrations/search/latest.postgresql.sql"),
    };
    sqlite::for_postgresql(area.latest()) + besides
}

/// The word for an area in `schema_version`.
const fn word(area: Area) -> &'static str {
    match area {
        Area::Core => "core",
        Area::Registry => "registry",
        Area::Search => "search",
    }
}

/// Brings an area to the version this program needs, one transaction per step; several nodes may
/// do so at once. Returns the version found.
pub fn migrate(db: &mut Db, area: Area) -> Result<u32> {
    if let Db::Sqlite(db) = db {
        return sqlite::migrate(db, area);
    }
    let found = version(db, area)?;
    while db.write(|tx| step(tx, area))? {}
    Ok(found)
}

/// The version of an area; 0 = new.
pub fn version(db: &mut Db, area: Area) -> Result<u32> {
    match db {
        Db::Sqlite(db) => sqlite::version(db),
        Db::Postgres(_) => db.read(|tx| {
            let sql = "SELECT to_regclass('schema_version') IS NOT NULL";
            if tx.one(sql, &[], |r| r.get(0))? { stored(tx, area) } else { Ok(0) }
        }),
    }
}

/// Refuses a database whose version is not the one that this program needs.
pub fn check(db: &mut Db, area: Area) -> Result<()> {
    let found = version(db, area)?;
    if found == area.version() {
        return Ok(());
    }
    Err(Error::Schema { file: area.file(), found, wanted: area.version() })
}

/// Runs the next step of an area; false = there is none left.
fn step(tx: &mut Tx<'_>, area: Area) -> Result<bool> {
    if tx.engine() != Engine::Postgres || steps(area).len() != area.version() as usize {
        return Err(Fault::new(Kind::Other, "migration", "steps differ between engines").into());
    }
    tx.batch(&format!("{LIMITS}; SELECT pg_advisory_xact_lock({LOCK})"))?;
    tx.batch(
        "CREATE TABLE IF NOT EXISTS schema_version \
         (area TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL)",
    )?;
    // Another node may have run it while this one waited for the lock.
    let found = stored(tx, area)?;
    if found > area.version() {
        return Err(Error::Schema { file: area.file(), found, wanted: area.version() });
    }
    let Some((both, besides)) = steps(area).get(found as usize) else { return Ok(false) };
    tx.batch(&sqlite::for_postgresql(both))?;
    tx.batch(besides)?;
    tx.execute(
        "INSERT INTO schema_version (area, version) VALUES ($1, $2) \
         ON CONFLICT (area) DO UPDATE SET version = excluded.version",
        values![word(area), found + 1],
    )?;
    Ok(true)
}

fn stored(tx: &mut Tx<'_>, area: Area) -> Result<u32> {
    let sql = "SELECT version FROM schema_version WHERE area = $1";
    Ok(tx.optional(sql, values![word(area)], |r| r.get(0))?.unwrap_or(0))
}
