//! Gathering (tổng hợp): what a focal point sees of the units whose papers go through it (B8):
//! commune unit → commune → province focal point → centre; ministry unit → ministry → centre.
//!
//! [`Lines`] says which units those are, [`Facts`] what is known of each, [`Summary`] puts both
//! together: one row for each unit, who is behind first, and totals.
//!
//! **Invariant:** in a summary each unit of the line stands once, though two focal points may lead
//! to it, and no unit outside of the line. **Invariant:** it holds no personal data.

mod lines;
mod refusal;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use hashbrown::HashMap;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use self::lines::{Lines, codes};
pub use self::refusal::GatherRefusal;
use crate::campaigns::{Standing, TaskState, province_of};
use crate::dossier::{DossierNumber, Part, Stage, Turn};
use crate::ids::{SystemId, UnitCode};
use crate::moment::Moment;
use crate::registration::ConnectionState;
use crate::units::{Tree, Unit};

/// How far behind a unit is; the furthest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Level {
    /// A campaign locked a connection of it (B4).
    Locked,
    /// The deadline of a campaign has passed.
    Overdue,
    /// A campaign waits for it.
    Due,
    /// A dossier waits for it.
    Waits,
    /// What it handed in waits for others.
    Elsewhere,
    /// Nothing is open, and what it has is suspended or locked for another reason.
    Stopped,
    /// Something is live, and nothing is open.
    Fine,
    /// It has neither system nor dossier.
    Nothing,
}

impl Level {
    /// Every level, in order.
    pub const ALL: [Self; 8] = [
        Self::Locked,
        Self::Overdue,
        Self::Due,
        Self::Waits,
        Self::Elsewhere,
        Self::Stopped,
        Self::Fine,
        Self::Nothing,
    ];

    /// The word in addresses and in keys of texts.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Overdue => "overdue",
            Self::Due => "due",
            Self::Waits => "waits",
            Self::Elsewhere => "elsewhere",
            Self::Stopped => "stopped",
            Self::Fine => "fine",
            Self::Nothing => "nothing",
        }
    }

    /// From its word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.code() == code)
    }

    /// As papers say it.
    #[must_use]
    pub const fn name_vi(self) -> &'static str {
        match self {
            Self::Locked => "Quá hạn, đã khóa",
            Self::Overdue => "Quá hạn",
            Self::Due => "Trong đợt, chờ đơn vị",
            Self::Waits => "Chờ đơn vị",
            Self::Elsewhere => "Chờ cơ quan khác",
            Self::Stopped => "Kết nối bị dừng",
            Self::Fine => "Không còn việc",
            Self::Nothing => "Chưa kết nối",
        }
    }

    /// Whether the unit itself has to do something: it may be urged.
    #[must_use]
    pub const fn is_behind(self) -> bool {
        matches!(self, Self::Locked | Self::Overdue | Self::Due | Self::Waits)
    }
}

/// Whose turn it is with a dossier.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Whose {
    /// Nobody's: it is live, or there is none.
    Nobody,
    /// The unit's, or that of who operates its software.
    Unit,
    /// The centre's.
    Centre,
    /// Of who assesses security.
    Assessor,
}

impl Whose {
    /// Of several turns that run beside each other the unit's comes first: it can do something.
    #[must_use]
    pub fn of(turns: &[Turn]) -> Self {
        let any = |wanted: &[Turn]| turns.iter().any(|turn| wanted.contains(turn));
        match () {
            () if any(&[Turn::Unit, Turn::Integrator]) => Self::Unit,
            () if any(&[Turn::Reviewer, Turn::Operator]) => Self::Centre,
            () if any(&[Turn::Assessor]) => Self::Assessor,
            () => Self::Nobody,
        }
    }

    /// The word in keys of texts.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Unit => "unit",
            Self::Centre => "centre",
            Self::Assessor => "assessor",
        }
    }

    /// As papers say it.
    #[must_use]
    pub const fn name_vi(self) -> &'static str {
        match self {
            Self::Nobody => "",
            Self::Unit => "đơn vị",
            Self::Centre => "Trung tâm",
            Self::Assessor => "cơ quan kiểm tra an ninh",
        }
    }
}

/// A system of a unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SystemAt {
    /// Which.
    pub id: SystemId,
    /// Its connection.
    pub state: ConnectionState,
    /// Accounts on its list.
    pub accounts: u32,
}

/// A dossier of a unit that has not come to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DossierAt {
    /// Which.
    pub number: DossierNumber,
    /// Of which system, where it is registered.
    pub system: Option<SystemId>,
    /// Where it stands.
    pub standing: Standing,
    /// Whose turn it is.
    pub whose: Whose,
    /// Parts in which it lacks what the unit has to do, where it is the unit's turn.
    pub lacks: Vec<Part>,
}

