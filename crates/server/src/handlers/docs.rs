//! OpenAPI and the readable reference.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;

use super::operations;
use crate::app::Shared;

/// Nothing from third parties, no scripts.
const CSP: &str = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; \
                   base-uri 'none'; frame-ancestors 'none'; form-action 'none'";

/// `GET /openapi.json`.
pub async fn openapi(State(app): State<Shared>) -> Response {
    page("application/json", app.documents.openapi.clone())
}

/// `GET /docs`.
pub async fn reference(State(app): State<Shared>) -> Response {
    page("text/html; charset=utf-8", app.documents.docs.clone())
}

/// `GET /docs/errors`: the catalogue that problems point to.
pub async fn errors(State(app): State<Shared>) -> Response {
    page("text/html; charset=utf-8", app.documents.errors.clone())
}

/// `GET /docs/errors/{code}`: one code of faults, or one rule.
pub async fn error(code: Result<Path<String>, PathRejection>) -> Response {
    match code.ok().and_then(|Path(code)| dancu_wire::rest::error_html(&code)) {
        Some(body) => page("text/html; charset=utf-8", body),
        None => operations::not_found(),
    }
}

/// `GET /docs/style.css`.
pub async fn css() -> Response {
    page("text/css; charset=utf-8", dancu_wire::rest::docs_css().to_owned())
}

fn page(kind: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}
