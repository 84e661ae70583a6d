//! Job plans (D5): an automated run is announced beforehand, acknowledged, agreed by a named person
//! who did not announce it, and then runs at its hours under an account of its own.
//!
//! **Invariant:** an announcement opens nothing: only [`JobPlan::registered`] of an agreed plan is
//! looked at by [`decide`](crate::decide). **Invariant:** a plan has a count outside the lines and
//! the off-hours total only where it says so and was agreed (D4).

mod clock;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use self::clock::ClockRange;
use crate::ids::{AccountId, Login, PlanId, SystemId};
use crate::moment::{DAY_MS, DutyDay, Hours, MINUTE_MS, Moment, VIET_NAM_OFFSET_MS};
use crate::name::FullName;
use crate::people::may::Ground;
use crate::people::reasons::PortalReason;
use crate::people::{PersonId, days_between};
use crate::registration::{DateRange, Plan};
use crate::rule::RuleId;
use crate::service::{Service, ServiceSet, Window};
use crate::text;

/// A plan is announced at most so many days ahead (*ours*): a year, its leap day included.
pub const AHEAD_DAYS: i64 = 366;
/// It lasts at most so many days (*ours*): after a year the real need is looked at again (B9).
pub const LASTS_DAYS: i64 = 366;
/// Persons a day at most (*ours*): the whole population once.
pub const DAILY_MAX: u32 = 110_000_000;
/// Rules under which a plan is refused: purpose, off-hours total, the plan itself, pace.
pub const REFUSED_UNDER: [RuleId; 4] = [RuleId::D5, RuleId::A5, RuleId::D4, RuleId::D7];

/// Persons of each hour of a duty day, from its beginning on.
pub type Strip = [u64; 24];

/// Who is called about a run. Debug output leaves both out.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    /// Full name.
    pub name: FullName,
    /// Digits, with a plus in front where it names the country.
    pub phone: String,
}

impl Contact {
    /// Reads both; `None` where the telephone number is none.
    pub fn new(name: FullName, phone: &str) -> Option<Self> {
        text::phone(phone).map(|phone| Self { name, phone })
    }
}

impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contact(***)")
    }
}

/// What is announced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    /// The system that runs.
    pub system: SystemId,
    /// Services that it uses.
    pub services: ServiceSet,
    /// When, by [`Window`]; `None`: not in that window.
    pub hours: [Option<ClockRange>; 2],
    /// First duty day.
    pub from: Date,
    /// Last duty day.
    pub to: Date,
    /// Persons a day.
    pub daily: u32,
    /// Whether it asks for a count of its own, outside the lines and the off-hours total (D4).
    pub own_count: bool,
    /// The account under which it runs.
    pub account: Login,
    /// Who is called about it.
    pub contact: Contact,
    /// What it is for.
    pub purpose: Ground,
    /// Why it runs by itself, at these hours.
    pub reason: Ground,
}

/// What is wrong with an announcement.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PlanFault {
    /// No service.
    NoService,
    /// A service without a line in a window of the plan (B5).
    NotRegistered,
    /// No hours.
    NoHours,
    /// It would have begun: a run is notified beforehand.
    Begun,
    /// More than [`AHEAD_DAYS`] ahead.
    TooFar,
    /// The last day is before the first.
    Backwards,
    /// Longer than [`LASTS_DAYS`].
    TooLong,
    /// Nobody, or more than [`DAILY_MAX`].
    Count,
    /// Together with the agreed plans more than the centre has room for in one of its hours.
    NoRoom,
    /// Another plan of the system covers a service in some of the hours.
    Overlaps,
}

