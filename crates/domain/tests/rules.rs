//! The rules of hours, counts, locks and pace, as properties and as cases by hand with the words
//! of the rule they stand for ("D3: …" quotes the rules, "Contract: …" what is promised outside).
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{HashMap, HashSet};

use dancu_domain::ids::{AccountId, LineId, PlanId, SystemId};
use dancu_domain::lines::{Event, Intent, Lines, Outcome};
use dancu_domain::moment::{DAY_MS, HOUR_MS, Hours, MINUTE_MS, Moment};
use dancu_domain::pace::PaceState;
use dancu_domain::profile::{
    Counts, DEFAULT_PROFILE, LockEnds, LockScope, Pace, Profile, Profiles, Reading,
};
use dancu_domain::refusal::{Kind, Reason, Refusal};
use dancu_domain::registration::{Line, Raise};
use dancu_domain::service::Window;
use jiff::civil::date;
use proptest::prelude::*;

fn shipped() -> Profile {
    Profiles::parse(DEFAULT_PROFILE).unwrap().versions().last().unwrap().clone()
}

fn read_as(reading: Reading) -> Profile {
    let mut profile = shipped();
    profile.exceedance.reading = reading;
    profile
}

fn at(text: &str) -> Moment {
    Moment::parse_rfc3339(text).unwrap_or_else(|| panic!("{text}"))
}

/// A time of Monday 2026-03-02, an ordinary working day.
fn on_monday(time: &str) -> Moment {
    at(&format!("2026-03-02T{time}+07:00"))
}

/// The date of the duty day and the window of an instant, by the calendar instead of by division.
fn by_calendar(moment: Moment) -> (jiff::civil::Date, Window) {
    let stamp = jiff::Timestamp::from_millisecond(moment.0).unwrap();
    let local = jiff::tz::Offset::constant(7).to_datetime(stamp);
    let date = if local.hour() < 7 { local.date().yesterday().unwrap() } else { local.date() };
    let window = if (7..18).contains(&local.hour()) { Window::InHours } else { Window::OffHours };
    (date, window)
}

// ---- D1: hours -------------------------------------------------------------------------------

/// D1: "In hours [07:00, 18:00), off hours [18:00, 07:00 next day), Viet Nam time. An off-hours
/// window belongs to the date it began on. The duty day of every count runs 07:00 → 07:00."
#[test]
fn rule_d1_edges_to_the_millisecond() {
    use Window::{InHours, OffHours};
    let hours = shipped().hours;
    let days = [
        ("2026-03-01", "2026-03-02"), // a Sunday: "the same clock"
        ("2026-04-30", "2026-05-01"), // the end of a month, holidays both
        ("2026-02-28", "2026-03-01"), // February without
        ("2028-02-28", "2028-02-29"), // and with a leap day,
        ("2028-02-29", "2028-03-01"), // from which the day runs on
        ("2026-02-16", "2026-02-17"), // into Tết Bính Ngọ
        ("2025-12-31", "2026-01-01"), // the end of a year
        ("2099-12-31", "2100-01-01"),
        ("2100-02-28", "2100-03-01"), // no leap year
        ("1969-12-31", "1970-01-01"), // before and after the epoch
    ];
    for (day, next) in days {
        for (date, time, window) in [
            (day, "07:00:00", InHours),
            (day, "07:00:00.001", InHours),
            (day, "12:00:00", InHours),
            (day, "17:59:59.999", InHours),
            (day, "18:00:00", OffHours),
            (day, "18:00:00.001", OffHours),
            (day, "23:59:59.999", OffHours),
            (next, "00:00:00", OffHours),
            (next, "00:00:00.001", OffHours),
            (next, "06:59:59.999", OffHours),
        ] {
            let moment = at(&format!("{date}T{time}+07:00"));
            let duty = hours.duty(moment);
            assert_eq!(duty.day.date().to_string(), day, "{date} {time}");
            assert_eq!(duty.window, window, "{date} {time}");
            assert_eq!(duty.resets_at, at(&format!("{next}T07:00:00+07:00")), "{date} {time}");
        }
        let morning = hours.duty(at(&format!("{next}T07:00:00+07:00")));
        assert_eq!((morning.day.date().to_string(), morning.window), (next.to_owned(), InHours));
    }
}

/// D1: "Weekends, holidays: the same clock unless the profile says otherwise."
#[test]
fn rule_d1_days_off_by_profile_move_no_count() {
    let tet = date(2026, 2, 17);
    let off = Hours { weekends_off: true, off_days: vec![tet], ..shipped().hours };
    for (time, window) in [
        ("2026-02-16T17:59:59.999+07:00", Window::InHours), // Monday
        ("2026-02-17T07:00:00+07:00", Window::OffHours),    // Tết
        ("2026-02-17T17:59:59.999+07:00", Window::OffHours),
        ("2026-02-18T07:00:00+07:00", Window::InHours),
        ("2026-02-21T12:00:00+07:00", Window::OffHours), // Saturday
        ("2026-02-22T12:00:00+07:00", Window::OffHours), // Sunday
        ("2026-02-23T06:59:59.999+07:00", Window::OffHours),
        ("2026-02-23T07:00:00+07:00", Window::InHours),
    ] {
        let (duty, same) = (off.duty(at(time)), shipped().hours.duty(at(time)));
        assert_eq!(duty.window, window, "{time}");
        assert_eq!((duty.day, duty.resets_at), (same.day, same.resets_at), "{time}");
    }
}

