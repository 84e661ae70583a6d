//! Job plans (rule D5): the unit's announcements, the centre's queue, one page per plan.

use askama::Template;

use crate::chart::HOURS;
use crate::parts::{Choice, FieldError, Level, State, percent};
use crate::shell::Shell;
use crate::text::Text;

/// Where plans stand, in words, icon and colour.
pub mod states {
    use crate::parts::State;

    /// Announced, not yet seen by the centre.
    pub const ANNOUNCED: State =
        State { class: "info", icon: "megaphone", key: "state-plan-announced" };
    /// Seen, not agreed.
    pub const ACKNOWLEDGED: State =
        State { class: "info", icon: "eye", key: "state-plan-acknowledged" };
    /// Never agreed, and its days have passed.
    pub const LAPSED: State = State { class: "warn", icon: "clock", key: "state-plan-lapsed" };
    /// Agreed, still to come.
    pub const AGREED: State = State { class: "good", icon: "check", key: "state-plan-agreed" };
    /// In its days.
    pub const RUNNING: State = State { class: "good", icon: "activity", key: "state-plan-running" };
    /// Ended before its last day.
    pub const ENDED: State = State { class: "warn", icon: "ban", key: "state-plan-ended" };
}

/// A plan in a list.
pub struct PlanRow {
    /// Number.
    pub number: i64,
    /// System code.
    pub system: String,
    /// Unit by its name and code.
    pub unit: String,
    /// Services in words.
    pub services: String,
    /// First and last day.
    pub days: String,
    /// Hours in words.
    pub hours: String,
    /// Persons a day.
    pub daily: u64,
    /// Used today; none where it does not run today.
    pub used: Option<u64>,
    /// Where it stands.
    pub state: State,
    /// Its page.
    pub href: String,
}

impl PlanRow {
    /// Share of the count used today, for the bar.
    #[must_use]
    pub fn share(&self) -> u64 {
        percent(self.used.unwrap_or(0), self.daily)
    }

    /// What is left of the count today.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.daily.saturating_sub(self.used.unwrap_or(0))
    }

    /// How near the count is.
    #[must_use]
    pub fn level(&self, s: &Shell) -> Level {
        Level::of(self.used.unwrap_or(0), self.daily, s)
    }
}

/// Plans of a unit, or those that the centre decides on.
#[derive(Template)]
#[template(path = "plans/list.html")]
pub struct Plans {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// Whether it is the centre's list.
    pub centre: bool,
    /// Those that wait.
    pub waiting: Vec<PlanRow>,
    /// All others.
    pub others: Vec<PlanRow>,
    /// Key of what was done a moment ago.
    pub told: Option<&'static str>,
}

impl Plans {
    /// Heading and rows of its two tables.
    fn parts(&self) -> [(&'static str, &[PlanRow]); 2] {
        [("plans-waiting", &self.waiting), ("plans-others", &self.others)]
    }
}

/// One hour of the strip, as geometry in units of its view box and as numbers.
pub struct Cell {
    /// `07:00`.
    pub hour: String,
    /// Persons that agreed plans take.
    pub taken: u64,
    /// Persons of this plan.
    pub own: u64,
    /// What is left then.
    pub left: u64,
    /// Left edge of the bar.
    pub x: usize,
    /// Upper edge and height of what is taken.
    pub taken_at: (u64, u64),
    /// Upper edge and height of this plan's part on top of it.
    pub own_at: (u64, u64),
    /// Whether this plan finds no room in the hour.
    pub full: bool,
}

/// The hours of a duty day: what agreed plans take, and this one.
pub struct Strip {
    /// 24 hours from the beginning of the duty day on.
    pub cells: Vec<Cell>,
    /// What all plans together may take in an hour (rule D5, ours).
    pub capacity: u64,
}

/// Lower edge of the bars, and their height where an hour is full.
const BOTTOM: u64 = 120;
const FULL: u64 = 100;
/// Width of one hour's place.
const STEP: usize = 32;

impl Strip {
    /// Of what is taken and this plan's own part; the duty day begins at the minute `from`.
    #[must_use]
    pub fn new(taken: [u64; HOURS], own: [u64; HOURS], capacity: u64, from: u16) -> Self {
        let height = |persons: u64, room: u64| percent(persons, capacity).min(room) * FULL / 100;
        let cells = taken.into_iter().zip(own).enumerate().map(|(at, (taken, own))| {
            let below = height(taken, 100);
            // What is there is seen, however little it is.
            let above = height(own, 100).max(u64::from(own > 0) * 2).min(FULL + 8 - below);
            let minute = usize::from(from) + at * 60;
            Cell {
                hour: format!("{:02}:{:02}", minute / 60 % HOURS, minute % 60),
                taken,
                own,
                left: capacity.saturating_sub(taken + own),
                x: at * STEP + 4,
                taken_at: (BOTTOM - below, below),
                own_at: (BOTTOM - below - above, above),
                full: own > 0 && taken + own > capacity,
            }
        });
        Self { cells: cells.collect(), capacity }
    }

