//! What is counted of one system in a month, entry by entry, in the order of the journal.

use std::collections::BTreeMap;
use std::sync::Arc;

use dancu_domain::ids::SystemCode;
use dancu_domain::moment::{DutyDay, Hours, Moment};
use dancu_domain::profile::{LockEnds, LockScope, Profiles};
use dancu_domain::refusal::Reason;
use dancu_domain::rule::RuleId;
use dancu_domain::service::{Service, Window};
use dancu_domain::statements::{Count, Exceeded, Locked, Open, RefusedFor};
use dancu_journal::{Act, Decision, Query};

use crate::raise_requests::begins;

/// What a refusal did to its line, as numbered in the journal format: it locked it.
const LOCKED: u8 = 2;
/// What the entry of a raise says where a second approver is still awaited (D8).
const FIRST_OF_TWO: &str = "người duyệt thứ nhất";

/// What the program says in an entry, without the reason that a person gave.
fn before_reason(detail: &str) -> &str {
    detail.split("; lý do:").next().unwrap_or(detail)
}

/// What can be locked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Scope {
    Line(String, String),
    Connection(Cause),
    Account(u32),
}

/// Why a whole connection is locked: each lock ends by itself, and it goes on when all have ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Cause {
    /// The count of a line, where the profile locks more than the line (D3).
    Count,
    /// For security (D6).
    Security,
    /// A dossier that a campaign waits for (B4).
    Campaign,
}

/// Exceedances of a line on a day.
struct Day {
    at: Moment,
    entry: u64,
    times: u32,
}

/// What is counted of a system.
pub(super) struct Tally {
    profiles: Arc<Profiles>,
    hours: Hours,
    served: BTreeMap<(u8, u8), BTreeMap<String, Count>>,
    refused: BTreeMap<(String, u8), u64>,
    repeats: u64,
    exceeded: BTreeMap<(u8, u8, i32), Day>,
    standing: BTreeMap<Scope, Open>,
    ended: Vec<Locked>,
}

/// What a statement says of it.
pub(super) struct Counted {
    pub(super) served: Vec<(u8, u8, String, Count)>,
    pub(super) refused: Vec<RefusedFor>,
    pub(super) repeats: u64,
    pub(super) exceedances: Vec<Exceeded>,
    pub(super) locks: Vec<Locked>,
    /// Those of the locks that went on.
    pub(super) open: Vec<Open>,
}

impl Tally {
    /// One that begins with what was locked before.
    pub(super) fn new(profiles: &Arc<Profiles>, hours: &Hours, open: &[Open]) -> Self {
        let standing = open.iter().filter_map(|open| Some((scope_of(&open.lock)?, open.clone())));
        Self {
            profiles: profiles.clone(),
            hours: hours.clone(),
            served: BTreeMap::new(),
            refused: BTreeMap::new(),
            repeats: 0,
            exceeded: BTreeMap::new(),
            standing: standing.collect(),
            ended: vec![],
        }
    }

    /// Counts a question of the month.
    pub(super) fn question(&mut self, q: &Query, index: u64, arrival: Moment) {
        match q.decision {
            Decision::Accepted => {
                let purposes = self.served.entry((q.service, q.window)).or_default();
                // Nearly always there: its name is not copied for each question.
                if !purposes.contains_key(&q.purpose) {
                    purposes.insert(q.purpose.clone(), Count::default());
                }
                if let Some(count) = purposes.get_mut(&q.purpose) {
                    count_one(count, q);
                }
                // Whatever ended the lock of a connection: a question that was answered did follow.
                self.end_connection(arrival);
            }
            Decision::Refused => {
                *self.refused.entry((q.rule.clone(), q.reason)).or_default() += 1;
                if q.event != 0 {
                    self.exceedance(q, index, arrival);
                }
            }
            Decision::Repeat => self.repeats += 1,
        }
    }

    fn exceedance(&mut self, q: &Query, index: u64, at: Moment) {
        let key = (q.service, q.window, q.duty_day);
        let day = self.exceeded.entry(key).or_insert(Day { at, entry: index, times: 0 });
        day.times += 1;
        if q.event != LOCKED {
            return;
        }
        let rule = &self.profiles.at(at).exceedance;
        let until = match rule.lock_ends {
            LockEnds::NextDutyDay => Some(begins(&self.hours, DutyDay(q.duty_day + 1))),
            LockEnds::NamedPerson => None,
        };
        let line = Scope::Line(service(q.service), window(q.window));
        if rule.scope == LockScope::Connection {
            let whole = self.begin(Scope::Connection(Cause::Count), (RuleId::D3, index, at));
            whole.until = until;
            whole.line = Some((service(q.service), window(q.window)));
        }
        self.begin(line, (RuleId::D3, index, at)).until = until;
    }

