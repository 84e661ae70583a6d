//! Replies as JSON, in the shapes of the contract.

use std::fmt::Write;

use dancu_domain::birth::Precision;
use dancu_domain::person::{
    Address, BloodGroup, HouseholdRole, MaritalStatus, Relative, Sex, VitalStatus,
};
use dancu_domain::service::Field;
use dancu_gate::query::{Answer, ClaimResult, Disclosed, DisclosedHousehold, Reply, Usage};

use super::json::{self, Object};
use super::problem::denied;
use super::{Endpoint, Rendered};

/// Room for an answer without growing: a verify has about 250 bytes, a full citizen about 2,000.
const VERIFY_ROOM: usize = 384;
const LOOKUP_ROOM: usize = 2048;

/// Renders the reply to a question of this endpoint; `request_id` is echoed.
pub fn render(endpoint: Endpoint, request_id: &str, reply: &Reply) -> Rendered {
    let answer = match &reply.result {
        Ok(answer) => answer,
        Err(why) => return denied(why, reply.correlation, reply.usage, reply.journal_index),
    };
    let mut out = String::with_capacity(match endpoint {
        Endpoint::Verify | Endpoint::Relation => VERIFY_ROOM,
        Endpoint::Lookup | Endpoint::Household => LOOKUP_ROOM,
    });
    let mut object = Object::begin(&mut out);
    object.text("requestId", request_id);
    body(&mut object, endpoint, answer);
    if let Some(index) = reply.journal_index {
        journal(&mut object, index);
    }
    object.correlation(reply.correlation);
    if let Some(left) = reply.usage {
        usage(&mut object, left);
    }
    object.end();
    Rendered::ok(out)
}

/// `"journal":{"index":N}`.
pub(super) fn journal(object: &mut Object<'_>, index: u64) {
    let mut journal = Object::begin(object.key("journal"));
    journal.number("index", index);
    journal.end();
}

/// `"usage":{"remaining":N,"resetsAt":"…"}` (D2).
pub(super) fn usage(object: &mut Object<'_>, left: Usage) {
    let mut usage = Object::begin(object.key("usage"));
    usage.number("remaining", u64::from(left.remaining));
    usage.moment("resetsAt", left.resets_at);
    usage.end();
}

fn body(object: &mut Object<'_>, endpoint: Endpoint, answer: &Answer) {
    match answer {
        Answer::NoMatch => match endpoint {
            Endpoint::Verify | Endpoint::Relation => object.raw("result", "\"noMatch\""),
            Endpoint::Lookup => object.raw("citizen", "null"),
            Endpoint::Household => object.raw("household", "null"),
        },
        Answer::Match { precision: by, alive, claims, .. } => {
            object.raw("result", "\"match\"");
            self::alive(object, *alive);
            precision(object, *by);
            if !claims.is_empty() {
                claim_results(object, claims);
            }
        }
        Answer::Citizen { precision: by, citizen } => {
            person(object.key("citizen"), citizen);
            precision(object, *by);
        }
        Answer::Household { precision: by, household: shown } => {
            match shown {
                Some(shown) => household(object.key("household"), shown),
                None => object.raw("household", "null"),
            }
            precision(object, *by);
        }
        Answer::Checked { precision: by, result } => {
            // One word for "does not hold", whichever of the keys or the relation failed.
            let word = match result {
                ClaimResult::Mismatch => "noMatch",
                other => other.code(),
            };
            object.text("result", word);
            precision(object, *by);
        }
        Answer::Blood { precision: by, group } => {
            code(object, "bloodGroup", Some(group.code()), 2);
            precision(object, *by);
        }
    }
}

/// Said only where vitalStatus is granted; `null` of people who are missing.
#[expect(clippy::option_option, reason = "not granted, missing and known are three answers")]
pub(super) fn alive(object: &mut Object<'_>, alive: Option<Option<bool>>) {
    if let Some(alive) = alive {
        object.raw("alive", alive.map_or("null", |alive| if alive { "true" } else { "false" }));
    }
}

/// Said only where a year was compared.
pub(super) fn precision(object: &mut Object<'_>, precision: Precision) {
    if precision == Precision::Year {
        object.raw("precision", "\"year\"");
    }
}

pub(super) fn claim_results(object: &mut Object<'_>, claims: &[(Field, ClaimResult)]) {
    let mut results = Object::begin(object.key("claims"));
    for (field, result) in claims {
        results.text(field.code(), result.code());
    }
    results.end();
}

