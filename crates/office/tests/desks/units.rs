//! Units: what happened to them, and what follows them (B4, B9).

use std::slice::from_ref;

use dancu_domain::ids::{Login, PersonalId, UnitCode};
use dancu_domain::moment::DAY_MS;
use dancu_domain::name::FullName;
use dancu_domain::people::grants::Scope;
use dancu_domain::people::roles::Role;
use dancu_domain::units::{
    About, Change, Contact, ContactKind, Event, Representative, UnitKind, UnitName, commune_unit,
};
use dancu_office::units::{self, Moved, UnitsDesk, known, load, merge, record};
use dancu_office::{Actor, Refused, staff};
use jiff::civil::{Date, date};

use super::world::{AUDITOR, HEAD, OFFICER, SYSTEM, World, actor, clock, operator};

fn code(text: &str) -> UnitCode {
    UnitCode::parse(text).unwrap()
}

fn units_desk<'a>(world: &'a World, by: &'a Actor) -> UnitsDesk<'a> {
    UnitsDesk { store: &world.store, now: clock(), actor: by, reason: "NQ mẫu 12", own: false }
}

fn founding(name: &str) -> Change {
    let name = UnitName::parse(name).unwrap();
    Change::Founded { name, parent: None, about: About::of(UnitKind::Commune) }
}

fn day(days: i64) -> Date {
    clock().plus_ms(days * DAY_MS).viet_nam_date()
}

