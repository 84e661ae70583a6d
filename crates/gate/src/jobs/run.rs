//! Running a job: ask its rows part by part, store what came of them, under its lease.
//!
//! **Invariant:** results are stored after the entries of their questions are durable, so a result
//! always has its entry; a question whose result was lost is asked again under the same request id
//! and counts nothing. **Invariant:** what cannot be opened ends the row or the job that it belongs
//! to, with its reason and its entry, and holds up nothing else.

use std::collections::VecDeque;

use dancu_domain::ids::{RequestId, SystemId};
use dancu_domain::moment::Moment;
use dancu_domain::refusal::Reason;
use dancu_store::jobs::{Counts, JobRow, Part, PartKind, Progress, State};
use dancu_store::{Error, Result};
use futures_util::future::join_all;
use hashbrown::{HashMap, HashSet};

use super::claim::{LEASE_MS, TURN_MS};
use super::code::{self, StoredHead, is_damage};
use super::earlier::Earlier;
use super::intake::Expects;
use super::scan::Ahead;
use super::types::{BatchItem, ItemOutcome, ItemResult, JobId, JobKind, ROWS_MAX};
use crate::path::{Caller, Gate};
use crate::query::{Answer, Ask, Query, Reply, Unreadable};
use crate::round::Manner;

/// A lease is renewed when less than this is left of it, ms.
const RENEW_MS: i64 = 15_000;
/// Whether jobs of others wait is looked for again after this, ms, once a turn is over.
const LOOK_AGAIN_MS: i64 = 10_000;
/// Times that something is read before it is taken for damaged: whoever runs jobs rests a second
/// between them, so that keys of a rotation on another node have come by then.
pub const DAMAGE_TRIES: u32 = 5;
/// Rows that may be lost to records that cannot be opened, for one holder of a job: so many are no
/// lost records but a lost registry, and the rest is to be asked once it is restored.
pub const DAMAGED_MAX: u32 = 100;

/// What a step came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// So many rows have their answers.
    Went(usize),
    /// A list looked on through the registry, or a job that stood for long through the journal.
    Looked,
    /// A rule holds the job; it was given back.
    Paused,
    /// It is over.
    Over,
    /// Somebody else holds it.
    Lost,
    /// The journal takes nothing now, or something could not be opened: try again a little later.
    Trouble,
}

/// A job that this node holds.
pub struct JobRun {
    pub(super) row: JobRow,
    pub(super) stored: StoredHead,
    pub(super) holder: [u8; 16],
    pub(super) lease: Moment,
    /// When it is looked whether jobs of others wait.
    turn_ends: Moment,
    part: Option<Open>,
    earlier: Earlier,
    /// A list: what was found and is not stored yet.
    pub(super) ahead: Ahead,
    /// Times that the next part could not be opened.
    pub(super) tries: u32,
    /// Rows lost to records that could not be opened.
    pub(super) damaged: u32,
}

/// What comes next.
pub(super) enum Loaded {
    Part,
    Looked,
    Trouble,
    End,
}

/// The part under way.
struct Open {
    first: u32,
    last: u32,
    left: VecDeque<BatchItem>,
    results: Vec<ItemResult>,
    /// Rows whose record could not be opened, and how often.
    tries: HashMap<u32, u32>,
}

impl JobRun {
    /// Takes the lease of a job, as it stood a moment ago; `None` = it is over or held by now.
    pub(super) async fn claim(
        gate: &Gate,
        at: Moment,
        holder: [u8; 16],
        before: JobRow,
        stored: StoredHead,
    ) -> Result<Option<Self>> {
        let lease = at.plus_ms(LEASE_MS);
        let Some(row) = gate.store.job_claim(at, before.id, holder, lease).await? else {
            return Ok(None);
        };
        let earlier = Earlier::begin(gate, &before);
        Ok(Some(Self {
            row,
            stored,
            holder,
            lease,
            turn_ends: at.plus_ms(TURN_MS),
            part: None,
            earlier,
            ahead: Ahead::default(),
            tries: 0,
            damaged: 0,
        }))
    }

    /// The job.
    pub fn id(&self) -> JobId {
        JobId(self.row.id)
    }

    /// Its system.
    pub fn system(&self) -> SystemId {
        SystemId(self.row.system)
    }

    /// Whether its turn is over and a job that `may` lets in waits for its place: then it is to be
    /// given back, and whoever was served least recently is next.
    ///
    /// # Errors
    /// The store failed; the job may go on.
    pub async fn gives_way(
        &mut self,
        gate: &Gate,
        at: Moment,
        may: impl Fn(SystemId, JobId) -> bool,
    ) -> Result<bool> {
        if at < self.turn_ends {
            return Ok(false);
        }
        self.turn_ends = at.plus_ms(LOOK_AGAIN_MS);
        let own = self.system();
        gate.job_waits(at, self.holder, |system, id| system != own && may(system, id)).await
    }

