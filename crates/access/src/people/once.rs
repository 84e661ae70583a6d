//! What was used and may not be used again, until it is out of date by itself. In memory of this
//! process: another node does not know it, so nothing that costs more than a few minutes of use
//! rests on it alone.

use hashbrown::HashMap;

use dancu_domain::people::MachineTime;
use parking_lot::Mutex;

/// Entries at most: 65,536 × about 40 bytes. Each costs its maker a solved captcha or a completed
/// sign-in; beyond it nothing is accepted until some are out of date.
const MAX: usize = 65_536;

/// Used ids with the instant from which they are refused for their age.
#[derive(Default)]
pub(super) struct Once(Mutex<HashMap<[u8; 16], MachineTime>>);

impl Once {
    /// Notes a use; false: it was used before, or there is no room.
    pub(super) fn first(&self, id: [u8; 16], until: MachineTime, now: MachineTime) -> bool {
        let mut used = self.0.lock();
        if used.len() >= MAX {
            used.retain(|_, until| *until > now);
        }
        if used.len() >= MAX {
            return false;
        }
        used.insert(id, until).is_none()
    }

    /// Whether it was used.
    pub(super) fn is_used(&self, id: [u8; 16]) -> bool {
        self.0.lock().contains_key(&id)
    }
}

/// How often something was tried in vain, until it is out of date by itself.
#[derive(Default)]
pub(super) struct Tries(Mutex<HashMap<[u8; 16], (u8, MachineTime)>>);

impl Tries {
    /// One more; how many with it. Each id costs its maker a right password, or an exchange with an
    /// identity provider, of which few are under way at a time. Beyond the room those go that are
    /// out of date, then all: what is counted in the store, and by the provider, bounds them.
    pub(super) fn add(&self, id: [u8; 16], until: MachineTime, now: MachineTime) -> u8 {
        let mut tries = self.0.lock();
        if tries.len() >= MAX && !tries.contains_key(&id) {
            tries.retain(|_, (_, until)| *until > now);
            if tries.len() >= MAX {
                tries.clear();
            }
        }
        let (count, kept) = tries.entry(id).or_insert((0, until));
        *count = count.saturating_add(1);
        *kept = until.max(*kept);
        *count
    }

    /// How many.
    pub(super) fn of(&self, id: [u8; 16]) -> u8 {
        self.0.lock().get(&id).map_or(0, |(count, _)| *count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_counted_and_bounded() {
        let tries = Tries::default();
        let (now, until) = (MachineTime(0), MachineTime(10));
        for n in 0..300u16 {
            assert_eq!(u16::from(tries.of([0; 16])), n.min(255));
            assert_eq!(u16::from(tries.add([0; 16], until, now)), (n + 1).min(255));
        }
        assert_eq!(tries.of([1; 16]), 0);
        // What is out of date goes first.
        tries.add([0; 16], MachineTime(30), now);
        for n in 1..MAX as u128 {
            tries.add(n.to_be_bytes(), until, now);
        }
        tries.add([1; 16], MachineTime(30), MachineTime(20));
        assert_eq!(tries.0.lock().len(), 2);
        assert_eq!((tries.of([0; 16]), tries.of([1; 16])), (255, 1));
        for n in 0..2 * MAX as u128 {
            tries.add(n.to_be_bytes(), until, now);
        }
        assert!(tries.0.lock().len() <= MAX);
    }

    #[test]
    fn nothing_is_used_twice_and_memory_is_bounded() {
        let once = Once::default();
        let (now, until) = (MachineTime(0), MachineTime(10));
        assert!(!once.is_used([0; 16]));
        assert!(once.first([0; 16], until, now));
        assert!(!once.first([0; 16], until, now));
        assert!(once.is_used([0; 16]));
        for n in 1..MAX as u128 {
            assert!(once.first(n.to_be_bytes(), until, now));
        }
        let another = (MAX as u128).to_be_bytes();
        assert!(!once.first(another, until, now), "there is no room");
        assert!(
            once.first(another, MachineTime(30), MachineTime(20)),
            "the others are out of date"
        );
    }
}
