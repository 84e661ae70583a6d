//! What was told is in the journal, whatever ends meanwhile.

use std::collections::HashMap;
use std::sync::Arc;

use dancu_domain::ids::{CaseCode, OfficerRef};
use dancu_domain::refusal::Reason;
use dancu_gate::query::{FieldError, Reply, Unreadable};
use dancu_journal::{Body, Decision};
use dancu_store::SearchBy;

use crate::support::*;

const SYSTEM: TestSystem = TestSystem(1);

/// Each reply's entry stands where the reply says, and decides what it told.
fn hold_true(world: &TestWorld, replies: &[(String, Reply)]) {
    let entries = world.entries();
    let mut in_journal: HashMap<&str, u64> = HashMap::new();
    for entry in &entries {
        if let Body::Query(q) = &entry.body {
            in_journal.insert(&q.request_id, entry.index);
        }
    }
    for (id, reply) in replies {
        let Some(index) = reply.journal_index else {
            assert_eq!(reason(reply), Some(Reason::CannotJournal), "{id}");
            assert!(!in_journal.contains_key(id.as_str()), "{id} stands in the journal");
            continue;
        };
        let q = query_of(&entries[index as usize]);
        assert_eq!(&q.request_id, id);
        assert_eq!(q.decision == Decision::Accepted, reply.result.is_ok(), "{id}");
        assert_eq!(&reply.correlation.0[..8], index.to_be_bytes());
        assert_eq!(reply.correlation.0[8..], entries[index as usize].nonce);
    }
    let told = replies.iter().filter(|(_, r)| r.journal_index.is_some()).count();
    assert_eq!(in_journal.len(), told, "an entry was journaled and not told");
}

fn ask_many(world: &TestWorld, n: usize) -> Vec<(String, tokio::task::JoinHandle<Reply>)> {
    let account = SYSTEM.plan();
    (0..n)
        .map(|i| {
            let query = world.verify(&account, &world.people[i % world.people.len()]);
            (query.request_id.to_string(), world.start(world.caller(&account), query))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_f1_a_stop_under_load_loses_nothing_that_was_told() {
    for wait_ms in [0, 1, 3, 10, 30] {
        let mut world = TestWorld::build().with_system(SystemSpec::verify(600, 10)).start().await;
        let started = ask_many(&world, 1_000);
        tokio::time::sleep(std::time::Duration::from_millis(wait_ms)).await;
        let store = Arc::clone(world.store());
        tokio::task::spawn_blocking(move || store.stop()).await.unwrap();
        let mut replies = vec![];
        for (id, task) in started {
            replies.push((id, task.await.unwrap()));
        }
        hold_true(&world, &replies);
        world.reopen();
        hold_true(&world, &replies);
        let more = world.ask_verify(&SYSTEM.officer(), &world.people[0]).await;
        assert_ne!(reason(&more), Some(Reason::CannotJournal), "goes on after {wait_ms} ms");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_f1_failing_commits_under_load_tell_nothing_that_is_not_journaled() {
    let world = TestWorld::build().with_system(SystemSpec::verify(2_000, 10)).start().await;
    let mut replies = vec![];
    for _ in 0..4 {
        let started = ask_many(&world, 150);
        world.commits_fail().await;
        let during = ask_many(&world, 150);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        world.commits_work().await;
        for (id, task) in started.into_iter().chain(during) {
            replies.push((id, task.await.unwrap()));
        }
    }
    let failed = replies.iter().filter(|(_, r)| r.journal_index.is_none()).count();
    assert!(failed > 0, "no commit failed");
    // The last commit may have failed: one that works, so that the journal can be read again.
    let last = world.verify(&SYSTEM.officer(), &world.people[0]);
    let reply = world.ask(&SYSTEM.officer(), &last).await;
    assert_eq!(reason(&reply), None);
    replies.push((last.request_id.to_string(), reply));
    hold_true(&world, &replies);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_after_the_stop_is_not_answered() {
    let mut world = TestWorld::build().with_system(SystemSpec::verify(10, 10)).start().await;
    world.store().stop();
    let reply = world.ask_verify(&SYSTEM.plan(), &world.people[0]).await;
    assert_eq!((reason(&reply), reply.journal_index), (Some(Reason::CannotJournal), None));
    world.reopen();
    assert_eq!(world.entries().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_f1_a_question_that_could_not_be_read_is_journaled() {
    let world = TestWorld::build().with_system(SystemSpec::verify(10, 10)).start().await;
    let account = SYSTEM.officer();
    let unreadable = Unreadable {
        errors: vec![FieldError { field: "subject".into(), message_vi: "thiếu".into() }],
        officer: Some(OfficerRef::parse(&account.login).unwrap()),
        case: Some(CaseCode::parse("H26.001/77").unwrap()),
        ..Unreadable::default()
    };
    let reply = world.gate().refuse_unreadable(&world.caller(&account), &unreadable).await;
    assert_eq!(reason(&reply), Some(Reason::InvalidInput));
    assert_eq!(reply.result.unwrap_err().errors, unreadable.errors);
    let entry = world.last_query();
    assert_eq!((entry.decision, entry.service, entry.subjects.len()), (Decision::Refused, 255, 0));
    for found in [
        world.store().entries_by(&SearchBy::Account(account.id.0), 0, 10),
        world.store().entries_by(&SearchBy::Case("H26.001/77"), 0, 10),
    ] {
        assert_eq!(found.unwrap().iter().map(|e| e.index).collect::<Vec<_>>(), [1]);
    }
    let larger = Unreadable { reason: Some(Reason::TooLarge), ..unreadable };
    let again = world.gate().refuse_unreadable(&world.caller(&account), &larger).await;
    assert_eq!(reason(&again), Some(Reason::TooLarge));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_do_not_share_a_folder() {
    let world = TestWorld::build().with_system(SystemSpec::verify(10, 10)).start().await;
    let second = dancu_store::Store::open(world.dir(), world.options());
    assert!(matches!(second.err(), Some(dancu_store::Error::InUse(_))));
}
