//! Searching the journal with a ground (A6, F3).

use dancu_domain::ids::{PersonalId, SubjectId};
use dancu_domain::people::PersonId;
use dancu_domain::people::may::Ground;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::registration::Snapshot;
use dancu_journal::Body;
use dancu_office::act::operated;
use dancu_office::audit::{self, Audit, PAGE, Page, Sought};
use dancu_office::{Actor, Refused, states};
use dancu_store::people::Person;

use super::world::*;

fn ground() -> Ground {
    Ground::parse("Quyết định 12/QĐ-TTr").unwrap()
}

fn somebody() -> SubjectId {
    SubjectId::Personal(PersonalId::parse("099090000123").unwrap())
}

/// One look of an auditor: journals it, then reads it.
async fn look(
    (world, snapshot): (&World, &Snapshot),
    auditor: &Person,
    sought: Sought,
    from: u64,
) -> Result<Page, Refused> {
    let ground = ground();
    let audit = Audit { store: &world.store, snapshot, now: clock(), auditor, ground: &ground };
    let journaled = audit.search(sought, from).await?;
    audit.found(&journaled)
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_a6_a_search_is_journaled_with_its_ground_and_gives_pages() {
    for world in World::both("search").await {
        let snapshot = world.snapshot();
        let auditor = world.person(AUDITOR).await;
        let mut asked = vec![];
        for _ in 0..=PAGE {
            asked.push(world.ask(somebody(), "H26.001/7").await);
        }
        let at = (&world, &snapshot);
        for sought in [
            Sought::Account(login("CANBO.mau")),
            Sought::Case("H26.001/7".into()),
            Sought::Subject(somebody()),
        ] {
            let kind = sought.kind();
            let first = look(at, &auditor, sought.clone(), 0).await.unwrap();
            let act = world.last_act();
            assert_eq!((act.kind.as_str(), act.actor.as_str()), ("audit.search", "kiemtra.mau"));
            assert!(act.detail.contains("Quyết định 12/QĐ-TTr"), "{}", act.detail);
            assert!(!act.detail.contains("099090000123"), "{}", act.detail);
            let found: Vec<u64> = first.entries.iter().map(|e| e.index).collect();
            assert_eq!(found, asked[..PAGE], "{kind}");
            assert_eq!((first.next, first.withheld), (asked.last().copied(), 0));
            let second = look(at, &auditor, sought, first.next.unwrap()).await.unwrap();
            assert_eq!((second.entries.len(), second.next), (1, None));
        }
        let none = look(at, &auditor, Sought::Case("H26.001/8".into()), 0).await.unwrap();
        assert!(none.entries.is_empty() && none.next.is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_f3_nobody_audits_themselves_or_their_own_unit() {
    for world in World::both("own").await {
        let snapshot = world.snapshot();
        let index = world.ask(somebody(), "H26.001/7").await;
        let mut neighbour = world.person(AUDITOR).await;
        neighbour.unit = world.person(OFFICER).await.unit;
        let sought = || Sought::Case("H26.001/7".into());
        let page = look((&world, &snapshot), &neighbour, sought(), 0).await.unwrap();
        assert_eq!((page.entries.len(), page.withheld), (0, 1));
        let (ground, now) = (ground(), clock());
        let audit = |auditor| Audit {
            store: &world.store,
            snapshot: &snapshot,
            now,
            auditor,
            ground: &ground,
        };
        let revealed = audit(&neighbour).reveal(sought(), index).await.unwrap();
        let own = audit(&neighbour).found(&revealed);
        assert!(matches!(own, Err(Refused::Reason(PortalReason::OwnAudit))));
        // Somebody else's auditor sees it, and nothing that the search does not find.
        let auditor = world.person(AUDITOR).await;
        let revealed = audit(&auditor).reveal(sought(), index).await.unwrap();
        assert_eq!(world.last_act().kind, "audit.reveal");
        assert_eq!(audit(&auditor).found(&revealed).unwrap().entries.len(), 1);
        let other = audit(&auditor).reveal(Sought::Case("H26.001/8".into()), index).await.unwrap();
        assert!(matches!(audit(&auditor).found(&other), Err(Refused::Gone)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_f3_the_centres_staff_are_audited_from_outside_only() {
    for world in World::both("staff").await {
        let (snapshot, by) = (world.snapshot(), actor(FIRST));
        states::lock_account(&desk(&world, &snapshot, &by), ACCOUNT).await.unwrap();
        // What a unit's own people do is no act of the staff.
        world.begin_session(HEAD).await;
        let (ground, now) = (ground(), clock());
        let audit = |auditor| Audit {
            store: &world.store,
            snapshot: &snapshot,
            now,
            auditor,
            ground: &ground,
        };
        let insider = world.person(INSIDER).await;
        let before = world.store.ledger().next_index();
        let refused = audit(&insider).staff(u64::MAX).await.map(|_| ());
        assert!(matches!(refused, Err(Refused::Reason(PortalReason::OwnAudit))));
        assert_eq!(world.store.ledger().next_index(), before);
        let auditor = world.person(AUDITOR).await;
        let journaled = audit(&auditor).staff(u64::MAX).await.unwrap();
        let page = audit(&auditor).found(&journaled).unwrap();
        let acts: Vec<_> = page.entries.iter().map(act_of).collect();
        let by: Vec<_> = acts.iter().map(|act| act.actor.as_str()).collect();
        assert_eq!(by, ["vanhanh1.mau"], "{acts:?}");
        // By the command of the centre's machine, under a name of the unit or of the program.
        for name in ["thutruong.mau", "dancu"] {
            let by = Actor::Named { names: vec![name.into()], account: "root".into() };
            let snapshot = world.snapshot();
            states::unlock_account(&desk(&world, &snapshot, &by), ACCOUNT).await.unwrap();
            let (snapshot, by) = (world.snapshot(), operator());
            states::lock_account(&desk(&world, &snapshot, &by), ACCOUNT).await.unwrap();
        }
        let journaled = audit(&auditor).staff(u64::MAX).await.unwrap();
        let page = audit(&auditor).found(&journaled).unwrap();
        let by: Vec<_> = page.entries.iter().map(|entry| act_of(entry).actor).collect();
        assert!(by.contains(&"thutruong.mau [root]".into()) && by.contains(&"dancu [root]".into()));
        assert_eq!(operated("vanhanh1.mau"), None);
        assert_eq!(operated("A, B [x] [root]"), Some(("A, B [x]", "root")));
        assert!(page.entries.iter().all(|e| matches!(e.body, Body::Act(_))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tickets_are_one_auditors_and_end() {
    for world in World::both("tickets").await {
        let (now, sought) = (clock(), Sought::Subject(somebody()));
        let store = &world.store;
        let ticket = audit::ticket((store, now), AUDITOR, &ground(), &sought).unwrap();
        let (_, opened) = audit::open_ticket((store, now), AUDITOR, &ticket).unwrap();
        assert!(opened == sought);
        let missing = |at, who: PersonId, text: &str| {
            let opened = audit::open_ticket((store, at), who, text).map(|_| ());
            matches!(opened, Err(Refused::Reason(PortalReason::GroundMissing)))
        };
        assert!(missing(now, INSIDER, &ticket));
        assert!(missing(now.plus_ms(5 * 3_600_000), AUDITOR, &ticket));
        assert!(missing(now, AUDITOR, "") && missing(now, AUDITOR, "00"));
        let turned = format!(
            "{}{}",
            &ticket[..ticket.len() - 1],
            if ticket.ends_with('0') { '1' } else { '0' }
        );
        assert!(missing(now, AUDITOR, &turned));
    }
}
