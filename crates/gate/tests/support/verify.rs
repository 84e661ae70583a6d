//! What must hold at the end of every test: the journal is whole and agrees with the counts.

use std::collections::BTreeMap;

use dancu_domain::ids::{AccountId, LineId, SystemId};
use dancu_domain::moment::DutyDay;
use dancu_journal::{Body, Decision, Entry};
use dancu_store::Store;
use dancu_store::ledger::COUNT_DAYS_KEPT;

use super::{TestWorld, query_of};

pub(super) fn entries(store: &Store) -> Vec<Entry> {
    let mut all = vec![];
    store
        .scan_entries(0, |entry| {
            all.push(entry);
            Ok(true)
        })
        .unwrap();
    all
}

impl Drop for TestWorld {
    fn drop(&mut self) {
        // A test that failed has said why; a second panic would hide it.
        if std::thread::panicking() || self.gate.is_none() {
            return;
        }
        self.store().stop();
        self.verify_journal();
    }
}

type Sums = BTreeMap<(u32, i32), u32>;

impl TestWorld {
    /// Opens every entry and compares the counts in memory and file with their sums.
    fn verify_journal(&self) {
        let entries = entries(self.store());
        for (i, entry) in entries.iter().enumerate() {
            assert_eq!(entry.index, i as u64, "the journal has a gap");
            assert!(i == 0 || entries[i - 1].at <= entry.at, "time goes back at {i}");
            assert!(entry.arrival <= entry.at, "entry {i} is earlier than its arrival");
        }
        assert_eq!(self.store().ledger().next_index(), entries.len() as u64);
        let (mut lines, mut accounts, mut plans) = (Sums::new(), Sums::new(), Sums::new());
        let mut off_hours = Sums::new();
        for entry in entries.iter().filter(|e| matches!(e.body, Body::Query(_))) {
            let q = query_of(entry);
            well_formed(q);
            if q.counted == 0 {
                continue;
            }
            let own = q.plan != 0 && self.specs[q.system as usize - 1].own_count.is_some();
            *accounts.entry((q.account, q.duty_day)).or_default() += q.counted;
            if own {
                *plans.entry((q.plan, q.duty_day)).or_default() += q.counted;
                continue;
            }
            *lines.entry((q.line, q.duty_day)).or_default() += q.counted;
            if q.window == 1 {
                *off_hours.entry((q.system, q.duty_day)).or_default() += q.counted;
            }
        }
        self.in_memory(&lines, &accounts, &off_hours);
        self.in_file(&[("line", lines), ("account", accounts), ("plan", plans)]);
    }

    fn in_memory(&self, lines: &Sums, accounts: &Sums, off_hours: &Sums) {
        let last = self.store().last_at();
        let today = self.profiles.at(last).hours.duty(last).day;
        let kept = |(_, day): &(u32, i32)| *day >= today.0 - COUNT_DAYS_KEPT;
        self.lines(|l| {
            for (key, sum) in lines.iter().filter(|(k, _)| kept(k)) {
                let day = l.line_day(LineId(key.0), DutyDay(key.1));
                assert_eq!(day.used, *sum, "line {key:?}");
            }
            for (key, sum) in accounts.iter().filter(|(k, _)| kept(k)) {
                let used = l.account_used(AccountId(key.0), DutyDay(key.1));
                assert_eq!(used, *sum, "account {key:?}");
            }
            for (key, sum) in off_hours.iter().filter(|(k, _)| kept(k)) {
                let used = l.off_hours_used(SystemId(key.0), DutyDay(key.1));
                assert_eq!(used, *sum, "off hours {key:?}");
            }
        });
    }

    /// The rows of the file, both ways: nothing missing, nothing that no entry counted.
    fn in_file(&self, expected: &[(&str, Sums)]) {
        let mut db = self.core();
        for (what, sums) in expected {
            let sql = format!("SELECT {what}, duty_day, used FROM {what}_day WHERE used > 0");
            let found = db.tx().query(&sql, &[], |r| Ok(((r.get(0)?, r.get(1)?), r.get(2)?)));
            let found: Sums = found.unwrap().into_iter().collect();
            assert_eq!(&found, sums, "{what} counts in the file");
        }
    }
}

/// Decision, count, reason and subjects fit each other.
fn well_formed(q: &dancu_journal::Query) {
    match q.decision {
        Decision::Accepted => assert!(q.counted > 0 && q.reason == 0 && q.answer != 0, "{q:?}"),
        Decision::Repeat => assert!(q.counted == 0 && q.reason == 0 && q.answer != 0, "{q:?}"),
        Decision::Refused => {
            assert!(q.counted == 0 && q.reason != 0 && !q.rule.is_empty(), "{q:?}");
            assert!(q.answer == 0 && q.fields == 0, "{q:?}");
            assert!(q.subjects.len() <= 1 && q.subjects.iter().all(|s| !s.delivered), "{q:?}");
        }
    }
}
