//! Registers the demo's systems in one act of the ledger.

use dancu_domain::dossier::{Clearance, Ground};
use dancu_domain::ids::{
    AccountId, LineId, Login, OfficerCode, PlanId, ProcedureCode, Purpose, SystemCode, SystemId,
    UnitCode,
};
use dancu_domain::moment::Moment;
use dancu_domain::plans::ClockRange;
use dancu_domain::registration::{
    Account, AccountKind, AccountList, AccountState, Certificates, DateRange, Line, OauthAccess,
    Plan, Procedure, Secret, ServiceGrant, SharedOfficer, SoapAccess, System,
};
use dancu_domain::service::{FieldSet, Service, ServiceSet};
use dancu_journal::{Act, Body};
use dancu_store::{Store, policy};
use dancu_world::names::officer_name;

use super::client_key;
use super::systems::{Template, templates};

/// Procedure code, purpose, services; codes as the national portal writes them.
const PROCEDURES: [(&str, &str, &[Service]); 3] = [
    ("1.004194", "Đăng ký thường trú", &Service::ALL),
    ("1.001193", "Đăng ký khai sinh", &Service::ALL),
    (
        "2.000488",
        "Xác minh tài khoản cổng dịch vụ công",
        &[Service::CitizenVerify, Service::VitalStatusVerify],
    ),
];
/// Bytes of a secret: 128 bits, as wire-formats asks.
const SECRET_BYTES: usize = 16;

/// Makes and registers every system.
pub async fn register(store: &Store, now: Moment) -> anyhow::Result<()> {
    let mut ids = Ids::default();
    let systems = templates().iter().map(|t| ids.system(t)).collect::<anyhow::Result<Vec<_>>>()?;
    let keys = store.keys().clone();
    // B3: what is live without a dossier needs a recorded exemption.
    let evidence = "môi trường thử, dữ liệu giả";
    let clearance = Clearance::exempt(Ground::SyntheticPeople, evidence, "dancu demo")?;
    store
        .ledger()
        .act(now, move |db, _| {
            for (system, names) in &systems {
                policy::write::insert_cleared(db, &keys, (system, names), &clearance)?;
            }
            Ok(Body::Act(Act {
                kind: "system.registered".into(),
                actor: "dancu demo".into(),
                system: 0,
                detail: format!("{} systems; miễn hồ sơ: {evidence}", systems.len()),
            }))
        })
        .await?;
    Ok(())
}

/// Row ids given so far.
#[derive(Default)]
struct Ids {
    system: u32,
    line: u32,
    account: u32,
    plan: u32,
}

impl Ids {
    fn system(&mut self, t: &Template) -> anyhow::Result<(System, Vec<String>)> {
        self.system += 1;
        self.plan += 1;
        let plan = PlanId(self.plan);
        let services = ServiceSet::of(&t.lines.iter().map(|l| l.0).collect::<Vec<_>>());
        let (accounts, names) = self.accounts(t, services, plan)?;
        let shared = accounts.iter().find(|a| a.kind == AccountKind::System);
        let shared_officers = shared
            .map(|a| SharedOfficer {
                value: "canbomotcua".into(),
                account: a.id,
                until: jiff::civil::date(2027, 12, 31),
            })
            .into_iter()
            .collect();
        let client_secret = secret()?;
        let key = t.key_pair.then(|| client_key::public(&client_secret)).transpose()?;
        let system = System {
            state: t.state,
            channel_exceptions: t.exceptions.to_vec(),
            services: self.services(t),
            procedures: procedures(services)?,
            accounts: AccountList::new(accounts),
            plans: vec![Plan {
                id: plan,
                services,
                hours: [Some(ClockRange::WHOLE); 2],
                own_count: None,
                valid: DateRange::default(),
            }],
            shared_officers,
            lgsp_shape: t.lgsp.map(|shape| shape.name().to_owned()),
            soap: Some(SoapAccess {
                user: format!("{}_SOAP", t.code),
                secrets: vec![secret()?],
                service_urls: vec!["/dancu/xacthuc".into()],
                hosts: vec!["localhost:8080".into(), "dancu.example.vn".into()],
                reuse_from: vec![],
                x_road_client: None,
            }),
            oauth: Some(OauthAccess {
                client_id: t.code.to_ascii_lowercase(),
                secrets: vec![client_secret],
                public_keys: key.into_iter().collect(),
            }),
            // The demo serves plain HTTP on loopback, where nobody can show a certificate.
            certificates: Certificates::OFF,
            ..System::new(
                SystemId(self.system),
                SystemCode::parse(t.code)?,
                UnitCode::parse(t.unit)?,
                t.group,
            )
        };
        Ok((system, names))
    }

    fn services(&mut self, t: &Template) -> [Option<ServiceGrant>; 12] {
        let mut services: [Option<ServiceGrant>; 12] = Default::default();
        for (service, in_hours, off_hours) in &t.lines {
            let mut line = |daily: u32| {
                self.line += 1;
                Some(Line { id: LineId(self.line), daily, raises: vec![] })
            };
            services[service.index()] = Some(ServiceGrant {
                service: *service,
                ma_tich_hop: service.default_ma_tich_hop().into(),
                fields: t.fields,
                lines: [line(*in_hours), line(*off_hours)],
            });
        }
        services
    }

    fn accounts(
        &mut self,
        t: &Template,
        services: ServiceSet,
        plan: PlanId,
    ) -> anyhow::Result<(Vec<Account>, Vec<String>)> {
        let (live, dead) = (AccountState::Live, AccountState::Revoked);
        let code = t.code.to_ascii_lowercase();
        let total: u32 = t.lines.iter().map(|(_, i, o)| i + o).sum();
        let officer = AccountKind::Officer;
        let rows = [
            (format!("{code}.canbo1"), officer, t.officer_daily, live),
            (format!("{code}.canbo2"), officer, t.officer_daily, live),
            (format!("{code}.kehoach"), AccountKind::Plan, total, live),
            (format!("{code}_congdvc"), AccountKind::System, 100, live),
            (format!("{code}.nghiviec"), officer, t.officer_daily, dead),
        ];
        let mut names = vec![];
        let accounts = rows
            .into_iter()
            .map(|(login, kind, daily, state)| {
                self.account += 1;
                names.push(officer_name(super::SEED, u64::from(self.account)).as_str().to_owned());
                let is_officer = kind == AccountKind::Officer;
                let number = format!("CB{:05}", self.account);
                Ok(Account {
                    state,
                    daily,
                    services,
                    officer_code: is_officer.then(|| OfficerCode::parse(&number)).transpose()?,
                    plan: (kind == AccountKind::Plan).then_some(plan),
                    ..Account::new(AccountId(self.account), Login::parse(&login)?, kind)
                })
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        Ok((accounts, names))
    }
}

fn procedures(granted: ServiceSet) -> anyhow::Result<hashbrown::HashMap<ProcedureCode, Procedure>> {
    PROCEDURES
        .iter()
        .map(|(code, purpose, services)| {
            let code = ProcedureCode::parse(code)?;
            let procedure = Procedure {
                code: code.clone(),
                purpose: Some(Purpose::parse(purpose)?),
                services: ServiceSet(ServiceSet::of(services).0 & granted.0),
                fields: FieldSet::ALL,
                valid: DateRange::default(),
                case_required: false,
            };
            Ok((code, procedure))
        })
        .collect()
}

fn secret() -> anyhow::Result<Secret> {
    let mut bytes = [0; SECRET_BYTES];
    dancu_store::keys::random(&mut bytes)?;
    Ok(Secret(hex::encode(bytes).into_bytes().into()))
}
