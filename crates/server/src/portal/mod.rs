//! **portal**: the pages of people as routes: cookies, forms, headers, and handlers that fill the
//! pages of `dancu_portal`.
//!
//! A request goes [`table`] → [`guard`] → handler → [`frame`]. The table says who may come in; the
//! guard finds out who it is, refuses, locks, asks for a fresh factor, and checks the token against
//! forged posts; a handler asks what only it can know ([`Signed::may`]) and fills a page.
//!
//! **Invariant:** every route stands in the table, and the router is built from it: none misses its
//! power, its token or its headers.
//!
//! To add a desk: a module with `pub fn routes(table: Table) -> Table`, and its line in
//! [`table()`](self::routes).

mod account;
mod assets;
mod auditor;
mod centre;
mod citizen;
mod cookies;
mod counter;
mod dossiers;
mod entry;
pub mod form;
pub mod frame;
mod gathering;
pub mod guard;
mod head;
mod helped;
mod hours;
mod integrator;
mod kept;
mod line_use;
pub(crate) mod notice_words;
mod notices;
mod oidc;
mod once;
mod operator;
pub(crate) mod pace;
mod paths;
mod plan_view;
mod sandbox;
mod sealed;
pub mod signed;
mod statements;
mod status;
pub mod table;
#[cfg(test)]
mod tests;
pub mod words;

use std::net::IpAddr;
use std::sync::{Arc, OnceLock, Weak};

use anyhow::Context as _;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::Response;
use dancu_access::people::{People, Settings, Site};
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use dancu_domain::webhooks::Policy;
use dancu_gate::path::Cause;
use dancu_portal::error::Wrong;
use dancu_portal::text::Text;
use dancu_store::Store;

use self::table::{Entry, Table};
use crate::app::{App, Shared};
use crate::config::PortalConfig;
use crate::config::dossiers::DossierConfig;
use crate::config::identity::IdentityConfig;
use crate::handlers::{operations, text};
use crate::places::Places;
use crate::proxy::Network;
use crate::telemetry::requests::Routes as _;

/// Threads that check passwords: two take 25 sign-ins a second, and a machine with many cores has
/// questions to answer as well.
const HASHING_THREADS_MAX: usize = 4;
/// Files that are read at a time, of 20 MiB at most and one of a person: heads send one now and
/// then.
const UPLOADS: usize = 8;
/// Citizens whose looks are read at a time: systems read their journals in the same places.
const LOOKS: usize = 2;

/// Reads of acts of the journal that run or wait for one of those places, and those of a person,
/// who may have two windows open.
const ACTS: (usize, usize) = (8, 2);

/// What the portal of this node holds beside the store.
pub struct Portal {
    /// Sign-in, sessions, factors.
    pub people: Arc<People>,
    pub(crate) once: once::Once,
    pub(crate) head: head::Kept,
    pub(crate) live: centre::Kept,
    pub(crate) hours: hours::Hours,
    pub(crate) integrator: integrator::Kept,
    pub(crate) status: status::Kept,
    throttle: pace::Throttle,
    pace: pace::Pace,
    uploads: Places<PersonId>,
    looks: Places<PersonId>,
    acts: Places<PersonId>,
    networks: Vec<Network>,
    help_phone: Option<String>,
    pub(crate) provider: Option<oidc::Provider>,
    pub(crate) dossiers: dossiers::Kept,
    /// Whether this node sends mail.
    pub(crate) mails: bool,
    /// To where systems may be told; none where nothing is sent.
    pub(crate) webhooks: Option<Policy>,
    /// Address that people open, without a slash at its end.
    origin: String,
    entries: Arc<[Entry]>,
    router: OnceLock<Router>,
    app: Arc<OnceLock<Weak<App>>>,
}

