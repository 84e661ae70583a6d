//! Whose turn it is with a dossier, accounts near their average, and boxes that are not filled
//! (B3, D2).

use dancu_domain::dossier::{Item, Remark};
use dancu_domain::ids::LineId;
use dancu_domain::lines::{LineDay, Row};
use dancu_domain::moment::DAY_MS;
use dancu_domain::notices::{
    AccountChange, Audience, DossierDeed, MAILS_A_DAY, Notice, Ordinary, Preference, Side,
};
use dancu_domain::people::PersonId;
use dancu_domain::people::grants::{Grant, Grants, Scope};
use dancu_domain::people::roles::Role;
use dancu_domain::registration::{Account, AccountList, DateRange, Snapshot};
use dancu_domain::service::{Service, ServiceSet, Window};
use dancu_journal::{Act, Body};
use dancu_office::dossiers::{live, review};
use dancu_office::notices::spread;
use dancu_office::notices::watch::Watch;
use dancu_store::notices::{self, Contact};
use dancu_store::people;

use super::dossiers::{Walk, content};
use super::world::*;

async fn told(world: &World, person: PersonId) -> Vec<(Notice, Side)> {
    spread::spread(&world.store, clock()).await.unwrap();
    let inbox = world.store.notices().inbox(person, i64::MAX).await.unwrap();
    inbox.into_iter().rev().map(|l| (l.notice, l.side)).collect()
}

