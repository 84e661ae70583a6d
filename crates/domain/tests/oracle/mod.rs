//! A naive second opinion on counts, windows, lines and locks (rules D1, D2, D3, D4, D8).
//!
//! Written from `design/rules.md` ("rules"), `design/contract.md` ("contract") and the decisions in
//! the oracle's commission ("brief"), without sight of the implementation. It keeps every past
//! request in one list and recomputes each answer from that whole list; nothing is cached. A
//! sentence in quotes is the source of the line under it. "Choice" marks a reading of ours where
//! the text leaves room.
//!
//! Not modelled: pace (D7), abnormal use (D6), job plans with their own count (D4), holiday
//! calendars (D1), names, authentication. Calls come in time order: no `raise` or `lift_lock` is
//! dated before an `ask` made earlier.
#![expect(clippy::expect_used, reason = "the oracle stops at a question that makes no sense")]

/// Rules D3: "Readings in the profile: twoEpisodes (default), everyRefusal, twiceVolume".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reading {
    TwoEpisodes,
    EveryRefusal,
    TwiceVolume,
}

/// Rules D3: "scope line or connection".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    Line,
    Connection,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Window {
    InHours,
    OffHours,
}

/// The registered daily counts of the two lines of (system, service).
#[derive(Clone, Debug)]
pub struct LineDef {
    pub system: u32,
    pub service: u8,
    pub in_hours: u32,
    pub off_hours: u32,
}

/// Account numbers are unique over all systems (E1: "one account per system").
#[derive(Clone, Debug)]
pub struct AccountDef {
    pub account: u32,
    pub system: u32,
    pub daily: u32,
}

/// D8, in force in `[max(approved_at, from), to)`. Choice: one that adds nothing or is over before
/// it begins is none.
#[derive(Clone, Copy, Debug)]
pub struct Raise {
    pub system: u32,
    pub service: u8,
    pub window: Window,
    pub extra: u32,
    pub approved_at_ms: i64,
    pub from_ms: i64,
    pub to_ms: i64,
}

#[derive(Clone, Debug)]
pub struct Config {
    pub reading: Reading,
    pub scope: Scope,
    pub lock_ends_next_duty_day: bool,
    pub off_hours_cap: u32,
    pub lines: Vec<LineDef>,
    pub accounts: Vec<AccountDef>,
}

/// One request; `at_ms` is its time of arrival in UTC epoch milliseconds, `items` the persons it
/// counts.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    pub at_ms: i64,
    pub system: u32,
    pub service: u8,
    pub account: u32,
    pub items: u32,
    pub repeat_of_answered: bool,
}

/// `remaining` is what the line has left after this request; `rule` is "D2", "D3" or "D4".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Accepted { remaining: u32 },
    Refused { rule: &'static str },
}

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Contract: "refusals in [first, first + 15 min) belong to the first".
const GRACE_MS: i64 = 15 * 60_000;

/// Window and duty day (days since 1970-01-01 of the Viet Nam date on which the duty day began) of
/// an instant.
///
/// D1: "In hours [07:00, 18:00), off hours [18:00, 07:00 next day), Viet Nam time. An off-hours
/// window belongs to the date it began on. The duty day of every count runs 07:00 → 07:00." Viet
/// Nam time is UTC+7 all year.
#[must_use]
pub fn duty(at_ms: i64) -> (Window, i64) {
    let viet_nam_ms = at_ms + 7 * HOUR_MS;
    let time_of_day = viet_nam_ms.rem_euclid(DAY_MS);
    let in_hours = (7 * HOUR_MS..18 * HOUR_MS).contains(&time_of_day);
    let window = if in_hours { Window::InHours } else { Window::OffHours };
    (window, (viet_nam_ms - 7 * HOUR_MS).div_euclid(DAY_MS))
}

/// Rules, "Words": "A line is one registered row: system × service × window."
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Line {
    system: u32,
    service: u8,
    window: Window,
}

/// One past request and what came of it.
#[derive(Debug)]
struct Past {
    at_ms: i64,
    day: i64,
    line: Line,
    account: u32,
    /// Persons it counted: its items if accepted as new, otherwise 0 (D2: "Refusals … and identical
    /// repeats count nothing").
    counted: u32,
    /// Persons it was refused for *because of this line's count*; 0 when it was accepted or refused
    /// for another reason.
    refused: u32,
    /// It was refused because of this line's count.
    for_count: bool,
    /// It made an exceedance of its line.
    exceedance: bool,
    /// It set the lock, which holds from the next request on.
    locks: bool,
}

