//! The desks' papers: requests of raises, announcements, notices of revocations.

use dancu_domain::ids::{AccountId, LineId, Login, SystemCode, SystemId, UnitCode};
use dancu_domain::people::PersonId;
use dancu_domain::people::approval::Signature;
use dancu_domain::registration::{Account, AccountKind, AccountList, Group, System};
use dancu_store::desks::{
    self, Announcement, Help, News, RaiseRequest, RequestState, Requests, RevocationNotice, Sides,
};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::{Error, Result, Store, policy};

use crate::common::BEGIN;
use crate::world::{BOTH, World, note, person};

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
        let waiting = |after| Requests::Waiting { now: BEGIN, after };
        assert_eq!(asked(waiting(0), 10).await, [first, second, third]);
        assert_eq!(asked(waiting(0), 2).await, [first, second]);
        assert_eq!(asked(waiting(second), 10).await, [third]);
        // From the end of its last day on it waits for nobody.
        let over = Requests::Waiting { now: request().to, after: 0 };
        assert_eq!(asked(over, 10).await, [0; 0]);
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
        assert_eq!(asked(waiting(0), 10).await, [second, third]);
        assert_eq!(asked(Requests::Of(SYSTEM), 10).await, [third, first]);
        // A state that somebody wrote into the table decides nothing.
        let forged = note(&store, move |tx, keys| {
            tx.execute("UPDATE raise_request SET state = 1 WHERE id = 3", &[])?;
            desks::raise_request(tx, keys, third)
        });
        assert!(matches!(forged.await, Err(Error::Damaged(_))));
    }
}

/// A system with one account.
fn registered() -> System {
    let code = SystemCode::parse("MAU").unwrap();
    let mut system = System::new(SYSTEM, code, UnitCode::parse("H26.001").unwrap(), Group::State);
    system.accounts = AccountList::new(vec![Account {
        daily: 10,
        ..Account::new(AccountId(7), Login::parse("mau.canbo1").unwrap(), AccountKind::Officer)
    }]);
    system
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e3_each_side_ends_its_own_suspension() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        let found = note(&store, |tx, keys| {
            policy::write::insert_system(tx, keys, &registered(), &[String::new()])?;
            let account = AccountId(7);
            let mut found = vec![desks::suspended_by(tx, account)?];
            for (head, centre) in [(true, false), (true, true), (false, true), (false, false)] {
                desks::set_suspended_by(tx, account, Sides { head, centre })?;
                found.push(desks::suspended_by(tx, account)?);
            }
            Ok(found.iter().map(|s| (s.head, s.centre, s.any())).collect::<Vec<_>>())
        });
        let (no, yes) = (false, true);
        let expected =
            [(no, no, no), (yes, no, yes), (yes, yes, yes), (no, yes, yes), (no, no, no)];
        assert_eq!(found.await.unwrap(), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e2_who_helped_last_is_kept_by_what_they_did() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        let found = note(&store, |tx, keys| {
            dancu_store::people::insert(tx, keys, &person(1))?;
            let (one, two) = ((PersonId(8), BEGIN), (PersonId(9), BEGIN.plus_ms(DAY)));
            desks::note_help(tx, PersonId(1), Help::Password, one)?;
            desks::note_help(tx, PersonId(1), Help::Password, two)?;
            let last = desks::last_help(tx, PersonId(1), Help::Password)?;
            Ok((last, desks::last_help(tx, PersonId(1), Help::Factor)?))
        });
        let expected = (Some((PersonId(9), BEGIN.plus_ms(DAY))), None);
        assert_eq!(found.await.unwrap(), expected);
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
