//! Job plans (D4, D5).

use jiff::civil::date;
use proptest::prelude::*;

use super::*;

const UNIT: PersonId = PersonId(1);
const CENTRE: PersonId = PersonId(2);

fn hours() -> Hours {
    Hours { from_minute: 420, to_minute: 1080, weekends_off: false, off_days: vec![] }
}

fn at(text: &str) -> Moment {
    Moment::parse_rfc3339(text).unwrap()
}

fn night(from: (u16, u16), to: (u16, u16)) -> Option<ClockRange> {
    ClockRange::of_clock(&hours(), Window::OffHours, (from.0 * 60 + from.1, to.0 * 60 + to.1))
}

fn terms() -> Terms {
    Terms {
        system: SystemId(1),
        services: ServiceSet::of(&[Service::CitizenBatchVerify]),
        hours: [None, night((22, 0), (5, 0))],
        from: date(2026, 3, 2),
        to: date(2026, 3, 31),
        daily: 70_000,
        own_count: true,
        account: Login::parse("kehoach.thue").unwrap(),
        contact: Contact::new(FullName::parse("Nguyễn Văn Mẫu").unwrap(), "0900 000 000").unwrap(),
        purpose: Ground::parse("Làm sạch dữ liệu thuế").unwrap(),
        reason: Ground::parse("Đối soát mã số thuế hằng đêm").unwrap(),
    }
}

fn step(deed: Deed, by: PersonId) -> Step {
    Step { deed, rule: None, by, at: at("2026-03-01T09:00:00+07:00"), reason: String::new() }
}

#[test]
fn rule_d1_a_run_over_midnight_is_one_range_of_its_window() {
    let range = night((22, 0), (5, 0)).unwrap();
    assert_eq!((range.from(), range.to(), range.clock(&hours())), (900, 1320, (1320, 300)));
    let inside = |text| range.contains(hours().duty(at(text)), at(text));
    assert!(inside("2026-03-02T22:00:00+07:00") && inside("2026-03-03T04:59:59.999+07:00"));
    assert!(!inside("2026-03-02T21:59:59.999+07:00") && !inside("2026-03-03T05:00:00+07:00"));
    // Month end and leap day: the night belongs to the day it began on.
    assert!(inside("2028-02-29T23:00:00+07:00") && inside("2028-03-01T01:00:00+07:00"));
    assert_eq!(night((18, 0), (7, 0)), Some(ClockRange::of_window(&hours(), Window::OffHours)));
    for wrong in [((17, 0), (5, 0)), ((22, 0), (8, 0)), ((5, 0), (22, 0)), ((22, 0), (22, 0))] {
        assert_eq!(night(wrong.0, wrong.1), None, "{wrong:?}");
    }
    assert_eq!(ClockRange::of_clock(&hours(), Window::InHours, (420, 1081)), None);
    assert!(ClockRange::of_clock(&hours(), Window::InHours, (420, 1080)).is_some());
}

#[test]
fn rule_d5_a_run_is_announced_beforehand() {
    let check = |terms: &Terms, now| terms.check(&hours(), at(now), |_, _| true);
    assert_eq!(check(&terms(), "2026-03-02T21:59:59+07:00"), Ok(()));
    assert_eq!(check(&terms(), "2026-03-02T22:00:00+07:00"), Err(PlanFault::Begun));
    let now = "2026-02-28T12:00:00+07:00";
    let wrong = |change: &dyn Fn(&mut Terms)| {
        let mut terms = terms();
        change(&mut terms);
        check(&terms, now).unwrap_err()
    };
    assert_eq!(wrong(&|t| t.daily = 0), PlanFault::Count);
    assert_eq!(wrong(&|t| t.daily = DAILY_MAX + 1), PlanFault::Count);
    assert_eq!(wrong(&|t| t.hours = [None; 2]), PlanFault::NoHours);
    assert_eq!(wrong(&|t| t.services = ServiceSet(0)), PlanFault::NoService);
    assert_eq!(wrong(&|t| t.to = date(2026, 3, 1)), PlanFault::Backwards);
    assert_eq!(wrong(&|t| t.to = date(2027, 3, 3)), PlanFault::TooLong);
    assert_eq!(wrong(&|t| t.from = date(2027, 3, 2)), PlanFault::TooFar);
    let only_in = |_, window| window == Window::InHours;
    assert_eq!(terms().check(&hours(), at(now), only_in), Err(PlanFault::NotRegistered));
    // From one leap day to the next month: a last day like any other.
    let leap = Terms { from: date(2028, 2, 29), to: date(2028, 2, 29), ..terms() };
    assert_eq!(check(&leap, "2028-02-29T08:00:00+07:00"), Ok(()));
    let mut plan = JobPlan::announce(leap, UNIT, at("2028-02-28T08:00:00+07:00"));
    plan.step(step(Deed::Agreed, CENTRE)).unwrap();
    let stands = |text| plan.standing(&hours(), at(text));
    assert_eq!(stands("2028-02-29T06:59:59+07:00"), Standing::Agreed);
    assert_eq!(stands("2028-03-01T06:59:59+07:00"), Standing::Running);
    assert_eq!(stands("2028-03-01T07:00:00+07:00"), Standing::Over);
}

