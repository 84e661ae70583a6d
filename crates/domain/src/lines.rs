//! Counts, exceedances and locks: `settle`, the pure half of the ledger's transaction.
//!
//! **Invariant:** a refusal counts nothing; an accepted question counts its persons once on the
//! line, once on the account and, off hours, once on the system's total. **Invariant:** the state
//! changes only through [`Lines::settle`], [`Lines::lift`] and loading, and every change since
//! [`Lines::begin`] can be taken back until [`Lines::durable`], because a commit may fail.

mod exceedance;
mod locks;
mod undo;

use std::collections::VecDeque;

use hashbrown::HashMap;

use crate::ids::{AccountId, LineId, PlanId, SystemId};
use crate::moment::{Duty, DutyDay, Moment};
use crate::profile::{LockEnds, LockScope, Profile};
use crate::refusal::{Reason, Refusal};
use crate::registration::{LineLimit, Raise};
use crate::service::Window;
use locks::Locks;
use undo::Undo;

/// One decided question, ready to be counted.
#[derive(Clone, Copy, Debug)]
pub struct Intent {
    /// Time of arrival at the gate: it decides window and day (D1).
    pub at: Moment,
    /// Day and window of the arrival.
    pub duty: Duty,
    /// System.
    pub system: SystemId,
    /// Line of the service and window.
    pub line: LineId,
    /// The line's count at the arrival.
    pub limit: LineLimit,
    /// Account.
    pub account: AccountId,
    /// The account's declared daily average.
    pub account_daily: u32,
    /// Job plan with a count of its own (D4, D5).
    pub own_plan: Option<(PlanId, u32)>,
    /// Persons counted: 1, or one per item of a batch (D2).
    pub items: u32,
    /// The same id and body were answered before: counts nothing.
    pub repeat: bool,
    /// The registry was not read, because the last known totals left no room.
    pub unread: bool,
}

/// What became of an intent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Counted and to be answered.
    Accepted {
        /// Left on the line after this one.
        remaining: u32,
        /// Highest warning threshold that this question passed on line or account, percent.
        warning: Option<u8>,
    },
    /// Refused.
    Refused {
        /// Why.
        refusal: Refusal,
        /// Left on the line.
        remaining: u32,
        /// What the refusal did to the line (D3).
        event: Option<Event>,
    },
    /// There is room after all, but the registry was not read: ask again. Nothing was counted.
    ReadFirst,
}

/// An exceedance of a line (D3): officer, head and centre are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The first of an exhaustion.
    Exceeded,
    /// One that locked the line or connection.
    Locked,
}

/// A line on one duty day.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LineDay {
    /// Persons accepted.
    pub used: u32,
    /// Persons refused for this line's count since the last lift.
    pub refused: u32,
    /// Exceedances since the last lift.
    pub exceedances: u32,
    /// When the last exceedance was, if the current exhaustion has one.
    pub exceeded_at: Option<Moment>,
    /// When the first exceedance of the current episode was: its grace runs from here.
    pub episode_at: Option<Moment>,
    /// Requests refused after the grace.
    pub refused_after: u32,
}

/// A locked line (D3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineLock {
    /// System of the line.
    pub system: SystemId,
    /// When it was locked.
    pub since: Moment,
    /// When it ends by itself.
    pub until: Option<Moment>,
    /// Whether it stops the whole connection.
    pub connection: bool,
}

impl LineLock {
    const fn reason(&self) -> Reason {
        if self.connection { Reason::ConnectionLocked } else { Reason::LineLocked }
    }
}

/// A count that decides, by its key; what a store loads and saves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Row {
    /// A line's day.
    Line(LineId, SystemId, Window, DutyDay, LineDay),
    /// An account's day.
    Account(AccountId, DutyDay, u32),
    /// A plan's day.
    Plan(PlanId, DutyDay, u32),
    /// A lock, or its end.
    Lock(LineId, Option<LineLock>),
}

