//! Step 3 of a query: the registry's answer, compared or cut to what is granted.

use dancu_domain::birth::Precision;
use dancu_domain::geo::{self, PlaceMatch};
use dancu_domain::ids::{OldId, SubjectId};
use dancu_domain::person::{Address, Person, Relative, Stamp};
use dancu_domain::service::{Field, FieldSet};
use dancu_domain::text::fold;
use dancu_store::registry::{Record, Registry};

use crate::query::{
    AddressQuery, Answer, Ask, Claim, ClaimResult, ClaimValue, Disclosed, DisclosedHousehold,
    Relation, RelativeQuery, Subject,
};

/// Members of a household that an answer tells at most: an entry names everybody whose data was
/// told, and has room for 64 persons. An answer that leaves members out says so.
pub const MEMBERS_MAX: usize = 50;

/// What the registry said, and about whom.
pub struct Answered {
    /// To be told, if the ledger lets it.
    pub answer: Answer,
    /// Everybody whose data is told, the citizen asked about first.
    pub delivered: Vec<SubjectId>,
    /// Two citizens fit one old id: no match, and a matter of data quality.
    pub ambiguous: bool,
}

/// Reads and answers. `fields` are those that may be told; `with_sources`: a verification tells
/// where what it compared comes from.
pub async fn answer(
    registry: &Registry,
    subject: &Subject,
    ask: &Ask,
    fields: FieldSet,
    with_sources: bool,
) -> dancu_store::Result<Answered> {
    let found = find(registry, subject).await?;
    let Found::One(record, precision) = found else {
        let ambiguous = matches!(found, Found::Several);
        return Ok(Answered { answer: Answer::NoMatch, delivered: vec![], ambiguous });
    };
    let mut delivered = vec![SubjectId::Personal(record.keys.personal_id)];
    if let Ask::Verify(claims) = ask {
        let (mut compared, mut sources) = (vec![], vec![]);
        if with_sources || !claims.is_empty() {
            let person = record.person()?;
            if with_sources {
                sources = stamps(&person, subject, claims);
            }
            compared = compare_all(registry, &person, claims, &mut delivered).await?;
        }
        let alive = fields.contains(Field::VitalStatus).then(|| record.keys.vital.alive());
        let answer = Answer::Match { precision, alive, claims: compared, sources };
        return Ok(Answered { answer, delivered, ambiguous: false });
    }
    let person = record.person()?;
    let answer = match ask {
        Ask::Verify(_) | Ask::Lookup | Ask::Fields(_) => {
            let citizen = Box::new(Disclosed::new(person, fields, old_id(subject)));
            Answer::Citizen { precision, citizen }
        }
        Ask::Household => {
            let household = household(registry, &person, fields, &mut delivered).await?;
            Answer::Household { precision, household }
        }
        Ask::Relation(kinds, other) => {
            // Kinds that are not granted are not looked at.
            let kinds: Vec<_> =
                kinds.iter().copied().filter(|k| fields.contains(k.field())).collect();
            let result = related(registry, &person, &kinds, other, &mut delivered).await?;
            Answer::Checked { precision, result }
        }
        Ask::Residence(asked) => {
            Answer::Checked { precision, result: place(person.current.as_ref(), asked) }
        }
        Ask::Marital(asked) => {
            let known = person.marital != dancu_domain::person::MaritalStatus::Unknown;
            Answer::Checked { precision, result: known_equal(known, person.marital == *asked) }
        }
        Ask::Vital(asked) => {
            Answer::Checked { precision, result: known_equal(true, person.vital.code() == *asked) }
        }
        Ask::BloodGroup => Answer::Blood { precision, group: person.blood },
    };
    Ok(Answered { answer, delivered, ambiguous: false })
}

enum Found {
    None,
    Several,
    One(Record, Precision),
}

/// The citizen whose three keys agree. Two survivors of a doubly issued old id are no match.
async fn find(registry: &Registry, subject: &Subject) -> dancu_store::Result<Found> {
    let candidates = match subject.id {
        SubjectId::Personal(id) => registry.look_up(id).await?.into_iter().collect(),
        SubjectId::Old(id) => registry.look_up_old(id).await?,
    };
    let mut fitting = candidates.into_iter().filter_map(|r: Record| {
        let precision = subject.birth.matches(r.keys.birth)?;
        subject.name.matches(&r.keys.full_name).then_some((r, precision))
    });
    let first = fitting.next();
    Ok(match (first, fitting.next()) {
        (None, _) => Found::None,
        (Some(_), Some(_)) => Found::Several,
        (Some((record, precision)), None) => Found::One(record, precision),
    })
}

