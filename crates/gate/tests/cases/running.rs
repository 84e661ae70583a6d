//! Running jobs: whose turn it is, what cannot be opened, what was answered before, what is held
//! too long.

use dancu_domain::ids::{OfficerRef, PersonalId, RequestId};
use dancu_domain::moment::{DAY_MS, HOUR_MS, MINUTE_MS, Moment};
use dancu_domain::refusal::Reason;
use dancu_domain::registration::ConnectionState;
use dancu_domain::service::Service;
use dancu_gate::jobs::types::*;
use dancu_gate::jobs::{
    DAMAGE_TRIES, DAMAGED_MAX, ENTRIES_READ, Ended, JobRun, LEASE_MS, PAUSED_MAX_MS, Step, TURN_MS,
    lists,
};
use dancu_gate::query::Ask;
use dancu_journal::{Act, Body, Decision};

use super::jobs::{acts, asked, batches, claim, drive, new_job, rows, status, submit};
use super::lists::{new_list, women};
use crate::support::*;

const SYSTEM: TestSystem = TestSystem(1);
const HERE: [u8; 16] = [1; 16];
const THERE: [u8; 16] = [2; 16];

/// A job of any system with these rows.
async fn submit_for(world: &TestWorld, of: TestSystem, id: &str, mut rows: Vec<ReadRow>) -> JobId {
    let mut new = new_job(&of.plan(), id);
    new.head.officer = OfficerRef::parse(&of.plan().login).unwrap();
    let caller = world.caller(&of.plan());
    let mut intake = world.gate().begin_job(&caller, new).await.unwrap();
    intake.take(world.now(), &mut rows).await.unwrap();
    match intake.finish(world.now()).await {
        Submitted::New(job) => job.id,
        other => panic!("{other:?}"),
    }
}

/// Steps until the job is over or held, through whatever cannot be opened.
async fn run_through(world: &TestWorld, run: &mut JobRun) -> Step {
    for _ in 0..500 {
        match run.step(world.gate(), world.now(), 16).await.unwrap() {
            Step::Went(_) | Step::Looked | Step::Trouble => {}
            end => return end,
        }
    }
    panic!("the job goes on for ever");
}

/// Acts of a kind in the journal.
fn journaled(world: &TestWorld, kind: &str) -> Vec<Act> {
    let acts = world.entries().into_iter().filter_map(|e| match e.body {
        Body::Act(act) if act.kind == kind => Some(act),
        _ => None,
    });
    acts.collect()
}

/// The record of a person.
fn record_of(world: &TestWorld, id: PersonalId) -> i64 {
    let mut after = 0;
    loop {
        let slice = world.store().registry().slice(after, 1, |_| true).unwrap();
        let record = slice.next.expect("the registry has this person");
        if slice.kept[0].personal_id == id {
            return record;
        }
        after = record;
    }
}