/// A task of a campaign that is not over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaskAt {
    /// Of which dossier.
    pub dossier: DossierNumber,
    /// How far it is.
    pub state: TaskState,
    /// Its last day.
    pub deadline: Date,
}

/// What is known of a unit.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Facts {
    /// Its systems, but those that are closed.
    pub systems: Vec<SystemAt>,
    /// Its dossiers, but those that have come to their end.
    pub dossiers: Vec<DossierAt>,
    /// Its open tasks.
    pub tasks: Vec<TaskAt>,
}

impl Facts {
    fn level(&self, today: Date) -> Level {
        let is_units = |task: &TaskAt| {
            let found = self.dossiers.iter().find(|d| d.number == task.dossier);
            found.is_none_or(|d| d.standing.is_units_turn())
        };
        // What was handed in waits for the centre, also where the connection is still locked.
        let mut open = self.tasks.iter().filter(|task| is_units(task));
        let waits = |d: &DossierAt| d.whose == Whose::Unit;
        match open.clone().map(|task| task.deadline).min() {
            Some(_) if open.any(|task| task.state == TaskState::Locked) => Level::Locked,
            Some(first) if first < today => Level::Overdue,
            Some(_) => Level::Due,
            None if self.dossiers.iter().any(waits) => Level::Waits,
            None if self.dossiers.iter().any(|d| d.standing.stage < Stage::Live.number()) => {
                Level::Elsewhere
            }
            None if self.systems.iter().any(|s| s.state == ConnectionState::Live) => Level::Fine,
            None if self.systems.iter().any(|s| is_stopped(s.state)) => Level::Stopped,
            None => Level::Nothing,
        }
    }

    fn counts(&self, level: Level) -> Counts {
        // Opened again while the connection goes on: what is in force is not up to date.
        let open = |system: &SystemAt| {
            let mut of_it = self.dossiers.iter().filter(|d| d.system == Some(system.id));
            of_it.any(|d| d.standing.stage < Stage::Live.number())
        };
        let mut counts = Counts { units: 1, behind: level.is_behind().into(), ..Counts::default() };
        for system in &self.systems {
            let slot = match system.state {
                ConnectionState::Live if !open(system) => &mut counts.live,
                ConnectionState::Live | ConnectionState::Preparing => &mut counts.incomplete,
                ConnectionState::Suspended | ConnectionState::Locked => &mut counts.locked,
                ConnectionState::Closed => continue,
            };
            *slot += 1;
            counts.accounts += system.accounts;
        }
        let under_way = |d: &&DossierAt| d.standing.stage < Stage::Live.number();
        counts.dossiers = self.dossiers.iter().filter(under_way).count() as u32;
        counts.waiting = self.dossiers.iter().filter(|d| d.whose == Whose::Unit).count() as u32;
        counts.tasks = self.tasks.len() as u32;
        counts
    }
}

const fn is_stopped(state: ConnectionState) -> bool {
    matches!(state, ConnectionState::Suspended | ConnectionState::Locked)
}

/// What is counted of units; sums of them are totals.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Counts {
    /// Units.
    pub units: u32,
    /// Units that have to do something.
    pub behind: u32,
    /// Systems that are live, with nothing open.
    pub live: u32,
    /// Systems that are being prepared, or live with a dossier that is not up to date.
    pub incomplete: u32,
    /// Systems that are suspended or locked.
    pub locked: u32,
    /// Accounts on the lists of these systems.
    pub accounts: u32,
    /// Dossiers that are under way.
    pub dossiers: u32,
    /// Those of them that wait for the unit.
    pub waiting: u32,
    /// Open tasks of campaigns.
    pub tasks: u32,
}

impl Counts {
    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            units: self.units + other.units,
            behind: self.behind + other.behind,
            live: self.live + other.live,
            incomplete: self.incomplete + other.incomplete,
            locked: self.locked + other.locked,
            accounts: self.accounts + other.accounts,
            dossiers: self.dossiers + other.dossiers,
            waiting: self.waiting + other.waiting,
            tasks: self.tasks + other.tasks,
        }
    }

    /// Percent of the units that are not behind; all of nothing.
    #[must_use]
    pub const fn share(&self) -> u32 {
        match ((self.units - self.behind) * 100).checked_div(self.units) {
            Some(share) => share,
            None => 100,
        }
    }
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::and)
    }
}

/// A unit in a summary.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Row {
    /// Which.
    pub unit: UnitCode,
    /// Its name on the day of the summary.
    pub name: String,
    /// Its province of the present list.
    pub province: Option<u8>,
    /// How far behind it is.
    pub level: Level,
    /// What is counted of it.
    pub counts: Counts,
    /// Number of the stage of the dossier that waits longest, of the unit's first; none: none is
    /// under way.
    pub stage: Option<u8>,
    /// Whose turn it is with that dossier.
    pub whose: Whose,
    /// Since when that dossier stands there.
    pub since: Option<Moment>,
    /// Parts in which dossiers lack what the unit has to do.
    pub lacks: Vec<Part>,
    /// The first last day of its open tasks.
    pub deadline: Option<Date>,
}

