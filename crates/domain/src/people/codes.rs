//! Wrong one-time codes of a person, over all devices that are not known and all nodes (E2, C5).
//!
//! The failures of [`failures`](super::failures) are counted per network, in the memory of one
//! node. Who has the password and many networks would guess six digits past them. This count is
//! the person's: whoever keeps it does so in the store, and decides by it in the transaction that
//! lets the person in. A known device, a key and a recovery code (80 bits) are not counted here, so
//! that whoever knows the password keeps its person from none of them.
//!
//! **Bound:** three codes of 10^6 are good at a time ([`WINDOW`](super::totp::WINDOW)); after the
//! first wrong ones a day has [`CODE_FALLS_MS`]-long waits, so some 34 tries on the first day and
//! 24 on each further one: one chance in 14,000 a day.

use super::{CLOCKS_DIFFER_MS, MachineTime};
use crate::moment::{HOUR_MS, MINUTE_MS};

/// Wrong codes that cost no wait (*ours*): a slip, the next code, a phone whose clock is off.
pub const CODES_FREE: u32 = 5;
/// The first wait, ms; it doubles with each further wrong code.
pub const CODE_DELAY_MS: i64 = MINUTE_MS;
/// The longest wait, ms.
pub const CODE_DELAY_MAX_MS: i64 = HOUR_MS;
/// One wrong code is forgotten in this time, ms: not sooner than the longest wait ends, so that
/// waiting it out makes the next one no shorter.
pub const CODE_FALLS_MS: i64 = CODE_DELAY_MAX_MS;
/// Wrong codes are counted up to this: a worst attack is forgotten seven hours after it ended.
pub const CODES_MAX: u32 = 12;

/// Wrong codes of late.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct CodeFailures {
    /// How many stood after the last one, at most [`CODES_MAX`].
    pub failures: u32,
    /// When the last one was.
    pub last: MachineTime,
}

impl CodeFailures {
    /// Milliseconds until the next code is looked at, right or wrong; 0: now. A failure of the
    /// future delays nothing: the machine's clock went back, and waiting until that time came
    /// again were a lock.
    pub const fn wait_ms(self, now: MachineTime) -> i64 {
        if self.last.since(now) > CLOCKS_DIFFER_MS {
            return 0;
        }
        self.last.plus_ms(delay(self.failures)).since(now)
    }

    /// After one more wrong code.
    #[must_use]
    pub fn failed(self, now: MachineTime) -> Self {
        let forgotten = now.since(self.last) / CODE_FALLS_MS;
        let forgotten = u32::try_from(forgotten).unwrap_or(u32::MAX);
        let failures = self.failures.saturating_sub(forgotten).saturating_add(1).min(CODES_MAX);
        Self { failures, last: now }
    }
}

const fn delay(failures: u32) -> i64 {
    match failures.saturating_sub(CODES_FREE) {
        0 => 0,
        // 2^20 minutes are above the maximum, and far from overflowing.
        n => {
            let exponent = if n > 20 { 20 } else { n - 1 };
            let doubled = CODE_DELAY_MS << exponent;
            if doubled > CODE_DELAY_MAX_MS { CODE_DELAY_MAX_MS } else { doubled }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: MachineTime = MachineTime(1_772_409_600_000);

    #[test]
    fn rule_c5_the_wait_doubles_after_the_free_ones() {
        let (mut now, mut codes, mut waits) = (T0, CodeFailures::default(), vec![]);
        for _ in 0..15 {
            codes = codes.failed(now);
            waits.push(codes.wait_ms(now) / MINUTE_MS);
            now = now.plus_ms(codes.wait_ms(now));
        }
        assert_eq!(waits, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
    }

    #[test]
    fn rule_c5_guesses_a_day_are_few_however_patient() {
        let (mut now, mut codes, mut tries) = (T0, CodeFailures::default(), vec![0; 3]);
        while let Ok(day) = usize::try_from(now.since(T0) / (24 * HOUR_MS))
            && day < tries.len()
        {
            codes = codes.failed(now);
            tries[day] += 1;
            now = now.plus_ms(codes.wait_ms(now));
        }
        assert!(tries[0] <= 34 && tries[1..].iter().all(|n| *n <= 24), "{tries:?}");
        // Seven hours after the attack a slip costs nothing again.
        let calm = codes.failed(now.plus_ms(7 * CODE_FALLS_MS + CODE_DELAY_MAX_MS));
        assert_eq!(calm.wait_ms(calm.last), 0);
    }

    #[test]
    fn a_slip_now_and_then_costs_nothing() {
        let (mut now, mut codes) = (T0, CodeFailures::default());
        for _ in 0..1_000 {
            codes = codes.failed(now);
            assert_eq!(codes.wait_ms(now), 0);
            now = now.plus_ms(CODE_FALLS_MS);
        }
        assert_eq!(CodeFailures::default().wait_ms(T0), 0);
    }

    #[test]
    fn clocks_that_differ_or_go_back_lock_nobody() {
        let mut codes = CodeFailures::default();
        for _ in 0..100 {
            codes = codes.failed(T0);
        }
        assert_eq!(codes.failures, CODES_MAX);
        let node = T0.plus_ms(-CLOCKS_DIFFER_MS);
        assert_eq!(codes.wait_ms(node), CODE_DELAY_MAX_MS + CLOCKS_DIFFER_MS);
        let back = T0.plus_ms(-365 * 24 * HOUR_MS);
        assert_eq!(codes.wait_ms(back), 0);
        assert_eq!(codes.failed(back).wait_ms(back), CODE_DELAY_MAX_MS);
    }
}
