//! `PUT /sandbox/clock`: moves the product's clock forward; absent outside the sandbox.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use dancu_wire::rest::{ClockView, HttpProblem, input_problem, parse_clock};

use super::{BodyError, problem, read_body, respond};
use crate::app::{Shared, loose_correlation};

/// Name of the stored offset of a sandbox clock, ms.
pub const OFFSET: &str = "sandbox.clock_offset_ms";

/// Moves the clock and stores its offset, so that a restart goes on from there.
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
    let Ok(now) = app.clock.move_to(to) else { return problem(HttpProblem::ClockBackwards) };
    let offset_ms = app.clock.offset_ms();
    let stored = app.gate.store().set_meta(now, OFFSET, &offset_ms.to_string()).await;
    if let Err(error) = stored {
        tracing::error!(error = %error, "sandbox.clock could not be stored");
        return problem(HttpProblem::Unavailable);
    }
    respond(ClockView { now, offset_ms }.render())
}
