//! From a body to a question, or to the list of everything that is wrong with it.

use dancu_domain::ids::SubjectId;
use dancu_domain::moment::Moment;
use dancu_domain::person::{BloodGroup, Dataset, HouseholdRole, MaritalStatus, Sex};
use dancu_domain::refusal::Reason;
use dancu_domain::service::Field;
use dancu_gate::query::{
    AddressQuery, Ask, Claim, ClaimValue, FieldError, Query, Relation, RelativeQuery, Subject,
    Unreadable,
};
use jiff::civil::Date;

use super::bodies::{AddressBody, Body, ClaimList, ClockBody, RawClaim, RelativeBody, SubjectBody};
use super::fields::{self, At, Reader};
use super::head::{Head, RawHead};
use super::raw::{Canonical, Nested, Raw, Slot};
use super::{BODY_MAX, Endpoint};
use crate::body::{NESTING_MAX, Unfit, json_text_within};

/// The path under which errors of the whole body are listed.
const WHOLE: &str = "body";

/// Reads the body of one of the four questions.
///
/// `today` is the date in Viet Nam. Errors name every field that is wrong and never its value.
pub fn parse(endpoint: Endpoint, body: &[u8], today: Date) -> Result<Query, Box<Unreadable>> {
    let mut reader = Reader { today, errors: vec![] };
    if let Some(raw) = read_json::<Body<'_>>(body, &mut reader) {
        return question(endpoint, &raw, reader, body);
    }
    let unreadable = unreadable(endpoint, &mut reader, body);
    Err(Box::new(Unreadable { errors: reader.errors, ..unreadable }))
}

/// Reads the body of `PUT /sandbox/clock`: the instant that the product's clock shall show.
pub fn parse_clock(body: &[u8]) -> Result<Moment, Box<Unreadable>> {
    let mut reader = Reader { today: Date::MIN, errors: vec![] };
    let now = read_json::<ClockBody<'_>>(body, &mut reader).and_then(|raw| {
        reader.issues(None, &raw.issues);
        reader.required(&raw.now, At::root("now"), |text, _| {
            Moment::parse_rfc3339(text).ok_or("Thời điểm có dạng RFC 3339.")
        })
    });
    match now {
        Some(now) if reader.errors.is_empty() => Ok(now),
        _ => Err(Box::new(Unreadable { errors: reader.errors, ..Unreadable::default() })),
    }
}

/// Reads the query parameter `from` of the journal: an index, 0 where missing.
pub fn parse_from(text: Option<&str>) -> Result<u64, Box<Unreadable>> {
    let Some(text) = text else { return Ok(0) };
    let valid = (1..=18).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| valid).ok_or_else(|| {
        let message_vi = "Chỉ số gồm 1-18 chữ số.".to_owned();
        let errors = vec![FieldError { field: "from".to_owned(), message_vi }];
        Box::new(Unreadable { errors, ..Unreadable::default() })
    })
}

pub(super) fn read_json<'b, T>(body: &'b [u8], reader: &mut Reader) -> Option<T>
where
    Nested<T>: serde::Deserialize<'b>,
{
    read_json_within(body, BODY_MAX, reader)
}

/// The same of a body of at most `most` bytes.
pub(super) fn read_json_within<'b, T>(body: &'b [u8], most: usize, reader: &mut Reader) -> Option<T>
where
    Nested<T>: serde::Deserialize<'b>,
{
    let read = json_text_within(body, most).and_then(|text| match serde_json::from_str(text) {
        Ok(Nested::Given(value)) => Ok(value),
        Ok(_) => Err(Unfit::NoObject),
        Err(error) => Err(Unfit::of(&error)),
    });
    read.map_err(|unfit| reader.error(At::root(WHOLE), unfit.message_vi())).ok()
}

/// What is told of a body that cannot be asked, without the errors themselves.
fn unreadable(endpoint: Endpoint, reader: &mut Reader, body: &[u8]) -> Unreadable {
    if nesting(body) > NESTING_MAX {
        reader.error(At::root(WHOLE), Unfit::TooDeep.message_vi());
    }
    Unreadable {
        reason: (body.len() > BODY_MAX).then_some(Reason::TooLarge),
        service: Some(endpoint.service()),
        ..Unreadable::default()
    }
}

