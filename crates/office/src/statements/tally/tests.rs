//! Locks of a system, entry by entry.

use dancu_domain::moment::{DAY_MS, HOUR_MS};
use dancu_domain::profile::DEFAULT_PROFILE;

use super::*;

/// 2026-03-02 07:00 in Viet Nam.
const MORNING: Moment = Moment(1_772_409_600_000);

fn tally(open: &[Open]) -> Tally {
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
    let open = first.finish(MORNING.plus_ms(DAY_MS)).open;
    assert_eq!(open.len(), 2, "{open:?}");
    let mut next = tally(&open);
    let at = MORNING.plus_ms(2 * DAY_MS);
    act(&mut next, "dossier.accepted", "HS-00001 hệ thống #1 MAU; DCN-001, mở khóa kết nối", at);
    let mut left = locks(next);
    left.sort();
    assert_eq!(left, [("account".to_owned(), None), ("connection".to_owned(), Some(at))]);
}

#[test]
fn rule_d3_what_ends_by_itself_ends_so_beyond_the_month_too() {
    let (at, edge) = (MORNING.plus_ms(HOUR_MS), MORNING.plus_ms(2 * HOUR_MS));
    let next = MORNING.plus_ms(DAY_MS);
    let mut first = tally(&[]);
    locking(&mut first, 4, at);
    let counted = first.finish(edge);
    assert_eq!((counted.locks[0].to.clone(), counted.open.len()), (None, 1));
    assert_eq!(locks(tally(&counted.open)), [("line".to_owned(), Some(next))]);
    // Lifted sooner, it ended then.
    let mut second = tally(&counted.open);
    let lifted = MORNING.plus_ms(3 * HOUR_MS);
    act(&mut second, "line.lift", "MAU citizen.verify inHours; lý do: x", lifted);
    assert_eq!(locks(second), [("line".to_owned(), Some(lifted))]);
}

#[test]
fn rule_b4_and_d6_lock_a_connection_each_for_itself() {
    let at = |hours: i64| MORNING.plus_ms(hours * HOUR_MS);
    let lifted = "MAU locked: hết khóa an ninh, còn khóa theo đợt cập nhật hồ sơ; lý do: x";
    let stopped = "DCN-001: 3 hồ sơ chưa xong, mở khóa 1; lý do: x";
    let extended = "DCN-001 HS-00001: hạn 2026-03-01 → 2026-04-01; lý do: x";
    let accepted = "HS-00001 hệ thống #1 MAU; DCN-001";
    for (kind, detail, security, campaign) in [
        ("system.state", lifted, Some(at(3)), None),
        ("campaign.stopped", stopped, None, Some(at(3))),
        ("campaign.extended", extended, None, Some(at(3))),
        ("dossier.accepted", accepted, None, Some(at(3))),
        ("campaign.stopped", "DCN-002: 3 hồ sơ chưa xong, mở khóa 1; lý do: x", None, None),
        ("dossier.returned", "HS-00001; lý do: x; DCN-001", None, None),
        ("system.state", "MAU closed; lý do: x", Some(at(3)), Some(at(3))),
    ] {
        let mut tally = tally(&[]);
        act(&mut tally, "campaign.locked", "DCN-001 HS-00001 H26.001 MAU: quá hạn", at(1));
        act(&mut tally, "system.state", "MAU locked; lý do: x", at(2));
        act(&mut tally, kind, detail, at(3));
        let found = tally.finish(at(9)).locks;
        let found: BTreeMap<_, _> = found.into_iter().map(|l| (l.rule, l.to)).collect();
        let to = |rule: &str| found[rule].as_deref().and_then(Moment::parse_rfc3339);
        assert_eq!((to("D6"), to("B4")), (security, campaign), "{kind} {detail}");
    }
}

/// Numbers that look random, the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// Entries as they could be written, with what is so whatever they say.
struct Truth {
    random: Random,
    hours: Hours,
    now: Moment,
    index: u64,
    /// What is locked, since when, and until when by itself.
    locked: BTreeMap<String, (Moment, Option<Moment>)>,
    campaign: u64,
    /// What was locked, from when until when.
    ended: Vec<(String, Moment, Moment)>,
    /// Questions by month, decision and purpose.
    questions: BTreeMap<(bool, u8, String), u64>,
}

impl Truth {
    fn lock(&mut self, what: &str, until: Option<Moment>) {
        self.locked.insert(what.to_owned(), (self.now, until));
    }