/// Where the three keys and the claimed fields come from.
fn stamps(person: &Person, subject: &Subject, claims: &[Claim]) -> Vec<(Field, Stamp)> {
    let id = match subject.id {
        SubjectId::Personal(_) => Field::PersonalId,
        SubjectId::Old(_) => Field::OldId,
    };
    let claimed = claims.iter().map(|claim| claim.field);
    let fields = [id, Field::FullName, Field::DateOfBirth].into_iter().chain(claimed);
    fields.map(|field| (field, person.sources.of(field))).collect()
}

fn old_id(subject: &Subject) -> Option<OldId> {
    match subject.id {
        SubjectId::Old(id) => Some(id),
        SubjectId::Personal(_) => None,
    }
}

async fn household(
    registry: &Registry,
    person: &Person,
    fields: FieldSet,
    delivered: &mut Vec<SubjectId>,
) -> dancu_store::Result<Option<DisclosedHousehold>> {
    let Some(reference) = &person.household else { return Ok(None) };
    let Some(record) = registry.look_up_household(reference.key).await? else { return Ok(None) };
    let asked = person.personal_id;
    let mut members = vec![];
    for (id, _) in record.members.iter().take(MEMBERS_MAX) {
        let member = if *id == asked {
            Some(person.clone())
        } else {
            registry.look_up(*id).await?.map(|r| r.person()).transpose()?
        };
        let Some(member) = member else { continue };
        if *id != asked {
            delivered.push(SubjectId::Personal(*id));
        }
        members.push(Disclosed::new(member, fields, None));
    }
    let number = fields.contains(Field::HouseholdNumber).then_some(record.number);
    Ok(Some(DisclosedHousehold { number, members, size: record.members.len() }))
}

async fn compare_all(
    registry: &Registry,
    person: &Person,
    claims: &[Claim],
    delivered: &mut Vec<SubjectId>,
) -> dancu_store::Result<Vec<(Field, ClaimResult)>> {
    let mut compared = Vec::with_capacity(claims.len());
    for claim in claims {
        compared.push((claim.field, compare(registry, person, claim, delivered).await?));
    }
    Ok(compared)
}

async fn compare(
    registry: &Registry,
    p: &Person,
    claim: &Claim,
    delivered: &mut Vec<SubjectId>,
) -> dancu_store::Result<ClaimResult> {
    use dancu_domain::person::{BloodGroup, MaritalStatus, Sex};
    let role = p.household.as_ref().map(|h| h.role);
    Ok(match (claim.field, &claim.value) {
        (Field::PersonalId, ClaimValue::Id(SubjectId::Personal(id))) => {
            known_equal(true, *id == p.personal_id)
        }
        (Field::OldId, ClaimValue::Id(SubjectId::Old(id))) => {
            known_equal(!p.old_ids.is_empty(), p.old_ids.contains(id))
        }
        (Field::FullName, ClaimValue::Name(name)) => known_equal(true, name.matches(&p.full_name)),
        (Field::OtherName, ClaimValue::Name(name)) => {
            let other = p.other_name.as_ref();
            known_equal(other.is_some(), other.is_some_and(|n| name.matches(n)))
        }
        (Field::DateOfBirth, ClaimValue::Birth(b)) => {
            known_equal(true, b.matches(p.birth).is_some())
        }
        (Field::Sex, ClaimValue::Sex(s)) => known_equal(p.sex != Sex::Unknown, *s == p.sex),
        (Field::Ethnicity, ClaimValue::Code(c)) => {
            known_equal(p.ethnicity != 99, *c == p.ethnicity)
        }
        (Field::Religion, ClaimValue::Code(c)) => known_equal(true, *c == p.religion),
        (Field::Nationality, ClaimValue::Country(c)) => known_equal(true, *c == p.nationality),
        (Field::MaritalStatus, ClaimValue::Marital(m)) => {
            known_equal(p.marital != MaritalStatus::Unknown, *m == p.marital)
        }
        (Field::BloodGroup, ClaimValue::Blood(b)) => {
            known_equal(p.blood != BloodGroup::Unknown, *b == p.blood)
        }
        (field, ClaimValue::Address(asked)) => place(address_of(p, field), asked),
        (field, ClaimValue::Relative(other)) => {
            relative(registry, p, field, other, delivered).await?
        }
        (Field::HouseholdRole, ClaimValue::Role(r)) => {
            known_equal(role.is_some(), role == Some(*r))
        }
        (Field::HouseholdNumber, ClaimValue::Text(t)) => {
            let number = p.household.as_ref().map(|h| &h.number);
            known_equal(number.is_some(), number == Some(t))
        }
        (Field::VitalStatus, ClaimValue::Vital(v)) => known_equal(true, *v == p.vital.code()),
        // A value of another kind than the field's cannot be built by the wire formats.
        _ => ClaimResult::Unknown,
    })
}

