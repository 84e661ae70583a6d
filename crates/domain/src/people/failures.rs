//! Failed sign-ins: a delay that grows per (login, network), a captcha when a login fails from
//! many places, and never a lock (E2, C5b). By the machine's clock.
//!
//! Nothing here is keyed on an address alone, so 3,000 officers behind one do not slow each other;
//! and nothing knows whether a login exists, so an unknown one is answered alike. A device that
//! the person enrolled has a tally of its own: what strangers do to the login does not reach it.
//! Passkeys cannot be guessed and do not come here.
//!
//! A try is counted before the password is checked and given back after: many tries sent at one
//! instant are not many free guesses.

mod recent;

pub use self::recent::{FORGOTTEN_MS, GENERATION};
use self::recent::{Recent, Tally};
use super::MachineTime;
use crate::moment::MINUTE_MS;

/// Failures per (login, source) that cost nothing: a wrong keyboard, then the right one.
pub const FREE_FAILURES: u32 = 3;

/// Longest delay per (login, network), ms: 96 guesses a day, and the person is never kept out for
/// longer than a break.
pub const NETWORK_DELAY_MAX_MS: i64 = 15 * MINUTE_MS;

/// Longest delay on an enrolled device, ms: the person's own slips cost a minute at most.
pub const DEVICE_DELAY_MAX_MS: i64 = MINUTE_MS;

/// After so many failures in a row a device is forgotten: it may have been stolen. Its holder goes
/// on as on any other, with captcha and second factor.
pub const DEVICE_FAILURES_MAX: u32 = 20;

/// Failures of one login from any network from which a captcha is asked for on devices that are
/// not known.
pub const CAPTCHA_FROM: u32 = 10;

/// The same from which the delay begins with the first failure.
pub const NO_FREE_FROM: u32 = 20;

/// A login's failures over all networks are counted up to this: at one forgotten in
/// [`LEVEL_FALLS_MS`] the worst attack is forgotten five hours after it ended.
pub const LEVEL_MAX: u32 = 60;

/// One of a login's failures over all networks is forgotten in this time, ms.
pub const LEVEL_FALLS_MS: i64 = 5 * MINUTE_MS;

/// A login as it was typed, known or not: a digest, keyed with a secret so that nobody can choose
/// two that meet, of its folded form.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LoginDigest(pub u64);

/// Where a try comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Source {
    /// A network, by a keyed digest of its prefix.
    Network(u64),
    /// A device that the person of this login enrolled and that is still known
    /// ([`Device::is_known`](super::factors::Device::is_known)), by its row id.
    Device(u64),
    /// A session that goes on, by a digest of its mark: whoever signed in and opens the screen or
    /// confirms. What others fail on the same network does not reach it either.
    Session(u64),
}

/// Why a try does not go on to the password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hold {
    /// Not before so many milliseconds: `PortalReason::TooSoon`.
    Wait(i64),
    /// With a captcha it does: `PortalReason::CaptchaNeeded`.
    Captcha,
    /// The device is to be forgotten, and the try made again from its network.
    ForgetDevice,
}

/// A try that goes on to the password. It stays counted as a failure unless it is given back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "a try that succeeded or was not carried out is given back"]
pub struct Try {
    login: LoginDigest,
    source: Source,
    /// What the tally was before.
    before: Tally,
}

/// Failures of late; at most `4 × GENERATION` tallies.
#[derive(Default)]
pub struct Failures {
    pairs: Recent<(LoginDigest, Source)>,
    logins: Recent<LoginDigest>,
}

impl Failures {
    /// Lets a try go on to the password, or not. One that does not is not counted and prolongs
    /// nothing.
    ///
    /// # Errors
    /// What it has to wait for.
    pub fn attempt(
        &mut self,
        login: LoginDigest,
        source: Source,
        captcha_solved: bool,
        now: MachineTime,
    ) -> Result<Try, Hold> {
        let kept = self.pairs.get(&(login, source));
        let before = kept.at(now);
        if before != kept {
            self.pairs.set((login, source), before);
        }
        let level = match source {
            Source::Network(_) => self.level(login, now),
            Source::Device(_) | Source::Session(_) => 0,
        };
        if matches!(source, Source::Device(_)) && before.failures >= DEVICE_FAILURES_MAX {
            return Err(Hold::ForgetDevice);
        }
        let wait = before.wait(now);
        if wait > 0 {
            return Err(Hold::Wait(wait));
        }
        if level >= CAPTCHA_FROM && !captcha_solved {
            return Err(Hold::Captcha);
        }
        let failures = before.failures.saturating_add(1);
        let until = now.plus_ms(delay(failures, level, source));
        self.pairs.set((login, source), Tally { failures, last: now, until });
        if let Source::Network(_) = source {
            self.set_level(login, level.saturating_add(1).min(LEVEL_MAX), now);
        }
        Ok(Try { login, source, before })
    }

