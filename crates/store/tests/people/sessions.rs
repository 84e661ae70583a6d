//! Sessions begin, go on and end, on one node and on two.

use std::net::IpAddr;

use dancu_domain::people::account::RevokeCause;
use dancu_domain::people::codes::CodeFailures;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::session::{Cause, Look, SESSION_MS};
use dancu_domain::people::{MachineTime, PersonId};
use dancu_store::engine::{Engine, Tx};
use dancu_store::keys::Keyring;
use dancu_store::people::{
    self, AGENT_BYTES, EVENTS_KEPT, EventKind, FAILURES_KEPT, Person, SessionRow,
};
use dancu_store::{Error, Result, Store, values};

use crate::common::BEGIN;
use crate::world::{BOTH, NOW, World, begin, note, person, profile};

const MINUTE: i64 = 60_000;

async fn with_person(world: &World) -> std::sync::Arc<Store> {
    let store = world.open();
    note(&store, |tx, keys| people::insert(tx, keys, &person(1))).await.unwrap();
    store
}

/// What a request with this cookie finds.
async fn look(store: &Store, mark: u8, at: MachineTime) -> Option<Look> {
    let found = store.people().session(&[mark; 32]).await.unwrap();
    found.map(|(row, now)| row.session.request(Cause::Person, now, at, &profile().sign_in))
}

async fn change(store: &Store, change: impl FnOnce(&mut Person) + Send + 'static) -> Result<()> {
    note(store, |tx, keys| {
        let mut person = people::by_id(tx, keys, PersonId(1))?.unwrap();
        change(&mut person);
        people::save(tx, keys, &person)
    })
    .await
}

