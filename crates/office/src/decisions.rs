//! The named acts behind locks that stand: who locked, when and why, as the journal keeps it (D6).
//!
//! Acts are found by their kind and system, however much was journaled since.

use std::collections::BTreeMap;

use dancu_domain::ids::{AccountId, SystemId};
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use dancu_domain::registration::{AccountState, ConnectionState, Snapshot};
use dancu_journal::{Act, Body, Entry};
use dancu_store::Store;

use crate::act::{Refused, places};
use crate::locks::{Evidence, LockKey, Standing};

/// Acts that are read at a time: a page of a list needs few of them.
const ACTS_AT_A_TIME: usize = 64;
/// Acts of one kind on one system that are looked through at most (*ours*): some years of them,
/// opened in about a second.
const ACTS_MAX: usize = 4_096;
/// What stands between what was done and why.
const REASONS: [&str; 2] = ["; lý do: ", "; căn cứ: "];

/// What an entry says: what was done, and why where that was told.
#[must_use]
pub fn told(detail: &str) -> (&str, Option<&str>) {
    let found = REASONS.iter().filter_map(|mark| Some((detail.find(mark)?, mark.len())));
    match found.min() {
        Some((at, mark)) => (&detail[..at], Some(&detail[at + mark..])),
        None => (detail, None),
    }
}

/// A named act, with the entry that keeps it. Its debug output tells only where it stands.
#[derive(Clone, PartialEq, Eq)]
pub struct Decision {
    /// Index of the entry.
    pub index: u64,
    /// When.
    pub at: Moment,
    /// What was done, and by whom, as the journal tells it.
    pub act: Act,
}

impl std::fmt::Debug for Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decision({} {})", self.index, self.act.kind)
    }
}

impl Decision {
    /// Of an entry; none where it is no act.
    #[must_use]
    pub fn of(entry: Entry) -> Option<Self> {
        let Body::Act(act) = entry.body else { return None };
        Some(Self { index: entry.index, at: Moment(entry.arrival), act })
    }

    /// Why, where that was told.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        told(&self.act.detail).1
    }

    /// What was done on a system, without the code that stands before it.
    fn what(&self) -> &str {
        let (what, _) = told(&self.act.detail);
        what.split_once(' ').map_or(what, |(_, rest)| rest)
    }

    /// What an account was put into.
    fn account_state(&self, id: AccountId) -> Option<AccountState> {
        let rest = self.what().strip_prefix(&format!("#{} ", id.0))?;
        let state = rest.split(',').next()?;
        AccountState::from_code(state)
    }

    /// Whether it locked a person then: alone, or with an account.
    fn locked_person(&self, id: PersonId, since: Option<Moment>) -> bool {
        let (alone, with) = (format!("#{}", id.0), format!("cổng #{}", id.0));
        let mut parts = told(&self.act.detail).0.split([',', ';']).map(str::trim);
        since == Some(self.at) && parts.any(|part| part == alone || part == with)
    }
}

/// What one look at the acts of a kind wants to know of a lock.
enum Says {
    /// It began the lock: the oldest of the newest that say so.
    Begins,
    /// It changes nothing of it, or is of something else.
    Other,
    /// The thing was open after it: what is older began another lock.
    Ends,
}

/// The act that each lock began with, where one did: a line that locked itself has none, and what
/// nobody can find is left out. Waits for the database.
///
/// # Errors
/// Of the store.
pub fn of_locks(
    store: &Store,
    snapshot: &Snapshot,
    locks: &[Standing],
) -> Result<BTreeMap<LockKey, Decision>, Refused> {
    let mut wanted: BTreeMap<(u32, &str), Vec<&Standing>> = BTreeMap::new();
    for lock in locks {
        for of in sources(snapshot, lock) {
            wanted.entry(of).or_default().push(lock);
        }
    }
    let mut found = BTreeMap::new();
    for (of, locks) in wanted {
        began(store, of, locks, &mut found)?;
    }
    Ok(found)
}

/// The acts among which a lock's beginning stands: kind, and system or 0.
fn sources(snapshot: &Snapshot, lock: &Standing) -> Vec<(u32, &'static str)> {
    let system = lock.system.map_or(0, |id| id.0);
    match &lock.evidence {
        Evidence::Line { .. } => vec![],
        Evidence::Account(_) => vec![(system, "account.state")],
        Evidence::Connection => vec![(system, "system.state")],
        // A person is locked alone, or was with an account that is not locked any more.
        Evidence::Person(login, _) => {
            let folded = login.folded();
            let has = |s: &SystemId| {
                let system = snapshot.by_id(*s);
                system.is_some_and(|s| s.accounts.iter().any(|a| a.login.folded() == folded))
            };
            let with = snapshot.systems().iter().map(|s| s.id).filter(has);
            let with = with.map(|id| (id.0, "account.state"));
            std::iter::once((0, "person.lock")).chain(with).collect()
        }
    }
}

