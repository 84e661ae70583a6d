//! Gathering (B8): what a focal point sees of its units; urging them; handing the summary up.
//!
//! A summary is read in a handful of statements, whatever the number of units.
//!
//! **Invariant:** a focal point reads and urges units of its own line only. **Invariant:** one that
//! was handed up is never changed: the next one of the day is another version.

mod paper;

use std::collections::{BTreeMap, BTreeSet};

use dancu_domain::campaigns::Standing;
use dancu_domain::dossier::{self, Dossier, DossierNumber, Missing, Part, Turn};
use dancu_domain::gathering::{
    DossierAt, Facts, GatherRefusal, Lines, Row, Summary, SystemAt, TaskAt, Whose, codes,
};
use dancu_domain::ids::UnitCode;
use dancu_domain::moment::Moment;
use dancu_domain::notices::{Audience, Notice};
use dancu_domain::profile::Profile;
use dancu_domain::registration::{ConnectionState, Snapshot};
use dancu_domain::units::Tree;
use dancu_store::Store;
use dancu_store::dossiers::Summary as Listed;
use dancu_store::engine::Tx;
use dancu_store::gathering::{self, HANDED_READ, Handed, Receipt};
use dancu_store::keys::Keyring;
use jiff::civil::Date;

pub use self::paper::{File, Kind, export};
pub use crate::act::refused;
use crate::act::{Actor, Done, Entry, Refused, note, reason};
use crate::notices::tell;

/// Units that are urged in one transaction: each is marked and told, some milliseconds together.
const SLICE: usize = 50;
/// Where a unit finds what is asked of it.
const DOSSIERS: &str = "/unit/dossiers";

/// Who looks at a line.
#[derive(Clone, Copy)]
pub struct GatherDesk<'a> {
    /// The open data.
    pub store: &'a Store,
    /// The product's time.
    pub now: Moment,
    /// Who acts.
    pub by: &'a Actor,
    /// The tree of today.
    pub tree: &'a Tree,
    /// What is registered.
    pub snapshot: &'a Snapshot,
    /// The focal point; none: the centre.
    pub at: Option<&'a UnitCode>,
}

/// What a focal point sees.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gathered {
    /// Rows and totals.
    pub summary: Summary,
    /// Which way papers go.
    pub lines: Lines,
    /// What is known of each unit of which anything is.
    pub facts: BTreeMap<UnitCode, Facts>,
    /// When this focal point urged each unit last.
    pub urged: BTreeMap<UnitCode, Date>,
}

/// Reads what a focal point sees today.
///
/// # Errors
/// Of the store.
pub async fn load(desk: &GatherDesk<'_>) -> Result<Gathered, Refused> {
    let lines = Lines::of(desk.tree);
    let line: BTreeSet<UnitCode> = lines.line(desk.at).into_iter().cloned().collect();
    let home = |code: &UnitCode| {
        let unit = desk.tree.resolve(code)?;
        line.contains(&unit.code).then(|| unit.code.clone())
    };
    let wanted = |code: &str| UnitCode::parse(code).is_ok_and(|code| home(&code).is_some());
    let mut facts: BTreeMap<UnitCode, Facts> = BTreeMap::new();
    for system in desk.snapshot.systems().iter().filter(|s| s.state != ConnectionState::Closed) {
        let Some(unit) = home(&system.unit) else { continue };
        let accounts = system.accounts.iter().count() as u32;
        let row = SystemAt { id: system.id, state: system.state, accounts };
        facts.entry(unit).or_default().systems.push(row);
    }
    let read = desk.store.gathering();
    let (profile, day) = (desk.store.profiles().at(desk.now), desk.now.viet_nam_date());
    let lacking = read.lacking(wanted).await?;
    let mut lacks: BTreeMap<DossierNumber, Vec<Part>> =
        lacking.iter().map(|dossier| (dossier.number(), parts(dossier, profile, day))).collect();
    for found in read.dossiers(wanted).await? {
        let Some(unit) = home(&found.unit) else { continue };
        facts.entry(unit).or_default().dossiers.push(DossierAt {
            number: found.number,
            system: found.system,
            standing: Standing { stage: found.stage, since: found.since },
            whose: Whose::of(&found.turns),
            lacks: lacks.remove(&found.number).unwrap_or_default(),
        });
    }
    for (unit, task) in read.tasks().await? {
        let Some(unit) = home(&unit) else { continue };
        facts.entry(unit).or_default().tasks.push(task);
    }
    let urged = match desk.at {
        Some(at) => read.urged(at).await?.into_iter().collect(),
        None => BTreeMap::new(),
    };
    let summary = Summary::of((desk.tree, &lines), &facts, desk.at, day);
    Ok(Gathered { summary, lines, facts, urged })
}

