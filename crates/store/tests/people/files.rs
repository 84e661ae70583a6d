//! Kept files: whole or not at all, sealed, found by nobody before an act keeps them.

use dancu_domain::dossier::{Dossier, DossierNumber, Mark, Part};
use dancu_domain::files::{About, DocumentKind, FileId, Role, Scan};
use dancu_domain::ids::UnitCode;
use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::people::PersonId;
use dancu_domain::registration::{Channel, Group};
use dancu_store::engine::Engine;
use dancu_store::files::{self, NewDocument, Staged, Whose};
use dancu_store::{Error, Result, Store, dossiers, values};

use crate::common::BEGIN;
use crate::world::{BOTH, World, note};

const DOSSIER: DossierNumber = DossierNumber(1);
/// Larger than what one transaction writes, and no multiple of a part.
const LARGE: usize = (2 << 20) + 77;

fn about() -> About {
    About {
        name: "biên bản.pdf".into(),
        kind: "pdf".into(),
        role: Role::Paper(Part::Security),
        scan: Scan::Clean,
        by: PersonId(1),
        at: BEGIN,
    }
}

fn some(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|i| (i % 251) as u8).collect()
}

async fn with_dossier(store: &Store) {
    let unit = UnitCode::parse("H99.001").unwrap();
    let mark = Mark { by: PersonId(1), at: BEGIN };
    let dossier = Dossier::begin(DOSSIER, unit, (Group::State, Channel::Api), mark);
    note(store, move |tx, keys| dossiers::insert(tx, keys, &dossier)).await.unwrap();
}

async fn keep(store: &Store, staged: Staged) -> Result<()> {
    let whose = Whose::Dossier(DOSSIER);
    note(store, move |tx, keys| files::keep(tx, keys, &staged, whose, &about())).await
}

