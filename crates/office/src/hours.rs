//! Use per hour of a duty day (D1, D2): of one system on any day ([`HourlyUse`]), of every system
//! today ([`Today`]).
//!
//! The figures come from the journal, where each accepted question stands with its duty day, its
//! time and the persons it counted; nothing is added to the path of a question for them. What was
//! read is kept in memory, so that a page reads only what came since, and never more than so many
//! entries: who asks for much catches up over a few looks and is told until when it was counted.
//!
//! **Invariant:** what was read is counted and marked as read together, or neither.

mod today;

use dancu_domain::ids::{LineId, SystemId};
use dancu_domain::moment::{DAY_MS, DutyDay, HOUR_MS, Hours, MINUTE_MS, Moment};
use dancu_journal::{Body, Decision, Query};
use dancu_store::{Error, Result, Store};
use hashbrown::HashMap;
use parking_lot::Mutex;

pub use self::today::{STEP, Today};
use crate::raise_requests::begins;

/// Hours of a duty day.
pub const HOURS: usize = 24;
/// Entries that one look reads at most: about 0.2 s of reading and opening.
pub const ENTRIES_A_LOOK: usize = 20_000;
/// Entries read at a time.
const SLICE: usize = 1_000;
/// A question that arrived in a day may be journaled so long after its end, ms: it waits 30 s at
/// most for its answer, and a held one is asked anew.
const LATE_MS: i64 = 10 * MINUTE_MS;
/// A question that arrived at the beginning of a day on one node may be journaled by another as of
/// so long before, ms: two nodes' clocks differ by 4 s at most.
const EARLY_MS: i64 = MINUTE_MS;
/// Days of systems kept in memory: some hundred bytes each.
const KEPT_MAX: usize = 4_096;

/// Persons counted per hour from 07:00, by line.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DayHours {
    /// By hour, over all lines.
    pub all: [u64; HOURS],
    /// By line.
    pub lines: HashMap<LineId, [u64; HOURS]>,
    /// Questions refused per hour.
    pub refused: [u64; HOURS],
    /// Until when it was counted: where that is before now, another look goes on from there.
    pub until: Moment,
}

impl DayHours {
    /// Counts a question of the day that began at `from`.
    fn take(&mut self, q: &Query, arrival: Moment, from: Moment) {
        let hour = hour_of(from, arrival);
        match q.decision {
            Decision::Accepted => {
                let counted = u64::from(q.counted);
                self.all[hour] += counted;
                self.lines.entry(LineId(q.line)).or_default()[hour] += counted;
            }
            Decision::Refused => self.refused[hour] += 1,
            Decision::Repeat => {}
        }
    }

    fn add(&mut self, other: &Self) {
        let sum = |into: &mut [u64; HOURS], more: &[u64; HOURS]| {
            for (sum, more) in into.iter_mut().zip(more) {
                *sum += more;
            }
        };
        sum(&mut self.all, &other.all);
        sum(&mut self.refused, &other.refused);
        for (line, hours) in &other.lines {
            sum(self.lines.entry(*line).or_default(), hours);
        }
    }

    /// Persons counted in each hour of the day that began at `from`, as it is drawn: none for hours
    /// that have not come or were not read yet.
    #[must_use]
    pub fn shown(&self, from: Moment) -> [Option<u64>; HOURS] {
        let mut shown = [None; HOURS];
        for (hour, place) in shown.iter_mut().enumerate() {
            *place = (from.plus_ms(hour as i64 * HOUR_MS) <= self.until).then(|| self.all[hour]);
        }
        shown
    }
}

/// Which hour of a duty day an instant falls in; the duty day of a question decides, so that one
/// at its very edge falls in its first or last hour.
fn hour_of(begins: Moment, at: Moment) -> usize {
    let hour = (at.0 - begins.0).div_euclid(HOUR_MS).clamp(0, HOURS as i64 - 1);
    usize::try_from(hour).unwrap_or(0)
}

/// What was counted so far, by system and day. One per process.
#[derive(Default)]
pub struct HourlyUse(Mutex<HashMap<(SystemId, DutyDay), Tally>>);

