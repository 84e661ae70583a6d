//! What sets a connection up as its dossier says, changes it, and ends it (B3).

use dancu_domain::dossier::{AccountRow, Cause, Registration};
use dancu_domain::ids::{Login, PersonalId, SystemId, UnitCode};
use dancu_domain::people::account::Phase;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::registration::{Account, AccountKind, AccountState, ConnectionState};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::people::{self, Person};
use dancu_store::policy::{accounts, setup, write};
use hashbrown::HashSet;

use super::{At, DossierDesk, Side, Went, beyond_group, living, only_centre, system_of};
use crate::act::Refused;
use crate::campaigns::Became;
use crate::officers::check::Wrong;

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
        no_clash(tx, &inside.keys, (system, after.unit()), &registration)?;
        let (_, told) = living(tx, &inside.keys, inside.mark.at, after.unit())?;
        let group = told.unwrap_or(after.group());
        // A2: the channel that the unit asks for beyond its group's is approved with the dossier.
        let beyond = beyond_group(&after, group, &inside.profile).then_some(after.channel());
        setup::set_access(tx, system, group, beyond)?;
        let accounts = setup::register(tx, &inside.keys, system, &registration)?;
        setup::go_live(tx, &inside.keys, system, &clearance)?;
        let campaign = inside.follow(tx, Became::InForce)?;
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

/// Refuses new rows of the account list that clash with accounts there are (B6, E1). A row is named
/// by its number: what it says is personal data.
fn no_clash(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    (system, unit): (SystemId, &UnitCode),
    wanted: &Registration,
) -> Result<(), Refused> {
    let known = accounts::of_system(tx, keys, system)?;
    let logins: HashSet<String> = known.iter().map(|k| k.account.login.folded()).collect();
    let code = |a: &Account| a.officer_code.as_ref().map(|c| c.as_str().to_lowercase());
    // Who answers for a system account may be an officer too.
    let id = |a: &Account| a.citizen_id.filter(|_| a.kind == AccountKind::Officer);
    let alive = || known.iter().map(|k| &k.account).filter(|a| a.state != AccountState::Revoked);
    let ids: HashSet<PersonalId> = alive().filter_map(id).collect();
    let mut codes: HashSet<String> = alive().filter_map(code).chain(logins.clone()).collect();
    for (row, (account, ..)) in wanted.accounts.iter().enumerate() {
        if logins.contains(&account.login.folded()) {
            continue;
        }
        let elsewhere = |p: Person| p.unit != *unit || matches!(p.account.phase, Phase::Revoked(_));
        let wrong = if id(account).is_some_and(|id| ids.contains(&id)) {
            Wrong::PersonalIdTaken
        } else if code(account).is_some_and(|code| !codes.insert(code)) {
            Wrong::OfficerCodeTaken
        } else if people::by_login(tx, keys, &account.login)?.is_some_and(elsewhere) {
            Wrong::LoginElsewhere
        } else {
            continue;
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
    let reopened = desk.look_and_step(at, "dossier.reopened", move |tx, dossier, inside| {
        let known = accounts::of_system(tx, &inside.keys, system_of(&dossier)?)?;
        let revoked = known.iter().filter(|k| k.account.state == AccountState::Revoked);
        let gone: HashSet<String> = revoked.map(|k| k.account.login.folded()).collect();
        let is_gone = |row: &AccountRow| {
            Login::parse(row.login.trim()).is_ok_and(|l| gone.contains(&l.folded()))
        };
        let what = format!("{}; lý do: {reason}", cause.code());
        let after = dossier.reopen(inside.mark, cause, &reason)?;
        Ok((after.without_accounts(inside.mark, is_gone)?, what))
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
