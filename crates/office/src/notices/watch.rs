//! What happened to lines and what ends soon, found by looking: at the counts in memory, the
//! registered raises, the credentials. Settling a question costs nothing for it, and what is found
//! again was told already, by its mark.

use dancu_domain::credentials::CredentialKind;
use dancu_domain::ids::{AccountId, Login, SystemId, UnitCode};
use dancu_domain::lines::Lines;
use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::notices::{Audience, Notice};
use dancu_domain::registration::{AccountKind, ConnectionState, Snapshot, System};
use dancu_domain::service::Service;
use dancu_store::{Result, Store, notices};
use hashbrown::{HashMap, HashSet};

use super::{answers_for, line};
use crate::act::{Place, places};
use crate::locks::Today;

/// A raise is told to end so long before, ms (*ours*): a working day to ask for another.
pub const RAISE_ENDS_MS: i64 = DAY_MS;
/// Days before the end at which a secret or certificate is told to end (*ours*): a month as the
/// integrators' page warns, a fortnight, and three days for who did nothing.
pub const CREDENTIAL_ENDS_DAYS: [i64; 3] = [30, 14, 3];
/// Findings that are remembered: the lines and credentials of thousands of systems. Above it they
/// are forgotten, and looked up in the store again.
const REMEMBERED_MAX: usize = 100_000;
/// Officers who are told of one exceedance (*ours*): the counters of a large unit.
const OFFICERS_MAX: usize = 50;
/// Findings that go in one transaction.
const AT_A_TIME: usize = 64;

/// What was found and told, by this node: the store is asked for nothing twice.
#[derive(Default)]
pub struct Watch(HashSet<Vec<u8>>);

/// What was found: told once by its name.
struct Finding {
    name: Vec<u8>,
    /// Officers of the unit who are told too, by their logins.
    officers: Vec<(UnitCode, Login)>,
    to: Vec<Audience>,
    notice: Notice,
}

impl Watch {
    /// Looks once, and tells what is new; how much that was.
    ///
    /// # Errors
    /// Of the store: it is found again.
    pub async fn look(&mut self, store: &Store, snapshot: &Snapshot, now: Moment) -> Result<usize> {
        if self.0.len() > REMEMBERED_MAX {
            self.0.clear();
        }
        let today = Today::of(store, now);
        let warn_at = store.profiles().at(now).counts.warn_at_percent.clone();
        let live = || snapshot.systems().iter().filter(|s| s.state != ConnectionState::Closed);
        let (mut found, used) = store.ledger().lines(|counts| {
            let used: HashMap<AccountId, u32> = counts.accounts_of(today.day).collect();
            let lines = live().flat_map(|system| of_lines(system, counts, today, &warn_at));
            (lines.collect::<Vec<Finding>>(), used)
        });
        found.extend(live().flat_map(|system| of_accounts(system, &used, today, &warn_at)));
        found.extend(live().flat_map(|system| ending(system, now)));
        found.retain(|finding| !self.0.contains(&finding.name));
        for finding in &mut found {
            if let Notice::LineExceeded { line, .. } = &finding.notice
                && let Some(system) = snapshot.by_code(&line.system)
            {
                finding.officers = asked_today(system, &used, line.service);
            }
        }
        let count = found.len();
        while !found.is_empty() {
            let mut some: Vec<Finding> = found.drain(..found.len().min(AT_A_TIME)).collect();
            for finding in &mut some {
                finding.add_officers(store).await?;
            }
            let names: Vec<Vec<u8>> = some.iter().map(|finding| finding.name.clone()).collect();
            let keys = store.keys().clone();
            let told = store.ledger().tidy(now, move |tx| {
                for Finding { name, to, notice, .. } in &some {
                    let mark = notices::mark(&keys, &[name])?;
                    notices::insert(tx, &keys, now, Some(mark), (to, notice))?;
                }
                Ok(())
            });
            told.await?;
            self.0.extend(names);
        }
        Ok(count)
    }
}

impl Finding {
    fn new(name: Vec<u8>, to: Vec<Audience>, notice: Notice) -> Self {
        Self { name, officers: vec![], to, notice }
    }

    /// Adds the officers who have an account of the portal in the unit.
    async fn add_officers(&mut self, store: &Store) -> Result<()> {
        for (unit, login) in self.officers.drain(..) {
            let person = store.people().person_by_login(&login).await?;
            self.to.extend(person.filter(|p| p.unit == unit).map(|p| Audience::Person(p.id)));
        }
        Ok(())
    }
}

/// Officers who asked today by the service of a line that was exceeded (D3).
fn asked_today(
    system: &System,
    used: &HashMap<AccountId, u32>,
    service: Service,
) -> Vec<(UnitCode, Login)> {
    let asked = system.accounts.iter().filter(|account| {
        account.kind == AccountKind::Officer
            && account.services.contains(service)
            && used.contains_key(&account.id)
    });
    let asked = asked.map(|account| (system.unit.clone(), account.login.clone()));
    asked.take(OFFICERS_MAX).collect()
}

