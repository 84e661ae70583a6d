//! What sets a connection up as its dossier says, changes it, and ends it (B3).

use std::sync::Arc;

use dancu_domain::dossier::{Blocked, Cause, Mark, Registration};
use dancu_domain::ids::{SystemCode, SystemId, UnitCode};
use dancu_domain::people::account::Phase;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::registration::{Account, AccountKind, Channel, ConnectionState, OauthAccess};
use dancu_store::dossiers::{self, Event, Stored};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::people::{self, Person};
use dancu_store::policy::credentials::{self, Earlier};
use dancu_store::policy::{accounts, setup, write};

use super::{
    At, DossierDesk, Side, Went, beyond_group, listed_anew, living, only_centre, system_of,
};
use crate::act::Refused;
use crate::campaigns::{self, Became};
use crate::officers::check::{Names, Wrong};

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
        let (after, registration, clearance) = dossier.go_live(inside.mark, &inside.profile)?;
        no_clash(tx, &inside.keys, (system, after.unit()), &registration)?;
        let (_, told) = living(tx, &inside.keys, inside.mark.at, after.unit())?;
        let group = told.unwrap_or(after.group());
        // A2: the channel that the unit asks for beyond its group's is approved with the dossier.
        let beyond = beyond_group(&after, group, &inside.profile).then_some(after.channel());
        setup::set_access(tx, system, group, beyond)?;
        let accounts = setup::register(tx, &inside.keys, system, &registration)?;
        setup::go_live(tx, &inside.keys, system, &clearance)?;
        ensure_client(tx, &inside.keys, (system, &registration.code), after.channel())?;
        let campaign = inside.follow(tx, &after, Became::InForce)?;
        let what = format!(
            "{} hệ thống #{}: {} dịch vụ, {} thủ tục, thêm {} tài khoản, giữ nguyên {}; duyệt: \
             {}{campaign}",
            registration.code,
            system.0,
            registration.grants.len(),
            registration.procedures.len(),
            accounts.len(),
            registration.accounts.len() - accounts.len(),
            clearance.approver()
        );
        Ok((after, what))
    });
    live.await
}

/// Refuses new rows of the account list that clash with accounts there are (B6, E1); that no two
/// rows clash is found before. A row is named by its number: what it says is personal data.
fn no_clash(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    (system, unit): (SystemId, &UnitCode),
    wanted: &Registration,
) -> Result<(), Refused> {
    let names = Names::of(&accounts::of_system(tx, keys, system)?);
    for (row, (account, ..)) in wanted.accounts.iter().enumerate() {
        let Account { login, kind, officer_code, .. } = account;
        if names.has(login) {
            continue;
        }
        let id = account.citizen_id.filter(|_| *kind == AccountKind::Officer);
        let elsewhere = |p: Person| p.unit != *unit || matches!(p.account.phase, Phase::Revoked(_));
        let taken = names.taken((login, true), id, officer_code.as_ref());
        let wrong = match taken.into_iter().next() {
            Some((_, wrong)) => wrong,
            None if people::by_login(tx, keys, login)?.is_some_and(elsewhere) => {
                Wrong::LoginElsewhere
            }
            None => continue,
        };
        let (vi, en) = wrong.sentence();
        return Err(Refused::Field {
            field: "accounts",
            vi: format!("Dòng {} của danh sách tài khoản: {vi}", row + 1),
            en: format!("Row {} of the account list: {en}", row + 1),
        });
    }
    Ok(())
}

/// Opens a live dossier again while its connection goes on (B4, B9, C2). Papers that a campaign
/// still waits for begin anew with it.
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
    let reopened = desk.look_and_step(at, "dossier.reopened", move |tx, dossier, inside| {
        let owed = campaigns::owed(tx, &inside.keys, &dossier)?;
        let what = format!("{}; lý do: {reason}", cause.code());
        let after = dossier.reopen(inside.mark, cause, &reason)?;
        let after = after.begin_anew(inside.mark, &owed)?;
        Ok((listed_anew(tx, &inside.keys, after, inside.mark)?, what))
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
        let campaign = inside.follow(tx, &after, Became::Ended)?;
        Ok((after, format!("{what}{campaign}")))
    });
    closed.await
}

/// Ends the dossier of a connection that is closed in this transaction by another word, and its
/// part in a campaign, as [`close`] does.
pub(crate) fn close_with(
    tx: &mut Tx<'_>,
    (keys, mark): (&Arc<Keyring>, Mark),
    system: SystemId,
    (actor, reason): (String, &str),
) -> Result<String, Refused> {
    let Some(found) = dossiers::of_system(tx, keys, system)? else { return Ok(String::new()) };
    let Stored { dossier, revision } = found;
    let number = dossier.number();
    let campaign = campaigns::follow(tx, (keys, mark), &dossier, Became::Ended)?;
    // One that was never live by itself is the reviewer's to refuse.
    let Ok(after) = dossier.close(mark) else { return Ok(campaign) };
    let detail = format!("{number} {} {}; lý do: {reason}", after.unit(), after.stage().code());
    dossiers::save(tx, keys, &Stored { dossier: after, revision })?;
    let event = Event { at: mark.at, kind: "dossier.closed".to_owned(), actor, detail };
    dossiers::note_event(tx, keys, number, &event)?;
    Ok(format!("; {number} kết thúc{campaign}"))
}

/// The client of a system of the API, without a secret yet: the unit's integrator makes one (C5).
pub(crate) fn client(code: &SystemCode) -> OauthAccess {
    let client_id = code.as_str().to_ascii_lowercase();
    OauthAccess { client_id, secrets: vec![], public_keys: vec![] }
}

/// Gives a system of the API a client where it has none, whichever way it was registered.
fn ensure_client(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    (system, code): (SystemId, &SystemCode),
    channel: Channel,
) -> Result<(), Refused> {
    if channel != Channel::Api {
        return Ok(());
    }
    let wanted = client(code);
    let used = credentials::names(tx, keys)?;
    let taken = used.clients.get(&wanted.client_id).is_some_and(|owner| *owner != system);
    credentials::change(tx, keys, system, |known| {
        if known.oauth.is_none() {
            if taken {
                return Err(Refused::from(Blocked::CodeTaken));
            }
            known.oauth = Some(wanted);
        }
        Ok((Earlier::Stays, ()))
    })
}
