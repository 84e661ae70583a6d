//! Monthly statements of the services that were provided (A7): made by themselves once a month is
//! over, for every system that was connected in it, from the journal alone.
//!
//! [`next`] says which month is due and begins its [`Pass`] over the journal; once that has read
//! everything, [`ready`] finds who was connected, and [`make`] writes one statement per system,
//! each with its journal entry and the notice to the unit in one transaction, and then that the
//! month is done. Cut off, they begin anew and leave out what is there. [`correct`] makes another
//! version of one statement.
//!
//! **Invariant:** a statement is signed in the transaction that numbers and stores it.

mod pass;
mod tally;

use std::sync::Arc;

use dancu_domain::ids::{SystemCode, SystemId, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::notices::{Audience, Notice};
use dancu_domain::registration::{ConnectionState, System};
use dancu_domain::service::{Service, Window};
use dancu_domain::statements::{
    FORMAT, Holder, Month, Open, Replaced, Served, Statement, StatementNumber,
};
use dancu_journal::{Act, Body, Entry};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::lease::Lease;
use dancu_store::statements::{self, Document, Stored};
use dancu_store::{Error, Store};
use hashbrown::HashMap;
use parking_lot::Mutex;

pub use self::pass::{Pass, SLICE};
use self::tally::Counted;
use crate::act::{Actor, Done, Refused, reason};
use crate::hours::first_since;
use crate::notices::tell;

/// Who the journal names for what the program does by itself.
const PROGRAM: &str = "dancu";
/// What is undone because there was nothing to do: another node was faster.
const NOTHING: &str = "không có việc gì (nothing to do)";
/// Acts that set a system live that are looked at: a dossier is opened anew some times a year.
const LIVES_MAX: usize = 100;

/// A statement in the form in which it is handed out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signed {
    /// The JSON, byte for byte.
    pub json: String,
    /// The signed note about it.
    pub note: String,
    /// SHA-256 of the JSON, hex.
    pub sha256: String,
}

/// Writes a statement as JSON and signs it.
pub type Signing = Arc<dyn Fn(&Statement) -> Result<Signed, Error> + Send + Sync>;

/// Begins the pass over the first month that is over and not done; none where there is none. Waits
/// for the database.
///
/// # Errors
/// The store could not be read.
pub async fn next(store: &Store, now: Moment) -> Result<Option<Pass>, Error> {
    let done = store.statements().done_before(None).await?;
    let (month, tree) = match done {
        Some((month, tree)) => (month.next(), tree),
        None => match first_month(store)? {
            Some(month) => (month, <_>::default()),
            None => return Ok(None),
        },
    };
    if !pass::is_over(store.profiles(), month, now) {
        return Ok(None);
    }
    let before = done_month(month, store).await?;
    let carried = carried(store, now, before).await?;
    Ok(Some(Pass::begin(store, month, tree, carried)?))
}

/// Begins the pass over a month that is done, for a correction.
///
/// # Errors
/// [`Refused::Gone`]: the month is not done. The store could not be read.
pub async fn again(store: &Store, now: Moment, month: Month) -> Result<Pass, Refused> {
    let last = store.statements().done_before(None).await?;
    if last.is_none_or(|(done, _)| done < month) {
        return Err(Refused::Gone);
    }
    let before = store.statements().done_before(Some(month)).await?;
    let (before, tree) = before.map_or((None, <_>::default()), |(m, tree)| (Some(m), tree));
    let carried = carried(store, now, before).await?;
    Ok(Pass::begin(store, month, tree, carried)?)
}

async fn done_month(month: Month, store: &Store) -> Result<Option<Month>, Error> {
    Ok(store.statements().done_before(Some(month)).await?.map(|(month, _)| month))
}

/// The month of the first entry that can be read.
fn first_month(store: &Store) -> Result<Option<Month>, Error> {
    let index = first_since(store, Moment(i64::MIN))?;
    let Some(entry) = store.entry(index)? else { return Ok(None) };
    let at = Moment(entry.at);
    Ok(Some(Month::of(store.profiles().at(at).hours.duty(at).day)))
}

