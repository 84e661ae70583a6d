//! States of connections, accounts and people: set, locked at once, unlocked (B3, D6, E3).
//!
//! A registered account and the person of the portal with the same login in the same unit are one
//! officer: what stops the account stops the person and ends the sessions, in the same transaction,
//! whoever's word it is. A person goes on only where another account of theirs in the unit does,
//! and never under a lock.
//!
//! **Invariant:** who suspended is kept. The head ends the head's own word, the centre ends both.

mod officer;

use std::sync::Arc;

use dancu_domain::dossier::Mark;
use dancu_domain::ids::{AccountId, Login, SystemId, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::notices::Notice;
use dancu_domain::people::account::{
    Account as Portal, Cause, Lock, LockCause, Phase, RevokeCause,
};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::{MachineTime, PersonId};
use dancu_domain::registration::{AccountState, ConnectionState};
use dancu_store::desks::{self, Sides};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::people::{self, EventKind, Person};
use dancu_store::policy;

use self::officer::Officer;
use crate::act::{Actor, Desk, Done, Entry, Refused, note};
use crate::campaigns::held;
use crate::documents::Issuing;
use crate::locks::Word;
use crate::notices::{answers_for, tell};
use crate::officers::withdrawn;

/// Sets a connection's state (B3).
///
/// # Errors
/// A closed connection stays closed.
pub async fn connection(desk: &Desk<'_>, state: ConnectionState) -> Result<Done, Refused> {
    let id = desk.system.id;
    let stopping = Stopping::of(desk);
    let set = desk.carry_out_with("system.state", move |tx, _| {
        if state != ConnectionState::Closed {
            held(tx, id)?;
        }
        let before = policy::write::system_state(tx, id)?;
        policy::write::set_system_state(tx, id, state)?;
        let told = if before == Some(state) { String::new() } else { stopping.told(tx, state)? };
        Ok((state.code().to_owned(), told, ()))
    });
    Ok(set.await?.0)
}

/// What the unit is given in writing when its connection is stopped (D6).
struct Stopping {
    keys: Arc<Keyring>,
    mark: Mark,
    system: SystemId,
    code: String,
    unit: UnitCode,
    reason: String,
}

impl Stopping {
    fn of(desk: &Desk<'_>) -> Self {
        Self {
            keys: desk.store.keys().clone(),
            mark: Mark { by: desk.actor.number(), at: desk.now },
            system: desk.system.id,
            code: desk.system.code.as_str().to_owned(),
            unit: desk.system.unit.clone(),
            reason: desk.reason.to_owned(),
        }
    }

    /// Issues the notice where this state stops it; gives what the entry says of it.
    fn told(&self, tx: &mut Tx<'_>, state: ConnectionState) -> Result<String, Refused> {
        let (what, ends) = match state {
            ConnectionState::Locked => {
                ("khóa cả kết nối", "khi người có thẩm quyền của Trung tâm mở khóa, có nêu lý do.")
            }
            ConnectionState::Suspended => (
                "tạm ngừng cả kết nối",
                "khi nguyên nhân không còn và Trung tâm cho kết nối trở lại.",
            ),
            _ => return Ok(String::new()),
        };
        let issuing = Issuing { keys: &self.keys, mark: self.mark };
        let why = (self.reason.as_str(), ends);
        issuing.lock(tx, (self.system, &self.unit), (&self.code, what), why)
    }
}

/// Sets an account's state by the centre's word, and the officer's with it (D6, E3): questions are
/// refused from the next one on, sessions end, and of a revocation (`cause`) the operator of the
/// agency's own software is told. `Live` ends the lock and whoever's suspension.
///
/// # Errors
/// A revoked account stays revoked; [`PortalReason::NotInThisState`] where it is stopped like that
/// already.
pub async fn account(
    desk: &Desk<'_>,
    id: AccountId,
    state: AccountState,
    cause: RevokeCause,
) -> Result<Done, Refused> {
    let officer = Officer::of(desk, id)?;
    let set = desk.carry_out("account.state", move |tx, _| {
        let changed = match state {
            AccountState::Live => officer.reopen(tx)?,
            AccountState::Suspended => officer.suspend(tx)?,
            AccountState::Locked => officer.lock(tx)?,
            AccountState::Revoked => officer.revoke(tx, cause)?,
        };
        Ok((changed.detail(id), ()))
    });
    Ok(set.await?.0)
}

/// What ended for the person when an account was locked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ended {
    /// Sessions that died.
    pub sessions: u32,
    /// Whether it was an invitation, which is withdrawn: of who never came nothing is locked.
    pub invitation: bool,
}

/// As entries tell that an invitation ended.
pub const WITHDRAWN: &str = "thu hồi lời mời";
/// As entries tell whose stand-ins ended.
pub const NO_SUBSTITUTE: &str = "thôi thay";

