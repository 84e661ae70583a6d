//! A store with a system, an officer with a session, and the router, on both engines.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, header};
use dancu_access::people::{Mark, new_cookie};
use dancu_domain::dossier::{Clearance, Ground};
use dancu_domain::ids::{
    AccountId, LineId, Login, ProcedureCode, Purpose, SystemCode, SystemId, UnitCode,
};
use dancu_domain::moment::Moment;
use dancu_domain::people::account::{Account as PeopleAccount, Phase, Stops};
use dancu_domain::people::grants::{Grant, Grants, Scope};
use dancu_domain::people::roles::{Class, Role};
use dancu_domain::people::session::{FRESH_MFA_MS, Session};
use dancu_domain::people::{Epoch, MachineTime, PersonId};
use dancu_domain::person::{Person as Citizen, VitalStatus};
use dancu_domain::registration::{
    Account, AccountKind, AccountList, AccountState, Certificates, ConnectionState, DateRange,
    Group, Line, Procedure, ServiceGrant, System,
};
use dancu_domain::service::{Field, FieldSet, Service, ServiceSet, Window};
use dancu_gate::Gate;
use dancu_journal::{Act, Body as EntryBody, Query as Asked};
use dancu_store::engine::{PoolSettings, Settings};
use dancu_store::people::{self, Person, Revision, Secrets, SessionRow};
use dancu_store::{Database, OpenOptions, Store, policy};
use dancu_testdb::Server;
use dancu_world::{PopulationSpec, block, block_count};
use tower_service::Service as _;

use crate::app::{App, Shared};
use crate::clock::{Clock, machine_ms};
use crate::portal::Portal;

/// Monday, in hours.
pub(super) const MORNING: &str = "2026-03-02T09:00:00+07:00";
/// People of the registry.
pub(super) const PERSONS: u64 = 300;
/// The procedures of each system: an ordinary one, and one that asks for a case and tells less.
pub(super) const PROCEDURE: &str = "1.004194";
pub(super) const WITH_CASE: &str = "1.001193";

pub(super) fn machine() -> Moment {
    Moment(machine_ms())
}

/// What a test wants otherwise.
pub(super) struct Wish {
    /// Declared average of the officer.
    pub(super) daily: u32,
    /// In-hours count of each line.
    pub(super) line: u32,
    /// The roles of the person.
    pub(super) roles: &'static [Role],
    /// States of the systems, each with the officer's account.
    pub(super) systems: &'static [ConnectionState],
    /// State of the account.
    pub(super) account: AccountState,
    /// Its channels.
    pub(super) group: Group,
    /// Whether the second factor was given just now.
    pub(super) fresh: bool,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            // Twice that is the account's stop: more than the line has.
            daily: 400,
            line: 500,
            roles: &[Role::Officer],
            systems: &[ConnectionState::Live],
            account: AccountState::Live,
            group: Group::State,
            fresh: true,
        }
    }
}

pub(super) struct World {
    pub(super) app: Shared,
    pub(super) router: Router,
    pub(super) cookie: String,
    pub(super) csrf: String,
    pub(super) citizens: Vec<Citizen>,
    pub(super) dir: PathBuf,
    pub(super) _database: Option<dancu_testdb::Database>,
}

/// An answer as a browser gets it.
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Page {
    pub(super) fn has(&self, words: &str) -> bool {
        self.text.contains(words)
    }

    /// The value of the first hidden field of a name.
    pub(super) fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let rest = self.text.split_once(&mark).unwrap_or_else(|| panic!("no field {name}")).1;
        rest.split('"').next().unwrap().to_owned()
    }

    /// The remembered choice, as the browser sends it back.
    pub(super) fn memory(&self) -> Option<String> {
        let set = self.headers.get_all(header::SET_COOKIE).iter();
        let mut set = set.filter_map(|v| v.to_str().ok());
        let cookie = set.find(|v| v.starts_with("dancu-counter="))?;
        Some(cookie.split(';').next().unwrap().to_owned())
    }

    /// The address of the slip.
    pub(super) fn slip(&self) -> String {
        let rest = self.text.split_once("href=\"/counter/slip/").unwrap().1;
        format!("/counter/slip/{}", rest.split('"').next().unwrap())
    }
}

