//! An older backup with a file of keys from another time: told before anything is restored, or
//! opened all the same.

use dancu_store::Error;
use dancu_store::rotation::{self, Kind, MasterTarget, Runner, Step};

use super::*;

/// Changes keys to the end.
pub async fn rotated(store: &Store, kind: Kind, month: Option<u32>) {
    let at = BEGIN.plus_ms(APRIL);
    rotation::begin(store, at, kind, month, "t").await.unwrap();
    let mut runner = Runner::default();
    while !matches!(runner.slice(store, at).await.unwrap(), Step::Finished(_)) {}
}

/// The problems of a backup that begin with a part's name.
fn problems(world: &World, name: &str, part: &str) -> usize {
    let checked = world.verify(name).unwrap();
    checked.problems.iter().filter(|p| p.starts_with(part)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_a_later_file_lost_are_told() {
    for engine in BOTH {
        let (world, store) = filled(engine).await;
        let back_up = |name| tokio::task::block_in_place(|| world.back_up(name, None, false));
        back_up("one").unwrap();
        let own = std::fs::read(world.folder.0.join("wrapped.keys")).unwrap();
        let target = World::empty(engine, Some(&world));
        // A month whose key was changed twice: its salt is there, the key of its entries is not.
        for _ in 0..2 {
            rotated(&store, Kind::Month, Some(202_603)).await;
        }
        back_up("two").unwrap();
        assert_eq!(problems(&world, "one", "entry_chunk-202603"), 1);
        assert_eq!(world.verify("one").unwrap().problems.len(), 1);
        assert!(world.verify("two").unwrap().is_sound());
        assert!(matches!(world.restore("one", &target), Err(Error::Backup(_))));
        // Digests of an epoch whose key was retired: nobody would be found.
        rotated(&store, Kind::Blind, None).await;
        back_up("three").unwrap();
        for name in ["one", "two"] {
            assert_eq!(problems(&world, name, "person_key-"), 16, "{name}");
        }
        assert!(world.verify("three").unwrap().is_sound());
        // The other way round: a newer backup with a file of keys from before.
        std::fs::write(world.folder.0.join("wrapped.keys"), &own).unwrap();
        assert!(world.verify("one").unwrap().is_sound());
        assert_eq!(problems(&world, "three", "person_key-"), 16);
        assert_eq!(problems(&world, "three", "entry_chunk-202603"), 1);
        assert_eq!(problems(&world, "three", "registry_meta-"), 1);
        world.restore("one", &target).unwrap();
        store.stop();
    }
}

/// A rotation that was under way goes on after a restoring: both of its keys have to be there.
#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_under_way_needs_both_of_its_keys() {
    let (world, store) = filled(Engine::Sqlite).await;
    let back_up = |name| tokio::task::block_in_place(|| world.back_up(name, None, false));
    back_up("before").unwrap();
    let own = std::fs::read(world.folder.0.join("wrapped.keys")).unwrap();
    let at = BEGIN.plus_ms(APRIL);
    rotation::begin(&store, at, Kind::Data, None, "t").await.unwrap();
    back_up("under-way").unwrap();
    assert!(world.verify("under-way").unwrap().is_sound());
    std::fs::write(world.folder.0.join("wrapped.keys"), own).unwrap();
    assert_eq!(problems(&world, "under-way", "key_rotation-"), 1);
    store.stop();
}

/// After a change of the master a newer file of keys opens older backups under the new master: the
/// one in force in the restored database is the one that wraps its keys.
#[tokio::test(flavor = "multi_thread")]
async fn a_newer_master_opens_an_older_backup() {
    for engine in BOTH {
        let (world, store) = filled(engine).await;
        let back_up = |name| tokio::task::block_in_place(|| world.back_up(name, None, false));
        back_up("one").unwrap();
        let at = BEGIN.plus_ms(APRIL);
        let change = rotation::change_master(&store, at, MasterTarget::Local, "t").await.unwrap();
        back_up("two").unwrap();
        store.stop();
        // The new master's folder alone: the old key was put away.
        let target = World::empty(engine, Some(&world));
        assert!(world.verify("one").unwrap().is_sound());
        world.restore("one", &target).unwrap();
        let copy = target.try_open(true).unwrap();
        assert_eq!(rotation::status(&copy).unwrap().master, Some(change.new));
        copy.accept_copy(at, "A", "thử").await.unwrap();
        assert_eq!(ids(&copy).len() as u64, PEOPLE);
        copy.stop();
    }
}

/// The file of keys of another database is not written over.
#[tokio::test(flavor = "multi_thread")]
async fn keys_of_another_database_are_not_overwritten() {
    let (world, store) = filled(Engine::Sqlite).await;
    store.stop();
    world.back_up("one", None, false).unwrap();
    let file = world.folder.0.join("wrapped.keys");
    let before = std::fs::read(&file).unwrap();
    let stranger = World::empty(Engine::Sqlite, None);
    stranger.open().stop();
    let (to, keys, site) = (world.folder.0.join("strange"), stranger.keyring(), stranger.site());
    let making = Making {
        site: &site,
        keys: &keys,
        to: &to,
        base: None,
        by_path: false,
        keys_to: Some(&file),
        now: BEGIN,
        program: "test",
    };
    let refused = backup::make(&making, &mut |_| {}).unwrap_err();
    assert!(matches!(refused, Error::Backup(_)), "{refused}");
    assert!(refused.to_string().contains("of another database"), "{refused}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
    assert!(!to.exists());
    // Its own newer keys take the place of the older ones.
    world.back_up("two", None, false).unwrap();
    assert!(world.verify("one").unwrap().is_sound());
}
