//! What is live follows its unit: systems, people and their roles go to the heir.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use dancu_domain::dossier::{Mark, Part, Stage};
use dancu_domain::ids::{PersonalId, SystemId, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use dancu_domain::people::account::Phase;
use dancu_domain::units::{Change, Event, Tree, standing};
use dancu_journal::Body;
use dancu_store::dossiers::{self, Stored};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::people::{self, EventKind, Person};
use dancu_store::policy::accounts;
use dancu_store::units::{self, Written};
use dancu_store::{Error, Store};

use super::untold;
use crate::act::Refused;
use crate::dossiers::listed_anew;
use crate::program::{PROGRAM, body, nothing, nothing_is_fine, store_error};
use crate::staff;

/// What went to an heir.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Moved {
    /// Systems.
    pub systems: u64,
    /// People of the portal.
    pub people: u64,
    /// Connection dossiers.
    pub dossiers: u64,
    /// People who now have two accounts in the unit: both go on, and the head is told.
    pub twice: u64,
}

impl Moved {
    pub(super) const fn and(self, other: Self) -> Self {
        Self {
            systems: self.systems + other.systems,
            people: self.people + other.people,
            dossiers: self.dossiers + other.dossiers,
            twice: self.twice + other.twice,
        }
    }
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "chuyển {} hệ thống, {} người", self.systems, self.people)?;
        if self.dossiers > 0 {
            write!(f, ", mở lại {} hồ sơ", self.dossiers)?;
        }
        if self.twice > 0 {
            write!(f, ", {} người có hai tài khoản", self.twice)?;
        }
        Ok(())
    }
}

/// Gives the dossier of a system that went to the unit that has the system now.
pub(super) fn give_dossier(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    system: SystemId,
    to: &UnitCode,
    mark: Mark,
) -> Result<u64, Refused> {
    match dossiers::of_system(tx, keys, system)? {
        Some(found) => Ok(u64::from(reorganised(tx, keys, found, to, mark)?)),
        None => Ok(0),
    }
}

/// Hands what is live in a unit over to whoever stands for it today.
pub(super) fn hand_over(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    today: &Tree,
    from: &UnitCode,
    mark: Mark,
) -> Result<Moved, Refused> {
    let Some(to) = today.resolve(from).map(|unit| unit.code.clone()) else {
        return Ok(Moved::default());
    };
    if to == *from {
        return Ok(Moved::default());
    }
    let systems = accounts::hand_over(tx, from, &to)?;
    let (before, moving) = (people::of_unit(tx, keys, &to)?, people::of_unit(tx, keys, from)?);
    let known = twice(&before).len();
    let everybody: Vec<Person> = before.into_iter().chain(moving.iter().cloned()).collect();
    let two = twice(&everybody).len().saturating_sub(known);
    let mut dossiers = 0;
    for found in dossiers::of_unit(tx, keys, from)? {
        dossiers += u64::from(reorganised(tx, keys, found, &to, mark)?);
    }
    let moved = Moved { systems, people: moving.len() as u64, dossiers, twice: two as u64 };
    for person in moving {
        people::save(tx, keys, &handed_over(person, from, &to))?;
    }
    Ok(moved)
}

/// Hands a dossier over to the unit that took over. One that is live is opened again, because its
/// commitment and its account list name the unit of before (B4, B9); whether it is open now.
fn reorganised(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    found: Stored,
    to: &UnitCode,
    mark: Mark,
) -> Result<bool, Refused> {
    let Stored { dossier, revision } = found;
    let (number, from) = (dossier.number(), dossier.unit().clone());
    let why = format!("Tổ chức lại đơn vị: {from} → {to}");
    let dossier = dossier.handed_over(to.clone());
    let opened = dossier.clone().renew(mark, &why, &[Part::Commitment, Part::Accounts]);
    let open = *dossier.stage() == Stage::Live && opened.is_ok();
    let dossier = listed_anew(tx, keys, opened.unwrap_or(dossier), mark)?;
    dossiers::save(tx, keys, &Stored { dossier, revision })?;
    let kind = "dossier.reorganised".to_owned();
    let event = dossiers::Event { at: mark.at, kind, actor: PROGRAM.to_owned(), detail: why };
    dossiers::note_event(tx, keys, number, &event)?;
    Ok(open)
}

