//! `PUT /sandbox/clock`: moves the product's clock forward; absent outside the sandbox.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use dancu_gate::query::{FieldError, Unreadable};
use dancu_wire::rest::{ClockView, HttpProblem, input_problem, parse_clock};

use super::{BodyError, problem, read_body, respond};
use crate::app::{Shared, loose_correlation};
use crate::clock::LATEST;

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
