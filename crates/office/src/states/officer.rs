//! A registered account and the person it belongs to, under the centre's word.

use std::sync::Arc;

use dancu_domain::ids::{AccountId, Login, SystemId, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::people::account::{Cause, RevokeCause};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::{MachineTime, PersonId};
use dancu_domain::registration::{AccountKind, AccountState};
use dancu_store::Error;
use dancu_store::desks::{self, Sides};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::people::{self, EventKind, Person};
use dancu_store::policy;

use super::{
    Ended, Says, WITHDRAWN, ended, is_suspended, keep, lock_in, suspenders, suspension, withdraw,
};
use crate::act::{Actor, Desk, Refused};
use crate::decisions::Did;
use crate::officers::{Told, accounts_of, finish, moved, tell_revoked, withdrawn};

/// What was done to an account, and what became of it and its officer.
pub(super) struct Changed {
    did: Did,
    /// Where the account stands now.
    state: AccountState,
    person: Option<PersonId>,
    /// Whether of a revoked account the person is only suspended.
    suspended: bool,
    pub(super) ended: Ended,
    /// Who stood in for the person and does so no more.
    substitutes: Vec<PersonId>,
}

impl Changed {
    const fn by(did: Did, state: AccountState) -> Self {
        let ended = Ended { sessions: 0, invitation: false };
        Self { did, state, person: None, suspended: false, ended, substitutes: vec![] }
    }

    /// As entries tell it, and as evidence is found by it: `#12 locked`.
    pub(super) fn detail(&self, id: AccountId) -> String {
        let mut parts = vec![format!("#{} {}", id.0, self.did.told(self.state))];
        let suspended = if self.suspended { " suspended" } else { "" };
        parts.extend(self.person.map(|p| format!("cổng #{}{suspended}", p.0)));
        parts.extend(self.ended.invitation.then(|| WITHDRAWN.to_owned()));
        parts.extend(ended(&self.substitutes));
        parts.join(", ")
    }
}

/// A registered account and who it belongs to, for acts of the centre.
pub(super) struct Officer {
    id: AccountId,
    system: SystemId,
    kind: AccountKind,
    login: Login,
    unit: UnitCode,
    keys: Arc<Keyring>,
    by: Actor,
    at: Moment,
    machine: MachineTime,
}

impl Officer {
    pub(super) fn of(desk: &Desk<'_>, id: AccountId) -> Result<Self, Refused> {
        let account = desk.system.accounts.by_id(id).ok_or(Refused::Gone)?;
        Ok(Self {
            id,
            system: desk.system.id,
            kind: account.kind,
            login: account.login.clone(),
            unit: desk.system.unit.clone(),
            keys: desk.store.keys().clone(),
            by: desk.actor.clone(),
            at: desk.now,
            machine: desk.machine,
        })
    }

    fn state(&self, tx: &mut Tx<'_>) -> Result<AccountState, Refused> {
        policy::write::account_state(tx, self.id)?.ok_or(Refused::Gone)
    }

    /// The person of the portal with this login in this unit, where there is one.
    fn person(&self, tx: &mut Tx<'_>) -> Result<Option<Person>, Refused> {
        let found = people::by_login(tx, &self.keys, &self.login)?;
        Ok(found.filter(|person| person.unit == self.unit))
    }

    /// Whether another account of the officer in the unit is in use: then the person goes on.
    fn goes_on(&self, tx: &mut Tx<'_>) -> Result<bool, Refused> {
        self.has_other(tx, |state| state == AccountState::Live)
    }

    fn has_other(
        &self,
        tx: &mut Tx<'_>,
        is: impl Fn(AccountState) -> bool,
    ) -> Result<bool, Refused> {
        let all = accounts_of(tx, &self.keys, &self.unit, &self.login)?;
        Ok(all.iter().any(|(_, k)| k.account.id != self.id && is(k.account.state)))
    }

    fn set(&self, tx: &mut Tx<'_>, state: AccountState) -> Result<(), Refused> {
        Ok(policy::write::set_account_state(tx, self.id, state)?)
    }

    pub(super) fn lock(&self, tx: &mut Tx<'_>) -> Result<Changed, Refused> {
        let (state, person) = (self.state(tx)?, self.person(tx)?);
        if !matches!(state, AccountState::Live | AccountState::Suspended) {
            return Err(PortalReason::NotInThisState.into());
        }
        // Whatever suspends it now does so again after the lock.
        let sides = suspenders(tx, (self.id, state), person.as_ref())?;
        desks::set_suspended_by(tx, self.id, sides)?;
        self.set(tx, AccountState::Locked)?;
        let mut changed = Changed::by(Did::Locked, AccountState::Locked);
        let Some(person) = person else { return Ok(changed) };
        let id = person.id;
        match lock_in(tx, &self.keys, person, &self.by, (self.at, self.machine)) {
            Ok(ended) => (changed.person, changed.ended) = (Some(id), ended),
            // Locked already, revoked, or the invitation is over: nothing of theirs is in use.
            Err(Refused::Reason(PortalReason::NotInThisState)) => {}
            Err(other) => return Err(other),
        }
        Ok(changed)
    }

    pub(super) fn unlock(&self, tx: &mut Tx<'_>) -> Result<Changed, Refused> {
        if self.state(tx)? != AccountState::Locked {
            return Err(Refused::NotLocked);
        }
        let suspended = desks::suspended_by(tx, self.id)?.any();
        let state = if suspended { AccountState::Suspended } else { AccountState::Live };
        let mut changed = Changed::by(Did::Unlocked, state);
        if let Some(person) = self.person(tx)? {
            if self.by.person() == Some(person.id) {
                return Err(PortalReason::OwnRequest.into());
            }
            if crate::locks::of_person(&person).is_some() {
                changed.person = Some(person.id);
                let account = person.account.clone().unlock(self.by.number())?;
                keep(tx, &self.keys, (person, account), (EventKind::Unlocked, self.at))?;
            }
        }
        self.set(tx, state)?;
        Ok(changed)
    }

    pub(super) fn suspend(&self, tx: &mut Tx<'_>) -> Result<Changed, Refused> {
        let (state, person) = (self.state(tx)?, self.person(tx)?);
        let at = (self.id, state);
        let Some(state) = suspension(tx, at, Says::CentreSuspends, person.as_ref())? else {
            return Err(refused(state));
        };
        let mut changed = Changed::by(Did::Suspended, state);
        if let Some(person) = person
            && !self.goes_on(tx)?
        {
            self.stop(tx, person, Cause::Centre, &mut changed)?;
        }
        Ok(changed)
    }

    /// Stops a person of whom no account is in use: an invitation is withdrawn, sessions end.
    /// Whether there was anything to stop.
    fn stop(
        &self,
        tx: &mut Tx<'_>,
        person: Person,
        cause: Cause,
        changed: &mut Changed,
    ) -> Result<bool, Refused> {
        let id = person.id;
        if let Some(gone) = withdrawn(&person, self.at)? {
            changed.ended = withdraw(tx, &self.keys, gone, (self.at, self.machine))?;
        } else if let Some(account) = moved(person.account.clone().suspend(cause))? {
            changed.ended.sessions = people::end_sessions(tx, &self.keys, id, self.machine)?;
            keep(tx, &self.keys, (person, account), (EventKind::Suspended, self.at))?;
        } else {
            return Ok(false);
        }
        changed.person = Some(id);
        Ok(true)
    }

    /// Whose suspension keeps the officer's other accounts from being used, the centre's first;
    /// none where only locks do, and those hold the person already.
    fn holder(&self, tx: &mut Tx<'_>, person: &Person) -> Result<Option<Cause>, Refused> {
        let mut all = Sides::default();
        for (_, listed) in accounts_of(tx, &self.keys, &self.unit, &self.login)? {
            let at = (listed.account.id, listed.account.state);
            if at.0 != self.id && at.1 != AccountState::Revoked {
                let by = suspenders(tx, at, Some(person))?;
                all = Sides { head: all.head || by.head, centre: all.centre || by.centre };
            }
        }
        Ok(match all {
            Sides { centre: true, .. } => Some(Cause::Centre),
            Sides { head: true, .. } => Some(Cause::Head),
            Sides { .. } => None,
        })
    }

    pub(super) fn reopen(&self, tx: &mut Tx<'_>) -> Result<Changed, Refused> {
        let state = self.state(tx)?;
        if state == AccountState::Revoked {
            return Err(refused(state));
        }
        desks::set_suspended_by(tx, self.id, Sides::default())?;
        self.set(tx, AccountState::Live)?;
        let mut changed = Changed::by(Did::Reopened, AccountState::Live);
        let Some(person) = self.person(tx)? else { return Ok(changed) };
        let (by, mut event) = (self.by.number(), None);
        let mut account = person.account.clone();
        if crate::locks::of_person(&person).is_some() {
            account = account.unlock(by)?;
            event = Some(EventKind::Unlocked);
        }
        for cause in [Cause::Centre, Cause::Head] {
            if is_suspended(&person, cause) {
                account = account.resume(cause, by)?;
                event = Some(EventKind::Resumed);
            }
        }
        if let Some(event) = event {
            changed.person = Some(person.id);
            keep(tx, &self.keys, (person, account), (event, self.at))?;
        }
        Ok(changed)
    }

    pub(super) fn revoke(&self, tx: &mut Tx<'_>, cause: RevokeCause) -> Result<Changed, Refused> {
        let (state, person) = (self.state(tx)?, self.person(tx)?);
        let mut changed = Changed::by(Did::Revoked, AccountState::Revoked);
        let number = person.as_ref().map(|p| p.id);
        if state != AccountState::Revoked {
            self.set(tx, AccountState::Revoked)?;
            if self.kind == AccountKind::Officer {
                let told = Told { system: self.system, person: number, login: &self.login };
                tell_revoked(tx, &self.keys, told, (self.by.number(), self.at))?;
            }
        }
        // Revoking is final: a person with an account that may be resumed is not revoked with this,
        // and goes on only where one is in use.
        if let Some(person) = person {
            if !self.has_other(tx, |state| state != AccountState::Revoked)? {
                self.finish(tx, &person, cause, &mut changed)?;
            } else if !self.goes_on(tx)?
                && let Some(held) = self.holder(tx, &person)?
            {
                changed.suspended =
                    self.stop(tx, person, held, &mut changed)? && !changed.ended.invitation;
            }
        }
        if state == AccountState::Revoked && changed.person.is_none() {
            return Err(refused(state));
        }
        Ok(changed)
    }
    /// Revokes the person with the account.
    fn finish(
        &self,
        tx: &mut Tx<'_>,
        person: &Person,
        cause: RevokeCause,
        changed: &mut Changed,
    ) -> Result<(), Refused> {
        let by = self.by.number();
        if let Some(account) = moved(person.account.clone().revoke(cause, by, self.at))? {
            changed.ended.sessions = people::end_sessions(tx, &self.keys, person.id, self.machine)?;
            changed.substitutes = finish(tx, &self.keys, person, (account, self.at))?;
            changed.person = Some(person.id);
        }
        Ok(())
    }
}

/// Why nothing becomes of an account that stands like this.
fn refused(state: AccountState) -> Refused {
    if state == AccountState::Revoked {
        return Refused::Store(Error::Final("tài khoản đã thu hồi (revoked)"));
    }
    PortalReason::NotInThisState.into()
}
