//! Keys changed while the store is in use, on both engines: the same answers at every moment, and
//! whoever is killed goes on where it was.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
#[path = "rotation/master.rs"]
mod master;
#[path = "rotation/nodes.rs"]
mod nodes;
#[path = "rotation/token.rs"]
mod token;
#[path = "rotation/world.rs"]
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use dancu_journal::Body;
use dancu_store::engine::Tx;
use dancu_store::keys::Purpose;
use dancu_store::rotation::{self, Kind, Runner, Step};
use dancu_store::sqlite::Area;
use dancu_store::{Error, Store, values};

use self::world::{BEGIN, ENGINES, World, note};

/// Runs slices until the rotation has ended.
async fn to_the_end(store: &Store) {
    let mut runner = Runner::default();
    for _ in 0..10_000 {
        if matches!(runner.slice(store, BEGIN).await.unwrap(), Step::Finished(_)) {
            return;
        }
    }
    panic!("the rotation does not end");
}

/// Runs a rotation with a new process after every few slices, while others look people up.
async fn with_kills(world: &World, kind: Kind) -> u64 {
    let looked_up = Arc::new(AtomicU64::new(0));
    let mut processes = 0;
    loop {
        processes += 1;
        assert!(processes < 200, "{kind:?} does not end");
        let store = world.open();
        let over = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let (store, over) = (store.clone(), over.clone());
                let (people, looked_up) = (world.people.clone(), looked_up.clone());
                tokio::spawn(async move {
                    loop {
                        people.check(&store).await;
                        looked_up.fetch_add(1, Ordering::Relaxed);
                        if over.load(Ordering::Acquire) {
                            return;
                        }
                    }
                })
            })
            .collect();
        let mut runner = Runner::default();
        let mut ended = false;
        for _ in 0..processes {
            match runner.slice(&store, BEGIN).await.unwrap() {
                Step::Finished(done) => {
                    assert_eq!((done.kind, done.new), (kind, done.old + 1));
                    ended = true;
                    break;
                }
                Step::Elsewhere => world.end_leases(),
                Step::Worked => {}
                Step::Idle => panic!("the rotation was forgotten"),
            }
        }
        over.store(true, Ordering::Release);
        for reader in readers {
            reader.await.unwrap();
        }
        // Gone without releasing its lease or bringing anything to an end.
        drop((runner, store));
        if ended {
            return looked_up.load(Ordering::Relaxed);
        }
        world.end_leases();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn data_and_blind_keys_change_and_every_answer_stays() {
    for engine in ENGINES {
        let world = World::filled(engine, 900);
        let store = world.open();
        world.people.check(&store).await;
        let begun = rotation::begin(&store, BEGIN, Kind::Data, None, "người thử").await.unwrap();
        assert_eq!((begun.old, begun.new), (0, 1));
        let second = rotation::begin(&store, BEGIN, Kind::Blind, None, "người thử").await;
        assert!(matches!(second, Err(Error::Rotation(_))), "two at a time");
        let shown = rotation::status(&store).unwrap().rotation.unwrap();
        assert_eq!((shown.kind, shown.step), (Kind::Data, 1));
        drop(store);
        let looked_up = with_kills(&world, Kind::Data).await;
        let store = world.open();
        rotation::begin(&store, BEGIN, Kind::Blind, None, "người thử").await.unwrap();
        drop(store);
        let looked_up = looked_up + with_kills(&world, Kind::Blind).await;
        assert!(looked_up > 20, "{looked_up} passes");
        check_new_keys(&world).await;
    }
}

/// Only new keys are left, in the database and in memory; the acts are journaled.
async fn check_new_keys(world: &World) {
    let store = world.open();
    world.people.check(&store).await;
    let mut registry = world.connect(Area::Registry);
    let mut count = |sql: &str| registry.tx().one(sql, &[], |r| r.get::<i64>(0)).unwrap();
    assert_eq!(count("SELECT COUNT(*) FROM person WHERE key_number <> 1"), 0);
    assert_eq!(count("SELECT COUNT(*) FROM household WHERE key_number <> 1"), 0);
    assert_eq!(count("SELECT COUNT(*) FROM person_key WHERE epoch <> 1"), 0);
    assert_eq!(count("SELECT COUNT(*) FROM person_key"), world.people.digests);
    for purpose in [Purpose::Data, Purpose::Blind] {
        assert!(store.keys().get(purpose, 0).is_none() && store.keys().get(purpose, 1).is_some());
        let sql = "SELECT LENGTH(wrapped), retired_at FROM crypto_key \
                   WHERE purpose = $1 AND period = 0";
        let row = world
            .connect(Area::Core)
            .tx()
            .one(sql, values![purpose.name()], |r| Ok((r.get::<i64>(0)?, r.get::<i64>(1)?)));
        assert_eq!(row.unwrap(), (0, BEGIN.0), "{}", purpose.name());
    }
    let mut acts = vec![];
    let scanned = store.scan_entries(0, |entry| {
        if let Body::Act(act) = entry.body {
            acts.push(act.kind);
        }
        Ok(true)
    });
    scanned.unwrap();
    acts.retain(|kind| kind.starts_with("key.") && kind != "key.made");
    assert_eq!(
        acts,
        [
            "key.rotate.begin",
            "key.rotate.end",
            "key.rotate.begin",
            "key.blind.inForce",
            "key.rotate.end"
        ]
    );
    // A third of each: numbers are never used again.
    let begun = rotation::begin(&store, BEGIN, Kind::Data, None, "người thử").await.unwrap();
    assert_eq!((begun.old, begun.new), (1, 2));
    to_the_end(&store).await;
    world.people.check(&store).await;
}

