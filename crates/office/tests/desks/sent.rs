//! Account lists that a system sends of itself (B6, E1, E3).

use std::collections::HashSet;

use dancu_domain::notices::Notice;
use dancu_domain::people::grants::{Grant, Grants, Scope};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::roles::Role;
use dancu_domain::registration::{AccountState, DateRange};
use dancu_domain::service::{Service, ServiceSet};
use dancu_office::Refused;
use dancu_office::officers::sent::{self, Approval, Difference, Sent};
use dancu_store::desks::{AccountChanges, ChangesState, SentRow};
use dancu_store::people;

use super::officers::Place;
use super::world::*;

fn row(login: &str, id: &str, daily: &str) -> SentRow {
    let cells = [login, "Trần Thị Thử", id, "", "0900000000", daily];
    SentRow {
        cells: cells.map(str::to_owned).into(),
        role: "Tiếp nhận hồ sơ".into(),
        purpose: "Giải quyết thủ tục".into(),
    }
}

async fn send(world: &World, rows: Vec<SentRow>) -> Sent {
    let snapshot = world.snapshot();
    let system = snapshot.by_id(SYSTEM).unwrap();
    sent::send((&world.store, clock()), system, rows).await.unwrap()
}

async fn waits(world: &World, rows: Vec<SentRow>) -> (AccountChanges, Difference) {
    match send(world, rows).await {
        Sent::Waits(changes, difference) => (changes, difference),
        other => panic!("{other:?}"),
    }
}

fn all(changes: &AccountChanges, difference: &Difference) -> Approval {
    Approval {
        rows: (1..).zip(&changes.rows).map(|(line, _)| line).collect(),
        revoked: difference.missing.iter().map(|k| k.account.id).collect(),
        services: ServiceSet::of(&[Service::CitizenVerify]),
        over: difference.over,
        takes_most: false,
    }
}

async fn approve(world: &World, id: i64, approval: Approval) -> Result<(), Refused> {
    let place = Place::new(&world.store, HEAD);
    sent::approve(&place.desk(&world.store), id, approval).await.map(drop)
}

fn field(refused: Result<(), Refused>) -> String {
    match refused.unwrap_err() {
        Refused::Field { vi, .. } => vi,
        other => panic!("{other}"),
    }
}

/// Logins on the list that are not revoked.
async fn listed(world: &World) -> Vec<String> {
    let list = world.store.account_list(SYSTEM).await.unwrap();
    let live = list.iter().filter(|k| k.account.state != AccountState::Revoked);
    live.map(|k| k.account.login.as_str().to_owned()).collect()
}

const NEW: (&str, &str) = ("canbo.moi1", "099301012345");

