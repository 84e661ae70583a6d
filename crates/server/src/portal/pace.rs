//! How fast one sends: addresses before signing in, accounts after it. Two small memories of this
//! node, bounded, and empty after a start. They refuse for seconds; they lock nothing.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use dancu_domain::people::{MachineTime, PersonId};
use parking_lot::Mutex;

use crate::proxy::Network;

/// Keys that are remembered of each kind: 65,536 take 3 MB. Beyond it the full buckets go first.
const KEYS_MAX: usize = 65_536;

/// Posts before sign-in of one address: a unit of 3,000 officers behind one address signs in
/// between 07:50 and 08:05 with three posts each, 10 a second on average.
const ADDRESS: Rate = Rate { burst: 1_200.0, per_second: 40.0 };
/// Registered networks of units may send so many times more.
const REGISTERED: f64 = 10.0;
/// Requests of one account (*ours*): an officer who scans every ten seconds sends 18 a minute, a
/// script 240 at once and one a second. Beyond it the machine proves that it takes the trouble.
const SOFT: Rate = Rate { burst: 240.0, per_second: 1.0 };
/// The same, beyond which nothing but waiting helps (*ours*).
const HARD: Rate = Rate { burst: 480.0, per_second: 4.0 };

/// How many may come at once, and how many go on coming.
#[derive(Clone, Copy)]
struct Rate {
    burst: f64,
    per_second: f64,
}

#[derive(Clone, Copy)]
struct Bucket {
    /// How many may still come, as of `at`.
    left: f64,
    at: MachineTime,
    /// When it is as if it had never been used.
    full: MachineTime,
}

/// What is left of a rate to each of many.
struct Buckets<K>(Mutex<HashMap<K, Bucket>>);

impl<K> Default for Buckets<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Buckets<K> {
    /// Takes one; otherwise the seconds until there is one.
    fn take(&self, key: K, rate: Rate, now: MachineTime) -> Result<(), u32> {
        let mut buckets = self.0.lock();
        if buckets.len() >= KEYS_MAX && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| bucket.full > now);
            if buckets.len() >= KEYS_MAX {
                buckets.clear();
            }
        }
        let Rate { burst, per_second } = rate;
        let bucket = buckets.entry(key).or_insert(Bucket { left: burst, at: now, full: now });
        let gained = now.since(bucket.at) as f64 / 1_000.0 * per_second;
        let left = (bucket.left + gained).min(burst);
        let taken = left >= 1.0;
        let left = if taken { left - 1.0 } else { left };
        let full = now.plus_ms(((burst - left) / per_second * 1_000.0).ceil() as i64);
        *bucket = Bucket { left, at: now, full };
        if taken { Ok(()) } else { Err(((1.0 - left) / per_second).ceil().max(1.0) as u32) }
    }

    /// Fills one.
    fn fill(&self, key: &K) {
        self.0.lock().remove(key);
    }
}

/// How much each connection asked before signing in. Whoever is signed in is not counted here.
#[derive(Default)]
pub struct Throttle(Buckets<Network>);

impl Throttle {
    /// Lets one post through; otherwise the seconds until the next one may come.
    pub fn admit(
        &self,
        source: IpAddr,
        registered: &[Network],
        now: MachineTime,
    ) -> Result<(), u32> {
        let faster = if registered.iter().any(|n| n.contains(source)) { REGISTERED } else { 1.0 };
        let rate = Rate { burst: ADDRESS.burst * faster, per_second: ADDRESS.per_second * faster };
        self.0.take(Network::of_connection(source), rate, now)
    }
}

/// How much each account asked, wherever it is signed in: addresses do not count.
#[derive(Default)]
pub struct Pace {
    hard: Buckets<PersonId>,
    soft: Buckets<PersonId>,
}

impl Pace {
    /// Lets one request through; otherwise the seconds until the next one may come.
    pub fn admit(&self, person: PersonId, now: MachineTime) -> Result<(), u32> {
        self.hard.take(person, HARD, now)
    }

    /// The same for what goes on without a proof of work.
    pub fn admit_unproved(&self, person: PersonId, now: MachineTime) -> Result<(), u32> {
        self.soft.take(person, SOFT, now)
    }

