//! Folders of the version before, nodes beside it, and backups.

use dancu_domain::people::PersonId;
use dancu_store::backup::tables::{Kept, tables};
use dancu_store::backup::{self, KeyFile, Making, Site};
use dancu_store::engine::{Db, Engine, Settings, Tx};
use dancu_store::keys::{Keyring, MasterSource};
use dancu_store::people::{self, EventKind};
use dancu_store::sqlite::Area;
use dancu_store::{Error, Store, values};

use crate::common::BEGIN;
use crate::world::{BOTH, NOW, World, begin, entry, note, person};

/// The tables since then; what refers to another comes first.
const NEW: [&str; 38] = [
    "webhook_delivery",
    "webhook",
    "lock_appeal",
    "mail_bounce",
    "gathering_receiver",
    "gathering_handed",
    "gathering_urged",
    "statement",
    "statement_month",
    "commitment",
    "commitment_list",
    "paper_copy",
    "issued_document",
    "kept_file_part",
    "kept_file",
    "campaign_task",
    "campaign",
    "dossier_event",
    "dossier_version",
    "dossier",
    "system_clearance",
    "job_plan",
    "plan_clock",
    "account_changes",
    "notice_reader",
    "notice",
    "mail_job",
    "portal_contact",
    "portal_session",
    "portal_event",
    "portal_help",
    "portal_person",
    "raise_request",
    "announcement",
    "revocation_notice",
    "account_suspension",
    "credential_use",
    "unit_event",
];

/// Makes a database what it was before there were people.
fn without_people(world: &World) {
    let mut db = world.connect();
    for table in NEW {
        db.tx().execute(&format!("DROP TABLE {table}"), &[]).unwrap();
    }
    db.tx().execute("DROP INDEX account_of_system", &[]).unwrap();
    match db {
        Db::Sqlite(db) => db.pragma_update(None, "user_version", 2).unwrap(),
        Db::Postgres(_) => {
            let sql = "UPDATE schema_version SET version = 2 WHERE area = 'core'";
            assert_eq!(db.tx().execute(sql, &[]).unwrap(), 1);
        }
    }
}

#[test]
fn every_new_table_is_decided_on() {
    let known: Vec<_> = tables().into_iter().filter(|t| NEW.contains(&t.name)).collect();
    assert_eq!(known.len(), NEW.len());
    let left: Vec<_> = known.iter().filter(|t| t.kept == Kept::Left).map(|t| t.name).collect();
    assert_eq!(left, ["portal_session"], "a session that was ended would live again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_of_the_version_before_opens() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        for _ in 0..3 {
            store.ledger().note(BEGIN, |_| Ok(entry())).await.unwrap();
        }
        store.stop();
        drop(store);
        without_people(&world);
        let refused = Store::open(&world.dir(), world.options(false)).map(drop).unwrap_err();
        let wants = Area::Core.version();
        let versions = matches!(refused, Error::Schema { found: 2, wanted, .. } if wanted == wants);
        assert!(versions, "{engine:?}: {refused}");
        let store = world.open();
        let mut kept = 0;
        let scanned = store.scan_entries(0, |e| {
            kept += u32::from(e.body == entry());
            Ok(true)
        });
        scanned.unwrap();
        assert_eq!(kept, 3);
        note(&store, |tx, keys| people::insert(tx, keys, &person(1))).await.unwrap();
        assert!(store.people().person_by_id(PersonId(1)).await.unwrap().is_some());
        store.stop();
    }
}

/// The step only adds: a node of before, which does not know it, goes on while another runs it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_of_before_go_on_beside_it() {
    let first = World::new(Engine::Postgres);
    let one = first.open();
    without_people(&first);
    // A node that journals without touching what is new, as those of before do.
    one.ledger().note(BEGIN, |_| Ok(entry())).await.unwrap();
    let second = first.another();
    let two = second.open();
    one.ledger().note(BEGIN, |_| Ok(entry())).await.unwrap();
    let sql = "SELECT version, oldest FROM schema_version WHERE area = 'core'";
    let versions = first.connect().tx().one(sql, &[], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
    assert_eq!(versions, (Area::Core.version(), 2), "version 2 still fits");
    note(&two, |tx, keys| people::insert(tx, keys, &person(1))).await.unwrap();
    assert_eq!(one.people().person_by_id(PersonId(1)).await.unwrap(), Some(person(1)));
}