pub(super) fn system(number: u32, wish: &Wish, state: ConnectionState) -> System {
    let services = [Service::CitizenVerify, Service::CitizenLookup];
    let granted = ServiceSet::of(&services);
    let account = |id, login: &str, state| Account {
        state,
        daily: wish.daily,
        services: granted,
        ..Account::new(
            AccountId(number * 10 + id),
            Login::parse(login).unwrap(),
            AccountKind::Officer,
        )
    };
    let procedure = |code: &str, purpose: &str, fields, case_required| {
        let code = ProcedureCode::parse(code).unwrap();
        let purpose = Some(Purpose::parse(purpose).unwrap());
        let valid = DateRange::default();
        let it = Procedure {
            code: code.clone(),
            purpose,
            services: granted,
            fields,
            valid,
            case_required,
        };
        (code, it)
    };
    let mut system = System {
        state,
        certificates: Certificates::OFF,
        accounts: AccountList::new(vec![
            account(1, "onestop.canbo1", wish.account),
            account(2, "onestop.canbo2", AccountState::Live),
        ]),
        procedures: [
            procedure(PROCEDURE, "Đăng ký thường trú", FieldSet::ALL, false),
            procedure(WITH_CASE, "Đăng ký khai sinh", FieldSet::of(&[Field::Sex]), true),
        ]
        .into_iter()
        .collect(),
        ..System::new(
            SystemId(number),
            SystemCode::parse(&format!("SYSTEM{number}")).unwrap(),
            UnitCode::parse("H26.001").unwrap(),
            wish.group,
        )
    };
    for service in services {
        let base = number * 100 + service as u32 * 2;
        let line = |id| Some(Line { id: LineId(id), daily: wish.line, raises: vec![] });
        system.services[service.index()] = Some(ServiceGrant {
            service,
            ma_tich_hop: service.default_ma_tich_hop().into(),
            fields: FieldSet::ALL,
            lines: [line(base), line(base + 1)],
        });
    }
    system
}

pub(super) fn officer(wish: &Wish, now: Moment) -> Person {
    let grants = wish.roles.iter().fold(Grants::default(), |grants, role| {
        let scope = Scope::Unit(UnitCode::parse("H26.001").unwrap());
        let grant = Grant::new(*role, scope, DateRange::default(), None).unwrap();
        grants.with(grant).unwrap()
    });
    let id = PersonId(1);
    Person {
        id,
        login: Login::parse("onestop.canbo1").unwrap(),
        name: "Hoàng Thử Quyên".into(),
        unit: UnitCode::parse("H26.001").unwrap(),
        phone: String::new(),
        personal_id: None,
        account: PeopleAccount {
            person: id,
            class: Class::Staff,
            epoch: Epoch(1),
            phase: Phase::Open(Stops::default()),
            password: None,
            used: now,
            trained: now.viet_nam_date(),
        },
        grants,
        secrets: Secrets::default(),
        revision: Revision::NEW,
    }
}

impl World {
    pub(super) async fn new(
        name: &str,
        wish: &Wish,
        database: Option<dancu_testdb::Database>,
    ) -> Self {
        let engine = if database.is_some() { "server" } else { "file" };
        let dir = format!("dancu-counter-{name}-{engine}-{}", std::process::id());
        let dir = std::env::temp_dir().join(dir);
        let _ = std::fs::remove_dir_all(&dir);
        let now = Moment::parse_rfc3339(MORNING).unwrap();
        let place = database.as_ref().map(|d| Database {
            settings: Settings::new(&d.url()).unwrap(),
            nodes: 1,
            clock: machine,
            pool: PoolSettings::default(),
        });
        let options = OpenOptions {
            profiles: Arc::new(crate::config::profiles(None).unwrap()),
            master_key: <_>::default(),
            now,
            migrate: true,
            database: place,
        };
        let store = Arc::new(Store::open(&dir, options).unwrap());
        store.prepare_year(now).await.unwrap();
        let spec = PopulationSpec { seed: 7, persons: PERSONS, today: now.viet_nam_date() };
        crate::population::fill::run(&store, &spec, &|_| {}).unwrap();
        let citizens = (0..block_count(&spec))
            .flat_map(|number| block(&spec, number))
            .flat_map(|household| household.members)
            .collect();
        let cookie = new_cookie().unwrap_or_else(|_| panic!("no randomness"));
        register(&store, wish, now, &cookie).await;
        let clock = Clock::new(now.0 - machine_ms(), now, true);
        let url = "http://127.0.0.1:8080".to_owned();
        let gate = Gate::open(store.clone(), now).unwrap();
        let portal = Portal::open(&<_>::default(), store, &url).unwrap();
        let csrf = portal.people.csrf(Mark::of(&cookie).unwrap());
        let app = Arc::new(App::new(gate, clock, url).with_portal(Some(portal)));
        app.set_ready(true);
        let router = crate::routes::router(app.clone());
        Self { app, router, cookie, csrf, citizens, dir, _database: database }
    }

