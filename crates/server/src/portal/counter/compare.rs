//! What an officer may compare beside the three keys, as far as it is granted (A4): what the
//! person states is compared, what the registry holds is not shown.

use dancu_domain::geo;
use dancu_domain::ids::{OldId, SubjectId};
use dancu_domain::person::{DETAIL_MAX, Dataset, MaritalStatus, Sex};
use dancu_domain::service::{Field, FieldSet};
use dancu_domain::text::{composed, fold, is_storable};
use dancu_gate::query::{AddressQuery, Claim, ClaimValue};
use dancu_portal::counter::Compare;
use dancu_portal::parts::{Choice, FieldError};
use dancu_portal::text::Text;
use jiff::civil::Date;

use super::question::Typed;
use super::values::key;
use crate::portal::frame::wrong;

/// How a field is typed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sex,
    Marital,
    OldId,
    Address,
}

/// A field that may be compared.
pub(super) struct Offer {
    /// Its id in the form.
    pub(super) id: &'static str,
    field: Field,
    kind: Kind,
}

const fn offer(id: &'static str, field: Field, kind: Kind) -> Offer {
    Offer { id, field, kind }
}

/// Every one of them. Sensitive fields are not compared here: what agrees would be known as well
/// as what is shown.
pub(super) const OFFERED: [Offer; 6] = [
    offer("claim-oldId", Field::OldId, Kind::OldId),
    offer("claim-sex", Field::Sex, Kind::Sex),
    offer("claim-maritalStatus", Field::MaritalStatus, Kind::Marital),
    offer("claim-permanentResidence", Field::PermanentResidence, Kind::Address),
    offer("claim-currentResidence", Field::CurrentResidence, Kind::Address),
    offer("claim-origin", Field::Origin, Kind::Address),
];

/// The part of the form, for what is granted; `typed` is shown again.
pub(super) fn fields(granted: FieldSet, typed: &Typed, text: &Text) -> Vec<Compare> {
    let offered = OFFERED.iter().filter(|offer| granted.contains(offer.field));
    offered
        .map(|offer| {
            let value = typed_value(typed, offer.id).to_owned();
            let (choices, hint) = match offer.kind {
                Kind::Sex => (choices(&value, "value-sex", text), ""),
                Kind::Marital => (choices(&value, "value-marital", text), ""),
                Kind::OldId => (vec![], "counter-compare-old"),
                Kind::Address => (vec![], "counter-compare-address"),
            };
            Compare { id: offer.id, key: key(offer.field), value, choices, hint }
        })
        .collect()
}

fn typed_value<'a>(typed: &'a Typed, id: &str) -> &'a str {
    typed.compare.iter().find(|(known, _)| *known == id).map_or("", |(_, value)| value)
}

fn choices(value: &str, prefix: &str, text: &Text) -> Vec<Choice> {
    let choice = |code: &str, label| Choice { value: code.into(), label, chosen: code == value };
    let none = choice("", text.get("counter-compare-none"));
    let codes = ["1", "2", "3"].map(|code| choice(code, text.get(format!("{prefix}-{code}"))));
    std::iter::once(none).chain(codes).collect()
}

/// The claims, and each of them in words; what cannot be read joins the errors.
pub(super) fn read(
    typed: &Typed,
    today: Date,
    text: &Text,
    errors: &mut Vec<FieldError>,
) -> (Vec<Claim>, Vec<String>) {
    let (mut claims, mut words) = (vec![], vec![]);
    for offer in &OFFERED {
        let value = typed_value(typed, offer.id);
        if value.is_empty() {
            continue;
        }
        match claim(offer.kind, value, today, text) {
            Ok((value, shown)) => {
                claims.push(Claim { field: offer.field, value });
                words.push(shown);
            }
            Err(key) => errors.push(wrong(offer.id, text.get(key))),
        }
    }
    (claims, words)
}