/// A recorded raise; `after` = how many requests had been made when it was recorded (tells the
/// order at equal times).
#[derive(Debug)]
struct PastRaise {
    raise: Raise,
    after: usize,
}

impl PastRaise {
    fn line(&self) -> Line {
        Line { system: self.raise.system, service: self.raise.service, window: self.raise.window }
    }
    /// D8: "in force at once", but not before its from.
    fn start(&self) -> i64 {
        self.raise.approved_at_ms.max(self.raise.from_ms)
    }
    /// It concerns `line` and has come into force by `at_ms` (and may have ended since).
    fn has_begun(&self, line: Line, at_ms: i64) -> bool {
        self.line() == line
            && self.raise.extra > 0
            && self.start() < self.raise.to_ms
            && self.start() <= at_ms
    }
}

/// "ends by a named person with reason": which lock (place of the request that set it in the list),
/// and when.
#[derive(Debug)]
struct Lift {
    lock: usize,
    at_ms: i64,
}

pub struct Oracle {
    config: Config,
    past: Vec<Past>,
    raises: Vec<PastRaise>,
    lifts: Vec<Lift>,
}

impl Oracle {
    #[must_use]
    pub fn new(c: Config) -> Self {
        Self { config: c, past: Vec::new(), raises: Vec::new(), lifts: Vec::new() }
    }

    /// Decides one request and remembers it.
    ///
    /// # Panics
    /// If the requests do not come in time order, or the line or the account is not in the
    /// configuration.
    pub fn ask(&mut self, a: Ask) -> Verdict {
        // D1: "The time of arrival at the gate decides."
        let (window, day) = duty(a.at_ms);
        let line = Line { system: a.system, service: a.service, window };
        assert!(self.past.iter().all(|p| p.at_ms <= a.at_ms), "asks must come in time order");
        assert!(
            self.config.lines.iter().any(|l| l.system == a.system && l.service == a.service),
            "unregistered line"
        );
        let account =
            self.config.accounts.iter().find(|d| d.account == a.account && d.system == a.system);
        let hard_stop = 2 * u64::from(account.expect("unregistered account").daily);

        let left = self.count_in_force(a.at_ms, line).saturating_sub(self.line_used(a.at_ms, line));
        let night = self.off_hours_used(a.at_ms, a.system);
        let spent = self.account_used(a.at_ms, a.account);
        let mut entry = Past {
            at_ms: a.at_ms,
            day,
            line,
            account: a.account,
            counted: 0,
            refused: 0,
            for_count: false,
            exceedance: false,
            locks: false,
        };
        let verdict = if !self.locks_on(a.at_ms, line).is_empty() {
            // Contract: "A locked line: 403, D3." First of all checks; a repeat is "refused on a
            // locked one".
            Verdict::Refused { rule: "D3" }
        } else if a.repeat_of_answered {
            // Contract: "A repeat of an answered id is answered on a full line too"; "not counted".
            // Choice: so neither the off-hours total nor the account's hard stop, which are counts
            // too, refuses it.
            Verdict::Accepted { remaining: left }
        } else if a.items > left {
            // D2: "A line's daily count is hard: a request over it is refused"; for count as a
            // whole, no part answered. Before D4: "When a line and the off-hours cap end together:
            // D2."
            entry.refused = a.items;
            entry.for_count = true;
            entry.exceedance = window == Window::InHours && self.makes_exceedance(a, line);
            // D3: "Going over twice a day → lock": whatever exceedance is not the first of its
            // count locks.
            entry.locks = entry.exceedance && self.line_exceedances(a.at_ms, line) >= 1;
            Verdict::Refused { rule: "D2" }
        } else if window == Window::OffHours
            && wide(night, a.items) > u64::from(self.config.off_hours_cap)
        {
            // D4: "the off-hours lines of a unit's form together ≤ 1,000 a day, registered and
            // used", per system here. Choice: a raise of an off-hours line (D8) does not raise this
            // cap.
            Verdict::Refused { rule: "D4" }
        } else if wide(spent, a.items) > hard_stop {
            // D2: account: "hard stop at 2× (ours)"; contract: "an account's hard stop: 429, D2".
            // No exceedance of the line.
            Verdict::Refused { rule: "D2" }
        } else {
            // D2: "One accepted request = one query …; batch and list items count one per person."
            entry.counted = a.items;
            Verdict::Accepted { remaining: left - a.items }
        };
        self.past.push(entry);
        verdict
    }

