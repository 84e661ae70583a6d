//! The counts and locks of the lines as an act sees them.

use dancu_domain::lines::Lines;
use parking_lot::{RwLock, RwLockWriteGuard};

/// The lines of this node. Whoever looks at them waits from the act's first look until its end: an
/// act that touches no count keeps nobody waiting, however many rows it writes.
pub struct Counts<'a> {
    shared: &'a RwLock<Lines>,
    held: Option<RwLockWriteGuard<'a, Lines>>,
}

impl<'a> Counts<'a> {
    pub(super) fn of(shared: &'a RwLock<Lines>) -> Self {
        Self { shared, held: None }
    }

    /// Counts and locks, to be read and changed.
    pub fn lines(&mut self) -> &mut Lines {
        self.held.get_or_insert_with(|| self.shared.write())
    }
}
