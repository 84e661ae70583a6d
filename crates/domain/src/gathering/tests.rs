use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::units::{About, Change, Event, UnitKind, UnitName};

const TODAY: Date = date(2026, 3, 2);

fn code(text: &str) -> UnitCode {
    UnitCode::parse(text).unwrap()
}

fn event(unit: &str, change: Change) -> Event {
    Event { unit: code(unit), day: date(2026, 1, 1), change }
}

fn founded(unit: &str, parent: Option<&str>, kind: UnitKind) -> Event {
    let name = UnitName::parse(&format!("Đơn vị {unit}")).unwrap();
    let change = Change::Founded { name, parent: parent.map(code), about: About::of(kind) };
    event(unit, change)
}

fn gathered(unit: &str, at: &[&str]) -> Event {
    event(unit, Change::Gathered(at.iter().map(|at| code(at)).collect()))
}

/// A province with its police, culture office and a commune with a unit below it; a ministry with
/// one; the centre.
fn country() -> Vec<Event> {
    use UnitKind::{Centre, Commune, Department, Ministry, Police, Province};
    vec![
        founded("TINH", None, Province),
        founded("CONGAN", Some("TINH"), Police),
        founded("VANHOA", Some("TINH"), Department),
        founded("PHUONG", Some("TINH"), Commune),
        founded("TRUONG", Some("PHUONG"), Department),
        founded("XA", Some("TINH"), Commune),
        founded("BO", None, Ministry),
        founded("CUC", Some("BO"), Department),
        founded("TTDL", None, Centre),
    ]
}

fn tree(events: &[Event]) -> Tree {
    Tree::on(events, TODAY).unwrap()
}

fn line(lines: &Lines, at: &str) -> String {
    let at = code(at);
    let units: Vec<&str> = lines.line(Some(&at)).into_iter().map(UnitCode::as_str).collect();
    units.join(" ")
}

#[test]
fn rule_b8_papers_go_up_the_line_by_focal_points() {
    let mut events = country();
    let lines = Lines::of(&tree(&events));
    assert_eq!(line(&lines, "PHUONG"), "PHUONG TRUONG");
    assert_eq!(line(&lines, "TINH"), "CONGAN PHUONG TINH TRUONG VANHOA XA");
    assert_eq!(line(&lines, "BO"), "BO CUC");
    assert_eq!(lines.line(None).len(), 9);
    let top: Vec<&str> = lines.directly(None).into_iter().map(UnitCode::as_str).collect();
    assert_eq!(top, ["BO", "TINH", "TTDL"]);
    // Another body than the parent, and two of them.
    events.push(gathered("PHUONG", &["CONGAN", "VANHOA"]));
    events.push(gathered("TINH", &["TTDL"]));
    let two = Lines::of(&tree(&events));
    assert_eq!(two.next(&code("PHUONG")), [code("CONGAN"), code("VANHOA")]);
    assert_eq!(line(&two, "CONGAN"), "CONGAN PHUONG TRUONG");
    assert_eq!(line(&two, "VANHOA"), "PHUONG TRUONG VANHOA");
    assert_eq!(line(&two, "TINH"), "CONGAN PHUONG TINH TRUONG VANHOA XA", "each once");
    assert_eq!(line(&two, "XA"), "XA");
    assert!(two.next(&code("TINH")).is_empty(), "the centre's own unit is the centre");
    // Who was taken over leads to who did it, and ends nowhere else.
    events.push(event("TRUONG", Change::Merged(code("XA"))));
    events.push(event("VANHOA", Change::Merged(code("CONGAN"))));
    let after = tree(&events);
    let lines = Lines::of(&after);
    assert_eq!(lines.next(&code("PHUONG")), [code("CONGAN")], "one body, once");
    assert_eq!(line(&lines, "CONGAN"), "CONGAN PHUONG");
    assert_eq!(line(&lines, "TRUONG"), "", "it is no more");
    assert_eq!(codes(&after, &code("VANHOA")), [code("CONGAN"), code("VANHOA")]);
    events.push(event("CONGAN", Change::Merged(code("PHUONG"))));
    let lines = Lines::of(&tree(&events));
    assert_eq!(lines.next(&code("PHUONG")), [code("TINH")], "nobody is their own focal point");
}

