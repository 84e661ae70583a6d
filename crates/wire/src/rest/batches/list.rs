//! The body of `POST /api/v1/lists`: a head as every question has one, and the criteria.

use dancu_domain::person::{BloodGroup, Dataset, Sex};
use dancu_domain::service::Service;
use dancu_gate::jobs::lists::{AGE_MAX, Impossible, impossible};
use dancu_gate::jobs::types::{JobKind, ListFilter, ListPlace, NewJob};
use dancu_gate::query::Unreadable;
use jiff::civil::Date;
use serde_json::json;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};

use crate::rest::fields::{self, At, Reader};
use crate::rest::head::{Head, RawHead};
use crate::rest::parse::read_json;
use crate::rest::raw::{Canonical as _, Nested, Raw, body};
use crate::rest::shapes;

/// The path of lists; what came of one is read under the paths of batches.
pub const LISTS: &str = "/api/v1/lists";

body! {
    /// A list as it is asked for.
    ListBody<'a> {
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
        /// Tiêu chí.
        filter: "filter", Nested<FilterBody<'a>>, Required, filter_ref;
    }
}

body! {
    /// Criteria: everybody whom every stated one fits.
    FilterBody<'a> {
        /// Nơi ở hiện tại.
        place: "currentResidence", Nested<PlaceBody<'a>>, Optional, place_ref;
        /// Độ tuổi.
        ages: "age", Nested<AgesBody<'a>>, Optional, ages_ref;
        /// Nhóm máu.
        blood: "bloodGroup", Raw<'a>, Optional, blood_code;
        /// Giới tính.
        sex: "sex", Raw<'a>, Optional, sex_code;
        /// Dân tộc.
        ethnicity: "ethnicity", Raw<'a>, Optional, ethnicity_code;
        /// Tôn giáo.
        religion: "religion", Raw<'a>, Optional, religion_code;
    }
}

body! {
    /// A province, or one of its communes.
    PlaceBody<'a> {
        /// Mã tỉnh.
        province: "provinceCode", Raw<'a>, Required, shapes::province_code;
        /// Mã phường, xã.
        commune: "communeCode", Raw<'a>, Optional, shapes::commune_code;
        /// Date that the codes are read by.
        dataset: "datasetDate", Raw<'a>, Optional, shapes::dataset_date;
    }
}

body! {
    /// First and last age in whole years; both belong.
    AgesBody<'a> {
        /// Từ tuổi.
        from: "from", Raw<'a>, Required, age;
        /// Đến tuổi.
        to: "to", Raw<'a>, Required, age;
    }
}

fn reference(name: &str) -> RefOr<Schema> {
    Ref::from_schema_name(name).into()
}

fn filter_ref() -> RefOr<Schema> {
    reference("ListFilter")
}

fn place_ref() -> RefOr<Schema> {
    reference("ListPlace")
}

fn ages_ref() -> RefOr<Schema> {
    reference("ListAges")
}

fn code(description: &str, pattern: &str, example: &str) -> RefOr<Schema> {
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .pattern(Some(pattern))
        .examples([json!(example)]);
    RefOr::T(Schema::Object(text.build()))
}

fn blood_code() -> RefOr<Schema> {
    code("Nhóm máu, mã 00-04 · Blood group", "^0[0-4]$", "03")
}

fn sex_code() -> RefOr<Schema> {
    code("Giới tính, mã 0-3 · Sex", "^[0-3]$", "2")
}

fn ethnicity_code() -> RefOr<Schema> {
    code("Dân tộc, mã 2 chữ số · Ethnicity", "^[0-9]{2}$", "01")
}

fn religion_code() -> RefOr<Schema> {
    code("Tôn giáo, mã 2 chữ số · Religion", "^[0-9]{2}$", "02")
}

fn age() -> RefOr<Schema> {
    let number = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .description(Some("Tuổi tròn năm · Age in whole years"))
        .minimum(Some(0))
        .maximum(Some(u32::from(AGE_MAX)))
        .examples([json!(18)]);
    RefOr::T(Schema::Object(number.build()))
}

