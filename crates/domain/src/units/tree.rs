//! The tree of a day, by what happened up to it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::civil::Date;

use super::{
    AGENCY_CODES_MAX, About, CONTACTS_MAX, Change, Contact, Event, FOCAL_POINTS_MAX,
    Representative, SPLIT_MAX, UnitName, UnitRefusal,
};
use crate::ids::UnitCode;
use crate::text::fold;

/// How a unit ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Merged into another.
    Merged(UnitCode),
    /// Split; the heir took over what was live.
    Split {
        /// Its parts.
        into: Vec<UnitCode>,
        /// The heir among them.
        heir: UnitCode,
    },
    /// Dissolved.
    Dissolved,
}

impl Ending {
    /// Who took over.
    pub const fn heir(&self) -> Option<&UnitCode> {
        match self {
            Self::Merged(heir) | Self::Split { heir, .. } => Some(heir),
            Self::Dissolved => None,
        }
    }
}

/// A unit with its past, as it is known on the day of its tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unit {
    /// Code.
    pub code: UnitCode,
    /// Names with the day each begins on, ascending; never empty.
    pub names: Vec<(Date, UnitName)>,
    /// Units above it with the day each begins on, ascending; never empty.
    pub parents: Vec<(Date, Option<UnitCode>)>,
    /// What it is.
    pub about: About,
    /// Where its papers are gathered (B8), when not at the unit above.
    pub focal_points: Vec<UnitCode>,
    /// Who signs for it, since when (B7).
    pub representative: Option<(Date, Representative)>,
    /// Who is called (J2).
    pub contacts: Vec<Contact>,
    /// How it ended, from which day it is no more.
    pub end: Option<(Date, Ending)>,
}

impl Unit {
    /// Its last name.
    pub fn name(&self) -> &str {
        self.names.last().map_or("", |(_, name)| name.as_str())
    }

    /// The unit above it.
    pub fn parent(&self) -> Option<&UnitCode> {
        self.parents.last().and_then(|(_, parent)| parent.as_ref())
    }

    /// Whether it is there.
    pub const fn lives(&self) -> bool {
        self.end.is_none()
    }
}

/// Which of all events, by their places in the order of writing, count: what was annulled before
/// its day, and the annulment, do not (B4).
///
/// # Errors
/// The annulment that annuls nothing, or what had happened already.
pub fn standing(events: &[Event]) -> Result<Vec<usize>, (Event, UnitRefusal)> {
    let mut kept = Vec::with_capacity(events.len());
    for (place, event) in events.iter().enumerate() {
        let Change::Annulled { day, change } = &event.change else {
            kept.push(place);
            continue;
        };
        let refused = |why| (event.clone(), why);
        if *day <= event.day {
            return Err(refused(UnitRefusal::Happened));
        }
        let meant = |e: &Event| e.unit == event.unit && e.day == *day && e.change == **change;
        let found = kept.iter().rposition(|place| meant(&events[*place]));
        kept.remove(found.ok_or_else(|| refused(UnitRefusal::NotAhead))?);
    }
    Ok(kept)
}

/// Every unit there is or was on a day.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Tree {
    units: BTreeMap<UnitCode, Unit>,
    children: BTreeMap<UnitCode, BTreeSet<UnitCode>>,
}

impl Tree {
    /// The tree of a day: events dated later have not happened.
    ///
    /// # Errors
    /// The event that does not go with what happened before it, and why.
    pub fn on(events: &[Event], day: Date) -> Result<Self, (Event, UnitRefusal)> {
        let counting = standing(events)?.into_iter().map(|place| &events[place]);
        let mut due: Vec<&Event> = counting.filter(|e| e.day <= day).collect();
        due.sort_by_key(|e| (e.day, e.change.rank()));
        let mut tree = Self::default();
        for event in due {
            tree.apply(event).map_err(|refusal| (event.clone(), refusal))?;
        }
        Ok(tree)
    }

    /// Whether events go with each other on every day.
    ///
    /// # Errors
    /// The first that does not, and why.
    pub fn check(events: &[Event]) -> Result<(), (Event, UnitRefusal)> {
        Self::on(events, Date::MAX).map(drop).map_err(|(event, refusal)| {
            // A unit that is founded later only is known, but not yet there.
            let founded =
                |e: &Event| e.unit == event.unit && matches!(e.change, Change::Founded { .. });
            match refusal {
                UnitRefusal::Unknown if events.iter().any(founded) => {
                    (event, UnitRefusal::BeforeFounding)
                }
                other => (event, other),
            }
        })
    }

