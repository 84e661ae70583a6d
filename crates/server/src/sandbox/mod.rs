//! What a sandbox has beside a centre (B3): persons and systems for every edge, and conformance
//! runs. It is there on synthetic people only, so it may name them.

pub mod personas;
mod report;

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;
use axum::response::Response;
use dancu_domain::conformance::{self, Outcome, RUN_MS, Run, Whom, step};
use dancu_domain::dossier::DossierNumber;
use dancu_domain::ids::{SubjectId, SystemId};
use dancu_domain::moment::Moment;
use dancu_domain::refusal::Reason;
use dancu_domain::registration::{AccountState, System};
use dancu_domain::service::{Service, ServiceSet, Window};
use dancu_gate::query::{Query, Reply};
use dancu_gate::{Caller, Gate};
use dancu_journal::{Body, Decision, Entry};
use dancu_office::dossiers::tested;
use dancu_office::{Refused, sandbox as office};
use dancu_store::Store;
use dancu_store::entries::Pseudonyms;
use tokio::sync::Mutex;

use self::personas::{Edge, Persona};
pub use self::report::REPORT_MAX;
use crate::app::{App, Shared};
use crate::clock::machine_ms;
use crate::log_key::{LogKey, sha256};

/// Entries that are read at a time.
const PAGE: usize = 500;
/// A run is begun at most this often by one system, ms: each is an entry of the journal.
const AGAIN_MS: i64 = 5_000;

/// The sandbox of a running demo. Runs stand in memory: one that is under way ends with the
/// program, what it reported stands in the journal.
pub struct Sandbox {
    /// Persons for every edge.
    pub personas: Vec<Persona>,
    runs: parking_lot::Mutex<HashMap<SystemId, Slot>>,
}

/// The run of one system; no question of another waits for it.
type Slot = Arc<Mutex<Option<Running>>>;

/// A run under way, or over.
struct Running {
    run: Run,
    /// Index of the entry of its beginning: its number.
    number: u64,
    /// From where entries are still to be looked at.
    next: u64,
    /// Until when entries count, by the machine's clock, ms.
    until_ms: i64,
    began_ms: i64,
    began: Moment,
    /// The first entry that does not count any more.
    end: Option<u64>,
    client: String,
    /// Code of the system that the software is for, as its dossier has it.
    for_system: String,
    by: String,
    /// The signed report, once every case is shown.
    signed: Option<String>,
    /// The dossier whose step it closed.
    closed: Option<DossierNumber>,
}

/// A run as it stands.
#[derive(Clone)]
pub struct Look {
    /// `KT-<index>`.
    pub number: String,
    /// Name and version of the client software, as stated.
    pub client: String,
    /// When it began, by the sandbox clock.
    pub began: Moment,
    /// Cases and refusals.
    pub run: Run,
    /// Minutes that are left; 0: over.
    pub minutes_left: i64,
    /// The signed report, once every case is shown.
    pub signed: Option<String>,
    /// Code of the system that the software is for.
    pub for_system: String,
    /// The dossier whose step the report closed.
    pub closed: Option<DossierNumber>,
}

/// What a run is begun with.
#[derive(Clone, Copy, Debug)]
pub struct Beginning<'a> {
    /// Who begins it.
    pub by: &'a str,
    /// Name and version of the software.
    pub client: &'a str,
    /// Code of the system that it is for; empty: that of the unit's newest dossier.
    pub for_system: &'a str,
}

/// Why a run cannot be begun or looked at.
pub enum Stopped {
    /// It is begun too often.
    TooOften,
    /// No run of this system.
    Missing,
    /// The store could not.
    Failed(String),
    /// The answer that is sent instead.
    Busy(Response),
}

impl From<Refused> for Stopped {
    fn from(refused: Refused) -> Self {
        Self::Failed(refused.to_string())
    }
}

impl Sandbox {
    /// Over the showcase of the population.
    pub fn new(store: &Store, people: &[dancu_domain::person::Person]) -> anyhow::Result<Self> {
        let personas = personas::choose(store, people).context("thiếu người mẫu (personas)")?;
        Ok(Self { personas, runs: <_>::default() })
    }

