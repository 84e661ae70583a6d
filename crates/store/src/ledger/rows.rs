//! Loading and saving what the ledger decides by.

use std::sync::LazyLock;

use dancu_domain::ids::{AccountId, LineId, PlanId, SystemId};
use dancu_domain::lines::{LineDay, LineLock, Lines, Row as Change};
use dancu_domain::moment::{DutyDay, Moment};
use dancu_domain::profile::Profiles;
use dancu_domain::service::Window;

use super::COUNT_DAYS_KEPT;
use super::prepare::Prepared;
use crate::engine::checks::NOW;
use crate::engine::{Row, Tx, migrate};
use crate::entries::Chunk;
use crate::error::{Error, Result};
use crate::{used, values};

/// The head of the ledger.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) next_index: u64,
    pub(super) last_at: Moment,
    pub(super) policy_epoch: u64,
    /// Transactions of all nodes so far; SQLite, which has one node, does not count them.
    pub(super) generation: u64,
}

/// Gives a new database its first head.
pub(super) fn make_head(tx: &mut Tx<'_>) -> Result<()> {
    tx.execute(
        "INSERT INTO ledger_head (id, next_index, last_at, policy_epoch) VALUES (1, 0, 0, 0) \
         ON CONFLICT (id) DO NOTHING",
        &[],
    )?;
    Ok(())
}

const HEAD: &str =
    "SELECT next_index, last_at, policy_epoch, generation FROM ledger_head WHERE id = 1";

fn read_head(r: &Row<'_>) -> Result<Head> {
    Ok(Head {
        next_index: r.get::<i64>(0)?.cast_unsigned(),
        last_at: Moment(r.get(1)?),
        policy_epoch: r.get::<i64>(2)?.cast_unsigned(),
        generation: r.get::<i64>(3)?.cast_unsigned(),
    })
}

/// Reads the head.
pub(super) fn head(tx: &mut Tx<'_>) -> Result<Head> {
    tx.one(HEAD, &[], read_head)
}

/// Locks the head until the transaction ends: what every writing transaction of a node does first.
pub(super) fn lock_head(tx: &mut Tx<'_>) -> Result<Head> {
    tx.lock_row(HEAD, &[], read_head)?.ok_or(Error::Damaged("ledger_head"))
}

/// What a node finds when it looks at the head.
pub(super) struct Found {
    pub(super) head: Head,
    /// The database's clock, ms.
    pub(super) database_ms: i64,
    /// The word of a part of the schema that this program does not fit any more.
    pub(super) unfit: Option<String>,
    /// Random id of the head's transaction, where it is in the log. A head that this statement had
    /// to wait for is newer than what it sees of the log: then there is none either.
    pub(super) id: Option<[u8; 16]>,
}

/// Prepared once per connection: a text that is always the same.
static HEAD_OF_NODES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT next_index, last_at, policy_epoch, generation, {NOW}, {}, \
         (SELECT b.id FROM ledger_batch b WHERE b.generation = ledger_head.generation) \
         FROM ledger_head WHERE id = 1",
        migrate::unfit()
    )
});

/// The head with the database's clock, in one round trip; locked until the transaction ends where
/// it is going to write.
pub(super) fn head_of_nodes(tx: &mut Tx<'_>, lock: bool) -> Result<Found> {
    let sql = &*HEAD_OF_NODES;
    let read = |r: &Row<'_>| {
        Ok(Found { head: read_head(r)?, database_ms: r.get(4)?, unfit: r.get(5)?, id: r.get(6)? })
    };
    let found = if lock { tx.lock_row(sql, &[], read) } else { tx.optional(sql, &[], read) }?;
    found.ok_or(Error::Damaged("ledger_head"))
}

/// The random id of a transaction in the log, which keeps the newest ones.
pub(super) fn id_of(tx: &mut Tx<'_>, generation: u64) -> Result<Option<[u8; 16]>> {
    let sql = "SELECT id FROM ledger_batch WHERE generation = $1";
    tx.optional(sql, values![generation.cast_signed()], |r| r.get(0))
}

pub(super) fn save_head(tx: &mut Tx<'_>, head: &Head) -> Result<()> {
    tx.queue(
        "UPDATE ledger_head SET next_index = $1, last_at = $2, policy_epoch = $3, \
         generation = $4 WHERE id = 1",
        values![
            head.next_index.cast_signed(),
            head.last_at.0,
            head.policy_epoch.cast_signed(),
            head.generation.cast_signed()
        ],
    )
}

/// Appends sealed entries.
pub(super) fn append(tx: &mut Tx<'_>, chunks: &[Chunk]) -> Result<()> {
    for c in chunks {
        tx.queue(
            "INSERT INTO entry_chunk (first_idx, entries, month, commitments, sealed, key_number) \
             VALUES ($1, $2, $3, $4, $5, $6)",
            values![
                c.first.cast_signed(),
                c.entries,
                c.month,
                c.commitments,
                c.sealed,
                c.key_number
            ],
        )?;
    }
    Ok(())
}

/// Keeps the request ids of a batch.
pub(super) fn save_requests(tx: &mut Tx<'_>, first: u64, at: Moment, packed: &[u8]) -> Result<()> {
    tx.queue(
        "INSERT INTO request_batch (first_idx, at, items) VALUES ($1, $2, $3)",
        values![first.cast_signed(), at.0, packed],
    )
}

