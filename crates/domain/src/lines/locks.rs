//! Locks (D3), found by their line, and by their system where they stop the whole connection:
//! every question looks here, and nearly all find nothing.

use hashbrown::HashMap;

use super::LineLock;
use crate::ids::{LineId, SystemId};
use crate::moment::Moment;

/// Every lock, ended ones too until somebody asks about their line.
#[derive(Clone, Default, Debug)]
pub(super) struct Locks {
    by_line: HashMap<LineId, LineLock>,
    /// Lines whose lock stops their whole connection: at most the lines of one system each.
    connections: HashMap<SystemId, Vec<LineId>>,
}

impl Locks {
    /// The lock of a line, ended or not.
    pub(super) fn get(&self, line: LineId) -> Option<LineLock> {
        self.by_line.get(&line).copied()
    }

    /// Every lock with its line.
    pub(super) fn iter(&self) -> impl Iterator<Item = (LineId, &LineLock)> {
        self.by_line.iter().map(|(line, lock)| (*line, lock))
    }

    /// Locks a line or ends its lock; what was there before.
    pub(super) fn set(&mut self, line: LineId, lock: Option<LineLock>) -> Option<LineLock> {
        let old = match lock {
            Some(lock) => self.by_line.insert(line, lock),
            None => self.by_line.remove(&line),
        };
        if let Some(old) = old.filter(|l| l.connection)
            && let Some(lines) = self.connections.get_mut(&old.system)
        {
            lines.retain(|l| *l != line);
            if lines.is_empty() {
                self.connections.remove(&old.system);
            }
        }
        if let Some(lock) = lock.filter(|l| l.connection) {
            self.connections.entry(lock.system).or_default().push(line);
        }
        old
    }

    /// The lock in force on a line or on its whole system; of several on the system the one that
    /// ends last. `own_ended`: the line's own lock is over, whatever it says.
    pub(super) fn in_force(
        &self,
        system: SystemId,
        line: LineId,
        at: Moment,
        own_ended: bool,
    ) -> Option<LineLock> {
        let holds = |id: LineId| {
            let lock = self.by_line.get(&id).filter(|l| l.until.is_none_or(|u| at < u));
            lock.filter(|_| !(own_ended && id == line)).copied()
        };
        holds(line).or_else(|| {
            let whole = self.connections.get(&system)?.iter().filter_map(|id| holds(*id));
            whole.max_by_key(|l| (l.until.is_none(), l.until))
        })
    }

    /// Locks in force: of lines, and of whole connections.
    pub(super) fn count(&self, at: Moment) -> (u64, u64) {
        self.by_line.values().filter(|l| l.until.is_none_or(|u| at < u)).fold(
            (0, 0),
            |(lines, connections), lock| {
                let whole = u64::from(lock.connection);
                (lines + 1 - whole, connections + whole)
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYSTEM: SystemId = SystemId(1);

    fn lock(connection: bool, until: Option<i64>) -> LineLock {
        LineLock { system: SYSTEM, since: Moment(0), until: until.map(Moment), connection }
    }

    #[test]
    fn a_connection_lock_is_found_from_every_line_and_forgotten_with_its_end() {
        let mut locks = Locks::default();
        let until = |locks: &Locks, line: u32, at: i64| {
            let found = locks.in_force(SYSTEM, LineId(line), Moment(at), false);
            found.map(|l| l.until.map(|u| u.0))
        };
        locks.set(LineId(1), Some(lock(true, Some(10))));
        locks.set(LineId(2), Some(lock(true, Some(20))));
        locks.set(LineId(3), Some(lock(false, None)));
        assert_eq!(until(&locks, 9, 0), Some(Some(20)), "the one that ends last");
        assert_eq!(until(&locks, 1, 0), Some(Some(10)), "a line's own first");
        assert_eq!(until(&locks, 3, 0), Some(None));
        assert_eq!(locks.count(Moment(0)), (1, 2));
        assert_eq!(locks.count(Moment(10)), (1, 1));
        assert_eq!(until(&locks, 9, 20), None);
        assert_eq!(locks.in_force(SystemId(2), LineId(9), Moment(0), false), None);
        // A lock that becomes one of its line only, and one that ends.
        assert_eq!(locks.set(LineId(2), Some(lock(false, Some(20)))), Some(lock(true, Some(20))));
        assert_eq!(until(&locks, 9, 0), Some(Some(10)));
        locks.set(LineId(1), None);
        assert_eq!(until(&locks, 9, 0), None);
        assert!(locks.connections.is_empty());
    }

    #[test]
    fn a_line_whose_own_lock_is_over_is_not_stopped_by_it() {
        let mut locks = Locks::default();
        locks.set(LineId(1), Some(lock(true, None)));
        assert_eq!(locks.in_force(SYSTEM, LineId(1), Moment(0), true), None);
        assert!(locks.in_force(SYSTEM, LineId(2), Moment(0), true).is_some());
    }
}
