//! Campaigns over dossiers of connections that go on (B4).

use dancu_domain::campaigns::{CampaignId, Plan, Scope, TaskState};
use dancu_domain::dossier::{Cause, Content, Part, Stage};
use dancu_domain::ids::UnitCode;
use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::registration::ConnectionState;
use dancu_domain::units::{About, Change, UnitKind, UnitName};
use dancu_office::campaigns::{self, CampaignDesk, keep, read};
use dancu_office::dossiers::{self, DossierDesk, Side, live, review};
use dancu_office::states;
use dancu_office::units::{UnitsDesk, known, merge, record};
use dancu_office::{Actor, Refused};
use dancu_store::campaigns::Followed;
use jiff::civil::Date;

use super::dossiers::Walk;
use super::world::*;

fn later(days: i64) -> Moment {
    clock().plus_ms(days * DAY_MS)
}

fn day(days: i64) -> Date {
    later(days).viet_nam_date()
}

fn plan() -> Plan {
    Plan {
        name: "Cập nhật hồ sơ".into(),
        document: "6383/C06".into(),
        dated: day(-1),
        scope: Scope::default(),
        deadline: day(10),
        remind: vec![7, 1],
        parts: vec![Part::Commitment],
    }
}

fn desk_at<'a>(world: &'a World, by: &'a Actor, days: i64) -> CampaignDesk<'a> {
    CampaignDesk { store: &world.store, now: later(days), by }
}

async fn task(world: &World) -> Followed {
    world.store.campaigns().of_campaign(CampaignId(1)).await.unwrap().pop().unwrap()
}

fn field(refused: Refused) -> (&'static str, String) {
    match refused {
        Refused::Field { field, vi, .. } => (field, vi),
        other => panic!("{other}"),
    }
}

