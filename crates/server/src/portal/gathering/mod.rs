//! Gathering (B8): a focal point sees how far its units are, urges them, takes the summary away
//! and hands it up the line; the centre sees every unit.
//!
//! **Invariant:** whatever stands in an address, only units of a line are read that one of the
//! person's own roles gathers.

mod acts;
mod file;
mod handed;
mod list;
mod rows;
mod unit;

use std::sync::Arc;

use dancu_domain::ids::UnitCode;
use dancu_domain::people::grants::Scope;
use dancu_domain::people::may::Target;
use dancu_domain::people::powers::Power;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::registration::Snapshot;
use dancu_office::gathering::{self as office, GatherDesk, Gathered};
use dancu_office::units::Known;
use dancu_office::{Actor, Refused};
use dancu_store::Store;
use tokio::runtime::Handle;

use super::frame;
use super::operator::actor;
use super::signed::Signed;
use super::table::Table;
use super::words;
use crate::stop::Stop;

/// Its routes. Operators come to it from the units: their column is full.
pub fn routes(table: Table) -> Table {
    let (see, urge, export) = (Power::SeeGathering, Power::UrgeUnits, Power::ExportGathering);
    table
        .entry("/gathering", "chart-column", "nav-gathering", urge)
        .get("/gathering", see, list::show)
        .get("/gathering/export.xlsx", export, file::sheet)
        .get("/gathering/export.pdf", export, file::pdf)
        .post("/gathering/urge", urge, acts::urge)
        .post("/gathering/hand-up", export, acts::hand_up)
        .get("/gathering/handed/{number}", see, handed::show)
        .get("/gathering/handed/{number}/export.xlsx", export, handed::sheet)
        .get("/gathering/handed/{number}/export.pdf", export, handed::pdf)
        .get("/gathering/{unit}", see, unit::show)
}

/// Where the person gathers.
#[derive(Clone)]
struct Here {
    store: Arc<Store>,
    known: Known,
    snapshot: Arc<Snapshot>,
    by: Actor,
    now: dancu_domain::moment::Moment,
    /// The focal point; none: the centre.
    at: Option<UnitCode>,
    /// Every one of the person; one named in the address is among them.
    all: Vec<Option<UnitCode>>,
}

impl Here {
    /// For a power, at the focal point that the address names, or else the first one.
    async fn of(signed: &Signed, power: Power, named: &str) -> Result<Self, Stop> {
        let store = signed.app.gate.store().clone();
        let known = signed.app.units.now(&store, signed.now).await;
        let known = known.map_err(|error| Stop::from(words::unread(signed, &error)))?;
        let roles = power.row().roles;
        let grants = signed.person.grants.on(signed.today());
        let mut all: Vec<Option<UnitCode>> = vec![];
        for grant in grants.filter(|grant| roles.contains(grant.role)) {
            let at = match &grant.scope {
                Scope::All => None,
                // An old code leads to the unit that took over.
                Scope::Unit(unit) | Scope::Below(unit) => match known.tree.resolve(unit) {
                    Some(unit) => Some(unit.code.clone()),
                    None => continue,
                },
                Scope::Person => continue,
            };
            if !all.contains(&at) {
                all.push(at);
            }
        }
        let chosen = match named {
            "" => all.first(),
            code => all.iter().find(|at| at.as_ref().is_some_and(|at| at.as_str() == code)),
        };
        let Some(at) = chosen.cloned() else {
            // A unit that is no more gathers nothing; one of others is not told of.
            let nothing = all.is_empty();
            let stop = if nothing {
                frame::refused(signed, PortalReason::OutsideScope)
            } else {
                frame::missing(signed)
            };
            return Err(stop.into());
        };
        let own = at.iter().cloned().collect::<Vec<_>>();
        let target = if own.is_empty() { Target::Centre } else { Target::Unit(&own) };
        signed.may(power, target).map_err(|reason| frame::refused(signed, reason))?;
        let snapshot = signed.app.gate.snapshot();
        Ok(Self { store, known, snapshot, by: actor(signed), now: signed.now, at, all })
    }

    /// As the office knows it.
    fn desk(&self) -> GatherDesk<'_> {
        GatherDesk {
            store: &self.store,
            now: self.now,
            by: &self.by,
            tree: &self.known.tree,
            snapshot: &self.snapshot,
            at: self.at.as_ref(),
        }
    }

    /// What is gathered, read away from the threads that questions run on.
    async fn gathered(&self, signed: &Signed) -> Result<Arc<Gathered>, Stop> {
        let (here, runtime) = (self.clone(), Handle::current());
        let read = move || runtime.block_on(office::load(&here.desk())).map(Arc::new);
        let Ok(read) = signed.app.reads.long(read).await else {
            return Err(frame::unavailable(signed).into());
        };
        read.map_err(|refused| failed(signed, &refused))
    }

    /// A name for the focal point.
    fn name(&self, signed: &Signed, at: Option<&UnitCode>) -> String {
        match at.and_then(|at| self.known.tree.get(at)) {
            Some(unit) => unit.name().to_owned(),
            None => signed.text().get("gather-centre"),
        }
    }

    /// What an address has to name so that it leads here; empty: nothing.
    fn named(&self) -> &str {
        match (&self.at, self.all.len()) {
            (Some(at), 2..) => at.as_str(),
            _ => "",
        }
    }

    /// The list of this focal point with something behind it: `&page=1`.
    fn list(&self, rest: &str) -> String {
        match self.named() {
            "" => match rest.strip_prefix('&') {
                Some(rest) => format!("/gathering?{rest}"),
                None => "/gathering".to_owned(),
            },
            at => format!("/gathering?at={at}{rest}"),
        }
    }

    /// `?at=…` behind other paths; empty where it is not needed.
    fn query(&self) -> String {
        if self.named().is_empty() { String::new() } else { format!("?at={}", self.named()) }
    }
}

fn failed(signed: &Signed, refused: &Refused) -> Stop {
    words::failed(signed, refused).into()
}
