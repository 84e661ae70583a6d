//! A whole world for one test: its own data folder, synthetic people, registered systems, a clock
//! that the test sets. When it ends, the whole journal is read again and compared with the counts.

pub mod engine;
mod folder;
mod setup;
mod verify;

use std::future::Future;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use dancu_access::client::ProvedClient;
use dancu_domain::ids::{AccountId, LineId, SubjectId, SystemId};
use dancu_domain::ids::{CaseCode, OfficerRef, OldId, PersonalId, ProcedureCode, RequestId};
use dancu_domain::lines::Lines;
use dancu_domain::moment::Moment;
use dancu_domain::name::NameQuery;
use dancu_domain::person::{Household, Person, Relative};
use dancu_domain::profile::Profiles;
use dancu_domain::refusal::Reason;
use dancu_domain::registration::{Channel, System};
use dancu_domain::service::{Service, Window};
use dancu_gate::path::Protocol;
use dancu_gate::query::{Ask, Query, RelativeQuery, Reply, Subject};
use dancu_gate::{Caller, Gate};
use dancu_journal::{Act, Body, Entry};
use dancu_store::engine::{self as sql, Tx};
use dancu_store::ledger::Counts;
use dancu_store::{OpenOptions, Store};

pub use engine::{fault_on, no_fault_on};
pub use folder::Folder;
pub use setup::{PROCEDURE, SystemSpec, TestWorldBuilder, with_soap};

/// Monday, in hours.
pub const MORNING: &str = "2026-03-02T09:00:00+07:00";

/// Reads RFC 3339.
pub fn at(text: &str) -> Moment {
    Moment::parse_rfc3339(text).unwrap()
}

/// A system that proved itself by a secret without an end, which may be used again and again.
pub fn by_secret(system: Arc<System>) -> ProvedClient {
    ProvedClient { system, assertion: None, credential: 0, until: None }
}

/// An account as its system names it.
#[derive(Clone, Debug)]
pub struct TestAccount {
    pub system: SystemId,
    pub id: AccountId,
    pub login: String,
}

/// A registered system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TestSystem(pub u32);

impl TestSystem {
    pub fn id(self) -> SystemId {
        SystemId(self.0)
    }

    /// The line of a service and window.
    pub fn line(self, service: Service, window: Window) -> LineId {
        LineId(self.0 * 100 + service as u32 * 2 + window as u32)
    }

    fn account(self, number: u32, name: &str) -> TestAccount {
        TestAccount {
            system: self.id(),
            id: AccountId(self.0 * 10 + number),
            login: format!("system{}.{name}", self.0),
        }
    }

    /// An officer, paced like a person.
    pub fn officer(self) -> TestAccount {
        self.account(1, "canbo1")
    }

    /// Covered by a job plan, so that the test can ask as fast as it likes.
    pub fn plan(self) -> TestAccount {
        self.account(2, "kehoach")
    }

    /// For sign-up checks; verifies only.
    pub fn system_account(self) -> TestAccount {
        self.account(3, "congdvc")
    }

    /// Somebody who left.
    pub fn revoked(self) -> TestAccount {
        self.account(4, "nghiviec")
    }
}

/// The world of one test.
pub struct TestWorld {
    // Dropped in this order: the gate lets go of the folder before it is removed.
    gate: Option<Arc<Gate>>,
    place: engine::Place,
    folder: Folder,
    profiles: Arc<Profiles>,
    specs: Vec<SystemSpec>,
    clock: AtomicI64,
    asked: AtomicU64,
    pub people: Vec<Person>,
    pub households: Vec<Household>,
}

impl TestWorld {
    /// A world with the shipped profile, 300 people and no system yet.
    pub fn build() -> TestWorldBuilder {
        TestWorldBuilder::default()
    }

    pub fn gate(&self) -> &Arc<Gate> {
        self.gate.as_ref().unwrap()
    }

    pub fn store(&self) -> &Arc<Store> {
        self.gate().store()
    }

    pub fn dir(&self) -> &Path {
        self.folder.path()
    }

