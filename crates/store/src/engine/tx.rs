//! What typed functions take: statements on one connection, whichever engine it leads to.

use rusqlite::{Connection, params_from_iter};

use super::Engine;
use super::fault::{Fault, Kind};
use super::postgres::{self, Postgres, TakeRow};
use super::row::Row;
use super::value::Value;
use crate::error::Result;

/// Statements on one connection, inside or outside of a transaction. SQL is one text for both
/// engines with `$1…$n`; each text is prepared once per connection.
///
/// After an error inside a transaction nothing but its end is left to do: PostgreSQL takes no
/// further statement, and a commit then fails.
pub struct Tx<'a>(Target<'a>);

enum Target<'a> {
    Sqlite(&'a Connection),
    Postgres(&'a mut Postgres),
}

impl<'a> From<&'a Connection> for Tx<'a> {
    fn from(db: &'a Connection) -> Self {
        Self(Target::Sqlite(db))
    }
}

impl<'a> From<&'a mut Postgres> for Tx<'a> {
    fn from(db: &'a mut Postgres) -> Self {
        Self(Target::Postgres(db))
    }
}

impl Tx<'_> {
    /// The engine, for the few hot pairs of texts that differ.
    pub fn engine(&self) -> Engine {
        match self.0 {
            Target::Sqlite(_) => Engine::Sqlite,
            Target::Postgres(_) => Engine::Postgres,
        }
    }

    /// Runs a statement and returns how many rows it changed.
    pub fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64> {
        match &mut self.0 {
            Target::Sqlite(db) => {
                let mut statement = db.prepare_cached(sql).map_err(sqlite)?;
                Ok(statement.execute(params_from_iter(values)).map_err(sqlite)? as u64)
            }
            Target::Postgres(db) => Ok(db.execute(sql, values)?),
        }
    }

    /// Runs a statement whose row count nobody needs. SQLite runs it at once; PostgreSQL is sent
    /// all queued statements together, in order, before the next other statement or the commit,
    /// which then also reports their errors. So a batch costs two round trips, not one per row.
    pub fn queue(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<()> {
        match &mut self.0 {
            Target::Sqlite(_) => self.execute(sql, values).map(|_| ()),
            Target::Postgres(db) => Ok(db.queue(sql, values)?),
        }
    }

    /// Sends what is queued and waits for it.
    pub fn flush(&mut self) -> Result<()> {
        match &mut self.0 {
            Target::Sqlite(_) => Ok(()),
            Target::Postgres(db) => Ok(db.flush()?),
        }
    }

    /// Calls `each` with every row as it comes, until it says false.
    pub fn each(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<bool>,
    ) -> Result<()> {
        match &mut self.0 {
            Target::Sqlite(db) => {
                let mut statement = db.prepare_cached(sql).map_err(sqlite)?;
                let mut rows = statement.query(params_from_iter(values)).map_err(sqlite)?;
                while let Some(row) = rows.next().map_err(sqlite)? {
                    if !each(&Row::sqlite(row))? {
                        break;
                    }
                }
                Ok(())
            }
            Target::Postgres(db) => db.each(sql, values, &mut each),
        }
    }

    /// Every row, read by `read`.
    pub fn query<T>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut out = vec![];
        self.each(sql, values, |row| {
            out.push(read(row)?);
            Ok(true)
        })?;
        Ok(out)
    }

    /// The first row, if there is one.
    pub fn optional<T>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let (mut read, mut out) = (Some(read), None);
        self.each(sql, values, |row| {
            if let Some(read) = read.take() {
                out = Some(read(row)?);
            }
            Ok(false)
        })?;
        Ok(out)
    }

    /// The first row; none is an error.
    pub fn one<T>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        let found = self.optional(sql, values, read)?;
        found.ok_or_else(|| Fault::new(Kind::Other, "no row", "one row expected").into())
    }

    /// The first row, locked until the transaction ends. SQLite has one writer, whose transaction
    /// holds everything; PostgreSQL is told `FOR UPDATE`.
    pub fn lock_row<T>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        match self.engine() {
            Engine::Sqlite => self.optional(sql, values, read),
            Engine::Postgres => self.optional(&format!("{sql} FOR UPDATE"), values, read),
        }
    }

    /// Loads many rows into a table: `fill` gives them one by one, their values in the order of
    /// `columns` (names separated by commas). PostgreSQL gets them by COPY. Returns how many.
    pub fn load(
        &mut self,
        table: &str,
        columns: &str,
        mut fill: impl FnMut(&mut TakeRow<'_>) -> Result<()>,
    ) -> Result<u64> {
        match &mut self.0 {
            Target::Sqlite(db) => {
                let places: Vec<String> =
                    (1..=columns.split(',').count()).map(|n| format!("${n}")).collect();
                let sql = format!("INSERT INTO {table} ({columns}) VALUES ({})", places.join(", "));
                let mut statement = db.prepare_cached(&sql).map_err(sqlite)?;
                let mut rows = 0;
                fill(&mut |values| {
                    rows += statement.execute(params_from_iter(values)).map_err(sqlite)? as u64;
                    Ok(())
                })?;
                Ok(rows)
            }
            Target::Postgres(db) => postgres::load(db, table, columns, &mut fill),
        }
    }

    /// Runs statements without values, separated by semicolons: migrations and settings.
    pub fn batch(&mut self, sql: &str) -> Result<()> {
        match &mut self.0 {
            Target::Sqlite(db) => Ok(db.execute_batch(sql).map_err(sqlite)?),
            Target::Postgres(db) => Ok(db.batch(sql)?),
        }
    }

    /// Checks that a text can be prepared, without running it; for tests and `doctor`.
    pub fn check(&mut self, sql: &str) -> Result<()> {
        match &mut self.0 {
            Target::Sqlite(db) => Ok(db.prepare(sql).map(drop).map_err(sqlite)?),
            Target::Postgres(db) => Ok(db.check(sql)?),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
pub(super) fn sqlite(error: rusqlite::Error) -> Fault {
    Fault::from(&error)
}
