//! Posts that must be done once, and addresses that ask too much before signing in: two small
//! memories of this node, bounded, and empty after a start.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::IpAddr;

use dancu_domain::people::MachineTime;
use parking_lot::Mutex;

use crate::proxy::Network;

/// Posts that are remembered: 65,536 of 16 bytes are some hours of the busiest node.
const ONCE_MAX: usize = 65_536;

/// Which posts came already.
#[derive(Default)]
pub struct Once(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    known: HashSet<[u8; 16]>,
    order: VecDeque<[u8; 16]>,
}

impl Once {
    /// Whether this session sends this token for the first time.
    pub fn claim(&self, mark: &[u8; 32], token: &str) -> bool {
        let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        digest.update(mark);
        digest.update(token.as_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&digest.finish().as_ref()[..16]);
        let mut seen = self.0.lock();
        if !seen.known.insert(key) {
            return false;
        }
        seen.order.push_back(key);
        if seen.order.len() > ONCE_MAX
            && let Some(oldest) = seen.order.pop_front()
        {
            seen.known.remove(&oldest);
        }
        true
    }
}

/// Posts before sign-in that one address may send at once: a unit of 3,000 officers behind one
/// address signs in between 07:50 and 08:05 with three posts each, 10 a second on average.
const BURST: f64 = 1_200.0;
/// Posts before sign-in that one address may go on sending, per second.
const PER_SECOND: f64 = 40.0;
/// Registered networks of units may send so many times more.
const REGISTERED: f64 = 10.0;
/// Addresses that are remembered: 65,536 take 3 MB. Beyond it the fullest buckets go first.
const ADDRESSES_MAX: usize = 65_536;

/// How much each address asked before signing in. It refuses for seconds; it locks nothing, and
/// whoever is signed in is not counted here.
#[derive(Default)]
pub struct Throttle {
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    /// Posts that may still come, as a share of [`BURST`].
    left: f64,
    at: MachineTime,
}

impl Bucket {
    fn at(self, now: MachineTime, faster: f64) -> f64 {
        let seconds = now.since(self.at) as f64 / 1_000.0;
        (self.left + seconds * PER_SECOND * faster).min(BURST * faster)
    }
}

impl Throttle {
    /// Lets one post through; otherwise the seconds until the next one may come.
    pub fn admit(
        &self,
        source: IpAddr,
        registered: &[Network],
        now: MachineTime,
    ) -> Result<(), u32> {
        let faster = if registered.iter().any(|n| n.contains(source)) { REGISTERED } else { 1.0 };
        let mut buckets = self.buckets.lock();
        if buckets.len() >= ADDRESSES_MAX {
            buckets.retain(|_, bucket| bucket.at(now, 1.0) < BURST);
            if buckets.len() >= ADDRESSES_MAX {
                buckets.clear();
            }
        }
        let bucket =
            buckets.entry(of_one_place(source)).or_insert(Bucket { left: BURST * faster, at: now });
        let left = bucket.at(now, faster);
        if left < 1.0 {
            *bucket = Bucket { left, at: now };
            return Err(((1.0 - left) / (PER_SECOND * faster)).ceil().max(1.0) as u32);
        }
        *bucket = Bucket { left: left - 1.0, at: now };
        Ok(())
    }
}

/// One address of IPv4; in IPv6 the /64 that one place has.
fn of_one_place(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubled_post_is_known_and_the_oldest_are_forgotten() {
        let once = Once::default();
        assert!(once.claim(&[1; 32], "a") && !once.claim(&[1; 32], "a"));
        assert!(once.claim(&[2; 32], "a"), "another session");
        for n in 0..ONCE_MAX {
            assert!(once.claim(&[3; 32], &n.to_string()));
        }
        assert!(once.claim(&[1; 32], "a"), "forgotten by now");
        assert_eq!(once.0.lock().known.len(), ONCE_MAX);
    }

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
        assert_eq!(through, BURST as usize);
        assert_eq!(throttle.admit(beside, &[], T0), Err(1), "the same place");
        assert_eq!(throttle.admit(other, &[], T0), Ok(()));
        assert_eq!(throttle.admit(source, &[], T0.plus_ms(1_000)), Ok(()));
        let unit = ["2001:db8::/32".parse().unwrap()];
        let later = T0.plus_ms(60_000);
        let through = (0..50_000).filter(|_| throttle.admit(other, &unit, later).is_ok()).count();
        assert_eq!(through, (BURST * REGISTERED) as usize);
    }

    #[test]
    fn addresses_are_bounded() {
        let throttle = Throttle::default();
        for n in 0..(ADDRESSES_MAX as u32 + 10) {
            let _ = throttle.admit(IpAddr::V4(n.into()), &[], T0);
        }
        assert!(throttle.buckets.lock().len() <= ADDRESSES_MAX);
    }
}
