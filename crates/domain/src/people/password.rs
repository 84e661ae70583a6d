//! Passwords without the passwords: their age, what a new one may not be, and the last ones it may
//! not repeat (E2). Hashing, the reading of easy ones and the list of what leaked most often stand
//! in access.

use jiff::civil::Date;

use super::days_between;
use super::reasons::PortalReason;
use super::roles::Class;
use crate::ids::Login;
use crate::profile::SignInRaw;

/// Passwords that a new one may not repeat, the present one among them (issue of people: "no reuse
/// of the last 10").
pub const HISTORY: usize = 10;

/// Longest password that is read, characters: more is no stronger, and hashing long input is work
/// that anybody could cause.
pub const PASSWORD_MAX: usize = 128;

/// Days before a password is due from which the person is reminded (*ours*).
pub const REMIND_DAYS: i64 = 14;

/// Why a password has to be changed before going on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ChangeDue {
    /// It was given by somebody else: the invitation, or a reset.
    Given,
    /// It is as old as the profile allows.
    Aged {
        /// Days that a password of the person's class is good for.
        days: u16,
    },
}

/// The age of a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PasswordAge {
    /// The Viet Nam day it was set on, by the product's clock.
    pub set_on: Date,
    /// Whether somebody else set it.
    pub given: bool,
}

impl PasswordAge {
    /// Whether it must be changed. On the 90th day after it was set it must (administrators: the
    /// 60th), whatever the time of day.
    pub fn due(self, class: Class, today: Date, figures: &SignInRaw) -> Option<ChangeDue> {
        if self.given {
            return Some(ChangeDue::Given);
        }
        let days = Self::good_for(class, figures)?;
        let aged = self.days_left(class, today, figures).is_some_and(|left| left <= 0);
        aged.then_some(ChangeDue::Aged { days })
    }

    /// Days that a password is good for; `None` where passwords do not age.
    pub fn good_for(class: Class, figures: &SignInRaw) -> Option<u16> {
        match class {
            Class::Staff => Some(figures.password_days),
            Class::Administrator => Some(figures.administrator_password_days),
            Class::Citizen => None,
        }
    }

    /// Days left; `None` where it does not age.
    pub fn days_left(self, class: Class, today: Date, figures: &SignInRaw) -> Option<i64> {
        let days = Self::good_for(class, figures)?;
        Some(i64::from(days) - days_between(self.set_on, today))
    }
}

/// What a new password may not be, as far as its text tells: too short or long, common, or around
/// the login. `is_common` looks it up, lower case, in the list of common ones.
///
/// # Errors
/// `PasswordTooShort`, `PasswordTooLong`, `PasswordHoldsLogin`, `PasswordCommon` of
/// [`PortalReason`].
pub fn check_new(
    text: &str,
    login: &Login,
    figures: &SignInRaw,
    is_common: impl FnOnce(&str) -> bool,
) -> Result<(), PortalReason> {
    // A character takes at most 4 bytes: what is far too long is not even counted.
    if text.len() > 4 * PASSWORD_MAX || text.chars().count() > PASSWORD_MAX {
        return Err(PortalReason::PasswordTooLong);
    }
    if text.chars().count() < usize::from(figures.password_min) {
        return Err(PortalReason::PasswordTooShort);
    }
    let lower = text.to_lowercase();
    if lower.contains(&login.folded()) {
        return Err(PortalReason::PasswordHoldsLogin);
    }
    if is_common(&lower) { Err(PortalReason::PasswordCommon) } else { Ok(()) }
}

/// The hashes of the last passwords, newest first; at most [`HISTORY`].
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHistory<H>(Vec<H>);

impl<H> PasswordHistory<H> {
    /// From the store, newest first; older ones are cut.
    pub fn new(mut newest_first: Vec<H>) -> Self {
        newest_first.truncate(HISTORY);
        Self(newest_first)
    }

    /// Whether a new password is none of the last ones. `matches` verifies it against one hash; it
    /// is asked for each until one matches: 10 hashes at most, at a change of password only.
    ///
    /// # Errors
    /// [`PortalReason::PasswordReused`].
    pub fn check(&self, matches: impl FnMut(&H) -> bool) -> Result<(), PortalReason> {
        if self.0.iter().any(matches) { Err(PortalReason::PasswordReused) } else { Ok(()) }
    }

    /// With a new one, the oldest cut.
    #[must_use]
    pub fn with(mut self, hash: H) -> Self {
        self.0.insert(0, hash);
        self.0.truncate(HISTORY);
        self
    }

