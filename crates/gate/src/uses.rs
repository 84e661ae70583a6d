//! When each credential was last used, in memory: a few atomics in a table that never grows, so
//! that no question waits for it. [`Uses::take`] hands over what changed, to be written now and
//! then.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use dancu_domain::ids::SystemId;
use dancu_domain::moment::{MINUTE_MS, Moment};
use dancu_store::credential_use::Use;

/// Credentials that are noted: 16,384 × 24 bytes; some thousand systems have a few each. What finds
/// no place is not noted: its last use is then the one that was written before.
const PLACES: usize = 16_384;
/// Places that are looked at for one credential.
const PROBES: usize = 32;
/// A use within this time of the last one is not noted again: nobody waits for a line of the
/// cache that another core writes.
const COARSE_MS: i64 = MINUTE_MS;

/// The table.
pub struct Uses(Box<[Place]>);

#[derive(Default)]
struct Place {
    /// System and number; 0: free.
    key: AtomicU64,
    /// Product's clock, ms.
    at: AtomicI64,
    /// The last one that was handed over.
    taken: AtomicI64,
}

impl Default for Uses {
    fn default() -> Self {
        Self((0..PLACES).map(|_| Place::default()).collect())
    }
}

impl Uses {
    /// Notes a use.
    pub fn note(&self, system: SystemId, number: u32, at: Moment) {
        // A credential without a number is none that anybody asks about.
        let Some(place) = self.place(key(system, number), number != 0) else { return };
        if at.0 - place.at.load(Ordering::Relaxed) >= COARSE_MS {
            place.at.fetch_max(at.0, Ordering::Relaxed);
        }
    }

    /// The last use that was noted here.
    pub fn of(&self, system: SystemId, number: u32) -> Option<Moment> {
        let place = self.place(key(system, number), false)?;
        Some(Moment(place.at.load(Ordering::Relaxed)))
    }

    /// Every use since it was taken the last time.
    pub fn take(&self) -> Vec<Use> {
        let used = self.0.iter().filter_map(|place| {
            let at = place.at.load(Ordering::Relaxed);
            let key = place.key.load(Ordering::Acquire);
            let is_new = key != 0 && place.taken.swap(at, Ordering::Relaxed) < at;
            let system = SystemId((key >> 32) as u32);
            is_new.then_some(Use { system, number: key as u32, at: Moment(at) })
        });
        used.collect()
    }

    /// Puts back what could not be written.
    pub fn put_back(&self, uses: &[Use]) {
        for used in uses {
            if let Some(place) = self.place(key(used.system, used.number), false) {
                place.taken.store(0, Ordering::Relaxed);
            }
        }
    }

    fn place(&self, key: u64, make: bool) -> Option<&Place> {
        // Fibonacci hashing: systems and numbers are small and follow each other.
        let first = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize;
        for step in 0..PROBES {
            let place = &self.0[(first + step) % PLACES];
            let known = place.key.load(Ordering::Acquire);
            if known == key {
                return Some(place);
            }
            if known == 0 {
                if !make {
                    return None;
                }
                let taken = place.key.compare_exchange(0, key, Ordering::AcqRel, Ordering::Acquire);
                if taken.is_ok() || taken == Err(key) {
                    return Some(place);
                }
            }
        }
        None
    }
}

fn key(system: SystemId, number: u32) -> u64 {
    u64::from(system.0) << 32 | u64::from(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Moment = Moment(1_772_416_800_000);

    #[test]
    fn uses_are_noted_coarsely_and_taken_once() {
        let uses = Uses::default();
        let of = |system, number| uses.of(SystemId(system), number);
        assert_eq!(of(1, 1), None);
        uses.note(SystemId(1), 1, T0);
        uses.note(SystemId(1), 1, T0.plus_ms(COARSE_MS - 1));
        uses.note(SystemId(1), 2, T0);
        uses.note(SystemId(1), 0, T0);
        assert_eq!((of(1, 1), of(1, 2), of(1, 0), of(2, 1)), (Some(T0), Some(T0), None, None));
        let mut taken = uses.take();
        taken.sort_unstable_by_key(|used| used.number);
        let noted = |number, at| Use { system: SystemId(1), number, at };
        assert_eq!(taken, [noted(1, T0), noted(2, T0)]);
        assert_eq!(uses.take(), []);
        uses.put_back(&taken[..1]);
        assert_eq!(uses.take(), [noted(1, T0)]);
        let later = T0.plus_ms(COARSE_MS);
        uses.note(SystemId(1), 2, later);
        assert_eq!(uses.take(), [noted(2, later)]);
    }

    #[test]
    fn a_full_table_notes_nothing_more_and_grows_not() {
        let uses = Uses::default();
        for system in 1..=40_000 {
            uses.note(SystemId(system), 1, T0);
        }
        let kept = uses.take().len();
        assert!(kept <= PLACES && kept > PLACES / 2, "{kept}");
    }

    #[test]
    fn many_threads_note_one_credential_once() {
        let uses = Uses::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for system in 1..2_000 {
                        uses.note(SystemId(system), 3, T0);
                    }
                });
            }
        });
        assert_eq!(uses.take().len(), 1_999);
    }
}
