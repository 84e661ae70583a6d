//! What a record holds, in words: fields, values, and where each comes from.

use dancu_domain::birth::BirthDate;
use dancu_domain::geo;
use dancu_domain::lists;
use dancu_domain::person::{
    Address, BloodGroup, Country, MaritalStatus, Relative, Sex, Stamp, VitalStatus,
};
use dancu_domain::service::{Field, FieldSet};
use dancu_gate::query::Disclosed;
use dancu_portal::text::Text;

use crate::portal::frame;

/// Key of a field's name.
pub(in crate::portal) const fn key(field: Field) -> &'static str {
    match field {
        Field::PersonalId => "field-personalId",
        Field::OldId => "field-oldId",
        Field::FullName => "field-fullName",
        Field::OtherName => "field-otherName",
        Field::DateOfBirth => "field-dateOfBirth",
        Field::Sex => "field-sex",
        Field::Ethnicity => "field-ethnicity",
        Field::Religion => "field-religion",
        Field::Nationality => "field-nationality",
        Field::MaritalStatus => "field-maritalStatus",
        Field::BloodGroup => "field-bloodGroup",
        Field::BirthPlace => "field-birthPlace",
        Field::BirthRegistration => "field-birthRegistration",
        Field::Origin => "field-origin",
        Field::PermanentResidence => "field-permanentResidence",
        Field::TemporaryResidence => "field-temporaryResidence",
        Field::CurrentResidence => "field-currentResidence",
        Field::Father => "field-father",
        Field::Mother => "field-mother",
        Field::Spouse => "field-spouse",
        Field::Guardian => "field-guardian",
        Field::HouseholdHead => "field-householdHead",
        Field::HouseholdRole => "field-householdRole",
        Field::HouseholdNumber => "field-householdNumber",
        Field::VitalStatus => "field-vitalStatus",
    }
}

/// `dd/mm/yyyy`, or only the year.
pub(in crate::portal) fn birth(birth: BirthDate) -> String {
    match birth {
        BirthDate::Day(day) => frame::date(day),
        BirthDate::Year(year) => year.to_string(),
    }
}

/// Where a value comes from, with its day.
pub(in crate::portal) fn source(stamp: Stamp, text: &Text) -> String {
    text.with(&format!("source-{}", stamp.source as u8), "day", frame::date(stamp.on))
}

/// Name, value and source of each of these fields that is granted.
pub(in crate::portal) fn facts(
    citizen: &Disclosed,
    fields: FieldSet,
    text: &Text,
) -> Vec<(&'static str, String, String)> {
    let told = told(citizen, fields, text).into_iter();
    told.map(|(field, value, source)| (key(field), value, source)).collect()
}

/// The same by field.
pub(super) fn told(
    citizen: &Disclosed,
    fields: FieldSet,
    text: &Text,
) -> Vec<(Field, String, String)> {
    let told = citizen.fields().and(fields);
    told.iter()
        .map(|field| {
            let value = value(citizen, field, text);
            // Where nothing is known, nobody gave it.
            let source = match (&value, citizen.stamp(field)) {
                (Some(_), Some(stamp)) => source(stamp, text),
                _ => String::new(),
            };
            (field, value.unwrap_or_else(|| text.get("value-unknown")), source)
        })
        .collect()
}