/// Looks through acts from the newest back until the beginning of every lock is known.
fn began(
    store: &Store,
    of: (u32, &str),
    mut locks: Vec<&Standing>,
    found: &mut BTreeMap<LockKey, Decision>,
) -> Result<(), Refused> {
    let (mut before, mut read) = (u64::MAX, 0);
    while !locks.is_empty() && read < ACTS_MAX {
        let acts = store.last_acts(of, before, ACTS_AT_A_TIME)?;
        let Some(last) = acts.last() else { return Ok(()) };
        (before, read) = (last.index, read + acts.len());
        for decision in acts.into_iter().filter_map(Decision::of) {
            locks.retain(|lock| match says(&decision, lock) {
                Says::Begins => {
                    found.insert(lock.key, decision.clone());
                    // A person's lock has its moment: no other act is looked for.
                    !matches!(lock.key, LockKey::Person(_))
                }
                Says::Other => true,
                Says::Ends => false,
            });
        }
    }
    Ok(())
}

fn says(decision: &Decision, lock: &Standing) -> Says {
    let locked = match lock.key {
        LockKey::Account(id) => match decision.account_state(id) {
            None => return Says::Other,
            Some(state) => state == AccountState::Locked,
        },
        LockKey::Connection(_) => decision.what() == ConnectionState::Locked.code(),
        LockKey::Person(id) if decision.locked_person(id, lock.since) => true,
        LockKey::Person(_) | LockKey::Line(_) => return Says::Other,
    };
    if locked { Says::Begins } else { Says::Ends }
}

/// The last act on a line: it was opened after a lock, or raised. Waits for the database.
///
/// # Errors
/// Of the store.
pub fn of_line(
    store: &Store,
    snapshot: &Snapshot,
    lock: &Standing,
) -> Result<Option<Decision>, Refused> {
    let LockKey::Line(id) = lock.key else { return Ok(None) };
    let Some(system) = lock.system.and_then(|id| snapshot.by_id(id)) else { return Ok(None) };
    let Some(place) = places(system).find(|p| p.line.id == id) else { return Ok(None) };
    let code = place.code();
    let is_on = |d: &Decision| d.what() == code || d.what().starts_with(&format!("{code} "));
    let lift = newest(store, (system.id.0, "line.lift"), is_on)?;
    let raise = newest(store, (system.id.0, "line.raise"), is_on)?;
    Ok(lift.into_iter().chain(raise).max_by_key(|decision| decision.index))
}

/// The last act of the centre that set the state of an account, and that state: what the head of
/// its unit reads of a lock. Waits for the database.
///
/// # Errors
/// Of the store.
pub fn of_account(
    store: &Store,
    system: SystemId,
    id: AccountId,
) -> Result<Option<(AccountState, Decision)>, Refused> {
    let is_its = |d: &Decision| d.account_state(id).is_some();
    let found = newest(store, (system.0, "account.state"), is_its)?;
    Ok(found.and_then(|decision| Some((decision.account_state(id)?, decision))))
}

fn newest(
    store: &Store,
    of: (u32, &str),
    is: impl Fn(&Decision) -> bool,
) -> Result<Option<Decision>, Refused> {
    let (mut before, mut read) = (u64::MAX, 0);
    while read < ACTS_MAX {
        let acts = store.last_acts(of, before, ACTS_AT_A_TIME)?;
        let Some(last) = acts.last() else { return Ok(None) };
        (before, read) = (last.index, read + acts.len());
        if let Some(found) = acts.into_iter().filter_map(Decision::of).find(&is) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_begins_at_the_first_mark() {
        assert_eq!(
            told("MAU #1 locked; lý do: A; lý do: B"),
            ("MAU #1 locked", Some("A; lý do: B"))
        );
        assert_eq!(told("mục 3; căn cứ: QĐ 1"), ("mục 3", Some("QĐ 1")));
        assert_eq!(told("từ 192.0.2.1"), ("từ 192.0.2.1", None));
    }

    #[test]
    fn an_act_is_of_the_account_that_it_names_and_of_no_longer_number() {
        let detail = "MAU #1 locked, cổng #12; lý do: #12 revoked".to_owned();
        let act = Act { kind: "account.state".into(), actor: String::new(), system: 1, detail };
        let decision = Decision { index: 0, at: Moment(0), act };
        assert_eq!(decision.account_state(AccountId(1)), Some(AccountState::Locked));
        assert_eq!(decision.account_state(AccountId(12)), None);
        assert_eq!(decision.reason(), Some("#12 revoked"));
    }
}
