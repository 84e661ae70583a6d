//! The first reading: is every row right by itself and among the others?

use std::collections::HashMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use anyhow::bail;
use dancu_domain::ids::PersonalId;
use dancu_domain::person::{HouseholdRole, Relative};
use dancu_store::registry::load::Seen;
use jiff::civil::Date;

use super::ERRORS_LISTED_MAX;
use super::lines::{self, Batch};
use crate::population::csv::read::{self, Membership, Warning, as_head};
use crate::population::csv::{Fault, Header, RowError, column};

/// Marks lines that are not loaded: wrong or blank.
const NOT_LOADED: u32 = u32::MAX;
/// Marks people outside households.
const NO_HOUSEHOLD: u32 = u32::MAX - 1;

/// What the first reading found.
#[derive(Default)]
pub struct Checked {
    /// Rows, without blank lines.
    pub rows: u64,
    /// Wrong rows.
    pub bad: u64,
    /// The first of them, by line.
    pub errors: Vec<RowError>,
    /// Right rows with each warning, in the order of [`Warning::ALL`].
    pub warned: [u64; Warning::ALL.len()],
    notes: Vec<Note>,
    slots: Vec<Slot>,
}

/// What is kept of a line.
struct Note {
    /// Position of its household, or a mark.
    household: u32,
    /// Digest of the head as the row has it; 0 where it has none.
    claim: u32,
}

/// What is kept of a household.
#[derive(Default)]
struct Slot {
    /// Rows that say they are the head, counted up to two.
    heads: u8,
    head: Option<Relative>,
}

/// What is to be done with a line in the second reading.
pub enum Verdict<'a> {
    /// Nothing.
    Skip,
    /// Load it, outside households.
    Alone,
    /// Load it as a member of the household with this position and head.
    Member(u32, &'a Relative),
}

impl Checked {
    /// Rows to load.
    pub fn good(&self) -> u64 {
        self.rows - self.bad
    }

    /// Rows to load among `count` lines from line `first` on.
    pub fn good_among(&self, first: u64, count: u64) -> u64 {
        let notes = (first..first + count).filter_map(|line| self.note(line));
        notes.filter(|note| note.household != NOT_LOADED).count() as u64
    }

    /// What to do with a line; none where the first reading did not see it.
    pub fn verdict(&self, line: u64) -> Option<Verdict<'_>> {
        match self.note(line)?.household {
            NOT_LOADED => Some(Verdict::Skip),
            NO_HOUSEHOLD => Some(Verdict::Alone),
            household => {
                let head = self.slots.get(household as usize)?.head.as_ref()?;
                Some(Verdict::Member(household, head))
            }
        }
    }

    /// The first row is on line 2.
    fn note(&self, line: u64) -> Option<&Note> {
        self.notes.get(usize::try_from(line).ok()?.checked_sub(2)?)
    }

    fn error(&mut self, line: u64, fault: Fault) {
        self.bad += 1;
        if self.errors.len() < ERRORS_LISTED_MAX {
            self.errors.push(fault.at(line));
        }
    }
}

/// Checks a file.
pub fn run(file: &File, today: Date, progress: &dyn Fn(u64)) -> anyhow::Result<Checked> {
    let (header, mut lines) = lines::open(file)?;
    let mut rows = Rows::default();
    lines::in_order(
        || lines.batch(),
        |batch| check(&header, batch, today),
        |found| {
            found.into_iter().try_for_each(|line| rows.add(line))?;
            progress(rows.checked.rows);
            Ok(())
        },
    )?;
    Ok(rows.finish())
}

/// A line by itself.
enum Line {
    Blank,
    Wrong(Fault),
    Right { id: PersonalId, household: Option<Place>, warnings: Vec<Warning> },
}

/// A line's place in a household.
struct Place {
    number: String,
    /// The person as head, on the line of a head.
    head: Option<Relative>,
    claim: u32,
}

