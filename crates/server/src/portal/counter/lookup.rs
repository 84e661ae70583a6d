//! Look-up in full with a fresh reason, and one sensitive field on demand (A4).
//!
//! Both are questions of the look-up service for exactly the fields that are shown, so that the
//! journal names what was delivered and nothing more: a look-up leaves the sensitive fields out,
//! and each of those is a question of its own, counted and journaled when it is shown. What was
//! told before stays on the page: it travels in it sealed, so that nobody asks for it twice.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use dancu_domain::ids::{CaseCode, SubjectId};
use dancu_domain::people::may::Ground;
use dancu_domain::people::powers::Power;
use dancu_domain::person::VitalStatus;
use dancu_domain::registration::Procedure;
use dancu_domain::service::{Field, FieldSet, Service};
use dancu_gate::query::{Answer, Ask, Disclosed, Query, Reply};
use dancu_journal::{Act, Body};
use dancu_portal::counter::{Lookup, Outcome, Record};
use dancu_portal::parts::{FieldError, Meter};
use dancu_portal::text::Text;

use super::desk::{self, Desk};
use super::question::{self, Typed, Why};
use super::sealed::{self, Kept, Told};
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
            meter: self.meter(signed),
            reveals: false,
            reason: form.get("reason").to_owned(),
            sealed: form.get("about").to_owned(),
            once: form::once(),
            record: None,
            refused: None,
        }
    }

    /// What is left of the line that look-ups count on.
    fn meter(&self, signed: &Signed) -> Meter {
        desk::meter(signed, self.desk(), Service::CitizenLookup, &self.text)
    }

    /// Adds what was delivered to what was told before; where the keys fit nobody any more,
    /// nothing of it stays.
    fn tell(&mut self, citizen: Option<&Disclosed>, fields: FieldSet) {
        let kept = &mut self.kept;
        let Some(citizen) = citizen else {
            kept.told.clear();
            kept.deceased = None;
            return;
        };
        // Only a question about it tells it; another one leaves what is known.
        if let Some(vital) = citizen.vital() {
            kept.deceased = match vital {
                VitalStatus::Dead(day) => Some(day.map_or_else(String::new, frame::date)),
                _ => None,
            };
        }
        for (field, value, source) in values::told(citizen, fields, &self.text) {
            let field = field.code();
            kept.told.retain(|told| told.field != field);
            kept.told.push(Told { field: field.to_owned(), value, source });
        }
    }

    /// All that was told.
    fn record(&self, signed: &Signed, nobody: bool, reply: &Reply) -> Record {
        let told = |field: Field| self.kept.told.iter().find(|told| told.field == field.code());
        let plain = FieldSet::ALL.without(FieldSet::SENSITIVE);
        let facts = plain.iter().filter_map(|field| {
            told(field).map(|t| (values::key(field), t.value.clone(), t.source.clone()))
        });
        let granted = if nobody { FieldSet::EMPTY } else { self.granted(signed) };
        Record {
            facts: facts.collect(),
            sensitive: verdict::sensitive(granted, |field| told(field).map(|t| t.value.clone())),
            deceased: self.kept.deceased.clone(),
            nobody,
            watermark: verdict::watermark(signed),
            time: verdict::moment(signed),
            code: code::of(reply.correlation),
            cleared: frame::time(signed.now.plus_ms(SHOWN_S * 1_000)),
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
    Ok(finish(&signed, opened, page, &reply, fields).await)
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
    Ok(finish(&signed, opened, page, &reply, FieldSet::of(&[field])).await)
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

/// The page with the record or with the refusal; what was told before is on either. What shows a
/// person leaves the screen by itself, without any script: the browser is told to go back to the
/// counter.
async fn finish(
    signed: &Signed,
    mut opened: Opened,
    mut page: Lookup,
    reply: &Reply,
    fields: FieldSet,
) -> Response {
    page.meter = opened.meter(signed);
    let status = match &reply.result {
        Ok(answer) => {
            // Where nobody is found the keys agreed a moment ago: the record changed meanwhile.
            let citizen = match answer {
                Answer::Citizen { citizen, .. } => Some(citizen.as_ref()),
                _ => None,
            };
            opened.tell(citizen, fields);
            if let Some(text) = sealed::seal(signed, &opened.kept) {
                page.sealed = text;
            }
            page.record = Some(opened.record(signed, citizen.is_none(), reply));
            StatusCode::OK
        }
        Err(denied) => {
            page.refused = Some(refusal::refusal(signed, denied, reply, &opened.text).await);
            if !opened.kept.told.is_empty() {
                page.record = Some(opened.record(signed, false, reply));
            }
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
