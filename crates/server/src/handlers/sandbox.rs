//! What programs ask of a sandbox; absent outside it. `PUT /sandbox/clock` moves the product's
//! clock forward; `/sandbox/conformance` is the run of a system that is being tried (B3).

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use dancu_domain::ids::SystemCode;
use dancu_gate::query::{FieldError, Unreadable};
use dancu_office::sandbox::is_tenant;
use dancu_wire::rest::{
    ClockView, ConformanceCase, ConformanceView, HttpProblem, OtherRefusal, Rendered,
    input_problem, parse_clock,
};
use serde_json::Value;

use super::peer::Peer;
use super::reads::admitted;
use super::{BodyError, problem, read_body, respond};
use crate::app::{Shared, loose_correlation};
use crate::clock::LATEST;
use crate::sandbox::personas::Persona;
use crate::sandbox::{Beginning, Look, Stopped};

/// Characters of what a client calls itself.
pub const CLIENT_MAX: usize = 80;

/// Name of the stored offset of a sandbox clock, ms.
pub const OFFSET: &str = dancu_store::SANDBOX_CLOCK;

/// Stores the new offset, so that a restart goes on from there, and then moves the clock: what
/// could not be stored did not move it.
pub async fn put_clock(State(app): State<Shared>, body: Body) -> Response {
    let body = match read_body(body).await {
        Ok(body) => body,
        Err(BodyError::TooLarge) => return problem(HttpProblem::TooLarge),
        Err(BodyError::Broken) => return problem(HttpProblem::BadRequest),
    };
    let to = match parse_clock(&body) {
        Ok(to) => to,
        Err(unreadable) => return respond(input_problem(&unreadable, loose_correlation())),
    };
    if to >= LATEST {
        return respond(input_problem(&too_far(), loose_correlation()));
    }
    let Ok(moving) = app.clock.begin_move(to).await else {
        return problem(HttpProblem::ClockBackwards);
    };
    let offset_ms = moving.offset_ms;
    let store = app.gate.store();
    let stored = store.set_meta(app.clock.now(), OFFSET, &offset_ms.to_string()).await;
    if let Err(error) = stored {
        tracing::error!(error = %error, "sandbox.clock could not be stored");
        return problem(HttpProblem::Unavailable);
    }
    respond(ClockView { now: moving.finish(), offset_ms }.render())
}

fn too_far() -> Unreadable {
    let message_vi = "Đồng hồ môi trường thử chỉ chỉnh được tới hết năm 2199.".to_owned();
    let errors = vec![FieldError { field: "now".to_owned(), message_vi }];
    Unreadable { errors, ..Unreadable::default() }
}

/// What a client may call itself: one line, as the journal keeps it.
pub fn client(text: &str) -> Option<&str> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().count() <= CLIENT_MAX;
    (fits && !text.chars().any(char::is_control)).then_some(text)
}

/// The code of a system as a dossier has it, or nothing.
pub fn for_system(text: &str) -> Option<&str> {
    let text = text.trim();
    (text.is_empty() || SystemCode::parse(text).is_ok()).then_some(text)
}

/// `GET /sandbox/personas.json`: persons for every edge.
pub async fn personas(State(app): State<Shared>) -> Response {
    let Some(sandbox) = &app.sandbox else { return problem(HttpProblem::NotFound) };
    let all: Vec<_> = sandbox.personas.iter().map(Persona::view).collect();
    json(200, &all)
}

