//! When a notice is mailed, and how long a server that is down is tried again.

use serde::{Deserialize, Serialize};

use super::Urgency;
use crate::moment::{DAY_MS, HOUR_MS, Hours, MINUTE_MS, Moment, VIET_NAM_OFFSET_MS};

/// The day's one mail of ordinary notices, minute of the day, unless the person says otherwise
/// (*ours*): an hour into the working day, after what came up overnight was seen in the portal.
pub const DIGEST_MINUTE: u16 = 8 * 60;
/// Mails by themselves that a person gets in a day (*ours*): a box with more is not read any more.
/// What comes after them goes with the day's mail.
pub const MAILS_A_DAY: u32 = 20;
/// How long mail is tried again, ms (*ours*): a server that is down for a week loses nothing, and a
/// day more for who mends it.
pub const RETRY_FOR_MS: i64 = 8 * DAY_MS;
/// The first pause between two tries; each next one is twice as long.
const FIRST_PAUSE_MS: i64 = 15_000;
/// The longest pause: four tries a day find a server that was mended within the working day.
const LONGEST_PAUSE_MS: i64 = 6 * HOUR_MS;
/// Bytes of an address of e-mail at most (RFC 5321, 4.5.3.1.3, without its brackets).
const ADDRESS_MAX: usize = 254;
/// Bytes before its @ at most (RFC 5321, 4.5.3.1.1).
const LOCAL_MAX: usize = 64;

/// What a person wants of ordinary mail. Urgent mail is always sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub enum Ordinary {
    /// Gathered into one mail a day.
    #[default]
    Digest,
    /// Each by itself, in hours.
    Each,
    /// In the portal only.
    Never,
}

impl Ordinary {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Digest, Self::Each, Self::Never];

    /// The word in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Digest => "digest",
            Self::Each => "each",
            Self::Never => "never",
        }
    }
}

/// How a person wants to be mailed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Preference {
    /// What is not urgent.
    pub ordinary: Ordinary,
    /// Minute of the Viet Nam day at which the day's mail is sent; outside the hours it is their
    /// beginning.
    pub digest_minute: u16,
}

impl Default for Preference {
    fn default() -> Self {
        Self { ordinary: Ordinary::default(), digest_minute: DIGEST_MINUTE }
    }
}

/// When a notice is mailed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// By itself, from then on.
    At(Moment),
    /// With whatever else is ordinary, then.
    Digest(Moment),
    /// Not at all: it stands in the portal.
    Never,
}

/// When a notice is mailed that is told now. Nothing ordinary leaves outside the hours, on every
/// day alike (D1: weekends have the same clock).
pub fn plan(urgency: Urgency, preference: &Preference, hours: &Hours, now: Moment) -> When {
    let minute = (now.0 + VIET_NAM_OFFSET_MS).rem_euclid(DAY_MS);
    let midnight = now.0 - minute;
    // The first moment of so many minutes into a day that is not over yet.
    let next = |of_day: u16| {
        let at = midnight + i64::from(of_day) * MINUTE_MS;
        Moment(if at < now.0 { at + DAY_MS } else { at })
    };
    let open = i64::from(hours.from_minute) * MINUTE_MS..i64::from(hours.to_minute) * MINUTE_MS;
    match (urgency, preference.ordinary) {
        (Urgency::AtOnce, _) => When::At(now),
        (Urgency::Ordinary, Ordinary::Never) => When::Never,
        (Urgency::Ordinary, Ordinary::Each) if open.contains(&minute) => When::At(now),
        (Urgency::Ordinary, Ordinary::Each) => When::At(next(hours.from_minute)),
        (Urgency::Ordinary, Ordinary::Digest) => {
            let inside = (hours.from_minute..hours.to_minute).contains(&preference.digest_minute);
            let of_day = if inside { preference.digest_minute } else { hours.from_minute };
            When::Digest(next(of_day))
        }
    }
}

/// The same, where so many mails were made for the person today: beyond [`MAILS_A_DAY`] it goes
/// with whatever else is ordinary, also where the person wants no such mail.
pub fn capped(planned: When, made: u32, wants: &Preference, hours: &Hours, now: Moment) -> When {
    match planned {
        When::At(_) if made >= MAILS_A_DAY => {
            let gathered = Preference { ordinary: Ordinary::Digest, ..*wants };
            plan(Urgency::Ordinary, &gathered, hours, now)
        }
        planned => planned,
    }
}

/// The pause before the next try after so many, ms; `None` = no more: made at `made`, it was tried
/// for [`RETRY_FOR_MS`].
pub fn retry_after_ms(attempts: u32, made: Moment, now: Moment) -> Option<i64> {
    if now.0.saturating_sub(made.0) >= RETRY_FOR_MS {
        return None;
    }
    let doubled = FIRST_PAUSE_MS.saturating_mul(1 << attempts.saturating_sub(1).min(20));
    Some(doubled.min(LONGEST_PAUSE_MS))
}