    fn end(&mut self, what: &str) {
        if let Some((from, _)) = self.locked.remove(what) {
            self.ended.push((what.to_owned(), from, self.now));
        }
    }

    fn is(&self, what: &str) -> bool {
        self.locked.contains_key(what)
    }

    /// Time goes on; what ends by itself has ended.
    fn go_on(&mut self) {
        self.now = self.now.plus_ms(1 + self.random.below(9 * 3_600_000).cast_signed());
        self.index += 1;
        let over = |until: &Option<Moment>| until.is_some_and(|until| until <= self.now);
        let over: Vec<_> = self
            .locked
            .iter()
            .filter(|(_, (_, u))| over(u))
            .map(|(w, l)| (w.clone(), *l))
            .collect();
        for (what, (from, until)) in over {
            self.locked.remove(&what);
            self.ended.push((what, from, until.unwrap()));
        }
    }

    /// An account that is locked, or one that is not.
    fn account(&mut self, locked: bool) -> Option<String> {
        let all = ["#1", "#2", "#3"].map(str::to_owned).into_iter();
        let fits: Vec<_> = all.filter(|a| self.is(a) == locked).collect();
        let at = self.random.below(fits.len().max(1) as u64) as usize;
        fits.get(at).cloned()
    }

    /// The next act: its kind and detail.
    fn next_act(&mut self) -> Option<(&'static str, String)> {
        let free = !self.is("D6") && !self.is("B4");
        let other = self.account(true).unwrap_or("#9".into());
        Some(match self.random.below(11) {
            0 => {
                let account = self.account(false)?;
                self.lock(&account, None);
                ("account.state", format!("MAU {account} locked, cổng {other}; lý do: x"))
            }
            1 => {
                let account = self.account(true)?;
                self.end(&account);
                ("account.state", format!("MAU {account} unlocked (suspended); lý do: x"))
            }
            2 => {
                let account = self.account(true)?;
                self.end(&account);
                let more = format!("cổng {other}, left, 1 phiên, 0 thiết bị, thôi thay: {other}");
                (
                    "officer.revoked",
                    format!("KHAC #77, MAU {account}, {more}; lý do: MAU #1, MAU #2"),
                )
            }
            3 => {
                let account = self.account(true)?;
                self.end(&account);
                let words = "thêm 0, đổi 1, thu hồi 2; đổi #2; thu hồi #70";
                ("accounts.changesApplied", format!("MAU danh sách #3: {words} {account}"))
            }
            4 if !self.is("D6") => {
                self.lock("D6", None);
                ("system.state", "MAU locked; lý do: mở khóa kết nối".into())
            }
            5 if self.is("D6") => {
                self.end("D6");
                let held = "locked: hết khóa an ninh, còn khóa theo đợt cập nhật hồ sơ";
                let state = if self.is("B4") { held } else { "live" };
                ("system.state", format!("MAU {state}; lý do: x"))
            }
            6 if free => {
                self.campaign += 1;
                self.lock("B4", None);
                ("campaign.locked", format!("DCN-{:03} HS-00001 H26 MAU: quá hạn", self.campaign))
            }
            7 | 8 => self.let_go(),
            9 if self.is("line") => {
                self.end("line");
                ("line.lift", "MAU citizen.verify inHours; lý do: x".into())
            }
            _ => ("news.ended", "MAU #1, MAU #2".into()),
        })
    }

    /// Something of a campaign, of the one that locked or of another.
    fn let_go(&mut self) -> (&'static str, String) {
        let own = self.random.below(2) == 0;
        let id = format!("DCN-{:03}", if own { self.campaign } else { self.campaign + 10 });
        let opens = own && self.is("B4") && !self.is("D6");
        let opens = if opens { ", mở khóa kết nối" } else { "" };
        if own {
            self.end("B4");
        }
        match self.random.below(4) {
            0 => {
                ("campaign.stopped", format!("{id}: 2 hồ sơ chưa xong, mở khóa 1; lý do: DCN-001"))
            }
            1 => ("campaign.extended", format!("{id} HS-00001: hạn a → b{opens}; lý do: x")),
            2 => ("dossier.live", format!("HS-00001 MAU: duyệt: A, B; {id}, đã cập nhật{opens}")),
            _ => ("dossier.accepted", format!("HS-00001 hệ thống #1 MAU; {id}{opens}")),
        }
    }

