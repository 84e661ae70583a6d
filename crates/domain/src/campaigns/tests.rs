//! Campaigns at the edges of days.

use jiff::civil::date;
use proptest::prelude::*;

use super::CampaignRefusal as R;
use super::*;
use crate::dossier::{Dossier, DossierNumber, Stage};
use crate::moment::{DAY_MS, Moment};
use crate::people::PersonId;
use crate::registration::{Channel, Group};

fn at(text: &str) -> Mark {
    Mark { by: PersonId(1), at: Moment::parse_rfc3339(text).unwrap() }
}

fn noon(day: Date) -> Moment {
    Moment::parse_rfc3339(&format!("{day}T12:00:00+07:00")).unwrap()
}

fn plan() -> Plan {
    Plan {
        name: " Cập nhật hồ sơ năm 2026 ".into(),
        document: "6383/C06".into(),
        dated: date(2026, 3, 1),
        scope: Scope::default(),
        deadline: date(2026, 10, 1),
        remind: vec![30, 7, 1, 7],
        parts: vec![Part::Accounts, Part::Accounts],
    }
}

const NOW: &str = "2026-03-02T09:00:00+07:00";

fn open(deadline: Date) -> Task {
    Task::new(deadline).opened(vec![])
}

fn dossier() -> Dossier {
    let (unit, number) = (UnitCode::parse("H26.001").unwrap(), DossierNumber(1));
    Dossier::begin(number, unit, (Group::State, Channel::Api), at(NOW))
}

#[test]
fn rule_b4_a_task_is_not_done_while_a_paper_is_owed() {
    let dossier = dossier();
    let asked = vec![dossier.ask_for(Part::Commitment)];
    let open = Task::new(date(2026, 10, 1)).opened(asked);
    let (waits, unlocked) = open.clone().locked().in_force(&dossier);
    assert_eq!((waits.state(), unlocked), (TaskState::Waiting, true));
    assert_eq!(waits.opened(vec![]).owed(&dossier), [Part::Commitment]);
    assert_eq!(open.ended().0.state(), TaskState::Ended);
}

#[test]
fn rule_d6_a_connection_goes_on_when_both_locks_have_ended() {
    let locked = open(date(2026, 10, 1)).locked();
    assert!(locked.clone().secured(false).is_none());
    let both = locked.secured(true).unwrap();
    assert!(both.clone().secured(true).is_none());
    assert!(!both.clone().received().1, "the other lock stands");
    assert!(!both.clone().ended().1);
    assert!(both.secured(false).unwrap().received().1);
}

fn draft() -> Standing {
    Standing { stage: Stage::Draft.number(), since: noon(date(2026, 3, 2)) }
}

#[test]
fn rule_b4_a_plan_is_judged_field_by_field() {
    let begun = Campaign::begin(plan(), at(NOW)).unwrap();
    assert_eq!(begun.plan().name, "Cập nhật hồ sơ năm 2026");
    assert_eq!(
        (begun.plan().remind.as_slice(), begun.plan().parts.len()),
        ([1, 7, 30].as_slice(), 1)
    );
    let refused = |change: fn(&mut Plan)| {
        let mut plan = plan();
        change(&mut plan);
        Campaign::begin(plan, at(NOW)).err()
    };
    assert_eq!(refused(|p| p.name = " ".into()), Some(R::Name));
    assert_eq!(refused(|p| p.name = "x".repeat(201)), Some(R::Name));
    assert_eq!(refused(|p| p.document = "công văn".into()), Some(R::Document));
    assert_eq!(refused(|p| p.dated = date(2026, 3, 3)), Some(R::DocumentAhead));
    assert_eq!(refused(|p| p.dated = date(2026, 3, 2)), None);
    assert_eq!(refused(|p| p.deadline = date(2026, 3, 1)), Some(R::DeadlinePast));
    assert_eq!(refused(|p| p.deadline = date(2026, 3, 2)), Some(R::DeadlinePast));
    assert_eq!(refused(|p| p.deadline = date(2028, 3, 3)), Some(R::DeadlineFar));
    assert_eq!(refused(|p| p.remind = vec![0]), Some(R::Reminders));
    // 213 days lie between 2 March and 1 October.
    assert_eq!(refused(|p| p.remind = vec![213]), None);
    assert_eq!(refused(|p| p.remind = vec![214]), Some(R::Reminders));
    assert_eq!(refused(|p| p.scope.province = Some(2)), Some(R::Province));
    // At 23:59:59.999 the same day is still today, at midnight it is past.
    let late = |text| {
        Campaign::begin(Plan { deadline: date(2026, 3, 3), remind: vec![], ..plan() }, at(text))
            .err()
    };
    assert_eq!(late("2026-03-02T23:59:59.999+07:00"), None);
    assert_eq!(late("2026-03-03T00:00:00+07:00"), Some(R::DeadlinePast));
}