/// Reads, changes and saves a session in one transaction.
async fn change_session(
    store: &Store,
    mark: u8,
    change: impl FnOnce(&mut SessionRow) + Send + 'static,
) -> Result<()> {
    note(store, move |tx, keys| {
        let found = people::session(tx, keys, &[mark; 32])?;
        let (mut row, _) = found.ok_or(Error::Final("none"))?;
        change(&mut row);
        people::save_session(tx, keys, &row)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e2_a_session_comes_back_and_a_second_ends_it() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = with_person(&world).await;
        assert!(store.people().session(&[1; 32]).await.unwrap().is_none());
        let row = begin(&store, 1, 1, NOW).await.unwrap();
        let (found, now) = store.people().session(&[1; 32]).await.unwrap().unwrap();
        assert_eq!(found, row);
        assert_eq!(store.people().in_force(PersonId(1)).await.unwrap(), Some(now));
        assert!(matches!(look(&store, 1, NOW).await, Some(Look::Open(_))));
        begin(&store, 1, 2, NOW.plus_ms(MINUTE)).await.unwrap();
        let over = Some(Look::Ended(PortalReason::SessionReplaced));
        assert_eq!(look(&store, 1, NOW.plus_ms(MINUTE)).await, over);
        assert!(matches!(look(&store, 2, NOW.plus_ms(MINUTE)).await, Some(Look::Open(_))));
        let all = store.people().sessions_of(PersonId(1)).await.unwrap();
        assert_eq!(all.iter().map(|s| s.mark[0]).collect::<Vec<_>>(), [2, 1]);
        let alive = note(&store, alive_at(NOW)).await.unwrap();
        assert_eq!(alive.map(|s| s.mark[0]), Some(2), "one of the two goes on");
        let over = note(&store, alive_at(NOW.plus_ms(MINUTE + SESSION_MS))).await.unwrap();
        assert_eq!(over, None, "its 12 hours are over");
        // A number that was in force before, or a cookie that there is, begins nothing.
        let again = note(&store, move |tx, keys| people::begin_session(tx, keys, &row)).await;
        assert!(matches!(again, Err(Error::Refused(_))), "{again:?}");
        let same = begin(&store, 1, 2, NOW).await;
        assert!(matches!(same, Err(Error::Refused(_))), "{same:?}");
        assert!(store.ledger().is_well());
        assert!(matches!(look(&store, 2, NOW).await, Some(Look::Open(_))), "left as it was");
        // After a restart everybody goes on.
        store.stop();
        drop(store);
        let store = world.open();
        assert!(matches!(look(&store, 2, NOW).await, Some(Look::Open(_))));
        let ended = note(&store, |tx, _| people::end_session(tx, &[2; 32])).await.unwrap();
        assert!(ended);
        assert_eq!(look(&store, 2, NOW).await, None);
        assert!(!note(&store, |tx, _| people::end_session(tx, &[2; 32])).await.unwrap());
        // Who signed in twice more ends one session: the other one was over.
        begin(&store, 1, 3, NOW).await.unwrap();
        begin(&store, 1, 4, NOW).await.unwrap();
        let end =
            |tx: &mut Tx<'_>, keys: &Keyring| people::end_sessions(tx, keys, PersonId(1), NOW);
        assert_eq!(note(&store, end).await.unwrap(), 1);
        assert_eq!(note(&store, end).await.unwrap(), 0);
        assert!(store.people().sessions_of(PersonId(1)).await.unwrap().is_empty());
    }
}

fn alive_at(
    machine: MachineTime,
) -> impl FnOnce(&mut Tx<'_>, &Keyring) -> dancu_store::Result<Option<SessionRow>> + Send + 'static
{
    move |tx, keys| people::alive(tx, keys, PersonId(1), machine)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e3_sessions_end_with_the_epoch() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = with_person(&world).await;
        begin(&store, 1, 1, NOW).await.unwrap();
        // The own password carries this session on.
        change(&store, |p| {
            p.account = p.account.clone().password_changed(BEGIN.viet_nam_date()).unwrap();
        })
        .await
        .unwrap();
        let revoked = Some(Look::Ended(PortalReason::SessionRevoked));
        assert_eq!(look(&store, 1, NOW).await, revoked);
        let epoch = store.people().in_force(PersonId(1)).await.unwrap().unwrap().epoch;
        change_session(&store, 1, move |row| row.session = row.session.carried_to(epoch))
            .await
            .unwrap();
        assert!(matches!(look(&store, 1, NOW).await, Some(Look::Open(_))));
        change(&store, |p| {
            let revoked = p.account.clone().revoke(RevokeCause::Left, PersonId(900), BEGIN);
            p.account = revoked.unwrap();
        })
        .await
        .unwrap();
        assert_eq!(look(&store, 1, NOW).await, revoked);
        // Nobody begins one in an epoch that is over.
        let stale = note(&store, |tx, keys| {
            let (mut row, _) = people::session(tx, keys, &[1; 32])?.unwrap();
            row.mark = [9; 32];
            row.session.number = people::next_session_number(tx, PersonId(1))?;
            people::begin_session(tx, keys, &row)
        });
        assert!(matches!(stale.await, Err(Error::Refused(_))));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_seen_undoes_no_lock_and_never_goes_back() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = with_person(&world).await;
        begin(&store, 1, 1, NOW).await.unwrap();
        change_session(&store, 1, |row| row.session = row.session.lock()).await.unwrap();
        let seen =
            |at: MachineTime| note(&store, move |tx, _| people::seen_session(tx, &[1; 32], at));
        assert!(seen(NOW.plus_ms(3 * MINUTE)).await.unwrap());
        assert!(seen(NOW.plus_ms(MINUTE)).await.unwrap());
        let (row, _) = store.people().session(&[1; 32]).await.unwrap().unwrap();
        assert!(row.session.locked);
        assert_eq!(row.session.seen, NOW.plus_ms(3 * MINUTE));
        change_session(&store, 1, |row| {
            row.session.seen = NOW;
            row.session.mfa = Some(NOW.plus_ms(5));
            row.session.locked = false;
        })
        .await
        .unwrap();
        let (row, _) = store.people().session(&[1; 32]).await.unwrap().unwrap();
        assert_eq!(row.session.seen, NOW.plus_ms(3 * MINUTE));
        assert_eq!((row.session.mfa, row.session.locked), (Some(NOW.plus_ms(5)), false));
        // Of one that has ended nothing is stored.
        note(&store, |tx, _| people::end_session(tx, &[1; 32])).await.unwrap();
        assert!(!seen(NOW).await.unwrap());
        let gone = note(&store, move |tx, keys| people::save_session(tx, keys, &row)).await;
        assert!(matches!(gone, Err(Error::Final(people::SESSION_OVER))), "{gone:?}");
    }
}

/// Whoever writes into the table gives nobody a session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_bound_to_its_cookie_and_person() {
    let world = World::new(Engine::Sqlite);
    let store = with_person(&world).await;
    note(&store, |tx, keys| people::insert(tx, keys, &person(2))).await.unwrap();
    begin(&store, 1, 1, NOW).await.unwrap();
    begin(&store, 2, 2, NOW).await.unwrap();
    let mut db = world.connect();
    let moved = "UPDATE portal_session SET person = 2 WHERE mark = $1";
    db.tx().execute(moved, values![[1u8; 32]]).unwrap();
    let found = store.people().session(&[1; 32]).await;
    assert!(matches!(found, Err(Error::Damaged(_))), "{found:?}");
    let renamed = "UPDATE portal_session SET mark = $1 WHERE mark = $2";
    db.tx().execute(renamed, values![[3u8; 32], [2u8; 32]]).unwrap();
    let found = store.people().session(&[3; 32]).await;
    assert!(matches!(found, Err(Error::Crypto(_))), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_forgotten_after_their_end() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = with_person(&world).await;
        // More than go at once.
        note(&store, |tx, keys| {
            let mut row = people::by_id(tx, keys, PersonId(1))?.map(|p| row(&p, NOW)).unwrap();
            for n in 0..1_203u32 {
                row.mark[..4].copy_from_slice(&n.to_be_bytes());
                row.session.number = people::next_session_number(tx, PersonId(1))?;
                row.session.began = NOW.plus_ms(i64::from(n));
                people::begin_session(tx, keys, &row)?;
            }
            Ok(())
        })
        .await
        .unwrap();
        let forget = |before| store.people().forget_sessions(BEGIN, before);
        assert_eq!(forget(NOW.plus_ms(SESSION_MS)).await.unwrap(), 0);
        assert_eq!(forget(NOW.plus_ms(SESSION_MS + 1_201)).await.unwrap(), 1_201);
        let left = store.people().sessions_of(PersonId(1)).await.unwrap();
        let began: Vec<_> = left.iter().map(|s| s.session.began.0 - NOW.0).collect();
        assert_eq!(began, [1_202, 1_201]);
    }
}

