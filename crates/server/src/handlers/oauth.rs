//! `POST /oauth/token`: client credentials (RFC 6749, RFC 7523).

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use dancu_access::client::{ClientProof, Grant, WrongGrant};
use dancu_access::{Arrival, AuthFailure};
use dancu_domain::moment::Moment;
use dancu_gate::path::Cause;
use dancu_wire::rest::{HttpProblem, OauthError, TokenView};

use super::peer::Peer;
use super::{BodyError, problem, read_body, respond, text};
use crate::app::{App, Shared};
use crate::clock::machine_ms;
use crate::refused::{By, SignIn};

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
    let audience = audience(&app);
    let gate = &app.gate;
    let came = Arrival { source: peer.ip(), at: arrival, machine: machine_ms() };
    let client = match gate.authenticate_client(&proof, &audience, &came).await {
        Ok(client) => client,
        Err(failure) => {
            app.refused.note(gate, &SignIn { by: By::Client(&proof), failure }, &came);
            return refused(&app, peer, arrival, failure);
        }
    };
    // Before its assertion is used up: after a pause the same one gives the token.
    if let Err(response) = app.reads.admit(client.system.id, arrival) {
        return response;
    }
    match gate.issue_token(&client, peer.shown(), peer.ip(), arrival, machine_ms()).await {
        Ok((token, seconds)) => respond(TokenView::bearer(token, seconds).render()),
        Err(failure) => {
            app.refused.note(gate, &SignIn { by: By::Client(&proof), failure }, &came);
            refused(&app, peer, arrival, failure)
        }
    }
}

/// URLs of the token endpoint that an assertion may be made for.
pub fn audience(app: &App) -> [String; 2] {
    [format!("{}/oauth/token", app.base_url), app.base_url.clone()]
}

/// No token: the client has proved nothing, or nothing can be journaled.
fn refused(app: &App, peer: Peer, arrival: Moment, failure: AuthFailure) -> Response {
    let failures = &app.gate.failures;
    if failure == AuthFailure::Unavailable {
        failures.note(arrival, peer.ip(), Cause::Shed);
        return problem(HttpProblem::Unavailable);
    }
    failures.note(arrival, peer.ip(), Cause::Client);
    respond(OauthError::InvalidClient.render())
}

/// The form of a token request, where it can be read and asks for what is offered.
fn readable(headers: &HeaderMap, body: &[u8]) -> Result<Form, OauthError> {
    let form = is_form(headers).then(|| parse(body)).flatten();
    let form = form.ok_or(OauthError::InvalidRequest)?;
    let grant = Grant {
        grant_type: form.grant_type.as_deref(),
        by_assertion: form.client_assertion.is_some(),
        assertion_type: form.client_assertion_type.as_deref(),
    };
    match grant.check() {
        Ok(()) => Ok(form),
        Err(WrongGrant::Unsupported) => Err(OauthError::UnsupportedGrantType),
        Err(WrongGrant::Missing | WrongGrant::AssertionType) => Err(OauthError::InvalidRequest),
    }
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
