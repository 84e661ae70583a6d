//! The result slip for the case file, and the page where whoever holds one checks it.
//!
//! The check is public: a slip goes to offices and people that have no account here, and it tells
//! nothing of anybody. It has a pace for each address, reads one entry by its number, and says
//! nothing where the random part of the code is wrong.

use std::sync::{Arc, LazyLock};

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use dancu_domain::moment::Moment;
use dancu_domain::people::powers::Power;
use dancu_domain::service::Service;
use dancu_gate::path::Protocol;
use dancu_gate::query::CorrelationId;
use dancu_journal::{Body, Decision, Entry, Query as Asked};
use dancu_portal::counter::{Check, Checked, Slip, Verdict};
use dancu_portal::parts::FieldError;
use dancu_store::keys::{Key, Purpose};
use serde::Deserialize;

use super::code::{self, Said};
use super::{desk, page, values, verdict};
use crate::app::{App, Shared};
use crate::portal::frame;
use crate::portal::pace::Throttle;
use crate::portal::signed::{Signed, Visitor};
use crate::stop::Handled;

/// How often each address checked slips; it refuses for seconds and locks nothing.
static CHECKS: LazyLock<Throttle> = LazyLock::new(Throttle::default);

/// Longest code that is looked at, characters: the mark of a slip in its address.
const CODE_MAX: usize = 120;

/// An entry could not be read just now.
struct Busy;

/// The entry of an answered question of the counter, if the random part is right.
async fn entry(app: &Shared, id: CorrelationId) -> Result<Option<Entry>, Busy> {
    let (index, nonce) = code::parts(id);
    let reader = app.clone();
    let read = move || reader.gate.store().entry(index);
    let found = app.reads.long(read).await.map_err(|_| Busy)?;
    let found = found.map_err(|error| {
        tracing::error!(error = %error, "counter.slip could not read its entry");
        Busy
    })?;
    let answered = |entry: &Entry| asked(entry).is_some_and(is_answered);
    Ok(found.filter(|entry| entry.nonce == nonce && answered(entry)))
}

fn asked(entry: &Entry) -> Option<&Asked> {
    match &entry.body {
        Body::Query(query) => Some(query),
        _ => None,
    }
}

/// Whether a verification of the counter was answered.
fn is_answered(query: &Asked) -> bool {
    query.protocol == Protocol::Portal as u8
        && matches!(query.decision, Decision::Accepted | Decision::Repeat)
        && matches!(query.answer, MATCH | NO_MATCH)
}

/// Classes of answer of the journal format.
const MATCH: u8 = 1;
/// See [`MATCH`].
const NO_MATCH: u8 = 2;

fn key(app: &App) -> Option<Arc<Key>> {
    app.gate.store().keys().get(Purpose::Token, 0)
}

/// Prints: the officer's own result, from its mark and its entry.
pub(super) async fn show(signed: Signed, Path(mark): Path<String>) -> Handled {
    let desks = desk::open(&signed, Power::PrintResultSlip)?;
    let said = key(&signed.app).and_then(|key| code::said(&key, &mark));
    let Some(said) = said else { return Ok(frame::missing(&signed)) };
    let entry = match entry(&signed.app, said.id).await {
        Ok(Some(entry)) => entry,
        Ok(None) => return Ok(frame::missing(&signed)),
        Err(Busy) => return Ok(frame::unavailable(&signed)),
    };
    let Some(query) = asked(&entry) else { return Ok(frame::missing(&signed)) };
    let own =
        desks.iter().find(|d| d.system.id.0 == query.system && d.account.id.0 == query.account);
    let Some(own) = own else { return Ok(frame::missing(&signed)) };
    let text = signed.text();
    // Nobody types the mark: the address that is printed takes the code.
    let check_url = format!("{}/check", signed.app.base_url);
    let Some(qr) = dancu_access::people::qr(&format!("{check_url}/{mark}")) else {
        return Ok(frame::unavailable(&signed));
    };
    let procedure = own.procedure(&signed, &query.procedure);
    let procedure = procedure.map_or_else(|| query.procedure.clone(), page::words);
    let none = text.get("slip-no-case");
    Ok(frame::page(&Slip {
        s: signed.shell(),
        unit: signed.app.units.named(&query.unit),
        meter: desk::meter(&signed, own, Service::CitizenVerify, &text),
        case_code: if query.case.is_empty() { none } else { query.case.clone() },
        procedure,
        time: verdict::seconds(Moment(entry.arrival)),
        code: code::of(said.id),
        journal: entry.index,
        verdict: said.verdict,
        deceased: said.deceased,
        rows: said.rows.iter().map(|(field, answer)| (values::key(*field), *answer)).collect(),
        qr_path: qr.path,
        qr_size: qr.size,
        check_url,
        t: text,
    }))
}

