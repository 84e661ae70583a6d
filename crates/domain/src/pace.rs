//! Pace (D7): burst, sustained rate and distinct persons within a minute, per account, so that a
//! script stops before any detector has to think. Uses the product's clock.

use crate::moment::{MINUTE_MS, Moment};
use crate::profile::Pace;
use crate::refusal::{Reason, Refusal};

/// Largest limit of distinct persons a minute that a profile may set: 16 bytes × 1,200 = 19 KiB
/// bound the memory of one busy account, and each new person is looked for among them. A kind of
/// account that asks about more has 0, no limit.
pub const PERSONS_PER_MINUTE_MAX: u32 = 1_200;

/// Bits of a millisecond's fraction.
const FRACTION: u32 = 20;

/// The pace of one account so far.
#[derive(Clone, Debug, Default)]
pub struct PaceState {
    /// Theoretical arrival time of the next conforming request (GCRA), in ms / 2^20: a rate of
    /// 10^8 a minute is then exact to 0.2 %, and the year 2200 still fits.
    next_q: i64,
    /// Persons asked about within the last minute: (fingerprint, last asked).
    persons: Vec<(u64, Moment)>,
}

impl PaceState {
    /// Admits or refuses a request about `person` (any fingerprint of the id asked). A refused
    /// request changes nothing.
    pub fn admit(&mut self, pace: Pace, at: Moment, person: u64) -> Result<(), Refusal> {
        let step = step(pace);
        let now = fine(at);
        let next = self.next_q.max(now);
        // The burst is the number of requests that may come at one instant.
        let ahead = step.saturating_mul(i64::from(pace.burst) - 1);
        let early = next.saturating_sub(now.saturating_add(ahead));
        if early > 0 {
            return Err(refusal(Reason::PaceRequests, (early >> FRACTION) + 1));
        }
        if pace.persons_per_minute > 0 {
            self.person(pace.persons_per_minute, at, person)?;
        }
        self.next_q = next.saturating_add(step);
        Ok(())
    }

    /// Charges requests that were admitted elsewhere since `at`, whatever is left: what an account
    /// may ask is one pace over all nodes. `persons` are whom they asked about, by the same
    /// fingerprints as here.
    pub fn charge(
        &mut self,
        pace: Pace,
        at: Moment,
        requests: u32,
        persons: impl Iterator<Item = u64>,
    ) {
        let taken = step(pace).saturating_mul(i64::from(requests));
        self.next_q = self.next_q.max(fine(at)).saturating_add(taken);
        if pace.persons_per_minute == 0 {
            return;
        }
        self.persons.retain(|(_, t)| at.0 - t.0 < MINUTE_MS);
        for person in persons {
            if let Some(known) = self.persons.iter_mut().find(|(p, _)| *p == person) {
                known.1 = known.1.max(at);
            } else if self.persons.len() < PERSONS_PER_MINUTE_MAX as usize {
                self.persons.push((person, at));
            }
        }
    }

    /// Whether nothing is remembered any more: the state may be dropped.
    pub fn is_idle(&self, at: Moment) -> bool {
        self.next_q <= fine(at) && self.persons.iter().all(|(_, t)| at.0 - t.0 >= MINUTE_MS)
    }

    fn person(&mut self, limit: u32, at: Moment, person: u64) -> Result<(), Refusal> {
        if let Some(known) = self.persons.iter_mut().find(|(p, _)| *p == person) {
            known.1 = at;
            return Ok(());
        }
        self.persons.retain(|(_, t)| at.0 - t.0 < MINUTE_MS);
        if self.persons.len() >= limit as usize {
            let oldest = self.persons.iter().map(|(_, t)| t.0).min().unwrap_or(at.0);
            return Err(refusal(Reason::PacePersons, oldest + MINUTE_MS - at.0));
        }
        self.persons.push((person, at));
        Ok(())
    }
}

/// What one request takes, in ms / 2^20; rounded up: never faster than the profile says.
fn step(pace: Pace) -> i64 {
    (MINUTE_MS << FRACTION).cast_unsigned().div_ceil(u64::from(pace.per_minute)).cast_signed()
}

/// A moment in ms / 2^20. Beyond the year 2248 it stands still instead of turning negative.
fn fine(at: Moment) -> i64 {
    at.0.saturating_mul(1 << FRACTION)
}

fn refusal(reason: Reason, wait_ms: i64) -> Refusal {
    Refusal { reason, retry_after_s: Some((wait_ms.max(1) as u64).div_ceil(1000) as u32) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFICER: Pace = Pace { burst: 10, per_minute: 30, persons_per_minute: 20 };

    #[test]
    fn rule_d7_burst_then_sustained() {
        let mut s = PaceState::default();
        let t = Moment(1_000_000);
        for _ in 0..10 {
            s.admit(OFFICER, t, 1).unwrap();
        }
        let refused = s.admit(OFFICER, t, 1).unwrap_err();
        assert_eq!(refused.reason, Reason::PaceRequests);
        assert_eq!(refused.retry_after_s, Some(3));
        s.admit(OFFICER, t.plus_ms(2_001), 1).unwrap();
        s.admit(OFFICER, t.plus_ms(2_002), 1).unwrap_err();
    }

    #[test]
    fn rule_d7_a_script_stops_within_30_persons() {
        let mut s = PaceState::default();
        let mut told = 0;
        for ms in (0..60_000).step_by(100) {
            if s.admit(OFFICER, Moment(ms), 1000 + ms as u64).is_ok() {
                told += 1;
            }
        }
        assert!(told <= 30, "{told}");
        assert!(told >= 20, "{told}");
    }

    #[test]
    fn rule_d7_what_was_admitted_elsewhere_counts_here() {
        let t = Moment(1_000_000);
        let mut s = PaceState::default();
        s.charge(OFFICER, t, 7, [1, 2].into_iter());
        let admitted = (0..10).filter(|_| s.admit(OFFICER, t, 1).is_ok()).count();
        assert_eq!(admitted, 3, "the burst is one for both");
        // More than there was: it has to be waited for, as if it had been asked here.
        s.charge(OFFICER, t, 5, std::iter::empty());
        assert_eq!(s.admit(OFFICER, t, 1).unwrap_err().retry_after_s, Some(13));
        let mut s = PaceState::default();
        s.charge(OFFICER, t, 1, (0..19).map(|n| 100 + n));
        s.admit(OFFICER, t, 1).unwrap();
        assert_eq!(s.admit(OFFICER, t, 2).unwrap_err().reason, Reason::PacePersons);
        s.admit(OFFICER, t, 118).unwrap();
        // A minute later all of them are forgotten, the ones that were charged too.
        assert!(s.is_idle(t.plus_ms(MINUTE_MS)));
        s.charge(OFFICER, t, 1, (0..5_000).map(|n| 100 + n));
        assert!(s.persons.len() <= PERSONS_PER_MINUTE_MAX as usize);
    }

    #[test]
    fn the_last_moments_do_not_overflow() {
        for ms in [i64::MAX >> FRACTION, (i64::MAX >> FRACTION) + 1, i64::MAX] {
            let mut s = PaceState::default();
            s.admit(OFFICER, Moment(ms), 1).unwrap();
            s.admit(OFFICER, Moment(ms), 2).unwrap();
        }
    }

    #[test]
    fn idle_states_can_go() {
        let mut s = PaceState::default();
        s.admit(OFFICER, Moment(5_000), 7).unwrap();
        assert!(!s.is_idle(Moment(6_000)));
        assert!(s.is_idle(Moment(5_000 + MINUTE_MS)));
    }
}
