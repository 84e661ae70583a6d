//! People: what is stored comes back, and what must not happen does not.

use std::sync::Arc;

use dancu_domain::ids::{Login, PersonalId, UnitCode};
use dancu_domain::people::account::{Cause, RevokeCause};
use dancu_domain::people::totp::Step;
use dancu_domain::people::{Epoch, PersonId, UNIT_OF_CITIZENS};
use dancu_store::engine::{Engine, Tx};
use dancu_store::keys::{Keyring, Purpose};
use dancu_store::people::{self, CHANGED, EventKind, LOGIN_TAKEN, Person};
use dancu_store::sqlite::{self, Area};
use dancu_store::{Error, Result, Store, values};
use rusqlite::Connection;

use crate::common::BEGIN;
use crate::world::{BOTH, UNIT, World, note, person};

async fn insert(store: &Store, person: Person) -> Result<()> {
    note(store, move |tx, keys| people::insert(tx, keys, &person)).await
}

async fn load(store: &Store, id: u32) -> Person {
    store.people().person_by_id(PersonId(id)).await.unwrap().unwrap()
}

/// Reads, changes and saves in one transaction.
async fn change(
    store: &Store,
    id: u32,
    change: impl FnOnce(&mut Person) + Send + 'static,
) -> Result<()> {
    note(store, move |tx, keys| {
        let mut person = people::by_id(tx, keys, PersonId(id))?.unwrap();
        change(&mut person);
        people::save(tx, keys, &person)
    })
    .await
}

