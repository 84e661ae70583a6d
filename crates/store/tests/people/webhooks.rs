//! Addresses at which systems are told, and what is sent there.

use dancu_domain::dossier::{Clearance, Ground};
use dancu_domain::ids::{SystemCode, SystemId, UnitCode};
use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::notices::Notice;
use dancu_domain::registration::{ConnectionState, Group, System};
use dancu_domain::webhooks::{Cause, Event, Health, Kind, Kinds, Outcome};
use dancu_store::webhooks::{self, Ended, Next, QUEUE_MAX, Sealed, Secret, State, Tried, Webhook};
use dancu_store::{Store, policy, values};

use crate::common::BEGIN;
use crate::world::{BOTH, UNIT, World, note};

const ADDRESS: &str = "https://rieng.coquan.example.vn/duong-dan-rieng";
const MAU: SystemId = SystemId(1);

fn code(text: &str) -> SystemCode {
    SystemCode::parse(text).unwrap()
}

fn webhook(system: SystemId, kinds: Kinds) -> Webhook {
    Webhook {
        id: 0,
        system,
        kinds,
        state: State::InUse,
        health: Health::default(),
        sealed: Sealed {
            address: ADDRESS.into(),
            secret: Secret([7; 32]),
            before: Some((Secret([8; 32]), BEGIN)),
            since: BEGIN,
        },
    }
}

/// Two systems; of the first one address for everything and one for lists, of the other one.
async fn filled(store: &Store) {
    let keys = store.keys().clone();
    let clearance = Clearance::exempt(Ground::SyntheticPeople, "thử nghiệm", "Người Mẫu").unwrap();
    let made = store.ledger().act(BEGIN, move |tx, _| {
        for (id, name) in [(1, "MAU"), (2, "KHAC")] {
            let unit = UnitCode::parse(UNIT).unwrap();
            let system = System::new(SystemId(id), code(name), unit, Group::State);
            policy::write::insert_cleared(tx, &keys, (&system, &[]), &clearance)?;
        }
        for (system, kinds) in [
            (MAU, Kinds::EVERY),
            (MAU, Kinds::of(&[Kind::ListChanged])),
            (SystemId(2), Kinds::EVERY),
        ] {
            webhooks::insert(tx, &keys, &webhook(system, kinds))?;
        }
        Ok(crate::world::entry())
    });
    made.await.unwrap();
}

fn event(notice: &Notice) -> Event {
    Event::of(notice).unwrap()
}

fn locked() -> Event {
    event(&Notice::Connection { system: code("MAU"), locked: true })
}

async fn queued(store: &Store, event: Event, notice: i64) -> Option<i64> {
    note(store, move |tx, _| webhooks::queue(tx, &event, (notice, BEGIN), 0)).await.unwrap()
}

/// Addresses with something due, and what is first.
async fn due(store: &Store, now: Moment) -> Vec<(i64, Option<i64>)> {
    let mut found = vec![];
    for (webhook, _) in store.webhooks().due(now).await.unwrap() {
        let first = store.webhooks().first_due(webhook, now).await.unwrap().unwrap();
        found.push((webhook, first.notice));
    }
    found
}

