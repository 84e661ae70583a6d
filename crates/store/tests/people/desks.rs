//! The desks' papers: requests of raises, announcements, notices of revocations.

use dancu_domain::ids::{LineId, Login, SystemId};
use dancu_domain::people::PersonId;
use dancu_domain::people::approval::Signature;
use dancu_store::desks::{
    self, Announcement, News, RaiseRequest, RequestState, Requests, RevocationNotice,
};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::{Error, Result, Store};

use crate::common::BEGIN;
use crate::world::{BOTH, World, note};

pub const REASON: &str = "Tuần lễ cấp thẻ cho học sinh mẫu";
pub const ANSWER: &str = "Đồng ý cho tuần mẫu này";
pub const PUBLIC: &str = "Bảo trì đêm thứ bảy mẫu";
const DAY: i64 = 86_400_000;
const SYSTEM: SystemId = SystemId(3);

fn request() -> RaiseRequest {
    RaiseRequest {
        id: 0,
        system: SYSTEM,
        line: LineId(41),
        extra: 500,
        from: BEGIN.plus_ms(DAY),
        to: BEGIN.plus_ms(8 * DAY),
        reason: REASON.into(),
        asked_by: PersonId(2),
        asked_at: BEGIN,
        state: RequestState::Waiting,
        approvals: vec![],
        decided_at: None,
        answer: String::new(),
    }
}

fn announcement() -> Announcement {
    Announcement {
        id: 0,
        kind: News::Maintenance,
        title: PUBLIC.into(),
        text: "Từ 22:00 đến 23:00.".into(),
        from: BEGIN.plus_ms(DAY),
        to: Some(BEGIN.plus_ms(2 * DAY)),
        by: PersonId(9),
        at: BEGIN,
        ended_at: None,
    }
}

fn revocation(person: u32) -> RevocationNotice {
    RevocationNotice {
        id: 0,
        system: SYSTEM,
        person: PersonId(person),
        login: Login::parse("mau.canbo1").unwrap(),
        by: PersonId(2),
        at: BEGIN,
        confirmed_by: None,
        confirmed_at: None,
    }
}

