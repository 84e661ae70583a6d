//! A registry that is older than its core is recognised, and what is refused stays as it is.

use dancu_store::Error;
use dancu_store::anchor::ANCHOR_FILE;
use dancu_store::engine::migrate;
use dancu_store::sqlite::{for_postgresql, for_sqlite};

use super::keys::rotated;
use super::*;
use dancu_store::rotation::Kind;

fn registry(world: &World) -> PathBuf {
    world.dir().join(Area::Registry.file())
}

/// Puts a file in the registry's place, without what a writer left beside it.
fn put_registry(world: &World, file: &Path) {
    for side in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(world.dir().join(format!("{}{side}", Area::Registry.file())));
    }
    std::fs::copy(file, registry(world)).unwrap();
}

/// A copy of the registry as it is now, whole.
fn copy_registry(world: &World, name: &str) -> PathBuf {
    let to = world.folder.0.join(name);
    let db = sqlite::writer(&registry(world)).unwrap();
    db.execute("VACUUM INTO ?1", [to.to_str().unwrap()]).unwrap();
    to
}

fn state(world: &World, area: Area, table: &str) -> Option<String> {
    let sql = format!("SELECT value FROM {table} WHERE name = 'registry.state'");
    world.connect(area).tx().optional(&sql, &[], |r| r.get(0)).unwrap()
}

fn set_state(world: &World, text: &str) {
    let db = sqlite::writer(&registry(world)).unwrap();
    let sql = "UPDATE registry_meta SET value = ?1 WHERE name = 'registry.state'";
    assert_eq!(db.execute(sql, [text]).unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_registry_beside_a_current_core_is_refused() {
    let (world, store) = filled(Engine::Sqlite).await;
    store.stop();
    drop(store);
    let loaded = copy_registry(&world, "loaded.db");
    let store = world.open();
    rotated(&store, Kind::Data, None).await;
    store.stop();
    drop(store);
    let newest = copy_registry(&world, "newest.db");
    put_registry(&world, &loaded);
    let told = world.refused();
    assert!(told.contains("registry.db is older") && told.contains("restore accept"), "{told}");
    // Its records are sealed by a key that was retired: nobody could be looked up after it.
    let copy = world.try_open(true).unwrap();
    let at = BEGIN.plus_ms(APRIL);
    let refused = copy.accept_copy(at, "A", "mất đĩa").await.unwrap_err();
    assert!(matches!(refused, Error::OlderCopy(_)), "{refused}");
    assert!(refused.to_string().contains("restore a backup"), "{refused}");
    copy.stop();
    drop(copy);
    world.refused();
    put_registry(&world, &newest);
    let store = world.open();
    assert_eq!(ids(&store).len() as u64, PEOPLE);
    store.stop();
}

/// A registry that its keys open is taken into use by a decision, and is the one from then on.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_registry_that_opens_can_be_accepted() {
    let world = World::empty(Engine::Sqlite, None);
    world.open().stop();
    let empty = copy_registry(&world, "empty.db");
    let store = world.open();
    people(&store);
    write(&store, 0, 10, 1_000).await;
    store.stop();
    drop(store);
    // The start after the load lets the core follow.
    world.open().stop();
    assert!(state(&world, Area::Core, "meta").unwrap().starts_with("1 "));
    put_registry(&world, &empty);
    world.refused();
    let copy = world.try_open(true).unwrap();
    let accepted = copy.accept_copy(BEGIN.plus_ms(2_000), "A", "mất đĩa").await.unwrap();
    assert_eq!((accepted.lost, accepted.generation), (Some(0), 1));
    copy.stop();
    drop(copy);
    let store = world.open();
    let dancu_journal::Body::Act(act) = store.entry(accepted.index).unwrap().unwrap().body else {
        panic!("no act")
    };
    assert!(act.detail.contains("registry.db: trạng thái (state) 0, core.db 1"), "{}", act.detail);
    assert!(ids(&store).is_empty());
    assert_eq!(state(&world, Area::Core, "meta"), None);
    store.stop();
}

fn remove(world: &World, area: Area) {
    for side in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(world.dir().join(format!("{}{side}", area.file())));
    }
}

/// A registry that was lost is taken as an empty one by a decision, and filled again.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_registry_can_be_accepted_as_empty_and_imported_again() {
    let (world, store) = filled(Engine::Sqlite).await;
    // The blind key that a new registry would name is retired.
    rotated(&store, Kind::Blind, None).await;
    store.stop();
    drop(store);
    world.open().stop();
    remove(&world, Area::Registry);
    let told = world.refused();
    assert!(told.contains("missing or empty") && told.contains("population import"), "{told}");
    assert!(!registry(&world).exists(), "what is refused stays as it is");
    // As the command opens it, which migrates nothing but what it accepts.
    let options = || OpenOptions {
        profiles: Arc::new(Profiles::parse(DEFAULT_PROFILE).unwrap()),
        master_key: <_>::default(),
        now: BEGIN,
        migrate: false,
        database: None,
    };
    let accepting = Anchoring { path: None, accept: true };
    let copy = Store::open_anchored(&world.dir(), options(), &accepting).unwrap();
    let at = BEGIN.plus_ms(APRIL);
    let accepted = copy.accept_copy(at, "A", "mất đĩa").await.unwrap();
    copy.stop();
    drop(copy);
    let store = Store::open(&world.dir(), options()).unwrap();
    let dancu_journal::Body::Act(act) = store.entry(accepted.index).unwrap().unwrap().body else {
        panic!("no act")
    };
    assert!(act.detail.contains("trống, phải nhập lại dân số"), "{}", act.detail);
    assert!(ids(&store).is_empty());
    people(&store);
    store.stop();
    drop(store);
    let store = world.open();
    assert_eq!(ids(&store).len() as u64, PEOPLE);
    store.stop();
}

