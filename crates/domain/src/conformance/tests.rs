//! Runs over made-up entries.

use proptest::prelude::*;

use super::*;

fn entry(index: u64, outcome: Outcome) -> Entry {
    Entry {
        index,
        request_id: format!("r{index}"),
        service: Some(Service::CitizenVerify),
        window: Window::InHours,
        whom: Whom::Other,
        outcome,
    }
}

/// A client that does everything right.
fn whole() -> Vec<Entry> {
    use Outcome::{Data, Match, NoMatch, Refused, Repeat};
    let look_up = Some(Service::CitizenLookup);
    vec![
        entry(1, Match),
        entry(2, NoMatch),
        Entry { service: look_up, ..entry(3, Data) },
        Entry { whom: Whom::YearOnly, ..entry(4, Match) },
        Entry { whom: Whom::Deceased, ..entry(5, Match) },
        Entry { whom: Whom::Nobody, ..entry(6, NoMatch) },
        entry(7, Refused(Reason::FieldNotGranted)),
        entry(8, Refused(Reason::AccountHardStop)),
        entry(9, Repeat),
        entry(10, Refused(Reason::RequestIdConflict)),
        Entry { window: Window::OffHours, ..entry(11, Match) },
        Entry { request_id: "cut".into(), ..entry(12, Match) },
    ]
}

fn run(entries: &[Entry]) -> Run {
    let mut run =
        Run::new(ServiceSet::of(&[Service::CitizenVerify, Service::CitizenLookup]), [true; 2]);
    assert!(run.cut_off("cut"), "its first coming is cut off");
    assert!(!run.cut_off("cut"), "its second is answered");
    for entry in entries {
        step(&mut run, entry);
    }
    run
}

fn missing(run: &Run) -> Vec<Case> {
    run.cases().iter().filter(|s| s.entries.is_empty()).map(|s| s.case).collect()
}

#[test]
fn rule_b3_a_client_that_does_everything_passes() {
    let run = run(&whole());
    assert!(run.is_passed(), "{:?}", missing(&run));
    assert_eq!(run.passed(), Case::ALL.len());
    assert!(run.unexpected().is_empty());
    let shown = |case| run.cases().iter().find(|s| s.case == case).unwrap().entries.clone();
    assert_eq!(shown(Case::Outage), [12]);
    assert_eq!(shown(Case::OffHours), [11]);
    assert_eq!(shown(Case::Match), [1, 4, 5], "as many as are kept");
}

#[test]
fn each_case_is_missed_without_what_shows_it() {
    let only = [
        (2, Case::NoMatch),
        (3, Case::LookUp),
        (4, Case::YearOnly),
        (5, Case::Deceased),
        (6, Case::NotFound),
        (7, Case::NotGranted),
        (8, Case::OverCount),
        (9, Case::Repeat),
        (10, Case::OtherBody),
        (11, Case::OffHours),
        (12, Case::Outage),
    ];
    for (without, case) in only {
        let rest: Vec<Entry> = whole().into_iter().filter(|e| e.index != without).collect();
        assert_eq!(missing(&run(&rest)), [case]);
    }
}

#[test]
fn what_a_system_cannot_show_is_not_asked_for() {
    let cases = |granted, windows| {
        let run = Run::new(granted, windows);
        run.cases().iter().map(|shown| shown.case).collect::<Vec<_>>()
    };
    let verify = ServiceSet::of(&[Service::CitizenVerify]);
    assert!(!cases(verify, [true; 2]).contains(&Case::LookUp));
    assert!(!cases(ServiceSet::ALL, [true; 2]).contains(&Case::NotGranted));
    // Whoever registers lines in hours only is refused off hours, and passes without.
    let by_day = cases(verify, [true, false]);
    assert!(by_day.contains(&Case::InHours) && !by_day.contains(&Case::OffHours));
    assert!(!cases(verify, [false, true]).contains(&Case::InHours));
    let look_up = cases(ServiceSet::of(&[Service::CitizenLookup]), [true; 2]);
    for verified in [Case::Match, Case::NoMatch, Case::YearOnly, Case::Deceased] {
        assert!(!look_up.contains(&verified), "{verified:?}");
    }
}

#[test]
fn refusals_that_nobody_asked_for_are_told_and_a_wait_is_none() {
    let refused = |reason| entry(1, Outcome::Refused(reason));
    let told = run(&[refused(Reason::AccountUnknown), refused(Reason::PaceRequests)]);
    assert_eq!(told.unexpected(), [(1, Reason::AccountUnknown)]);
    let many = vec![refused(Reason::InvalidInput); 2 * UNEXPECTED_MAX];
    assert_eq!(run(&many).unexpected().len(), UNEXPECTED_MAX);
}

#[test]
fn cutting_off_ends_somewhere() {
    let mut run = Run::new(ServiceSet::ALL, [true; 2]);
    let cut = (0..2 * CUT_OFF_MAX).filter(|n| run.cut_off(&n.to_string())).count();
    assert_eq!(cut, CUT_OFF_MAX);
}

proptest! {
    /// What was shown stays shown, whatever comes after it and in whatever order.
    #[test]
    fn a_run_never_loses_a_case(order in Just(whole()).prop_shuffle(), more in 0_usize..12) {
        let mut shuffled = order;
        let again = shuffled[..more].to_vec();
        shuffled.extend(again);
        prop_assert!(run(&shuffled).is_passed());
    }
}
