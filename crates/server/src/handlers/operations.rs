//! Health and readiness, and what is not there.

use axum::extract::State;
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

/// No such path.
pub async fn not_found() -> Response {
    problem(HttpProblem::NotFound)
}

/// The path has other methods.
pub async fn method_not_allowed() -> Response {
    problem(HttpProblem::MethodNotAllowed)
}
