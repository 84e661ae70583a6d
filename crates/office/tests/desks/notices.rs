//! Who is told what, and where people are mailed.

use dancu_domain::moment::{DAY_MS, HOUR_MS, MINUTE_MS, Moment};
use dancu_domain::notices::{AccountChange, Audience, LineAt, Notice, Ordinary, Preference, Side};
use dancu_domain::people::PersonId;
use dancu_domain::people::account::Cause;
use dancu_domain::registration::ConnectionState;
use dancu_domain::service::{Service, Window};
use dancu_office::notices::contact::{self, APART_MS, Bounced, CODE_MS, CODES_A_DAY};
use dancu_office::notices::watch::Watch;
use dancu_office::notices::{Read, mark_read, spread};
use dancu_office::{Refused, news, states};
use dancu_store::desks::News;
use dancu_store::notices::{self, BOUNCE_KEPT_MS, CODE, Contact};
use dancu_store::people;

use super::world::*;

async fn hand_out(world: &World) -> usize {
    spread::spread(&world.store, clock()).await.unwrap()
}

async fn told(world: &World, person: PersonId) -> Vec<(Notice, Side)> {
    let inbox = world.store.notices().inbox(person, i64::MAX).await.unwrap();
    inbox.into_iter().rev().map(|l| (l.notice, l.side)).collect()
}

async fn mailed(world: &World, person: PersonId, ordinary: Ordinary) {
    world
        .change(move |tx, keys| {
            let contact = Contact {
                address: Some("nguoi.mau@dancu.example.vn".into()),
                preference: Preference { ordinary, ..Preference::default() },
                ..Contact::default()
            };
            notices::save_contact(tx, keys, person, &contact)
        })
        .await;
}

