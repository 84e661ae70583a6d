//! The journal's months on PostgreSQL: each in a partition of its own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dancu_domain::moment::Moment;
use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
use dancu_journal::{Act, Body};
use dancu_store::engine::{Db, Mode, PoolSettings, Postgres, Settings};
use dancu_store::{Database, OpenOptions, Store};
use dancu_testdb::{Options, Server};

/// 28 February 2026, 12:00 in Viet Nam.
const BEGIN: Moment = Moment(1_772_254_800_000);
const DAY_MS: i64 = 86_400_000;

/// The machine's time.
fn clock() -> Moment {
    Moment(dancu_testdb::machine_ms())
}

fn folder(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("dancu-months-{name}-{}", std::process::id()))
}

fn open(name: &str, url: &str) -> Store {
    let settings = Settings::new(url).unwrap();
    let options = OpenOptions {
        profiles: Arc::new(Profiles::parse(DEFAULT_PROFILE).unwrap()),
        master_key: Some("01".repeat(32)).into(),
        now: BEGIN,
        migrate: true,
        database: Some(Database { settings, nodes: 1, clock, pool: PoolSettings::default() }),
    };
    Store::open(&folder(name), options).unwrap()
}

async fn note(store: &Store, at: Moment) -> u64 {
    let act = Act { kind: "t".into(), actor: "t".into(), system: 0, detail: String::new() };
    store.ledger().note(at, |_| Ok(Body::Act(act))).await.unwrap()
}

fn indexes(store: &Store, from: u64) -> Vec<u64> {
    let mut found = vec![];
    let scanned = store.scan_entries(from, |entry| {
        found.push(entry.index);
        Ok(true)
    });
    scanned.unwrap();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_month_has_a_partition_and_goes_as_a_whole() {
    let server = Server::start(&Options { durable: true, ..Options::default() });
    let url = server.url("postgres");
    let nodes = [open("a", &url), open("b", &url)];
    let partitions = || {
        server.sql(
            "postgres",
            "SELECT string_agg(right(c.relname, 6) || ':' || \
             (xpath('/row/n/text()', query_to_xml('SELECT SUM(entries) AS n FROM ' || c.relname, \
             true, true, '')))[1]::text, ' ' ORDER BY c.relname) FROM pg_inherits i \
             JOIN pg_class c ON c.oid = i.inhrelid WHERE inhparent = 'entry_chunk'::regclass",
        )
    };
    // Made ahead: opening a store makes its month and the next.
    let names = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class \
                 WHERE relname LIKE 'entry_chunk_2026__'";
    assert_eq!(server.sql("postgres", names), "entry_chunk_202602 entry_chunk_202603");
    // Housekeeping attaches a partition and has not committed yet: a commit does not wait for it.
    let mut keeper = Db::from(Postgres::connect(&Settings::new(&url).unwrap()).unwrap());
    tokio::task::block_in_place(|| {
        keeper.begin(Mode::Write).unwrap();
        let attach = "CREATE TABLE entry_chunk_202605 (LIKE entry_chunk INCLUDING ALL); \
                      ALTER TABLE entry_chunk ATTACH PARTITION entry_chunk_202605 \
                      FOR VALUES IN (202605)";
        keeper.tx().batch(attach).unwrap();
    });
    let written = tokio::time::timeout(Duration::from_secs(3), note(&nodes[0], BEGIN));
    let mut last = written.await.expect("a commit waits for housekeeping");
    tokio::task::block_in_place(|| keeper.rollback());
    // Both nodes write through the months, some made ahead and some not, and a year's end.
    for day in 0..330 {
        last = note(&nodes[usize::from(day % 3 == 0)], BEGIN.plus_ms(day * DAY_MS)).await;
    }
    let months = partitions();
    assert!(months.starts_with("202602:2 202603:31 202604:30 202605:31"), "{months}");
    assert!(months.ends_with("202612:31 202701:23"), "{months}");
    assert_eq!(indexes(&nodes[1], 0), (0..=last).collect::<Vec<_>>());
    assert_eq!(nodes[1].entry(40).unwrap().unwrap().index, 40);
    // A month is erased: the others are read and written as before.
    server.sql("postgres", "DROP TABLE entry_chunk_202603");
    assert_eq!(nodes[1].entry(10).unwrap().map(|e| e.index), None);
    assert_eq!(indexes(&nodes[0], 0)[..4], [0, 1, 33, 34]);
    assert_eq!(note(&nodes[0], BEGIN.plus_ms(331 * DAY_MS)).await, last + 1);
    // One index, one row: what the head's lock guarantees is what the journal shows.
    let twice = "SELECT COUNT(*) FROM (SELECT first_idx FROM entry_chunk GROUP BY 1 \
                 HAVING COUNT(*) > 1) AS twice";
    assert_eq!(server.sql("postgres", twice), "0");
    for (store, name) in nodes.into_iter().zip(["a", "b"]) {
        tokio::task::spawn_blocking(move || store.stop()).await.unwrap();
        std::fs::remove_dir_all(folder(name)).unwrap();
    }
}
