//! Jobs inside a plan (D5): exact counts over windows, days and kills; held instead of refused.

use dancu_domain::ids::{CaseCode, OfficerRef, ProcedureCode, RequestId};
use dancu_domain::moment::{DAY_MS, HOUR_MS, MINUTE_MS};
use dancu_domain::refusal::Reason;
use dancu_domain::registration::{AccountState, ConnectionState};
use dancu_domain::service::{Field, FieldSet, Service, Window};
use dancu_gate::jobs::types::*;
use dancu_gate::jobs::{Ended, JobRun, LEASE_MS, NotRead, Step};
use dancu_gate::query::{Claim, ClaimValue, Denied};
use dancu_journal::{Body, Decision, Query};

use crate::support::*;

const SYSTEM: TestSystem = TestSystem(1);
const OTHER: TestSystem = TestSystem(2);
const HERE: [u8; 16] = [1; 16];
const THERE: [u8; 16] = [2; 16];

pub(crate) fn batches(in_hours: u32, off_hours: u32) -> SystemSpec {
    let lines =
        vec![(Service::CitizenBatchVerify, in_hours, off_hours), (Service::CitizenVerify, 50, 50)];
    SystemSpec { lines, ..SystemSpec::default() }
}

pub(crate) fn new_job(account: &TestAccount, request: &str) -> NewJob {
    NewJob {
        kind: JobKind::BatchVerify,
        head: JobHead {
            request_id: RequestId::parse(request).unwrap(),
            officer: OfficerRef::parse(&account.login).unwrap(),
            procedure: ProcedureCode::parse(PROCEDURE).unwrap(),
            purpose: None,
            case: Some(CaseCode::parse("H26.001/LO-1").unwrap()),
            unit: None,
            x_road_user: None,
        },
        digest: [7; 16],
    }
}

/// Rows of people who exist, every tenth of somebody who does not, every 25th not readable.
pub(crate) fn rows(world: &TestWorld, n: u32) -> Vec<ReadRow> {
    (1..=n)
        .map(|row| {
            let person = &world.people[row as usize % world.people.len()];
            let subject = if row % 10 == 0 { world.nobody(person) } else { by_personal_id(person) };
            if row % 25 == 0 {
                let (field, reason) = ("dateOfBirth".to_owned(), "no such day".to_owned());
                ReadRow::Bad(BadRow {
                    row, field, reason_vi: "Không có ngày này.".into(), reason
                })
            } else {
                ReadRow::Good(BatchItem { row, subject, claims: vec![] })
            }
        })
        .collect()
}

pub(crate) async fn submit_as(world: &TestWorld, new: NewJob, mut rows: Vec<ReadRow>) -> Submitted {
    let caller = world.caller(&SYSTEM.plan());
    match world.gate().begin_job(&caller, new).await {
        Ok(mut intake) => {
            intake.take(world.now(), &mut rows).await.unwrap();
            intake.finish(world.now()).await
        }
        Err(reply) => Submitted::Refused(reply),
    }
}

