//! The sandbox step by a signed report (B3).

use super::*;
use crate::conformance::{FORMAT, Report, ReportCase, Run};

/// Live by a report that was only named, as before reports were checked.
pub(super) fn live_by_name() -> Dossier {
    let mut before = live();
    let report = Evidence::Conformance { report: "KT-1".into(), passed: 12, failed: 0 };
    let closing = Some(Closing::Done(report, mark(FIRST)));
    before.steps[Step::Sandbox as usize].clone_from(&closing);
    before.in_force.as_mut().unwrap().steps[Step::Sandbox as usize] = closing;
    before
}

fn proven() -> Proven {
    let services = [Service::CitizenVerify, Service::CitizenLookup];
    let run = Run::new(ServiceSet::of(&services), [true; 2]);
    let cases = run.cases().iter().map(|shown| ReportCase {
        case: shown.case.code().into(),
        name_vi: shown.case.text().name_vi.into(),
        passed: true,
        entries: vec![4],
    });
    let report = Report {
        format: FORMAT.into(),
        run: "KT-40".into(),
        unit_code: begun().unit().as_str().into(),
        for_system: "MOTCUA".into(),
        system_code: "THU2-1".into(),
        services: services.map(|s| s.code().to_owned()).into(),
        client: "Một cửa 4.2".into(),
        begun_by: "thu2-1".into(),
        from: String::new(),
        to: String::new(),
        signed_at: String::new(),
        cases: cases.collect(),
        other_refusals: 0,
    };
    Proven { report, sha256: "ab".repeat(32), signer: "thu+01234567".into(), at: now() }
}

#[test]
fn rule_b3_a_report_closes_the_step_only_for_its_system_in_time_and_whole() {
    let days = i64::from(profile().dossier.report_days);
    let close = |proven: &Proven| accepted(whole()).tested(mark(INTEGRATOR), proven, &profile());
    let closed = close(&proven()).unwrap();
    let Some(Closing::Done(Evidence::Report { number, passed, .. }, by)) =
        closed.closing(Step::Sandbox)
    else {
        panic!("{:?}", closed.closing(Step::Sandbox))
    };
    assert_eq!((number.as_str(), by.by), ("KT-40", INTEGRATOR));
    assert_eq!(*passed as usize, proven().report.cases.len());
    assert_eq!(why(closed.tested(mark(HEAD), &proven(), &profile())), Blocked::StepClosed);

    let with = |change: &dyn Fn(&mut Proven)| {
        let mut changed = proven();
        change(&mut changed);
        close(&changed)
    };
    let of = |change: &dyn Fn(&mut Report)| why(with(&|p| change(&mut p.report)));
    assert_eq!(of(&|r| r.for_system = "KHAC".into()), Blocked::ReportForeign);
    assert_eq!(of(&|r| r.unit_code = "H99".into()), Blocked::ReportForeign);
    assert_eq!(of(&|r| r.services.retain(|s| s != "citizen.verify")), Blocked::ReportServices);
    assert_eq!(of(&|r| r.cases[2].passed = false), Blocked::ConformanceFailed);
    assert_eq!(of(&|r| drop(r.cases.pop())), Blocked::ConformanceFailed);
    assert_eq!(of(&|r| r.cases.clear()), Blocked::ConformanceFailed);
    assert_eq!(of(&|r| r.format = "dancu-conformance/1".into()), Blocked::ConformanceFailed);
    assert!(with(&|p| p.at = Moment(now().0 - days * DAY_MS)).is_ok(), "the last day");
    assert_eq!(why(with(&|p| p.at = Moment(p.at.0 - days * DAY_MS - 1))), Blocked::ReportOld);
    assert_eq!(why(with(&|p| p.at = Moment(p.at.0 + 2 * DAY_MS))), Blocked::ReportOld);

    let early = submitted(whole()).tested(mark(HEAD), &proven(), &profile());
    assert_eq!(why(early), Blocked::NotInThisStage);
    let evidence = Evidence::Conformance { report: "KT-1".into(), passed: 12, failed: 0 };
    let named = accepted(whole()).close_step(mark(FIRST), Step::Sandbox, evidence);
    assert_eq!(why(named), Blocked::ReportNeeded);
}

#[test]
fn rule_c2_a_report_of_before_a_change_of_design_says_nothing() {
    let later = |by| Mark { by, at: Moment(now().0 + DAY_MS) };
    let open = live().reopen(later(HEAD), Cause::Design, "Đổi máy chủ").unwrap();
    let sign = |d: Dossier, part| d.sign(later(HEAD), part, &profile()).unwrap();
    let signed = Part::ALL.into_iter().fold(open, sign);
    let received = signed.submit(later(HEAD), false, &profile()).unwrap();
    let received = received.accept(later(FIRST), SYSTEM).unwrap();
    let old = received.clone().tested(later(HEAD), &proven(), &profile());
    assert_eq!(why(old), Blocked::ReportOld);
    let new = Proven { at: later(HEAD).at, ..proven() };
    assert!(received.tested(later(HEAD), &new, &profile()).is_ok());
}

#[test]
fn rule_b3_a_report_of_before_another_description_says_nothing() {
    let later = |by| Mark { by, at: Moment(now().0 + DAY_MS) };
    let closed = accepted(whole()).tested(mark(INTEGRATOR), &proven(), &profile()).unwrap();
    let remark = Remark { item: Item::Technical, row: None, text: "Viết rõ hơn".into() };
    let back = closed.ask_changes(later(FIRST), vec![remark]).unwrap();
    let mut content = back.content().clone();
    content.technical.push_str(" Thêm một máy chủ.");
    let open = back.save(later(HEAD), Editor::Unit, content).unwrap();
    let open = open.answer(later(HEAD), 0, "Đã viết lại").unwrap();
    let sign = |d: Dossier, part| d.sign(later(HEAD), part, &profile()).unwrap();
    let signed = Part::ALL.into_iter().fold(open, sign);
    let received = signed.submit(later(HEAD), false, &profile()).unwrap();
    let received = received.accept(later(FIRST), SYSTEM).unwrap();
    let old = received.clone().tested(later(HEAD), &proven(), &profile());
    assert_eq!(why(old), Blocked::ReportOld);
    let new = Proven { at: later(HEAD).at, ..proven() };
    assert!(received.tested(later(HEAD), &new, &profile()).is_ok());
}