/// Everything that waits, with the time at which it is due.
async fn mail(world: &World) -> Vec<(PersonId, bool, i64)> {
    let all = world.store.notices().due_mail(clock().plus_ms(7 * DAY_MS)).await.unwrap();
    all.iter().map(|job| (job.person, job.daily, job.due.0 - job.made.0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_d6_a_lock_is_told_to_the_officer_and_the_head_and_mailed_at_once() {
    for world in World::both("notices-lock").await {
        mailed(&world, OFFICER, Ordinary::Never).await;
        let (snapshot, by) = (world.snapshot(), actor(FIRST));
        states::lock_account(&desk(&world, &snapshot, &by), ACCOUNT).await.unwrap();
        assert_eq!(told(&world, OFFICER).await, [], "it is handed out afterwards");
        assert_eq!(hand_out(&world).await, 1);
        let locked = Notice::Account(AccountChange::Locked);
        assert_eq!(told(&world, OFFICER).await, [(locked.clone(), Side::Person)]);
        assert_eq!(told(&world, HEAD).await, [(locked, Side::Head)]);
        for other in [FIRST, SECOND, AUDITOR] {
            assert_eq!(told(&world, other).await, []);
        }
        let mail = mail(&world).await;
        assert!(matches!(mail[..], [(OFFICER, false, _)]), "the head gave no address: {mail:?}");
        assert_eq!(hand_out(&world).await, 0, "once");
        assert_eq!(world.store.notices().unread(OFFICER).await.unwrap(), 1);
        let id = world.store.notices().inbox(OFFICER, i64::MAX).await.unwrap()[0].id;
        mark_read((&world.store, clock()), OFFICER, Read::One(id)).await.unwrap();
        assert_eq!(world.store.notices().unread(OFFICER).await.unwrap(), 0);
        assert_eq!(world.store.notices().unread(HEAD).await.unwrap(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_waits_a_day_and_holds_nothing_up() {
    for world in World::both("notices-unread").await {
        let notice = |title: &str| Notice::Announced { title: title.into(), incident: false };
        let (one, two) = (notice("một"), notice("hai"));
        let to = [Audience::Person(OFFICER)];
        world
            .change(move |tx, keys| {
                notices::insert(tx, keys, clock(), None, (&to, &one))?;
                let spoil = "UPDATE notice SET sealed = mark";
                let mark = "UPDATE notice SET mark = $1";
                tx.execute(mark, dancu_store::values![Some([7_u8; 16])])?;
                tx.execute(spoil, &[])?;
                notices::insert(tx, keys, clock(), None, (&to, &two)).map(drop)
            })
            .await;
        assert_eq!(hand_out(&world).await, 1);
        assert_eq!(told(&world, OFFICER).await, [(notice("hai"), Side::Person)]);
        let waiting = async || world.store.notices().to_spread(0).await.unwrap().len();
        assert_eq!(waiting().await, 1, "a newer program may read it");
        let late = clock().plus_ms(DAY_MS + 1);
        assert_eq!(spread::spread(&world.store, late).await.unwrap(), 0);
        assert_eq!(waiting().await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e3_who_is_suspended_is_told_of_the_own_account_alone() {
    for world in World::both("notices-suspended").await {
        world
            .change(|tx, keys| {
                let mut head = people::by_id(tx, keys, HEAD)?.unwrap();
                head.account = head.account.suspend(Cause::Centre).unwrap();
                people::save(tx, keys, &head)?;
                let own = Notice::Account(AccountChange::Suspended);
                notices::insert(tx, keys, clock(), None, (&[Audience::Person(HEAD)], &own))?;
                let unit = Audience::Heads(head.unit, None);
                let other = Notice::MailFailing { own: false };
                notices::insert(tx, keys, clock(), None, (&[unit], &other)).map(drop)
            })
            .await;
        assert_eq!(hand_out(&world).await, 2);
        let own = Notice::Account(AccountChange::Suspended);
        assert_eq!(told(&world, HEAD).await, [(own, Side::Person)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_locked_is_told_to_all_but_who_did_it() {
    for world in World::both("notices-connection").await {
        let (snapshot, by) = (world.snapshot(), actor(FIRST));
        states::lock_connection(&desk(&world, &snapshot, &by)).await.unwrap();
        hand_out(&world).await;
        let system = snapshot.by_id(SYSTEM).unwrap().code.clone();
        let locked = Notice::Connection { system, locked: true };
        // The head is told of the notice in writing too.
        let head = told(&world, HEAD).await;
        assert!(head.len() == 2 && head.contains(&(locked.clone(), Side::Head)), "{head:?}");
        let written = |notice: &Notice| matches!(notice, Notice::DossierStep { .. });
        assert!(head.iter().any(|(notice, _)| written(notice)), "{head:?}");
        assert_eq!(told(&world, SECOND).await, [(locked, Side::Operator)]);
        assert_eq!(told(&world, FIRST).await, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_centre_announces_is_told_to_everybody_and_waits_for_the_day() {
    for world in World::both("notices-news").await {
        mailed(&world, OFFICER, Ordinary::Digest).await;
        mailed(&world, HEAD, Ordinary::Never).await;
        let draft = news::Draft {
            kind: News::Notice,
            title: "Lịch mẫu".into(),
            text: "Nghỉ.".into(),
            from: None,
            to: None,
        };
        news::publish((&world.store, clock()), &actor(FIRST), &draft).await.unwrap();
        hand_out(&world).await;
        for person in [HEAD, FIRST, OFFICER, AUDITOR] {
            assert_eq!(told(&world, person).await.len(), 1, "{person:?}");
        }
        let mail = mail(&world).await;
        assert!(matches!(mail[..], [(OFFICER, true, _)]), "{mail:?}");
        assert!((0..=DAY_MS).contains(&mail[0].2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_d2_ends_and_warnings_are_found_by_looking_once() {
    for world in World::both("notices-watch").await {
        let snapshot = world.snapshot();
        let now = clock();
        let mut system = (**snapshot.by_id(SYSTEM).unwrap()).clone();
        assert_eq!(system.state, ConnectionState::Live);
        let until = now.plus_ms(10 * DAY_MS);
        let facts = dancu_domain::credentials::CredentialFacts {
            number: 4,
            until: Some(until),
            ..Default::default()
        };
        system.facts.soap.push(facts);
        let grant = system.services.iter_mut().flatten().next().unwrap();
        let line = grant.lines[0].as_mut().unwrap();
        let to = now.plus_ms(HOUR_MS);
        let raise = dancu_domain::registration::Raise {
            extra: 5,
            approved_at: now.plus_ms(-HOUR_MS),
            from: now.plus_ms(-HOUR_MS),
            to,
        };
        line.raises.push(raise);
        let snapshot = dancu_domain::registration::Snapshot::new(snapshot.epoch, vec![system]);
        let (mut one, mut another) = (Watch::default(), Watch::default());
        assert_eq!(one.look(&world.store, &snapshot, now).await.unwrap(), 2);
        assert_eq!(one.look(&world.store, &snapshot, now).await.unwrap(), 0);
        another.look(&world.store, &snapshot, now).await.unwrap();
        assert_eq!(hand_out(&world).await, 2, "another node finds what was told");
        let at = LineAt {
            system: snapshot.by_id(SYSTEM).unwrap().code.clone(),
            service: Service::CitizenVerify,
            window: Window::InHours,
        };
        let system = at.system.clone();
        let expected = [
            (Notice::RaiseEnding { line: at, to }, Side::Head),
            (Notice::CredentialEnding { system, number: 4, until }, Side::Head),
        ];
        assert_eq!(told(&world, HEAD).await, expected);
        // Nearer to its end it is told once more.
        let late = now.plus_ms(8 * DAY_MS);
        assert_eq!(one.look(&world.store, &snapshot, late).await.unwrap(), 1);
    }
}

fn field(refused: &Refused) -> &'static str {
    match refused {
        Refused::Field { field, .. } => field,
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_used_once_its_code_came_back() {
    const ADDRESS: &str = "can.bo.mau@dancu.example.vn";
    for world in World::both("notices-contact").await {
        let (now, by) = (clock(), actor(OFFICER));
        let at = |ms| (&world.store, Moment(now.0 + ms));
        let contact = async || world.store.notices().contact(OFFICER).await.unwrap();
        let none = contact::ask(at(0), &by, "a@b\r\nBcc: c@d.vn").await.unwrap_err();
        assert_eq!(field(&none), "address");
        contact::ask(at(0), &by, ADDRESS).await.unwrap();
        assert!(!world.last_act().detail.contains('@'), "no address in the journal");
        let code = contact().await.pending.unwrap().code;
        assert!(code.len() == 8 && code.bytes().all(|b| b.is_ascii_digit()));
        let soon = contact::ask(at(1), &by, ADDRESS).await.unwrap_err();
        assert_eq!(field(&soon), "address");
        let jobs = world.store.notices().due_mail(now).await.unwrap();
        assert_eq!(jobs.iter().map(|j| j.notice).collect::<Vec<_>>(), [CODE]);
        for _ in 0..notices::CODE_TRIES {
            assert_eq!(field(&contact::confirm(at(2), &by, "x").await.unwrap_err()), "code");
        }
        let over = contact::confirm(at(2), &by, &code).await.unwrap_err();
        assert_eq!(field(&over), "code", "wrong too often");
        assert_eq!(contact().await.address, None);
        let again = APART_MS + MINUTE_MS;
        contact::ask(at(again), &by, ADDRESS).await.unwrap();
        let code = contact().await.pending.unwrap().code;
        let late = contact::confirm(at(again + CODE_MS), &by, &code).await.unwrap_err();
        assert_eq!(field(&late), "code", "it has ended");
        contact::confirm(at(again + CODE_MS - 1), &by, &code).await.unwrap();
        assert_eq!(contact().await.address.as_deref(), Some(ADDRESS));

        // A bounce marks it, once, and only for the address that it names.
        let code = world.store.notices().due_mail(now.plus_ms(DAY_MS)).await.unwrap()[0].id;
        assert_eq!(contact::bounced(at(0), code, None).await.unwrap(), Bounced::Unknown);
        let since = Moment(now.0 + again + CODE_MS);
        world
            .change(move |tx, _| {
                // Due before the address was confirmed: it went to the one before.
                notices::enqueue(tx, (OFFICER, 1), false, (now, now))?;
                notices::enqueue(tx, (OFFICER, 1), false, (now, since))
            })
            .await;
        let jobs = world.store.notices().due_mail(since).await.unwrap();
        let of_notice = |due| jobs.iter().find(|j| j.notice == 1 && j.due == due).unwrap().id;
        let (old, job) = (of_notice(now), of_notice(since));
        assert_eq!(contact::bounced(at(0), old, None).await.unwrap(), Bounced::Known);
        let other = Some("nguoi.khac@dancu.example.vn");
        assert_eq!(contact::bounced(at(0), job, other).await.unwrap(), Bounced::Known);
        assert_eq!(contact::bounced(at(0), 999, None).await.unwrap(), Bounced::Unknown);
        let marked = contact::bounced(at(0), job, Some("CAN.BO.MAU@dancu.example.vn")).await;
        assert_eq!(marked.unwrap(), Bounced::Marked);
        assert_eq!(contact::bounced(at(0), job, None).await.unwrap(), Bounced::Known);
        assert!(contact().await.failing.is_some());
        hand_out(&world).await;
        let own = (Notice::MailFailing { own: true }, Side::Person);
        assert_eq!(told(&world, OFFICER).await, [own]);
        assert_eq!(told(&world, HEAD).await, [(Notice::MailFailing { own: false }, Side::Head)]);
        contact::remove(at(again), &by).await.unwrap();
        assert_eq!(contact().await.address, None);
        // Who forgets an address mails no more codes by it.
        assert_eq!(field(&contact::ask(at(again), &by, ADDRESS).await.unwrap_err()), "address");
        let another = "can.bo.khac@dancu.example.vn";
        for n in 2..CODES_A_DAY as i64 {
            contact::ask(at(again + n * MINUTE_MS), &by, another).await.unwrap();
        }
        let many = contact::ask(at(again + DAY_MS / 2), &by, another).await.unwrap_err();
        assert_eq!(field(&many), "address", "nobody's box is filled from here");
        contact::ask(at(again + 2 * DAY_MS), &by, another).await.unwrap();
        // Nor for anybody else is the address tried that came back, until a week has gone.
        let head = actor(HEAD);
        let capital = "Can.Bo.Mau@DANCU.example.vn";
        let back = contact::ask(at(again + DAY_MS), &head, capital).await.unwrap_err();
        assert!(back.to_string().contains("bị trả lại"), "{back}");
        assert_eq!(field(&back), "address");
        contact::ask(at(again + BOUNCE_KEPT_MS), &head, ADDRESS).await.unwrap();
    }
}
