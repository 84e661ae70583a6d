//! Builds a world: people, systems, profile.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};

use dancu_domain::dossier::{Clearance, Ground};
use dancu_domain::ids::{
    AccountId, LineId, Login, PlanId, ProcedureCode, Purpose, SystemCode, SystemId, UnitCode,
};
use dancu_domain::moment::Moment;
use dancu_domain::plans::ClockRange;
use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
use dancu_domain::registration::{
    Account, AccountKind, AccountList, AccountState, Certificates, ConnectionState, DateRange,
    Group, Line, Plan, Procedure, Raise, RequestIdMode, ServiceGrant, SoapAccess, System,
};
use dancu_domain::service::{FieldSet, Service, ServiceSet};
use dancu_store::Store;
use dancu_store::ledger::Counts;
use dancu_store::policy::write;
use dancu_world::{GeneratedHousehold, PopulationSpec};

use super::{Db, Folder, MORNING, TestSystem, TestWorld, at, engine};

/// The procedure that every test system is registered for.
pub const PROCEDURE: &str = "1.004194";

/// A system as a test wants it; everything not said is generous.
#[derive(Clone)]
pub struct SystemSpec {
    pub state: ConnectionState,
    /// Service, in-hours count, off-hours count.
    pub lines: Vec<(Service, u32, u32)>,
    /// Fields granted to the system.
    pub fields: FieldSet,
    /// Fields of the procedure.
    pub procedure_fields: FieldSet,
    /// Declared average of the officer.
    pub officer_daily: u32,
    pub request_ids: RequestIdMode,
    /// The plan's own daily count.
    pub own_count: Option<u32>,
    /// Whether the procedure needs a case code.
    pub case_required: bool,
    /// Client certificates.
    pub certificates: Certificates,
}

impl Default for SystemSpec {
    fn default() -> Self {
        let lines = Service::ALL.into_iter().map(|s| (s, 10_000, 200)).collect();
        Self {
            state: ConnectionState::Live,
            lines,
            fields: FieldSet::ALL,
            procedure_fields: FieldSet::ALL,
            officer_daily: 1_000,
            request_ids: RequestIdMode::Strict,
            own_count: None,
            case_required: false,
            certificates: Certificates::OFF,
        }
    }
}

impl SystemSpec {
    /// Verify only, with these counts.
    pub fn verify(in_hours: u32, off_hours: u32) -> Self {
        Self { lines: vec![(Service::CitizenVerify, in_hours, off_hours)], ..Self::default() }
    }

    fn system(&self, number: u32) -> System {
        let handle = TestSystem(number);
        let mut services: [Option<ServiceGrant>; 12] = Default::default();
        for (service, in_hours, off_hours) in &self.lines {
            let base = number * 100 + *service as u32 * 2;
            let line = |id: u32, daily: u32| Some(Line { id: LineId(id), daily, raises: vec![] });
            services[service.index()] = Some(ServiceGrant {
                service: *service,
                ma_tich_hop: service.default_ma_tich_hop().into(),
                fields: self.fields,
                lines: [line(base, *in_hours), line(base + 1, *off_hours)],
            });
        }
        let granted = ServiceSet::of(&self.lines.iter().map(|l| l.0).collect::<Vec<_>>());
        let account = |a: super::TestAccount, kind, state, daily| Account {
            state,
            daily,
            services: granted,
            plan: (kind == AccountKind::Plan).then_some(PlanId(number)),
            ..Account::new(a.id, Login::parse(&a.login).unwrap(), kind)
        };
        let (live, officer) = (AccountState::Live, AccountKind::Officer);
        let accounts = vec![
            account(handle.officer(), officer, live, self.officer_daily),
            account(handle.plan(), AccountKind::Plan, live, 1_000_000),
            account(handle.system_account(), AccountKind::System, live, 10_000),
            account(handle.revoked(), officer, AccountState::Revoked, 100),
        ];
        let plan = Plan {
            id: PlanId(number),
            services: granted,
            hours: [Some(ClockRange::WHOLE); 2],
            own_count: self.own_count,
            valid: DateRange::default(),
        };
        System {
            state: self.state,
            services,
            procedures: self.procedures(granted).into_iter().collect(),
            accounts: AccountList::new(accounts),
            plans: vec![plan],
            request_ids: self.request_ids,
            certificates: self.certificates.clone(),
            ..System::new(
                SystemId(number),
                SystemCode::parse(&format!("SYSTEM{number}")).unwrap(),
                UnitCode::parse(&format!("H26.{number:03}")).unwrap(),
                Group::State,
            )
        }
    }

    fn procedures(&self, services: ServiceSet) -> [(ProcedureCode, Procedure); 1] {
        let code = ProcedureCode::parse(PROCEDURE).unwrap();
        let procedure = Procedure {
            code: code.clone(),
            purpose: Some(Purpose::parse("Đăng ký thường trú").unwrap()),
            services,
            fields: self.procedure_fields,
            valid: DateRange::default(),
            case_required: self.case_required,
        };
        [(code, procedure)]
    }
}