    /// The same on SQLite and on PostgreSQL.
    pub(super) async fn both(name: &str, wish: &Wish) -> [Self; 2] {
        let database = Server::durable().database("counter", |_| Ok(()));
        [Self::new(name, wish, None).await, Self::new(name, wish, Some(database)).await]
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Page {
        let mut request = request;
        let source: SocketAddr = "127.0.0.1:4000".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(source));
        let response = self.router.clone().call(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = to_bytes(body, 1 << 20).await.unwrap();
        let text = String::from_utf8(text.to_vec()).unwrap();
        Page { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    pub(super) fn request(
        &self,
        method: &str,
        path: &str,
        more: &str,
    ) -> axum::http::request::Builder {
        let cookie = format!("dancu={}; {more}", self.cookie);
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "127.0.0.1:8080")
            .header(header::COOKIE, cookie)
    }

    pub(super) async fn get(&self, path: &str) -> Page {
        self.get_with(path, "").await
    }

    /// With a remembered choice.
    pub(super) async fn get_with(&self, path: &str, cookie: &str) -> Page {
        self.send(self.request("GET", path, cookie).body(Body::empty()).unwrap()).await
    }

    pub(super) async fn anybody(&self, path: &str) -> Page {
        let request = Request::builder().uri(path).header(header::HOST, "127.0.0.1:8080");
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = ("csrf", self.csrf.as_str());
        let fields = fields.iter().chain([&token]);
        let body: Vec<_> =
            fields.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let kind = "application/x-www-form-urlencoded";
        let request = self.request("POST", path, "").header(header::CONTENT_TYPE, kind);
        self.send(request.body(Body::from(body.join("&"))).unwrap()).await
    }

    /// Verifies under the first procedure.
    pub(super) async fn verify(&self, subject: &str, more: &[(&str, &str)]) -> Page {
        let once = self.get("/counter").await.hidden("once");
        let fields = [("procedure", PROCEDURE), ("once", &once), ("subject", subject)];
        self.post("/counter", &[&fields, more].concat()).await
    }

    /// Somebody who is alive and of whom a whole date of birth is known.
    pub(super) fn citizen(&self) -> &Citizen {
        let fits = |c: &&Citizen| {
            let day = matches!(c.birth, dancu_domain::birth::BirthDate::Day(_));
            c.vital == VitalStatus::Alive && day && c.sex.code() > 0
        };
        self.citizens.iter().find(fits).unwrap()
    }

    pub(super) fn used(&self, service: Service) -> u32 {
        let now = self.app.clock.now();
        let store = self.app.gate.store();
        let day = store.profiles().at(now).hours.duty(now).day;
        let line = LineId(100 + service as u32 * 2 + Window::InHours as u32);
        store.ledger().lines(|counts| counts.line_day(line, day).used)
    }

    pub(super) fn bodies(&self) -> Vec<EntryBody> {
        let mut found = vec![];
        let each = |entry: dancu_journal::Entry| {
            found.push(entry.body);
            Ok(true)
        };
        self.app.gate.store().scan_entries(0, each).unwrap();
        found
    }

    pub(super) fn questions(&self) -> Vec<Asked> {
        let of = |body| match body {
            EntryBody::Query(query) => Some(*query),
            _ => None,
        };
        self.bodies().into_iter().filter_map(of).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.app.gate.store().stop();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Systems, the person and the person's session, with a fresh second factor.
pub(super) async fn register(store: &Store, wish: &Wish, now: Moment, cookie: &str) {
    let keys = store.keys().clone();
    let systems: Vec<_> =
        wish.systems.iter().zip(1..).map(|(state, number)| system(number, wish, *state)).collect();
    let person = officer(wish, now);
    let Mark(mark) = Mark::of(cookie).unwrap();
    let machine = MachineTime(machine_ms());
    let clearance = Clearance::exempt(Ground::SyntheticPeople, "thử nghiệm", "Người Mẫu").unwrap();
    let mfa = Some(if wish.fresh { machine } else { machine.plus_ms(-FRESH_MFA_MS) });
    let made = store.ledger().act(now, move |tx, _| {
        for system in &systems {
            policy::write::insert_cleared(tx, &keys, (system, &[]), &clearance)?;
        }
        people::insert(tx, &keys, &person)?;
        let session = Session {
            number: people::next_session_number(tx, person.id)?,
            person: person.id,
            class: person.account.class,
            epoch: person.account.epoch,
            began: machine,
            seen: machine,
            mfa,
            locked: false,
        };
        let source = "127.0.0.1".parse().unwrap();
        let row = SessionRow { mark, session, source, agent: "test".into(), device: None };
        people::begin_session(tx, &keys, &row)?;
        let (kind, actor) = ("test".into(), "thử nghiệm".into());
        Ok(EntryBody::Act(Act { kind, actor, system: 1, detail: String::new() }))
    });
    made.await.unwrap();
}

pub(super) fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"))
}

pub(super) fn day(citizen: &Citizen) -> String {
    super::super::values::birth(citizen.birth)
}

/// As the card's QR code has it.
pub(super) fn card(citizen: &Citizen) -> String {
    let birth = day(citizen).replace('/', "");
    let (id, name) = (citizen.personal_id, citizen.full_name.upper());
    format!("{id}||{name}|{birth}|Nam|Số 1, Phường Hoa|12032021")
}
