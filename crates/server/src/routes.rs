//! Every route, grouped by caller. Nothing is decided here or in a layer.

use axum::Router;
use axum::routing::{get, post, put};

use crate::app::Shared;
use crate::handlers::{docs, oauth, operations, own, rest, sandbox, soap};

/// All routes of the centre.
pub fn router(app: Shared) -> Router {
    let mut router = Router::new()
        // Connected systems, SOAP 1.1 (wire-formats).
        .route("/soap/dancu", post(soap::post).get(soap::get))
        // Connected systems, REST.
        .route("/oauth/token", post(oauth::post))
        .route("/api/v1/citizens/verify", post(rest::verify))
        .route("/api/v1/citizens/lookup", post(rest::lookup))
        .route("/api/v1/households/lookup", post(rest::household))
        .route("/api/v1/relations/verify", post(rest::relation))
        .route("/api/v1/usage", get(own::usage))
        .route("/api/v1/refusals/{correlation_id}", get(own::refusal))
        .route("/api/v1/journal", get(own::journal))
        // Integrators, anybody.
        .route("/openapi.json", get(docs::openapi))
        .route("/docs", get(docs::reference))
        .route("/docs/errors", get(docs::errors))
        .route("/docs/style.css", get(docs::css))
        // Operations.
        .route("/healthz", get(operations::health))
        .route("/readyz", get(operations::ready))
        .route("/metrics", get(operations::metrics));
    if app.clock.is_sandbox() {
        router = router.route("/sandbox/clock", put(sandbox::put_clock));
    }
    router
        .fallback(operations::not_found)
        .method_not_allowed_fallback(operations::method_not_allowed)
        .with_state(app)
}
