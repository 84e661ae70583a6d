//! What is counted of one system in a month, entry by entry, in the order of the journal.

use std::collections::BTreeMap;
use std::sync::Arc;

use dancu_domain::moment::{DutyDay, Hours, Moment};
use dancu_domain::profile::{LockEnds, LockScope, Profiles};
use dancu_domain::refusal::Reason;
use dancu_domain::rule::RuleId;
use dancu_domain::service::{Service, Window};
use dancu_domain::statements::{Count, Exceeded, Locked, RefusedFor};
use dancu_journal::{Act, Decision, Query};

use crate::raise_requests::begins;

/// What a refusal did to its line, as numbered in the journal format: it locked it.
const LOCKED: u8 = 2;
/// What an act says where it ends the lock of a connection that a campaign locked (B4).
const REOPENED: &str = "mở khóa kết nối";
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
    Connection,
    Account(u32),
}

/// A lock that stands.
struct Standing {
    lock: Locked,
    /// When it ends by itself.
    until: Option<Moment>,
    /// Whether it came with a line's count: it ends with the line's lock.
    by_line: Option<Scope>,
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
    standing: BTreeMap<Scope, Standing>,
    ended: Vec<Locked>,
}

/// What a statement says of it.
pub(super) struct Counted {
    pub(super) served: Vec<(u8, u8, String, Count)>,
    pub(super) refused: Vec<RefusedFor>,
    pub(super) repeats: u64,
    pub(super) exceedances: Vec<Exceeded>,
    pub(super) locks: Vec<Locked>,
}

impl Tally {
    /// One that begins with what was locked before.
    pub(super) fn new(profiles: &Arc<Profiles>, hours: &Hours, open: &[Locked]) -> Self {
        let standing = open.iter().filter_map(|lock| {
            let standing = Standing { lock: lock.clone(), until: None, by_line: None };
            Some((scope_of(lock)?, standing))
        });
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
                self.end(&Scope::Connection, arrival);
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
            let by_line = Some(line.clone());
            self.begin(Scope::Connection, (RuleId::D3, index, at), until, by_line);
        }
        self.begin(line, (RuleId::D3, index, at), until, None);
    }

    /// Looks at an act on the system.
    pub(super) fn act(&mut self, act: &Act, index: u64, at: Moment) {
        let mut words = act.detail.split([' ', ';', ',']);
        words.next();
        let second = words.next().unwrap_or_default();
        let third = words.next().unwrap_or_default();
        match act.kind.as_str() {
            "line.lift" => self.end_line(&Scope::Line(second.into(), third.into()), at),
            "line.raise" if !before_reason(&act.detail).contains(FIRST_OF_TWO) => {
                let from = act.detail.split_once(" từ ").and_then(|(_, rest)| {
                    Moment::parse_rfc3339(rest.split([' ', ',', ';']).next()?)
                });
                self.ends_by(&Scope::Line(second.into(), third.into()), from.unwrap_or(at).max(at));
            }
            "system.state" if second == "locked" => {
                self.begin(Scope::Connection, (RuleId::D6, index, at), None, None);
            }
            // The lock for security ended, that of a campaign holds.
            "system.state" if second == "locked:" => {
                self.begin(Scope::Connection, (RuleId::B4, index, at), None, None);
            }
            "campaign.locked" => {
                self.begin(Scope::Connection, (RuleId::B4, index, at), None, None);
            }
            "system.state" | "dossier.closed" => self.end(&Scope::Connection, at),
            "account.state" => {
                let Some(account) = second.strip_prefix('#').and_then(|n| n.parse().ok()) else {
                    return;
                };
                match third.to_lowercase().as_str() {
                    "locked" => {
                        self.begin(Scope::Account(account), (RuleId::D6, index, at), None, None);
                    }
                    "suspended" => {}
                    _ => self.end(&Scope::Account(account), at),
                }
            }
            // Behind the program's words stands a reason, which may say anything.
            "campaign.extended" if before_reason(&act.detail).ends_with(REOPENED) => {
                self.end(&Scope::Connection, at);
            }
            kind if kind.starts_with("dossier.") && act.detail.ends_with(REOPENED) => {
                self.end(&Scope::Connection, at);
            }
            _ => {}
        }
    }

    fn begin(
        &mut self,
        scope: Scope,
        (rule, entry, at): (RuleId, u64, Moment),
        until: Option<Moment>,
        by_line: Option<Scope>,
    ) {
        self.end(&scope, at);
        let (named, account) = match &scope {
            Scope::Line(service, window) => (Some((service.clone(), window.clone())), None),
            Scope::Connection => (None, None),
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
        self.standing.insert(scope, Standing { lock, until, by_line });
    }

    /// Ends a lock, unless it ended by itself before.
    fn end(&mut self, scope: &Scope, at: Moment) {
        if let Some(mut standing) = self.standing.remove(scope) {
            let to = standing.until.map_or(at, |until| until.min(at));
            standing.lock.to = Some(to.rfc3339());
            self.ended.push(standing.lock);
        }
    }

    fn end_line(&mut self, line: &Scope, at: Moment) {
        self.end(line, at);
        let whole = self.standing.get(&Scope::Connection);
        if whole.is_some_and(|standing| standing.by_line.as_ref() == Some(line)) {
            self.end(&Scope::Connection, at);
        }
    }

    /// A raise ends the lock of its line when it begins.
    fn ends_by(&mut self, line: &Scope, at: Moment) {
        for scope in [line, &Scope::Connection] {
            if let Some(standing) = self.standing.get_mut(scope)
                && (scope == line || standing.by_line.as_ref() == Some(line))
            {
                standing.until = Some(standing.until.map_or(at, |until| until.min(at)));
            }
        }
    }

    /// What was counted until the month's end.
    pub(super) fn finish(mut self, end: Moment) -> Counted {
        let over = |s: &Standing| s.until.is_some_and(|until| until <= end);
        let due: Vec<Scope> =
            self.standing.iter().filter(|(_, s)| over(s)).map(|(scope, _)| scope.clone()).collect();
        for scope in due {
            self.end(&scope, end);
        }
        let mut locks = self.ended;
        locks.extend(self.standing.into_values().map(|standing| standing.lock));
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
        Scope::Connection => "connection",
        Scope::Account(_) => "account",
    }
}

