//! Locks: which stand, what is known of them, and how named persons lift them (D3, D6).

use dancu_domain::ids::{AccountId, LineId, Login, SystemId};
use dancu_domain::lines::{LineDay, LineLock, Lines};
use dancu_domain::moment::Moment;
use dancu_domain::notices::Notice;
use dancu_domain::people::account::{Lock, Phase};
use dancu_domain::people::{MachineTime, PersonId};
use dancu_domain::registration::{AccountState, ConnectionState, Snapshot, System};
use dancu_domain::service::{Service, Window};
use dancu_store::people::Person;
use dancu_store::{Error, Store};

use crate::act::{Actor, Desk, Done, Place, Refused, places};
use crate::{notices, states};

/// What a lock stops, by row id: nothing of a person stands in its text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LockKey {
    /// A line (D3).
    Line(LineId),
    /// A registered account.
    Account(AccountId),
    /// A connection as a whole.
    Connection(SystemId),
    /// A person of the portal without a registered account.
    Person(PersonId),
}

impl LockKey {
    /// As addresses and forms name it: `line-12`.
    #[must_use]
    pub fn code(self) -> String {
        match self {
            Self::Line(id) => format!("line-{}", id.0),
            Self::Account(id) => format!("account-{}", id.0),
            Self::Connection(id) => format!("connection-{}", id.0),
            Self::Person(id) => format!("person-{}", id.0),
        }
    }

    /// From [`LockKey::code`].
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let (kind, number) = code.split_once('-')?;
        let id: u32 = number.parse().ok()?;
        match kind {
            "line" => Some(Self::Line(LineId(id))),
            "account" => Some(Self::Account(AccountId(id))),
            "connection" => Some(Self::Connection(SystemId(id))),
            "person" => Some(Self::Person(PersonId(id))),
            _ => None,
        }
    }
}

/// A lock that stands, with what is known of it.
#[derive(Clone, Debug)]
pub struct Standing {
    /// What it stops.
    pub key: LockKey,
    /// The system it belongs to.
    pub system: Option<SystemId>,
    /// Since when; none where only the journal knows.
    pub since: Option<Moment>,
    /// When it ends by itself.
    pub until: Option<Moment>,
    /// What is known.
    pub evidence: Evidence,
}

/// What is known of a lock.
#[derive(Clone, Debug)]
pub enum Evidence {
    /// The count of a line was exceeded too often (D3).
    Line {
        /// Service.
        service: Service,
        /// Window.
        window: Window,
        /// Count in force, raises included.
        registered: u32,
        /// The line's day.
        day: LineDay,
        /// Whether it stops the whole connection.
        connection: bool,
    },
    /// A registered account was locked by a named act, which the journal holds.
    Account(Login),
    /// A connection was locked by a named act, which the journal holds.
    Connection,
    /// A person's account of the portal was locked.
    Person(Login, Lock),
}

/// The moment that is looked at, with its duty day.
#[derive(Clone, Copy, Debug)]
pub struct Today {
    /// When.
    pub now: Moment,
    /// The duty day then (D1).
    pub day: dancu_domain::moment::DutyDay,
}

impl Today {
    /// Today of the store's profile.
    #[must_use]
    pub fn of(store: &Store, now: Moment) -> Self {
        Self { now, day: store.profiles().at(now).hours.duty(now).day }
    }
}

/// The locks of one system that stand.
#[must_use]
pub fn of_system(system: &System, lines: &Lines, today: Today) -> Vec<Standing> {
    let mut found = vec![];
    let one = |key, evidence| Standing {
        key,
        system: Some(system.id),
        since: None,
        until: None,
        evidence,
    };
    if system.state == ConnectionState::Locked {
        found.push(one(LockKey::Connection(system.id), Evidence::Connection));
    }
    for place in places(system) {
        let Some(lock) = in_force(lines, place.line.id, today.now) else { continue };
        let evidence = Evidence::Line {
            service: place.service,
            window: place.window,
            registered: place.line.limit(today.now).count,
            day: lines.line_day(place.line.id, today.day),
            connection: lock.connection,
        };
        let standing = one(LockKey::Line(place.line.id), evidence);
        found.push(Standing { since: Some(lock.since), until: lock.until, ..standing });
    }
    let locked = system.accounts.iter().filter(|a| a.state == AccountState::Locked);
    found.extend(locked.map(|a| one(LockKey::Account(a.id), Evidence::Account(a.login.clone()))));
    found
}

/// Whether a lock of a system stands, by what is registered now: pages may be a moment behind.
///
/// # Errors
/// Of the store.
pub(crate) async fn stands(store: &Store, key: LockKey, now: Moment) -> Result<bool, Error> {
    Ok(match key {
        LockKey::Line(id) => store.ledger().lines(|lines| in_force(lines, id, now).is_some()),
        LockKey::Account(id) => {
            let found = store.listed_account(id).await?;
            found.is_some_and(|(_, listed)| listed.account.state == AccountState::Locked)
        }
        LockKey::Connection(id) => store.system_state(id).await? == Some(ConnectionState::Locked),
        LockKey::Person(_) => false,
    })
}

