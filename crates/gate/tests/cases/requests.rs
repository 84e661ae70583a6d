//! Request ids: one id, one body, counted once, for 24 hours.

use dancu_domain::moment::{DAY_MS, HOUR_MS};
use dancu_domain::refusal::Reason;
use dancu_domain::registration::{ConnectionState, RequestIdMode};
use dancu_domain::service::{Service, Window};
use dancu_gate::query::Answer;
use dancu_journal::Decision;

use crate::support::*;

const SYSTEM: TestSystem = TestSystem(1);

fn line() -> dancu_domain::ids::LineId {
    SYSTEM.line(Service::CitizenVerify, Window::InHours)
}

async fn world(spec: SystemSpec) -> TestWorld {
    TestWorld::build().with_system(spec).start().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answered_question_is_answered_again_and_not_counted() {
    let world = world(SystemSpec::verify(10, 10)).await;
    let account = SYSTEM.officer();
    let query = world.verify(&account, &world.people[0]);
    let first = world.ask(&account, &query).await;
    let again = world.ask(&account, &query).await;
    for reply in [&first, &again] {
        assert!(matches!(reply.result, Ok(Answer::Match { .. })), "{reply:?}");
        assert_eq!(reply.usage.unwrap().remaining, 9);
    }
    assert_ne!(first.correlation, again.correlation);
    assert_eq!(again.journal_index, Some(first.journal_index.unwrap() + 1));
    let entry = world.last_query();
    assert_eq!((entry.decision, entry.counted), (Decision::Repeat, 0));
    assert!(entry.subjects[0].delivered);
    assert_eq!(world.used(line()), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_body_under_an_answered_id_is_a_conflict() {
    let world = world(SystemSpec::verify(10, 10)).await;
    let account = SYSTEM.officer();
    let query = world.verify(&account, &world.people[0]);
    world.ask(&account, &query).await;
    let mut other = world.verify(&account, &world.people[1]);
    other.request_id = query.request_id.clone();
    let refused = world.ask(&account, &other).await;
    assert_eq!(reason(&refused), Some(Reason::RequestIdConflict));
    let entry = world.last_query();
    assert_eq!((entry.decision, entry.counted), (Decision::Refused, 0));
    assert_eq!(entry.account, account.id.0, "a conflict names the account");
    // The conflict does not take the id over.
    assert_eq!(reason(&world.ask(&account, &query).await), None);
    assert_eq!(world.last_query().decision, Decision::Repeat);
    assert_eq!(world.used(line()), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_is_unique_within_its_system_only() {
    let world = TestWorld::build()
        .with_system(SystemSpec::verify(10, 10))
        .with_system(SystemSpec::verify(10, 10))
        .start()
        .await;
    let query = world.verify(&SYSTEM.officer(), &world.people[0]);
    world.ask(&SYSTEM.officer(), &query).await;
    let other = TestSystem(2).officer();
    let mut same_id = world.verify(&other, &world.people[1]);
    same_id.request_id = query.request_id.clone();
    assert_eq!(reason(&world.ask(&other, &same_id).await), None);
    assert_eq!(world.last_query().decision, Decision::Accepted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_question_is_decided_as_new() {
    let world = world(SystemSpec::verify(1, 10)).await;
    let account = SYSTEM.officer();
    world.ask_verify(&account, &world.people[0]).await;
    let query = world.verify(&account, &world.people[1]);
    assert_eq!(reason(&world.ask(&account, &query).await), Some(Reason::LineUsedUp));
    // The same id with another body: nothing was answered, so nothing conflicts.
    let mut other = world.verify(&account, &world.people[2]);
    other.request_id = query.request_id.clone();
    assert_eq!(reason(&world.ask(&account, &other).await), Some(Reason::LineUsedUp));
    world.set_clock(at("2026-03-03T07:00:00+07:00"));
    assert_eq!(reason(&world.ask(&account, &query).await), None);
    let entry = world.last_query();
    assert_eq!((entry.decision, entry.counted), (Decision::Accepted, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_in_flight_with_one_id_exactly_one_counts() {
    let world = world(SystemSpec::verify(1_000, 10)).await;
    let account = SYSTEM.plan();
    for round in 0..20 {
        let query = world.verify(&account, &world.people[round]);
        let questions = (0..8).map(|_| (world.caller(&account), query.clone())).collect();
        let replies = world.ask_all(questions).await;
        assert!(replies.iter().all(|r| reason(r).is_none()));
    }
    assert_eq!(world.used(line()), 20);
    let decisions: Vec<_> = world.entries().iter().skip(1).map(|e| query_of(e).decision).collect();
    assert_eq!(decisions.iter().filter(|d| **d == Decision::Accepted).count(), 20);
    assert_eq!(decisions.iter().filter(|d| **d == Decision::Repeat).count(), 140);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_in_flight_with_two_bodies_one_conflicts() {
    let world = world(SystemSpec::verify(1_000, 10)).await;
    let account = SYSTEM.plan();
    for round in 0..20 {
        let one = world.verify(&account, &world.people[round]);
        let mut other = world.verify(&account, &world.people[round + 1]);
        other.request_id = one.request_id.clone();
        let callers = [world.caller(&account), world.caller(&account)];
        let replies = world.ask_all(callers.into_iter().zip([one, other]).collect()).await;
        let mut reasons: Vec<_> = replies.iter().map(reason).collect();
        reasons.sort_by_key(Option::is_some);
        assert_eq!(reasons, [None, Some(Reason::RequestIdConflict)]);
    }
    assert_eq!(world.used(line()), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_is_remembered_over_a_restart() {
    let mut world = world(SystemSpec::verify(10, 10)).await;
    let account = SYSTEM.officer();
    let query = world.verify(&account, &world.people[0]);
    world.ask(&account, &query).await;
    world.reopen();
    assert_eq!(reason(&world.ask(&account, &query).await), None);
    assert_eq!(world.last_query().decision, Decision::Repeat);
    let mut other = world.verify(&account, &world.people[1]);
    other.request_id = query.request_id.clone();
    let refused = world.ask(&account, &other).await;
    assert_eq!(reason(&refused), Some(Reason::RequestIdConflict));
    assert_eq!(world.used(line()), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_is_forgotten_after_24_hours_of_the_products_clock() {
    for restart in [false, true] {
        let mut world = world(SystemSpec::verify(10, 10)).await;
        let account = SYSTEM.officer();
        let query = world.verify(&account, &world.people[0]);
        let start = world.now();
        world.ask(&account, &query).await;
        world.set_clock(start.plus_ms(DAY_MS - 1));
        if restart {
            world.reopen();
        }
        world.ask(&account, &query).await;
        assert_eq!(world.last_query().decision, Decision::Repeat, "the last moment");
        // A repeat does not lengthen the memory.
        world.set_clock(start.plus_ms(DAY_MS));
        if restart {
            world.reopen();
        }
        world.ask(&account, &query).await;
        assert_eq!(world.last_query().decision, Decision::Accepted, "a day later");
        // It is remembered anew from here on.
        world.set_clock(start.plus_ms(DAY_MS + HOUR_MS));
        world.ask(&account, &query).await;
        assert_eq!(world.last_query().decision, Decision::Repeat);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forgetting_drops_what_is_old_and_nothing_else() {
    let world = world(SystemSpec::verify(100, 100)).await;
    let account = SYSTEM.plan();
    let start = world.now();
    let old = world.verify(&account, &world.people[0]);
    world.ask(&account, &old).await;
    world.set_clock(start.plus_ms(HOUR_MS));
    let young = world.verify(&account, &world.people[1]);
    world.ask(&account, &young).await;
    world.set_clock(start.plus_ms(DAY_MS + 1));
    assert_eq!(world.store().forget_old(world.now()).await.unwrap(), 1);
    assert_eq!(world.store().requests().len(), 1);
    world.ask(&account, &young).await;
    assert_eq!(world.last_query().decision, Decision::Repeat);
    world.ask(&account, &old).await;
    assert_eq!(world.last_query().decision, Decision::Accepted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lenient_registration_reads_an_id_with_its_body() {
    let spec = SystemSpec { request_ids: RequestIdMode::Lenient, ..SystemSpec::verify(10, 10) };
    let mut world = world(spec).await;
    let account = SYSTEM.officer();
    let one = world.verify(&account, &world.people[0]);
    let mut other = world.verify(&account, &world.people[1]);
    other.request_id = one.request_id.clone();
    let mut decisions = vec![];
    for query in [&one, &other, &one] {
        assert_eq!(reason(&world.ask(&account, query).await), None);
        decisions.push(world.last_query().decision);
    }
    world.reopen();
    world.ask(&account, &other).await;
    decisions.push(world.last_query().decision);
    let (new, repeat) = (Decision::Accepted, Decision::Repeat);
    assert_eq!(decisions, [new, new, repeat, repeat]);
    assert_eq!(world.used(line()), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_is_answered_on_a_full_line_and_refused_on_a_locked_one() {
    let world = TestWorld::build()
        .profile("reading = \"twoEpisodes\"", "reading = \"everyRefusal\"")
        .with_system(SystemSpec::verify(1, 10))
        .start()
        .await;
    let account = SYSTEM.officer();
    let query = world.verify(&account, &world.people[0]);
    world.ask(&account, &query).await;
    let over = world.ask_verify(&account, &world.people[1]).await;
    assert_eq!(reason(&over), Some(Reason::LineUsedUp));
    assert_eq!(reason(&world.ask(&account, &query).await), None);
    let locks = world.ask_verify(&account, &world.people[1]).await;
    assert_eq!(reason(&locks), Some(Reason::LineUsedUp));
    assert_eq!(world.last_query().event, 2);
    assert_eq!(reason(&world.ask(&account, &query).await), Some(Reason::LineLocked));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_is_decided_under_the_policy_of_today() {
    let world = world(SystemSpec::verify(10, 10)).await;
    let account = SYSTEM.officer();
    let query = world.verify(&account, &world.people[0]);
    world.ask(&account, &query).await;
    world
        .act("system.suspended", |db, _| db.set_system_state(SYSTEM, ConnectionState::Suspended))
        .await;
    let refused = world.ask(&account, &query).await;
    assert_eq!(reason(&refused), Some(Reason::ConnectionNotLive));
}

/// A client that gives up while the disk is slow and asks again: the first question is journaled
/// and counted although nobody waits for it, and the second must see it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_whose_caller_left_is_still_in_flight() {
    let world = world(SystemSpec::verify(10, 10)).await;
    let account = SYSTEM.plan();
    let query = world.verify(&account, &world.people[0]);
    let held = world.hold_writer().await;
    let first = world.start(world.caller(&account), query.clone());
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let second = world.start(world.caller(&account), query.clone());
    held.release().await;
    assert_eq!(reason(&second.await.unwrap()), None);
    assert_eq!(world.used(line()), 1, "one id was counted twice");
}
