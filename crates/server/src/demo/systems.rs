//! The systems of the demo (contract, "demo.json"): what each is registered for.

use dancu_domain::registration::{Channel, ConnectionState, Group};
use dancu_domain::service::{Field, FieldSet, Service};
use dancu_wire::lgsp::Shape;

/// A system as the demo registers it.
pub struct Template {
    /// System code.
    pub code: &'static str,
    /// Unit code.
    pub unit: &'static str,
    /// Group (A1).
    pub group: Group,
    /// State (B3).
    pub state: ConnectionState,
    /// Approved exceptions (A2).
    pub exceptions: &'static [Channel],
    /// Services with their lines.
    pub lines: Vec<(Service, u32, u32)>,
    /// Fields granted per service.
    pub fields: FieldSet,
    /// Daily count of an officer.
    pub officer_daily: u32,
    /// Shape of the provincial JSON answers; `None`: that interface is refused (A2).
    pub lgsp: Option<Shape>,
    /// Whether its client has a key pair as well (private_key_jwt).
    pub key_pair: bool,
}

/// Keys of a citizen, and what a plain verify may say.
const KEYS: FieldSet =
    FieldSet::of(&[Field::PersonalId, Field::OldId, Field::FullName, Field::DateOfBirth]);

/// Off-hours counts of the one-stop system: 200 for the services that clerks use, less for the
/// others, 1,000 together (D4).
const ONE_STOP_OFF_HOURS: [u32; 12] = [200, 200, 100, 100, 100, 60, 60, 60, 60, 20, 20, 20];

fn every_service(in_hours: u32, off_hours: [u32; 12]) -> Vec<(Service, u32, u32)> {
    Service::ALL.into_iter().zip(off_hours).map(|(s, off)| (s, in_hours, off)).collect()
}

/// Every system of the demo.
pub fn templates() -> Vec<Template> {
    let live = ConnectionState::Live;
    let state = |code, unit, lines, fields| Template {
        code,
        unit,
        group: Group::State,
        state: live,
        exceptions: &[],
        lines,
        fields,
        officer_daily: 30,
        lgsp: Some(Shape::Envelope),
        key_pair: false,
    };
    let verify = Service::CitizenVerify;
    let lookup = Service::CitizenLookup;
    let with_vital =
        KEYS.or(FieldSet::of(&[Field::Sex, Field::VitalStatus, Field::CurrentResidence]));
    vec![
        state("ONESTOP", "H26.001", every_service(500, ONE_STOP_OFF_HOURS), FieldSet::ALL),
        Template {
            officer_daily: 8,
            lgsp: Some(Shape::Data),
            ..state("SMALL", "H26.002", every_service(20, [10; 12]), FieldSet::ALL)
        },
        Template {
            lgsp: Some(Shape::Data),
            ..state("VERIFYONLY", "H26.003", vec![(verify, 500, 200)], with_vital)
        },
        Template {
            group: Group::PublicService,
            // A2: banks use portals and written requests; the API needs an approval.
            exceptions: &[Channel::Api],
            lgsp: Some(Shape::Soap),
            key_pair: true,
            ..state("BANK", "B01.001", vec![(verify, 500, 200)], KEYS)
        },
        Template {
            state: ConnectionState::Suspended,
            ..state("SUSPENDED", "H26.004", vec![(verify, 100, 50), (lookup, 100, 50)], with_vital)
        },
        Template {
            lgsp: Some(Shape::Soap),
            ..state("BIG", "G01.001", every_service(10_000_000, [80; 12]), FieldSet::ALL)
        },
        Template {
            lgsp: None,
            ..state("NIGHT", "G01.002", vec![(verify, 500, 600), (lookup, 500, 400)], with_vital)
        },
        // A2: groups without the API are refused, whatever they are registered for.
        Template {
            group: Group::Other,
            ..state("WRITTEN", "K01.001", vec![(verify, 100, 50)], KEYS)
        },
    ]
}
