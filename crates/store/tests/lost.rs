//! Folders that lost a part: refused, and left as they are.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dancu_domain::moment::Moment;
use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
use dancu_journal::{Act, Body};
use dancu_store::{CORE_FILE, Error, OpenOptions, Store, sqlite};

/// Monday 2 March 2026, 09:00 in Viet Nam.
const NOW: Moment = Moment(1_772_416_800_000);

fn open(dir: &Path, migrate: bool) -> dancu_store::Result<Store> {
    let profiles = Arc::new(Profiles::parse(DEFAULT_PROFILE).unwrap());
    let master_key = <_>::default();
    Store::open(dir, OpenOptions { profiles, master_key, now: NOW, migrate, database: None })
}

/// A folder that was opened and closed, with one entry.
async fn folder(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("dancu-lost-{name}-{}", std::process::id()));
    let store = open(&dir, true).unwrap();
    let act = Act { kind: "test".into(), actor: "test".into(), system: 0, detail: String::new() };
    store.ledger().note(NOW, move |_| Ok(Body::Act(act))).await.unwrap();
    store.stop();
    dir
}

fn keys(dir: &Path) -> i64 {
    let db = sqlite::reader(&dir.join(CORE_FILE)).unwrap();
    db.query_row("SELECT COUNT(*) FROM crypto_key", [], |r| r.get(0)).unwrap()
}

#[tokio::test]
async fn keys_that_were_lost_are_not_made_anew() {
    let dir = folder("keys").await;
    for gone in ["purpose = 'data'", "purpose IN ('blind', 'policy', 'token')", "TRUE"] {
        let db = sqlite::writer(&dir.join(CORE_FILE)).unwrap();
        db.execute(&format!("DELETE FROM crypto_key WHERE {gone}"), []).unwrap();
        drop(db);
        let left = keys(&dir);
        for migrate in [false, true] {
            let refused = open(&dir, migrate).err().unwrap();
            assert!(matches!(refused, Error::Damaged(_)), "{gone}: {refused}");
            assert_eq!(keys(&dir), left, "{gone}");
        }
    }
    std::fs::remove_dir_all(&dir).unwrap();
}

#[tokio::test]
async fn a_registry_that_was_lost_is_not_made_empty() {
    let dir = folder("registry").await;
    let registry = dir.join("registry.db");
    for entry in std::fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("registry.db") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let refused = open(&dir, false).err().unwrap();
    assert!(matches!(refused, Error::Damaged(_)), "{refused}");
    assert!(!registry.exists());
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn an_empty_folder_is_left_empty() {
    let dir = std::env::temp_dir().join(format!("dancu-lost-empty-{}", std::process::id()));
    let refused = open(&dir, false).err().unwrap();
    assert!(matches!(refused, Error::Schema { found: 0, .. }), "{refused}");
    let names = std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["LOCK"]);
    std::fs::remove_dir_all(&dir).unwrap();
}
