//! Several nodes on one database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dancu_store::engine::Engine;
use dancu_store::keys::{MASTER_KEY_FILE, MASTER_KEY_NEXT_FILE, Purpose};
use dancu_store::rotation::{self, Kind, MasterTarget, Runner, Step};
use dancu_store::sqlite::Area;

use crate::world::{BEGIN, World, journal, note, try_note};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_node_works_and_the_others_answer_as_before() {
    let first = World::filled(Engine::Postgres, 600);
    let second = first.another();
    std::fs::copy(first.file(MASTER_KEY_FILE), second.file(MASTER_KEY_FILE)).unwrap();
    let (worker, other) = (first.open(), second.open());
    let over = Arc::new(AtomicBool::new(false));
    let looks = tokio::spawn({
        let (other, over, people) = (other.clone(), over.clone(), first.people.clone());
        async move {
            let mut passes = 0;
            while !over.load(Ordering::Acquire) {
                people.check(&other).await;
                passes += 1;
            }
            passes
        }
    });
    for kind in [Kind::Data, Kind::Blind] {
        rotation::begin(&worker, BEGIN, kind, None, "t").await.unwrap();
        let (mut here, mut there) = (Runner::default(), Runner::default());
        assert_eq!(here.slice(&worker, BEGIN).await.unwrap(), Step::Worked);
        assert_eq!(there.slice(&other, BEGIN).await.unwrap(), Step::Elsewhere);
        while !matches!(here.slice(&worker, BEGIN).await.unwrap(), Step::Finished(_)) {}
        assert_eq!(there.slice(&other, BEGIN).await.unwrap(), Step::Idle);
        first.people.check(&other).await;
    }
    over.store(true, Ordering::Release);
    assert!(looks.await.unwrap() > 2);
    // With its next transaction the other node has only the new keys, and the journal reads on.
    note(&other, BEGIN).await;
    assert!(other.keys().get(Purpose::Blind, 0).is_none());
    assert!(other.keys().get(Purpose::Data, 0).is_none());
    first.people.check(&other).await;
}

/// Whoever journals takes the new key of the month as soon as it is there, on every node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_seals_by_the_new_key_of_the_month() {
    let first = World::new(Engine::Postgres);
    let second = first.another();
    drop(first.open());
    std::fs::copy(first.file(MASTER_KEY_FILE), second.file(MASTER_KEY_FILE)).unwrap();
    let (worker, other) = (first.open(), second.open());
    for _ in 0..20 {
        note(&worker, BEGIN).await;
        note(&other, BEGIN).await;
    }
    rotation::begin(&worker, BEGIN, Kind::Month, Some(202_603), "t").await.unwrap();
    let mut runner = Runner::default();
    while !matches!(runner.slice(&worker, BEGIN).await.unwrap(), Step::Finished(_)) {
        note(&other, BEGIN).await;
        note(&worker, BEGIN).await;
    }
    note(&other, BEGIN).await;
    assert!(other.keys().get(Purpose::Journal, 202_603).is_none());
    let old = "SELECT COUNT(*) FROM entry_chunk WHERE key_number <> 1";
    let left = first.connect(Area::Core).tx().one(old, &[], |r| r.get::<i64>(0)).unwrap();
    assert_eq!(left, 0, "chunks under the old key");
    let entries = journal(&other);
    assert!(entries.len() > 45 && entries == journal(&worker));
}

/// A node goes on from where a dead one was: it takes the lease over when it has ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_node_goes_on_after_a_dead_one() {
    let first = World::filled(Engine::Postgres, 600);
    let second = first.another();
    std::fs::copy(first.file(MASTER_KEY_FILE), second.file(MASTER_KEY_FILE)).unwrap();
    let (dying, other) = (first.open(), second.open());
    rotation::begin(&dying, BEGIN, Kind::Blind, None, "t").await.unwrap();
    let mut runner = Runner::default();
    assert_eq!(runner.slice(&dying, BEGIN).await.unwrap(), Step::Worked);
    drop((runner, dying));
    let mut runner = Runner::default();
    assert_eq!(runner.slice(&other, BEGIN).await.unwrap(), Step::Elsewhere);
    first.end_leases();
    while !matches!(runner.slice(&other, BEGIN).await.unwrap(), Step::Finished(_)) {}
    first.people.check(&other).await;
    first.people.check(&first.open()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_node_needs_the_next_master_in_its_own_folder() {
    let first = World::new(Engine::Postgres);
    let second = first.another();
    // A node without the key of the data is told what it needs.
    drop(first.open());
    let refused = second.refused();
    assert!(refused.contains("master.key"), "{refused}");
    std::fs::copy(first.file(MASTER_KEY_FILE), second.file(MASTER_KEY_FILE)).unwrap();
    let (worker, other) = (first.open(), second.open());
    assert!(rotation::is_shared(&worker));
    note(&other, BEGIN).await;
    let change = rotation::change_master(&worker, BEGIN, MasterTarget::Local, "t").await.unwrap();
    // It goes on with the keys that it has.
    note(&other, BEGIN).await;
    // A key made elsewhere under the new master: this node cannot open it and says why, and goes
    // on as soon as the key lies in its folder.
    let next_month = BEGIN.plus_ms(40 * 86_400_000);
    note(&worker, next_month).await;
    let error = try_note(&other, next_month).await.unwrap_err().to_string();
    assert!(error.contains(&change.new.to_string()), "{error}");
    std::fs::copy(first.file(MASTER_KEY_FILE), second.file(MASTER_KEY_NEXT_FILE)).unwrap();
    let mut tries = 0;
    while try_note(&other, next_month).await.is_err() {
        tries += 1;
        assert!(tries < 100, "it does not find the key");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    drop(other);
    // Its next start finishes the change in its folder.
    drop(second.open());
    assert!(!second.file(MASTER_KEY_NEXT_FILE).exists());
    let key = |world: &World| std::fs::read_to_string(world.file(MASTER_KEY_FILE)).unwrap();
    assert_eq!(key(&first), key(&second));
}
