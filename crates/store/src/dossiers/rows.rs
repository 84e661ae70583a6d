//! Rows of dossiers and of their submitted versions.

use std::sync::Arc;

use dancu_domain::dossier::{Dossier, DossierNumber, Stage, Turn, turns};
use dancu_domain::ids::{SystemId, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use serde::{Deserialize, Serialize};

use super::{Stored, Summary};
use crate::engine::{Row, Tx};
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose};
use crate::people::sealed::{Opened, Place};
use crate::values;

pub(super) const BY_NUMBER: &str = "SELECT id, stage, revision, sealed FROM dossier WHERE id = $1";
pub(super) const OF_SYSTEM: &str = "SELECT id, stage, revision, sealed FROM dossier \
    WHERE system = $1 ORDER BY id DESC LIMIT 1";
pub(super) const OF_SYSTEMS: &str = "SELECT id, stage, revision, sealed FROM dossier \
    WHERE system IS NOT NULL AND stage <= $1 ORDER BY id";
pub(super) const OF_UNIT: &str = "SELECT id, unit, system, stage, since, summary FROM dossier \
    WHERE unit = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
pub(super) const AT_STAGE: &str = "SELECT id, unit, system, stage, since, summary FROM dossier \
    WHERE stage = $1 AND (since, id) > ($2, $3) ORDER BY since, id LIMIT $4";
pub(super) const VERSION: &str = "SELECT dossier, version, sealed FROM dossier_version \
    WHERE dossier = $1 AND version = $2";

/// As it is sealed in `dossier.summary`.
#[derive(Serialize, Deserialize)]
struct SummaryRecord {
    code: String,
    name: String,
    version: u16,
    connected: bool,
    turns: u8,
    begun_by: u32,
}

const TURNS: [Turn; 5] =
    [Turn::Unit, Turn::Integrator, Turn::Reviewer, Turn::Assessor, Turn::Operator];

/// The key, where anything was ever sealed.
pub(crate) fn key(keys: &Keyring) -> Option<Arc<Key>> {
    keys.get(Purpose::Policy, 0)
}

/// The number of the next dossier; one transaction at a time inserts.
pub fn next_number(tx: &mut Tx<'_>) -> Result<DossierNumber> {
    let highest: u32 = tx.one("SELECT COALESCE(MAX(id), 0) FROM dossier", &[], |r| r.get(0))?;
    highest.checked_add(1).map(DossierNumber).ok_or(Error::Damaged("dossier.id"))
}

/// How many dossiers of a unit are neither live nor at their end.
pub fn under_way(tx: &mut Tx<'_>, unit: &UnitCode) -> Result<u32> {
    let sql = "SELECT COUNT(*) FROM dossier WHERE unit = $1 AND stage < $2";
    tx.one(sql, values![unit.as_str(), Stage::Live.number()], |r| r.get(0))
}

/// Whether any dossier of a system has not come to its end.
pub fn any_of_system(tx: &mut Tx<'_>, system: SystemId) -> Result<bool> {
    let sql = "SELECT COUNT(*) FROM dossier WHERE system = $1 AND stage <= $2";
    tx.one(sql, values![system.0, Stage::Live.number()], |r| Ok(r.get::<u32>(0)? > 0))
}

/// How many dossiers of a unit have not come to their end.
pub fn open_of_unit(tx: &mut Tx<'_>, unit: &UnitCode) -> Result<u32> {
    let sql = "SELECT COUNT(*) FROM dossier WHERE unit = $1 AND stage <= $2";
    tx.one(sql, values![unit.as_str(), Stage::Live.number()], |r| r.get(0))
}

/// Stores a new dossier.
pub fn insert(tx: &mut Tx<'_>, keys: &Keyring, dossier: &Dossier) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let number = dossier.number();
    tx.execute(
        "INSERT INTO dossier (id, unit, system, stage, since, revision, summary, sealed) \
         VALUES ($1, $2, $3, $4, $5, 0, $6, $7)",
        values![
            number.0,
            dossier.unit().as_str(),
            dossier.system().map(|s| s.0),
            dossier.stage().number(),
            dossier.since().0,
            short(number).seal(&key, &SummaryRecord::of(dossier), &[])?,
            whole(number).seal(&key, dossier, &[])?
        ],
    )?;
    Ok(())
}

/// Stores a dossier that was changed, and a copy of it where it was submitted just now.
///
/// # Errors
/// [`Error::Refused`] where it is not at the revision that was read: somebody changed it meanwhile.
pub fn save(tx: &mut Tx<'_>, keys: &Keyring, stored: &Stored) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let Stored { dossier, revision } = stored;
    let number = dossier.number();
    let found = tx.lock_row(BY_NUMBER, values![number.0], |r| {
        Ok((r.get::<i64>(2)?, opened(r, &key)?.rest().to_vec()))
    })?;
    let (now, rest) = found.ok_or(Error::Damaged("dossier"))?;
    if now != *revision {
        return Err(Error::Refused(
            "hồ sơ vừa được thay đổi, hãy tải lại (the dossier was changed meanwhile: load again)"
                .into(),
        ));
    }
    tx.execute(
        "UPDATE dossier SET system = $1, stage = $2, since = $3, revision = revision + 1, \
         summary = $4, sealed = $5, unit = $6 WHERE id = $7",
        values![
            dossier.system().map(|s| s.0),
            dossier.stage().number(),
            dossier.since().0,
            short(number).seal(&key, &SummaryRecord::of(dossier), &[])?,
            whole(number).seal(&key, dossier, &rest)?,
            dossier.unit().as_str(),
            number.0
        ],
    )?;
    if *dossier.stage() == Stage::Submitted {
        keep_version(tx, &key, dossier)?;
    }
    Ok(())
}