proptest! {
    /// D1: every instant of 1950-2150 stands in exactly one window of exactly one duty day.
    #[test]
    fn rule_d1_every_instant_has_one_window(ms in -631_000_000_000_i64..5_680_000_000_000) {
        let hours = shipped().hours;
        let duty = hours.duty(Moment(ms));
        prop_assert_eq!((duty.day.date(), duty.window), by_calendar(Moment(ms)));
        prop_assert!(duty.resets_at.0 > ms && duty.resets_at.0 - ms <= DAY_MS);
        prop_assert_eq!(hours.duty(duty.resets_at).day.0, duty.day.0 + 1);
        prop_assert_eq!(hours.duty(duty.resets_at.plus_ms(-1)).day, duty.day);
    }

    /// D1: windows change at 07:00 and 18:00 only, so a duty day has 11 hours and then 13.
    #[test]
    fn rule_d1_windows_follow_each_other(day in -7_000_i64..60_000, offset in 0..DAY_MS) {
        let hours = shipped().hours;
        let start = day * DAY_MS; // 07:00 in Viet Nam is midnight UTC
        let expected =
            if offset < 11 * HOUR_MS { Window::InHours } else { Window::OffHours };
        let duty = hours.duty(Moment(start + offset));
        prop_assert_eq!((i64::from(duty.day.0), duty.window), (day, expected));
    }
}

// ---- D2: warnings ----------------------------------------------------------------------------

fn counts() -> Counts {
    shipped().counts
}

proptest! {
    /// D2: "Warnings at 80, 95, 100 %": whoever reaches a threshold is told so, and nothing is
    /// told twice; one step over several tells the highest.
    #[test]
    fn rule_d2_each_warning_is_told_once(
        count in 1_u32..5_000,
        steps in prop::collection::vec(1_u32..400, 1..60),
    ) {
        let (mut used, mut told) = (0_u32, vec![]);
        for step in steps {
            let before = used;
            used += step;
            let passed = [80_u64, 95, 100].into_iter().rfind(|p| {
                let at = |n: u32| u64::from(n) * 100 >= u64::from(count) * p;
                !at(before) && at(used)
            });
            let warning = counts().warning(before, used, count);
            prop_assert_eq!(warning.map(u64::from), passed);
            told.extend(warning);
        }
        prop_assert!(told.is_sorted_by(|a, b| a < b), "{:?}", told);
    }
}

