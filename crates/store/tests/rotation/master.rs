//! Another master key, cut off at every step; keys that are missing, wrong or spoilt.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use dancu_store::keys::master::{make_next, old_files, unnamed_files};
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

/// What a person put beside the keys neither refuses a start nor is removed.
#[test]
fn files_with_other_names_are_left_alone() {
    for engine in ENGINES {
        let world = World::new(engine);
        drop(world.open());
        let others = ["master.key.mine.part", "master.key.old.bak", "master.key.old.part"];
        for name in others {
            put(&world, name, "?");
            fs::set_permissions(world.file(name), Permissions::from_mode(0o644)).unwrap();
        }
        for name in ["master.key.part", "master.key.next.part"] {
            put(&world, name, "12");
        }
        drop(world.open());
        assert!(others.iter().all(|name| world.file(name).exists()));
        assert!(!world.file("master.key.part").exists());
        assert!(!world.file("master.key.next.part").exists());
        assert!(old_files(world.dir()).unwrap().is_empty());
        assert_eq!(unnamed_files(world.dir()).unwrap(), others[1..]);
    }
}

/// Backups from before each change need the key of their time: none is removed by a later change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_old_master_stays_until_it_is_put_away() {
    for engine in ENGINES {
        let world = World::new(engine);
        let store = world.open();
        let first = saved(&world, MASTER_KEY_FILE);
        let change = |store| rotation::change_master(store, BEGIN, MasterTarget::Local, "t");
        let one = change(&store).await.unwrap();
        let second = saved(&world, MASTER_KEY_FILE);
        let two = change(&store).await.unwrap();
        let third = saved(&world, MASTER_KEY_FILE);
        let older = format!("{MASTER_KEY_OLD_FILE}.{}", one.old);
        assert_eq!(saved(&world, &older), first);
        assert_eq!(saved(&world, MASTER_KEY_OLD_FILE), second);
        assert_eq!(old_files(world.dir()).unwrap(), [MASTER_KEY_OLD_FILE, &older]);
        let three = change(&store).await.unwrap();
        assert_eq!((one.new, two.new), (two.old, three.old));
        assert_eq!(saved(&world, &format!("{MASTER_KEY_OLD_FILE}.{}", two.old)), second);
        assert_eq!(saved(&world, &older), first);
        assert_eq!(saved(&world, MASTER_KEY_OLD_FILE), third);
        // Each is within reach, for backups of its time.
        let known = rotation::status(&store).unwrap().masters;
        for id in [one.old, two.old, three.old, three.new] {
            assert!(known.iter().any(|m| m.id == id), "{id}");
        }
        drop(store);
        // Cut off after each step with the old files: the next start finishes it.
        let fourth = saved(&world, MASTER_KEY_FILE);
        let name = format!("{MASTER_KEY_OLD_FILE}.{}", two.new);
        for step in 0..3 {
            put(&world, MASTER_KEY_FILE, &third);
            put(&world, MASTER_KEY_NEXT_FILE, &fourth);
            let _ = fs::remove_file(world.file(&name));
            put(&world, MASTER_KEY_OLD_FILE, &second);
            let of_second = format!("{MASTER_KEY_OLD_FILE}.{}", two.old);
            match step {
                0 => fs::remove_file(world.file(&of_second)).unwrap(),
                1 => put(&world, &of_second, &second),
                _ => fs::remove_file(world.file(MASTER_KEY_OLD_FILE)).unwrap(),
            }
            drop(world.open());
            assert_eq!(saved(&world, MASTER_KEY_FILE), fourth, "{step}");
            assert_eq!(saved(&world, MASTER_KEY_OLD_FILE), third, "{step}");
            assert_eq!(saved(&world, &of_second), second, "{step}");
            assert_eq!(saved(&world, &older), first, "{step}");
        }
    }
}

/// A key that was not written to its end, or not given its name, does not stay in clear.
#[test]
fn drafts_of_keys_are_removed_at_the_next_start() {
    let world = World::new(dancu_store::engine::Engine::Sqlite);
    drop(world.open());
    for name in ["master.key.part", "master.key.next.part"] {
        put(&world, name, &"0c".repeat(32));
    }
    drop(world.open());
    for name in ["master.key.part", "master.key.next.part"] {
        assert!(!world.file(name).exists(), "{name}");
    }
    assert!(world.file(MASTER_KEY_FILE).exists());
}

/// Two nodes that change the master at the same moment: one after the other, or one is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_of_the_master_follow_each_other() {
    let first = World::new(dancu_store::engine::Engine::Postgres);
    let second = first.another();
    drop(first.open());
    put(&second, MASTER_KEY_FILE, &saved(&first, MASTER_KEY_FILE));
    let [of_first, of_second] = [&first, &second].map(|world| make_next(world.dir()).unwrap());
    // Each can open what the other wraps.
    let spare = |of| format!("{MASTER_KEY_OLD_FILE}.{of}");
    put(&second, &spare(of_first), &saved(&first, MASTER_KEY_NEXT_FILE));
    put(&first, &spare(of_second), &saved(&second, MASTER_KEY_NEXT_FILE));
    let (one, other) = (first.open(), second.open());
    let (one, other) = tokio::join!(
        rotation::change_master(&one, BEGIN, MasterTarget::Local, "t"),
        rotation::change_master(&other, BEGIN, MasterTarget::Local, "t")
    );
    match (one, other) {
        (Ok(a), Ok(b)) => assert!(a.new == b.old || b.new == a.old, "{a:?} {b:?}"),
        (Ok(_), Err(told)) | (Err(told), Ok(_)) => {
            assert!(told.to_string().contains("another node changed"), "{told}");
        }
        (Err(a), Err(b)) => panic!("{a}; {b}"),
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