/// One of each.
pub async fn fill(store: &Store) {
    note(store, |tx, keys| {
        let mut asked = request();
        asked.id = desks::insert_raise_request(tx, keys, &asked)?;
        asked.state = RequestState::Granted;
        asked.answer = ANSWER.into();
        desks::save_raise_request(tx, keys, &asked)?;
        desks::insert_announcement(tx, &announcement())?;
        desks::insert_notice(tx, keys, &revocation(1))
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d8_requests_wait_until_they_are_decided() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        let ids = note(&store, |tx, keys| {
            let other = RaiseRequest { system: SystemId(4), ..request() };
            let insert = |tx: &mut Tx<'_>, r| desks::insert_raise_request(tx, keys, r);
            Ok([insert(tx, &request())?, insert(tx, &other)?, insert(tx, &request())?])
        });
        let [first, second, third] = ids.await.unwrap();
        let found = store.desks().raise_request(first).await.unwrap().unwrap();
        assert_eq!(found, RaiseRequest { id: first, ..request() });
        assert_eq!(store.desks().raise_request(99).await.unwrap(), None);
        let asked = |which, limit| {
            let desks = store.desks();
            async move {
                let found = desks.raise_requests(which, limit).await.unwrap();
                found.iter().map(|r| r.id).collect::<Vec<_>>()
            }
        };
        assert_eq!(asked(Requests::Waiting, 10).await, [first, second, third]);
        assert_eq!(asked(Requests::Waiting, 2).await, [first, second]);
        assert_eq!(asked(Requests::Of(SYSTEM), 10).await, [third, first]);
        // One approval, then who read it before would lose it.
        let stale = found.clone();
        let signature = |by| Signature { by: PersonId(by), at: BEGIN };
        let once = RaiseRequest { approvals: vec![signature(7)], ..found };
        let both = RaiseRequest {
            approvals: vec![signature(7), signature(8)],
            state: RequestState::Granted,
            decided_at: Some(BEGIN),
            answer: ANSWER.into(),
            ..once.clone()
        };
        save(&store, once).await.unwrap();
        let stale = save(&store, RaiseRequest { approvals: vec![signature(8)], ..stale }).await;
        assert!(matches!(stale, Err(Error::Refused(_))), "{stale:?}");
        save(&store, both.clone()).await.unwrap();
        assert_eq!(store.desks().raise_request(first).await.unwrap().unwrap(), both);
        let again = RaiseRequest { state: RequestState::Refused, ..both };
        assert!(matches!(save(&store, again).await, Err(Error::Final(_))));
        let none = save(&store, RaiseRequest { id: 99, ..request() }).await;
        assert!(matches!(none, Err(Error::Final(_))));
        assert_eq!(asked(Requests::Waiting, 10).await, [second, third]);
        assert_eq!(asked(Requests::Of(SYSTEM), 10).await, [third, first]);
        // A state that somebody wrote into the table decides nothing.
        let forged = note(&store, move |tx, keys| {
            tx.execute("UPDATE raise_request SET state = 1 WHERE id = 3", &[])?;
            desks::raise_request(tx, keys, third)
        });
        assert!(matches!(forged.await, Err(Error::Damaged(_))));
    }
}

async fn save(store: &Store, request: RaiseRequest) -> Result<()> {
    note(store, move |tx, keys| desks::save_raise_request(tx, keys, &request)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn announcements_run_and_end() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        let inserted = note(&store, |tx, _| {
            let notice =
                Announcement { kind: News::Notice, from: BEGIN, to: None, ..announcement() };
            Ok([
                desks::insert_announcement(tx, &announcement())?,
                desks::insert_announcement(tx, &notice)?,
            ])
        });
        let [planned, notice] = inserted.await.unwrap();
        let found = store.desks().announcement(planned).await.unwrap().unwrap();
        assert_eq!(found, Announcement { id: planned, ..announcement() });
        let listed = |at: i64| {
            let store = &store;
            async move {
                let at = BEGIN.plus_ms(at);
                let running = store.desks().announcements(at).await.unwrap();
                let over = store.desks().past_announcements(at, 10).await.unwrap();
                (running, over)
            }
        };
        assert_eq!(ids(listed(0).await), (vec![notice, planned], vec![]));
        assert_eq!(ids(listed(2 * DAY - 1).await), (vec![notice, planned], vec![]));
        assert_eq!(ids(listed(2 * DAY).await), (vec![notice], vec![planned]));
        let ended = Announcement { ended_at: Some(BEGIN), title: "Mới".into(), ..found };
        let end = ended.clone();
        note(&store, move |tx, _| desks::save_announcement(tx, &end)).await.unwrap();
        assert_eq!(ids(listed(0).await), (vec![notice], vec![planned]));
        let again = ended.clone();
        let again = note(&store, move |tx, _| desks::save_announcement(tx, &again)).await;
        assert!(matches!(again, Err(Error::Final(_))), "what is over stays over");
        assert_eq!(store.desks().announcement(planned).await.unwrap(), Some(ended));
    }
}

fn ids((running, over): (Vec<Announcement>, Vec<Announcement>)) -> (Vec<i64>, Vec<i64>) {
    let of = |all: Vec<Announcement>| all.iter().map(|a| a.id).collect();
    (of(running), of(over))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e3_notices_wait_until_they_are_confirmed() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        let insert =
            |tx: &mut Tx<'_>, keys: &Keyring, of| desks::insert_notice(tx, keys, &revocation(of));
        let ids = note(&store, move |tx, keys| Ok([insert(tx, keys, 1)?, insert(tx, keys, 2)?]));
        let [first, second] = ids.await.unwrap();
        let open = store.desks().open_notices(SYSTEM).await.unwrap();
        assert_eq!(open[0], RevocationNotice { id: first, ..revocation(1) });
        assert_eq!(open.iter().map(|n| n.id).collect::<Vec<_>>(), [first, second]);
        assert!(store.desks().open_notices(SystemId(4)).await.unwrap().is_empty());
        let confirm =
            || note(&store, move |tx, _| desks::confirm_notice(tx, first, PersonId(5), BEGIN));
        confirm().await.unwrap();
        assert!(matches!(confirm().await, Err(Error::Final(_))), "once");
        let open = store.desks().open_notices(SYSTEM).await.unwrap();
        assert_eq!(open.iter().map(|n| n.id).collect::<Vec<_>>(), [second]);
        let about = store.desks().notices_about(PersonId(1)).await.unwrap();
        assert_eq!(
            (about[0].confirmed_by, about[0].confirmed_at),
            (Some(PersonId(5)), Some(BEGIN))
        );
        assert_eq!(store.desks().notice(first).await.unwrap().as_ref(), about.first());
    }
}