    /// The proof was given.
    pub fn proved(&self, person: PersonId) {
        self.soft.fill(&person);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: MachineTime = MachineTime(1_772_409_600_000);

    #[test]
    fn three_thousand_officers_behind_one_address_are_let_in() {
        let throttle = Throttle::default();
        let source: IpAddr = "203.0.113.9".parse().unwrap();
        // Nine thousand posts in 15 minutes, half of them in the first three.
        for n in 0..4_500 {
            let now = T0.plus_ms(n * 180_000 / 4_500);
            assert_eq!(throttle.admit(source, &[], now), Ok(()), "{n}");
        }
        for n in 0..4_500 {
            let now = T0.plus_ms(180_000 + n * 720_000 / 4_500);
            assert_eq!(throttle.admit(source, &[], now), Ok(()), "{n}");
        }
    }

    #[test]
    fn a_flood_waits_for_seconds_and_others_do_not() {
        let throttle = Throttle::default();
        let source: IpAddr = "2001:db8::1".parse().unwrap();
        let beside: IpAddr = "2001:db8::2".parse().unwrap();
        let other: IpAddr = "2001:db8:0:1::1".parse().unwrap();
        let through = (0..5_000).filter(|_| throttle.admit(source, &[], T0).is_ok()).count();
        assert_eq!(through, ADDRESS.burst as usize);
        assert_eq!(throttle.admit(beside, &[], T0), Err(1), "the same place");
        assert_eq!(throttle.admit(other, &[], T0), Ok(()));
        assert_eq!(throttle.admit(source, &[], T0.plus_ms(1_000)), Ok(()));
        let unit = ["2001:db8::/32".parse().unwrap()];
        let later = T0.plus_ms(600_000);
        let through = (0..50_000).filter(|_| throttle.admit(other, &unit, later).is_ok()).count();
        assert_eq!(through, (ADDRESS.burst * REGISTERED) as usize);
    }

    #[test]
    fn rule_c5_an_account_works_and_a_script_is_slowed() {
        let pace = Pace::default();
        let (officer, script) = (PersonId(1), PersonId(2));
        // A scan every ten seconds with three requests, for twelve hours.
        for n in 0..12 * 3_600 / 10 {
            for _ in 0..3 {
                let now = T0.plus_ms(n * 10_000);
                assert_eq!(
                    (pace.admit(officer, now), pace.admit_unproved(officer, now)),
                    (Ok(()), Ok(()))
                );
            }
        }
        let soft = (0..1_000).take_while(|_| pace.admit_unproved(script, T0).is_ok()).count();
        assert_eq!(soft, SOFT.burst as usize);
        assert_eq!(pace.admit_unproved(script, T0), Err(1));
        pace.proved(script);
        assert_eq!(pace.admit_unproved(script, T0), Ok(()));
        // However often it proves.
        let hard = (0..1_000).take_while(|_| pace.admit(script, T0).is_ok()).count();
        assert_eq!(hard, HARD.burst as usize);
        assert_eq!(pace.admit(script, T0), Err(1));
        assert_eq!(pace.admit(officer, T0), Ok(()), "nobody else notices");
        assert_eq!(pace.admit(script, T0.plus_ms(250)), Ok(()));
    }

    #[test]
    fn memory_is_bounded_and_the_unused_go_first() {
        let throttle = Throttle::default();
        let source = |n: u32| IpAddr::V4(n.into());
        for _ in 0..ADDRESS.burst as u32 {
            let _ = throttle.admit(source(0), &[], T0);
        }
        for n in 1..KEYS_MAX as u32 {
            let _ = throttle.admit(source(n), &[], T0);
        }
        // By now all but the first are full again.
        let now = T0.plus_ms(100);
        let _ = throttle.admit(source(u32::MAX), &[], now);
        assert_eq!(throttle.0.0.lock().len(), 2);
        for n in 0..2 * KEYS_MAX as u32 {
            let _ = throttle.admit(source(n), &[], now);
        }
        assert!(throttle.0.0.lock().len() <= KEYS_MAX);
    }
}
