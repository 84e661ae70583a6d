//! A store with one system of one unit, its officer and head, two operators and two auditors.

use std::net::{IpAddr, Ipv4Addr};

use dancu_domain::dossier::{Clearance, Ground};
use dancu_domain::ids::{AccountId, LineId, Login, SubjectId, SystemCode, SystemId, UnitCode};
use dancu_domain::people::account::{Account as Person_, Phase, Stops};
use dancu_domain::people::grants::{Grant, Grants, Scope};
use dancu_domain::people::roles::{Class, Role};
use dancu_domain::people::session::Session;
use dancu_domain::people::{Epoch, MachineTime, PersonId};
use dancu_domain::refusal::{Reason, Refusal};
use dancu_domain::registration::{
    Account, AccountKind, AccountList, AccountState, ConnectionState, DateRange, Group, Line,
    ServiceGrant, Snapshot, System,
};
use dancu_domain::service::{FieldSet, Service, Window};
use dancu_journal::{Act, Body, Decision, Entry, Query};
use dancu_office::Actor;
use dancu_office::act::{Desk, Place, places};
use dancu_office::locks::Word;
use dancu_store::engine::Tx;
use dancu_store::entries::{SearchKind, system_digest};
use dancu_store::keys::Keyring;
use dancu_store::ledger::{Decided, Draft, Verdict};
use dancu_store::people::{self, Person, Revision, Secrets, SessionRow};
use dancu_store::{Store, policy};

pub use super::open::clock;
use super::open::{Opened, options};

/// Registered count of the only line.
pub const DAILY: u32 = 100;
pub const HEAD: PersonId = PersonId(1);
pub const FIRST: PersonId = PersonId(2);
pub const SECOND: PersonId = PersonId(3);
pub const OFFICER: PersonId = PersonId(4);
pub const AUDITOR: PersonId = PersonId(5);
/// Belongs to the centre.
pub const INSIDER: PersonId = PersonId(6);
pub const ACCOUNT: AccountId = AccountId(1);
pub const SYSTEM: SystemId = SystemId(1);

/// People: number, login, unit, role.
const PEOPLE: [(PersonId, &str, &str, Role); 6] = [
    (HEAD, "thutruong.mau", "H26.001", Role::Head),
    (FIRST, "vanhanh1.mau", "TTDL", Role::Operator),
    (SECOND, "vanhanh2.mau", "TTDL", Role::Operator),
    (OFFICER, "canbo.mau", "H26.001", Role::Officer),
    (AUDITOR, "kiemtra.mau", "KTNN", Role::Auditor),
    (INSIDER, "noibo.mau", "TTDL", Role::Auditor),
];

/// An open store with them.
pub struct World(Opened);

impl std::ops::Deref for World {
    type Target = Opened;

    fn deref(&self) -> &Opened {
        &self.0
    }
}

impl World {
    /// The same on SQLite and on PostgreSQL.
    pub async fn both(name: &str) -> [Self; 2] {
        let [one, two] = Opened::both(&format!("office-{name}"));
        [Self::new(one).await, Self::new(two).await]
    }

    async fn new(opened: Opened) -> Self {
        let world = Self(opened);
        world.store.prepare_year(clock()).await.unwrap();
        world.fill().await;
        world
    }

    /// Another node on the same database; none where there is no server.
    pub fn another(&self) -> Option<Store> {
        let database = self.database.as_ref()?;
        let dir = self.dir.with_extension("second");
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        let key = dancu_store::keys::MASTER_KEY_FILE;
        std::fs::copy(self.dir.join(key), dir.join(key)).unwrap();
        Some(Store::open(&dir, options(Some(database), false)).unwrap())
    }

    async fn fill(&self) {
        let made = self.change(|tx, keys| {
            let names = &["Cán Bộ Mẫu".to_owned()];
            policy::write::insert_cleared(tx, keys, (&system(), names), &clearance())?;
            PEOPLE.into_iter().try_for_each(|row| people::insert(tx, keys, &person(row)))
        });
        made.await;
    }

