//! Monthly statements as they were made (A7), and which months are done.
//!
//! Nothing is decided here. Writes run inside a transaction of the ledger; reads outside of one go
//! through [`Store::statements`](crate::Store::statements).
//!
//! **Invariant:** a statement is never changed: there is no statement of SQL that would.
//! **Invariant:** of a system's month there is one statement of each version.

use dancu_domain::ids::SystemId;
use dancu_domain::moment::Moment;
use dancu_domain::statements::{Month, Open, StatementNumber};
use dancu_journal::tree::Frontier;
use serde::{Deserialize, Serialize};

use crate::engine::{Row, Tx, Value};
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose};
use crate::people::sealed::Place;
use crate::store::Store;
use crate::values;

/// Statements of a system that one look gives at most: five years, with corrections.
pub const LISTED_MAX: u32 = 100;
/// Rows of the journal whose commitments are read by one statement: 64 KB of what is used.
const CHUNKS: u32 = 64;

const OF_SYSTEM: &str = "SELECT year, number, system, month, version, sealed FROM statement \
    WHERE system = $1 ORDER BY month DESC, version DESC LIMIT $2";
const OF_MONTH: &str = "SELECT year, number, system, month, version, sealed FROM statement \
    WHERE system = $1 AND month = $2 ORDER BY version DESC LIMIT 1";
const BY_NUMBER: &str = "SELECT year, number, system, month, version, sealed FROM statement \
    WHERE year = $1 AND number = $2";
const BEFORE: &str = "SELECT month, tree_size, peaks FROM statement_month WHERE month < $1 \
    ORDER BY month DESC LIMIT 1";
const COMMITMENTS: &str = "SELECT first_idx, commitments FROM entry_chunk \
    WHERE first_idx >= COALESCE((SELECT MAX(first_idx) FROM entry_chunk \
    WHERE first_idx <= $1), 0) ORDER BY first_idx LIMIT $2";

/// What stands sealed of a statement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Document {
    /// When it was made.
    pub made_at: Moment,
    /// The JSON, byte for byte.
    pub json: String,
    /// The signed note about it.
    pub note: String,
    /// SHA-256 of the JSON, hex.
    pub sha256: String,
    /// Locks that went on after the month: the next one begins with them.
    pub open: Vec<Open>,
}

/// A statement as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    /// Its number.
    pub number: StatementNumber,
    /// Whose.
    pub system: SystemId,
    /// Of which month.
    pub month: Month,
    /// Which of that month.
    pub version: u32,
    /// What it says.
    pub document: Document,
}

/// The number that a statement made in a year gets.
pub fn next_number(tx: &mut Tx<'_>, year: u16) -> Result<StatementNumber> {
    let sql = "SELECT COALESCE(MAX(number), 0) FROM statement WHERE year = $1";
    let highest: u32 = tx.one(sql, values![u32::from(year)], |r| r.get(0))?;
    let number = highest.checked_add(1).ok_or(Error::Damaged("statement.number"))?;
    Ok(StatementNumber { year, number })
}

/// Stores a statement.
pub fn insert(tx: &mut Tx<'_>, keys: &Keyring, of: &Stored) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let sealed = place(of.number).seal(&key, &of.document, &[])?;
    let year = u32::from(of.number.year);
    tx.execute(
        "INSERT INTO statement (year, number, system, month, version, sealed) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        values![year, of.number.number, of.system.0, of.month.number(), of.version, sealed],
    )?;
    Ok(())
}

/// The newest statement of a system's month.
pub fn of_month(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    system: SystemId,
    month: Month,
) -> Result<Option<Stored>> {
    let Some(key) = keys.get(Purpose::Policy, 0) else { return Ok(None) };
    tx.optional(OF_MONTH, values![system.0, month.number()], |r| stored(r, &key))
}

/// Writes that every statement of a month is made; `tree` covers the journal up to its end.
pub fn finish_month(tx: &mut Tx<'_>, month: Month, tree: &Frontier) -> Result<()> {
    tx.execute(
        "INSERT INTO statement_month (month, tree_size, peaks) VALUES ($1, $2, $3) \
         ON CONFLICT (month) DO NOTHING",
        values![month.number(), tree.size().cast_signed(), tree.peaks().concat()],
    )?;
    Ok(())
}

