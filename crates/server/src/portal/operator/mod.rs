//! The operator's desk: systems, exceedances, locks, raises, job plans, announcements (B3, D3,
//! D5, D6, D8, J2).
//!
//! The table asks for the power; whose matter it is - a unit's, or the centre's - is asked here.
//! Everything is carried out by `dancu_office`.

mod appeals;
mod exceedances;
mod lines;
mod locks;
pub mod news;
mod now;
mod plans;
mod raises;
mod statements;
mod systems;

use std::sync::Arc;

use dancu_domain::ids::SystemCode;
use dancu_domain::people::may::Target;
use dancu_domain::people::powers::Power;
use dancu_domain::registration::{Snapshot, System};
use dancu_office::Actor;
use dancu_office::locks::Word;
use dancu_store::Store;

use super::signed::Signed;
use super::table::Table;

/// Routes of the operator's desk.
pub fn routes(table: Table) -> Table {
    table
        .entry("/operate/systems", "server", "nav-systems", Power::ManageSystems)
        .entry("/operate/exceedances", "triangle-alert", "nav-exceedances", Power::ManageSystems)
        .entry("/operate/locks", "lock", "nav-locks", Power::LockAccounts)
        .entry("/operate/raises", "trending-up", "nav-raises", Power::ManageSystems)
        // Operators come to the plans from the raises and to campaigns from the systems: their
        // column is full.
        .entry("/centre/plans", "clock", "nav-plans", Power::ApproveJobPlan)
        .entry("/operate/announcements", "megaphone", "nav-announcements", Power::Announce)
        .get("/operate/systems", Power::ManageSystems, systems::show)
        .get("/operate/systems/{code}", Power::ManageSystems, lines::show)
        .post("/operate/systems/{code}/lock", Power::LockAccounts, now::on_system)
        .get("/operate/systems/{code}/statements", Power::ManageSystems, statements::list)
        .get("/operate/systems/{code}/statements/{file}", Power::ManageSystems, statements::file)
        .get("/operate/exceedances", Power::ManageSystems, exceedances::show)
        .get("/operate/locks", Power::SeeLocks, locks::list)
        .post("/operate/locks/bulk", Power::BulkUnlock, locks::bulk)
        .post("/operate/locks/unlock", Power::Unlock, locks::unlock)
        .post("/operate/locks/account", Power::LockAccounts, now::by_login)
        .post("/unit/appeals", Power::AppealLock, appeals::make)
        .post("/operate/locks/appeals/acknowledge", Power::DecideAppeal, appeals::acknowledge)
        .post("/operate/locks/appeals/keep", Power::DecideAppeal, appeals::keep)
        .get("/operate/locks/{key}", Power::SeeLocks, locks::one)
        .get("/operate/raises", Power::ManageSystems, raises::list)
        .post("/operate/raises/{id}", Power::GrantRaise, raises::decide)
        .get("/centre/plans", Power::AcknowledgeJobPlan, plans::list)
        .get("/centre/plans/{id}", Power::AcknowledgeJobPlan, plans::show)
        .post("/centre/plans/{id}/acknowledge", Power::AcknowledgeJobPlan, plans::acknowledge)
        .post("/centre/plans/{id}/agree", Power::ApproveJobPlan, plans::agree)
        .post("/centre/plans/{id}/refuse", Power::ApproveJobPlan, plans::refuse)
        .post("/centre/plans/{id}/end", Power::ApproveJobPlan, plans::end)
        .get("/operate/announcements", Power::Announce, news::list)
        .post("/operate/announcements", Power::Announce, news::publish)
        .post("/operate/announcements/{id}/end", Power::Announce, news::end)
}

/// The signed-in person as the journal names them.
pub(super) fn actor(signed: &Signed) -> Actor {
    Actor::Person(signed.person.id, signed.person.login.clone())
}

/// The open data.
pub(super) fn store(signed: &Signed) -> &Arc<Store> {
    signed.app.gate.store()
}

/// What is registered now: after an act it is loaded anew.
pub(super) async fn registered(signed: &Signed) -> dancu_store::Result<Arc<Snapshot>> {
    signed.app.gate.reload(signed.now).await?;
    Ok(signed.app.gate.snapshot())
}

/// The system of a code in an address.
fn system<'a>(snapshot: &'a Snapshot, code: &str) -> Option<&'a Arc<System>> {
    SystemCode::parse(code).ok().and_then(|code| snapshot.by_code(&code))
}

/// Whether the person holds the power for this system's unit. The centre's roles reach every unit,
/// so that the units above do not matter here.
fn may_on(signed: &Signed, power: Power, system: &System) -> bool {
    signed.may(power, Target::Unit(std::slice::from_ref(&system.unit))).is_ok()
}

/// Who acts, for the office.
fn word<'a>(
    signed: &'a Signed,
    snapshot: &'a Snapshot,
    actor: &'a Actor,
    reason: &'a str,
) -> Word<'a> {
    let (now, machine) = (signed.now, signed.machine);
    Word { store: store(signed), snapshot, now, machine, actor, reason }
}
