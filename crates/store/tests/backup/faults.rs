//! What goes wrong: flipped bits, cut files, wrong keys, interruptions, a place that is not empty.

use dancu_store::Error;
use dancu_store::backup::{MANIFEST_FILE, PARTS, RESTORING};

use super::*;

async fn backed_up(engine: Engine) -> World {
    let (world, store) = filled(engine).await;
    store.stop();
    world.back_up("one", None, false).unwrap();
    world
}

fn parts(world: &World) -> Vec<PathBuf> {
    files(&world.folder.0.join("one").join(PARTS))
}

/// Runs a check over a changed file and puts it back as it was.
fn with(path: &Path, change: impl FnOnce(&mut Vec<u8>), check: impl FnOnce()) {
    let before = std::fs::read(path).unwrap();
    let mut bytes = before.clone();
    change(&mut bytes);
    std::fs::write(path, &bytes).unwrap();
    check();
    std::fs::write(path, before).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_flipped_bit_and_every_cut_is_found() {
    let world = backed_up(Engine::Sqlite).await;
    let sound = world.verify("one").unwrap();
    assert!(sound.is_sound() && sound.parts == parts(&world).len() as u64);
    let target = World::empty(Engine::Sqlite, Some(&world));
    for part in parts(&world) {
        let name = part.file_name().unwrap().to_string_lossy().into_owned();
        let length = std::fs::metadata(&part).unwrap().len() as usize;
        let found = || {
            let checked = world.verify("one").unwrap();
            assert!(checked.problems.iter().any(|p| p.contains(&name)), "{name}");
            let plain = backup::verify(&world.folder.0.join("one"), None, &mut |_| {}).unwrap();
            assert!(!plain.is_sound() && !plain.opened, "{name}: seen without keys too");
        };
        for at in [0, 9, 41, 60, length / 2, length - 1] {
            with(&part, |bytes| bytes[at] ^= 1 << (at % 8), found);
        }
        for cut in [0, 39, length / 2, length - 1] {
            with(&part, |bytes| bytes.truncate(cut), found);
        }
        with(&part, |bytes| bytes.push(0), found);
    }
    // Nothing is touched where the backup is not sound.
    let part = &parts(&world)[3];
    with(
        part,
        |bytes| bytes[50] ^= 4,
        || {
            assert!(matches!(world.restore("one", &target), Err(Error::Backup(_))));
            assert_eq!(files(&target.dir()), [target.dir().join(MASTER_KEY_FILE)]);
        },
    );
    assert!(world.verify("one").unwrap().is_sound());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_an_exchanged_and_a_forged_part_are_found() {
    let world = backed_up(Engine::Sqlite).await;
    let all = parts(&world);
    let (one, other) = (&all[0], &all[1]);
    let moved = world.folder.0.join("moved");
    std::fs::rename(one, &moved).unwrap();
    assert_eq!(world.verify("one").unwrap().problems.len(), 1);
    std::fs::copy(other, one).unwrap();
    assert_eq!(world.verify("one").unwrap().problems.len(), 1);
    std::fs::rename(&moved, one).unwrap();
    // Whoever changes the manifest along with a part lacks the key of its MAC.
    let manifest = world.folder.0.join("one").join(MANIFEST_FILE);
    let text = std::fs::read_to_string(&manifest).unwrap();
    for (from, to) in [("\"rows\": 1,", "\"rows\": 2,"), ("\"nextIndex\": 9", "\"nextIndex\": 8")] {
        assert!(text.contains(from), "{from}");
        std::fs::write(&manifest, text.replacen(from, to, 1)).unwrap();
        assert!(matches!(world.verify("one"), Err(Error::Backup(_))), "{to}");
    }
    for broken in
        ["", "{", &text[..text.len() / 2], &text.replace("\"format\": 1", "\"format\": 9")]
    {
        std::fs::write(&manifest, broken).unwrap();
        assert!(matches!(world.verify("one"), Err(Error::Backup(_))));
    }
    std::fs::remove_file(&manifest).unwrap();
    assert!(matches!(world.verify("one"), Err(Error::Backup(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_and_damaged_keys_open_nothing() {
    let world = backed_up(Engine::Sqlite).await;
    let stranger = World::empty(Engine::Sqlite, None);
    stranger.open().stop();
    assert!(matches!(world.unwrapped(&stranger), Err(Error::MasterKey(_))));
    let target = World::empty(Engine::Sqlite, Some(&stranger));
    assert!(matches!(world.restore("one", &target), Err(Error::MasterKey(_))));
    // The keys of another database under its own master key: its manifest is not theirs.
    stranger.back_up("one", None, false).unwrap();
    let (keys, _) = stranger.unwrapped(&stranger).unwrap();
    let other = backup::verify(&world.folder.0.join("one"), Some(&keys), &mut |_| {});
    assert!(matches!(other, Err(Error::Backup(_))));
    let file = world.folder.0.join("wrapped.keys");
    let length = std::fs::metadata(&file).unwrap().len() as usize;
    for at in [10, length / 2, length - 20] {
        with(&file, |bytes| bytes[at] ^= 1, || assert!(world.unwrapped(&world).is_err(), "{at}"));
        with(&file, |bytes| bytes.truncate(at), || assert!(world.unwrapped(&world).is_err()));
    }
    assert!(world.unwrapped(&world).is_ok());
    // A file of something else is not overwritten with keys.
    with(
        &file,
        |bytes| *bytes = b"a letter".to_vec(),
        || {
            assert!(matches!(world.back_up("two", None, false), Err(Error::Backup(_))));
            assert_eq!(std::fs::read(&file).unwrap(), b"a letter");
        },
    );
    assert!(!world.folder.0.join("two").exists() && !world.folder.0.join("two.partial").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_backup_is_none() {
    let world = backed_up(Engine::Sqlite).await;
    // As a killed process leaves it: parts, no manifest, its lock gone with it.
    let partial = world.folder.0.join("two.partial");
    std::fs::create_dir_all(partial.join(PARTS)).unwrap();
    std::fs::write(partial.join("WRITING"), "").unwrap();
    std::fs::copy(&parts(&world)[0], partial.join(PARTS).join("meta-all.part")).unwrap();
    assert!(matches!(world.verify("two.partial"), Err(Error::Backup(_))));
    let held = std::fs::File::open(partial.join("WRITING")).unwrap();
    let exclusive = rustix::fs::FlockOperation::NonBlockingLockExclusive;
    rustix::fs::flock(&held, exclusive).unwrap();
    let busy = world.back_up("two", None, false);
    assert!(matches!(busy, Err(Error::Backup(_))) && partial.exists());
    drop(held);
    world.back_up("two", None, false).unwrap();
    assert!(world.verify("two").unwrap().is_sound() && !partial.exists());
    // A name that is taken, and keys beside what they open.
    assert!(matches!(world.back_up("two", None, false), Err(Error::Backup(_))));
    let making = Making {
        site: &world.site(),
        keys: &world.keyring(),
        to: &world.folder.0.join("three"),
        base: None,
        by_path: false,
        keys_to: Some(&world.folder.0.join("three").join("keys")),
        now: BEGIN,
        program: "test",
    };
    assert!(matches!(backup::make(&making, &mut |_| {}), Err(Error::Backup(_))));
    assert!(!world.folder.0.join("three").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn restoring_twice_is_refused() {
    let world = backed_up(Engine::Sqlite).await;
    for engine in BOTH {
        let target = World::empty(engine, Some(&world));
        world.restore("one", &target).unwrap();
        let before = target.dump();
        assert!(matches!(world.restore("one", &target), Err(Error::Backup(_))));
        assert!(target.dump() == before);
        // Nor over the data that it was made of.
        assert!(matches!(world.restore("one", &world), Err(Error::Backup(_))));
    }
}

/// A process that ends in the middle of a restoring leaves nothing that is served, and the next
/// restoring succeeds.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_restoring_is_not_served() {
    let world = backed_up(Engine::Sqlite).await;
    for left in [&[Area::Core][..], &[Area::Core, Area::Registry]] {
        let target = World::empty(Engine::Sqlite, Some(&world));
        for area in left {
            let file = format!("{}.{RESTORING}", area.file());
            std::fs::write(target.dir().join(file), "half of a database").unwrap();
        }
        assert!(target.refused().contains("dancu restore"));
        assert!(!target.dir().join(Area::Core.file()).exists());
        world.restore("one", &target).unwrap();
        assert_eq!(target.dump()["person"].len(), PEOPLE as usize);
    }
    // Between the two renames: the registry has its name, the core has not.
    let target = World::empty(Engine::Sqlite, Some(&world));
    world.restore("one", &target).unwrap();
    let core = target.dir().join(Area::Core.file());
    std::fs::rename(&core, target.dir().join(format!("{}.{RESTORING}", Area::Core.file())))
        .unwrap();
    target.refused();
    world.restore("one", &target).unwrap();
    assert_eq!(target.dump()["person"].len(), PEOPLE as usize);
}

/// On PostgreSQL all rows are one transaction: cut off in it, it leaves the mark that was stored
/// before it, and nothing takes that for a new database.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_restoring_into_a_database_is_not_served() {
    let world = backed_up(Engine::Sqlite).await;
    let target = World::empty(Engine::Postgres, Some(&world));
    let mut db = target.connect(Area::Core);
    for area in dancu_store::engine::migrate::AREAS {
        dancu_store::engine::migrate::migrate(&mut db, area).unwrap();
    }
    let fault = "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE EXCEPTION 'fault of the test'; END $$; \
                 CREATE TRIGGER fault BEFORE INSERT ON household \
                 FOR EACH ROW EXECUTE FUNCTION fault()";
    db.tx().batch(fault).unwrap();
    for _ in 0..2 {
        let error = world.restore("one", &target).unwrap_err();
        assert!(error.to_string().contains("P0001"), "{error}");
        let mut left = target.dump();
        assert_eq!(left.remove("meta").unwrap().len(), 1);
        assert!(left.values().all(Vec::is_empty));
        // Neither served, nor migrated, nor accepted, nor backed up.
        assert!(target.refused().contains("dancu restore"));
        assert!(matches!(target.try_open(true), Err(Error::OlderCopy(_))));
        assert!(matches!(target.back_up("none", None, false), Err(Error::OlderCopy(_))));
        assert!(target.dump()["crypto_key"].is_empty());
    }
    db.tx().batch("DROP TRIGGER fault ON household").unwrap();
    world.restore("one", &target).unwrap();
    assert!(!target.dump()["meta"].iter().any(|row| row.contains("unfinished")));
    assert!(target.refused().contains("not accepted yet"));
    assert_eq!(target.dump()["household"].len(), world.dump()["household"].len());
}
