//! Reading results is sharing: judged by what is registered now, journaled, cut to what is granted.

use dancu_domain::moment::DAY_MS;
use dancu_domain::person::{Sex, VitalStatus};
use dancu_domain::refusal::Reason;
use dancu_domain::registration::{AccountState, ConnectionState};
use dancu_domain::service::{Field, FieldSet, Service, Window};
use dancu_gate::jobs::NotRead;
use dancu_gate::jobs::types::*;
use dancu_gate::query::{Claim, ClaimValue};
use dancu_journal::{Act, Body};

use super::jobs::{acts, batches, drive, new_job, page, submit, submit_as};
use crate::support::*;

const SYSTEM: TestSystem = TestSystem(1);
const HERE: [u8; 16] = [1; 16];

/// Grants these fields to every system and no other, as an act of the operator.
pub(super) async fn grant(world: &TestWorld, fields: FieldSet) {
    change(world, format!("UPDATE service_grant SET fields = {}", fields.bits())).await;
}

/// A change of what is registered.
async fn change(world: &TestWorld, sql: String) {
    let act = world.store().ledger().act(world.now(), move |tx, _| {
        tx.batch(&sql)?;
        let (kind, actor) = ("test".into(), "thử nghiệm".into());
        Ok(Body::Act(Act { kind, actor, system: 1, detail: String::new() }))
    });
    act.await.unwrap();
}

/// Why a page of ten rows is refused; the refusal is journaled and tells nothing.
async fn refused(world: &TestWorld, id: JobId) -> Option<Reason> {
    let before = acts(world, "job.read");
    match page(world, id, 1, 10).await {
        Err(NotRead::Refused(reply)) => {
            let q = world.last_query();
            assert_eq!(reply.journal_index, Some(world.entries().last().unwrap().index));
            assert_eq!(Some(q.reason), reason(&reply).map(|r| r as u8));
            assert_eq!(acts(world, "job.read"), before, "nothing was read");
            reason(&reply)
        }
        other => panic!("{other:?}"),
    }
}