/// Locks that went on after a month, by system.
async fn carried(
    store: &Store,
    now: Moment,
    month: Option<Month>,
) -> Result<HashMap<SystemId, Vec<Open>>, Error> {
    let mut all = HashMap::new();
    let Some(month) = month else { return Ok(all) };
    for system in store.snapshot(now)?.systems() {
        let found = store.statements().of_month(system.id, month).await?;
        let open = found.map(|stored| stored.document.open).unwrap_or_default();
        if !open.is_empty() {
            all.insert(system.id, open);
        }
    }
    Ok(all)
}

/// A month of which everything was read, and the systems that were connected in it.
pub struct Ready {
    pass: Pass,
    systems: Vec<Arc<System>>,
}

/// Finds the systems that were connected in the month of a pass that has read everything. Waits for
/// the database, some milliseconds for each system: call it where that holds nobody up.
///
/// # Errors
/// The store could not be read.
pub fn ready((store, now): (&Store, Moment), pass: Pass) -> Result<Ready, Error> {
    let mut systems = vec![];
    if pass.is_whole() {
        // One entry names all systems of an import, so that it is of none.
        let imports = store.last_acts((0, "system.imported"), u64::MAX, LIVES_MAX)?;
        for system in store.snapshot(now)?.systems() {
            if connected(store, system, &pass, &imports)? {
                systems.push(system.clone());
            }
        }
    }
    Ok(Ready { pass, systems })
}

/// Makes the statements of a month that is ready, and writes that it is done; how many were made.
/// With a lease nothing is written after it ended, and each statement prolongs it.
///
/// # Errors
/// The store could not be read or written, or the lease is lost: what was made stays, and is left
/// out next time.
pub async fn make(
    (store, now): (&Store, Moment),
    Ready { mut pass, systems }: Ready,
    sign: &Signing,
    lease: Option<&Lease>,
) -> Result<usize, Error> {
    let mut made = 0;
    if pass.is_whole() {
        let units = crate::units::known(store, now.viet_nam_date()).await?.tree;
        for system in &systems {
            let name = units.get(&system.unit).map_or(system.unit.as_str(), |unit| unit.name());
            let draft = Draft::new(system, name, &mut pass, now);
            made += usize::from(draft.store((store, now), sign, lease).await?);
        }
    } else {
        tracing::warn!(month = %pass.month, "a month without its key has no statements (A7)");
    }
    let (lease, month, tree) = (lease.cloned(), pass.month, pass.tree);
    let finish = store.ledger().tidy(now, move |tx| {
        lease.map_or(Ok(()), |lease| lease.hold(tx))?;
        statements::finish_month(tx, month, &tree)
    });
    finish.await?;
    Ok(made)
}

/// Makes the next version of a system's statement, which names the one before.
///
/// # Errors
/// [`Refused::Gone`]: there is none to correct. [`Refused::NoReason`].
pub async fn correct(
    (store, now): (&Store, Moment),
    system: SystemId,
    (by, why): (&Actor, &str),
    mut pass: Pass,
    sign: &Signing,
) -> Result<Done, Refused> {
    let why = reason(why)?.to_owned();
    // F2: of a month whose key is gone nothing can be counted.
    if !pass.is_whole() {
        return Err(Refused::Gone);
    }
    let snapshot = store.snapshot(now)?;
    let system = snapshot.by_id(system).ok_or(Refused::Gone)?;
    let old = store.statements().of_month(system.id, pass.month).await?.ok_or(Refused::Gone)?;
    let units = crate::units::known(store, now.viet_nam_date()).await?.tree;
    let name = units.get(&system.unit).map_or(system.unit.as_str(), |unit| unit.name());
    let mut draft = Draft::new(system, name, &mut pass, now);
    draft.statement.version = old.version + 1;
    draft.statement.replaces =
        Some(Replaced { number: old.number.to_string(), sha256: old.document.sha256, reason: why });
    draft.actor = by.journaled();
    let told = Arc::new(Mutex::new(String::new()));
    let (keys, sign, detail) = (store.keys().clone(), sign.clone(), told.clone());
    let done = store.ledger().note(now, move |tx| {
        let body = draft.write(tx, &keys, &sign)?;
        if let Body::Act(act) = &body {
            detail.lock().clone_from(&act.detail);
        }
        Ok(body)
    });
    match done.await {
        Err(Error::Refused(text)) if text == NOTHING => Err(Refused::Gone),
        done => Ok(Done { index: done?, detail: std::mem::take(&mut *told.lock()) }),
    }
}

