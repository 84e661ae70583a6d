//! Backups upon backups: what did not change is taken over.

use std::os::unix::fs::MetadataExt as _;

use dancu_store::backup::{Manifest, PARTS};

use super::*;

fn inode(world: &World, backup: &str, part: &str) -> u64 {
    world.folder.0.join(backup).join(PARTS).join(part).metadata().unwrap().ino()
}

#[tokio::test(flavor = "multi_thread")]
async fn finished_months_are_shared() {
    for engine in BOTH {
        let (world, store) = filled(engine).await;
        let made = |name, base, by_path| {
            tokio::task::block_in_place(|| world.back_up(name, base, by_path)).unwrap()
        };
        let first = made("one", None, false);
        assert_eq!((first.shared, first.written), (0, first.bytes));
        write(&store, 5_000, 200, APRIL + 1_000).await;
        let second = made("two", Some("one"), false);
        let (march, april) = ("entry_chunk-202603-000000.part", "entry_chunk-202604-000000.part");
        assert_eq!(inode(&world, "one", march), inode(&world, "two", march));
        assert_ne!(inode(&world, "one", april), inode(&world, "two", april));
        assert!(second.shared > 20 && second.written < second.bytes / 2, "{second:?}");
        assert!(world.verify("two").unwrap().is_sound());
        // By path nothing lies in the folder; a chain of backups leads to where it lies.
        let third = made("three", Some("two"), true);
        let fourth = made("four", Some("three"), true);
        assert_eq!((third.shared, third.written), (third.parts, 0));
        assert_eq!(
            (fourth.shared, files(&world.folder.0.join("four").join(PARTS)).len()),
            (fourth.parts, 0)
        );
        assert!(world.verify("four").unwrap().is_sound());
        store.stop();
        let target = World::empty(engine, Some(&world));
        world.restore("four", &target).unwrap();
        let mut copied = target.dump();
        copied.get_mut("meta").unwrap().retain(|row| !row.starts_with("\"log.restored\""));
        assert!(copied == world.dump());
    }
}

/// A part of the base that is damaged is not taken over but written anew.
#[tokio::test(flavor = "multi_thread")]
async fn damage_is_not_inherited() {
    let (world, store) = filled(Engine::Sqlite).await;
    store.stop();
    world.back_up("one", None, false).unwrap();
    let part = world.folder.0.join("one").join(PARTS).join("entry_chunk-202603-000000.part");
    let mut bytes = std::fs::read(&part).unwrap();
    bytes[500] ^= 1;
    std::fs::write(&part, bytes).unwrap();
    let made = world.back_up("two", Some("one"), false).unwrap();
    assert_eq!((made.shared, made.warnings.len()), (made.parts - 1, 1));
    assert!(!world.verify("one").unwrap().is_sound() && world.verify("two").unwrap().is_sound());
}

/// A change of one bit in an old month, with the same count and indexes, is a change.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_month_is_copied_again() {
    let (world, store) = filled(Engine::Sqlite).await;
    store.stop();
    drop(store);
    world.back_up("one", None, false).unwrap();
    let db = sqlite::writer(&world.dir().join(Area::Core.file())).unwrap();
    let sql = "UPDATE entry_chunk SET commitments = zeroblob(length(commitments)) \
               WHERE first_idx = (SELECT MAX(first_idx) FROM entry_chunk WHERE month = 202603)";
    assert_eq!(db.execute(sql, []).unwrap(), 1);
    let made = world.back_up("two", Some("one"), false).unwrap();
    assert_eq!(made.shared, made.parts - 1);
    let checked = world.verify("two").unwrap();
    assert_eq!(checked.problems.len(), 1, "{:?}", checked.problems);
    assert!(checked.problems[0].contains("entry_chunk-202603"), "{:?}", checked.problems);
}

/// The data of a month whose key was erased cannot be read from any backup, old or new.
#[tokio::test(flavor = "multi_thread")]
async fn erasing_a_months_key_erases_it_in_every_backup() {
    let (world, store) = filled(Engine::Sqlite).await;
    store.stop();
    drop(store);
    world.back_up("one", None, false).unwrap();
    assert!(world.verify("one").unwrap().months_without_key.is_empty());
    let db = sqlite::writer(&world.dir().join(Area::Core.file())).unwrap();
    let erase = "DELETE FROM crypto_key WHERE period = 202603";
    assert_eq!(db.execute(erase, []).unwrap(), 2);
    drop(db);
    // The newer file of keys takes the older one's place.
    world.back_up("two", Some("one"), false).unwrap();
    for name in ["one", "two"] {
        let checked = world.verify(name).unwrap();
        assert!(checked.is_sound(), "{:?}", checked.problems);
        assert_eq!(checked.months_without_key, [202_603]);
        assert!(checked.entries > 0 && checked.entries < checked.next_index);
        let manifest = Manifest::read(&world.folder.0.join(name)).unwrap();
        assert!(manifest.parts.iter().all(|p| p.table != "crypto_key"));
    }
    for engine in BOTH {
        let target = World::empty(engine, Some(&world));
        world.restore("one", &target).unwrap();
        let copy = target.try_open(true).unwrap();
        assert!(copy.entry(3).is_err());
        assert!(copy.entry(899).unwrap().is_some());
        // What can be opened is found; the erased month is passed over, now and at each start.
        copy.accept_copy(BEGIN.plus_ms(APRIL), "A", "thử").await.unwrap();
        let mut copy = Some(copy);
        for _ in 0..2 {
            let store = copy.take().unwrap_or_else(|| target.open());
            let found = store.entries_of_system(1, 0, 1_000).unwrap();
            assert_eq!(found.len(), 300, "{engine:?}");
            assert!(found.iter().all(|e| e.arrival == BEGIN.plus_ms(APRIL).0));
            store.stop();
        }
    }
}

/// A newer file of keys from which a rotation took the registry's key does not open an older
/// backup: this is told before anything is restored.
#[tokio::test(flavor = "multi_thread")]
async fn records_without_their_key_are_told() {
    let (world, store) = filled(Engine::Sqlite).await;
    store.stop();
    drop(store);
    world.back_up("one", None, false).unwrap();
    let own = std::fs::read(world.folder.0.join("wrapped.keys")).unwrap();
    let db = sqlite::writer(&world.dir().join(Area::Core.file())).unwrap();
    assert_eq!(db.execute("DELETE FROM crypto_key WHERE purpose = 'data'", []).unwrap(), 1);
    drop(db);
    world.back_up("two", None, false).unwrap();
    let checked = world.verify("one").unwrap();
    assert!(checked.problems.iter().any(|p| p.starts_with("person-000000")), "{checked:?}");
    let target = World::empty(Engine::Sqlite, Some(&world));
    assert!(world.restore("one", &target).is_err());
    std::fs::write(world.folder.0.join("wrapped.keys"), own).unwrap();
    assert!(world.verify("one").unwrap().is_sound());
    world.restore("one", &target).unwrap();
}