/// The deepest nesting of brackets outside texts. Asked only about bodies that are refused: a
/// body that fits our shapes has three levels.
fn nesting(body: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    let (mut in_text, mut escaped) = (false, false);
    for byte in body.iter().take(BODY_MAX) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn question(
    endpoint: Endpoint,
    raw: &Body<'_>,
    mut reader: Reader,
    body: &[u8],
) -> Result<Query, Box<Unreadable>> {
    let r = &mut reader;
    r.issues(None, &raw.issues);
    let Body { request_id, procedure, purpose, case, account, .. } = raw;
    let head = Head::read(r, &RawHead { request_id, procedure, purpose, case, account });
    let subject = subject(r, &raw.subject);
    let asked = subject.zip(ask(endpoint, r, raw));
    let (head, (subject, ask)) = head.with(asked, reader, |r| unreadable(endpoint, r, body))?;
    Ok(Query {
        request_id: head.request_id,
        officer: head.officer,
        second_name: None,
        procedure: head.procedure,
        purpose: head.purpose,
        case: head.case,
        unit: None,
        x_road_user: None,
        service: endpoint.service(),
        subject,
        ask,
        body: digest_of(endpoint, raw),
    })
}

/// The endpoint and the JSON value, whatever its spelling.
fn digest_of(endpoint: Endpoint, raw: &Body<'_>) -> [u8; 16] {
    let mut canonical = Vec::with_capacity(512);
    canonical.push(endpoint as u8);
    raw.write_fields(&mut canonical);
    crate::body::digest16(&canonical)
}

pub(super) fn subject(r: &mut Reader, raw: &Nested<SubjectBody<'_>>) -> Option<Subject> {
    let at = At::root("subject");
    let raw = r.object(raw, at, true)?;
    r.issues(Some(&at), &raw.issues);
    let personal = r.optional(&raw.personal_id, at.then("personalId"), fields::personal_id);
    let old = r.optional(&raw.old_id, at.then("oldId"), fields::old_id);
    let name = r.required(&raw.full_name, at.then("fullName"), fields::name);
    let birth = r.required(&raw.birth, at.then("dateOfBirth"), fields::birth);
    let given = |value: &Raw<'_>| !matches!(value, Raw::Absent | Raw::Null);
    match (given(&raw.personal_id), given(&raw.old_id)) {
        (true, true) => r.error(at, "Chỉ gửi một trong hai: personalId hoặc oldId."),
        (false, false) => r.error(at, "Bắt buộc có personalId hoặc oldId."),
        _ => {}
    }
    let id = personal.map(SubjectId::Personal).or(old.map(SubjectId::Old))?;
    Some(Subject { id, name: name?, birth: birth? })
}

/// What is asked. Fields of other endpoints are as unknown as a typo.
fn ask(endpoint: Endpoint, r: &mut Reader, raw: &Body<'_>) -> Option<Ask> {
    let is_relation = endpoint == Endpoint::Relation;
    for (name, stands, fits) in [
        ("claims", !raw.claims.is_absent(), endpoint == Endpoint::Verify),
        ("relation", !raw.relation.is_absent(), is_relation),
        ("other", !raw.other.is_absent(), is_relation),
    ] {
        if stands && !fits {
            r.error(At::root(name), "Không có trường này.");
        }
    }
    match endpoint {
        Endpoint::Verify => Some(Ask::Verify(claims(r, &raw.claims))),
        Endpoint::Lookup => Some(Ask::Lookup),
        Endpoint::Household => Some(Ask::Household),
        Endpoint::Relation => {
            let kind = r.required(&raw.relation, At::root("relation"), |text, _| {
                relation(text).ok_or("Một trong: father, mother, spouse, guardian, householdHead.")
            });
            let at = At::root("other");
            let other = r.object(&raw.other, at, true).and_then(|other| {
                if !other.nationality.is_absent() {
                    r.error(at.then("nationality"), "Không có trường này.");
                }
                relative(r, other, at)
            });
            Some(Ask::Relation(vec![kind?], Box::new(other?)))
        }
    }
}

fn relation(text: &str) -> Option<Relation> {
    Some(match text {
        "father" => Relation::Father,
        "mother" => Relation::Mother,
        "spouse" => Relation::Spouse,
        "guardian" => Relation::Guardian,
        "householdHead" => Relation::HouseholdHead,
        _ => return None,
    })
}

fn relative(r: &mut Reader, raw: &RelativeBody<'_>, at: At<'_>) -> Option<RelativeQuery> {
    r.issues(Some(&at), &raw.issues);
    let name = r.required(&raw.full_name, at.then("fullName"), fields::name);
    let personal_id = r.optional(&raw.personal_id, at.then("personalId"), fields::personal_id);
    let old_id = r.optional(&raw.old_id, at.then("oldId"), fields::old_id);
    let nationality = r.optional(&raw.nationality, at.then("nationality"), fields::country);
    let birth = r.optional(&raw.birth, at.then("dateOfBirth"), fields::birth);
    Some(RelativeQuery { name: name?, personal_id, old_id, birth, nationality })
}

pub(super) fn claims(r: &mut Reader, raw: &Nested<ClaimList<'_>>) -> Vec<Claim> {
    let at = At::root("claims");
    let Some(raw) = r.object(raw, at, false) else {
        return vec![];
    };
    r.issues(Some(&at), &raw.issues);
    let mut claims = Vec::with_capacity(raw.list.len());
    for (field, value) in &raw.list {
        if let Some(value) = claim(r, *field, value, at.then(field.code())) {
            claims.push(Claim { field: *field, value });
        }
    }
    claims
}

fn claim(r: &mut Reader, field: Field, raw: &RawClaim<'_>, at: At<'_>) -> Option<ClaimValue> {
    match raw {
        RawClaim::Scalar(value) => scalar(r, field, value, at),
        RawClaim::Address(value) => {
            let value = r.object(value, at, true)?;
            Some(ClaimValue::Address(address(r, value, at)))
        }
        RawClaim::Relative(value) => {
            let value = r.object(value, at, true)?;
            relative(r, value, at).map(|q| ClaimValue::Relative(Box::new(q)))
        }
    }
}

fn scalar(r: &mut Reader, field: Field, raw: &Raw<'_>, at: At<'_>) -> Option<ClaimValue> {
    match field {
        Field::PersonalId => {
            let id = r.required(raw, at, fields::personal_id);
            id.map(|id| ClaimValue::Id(SubjectId::Personal(id)))
        }
        Field::OldId => {
            let id = r.required(raw, at, fields::old_id);
            id.map(|id| ClaimValue::Id(SubjectId::Old(id)))
        }
        Field::DateOfBirth => r.required(raw, at, fields::birth).map(ClaimValue::Birth),
        Field::Sex => r.code(raw, at, 1, 0..=3).and_then(Sex::from_code).map(ClaimValue::Sex),
        Field::Ethnicity | Field::Religion => r.code(raw, at, 2, 0..=99).map(ClaimValue::Code),
        Field::Nationality => r.required(raw, at, fields::country).map(ClaimValue::Country),
        Field::MaritalStatus => {
            let code = r.code(raw, at, 1, 0..=3);
            code.and_then(MaritalStatus::from_code).map(ClaimValue::Marital)
        }
        Field::BloodGroup => {
            r.code(raw, at, 2, 0..=4).and_then(BloodGroup::from_code).map(ClaimValue::Blood)
        }
        Field::HouseholdRole => {
            let role = r.required(raw, at, |text, _| {
                HouseholdRole::from_code(text).ok_or("Mã quan hệ với chủ hộ: CH và hai chữ số.")
            });
            role.map(ClaimValue::Role)
        }
        Field::HouseholdNumber => {
            r.required(raw, at, fields::household_number).map(ClaimValue::Text)
        }
        Field::VitalStatus => r.code(raw, at, 1, 1..=3).map(ClaimValue::Vital),
        // fullName and otherName; addresses and relatives are no scalars.
        _ => r.required(raw, at, fields::name).map(ClaimValue::Name),
    }
}

fn address(r: &mut Reader, raw: &AddressBody<'_>, at: At<'_>) -> AddressQuery {
    let before = r.errors.len();
    r.issues(Some(&at), &raw.issues);
    let province = r.optional(&raw.province, at.then("provinceCode"), fields::province);
    let commune = r.optional(&raw.commune, at.then("communeCode"), fields::commune);
    let detail = r.optional(&raw.detail, at.then("detail"), fields::detail);
    let country = r.optional(&raw.country, at.then("country"), fields::country);
    let dataset = r.optional(&raw.dataset, at.then("datasetDate"), fields::dataset);
    // Nothing to compare would agree with every address.
    if r.errors.len() == before && province.is_none() && commune.is_none() && detail.is_none() {
        r.error(at, "Cần ít nhất một trong: provinceCode, communeCode, detail.");
    }
    AddressQuery {
        province: province.unwrap_or(0),
        district: 0,
        commune: commune.unwrap_or(0),
        detail,
        country,
        dataset: dataset.unwrap_or_else(|| Dataset::in_force_on(r.today)),
    }
}
