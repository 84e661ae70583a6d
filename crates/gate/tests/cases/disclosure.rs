//! A refusal tells nothing about the person: not by its text, its counts, nor by what was read.

use dancu_domain::ids::SubjectId;
use dancu_domain::person::{Country, Dataset, MaritalStatus};
use dancu_domain::refusal::Reason;
use dancu_domain::registration::ConnectionState;
use dancu_domain::service::{Field, FieldSet, Service, Window};
use dancu_gate::query::{
    AddressQuery, Answer, Ask, Claim, ClaimResult, ClaimValue, CorrelationId, DisclosedHousehold,
    Query, Relation, RelativeQuery, Reply,
};

use crate::support::*;

const SYSTEM: TestSystem = TestSystem(1);

/// The reply but for its ids.
fn told(reply: Reply) -> String {
    let same = CorrelationId([0; 16]);
    format!("{:?}", Reply { correlation: same, journal_index: None, ..reply })
}

async fn small() -> TestWorld {
    let spec = SystemSpec { fields: FieldSet::EMPTY, ..SystemSpec::verify(1, 1) };
    let suspended = SystemSpec { state: ConnectionState::Suspended, ..SystemSpec::verify(10, 10) };
    TestWorld::build().with_system(spec).with_system(suspended).start().await
}