fn row(person: &Person, at: MachineTime) -> SessionRow {
    use dancu_domain::people::session::{Session, SessionNumber};
    let begun = Session::begin(SessionNumber(1), &person.account, at, false, None);
    let source = IpAddr::from([203, 0, 113, 77]);
    let agent = "Trình duyệt".to_owned();
    SessionRow { mark: [0; 32], session: begun.session, source, agent, device: None }
}

/// What one node ends is over on the other at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rule_e3_a_session_dies_on_every_node() {
    let first = World::new(Engine::Postgres);
    let one = with_person(&first).await;
    let second = first.another();
    let two = second.open();
    for round in 1..6u8 {
        let at = NOW.plus_ms(i64::from(round));
        begin(&one, 1, 2 * round, at).await.unwrap();
        assert!(matches!(look(&two, 2 * round, at).await, Some(Look::Open(_))));
        begin(&two, 1, 2 * round + 1, at).await.unwrap();
        let over = Some(Look::Ended(PortalReason::SessionReplaced));
        assert_eq!(look(&one, 2 * round, at).await, over);
        change(&one, |p| p.account = p.account.clone().factor_lost().unwrap()).await.unwrap();
        let revoked = Some(Look::Ended(PortalReason::SessionRevoked));
        assert_eq!(look(&two, 2 * round + 1, at).await, revoked);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_kept_for_a_while_and_failures_push_nothing_out() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = with_person(&world).await;
        let source = IpAddr::from([203, 0, 113, 77]);
        note(&store, move |tx, keys| {
            let me = PersonId(1);
            let long = "ế".repeat(AGENT_BYTES);
            people::note_event(tx, keys, me, BEGIN, EventKind::Invited, None, "")?;
            people::note_event(tx, keys, me, BEGIN, EventKind::SignedIn, source, &long)?;
            for n in 0..FAILURES_KEPT + 5 {
                let at = BEGIN.plus_ms(1 + n);
                people::note_event(tx, keys, me, at, EventKind::WrongPassword, source, "x")?;
            }
            Ok(())
        })
        .await
        .unwrap();
        let events = store.people().events(PersonId(1), 1_000).await.unwrap();
        assert_eq!(events.len() as i64, FAILURES_KEPT + 2);
        assert_eq!(events[0].at, BEGIN.plus_ms(FAILURES_KEPT + 5));
        let (signed, invited) = (&events[events.len() - 2], &events[events.len() - 1]);
        assert_eq!((signed.kind, signed.source), (EventKind::SignedIn, Some(source)));
        assert!(signed.agent.len() <= AGENT_BYTES && signed.agent.starts_with("ếế"));
        assert_eq!((invited.kind, invited.source), (EventKind::Invited, None));
        assert_eq!(store.people().events(PersonId(1), 3).await.unwrap().len(), 3);
        note(&store, move |tx, keys| {
            for _ in 0..EVENTS_KEPT {
                let (me, kind) = (PersonId(1), EventKind::SignedOut);
                people::note_event(tx, keys, me, BEGIN, kind, source, "x")?;
            }
            Ok(())
        })
        .await
        .unwrap();
        let events = store.people().events(PersonId(1), 1_000).await.unwrap();
        assert_eq!(events.len() as i64, FAILURES_KEPT + EVENTS_KEPT);
        let nobody = note(&store, move |tx, keys| {
            people::note_event(tx, keys, PersonId(5), BEGIN, EventKind::SignedIn, source, "x")
        });
        assert!(matches!(nobody.await, Err(Error::Refused(_))));
        assert!(store.ledger().is_well());
    }
}

