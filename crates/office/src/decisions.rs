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
use crate::documents;
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

/// What the centre does to an account, as entries tell it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Did {
    /// In use again, whatever stopped it.
    Reopened,
    /// Suspended.
    Suspended,
    /// Locked (D6).
    Locked,
    /// The lock ended: what else stops the account stays.
    Unlocked,
    /// Revoked for good (E3).
    Revoked,
}

impl Did {
    /// Everything.
    pub const ALL: [Self; 5] =
        [Self::Reopened, Self::Suspended, Self::Locked, Self::Unlocked, Self::Revoked];

    /// The word in entries: that of the state it leads to, where it always leads to one.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unlocked => "unlocked",
            Self::Reopened => AccountState::Live.code(),
            Self::Suspended => AccountState::Suspended.code(),
            Self::Locked => AccountState::Locked.code(),
            Self::Revoked => AccountState::Revoked.code(),
        }
    }

    /// With the state of the account then, where the word does not tell it: `suspended (locked)`.
    pub(crate) fn told(self, state: AccountState) -> String {
        if self.code() == state.code() {
            return self.code().to_owned();
        }
        format!("{} ({})", self.code(), state.code())
    }

    /// From what an entry tells. Entries of before hold the state only, the oldest as `Locked`.
    fn read(text: &str) -> Option<(Self, AccountState)> {
        let (word, beside) = text.split_once(' ').unwrap_or((text, ""));
        let did = Self::ALL.into_iter().find(|did| did.code().eq_ignore_ascii_case(word))?;
        let beside = beside.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        Some((did, AccountState::from_code(beside.unwrap_or(did.code()))?))
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
        told(&self.act.detail).1.map(documents::before)
    }

    /// What was done on a system, without the code that stands before it.
    fn what(&self) -> &str {
        let (what, _) = told(&self.act.detail);
        what.split_once(' ').map_or(what, |(_, rest)| rest)
    }

    /// What was done to an account, and how it stood then.
    fn on_account(&self, id: AccountId) -> Option<(Did, AccountState)> {
        let rest = self.what().strip_prefix(&format!("#{} ", id.0))?;
        Did::read(rest.split(',').next()?)
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
    /// It began the lock.
    Began,
    /// It put it under a lock, perhaps once more: the oldest of the newest that say so began it.
    Locked,
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
            let all = snapshot.systems().iter();
            let with = all.filter(|s| s.accounts.by_login(login).is_some());
            let with = with.map(|s| (s.id.0, "account.state"));
            std::iter::once((0, "person.lock")).chain(with).collect()
        }
    }
}

/// Looks through acts until the beginning of every lock is known.
fn began(
    store: &Store,
    of: (u32, &str),
    mut locks: Vec<&Standing>,
    found: &mut BTreeMap<LockKey, Decision>,
) -> Result<(), Refused> {
    look_back(store, of, ACTS_MAX, |decision| {
        locks.retain(|lock| {
            let says = says(decision, lock);
            if matches!(says, Says::Began | Says::Locked) {
                found.insert(lock.key, decision.clone());
            }
            matches!(says, Says::Locked | Says::Other)
        });
        locks.is_empty()
    })
    .map(drop)
}

fn says(decision: &Decision, lock: &Standing) -> Says {
    match lock.key {
        LockKey::Account(id) => match decision.on_account(id) {
            Some((Did::Locked, _)) => Says::Began,
            // What is done under a lock leaves it as it is.
            None | Some((_, AccountState::Locked)) => Says::Other,
            Some(_) => Says::Ends,
        },
        LockKey::Connection(_) => {
            let locked = ConnectionState::Locked.code();
            if decision.what().eq_ignore_ascii_case(locked) { Says::Locked } else { Says::Ends }
        }
        LockKey::Person(id) if decision.locked_person(id, lock.since) => Says::Began,
        LockKey::Person(_) | LockKey::Line(_) => Says::Other,
    }
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
    let lift = look_back(store, (system.id.0, "line.lift"), ACTS_MAX, is_on)?;
    let raise = look_back(store, (system.id.0, "line.raise"), ACTS_MAX, is_on)?;
    Ok(lift.into_iter().chain(raise).max_by_key(|decision| decision.index))
}

/// The last act of the centre on an account that stands like this, what it did, and how the account
/// stood then: what the head of its unit reads. Of one in use only the newest acts are looked
/// through: what ended long ago explains nothing any more. Waits for the database.
///
/// # Errors
/// Of the store.
pub fn of_account(
    store: &Store,
    system: SystemId,
    (id, state): (AccountId, AccountState),
) -> Result<Option<(Did, AccountState, Decision)>, Refused> {
    let most = if state == AccountState::Live { ACTS_AT_A_TIME } else { ACTS_MAX };
    let is_its = |d: &Decision| d.on_account(id).is_some();
    let found = look_back(store, (system.0, "account.state"), most, is_its)?;
    Ok(found.and_then(|decision| {
        let (did, state) = decision.on_account(id)?;
        Some((did, state, decision))
    }))
}

/// Looks through so many acts at most, from the newest back, to the one that ends it.
fn look_back(
    store: &Store,
    of: (u32, &str),
    most: usize,
    mut ends: impl FnMut(&Decision) -> bool,
) -> Result<Option<Decision>, Refused> {
    let (mut before, mut read) = (u64::MAX, 0);
    while read < most {
        let acts = store.last_acts(of, before, ACTS_AT_A_TIME)?;
        let Some(last) = acts.last() else { break };
        (before, read) = (last.index, read + acts.len());
        if let Some(found) = acts.into_iter().filter_map(Decision::of).find(|act| ends(act)) {
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
        let locked = (Did::Locked, AccountState::Locked);
        assert_eq!(decision.on_account(AccountId(1)), Some(locked));
        assert_eq!(decision.on_account(AccountId(12)), None);
        assert_eq!(decision.reason(), Some("#12 revoked"));
    }

    #[test]
    fn what_was_done_is_told_beside_the_state() {
        for did in Did::ALL {
            for state in AccountState::ALL {
                assert_eq!(Did::read(&did.told(state)), Some((did, state)));
            }
        }
        assert_eq!(Did::Suspended.told(AccountState::Locked), "suspended (locked)");
        // Entries of before.
        assert_eq!(Did::read("Locked"), Some((Did::Locked, AccountState::Locked)));
        assert_eq!(Did::read("unlocked"), None, "into which state?");
        assert_eq!(Did::read("suspended (odd)"), None);
        let lock = Standing {
            key: LockKey::Connection(SystemId(1)),
            system: Some(SystemId(1)),
            since: None,
            until: None,
            evidence: Evidence::Connection,
        };
        let kind = "system.state".to_owned();
        let detail = "MAU Locked; lý do: A".to_owned();
        let act = Act { kind, actor: String::new(), system: 1, detail };
        let decision = Decision { index: 0, at: Moment(0), act };
        assert!(matches!(says(&decision, &lock), Says::Locked));
    }
}
