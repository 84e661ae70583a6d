//! The officer's counter: a person before the glass, a card, an answer.
//!
//! It asks by the path of every question ([`Gate::ask`](dancu_gate::Gate::ask)) under its own
//! protocol and channel: same counts, same journal, same refusals. **Invariant:** what is personal
//! travels in bodies of posts only, sealed where a page carries it on, and never in an address, a
//! title, a cookie or a log.

mod code;
mod compare;
mod desk;
mod guide;
mod lookup;
mod memory;
mod page;
mod question;
mod refusal;
mod sealed;
mod slip;
pub(super) mod values;
mod verdict;

use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode, header};
use dancu_domain::people::powers::Power;
use dancu_gate::Caller;
use dancu_gate::query::{Query as Question, Reply};
use dancu_portal::counter::Outcome;
use serde::Deserialize;

use self::desk::Desk;
use self::question::Typed;
use super::form::Form;
use super::frame;
use super::signed::Signed;
use super::table::{Access, Table};
use crate::stop::Handled;

/// Adds the counter's routes, the check of its slips and the guide.
pub fn routes(table: Table) -> Table {
    table
        .entry("/counter", "scan-line", "nav-counter", Power::VerifyCitizen)
        .get("/counter", Power::VerifyCitizen, show)
        .post("/counter", Power::VerifyCitizen, ask)
        .post("/counter/lookup", Power::LookUpCitizen, lookup::lookup)
        .post("/counter/reveal", Power::SeeSensitiveFields, lookup::reveal)
        .get("/counter/slip/{token}", Power::PrintResultSlip, slip::show)
        .get("/check", Access::Public, slip::form)
        .get("/check/{token}", Access::Public, slip::check)
        .get("/guide", Access::Public, guide::show)
}

/// What an address may choose beforehand: codes only.
#[derive(Deserialize)]
struct Chosen {
    #[serde(default)]
    system: String,
    #[serde(default)]
    procedure: String,
}

async fn show(signed: Signed, headers: HeaderMap, Query(chosen): Query<Chosen>) -> Handled {
    let desks = desk::open(&signed, Power::VerifyCitizen)?;
    let mut typed = memory::read(&headers, &signed);
    if !chosen.system.is_empty() {
        typed.system = chosen.system;
    }
    if !chosen.procedure.is_empty() {
        typed.procedure = chosen.procedure;
    }
    Ok(frame::page(&page::counter(&signed, &desks, &typed, vec![], Outcome::Ready)))
}

/// Verifies. What is wrong with the form is said beside it and asks nothing; everything else is
/// for the gate to decide.
async fn ask(signed: Signed, form: Form) -> Handled {
    let desks = desk::open(&signed, Power::VerifyCitizen)?;
    let mut typed = Typed::of(&form);
    let desk = desk::chosen(&desks, &typed.system);
    let text = signed.text();
    let asked = match question::read(&signed, desk, &typed, &text) {
        Ok(asked) => asked,
        Err(errors) => {
            let page = page::counter(&signed, &desks, &typed, errors, Outcome::Ready);
            return Ok(frame::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page));
        }
    };
    // The field keeps what was understood, not the rest of a card: the address, the day of issue.
    typed.subject = asked.words();
    desk.system.code.as_str().clone_into(&mut typed.system);
    let (caller, reply) = put(&signed, desk, &asked.query).await;
    let (status, outcome) = match &reply.result {
        Ok(answer) => {
            let answered = verdict::answered(&signed, desk, &asked, answer, &reply, &text);
            (StatusCode::OK, Outcome::Answered(Box::new(answered)))
        }
        Err(denied) => refusal::outcome(&signed, denied, &reply, caller.arrival, &text).await,
    };
    let page = page::counter(&signed, &desks, &typed, vec![], outcome);
    let mut response = frame::page_with(status, &page);
    if let Some(cookie) = memory::write(&signed, &typed) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Puts a question to the gate as this officer.
async fn put(signed: &Signed, desk: &Desk, query: &Question) -> (Caller, Reply) {
    let caller = Caller::by_portal(&desk.system, signed.source, signed.now);
    let reply = signed.app.gate.ask(&caller, query).await;
    refusal::note_health(&reply, caller.arrival);
    (caller, reply)
}

#[cfg(test)]
mod tests;
