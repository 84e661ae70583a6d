//! Running a job: take its lease, ask its rows part by part, store what came of them.
//!
//! **Invariant:** results are stored after the entries of their questions are durable, so a result
//! always has its entry; a question whose result was lost is asked again under the same request id
//! and counts nothing.

use std::collections::VecDeque;

use dancu_domain::ids::{RequestId, SystemId};
use dancu_domain::moment::{HOUR_MS, Moment};
use dancu_domain::refusal::Reason;
use dancu_domain::registration::Channel;
use dancu_journal::Body;
use dancu_store::jobs::{Counts, JobRow, Part, PartKind, Progress, State};
use dancu_store::{Error, Result};
use futures_util::future::join_all;
use hashbrown::HashSet;

use super::code::{self, StoredHead};
use super::intake::{Expects, PART_ROWS};
use super::lists;
use super::types::{BatchItem, ItemOutcome, ItemResult, JobId, JobKind, ROWS_MAX};
use crate::path::{Caller, Gate};
use crate::query::{Answer, Ask, Query, Reply};
use crate::round::Manner;

/// How long a node holds a job without a word, ms: longer than a stalled disk, and short enough
/// that a dead node's job goes on elsewhere within a minute.
pub const LEASE_MS: i64 = 30_000;
/// A lease is renewed when less than this is left of it, ms.
const RENEW_MS: i64 = 15_000;
/// Request ids may be forgotten this much before their time, ms: clocks of nodes, and the hour in
/// which they are forgotten.
const FORGOTTEN_MS: i64 = HOUR_MS;
/// Entries looked at in one go for rows that were answered before.
const ENTRIES_READ: usize = 500;

/// What a step came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// So many rows have their answers.
    Went(usize),
    /// A list looked on through the registry and found nobody yet.
    Looked,
    /// A rule holds the job; it was given back.
    Paused,
    /// It is over.
    Over,
    /// Somebody else holds it.
    Lost,
    /// The journal takes nothing now: try again a little later.
    Trouble,
}

/// A job that this node holds.
pub struct JobRun {
    row: JobRow,
    stored: StoredHead,
    holder: [u8; 16],
    lease: Moment,
    part: Option<Open>,
    /// Rows that were answered before, though their request ids may be forgotten.
    known: HashSet<u32>,
}

/// What comes next.
enum Loaded {
    Part,
    Looked,
    End,
}

/// The part under way.
struct Open {
    first: u32,
    last: u32,
    left: VecDeque<BatchItem>,
    results: Vec<ItemResult>,
}

