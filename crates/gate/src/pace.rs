//! The paces of all accounts (D7), and of what is refused to a system.
//!
//! A node admits by its own state, without asking anybody, and charges to it what other nodes
//! admitted as soon as it takes over their transactions: a pace is one for all nodes, but for what
//! several admit at the same moment (docs/decisions.md).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use dancu_domain::ids::{AccountId, SystemId};
use dancu_domain::moment::Moment;
use dancu_domain::pace::PaceState;
use dancu_domain::profile::Pace;
use dancu_domain::refusal::Refusal;
use dancu_domain::registration::{AccountKind, Snapshot};
use dancu_store::Store;
use dancu_store::charges::{Charge, PersonMark};
use hashbrown::HashMap;
use parking_lot::Mutex;

/// Independent parts of the table.
const SHARDS: usize = 16;
/// Accounts that one part keeps before idle ones are dropped.
const KEPT: usize = 4_096;
/// A part of more accounts than that is looked through once in this time, ms.
const SWEEP_MS: i64 = 1_000;

/// How fast one system's refusals are journaled one by one: 200 a second are more than the counters
/// of a province send, and 10 GB a day of journal at most. What comes faster is refused by D7 and
/// journaled as one aggregate a minute, so that a client that repeats a refused question cannot
/// fill the disk of all.
pub(crate) const REFUSALS: Pace = Pace { burst: 10_000, per_minute: 12_000, persons_per_minute: 0 };

/// Pace by the row id of accounts, or of systems.
pub(crate) struct Paces(Vec<Mutex<Shard>>);

#[derive(Default)]
struct Shard {
    accounts: HashMap<u32, PaceState>,
    /// When idle ones were last dropped.
    swept_at: Moment,
}

impl Default for Paces {
    fn default() -> Self {
        Self((0..SHARDS).map(|_| Mutex::default()).collect())
    }
}

impl Paces {
    /// Admits or refuses a request of an account about a person.
    pub(crate) fn admit(
        &self,
        account: u32,
        pace: Pace,
        at: Moment,
        person: PersonMark,
    ) -> Result<(), Refusal> {
        let mut shard = self.0[account as usize % SHARDS].lock();
        shard.sweep(at);
        shard.accounts.entry(account).or_default().admit(pace, at, fingerprint(person))
    }

    /// Charges what another node admitted.
    fn charge(&self, account: u32, pace: Pace, charge: &Charge) {
        let at = Moment(charge.at);
        let mut shard = self.0[account as usize % SHARDS].lock();
        shard.sweep(at);
        let persons = charge.persons.iter().copied().map(fingerprint);
        shard.accounts.entry(account).or_default().charge(pace, at, charge.requests, persons);
    }
}

fn fingerprint(person: PersonMark) -> u64 {
    u32::from_be_bytes(person).into()
}

/// Charges from now on what other nodes admit. An account that was registered since the snapshot
/// was loaded is charged from the next snapshot on. Also counts to `asked` what people asked there.
pub(crate) fn follow(
    store: &Store,
    snapshot: &Arc<ArcSwap<Snapshot>>,
    paces: &Arc<Paces>,
    refusals: &Arc<Paces>,
    asked: &Arc<AtomicU64>,
) {
    let profiles = store.profiles().clone();
    let (snapshot, paces, refusals) = (snapshot.clone(), paces.clone(), refusals.clone());
    let asked = asked.clone();
    store.requests().follow(move |charge| {
        if charge.account == 0 {
            return refusals.charge(charge.system, REFUSALS, charge);
        }
        let snapshot = snapshot.load();
        let system = snapshot.by_id(SystemId(charge.system));
        let account = system.and_then(|s| s.accounts.by_id(AccountId(charge.account)));
        if let Some(account) = account {
            // Somebody waits on another node, unless it runs jobs there.
            if account.kind != AccountKind::Plan {
                asked.fetch_add(charge.requests.into(), Ordering::Relaxed);
            }
            let pace = profiles.at(Moment(charge.at)).pace_of(account.kind);
            paces.charge(charge.account, pace, charge);
        }
    });
}

impl Shard {
    /// Drops idle accounts where there are many, at most once a second: whoever asks then waits
    /// for it. Returns whether it looked.
    fn sweep(&mut self, at: Moment) -> bool {
        let due = (at.0 - self.swept_at.0).abs() >= SWEEP_MS;
        if !due || self.accounts.len() < KEPT {
            return false;
        }
        self.swept_at = at;
        self.accounts.retain(|_, s| !s.is_idle(at));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: Pace = Pace { burst: 10, per_minute: 1, persons_per_minute: 0 };

    #[test]
    fn rule_d7_many_accounts_are_looked_through_once_a_second() {
        let mut shard = Shard::default();
        let start = Moment(1_772_416_800_000);
        for n in 0..KEPT as u32 + 100 {
            let state = shard.accounts.entry(n).or_default();
            state.admit(PLAN, start, fingerprint([1; 4])).unwrap();
        }
        let looked = (0..3_000).filter(|ms| shard.sweep(start.plus_ms(*ms))).count();
        assert_eq!(looked, 3);
        assert_eq!(shard.accounts.len(), KEPT + 100, "nobody is idle yet");
        assert!(shard.sweep(start.plus_ms(120_000)));
        assert!(shard.accounts.is_empty());
    }
}
