//! Lists: who is on them, what they tell, what they count, and what holds them.

use std::collections::BTreeSet;

use dancu_domain::ids::{OfficerRef, PersonalId, ProcedureCode, RequestId};
use dancu_domain::lines::LineDay;
use dancu_domain::person::{Person, Sex, VitalStatus};
use dancu_domain::refusal::Reason;
use dancu_domain::registration::AccountState;
use dancu_domain::service::{Field, FieldSet, Service, Window};
use dancu_gate::jobs::types::{
    ItemOutcome, JobHead, JobId, JobKind, JobState, JobStatus, ListFilter, ListPlace, NewJob,
    Scanned, Submitted,
};
use dancu_gate::jobs::{Ended, NotRead, Step, lists};
use dancu_gate::query::Disclosed;
use dancu_journal::{Body, Decision};

use crate::support::{
    MORNING, PROCEDURE, SystemSpec, TestAccount, TestSystem, TestWorld, at, reason,
};

const ONE: TestSystem = TestSystem(1);
const HOLDER: [u8; 16] = [7; 16];

pub(crate) fn women() -> ListFilter {
    ListFilter { sex: Some(Sex::Female), ages: Some((18, 60)), ..ListFilter::default() }
}

pub(crate) fn new_list(account: &TestAccount, id: &str, filter: &ListFilter) -> NewJob {
    let head = JobHead {
        request_id: RequestId::parse(id).unwrap(),
        officer: OfficerRef::parse(&account.login).unwrap(),
        procedure: ProcedureCode::parse(PROCEDURE).unwrap(),
        purpose: None,
        case: None,
        unit: None,
        x_road_user: None,
    };
    // The wire digests the request; here the filter's text stands for it.
    let mut digest = [0; 16];
    for (i, byte) in format!("{filter:?}").bytes().enumerate() {
        digest[i % 16] ^= byte.rotate_left(i as u32 / 16);
    }
    NewJob { kind: JobKind::List(filter.clone()), head, digest }
}

async fn submit(
    world: &TestWorld,
    account: &TestAccount,
    id: &str,
    filter: &ListFilter,
) -> Submitted {
    world.gate().submit_list(&world.caller(account), new_list(account, id, filter)).await
}

/// The id of a new list.
async fn listed(world: &TestWorld, filter: &ListFilter) -> JobId {
    match submit(world, &ONE.plan(), "list-1", filter).await {
        Submitted::New(job) => job.id,
        other => panic!("{other:?}"),
    }
}

async fn refused(world: &TestWorld, account: &TestAccount, filter: &ListFilter) -> Option<Reason> {
    match submit(world, account, "list-r", filter).await {
        Submitted::Refused(reply) => {
            assert!(reply.journal_index.is_some(), "a refusal is journaled");
            reason(&reply)
        }
        other => panic!("{other:?}"),
    }
}

/// Runs jobs until none may go on, `most` rows at the most.
async fn drive(world: &TestWorld, mut most: usize) {
    let gate = world.gate();
    while let Some(mut run) = gate.claim_job(world.now(), HOLDER, |_, _| true).await.unwrap() {
        loop {
            if most == 0 {
                return run.give_back(gate, world.now()).await.unwrap();
            }
            match run.step(gate, world.now(), most.min(16)).await.unwrap() {
                Step::Went(n) => most -= n,
                Step::Looked => {}
                Step::Paused | Step::Over => break,
                other => panic!("{other:?}"),
            }
        }
    }
}

fn status(world: &TestWorld, id: JobId) -> JobStatus {
    world.gate().job(ONE.id(), id).unwrap().unwrap()
}

/// Everybody who was told, page by page of 7.
async fn told(world: &TestWorld, id: JobId) -> Vec<Disclosed> {
    let (mut all, mut from) = (vec![], Some(1));
    while let Some(row) = from {
        let page = super::jobs::page(world, id, row, 7).await.unwrap();
        for result in page.results {
            match result.outcome {
                ItemOutcome::Listed(citizen) => all.push(*citizen),
                other => panic!("{other:?}"),
            }
        }
        from = page.next;
    }
    all
}

fn ids(people: &[Disclosed]) -> BTreeSet<PersonalId> {
    people.iter().filter_map(Disclosed::personal_id).collect()
}

