//! Use per hour of the duty day, for charts: counted from the journal once, forward, for every
//! system together.
//!
//! A page reads on where the last one stopped, at most [`STEP`] entries of it, and a thread goes on
//! where that was not enough; so neither a page nor the gate pays for how much was asked today.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dancu_domain::ids::SystemId;
use dancu_domain::moment::{DAY_MS, DutyDay, HOUR_MS, Moment};
use dancu_journal::{Body, Decision};
use dancu_portal::chart::HOURS;
use dancu_store::entries::Scanned;
use dancu_store::{Result, Store};
use hashbrown::HashMap;
use parking_lot::Mutex;

/// Entries that one page reads on at most: about a tenth of a second.
const STEP: u64 = 50_000;

/// The counts of today, shared by every page.
#[derive(Clone, Default)]
pub struct Hours(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// Whoever holds it reads on.
    cursor: Mutex<Cursor>,
    shown: Mutex<Shown>,
    /// A thread is reading on.
    working: AtomicBool,
}

/// How far the journal was read.
#[derive(Default)]
struct Cursor {
    day: Option<DutyDay>,
    next: u64,
}

#[derive(Default)]
struct Shown {
    systems: HashMap<u32, Counts>,
    /// The journaled time of the last entry read, while there are more.
    until: Option<Moment>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    hours: [u64; HOURS],
    answered: u64,
    refused: u64,
}

/// Today of one system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Day {
    /// Persons answered in each hour from 07:00; none for hours that have not come or were not
    /// read yet.
    pub used: [Option<u64>; HOURS],
    /// Persons answered.
    pub answered: u64,
    /// Questions refused.
    pub refused: u64,
    /// Up to when today was read, where there is more to read.
    pub until: Option<Moment>,
}

impl Hours {
    /// Today of some systems, in their order.
    ///
    /// # Errors
    /// The journal could not be read.
    pub async fn of(
        &self,
        store: &Arc<Store>,
        now: Moment,
        systems: &[SystemId],
    ) -> Result<Vec<Day>> {
        let (hours, journal) = (self.clone(), store.clone());
        let read = tokio::task::spawn_blocking(move || hours.read_on(&journal, now));
        let all = read.await.map_err(|_| dancu_store::Error::Unavailable("hours"))??;
        if !all {
            self.go_on(store, now);
        }
        let duty = store.profiles().at(now).hours.duty(now);
        let begins = duty.resets_at.plus_ms(-DAY_MS);
        let shown = self.0.shown.lock();
        let last = hour_of(begins, shown.until.unwrap_or(now).min(now));
        Ok(systems.iter().map(|system| shown.day(*system, last)).collect())
    }

    /// Reads on until the end of the journal, in a thread of its own; one at a time does.
    fn go_on(&self, store: &Arc<Store>, now: Moment) {
        if self.0.working.swap(true, Ordering::AcqRel) {
            return;
        }
        let (hours, store) = (self.clone(), store.clone());
        tokio::task::spawn_blocking(move || {
            let mut more = true;
            while more && !store.is_stopped() {
                more = match hours.read_on(&store, now) {
                    Ok(all) => !all,
                    Err(error) => {
                        tracing::warn!(error = %error, "hours could not be counted");
                        false
                    }
                };
            }
            hours.0.working.store(false, Ordering::Release);
        });
    }