/// Statements, read from asynchronous code: each read is one statement of SQL.
#[derive(Clone, Copy)]
pub struct Statements<'a> {
    store: &'a Store,
}

impl Store {
    /// Statements.
    pub const fn statements(&self) -> Statements<'_> {
        Statements { store: self }
    }

    /// Calls `each` with the commitments of entries from an index on, in order, until it says
    /// stop. Waits for the database.
    ///
    /// # Errors
    /// The store failed, or entries are missing between.
    pub fn commitments(
        &self,
        from: u64,
        mut each: impl FnMut(&[u8; 32]) -> Result<bool>,
    ) -> Result<()> {
        let mut db = self.core.reader()?;
        let mut next = from;
        loop {
            let page = db.tx().query(COMMITMENTS, values![next.cast_signed(), CHUNKS], |r| {
                Ok((r.get::<i64>(0)?.cast_unsigned(), r.get::<Vec<u8>>(1)?))
            })?;
            let last = page.len() < CHUNKS as usize;
            for (first, commitments) in page {
                let (each_of, _) = commitments.as_chunks::<32>();
                let missing = Error::Damaged("entry_chunk.first_idx");
                let skip = next.checked_sub(first).ok_or(missing)?;
                for commitment in each_of.iter().skip(usize::try_from(skip).unwrap_or(usize::MAX)) {
                    next += 1;
                    if !each(commitment)? {
                        return Ok(());
                    }
                }
            }
            if last {
                return Ok(());
            }
        }
    }
}

impl Statements<'_> {
    /// Statements of a system, the newest first, at most [`LISTED_MAX`].
    pub async fn of_system(self, system: SystemId) -> Result<Vec<Stored>> {
        self.some(OF_SYSTEM, values![system.0, LISTED_MAX]).await
    }

    /// [`of_month`].
    pub async fn of_month(self, system: SystemId, month: Month) -> Result<Option<Stored>> {
        Ok(self.some(OF_MONTH, values![system.0, month.number()]).await?.pop())
    }

    /// A statement by its number.
    pub async fn by_number(self, number: StatementNumber) -> Result<Option<Stored>> {
        let year = u32::from(number.year);
        Ok(self.some(BY_NUMBER, values![year, number.number]).await?.pop())
    }

    /// The last month before another that is done, with the tree over the journal up to its end;
    /// with none the last of all.
    pub async fn done_before(self, month: Option<Month>) -> Result<Option<(Month, Frontier)>> {
        let number = month.map_or(u32::MAX >> 1, Month::number);
        Ok(self.store.look(BEFORE, values![number], done).await?.pop())
    }

    async fn some(self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Stored>> {
        let Some(key) = self.store.keys.get(Purpose::Policy, 0) else { return Ok(vec![]) };
        self.store.look(sql, values, |r| stored(r, &key)).await
    }
}

fn stored(r: &Row<'_>, key: &Key) -> Result<Stored> {
    let year: u32 = r.get(0)?;
    let year = u16::try_from(year).map_err(|_| Error::Damaged("statement.year"))?;
    let number = StatementNumber { year, number: r.get(1)? };
    Ok(Stored {
        number,
        system: SystemId(r.get(2)?),
        month: month(r, 3)?,
        version: r.get(4)?,
        document: place(number).open::<Document>(key, r, 5)?.record,
    })
}

fn done(r: &Row<'_>) -> Result<(Month, Frontier)> {
    let (size, peaks) = (r.get::<i64>(1)?.cast_unsigned(), r.get::<Vec<u8>>(2)?);
    let (each, _) = peaks.as_chunks::<32>();
    let tree = Frontier::new(size, each.to_vec());
    Ok((month(r, 0)?, tree.ok_or(Error::Damaged("statement_month.peaks"))?))
}

fn month(r: &Row<'_>, column: usize) -> Result<Month> {
    Month::from_number(r.get(column)?).ok_or(Error::Damaged("statement.month"))
}

fn place(number: StatementNumber) -> Place {
    Place::marked("statement.sealed", number.to_string().as_bytes())
}