/// Who should be on a list, by a look at the people themselves.
fn expected(world: &TestWorld, fits: impl Fn(&Person) -> bool) -> BTreeSet<PersonalId> {
    let alive = |p: &&Person| !matches!(p.vital, VitalStatus::Dead(_));
    world.people.iter().filter(alive).filter(|p| fits(p)).map(|p| p.personal_id).collect()
}

/// A woman who is 18 to 60 years old on 2 March 2026.
fn woman(p: &Person) -> bool {
    let born = p.birth.to_string();
    let in_range = match born.len() {
        4 => ("1966".."2009").contains(&born.as_str()),
        _ => ("1965-03-03".."2008-03-03").contains(&born.as_str()),
    };
    p.sex == Sex::Female && in_range
}

fn line_day(world: &TestWorld) -> LineDay {
    let line = ONE.line(Service::CitizenList, Window::InHours);
    let profile = world.store().profiles().at(world.now());
    let day = profile.hours.duty(world.now()).day;
    world.lines(|l| l.line_day(line, day))
}

/// Journal entries of persons told by lists: pseudonym, and persons counted.
fn entries(world: &TestWorld) -> Vec<([u8; 16], u32)> {
    let all = world.entries();
    let queries = all.iter().filter_map(|e| match &e.body {
        Body::Query(q) if q.service == Service::CitizenList as u8 => Some(q),
        _ => None,
    });
    queries
        .filter(|q| q.decision == Decision::Accepted)
        .map(|q| {
            assert!(q.subjects.len() == 1 && q.subjects[0].delivered, "one person, told");
            (q.subjects[0].pseudonym, q.counted)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d2_a_list_counts_each_person_once() {
    let fields = FieldSet::of(&[
        Field::PersonalId,
        Field::FullName,
        Field::Sex,
        Field::DateOfBirth,
        Field::BloodGroup,
    ]);
    let procedure = FieldSet::of(&[
        Field::PersonalId,
        Field::FullName,
        Field::Sex,
        Field::DateOfBirth,
        Field::Religion,
    ]);
    let spec = SystemSpec { fields, procedure_fields: procedure, ..SystemSpec::default() };
    let world = TestWorld::build().with_system(spec).start().await;
    let id = listed(&world, &women()).await;
    assert_eq!(status(&world, id).state, JobState::Waiting);
    drive(&world, usize::MAX).await;

    let people = told(&world, id).await;
    let expected = expected(&world, woman);
    assert!(expected.len() > 40, "the world has women to list");
    assert_eq!(ids(&people), expected);
    assert_eq!(people.len(), expected.len(), "nobody twice");
    // Fields: granted to the system and to the procedure.
    assert!(people.iter().all(|p| p.fields() == fields.and(procedure) && p.blood().is_none()));

    let job = status(&world, id);
    let count = expected.len() as u32;
    assert_eq!(job.state, JobState::Done);
    assert_eq!((job.counts.rows, job.counts.matched, job.counts.refused), (count, count, 0));
    assert_eq!(line_day(&world).used, count, "D2: one per person");
    told(&world, id).await;
    assert_eq!(line_day(&world).used, count, "a page that is read again counts nothing");
    let entries = entries(&world);
    assert_eq!(entries.len(), expected.len(), "one entry for each person");
    let subjects: BTreeSet<_> = entries.iter().map(|(subject, _)| *subject).collect();
    assert_eq!(subjects.len(), expected.len());
    assert!(entries.iter().all(|(_, counted)| *counted == 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d2_a_list_waits_for_the_next_day_and_is_no_exceedance() {
    let spec = SystemSpec { lines: vec![(Service::CitizenList, 20, 0)], ..SystemSpec::default() };
    let world = TestWorld::build().with_system(spec).start().await;
    let id = listed(&world, &women()).await;
    drive(&world, usize::MAX).await;
    let job = status(&world, id);
    assert!(
        matches!(job.state, JobState::Paused { reason: Reason::LineUsedUp, until: Some(until) }
            if until == at("2026-03-03T07:00:00+07:00")),
        "{:?}",
        job.state
    );
    assert_eq!(line_day(&world).used, 20, "never over the count");
    assert_eq!((line_day(&world).exceedances, line_day(&world).refused), (0, 0));
    assert_eq!(told(&world, id).await.len(), 20, "what was told can be read meanwhile");

    let expected = expected(&world, woman);
    let days = expected.len().div_ceil(20);
    for day in 1..days {
        world.set_clock(at(&format!("2026-03-{:02}T09:00:00+07:00", 2 + day)));
        drive(&world, usize::MAX).await;
        assert!(line_day(&world).used <= 20);
    }
    let job = status(&world, id);
    assert_eq!((job.state, job.counts.refused), (JobState::Done, 0));
    let people = told(&world, id).await;
    assert_eq!((ids(&people), people.len()), (expected.clone(), expected.len()));
    assert_eq!(entries(&world).len(), expected.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_a4_a_filter_asks_about_its_field() {
    let mut fields = FieldSet::ALL;
    fields = FieldSet::from_bits(fields.bits() & !FieldSet::of(&[Field::Religion]).bits());
    let spec = SystemSpec { fields, ..SystemSpec::default() };
    let world = TestWorld::build().with_system(spec).start().await;
    let religion = ListFilter { religion: Some(1), ..ListFilter::default() };
    assert_eq!(refused(&world, &ONE.plan(), &religion).await, Some(Reason::FieldNotGranted));
    assert!(world.gate().jobs(ONE.id()).unwrap().is_empty());
    assert_eq!(lists::fields(&religion), FieldSet::of(&[Field::Religion]));
    assert!(matches!(submit(&world, &ONE.plan(), "b", &women()).await, Submitted::New(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d5_a_list_needs_a_plan() {
    let world = TestWorld::build().with_system(SystemSpec::default()).start().await;
    let by_officer = refused(&world, &ONE.officer(), &women()).await;
    assert_eq!(by_officer, Some(Reason::PlanDoesNotCover));
    assert_eq!(refused(&world, &ONE.revoked(), &women()).await, Some(Reason::AccountUnknown));
    let without = SystemSpec::verify(100, 100);
    let world = TestWorld::build().with_system(without).start().await;
    assert_eq!(refused(&world, &ONE.plan(), &women()).await, Some(Reason::ServiceNotGranted));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_by_place_is_found_by_the_codes_of_its_list() {
    let world = TestWorld::build().with_system(SystemSpec::default()).start().await;
    let home = world.person(|p| p.current.is_some()).current.clone().unwrap();
    let commune = |p: &Person| p.current.as_ref().is_some_and(|a| a.commune == home.commune);
    let place = ListPlace { province: home.province, commune: home.commune, dataset: home.dataset };
    let filter = ListFilter { place: Some(place), ..ListFilter::default() };
    let id = listed(&world, &filter).await;
    drive(&world, usize::MAX).await;
    let expected = expected(&world, commune);
    assert!(!expected.is_empty());
    assert_eq!(ids(&told(&world, id).await), expected);
    // Nobody fits: the list is done and tells nobody.
    let nobody = ListFilter { ages: Some((149, 150)), ..ListFilter::default() };
    let Submitted::New(job) = submit(&world, &ONE.plan(), "none", &nobody).await else { panic!() };
    drive(&world, usize::MAX).await;
    let job = status(&world, job.id);
    assert_eq!((job.state, job.counts.rows), (JobState::Done, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_goes_on_after_a_restart_and_tells_nobody_twice() {
    let mut world = TestWorld::build().with_system(SystemSpec::default()).start().await;
    let id = listed(&world, &women()).await;
    drive(&world, 30).await;
    assert!(status(&world, id).counts.matched >= 30);
    world.reopen();
    drive(&world, usize::MAX).await;
    let people = told(&world, id).await;
    let expected = expected(&world, woman);
    assert_eq!((ids(&people), people.len()), (expected.clone(), expected.len()));
    assert_eq!(line_day(&world).used as usize, expected.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_is_cancelled_or_whose_account_goes_tells_nothing_further() {
    let world = TestWorld::build().with_system(SystemSpec::default()).start().await;
    let first = listed(&world, &women()).await;
    drive(&world, 16).await;
    // How many fit is told by nobody before they are counted and journaled.
    let counts = status(&world, first).counts;
    assert_eq!((counts.rows, counts.items, counts.matched), (16, 16, 16));
    let ended = world.gate().cancel_job(world.now(), ONE.id(), first).await.unwrap();
    let Some(Ended::Told(cancelled)) = ended else { panic!("{ended:?}") };
    assert_eq!((cancelled.state, cancelled.counts.rows), (JobState::Cancelled, 16));
    drive(&world, usize::MAX).await;
    assert_eq!(line_day(&world).used, 16);
    assert_eq!(told(&world, first).await.len(), 16, "what was told is kept");
    assert!(world.gate().delete_job(world.now(), ONE.id(), first).await.unwrap());
    assert!(world.gate().job(ONE.id(), first).unwrap().is_none());

    let Submitted::New(job) = submit(&world, &ONE.plan(), "list-2", &women()).await else {
        panic!()
    };
    drive(&world, 16).await;
    let account = ONE.plan().id;
    world
        .act("account.revoked", move |db, _| db.set_account_state(account, AccountState::Revoked))
        .await;
    drive(&world, usize::MAX).await;
    let job = status(&world, job.id);
    assert_eq!(job.state, JobState::Failed { reason: Reason::AccountUnknown });
    assert_eq!(line_day(&world).used, 32, "in force for every person after it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_may_tell_nobody_looks_for_nobody() {
    for (state, step) in
        [(AccountState::Suspended, Step::Paused), (AccountState::Revoked, Step::Over)]
    {
        let world = TestWorld::build().with_system(SystemSpec::default()).start().await;
        let id = listed(&world, &women()).await;
        let gate = world.gate();
        let run = gate.claim_job(world.now(), HOLDER, |_, _| true).await.unwrap();
        let account = ONE.plan().id;
        world.act("account", move |db, _| db.set_account_state(account, state)).await;
        gate.reload(world.now()).await.unwrap();
        assert_eq!(run.unwrap().step(gate, world.now(), 16).await.unwrap(), step);
        let job = status(&world, id);
        assert_eq!(job.state.reason(), Some(Reason::AccountUnknown));
        assert_eq!(job.counts.rows, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_id_names_one_list_of_one_system() {
    let world = TestWorld::build()
        .with_system(SystemSpec::default())
        .with_system(SystemSpec::default())
        .start()
        .await;
    let id = listed(&world, &women()).await;
    match submit(&world, &ONE.plan(), "list-1", &women()).await {
        Submitted::Same(job) => assert_eq!(job.id, id),
        other => panic!("{other:?}"),
    }
    let men = ListFilter { sex: Some(Sex::Male), ..ListFilter::default() };
    match submit(&world, &ONE.plan(), "list-1", &men).await {
        Submitted::Refused(reply) => assert_eq!(reason(&reply), Some(Reason::RequestIdConflict)),
        other => panic!("{other:?}"),
    }
    let two = TestSystem(2);
    assert!(world.gate().job(two.id(), id).unwrap().is_none());
    let other = world.caller(&two.plan());
    let foreign = world.gate().read_results(&other, id, (1, None), "page", None).await;
    assert!(matches!(foreign, Err(NotRead::NoSuchJob)));
    assert!(world.gate().cancel_job(world.now(), two.id(), id).await.unwrap().is_none());
    assert_eq!(world.now(), at(MORNING));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_passes_over_nobody_however_it_is_cut() {
    let world = TestWorld::build().with_system(SystemSpec::default()).start().await;
    let on = jiff::civil::date(2026, 3, 2);
    let registry = world.store().registry();
    let expected = expected(&world, woman);
    for (most, records) in [(1, 4_096), (7, 3), (256, 50), (256, 4_096)] {
        let (mut found, mut after) = (vec![], Some(0));
        while let Some(from) = after {
            let so_far = Scanned::after(from);
            let scanned = lists::scan(registry, &women(), on, so_far, most, records).unwrap();
            assert!(scanned.found.len() <= most && scanned.looked <= records);
            found.extend(scanned.found);
            after = scanned.next;
        }
        let ids: BTreeSet<_> = found
            .iter()
            .map(|s| match s.id {
                dancu_domain::ids::SubjectId::Personal(id) => id,
                dancu_domain::ids::SubjectId::Old(_) => panic!("by the personal id"),
            })
            .collect();
        assert_eq!((&ids, found.len()), (&expected, expected.len()), "{most}");
    }
}