/// The details of every `job.read`.
fn reads(world: &TestWorld) -> Vec<String> {
    let all = world.entries();
    let acts = all.into_iter().filter_map(|e| match e.body {
        Body::Act(act) if act.kind == "job.read" => Some(act),
        _ => None,
    });
    acts.map(|act| {
        assert_eq!((act.actor.as_str(), act.system), ("SYSTEM1", 1));
        act.detail
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_f1_each_reading_of_results_is_journaled_before_it_is_told() {
    let world = TestWorld::build().with_system(batches(1_000, 10)).start().await;
    let id = submit(&world, 60).await;
    drive(&world, HERE).await;
    world.gate().job(SYSTEM.id(), id).unwrap();
    world.gate().job_bad_rows(SYSTEM.id(), id, 1, 10).unwrap();
    assert!(reads(&world).is_empty(), "what a system sees of its own affairs shares nothing");
    assert_eq!(page(&world, id, 11, 20).await.unwrap().results.len(), 20);
    let caller = world.caller(&SYSTEM.plan());
    let gate = world.gate();
    let reading = gate.read_results(&caller, id, (1, None), "csv", Some("canbo")).await.unwrap();
    for from in [1, 21, 41] {
        assert!(gate.results(&reading, world.now(), from, 20).unwrap().is_some());
    }
    let details = reads(&world);
    assert_eq!(details.len(), 2, "one for a page, one for a file, however many parts it has");
    let start = format!("{id} citizen.batchVerify: ");
    let told = "58 told so far";
    let page_of = format!("{start}page, from row 11 of 60, at most 20, {told}; from 127.0.0.1");
    assert_eq!(details[0], page_of);
    let csv = format!("{start}csv, from row 1 of 60, {told} by canbo; from 127.0.0.1");
    assert_eq!(details[1], csv);
    // What cannot be journaled is not told.
    world.commits_fail().await;
    assert!(matches!(page(&world, id, 1, 10).await, Err(NotRead::Failed(_))));
    world.commits_work().await;
    assert_eq!(reads(&world).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b3_e1_results_are_read_only_while_what_they_were_asked_by_is_in_force() {
    let world = TestWorld::build().with_system(batches(1_000, 10)).start().await;
    let id = submit(&world, 20).await;
    drive(&world, HERE).await;
    for state in [ConnectionState::Suspended, ConnectionState::Locked] {
        world.act("test", move |db, _| db.set_system_state(SYSTEM, state)).await;
        assert_eq!(refused(&world, id).await, Some(Reason::ConnectionNotLive));
    }
    world.act("test", |db, _| db.set_system_state(SYSTEM, ConnectionState::Live)).await;
    let account = SYSTEM.plan().id;
    for state in [AccountState::Suspended, AccountState::Locked] {
        world.act("test", move |db, _| db.set_account_state(account, state)).await;
        assert_eq!(refused(&world, id).await, Some(Reason::AccountUnknown));
    }
    world.act("test", move |db, _| db.set_account_state(account, AccountState::Live)).await;
    assert!(page(&world, id, 1, 10).await.is_ok());
    // A5: the procedure that they were asked for serves its purpose no more.
    change(&world, "UPDATE procedure SET valid_to = '2026-03-01'".to_owned()).await;
    assert_eq!(refused(&world, id).await, Some(Reason::ProcedureUnknown));
    change(&world, "UPDATE procedure SET valid_to = NULL".to_owned()).await;
    // What does not end by itself.
    let revoked = AccountState::Revoked;
    world.act("test", move |db, _| db.set_account_state(account, revoked)).await;
    assert_eq!(refused(&world, id).await, Some(Reason::AccountUnknown));
    world.act("test", |db, _| db.set_system_state(SYSTEM, ConnectionState::Closed)).await;
    assert_eq!(refused(&world, id).await, Some(Reason::ConnectionNotLive));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e3_an_act_in_the_midst_of_a_file_ends_it() {
    let world = TestWorld::build().with_system(batches(1_000, 10)).start().await;
    let id = submit(&world, 60).await;
    drive(&world, HERE).await;
    let (gate, caller) = (world.gate(), world.caller(&SYSTEM.plan()));
    let reading = gate.read_results(&caller, id, (1, None), "csv", None).await.unwrap();
    assert!(gate.results(&reading, world.now(), 1, 10).unwrap().is_some());
    let account = SYSTEM.plan().id;
    let locked = AccountState::Locked;
    world.act("test", move |db, _| db.set_account_state(account, locked)).await;
    gate.reload(world.now()).await.unwrap();
    assert!(gate.results(&reading, world.now(), 11, 10).is_err());
    world.act("test", move |db, _| db.set_account_state(account, AccountState::Live)).await;
    change(&world, "UPDATE system SET credential_version = 2".to_owned()).await;
    // Old credentials prove nothing any more; the failure is counted, not journaled one by one.
    match page(&world, id, 1, 10).await {
        Err(NotRead::Refused(reply)) => assert_eq!(reason(&reply), Some(Reason::CannotJournal)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d3_a_locked_connection_reads_no_results() {
    let mut spec = batches(5, 10);
    spec.lines.push((Service::CitizenLookup, 1, 1));
    let world = TestWorld::build()
        .profile("scope = \"line\"", "scope = \"connection\"")
        .profile("reading = \"twoEpisodes\"", "reading = \"everyRefusal\"")
        .with_system(spec)
        .start()
        .await;
    let id = submit(&world, 20).await;
    drive(&world, HERE).await;
    assert_eq!(page(&world, id, 1, 10).await.unwrap().results.len(), 5);
    // Another line of the system goes over its count until the connection is locked.
    let plan = SYSTEM.plan();
    for person in &world.people[..6] {
        let query = world.query(&plan, by_personal_id(person), dancu_gate::query::Ask::Lookup);
        world.ask(&plan, &query).await;
    }
    assert!(world.lines(|l| l.connection_lock(SYSTEM.id(), world.now())).is_some());
    assert_eq!(refused(&world, id).await, Some(Reason::ConnectionLocked));
    world.set_clock(world.now().plus_ms(DAY_MS));
    assert!(page(&world, id, 1, 10).await.is_ok(), "the lock ended with the duty day");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d3_no_results_are_read_on_a_locked_line() {
    let world = TestWorld::build()
        .profile("reading = \"twoEpisodes\"", "reading = \"everyRefusal\"")
        .with_system(batches(5, 10))
        .start()
        .await;
    let id = submit(&world, 20).await;
    drive(&world, HERE).await;
    assert_eq!(page(&world, id, 1, 10).await.unwrap().results.len(), 5, "used up is not locked");
    let plan = SYSTEM.plan();
    for person in &world.people[..4] {
        let mut query = world.verify(&plan, person);
        query.service = Service::CitizenBatchVerify;
        world.ask(&plan, &query).await;
    }
    let line = SYSTEM.line(Service::CitizenBatchVerify, Window::InHours);
    assert!(world.lines(|l| l.lock(line)).is_some_and(|lock| !lock.connection));
    assert_eq!(refused(&world, id).await, Some(Reason::LineLocked));
    // As for questions, the lock is the line's: the one of the other window is open.
    world.set_clock(at("2026-03-02T20:00:00+07:00"));
    assert!(page(&world, id, 1, 10).await.is_ok());
    world.set_clock(at("2026-03-03T07:00:00+07:00"));
    assert!(page(&world, id, 1, 10).await.is_ok(), "the lock ended with the duty day");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_a4_what_is_withdrawn_is_read_no_more() {
    let mut spec = batches(1_000, 10);
    spec.lines.push((Service::CitizenList, 1_000, 10));
    let world = TestWorld::build().with_system(spec).start().await;
    let person = world.person(|p| p.vital == VitalStatus::Alive);
    let claims = vec![
        Claim { field: Field::Sex, value: ClaimValue::Sex(person.sex) },
        Claim { field: Field::Religion, value: ClaimValue::Code(person.religion) },
    ];
    let row = ReadRow::Good(BatchItem { row: 1, subject: by_personal_id(person), claims });
    let plan = SYSTEM.plan();
    let Submitted::New(batch) = submit_as(&world, new_job(&plan, "LO-1"), vec![row]).await else {
        panic!()
    };
    let filter = ListFilter { sex: Some(Sex::Female), ..ListFilter::default() };
    let head = new_job(&plan, "DS-1").head;
    let new = NewJob { kind: JobKind::List(filter), head, digest: [1; 16] };
    let list = world.gate().submit_list(&world.caller(&plan), new).await;
    let Submitted::New(list) = list else { panic!("{list:?}") };
    drive(&world, HERE).await;
    let verified = async || match page(&world, batch.id, 1, 1).await.unwrap().results.remove(0) {
        ItemResult { outcome: ItemOutcome::Match { alive, claims, .. }, .. } => {
            (alive.is_some(), claims.iter().map(|(field, _)| *field).collect::<Vec<_>>())
        }
        other => panic!("{other:?}"),
    };
    let listed = async || match page(&world, list.id, 1, 1).await.unwrap().results.remove(0) {
        ItemResult { outcome: ItemOutcome::Listed(citizen), .. } => citizen,
        other => panic!("{other:?}"),
    };
    assert_eq!(verified().await, (true, vec![Field::Sex, Field::Religion]));
    assert_eq!(listed().await.fields(), FieldSet::ALL);
    let fewer = FieldSet::of(&[Field::PersonalId, Field::Sex]);
    grant(&world, fewer).await;
    assert_eq!(verified().await, (false, vec![Field::Sex]));
    let citizen = listed().await;
    assert_eq!((citizen.fields(), citizen.full_name()), (fewer, None));
    // Being on the list tells the sex.
    grant(&world, FieldSet::of(&[Field::PersonalId])).await;
    assert_eq!(refused(&world, list.id).await, Some(Reason::FieldNotGranted));
    assert_eq!(verified().await, (false, vec![]));
    // B5: the whole service goes.
    let lists = Service::CitizenList as u8;
    let tables = ["line", "service_grant"];
    let gone = tables.map(|table| format!("DELETE FROM {table} WHERE service = {lists}"));
    change(&world, gone.join(";")).await;
    assert_eq!(refused(&world, list.id).await, Some(Reason::ServiceNotGranted));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d1_windows_and_counts_bind_the_questions_and_not_the_reading() {
    let world = TestWorld::build().with_system(batches(10, 0)).start().await;
    let id = submit(&world, 40).await;
    drive(&world, HERE).await;
    assert_eq!(world.used(SYSTEM.line(Service::CitizenBatchVerify, Window::InHours)), 10);
    assert_eq!(page(&world, id, 1, 40).await.unwrap().results.len(), 10);
    change(&world, "UPDATE plan SET off_hours = 0".to_owned()).await;
    world.set_clock(at("2026-03-02T20:00:00+07:00"));
    assert_eq!(page(&world, id, 1, 40).await.unwrap().results.len(), 10);
}
