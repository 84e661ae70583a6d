//! Whom an entry is about, and by what it is found.

use std::path::Path;

use dancu_domain::ids::SubjectId;
use dancu_domain::person::Person;
use dancu_domain::service::{Service, Window};
use dancu_gate::query::{Answer, Ask};
use dancu_journal::{Decision, Entry};
use dancu_store::SearchBy;
use dancu_store::engine::Engine;

use crate::support::*;

const SYSTEM: TestSystem = TestSystem(1);
const OTHER: TestSystem = TestSystem(2);

async fn world() -> TestWorld {
    TestWorld::build()
        .with_system(SystemSpec::default())
        .with_system(SystemSpec::default())
        .start()
        .await
}

fn personal(person: &Person) -> SubjectId {
    SubjectId::Personal(person.personal_id)
}

fn indexes(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|e| e.index).collect()
}

fn about(world: &TestWorld, id: SubjectId) -> Vec<u64> {
    indexes(&world.store().entries_about(id, 1_000).unwrap())
}

/// Runs a check on the tail, on the runs, after a restart and on a rebuilt search.
async fn everywhere(world: &mut TestWorld, check: impl Fn(&TestWorld, &str)) {
    check(world, "tail");
    let store = world.store().clone();
    let written = || std::future::ready(store.tail_items().unwrap() == 0);
    until("the indexer writes a run", written).await;
    drop(store);
    check(world, "runs");
    world.reopen();
    check(world, "restart");
    let shared = (crate::ENGINE == Engine::Postgres).then(|| world.search());
    world.reopen_after(|dir| match shared {
        None => remove_search(dir),
        Some(mut db) => {
            let sql = "DELETE FROM run_chunk; DELETE FROM run; DELETE FROM run_origin";
            db.tx().batch(sql).unwrap();
        }
    });
    check(world, "rebuilt");
    let store = world.store().clone();
    let written = || std::future::ready(store.tail_items().unwrap() == 0);
    until("the indexer writes a run", written).await;
    drop(store);
    check(world, "runs of the rebuilt");
}