/// The world's units, told by housekeeping, and one more.
async fn with_heir(world: &World, by: &Actor) -> UnitCode {
    units::keep(&world.store, clock()).await.unwrap();
    let heir = code("UBND-X00004");
    let desk = units_desk(world, by);
    record(&desk, &heir, day(-1), founding("UBND phường Mẫu")).await.unwrap();
    heir
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b4_units_of_before_are_founded_by_their_codes_once() {
    for world in World::both("units-first").await {
        units::keep(&world.store, clock()).await.unwrap();
        let tree = known(&world.store, day(0)).await.unwrap().tree;
        // Of the system and of everybody.
        for name in ["H26.001", "TTDL", "KTNN"] {
            let unit = tree.get(&code(name)).unwrap();
            assert_eq!((unit.name(), unit.about.kind), (name, UnitKind::Untold));
        }
        let act = world.last_act();
        assert_eq!((act.kind.as_str(), act.actor.as_str()), ("unit.founded", "dancu"));
        let before = world.store.ledger().next_index();
        units::keep(&world.store, clock()).await.unwrap();
        assert_eq!(world.store.ledger().next_index(), before, "nothing to do");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b4_a_merge_moves_what_is_live_and_stops_no_counter() {
    for world in World::both("units-merge").await {
        let by = operator();
        let (heir, old) = (with_heir(&world, &by).await, code("H26.001"));
        world.begin_session(OFFICER).await;
        let snapshot = world.snapshot();
        let read = known(&world.store, day(0)).await.unwrap();
        let events = units::merging(from_ref(&old), &heir, day(0)).unwrap();
        let preview = units::preview(&world.store, &snapshot, &read, &events).await.unwrap();
        let live: Vec<_> =
            preview.live.iter().map(|l| (l.system.as_str(), &l.from, &l.to)).collect();
        assert_eq!((live, preview.people), (vec![("MAU", &old, &heir)], 2));
        assert!(preview.wider.is_empty(), "the heir has nothing of its own: {:?}", preview.wider);
        let merged = [old.clone(), heir.clone()];
        let (done, moved) = merge(&units_desk(&world, &by), &merged, &heir, day(0)).await.unwrap();
        assert_eq!(moved, Moved { systems: 1, people: 2, ..Moved::default() });
        let act = world.last_act();
        assert_eq!(act.kind, "unit.merged");
        assert!(act.detail.contains("H26.001 sáp nhập vào UBND-X00004"), "{}", done.detail);
        assert!(act.detail.ends_with("lý do: NQ mẫu 12"));
        let system = world.snapshot().by_id(SYSTEM).unwrap().clone();
        assert_eq!(system.unit, heir);
        assert!(system.accounts.find("canbo.mau").is_some());
        for who in [HEAD, OFFICER] {
            let person = world.person(who).await;
            assert_eq!(person.unit, heir);
            assert_eq!(person.grants.all()[0].scope, Scope::Unit(heir.clone()));
        }
        assert_eq!(world.sessions(OFFICER).await, 1, "nobody is signed out");
        let tree = known(&world.store, day(0)).await.unwrap().tree;
        assert_eq!(tree.resolve(&old).unwrap().code, heir);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b4_a_merge_dated_ahead_waits_for_its_day() {
    for world in World::both("units-ahead").await {
        let by = operator();
        let (heir, old) = (with_heir(&world, &by).await, code("H26.001"));
        let desk = units_desk(&world, &by);
        let (_, moved) = merge(&desk, from_ref(&old), &heir, day(3)).await.unwrap();
        assert_eq!(moved, Moved::default());
        for (days, unit) in [(2, &old), (3, &heir), (4, &heir)] {
            let now = clock().plus_ms(days * DAY_MS);
            units::keep(&world.store, now).await.unwrap();
            assert_eq!(world.snapshot().by_id(SYSTEM).unwrap().unit, *unit, "{days}");
            assert_eq!(world.person(OFFICER).await.unit, *unit, "{days}");
        }
        let act = world.last_act();
        assert_eq!(act.kind, "unit.carried");
        assert!(act.detail.starts_with("H26.001 → UBND-X00004: chuyển 1 hệ thống"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b4_what_does_not_go_together_changes_nothing() {
    for world in World::both("units-refused").await {
        let by = operator();
        let (heir, old) = (with_heir(&world, &by).await, code("H26.001"));
        let desk = units_desk(&world, &by);
        let before = world.store.ledger().next_index();
        let wrong = |done: Result<_, Refused>| match done {
            Err(Refused::Field { field, vi, .. }) => (field, vi),
            other => panic!("{other:?}"),
        };
        let founded = record(&desk, &heir, day(0), founding("Trùng mã")).await;
        assert_eq!(wrong(founded.map(drop)).0, "unit");
        let far = record(&desk, &old, day(400), Change::Dissolved).await;
        assert_eq!(wrong(far.map(drop)).0, "day");
        let (field, vi) = wrong(record(&desk, &old, day(0), Change::Dissolved).await.map(drop));
        assert_eq!(field, "unit");
        assert!(vi.contains("(B4)"), "{vi}");
        let none = merge(&desk, from_ref(&heir), &heir, day(0)).await;
        assert_eq!(wrong(none.map(drop)).0, "merged");
        let gone = merge(&desk, from_ref(&old), &code("KHONG-CO"), day(0)).await;
        assert_eq!(wrong(gone.map(drop)).0, "heir");
        assert_eq!(world.store.ledger().next_index(), before);
        assert_eq!(world.snapshot().by_id(SYSTEM).unwrap().unit, old);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b9_what_a_head_tells_of_the_own_unit_is_news() {
    for world in World::both("units-head").await {
        let by = operator();
        with_heir(&world, &by).await;
        let head = actor(HEAD);
        let desk = UnitsDesk { reason: "", own: true, ..units_desk(&world, &head) };
        let who = Representative::parse("Người Ký Mẫu", "Chủ tịch").unwrap();
        let contact =
            Contact::parse(ContactKind::Security, who.clone(), "0240000000", "a@mau.vn").unwrap();
        let old = code("H26.001");
        record(&desk, &old, day(0), Change::Represented(who.clone())).await.unwrap();
        record(&desk, &old, day(0), Change::Contacts(vec![contact.clone()])).await.unwrap();
        let act = world.last_act();
        assert_eq!((act.kind.as_str(), act.actor.as_str()), ("unit.contacts", "thutruong.mau"));
        assert!(!act.detail.contains("Mẫu") && !act.detail.contains("0240000000"));
        let known = known(&world.store, day(0)).await.unwrap();
        let told: Vec<_> = known.written.iter().filter(|w| w.own).map(|w| w.by).collect();
        assert_eq!(told, [HEAD, HEAD]);
        let unit = known.tree.get(&old).unwrap();
        assert_eq!(unit.representative.as_ref().map(|(_, who)| who), Some(&who));
        assert_eq!(unit.contacts, [contact]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b4_the_official_list_is_loaded_once() {
    for world in World::both("units-load").await {
        let by = operator();
        with_heir(&world, &by).await;
        let desk = units_desk(&world, &by);
        let (done, loaded) = load(&desk).await.unwrap();
        // UBND-X00004 was there already.
        assert_eq!((loaded.founded, loaded.known), (34 + 3_321 - 1, 1));
        assert!(done.unwrap().detail.contains("3354 đơn vị"));
        let before = world.store.ledger().next_index();
        let (done, loaded) = load(&desk).await.unwrap();
        assert_eq!((done, loaded.founded, loaded.known), (None, 0, 34 + 3_321));
        assert_eq!(world.store.ledger().next_index(), before);
        let tree = known(&world.store, date(2026, 7, 1)).await.unwrap().tree;
        assert_eq!(tree.path(&commune_unit(8).unwrap()).len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b4_after_a_split_a_system_takes_its_own_people_along() {
    for world in World::both("units-split").await {
        let by = operator();
        let (heir, old) = (with_heir(&world, &by).await, code("H26.001"));
        let desk = units_desk(&world, &by);
        let other = code("UBND-X00008");
        record(&desk, &other, day(-1), founding("UBND phường Khác")).await.unwrap();
        let into = vec![heir.clone(), other.clone()];
        let split = Change::Split { into, heir: heir.clone() };
        let (_, moved) = record(&desk, &old, day(0), split).await.unwrap();
        assert_eq!((moved.systems, moved.people), (1, 2));
        let (_, moved) = units::give(&desk, SYSTEM, &other).await.unwrap();
        assert_eq!((moved.systems, moved.people), (1, 1));
        assert_eq!(world.snapshot().by_id(SYSTEM).unwrap().unit, other);
        assert_eq!(world.person(OFFICER).await.unit, other, "on the list of the system");
        assert_eq!(world.person(HEAD).await.unit, heir);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e3_a_dissolution_dated_ahead_ends_roles_on_its_day_where_nothing_is_left() {
    for world in World::both("units-dissolved").await {
        let by = operator();
        units::keep(&world.store, clock()).await.unwrap();
        let desk = units_desk(&world, &by);
        // H26.001 still has a system on that day: it waits.
        for unit in ["KTNN", "H26.001"] {
            record(&desk, &code(unit), day(3), Change::Dissolved).await.unwrap();
        }
        for (days, held) in [(2, 1), (3, 0)] {
            let now = clock().plus_ms(days * DAY_MS);
            units::keep(&world.store, now).await.unwrap();
            let held_by =
                async |who| world.person(who).await.grants.on(now.viet_nam_date()).count();
            assert_eq!((held_by(AUDITOR).await, held_by(HEAD).await), (held, 1), "{days}");
        }
        let act = world.last_act();
        assert_eq!((act.kind.as_str(), act.actor.as_str()), ("unit.carried", "dancu"));
        assert_eq!(act.detail, "KTNN: kết thúc vai trò của 1 người");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b4_what_is_annulled_before_its_day_moves_nothing() {
    for world in World::both("units-annul").await {
        let by = operator();
        let (heir, old) = (with_heir(&world, &by).await, code("H26.001"));
        let desk = units_desk(&world, &by);
        merge(&desk, from_ref(&old), &heir, day(3)).await.unwrap();
        record(&desk, &code("UBND-X00008"), day(2), founding("UBND xã Sau")).await.unwrap();
        let below = Change::Moved(Some(code("UBND-X00008")));
        record(&desk, &heir, day(4), below).await.unwrap();
        let read = known(&world.store, day(0)).await.unwrap();
        let number = |unit: &str, kind: &str| {
            let found = read.written.iter().rev();
            let mut of = found.filter(|w| w.event.unit.as_str() == unit);
            of.find(|w| w.event.change.code() == kind).unwrap().id
        };
        let field = |refused| match refused {
            Refused::Field { field, vi, .. } => (field, vi),
            other => panic!("{other:?}"),
        };
        let founded = number("UBND-X00008", "founded");
        let needed = field(units::annul(&desk, founded).await.unwrap_err());
        assert!(needed.1.contains("UBND-X00004 trực thuộc UBND-X00008"), "{needed:?}");
        let in_force = number("UBND-X00004", "founded");
        let happened = field(units::annul(&desk, in_force).await.unwrap_err());
        assert!(happened.1.contains("đã có hiệu lực"), "{happened:?}");
        let merged = number("H26.001", "merged");
        units::annul(&desk, merged).await.unwrap();
        let act = world.last_act();
        assert_eq!(act.kind, "unit.annulled");
        assert!(act.detail.starts_with("hủy: H26.001 sáp nhập vào UBND-X00004"), "{}", act.detail);
        assert!(act.detail.ends_with("lý do: NQ mẫu 12"));
        let again = field(units::annul(&desk, merged).await.unwrap_err());
        assert_eq!(again.0, "event");
        assert!(matches!(units::annul(&desk, 9_999).await, Err(Refused::Gone)));
        // Both stay in the history, and on the day nothing moves.
        let now = clock().plus_ms(3 * DAY_MS);
        units::keep(&world.store, now).await.unwrap();
        assert_eq!(world.snapshot().by_id(SYSTEM).unwrap().unit, old);
        let read = known(&world.store, day(3)).await.unwrap();
        assert_eq!(*read.annulled, [merged]);
        assert!(read.written.iter().any(|w| w.id == merged));
        assert!(read.tree.get(&old).unwrap().lives());
        // One that was founded and annulled may be founded after all.
        units::annul(&desk, number("UBND-X00004", "moved")).await.unwrap();
        units::annul(&desk, founded).await.unwrap();
        record(&desk, &code("UBND-X00008"), day(5), founding("UBND xã Sau")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_j2_two_contacts_told_at_once_both_stay() {
    for world in World::both("units-contacts").await {
        let by = operator();
        with_heir(&world, &by).await;
        let desk = units_desk(&world, &by);
        let contact = |kind| {
            let who = Representative::parse("Người Trực Mẫu", "Chuyên viên").unwrap();
            Change::Called(Contact::parse(kind, who, "0990000001", "a@mau.vn").unwrap())
        };
        let old = code("H26.001");
        let (one, two) = tokio::join!(
            record(&desk, &old, day(0), contact(ContactKind::Security)),
            record(&desk, &old, day(0), contact(ContactKind::Dossier)),
        );
        one.unwrap();
        two.unwrap();
        let tree = known(&world.store, day(0)).await.unwrap().tree;
        assert_eq!(tree.get(&old).unwrap().contacts.len(), 2);
        assert_eq!(world.last_act().kind, "unit.contacts");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_a6_a_preview_tells_whose_roles_reach_further_and_refuses_cycles() {
    for world in World::both("units-preview").await {
        let by = operator();
        let (heir, old) = (with_heir(&world, &by).await, code("H26.001"));
        let staff =
            staff::StaffDesk {
                store: &world.store, now: clock(), actor: &by, reason: "QĐ mẫu 7"
            };
        let new = staff::New {
            login: Login::parse("thutruong.nhan").unwrap(),
            name: FullName::parse("Thủ Trưởng Nhận").unwrap(),
            personal_id: PersonalId::parse("099301012345").unwrap(),
            unit: heir.clone(),
            role: Role::Head,
            phone: String::new(),
        };
        staff::invite(&staff, new, "phc".into()).await.unwrap();
        let (snapshot, read) = (world.snapshot(), known(&world.store, day(0)).await.unwrap());
        let look =
            async |events: &[Event]| units::preview(&world.store, &snapshot, &read, events).await;
        let events = units::merging(from_ref(&old), &heir, day(0)).unwrap();
        let wider = look(&events).await.unwrap().wider;
        let told = |role, unit: &UnitCode| {
            wider.iter().find(|w| w.role == role && w.unit == *unit).unwrap()
        };
        let (taking, going) = (told(Role::Head, &heir), told(Role::Head, &old));
        assert_eq!(taking.name, "Thủ Trưởng Nhận");
        assert_eq!((taking.systems.as_slice(), taking.people), (&["MAU".to_owned()][..], 2));
        // The head who goes there reaches the people of the heir.
        assert_eq!((going.systems.len(), going.people), (0, 1));
        assert_eq!(wider.len(), 2, "an officer asks by the account list: {wider:?}");
        // Each into the other on one day.
        let back = Event { unit: heir.clone(), day: day(0), change: Change::Merged(old.clone()) };
        let cycle = look(&[events, vec![back]].concat()).await.unwrap_err();
        assert!(matches!(cycle, Refused::Field { field: "heir", .. }), "{cycle:?}");
    }
}