/// The lock that a line itself caused, while it stands.
fn in_force(lines: &Lines, line: LineId, now: Moment) -> Option<LineLock> {
    lines.lock(line).filter(|lock| lock.until.is_none_or(|until| now < until))
}

/// The lock of a person of the portal, where there is one.
#[must_use]
pub fn of_person(person: &Person) -> Option<Standing> {
    let Phase::Open(stops) = &person.account.phase else { return None };
    let lock = stops.lock?;
    Some(Standing {
        key: LockKey::Person(person.id),
        system: None,
        since: Some(lock.at),
        until: None,
        evidence: Evidence::Person(person.login.clone(), lock),
    })
}

/// Lifts the lock of a line, and with it a connection's lock that it caused (D3).
///
/// # Errors
/// [`Refused::NotLocked`].
pub async fn lift(desk: &Desk<'_>, place: &Place<'_>) -> Result<Done, Refused> {
    let (id, owner, now) = (place.line.id, desk.system.id, desk.now);
    let day = desk.store.profiles().at(now).hours.duty(now).day;
    let detail = place.code();
    let (keys, line) = (desk.store.keys().clone(), notices::line(desk.system, place));
    let to = notices::answers_for(desk.system, desk.actor.person());
    let lifted = desk.carry_out("line.lift", move |tx, counts| {
        let lines = counts.lines();
        if lines.lock_in_force(owner, id, now).is_none() {
            return Err(Refused::NotLocked);
        }
        lines.lift(owner, id, day, now);
        notices::tell(tx, &keys, now, &to, &Notice::LineLifted { line })?;
        Ok((detail, ()))
    });
    Ok(lifted.await?.0)
}

/// People that one read takes at a time.
const PEOPLE_AT_A_TIME: u32 = 500;

/// Every lock of people of the portal that stands; nobody else's record is opened for it.
///
/// # Errors
/// Of the store.
pub async fn of_people(store: &Store) -> Result<Vec<(Login, Standing)>, Refused> {
    let mut all = vec![];
    let mut after = PersonId(0);
    loop {
        let some = store.people().locked(after, PEOPLE_AT_A_TIME).await?;
        let Some(last) = some.last() else { return Ok(all) };
        after = last.id;
        let found = some.iter().filter_map(|p| Some((p.login.clone(), of_person(p)?)));
        all.extend(found);
    }
}

/// Who unlocks or locks, when and why, whatever it is.
#[derive(Clone, Copy)]
pub struct Word<'a> {
    /// The open data.
    pub store: &'a Store,
    /// What is registered, as it was a moment ago.
    pub snapshot: &'a Snapshot,
    /// The product's time.
    pub now: Moment,
    /// The machine's time: which sessions are alive.
    pub machine: MachineTime,
    /// Who.
    pub actor: &'a Actor,
    /// Why ([`crate::act::reason`]).
    pub reason: &'a str,
}

impl<'a> Word<'a> {
    /// The same about one system.
    #[must_use]
    pub const fn on(&self, system: &'a System) -> Desk<'a> {
        let Self { store, now, machine, actor, reason, .. } = *self;
        Desk { store, system, now, machine, actor, reason }
    }
}

/// Ends one lock by the word of a named person.
///
/// # Errors
/// [`Refused::NotLocked`] where it does not stand any more, [`Refused::Gone`], and nobody unlocks
/// themselves ([`OwnRequest`](dancu_domain::people::reasons::PortalReason::OwnRequest)).
pub async fn unlock(word: &Word<'_>, key: LockKey) -> Result<Done, Refused> {
    let systems = word.snapshot.systems();
    match key {
        LockKey::Line(id) => {
            let found = systems
                .iter()
                .find_map(|s| places(s).find(|p| p.line.id == id).map(|place| (s, place)));
            let (system, place) = found.ok_or(Refused::Gone)?;
            lift(&word.on(system), &place).await
        }
        LockKey::Connection(id) => {
            let system = word.snapshot.by_id(id).ok_or(Refused::Gone)?;
            states::unlock_connection(&word.on(system)).await
        }
        LockKey::Account(id) => {
            let system = systems.iter().find(|s| s.accounts.by_id(id).is_some());
            let system = system.ok_or(Refused::Gone)?;
            states::unlock_account(&word.on(system), id).await
        }
        LockKey::Person(id) => states::unlock_person(word, id).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        let keys = [
            LockKey::Line(LineId(1)),
            LockKey::Account(AccountId(u32::MAX)),
            LockKey::Connection(SystemId(3)),
            LockKey::Person(PersonId(0)),
        ];
        for key in keys {
            assert_eq!(LockKey::parse(&key.code()), Some(key));
        }
        for wrong in ["", "line", "line-", "line--1", "line-4294967296", "lines-1", "line-1-2"] {
            assert_eq!(LockKey::parse(wrong), None, "{wrong}");
        }
    }
}