/// The people of a unit who stand on the list of a system that went, and on no other of the unit.
pub(super) fn follow(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    system: SystemId,
    from: &UnitCode,
    to: &UnitCode,
) -> Result<u64, Refused> {
    let logins = |tx: &mut Tx<'_>, system| -> Result<Vec<String>, Error> {
        let list = accounts::of_system(tx, keys, system)?;
        Ok(list.iter().map(|k| k.account.login.folded()).collect())
    };
    let went: HashSet<String> = logins(tx, system)?.into_iter().collect();
    let mut stay = HashSet::new();
    for other in accounts::systems_of(tx, from)? {
        stay.extend(logins(tx, other)?);
    }
    let mut count = 0;
    for person in people::of_unit(tx, keys, from)? {
        let login = person.login.folded();
        if went.contains(&login) && !stay.contains(&login) {
            people::save(tx, keys, &handed_over(person, from, to))?;
            count += 1;
        }
    }
    Ok(count)
}

/// Whether no system and no dossier that has not come to its end is left in a unit.
pub(super) fn is_empty(tx: &mut Tx<'_>, unit: &UnitCode) -> Result<bool, Error> {
    Ok(accounts::systems_of(tx, unit)?.is_empty() && dossiers::open_of_unit(tx, unit)? == 0)
}

/// Ends every role of the people of a unit that was dissolved; gives how many there were (E3).
pub(super) fn end_roles(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    unit: &UnitCode,
    now: Moment,
) -> Result<u64, Refused> {
    let today = now.viet_nam_date();
    let mut count = 0;
    for mut person in people::of_unit(tx, keys, unit)? {
        if person.grants.since(today).next().is_none() {
            continue;
        }
        person.grants = staff::ended(&person.grants, |_| true, today)?;
        staff::follow_roles(&mut person, now)?;
        people::save(tx, keys, &person)?;
        people::note_event(tx, keys, person.id, now, EventKind::RolesChanged, None, "")?;
        count += 1;
    }
    Ok(count)
}

fn handed_over(person: Person, from: &UnitCode, to: &UnitCode) -> Person {
    let grants = person.grants.clone().handed_over(from, to);
    Person { unit: to.clone(), grants, ..person }
}

/// Of people with more than one account that is not revoked, one each.
pub(super) fn twice(people: &[Person]) -> Vec<&Person> {
    let mut by_id: BTreeMap<PersonalId, Vec<&Person>> = BTreeMap::new();
    for person in people.iter().filter(|p| !matches!(p.account.phase, Phase::Revoked(_))) {
        if let Some(id) = person.personal_id {
            by_id.entry(id).or_default().push(person);
        }
    }
    by_id.into_values().filter(|all| all.len() > 1).map(|all| all[0]).collect()
}

/// What housekeeping does: founds the units that systems name and nobody founded, and hands over
/// what waited for today. Cheap where there is nothing to do.
///
/// # Errors
/// The store could not be read or written.
pub async fn keep(store: &Store, now: Moment) -> Result<(), Error> {
    found_missing(store, now).await?;
    let today = now.viet_nam_date();
    // Each change of a unit is one transaction: what is wrong with one holds up no other.
    for waiting in store.units().waiting(today).await? {
        let keys = store.keys().clone();
        let unit = waiting.event.unit.clone();
        let carried = store.ledger().act(now, move |tx, _| carry_one(tx, &keys, waiting.id, now));
        match nothing_is_fine(carried.await) {
            // Of a lost connection the others would fail too.
            Err(error @ (Error::Refused(_) | Error::Damaged(_) | Error::Final(_))) => {
                let why = error.to_string();
                set_aside(store, now, (waiting.id, unit), why).await?;
            }
            other => other?,
        }
    }
    Ok(())
}