/// A code typed by hand.
#[derive(Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    code: String,
}

/// The empty form, or the code in it.
pub(super) async fn form(visitor: Visitor, Query(typed): Query<Typed>) -> Response {
    if typed.code.trim().is_empty() {
        return frame::page(&empty(&visitor, String::new()));
    }
    look(&visitor, typed.code.trim()).await
}

/// The address on a slip.
pub(super) async fn check(visitor: Visitor, Path(mark): Path<String>) -> Response {
    look(&visitor, &mark).await
}

fn empty(visitor: &Visitor, code: String) -> Check {
    Check { t: visitor.text(), s: visitor.shell(), errors: vec![], code, found: None }
}

async fn look(visitor: &Visitor, typed: &str) -> Response {
    let typed = &typed[..typed.floor_char_boundary(CODE_MAX)];
    let wrong = |status, key| {
        let mut page = empty(visitor, typed.to_owned());
        page.errors = vec![FieldError { field: "code", sentence: page.t.get(key) }];
        frame::page_with(status, &page)
    };
    if CHECKS.admit(visitor.source, &[], visitor.machine).is_err() {
        return wrong(StatusCode::TOO_MANY_REQUESTS, "check-busy");
    }
    let said = key(&visitor.app).and_then(|key| code::said(&key, typed));
    let Some(id) = said.as_ref().map(|said| said.id).or_else(|| code::parse(typed)) else {
        return wrong(StatusCode::NOT_FOUND, "check-wrong");
    };
    let entry = match entry(&visitor.app, id).await {
        Ok(entry) => entry,
        Err(Busy) => return wrong(StatusCode::SERVICE_UNAVAILABLE, "check-busy"),
    };
    let Some((entry, query)) = entry.as_ref().and_then(|e| Some((e, asked(e)?))) else {
        return wrong(StatusCode::NOT_FOUND, "check-wrong");
    };
    let mut found = found(entry, query, said);
    found.unit = visitor.app.units.named(&found.unit);
    let page = Check { found: Some(found), ..empty(visitor, code::of(id)) };
    frame::page(&page)
}

/// What is told: from the mark each line, from a typed code only what the journal knows.
fn found(entry: &Entry, query: &Asked, said: Option<Said>) -> Checked {
    let time = verdict::seconds(Moment(entry.arrival));
    let keys = if query.answer == MATCH { "check-keys-match" } else { "check-keys-none" };
    let verdict = said.as_ref().map_or(keys, |said| Verdict::key(said.verdict));
    let rows = said.as_ref().map_or_else(Vec::new, |said| {
        said.rows.iter().map(|(field, answer)| (values::key(*field), *answer)).collect()
    });
    let mut id = [0; 16];
    id[..8].copy_from_slice(&entry.index.to_be_bytes());
    id[8..].copy_from_slice(&entry.nonce);
    Checked {
        code: code::of(CorrelationId(id)),
        time,
        unit: query.unit.clone(),
        verdict,
        nobody: query.answer == NO_MATCH,
        typed: said.is_none(),
        deceased: said.is_some_and(|said| said.deceased),
        rows,
    }
}
