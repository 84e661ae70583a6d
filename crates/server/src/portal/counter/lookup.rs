//! Look-up in full with a fresh reason, and one sensitive field on demand (A4).
//!
//! Both are questions of the look-up service for exactly the fields that are shown, so that the
//! journal names what was delivered and nothing more: a look-up leaves the sensitive fields out,
//! and each of those is a question of its own, counted and journaled when it is shown.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use dancu_domain::ids::{CaseCode, SubjectId};
use dancu_domain::people::grants::Ground;
use dancu_domain::people::powers::Power;
use dancu_domain::person::VitalStatus;
use dancu_domain::registration::Procedure;
use dancu_domain::service::{Field, FieldSet, Service};
use dancu_gate::query::{Answer, Ask, Disclosed, Query, Reply};
use dancu_journal::{Act, Body};
use dancu_portal::counter::{Lookup, Outcome, Record};
use dancu_portal::parts::FieldError;
use dancu_portal::text::Text;

use super::desk::{self, Desk};
use super::question::{self, Typed, Why};
use super::sealed::{self, Kept};
use super::{code, page, put, refusal, values, verdict};
use crate::portal::form::{self, Form};
use crate::portal::frame;
use crate::portal::signed::Signed;
use crate::stop::{Handled, Stop};

/// A record leaves the screen after so long, s (*ours*): time to compare it with papers.
const SHOWN_S: i64 = 300;

/// What a form about a known person carries.
struct Opened {
    desks: Vec<Desk>,
    kept: Kept,
    text: Text,
}

impl Opened {
    fn desk(&self) -> &Desk {
        desk::chosen(&self.desks, &self.kept.system)
    }

    /// The procedure of the first question, where it may still be asked under.
    fn procedure(&self, signed: &Signed) -> Option<&Procedure> {
        let desk = self.desk();
        if desk.system.code.as_str() != self.kept.system {
            return None;
        }
        desk.procedure(signed, &self.kept.procedure)
    }

    /// A look-up for these fields.
    fn query(&self, signed: &Signed, fields: FieldSet, once: &str) -> Option<Query> {
        let procedure = self.procedure(signed)?;
        let case = CaseCode::parse(&self.kept.case).ok();
        let why = Why { procedure, purpose: procedure.purpose.clone(), case };
        let subject = self.kept.subject.clone();
        let asked = (subject, Ask::Fields(fields));
        question::query(signed, self.desk(), Service::CitizenLookup, &why, asked, once)
    }

    /// The fields of a look-up.
    fn granted(&self, signed: &Signed) -> FieldSet {
        let procedure = self.procedure(signed);
        let fields = procedure.map(|p| self.desk().fields(Service::CitizenLookup, p));
        fields.unwrap_or_default()
    }

    fn page(&self, signed: &Signed, form: &Form) -> Lookup {
        let mut shell = signed.shell();
        "/counter".clone_into(&mut shell.here);
        Lookup {
            t: self.text.clone(),
            s: shell,
            errors: vec![],
            personal_id: match self.kept.subject.id {
                SubjectId::Personal(id) => id.to_string(),
                SubjectId::Old(id) => id.to_string(),
            },
            name: self.kept.name.clone(),
            reveals: false,
            reason: form.get("reason").to_owned(),
            sealed: form.get("about").to_owned(),
            once: form::once(),
            record: None,
            refused: None,
        }
    }
}

/// The officer's desks and the person whom the page carried; the answer where one is missing.
fn open(signed: &Signed, form: &Form, power: Power) -> Result<Opened, Stop> {
    let desks = desk::open(signed, power)?;
    let text = signed.text();
    if let Some(kept) = sealed::open(signed, form.get("about")) {
        return Ok(Opened { desks, kept, text });
    }
    let gone = FieldError { field: "subject", sentence: text.get("lookup-gone") };
    let page = page::counter(signed, &desks, &Typed::default(), vec![gone], Outcome::Ready);
    Err(frame::page_with(StatusCode::GONE, &page).into())
}

