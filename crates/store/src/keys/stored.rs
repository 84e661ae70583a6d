//! What stands in `crypto_key` and which master is in force, without any key.

use dancu_domain::moment::Moment;

use super::ring::KeyInfo;
use super::{MasterId, Purpose};
use crate::engine::Tx;
use crate::error::Result;
use crate::facts;
use crate::values;

/// Name in `meta` of the master by which new keys are wrapped.
const MASTER_IN_FORCE: &str = "keys.master";

/// Every stored key.
pub(crate) fn list(tx: &mut Tx<'_>) -> Result<Vec<KeyInfo>> {
    let sql = "SELECT purpose, period, master, made_at, retired_at FROM crypto_key \
               ORDER BY purpose, period";
    tx.query(sql, &[], |r| {
        Ok(KeyInfo {
            purpose: r.get(0)?,
            period: r.get(1)?,
            master: r.get::<Option<&str>>(2)?.and_then(MasterId::parse),
            made_at: r.get::<Option<i64>>(3)?.map(Moment),
            retired_at: r.get::<Option<i64>>(4)?.map(Moment),
        })
    })
}

/// The highest period of a purpose that was ever made.
pub(crate) fn highest(tx: &mut Tx<'_>, purpose: Purpose) -> Result<Option<u32>> {
    let sql = "SELECT MAX(period) FROM crypto_key WHERE purpose = $1";
    tx.one(sql, values![purpose.name()], |r| r.get(0))
}

/// The highest key period of a month that was ever made, retired or not.
pub(crate) fn highest_of_month(tx: &mut Tx<'_>, month: u32) -> Result<Option<u32>> {
    let sql = "SELECT MAX(period) FROM crypto_key WHERE purpose = $1 AND period % 1000000 = $2";
    tx.one(sql, values![Purpose::Journal.name(), month], |r| r.get(0))
}

/// The newest key period of a month that is in use.
pub(crate) fn newest_live_of_month(tx: &mut Tx<'_>, month: u32) -> Result<Option<u32>> {
    let sql = "SELECT MAX(period) FROM crypto_key WHERE purpose = $1 AND period % 1000000 = $2 \
               AND retired_at IS NULL";
    tx.one(sql, values![Purpose::Journal.name(), month], |r| r.get(0))
}

/// The name of the master in force.
pub(crate) fn in_force(tx: &mut Tx<'_>) -> Result<Option<MasterId>> {
    Ok(facts::core(tx, MASTER_IN_FORCE)?.as_deref().and_then(MasterId::parse))
}

/// Puts the master in force that the stored keys are wrapped by, in a restored database: the file
/// of keys may be newer than the backup, from after a change of the master. Where none is named
/// the start finds it out (`Keyring::adopt`).
pub(crate) fn follow_rows(tx: &mut Tx<'_>) -> Result<()> {
    let sql = "SELECT master FROM crypto_key WHERE master IS NOT NULL AND retired_at IS NULL \
               GROUP BY master ORDER BY COUNT(*) DESC, master LIMIT 1";
    let used: Option<String> = tx.optional(sql, &[], |r| r.get(0))?;
    if let Some(id) = used.as_deref().and_then(MasterId::parse) {
        return put_in_force(tx, id);
    }
    facts::forget_core(tx, MASTER_IN_FORCE)
}

pub(super) fn put_in_force(tx: &mut Tx<'_>, id: MasterId) -> Result<()> {
    facts::set_core(tx, MASTER_IN_FORCE, &id.to_string())
}