/// A version is kept as it was submitted: what is checked of it later does not change the copy.
fn keep_version(tx: &mut Tx<'_>, key: &Key, dossier: &Dossier) -> Result<()> {
    let (number, version) = (dossier.number(), dossier.version());
    tx.execute(
        "INSERT INTO dossier_version (dossier, version, at, sealed) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (dossier, version) DO NOTHING",
        values![
            number.0,
            version,
            dossier.since().0,
            copy(number, version).seal(key, dossier, &[])?
        ],
    )?;
    Ok(())
}

/// A dossier.
pub fn by_number(tx: &mut Tx<'_>, keys: &Keyring, number: DossierNumber) -> Result<Option<Stored>> {
    let Some(key) = key(keys) else { return Ok(None) };
    tx.optional(BY_NUMBER, values![number.0], |r| stored(r, &key))
}

/// The newest dossier of a registered system.
pub fn of_system(tx: &mut Tx<'_>, keys: &Keyring, system: SystemId) -> Result<Option<Stored>> {
    let Some(key) = key(keys) else { return Ok(None) };
    tx.optional(OF_SYSTEM, values![system.0], |r| stored(r, &key))
}

/// Dossiers of a unit, whatever their stage.
pub fn of_unit(tx: &mut Tx<'_>, keys: &Keyring, unit: &UnitCode) -> Result<Vec<Stored>> {
    let Some(key) = key(keys) else { return Ok(vec![]) };
    let sql = "SELECT id, stage, revision, sealed FROM dossier WHERE unit = $1 ORDER BY id";
    tx.query(sql, values![unit.as_str()], |r| stored(r, &key))
}

/// The document of a row; what stands beside it says the same.
fn opened(r: &Row<'_>, key: &Key) -> Result<Opened<Dossier>> {
    let number = DossierNumber(r.get(0)?);
    let opened = whole(number).open::<Dossier>(key, r, 3)?;
    let dossier = &opened.record;
    if dossier.number() != number || dossier.stage().number() != r.get::<u8>(1)? {
        return Err(whole(number).damaged());
    }
    Ok(opened)
}

pub(crate) fn stored(r: &Row<'_>, key: &Key) -> Result<Stored> {
    Ok(Stored { dossier: opened(r, key)?.record, revision: r.get(2)? })
}

pub(super) fn submitted(r: &Row<'_>, key: &Key) -> Result<Dossier> {
    let place = copy(DossierNumber(r.get(0)?), r.get(1)?);
    Ok(place.open::<Dossier>(key, r, 2)?.record)
}

pub(crate) fn summary(r: &Row<'_>, key: &Key) -> Result<Summary> {
    let number = DossierNumber(r.get(0)?);
    let record = short(number).open::<SummaryRecord>(key, r, 5)?.record;
    let turn = |(at, turn)| (record.turns & 1u8 << at != 0).then_some(turn);
    Ok(Summary {
        number,
        unit: UnitCode::parse(&r.get::<String>(1)?).map_err(|_| Error::Damaged("dossier.unit"))?,
        stage: r.get(3)?,
        since: Moment(r.get(4)?),
        system: r.get::<Option<u32>>(2)?.map(SystemId),
        turns: TURNS.into_iter().enumerate().filter_map(turn).collect(),
        code: record.code,
        name: record.name,
        version: record.version,
        connected: record.connected,
        begun_by: PersonId(record.begun_by),
    })
}

impl SummaryRecord {
    fn of(dossier: &Dossier) -> Self {
        let now = turns(dossier);
        let bits = TURNS.iter().enumerate().filter(|(_, turn)| now.contains(turn));
        Self {
            code: dossier.content().system_code.clone(),
            name: dossier.content().system_name.clone(),
            version: dossier.version(),
            connected: dossier.in_force().is_some(),
            turns: bits.fold(0, |all, (at, _)| all | 1u8 << at),
            begun_by: dossier.begun().by.0,
        }
    }
}

fn whole(number: DossierNumber) -> Place {
    Place::numbered("dossier.sealed", i64::from(number.0))
}

fn short(number: DossierNumber) -> Place {
    Place::numbered("dossier.summary", i64::from(number.0))
}

fn copy(number: DossierNumber, version: u16) -> Place {
    Place::marked("dossier_version.sealed", format!("{} {version}", number.0).as_bytes())
}
