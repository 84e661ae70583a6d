//! The regulation profile: refused with a line, or usable at any instant.

use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::profile::Profiles;
use dancu_domain::registration::{AccountKind, Channel, Group};

/// Reads a profile file.
///
/// # Panics
/// Where a law is broken.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let profiles = match Profiles::parse(text) {
        Ok(profiles) => profiles,
        Err(error) => {
            assert!((1..=text.lines().count() + 1).contains(&error.line));
            assert!(!error.reason.is_empty());
            return;
        }
    };
    assert!(!profiles.versions().is_empty());
    for (number, profile) in profiles.versions().iter().enumerate() {
        assert_eq!(usize::from(profile.number), number);
        assert_eq!(&profiles.at(profile.in_force_from).version, &profile.version);
        assert!(profile.counts.off_hours_cap <= 1000 && profile.accounts.login_min >= 8);
        for at in [0, 1_773_100_800_000, profile.in_force_from.0] {
            let duty = profile.hours.duty(Moment(at));
            let left = duty.resets_at.0 - at;
            assert!((1..=DAY_MS).contains(&left), "the day does not end within a day");
        }
        for (before, after, count) in [(0, u32::MAX, u32::MAX), (0, 1, 1), (3, 2, 0)] {
            let _ = profile.counts.warning(before, after, count);
        }
        for kind in [AccountKind::Officer, AccountKind::System, AccountKind::Plan] {
            assert!(profile.pace_of(kind).burst > 0);
        }
        let _ = profile.group_may(Group::State, Channel::Api);
    }
    for at in [i64::MIN, 0, i64::MAX] {
        let _ = profiles.at(Moment(at));
    }
}
