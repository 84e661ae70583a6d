//! A store with people in it, browsers, and clocks that the test sets.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use dancu_access::people::{
    Answer, Challenge, Look, Mark, Outcome, People, Present, Proof, Settings, SignedIn, Site,
    Visit, new_cookie, set_password, totp,
};
use dancu_domain::ids::{Login, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::people::account::Account;
use dancu_domain::people::grants::Grants;
use dancu_domain::people::password::PasswordAge;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::roles::Class;
use dancu_domain::people::session::Cause;
use dancu_domain::people::sign_in::Step;
use dancu_domain::people::totp::Step as TotpStep;
use dancu_domain::people::{MachineTime, PersonId};
use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
use dancu_journal::{Act, Body};
use dancu_store::engine::{Engine, PoolSettings, Postgres, Settings as Server, Tx, migrate};
use dancu_store::keys::Keyring;
use dancu_store::people::{self, Person, Revision, Secrets, Totp};
use dancu_store::{Database, OpenOptions, Store};

use crate::ENGINE;

/// Monday, in hours.
pub const MORNING: &str = "2026-03-02T07:50:00+07:00";
/// Where the portal of the tests is.
pub const ORIGIN: &str = "https://dancu.example.vn";
/// A password that nobody guesses.
pub const SENTENCE: &str = "ba con vịt qua cầu";
/// The secret of everybody's application.
pub const SECRET: &[u8] = b"12345678901234567890";

/// Folders made by this process.
static MADE: AtomicU32 = AtomicU32::new(0);

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A store with the engine over it.
pub struct World {
    pub engine: Arc<People>,
    pub failures: Arc<AtomicU32>,
    at: AtomicI64,
    machine: AtomicI64,
    _database: Option<dancu_testdb::Database>,
    _folder: Folder,
}

/// Somebody who is signed in, and where.
pub struct Desk {
    pub id: PersonId,
    pub browser: Browser,
    pub session: SignedIn,
    pub present: Present,
}

/// A browser at some place.
#[derive(Clone)]
pub struct Browser {
    pub cookie: String,
    pub device: Option<String>,
    pub source: IpAddr,
}

impl Browser {
    pub fn at(source: &str) -> Self {
        Self { cookie: new_cookie().unwrap(), device: None, source: source.parse().unwrap() }
    }
}

fn clock() -> Moment {
    Moment(dancu_testdb::machine_ms())
}

fn fill(url: &str) -> Result<(), String> {
    let mut db = Postgres::connect(&Server::new(url).unwrap()).unwrap().into();
    let all = migrate::AREAS.into_iter();
    all.map(|area| migrate::migrate(&mut db, area))
        .collect::<Result<Vec<_>, _>>()
        .map(drop)
        .map_err(|e| e.to_string())
}

impl World {
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// With `canbo.mot`, who has signed in.
    pub async fn at_desk() -> (Self, Desk) {
        let world = Self::new();
        let id = world.active("canbo.mot").await;
        let browser = Browser::at("10.1.2.3");
        let session = world.sign_in(&browser, "canbo.mot").await;
        let present = world.present(&session.cookie).await;
        (world, Desk { id, browser, session, present })
    }

    /// With registered networks.
    pub fn with(networks: &[&str]) -> Self {
        let name =
            format!("dancu-access-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let folder = Folder(std::env::temp_dir().join(name));
        std::fs::create_dir(&folder.0).unwrap();
        let database = match ENGINE {
            Engine::Sqlite => None,
            Engine::Postgres => {
                Some(dancu_testdb::Server::durable().database("access_people", fill))
            }
        };
        let now = Moment::parse_rfc3339(MORNING).unwrap();
        let store = Arc::new(open(&folder.0, database.as_ref(), now));
        let failures = Arc::new(AtomicU32::new(0));
        let counted = failures.clone();
        let engine = People::new(store, settings(networks), move |_, _| {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        Self {
            engine: Arc::new(engine.unwrap()),
            failures,
            at: AtomicI64::new(now.0),
            machine: AtomicI64::new(1_772_409_600_000),
            _database: database,
            _folder: folder,
        }
    }

    /// The engine of another process on the same data.
    pub fn another_node(&self) -> People {
        People::new(self.store().clone(), settings(&[]), |_, _| {}).unwrap()
    }

    pub fn at(&self) -> Moment {
        Moment(self.at.load(Ordering::Relaxed))
    }

    pub fn machine(&self) -> MachineTime {
        MachineTime(self.machine.load(Ordering::Relaxed))
    }

    /// Both clocks go on.
    pub fn pass(&self, ms: i64) {
        self.at.fetch_add(ms, Ordering::Relaxed);
        self.machine.fetch_add(ms, Ordering::Relaxed);
    }

    pub fn visit<'a>(&self, browser: &'a Browser) -> Visit<'a> {
        Visit {
            source: browser.source,
            agent: "Firefox of the test",
            browser: &browser.cookie,
            device: browser.device.as_deref(),
            at: self.at(),
            machine: self.machine(),
        }
    }

    pub fn store(&self) -> &Arc<Store> {
        self.engine.store()
    }

    /// A change by the office.
    pub async fn office(
        &self,
        change: impl FnOnce(&mut Tx<'_>, &Keyring) -> dancu_store::Result<()> + Send + 'static,
    ) {
        let keys = self.store().keys().clone();
        let acted = self.store().ledger().act(self.at(), move |tx, _| {
            change(tx, &keys)?;
            let (kind, actor) = ("test".into(), "office".into());
            Ok(Body::Act(Act { kind, actor, system: 0, detail: String::new() }))
        });
        acted.await.unwrap();
    }

    /// Changes a person.
    pub async fn edit(&self, id: PersonId, change: impl FnOnce(&mut Person) + Send + 'static) {
        self.office(move |tx, keys| {
            let mut person = people::by_id(tx, keys, id)?.unwrap();
            change(&mut person);
            people::save(tx, keys, &person)
        })
        .await;
    }

    /// Somebody who was invited just now; the password that was given.
    pub async fn invited(&self, login: &str) -> (PersonId, String) {
        let (given, hash) = self.engine.given_password().await.unwrap();
        let mut person = new_person(1, login, self.at());
        set_password(&mut person, hash);
        let id = self.insert(person).await;
        (id, given.to_string())
    }

    /// Somebody who signs in with [`SENTENCE`] and codes of [`SECRET`].
    pub async fn active(&self, login: &str) -> PersonId {
        let hash = self.engine.hasher().hash(SENTENCE).await.unwrap();
        self.insert(active_person(1, login, hash, self.at(), self.store().profiles())).await
    }

    async fn insert(&self, mut person: Person) -> PersonId {
        let (told, found) = std::sync::mpsc::channel();
        self.office(move |tx, keys| {
            person.id = people::next_id(tx)?;
            person.account.person = person.id;
            people::insert(tx, keys, &person)?;
            told.send(person.id).unwrap();
            Ok(())
        })
        .await;
        found.recv().unwrap()
    }

    pub async fn person(&self, id: PersonId) -> Person {
        self.store().people().person_by_id(id).await.unwrap().unwrap()
    }

    pub fn code(&self) -> String {
        totp::code(SECRET, TotpStep::at(self.machine()))
    }

    pub async fn begin(&self, browser: &Browser, login: &str, password: &str) -> Outcome {
        let visit = self.visit(browser);
        self.engine.begin(&visit, login, password, None, false).await.unwrap()
    }

    pub async fn factor(&self, browser: &Browser, ticket: &str, typed: &str) -> Outcome {
        let visit = self.visit(browser);
        let proof = Proof::typed(typed);
        self.engine.second_factor(&visit, ticket, proof, None, false).await.unwrap()
    }

    /// Signs an active person in with a code; the clocks go on so that the next code is good.
    pub async fn sign_in(&self, browser: &Browser, login: &str) -> SignedIn {
        let ticket = asked(self.begin(browser, login, SENTENCE).await);
        let done = done(self.factor(browser, &ticket, &self.code()).await);
        self.pass(30_000);
        done
    }

    pub async fn look(&self, cookie: &str, cause: Cause) -> Look {
        let look = self.engine.look(Some(cookie), cause, self.at(), self.machine());
        look.await.unwrap()
    }

    pub async fn present(&self, cookie: &str) -> Present {
        match self.look(cookie, Cause::Person).await {
            Look::Open(present) => present,
            Look::Locked(_) => panic!("locked"),
            Look::Ended(reason) => panic!("{reason:?}"),
            Look::Nobody => panic!("nobody"),
        }
    }

    /// Kinds of the acts in the journal, but those of the office.
    pub fn kinds(&self) -> Vec<String> {
        let mut kinds = vec![];
        let read = self.store().scan_entries(0, |entry| {
            if let Body::Act(act) = entry.body
                && act.kind.starts_with("person.")
            {
                kinds.push(act.kind);
            }
            Ok(true)
        });
        read.unwrap();
        kinds
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.store().stop();
    }
}

fn settings(networks: &[&str]) -> Settings {
    Settings {
        threads: 2,
        networks: networks.iter().map(|n| n.parse().unwrap()).collect(),
        site: Site { name: "Dân cư".into(), origin: ORIGIN.into() },
    }
}

fn open(dir: &Path, database: Option<&dancu_testdb::Database>, now: Moment) -> Store {
    let profiles = Arc::new(Profiles::parse(DEFAULT_PROFILE).unwrap());
    let database = database.map(|database| Database {
        settings: Server::new(&database.url()).unwrap(),
        nodes: 1,
        clock,
        pool: PoolSettings::default(),
    });
    let master_key = <_>::default();
    Store::open(dir, OpenOptions { profiles, master_key, now, migrate: true, database }).unwrap()
}

pub fn new_person(id: u32, login: &str, at: Moment) -> Person {
    let id = PersonId(id);
    Person {
        id,
        login: Login::parse(login).unwrap(),
        name: "Đặng Thị Phương Thảo".into(),
        unit: UnitCode::parse("H26.001").unwrap(),
        phone: String::new(),
        personal_id: None,
        account: Account::invite(id, Class::Staff, PersonId(1_000_000), at),
        grants: Grants::default(),
        secrets: Secrets::default(),
        revision: Revision::NEW,
    }
}

pub fn active_person(
    id: u32,
    login: &str,
    hash: String,
    at: Moment,
    profiles: &Profiles,
) -> Person {
    let mut person = new_person(id, login, at);
    person.account.password = Some(PasswordAge { set_on: at.viet_nam_date(), given: false });
    person.account = person.account.clone().activate(at, profiles.at(at)).unwrap();
    set_password(&mut person, hash);
    person.secrets.totp = Some(Totp { secret: SECRET.to_vec(), last: None, since: at });
    person
}

/// The ticket of the page that asks for a second factor.
pub fn asked(outcome: Outcome) -> String {
    match outcome {
        Outcome::Next { step: Step::SecondFactor(_), ticket } => ticket,
        other => panic!("{}", word(&other)),
    }
}

pub fn done(outcome: Outcome) -> SignedIn {
    match outcome {
        Outcome::Done(done) => *done,
        other => panic!("{}", word(&other)),
    }
}

pub fn refused(outcome: Outcome) -> (PortalReason, bool) {
    match outcome {
        Outcome::Refused { reason, again } => (reason, again),
        other => panic!("{}", word(&other)),
    }
}

/// Signs in and has the browser remembered; the session's cookie beside it. The clocks go on.
pub async fn remembered(world: &World, mut browser: Browser, login: &str) -> (Browser, String) {
    let ticket = asked(world.begin(&browser, login, SENTENCE).await);
    let (visit, code) = (world.visit(&browser), world.code());
    let proof = Proof::typed(&code);
    let enrolled = world.engine.second_factor(&visit, &ticket, proof, None, true).await.unwrap();
    let signed_in = done(enrolled);
    browser.device = signed_in.device_cookie;
    world.pass(30_000);
    (browser, signed_in.cookie)
}

/// Runs futures side by side on this task.
pub async fn join<F: Future<Output = ()>>(all: impl Iterator<Item = F>) {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        all.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

/// What a person sees of an outcome.
pub fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Next { step, .. } => format!("{step:?}"),
        Outcome::Codes { .. } => "codes".into(),
        Outcome::Done(_) => "done".into(),
        Outcome::Refused { reason, again } => format!("{reason:?} {again}"),
        Outcome::Held(held) => format!("{held:?}"),
    }
}

pub fn no(reason: PortalReason) -> Answer {
    Answer::Refused(reason)
}

pub fn mark(cookie: &str) -> Mark {
    Mark::of(cookie).unwrap()
}

/// Solves a captcha as a browser does.
pub fn solve(challenge: &Challenge) -> String {
    use base64::Engine as _;
    let hash = |n: u32| {
        let text = format!("{}{n}", challenge.salt);
        hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()))
    };
    let number = (0..=challenge.maxnumber).find(|n| hash(*n) == challenge.challenge).unwrap();
    let solution = serde_json::json!({
        "algorithm": challenge.algorithm,
        "challenge": challenge.challenge,
        "number": number,
        "salt": challenge.salt,
        "signature": challenge.signature,
    });
    base64::engine::general_purpose::STANDARD.encode(solution.to_string())
}
