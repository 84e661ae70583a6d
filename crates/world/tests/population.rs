//! The population as a whole: determinism, counts, references, shares.

#![expect(clippy::expect_used, reason = "helpers of tests, outside the test functions")]

use std::collections::{HashMap, HashSet};

use dancu_domain::birth::BirthDate;
use dancu_domain::geo;
use dancu_domain::ids::{OldId, PersonalId};
use dancu_domain::name::FullName;
use dancu_domain::person::{
    Address, Dataset, HouseholdRole, MaritalStatus, Person, Relative, Sex, VitalStatus,
};
use dancu_world::{
    GeneratedHousehold, PopulationSpec, SpecError, Stats, block, block_count, households, showcase,
};
use jiff::civil::{Date, date};

const TODAY: Date = date(2026, 6, 1);

fn spec(persons: u64) -> PopulationSpec {
    PopulationSpec { seed: 42, persons, today: TODAY }
}

fn people(persons: u64) -> Vec<Person> {
    households(&spec(persons)).flat_map(|h| h.members).collect()
}

fn year(person: &Person) -> i32 {
    match person.birth {
        BirthDate::Day(day) => i32::from(day.year()),
        BirthDate::Year(year) => i32::from(year),
    }
}

#[test]
fn the_same_spec_gives_the_same_people() {
    let spec = spec(40_000);
    let once: Vec<GeneratedHousehold> = households(&spec).collect();
    let by_block: Vec<_> = (0..block_count(&spec)).rev().map(|b| (b, block(&spec, b))).collect();
    let again: Vec<_> = by_block.into_iter().rev().flat_map(|(_, block)| block).collect();
    assert!(once == again);
    let other = PopulationSpec { seed: 43, ..spec };
    assert!(once.first() != households(&other).next().as_ref());
    assert!(block(&spec, block_count(&spec)).is_empty());
}

#[test]
fn exactly_as_many_as_asked_for() {
    for persons in [100, 101, 999, 16_383, 16_384, 16_385, 50_000] {
        assert_eq!(people(persons).len() as u64, persons);
    }
    assert_eq!(spec(99).check(), Err(SpecError::TooFew));
    assert_eq!(spec(200_000_000).check(), Err(SpecError::TooMany));
}

#[test]
fn personal_ids_are_unique_and_say_what_the_record_says() {
    let mut ids = HashSet::new();
    let mut corrected = 0;
    for person in people(300_000) {
        assert!(ids.insert(person.personal_id), "an id was given twice");
        assert_eq!(person.personal_id.prefix(), 99);
        assert_eq!(i32::from(person.personal_id.birth_year()), year(&person));
        corrected += u32::from(person.personal_id.sex() != person.sex);
    }
    assert_eq!(ids.len(), 300_000);
    assert!((5..=90).contains(&corrected), "{corrected}");
}

/// A late block of the largest population still has ids of the right years and its own range.
#[test]
fn the_largest_population_has_ids_in_its_last_blocks() {
    let spec = spec(dancu_world::MAX_PERSONS);
    let mut ids = HashSet::new();
    for number in [0, 1, block_count(&spec) - 2] {
        for person in block(&spec, number).iter().flat_map(|h| &h.members) {
            assert!(ids.insert(person.personal_id));
            assert_eq!(i32::from(person.personal_id.birth_year()), year(person));
        }
    }
    assert_eq!(ids.len(), 3 * 16_384);
    let households: HashSet<u64> =
        [0, 1].iter().flat_map(|b| block(&spec, *b)).map(|h| h.household.key).collect();
    assert!(households.contains(&1) && households.contains(&((1 << 20) + 1)));
}

