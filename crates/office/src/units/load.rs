//! Units of the official list: each People's Committee of a province, and of its communes.

use std::collections::HashMap;

use dancu_domain::ids::UnitCode;
use dancu_domain::units::{Change, Event, Proposal, Tree, official, proposals, standing};
use dancu_store::units;
use jiff::civil::Date;

use super::{Inside, UnitsDesk};
use crate::act::{Done, Entry, Refused, note};

/// The day from which the official list holds, and on which units of unknown past are founded.
pub(super) const FIRST_DAY: Date = jiff::civil::date(2025, 7, 1);

/// What a load did.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Loaded {
    /// Units that were founded.
    pub founded: usize,
    /// Units of the list that were there already.
    pub known: usize,
    /// What is proposed for units with communes of before (B4); nothing of it is done.
    pub proposals: Vec<(UnitCode, Proposal)>,
}

fn founding(event: &Event) -> Option<(UnitCode, Date)> {
    let founded = matches!(event.change, Change::Founded { .. });
    founded.then(|| (event.unit.clone(), event.day))
}

/// Founds what the official list has and the tree has not. Where it has everything nothing is
/// changed, and nothing journaled.
///
/// # Errors
/// The store could not be read or written.
pub async fn load(desk: &UnitsDesk<'_>) -> Result<(Option<Done>, Loaded), Refused> {
    let today = desk.now.viet_nam_date();
    let known = super::known(desk.store, today).await?;
    let list = official();
    let missing = |tree: &Tree| list.iter().filter(|e| tree.get(&e.unit).is_none()).count();
    let mut loaded =
        Loaded { founded: missing(&known.tree), known: 0, proposals: proposals(&known.tree) };
    loaded.known = list.len() - loaded.founded;
    if loaded.founded == 0 {
        return Ok((None, loaded));
    }
    let inside = Inside::of(desk);
    let entry = Entry::new("unit.loaded", desk.actor, None);
    let done = note((desk.store, desk.now), entry, move |tx| {
        let mut all = super::events(&units::all(tx, &inside.keys)?);
        let counting = standing(&all).map_err(|(event, why)| super::about(&event, why))?;
        let taken: std::collections::HashSet<UnitCode> =
            counting.into_iter().map(|place| all[place].unit.clone()).collect();
        let mut new: Vec<Event> = list.into_iter().filter(|e| !taken.contains(&e.unit)).collect();
        // A commune is not there before its province is.
        let days: HashMap<UnitCode, Date> = all.iter().filter_map(founding).collect();
        for event in &mut new {
            let Change::Founded { parent: Some(parent), .. } = &event.change else { continue };
            event.day = days.get(parent).map_or(event.day, |day| event.day.max(*day));
        }
        all.extend(new.iter().cloned());
        Tree::check(&all).map_err(|(event, why)| super::about(&event, why))?;
        let count = new.len();
        let rows: Vec<_> = new.into_iter().map(|event| inside.written(event, true)).collect();
        units::insert(tx, &inside.keys, &rows)?;
        Ok((inside.because(&format!("{count} đơn vị theo danh mục hành chính")), count))
    });
    let (done, founded) = done.await?;
    loaded.founded = founded;
    Ok((Some(done), loaded))
}