#[test]
fn rule_d2_warnings_to_the_question() {
    for (count, expected) in [
        (100, vec![(80, 80), (95, 95), (100, 100)]),
        (20, vec![(16, 80), (19, 95), (20, 100)]),
        (3, vec![(3, 100)]),
        (1, vec![(1, 100)]),
    ] {
        let mut desk = Desk::new(shipped(), count);
        let mut told = vec![];
        for n in 1..=count {
            match desk.ask(on_monday("09:00:00")) {
                Outcome::Accepted { warning: Some(w), .. } => told.push((n, w)),
                Outcome::Accepted { .. } => (),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(told, expected, "of {count}");
    }
}

/// D2: "An account's count is a declared average: passing it warns officer and head …; hard stop
/// at 2×".
#[test]
fn rule_d2_an_account_is_warned_at_its_average_and_stopped_at_twice() {
    let mut desk = Desk::new(shipped(), 1_000);
    desk.account_daily = 10;
    let mut told = vec![];
    for n in 1..=20 {
        match desk.ask(on_monday("09:00:00")) {
            Outcome::Accepted { warning, .. } => told.extend(warning.map(|w| (n, w))),
            other => panic!("{n}: {other:?}"),
        }
    }
    assert_eq!(told, [(8, 80), (10, 100)]);
    assert_eq!(desk.refused(on_monday("17:00:00")), Reason::AccountHardStop);
    // The duty day of an account runs over both windows and ends at 07:00.
    assert_eq!(desk.refused(on_monday("20:00:00")), Reason::AccountHardStop);
    assert_eq!(desk.refused(at("2026-03-03T06:59:59.999+07:00")), Reason::AccountHardStop);
    desk.accepted(at("2026-03-03T07:00:00+07:00"));
    // It is no exceedance of the line (D3).
    assert_eq!(desk.exceedances(on_monday("17:00:00")), 0);
}

// ---- a line at the counter --------------------------------------------------------------------

/// One system with two in-hours and two off-hours lines, a second system, and one account.
struct Desk {
    profile: Profile,
    lines: Lines,
    line: Line,
    night: Line,
    other: Line,
    account_daily: u32,
    plan: Option<(PlanId, u32)>,
}

const SYSTEM: SystemId = SystemId(1);

impl Desk {
    /// The line under test has this count in hours; every other line has 5,000.
    fn new(profile: Profile, count: u32) -> Self {
        let line = |id, daily| Line { id: LineId(id), daily, raises: vec![] };
        Self {
            profile,
            lines: Lines::default(),
            line: line(1, count),
            night: line(2, 5_000),
            other: line(3, 5_000),
            account_daily: 1_000_000,
            plan: None,
        }
    }

    fn intent(&self, line: &Line, at: Moment) -> Intent {
        Intent {
            at,
            duty: self.profile.hours.duty(at),
            system: SYSTEM,
            line: line.id,
            limit: line.limit(at),
            account: AccountId(1),
            account_daily: self.account_daily,
            own_plan: self.plan,
            items: 1,
            repeat: false,
            unread: false,
        }
    }

    /// On the line of the window, one person.
    fn ask(&mut self, at: Moment) -> Outcome {
        self.ask_with(at, |_| ())
    }

    fn ask_with(&mut self, at: Moment, change: impl FnOnce(&mut Intent)) -> Outcome {
        let in_hours = self.profile.hours.duty(at).window == Window::InHours;
        let mut intent = self.intent(if in_hours { &self.line } else { &self.night }, at);
        change(&mut intent);
        self.lines.begin();
        self.lines.one(&self.profile, &intent)
    }

    /// On another in-hours line of the same system.
    fn ask_other(&mut self, at: Moment) -> Outcome {
        let intent = self.intent(&self.other, at);
        self.lines.one(&self.profile, &intent)
    }

    fn accepted(&mut self, at: Moment) -> u32 {
        match self.ask(at) {
            Outcome::Accepted { remaining, .. } => remaining,
            other => panic!("{other:?}"),
        }
    }

    fn use_up(&mut self, at: Moment) {
        while self.accepted(at) > 0 {}
    }

    fn refused(&mut self, at: Moment) -> Reason {
        self.refusal(at).0
    }

    fn refusal(&mut self, at: Moment) -> (Reason, Option<Event>) {
        match self.ask(at) {
            Outcome::Refused { refusal, event, .. } => (refusal.reason, event),
            other => panic!("{other:?}"),
        }
    }

    fn exceedances(&self, at: Moment) -> u32 {
        self.lines.line_day(self.line.id, self.profile.hours.duty(at).day).exceedances
    }

    fn raise(&mut self, extra: u32, approved_at: Moment, to: Moment) {
        self.line.raises.push(Raise { extra, approved_at, from: approved_at, to });
    }
}

const USED_UP: (Reason, Option<Event>) = (Reason::LineUsedUp, None);
const EXCEEDED: (Reason, Option<Event>) = (Reason::LineUsedUp, Some(Event::Exceeded));
const SECOND: (Reason, Option<Event>) = (Reason::LineUsedUp, Some(Event::Locked));
const LOCKED: (Reason, Option<Event>) = (Reason::LineLocked, None);

/// D2: "A line's daily count is hard: a request over it is refused"; "Refusals, our own faults and
/// identical repeats count nothing"; "batch and list items count one per person".
#[test]
fn rule_d2_a_line_counts_persons_and_is_hard() {
    let mut desk = Desk::new(shipped(), 10);
    let t = on_monday("09:00:00");
    assert_eq!(desk.accepted(t), 9);
    let seven = desk.ask_with(t, |i| i.items = 7);
    assert_eq!(seven, Outcome::Accepted { remaining: 2, warning: Some(80) });
    // Refused as a whole, and it counts nothing.
    let Outcome::Refused { refusal, remaining, event } = desk.ask_with(t, |i| i.items = 3) else {
        panic!("over the count")
    };
    assert_eq!((refusal.reason, remaining, event), (Reason::LineUsedUp, 2, Some(Event::Exceeded)));
    // "Remaining and reset time stand on accepted and refused answers": the next 07:00.
    assert_eq!(refusal.retry_after_s, Some(22 * 3_600));
    desk.use_up(t);
    // Contract: "A repeat of an answered id is answered on a full line too".
    let repeat = desk.ask_with(t, |i| i.repeat = true);
    assert_eq!(repeat, Outcome::Accepted { remaining: 0, warning: None });
    assert_eq!(desk.refusal(t), USED_UP);
    assert_eq!(desk.lines.account_used(AccountId(1), desk.profile.hours.duty(t).day), 10);
    // The other window has a line of its own, and at 07:00 the count begins anew.
    desk.accepted(on_monday("18:00:00"));
    assert_eq!(desk.accepted(at("2026-03-03T07:00:00+07:00")), 9);
}

// ---- D3: the three readings -------------------------------------------------------------------

/// D3: "First exceedance = the first request refused for count; officer, head and centre are told.
/// Later refusals of the same exhaustion are not a second one."
#[test]
fn rule_d3_later_refusals_are_not_a_second_exceedance() {
    let mut desk = Desk::new(shipped(), 20);
    let t = on_monday("09:00:00");
    desk.use_up(t);
    assert_eq!(desk.exceedances(t), 0, "using a line up is no exceedance");
    assert_eq!(desk.refusal(t), EXCEEDED);
    for s in 0..899 {
        assert_eq!(desk.refusal(t.plus_ms(s * 1_000)), USED_UP, "{s}");
    }
    assert_eq!(desk.exceedances(t), 1);
}

/// D3: "from 15 min after the warning the caller still sent more than max(100, 10 % of the line)
/// refused requests"; contract: "refusals in [first, first + 15 min) belong to the first. After
/// that the refusal that passes max(100, 10 % of the line) makes the second; from the next request
/// on: 403 D3."
#[test]
fn rule_d3_two_episodes_going_on_after_the_warning() {
    for (count, allowed) in [(20, 100), (1_000, 100), (1_010, 101), (2_000, 200)] {
        let mut desk = Desk::new(shipped(), count);
        let first = on_monday("09:00:00");
        desk.use_up(first);
        assert_eq!(desk.refusal(first), EXCEEDED);
        // Any number within the grace, up to its last millisecond.
        for _ in 0..500 {
            assert_eq!(desk.refusal(first.plus_ms(15 * MINUTE_MS - 1)), USED_UP);
        }
        let late = first.plus_ms(15 * MINUTE_MS);
        for n in 1..=allowed {
            assert_eq!(desk.refusal(late), USED_UP, "{n} of {count}");
        }
        assert_eq!(desk.refusal(late), SECOND, "{count}");
        assert_eq!(desk.refusal(late), LOCKED, "{count}");
        assert_eq!(desk.exceedances(late), 2);
    }
}

/// The threshold is of requests, however many persons each asks about.
#[test]
fn rule_d3_two_episodes_counts_requests() {
    let mut desk = Desk::new(shipped(), 20);
    let first = on_monday("09:00:00");
    desk.ask_with(first, |i| i.items = 500);
    let late = first.plus_ms(15 * MINUTE_MS);
    for _ in 0..100 {
        let refused = desk.ask_with(late, |i| i.items = 500);
        assert!(matches!(refused, Outcome::Refused { event: None, .. }), "{refused:?}");
    }
    let last = desk.ask_with(late, |i| i.items = 500);
    assert!(matches!(last, Outcome::Refused { event: Some(Event::Locked), .. }), "{last:?}");
}

/// D3: "Second = the line was raised that day and ran out again".
#[test]
fn rule_d3_two_episodes_raised_and_ran_out_again() {
    let mut desk = Desk::new(shipped(), 20);
    desk.use_up(on_monday("09:00:00"));
    assert_eq!(desk.refusal(on_monday("09:00:00")), EXCEEDED);
    desk.raise(5, on_monday("09:05:00"), on_monday("17:00:00"));
    assert_eq!(desk.accepted(on_monday("09:05:00")), 4);
    desk.use_up(on_monday("09:06:00"));
    assert_eq!(desk.refusal(on_monday("09:07:00")), SECOND, "within the grace of the first");
    assert_eq!(desk.refusal(on_monday("09:07:00.001")), LOCKED);

    // A line that was raised before it ran out at all has run out once.
    let mut desk = Desk::new(shipped(), 20);
    desk.raise(5, on_monday("08:00:00"), on_monday("17:00:00"));
    desk.use_up(on_monday("09:00:00"));
    assert_eq!(desk.refusal(on_monday("09:00:00")), EXCEEDED);
    assert_eq!(desk.refusal(on_monday("09:00:01")), USED_UP);
}

/// D3: "Readings in the profile: … everyRefusal" - the second refused request locks.
#[test]
fn rule_d3_every_refusal() {
    let mut desk = Desk::new(read_as(Reading::EveryRefusal), 20);
    let t = on_monday("09:00:00");
    desk.use_up(t);
    assert_eq!(desk.refusal(t), EXCEEDED);
    desk.ask_with(t, |i| i.repeat = true);
    assert_eq!(desk.exceedances(t), 1, "a repeat is no refusal");
    assert_eq!(desk.refusal(t), SECOND);
    assert_eq!(desk.refusal(t), LOCKED);
    assert_eq!(desk.exceedances(t), 2, "what a lock refuses is no exceedance");
}

/// D3: "Readings in the profile: … twiceVolume" - the second is made by the refused request with
/// which accepted and refused persons of the day pass twice the line.
#[test]
fn rule_d3_twice_volume() {
    let mut desk = Desk::new(read_as(Reading::TwiceVolume), 20);
    let t = on_monday("09:00:00");
    desk.use_up(t);
    assert_eq!(desk.refusal(t), EXCEEDED);
    for n in 2..=20 {
        assert_eq!(desk.refusal(t), USED_UP, "20 accepted and {n} refused are 2 × 20");
    }
    assert_eq!(desk.refusal(t), SECOND);
    assert_eq!(desk.refusal(t), LOCKED);

    // Persons, not requests; but one request, however large, is one exceedance.
    let mut desk = Desk::new(read_as(Reading::TwiceVolume), 20);
    let large = desk.ask_with(t, |i| i.items = 500);
    assert!(matches!(large, Outcome::Refused { event: Some(Event::Exceeded), .. }), "{large:?}");
    desk.accepted(t);
    let next = desk.ask_with(t, |i| i.items = 20);
    assert!(matches!(next, Outcome::Refused { event: Some(Event::Locked), .. }), "{next:?}");
}

/// D3: "'Going over twice a day → lock' (6383 note 2; in-hours lines)": off hours a full line
/// refuses and nothing more, in every reading.
#[test]
fn rule_d3_off_hours_lines_are_never_locked() {
    for reading in [Reading::TwoEpisodes, Reading::EveryRefusal, Reading::TwiceVolume] {
        let mut desk = Desk::new(read_as(reading), 20);
        desk.night.daily = 5;
        desk.use_up(on_monday("18:00:00"));
        for minute in 0..200 {
            let t = on_monday("18:00:00").plus_ms(minute * MINUTE_MS);
            assert_eq!(desk.refusal(t), USED_UP, "{reading:?}");
        }
    }
}

/// A desk whose line was locked at 09:00.
fn locked(scope: LockScope, ends: LockEnds) -> Desk {
    let mut profile = read_as(Reading::EveryRefusal);
    profile.exceedance.scope = scope;
    profile.exceedance.lock_ends = ends;
    let mut desk = Desk::new(profile, 2);
    desk.use_up(on_monday("09:00:00"));
    assert_eq!(desk.refusal(on_monday("09:00:00")), EXCEEDED);
    assert_eq!(desk.refusal(on_monday("09:00:00")), SECOND);
    desk
}

/// D3: "It locks that line, not the connection"; "scope line or connection".
#[test]
fn rule_d3_scope() {
    let mut desk = locked(LockScope::Line, LockEnds::NextDutyDay);
    assert_eq!(desk.refused(on_monday("09:01:00")), Reason::LineLocked);
    assert!(matches!(desk.ask_other(on_monday("09:01:00")), Outcome::Accepted { .. }));
    desk.accepted(on_monday("18:00:00"));

    let mut desk = locked(LockScope::Connection, LockEnds::NextDutyDay);
    assert_eq!(desk.refused(on_monday("09:01:00")), Reason::ConnectionLocked);
    let Outcome::Refused { refusal, .. } = desk.ask_other(on_monday("09:01:00")) else {
        panic!("the whole connection is locked")
    };
    assert_eq!(refusal.reason, Reason::ConnectionLocked);
    assert_eq!(desk.refused(on_monday("18:00:00")), Reason::ConnectionLocked, "both windows");
    // Another system's line is its own affair.
    let foreign = Intent {
        system: SystemId(2),
        line: LineId(9),
        ..desk.intent(&desk.other, at("2026-03-02T09:01:00+07:00"))
    };
    let answer = desk.lines.one(&desk.profile, &foreign);
    assert!(matches!(answer, Outcome::Accepted { .. }), "{answer:?}");
}

/// D3: "ends by a named person with reason, an approved raise, or the next 07:00 (profile)".
#[test]
fn rule_d3_a_lock_ends_at_seven_or_by_a_named_person() {
    let seven = at("2026-03-03T07:00:00+07:00");
    for scope in [LockScope::Line, LockScope::Connection] {
        let mut desk = locked(scope, LockEnds::NextDutyDay);
        let Outcome::Refused { refusal, .. } = desk.ask(on_monday("10:00:00")) else { panic!() };
        assert_eq!(refusal.retry_after_s, Some(21 * 3_600));
        let night = desk.lines.lock_in_force(SYSTEM, desk.line.id, seven.plus_ms(-1));
        assert!(night.is_some());
        assert_eq!(desk.accepted(seven), 1);
        assert_eq!(desk.exceedances(seven), 0);

        let mut desk = locked(scope, LockEnds::NamedPerson);
        let Outcome::Refused { refusal, .. } = desk.ask(seven.plus_ms(2 * DAY_MS)) else {
            panic!()
        };
        assert_eq!(refusal.retry_after_s, None, "nobody knows when");
    }
}

#[test]
fn rule_d3_a_named_person_lifts_and_the_exhaustion_starts_afresh() {
    for scope in [LockScope::Line, LockScope::Connection] {
        let mut desk = locked(scope, LockEnds::NamedPerson);
        let t = on_monday("11:00:00");
        let day = desk.profile.hours.duty(t).day;
        desk.lines.begin();
        assert!(desk.lines.lift(SYSTEM, desk.line.id, day, t));
        assert!(!desk.lines.lift(SYSTEM, desk.line.id, day, t), "there is one lock");
        // The count is still used up: what ended is the lock.
        assert_eq!(desk.refusal(t), EXCEEDED);
        assert_eq!(desk.refused(t), Reason::LineUsedUp);
        assert_ne!(desk.refused(t), Reason::LineUsedUp);
    }
    // D3: lifting is of that line.
    let mut desk = locked(LockScope::Line, LockEnds::NamedPerson);
    let t = on_monday("11:00:00");
    assert!(!desk.lines.lift(SYSTEM, desk.other.id, desk.profile.hours.duty(t).day, t));
    assert_eq!(desk.refusal(t), LOCKED);
}

/// D3: an approved raise ends the lock; D8: "in force at once, ends by itself".
#[test]
fn rule_d3_a_raise_approved_after_the_lock_ends_it() {
    let mut desk = locked(LockScope::Line, LockEnds::NamedPerson);
    desk.line.raises.push(Raise {
        extra: 3,
        approved_at: on_monday("10:00:00"),
        from: on_monday("11:00:00"),
        to: on_monday("12:00:00"),
    });
    assert_eq!(desk.refusal(on_monday("10:59:59.999")), LOCKED, "not before its from");
    assert_eq!(desk.accepted(on_monday("11:00:00")), 2);
    desk.accepted(on_monday("11:30:00"));
    // It ends by itself; the line is then over its count, which is a further exceedance.
    assert_eq!(desk.refusal(on_monday("12:00:00")), SECOND);
    assert_eq!(desk.refusal(on_monday("12:00:00.001")), LOCKED);

    // One approved before the lock has been used up with the rest.
    let mut desk = Desk::new(read_as(Reading::EveryRefusal), 2);
    desk.raise(1, on_monday("08:00:00"), on_monday("17:00:00"));
    desk.use_up(on_monday("09:00:00"));
    desk.ask(on_monday("09:00:00"));
    assert_eq!(desk.refusal(on_monday("09:00:00")), SECOND);
    assert_eq!(desk.refusal(on_monday("10:00:00")), LOCKED);
}

/// Contract: "A repeat of an answered id is answered on a full line too, refused on a locked one."
#[test]
fn rule_d3_a_lock_refuses_repeats_too() {
    let mut desk = locked(LockScope::Line, LockEnds::NextDutyDay);
    let repeat = desk.ask_with(on_monday("09:30:00"), |i| i.repeat = true);
    let Outcome::Refused { refusal, .. } = repeat else { panic!("{repeat:?}") };
    assert_eq!(refusal.reason, Reason::LineLocked);
}

// ---- D4, D5: off hours and plans --------------------------------------------------------------

/// D4: "the off-hours lines of a unit's form together ≤ 1,000 a day, registered and used".
#[test]
fn rule_d4_off_hours_lines_together() {
    let mut desk = Desk::new(shipped(), 20);
    let evening = on_monday("18:00:00");
    let day = desk.profile.hours.duty(evening).day;
    for n in 0..1_000 {
        let line = if n % 2 == 0 { desk.night.id } else { LineId(4) };
        let answer = desk.ask_with(evening, |i| i.line = line);
        assert!(matches!(answer, Outcome::Accepted { .. }), "{n}: {answer:?}");
    }
    assert_eq!(desk.lines.off_hours_used(SYSTEM, day), 1_000);
    assert_eq!(desk.refusal(evening), (Reason::OffHoursUsedUp, None));
    assert_eq!(desk.refused(at("2026-03-03T06:59:59.999+07:00")), Reason::OffHoursUsedUp);
    // In hours nothing of it counts, and the next evening begins anew.
    desk.accepted(at("2026-03-03T07:00:00+07:00"));
    desk.accepted(at("2026-03-03T18:00:00+07:00"));
}

/// Contract: "When a line and the off-hours cap end together: D2."
#[test]
fn rule_d4_line_and_cap_ending_together_is_the_line() {
    let mut desk = Desk::new(shipped(), 20);
    desk.night.daily = 1_000;
    desk.use_up(on_monday("18:00:00"));
    let answer = desk.refusal(on_monday("18:00:00"));
    assert_eq!(answer, USED_UP);
    assert_eq!(answer.0.rule().code(), "D2");
}

/// D4: "an agreed job plan has its own count outside it".
#[test]
fn rule_d4_a_plan_counts_on_its_own() {
    let mut desk = Desk::new(shipped(), 20);
    desk.plan = Some((PlanId(1), 3));
    let evening = on_monday("18:00:00");
    let day = desk.profile.hours.duty(evening).day;
    assert_eq!(desk.accepted(evening), 2);
    desk.use_up(evening);
    assert_eq!(desk.refusal(evening), (Reason::PlanUsedUp, None));
    assert_eq!(desk.refused(at("2026-03-03T06:59:59.999+07:00")), Reason::PlanUsedUp);
    assert_eq!(desk.accepted(at("2026-03-03T07:00:00+07:00")), 2);
    assert_eq!(desk.lines.off_hours_used(SYSTEM, day), 0);
    assert_eq!(desk.lines.line_day(desk.night.id, day).used, 0);
    assert_eq!(desk.lines.account_used(AccountId(1), day), 3);
}

// ---- D7: pace ---------------------------------------------------------------------------------

/// Paces whose step the clock of 1/1024 ms divides exactly, the shipped ones among them.
fn any_pace() -> impl Strategy<Value = Pace> {
    let rate = prop::sample::select(vec![1_u32, 6, 30, 60, 240, 1_200, 60_000]);
    (1_u32..120, rate, 0_u32..40).prop_map(|(burst, per_minute, persons_per_minute)| Pace {
        burst,
        per_minute,
        persons_per_minute,
    })
}

/// Arrivals as (wait in ms, person): crowds at one instant, pauses, and few or many persons.
fn arrivals() -> impl Strategy<Value = Vec<(i64, u64)>> {
    let wait = prop_oneof![4 => Just(0_i64), 4 => 1_i64..3_000, 1 => 3_000_i64..70_000];
    let person = prop_oneof![1 => 0_u64..3, 1 => 0_u64..10_000];
    prop::collection::vec((wait, person), 1..250)
}

proptest! {
    /// D7: "burst and sustained rate": over no span of time were more than burst + rate × span
    /// requests admitted.
    #[test]
    fn rule_d7_never_more_than_burst_and_rate(pace in any_pace(), arrivals in arrivals()) {
        let (mut state, mut now, mut admitted) = (PaceState::default(), 1_000_000, Vec::new());
        for (wait, person) in arrivals {
            now += wait;
            if state.admit(pace, Moment(now), person).is_ok() {
                admitted.push(now);
            }
        }
        for (i, from) in admitted.iter().enumerate() {
            for (j, to) in admitted.iter().enumerate().skip(i) {
                let n = (j - i + 1) as i64;
                let by_rate = (to - from) * i64::from(pace.per_minute) / MINUTE_MS;
                prop_assert!(n <= i64::from(pace.burst) + by_rate, "{n} in {} ms", to - from);
            }
        }
    }

    /// D7: "distinct persons per minute".
    #[test]
    fn rule_d7_never_more_persons_within_a_minute(pace in any_pace(), arrivals in arrivals()) {
        let (mut state, mut now) = (PaceState::default(), 1_000_000);
        let mut admitted: Vec<(i64, u64)> = Vec::new();
        for (wait, person) in arrivals {
            now += wait;
            if state.admit(pace, Moment(now), person).is_ok() {
                admitted.push((now, person));
            }
            let minute = admitted.iter().filter(|(t, _)| *t > now - MINUTE_MS);
            let persons: HashSet<u64> = minute.map(|(_, p)| *p).collect();
            let limit = pace.persons_per_minute as usize;
            prop_assert!(limit == 0 || persons.len() <= limit, "{} persons", persons.len());
        }
    }

    /// A refused request changes nothing: whoever saw only the admitted ones answers the same.
    #[test]
    fn rule_d7_a_refusal_changes_nothing(pace in any_pace(), arrivals in arrivals()) {
        let (mut state, mut twin, mut now) = (PaceState::default(), PaceState::default(), 0);
        for (wait, person) in arrivals {
            now += wait;
            let answer = state.admit(pace, Moment(now), person);
            let expected = twin.clone().admit(pace, Moment(now), person);
            prop_assert_eq!(answer, expected);
            if answer.is_ok() {
                twin.admit(pace, Moment(now), person).unwrap();
            }
        }
    }

    /// `retryAfter` is enough: who waits that long is not refused for the same reason again, and
    /// waiting once for each of the two reasons is enough for the request.
    #[test]
    fn rule_d7_retry_after_is_enough(pace in any_pace(), arrivals in arrivals()) {
        let (mut state, mut now) = (PaceState::default(), 0);
        for (wait, person) in arrivals {
            now += wait;
            let (mut waits, mut later) = (Vec::new(), now);
            let mut patient = state.clone();
            while let Err(Refusal { reason, retry_after_s }) =
                patient.admit(pace, Moment(later), person)
            {
                prop_assert!(!waits.contains(&reason), "{reason:?} again");
                waits.push(reason);
                let seconds = retry_after_s.unwrap();
                prop_assert!(seconds >= 1);
                later += i64::from(seconds) * 1_000;
            }
            let _ = state.admit(pace, Moment(now), person);
        }
    }

    /// A state that says it is idle may be dropped: a new one answers the same.
    #[test]
    fn rule_d7_an_idle_state_remembers_nothing(
        pace in any_pace(),
        before in arrivals(),
        pause in 0_i64..200_000,
        after in arrivals(),
    ) {
        let (mut state, mut now) = (PaceState::default(), 0);
        for (wait, person) in before {
            now += wait;
            let _ = state.admit(pace, Moment(now), person);
        }
        now += pause;
        prop_assume!(state.is_idle(Moment(now)));
        let mut fresh = PaceState::default();
        for (wait, person) in after {
            now += wait;
            let answer = state.admit(pace, Moment(now), person);
            prop_assert_eq!(answer, fresh.admit(pace, Moment(now), person));
        }
    }
}

/// D7: the sustained rate of a run is the one that its profile names, at any rate it may name,
/// never faster.
#[test]
fn rule_d7_the_rate_is_kept_at_any_rate() {
    for per_minute in [7, 90_000, 6_000_000, 100_000_000] {
        let pace = Pace { burst: 1_000, per_minute, persons_per_minute: 0 };
        let (mut state, span, mut admitted) = (PaceState::default(), 2_000, 0);
        let most = i64::from(pace.burst) + span * i64::from(per_minute) / MINUTE_MS;
        for ms in 0..=span {
            while admitted <= most && state.admit(pace, Moment(ms), 1).is_ok() {
                admitted += 1;
            }
        }
        assert!(admitted <= most, "more than {most} in {span} ms at {per_minute} a minute");
    }
}

/// D7: "so that a script stops before any detector has to think": an officer's account that is
/// driven without pause for an hour.
#[test]
fn rule_d7_a_script_in_an_officers_place() {
    let pace = shipped().pace[0];
    let (mut state, mut admitted) = (PaceState::default(), 0);
    for ms in (0..HOUR_MS).step_by(50) {
        let person = ms.unsigned_abs();
        admitted += u32::from(state.admit(pace, Moment(ms), person).is_ok());
    }
    assert!(admitted <= 60 * pace.persons_per_minute + pace.burst, "{admitted}");
}

// ---- every reason -----------------------------------------------------------------------------

/// Reasons that counts, locks and pace give, each reached by a question.
fn reached_here() -> HashMap<Reason, &'static str> {
    let mut reached = HashMap::new();
    let t = on_monday("09:00:00");

    let mut desk = Desk::new(shipped(), 1);
    desk.use_up(t);
    reached.insert(desk.refused(t), "a line of 1, asked twice");

    let mut desk = locked(LockScope::Line, LockEnds::NextDutyDay);
    reached.insert(desk.refused(t), "after the second exceedance, scope line");

    let mut desk = locked(LockScope::Connection, LockEnds::NextDutyDay);
    reached.insert(desk.refused(t), "after the second exceedance, scope connection");

    let mut desk = Desk::new(shipped(), 1);
    let evening = on_monday("18:00:00");
    desk.ask_with(evening, |i| i.items = 1_000);
    reached.insert(desk.refused(evening), "the 1,001st person off hours");

    let mut desk = Desk::new(shipped(), 10);
    desk.account_daily = 1;
    desk.ask_with(t, |i| i.items = 2);
    reached.insert(desk.refused(t), "twice the account's average, and one more");

    let mut desk = Desk::new(shipped(), 10);
    desk.plan = Some((PlanId(1), 1));
    desk.use_up(t);
    reached.insert(desk.refused(t), "a plan of 1, asked twice");

    let pace = |burst, persons_per_minute| Pace { burst, per_minute: 60, persons_per_minute };
    for (pace, why) in [
        (pace(1, 0), "two requests at one instant, burst 1"),
        (pace(2, 1), "two persons within a minute, limit 1"),
    ] {
        let mut state = PaceState::default();
        state.admit(pace, t, 1).unwrap();
        reached.insert(state.admit(pace, t, 2).unwrap_err().reason, why);
    }
    reached
}

/// Reasons that need no registration or count: reading, request ids and the journal give them.
const OUTSIDE: [Reason; 10] = [
    Reason::RequestIdConflict,
    Reason::InvalidInput,
    Reason::NotOffered,
    Reason::CannotJournal,
    Reason::JournalInDoubt,
    Reason::TooLarge,
    Reason::JobsOpen,
    Reason::JobTooLarge,
    Reason::ShapeNotRegistered,
    Reason::RecordDamaged,
];

/// Every reason is reached: here, in `decide.rs`, or by the rooms above this one.
#[test]
fn every_refusal_rule_is_reached() {
    let here = reached_here();
    let by_count = [
        (Reason::LineUsedUp, "D2", Kind::Count),
        (Reason::LineLocked, "D3", Kind::Forbidden),
        (Reason::ConnectionLocked, "D3", Kind::Forbidden),
        (Reason::OffHoursUsedUp, "D4", Kind::Count),
        (Reason::AccountHardStop, "D2", Kind::Count),
        (Reason::PlanUsedUp, "D5", Kind::Count),
        (Reason::PaceRequests, "D7", Kind::Count),
        (Reason::PacePersons, "D7", Kind::Count),
    ];
    assert_eq!(here.len(), by_count.len(), "{here:?}");
    for (reason, rule, kind) in by_count {
        assert!(here.contains_key(&reason), "{reason:?} of {here:?}");
        assert_eq!((reason.rule().code(), reason.text().kind), (rule, kind), "{reason:?}");
    }
    let decided = include_str!("decide.rs");
    for reason in Reason::ALL {
        let in_decide = decided.contains(&format!("Reason::{}", reason.name()));
        let ways = [here.contains_key(reason), in_decide, OUTSIDE.contains(reason)];
        assert_eq!(ways.iter().filter(|w| **w).count(), 1, "{reason:?} {ways:?}");
    }
}