    /// Asks at most `n` rows at once and stores results where a part is through.
    ///
    /// # Errors
    /// The store failed; nothing was lost, and the step may be tried again.
    pub async fn step(&mut self, gate: &Gate, at: Moment, n: usize) -> Result<Step> {
        if let Some(end) = self.renew(gate, at).await? {
            return Ok(end);
        }
        if let Some(reason) = self.gone_too_far() {
            return self.end_by(gate, at, reason).await;
        }
        // Each look is a step of its own, so that a cancelled job ends, the lease is renewed and
        // others ask.
        match self.earlier.read(gate, at, &self.row, self.stored.kind.service()).await {
            Ok(true) => return Ok(Step::Looked),
            Ok(false) => {}
            Err(error) if is_damage(&error) => return self.not_opened(gate, at, &error).await,
            Err(error) => return Err(error),
        }
        if self.part.as_ref().is_none_or(|p| p.left.is_empty()) {
            if let Some(end) = self.store(gate, at).await? {
                return Ok(end);
            }
            // Where nothing may be told, nobody is looked for; a file that is through is done.
            if self.row.scan.is_some()
                && let Some(end) = self.held(gate, at).await?
            {
                return Ok(end);
            }
            match self.load(gate, at, n).await {
                Ok(Loaded::Part) => self.tries = 0,
                Ok(Loaded::Looked) => return Ok(Step::Looked),
                Ok(Loaded::Trouble) => return Ok(Step::Trouble),
                Ok(Loaded::End) => {
                    let entry =
                        gate.act_of_program("job.done", &self.row, Some(&self.stored), None);
                    gate.store.job_end(at, self.row.id, State::Done, 0, entry).await?;
                    return Ok(Step::Over);
                }
                Err(error) if is_damage(&error) => return self.not_opened(gate, at, &error).await,
                Err(error) => return Err(error),
            }
        }
        match self.held(gate, at).await? {
            Some(end) => Ok(end),
            None => self.ask(gate, at, n).await,
        }
    }

    /// Gives the job back where a rule holds it, and ends it where one ends it.
    async fn held(&mut self, gate: &Gate, at: Moment) -> Result<Option<Step>> {
        match gate.expects_surely(&self.row, &self.stored, at).await? {
            Expects::Open => Ok(None),
            Expects::Waits(reason, until) => {
                let (id, holder) = (self.row.id, self.holder);
                if let Some(end) = self.store(gate, at).await? {
                    return Ok(Some(end));
                }
                gate.store.job_pause(at, id, holder, reason as u8, until).await?;
                Ok(Some(Step::Paused))
            }
            Expects::Never(reason) => self.end_by(gate, at, reason).await.map(Some),
        }
    }

    /// Stores what there is and gives the job back, so that it goes on elsewhere at once.
    pub async fn give_back(mut self, gate: &Gate, at: Moment) -> Result<()> {
        self.store(gate, at).await?;
        gate.store.job_release(at, self.row.id, self.holder).await
    }

    /// Why the job cannot go on, whatever its system may: only a list can come to too many rows.
    fn gone_too_far(&self) -> Option<Reason> {
        let too_large = (self.row.counts.rows > ROWS_MAX).then_some(Reason::JobTooLarge);
        too_large.or((self.damaged > DAMAGED_MAX).then_some(Reason::RecordDamaged))
    }

    /// Stores what there is and ends the job by a reason.
    async fn end_by(&mut self, gate: &Gate, at: Moment, reason: Reason) -> Result<Step> {
        if let Some(end) = self.store(gate, at).await? {
            return Ok(end);
        }
        gate.fail(at, &self.row, Some(&self.stored), reason).await?;
        Ok(Step::Over)
    }

    /// What is stored of the job could not be opened.
    async fn not_opened(&mut self, gate: &Gate, at: Moment, error: &Error) -> Result<Step> {
        self.tries += 1;
        let (job, tries) = (self.id(), self.tries);
        tracing::error!(error = %error, job = %job, tries, "a part of a job cannot be opened");
        if self.tries < DAMAGE_TRIES {
            return Ok(Step::Trouble);
        }
        self.end_by(gate, at, Reason::RecordDamaged).await
    }

