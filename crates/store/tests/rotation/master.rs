//! Another master key, cut off at every step; keys that are missing, wrong or spoilt.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use dancu_store::keys::master::make_next;
use dancu_store::keys::{MASTER_KEY_FILE, MASTER_KEY_NEXT_FILE, MASTER_KEY_OLD_FILE, MasterSource};
use dancu_store::rotation::{self, MasterTarget};
use dancu_store::sqlite::Area;

use crate::world::{BEGIN, ENGINES, World, journal, note};

/// What the folder holds, to be put back as a crash would have left it.
fn saved(world: &World, name: &str) -> String {
    fs::read_to_string(world.file(name)).unwrap()
}

fn put(world: &World, name: &str, text: &str) {
    fs::write(world.file(name), text).unwrap();
    fs::set_permissions(world.file(name), Permissions::from_mode(0o600)).unwrap();
}

fn masters_in_use(world: &World) -> Vec<String> {
    let sql = "SELECT DISTINCT master FROM crypto_key WHERE retired_at IS NULL";
    world.connect(Area::Core).tx().query(sql, &[], |r| r.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_the_master_survives_every_cut() {
    for engine in ENGINES {
        let world = World::filled(engine, 120);
        let store = world.open();
        note(&store, BEGIN).await;
        let entries = journal(&store);
        let old = saved(&world, MASTER_KEY_FILE);
        // Cut off after the next key was made: nothing has changed, and it is said.
        let made = make_next(world.dir()).unwrap();
        drop(store);
        let store = world.open();
        let status = rotation::status(&store).unwrap();
        assert!(status.next_waits && status.master != Some(made));
        // Gone on with: the same next key.
        let change =
            rotation::change_master(&store, BEGIN, MasterTarget::Local, "t").await.unwrap();
        assert_eq!((change.new, Some(change.old)), (made, status.master));
        assert!(change.keys >= 8, "{} keys", change.keys);
        assert_eq!(masters_in_use(&world), [made.to_string()]);
        let new = saved(&world, MASTER_KEY_FILE);
        assert!(new != old && !world.file(MASTER_KEY_NEXT_FILE).exists());
        assert_eq!(saved(&world, MASTER_KEY_OLD_FILE), old, "older backups need it");
        let access = fs::metadata(world.file(MASTER_KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(access & 0o777, 0o600);
        world.people.check(&store).await;
        drop(store);
        // Cut off between the commit and the first step with files, and between the two of them.
        for kept in [false, true] {
            put(&world, MASTER_KEY_FILE, &old);
            put(&world, MASTER_KEY_NEXT_FILE, &new);
            if !kept {
                fs::remove_file(world.file(MASTER_KEY_OLD_FILE)).unwrap();
            }
            let store = world.open();
            assert_eq!(saved(&world, MASTER_KEY_FILE), new);
            assert_eq!(saved(&world, MASTER_KEY_OLD_FILE), old);
            assert!(!world.file(MASTER_KEY_NEXT_FILE).exists());
            assert_eq!(journal(&store)[..entries.len()], entries[..]);
            world.people.check(&store).await;
        }
        // The old key alone opens nothing any more, and the text names both.
        put(&world, MASTER_KEY_FILE, &old);
        fs::remove_file(world.file(MASTER_KEY_OLD_FILE)).unwrap();
        let refused = world.refused();
        assert!(refused.contains("wrong master key"), "{refused}");
        assert!(refused.contains(&change.new.to_string()), "{refused}");
        assert!(refused.contains(&change.old.to_string()), "{refused}");
        // Nothing was changed by the refusal: with the right key it opens.
        put(&world, MASTER_KEY_FILE, &new);
        let store = world.open();
        let again = rotation::change_master(&store, BEGIN, MasterTarget::Local, "t").await.unwrap();
        assert_eq!(again.old, change.new);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_in_the_environment_is_followed_by_the_next_one() {
    for engine in ENGINES {
        let mut world = World::new(engine);
        let (a, b) = ("0a".repeat(32), "0b".repeat(32));
        let source = |now: &str, next: Option<&str>| MasterSource {
            environment: Some(now.to_owned()),
            environment_next: next.map(str::to_owned),
            token: None,
        };
        world.masters = source(&a, None);
        let store = world.open();
        let error = rotation::change_master(&store, BEGIN, MasterTarget::Local, "t").await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains("DANCU_MASTER_KEY_NEXT"), "{error}");
        drop(store);
        world.masters = source(&a, Some(&b));
        let store = world.open();
        let done = rotation::change_master(&store, BEGIN, MasterTarget::Local, "t").await.unwrap();
        drop(store);
        // Before the variables were changed, and after.
        drop(world.open());
        world.masters = source(&b, None);
        let store = world.open();
        assert_eq!(rotation::status(&store).unwrap().master, Some(done.new));
        drop(store);
        world.masters = source(&a, None);
        assert!(world.refused().contains(&done.new.to_string()));
        assert!(!world.file(MASTER_KEY_FILE).exists(), "no file is made beside the variable");
    }
}

#[test]
fn spoilt_key_files_are_told_apart() {
    let world = World::new(dancu_store::engine::Engine::Sqlite);
    drop(world.open());
    let good = saved(&world, MASTER_KEY_FILE);
    let cases = [
        (good[..40].to_owned(), "40"),
        (format!("{}zz", &good[..62]), "odd characters"),
        (String::new(), "64"),
        ("77".repeat(32), "wrong master key"),
    ];
    for (text, told) in cases {
        put(&world, MASTER_KEY_FILE, &text);
        let refused = world.refused();
        assert!(refused.contains(told), "{refused}");
        assert!(!refused.contains(good.trim()) && !refused.contains(&good[..16]), "{refused}");
    }
    put(&world, MASTER_KEY_FILE, &good);
    fs::set_permissions(world.file(MASTER_KEY_FILE), Permissions::from_mode(0o640)).unwrap();
    assert!(world.refused().contains("0600"));
    fs::remove_file(world.file(MASTER_KEY_FILE)).unwrap();
    assert!(world.refused().contains("no master key"));
    assert!(!world.file(MASTER_KEY_FILE).exists(), "none is made where there is data");
    put(&world, MASTER_KEY_FILE, &good);
    drop(world.open());
}