/// The same question about somebody and about nobody.
fn pair(world: &TestWorld, account: &TestAccount, ask: &Ask) -> [Query; 2] {
    let somebody = &world.people[0];
    [by_personal_id(somebody), world.nobody(somebody)]
        .map(|subject| world.query(account, subject, ask.clone()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn early_refusals_do_not_tell_whether_the_person_exists() {
    let world = small().await;
    let claim = Claim { field: Field::Sex, value: ClaimValue::Code(1) };
    let plain = Ask::Verify(vec![]);
    let cases = [
        (SYSTEM.revoked(), plain.clone(), Reason::AccountUnknown),
        (TestSystem(2).officer(), plain.clone(), Reason::ConnectionNotLive),
        (SYSTEM.officer(), Ask::Lookup, Reason::ServiceNotGranted),
        (SYSTEM.officer(), Ask::Verify(vec![claim]), Reason::FieldNotGranted),
    ];
    for (account, ask, expected) in cases {
        let [somebody, nobody] = pair(&world, &account, &ask);
        let (a, b) = (world.ask(&account, &somebody).await, world.ask(&account, &nobody).await);
        assert_eq!(reason(&a), Some(expected));
        assert_eq!(told(a), told(b));
    }
    // A used-up line, and an id used with another body.
    let account = SYSTEM.plan();
    let first = world.verify(&account, &world.people[1]);
    world.ask(&account, &first).await;
    let [somebody, nobody] = pair(&world, &account, &plain);
    let (a, b) = (world.ask(&account, &somebody).await, world.ask(&account, &nobody).await);
    assert_eq!(reason(&a), Some(Reason::LineUsedUp));
    assert_eq!(told(a), told(b));
    let [somebody, nobody] =
        pair(&world, &account, &plain).map(|q| Query { request_id: first.request_id.clone(), ..q });
    let (a, b) = (world.ask(&account, &somebody).await, world.ask(&account, &nobody).await);
    assert_eq!(reason(&a), Some(Reason::RequestIdConflict));
    assert_eq!(told(a), told(b));
}

/// Late: the registry was read, and the line filled up before the question was settled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_refusals_do_not_tell_whether_the_person_exists() {
    let world = small().await;
    let account = SYSTEM.plan();
    let held = world.hold_writer().await;
    let first = world.start(world.caller(&account), world.verify(&account, &world.people[1]));
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let late = pair(&world, &account, &Ask::Verify(vec![]))
        .map(|query| world.start(world.caller(&account), query));
    held.release().await;
    assert_eq!(reason(&first.await.unwrap()), None);
    let [a, b] = late;
    let (a, b) = (a.await.unwrap(), b.await.unwrap());
    assert_eq!(reason(&a), Some(Reason::LineUsedUp));
    assert_eq!(told(a), told(b));
    assert_eq!(world.used(SYSTEM.line(Service::CitizenVerify, Window::InHours)), 1);
    for entry in &world.entries()[2..] {
        let q = query_of(entry);
        assert_eq!((q.answer, q.fields, q.subjects.len()), (0, 0, 1));
        assert!(!q.subjects[0].delivered);
    }
}

/// No such id, another name and another birth date are one answer, and one count each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mismatch_does_not_say_which_key_differs() {
    let world = TestWorld::build().with_system(SystemSpec::verify(10, 10)).start().await;
    let account = SYSTEM.officer();
    let (person, other) = (
        &world.people[0],
        world.person(|p| {
            let first = &world.people[0];
            p.full_name != first.full_name && p.birth.year() != first.birth.year()
        }),
    );
    let keys = by_personal_id(person);
    let subjects = [
        world.nobody(person),
        dancu_gate::query::Subject { name: by_personal_id(other).name, ..keys.clone() },
        dancu_gate::query::Subject { birth: other.birth, ..keys },
    ];
    for (i, subject) in subjects.into_iter().enumerate() {
        let query = world.query(&account, subject, Ask::Verify(vec![]));
        let reply = world.ask(&account, &query).await;
        assert!(matches!(reply.result, Ok(Answer::NoMatch)), "{i}");
        assert_eq!(reply.usage.unwrap().remaining, 9 - i as u32);
        let entry = world.last_query();
        assert_eq!((entry.answer, entry.subjects.len()), (2, 1));
        assert!(!entry.subjects[0].delivered);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_can_be_asked_about_by_its_own_system_only() {
    let world = small().await;
    let refused = world.ask_verify(&SYSTEM.revoked(), &world.people[0]).await;
    let gate = world.gate();
    let own = gate.refusal(SYSTEM.id(), refused.correlation).unwrap().unwrap();
    assert_eq!(Some(own.index), refused.journal_index);
    assert!(gate.refusal(TestSystem(2).id(), refused.correlation).unwrap().is_none());
    let mut guessed = refused.correlation;
    guessed.0[15] ^= 1;
    assert!(gate.refusal(SYSTEM.id(), guessed).unwrap().is_none());
    let answered = world.ask_verify(&SYSTEM.plan(), &world.people[0]).await;
    assert!(gate.refusal(SYSTEM.id(), answered.correlation).unwrap().is_none());
}

/// A relative's birth date stands in the relative's own record only: who learns whether it agrees
/// was told about the relative, and is found by the relative too (F3).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_f3_a_relative_whose_own_record_answers_is_named() {
    let world = TestWorld::build().with_system(SystemSpec::default()).start().await;
    let account = SYSTEM.plan();
    let child = world.person(|p| p.father.as_ref().is_some_and(|f| f.personal_id.is_some()));
    let father = child.father.as_ref().unwrap();
    let own = world.by_id(father.personal_id.unwrap());
    let id = SubjectId::Personal(own.personal_id);
    let plain = relative(father);
    let dated = RelativeQuery { birth: Some(own.birth), ..plain.clone() };
    let wrong = RelativeQuery { birth: Some(child.birth), ..plain.clone() };
    let claimed = |other: &RelativeQuery| {
        let value = ClaimValue::Relative(Box::new(other.clone()));
        Ask::Verify(vec![Claim { field: Field::Father, value }; 2])
    };
    let checked = |other: &RelativeQuery| {
        Ask::Relation(vec![Relation::Mother, Relation::Father], Box::new(other.clone()))
    };
    let mut expected = vec![];
    for (ask, told, result) in [
        (claimed(&plain), false, ClaimResult::Match),
        (checked(&plain), false, ClaimResult::Match),
        (claimed(&dated), true, ClaimResult::Match),
        (checked(&dated), true, ClaimResult::Match),
        (claimed(&wrong), true, ClaimResult::Mismatch),
    ] {
        let query = world.query(&account, by_personal_id(child), ask);
        let reply = world.ask(&account, &query).await;
        match &reply.result {
            Ok(Answer::Match { claims, .. }) => assert!(claims.iter().all(|c| c.1 == result)),
            Ok(Answer::Checked { result: found, .. }) => assert_eq!(*found, result),
            other => panic!("{other:?}"),
        }
        let entry = world.last_query();
        assert_eq!(entry.subjects.len(), if told { 2 } else { 1 });
        assert!(entry.subjects.iter().all(|s| s.delivered));
        assert_eq!(entry.counted, 1);
        if told {
            expected.push(reply.journal_index.unwrap());
        }
    }
    let found = world.store().entries_about(id, 10).unwrap();
    assert_eq!(found.iter().map(|e| e.index).collect::<Vec<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn debug_output_of_questions_and_answers_tells_nothing_of_the_person() {
    let world = TestWorld::build().with_system(SystemSpec::default()).start().await;
    let account = SYSTEM.plan();
    let address = AddressQuery {
        province: 1,
        district: 0,
        commune: 4,
        detail: Some("Số 17, đường Hoa Ban".into()),
        country: Some(Country::VN),
        dataset: Dataset::Y2026,
    };
    let claims = [
        (Field::Religion, ClaimValue::Code(13)),
        (Field::HouseholdNumber, ClaimValue::Text("HK-0001".into())),
        (Field::MaritalStatus, ClaimValue::Marital(MaritalStatus::Married)),
        (Field::PermanentResidence, ClaimValue::Address(address.clone())),
    ];
    let claims = claims.map(|(field, value)| Claim { field, value }).to_vec();
    for ask in [
        Ask::Verify(claims),
        Ask::Residence(address),
        Ask::Marital(MaritalStatus::Married),
        Ask::Vital(2),
    ] {
        let query = world.query(&account, by_personal_id(&world.people[0]), ask);
        let shown = format!("{:?} {:?}", query.ask, query.subject);
        for value in ["Hoa Ban", "HK-0001", "Married", "13", "(2)", "province", "VN"] {
            assert!(!shown.contains(value), "{value} in {shown}");
        }
    }
    let number = Some("HK-0001".to_owned());
    let household = DisclosedHousehold { number, members: vec![], size: 3 };
    assert_eq!(format!("{household:?}"), "DisclosedHousehold(***)");
    let query = world.query(&account, by_personal_id(&world.people[0]), Ask::BloodGroup);
    let answer = world.ask(&account, &query).await.result;
    assert_eq!(format!("{answer:?}"), "Ok(Blood(***))");
}
