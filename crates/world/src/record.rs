//! From drafts to records: order, addresses, relatives, stamps.

use dancu_domain::birth::BirthDate;
use dancu_domain::name::FullName;
use dancu_domain::person::{
    Address, BloodGroup, Country, Dataset, Household, HouseholdRef, HouseholdRole, Person,
    Relative, Source, Sources, Stamp, VitalStatus,
};
use dancu_domain::service::Field;
use jiff::Span;
use jiff::civil::date;

use crate::GeneratedHousehold;
use crate::family::{Draft, Family, Kin, day_between};
use crate::names::{self, KINH};
use crate::peoples;
use crate::places::{self, Place};

/// Turns a family into records. Members come in the order head, other members, then those who
/// have died or are missing; at most `room` of them are kept, and relatives without a record are
/// then known by name only.
pub(crate) fn finish(
    family: &mut Family<'_>,
    head: usize,
    key: u64,
    number: String,
    room: usize,
) -> GeneratedHousehold {
    let drafts = std::mem::take(&mut family.members);
    let mut order: Vec<usize> = (0..drafts.len()).collect();
    order.sort_by_key(|&i| (i != head, !drafts[i].alive()));
    order.truncate(room);
    let mut kept = vec![false; drafts.len()];
    for &i in &order {
        kept[i] = true;
    }
    let shared = Shared {
        permanent: {
            let detail = places::detail(family.dice, family.home.place);
            family.home.place.address(Dataset::Y2026, &detail)
        },
        reference: HouseholdRef {
            key,
            number: number.clone(),
            role: HouseholdRole::Head,
            head: relative(&drafts[head], true),
        },
        kept,
        drafts,
    };
    let mut origins = vec![None; shared.drafts.len()];
    let mut members = Vec::with_capacity(order.len());
    for &i in &order {
        let origin = origin(family, &shared.drafts, &mut origins, i);
        members.push(person(family, &shared, i, origin));
    }
    let roles = order.iter().map(|&i| &shared.drafts[i]).filter(|d| d.alive());
    let household = Household { key, number, members: roles.map(|d| (d.id, d.role)).collect() };
    GeneratedHousehold { household, members }
}

/// What the records of one household have in common.
struct Shared {
    drafts: Vec<Draft>,
    kept: Vec<bool>,
    permanent: Address,
    reference: HouseholdRef,
}

fn relative(draft: &Draft, kept: bool) -> Relative {
    Relative {
        full_name: draft.full_name.clone(),
        personal_id: kept.then_some(draft.id),
        old_id: draft.old_ids.first().copied().filter(|_| kept),
        nationality: Country::VN,
    }
}

fn kin(shared: &Shared, kin: &Kin) -> Option<Relative> {
    match kin {
        Kin::None => None,
        Kin::Member(i) => Some(relative(&shared.drafts[*i], shared.kept[*i])),
        Kin::Named(name) => Some(Relative {
            full_name: name.clone(),
            personal_id: None,
            old_id: None,
            nationality: Country::VN,
        }),
    }
}

/// Quê quán: the father's, or the mother's; drawn for those whose parents have no record here.
fn origin(
    f: &mut Family<'_>,
    drafts: &[Draft],
    known: &mut [Option<(Place, bool)>],
    i: usize,
) -> (Place, bool) {
    if let Some(known) = known[i] {
        return known;
    }
    let parent = [&drafts[i].father, &drafts[i].mother].into_iter().find_map(|kin| match kin {
        Kin::Member(p) => Some(*p),
        _ => None,
    });
    let drawn = if let Some(parent) = parent {
        (origin(f, drafts, known, parent).0, true)
    } else {
        let (home, kinh) = (f.home.place, f.home.ethnicity == KINH);
        let away = match home.old.0 {
            74 | 75 | 79 => 420,
            1 | 27 | 62..=70 => 260,
            _ => 90,
        };
        if kinh && f.dice.chance(away) {
            let province = peoples::kinh_province(f.dice);
            (places::draw(f.dice, province, true), false)
        } else if f.dice.chance(600) {
            (home, false)
        } else {
            (places::draw(f.dice, home.old.0, !kinh), false)
        }
    };
    known[i] = Some(drawn);
    drawn
}

