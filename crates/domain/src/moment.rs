//! Instants, Viet Nam days and the two windows of a duty day (D1).

use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

use crate::service::Window;

/// Milliseconds of a minute, an hour, a day.
pub const MINUTE_MS: i64 = 60_000;
/// See [`MINUTE_MS`].
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// See [`MINUTE_MS`].
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// Viet Nam time is UTC+7 and has no summer time.
pub const VIET_NAM_OFFSET_MS: i64 = 7 * HOUR_MS;

/// An instant: milliseconds since 1970-01-01T00:00:00Z of the product's clock.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
pub struct Moment(pub i64);

impl Moment {
    /// This many milliseconds later.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0 + ms)
    }

    /// The calendar date in Viet Nam.
    pub fn viet_nam_date(self) -> Date {
        date_of_days((self.0 + VIET_NAM_OFFSET_MS).div_euclid(DAY_MS))
    }

    /// RFC 3339 with the offset of Viet Nam, e.g. `2026-03-02T07:00:00+07:00`.
    pub fn rfc3339(self) -> String {
        let local = self.0 + VIET_NAM_OFFSET_MS;
        let date = date_of_days(local.div_euclid(DAY_MS));
        let ms = local.rem_euclid(DAY_MS);
        let mut out = String::with_capacity(29);
        let mut digits = |mut n: i64, width: usize, after: &str| {
            let mut text = [b'0'; 4];
            for place in text[..width].iter_mut().rev() {
                *place = b'0' + (n % 10) as u8;
                n /= 10;
            }
            out.extend(text[..width].iter().map(|b| char::from(*b)));
            out.push_str(after);
        };
        digits(i64::from(date.year()), 4, "-");
        digits(i64::from(date.month()), 2, "-");
        digits(i64::from(date.day()), 2, "T");
        digits(ms / HOUR_MS, 2, ":");
        digits(ms / MINUTE_MS % 60, 2, ":");
        if ms % 1000 == 0 {
            digits(ms / 1000 % 60, 2, "+07:00");
        } else {
            digits(ms / 1000 % 60, 2, ".");
            digits(ms % 1000, 3, "+07:00");
        }
        out
    }

    /// Reads RFC 3339 with any offset.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Self(t.as_millisecond()))
    }
}

/// The civil date of a day number (days since 1970-01-01), by counting in eras of 400 years that
/// begin on 1 March: it runs several times on each query. Days beyond the calendar are cut.
fn date_of_days(days: i64) -> Date {
    const ERA_DAYS: i64 = 146_097;
    // 719,468 days lie between 0000-03-01 and 1970-01-01.
    let shifted = days.clamp(-4_000_000, 2_900_000) + 719_468;
    let era = shifted.div_euclid(ERA_DAYS);
    let day_of_era = shifted.rem_euclid(ERA_DAYS);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    Date::new(year as i16, month as i8, day as i8).unwrap_or(Date::ZERO)
}

/// A duty day, counted in days since 1970-01-01 of the Viet Nam date on which it began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct DutyDay(pub i32);

impl DutyDay {
    /// The date on which the duty day began; an off-hours window belongs to it (D1).
    pub fn date(self) -> Date {
        date_of_days(i64::from(self.0))
    }
}

/// What the profile says of hours (D1). Minutes are of the Viet Nam day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hours {
    /// Start of hours, and of the duty day: 07:00 = 420.
    pub from_minute: u16,
    /// End of hours, exclusive: 18:00 = 1080.
    pub to_minute: u16,
    /// Whether Saturdays and Sundays count as off hours for the whole day.
    pub weekends_off: bool,
    /// Dates that count as off hours for the whole day, sorted.
    pub off_days: Vec<Date>,
}

/// Where an instant stands: its duty day, window and the end of the day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Duty {
    /// The duty day of every count.
    pub day: DutyDay,
    /// The window that the time of arrival falls in.
    pub window: Window,
    /// When the duty day's counts begin anew (the next 07:00).
    pub resets_at: Moment,
}

