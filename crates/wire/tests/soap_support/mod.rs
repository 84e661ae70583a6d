//! A system and synthetic people for the SOAP tests.
#![expect(dead_code, reason = "each test uses its own part")]

use dancu_domain::birth::{BirthDate, Precision};
use dancu_domain::ids::{OldId, PersonalId, SystemCode, SystemId, UnitCode};
use dancu_domain::name::FullName;
use dancu_domain::person::{
    Address, BloodGroup, Country, Dataset, HouseholdRef, HouseholdRole, MaritalStatus, Person,
    Relative, Sex, Source, Sources, Stamp, VitalStatus,
};
use dancu_domain::refusal::Reason;
use dancu_domain::registration::{ConnectionState, Group, ServiceGrant, System};
use dancu_domain::service::{FieldSet, Service};
use dancu_gate::query::{
    Answer, ClaimResult, CorrelationId, Denied, Disclosed, DisclosedHousehold, Reply,
};
use dancu_wire::soap::{SoapCall, SoapUnreadable, parse};
use jiff::civil::{Date, date};

pub const TODAY: Date = date(2026, 3, 10);
pub const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
pub const DC: &str = "http://dancuquocgia.bca";

/// A live system with every service under its default code.
pub fn system() -> System {
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
        ..System::new(
            SystemId(1),
            SystemCode::parse("ONESTOP").unwrap(),
            UnitCode::parse("H26.001").unwrap(),
            Group::State,
        )
    }
}

/// The elements that most operations need, in the usual order.
pub const FIELDS: [(&str, &str); 8] = [
    ("MaYeuCau", "yc-1"),
    ("MaDVC", "1.004194"),
    ("MaTichHop", "003"),
    ("MaDonVi", "H26.001"),
    ("MaCanBo", "can.bo.mot"),
    ("SoDinhDanh", "099301012345"),
    ("HoVaTen", "Nguyễn Thị Mẫu"),
    ("NgayThangNamSinh", "<NgayThangNam>20010215</NgayThangNam>"),
];

/// The fields with some replaced, dropped (empty value and name given) or added.
pub fn fields(changes: &[(&str, Option<&str>)]) -> String {
    let mut all: Vec<(String, String)> =
        FIELDS.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    for (name, value) in changes {
        match (all.iter().position(|(n, _)| n == name), value) {
            (Some(at), Some(value)) => (*value).clone_into(&mut all[at].1),
            (Some(at), None) => drop(all.remove(at)),
            (None, Some(value)) => all.push(((*name).to_owned(), (*value).to_owned())),
            (None, None) => {}
        }
    }
    all.iter().fold(String::new(), |text, (n, v)| text + &format!("<{n}>{v}</{n}>"))
}

pub fn envelope(operation: &str, inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"{SOAP}\">\
         <soapenv:Header/><soapenv:Body><{operation} xmlns=\"{DC}\">{inner}</{operation}>\
         </soapenv:Body></soapenv:Envelope>"
    )
}

/// A verification with changed fields.
pub fn verify(changes: &[(&str, Option<&str>)]) -> String {
    envelope("XacThucThongTinCongDan", &fields(changes))
}

pub fn read(body: impl AsRef<[u8]>) -> Result<SoapCall, Box<SoapUnreadable>> {
    parse(body.as_ref(), Some("text/xml; charset=utf-8"), &system(), TODAY)
}

/// The operation without a code.
pub fn ask(
    operation: &str,
    more: &[(&str, Option<&str>)],
) -> Result<SoapCall, Box<SoapUnreadable>> {
    let mut changes = vec![("MaTichHop", None)];
    changes.extend_from_slice(more);
    read(envelope(operation, &fields(&changes)))
}

/// The fields that errors name.
pub fn wrong(body: impl AsRef<[u8]>) -> Vec<String> {
    let unread = read(body).expect_err("an error was expected");
    assert!(!unread.unreadable.errors.is_empty());
    unread.unreadable.errors.into_iter().map(|e| e.field).collect()
}

fn name(text: &str) -> FullName {
    FullName::parse(text).unwrap()
}

fn relative(text: &str, id: &str) -> Relative {
    Relative {
        full_name: name(text),
        personal_id: PersonalId::parse(id).ok(),
        old_id: None,
        nationality: Country::VN,
    }
}

fn address(province: u8, commune: u32, detail: &str, dataset: Dataset) -> Address {
    Address { province, commune, detail: detail.to_owned(), country: Country::VN, dataset }
}

pub fn person() -> Person {
    Person {
        personal_id: PersonalId::parse("099301012345").unwrap(),
        old_ids: vec![OldId::parse("012345678").unwrap()],
        full_name: name("Nguyễn Thị Mẫu"),
        other_name: None,
        birth: BirthDate::Day(date(2001, 2, 15)),
        sex: Sex::Female,
        ethnicity: 1,
        religion: 0,
        nationality: Country::VN,
        marital: MaritalStatus::Married,
        blood: BloodGroup::O,
        birth_place: None,
        birth_registration: Some(address(1, 4, "", Dataset::Y2024)),
        origin: Some(address(79, 26_740, "", Dataset::Y2026)),
        permanent: Some(address(1, 4, "Số 1 <ngõ 2> & 'hẻm'", Dataset::Y2026)),
        temporary: None,
        current: None,
        father: Some(relative("Nguyễn Văn Đức", "099070000001")),
        mother: Some(Relative { personal_id: None, ..relative("Trần Thị Hoà", "") }),
        spouse: None,
        guardian: None,
        household: Some(HouseholdRef {
            key: 7,
            number: "H0001".to_owned(),
            role: HouseholdRole::Child,
            head: relative("Nguyễn Văn Đức", "099070000001"),
        }),
        vital: VitalStatus::Alive,
        sources: Sources {
            default: Stamp { source: Source::Manual, on: date(2025, 1, 1) },
            own: vec![],
        },
    }
}

pub fn shown(person: Person, fields: FieldSet) -> Disclosed {
    Disclosed::new(person, fields, None)
}

pub fn reply(result: Result<Answer, Denied>) -> Reply {
    Reply { correlation: CorrelationId([0xab; 16]), journal_index: Some(1), usage: None, result }
}

pub fn denied(reason: Reason) -> Reply {
    reply(Err(reason.into()))
}

pub fn citizen(fields: FieldSet, precision: Precision) -> Answer {
    Answer::Citizen { precision, citizen: Box::new(shown(person(), fields)) }
}

pub fn household() -> Answer {
    let head = Person { old_ids: vec![], birth: BirthDate::Year(1970), ..person() };
    let members = vec![shown(head, FieldSet::ALL), shown(person(), FieldSet::ALL)];
    let household =
        DisclosedHousehold { number: Some("H0001".to_owned()), size: members.len(), members };
    Answer::Household { precision: Precision::Day, household: Some(household) }
}

pub fn matched(precision: Precision) -> Answer {
    Answer::Match { precision, alive: Some(Some(true)), claims: vec![], sources: vec![] }
}

pub fn checked(result: ClaimResult) -> Answer {
    Answer::Checked { precision: Precision::Day, result }
}
