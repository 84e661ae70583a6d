//! Random ways through the stages: none leads to live past its steps.

use proptest::prelude::*;

use super::*;

/// A transition that somebody tries.
#[derive(Clone, Copy, Debug)]
enum Try {
    Save(bool),
    Attach,
    Sign,
    Submit,
    Withdraw,
    Accept,
    AskChanges,
    Answer,
    Resolve,
    Check,
    Refuse,
    Close(Step),
    Exempt(Step),
    Approve,
    GoLive,
    Reopen,
    End,
}

fn tries() -> impl Strategy<Value = (Try, u32)> {
    let step = || prop_oneof![Just(Step::Documents), Just(Step::Sandbox), Just(Step::Assessment)];
    let what = prop_oneof![
        2 => any::<bool>().prop_map(Try::Save),
        2 => Just(Try::Attach),
        5 => Just(Try::Sign),
        5 => Just(Try::Submit),
        1 => Just(Try::Withdraw),
        5 => Just(Try::Accept),
        1 => Just(Try::AskChanges),
        1 => Just(Try::Answer),
        1 => Just(Try::Resolve),
        5 => Just(Try::Check),
        1 => Just(Try::Refuse),
        9 => step().prop_map(Try::Close),
        3 => step().prop_map(Try::Exempt),
        6 => Just(Try::Approve),
        4 => Just(Try::GoLive),
        2 => Just(Try::Reopen),
        1 => Just(Try::End),
    ];
    (what, 1..5u32)
}

fn go(dossier: Dossier, what: Try, by: Mark) -> Result<Dossier, Blocked> {
    let profile = profile();
    let all = |d: Dossier, f: &dyn Fn(Dossier, Part) -> Result<Dossier, Blocked>| {
        Part::ALL.into_iter().try_fold(d, f)
    };
    match what {
        Try::Save(more) => {
            let mut content = whole();
            content.lines[0].daily += u32::from(more);
            dossier.save(by, Editor::Unit, content)
        }
        Try::Attach => dossier.attach(by, Part::Security, file()),
        Try::Sign => all(dossier, &|d, part| d.sign(by, part, &profile)),
        Try::Submit => dossier.submit(by, false, &profile),
        Try::Withdraw => dossier.withdraw(by),
        Try::Accept => dossier.accept(by, SYSTEM),
        Try::AskChanges => {
            let (item, text) = (Item::Purpose, "Nói rõ hơn".into());
            dossier.ask_changes(by, vec![Remark { item, row: None, text }])
        }
        Try::Answer => dossier.answer(by, 0, "Đã sửa"),
        Try::Resolve => dossier.resolve(by, 0),
        Try::Check => all(dossier, &|d, part| d.check(by, part)),
        Try::Refuse => dossier.refuse(by, RuleId::A3, ("Lý do", "Làm lại")),
        Try::Close(step) => {
            let evidence = match step {
                Step::Documents => Evidence::Checked,
                Step::Sandbox => conformance(),
                Step::Assessment => confirmation(),
            };
            dossier.close_step(by, step, evidence)
        }
        Try::Exempt(step) => {
            let ground = ExemptionGround::LiveBefore;
            let (evidence, date) = ("QĐ 12".into(), by.at.viet_nam_date());
            dossier.exempt(by, step, Exemption { ground, evidence, date })
        }
        Try::Approve => dossier.approve(by, &profile),
        Try::GoLive => dossier.go_live(by, &profile).map(|(d, ..)| d),
        Try::Reopen => dossier.reopen(by, Cause::Design, "Thay đổi"),
        Try::End => dossier.close(by),
    }
}

/// Walks, and judges each step that was taken.
fn walk(tries: &[(Try, u32)]) -> Result<usize, TestCaseError> {
    let mut dossier = begun();
    let mut lives = 0;
    for (what, by) in tries {
        let by = mark(PersonId(*by));
        let before = dossier.clone();
        let Ok(after) = go(before.clone(), *what, by) else { continue };
        prop_assert!(!before.stage().is_final(), "{what:?} after the end");
        let decides = matches!(
            what,
            Try::Accept
                | Try::AskChanges
                | Try::Check
                | Try::Refuse
                | Try::Close(_)
                | Try::Exempt(_)
                | Try::Approve
        );
        prop_assert!(!decides || !before.is_hand(by.by), "{what:?} by who filled or signed");
        let people: std::collections::HashSet<_> = after.approvals().iter().map(|a| a.by).collect();
        prop_assert_eq!(people.len(), after.approvals().len());
        if matches!(after.stage(), Stage::Approved) || matches!(what, Try::GoLive) {
            prop_assert!(Step::ALL.iter().all(|step| after.closing(*step).is_some()));
            prop_assert!(!after.approvals().is_empty());
            prop_assert!(Part::ALL.iter().all(|part| after.paper(*part).signed.is_some()));
            prop_assert!(after.approvals().iter().all(|a| !after.is_hand(a.by)));
            prop_assert!(after.approvals().iter().all(|a| !after.exempted_by(a.by)));
        }
        if matches!(after.stage(), Stage::Live) {
            lives += 1;
            match what {
                Try::GoLive => prop_assert_eq!(before.stage(), &Stage::Approved),
                // A change that ends without being approved leaves what was in force.
                Try::Withdraw | Try::Refuse => {
                    prop_assert!(before.in_force().is_some(), "live by {what:?} alone");
                    prop_assert_eq!(Some(after.content()), before.in_force());
                }
                _ => prop_assert!(false, "live by {what:?}"),
            }
        }
        dossier = after;
    }
    Ok(lives)
}

proptest! {
    #[test]
    fn rule_b3_nothing_goes_live_past_its_steps(tries in prop::collection::vec(tries(), 1..120)) {
        walk(&tries)?;
    }
}

/// The property above would hold of a dossier that never gets anywhere.
#[test]
fn a_straight_way_leads_to_live_twice() {
    let round = [
        (Try::Sign, 1),
        (Try::Submit, 1),
        (Try::Accept, 3),
        (Try::Check, 3),
        (Try::Close(Step::Documents), 3),
        (Try::Close(Step::Sandbox), 3),
        (Try::Close(Step::Assessment), 3),
        (Try::Approve, 4),
        (Try::GoLive, 3),
    ];
    let begin = [(Try::Save(false), 1), (Try::Attach, 2)];
    let again = [(Try::Reopen, 2), (Try::Save(true), 1)];
    let all = [&begin[..], &round[..], &again[..], &round[..]].concat();
    assert_eq!(walk(&all).unwrap(), 2);
}