#[test]
fn households_are_consistent() {
    let mut keys = HashSet::new();
    let mut numbers = HashSet::new();
    for generated in households(&spec(120_000)) {
        let household = &generated.household;
        assert!(keys.insert(household.key));
        assert!(numbers.insert(household.number.clone()));
        let records: HashMap<PersonalId, &Person> =
            generated.members.iter().map(|p| (p.personal_id, p)).collect();
        assert_eq!(household.members[0].1, HouseholdRole::Head);
        let heads = household.members.iter().filter(|m| m.1 == HouseholdRole::Head).count();
        assert_eq!(heads, 1);
        let listed: HashSet<_> = household.members.iter().map(|m| m.0).collect();
        for (id, role) in &household.members {
            let reference = records[id].household.as_ref().unwrap();
            assert_eq!((reference.role, reference.key), (*role, household.key));
            assert_eq!(reference.number, household.number);
            check_relative(&reference.head, &records);
            assert_eq!(reference.head.personal_id, Some(household.members[0].0));
        }
        for person in &generated.members {
            assert_eq!(person.household.is_some(), person.vital == VitalStatus::Alive);
            assert_eq!(person.household.is_some(), listed.contains(&person.personal_id));
            check_person(person, &records);
        }
    }
}

fn check_relative<'a>(
    relative: &Relative,
    records: &HashMap<PersonalId, &'a Person>,
) -> Option<&'a Person> {
    let person = *records.get(&relative.personal_id?).expect("a relative with an id has a record");
    assert!(relative.full_name == person.full_name);
    assert_eq!(relative.old_id, person.old_ids.first().copied());
    Some(person)
}

fn check_person(person: &Person, records: &HashMap<PersonalId, &Person>) {
    let born = year(person);
    if let Some(father) = person.father.as_ref().and_then(|f| check_relative(f, records)) {
        assert_eq!(father.sex, Sex::Male);
        assert!((16..=60).contains(&(born - year(father))), "{}", born - year(father));
    }
    if let Some(mother) = person.mother.as_ref().and_then(|m| check_relative(m, records)) {
        assert_eq!(mother.sex, Sex::Female);
        assert!((15..=50).contains(&(born - year(mother))), "{}", born - year(mother));
    }
    if let Some(spouse) = person.spouse.as_ref().and_then(|s| check_relative(s, records)) {
        assert_eq!(person.marital, MaritalStatus::Married);
        assert_ne!(spouse.sex, person.sex);
        if person.vital == VitalStatus::Alive {
            assert_eq!(spouse.marital, MaritalStatus::Married);
            let back = spouse.spouse.as_ref().and_then(|s| s.personal_id);
            assert_eq!(back, Some(person.personal_id));
        }
    }
    // Who is or died married has a spouse, by record or by name.
    assert_eq!(person.marital == MaritalStatus::Married, person.spouse.is_some());
    if let Some(guardian) = person.guardian.as_ref().and_then(|g| check_relative(g, records)) {
        assert!(2026 - born < 18 && 2026 - year(guardian) >= 18);
    }
    if 2026 - born < 18 {
        assert_eq!(person.marital, MaritalStatus::Single);
        assert!(person.old_ids.is_empty());
    }
    if let VitalStatus::Dead(Some(day)) | VitalStatus::Missing(Some(day)) = person.vital {
        assert!(day <= TODAY && i32::from(day.year()) >= born);
    }
    if let BirthDate::Day(day) = person.birth {
        assert!(day <= TODAY);
        let birth_place = person.birth_place.as_ref().expect("a birth place");
        assert_eq!(birth_place.dataset, Dataset::in_force_on(day));
    }
    assert!(person.sources.default.on <= TODAY);
    assert!(person.sources.own.iter().all(|(_, stamp)| stamp.on <= TODAY));
}

#[test]
fn any_day_will_do() {
    for today in [date(2020, 1, 1), date(2026, 1, 1), date(2028, 2, 29), date(2099, 12, 31)] {
        let spec = PopulationSpec { seed: 9, persons: 20_000, today };
        let mut ids = HashSet::new();
        for person in households(&spec).flat_map(|h| h.members) {
            assert!(ids.insert(person.personal_id));
            assert_eq!(i32::from(person.personal_id.birth_year()), year(&person));
            assert!(birth_day(&person) <= today);
            assert!(person.sources.own.iter().all(|(_, stamp)| stamp.on <= today));
        }
        assert_eq!(ids.len(), 20_000);
    }
    let early = PopulationSpec { today: date(2019, 12, 31), ..spec(100) };
    assert_eq!(early.check(), Err(SpecError::Today));
}