/// The objects of a list's body, for the document.
pub(in crate::rest) fn components() -> Vec<(String, RefOr<Schema>)> {
    let example = json!({
        "requestId": "DS-2026-000001",
        "procedureCode": "1.004194",
        "account": "onestop.kehoach",
        "filter": {"currentResidence": {"provinceCode": "01"}, "age": {"from": 18, "to": 60}},
    });
    let list = shapes::object("Yêu cầu lập danh sách · A list to be made", ListBody::FIELDS);
    let filter = "Tiêu chí, ít nhất một; người trong danh sách thỏa mọi tiêu chí đã nêu. Mỗi tiêu \
                  chí cần trường tương ứng được cấp (A4) · Criteria, at least one; each needs its \
                  field granted";
    let filter = shapes::object(filter, FilterBody::FIELDS);
    let place = "Nơi ở hiện tại: cả tỉnh, hoặc một xã · Where they live now";
    let place = shapes::object(place, PlaceBody::FIELDS);
    let ages = "Độ tuổi vào ngày gửi, tính cả hai đầu · Ages on the day of submission, both belong";
    let ages = shapes::object(ages, AgesBody::FIELDS);
    [
        ("ListQuestion", list.examples([example])),
        ("ListFilter", filter),
        ("ListPlace", place),
        ("ListAges", ages),
    ]
    .map(|(name, object)| (name.to_owned(), RefOr::T(Schema::Object(object.build()))))
    .into()
}

/// Reads the body of a list. `today` is the date in Viet Nam, by which codes of places are read
/// where the body names no date.
///
/// # Errors
/// Everything that is wrong, by field; never a value.
pub fn parse_list(body: &[u8], today: Date) -> Result<NewJob, Box<Unreadable>> {
    let mut reader = Reader { today, errors: vec![] };
    let r = &mut reader;
    let unreadable = Unreadable { service: Some(Service::CitizenList), ..Unreadable::default() };
    let Some(raw) = read_json::<ListBody<'_>>(body, r) else {
        return Err(Box::new(Unreadable { errors: reader.errors, ..unreadable }));
    };
    r.issues(None, &raw.issues);
    let ListBody { request_id, procedure, purpose, case, account, .. } = &raw;
    let head = Head::read(r, &RawHead { request_id, procedure, purpose, case, account });
    let filter = filter(r, &raw.filter);
    let (head, filter) = head.with(filter, reader, |_| unreadable)?;
    Ok(NewJob { kind: JobKind::List(filter), head, digest: digest_of(&raw) })
}

fn filter(r: &mut Reader, raw: &Nested<FilterBody<'_>>) -> Option<ListFilter> {
    let (at, before) = (At::root("filter"), r.errors.len());
    let raw = r.object(raw, at, true)?;
    r.issues(Some(&at), &raw.issues);
    let mut code = |raw: &Raw<'_>, name, digits, codes| match raw {
        Raw::Absent | Raw::Null => None,
        raw => r.code(raw, at.then(name), digits, codes),
    };
    let blood = code(&raw.blood, "bloodGroup", 2, 0..=4).and_then(BloodGroup::from_code);
    let sex = code(&raw.sex, "sex", 1, 0..=3).and_then(Sex::from_code);
    let ethnicity = code(&raw.ethnicity, "ethnicity", 2, 0..=99);
    let religion = code(&raw.religion, "religion", 2, 0..=99);
    let place = place(r, &raw.place, at.then("currentResidence"));
    let ages = ages(r, &raw.ages, at.then("age"));
    let filter = ListFilter { place, ages, blood, sex, ethnicity, religion };
    if r.errors.len() > before {
        return None;
    }
    for wrong in impossible(&filter) {
        match wrong {
            Impossible::Nothing => r.error(at, "Cần ít nhất một tiêu chí."),
            Impossible::Place => r.error(
                at.then("currentResidence"),
                "Không có tỉnh, xã này trong danh mục, hoặc xã thuộc tỉnh khác.",
            ),
            Impossible::Ages => r.error(at.then("age"), "from phải không lớn hơn to."),
            Impossible::Ethnicity => {
                r.error(at.then("ethnicity"), "Không có mã này trong danh mục dân tộc.");
            }
            Impossible::Religion => {
                r.error(at.then("religion"), "Không có mã này trong danh mục tôn giáo.");
            }
        }
    }
    (r.errors.len() == before).then_some(filter)
}

