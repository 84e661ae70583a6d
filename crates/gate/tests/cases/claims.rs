//! How what a caller holds compares with the record, and what refusals say beside their reason.

use dancu_domain::ids::OfficerRef;
use dancu_domain::person::{Address, Country, Dataset, MaritalStatus, Person};
use dancu_domain::refusal::Reason;
use dancu_domain::service::{Field, FieldSet, Service};
use dancu_gate::path::{Caller, Protocol};
use dancu_gate::query::{
    AddressQuery, Answer, Ask, Claim, ClaimResult, ClaimValue, Query, Relation, RelativeQuery,
    Reply, Unreadable,
};

use crate::support::*;

const SYSTEM: TestSystem = TestSystem(1);

async fn world() -> TestWorld {
    TestWorld::build().with_system(SystemSpec::default()).start().await
}

async fn claim(world: &TestWorld, person: &Person, field: Field, value: ClaimValue) -> ClaimResult {
    let ask = Ask::Verify(vec![Claim { field, value }]);
    let query = world.query(&SYSTEM.plan(), by_personal_id(person), ask);
    let reply = world.ask(&SYSTEM.plan(), &query).await;
    let Ok(Answer::Match { claims, .. }) = &reply.result else { panic!("{reply:?}") };
    claims[0].1
}

fn nowhere() -> AddressQuery {
    AddressQuery {
        province: 0,
        district: 0,
        commune: 0,
        detail: None,
        country: None,
        dataset: Dataset::Y2026,
    }
}