impl Portal {
    /// Puts the parts together. `base_url`: as callers reach this centre.
    ///
    /// # Errors
    /// Where the threads of password checks cannot be started, or an address is malformed.
    pub fn open(config: &PortalConfig, store: Arc<Store>, base_url: &str) -> anyhow::Result<Self> {
        let app = Arc::<OnceLock<Weak<App>>>::default();
        let told = app.clone();
        let failed = move |at: Moment, source: IpAddr| {
            if let Some(app) = told.get().and_then(Weak::upgrade) {
                app.gate.failures.note(at, source, Cause::SignIn);
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let origin = config.origin.clone().unwrap_or_else(|| base_url.to_owned());
        let settings = Settings {
            threads: cores.min(HASHING_THREADS_MAX),
            networks: config.unit_networks.clone(),
            site: Site { name: "dancu".into(), origin: origin.clone() },
        };
        let people = People::new(store, settings, failed)
            .context("không mở được phần đăng nhập của cổng (sign-in of the portal)")?;
        Ok(Self {
            people: Arc::new(people),
            once: <_>::default(),
            head: <_>::default(),
            live: <_>::default(),
            hours: <_>::default(),
            integrator: <_>::default(),
            status: <_>::default(),
            throttle: <_>::default(),
            pace: <_>::default(),
            uploads: Places::new(UPLOADS),
            looks: Places::new(LOOKS),
            acts: Places::with_each(ACTS.0, ACTS.1),
            networks: config.unit_networks.clone(),
            help_phone: config.help_phone.clone().filter(|phone| !phone.trim().is_empty()),
            provider: None,
            dossiers: <_>::default(),
            mails: false,
            webhooks: Some(Policy::default()),
            origin,
            entries: table().entries(),
            router: OnceLock::new(),
            app,
        })
    }

    /// Whether this node sends mail: people are told where it does not.
    #[must_use]
    pub fn with_mail(self, mails: bool) -> Self {
        Self { mails, ..self }
    }

    /// To where systems may be told; none: there is no page for it.
    #[must_use]
    pub fn with_webhooks(self, webhooks: Option<Policy>) -> Self {
        Self { webhooks, ..self }
    }

    /// With what is said of files that units bring.
    #[must_use]
    pub fn with_dossiers(self, config: &DossierConfig) -> Self {
        Self { dossiers: dossiers::Kept::of(config), ..self }
    }

    /// Address that people open, without a slash at its end.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Telephone of support, or words for where it is told.
    pub fn help_phone(&self, t: &Text) -> String {
        self.help_phone.clone().unwrap_or_else(|| t.get("shell-no-phone"))
    }

    /// With an identity provider, where one is set up. Nobody is asked yet.
    ///
    /// # Errors
    /// A file that cannot be read or holds no key.
    pub fn with_identity(mut self, config: &IdentityConfig) -> anyhow::Result<Self> {
        self.provider = oidc::Provider::open(config, &self.origin)
            .context("không dùng được nơi định danh điện tử (identity provider)")?;
        Ok(self)
    }
}

/// Every route of the portal; the order is that of the left column.
fn table() -> Table {
    let table = Table::default();
    let table = entry::routes(table);
    let table = oidc::routes(table);
    let table = counter::routes(table);
    let table = operator::routes(table);
    let table = head::routes(table);
    let table = centre::routes(table);
    let table = gathering::routes(table);
    let table = integrator::routes(table);
    let table = dossiers::routes(table);
    let table = sandbox::routes(table);
    let table = auditor::routes(table);
    let table = citizen::routes(table);
    let table = status::routes(table);
    let table = notices::routes(table);
    account::routes(table).with_ways_back()
}

/// The routes of the portal, and its files. `app` is remembered weakly, for what is done between
/// requests.
pub fn routes(app: &Shared) -> Router<Shared> {
    let Some(portal) = &app.portal else { return Router::new() };
    let _ = portal.app.set(Arc::downgrade(app));
    let router = table().into_router().get("/static/{*path}", assets::get);
    let _ = portal.router.set(router.clone().with_state(app.clone()));
    router
}

/// No such path: a page for people, a problem for programs.
pub async fn nowhere(State(app): State<Shared>, request: Request) -> Response {
    wrong(&app, request, Wrong::Missing)
}

/// The path has other methods.
pub async fn no_such_method(State(app): State<Shared>, request: Request) -> Response {
    wrong(&app, request, Wrong::Method)
}

fn wrong(app: &Shared, request: Request, what: Wrong) -> Response {
    let (parts, _) = request.into_parts();
    let for_people =
        text(&parts.headers, header::ACCEPT).is_some_and(|kinds| kinds.contains("text/html"));
    match app.portal.clone().filter(|_| for_people) {
        Some(portal) => {
            let (facts, cookie) = guard::facts(app, portal, &parts);
            guard::finished(frame::error_page(&facts, facts.bare(), what, None), cookie)
        }
        None if what == Wrong::Method => operations::method_not_allowed(),
        None => operations::not_found(),
    }
}
