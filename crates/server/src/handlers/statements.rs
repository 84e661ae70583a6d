//! Monthly statements as the system itself fetches them (A7), and the key that signs them. As the
//! other reads of a system about itself these leave no entry of their own (`own`).

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use dancu_domain::statements::Month;
use dancu_store::statements::Stored;
use dancu_wire::rest::{HttpProblem, Rendered, StatementRef, StatementsView};

use super::peer::Peer;
use super::reads::{admitted, failed};
use super::{problem, respond};
use crate::app::Shared;
use crate::log_key::LogKey;

/// What a note and a key line are.
const TEXT: &str = "text/plain; charset=utf-8";

/// `GET /api/v1/statements`.
pub async fn list(State(app): State<Shared>, peer: Peer, headers: HeaderMap) -> Response {
    let system = match admitted(&app, peer, &headers).await {
        Ok(system) => system,
        Err(response) => return response,
    };
    let found = app.gate.store().statements().of_system(system.id).await;
    let (found, key) = match (found, LogKey::of(app.gate.store())) {
        (Ok(found), Ok(key)) => (found, key),
        (Err(error), _) => return failed(&error),
        (_, Err(error)) => return keyless(&error),
    };
    let statements = found.iter().map(named).collect();
    respond(StatementsView { statements, log_key: key.line() }.render())
}

fn named(stored: &Stored) -> StatementRef {
    StatementRef {
        number: stored.number.to_string(),
        month: stored.month.to_string(),
        version: stored.version,
        made_at: stored.document.made_at,
        sha256: stored.document.sha256.clone(),
    }
}

/// `GET /api/v1/statements/{month}`.
pub async fn document(
    State(app): State<Shared>,
    peer: Peer,
    month: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let found = newest(&app, peer, month, &headers).await;
    found.map_or_else(|no| no, |stored| respond(Rendered::json(200, stored.document.json)))
}

/// `GET /api/v1/statements/{month}/note`.
pub async fn note(
    State(app): State<Shared>,
    peer: Peer,
    month: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    newest(&app, peer, month, &headers).await.map_or_else(|no| no, |s| text(s.document.note))
}

/// The newest statement of the caller's month; 404 where there is none.
async fn newest(
    app: &Shared,
    peer: Peer,
    month: Result<Path<String>, PathRejection>,
    headers: &HeaderMap,
) -> Result<Stored, Response> {
    let system = admitted(app, peer, headers).await?;
    let month = month.ok().and_then(|Path(month)| Month::parse(&month));
    let missing = || problem(HttpProblem::NotFound);
    let found = app.gate.store().statements().of_month(system.id, month.ok_or_else(missing)?).await;
    found.map_err(|error| failed(&error))?.ok_or_else(missing)
}

/// `GET /log/key`: the line by which notes of this centre are checked, for anybody.
pub async fn key(State(app): State<Shared>) -> Response {
    match LogKey::of(app.gate.store()) {
        Ok(key) => text(key.line() + "\n"),
        Err(error) => keyless(&error),
    }
}

fn text(body: String) -> Response {
    respond(Rendered { content_type: TEXT, ..Rendered::json(200, body) })
}

fn keyless(error: &anyhow::Error) -> Response {
    tracing::error!(error = format!("{error:#}"), "the log's key cannot be read");
    problem(HttpProblem::Unavailable)
}
