//! What is told: granted to the system and to the procedure, and about the right person.

use dancu_domain::person::{Person, VitalStatus};
use dancu_domain::refusal::Reason;
use dancu_domain::rule::RuleId;
use dancu_domain::service::{Field, FieldSet};
use dancu_gate::query::{Answer, Ask, Claim, ClaimResult, ClaimValue, Relation, Reply};

use crate::support::*;

const SYSTEM: TestSystem = TestSystem(1);
const KEYS: FieldSet =
    FieldSet::of(&[Field::PersonalId, Field::OldId, Field::FullName, Field::DateOfBirth]);

async fn world(fields: FieldSet, procedure_fields: FieldSet) -> TestWorld {
    let spec = SystemSpec { fields, procedure_fields, ..SystemSpec::default() };
    TestWorld::build().with_system(spec).start().await
}

fn child(world: &TestWorld) -> &Person {
    world.person(|p| {
        let known = |r: &Option<dancu_domain::person::Relative>| {
            r.as_ref().is_some_and(|r| r.personal_id.is_some())
        };
        known(&p.father) && known(&p.mother)
    })
}

async fn relation(world: &TestWorld, kinds: &[Relation], parent: Relation) -> Reply {
    let child = child(world);
    let of = if parent == Relation::Father { &child.father } else { &child.mother };
    let other = relative(of.as_ref().unwrap());
    let ask = Ask::Relation(kinds.to_vec(), Box::new(other));
    let query = world.query(&SYSTEM.plan(), by_personal_id(child), ask);
    world.ask(&SYSTEM.plan(), &query).await
}