fn claim(
    kind: Kind,
    value: &str,
    today: Date,
    text: &Text,
) -> Result<(ClaimValue, String), &'static str> {
    let code = value.parse::<u8>().ok().filter(|code| (1..=3).contains(code));
    let chosen = |prefix| text.get(format!("{prefix}-{value}"));
    Ok(match kind {
        Kind::Sex => {
            let sex = code.and_then(Sex::from_code).ok_or("common-problem")?;
            (ClaimValue::Sex(sex), chosen("value-sex"))
        }
        Kind::Marital => {
            let marital = code.and_then(MaritalStatus::from_code).ok_or("common-problem")?;
            (ClaimValue::Marital(marital), chosen("value-marital"))
        }
        Kind::OldId => {
            let digits: String = value.chars().filter(|c| !c.is_whitespace()).collect();
            let id = OldId::parse(&digits).map_err(|_| "counter-compare-old-wrong")?;
            (ClaimValue::Id(SubjectId::Old(id)), id.to_string())
        }
        Kind::Address => (ClaimValue::Address(address(value, today)?), value.to_owned()),
    })
}

/// An address as it is written: house and street, then commune, district of before 2025-07-01 and
/// province. Where no province is named at the end, all of it is house and street.
fn address(text: &str, today: Date) -> Result<AddressQuery, &'static str> {
    let text = composed(text.trim());
    if text.chars().count() > DETAIL_MAX || !text.chars().all(is_storable) {
        return Err("counter-compare-address");
    }
    let parts: Vec<&str> = text.split(',').map(str::trim).filter(|p| !p.is_empty()).collect();
    let asked = |place: (u8, u16, u32), detail: &[&str], dataset| {
        let detail = (!detail.is_empty()).then(|| detail.join(", "));
        let (province, district, commune) = place;
        AddressQuery { province, district, commune, detail, country: None, dataset }
    };
    let now = Dataset::in_force_on(today);
    let provinces =
        [Dataset::Y2026, Dataset::Y2024].map(|dataset| (dataset, province(dataset, &parts)));
    for (dataset, province) in provinces {
        let Some(province) = province else { continue };
        let rest = &parts[..parts.len() - 1];
        let place = place(dataset, province, rest);
        if let Some((district, commune, taken)) = place {
            let detail = &rest[..rest.len() - taken];
            return Ok(asked((province, district, commune), detail, dataset));
        }
    }
    if provinces.iter().any(|(_, province)| province.is_some()) {
        return Err("counter-compare-place-wrong");
    }
    Ok(asked((0, 0, 0), &parts, now))
}

fn province(dataset: Dataset, parts: &[&str]) -> Option<u8> {
    // A province alone is a street's name as often as not.
    let [_, .., last] = parts else { return None };
    let found = geo::provinces(dataset).iter().find(|p| is_named(last, p.name));
    found.map(|province| province.code)
}

/// District and commune that stand at the end, and how many parts they take.
fn place(dataset: Dataset, province: u8, parts: &[&str]) -> Option<(u16, u32, usize)> {
    let commune = |name: &str, district: Option<u16>| {
        let fits = |c: &&geo::Commune| {
            (district.is_none() || c.district == district) && is_named(name, c.name)
        };
        let mut found = geo::communes_of(dataset, province).filter(fits);
        // Two of one name are not told apart by it.
        found.next().filter(|_| found.next().is_none()).map(|c| c.code)
    };
    match (dataset, parts) {
        (Dataset::Y2026, [.., name]) => Some((0, commune(name, None)?, 1)),
        (Dataset::Y2024, [.., name, district]) => {
            let of = |d: &geo::District| d.province == province && is_named(district, d.name);
            let mut codes = geo::communes_of(dataset, province).filter_map(|c| c.district);
            let district = codes.find(|code| geo::district(*code).is_some_and(|d| of(&d)))?;
            Some((district, commune(name, Some(district))?, 2))
        }
        _ => None,
    }
}