    fn ids(&self, edge: Edge) -> impl Iterator<Item = SubjectId> + '_ {
        let ids = self.personas.iter().filter(move |p| p.edge == edge);
        ids.flat_map(Persona::ids)
    }

    /// Begins a run of a system anew.
    ///
    /// # Errors
    /// [`Stopped::TooOften`], [`Stopped::Failed`].
    pub async fn begin(
        &self,
        app: &App,
        system: &System,
        begins: Beginning<'_>,
    ) -> Result<(), Stopped> {
        let Beginning { by, client, for_system } = begins;
        let slot = self.runs.lock().entry(system.id).or_default().clone();
        let mut slot = slot.lock().await;
        let now_ms = machine_ms();
        if slot.as_ref().is_some_and(|run| now_ms - run.began_ms < AGAIN_MS) {
            return Err(Stopped::TooOften);
        }
        app.open_accounts(system).await?;
        let began = app.clock.now();
        let for_system = match for_system {
            "" => newest(app, system).await?,
            code => code.to_owned(),
        };
        let done = office::begun((app.gate.store(), began), system, by, client).await?;
        let grants = || system.services.iter().flatten();
        let granted: Vec<Service> = grants().map(|grant| grant.service).collect();
        let windows = [Window::InHours, Window::OffHours]
            .map(|window| grants().any(|grant| grant.line(window).is_some()));
        let running = Running {
            run: Run::new(ServiceSet::of(&granted), windows),
            number: done.index,
            next: done.index + 1,
            until_ms: now_ms + RUN_MS,
            began_ms: now_ms,
            began,
            end: None,
            client: client.to_owned(),
            for_system,
            by: by.to_owned(),
            signed: None,
            closed: None,
        };
        *slot = Some(running);
        Ok(())
    }

    /// Whether a question is answered 503 instead, as a run asks for it.
    async fn cuts_off(&self, gate: &Gate, system: SystemId, query: &Query) -> bool {
        let Some(slot) = self.slot(system) else { return false };
        let mut slot = slot.lock().await;
        let Some(running) = slot.as_mut() else { return false };
        running.close_in_time(gate);
        let mut outage = self.ids(Edge::Outage);
        running.end.is_none()
            && outage.any(|id| id == query.subject.id)
            && running.run.cut_off(query.request_id.as_str())
    }

    fn slot(&self, system: SystemId) -> Option<Slot> {
        self.runs.lock().get(&system).cloned()
    }

    /// Looks at what the journal holds of a run by now; one that shows every case is reported.
    ///
    /// # Errors
    /// [`Stopped::Missing`], and where the journal cannot be read.
    pub async fn look(&self, app: &Shared, system: &System) -> Result<Look, Stopped> {
        let slot = self.slot(system.id).ok_or(Stopped::Missing)?;
        let (number, next, end) = {
            let mut slot = slot.lock().await;
            let running = slot.as_mut().ok_or(Stopped::Missing)?;
            running.close_in_time(&app.gate);
            if running.signed.is_some() {
                return Ok(running.told());
            }
            (running.number, running.next, running.end.unwrap_or(u64::MAX))
        };
        // Its questions do not wait while the journal is read.
        let (reader, id) = (app.clone(), system.id);
        let read = move || read(&reader, id, (next, end));
        let found = app.reads.long(read).await.map_err(Stopped::Busy)?;
        let found = found.map_err(|error| Stopped::Failed(error.to_string()))?;
        let mut slot = slot.lock().await;
        let running = slot.as_mut().ok_or(Stopped::Missing)?;
        // Begun anew meanwhile, or looked at by another: nothing is counted twice.
        if running.number == number && running.signed.is_none() {
            for entry in &found {
                if entry.index >= running.next {
                    running.next = entry.index + 1;
                    step(&mut running.run, entry);
                }
            }
            if running.run.is_passed() {
                running.report(app, system).await?;
            }
        }
        Ok(running.told())
    }
}

impl Running {
    /// Once its time is over, what comes from now on does not count.
    fn close_in_time(&mut self, gate: &Gate) {
        if self.end.is_none() && machine_ms() > self.until_ms {
            self.end = Some(gate.store().ledger().next_index());
        }
    }

    fn name(&self) -> String {
        format!("KT-{}", self.number)
    }

    /// Writes, signs and journals the report.
    async fn report(&mut self, app: &App, system: &System) -> Result<(), Stopped> {
        let (store, now) = (app.gate.store(), app.clock.now());
        let failed = |error: anyhow::Error| Stopped::Failed(format!("{error:#}"));
        let text = report::text(self, system, (now, Moment(machine_ms()))).map_err(failed)?;
        let signed = LogKey::of(store).map_err(failed)?.signed(&text);
        let sha256 = sha256(signed.as_bytes());
        let cases = self.run.passed();
        let name = self.name();
        let told = (&*name, cases, &*sha256);
        office::passed((store, now), (system, &self.by), told).await?;
        self.end.get_or_insert(self.next);
        self.closed = hand_in(app, system, &signed).await;
        self.signed = Some(signed);
        Ok(())
    }

    fn told(&self) -> Look {
        let left = if self.end.is_some() { 0 } else { self.until_ms - machine_ms() };
        Look {
            number: self.name(),
            client: self.client.clone(),
            began: self.began,
            run: self.run.clone(),
            minutes_left: left.max(0).div_euclid(dancu_domain::moment::MINUTE_MS),
            signed: self.signed.clone(),
            for_system: self.for_system.clone(),
            closed: self.closed,
        }
    }
}

/// Code of the system that the unit's newest dossier is about; empty where there is none.
async fn newest(app: &App, system: &System) -> Result<String, Stopped> {
    let dossiers = app.gate.store().dossiers();
    let found = dossiers.of_unit(&system.unit, DossierNumber(u32::MAX)).await;
    let found = found.map_err(|error| Stopped::Failed(error.to_string()))?;
    Ok(found.first().map(|row| row.code.trim().to_owned()).unwrap_or_default())
}

