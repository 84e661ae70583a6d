//! The objects that callers send, as declared to the parser and to the OpenAPI document alike.

use dancu_domain::service::{Field, FieldSet};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::raw::{Canonical, Issues, Key, Nested, Raw, Slot, body};
use super::shapes;

body! {
    /// The body of every question. Which of the last three fields may stand in it depends on the
    /// endpoint.
    Body<'a> {
        /// Mã yêu cầu.
        request_id: "requestId", Raw<'a>, Required, shapes::request_id;
        /// Mã thủ tục hành chính.
        procedure: "procedureCode", Raw<'a>, Required, shapes::procedure_code;
        /// Mục đích.
        purpose: "purpose", Raw<'a>, Optional, shapes::purpose;
        /// Mã hồ sơ.
        case: "caseCode", Raw<'a>, Optional, shapes::case_code;
        /// Tài khoản.
        account: "account", Raw<'a>, Required, shapes::account;
        /// The three keys.
        subject: "subject", Nested<SubjectBody<'a>>, Required, shapes::subject;
        /// Claims about fields (verify).
        claims: "claims", Nested<ClaimList<'a>>, Optional, shapes::claims;
        /// Quan hệ (relation check).
        relation: "relation", Raw<'a>, Required, shapes::relation;
        /// The relative (relation check).
        other: "other", Nested<RelativeBody<'a>>, Required, shapes::other;
    }
}

body! {
    /// The three keys: one of two ids, the name and the date of birth.
    SubjectBody<'a> {
        /// Số định danh.
        personal_id: "personalId", Raw<'a>, Optional, shapes::personal_id;
        /// Số CMND.
        old_id: "oldId", Raw<'a>, Optional, shapes::old_id;
        /// Họ và tên.
        full_name: "fullName", Raw<'a>, Required, shapes::full_name;
        /// Ngày sinh.
        birth: "dateOfBirth", Raw<'a>, Required, shapes::date_of_birth;
    }
}

body! {
    /// A relative: in claims and in relation checks.
    RelativeBody<'a> {
        /// Họ và tên.
        full_name: "fullName", Raw<'a>, Required, shapes::full_name;
        /// Số định danh.
        personal_id: "personalId", Raw<'a>, Optional, shapes::personal_id;
        /// Số CMND.
        old_id: "oldId", Raw<'a>, Optional, shapes::old_id;
        /// Quốc tịch; read in claims only.
        nationality: "nationality", Raw<'a>, Optional, shapes::nationality;
        /// Ngày sinh.
        birth: "dateOfBirth", Raw<'a>, Optional, shapes::date_of_birth;
    }
}

body! {
    /// An address in a claim.
    AddressBody<'a> {
        /// Mã tỉnh.
        province: "provinceCode", Raw<'a>, Optional, shapes::province_code;
        /// Mã phường, xã.
        commune: "communeCode", Raw<'a>, Optional, shapes::commune_code;
        /// Địa chỉ chi tiết.
        detail: "detail", Raw<'a>, Optional, shapes::address_detail;
        /// Quốc gia.
        country: "country", Raw<'a>, Optional, shapes::country;
        /// Date that the codes are read by.
        dataset: "datasetDate", Raw<'a>, Optional, shapes::dataset_date;
    }
}

body! {
    /// The body of `PUT /sandbox/clock`.
    ClockBody<'a> {
        /// RFC 3339.
        now: "now", Raw<'a>, Required, shapes::now;
    }
}

/// A claim's value, by kind of field.
pub(super) enum RawClaim<'a> {
    /// An id, a name, a date, a code.
    Scalar(Raw<'a>),
    /// birthPlace … currentResidence.
    Address(Nested<AddressBody<'a>>),
    /// father … householdHead.
    Relative(Nested<RelativeBody<'a>>),
}

/// Claims in the order they came.
#[derive(Default)]
pub(super) struct ClaimList<'a> {
    /// The claims; each field once, hence at most 25.
    pub(super) list: Vec<(Field, RawClaim<'a>)>,
    /// What is wrong with the keys.
    pub(super) issues: Issues,
}

/// The kinds of value that claims have on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ClaimKind {
    /// A text or a code.
    Scalar,
    /// An address.
    Address,
    /// A relative.
    Relative,
}

/// The kind of value that a field is claimed with.
pub(super) const fn claim_kind(field: Field) -> ClaimKind {
    match field {
        Field::BirthPlace
        | Field::BirthRegistration
        | Field::Origin
        | Field::PermanentResidence
        | Field::TemporaryResidence
        | Field::CurrentResidence => ClaimKind::Address,
        Field::Father | Field::Mother | Field::Spouse | Field::Guardian | Field::HouseholdHead => {
            ClaimKind::Relative
        }
        _ => ClaimKind::Scalar,
    }
}

impl Canonical for ClaimList<'_> {
    /// Sorted by field: the order of keys is no part of a JSON value.
    fn write_fields(&self, out: &mut Vec<u8>) {
        let mut sorted: Vec<_> = self.list.iter().map(|(field, claim)| (*field, claim)).collect();
        sorted.sort_unstable_by_key(|(field, _)| *field);
        out.push(sorted.len() as u8);
        for (field, claim) in sorted {
            out.push(field as u8);
            match claim {
                RawClaim::Scalar(value) => value.write(out),
                RawClaim::Address(value) => value.write(out),
                RawClaim::Relative(value) => value.write(out),
            }
        }
    }
}

impl<'de> Deserialize<'de> for ClaimList<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ClaimVisitor)
    }
}

struct ClaimVisitor;

impl<'de> Visitor<'de> for ClaimVisitor {
    type Value = ClaimList<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut claims = ClaimList::default();
        let mut seen = FieldSet::EMPTY;
        while let Some(Key(key)) = map.next_key()? {
            let Some(field) = Field::from_code(&key) else {
                map.next_value::<IgnoredAny>()?;
                claims.issues.unknown(&key);
                continue;
            };
            if seen.contains(field) {
                map.next_value::<IgnoredAny>()?;
                claims.issues.doubled(field.code());
                continue;
            }
            seen.insert(field);
            let value = match claim_kind(field) {
                ClaimKind::Scalar => RawClaim::Scalar(map.next_value()?),
                ClaimKind::Address => RawClaim::Address(map.next_value()?),
                ClaimKind::Relative => RawClaim::Relative(map.next_value()?),
            };
            claims.list.push((field, value));
        }
        Ok(claims)
    }
}
