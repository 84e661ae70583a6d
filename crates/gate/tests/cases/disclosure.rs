//! A refusal tells nothing about the person: not by its text, its counts, nor by what was read.

use dancu_domain::refusal::Reason;
use dancu_domain::registration::ConnectionState;
use dancu_domain::service::{Field, FieldSet, Service, Window};
use dancu_gate::query::{Answer, Ask, Claim, ClaimValue, CorrelationId, Query, Reply};

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
