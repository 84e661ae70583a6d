//! States of connections, accounts and people: set, locked at once, unlocked (B3, D6, E3).
//!
//! A registered account and the person of the portal with the same login in the same unit are one
//! officer: what locks the account locks the person and ends the sessions, in the same transaction.

use dancu_domain::ids::{AccountId, Login, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use dancu_domain::people::account::{Causes, Lock, LockCause, Phase};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::registration::{AccountState, ConnectionState};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::people::{self, Person};
use dancu_store::policy;

use crate::act::{Actor, Desk, Done, Entry, Refused, carry_out};
use crate::locks::Word;

/// Sets a connection's state (B3).
///
/// # Errors
/// A closed connection stays closed.
pub async fn connection(desk: &Desk<'_>, state: ConnectionState) -> Result<Done, Refused> {
    let id = desk.system.id;
    let set = desk.carry_out("system.state", move |tx, _| {
        policy::write::set_system_state(tx, id, state)?;
        Ok((state.code().to_owned(), ()))
    });
    Ok(set.await?.0)
}

/// Sets an account's state (E3): its questions are refused from the next one on.
///
/// # Errors
/// A revoked account stays revoked.
pub async fn account(desk: &Desk<'_>, id: AccountId, state: AccountState) -> Result<Done, Refused> {
    let set = desk.carry_out("account.state", move |tx, _| {
        policy::write::set_account_state(tx, id, state)?;
        Ok((account_detail(id, state), ()))
    });
    Ok(set.await?.0)
}

/// As entries tell it, and as evidence is found by it: `#12 Locked`.
fn account_detail(id: AccountId, state: AccountState) -> String {
    format!("#{} {state:?}", id.0)
}

/// Locks a live connection at once (D6). A suspended one is stopped already, and would be live
/// after the lock: it is refused.
///
/// # Errors
/// [`PortalReason::NotInThisState`] where it is not live.
pub async fn lock_connection(desk: &Desk<'_>) -> Result<Done, Refused> {
    let id = desk.system.id;
    let locked = desk.carry_out("system.state", move |tx, _| {
        if policy::write::system_state(tx, id)?.ok_or(Refused::Gone)? != ConnectionState::Live {
            return Err(PortalReason::NotInThisState.into());
        }
        policy::write::set_system_state(tx, id, ConnectionState::Locked)?;
        Ok((ConnectionState::Locked.code().to_owned(), ()))
    });
    Ok(locked.await?.0)
}

/// Ends the lock of a connection.
///
/// # Errors
/// [`Refused::NotLocked`].
pub async fn unlock_connection(desk: &Desk<'_>) -> Result<Done, Refused> {
    let id = desk.system.id;
    let lifted = desk.carry_out("system.state", move |tx, _| {
        if policy::write::system_state(tx, id)? != Some(ConnectionState::Locked) {
            return Err(Refused::NotLocked);
        }
        policy::write::set_system_state(tx, id, ConnectionState::Live)?;
        Ok((ConnectionState::Live.code().to_owned(), ()))
    });
    Ok(lifted.await?.0)
}

/// Locks an account at once, and the officer with it (D6): nothing of theirs is answered any more,
/// and their sessions end. Returns how many sessions died.
///
/// # Errors
/// [`PortalReason::NotInThisState`] where it is locked or revoked already.
pub async fn lock_account(desk: &Desk<'_>, id: AccountId) -> Result<(Done, u32), Refused> {
    let officer = Officer::of(desk, id)?;
    let (keys, by, at) = (desk.store.keys().clone(), desk.actor.clone(), desk.now);
    let locked = desk.carry_out("account.state", move |tx, _| {
        let person = officer.person(tx, &keys)?;
        match policy::write::account_state(tx, id)?.ok_or(Refused::Gone)? {
            AccountState::Live => {}
            // Where nobody remembers the suspension, the end of the lock would end it too.
            AccountState::Suspended if person.is_some() => {}
            _ => return Err(PortalReason::NotInThisState.into()),
        }
        policy::write::set_account_state(tx, id, AccountState::Locked)?;
        let mut ended = 0;
        if let Some(person) = person
            && is_open(&person)
        {
            ended = lock_in(tx, &keys, person, &by, at)?;
        }
        Ok((account_detail(id, AccountState::Locked), ended))
    });
    locked.await
}

/// Ends the lock of an account and of the officer. What else stops the officer stays: the account
/// is then suspended.
///
/// # Errors
/// [`Refused::NotLocked`]; nobody unlocks themselves.
pub async fn unlock_account(desk: &Desk<'_>, id: AccountId) -> Result<Done, Refused> {
    let officer = Officer::of(desk, id)?;
    let (keys, by) = (desk.store.keys().clone(), desk.actor.clone());
    let lifted = desk.carry_out("account.state", move |tx, _| {
        if policy::write::account_state(tx, id)? != Some(AccountState::Locked) {
            return Err(Refused::NotLocked);
        }
        let mut after = AccountState::Live;
        if let Some(person) = officer.person(tx, &keys)? {
            if by.person() == Some(person.id) {
                return Err(PortalReason::OwnRequest.into());
            }
            if is_suspended(&person) {
                after = AccountState::Suspended;
            }
            if crate::locks::of_person(&person).is_some() {
                unlock_in(tx, &keys, person, &by)?;
            }
        }
        policy::write::set_account_state(tx, id, after)?;
        Ok((account_detail(id, after), ()))
    });
    Ok(lifted.await?.0)
}

/// Locks a person of the portal who has no registered account, and ends the sessions. Returns how
/// many died.
///
/// # Errors
/// [`Refused::Gone`] where no such person is there, [`PortalReason::NotInThisState`].
pub async fn lock_person(word: &Word<'_>, login: &Login) -> Result<(Done, u32), Refused> {
    let entry = Entry::new("person.lock", word.actor, None);
    let (keys, login) = (word.store.keys().clone(), login.clone());
    let (by, at, reason) = (word.actor.clone(), word.now, word.reason.to_owned());
    let locked = carry_out((word.store, word.now), entry, move |tx, _| {
        let person = people::by_login(tx, &keys, &login)?.ok_or(Refused::Gone)?;
        let id = person.id;
        let ended = lock_in(tx, &keys, person, &by, at)?;
        Ok((format!("#{}; lý do: {reason}", id.0), ended))
    });
    locked.await
}

/// Ends the lock of a person of the portal.
///
/// # Errors
/// [`Refused::Gone`], [`Refused::NotLocked`]; nobody unlocks themselves.
pub async fn unlock_person(word: &Word<'_>, id: PersonId) -> Result<Done, Refused> {
    let entry = Entry::new("person.unlock", word.actor, None);
    let (keys, by) = (word.store.keys().clone(), word.actor.clone());
    let reason = word.reason.to_owned();
    let lifted = carry_out((word.store, word.now), entry, move |tx, _| {
        let person = people::by_id(tx, &keys, id)?.ok_or(Refused::Gone)?;
        if crate::locks::of_person(&person).is_none() {
            return Err(Refused::NotLocked);
        }
        unlock_in(tx, &keys, person, &by)?;
        Ok((format!("#{}; lý do: {reason}", id.0), ()))
    });
    Ok(lifted.await?.0)
}

fn is_open(person: &Person) -> bool {
    matches!(&person.account.phase, Phase::Open(stops) if stops.lock.is_none())
}

fn is_suspended(person: &Person) -> bool {
    matches!(&person.account.phase, Phase::Open(stops)
        if stops.causes != Causes::default() || stops.idle.is_some())
}

fn lock_in(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    mut person: Person,
    by: &Actor,
    at: Moment,
) -> Result<u32, Refused> {
    let lock = Lock { cause: LockCause::Decision, by: by.person(), at };
    person.account = person.account.lock(lock)?;
    people::save(tx, keys, &person)?;
    Ok(people::end_sessions(tx, person.id)?)
}

/// By a signed-in person: nobody else unlocks somebody of the portal.
fn unlock_in(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    mut person: Person,
    by: &Actor,
) -> Result<(), Refused> {
    let by = by.person().ok_or(PortalReason::NoPower)?;
    person.account = person.account.unlock(by)?;
    Ok(people::save(tx, keys, &person)?)
}

/// Who a registered account belongs to.
struct Officer {
    login: Login,
    unit: UnitCode,
}

impl Officer {
    fn of(desk: &Desk<'_>, id: AccountId) -> Result<Self, Refused> {
        let account = desk.system.accounts.by_id(id).ok_or(Refused::Gone)?;
        Ok(Self { login: account.login.clone(), unit: desk.system.unit.clone() })
    }

    /// The person of the portal with this login in this unit, where there is one.
    fn person(&self, tx: &mut Tx<'_>, keys: &Keyring) -> Result<Option<Person>, Refused> {
        let found = people::by_login(tx, keys, &self.login)?;
        Ok(found.filter(|person| person.unit == self.unit))
    }
}
