//! The drill: back up beside a writer, check, restore on the same or the other engine, accept.

use std::sync::atomic::AtomicBool;

use super::*;

async fn drill(from: Engine, to: Engine) {
    let (world, store) = filled(from).await;
    let people = ids(&store);
    let stop = Arc::new(AtomicBool::new(false));
    let (ended, writer) = (stop.clone(), store.clone());
    let writing = tokio::spawn(async move {
        let mut n = 10_000;
        while !ended.load(Ordering::Relaxed) {
            write(&writer, n, 20, APRIL).await;
            n += 20;
        }
        n - 10_000
    });
    while store.ledger().next_index() < 1_000 {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let made = tokio::task::block_in_place(|| world.back_up("one", None, false)).unwrap();
    stop.store(true, Ordering::Relaxed);
    let beside = writing.await.unwrap();
    assert!(beside > 0 && made.next_index >= 1_000, "{made:?}");
    let checked = world.verify("one").unwrap();
    assert_eq!(checked.problems, Vec::<String>::new());
    assert!(checked.opened && checked.entries == made.next_index && checked.first_index == 0);
    assert!(checked.months_without_key.is_empty());

    let target = World::empty(to, Some(&world));
    let restored = world.restore("one", &target).unwrap();
    assert_eq!(restored.next_index, made.next_index);
    assert!(target.refused().contains(&made.id));
    let copy = target.try_open(true).unwrap();
    let accepted = copy.accept_copy(BEGIN.plus_ms(APRIL), "Nguyễn Văn T", "diễn tập").await;
    let accepted = accepted.unwrap();
    assert_eq!((accepted.generation, accepted.index), (1, made.next_index));
    assert_eq!((accepted.lost, accepted.backup.as_ref()), (None, Some(&made.id)));
    copy.stop();
    drop(copy);

    let copy = target.open();
    assert_eq!(ids(&copy), people);
    let (mut ours, theirs) = (entries(&store), entries(&copy));
    ours.truncate(made.next_index as usize);
    assert!(theirs[..ours.len()] == ours, "the journal is the snapshot's");
    let dancu_journal::Body::Act(act) = &theirs[ours.len()].body else { panic!("no act") };
    assert_eq!((act.kind.as_str(), act.actor.as_str()), ("restore.accepted", "Nguyễn Văn T"));
    assert!(act.detail.contains(&made.id) && act.detail.contains("diễn tập"), "{}", act.detail);
    // The snapshot's counts are those of its journal: no entry without its count.
    let in_april = ours.iter().filter(|e| e.arrival == BEGIN.plus_ms(APRIL).0).count();
    assert_eq!(used(&copy, APRIL) as usize, in_april);
    assert!(copy.ledger().lines(|l| l.lock_in_force(SystemId(1), LINE, BEGIN)).is_some());
    let id = dancu_domain::ids::PersonalId::from_number(people[7]).unwrap();
    let person = copy.registry().look_up(id).await.unwrap().unwrap().person().unwrap();
    assert_eq!(person.personal_id, id);
    // Nothing was locked in the memory of the first; the copy has read the lock and holds to it.
    write(&copy, 90_000, 5, APRIL).await;
    assert_eq!(used(&copy, APRIL) as usize, in_april);
    // Whatever the copy gives ids to itself goes on after what it holds.
    let index = copy.ledger().act(BEGIN.plus_ms(APRIL), |tx, _| {
        let raise = dancu_domain::registration::Raise {
            extra: 1,
            approved_at: BEGIN,
            from: BEGIN,
            to: BEGIN.plus_ms(DAY),
        };
        dancu_store::policy::write::insert_raise(tx, LINE, raise)?;
        Ok(some_act())
    });
    assert_eq!(index.await.unwrap(), made.next_index + 6);
    let mut db = target.connect(Area::Core);
    let raises = db.tx().query("SELECT id FROM raise ORDER BY id", &[], |r| r.get::<i64>(0));
    assert_eq!(raises.unwrap(), [41, 42]);
    copy.stop();
    store.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_to_sqlite() {
    drill(Engine::Sqlite, Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_to_postgresql() {
    drill(Engine::Sqlite, Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_to_sqlite() {
    drill(Engine::Postgres, Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_to_postgresql() {
    drill(Engine::Postgres, Engine::Postgres).await;
}

/// Every table, row by row and byte by byte, over both engines and back again.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_copy_is_the_original() {
    let (first, store) = filled(Engine::Sqlite).await;
    store.stop();
    first.back_up("one", None, false).unwrap();
    let second = World::empty(Engine::Postgres, Some(&first));
    first.restore("one", &second).unwrap();
    second.back_up("two", None, false).unwrap();
    let third = World::empty(Engine::Sqlite, Some(&second));
    second.restore("two", &third).unwrap();
    let [wanted, there, back] = [&first, &second, &third].map(World::dump);
    assert!(wanted["person"].len() == PEOPLE as usize && wanted["entry_chunk"].len() > 20);
    assert!(!wanted["household"].is_empty() && wanted["crypto_key"].len() > 8);
    for (table, rows) in wanted {
        for copy in [&there, &back] {
            // The mark of a copy is the one thing more.
            let mut found = copy[table].clone();
            found.retain(|row| !row.starts_with("\"log.restored\""));
            assert!(found == rows, "{table}: {} and {} rows", found.len(), rows.len());
        }
    }
}
