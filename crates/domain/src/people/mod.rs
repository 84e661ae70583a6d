//! **people**: who may do what in the portal, and how a person signs in (A4, A6, E1-E6).
//!
//! Pure values and functions: one table of powers and roles, the account, session and sign-in of a
//! person as states. It knows no hashes' algorithms, no cookies, no storage, no page: whoever
//! checked a password, a code or a passkey says so, and is told what comes next.
//!
//! **Invariant:** no transition is caused by failed sign-ins: failing slows, it never locks.
//! **Invariant:** integrators, support, reviewers and assessors hold no power that shows personal
//! data, and nobody holds one of these roles beside a role that does (A6).
//! **Invariant:** an unknown login, a wrong password and a dead account are answered alike.
//!
//! To add a power: one row in [`powers`]. To add a role: one row in [`roles`], and its name in the
//! rows of its powers; the tests of A6 run over both tables.
//!
//! ```
//! use dancu_domain::people::powers::{Mfa, Power};
//! use dancu_domain::people::roles::Role;
//!
//! let row = Power::Unlock.row();
//! assert!(row.roles.contains(Role::Operator) && row.mfa == Mfa::Fresh);
//! ```

pub mod account;
pub mod approval;
pub mod codes;
pub mod factors;
pub mod failures;
pub mod grants;
pub mod may;
pub mod password;
pub mod powers;
pub mod reasons;
pub mod roles;
pub mod session;
pub mod sign_in;
pub mod totp;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The unit that citizens' accounts stand under: none of the state's.
pub const UNIT_OF_CITIZENS: &str = "CONG-DAN";

/// A person with an account of the portal; the row id. It says nothing of who that is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct PersonId(pub u32);

/// Two nodes' clocks may differ by this, ms: each is at most 2 s off the database's, or it answers
/// 503. What another node wrote down a moment ago may therefore seem to be of the future.
pub(crate) const CLOCKS_DIFFER_MS: i64 = 4_000;

/// An instant of the **machine's** clock: milliseconds since 1970-01-01T00:00:00Z. Freshness of
/// codes, sessions and delays goes by it (contract, "Clocks"), so that moving the product's clock
/// in a sandbox neither ends a session nor makes a stale code good. A type of its own, because
/// [`Moment`](crate::moment::Moment) is the product's.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize,
)]
pub struct MachineTime(pub i64);

impl MachineTime {
    /// This many milliseconds later.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds since `earlier`; none where the machine's clock went back meanwhile.
    pub const fn since(self, earlier: Self) -> i64 {
        let ms = self.0.saturating_sub(earlier.0);
        if ms < 0 { 0 } else { ms }
    }
}

/// The generation of a person's rights. Sessions, tokens and enrolled devices name the epoch they
/// were made in and are dead in any other: raising it ends them all at once (E3).
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize,
)]
pub struct Epoch(pub u32);

impl Epoch {
    /// The next one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// Whole days from one date to a later one; negative where it is earlier.
pub(crate) fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours() / 24
}

/// The same day so many months later; the last day of a shorter month (29 February + 12 months is
/// 28 February). Beyond the calendar: its last day.
pub(crate) fn months_later(date: Date, months: u8) -> Date {
    date.checked_add(jiff::Span::new().months(i64::from(months))).unwrap_or(Date::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn days_and_months() {
        assert_eq!(days_between(date(2028, 2, 28), date(2028, 3, 1)), 2);
        assert_eq!(days_between(date(2026, 2, 28), date(2026, 3, 1)), 1);
        assert_eq!(days_between(date(2026, 3, 1), date(2026, 2, 28)), -1);
        assert_eq!(months_later(date(2028, 2, 29), 12), date(2029, 2, 28));
        assert_eq!(months_later(date(2026, 8, 31), 1), date(2026, 9, 30));
        assert_eq!(months_later(Date::MAX, 12), Date::MAX);
    }

    #[test]
    fn a_clock_that_went_back_gives_no_negative_time() {
        assert_eq!(MachineTime(5).since(MachineTime(9)), 0);
        assert_eq!(MachineTime(i64::MIN).since(MachineTime(i64::MAX)), 0);
        assert_eq!(MachineTime(i64::MAX).since(MachineTime(i64::MIN)), i64::MAX);
        assert_ne!(Epoch(u32::MAX).next(), Epoch(u32::MAX));
    }
}