/// Makes a person's record one that nobody can open.
fn damage(world: &TestWorld, id: PersonalId) {
    let sql = "UPDATE person SET sealed = $1 WHERE id = $2";
    let values = [[7; 60].as_slice().into(), record_of(world, id).into()];
    assert_eq!(world.registry().tx().execute(sql, &values).unwrap(), 1);
    // Readers of a file hold one state of it.
    world.store().registry().reopen();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d2_a_single_question_with_the_id_of_a_row_stands_for_no_row() {
    let mut world = TestWorld::build().with_system(batches(1_000, 10)).start().await;
    let id = submit(&world, 100).await;
    let mut run = claim(&world, HERE).await.unwrap();
    assert_eq!(run.step(world.gate(), world.now(), 20).await.unwrap(), Step::Went(20));
    drop(run);
    // Row 50 has not been asked; its system knows the id of its job.
    let mut query = world.verify(&SYSTEM.plan(), &world.people[0]);
    query.request_id = RequestId::parse(&format!("{id}-51")).unwrap();
    assert!(world.ask(&SYSTEM.plan(), &query).await.result.is_ok());
    let mut query = world.query(&SYSTEM.plan(), query.subject.clone(), Ask::Verify(vec![]));
    query.service = Service::CitizenBatchVerify;
    query.request_id = RequestId::parse(&format!("{id}-52")).unwrap();
    assert!(world.ask(&SYSTEM.plan(), &query).await.result.is_ok());
    world.set_clock(world.now().plus_ms(25 * HOUR_MS));
    world.store().forget_old(world.now()).await.unwrap();
    world.reopen();
    drive(&world, THERE).await;
    let job = status(&world, id);
    assert_eq!((job.state, job.counts.accepted), (JobState::Done, 96));
    // Every row counts once; one of the two questions was of the batch's service.
    assert_eq!(asked(&world, Decision::Accepted), 96 + 1);
    assert_eq!(asked(&world, Decision::Repeat), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_system_that_was_served_least_recently_is_next() {
    let mut build = TestWorld::build();
    for _ in 0..5 {
        build = build.with_system(batches(1_000, 100));
    }
    let world = build.start().await;
    let gate = world.gate();
    let mut jobs = vec![];
    for n in 1..=5 {
        jobs.push(submit_for(&world, TestSystem(n), "LO-1", rows(&world, 60)).await);
    }
    let more = submit_for(&world, TestSystem(1), "LO-2", rows(&world, 5)).await;
    let mut runs: Vec<JobRun> = vec![];
    for job in &jobs[..4] {
        let held: Vec<_> = runs.iter().map(JobRun::system).collect();
        let free = |system, _| !held.contains(&system);
        let mut run = gate.claim_job(world.now(), HERE, free).await.unwrap().unwrap();
        assert_eq!(run.id(), *job);
        assert_eq!(run.step(gate, world.now(), 4).await.unwrap(), Step::Went(4));
        runs.push(run);
        world.set_clock(world.now().plus_ms(1));
    }
    let running: Vec<_> = runs.iter().map(JobRun::system).collect();
    let free = |system, _| !running.contains(&system);
    let nobody = |_, _| false;
    let mut first = runs.remove(0);
    world.set_clock(at(MORNING).plus_ms(TURN_MS - 1));
    assert!(!first.gives_way(gate, world.now(), free).await.unwrap(), "its turn is not over");
    world.set_clock(world.now().plus_ms(1));
    assert!(!first.gives_way(gate, world.now(), nobody).await.unwrap(), "nobody waits");
    world.set_clock(world.now().plus_ms(MINUTE_MS));
    assert!(first.gives_way(gate, world.now(), free).await.unwrap());
    first.give_back(gate, world.now()).await.unwrap();
    // The four were submitted before it, and its own system has more to do.
    let next = claim(&world, THERE).await.unwrap();
    assert_eq!(next.id(), jobs[4]);
    next.give_back(gate, world.now().plus_ms(1)).await.unwrap();
    // On another node the same: leases of the others lapsed meanwhile.
    let next = claim(&world, THERE).await.unwrap();
    assert_eq!(next.id(), jobs[1]);
    next.give_back(gate, world.now().plus_ms(2)).await.unwrap();
    drive(&world, THERE).await;
    for (job, of) in jobs.iter().zip(1..) {
        let job = gate.job(TestSystem(of).id(), *job).unwrap().unwrap();
        assert_eq!((job.state, job.counts.accepted), (JobState::Done, 58));
    }
    assert_eq!(status(&world, more).state, JobState::Done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_cannot_be_opened_is_one_refused_row() {
    let world = TestWorld::build().with_system(batches(1_000, 10)).start().await;
    let id = submit(&world, 24).await;
    damage(&world, world.people[7].personal_id);
    let mut run = claim(&world, HERE).await.unwrap();
    assert_eq!(run_through(&world, &mut run).await, Step::Over);
    let job = status(&world, id);
    assert_eq!((job.state, job.counts.accepted, job.counts.refused), (JobState::Done, 23, 1));
    let page = super::jobs::page(&world, id, 7, 1).await.unwrap();
    let lost = Reason::RecordDamaged as u8;
    let result = &page.results[0];
    assert!(matches!(result.outcome, ItemOutcome::Refused(n) if n == lost), "{result:?}");
    let entries = world.entries();
    let entry = query_of(&entries[result.journal_index as usize]);
    assert_eq!((entry.decision, entry.reason), (Decision::Refused, lost));
    assert_eq!((entry.request_id.clone(), entry.counted), (format!("{id}-7"), 0));
    assert_eq!(asked(&world, Decision::Accepted), 23);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_registry_ends_a_job_before_every_row_is_refused() {
    let world = TestWorld::build().with_system(batches(1_000, 10)).start().await;
    let id = submit(&world, 300).await;
    let sql = "UPDATE person SET sealed = $1";
    world.registry().tx().execute(sql, &[[7; 60].as_slice().into()]).unwrap();
    world.store().registry().reopen();
    let mut run = claim(&world, HERE).await.unwrap();
    assert_eq!(run_through(&world, &mut run).await, Step::Over);
    let job = status(&world, id);
    assert_eq!(job.state, JobState::Failed { reason: Reason::RecordDamaged });
    let refused = DAMAGED_MAX + 1..=DAMAGED_MAX + 16;
    assert!(refused.contains(&job.counts.refused), "{:?}", job.counts);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_goes_past_a_record_that_cannot_be_opened_and_says_so() {
    let world = TestWorld::build().with_system(SystemSpec::default()).start().await;
    let caller = world.caller(&SYSTEM.plan());
    let new = new_list(&SYSTEM.plan(), "list-d", &women());
    let Submitted::New(job) = world.gate().submit_list(&caller, new).await else { panic!() };
    let registry = world.store().registry();
    let on = world.now().viet_nam_date();
    let all = |so_far| lists::scan(registry, &women(), on, so_far, 10_000, 10_000).unwrap();
    let expected = all(Scanned::after(0)).found.len() as u32;
    let lost = world.people.iter().find(|p| lists::fits(&women(), p, on)).unwrap();
    damage(&world, lost.personal_id);
    let mut run = claim(&world, HERE).await.unwrap();
    let mut trouble = 0;
    let mut step = Step::Looked;
    while let Step::Looked | Step::Trouble | Step::Went(_) = step {
        step = run.step(world.gate(), world.now(), 16).await.unwrap();
        trouble += u32::from(step == Step::Trouble);
    }
    assert_eq!((step, trouble), (Step::Over, DAMAGE_TRIES - 1));
    let job = status(&world, job.id);
    let counts = (job.counts.rows, job.counts.bad, job.counts.matched);
    assert_eq!((job.state, counts), (JobState::Done, (expected, 1, expected - 1)));
    let bad = world.gate().job_bad_rows(SYSTEM.id(), job.id, 1, 10).unwrap().unwrap();
    assert_eq!(bad.rows.len(), 1);
    let results = super::jobs::page(&world, job.id, 1, 1_000).await.unwrap();
    assert!(results.results.iter().all(|r| r.row != bad.rows[0].row));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_cannot_be_opened_fails_and_hides_no_other() {
    let mut build = TestWorld::build();
    for _ in 0..3 {
        build = build.with_system(batches(1_000, 100));
    }
    let world = build.start().await;
    let head = submit_for(&world, TestSystem(1), "LO-1", rows(&world, 20)).await;
    let part = submit_for(&world, TestSystem(2), "LO-1", rows(&world, 20)).await;
    let good = submit_for(&world, TestSystem(3), "LO-1", rows(&world, 20)).await;
    let beside = submit_for(&world, TestSystem(1), "LO-2", rows(&world, 20)).await;
    for (sql, id) in [
        ("UPDATE job SET head = $1 WHERE id = $2", head),
        ("UPDATE job_part SET sealed = $1 WHERE job = $2", part),
    ] {
        let values = [[7; 60].as_slice().into(), id.0.as_slice().into()];
        assert_eq!(world.core().tx().execute(sql, &values).unwrap(), 1);
    }
    while let Some(mut run) = claim(&world, HERE).await {
        assert_eq!(run_through(&world, &mut run).await, Step::Over);
    }
    let gate = world.gate();
    let state = |of: u32, id| gate.job(TestSystem(of).id(), id).unwrap().unwrap().state;
    assert_eq!((state(3, good), state(1, beside)), (JobState::Done, JobState::Done));
    assert_eq!(state(2, part), JobState::Failed { reason: Reason::RecordDamaged });
    // The list of its system has the others; what became of it stands in the journal.
    let told: Vec<_> = gate.jobs(SYSTEM.id()).unwrap().iter().map(|job| job.id).collect();
    assert_eq!(told, [beside]);
    let (page, all) = gate.jobs_between(SYSTEM.id(), (None, None), 0, 10).unwrap();
    assert_eq!((page.len(), all), (1, 2));
    let failed = journaled(&world, "job.failed");
    assert_eq!(failed.len(), 2);
    for act in failed.iter().chain(&journaled(&world, "job.done")) {
        assert_eq!(act.actor, "dancu", "nobody of the system ended it");
    }
    assert!(failed.iter().all(|act| act.detail.contains("A3 RecordDamaged")), "{failed:?}");
    let by = format!("submitted by {}", TestSystem(2).plan().login);
    assert!(failed.iter().any(|act| act.detail.contains(&by)), "{failed:?}");
    // And it is deleted like any other.
    world.set_clock(world.now().plus_ms(KEPT_MS + HOUR_MS));
    while gate.tidy_jobs(world.now()).await.unwrap() {}
    let left = "SELECT COUNT(*) FROM job";
    assert_eq!(world.core().tx().one(left, &[], |r| r.get::<i64>(0)).unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_is_held_without_an_end_fails_after_31_days() {
    let world = TestWorld::build().with_system(batches(1_000, 10)).start().await;
    let id = submit(&world, 50).await;
    let mut run = claim(&world, HERE).await.unwrap();
    assert_eq!(run.step(world.gate(), world.now(), 10).await.unwrap(), Step::Went(10));
    world.act("test", |db, _| db.set_system_state(SYSTEM, ConnectionState::Suspended)).await;
    world.gate().reload(world.now()).await.unwrap();
    assert_eq!(run_through(&world, &mut run).await, Step::Paused);
    let held = world.now();
    for later in [DAY_MS, PAUSED_MAX_MS - 1] {
        world.set_clock(held.plus_ms(later));
        drive(&world, HERE).await;
        let state = status(&world, id).state;
        assert_eq!(state, JobState::Paused { reason: Reason::ConnectionNotLive, until: None });
    }
    world.set_clock(held.plus_ms(PAUSED_MAX_MS));
    drive(&world, HERE).await;
    let job = status(&world, id);
    assert_eq!(job.state, JobState::Failed { reason: Reason::ConnectionNotLive });
    assert_eq!((job.counts.done, acts(&world, "job.failed")), (10, 1));
    world.set_clock(world.now().plus_ms(KEPT_MS + MINUTE_MS));
    while world.gate().tidy_jobs(world.now()).await.unwrap() {}
    assert!(world.gate().job(SYSTEM.id(), id).unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_read_under_a_lease_that_is_renewed() {
    let mut world = TestWorld::build().with_system(SystemSpec::default()).start().await;
    let id = submit(&world, 100).await;
    let mut run = claim(&world, HERE).await.unwrap();
    assert_eq!(run.step(world.gate(), world.now(), 20).await.unwrap(), Step::Went(20));
    drop(run);
    // Its system asks so much beside it that reading takes several steps.
    let people = world.people.iter().cycle().take(ENTRIES_READ + 10);
    let queries = people.map(|p| {
        let account = SYSTEM.system_account();
        let query = world.verify(&account, p);
        (world.caller(&account), query)
    });
    world.ask_all(queries.collect()).await;
    world.set_clock(world.now().plus_ms(25 * HOUR_MS));
    world.store().forget_old(world.now()).await.unwrap();
    world.reopen();
    let mut run = claim(&world, THERE).await.unwrap();
    for _ in 0..2 {
        assert_eq!(run.step(world.gate(), world.now(), 16).await.unwrap(), Step::Looked);
        world.set_clock(world.now().plus_ms(LEASE_MS - 1));
        assert!(claim(&world, HERE).await.is_none(), "somebody reads for it");
    }
    // What is asked from now on is young: reading ends where the journal ended at the claim.
    assert_eq!(run.step(world.gate(), world.now(), 16).await.unwrap(), Step::Went(16));
    assert_eq!(run_through(&world, &mut run).await, Step::Over);
    assert_eq!(status(&world, id).counts.accepted, 96);
    assert_eq!(asked(&world, Decision::Repeat), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_cannot_be_opened_is_cancelled_and_deleted() {
    let world = TestWorld::build().with_system(batches(1_000, 10)).start().await;
    let id = submit(&world, 20).await;
    let values = [[7; 60].as_slice().into(), id.0.as_slice().into()];
    world.core().tx().execute("UPDATE job SET head = $1 WHERE id = $2", &values).unwrap();
    let (gate, now) = (world.gate(), world.now());
    let ended = gate.cancel_job(now, SYSTEM.id(), id).await.unwrap();
    assert!(matches!(ended, Some(Ended::Untold)), "{ended:?}");
    assert_eq!(acts(&world, "job.cancelled"), 1);
    assert!(claim(&world, HERE).await.is_none(), "it is over");
    assert!(gate.delete_job(now, SYSTEM.id(), id).await.unwrap());
    assert!(gate.cancel_job(now, SYSTEM.id(), id).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_list_looks_at_few_records_and_commits_rarely() {
    let world = TestWorld::build().with_system(SystemSpec::default()).start().await;
    let caller = world.caller(&SYSTEM.plan());
    // Nobody is so old: nothing is found.
    let filter = ListFilter { ages: Some((149, 150)), ..ListFilter::default() };
    let looks = async |n: usize, id: &str| {
        let new = new_list(&SYSTEM.plan(), id, &filter);
        let Submitted::New(_) = world.gate().submit_list(&caller, new).await else { panic!() };
        let mut run = claim(&world, HERE).await.unwrap();
        let mut looks = 0;
        while run.step(world.gate(), world.now(), n).await.unwrap() == Step::Looked {
            looks += 1;
            let stored = "SELECT COUNT(*) FROM job WHERE state = 2 AND scan = 0";
            let left = world.core().tx().one(stored, &[], |r| r.get::<i64>(0)).unwrap();
            assert!(left == 1 || looks as u32 >= world.people.len() as u32 / (n as u32 * 32));
        }
        looks
    };
    let all = world.people.len();
    assert!(all > 128 && all < lists::SCAN_RECORDS as usize);
    let slow = looks(1, "list-slow").await;
    assert!(slow >= all.div_ceil(lists::RECORDS_PER_ROW as usize), "{slow} looks");
    assert_eq!(looks(128, "list-fast").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_of_a_time_are_told_page_by_page() {
    let world = TestWorld::build().with_system(batches(1_000, 10)).start().await;
    let mut all: Vec<(Moment, JobId)> = vec![];
    for n in 0..5 {
        let id = submit_for(&world, SYSTEM, &format!("LO-{n}"), rows(&world, 3)).await;
        all.push((world.now(), id));
        world.set_clock(world.now().plus_ms(MINUTE_MS));
    }
    let gate = world.gate();
    let told = |time, skip, limit| {
        let (page, total) = gate.jobs_between(SYSTEM.id(), time, skip, limit).unwrap();
        (page.iter().map(|job| job.id).collect::<Vec<_>>(), total)
    };
    let ids = |of: &[usize]| of.iter().map(|n| all[*n].1).collect::<Vec<_>>();
    assert_eq!(told((None, None), 0, 2), (ids(&[4, 3]), 5));
    assert_eq!(told((None, None), 4, 2), (ids(&[0]), 5));
    assert_eq!(told((Some(all[1].0), Some(all[4].0)), 0, 2), (ids(&[3, 2]), 3));
    assert_eq!(told((Some(all[1].0), Some(all[4].0)), 2, 2), (ids(&[1]), 3));
    // Empty lines are no rows and count on.
    let mut gaps = rows(&world, 3);
    for (row, number) in gaps.iter_mut().zip([4, 90, 812]) {
        if let ReadRow::Good(item) = row {
            item.row = number;
        }
    }
    let id = submit_for(&world, SYSTEM, "LO-gaps", gaps).await;
    assert_eq!(gate.job_last_row(id).unwrap(), 812);
    drive(&world, HERE).await;
    assert_eq!((status(&world, id).counts.rows, gate.job_last_row(id).unwrap()), (3, 812));
}