/// One record.
fn person(f: &mut Family<'_>, shared: &Shared, i: usize, origin: (Place, bool)) -> Person {
    let draft = &shared.drafts[i];
    let list = Dataset::in_force_on(draft.birth);
    let (origin, child_of_member) = origin;
    // The children were born where the family lives, the others where they come from.
    let home = if child_of_member { f.home.place } else { origin };
    let born_at = if f.dice.chance(300) { places::draw(f.dice, home.old.0, false) } else { home };
    let permanent = match draft.vital {
        // The registration ended with the death, under the codes of that day.
        VitalStatus::Dead(Some(day)) => {
            f.home.place.address(Dataset::in_force_on(day), &shared.permanent.detail)
        }
        _ => shared.permanent.clone(),
    };
    let temporary = temporary(f, draft);
    let current = draft.alive().then(|| temporary.as_ref().unwrap_or(&permanent).clone());
    let blood = blood(f);
    let household =
        draft.alive().then(|| HouseholdRef { role: draft.role, ..shared.reference.clone() });
    let maternity = places::maternity(f.dice, draft.year());
    Person {
        personal_id: draft.id,
        old_ids: draft.old_ids.clone(),
        full_name: draft.full_name.clone(),
        other_name: other_name(f, draft),
        birth: if draft.year_only {
            BirthDate::Year(draft.birth.year())
        } else {
            BirthDate::Day(draft.birth)
        },
        sex: draft.sex,
        ethnicity: f.home.ethnicity,
        religion: f.home.religion,
        nationality: Country::VN,
        marital: draft.marital,
        blood,
        birth_place: Some(born_at.address(list, maternity)),
        birth_registration: Some(home.address(list, "")),
        origin: Some(origin.address(list, "")),
        permanent: Some(permanent),
        temporary,
        current,
        father: kin(shared, &draft.father),
        mother: kin(shared, &draft.mother),
        spouse: kin(shared, &draft.spouse),
        guardian: kin(shared, &draft.guardian),
        household,
        vital: draft.vital,
        sources: sources(f, draft, blood),
    }
}

/// Tên gọi khác: one person in eighty.
fn other_name(f: &mut Family<'_>, draft: &Draft) -> Option<FullName> {
    f.dice
        .one_in(80)
        .then(|| names::full_name(f.dice, f.home.ethnicity, draft.sex, draft.year(), draft.family))
}

/// Workers who live in the industrial provinces.
fn temporary(f: &mut Family<'_>, draft: &Draft) -> Option<Address> {
    let share = match f.year() - draft.year() {
        18..30 => 150,
        30..42 => 80,
        42..55 => 30,
        _ => 0,
    };
    if !draft.alive() || !f.dice.chance(share) {
        return None;
    }
    let province = f.dice.front(peoples::MAGNETS);
    let place = places::draw(f.dice, province, false);
    (place.new != f.home.place.new).then(|| {
        let detail = places::detail(f.dice, place);
        place.address(Dataset::Y2026, &detail)
    })
}

/// O 45, B 30, A 20, AB 5 per cent of those whose group is known: half of the people.
fn blood(f: &mut Family<'_>) -> BloodGroup {
    match f.dice.below(200) {
        0..45 => BloodGroup::O,
        45..75 => BloodGroup::B,
        75..95 => BloodGroup::A,
        95..100 => BloodGroup::Ab,
        _ => BloodGroup::Unknown,
    }
}

/// Stamps: civil status, identity card, health, and the residence register for the rest.
fn sources(f: &mut Family<'_>, draft: &Draft, blood: BloodGroup) -> Sources {
    let today = f.today;
    let later = |dice: &mut crate::dice::Dice, from: jiff::civil::Date, most: u32| {
        from.saturating_add(Span::new().days(1 + i64::from(dice.below(most)))).min(today)
    };
    // Births since 2016 are registered in the electronic book at once; older ones were entered
    // into it from the paper books.
    let registered = if draft.birth >= date(2016, 1, 1) {
        later(f.dice, draft.birth, 60)
    } else {
        later(f.dice, date(2016, 1, 1), 2200)
    };
    let residence = day_between(f.dice, date(2017, 1, 1).max(registered), today);
    let civil = Stamp { source: Source::CivilStatus, on: registered };
    let mut own: Vec<(Field, Stamp)> = Vec::with_capacity(10);
    for field in [
        Field::FullName,
        Field::DateOfBirth,
        Field::Sex,
        Field::Ethnicity,
        Field::BirthRegistration,
    ] {
        own.push((field, civil));
    }
    let id = if f.year() - draft.year() >= 14 {
        let on = day_between(f.dice, date(2016, 1, 1).max(registered), today);
        Stamp { source: Source::IdentityCard, on }
    } else {
        civil
    };
    own.push((Field::PersonalId, id));
    if f.year() - draft.year() >= 18 {
        let on = day_between(f.dice, registered, today);
        own.push((Field::MaritalStatus, Stamp { source: Source::CivilStatus, on }));
    }
    if blood != BloodGroup::Unknown {
        let on = day_between(f.dice, date(2021, 1, 1).max(registered), today);
        own.push((Field::BloodGroup, Stamp { source: Source::Health, on }));
    }
    if let VitalStatus::Dead(Some(day)) | VitalStatus::Missing(Some(day)) = draft.vital {
        let on = later(f.dice, day, 20);
        own.push((Field::VitalStatus, Stamp { source: Source::CivilStatus, on }));
    }
    Sources { default: Stamp { source: Source::Residence, on: residence }, own }
}