impl Row {
    fn of(tree: &Tree, unit: &Unit, facts: &Facts, today: Date) -> Self {
        let level = facts.level(today);
        let mut open: Vec<&DossierAt> =
            facts.dossiers.iter().filter(|d| d.standing.stage < Stage::Live.number()).collect();
        open.sort_by_key(|d| (d.whose != Whose::Unit, d.standing.since, d.number));
        let lacks = |part: &Part| open.iter().any(|d| d.lacks.contains(part));
        Self {
            unit: unit.code.clone(),
            name: unit.name().to_owned(),
            province: province_of(tree, &unit.code),
            level,
            counts: facts.counts(level),
            stage: open.first().map(|d| d.standing.stage),
            whose: open.first().map_or(Whose::Nobody, |d| d.whose),
            since: open.first().map(|d| d.standing.since),
            lacks: Part::ALL.into_iter().filter(lacks).collect(),
            deadline: facts.tasks.iter().map(|task| task.deadline).min(),
        }
    }

    /// Who is behind comes first: by level, then by deadline, then who waits longest.
    fn rank(&self) -> impl Ord + use<'_> {
        let deadline = self.deadline.unwrap_or(Date::MAX);
        (self.level, deadline, self.since.unwrap_or(Moment(i64::MAX)), &self.name, &self.unit)
    }
}

/// What a focal point sees on a day.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Summary {
    /// Where it is gathered; none: at the centre.
    pub at: Option<UnitCode>,
    /// The day.
    pub day: Date,
    /// Every unit of the line, that of the focal point too; who is behind first.
    pub rows: Vec<Row>,
    /// All of them together.
    pub total: Counts,
}

impl Summary {
    /// The summary of a line; of a unit without facts there is neither system nor dossier.
    #[must_use]
    pub fn of(
        (tree, lines): (&Tree, &Lines),
        facts: &BTreeMap<UnitCode, Facts>,
        at: Option<&UnitCode>,
        day: Date,
    ) -> Self {
        let nothing = Facts::default();
        let units = lines.line(at).into_iter().filter_map(|code| tree.get(code));
        let mut rows: Vec<Row> = units
            .map(|unit| Row::of(tree, unit, facts.get(&unit.code).unwrap_or(&nothing), day))
            .collect();
        rows.sort_by(|a, b| a.rank().cmp(&b.rank()));
        let total = rows.iter().map(|row| row.counts).sum();
        Self { at: at.cloned(), day, rows, total }
    }

    /// The row of a unit.
    #[must_use]
    pub fn row(&self, unit: &UnitCode) -> Option<&Row> {
        self.rows.iter().find(|row| row.unit == *unit)
    }

    /// Totals of what is gathered at each of some units; units outside of the summary count
    /// nothing.
    #[must_use]
    pub fn parts(&self, lines: &Lines, at: &[&UnitCode]) -> Vec<Counts> {
        let rows: HashMap<&UnitCode, Counts> =
            self.rows.iter().map(|row| (&row.unit, row.counts)).collect();
        let part = |at: &&UnitCode| {
            lines.line(Some(at)).into_iter().filter_map(|unit| rows.get(unit).copied()).sum()
        };
        at.iter().map(part).collect()
    }

    /// Totals by province of the present list; none: of units without a place.
    #[must_use]
    pub fn provinces(&self) -> BTreeMap<Option<u8>, Counts> {
        let mut all: BTreeMap<Option<u8>, Counts> = BTreeMap::new();
        for row in &self.rows {
            let slot = all.entry(row.province).or_default();
            *slot = slot.and(row.counts);
        }
        all
    }

    /// The summary as a text of lines and tabs: the digest of a receipt is taken of it. One that
    /// was written stays what it is, so that a receipt can be checked for ever.
    #[must_use]
    pub fn text(&self) -> String {
        let at = self.at.as_ref().map_or("-", UnitCode::as_str);
        let mut text = format!("dancu gathering 1\n{at}\t{}\n", self.day);
        for row in &self.rows {
            let c = row.counts;
            let parts: Vec<&str> = row.lacks.iter().map(|part| part.code()).collect();
            let fields = [
                row.unit.to_string(),
                row.name.clone(),
                row.level.code().to_owned(),
                c.live.to_string(),
                c.incomplete.to_string(),
                c.locked.to_string(),
                c.accounts.to_string(),
                c.dossiers.to_string(),
                c.waiting.to_string(),
                row.stage.map_or("-".to_owned(), |stage| stage.to_string()),
                row.whose.code().to_owned(),
                parts.join(","),
                row.deadline.map_or("-".to_owned(), |day| day.to_string()),
            ];
            text.push_str(&fields.join("\t"));
            text.push('\n');
        }
        text
    }
}
