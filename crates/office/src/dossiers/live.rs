//! What sets a connection up as its dossier says, changes it, and ends it (B3).

use dancu_domain::dossier::Cause;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::registration::ConnectionState;
use dancu_store::policy::{setup, write};

use super::{At, DossierDesk, Side, Went, only_centre, system_of};
use crate::act::Refused;
use crate::campaigns::Became;

/// Goes live in one transaction: services, lines, fields, procedures and new accounts are
/// registered as the dossier says, and the connection answers from the next question on. A change
/// of a live dossier comes into force the same way.
///
/// # Errors
/// [`Refused::Gone`], [`Refused::Dossier`]; a closed connection stays closed.
pub async fn go_live(desk: &DossierDesk<'_>, at: At) -> Result<Went, Refused> {
    only_centre(desk)?;
    let live = desk.settle(at, "dossier.live", |tx, dossier, inside| {
        let system = system_of(&dossier)?;
        let (after, registration, clearance) = dossier.go_live(inside.mark)?;
        let accounts = setup::register(tx, &inside.keys, system, &registration)?;
        setup::go_live(tx, &inside.keys, system, &clearance)?;
        let campaign = inside.follow(tx, Became::InForce)?;
        let what = format!(
            "{} hệ thống #{}: {} dịch vụ, {} thủ tục, thêm {} tài khoản; duyệt: {}{campaign}",
            registration.code,
            system.0,
            registration.grants.len(),
            registration.procedures.len(),
            accounts.len(),
            clearance.approver()
        );
        Ok((after, what))
    });
    live.await
}

/// Opens a live dossier again while its connection goes on (B4, B9, C2).
///
/// # Errors
/// As [`go_live`]; [`Refused::NoReason`].
pub async fn reopen(
    desk: &DossierDesk<'_>,
    at: At,
    cause: Cause,
    reason: &str,
) -> Result<Went, Refused> {
    if matches!(desk.side, Side::Integrator(_)) {
        return Err(PortalReason::NoPower.into());
    }
    let reason = crate::act::reason(reason)?.to_owned();
    let reopened = desk.step(at, "dossier.reopened", move |dossier, inside| {
        let what = format!("{}; lý do: {reason}", cause.code());
        Ok((dossier.reopen(inside.mark, cause, &reason)?, what))
    });
    reopened.await
}

/// Ends it with its connection, for good.
///
/// # Errors
/// As [`reopen`].
pub async fn close(desk: &DossierDesk<'_>, at: At, reason: &str) -> Result<Went, Refused> {
    let what = format!("lý do: {}", crate::act::reason(reason)?);
    only_centre(desk)?;
    let closed = desk.settle(at, "dossier.closed", move |tx, dossier, inside| {
        let system = system_of(&dossier)?;
        let after = dossier.close(inside.mark)?;
        if write::system_state(tx, system)? != Some(ConnectionState::Closed) {
            write::set_system_state(tx, system, ConnectionState::Closed)?;
        }
        let campaign = inside.follow(tx, Became::Ended)?;
        Ok((after, format!("{what}{campaign}")))
    });
    closed.await
}
