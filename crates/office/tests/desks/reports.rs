//! Reports of conformance runs, handed in to the dossier (B3). Signatures are checked by the
//! server.

use dancu_domain::conformance::{FORMAT, Report, ReportCase, Run};
use dancu_domain::dossier::{Blocked, Closing, Evidence, Proven, Step};
use dancu_domain::service::{Service, ServiceSet};
use dancu_office::dossiers::read::Act;
use dancu_office::dossiers::{Side, review, tested};

use super::super::world::*;
use super::{Walk, content, unit};

/// Of the walk's unit, system and services.
pub fn proven() -> Proven {
    let services: Vec<Service> = content().services().iter().collect();
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
        unit_code: unit().as_str().into(),
        for_system: "HOSO".into(),
        system_code: "THU2-1".into(),
        services: services.iter().map(|s| s.code().to_owned()).collect(),
        client: "Một cửa 4.2".into(),
        begun_by: "thu2-1".into(),
        from: String::new(),
        to: String::new(),
        signed_at: String::new(),
        cases: cases.collect(),
        other_refusals: 0,
    };
    Proven { report, sha256: "ab".repeat(32), signer: "thu+01234567".into(), at: clock() }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b3_the_unit_hands_the_report_in_and_nobody_closes_the_step_by_a_name() {
    for world in World::both("dossier-report").await {
        let mut walk = Walk::submitted(&world, content()).await;
        let early = walk.head(async |desk, at| tested::hand_in(&desk, at, proven()).await).await;
        assert_eq!(super::blocked(early), Blocked::NotInThisStage);
        walk.centre(FIRST, async |desk, at| review::accept(&desk, at).await).await.unwrap();
        let unit = unit();
        let acts = walk.open(Side::Unit(&unit), HEAD).await.unwrap().acts;
        assert!(acts.contains(&Act::HandReport), "{acts:?}");
        let acts = walk.open(Side::Centre, FIRST).await.unwrap().acts;
        assert!(acts.contains(&Act::CloseStep(Step::Sandbox)), "{acts:?}");
        assert!(!acts.contains(&Act::HandReport), "{acts:?}");

        let named = Evidence::Conformance { report: "KT-1".into(), passed: 9, failed: 0 };
        let close = walk.centre(FIRST, async |desk, at| {
            review::close_step(&desk, at, Step::Sandbox, named).await
        });
        assert_eq!(super::blocked(close.await), Blocked::ReportNeeded);
        let mut foreign = proven();
        foreign.report.for_system = "KHAC".into();
        let handed = walk.head(async |desk, at| tested::hand_in(&desk, at, foreign).await).await;
        assert_eq!(super::blocked(handed), Blocked::ReportForeign);

        walk.head(async |desk, at| tested::hand_in(&desk, at, proven()).await).await.unwrap();
        let act = world.last_act();
        assert_eq!(act.kind, "dossier.stepDone");
        assert!(act.detail.contains("KT-40, SHA-256 abab"), "{}", act.detail);
        let open = walk.open(Side::Centre, FIRST).await.unwrap();
        assert!(matches!(
            open.dossier.closing(Step::Sandbox),
            Some(Closing::Done(Evidence::Report { number, .. }, by))
                if number == "KT-40" && by.by == HEAD
        ));
    }
}
