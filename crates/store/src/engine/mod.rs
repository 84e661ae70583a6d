//! The two engines behind the typed functions: SQLite in the data folder, PostgreSQL 15 or newer.
//!
//! A typed function takes `&mut Tx<'_>` and names no engine; a [`Db`] is one connection with its
//! transactions; [`Reads`] serves look-ups on PostgreSQL from asynchronous code. Placeholders are
//! `$1…$n`; what only one engine understands stands here and in `postgresql` migration files.
//!
//! To add a query: one text, bound by `values!`, read column by column:
//!
//! ```
//! use dancu_store::engine::Tx;
//! use dancu_store::values;
//!
//! fn credential_version(tx: &mut Tx<'_>, system: u32) -> dancu_store::Result<Option<u32>> {
//!     let sql = "SELECT credential_version FROM system WHERE id = $1";
//!     tx.optional(sql, values![system], |r| r.get(0))
//! }
//! ```
//!
//! **Invariant:** an error of an engine tells codes and names of the schema, never a row's data.
//! **Invariant:** what COMMIT answered is durable as far as the server's settings say, which
//! [`checks`] holds; when its answer is lost the error is [`Kind::InDoubt`].

pub mod checks;
mod fault;
pub mod migrate;
mod pool;
mod postgres;
mod row;
mod tx;
mod value;

use rusqlite::Connection;

pub use fault::{ATTEMPTS, Fault, Kind, retry};
pub use pool::{PoolSettings, Reads};
pub use postgres::{Postgres, Settings, Tls};
pub use row::Row;
pub use tx::Tx;
pub use value::{FromValue, ToValue, Value};

use crate::error::Result;

/// Which engine a connection leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    /// SQLite, a file of the data folder.
    Sqlite,
    /// PostgreSQL 15 or newer.
    Postgres,
}

/// What a transaction is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Changes. SQLite takes the one writer's lock at once; PostgreSQL runs READ COMMITTED, so
    /// that what is read after a row was locked is the newest.
    Write,
    /// Several reads of one state: REPEATABLE READ, READ ONLY.
    Read,
}

/// One connection to an engine, with its transactions.
pub enum Db {
    /// To a file.
    Sqlite(Connection),
    /// To a server.
    Postgres(Box<Postgres>),
}

impl From<Connection> for Db {
    fn from(db: Connection) -> Self {
        Self::Sqlite(db)
    }
}

impl From<Postgres> for Db {
    fn from(db: Postgres) -> Self {
        Self::Postgres(Box::new(db))
    }
}

impl Db {
    /// Which engine it is.
    pub fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// Statements in the transaction that was begun; without one each stands for itself.
    pub fn tx(&mut self) -> Tx<'_> {
        match self {
            Self::Sqlite(db) => Tx::from(&*db),
            Self::Postgres(db) => Tx::from(&mut **db),
        }
    }

    /// Begins a transaction. On PostgreSQL it is sent along with the first statement.
    pub fn begin(&mut self, mode: Mode) -> Result<()> {
        match (self, mode) {
            (Self::Sqlite(db), Mode::Write) => run(db, "BEGIN IMMEDIATE"),
            (Self::Sqlite(db), Mode::Read) => run(db, "BEGIN"),
            (Self::Postgres(db), _) => Ok(db.begin(mode)?),
        }
    }

    /// Makes the transaction durable; on PostgreSQL what is queued goes along with it.
    ///
    /// # Errors
    /// With [`Kind::InDoubt`] it may be durable all the same; with any other kind it is not.
    pub fn commit(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(db) => run(db, "COMMIT"),
            Self::Postgres(db) => Ok(db.commit()?),
        }
    }

    /// Undoes the transaction; it is also undone when this cannot be told to the engine.
    pub fn rollback(&mut self) {
        match self {
            Self::Sqlite(db) => {
                let _ = db.execute_batch("ROLLBACK");
            }
            Self::Postgres(db) => db.rollback(),
        }
    }

    /// Runs `change` in one transaction, undone when it fails.
    pub fn write<T>(&mut self, change: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        self.run(Mode::Write, change)
    }

    /// Runs `read` over one state of the database.
    pub fn read<T>(&mut self, read: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        self.run(Mode::Read, read)
    }

    /// Whether the connection is lost for good; [`Db::reconnect`] makes a new one.
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(db) => db.is_lost(),
        }
    }

    /// How often it connected to a server so far; 0 for a file. After a new connection it may be
    /// another server.
    pub fn connections(&self) -> u64 {
        match self {
            Self::Sqlite(_) => 0,
            Self::Postgres(db) => db.connections(),
        }
    }

    /// Makes sure, before it is used again, that the connection was not lost meanwhile.
    pub fn refresh(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(db) => Ok(db.hear()?),
        }
    }

    /// Connects anew with the same settings. SQLite's connection stays as it is.
    pub fn reconnect(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(db) => Ok(db.reconnect()?),
        }
    }

    fn run<T>(&mut self, mode: Mode, body: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        self.begin(mode)?;
        let done = body(&mut self.tx()).and_then(|t| self.commit().map(|()| t));
        if done.is_err() {
            self.rollback();
        }
        done
    }
}

fn run(db: &Connection, sql: &str) -> Result<()> {
    db.prepare_cached(sql).and_then(|mut s| s.execute([])).map_err(tx::sqlite)?;
    Ok(())
}
