//! Use per hour of a duty day, of one system (D1, D2).
//!
//! The figures come from the journal, found by system, where each accepted question stands with
//! its time and the persons it counted; nothing is added to the path of a question for them. What
//! was read is kept in memory per system and day, so that a page reads only what came since, and
//! never more than [`ENTRIES_A_LOOK`] entries: a page of a large system catches up over a few looks
//! and says until when it counted.

use dancu_domain::ids::{LineId, SystemId};
use dancu_domain::moment::{DAY_MS, DutyDay, HOUR_MS, Hours, Moment};
use dancu_journal::{Body, Decision, Entry};
use dancu_store::{Error, Result, Store};
use hashbrown::HashMap;
use parking_lot::Mutex;

use crate::raise_requests::begins;

/// Hours of a duty day.
pub const HOURS: usize = 24;
/// Entries that one look reads at most: about 0.2 s of reading and opening.
pub const ENTRIES_A_LOOK: usize = 20_000;
/// Entries read at a time.
const SLICE: usize = 1_000;
/// A question that arrived in a day may be journaled so long after its end, ms: it waits 30 s at
/// most for its answer, and a held one is asked anew.
const LATE_MS: i64 = 10 * 60_000;
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
            tally.read_on(store, system, (from, to), now)?;
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
        system: SystemId,
        (from, to): (Moment, Moment),
        now: Moment,
    ) -> Result<()> {
        let mut next = match self.next {
            Some(next) => next,
            None => first_since(store, from)?,
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
                self.take(entry, from);
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

    fn take(&mut self, entry: &Entry, from: Moment) {
        let Body::Query(q) = &entry.body else { return };
        let since = entry.arrival - from.0;
        let Ok(hour) = usize::try_from(since.div_euclid(HOUR_MS)) else { return };
        if hour >= HOURS {
            return;
        }
        match q.decision {
            Decision::Accepted => {
                let counted = u64::from(q.counted);
                self.day.all[hour] += counted;
                self.day.lines.entry(LineId(q.line)).or_default()[hour] += counted;
            }
            Decision::Refused => self.day.refused[hour] += 1,
            Decision::Repeat => {}
        }
    }
}

/// The index of the first entry at or after an instant, by halving: entries stand in the order of
/// their time. Those whose keys are gone are older than what is asked for.
fn first_since(store: &Store, from: Moment) -> Result<u64> {
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
