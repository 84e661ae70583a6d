//! Failures per network. They never lock and refuse nobody: beyond the limit the captcha is asked
//! for on devices that are not known, so that a program which tries a password with each login in
//! turn has to work for every try (C5b).
//!
//! Only failures count: 3,000 officers who sign in behind one address at 07:50 are none.

use std::net::IpAddr;

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

/// A network by its address and the length of its prefix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    /// The prefix as the first bits; IPv4 in its own 32.
    bits: u128,
    length: u8,
    v4: bool,
}

impl Network {
    /// Reads `10.1.0.0/16` or `2001:db8::/32`; an address alone is one of its own. Bits beyond the
    /// prefix do not count.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.trim().split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u8>().ok()?)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(width);
        (length <= width).then(|| Self::around(address, length))
    }

    fn around(address: IpAddr, length: u8) -> Self {
        match address {
            IpAddr::V4(v4) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
                Self { bits: u128::from(v4.to_bits() & mask), length, v4: true }
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
                Self { bits: v6.to_bits() & mask, length, v4: false }
            }
        }
    }

    /// The network that failures are counted by: /24 of IPv4, /64 of IPv6, which is what one
    /// connection is given. An IPv4 address mapped into IPv6 is the IPv4 one.
    pub(super) fn of(source: IpAddr) -> Self {
        match source.to_canonical() {
            v4 @ IpAddr::V4(_) => Self::around(v4, 24),
            v6 @ IpAddr::V6(_) => Self::around(v6, 64),
        }
    }

    /// Whether an address lies in it.
    pub fn contains(&self, source: IpAddr) -> bool {
        let source = source.to_canonical();
        source.is_ipv4() == self.v4 && Self::around(source, self.length) == *self
    }

    /// Bytes for a digest.
    pub(super) fn bytes(&self) -> [u8; 18] {
        let mut bytes = [0; 18];
        bytes[..16].copy_from_slice(&self.bits.to_be_bytes());
        bytes[16] = self.length;
        bytes[17] = u8::from(self.v4);
        bytes
    }
}

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
    fn networks_are_read_and_compared() {
        let office = Network::parse("10.1.2.3/16").unwrap();
        assert!(office.contains(ip("10.1.255.255")) && !office.contains(ip("10.2.0.0")));
        assert!(office.contains(ip("::ffff:10.1.7.7")), "mapped");
        let v6 = Network::parse("2001:db8::/32").unwrap();
        assert!(v6.contains(ip("2001:db8:ffff::1")) && !v6.contains(ip("2001:db9::1")));
        assert!(Network::parse("0.0.0.0/0").unwrap().contains(ip("203.0.113.9")));
        assert!(!Network::parse("0.0.0.0/0").unwrap().contains(ip("2001:db8::1")));
        assert!(Network::parse("::/0").unwrap().contains(ip("2001:db8::1")));
        assert!(Network::parse("10.0.0.1").unwrap().contains(ip("10.0.0.1")));
        for text in ["", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/x", "office"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
        assert_eq!(Network::of(ip("10.1.2.3")), Network::of(ip("10.1.2.250")));
        assert_ne!(Network::of(ip("10.1.2.3")), Network::of(ip("10.1.3.3")));
        assert_eq!(Network::of(ip("2001:db8::1")), Network::of(ip("2001:db8::ffff:1")));
        assert_ne!(
            Network::of(ip("2001:db8::1")).bytes(),
            Network::of(ip("2001:db8:0:1::")).bytes()
        );
    }

    #[test]
    fn rule_c5_a_network_that_fails_and_fails_is_asked_for_the_captcha_until_it_rests() {
        let networks = Networks::new(vec![Network::parse("10.9.0.0/16").unwrap()]);
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
