//! Which units are gathered where.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::UnitCode;
use crate::units::{Tree, UnitKind};

/// The lines of a tree: where the papers of each living unit go next, and from where they come.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Lines {
    next: BTreeMap<UnitCode, Vec<UnitCode>>,
    from: BTreeMap<UnitCode, Vec<UnitCode>>,
}

impl Lines {
    /// The lines of the living units of a tree.
    #[must_use]
    pub fn of(tree: &Tree) -> Self {
        let mut lines = Self::default();
        for unit in tree.all().filter(|unit| unit.lives()) {
            // The unit of the centre itself is the end of every line.
            let next = tree.gathered_at(&unit.code).into_iter();
            let next: Vec<UnitCode> = next
                .filter(|next| next.about.kind != UnitKind::Centre)
                .map(|next| next.code.clone())
                .collect();
            for focal in &next {
                lines.from.entry(focal.clone()).or_default().push(unit.code.clone());
            }
            lines.next.insert(unit.code.clone(), next);
        }
        lines
    }

    /// Where the papers of a unit go next, two places at most; none: to the centre, or there is
    /// no such unit.
    #[must_use]
    pub fn next(&self, unit: &UnitCode) -> &[UnitCode] {
        self.next.get(unit).map_or(&[], Vec::as_slice)
    }

    /// The units whose papers come to a focal point directly, by code; with none: to the centre.
    #[must_use]
    pub fn directly(&self, at: Option<&UnitCode>) -> Vec<&UnitCode> {
        match at {
            Some(at) => self.from.get(at).into_iter().flatten().collect(),
            None => self.next.iter().filter(|(_, next)| next.is_empty()).map(|(u, _)| u).collect(),
        }
    }

    /// Whether papers of others come to a unit.
    #[must_use]
    pub fn gathers(&self, unit: &UnitCode) -> bool {
        self.from.contains_key(unit)
    }

    /// Every unit whose papers go through a focal point, with its own, each once; with none: every
    /// living unit, for all of them end at the centre, even where two name each other.
    #[must_use]
    pub fn line(&self, at: Option<&UnitCode>) -> BTreeSet<&UnitCode> {
        let Some(at) = at else { return self.next.keys().collect() };
        let mut seen: BTreeSet<&UnitCode> = BTreeSet::new();
        let mut open: Vec<&UnitCode> =
            self.next.get_key_value(at).map(|(u, _)| u).into_iter().collect();
        while let Some(unit) = open.pop() {
            if seen.insert(unit) {
                open.extend(self.from.get(unit).into_iter().flatten());
            }
        }
        seen
    }
}

/// Codes under which a unit received papers: its own, and those of units that it took over.
#[must_use]
pub fn codes(tree: &Tree, unit: &UnitCode) -> Vec<UnitCode> {
    let Some(unit) = tree.resolve(unit) else { return vec![] };
    let all = tree.all().filter(|old| tree.resolve(&old.code).is_some_and(|u| u.code == unit.code));
    all.map(|old| old.code.clone()).collect()
}