fn dossier(number: u32, stage: &Stage, turns: &[Turn]) -> DossierAt {
    DossierAt {
        number: DossierNumber(number),
        system: Some(SystemId(number)),
        standing: Standing { stage: stage.number(), since: Moment(i64::from(number)) },
        whose: Whose::of(turns),
        lacks: vec![],
    }
}

const fn system(id: u32, state: ConnectionState) -> SystemAt {
    SystemAt { id: SystemId(id), state, accounts: 3 }
}

const fn task(dossier: u32, state: TaskState, deadline: Date) -> TaskAt {
    TaskAt { dossier: DossierNumber(dossier), state, deadline }
}

#[test]
fn rule_b8_who_is_behind_comes_first() {
    let (past, ahead) = (date(2026, 3, 1), date(2026, 3, 2));
    let draft = || dossier(1, &Stage::Draft, &[Turn::Unit]);
    let handed_in = || dossier(1, &Stage::Submitted, &[Turn::Reviewer]);
    let live = || vec![system(1, ConnectionState::Live)];
    let with = |dossiers, tasks| Facts { systems: live(), dossiers, tasks };
    let cases = [
        (with(vec![draft()], vec![task(1, TaskState::Locked, past)]), Level::Locked),
        (with(vec![draft()], vec![task(1, TaskState::Open, past)]), Level::Overdue),
        (with(vec![draft()], vec![task(1, TaskState::Open, ahead)]), Level::Due),
        (with(vec![draft()], vec![]), Level::Waits),
        (with(vec![handed_in()], vec![task(1, TaskState::Open, past)]), Level::Elsewhere),
        (with(vec![handed_in()], vec![task(1, TaskState::Locked, past)]), Level::Elsewhere),
        (with(vec![dossier(1, &Stage::Live, &[])], vec![]), Level::Fine),
        (Facts { systems: vec![system(1, ConnectionState::Preparing)], ..Facts::default() }, {
            Level::Nothing
        }),
        (Facts::default(), Level::Nothing),
    ];
    for (facts, level) in &cases {
        assert_eq!(facts.level(TODAY), *level, "{facts:?}");
    }
    // A live system whose dossier is open is not complete; one that is handed in is not either.
    let counts = cases[2].0.counts(Level::Due);
    let expected = Counts {
        units: 1,
        behind: 1,
        incomplete: 1,
        accounts: 3,
        dossiers: 1,
        waiting: 1,
        tasks: 1,
        ..Counts::default()
    };
    assert_eq!(counts, expected);
    assert_eq!(cases[6].0.counts(Level::Fine).live, 1);
    let locked = Facts { systems: vec![system(1, ConnectionState::Locked)], ..Facts::default() };
    assert_eq!(locked.level(TODAY), Level::Stopped);
    assert_eq!(locked.counts(Level::Stopped).locked, 1);
    let tree = tree(&country());
    let facts = [("XA", 5), ("TRUONG", 1), ("PHUONG", 3)];
    let facts = facts.map(|(unit, at)| (code(unit), cases[at].0.clone())).into();
    let summary = Summary::of((&tree, &Lines::of(&tree)), &facts, Some(&code("TINH")), TODAY);
    let first: Vec<&str> = summary.rows.iter().take(3).map(|row| row.unit.as_str()).collect();
    assert_eq!(first, ["TRUONG", "PHUONG", "XA"]);
    assert_eq!((summary.total.units, summary.total.behind, summary.total.share()), (6, 2, 66));
}

#[test]
fn rule_b8_the_text_of_a_summary_stays_what_it_is() {
    let tree = tree(&country());
    let mut lacking = dossier(7, &Stage::Changes, &[Turn::Unit]);
    lacking.lacks = vec![Part::Security, Part::Commitment];
    let facts = Facts { dossiers: vec![lacking], ..Facts::default() };
    let facts = BTreeMap::from([(code("CUC"), facts)]);
    let summary = Summary::of((&tree, &Lines::of(&tree)), &facts, Some(&code("BO")), TODAY);
    assert_eq!(
        summary.text(),
        "dancu gathering 1\nBO\t2026-03-02\n\
         CUC\tĐơn vị CUC\twaits\t0\t0\t0\t0\t1\t1\t2\tunit\tcommitment,security\t-\n\
         BO\tĐơn vị BO\tnothing\t0\t0\t0\t0\t0\t0\t-\tnobody\t\t-\n"
    );
}