fn check(header: &Header, batch: &Batch, today: Date) -> Vec<Line> {
    let line = |(_, line)| {
        if lines::is_blank(line) {
            return Line::Blank;
        }
        match lines::row(header, line).and_then(|row| read::draft(&row, today)) {
            Err(fault) => Line::Wrong(fault),
            Ok(draft) => {
                let (id, warnings) = (draft.person.personal_id, draft.warnings);
                let household = draft.household.map(|Membership { number, role, head }| {
                    let is_head = role == HouseholdRole::Head;
                    Place {
                        number,
                        head: is_head.then(|| as_head(&draft.person)),
                        // The head's own line was compared with the person already.
                        claim: head.filter(|_| !is_head).as_ref().map_or(0, digest),
                    }
                });
                Line::Right { id, household, warnings }
            }
        }
    };
    batch.lines().map(line).collect()
}

/// Digest of a head, to compare rows without keeping them. A rare collision lets a wrong repetition
/// pass; what is loaded is the head's own row in any case.
fn digest(head: &Relative) -> u32 {
    let mut hasher = DefaultHasher::new();
    let old = head.old_id.map(dancu_domain::ids::OldId::number);
    let id = head.personal_id.map(PersonalId::number);
    (head.full_name.as_str(), id, old, head.nationality.as_str()).hash(&mut hasher);
    (hasher.finish() as u32).max(1)
}

/// The rows among each other.
#[derive(Default)]
struct Rows {
    checked: Checked,
    seen: Seen,
    positions: HashMap<Box<str>, u32>,
}

impl Rows {
    fn add(&mut self, line: Line) -> anyhow::Result<()> {
        let number = self.checked.notes.len() as u64 + 2;
        let fault = match line {
            Line::Blank => None,
            Line::Wrong(fault) => Some(fault),
            Line::Right { id, .. } if !self.seen.insert(id) => {
                Some(Fault::of(column::PERSONAL_ID, "số định danh đã có ở dòng trước"))
            }
            Line::Right { household, warnings, .. } => {
                for (kind, count) in Warning::ALL.iter().zip(&mut self.checked.warned) {
                    *count += u64::from(warnings.contains(kind));
                }
                let note = match household {
                    None => Note { household: NO_HOUSEHOLD, claim: 0 },
                    Some(place) => self.place(place)?,
                };
                self.checked.rows += 1;
                self.checked.notes.push(note);
                return Ok(());
            }
        };
        self.checked.notes.push(Note { household: NOT_LOADED, claim: 0 });
        if let Some(fault) = fault {
            self.checked.rows += 1;
            self.checked.error(number, fault);
        }
        Ok(())
    }

    fn place(&mut self, place: Place) -> anyhow::Result<Note> {
        let household = if let Some(known) = self.positions.get(&*place.number) {
            *known
        } else {
            let position = self.checked.slots.len() as u32;
            if position >= NO_HOUSEHOLD {
                bail!("quá nhiều hộ (too many households)");
            }
            self.checked.slots.push(Slot::default());
            self.positions.insert(place.number.into(), position);
            position
        };
        if let (Some(head), Some(slot)) =
            (place.head, self.checked.slots.get_mut(household as usize))
        {
            slot.heads = (slot.heads + 1).min(2);
            slot.head = Some(head);
        }
        Ok(Note { household, claim: place.claim })
    }

    /// Judges the households, now that all their rows are known.
    fn finish(mut self) -> Checked {
        let mut checked = std::mem::take(&mut self.checked);
        let mut notes = std::mem::take(&mut checked.notes);
        let own = std::mem::take(&mut checked.errors);
        let heads: Vec<u32> =
            checked.slots.iter().map(|s| s.head.as_ref().map_or(0, digest)).collect();
        for (note, line) in notes.iter_mut().zip(2..) {
            let Some(slot) = checked.slots.get(note.household as usize) else {
                continue;
            };
            let head = heads.get(note.household as usize);
            let fault = match slot.heads {
                0 => Fault::of(column::HOUSEHOLD_ROLE, "hộ không có dòng đúng nào là chủ hộ CH01"),
                1 if note.claim == 0 || Some(&note.claim) == head => continue,
                1 => Fault::of(column::HEAD, "chủ hộ khác dòng CH01 của hộ"),
                _ => Fault::of(column::HOUSEHOLD_ROLE, "hộ có hơn một chủ hộ CH01"),
            };
            note.household = NOT_LOADED;
            checked.error(line, fault);
        }
        checked.notes = notes;
        checked.errors.extend(own);
        checked.errors.sort_by_key(|error| error.row);
        checked.errors.truncate(ERRORS_LISTED_MAX);
        checked
    }
}