fn refused<T: std::fmt::Debug>(done: Result<T>, why: &str) {
    let error = done.unwrap_err();
    assert!(matches!(&error, Error::Refused(text) if text == why), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_come_back_as_they_went_in() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        let people = store.people();
        assert_eq!(people.person_by_id(PersonId(1)).await.unwrap(), None);
        assert_eq!(note(&store, |tx, _| people::next_id(tx)).await.unwrap(), PersonId(1));
        for id in [1, 2, 7] {
            insert(&store, person(id)).await.unwrap();
        }
        assert_eq!(note(&store, |tx, _| people::next_id(tx)).await.unwrap(), PersonId(8));
        assert_eq!(load(&store, 7).await, person(7));
        // Found by the login in any case, by the unit, and page by page.
        for text in ["mau.canbo2", "MAU.CANBO2"] {
            let found = people.person_by_login(&Login::parse(text).unwrap()).await.unwrap();
            assert_eq!(found.unwrap(), person(2));
        }
        let nobody = Login::parse("mau.canbo3").unwrap();
        assert_eq!(people.person_by_login(&nobody).await.unwrap(), None);
        let unit = UnitCode::parse(UNIT).unwrap();
        let ids = |found: Vec<Person>| found.iter().map(|p| p.id.0).collect::<Vec<_>>();
        assert_eq!(ids(people.of_unit(&unit).await.unwrap()), [1, 2, 7]);
        assert_eq!(ids(people.all(PersonId(0), 2).await.unwrap()), [1, 2]);
        assert_eq!(ids(people.all(PersonId(2), 2).await.unwrap()), [7]);
        // Citizens are not in the list of everybody: there may be millions.
        let mut citizen = person(9);
        citizen.unit = UnitCode::parse(UNIT_OF_CITIZENS).unwrap();
        insert(&store, citizen).await.unwrap();
        assert_eq!(ids(people.all(PersonId(2), 9).await.unwrap()), [7]);
        assert_eq!(load(&store, 9).await.id, PersonId(9));
        // A transfer moves the person, and another login leads there.
        let other = UnitCode::parse("H99.002").unwrap();
        let (to, login) = (other.clone(), nobody.clone());
        change(&store, 2, move |p| (p.unit, p.login) = (to, login)).await.unwrap();
        assert_eq!(ids(people.of_unit(&unit).await.unwrap()), [1, 7]);
        assert_eq!(ids(people.of_unit(&other).await.unwrap()), [2]);
        assert_eq!(people.person_by_login(&nobody).await.unwrap().unwrap().id, PersonId(2));
        // The same inside a transaction, and after a restart.
        let inside =
            note(&store, |tx, keys| people::of_unit(tx, keys, &UnitCode::parse(UNIT).unwrap()));
        assert_eq!(ids(inside.await.unwrap()), [1, 7]);
        store.stop();
        drop(store);
        assert_eq!(load(&world.open(), 7).await, person(7));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_found_by_their_personal_id() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        let id = |text| PersonalId::parse(text).unwrap();
        let (mine, other) = (id("099190000123"), id("099190000124"));
        for n in [1, 2, 3] {
            let mut person = person(n);
            person.personal_id = Some(mine).filter(|_| n != 3);
            insert(&store, person).await.unwrap();
        }
        let found = async |id| {
            let found = store.people().of_personal_id(id, PersonId(0)).await.unwrap();
            found.iter().map(|p| p.id.0).collect::<Vec<_>>()
        };
        assert_eq!(found(mine).await, [1, 2]);
        assert_eq!(found(other).await, [0; 0]);
        // An id that is entered, corrected or taken away is found so from then on.
        change(&store, 3, move |p| p.personal_id = Some(other)).await.unwrap();
        change(&store, 2, move |p| p.personal_id = None).await.unwrap();
        assert_eq!((found(mine).await, found(other).await), (vec![1], vec![3]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_person_per_login() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        insert(&store, person(1)).await.unwrap();
        let mut second = person(2);
        second.login = Login::parse("MAU.CANBO1").unwrap();
        refused(insert(&store, second.clone()).await, LOGIN_TAKEN);
        // A number that is taken is refused as an act, it does not look like a broken disk.
        let mut same = person(1);
        same.login = Login::parse("mau.khac01").unwrap();
        assert!(matches!(insert(&store, same).await, Err(Error::Refused(_))));
        assert!(store.ledger().is_well());
        // A revoked person keeps the login; a free one can be taken over by a change.
        let by = PersonId(900);
        change(&store, 1, move |p| {
            p.account = p.account.clone().revoke(RevokeCause::Left, by, BEGIN).unwrap();
        })
        .await
        .unwrap();
        refused(insert(&store, second.clone()).await, LOGIN_TAKEN);
        insert(&store, person(2)).await.unwrap();
        refused(change(&store, 2, move |p| p.login = second.login).await, LOGIN_TAKEN);
        assert_eq!(load(&store, 2).await, person(2), "a refused change left nothing");
    }
}

/// Many nodes invite the same login at once: one does.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_person_per_login_on_two_nodes() {
    let first = World::new(Engine::Postgres);
    let one = first.open();
    let second = first.another();
    let two = second.open();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..12u32 {
        let store = if n % 2 == 0 { one.clone() } else { two.clone() };
        tasks.spawn(async move {
            let insert = note(&store, move |tx, keys| {
                let mut person = person(n + 1);
                person.login = Login::parse("mau.chung").unwrap();
                people::insert(tx, keys, &person)
            });
            insert.await
        });
    }
    let done = tasks.join_all().await;
    let (stored, rest): (Vec<_>, Vec<_>) = done.into_iter().partition(Result::is_ok);
    assert_eq!(stored.len(), 1);
    for done in rest {
        refused(done, LOGIN_TAKEN);
    }
    // The index holds it too, whatever the program looked at before.
    let mut db = first.connect();
    let sql = "INSERT INTO portal_person \
               SELECT 77, login, unit, 0, 0, 0, sealed, NULL FROM portal_person";
    assert!(db.tx().execute(sql, &[]).is_err());
}

/// Nobody undoes what somebody else changed a moment ago.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_saves_lose_nothing() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        insert(&store, person(1)).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..40 {
            let store = store.clone();
            tasks.spawn(async move {
                change(&store, 1, move |p| p.secrets.history.push(format!("hash {n}"))).await
            });
        }
        tasks.join_all().await.into_iter().for_each(Result::unwrap);
        assert_eq!(load(&store, 1).await.secrets.history.len(), 42);
        // What was read before and is saved after another change is refused.
        let old = Arc::new(load(&store, 1).await);
        change(&store, 1, |p| p.secrets.totp.as_mut().unwrap().last = Some(Step(59_080_561)))
            .await
            .unwrap();
        let stale = old.clone();
        let saved = note(&store, move |tx, keys| people::save(tx, keys, &stale));
        refused(saved.await, CHANGED);
        let now = load(&store, 1).await;
        assert_eq!(now.secrets.totp.unwrap().last, Some(Step(59_080_561)));
        assert!(store.ledger().is_well());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e3_an_epoch_never_goes_back() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        insert(&store, person(1)).await.unwrap();
        change(&store, 1, |p| p.account = p.account.clone().suspend(Cause::Head).unwrap())
            .await
            .unwrap();
        assert_eq!(load(&store, 1).await.account.epoch, Epoch(1));
        refused(change(&store, 1, |p| p.account.epoch = Epoch(0)).await, CHANGED);
        assert_eq!(load(&store, 1).await.account.epoch, Epoch(1));
        let gone = note(&store, |tx, keys| people::save(tx, keys, &person(2))).await;
        assert!(matches!(gone, Err(Error::Final(_))), "no such person");
    }
}

