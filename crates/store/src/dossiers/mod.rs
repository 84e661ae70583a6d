//! Connection dossiers (B1-B3): the dossier as it stands, as it was each time it was submitted, and
//! what happened to it.
//!
//! Nothing is decided here. Writes run inside a transaction of the ledger; reads outside of one go
//! through [`Store::dossiers`](crate::Store::dossiers).
//!
//! **Invariant:** what a dossier says stands sealed, bound to its row. **Invariant:** who saves
//! names the revision that was read: of two who change a dossier at once the second is refused.

mod events;
pub(crate) mod rows;

use dancu_domain::dossier::{Dossier, DossierNumber, Stage, Turn};
use dancu_domain::ids::{SystemId, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;

pub use self::events::{Event, HISTORY_READ, note_event};
pub use self::rows::{
    any_of_system, by_number, insert, next_number, of_system, of_unit, open_of_unit, save,
    under_way,
};
use crate::engine::Row;
use crate::error::Result;
use crate::people::sealed;
use crate::store::Store;
use crate::values;

/// Dossiers that one look lists at most: a page of work for a person (*ours*).
pub const LISTED: u32 = 50;

/// A dossier as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    /// The dossier.
    pub dossier: Dossier,
    /// How often the row was changed.
    pub revision: i64,
}

/// What a list shows of a dossier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Its number.
    pub number: DossierNumber,
    /// The unit.
    pub unit: UnitCode,
    /// Number of its stage ([`Stage::CODES`](dancu_domain::dossier::Stage::CODES)).
    pub stage: u8,
    /// Since when it stands there.
    pub since: Moment,
    /// The registered system.
    pub system: Option<SystemId>,
    /// Code of the system as the dossier says.
    pub code: String,
    /// Name of the system.
    pub name: String,
    /// How often it was submitted.
    pub version: u16,
    /// Whether the connection goes on while it is worked on.
    pub connected: bool,
    /// Whose turn it is.
    pub turns: Vec<Turn>,
    /// Who began it.
    pub begun_by: PersonId,
}

/// Where a list goes on: after a dossier, by since when it stands in its stage, then by number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct After {
    /// Since when the last one that was shown stands there.
    pub since: Moment,
    /// Its number.
    pub number: DossierNumber,
}

impl After {
    /// Before the first.
    pub const START: Self = Self { since: Moment(i64::MIN), number: DossierNumber(0) };
}

/// Dossiers as they stand now, read from asynchronous code: each read is one statement.
#[derive(Clone, Copy)]
pub struct Dossiers<'a> {
    store: &'a Store,
}

impl Store {
    /// Connection dossiers.
    pub const fn dossiers(&self) -> Dossiers<'_> {
        Dossiers { store: self }
    }
}

impl Dossiers<'_> {
    /// A dossier.
    pub async fn by_number(self, number: DossierNumber) -> Result<Option<Stored>> {
        let Some(key) = rows::key(&self.store.keys) else { return Ok(None) };
        let read = |r: &Row<'_>| rows::stored(r, &key);
        Ok(self.store.look(rows::BY_NUMBER, values![number.0], read).await?.pop())
    }

    /// The newest dossier of a registered system.
    pub async fn of_system(self, system: SystemId) -> Result<Option<Stored>> {
        let Some(key) = rows::key(&self.store.keys) else { return Ok(None) };
        let read = |r: &Row<'_>| rows::stored(r, &key);
        Ok(self.store.look(rows::OF_SYSTEM, values![system.0], read).await?.pop())
    }

    /// Every dossier of a registered system that has not ended, by number: for whoever looks at
    /// them all.
    pub async fn of_systems(self) -> Result<Vec<Stored>> {
        let Some(key) = rows::key(&self.store.keys) else { return Ok(vec![]) };
        // Refused, withdrawn and closed ones stand behind the live ones.
        let last = Stage::Live.number();
        self.store.look(rows::OF_SYSTEMS, values![last], |r| rows::stored(r, &key)).await
    }

    /// Dossiers of a unit, the newest first, before a number; at most [`LISTED`].
    pub async fn of_unit(self, unit: &UnitCode, before: DossierNumber) -> Result<Vec<Summary>> {
        let Some(key) = rows::key(&self.store.keys) else { return Ok(vec![]) };
        let read = |r: &Row<'_>| rows::summary(r, &key);
        self.store.look(rows::OF_UNIT, values![unit.as_str(), before.0, LISTED], read).await
    }

    /// Dossiers at a stage, those that stand there longest first; at most [`LISTED`].
    pub async fn at_stage(self, stage: u8, after: After) -> Result<Vec<Summary>> {
        let Some(key) = rows::key(&self.store.keys) else { return Ok(vec![]) };
        let values = values![stage, after.since.0, after.number.0, LISTED];
        self.store.look(rows::AT_STAGE, values, |r| rows::summary(r, &key)).await
    }

    /// How many stand at each stage.
    pub async fn counts(self) -> Result<[u64; 9]> {
        let mut counts = [0; 9];
        let sql = "SELECT stage, COUNT(*) FROM dossier GROUP BY stage";
        let read = |r: &Row<'_>| Ok((r.get::<u8>(0)?, r.get::<i64>(1)?));
        for (stage, count) in self.store.look(sql, &[], read).await? {
            if let Some(slot) = counts.get_mut(usize::from(stage)) {
                *slot = count.unsigned_abs();
            }
        }
        Ok(counts)
    }

    /// A dossier as it was submitted.
    pub async fn version(self, number: DossierNumber, version: u16) -> Result<Option<Dossier>> {
        let Some(key) = rows::key(&self.store.keys) else { return Ok(None) };
        let read = |r: &Row<'_>| rows::submitted(r, &key);
        Ok(self.store.look(rows::VERSION, values![number.0, version], read).await?.pop())
    }

    /// What happened to a dossier, the newest first, at most [`HISTORY_READ`].
    pub async fn history(self, number: DossierNumber) -> Result<Vec<Event>> {
        let key = sealed::key(&self.store.keys)?;
        let values = values![number.0, HISTORY_READ];
        self.store.look(events::OF, values, |r| events::read(r, &key)).await
    }
}
