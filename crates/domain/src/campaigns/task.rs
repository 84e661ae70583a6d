//! One dossier of a campaign: what is due of it on a day, and how it ends.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{CampaignRefusal, SENT_BACK_DAYS, ahead};
use crate::dossier::{Asked, Dossier, Mark, Part, Stage};
use crate::moment::{DAY_MS, Moment};
use crate::people::days_between;

/// Where the dossier of a task stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Number of its stage ([`Stage::CODES`]).
    pub stage: u8,
    /// Since when it stands there.
    pub since: Moment,
}

impl Standing {
    /// Whether the unit has to do something: what it handed in waits for the centre. A dossier that
    /// went back to what is in force before, or ended refused or withdrawn while its connection
    /// goes on, is not up to date.
    #[must_use]
    pub const fn is_units_turn(self) -> bool {
        self.stage == Stage::Draft.number()
            || self.stage == Stage::Changes.number()
            || self.stage == Stage::Live.number()
            || self.stage == Stage::Withdrawn.number()
            || self.stage == Stage::REFUSED
    }
}

/// How far a task is. The order is that of the store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum TaskState {
    /// Its dossier is still to be opened again.
    Waiting = 0,
    /// To be brought up to date.
    Open = 1,
    /// The deadline passed: the connection is locked until it is complete.
    Locked = 2,
    /// Up to date.
    Done = 3,
    /// The campaign or the connection ended before.
    Ended = 4,
}

impl TaskState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Open, Self::Locked, Self::Done, Self::Ended];

    /// From its number in the store.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| *state as u8 == number)
    }

    /// Whether nothing more becomes of it.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Ended)
    }
}

/// More time, by a named person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Extension {
    /// The deadline before.
    pub from: Date,
    /// The deadline since.
    pub to: Date,
    /// Why.
    pub reason: String,
    /// Who gave it, and when.
    pub mark: Mark,
}

/// What is due of a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    /// Nothing.
    Nothing,
    /// The reminder of so many days before the deadline.
    Remind(u16),
    /// The connection is locked.
    Lock,
}

/// One dossier of a campaign.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Task {
    deadline: Date,
    state: TaskState,
    reminded: Option<u16>,
    extensions: Vec<Extension>,
    /// Papers that are asked for, as they stood when its dossier was opened.
    asked: Vec<Asked>,
    /// Whether the connection is locked for security besides (D6).
    secured: bool,
}

impl Task {
    /// A task whose dossier is still to be opened.
    #[must_use]
    pub const fn new(deadline: Date) -> Self {
        Self {
            deadline,
            state: TaskState::Waiting,
            reminded: None,
            extensions: vec![],
            asked: vec![],
            secured: false,
        }
    }

    /// Papers that are asked for; none before its dossier was opened.
    #[must_use]
    pub fn asked(&self) -> &[Asked] {
        &self.asked
    }

    /// Papers of its dossier that are not signed anew yet.
    #[must_use]
    pub fn owed(&self, dossier: &Dossier) -> Vec<Part> {
        self.asked.iter().filter(|asked| !dossier.answers(asked)).map(|asked| asked.part).collect()
    }

    /// Its last day.
    #[must_use]
    pub const fn deadline(&self) -> Date {
        self.deadline
    }

    /// How far it is.
    #[must_use]
    pub const fn state(&self) -> TaskState {
        self.state
    }

    /// Extensions, in the order in which they were given.
    #[must_use]
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// What is due on a day; `remind` are the campaign's reminders. Of several that were missed the
    /// one closest to the deadline is due, each once.
    #[must_use]
    pub fn due(&self, remind: &[u16], standing: Standing, today: Date) -> Due {
        if self.state != TaskState::Open || !standing.is_units_turn() {
            return Due::Nothing;
        }
        let left = days_between(today, self.deadline);
        if left < 0 {
            return if today > self.last_day(standing) { Due::Lock } else { Due::Nothing };
        }
        let come = remind.iter().filter(|days| left <= i64::from(**days)).min();
        match come {
            Some(days) if self.reminded.is_none_or(|before| *days < before) => Due::Remind(*days),
            _ => Due::Nothing,
        }
    }

