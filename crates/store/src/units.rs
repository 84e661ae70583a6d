//! What happened to units, in the order it was written down; the tree of a day follows from it
//! ([`dancu_domain::units`]).
//!
//! Nothing is decided here. Writes run inside a transaction of the ledger.
//!
//! **Invariant:** what happened stands sealed, bound to its row, because it may name people; the
//! unit and the day stand beside it in clear.
//! **Invariant:** an event that was written stays what it is.

use dancu_domain::ids::UnitCode;
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use dancu_domain::units::{Change, Event};
use jiff::civil::Date;

use crate::engine::{Row, Tx};
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose};
use crate::people::sealed::Place;
use crate::store::Store;
use crate::values;

const ALL: &str =
    "SELECT id, unit, day, made_by, made_at, own, carried, sealed FROM unit_event ORDER BY id";
const OF_UNIT: &str = "SELECT id, unit, day, made_by, made_at, own, carried, sealed \
    FROM unit_event WHERE unit = $1 ORDER BY id";
const WAITING: &str = "SELECT id, unit, day, made_by, made_at, own, carried, sealed \
    FROM unit_event WHERE carried <> 1 AND day <= $1 ORDER BY day, id";
/// Where nothing of an event has still to go to an heir.
const CARRIED: u8 = 1;
/// Where it has, and that it could not yet was told.
const SET_ASIDE: u8 = 2;
const LAST: &str = "SELECT COALESCE(MAX(id), 0) FROM unit_event";

/// An event as it was written down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written {
    /// The row id; whatever stands here before it is stored does not count.
    pub id: i64,
    /// What happened.
    pub event: Event,
    /// Who wrote it: 0 for who has no number.
    pub by: PersonId,
    /// When, by the product's clock.
    pub at: Moment,
    /// Whether the unit itself told it (B9).
    pub own: bool,
    /// Whether nothing that was live has still to go to an heir.
    pub carried: bool,
}

/// Writes events down, in order. Their numbers are given here.
pub fn insert(tx: &mut Tx<'_>, keys: &Keyring, events: &[Written]) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let last: i64 = tx.one(LAST, &[], |r| r.get(0))?;
    for (id, written) in (last + 1..).zip(events) {
        let day = written.event.day.to_string();
        let sealed = place(id).seal(&key, &written.event.change, &[])?;
        tx.execute(
            "INSERT INTO unit_event (id, unit, day, made_by, made_at, own, carried, sealed) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            values![
                id,
                written.event.unit.as_str(),
                day,
                written.by.0,
                written.at.0,
                u8::from(written.own),
                u8::from(written.carried),
                sealed
            ],
        )?;
    }
    Ok(())
}

/// Everything that happened, in the order it was written down.
pub fn all(tx: &mut Tx<'_>, keys: &Keyring) -> Result<Vec<Written>> {
    let Some(key) = keys.get(Purpose::Policy, 0) else { return Ok(vec![]) };
    tx.query(ALL, &[], |r| read(r, &key))
}

/// What happened to one unit, in the order it was written down.
pub fn of(tx: &mut Tx<'_>, keys: &Keyring, unit: &UnitCode) -> Result<Vec<Written>> {
    let Some(key) = keys.get(Purpose::Policy, 0) else { return Ok(vec![]) };
    tx.query(OF_UNIT, values![unit.as_str()], |r| read(r, &key))
}

/// Events whose day has come and whose heir has not got yet what is live, by day.
pub fn waiting(tx: &mut Tx<'_>, keys: &Keyring, today: Date) -> Result<Vec<Written>> {
    let Some(key) = keys.get(Purpose::Policy, 0) else { return Ok(vec![]) };
    let today = today.to_string();
    tx.query(WAITING, values![today], |r| read(r, &key))
}

/// What was live has gone to the heir.
pub fn set_carried(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    tx.execute("UPDATE unit_event SET carried = 1 WHERE id = $1", values![id])?;
    Ok(())
}

/// What was live could not go to the heir: it waits on. Whether that is new.
pub fn set_aside(tx: &mut Tx<'_>, id: i64) -> Result<bool> {
    let sql = "UPDATE unit_event SET carried = $1 WHERE id = $2 AND carried = 0";
    Ok(tx.execute(sql, values![SET_ASIDE, id])? == 1)
}

/// Units as they are read from asynchronous code: each read is one statement.
#[derive(Clone, Copy)]
pub struct Units<'a> {
    store: &'a Store,
}

impl Store {
    /// What happened to units.
    pub const fn units(&self) -> Units<'_> {
        Units { store: self }
    }
}

impl Units<'_> {
    /// [`all`].
    pub async fn all(self) -> Result<Vec<Written>> {
        let Some(key) = self.store.keys.get(Purpose::Policy, 0) else { return Ok(vec![]) };
        self.store.look(ALL, &[], |r| read(r, &key)).await
    }

    /// The number of the last event; 0 where there is none.
    pub async fn last(self) -> Result<i64> {
        let found = self.store.look(LAST, &[], |r| r.get(0)).await?;
        Ok(found.first().copied().unwrap_or(0))
    }

    /// [`waiting`].
    pub async fn waiting(self, today: Date) -> Result<Vec<Written>> {
        let Some(key) = self.store.keys.get(Purpose::Policy, 0) else { return Ok(vec![]) };
        let today = today.to_string();
        self.store.look(WAITING, values![today], |r| read(r, &key)).await
    }

    /// The units that systems are registered with.
    pub async fn of_systems(self) -> Result<Vec<UnitCode>> {
        let read = |r: &Row<'_>| {
            let unit = UnitCode::parse(&r.get::<String>(0)?);
            unit.map_err(|_| Error::Damaged("system.unit"))
        };
        self.store.look("SELECT DISTINCT unit FROM system ORDER BY unit", &[], read).await
    }

    /// The codes that any event is of.
    pub async fn codes(self) -> Result<Vec<String>> {
        self.store.look("SELECT DISTINCT unit FROM unit_event", &[], |r| r.get(0)).await
    }
}

fn read(r: &Row<'_>, key: &Key) -> Result<Written> {
    let id = r.get(0)?;
    let (unit, day): (String, String) = (r.get(1)?, r.get(2)?);
    let event = Event {
        unit: UnitCode::parse(&unit).map_err(|_| Error::Damaged("unit_event.unit"))?,
        day: day.parse().map_err(|_| Error::Damaged("unit_event.day"))?,
        change: place(id).open::<Change>(key, r, 7)?.record,
    };
    Ok(Written {
        id,
        event,
        by: PersonId(r.get(3)?),
        at: Moment(r.get(4)?),
        own: r.get::<u8>(5)? != 0,
        carried: r.get::<u8>(6)? == CARRIED,
    })
}

fn place(id: i64) -> Place {
    Place::numbered("unit_event.sealed", id)
}
