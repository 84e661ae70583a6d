//! The four questions of REST.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use bytes::Bytes;
use dancu_access::{Arrival, AuthFailure};
use dancu_domain::moment::Moment;
use dancu_domain::refusal::Reason;
use dancu_domain::registration::System;
use dancu_domain::service::Service;
use dancu_gate::Caller;
use dancu_gate::path::{Cause, Protocol};
use dancu_gate::query::{FieldError, Reply, Unreadable};
use dancu_wire::body::is_json;
use dancu_wire::rest::{self, Endpoint, HttpProblem};

use super::peer::Peer;
use super::{BodyError, problem, read_body, respond, text};
use crate::app::{App, Shared};
use crate::clock::machine_ms;
use crate::refused::{By, SignIn};

macro_rules! endpoint {
    ($($(#[$doc:meta])* $name:ident = $endpoint:ident;)*) => {$(
        $(#[$doc])*
        pub async fn $name(
            State(app): State<Shared>,
            peer: Peer,
            headers: HeaderMap,
            body: Body,
        ) -> Response {
            ask(&app, Endpoint::$endpoint, peer, &headers, body).await
        }
    )*};
}
endpoint! {
    /// `POST /api/v1/citizens/verify`.
    verify = Verify;
    /// `POST /api/v1/citizens/lookup`.
    lookup = Lookup;
    /// `POST /api/v1/households/lookup`.
    household = Household;
    /// `POST /api/v1/relations/verify`.
    relation = Relation;
}

async fn ask(
    app: &App,
    endpoint: Endpoint,
    peer: Peer,
    headers: &HeaderMap,
    body: Body,
) -> Response {
    let arrival = app.clock.now();
    let system = match authenticated(app, peer, headers, arrival).await {
        Ok(system) => system,
        Err(response) => return response,
    };
    let caller = Caller::by_api(&system, Protocol::Rest, peer.ip(), arrival);
    if !is_json(text(headers, header::CONTENT_TYPE)) {
        return refuse(app, &caller, endpoint, None, HttpProblem::UnsupportedMediaType).await;
    }
    let body = match read_body(body).await {
        Ok(body) => body,
        Err(BodyError::TooLarge) => {
            let why = Some(Reason::TooLarge);
            return refuse(app, &caller, endpoint, why, HttpProblem::TooLarge).await;
        }
        Err(BodyError::Broken) => {
            return refuse(app, &caller, endpoint, None, HttpProblem::BadRequest).await;
        }
    };
    respond(answer(app, &caller, endpoint, &body).await)
}

/// Parses, asks and renders: what a look-up in process shares with HTTP.
pub async fn answer(
    app: &App,
    caller: &Caller,
    endpoint: Endpoint,
    body: &Bytes,
) -> rest::Rendered {
    match rest::parse(endpoint, body, caller.arrival.viet_nam_date()) {
        Ok(query) => {
            let reply = app.ask(caller, &query).await;
            rest::render(endpoint, query.request_id.as_str(), &reply)
        }
        Err(unreadable) => denied(&app.gate.refuse_unreadable(caller, &unreadable).await),
    }
}

pub(super) fn denied(reply: &Reply) -> rest::Rendered {
    match &reply.result {
        Err(why) => rest::denied(why, reply.correlation, reply.usage, reply.journal_index),
        Ok(_) => rest::http_problem(HttpProblem::Internal, Some(reply.correlation)),
    }
}

/// Refuses what is no readable JSON body; the caller is known, so it is journaled.
async fn refuse(
    app: &App,
    caller: &Caller,
    endpoint: Endpoint,
    reason: Option<Reason>,
    kind: HttpProblem,
) -> Response {
    let unreadable = Unreadable { reason, ..unreadable(kind, endpoint.service()) };
    refused_as(kind, &app.gate.refuse_unreadable(caller, &unreadable).await)
}

/// What HTTP itself refuses, as it is journaled.
pub(super) fn unreadable(kind: HttpProblem, service: Service) -> Unreadable {
    let [_, title_vi, _] = kind.texts();
    Unreadable {
        errors: vec![FieldError { field: "body".into(), message_vi: title_vi.into() }],
        service: Some(service),
        ..Unreadable::default()
    }
}

/// A journaled refusal under the status of HTTP's own.
pub(super) fn refused_as(kind: HttpProblem, reply: &Reply) -> Response {
    respond(match &reply.result {
        Err(why) if reply.journal_index.is_some() => {
            rest::denied_as(kind.status(), why, reply.correlation, reply.usage, reply.journal_index)
        }
        _ => denied(reply),
    })
}

/// The system behind a bearer token and its client certificate; failures are counted for the
/// journal.
pub async fn authenticated(
    app: &App,
    peer: Peer,
    headers: &HeaderMap,
    arrival: Moment,
) -> Result<Arc<System>, Response> {
    let authorization = text(headers, header::AUTHORIZATION);
    let came = Arrival { source: peer.ip(), at: arrival, machine: machine_ms() };
    match app.gate.authenticate_bearer(authorization, peer.shown(), &came).await {
        Ok(system) => Ok(system),
        Err(AuthFailure::Unavailable) => {
            app.gate.failures.note(arrival, peer.ip(), Cause::Shed);
            Err(problem(HttpProblem::Unavailable))
        }
        Err(failure) => {
            let by = By::Token(authorization);
            app.refused.note(&app.gate, &SignIn { by, failure }, &came);
            app.gate.failures.note(arrival, peer.ip(), Cause::Token);
            Err(problem(HttpProblem::Unauthorized))
        }
    }
}