impl Gate {
    /// How many questions were asked so far by callers that wait: jobs yield to them.
    pub fn asked(&self) -> u64 {
        self.asked.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Takes the first job that may go on now and that `may` lets in; those that a rule holds are
    /// marked so, those that a rule ended are ended. `holder` = the random name of this process.
    pub async fn claim_job(
        &self,
        at: Moment,
        holder: [u8; 16],
        may: impl Fn(SystemId, JobId) -> bool,
    ) -> Result<Option<JobRun>> {
        self.reload(at).await?;
        let store = self.store.clone();
        let found = tokio::task::spawn_blocking(move || store.jobs_to_do(at, holder)).await;
        let found = found.map_err(|_| Error::Unavailable("job"))??;
        let mut passed = HashSet::new();
        for row in found {
            let system = SystemId(row.system);
            // One job of a system at a time, the first that may go on.
            if !may(system, JobId(row.id)) || passed.contains(&row.system) {
                continue;
            }
            let stored = StoredHead::of(&row)?;
            match self.expects_of(&row, &stored, at) {
                Expects::Open => {
                    passed.insert(row.system);
                    if let Some(run) = self.claim(at, holder, row, stored).await? {
                        return Ok(Some(run));
                    }
                }
                Expects::Waits(reason, until) => {
                    let same = row.reason == reason as u8 && row.until == until;
                    if row.state != State::Paused || !same {
                        self.store.job_pause(at, row.id, holder, reason as u8, until).await?;
                    }
                }
                Expects::Never(reason) => self.fail(at, &row, reason).await?,
            }
        }
        Ok(None)
    }

    async fn claim(
        &self,
        at: Moment,
        holder: [u8; 16],
        before: JobRow,
        stored: StoredHead,
    ) -> Result<Option<JobRun>> {
        let lease = at.plus_ms(LEASE_MS);
        let Some(row) = self.store.job_claim(at, before.id, holder, lease).await? else {
            return Ok(None);
        };
        let known = self.answered_rows(at, &before).await?;
        Ok(Some(JobRun { row, stored, holder, lease, part: None, known }))
    }

    /// Rows without a result that were answered so long ago that their request ids may be
    /// forgotten: found in the journal, which forgets nothing.
    async fn answered_rows(&self, at: Moment, before: &JobRow) -> Result<HashSet<u32>> {
        let mut rows = HashSet::new();
        let keep = self.store.profiles().at(at).remember_requests_ms - FORGOTTEN_MS;
        let (store, first) = (self.store.clone(), before.journal_from);
        let first = tokio::task::spawn_blocking(move || store.entry(first)).await;
        let first = first.map_err(|_| Error::Unavailable("job"))??;
        // What is younger is still known by its request id.
        if before.started_at.is_none() || first.is_none_or(|entry| at.0 - entry.at < keep) {
            return Ok(rows);
        }
        let prefix = format!("{}-", JobId(before.id));
        let mut from = before.journal_from;
        loop {
            let (store, system) = (self.store.clone(), before.system);
            let read = tokio::task::spawn_blocking(move || {
                store.entries_of_system(system, from, ENTRIES_READ)
            });
            let entries = read.await.map_err(|_| Error::Unavailable("job"))??;
            for entry in &entries {
                let Body::Query(q) = &entry.body else { continue };
                let row = q.request_id.strip_prefix(&prefix).and_then(|r| r.parse().ok());
                if let (Some(row), true) = (row, q.counted > 0) {
                    rows.insert(row);
                }
            }
            match entries.last() {
                Some(last) if entries.len() == ENTRIES_READ => from = last.index + 1,
                _ => return Ok(rows),
            }
        }
    }

    fn expects_of(&self, row: &JobRow, stored: &StoredHead, at: Moment) -> Expects {
        let snapshot = self.snapshot.load_full();
        match snapshot.by_id(SystemId(row.system)) {
            Some(system) => self.expects(system, &stored.kind, &stored.head, at),
            None => Expects::Never(Reason::ConnectionNotLive),
        }
    }

    async fn fail(&self, at: Moment, row: &JobRow, reason: Reason) -> Result<()> {
        let entry = self.act("job.failed", row);
        self.store.job_end(at, row.id, State::Failed, reason as u8, entry).await?;
        Ok(())
    }
}

impl JobRun {
    /// The job.
    pub fn id(&self) -> JobId {
        JobId(self.row.id)
    }

    /// Its system.
    pub fn system(&self) -> SystemId {
        SystemId(self.row.system)
    }

    /// Asks at most `n` rows at once and stores results where a part is through.
    ///
    /// # Errors
    /// The store failed; nothing was lost, and the step may be tried again.
    pub async fn step(&mut self, gate: &Gate, at: Moment, n: usize) -> Result<Step> {
        if let Some(end) = self.renew(gate, at).await? {
            return Ok(end);
        }
        if self.row.counts.rows > ROWS_MAX {
            // Only a list can come here: it fits too many.
            gate.fail(at, &self.row, Reason::JobTooLarge).await?;
            return Ok(Step::Over);
        }
        if self.part.as_ref().is_none_or(|p| p.left.is_empty()) {
            if let Some(end) = self.store(gate, at).await? {
                return Ok(end);
            }
            match self.load(gate, at).await? {
                Loaded::Part => {}
                // Each look is a step of its own, so that a cancelled list ends and others ask.
                Loaded::Looked => return Ok(Step::Looked),
                Loaded::End => {
                    let entry = gate.act("job.done", &self.row);
                    gate.store.job_end(at, self.row.id, State::Done, 0, entry).await?;
                    return Ok(Step::Over);
                }
            }
        }
        match gate.expects_of(&self.row, &self.stored, at) {
            Expects::Open => self.ask(gate, at, n).await,
            Expects::Waits(reason, until) => {
                let (id, holder) = (self.row.id, self.holder);
                if let Some(end) = self.store(gate, at).await? {
                    return Ok(end);
                }
                gate.store.job_pause(at, id, holder, reason as u8, until).await?;
                Ok(Step::Paused)
            }
            Expects::Never(reason) => {
                if let Some(end) = self.store(gate, at).await? {
                    return Ok(end);
                }
                gate.fail(at, &self.row, reason).await?;
                Ok(Step::Over)
            }
        }
    }

    /// Stores what there is and gives the job back, so that it goes on elsewhere at once.
    pub async fn give_back(mut self, gate: &Gate, at: Moment) -> Result<()> {
        self.store(gate, at).await?;
        gate.store.job_release(at, self.row.id, self.holder).await
    }

