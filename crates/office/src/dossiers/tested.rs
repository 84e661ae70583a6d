//! The sandbox step, closed by the signed report of a conformance run (B3): handed in by the unit
//! or the centre, or by the sandbox itself where it is the same program.

use dancu_domain::dossier::{DossierNumber, Proven, Stage, Step};
use dancu_domain::moment::Moment;
use dancu_domain::registration::System;
use dancu_store::Store;

use super::{At, DossierDesk, Side, Went};
use crate::act::{Actor, Refused};
use crate::sandbox;

/// Hands a report in: it closes the step, or is refused and changes nothing.
///
/// # Errors
/// [`Refused::Gone`], [`Refused::Dossier`] as
/// [`tested`](dancu_domain::dossier::Dossier::tested) says.
pub async fn hand_in(desk: &DossierDesk<'_>, at: At, proven: Proven) -> Result<Went, Refused> {
    let handed = desk.step(at, "dossier.stepDone", move |dossier, inside| {
        let after = dossier.tested(inside.mark, &proven, &inside.profile)?;
        let (step, run) = (Step::Sandbox.code(), &proven.report.run);
        let Proven { sha256, signer, .. } = &proven;
        Ok((after, format!("{step}: {run}, SHA-256 {sha256}, khóa {signer}")))
    });
    handed.await
}

/// Hands in what a test system has just passed, for whom it was made: to the unit's dossier about
/// that system which has been received and whose step is open. None where there is no such dossier.
///
/// # Errors
/// As [`hand_in`].
pub async fn of_tenant(
    (store, now): (&Store, Moment),
    tenant: &System,
    proven: Proven,
) -> Result<Option<DossierNumber>, Refused> {
    let Some(owner) = sandbox::owner(&tenant.code) else { return Ok(None) };
    let Some(person) = store.people().person_by_id(owner).await? else { return Ok(None) };
    let dossiers = store.dossiers();
    for row in dossiers.of_unit(&tenant.unit, DossierNumber(u32::MAX)).await? {
        if row.code.trim() != proven.report.for_system {
            continue;
        }
        let Some(found) = dossiers.by_number(row.number).await? else { continue };
        let dossier = &found.dossier;
        if *dossier.stage() != Stage::Accepted || dossier.closing(Step::Sandbox).is_some() {
            continue;
        }
        let by = Actor::Person(person.id, person.login.clone());
        let side = Side::Integrator(&tenant.unit);
        let desk = DossierDesk { store, now, by: &by, side };
        let at = At { number: row.number, revision: found.revision };
        hand_in(&desk, at, proven).await?;
        return Ok(Some(row.number));
    }
    Ok(None)
}
