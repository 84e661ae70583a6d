//! What is remembered of failures, and forgotten: in time, and where it becomes too much.

use hashbrown::HashMap;

use crate::moment::HOUR_MS;
use crate::people::MachineTime;

/// A tally per (login, source) is forgotten after so long without a failure, ms: well above the
/// longest delay, so that waiting it out does not start the count anew.
pub const FORGOTTEN_MS: i64 = 6 * HOUR_MS;

/// Entries of one generation. Two generations of two maps at about 48 bytes make 12 MiB at most.
/// Every entry costs its maker a password check, of which the pool does some 25 a second: filling
/// a generation takes 43 minutes, so a tally outlives its longest delay.
pub const GENERATION: usize = 65_536;

/// What is remembered of one key.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Tally {
    pub(super) failures: u32,
    pub(super) last: MachineTime,
    pub(super) until: MachineTime,
}

impl Tally {
    /// Forgotten after a long time. After the machine's clock went back the delay begins now: left
    /// where it was it would last until that time came again, and that were a lock.
    pub(super) fn at(self, now: MachineTime) -> Self {
        if self.last > now {
            let until = now.plus_ms(self.until.since(self.last));
            return Self { failures: self.failures, last: now, until };
        }
        if now.since(self.last) >= FORGOTTEN_MS { Self::default() } else { self }
    }

    /// Milliseconds to wait.
    pub(super) fn wait(self, now: MachineTime) -> i64 {
        self.until.since(now)
    }
}

/// A map that forgets: when the young generation is full it becomes the old one, and the old one
/// goes. An entry that is written moves to the young one.
pub(super) struct Recent<K> {
    young: HashMap<K, Tally>,
    old: HashMap<K, Tally>,
}

impl<K> Default for Recent<K> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<K: Eq + std::hash::Hash> Recent<K> {
    pub(super) fn get(&self, key: &K) -> Tally {
        self.young.get(key).or_else(|| self.old.get(key)).copied().unwrap_or_default()
    }

    pub(super) fn set(&mut self, key: K, tally: Tally) {
        self.old.remove(&key);
        if tally == Tally::default() {
            self.young.remove(&key);
            return;
        }
        if self.young.len() >= GENERATION && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, tally);
    }

    pub(super) fn remove(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }

    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}
