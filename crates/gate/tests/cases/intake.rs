//! Uploads: what they may fill, what becomes of those that end without a job, whose id they take.

use dancu_domain::moment::{DAY_MS, HOUR_MS};
use dancu_domain::person::{BloodGroup, Dataset, Sex};
use dancu_domain::refusal::Reason;
use dancu_domain::registration::{AccountState, ConnectionState, RequestIdMode};
use dancu_domain::service::{Field, FieldSet, Service};
use dancu_gate::jobs::types::*;
use dancu_gate::query::{Claim, ClaimValue};
use dancu_journal::Body;
use dancu_store::jobs::RECEIVING_MS;

use super::jobs::{acts, asked, batches, drive, new_job, refusal, rows, status, submit, submit_as};
use crate::support::*;

const SYSTEM: TestSystem = TestSystem(1);
const HERE: [u8; 16] = [1; 16];

/// A figure of the store.
fn number(world: &TestWorld, sql: &str) -> i64 {
    world.core().tx().one(sql, &[], |r| r.get(0)).unwrap()
}

async fn sql(world: &TestWorld, sql: &'static str) {
    world.store().ledger().tidy(world.now(), move |tx| tx.batch(sql)).await.unwrap();
}

async fn tidied(world: &TestWorld) {
    while world.gate().tidy_jobs(world.now()).await.unwrap() {}
}

const PARTS: &str = "SELECT COUNT(*) FROM job_part";
const JOBS: &str = "SELECT COUNT(*) FROM job";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let world = TestWorld::build().with_system(batches(1_000, 10)).start().await;
    let caller = world.caller(&SYSTEM.plan());
    let new = new_job(&SYSTEM.plan(), "LO-1");
    let mut intake = world.gate().begin_job(&caller, new.clone()).await.unwrap();
    intake.take(world.now(), &mut rows(&world, 3_000)).await.unwrap();
    assert!(number(&world, PARTS) >= 8);
    // The connection breaks: whatever was receiving is dropped, and nobody says so.
    drop(intake);
    until("the upload is given to be deleted", async || {
        number(&world, "SELECT COUNT(*) FROM job WHERE state = 7") == 1
    })
    .await;
    tidied(&world).await;
    assert_eq!((number(&world, PARTS), number(&world, JOBS)), (0, 0));
    // One that becomes a job keeps its rows, and its id was never taken.
    let done = submit_as(&world, new, rows(&world, 600)).await;
    let Submitted::New(job) = done else { panic!("{done:?}") };
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    tidied(&world).await;
    assert_eq!(status(&world, job.id).counts.rows, 600);
    drive(&world, HERE).await;
    assert_eq!(status(&world, job.id).state, JobState::Done);
}