    async fn renew(&mut self, gate: &Gate, at: Moment) -> Result<Option<Step>> {
        let state = if self.lease.0 - at.0 > RENEW_MS {
            // A job that was cancelled asks nothing more.
            let (id, holder) = (self.row.id, self.holder);
            gate.away(move |store| store.job_state(id, holder)).await?
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
    async fn load(&mut self, gate: &Gate, at: Moment, n: usize) -> Result<Loaded> {
        loop {
            let id = self.row.id;
            let read = gate.away(move |store| {
                let part = store.job_parts(id, PartKind::Input, 0, 1)?.pop();
                let Some(part) = part else { return Ok(None) };
                let done = store.job_parts(id, PartKind::Result, part.first, 1)?.pop();
                Ok(Some((part, done)))
            });
            let Some((part, done)) = read.await? else { return self.scan(gate, at, n).await };
            self.part = Some(open(&part, done.as_ref())?);
            if self.part.as_ref().is_some_and(|p| !p.left.is_empty()) {
                return Ok(Loaded::Part);
            }
            // All of it was asked before it was lost: only its rows are to be deleted.
            self.store(gate, at).await?;
        }
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
        let Some(caller) = self.caller(gate, at) else { return Ok(Step::Went(0)) };
        let Some(part) = &mut self.part else { return Ok(Step::Went(0)) };
        let n = n.clamp(1, part.left.len().max(1));
        let queries = part.left.iter().take(n);
        let queries: Vec<Query> = queries
            .map(|item| query_of(gate, &self.row, &self.stored, item))
            .collect::<Result<_>>()?;
        let items: Vec<BatchItem> = part.left.drain(..queries.len()).collect();
        let asked = items.iter().zip(&queries).map(|(item, query)| {
            let known = self.earlier.has(item.row, gate.keyed(&query.body));
            gate.ask_as(&caller, query, Manner::Job { known })
        });
        let replies = join_all(asked).await;
        let (mut went, mut trouble, mut back) = (0, false, vec![]);
        for ((item, query), reply) in items.into_iter().zip(&queries).zip(replies) {
            let reply = match reply {
                Err(Reason::RecordDamaged) => {
                    let tries = part.tries.entry(item.row).or_default();
                    *tries += 1;
                    if *tries < DAMAGE_TRIES {
                        // After the others, which it does not hold up.
                        part.left.push_back(item);
                        continue;
                    }
                    Ok(gate.refuse_unreadable(&caller, &lost(query)).await)
                }
                reply => reply,
            };
            match reply.map(|reply| result_of(item.row, reply)) {
                Ok(Some(result)) => {
                    went += 1;
                    self.damaged += u32::from(result.is_lost());
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

    /// Whom the questions come from. The job was submitted with credentials that were good then;
    /// what it may now is decided by what is registered now.
    fn caller(&self, gate: &Gate, at: Moment) -> Option<Caller> {
        let snapshot = gate.snapshot.load_full();
        let system = snapshot.by_id(SystemId(self.row.system))?;
        Some(Caller::by_api(system, self.stored.protocol(), self.stored.source, at))
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
    Ok(Open { first: part.first, last: part.last, left, results, tries: HashMap::new() })
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

/// The refusal of a row whose record cannot be opened.
fn lost(query: &Query) -> Unreadable {
    Unreadable {
        errors: vec![],
        reason: Some(Reason::RecordDamaged),
        service: Some(query.service),
        request_id: Some(query.request_id.clone()),
        officer: Some(query.officer.clone()),
        procedure: Some(query.procedure.clone()),
        case: query.case.clone(),
        x_road_user: query.x_road_user.clone(),
    }
}

/// What a row is told; `None` where nothing could be journaled.
fn result_of(row: u32, reply: Reply) -> Option<ItemResult> {
    let journal_index = reply.journal_index?;
    let outcome = match reply.result {
        Ok(Answer::Match { precision, alive, claims, .. }) => {
            ItemOutcome::Match { precision, alive, claims }
        }
        Ok(Answer::Citizen { citizen, .. }) => ItemOutcome::Listed(citizen),
        Ok(_) => ItemOutcome::NoMatch,
        Err(denied) => ItemOutcome::Refused(denied.refusal.reason as u8),
    };
    Some(ItemResult { row, journal_index, correlation: reply.correlation.0, outcome })
}

impl ItemResult {
    /// Whether its record could not be opened.
    fn is_lost(&self) -> bool {
        matches!(self.outcome, ItemOutcome::Refused(n) if n == Reason::RecordDamaged as u8)
    }
}

fn count(counts: &mut Counts, result: &ItemResult) {
    match result.outcome {
        ItemOutcome::Match { .. } | ItemOutcome::Listed(_) => counts.matched += 1,
        ItemOutcome::NoMatch => counts.no_match += 1,
        ItemOutcome::Refused(_) => counts.refused += 1,
    }
}