    async fn renew(&mut self, gate: &Gate, at: Moment) -> Result<Option<Step>> {
        let state = if self.lease.0 - at.0 > RENEW_MS {
            // A job that was cancelled asks nothing more.
            gate.store.job_state(self.row.id, self.holder)?
        } else {
            let lease = at.plus_ms(LEASE_MS);
            let state = gate.store.job_renew(at, self.row.id, self.holder, lease).await?;
            self.lease = lease;
            state
        };
        match state {
            Some(State::Running) => Ok(None),
            // Ended meanwhile: what was asked keeps its results.
            Some(_) => Ok(self.store(gate, at).await?.or(Some(Step::Over))),
            None => Ok(Some(Step::Lost)),
        }
    }

    /// The next part, its rows without a result left to be asked.
    async fn load(&mut self, gate: &Gate, at: Moment) -> Result<Loaded> {
        loop {
            let (store, id) = (gate.store.clone(), self.row.id);
            let read = tokio::task::spawn_blocking(move || {
                let part = store.job_parts(id, PartKind::Input, 0, 1)?.pop();
                let Some(part) = part else { return Ok::<_, Error>(None) };
                let done = store.job_parts(id, PartKind::Result, part.first, 1)?.pop();
                Ok(Some((part, done)))
            });
            let read = read.await.map_err(|_| Error::Unavailable("job"))??;
            let Some((part, done)) = read else {
                let looked = self.scan(gate, at).await?;
                return Ok(if looked { Loaded::Looked } else { Loaded::End });
            };
            self.part = Some(open(&part, done.as_ref())?);
            if self.part.as_ref().is_some_and(|p| !p.left.is_empty()) {
                return Ok(Loaded::Part);
            }
            // All of it was asked before it was lost: only its rows are to be deleted.
            self.store(gate, at).await?;
        }
    }

    /// A list: looks for the next persons who fit. Whether there was anything left to look at.
    async fn scan(&mut self, gate: &Gate, at: Moment) -> Result<bool> {
        let (Some(after), JobKind::List(filter)) = (self.row.scan, &self.stored.kind) else {
            return Ok(false);
        };
        let on = self.row.submitted_at.viet_nam_date();
        let (store, filter) = (gate.store.clone(), filter.clone());
        let scan = tokio::task::spawn_blocking(move || {
            lists::scan(store.registry(), &filter, on, after, PART_ROWS)
        });
        let scanned = scan.await.map_err(|_| Error::Unavailable("job"))??;
        let (mut parts, mut counts) = (vec![], self.row.counts);
        for found in scanned.found.chunks(PART_ROWS) {
            let first = counts.rows + 1;
            let items = found.iter().zip(first..);
            let items: Vec<BatchItem> = items
                .map(|(subject, row)| BatchItem { row, subject: subject.clone(), claims: vec![] })
                .collect();
            let last = first + found.len() as u32 - 1;
            let part = Part { first, last, plain: code::encode(&items)? };
            parts.push(gate.store.seal_part(self.row.id, PartKind::Input, &part)?);
            (counts.rows, counts.items) = (last, last);
        }
        let progress = Progress { parts, counts, scan: scanned.next, ..Progress::default() };
        let lease = at.plus_ms(LEASE_MS);
        let kept = gate.store.job_store(at, self.row.id, self.holder, lease, progress).await?;
        if kept.is_none() {
            return Err(Error::Unavailable("the job is held elsewhere"));
        }
        // Only now: where it could not be stored, the same persons are looked for once more.
        (self.row.counts, self.row.scan, self.lease) = (counts, scanned.next, lease);
        Ok(true)
    }

    /// Stores the results of the part under way; a part without rows left is done with.
    async fn store(&mut self, gate: &Gate, at: Moment) -> Result<Option<Step>> {
        let Some(part) = &mut self.part else { return Ok(None) };
        part.results.sort_unstable_by_key(|r| r.row);
        let (first, last, is_through) = (part.first, part.last, part.left.is_empty());
        let mut progress =
            Progress { counts: self.row.counts, scan: self.row.scan, ..Progress::default() };
        if !part.results.is_empty() {
            let plain = code::encode(&part.results)?;
            let part = Part { first, last, plain };
            progress.parts.push(gate.store.seal_part(self.row.id, PartKind::Result, &part)?);
        }
        progress.asked = is_through.then_some(first);
        let lease = at.plus_ms(LEASE_MS);
        let kept = gate.store.job_store(at, self.row.id, self.holder, lease, progress).await?;
        self.lease = lease;
        if is_through {
            self.part = None;
        }
        Ok(match kept {
            Some(State::Running) => None,
            Some(_) => Some(Step::Over),
            None => Some(Step::Lost),
        })
    }

