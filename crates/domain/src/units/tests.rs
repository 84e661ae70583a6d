use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::*;
use crate::person::Dataset;

fn code(text: &str) -> UnitCode {
    UnitCode::parse(text).unwrap()
}

fn day(n: i64) -> Date {
    date(2026, 1, 1).checked_add(jiff::Span::new().days(n)).unwrap()
}

fn name(text: &str) -> UnitName {
    UnitName::parse(text).unwrap()
}

fn event(unit: &str, on: i64, change: Change) -> Event {
    Event { unit: code(unit), day: day(on), change }
}

fn founded(unit: &str, on: i64, parent: Option<&str>) -> Event {
    let about = About::of(UnitKind::Department);
    let change = Change::Founded { name: name(unit), parent: parent.map(code), about };
    event(unit, on, change)
}

fn why(events: &[Event]) -> Option<UnitRefusal> {
    Tree::check(events).err().map(|(_, refusal)| refusal)
}

/// AAA above BBB above CCC, and DDD.
fn four() -> Vec<Event> {
    vec![
        founded("AAA", 0, None),
        founded("BBB", 0, Some("AAA")),
        founded("CCC", 0, Some("BBB")),
        founded("DDD", 5, None),
    ]
}

#[test]
fn rule_b4_what_does_not_go_together_is_refused() {
    let into = |parts: &[&str], heir: &str| Change::Split {
        into: parts.iter().map(|p| code(p)).collect(),
        heir: code(heir),
    };
    let merged = |heir: &str| Change::Merged(code(heir));
    let moved = |parent: &str| Change::Moved(Some(code(parent)));
    let rename = |to: &str| Change::Renamed(name(to));
    let cases: Vec<(Vec<Event>, UnitRefusal)> = vec![
        (vec![event("ZZZ", 1, Change::Dissolved)], UnitRefusal::Unknown),
        (vec![founded("AAA", 3, None)], UnitRefusal::Taken),
        (vec![event("DDD", 4, rename("Khác"))], UnitRefusal::BeforeFounding),
        (vec![founded("EEE", 4, Some("DDD"))], UnitRefusal::NoParent),
        (vec![event("AAA", 1, moved("CCC"))], UnitRefusal::Cycle),
        (vec![event("AAA", 1, moved("AAA"))], UnitRefusal::Cycle),
        (vec![event("CCC", 1, moved("DDD"))], UnitRefusal::NoParent),
        (vec![event("AAA", 0, rename("Khác"))], UnitRefusal::NameTwice),
        (
            vec![event("AAA", 1, rename("Khác")), event("AAA", 1, rename("Nữa"))],
            UnitRefusal::NameTwice,
        ),
        (vec![event("AAA", 1, rename("AAA"))], UnitRefusal::SameName),
        (vec![event("CCC", 1, merged("CCC"))], UnitRefusal::OwnHeir),
        (vec![event("CCC", 1, merged("DDD"))], UnitRefusal::NoHeir),
        (
            vec![event("DDD", 6, Change::Dissolved), event("CCC", 7, merged("DDD"))],
            UnitRefusal::NoHeir,
        ),
        (vec![event("CCC", 1, merged("BBB")), event("CCC", 2, rename("Khác"))], UnitRefusal::Ended),
        (vec![event("BBB", 1, Change::Dissolved)], UnitRefusal::HasChildren),
        (vec![event("BBB", 6, into(&["DDD"], "DDD"))], UnitRefusal::Parts),
        (vec![event("BBB", 6, into(&["DDD", "DDD"], "DDD"))], UnitRefusal::Parts),
        (vec![event("BBB", 6, into(&["DDD", "AAA"], "CCC"))], UnitRefusal::Parts),
        (vec![event("BBB", 1, into(&["DDD", "AAA"], "AAA"))], UnitRefusal::NoHeir),
        (vec![event("BBB", 1, Change::Gathered(vec![code("BBB")]))], UnitRefusal::FocalPoints),
        (
            vec![event("BBB", 6, Change::Gathered(vec![code("AAA"), code("CCC"), code("DDD")]))],
            UnitRefusal::FocalPoints,
        ),
    ];
    assert_eq!(why(&four()), None);
    for (more, expected) in cases {
        let all = [four(), more.clone()].concat();
        assert_eq!(why(&all), Some(expected), "{more:?}");
        assert!(expected.text().text_vi.ends_with('.'));
    }
}

