//! Hours of a plan, as minutes of the duty day: an off-hours run over midnight is one range (D1).

use crate::moment::{DAY_MS, Duty, Hours, MINUTE_MS, Moment};
use crate::service::Window;

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// Minutes since the beginning of the duty day, the end exclusive; never empty.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ClockRange {
    from: u16,
    to: u16,
}

impl ClockRange {
    /// The whole duty day.
    pub const WHOLE: Self = Self { from: 0, to: DAY };

    /// Of these minutes; `None` where they are none of a duty day.
    pub const fn new(from: u16, to: u16) -> Option<Self> {
        if from < to && to <= DAY { Some(Self { from, to }) } else { None }
    }

    /// The whole of a window.
    pub const fn of_window(hours: &Hours, window: Window) -> Self {
        let length = hours.to_minute - hours.from_minute;
        match window {
            Window::InHours => Self { from: 0, to: length },
            Window::OffHours => Self { from: length, to: DAY },
        }
    }

    /// From minutes of the Viet Nam day, as a clock shows them; `None` where they do not lie inside
    /// the window.
    pub fn of_clock(hours: &Hours, window: Window, (from, to): (u16, u16)) -> Option<Self> {
        if from >= DAY || to > DAY {
            return None;
        }
        let since = |minute: u16| (minute + DAY - hours.from_minute) % DAY;
        let end = if since(to) == 0 { DAY } else { since(to) };
        let (range, whole) = (Self::new(since(from), end)?, Self::of_window(hours, window));
        (whole.from <= range.from && range.to <= whole.to).then_some(range)
    }

    /// Minutes of the Viet Nam day, as a clock shows them.
    pub const fn clock(self, hours: &Hours) -> (u16, u16) {
        ((self.from + hours.from_minute) % DAY, (self.to + hours.from_minute) % DAY)
    }

    /// First minute of the duty day.
    pub const fn from(self) -> u16 {
        self.from
    }

    /// End, exclusive.
    pub const fn to(self) -> u16 {
        self.to
    }

    /// Whether an instant of a duty day lies in it.
    pub const fn contains(self, duty: Duty, at: Moment) -> bool {
        let minute = (at.0 - (duty.resets_at.0 - DAY_MS)).div_euclid(MINUTE_MS);
        self.from as i64 <= minute && minute < self.to as i64
    }

    pub(super) const fn minutes(self) -> u16 {
        self.to - self.from
    }

    pub(super) const fn meets(self, other: Self) -> bool {
        self.from < other.to && other.from < self.to
    }

    /// Its minutes in an hour of the duty day, 0 to 23.
    pub(super) fn within_hour(self, hour: usize) -> u16 {
        let begins = hour as u16 * 60;
        self.to.min(begins + 60).saturating_sub(self.from.max(begins))
    }
}
