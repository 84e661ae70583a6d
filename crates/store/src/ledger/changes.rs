//! What a transaction changed, packed for the other nodes of the same database.

use std::borrow::Cow;

use dancu_domain::ids::{AccountId, LineId, PlanId, SystemId};
use dancu_domain::lines::{LineDay, LineLock, Row};
use dancu_domain::moment::{DutyDay, Moment};
use dancu_domain::service::Window;
use serde::{Deserialize, Serialize};

use crate::charges::Charge;
use crate::error::{Error, Result};
use crate::used::Used;

/// Everything that another node has to take over, besides request ids, which have their table.
#[derive(Default)]
pub(super) struct Changes {
    /// Whether keys were made.
    pub(super) keys: bool,
    /// Counts and locks, as they are afterwards.
    pub(super) rows: Vec<Row>,
    /// SOAP headers that were used without an entry.
    pub(super) used: Vec<Used>,
    /// What questions took of their pace (D7).
    pub(super) charges: Vec<Charge>,
}

/// First byte of the packed form: a rolling upgrade has nodes of two programs on one log.
const FORMAT: u8 = 1;

/// The packed form, in this order.
type Parts<'a> = (bool, Vec<Packed>, Cow<'a, [Used]>, Cow<'a, [Charge]>);

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
    /// As bytes. `keys`: whether the transaction made keys.
    pub(super) fn pack(&self, keys: bool) -> Result<Vec<u8>> {
        let rows = self.rows.iter().map(packed).collect();
        let (used, charges) = (Cow::from(&self.used), Cow::from(&self.charges));
        let parts: Parts<'_> = (self.keys || keys, rows, used, charges);
        postcard::to_extend(&parts, vec![FORMAT]).map_err(|_| Error::Damaged("ledger_batch"))
    }

    /// From bytes; `None` = in a format of another program, whose node reads everything.
    pub(super) fn unpack(bytes: &[u8]) -> Result<Option<Self>> {
        let Some(bytes) = bytes.strip_prefix(&[FORMAT]) else { return Ok(None) };
        let (keys, rows, used, charges): Parts<'_> =
            postcard::from_bytes(bytes).map_err(|_| Error::Damaged("ledger_batch"))?;
        let rows = rows.into_iter().map(unpacked).collect();
        Ok(Some(Self { keys, rows, used: used.into_owned(), charges: charges.into_owned() }))
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
        let used = vec![Used { triple: [1; 16], body: [2; 16], until: -5 }];
        let persons = vec![[1; 4], [9; 4]];
        let paced = vec![Charge { system: 1, account: 0, at: -2, requests: 3, persons }];
        for keys in [false, true] {
            let (rows, used) = (rows.clone(), used.clone());
            let all = Changes { keys: false, rows, used, charges: paced.clone() };
            let back = Changes::unpack(&all.pack(keys).unwrap()).unwrap().unwrap();
            assert_eq!((back.keys, back.rows), (keys, all.rows));
            assert_eq!((back.used, back.charges), (all.used, all.charges));
        }
        assert!(Changes::unpack(&[FORMAT, 1, 200, 3]).is_err());
        assert!(Changes::unpack(&[FORMAT + 1, 0]).unwrap().is_none(), "of a later program");
        assert!(Changes::unpack(&[]).unwrap().is_none());
    }
}