/// Whose stand-ins ended, as entries tell it; none where nobody's did.
pub(crate) fn ended(substitutes: &[PersonId]) -> Option<String> {
    let numbers: Vec<String> = substitutes.iter().map(|p| format!("#{}", p.0)).collect();
    (!numbers.is_empty()).then(|| format!("{NO_SUBSTITUTE}: {}", numbers.join(", ")))
}

/// Locks a live connection at once (D6). A suspended one is stopped already, and would be live
/// after the lock: it is refused.
///
/// # Errors
/// [`PortalReason::NotInThisState`] where it is not live.
pub async fn lock_connection(desk: &Desk<'_>) -> Result<Done, Refused> {
    let (id, system, now) = (desk.system.id, desk.system.code.clone(), desk.now);
    let (keys, to) = (desk.store.keys().clone(), answers_for(desk.system, desk.actor.person()));
    let stopping = Stopping::of(desk);
    let locked = desk.carry_out_with("system.state", move |tx, _| {
        if policy::write::system_state(tx, id)?.ok_or(Refused::Gone)? != ConnectionState::Live {
            return Err(PortalReason::NotInThisState.into());
        }
        policy::write::set_system_state(tx, id, ConnectionState::Locked)?;
        tell(tx, &keys, now, &to, &Notice::Connection { system, locked: true })?;
        let told = stopping.told(tx, ConnectionState::Locked)?;
        Ok((ConnectionState::Locked.code().to_owned(), told, ()))
    });
    Ok(locked.await?.0)
}

/// Ends the lock of a connection.
///
/// # Errors
/// [`Refused::NotLocked`].
pub async fn unlock_connection(desk: &Desk<'_>) -> Result<Done, Refused> {
    let (id, system, now) = (desk.system.id, desk.system.code.clone(), desk.now);
    let (keys, to) = (desk.store.keys().clone(), answers_for(desk.system, desk.actor.person()));
    let lifted = desk.carry_out("system.state", move |tx, _| {
        if policy::write::system_state(tx, id)? != Some(ConnectionState::Locked) {
            return Err(Refused::NotLocked);
        }
        held(tx, id)?;
        policy::write::set_system_state(tx, id, ConnectionState::Live)?;
        tell(tx, &keys, now, &to, &Notice::Connection { system, locked: false })?;
        Ok((ConnectionState::Live.code().to_owned(), ()))
    });
    Ok(lifted.await?.0)
}

/// Locks an account at once, and the officer with it (D6): nothing of theirs is answered any more,
/// and their sessions end; the invitation of who never came is withdrawn. Returns what ended.
///
/// # Errors
/// [`PortalReason::NotInThisState`] where it is locked or revoked already.
pub async fn lock_account(desk: &Desk<'_>, id: AccountId) -> Result<(Done, Ended), Refused> {
    let officer = Officer::of(desk, id)?;
    let locked = desk.carry_out("account.state", move |tx, _| {
        let changed = officer.lock(tx)?;
        Ok((changed.detail(id), changed.ended))
    });
    locked.await
}

/// Ends the lock of an account and of the officer. What else stops them stays: an account that was
/// suspended is suspended again.
///
/// # Errors
/// [`Refused::NotLocked`]; nobody unlocks themselves.
pub async fn unlock_account(desk: &Desk<'_>, id: AccountId) -> Result<Done, Refused> {
    let officer = Officer::of(desk, id)?;
    let lifted =
        desk.carry_out("account.state", move |tx, _| Ok((officer.unlock(tx)?.detail(id), ())));
    Ok(lifted.await?.0)
}

/// Locks a person of the portal who has no registered account, and ends the sessions; withdraws the
/// invitation of who never came, and then no lock stands. Returns what ended.
///
/// # Errors
/// [`Refused::Gone`] where no such person is there, [`PortalReason::NotInThisState`].
pub async fn lock_person(word: &Word<'_>, login: &Login) -> Result<(Done, Ended), Refused> {
    let entry = Entry::new("person.lock", word.actor, None);
    let (keys, login) = (word.store.keys().clone(), login.clone());
    let (by, reason) = (word.actor.clone(), word.reason.to_owned());
    let when = (word.now, word.machine);
    let locked = note((word.store, word.now), entry, move |tx| {
        let person = people::by_login(tx, &keys, &login)?.ok_or(Refused::Gone)?;
        let id = person.id;
        let ended = lock_in(tx, &keys, person, &by, when)?;
        let told = if ended.invitation { format!("{WITHDRAWN}; ") } else { String::new() };
        Ok((format!("#{}; {told}lý do: {reason}", id.0), ended))
    });
    locked.await
}

