//! The data folder from inside: opened as serving would, with its keys and its journal.

use std::collections::BTreeMap;

use anyhow::Context as _;
use dancu_domain::moment::Moment;
use dancu_store::entries::Scanned;
use dancu_store::keys::{Keyring, Purpose};
use dancu_store::registry::Registry;
use dancu_store::{Store, Viewer};

use super::{Check, State, credentials};
use crate::cli;
use crate::clock::{BEHIND_MAX_MS, machine_ms};
use crate::config::Config;
use crate::handlers::sandbox::OFFSET;

/// Entries at the journal's end that are opened.
const LAST_ENTRIES: u64 = 1_000;
/// The last entry may be this much ahead of the clock: what a step back of NTP takes.
const AHEAD_MS: i64 = 1_000;

const STORE: [&str; 3] = [
    "store",
    "kho dữ liệu (store)",
    "Kiểm tra master.key (hoặc DANCU_MASTER_KEY) và phiên bản; `dancu migrate` nâng lược đồ (check \
     the master key and the version).",
];
const EMPTY: [&str; 3] = [
    "store",
    "kho dữ liệu (store)",
    "Chạy `dancu demo`, hoặc `dancu population import` trước (fill the folder first).",
];

/// Checks the content; also says whether another process is serving it.
pub fn checks(config: &Config, full: bool) -> (Vec<Check>, bool) {
    if config.database.is_set() {
        let mut checks = server(config);
        if checks.iter().any(|check| check.state == State::Fail) {
            // Serving would refuse it too.
            return (checks, false);
        }
        let (opened, served) = inside(config, full);
        checks.extend(opened);
        return (checks, served);
    }
    // What may not be looked at is not empty: opening it says so.
    if config.data.join(dancu_store::CORE_FILE).try_exists().is_ok_and(|exists| !exists) {
        let found = "thư mục chưa có dữ liệu (empty folder)";
        return (vec![Check::new(EMPTY, State::Fail, found)], false);
    }
    inside(config, full)
}

const SERVER: [&str; 3] = [
    "database",
    "máy chủ cơ sở dữ liệu (database server)",
    "Kiểm tra database.url, mật khẩu, chứng thư và mạng (check address, password, certificates and \
     network).",
];
const SCHEMA: [&str; 3] = [
    "schema",
    "lược đồ (schema)",
    "`dancu migrate --config TỆP` nâng lược đồ, cả khi các nút đang phục vụ (also beside serving \
     nodes); lược đồ mới hơn: dùng bản dancu mới (newer schema: run the newer program).",
];

/// The PostgreSQL server, as every start looks at it too.
fn server(config: &Config) -> Vec<Check> {
    let examined = config.database.open().and_then(|database| {
        let Some(database) = database else { return Ok(None) };
        let report = database.examine()?;
        Ok(Some((report, database.check_schema())))
    });
    let (report, schema) = match examined {
        Ok(Some(examined)) => examined,
        Ok(None) => return vec![],
        Err(error) => return vec![Check::new(SERVER, State::Fail, format!("{error:#}"))],
    };
    let mut checks = vec![Check::new(SERVER, State::Ok, report.told)];
    checks.extend(report.findings.into_iter().map(|finding| Check {
        name: finding.id,
        title: SERVER[1],
        state: if finding.refuses { State::Fail } else { State::Warn },
        found: format!("{} ({})", finding.vi, finding.en),
        mend: Some(finding.mend),
    }));
    checks.push(match schema {
        Ok(()) => Check::new(SCHEMA, State::Ok, "phù hợp (fits)"),
        Err(error) => Check::new(SCHEMA, State::Fail, error.to_string()),
    });
    checks
}

/// What is looked at from inside: a folder that was opened, or a database on a server that is only
/// read, also beside the nodes that serve it.
enum Inside {
    Opened(Box<Store>),
    Viewed(Box<Viewer>),
}