#[derive(Clone, Default)]
struct Tally {
    next: Option<u64>,
    ended: bool,
    day: DayHours,
}

impl HourlyUse {
    /// The hours of a day as far as they have been counted, after reading on. It reads the store
    /// and may take some tenths of a second.
    ///
    /// # Errors
    /// The journal could not be read.
    pub fn look(
        &self,
        store: &Store,
        (system, day): (SystemId, DutyDay),
        hours: &Hours,
        now: Moment,
    ) -> Result<DayHours> {
        let from = begins(hours, day);
        let to = from.plus_ms(DAY_MS);
        if now < from {
            return Ok(DayHours { until: now, ..DayHours::default() });
        }
        let mut tally = self.0.lock().get(&(system, day)).cloned().unwrap_or_default();
        if !tally.ended {
            tally.read_on(store, (system, day), (from, to), now)?;
        }
        let mut kept = self.0.lock();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        // Of two looks at the same time the one that came further is kept.
        let known = kept.entry((system, day)).or_default();
        if known.next <= tally.next {
            *known = tally.clone();
        }
        Ok(tally.day)
    }
}

impl Tally {
    fn read_on(
        &mut self,
        store: &Store,
        (system, day): (SystemId, DutyDay),
        (from, to): (Moment, Moment),
        now: Moment,
    ) -> Result<()> {
        let mut next = match self.next {
            Some(next) => next,
            None => first_since(store, from.plus_ms(-EARLY_MS))?,
        };
        let mut left = ENTRIES_A_LOOK;
        while left > 0 {
            let found = store.entries_of_system(system.0, next, SLICE.min(left))?;
            let all = found.len() < SLICE.min(left);
            left = left.saturating_sub(found.len().max(1));
            for entry in &found {
                next = entry.index + 1;
                if entry.at - to.0 > LATE_MS {
                    self.ended = true;
                    break;
                }
                self.day.until = Moment(entry.at).min(to);
                if let Body::Query(q) = &entry.body
                    && q.duty_day == day.0
                {
                    self.day.take(q, Moment(entry.arrival), from);
                }
            }
            if self.ended || all {
                self.day.until = now.min(to);
                self.ended |= now.0 - to.0 > LATE_MS;
                break;
            }
        }
        self.next = Some(next);
        Ok(())
    }
}

/// The index of the first entry at or after an instant, by halving: entries stand in the order of
/// their time. Those whose keys are gone are older than what is asked for.
pub(crate) fn first_since(store: &Store, from: Moment) -> Result<u64> {
    let (mut low, mut high) = (0, store.ledger().next_index());
    while low < high {
        let middle = low + (high - low) / 2;
        let before = match store.entry(middle) {
            Ok(Some(entry)) => entry.at < from.0,
            Ok(None) | Err(Error::Damaged(_)) => true,
            Err(error) => return Err(error),
        };
        if before {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_d1_hours_run_from_seven_and_those_to_come_are_empty() {
        let begins = Moment(7 * HOUR_MS);
        assert_eq!(hour_of(begins, begins), 0);
        assert_eq!(hour_of(begins, begins.plus_ms(HOUR_MS - 1)), 0);
        assert_eq!(hour_of(begins, begins.plus_ms(HOUR_MS)), 1);
        assert_eq!(hour_of(begins, begins.plus_ms(DAY_MS)), HOURS - 1);
        assert_eq!(hour_of(begins, begins.plus_ms(-1)), 0);
        let query = |decision, counted| Query { decision, counted, line: 3, ..Query::default() };
        let mut day = DayHours { until: begins.plus_ms(2 * HOUR_MS), ..DayHours::default() };
        let third = begins.plus_ms(2 * HOUR_MS);
        day.take(&query(Decision::Accepted, 3), third, begins);
        day.take(&query(Decision::Repeat, 0), third, begins);
        day.take(&query(Decision::Refused, 0), third, begins);
        let other = day.clone();
        day.add(&other);
        assert_eq!((day.all[2], day.refused[2], day.lines[&LineId(3)][2]), (6, 2, 6));
        assert_eq!(day.shown(begins)[..4], [Some(0), Some(0), Some(6), None]);
    }
}
