//! A store on either engine, and synthetic people.

use std::path::PathBuf;
use std::sync::Arc;

use dancu_domain::ids::{Login, PersonalId, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::people::account::Account;
use dancu_domain::people::factors::{Device, RecoveryCodes, SeenInPerson, Voucher};
use dancu_domain::people::grants::{Grant, Grants, Scope};
use dancu_domain::people::roles::{Class, Role};
use dancu_domain::people::session::Session;
use dancu_domain::people::totp::Step;
use dancu_domain::people::{MachineTime, PersonId};
use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
use dancu_domain::registration::DateRange;
use dancu_journal::{Act, Body};
use dancu_store::backup::tables::tables;
use dancu_store::engine::{Db, Engine, PoolSettings, Postgres, Settings, Tx, Value};
use dancu_store::keys::{Keyring, MASTER_KEY_FILE};
use dancu_store::people::{
    self, KnownDevice, Passkey, Person, Recovery, Revision, Secrets, SessionRow, Totp,
};
use dancu_store::sqlite::{self, Area};
use dancu_store::{Database, OpenOptions, Result, Store};
use dancu_testdb::Server;

use crate::common::{BEGIN, Folder};

pub const BOTH: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];
pub const UNIT: &str = "H99.001";
/// The machine's clock when the tests begin.
pub const NOW: MachineTime = MachineTime(BEGIN.0);

/// The machine's time.
fn clock() -> Moment {
    Moment(dancu_testdb::machine_ms())
}

/// A data folder, on PostgreSQL with its database beside it.
pub struct World {
    pub folder: Folder,
    database: Option<Arc<dancu_testdb::Database>>,
}

impl World {
    pub fn new(engine: Engine) -> Self {
        let database = || Arc::new(Server::durable().database("people_empty", |_| Ok(())));
        let world =
            Self { folder: Folder::new(), database: (engine == Engine::Postgres).then(database) };
        std::fs::create_dir_all(world.dir()).unwrap();
        world
    }

    /// Another node on the same database.
    pub fn another(&self) -> Self {
        let world = Self { folder: Folder::new(), database: self.database.clone() };
        world.key_of(self);
        world
    }

    /// Takes over the master key of another folder.
    pub fn key_of(&self, other: &Self) {
        std::fs::create_dir_all(self.dir()).unwrap();
        let key = other.dir().join(MASTER_KEY_FILE);
        std::fs::copy(key, self.dir().join(MASTER_KEY_FILE)).unwrap();
    }

    pub fn dir(&self) -> PathBuf {
        self.folder.0.join("data")
    }

    pub fn url(&self) -> Option<String> {
        self.database.as_ref().map(|d| d.url())
    }

    pub fn options(&self, migrate: bool) -> OpenOptions {
        let database = self.url().map(|url| Database {
            settings: Settings::new(&url).unwrap(),
            nodes: 1,
            clock,
            pool: PoolSettings::default(),
        });
        OpenOptions {
            profiles: Arc::new(Profiles::parse(DEFAULT_PROFILE).unwrap()),
            master_key: <_>::default(),
            now: BEGIN,
            migrate,
            database,
        }
    }

    /// A child that another test is starting holds every file of this process, and with it the
    /// lock of a folder that was just closed, until it has become its program.
    pub fn open(&self) -> Arc<Store> {
        for _ in 0..100 {
            match Store::open(&self.dir(), self.options(true)) {
                Err(dancu_store::Error::InUse(_)) => {
                    std::thread::park_timeout(std::time::Duration::from_millis(10));
                }
                done => return Arc::new(done.unwrap()),
            }
        }
        panic!("the folder stays in use");
    }

    pub fn connect(&self) -> Db {
        match self.url() {
            None => sqlite::writer(&self.dir().join(Area::Core.file())).unwrap().into(),
            Some(url) => Postgres::connect(&Settings::new(&url).unwrap()).unwrap().into(),
        }
    }

    /// Everything that stands in the tables and, on SQLite, in the files.
    pub fn stored_bytes(&self) -> Vec<u8> {
        let mut out = vec![];
        let mut db = self.connect();
        for table in tables().into_iter().filter(|t| t.area == Area::Core) {
            let sql = format!("SELECT {} FROM {}", table.columns.join(", "), table.name);
            db.tx()
                .each(&sql, &[], |r| {
                    for column in 0..table.columns.len() {
                        match r.value(column)? {
                            Value::Text(text) => out.extend_from_slice(text.as_bytes()),
                            Value::Bytes(bytes) => out.extend_from_slice(bytes),
                            _ => {}
                        }
                        out.push(0);
                    }
                    Ok(true)
                })
                .unwrap();
        }
        drop(db);
        for entry in std::fs::read_dir(self.dir()).unwrap() {
            out.extend(std::fs::read(entry.unwrap().path()).unwrap_or_default());
        }
        out
    }
}

