//! Appeals against locks (D6).

use dancu_domain::appeals::{Appeal, Clocks, Stage};
use dancu_domain::ids::{LineId, UnitCode};
use dancu_domain::lines::{LineLock, Row};
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use dancu_domain::people::reasons::PortalReason;
use dancu_journal::{Act, Body};
use dancu_office::appeals::{self, AppealDesk};
use dancu_office::locks::{self, LockKey};
use dancu_office::{Actor, Done, Refused, states};
use dancu_store::desks::appeals::Stored;

use super::world::*;

const KEY: LockKey = LockKey::Account(ACCOUNT);

async fn lock(world: &World) {
    let (snapshot, by) = (world.snapshot(), actor(FIRST));
    states::lock_account(&desk(world, &snapshot, &by), ACCOUNT).await.unwrap();
}

async fn appeal(world: &World, unit: &str, words: &str) -> Result<Done, Refused> {
    appeal_of(world, KEY, unit, words).await
}

async fn appeal_of(world: &World, key: LockKey, unit: &str, words: &str) -> Result<Done, Refused> {
    let (snapshot, by) = (world.snapshot(), actor(HEAD));
    let desk = AppealDesk { store: &world.store, snapshot: &snapshot, now: clock(), by: &by };
    appeals::appeal(&desk, &UnitCode::parse(unit).unwrap(), key, words).await
}

async fn acknowledge(world: &World, by: PersonId) -> Result<Done, Refused> {
    let (snapshot, by) = (world.snapshot(), actor(by));
    let desk = AppealDesk { store: &world.store, snapshot: &snapshot, now: clock(), by: &by };
    appeals::acknowledge(&desk, KEY).await
}

async fn stored(world: &World) -> Stored {
    world.store.desks().appeal_of(&KEY.code()).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d6_a_head_appeals_and_another_person_answers() {
    for world in World::both("appeals").await {
        let free = appeal(&world, "H26.001", "Không có khóa").await;
        assert!(matches!(free, Err(Refused::NotLocked)));
        lock(&world).await;
        let foreign = appeal(&world, "TTDL", "Không phải của đơn vị").await;
        assert!(matches!(foreign, Err(Refused::Gone)));
        let silent = appeal(&world, "H26.001", "  ").await;
        assert!(matches!(silent, Err(Refused::Field { field: "words", .. })));
        appeal(&world, "H26.001", "Cán bộ nhập tay cả ngày").await.unwrap();
        let act = world.last_act();
        assert_eq!((act.kind.as_str(), act.actor.as_str()), ("appeal.made", "thutruong.mau"));
        assert!(!act.detail.contains("nhập tay"), "what is said stays sealed: {}", act.detail);
        let again = appeal(&world, "H26.001", "Lần nữa").await;
        assert!(matches!(again, Err(Refused::Field { field: "words", .. })));
        let own = acknowledge(&world, HEAD).await;
        assert!(matches!(own, Err(Refused::Reason(PortalReason::OwnRequest))));
        acknowledge(&world, FIRST).await.unwrap();
        assert_eq!(stored(&world).await.appeal.stage(), Stage::Acknowledged);
        let (snapshot, by) = (world.snapshot(), actor(SECOND));
        let desk = AppealDesk { store: &world.store, snapshot: &snapshot, now: clock(), by: &by };
        appeals::decide(&desk, KEY, false, "đúng là chương trình").await.unwrap();
        let act = world.last_act();
        assert_eq!(act.kind, "appeal.decided");
        assert!(act.detail.ends_with("giữ khóa; lý do: đúng là chương trình"), "{}", act.detail);
        // With more to say it is appealed anew, and lifting the lock answers it.
        appeal(&world, "H26.001", "Có ảnh chụp màn hình").await.unwrap();
        locks::unlock(&word(&world, &snapshot, &by), KEY).await.unwrap();
        appeals::lifted(&desk, KEY, "cán bộ nhập tay").await.unwrap();
        let decided = stored(&world).await.appeal.decided.unwrap();
        assert!(decided.lifted && decided.reason == "cán bộ nhập tay");
        appeals::lifted(&desk, KEY, "lần nữa").await.unwrap();
        assert_eq!(stored(&world).await.appeal.decided, Some(decided), "decided stays decided");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d6_each_late_step_is_told_once() {
    for world in World::both("appeals-late").await {
        lock(&world).await;
        appeal(&world, "H26.001", "Cán bộ nhập tay cả ngày").await.unwrap();
        let Appeal { clocks, made, .. } = stored(&world).await.appeal;
        assert_eq!(clocks, Clocks::from(world.store.profiles().at(made.at), made.at));
        let keep = async |now: Moment| {
            let before = world.store.ledger().next_index();
            appeals::keep(&world.store, now).await.unwrap();
            world.store.ledger().next_index() - before
        };
        assert_eq!(keep(clocks.acknowledge).await, 0, "not late yet");
        assert_eq!(keep(clocks.acknowledge.plus_ms(1)).await, 1);
        let act = world.last_act();
        assert_eq!((act.kind.as_str(), act.actor.as_str()), ("appeal.escalated", "dancu"));
        assert_eq!(keep(clocks.decide.plus_ms(1)).await, 0, "told already");
        acknowledge(&world, FIRST).await.unwrap();
        assert_eq!(keep(clocks.decide.plus_ms(1)).await, 1, "the next step");
        assert_eq!(keep(clocks.decide.plus_ms(2)).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d6_an_appeal_ends_with_a_lock_that_ended_by_itself() {
    for world in World::both("appeals-over").await {
        let (line, now) = (LineId(1), clock());
        let held = LineLock { system: SYSTEM, since: now, until: None, connection: false };
        set(&world, line, held).await;
        lock(&world).await;
        let (snapshot, by): (_, Actor) = (world.snapshot(), actor(SECOND));
        states::lock_connection(&desk(&world, &snapshot, &by)).await.unwrap();
        let all = [LockKey::Line(line), KEY, LockKey::Connection(SYSTEM)];
        for key in all {
            appeal_of(&world, key, "H26.001", "Cán bộ nhập tay cả ngày").await.unwrap();
        }
        let open = async || {
            appeals::keep(&world.store, now).await.unwrap();
            let open = world.store.desks().open_appeals().await.unwrap();
            let mut open: Vec<String> = open.into_iter().map(|s| s.appeal.lock).collect();
            open.sort_unstable();
            open
        };
        let mut codes = all.map(LockKey::code).to_vec();
        codes.sort_unstable();
        assert_eq!(open().await, codes, "they stand");
        let snapshot = world.snapshot();
        locks::unlock(&word(&world, &snapshot, &by), KEY).await.unwrap();
        assert_eq!(open().await, ["connection-1", "line-1"]);
        assert!(world.last_act().detail.ends_with("khóa không còn, xem nhật ký"));
        set(&world, line, LineLock { until: Some(now), ..held }).await;
        assert_eq!(open().await, ["connection-1"], "it ended at its hour");
        let snapshot = world.snapshot();
        states::unlock_connection(&desk(&world, &snapshot, &by)).await.unwrap();
        assert!(open().await.is_empty());
        assert_eq!(stored(&world).await.appeal.stage(), Stage::Decided);
    }
}

/// Sets the lock of a line as if counts had.
async fn set(world: &World, line: LineId, lock: LineLock) {
    let set = world.store.ledger().act(clock(), move |_, counts| {
        counts.lines().take_over([Row::Lock(line, Some(lock))]);
        let (kind, actor) = ("test".into(), "dancu".into());
        Ok(Body::Act(Act { kind, actor, system: 0, detail: String::new() }))
    });
    set.await.unwrap();
}
