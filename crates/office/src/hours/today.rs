//! Today of every system: the journal is read once, forward, for all of them together.

use dancu_domain::ids::SystemId;
use dancu_domain::moment::{DutyDay, Moment};
use dancu_journal::Body;
use dancu_store::entries::Scanned;
use dancu_store::{Result, Store};
use hashbrown::HashMap;
use parking_lot::Mutex;

use super::{DayHours, EARLY_MS, begins, first_since};

/// Entries that one look reads on at most: about a tenth of a second.
pub const STEP: u64 = 50_000;

/// The counts of today, shared by every page. One per process.
#[derive(Default)]
pub struct Today {
    /// Whoever holds it reads on.
    cursor: Mutex<Cursor>,
    shown: Mutex<Shown>,
}

/// How far the journal was read, for which day.
#[derive(Clone, Copy, Default)]
struct Cursor {
    day: Option<DutyDay>,
    next: u64,
}

#[derive(Default)]
struct Shown {
    systems: HashMap<SystemId, DayHours>,
    /// The journaled time of the last entry read, while there are more.
    until: Option<Moment>,
}

impl Today {
    /// Reads on, at most [`STEP`] entries; whether that was all. Where somebody else is reading it
    /// waits for them: they read the same. Waits for the database.
    ///
    /// # Errors
    /// The journal could not be read: what was counted stays, and the next look reads the same
    /// entries again.
    pub fn look(&self, store: &Store, now: Moment) -> Result<bool> {
        let mut cursor = self.cursor.lock();
        let hours = store.profiles().at(now).hours.clone();
        // A look that began before 07:00 and comes after one of the new day does not go back.
        let today = hours.duty(now).day;
        let day = cursor.day.map_or(today, |known| known.max(today));
        let from = begins(&hours, day);
        if cursor.day != Some(day) || cursor.next > store.ledger().next_index() {
            let next = first_since(store, from.plus_ms(-EARLY_MS))?;
            *self.shown.lock() = Shown::default();
            *cursor = Cursor { day: Some(day), next };
        }
        let (first, mut next, mut until) = (cursor.next, cursor.next, None);
        let mut read: HashMap<SystemId, DayHours> = HashMap::new();
        store.scan_past(first, |scanned| {
            match scanned {
                Scanned::Entry(entry) => {
                    next = entry.index + 1;
                    until = Some(Moment(entry.at));
                    if let Body::Query(q) = &entry.body
                        && q.duty_day == day.0
                    {
                        let of = read.entry(SystemId(q.system)).or_default();
                        of.take(q, Moment(entry.arrival), from);
                    }
                }
                Scanned::Closed { end, .. } => next = end,
            }
            Ok(next < first + STEP)
        })?;
        let all = next < first + STEP;
        cursor.next = next;
        let mut shown = self.shown.lock();
        for (system, counts) in read {
            shown.systems.entry(system).or_default().add(&counts);
        }
        shown.until = until.filter(|_| !all);
        Ok(all)
    }

    /// What was counted of a system, until when.
    #[must_use]
    pub fn of(&self, system: SystemId, now: Moment) -> DayHours {
        let shown = self.shown.lock();
        let mut day = shown.systems.get(&system).cloned().unwrap_or_default();
        day.until = shown.until.unwrap_or(now).min(now);
        day
    }
}