#[test]
fn rule_b4_a_merge_waits_for_its_day_and_old_codes_lead_on() {
    let mut events = four();
    events.push(event("BBB", 10, Change::Merged(code("DDD"))));
    let before = Tree::on(&events, day(9)).unwrap();
    assert_eq!(before.resolve(&code("BBB")).unwrap().code, code("BBB"));
    let after = Tree::on(&events, day(10)).unwrap();
    assert_eq!(after.resolve(&code("BBB")).unwrap().code, code("DDD"));
    assert_eq!(after.get(&code("CCC")).unwrap().parent(), Some(&code("DDD")));
    let path: Vec<_> = after.path(&code("CCC")).iter().map(|u| u.code.clone()).collect();
    assert_eq!(path, [code("CCC"), code("DDD")]);
    // One that ends with its heir below it hands the heir its own place.
    events.push(event("AAA", 11, Change::Merged(code("DDD"))));
    events.push(event("DDD", 12, Change::Merged(code("CCC"))));
    assert_eq!(why(&events), None);
    let last = Tree::on(&events, day(12)).unwrap();
    assert_eq!(last.resolve(&code("AAA")).unwrap().code, code("CCC"));
    assert_eq!(last.get(&code("CCC")).unwrap().parent(), None);
}

#[test]
fn rule_b4_what_is_annulled_before_its_day_does_not_happen() {
    let annulled = |unit: &str, on, day_of, change: Change| {
        event(unit, on, Change::Annulled { day: day(day_of), change: Box::new(change) })
    };
    let merged = Change::Merged(code("DDD"));
    let mut events = four();
    events.push(event("BBB", 10, merged.clone()));
    events.push(annulled("BBB", 7, 10, merged.clone()));
    assert_eq!(standing(&events).unwrap(), [0, 1, 2, 3]);
    assert_eq!(why(&events), None);
    for on in [7, 10, 11] {
        assert!(Tree::on(&events, day(on)).unwrap().get(&code("BBB")).unwrap().lives());
    }
    // Once only, and written anew it stands again.
    let twice = [events.clone(), vec![annulled("BBB", 7, 10, merged.clone())]].concat();
    assert_eq!(why(&twice), Some(UnitRefusal::NotAhead));
    events.push(event("BBB", 10, merged.clone()));
    assert!(!Tree::on(&events, day(10)).unwrap().get(&code("BBB")).unwrap().lives());
    // What is in force is history; what another event needs stays.
    let late = [events.clone(), vec![annulled("BBB", 10, 10, merged)]].concat();
    assert_eq!(why(&late), Some(UnitRefusal::Happened));
    let founding = founded("EEE", 20, None);
    events.push(founding.clone());
    events.push(event("CCC", 21, Change::Moved(Some(code("EEE")))));
    assert_eq!(why(&events), None);
    events.push(annulled("EEE", 7, 20, founding.change));
    let (needs, refusal) = Tree::check(&events).unwrap_err();
    assert_eq!((needs.unit, refusal), (code("CCC"), UnitRefusal::NoParent));
}

#[test]
fn rule_j2_a_contact_takes_the_place_of_its_kind_only() {
    let who = Representative::parse("Mẫu Thị An", "Chánh Văn phòng").unwrap();
    let contact = |kind, phone: &str| Contact::parse(kind, who.clone(), phone, "a@mau.vn").unwrap();
    let (dossier, security) = (ContactKind::Dossier, ContactKind::Security);
    let mut events = four();
    events.push(event("AAA", 1, Change::Contacts(vec![contact(dossier, "0990000001")])));
    events.push(event("AAA", 1, Change::Called(contact(security, "0990000002"))));
    events.push(event("AAA", 1, Change::Called(contact(dossier, "0990000003"))));
    let tree = Tree::on(&events, day(1)).unwrap();
    let known = &tree.get(&code("AAA")).unwrap().contacts;
    assert_eq!(*known, [contact(security, "0990000002"), contact(dossier, "0990000003")]);
}

#[test]
fn rule_b8_papers_are_gathered_at_the_focal_point_else_above() {
    let mut events = four();
    let at = |events: &[Event]| -> Vec<UnitCode> {
        let tree = Tree::on(events, day(9)).unwrap();
        tree.gathered_at(&code("CCC")).iter().map(|u| u.code.clone()).collect()
    };
    assert_eq!(at(&events), [code("BBB")]);
    events.push(event("CCC", 6, Change::Gathered(vec![code("DDD"), code("AAA")])));
    assert_eq!(at(&events), [code("DDD"), code("AAA")]);
}