    /// D8: "operator grants in one step, two approvers above 2×; in force at once, ends by itself."
    pub fn raise(&mut self, r: Raise) {
        self.raises.push(PastRaise { raise: r, after: self.past.len() });
    }

    /// D3: the lock "ends by a named person with reason". Without a lock on that line this does
    /// nothing.
    ///
    /// Choice: afterwards the line's exceedances start afresh (the next refusal for count is a
    /// first exceedance with its own 15 minutes and its own volume of refusals); else the very next
    /// refusal would lock again and the named person's act would be void. The persons counted stay
    /// counted. Under `Scope::Connection` naming any line the lock stops lifts it whole, and only
    /// the line that caused it starts afresh.
    pub fn lift_lock(&mut self, at_ms: i64, system: u32, service: u8, window: Window) {
        for lock in self.locks_on(at_ms, Line { system, service, window }) {
            self.lifts.push(Lift { lock, at_ms });
        }
    }

    /// Persons counted on a line in the duty day of `at_ms`.
    #[must_use]
    pub fn used(&self, at_ms: i64, system: u32, service: u8, window: Window) -> u32 {
        self.line_used(at_ms, Line { system, service, window })
    }

    /// Contract: "Exceedances are per line and duty day"; 0 for off-hours lines (D3: "in-hours
    /// lines").
    #[must_use]
    pub fn exceedances(&self, at_ms: i64, system: u32, service: u8, window: Window) -> u32 {
        self.line_exceedances(at_ms, Line { system, service, window })
    }

    /// Whether a lock stops this line at `at_ms`.
    #[must_use]
    pub fn locked(&self, at_ms: i64, system: u32, service: u8, window: Window) -> bool {
        !self.locks_on(at_ms, Line { system, service, window }).is_empty()
    }

    /// D1: "The duty day of every count runs 07:00 → 07:00": an account counts over both windows
    /// and all services.
    #[must_use]
    pub fn account_used(&self, at_ms: i64, account: u32) -> u32 {
        self.today(at_ms).filter(|(_, p)| p.account == account).map(|(_, p)| p.counted).sum()
    }

    /// D4: all off-hours queries of one system in one duty day, over all its services.
    #[must_use]
    pub fn off_hours_used(&self, at_ms: i64, system: u32) -> u32 {
        let hers = |p: &Past| p.line.system == system && p.line.window == Window::OffHours;
        self.today(at_ms).filter(|(_, p)| hers(p)).map(|(_, p)| p.counted).sum()
    }

    /// The requests of the duty day of `at_ms`, up to that instant, with their places in the list.
    fn today(&self, at_ms: i64) -> impl Iterator<Item = (usize, &Past)> {
        let day = duty(at_ms).1;
        self.past.iter().enumerate().filter(move |(_, p)| p.day == day && p.at_ms <= at_ms)
    }

    fn line_used(&self, at_ms: i64, line: Line) -> u32 {
        self.today(at_ms).filter(|(_, p)| p.line == line).map(|(_, p)| p.counted).sum()
    }

    /// The registered daily count plus every raise in force (D8). Choice: raises in force together
    /// add up.
    fn count_in_force(&self, at_ms: i64, line: Line) -> u32 {
        let def =
            self.config.lines.iter().find(|l| l.system == line.system && l.service == line.service);
        let registered = def
            .map_or(0, |l| if line.window == Window::InHours { l.in_hours } else { l.off_hours });
        let in_force =
            self.raises.iter().filter(|r| r.has_begun(line, at_ms) && at_ms < r.raise.to_ms);
        in_force.fold(registered, |sum, r| sum.saturating_add(r.raise.extra))
    }

    /// The refusals for count of this line and duty day, without those up to a lock a named person
    /// has lifted.
    fn refusals(&self, at_ms: i64, line: Line) -> Vec<(usize, &Past)> {
        let lifted = |i: usize| {
            self.lifts
                .iter()
                .any(|l| l.lock >= i && self.past[l.lock].line == line && l.at_ms <= at_ms)
        };
        self.today(at_ms).filter(|(i, p)| p.line == line && p.for_count && !lifted(*i)).collect()
    }

