//! What happened to units, and who is of the centre.

use dancu_domain::ids::UnitCode;
use dancu_domain::people::PersonId;
use dancu_domain::people::grants::{Grant, Grants, Scope};
use dancu_domain::people::roles::Role;
use dancu_domain::registration::DateRange;
use dancu_domain::units::{About, Change, Event, Representative, UnitKind, UnitName};
use dancu_store::people;
use dancu_store::units::{self, Written};
use dancu_store::{Error, Store};
use jiff::civil::{Date, date};

use crate::common::BEGIN;
use crate::world::{BOTH, World, note, person};

const SIGNER: &str = "Người Ký Mẫu";

fn written(unit: &str, day: Date, change: Change) -> Written {
    let event = Event { unit: UnitCode::parse(unit).unwrap(), day, change };
    let carried = event.change.heir().is_none();
    Written { id: 0, event, by: PersonId(2), at: BEGIN, own: true, carried }
}

fn founded(unit: &str) -> Written {
    let name = UnitName::parse("Đơn vị mẫu").unwrap();
    let about = About::of(UnitKind::Commune);
    written(unit, date(2025, 7, 1), Change::Founded { name, parent: None, about })
}

fn events() -> Vec<Written> {
    let signer = Representative::parse(SIGNER, "Chủ tịch").unwrap();
    vec![founded("H26.001"), written("H26.001", date(2026, 1, 1), Change::Represented(signer))]
}

/// Two of them.
pub async fn fill(store: &Store) {
    note(store, |tx, keys| units::insert(tx, keys, &events())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b9_what_happened_is_kept_in_order_and_sealed() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        assert_eq!(
            (store.units().all().await.unwrap(), store.units().last().await.unwrap()),
            (vec![], 0)
        );
        fill(&store).await;
        let merged = Change::Merged(UnitCode::parse("H26.002").unwrap());
        let later = written("H26.001", date(2026, 5, 1), merged);
        note(&store, move |tx, keys| units::insert(tx, keys, &[later])).await.unwrap();
        let found = store.units().all().await.unwrap();
        let expected = events();
        assert_eq!(found[1].event, expected[1].event);
        assert_eq!(found.iter().map(|w| w.id).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(found[1].own && found[1].carried && !found[2].carried);
        for (today, due) in [(date(2026, 4, 30), false), (date(2026, 5, 1), true)] {
            assert_eq!(
                !store.units().waiting(today).await.unwrap().is_empty(),
                due,
                "{engine:?} {today}"
            );
        }
        note(&store, |tx, keys| {
            assert_eq!(units::waiting(tx, keys, date(2027, 1, 1))?.len(), 1);
            units::set_carried(tx, 3)?;
            assert!(units::waiting(tx, keys, date(2027, 1, 1))?.is_empty());
            Ok(())
        })
        .await
        .unwrap();
        // Nobody's name stands in clear, and a document opens in its own row only.
        let mut db = world.connect();
        let sealed = "SELECT sealed FROM unit_event WHERE id = 2";
        let bytes: Vec<u8> = db.tx().one(sealed, &[], |r| r.get(0)).unwrap();
        assert!(!bytes.windows(SIGNER.len()).any(|w| w == SIGNER.as_bytes()));
        let sql = "UPDATE unit_event SET sealed = (SELECT e.sealed FROM unit_event e \
                   WHERE e.id = 2) WHERE id = 1";
        db.tx().execute(sql, &[]).unwrap();
        drop(db);
        assert!(matches!(store.units().all().await, Err(Error::Crypto(_))));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_of_the_centre_are_found_without_opening_others() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        let numbers = |found: Vec<people::Person>| found.iter().map(|p| p.id.0).collect::<Vec<_>>();
        note(&store, |tx, keys| {
            let mut two = person(2);
            let operator = Grant::new(Role::Operator, Scope::All, DateRange::default(), None);
            two.grants = Grants::default().with(operator.unwrap()).unwrap();
            people::insert(tx, keys, &person(1))?;
            people::insert(tx, keys, &two)
        })
        .await
        .unwrap();
        assert_eq!(numbers(store.people().of_centre().await.unwrap()), [2]);
        // Rows of before say 1: they are looked at, and left out.
        let sql = "UPDATE portal_person SET centre = 1";
        world.connect().tx().execute(sql, &[]).unwrap();
        assert_eq!(numbers(store.people().of_centre().await.unwrap()), [2]);
        let sql = "UPDATE portal_person SET sealed = login WHERE id = 1";
        world.connect().tx().execute(sql, &[]).unwrap();
        assert!(store.people().of_centre().await.is_err());
        let sql = "UPDATE portal_person SET centre = 0 WHERE id = 1";
        world.connect().tx().execute(sql, &[]).unwrap();
        assert_eq!(numbers(store.people().of_centre().await.unwrap()), [2], "not opened");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e3_heads_saved_before_they_counted_are_found_after_one_pass() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        let found = async || -> Vec<u32> {
            store.people().by_centre().await.unwrap().iter().map(|p| p.id.0).collect()
        };
        note(&store, |tx, keys| {
            let [mut one, mut two] = [1, 2].map(person);
            let holds = |role, scope| {
                let grant = Grant::new(role, scope, DateRange::default(), None).unwrap();
                Grants::default().with(grant).unwrap()
            };
            one.grants = holds(Role::Officer, Scope::Unit(one.unit.clone()));
            two.grants = holds(Role::Head, Scope::Below(two.unit.clone()));
            people::insert(tx, keys, &one)?;
            people::insert(tx, keys, &two)
        })
        .await
        .unwrap();
        // The officer's row says 1, the head's 0, as rows of before may.
        let sql = "UPDATE portal_person SET centre = 2 - id";
        world.connect().tx().execute(sql, &[]).unwrap();
        assert_eq!(found().await, [0_u32; 0]);
        store.mend_people(BEGIN).await.unwrap();
        assert_eq!(found().await, [2]);
        let sql = "SELECT centre FROM portal_person WHERE id = 1";
        let officer: u8 = world.connect().tx().one(sql, &[], |r| r.get(0)).unwrap();
        assert_eq!(officer, 0, "nobody's record is opened for nothing");
        // Once: what is wrong afterwards was not wrong before.
        let sql = "UPDATE portal_person SET centre = 0";
        world.connect().tx().execute(sql, &[]).unwrap();
        store.mend_people(BEGIN).await.unwrap();
        assert_eq!(found().await, [0_u32; 0]);
    }
}
