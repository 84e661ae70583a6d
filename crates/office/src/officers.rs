//! Officers of a unit: who has an account, and since when it has none any more (B6, E1-E3).
//!
//! An officer is an account on the list of a system of the unit, and may be a person of the portal
//! with the same login. One act changes both: the registered account, in force for the next
//! question by any channel, and the person, whose sessions and devices end with the new epoch.
//!
//! **Invariant:** nobody is invited while an account of the login is locked or suspended.
//! **Invariant:** an act reaches the systems and the people of one unit, and no people of the
//! centre. **Invariant:** nobody suspends or revokes themselves or the last head of the unit, and
//! no deputy the head.

mod add;
pub mod check;
mod end;
mod import;
mod list;
mod proof;
pub mod sent;
#[cfg(test)]
mod tests;

use std::fmt;

use dancu_domain::ids::{AccountId, Login, SystemId, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::notices::{Audience, Notice};
use dancu_domain::people::account::Standing;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::roles::Role;
use dancu_domain::people::{MachineTime, PersonId};
use dancu_domain::profile::Profile;
use dancu_domain::registration::{AccountKind, AccountState, ConnectionState, Snapshot};
use dancu_store::Store;
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::people::{self, Person};
use dancu_store::policy::accounts::{self, Listed};

pub use add::{Added, New, add, change, invite};
pub use end::{
    CONFIRM_MS, Died, Held, Resumed, Revocation, StateAct, confirm_revocation, open_notices,
    resume, revoke, suspend,
};
pub(crate) use end::{Told, finish, moved, tell_revoked, withdrawn};
pub use import::{Applied, Import, Preview, apply, export, preview};
pub use list::{MEAN_DAYS, Officer, State, list, one, working_days};
pub use proof::{APART_MS, give_password, reenable, train, vouch};

use crate::act::{Actor, Refused};
use crate::states::suspenders;

/// The desk of a unit's head: what each of its acts needs.
#[derive(Clone, Copy)]
pub struct HeadDesk<'a> {
    /// Where.
    pub store: &'a Store,
    /// When, by the product's clock.
    pub now: Moment,
    /// When, by the machine's clock: which sessions are alive.
    pub machine: MachineTime,
    /// Who acts.
    pub by: &'a Actor,
    /// The unit.
    pub unit: &'a UnitCode,
    /// What is registered: which systems are the unit's. Acts look again in their transaction.
    pub snapshot: &'a Snapshot,
}

impl HeadDesk<'_> {
    /// The person who acts: none of these acts is for the command line.
    fn person(&self) -> Result<PersonId, Refused> {
        self.by.person().ok_or(Refused::Reason(PortalReason::NoPower))
    }

    fn profile(&self) -> Profile {
        self.store.profiles().at(self.now).clone()
    }

    fn inside(&self) -> Result<Inside, Refused> {
        Ok(Inside {
            now: self.now,
            machine: self.machine,
            by: self.person()?,
            unit: self.unit.clone(),
            profile: self.profile(),
            keys: self.store.keys().clone(),
        })
    }
}

/// The same inside the transaction, on the writer's thread.
struct Inside {
    now: Moment,
    machine: MachineTime,
    by: PersonId,
    unit: UnitCode,
    profile: Profile,
    keys: std::sync::Arc<Keyring>,
}

/// Which officer: an address of the portal names accounts and persons by number, never by login,
/// which may be a citizen id (B6).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Who {
    /// An account on a list.
    Account(AccountId),
    /// A person of the unit who is on no list.
    Person(PersonId),
}

impl Who {
    /// From `a12` or `p7`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.parse().ok();
        match text.split_at_checked(1)? {
            ("a", rest) => number(rest).map(|n| Self::Account(AccountId(n))),
            ("p", rest) => number(rest).map(|n| Self::Person(PersonId(n))),
            _ => None,
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(id) => write!(f, "a{}", id.0),
            Self::Person(id) => write!(f, "p{}", id.0),
        }
    }
}

/// An officer as a transaction finds them: the accounts of the login in every system of the unit,
/// and the person.
struct Found {
    login: Login,
    accounts: Vec<(SystemId, Listed)>,
    person: Option<Person>,
}

/// Accounts of an officer in every system of a unit, by the systems.
pub(crate) fn accounts_of(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    unit: &UnitCode,
    login: &Login,
) -> Result<Vec<(SystemId, Listed)>, Refused> {
    let mut found = with_login(tx, keys, unit, login)?;
    found.retain(|(_, k)| k.account.kind == AccountKind::Officer);
    Ok(found)
}

/// Accounts of every kind with a login in every system of a unit, by the systems.
fn with_login(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    unit: &UnitCode,
    login: &Login,
) -> Result<Vec<(SystemId, Listed)>, Refused> {
    let folded = login.folded();
    let mut found = vec![];
    for system in accounts::systems_of(tx, unit)? {
        let list = accounts::of_system(tx, keys, system)?;
        let own = list.into_iter().filter(|k| k.account.login.folded() == folded);
        found.extend(own.map(|listed| (system, listed)));
    }
    Ok(found)
}

