//! The integrator's desk: credentials of the unit's systems, the debugger, the last calls (C5, J2).
//! The head of the unit and the operators of the centre see the state and may revoke (E3).
//!
//! No page of it shows anything about a citizen (A6): calls are told without whom they were about.

mod calls;
mod change;
mod debug;
mod list;
mod revoke;
mod system;
#[cfg(test)]
mod tests;
mod webhooks;

use std::collections::HashMap;
use std::sync::Arc;

use dancu_domain::credentials::CredentialKind;
use dancu_domain::ids::SystemCode;
use dancu_domain::moment::Moment;
use dancu_domain::pace::PaceState;
use dancu_domain::people::PersonId;
use dancu_domain::people::may::Target;
use dancu_domain::people::powers::Power;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::profile::Pace;
use dancu_domain::registration::{Snapshot, System};
use dancu_office::Actor;
use dancu_office::credentials::Desk;
use dancu_portal::integrator::Tabs;
use parking_lot::Mutex;

use super::signed::Signed;
use super::table::{KEPT_MAX, Table};
use super::{frame, words};
use crate::stop::Stop;

/// How often one person asks the debugger: trying out guesses of a secret is not what it is for.
const DEBUG_PACE: Pace = Pace { burst: 20, per_minute: 30, persons_per_minute: 0 };

/// What this desk holds beside the store: how often who asked the debugger. As many as there are
/// people who may.
#[derive(Default)]
pub struct Kept(Mutex<HashMap<PersonId, PaceState>>);

impl Kept {
    /// Admits a look, or says after how many seconds the next one may come.
    fn admit(&self, person: PersonId, at: Moment) -> Result<(), u32> {
        let mut paces = self.0.lock();
        paces.retain(|known, pace| *known == person || !pace.is_idle(at));
        let admitted = paces.entry(person).or_default().admit(DEBUG_PACE, at, 0);
        admitted.map_err(|refused| refused.retry_after_s.unwrap_or(1))
    }
}

/// Its routes.
pub fn routes(table: Table) -> Table {
    let (see, manage) = (Power::RevokeCredentials, Power::ManageCredentials);
    table
        // For who looks after a connection. Operators come here from the page of a system: their
        // column is full.
        .entry("/integrator", "key-round", "nav-credentials", Power::ManageCredentials)
        .get("/integrator", see, list::show)
        .get("/integrator/{code}", see, system::show)
        .post("/integrator/{code}/secrets", manage, change::issue)
        .get("/integrator/{code}/secrets", see, system::show)
        .post("/integrator/{code}/material", manage, change::material)
        .get("/integrator/{code}/material", see, system::show)
        .post("/integrator/{code}/sources", manage, change::sources)
        .get("/integrator/{code}/sources", see, system::show)
        .get("/integrator/{code}/revoke", see, revoke::ask)
        .post("/integrator/{code}/revoke", see, revoke::revoke)
        .get("/integrator/{code}/debug", Power::DebugCalls, debug::blank)
        // A paste of 64 KiB takes up to three times as much in a form.
        .post_large("/integrator/{code}/debug", Power::DebugCalls, KEPT_MAX, debug::explain)
        .get("/integrator/{code}/calls", Power::DebugCalls, calls::show)
        .get("/integrator/{code}/webhooks", see, webhooks::list)
        .post("/integrator/{code}/webhooks", Power::ManageWebhooks, webhooks::add)
        .get("/integrator/{code}/webhooks/{id}", see, webhooks::show)
        .post("/integrator/{code}/webhooks/{id}", Power::ManageWebhooks, webhooks::act)
}

/// A system that the person may do this to.
#[derive(Clone)]
struct Own {
    snapshot: Arc<Snapshot>,
    system: Arc<System>,
    by: Actor,
}

impl Own {
    /// The system of a code in an address. Systems of other units are told like those that are
    /// not there.
    ///
    /// # Errors
    /// The page that answers instead.
    async fn find(signed: &Signed, code: &str, power: Power) -> Result<Self, Stop> {
        let snapshot = registered(signed).await?;
        let found = SystemCode::parse(code).ok().and_then(|code| snapshot.by_code(&code).cloned());
        let Some(system) = found else { return Err(frame::missing(signed).into()) };
        match may(signed, power, &system) {
            Ok(()) => {}
            Err(PortalReason::FreshMfaNeeded) => {
                return Err(frame::refused(signed, PortalReason::FreshMfaNeeded).into());
            }
            Err(_) => return Err(frame::missing(signed).into()),
        }
        let by = Actor::Person(signed.person.id, signed.person.login.clone());
        Ok(Self { snapshot, system, by })
    }

    /// For the office.
    fn desk<'a>(&'a self, signed: &'a Signed) -> Desk<'a> {
        let store = signed.app.gate.store();
        Desk { store, system: &self.system, now: signed.now, actor: &self.by }
    }

    /// The parts of the desk, as far as the person may use them.
    fn tabs(&self, signed: &Signed) -> Tabs {
        Tabs {
            code: self.system.code.as_str().to_owned(),
            state: words::connection(self.system.state),
            debug: may(signed, Power::DebugCalls, &self.system).is_ok(),
            hooks: signed.portal().webhooks.is_some(),
        }
    }
}

/// Whether the person holds the power for the system's unit.
fn may(signed: &Signed, power: Power, system: &System) -> Result<(), PortalReason> {
    signed.may(power, Target::Unit(std::slice::from_ref(&system.unit))).map(|_| ())
}

/// What is registered now: after an act it is loaded anew.
async fn registered(signed: &Signed) -> Result<Arc<Snapshot>, Stop> {
    match signed.app.gate.reload(signed.now).await {
        Ok(()) => Ok(signed.app.gate.snapshot()),
        Err(error) => Err(words::unread(signed, &error).into()),
    }
}

/// Key of a kind's heading.
const fn head(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Soap => "cred-soap",
        CredentialKind::Client => "cred-client",
        CredentialKind::Key => "cred-key",
        CredentialKind::Certificate => "cred-certificate",
    }
}

/// What a client of this system names itself by.
fn user(system: &System, kind: CredentialKind) -> &str {
    match kind {
        CredentialKind::Soap => system.soap.as_ref().map_or("", |access| &access.user),
        CredentialKind::Client | CredentialKind::Key => {
            system.oauth.as_ref().map_or("", |access| &access.client_id)
        }
        CredentialKind::Certificate => "",
    }
}