    pub fn now(&self) -> Moment {
        Moment(self.clock.load(Ordering::Relaxed))
    }

    /// Sets the clock, backwards too.
    pub fn set_clock(&self, to: Moment) {
        self.clock.store(to.0, Ordering::Relaxed);
    }

    /// Closes the folder and opens it again; `between` runs while it is closed.
    pub fn reopen_after(&mut self, between: impl FnOnce(&Path)) {
        let gate = self.gate.take().unwrap();
        gate.store().stop();
        let gate = Arc::try_unwrap(gate).ok().expect("no question is under way");
        drop(gate);
        between(self.folder.path());
        self.open();
    }

    pub fn reopen(&mut self) {
        self.reopen_after(|_| {});
    }

    /// How this world's store is opened.
    pub fn options(&self) -> OpenOptions {
        OpenOptions {
            profiles: self.profiles.clone(),
            master_key: <_>::default(),
            now: self.now(),
            migrate: true,
            database: self.place.database(engine::clock),
        }
    }

    /// The same with another clock of the machine.
    pub fn options_with_clock(&self, clock: fn() -> Moment) -> OpenOptions {
        OpenOptions { database: self.place.database(clock), ..self.options() }
    }

    /// A connection of its own to policy, counts and journal.
    pub fn core(&self) -> sql::Db {
        self.place.connect(&self.dir().join(dancu_store::CORE_FILE))
    }

    /// A connection of its own to the registry.
    pub fn registry(&self) -> sql::Db {
        self.place.connect(&self.dir().join("registry.db"))
    }

    /// A connection of its own to the search runs.
    pub fn search(&self) -> sql::Db {
        self.place.connect(&self.dir().join("search.db"))
    }

    fn open(&mut self) {
        let store = Arc::new(Store::open(self.folder.path(), self.options()).unwrap());
        self.gate = Some(Arc::new(Gate::open(store, self.now()).unwrap()));
    }

    // Asking -----------------------------------------------------------------------------------

    /// A caller of an account's system, arriving now.
    pub fn caller(&self, account: &TestAccount) -> Caller {
        self.caller_at(account, self.now())
    }

    #[expect(clippy::unused_self, reason = "reads like the other helpers")]
    pub fn caller_at(&self, account: &TestAccount, arrival: Moment) -> Caller {
        Caller {
            system: account.system,
            protocol: Protocol::Rest,
            channel: Channel::Api,
            source: IpAddr::from([127, 0, 0, 1]),
            arrival,
            credential_version: 1,
            header: None,
        }
    }

    /// A new question with an id and body of its own. The service follows from what is asked.
    pub fn query(&self, account: &TestAccount, subject: Subject, ask: Ask) -> Query {
        let number = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        let service = match &ask {
            Ask::Verify(_) => Service::CitizenVerify,
            Ask::Lookup | Ask::Fields(_) => Service::CitizenLookup,
            Ask::Household => Service::HouseholdLookup,
            Ask::Relation(..) => Service::RelationVerify,
            Ask::Residence(_) => Service::ResidenceVerify,
            Ask::Marital(_) => Service::MaritalVerify,
            Ask::Vital(_) => Service::VitalStatusVerify,
            Ask::BloodGroup => Service::BloodGroupProvide,
        };
        Query {
            request_id: RequestId::parse(&format!("YC-{number}")).unwrap(),
            officer: OfficerRef::parse(&account.login).unwrap(),
            second_name: None,
            procedure: ProcedureCode::parse(PROCEDURE).unwrap(),
            purpose: None,
            case: Some(CaseCode::parse(&format!("H26.001/{number}")).unwrap()),
            unit: None,
            x_road_user: None,
            service,
            subject,
            ask,
            body: u128::from(number).to_be_bytes(),
        }
    }

    pub fn verify(&self, account: &TestAccount, person: &Person) -> Query {
        self.query(account, by_personal_id(person), Ask::Verify(vec![]))
    }

    pub async fn ask(&self, account: &TestAccount, query: &Query) -> Reply {
        self.gate().ask(&self.caller(account), query).await
    }

