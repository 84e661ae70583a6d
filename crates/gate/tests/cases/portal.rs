//! An officer asks at the counter: the same path under its own protocol and channel, with the
//! sources of what was compared, and no field delivered that is not shown.

use std::net::IpAddr;

use dancu_domain::person::MaritalStatus;
use dancu_domain::refusal::Reason;
use dancu_domain::registration::Channel;
use dancu_domain::service::{Field, FieldSet, Service, Window};
use dancu_gate::Caller;
use dancu_gate::path::Protocol;
use dancu_gate::query::{Answer, Ask, Claim, ClaimValue};
use dancu_journal::Decision;

use crate::support::*;

const SYSTEM: TestSystem = TestSystem(1);

fn caller(world: &TestWorld) -> Caller {
    let snapshot = world.gate().snapshot();
    let system = snapshot.by_id(SYSTEM.id()).unwrap();
    Caller::by_portal(system, IpAddr::from([10, 0, 0, 7]), world.now())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_a2_the_counter_is_a_channel_of_its_own() {
    let world = TestWorld::build().with_system(SystemSpec::default()).start().await;
    let (officer, person) = (SYSTEM.officer(), &world.people[0]);
    let caller = caller(&world);
    assert_eq!((caller.protocol, caller.channel), (Protocol::Portal, Channel::Portal));
    let claim = Claim { field: Field::MaritalStatus, value: ClaimValue::Marital(person.marital) };
    let query = world.query(&officer, by_personal_id(person), Ask::Verify(vec![claim]));
    let reply = world.gate().ask(&caller, &query).await;
    let Ok(Answer::Match { sources, claims, .. }) = &reply.result else { panic!("{reply:?}") };
    let stamped = |field| sources.iter().find(|(f, _)| *f == field).map(|(_, stamp)| *stamp);
    for field in [Field::PersonalId, Field::FullName, Field::DateOfBirth, Field::MaritalStatus] {
        assert_eq!(stamped(field), Some(person.sources.of(field)), "{field:?}");
    }
    assert_eq!(sources.len(), 4);
    assert_eq!(claims.len(), 1);
    let entry = world.last_query();
    assert_eq!((entry.protocol, entry.channel), (4, Channel::Portal as u8));
    assert_eq!(entry.source, [10, 0, 0, 7]);
    // The same count as any other question's, once.
    let line = SYSTEM.line(Service::CitizenVerify, Window::InHours);
    assert_eq!(world.used(line), 1);
    let again = world.gate().ask(&caller, &query).await;
    assert!(again.result.is_ok());
    assert_eq!((world.last_query().decision, world.used(line)), (Decision::Repeat, 1));
    // By any other protocol nobody is told where it comes from.
    let plain = world.ask_verify(&officer, person).await;
    let Ok(Answer::Match { sources, .. }) = plain.result else { panic!("no match") };
    assert!(sources.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_a4_only_the_fields_asked_are_delivered_and_journaled() {
    let fields = FieldSet::of(&[Field::FullName, Field::Religion, Field::Ethnicity]);
    let spec = SystemSpec { fields, ..SystemSpec::default() };
    let world = TestWorld::build().with_system(spec).start().await;
    let person = world.person(|p| p.marital != MaritalStatus::Unknown);
    let one = FieldSet::of(&[Field::Religion]);
    let query = world.query(&SYSTEM.officer(), by_personal_id(person), Ask::Fields(one));
    let reply = world.gate().ask(&caller(&world), &query).await;
    let Ok(Answer::Citizen { citizen, .. }) = &reply.result else { panic!("{reply:?}") };
    assert_eq!(citizen.fields(), one);
    assert_eq!((citizen.religion(), citizen.full_name()), (Some(person.religion), None));
    assert_eq!(citizen.stamp(Field::Religion), Some(person.sources.of(Field::Religion)));
    assert_eq!(citizen.stamp(Field::FullName), None);
    let entry = world.last_query();
    assert_eq!((entry.fields_asked, entry.fields), (one.bits(), one.bits()));
    assert_eq!(entry.service, Service::CitizenLookup as u8);
    // A field beyond the grant is refused before the registry is read.
    let more = FieldSet::of(&[Field::Religion, Field::BloodGroup]);
    let query = world.query(&SYSTEM.officer(), by_personal_id(person), Ask::Fields(more));
    let reply = world.gate().ask(&caller(&world), &query).await;
    assert_eq!(reason(&reply), Some(Reason::FieldNotGranted));
    assert_eq!(world.last_query().fields, 0);
}
