//! Provincial JSON at /lgsp/v1/{operation}: the SOAP operations behind a bearer token, answered
//! in the shape that the system is registered with.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use dancu_domain::refusal::Reason;
use dancu_domain::registration::System;
use dancu_gate::Caller;
use dancu_gate::path::Protocol;
use dancu_gate::query::{Reply, Unreadable};
use dancu_wire::body::is_json;
use dancu_wire::lgsp::{self, Shape};
use dancu_wire::rest::{HttpProblem, Rendered};
use dancu_wire::soap::Reading;

use super::peer::Peer;
use super::rest::{authenticated, denied};
use super::{BodyError, read_body, reply_headers, text};
use crate::app::{App, Shared};

/// `POST /lgsp/v1/{operation}`.
pub async fn post(
    State(app): State<Shared>,
    peer: Peer,
    operation: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let arrival = app.clock.now();
    let system = match authenticated(&app, peer, &headers, arrival).await {
        Ok(system) => system,
        Err(response) => return response,
    };
    let caller = Caller::by_api(&system, Protocol::ProvincialJson, peer.ip(), arrival);
    // A path that is no text names no operation.
    let operation = operation.map_or_else(|_| String::new(), |Path(operation)| operation);
    let Some(shape) = Shape::of(system.lgsp_shape.as_deref()) else {
        return shapeless(&app, &caller, &lgsp::no_shape(&operation)).await;
    };
    let request = Request { app: &app, caller, operation, system, shape };
    if !is_json(text(&headers, header::CONTENT_TYPE)) {
        return request.refuse(HttpProblem::UnsupportedMediaType, None).await;
    }
    match read_body(body).await {
        Ok(body) => request.answer(&body).await,
        Err(BodyError::TooLarge) => {
            request.refuse(HttpProblem::TooLarge, Some(Reason::TooLarge)).await
        }
        Err(BodyError::Broken) => request.refuse(HttpProblem::BadRequest, None).await,
    }
}

/// A request of a system that has a shape.
struct Request<'a> {
    app: &'a App,
    caller: Caller,
    operation: String,
    system: Arc<System>,
    shape: Shape,
}

impl Request<'_> {
    async fn answer(&self, body: &[u8]) -> Response {
        let gate = &self.app.gate;
        let arrival = self.caller.arrival;
        let logins = gate.store().profiles().at(arrival).accounts.logins();
        let reading = Reading { today: arrival.viet_nam_date(), logins };
        match lgsp::parse(&self.operation, body, &self.system, reading) {
            Ok(call) => {
                let reply = self.app.ask(&self.caller, &call.query).await;
                respond(lgsp::render(self.shape, &call, &self.system, &reply), &reply)
            }
            Err(unread) => {
                let reply = gate.refuse_unreadable(&self.caller, &unread.unreadable).await;
                respond(lgsp::refuse(self.shape, &unread, &reply, None), &reply)
            }
        }
    }

    /// Refuses what is no readable JSON body; the caller is known, so it is journaled.
    async fn refuse(&self, kind: HttpProblem, reason: Option<Reason>) -> Response {
        let [_, title_vi, _] = kind.texts();
        let unread = lgsp::unread(&self.operation, "body", title_vi, reason);
        let reply = self.app.gate.refuse_unreadable(&self.caller, &unread.unreadable).await;
        let status = reply.journal_index.map(|_| kind.status());
        respond(lgsp::refuse(self.shape, &unread, &reply, status), &reply)
    }
}

/// Without a shape there is none to refuse in: a problem, as in REST.
async fn shapeless(app: &App, caller: &Caller, unreadable: &Unreadable) -> Response {
    let reply = app.gate.refuse_unreadable(caller, unreadable).await;
    respond(denied(&reply), &reply)
}

/// What the shapes have no place for stands in headers, as in SOAP.
fn respond(rendered: Rendered, reply: &Reply) -> Response {
    let mut response = super::respond(rendered);
    reply_headers(&mut response, reply);
    response
}