fn place(r: &mut Reader, raw: &Nested<PlaceBody<'_>>, at: At<'_>) -> Option<ListPlace> {
    let raw = r.object(raw, at, false)?;
    r.issues(Some(&at), &raw.issues);
    let province = r.required(&raw.province, at.then("provinceCode"), fields::province);
    let commune = r.optional(&raw.commune, at.then("communeCode"), fields::commune);
    let dataset = r.optional(&raw.dataset, at.then("datasetDate"), fields::dataset);
    let dataset = dataset.unwrap_or_else(|| Dataset::in_force_on(r.today));
    Some(ListPlace { province: province?, commune: commune.unwrap_or_default(), dataset })
}

fn ages(r: &mut Reader, raw: &Nested<AgesBody<'_>>, at: At<'_>) -> Option<(u8, u8)> {
    let raw = r.object(raw, at, false)?;
    r.issues(Some(&at), &raw.issues);
    let mut age = |raw: &Raw<'_>, name| {
        let number = match raw {
            Raw::Number(number) => u8::try_from(*number).ok().filter(|n| *n <= AGE_MAX),
            _ => None,
        };
        if number.is_none() {
            r.error(at.then(name), format!("Số nguyên từ 0 đến {AGE_MAX}."));
        }
        number
    };
    let (from, to) = (age(&raw.from, "from"), age(&raw.to, "to"));
    Some((from?, to?))
}

/// The meaning of the body, whatever its spelling and order.
fn digest_of(raw: &ListBody<'_>) -> [u8; 16] {
    let mut canonical = vec![b'L'];
    raw.write_fields(&mut canonical);
    crate::body::digest16(&canonical)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(filter: &str) -> Result<NewJob, Vec<String>> {
        let body = format!(
            r#"{{"requestId":"DS-1","procedureCode":"1.004194","account":"onestop.kehoach",
            "filter":{filter}}}"#
        );
        parse_list(body.as_bytes(), jiff::civil::date(2026, 3, 2))
            .map_err(|u| u.errors.into_iter().map(|e| e.field).collect())
    }

    #[test]
    fn criteria_are_read_and_the_same_list_is_the_same_body() {
        let all = r#"{"currentResidence":{"provinceCode":"01","communeCode":"00004",
            "datasetDate":"2026-03-02"},"age":{"from":18,"to":60},"bloodGroup":"03","sex":2,
            "ethnicity":"01","religion":"02"}"#;
        let new = parse(all).unwrap();
        let JobKind::List(filter) = &new.kind else { panic!() };
        assert_eq!(filter.ages, Some((18, 60)));
        let place = filter.place.unwrap();
        assert_eq!((place.province, place.commune), (1, 4));
        assert_eq!((filter.sex.map(Sex::code), filter.ethnicity), (Some(2), Some(1)));
        let blood = filter.blood.map(BloodGroup::code);
        assert_eq!((blood, filter.religion), (Some(3), Some(2)));
        let spaced = all.replace("\"sex\":2,", " \"sex\" : 2 , ");
        assert_eq!(parse(&spaced).unwrap().digest, new.digest);
        assert_ne!(parse(&all.replace("60", "61")).unwrap().digest, new.digest);
    }

    #[test]
    fn everything_wrong_is_named() {
        for (filter, fields) in [
            ("{}", &["filter"][..]),
            ("[]", &["filter"]),
            (r#"{"name":"x"}"#, &["filter.name"]),
            (r#"{"sex":"9","bloodGroup":"9"}"#, &["filter.bloodGroup", "filter.sex"]),
            (r#"{"age":{"from":60,"to":18}}"#, &["filter.age"]),
            (r#"{"age":{"from":"18"}}"#, &["filter.age.from", "filter.age.to"]),
            (r#"{"age":{"from":0,"to":151}}"#, &["filter.age.to"]),
            (r#"{"currentResidence":{}}"#, &["filter.currentResidence.provinceCode"]),
            (r#"{"currentResidence":{"provinceCode":"99"}}"#, &["filter.currentResidence"]),
            (r#"{"ethnicity":"77","religion":"77"}"#, &["filter.ethnicity", "filter.religion"]),
        ] {
            assert_eq!(parse(filter).unwrap_err(), fields, "{filter}");
        }
        let unreadable = parse_list(b"{}", Date::MIN).unwrap_err();
        assert_eq!(unreadable.service, Some(Service::CitizenList));
        assert_eq!(unreadable.errors.len(), 4);
    }
}
