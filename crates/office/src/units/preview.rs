//! What a merge or a split would do, looked at before it is written down (B4): which connections
//! are live and go on under which unit, and whose roles reach further afterwards.

use std::collections::{BTreeMap, BTreeSet};

use dancu_domain::ids::UnitCode;
use dancu_domain::people::account::Phase;
use dancu_domain::people::grants::{Grant, Scope};
use dancu_domain::people::roles::Role;
use dancu_domain::registration::{ConnectionState, Snapshot};
use dancu_domain::units::{Event, Tree};
use dancu_store::Store;
use dancu_store::people::Person;

use super::{Known, about, events};
use crate::act::Refused;

/// A connection that goes on under another unit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Live {
    /// The system.
    pub system: String,
    /// Its state, which stays.
    pub state: ConnectionState,
    /// The unit of before.
    pub from: UnitCode,
    /// The unit that has it then.
    pub to: UnitCode,
}

/// Somebody whose role reaches further afterwards.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wider {
    /// Full name.
    pub name: String,
    /// Which role.
    pub role: Role,
    /// The person's unit of today.
    pub unit: UnitCode,
    /// Systems that it reaches then, and does not yet.
    pub systems: Vec<String>,
    /// People of the portal whom it reaches then, and does not yet.
    pub people: u64,
}

/// What events would move.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Preview {
    /// Connections, by the code of the system.
    pub live: Vec<Live>,
    /// Lines of these systems.
    pub lines: usize,
    /// Accounts on their lists.
    pub accounts: usize,
    /// People of the portal.
    pub people: usize,
    /// People with an account in two of the units: both go on.
    pub twice: Vec<String>,
    /// Whose roles reach further. Officers are not among them: they ask by the account list (A6).
    pub wider: Vec<Wider>,
}

/// What merges and splits would move on their day.
///
/// # Errors
/// As they would be refused; of the store.
pub async fn preview(
    store: &Store,
    snapshot: &Snapshot,
    known: &Known,
    more: &[Event],
) -> Result<Preview, Refused> {
    let Some(day) = more.first().map(|event| event.day) else { return Ok(Preview::default()) };
    let refused = |(event, why)| about(&event, why);
    let mut all = events(&known.written);
    let before = Tree::on(&all, day).map_err(refused)?;
    all.extend_from_slice(more);
    Tree::check(&all).map_err(refused)?;
    let after = Tree::on(&all, day).map_err(refused)?;
    let ended: Vec<&UnitCode> = more.iter().map(|event| &event.unit).collect();
    let mut preview = Preview::default();
    for system in snapshot.systems().iter().filter(|s| ended.contains(&&s.unit)) {
        let Some(to) = after.resolve(&system.unit) else { continue };
        preview.lines += crate::act::places(system).count();
        preview.accounts += system.accounts.iter().count();
        preview.live.push(Live {
            system: system.code.to_string(),
            state: system.state,
            from: system.unit.clone(),
            to: to.code.clone(),
        });
    }
    preview.live.sort_by(|a, b| a.system.cmp(&b.system));
    let heirs = more.iter().filter_map(|event| event.change.heir());
    let units: BTreeSet<&UnitCode> = ended.iter().copied().chain(heirs).collect();
    let mut sizes = BTreeMap::new();
    let mut everybody: BTreeMap<u32, Person> = BTreeMap::new();
    for unit in units {
        let people = store.people().of_unit(unit).await?;
        sizes.insert(unit.clone(), people.len() as u64);
        preview.people += if ended.contains(&unit) { people.len() } else { 0 };
        everybody.extend(people.into_iter().map(|person| (person.id.0, person)));
    }
    let of_units: Vec<Person> = everybody.values().cloned().collect();
    preview.twice = super::twice(&of_units);
    // Whoever looks after units above may reach further too.
    everybody.extend(store.people().by_centre().await?.into_iter().map(|p| (p.id.0, p)));
    let look = Look { before: &before, after: &after, ended: &ended, sizes: &sizes };
    let places = look.places(snapshot);
    for person in everybody.values().filter(|p| !matches!(p.account.phase, Phase::Revoked(_))) {
        let grants = person.grants.on(day).filter(|grant| grant.role != Role::Officer);
        preview.wider.extend(grants.filter_map(|grant| look.wider(person, grant, &places)));
    }
    Ok(preview)
}

/// Both trees, which units end, and how many people those have that hand over or take.
struct Look<'a> {
    before: &'a Tree,
    after: &'a Tree,
    ended: &'a [&'a UnitCode],
    sizes: &'a BTreeMap<UnitCode, u64>,
}

/// A unit that has something, with the units above it before and afterwards.
struct Place {
    before: Vec<UnitCode>,
    after: Vec<UnitCode>,
    systems: Vec<String>,
    people: u64,
}

impl Look<'_> {
    /// What may be reached in another way afterwards.
    fn places(&self, snapshot: &Snapshot) -> Vec<Place> {
        let mut systems: BTreeMap<&UnitCode, Vec<String>> = BTreeMap::new();
        for system in snapshot.systems() {
            systems.entry(&system.unit).or_default().push(system.code.to_string());
        }
        let units: BTreeSet<&UnitCode> = systems.keys().copied().chain(self.sizes.keys()).collect();
        let path = |tree: &Tree, unit: &UnitCode| -> Vec<UnitCode> {
            tree.path(unit).into_iter().map(|above| above.code.clone()).collect()
        };
        let place = |unit: &UnitCode| Place {
            before: path(self.before, unit),
            after: path(self.after, unit),
            systems: systems.get(unit).cloned().unwrap_or_default(),
            people: self.sizes.get(unit).copied().unwrap_or(0),
        };
        units.into_iter().map(place).collect()
    }

    fn wider(&self, person: &Person, grant: &Grant, places: &[Place]) -> Option<Wider> {
        let then = self.handed_over(&grant.scope)?;
        let gained =
            places.iter().filter(|p| reaches(&then, &p.after) && !reaches(&grant.scope, &p.before));
        let (mut systems, mut people) = (vec![], 0);
        for place in gained {
            systems.extend(place.systems.iter().cloned());
            people += place.people;
        }
        systems.sort();
        let (name, unit) = (person.name.clone(), person.unit.clone());
        let wider = Wider { name, role: grant.role, unit, systems, people };
        (!wider.systems.is_empty() || people > 0).then_some(wider)
    }

    /// The scope as a hand-over leaves it; none where it is of no unit.
    fn handed_over(&self, scope: &Scope) -> Option<Scope> {
        let of = |unit: &UnitCode| {
            let heir = self.after.resolve(unit).filter(|_| self.ended.contains(&unit));
            heir.map_or_else(|| unit.clone(), |heir| heir.code.clone())
        };
        match scope {
            Scope::Unit(unit) => Some(Scope::Unit(of(unit))),
            Scope::Below(unit) => Some(Scope::Below(of(unit))),
            Scope::Person | Scope::All => None,
        }
    }
}

/// Whether a scope reaches a unit with the units above it.
fn reaches(scope: &Scope, path: &[UnitCode]) -> bool {
    match scope {
        Scope::Unit(unit) => path.first() == Some(unit),
        Scope::Below(unit) => path.contains(unit),
        Scope::Person => false,
        Scope::All => true,
    }
}