    /// Reads at most [`STEP`] entries; whether that was all. Where somebody else is reading it
    /// waits for them: they read the same.
    fn read_on(&self, store: &Store, now: Moment) -> Result<bool> {
        let mut cursor = self.0.cursor.lock();
        let duty = store.profiles().at(now).hours.duty(now);
        let begins = duty.resets_at.plus_ms(-DAY_MS);
        let head = store.ledger().next_index();
        if cursor.day != Some(duty.day) || cursor.next > head {
            let next = first_since(store, begins, head);
            *cursor = Cursor { day: Some(duty.day), next };
            *self.0.shown.lock() = Shown::default();
        }
        let (from, mut until) = (cursor.next, None);
        let mut read: HashMap<u32, Counts> = HashMap::new();
        store.scan_past(from, |scanned| {
            match scanned {
                Scanned::Entry(entry) => {
                    cursor.next = entry.index + 1;
                    until = Some(Moment(entry.at));
                    if let Body::Query(q) = &entry.body
                        && q.duty_day == duty.day.0
                    {
                        let hour = hour_of(begins, Moment(entry.arrival));
                        read.entry(q.system).or_default().add(q, hour);
                    }
                }
                Scanned::Closed { end, .. } => cursor.next = end,
            }
            Ok(cursor.next < from + STEP)
        })?;
        let all = cursor.next < from + STEP;
        let mut shown = self.0.shown.lock();
        for (system, counts) in read {
            shown.systems.entry(system).or_default().join(&counts);
        }
        shown.until = until.filter(|_| !all);
        Ok(all)
    }
}

impl Counts {
    fn add(&mut self, q: &dancu_journal::Query, hour: usize) {
        match q.decision {
            Decision::Accepted => {
                self.answered += u64::from(q.counted);
                self.hours[hour] += u64::from(q.counted);
            }
            Decision::Refused => self.refused += 1,
            Decision::Repeat => {}
        }
    }

    fn join(&mut self, other: &Self) {
        for (sum, more) in self.hours.iter_mut().zip(other.hours) {
            *sum += more;
        }
        self.answered += other.answered;
        self.refused += other.refused;
    }
}

impl Shown {
    /// A system's day up to an hour, that hour included.
    fn day(&self, system: SystemId, last: usize) -> Day {
        let counts = self.systems.get(&system.0).copied().unwrap_or_default();
        let mut used = [None; HOURS];
        for (shown, count) in used.iter_mut().zip(counts.hours).take(last + 1) {
            *shown = Some(count);
        }
        Day { used, answered: counts.answered, refused: counts.refused, until: self.until }
    }
}

/// Which hour of the duty day an instant falls in; instants outside fall in its first or last.
fn hour_of(begins: Moment, at: Moment) -> usize {
    let hour = (at.0 - begins.0).div_euclid(HOUR_MS).clamp(0, HOURS as i64 - 1);
    usize::try_from(hour).unwrap_or(0)
}

/// The index of the first entry journaled at or after an instant: journaled times never fall. What
/// cannot be read any more is older.
fn first_since(store: &Store, since: Moment, head: u64) -> u64 {
    let (mut low, mut high) = (0, head);
    while low < high {
        let middle = low + (high - low) / 2;
        let after = matches!(store.entry(middle), Ok(Some(entry)) if entry.at >= since.0);
        if after {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_run_from_seven_and_those_to_come_are_empty() {
        let begins = Moment(7 * HOUR_MS);
        assert_eq!(hour_of(begins, begins), 0);
        assert_eq!(hour_of(begins, begins.plus_ms(HOUR_MS - 1)), 0);
        assert_eq!(hour_of(begins, begins.plus_ms(HOUR_MS)), 1);
        assert_eq!(hour_of(begins, begins.plus_ms(DAY_MS)), HOURS - 1);
        assert_eq!(hour_of(begins, begins.plus_ms(-1)), 0);
        let mut counts = Counts::default();
        let query = |decision, counted| dancu_journal::Query {
            decision,
            counted,
            ..dancu_journal::Query::default()
        };
        counts.add(&query(Decision::Accepted, 3), 2);
        counts.add(&query(Decision::Repeat, 0), 2);
        counts.add(&query(Decision::Refused, 0), 2);
        let mut shown = Shown::default();
        shown.systems.entry(4).or_default().join(&counts);
        shown.systems.entry(4).or_default().join(&counts);
        let day = shown.day(SystemId(4), 2);
        assert_eq!((day.answered, day.refused), (6, 2));
        assert_eq!(day.used[..4], [Some(0), Some(0), Some(6), None]);
        assert_eq!(shown.day(SystemId(5), 0).used[..2], [Some(0), None]);
    }
}