impl PlanFault {
    /// The field of the form that it is about.
    pub const fn field(self) -> &'static str {
        match self {
            Self::NoService | Self::NotRegistered | Self::Overlaps => "services",
            Self::NoHours => "hours",
            Self::Begun | Self::TooFar => "from",
            Self::Backwards | Self::TooLong => "to",
            Self::Count | Self::NoRoom => "daily",
        }
    }

    /// One sentence that says what to do, in Vietnamese and in English.
    pub const fn sentence(self) -> (&'static str, &'static str) {
        match self {
            Self::NoService => ("Chọn ít nhất một dịch vụ.", "Choose at least one service."),
            Self::NotRegistered => (
                "Có dịch vụ chưa đăng ký ở khung giờ đã chọn; sửa đăng ký trước (B5).",
                "A service is not registered for a window of the plan (B5).",
            ),
            Self::NoHours => (
                "Chọn ít nhất một khung giờ; giờ chạy phải nằm trọn trong khung giờ đó (D1).",
                "Choose at least one window; its hours lie inside the window (D1).",
            ),
            Self::Begun => (
                "Giờ chạy đầu tiên đã qua; phải thông báo trước khi chạy (D5).",
                "The first run has begun already: a run is announced beforehand (D5).",
            ),
            Self::TooFar => ("Chỉ thông báo trước tối đa 366 ngày.", "At most 366 days ahead."),
            Self::Backwards => {
                ("Ngày kết thúc trước ngày bắt đầu.", "The last day is before the first.")
            }
            Self::TooLong => (
                "Một kế hoạch kéo dài tối đa 366 ngày; lâu hơn thì thông báo lại.",
                "A plan lasts at most 366 days; announce it again after that.",
            ),
            Self::Count => (
                "Số người mỗi ngày là số nguyên từ 1 đến 110.000.000.",
                "The daily count is a whole number from 1 to 110,000,000.",
            ),
            Self::NoRoom => (
                "Có giờ đã hết chỗ: giảm số người mỗi ngày hoặc chạy vào giờ khác.",
                "One of the hours has no room: ask for fewer persons, or other hours.",
            ),
            Self::Overlaps => (
                "Hệ thống đã có kế hoạch khác cho dịch vụ này trong cùng ngày, giờ.",
                "Another plan of the system covers this service at the same time.",
            ),
        }
    }
}

impl Terms {
    /// Checks everything that no other plan has to do with; `line` says whether the system has a
    /// line of a service in a window.
    ///
    /// # Errors
    /// The first [`PlanFault`].
    pub fn check(
        &self,
        hours: &Hours,
        now: Moment,
        line: impl Fn(Service, Window) -> bool,
    ) -> Result<(), PlanFault> {
        let today = hours.duty(now).day.date();
        let begins = self.first_run(hours).ok_or(PlanFault::NoHours)?;
        let windows = [Window::InHours, Window::OffHours];
        let covered = windows.into_iter().filter(|w| self.hours[*w as usize].is_some());
        let missing = |w: Window| self.services.iter().any(|service| !line(service, w));
        match () {
            () if self.services.0 == 0 => Err(PlanFault::NoService),
            () if covered.clone().any(missing) => Err(PlanFault::NotRegistered),
            () if begins <= now => Err(PlanFault::Begun),
            () if days_between(today, self.from) > AHEAD_DAYS => Err(PlanFault::TooFar),
            () if self.to < self.from => Err(PlanFault::Backwards),
            () if days_between(self.from, self.to) >= LASTS_DAYS => Err(PlanFault::TooLong),
            () if !(1..=DAILY_MAX).contains(&self.daily) => Err(PlanFault::Count),
            () => Ok(()),
        }
    }

    /// The first duty day.
    pub fn first_day(&self) -> DutyDay {
        DutyDay(days_between(Date::constant(1970, 1, 1), self.from) as i32)
    }

    /// The last duty day.
    pub fn last_day(&self) -> DutyDay {
        DutyDay(days_between(Date::constant(1970, 1, 1), self.to) as i32)
    }

    /// When it runs for the first time.
    fn first_run(&self, hours: &Hours) -> Option<Moment> {
        let first = self.hours.iter().flatten().map(|range| range.from()).min()?;
        let day = i64::from(self.first_day().0) * DAY_MS - VIET_NAM_OFFSET_MS;
        let minutes = i64::from(hours.from_minute) + i64::from(first);
        Some(Moment(day + minutes * MINUTE_MS))
    }

    /// Whether both cover a service of one system at the same time.
    pub fn overlaps(&self, other: &Self) -> bool {
        let meet = |(a, b): (&Option<ClockRange>, &Option<ClockRange>)| {
            a.zip(*b).is_some_and(|(a, b)| a.meets(b))
        };
        self.system == other.system
            && self.services.0 & other.services.0 != 0
            && self.from <= other.to
            && other.from <= self.to
            && self.hours.iter().zip(&other.hours).any(meet)
    }

