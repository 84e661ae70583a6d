//! The schema on PostgreSQL, from the same numbered files as SQLite's.
//!
//! All areas stand in one schema with their plain names: no two areas share a table name (a test
//! holds that), the texts of the queries name no schema, and a schema per area would need a
//! `search_path` per session, which a transaction pooler does not keep. Which version each area has
//! stands in `schema_version`. What SQLite does by itself or cannot do stands beside a step in a
//! file `….postgresql.sql`, run right after it.

use super::fault::{Fault, Kind};
use super::{Db, Tx};
use crate::error::{Error, Result};
use crate::sqlite::{self, Area};
use crate::values;

/// Every area of the store.
pub const AREAS: [Area; 3] = [Area::Core, Area::Registry, Area::Search];
/// Number of the advisory lock under which migrations run, one at a time per database.
const LOCK: i64 = 0x64_61_6e_63_75;
/// A step may rewrite a large table, and another node may be at it: one hour.
const LIMITS: &str = "SET LOCAL statement_timeout = '1h'; SET LOCAL lock_timeout = '1h'";

/// One step of an area.
struct Step {
    /// The text of both engines.
    both: &'static str,
    /// What PostgreSQL needs besides.
    besides: &'static str,
    /// Whether programs that do not know the step go on beside those that do: it only adds tables,
    /// or columns that have a default, and what they wrote means the same as before. After any
    /// other step they journal nothing any more and do not start.
    compatible: bool,
}

impl Step {
    /// One after which programs of before journal nothing any more.
    const fn breaking(both: &'static str, besides: &'static str) -> Self {
        Self { both, besides, compatible: false }
    }

    /// One that only adds tables, or columns that have a default: programs of before go on.
    const fn adding(both: &'static str, besides: &'static str) -> Self {
        Self { both, besides, compatible: true }
    }
}

const CORE: &[Step] = &[
    Step::breaking(
        include_str!("../../migrations/core/0001_init.sql"),
        include_str!("../../migrations/core/0001_init.postgresql.sql"),
    ),
    Step::breaking(
        include_str!("../../migrations/core/0002_nodes.sql"),
        include_str!("../../migrations/core/0002_nodes.postgresql.sql"),
    ),
    Step::adding(
        include_str!("../../migrations/core/0003_people.sql"),
        include_str!("../../migrations/core/0003_people.postgresql.sql"),
    ),
    Step::adding(
        include_str!("../../migrations/core/0004_units.sql"),
        include_str!("../../migrations/core/0004_units.postgresql.sql"),
    ),
    Step::adding(
        include_str!("../../migrations/core/0005_dossiers.sql"),
        include_str!("../../migrations/core/0005_dossiers.postgresql.sql"),
    ),
    // A node that does not know it asks of a plan's hours the window.
    Step::adding(
        include_str!("../../migrations/core/0006_plans.sql"),
        include_str!("../../migrations/core/0006_plans.postgresql.sql"),
    ),
    Step::adding(
        include_str!("../../migrations/core/0007_notices.sql"),
        include_str!("../../migrations/core/0007_notices.postgresql.sql"),
    ),
    Step::adding(include_str!("../../migrations/core/0008_campaigns.sql"), ""),
    Step::adding(include_str!("../../migrations/core/0009_service.sql"), ""),
];

const REGISTRY: &[Step] =
    &[Step::breaking(include_str!("../../migrations/registry/0001_init.sql"), "")];

const SEARCH: &[Step] = &[
    Step::breaking(
        include_str!("../../migrations/search/0001_init.sql"),
        include_str!("../../migrations/search/0001_init.postgresql.sql"),
    ),
    // Nodes that know no acts would write runs without them.
    Step::breaking(include_str!("../../migrations/search/0002_acts.sql"), ""),
];