    /// Changes what is stored, as an act would that is not the matter of the test.
    pub async fn change(
        &self,
        change: impl FnOnce(&mut Tx<'_>, &Keyring) -> dancu_store::Result<()> + Send + 'static,
    ) {
        let keys = self.store.keys().clone();
        let changed = self.store.ledger().act(clock(), move |tx, _| {
            change(tx, &keys)?;
            let (kind, actor) = ("test".into(), "dancu".into());
            Ok(Body::Act(Act { kind, actor, system: 0, detail: String::new() }))
        });
        changed.await.unwrap();
    }

    pub fn snapshot(&self) -> Snapshot {
        self.store.snapshot(clock()).unwrap()
    }

    pub fn limit(&self) -> u32 {
        let snapshot = self.snapshot();
        place(snapshot.by_id(SYSTEM).unwrap()).line.limit(clock()).count
    }

    pub fn account_state(&self) -> AccountState {
        let snapshot = self.snapshot();
        snapshot.by_id(SYSTEM).unwrap().accounts.by_id(ACCOUNT).unwrap().state
    }

    pub async fn person(&self, id: PersonId) -> Person {
        self.store.people().person_by_id(id).await.unwrap().unwrap()
    }

    pub async fn sessions(&self, id: PersonId) -> usize {
        self.store.people().sessions_of(id).await.unwrap().len()
    }

    /// Signs somebody in.
    pub async fn begin_session(&self, id: PersonId) {
        self.begin_session_of(id, 0).await;
    }

    /// The same, with a cookie of its own for each number.
    pub async fn begin_session_of(&self, id: PersonId, number: u8) {
        let mut mark = [id.0 as u8; 32];
        mark[0] = number;
        let keys = self.store.keys().clone();
        let begun = self.store.ledger().note(clock(), move |tx| {
            let number = people::next_session_number(tx, id)?;
            let person = people::by_id(tx, &keys, id)?.expect("somebody of this world");
            let session =
                Session::begin(number, &person.account, MachineTime(clock().0), true, None).session;
            let row = SessionRow {
                mark,
                session,
                source: IpAddr::V4(Ipv4Addr::LOCALHOST),
                agent: String::new(),
                device: None,
            };
            people::begin_session(tx, &keys, &row)?;
            let (kind, actor) = ("person.signIn".into(), person.login.as_str().to_owned());
            Ok(Body::Act(Act { kind, actor, system: 0, detail: String::new() }))
        });
        begun.await.unwrap();
    }

    /// Journals a question of the officer that was refused.
    pub async fn ask(&self, about: SubjectId, case: &str) -> u64 {
        let now = clock();
        let p = self.store.pseudonyms(now).unwrap();
        let query = Query {
            system: SYSTEM.0,
            system_code: "MAU".into(),
            unit: "H26.001".into(),
            account: ACCOUNT.0,
            officer: "Cán Bộ Mẫu".into(),
            source: vec![192, 0, 2, 1],
            request_id: "yc-1".into(),
            case: case.into(),
            duty_day: self.store.profiles().at(now).hours.duty(now).day.0,
            decision: Decision::Refused,
            subjects: vec![p.subject(about, false)],
            ..Query::default()
        };
        let draft = Draft {
            query: Box::new(query),
            arrival: now,
            epoch: self.store.ledger().epoch(),
            decided: Decided::Refused(Refusal::from(Reason::CaseCodeMissing)),
            request_key: [0; 16],
            answered: None,
            header: None,
            guard: None,
            search: vec![
                (SearchKind::System as u8, system_digest(SYSTEM.0)),
                (SearchKind::Account as u8, p.account(ACCOUNT.0)),
                (SearchKind::Case as u8, p.case(case)),
            ],
        };
        match self.store.ledger().submit(draft).await.unwrap() {
            Verdict::Settled(settled) => settled.index,
            other => panic!("{other:?}"),
        }
    }

    /// The last journal entry, an act.
    pub fn last_act(&self) -> Act {
        let entry = self.store.entry(self.store.ledger().next_index() - 1).unwrap().unwrap();
        act_of(&entry)
    }
}

pub fn act_of(entry: &Entry) -> Act {
    match &entry.body {
        Body::Act(act) => act.clone(),
        other => panic!("{other:?}"),
    }
}

pub fn login(text: &str) -> Login {
    Login::parse(text).unwrap()
}

pub fn actor(id: PersonId) -> Actor {
    let (id, name, ..) = PEOPLE.into_iter().find(|(known, ..)| *known == id).unwrap();
    Actor::Person(id, login(name))
}

/// Somebody at the centre's machine.
pub fn operator() -> Actor {
    Actor::Named { names: vec!["Trần Văn A".into()], account: "root".into() }
}

pub fn place(system: &System) -> Place<'_> {
    places(system).find(|p| p.window == Window::InHours).unwrap()
}

pub fn word<'a>(world: &'a World, snapshot: &'a Snapshot, by: &'a Actor) -> Word<'a> {
    let machine = MachineTime(clock().0);
    Word { store: &world.store, snapshot, now: clock(), machine, actor: by, reason: "cao điểm" }
}

pub fn desk<'a>(world: &'a World, snapshot: &'a Snapshot, by: &'a Actor) -> Desk<'a> {
    word(world, snapshot, by).on(snapshot.by_id(SYSTEM).unwrap())
}

/// What the system of this world is live by.
pub fn clearance() -> Clearance {
    Clearance::exempt(Ground::SyntheticPeople, "thử nghiệm", "Người Mẫu").unwrap()
}

fn system() -> System {
    let line = Line { id: LineId(1), daily: DAILY, raises: vec![] };
    let service = Service::CitizenVerify;
    let code = SystemCode::parse("MAU").unwrap();
    let unit = UnitCode::parse("H26.001").unwrap();
    let mut system = System::new(SYSTEM, code, unit, Group::State);
    system.state = ConnectionState::Live;
    system.accounts = AccountList::new(vec![Account {
        daily: 10,
        ..Account::new(ACCOUNT, login("canbo.mau"), AccountKind::Officer)
    }]);
    system.services[service.index()] = Some(ServiceGrant {
        service,
        ma_tich_hop: "001".into(),
        fields: FieldSet::ALL,
        lines: [Some(line), None],
    });
    system
}

fn person((id, name, unit, role): (PersonId, &str, &str, Role)) -> Person {
    let unit = UnitCode::parse(unit).unwrap();
    let scope = match role {
        Role::Officer | Role::Head => Scope::Unit(unit.clone()),
        _ => Scope::All,
    };
    let grant = Grant::new(role, scope, DateRange::default(), None).unwrap();
    Person {
        id,
        login: login(name),
        name: format!("Người Mẫu {}", id.0),
        unit,
        phone: String::new(),
        personal_id: None,
        account: Person_ {
            person: id,
            class: Class::of([role]),
            epoch: Epoch::default(),
            phase: Phase::Open(Stops::default()),
            password: None,
            used: clock(),
            trained: clock().viet_nam_date(),
        },
        grants: Grants::default().with(grant).unwrap(),
        secrets: Secrets::default(),
        revision: Revision::NEW,
    }
}
