//! Taking back: a commit may fail, and with it every batch that was counted on top of it.

use hashbrown::{HashMap, HashSet};

use super::{Counted, LineLock, Lines, Row};
use crate::ids::{AccountId, LineId, PlanId, SystemId};
use crate::moment::DutyDay;

/// What takes back one change.
#[derive(Clone, Copy, Debug)]
pub(super) enum Undo {
    Line((LineId, DutyDay), Option<Counted>),
    Account((AccountId, DutyDay), Option<u32>),
    Plan((PlanId, DutyDay), Option<u32>),
    OffHours((SystemId, DutyDay), Option<u32>),
    Lock(LineId, Option<LineLock>),
}

impl Lines {
    /// Starts a batch. Batches before it may still be on their way to the disk.
    pub fn begin(&mut self) {
        if self.open {
            self.closed.push_back(self.undo.len() - self.closed.iter().sum::<usize>());
        }
        self.open = true;
    }

    /// The oldest batch is on the disk: it cannot be taken back any more.
    pub fn durable(&mut self) {
        if let Some(changes) = self.closed.pop_front() {
            self.undo.drain(..changes);
        } else {
            self.undo.clear();
            self.open = false;
        }
    }

    /// Forgets that a batch was begun, if it changed nothing.
    pub fn cancel(&mut self) {
        self.open = self.closed.pop_back().is_some();
    }

    /// Takes back every batch that is not durable: a commit failed, and with it what was counted
    /// on top of it.
    pub fn rollback(&mut self) {
        self.closed.clear();
        self.open = false;
        while let Some(undo) = self.undo.pop_back() {
            match undo {
                Undo::Line(key, old) => restore(&mut self.counted, key, old),
                Undo::Account(key, old) => restore(&mut self.accounts, key, old),
                Undo::Plan(key, old) => restore(&mut self.plans, key, old),
                Undo::OffHours(key, old) => restore(&mut self.off_hours, key, old),
                Undo::Lock(key, old) => {
                    self.locks.set(key, old);
                }
            }
        }
    }

    /// The rows that changed since the last [`Lines::begin`], each once, as they are now.
    pub fn touched(&self) -> Vec<Row> {
        let earlier = self.closed.iter().sum();
        let mut rows = vec![];
        let mut seen = HashSet::new();
        for undo in self.undo.iter().skip(earlier) {
            let key = match *undo {
                Undo::Line((id, day), _) => (0, id.0, day.0),
                Undo::Account((id, day), _) => (1, id.0, day.0),
                Undo::Plan((id, day), _) => (2, id.0, day.0),
                Undo::Lock(id, _) => (3, id.0, 0),
                Undo::OffHours(..) => continue,
            };
            if !seen.insert(key) {
                continue;
            }
            rows.push(match *undo {
                Undo::Line((id, day), _) => {
                    let c = self.counted[&(id, day)];
                    Row::Line(id, c.system, c.window, day, c.day)
                }
                Undo::Account((id, day), _) => Row::Account(id, day, self.accounts[&(id, day)]),
                Undo::Plan((id, day), _) => Row::Plan(id, day, self.plans[&(id, day)]),
                Undo::Lock(id, _) => Row::Lock(id, self.locks.get(id)),
                Undo::OffHours(..) => continue,
            });
        }
        rows
    }
}

fn restore<K: std::hash::Hash + Eq, V>(map: &mut HashMap<K, V>, key: K, old: Option<V>) {
    match old {
        Some(v) => {
            map.insert(key, v);
        }
        None => {
            map.remove(&key);
        }
    }
}
