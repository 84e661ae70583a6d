//! Identifiers, dates and instants: what parses prints and parses back to itself.

use dancu_domain::birth::{BirthDate, Precision};
use dancu_domain::ids::{
    CaseCode, Login, OfficerCode, OfficerRef, OldId, PersonalId, ProcedureCode, Purpose, RequestId,
    SystemCode, UnitCode,
};
use dancu_domain::moment::Moment;
use dancu_domain::person::Country;

use crate::people::TODAY;
use unicode_normalization::UnicodeNormalization as _;

/// Reads a text as everything that a short text can be.
///
/// # Panics
/// Where a law is broken.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let digits = |n: usize| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
    let personal = PersonalId::parse(text);
    assert_eq!(personal.is_ok(), digits(12));
    if let Ok(id) = personal {
        assert_eq!(id.to_string(), text);
        assert_eq!(PersonalId::from_number(id.number()), Some(id));
        assert!((1900..=2399).contains(&id.birth_year()) && id.prefix() < 1000);
        let _ = (id.sex(), dancu_domain::geo::birth_prefix(id.prefix()));
        assert!(Login::parse(text).is_ok_and(|login| login.is_personal_data()));
    }
    let old = OldId::parse(text);
    assert_eq!(old.is_ok(), digits(9));
    if let Ok(id) = old {
        assert_eq!(id.to_string(), text);
        assert_eq!(OldId::from_number(id.number()), Some(id));
    }
    texts(text);
    birth(text);
    if let Some(country) = Country::parse(text) {
        assert!(country.as_str().eq_ignore_ascii_case(text));
    }
    // The product's clock counts from 1970.
    if let Some(at) = Moment::parse_rfc3339(text).filter(|at| at.0 >= 0) {
        assert_eq!(Moment::parse_rfc3339(&at.rfc3339()), Some(at));
    }
    let _ = dancu_domain::text::fold(text);
}

/// Length and characters as the types' own words say, counted in another way. Texts are kept in NFC.
fn texts(sent: &str) {
    let composed: String = sent.nfc().collect();
    let text = composed.as_str();
    let plain = |more: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
    let length = text.chars().count();
    let laws = [
        (CaseCode::parse(sent).map(|v| v.to_string()), 3..=60, plain(".-_/")),
        (ProcedureCode::parse(sent).map(|v| v.to_string()), 1..=20, plain(".-_")),
        (SystemCode::parse(sent).map(|v| v.to_string()), 1..=35, plain(".-_")),
        (UnitCode::parse(sent).map(|v| v.to_string()), 1..=35, plain(".-_")),
        (Login::parse(sent).map(|v| v.to_string()), 8..=60, plain(".-_@")),
        (OfficerRef::parse(sent).map(|v| v.to_string()), 1..=60, !text.contains(char::is_control)),
        (OfficerCode::parse(sent).map(|v| v.to_string()), 1..=20, !text.contains(char::is_control)),
    ];
    for (parsed, lengths, allowed) in laws {
        assert_eq!(parsed.is_ok(), allowed && lengths.contains(&length));
        assert!(parsed.is_ok_and(|v| v == text) || !allowed || !lengths.contains(&length));
    }
    if let Ok(purpose) = Purpose::parse(sent) {
        assert_eq!(purpose.as_str(), text);
    }
    if let Ok(id) = RequestId::parse(sent) {
        assert!(id.as_str() == text && !text.contains(char::is_control));
    }
}

fn birth(text: &str) {
    let parsed = BirthDate::parse(text, TODAY);
    let (day, year) = (BirthDate::parse_day(text, TODAY), BirthDate::parse_year(text, TODAY));
    let Ok(birth) = parsed else {
        assert!(day.is_err() && year.is_err());
        return;
    };
    assert_ne!(day.is_ok(), year.is_ok());
    assert_eq!(day.or(year), Ok(birth));
    for printed in [birth.to_string(), birth.compact()] {
        assert_eq!(BirthDate::parse(&printed, TODAY), Ok(birth));
    }
    assert!((1850..=TODAY.year()).contains(&birth.year()));
    assert_eq!(birth.matches(birth), Some(Precision::Day));
    assert!(birth.matches(BirthDate::Year(birth.year())).is_some());
    let sealed = postcard::to_stdvec(&birth).expect("a birth can be sealed");
    assert_eq!(postcard::from_bytes::<BirthDate>(&sealed), Ok(birth));
}