    /// The next question.
    fn next_question(&mut self, first: bool) -> Query {
        let free = !self.is("D6") && !self.is("B4");
        let duty = self.hours.duty(self.now);
        let purpose = ["Một cửa", "Hộ tịch"][self.random.below(2) as usize].to_owned();
        let (decision, event) = match self.random.below(5) {
            0 | 1 if free => (Decision::Accepted, 0),
            2 => (Decision::Repeat, 0),
            3 if !self.is("line") => {
                let until = begins(&self.hours, DutyDay(duty.day.0 + 1));
                self.lock("line", Some(until));
                (Decision::Refused, LOCKED)
            }
            _ => (Decision::Refused, 0),
        };
        // Refusals are told by their reason, repeats without more.
        let told = if decision == Decision::Accepted { purpose.clone() } else { String::new() };
        *self.questions.entry((first, decision as u8, told)).or_default() += 1;
        Query { decision, purpose, event, reason: 15, duty_day: duty.day.0, ..Query::default() }
    }

    /// What was locked in a month, as its statement says it.
    fn of_month(&self, from: Moment, to: Moment) -> Vec<(String, Moment, Option<Moment>)> {
        let ended = self.ended.iter().filter(|(_, _, end)| *end > from);
        let standing = self.locked.iter().map(|(w, (at, until))| (w.clone(), *at, *until));
        let all = ended.map(|(what, at, end)| (what.clone(), *at, Some(*end))).chain(standing);
        let began = all.filter(|(_, at, _)| *at < to);
        let mut all: Vec<_> =
            began.map(|(w, at, end)| (w, at, end.filter(|end| *end <= to))).collect();
        all.sort();
        all
    }
}

/// What a statement says, as the truth names it.
fn said(counted: &Counted) -> Vec<(String, Moment, Option<Moment>)> {
    let at = |text: &String| Moment::parse_rfc3339(text).unwrap();
    let name = |lock: &Locked| match lock.scope.as_str() {
        "connection" => lock.rule.clone(),
        "line" => "line".to_owned(),
        _ => format!("#{}", lock.account.unwrap()),
    };
    let locks = counted.locks.iter();
    let mut all: Vec<_> = locks.map(|l| (name(l), at(&l.from), l.to.as_ref().map(at))).collect();
    all.sort();
    all
}

#[test]
fn rule_a7_two_months_of_random_entries_say_what_was_so() {
    let mut over = 0;
    for seed in 1..=300 {
        let mut truth = Truth {
            random: Random(seed * 7_919),
            hours: tally(&[]).hours,
            now: MORNING,
            index: 0,
            locked: BTreeMap::new(),
            campaign: 0,
            ended: vec![],
            questions: BTreeMap::new(),
        };
        let (edge, end) = (MORNING.plus_ms(20 * DAY_MS), MORNING.plus_ms(40 * DAY_MS));
        let (mut months, mut now) = (vec![], tally(&[]));
        loop {
            truth.go_on();
            if months.is_empty() && truth.now >= edge {
                let counted = now.finish(edge);
                now = tally(&counted.open);
                months.push(counted);
            }
            if truth.now >= end {
                break;
            }
            if truth.random.below(2) == 0 {
                let query = truth.next_question(months.is_empty());
                now.question(&query, truth.index, truth.now);
            } else if let Some((kind, detail)) = truth.next_act() {
                let (kind, actor) = (kind.to_owned(), String::new());
                now.act(&Act { kind, actor, system: 1, detail }, truth.index, truth.now);
            }
        }
        months.push(now.finish(end));
        let spans = [(MORNING, edge), (edge, end)];
        for (at, (counted, (from, to))) in months.iter().zip(spans).enumerate() {
            let locks = said(counted);
            assert_eq!(locks, truth.of_month(from, to), "seed {seed}, month {at}");
            over += locks.len();
            let mut questions = BTreeMap::new();
            for (.., purpose, count) in &counted.served {
                let key = (at == 0, Decision::Accepted as u8, purpose.clone());
                questions.insert(key, count.questions);
            }
            let refused: u64 = counted.refused.iter().map(|r| r.questions).sum();
            for (decision, sum) in
                [(Decision::Refused, refused), (Decision::Repeat, counted.repeats)]
            {
                questions.insert((at == 0, decision as u8, String::new()), sum);
            }
            questions.retain(|_, sum| *sum > 0);
            let naive = truth.questions.iter().filter(|((first, ..), _)| *first == (at == 0));
            let naive: BTreeMap<_, _> = naive.map(|(key, sum)| (key.clone(), *sum)).collect();
            assert_eq!(questions, naive, "seed {seed}, month {at}");
        }
    }
    assert!(over > 5_000, "{over}");
}