    /// A unit by its own code, living or not.
    pub fn get(&self, code: &UnitCode) -> Option<&Unit> {
        self.units.get(code)
    }

    /// The living unit that a code stands for now: its own, or whoever took over from it.
    pub fn resolve(&self, code: &UnitCode) -> Option<&Unit> {
        let mut unit = self.units.get(code)?;
        // Who took over was there that day, so the way leads forward in time and ends.
        while let Some((_, ending)) = &unit.end {
            unit = self.units.get(ending.heir()?)?;
        }
        Some(unit)
    }

    /// The living unit of a code and the units above it, the root last.
    pub fn path(&self, code: &UnitCode) -> Vec<&Unit> {
        let above = |unit: &&Unit| unit.parent().and_then(|parent| self.units.get(parent));
        std::iter::successors(self.resolve(code), above).collect()
    }

    /// The living units directly below one.
    pub fn children(&self, code: &UnitCode) -> impl Iterator<Item = &Unit> {
        self.children.get(code).into_iter().flatten().filter_map(|child| self.units.get(child))
    }

    /// Every unit, by code.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &Unit> {
        self.units.values()
    }

    /// Where the papers of a unit are gathered next (B8): its focal points, else the unit above.
    pub fn gathered_at(&self, code: &UnitCode) -> Vec<&Unit> {
        let Some(unit) = self.resolve(code) else { return vec![] };
        // One that was taken over stands for the body that did it, which may be the unit itself.
        let mut named: Vec<&Unit> =
            unit.focal_points.iter().filter_map(|focal| self.resolve(focal)).collect();
        named.retain(|focal| focal.code != unit.code);
        named.dedup_by_key(|focal| &focal.code);
        if named.is_empty() {
            unit.parent().and_then(|parent| self.resolve(parent)).into_iter().collect()
        } else {
            named
        }
    }

    /// Units whose code or one of whose names holds a text, accents and case aside.
    pub fn search<'a>(&'a self, text: &str) -> impl Iterator<Item = &'a Unit> + use<'a> {
        let wanted = fold(text);
        self.units.values().filter(move |unit| {
            wanted.is_empty()
                || fold(unit.code.as_str()).contains(&wanted)
                || unit.names.iter().any(|(_, name)| fold(name.as_str()).contains(&wanted))
        })
    }

    fn apply(&mut self, event: &Event) -> Result<(), UnitRefusal> {
        let (code, day) = (&event.unit, event.day);
        if let Change::Founded { name, parent, about } = &event.change {
            return self.found(code, day, name, parent.as_ref(), about);
        }
        let unit = self.units.get(code).ok_or(UnitRefusal::Unknown)?;
        if !unit.lives() {
            return Err(UnitRefusal::Ended);
        }
        match &event.change {
            // An annulment is taken into account before.
            Change::Founded { .. } | Change::Annulled { .. } => {}
            Change::Renamed(name) => {
                if unit.names.last().is_some_and(|(since, _)| *since == day) {
                    return Err(UnitRefusal::NameTwice);
                }
                if unit.name() == name.as_str() {
                    return Err(UnitRefusal::SameName);
                }
                self.edit(code, |unit| unit.names.push((day, name.clone())))?;
            }
            Change::Moved(parent) => self.move_to(code, day, parent.as_ref())?,
            Change::Described(about) => {
                told_well(about)?;
                self.edit(code, |unit| unit.about = about.clone())?;
            }
            Change::Gathered(focal) => {
                let known = |f: &UnitCode| f != code && self.lives(f);
                if focal.len() > FOCAL_POINTS_MAX || !focal.iter().all(known) {
                    return Err(UnitRefusal::FocalPoints);
                }
                self.edit(code, |unit| unit.focal_points.clone_from(focal))?;
            }
            Change::Represented(who) => {
                self.edit(code, |unit| unit.representative = Some((day, who.clone())))?;
            }
            Change::Contacts(contacts) => {
                if contacts.len() > CONTACTS_MAX {
                    return Err(UnitRefusal::TooManyContacts);
                }
                self.edit(code, |unit| unit.contacts.clone_from(contacts))?;
            }
            Change::Called(contact) => self.edit(code, |unit| {
                unit.contacts.retain(|known| known.kind() != contact.kind());
                unit.contacts.push(contact.clone());
            })?,
            Change::Merged(heir) => self.end(code, day, Ending::Merged(heir.clone()))?,
            Change::Split { into, heir } => {
                let different: HashSet<_> = into.iter().collect();
                let fits = (2..=SPLIT_MAX).contains(&into.len()) && different.len() == into.len();
                if !fits || !into.contains(heir) {
                    return Err(UnitRefusal::Parts);
                }
                if !into.iter().all(|part| part == code || self.lives(part)) {
                    return Err(UnitRefusal::NoHeir);
                }
                let ending = Ending::Split { into: into.clone(), heir: heir.clone() };
                self.end(code, day, ending)?;
            }
            Change::Dissolved => self.end(code, day, Ending::Dissolved)?,
        }
        Ok(())
    }

    fn found(
        &mut self,
        code: &UnitCode,
        day: Date,
        name: &UnitName,
        parent: Option<&UnitCode>,
        about: &About,
    ) -> Result<(), UnitRefusal> {
        if self.units.contains_key(code) {
            return Err(UnitRefusal::Taken);
        }
        told_well(about)?;
        if parent.is_some_and(|parent| !self.lives(parent)) {
            return Err(UnitRefusal::NoParent);
        }
        let unit = Unit {
            code: code.clone(),
            names: vec![(day, name.clone())],
            parents: vec![(day, parent.cloned())],
            about: about.clone(),
            focal_points: vec![],
            representative: None,
            contacts: vec![],
            end: None,
        };
        self.units.insert(code.clone(), unit);
        self.hang(code, parent);
        Ok(())
    }

    fn move_to(
        &mut self,
        code: &UnitCode,
        day: Date,
        parent: Option<&UnitCode>,
    ) -> Result<(), UnitRefusal> {
        if let Some(parent) = parent {
            if !self.lives(parent) {
                return Err(UnitRefusal::NoParent);
            }
            if self.path(parent).iter().any(|above| above.code == *code) {
                return Err(UnitRefusal::Cycle);
            }
        }
        self.set_parent(code, day, parent)
    }

    /// Ends a unit. What stands below it goes to the heir; an heir from below takes its place.
    fn end(&mut self, code: &UnitCode, day: Date, ending: Ending) -> Result<(), UnitRefusal> {
        let below: Vec<UnitCode> = self.children(code).map(|child| child.code.clone()).collect();
        match ending.heir() {
            Some(heir) if heir == code => return Err(UnitRefusal::OwnHeir),
            Some(heir) if !self.lives(heir) => return Err(UnitRefusal::NoHeir),
            Some(heir) => {
                let own = self.units.get(code).and_then(|unit| unit.parent().cloned());
                if self.path(heir).iter().any(|above| above.code == *code) {
                    self.set_parent(heir, day, own.as_ref())?;
                }
                for child in below.iter().filter(|child| *child != heir) {
                    self.set_parent(child, day, Some(heir))?;
                }
            }
            None if !below.is_empty() => return Err(UnitRefusal::HasChildren),
            None => {}
        }
        if let Some(parent) = self.units.get(code).and_then(|unit| unit.parent().cloned()) {
            self.children.entry(parent).or_default().remove(code);
        }
        self.edit(code, |unit| unit.end = Some((day, ending)))
    }

    fn set_parent(
        &mut self,
        code: &UnitCode,
        day: Date,
        parent: Option<&UnitCode>,
    ) -> Result<(), UnitRefusal> {
        let before = self.units.get(code).and_then(|unit| unit.parent().cloned());
        if let Some(before) = before {
            self.children.entry(before).or_default().remove(code);
        }
        self.hang(code, parent);
        self.edit(code, |unit| {
            // Of several moves on one day the last one counts.
            unit.parents.retain(|(since, _)| *since != day);
            unit.parents.push((day, parent.cloned()));
        })
    }

    fn hang(&mut self, code: &UnitCode, parent: Option<&UnitCode>) {
        if let Some(parent) = parent {
            self.children.entry(parent.clone()).or_default().insert(code.clone());
        }
    }

    fn lives(&self, code: &UnitCode) -> bool {
        self.units.get(code).is_some_and(Unit::lives)
    }

    fn edit(&mut self, code: &UnitCode, edit: impl FnOnce(&mut Unit)) -> Result<(), UnitRefusal> {
        self.units.get_mut(code).map(edit).ok_or(UnitRefusal::Unknown)
    }
}

fn told_well(about: &About) -> Result<(), UnitRefusal> {
    if about.agency.len() > AGENCY_CODES_MAX {
        return Err(UnitRefusal::Agency);
    }
    Ok(())
}
