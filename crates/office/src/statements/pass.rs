//! One pass over the journal for a month: every system's figures together, and the tree.
//!
//! It reads in slices, so that whoever runs it may pause, stop and see whether it still should. How
//! far it came is kept in memory alone: a pass that was cut off begins anew, and comes to the same
//! figures, because the month is over.

use std::sync::Arc;

use dancu_domain::ids::SystemId;
use dancu_domain::moment::{DAY_MS, DutyDay, HOUR_MS, Hours, MINUTE_MS, Moment};
use dancu_domain::profile::Profiles;
use dancu_domain::statements::{Covered, Month, Open, READY_MS};
use dancu_journal::tree::Frontier;
use dancu_journal::{Body, Entry};
use dancu_store::entries::Scanned;
use dancu_store::{Error, Result, Store};
use hashbrown::HashMap;

use super::tally::Tally;
use crate::hours::first_since;
use crate::raise_requests::{begins, duty_day};

/// Entries that one slice reads at most: some hundredths of a second, and 20 MB while it lasts.
pub const SLICE: u64 = 20_000;
/// Beside the month: a question of its last moment may be journaled so long after, one of its first
/// moment on another node's clock so long before (ms).
const LATE_MS: i64 = 10 * MINUTE_MS;
const EARLY_MS: i64 = MINUTE_MS;

/// Acts that end locks of several systems, whose entries are of none.
const OF_SEVERAL: [&str; 2] = ["officer.revoked", "campaign.stopped"];

/// The month's beginning and end.
#[must_use]
pub(super) fn span(profiles: &Profiles, month: Month) -> (Moment, Moment) {
    // The hours in force on the day: at its noon in Viet Nam no other duty day can run.
    let noon = |date| Moment(i64::from(duty_day(date).0) * DAY_MS + 5 * HOUR_MS);
    let [first, _] = month.days();
    let [after, _] = month.next().days();
    let of = |date| begins(&profiles.at(noon(date)).hours, duty_day(date));
    (of(first), of(after))
}

/// Whether everything of a month is journaled.
#[must_use]
pub(super) fn is_over(profiles: &Profiles, month: Month, now: Moment) -> bool {
    now.0 >= span(profiles, month).1.0 + READY_MS
}

/// A pass under way.
pub struct Pass {
    /// Of which month.
    pub month: Month,
    pub(super) from: Moment,
    pub(super) to: Moment,
    profiles: Arc<Profiles>,
    hours: Hours,
    first: u64,
    next: u64,
    /// Index after the last entry of the month, once it is known.
    end: Option<u64>,
    /// Entries of a month whose key is gone: nothing can be confirmed from them.
    closed: bool,
    carried: HashMap<SystemId, Vec<Open>>,
    tallies: HashMap<SystemId, Tally>,
    pub(super) tree: Frontier,
}

impl Pass {
    /// Begins one; `carried` are the locks that went on after the month before.
    pub(super) fn begin(
        store: &Store,
        month: Month,
        tree: Frontier,
        carried: HashMap<SystemId, Vec<Open>>,
    ) -> Result<Self> {
        let profiles = store.profiles().clone();
        let (from, to) = span(&profiles, month);
        let first = first_since(store, from.plus_ms(-EARLY_MS))?;
        let hours = profiles.at(from).hours.clone();
        Ok(Self {
            month,
            from,
            to,
            profiles,
            hours,
            first,
            next: first,
            end: None,
            closed: false,
            carried,
            tallies: HashMap::new(),
            tree,
        })
    }

    /// Reads one slice on; whether that was all. Waits for the database.
    ///
    /// # Errors
    /// The journal could not be read: the next step reads the same slice again.
    pub fn step(&mut self, store: &Store) -> Result<bool> {
        let Some(end) = self.end else {
            self.read_on(store)?;
            return Ok(false);
        };
        let mut left = SLICE;
        let mut tree = self.tree.clone();
        if tree.size() < end {
            store.commitments(tree.size(), |commitment| {
                tree.push(commitment);
                left -= 1;
                Ok(left > 0 && tree.size() < end)
            })?;
        }
        if tree.size() < end && left > 0 {
            return Err(Error::Damaged("entry_chunk.first_idx"));
        }
        self.tree = tree;
        Ok(self.tree.size() >= end)
    }

    fn read_on(&mut self, store: &Store) -> Result<()> {
        // A slice is counted as a whole or not at all: entries of an error are read again.
        let (mut slice, mut end, mut closed) = (vec![], None, false);
        let (first, to, mut next) = (self.next, self.to, self.next);
        store.scan_past(first, |scanned| {
            match scanned {
                Scanned::Entry(entry) if entry.at - to.0 > LATE_MS => {
                    end = Some(entry.index);
                    return Ok(false);
                }
                Scanned::Entry(entry) => {
                    next = entry.index + 1;
                    slice.extend(self.of_month(entry));
                }
                Scanned::Closed { end, .. } => {
                    next = end;
                    closed = true;
                }
            }
            Ok(next < first + SLICE)
        })?;
        for entry in slice {
            self.count(&entry);
        }
        self.closed |= closed;
        let all = next < first + SLICE;
        self.end = end.or(all.then_some(next));
        self.next = next;
        Ok(())
    }

    /// An entry that counts for the month: its duty day decides of a question, its time of an act.
    fn of_month(&self, entry: Entry) -> Option<Entry> {
        let counts = match &entry.body {
            Body::Query(q) => Month::of(DutyDay(q.duty_day)) == self.month,
            Body::Act(act) => {
                (act.system != 0 || OF_SEVERAL.contains(&act.kind.as_str()))
                    && (self.from.0..self.to.0).contains(&entry.at)
            }
            Body::Aggregate(_) => false,
        };
        counts.then_some(entry)
    }

    fn count(&mut self, entry: &Entry) {
        match &entry.body {
            Body::Query(q) => {
                let tally = self.tally(SystemId(q.system));
                tally.question(q, entry.index, Moment(entry.arrival));
            }
            Body::Act(act) if act.system == 0 => {
                let carried: Vec<SystemId> = self.carried.keys().copied().collect();
                for system in carried {
                    self.tally(system);
                }
                for tally in self.tallies.values_mut() {
                    tally.act(act, entry.index, Moment(entry.at));
                }
            }
            Body::Act(act) => {
                self.tally(SystemId(act.system)).act(act, entry.index, Moment(entry.at));
            }
            Body::Aggregate(_) => {}
        }
    }

    fn tally(&mut self, system: SystemId) -> &mut Tally {
        let open = self.carried.get(&system).map_or(&[][..], Vec::as_slice);
        let new = || Tally::new(&self.profiles, &self.hours, open);
        self.tallies.entry(system).or_insert_with(new)
    }

    /// Whether a question of a system was answered.
    pub(super) fn gave(&self, system: SystemId) -> bool {
        self.tallies.get(&system).is_some_and(Tally::gave)
    }

    /// What was counted of a system.
    pub(super) fn take(&mut self, system: SystemId) -> Tally {
        let open = self.carried.get(&system).map_or(&[][..], Vec::as_slice);
        let found = self.tallies.remove(&system);
        found.unwrap_or_else(|| Tally::new(&self.profiles, &self.hours, open))
    }

    /// Whether the month can be confirmed.
    pub(super) const fn is_whole(&self) -> bool {
        !self.closed
    }

    /// What it was counted from.
    pub(super) fn covered(&self) -> Covered {
        let end = self.end.unwrap_or(self.next);
        Covered {
            first: self.first,
            end,
            tree_size: self.tree.size(),
            root_hash: hex::encode(self.tree.root()),
        }
    }
}