/// What a month's statement of a system would say now, counted anew, without number and version:
/// for whoever checks one.
///
/// # Errors
/// The store could not be read; [`Refused::Gone`]: no such system.
pub fn recounted(
    (store, now): (&Store, Moment),
    system: SystemId,
    mut pass: Pass,
) -> Result<Statement, Refused> {
    if !pass.is_whole() {
        return Err(Refused::Gone);
    }
    let snapshot = store.snapshot(now)?;
    let system = snapshot.by_id(system).ok_or(Refused::Gone)?;
    Ok(Draft::new(system, "", &mut pass, now).statement)
}

/// Whether two statements say the same of what was given; number, time and registered counts aside.
#[must_use]
pub fn agree(one: &Statement, other: &Statement) -> bool {
    let services = |of: &Statement| -> Vec<Served> {
        let all = of.services.iter().cloned();
        all.map(|served| Served { registered_daily: None, ..served }).collect()
    };
    services(one) == services(other)
        && (&one.refused, one.repeats) == (&other.refused, other.repeats)
        && (&one.exceedances, &one.locks) == (&other.exceedances, &other.locks)
        && (&one.month, &one.journal) == (&other.month, &other.journal)
}

/// Whether a system was connected on some day of the month: it was set live before its end and not
/// closed before its beginning. What was never journaled as set live was so from the beginning,
/// unless it was closed before it went live: then it has no clearance (B3) and was given nothing.
fn connected(
    store: &Store,
    system: &System,
    pass: &Pass,
    imports: &[Entry],
) -> Result<bool, Error> {
    let times = |kind| -> Result<Vec<_>, Error> {
        let acts = store.last_acts((system.id.0, kind), u64::MAX, LIVES_MAX)?;
        Ok(acts.iter().map(|entry| Moment(entry.at)).collect())
    };
    if system.state == ConnectionState::Preparing {
        return Ok(false);
    }
    let imported = imports.iter().filter(|e| names(e, &system.code)).map(|e| Moment(e.at));
    let mut lives: Vec<Moment> = imported.collect();
    lives.extend(times("dossier.live")?);
    let first = lives.into_iter().min();
    let begun = first.is_none_or(|live| live < pass.to);
    if system.state != ConnectionState::Closed {
        return Ok(begun);
    }
    if first.is_none() && !store.is_cleared(system.id)? && !pass.gave(system.id) {
        return Ok(false);
    }
    let closed = times("system.state")?.into_iter().chain(times("dossier.closed")?).max();
    Ok(begun && closed.is_none_or(|closed| closed >= pass.from))
}

/// Whether an entry of an import names a system.
fn names(entry: &Entry, code: &SystemCode) -> bool {
    let Body::Act(act) = &entry.body else { return false };
    let codes = act.detail.split_once(": ").map_or("", |(_, rest)| rest);
    let codes = codes.split(';').next().unwrap_or_default();
    codes.split([' ', ',']).any(|word| word == code.as_str())
}

/// A statement that has no number yet.
struct Draft {
    system: SystemId,
    unit: UnitCode,
    month: Month,
    now: Moment,
    actor: String,
    code: SystemCode,
    statement: Statement,
    open: Vec<Open>,
}