impl Inside {
    /// Who is meant, if they belong to the unit.
    fn find(&self, tx: &mut Tx<'_>, who: Who) -> Result<Found, Refused> {
        let login = match who {
            Who::Account(id) => {
                let (system, listed) = accounts::by_id(tx, &self.keys, id)?.ok_or(Refused::Gone)?;
                self.system(tx, system)?;
                if listed.account.kind != AccountKind::Officer {
                    return Err(Refused::Gone);
                }
                listed.account.login
            }
            Who::Person(id) => {
                let person = people::by_id(tx, &self.keys, id)?.ok_or(Refused::Gone)?;
                if person.unit != self.unit {
                    return Err(Refused::Gone);
                }
                person.login
            }
        };
        let found = accounts_of(tx, &self.keys, &self.unit, &login)?;
        let person = people::by_login(tx, &self.keys, &login)?.filter(|p| p.unit == self.unit);
        let found = Found { login, accounts: found, person };
        self.only_of_units(&found)?;
        Ok(found)
    }

    /// A system of the unit that is not closed.
    fn system(&self, tx: &mut Tx<'_>, system: SystemId) -> Result<accounts::Owner, Refused> {
        let owner = accounts::owner(tx, system)?.ok_or(Refused::Gone)?;
        if owner.unit != self.unit || owner.state == ConnectionState::Closed {
            return Err(Refused::Gone);
        }
        Ok(owner)
    }

    /// The centre's own people are not a head's to manage.
    fn only_of_units(&self, found: &Found) -> Result<(), Refused> {
        let Some(person) = &found.person else { return Ok(()) };
        if person.grants.are_of_units(self.now.viet_nam_date()) {
            Ok(())
        } else {
            Err(Refused::Reason(PortalReason::OutsideScope))
        }
    }

    /// Tells the other heads of the unit that a list changed (E4).
    fn tell_list(&self, tx: &mut Tx<'_>, owner: &accounts::Owner) -> Result<(), Refused> {
        let to = [Audience::Heads(owner.unit.clone(), Some(self.by))];
        let changed = Notice::ListChanged { system: owner.code.clone() };
        crate::notices::tell(tx, &self.keys, self.now, &to, &changed)
    }

    fn is_head(&self, person: &Person) -> bool {
        person.grants.on(self.now.viet_nam_date()).any(|g| g.role == Role::Head)
    }

    /// Refuses what a deputy does to the head: whoever could give the head a new password or take
    /// the head's factors away could become the head.
    fn may_touch(&self, tx: &mut Tx<'_>, person: &Person) -> Result<(), Refused> {
        if !self.is_head(person) {
            return Ok(());
        }
        let me = people::by_id(tx, &self.keys, self.by)?.ok_or(Refused::Gone)?;
        if self.is_head(&me) { Ok(()) } else { Err(Refused::Reason(PortalReason::NoPower)) }
    }

    /// Refuses an invitation while an account of the login is locked (D6) or suspended: an
    /// invitation knows no such stop itself, so that the person would come in under it. Whatever
    /// the kind of the account: a lock of any takes the person along.
    fn may_invite(
        &self,
        tx: &mut Tx<'_>,
        login: &Login,
        person: Option<&Person>,
    ) -> Result<(), Refused> {
        let mut why = None;
        for (_, Listed { account, .. }) in with_login(tx, &self.keys, &self.unit, login)? {
            if account.state == AccountState::Locked {
                return Err(PortalReason::InviteLocked.into());
            }
            if account.state == AccountState::Suspended {
                let sides = suspenders(tx, (account.id, account.state), person)?;
                let of_unit = PortalReason::InviteSuspended;
                let next = if sides.centre { PortalReason::HeldByCentre } else { of_unit };
                // The centre's is told first: what the unit ends does not end it.
                why = why.filter(|known| *known == PortalReason::HeldByCentre).or(Some(next));
            }
        }
        why.map_or(Ok(()), |why| Err(why.into()))
    }

    /// Refuses what would leave the unit without its head, and what a deputy does to the head.
    fn may_end(&self, tx: &mut Tx<'_>, found: &Found) -> Result<(), Refused> {
        let Some(person) = &found.person else { return Ok(()) };
        if person.id == self.by {
            return Err(oneself());
        }
        self.may_touch(tx, person)?;
        if !self.is_head(person) {
            return Ok(());
        }
        let stands = |p: &Person| p.account.standing(self.now, &self.profile) == Standing::Active;
        let all = people::leaders_of(tx, &self.keys, &self.unit)?;
        let others = all.iter().any(|p| p.id != person.id && self.is_head(p) && stands(p));
        if others { Ok(()) } else { Err(last_head()) }
    }
}

fn oneself() -> Refused {
    Refused::Field {
        field: "act",
        vi: "Không tự tạm ngừng hay thu hồi tài khoản của mình; nhờ thủ trưởng khác của đơn vị \
             hoặc Trung tâm thực hiện."
            .into(),
        en: "Nobody suspends or revokes their own account; another head or the centre does.".into(),
    }
}

fn last_head() -> Refused {
    Refused::Field {
        field: "act",
        vi: "Đây là thủ trưởng duy nhất của đơn vị; cần có thủ trưởng khác đang hoạt động trước \
             khi tạm ngừng hoặc thu hồi."
            .into(),
        en: "This is the only head of the unit; another one must be active first.".into(),
    }
}

fn field(field: &'static str, wrong: &check::Wrong) -> Refused {
    let (vi, en) = wrong.sentence();
    Refused::Field { field, vi, en }
}