/// Whether a text names a unit: with or without its kind in front, whatever the case and accents.
fn is_named(text: &str, name: &str) -> bool {
    let (text, full) = (fold(text), fold(name));
    let kinds = ["thanhpho", "thitran", "thixa", "phuong", "tinh", "quan", "huyen", "dackhu", "xa"];
    let bare = kinds.iter().find_map(|kind| full.strip_prefix(kind)).unwrap_or(&full);
    // A number alone names no unit ("Phường 1" is not "1").
    text == full || (text == bare && bare.chars().any(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dancu_portal::text::Language;

    const TODAY: Date = jiff::civil::date(2026, 3, 2);

    fn read_address(text: &str) -> Result<(u8, u16, u32, Option<String>), &'static str> {
        address(text, TODAY).map(|a| (a.province, a.district, a.commune, a.detail))
    }

    #[test]
    fn addresses_as_people_write_them() {
        let province = geo::provinces(Dataset::Y2026).iter().find(|p| p.name.contains("Hà Nội"));
        let province = province.unwrap().code;
        let commune = geo::communes_of(Dataset::Y2026, province).next().unwrap();
        let whole = format!("Số 12 đường Hoa Ban, {}, Thành phố Hà Nội", commune.name);
        let street = Some("Số 12 đường Hoa Ban".to_owned());
        assert_eq!(read_address(&whole), Ok((province, 0, commune.code, street.clone())));
        let shouted = format!("SO 12 DUONG HOA BAN, {}, ha noi", commune.name.to_uppercase());
        let read = read_address(&shouted).unwrap();
        assert_eq!((read.0, read.2), (province, commune.code));
        assert_eq!(read_address("Số 12 đường Hoa Ban"), Ok((0, 0, 0, street)));
        let nowhere = "Số 12, Phường Không Có Thật, Thành phố Hà Nội";
        assert_eq!(read_address(nowhere), Err("counter-compare-place-wrong"));
        // Before 2025-07-01 with a district.
        let old = geo::communes(Dataset::Y2024).iter().find(|c| {
            let one = |d: &geo::Commune| d.district == c.district && d.name == c.name;
            c.district.is_some()
                && geo::communes(Dataset::Y2024).iter().filter(|d| one(d)).count() == 1
        });
        let old = old.unwrap();
        let district = geo::district(old.district.unwrap()).unwrap();
        let name = geo::province(Dataset::Y2024, old.province).unwrap().name;
        let whole = format!("Tổ 3, {}, {}, {name}", old.name, district.name);
        let read = read_address(&whole).unwrap();
        assert_eq!((read.0, read.1, read.2), (old.province, district.code, old.code));
        assert!(read_address(&"a".repeat(DETAIL_MAX + 1)).is_err());
    }

    #[test]
    fn only_what_is_granted_is_offered_and_never_what_is_sensitive() {
        let text = Text::new(Language::Vietnamese);
        let typed = Typed::default();
        let granted = FieldSet::of(&[Field::Sex, Field::Religion, Field::FullName]);
        let offered = fields(granted, &typed, &text);
        assert_eq!(offered.iter().map(|c| c.id).collect::<Vec<_>>(), ["claim-sex"]);
        assert_eq!(offered[0].choices.len(), 4);
        assert!(OFFERED.iter().all(|offer| !FieldSet::SENSITIVE.contains(offer.field)));
    }

    #[test]
    fn claims_and_their_words() {
        let text = Text::new(Language::English);
        let read = |pairs: &[(&'static str, &str)]| {
            let compare = pairs.iter().map(|(id, value)| (*id, (*value).to_owned())).collect();
            let mut errors = vec![];
            let typed = Typed { compare, ..Typed::default() };
            let (claims, words) = read(&typed, TODAY, &text, &mut errors);
            (claims.len(), words, errors.iter().map(|e| e.field).collect::<Vec<_>>())
        };
        let some =
            [("claim-sex", "2"), ("claim-oldId", "099 417 250"), ("claim-maritalStatus", "")];
        let words = vec!["099417250".to_owned(), "Female".to_owned()];
        assert_eq!(read(&some), (2, words, vec![]));
        let wrong = [("claim-sex", "9"), ("claim-oldId", "12"), ("claim-maritalStatus", "<b>")];
        let fields = vec!["claim-oldId", "claim-sex", "claim-maritalStatus"];
        assert_eq!(read(&wrong), (0, vec![], fields));
    }
}