    pub async fn ask_at(&self, account: &TestAccount, query: &Query, arrival: Moment) -> Reply {
        self.gate().ask(&self.caller_at(account, arrival), query).await
    }

    pub async fn ask_verify(&self, account: &TestAccount, person: &Person) -> Reply {
        self.ask(account, &self.verify(account, person)).await
    }

    /// Starts a question without waiting for it.
    pub fn start(&self, caller: Caller, query: Query) -> tokio::task::JoinHandle<Reply> {
        let gate = self.gate().clone();
        tokio::spawn(async move { gate.ask(&caller, &query).await })
    }

    /// Asks all at once; the replies stand in the order of the questions.
    pub async fn ask_all(&self, questions: Vec<(Caller, Query)>) -> Vec<Reply> {
        let started: Vec<_> = questions.into_iter().map(|(c, q)| self.start(c, q)).collect();
        let mut replies = Vec::with_capacity(started.len());
        for task in started {
            replies.push(task.await.unwrap());
        }
        replies
    }

    // People -----------------------------------------------------------------------------------

    /// The first person that fits.
    pub fn person(&self, fits: impl Fn(&Person) -> bool) -> &Person {
        self.people.iter().find(|p| fits(p)).expect("the population has such a person")
    }

    pub fn by_id(&self, id: PersonalId) -> &Person {
        self.person(|p| p.personal_id == id)
    }

    /// A person whose old id nobody shares.
    pub fn with_old_id(&self) -> &Person {
        self.person(|p| {
            let old = p.old_ids.first();
            old.is_some_and(|o| self.people.iter().filter(|q| q.old_ids.contains(o)).count() == 1)
        })
    }

    /// The keys of somebody who does not exist, otherwise like this person.
    pub fn nobody(&self, like: &Person) -> Subject {
        let taken = |n: u64| self.people.iter().any(|p| p.personal_id.number() == n);
        let base = like.personal_id.number() / 100 * 100;
        let free = (base..base + 100).find(|n| !taken(*n)).unwrap();
        let id = SubjectId::Personal(PersonalId::from_number(free).unwrap());
        Subject { id, ..by_personal_id(like) }
    }

    // Journal and counts -----------------------------------------------------------------------

    /// Every entry, in the order of the journal.
    pub fn entries(&self) -> Vec<Entry> {
        verify::entries(self.store())
    }

    /// The last entry, which is a question.
    pub fn last_query(&self) -> dancu_journal::Query {
        query_of(self.entries().last().unwrap()).clone()
    }

    /// Persons counted on a line on the duty day of the clock.
    pub fn used(&self, line: LineId) -> u32 {
        let day = self.profiles.at(self.now()).hours.duty(self.now()).day;
        self.lines(|l| l.line_day(line, day).used)
    }

    pub fn lines<T>(&self, look: impl FnOnce(&Lines) -> T) -> T {
        self.store().ledger().lines(look)
    }

