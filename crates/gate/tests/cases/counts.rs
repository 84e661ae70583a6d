//! Counts under concurrency, over restarts and at the edges of the day.

use dancu_domain::ids::LineId;
use dancu_domain::lines::Event;
use dancu_domain::moment::MINUTE_MS;
use dancu_domain::refusal::Reason;
use dancu_domain::service::{Service, Window};
use dancu_gate::Caller;
use dancu_gate::query::{Query, Reply};
use dancu_journal::Decision;

use crate::support::*;

const SYSTEM: TestSystem = TestSystem(1);
const IN_HOURS: fn() -> LineId = || SYSTEM.line(Service::CitizenVerify, Window::InHours);
const OFF_HOURS: fn() -> LineId = || SYSTEM.line(Service::CitizenVerify, Window::OffHours);

fn questions(world: &TestWorld, n: usize) -> Vec<(Caller, Query)> {
    let account = SYSTEM.plan();
    (0..n)
        .map(|i| {
            let person = &world.people[i % world.people.len()];
            (world.caller(&account), world.verify(&account, person))
        })
        .collect()
}

fn accepted(replies: &[Reply]) -> usize {
    replies.iter().filter(|r| r.result.is_ok()).count()
}

fn refused_as(replies: &[Reply], wanted: Reason) -> usize {
    replies.iter().filter(|r| reason(r) == Some(wanted)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d2_three_hundred_at_once_on_a_line_of_a_hundred() {
    let world = TestWorld::build().with_system(SystemSpec::verify(100, 10)).start().await;
    let replies = world.ask_all(questions(&world, 300)).await;
    assert_eq!(accepted(&replies), 100);
    assert_eq!(refused_as(&replies, Reason::LineUsedUp), 200);
    assert_eq!(world.used(IN_HOURS()), 100);
    // Each accepted question was told another remaining count.
    let mut left: Vec<_> =
        replies.iter().filter(|r| r.result.is_ok()).map(|r| r.usage.unwrap().remaining).collect();
    left.sort_unstable();
    assert_eq!(left, (0..100).collect::<Vec<_>>());
    // One exceedance for the whole exhaustion, told once (D3).
    let events: Vec<_> =
        world.entries().iter().skip(1).map(|e| query_of(e).event).filter(|e| *e != 0).collect();
    assert_eq!(events, [Event::Exceeded as u8 + 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d2_a_count_goes_on_over_a_restart() {
    let mut world = TestWorld::build().with_system(SystemSpec::verify(100, 10)).start().await;
    let first = world.ask_all(questions(&world, 60)).await;
    assert_eq!(accepted(&first), 60);
    let before = world.lines(|l| format!("{:?}", l.line_day(IN_HOURS(), day(&world))));
    world.reopen();
    let after = world.lines(|l| format!("{:?}", l.line_day(IN_HOURS(), day(&world))));
    assert_eq!(before, after);
    let second = world.ask_all(questions(&world, 60)).await;
    assert_eq!((accepted(&second), refused_as(&second, Reason::LineUsedUp)), (40, 20));
    world.reopen();
    assert_eq!(accepted(&world.ask_all(questions(&world, 5)).await), 0);
    let day = world.lines(|l| l.line_day(IN_HOURS(), day(&world)));
    assert_eq!((day.used, day.refused, day.exceedances), (100, 25, 1));
}

fn day(world: &TestWorld) -> dancu_domain::moment::DutyDay {
    world.store().profiles().at(world.now()).hours.duty(world.now()).day
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d1_the_arrival_decides_the_window_whatever_the_order() {
    let mut world = TestWorld::build().with_system(SystemSpec::verify(30, 20)).start().await;
    let account = SYSTEM.plan();
    let (before, after) = (at("2026-03-02T17:59:59.999+07:00"), at("2026-03-02T18:00:00+07:00"));
    let mixed: Vec<_> = (0..100)
        .map(|i| {
            let arrival = if i % 2 == 0 { after } else { before };
            let query = world.verify(&account, &world.people[i]);
            (world.caller_at(&account, arrival), query)
        })
        .collect();
    let replies = world.ask_all(mixed).await;
    let (late, early): (Vec<_>, Vec<_>) =
        replies.into_iter().enumerate().partition(|(i, _)| i % 2 == 0);
    let replies = |side: Vec<(usize, Reply)>| side.into_iter().map(|(_, r)| r).collect::<Vec<_>>();
    let (late, early) = (replies(late), replies(early));
    assert_eq!((accepted(&early), refused_as(&early, Reason::LineUsedUp)), (30, 20));
    assert_eq!((accepted(&late), refused_as(&late, Reason::LineUsedUp)), (20, 30));
    world.set_clock(after);
    assert_eq!((world.used(IN_HOURS()), world.used(OFF_HOURS())), (30, 20));
    world.reopen();
    assert_eq!((world.used(IN_HOURS()), world.used(OFF_HOURS())), (30, 20));
    // A question that arrived in time still belongs to the day, and finds it full.
    let straggler = world.verify(&account, &world.people[0]);
    let reply = world.ask_at(&account, &straggler, before).await;
    assert_eq!(reason(&reply), Some(Reason::LineUsedUp));
    assert_eq!(world.last_query().window, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d1_counts_begin_anew_at_seven() {
    let world = TestWorld::build().with_system(SystemSpec::verify(1, 1)).start().await;
    let account = SYSTEM.plan();
    let ask = async |time: &str| {
        world.set_clock(at(time));
        let reply = world.ask_verify(&account, &world.people[0]).await;
        (reason(&reply), reply.usage.unwrap().resets_at.rfc3339())
    };
    let monday = "2026-03-03T07:00:00+07:00".to_owned();
    let tuesday = "2026-03-04T07:00:00+07:00".to_owned();
    let used_up = Some(Reason::LineUsedUp);
    assert_eq!(ask("2026-03-02T17:00:00+07:00").await, (None, monday.clone()));
    assert_eq!(ask("2026-03-02T17:00:01+07:00").await, (used_up, monday.clone()));
    assert_eq!(ask("2026-03-02T23:59:59+07:00").await, (None, monday.clone()));
    assert_eq!(ask("2026-03-03T06:59:59.999+07:00").await, (used_up, monday));
    assert_eq!(ask("2026-03-03T07:00:00+07:00").await, (None, tuesday));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d4_off_hours_lines_share_one_total() {
    let spec = SystemSpec {
        lines: vec![(Service::CitizenVerify, 10, 60), (Service::CitizenLookup, 10, 60)],
        ..SystemSpec::default()
    };
    let world = TestWorld::build()
        .profile("offHoursCap = 1000", "offHoursCap = 100")
        .clock("2026-03-02T20:00:00+07:00")
        .with_system(spec)
        .start()
        .await;
    let account = SYSTEM.plan();
    let ask = |i: usize| {
        let subject = by_personal_id(&world.people[i]);
        let verifies = dancu_gate::query::Ask::Verify(vec![]);
        let ask = if i.is_multiple_of(2) { verifies } else { dancu_gate::query::Ask::Lookup };
        (world.caller(&account), world.query(&account, subject, ask))
    };
    let replies = world.ask_all((0..120).map(ask).collect()).await;
    assert_eq!(accepted(&replies), 100);
    assert_eq!(refused_as(&replies, Reason::OffHoursUsedUp), 20);
    let day = day(&world);
    assert_eq!(world.lines(|l| l.off_hours_used(SYSTEM.id(), day)), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d5_a_plan_of_its_own_count_leaves_the_line_alone() {
    let spec = SystemSpec { own_count: Some(50), ..SystemSpec::verify(10, 10) };
    let mut world = TestWorld::build().with_system(spec).start().await;
    let replies = world.ask_all(questions(&world, 80)).await;
    assert_eq!((accepted(&replies), refused_as(&replies, Reason::PlanUsedUp)), (50, 30));
    assert_eq!(world.used(IN_HOURS()), 0);
    world.reopen();
    assert_eq!(accepted(&world.ask_all(questions(&world, 1)).await), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d2_an_account_stops_at_twice_its_average() {
    let spec = SystemSpec { officer_daily: 2, ..SystemSpec::verify(100, 10) };
    let world = TestWorld::build().with_system(spec).start().await;
    let account = SYSTEM.officer();
    let mut reasons = vec![];
    for person in &world.people[..6] {
        reasons.push(reason(&world.ask_verify(&account, person).await));
    }
    let stop = Some(Reason::AccountHardStop);
    assert_eq!(reasons, [None, None, None, None, stop, stop]);
    assert_eq!(reason(&world.ask_verify(&SYSTEM.plan(), &world.people[9]).await), None);
}

/// The watch rebuilds an account's day from `account_used`, "used after it".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_of_one_batch_carry_the_account_count_of_their_own_place() {
    let world = TestWorld::build().with_system(SystemSpec::verify(100, 10)).start().await;
    let held = world.hold_writer().await;
    let started: Vec<_> =
        questions(&world, 10).into_iter().map(|(c, q)| world.start(c, q)).collect();
    held.release().await;
    for task in started {
        assert_eq!(reason(&task.await.unwrap()), None);
    }
    let features: Vec<_> = world.entries().iter().skip(1).map(|e| query_of(e).features).collect();
    let left: Vec<_> = features.iter().map(|f| f.line_left).collect();
    assert_eq!(left, (90..100).rev().collect::<Vec<_>>());
    let used: Vec<_> = features.iter().map(|f| f.account_used).collect();
    assert_eq!(used, (1..=10).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn journaled_time_does_not_go_back() {
    // A system for each question: pace (D7) reads the arrivals of an account and would refuse.
    let builder = (0..6).fold(TestWorld::build(), |b, _| b.with_system(SystemSpec::default()));
    let mut world = builder.start().await;
    let start = world.now();
    for (minutes, system) in [0, 30, -30, 10, -60 * 24 * 40, 31].into_iter().zip(1..) {
        world.set_clock(start.plus_ms(minutes * MINUTE_MS));
        let reply = world.ask_verify(&TestSystem(system).plan(), &world.people[0]).await;
        assert_eq!(reason(&reply), None, "{minutes}");
    }
    world.set_clock(start.plus_ms(-MINUTE_MS));
    world.reopen();
    world.ask_verify(&SYSTEM.plan(), &world.people[0]).await;
    let entries = world.entries();
    let minute = |ms: i64| (ms - start.0) / MINUTE_MS;
    let at: Vec<_> = entries.iter().skip(1).map(|e| minute(e.at)).collect();
    assert_eq!(at, [0, 30, 30, 30, 30, 31, 31]);
    let arrivals: Vec<_> = entries.iter().skip(1).map(|e| minute(e.arrival)).collect();
    assert_eq!(arrivals, [0, 30, -30, 10, -57_600, 31, -1]);
    assert!(entries.iter().skip(1).all(|e| query_of(e).decision == Decision::Accepted));
    assert!(world.store().last_at() >= start.plus_ms(31 * MINUTE_MS));
}
