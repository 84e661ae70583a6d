//! Lists: who fits a filter, looked for in the background through the sealed registry.
//!
//! No attribute stands in clear, so a list opens every record, slice by slice; between two slices
//! questions have their turn. Who fits becomes an item of the job and is told, counted and
//! journaled like any question (D2), so that a list never tells more persons than its line allows.
//!
//! **Invariant:** a filter is a question about its fields: a list by a field that is not granted
//! is refused (A4), since membership tells the field.

use dancu_domain::geo::{self, AskedPlace, PlaceMatch};
use dancu_domain::ids::SubjectId;
use dancu_domain::name::NameQuery;
use dancu_domain::person::{Address, Person, VitalStatus, is_ethnicity, is_religion};
use dancu_domain::service::{Field, FieldSet};
use dancu_store::registry::Registry;
use jiff::civil::Date;

use super::types::{ListFilter, ListPlace, Scanned};
use crate::query::Subject;

/// Records of one read: some 5 µs each, so that a reading connection is held for about 1 ms.
const SLICE_RECORDS: u32 = 256;
/// Records looked at in one go at most: some 20 ms, then questions and other jobs have their turn.
/// Also records after which it is stored where the scan stands.
pub const SCAN_RECORDS: u32 = 4_096;
/// Records looked at for each row that a job may ask at once: a question takes about as long. So a
/// list looks at as few as it asks while people ask questions, and rests between.
pub const RECORDS_PER_ROW: u32 = 32;

/// Oldest age that a filter can name, in years; birth years begin at 1850.
pub const AGE_MAX: u8 = 150;

/// A criterion that is not possible, by the member of [`ListFilter`] it stands in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Impossible {
    /// Nothing is stated: a list of everybody is no list.
    Nothing,
    /// No such province, no such commune, or a commune of another province.
    Place,
    /// The first age is above the last, or the last above [`AGE_MAX`].
    Ages,
    /// Not a code of the list.
    Ethnicity,
    /// Not a code of the list.
    Religion,
}

/// Everything that is not possible in a filter.
pub fn impossible(filter: &ListFilter) -> Vec<Impossible> {
    let ListFilter { place, ages, blood, sex, ethnicity, religion } = filter;
    let mut found = vec![];
    let stated = [place.is_some(), ages.is_some(), blood.is_some(), sex.is_some()];
    if !stated.contains(&true) && ethnicity.is_none() && religion.is_none() {
        found.push(Impossible::Nothing);
    }
    if place.is_some_and(|p| !exists(p)) {
        found.push(Impossible::Place);
    }
    if ages.is_some_and(|(first, last)| first > last || last > AGE_MAX) {
        found.push(Impossible::Ages);
    }
    if ethnicity.is_some_and(|code| !is_ethnicity(code)) {
        found.push(Impossible::Ethnicity);
    }
    if religion.is_some_and(|code| !is_religion(code)) {
        found.push(Impossible::Religion);
    }
    found
}

fn exists(place: ListPlace) -> bool {
    let ListPlace { province, commune, dataset } = place;
    let of = geo::commune(dataset, commune).map(|c| c.province);
    geo::province(dataset, province).is_some() && (commune == 0 || of == Some(province))
}

/// The fields that membership of a list tells: each must be granted.
pub fn fields(filter: &ListFilter) -> FieldSet {
    let ListFilter { place, ages, blood, sex, ethnicity, religion } = filter;
    let mut set = FieldSet::EMPTY;
    for (stated, field) in [
        (place.is_some(), Field::CurrentResidence),
        (ages.is_some(), Field::DateOfBirth),
        (blood.is_some(), Field::BloodGroup),
        (sex.is_some(), Field::Sex),
        (ethnicity.is_some(), Field::Ethnicity),
        (religion.is_some(), Field::Religion),
    ] {
        if stated {
            set.insert(field);
        }
    }
    set
}

/// Goes on through the registry where `so_far` ended, until `most` persons were found in all,
/// `records` more were looked at, or it ends. `on` is the day in Viet Nam that the job was
/// submitted, by which ages are counted.
///
/// It opens records one after the other, so it belongs on a thread that no question waits for. Each
/// slice is a read of its own: no transaction stays open between two of them, and what is held in
/// memory is who fits.
///
/// # Errors
/// The registry could not be read. A record that cannot be opened is counted.
pub fn scan(
    registry: &Registry,
    filter: &ListFilter,
    on: Date,
    so_far: Scanned,
    most: usize,
    records: u32,
) -> dancu_store::Result<Scanned> {
    let mut scanned = so_far;
    let until = scanned.looked.saturating_add(records);
    while let Some(from) = scanned.next
        && scanned.found.len() < most
        && scanned.looked < until
    {
        // Everybody in a slice may fit, and nobody who fits may be passed over.
        let room = (most - scanned.found.len()) as u32;
        let size = SLICE_RECORDS.min(room).min(until - scanned.looked);
        let slice = registry.slice(from, size, |person| fits(filter, person, on))?;
        scanned.found.extend(slice.kept.iter().filter_map(subject));
        scanned.next = slice.next;
        scanned.damaged += slice.damaged;
        scanned.looked += size;
    }
    Ok(scanned)
}

/// The three keys by which the record is found again when its item is told.
fn subject(person: &Person) -> Option<Subject> {
    // Names on record are names that can be asked for.
    let name = NameQuery::parse(person.full_name.as_str()).ok()?;
    Some(Subject { id: SubjectId::Personal(person.personal_id), name, birth: person.birth })
}

