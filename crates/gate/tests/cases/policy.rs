//! Changes of policy: in force for every entry after their own, whatever is under way.

use dancu_domain::moment::{DAY_MS, HOUR_MS, MINUTE_MS};
use dancu_domain::refusal::Reason;
use dancu_domain::registration::{AccountState, Channel, ConnectionState, Raise};
use dancu_domain::service::{Service, Window};
use dancu_gate::Caller;
use dancu_gate::path::Protocol;
use dancu_journal::{Body, Decision};

use crate::support::*;

const SYSTEM: TestSystem = TestSystem(1);

fn line() -> dancu_domain::ids::LineId {
    SYSTEM.line(Service::CitizenVerify, Window::InHours)
}

/// Asks 200 questions, acts in the middle, and returns the act's index and the accepted entries
/// after it.
async fn under_load(
    world: &TestWorld,
    act: impl AsyncFnOnce() -> u64,
    fits: impl Fn(&dancu_journal::Query) -> bool,
) -> (u64, Vec<u64>) {
    let account = SYSTEM.plan();
    let ask = |i: usize| {
        world.start(
            world.caller(&account),
            world.verify(&account, &world.people[i % world.people.len()]),
        )
    };
    let mut started: Vec<_> = (0..100).map(ask).collect();
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    let acted = act().await;
    started.extend((100..200).map(ask));
    for task in started {
        let told = reason(&task.await.unwrap());
        assert_ne!(told, Some(Reason::CannotJournal));
    }
    let after = world
        .entries()
        .iter()
        .filter(|e| e.index > acted)
        .filter(|e| match &e.body {
            Body::Query(q) => q.decision != Decision::Refused && fits(q),
            _ => false,
        })
        .map(|e| e.index)
        .collect();
    (acted, after)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspension_binds_every_entry_after_it() {
    for _ in 0..5 {
        let world = TestWorld::build().with_system(SystemSpec::verify(1_000, 10)).start().await;
        let suspend = async || {
            world
                .act("system.suspended", |db, _| {
                    db.set_system_state(SYSTEM, ConnectionState::Suspended)
                })
                .await
        };
        let (acted, after) = under_load(&world, suspend, |q| q.system == SYSTEM.0).await;
        assert!(after.is_empty(), "accepted after the suspension at {acted}: {after:?}");
        let reply = world.ask_verify(&SYSTEM.officer(), &world.people[0]).await;
        assert_eq!(reason(&reply), Some(Reason::ConnectionNotLive));
    }
}

/// B3: what is not live answers nothing, whichever way it comes in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b3_what_is_not_live_answers_on_no_channel() {
    let states = [
        ConnectionState::Preparing,
        ConnectionState::Suspended,
        ConnectionState::Locked,
        ConnectionState::Closed,
    ];
    let build = states.into_iter().fold(TestWorld::build(), |build, state| {
        build.with_system(SystemSpec { state, ..SystemSpec::verify(1_000, 10) })
    });
    let world = build.start().await;
    for number in 1..=4 {
        let account = TestSystem(number).officer();
        for protocol in [Protocol::Soap, Protocol::Rest, Protocol::ProvincialJson] {
            for channel in [Channel::Api, Channel::Portal, Channel::OneStop, Channel::Sms] {
                let caller = Caller { protocol, channel, ..world.caller(&account) };
                let query = world.verify(&account, &world.people[0]);
                let told = reason(&world.gate().ask(&caller, &query).await);
                assert_eq!(told, Some(Reason::ConnectionNotLive), "{number} {channel:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e3_a_revoked_account_binds_every_entry_after_it() {
    let world = TestWorld::build().with_system(SystemSpec::verify(1_000, 10)).start().await;
    let account = SYSTEM.plan().id;
    let revoke = async || {
        world
            .act("account.revoked", move |db, _| {
                db.set_account_state(account, AccountState::Revoked)
            })
            .await
    };
    let (acted, after) = under_load(&world, revoke, |q| q.account == account.0).await;
    assert!(after.is_empty(), "accepted after the revocation at {acted}: {after:?}");
    // The connection itself goes on.
    assert_eq!(reason(&world.ask_verify(&SYSTEM.officer(), &world.people[0]).await), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_few_acts_do_not_starve_a_question() {
    acts_between_questions(5).await;
}

/// For example an operator who suspends the unconfirmed accounts of a review (B9), one by one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_acts_do_not_starve_a_question() {
    acts_between_questions(30).await;
}

async fn acts_between_questions(acts: usize) {
    let world = TestWorld::build().with_system(SystemSpec::verify(1_000, 10)).start().await;
    let account = SYSTEM.plan();
    let officer = SYSTEM.officer().id;
    let mut started = vec![];
    for round in 0..acts {
        let questions = (0..5).map(|i| {
            world.start(world.caller(&account), world.verify(&account, &world.people[round + i]))
        });
        started.extend(questions);
        let state = if round % 2 == 0 { AccountState::Suspended } else { AccountState::Live };
        world.act("account.state", move |db, _| db.set_account_state(officer, state)).await;
    }
    for task in started {
        assert_eq!(reason(&task.await.unwrap()), None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_name_the_epoch_that_decided_them() {
    let mut world = TestWorld::build().with_system(SystemSpec::verify(10, 10)).start().await;
    world.ask_verify(&SYSTEM.officer(), &world.people[0]).await;
    world
        .act("account.revoked", |db, _| {
            db.set_account_state(SYSTEM.system_account().id, AccountState::Suspended)
        })
        .await;
    world.ask_verify(&SYSTEM.officer(), &world.people[1]).await;
    world.reopen();
    world.ask_verify(&SYSTEM.officer(), &world.people[2]).await;
    let epochs: Vec<_> = world.entries().iter().map(|e| e.epoch).collect();
    assert_eq!(epochs, [1, 1, 2, 2, 2]);
}

async fn raise(world: &TestWorld, extra: u32, from_ms: i64, to_ms: i64) -> u64 {
    let now = world.now();
    let raise =
        Raise { extra, approved_at: now, from: now.plus_ms(from_ms), to: now.plus_ms(to_ms) };
    world.act("line.raised", move |db, counts| db.raise(counts, line(), raise)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d8_a_raise_is_in_force_at_once_and_ends_by_itself() {
    let mut world = TestWorld::build().with_system(SystemSpec::verify(2, 10)).start().await;
    let account = SYSTEM.plan();
    let start = world.now();
    let person = world.people[0].clone();
    for _ in 0..2 {
        assert_eq!(reason(&world.ask_verify(&account, &person).await), None);
    }
    let over = world.ask_verify(&account, &person).await;
    assert_eq!(reason(&over), Some(Reason::LineUsedUp));
    raise(&world, 3, 0, HOUR_MS).await;
    let first = world.ask_verify(&account, &person).await;
    assert_eq!((reason(&first), first.usage.unwrap().remaining), (None, 2));
    world.reopen();
    assert_eq!(reason(&world.ask_verify(&account, &person).await), None);
    // The hour is over: four were used of a count of two again.
    world.set_clock(start.plus_ms(HOUR_MS));
    let ended = world.ask_verify(&account, &person).await;
    assert_eq!(reason(&ended), Some(Reason::LineUsedUp));
    assert_eq!(ended.usage.unwrap().remaining, 0);
    world.set_clock(start.plus_ms(DAY_MS));
    let next_day = world.ask_verify(&account, &person).await;
    assert_eq!(next_day.usage.unwrap().remaining, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d8_a_raise_of_tomorrow_is_not_in_force_today() {
    let world = TestWorld::build().with_system(SystemSpec::verify(1, 10)).start().await;
    let account = SYSTEM.plan();
    raise(&world, 1, DAY_MS, 2 * DAY_MS).await;
    world.ask_verify(&account, &world.people[0]).await;
    let over = world.ask_verify(&account, &world.people[1]).await;
    assert_eq!(reason(&over), Some(Reason::LineUsedUp));
    world.set_clock(world.now().plus_ms(DAY_MS));
    let tomorrow = world.ask_verify(&account, &world.people[1]).await;
    assert_eq!(tomorrow.usage.unwrap().remaining, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d3_a_raised_line_that_runs_out_again_is_locked_and_a_raise_ends_the_lock() {
    let mut world = TestWorld::build().with_system(SystemSpec::verify(1, 10)).start().await;
    let account = SYSTEM.plan();
    let start = world.now();
    let ask = async |world: &TestWorld, minutes: i64| {
        world.set_clock(start.plus_ms(minutes * MINUTE_MS));
        let reply = world.ask_verify(&account, &world.people[minutes as usize]).await;
        (reason(&reply), world.last_query().event)
    };
    assert_eq!(ask(&world, 0).await, (None, 0));
    assert_eq!(ask(&world, 1).await, (Some(Reason::LineUsedUp), 1));
    world.set_clock(start.plus_ms(2 * MINUTE_MS));
    raise(&world, 1, 0, 6 * HOUR_MS).await;
    assert_eq!(ask(&world, 3).await, (None, 0));
    assert_eq!(ask(&world, 4).await, (Some(Reason::LineUsedUp), 2));
    assert_eq!(ask(&world, 5).await, (Some(Reason::LineLocked), 0));
    world.reopen();
    assert_eq!(ask(&world, 6).await, (Some(Reason::LineLocked), 0));
    world.set_clock(start.plus_ms(7 * MINUTE_MS));
    raise(&world, 2, 0, 6 * HOUR_MS).await;
    assert_eq!(ask(&world, 8).await, (None, 0));
    world.reopen();
    assert_eq!(ask(&world, 9).await, (None, 0));
    assert!(world.lines(|l| l.lock(line())).is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d3_a_lock_ends_at_seven() {
    let mut world = TestWorld::build()
        .profile("reading = \"twoEpisodes\"", "reading = \"everyRefusal\"")
        .with_system(SystemSpec::verify(1, 10))
        .start()
        .await;
    let account = SYSTEM.plan();
    let mut reasons = vec![];
    for i in 0..4 {
        reasons.push(reason(&world.ask_verify(&account, &world.people[i]).await));
    }
    let (used_up, locked) = (Some(Reason::LineUsedUp), Some(Reason::LineLocked));
    assert_eq!(reasons, [None, used_up, used_up, locked]);
    // The lock is the line's, not the connection's: the off-hours line still answers.
    world.set_clock(at("2026-03-02T18:00:00+07:00"));
    assert_eq!(reason(&world.ask_verify(&account, &world.people[0]).await), None);
    world.reopen();
    world.set_clock(at("2026-03-03T07:00:00+07:00"));
    assert_eq!(reason(&world.ask_verify(&account, &world.people[0]).await), None);
}
