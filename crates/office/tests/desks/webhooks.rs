//! Webhooks of a system on both engines: what integrators do, and what becomes of what is sent.

use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::notices::{Notice, RETRY_FOR_MS, Side};
use dancu_domain::registration::ConnectionState;
use dancu_domain::webhooks::{
    Cause, Event, Kind, Kinds, OVERLAP_MS, Outcome, Policy, Subject, TOLD_AFTER_MS,
};
use dancu_office::credentials::Desk;
use dancu_office::notices::spread;
use dancu_office::webhooks::{self, Issued};
use dancu_office::{Refused, states};
use dancu_store::Error;
use dancu_store::webhooks::{Ended, State, Tried, Webhook};

use crate::world::*;

const ADDRESS: &str = "https://webhook.coquan.example.vn/rieng";
const DOWN: Outcome = Outcome::Failed(Cause::Connection);

/// Does something at the desk of the system's integrator.
async fn at<T>(
    world: &World,
    now: Moment,
    act: impl AsyncFnOnce(&Desk<'_>) -> Result<T, Refused>,
) -> Result<T, Refused> {
    let (snapshot, by) = (world.snapshot(), actor(HEAD));
    let system = snapshot.by_id(SYSTEM).unwrap();
    act(&Desk { store: &world.store, system, now, actor: &by }).await
}

async fn add(world: &World, address: &str, kinds: Kinds) -> Result<Issued, Refused> {
    let policy = Policy::default();
    let added = at(world, clock(), async |desk| webhooks::add(desk, &policy, address, kinds).await);
    added.await.map(|(_, issued)| issued)
}

async fn one(world: &World, id: i64) -> Webhook {
    world.store.webhooks().by_id(id).await.unwrap().unwrap()
}

fn field<T: std::fmt::Debug>(result: Result<T, Refused>) -> &'static str {
    match result {
        Err(Refused::Field { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

/// A try of what is due first, at a moment.
async fn tried(world: &World, id: i64, outcome: Outcome, now: Moment) {
    let due = world.store.webhooks().first_due(id, now).await.unwrap().unwrap();
    webhooks::settle(&world.store, Tried { due, outcome, ms: 3, at: now }).await.unwrap();
}

async fn told(world: &World, now: Moment) -> Vec<Notice> {
    let waiting = world.store.notices().to_spread(0).await.unwrap();
    let told = waiting.into_iter().filter_map(|(.., told)| told.map(|told| told.notice)).collect();
    spread::spread(&world.store, now).await.unwrap();
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integrator_registers_changes_and_removes_under_the_journal() {
    for world in World::both("webhooks").await {
        let issued = add(&world, &format!(" {ADDRESS} "), Kinds::EVERY).await.unwrap();
        let hook = one(&world, issued.id).await;
        assert_eq!((hook.sealed.address.as_str(), hook.state), (ADDRESS, State::InUse));
        assert_eq!(hook.sealed.secret, issued.secret);
        let entry = world.last_act();
        assert_eq!(entry.kind, "webhook.added");
        assert!(entry.detail.ends_with("#1 webhook.coquan.example.vn"), "{}", entry.detail);
        for wrong in ["ftp://x.vn/", "http://169.254.169.254/", "https://u:p@x.vn/", ADDRESS] {
            assert_eq!(field(add(&world, wrong, Kinds::EVERY).await), "address", "{wrong}");
        }
        assert_eq!(field(add(&world, "https://x.vn/", Kinds::of(&[])).await), "kinds");
        for host in ["a.vn", "b.vn"] {
            let only = Kinds::of(&[Kind::LineLocked]);
            add(&world, &format!("https://{host}/"), only).await.unwrap();
        }
        let many = add(&world, "https://c.vn/", Kinds::EVERY).await;
        assert_eq!(field(many), "address", "three of a system");

        let later = clock().plus_ms(60_000);
        let renewed = at(&world, later, async |desk| webhooks::renew_secret(desk, 1).await);
        let (_, renewed) = renewed.await.unwrap();
        let hook = one(&world, 1).await;
        assert_ne!(renewed.secret, issued.secret);
        let before = Some((issued.secret, later.plus_ms(OVERLAP_MS)));
        assert_eq!((&hook.sealed.secret, &hook.sealed.before), (&renewed.secret, &before));
        assert!(!world.last_act().detail.contains("rieng"), "its path is in no entry");

        at(&world, later, async |desk| webhooks::pause(desk, 1).await).await.unwrap();
        let twice = at(&world, later, async |desk| webhooks::pause(desk, 1).await).await;
        assert!(matches!(twice, Err(Refused::Gone)));
        let test = at(&world, later, async |desk| webhooks::test(desk, 1).await).await;
        assert_eq!(field(test), "test", "paused");
        at(&world, later, async |desk| webhooks::resume(desk, 1).await).await.unwrap();
        at(&world, later, async |desk| webhooks::test(desk, 1).await).await.unwrap();
        assert_eq!(world.last_act().kind, "webhook.tested");
        let again = at(&world, later, async |desk| webhooks::test(desk, 1).await).await;
        assert_eq!(field(again), "test", "one at a time");
        at(&world, later, async |desk| webhooks::remove(desk, 1).await).await.unwrap();
        assert_eq!(world.store.webhooks().waiting().await.unwrap(), 0, "what waited is dropped");
        let gone = at(&world, later, async |desk| webhooks::remove(desk, 1).await).await;
        assert!(matches!(gone, Err(Refused::Gone)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_told_to_people_and_to_their_software_with_them() {
    for world in World::both("webhooks-lock").await {
        add(&world, ADDRESS, Kinds::EVERY).await.unwrap();
        add(&world, "https://a.vn/", Kinds::of(&[Kind::ListChanged])).await.unwrap();
        let (snapshot, by) = (world.snapshot(), actor(FIRST));

        states::lock_connection(&desk(&world, &snapshot, &by)).await.unwrap();
        spread::spread(&world.store, clock()).await.unwrap();
        spread::spread(&world.store, clock()).await.unwrap();
        let due = world.store.webhooks().due(clock()).await.unwrap();
        assert_eq!(due, [(1, false)], "the other is told of lists alone");
        let first = world.store.webhooks().first_due(1, clock()).await.unwrap().unwrap();
        assert_eq!(first.kind, Kind::ConnectionLocked);
        let notice = world.store.notices().notice(first.notice.unwrap()).await.unwrap().unwrap();
        let event = Event::of(&notice.notice).unwrap();
        assert!(matches!(event.subject, Subject::System(code) if code.as_str() == "MAU"));
        tried(&world, 1, Outcome::Status(204), clock()).await;
        let sent = world.store.webhooks().deliveries(1).await.unwrap();
        assert_eq!(sent[0].ended, Some(Ended::Delivered));
        let next =
            at(&world, clock(), async |desk| webhooks::send_again(desk, 2, sent[0].id).await);
        assert!(matches!(next.await, Err(Refused::Gone)), "of another address");
        at(&world, clock(), async |desk| webhooks::send_again(desk, 1, sent[0].id).await)
            .await
            .unwrap();
        let again = world.store.webhooks().first_due(1, clock()).await.unwrap().unwrap();
        assert_eq!((again.id, again.made), (first.id, first.made), "under the same id");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn integrators_are_told_after_a_day_and_it_is_off_after_a_week() {
    for world in World::both("webhooks-down").await {
        add(&world, ADDRESS, Kinds::EVERY).await.unwrap();
        let (start, test) = (clock(), async |now| {
            at(&world, now, async |desk| webhooks::test(desk, 1).await).await
        });
        test(start).await.unwrap();
        tried(&world, 1, DOWN, start).await;
        let hook = one(&world, 1).await;
        assert_eq!((hook.health.failing, hook.health.failures), (Some(start), 1));
        assert!(world.store.webhooks().due(start).await.unwrap().is_empty(), "it rests");
        assert_eq!(told(&world, start).await, []);
        // A day later, and once.
        let day = start.plus_ms(TOLD_AFTER_MS);
        tried(&world, 1, DOWN, day).await;
        let system = || world.snapshot().by_id(SYSTEM).unwrap().code.clone();
        let notice = |off| Notice::WebhookFailing { system: system(), off };
        assert_eq!(told(&world, day).await, [notice(false)]);
        let more = day.plus_ms(DAY_MS);
        tried(&world, 1, DOWN, more).await;
        assert_eq!(told(&world, more).await, []);
        // Eight days: off, by the journal too, and nothing waits any more.
        let end = start.plus_ms(RETRY_FOR_MS);
        tried(&world, 1, DOWN, end).await;
        let hook = one(&world, 1).await;
        assert_eq!(hook.state, State::Off);
        assert_eq!(world.last_act().kind, "webhook.off");
        assert_eq!(told(&world, end).await, [notice(true)]);
        assert_eq!(notice(true).link(Side::Integrator), "/integrator/MAU/webhooks");
        assert_eq!(world.store.webhooks().waiting().await.unwrap(), 0);
        // Resumed it begins anew; a receiver that says that it is gone is off at once.
        at(&world, end, async |desk| webhooks::resume(desk, 1).await).await.unwrap();
        let now = end.plus_ms(60_000);
        test(now).await.unwrap();
        tried(&world, 1, Outcome::Status(410), now).await;
        assert_eq!(one(&world, 1).await.state, State::Off);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_connection_registers_nothing() {
    for world in World::both("webhooks-closed").await {
        let (snapshot, by) = (world.snapshot(), actor(FIRST));
        let closed = ConnectionState::Closed;
        states::connection(&desk(&world, &snapshot, &by), closed).await.unwrap();
        let refused = add(&world, ADDRESS, Kinds::EVERY).await;
        assert!(matches!(refused, Err(Refused::Store(Error::Final(_)))));
    }
}