    /// The password was right: the tally of this source is forgotten, and what others did to the
    /// login is not.
    pub fn succeeded(&mut self, tried: Try, now: MachineTime) {
        self.pairs.remove(&(tried.login, tried.source));
        self.take_back(tried, now);
    }

    /// The password was not checked (the pool was full, the store away): as if nothing had been
    /// tried.
    pub fn withdrawn(&mut self, tried: Try, now: MachineTime) {
        self.pairs.set((tried.login, tried.source), tried.before);
        self.take_back(tried, now);
    }

    /// Whether a captcha belongs on the form for this login from this source: known or not.
    pub fn captcha_needed(&self, login: LoginDigest, source: Source, now: MachineTime) -> bool {
        matches!(source, Source::Network(_)) && self.level(login, now) >= CAPTCHA_FROM
    }

    /// Milliseconds that a try for this login from this source has to wait, whatever it shows.
    pub fn wait_ms(&self, login: LoginDigest, source: Source, now: MachineTime) -> i64 {
        self.pairs.get(&(login, source)).at(now).wait(now)
    }

    /// Tallies kept.
    pub fn len(&self) -> usize {
        self.pairs.len() + self.logins.len()
    }

    /// Whether nothing failed of late.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn take_back(&mut self, tried: Try, now: MachineTime) {
        if let Source::Network(_) = tried.source {
            self.set_level(tried.login, self.level(tried.login, now).saturating_sub(1), now);
        }
    }

    /// Failures of a login from any network, after what is forgotten.
    fn level(&self, login: LoginDigest, now: MachineTime) -> u32 {
        let tally = self.logins.get(&login);
        let fallen = now.since(tally.last) / LEVEL_FALLS_MS;
        tally.failures.saturating_sub(u32::try_from(fallen).unwrap_or(u32::MAX))
    }

    fn set_level(&mut self, login: LoginDigest, failures: u32, now: MachineTime) {
        let old = self.logins.get(&login);
        // What has fallen in part goes on falling; a try does not begin the five minutes anew.
        let rest = now.since(old.last) % LEVEL_FALLS_MS;
        let last = if old.failures == 0 { now } else { now.plus_ms(-rest) };
        if failures == 0 {
            self.logins.remove(&login);
        } else {
            self.logins.set(login, Tally { failures, last, until: now });
        }
    }
}

const fn delay_max(source: Source) -> i64 {
    match source {
        // A cookie that was stolen gives no more guesses than a network does.
        Source::Network(_) | Source::Session(_) => NETWORK_DELAY_MAX_MS,
        Source::Device(_) => DEVICE_DELAY_MAX_MS,
    }
}

