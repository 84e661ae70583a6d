//! Health, readiness and figures, and what is not there.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use dancu_wire::rest::{Health, HttpProblem};
use serde::Serialize;

use super::{problem, respond};
use crate::app::Shared;
use crate::{readiness, telemetry};

/// What `/readyz` says where queries are not answered.
#[derive(Serialize)]
struct NotReady {
    status: &'static str,
    /// Why, one word each: see [`readiness::reasons`].
    reasons: Vec<&'static str>,
}

/// `GET /healthz`: the process runs.
pub async fn health() -> Response {
    respond(Health::render(true))
}

/// `GET /readyz`: queries are answered; otherwise 503 with the reasons.
pub async fn ready(State(app): State<Shared>) -> Response {
    let reasons = readiness::reasons(&app);
    let mut rendered = Health::render(reasons.is_empty());
    if !reasons.is_empty()
        && let Ok(body) = serde_json::to_string(&NotReady { status: "unavailable", reasons })
    {
        rendered.body = body;
    }
    respond(rendered)
}

/// `GET /metrics`: figures in the Prometheus text format, no personal data; for the addresses of
/// `metrics.from` only, elsewhere there is no such path.
pub async fn metrics(
    State(app): State<Shared>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
) -> Response {
    if !telemetry::may_read(peer.ip()) {
        return problem(HttpProblem::NotFound);
    }
    let mut response = Response::new(axum::body::Body::from(telemetry::scrape::page(&app).await));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// No such path.
pub fn not_found() -> Response {
    problem(HttpProblem::NotFound)
}

/// The path has other methods.
pub fn method_not_allowed() -> Response {
    problem(HttpProblem::MethodNotAllowed)
}
