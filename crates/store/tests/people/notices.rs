//! Notices, who reads them, the mail about them and where people are mailed.

use dancu_domain::moment::Moment;
use dancu_domain::notices::{AccountChange, Audience, Notice, Ordinary, Preference, Side};
use dancu_domain::people::PersonId;
use dancu_store::keys::Keyring;
use dancu_store::notices::{self, Contact, Ended, KEPT_MS, Pending, Reader};
use dancu_store::people::{self, EventKind};
use dancu_store::{Result, Store};

use crate::common::BEGIN;
use crate::world::{BOTH, World, note, person};

const ONE: PersonId = PersonId(1);
const TWO: PersonId = PersonId(2);

fn announced(title: &str) -> Notice {
    Notice::Announced { title: title.into(), incident: false }
}

async fn filled(store: &Store) {
    note(store, |tx, keys| {
        people::insert(tx, keys, &person(1))?;
        people::insert(tx, keys, &person(2))
    })
    .await
    .unwrap();
}

async fn tidy(
    store: &Store,
    change: impl FnOnce(&mut dancu_store::engine::Tx<'_>, &Keyring) -> Result<()> + Send + 'static,
) {
    let keys = store.keys().clone();
    store.ledger().tidy(BEGIN, move |tx| change(tx, &keys)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_is_told_once_handed_out_and_read() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        filled(&store).await;
        tidy(&store, |tx, keys| {
            let mark = Some(notices::mark(keys, &[b"line", b"1"])?);
            let to = [Audience::Person(ONE), Audience::Operators(None)];
            assert!(notices::insert(tx, keys, BEGIN, mark, (&to, &announced("một")))?);
            assert!(!notices::insert(tx, keys, BEGIN, mark, (&to, &announced("hai")))?);
            assert!(notices::insert(tx, keys, BEGIN, None, (&to, &announced("ba")))?);
            assert!(notices::insert(tx, keys, BEGIN, None, (&to, &announced("bốn")))?);
            Ok(())
        })
        .await;
        let waiting = store.notices().to_spread(0).await.unwrap();
        let told: Vec<_> = waiting.iter().map(|(_, _, told)| told.clone().unwrap()).collect();
        assert_eq!(told.iter().map(|t| t.id).collect::<Vec<_>>(), [1, 2, 3], "{engine:?}");
        assert_eq!(told[0].notice, announced("một"));
        assert_eq!(told[0].to, [Audience::Person(ONE), Audience::Operators(None)]);
        tidy(&store, |tx, _| {
            for id in 1..=3 {
                assert!(notices::is_waiting(tx, id)?);
                let mail = Some((false, BEGIN));
                let reader = |(person, side)| Reader { person, side, mail };
                let some = [(ONE, Side::Person), (TWO, Side::Operator)].map(reader);
                notices::deliver(tx, (id, BEGIN), &some, false)?;
                assert!(notices::is_waiting(tx, id)?, "not the last of them");
                notices::deliver(tx, (id, BEGIN), &[reader((ONE, Side::Operator))], true)?;
                assert!(!notices::is_waiting(tx, id)?);
            }
            Ok(())
        })
        .await;
        assert!(store.notices().to_spread(0).await.unwrap().is_empty());
        assert_eq!(store.notices().due_mail(BEGIN).await.unwrap().len(), 6, "each mailed once");
        let inbox = store.notices().inbox(ONE, i64::MAX).await.unwrap();
        assert_eq!(inbox.iter().map(|l| l.id).collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!((inbox[0].side, inbox[0].read), (Side::Person, None), "told as the first");
        assert_eq!(store.notices().unread(ONE).await.unwrap(), 3);
        let later = BEGIN.plus_ms(5);
        tidy(&store, move |tx, _| notices::mark_read(tx, ONE, 3, later)).await;
        assert_eq!(store.notices().unread(ONE).await.unwrap(), 2);
        tidy(&store, move |tx, _| notices::mark_all_read(tx, ONE, 1, later)).await;
        let inbox = store.notices().inbox(ONE, i64::MAX).await.unwrap();
        let read: Vec<_> = inbox.iter().map(|l| l.read.is_some()).collect();
        assert_eq!(read, [true, false, true], "2 came meanwhile");
        assert_eq!(store.notices().unread(TWO).await.unwrap(), 3, "each reads for themselves");
        // Old ones go with their readers; the newest stays, so that no number comes again.
        tidy(&store, move |tx, _| {
            assert_eq!(notices::forget(tx, BEGIN)?, 0);
            assert_eq!(notices::forget(tx, BEGIN.plus_ms(KEPT_MS))?, 2);
            Ok(())
        })
        .await;
        let left = store.notices().inbox(TWO, i64::MAX).await.unwrap();
        assert_eq!(left.iter().map(|l| l.id).collect::<Vec<_>>(), [3]);
        store.stop();
    }
}

/// What happens to an account tells the person, and the head of what stops or opens it, in the
/// transaction of its event.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d6_an_event_of_an_account_is_a_notice() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        filled(&store).await;
        let events = [EventKind::Locked, EventKind::SignedIn, EventKind::PasswordChanged];
        for event in events {
            note(&store, move |tx, keys| people::note_event(tx, keys, ONE, BEGIN, event, None, ""))
                .await
                .unwrap();
        }
        // What was undone was not told.
        let undone = note(&store, |tx, keys| {
            people::note_event(tx, keys, ONE, BEGIN, EventKind::Revoked, None, "")?;
            Err::<(), _>(dancu_store::Error::Refused("no".into()))
        });
        undone.await.unwrap_err();
        let told = store.notices().to_spread(0).await.unwrap();
        let told: Vec<_> = told.into_iter().map(|(_, _, t)| t.unwrap()).collect();
        assert_eq!(told.len(), 2, "{engine:?}");
        assert_eq!(told[0].notice, Notice::Account(AccountChange::Locked));
        assert_eq!(told[0].to, [Audience::Person(ONE), Audience::HeadsOf(ONE)]);
        assert_eq!(told[1].to, [Audience::Person(ONE)], "a password is the person's own");
        store.stop();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_waits_is_tried_again_and_ends() {
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        filled(&store).await;
        let at = |ms| BEGIN.plus_ms(ms);
        tidy(&store, move |tx, _| {
            notices::enqueue(tx, (ONE, 7), false, (BEGIN, at(10)))?;
            notices::enqueue(tx, (TWO, 7), true, (BEGIN, at(20)))?;
            notices::enqueue(tx, (ONE, notices::CODE), false, (BEGIN, at(30)))
        })
        .await;
        let due = async |now: Moment| {
            let jobs = store.notices().due_mail(now).await.unwrap();
            jobs.iter().map(|j| j.id).collect::<Vec<_>>()
        };
        assert!(due(at(9)).await.is_empty());
        assert_eq!(due(at(30)).await, [1, 3, 2], "what goes alone is not behind the gathered");
        let daily = store.notices().due_daily(TWO, at(30)).await.unwrap();
        assert_eq!(daily.iter().map(|j| j.id).collect::<Vec<_>>(), [2]);
        assert!(store.notices().due_daily(TWO, at(19)).await.unwrap().is_empty());
        tidy(&store, move |tx, _| {
            notices::postpone(tx, 1, at(100))?;
            notices::end_mail(tx, 2, Ended::GivenUp, at(30))?;
            notices::replace_code(tx, ONE, at(30))
        })
        .await;
        assert!(due(at(99)).await.is_empty());
        assert_eq!(due(at(100)).await, [1]);
        assert_eq!(store.notices().mail_held_up().await.unwrap(), 1);
        let job = store.notices().mail(1).await.unwrap().unwrap();
        assert_eq!((job.attempts, job.ended, job.made), (1, None, BEGIN));
        let given_up = store.notices().given_up().await.unwrap();
        assert_eq!(given_up.iter().map(|j| (j.id, j.daily)).collect::<Vec<_>>(), [(2, true)]);
        tidy(&store, move |tx, _| notices::end_mail(tx, 1, Ended::Sent, at(100))).await;
        assert_eq!(store.notices().mail(1).await.unwrap().unwrap().ended, Some(Ended::Sent));
        // What ended stays ended.
        tidy(&store, move |tx, _| notices::postpone(tx, 1, at(0))).await;
        assert!(due(at(1_000)).await.is_empty());
        store.stop();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contact_stands_sealed_and_is_the_persons_own() {
    const ADDRESS: &str = "nguoi.mau.rieng@dancu.example.vn";
    for engine in BOTH {
        let world = World::new(engine);
        let store = world.open();
        filled(&store).await;
        assert_eq!(store.notices().contact(ONE).await.unwrap(), Contact::default());
        let contact = Contact {
            address: Some(ADDRESS.into()),
            pending: Some(Pending {
                address: ADDRESS.into(),
                code: "12345678".into(),
                until: BEGIN,
                tries: 1,
            }),
            preference: Preference { ordinary: Ordinary::Never, digest_minute: 600 },
            failing: Some(BEGIN),
            confirmed: Some(BEGIN),
            codes: vec![BEGIN],
        };
        let kept = contact.clone();
        note(&store, move |tx, keys| notices::save_contact(tx, keys, ONE, &kept)).await.unwrap();
        assert_eq!(store.notices().contact(ONE).await.unwrap(), contact);
        assert_eq!(store.notices().contact(TWO).await.unwrap(), Contact::default());
        assert_eq!(format!("{contact:?}"), "Contact(***)");
        let sql = "SELECT sealed FROM portal_contact";
        let sealed: Vec<u8> = world.connect().tx().one(sql, &[], |r| r.get(0)).unwrap();
        let text = String::from_utf8_lossy(&sealed);
        assert!(!text.contains("nguoi.mau") && !text.contains("12345678"));
        store.stop();
    }
}