impl Inside {
    fn open(config: &Config) -> anyhow::Result<Self> {
        let Some(viewer) = cli::view(config)? else {
            return Ok(Self::Opened(Box::new(cli::open(&config.data, config, false)?)));
        };
        viewer?.map(|v| Self::Viewed(Box::new(v))).context("database.url")
    }

    fn keys(&self) -> &Keyring {
        match self {
            Self::Opened(store) => store.keys(),
            Self::Viewed(viewer) => viewer.keys(),
        }
    }

    fn registry(&self) -> &Registry {
        match self {
            Self::Opened(store) => store.registry(),
            Self::Viewed(viewer) => viewer.registry(),
        }
    }

    /// The next journal index and the time of the last entry.
    fn head(&self) -> dancu_store::Result<(u64, Moment)> {
        match self {
            Self::Opened(store) => Ok((store.ledger().next_index(), store.last_at())),
            Self::Viewed(viewer) => viewer.head(),
        }
    }

    fn meta(&self, name: &str) -> dancu_store::Result<Option<String>> {
        match self {
            Self::Opened(store) => store.meta(name),
            Self::Viewed(viewer) => viewer.meta(name),
        }
    }

    fn scan_past(
        &self,
        from: u64,
        each: impl FnMut(Scanned) -> dancu_store::Result<bool>,
    ) -> dancu_store::Result<()> {
        match self {
            Self::Opened(store) => store.scan_past(from, each),
            Self::Viewed(viewer) => viewer.scan_past(from, each),
        }
    }
}

/// What only an open store can show.
fn inside(config: &Config, full: bool) -> (Vec<Check>, bool) {
    match Inside::open(config) {
        Ok(inside) => {
            let mut checks = vec![
                Check::new(STORE, State::Ok, "mở được, khóa chủ đúng (opens with the master key)"),
                keys(&inside),
                registry(&inside),
            ];
            checks.extend(match inside.head() {
                Ok((end, last)) => vec![journal(&inside, end, full), last_entry(&inside, last)],
                Err(error) => vec![Check::new(JOURNAL, State::Fail, error.to_string())],
            });
            if let Inside::Opened(store) = inside {
                let now = Moment(machine_ms());
                checks.push(credentials::check(store.snapshot(now), now));
                store.stop();
            }
            (checks, dancu_store::holder(&config.data).is_some())
        }
        Err(error) => match error.downcast_ref::<dancu_store::Error>() {
            Some(dancu_store::Error::InUse(process)) => {
                let found = format!(
                    "tiến trình {process} đang phục vụ; dừng nó để kiểm tra bên trong (in use: \
                     stop it to look inside)"
                );
                (vec![Check::new(STORE, State::Ok, found)], true)
            }
            _ => (vec![Check::new(STORE, State::Fail, cli::told(&error))], false),
        },
    }
}

const KEYS: [&str; 3] = [
    "keys",
    "khóa (keys)",
    "Khôi phục thư mục từ bản sao lưu: không có khóa thì dữ liệu không đọc được (restore the \
     folder from a backup: without its keys data cannot be read).",
];

/// Opening has unwrapped every key; a purpose without any has lost them.
fn keys(store: &Inside) -> Check {
    let purposes = [
        ("data", Purpose::Data),
        ("blind", Purpose::Blind),
        ("pseudonym", Purpose::Pseudonym),
        ("policy", Purpose::Policy),
        ("token", Purpose::Token),
        ("request", Purpose::Request),
        ("log", Purpose::Log),
        ("journal", Purpose::Journal),
    ];
    let count = |purpose| store.keys().periods(purpose).len();
    // A journal without entries has no month key yet.
    let needed = |name: &str| name != "journal" || store.head().is_ok_and(|(end, _)| end > 0);
    let missing: Vec<&str> =
        purposes.iter().filter(|p| count(p.1) == 0 && needed(p.0)).map(|p| p.0).collect();
    let all: usize = purposes.iter().map(|p| count(p.1)).sum();
    if missing.is_empty() {
        return Check::new(KEYS, State::Ok, format!("{all} khóa mở được (keys open)"));
    }
    Check::new(KEYS, State::Fail, format!("thiếu (missing): {}", missing.join(", ")))
}