/// Parts in which a dossier lacks what the unit has to do, each once.
fn parts(dossier: &Dossier, profile: &Profile, day: Date) -> Vec<Part> {
    let missing = of_unit(dossier, profile, day);
    Part::ALL.into_iter().filter(|part| missing.iter().any(|m| m.part == *part)).collect()
}

fn of_unit(dossier: &Dossier, profile: &Profile, day: Date) -> Vec<Missing> {
    let mut missing = dossier::missing(dossier, profile, day);
    missing.retain(|m| matches!(m.turn, Turn::Unit | Turn::Integrator));
    missing
}

/// A unit of the line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Detail {
    /// Its row.
    pub row: Row,
    /// Its dossiers that have not come to their end, with what the unit has still to do.
    pub dossiers: Vec<(Listed, Vec<Missing>)>,
    /// Its open tasks of campaigns.
    pub tasks: Vec<TaskAt>,
}

/// A unit of the line; none where it is not in it.
///
/// # Errors
/// Of the store.
pub async fn detail(
    desk: &GatherDesk<'_>,
    gathered: &Gathered,
    unit: &UnitCode,
) -> Result<Option<Detail>, Refused> {
    let Some(row) = gathered.summary.row(unit).cloned() else { return Ok(None) };
    let (profile, day) = (desk.store.profiles().at(desk.now), desk.now.viet_nam_date());
    let read = desk.store.gathering();
    // What came with a unit that was taken over stands under its old code until it is carried.
    let is = |code: &str| {
        let heir = UnitCode::parse(code).ok().and_then(|code| desk.tree.resolve(&code));
        heir.is_some_and(|heir| heir.code == *unit)
    };
    let lacking = read.lacking(is).await?;
    let with = |listed: Listed| {
        let found = lacking.iter().find(|dossier| dossier.number() == listed.number);
        let missing = found.map(|dossier| of_unit(dossier, profile, day)).unwrap_or_default();
        (listed, missing)
    };
    let dossiers = read.dossiers(is).await?.into_iter().map(with).collect();
    let tasks = gathered.facts.get(unit).map(|facts| facts.tasks.clone()).unwrap_or_default();
    Ok(Some(Detail { row, dossiers, tasks }))
}

/// Whom a focal point urges.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Whom {
    /// One unit.
    One(UnitCode),
    /// Every unit that has to do something and was not urged today.
    Behind,
}

/// Urges units: their heads are told what the focal point says. How many were urged.
///
/// # Errors
/// [`Refused::Gone`] for a unit outside of the line; [`Refused::Field`] with the sentence of a
/// [`GatherRefusal`].
pub async fn urge(
    desk: &GatherDesk<'_>,
    gathered: &Gathered,
    whom: &Whom,
    words: &str,
) -> Result<usize, Refused> {
    let words = reason(words).map_err(|_| refused(GatherRefusal::Words))?;
    let focal = desk.at.and_then(|at| desk.tree.get(at)).ok_or(Refused::Gone)?;
    let units = targets(desk, gathered, whom, &focal.code)?;
    let one = matches!(whom, Whom::One(_));
    let mut urged = 0;
    for some in units.chunks(SLICE) {
        let (some, at) = (some.to_vec(), focal.code.clone());
        let (by, keys, now) = (desk.by.person(), desk.store.keys().clone(), desk.now);
        let notice = Notice::Urged {
            by: focal.name().to_owned(),
            text: words.to_owned(),
            link: DOSSIERS.to_owned(),
        };
        let told = words.to_owned();
        let entry = Entry::new("gathering.urged", desk.by, None);
        let number = desk.by.number();
        let done = note((desk.store, now), entry, move |tx| {
            let mut done = vec![];
            for unit in some {
                // Who urged a moment ago on another node was faster.
                let day = now.viet_nam_date();
                if gathering::urge(tx, (&at, &unit), (day, now), number)? {
                    tell(tx, &keys, now, &[Audience::Heads(unit.clone(), by)], &notice)?;
                    done.push(unit.as_str().to_owned());
                }
            }
            if done.is_empty() {
                let why = if one { GatherRefusal::Today } else { GatherRefusal::Nobody };
                return Err(refused(why));
            }
            let count = done.len();
            Ok((format!("{at}: {count} đơn vị: {}; nội dung: {told}", done.join(" ")), count))
        });
        match done.await {
            Ok((_, count)) => urged += count,
            // The slices before this one stay done.
            Err(Refused::Field { .. }) if urged > 0 => {}
            Err(other) => return Err(other),
        }
    }
    Ok(urged)
}

fn targets(
    desk: &GatherDesk<'_>,
    gathered: &Gathered,
    whom: &Whom,
    focal: &UnitCode,
) -> Result<Vec<UnitCode>, Refused> {
    let today = desk.now.viet_nam_date();
    match whom {
        Whom::One(unit) => {
            let row = gathered.summary.row(unit).ok_or(Refused::Gone)?;
            let why = match () {
                () if unit == focal => GatherRefusal::Own,
                () if !row.level.is_behind() => GatherRefusal::NotBehind,
                () => return Ok(vec![unit.clone()]),
            };
            Err(refused(why))
        }
        Whom::Behind => {
            let units: Vec<UnitCode> = left(gathered, focal, today).cloned().collect();
            if units.is_empty() { Err(refused(GatherRefusal::Nobody)) } else { Ok(units) }
        }
    }
}