async fn tried(store: &Store, webhook: i64, outcome: Outcome, next: Next) -> bool {
    let due = store.webhooks().first_due(webhook, BEGIN).await.unwrap().unwrap();
    let tried = Tried { due, outcome, ms: 12, at: BEGIN.plus_ms(5) };
    note(store, move |tx, _| {
        let first = webhooks::settle(tx, &tried, next)?;
        // Said twice, as after a lease that was lost: the second changes nothing once it is over.
        let again = webhooks::settle(tx, &tried, next)?;
        assert_eq!(again, matches!(next, Next::Again(_)));
        Ok(first)
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_goes_once_to_the_addresses_of_its_system_that_want_it() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        filled(&store).await;
        assert_eq!(queued(&store, locked(), 7).await, None);
        assert_eq!(queued(&store, locked(), 7).await, None, "handed out once more");
        assert_eq!(due(&store, BEGIN).await, [(1, Some(7))], "{engine:?}");
        assert!(due(&store, BEGIN.plus_ms(-1)).await.is_empty());
        let lists = event(&Notice::ListChanged { system: code("MAU") });
        queued(&store, lists, 8).await;
        assert_eq!(due(&store, BEGIN).await, [(1, Some(7)), (2, Some(8))]);
        // An announcement goes to every system, but not where it is not wanted.
        let news = Notice::Announced { title: "Bảo trì".into(), incident: false };
        queued(&store, event(&news), 9).await;
        assert_eq!(due(&store, BEGIN).await, [(1, Some(7)), (2, Some(8)), (3, Some(9))]);
        assert_eq!(store.webhooks().waiting().await.unwrap(), 5);
        // A closed connection is told nothing.
        let keys = store.keys().clone();
        note(&store, move |tx, _| {
            let mut off = webhooks::by_id(tx, &keys, 1)?.unwrap();
            off.state = State::Off;
            webhooks::save(tx, &keys, &off)?;
            let closed = ConnectionState::Closed as u8;
            tx.execute("UPDATE system SET state = $1 WHERE id = 2", values![closed]).map(drop)
        })
        .await
        .unwrap();
        queued(&store, event(&news), 10).await;
        queued(&store, locked(), 11).await;
        assert_eq!(store.webhooks().waiting().await.unwrap(), 5, "off, and closed");
        store.stop();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_try_ends_it_or_is_followed_by_another() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        filled(&store).await;
        queued(&store, locked(), 7).await;
        let later = BEGIN.plus_ms(15_000);
        assert!(tried(&store, 1, Outcome::Status(500), Next::Again(later)).await);
        assert!(due(&store, BEGIN).await.is_empty(), "{engine:?}");
        assert_eq!(due(&store, later).await, [(1, Some(7))]);
        let listed = store.webhooks().deliveries(1).await.unwrap();
        assert_eq!(listed.len(), 1);
        let last = Some((Outcome::Status(500), 12, BEGIN.plus_ms(5)));
        assert_eq!((listed[0].attempts, listed[0].last), (2, last));
        assert_eq!((listed[0].kind, listed[0].ended), (Kind::ConnectionLocked, None));
        // Sent again by hand, taken, and sent again all the same.
        let id = listed[0].id;
        let again = async |webhook| {
            note(&store, move |tx, _| webhooks::again(tx, webhook, id, BEGIN)).await.unwrap()
        };
        assert!(!again(2).await, "of another address");
        assert!(again(1).await);
        assert!(tried(&store, 1, Outcome::Status(204), Next::Ended(Ended::Delivered)).await);
        assert!(due(&store, later).await.is_empty());
        let listed = store.webhooks().deliveries(1).await.unwrap();
        assert_eq!(listed[0].ended, Some(Ended::Delivered));
        assert!(again(1).await);
        let down = Outcome::Failed(Cause::Connection);
        assert!(tried(&store, 1, down, Next::Ended(Ended::GivenUp)).await);
        // One test at a time, and not at once after it.
        let test = async |at: Moment| {
            note(&store, move |tx, _| webhooks::queue_test(tx, 1, at, 10_000)).await.unwrap()
        };
        assert!(test(BEGIN).await && !test(BEGIN.plus_ms(60_000)).await);
        assert_eq!(due(&store, BEGIN).await, [(1, None)]);
        assert!(tried(&store, 1, Outcome::Status(200), Next::Ended(Ended::Delivered)).await);
        assert!(!test(BEGIN.plus_ms(9_999)).await && test(BEGIN.plus_ms(10_000)).await);
        store.stop();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_rests_is_paused_and_goes_with_what_waits() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        filled(&store).await;
        let news = event(&Notice::Announced { title: "Bảo trì".into(), incident: true });
        queued(&store, news, 7).await;
        assert_eq!(due(&store, BEGIN).await.len(), 2);
        let change = async |change: fn(&mut Webhook)| {
            note(&store, move |tx, keys| {
                let mut one = webhooks::by_id(tx, keys, 1)?.unwrap();
                change(&mut one);
                webhooks::save(tx, keys, &one)?;
                assert_eq!(webhooks::by_id(tx, keys, 1)?, Some(one));
                Ok(())
            })
            .await
            .unwrap();
        };
        change(|one| {
            let rest_until = BEGIN.plus_ms(5);
            one.health = Health { failing: Some(BEGIN), failures: 1, rest_until, told: true };
        })
        .await;
        assert_eq!(due(&store, BEGIN).await, [(3, Some(7))], "{engine:?}");
        let fails = store.webhooks().due(BEGIN.plus_ms(5)).await.unwrap();
        assert_eq!(fails, [(3, false), (1, true)], "who fails comes after all others");
        change(|one| one.state = State::Paused).await;
        queued(&store, locked(), 8).await;
        assert_eq!(due(&store, BEGIN.plus_ms(5)).await, [(3, Some(7))]);
        assert_eq!(store.webhooks().deliveries(1).await.unwrap().len(), 2, "it waits meanwhile");
        // Nobody took it for long: it is given up, and forgotten a month later.
        let late = BEGIN.plus_ms(10 * DAY_MS);
        note(&store, move |tx, _| webhooks::forget(tx, late)).await.unwrap();
        let ended = store.webhooks().deliveries(1).await.unwrap();
        assert!(ended.iter().all(|one| one.ended == Some(Ended::GivenUp)));
        let later = late.plus_ms(30 * DAY_MS);
        note(&store, move |tx, _| webhooks::forget(tx, later)).await.unwrap();
        assert_eq!(store.webhooks().deliveries(1).await.unwrap().len(), 2);
        note(&store, move |tx, _| webhooks::forget(tx, later.plus_ms(1))).await.unwrap();
        assert!(store.webhooks().deliveries(1).await.unwrap().is_empty());
        // What is switched off or removed is sent nothing that waited.
        queued(&store, locked(), 9).await;
        note(&store, |tx, _| webhooks::drop_waiting(tx, 1, BEGIN)).await.unwrap();
        assert_eq!(store.webhooks().waiting().await.unwrap(), 0);
        queued(&store, locked(), 10).await;
        note(&store, |tx, _| webhooks::remove(tx, 1)).await.unwrap();
        assert_eq!(store.webhooks().waiting().await.unwrap(), 0);
        let left = store.webhooks().of_system(MAU).await.unwrap();
        assert_eq!(left.iter().map(|one| one.id).collect::<Vec<_>>(), [2]);
        store.stop();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_and_secrets_stand_sealed_and_many_are_told_in_slices() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        filled(&store).await;
        let kept = store.webhooks().by_id(1).await.unwrap().unwrap();
        assert_eq!(kept, Webhook { id: 1, ..webhook(MAU, Kinds::EVERY) });
        assert!(!format!("{kept:?}").contains("rieng"), "nothing of it is shown");
        let bytes = world.stored_bytes();
        for secret in [ADDRESS.as_bytes(), &[7; 32], &[8; 32]] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret), "{engine:?}");
        }
        note(&store, |tx, keys| {
            for _ in 0..QUEUE_MAX {
                webhooks::insert(tx, keys, &webhook(MAU, Kinds::EVERY))?;
            }
            Ok(())
        })
        .await
        .unwrap();
        let news = event(&Notice::Announced { title: "Bảo trì".into(), incident: true });
        let last = queued(&store, news.clone(), 7).await;
        assert_eq!(last, Some(i64::from(QUEUE_MAX)));
        let rest = note(&store, move |tx, _| {
            webhooks::queue(tx, &news, (7, BEGIN), last.unwrap_or_default())
        });
        assert_eq!(rest.await.unwrap(), None);
        // All but the one for lists.
        let waiting = store.webhooks().waiting().await.unwrap();
        assert_eq!(waiting, u64::from(QUEUE_MAX) + 2);
        store.stop();
    }
}
