//! What a transaction changed, packed for the other nodes of the same database.

use dancu_domain::ids::{AccountId, LineId, PlanId, SystemId};
use dancu_domain::lines::{LineDay, LineLock, Row};
use dancu_domain::moment::{DutyDay, Moment};
use dancu_domain::service::Window;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Everything that another node has to take over, besides request ids, which have their table.
pub(super) struct Changes {
    /// Whether keys were made.
    pub(super) keys: bool,
    /// Counts and locks, as they are afterwards.
    pub(super) rows: Vec<Row>,
}

/// A row as it is packed; the order of the variants is the format.
#[derive(Serialize, Deserialize)]
enum Packed {
    Line { line: u32, system: u32, off_hours: bool, day: i32, counts: Counts },
    Account(u32, i32, u32),
    Plan(u32, i32, u32),
    Locked { line: u32, system: u32, since: i64, until: Option<i64>, connection: bool },
    Unlocked(u32),
}

#[derive(Serialize, Deserialize)]
struct Counts {
    used: u32,
    refused: u32,
    exceedances: u32,
    exceeded_at: Option<i64>,
    episode_at: Option<i64>,
    refused_after: u32,
}

impl Changes {
    /// As bytes.
    pub(super) fn pack(keys: bool, rows: &[Row]) -> Result<Vec<u8>> {
        let rows: Vec<Packed> = rows.iter().map(packed).collect();
        postcard::to_stdvec(&(keys, rows)).map_err(|_| Error::Damaged("ledger_batch"))
    }

    /// From bytes.
    pub(super) fn unpack(bytes: &[u8]) -> Result<Self> {
        let (keys, rows): (bool, Vec<Packed>) =
            postcard::from_bytes(bytes).map_err(|_| Error::Damaged("ledger_batch"))?;
        Ok(Self { keys, rows: rows.into_iter().map(unpacked).collect() })
    }
}

fn packed(row: &Row) -> Packed {
    match *row {
        Row::Line(line, system, window, day, d) => Packed::Line {
            line: line.0,
            system: system.0,
            off_hours: window == Window::OffHours,
            day: day.0,
            counts: Counts {
                used: d.used,
                refused: d.refused,
                exceedances: d.exceedances,
                exceeded_at: d.exceeded_at.map(|m| m.0),
                episode_at: d.episode_at.map(|m| m.0),
                refused_after: d.refused_after,
            },
        },
        Row::Account(account, day, used) => Packed::Account(account.0, day.0, used),
        Row::Plan(plan, day, used) => Packed::Plan(plan.0, day.0, used),
        Row::Lock(line, Some(lock)) => Packed::Locked {
            line: line.0,
            system: lock.system.0,
            since: lock.since.0,
            until: lock.until.map(|m| m.0),
            connection: lock.connection,
        },
        Row::Lock(line, None) => Packed::Unlocked(line.0),
    }
}

fn unpacked(row: Packed) -> Row {
    match row {
        Packed::Line { line, system, off_hours, day, counts: c } => {
            let window = if off_hours { Window::OffHours } else { Window::InHours };
            let counts = LineDay {
                used: c.used,
                refused: c.refused,
                exceedances: c.exceedances,
                exceeded_at: c.exceeded_at.map(Moment),
                episode_at: c.episode_at.map(Moment),
                refused_after: c.refused_after,
            };
            Row::Line(LineId(line), SystemId(system), window, DutyDay(day), counts)
        }
        Packed::Account(account, day, used) => Row::Account(AccountId(account), DutyDay(day), used),
        Packed::Plan(plan, day, used) => Row::Plan(PlanId(plan), DutyDay(day), used),
        Packed::Locked { line, system, since, until, connection } => {
            let (since, until) = (Moment(since), until.map(Moment));
            let lock = LineLock { system: SystemId(system), since, until, connection };
            Row::Lock(LineId(line), Some(lock))
        }
        Packed::Unlocked(line) => Row::Lock(LineId(line), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_change_comes_back() {
        let day = LineDay {
            used: 1,
            refused: 2,
            exceedances: 3,
            exceeded_at: Some(Moment(-4)),
            episode_at: None,
            refused_after: u32::MAX,
        };
        let lock = LineLock {
            system: SystemId(7),
            since: Moment(1_772_416_800_000),
            until: Some(Moment(5)),
            connection: true,
        };
        let rows = vec![
            Row::Line(LineId(1), SystemId(2), Window::OffHours, DutyDay(-3), day),
            Row::Account(AccountId(4), DutyDay(5), 6),
            Row::Plan(PlanId(7), DutyDay(8), 9),
            Row::Lock(LineId(10), Some(lock)),
            Row::Lock(LineId(11), None),
        ];
        for keys in [false, true] {
            let back = Changes::unpack(&Changes::pack(keys, &rows).unwrap()).unwrap();
            assert_eq!((back.keys, back.rows), (keys, rows.clone()));
        }
        assert!(Changes::unpack(&[1, 200, 3]).is_err());
    }
}