const fn steps(area: Area) -> &'static [Step] {
    match area {
        Area::Core => CORE,
        Area::Registry => REGISTRY,
        Area::Search => SEARCH,
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

/// Brings an area to the version this program needs, one transaction per step, also beside nodes
/// that serve; several may do so at once. Returns the version found.
///
/// # Errors
/// [`Error::Schema`]: the database is newer, and not by compatible steps alone.
pub fn migrate(db: &mut Db, area: Area) -> Result<u32> {
    if let Db::Sqlite(db) = db {
        return sqlite::migrate(db, area);
    }
    if steps(area).len() != area.version() as usize {
        return Err(Fault::new(Kind::Other, "migration", "steps differ between engines").into());
    }
    let found = version(db, area)?;
    migrate_by(db, area, steps(area))?;
    Ok(found)
}

fn migrate_by(db: &mut Db, area: Area, steps: &[Step]) -> Result<()> {
    while db.write(|tx| step(tx, area, steps))? {}
    Ok(())
}

/// The version of an area; 0 = new.
pub fn version(db: &mut Db, area: Area) -> Result<u32> {
    Ok(found(db, area)?.version)
}

/// Refuses a database that is older than this program needs, or newer by a step with which it does
/// not fit.
pub fn check(db: &mut Db, area: Area) -> Result<()> {
    found(db, area)?.fits(area, area.version())
}

/// What stands in `schema_version`.
#[derive(Clone, Copy, Default)]
struct Found {
    /// The newest step that was run.
    version: u32,
    /// The newest step with which older programs do not fit: who knows less does not serve.
    oldest: u32,
}

impl Found {
    fn fits(self, area: Area, wanted: u32) -> Result<()> {
        if self.version == wanted || (self.version > wanted && self.oldest <= wanted) {
            return Ok(());
        }
        Err(Error::Schema { file: area.file(), found: self.version, wanted })
    }
}

fn found(db: &mut Db, area: Area) -> Result<Found> {
    match db {
        Db::Sqlite(db) => {
            let version = sqlite::version(db)?;
            Ok(Found { version, oldest: version })
        }
        Db::Postgres(_) => db.read(|tx| {
            let sql = "SELECT to_regclass('schema_version') IS NOT NULL";
            if tx.one(sql, &[], |r| r.get(0))? { stored(tx, area) } else { Ok(Found::default()) }
        }),
    }
}

/// Runs the next step of an area; false = there is none left.
fn step(tx: &mut Tx<'_>, area: Area, steps: &[Step]) -> Result<bool> {
    tx.batch(&format!("{LIMITS}; SELECT pg_advisory_xact_lock({LOCK})"))?;
    tx.batch(
        "CREATE TABLE IF NOT EXISTS schema_version (area TEXT NOT NULL PRIMARY KEY, \
         version INTEGER NOT NULL, oldest INTEGER NOT NULL)",
    )?;
    // Another node may have run it while this one waited for the lock.
    let found = stored(tx, area)?;
    let Some(step) = steps.get(found.version as usize) else {
        found.fits(area, steps.len() as u32)?;
        return Ok(false);
    };
    if found.version > 0 && !step.compatible {
        // Transactions of nodes that do not know the step end first; the next ones see that they
        // do not fit any more. Core is made first: its head is there.
        tx.batch("LOCK TABLE ledger_head IN EXCLUSIVE MODE")?;
    }
    tx.batch(&sqlite::for_postgresql(step.both))?;
    tx.batch(step.besides)?;
    let version = found.version + 1;
    let oldest = if step.compatible { found.oldest } else { version };
    tx.execute(
        "INSERT INTO schema_version (area, version, oldest) VALUES ($1, $2, $3) \
         ON CONFLICT (area) DO UPDATE SET version = excluded.version, oldest = excluded.oldest",
        values![word(area), version, oldest],
    )?;
    Ok(true)
}

/// An expression of PostgreSQL: the word of an area whose schema was changed so that this program
/// does not fit it any more; NULL where it fits all of them. Areas that it does not know do not
/// concern it.
pub(crate) fn unfit() -> String {
    let case = |area: Area| format!("WHEN '{}' THEN {} ", word(area), area.version());
    let cases = AREAS.map(case).concat();
    format!(
        "(SELECT MIN(area) FROM schema_version WHERE oldest > CASE area {cases}ELSE oldest END)"
    )
}

/// The refusal of an area that [`unfit`] named.
pub(crate) fn refusal(tx: &mut Tx<'_>, unfit: &str) -> Result<Error> {
    let area = AREAS.into_iter().find(|area| word(*area) == unfit).unwrap_or(Area::Core);
    let (found, wanted) = (stored(tx, area)?.oldest, area.version());
    Ok(Error::Schema { file: area.file(), found, wanted })
}

fn stored(tx: &mut Tx<'_>, area: Area) -> Result<Found> {
    let sql = "SELECT version, oldest FROM schema_version WHERE area = $1";
    let read = |r: &super::Row<'_>| Ok(Found { version: r.get(0)?, oldest: r.get(1)? });
    Ok(tx.optional(sql, values![word(area)], read)?.unwrap_or_default())
}

#[cfg(test)]
mod tests;
