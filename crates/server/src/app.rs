//! What every handler works with.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dancu_domain::ids::SystemId;
use dancu_gate::Gate;
use dancu_gate::query::CorrelationId;

use crate::clock::Clock;
use crate::handlers::reads::Reads;
use crate::handlers::uploads;
use crate::jobs::Jobs;
use crate::log_key::VerifierKey;
use crate::places::Places;
use crate::portal::Portal;
use crate::readiness::Readiness;
use crate::refused::RefusedSignIns;
use crate::sandbox::Sandbox;
use crate::unit_names::UnitNames;

/// The running program.
pub struct App {
    /// The gate over the store.
    pub gate: Gate,
    /// The product's clock.
    pub clock: Clock,
    /// What systems ask beside their questions.
    pub reads: Reads,
    /// Sign-ins of systems that were refused, for their integrators.
    pub refused: RefusedSignIns,
    /// Files that come in.
    pub uploads: Places<SystemId>,
    /// Jobs that this node runs.
    pub jobs: Jobs,
    /// The pages of people; none where this node serves programs only.
    pub portal: Option<Arc<Portal>>,
    /// What a sandbox has beside a centre; none at a centre.
    pub sandbox: Option<Sandbox>,
    /// Other sandboxes whose reports are believed (B3).
    pub trusted_sandboxes: Vec<VerifierKey>,
    /// Units by name, for pages.
    pub units: UnitNames,
    /// `http://127.0.0.1:8080`, as callers reach it.
    pub base_url: String,
    /// Rendered once: OpenAPI document, its page, WSDL.
    pub documents: Documents,
    /// What was found out about the database while it is served.
    pub readiness: Readiness,
    ready: AtomicBool,
}

/// Texts that do not change while the program runs.
pub struct Documents {
    /// OpenAPI 3.1, JSON.
    pub openapi: String,
    /// The readable reference.
    pub docs: String,
    /// The catalogue of refusals.
    pub errors: String,
    /// WSDL 1.1.
    pub wsdl: String,
}

/// The app as handlers share it.
pub type Shared = Arc<App>;

impl App {
    /// Puts the parts together; not ready yet.
    pub fn new(gate: Gate, clock: Clock, base_url: String) -> Self {
        let openapi = dancu_wire::rest::openapi(&base_url);
        let documents = Documents {
            docs: dancu_wire::rest::docs_html(&openapi),
            errors: dancu_wire::rest::errors_html(),
            wsdl: dancu_wire::soap::wsdl(&base_url),
            openapi,
        };
        gate.store().ledger().measure(crate::clock::steady);
        Self {
            gate,
            clock,
            reads: Reads::default(),
            refused: RefusedSignIns::default(),
            uploads: uploads::places(),
            jobs: Jobs::default(),
            portal: None,
            sandbox: None,
            trusted_sandboxes: vec![],
            units: UnitNames::default(),
            base_url,
            documents,
            readiness: Readiness::default(),
            ready: AtomicBool::new(false),
        }
    }

    /// With the pages of people.
    #[must_use]
    pub fn with_portal(mut self, portal: Option<Portal>) -> Self {
        self.portal = portal.map(Arc::new);
        self
    }

    /// As a sandbox.
    #[must_use]
    pub fn with_sandbox(mut self, sandbox: Sandbox) -> Self {
        self.sandbox = Some(sandbox);
        self
    }

    /// With the keys of sandboxes whose reports are believed.
    #[must_use]
    pub fn trusting(mut self, sandboxes: Vec<VerifierKey>) -> Self {
        self.trusted_sandboxes = sandboxes;
        self
    }

    /// Whether queries are answered.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Says that queries are answered, or not any more.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }
}

/// A correlation id for answers that have no journal entry: it names none.
pub fn loose_correlation() -> CorrelationId {
    let mut id = [0xff; 16];
    // Without randomness the id stays all ones and still names no entry.
    let _ = dancu_store::keys::random(&mut id[8..]);
    CorrelationId(id)
}