fn remove_search(dir: &Path) {
    for file in ["search.db", "search.db-wal", "search.db-shm"] {
        let _ = std::fs::remove_file(dir.join(file));
    }
    assert!(!dir.join("search.db").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_f3_a_question_by_old_id_names_the_person_found() {
    let mut world = world().await;
    let person = world.with_old_id().clone();
    let old = person.old_ids[0];
    let query = world.query(&SYSTEM.plan(), by_old_id(&person, old), Ask::Verify(vec![]));
    let reply = world.ask(&SYSTEM.plan(), &query).await;
    assert!(matches!(reply.result, Ok(Answer::Match { .. })));
    let entry = world.last_query();
    let delivered: Vec<_> = entry.subjects.iter().map(|s| s.delivered).collect();
    assert_eq!(delivered, [false, true], "asked by old id, told about the person");
    everywhere(&mut world, |world, stage| {
        let expected = [reply.journal_index.unwrap()];
        assert_eq!(about(world, personal(&person)), expected, "{stage}");
        assert_eq!(about(world, SubjectId::Old(old)), expected, "{stage}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_f3_a_household_names_all_its_members() {
    let mut world = world().await;
    let household = world.households.iter().max_by_key(|h| h.members.len()).unwrap().clone();
    assert!(household.members.len() >= 4);
    let asked = world.by_id(household.members[1].0).clone();
    let query = world.query(&SYSTEM.plan(), by_personal_id(&asked), Ask::Household);
    let reply = world.ask(&SYSTEM.plan(), &query).await;
    let Ok(Answer::Household { household: Some(shown), .. }) = &reply.result else {
        panic!("{reply:?}")
    };
    let ids: Vec<_> = household.members.iter().map(|(id, _)| Some(*id)).collect();
    assert_eq!(
        shown.members.iter().map(dancu_gate::query::Disclosed::personal_id).collect::<Vec<_>>(),
        ids
    );
    let entry = world.last_query();
    assert_eq!(entry.subjects.len(), household.members.len());
    assert!(entry.subjects.iter().all(|s| s.delivered));
    assert_eq!(entry.counted, 1, "a household is one query (D2)");
    everywhere(&mut world, |world, stage| {
        for (id, _) in &household.members {
            let found = about(world, SubjectId::Personal(*id));
            assert_eq!(found, [reply.journal_index.unwrap()], "{stage}");
        }
    })
    .await;
}

/// Late: the household was read, and dropped because the line had filled up meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_refusal_names_only_the_id_asked() {
    let spec =
        SystemSpec { lines: vec![(Service::HouseholdLookup, 1, 1)], ..SystemSpec::default() };
    let mut world = TestWorld::build().with_system(spec).start().await;
    let account = SYSTEM.plan();
    let household = world.households.iter().max_by_key(|h| h.members.len()).unwrap().clone();
    let asked = world.by_id(household.members[0].0).clone();
    let ask = |world: &TestWorld| world.query(&account, by_personal_id(&asked), Ask::Household);
    let held = world.hold_writer().await;
    let started: Vec<_> =
        (0..2).map(|_| world.start(world.caller(&account), ask(&world))).collect();
    held.release().await;
    for task in started {
        task.await.unwrap();
    }
    let entries = world.entries();
    let (accepted, refused) = (query_of(&entries[1]), query_of(&entries[2]));
    assert_eq!((accepted.decision, refused.decision), (Decision::Accepted, Decision::Refused));
    assert_eq!(refused.subjects.len(), 1);
    assert!(!refused.subjects[0].delivered);
    everywhere(&mut world, |world, stage| {
        assert_eq!(about(world, personal(&asked)), [1, 2], "{stage}");
        for (id, _) in &household.members[1..] {
            assert_eq!(about(world, SubjectId::Personal(*id)), [1], "{stage}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_are_found_by_person_account_case_and_system() {
    let mut world = world().await;
    let people: Vec<_> = world.people[..5].to_vec();
    let accounts = [SYSTEM.plan(), SYSTEM.officer(), OTHER.plan()];
    let mut cases = vec![];
    for i in 0..60 {
        let account = &accounts[i % 3];
        let mut query = world.verify(account, &people[i % 5]);
        if i % 2 == 0 {
            query.case = None;
        }
        cases.push(query.case.clone());
        world.set_clock(world.now().plus_ms(3_000));
        assert_eq!(reason(&world.ask(account, &query).await), None);
    }
    // Entry 0 is the registration; question i stands at i + 1.
    let wanted = |fits: &dyn Fn(usize) -> bool| -> Vec<u64> {
        (0..60).filter(|i| fits(*i)).map(|i| i as u64 + 1).collect()
    };
    everywhere(&mut world, |world, stage| {
        let store = world.store();
        for (n, person) in people.iter().enumerate() {
            assert_eq!(about(world, personal(person)), wanted(&|i| i % 5 == n), "{stage}");
        }
        for (n, account) in accounts.iter().enumerate() {
            let found = store.entries_by(&SearchBy::Account(account.id.0), 0, 1_000).unwrap();
            assert_eq!(indexes(&found), wanted(&|i| i % 3 == n), "{stage}");
        }
        for (n, case) in cases.iter().enumerate() {
            let Some(case) = case else { continue };
            let found = store.entries_by(&SearchBy::Case(case.as_str()), 0, 10).unwrap();
            assert_eq!(indexes(&found), [n as u64 + 1], "{stage}");
        }
        let own = wanted(&|i| i % 3 != 2);
        assert_eq!(paged(world, SYSTEM, 7), own, "{stage}");
        assert_eq!(paged(world, OTHER, 1), wanted(&|i| i % 3 == 2), "{stage}");
        let few = store.entries_about(personal(&people[0]), 3).unwrap();
        assert_eq!(indexes(&few), wanted(&|i| i % 5 == 0)[..3], "{stage}");
        assert!(about(world, world.nobody(&people[0]).id).is_empty(), "{stage}");
    })
    .await;
}

/// All entries of a system, read page by page.
fn paged(world: &TestWorld, system: TestSystem, page: usize) -> Vec<u64> {
    let (mut all, mut from) = (vec![], 0);
    loop {
        let entries = world.store().entries_of_system(system.0, from, page).unwrap();
        let Some(last) = entries.last() else { return all };
        from = last.index + 1;
        all.extend(indexes(&entries));
    }
}

/// What is journaled while the indexer writes and merges runs is found all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_are_found_while_runs_are_written() {
    let world = world().await;
    let account = SYSTEM.plan();
    let person = &world.people[0];
    for n in 1..=120usize {
        world.ask_verify(&account, person).await;
        let found = about(&world, personal(person));
        assert_eq!(found.len(), n, "an entry was missing or twice");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(world.store().tail_items().unwrap() < 120 * 4, "no run was written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_of_every_year_are_found() {
    let mut world = world().await;
    let account = SYSTEM.plan();
    let person = world.people[0].clone();
    let moments = [
        "2026-12-31T23:59:59.999+07:00",
        "2027-01-01T00:00:00+07:00",
        "2026-12-31T23:59:59.999+07:00",
        "2028-01-01T00:00:00+07:00",
        "2028-06-01T10:00:00+07:00",
    ];
    let mut expected = vec![];
    for moment in moments {
        let query = world.verify(&account, &person);
        let reply = world.ask_at(&account, &query, at(moment)).await;
        assert_eq!(reason(&reply), None, "{moment}");
        expected.push(reply.journal_index.unwrap());
    }
    let entries = world.entries();
    let subjects: Vec<_> =
        expected.iter().map(|i| query_of(&entries[*i as usize]).subjects[0]).collect();
    let years: Vec<_> = subjects.iter().map(|s| s.epoch).collect();
    assert_eq!(years, [2026, 2027, 2026, 2028, 2028]);
    assert_ne!(subjects[0].pseudonym, subjects[1].pseudonym);
    assert_eq!(subjects[0].pseudonym, subjects[2].pseudonym);
    world.set_clock(at("2028-06-01T11:00:00+07:00"));
    everywhere(&mut world, |world, stage| {
        assert_eq!(about(world, personal(&person)), expected, "{stage}");
        let found = world.store().entries_by(&SearchBy::Account(account.id.0), 0, 100).unwrap();
        assert_eq!(indexes(&found), expected, "{stage}");
        let used = world.lines(|l| {
            let duty = world.store().profiles().at(at(moments[0])).hours.duty(at(moments[0]));
            let line = SYSTEM.line(Service::CitizenVerify, Window::OffHours);
            l.line_day(line, duty.day).used
        });
        // Counts of two years ago have left the memory.
        assert_eq!(used, 0, "{stage}");
    })
    .await;
}

/// An older core.db is put back, and the folder goes on from there with other questions: the runs
/// of the newer one tell of entries that are no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_of_another_history_is_made_anew() {
    if crate::ENGINE != Engine::Sqlite {
        // Journal and runs are one database there: none of them is put back without the other.
        return;
    }
    let mut world = world().await;
    let person = world.people[0].clone();
    world.ask_verify(&SYSTEM.plan(), &person).await;
    let (core, saved) = ("core.db", "core.saved");
    world.reopen_after(|dir| copy(dir, core, saved));
    for _ in 0..20 {
        world.ask_verify(&SYSTEM.plan(), &person).await;
    }
    // Once behind what the search knows, and once past it.
    for (asked, known) in [(5, 6), (30, 31)] {
        world.reopen_after(|dir| {
            copy(dir, saved, core);
            // With its anchor beside it an older file is not opened at all.
            let _ = std::fs::remove_file(dir.join(dancu_store::anchor::ANCHOR_FILE));
        });
        for i in 0..asked {
            let account = if i % 2 == 0 { OTHER.plan() } else { SYSTEM.plan() };
            world.ask_verify(&account, &person).await;
        }
        assert_eq!(world.entries().len(), known + 1);
        let other: Vec<u64> = (0..asked).filter(|i| i % 2 == 0).map(|i| i + 2).collect();
        let own: Vec<u64> =
            std::iter::once(1).chain((0..asked).filter(|i| i % 2 == 1).map(|i| i + 2)).collect();
        for stage in ["at once", "after a restart"] {
            assert_eq!(paged(&world, OTHER, 4), other, "{stage}");
            assert_eq!(paged(&world, SYSTEM, 4), own, "{stage}");
            assert_eq!(about(&world, personal(&person)).len(), known, "{stage}");
            world.reopen();
        }
    }
}

fn copy(dir: &Path, from: &str, to: &str) {
    std::fs::copy(dir.join(from), dir.join(to)).unwrap();
}