/// The value of a granted field in words; none where the registry has none.
fn value(citizen: &Disclosed, field: Field, text: &Text) -> Option<String> {
    match field {
        Field::PersonalId => citizen.personal_id().map(|id| id.to_string()),
        Field::OldId => citizen.old_id().map(|id| id.to_string()),
        Field::FullName => citizen.full_name().map(str::to_owned),
        Field::OtherName => citizen.other_name().map(str::to_owned),
        Field::DateOfBirth => citizen.birth().map(birth),
        Field::Sex => {
            citizen.sex().filter(|s| *s != Sex::Unknown).map(|s| coded(text, "sex", s.code()))
        }
        Field::Ethnicity => {
            citizen.ethnicity().map(|code| listed(lists::ethnicity(code), code, text))
        }
        Field::Religion => citizen.religion().map(|code| listed(lists::religion(code), code, text)),
        Field::Nationality => citizen.nationality().map(nation),
        Field::MaritalStatus => {
            let known = citizen.marital().filter(|m| *m != MaritalStatus::Unknown);
            known.map(|m| coded(text, "marital", m.code()))
        }
        Field::BloodGroup => citizen.blood().and_then(blood).map(str::to_owned),
        Field::BirthPlace => citizen.birth_place().map(address),
        Field::BirthRegistration => citizen.birth_registration().map(address),
        Field::Origin => citizen.origin().map(address),
        Field::PermanentResidence => citizen.permanent().map(address),
        Field::TemporaryResidence => citizen.temporary().map(address),
        Field::CurrentResidence => citizen.current().map(address),
        Field::Father => citizen.father().map(relative),
        Field::Mother => citizen.mother().map(relative),
        Field::Spouse => citizen.spouse().map(relative),
        Field::Guardian => citizen.guardian().map(relative),
        Field::HouseholdHead => citizen.household_head().map(relative),
        Field::HouseholdRole => citizen.household_role().map(|role| {
            let (code, listed) = (role.code(), role.is_listed());
            if listed {
                text.get(format!("value-role-{code}"))
            } else {
                text.with("value-code", "code", code)
            }
        }),
        Field::HouseholdNumber => citizen.household_number().map(str::to_owned),
        Field::VitalStatus => citizen.vital().map(|vital| {
            let words = coded(text, "vital", vital.code());
            match vital {
                VitalStatus::Dead(Some(day)) | VitalStatus::Missing(Some(day)) => {
                    format!("{words}, {}", frame::date(day))
                }
                _ => words,
            }
        }),
    }
}

fn coded(text: &Text, list: &str, code: u8) -> String {
    text.get(format!("value-{list}-{code}"))
}

/// A name of a list; the code itself where the list has not got it.
fn listed(name: Option<&'static str>, code: u8, text: &Text) -> String {
    name.map_or_else(|| text.with("value-code", "code", code), str::to_owned)
}

/// A country by its code; our own by its name, which both languages write so.
fn nation(code: &str) -> String {
    if code == Country::VN.as_str() { "Việt Nam".to_owned() } else { code.to_owned() }
}

fn blood(group: BloodGroup) -> Option<&'static str> {
    match group {
        BloodGroup::Unknown => None,
        BloodGroup::A => Some("A"),
        BloodGroup::B => Some("B"),
        BloodGroup::Ab => Some("AB"),
        BloodGroup::O => Some("O"),
    }
}

fn address(address: &Address) -> String {
    let commune = geo::commune(address.dataset, address.commune);
    let district = commune.and_then(|c| c.district).and_then(geo::district);
    let province = geo::province(address.dataset, address.province);
    let mut parts = vec![address.detail.clone()];
    parts.extend(commune.map(|c| c.name.to_owned()));
    parts.extend(district.map(|d| d.name.to_owned()));
    parts.extend(province.map(|p| p.name.to_owned()));
    if address.country != Country::VN {
        parts.push(nation(address.country.as_str()));
    }
    parts.retain(|part| !part.trim().is_empty());
    parts.join(", ")
}

fn relative(relative: &Relative) -> String {
    let mut words = relative.full_name.as_str().to_owned();
    let old = relative.old_id.map(|id| id.to_string());
    if let Some(id) = relative.personal_id.map(|id| id.to_string()).or(old) {
        words.push_str(" · ");
        words.push_str(&id);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use dancu_domain::person::HouseholdRole;
    use dancu_portal::text::Language;

    #[test]
    fn every_field_and_code_has_words_in_both_languages() {
        for language in [Language::Vietnamese, Language::English] {
            let text = Text::new(language);
            let has = |key: String| assert!(text.has(&key), "{key}");
            for field in Field::ALL {
                has(key(*field).to_owned());
            }
            for (list, codes) in [("sex", 1..=3), ("marital", 1..=3), ("vital", 1..=3)] {
                codes.for_each(|code: u8| has(format!("value-{list}-{code}")));
            }
            (1..=5).for_each(|source| has(format!("source-{source}")));
            for digits in 0..100 {
                let role = HouseholdRole::from_code(&format!("CH{digits:02}")).unwrap();
                if role.is_listed() {
                    has(format!("value-role-{}", role.code()));
                }
            }
        }
    }
}
