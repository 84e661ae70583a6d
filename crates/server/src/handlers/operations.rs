//! Health and readiness, and what is not there.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use dancu_wire::rest::{Health, HttpProblem};

use super::{problem, respond};
use crate::app::Shared;

/// `GET /healthz`: the process runs.
pub async fn health() -> Response {
    respond(Health::render(true))
}

/// `GET /readyz`: queries are answered.
pub async fn ready(State(app): State<Shared>) -> Response {
    respond(Health::render(app.is_ready()))
}

/// `GET /metrics`: figures of the ledger in the Prometheus text format, no personal data.
pub async fn metrics(State(app): State<Shared>) -> Response {
    let store = app.gate.store();
    let rows = [
        ("dancu_journal_entries", "Entries in the journal.", store.ledger().next_index()),
        ("dancu_policy_epoch", "Epoch of what is registered.", store.ledger().epoch()),
        ("dancu_search_tail_items", "Journal items not yet in a run.", store.tail_items()),
        (
            "dancu_requests_remembered",
            "Answered request ids of the last 24 hours.",
            store.requests().len() as u64,
        ),
        ("dancu_ready", "1 where queries are answered.", u64::from(app.is_ready())),
    ];
    let mut text = String::new();
    for (name, help, value) in rows {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
    }
    let mut response = Response::new(axum::body::Body::from(text));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// No such path.
pub async fn not_found() -> Response {
    problem(HttpProblem::NotFound)
}

/// The path has other methods.
pub async fn method_not_allowed() -> Response {
    problem(HttpProblem::MethodNotAllowed)
}