impl Draft {
    fn new(system: &System, unit_name: &str, pass: &mut Pass, now: Moment) -> Self {
        let counted = pass.take(system.id).finish(pass.to);
        let [first, last] = pass.month.days();
        let statement = Statement {
            format: FORMAT.into(),
            number: String::new(),
            version: 1,
            replaces: None,
            made_at: now.rfc3339(),
            system: Holder {
                code: system.code.as_str().into(),
                unit_code: system.unit.as_str().into(),
                unit_name: unit_name.into(),
            },
            month: pass.month.to_string(),
            first_day: first.to_string(),
            last_day: last.to_string(),
            services: served(system, &counted),
            refused: counted.refused,
            repeats: counted.repeats,
            exceedances: counted.exceedances,
            locks: counted.locks,
            journal: pass.covered(),
        };
        Self {
            system: system.id,
            unit: system.unit.clone(),
            month: pass.month,
            now,
            actor: PROGRAM.into(),
            code: system.code.clone(),
            statement,
            open: counted.open,
        }
    }

    /// Stores it, unless there is one of the month; whether it did.
    async fn store(
        self,
        (store, now): (&Store, Moment),
        sign: &Signing,
        lease: Option<&Lease>,
    ) -> Result<bool, Error> {
        let (keys, sign, lease) = (store.keys().clone(), sign.clone(), lease.cloned());
        let stored = store.ledger().note(now, move |tx| {
            lease.map_or(Ok(()), |lease| lease.prolong(tx))?;
            self.write(tx, &keys, &sign)
        });
        match stored.await {
            Err(Error::Refused(text)) if text == NOTHING => Ok(false),
            done => done.map(|_| true),
        }
    }

    /// Numbers, signs and stores it, and tells the unit; gives its entry.
    fn write(mut self, tx: &mut Tx<'_>, keys: &Keyring, sign: &Signing) -> Result<Body, Error> {
        let there = statements::of_month(tx, keys, self.system, self.month)?;
        if there.map_or(0, |stored| stored.version) + 1 != self.statement.version {
            return Err(Error::Refused(NOTHING.into()));
        }
        let year = self.now.viet_nam_date().year().unsigned_abs();
        let number: StatementNumber = statements::next_number(tx, year)?;
        self.statement.number = number.to_string();
        let signed = sign(&self.statement)?;
        let detail = match &self.statement.replaces {
            None => format!("{number} {} {} sha256 {}", self.code, self.month, signed.sha256),
            Some(old) => format!(
                "{number} {} {} sha256 {}, thay {}; lý do: {}",
                self.code, self.month, signed.sha256, old.number, old.reason
            ),
        };
        let corrects = self.statement.replaces.is_some();
        let stored = Stored {
            number,
            system: self.system,
            month: self.month,
            version: self.statement.version,
            document: Document {
                made_at: self.now,
                open: self.open,
                json: signed.json,
                note: signed.note,
                sha256: signed.sha256,
            },
        };
        statements::insert(tx, keys, &stored)?;
        let notice = Notice::Statement { system: self.code, month: self.month.to_string() };
        let to = [Audience::Heads(self.unit, None)];
        tell(tx, keys, self.now, &to, &notice).map_err(store_error)?;
        let kind = if corrects { "statement.corrected" } else { "statement.made" };
        let (actor, system) = (self.actor, self.system.0);
        Ok(Body::Act(Act { kind: kind.into(), actor, system, detail }))
    }
}

fn store_error(refused: Refused) -> Error {
    match refused {
        Refused::Store(error) => error,
        other => Error::Refused(other.to_string()),
    }
}

/// What was given, with the registered counts.
fn served(system: &System, counted: &Counted) -> Vec<Served> {
    let daily = |service, window| {
        let grant = system.service(Service::from_index(service)?)?;
        Some(grant.line(Window::from_index(window)?)?.daily)
    };
    let row = |(service, window, purpose, count): &(u8, u8, String, _)| Served {
        service: tally::service(*service),
        window: tally::window(*window),
        purpose: purpose.clone(),
        registered_daily: daily(*service, *window),
        count: *count,
    };
    counted.served.iter().map(row).collect()
}
