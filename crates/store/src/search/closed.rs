//! Months that the search knows nothing of, because their key is gone.

use std::collections::BTreeMap;

/// Entries that were passed over, by month.
#[derive(Default)]
pub(super) struct Closed(BTreeMap<u32, u64>);

impl Closed {
    /// Adds entries of a month, yyyymm.
    pub(super) fn add(&mut self, month: u32, entries: u64) {
        *self.0.entry(month).or_default() += entries;
    }

    /// Says it in the log, once for each month.
    pub(super) fn tell(&self) {
        for (month, entries) in &self.0 {
            tracing::warn!(
                month,
                entries,
                "search.closed: the month has no key, its entries are found by no search"
            );
        }
    }
}
