//! Failures per network. They never lock and refuse nobody: beyond the limit the captcha is asked
//! for on devices that are not known, so that a program which tries a password with each login in
//! turn has to work for every try (C5b).
//!
//! Only failures count: 3,000 officers who sign in behind one address at 07:50 are none.

use std::net::IpAddr;

use dancu_domain::network::Network;
use dancu_domain::people::MachineTime;
use hashbrown::HashMap;
use parking_lot::Mutex;

/// Failures of a network above which the captcha is asked for (*ours*): what a large office fails
/// by slips of the keyboard in the busiest quarter of an hour.
const FAILURES: u32 = 300;
/// One of them is forgotten in this time, ms.
const FALLS_MS: i64 = 1_000;
/// The same for a registered network of a unit, which is known to have thousands of officers.
const REGISTERED_FAILURES: u32 = 3_000;
/// One of those is forgotten in this time, ms.
const REGISTERED_FALLS_MS: i64 = 100;
/// Networks kept: 65,536 × about 40 bytes. Each costs its maker a password check; when all are
/// full those that have fallen to nothing go, and if there are none, all.
const KEPT: usize = 65_536;

/// How many failed of late.
#[derive(Clone, Copy, Default)]
struct Level {
    failures: u32,
    since: MachineTime,
}

/// Failures per network.
pub(super) struct Networks {
    registered: Vec<Network>,
    levels: Mutex<HashMap<u64, Level>>,
}

impl Networks {
    pub(super) fn new(registered: Vec<Network>) -> Self {
        Self { registered, levels: Mutex::default() }
    }

    fn limits(&self, source: IpAddr) -> (u32, i64) {
        if self.registered.iter().any(|n| n.contains(source)) {
            (REGISTERED_FAILURES, REGISTERED_FALLS_MS)
        } else {
            (FAILURES, FALLS_MS)
        }
    }

    /// Counts a failure from a network.
    pub(super) fn failed(&self, source: IpAddr, key: u64, now: MachineTime) {
        let (limit, falls) = self.limits(source);
        let mut levels = self.levels.lock();
        if levels.len() >= KEPT && !levels.contains_key(&key) {
            levels.retain(|_, level| fallen(*level, FALLS_MS, now).failures > 0);
            if levels.len() >= KEPT {
                levels.clear();
            }
        }
        let level = levels.entry(key).or_default();
        *level = fallen(*level, falls, now);
        // What is kept above the limit is bounded, so that it falls below it within the time that
        // the limit itself takes.
        level.failures = level.failures.saturating_add(1).min(limit.saturating_mul(2));
    }

    /// Whether a network failed too often of late.
    pub(super) fn is_over(&self, source: IpAddr, key: u64, now: MachineTime) -> bool {
        let (limit, falls) = self.limits(source);
        let level = self.levels.lock().get(&key).copied().unwrap_or_default();
        fallen(level, falls, now).failures >= limit
    }
}

/// What is left of a level; the rest of an interval goes on running.
fn fallen(level: Level, falls: i64, now: MachineTime) -> Level {
    let gone = now.since(level.since) / falls;
    let failures = level.failures.saturating_sub(u32::try_from(gone).unwrap_or(u32::MAX));
    let back = level.since > now;
    let since = if failures == 0 || back { now } else { level.since.plus_ms(gone * falls) };
    Level { failures, since }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: MachineTime = MachineTime(1_772_409_600_000);

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn rule_c5_a_network_that_fails_and_fails_is_asked_for_the_captcha_until_it_rests() {
        let networks = Networks::new(vec!["10.9.0.0/16".parse().unwrap()]);
        let (stranger, office) = (ip("203.0.113.9"), ip("10.9.8.7"));
        for _ in 0..FAILURES {
            assert!(!networks.is_over(stranger, 1, T0));
            networks.failed(stranger, 1, T0);
            networks.failed(office, 2, T0);
        }
        assert!(networks.is_over(stranger, 1, T0));
        assert!(!networks.is_over(office, 2, T0), "a registered one has a limit of its own");
        assert!(!networks.is_over(stranger, 3, T0), "others do not notice");
        assert!(!networks.is_over(stranger, 1, T0.plus_ms(FALLS_MS)));
        for _ in 0..100_000 {
            networks.failed(stranger, 1, T0);
        }
        let rest = i64::from(FAILURES) * FALLS_MS;
        assert!(networks.is_over(stranger, 1, T0.plus_ms(rest)));
        assert!(!networks.is_over(stranger, 1, T0.plus_ms(rest + FALLS_MS)));
        assert!(networks.is_over(stranger, 1, T0.plus_ms(-rest)), "the clock went back");
    }

    #[test]
    fn memory_is_bounded() {
        let networks = Networks::new(vec![]);
        for key in 0..3 * KEPT as u64 {
            networks.failed(ip("203.0.113.9"), key, T0);
        }
        assert!(networks.levels.lock().len() <= KEPT);
    }
}