#[test]
fn rule_d5_only_somebody_else_agrees_and_once() {
    let announced = JobPlan::announce(terms(), UNIT, at("2026-03-01T09:00:00+07:00"));
    for deed in [Deed::Acknowledged, Deed::Agreed, Deed::Refused] {
        let mut own = announced.clone();
        assert_eq!(own.step(step(deed, UNIT)), Err(PortalReason::OwnRequest));
        assert_eq!(own, announced);
    }
    let done = |deeds: &[Deed]| {
        let mut plan = announced.clone();
        deeds.iter().try_for_each(|deed| plan.step(step(*deed, CENTRE))).map(|()| plan.last())
    };
    let too_late = Err(PortalReason::AlreadyDecided);
    assert_eq!(done(&[Deed::Acknowledged, Deed::Agreed, Deed::Ended]), Ok(Deed::Ended));
    assert_eq!(done(&[Deed::Acknowledged, Deed::Withdrawn]), Ok(Deed::Withdrawn));
    for deeds in [
        &[Deed::Ended][..],
        &[Deed::Acknowledged, Deed::Acknowledged],
        &[Deed::Agreed, Deed::Agreed],
        &[Deed::Agreed, Deed::Withdrawn],
        &[Deed::Refused, Deed::Agreed],
        &[Deed::Withdrawn, Deed::Acknowledged],
        &[Deed::Agreed, Deed::Ended, Deed::Agreed],
    ] {
        assert_eq!(done(deeds), too_late, "{deeds:?}");
    }
    let mut plan = announced;
    plan.step(step(Deed::Agreed, CENTRE)).unwrap();
    let deeds: Vec<Deed> = plan.steps().iter().map(|s| s.deed).collect();
    assert_eq!(deeds, [Deed::Announced, Deed::Acknowledged, Deed::Agreed]);
    let steps = plan.steps().to_vec();
    assert!(JobPlan::stored(terms(), steps[1..].to_vec(), None).is_none());
    assert_eq!(JobPlan::stored(terms(), steps, None), Some(plan));
}

#[test]
fn rule_d4_a_count_of_its_own_only_where_it_says_so() {
    let plan = |own_count| JobPlan::announce(Terms { own_count, ..terms() }, UNIT, Moment(0));
    assert_eq!(plan(true).registered(PlanId(7)).own_count, Some(70_000));
    assert_eq!(plan(false).registered(PlanId(7)).own_count, None);
}

#[test]
fn rule_d5_plans_of_one_service_do_not_overlap_and_hours_have_room() {
    let clash = |other: Terms, per_hour| {
        terms().clash([&other].into_iter(), [&other].into_iter(), per_hour)
    };
    let mut other = terms();
    assert_eq!(clash(other.clone(), u32::MAX), Err(PlanFault::Overlaps));
    for apart in [
        Terms { from: date(2026, 4, 1), to: date(2026, 4, 30), ..terms() },
        Terms { services: ServiceSet::of(&[Service::CitizenList]), ..terms() },
        Terms { hours: [None, night((5, 0), (7, 0))], ..terms() },
    ] {
        assert_eq!(clash(apart, u32::MAX), Ok(()));
    }
    other.system = SystemId(2);
    assert_eq!(terms().load()[15..22], [10_000; 7]);
    assert_eq!(clash(other.clone(), 20_000), Ok(()));
    assert_eq!(clash(other.clone(), 19_999), Err(PlanFault::NoRoom));
    // What is taken on another day takes nothing from this one, though both fall into the month.
    let (mut first, mut second) = (other.clone(), other);
    (first.to, second.from) = (date(2026, 3, 15), date(2026, 3, 16));
    let taken = taken((first.from, second.to), [&first, &second].into_iter());
    assert_eq!(taken[15], 10_000);
    // As many as are looked at together, each from a day of its own on.
    let of = |n: i64| {
        let from = first.from.checked_add(jiff::Span::new().days(n % 300)).unwrap();
        Terms { from, to: from.checked_add(jiff::Span::new().days(300)).unwrap(), ..terms() }
    };
    let many: Vec<Terms> = (0..4_000).map(of).collect();
    let (last, load) = (many.iter().map(|t| t.to).max().unwrap(), terms().load()[15]);
    let most = super::taken((first.from, last), many.iter())[15];
    assert_eq!(most, 4_000 * load, "on the last first day all of them run");
}

proptest! {
    /// The strip holds the whole count, in its own hours only, and no hour more than its share.
    #[test]
    fn a_load_is_the_count(from in 0u16..1439, length in 1u16..1440, daily in 1u32..DAILY_MAX) {
        let range = ClockRange::new(from, (from + length).min(1440)).unwrap();
        let load = Terms { hours: [Some(range), None], daily, ..terms() }.load();
        let sum: u64 = load.iter().sum();
        prop_assert!((u64::from(daily)..u64::from(daily) + 24).contains(&sum));
        for (hour, persons) in load.into_iter().enumerate() {
            let inside = range.within_hour(hour) > 0;
            prop_assert_eq!(persons > 0, inside);
        }
    }
}
