//! Lists inside an approved plan (D5): asked for here, watched and read like batches.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use dancu_domain::refusal::Reason;
use dancu_domain::service::Service;
use dancu_wire::body::is_json;
use dancu_wire::rest::HttpProblem;
use dancu_wire::rest::batches::parse_list;

use super::batches::{reader, submitted};
use super::peer::Peer;
use super::rest::{denied, refused_as, unreadable};
use super::{BodyError, read_body, respond, text};
use crate::app::Shared;

/// `POST /api/v1/lists`.
pub async fn submit(
    State(app): State<Shared>,
    peer: Peer,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let caller = match reader(&app, peer, &headers).await {
        Ok(caller) => caller,
        Err(response) => return response,
    };
    let read = if is_json(text(&headers, header::CONTENT_TYPE)) {
        read_body(body).await.map_err(|error| match error {
            BodyError::TooLarge => (HttpProblem::TooLarge, Some(Reason::TooLarge)),
            BodyError::Broken => (HttpProblem::BadRequest, None),
        })
    } else {
        Err((HttpProblem::UnsupportedMediaType, None))
    };
    let body = match read {
        Ok(body) => body,
        Err((kind, reason)) => {
            let mut unreadable = unreadable(kind, Service::CitizenList);
            unreadable.reason = reason;
            return refused_as(kind, &app.gate.refuse_unreadable(&caller, &unreadable).await);
        }
    };
    match parse_list(&body, caller.arrival.viet_nam_date()) {
        Ok(new) => submitted(app.gate.submit_list(&caller, new).await),
        Err(unreadable) => respond(denied(&app.gate.refuse_unreadable(&caller, &unreadable).await)),
    }
}
