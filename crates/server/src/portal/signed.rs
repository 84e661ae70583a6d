//! Who is behind a request: somebody signed in, or a visitor. The guard finds it out before the
//! handler; the extractors here hand it over.

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;
use dancu_access::people::{Mark, People, Present, Visit};
use dancu_domain::ids::UnitCode;
use dancu_domain::moment::Moment;
use dancu_domain::people::MachineTime;
use dancu_domain::people::grants::Grant;
use dancu_domain::people::may::{self, Actor, Ground, Target};
use dancu_domain::people::powers::Power;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::roles::Class;
use dancu_domain::people::session::Session;
use dancu_domain::registration::{Account, AccountKind, AccountState, ConnectionState, System};
use dancu_office::Refused;
use dancu_portal::shell::{Person as ShellPerson, Shell};
use dancu_portal::text::{Language, Text};
use dancu_store::Store;
use dancu_store::people::Person;
use jiff::civil::Date;

use super::{Portal, frame};
use crate::app::Shared;

/// What every request says, before anybody is known.
#[derive(Clone)]
pub struct Facts {
    /// The running program.
    pub app: Shared,
    pub(super) portal: Arc<Portal>,
    /// Language chosen; Vietnamese until then.
    pub lang: Language,
    /// `light`, `dark`, or empty for what the device prefers.
    pub theme: &'static str,
    /// Token against forged posts, of the session or of the browser.
    pub csrf: String,
    /// Arrival, product's clock.
    pub now: Moment,
    /// Arrival, machine's clock.
    pub machine: MachineTime,
    /// The caller's address.
    pub source: IpAddr,
    /// `User-Agent`.
    pub agent: String,
    /// Path and query of this request.
    pub here: String,
    /// Whether the answer becomes a part of a page.
    pub htmx: bool,
    /// Whether it came over TLS.
    pub secure: bool,
    /// The device's cookie.
    pub(super) device: Option<String>,
    /// The browser's cookie, new where it sent none.
    pub(super) browser: String,
}

impl Facts {
    /// Sign-in, sessions, factors.
    pub fn people(&self) -> &Arc<People> {
        &self.portal.people
    }

    /// What the portal of this node holds.
    pub fn portal(&self) -> &Portal {
        &self.portal
    }

    /// Where the request comes from, for sign-in.
    pub fn visit(&self) -> Visit<'_> {
        Visit {
            source: self.source,
            agent: &self.agent,
            device: self.device.as_deref(),
            browser: &self.browser,
            at: self.now,
            machine: self.machine,
        }
    }

    /// Texts in the language chosen.
    pub fn text(&self) -> Text {
        frame::text(self.lang)
    }

    /// Of a text of the domain in both languages the one that was chosen.
    pub fn say(&self, vi: &'static str, en: &'static str) -> &'static str {
        match self.lang {
            Language::Vietnamese => vi,
            Language::English => en,
        }
    }

    /// The Viet Nam day of the product's clock.
    pub fn today(&self) -> Date {
        self.now.viet_nam_date()
    }

    /// The frame without a person: sign-in, lock, errors.
    pub fn bare(&self) -> Shell {
        frame::shell(self)
    }
}

/// Whoever a page can be framed for.
pub trait Framed: Deref<Target = Facts> {
    /// The frame of a page.
    fn shell(&self) -> Shell;
}

/// Somebody signed in, on a route that asks for it.
#[derive(Clone)]
pub struct Signed {
    facts: Facts,
    pub(super) present: Arc<Present>,
    /// Who.
    pub person: Arc<Person>,
    /// The session as it stands.
    pub session: Session,
    /// The digest of its cookie.
    pub mark: [u8; 32],
    /// Notices that the person has not read.
    pub(super) unread: u32,
    /// What was being typed before the screen locked.
    pub(super) kept: Vec<(String, String)>,
}

impl Deref for Signed {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.facts
    }
}

impl Framed for Signed {
    fn shell(&self) -> Shell {
        Self::shell(self)
    }
}

impl Signed {
    pub(super) fn new(mut facts: Facts, present: Present) -> Self {
        facts.csrf.clone_from(&present.csrf);
        let session = *present.session();
        let Mark(mark) = present.mark;
        let person = present.person.clone();
        Self { facts, present: Arc::new(present), person, session, mark, unread: 0, kept: vec![] }
    }

    /// The frame with the person and the left column.
    pub fn shell(&self) -> Shell {
        let is_citizen = self.session.class == Class::Citizen;
        let unit = if is_citizen { String::new() } else { self.unit_named(&self.person.unit) };
        let unit_href = match () {
            () if self.holds(Power::ManageUnits) => "/centre/units",
            () if self.holds(Power::TellOfUnit) => "/unit",
            () => "",
        };
        let roles = self.person.grants.on(self.today()).map(|grant| {
            let row = grant.role.row();
            self.say(row.name_vi, row.name)
        });
        let mut words: Vec<&str> = vec![];
        for role in roles {
            if !words.contains(&role) {
                words.push(role);
            }
        }
        let (name, roles) = (self.person.name.clone(), words.join(", "));
        let person = ShellPerson { name, roles, unit, unit_href };
        Shell {
            person: Some(person),
            entries: frame::entries(self),
            idle_seconds: frame::idle_seconds(self),
            kept: self.kept.clone(),
            unread: Some(self.unread.into()),
            ..frame::shell(self)
        }
    }