/// Every count that decides.
#[derive(Clone, Default, Debug)]
pub struct Lines {
    counted: HashMap<(LineId, DutyDay), Counted>,
    accounts: HashMap<(AccountId, DutyDay), u32>,
    plans: HashMap<(PlanId, DutyDay), u32>,
    off_hours: HashMap<(SystemId, DutyDay), u32>,
    locks: Locks,
    /// What takes back each change that is not durable yet, oldest first.
    undo: VecDeque<Undo>,
    /// Changes of each batch before the current one that is not durable yet.
    closed: VecDeque<usize>,
    /// Whether a batch was begun that is not durable yet.
    open: bool,
}

#[derive(Clone, Copy, Debug)]
struct Counted {
    system: SystemId,
    window: Window,
    day: LineDay,
}

impl Lines {
    /// The state of these rows.
    pub fn load(rows: impl IntoIterator<Item = Row>) -> Self {
        let mut lines = Self::default();
        for row in rows {
            match row {
                Row::Line(id, system, window, day, state) => {
                    if window == Window::OffHours {
                        *lines.off_hours.entry((system, day)).or_default() += state.used;
                    }
                    lines.counted.insert((id, day), Counted { system, window, day: state });
                }
                Row::Account(id, day, used) => {
                    lines.accounts.insert((id, day), used);
                }
                Row::Plan(id, day, used) => {
                    lines.plans.insert((id, day), used);
                }
                Row::Lock(id, Some(lock)) => {
                    lines.locks.set(id, Some(lock));
                }
                Row::Lock(..) => {}
            }
        }
        lines
    }

    /// Takes over rows that another node changed. No batch may be under way here.
    pub fn take_over(&mut self, rows: impl IntoIterator<Item = Row>) {
        for row in rows {
            match row {
                Row::Line(id, system, window, day, state) => {
                    let counted = Counted { system, window, day: state };
                    let old = self.counted.insert((id, day), counted);
                    if window == Window::OffHours {
                        let total = self.off_hours.entry((system, day)).or_default();
                        *total = total.saturating_sub(old.map_or(0, |c| c.day.used)) + state.used;
                    }
                }
                Row::Account(id, day, used) => {
                    self.accounts.insert((id, day), used);
                }
                Row::Plan(id, day, used) => {
                    self.plans.insert((id, day), used);
                }
                Row::Lock(id, lock) => {
                    self.locks.set(id, lock);
                }
            }
        }
    }

    /// Forgets the counts of days before `oldest`; locks stay.
    pub fn forget_before(&mut self, oldest: DutyDay) {
        self.counted.retain(|(_, day), _| *day >= oldest);
        self.accounts.retain(|(_, day), _| *day >= oldest);
        self.plans.retain(|(_, day), _| *day >= oldest);
        self.off_hours.retain(|(_, day), _| *day >= oldest);
    }

    /// Settles a batch in its order; the single question is a batch of one.
    pub fn settle(&mut self, profile: &Profile, intents: &[Intent]) -> Vec<Outcome> {
        intents.iter().map(|i| self.one(profile, i)).collect()
    }

    /// Settles one intent: lock, line, off-hours total, account, in this order.
    pub fn one(&mut self, profile: &Profile, i: &Intent) -> Outcome {
        self.end_lock(i);
        if let Some(reason) = self.lock_on(i) {
            return self.refused(i, reason, None);
        }
        if !i.repeat
            && let Some(reason) = self.no_room(profile, i)
        {
            let event = (reason == Reason::LineUsedUp).then(|| self.exceed(profile, i)).flatten();
            return self.refused(i, reason, event);
        }
        if i.unread {
            return Outcome::ReadFirst;
        }
        let warning = if i.repeat { None } else { self.count(profile, i) };
        Outcome::Accepted { remaining: self.remaining(i), warning }
    }

    /// What would be refused now without counting anything: the gate's look before the registry.
    pub fn peek(&self, profile: &Profile, i: &Intent) -> Option<Reason> {
        let lock = self.locks.in_force(i.system, i.line, i.at, self.lock_ended(i));
        if let Some(lock) = lock {
            return Some(lock.reason());
        }
        if i.repeat { None } else { self.no_room(profile, i) }
    }

    /// Left on the intent's line.
    pub fn remaining(&self, i: &Intent) -> u32 {
        match i.own_plan {
            Some((plan, count)) => count.saturating_sub(value(&self.plans, &(plan, i.duty.day))),
            None => i.limit.count.saturating_sub(self.line_day(i.line, i.duty.day).used),
        }
    }