    /// The hashes, newest first.
    pub fn hashes(&self) -> &[H] {
        &self.0
    }
}

impl<H> std::fmt::Debug for PasswordHistory<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PasswordHistory({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{DEFAULT_PROFILE, Profiles};
    use jiff::civil::date;

    fn figures() -> SignInRaw {
        Profiles::parse(DEFAULT_PROFILE).unwrap().versions()[0].sign_in.clone()
    }

    #[test]
    fn rule_e2_passwords_age() {
        let figures = figures();
        let age = PasswordAge { set_on: date(2026, 1, 1), given: false };
        let due = |class, today| age.due(class, today, &figures);
        // 90 days after 1 January 2026 is 1 April; 60 days after is 2 March.
        assert_eq!(due(Class::Staff, date(2026, 3, 31)), None);
        assert_eq!(due(Class::Staff, date(2026, 4, 1)), Some(ChangeDue::Aged { days: 90 }));
        assert_eq!(due(Class::Administrator, date(2026, 3, 1)), None);
        let administrator = due(Class::Administrator, date(2026, 3, 2));
        assert_eq!(administrator, Some(ChangeDue::Aged { days: 60 }));
        assert_eq!(due(Class::Citizen, date(2036, 1, 1)), None);
        // In a leap year 29 February is a day: 90 days after 1 January 2028 is 31 March.
        let leap = PasswordAge { set_on: date(2028, 1, 1), given: false };
        assert_eq!(leap.days_left(Class::Staff, date(2028, 3, 30), &figures), Some(1));
        let leapt = leap.due(Class::Staff, date(2028, 3, 31), &figures);
        assert_eq!(leapt, Some(ChangeDue::Aged { days: 90 }));
        // Set tomorrow by another node's clock: not due, and more than 90 days left.
        assert_eq!(due(Class::Staff, date(2025, 12, 31)), None);
        assert_eq!(age.days_left(Class::Staff, date(2025, 12, 31), &figures), Some(91));
        let given = PasswordAge { given: true, ..age };
        assert_eq!(given.due(Class::Citizen, age.set_on, &figures), Some(ChangeDue::Given));
    }

    #[test]
    fn rule_e2_what_a_new_password_may_not_be() {
        let (figures, login) = (figures(), Login::parse("nguyenvana.sttt").unwrap());
        let check = |text: &str| check_new(text, &login, &figures, |t| t == "matkhau123");
        assert_eq!(check("1234567"), Err(PortalReason::PasswordTooShort));
        assert_eq!(check("ếếếếếếếế"), Ok(()));
        assert_eq!(check("ếếếếếếế"), Err(PortalReason::PasswordTooShort));
        assert_eq!(check(&"ế".repeat(128)), Ok(()));
        assert_eq!(check(&"ế".repeat(129)), Err(PortalReason::PasswordTooLong));
        assert_eq!(check(&"x".repeat(1_000_000)), Err(PortalReason::PasswordTooLong));
        assert_eq!(check("MatKhau123"), Err(PortalReason::PasswordCommon));
        assert_eq!(check("xNguyenVanA.STTTx"), Err(PortalReason::PasswordHoldsLogin));
        assert_eq!(check("ba con vịt qua cầu"), Ok(()));
    }

    #[test]
    fn rule_e2_no_reuse_of_the_last_ten() {
        let mut history = PasswordHistory::new(vec![]);
        for n in 0..11 {
            assert_eq!(history.check(|h| *h == n), Ok(()));
            history = history.with(n);
            assert_eq!(history.check(|h| *h == n), Err(PortalReason::PasswordReused));
        }
        assert_eq!(history.check(|h| *h == 1), Err(PortalReason::PasswordReused));
        assert_eq!(history.check(|h| *h == 0), Ok(()), "the eleventh may come back");
        assert_eq!(history.hashes().len(), HISTORY);
        assert_eq!(format!("{history:?}"), "PasswordHistory(10)");
        assert_eq!(PasswordHistory::new((0..50).collect()).hashes().len(), HISTORY);
    }

    /// The sentences for people name these figures.
    #[test]
    fn texts_name_the_figures() {
        let text = PortalReason::PasswordReused.text();
        assert!(text.text_vi.contains(&HISTORY.to_string()));
        let text = PortalReason::PasswordTooLong.text();
        assert!(text.what_to_do_vi.contains(&PASSWORD_MAX.to_string()));
    }
}