/// Ends the lock of a person of the portal.
///
/// # Errors
/// [`Refused::Gone`], [`Refused::NotLocked`]; nobody unlocks themselves.
pub async fn unlock_person(word: &Word<'_>, id: PersonId) -> Result<Done, Refused> {
    let entry = Entry::new("person.unlock", word.actor, None);
    let (keys, by, at) = (word.store.keys().clone(), word.actor.clone(), word.now);
    let reason = word.reason.to_owned();
    let lifted = note((word.store, word.now), entry, move |tx| {
        let person = people::by_id(tx, &keys, id)?.ok_or(Refused::Gone)?;
        if crate::locks::of_person(&person).is_none() {
            return Err(Refused::NotLocked);
        }
        let account = person.account.clone().unlock(by.number())?;
        keep(tx, &keys, (person, account), (EventKind::Unlocked, at))?;
        Ok((format!("#{}; lý do: {reason}", id.0), ()))
    });
    Ok(lifted.await?.0)
}

/// What is said of an account's suspension. The centre ends one by putting the account in use
/// again, whoever's it was ([`account`]).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Says {
    /// The head of the unit suspends.
    HeadSuspends,
    /// The head ends the own suspension.
    HeadResumes,
    /// The centre, which is above every head, suspends.
    CentreSuspends,
}

/// Who suspended an account that stands like this. What nobody wrote down was the head's where the
/// officer is suspended by the head, else the centre's: before it was kept, only these two did.
pub(crate) fn suspenders(
    tx: &mut Tx<'_>,
    (id, state): (AccountId, AccountState),
    person: Option<&Person>,
) -> Result<Sides, Refused> {
    let found = desks::suspended_by(tx, id)?;
    if found.any() || state != AccountState::Suspended {
        return Ok(found);
    }
    let head = person.is_some_and(|p| is_suspended(p, Cause::Head));
    Ok(Sides { head, centre: !head })
}

/// Writes down who suspends an account from now on, and its state with it; a lock stays above. How
/// it stands then; none where the word changes nothing, or the account is revoked.
pub(crate) fn suspension(
    tx: &mut Tx<'_>,
    (id, state): (AccountId, AccountState),
    says: Says,
    person: Option<&Person>,
) -> Result<Option<AccountState>, Refused> {
    let before = suspenders(tx, (id, state), person)?;
    let after = match says {
        Says::HeadSuspends => Sides { head: true, ..before },
        Says::HeadResumes => Sides { head: false, ..before },
        Says::CentreSuspends => Sides { centre: true, ..before },
    };
    if after == before || state == AccountState::Revoked {
        return Ok(None);
    }
    desks::set_suspended_by(tx, id, after)?;
    let next = match (state, after.any()) {
        (AccountState::Live, true) => AccountState::Suspended,
        (AccountState::Suspended, false) => AccountState::Live,
        (kept, _) => kept,
    };
    if next != state {
        policy::write::set_account_state(tx, id, next)?;
    }
    Ok(Some(next))
}

fn is_suspended(person: &Person, cause: Cause) -> bool {
    matches!(&person.account.phase, Phase::Open(stops) if stops.causes.contains(cause))
}

/// Locks a person; of who was invited and never came the invitation is withdrawn, with whatever
/// would let them in.
fn lock_in(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    person: Person,
    by: &Actor,
    (at, machine): (Moment, MachineTime),
) -> Result<Ended, Refused> {
    if let Phase::Invited { .. } = person.account.phase {
        let gone = withdrawn(&person, at)?.ok_or(PortalReason::NotInThisState)?;
        return withdraw(tx, keys, gone, (at, machine));
    }
    let lock = Lock { cause: LockCause::Decision, by: by.person(), at };
    let account = person.account.clone().lock(lock)?;
    let sessions = people::end_sessions(tx, keys, person.id, machine)?;
    keep(tx, keys, (person, account), (EventKind::Locked, at))?;
    Ok(Ended { sessions, invitation: false })
}

/// Stores a person whose invitation was withdrawn, with the event, and ends what was begun with it.
fn withdraw(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    gone: Person,
    (at, machine): (Moment, MachineTime),
) -> Result<Ended, Refused> {
    let (id, account) = (gone.id, gone.account.clone());
    let sessions = people::end_sessions(tx, keys, id, machine)?;
    keep(tx, keys, (gone, account), (EventKind::InvitationWithdrawn, at))?;
    Ok(Ended { sessions, invitation: true })
}

/// Stores a person whose account changed, with the event that the person reads.
fn keep(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    (person, account): (Person, Portal),
    (event, at): (EventKind, Moment),
) -> Result<(), Refused> {
    let after = Person { account, ..person };
    people::save(tx, keys, &after)?;
    Ok(people::note_event(tx, keys, after.id, at, event, None, "")?)
}