/// C5: what bounds guessing is one for all nodes, and outlives a start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_c5_wrong_codes_and_answered_challenges_are_known_on_every_node() {
    for engine in BOTH {
        let first = World::new(engine);
        let one = with_person(&first).await;
        // With SQLite there is one node.
        let second = first.another();
        let two = if engine == Engine::Postgres { second.open() } else { one.clone() };
        let me = PersonId(1);
        let none = CodeFailures::default();
        assert_eq!(one.people().code_failures(me).await.unwrap(), Some(none));
        assert_eq!(one.people().code_failures(PersonId(9)).await.unwrap(), None);
        let before = one.people().person_by_id(me).await.unwrap().unwrap();
        for (n, store) in [&one, &two, &one, &two].into_iter().enumerate() {
            let at = NOW.plus_ms(n as i64);
            note(store, move |tx, _| {
                let failures = people::code_failures(tx, me)?;
                assert_eq!(failures.failures as usize, n);
                people::save_code_failures(tx, me, failures.failed(at))
            })
            .await
            .unwrap();
        }
        let found = two.people().code_failures(me).await.unwrap().unwrap();
        assert_eq!((found.failures, found.last), (4, NOW.plus_ms(3)));
        // Whoever was read meanwhile can still be saved.
        note(&two, move |tx, keys| people::save(tx, keys, &before)).await.unwrap();
        let kept = one.people().code_failures(me).await.unwrap().unwrap();
        assert_eq!(kept, found, "a change of the person leaves it as it is");
        let nobody = note(&one, |tx, _| people::code_failures(tx, PersonId(9)).map(drop));
        assert!(matches!(nobody.await, Err(Error::Final(_))));

        let until = NOW.plus_ms(MINUTE);
        for (mark, store, expected) in [(1, &one, true), (1, &two, false), (2, &two, true)] {
            note(store, move |tx, _| {
                let is_first = people::answer_challenge(tx, [mark; 16], until)?;
                assert_eq!(is_first, expected, "{mark}");
                Ok(())
            })
            .await
            .unwrap();
        }
        let late = until.plus_ms(10 * MINUTE);
        assert_eq!(one.forget_used(BEGIN, late.0).await.unwrap(), 2);
    }
}