    /// Whether a question was answered.
    pub(super) fn gave(&self) -> bool {
        !self.served.is_empty()
    }

    /// Looks at an act on the system, or on several of which it may be one.
    pub(super) fn act(&mut self, act: &Act, index: u64, at: Moment) {
        let mut words = act.detail.split([' ', ';', ',']);
        let first = words.next().unwrap_or_default();
        let second = words.next().unwrap_or_default();
        let third = words.next().unwrap_or_default();
        match act.kind.as_str() {
            "line.lift" => self.end_line((second, third), at),
            "line.raise" if !before_reason(&act.detail).contains(FIRST_OF_TWO) => {
                let from = act.detail.split_once(" từ ").and_then(|(_, rest)| {
                    Moment::parse_rfc3339(rest.split([' ', ',', ';']).next()?)
                });
                self.ends_by((second, third), from.unwrap_or(at).max(at));
            }
            "system.state" if second == "locked" => {
                self.begin(Scope::Connection(Cause::Security), (RuleId::D6, index, at));
            }
            // The lock for security ended, that of a campaign holds.
            "system.state" if second == "locked:" => {
                self.end(&Scope::Connection(Cause::Security), at);
            }
            "campaign.locked" => {
                let lock = self.begin(Scope::Connection(Cause::Campaign), (RuleId::B4, index, at));
                first.clone_into(&mut lock.campaign);
            }
            "campaign.extended" | "campaign.stopped" => {
                self.let_go(first.trim_end_matches(':'), at);
            }
            // Behind its own words stands the campaign whose lock it ended, if it ended one.
            "dossier.accepted" | "dossier.live" => {
                for part in act.detail.split("; ") {
                    self.let_go(part.split([',', ' ']).next().unwrap_or_default(), at);
                }
            }
            "system.state" if second != "closed" => {
                // In another state it is locked for neither.
                self.end(&Scope::Connection(Cause::Security), at);
                self.end(&Scope::Connection(Cause::Campaign), at);
            }
            "system.state" | "dossier.closed" => self.end_connection(at),
            "officer.revoked" => {
                for part in before_reason(&act.detail).split(", ") {
                    let Some((code, account)) = part.split_once(" #") else { continue };
                    if SystemCode::parse(code).is_ok() {
                        self.end_account(account, at);
                    }
                }
            }
            "accounts.changesApplied" => {
                let revoked = act.detail.rsplit_once("; thu hồi #").unwrap_or_default().1;
                revoked.split(" #").for_each(|account| self.end_account(account, at));
            }
            "account.state" => {
                let Some(account) = second.strip_prefix('#').and_then(|n| n.parse().ok()) else {
                    return;
                };
                match third.to_lowercase().as_str() {
                    "locked" => {
                        self.begin(Scope::Account(account), (RuleId::D6, index, at));
                    }
                    "suspended" => {}
                    _ => self.end(&Scope::Account(account), at),
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, scope: Scope, (rule, entry, at): (RuleId, u64, Moment)) -> &mut Open {
        self.end(&scope, at);
        let (named, account) = match &scope {
            Scope::Line(service, window) => (Some((service.clone(), window.clone())), None),
            Scope::Connection(_) => (None, None),
            Scope::Account(account) => (None, Some(*account)),
        };
        let (service, window) = named.unzip();
        let lock = Locked {
            scope: word(&scope).into(),
            service,
            window,
            account,
            rule: rule.code().into(),
            from: at.rfc3339(),
            to: None,
            entry,
        };
        let open = Open { lock, until: None, line: None, campaign: String::new() };
        self.standing.entry(scope).insert_entry(open).into_mut()
    }

    /// Ends a lock, unless it ended by itself before.
    fn end(&mut self, scope: &Scope, at: Moment) {
        if let Some(mut standing) = self.standing.remove(scope) {
            let to = standing.until.map_or(at, |until| until.min(at));
            standing.lock.to = Some(to.rfc3339());
            self.ended.push(standing.lock);
        }
    }

    fn end_connection(&mut self, at: Moment) {
        for cause in [Cause::Count, Cause::Security, Cause::Campaign] {
            self.end(&Scope::Connection(cause), at);
        }
    }

    /// Ends the lock of an account by its row, where that is one.
    fn end_account(&mut self, row: &str, at: Moment) {
        if let Ok(account) = row.parse() {
            self.end(&Scope::Account(account), at);
        }
    }

    /// Ends the lock of a campaign.
    fn let_go(&mut self, campaign: &str, at: Moment) {
        let scope = Scope::Connection(Cause::Campaign);
        if self.standing.get(&scope).is_some_and(|open| open.campaign == campaign) {
            self.end(&scope, at);
        }
    }

    /// Locks that came with a line's count: its own, and that of the connection.
    fn of_line((service, window): (&str, &str), open: &Open) -> bool {
        let same = |line: (&str, &str)| line == (service, window);
        let whole = open.line.as_ref().map(|(s, w)| (s.as_str(), w.as_str()));
        let own = open.lock.service.as_deref().zip(open.lock.window.as_deref());
        whole.is_some_and(same) || own.is_some_and(same)
    }

    fn end_line(&mut self, line: (&str, &str), at: Moment) {
        let its = self.standing.iter().filter(|(_, open)| Self::of_line(line, open));
        let its: Vec<Scope> = its.map(|(scope, _)| scope.clone()).collect();
        for scope in &its {
            self.end(scope, at);
        }
    }

    /// A raise ends the lock of its line when it begins.
    fn ends_by(&mut self, line: (&str, &str), at: Moment) {
        for open in self.standing.values_mut().filter(|open| Self::of_line(line, open)) {
            open.until = Some(open.until.map_or(at, |until| until.min(at)));
        }
    }

    /// What was counted until the month's end.
    pub(super) fn finish(mut self, end: Moment) -> Counted {
        let over = |open: &Open| open.until.is_some_and(|until| until <= end);
        let due: Vec<Scope> =
            self.standing.iter().filter(|(_, s)| over(s)).map(|(scope, _)| scope.clone()).collect();
        for scope in due {
            self.end(&scope, end);
        }
        let mut locks = self.ended;
        let open: Vec<Open> = self.standing.into_values().collect();
        locks.extend(open.iter().map(|open| open.lock.clone()));
        locks.sort_by_key(|lock| lock.entry);
        let exceeded = self.exceeded.into_iter().map(|((of, in_window, day), found)| Exceeded {
            service: service(of),
            window: window(in_window),
            day: DutyDay(day).date().to_string(),
            at: found.at.rfc3339(),
            times: found.times,
            entry: found.entry,
        });
        let refused = self.refused.into_iter().map(|((rule, reason), questions)| RefusedFor {
            text_vi: reason_text(reason),
            rule,
            reason,
            questions,
        });
        let served = self.served.into_iter().flat_map(|((service, window), purposes)| {
            purposes.into_iter().map(move |(purpose, count)| (service, window, purpose, count))
        });
        Counted {
            served: served.collect(),
            refused: refused.collect(),
            repeats: self.repeats,
            exceedances: exceeded.collect(),
            locks,
            open,
        }
    }
}

fn count_one(count: &mut Count, q: &Query) {
    count.questions += 1;
    count.persons += u64::from(q.counted);
    // Classes of answer, as numbered in the journal format.
    match q.answer {
        1 | 5 => count.matches += 1,
        2 | 6 => count.no_matches += 1,
        3 | 4 | 8 => count.delivered += 1,
        _ => count.other += 1,
    }
}

fn reason_text(reason: u8) -> String {
    Reason::from_number(reason).map_or_else(String::new, |reason| reason.text().title_vi.into())
}

/// The code of a service, as statements write it.
pub(super) fn service(number: u8) -> String {
    Service::from_index(number).map_or_else(|| format!("#{number}"), |s| s.code().into())
}

/// The code of a window, as statements write it.
pub(super) fn window(number: u8) -> String {
    Window::from_index(number).map_or_else(|| format!("#{number}"), |w| w.code().into())
}

const fn word(scope: &Scope) -> &'static str {
    match scope {
        Scope::Line(..) => "line",
        Scope::Connection(_) => "connection",
        Scope::Account(_) => "account",
    }
}

fn scope_of(lock: &Locked) -> Option<Scope> {
    match lock.scope.as_str() {
        "line" => Some(Scope::Line(lock.service.clone()?, lock.window.clone()?)),
        "connection" => Some(Scope::Connection(match lock.rule.as_str() {
            "D3" => Cause::Count,
            "B4" => Cause::Campaign,
            _ => Cause::Security,
        })),
        "account" => Some(Scope::Account(lock.account?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