/// E3, B3: an upload may take hours; what is revoked meanwhile submits nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e3_what_is_revoked_while_a_file_comes_in_submits_nothing() {
    let world = TestWorld::build().with_system(batches(1_000, 10)).start().await;
    let caller = world.caller(&SYSTEM.plan());
    let account = SYSTEM.plan().id;
    let begun = async |request| {
        let new = new_job(&SYSTEM.plan(), request);
        let mut intake = world.gate().begin_job(&caller, new).await.unwrap();
        intake.take(world.now(), &mut rows(&world, 3_000)).await.unwrap();
        assert!(number(&world, PARTS) > 0);
        intake
    };
    let intake = begun("LO-1").await;
    let suspended = ConnectionState::Suspended;
    world.act("test", move |db, _| db.set_system_state(SYSTEM, suspended)).await;
    let told = intake.finish(world.now()).await;
    assert_eq!(refusal(&told), Some(Reason::ConnectionNotLive));
    world.act("test", |db, _| db.set_system_state(SYSTEM, ConnectionState::Live)).await;
    let intake = begun("LO-2").await;
    let revoked = AccountState::Revoked;
    world.act("test", move |db, _| db.set_account_state(account, revoked)).await;
    let told = intake.finish(world.now()).await;
    assert_eq!(refusal(&told), Some(Reason::AccountUnknown));
    tidied(&world).await;
    assert_eq!((number(&world, PARTS), number(&world, JOBS)), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_whose_process_died_and_rows_of_no_job_are_swept() {
    let world = TestWorld::build().with_system(batches(1_000, 10)).start().await;
    let caller = world.caller(&SYSTEM.plan());
    let kept = submit(&world, 600).await;
    let stored = number(&world, PARTS);
    let new = new_job(&SYSTEM.plan(), "LO-1");
    let mut intake = world.gate().begin_job(&caller, new).await.unwrap();
    intake.take(world.now(), &mut rows(&world, 3_000)).await.unwrap();
    tidied(&world).await;
    assert!(number(&world, PARTS) > stored, "an upload that goes on keeps its rows");
    // A process that dies drops nothing.
    std::mem::forget(intake);
    world.set_clock(world.now().plus_ms(RECEIVING_MS + 1));
    tidied(&world).await;
    assert_eq!((number(&world, PARTS), number(&world, JOBS)), (stored, 1));
    let orphans = world.store().ledger().tidy(world.now(), |tx| {
        let copy = "INSERT INTO job_part (job, kind, first_row, last_row, sealed) \
                    SELECT $1, kind, first_row, last_row, sealed FROM job_part WHERE job <> $1";
        tx.execute(copy, dancu_store::values![[255u8; 16]])?;
        Ok(())
    });
    orphans.await.unwrap();
    assert_eq!(number(&world, PARTS), 2 * stored);
    tidied(&world).await;
    assert_eq!(number(&world, PARTS), stored);
    drive(&world, HERE).await;
    assert_eq!(status(&world, kept).state, JobState::Done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_fill_no_more_than_a_system_may_keep() {
    let world = TestWorld::build().with_system(batches(100_000, 10)).start().await;
    let id = submit(&world, 3_000).await;
    let bytes = "SELECT CAST(SUM(bytes) AS BIGINT) FROM job";
    let sealed = "SELECT CAST(SUM(LENGTH(sealed)) AS BIGINT) FROM job_part";
    assert_eq!(number(&world, bytes), number(&world, sealed));
    drive(&world, HERE).await;
    assert!(number(&world, bytes) > 0, "what was uploaded counts until the job is gone");
    // Room is left for less than the next file; state 7: dropped and not deleted yet.
    for state in [0, 4, 7] {
        let room = KEPT_BYTES_MAX - 100_000;
        let of = format!("UPDATE job SET state = {state}, bytes = {room} WHERE row_count = 3000");
        world.store().ledger().tidy(world.now(), move |tx| tx.batch(&of)).await.unwrap();
        let caller = world.caller(&SYSTEM.plan());
        let new = new_job(&SYSTEM.plan(), &format!("LO-X{state}"));
        let mut intake = world.gate().begin_job(&caller, new).await.unwrap();
        let mut taken = Ok(());
        let mut taking = 0;
        while taken.is_ok() && taking < 10 {
            taken = intake.take(world.now(), &mut rows(&world, 1_024)).await;
            taking += 1;
        }
        let left = number(&world, bytes);
        assert!(taken.is_err(), "state {state}: {left} bytes after {taking}");
        let denied = taken.unwrap_err();
        assert_eq!(denied.refusal.reason, Reason::JobsOpen, "state {state}");
        assert!(denied.errors[0].message_vi.contains("1 GiB"));
        assert!((1..10).contains(&taking));
        let reply = intake.refuse(world.now(), denied.refusal.reason, denied.errors).await;
        assert_eq!(reason(&reply), Some(Reason::JobsOpen));
        sql(&world, "UPDATE job SET bytes = 0").await;
    }
    // Nothing is left for a file: it is refused before its first row.
    let full = format!("UPDATE job SET bytes = {KEPT_BYTES_MAX}");
    world.store().ledger().tidy(world.now(), move |tx| tx.batch(&full)).await.unwrap();
    let more = submit_as(&world, new_job(&SYSTEM.plan(), "LO-Y"), rows(&world, 2)).await;
    assert_eq!(refusal(&more), Some(Reason::JobsOpen));
    sql(&world, "UPDATE job SET state = 7").await;
    tidied(&world).await;
    assert!(world.gate().job(SYSTEM.id(), id).unwrap().is_none());
    assert_eq!((number(&world, PARTS), number(&world, JOBS)), (0, 0));
    let again = submit_as(&world, new_job(&SYSTEM.plan(), "LO-Z"), rows(&world, 2)).await;
    assert!(matches!(again, Submitted::New(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_that_never_become_jobs_count_as_jobs_that_are_kept() {
    let world = TestWorld::build().with_system(batches(1_000, 10)).start().await;
    submit(&world, 2).await;
    let columns = "system, 7, reason, until_at, request, body, head, row_count, items, bad, \
                   matched, no_match, refused, scan, submitted_at, started_at, changed_at, \
                   ended_at, journal_index, journal_from, holder, lease_until, bytes";
    let names = columns.replacen("system, 7", "system, state", 1);
    let lift =
        format!("INSERT INTO job (id, {names}) SELECT $1, {columns} FROM job WHERE state = 1");
    let fill = world.store().ledger().tidy(world.now(), move |tx| {
        (1..JOBS_KEPT_MAX as u64).try_for_each(|n| {
            let mut id = [9; 16];
            id[..8].copy_from_slice(&n.to_be_bytes());
            tx.execute(&lift, dancu_store::values![id])?;
            Ok(())
        })
    });
    fill.await.unwrap();
    let more = submit_as(&world, new_job(&SYSTEM.plan(), "LO-X"), rows(&world, 2)).await;
    assert_eq!(refusal(&more), Some(Reason::JobsOpen));
    tidied(&world).await;
    let more = submit_as(&world, new_job(&SYSTEM.plan(), "LO-X"), rows(&world, 2)).await;
    assert!(matches!(more, Submitted::New(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_a4_a_file_that_claims_what_is_not_granted_is_refused_whole() {
    let fields = FieldSet::of(&[Field::VitalStatus, Field::Sex, Field::Religion]);
    let procedure_fields = FieldSet::of(&[Field::VitalStatus, Field::Sex, Field::Ethnicity]);
    let spec = SystemSpec { fields, procedure_fields, ..batches(1_000, 10) };
    let world = TestWorld::build().with_system(spec).start().await;
    let person = &world.people[0];
    let sex = || Claim { field: Field::Sex, value: ClaimValue::Sex(person.sex) };
    for field in [Field::Ethnicity, Field::Religion, Field::Father] {
        let mut given: Vec<_> = (1..=40)
            .map(|row| BatchItem { row, subject: by_personal_id(person), claims: vec![sex()] })
            .collect();
        given[16].claims.push(Claim { field, value: ClaimValue::Code(1) });
        let caller = world.caller(&SYSTEM.plan());
        let new = new_job(&SYSTEM.plan(), "LO-1");
        let mut intake = world.gate().begin_job(&caller, new).await.unwrap();
        let mut given = given.into_iter().map(ReadRow::Good).collect();
        let denied = intake.take(world.now(), &mut given).await.unwrap_err();
        assert_eq!(denied.refusal.reason, Reason::FieldNotGranted);
        assert_eq!(denied.errors[0].field, format!("claims.{}", field.code()));
        assert!(denied.errors[0].message_vi.contains("Dòng 17"), "{:?}", denied.errors);
        let reply = intake.refuse(world.now(), denied.refusal.reason, denied.errors).await;
        assert!(reply.journal_index.is_some());
    }
    tidied(&world).await;
    assert_eq!((number(&world, PARTS), number(&world, JOBS)), (0, 0));
    drive(&world, HERE).await;
    // One refusal for each file, and none for its rows.
    assert_eq!(asked(&world, dancu_journal::Decision::Refused), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jobs_request_id_is_taken_for_questions_and_for_jobs_for_a_day() {
    let spec = SystemSpec { request_ids: RequestIdMode::Strict, ..batches(1_000, 10) };
    let mut world = TestWorld::build().with_system(spec).start().await;
    let plan = SYSTEM.plan();
    let id = submit(&world, 20).await;
    let ask = async |world: &TestWorld| {
        let mut query = world.verify(&plan, &world.people[0]);
        query.request_id = new_job(&plan, "LO-20").head.request_id;
        reason(&world.ask(&plan, &query).await)
    };
    let conflict = Some(Reason::RequestIdConflict);
    assert_eq!(ask(&world).await, conflict);
    world.reopen();
    assert_eq!(ask(&world).await, conflict, "after a restart");
    drive(&world, HERE).await;
    assert!(world.gate().delete_job(world.now(), SYSTEM.id(), id).await.unwrap());
    tidied(&world).await;
    assert_eq!(number(&world, JOBS), 0);
    assert_eq!(ask(&world).await, conflict, "after it was deleted");
    let again = submit_as(&world, new_job(&plan, "LO-20"), rows(&world, 20)).await;
    assert_eq!(refusal(&again), conflict);
    world.set_clock(world.now().plus_ms(DAY_MS + HOUR_MS));
    assert_eq!(ask(&world).await, None);
    // And the other way round: an id that a question just took.
    let again = submit_as(&world, new_job(&plan, "LO-20"), rows(&world, 20)).await;
    assert_eq!(refusal(&again), conflict);
    world.set_clock(world.now().plus_ms(DAY_MS + HOUR_MS));
    let again = submit_as(&world, new_job(&plan, "LO-20"), rows(&world, 20)).await;
    assert!(matches!(again, Submitted::New(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_took_the_id_while_the_file_came_in_wins() {
    let world = TestWorld::build().with_system(batches(1_000, 10)).start().await;
    let (plan, caller) = (SYSTEM.plan(), world.caller(&SYSTEM.plan()));
    let new = new_job(&plan, "LO-1");
    let mut query = world.verify(&plan, &world.people[0]);
    query.request_id = new.head.request_id.clone();
    let mut intake = world.gate().begin_job(&caller, new).await.unwrap();
    intake.take(world.now(), &mut rows(&world, 300)).await.unwrap();
    assert!(world.ask(&plan, &query).await.result.is_ok());
    let submitted = intake.finish(world.now()).await;
    assert_eq!(refusal(&submitted), Some(Reason::RequestIdConflict));
    assert!(world.gate().jobs(SYSTEM.id()).unwrap().is_empty());
    assert_eq!(acts(&world, "job.submitted"), 0);
    tidied(&world).await;
    assert_eq!(number(&world, PARTS), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_submission_whose_caller_leaves_takes_its_request_id_all_the_same() {
    let spec = SystemSpec { request_ids: RequestIdMode::Strict, ..SystemSpec::default() };
    let world = TestWorld::build().with_system(spec).start().await;
    let (plan, caller) = (SYSTEM.plan(), world.caller(&SYSTEM.plan()));
    let filter = ListFilter { sex: Some(Sex::Female), ..ListFilter::default() };
    let head = new_job(&plan, "DS-1").head;
    let mut query = world.verify(&plan, &world.people[0]);
    query.request_id = head.request_id.clone();
    let new = NewJob { kind: JobKind::List(filter), head, digest: [1; 16] };
    let intake = world.gate().begin_job(&caller, new).await.unwrap();
    let writer = world.hold_writer().await;
    // The connection breaks while the commit is under way.
    let wait = std::time::Duration::from_millis(100);
    let finished = tokio::time::timeout(wait, intake.finish(world.now())).await;
    assert!(finished.is_err(), "{finished:?}");
    writer.release().await;
    until("it is a job", async || number(&world, "SELECT COUNT(*) FROM job WHERE state = 1") == 1)
        .await;
    let reply = world.ask(&plan, &query).await;
    assert_eq!(reason(&reply), Some(Reason::RequestIdConflict));
    assert_eq!(acts(&world, "job.submitted"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_f1_the_criteria_of_a_list_are_journaled() {
    let lines = vec![(Service::CitizenList, 1_000, 10)];
    let spec = SystemSpec { lines, ..SystemSpec::default() };
    let world = TestWorld::build().with_system(spec).start().await;
    let place = ListPlace { province: 1, commune: 4, dataset: Dataset::Y2026 };
    let filter = ListFilter {
        place: Some(place),
        ages: Some((18, 60)),
        blood: Some(BloodGroup::A),
        sex: Some(Sex::Female),
        ethnicity: Some(1),
        religion: Some(2),
    };
    let list = |id: &str, filter| {
        let head = new_job(&SYSTEM.plan(), id).head;
        NewJob { kind: JobKind::List(filter), head, digest: [1; 16] }
    };
    let caller = world.caller(&SYSTEM.plan());
    let one = ListFilter { sex: Some(Sex::Male), ..ListFilter::default() };
    for new in [list("DS-1", filter), list("DS-2", one)] {
        assert!(matches!(world.gate().submit_list(&caller, new).await, Submitted::New(_)));
    }
    let entries = world.entries();
    let details: Vec<_> = entries
        .iter()
        .filter_map(|e| match &e.body {
            Body::Act(act) if act.kind == "job.submitted" => Some(act.detail.as_str()),
            _ => None,
        })
        .collect();
    let [blood, women] = [BloodGroup::A.code(), Sex::Female.code()];
    let all = format!(
        "; criteria place 01/00004 of {}, ages 18-60, blood group {blood:02}, sex {women}, \
         ethnicity 01, religion 02",
        Dataset::Y2026.date()
    );
    assert!(details[0].ends_with(&all), "{}", details[0]);
    assert!(details[1].ends_with(&format!("; criteria sex {}", Sex::Male.code())));
    assert!(details[0].len() < 400, "{}", details[0].len());
}