    /// A line's day; zero where nothing was asked.
    pub fn line_day(&self, line: LineId, day: DutyDay) -> LineDay {
        self.counted.get(&(line, day)).map_or_else(LineDay::default, |c| c.day)
    }

    /// Persons asked about by an account on a day.
    pub fn account_used(&self, account: AccountId, day: DutyDay) -> u32 {
        value(&self.accounts, &(account, day))
    }

    /// The accounts that asked anything on a day, with the persons asked about.
    pub fn accounts_of(&self, day: DutyDay) -> impl Iterator<Item = (AccountId, u32)> {
        let of_day = self.accounts.iter().filter(move |((_, of), used)| *of == day && **used > 0);
        of_day.map(|((account, _), used)| (*account, *used))
    }

    /// Persons asked about off hours by a system on a day, over all its lines.
    pub fn off_hours_used(&self, system: SystemId, day: DutyDay) -> u32 {
        value(&self.off_hours, &(system, day))
    }

    /// The lock on a line, ended or not.
    pub fn lock(&self, line: LineId) -> Option<LineLock> {
        self.locks.get(line)
    }

    /// Locks in force at an instant: those of one line, those of a whole connection.
    pub fn locks_in_force(&self, at: Moment) -> (u64, u64) {
        self.locks.count(at)
    }

    /// The lock in force on a line or on its whole system at an instant.
    pub fn lock_in_force(&self, system: SystemId, line: LineId, at: Moment) -> Option<LineLock> {
        self.locks.in_force(system, line, at, false)
    }

    /// The lock in force on a whole connection at an instant (D3).
    pub fn connection_lock(&self, system: SystemId, at: Moment) -> Option<LineLock> {
        // No line is numbered 0: only locks of the whole system are found.
        self.locks.in_force(system, LineId(0), at, false).filter(|lock| lock.connection)
    }

    /// An approved raise ends the line's lock when it comes into force (D3, D8).
    pub fn raise_granted(&mut self, line: LineId, raise: &Raise) {
        let begins = raise.begins();
        if let Some(lock) = self.locks.get(line)
            && raise.is_raise()
            && raise.approved_at > lock.since
        {
            let until = lock.until.map_or(begins, |u| u.min(begins));
            self.set_lock(line, Some(LineLock { until: Some(until), ..lock }));
        }
    }

    /// A named person lifts the lock of a line, and with it a connection lock that it caused; the
    /// exhaustion starts afresh (D3). Returns whether there was one in force.
    pub fn lift(&mut self, system: SystemId, line: LineId, day: DutyDay, at: Moment) -> bool {
        let causes: Vec<LineId> = self
            .locks
            .iter()
            .filter(|(id, l)| {
                (*id == line || (l.connection && l.system == system))
                    && l.until.is_none_or(|u| at < u)
            })
            .map(|(id, _)| id)
            .collect();
        for id in &causes {
            self.set_lock(*id, None);
            if let Some(c) = self.counted.get(&(*id, day)).copied() {
                let fresh = LineDay { used: c.day.used, ..LineDay::default() };
                self.set_line(*id, day, Counted { day: fresh, ..c });
            }
        }
        !causes.is_empty()
    }

    fn lock_on(&self, i: &Intent) -> Option<Reason> {
        self.lock_in_force(i.system, i.line, i.at).map(|lock| lock.reason())
    }

    /// Whether a raise approved after the lock has begun (D3: "an approved raise" ends it).
    fn lock_ended(&self, i: &Intent) -> bool {
        let lock = self.locks.get(i.line);
        lock.is_some_and(|l| {
            l.until.is_some_and(|u| i.at >= u)
                || i.limit.raise_approved.is_some_and(|approved| approved > l.since)
        })
    }

    fn end_lock(&mut self, i: &Intent) {
        if self.lock_ended(i) {
            self.set_lock(i.line, None);
        }
    }