/// The delay after so many failures: 1, 2, 4 … seconds after the free ones.
fn delay(failures: u32, level: u32, source: Source) -> i64 {
    let free = if level >= NO_FREE_FROM { 0 } else { FREE_FAILURES };
    let max = delay_max(source);
    match failures.saturating_sub(free) {
        0 => 0,
        // 2^20 s is above any maximum, and far from overflowing.
        n => (1_000i64 << (n - 1).min(20)).min(max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::HOUR_MS;

    const T0: MachineTime = MachineTime(1_772_409_600_000);
    const ME: LoginDigest = LoginDigest(1);
    const OFFICE: Source = Source::Network(10);
    const DESK: Source = Source::Device(1);

    /// Fails as fast as allowed for so long; how often.
    fn hammer(f: &mut Failures, source: Source, from: MachineTime, ms: i64) -> u32 {
        let (mut now, mut tries) = (from, 0);
        while now.since(from) < ms {
            match f.attempt(ME, source, true, now) {
                Ok(_) => tries += 1,
                Err(Hold::Wait(wait)) => now = now.plus_ms(wait),
                Err(_) => break,
            }
        }
        tries
    }

    #[test]
    fn rule_c5_the_delay_grows_and_never_locks() {
        let mut f = Failures::default();
        let mut now = T0;
        let waits: Vec<i64> = (0..16)
            .map(|_| {
                let _ = f.attempt(ME, OFFICE, true, now).unwrap();
                let wait = match f.attempt(ME, OFFICE, true, now) {
                    Err(Hold::Wait(ms)) => ms,
                    Ok(tried) => {
                        f.withdrawn(tried, now);
                        0
                    }
                    Err(other) => panic!("{other:?}"),
                };
                now = now.plus_ms(wait);
                wait / 1_000
            })
            .collect();
        assert_eq!(waits, [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
    }

    #[test]
    fn rule_c5_guesses_a_day_are_few() {
        let mut f = Failures::default();
        let day = hammer(&mut f, OFFICE, T0, 24 * HOUR_MS);
        assert!((90..=120).contains(&day), "{day}");
    }

    #[test]
    fn tries_at_one_instant_are_counted_before_they_are_checked() {
        let mut f = Failures::default();
        let let_through = (0..100).filter(|_| f.attempt(ME, OFFICE, true, T0).is_ok()).count();
        assert_eq!(let_through, FREE_FAILURES as usize + 1);
    }

    #[test]
    fn rule_c5_a_known_device_is_not_reached_by_strangers() {
        let mut f = Failures::default();
        for network in 0..500 {
            let _ = f.attempt(ME, Source::Network(network), true, T0);
        }
        // From the very network of the strangers too.
        let _ = hammer(&mut f, OFFICE, T0, HOUR_MS);
        let now = T0.plus_ms(HOUR_MS);
        assert!(!f.captcha_needed(ME, DESK, now));
        let tried = f.attempt(ME, DESK, false, now).unwrap();
        f.succeeded(tried, now);
        // An unknown device of a network that failed nothing gets in with a captcha, at once.
        let home = Source::Network(9_999);
        assert_eq!(f.attempt(ME, home, false, now), Err(Hold::Captcha));
        assert!(f.captcha_needed(ME, home, now));
        assert!(f.attempt(ME, home, true, now).is_ok());
        // And nobody else notices.
        assert!(!f.captcha_needed(LoginDigest(2), OFFICE, now));
        assert!(f.attempt(LoginDigest(2), OFFICE, false, now).is_ok());
    }

    #[test]
    fn rule_c5_a_session_is_not_reached_by_its_network() {
        let mut f = Failures::default();
        let mine = Source::Session(1);
        for network in 0..500 {
            let _ = f.attempt(ME, Source::Network(network), true, T0);
        }
        let _ = hammer(&mut f, OFFICE, T0, HOUR_MS);
        let now = T0.plus_ms(HOUR_MS);
        assert!(f.wait_ms(ME, OFFICE, now) > 0 && f.wait_ms(ME, mine, now) == 0);
        let tried = f.attempt(ME, mine, false, now).unwrap();
        f.succeeded(tried, now);
        // In other hands it gives as many guesses as a network, and slows nobody else.
        let day = hammer(&mut f, mine, now, 24 * HOUR_MS);
        assert!((90..=120).contains(&day), "{day}");
        let home = Source::Network(9_999);
        assert!(f.attempt(ME, home, true, now.plus_ms(24 * HOUR_MS)).is_ok());
    }

    #[test]
    fn rule_c5_many_officers_behind_one_address_do_not_slow_each_other() {
        let mut f = Failures::default();
        for officer in 0..3_000 {
            for _ in 0..2 {
                let _ = f.attempt(LoginDigest(officer), OFFICE, false, T0).unwrap();
            }
            let tried = f.attempt(LoginDigest(officer), OFFICE, false, T0).unwrap();
            f.succeeded(tried, T0);
        }
    }

    #[test]
    fn a_login_that_fails_from_everywhere_loses_the_free_failures() {
        let mut f = Failures::default();
        for network in 0..NO_FREE_FROM {
            let _ = f.attempt(ME, Source::Network(u64::from(network)), true, T0).unwrap();
        }
        let home = Source::Network(9_999);
        let _ = f.attempt(ME, home, true, T0).unwrap();
        assert_eq!(f.attempt(ME, home, true, T0), Err(Hold::Wait(1_000)));
        // One of them is forgotten every five minutes, and no more than the maximum is kept.
        let calm = T0.plus_ms(i64::from(NO_FREE_FROM - CAPTCHA_FROM + 2) * LEVEL_FALLS_MS);
        assert!(!f.captcha_needed(ME, home, calm));
        for network in 0..1_000 {
            let _ = f.attempt(ME, Source::Network(network), true, T0);
        }
        let later = T0.plus_ms(i64::from(LEVEL_MAX - CAPTCHA_FROM) * LEVEL_FALLS_MS);
        assert!(f.captcha_needed(ME, home, later));
        assert!(!f.captcha_needed(ME, home, later.plus_ms(LEVEL_FALLS_MS)));
    }

    #[test]
    fn slow_tries_do_not_keep_the_level_from_falling() {
        let mut f = Failures::default();
        for network in 0..12 {
            let _ = f.attempt(ME, Source::Network(network), true, T0).unwrap();
        }
        // One try every four minutes adds 15 an hour and 12 fall.
        let mut now = T0;
        for network in 100..115 {
            now = now.plus_ms(4 * MINUTE_MS);
            let _ = f.attempt(ME, Source::Network(network), true, now).unwrap();
        }
        assert_eq!(f.level(ME, now), 12 + 15 - 12);
    }

    #[test]
    fn a_device_that_fails_and_fails_is_forgotten() {
        let mut f = Failures::default();
        let tries = hammer(&mut f, DESK, T0, 24 * HOUR_MS);
        assert_eq!(tries, DEVICE_FAILURES_MAX);
        let now = T0.plus_ms(HOUR_MS);
        assert_eq!(f.attempt(ME, DESK, true, now), Err(Hold::ForgetDevice));
        assert!(f.attempt(ME, OFFICE, false, now).is_ok());
    }

    #[test]
    fn success_forgets_the_own_failures_only() {
        let mut f = Failures::default();
        for _ in 0..3 {
            let _ = f.attempt(ME, OFFICE, true, T0).unwrap();
        }
        let stranger = Source::Network(66);
        for _ in 0..4 {
            let _ = f.attempt(ME, stranger, true, T0).unwrap();
        }
        let tried = f.attempt(ME, OFFICE, true, T0).unwrap();
        f.succeeded(tried, T0);
        assert!(f.attempt(ME, OFFICE, true, T0).is_ok());
        assert_eq!(f.attempt(ME, stranger, true, T0), Err(Hold::Wait(1_000)));
    }

    #[test]
    fn a_try_that_was_not_checked_leaves_no_trace() {
        let mut f = Failures::default();
        for _ in 0..100 {
            let tried = f.attempt(ME, OFFICE, false, T0).unwrap();
            f.withdrawn(tried, T0);
        }
        assert!(f.is_empty());
    }

    #[test]
    fn a_tally_is_forgotten_but_not_before_its_delay() {
        let mut f = Failures::default();
        let _ = hammer(&mut f, OFFICE, T0, HOUR_MS);
        let end = T0.plus_ms(HOUR_MS + NETWORK_DELAY_MAX_MS + FORGOTTEN_MS);
        for _ in 0..FREE_FAILURES {
            let _ = f.attempt(ME, OFFICE, true, end).unwrap();
        }
    }

    #[test]
    fn after_the_clock_went_back_nobody_waits_longer_than_the_longest_delay() {
        let mut f = Failures::default();
        let _ = hammer(&mut f, OFFICE, T0, HOUR_MS);
        let _ = hammer(&mut f, DESK, T0, 10 * MINUTE_MS);
        let back = T0.plus_ms(-365 * 24 * HOUR_MS);
        for (source, max) in [(OFFICE, NETWORK_DELAY_MAX_MS), (DESK, DEVICE_DELAY_MAX_MS)] {
            match f.attempt(ME, source, true, back) {
                Err(Hold::Wait(ms)) => {
                    assert!(ms <= max, "{ms}");
                    assert!(f.attempt(ME, source, true, back.plus_ms(ms)).is_ok());
                }
                other => assert!(matches!(other, Err(Hold::ForgetDevice)), "{other:?}"),
            }
        }
    }

    #[test]
    fn memory_is_bounded_and_a_tally_lives_a_generation() {
        let mut f = Failures::default();
        for _ in 0..4 {
            let _ = f.attempt(ME, OFFICE, true, T0).unwrap();
        }
        for n in 0..GENERATION as u64 {
            let _ = f.attempt(LoginDigest(100 + n), OFFICE, false, T0).unwrap();
        }
        assert!(matches!(f.attempt(ME, OFFICE, true, T0), Err(Hold::Wait(_))));
        for n in 0..3 * GENERATION as u64 {
            let _ = f.attempt(LoginDigest(1_000_000 + n), OFFICE, false, T0).unwrap();
        }
        assert!(f.len() <= 4 * GENERATION, "{}", f.len());
    }
}
