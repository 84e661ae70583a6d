//! Appeals against locks (D6): nothing is decided here.

use dancu_domain::appeals::{Appeal, Stage};

use super::{Desks, constrained, next};
use crate::engine::{Row, Tx};
use crate::error::Result;
use crate::keys::{Key, Keyring, Purpose};
use crate::people::sealed::{self, Place};
use crate::values;

/// Open appeals that one look gives at most: one of a lock, and more locks stand on no day.
pub const OPEN_READ: u32 = 500;

const OPEN: &str = "SELECT id, escalated, sealed FROM lock_appeal WHERE state < 2 \
    ORDER BY due_at, id LIMIT $1";
const OF_LOCK: &str = "SELECT id, escalated, sealed FROM lock_appeal WHERE lock_key = $1 \
    ORDER BY id DESC LIMIT 1";

/// An appeal as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    /// The row id.
    pub id: i64,
    /// Steps of which it was told that they are late.
    pub escalated: u8,
    /// What it is.
    pub appeal: Appeal,
}

/// Stores a new appeal; gives its number.
///
/// # Errors
/// [`Error::Refused`](crate::Error::Refused) where one against the lock is open.
pub fn insert(tx: &mut Tx<'_>, keys: &Keyring, appeal: &Appeal) -> Result<i64> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let id = next(tx, "SELECT COALESCE(MAX(id), 0) FROM lock_appeal")?;
    let sealed = place(id).seal(&key, appeal, &[])?;
    let due = appeal.due().map_or(0, |due| due.0);
    let inserted = tx.execute(
        "INSERT INTO lock_appeal (id, lock_key, state, due_at, escalated, sealed) \
         VALUES ($1, $2, $3, $4, 0, $5)",
        values![id, appeal.lock.as_str(), appeal.stage() as u8, due, sealed],
    );
    inserted.map_err(constrained)?;
    Ok(id)
}

/// Stores an appeal that was acknowledged, decided, or told as late.
pub fn save(tx: &mut Tx<'_>, keys: &Keyring, stored: &Stored) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let (appeal, id) = (&stored.appeal, stored.id);
    let sealed = place(id).seal(&key, appeal, &[])?;
    let due = appeal.due().map_or(0, |due| due.0);
    let sql = "UPDATE lock_appeal SET state = $1, due_at = $2, escalated = $3, sealed = $4 \
               WHERE id = $5";
    tx.execute(sql, values![appeal.stage() as u8, due, stored.escalated, sealed, id])?;
    Ok(())
}

/// The last appeal against a lock.
pub fn of_lock(tx: &mut Tx<'_>, keys: &Keyring, lock: &str) -> Result<Option<Stored>> {
    let key = sealed::key(keys)?;
    tx.optional(OF_LOCK, values![lock], |r| read(r, &key))
}

/// Open appeals, those that are due first.
pub fn open(tx: &mut Tx<'_>, keys: &Keyring) -> Result<Vec<Stored>> {
    let key = sealed::key(keys)?;
    tx.query(OPEN, values![OPEN_READ], |r| read(r, &key))
}

impl Desks<'_> {
    /// [`open`].
    pub async fn open_appeals(self) -> Result<Vec<Stored>> {
        let key = sealed::key(&self.store.keys)?;
        self.store.look(OPEN, values![OPEN_READ], |r| read(r, &key)).await
    }

    /// [`of_lock`].
    pub async fn appeal_of(self, lock: &str) -> Result<Option<Stored>> {
        let key = sealed::key(&self.store.keys)?;
        let found = self.store.look(OF_LOCK, values![lock], |r| read(r, &key)).await?;
        Ok(found.into_iter().next())
    }
}

const _: () = assert!(Stage::Decided as u8 == 2);

fn read(r: &Row<'_>, key: &Key) -> Result<Stored> {
    let id = r.get(0)?;
    Ok(Stored { id, escalated: r.get(1)?, appeal: place(id).open(key, r, 2)?.record })
}

fn place(id: i64) -> Place {
    Place::numbered("lock_appeal.sealed", id)
}