/// Accounts near their declared average, or beyond it (D2): officer and head are told.
fn of_accounts(
    system: &System,
    used: &HashMap<AccountId, u32>,
    today: Today,
    warn_at: &[u8],
) -> impl Iterator<Item = Finding> {
    system.accounts.iter().filter_map(move |account| {
        let asked = used.get(&account.id)?;
        let passed = |percent: &&u8| {
            u64::from(*asked) * 100 >= u64::from(account.daily) * u64::from(**percent)
        };
        let percent = warn_at.iter().filter(passed).max().copied()?;
        let which = [i64::from(today.day.0), i64::from(percent), i64::from(account.daily)];
        let to = vec![Audience::Heads(system.unit.clone(), None)];
        let notice = Notice::AccountWarned { system: system.code.clone(), percent };
        let mut finding = Finding::new(name("account", account.id.0, &which), to, notice);
        if account.kind == AccountKind::Officer {
            finding.officers.push((system.unit.clone(), account.login.clone()));
        }
        Some(finding)
    })
}

/// A finding's name: what it is, of which row, and what tells it from the one before.
fn name(what: &str, row: u32, which: &[i64]) -> Vec<u8> {
    let which = which.iter().flat_map(|part| part.to_be_bytes());
    what.bytes().chain([0]).chain(row.to_be_bytes()).chain(which).collect()
}

fn of_lines(
    system: &System,
    counts: &Lines,
    today: Today,
    warn_at: &[u8],
) -> impl Iterator<Item = Finding> {
    let found = places(system).flat_map(|place| of_line(system, &place, counts, today, warn_at));
    found.collect::<Vec<_>>().into_iter()
}

/// Warnings (D2), the first exceedance and the lock (D3) of a line today.
fn of_line(
    system: &System,
    place: &Place<'_>,
    counts: &Lines,
    today: Today,
    warn_at: &[u8],
) -> Vec<Finding> {
    let (id, at) = (place.line.id, || line(system, place));
    let (day, count) = (counts.line_day(id, today.day), place.line.limit(today.now).count);
    let mut found = vec![];
    let passed = |percent: &&u8| {
        day.used > 0 && u64::from(day.used) * 100 >= u64::from(count) * u64::from(**percent)
    };
    if let Some(percent) = warn_at.iter().filter(passed).max().copied() {
        let which = [i64::from(today.day.0), i64::from(percent), i64::from(count)];
        found.push(Finding::new(
            name("warned", id.0, &which),
            vec![Audience::Heads(system.unit.clone(), None)],
            Notice::LineWarned { line: at(), percent, count },
        ));
    }
    if let Some(since) = day.episode_at.filter(|_| day.exceedances > 0) {
        found.push(Finding::new(
            name("exceeded", id.0, &[since.0]),
            answers_for(system, None),
            Notice::LineExceeded { line: at(), count },
        ));
    }
    let lock = counts.lock(id).filter(|lock| lock.until.is_none_or(|until| today.now < until));
    if let Some(lock) = lock {
        found.push(Finding {
            name: name("locked", id.0, &[lock.since.0]),
            officers: vec![],
            to: answers_for(system, None),
            notice: Notice::LineLocked {
                line: at(),
                connection: lock.connection,
                until: lock.until,
            },
        });
    }
    found
}

/// Raises (D8) and credentials of a system that end soon.
fn ending(system: &System, now: Moment) -> Vec<Finding> {
    let mut found = vec![];
    for place in places(system) {
        let ends = |to: Moment| now < to && to.0 - now.0 <= RAISE_ENDS_MS;
        let raises = place.line.raises.iter().filter(|raise| raise.begins() <= now);
        found.extend(raises.filter(|raise| ends(raise.to)).map(|raise| Finding {
            name: name("raise", place.line.id.0, &[raise.to.0]),
            officers: vec![],
            to: vec![Audience::Heads(system.unit.clone(), None)],
            notice: Notice::RaiseEnding { line: line(system, &place), to: raise.to },
        }));
    }
    for kind in CredentialKind::ALL {
        for facts in system.facts.of(kind) {
            let Some(until) = facts.until.filter(|until| now < *until) else { continue };
            let left = until.0 - now.0;
            let days = CREDENTIAL_ENDS_DAYS.into_iter().filter(|days| left <= days * DAY_MS).min();
            found.extend(days.map(|days| credential(system, facts.number, until, days)));
        }
    }
    found
}

fn credential(system: &System, number: u32, until: Moment, days: i64) -> Finding {
    let SystemId(id) = system.id;
    Finding {
        name: name("credential", id, &[i64::from(number), until.0, days]),
        officers: vec![],
        to: vec![
            Audience::Integrators(system.unit.clone()),
            Audience::Heads(system.unit.clone(), None),
        ],
        notice: Notice::CredentialEnding { system: system.code.clone(), number, until },
    }
}