    /// A unit by its name and code.
    pub fn unit_named(&self, code: &UnitCode) -> String {
        self.app.units.named(code.as_str())
    }

    /// Whether a role of today gives the power, wherever it reaches.
    pub fn holds(&self, power: Power) -> bool {
        let roles = power.row().roles;
        self.person.grants.on(self.today()).any(|grant| roles.contains(grant.role))
    }

    /// Reads acts of the journal away from the threads that questions run on, in one of the few
    /// places for long reads.
    ///
    /// # Errors
    /// [`PortalReason::Busy`] where there is no place; of the store.
    pub async fn acts<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Store) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        let _place = self.portal().acts.take(self.person.id).map_err(|_| PortalReason::Busy)?;
        let store = self.app.gate.store().clone();
        let read = self.app.reads.long(move || read(&store)).await;
        read.map_err(|_| PortalReason::Busy)?
    }

    /// The live systems of the person's unit in which an officer's account of the same login is
    /// live today, with it, by the code of the system (A6, B6).
    pub fn listed(&self) -> Vec<(Arc<System>, Account)> {
        let (snapshot, today) = (self.app.gate.snapshot(), self.today());
        let login = self.person.login.folded();
        let mine = |account: &&Account| {
            account.kind == AccountKind::Officer
                && account.state == AccountState::Live
                && account.valid.contains(today)
        };
        let live = |system: &&Arc<System>| {
            system.unit == self.person.unit && system.state == ConnectionState::Live
        };
        let systems = snapshot.systems().iter().filter(live);
        let mut listed: Vec<_> = systems
            .filter_map(|system| {
                let account = system.accounts.find(&login).filter(mine)?.clone();
                Some((system.clone(), account))
            })
            .collect();
        listed.sort_by(|(a, _), (b, _)| a.code.cmp(&b.code));
        listed
    }

    /// Whether the person stands on the account list of the unit (A6).
    pub fn on_account_list(&self) -> bool {
        !self.listed().is_empty()
    }

    /// The person's unit, as a target.
    pub fn own_unit(&self) -> [UnitCode; 1] {
        [self.person.unit.clone()]
    }

    /// Who acts, for [`may::may`].
    pub fn actor<'a>(&'a self, on_list: bool, ground: Option<&'a Ground>) -> Actor<'a> {
        Actor {
            person: self.person.id,
            grants: &self.person.grants,
            on_account_list: on_list,
            fresh: self.is_fresh(),
            ground,
        }
    }

    /// Whether the person may do this, about this, now; the grant that gives it.
    ///
    /// # Errors
    /// The nearest reason.
    pub fn may(&self, power: Power, target: Target<'_>) -> Result<&Grant, PortalReason> {
        may::may(power, &self.actor(self.on_account_list(), None), target, self.today())
    }

    /// The same with the ground that was stated (A6).
    ///
    /// # Errors
    /// The nearest reason.
    pub fn may_with_ground<'a>(
        &'a self,
        power: Power,
        target: Target<'_>,
        ground: &'a Ground,
    ) -> Result<&'a Grant, PortalReason> {
        let actor = self.actor(self.on_account_list(), Some(ground));
        may::may(power, &actor, target, self.today())
    }

    /// Whether a second factor was given within the last 10 minutes (E2).
    pub fn is_fresh(&self) -> bool {
        self.session.is_fresh(self.machine)
    }
}

impl FromRequestParts<Shared> for Signed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Response> {
        // The guard of a route for people puts it there; a public route that asks for it sends
        // its caller to sign in.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| frame::to("/sign-in"))
    }
}

/// Anybody, on a public route.
#[derive(Clone)]
pub struct Visitor {
    facts: Facts,
    /// Who it is, where somebody is signed in and the screen is open.
    pub signed: Option<Signed>,
    /// Whether somebody is signed in whose screen is locked.
    pub(super) locked: bool,
}

impl Deref for Visitor {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.facts
    }
}

impl Framed for Visitor {
    fn shell(&self) -> Shell {
        Self::shell(self)
    }
}

impl Visitor {
    pub(super) fn new(facts: Facts, signed: Option<Signed>) -> Self {
        let facts = signed.as_ref().map_or(facts, |signed| signed.facts.clone());
        Self { facts, signed, locked: false }
    }

    /// The frame, with the person where there is one.
    pub fn shell(&self) -> Shell {
        self.signed.as_ref().map_or_else(|| self.bare(), Signed::shell)
    }
}

impl FromRequestParts<Shared> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Response> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| frame::to("/"))
    }
}