fn birth_day(person: &Person) -> Date {
    match person.birth {
        BirthDate::Day(day) => day,
        BirthDate::Year(year) => date(year, 1, 1),
    }
}

#[test]
fn names_parse_and_communes_exist() {
    let check = |address: &Address| {
        let commune = geo::commune(address.dataset, address.commune).expect("a listed commune");
        assert_eq!(commune.province, address.province);
    };
    for person in people(60_000) {
        for name in [Some(&person.full_name), person.other_name.as_ref()].into_iter().flatten() {
            assert!(FullName::parse(name.as_str()).as_ref() == Ok(name));
        }
        for address in [
            &person.birth_place,
            &person.birth_registration,
            &person.origin,
            &person.permanent,
            &person.temporary,
            &person.current,
        ] {
            address.iter().for_each(check);
        }
        let list = match person.vital {
            VitalStatus::Dead(Some(day)) => Dataset::in_force_on(day),
            _ => Dataset::Y2026,
        };
        assert_eq!(person.permanent.as_ref().map(|a| a.dataset), Some(list));
        if person.vital == VitalStatus::Alive {
            assert!(person.current == person.permanent || person.current == person.temporary);
        }
    }
}

#[test]
fn shares_are_near_the_published_ones() {
    let mut stats = Stats::new(TODAY);
    let (mut old, mut old_year_only) = (0.0, 0.0);
    for household in households(&spec(200_000)) {
        stats.add_household(&household.household);
        for person in &household.members {
            stats.add(person);
            if year(person) < 1955 {
                old += 1.0;
                old_year_only += f64::from(u8::from(matches!(person.birth, BirthDate::Year(_))));
            }
        }
    }
    let near = |what: &str, part: u64, whole: u64, low: f64, high: f64| {
        let share = part as f64 * 100.0 / whole as f64;
        assert!((low..=high).contains(&share), "{what}: {share:.2} outside {low}..={high}");
    };
    let surname = |name: &str| stats.surnames[name];
    let all = stats.persons;
    near("Nguyễn", surname("Nguyễn"), all, 36.0, 40.0);
    near("Trần", surname("Trần"), all, 9.5, 12.0);
    near("Lê", surname("Lê"), all, 8.3, 10.5);
    near("Phạm", surname("Phạm"), all, 6.0, 8.0);
    near("Hoàng, Huỳnh", surname("Hoàng") + surname("Huỳnh"), all, 4.3, 5.8);
    near("Vũ, Võ", surname("Vũ") + surname("Võ"), all, 3.1, 4.5);
    near("Kinh", stats.ethnicities[&1], all, 84.3, 86.3);
    near("HMông", stats.ethnicities[&8], all, 1.1, 1.9);
    near("Ê-đê", stats.ethnicities[&12], all, 0.25, 0.6);
    near("không tôn giáo", stats.religions[&0], all, 84.0, 89.0);
    near("deceased", stats.deceased, all, 4.5, 7.5);
    let [boys, girls] = [0, 1].map(|s| stats.pyramid[..4].iter().map(|b| b[s]).sum::<u64>());
    near("boys to girls", boys, girls, 107.0, 115.0);
    let [men, women] = [0, 1].map(|s| stats.pyramid[14..].iter().map(|b| b[s]).sum::<u64>());
    near("old men to women", men, women, 50.0, 95.0);
    let living: u64 = stats.living.iter().sum();
    near("household size", living, stats.households, 325.0, 370.0);
    assert!((31..=35).contains(&stats.median_age()), "{}", stats.median_age());
    let year_only = old_year_only * 100.0 / old;
    assert!((6.5..=9.5).contains(&year_only), "{year_only}");
    assert!((3..=30).contains(&stats.shared_old_ids), "{}", stats.shared_old_ids);
    assert_eq!(stats.provinces.len(), 34);
    let mut twice = stats.clone();
    twice.merge(&stats);
    assert_eq!(twice.persons, 400_000);
}

