//! The sandbox stage (B3): systems on synthetic people for whoever is about to connect, and what is
//! journaled of their conformance runs. Callers have made sure that this is a sandbox.

use dancu_domain::dossier::{Clearance, Content, Ground, Registration};
use dancu_domain::ids::{
    AccountId, LineId, Login, OfficerCode, ProcedureCode, Purpose, SystemCode, SystemId, UnitCode,
};
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use dancu_domain::registration::{
    Account, AccountKind, AccountState, Certificates, ConnectionState, DateRange, Group, Line,
    OauthAccess, Procedure, Secret, ServiceGrant, SoapAccess, System,
};
use dancu_domain::service::{Field, FieldSet, Service, ServiceSet, Window};
use dancu_store::Store;
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::policy::{setup, write};

use crate::act::{Actor, Done, Entry, Refused, carry_out, note};
use crate::credentials::new_secret;

/// Systems of one person (*ours*): one per piece of software that is tried, with some to spare.
pub const TENANTS_MAX: u32 = 5;
/// What the codes of these systems begin with.
const PREFIX: &str = "THU";
/// Lines of a service where no dossier says otherwise: in hours, off hours. Twelve services off
/// hours are 600, below the total of D4.
const LINES: [u32; 2] = [200, 50];
/// Daily count of the first officer and of the system account.
const DAILY: u32 = 60;
/// Daily count of the second officer, whose hard stop is to be reached (D2).
const DAILY_SCARCE: u32 = 1;
/// The procedure of the samples: code and purpose.
const PROCEDURE: (&str, &str) = ("1.004194", "Đăng ký thường trú");
/// What a verification works on.
const KEYS: FieldSet = FieldSet::of(&[
    Field::PersonalId,
    Field::OldId,
    Field::FullName,
    Field::DateOfBirth,
    Field::VitalStatus,
]);

/// A system that was made, with its secrets, shown this once.
#[derive(Clone)]
pub struct Laid {
    /// Code.
    pub code: String,
    /// User of SOAP and its secret.
    pub soap: (String, String),
    /// Client of OAuth and its secret.
    pub client: (String, String),
    /// Two officers and a system account.
    pub accounts: [String; 3],
}

/// It is told to one person only.
impl std::fmt::Debug for Laid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Laid({})", self.code)
    }
}

/// Whether a system was made here.
#[must_use]
pub fn is_tenant(code: &SystemCode) -> bool {
    code.as_str().strip_prefix(PREFIX).is_some_and(|rest| rest.starts_with(char::is_numeric))
}

/// Whether a system was made for a person.
#[must_use]
pub fn is_of(code: &SystemCode, person: PersonId) -> bool {
    code.as_str().starts_with(&format!("{PREFIX}{}-", person.0))
}

/// The person that a system was made for.
#[must_use]
pub fn owner(code: &SystemCode) -> Option<PersonId> {
    let (person, _) = code.as_str().strip_prefix(PREFIX)?.split_once('-')?;
    person.parse().ok().map(PersonId)
}

/// Makes a live system on synthetic people for a person, with the services and lines that a
/// dossier wants (`None`, or one that names none: all but the blood group, so that something is
/// refused). `hosts`: as SOAP clients reach the sandbox.
///
/// # Errors
/// [`Refused::Field`] where the person has [`TENANTS_MAX`] of them; [`Refused::Gone`] for nobody.
pub async fn lay_out(
    (store, now): (&Store, Moment),
    actor: &Actor,
    unit: &UnitCode,
    hosts: Vec<String>,
    wanted: Option<&Content>,
) -> Result<(Done, Laid), Refused> {
    let person = actor.person().ok_or(Refused::Gone)?;
    let (soap, client) = (new_secret()?, new_secret()?);
    let (keys, unit) = (store.keys().clone(), unit.clone());
    let grants = grants(wanted);
    let evidence = "môi trường thử, dữ liệu giả";
    let clearance = Clearance::exempt(Ground::SyntheticPeople, evidence, &actor.journaled())?;
    let entry = Entry::new("sandbox.laid", actor, None);
    let procedures = procedures(wanted, ServiceSet::of(&services(&grants)));
    carry_out((store, now), entry, move |tx, _| {
        let code = free_code(tx, person)?;
        let low = code.as_str().to_ascii_lowercase();
        let laid = Laid {
            code: code.as_str().to_owned(),
            soap: (format!("{code}_SOAP"), soap),
            client: (low.clone(), client),
            accounts: ["canbo1", "canbo2", "hethong"].map(|name| format!("{low}.{name}")),
        };
        let id = insert(tx, &keys, (&code, &unit), (hosts, &laid), &clearance)?;
        let accounts = accounts(&laid, ServiceSet::of(&services(&grants)))?;
        let count = grants.len();
        let wanted = Registration { code, grants, procedures, accounts };
        setup::register(tx, &keys, id, &wanted)?;
        let what = format!("{} #{} của {unit}: {count} dịch vụ; miễn hồ sơ: ", laid.code, id.0);
        Ok((what + evidence, laid))
    })
    .await
}