#[tokio::test(flavor = "multi_thread")]
async fn rule_e1_nothing_of_a_list_is_in_force_before_the_head_approves() {
    for world in World::both("sent").await {
        let rows = vec![row("canbo.mau", "099301011111", "25"), row(NEW.0, NEW.1, "20")];
        let (changes, difference) = waits(&world, rows.clone()).await;
        let sums = difference.sums();
        assert_eq!((sums.added, sums.changed, difference.missing.len()), (1, 1, 0));
        assert_eq!(listed(&world).await, ["canbo.mau"]);
        let act = world.last_act();
        assert_eq!((act.kind.as_str(), act.actor.as_str()), ("accounts.sent", "MAU"));
        assert!(!act.detail.contains("canbo"), "numbers, never names: {}", act.detail);
        // The same list again is the same one, and no entry.
        let next = world.store.ledger().next_index();
        assert_eq!(waits(&world, rows.clone()).await.0, changes);
        assert_eq!(world.store.ledger().next_index(), next);
        // Some rows: the second only.
        let chosen = Approval { rows: HashSet::from([2]), ..all(&changes, &difference) };
        approve(&world, changes.id, chosen.clone()).await.unwrap();
        assert_eq!(listed(&world).await, ["canbo.mau", NEW.0]);
        let list = world.store.account_list(SYSTEM).await.unwrap();
        assert_eq!((list[0].account.daily, list[1].account.daily), (10, 20));
        let kept = world.store.desks().account_changes(changes.id).await.unwrap().unwrap();
        assert_eq!((kept.state, kept.rows.len()), (ChangesState::Applied, 0), "nothing is kept");
        let again = approve(&world, changes.id, chosen).await;
        assert!(matches!(again, Err(Refused::Reason(PortalReason::AlreadyDecided))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e3_who_is_missing_is_revoked_and_most_only_when_said_twice() {
    for world in World::both("sent-missing").await {
        // Somebody with a new login for the same citizen id: the old one goes, the id is free.
        let first = waits(&world, vec![row("canbo.mau", NEW.1, "10")]).await;
        approve(&world, first.0.id, all(&first.0, &first.1)).await.unwrap();
        let (changes, difference) = waits(&world, vec![row(NEW.0, NEW.1, "20")]).await;
        assert_eq!(difference.missing.iter().map(|k| k.account.id).collect::<Vec<_>>(), [ACCOUNT]);
        assert!(difference.takes_most());
        let approval = all(&changes, &difference);
        assert!(field(approve(&world, changes.id, approval.clone()).await).contains("một nửa"));
        let kept = Approval { revoked: HashSet::new(), ..approval.clone() };
        // Without the revocation the id is still another's.
        assert!(field(approve(&world, changes.id, kept).await).contains("bỏ chọn"));
        let approval = Approval { takes_most: true, ..approval };
        approve(&world, changes.id, approval).await.unwrap();
        assert_eq!(world.account_state(), AccountState::Revoked);
        assert_eq!(listed(&world).await, [NEW.0]);
        let detail = world.last_act().detail;
        let revoked = format!("thêm 1, đổi 0, thu hồi 1; thu hồi #{}", ACCOUNT.0);
        assert!(detail.ends_with(&revoked), "{detail}");
        // The heads were told that it waited; who applied it is not told of it.
        dancu_office::notices::spread::spread(&world.store, clock()).await.unwrap();
        let inbox = world.store.notices().inbox(HEAD, i64::MAX).await.unwrap();
        let waits = inbox.iter().filter(|l| matches!(l.notice, Notice::ListWaits { .. }));
        let told = inbox.iter().filter(|l| matches!(l.notice, Notice::ListChanged { .. }));
        assert_eq!((waits.count(), told.count()), (2, 0));
        // Told to who runs the agency's own software (E3).
        let notices = world.store.desks().open_notices(SYSTEM).await.unwrap();
        assert_eq!(notices.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e4_by_a_list_nobody_revokes_themselves_or_as_deputy_the_head() {
    for world in World::both("sent-head").await {
        // The officer on the list answers for the unit too.
        for (role, by) in [(Role::Head, OFFICER), (Role::Deputy, HEAD)] {
            world
                .change(move |tx, keys| {
                    for (id, role) in [(by, role), (OFFICER, Role::Head)] {
                        let mut person = people::by_id(tx, keys, id)?.unwrap();
                        let scope = Scope::Unit(person.unit.clone());
                        let day = |year| Some(jiff::civil::date(year, 1, 1));
                        let valid = DateRange { from: day(2020), to: day(2099) };
                        let grant = Grant::new(role, scope, valid, None).unwrap();
                        person.grants = Grants::default().with(grant).unwrap();
                        people::save(tx, keys, &person)?;
                    }
                    Ok(())
                })
                .await;
            let (changes, difference) = waits(&world, vec![row(NEW.0, NEW.1, "20")]).await;
            let approval = Approval { takes_most: true, ..all(&changes, &difference) };
            let place = Place::new(&world.store, by);
            let refused = sent::approve(&place.desk(&world.store), changes.id, approval).await;
            match refused.unwrap_err() {
                Refused::Field { field, .. } => assert_eq!((role, field), (Role::Head, "act")),
                other => assert!(matches!(other, Refused::Reason(PortalReason::NoPower))),
            }
            assert_eq!(world.account_state(), AccountState::Live);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_over_an_older_one_is_compared_anew_and_a_newer_one_replaces_it() {
    for world in World::both("sent-anew").await {
        let rows = || vec![row("canbo.mau", "099301011111", "25"), row(NEW.0, NEW.1, "20")];
        let (old, before) = waits(&world, rows()).await;
        // Somebody changes the list meanwhile.
        super::officers::added(&world.store, "canbo.khac", "099301019999").await.unwrap();
        let meanwhile = approve(&world, old.id, all(&old, &before)).await;
        assert!(field(meanwhile).contains("vừa thay đổi"));
        let anew = sent::difference((&world.store, clock()), &old).await.unwrap();
        assert_eq!(anew.missing.len(), 1);
        let two = vec![row("canbo.mau", "099301011111", "30"), row(NEW.0, NEW.1, "20")];
        let (new, _) = waits(&world, two).await;
        let state =
            async |id| world.store.desks().account_changes(id).await.unwrap().unwrap().state;
        assert_eq!(
            (state(old.id).await, state(new.id).await),
            (ChangesState::Replaced, ChangesState::Waiting)
        );
        let place = Place::new(&world.store, HEAD);
        sent::refuse(&place.desk(&world.store), new.id, "chưa đúng").await.unwrap();
        assert_eq!(state(new.id).await, ChangesState::Refused);
        assert_eq!(world.last_act().kind, "accounts.changesRefused");
        // Wrong rows are told by their number, and nothing is kept.
        let next = world.store.ledger().next_index();
        let wrong = send(&world, vec![row("x", "1", "0"), row(NEW.0, NEW.1, "20")]).await;
        let Sent::Wrong(wrong) = wrong else { panic!("{wrong:?}") };
        assert_eq!((wrong.len(), wrong[0].0, wrong[0].1.len()), (1, 1, 3));
        assert_eq!(world.store.ledger().next_index(), next);
    }
}
