//! Webhooks: addresses at which systems are told, and what is to be sent there.
//!
//! What is to be sent is written in the transaction that hands the notice out ([`queue`]); sending
//! it comes afterwards. Nothing is decided here: what is an event, and how an address does, says
//! [`dancu_domain::webhooks`].
//!
//! **Invariant:** addresses and their secrets stand sealed, each bound to its row.
//! **Invariant:** about a notice an address is told once, whoever hands it out how often.

mod deliveries;

use dancu_domain::ids::SystemId;
use dancu_domain::moment::Moment;
use dancu_domain::webhooks::{Health, Kinds};
use serde::{Deserialize, Serialize};

pub use self::deliveries::{
    Delivery, Due, Ended, LISTED, Next, QUEUE_MAX, Tried, again, drop_waiting, forget, queue,
    queue_test, settle,
};
use crate::engine::{Row, Tx};
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose};
use crate::people::sealed::{self, Place};
use crate::store::Store;
use crate::values;

/// Bytes of a secret: 256 bits.
pub const SECRET_BYTES: usize = 32;

const BY_ID: &str = "SELECT id, system, kinds, state, failing_since, failures, rest_until, told, \
    sealed FROM webhook WHERE id = $1";
const OF_SYSTEM: &str = "SELECT id, system, kinds, state, failing_since, failures, rest_until, \
    told, sealed FROM webhook WHERE system = $1 ORDER BY id";

/// What requests are signed with. Debug output shows nothing of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret(pub [u8; SECRET_BYTES]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// Whether an address is sent anything.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum State {
    /// Yes.
    InUse = 0,
    /// Not now: what happens meanwhile waits.
    Paused = 1,
    /// No: it did not work for long, or said that it is gone.
    Off = 2,
}

impl State {
    const ALL: [Self; 3] = [Self::InUse, Self::Paused, Self::Off];
}

/// What stands sealed in `webhook.sealed`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The address as it was registered: its path may hold a secret of the receiver.
    pub address: String,
    /// What requests are signed with.
    pub secret: Secret,
    /// The secret before, and until when it signs too.
    pub before: Option<(Secret, Moment)>,
    /// Registered.
    pub since: Moment,
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealed(***)")
    }
}

/// An address of a system.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Webhook {
    /// The row id; whatever stands here before it is stored does not count.
    pub id: i64,
    /// Whose.
    pub system: SystemId,
    /// Of what it is told.
    pub kinds: Kinds,
    /// Whether it is sent anything.
    pub state: State,
    /// How it does of late.
    pub health: Health,
    /// Address and secrets.
    pub sealed: Sealed,
}

/// Stores a new one; gives its id.
pub fn insert(tx: &mut Tx<'_>, keys: &Keyring, webhook: &Webhook) -> Result<i64> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let id: i64 = tx.one("SELECT COALESCE(MAX(id), 0) + 1 FROM webhook", &[], |r| r.get(0))?;
    let health = webhook.health;
    tx.execute(
        "INSERT INTO webhook (id, system, kinds, state, failing_since, failures, rest_until, \
         told, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        values![
            id,
            webhook.system.0,
            webhook.kinds.bits(),
            webhook.state as u8,
            health.failing.map(|at| at.0),
            health.failures,
            health.rest_until.0,
            health.told,
            place(id).seal(&key, &webhook.sealed, &[])?
        ],
    )?;
    Ok(id)
}

/// Stores what became of one: state, health, secrets.
pub fn save(tx: &mut Tx<'_>, keys: &Keyring, webhook: &Webhook) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let (id, health) = (webhook.id, webhook.health);
    let sealed = place(id).seal(&key, &webhook.sealed, &[])?;
    let sql = "UPDATE webhook SET kinds = $1, state = $2, failing_since = $3, failures = $4, \
               rest_until = $5, told = $6, sealed = $7 WHERE id = $8";
    tx.execute(
        sql,
        values![
            webhook.kinds.bits(),
            webhook.state as u8,
            health.failing.map(|at| at.0),
            health.failures,
            health.rest_until.0,
            health.told,
            sealed,
            id
        ],
    )?;
    Ok(())
}

/// Takes one away with all that was or was to be sent there.
pub fn remove(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    tx.execute("DELETE FROM webhook_delivery WHERE webhook = $1", values![id])?;
    tx.execute("DELETE FROM webhook WHERE id = $1", values![id])?;
    Ok(())
}

/// Those of a system, the oldest first: some few.
pub fn of_system(tx: &mut Tx<'_>, keys: &Keyring, system: SystemId) -> Result<Vec<Webhook>> {
    let Some(key) = keys.get(Purpose::Policy, 0) else { return Ok(vec![]) };
    tx.query(OF_SYSTEM, values![system.0], |r| read(r, &key))
}

/// One by its id.
pub fn by_id(tx: &mut Tx<'_>, keys: &Keyring, id: i64) -> Result<Option<Webhook>> {
    let key = sealed::key(keys)?;
    tx.optional(BY_ID, values![id], |r| read(r, &key))
}

/// Webhooks as they stand now, read from asynchronous code.
#[derive(Clone, Copy)]
pub struct Webhooks<'a> {
    store: &'a Store,
}

impl Store {
    /// Addresses at which systems are told.
    pub const fn webhooks(&self) -> Webhooks<'_> {
        Webhooks { store: self }
    }
}

impl Webhooks<'_> {
    /// [`of_system`].
    pub async fn of_system(self, system: SystemId) -> Result<Vec<Webhook>> {
        let key = sealed::key(&self.store.keys)?;
        self.store.look(OF_SYSTEM, values![system.0], |r| read(r, &key)).await
    }

    /// [`by_id`].
    pub async fn by_id(self, id: i64) -> Result<Option<Webhook>> {
        let key = sealed::key(&self.store.keys)?;
        let found = self.store.look(BY_ID, values![id], |r| read(r, &key)).await?;
        Ok(found.into_iter().next())
    }
}

fn read(r: &Row<'_>, key: &Key) -> Result<Webhook> {
    let (id, state): (i64, u8) = (r.get(0)?, r.get(3)?);
    let state = State::ALL.into_iter().find(|known| *known as u8 == state);
    Ok(Webhook {
        id,
        system: SystemId(r.get(1)?),
        kinds: Kinds::from_bits(r.get(2)?),
        state: state.ok_or(Error::Damaged("webhook.state"))?,
        health: Health {
            failing: r.get::<Option<i64>>(4)?.map(Moment),
            failures: r.get(5)?,
            rest_until: Moment(r.get(6)?),
            told: r.get::<i64>(7)? != 0,
        },
        sealed: place(id).open(key, r, 8)?.record,
    })
}

fn place(id: i64) -> Place {
    Place::numbered("webhook.sealed", id)
}