#[test]
fn the_showcase_shows_everything_in_any_population() {
    for (persons, seed) in [(100, 1), (100, 2), (1_000, 3), (1_000, 4), (30_000, 5), (100, 6)] {
        let spec = PopulationSpec { seed, persons, today: TODAY };
        let ids = showcase(&spec);
        let shown: HashSet<PersonalId> = ids.iter().copied().collect();
        assert!(shown.len() >= 60 && shown.len() == ids.len());
        let people: Vec<Person> = households(&spec)
            .flat_map(|h| h.members)
            .filter(|p| shown.contains(&p.personal_id))
            .collect();
        assert_eq!(people.len(), ids.len(), "every id exists");
        let alive = |p: &&Person| p.vital == VitalStatus::Alive;
        let any = |test: &dyn Fn(&Person) -> bool| people.iter().any(test);
        assert!(any(&|p| p.old_ids.is_empty() && 2026 - year(p) >= 18));
        assert!(any(&|p| matches!(p.birth, BirthDate::Year(_))));
        assert!(any(&|p| matches!(p.vital, VitalStatus::Dead(Some(_)))));
        assert!(any(&|p| matches!(p.vital, VitalStatus::Missing(Some(_)))));
        assert!(any(&|p| p.personal_id.sex() != p.sex));
        assert!(any(&|p| p.full_name.as_str().starts_with("H'")));
        assert!(any(&|p| p.full_name.as_str().chars().count() > 45));
        assert!(any(&|p| p.guardian.is_some()));
        let mut holders: HashMap<OldId, Vec<&Person>> = HashMap::new();
        for person in people.iter().filter(alive) {
            for old in &person.old_ids {
                holders.entry(*old).or_default().push(person);
            }
        }
        let pair = holders.values().find(|list| list.len() == 2).expect("a shared old id");
        assert!(pair[0].full_name != pair[1].full_name && pair[0].birth != pair[1].birth);
        let keys: Vec<_> = pair.iter().map(|p| p.household.as_ref().map(|h| h.key)).collect();
        assert_ne!(keys[0], keys[1]);
        let first = people.first().expect("a first person");
        let children = people
            .iter()
            .filter(|p| p.father.as_ref().and_then(|f| f.personal_id) == Some(first.personal_id));
        assert!(first.spouse.is_some() && children.count() >= 2);
    }
}

/// A month's last day has no more births than its other days.
#[test]
fn births_are_spread_over_the_days() {
    let mut days = [0_u32; 32];
    for person in people(60_000) {
        if let BirthDate::Day(day) = person.birth
            && day.year() < 2026
        {
            days[day.day().unsigned_abs() as usize] += 1;
        }
    }
    let usual = days[1..=28].iter().sum::<u32>() / 28;
    for (day, births) in days.iter().enumerate().skip(28) {
        assert!(*births < usual * 11 / 10, "{births} births on a day {day}, usually {usual}");
    }
    assert!(days[31] > usual / 2, "{}", days[31]);
}

/// Brothers and sisters have names of their own, and parents on record who were a couple name
/// each other.
#[test]
fn families_are_consistent() {
    let given = |p: &Person| p.full_name.as_str().rsplit(' ').next().unwrap().to_owned();
    for household in households(&spec(100_000)) {
        let members = &household.members;
        for (at, one) in members.iter().enumerate() {
            let Some(father) = &one.father else { continue };
            for other in members[at + 1..].iter().filter(|o| o.father.as_ref() == Some(father)) {
                assert!(one.full_name != other.full_name, "brothers and sisters");
                // Other peoples write the family name last, or have few given names.
                if one.ethnicity == 1 {
                    assert_ne!(given(one), given(other), "brothers and sisters");
                }
            }
            let by_id = |r: Option<&Relative>| {
                let id = r?.personal_id?;
                members.iter().find(|m| m.personal_id == id)
            };
            let (Some(father), Some(mother)) = (by_id(Some(father)), by_id(one.mother.as_ref()))
            else {
                continue;
            };
            let names = |p: &Person, q: &Person| {
                p.spouse.as_ref().and_then(|s| s.personal_id) == Some(q.personal_id)
            };
            assert!(
                names(father, mother)
                    || names(mother, father)
                    || [father, mother].iter().all(|p| p.marital != MaritalStatus::Married),
                "parents"
            );
        }
    }
}
