//! Raises that heads ask for (D8).

use dancu_domain::ids::LineId;
use dancu_domain::moment::DAY_MS;
use dancu_domain::people::PersonId;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::registration::Line;
use dancu_journal::{Act, Body};
use dancu_office::Refused;
use dancu_office::act::Place;
use dancu_office::raises::{self, Decided};
use dancu_store::desks::{self, RaiseRequest, RequestState};

use super::world::*;

async fn asked(world: &World, extra: u32, by: PersonId) -> i64 {
    let now = clock();
    let request = RaiseRequest {
        id: 0,
        system: SYSTEM,
        line: LineId(1),
        extra,
        from: now.plus_ms(-DAY_MS),
        to: now.plus_ms(DAY_MS),
        reason: "Tuyển sinh đầu cấp".into(),
        asked_by: by,
        asked_at: now,
        state: RequestState::Waiting,
        approvals: vec![],
        decided_at: None,
        answer: String::new(),
    };
    let keys = world.store.keys().clone();
    let made = world.store.ledger().note(now, move |tx| {
        desks::insert_raise_request(tx, &keys, &request)?;
        let (kind, actor) = ("line.raiseAsked".into(), "thutruong.mau".into());
        Ok(Body::Act(Act { kind, actor, system: 1, detail: String::new() }))
    });
    made.await.unwrap();
    let all = world.store.desks().raise_requests(waiting(), 100).await.unwrap();
    all.iter().map(|r| r.id).max().unwrap()
}

/// From the first one on.
fn waiting() -> desks::Requests {
    desks::Requests::Waiting { now: clock(), after: 0 }
}

async fn approve(world: &World, by: PersonId, id: i64) -> Result<Decided, Refused> {
    let (snapshot, by) = (world.snapshot(), actor(by));
    let desk = desk(world, &snapshot, &by);
    raises::approve(&desk, &place(desk.system), id).await.map(|(_, decided)| decided)
}

fn reason(refused: Result<Decided, Refused>) -> PortalReason {
    match refused.unwrap_err() {
        Refused::Reason(reason) => reason,
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_d8_one_operator_grants_and_never_the_asker() {
    for world in World::both("granted").await {
        let id = asked(&world, 60, FIRST).await;
        assert_eq!(reason(approve(&world, FIRST, id).await), PortalReason::OwnRequest);
        assert_eq!(world.limit(), DAILY);
        assert_eq!(approve(&world, SECOND, id).await.unwrap(), Decided::InForce);
        assert_eq!(world.limit(), 160, "in force at once");
        let act = world.last_act();
        assert_eq!(
            (act.kind.as_str(), act.actor.as_str(), act.system),
            ("line.raise", "vanhanh2.mau", 1)
        );
        assert!(
            act.detail.contains("citizen.verify inHours +60")
                && act.detail.contains(&format!("#{id}"))
        );
        assert_eq!(reason(approve(&world, SECOND, id).await), PortalReason::AlreadyDecided);
        let request = world.store.desks().raise_request(id).await.unwrap().unwrap();
        assert_eq!((request.state, request.approvals.len()), (RequestState::Granted, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_d8_above_the_factor_two_operators_grant() {
    for world in World::both("two").await {
        let id = asked(&world, DAILY + 1, HEAD).await;
        assert_eq!(approve(&world, FIRST, id).await.unwrap(), Decided::FirstOfTwo);
        assert_eq!(world.limit(), DAILY);
        assert_eq!(reason(approve(&world, FIRST, id).await), PortalReason::SameApprover);
        // Both at once: one is the second, the other too late.
        let (one, two) = tokio::join!(approve(&world, SECOND, id), approve(&world, INSIDER, id));
        assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1, "{one:?} {two:?}");
        assert_eq!(world.limit(), 2 * DAILY + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_says_why_and_stays_refused() {
    for world in World::both("refused").await {
        let id = asked(&world, 60, HEAD).await;
        let (snapshot, head, by) = (world.snapshot(), actor(HEAD), actor(FIRST));
        let here = place(snapshot.by_id(SYSTEM).unwrap());
        let line = Line { id: LineId(2), ..here.line.clone() };
        let elsewhere = Place { line: &line, ..here };
        let own = raises::refuse(&desk(&world, &snapshot, &head), &here, id).await;
        assert!(matches!(own, Err(Refused::Reason(PortalReason::OwnRequest))));
        let other = raises::refuse(&desk(&world, &snapshot, &by), &elsewhere, id).await;
        assert!(matches!(other, Err(Refused::Gone)), "of another line");
        let before = world.store.ledger().next_index();
        raises::refuse(&desk(&world, &snapshot, &by), &here, id).await.unwrap();
        assert_eq!(world.store.ledger().next_index(), before + 1, "refusals above left no entry");
        let request = world.store.desks().raise_request(id).await.unwrap().unwrap();
        assert_eq!((request.state, request.answer.as_str()), (RequestState::Refused, "cao điểm"));
        assert_eq!(reason(approve(&world, SECOND, id).await), PortalReason::AlreadyDecided);
        assert_eq!(world.limit(), DAILY);
    }
}