    /// Its persons in each hour of a duty day.
    pub fn load(&self) -> Strip {
        load(&self.hours, self.daily)
    }

    /// Looks at the other plans: `open` are announced or agreed, `agreed` those that hold.
    ///
    /// # Errors
    /// [`PlanFault::Overlaps`], [`PlanFault::NoRoom`].
    pub fn clash<'a>(
        &self,
        open: impl Iterator<Item = &'a Self>,
        agreed: impl Iterator<Item = &'a Self>,
        per_hour: u32,
    ) -> Result<(), PlanFault> {
        if { open }.any(|other| self.overlaps(other)) {
            return Err(PlanFault::Overlaps);
        }
        let full = |(load, taken): (u64, u64)| load > 0 && load + taken > u64::from(per_hour);
        if self.load().into_iter().zip(taken((self.from, self.to), agreed)).any(full) {
            return Err(PlanFault::NoRoom);
        }
        Ok(())
    }
}

/// Persons a day spread evenly over hours, each hour rounded up.
pub fn load(hours: &[Option<ClockRange>; 2], daily: u32) -> Strip {
    let ranges = || hours.iter().flatten();
    let all: u64 = ranges().map(|range| u64::from(range.minutes())).sum();
    std::array::from_fn(|hour| {
        let minutes: u64 = ranges().map(|range| u64::from(range.within_hour(hour))).sum();
        (u64::from(daily) * minutes).div_ceil(all.max(1))
    })
}

/// What these plans take of each hour, on whichever day from the first to the last takes most.
pub fn taken<'a>((from, to): (Date, Date), plans: impl Iterator<Item = &'a Terms>) -> Strip {
    // What begins on a day, and what ends with the day before; sums change on such days alone.
    let mut changes = BTreeMap::<Date, [Strip; 2]>::new();
    for plan in plans.filter(|plan| plan.from <= to && from <= plan.to) {
        let load = plan.load();
        let mut add = |day: Date, which: usize| {
            let sums = &mut changes.entry(day).or_default()[which];
            sums.iter_mut().zip(load).for_each(|(sum, load)| *sum += load);
        };
        add(plan.from.max(from), 0);
        if let Ok(after) = plan.to.tomorrow() {
            add(after, 1);
        }
    }
    let (mut sums, mut taken) = (Strip::default(), Strip::default());
    for (_, [begins, ends]) in changes.range(..=to) {
        for (((sum, most), begun), ended) in sums.iter_mut().zip(&mut taken).zip(begins).zip(ends) {
            *sum += begun;
            *sum -= ended;
            *most = (*most).max(*sum);
        }
    }
    taken
}

/// What was done with a plan.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum Deed {
    /// The unit told of it.
    Announced = 0,
    /// The centre has seen it; it is not agreed by that.
    Acknowledged = 1,
    /// A named approver agreed.
    Agreed = 2,
    /// A named approver refused, under a rule.
    Refused = 3,
    /// The unit took it back before it was decided.
    Withdrawn = 4,
    /// It was agreed and ended before its last day.
    Ended = 5,
}

impl Deed {
    /// Every deed.
    pub const ALL: [Self; 6] = [
        Self::Announced,
        Self::Acknowledged,
        Self::Agreed,
        Self::Refused,
        Self::Withdrawn,
        Self::Ended,
    ];

    /// From its number in the store.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|deed| *deed as u8 == number)
    }

    /// Whether it is done by who did not announce the plan.
    const fn is_decision(self) -> bool {
        matches!(self, Self::Acknowledged | Self::Agreed | Self::Refused)
    }

    /// Whether it may follow `last`.
    const fn follows(self, last: Self) -> bool {
        let undecided = matches!(last, Self::Announced | Self::Acknowledged);
        match self {
            Self::Announced => false,
            Self::Acknowledged => matches!(last, Self::Announced),
            Self::Agreed | Self::Refused | Self::Withdrawn => undecided,
            Self::Ended => matches!(last, Self::Agreed),
        }
    }
}