/// Units that have to do something and were not urged today.
pub fn left<'a>(
    gathered: &'a Gathered,
    focal: &'a UnitCode,
    today: Date,
) -> impl Iterator<Item = &'a UnitCode> {
    let rows = gathered.summary.rows.iter();
    let behind = rows.filter(move |row| row.level.is_behind() && row.unit != *focal);
    behind.map(|row| &row.unit).filter(move |unit| gathered.urged.get(unit) != Some(&today))
}

/// Hands the summary to whoever the focal point's own papers go to: one or two units, or the
/// centre.
///
/// # Errors
/// [`Refused::Gone`] for the centre, which hands to nobody; of the store.
pub async fn hand_up(
    desk: &GatherDesk<'_>,
    gathered: &Gathered,
) -> Result<(Done, Receipt), Refused> {
    let at = desk.at.ok_or(Refused::Gone)?.clone();
    let to = gathered.lines.next(&at).to_vec();
    let name = desk.tree.get(&at).map_or(at.as_str(), |unit| unit.name()).to_owned();
    let (keys, mark) = (desk.store.keys().clone(), (desk.now, desk.by.number()));
    let summary = gathered.summary.clone();
    let entry = Entry::new("gathering.handedUp", desk.by, None);
    note((desk.store, desk.now), entry, move |tx| {
        let receipt = gathering::hand_up(tx, &keys, (&at, &to), &summary, mark)?;
        tell_receivers(tx, &keys, mark.0, (&name, &receipt), &to)?;
        let to: Vec<&str> = to.iter().map(UnitCode::as_str).collect();
        let to = if to.is_empty() { "Trung tâm".to_owned() } else { to.join(" ") };
        let detail = format!(
            "{} {at} → {to}: ngày {}, bản {}, {} đơn vị, sha256 {}",
            number(receipt.id),
            receipt.day,
            receipt.version,
            summary.total.units,
            hex::encode(receipt.digest)
        );
        Ok((detail, receipt))
    })
    .await
}

/// Tells whoever gathers where a summary was handed to: each by a notice that leads to their copy.
fn tell_receivers(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    now: Moment,
    (name, receipt): (&str, &Receipt),
    to: &[UnitCode],
) -> Result<(), Refused> {
    let notice = |to: &str| Notice::HandedUp {
        by: name.to_owned(),
        number: number(receipt.id),
        to: to.to_owned(),
    };
    if to.is_empty() {
        return tell(tx, keys, now, &[Audience::Operators(None)], &notice(""));
    }
    for unit in to {
        let focal = [Audience::FocalPoints(unit.clone())];
        tell(tx, keys, now, &focal, &notice(unit.as_str()))?;
    }
    Ok(())
}

/// The number of a receipt as it is written, `TH-00001`.
#[must_use]
pub fn number(id: i64) -> String {
    format!("TH-{id:05}")
}

/// Summaries that a focal point handed up, and those that it received, each the newest first.
///
/// # Errors
/// Of the store.
pub async fn receipts(desk: &GatherDesk<'_>) -> Result<[Vec<Receipt>; 2], Refused> {
    let read = desk.store.gathering();
    let Some(at) = desk.at else { return Ok([vec![], read.received(None).await?]) };
    let (mut handed, mut received) = (vec![], vec![]);
    // Also what came to, or from, a unit that this one took over.
    for code in codes(desk.tree, at) {
        handed.extend(read.handed(&code).await?);
        received.extend(read.received(Some(&code)).await?);
    }
    Ok([handed, received].map(newest))
}

fn newest(mut all: Vec<Receipt>) -> Vec<Receipt> {
    all.sort_by_key(|receipt| std::cmp::Reverse(receipt.id));
    all.dedup_by_key(|receipt| receipt.id);
    all.truncate(HANDED_READ as usize);
    all
}

/// A summary that this focal point handed up or received; none for everybody else's.
///
/// # Errors
/// Of the store; [`dancu_store::Error::Damaged`] where it is not what its receipt says.
pub async fn handed(desk: &GatherDesk<'_>, id: i64) -> Result<Option<Handed>, Refused> {
    let Some(found) = desk.store.gathering().by_id(id).await? else { return Ok(None) };
    // Every line ends at the centre.
    let may = desk.at.is_none_or(|at| {
        let own = codes(desk.tree, at);
        let received = found.to.iter().flatten().any(|to| own.contains(to));
        received || own.contains(&found.receipt.focal)
    });
    Ok(may.then_some(found))
}