    /// A change of policy or locks as an act of the ledger; its journal index.
    pub async fn act(
        &self,
        kind: &str,
        change: impl FnOnce(&mut Db<'_, '_>, &mut Counts<'_>) -> Changed + Send + 'static,
    ) -> u64 {
        let (now, kind) = (self.now(), kind.to_owned());
        let act = self.store().ledger().act(now, move |tx, counts| {
            change(&mut Db(tx), counts)?;
            Ok(Body::Act(Act {
                kind,
                actor: "thử nghiệm".into(),
                system: 0,
                detail: String::new(),
            }))
        });
        act.await.unwrap()
    }

    /// Takes the registry away, so that reading it fails.
    pub fn registry_goes(&self) {
        self.registry_moves("person", "away");
    }

    /// Puts it back.
    pub fn registry_comes(&self) {
        self.registry_moves("away", "person");
    }

    fn registry_moves(&self, from: &str, to: &str) {
        if let engine::Place::Folder = self.place {
            let file = |table| {
                let name = if table == "person" { "registry.db" } else { "registry.away" };
                self.dir().join(name)
            };
            assert!(!file(to).exists(), "a registry was made where one was missing");
            std::fs::rename(file(from), file(to)).unwrap();
            self.store().registry().reopen();
        } else {
            let sql = format!("ALTER TABLE {from} RENAME TO {to}");
            self.core().tx().batch(&sql).unwrap();
        }
    }

    /// Lets every commit of an entry fail until [`TestWorld::commits_work`].
    pub async fn commits_fail(&self) {
        self.tidy(engine::fault_on("ledger_head", "UPDATE")).await;
    }

    pub async fn commits_work(&self) {
        self.tidy(engine::no_fault_on("ledger_head")).await;
    }

    async fn tidy(&self, sql: String) {
        let tidy = self.store().ledger().tidy(self.now(), move |tx| tx.batch(&sql));
        tidy.await.unwrap();
    }

    /// Holds the writer, so that what is asked meanwhile is settled in one batch. It must be let
    /// go within the 5 s that an engine waits for a lock.
    pub async fn hold_writer(&self) -> HeldWriter {
        let mut db = self.core();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let (started, start) = tokio::sync::oneshot::channel();
        let holder = std::thread::spawn(move || {
            db.begin(sql::Mode::Write).unwrap();
            let head = "SELECT next_index FROM ledger_head WHERE id = 1";
            db.tx().lock_row(head, &[], |_| Ok(())).unwrap();
            started.send(()).unwrap();
            let _ = released.recv();
            db.rollback();
        });
        start.await.unwrap();
        // The writer takes this job and then waits for the engine: what follows queues up.
        let (store, now) = (self.store().clone(), self.now());
        let note = tokio::spawn(async move {
            store.ledger().tidy(now, |_| Ok(())).await.unwrap();
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        HeldWriter { release, holder, note }
    }
}

/// What a change of a test comes to.
type Changed = dancu_store::Result<()>;

/// The connection of an act, so that tests need not name the engine.
pub struct Db<'a, 'tx>(&'a mut Tx<'tx>);

/// See [`TestWorld::hold_writer`].
pub struct HeldWriter {
    release: std::sync::mpsc::Sender<()>,
    holder: std::thread::JoinHandle<()>,
    note: tokio::task::JoinHandle<()>,
}

impl HeldWriter {
    /// Gives what was started meanwhile time to queue up, then lets the writer go.
    pub async fn release(self) {
        tokio::time::sleep(Duration::from_millis(150)).await;
        self.release.send(()).unwrap();
        self.holder.join().unwrap();
        self.note.await.unwrap();
    }
}

/// The keys of a person, asked by personal id.
pub fn by_personal_id(person: &Person) -> Subject {
    Subject {
        id: SubjectId::Personal(person.personal_id),
        name: NameQuery::parse(person.full_name.as_str()).unwrap(),
        birth: person.birth,
    }
}

/// The keys of a person, asked by an old id.
pub fn by_old_id(person: &Person, old: OldId) -> Subject {
    Subject { id: SubjectId::Old(old), ..by_personal_id(person) }
}

/// A relative as the record describes one.
pub fn relative(of: &Relative) -> RelativeQuery {
    RelativeQuery {
        name: NameQuery::parse(of.full_name.as_str()).unwrap(),
        personal_id: of.personal_id,
        old_id: None,
        birth: None,
        nationality: None,
    }
}

/// The question of an entry.
pub fn query_of(entry: &Entry) -> &dancu_journal::Query {
    match &entry.body {
        Body::Query(q) => q,
        other => panic!("entry {} is no question: {other:?}", entry.index),
    }
}

/// The reason of a refusal; `None` for an answer.
pub fn reason(reply: &Reply) -> Option<Reason> {
    reply.result.as_ref().err().map(|d| d.refusal.reason)
}

/// Waits for something that a background thread does; at most 10 s.
pub async fn until<F: Future<Output = bool>>(what: &str, mut done: impl FnMut() -> F) {
    for _ in 0..200 {
        if done().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("did not happen within 10 s: {what}");
}