/// A step of a plan's history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What was done.
    pub deed: Deed,
    /// The rule under which it was refused.
    pub rule: Option<RuleId>,
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Moment,
    /// What they wrote; empty where nothing is asked for.
    pub reason: String,
}

/// Where a plan stands at an instant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Standing {
    /// Announced; nobody of the centre has acknowledged it.
    Announced,
    /// Acknowledged, not agreed.
    Acknowledged,
    /// Its last day passed before anybody agreed.
    Lapsed,
    /// Agreed; its first day is to come.
    Agreed,
    /// Agreed; today is one of its days.
    Running,
    /// Its last day has passed.
    Over,
    /// Taken back.
    Withdrawn,
    /// Refused.
    Refused,
    /// Ended early.
    Ended,
}

/// A job plan with its history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobPlan {
    /// What is announced.
    pub terms: Terms,
    /// What was done, in order; the first step is the announcement.
    steps: Vec<Step>,
    /// The registered plan and its account, once it is agreed.
    pub runs_as: Option<(PlanId, AccountId)>,
}

impl JobPlan {
    /// An announcement.
    pub fn announce(terms: Terms, by: PersonId, at: Moment) -> Self {
        let step = Step {
            deed: Deed::Announced,
            rule: None,
            by,
            at,
            reason: terms.reason.as_str().into(),
        };
        Self { terms, steps: vec![step], runs_as: None }
    }

    /// As it was stored; `None` where the steps do not follow each other.
    pub fn stored(
        terms: Terms,
        steps: Vec<Step>,
        runs_as: Option<(PlanId, AccountId)>,
    ) -> Option<Self> {
        let begins = steps.first()?.deed == Deed::Announced;
        let follow = steps.windows(2).all(|pair| pair[1].deed.follows(pair[0].deed));
        (begins && follow).then_some(Self { terms, steps, runs_as })
    }

    /// Its history.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Who announced it.
    pub fn announced_by(&self) -> Option<PersonId> {
        self.steps.first().map(|step| step.by)
    }

    /// What was done last.
    pub fn last(&self) -> Deed {
        self.steps.last().map_or(Deed::Announced, |step| step.deed)
    }

    /// Where it stands.
    pub fn standing(&self, hours: &Hours, now: Moment) -> Standing {
        let today = hours.duty(now).day.date();
        let over = self.terms.to < today;
        match self.last() {
            Deed::Announced | Deed::Acknowledged if over => Standing::Lapsed,
            Deed::Announced => Standing::Announced,
            Deed::Acknowledged => Standing::Acknowledged,
            Deed::Agreed if over => Standing::Over,
            Deed::Agreed if today < self.terms.from => Standing::Agreed,
            Deed::Agreed => Standing::Running,
            Deed::Refused => Standing::Refused,
            Deed::Withdrawn => Standing::Withdrawn,
            Deed::Ended => Standing::Ended,
        }
    }

    /// Takes a step. Who agrees to a plan that nobody acknowledged has seen it, and acknowledges it
    /// by that.
    ///
    /// # Errors
    /// [`PortalReason::AlreadyDecided`] where the step does not follow the last one;
    /// [`PortalReason::OwnRequest`] where who announced it would decide. Nothing has changed then.
    pub fn step(&mut self, step: Step) -> Result<(), PortalReason> {
        if !step.deed.follows(self.last()) {
            return Err(PortalReason::AlreadyDecided);
        }
        if step.deed.is_decision() && self.announced_by() == Some(step.by) {
            return Err(PortalReason::OwnRequest);
        }
        if step.deed == Deed::Agreed && self.last() == Deed::Announced {
            let reason = String::new();
            self.steps.push(Step { deed: Deed::Acknowledged, reason, ..step.clone() });
        }
        self.steps.push(step);
        Ok(())
    }

    /// What is registered of it once it is agreed, under this number.
    pub fn registered(&self, id: PlanId) -> Plan {
        let Terms { services, hours, from, to, daily, own_count, .. } = &self.terms;
        Plan {
            id,
            services: *services,
            hours: *hours,
            own_count: own_count.then_some(*daily),
            valid: DateRange { from: Some(*from), to: Some(*to) },
        }
    }
}