async fn deeds(world: &World, person: PersonId) -> Vec<DossierDeed> {
    let told = told(world, person).await;
    let deeds = told.into_iter().filter_map(|(notice, _)| match notice {
        Notice::Dossier { deed, .. } => Some(deed),
        _ => None,
    });
    deeds.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b3_each_step_of_a_dossier_tells_whose_turn_it_is() {
    for world in World::both("notices-turns").await {
        world
            .change(|tx, keys| {
                let mut reviewer = people::by_id(tx, keys, INSIDER)?.unwrap();
                let range = DateRange::default();
                let grant = Grant::new(Role::DossierReviewer, Scope::All, range, None).unwrap();
                reviewer.grants = Grants::default().with(grant).unwrap();
                people::save(tx, keys, &reviewer)
            })
            .await;
        let mut walk = Walk::submitted(&world, content()).await;
        assert_eq!(deeds(&world, INSIDER).await, [DossierDeed::Submitted]);
        assert_eq!(deeds(&world, HEAD).await, [], "the head did it");
        let remark = Remark { item: Item::Purpose, row: None, text: "Nói rõ hơn".into() };
        let ask =
            walk.centre(FIRST, async |desk, at| review::ask_changes(&desk, at, vec![remark]).await);
        ask.await.unwrap();
        assert_eq!(deeds(&world, HEAD).await, [DossierDeed::ChangesAsked]);
        let answer = walk
            .head(async |desk, at| dancu_office::dossiers::answer(&desk, at, 0, "Đã sửa").await);
        answer.await.unwrap();
        let submit =
            walk.head(async |desk, at| dancu_office::dossiers::submit(&desk, at, false).await);
        submit.await.unwrap();
        let resolve = walk.centre(FIRST, async |desk, at| review::resolve(&desk, at, 0).await);
        resolve.await.unwrap();
        walk.work().await;
        walk.centre(FIRST, async |desk, at| review::approve(&desk, at).await).await.unwrap();
        walk.centre(SECOND, async |desk, at| live::go_live(&desk, at).await).await.unwrap();
        let reviewed = [DossierDeed::Submitted, DossierDeed::Submitted, DossierDeed::StepsClosed];
        assert_eq!(deeds(&world, INSIDER).await, reviewed);
        let unit = [
            DossierDeed::ChangesAsked,
            DossierDeed::Accepted,
            DossierDeed::Approved,
            DossierDeed::Live,
        ];
        assert_eq!(deeds(&world, HEAD).await, unit);
        assert_eq!(deeds(&world, SECOND).await, [DossierDeed::Approved]);
        assert_eq!(deeds(&world, FIRST).await, [], "who approved knows it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_is_not_filled_but_what_stops_work_is_mailed_all_the_same() {
    for world in World::both("notices-many").await {
        world
            .change(|tx, keys| {
                let contact = Contact {
                    address: Some("nguoi.mau@dancu.example.vn".into()),
                    preference: Preference { ordinary: Ordinary::Never, ..Preference::default() },
                    ..Contact::default()
                };
                notices::save_contact(tx, keys, OFFICER, &contact)?;
                let to = [Audience::Person(OFFICER)];
                let incident = Notice::Announced { title: "Sự cố".into(), incident: true };
                for _ in 0..MAILS_A_DAY + 2 {
                    notices::insert(tx, keys, clock(), None, (&to, &incident))?;
                }
                let locked = Notice::Account(AccountChange::Locked);
                notices::insert(tx, keys, clock(), None, (&to, &locked)).map(drop)
            })
            .await;
        spread::spread(&world.store, clock()).await.unwrap();
        let all = world.store.notices().due_mail(clock().plus_ms(2 * DAY_MS)).await.unwrap();
        let daily = all.iter().filter(|job| job.daily).count();
        assert_eq!((all.len() - daily, daily), (MAILS_A_DAY as usize + 1, 2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_d2_an_account_near_its_average_is_told_to_officer_and_head() {
    for world in World::both("notices-count").await {
        let (now, snapshot) = (clock(), world.snapshot());
        let day = world.store.profiles().at(now).hours.duty(now).day;
        let mut watch = Watch::default();
        for (used, percent) in [(7_u32, None), (8, Some(80)), (9, None), (11, Some(100_u8))] {
            let counted = world.store.ledger().act(now, move |_, lines| {
                lines.lines().take_over([Row::Account(ACCOUNT, day, used)]);
                let (kind, actor) = ("test".into(), "dancu".into());
                Ok(Body::Act(Act { kind, actor, system: 0, detail: String::new() }))
            });
            counted.await.unwrap();
            let found = watch.look(&world.store, &snapshot, now).await.unwrap();
            assert_eq!(found, usize::from(percent.is_some()), "{used}");
        }
        let system = snapshot.by_id(SYSTEM).unwrap().code.clone();
        let warned = |percent| Notice::AccountWarned { system: system.clone(), percent };
        let of = |side| [(warned(80), side), (warned(100), side)];
        assert_eq!(told(&world, OFFICER).await, of(Side::Person));
        assert_eq!(told(&world, HEAD).await, of(Side::Head));
        assert_eq!(told(&world, FIRST).await, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_d3_the_first_exceedance_is_told_to_the_officers_who_asked_today() {
    for world in World::both("notices-exceeded").await {
        let now = clock();
        let day = world.store.profiles().at(now).hours.duty(now).day;
        let mut system = (**world.snapshot().by_id(SYSTEM).unwrap()).clone();
        let account = system.accounts.by_id(ACCOUNT).unwrap().clone();
        let services = ServiceSet::of(&[Service::CitizenVerify]);
        system.accounts = AccountList::new(vec![Account { services, ..account }]);
        let snapshot = Snapshot::new(world.snapshot().epoch, vec![system]);
        let counted = world.store.ledger().act(now, move |_, lines| {
            let exceeded = LineDay {
                used: DAILY,
                refused: 1,
                exceedances: 1,
                exceeded_at: Some(now),
                episode_at: Some(now),
                ..LineDay::default()
            };
            lines.lines().take_over([
                Row::Account(ACCOUNT, day, 1),
                Row::Line(LineId(1), SYSTEM, Window::InHours, day, exceeded),
            ]);
            let (kind, actor) = ("test".into(), "dancu".into());
            Ok(Body::Act(Act { kind, actor, system: 0, detail: String::new() }))
        });
        counted.await.unwrap();
        Watch::default().look(&world.store, &snapshot, now).await.unwrap();
        let of = |told: Vec<(Notice, Side)>| {
            let exceeded = |(notice, side): (Notice, Side)| match notice {
                Notice::LineExceeded { count, .. } => Some((count, side)),
                _ => None,
            };
            told.into_iter().find_map(exceeded)
        };
        assert_eq!(of(told(&world, OFFICER).await), Some((DAILY, Side::Person)));
        assert_eq!(of(told(&world, HEAD).await), Some((DAILY, Side::Head)));
        assert_eq!(of(told(&world, FIRST).await), Some((DAILY, Side::Operator)));
        assert_eq!(of(told(&world, AUDITOR).await), None);
    }
}