fn count(world: &World, what: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM {what}");
    world.connect().tx().one(&sql, &[], |r| r.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_given_as_it_came_and_only_when_it_is_kept() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        with_dossier(&store).await;
        let mut kept = vec![];
        for size in [1, 256 << 10, LARGE] {
            let staged = store.stage_file(BEGIN, &some(size)).await.unwrap();
            assert_eq!(store.file(staged.id).await.unwrap(), None, "not kept yet");
            keep(&store, staged).await.unwrap();
            let file = store.file(staged.id).await.unwrap().unwrap();
            assert_eq!((&file.about, file.bytes), (&about(), size as u64));
            assert_eq!(store.file_bytes(&file).await.unwrap(), some(size), "{engine:?} {size}");
            // Kept twice is kept once.
            assert!(keep(&store, staged).await.is_err());
            kept.push(file);
        }
        assert_eq!(store.files_of(DOSSIER).await.unwrap(), kept);
        assert!(store.files_of(DossierNumber(2)).await.unwrap().is_empty());
        let stored = world.stored_bytes();
        assert!(!stored.windows(40).any(|w| w == &some(40)[..]), "sealed");
        assert!(!stored.windows(8).any(|w| w == &"biên bản".as_bytes()[..8]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_exchanged_or_shortened_is_not_given() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        with_dossier(&store).await;
        let staged = store.stage_file(BEGIN, &some(LARGE)).await.unwrap();
        keep(&store, staged).await.unwrap();
        let file = store.file(staged.id).await.unwrap().unwrap();
        let first = staged.id.0 * 1024;
        let moved = note(&store, move |tx, _| {
            let sql = "UPDATE kept_file_part SET sealed = (SELECT sealed FROM kept_file_part \
                       WHERE id = $1) WHERE id = $2";
            tx.execute(sql, values![first, first + 1]).map(drop)
        });
        moved.await.unwrap();
        assert!(matches!(store.file_bytes(&file).await, Err(Error::Crypto(_))), "{engine:?}");
        let gone = note(&store, move |tx, _| {
            tx.execute("DELETE FROM kept_file_part WHERE id = $1", values![first + 1]).map(drop)
        });
        gone.await.unwrap();
        assert!(matches!(store.file_bytes(&file).await, Err(Error::Damaged(_))));
    }
}

/// A disk that is full, a COMMIT that fails: the transaction of a later part does not go through.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_file_leaves_nothing() {
    let world = World::new(Engine::Sqlite);
    let store = world.open();
    with_dossier(&store).await;
    let full = "CREATE TRIGGER disk_full BEFORE INSERT ON kept_file_part WHEN NEW.id % 1024 = 6 \
                BEGIN SELECT RAISE(ABORT, 'disk is full'); END";
    note(&store, move |tx, _| tx.batch(full)).await.unwrap();
    assert!(store.stage_file(BEGIN, &some(LARGE)).await.is_err());
    assert_eq!(count(&world, "kept_file_part"), 0);
    assert_eq!(count(&world, "kept_file WHERE state <> 2"), 0);
    // The next one comes in, under another number.
    note(&store, |tx, _| tx.batch("DROP TRIGGER disk_full")).await.unwrap();
    let staged = store.stage_file(BEGIN, &some(LARGE)).await.unwrap();
    assert_eq!(staged.id, FileId(2));
    keep(&store, staged).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_stop_left_is_swept_and_numbers_are_not_given_again() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        with_dossier(&store).await;
        let left = store.stage_file(BEGIN, &some(LARGE)).await.unwrap();
        let kept = store.stage_file(BEGIN, &some(10)).await.unwrap();
        keep(&store, kept).await.unwrap();
        store.forget_staged(BEGIN.plus_ms(DAY_MS - 1)).await.unwrap();
        assert!(count(&world, "kept_file_part") > 1, "it may still be coming in");
        store.forget_staged(Moment(BEGIN.0 + DAY_MS + 1)).await.unwrap();
        assert_eq!(count(&world, "kept_file_part"), 1, "{engine:?}");
        assert!(keep(&store, left).await.is_err(), "too late");
        // Taken away from another dossier nothing goes.
        let id = kept.id;
        let other = DossierNumber(2);
        note(&store, move |tx, _| files::take_away(tx, other, id)).await.unwrap();
        assert!(store.file(id).await.unwrap().is_some());
        note(&store, move |tx, _| files::take_away(tx, DOSSIER, id)).await.unwrap();
        assert_eq!(store.file(id).await.unwrap(), None);
        assert_eq!(count(&world, "kept_file_part"), 0);
        assert_eq!(store.stage_file(BEGIN, &some(1)).await.unwrap().id.0, id.0 + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_are_numbered_without_a_gap_and_issued_once() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        with_dossier(&store).await;
        let issue = async |mark: &'static str, year: i16, fails: bool| {
            let kind = DocumentKind::Receipt;
            let issued = note(&store, move |tx, keys| {
                let Some(number) = files::next_document(tx, kind, year, mark)? else {
                    return Ok(0);
                };
                let whose = Whose::Dossier(DOSSIER);
                let file = files::insert(tx, keys, b"%PDF", whose, &about())?.id;
                let (dossier, at) = (Some(DOSSIER), BEGIN);
                let new =
                    NewDocument { kind, year, number, about: mark, dossier, system: None, at };
                files::insert_document(tx, &new, file)?;
                if fails { Err(Error::Refused("undone".into())) } else { Ok(number) }
            });
            issued.await.ok()
        };
        assert_eq!(issue("a", 2026, false).await, Some(1));
        assert_eq!(issue("b", 2026, true).await, None);
        assert_eq!(issue("b", 2026, false).await, Some(2), "{engine:?}: no gap");
        assert_eq!(issue("a", 2026, false).await, Some(0), "issued before");
        assert_eq!(issue("c", 2027, false).await, Some(1), "each year begins anew");
        let listed = store.documents_of(DOSSIER).await.unwrap();
        let numbers: Vec<_> = listed.iter().map(|i| (i.year, i.number)).collect();
        assert_eq!(numbers, [(2027, 1), (2026, 2), (2026, 1)]);
        let own = UnitCode::parse("H99.001").unwrap();
        assert_eq!(store.documents_of_unit(&own).await.unwrap(), listed);
        let other = UnitCode::parse("H99.002").unwrap();
        assert!(store.documents_of_unit(&other).await.unwrap().is_empty());
        assert_eq!(store.documents_before(listed[0].file).await.unwrap(), listed[1..]);
    }
}