fn at_home(world: &TestWorld) -> (&Person, &Address) {
    let person = world.person(|p| p.permanent.as_ref().is_some_and(|a| !a.detail.is_empty()));
    (person, person.permanent.as_ref().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_detail_is_compared_alone_where_no_code_is_stated() {
    let world = world().await;
    let (person, home) = at_home(&world);
    for (detail, expected) in [
        (home.detail.to_uppercase(), ClaimResult::Match),
        (format!("{} phụ", home.detail), ClaimResult::Mismatch),
        ("-".to_owned(), ClaimResult::Mismatch),
    ] {
        let asked = AddressQuery { detail: Some(detail), ..nowhere() };
        let value = ClaimValue::Address(asked);
        assert_eq!(claim(&world, person, Field::PermanentResidence, value).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_country_is_another_address() {
    let world = world().await;
    let (person, home) = at_home(&world);
    let asked = AddressQuery { province: home.province, dataset: home.dataset, ..nowhere() };
    for (country, expected) in [("VN", ClaimResult::Match), ("LA", ClaimResult::Mismatch)] {
        let asked = AddressQuery { country: Country::parse(country), ..asked.clone() };
        let value = ClaimValue::Address(asked);
        let found = claim(&world, person, Field::PermanentResidence, value).await;
        assert_eq!(found, expected, "{country}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_district_must_be_that_of_the_record() {
    let world = world().await;
    let person = world.person(|p| {
        p.birth_place.as_ref().is_some_and(|a| a.dataset == Dataset::Y2024 && a.commune > 0)
    });
    let place = person.birth_place.as_ref().unwrap();
    let own = dancu_domain::geo::commune(Dataset::Y2024, place.commune).unwrap().district.unwrap();
    for (district, expected) in [(own, ClaimResult::Match), (own + 1, ClaimResult::Mismatch)] {
        let asked = AddressQuery { district, dataset: Dataset::Y2024, ..nowhere() };
        let found = claim(&world, person, Field::BirthPlace, ClaimValue::Address(asked)).await;
        assert_eq!(found, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relative_of_another_nationality_is_another() {
    let world = world().await;
    let person = world.person(|p| p.father.is_some());
    let father = person.father.as_ref().unwrap();
    for (country, expected) in [("VN", ClaimResult::Match), ("LA", ClaimResult::Mismatch)] {
        let asked = RelativeQuery { nationality: Country::parse(country), ..relative(father) };
        let value = ClaimValue::Relative(Box::new(asked));
        assert_eq!(claim(&world, person, Field::Father, value).await, expected, "{country}");
    }
}

/// A claim and a check of the same relative say the same. Without a registered spouse there is
/// none; a parent who is not on record exists all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relative_who_is_not_on_record_is_told_alike_in_claim_and_check() {
    let world = world().await;
    let single = world.person(|p| p.spouse.is_none() && p.marital == MaritalStatus::Single);
    let fatherless = world.person(|p| p.father.is_none());
    for (person, relation, expected) in [
        (single, Relation::Spouse, ClaimResult::Mismatch),
        (fatherless, Relation::Father, ClaimResult::Unknown),
    ] {
        let other = relative(&dancu_domain::person::Relative {
            full_name: person.full_name.clone(),
            personal_id: None,
            old_id: None,
            nationality: Country::VN,
        });
        let value = ClaimValue::Relative(Box::new(other.clone()));
        assert_eq!(claim(&world, person, relation.field(), value).await, expected);
        let ask = Ask::Relation(vec![relation], Box::new(other));
        let query = world.query(&SYSTEM.plan(), by_personal_id(person), ask);
        let reply = world.ask(&SYSTEM.plan(), &query).await;
        let Ok(Answer::Checked { result, .. }) = reply.result else { panic!("{reply:?}") };
        assert_eq!(result, expected);
    }
}

/// What the answer tells stands in the entry: REST tells every member's role, SOAP what is granted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_f3_the_role_is_journaled_where_it_is_told() {
    let granted = FieldSet::of(&[Field::FullName]);
    let spec = SystemSpec { fields: granted, ..SystemSpec::default() };
    let world = TestWorld::build().with_system(spec).start().await;
    let person = world.person(|p| p.household.is_some());
    for protocol in [Protocol::Rest, Protocol::Soap] {
        let caller = Caller { protocol, ..world.caller(&SYSTEM.plan()) };
        let query = world.query(&SYSTEM.plan(), by_personal_id(person), Ask::Household);
        let reply = world.gate().ask(&caller, &query).await;
        let Ok(Answer::Household { household: Some(told), .. }) = &reply.result else {
            panic!("{reply:?}")
        };
        assert_eq!(told.size, told.members.len());
        let tells_role = protocol == Protocol::Rest;
        assert!(told.members.iter().all(|m| m.household_role().is_some() == tells_role));
        let fields = told.members[0].fields();
        assert_eq!(fields.contains(Field::HouseholdRole), tells_role);
        assert_eq!(world.last_query().fields, fields.bits());
    }
}

fn named(world: &TestWorld, person: &Person, second: &str) -> Query {
    let query = world.verify(&SYSTEM.plan(), person);
    Query { second_name: Some(OfficerRef::parse(second).unwrap()), ..query }
}

/// TaiKhoan and MaCanBo must name one account; another's and nobody's look alike.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e1_two_names_of_two_accounts_are_refused() {
    let world = world().await;
    let person = &world.people[0];
    let own = SYSTEM.plan().login.to_uppercase();
    let reply = world.ask(&SYSTEM.plan(), &named(&world, person, &own)).await;
    assert_eq!(reason(&reply), None);
    for second in [SYSTEM.officer().login, SYSTEM.revoked().login, "nobody.here".to_owned()] {
        let reply = world.ask(&SYSTEM.plan(), &named(&world, person, &second)).await;
        assert_eq!(reason(&reply), Some(Reason::AccountUnknown), "{second}");
        let entry = world.last_query();
        assert_eq!(entry.officer, format!("{}\t{second}", SYSTEM.plan().login));
        assert_eq!((entry.account, entry.rule.as_str()), (0, "E1"));
    }
}

fn left(reply: &Reply) -> Option<u32> {
    reply.usage.map(|usage| usage.remaining)
}

/// D2: "Remaining and reset time stand on accepted and refused answers."
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d2_refusals_say_what_is_left() {
    let lines = vec![(Service::CitizenVerify, 20, 10)];
    let fields = FieldSet::of(&[Field::FullName]);
    let spec = SystemSpec { lines, fields, case_required: true, ..SystemSpec::default() };
    let world = TestWorld::build().with_system(spec).start().await;
    let person = &world.people[0];
    assert_eq!(left(&world.ask_verify(&SYSTEM.plan(), person).await), Some(19));
    let ask = async |change: &dyn Fn(&mut Query)| {
        let mut query = world.verify(&SYSTEM.plan(), person);
        change(&mut query);
        world.ask(&SYSTEM.plan(), &query).await
    };
    let sex = Claim { field: Field::Sex, value: ClaimValue::Sex(person.sex) };
    let officer = |login: &str| OfficerRef::parse(login).unwrap();
    let unknown = ask(&|q| q.officer = officer("nobody.here")).await;
    let dead = ask(&|q| q.officer = officer(&SYSTEM.revoked().login)).await;
    let without_case = ask(&|q| q.case = None).await;
    let not_granted = ask(&|q| q.ask = Ask::Verify(vec![sex.clone()])).await;
    for (reply, expected) in [
        (&unknown, Reason::AccountUnknown),
        (&dead, Reason::AccountUnknown),
        (&without_case, Reason::CaseCodeMissing),
        (&not_granted, Reason::FieldNotGranted),
    ] {
        assert_eq!((reason(reply), left(reply)), (Some(expected), Some(19)));
        assert_eq!(reply.usage.unwrap().resets_at, unknown.usage.unwrap().resets_at);
    }
    // Input that is missing is named.
    let errors = without_case.result.unwrap_err().errors;
    assert_eq!(errors.iter().map(|e| e.field.as_str()).collect::<Vec<_>>(), ["caseCode"]);
    // Nothing is known of a line that is not registered.
    let other = world.query(&SYSTEM.plan(), by_personal_id(person), Ask::Lookup);
    let reply = world.ask(&SYSTEM.plan(), &other).await;
    assert_eq!((reason(&reply), left(&reply)), (Some(Reason::ServiceNotGranted), None));
    // What could not be read says it too, where the service is known.
    for (service, expected) in [(Some(Service::CitizenVerify), Some(19)), (None, None)] {
        let unreadable = Unreadable { service, ..Unreadable::default() };
        let caller = world.caller(&SYSTEM.plan());
        let reply = world.gate().refuse_unreadable(&caller, &unreadable).await;
        assert_eq!(left(&reply), expected);
    }
}
