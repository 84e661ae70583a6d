//! How often a sign-in that is at the provider was tried to be finished: a state costs nothing, and
//! each try holds a connection to the provider.

use std::collections::HashMap;

use dancu_access::oidc::State;
use dancu_domain::people::MachineTime;
use parking_lot::Mutex;

/// Exchanges of one state: one, and one more where the first came to nothing.
const TRIES: u8 = 2;
/// States that are remembered: 65,536 × about 40 bytes. Each costs its maker an exchange, of which
/// a few are under way at a time; beyond it those that are out of date go first, then all.
const STATES_MAX: usize = 65_536;

/// Exchanges of each state, until it is out of date by itself.
#[derive(Default)]
pub struct Tried(Mutex<HashMap<[u8; 16], (u8, MachineTime)>>);

impl Tried {
    /// Counts one; false: it was tried often enough.
    pub fn admit(&self, state: &State, now: MachineTime) -> bool {
        self.count(state.id, state.until(), now)
    }

    fn count(&self, id: [u8; 16], until: MachineTime, now: MachineTime) -> bool {
        let mut tried = self.0.lock();
        if tried.len() >= STATES_MAX && !tried.contains_key(&id) {
            tried.retain(|_, (_, until)| *until > now);
            if tried.len() >= STATES_MAX {
                tried.clear();
            }
        }
        let (count, _) = tried.entry(id).or_insert((0, until));
        let admitted = *count < TRIES;
        *count += u8::from(admitted);
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: MachineTime = MachineTime(1_772_409_600_000);

    fn id(n: u32) -> [u8; 16] {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&n.to_be_bytes());
        id
    }

    #[test]
    fn a_state_is_tried_twice() {
        let tried = Tried::default();
        let until = T0.plus_ms(600_000);
        let all = [(); 300].map(|()| tried.count(id(1), until, T0));
        assert_eq!(all.iter().filter(|admitted| **admitted).count(), 2);
        assert!(tried.count(id(2), until, T0), "another one");
    }

    #[test]
    fn memory_is_bounded_and_what_is_out_of_date_goes_first() {
        let tried = Tried::default();
        let (soon, late) = (T0.plus_ms(1), T0.plus_ms(600_000));
        for _ in 0..2 {
            assert!(tried.count(id(0), late, T0));
        }
        for n in 1..STATES_MAX as u32 {
            tried.count(id(n), soon, T0);
        }
        assert!(tried.count(id(u32::MAX), late, soon));
        assert_eq!(tried.0.lock().len(), 2);
        assert!(!tried.count(id(0), late, soon));
        for n in 0..2 * STATES_MAX as u32 {
            tried.count(id(n), late, soon);
        }
        assert!(tried.0.lock().len() <= STATES_MAX);
    }
}