/// Loads the counts of the last days and every lock.
pub(super) fn load(tx: &mut Tx<'_>, last_at: Moment, profiles: &Profiles) -> Result<Lines> {
    let today = profiles.at(last_at).hours.duty(last_at).day;
    let oldest = today.0 - COUNT_DAYS_KEPT;
    let mut rows = tx.query(
        "SELECT line, system, off_hours, duty_day, used, refused, exceedances, exceeded_at, \
         episode_at, refused_after FROM line_day WHERE duty_day >= $1",
        values![oldest],
        line_row,
    )?;
    rows.extend(tx.query(
        "SELECT account, duty_day, used FROM account_day WHERE duty_day >= $1",
        values![oldest],
        |r| Ok(Change::Account(AccountId(r.get(0)?), DutyDay(r.get(1)?), r.get(2)?)),
    )?);
    rows.extend(tx.query(
        "SELECT plan, duty_day, used FROM plan_day WHERE duty_day >= $1",
        values![oldest],
        |r| Ok(Change::Plan(PlanId(r.get(0)?), DutyDay(r.get(1)?), r.get(2)?)),
    )?);
    rows.extend(tx.query(
        "SELECT line, system, since, until_at, connection FROM line_lock",
        &[],
        |r| {
            let lock = LineLock {
                system: SystemId(r.get(1)?),
                since: Moment(r.get(2)?),
                until: r.get::<Option<i64>>(3)?.map(Moment),
                connection: r.get(4)?,
            };
            Ok(Change::Lock(LineId(r.get(0)?), Some(lock)))
        },
    )?);
    Ok(Lines::load(rows))
}

fn line_row(r: &Row<'_>) -> Result<Change> {
    let window = if r.get(2)? { Window::OffHours } else { Window::InHours };
    let day = LineDay {
        used: r.get(4)?,
        refused: r.get(5)?,
        exceedances: r.get(6)?,
        exceeded_at: r.get::<Option<i64>>(7)?.map(Moment),
        episode_at: r.get::<Option<i64>>(8)?.map(Moment),
        refused_after: r.get(9)?,
    };
    Ok(Change::Line(LineId(r.get(0)?), SystemId(r.get(1)?), window, DutyDay(r.get(3)?), day))
}

/// Entries, request ids, counts, SOAP headers without an entry, and head of a batch.
pub(super) fn write(tx: &mut Tx<'_>, prepared: &Prepared) -> Result<()> {
    append(tx, &prepared.chunks)?;
    if !prepared.packed.is_empty() {
        let (first, at) = (prepared.before.next_index, prepared.after.last_at);
        save_requests(tx, first, at, &prepared.packed)?;
    }
    // Also without an entry: a lock may have ended.
    prepared.changes.rows.iter().try_for_each(|row| save(tx, row))?;
    used::save(tx, &prepared.changes.used)?;
    if prepared.after.next_index > prepared.before.next_index {
        save_head(tx, &prepared.after)?;
    }
    Ok(())
}

/// Saves one changed row.
pub(super) fn save(tx: &mut Tx<'_>, row: &Change) -> Result<()> {
    match *row {
        Change::Line(line, system, window, day, d) => {
            tx.queue(
                "INSERT INTO line_day (duty_day, line, system, off_hours, used, refused, \
                 exceedances, exceeded_at, episode_at, refused_after) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
                 ON CONFLICT (duty_day, line) DO UPDATE SET used = excluded.used, \
                 refused = excluded.refused, exceedances = excluded.exceedances, \
                 exceeded_at = excluded.exceeded_at, episode_at = excluded.episode_at, \
                 refused_after = excluded.refused_after",
                values![
                    day.0,
                    line.0,
                    system.0,
                    window == Window::OffHours,
                    d.used,
                    d.refused,
                    d.exceedances,
                    d.exceeded_at.map(|m| m.0),
                    d.episode_at.map(|m| m.0),
                    d.refused_after
                ],
            )?;
        }
        Change::Account(account, day, used) => {
            tx.queue(
                "INSERT INTO account_day (duty_day, account, used) VALUES ($1, $2, $3) \
                 ON CONFLICT (duty_day, account) DO UPDATE SET used = excluded.used",
                values![day.0, account.0, used],
            )?;
        }
        Change::Plan(plan, day, used) => {
            tx.queue(
                "INSERT INTO plan_day (duty_day, plan, used) VALUES ($1, $2, $3) \
                 ON CONFLICT (duty_day, plan) DO UPDATE SET used = excluded.used",
                values![day.0, plan.0, used],
            )?;
        }
        Change::Lock(line, None) => {
            tx.queue("DELETE FROM line_lock WHERE line = $1", values![line.0])?;
        }
        Change::Lock(line, Some(lock)) => {
            tx.queue(
                "INSERT INTO line_lock (line, system, since, until_at, connection) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (line) DO UPDATE SET \
                 since = excluded.since, until_at = excluded.until_at, \
                 connection = excluded.connection",
                values![
                    line.0,
                    lock.system.0,
                    lock.since.0,
                    lock.until.map(|m| m.0),
                    lock.connection
                ],
            )?;
        }
    }
    Ok(())
}
