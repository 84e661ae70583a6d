//! SOAP 1.1 at /soap/dancu: existing clients are served unchanged (H1).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use bytes::Bytes;
use dancu_access::soap::{SoapHeaders, SoapProof, check_subsystem};
use dancu_access::{Arrival, AuthFailure};
use dancu_domain::moment::Moment;
use dancu_domain::registration::System;
use dancu_gate::path::{Cause, Protocol};
use dancu_gate::query::{FieldError, Reply, Unreadable};
use dancu_gate::{Caller, UsedHeader};
use dancu_wire::rest::HttpProblem;
use dancu_wire::soap::{self, SoapAnswer, SoapUnreadable};

use super::peer::Peer;
use super::{BodyError, problem, read_body, reply_headers, soap_jobs, text};
use crate::app::{App, Shared, loose_correlation};
use crate::clock::machine_ms;
use crate::refused::{By, SignIn};

/// `POST /soap/dancu`.
pub async fn post(
    State(app): State<Shared>,
    peer: Peer,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let arrival = app.clock.now();
    let machine_now = machine_ms();
    let came = Arrival { source: peer.ip(), at: arrival, machine: machine_now };
    let (system, proof) = match proved(&app, peer, &uri, &headers, &came).await {
        Ok(proved) => proved,
        Err(failure) => {
            app.refused.note(&app.gate, &sign_in(&headers, failure), &came);
            let cause = Cause::of(!by_token(&headers));
            return unauthenticated(&app, peer, arrival, failure, cause);
        }
    };
    let content_type = text(&headers, header::CONTENT_TYPE);
    let request = Request { peer, arrival, system, proof, machine_now };
    if !is_xml(content_type) {
        return refuse(&app, &request, &other_media_type(), Some(415)).await;
    }
    let body = match read_body(body).await {
        Ok(body) => body,
        Err(BodyError::TooLarge) => {
            return refuse(&app, &request, &SoapUnreadable::too_large(), None).await;
        }
        Err(BodyError::Broken) => {
            return refuse(&app, &request, &broken_body(), Some(400)).await;
        }
    };
    match answer(&app, &request, content_type, &body).await {
        Ok((answer, reply)) => respond(answer, Some(&reply)),
        Err(failure) => {
            app.refused.note(&app.gate, &sign_in(&headers, failure), &came);
            let cause = Cause::of(!by_token(&headers));
            unauthenticated(&app, peer, arrival, failure, cause)
        }
    }
}

/// A refused sign-in, for the integrators of the system that it names.
fn sign_in(headers: &HeaderMap, failure: AuthFailure) -> SignIn<'_> {
    let authorization = text(headers, header::AUTHORIZATION);
    let by = if by_token(headers) {
        By::Token(authorization)
    } else {
        By::Soap(authorization, text(headers, "timestamp"))
    };
    SignIn { by, failure }
}

/// Who asks: by the header with the hash, or by a token of `/oauth/token` as provincial gateways
/// send it. Both are compared with the client certificate.
async fn proved(
    app: &App,
    peer: Peer,
    uri: &Uri,
    headers: &HeaderMap,
    came: &Arrival,
) -> Result<(Arc<System>, Option<SoapProof>), AuthFailure> {
    let authorization = text(headers, header::AUTHORIZATION);
    if by_token(headers) {
        let system = app.gate.authenticate_bearer(authorization, peer.shown(), came).await?;
        if let Some(access) = &system.soap {
            check_subsystem(access, text(headers, "x-road-client"))?;
        }
        return Ok((system, None));
    }
    let parts = SoapHeaders {
        timestamp: text(headers, "timestamp"),
        authorization,
        x_road_client: text(headers, "x-road-client"),
        path: uri.path(),
        certificate: peer.shown(),
    };
    let proof = app.gate.authenticate_soap(&parts, came).await?;
    Ok((proof.system.clone(), Some(proof)))
}

fn by_token(headers: &HeaderMap) -> bool {
    let scheme = text(headers, header::AUTHORIZATION).and_then(|value| value.split(' ').next());
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"))
}

struct Request {
    peer: Peer,
    arrival: Moment,
    system: Arc<System>,
    /// The header to be used up by the body; `None` with a token.
    proof: Option<SoapProof>,
    machine_now: i64,
}

impl Request {
    /// The caller with the header that this body used up; `None` where no body was read.
    fn caller(&self, header: Option<UsedHeader>) -> Caller {
        let source = self.peer.ip();
        let caller = Caller::by_api(&self.system, Protocol::Soap, source, self.arrival);
        Caller { header, ..caller }
    }

    /// A used triple with another body is refused as not authenticated.
    fn use_header(&self, app: &App, body: [u8; 16]) -> Result<Option<UsedHeader>, AuthFailure> {
        let proof = self.proof.as_ref();
        let used = proof.map(|p| app.gate.use_header(p, body, self.peer.ip(), self.machine_now));
        used.transpose()
    }
}