#[test]
fn rule_b4_nothing_is_locked_in_the_hands_of_the_centre_or_just_sent_back() {
    let (deadline, after) = (date(2026, 10, 1), date(2026, 10, 2));
    let standing = |stage: &Stage, since| Standing { stage: stage.number(), since: noon(since) };
    for stage in [Stage::Submitted, Stage::Accepted, Stage::Approved] {
        let waits = standing(&stage, deadline);
        assert_eq!(open(deadline).due(&[7], waits, date(2027, 1, 1)), Due::Nothing, "{stage:?}");
    }
    // One that ended withdrawn while its connection goes on is not up to date.
    for stage in [Stage::Draft, Stage::Live, Stage::Withdrawn] {
        assert_eq!(open(deadline).due(&[], standing(&stage, deadline), after), Due::Lock);
    }
    let back = standing(&Stage::Changes, date(2026, 10, 5));
    assert_eq!(open(deadline).due(&[], back, date(2026, 10, 12)), Due::Nothing);
    assert_eq!(open(deadline).due(&[], back, date(2026, 10, 13)), Due::Lock);
    // Sent back long before the deadline, it is the deadline that counts.
    let long_before = standing(&Stage::Changes, date(2026, 9, 1));
    assert_eq!(open(deadline).due(&[], long_before, deadline), Due::Nothing);
    assert_eq!(open(deadline).due(&[], long_before, after), Due::Lock);
    // What still waits to be opened is not locked.
    assert_eq!(Task::new(deadline).due(&[], draft(), after), Due::Nothing);
}

#[test]
fn rule_b4_an_extension_unlocks_and_completion_ends() {
    let locked = open(date(2026, 10, 1)).locked();
    assert_eq!(locked.state(), TaskState::Locked);
    let now = at("2026-10-05T09:00:00+07:00");
    let extend = |task: &Task, to| task.clone().extend(now, to, "Chờ con dấu mới");
    assert_eq!(extend(&locked, date(2026, 10, 5)).err(), Some(R::DeadlinePast));
    assert_eq!(extend(&locked, date(2028, 10, 6)).err(), Some(R::DeadlineFar));
    let later = open(date(2026, 12, 1));
    assert_eq!(extend(&later, date(2026, 12, 1)).err(), Some(R::NotLater));
    let (more, unlocked) = extend(&locked, date(2026, 10, 6)).unwrap();
    assert!(unlocked && more.state() == TaskState::Open);
    assert_eq!(more.extensions().len(), 1);
    assert_eq!(more.due(&[1], draft(), date(2026, 10, 6)), Due::Remind(1));
    assert_eq!(more.due(&[], draft(), date(2026, 10, 7)), Due::Lock);
    let (received, unlocked) = locked.clone().received();
    assert!(unlocked && received.state() == TaskState::Open);
    let dossier = dossier();
    let (done, unlocked) = locked.clone().in_force(&dossier);
    assert!(unlocked && done.state().is_over());
    assert_eq!(extend(&done, date(2026, 11, 1)).err(), Some(R::Over));
    assert_eq!(done.clone().in_force(&dossier), (done.clone(), false));
    assert_eq!(done.clone().ended(), (done, false));
    assert!(locked.ended().1);
}

fn day() -> impl Strategy<Value = Date> {
    // Every day of 2024 to 2032, 29 February and the turn of years among them.
    (0..3_287i64).prop_map(|n| noon(date(2024, 1, 1)).plus_ms(n * DAY_MS).viet_nam_date())
}

proptest! {
    #[test]
    fn rule_b4_the_lock_falls_at_midnight(deadline in day(), ms in 0..DAY_MS) {
        let begin = noon(deadline).plus_ms(-DAY_MS / 2);
        let due = |at: Moment| open(deadline).due(&[], draft(), at.viet_nam_date());
        prop_assert_eq!(due(begin.plus_ms(ms)), Due::Nothing);
        prop_assert_eq!(due(begin.plus_ms(DAY_MS - 1)), Due::Nothing);
        prop_assert_eq!(due(begin.plus_ms(DAY_MS)), Due::Lock);
        prop_assert_eq!(due(begin.plus_ms(DAY_MS + ms)), Due::Lock);
    }

    #[test]
    fn rule_b4_each_reminder_comes_at_most_once_and_not_late(
        deadline in day(),
        remind in prop::collection::btree_set(1u16..60, 0..6),
        looked in prop::collection::vec(any::<bool>(), 70),
    ) {
        let remind: Vec<u16> = remind.into_iter().collect();
        let mut task = open(deadline);
        let mut sent = vec![];
        // Each day from 65 before on, where somebody looks; some days nobody does.
        for (n, looks) in (-65i64..5).zip(looked) {
            let today = noon(deadline).plus_ms(n * DAY_MS).viet_nam_date();
            match task.due(&remind, draft(), today) {
                Due::Remind(days) if looks => {
                    prop_assert!(n <= 0 && -n <= i64::from(days), "{days} days before at {n}");
                    sent.push(days);
                    task = task.reminded(days);
                    prop_assert_eq!(task.due(&remind, draft(), today), Due::Nothing);
                }
                Due::Remind(_) | Due::Nothing => prop_assert!(n <= 0),
                Due::Lock => prop_assert!(n > 0),
            }
        }
        prop_assert!(sent.windows(2).all(|two| two[0] > two[1]));
        prop_assert!(sent.iter().all(|days| remind.contains(days)));
    }

    #[test]
    fn rule_b4_more_time_moves_the_lock(deadline in day(), more in 1..700i64, asked in 0..40i64) {
        let now = noon(deadline).plus_ms(asked * DAY_MS);
        let to = now.plus_ms(more * DAY_MS).viet_nam_date();
        let mark = Mark { by: PersonId(2), at: now };
        let (task, _) = open(deadline).extend(mark, to, "lý do").unwrap();
        for n in 0..=more {
            let today = now.plus_ms(n * DAY_MS).viet_nam_date();
            prop_assert_ne!(task.due(&[], draft(), today), Due::Lock);
        }
        let after = now.plus_ms((more + 1) * DAY_MS).viet_nam_date();
        prop_assert_eq!(task.due(&[], draft(), after), Due::Lock);
    }
}
