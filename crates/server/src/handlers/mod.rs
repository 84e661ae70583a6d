//! One handler per file: request, authentication, gate, response.

pub mod accounts;
pub mod batches;
pub mod docs;
pub mod lgsp;
pub mod lists;
pub mod oauth;
pub mod operations;
pub mod own;
pub mod peer;
pub mod reads;
pub mod rest;
pub mod sandbox;
pub mod soap;
mod soap_jobs;
pub mod statements;
pub mod uploads;

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::header::AsHeaderName;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use dancu_access::AuthFailure;
use dancu_domain::moment::Moment;
use dancu_domain::registration::System;
use dancu_gate::path::Cause;
use dancu_gate::query::Reply;
use dancu_wire::rest::{BODY_MAX, HttpProblem, Rendered, http_problem};

use self::peer::Peer;
use crate::app::{App, loose_correlation};

/// A body may take this long to arrive: 64 KiB at 6.5 KiB/s, slower than any line in use.
const BODY_WAIT: std::time::Duration = std::time::Duration::from_secs(10);

/// Why a body could not be read.
pub enum BodyError {
    /// Over its limit.
    TooLarge,
    /// Broken off or too slow.
    Broken,
}

/// Reads a whole body within its limits.
pub async fn read_body(body: Body) -> Result<Bytes, BodyError> {
    read_body_within(body, BODY_MAX, BODY_WAIT).await
}

/// Reads a whole body of at most `most` bytes that comes within `wait`.
pub async fn read_body_within(
    body: Body,
    most: usize,
    wait: std::time::Duration,
) -> Result<Bytes, BodyError> {
    match tokio::time::timeout(wait, to_bytes(body, most)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => {
            let text = error.into_inner().to_string();
            let over = text.contains("length limit");
            Err(if over { BodyError::TooLarge } else { BodyError::Broken })
        }
        Err(_) => Err(BodyError::Broken),
    }
}

/// A system that is about to read its own affairs, as it is registered now on every node (E3).
/// Call it after the pace of its reads.
pub async fn fresh(
    app: &App,
    peer: Peer,
    system: &System,
    now: Moment,
) -> Result<Arc<System>, Response> {
    match app.gate.fresh(system, now).await {
        Ok(system) => Ok(system),
        Err(AuthFailure::Unavailable) => {
            app.gate.failures.note(now, peer.ip(), Cause::Shed);
            Err(problem(HttpProblem::Unavailable))
        }
        Err(_) => {
            app.gate.failures.note(now, peer.ip(), Cause::Token);
            Err(problem(HttpProblem::Unauthorized))
        }
    }
}

/// The text of a header, if it is readable text.
pub fn text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

/// A REST response.
pub fn respond(r: Rendered) -> Response {
    let mut response = Response::new(Body::from(r.body));
    *response.status_mut() = axum::http::StatusCode::from_u16(r.status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(r.content_type));
    // Answers are personal data: nothing on the way may keep them.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = r.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(challenge) = r.www_authenticate {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}

/// A problem of the HTTP layer.
pub fn problem(kind: HttpProblem) -> Response {
    respond(http_problem(kind, Some(loose_correlation())))
}

/// What SOAP answers have no place for stands in headers: journal index, correlation id, what is
/// left and when it resets (D2).
pub fn reply_headers(response: &mut Response, reply: &Reply) {
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    set("x-dancu-correlation-id", reply.correlation.to_string());
    if let Some(index) = reply.journal_index {
        set("x-dancu-journal-index", index.to_string());
    }
    if let Some(usage) = reply.usage {
        set("x-dancu-remaining", usage.remaining.to_string());
        set("x-dancu-resets-at", usage.resets_at.rfc3339());
    }
}
