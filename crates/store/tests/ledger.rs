//! The two stages of the ledger: counts, index and journal agree whatever a commit does.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
#[path = "common/draft.rs"]
mod draft;

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use dancu_domain::lines::Outcome;
use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
use dancu_journal::{Act, Body};
use dancu_store::ledger::{HAND_OVER, Verdict};
use dancu_store::{CORE_FILE, OpenOptions, Store, sqlite};

use self::common::{BEGIN, Folder};
use self::draft::{LINE, draft};

fn open(dir: &Path) -> Arc<Store> {
    let profiles = Arc::new(Profiles::parse(DEFAULT_PROFILE).unwrap());
    let options = OpenOptions {
        profiles,
        master_key: <_>::default(),
        now: BEGIN,
        migrate: true,
        database: None,
    };
    Arc::new(Store::open(dir, options).unwrap())
}

/// Submits questions at once; gives the accepted, the refused and the failed.
async fn submit(store: &Arc<Store>, from: u64, n: u64, count: u32) -> (u64, u64, u64) {
    let drafts: Vec<_> = (from..from + n)
        .map(|i| {
            let at = BEGIN.plus_ms(i.cast_signed() / 10);
            draft(store, i, at, count)
        })
        .collect();
    let waiting: Vec<_> = drafts.into_iter().map(|d| store.ledger().submit(d)).collect();
    let (mut accepted, mut refused, mut failed) = (0, 0, 0);
    for verdict in waiting {
        match verdict.await {
            Ok(Verdict::Settled(s)) if matches!(s.outcome, Some(Outcome::Accepted { .. })) => {
                accepted += 1;
            }
            Ok(Verdict::Settled(_)) => refused += 1,
            Ok(other) => panic!("{other:?}"),
            Err(_) => failed += 1,
        }
    }
    (accepted, refused, failed)
}

fn used(store: &Store) -> u32 {
    let day = store.profiles().at(BEGIN).hours.duty(BEGIN).day;
    store.ledger().lines(|lines| lines.line_day(LINE, day).used)
}

/// Entries by what the journal itself holds: how many, and how many accepted.
fn journaled(store: &Store) -> (u64, u64) {
    let (mut all, mut accepted) = (0, 0);
    store
        .scan_entries(0, |entry| {
            assert_eq!(entry.index, all, "indexes are gap-free");
            all += 1;
            if let dancu_journal::Body::Query(q) = &entry.body {
                accepted += u64::from(q.decision == dancu_journal::Decision::Accepted);
            }
            Ok(true)
        })
        .unwrap();
    (all, accepted)
}

#[tokio::test(flavor = "multi_thread")]
async fn large_batches_overlap_and_count_exactly() {
    let folder = Folder::new();
    let store = open(&folder.0);
    let n = 40 * HAND_OVER as u64;
    let mut tasks = tokio::task::JoinSet::new();
    for part in 0..8 {
        let store = store.clone();
        tasks.spawn(async move {
            let (mut accepted, mut refused) = (0, 0);
            for step in 0..5 {
                let from = (part * 5 + step) * HAND_OVER as u64;
                let (a, r, failed) = submit(&store, from, HAND_OVER as u64, 9_000).await;
                assert_eq!(failed, 0);
                accepted += a;
                refused += r;
            }
            (accepted, refused)
        });
    }
    let (mut accepted, mut refused) = (0, 0);
    while let Some(part) = tasks.join_next().await {
        let (a, r) = part.unwrap();
        accepted += a;
        refused += r;
    }
    assert_eq!((accepted, accepted + refused), (9_000, n));
    assert_eq!(used(&store), 9_000);
    assert_eq!(journaled(&store), (n, 9_000));
    store.stop();
    drop(store);
    let again = open(&folder.0);
    assert_eq!((used(&again), journaled(&again)), (9_000, (n, 9_000)));
    assert_eq!(again.requests().len(), 9_000);
}

/// A commit that fails takes along what was counted on top of it, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_commit_fails_what_stands_on_it() {
    let folder = Folder::new();
    let store = open(&folder.0);
    let (first, _, _) = submit(&store, 0, 100, 100_000).await;
    assert_eq!(first, 100);
    // Somebody else holds the file for longer than a commit waits.
    let other = sqlite::writer(&folder.0.join(CORE_FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let n = 6 * HAND_OVER as u64;
    let (accepted, refused, failed) = submit(&store, 100, n, 100_000).await;
    assert_eq!((accepted, refused), (0, 0));
    assert_eq!(failed, n);
    assert!(!store.ledger().is_well());
    assert_eq!(store.ledger().next_index(), 100);
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    // The same questions again: counted once, in a journal without gaps.
    let (accepted, refused, failed) = submit(&store, 100, n, 100_000).await;
    assert_eq!((accepted, refused, failed), (n, 0, 0));
    assert!(store.ledger().is_well());
    assert_eq!(u64::from(used(&store)), 100 + n);
    assert_eq!(journaled(&store), (100 + n, 100 + n));
}

/// An act that touches no count keeps nobody waiting who looks at them; one that does, does.
#[tokio::test(flavor = "multi_thread")]
async fn counts_are_held_by_acts_that_touch_them() {
    let folder = Folder::new();
    let store = open(&folder.0);
    for touches in [false, true] {
        let (inside, begun) = mpsc::channel();
        let (go, wait) = mpsc::channel::<()>();
        let acting = Arc::clone(&store);
        let act = tokio::spawn(async move {
            let change = acting.ledger().act(BEGIN, move |_, counts| {
                if touches {
                    counts.lines();
                }
                inside.send(()).unwrap();
                wait.recv().unwrap();
                let [kind, actor, detail] = ["test"; 3].map(str::to_owned);
                Ok(Body::Act(Act { kind, actor, system: 0, detail }))
            });
            change.await
        });
        tokio::task::block_in_place(|| begun.recv().unwrap());
        let looking = Arc::clone(&store);
        let mut look = tokio::task::spawn_blocking(move || used(&looking));
        let looked = tokio::time::timeout(Duration::from_millis(200), &mut look).await;
        assert_eq!(looked.is_ok(), !touches);
        go.send(()).unwrap();
        act.await.unwrap().unwrap();
        if touches {
            assert_eq!(look.await.unwrap(), 0);
        }
    }
}

/// Commits that fail are tried again by the ledger itself: readiness returns without a query.
#[tokio::test(flavor = "multi_thread")]
async fn it_recovers_while_nobody_asks() {
    let folder = Folder::new();
    let store = open(&folder.0);
    let other = sqlite::writer(&folder.0.join(CORE_FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (_, _, failed) = submit(&store, 0, 1, 10).await;
    assert_eq!(failed, 1);
    assert!(!store.ledger().is_well());
    other.execute_batch("ROLLBACK").unwrap();
    let mut tries = 0;
    while !store.ledger().is_well() {
        tries += 1;
        assert!(tries < 200, "the ledger does not recover");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(used(&store), 0);
}