impl Hours {
    /// The duty of an instant.
    pub fn duty(&self, at: Moment) -> Duty {
        let start_ms = i64::from(self.from_minute) * MINUTE_MS;
        let since = at.0 + VIET_NAM_OFFSET_MS - start_ms;
        let day = since.div_euclid(DAY_MS);
        let length = i64::from(self.to_minute - self.from_minute) * MINUTE_MS;
        let in_hours = since.rem_euclid(DAY_MS) < length && !self.is_off_day(day);
        Duty {
            day: DutyDay(day as i32),
            window: if in_hours { Window::InHours } else { Window::OffHours },
            resets_at: Moment((day + 1) * DAY_MS + start_ms - VIET_NAM_OFFSET_MS),
        }
    }

    fn is_off_day(&self, days: i64) -> bool {
        if !self.weekends_off && self.off_days.is_empty() {
            return false;
        }
        let date = date_of_days(days);
        let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        (self.weekends_off && weekend) || self.off_days.binary_search(&date).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours() -> Hours {
        Hours { from_minute: 420, to_minute: 1080, weekends_off: false, off_days: vec![] }
    }

    fn at(text: &str) -> Moment {
        Moment::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn rule_d1_edges() {
        let h = hours();
        for (time, date, window) in [
            ("2026-03-02T07:00:00+07:00", "2026-03-02", Window::InHours),
            ("2026-03-02T17:59:59.999+07:00", "2026-03-02", Window::InHours),
            ("2026-03-02T18:00:00+07:00", "2026-03-02", Window::OffHours),
            ("2026-03-03T00:00:00+07:00", "2026-03-02", Window::OffHours),
            ("2026-03-03T06:59:59.999+07:00", "2026-03-02", Window::OffHours),
            ("2026-03-03T07:00:00+07:00", "2026-03-03", Window::InHours),
            ("2028-02-29T23:59:59+07:00", "2028-02-29", Window::OffHours),
            ("2028-03-01T06:59:59+07:00", "2028-02-29", Window::OffHours),
            ("2025-12-31T23:30:00+07:00", "2025-12-31", Window::OffHours),
            ("2026-02-17T08:00:00+07:00", "2026-02-17", Window::InHours),
        ] {
            let duty = h.duty(at(time));
            assert_eq!(duty.day.date().to_string(), date, "{time}");
            assert_eq!(duty.window, window, "{time}");
            assert!(duty.resets_at > at(time));
            assert!(duty.resets_at.0 - at(time).0 <= DAY_MS);
            assert!(duty.resets_at.rfc3339().ends_with("T07:00:00+07:00"));
        }
    }

    #[test]
    fn rule_d1_holidays_by_profile() {
        let mut h = hours();
        // Tết Bính Ngọ: 2026-02-17.
        h.off_days = vec![jiff::civil::date(2026, 2, 17)];
        assert_eq!(h.duty(at("2026-02-17T08:00:00+07:00")).window, Window::OffHours);
        assert_eq!(h.duty(at("2026-02-18T08:00:00+07:00")).window, Window::InHours);
        h.weekends_off = true;
        assert_eq!(h.duty(at("2026-03-01T08:00:00+07:00")).window, Window::OffHours);
    }

    #[test]
    fn day_numbers_are_civil_dates() {
        let epoch = jiff::civil::date(1970, 1, 1);
        for days in (-800_000..800_000).step_by(13).chain(-800..800) {
            let expected = epoch.checked_add(jiff::Span::new().days(days)).unwrap();
            assert_eq!(date_of_days(days), expected, "{days}");
        }
    }

    #[test]
    fn rfc3339_round_trip() {
        let m = at("2026-03-02T00:00:00.125Z");
        assert_eq!(m.rfc3339(), "2026-03-02T07:00:00.125+07:00");
        assert_eq!(at(&m.rfc3339()), m);
    }
}
