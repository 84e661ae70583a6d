//! Gathering: what a focal point sees, urges, hands up and takes away (B8).

use std::collections::BTreeMap;

use dancu_domain::dossier::{Part, Stage};
use dancu_domain::gathering::{Counts, Level, Whose};
use dancu_domain::ids::UnitCode;
use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::notices::{Audience, Notice};
use dancu_domain::people::grants::{Grant, Grants, Scope};
use dancu_domain::people::roles::Role;
use dancu_domain::registration::{DateRange, Snapshot};
use dancu_domain::units::{About, Change, UnitKind, UnitName};
use dancu_office::gathering::{self, File, GatherDesk, Gathered, Kind, Whom};
use dancu_office::notices::spread;
use dancu_office::units::{Known, UnitsDesk, keep, known, record};
use dancu_office::{Actor, Refused};
use dancu_papers::book;
use dancu_store::people;
use jiff::civil::Date;

use super::dossiers::{Walk, content};
use super::world::*;

fn code(text: &str) -> UnitCode {
    UnitCode::parse(text).unwrap()
}

fn later(days: i64) -> Moment {
    clock().plus_ms(days * DAY_MS)
}

async fn write(world: &World, unit: &str, days: i64, change: Change) {
    let by = operator();
    let now = later(days);
    let desk =
        UnitsDesk { store: &world.store, now, actor: &by, reason: "QĐ mẫu 12", own: false };
    record(&desk, &code(unit), now.viet_nam_date(), change).await.unwrap();
}

fn founded(name: &str, kind: UnitKind, parent: Option<&str>) -> Change {
    let name = UnitName::parse(name).unwrap();
    Change::Founded { name, parent: parent.map(code), about: About::of(kind) }
}

/// The world's unit with its system as a commune of a province, gathered by police and culture
/// office; another province.
async fn country(world: &World) {
    keep(&world.store, clock()).await.unwrap();
    for (unit, name, kind, parent) in [
        ("H26", "UBND tỉnh Mẫu", UnitKind::Province, None),
        ("H26.006", "Công an tỉnh Mẫu", UnitKind::Police, Some("H26")),
        ("H26.007", "Sở Văn hóa tỉnh Mẫu", UnitKind::Department, Some("H26")),
        ("H27", "UBND tỉnh Khác", UnitKind::Province, None),
        ("H27.001", "UBND xã Khác", UnitKind::Commune, Some("H27")),
    ] {
        write(world, unit, 0, founded(name, kind, parent)).await;
    }
    write(world, "H26.001", 0, Change::Moved(Some(code("H26")))).await;
    let two = Change::Gathered(vec![code("H26.006"), code("H26.007")]);
    write(world, "H26.001", 0, two).await;
}

/// Who looks at a line on a day.
struct Look {
    known: Known,
    snapshot: Snapshot,
    at: Option<UnitCode>,
    by: Actor,
    now: Moment,
}

impl Look {
    async fn at(world: &World, at: &str, days: i64) -> Self {
        let now = later(days);
        Self {
            known: known(&world.store, now.viet_nam_date()).await.unwrap(),
            snapshot: world.store.snapshot(now).unwrap(),
            at: UnitCode::parse(at).ok(),
            by: actor(HEAD),
            now,
        }
    }

    fn desk<'a>(&'a self, world: &'a World) -> GatherDesk<'a> {
        GatherDesk {
            store: &world.store,
            now: self.now,
            by: &self.by,
            tree: &self.known.tree,
            snapshot: &self.snapshot,
            at: self.at.as_ref(),
        }
    }

    async fn load(&self, world: &World) -> Gathered {
        gathering::load(&self.desk(world)).await.unwrap()
    }
}

fn levels(gathered: &Gathered) -> Vec<(&str, Level)> {
    gathered.summary.rows.iter().map(|row| (row.unit.as_str(), row.level)).collect()
}