    fn no_room(&self, profile: &Profile, i: &Intent) -> Option<Reason> {
        let over = |used: u32, count: u32| used.saturating_add(i.items) > count;
        let day = i.duty.day;
        if let Some((plan, count)) = i.own_plan {
            if over(value(&self.plans, &(plan, day)), count) {
                return Some(Reason::PlanUsedUp);
            }
        } else {
            if over(self.line_day(i.line, day).used, i.limit.count) {
                return Some(Reason::LineUsedUp);
            }
            if i.duty.window == Window::OffHours
                && over(self.off_hours_used(i.system, day), profile.counts.off_hours_cap)
            {
                return Some(Reason::OffHoursUsedUp);
            }
        }
        let stop = i.account_daily.saturating_mul(profile.counts.account_hard_stop_factor);
        over(self.account_used(i.account, day), stop).then_some(Reason::AccountHardStop)
    }

    fn refused(&self, i: &Intent, reason: Reason, event: Option<Event>) -> Outcome {
        let until = match reason {
            Reason::LineLocked | Reason::ConnectionLocked => {
                self.lock_in_force(i.system, i.line, i.at).and_then(|l| l.until)
            }
            _ => Some(i.duty.resets_at),
        };
        let seconds = until.map(|u| (u.0 - i.at.0).max(0).unsigned_abs().div_ceil(1000) as u32);
        let refusal = Refusal { reason, retry_after_s: seconds };
        Outcome::Refused { refusal, remaining: self.remaining(i), event }
    }

    fn count(&mut self, profile: &Profile, i: &Intent) -> Option<u8> {
        let day = i.duty.day;
        let account = self.account_used(i.account, day);
        self.undo_account((i.account, day));
        self.accounts.insert((i.account, day), account + i.items);
        let mut warning = profile.counts.warning(account, account + i.items, i.account_daily);
        if let Some((plan, count)) = i.own_plan {
            let used = value(&self.plans, &(plan, day));
            self.undo.push_back(Undo::Plan((plan, day), self.plans.get(&(plan, day)).copied()));
            self.plans.insert((plan, day), used + i.items);
            return warning.max(profile.counts.warning(used, used + i.items, count));
        }
        let mut c = self.counted(i);
        let before = c.day.used;
        c.day.used += i.items;
        self.set_line(i.line, day, c);
        warning = warning.max(profile.counts.warning(before, before + i.items, i.limit.count));
        if i.duty.window == Window::OffHours {
            let key = (i.system, day);
            let used = value(&self.off_hours, &key);
            self.undo.push_back(Undo::OffHours(key, self.off_hours.get(&key).copied()));
            self.off_hours.insert(key, used + i.items);
        }
        warning
    }

    /// D3: what a request refused for the count of an in-hours line does to the line.
    fn exceed(&mut self, profile: &Profile, i: &Intent) -> Option<Event> {
        if i.duty.window != Window::InHours {
            return None;
        }
        let mut c = self.counted(i);
        c.day.refused = c.day.refused.saturating_add(i.items);
        let event = exceedance::exceedance(profile, i, &mut c.day);
        self.set_line(i.line, i.duty.day, c);
        if event == Some(Event::Locked) {
            let rule = &profile.exceedance;
            let until = match rule.lock_ends {
                LockEnds::NextDutyDay => Some(i.duty.resets_at),
                LockEnds::NamedPerson => None,
            };
            let connection = rule.scope == LockScope::Connection;
            let lock = LineLock { system: i.system, since: i.at, until, connection };
            self.set_lock(i.line, Some(lock));
        }
        event
    }

    fn counted(&self, i: &Intent) -> Counted {
        self.counted.get(&(i.line, i.duty.day)).copied().unwrap_or(Counted {
            system: i.system,
            window: i.duty.window,
            day: LineDay::default(),
        })
    }

    fn set_line(&mut self, line: LineId, day: DutyDay, c: Counted) {
        let old = self.counted.insert((line, day), c);
        self.undo.push_back(Undo::Line((line, day), old));
    }

    fn set_lock(&mut self, line: LineId, lock: Option<LineLock>) {
        let old = self.locks.set(line, lock);
        self.undo.push_back(Undo::Lock(line, old));
    }

    fn undo_account(&mut self, key: (AccountId, DutyDay)) {
        self.undo.push_back(Undo::Account(key, self.accounts.get(&key).copied()));
    }
}

fn value<K: std::hash::Hash + Eq>(map: &HashMap<K, u32>, key: &K) -> u32 {
    map.get(key).copied().unwrap_or(0)
}