/// Whether everything that is stated fits. Who is on record as dead belongs to no list of citizens;
/// what a record does not tell fits no criterion.
pub fn fits(filter: &ListFilter, person: &Person, on: Date) -> bool {
    let ListFilter { place, ages, blood, sex, ethnicity, religion } = filter;
    !matches!(person.vital, VitalStatus::Dead(_))
        && blood.is_none_or(|b| b == person.blood)
        && sex.is_none_or(|s| s == person.sex)
        && ethnicity.is_none_or(|e| e == person.ethnicity)
        && religion.is_none_or(|r| r == person.religion)
        && ages.is_none_or(|(first, last)| {
            let age = age(person, on);
            i16::from(first) <= age && age <= i16::from(last)
        })
        && place.is_none_or(|p| lives_in(p, person.current.as_ref()))
}

/// Whole years on a day. Of whom only the year of birth is known, the years since then.
fn age(person: &Person, on: Date) -> i16 {
    let years = on.year() - person.birth.year();
    match person.birth {
        dancu_domain::birth::BirthDate::Day(day) => {
            let had_birthday = (on.month(), on.day()) >= (day.month(), day.day());
            if had_birthday { years } else { years - 1 }
        }
        dancu_domain::birth::BirthDate::Year(_) => years,
    }
}

/// A commune that was divided is not guessed: who may or may not live there is not told.
fn lives_in(place: ListPlace, current: Option<&Address>) -> bool {
    let ListPlace { province, commune, dataset } = place;
    let asked = AskedPlace { province, district: 0, commune, dataset };
    current.is_some_and(|address| geo::same_place(asked, address) == PlaceMatch::Same)
}

#[cfg(test)]
mod tests {
    use dancu_domain::birth::BirthDate;
    use dancu_domain::person::{BloodGroup, Dataset, Sex};
    use jiff::civil::date;

    use super::*;

    fn person() -> Person {
        let spec = dancu_world::PopulationSpec { seed: 3, persons: 200, today: date(2026, 3, 2) };
        let mut people = dancu_world::households(&spec).flat_map(|h| h.members);
        people.find(|p| p.vital == VitalStatus::Alive && p.current.is_some()).unwrap()
    }

    #[test]
    fn ages_are_whole_years_and_both_ends_belong() {
        let on = date(2026, 3, 2);
        let fits = |birth, ages| {
            let filter = ListFilter { ages: Some(ages), ..ListFilter::default() };
            fits(&filter, &Person { birth, ..person() }, on)
        };
        assert!(fits(BirthDate::Day(date(2008, 3, 2)), (18, 18)), "the birthday itself");
        assert!(!fits(BirthDate::Day(date(2008, 3, 3)), (18, 60)), "a day before it");
        assert!(fits(BirthDate::Day(date(1965, 3, 3)), (18, 60)));
        assert!(!fits(BirthDate::Day(date(1965, 3, 2)), (18, 60)));
        assert!(fits(BirthDate::Year(2008), (18, 18)) && !fits(BirthDate::Year(2009), (18, 60)));
        assert!(fits(BirthDate::Day(date(2024, 2, 29)), (2, 2)));
        assert!(fits(BirthDate::Day(on), (0, 0)));
    }

    #[test]
    fn every_criterion_must_fit_and_the_dead_are_on_no_list() {
        let on = date(2026, 3, 2);
        let one = person();
        let current = one.current.clone().unwrap();
        let place = ListPlace {
            province: current.province,
            commune: current.commune,
            dataset: current.dataset,
        };
        let all = ListFilter {
            place: Some(place),
            ages: Some((0, AGE_MAX)),
            blood: Some(one.blood),
            sex: Some(one.sex),
            ethnicity: Some(one.ethnicity),
            religion: Some(one.religion),
        };
        assert!(fits(&all, &one, on) && fits(&ListFilter::default(), &one, on));
        let other_sex = if one.sex == Sex::Male { Sex::Female } else { Sex::Male };
        let other_blood = if one.blood == BloodGroup::A { BloodGroup::B } else { BloodGroup::A };
        for wrong in [
            Person { sex: other_sex, ..one.clone() },
            Person { blood: other_blood, ..one.clone() },
            Person { ethnicity: 54, ..one.clone() },
            Person { religion: 14, ..one.clone() },
            Person { current: None, ..one.clone() },
            Person { current: Some(Address { commune: 0, ..current }), ..one.clone() },
            Person { vital: VitalStatus::Dead(None), ..one.clone() },
        ] {
            assert!(!fits(&all, &wrong, on));
        }
        let missing = Person { vital: VitalStatus::Missing(None), ..one };
        assert!(fits(&all, &missing, on), "a missing person is not dead");
        assert_eq!(fields(&all).iter().count(), 6);
    }

    #[test]
    fn what_cannot_be_asked() {
        let place = |province, commune| ListFilter {
            place: Some(ListPlace { province, commune, dataset: Dataset::Y2026 }),
            ..ListFilter::default()
        };
        assert_eq!(impossible(&ListFilter::default()), [Impossible::Nothing]);
        assert_eq!(impossible(&place(1, 0)), []);
        assert_eq!(impossible(&place(1, 4)), []);
        assert_eq!(impossible(&place(99, 0)), [Impossible::Place]);
        assert_eq!(impossible(&place(79, 4)), [Impossible::Place], "of another province");
        let wrong = ListFilter {
            ages: Some((61, 60)),
            ethnicity: Some(77),
            religion: Some(15),
            ..ListFilter::default()
        };
        let every = [Impossible::Ages, Impossible::Ethnicity, Impossible::Religion];
        assert_eq!(impossible(&wrong), every);
    }
}