fn free_code(tx: &mut Tx<'_>, person: PersonId) -> Result<SystemCode, Refused> {
    for n in 1..=TENANTS_MAX {
        let code = SystemCode::parse(&format!("{PREFIX}{}-{n}", person.0));
        let code = code.map_err(|_| Refused::Gone)?;
        if setup::by_code(tx, &code)?.is_none() {
            return Ok(code);
        }
    }
    Err(Refused::Field {
        field: "lay-out",
        vi: format!("Mỗi người lập được {TENANTS_MAX} hệ thống thử: dùng lại hệ thống đã có."),
        en: format!("A person may have {TENANTS_MAX} test systems: use one of them."),
    })
}

fn insert(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    (code, unit): (&SystemCode, &UnitCode),
    (hosts, laid): (Vec<String>, &Laid),
    clearance: &Clearance,
) -> Result<SystemId, Refused> {
    let (highest, ..) = write::highest_ids(tx)?;
    let id = SystemId(highest.0 + 1);
    let secret = |text: &str| vec![Secret(text.as_bytes().into())];
    let system = System {
        state: ConnectionState::Live,
        soap: Some(SoapAccess {
            user: laid.soap.0.clone(),
            secrets: secret(&laid.soap.1),
            service_urls: vec![],
            hosts,
            reuse_from: vec![],
            x_road_client: None,
        }),
        oauth: Some(OauthAccess {
            client_id: laid.client.0.clone(),
            secrets: secret(&laid.client.1),
            public_keys: vec![],
        }),
        // A sandbox serves plain HTTP on loopback, where nobody can show a certificate.
        certificates: Certificates::OFF,
        ..System::new(id, code.clone(), unit.clone(), Group::State)
    };
    write::insert_cleared(tx, keys, (&system, &[]), clearance)?;
    Ok(id)
}

fn services(grants: &[ServiceGrant]) -> Vec<Service> {
    grants.iter().map(|grant| grant.service).collect()
}

fn grants(wanted: Option<&Content>) -> Vec<ServiceGrant> {
    let line = |daily| Some(Line { id: LineId(0), daily, raises: vec![] });
    let grant = |service: Service, fields, lines| ServiceGrant {
        service,
        ma_tich_hop: service.default_ma_tich_hop().to_owned(),
        fields,
        lines,
    };
    if let Some(content) = wanted.filter(|content| content.services() != ServiceSet::default()) {
        let of = |service: Service| {
            let daily = |window| {
                let row = content.lines.iter().find(|l| l.service == service && l.window == window);
                row.and_then(|row| line(row.daily))
            };
            let uses = content.uses.iter().filter(|u| u.service == service);
            let fields = uses.fold(KEYS, |all, u| all.or(u.fields));
            grant(service, fields, [daily(Window::InHours), daily(Window::OffHours)])
        };
        return content.services().iter().map(of).collect();
    }
    let all = Service::ALL.into_iter().filter(|s| *s != Service::BloodGroupProvide);
    all.map(|s| grant(s, FieldSet::ALL, LINES.map(line))).collect()
}