fn scope_of(lock: &Locked) -> Option<Scope> {
    match lock.scope.as_str() {
        "line" => Some(Scope::Line(lock.service.clone()?, lock.window.clone()?)),
        "connection" => Some(Scope::Connection),
        "account" => Some(Scope::Account(lock.account?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use dancu_domain::moment::{DAY_MS, HOUR_MS};
    use dancu_domain::profile::DEFAULT_PROFILE;

    use super::*;

    /// 2026-03-02 07:00 in Viet Nam.
    const MORNING: Moment = Moment(1_772_409_600_000);

    fn tally(open: &[Locked]) -> Tally {
        let profiles = Arc::new(Profiles::parse(DEFAULT_PROFILE).unwrap());
        let hours = profiles.at(MORNING).hours.clone();
        Tally::new(&profiles, &hours, open)
    }

    fn locking(tally: &mut Tally, index: u64, at: Moment) {
        let query = Query {
            decision: Decision::Refused,
            rule: "D2".into(),
            reason: 15,
            event: LOCKED,
            duty_day: 20_514,
            ..Query::default()
        };
        tally.question(&query, index, at);
    }

    fn act(tally: &mut Tally, kind: &str, detail: &str, at: Moment) {
        let (kind, actor, detail) = (kind.into(), String::new(), detail.into());
        tally.act(&Act { kind, actor, system: 1, detail }, 9, at);
    }

    /// Scope, and until when, of each lock by the month's end.
    fn locks(tally: Tally) -> Vec<(String, Option<Moment>)> {
        let all = tally.finish(MORNING.plus_ms(20 * DAY_MS)).locks.into_iter();
        let at = |text: String| Moment::parse_rfc3339(&text).unwrap();
        all.map(|lock| (lock.scope, lock.to.map(at))).collect()
    }

    #[test]
    fn rule_d3_a_line_is_locked_until_somebody_or_the_morning_ends_it() {
        let line = "MAU citizen.verify inHours";
        let (at, later) = (MORNING.plus_ms(HOUR_MS), MORNING.plus_ms(3 * HOUR_MS));
        let half = MORNING.plus_ms(2 * HOUR_MS);
        let next = MORNING.plus_ms(DAY_MS);
        let raise = format!("{line} +5 từ {} đến {}, đề nghị #1", half.rfc3339(), later.rfc3339());
        let first = format!("{raise}, người duyệt thứ nhất; lý do: x");
        for (kind, detail, until) in [
            ("line.lift", format!("{line}; lý do: x"), later),
            ("line.lift", "MAU citizen.verify offHours; lý do: x".to_owned(), next),
            ("line.raise", format!("{line} +5 đến {}; lý do: x", next.rfc3339()), later),
            ("line.raise", first, next),
            ("news.ended", String::new(), next),
        ] {
            let mut tally = tally(&[]);
            locking(&mut tally, 4, at);
            act(&mut tally, kind, &detail, later);
            assert_eq!(locks(tally), [("line".to_owned(), Some(until))], "{kind} {detail}");
        }
        // A raise that was asked for from an hour on ends the lock then, and not sooner.
        let mut tally = tally(&[]);
        locking(&mut tally, 4, at);
        act(&mut tally, "line.raise", &raise, at);
        assert_eq!(locks(tally), [("line".to_owned(), Some(half))]);
    }

    #[test]
    fn rule_d6_named_locks_go_on_into_the_next_month() {
        let mut first = tally(&[]);
        act(&mut first, "account.state", "MAU #12 locked; lý do: x", MORNING);
        act(&mut first, "account.state", "MAU #13 locked; lý do: x", MORNING);
        act(&mut first, "account.state", "MAU #13 unlocked; lý do: x", MORNING.plus_ms(1));
        act(&mut first, "campaign.locked", "DCN-001 HS-00001", MORNING);
        let open: Vec<Locked> = first.finish(MORNING.plus_ms(DAY_MS)).locks;
        let open: Vec<Locked> = open.into_iter().filter(|lock| lock.to.is_none()).collect();
        assert_eq!(open.len(), 2, "{open:?}");
        let mut next = tally(&open);
        let at = MORNING.plus_ms(2 * DAY_MS);
        act(&mut next, "dossier.accepted", "HS-00001: nhận, mở khóa kết nối", at);
        let mut left = locks(next);
        left.sort();
        assert_eq!(left, [("account".to_owned(), None), ("connection".to_owned(), Some(at))]);
    }
}