async fn answer(
    app: &Shared,
    request: &Request,
    content_type: Option<&str>,
    body: &Bytes,
) -> Result<(SoapAnswer, Reply), AuthFailure> {
    let system = &*request.system;
    let logins = app.gate.store().profiles().at(request.arrival).accounts.logins();
    let reading = soap::Reading { today: request.arrival.viet_nam_date(), logins };
    Ok(match soap::parse(body, content_type, system, reading.clone()) {
        Ok(call) => {
            let used = request.use_header(app, call.query.body)?;
            let caller = request.caller(used);
            let reply = app.ask(&caller, &call.query).await;
            let reply = app.gate.unless_replayed(&caller, reply)?;
            (soap::render(&call, system, &reply), reply)
        }
        Err(mut unread) => {
            if unread.operation == Some(soap::Operation::List) {
                match soap::parse_job(body, content_type, system, reading) {
                    Ok(call) => {
                        let caller = request.caller(request.use_header(app, call.body)?);
                        let system = app.gate.fresh(system, request.arrival).await?;
                        // Boxed: the future of a question is not made larger by it.
                        let told = Box::pin(soap_jobs::answer(app, &caller, &system, &call)).await;
                        return Ok((told.0, app.gate.unless_replayed(&caller, told.1)?));
                    }
                    Err(why) => unread = why,
                }
            }
            let used = request.use_header(app, raw_digest(body))?;
            let caller = request.caller(used);
            let reply = app.gate.refuse_unreadable(&caller, &unread.unreadable).await;
            let reply = app.gate.unless_replayed(&caller, reply)?;
            (soap::render_unreadable(&unread, &reply), reply)
        }
    })
}

/// Refuses what is no envelope; the caller is known, so it is journaled. Its header is not used up.
async fn refuse(
    app: &App,
    request: &Request,
    unread: &SoapUnreadable,
    status: Option<u16>,
) -> Response {
    let reply = app.gate.refuse_unreadable(&request.caller(None), &unread.unreadable).await;
    let mut answer = soap::render_unreadable(unread, &reply);
    answer.status = status.filter(|_| reply.journal_index.is_some()).unwrap_or(answer.status);
    respond(answer, Some(&reply))
}

/// SOAP 1.1 is text/xml; existing clients also send application/xml, or no type at all.
fn is_xml(content_type: Option<&str>) -> bool {
    let kind = content_type.map_or("", |t| t.split(';').next().unwrap_or("")).trim();
    kind.is_empty()
        || kind.eq_ignore_ascii_case("text/xml")
        || kind.eq_ignore_ascii_case("application/xml")
}

fn other_media_type() -> SoapUnreadable {
    let errors = vec![FieldError {
        field: "Content-Type".into(),
        message_vi: "Kiểu nội dung phải là text/xml hoặc application/xml.".into(),
    }];
    let unreadable = Unreadable { errors, ..Unreadable::default() };
    SoapUnreadable { unreadable, operation: None, echo: None }
}

/// Broken off, or slower than any line in use.
fn broken_body() -> SoapUnreadable {
    let [_, title_vi, _] = HttpProblem::BadRequest.texts();
    let errors = vec![FieldError { field: "body".into(), message_vi: title_vi.into() }];
    let unreadable = Unreadable { errors, ..Unreadable::default() };
    SoapUnreadable { unreadable, operation: None, echo: None }
}

/// Nothing is wrong with the caller: nobody can be authenticated at the moment.
fn unavailable() -> Response {
    let reply = dancu_gate::path::unavailable();
    respond(soap::render_unreadable(&broken_body(), &reply), Some(&reply))
}

fn unauthenticated(
    app: &App,
    peer: Peer,
    arrival: Moment,
    failure: AuthFailure,
    cause: Cause,
) -> Response {
    if failure == AuthFailure::Unavailable {
        app.gate.failures.note(arrival, peer.ip(), Cause::Shed);
        return unavailable();
    }
    app.gate.failures.note(arrival, peer.ip(), cause);
    let id = loose_correlation();
    let mut response = respond(soap::unauthenticated(failure.message_vi(), Some(&id)), None);
    for challenge in ["Basic realm=\"dancu\"", "Bearer realm=\"dancu\""] {
        let challenge = HeaderValue::from_static(challenge);
        response.headers_mut().append(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

fn respond(answer: SoapAnswer, reply: Option<&Reply>) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(soap::CONTENT_TYPE));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(reply) = reply {
        reply_headers(&mut response, reply);
    }
    response
}

/// Bodies that cannot be read are told apart by their bytes.
fn raw_digest(body: &[u8]) -> [u8; 16] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body);
    let mut out = [0; 16];
    out.copy_from_slice(&digest.as_ref()[..16]);
    out
}

/// `GET /soap/dancu?wsdl` and `?xsd=name`.
pub async fn get(State(app): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let text = if query.eq_ignore_ascii_case("wsdl") {
        Some(app.documents.wsdl.clone())
    } else {
        query.strip_prefix("xsd=").and_then(soap::schema).map(str::to_owned)
    };
    let Some(text) = text else { return problem(HttpProblem::NotFound) };
    let mut response = Response::new(Body::from(text));
    let kind = HeaderValue::from_static(soap::CONTENT_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