#[test]
fn identifiers_contacts_and_seats_are_parsed() {
    for good in ["H26", "h26.01.02", "G01.99.100.A1"] {
        assert_eq!(AgencyCode::parse(good).unwrap().as_str(), good.to_uppercase());
    }
    for bad in
        ["", "26H", "H2", "H26.", "H26..1", "H26-01", "H26.é", &format!("H26.{}", "1".repeat(32))]
    {
        assert_eq!(AgencyCode::parse(bad), Err(UnitRefusal::Agency), "{bad}");
    }
    let who = || Representative::parse(" Mẫu Thị An ", "Chánh Văn phòng").unwrap();
    let contact = |phone: &str, email: &str| {
        Contact::parse(ContactKind::Security, who(), phone, email).map(|c| c.phone().to_owned())
    };
    assert_eq!(contact("+84 24.000-0000", "a@b.vn").as_deref(), Ok("+84240000000"));
    assert_eq!(contact("12", "a@b.vn"), Err(UnitRefusal::Phone));
    for email in ["a", "@b.vn", "a@b", "a b@c.vn", "a@b@c.vn"] {
        assert_eq!(contact("0240000000", email), Err(UnitRefusal::Email), "{email}");
    }
    assert_eq!(format!("{:?}", who()), "Representative(***)");
    assert!(Seat::new(Dataset::Y2026, 1, Some(4)).is_ok());
    assert_eq!(Seat::new(Dataset::Y2026, 96, Some(4)), Err(UnitRefusal::Seat));
    assert_eq!(UnitName::parse("ab"), Err(UnitRefusal::Name));
}

#[test]
fn rule_b4_the_official_list_is_a_tree_and_divided_communes_are_shown() {
    let mut events = official();
    assert_eq!(events.len(), 34 + 3_321);
    // Phường Trúc Bạch lies whole in phường Ba Đình; phường Cống Vị was divided.
    for (unit, commune) in [("OLD-4", 4), ("OLD-7", 7)] {
        let seat = Seat::new(Dataset::Y2024, 1, Some(commune)).unwrap();
        let about = About { seat: Some(seat), ..About::of(UnitKind::Commune) };
        let change = Change::Founded { name: name(unit), parent: None, about };
        events.push(event(unit, 0, change));
    }
    let tree = Tree::on(&events, day(0)).unwrap();
    let unit = tree.get(&commune_unit(4).unwrap()).unwrap();
    assert_eq!(unit.name(), "Ủy ban nhân dân phường Ba Đình");
    assert_eq!(tree.path(&unit.code).last().unwrap().name(), "Ủy ban nhân dân thành phố Hà Nội");
    assert_eq!(tree.search("phuong ba dinh").filter(|u| u.lives()).count(), 1);
    let found = proposals(&tree);
    assert_eq!(found[0].1, Proposal::Whole(commune_unit(4).unwrap()));
    assert!(matches!(&found[1].1, Proposal::Divided(parts) if parts.len() > 1), "{found:?}");
}

const CODES: [&str; 6] = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF"];

/// Any event of any unit; most of them do not go together.
fn any_event() -> impl Strategy<Value = Event> {
    let one = || prop::sample::select(CODES.to_vec());
    let change = prop_oneof![
        3 => prop::option::of(one()).prop_map(|parent| Change::Founded {
            name: name("Tên đầu"),
            parent: parent.map(code),
            about: About::of(UnitKind::Other),
        }),
        1 => (0..4u8).prop_map(|n| Change::Renamed(name(&format!("Tên {n}")))),
        2 => prop::option::of(one()).prop_map(|parent| Change::Moved(parent.map(code))),
        1 => one().prop_map(|heir| Change::Merged(code(heir))),
        1 => (one(), one()).prop_map(|(a, b)| {
            Change::Split { into: vec![code(a), code(b)], heir: code(b) }
        }),
        1 => Just(Change::Dissolved),
    ];
    (one(), 0..12i64, change).prop_map(|(unit, on, change)| event(unit, on, change))
}

proptest! {
    /// Of any events, those that are accepted one after the other make a tree on every day.
    #[test]
    fn rule_b4_every_accepted_sequence_is_a_tree_on_each_day(
        events in prop::collection::vec(any_event(), 0..40)
    ) {
        let mut taken: Vec<Event> = vec![];
        for event in events {
            taken.push(event);
            if Tree::check(&taken).is_err() {
                taken.pop();
            }
        }
        for on in 0..13 {
            let tree = Tree::on(&taken, day(on)).unwrap();
            for unit in tree.all() {
                let days: Vec<Date> = unit.names.iter().map(|(since, _)| *since).collect();
                prop_assert!(!days.is_empty() && days.is_sorted_by(|a, b| a < b));
                if unit.lives() {
                    // The way up ends, and everybody on it lives.
                    let path = tree.path(&unit.code);
                    prop_assert!(path.len() <= CODES.len());
                    prop_assert!(path.iter().all(|above| above.lives()));
                    let parent = unit.parent().cloned();
                    let listed = parent.is_none_or(|p| {
                        tree.children(&p).any(|child| child.code == unit.code)
                    });
                    prop_assert!(listed);
                }
                let dissolved = |u: &Unit| matches!(u.end, Some((_, Ending::Dissolved)));
                match tree.resolve(&unit.code) {
                    Some(heir) => prop_assert!(heir.lives()),
                    None => prop_assert!(tree.all().any(dissolved)),
                }
            }
        }
    }
}