/// Whether a text can be an address of e-mail: one @, a plain local part, a host with a dot. What
/// could end a header or a command is in none.
pub fn is_address(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let word = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-.".contains(c);
    let dots = |part: &str| !part.is_empty() && part.split('.').all(|label| !label.is_empty());
    let label = |label: &str| {
        label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    text.len() <= ADDRESS_MAX
        && local.len() <= LOCAL_MAX
        && local.chars().all(word)
        && dots(local)
        && dots(host)
        && host.contains('.')
        && host.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hours() -> Hours {
        Hours { from_minute: 420, to_minute: 1080, weekends_off: false, off_days: vec![] }
    }

    fn at(text: &str) -> Moment {
        Moment::parse_rfc3339(&format!("{text}+07:00")).unwrap()
    }

    fn each() -> Preference {
        Preference { ordinary: Ordinary::Each, ..Preference::default() }
    }

    fn planned(preference: Preference, now: Moment) -> When {
        plan(Urgency::Ordinary, &preference, &hours(), now)
    }

    #[test]
    fn ordinary_mail_leaves_in_hours_only_on_every_day_alike() {
        // 2026-03-07 is a Saturday.
        for (now, then) in [
            ("2026-03-06T06:59:59.999", "2026-03-06T07:00:00"),
            ("2026-03-06T07:00:00", "2026-03-06T07:00:00"),
            ("2026-03-06T17:59:59.999", "2026-03-06T17:59:59.999"),
            ("2026-03-06T18:00:00", "2026-03-07T07:00:00"),
            ("2026-03-06T23:59:59.999", "2026-03-07T07:00:00"),
            ("2026-03-07T00:00:00", "2026-03-07T07:00:00"),
            ("2026-03-07T12:00:00", "2026-03-07T12:00:00"),
        ] {
            assert_eq!(planned(each(), at(now)), When::At(at(then)), "{now}");
        }
    }

    #[test]
    fn the_days_mail_has_one_hour() {
        let default = Preference::default();
        for (now, then) in [
            ("2026-03-06T07:59:59.999", "2026-03-06T08:00:00"),
            ("2026-03-06T08:00:00", "2026-03-06T08:00:00"),
            ("2026-03-06T08:00:00.001", "2026-03-07T08:00:00"),
            ("2026-03-07T00:00:00", "2026-03-07T08:00:00"),
        ] {
            assert_eq!(planned(default, at(now)), When::Digest(at(then)), "{now}");
        }
        // Nobody is mailed at night, whatever a form said.
        let night = Preference { digest_minute: 1080, ..default };
        let then = When::Digest(at("2026-03-07T07:00:00"));
        assert_eq!(planned(night, at("2026-03-06T12:00:00")), then);
        let never = Preference { ordinary: Ordinary::Never, ..default };
        assert_eq!(planned(never, at("2026-03-06T12:00:00")), When::Never);
    }

    #[test]
    fn a_box_is_not_filled_and_nothing_is_lost() {
        let now = at("2026-03-06T12:00:00");
        let never = Preference { ordinary: Ordinary::Never, ..Preference::default() };
        let urgent = plan(Urgency::AtOnce, &never, &hours(), now);
        let cap = |made| capped(urgent, made, &never, &hours(), now);
        assert_eq!(cap(MAILS_A_DAY - 1), When::At(now));
        assert_eq!(cap(MAILS_A_DAY), When::Digest(at("2026-03-07T08:00:00")));
        assert_eq!(capped(When::Never, MAILS_A_DAY, &never, &hours(), now), When::Never);
    }

    #[test]
    fn rule_d6_urgent_mail_waits_for_nobody() {
        let now = at("2026-03-07T02:00:00");
        let never = Preference { ordinary: Ordinary::Never, ..Preference::default() };
        assert_eq!(plan(Urgency::AtOnce, &never, &hours(), now), When::At(now));
    }

    #[test]
    fn a_server_that_is_down_for_a_week_loses_nothing() {
        let (made, mut now, mut tries) = (Moment(0), Moment(0), 0);
        while let Some(pause) = retry_after_ms(tries, made, now) {
            assert!(pause <= LONGEST_PAUSE_MS);
            now = now.plus_ms(pause);
            tries += 1;
            // After a week there is another try within six hours.
            assert!(tries < 100);
        }
        assert!(now.0 > 7 * DAY_MS && now.0 < RETRY_FOR_MS + DAY_MS);
    }

    #[test]
    fn addresses() {
        for good in ["can.bo@dancu.example.vn", "a+b@x.vn", "099@x-y.vn"] {
            assert!(is_address(good), "{good}");
        }
        let long = format!("{}@x.vn", "a".repeat(65));
        for bad in [
            "",
            "@",
            "a@b",
            "a@@b.vn",
            "a b@c.vn",
            "a@b.vn\r\nBcc: x@y.vn",
            "a@.vn",
            "a@b..vn",
            ".a@b.vn",
            "a@-b.vn",
            "<a@b.vn>",
            "a@b.vn,c@d.vn",
            "à@b.vn",
            "\"a\"@b.vn",
            &long,
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_planned_is_never_before_now_nor_at_night(
            now in 0i64..4_000_000_000_000,
            digest in 0u16..2_000,
        ) {
            for ordinary in [Ordinary::Each, Ordinary::Digest] {
                let preference = Preference { ordinary, digest_minute: digest };
                let (When::At(then) | When::Digest(then)) = planned(preference, Moment(now)) else {
                    panic!("it is planned");
                };
                let minute = (then.0 + VIET_NAM_OFFSET_MS).rem_euclid(DAY_MS) / MINUTE_MS;
                prop_assert!((420..1080).contains(&minute));
                prop_assert!(then.0 >= now && then.0 - now <= DAY_MS);
            }
        }
    }
}
