//! Which notices are events, and what those say.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::ids::UnitCode;
use crate::notices::{AccountChange, CampaignDeed};
use crate::people::PersonId;
use crate::service::{Service, Window};

/// Stands where a text of people may stand: none of it is sent.
const LEAK: &str = "099301012345";

fn system() -> SystemCode {
    SystemCode::parse("MAU").unwrap()
}

fn line() -> LineAt {
    LineAt { system: system(), service: Service::CitizenVerify, window: Window::InHours }
}

fn at() -> Moment {
    Moment::parse_rfc3339("2026-03-02T07:00:00+07:00").unwrap()
}

/// Every notice with what its event says; none where it is none.
fn table() -> Vec<(Notice, Option<&'static str>)> {
    use Notice as N;
    let place = r#""service":"citizen.verify","window":"inHours""#;
    let with = |more: &str| -> Option<&'static str> {
        Some(Box::leak(format!("{{{place}{more}}}").into_boxed_str()))
    };
    let (system, line, text) = (system(), line(), || LEAK.to_owned());
    let until = r#","until":"2026-03-02T07:00:00+07:00""#;
    vec![
        (
            N::LineWarned { line: line.clone(), percent: 80, count: 10 },
            with(r#","percent":80,"count":10"#),
        ),
        (N::LineExceeded { line: line.clone(), count: 10 }, with(r#","count":10"#)),
        (
            N::LineLocked { line: line.clone(), connection: true, until: None },
            with(r#","connection":true,"until":null"#),
        ),
        (N::LineLifted { line: line.clone() }, with("")),
        (N::RaiseGranted { line: line.clone(), to: at() }, with(until)),
        (N::RaiseRefused { line: line.clone() }, with("")),
        (N::RaiseEnding { line, to: at() }, with(until)),
        (N::Connection { system: system.clone(), locked: true }, Some("{}")),
        (N::Connection { system: system.clone(), locked: false }, Some("{}")),
        (
            N::Appeal { system: system.clone(), lock: text(), step: AppealStep::Kept },
            Some(r#"{"step":"kept"}"#),
        ),
        (N::Appeal { system: system.clone(), lock: text(), step: AppealStep::Made }, None),
        (N::Appeal { system: system.clone(), lock: text(), step: AppealStep::Late }, None),
        (
            N::CredentialEnding { system: system.clone(), number: 3, until: at() },
            Some(r#"{"number":3,"until":"2026-03-02T07:00:00+07:00"}"#),
        ),
        (N::ListWaits { system: system.clone() }, Some("{}")),
        (N::ListChanged { system: system.clone() }, Some("{}")),
        (N::RevocationToConfirm { system: system.clone() }, Some("{}")),
        (N::Plan { system: system.clone(), deed: Deed::Agreed }, Some(r#"{"step":"agreed"}"#)),
        (
            N::Dossier { number: "HS-00012".into(), deed: DossierDeed::ChangesAsked },
            Some(r#"{"number":"HS-00012","step":"changesAsked"}"#),
        ),
        (
            N::Statement { system: system.clone(), month: "2026-03".into() },
            Some(r#"{"month":"2026-03"}"#),
        ),
        (
            N::Announced { title: "Bảo trì".into(), incident: false },
            Some(r#"{"title":"Bảo trì","incident":false}"#),
        ),
    ]
}

/// What is none, with a text that is never sent.
fn none() -> Vec<Notice> {
    use Notice as N;
    let (system, text) = (system(), || LEAK.to_owned());
    vec![
        N::Account(AccountChange::Locked),
        N::AccountWarned { system: system.clone(), percent: 95 },
        N::RaiseAsked { system: system.clone(), requests: 2 },
        N::DossierStep { number: text(), step: text(), turn: text(), text: text(), link: text() },
        N::CampaignReminder { name: text(), due: date(2026, 10, 1), text: text(), link: text() },
        N::MailFailing { own: true },
        N::Urged { by: text(), text: text(), link: text() },
        N::Campaign {
            name: text(),
            number: text(),
            due: date(2026, 10, 1),
            deed: CampaignDeed::Opened,
        },
        N::HandedUp { by: text(), number: text(), to: text() },
        N::WebhookFailing { system, off: true },
    ]
}

fn json(event: &Event) -> String {
    serde_json::to_string(&event.body("msg_1", at(), &system())).unwrap()
}

#[test]
fn what_a_notice_says_of_a_system_is_its_event() {
    assert!(none().iter().all(|notice| Event::of(notice).is_none()));
    let mut kinds = vec![Kind::Test];
    for (notice, data) in table() {
        let event = Event::of(&notice);
        let found = event.as_ref().map(|event| serde_json::to_string(&event.data).unwrap());
        assert_eq!(found.as_deref(), data, "{notice:?}");
        let Some(event) = event else { continue };
        kinds.push(event.kind);
        let sent: serde_json::Value = serde_json::from_str(&json(&event)).unwrap();
        let names: Vec<_> = sent.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected = ["id", "type", "time", "system", "data", "rule"];
        expected.sort_unstable();
        assert_eq!(names, expected);
        assert_eq!((&sent["type"], &sent["system"]), (&event.kind.code().into(), &"MAU".into()));
        assert_eq!(sent["time"], "2026-03-02T07:00:00+07:00");
        assert_eq!(sent["rule"], notice.row().rule.code());
    }
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, Kind::ALL, "each kind is sent for something");
}

#[test]
fn rule_a6_no_event_holds_what_is_about_a_person() {
    for (notice, _) in table() {
        let Some(event) = Event::of(&notice) else { continue };
        let text = json(&event);
        assert!(!text.contains(LEAK) && !text.to_lowercase().contains("login"), "{text}");
    }
    assert_eq!(json(&Event::test(&system())).matches("{}").count(), 1);
}

proptest! {
    /// Whatever the numbers are, nothing in it reads as an id of a citizen.
    #[test]
    fn rule_a6_no_number_of_an_event_reads_as_a_citizens_id(
        count in any::<u32>(), percent in any::<u8>(), ms in 0i64..4_000_000_000_000,
    ) {
        let to = Moment(ms);
        for notice in [
            Notice::LineWarned { line: line(), percent, count },
            Notice::RaiseGranted { line: line(), to },
            Notice::CredentialEnding { system: system(), number: count, until: to },
        ] {
            let text = json(&Event::of(&notice).unwrap());
            let longest = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
            prop_assert!(longest < Some(12), "{text}");
        }
    }
}

#[test]
fn what_the_centre_alone_is_told_is_no_event() {
    let unit = UnitCode::parse("H26.001").unwrap();
    let step = |deed| Notice::Dossier { number: "HS-00001".into(), deed };
    let notice = step(DossierDeed::Live);
    let is_event = |to: &[Audience]| Event::of_told(to, &notice).is_some();
    assert!(!is_event(&[Audience::Reviewers]) && !is_event(&[Audience::Operators(None)]));
    assert!(!is_event(&[Audience::Person(PersonId(1))]) && !is_event(&[]));
    assert!(is_event(&[Audience::Operators(None), Audience::Heads(unit.clone(), None)]));
    assert!(is_event(&[Audience::Integrators(unit)]) && is_event(&[Audience::Everybody]));
    let subject = Event::of(&notice).unwrap().subject;
    assert_eq!(subject, Subject::Dossier(DossierNumber::parse("HS-00001").unwrap()));
}

#[test]
fn kinds_keep_their_numbers_and_all_of_them_are_those_to_come_too() {
    for (place, kind) in Kind::ALL.iter().enumerate() {
        assert_eq!(*kind as usize, place, "numbers stand in the store");
        assert_eq!(Kind::from_number(*kind as u8), Some(*kind));
        assert_eq!(Kind::from_code(kind.code()), Some(*kind));
    }
    let some = Kinds::of(&[Kind::LineLocked, Kind::Announced]);
    assert!(some.has(Kind::LineLocked) && some.has(Kind::Announced));
    assert!(!some.has(Kind::LineWarned) && Kinds::from_bits(some.bits()) == some);
    let every: Vec<_> = Kind::chosen().collect();
    assert_eq!(Kinds::of(&every), Kinds::EVERY);
    assert_ne!(Kinds::EVERY.bits() & 1 << 62, 0, "also a kind that there is not yet");
}

#[test]
fn an_address_that_is_down_is_left_alone_ever_longer() {
    let rests: Vec<_> = (1..=40).map(rest_ms).collect();
    assert_eq!(rests[..3], [5_000, 10_000, 20_000]);
    assert!(rests.windows(2).all(|two| two[0] <= two[1]) && rests[39] == LONGEST_REST_MS);
}