/// Asks for the reason, then looks up.
pub(super) async fn lookup(signed: Signed, form: Form) -> Handled {
    let opened = open(&signed, &form, Power::LookUpCitizen)?;
    let mut page = opened.page(&signed, &form);
    if form.get("step") != "read" {
        page.reason.clear();
        return Ok(frame::page(&page));
    }
    let Ok(reason) = Ground::parse(form.raw("reason")) else {
        let sentence = opened.text.get("lookup-reason-wrong");
        page.errors = vec![FieldError { field: "reason", sentence }];
        return Ok(frame::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page));
    };
    let granted = opened.granted(&signed);
    let fields = granted.without(FieldSet::SENSITIVE);
    let Some(query) = opened.query(&signed, fields, form.get("once")) else {
        return Ok(frame::to("/counter"));
    };
    let (_, reply) = put(&signed, opened.desk(), &query).await;
    if reply.result.is_ok()
        && let Err(error) = journal_reason(&signed, opened.desk(), &query, &reason).await
    {
        // The answer is dropped: nobody is shown what has no reason beside it.
        tracing::error!(error = %error, "counter.lookup could not journal its reason");
        return Ok(frame::unavailable(&signed));
    }
    let facts = |citizen: &Disclosed| values::facts(citizen, fields, &opened.text);
    let sensitive = verdict::sensitive(granted, None);
    let record = |citizen: Option<&Disclosed>| Record {
        facts: citizen.map(facts).unwrap_or_default(),
        sensitive,
        ..record(&signed, citizen, &reply)
    };
    Ok(finish(&signed, page, &reply, record, &opened.text).await)
}

/// Shows one sensitive field. The guard has asked for a fresh second factor before.
pub(super) async fn reveal(signed: Signed, form: Form) -> Handled {
    let opened = open(&signed, &form, Power::SeeSensitiveFields)?;
    let granted = opened.granted(&signed);
    let field = Field::from_code(form.get("field"));
    let field = field.filter(|f| granted.and(FieldSet::SENSITIVE).contains(*f));
    // The page carries no mark for each button: the sealed person is one, so that a doubled click
    // is one question.
    let one = |field| opened.query(&signed, FieldSet::of(&[field]), form.get("about"));
    let Some((field, query)) = field.and_then(|field| Some((field, one(field)?))) else {
        return Ok(frame::to("/counter"));
    };
    let (_, reply) = put(&signed, opened.desk(), &query).await;
    let page = Lookup { reveals: true, ..opened.page(&signed, &form) };
    let record = |citizen: Option<&Disclosed>| {
        let shown = citizen.map(|c| values::facts(c, FieldSet::of(&[field]), &opened.text));
        let shown = shown.and_then(|facts| facts.into_iter().next()).map(|(_, value, _)| value);
        let sensitive = verdict::sensitive(granted, shown.as_deref().map(|value| (field, value)));
        Record { sensitive, ..record(&signed, citizen, &reply) }
    };
    Ok(finish(&signed, page, &reply, record, &opened.text).await)
}

/// Who looked and why, under the question's own request id: two entries, because an entry of a
/// question has no room for words.
async fn journal_reason(
    signed: &Signed,
    desk: &Desk,
    query: &Query,
    reason: &Ground,
) -> dancu_store::Result<u64> {
    let act = Act {
        kind: "counter.lookup".into(),
        actor: signed.person.login.as_str().to_owned(),
        system: desk.system.id.0,
        detail: format!("{}: {}", query.request_id.as_str(), reason.as_str()),
    };
    signed.app.gate.store().ledger().note(signed.now, |_| Ok(Body::Act(act))).await
}

/// A record without its fields.
fn record(signed: &Signed, citizen: Option<&Disclosed>, reply: &Reply) -> Record {
    let deceased = match citizen.and_then(Disclosed::vital) {
        Some(VitalStatus::Dead(day)) => Some(day.map_or_else(String::new, frame::date)),
        _ => None,
    };
    Record {
        facts: vec![],
        sensitive: vec![],
        deceased,
        nobody: citizen.is_none(),
        watermark: verdict::watermark(signed),
        time: verdict::moment(signed),
        code: code::of(reply.correlation),
        cleared: frame::time(signed.now.plus_ms(SHOWN_S * 1_000)),
    }
}

/// The page with the record or with the refusal. What shows a person leaves the screen by itself,
/// without any script: the browser is told to go back to the counter.
async fn finish(
    signed: &Signed,
    mut page: Lookup,
    reply: &Reply,
    record: impl FnOnce(Option<&Disclosed>) -> Record,
    text: &Text,
) -> Response {
    let status = match &reply.result {
        Ok(Answer::Citizen { citizen, .. }) => {
            page.record = Some(record(Some(citizen.as_ref())));
            StatusCode::OK
        }
        // The keys agreed a moment ago: the record changed meanwhile.
        Ok(_) => {
            let mut nobody = record(None);
            nobody.sensitive.clear();
            page.record = Some(nobody);
            StatusCode::OK
        }
        Err(denied) => {
            page.refused = Some(refusal::refusal(signed, denied, reply, text).await);
            let status = denied.refusal.reason.text().kind.http_status();
            StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN)
        }
    };
    let shows = page.record.is_some();
    let mut response = frame::page_with(status, &page);
    if shows && let Ok(value) = HeaderValue::from_str(&format!("{SHOWN_S};url=/counter")) {
        response.headers_mut().insert(header::REFRESH, value);
    }
    response
}