/// One step ahead is followed only with the keys that open it: an older core has none of them,
/// and without an anchor nothing else tells that it is older.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_core_one_step_behind_is_refused() {
    let (world, store) = filled(Engine::Sqlite).await;
    store.stop();
    drop(store);
    world.open().stop();
    let core = world.dir().join(Area::Core.file());
    let older = world.folder.0.join("core.older.db");
    let db = sqlite::writer(&core).unwrap();
    db.execute("VACUUM INTO ?1", [older.to_str().unwrap()]).unwrap();
    drop(db);
    let store = world.open();
    rotated(&store, Kind::Data, None).await;
    store.stop();
    drop(store);
    remove(&world, Area::Core);
    std::fs::copy(&older, &core).unwrap();
    std::fs::remove_file(world.dir().join(ANCHOR_FILE)).unwrap();
    let before = state(&world, Area::Core, "meta");
    assert!(world.refused().contains("core.db is older than registry.db"));
    assert_eq!(state(&world, Area::Core, "meta"), before);
}

/// Cut off between the two files the registry is exactly one step ahead.
#[tokio::test(flavor = "multi_thread")]
async fn one_step_ahead_is_followed_and_two_are_not() {
    let (world, store) = filled(Engine::Sqlite).await;
    store.stop();
    drop(store);
    world.open().stop();
    let first = state(&world, Area::Core, "meta").unwrap();
    assert_eq!(state(&world, Area::Registry, "registry_meta"), Some(first.clone()));
    let name = |text: &str| text.split(' ').nth(1).unwrap().to_owned();
    set_state(&world, &format!("2 aa {}", name(&first)));
    world.open().stop();
    assert!(state(&world, Area::Core, "meta").unwrap().starts_with("2 aa "));
    set_state(&world, "4 cc bb");
    assert!(world.refused().contains("core.db is older than registry.db"));
    // Another's, with the same number.
    set_state(&world, &format!("2 dd {}", name(&first)));
    assert!(world.refused().contains("another's"));
    set_state(&world, &format!("3 bb {}", "aa"));
    world.open().stop();
}

/// A folder or a database as version 1 of the schema left it.
fn of_version_one() -> [World; 2] {
    let core = include_str!("../../migrations/core/0001_init.sql");
    let people = include_str!("../../migrations/registry/0001_init.sql");
    let files = World::empty(Engine::Sqlite, None);
    for (area, text) in [(Area::Core, core), (Area::Registry, people)] {
        let db = sqlite::writer(&files.dir().join(area.file())).unwrap();
        db.execute_batch(&for_sqlite(text)).unwrap();
        db.pragma_update(None, "user_version", 1).unwrap();
    }
    std::fs::write(files.dir().join(MASTER_KEY_FILE), "0a".repeat(32)).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(files.dir().join(MASTER_KEY_FILE), mode).unwrap();
    let server = World::empty(Engine::Postgres, None);
    let besides = include_str!("../../migrations/core/0001_init.postgresql.sql");
    let search = include_str!("../../migrations/search/0001_init.sql");
    let search_besides = include_str!("../../migrations/search/0001_init.postgresql.sql");
    let mut db = server.connect(Area::Core);
    for text in [core, people, search].map(for_postgresql) {
        db.tx().batch(&text).unwrap();
    }
    for text in [besides, search_besides] {
        db.tx().batch(text).unwrap();
    }
    db.tx()
        .batch(
            "CREATE TABLE schema_version (area TEXT NOT NULL PRIMARY KEY, \
             version INTEGER NOT NULL, oldest INTEGER NOT NULL); \
             INSERT INTO schema_version VALUES ('core', 1, 1), ('registry', 1, 1), \
             ('search', 1, 1)",
        )
        .unwrap();
    [files, server]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_neither_migrated_nor_given_keys() {
    let (other, store) = filled(Engine::Sqlite).await;
    store.stop();
    for world in of_version_one() {
        std::fs::copy(other.dir().join(ANCHOR_FILE), world.dir().join(ANCHOR_FILE)).unwrap();
        for _ in 0..2 {
            assert!(world.refused().contains("before its anchor was kept"));
            let mut db = world.connect(Area::Core);
            assert_eq!(migrate::version(&mut db, Area::Core).unwrap(), 1);
            let keys = "SELECT COUNT(*) FROM crypto_key";
            assert_eq!(db.tx().one(keys, &[], |r| r.get::<i64>(0)).unwrap(), 0);
        }
        // The decision to go on with it also brings its schema on.
        let copy = world.try_open(true).unwrap();
        copy.accept_copy(BEGIN, "A", "mất đĩa").await.unwrap();
        copy.stop();
        drop(copy);
        world.open().stop();
    }
}

/// Where an anchor tells of a journal none is begun anew.
#[tokio::test(flavor = "multi_thread")]
async fn no_new_database_is_made_beside_an_anchor() {
    let (other, store) = filled(Engine::Sqlite).await;
    store.stop();
    for engine in BOTH {
        let world = World::empty(engine, None);
        std::fs::copy(other.dir().join(ANCHOR_FILE), world.dir().join(ANCHOR_FILE)).unwrap();
        assert!(world.refused().contains("there is no database"));
        assert!(!world.dir().join(Area::Core.file()).exists());
        if engine == Engine::Postgres {
            let mut db = world.connect(Area::Core);
            assert_eq!(migrate::version(&mut db, Area::Core).unwrap(), 0);
        }
        std::fs::remove_file(world.dir().join(ANCHOR_FILE)).unwrap();
        world.open().stop();
    }
}
