//! Claims of the national sign-in, as a person (wire formats, "Sign-in"): `sub`, `HoVaTen`,
//! `SoDinhDanh`, `NgayThangNamSinh` (yyyyMMdd), `LoaiTaiKhoan` (1 citizen, 2 organisation).

use std::fmt;

use dancu_domain::birth::BirthDate;
use dancu_domain::ids::PersonalId;
use dancu_domain::name::NameQuery;
use jiff::civil::Date;
use serde_json::{Map, Value};

use super::Failure;

/// Longest `sub` (OpenID Connect Core, 2: 255 ASCII characters).
const SUBJECT_MAX: usize = 255;

/// Whose electronic identity it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A citizen's (`LoaiTaiKhoan` 1).
    Citizen,
    /// An organisation's (2), or of a kind that is not known: nobody's.
    Organisation,
    /// The provider knows no kinds: an agency's own one, for its staff.
    Unsaid,
}

/// Who somebody is to a provider. Debug output shows nothing of it.
#[derive(Clone)]
pub struct Identity {
    /// Which provider says so.
    pub issuer: String,
    /// Its name for the person: the same as long as the provider knows them, and nobody else's.
    pub subject: String,
    /// Personal id.
    pub personal_id: Option<PersonalId>,
    /// Full name.
    pub name: Option<NameQuery>,
    /// Date of birth.
    pub birth: Option<BirthDate>,
    /// Whose.
    pub kind: Kind,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({:?}, ***)", self.kind)
    }
}

impl Identity {
    /// Reads claims. What is there has to have its shape; what is missing is left open.
    ///
    /// # Errors
    /// [`Failure::Claims`] with the claim's name.
    pub(super) fn read(
        issuer: &str,
        subject: &str,
        claims: &Map<String, Value>,
        today: Date,
    ) -> Result<Self, Failure> {
        let shaped = (1..=SUBJECT_MAX).contains(&subject.len())
            && subject.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        if !shaped {
            return Err(Failure::Claims("sub"));
        }
        let personal_id = text(claims, "SoDinhDanh")?
            .map(|id| PersonalId::parse(&id).map_err(|_| Failure::Claims("SoDinhDanh")));
        let name = text(claims, "HoVaTen")?
            .map(|name| NameQuery::parse(&name).map_err(|_| Failure::Claims("HoVaTen")));
        let birth = text(claims, "NgayThangNamSinh")?.map(|day| {
            BirthDate::parse(&day, today).map_err(|_| Failure::Claims("NgayThangNamSinh"))
        });
        let kind = match text(claims, "LoaiTaiKhoan")?.as_deref() {
            None => Kind::Unsaid,
            Some("1") => Kind::Citizen,
            Some(_) => Kind::Organisation,
        };
        Ok(Self {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            personal_id: personal_id.transpose()?,
            name: name.transpose()?,
            birth: birth.transpose()?,
            kind,
        })
    }
}

/// A claim as text. Numbers come as numbers or as texts; an id as a number would have lost its
/// leading zero, so no number of more than one digit is read.
fn text(claims: &Map<String, Value>, name: &'static str) -> Result<Option<String>, Failure> {
    match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim().to_owned())),
        Some(Value::Number(n)) if n.as_u64().is_some_and(|n| n < 10) => Ok(Some(n.to_string())),
        Some(_) => Err(Failure::Claims(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(claims: &Value) -> Result<Identity, Failure> {
        let today = Date::constant(2026, 3, 2);
        Identity::read("https://a.vn", "s-1", claims.as_object().unwrap(), today)
    }

    #[test]
    fn the_national_claims_are_a_person() {
        let identity = read(&json!({
            "HoVaTen": " NGUYỄN THỊ MẪU ",
            "SoDinhDanh": "099301012345",
            "NgayThangNamSinh": "20010203",
            "LoaiTaiKhoan": 1,
            "SoCMND": "099012345",
        }));
        let identity = identity.unwrap();
        assert_eq!(identity.personal_id, PersonalId::parse("099301012345").ok());
        assert_eq!(identity.birth, Some(BirthDate::Day(Date::constant(2001, 2, 3))));
        assert!(identity.name.as_ref().unwrap().has_accents());
        assert_eq!(identity.kind, Kind::Citizen);
        let shown = format!("{identity:?}");
        assert_eq!(shown, "Identity(Citizen, ***)");
    }

    #[test]
    fn kinds_are_numbers_in_either_form() {
        for (said, kind) in [
            (json!("1"), Kind::Citizen),
            (json!(2), Kind::Organisation),
            (json!("2"), Kind::Organisation),
            (json!("3"), Kind::Organisation),
            (json!("công dân"), Kind::Organisation),
            (json!(null), Kind::Unsaid),
            (json!(""), Kind::Unsaid),
        ] {
            assert_eq!(read(&json!({ "LoaiTaiKhoan": said })).unwrap().kind, kind);
        }
    }

    #[test]
    fn claims_that_have_not_their_shape_are_refused() {
        for (name, value) in [
            ("SoDinhDanh", json!(99_301_012_345_u64)),
            ("SoDinhDanh", json!("9930101234")),
            ("SoDinhDanh", json!("0993010123 45")),
            ("SoDinhDanh", json!(["099301012345"])),
            ("HoVaTen", json!("<script>")),
            ("HoVaTen", json!({ "x": 1 })),
            ("NgayThangNamSinh", json!("20010230")),
            ("NgayThangNamSinh", json!("20270101")),
            ("NgayThangNamSinh", json!("03/02/2001")),
            ("LoaiTaiKhoan", json!(true)),
            ("LoaiTaiKhoan", json!(-1)),
        ] {
            let refused = read(&json!({ name: value })).unwrap_err();
            assert_eq!(refused, Failure::Claims(name), "{value}");
            assert!(!refused.to_string().contains("099"), "no claim stands in an error");
        }
    }

    #[test]
    fn a_subject_is_a_short_word() {
        let today = Date::constant(2026, 3, 2);
        let long = "a".repeat(SUBJECT_MAX + 1);
        for subject in ["", "é", "a\nb", &long] {
            let read = Identity::read("https://a.vn", subject, &Map::new(), today);
            assert_eq!(read.unwrap_err(), Failure::Claims("sub"));
        }
    }
}