    /// The last day before the lock: one that was sent back has some days from then on.
    fn last_day(&self, standing: Standing) -> Date {
        if standing.stage != Stage::Changes.number() {
            return self.deadline;
        }
        self.deadline.max(standing.since.plus_ms(SENT_BACK_DAYS * DAY_MS).viet_nam_date())
    }

    /// Its dossier was opened, again or for the first time: then these papers are asked for.
    #[must_use]
    pub fn opened(self, asked: Vec<Asked>) -> Self {
        match self.state {
            TaskState::Waiting if self.asked.is_empty() => {
                Self { state: TaskState::Open, asked, ..self }
            }
            TaskState::Waiting => Self { state: TaskState::Open, ..self },
            _ => self,
        }
    }

    /// A reminder was sent.
    #[must_use]
    pub fn reminded(self, days: u16) -> Self {
        Self { reminded: Some(days), ..self }
    }

    /// The connection was locked.
    #[must_use]
    pub fn locked(self) -> Self {
        match self.state {
            TaskState::Open => Self { state: TaskState::Locked, ..self },
            _ => self,
        }
    }

    /// The updated dossier was received; whether that ends a lock.
    #[must_use]
    pub fn received(self) -> (Self, bool) {
        match self.state {
            TaskState::Locked => {
                let unlocked = !self.secured;
                (Self { state: TaskState::Open, secured: false, ..self }, unlocked)
            }
            _ => (self, false),
        }
    }

    /// The dossier is in force as it is now; whether that ends a lock. It is done where every paper
    /// that was asked for is signed anew, else it waits to be opened again.
    #[must_use]
    pub fn in_force(self, dossier: &Dossier) -> (Self, bool) {
        if self.state.is_over() || self.owed(dossier).is_empty() {
            return self.over(TaskState::Done);
        }
        let (open, unlocked) = self.received();
        (Self { state: TaskState::Waiting, ..open }, unlocked)
    }

    /// The connection is locked for security, or not any more, while its dossier is overdue (D6);
    /// none where that changes nothing.
    #[must_use]
    pub fn secured(self, secured: bool) -> Option<Self> {
        let changes = self.state == TaskState::Locked && self.secured != secured;
        changes.then_some(Self { secured, ..self })
    }

    /// The campaign was stopped or the connection ended; whether that ends a lock.
    #[must_use]
    pub fn ended(self) -> (Self, bool) {
        self.over(TaskState::Ended)
    }

    fn over(self, state: TaskState) -> (Self, bool) {
        if self.state.is_over() {
            return (self, false);
        }
        let unlocked = self.state == TaskState::Locked && !self.secured;
        (Self { state, secured: false, ..self }, unlocked)
    }

    /// Gives more time; whether that ends a lock. Reminders begin anew.
    ///
    /// # Errors
    /// [`CampaignRefusal::Over`], [`CampaignRefusal::NotLater`], [`CampaignRefusal::DeadlinePast`],
    /// [`CampaignRefusal::DeadlineFar`].
    pub fn extend(
        mut self,
        mark: Mark,
        to: Date,
        reason: &str,
    ) -> Result<(Self, bool), CampaignRefusal> {
        if self.state.is_over() {
            return Err(CampaignRefusal::Over);
        }
        ahead(to, mark.at.viet_nam_date())?;
        if to <= self.deadline {
            return Err(CampaignRefusal::NotLater);
        }
        let from = std::mem::replace(&mut self.deadline, to);
        self.extensions.push(Extension { from, to, reason: reason.trim().to_owned(), mark });
        self.reminded = None;
        Ok(self.received())
    }
}
