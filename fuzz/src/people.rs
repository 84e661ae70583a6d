//! The synthetic system that asks, its day, and every answer it can get.

use std::sync::LazyLock;

use dancu_domain::birth::Precision;
use dancu_domain::ids::{SystemCode, SystemId, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::person::Person;
use dancu_domain::refusal::Reason;
use dancu_domain::registration::{
    Certificates, ConnectionState, Group, OauthAccess, Secret, ServiceGrant, SoapAccess, System,
};
use dancu_domain::service::{Field, FieldSet, Service};
use dancu_gate::query::{
    Answer, ClaimResult, CorrelationId, Disclosed, DisclosedHousehold, Reply, Usage,
};
use jiff::civil::{Date, date};

/// The day in Viet Nam on which everything is asked.
pub const TODAY: Date = date(2026, 3, 10);
/// User and OAuth client of the system.
pub const USER: &str = "onestop";
/// Its secret.
pub const SECRET: &str = "synthetic-secret";

/// A live system with every service under its default code.
pub static SYSTEM: LazyLock<System> = LazyLock::new(|| system(vec![]));

/// The same with public keys (PEM) of its OAuth client.
///
/// # Panics
/// Never: its codes are valid.
pub fn system(public_keys: Vec<String>) -> System {
    let secret = || vec![Secret(SECRET.as_bytes().into())];
    let services = Service::ALL.map(|service| {
        Some(ServiceGrant {
            service,
            ma_tich_hop: service.default_ma_tich_hop().to_owned(),
            fields: FieldSet::ALL,
            lines: [None, None],
        })
    });
    System {
        state: ConnectionState::Live,
        services,
        certificates: Certificates::OFF,
        soap: Some(SoapAccess {
            user: USER.to_owned(),
            secrets: secret(),
            service_urls: vec!["/dancu".to_owned()],
            hosts: vec!["gateway.example".to_owned()],
            reuse_from: vec![],
            x_road_client: Some("VN/GOV/H26/onestop".to_owned()),
        }),
        oauth: Some(OauthAccess { client_id: USER.to_owned(), secrets: secret(), public_keys }),
        ..System::new(
            SystemId(1),
            SystemCode::parse("ONESTOP").expect("a code"),
            UnitCode::parse("H26.001").expect("a code"),
            Group::State,
        )
    }
}

/// Every kind of answer, about this person.
pub fn answers(person: &Person) -> Vec<Answer> {
    let shown = |fields| Disclosed::new(person.clone(), fields, None);
    let precision = Precision::Year;
    let number = person.household.as_ref().map(|h| h.number.clone());
    let members = vec![shown(FieldSet::ALL), shown(FieldSet::EMPTY)];
    let results = [ClaimResult::Match, ClaimResult::Mismatch, ClaimResult::Unknown];
    let claims = Field::ALL.iter().copied().zip(results.into_iter().cycle()).collect();
    let sources = Field::ALL.iter().map(|field| (*field, person.sources.of(*field))).collect();
    vec![
        Answer::NoMatch,
        Answer::Match { precision, alive: Some(person.vital.alive()), claims, sources },
        Answer::Citizen { precision, citizen: Box::new(shown(FieldSet::ALL)) },
        Answer::Household { precision, household: None },
        Answer::Household {
            precision,
            household: Some(DisclosedHousehold { number, size: members.len(), members }),
        },
        Answer::Checked { precision: Precision::Day, result: ClaimResult::Match },
        Answer::Blood { precision: Precision::Day, group: person.blood },
    ]
}

/// A refusal for each reason.
pub fn refusals() -> impl Iterator<Item = Reply> {
    (0..=u8::MAX)
        .filter_map(Reason::from_number)
        .map(|reason| Reply { result: Err(reason.into()), ..reply(Answer::NoMatch) })
}

/// The reply with an answer.
pub fn reply(answer: Answer) -> Reply {
    let usage = Usage { remaining: 7, resets_at: Moment(1_773_100_800_000) };
    Reply {
        correlation: CorrelationId([0xab; 16]),
        journal_index: Some(1),
        usage: Some(usage),
        result: Ok(answer),
    }
}

/// Reads an answer as clients do.
///
/// # Panics
/// Where it is not well-formed XML with namespaces.
pub fn assert_xml(text: &str) {
    if let Err(error) = roxmltree::Document::parse(text) {
        panic!("an answer is not well-formed: {error}\n{text}");
    }
}

/// Reads an answer as clients do.
///
/// # Panics
/// Where it is not JSON.
pub fn assert_json(text: &str) {
    if let Err(error) = serde_json::from_str::<serde_json::Value>(text) {
        panic!("an answer is not JSON: {error}\n{text}");
    }
}

/// Errors name fields and never repeat a value: no row of nine digits, which ids have.
///
/// # Panics
/// Where one does.
pub fn assert_no_id(text: &str) {
    let mut run = 0;
    for b in text.bytes() {
        run = if b.is_ascii_digit() { run + 1 } else { 0 };
        assert!(run < 9, "an error repeats an id: {text}");
    }
}