const REGISTRY: [&str; 3] = [
    "registry",
    "kho công dân (registry)",
    "Nhập dân số, hoặc khôi phục registry.db từ bản sao lưu (import, or restore from a backup).",
];

fn registry(store: &Inside) -> Check {
    match store.registry().count() {
        Ok(0) => Check::new(REGISTRY, State::Warn, "chưa có người nào (nobody registered)"),
        Ok(n) => Check::new(REGISTRY, State::Ok, format!("{n} người (citizens)")),
        Err(error) => Check::new(REGISTRY, State::Fail, error.to_string()),
    }
}

const JOURNAL: [&str; 3] = [
    "journal",
    "nhật ký (journal)",
    "Không phục vụ tiếp; giữ nguyên thư mục và khôi phục từ bản sao lưu (do not go on: keep the \
     folder as it is and restore from a backup).",
];

/// What to do about a journal that is whole but for months without keys.
const CLOSED: [&str; 3] = [
    JOURNAL[0],
    JOURNAL[1],
    "Khóa của tháng đã hủy thì các mục không đọc lại được; nếu không chủ ý hủy, khôi phục tệp khóa \
     có tháng đó (a month whose keys were destroyed cannot be read again; if that was not \
     intended, restore a file of keys that has them).",
];

/// Opens the last entries, or all: each has to be there, whole and under its key. A month of which
/// no key is left at all was erased, or came without its keys from a backup: it is passed over.
fn journal(store: &Inside, end: u64, full: bool) -> Check {
    let from = if full { 0 } else { end.saturating_sub(LAST_ENTRIES) };
    let mut next = from;
    let mut gap = None;
    let mut closed = BTreeMap::<u32, u64>::new();
    let scanned = store.scan_past(from, |scanned| {
        let (first, after) = match scanned {
            Scanned::Entry(entry) => (entry.index, entry.index + 1),
            Scanned::Closed { month, .. } if !is_erased(store.keys(), month) => {
                return Err(dancu_store::Error::Damaged("journal key"));
            }
            Scanned::Closed { month, first, end } => {
                *closed.entry(month).or_default() += end - first;
                (first, end)
            }
        };
        if first != next {
            gap = Some(next);
            return Ok(false);
        }
        next = after;
        Ok(true)
    });
    match (scanned, gap) {
        (Err(error), _) => Check::new(JOURNAL, State::Fail, format!("mục {next} (entry): {error}")),
        (Ok(()), Some(at)) => {
            Check::new(JOURNAL, State::Fail, format!("thiếu mục {at} (missing entry)"))
        }
        // Other nodes may have journaled more meanwhile.
        (Ok(()), None) if next < end => {
            Check::new(JOURNAL, State::Fail, format!("thiếu mục {next} (missing entry)"))
        }
        (Ok(()), None) => {
            let opened = next - from - closed.values().sum::<u64>();
            let found = format!("{end} mục, {opened} mục mở được (entries, opened)");
            if closed.is_empty() {
                return Check::new(JOURNAL, State::Ok, found);
            }
            let months: Vec<String> = closed.iter().map(|(m, n)| format!("{m}: {n}")).collect();
            let months = months.join(", ");
            let found = format!("{found}; tháng không còn khóa (months without keys) {months}");
            Check::new(CLOSED, State::Warn, found)
        }
    }
}

/// Whether nothing is left of a month's keys; with one of them gone the month is damaged.
fn is_erased(keys: &Keyring, month: u32) -> bool {
    keys.get(Purpose::Salt, month).is_none() && keys.newest_of_month(month).is_none()
}