fn household(out: &mut String, shown: &DisclosedHousehold) {
    let mut object = Object::begin(out);
    object.optional("number", shown.number.as_deref());
    let members = object.key("members");
    members.push('[');
    for (i, member) in shown.members.iter().enumerate() {
        if i > 0 {
            members.push(',');
        }
        person(members, member);
    }
    members.push(']');
    if shown.members.len() < shown.size {
        object.number("membersTotal", shown.size as u64);
    }
    object.end();
}

/// Granted fields, in the order of the field list; those without data are `null`.
pub(super) fn person(out: &mut String, p: &Disclosed) {
    let mut object = Object::begin(out);
    for field in p.fields().iter() {
        self::field(&mut object, p, field);
    }
    object.end();
}

fn field(object: &mut Object<'_>, p: &Disclosed, field: Field) {
    let key = field.code();
    match field {
        Field::PersonalId => id(object, key, p.personal_id().map(|id| (id.number(), 12))),
        Field::OldId => id(object, key, p.old_id().map(|id| (u64::from(id.number()), 9))),
        Field::FullName => object.optional(key, p.full_name()),
        Field::OtherName => object.optional(key, p.other_name()),
        Field::DateOfBirth => object.optional(key, p.birth().map(|b| b.to_string()).as_deref()),
        Field::Sex => code(object, key, p.sex().map(Sex::code), 1),
        Field::Ethnicity => code(object, key, p.ethnicity(), 2),
        Field::Religion => code(object, key, p.religion(), 2),
        Field::Nationality => object.optional(key, p.nationality()),
        Field::MaritalStatus => code(object, key, p.marital().map(MaritalStatus::code), 1),
        Field::BloodGroup => code(object, key, p.blood().map(BloodGroup::code), 2),
        Field::BirthPlace => address(object, key, p.birth_place()),
        Field::BirthRegistration => address(object, key, p.birth_registration()),
        Field::Origin => address(object, key, p.origin()),
        Field::PermanentResidence => address(object, key, p.permanent()),
        Field::TemporaryResidence => address(object, key, p.temporary()),
        Field::CurrentResidence => address(object, key, p.current()),
        Field::Father => relative(object, key, p.father()),
        Field::Mother => relative(object, key, p.mother()),
        Field::Spouse => relative(object, key, p.spouse()),
        Field::Guardian => relative(object, key, p.guardian()),
        Field::HouseholdHead => relative(object, key, p.household_head()),
        Field::HouseholdRole => object.optional(key, p.household_role().map(HouseholdRole::code)),
        Field::HouseholdNumber => object.optional(key, p.household_number()),
        Field::VitalStatus => code(object, key, p.vital().map(VitalStatus::code), 1),
    }
}

fn id(object: &mut Object<'_>, key: &str, number_and_width: Option<(u64, usize)>) {
    let out = object.key(key);
    match number_and_width {
        Some((number, width)) => {
            // Writing to a String cannot fail.
            let _ = write!(out, "\"{number:0width$}\"");
        }
        None => out.push_str("null"),
    }
}

fn code(object: &mut Object<'_>, key: &str, code: Option<u8>, width: usize) {
    id(object, key, code.map(|code| (u64::from(code), width)));
}

fn address(object: &mut Object<'_>, key: &str, address: Option<&Address>) {
    let Some(a) = address else {
        return object.raw(key, "null");
    };
    let mut object = Object::begin(object.key(key));
    let province = Some(a.province).filter(|p| *p != 0);
    code(&mut object, "provinceCode", province, 2);
    let commune = Some(a.commune).filter(|c| *c != 0);
    id(&mut object, "communeCode", commune.map(|c| (u64::from(c), 5)));
    object.text("detail", &a.detail);
    object.text("country", a.country.as_str());
    object.text("datasetDate", a.dataset.date());
    object.end();
}

fn relative(object: &mut Object<'_>, key: &str, relative: Option<&Relative>) {
    let Some(r) = relative else {
        return object.raw(key, "null");
    };
    let mut object = Object::begin(object.key(key));
    object.text("fullName", r.full_name.as_str());
    id(&mut object, "personalId", r.personal_id.map(|id| (id.number(), 12)));
    id(&mut object, "oldId", r.old_id.map(|id| (u64::from(id.number()), 9)));
    object.text("nationality", r.nationality.as_str());
    object.end();
}

/// Escaped text for callers of this module's writer.
pub(super) fn quoted(out: &mut String, value: &str) {
    json::text(out, value);
}
