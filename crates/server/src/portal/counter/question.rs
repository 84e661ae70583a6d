//! From the form to a question, or to what is wrong with it: everything at once, each in one
//! sentence beside its field.

use aws_lc_rs::digest::{SHA256, digest};
use dancu_domain::birth::BirthError;
use dancu_domain::ids::{CaseCode, OfficerRef, Purpose, RequestId, SubjectId};
use dancu_domain::name::{FullName, NameQuery};
use dancu_domain::registration::Procedure;
use dancu_domain::scan::{self, Flaw, Part, Scanned};
use dancu_domain::service::Service;
use dancu_gate::query::{Ask, Claim, Query, Subject};
use dancu_portal::parts::FieldError;
use dancu_portal::text::Text;
use serde::Serialize;

use super::desk::Desk;
use super::{compare, values};
use crate::portal::form::{self, Form};
use crate::portal::frame::wrong;
use crate::portal::signed::Signed;

/// What was typed or remembered.
#[derive(Clone, Default)]
pub(super) struct Typed {
    pub(super) system: String,
    pub(super) procedure: String,
    pub(super) purpose: String,
    pub(super) case: String,
    /// As it came: a keyboard layout may have typed digits as marks.
    pub(super) subject: String,
    /// By the id of the field in the form.
    pub(super) compare: Vec<(&'static str, String)>,
    pub(super) once: String,
}

impl Typed {
    pub(super) fn of(form: &Form) -> Self {
        let get = |name| form.get(name).to_owned();
        Self {
            system: get("system"),
            procedure: get("procedure"),
            purpose: get("purpose"),
            case: get("case"),
            subject: form.raw("subject").to_owned(),
            compare: compare::OFFERED.iter().map(|c| (c.id, get(c.id))).collect(),
            once: get("once"),
        }
    }
}

/// A question that can be put, with what the page shows of it.
pub(super) struct Asked {
    pub(super) query: Query,
    pub(super) name: FullName,
    /// What was compared, in the order of the claims, in words.
    pub(super) compared: Vec<String>,
}

impl Asked {
    /// The three keys as they may be typed again.
    pub(super) fn words(&self) -> String {
        let subject = &self.query.subject;
        let id = match subject.id {
            SubjectId::Personal(id) => id.to_string(),
            SubjectId::Old(id) => id.to_string(),
        };
        format!("{id} {} {}", self.name.as_str(), values::birth(subject.birth))
    }
}

/// Reads the form.
pub(super) fn read(
    signed: &Signed,
    desk: &Desk,
    typed: &Typed,
    text: &Text,
) -> Result<Asked, Vec<FieldError>> {
    let mut errors = vec![];
    if !typed.system.is_empty() && desk.system.code.as_str() != typed.system {
        errors.push(wrong("system", text.get("counter-system-wrong")));
    }
    let procedure = desk.procedure(signed, &typed.procedure);
    if procedure.is_none() {
        errors.push(wrong("procedure", text.get("counter-procedure-wrong")));
    }
    let case = case(typed, procedure, text).map_err(|error| errors.push(error)).ok().flatten();
    let purpose = procedure.and_then(|p| purpose(typed, p, text, &mut errors));
    let found = scan::sort(&typed.subject, signed.today());
    if let Some(sentence) = sentence(&found, &typed.subject, text) {
        errors.push(wrong("subject", sentence));
    }
    let (claims, compared) = compare::read(typed, signed.today(), text, &mut errors);
    let (Some(procedure), true) = (procedure, errors.is_empty()) else { return Err(errors) };
    let (Some(id), Some(name), Some(birth)) = (found.id(), found.name, found.birth) else {
        return Err(vec![wrong("subject", text.get("scan-empty"))]);
    };
    let spelled = NameQuery::parse(name.as_str());
    let subject = spelled.map(|name| Subject { id, name, birth });
    let subject = subject.map_err(|_| vec![wrong("subject", text.get("scan-name"))])?;
    let why = Why { procedure, purpose, case };
    let query = query(
        signed,
        desk,
        Service::CitizenVerify,
        &why,
        (subject, Ask::Verify(claims)),
        &typed.once,
    );
    let query = query.ok_or_else(|| vec![wrong("subject", text.get("scan-empty"))])?;
    Ok(Asked { query, name, compared })
}

fn case(
    typed: &Typed,
    procedure: Option<&Procedure>,
    text: &Text,
) -> Result<Option<CaseCode>, FieldError> {
    if typed.case.is_empty() {
        let required = procedure.is_some_and(|p| p.case_required);
        return if required {
            Err(wrong("case", text.get("counter-case-missing")))
        } else {
            Ok(None)
        };
    }
    CaseCode::parse(&typed.case)
        .map(Some)
        .map_err(|_| wrong("case", text.get("counter-case-wrong")))
}

/// The registered purpose, stated (A5); another one is said at once, and asked nothing.
fn purpose(
    typed: &Typed,
    procedure: &Procedure,
    text: &Text,
    errors: &mut Vec<FieldError>,
) -> Option<Purpose> {
    let registered = procedure.purpose.clone()?;
    if !typed.purpose.is_empty() && typed.purpose != registered.as_str() {
        let sentence = text.with("counter-purpose-wrong", "purpose", registered.as_str());
        errors.push(wrong("purpose", sentence));
    }
    Some(registered)
}

/// Why somebody asks.
pub(super) struct Why<'a> {
    pub(super) procedure: &'a Procedure,
    pub(super) purpose: Option<Purpose>,
    pub(super) case: Option<CaseCode>,
}