pub(crate) async fn submit(world: &TestWorld, n: u32) -> JobId {
    let new = new_job(&SYSTEM.plan(), &format!("LO-{n}"));
    match submit_as(world, new, rows(world, n)).await {
        Submitted::New(job) => job.id,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn refusal(submitted: &Submitted) -> Option<Reason> {
    match submitted {
        Submitted::Refused(reply) => {
            assert!(reply.journal_index.is_some(), "a refused submission is journaled");
            reason(reply)
        }
        _ => None,
    }
}

pub(crate) fn status(world: &TestWorld, id: JobId) -> JobStatus {
    world.gate().job(SYSTEM.id(), id).unwrap().unwrap()
}

pub(crate) async fn claim(world: &TestWorld, holder: [u8; 16]) -> Option<JobRun> {
    world.gate().claim_job(world.now(), holder, |_, _| true).await.unwrap()
}

/// Runs what may run, 16 rows at a time, until nothing may.
pub(crate) async fn drive(world: &TestWorld, holder: [u8; 16]) {
    while let Some(mut run) = claim(world, holder).await {
        let going = |step| matches!(step, Step::Went(_) | Step::Looked);
        while going(run.step(world.gate(), world.now(), 16).await.unwrap()) {}
    }
}

/// Questions of jobs in the journal, by decision.
pub(crate) fn asked(world: &TestWorld, decision: Decision) -> usize {
    let is = |q: &Query| {
        q.service == Service::CitizenBatchVerify as u8 && q.decision == decision && q.account != 0
    };
    world.entries().iter().filter(|e| matches!(&e.body, Body::Query(q) if is(q))).count()
}

pub(crate) fn acts(world: &TestWorld, kind: &str) -> usize {
    let is = |body: &Body| matches!(body, Body::Act(a) if a.kind == kind);
    world.entries().iter().filter(|e| is(&e.body)).count()
}

/// A page of results, as its system reads one.
pub(crate) async fn page(
    world: &TestWorld,
    id: JobId,
    from: u32,
    limit: u32,
) -> Result<Page, NotRead> {
    let (caller, rows) = (world.caller(&SYSTEM.plan()), (from, Some(limit)));
    let reading = world.gate().read_results(&caller, id, rows, "page", None).await?;
    world.gate().results(&reading, world.now(), from, limit)?.ok_or(NotRead::NoSuchJob)
}

/// Every result, with its row once and its entry.
pub(crate) async fn results(world: &TestWorld, id: JobId) -> Vec<ItemResult> {
    let (mut all, mut from) = (vec![], Some(1));
    while let Some(next) = from {
        let page = page(world, id, next, 37).await.unwrap();
        all.extend(page.results);
        from = page.next;
    }
    assert!(all.windows(2).all(|w| w[0].row < w[1].row), "a row stands twice or out of order");
    let entries = world.entries();
    for result in &all {
        let q = query_of(&entries[result.journal_index as usize]);
        assert_eq!(q.request_id, format!("{id}-{}", result.row));
    }
    all
}

/// Rows of a file of `n` that can be asked.
fn readable(n: u32) -> u32 {
    n - n / 25
}

fn paused(world: &TestWorld, id: JobId) -> (Reason, Option<String>) {
    match status(world, id).state {
        JobState::Paused { reason, until } => {
            (reason, until.map(dancu_domain::moment::Moment::rfc3339))
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d2_counts_are_exact_over_18_h_midnight_and_a_kill() {
    let start = "2026-03-02T17:30:00+07:00";
    let world = TestWorld::build().clock(start).with_system(batches(100, 50));
    let mut world = world.start().await;
    let id = submit(&world, 400).await;
    assert_eq!(status(&world, id).state, JobState::Waiting);
    drive(&world, HERE).await;
    // The line in hours is used up; the one off hours opens at 18:00.
    assert_eq!(world.used(SYSTEM.line(Service::CitizenBatchVerify, Window::InHours)), 100);
    let six = Some("2026-03-02T18:00:00+07:00".to_owned());
    assert_eq!(paused(&world, id), (Reason::LineUsedUp, six));
    world.set_clock(at("2026-03-02T18:00:00+07:00"));
    drive(&world, HERE).await;
    let seven = Some("2026-03-03T07:00:00+07:00".to_owned());
    assert_eq!(paused(&world, id), (Reason::LineUsedUp, seven));
    // Midnight changes the date, not the duty day.
    world.set_clock(at("2026-03-03T00:00:30+07:00"));
    drive(&world, HERE).await;
    assert_eq!(asked(&world, Decision::Accepted), 150);
    world.set_clock(at("2026-03-03T07:00:00+07:00"));
    // A kill: the results of what was asked are lost, its entries are not.
    let mut run = claim(&world, HERE).await.unwrap();
    assert_eq!(run.step(world.gate(), world.now(), 30).await.unwrap(), Step::Went(30));
    drop(run);
    world.reopen();
    assert!(claim(&world, THERE).await.is_none(), "the lease is still that of the dead");
    world.set_clock(world.now().plus_ms(LEASE_MS));
    drive(&world, THERE).await;
    assert_eq!(asked(&world, Decision::Repeat), 30);
    assert_eq!(asked(&world, Decision::Accepted), 250);
    world.set_clock(at("2026-03-03T18:00:00+07:00"));
    drive(&world, THERE).await;
    world.set_clock(at("2026-03-04T07:00:00+07:00"));
    drive(&world, THERE).await;
    let job = status(&world, id);
    assert_eq!(job.state, JobState::Done);
    assert_eq!((job.counts.rows, job.counts.bad, job.counts.refused), (400, 16, 0));
    assert_eq!((job.counts.accepted, job.counts.done), (readable(400), readable(400)));
    assert_eq!(job.counts.no_match, 32);
    assert_eq!(asked(&world, Decision::Accepted) as u32, readable(400));
    assert_eq!(asked(&world, Decision::Refused), 0, "a job is held, not refused");
    assert_eq!(results(&world, id).await.len() as u32, readable(400));
    let bad = world.gate().job_bad_rows(SYSTEM.id(), id, 1, 1_000).unwrap().unwrap();
    assert_eq!(
        bad.rows.iter().map(|b| b.row).collect::<Vec<_>>(),
        (1..=16).map(|n| n * 25).collect::<Vec<_>>()
    );
    let line = SYSTEM.line(Service::CitizenBatchVerify, Window::InHours);
    let day = |text| world.store().profiles().at(at(text)).hours.duty(at(text)).day;
    for text in [start, "2026-03-03T07:00:00+07:00"] {
        assert_eq!(world.lines(|l| l.line_day(line, day(text))).exceedances, 0);
    }
    assert_eq!((acts(&world, "job.submitted"), acts(&world, "job.done")), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d3_two_jobs_and_a_caller_on_one_line_make_no_exceedance() {
    let world = TestWorld::build().with_system(batches(40, 10)).start().await;
    let first = submit(&world, 60).await;
    let second = submit(&world, 61).await;
    // Both at once, as two nodes would.
    let mut a = claim(&world, HERE).await.unwrap();
    let other = world.gate().claim_job(world.now(), THERE, |_, id| id != a.id()).await;
    let mut b = other.unwrap().unwrap();
    assert_eq!((a.id(), b.id()), (first, second));
    loop {
        let (gate, now) = (world.gate(), world.now());
        let (one, two) = tokio::join!(a.step(gate, now, 7), b.step(gate, now, 7));
        if (one.unwrap(), two.unwrap()) == (Step::Paused, Step::Paused) {
            break;
        }
    }
    assert_eq!(asked(&world, Decision::Accepted), 40);
    assert_eq!(asked(&world, Decision::Refused), 0);
    let done = results(&world, first).await.len() + results(&world, second).await.len();
    assert_eq!(done, 40, "what was answered has its result");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lapsed_lease_is_taken_over_and_the_old_holder_stores_nothing() {
    let world = TestWorld::build().with_system(batches(1_000, 10)).start().await;
    let id = submit(&world, 100).await;
    let mut old = claim(&world, HERE).await.unwrap();
    assert_eq!(old.step(world.gate(), world.now(), 20).await.unwrap(), Step::Went(20));
    assert!(claim(&world, THERE).await.is_none());
    world.set_clock(world.now().plus_ms(LEASE_MS));
    let mut new = claim(&world, THERE).await.unwrap();
    assert_eq!(old.step(world.gate(), world.now(), 20).await.unwrap(), Step::Lost);
    while let Step::Went(_) = new.step(world.gate(), world.now(), 50).await.unwrap() {}
    let job = status(&world, id);
    assert_eq!((job.state, job.counts.accepted), (JobState::Done, readable(100)));
    assert_eq!(asked(&world, Decision::Accepted) as u32, readable(100));
    assert_eq!(asked(&world, Decision::Repeat), 20);
    assert_eq!(results(&world, id).await.len() as u32, readable(100));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_stood_longer_than_request_ids_are_remembered_counts_nobody_twice() {
    let mut world = TestWorld::build().with_system(batches(1_000, 10)).start().await;
    let id = submit(&world, 100).await;
    let mut run = claim(&world, HERE).await.unwrap();
    assert_eq!(run.step(world.gate(), world.now(), 20).await.unwrap(), Step::Went(20));
    drop(run);
    world.set_clock(world.now().plus_ms(25 * HOUR_MS));
    world.store().forget_old(world.now()).await.unwrap();
    world.reopen();
    assert_eq!(world.store().requests().len(), 0);
    drive(&world, THERE).await;
    assert_eq!(status(&world, id).counts.accepted, readable(100));
    assert_eq!(asked(&world, Decision::Accepted) as u32, readable(100));
    assert_eq!(asked(&world, Decision::Repeat), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_job_asks_nothing_more_and_keeps_its_results() {
    let world = TestWorld::build().with_system(batches(1_000, 10)).start().await;
    let id = submit(&world, 100).await;
    let mut run = claim(&world, HERE).await.unwrap();
    assert_eq!(run.step(world.gate(), world.now(), 20).await.unwrap(), Step::Went(20));
    let gate = world.gate();
    assert!(gate.cancel_job(world.now(), OTHER.id(), id).await.unwrap().is_none());
    let ended = gate.cancel_job(world.now(), SYSTEM.id(), id).await.unwrap();
    let Some(Ended::Told(cancelled)) = ended else { panic!("{ended:?}") };
    assert_eq!(cancelled.state, JobState::Cancelled);
    assert_eq!(run.step(gate, world.now(), 20).await.unwrap(), Step::Over);
    assert!(claim(&world, HERE).await.is_none());
    assert_eq!((asked(&world, Decision::Accepted), results(&world, id).await.len()), (20, 20));
    let job = status(&world, id);
    assert_eq!((job.state, job.counts.done), (JobState::Cancelled, 20));
    assert_eq!(job.deleted_at.unwrap().0 - job.ended_at.unwrap().0, 7 * DAY_MS);
    assert!(gate.delete_job(world.now(), SYSTEM.id(), id).await.unwrap());
    assert!(gate.job(SYSTEM.id(), id).unwrap().is_none());
    assert_eq!((acts(&world, "job.cancelled"), acts(&world, "job.deleted")), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_is_the_same_job_and_another_body_a_conflict() {
    let world = TestWorld::build().with_system(batches(100, 10)).with_system(batches(1, 1));
    let world = world.start().await;
    let new = || new_job(&SYSTEM.plan(), "LO-1");
    let Submitted::New(job) = submit_as(&world, new(), rows(&world, 30)).await else { panic!() };
    assert_eq!((job.counts.rows, job.counts.items, job.counts.bad), (30, 29, 1));
    let entry = &world.entries()[job.journal_index as usize];
    assert!(matches!(&entry.body, Body::Act(act) if act.kind == "job.submitted"));
    match submit_as(&world, new(), rows(&world, 30)).await {
        Submitted::Same(same) => assert_eq!(same.id, job.id),
        other => panic!("{other:?}"),
    }
    let other = submit_as(&world, new(), rows(&world, 31)).await;
    assert_eq!(refusal(&other), Some(Reason::RequestIdConflict));
    let head = NewJob { digest: [8; 16], ..new() };
    let other = submit_as(&world, head, rows(&world, 30)).await;
    assert_eq!(refusal(&other), Some(Reason::RequestIdConflict));
    // An id that a single question was answered under is taken too.
    let query = world.verify(&SYSTEM.plan(), &world.people[0]);
    assert!(world.ask(&SYSTEM.plan(), &query).await.result.is_ok());
    let taken =
        NewJob { head: JobHead { request_id: query.request_id.clone(), ..new().head }, ..new() };
    let taken = submit_as(&world, taken, rows(&world, 30)).await;
    assert_eq!(refusal(&taken), Some(Reason::RequestIdConflict));
    assert_eq!(world.gate().jobs(SYSTEM.id()).unwrap().len(), 1);
    assert!(world.gate().jobs(OTHER.id()).unwrap().is_empty());
    assert!(world.gate().job(OTHER.id(), job.id).unwrap().is_none());
    let other = world.caller(&OTHER.plan());
    let foreign = world.gate().read_results(&other, job.id, (1, None), "page", None).await;
    assert!(matches!(foreign, Err(NotRead::NoSuchJob)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d5_only_an_account_with_a_plan_submits_a_job() {
    let bare = SystemSpec { case_required: true, ..batches(100, 10) };
    let world = TestWorld::build().with_system(bare).start().await;
    let try_as = async |account: &TestAccount, case| {
        let mut new = new_job(account, "LO-1");
        new.head.case = new.head.case.filter(|_| case);
        submit_as(&world, new, rows(&world, 5)).await
    };
    for (account, case, expected) in [
        (SYSTEM.officer(), true, Reason::PlanDoesNotCover),
        (SYSTEM.system_account(), true, Reason::SystemAccountVerifiesOnly),
        (SYSTEM.revoked(), true, Reason::AccountUnknown),
        (SYSTEM.plan(), false, Reason::CaseCodeMissing),
    ] {
        assert_eq!(refusal(&try_as(&account, case).await), Some(expected), "{}", account.login);
    }
    let Submitted::Refused(reply) = try_as(&SYSTEM.plan(), false).await else { panic!() };
    let Err(Denied { errors, .. }) = reply.result else { panic!() };
    assert_eq!(errors[0].field, "caseCode");
    world.act("test", |db, _| db.set_system_state(SYSTEM, ConnectionState::Suspended)).await;
    world.gate().reload(world.now()).await.unwrap();
    let suspended = try_as(&SYSTEM.plan(), true).await;
    assert_eq!(refusal(&suspended), Some(Reason::ConnectionNotLive));
    assert!(world.gate().jobs(SYSTEM.id()).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_holds_a_job_lets_it_go_on_and_what_ends_it_is_said_once() {
    let world = TestWorld::build().with_system(batches(1_000, 10)).start().await;
    let id = submit(&world, 50).await;
    let mut run = claim(&world, HERE).await.unwrap();
    assert_eq!(run.step(world.gate(), world.now(), 10).await.unwrap(), Step::Went(10));
    world.act("test", |db, _| db.set_system_state(SYSTEM, ConnectionState::Suspended)).await;
    // Decided over what was registered before: nothing is asked, nothing journaled.
    let before = world.entries().len();
    while run.step(world.gate(), world.now(), 10).await.unwrap() != Step::Paused {}
    assert_eq!(paused(&world, id), (Reason::ConnectionNotLive, None));
    assert_eq!(world.entries().len(), before);
    drive(&world, HERE).await;
    assert_eq!(asked(&world, Decision::Accepted), 10);
    world.act("test", |db, _| db.set_system_state(SYSTEM, ConnectionState::Live)).await;
    let mut run = claim(&world, HERE).await.unwrap();
    assert_eq!(run.step(world.gate(), world.now(), 10).await.unwrap(), Step::Went(10));
    let account = SYSTEM.plan().id;
    world.act("test", move |db, _| db.set_account_state(account, AccountState::Locked)).await;
    while run.step(world.gate(), world.now(), 10).await.unwrap() != Step::Over {}
    assert_eq!(status(&world, id).state, JobState::Failed { reason: Reason::AccountUnknown });
    assert_eq!((asked(&world, Decision::Accepted), asked(&world, Decision::Refused)), (20, 0));
    assert_eq!((status(&world, id).counts.done, acts(&world, "job.failed")), (20, 1));
    drive(&world, HERE).await;
    assert_eq!(asked(&world, Decision::Accepted), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_a4_a_row_with_a_field_that_is_withdrawn_meanwhile_is_refused_alone() {
    let kept = FieldSet::of(&[Field::VitalStatus, Field::Sex]);
    let fields = kept.or(FieldSet::of(&[Field::Ethnicity]));
    let spec = SystemSpec { fields, own_count: Some(500), ..batches(1_000, 10) };
    let world = TestWorld::build().with_system(spec).start().await;
    let person = &world.people[0];
    let claim = |field, value| Claim { field, value };
    let item =
        |row, claims| ReadRow::Good(BatchItem { row, subject: by_personal_id(person), claims });
    let given = vec![
        item(1, vec![claim(Field::Sex, ClaimValue::Sex(person.sex))]),
        item(2, vec![claim(Field::Ethnicity, ClaimValue::Code(1))]),
        item(3, vec![]),
    ];
    let submitted = submit_as(&world, new_job(&SYSTEM.plan(), "LO-1"), given).await;
    let Submitted::New(job) = submitted else { panic!("{submitted:?}") };
    super::results::grant(&world, kept).await;
    drive(&world, HERE).await;
    let found = results(&world, job.id).await;
    assert!(matches!(&found[0].outcome, ItemOutcome::Match { claims, .. } if claims.len() == 1));
    let not_granted = Reason::FieldNotGranted as u8;
    assert!(matches!(found[1].outcome, ItemOutcome::Refused(n) if n == not_granted));
    assert!(matches!(found[2].outcome, ItemOutcome::Match { alive: Some(_), .. }));
    let counts = status(&world, job.id).counts;
    assert_eq!((counts.done, counts.accepted, counts.refused), (3, 2, 1));
    // The plan has a count of its own: the line is left alone (D4).
    assert_eq!(world.used(SYSTEM.line(Service::CitizenBatchVerify, Window::InHours)), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_deleted_seven_days_after_its_end() {
    let world = TestWorld::build().with_system(batches(1_000, 10)).start().await;
    let id = submit(&world, 300).await;
    drive(&world, HERE).await;
    let stored = |world: &TestWorld| {
        let sql = "SELECT COUNT(*) FROM job_part";
        world.core().tx().one(sql, &[], |r| r.get::<i64>(0)).unwrap()
    };
    assert!(stored(&world) > 0);
    world.set_clock(world.now().plus_ms(7 * DAY_MS - MINUTE_MS));
    while world.gate().tidy_jobs(world.now()).await.unwrap() {}
    assert_eq!(results(&world, id).await.len() as u32, readable(300));
    world.set_clock(world.now().plus_ms(2 * MINUTE_MS));
    while world.gate().tidy_jobs(world.now()).await.unwrap() {}
    assert!(world.gate().job(SYSTEM.id(), id).unwrap().is_none());
    assert_eq!(stored(&world), 0);
    assert_eq!(acts(&world, "job.purged"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_and_jobs_are_bounded() {
    let world = TestWorld::build().with_system(batches(1_000, 10)).start().await;
    for n in 0..JOBS_OPEN_MAX {
        let new = new_job(&SYSTEM.plan(), &format!("LO-{n}"));
        assert!(matches!(submit_as(&world, new, rows(&world, 2)).await, Submitted::New(_)));
    }
    let positions = world.gate().jobs(SYSTEM.id()).unwrap();
    assert!(positions.iter().all(|j| j.state == JobState::Waiting));
    let more = submit_as(&world, new_job(&SYSTEM.plan(), "LO-X"), rows(&world, 2)).await;
    assert_eq!(refusal(&more), Some(Reason::JobsOpen));
    drive(&world, HERE).await;
    let empty = submit_as(&world, new_job(&SYSTEM.plan(), "LO-E"), vec![]).await;
    assert_eq!(refusal(&empty), Some(Reason::InvalidInput));
    let caller = world.caller(&SYSTEM.plan());
    let new = new_job(&SYSTEM.plan(), "LO-L");
    let mut intake = world.gate().begin_job(&caller, new).await.unwrap();
    let bad = |row| {
        let (field, reason_vi, reason) = (String::new(), String::new(), String::new());
        ReadRow::Bad(BadRow { row, field, reason_vi, reason })
    };
    let mut many: Vec<_> = (1..=ROWS_MAX).map(bad).collect();
    intake.take(world.now(), &mut many).await.unwrap();
    let over = intake.take(world.now(), &mut vec![bad(ROWS_MAX + 1)]).await;
    assert_eq!(over, Err(Reason::JobTooLarge.into()));
    let reply = intake.refuse(world.now(), Reason::JobTooLarge, vec![]).await;
    assert_eq!(reason(&reply), Some(Reason::JobTooLarge));
    while world.gate().tidy_jobs(world.now()).await.unwrap() {}
    let left = "SELECT COUNT(*) FROM job WHERE state = 0 OR state = 7";
    assert_eq!(world.core().tx().one(left, &[], |r| r.get::<i64>(0)).unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_job_stands_in_clear() {
    let world = TestWorld::build().with_system(batches(1_000, 10)).start().await;
    let id = submit(&world, 20).await;
    let mut all: Vec<Vec<u8>> = vec![];
    for sql in ["SELECT head FROM job", "SELECT sealed FROM job_part"] {
        all.extend(world.core().tx().query(sql, &[], |r| r.get(0)).unwrap());
    }
    drive(&world, HERE).await;
    let sql = "SELECT sealed FROM job_part";
    all.extend(world.core().tx().query(sql, &[], |r| r.get::<Vec<u8>>(0)).unwrap());
    assert!(!results(&world, id).await.is_empty());
    let has = |text: &str| {
        let text = text.as_bytes();
        all.iter().any(|blob| blob.windows(text.len()).any(|w| w == text))
    };
    assert!(!has(&SYSTEM.plan().login) && !has("LO-20"));
    for person in &world.people[..20] {
        assert!(!has(person.full_name.as_str()));
    }
}