fn keyring(world: &World) -> Keyring {
    Keyring::of_folder(&world.dir(), &MasterSource::default()).unwrap()
}

fn site(world: &World) -> Site {
    match world.url() {
        None => Site::Folder(world.dir()),
        Some(url) => Site::Server(Box::new(Settings::new(&url).unwrap())),
    }
}

fn count(tx: &mut Tx<'_>, table: &str) -> i64 {
    tx.one(&format!("SELECT COUNT(*) FROM {table}"), &[], |r| r.get(0)).unwrap()
}

/// A backup holds everybody, and nobody's session; it goes into either engine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_backed_up_and_restored() {
    for (from, to) in [(Engine::Sqlite, Engine::Postgres), (Engine::Postgres, Engine::Sqlite)] {
        let world = World::new(from);
        let store = world.open();
        note(&store, |tx, keys| {
            for id in [1, 2] {
                people::insert(tx, keys, &person(id))?;
            }
            people::note_event(tx, keys, PersonId(2), BEGIN, EventKind::Invited, None, "")
        })
        .await
        .unwrap();
        begin(&store, 1, 1, NOW).await.unwrap();
        crate::desks::fill(&store).await;
        crate::units::fill(&store).await;
        store.stop();
        drop(store);
        let (backup, key_file) = (world.folder.0.join("full"), world.folder.0.join("keys"));
        let making = Making {
            site: &site(&world),
            keys: &keyring(&world),
            to: &backup,
            base: None,
            by_path: false,
            keys_to: Some(&key_file),
            now: BEGIN,
            program: "test",
        };
        backup::make(&making, &mut |_| {}).unwrap();
        let place = World::new(to);
        place.key_of(&world);
        let (keys, file) = (keyring(&place), KeyFile::read(&key_file).unwrap());
        file.unwrap_into(&keys).unwrap();
        let checked = backup::verify(&backup, Some(&keys), &mut |_| {}).unwrap();
        assert!(checked.problems.is_empty(), "{:?}", checked.problems);
        backup::restore(&backup, &site(&place), &keys, &file, &mut |_, _| {}).unwrap();
        let mut db = place.connect();
        for (table, rows) in [
            ("portal_person", 2),
            ("portal_session", 0),
            ("portal_event", 1),
            ("raise_request", 1),
            ("announcement", 1),
            ("revocation_notice", 1),
            ("unit_event", 2),
        ] {
            assert_eq!(count(&mut db.tx(), table), rows, "{table} on {to:?}");
        }
        // The keys of that time open everything.
        let mut tx = db.tx();
        let restored = people::all(&mut tx, &keys, PersonId(0), 10).unwrap();
        assert_eq!(restored, [person(1), person(2)]);
        assert_eq!(people::by_login(&mut tx, &keys, &person(2).login).unwrap(), Some(person(2)));
        let events = people::events(&mut tx, &keys, PersonId(2), 10).unwrap();
        assert_eq!(events[0].kind, EventKind::Invited);
        let number = "SELECT session_number FROM portal_person WHERE id = $1";
        let number: i64 = tx.one(number, values![1], |r| r.get(0)).unwrap();
        assert_eq!(number, 1, "a session of before has no number of later");
    }
}

/// A change of the master key wraps the key anew: people are found and opened as before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_outlive_a_change_of_the_master_key() {
    use dancu_store::rotation::{MasterTarget, change_master};
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        note(&store, |tx, keys| people::insert(tx, keys, &person(1))).await.unwrap();
        begin(&store, 1, 1, NOW).await.unwrap();
        change_master(&store, BEGIN, MasterTarget::Local, "test").await.unwrap();
        let found = |store: std::sync::Arc<Store>| async move {
            let by_login = store.people().person_by_login(&person(1).login).await.unwrap();
            let session = store.people().session(&[1; 32]).await.unwrap();
            by_login == Some(person(1)) && session.is_some()
        };
        assert!(found(store.clone()).await);
        store.stop();
        drop(store);
        assert!(found(world.open()).await, "{engine:?}");
    }
}