/// Those of the dossier that can be read, and the one of the samples.
fn procedures(wanted: Option<&Content>, services: ServiceSet) -> Vec<Procedure> {
    let rows = wanted.iter().flat_map(|content| &content.procedures);
    let rows = rows.map(|row| (row.code.trim(), row.purpose.trim())).chain([PROCEDURE]);
    let mut all: Vec<Procedure> = vec![];
    for (code, purpose) in rows {
        let (Ok(code), Ok(purpose)) = (ProcedureCode::parse(code), Purpose::parse(purpose)) else {
            continue;
        };
        if all.iter().all(|known| known.code != code) {
            all.push(Procedure {
                code,
                purpose: Some(purpose),
                services,
                fields: FieldSet::ALL,
                valid: DateRange::default(),
                case_required: false,
            });
        }
    }
    all
}

fn accounts(laid: &Laid, services: ServiceSet) -> Result<Vec<(Account, String, String)>, Refused> {
    let verifies: Vec<Service> = services.iter().filter(|s| s.verifies_only()).collect();
    let rows = [
        (AccountKind::Officer, DAILY, Some("CBTHU1"), "Cán bộ Thử Một"),
        (AccountKind::Officer, DAILY_SCARCE, Some("CBTHU2"), "Cán bộ Thử Hai"),
        (AccountKind::System, DAILY, None, ""),
    ];
    let rows = rows.into_iter().zip(&laid.accounts);
    rows.map(|((kind, daily, code, name), login)| {
        let login = Login::parse(login).map_err(|_| Refused::Gone)?;
        let code = code.map(OfficerCode::parse).transpose().map_err(|_| Refused::Gone)?;
        let account = Account {
            daily,
            services: match kind {
                AccountKind::System => ServiceSet::of(&verifies),
                _ => services,
            },
            officer_code: code,
            ..Account::new(AccountId(0), login, kind)
        };
        Ok((account, name.to_owned(), String::new()))
    })
    .collect()
}

/// Sets accounts of a test system: locked by the persona of abnormal use, open again with the next
/// run (D6).
///
/// # Errors
/// Of the store.
pub async fn set_accounts(
    at: (&Store, Moment),
    system: &System,
    states: Vec<(AccountId, AccountState)>,
) -> Result<Done, Refused> {
    let by = system.code.as_str().to_owned();
    let entry = Entry { kind: "sandbox.accounts", actor: by, system: Some(system.id) };
    let set = carry_out(at, entry, move |tx, _| {
        let mut told = vec![];
        for (id, state) in states {
            write::set_account_state(tx, id, state)?;
            let word = if state == AccountState::Locked { "khóa" } else { "mở" };
            told.push(format!("tài khoản #{} {word}", id.0));
        }
        Ok((format!("khai thác bất thường (người mẫu): {}", told.join(", ")), ()))
    });
    Ok(set.await?.0)
}

/// Journals that a conformance run of a system begins; its index is the number of the run.
///
/// # Errors
/// Of the store.
pub async fn begun(
    (store, now): (&Store, Moment),
    system: &System,
    by: &str,
    client: &str,
) -> Result<Done, Refused> {
    let detail = format!("{}: phần mềm {client}", system.code);
    told((store, now), "conformance.begun", (system, by), detail).await
}

/// Journals that a run showed every case, with the digest of its report.
///
/// # Errors
/// Of the store.
pub async fn passed(
    (store, now): (&Store, Moment),
    (system, by): (&System, &str),
    (run, cases, sha256): (&str, usize, &str),
) -> Result<Done, Refused> {
    let detail = format!("{}: {run} đạt {cases}/{cases}; báo cáo SHA-256 {sha256}", system.code);
    told((store, now), "conformance.passed", (system, by), detail).await
}

async fn told(
    at: (&Store, Moment),
    kind: &'static str,
    (system, by): (&System, &str),
    detail: String,
) -> Result<Done, Refused> {
    let entry = Entry { kind, actor: by.to_owned(), system: Some(system.id) };
    Ok(note(at, entry, move |_| Ok((detail, ()))).await?.0)
}
