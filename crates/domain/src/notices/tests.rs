//! How soon notices are mailed, and where they lead.

use super::*;
use crate::ids::UnitCode;

fn line() -> LineAt {
    LineAt {
        system: SystemCode::parse("MAU").unwrap(),
        service: Service::CitizenVerify,
        window: Window::InHours,
    }
}

#[test]
fn rule_d3_d6_what_locks_is_told_at_once_and_a_first_warning_waits() {
    let at_once = |notice: Notice| notice.row().urgency == Urgency::AtOnce;
    assert!(at_once(Notice::LineExceeded { line: line(), count: 10 }));
    assert!(at_once(Notice::LineLocked { line: line(), connection: false, until: None }));
    assert!(at_once(Notice::Account(AccountChange::Locked)));
    let warned = |percent| Notice::LineWarned { line: line(), percent, count: 10 };
    assert!(!at_once(warned(80)) && !at_once(warned(95)) && at_once(warned(100)));
}

#[test]
fn links_lead_to_the_readers_own_desk() {
    let locked = Notice::LineLocked { line: line(), connection: true, until: None };
    assert_eq!(locked.link(Side::Head), "/unit/usage");
    assert_eq!(locked.link(Side::Operator), "/operate/locks");
    let ending =
        Notice::CredentialEnding { system: line().system, number: 1, until: Moment::default() };
    assert_eq!(ending.link(Side::Integrator), "/integrator/MAU");
    let account = Notice::Account(AccountChange::Locked);
    assert_eq!(account.link(Side::Person), "/account/history");
    assert_eq!(account.link(Side::Head), "/unit/officers");
}

#[test]
fn rule_b8_who_receives_a_summary_is_led_to_it() {
    let handed = |to: &str| {
        let (by, number, to) = ("Công an tỉnh".into(), "TH-00001".into(), to.into());
        Notice::HandedUp { by, number, to }.link(Side::Operator)
    };
    assert_eq!(handed("H26"), "/gathering/handed/TH-00001?at=H26");
    assert_eq!(Audience::FocalPoints(UnitCode::parse("H26").unwrap()).side(), Side::Operator);
}

#[test]
fn numbers_and_words_read_back() {
    assert!(Side::ALL.into_iter().all(|s| Side::from_number(s as u8) == Some(s)));
    assert!(Topic::ALL.into_iter().all(|t| Topic::from_code(t.code()) == Some(t)));
    assert_eq!((Side::from_number(5), Topic::from_code("")), (None, None));
}

#[test]
fn rule_b3_a_dossiers_notice_leads_to_its_page_and_an_account_is_warned_by_its_count() {
    let step = Notice::Dossier { number: "HS-00001".into(), deed: DossierDeed::Submitted };
    assert_eq!(step.link(Side::Operator), "/centre/dossiers/HS-00001");
    assert_eq!(step.link(Side::Head), "/unit/dossiers/HS-00001");
    let exceeded = Notice::LineExceeded { line: line(), count: 10 };
    assert_eq!(exceeded.link(Side::Person), "/counter");
    assert_eq!(exceeded.link(Side::Head), "/unit/usage");
    let warned = |percent| Notice::AccountWarned { system: line().system, percent };
    assert_eq!(warned(95).row().urgency, Urgency::Ordinary);
    assert_eq!(warned(100).row().urgency, Urgency::AtOnce);
    assert!(!warned(100).is_pressing() && Notice::Account(AccountChange::Locked).is_pressing());
}
