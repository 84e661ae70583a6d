//! Every route, grouped by caller. Nothing is decided here or in a layer; each route is measured
//! under its own path ([`Routes`]).

use axum::Router;

use crate::app::Shared;
use crate::handlers::{
    accounts, batches, docs, lgsp, lists, oauth, operations, own, rest, sandbox, soap, statements,
};
use crate::portal;
use crate::telemetry::requests::Routes as _;

/// All routes of the centre.
pub fn router(app: Shared) -> Router {
    let mut router = Router::new()
        // Connected systems, SOAP 1.1 (wire-formats).
        .post("/soap/dancu", soap::post)
        .get("/soap/dancu", soap::get)
        // Connected systems, REST.
        .post("/oauth/token", oauth::post)
        .post("/api/v1/citizens/verify", rest::verify)
        .post("/api/v1/citizens/lookup", rest::lookup)
        .post("/api/v1/households/lookup", rest::household)
        .post("/api/v1/relations/verify", rest::relation)
        // Connected systems, lists and batches inside a plan.
        .post("/api/v1/lists", lists::submit)
        .post("/api/v1/batches", batches::submit)
        .get("/api/v1/batches", batches::list)
        .get("/api/v1/batches/{id}", batches::status)
        .delete("/api/v1/batches/{id}", batches::cancel)
        .get("/api/v1/batches/{id}/results", batches::results)
        .get("/api/v1/batches/{id}/results.csv", batches::results_csv)
        .get("/api/v1/batches/{id}/results.ndjson", batches::results_ndjson)
        .get("/api/v1/batches/{id}/errors", batches::errors)
        // Connected systems, JSON of provincial platforms.
        .post("/lgsp/v1/{operation}", lgsp::post)
        // Connected systems: their own account list, use, refusals, journal.
        .put("/api/v1/accounts", accounts::put)
        .get("/api/v1/accounts/changes/{id}", accounts::changes)
        .get("/api/v1/usage", own::usage)
        .get("/api/v1/refusals/{correlation_id}", own::refusal)
        .get("/api/v1/journal", own::journal)
        // Connected systems: what the centre confirms that it gave them (A7).
        .get("/api/v1/statements", statements::list)
        .get("/api/v1/statements/{month}", statements::document)
        .get("/api/v1/statements/{month}/note", statements::note)
        // Integrators, anybody.
        .get("/openapi.json", docs::openapi)
        .get("/docs", docs::reference)
        .get("/docs/errors", docs::errors)
        .get("/docs/errors/{code}", docs::error)
        .get("/docs/style.css", docs::css)
        // Whoever checks what the log's key signed.
        .get("/log/key", statements::key)
        // Operations.
        .get("/healthz", operations::health)
        .get("/readyz", operations::ready)
        .get("/metrics", operations::metrics);
    if app.clock.is_sandbox() {
        router = router
            .put("/sandbox/clock", sandbox::put_clock)
            .get("/sandbox/personas.json", sandbox::personas)
            .get("/sandbox/conformance", sandbox::conformance)
            .post("/sandbox/conformance", sandbox::begin_conformance);
    }
    // People: pages, from a table of their own (portal::table).
    router
        .merge(portal::routes(&app))
        .nowhere(portal::nowhere)
        .no_such_method(portal::no_such_method)
        .with_state(app)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_route_is_measured() {
        let source = include_str!("routes.rs");
        for unmeasured in [[".rou", "te("], [".fall", "back("], [".ne", "st("]] {
            assert!(!source.contains(&unmeasured.concat()), "use the methods of Routes");
        }
    }
}