/// Unit `n` stands below one with a smaller number, and may name two focal points, even in a ring.
fn some_tree() -> impl Strategy<Value = (Tree, bool)> {
    let unit = (any::<u8>(), proptest::option::of((any::<u8>(), any::<u8>())));
    (proptest::collection::vec(unit, 1..24), any::<bool>()).prop_map(|(units, focal)| {
        let name = |n: usize| format!("U{n:03}");
        let mut events = vec![];
        for (n, (above, _)) in units.iter().enumerate() {
            let parent = (n > 0 && above % 5 > 0).then(|| name(usize::from(*above) % n.max(1)));
            events.push(founded(&name(n), parent.as_deref(), UnitKind::Department));
        }
        for (n, (_, points)) in units.iter().enumerate().filter(|_| focal) {
            let Some((a, b)) = points else { continue };
            let at = [a, b].map(|at| name(usize::from(*at) % units.len()));
            let at: Vec<&str> = at.iter().map(String::as_str).filter(|at| *at != name(n)).collect();
            events.push(gathered(&name(n), &at));
        }
        (tree(&events), focal)
    })
}

/// Whether papers of a unit come to another, by following every way; at most as many steps as
/// there are units.
fn comes(tree: &Tree, unit: &UnitCode, to: &UnitCode, steps: usize) -> bool {
    unit == to
        || (steps > 0
            && tree.gathered_at(unit).iter().any(|next| comes(tree, &next.code, to, steps - 1)))
}

proptest! {
    #[test]
    fn rule_b8_each_unit_is_counted_once_in_each_line_and_nobody_outside(
        (tree, focal) in some_tree()
    ) {
        let lines = Lines::of(&tree);
        let facts: BTreeMap<UnitCode, Facts> = tree.all().enumerate().map(|(n, unit)| {
            let id = n as u32 + 1;
            let dossiers = vec![dossier(id, &Stage::Draft, &[Turn::Unit])];
            let systems = vec![system(id, ConnectionState::Live); n % 3];
            (unit.code.clone(), Facts { systems, dossiers, tasks: vec![] })
        }).collect();
        let summary = |at: Option<&UnitCode>| Summary::of((&tree, &lines), &facts, at, TODAY);
        let whole = summary(None);
        prop_assert_eq!(whole.rows.len(), tree.all().len());
        for at in tree.all() {
            let seen = summary(Some(&at.code));
            let mut codes: Vec<&UnitCode> = seen.rows.iter().map(|row| &row.unit).collect();
            codes.sort();
            // A ring of units is small here, so that every way is short enough to be followed.
            let all = tree.all().filter(|unit| comes(&tree, &unit.code, &at.code, 6));
            let near: Vec<&UnitCode> = all.map(|unit| &unit.code).collect();
            prop_assert!(near.iter().all(|unit| codes.binary_search(unit).is_ok()));
            if !focal {
                let below = |u: &&Unit| tree.path(&u.code).iter().any(|p| p.code == at.code);
                let far: Vec<&UnitCode> = tree.all().filter(below).map(|u| &u.code).collect();
                prop_assert_eq!(&codes, &far);
            }
            let naive: Counts = codes.iter().map(|c| whole.row(c).unwrap().counts).sum();
            prop_assert_eq!(seen.total, naive);
            prop_assert_eq!(whole.parts(&lines, &[&at.code]), [naive]);
            if !focal {
                // With one way up each, totals are the sum of what lies below.
                let own = seen.row(&at.code).unwrap().counts;
                let below = lines.directly(Some(&at.code)).into_iter();
                let below: Counts = below.map(|unit| summary(Some(unit)).total).sum();
                prop_assert_eq!(own.and(below), seen.total);
            }
        }
        if !focal {
            let top: Counts =
                lines.directly(None).into_iter().map(|at| summary(Some(at)).total).sum();
            prop_assert_eq!(top, whole.total);
        }
    }
}
