//! Loading and saving what the ledger decides by.

use dancu_domain::ids::{AccountId, LineId, PlanId, SystemId};
use dancu_domain::lines::{LineDay, LineLock, Lines, Row};
use dancu_domain::moment::{DutyDay, Moment};
use dancu_domain::profile::Profiles;
use dancu_domain::service::Window;
use rusqlite::{Connection, params};

use super::COUNT_DAYS_KEPT;
use crate::entries::Chunk;
use crate::error::Result;

/// The head of the ledger.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) next_index: u64,
    pub(super) last_at: Moment,
    pub(super) policy_epoch: u64,
}

/// Gives a new file its first head.
pub(super) fn make_head(db: &Connection) -> Result<()> {
    db.execute(
        "INSERT INTO ledger_head (id, next_index, last_at, policy_epoch) VALUES (1, 0, 0, 0) \
         ON CONFLICT (id) DO NOTHING",
        [],
    )?;
    Ok(())
}

/// Reads the head.
pub(super) fn head(db: &Connection) -> Result<Head> {
    let sql = "SELECT next_index, last_at, policy_epoch FROM ledger_head WHERE id = 1";
    Ok(db.query_row(sql, [], |r| {
        Ok(Head {
            next_index: r.get::<_, i64>(0)?.cast_unsigned(),
            last_at: Moment(r.get(1)?),
            policy_epoch: r.get::<_, i64>(2)?.cast_unsigned(),
        })
    })?)
}

pub(super) fn save_head(db: &Connection, head: &Head) -> Result<()> {
    db.prepare_cached(
        "UPDATE ledger_head SET next_index = $1, last_at = $2, policy_epoch = $3 WHERE id = 1",
    )?
    .execute(params![
        head.next_index.cast_signed(),
        head.last_at.0,
        head.policy_epoch.cast_signed()
    ])?;
    Ok(())
}

/// Appends sealed entries.
pub(super) fn append(db: &Connection, chunks: &[Chunk]) -> Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO entry_chunk (first_idx, entries, month, commitments, sealed) \
         VALUES ($1, $2, $3, $4, $5)",
    )?;
    for c in chunks {
        insert.execute(params![
            c.first.cast_signed(),
            c.entries,
            c.month,
            c.commitments,
            c.sealed
        ])?;
    }
    Ok(())
}

/// Keeps the request ids of a batch.
pub(super) fn save_requests(db: &Connection, first: u64, at: Moment, packed: &[u8]) -> Result<()> {
    db.prepare_cached("INSERT INTO request_batch (first_idx, at, items) VALUES ($1, $2, $3)")?
        .execute(params![first.cast_signed(), at.0, packed])?;
    Ok(())
}

/// Loads the counts of the last days and every lock.
pub(super) fn load(db: &Connection, last_at: Moment, profiles: &Profiles) -> Result<Lines> {
    let today = profiles.at(last_at).hours.duty(last_at).day;
    let oldest = today.0 - COUNT_DAYS_KEPT;
    let mut rows = vec![];
    let mut statement = db.prepare(
        "SELECT line, system, off_hours, duty_day, used, refused, exceedances, exceeded_at, \
         episode_at, refused_after FROM line_day WHERE duty_day >= $1",
    )?;
    let mut found = statement.query([oldest])?;
    while let Some(r) = found.next()? {
        let window = if r.get(2)? { Window::OffHours } else { Window::InHours };
        let day = LineDay {
            used: r.get(4)?,
            refused: r.get(5)?,
            exceedances: r.get(6)?,
            exceeded_at: r.get::<_, Option<i64>>(7)?.map(Moment),
            episode_at: r.get::<_, Option<i64>>(8)?.map(Moment),
            refused_after: r.get(9)?,
        };
        rows.push(Row::Line(
            LineId(r.get(0)?),
            SystemId(r.get(1)?),
            window,
            DutyDay(r.get(3)?),
            day,
        ));
    }
    let mut statement =
        db.prepare("SELECT account, duty_day, used FROM account_day WHERE duty_day >= $1")?;
    let mut found = statement.query([oldest])?;
    while let Some(r) = found.next()? {
        rows.push(Row::Account(AccountId(r.get(0)?), DutyDay(r.get(1)?), r.get(2)?));
    }
    let mut statement =
        db.prepare("SELECT plan, duty_day, used FROM plan_day WHERE duty_day >= $1")?;
    let mut found = statement.query([oldest])?;
    while let Some(r) = found.next()? {
        rows.push(Row::Plan(PlanId(r.get(0)?), DutyDay(r.get(1)?), r.get(2)?));
    }
    let mut statement =
        db.prepare("SELECT line, system, since, until_at, connection FROM line_lock")?;
    let mut found = statement.query([])?;
    while let Some(r) = found.next()? {
        let lock = LineLock {
            system: SystemId(r.get(1)?),
            since: Moment(r.get(2)?),
            until: r.get::<_, Option<i64>>(3)?.map(Moment),
            connection: r.get(4)?,
        };
        rows.push(Row::Lock(LineId(r.get(0)?), Some(lock)));
    }
    Ok(Lines::load(rows))
}

/// Saves one changed row.
pub(super) fn save(db: &Connection, row: &Row) -> Result<()> {
    match *row {
        Row::Line(line, system, window, day, d) => {
            db.prepare_cached(
                "INSERT INTO line_day (duty_day, line, system, off_hours, used, refused, \
                 exceedances, exceeded_at, episode_at, refused_after) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
                 ON CONFLICT (duty_day, line) DO UPDATE SET used = excluded.used, \
                 refused = excluded.refused, exceedances = excluded.exceedances, \
                 exceeded_at = excluded.exceeded_at, episode_at = excluded.episode_at, \
                 refused_after = excluded.refused_after",
            )?
            .execute(params![
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
            ])?;
        }
        Row::Account(account, day, used) => {
            db.prepare_cached(
                "INSERT INTO account_day (duty_day, account, used) VALUES ($1, $2, $3) \
                 ON CONFLICT (duty_day, account) DO UPDATE SET used = excluded.used",
            )?
            .execute(params![day.0, account.0, used])?;
        }
        Row::Plan(plan, day, used) => {
            db.prepare_cached(
                "INSERT INTO plan_day (duty_day, plan, used) VALUES ($1, $2, $3) \
                 ON CONFLICT (duty_day, plan) DO UPDATE SET used = excluded.used",
            )?
            .execute(params![day.0, plan.0, used])?;
        }
        Row::Lock(line, None) => {
            db.prepare_cached("DELETE FROM line_lock WHERE line = $1")?.execute([line.0])?;
        }
        Row::Lock(line, Some(lock)) => {
            db.prepare_cached(
                "INSERT INTO line_lock (line, system, since, until_at, connection) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (line) DO UPDATE SET \
                 since = excluded.since, until_at = excluded.until_at, \
                 connection = excluded.connection",
            )?
            .execute(params![
                line.0,
                lock.system.0,
                lock.since.0,
                lock.until.map(|m| m.0),
                lock.connection
            ])?;
        }
    }
    Ok(())
}