    async fn ask(&mut self, gate: &Gate, at: Moment, n: usize) -> Result<Step> {
        let snapshot = gate.snapshot.load_full();
        let Some(system) = snapshot.by_id(SystemId(self.row.system)) else {
            return Ok(Step::Went(0));
        };
        let caller = Caller {
            system: system.id,
            protocol: self.stored.protocol(),
            channel: Channel::Api,
            source: self.stored.source,
            arrival: at,
            // The job was submitted with credentials that were good then; what it may now is
            // decided by what is registered now.
            credential_version: system.credential_version,
            header: None,
        };
        let Some(part) = &mut self.part else { return Ok(Step::Went(0)) };
        let items: Vec<BatchItem> = part.left.drain(..n.max(1).min(part.left.len())).collect();
        let mut queries = Vec::with_capacity(items.len());
        for item in &items {
            queries.push(query_of(gate, &self.row, &self.stored, item)?);
        }
        let asked = items.iter().zip(&queries).map(|(item, query)| {
            gate.ask_as(&caller, query, Manner::Job { known: self.known.contains(&item.row) })
        });
        let replies = join_all(asked).await;
        let (mut went, mut trouble, mut back) = (0, false, vec![]);
        for (item, reply) in items.into_iter().zip(replies) {
            match reply.map(|reply| result_of(item.row, reply)) {
                Ok(Some(result)) => {
                    went += 1;
                    count(&mut self.row.counts, &result);
                    part.results.push(result);
                }
                Ok(None) => {
                    trouble = true;
                    back.push(item);
                }
                Err(_) => back.push(item),
            }
        }
        back.into_iter().rev().for_each(|item| part.left.push_front(item));
        Ok(if trouble { Step::Trouble } else { Step::Went(went) })
    }
}

/// A part whose stored results are taken out of what is left to be asked.
fn open(part: &Part, done: Option<&Part>) -> Result<Open> {
    let mut left: VecDeque<BatchItem> = code::decode(&part.plain)?;
    let mut results: Vec<ItemResult> = vec![];
    if let Some(done) = done.filter(|d| d.first == part.first) {
        results = code::decode(&done.plain)?;
    }
    let asked: HashSet<u32> = results.iter().map(|r| r.row).collect();
    left.retain(|item| !asked.contains(&item.row));
    Ok(Open { first: part.first, last: part.last, left, results })
}

/// The question of a row. Its request id follows from job and row, so that a row that is asked
/// again is recognised.
fn query_of(gate: &Gate, row: &JobRow, stored: &StoredHead, item: &BatchItem) -> Result<Query> {
    let StoredHead { kind, head, .. } = stored;
    let request_id = RequestId::parse(&format!("{}-{}", JobId(row.id), item.row));
    let ask = match kind {
        JobKind::BatchVerify => Ask::Verify(item.claims.clone()),
        JobKind::List(_) => Ask::Lookup,
    };
    Ok(Query {
        request_id: request_id.map_err(|_| Error::Damaged("job row"))?,
        officer: head.officer.clone(),
        second_name: None,
        procedure: head.procedure.clone(),
        purpose: head.purpose.clone(),
        case: head.case.clone(),
        unit: head.unit.clone(),
        x_road_user: head.x_road_user.clone(),
        service: kind.service(),
        subject: item.subject.clone(),
        ask,
        body: gate.request_key.digest16(&[b"row\0", &code::encode(item)?]),
    })
}

/// What a row is told; `None` where nothing could be journaled.
fn result_of(row: u32, reply: Reply) -> Option<ItemResult> {
    let journal_index = reply.journal_index?;
    let outcome = match reply.result {
        Ok(Answer::Match { precision, alive, claims }) => {
            ItemOutcome::Match { precision, alive, claims }
        }
        Ok(Answer::Citizen { citizen, .. }) => ItemOutcome::Listed(citizen),
        Ok(_) => ItemOutcome::NoMatch,
        Err(denied) => ItemOutcome::Refused(denied.refusal.reason as u8),
    };
    Some(ItemResult { row, journal_index, correlation: reply.correlation.0, outcome })
}

fn count(counts: &mut Counts, result: &ItemResult) {
    match result.outcome {
        ItemOutcome::Match { .. } | ItemOutcome::Listed(_) => counts.matched += 1,
        ItemOutcome::NoMatch => counts.no_match += 1,
        ItemOutcome::Refused(_) => counts.refused += 1,
    }
}