    /// Height at which an hour is full.
    #[must_use]
    pub fn full_y(&self) -> u64 {
        BOTTOM - FULL
    }

    /// Lower edge.
    #[must_use]
    pub fn bottom(&self) -> u64 {
        BOTTOM
    }
}

/// A window of the form.
pub struct WindowField {
    /// Key of its words.
    pub key: &'static str,
    /// Beginning of the names of its fields: `in` or `off`.
    pub name: &'static str,
    /// Whether it is ticked.
    pub chosen: bool,
    /// `HH:MM` as typed.
    pub from: String,
    /// `HH:MM` as typed.
    pub to: String,
}

/// The form of an announcement.
#[derive(Template)]
#[template(path = "plans/form.html")]
pub struct PlanForm {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// Systems to choose from.
    pub systems: Vec<Choice>,
    /// Services to tick.
    pub services: Vec<Choice>,
    /// The two windows.
    pub windows: Vec<WindowField>,
    /// Whether a count of its own is asked for.
    pub own_count: bool,
    /// What the lines of a unit may take off hours, which a plan without a count of its own shares.
    pub cap: u64,
    /// What was typed, by field.
    pub typed: Typed,
    /// The strip: of what was typed, or of what is taken tomorrow.
    pub strip: Strip,
    /// One for each time the form is shown: a doubled post is done once.
    pub once: String,
}

/// Fields of an announcement as typed.
#[derive(Default)]
pub struct Typed {
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
    /// Persons a day.
    pub daily: String,
    /// Login of the account.
    pub account: String,
    /// Name of who is called.
    pub contact: String,
    /// Their telephone.
    pub phone: String,
    /// What it is for.
    pub purpose: String,
    /// Why by itself, and at these hours.
    pub reason: String,
}

/// A step of the history.
pub struct Event {
    /// Key of what was done.
    pub key: &'static str,
    /// When.
    pub time: String,
    /// Who.
    pub by: String,
    /// The rule of a refusal; empty for other steps.
    pub rule: &'static str,
    /// What they wrote.
    pub reason: String,
}

/// How a plan is given up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The unit takes it back.
    Withdraw,
    /// It ends early.
    End,
}

impl Stop {
    const fn key(self) -> &'static str {
        match self {
            Self::Withdraw => "plan-withdraw",
            Self::End => "plan-end",
        }
    }
}

/// What may be done with a plan on its page.
#[derive(Clone, Copy, Default)]
pub struct Acts {
    /// How it may be given up.
    pub stop: Option<Stop>,
    /// The centre acknowledges it.
    pub acknowledge: bool,
    /// It is agreed or refused.
    pub decide: bool,
    /// Who announced it looks at it among those who decide.
    pub own: bool,
}

/// One plan.
#[derive(Template)]
#[template(path = "plans/plan.html")]
pub struct PlanPage {
    /// Texts.
    pub t: Text,
    /// Frame.
    pub s: Shell,
    /// What is wrong.
    pub errors: Vec<FieldError>,
    /// The plan as a row.
    pub row: PlanRow,
    /// Its list.
    pub list: &'static str,
    /// Whether it has a count of its own.
    pub own_count: bool,
    /// Login of its account.
    pub account: String,
    /// Who is called.
    pub contact: String,
    /// Their telephone.
    pub phone: String,
    /// What it is for.
    pub purpose: String,
    /// The strip.
    pub strip: Strip,
    /// History, in order.
    pub history: Vec<Event>,
    /// What may be done.
    pub acts: Acts,
    /// Rules to refuse under.
    pub rules: Vec<Choice>,
    /// The form that was sent and refused, which stays open: `refuse`, `end`; empty: none.
    pub sent: &'static str,
    /// The reason as it was typed there.
    pub reason: String,
    /// Key of what was done a moment ago.
    pub told: Option<&'static str>,
}

impl PlanPage {
    /// Why it is to end, as it was typed.
    fn ending(&self) -> &str {
        if self.sent == "end" { &self.reason } else { "" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strip_shows_what_is_taken_and_where_there_is_no_room() {
        let (mut taken, mut own) = ([0; HOURS], [0; HOURS]);
        (taken[0], own[0], own[1], taken[2]) = (50, 50, 1, 10);
        (taken[3], own[3]) = (60, 41);
        let strip = Strip::new(taken, own, 100, 420);
        let cell = |at: usize| &strip.cells[at];
        assert_eq!((cell(0).hour.as_str(), cell(17).hour.as_str()), ("07:00", "00:00"));
        assert_eq!((cell(0).taken_at, cell(0).own_at, cell(0).left), ((70, 50), (20, 50), 0));
        assert!(!cell(0).full && cell(3).full && cell(1).own_at.1 >= 2);
        assert_eq!((cell(2).own, cell(2).left), (0, 90));
        assert!(strip.cells.iter().all(|c| c.own_at.0 < BOTTOM + 1 && c.own_at.0 + 8 >= 20));
    }
}