fn result(reply: &Reply) -> Result<ClaimResult, Reason> {
    match &reply.result {
        Ok(Answer::Checked { result, .. }) => Ok(*result),
        Ok(other) => panic!("{other:?}"),
        Err(denied) => Err(denied.refusal.reason),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_a4_only_what_system_and_procedure_are_granted_is_told() {
    let system = KEYS.or(FieldSet::of(&[Field::Sex, Field::Religion]));
    let procedure = KEYS.or(FieldSet::of(&[Field::Sex, Field::Ethnicity]));
    let world = world(system, procedure).await;
    let person = &world.people[0];
    let query = world.query(&SYSTEM.plan(), by_personal_id(person), Ask::Lookup);
    let reply = world.ask(&SYSTEM.plan(), &query).await;
    let Ok(Answer::Citizen { citizen, .. }) = &reply.result else { panic!("{reply:?}") };
    assert_eq!(citizen.fields(), KEYS.or(FieldSet::of(&[Field::Sex])));
    assert_eq!(citizen.personal_id(), Some(person.personal_id));
    assert_eq!(citizen.sex(), Some(person.sex));
    assert_eq!((citizen.religion(), citizen.ethnicity(), citizen.vital()), (None, None, None));
    assert_eq!(world.last_query().fields, citizen.fields().bits());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_a4_a_claim_about_a_field_that_is_not_granted_is_refused() {
    let both = KEYS.or(FieldSet::of(&[Field::Sex]));
    let more = both.or(FieldSet::of(&[Field::Religion]));
    for (system, procedure) in [(both, more), (more, both)] {
        let world = world(system, procedure).await;
        let person = &world.people[0];
        let sex = Claim { field: Field::Sex, value: ClaimValue::Sex(person.sex) };
        let religion = Claim { field: Field::Religion, value: ClaimValue::Code(person.religion) };
        let ask = async |claims: Vec<Claim>| {
            let query = world.query(&SYSTEM.plan(), by_personal_id(person), Ask::Verify(claims));
            world.ask(&SYSTEM.plan(), &query).await
        };
        let reply = ask(vec![sex.clone()]).await;
        let Ok(Answer::Match { claims, alive, .. }) = &reply.result else { panic!("{reply:?}") };
        assert_eq!(claims, &[(Field::Sex, ClaimResult::Match)]);
        assert_eq!(*alive, None, "vitalStatus is not granted");
        let refused = ask(vec![sex, religion]).await;
        assert_eq!(reason(&refused), Some(Reason::FieldNotGranted));
        assert_eq!(Reason::FieldNotGranted.rule(), RuleId::A4);
        assert_eq!(world.last_query().rule, "A4");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alive_stands_on_a_match_where_vital_status_is_granted() {
    let world = world(FieldSet::ALL, FieldSet::ALL).await;
    let vital = |wanted: fn(&VitalStatus) -> bool| world.person(|p| wanted(&p.vital)).clone();
    for (person, expected) in [
        (vital(|v| matches!(v, VitalStatus::Alive)), Some(true)),
        (vital(|v| matches!(v, VitalStatus::Dead(_))), Some(false)),
        (vital(|v| matches!(v, VitalStatus::Missing(_))), None),
    ] {
        let reply = world.ask_verify(&SYSTEM.plan(), &person).await;
        let Ok(Answer::Match { alive, .. }) = reply.result else { panic!("{reply:?}") };
        assert_eq!(alive, Some(expected));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_relations_only_the_granted_ones_are_looked_at() {
    let all = [Relation::Father, Relation::Mother, Relation::Spouse];
    let world = world(KEYS.or(FieldSet::of(&[Field::Mother])), FieldSet::ALL).await;
    assert_eq!(result(&relation(&world, &all, Relation::Mother).await), Ok(ClaimResult::Match));
    let asked = FieldSet::of(&[Field::Mother]).bits();
    assert_eq!(world.last_query().fields_asked, asked);
    // The father would fit, but may not be looked at.
    let father = relation(&world, &all, Relation::Father).await;
    assert_eq!(result(&father), Ok(ClaimResult::Mismatch));
    let alone = relation(&world, &[Relation::Father], Relation::Father).await;
    assert_eq!(result(&alone), Err(Reason::FieldNotGranted));
    let neither = [Relation::Father, Relation::Spouse];
    let refused = relation(&world, &neither, Relation::Father).await;
    assert_eq!(result(&refused), Err(Reason::FieldNotGranted));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_relations_only_those_of_the_procedure_are_looked_at() {
    let all = [Relation::Father, Relation::Mother, Relation::Spouse];
    let procedure = KEYS.or(FieldSet::of(&[Field::Mother]));
    let world = world(FieldSet::ALL, procedure).await;
    assert_eq!(result(&relation(&world, &all, Relation::Mother).await), Ok(ClaimResult::Match));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_holders_of_one_old_id_are_told_apart_by_name_and_birth() {
    let world = world(FieldSet::ALL, FieldSet::ALL).await;
    let (first, second) = holders(&world);
    for person in [first, second] {
        let subject = by_old_id(person, first.old_ids[0]);
        let query = world.query(&SYSTEM.plan(), subject, Ask::Lookup);
        let reply = world.ask(&SYSTEM.plan(), &query).await;
        let Ok(Answer::Citizen { citizen, .. }) = &reply.result else { panic!("{reply:?}") };
        assert_eq!(citizen.personal_id(), Some(person.personal_id));
        assert_eq!(citizen.old_id(), Some(first.old_ids[0]));
    }
    // The name of one with the birth date of the other fits nobody.
    let mut mixed = by_old_id(first, first.old_ids[0]);
    mixed.birth = second.birth;
    let query = world.query(&SYSTEM.plan(), mixed, Ask::Lookup);
    assert!(matches!(world.ask(&SYSTEM.plan(), &query).await.result, Ok(Answer::NoMatch)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_holders_of_one_old_id_who_both_fit_are_no_match() {
    let world = TestWorld::build()
        .people(|households| {
            let all: Vec<Person> = households.iter().flat_map(|h| h.members.clone()).collect();
            let (first, second) = shared(&all);
            let (name, birth) = (first.full_name.clone(), first.birth);
            let id = second.personal_id;
            let members = households.iter_mut().flat_map(|h| &mut h.members);
            for person in members.filter(|p| p.personal_id == id) {
                (person.full_name, person.birth) = (name.clone(), birth);
            }
        })
        .with_system(SystemSpec::default())
        .start()
        .await;
    let (first, second) = holders(&world);
    assert_eq!(first.birth, second.birth);
    let subject = by_old_id(first, first.old_ids[0]);
    let query = world.query(&SYSTEM.plan(), subject, Ask::Verify(vec![]));
    let reply = world.ask(&SYSTEM.plan(), &query).await;
    assert!(matches!(reply.result, Ok(Answer::NoMatch)), "{reply:?}");
    assert_eq!(world.last_query().subjects.len(), 1);
    // By their personal ids each is found.
    for person in [first, second] {
        let reply = world.ask_verify(&SYSTEM.plan(), person).await;
        assert!(matches!(reply.result, Ok(Answer::Match { .. })));
    }
}

fn holders(world: &TestWorld) -> (&Person, &Person) {
    shared(&world.people)
}

fn shared(people: &[Person]) -> (&Person, &Person) {
    people
        .iter()
        .enumerate()
        .flat_map(|(i, a)| people[i + 1..].iter().map(move |b| (a, b)))
        .find(|(a, b)| a.old_ids.first().is_some_and(|o| b.old_ids.contains(o)))
        .unwrap()
}