/// `POST /sandbox/conformance` `{"client": "name and version", "system": "code"}`: begins the
/// caller's run anew; `system`, which may be left out, is the code in the dossier.
pub async fn begin_conformance(
    State(app): State<Shared>,
    peer: Peer,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let system = match admitted(&app, peer, &headers).await {
        Ok(system) => system,
        Err(response) => return response,
    };
    let Some(sandbox) = app.sandbox.as_ref().filter(|_| is_tenant(&system.code)) else {
        return problem(HttpProblem::NotFound);
    };
    let body = match read_body(body).await {
        Ok(body) => body,
        Err(BodyError::TooLarge) => return problem(HttpProblem::TooLarge),
        Err(BodyError::Broken) => return problem(HttpProblem::BadRequest),
    };
    let body = serde_json::from_slice::<Value>(&body).unwrap_or(Value::Null);
    let Some(client) = body.get("client").and_then(Value::as_str).and_then(client) else {
        return respond(input_problem(&no_client(), loose_correlation()));
    };
    let stated = body.get("system").map_or(Some(""), Value::as_str).and_then(for_system);
    let Some(for_system) = stated else {
        return respond(input_problem(&no_system(), loose_correlation()));
    };
    let begins = Beginning { by: system.code.as_str(), client, for_system };
    match sandbox.begin(&app, &system, begins).await {
        Ok(()) => told(&app, &system, 201).await,
        Err(stopped) => refused(stopped),
    }
}

/// `GET /sandbox/conformance`: the caller's run as it stands, with its report once it is passed.
pub async fn conformance(State(app): State<Shared>, peer: Peer, headers: HeaderMap) -> Response {
    match admitted(&app, peer, &headers).await {
        Ok(system) => told(&app, &system, 200).await,
        Err(response) => response,
    }
}

async fn told(app: &Shared, system: &dancu_domain::registration::System, status: u16) -> Response {
    let Some(sandbox) = &app.sandbox else { return problem(HttpProblem::NotFound) };
    match sandbox.look(app, system).await {
        Ok(look) => json(status, &view(&look)),
        Err(stopped) => refused(stopped),
    }
}

fn view(look: &Look) -> ConformanceView {
    let cases = look.run.cases().iter().map(|shown| {
        let (text, passed) = (shown.case.text(), !shown.entries.is_empty());
        ConformanceCase {
            case: shown.case.code(),
            name_vi: text.name_vi,
            name: text.name,
            passed,
            entries: shown.entries.clone(),
            to_send_vi: (!passed).then_some(text.send_vi),
            to_send: (!passed).then_some(text.send),
        }
    });
    let others = look.run.unexpected().iter().map(|(index, reason)| {
        let text = reason.text();
        OtherRefusal {
            index: *index,
            rule_id: text.rule.code(),
            title_vi: text.title_vi,
            title: text.title,
            what_to_do_vi: text.what_to_do_vi,
        }
    });
    ConformanceView {
        run: look.number.clone(),
        client: look.client.clone(),
        system: look.for_system.clone(),
        dossier: look.closed.map(|number| number.to_string()),
        from: look.began.rfc3339(),
        minutes_left: look.minutes_left,
        passed: look.run.is_passed(),
        cases: cases.collect(),
        other_refusals: others.collect(),
        report: look.signed.clone(),
    }
}

/// What is answered as JSON.
fn json(status: u16, view: &impl serde::Serialize) -> Response {
    match serde_json::to_string(view) {
        Ok(text) => respond(Rendered::json(status, text)),
        Err(_) => problem(HttpProblem::Unavailable),
    }
}

fn refused(stopped: Stopped) -> Response {
    match stopped {
        Stopped::TooOften => problem(HttpProblem::TooOften),
        Stopped::Missing => problem(HttpProblem::NotFound),
        Stopped::Busy(response) => response,
        Stopped::Failed(error) => {
            tracing::error!(error, "a conformance run could not be looked at");
            problem(HttpProblem::Unavailable)
        }
    }
}

fn no_client() -> Unreadable {
    let message_vi = format!("Nêu tên và phiên bản phần mềm, tối đa {CLIENT_MAX} ký tự.");
    let errors = vec![FieldError { field: "client".to_owned(), message_vi }];
    Unreadable { errors, ..Unreadable::default() }
}

fn no_system() -> Unreadable {
    let message_vi = "Mã hệ thống không đúng dạng: ghi như trong hồ sơ, hoặc bỏ trống.".to_owned();
    let errors = vec![FieldError { field: "system".to_owned(), message_vi }];
    Unreadable { errors, ..Unreadable::default() }
}