fn sentence(refused: Refused) -> String {
    match refused {
        Refused::Field { vi, .. } => vi,
        other => other.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b8_a_focal_point_sees_its_line_and_nothing_else() {
    for world in World::both("gathering").await {
        country(&world).await;
        let look = Look::at(&world, "H26", 0).await;
        let before = look.load(&world).await;
        let fine = ("H26.001", Level::Fine);
        let none = |unit| (unit, Level::Nothing);
        assert_eq!(levels(&before), [fine, none("H26.006"), none("H26.007"), none("H26")]);
        let expected = Counts { units: 4, live: 1, accounts: 1, ..Counts::default() };
        assert_eq!(before.summary.total, expected, "by two ways, counted once");
        // A dossier that waits for the unit stands first, with what it lacks.
        let mut half = content();
        half.functions = String::new();
        let walk = Walk::begun(&world, half).await;
        let gathered = look.load(&world).await;
        let first = &gathered.summary.rows[0];
        assert_eq!((first.unit.as_str(), first.level), ("H26.001", Level::Waits));
        assert_eq!((first.stage, first.whose), (Some(Stage::Draft.number()), Whose::Unit));
        assert!(first.lacks.contains(&Part::Registration) && first.lacks.contains(&Part::Security));
        let detail = gathering::detail(&look.desk(&world), &gathered, &code("H26.001")).await;
        let detail = detail.unwrap().unwrap();
        let (listed, missing) = &detail.dossiers[0];
        assert_eq!((listed.number, listed.name.as_str()), (walk.number, "Hệ thống một cửa"));
        assert!(missing.iter().any(|m| m.item == dancu_domain::dossier::Item::Functions));
        let outside = gathering::detail(&look.desk(&world), &gathered, &code("H27.001")).await;
        assert_eq!(outside.unwrap(), None, "of another province");
        // Both focal points see it, the other province does not, the centre sees everything.
        for (at, units) in [("H26.006", 2), ("H26.007", 2), ("H27", 2), ("", 8)] {
            let seen = Look::at(&world, at, 0).await.load(&world).await;
            assert_eq!(seen.summary.rows.len(), units, "{at}");
            let waiting = u32::from(at != "H27");
            assert_eq!(seen.summary.total.behind, waiting, "{at}");
        }
        // The unit goes into another one: its matters stand there from that day on.
        write(&world, "H26.001", 1, Change::Merged(code("H27.001"))).await;
        let here = Look::at(&world, "H26", 1).await.load(&world).await;
        assert_eq!(here.summary.total, Counts { units: 3, ..Counts::default() });
        let there = Look::at(&world, "H27", 1).await.load(&world).await;
        let heir = there.summary.row(&code("H27.001")).unwrap();
        assert_eq!((heir.counts.accounts, heir.level), (1, Level::Waits));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b8_units_are_urged_once_a_day_by_each_focal_point() {
    for world in World::both("gathering-urge").await {
        country(&world).await;
        Walk::begun(&world, content()).await;
        let urge = async |at: &str, days: i64, whom: &Whom, words: &str| {
            let look = Look::at(&world, at, days).await;
            let gathered = look.load(&world).await;
            gathering::urge(&look.desk(&world), &gathered, whom, words).await
        };
        let one = |unit: &str| Whom::One(code(unit));
        let entries = world.store.ledger().next_index();
        let long = "a".repeat(501);
        for (whom, words, said) in [
            (one("H26.001"), " ", "Nhập nội dung"),
            (one("H26.001"), long.as_str(), "Nhập nội dung"),
            (one("H26.007"), "Nộp ngay", "không tìm thấy"),
            (one("H26.006"), "Nộp ngay", "đơn vị của đầu mối"),
            (one("H27.001"), "Nộp ngay", "không tìm thấy"),
        ] {
            let refused = urge("H26.006", 0, &whom, words).await.unwrap_err();
            let refused = sentence(refused);
            assert!(refused.contains(said), "{whom:?}: {refused}");
        }
        let fine = sentence(urge("H26", 0, &one("H26.007"), "Nộp").await.unwrap_err());
        assert!(fine.contains("không còn việc") && fine.ends_with("(B8)"), "{fine}");
        assert!(matches!(urge("", 0, &Whom::Behind, "Nộp").await, Err(Refused::Gone)));
        assert_eq!(world.store.ledger().next_index(), entries, "nothing was done");
        assert_eq!(urge("H26.006", 0, &one("H26.001"), " Nộp trước thứ Sáu ").await.unwrap(), 1);
        let act = world.last_act();
        assert_eq!((act.kind.as_str(), act.actor.as_str()), ("gathering.urged", "thutruong.mau"));
        assert_eq!(act.detail, "H26.006: 1 đơn vị: H26.001; nội dung: Nộp trước thứ Sáu");
        let told = world.store.notices().to_spread(0).await.unwrap();
        let told = told.last().unwrap().2.as_ref().unwrap();
        assert_eq!(told.to, [Audience::Heads(code("H26.001"), Some(HEAD))]);
        let Notice::Urged { by, text, .. } = &told.notice else { panic!("{:?}", told.notice) };
        assert_eq!((by.as_str(), text.as_str()), ("Công an tỉnh Mẫu", "Nộp trước thứ Sáu"));
        // Once a day; another focal point, and the next day, are another matter.
        let again = sentence(urge("H26.006", 0, &one("H26.001"), "Nộp").await.unwrap_err());
        assert!(again.contains("mỗi ngày một lần"), "{again}");
        let nobody = sentence(urge("H26.006", 0, &Whom::Behind, "Nộp").await.unwrap_err());
        assert!(nobody.contains("Không còn đơn vị nào"), "{nobody}");
        assert_eq!(urge("H26.007", 0, &Whom::Behind, "Nộp").await.unwrap(), 1);
        assert_eq!(urge("H26.006", 1, &Whom::Behind, "Nộp").await.unwrap(), 1);
        let urged = Look::at(&world, "H26.006", 1).await.load(&world).await.urged;
        assert_eq!(urged, BTreeMap::from([(code("H26.001"), later(1).viet_nam_date())]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b8_a_summary_goes_up_the_line_with_a_receipt() {
    for world in World::both("gathering-up").await {
        country(&world).await;
        let (police, province) =
            (Look::at(&world, "H26.006", 0).await, Look::at(&world, "H26", 0).await);
        let hand = async |look: &Look| {
            let gathered = look.load(&world).await;
            gathering::hand_up(&look.desk(&world), &gathered).await
        };
        let (done, first) = hand(&police).await.unwrap();
        assert_eq!((first.id, first.version, first.by), (1, 1, HEAD));
        assert!(done.detail.starts_with("TH-00001 H26.006 → H26: "), "{}", done.detail);
        assert!(done.detail.contains(&hex::encode(first.digest)));
        assert_eq!(world.last_act().kind, "gathering.handedUp");
        let told = async || {
            let told = world.store.notices().to_spread(0).await.unwrap();
            let told = told.last().unwrap().2.clone().unwrap();
            (told.to, told.notice)
        };
        let to = vec![Audience::FocalPoints(code("H26"))];
        let notice = |by: &str, number: &str, to: &str| Notice::HandedUp {
            by: by.into(),
            number: number.into(),
            to: to.into(),
        };
        assert_eq!(told().await, (to, notice("Công an tỉnh Mẫu", "TH-00001", "H26")));
        // What is handed up later is another version, and the first one stays what it was.
        Walk::begun(&world, content()).await;
        let (_, second) = hand(&police).await.unwrap();
        assert_eq!((second.id, second.version), (2, 2));
        assert_ne!(first.digest, second.digest);
        let (done, third) = hand(&province).await.unwrap();
        assert!(done.detail.contains("H26 → Trung tâm"), "{}", done.detail);
        let (to, notice) = told().await;
        assert_eq!(to, [Audience::Operators(None)], "the centre receives it");
        assert!(matches!(notice, Notice::HandedUp { to, .. } if to.is_empty()));
        let focal =
            Grant::new(Role::FocalPoint, Scope::Below(code("H26")), DateRange::default(), None);
        world
            .change(move |tx, keys| {
                let mut one = people::by_id(tx, keys, INSIDER)?.unwrap();
                one.grants = Grants::default().with(focal.unwrap()).unwrap();
                people::save(tx, keys, &one)
            })
            .await;
        spread::spread(&world.store, clock()).await.unwrap();
        for (person, links) in [
            (
                INSIDER,
                &["/gathering/handed/TH-00002?at=H26", "/gathering/handed/TH-00001?at=H26"][..],
            ),
            (FIRST, &["/gathering/handed/TH-00003?at="][..]),
            (HEAD, &[][..]),
        ] {
            let inbox = world.store.notices().inbox(person, i64::MAX).await.unwrap();
            let handed = inbox.iter().filter(|l| matches!(l.notice, Notice::HandedUp { .. }));
            let found: Vec<_> = handed.map(|letter| letter.notice.link(letter.side)).collect();
            assert_eq!(found, links, "{person:?}");
        }
        let [handed, received] = gathering::receipts(&province.desk(&world)).await.unwrap();
        assert_eq!((handed, received), (vec![third], vec![second.clone(), first.clone()]));
        let seen = gathering::handed(&province.desk(&world), 1).await.unwrap().unwrap();
        assert_eq!((&seen.receipt, seen.summary.total.behind), (&first, 0), "as it was then");
        assert_eq!(seen.to, [Some(code("H26"))]);
        let centre = Look::at(&world, "", 0).await;
        let [_, received] = gathering::receipts(&centre.desk(&world)).await.unwrap();
        assert_eq!(received.len(), 1);
        assert!(matches!(hand(&centre).await, Err(Refused::Gone)), "it hands to nobody");
        // Others of the line, and of other lines, are told nothing of it.
        for at in ["H26.007", "H27"] {
            let other = Look::at(&world, at, 0).await;
            assert_eq!(gathering::handed(&other.desk(&world), 1).await.unwrap(), None, "{at}");
        }
        assert_eq!(gathering::handed(&centre.desk(&world), 9).await.unwrap(), None);
        // What is not what its receipt says is not shown.
        let spoil = "UPDATE gathering_handed SET day = '2020-01-01' WHERE id = 2";
        world.change(move |tx, _| tx.execute(spoil, &[]).map(drop)).await;
        let spoilt = gathering::handed(&centre.desk(&world), 2).await.unwrap_err();
        assert!(matches!(spoilt, Refused::Store(dancu_store::Error::Damaged(_))), "{spoilt}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b8_what_is_taken_away_is_journaled_first() {
    for world in World::both("gathering-file").await {
        country(&world).await;
        Walk::begun(&world, content()).await;
        let look = Look::at(&world, "H26", 0).await;
        let gathered = look.load(&world).await;
        let day: Date = gathered.summary.day;
        let rows = gathered.summary.rows.iter().take(2).collect();
        let scope = "Chỉ gồm: hai đơn vị".to_owned();
        let file = File { focal: look.at.as_ref(), day, rows, scope, receipt: None };
        let bytes = gathering::export(&look.desk(&world), &file, Kind::Sheet).await.unwrap();
        let act = world.last_act();
        let said = format!("H26 xlsx: ngày {day}, 2 đơn vị");
        assert_eq!((act.kind.as_str(), act.detail), ("gathering.exported", said));
        let table = book::read(&bytes).unwrap().remove(0);
        let line = table.lines.iter().find(|line| line.cells[0] == "1").unwrap();
        assert_eq!(line.cells[2..6], ["H26.001", "1", "0", "0"]);
        assert!(line.cells[7].contains("Đang lập (chờ đơn vị)"), "{:?}", line.cells);
        let pdf = gathering::export(&look.desk(&world), &file, Kind::Pdf).await.unwrap();
        assert!(pdf.starts_with(b"%PDF-"));
        assert_eq!(world.last_act().detail, format!("H26 pdf: ngày {day}, 2 đơn vị"));
    }
}