/// What makes two bodies the same question.
#[derive(Serialize)]
struct Meaning<'a> {
    service: u8,
    procedure: &'a str,
    case: Option<&'a CaseCode>,
    subject: &'a Subject,
    claims: &'a [Claim],
    fields: u32,
}

/// A question of this officer. Its request id follows from the form's mark and from what is asked:
/// the same form sent twice is one question, and counts once (D6); with another person typed into
/// it, it is another.
pub(super) fn query(
    signed: &Signed,
    desk: &Desk,
    service: Service,
    why: &Why<'_>,
    (subject, ask): (Subject, Ask),
    once: &str,
) -> Option<Query> {
    let (claims, fields) = match &ask {
        Ask::Verify(claims) => (claims.as_slice(), 0),
        Ask::Fields(fields) => ([].as_slice(), fields.bits()),
        _ => ([].as_slice(), 0),
    };
    let meaning = Meaning {
        service: service as u8,
        procedure: why.procedure.code.as_str(),
        case: why.case.as_ref(),
        subject: &subject,
        claims,
        fields,
    };
    let meaning = digest(&SHA256, &serde_json::to_vec(&meaning).ok()?);
    let mut body = [0; 16];
    body.copy_from_slice(&meaning.as_ref()[..16]);
    let fresh = form::once();
    let once = if once.is_empty() { fresh.as_str() } else { once };
    let person = signed.person.id.0.to_be_bytes();
    let id = [once.as_bytes(), b"\0", &person, meaning.as_ref()].concat();
    let id = hex::encode(&digest(&SHA256, &id).as_ref()[..16]);
    Some(Query {
        request_id: RequestId::parse(&format!("P-{id}")).ok()?,
        officer: OfficerRef::parse(desk.account.login.as_str()).ok()?,
        second_name: None,
        procedure: why.procedure.code.clone(),
        purpose: why.purpose.clone(),
        case: why.case.clone(),
        unit: None,
        x_road_user: None,
        service,
        subject,
        ask,
        body,
    })
}

/// What is wrong with the field, or missing in it, in one sentence. Stray digits beside an id that
/// was read, such as a telephone number, do no harm.
fn sentence(found: &Scanned, typed: &str, text: &Text) -> Option<String> {
    if typed.trim().is_empty() {
        return Some(text.get("scan-empty"));
    }
    let harmless = |flaw: &Flaw| matches!(flaw, Flaw::Digits(_)) && found.id().is_some();
    if let Some(flaw) = found.flaws.iter().find(|flaw| !harmless(flaw)) {
        return Some(flaw_sentence(*flaw, text));
    }
    let parts: Vec<_> = found
        .missing()
        .into_iter()
        .map(|part| {
            text.get(match part {
                Part::Id => "scan-part-id",
                Part::Name => "scan-part-name",
                Part::Birth => "scan-part-birth",
            })
        })
        .collect();
    (!parts.is_empty()).then(|| text.with("scan-missing", "parts", parts.join(", ")))
}

fn flaw_sentence(flaw: Flaw, text: &Text) -> String {
    let key = match flaw {
        Flaw::Digits(count) => return text.with("scan-digits", "count", count),
        Flaw::TooLong => "scan-too-long",
        Flaw::TwoIds => "scan-two-ids",
        Flaw::Birth(BirthError::Format) => "scan-birth-format",
        Flaw::Birth(BirthError::Impossible) => "scan-birth-impossible",
        Flaw::Birth(BirthError::Future) => "scan-birth-future",
        Flaw::Birth(BirthError::TooOld) => "scan-birth-old",
        Flaw::MonthOnly => "scan-birth-month",
        Flaw::TwoBirths => "scan-two-births",
        Flaw::TwoNames => "scan-two-names",
        Flaw::Name => "scan-name",
        Flaw::Number => "scan-number",
    };
    text.get(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dancu_portal::text::Language;

    #[test]
    fn what_is_missing_is_one_sentence() {
        let text = Text::new(Language::English);
        let today = jiff::civil::date(2026, 3, 2);
        let said = |typed: &str| sentence(&scan::sort(typed, today), typed, &text);
        assert_eq!(said("  ").as_deref(), Some(text.get("scan-empty").as_str()));
        let missing = said("099303000417").unwrap();
        assert_eq!(missing, "Missing: full name, date or year of birth.");
        let digits = said("09930300041 Mẫu Văn A 1990").unwrap();
        assert!(digits.contains("11 digits"), "{digits}");
        // A telephone number beside a whole card is no reason to send anybody back.
        assert_eq!(said("099303000417, Mẫu Văn A, 1990, 0912345678"), None);
        assert_eq!(said("099303000417 Mẫu Văn A 1990"), None);
    }
}
