//! `POST /oauth/token`: client credentials (RFC 6749, RFC 7523).

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use dancu_access::AuthFailure;
use dancu_access::client::{ClientProof, JWT_BEARER};
use dancu_gate::path::Cause;
use dancu_wire::rest::{HttpProblem, OauthError, TokenView};

use super::peer::Peer;
use super::{BodyError, problem, read_body, respond, text};
use crate::app::Shared;
use crate::clock::machine_ms;

#[derive(Default)]
struct Form {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_assertion: Option<String>,
    client_assertion_type: Option<String>,
}

/// Issues a token to a client that proves itself; also to systems that are not live, so that the
/// reason can be read.
pub async fn post(
    State(app): State<Shared>,
    peer: Peer,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let arrival = app.clock.now();
    let body = match read_body(body).await {
        Ok(body) => body,
        Err(error) => {
            app.gate.failures.note(arrival, peer.ip(), Cause::Unreadable);
            return problem(match error {
                BodyError::TooLarge => HttpProblem::TooLarge,
                BodyError::Broken => HttpProblem::BadRequest,
            });
        }
    };
    let form = match readable(&headers, &body) {
        Ok(form) => form,
        Err(error) => {
            app.gate.failures.note(arrival, peer.ip(), Cause::Unreadable);
            return respond(error.render());
        }
    };
    let proof = ClientProof {
        authorization: text(&headers, header::AUTHORIZATION),
        client_id: form.client_id.as_deref(),
        client_secret: form.client_secret.as_deref(),
        assertion: form.client_assertion.as_deref(),
        certificate: peer.shown(),
    };
    let audience = [format!("{}/oauth/token", app.base_url), app.base_url.clone()];
    let gate = &app.gate;
    let system = match gate.authenticate_client(&proof, &audience, arrival, machine_ms()).await {
        Ok(system) => system,
        Err(AuthFailure::Unavailable) => {
            gate.failures.note(arrival, peer.ip(), Cause::Shed);
            return problem(HttpProblem::Unavailable);
        }
        Err(_) => {
            gate.failures.note(arrival, peer.ip(), Cause::Client);
            return respond(OauthError::InvalidClient.render());
        }
    };
    if let Err(response) = app.reads.admit(system.id, arrival) {
        return response;
    }
    match gate.issue_token(&system, peer.shown(), peer.ip(), arrival, machine_ms()).await {
        Ok((token, seconds)) => respond(TokenView::bearer(token, seconds).render()),
        Err(error) => {
            tracing::error!(error = %error, "gate.issue_token could not be journaled");
            gate.failures.note(arrival, peer.ip(), Cause::Shed);
            problem(HttpProblem::Unavailable)
        }
    }
}

/// The form of a token request, where it can be read and asks for what is offered.
fn readable(headers: &HeaderMap, body: &[u8]) -> Result<Form, OauthError> {
    let form = is_form(headers).then(|| parse(body)).flatten();
    let form = form.ok_or(OauthError::InvalidRequest)?;
    match form.grant_type.as_deref() {
        Some("client_credentials") => {}
        Some(_) => return Err(OauthError::UnsupportedGrantType),
        None => return Err(OauthError::InvalidRequest),
    }
    let named = form.client_assertion_type.as_deref() == Some(JWT_BEARER);
    if form.client_assertion.is_some() && !named {
        return Err(OauthError::InvalidRequest);
    }
    Ok(form)
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = text(headers, header::CONTENT_TYPE).unwrap_or_default();
    kind.split(';')
        .next()
        .is_some_and(|k| k.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// A doubled or unreadable parameter makes the whole form invalid; unknown ones are ignored.
fn parse(body: &[u8]) -> Option<Form> {
    let mut form = Form::default();
    for pair in body.split(|b| *b == b'&').filter(|p| !p.is_empty()) {
        let at = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
        let name = decoded(&pair[..at])?;
        let value = decoded(pair.get(at + 1..).unwrap_or_default())?;
        let slot = match name.as_str() {
            "grant_type" => &mut form.grant_type,
            "client_id" => &mut form.client_id,
            "client_secret" => &mut form.client_secret,
            "client_assertion" => &mut form.client_assertion,
            "client_assertion_type" => &mut form.client_assertion_type,
            _ => continue,
        };
        if slot.replace(value).is_some() {
            return None;
        }
    }
    Some(form)
}

fn decoded(bytes: &[u8]) -> Option<String> {
    dancu_access::client::form_decoded(std::str::from_utf8(bytes).ok()?)
}