    fn line_exceedances(&self, at_ms: i64, line: Line) -> u32 {
        self.refusals(at_ms, line).iter().map(|(_, p)| u32::from(p.exceedance)).sum()
    }

    /// Whether this request, which is being refused for the count of an in-hours line, is an
    /// exceedance. One request makes at most one. Choice: so under twiceVolume too a single large
    /// request is only the first, and locks nothing.
    fn makes_exceedance(&self, a: Ask, line: Line) -> bool {
        let refusals = self.refusals(a.at_ms, line);
        // D3: "First exceedance = the first request refused for count".
        let Some((last_place, last)) = refusals.iter().rfind(|(_, p)| p.exceedance) else {
            return true;
        };
        // D3: "Second = the line was raised that day and ran out again". Choice: in all readings,
        // for every further exceedance alike, and also when the raise has ended meanwhile.
        let raised_since = |r: &PastRaise| {
            r.has_begun(line, a.at_ms) && (r.start() > last.at_ms || r.after > *last_place)
        };
        if self.raises.iter().any(raised_since) {
            return true;
        }
        // Else "Later refusals of the same exhaustion are not a second one", save as the reading
        // says.
        let count = u64::from(self.count_in_force(a.at_ms, line));
        match self.config.reading {
            // Brief: "each request refused for count on the line is an exceedance of its own".
            Reading::EveryRefusal => true,
            // D3: "from 15 min after the warning the caller still sent more than max(100, 10 % of
            // the line) refused requests"; contract: "the refusal that passes [it] makes the
            // second". Requests, not persons; this one is one of them. Choice: the line = its count
            // in force then; 10 % exactly, not rounded.
            Reading::TwoEpisodes => {
                let late = |at_ms: i64| at_ms >= last.at_ms + GRACE_MS;
                let earlier = refusals.iter().filter(|(_, p)| late(p.at_ms)).count() as u64;
                let sent = earlier + u64::from(late(a.at_ms));
                sent > 100 && sent * 10 > count
            }
            // Brief: "the second is made by the refused request with which the accepted plus
            // refused (for this line's count) persons of the duty day pass twice the line's count
            // in force then". Choice: more than twice.
            Reading::TwiceVolume => {
                let refused: u64 = refusals.iter().map(|(_, p)| u64::from(p.refused)).sum();
                u64::from(self.line_used(a.at_ms, line)) + refused + u64::from(a.items) > 2 * count
            }
        }
    }

    /// Places of the requests that set the locks stopping this line at `at_ms`.
    fn locks_on(&self, at_ms: i64, line: Line) -> Vec<usize> {
        // D3: "It locks that line, not the connection" (scope line); scope connection: every line
        // of the system, in both windows. Exceedances stay "per line": two lines with one each lock
        // nothing.
        let stops = |p: &Past| match self.config.scope {
            Scope::Line => p.line == line,
            Scope::Connection => p.line.system == line.system,
        };
        let holds = |(i, p): &(usize, &Past)| {
            p.locks && p.at_ms <= at_ms && stops(p) && !self.lock_ended(at_ms, *i, p)
        };
        self.past.iter().enumerate().filter(holds).map(|(i, _)| i).collect()
    }

    /// D3: the lock "ends by a named person with reason, an approved raise, or the next 07:00
    /// (profile)".
    fn lock_ended(&self, at_ms: i64, place: usize, lock: &Past) -> bool {
        let next_seven = self.config.lock_ends_next_duty_day && duty(at_ms).1 > lock.day;
        let lifted = self.lifts.iter().any(|l| l.lock == place && l.at_ms <= at_ms);
        // Brief: "A raise approved after the lock was set, for that line, ends the lock". Choice:
        // it ends the lock when it comes into force (D8 "in force at once", but not before its
        // from): before that the line has no room for anything.
        let approved_later = |r: &PastRaise| r.raise.approved_at_ms > lock.at_ms || r.after > place;
        let raised = self.raises.iter().any(|r| r.has_begun(lock.line, at_ms) && approved_later(r));
        next_seven || lifted || raised
    }
}

fn wide(a: u32, b: u32) -> u64 {
    u64::from(a) + u64::from(b)
}