/// Everything a world can be started with.
pub struct TestWorldBuilder {
    profile: String,
    now: Moment,
    households: Vec<GeneratedHousehold>,
    systems: Vec<SystemSpec>,
    folder: Option<Folder>,
    place: Option<engine::Place>,
}

impl Default for TestWorldBuilder {
    fn default() -> Self {
        let today = jiff::civil::date(2026, 3, 2);
        let spec = PopulationSpec { seed: 20_260_302, persons: 300, today };
        Self {
            profile: DEFAULT_PROFILE.to_owned(),
            now: at(MORNING),
            households: dancu_world::households(&spec).collect(),
            systems: vec![],
            folder: None,
            place: None,
        }
    }
}

impl TestWorldBuilder {
    /// Replaces a text of the shipped profile, in every version of it.
    pub fn profile(mut self, from: &str, to: &str) -> Self {
        assert!(self.profile.contains(from), "the profile has no {from:?}");
        self.profile = self.profile.replace(from, to);
        self
    }

    pub fn clock(mut self, now: &str) -> Self {
        self.now = at(now);
        self
    }

    /// Changes people before they are sealed.
    pub fn people(mut self, change: impl FnOnce(&mut [GeneratedHousehold])) -> Self {
        change(&mut self.households);
        self
    }

    /// Registers a system; the first one is `TestSystem(1)`.
    pub fn with_system(mut self, spec: SystemSpec) -> Self {
        self.systems.push(spec);
        self
    }

    pub fn folder(mut self, folder: Folder) -> Self {
        self.folder = Some(folder);
        self
    }

    /// Another place than the shared one.
    pub fn place(mut self, place: engine::Place) -> Self {
        self.place = Some(place);
        self
    }

    pub async fn start(self) -> TestWorld {
        let mut world = TestWorld {
            gate: None,
            place: self.place.unwrap_or_else(engine::Place::new),
            folder: self.folder.unwrap_or_else(Folder::new),
            profiles: Arc::new(Profiles::parse(&self.profile).unwrap()),
            specs: self.systems,
            clock: AtomicI64::new(self.now.0),
            asked: AtomicU64::new(0),
            people: self.households.iter().flat_map(|h| h.members.clone()).collect(),
            households: self.households.iter().map(|h| h.household.clone()).collect(),
        };
        world.open();
        fill(world.store(), &self.households);
        let systems: Vec<System> =
            world.specs.iter().zip(1..).map(|(spec, number)| spec.system(number)).collect();
        let keys = world.store().keys().clone();
        let clearance =
            Clearance::exempt(Ground::SyntheticPeople, "thử nghiệm", "Người Mẫu").unwrap();
        world
            .act("system.registered", move |db, _| {
                let insert = |s| write::insert_cleared(db.0, &keys, (s, &[]), &clearance);
                systems.iter().try_for_each(insert)
            })
            .await;
        world.gate().reload(world.now()).await.unwrap();
        world
    }
}

fn fill(store: &Store, households: &[GeneratedHousehold]) {
    let mut loader = store.registry().loader().unwrap();
    let sealer = loader.sealer();
    for (person, id) in households.iter().flat_map(|h| &h.members).zip(1..) {
        loader.person(sealer.person(id, person).unwrap()).unwrap();
    }
    for h in households.iter().filter(|h| !h.household.members.is_empty()) {
        loader.household(sealer.household(&h.household).unwrap()).unwrap();
    }
    loader.finish().unwrap();
    store.registry().reopen();
}

impl Db<'_, '_> {
    pub fn set_system_state(
        &mut self,
        system: TestSystem,
        state: ConnectionState,
    ) -> dancu_store::Result<()> {
        write::set_system_state(self.0, system.id(), state)
    }

    pub fn set_account_state(
        &mut self,
        account: AccountId,
        state: AccountState,
    ) -> dancu_store::Result<()> {
        write::set_account_state(self.0, account, state)
    }

    /// D8: grants a raise, which ends the line's lock.
    pub fn raise(
        &mut self,
        counts: &mut Counts<'_>,
        line: LineId,
        raise: Raise,
    ) -> dancu_store::Result<()> {
        write::insert_raise(self.0, line, raise)?;
        counts.lines().raise_granted(line, &raise);
        Ok(())
    }
}

/// A registered system with SOAP headers; senders at `reuse_from` may use one with several bodies.
pub fn with_soap(known: &System, reuse_from: Vec<IpAddr>) -> Arc<System> {
    let soap = SoapAccess {
        user: "U".into(),
        secrets: vec![],
        service_urls: vec![],
        hosts: vec![],
        reuse_from,
        x_road_client: None,
    };
    Arc::new(System { soap: Some(soap), ..known.clone() })
}