/// Which key numbers the chunks of each month have, and every commitment.
fn chunks(tx: &mut Tx<'_>) -> (Vec<(u32, u32)>, Vec<Vec<u8>>) {
    let sql = "SELECT month, key_number, commitments FROM entry_chunk ORDER BY first_idx";
    let rows = tx.query(sql, &[], |r| Ok(((r.get(0)?, r.get(1)?), r.get::<Vec<u8>>(2)?))).unwrap();
    rows.into_iter().unzip()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_months_entries_change_their_key_and_stay_the_same() {
    for engine in ENGINES {
        let world = World::new(engine);
        let mut store = world.open();
        for i in 0..150 {
            note(&store, BEGIN.plus_ms(i * 12 * 3_600_000)).await;
        }
        let last = BEGIN.plus_ms(149 * 12 * 3_600_000);
        let before = world::journal(&store);
        let (_, commitments) = chunks(&mut world.connect(Area::Core).tx());
        // 75 days from 2 March: April is over, May is being written.
        let none = rotation::begin(&store, last, Kind::Month, Some(202_601), "t").await;
        assert!(matches!(none, Err(Error::Rotation(_))), "a month without a key");
        for (n, month) in [202_604u32, 202_605].into_iter().enumerate() {
            let begun = rotation::begin(&store, last, Kind::Month, Some(month), "t").await.unwrap();
            assert_eq!((begun.old, begun.new), (month, 1_000_000 + month));
            let mut runner = Runner::default();
            let mut slices = 0;
            while !matches!(runner.slice(&store, last).await.unwrap(), Step::Finished(_)) {
                slices += 1;
                assert!(slices < 1_000, "{month} does not end");
                // Commits go on, and a process that is killed is followed by another.
                note(&store, last).await;
                if slices % 3 == 0 {
                    runner = Runner::default();
                    drop(store);
                    world.end_leases();
                    store = world.open();
                }
            }
            assert!(slices > 3, "{slices} slices");
            let journal = world::journal(&store);
            assert_eq!(journal[..before.len()], before[..], "entries of {month}");
            let (keys, now) = chunks(&mut world.connect(Area::Core).tx());
            assert_eq!(now[..commitments.len()], commitments[..], "what was told stays");
            let done = |m: u32| [202_604, 202_605][..=n].contains(&m);
            for (of, number) in keys {
                assert_eq!(number, u32::from(done(of)), "a chunk of {of} after {month}");
            }
            let keys = store.keys();
            assert!(keys.get(Purpose::Journal, month).is_none(), "retired");
            assert!(keys.get(Purpose::Journal, 1_000_000 + month).is_some());
        }
        drop(store);
        let store = world.open();
        note(&store, last).await;
        assert_eq!(world::journal(&store)[..before.len()], before[..]);
    }
}

/// A reader that took its rows before a rotation's end opens them after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_scan_outlives_a_rotation() {
    for engine in ENGINES {
        let world = World::new(engine);
        let store = world.open();
        for i in 0..120 {
            note(&store, BEGIN.plus_ms(i)).await;
        }
        let (begin, go_on) =
            (Arc::new(tokio::sync::Notify::new()), Arc::new(AtomicBool::new(false)));
        let scan = tokio::task::spawn_blocking({
            let (store, begin, go_on) = (store.clone(), begin.clone(), go_on.clone());
            move || {
                let mut seen = 0;
                let scanned = store.scan_entries(0, |_| {
                    seen += 1;
                    begin.notify_one();
                    while !go_on.load(Ordering::Acquire) {
                        std::thread::yield_now();
                    }
                    Ok(true)
                });
                scanned.map(|()| seen)
            }
        });
        begin.notified().await;
        rotation::begin(&store, BEGIN.plus_ms(200), Kind::Month, Some(202_603), "t").await.unwrap();
        to_the_end(&store).await;
        go_on.store(true, Ordering::Release);
        assert!(scan.await.unwrap().unwrap() >= 120);
    }
}
