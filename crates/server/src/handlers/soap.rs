//! SOAP 1.1 at /soap/dancu: existing clients are served unchanged (H1).

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::{ConnectInfo, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use bytes::Bytes;
use dancu_access::AuthFailure;
use dancu_access::soap::{SoapHeaders, SoapProof};
use dancu_domain::moment::Moment;
use dancu_domain::refusal::Reason;
use dancu_domain::registration::Channel;
use dancu_gate::path::{Cause, Protocol};
use dancu_gate::query::{FieldError, Reply, Unreadable};
use dancu_gate::{Caller, UsedHeader};
use dancu_wire::rest::HttpProblem;
use dancu_wire::soap::{self, SoapAnswer, SoapUnreadable};

use super::{BodyError, problem, read_body, reply_headers, text};
use crate::app::{App, Shared, loose_correlation};
use crate::clock::machine_ms;

/// `POST /soap/dancu`.
pub async fn post(
    State(app): State<Shared>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let arrival = app.clock.now();
    let parts = SoapHeaders {
        timestamp: text(&headers, "timestamp"),
        authorization: text(&headers, header::AUTHORIZATION),
        x_road_client: text(&headers, "x-road-client"),
        path: uri.path(),
    };
    let machine_now = machine_ms();
    let proof = match app.gate.authenticate_soap(&parts, arrival, machine_now).await {
        Ok(proof) => proof,
        Err(failure) => return unauthenticated(&app, peer, arrival, failure),
    };
    let content_type = text(&headers, header::CONTENT_TYPE);
    let request = Request { peer, arrival, proof, machine_now };
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
        Err(failure) => unauthenticated(&app, peer, arrival, failure),
    }
}

struct Request {
    peer: SocketAddr,
    arrival: Moment,
    proof: SoapProof,
    machine_now: i64,
}

impl Request {
    /// The caller with the header that this body used up; `None` where no body was read.
    fn caller(&self, header: Option<UsedHeader>) -> Caller {
        Caller {
            system: self.proof.system.id,
            protocol: Protocol::Soap,
            channel: Channel::Api,
            source: self.peer.ip(),
            arrival: self.arrival,
            credential_version: self.proof.system.credential_version,
            header,
        }
    }

    /// A used triple with another body is refused as not authenticated.
    fn use_header(&self, app: &App, body: [u8; 16]) -> Result<UsedHeader, AuthFailure> {
        app.gate.use_header(&self.proof, body, self.peer.ip(), self.machine_now)
    }
}

async fn answer(
    app: &App,
    request: &Request,
    content_type: Option<&str>,
    body: &Bytes,
) -> Result<(SoapAnswer, Reply), AuthFailure> {
    let system = &request.proof.system;
    let logins = app.gate.store().profiles().at(request.arrival).accounts.logins();
    let reading = soap::Reading { today: request.arrival.viet_nam_date(), logins };
    Ok(match soap::parse(body, content_type, system, reading) {
        Ok(call) => {
            let used = request.use_header(app, call.query.body)?;
            let reply = app.gate.ask(&request.caller(Some(used)), &call.query).await;
            (soap::render(&call, system, &reply), reply)
        }
        Err(unread) => {
            let used = request.use_header(app, raw_digest(body))?;
            let caller = request.caller(Some(used));
            let reply = app.gate.refuse_unreadable(&caller, &unread.unreadable).await;
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
    let reply = Reply {
        correlation: loose_correlation(),
        journal_index: None,
        usage: None,
        result: Err(Reason::CannotJournal.into()),
    };
    respond(soap::render_unreadable(&broken_body(), &reply), Some(&reply))
}

fn unauthenticated(app: &App, peer: SocketAddr, arrival: Moment, failure: AuthFailure) -> Response {
    if failure == AuthFailure::Unavailable {
        return unavailable();
    }
    app.gate.failures.note(arrival, peer.ip(), Cause::of(failure, true));
    let id = loose_correlation();
    let mut response = respond(soap::unauthenticated(failure.message_vi(), Some(&id)), None);
    let challenge = HeaderValue::from_static("Basic realm=\"dancu\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
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