/// Tells once that a change could not be carried out; it is tried again the next time.
async fn set_aside(
    store: &Store,
    now: Moment,
    (id, unit): (i64, UnitCode),
    why: String,
) -> Result<(), Error> {
    let detail = format!("{unit}: chưa chuyển giao được, sẽ thử lại: {why}");
    let told = store.ledger().note(now, move |tx| {
        let new = units::set_aside(tx, id)?;
        new.then(|| body("unit.setAside", None, detail)).ok_or_else(nothing)
    });
    nothing_is_fine(told.await)
}

/// Hands over what waits by one change, as it stands now.
fn carry_one(tx: &mut Tx<'_>, keys: &Keyring, id: i64, now: Moment) -> Result<Body, Error> {
    let today = now.viet_nam_date();
    let all = units::waiting(tx, keys, today)?;
    let waiting = all.into_iter().find(|w| w.id == id).ok_or_else(nothing)?;
    let unit = &waiting.event.unit;
    if waiting.event.change == Change::Dissolved {
        // A system or dossier that is left keeps it waiting.
        if !is_empty(tx, unit)? {
            return Err(nothing());
        }
        let people = end_roles(tx, keys, unit, now).map_err(store_error)?;
        units::set_carried(tx, id)?;
        let detail = format!("{unit}: kết thúc vai trò của {people} người");
        return Ok(body("unit.carried", None, detail));
    }
    let tree = super::tree(&units::all(tx, keys)?, today)?;
    let mark = Mark { by: PersonId(0), at: now };
    let moved = hand_over(tx, keys, &tree, unit, mark).map_err(store_error)?;
    units::set_carried(tx, id)?;
    let heir = tree.resolve(unit).map_or_else(String::new, |heir| heir.code.to_string());
    Ok(body("unit.carried", None, format!("{unit} → {heir}: {moved}")))
}

/// Founds the units of which only the code is known: of systems, and at the first start of a
/// folder that has people already also theirs.
async fn found_missing(store: &Store, now: Moment) -> Result<(), Error> {
    let first = store.units().last().await? == 0;
    let known: HashSet<String> = store.units().codes().await?.into_iter().collect();
    let mut codes = store.units().of_systems().await?;
    if first {
        codes.extend(units_of_people(store).await?);
    }
    codes.sort_unstable();
    codes.dedup();
    codes.retain(|code| !known.contains(code.as_str()));
    if codes.is_empty() {
        return Ok(());
    }
    let keys = store.keys().clone();
    let founded = store.ledger().note(now, move |tx| {
        let written = super::events(&units::all(tx, &keys)?);
        let standing = standing(&written).map_err(|_| Error::Damaged("unit_event"))?;
        let events: Vec<Event> = codes
            .into_iter()
            .filter(|code| standing.iter().all(|place| written[*place].unit != *code))
            .filter_map(untold)
            .collect();
        if events.is_empty() {
            return Err(nothing());
        }
        let told: Vec<&str> = events.iter().map(|e| e.unit.as_str()).collect();
        let detail = format!("{}: theo mã đã đăng ký", told.join(" "));
        let row =
            |event| Written { id: 0, event, by: PersonId(0), at: now, own: false, carried: true };
        let rows: Vec<Written> = events.iter().cloned().map(row).collect();
        units::insert(tx, &keys, &rows)?;
        Ok(body("unit.founded", None, detail))
    });
    nothing_is_fine(founded.await)
}

/// People that one read takes at a time.
const PEOPLE_AT_A_TIME: u32 = 500;

async fn units_of_people(store: &Store) -> Result<Vec<UnitCode>, Error> {
    let mut codes = std::collections::BTreeSet::new();
    let mut after = PersonId(0);
    loop {
        let some = store.people().all(after, PEOPLE_AT_A_TIME).await?;
        let Some(last) = some.last() else { return Ok(codes.into_iter().collect()) };
        after = last.id;
        codes.extend(some.into_iter().map(|person| person.unit));
    }
}
