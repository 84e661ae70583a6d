//! A node goes on beside a newer program's migration that only adds, and stops at any other.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use dancu_domain::moment::Moment;
use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
use dancu_journal::{Act, Body};
use dancu_testdb::{Options, Server};

use super::*;
use crate::engine::{PoolSettings, Postgres, Settings};
use crate::ledger::health::Trouble;
use crate::{Database, OpenOptions, Store};

/// What a program of tomorrow has: one step more.
fn with(extra: Step) -> Vec<Step> {
    further(Area::Core, extra)
}

fn further(area: Area, extra: Step) -> Vec<Step> {
    let known = steps(area).iter();
    let copy = |s: &Step| Step { both: s.both, besides: s.besides, compatible: s.compatible };
    known.map(copy).chain([extra]).collect()
}

/// A node of today's program, with a folder of its own.
struct Node {
    folder: PathBuf,
    url: String,
}

impl Node {
    fn new(name: &str, url: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("dancu-roll-{name}-{}", std::process::id()));
        Self { folder, url: url.to_owned() }
    }

    fn open(&self, now: Moment, clock: fn() -> Moment) -> Result<Store> {
        let settings = Settings::new(&self.url)?;
        let options = OpenOptions {
            profiles: Arc::new(Profiles::parse(DEFAULT_PROFILE).unwrap()),
            master_key: Some("07".repeat(32)).into(),
            now,
            migrate: true,
            database: Some(Database { settings, nodes: 1, clock, pool: PoolSettings::default() }),
        };
        Store::open(&self.folder, options)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The machine's time.
fn clock() -> Moment {
    Moment(dancu_testdb::machine_ms())
}

fn entry() -> Body {
    Body::Act(Act { kind: "test".into(), actor: "thử".into(), system: 0, detail: String::new() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_are_replaced_one_by_one_across_a_migration() {
    let server = Server::start(&Options { durable: true, ..Options::default() });
    let url = server.url("postgres");
    let old = Node::new("old", &url);
    let store = Arc::new(old.open(clock(), clock).unwrap());
    let (written, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let serving = tokio::spawn({
        let (store, written, ended) = (store.clone(), written.clone(), ended.clone());
        async move {
            while !ended.load(Ordering::Acquire) {
                store.ledger().note(clock(), |_| Ok(entry())).await?;
                written.fetch_add(1, Ordering::AcqRel);
            }
            Ok::<_, Error>(())
        }
    });
    let more = |from: u64| {
        let written = written.clone();
        async move {
            while written.load(Ordering::Acquire) < from + 20 {
                tokio::task::yield_now().await;
            }
        }
    };
    more(0).await;
    // The new program's migration, beside the old one that serves.
    let adds = "CREATE TABLE tomorrow (id @BIGKEY@, note TEXT); \
                ALTER TABLE ledger_batch ADD COLUMN note TEXT NOT NULL DEFAULT '';";
    let tomorrow = with(Step { both: adds, besides: "", compatible: true });
    let mut db = Db::from(Postgres::connect(&Settings::new(&url).unwrap()).unwrap());
    tokio::task::block_in_place(|| migrate_by(&mut db, Area::Core, &tomorrow)).unwrap();
    let version = tokio::task::block_in_place(|| version(&mut db, Area::Core)).unwrap();
    assert_eq!(version, Area::Core.version() + 1);
    more(written.load(Ordering::Acquire)).await;
    ended.store(true, Ordering::Release);
    serving.await.unwrap().unwrap();
    // An old program starts beside the new ones too, and `migrate` of the old one changes nothing.
    let again = Node::new("again", &url);
    again.open(clock(), clock).unwrap().stop();
    // A step that takes something away: whoever does not know it journals nothing any more.
    let takes = with(Step { both: adds, besides: "", compatible: true });
    let takes: Vec<Step> = takes
        .into_iter()
        .chain([Step { both: "DROP TABLE tomorrow;", besides: "", compatible: false }])
        .collect();
    tokio::task::block_in_place(|| migrate_by(&mut db, Area::Core, &takes)).unwrap();
    let entries = store.ledger().next_index();
    let refused = store.ledger().note(clock(), |_| Ok(entry())).await.unwrap_err();
    assert!(matches!(refused, Error::Schema { .. }), "{refused}");
    assert!(!store.ledger().is_well(), "readiness follows");
    assert_eq!(store.ledger().next_index(), entries);
    let refused = again.open(clock(), clock).map(drop).unwrap_err();
    assert!(matches!(refused, Error::Schema { .. }), "{refused}");
    let mut all = 0;
    let scanned = store.scan_entries(0, |e| {
        assert_eq!(e.index, all, "indexes are gap-free");
        all += 1;
        Ok(true)
    });
    scanned.unwrap();
    assert!(all >= written.load(Ordering::Acquire));
    tokio::task::spawn_blocking(move || store.stop()).await.unwrap();
}

/// What a node reads of citizens it may not understand any more either: a step of the registry
/// stops it as one of core does, and a step that only adds does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_stops_where_the_registry_does_not_fit_any_more() {
    let server = Server::start(&Options { durable: true, ..Options::default() });
    let url = server.url("postgres");
    let node = Node::new("registry", &url);
    let store = Arc::new(node.open(clock(), clock).unwrap());
    let mut db = Db::from(Postgres::connect(&Settings::new(&url).unwrap()).unwrap());
    for area in [Area::Registry, Area::Search] {
        let adds = Step { both: "CREATE TABLE more (id INTEGER);", besides: "", compatible: true };
        let steps = further(area, adds);
        tokio::task::block_in_place(|| migrate_by(&mut db, area, &steps)).unwrap();
        store.ledger().note(clock(), |_| Ok(entry())).await.unwrap();
        let takes = Step { both: "DROP TABLE more;", besides: "", compatible: false };
        let steps: Vec<Step> = steps.into_iter().chain([takes]).collect();
        tokio::task::block_in_place(|| migrate_by(&mut db, area, &steps)).unwrap();
        let refused = store.ledger().note(clock(), |_| Ok(entry())).await.unwrap_err();
        let file = area.file();
        assert!(matches!(refused, Error::Schema { file: f, .. } if f == file), "{refused}");
        assert_eq!(store.ledger().trouble(), Some(Trouble::Schema));
        let fits = format!("UPDATE schema_version SET oldest = 1 WHERE area = '{}'", word(area));
        server.sql("postgres", &fits);
    }
    store.ledger().note(clock(), |_| Ok(entry())).await.unwrap();
    assert!(store.ledger().is_well(), "a newer schema that fits is no trouble");
    tokio::task::spawn_blocking(move || store.stop()).await.unwrap();
}