/// Whose account or voucher it is cannot be mixed up on the way into the store.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_elses_account_is_not_stored() {
    let world = World::new(Engine::Sqlite);
    let store = world.open();
    let (mut account, mut voucher) = (person(1), person(1));
    account.account = person(2).account;
    voucher.secrets.voucher = person(2).secrets.voucher;
    for mixed in [account, voucher] {
        let done = insert(&store, mixed).await;
        assert!(matches!(done, Err(Error::Damaged("portal_person.sealed"))), "{done:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_person_stands_in_clear() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        insert(&store, person(1)).await.unwrap();
        crate::world::begin(&store, 1, 5, crate::world::NOW).await.unwrap();
        let event = note(&store, |tx, keys| {
            let source: std::net::IpAddr = "203.0.113.77".parse().unwrap();
            let (me, kind) = (PersonId(1), EventKind::SignedIn);
            people::note_event(tx, keys, me, BEGIN, kind, source, "Trình duyệt mẫu")
        });
        event.await.unwrap();
        crate::desks::fill(&store).await;
        let shown = format!("{:?}", load(&store, 1).await);
        assert_eq!(shown, "Person(1)");
        store.stop();
        drop(store);
        let bytes = world.stored_bytes();
        let has = |text: &[u8]| bytes.windows(text.len()).any(|w| w == text);
        assert!(has(crate::desks::PUBLIC.as_bytes()), "announcements are public");
        let secrets = [
            "mau.canbo1",
            "mau.Canbo1",
            "MAU.CANBO1",
            "Nguyễn Thị Mẫu",
            UNIT,
            "0990000123",
            "argon2id",
            "bi-mat-cua-ung-dung",
            "khoa-truy-cap",
            "Khóa của tôi",
            "cong-khai",
            "Máy ở quầy 3",
            "Trình duyệt mẫu",
            crate::desks::REASON,
            crate::desks::ANSWER,
        ];
        for secret in secrets {
            assert!(!has(secret.as_bytes()), "{engine:?}: {secret} stands in clear");
        }
        // What is no text is stored as it is packed.
        let source: std::net::IpAddr = "203.0.113.77".parse().unwrap();
        let id = PersonalId::parse("099000000001").unwrap();
        let packed = [postcard::to_allocvec(&source), postcard::to_allocvec(&id)];
        for (what, bytes) in ["address", "personal id"].iter().zip(packed) {
            let bytes = bytes.unwrap();
            assert!(bytes.len() > 4 && !has(&bytes), "{engine:?}: the {what} stands in clear");
        }
        // The cookie's digest may stand there; the device's and the recovery codes' may not.
        assert!(has(&[5; 32]) && !has(&[7; 32]) && !has(&[3; 32]));
    }
}

/// A file with a person, and its keys.
fn filed() -> (Connection, Keyring) {
    let mut db = Connection::open_in_memory().unwrap();
    sqlite::migrate(&mut db, Area::Core).unwrap();
    let keys = Keyring::new(&[9; 32]).unwrap();
    let mut tx = Tx::from(&db);
    for id in [1, 2] {
        people::insert(&mut tx, &keys, &person(id)).unwrap();
    }
    (db, keys)
}

#[test]
fn another_key_opens_and_finds_nobody() {
    let (db, keys) = filed();
    let (elsewhere, other) = filed();
    drop(elsewhere);
    let mut tx = Tx::from(&db);
    let me = PersonId(1);
    assert!(people::by_id(&mut tx, &keys, me).unwrap().is_some());
    assert!(matches!(people::by_id(&mut tx, &other, me), Err(Error::Crypto(_))));
    assert!(people::by_login(&mut tx, &other, &person(1).login).unwrap().is_none());
    assert!(matches!(people::save(&mut tx, &other, &person(1)), Err(Error::Crypto(_))));
    let none = Keyring::new(&[9; 32]).unwrap();
    assert!(none.get(Purpose::Policy, 0).is_none());
    assert!(matches!(people::by_id(&mut tx, &none, me), Err(Error::Damaged(_))));
}

/// Whoever writes into the table makes nobody somebody else, and brings no dead session to life.
#[test]
fn a_row_that_was_tampered_with_is_not_read() {
    let (db, keys) = filed();
    let mut tx = Tx::from(&db);
    let read = |tx: &mut Tx<'_>| people::by_id(tx, &keys, PersonId(1));
    let sealed = "SELECT sealed FROM portal_person WHERE id = $1";
    let other: Vec<u8> = tx.one(sealed, values![2], |r| r.get(0)).unwrap();
    let own: Vec<u8> = tx.one(sealed, values![1], |r| r.get(0)).unwrap();
    let put = "UPDATE portal_person SET sealed = $1 WHERE id = 1";
    tx.execute(put, values![other]).unwrap();
    assert!(matches!(read(&mut tx), Err(Error::Crypto(_))));
    tx.execute(put, values![own]).unwrap();
    assert!(read(&mut tx).unwrap().is_some());
    tx.execute("UPDATE portal_person SET epoch = 5 WHERE id = 1", &[]).unwrap();
    assert!(matches!(read(&mut tx), Err(Error::Damaged("portal_person.epoch"))));
}