/// Closes the step of the dossier that waits for this report; none where no dossier does, and
/// whoever has one hands it in later.
async fn hand_in(app: &App, system: &System, signed: &str) -> Option<DossierNumber> {
    let proven = app.prove(signed).ok()?;
    let at = (&**app.gate.store(), app.clock.now());
    match tested::of_tenant(at, system, proven).await {
        Ok(number) => number,
        Err(refused) => {
            tracing::warn!(error = %refused, "a conformance report closed no step");
            None
        }
    }
}

/// Entries of a system from one index on, before another, as a run looks at them.
fn read(
    app: &App,
    system: SystemId,
    (mut next, end): (u64, u64),
) -> dancu_store::Result<Vec<conformance::Entry>> {
    let store = app.gate.store();
    let Some(sandbox) = &app.sandbox else { return Ok(vec![]) };
    let mut all = vec![];
    loop {
        let page = store.entries_of_system(system.0, next, PAGE)?;
        let is_last = page.len() < PAGE;
        next = page.last().map_or(next, |entry| entry.index + 1);
        let before = page.iter().filter(|entry| entry.index < end);
        all.extend(before.filter_map(|entry| seen(store, sandbox, entry)));
        if is_last || next >= end {
            return Ok(all);
        }
    }
}

fn seen(store: &Store, sandbox: &Sandbox, entry: &Entry) -> Option<conformance::Entry> {
    let Body::Query(q) = &entry.body else { return None };
    let outcome = match (q.decision, q.answer) {
        (Decision::Repeat, _) => Outcome::Repeat,
        (Decision::Refused, _) => Outcome::Refused(Reason::from_number(q.reason)?),
        (Decision::Accepted, 1) => Outcome::Match,
        (Decision::Accepted, 2) => Outcome::NoMatch,
        (Decision::Accepted, 3) => Outcome::Data,
        (Decision::Accepted, _) => Outcome::Other,
    };
    Some(conformance::Entry {
        index: entry.index,
        request_id: q.request_id.clone(),
        service: Service::from_index(q.service),
        window: Window::from_index(q.window)?,
        whom: whom(store, sandbox, q),
        outcome,
    })
}

/// Whom an entry is about, by the pseudonyms of the personas.
fn whom(store: &Store, sandbox: &Sandbox, q: &dancu_journal::Query) -> Whom {
    let Some(subject) = q.subjects.first() else { return Whom::Other };
    let Some(year) = Pseudonyms::of_year(store.keys(), subject.epoch) else { return Whom::Other };
    let edges = [
        (Edge::YearOnly, Whom::YearOnly),
        (Edge::Deceased, Whom::Deceased),
        (Edge::Nobody, Whom::Nobody),
    ];
    let is = |id| year.subject(id, false).pseudonym == subject.pseudonym;
    let found = edges.into_iter().find(|(edge, _)| sandbox.ids(*edge).any(is));
    found.map_or(Whom::Other, |(_, whom)| whom)
}

impl App {
    /// Puts a question of a program to the gate; on a sandbox a run may have it cut off before.
    pub async fn ask(&self, caller: &Caller, query: &Query) -> Reply {
        if let Some(sandbox) = &self.sandbox
            && sandbox.ids(Edge::Abnormal).any(|id| id == query.subject.id)
            && self.lock_abnormal(caller.system, query).await.is_err()
        {
            return dancu_gate::path::unavailable();
        }
        if let Some(sandbox) = &self.sandbox
            && sandbox.cuts_off(&self.gate, caller.system, query).await
        {
            return dancu_gate::path::unavailable();
        }
        self.gate.ask(caller, query).await
    }

    /// Locks the account of a test system, as a centre does where its use is abnormal (D6).
    async fn lock_abnormal(&self, id: SystemId, query: &Query) -> Result<(), Refused> {
        let (snapshot, now) = (self.gate.snapshot(), self.clock.now());
        let Some(system) = snapshot.by_id(id).filter(|s| office::is_tenant(&s.code)) else {
            return Ok(());
        };
        let account = system.accounts.find(query.officer.as_str());
        let Some(account) = account.filter(|a| a.state == AccountState::Live) else {
            return Ok(());
        };
        let changed = [(account.id, AccountState::Locked)];
        office::set_accounts((self.gate.store(), now), system, changed.to_vec()).await?;
        Ok(self.gate.reload(now).await?)
    }

    /// Opens the accounts of a test system that were locked so.
    async fn open_accounts(&self, system: &System) -> Result<(), Refused> {
        let locked = system.accounts.iter().filter(|a| a.state == AccountState::Locked);
        let open: Vec<_> = locked.map(|a| (a.id, AccountState::Live)).collect();
        if open.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        office::set_accounts((self.gate.store(), now), system, open).await?;
        Ok(self.gate.reload(now).await?)
    }
}
