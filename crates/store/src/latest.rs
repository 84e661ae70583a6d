//! The last entries of a search. Searches find rising indexes from one on; the last ones are found
//! by halving the journal.

use dancu_journal::{Body, Entry};

use crate::entries::{SearchKind, act_digest, system_digest};
use crate::error::Result;
use crate::store::{SearchBy, Store};

/// Entries that one look may find: a range with more of them is halved.
const LOOK_MAX: usize = 4_096;

impl Store {
    /// The last `limit` entries of a system, the newest first. A look reads some chunks of each
    /// run, and there are at most as many looks as halvings of the journal.
    ///
    /// # Errors
    /// The store failed.
    pub fn last_entries_of_system(&self, system: u32, limit: usize) -> Result<Vec<Entry>> {
        let digest = system_digest(system);
        let find = |from| self.search.find(SearchKind::System, &digest, from, LOOK_MAX);
        // The search is derived: whatever it says, nobody is shown another system's entries.
        let own = |e: &Entry| matches!(&e.body, Body::Query(q) if q.system == system);
        newest(find, self.ledger.next_index(), limit, |found| {
            Ok(self.entries(found)?.into_iter().filter(own).collect())
        })
    }

    /// The last `limit` acts of a kind on a system (0 = on none) before an index, the newest first.
    ///
    /// # Errors
    /// The store failed.
    pub fn last_acts(
        &self,
        (system, kind): (u32, &str),
        before: u64,
        limit: usize,
    ) -> Result<Vec<Entry>> {
        let digest = act_digest(system, kind);
        let find = |from| self.search.find(SearchKind::Act, &digest, from, LOOK_MAX);
        // The search is derived: what an entry is, it says itself.
        let own =
            |e: &Entry| matches!(&e.body, Body::Act(a) if a.system == system && a.kind == kind);
        newest(find, before.min(self.ledger.next_index()), limit, |found| {
            Ok(self.entries(found)?.into_iter().filter(own).collect())
        })
    }

    /// The last `limit` entries of a search, the newest first, however many there are.
    ///
    /// # Errors
    /// The store failed.
    pub fn last_entries_by(&self, by: &SearchBy<'_>, limit: usize) -> Result<Vec<Entry>> {
        let find = |from| self.indexes_by(by, from, LOOK_MAX);
        newest(find, self.ledger.next_index(), limit, |found| self.searched(by, found))
    }
}

/// The last `limit` entries before an index that a search finds, the newest first; `read` gives
/// those of some indexes that are what was looked for.
fn newest(
    find: impl Fn(u64) -> Result<Vec<u64>>,
    high: u64,
    limit: usize,
    read: impl FnOnce(&[u64]) -> Result<Vec<Entry>>,
) -> Result<Vec<Entry>> {
    let mut entries = read(&last(&find, (0, high), limit)?)?;
    entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.index));
    Ok(entries)
}

/// The last `limit` indexes within a range, rising. `find` gives at most [`LOOK_MAX`] rising ones
/// from an index on.
fn last(
    find: &impl Fn(u64) -> Result<Vec<u64>>,
    (low, high): (u64, u64),
    limit: usize,
) -> Result<Vec<u64>> {
    let mut found = find(low)?;
    let is_whole = found.len() < LOOK_MAX || found.last().is_some_and(|index| *index >= high);
    if is_whole || high - low <= 1 {
        found.retain(|index| *index < high);
        return Ok(found.split_off(found.len().saturating_sub(limit)));
    }
    let middle = low + (high - low) / 2;
    let mut upper = last(find, (middle, high), limit)?;
    if upper.len() < limit {
        let mut all = last(find, (low, middle), limit - upper.len())?;
        all.append(&mut upper);
        return Ok(all);
    }
    Ok(upper)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn the_last_ones_are_found_wherever_they_are() {
        let journal = 3_000_000;
        let sparse: Vec<u64> = (0..journal).step_by(10_007).collect();
        let dense: Vec<u64> = (0..journal).collect();
        let early: Vec<u64> = (0..1_000_000).collect();
        let late: Vec<u64> = (0..500_000).chain(journal - 7..journal).collect();
        for (name, all) in [
            ("sparse", sparse),
            ("dense", dense),
            ("early", early),
            ("late", late),
            ("none", vec![]),
        ] {
            let looks = Cell::new(0);
            let find = |from: u64| {
                looks.set(looks.get() + 1);
                let start = all.partition_point(|index| *index < from);
                Ok(all[start..].iter().copied().take(LOOK_MAX).collect())
            };
            let found = last(&find, (0, journal), 100).unwrap();
            assert_eq!(found, all[all.len().saturating_sub(100)..], "{name}");
            assert!(looks.get() < 64, "{name}: {}", looks.get());
        }
    }
}