pub fn entry() -> Body {
    Body::Act(Act { kind: "test".into(), actor: "thử".into(), system: 0, detail: String::new() })
}

/// One journaled change.
pub async fn note<T: Send + 'static>(
    store: &Store,
    change: impl FnOnce(&mut Tx<'_>, &Keyring) -> Result<T> + Send + 'static,
) -> Result<T> {
    let keys = store.keys().clone();
    let (told, mut found) = tokio::sync::oneshot::channel();
    let done = store.ledger().note(BEGIN, move |tx| {
        let _ = told.send(change(tx, &keys)?);
        Ok(entry())
    });
    done.await?;
    Ok(found.try_recv().unwrap())
}

/// A person in which everything that there can be is.
pub fn person(id: u32) -> Person {
    let me = PersonId(id);
    let unit = UnitCode::parse(UNIT).unwrap();
    let head = PersonId(900);
    let mut account = Account::invite(me, Class::Staff, head, BEGIN);
    account = account.activate(BEGIN, &profile()).unwrap();
    let days = |from: &str, to: &str| DateRange {
        from: Some(from.parse().unwrap()),
        to: Some(to.parse().unwrap()),
    };
    let scope = || Scope::Unit(unit.clone());
    let officer = Grant::new(Role::Officer, scope(), DateRange::default(), None).unwrap();
    let dates = days("2026-03-02", "2026-03-31");
    let stands_in = Grant::new(Role::Head, scope(), dates, Some(head)).unwrap();
    let device = Device { person: me, epoch: account.epoch, used: BEGIN, mfa: Some(BEGIN) };
    Person {
        id: me,
        login: Login::parse(&format!("mau.Canbo{id}")).unwrap(),
        name: format!("Nguyễn Thị Mẫu {id}"),
        unit,
        phone: "0990000123".into(),
        personal_id: Some(PersonalId::parse(&format!("099{id:09}")).unwrap()),
        account,
        grants: Grants::default().with(officer).unwrap().with(stands_in).unwrap(),
        secrets: Secrets {
            password: Some("$argon2id$v=19$mau$mat-khau-mau".into()),
            history: vec!["$argon2id$v=19$mau$mat-khau-mau".into(), "$argon2id$cu".into()],
            totp: Some(Totp {
                secret: b"bi-mat-cua-ung-dung".to_vec(),
                last: Some(Step(59_080_560)),
                since: BEGIN,
            }),
            recovery: Some(Recovery {
                codes: (0..10).map(|n| [n; 32]).collect(),
                left: RecoveryCodes::issued().redeem(4).unwrap(),
            }),
            passkeys: vec![Passkey {
                id: b"khoa-truy-cap".to_vec(),
                name: "Khóa của tôi".into(),
                security_key: true,
                credential: b"{\"khoa\":\"cong-khai\"}".to_vec(),
                since: BEGIN,
                last: None,
            }],
            devices: vec![KnownDevice { mark: [7; 32], name: "Máy ở quầy 3".into(), device }],
            voucher: Some(Voucher::given(me, head, BEGIN, SeenInPerson::ServiceCard).unwrap()),
        },
        revision: Revision::NEW,
    }
}

pub fn profile() -> dancu_domain::profile::Profile {
    Profiles::parse(DEFAULT_PROFILE).unwrap().at(BEGIN).clone()
}

/// Begins a session under a mark; what it ended is up to the test.
pub async fn begin(store: &Store, id: u32, mark: u8, at: MachineTime) -> Result<SessionRow> {
    note(store, move |tx, keys| {
        let person = people::by_id(tx, keys, PersonId(id))?.unwrap();
        let number = people::next_session_number(tx, person.id)?;
        let session = Session::begin(number, &person.account, at, true, None).session;
        let row = SessionRow {
            mark: [mark; 32],
            session,
            source: "203.0.113.77".parse().unwrap(),
            agent: "Trình duyệt mẫu".into(),
            device: Some([7; 32]),
        };
        people::begin_session(tx, keys, &row)?;
        Ok(row)
    })
    .await
}