const LAST: [&str; 3] = [
    "lastEntry",
    "mục cuối so với đồng hồ (last entry and clock)",
    "Chỉnh lại đồng hồ máy: thời gian của sản phẩm chạy chậm lại cho đến khi đồng hồ vượt qua mục \
     cuối; chậm hơn một giờ thì trung tâm không khởi động (set the clock: product time runs slower \
     until then, and a centre does not start where it is more than an hour behind).",
];

/// The journal's time never goes back: a clock behind it slows the product's time down.
fn last_entry(store: &Inside, last: Moment) -> Check {
    let offset = store.meta(OFFSET).ok().flatten().and_then(|t| t.parse().ok()).unwrap_or(0i64);
    let now = machine_ms() + offset;
    if last.0 == 0 {
        return Check::new(LAST, State::Ok, "chưa có mục nào (no entry yet)");
    }
    let ahead = last.0 - now;
    if ahead > AHEAD_MS {
        let seconds = ahead / 1_000;
        let found = format!(
            "{}, đồng hồ chậm hơn {seconds} giây (the clock is behind by that much)",
            last.rfc3339()
        );
        let state = if ahead > BEHIND_MAX_MS { State::Fail } else { State::Warn };
        return Check::new(LAST, state, found);
    }
    let sandbox = if offset == 0 { "" } else { ", đồng hồ thử nghiệm (sandbox clock)" };
    Check::new(LAST, State::Ok, Moment(last.0).rfc3339() + sandbox)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
    use dancu_journal::{Act, Body};
    use dancu_store::{OpenOptions, sqlite};

    use super::*;

    /// Monday 2 March 2026, 09:00 in Viet Nam.
    const NOW: Moment = Moment(1_772_416_800_000);
    const DAY_MS: i64 = 86_400_000;

    fn opened(dir: &std::path::Path) -> Inside {
        let options = OpenOptions {
            profiles: Arc::new(Profiles::parse(DEFAULT_PROFILE).unwrap()),
            master_key: Some("07".repeat(32)).into(),
            now: NOW,
            migrate: true,
            database: None,
        };
        Inside::Opened(Box::new(Store::open(dir, options).unwrap()))
    }

    #[tokio::test]
    async fn a_month_without_keys_is_passed_over_and_one_without_half_of_them_is_not() {
        let dir = std::env::temp_dir().join(format!("dancu-doctor-months-{}", std::process::id()));
        let inside = opened(&dir);
        let Inside::Opened(store) = &inside else { panic!("it is on SQLite") };
        for day in [0, 1, 31, 62] {
            let detail = String::new();
            let act = Act { kind: "t".into(), actor: "t".into(), system: 0, detail };
            let at = NOW.plus_ms(day * DAY_MS);
            store.ledger().note(at, |_| Ok(Body::Act(act))).await.unwrap();
        }
        let end = store.ledger().next_index();
        let whole = journal(&inside, end, true);
        assert_eq!(whole.state, State::Ok, "{}", whole.found);
        store.stop();
        drop(inside);
        let erase = |purpose: &str, month: u32| {
            let db = sqlite::writer(&dir.join(dancu_store::CORE_FILE)).unwrap();
            let sql = "DELETE FROM crypto_key WHERE purpose = ?1 AND period = ?2";
            assert_eq!(db.execute(sql, (purpose, month)).unwrap(), 1);
        };
        erase("journal", 202_603);
        erase("salt", 202_603);
        let inside = opened(&dir);
        let found = journal(&inside, end, true);
        assert_eq!(found.state, State::Warn, "{}", found.found);
        assert!(found.found.contains("202603: 2"), "{}", found.found);
        assert!(found.found.contains(&format!("{} mục mở được", end - 2)), "{}", found.found);
        drop(inside);
        erase("journal", 202_604);
        let inside = opened(&dir);
        let found = journal(&inside, end, true);
        assert_eq!(found.state, State::Fail, "{}", found.found);
        drop(inside);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
