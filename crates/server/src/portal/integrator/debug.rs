//! The debugger: what was sent and refused, taken apart (J2). Nothing of it is kept or shown again.

use std::net::IpAddr;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use dancu_access::debugger::{self, Case, Envelope, Name, PASTE_MAX, Told};
use dancu_domain::people::powers::Power;
use dancu_domain::registration::{ConnectionState, System};
use dancu_portal::integrator::{Check, Debug, Explained, states};
use dancu_portal::parts::{FieldError, State};
use dancu_portal::text::Text;
use dancu_wire::soap;

use super::Own;
use crate::handlers::oauth;
use crate::portal::form::Form;
use crate::portal::signed::Signed;
use crate::portal::{frame, words};
use crate::stop::Handled;

/// `GET /integrator/{code}/debug`
pub(super) async fn blank(signed: Signed, Path(code): Path<String>) -> Handled {
    let own = Own::find(&signed, &code, Power::DebugCalls).await?;
    Ok(page(&signed, &own, "", None, vec![]))
}

/// `POST /integrator/{code}/debug`
pub(super) async fn explain(signed: Signed, Path(code): Path<String>, form: Form) -> Handled {
    let own = Own::find(&signed, &code, Power::DebugCalls).await?;
    let t = signed.text();
    let (text, from) = (form.raw("paste"), form.get("source"));
    let source = from.parse::<IpAddr>().ok();
    let mut errors = vec![];
    if text.trim().is_empty() {
        errors.push(frame::wrong("paste", t.get("dbg-paste-empty")));
    } else if text.len() > PASTE_MAX {
        errors.push(frame::wrong("paste", t.get("dbg-paste-large")));
    }
    if source.is_none() && !from.is_empty() {
        errors.push(frame::wrong("source", t.get("dbg-source-wrong")));
    }
    if errors.is_empty()
        && let Err(seconds) = signed.portal().integrator.admit(signed.person.id, signed.now)
    {
        let sentence = t.with("dbg-paste-often", "seconds", seconds);
        let errors = vec![frame::wrong("paste", sentence)];
        let mut response = page(&signed, &own, from, None, errors);
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        frame::retry_after(&mut response, seconds);
        return Ok(response);
    }
    if !errors.is_empty() {
        return Ok(page(&signed, &own, from, None, errors));
    }
    let case = Case {
        system: &own.system,
        audience: &oauth::audience(&signed.app),
        source,
        at: signed.now,
        machine: signed.machine.0,
    };
    let told = signed.app.gate.explain(&case, text);
    let envelope = told.envelope.as_ref().map(|text| faults(&signed, &own.system, text));
    let explained = explained(&t, &own.system, &told, envelope);
    Ok(page(&signed, &own, from, Some(explained), vec![]))
}

fn page(
    signed: &Signed,
    own: &Own,
    source: &str,
    explained: Option<Explained>,
    errors: Vec<FieldError>,
) -> Response {
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let body = Debug {
        tabs: own.tabs(signed),
        errors,
        source: source.to_owned(),
        explained,
        s: signed.shell(),
        t: signed.text(),
    };
    frame::page_with(status, &body)
}

fn explained(
    t: &Text,
    system: &System,
    told: &Told,
    envelope: Option<Vec<(String, String)>>,
) -> Explained {
    Explained {
        way: format!("dbgway-{}", told.way.code()),
        admitted: told.verdict.is_ok(),
        checks: told.checks.iter().map(|check| shown(t, system, check)).collect(),
        envelope,
    }
}

/// States and modes in words; everything else is told as it was expected and as it came.
fn shown(t: &Text, system: &System, check: &debugger::Check) -> Check {
    let hint = check.hint.as_ref().map(|(hint, value)| {
        let key = format!("dbghint-{}", hint.code());
        t.with(&key, "value", value)
    });
    Check {
        key: format!("dbgname-{}", check.name.code()),
        state: state(check.state),
        expected: match check.name {
            Name::State => t.get(words::connection(ConnectionState::Live).key),
            _ => check.expected.clone(),
        },
        got: match (check.name, check.state) {
            (Name::State, _) => t.get(words::connection(system.state).key),
            (Name::Certificate, debugger::State::Right) => t.get("cred-mode-off"),
            (Name::Source, debugger::State::Right) if check.got.is_empty() => {
                t.get("dbg-source-any")
            }
            _ => check.got.clone(),
        },
        hint: hint.unwrap_or_default(),
    }
}

const fn state(state: debugger::State) -> State {
    match state {
        debugger::State::Right => states::RIGHT,
        debugger::State::Wrong => states::WRONG,
        debugger::State::Open => states::OPEN,
    }
}

/// What the reader of envelopes says: fields and sentences, as systems are told them.
fn faults(signed: &Signed, system: &System, text: &Envelope) -> Vec<(String, String)> {
    let logins = signed.app.gate.store().profiles().at(signed.now).accounts.logins();
    let reading = soap::Reading { today: signed.today(), logins };
    let body = Bytes::copy_from_slice(text.0.as_bytes());
    let unread = match soap::parse(&body, None, system, reading.clone()) {
        Ok(_) => return vec![],
        Err(unread) if unread.operation == Some(soap::Operation::List) => {
            match soap::parse_job(&body, None, system, reading) {
                Ok(_) => return vec![],
                Err(unread) => unread,
            }
        }
        Err(unread) => unread,
    };
    let errors = unread.unreadable.errors.into_iter();
    errors.map(|error| (error.field, error.message_vi)).collect()
}
