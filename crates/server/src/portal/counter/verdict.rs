//! From the gate's answer to what the officer sees.

use dancu_domain::birth::Precision;
use dancu_domain::ids::SubjectId;
use dancu_domain::moment::Moment;
use dancu_domain::people::powers::Power;
use dancu_domain::person::Stamp;
use dancu_domain::service::{Field, FieldSet, Service};
use dancu_gate::query::{Answer as Told, Ask, ClaimResult, Reply};
use dancu_portal::counter::{Answer, Answered, Row, Sensitive, Verdict};
use dancu_portal::text::Text;
use dancu_store::keys::Purpose;

use super::code::{self, Said};
use super::desk::Desk;
use super::question::Asked;
use super::sealed::{self, Kept};
use super::values::{self, key};
use crate::portal::frame;
use crate::portal::signed::Signed;

/// An answer with its rows.
pub(super) fn answered(
    signed: &Signed,
    desk: &Desk,
    asked: &Asked,
    answer: &Told,
    reply: &Reply,
    text: &Text,
) -> Answered {
    let none =
        Said { id: reply.correlation, verdict: Verdict::NoMatch, deceased: false, rows: vec![] };
    let nobody = Answered {
        verdict: Verdict::NoMatch,
        year_only: false,
        deceased: None,
        missing: false,
        rows: vec![],
        sensitive: vec![],
        time: moment(signed),
        code: code::of(reply.correlation),
        watermark: watermark(signed),
        // Nobody needs paper more than who could not be found.
        slip: slip(signed, &none),
        lookup: false,
        sealed: String::new(),
    };
    let Told::Match { precision, alive, claims, sources } = answer else { return nobody };
    let rows = rows(asked, claims, sources, text);
    let verdict = verdict(claims);
    let (deceased, missing) = (*alive == Some(Some(false)), *alive == Some(None));
    let facts = rows.iter().map(|(field, row)| (*field, row.answer)).collect();
    let said = Said { id: reply.correlation, verdict, deceased, rows: facts };
    let more = more(signed, desk, asked, deceased);
    Answered {
        verdict,
        year_only: *precision == Precision::Year,
        // A verification tells that, not when: the day is part of a look-up.
        deceased: deceased.then(String::new),
        missing,
        rows: rows.into_iter().map(|(_, row)| row).collect(),
        sensitive: more.as_ref().map_or_else(Vec::new, |more| sensitive(more.fields, |_| None)),
        slip: slip(signed, &said),
        lookup: more.as_ref().is_some_and(|m| !m.fields.without(FieldSet::SENSITIVE).is_empty()),
        sealed: more.map_or_else(String::new, |more| more.sealed),
        ..nobody
    }
}

/// The verdict over all claims.
fn verdict(claims: &[(Field, ClaimResult)]) -> Verdict {
    let any = |result| claims.iter().any(|(_, r)| *r == result);
    if any(ClaimResult::Mismatch) {
        Verdict::Partly
    } else if any(ClaimResult::Unknown) {
        Verdict::Unknown
    } else {
        Verdict::Match
    }
}

fn rows(
    asked: &Asked,
    claims: &[(Field, ClaimResult)],
    sources: &[(Field, Stamp)],
    text: &Text,
) -> Vec<(Field, Row)> {
    let source = |field| sources.iter().find(|(f, _)| *f == field).map(|(_, stamp)| *stamp);
    let row = |field, asked, answer| {
        let known = answer != Answer::Unknown;
        let source = source(field).filter(|_| known);
        let row = Row {
            key: key(field),
            asked,
            is_id: matches!(field, Field::PersonalId | Field::OldId),
            answer,
            own: None,
            source: source.map_or_else(String::new, |stamp| values::source(stamp, text)),
        };
        (field, row)
    };
    let subject = &asked.query.subject;
    let (id, number) = match subject.id {
        SubjectId::Personal(id) => (Field::PersonalId, id.to_string()),
        SubjectId::Old(id) => (Field::OldId, id.to_string()),
    };
    let keys = [
        row(id, number, Answer::Match),
        row(Field::FullName, asked.name.as_str().to_owned(), Answer::Match),
        row(Field::DateOfBirth, values::birth(subject.birth), Answer::Match),
    ];
    let compared = claims.iter().zip(&asked.compared);
    let compared =
        compared.map(|((field, result), words)| row(*field, words.clone(), code::answer(*result)));
    keys.into_iter().chain(compared).collect()
}

/// What may be asked beyond this answer.
struct More {
    /// Fields of a look-up.
    fields: FieldSet,
    sealed: String,
}

/// Nothing where a look-up is not granted, or the officer has not the power.
fn more(signed: &Signed, desk: &Desk, asked: &Asked, deceased: bool) -> Option<More> {
    let query = &asked.query;
    let procedure = desk.procedure(signed, query.procedure.as_str())?;
    let fields = desk.fields(Service::CitizenLookup, procedure);
    if fields.is_empty() || !signed.holds(Power::LookUpCitizen) {
        return None;
    }
    let kept = Kept {
        system: desk.system.code.as_str().to_owned(),
        procedure: query.procedure.as_str().to_owned(),
        case: query.case.as_ref().map_or_else(String::new, |case| case.as_str().to_owned()),
        subject: query.subject.clone(),
        name: asked.name.as_str().to_owned(),
        deceased: deceased.then(String::new),
        told: vec![],
        at: signed.machine.0,
    };
    debug_assert!(matches!(query.ask, Ask::Verify(_)), "only a verification leads on");
    Some(More { fields, sealed: sealed::seal(signed, &kept)? })
}

/// The granted sensitive fields, with the values of those that were opened.
pub(super) fn sensitive(
    fields: FieldSet,
    shown: impl Fn(Field) -> Option<String>,
) -> Vec<Sensitive> {
    let of = |field: Field| Sensitive { key: key(field), field: field.code(), shown: shown(field) };
    fields.and(FieldSet::SENSITIVE).iter().map(of).collect()
}

/// Time of the answer to the second.
pub(super) fn moment(signed: &Signed) -> String {
    seconds(signed.now)
}

/// `HH:MM:SS dd/mm/yyyy` in Viet Nam.
pub(super) fn seconds(at: Moment) -> String {
    let rfc = at.rfc3339();
    let time = rfc.get(11..19).unwrap_or_default();
    format!("{time} {}", frame::date(at.viet_nam_date()))
}

/// Officer, unit and time, over what is shown.
pub(super) fn watermark(signed: &Signed) -> String {
    let (name, unit) = (&signed.person.name, signed.unit_named(&signed.person.unit));
    format!("{name} · {unit} · {}", frame::stamp(signed.now))
}

/// The address of the slip.
fn slip(signed: &Signed, said: &Said) -> Option<String> {
    let key = signed.app.gate.store().keys().get(Purpose::Token, 0)?;
    Some(format!("/counter/slip/{}", code::slip(&key, said)))
}