/// Each act of housekeeping at a day; how many entries it made.
async fn kept(world: &World, days: i64) -> u64 {
    let before = world.store.ledger().next_index();
    keep(&world.store, later(days)).await.unwrap();
    world.store.ledger().next_index() - before
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b4_overdue_connections_are_locked_until_their_dossier_is_received() {
    for world in World::both("campaign").await {
        let mut walk = Walk::live(&world).await;
        let by = actor(SECOND);
        let (done, begun) = campaigns::begin(&desk_at(&world, &by, 0), plan()).await.unwrap();
        assert_eq!(begun.dossiers, 1, "the system without a dossier is not reached");
        assert!(done.detail.contains("6383/C06") && done.detail.contains("1 hồ sơ"));
        assert_eq!(world.last_act().kind, "campaign.opened");
        walk.revision += 1;
        let open = walk.open(Side::Centre, FIRST).await.unwrap();
        assert_eq!((open.dossier.stage(), open.revision), (&Stage::Draft, walk.revision));
        assert!(open.dossier.paper(Part::Commitment).signed.is_none());
        assert_eq!(walk.system().unwrap().state, ConnectionState::Live, "it goes on");
        // The same dossiers again are refused, and nothing is half done.
        let again = campaigns::begin(&desk_at(&world, &by, 0), plan()).await.unwrap_err();
        let (at, sentence) = field(again);
        assert!(at == "scope" && sentence.contains("HS-00001 (DCN-001)"), "{sentence}");
        assert_eq!(world.store.campaigns().all().await.unwrap().len(), 1);
        // One reminder each, the lock after the last day only.
        let made = [0, 3, 3, 9, 10, 11, 12];
        let mut entries = vec![];
        for days in made {
            entries.push(kept(&world, days).await);
        }
        assert_eq!(entries, [0, 1, 0, 1, 0, 1, 0]);
        let act = world.last_act();
        assert_eq!((act.kind.as_str(), act.actor.as_str()), ("campaign.locked", "dancu"));
        assert!(act.detail.contains("HS-00001 H26.001 HOSO"), "{}", act.detail);
        let locked = walk.system().unwrap();
        assert_eq!((locked.state, act.system), (ConnectionState::Locked, locked.id.0));
        // Nobody else ends that lock.
        let snapshot = world.snapshot();
        let mut desk = desk(&world, &snapshot, &by);
        desk.system = snapshot.by_id(locked.id).unwrap();
        assert_eq!(field(states::unlock_connection(&desk).await.unwrap_err()).0, "state");
        let set = states::connection(&desk, ConnectionState::Live).await.unwrap_err();
        assert_eq!(field(set).0, "state");
        // Handed in is not received yet.
        let sign =
            async |desk: DossierDesk<'_>, at| dossiers::sign(&desk, at, Part::Commitment).await;
        walk.head(sign).await.unwrap();
        walk.head(async |desk, at| dossiers::submit(&desk, at, false).await).await.unwrap();
        assert_eq!(walk.system().unwrap().state, ConnectionState::Locked);
        let accept = walk.centre(FIRST, async |desk, at| review::accept(&desk, at).await).await;
        assert!(accept.unwrap().done.detail.ends_with("; DCN-001, mở khóa kết nối"));
        assert_eq!(walk.system().unwrap().state, ConnectionState::Live);
        assert_eq!(kept(&world, 40).await, 0, "it is in the centre's hands");
        for part in Part::ALL {
            let checked = walk.centre(FIRST, async |desk, at| review::check(&desk, at, part).await);
            checked.await.unwrap();
        }
        walk.close_documents().await;
        walk.centre(FIRST, async |desk, at| review::approve(&desk, at).await).await.unwrap();
        let went = walk.centre(SECOND, async |desk, at| live::go_live(&desk, at).await).await;
        assert!(went.unwrap().done.detail.ends_with("; DCN-001, đã cập nhật"));
        assert_eq!(task(&world).await.task.state(), TaskState::Done);
        let tree = known(&world.store, day(0)).await.unwrap().tree;
        let progress = read::progress(&world.store, &tree, CampaignId(1)).await.unwrap().unwrap();
        assert_eq!(
            (progress.whole.total, progress.whole.done, progress.whole.share()),
            (1, 1, 100)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b4_more_time_and_the_end_of_a_campaign_unlock() {
    for world in World::both("campaign-extended").await {
        let walk = Walk::live(&world).await;
        let by = actor(SECOND);
        let past = Plan { deadline: day(0), ..plan() };
        let past = campaigns::begin(&desk_at(&world, &by, 0), past).await.unwrap_err();
        assert_eq!(field(past).0, "deadline");
        let nobody = Plan { scope: Scope { province: Some(1), ..Scope::default() }, ..plan() };
        let nobody = campaigns::begin(&desk_at(&world, &by, 0), nobody).await.unwrap_err();
        assert_eq!(field(nobody).0, "scope");
        campaigns::begin(&desk_at(&world, &by, 0), plan()).await.unwrap();
        kept(&world, 11).await;
        let state = || walk.system().unwrap().state;
        assert_eq!(state(), ConnectionState::Locked);
        let desk = desk_at(&world, &by, 11);
        let of = (CampaignId(1), walk.number);
        assert!(matches!(campaigns::extend(&desk, of, day(20), " ").await, Err(Refused::NoReason)));
        let short = campaigns::extend(&desk, of, day(11), "Chờ con dấu").await.unwrap_err();
        assert_eq!(field(short).0, "deadline");
        campaigns::extend(&desk, of, day(20), "Chờ con dấu").await.unwrap();
        let act = world.last_act();
        assert!(act.detail.ends_with("mở khóa kết nối; lý do: Chờ con dấu"), "{}", act.detail);
        assert_eq!((act.kind.as_str(), act.actor), ("campaign.extended", by.journaled()));
        assert_eq!(state(), ConnectionState::Live);
        assert_eq!(kept(&world, 20).await, 1, "reminded anew");
        assert_eq!(state(), ConnectionState::Live);
        kept(&world, 21).await;
        assert_eq!(state(), ConnectionState::Locked);
        campaigns::stop(&desk, CampaignId(1), "Đợt lập nhầm").await.unwrap();
        assert_eq!(state(), ConnectionState::Live);
        assert_eq!(kept(&world, 30).await, 0);
        let gone = campaigns::stop(&desk, CampaignId(1), "Lần nữa").await;
        assert!(matches!(gone, Err(Refused::Gone)));
        assert!(matches!(campaigns::extend(&desk, of, day(40), "x").await, Err(Refused::Gone)));
        // What another stopped is not locked besides, and looked at again.
        let by_hand = async |state| {
            let snapshot = world.snapshot();
            let mut desk = super::world::desk(&world, &snapshot, &by);
            desk.system = snapshot.by_id(walk.system().unwrap().id).unwrap();
            states::connection(&desk, state).await.unwrap();
        };
        campaigns::begin(&desk_at(&world, &by, 0), plan()).await.unwrap();
        by_hand(ConnectionState::Suspended).await;
        kept(&world, 11).await;
        assert_eq!(state(), ConnectionState::Suspended);
        by_hand(ConnectionState::Live).await;
        kept(&world, 12).await;
        assert_eq!(state(), ConnectionState::Locked);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b4_a_merge_opens_the_dossiers_of_the_unit_of_before() {
    for world in World::both("campaign-merge").await {
        let walk = Walk::live(&world).await;
        let by = operator();
        let desk = |reason| UnitsDesk {
            store: &world.store,
            now: clock(),
            actor: &by,
            reason,
            own: false,
        };
        let heir = UnitCode::parse("MAU-HEIR").unwrap();
        let name = UnitName::parse("Đơn vị tiếp nhận").unwrap();
        let about = About::of(UnitKind::Commune);
        let founded = Change::Founded { name, parent: None, about };
        dancu_office::units::keep(&world.store, clock()).await.unwrap();
        record(&desk("NQ 1"), &heir, day(-2), founded).await.unwrap();
        let old = UnitCode::parse("H26.001").unwrap();
        let (done, moved) =
            merge(&desk("NQ 2"), std::slice::from_ref(&old), &heir, day(0)).await.unwrap();
        assert_eq!(moved.dossiers, 1);
        assert!(done.detail.contains("mở lại 1 hồ sơ"), "{}", done.detail);
        let open = walk.open(Side::Unit(&heir), HEAD).await.unwrap();
        assert_eq!((open.dossier.stage(), open.dossier.unit()), (&Stage::Draft, &heir));
        assert!(open.dossier.paper(Part::Commitment).signed.is_none());
        assert!(open.history[0].detail.contains("H26.001 → MAU-HEIR"));
        assert!(walk.open(Side::Unit(&old), HEAD).await.is_none());
        assert_eq!(walk.system().unwrap().state, ConnectionState::Live, "B4: connections go on");
        // A campaign takes it in as it is.
        let second = actor(SECOND);
        campaigns::begin(&desk_at(&world, &second, 0), plan()).await.unwrap();
        assert_eq!(task(&world).await.unit, heir);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b4_what_comes_back_by_another_way_is_not_done() {
    for world in World::both("campaign-owed").await {
        let mut walk = Walk::live(&world).await;
        let by = actor(SECOND);
        campaigns::begin(&desk_at(&world, &by, 0), plan()).await.unwrap();
        walk.revision += 1;
        walk.head(async |desk, at| dossiers::withdraw(&desk, at, "Để sau").await).await.unwrap();
        let cause = Cause::Change;
        let reopen =
            async |desk: DossierDesk<'_>, at| live::reopen(&desk, at, cause, "Bớt lượt").await;
        walk.head(reopen).await.unwrap();
        let open = walk.open(Side::Centre, FIRST).await.unwrap();
        assert!(open.dossier.paper(Part::Commitment).signed.is_none(), "it is still owed");
        let submit = async |desk: DossierDesk<'_>, at| dossiers::submit(&desk, at, false).await;
        assert!(walk.head(submit).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b4_a_task_goes_on_with_the_dossier_that_takes_the_place_of_one_that_ended() {
    for world in World::both("campaign-follows").await {
        // The connection was live before its first dossier.
        let content = || Content { system_code: "MAU".into(), ..super::dossiers::content() };
        let mut first = Walk::submitted(&world, content()).await;
        let accept = async |desk: DossierDesk<'_>, at| review::accept(&desk, at).await;
        first.centre(FIRST, accept).await.unwrap();
        let by = actor(SECOND);
        campaigns::begin(&desk_at(&world, &by, 0), plan()).await.unwrap();
        first.head(async |desk, at| dossiers::withdraw(&desk, at, "Lập lại").await).await.unwrap();
        kept(&world, 11).await;
        let state = || world.snapshot().by_id(SYSTEM).unwrap().state;
        assert_eq!(state(), ConnectionState::Locked);
        // Of another connection it is not.
        let mut other = Walk::submitted(&world, super::dossiers::content()).await;
        let done = other.centre(FIRST, accept).await.unwrap().done;
        assert!(!done.detail.contains("DCN-001"), "{}", done.detail);
        let mut second = Walk::submitted(&world, content()).await;
        let done = second.centre(FIRST, accept).await.unwrap().done;
        let told = "; DCN-001 thay HS-00001; DCN-001, mở khóa kết nối";
        assert!(done.detail.ends_with(told), "{}", done.detail);
        assert_eq!(state(), ConnectionState::Live);
        let task = task(&world).await;
        assert_eq!((task.dossier, task.task.state()), (second.number, TaskState::Open));
        assert!(
            task.task.owed(&second.open(Side::Centre, FIRST).await.unwrap().dossier).is_empty()
        );
        assert_eq!(kept(&world, 40).await, 0, "it is in the centre's hands");
        campaigns::stop(&desk_at(&world, &by, 40), CampaignId(1), "Xong").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d6_a_connection_goes_on_when_both_locks_have_ended() {
    for world in World::both("campaign-secured").await {
        let walk = Walk::live(&world).await;
        let by = actor(SECOND);
        campaigns::begin(&desk_at(&world, &by, 0), plan()).await.unwrap();
        kept(&world, 11).await;
        let state = || walk.system().unwrap().state;
        let snapshot = world.snapshot();
        let mut desk = desk(&world, &snapshot, &by);
        desk.system = snapshot.by_id(walk.system().unwrap().id).unwrap();
        states::lock_connection(&desk).await.unwrap();
        assert!(states::lock_connection(&desk).await.is_err(), "once");
        let of = (CampaignId(1), walk.number);
        campaigns::extend(&desk_at(&world, &by, 11), of, day(20), "Chờ con dấu").await.unwrap();
        assert_eq!(state(), ConnectionState::Locked, "for security");
        states::unlock_connection(&desk).await.unwrap();
        assert_eq!(state(), ConnectionState::Live);
    }
}