fn known_equal(known: bool, equal: bool) -> ClaimResult {
    match (known, equal) {
        (false, _) => ClaimResult::Unknown,
        (true, true) => ClaimResult::Match,
        (true, false) => ClaimResult::Mismatch,
    }
}

fn address_of(p: &Person, field: Field) -> Option<&Address> {
    match field {
        Field::BirthPlace => p.birth_place.as_ref(),
        Field::BirthRegistration => p.birth_registration.as_ref(),
        Field::Origin => p.origin.as_ref(),
        Field::PermanentResidence => p.permanent.as_ref(),
        Field::TemporaryResidence => p.temporary.as_ref(),
        Field::CurrentResidence => p.current.as_ref(),
        _ => None,
    }
}

fn relative_of(p: &Person, field: Field) -> Option<&Relative> {
    match field {
        Field::Father => p.father.as_ref(),
        Field::Mother => p.mother.as_ref(),
        Field::Spouse => p.spouse.as_ref(),
        Field::Guardian => p.guardian.as_ref(),
        Field::HouseholdHead => p.household.as_ref().map(|h| &h.head),
        _ => None,
    }
}

/// Country, codes by their dataset, then the detail: each where it is stated. A divided commune is
/// not guessed, and a detail is compared alone where no code is stated.
fn place(on_record: Option<&Address>, asked: &AddressQuery) -> ClaimResult {
    let Some(record) = on_record else { return ClaimResult::Unknown };
    if asked.country.is_some_and(|country| country != record.country) {
        return ClaimResult::Mismatch;
    }
    if let Some(place) = asked.place() {
        match geo::same_place(place, record) {
            PlaceMatch::Different => return ClaimResult::Mismatch,
            PlaceMatch::Unknown => return ClaimResult::Unknown,
            PlaceMatch::Same => {}
        }
    }
    let Some(detail) = &asked.detail else { return ClaimResult::Match };
    let on_record = fold(&record.detail);
    known_equal(!on_record.is_empty(), fold(detail) == on_record)
}

/// The relation holds if one of the kinds fits; unknown only if none can be told. A claim about the
/// same field says the same.
async fn related(
    registry: &Registry,
    person: &Person,
    kinds: &[Relation],
    other: &RelativeQuery,
    delivered: &mut Vec<SubjectId>,
) -> dancu_store::Result<ClaimResult> {
    let mut best = ClaimResult::Unknown;
    for kind in kinds {
        match relative(registry, person, kind.field(), other, delivered).await? {
            ClaimResult::Match => return Ok(ClaimResult::Match),
            ClaimResult::Mismatch => best = ClaimResult::Mismatch,
            ClaimResult::Unknown => {}
        }
    }
    Ok(best)
}

/// Everything stated about the relative must agree. An id or birth date that the record does not
/// carry is looked for in the relative's own record; if it is nowhere, the result is unknown. Whose
/// record is looked into is told about, so it joins `delivered`.
///
/// Who has no spouse or guardian on record has none: marriage and guardianship exist by being
/// registered. Parents and heads of households exist without, so theirs is unknown.
async fn relative(
    registry: &Registry,
    person: &Person,
    field: Field,
    asked: &RelativeQuery,
    delivered: &mut Vec<SubjectId>,
) -> dancu_store::Result<ClaimResult> {
    let Some(record) = relative_of(person, field) else {
        return Ok(match field {
            Field::Spouse | Field::Guardian => ClaimResult::Mismatch,
            _ => ClaimResult::Unknown,
        });
    };
    if !asked.name.matches(&record.full_name) {
        return Ok(ClaimResult::Mismatch);
    }
    let needs_own = asked.birth.is_some() || (asked.old_id.is_some() && record.old_id.is_none());
    let own = match record.personal_id {
        Some(id) if needs_own => registry.look_up(id).await?,
        _ => None,
    };
    if let Some(own) = &own {
        let id = SubjectId::Personal(own.keys.personal_id);
        if !delivered.contains(&id) {
            delivered.push(id);
        }
    }
    let mut result = ClaimResult::Match;
    let mut also = |known: Option<bool>| match known {
        Some(false) => result = ClaimResult::Mismatch,
        None if result == ClaimResult::Match => result = ClaimResult::Unknown,
        _ => {}
    };
    if let Some(country) = asked.nationality {
        also(Some(country == record.nationality));
    }
    if let Some(id) = asked.personal_id {
        also(record.personal_id.map(|r| r == id));
    }
    if let Some(id) = asked.old_id {
        let by_own = own.as_ref().map(|r| r.keys.old_ids.contains(&id));
        also(record.old_id.map(|r| r == id).or(by_own));
    }
    if let Some(birth) = asked.birth {
        also(own.as_ref().map(|r| birth.matches(r.keys.birth).is_some()));
    }
    Ok(result)
}
