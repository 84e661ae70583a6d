//! Reading results: it hands out what the registry told, so it is sharing (T46 art. 8).
//!
//! Each request is judged by what is registered now (A4, B3, D3, E1, E3, B10, A5), journaled before
//! anything leaves (F1), and cut to the fields that are still granted. Windows, counts and the days
//! of the plan bind the questions and not the reading: what was told in them may be fetched after.
//!
//! **Invariant:** no result leaves the gate but through a [`Reading`], which is journaled.

use dancu_domain::decide::decide;
use dancu_domain::ids::SystemId;
use dancu_domain::moment::Moment;
use dancu_domain::refusal::Reason;
use dancu_domain::service::{Field, FieldSet};
use dancu_journal::{Act, Body};
use dancu_store::jobs::PartKind;
use dancu_store::{Error, Result};

use super::code;
use super::intake::{granted, question, told_by};
use super::own::{PARTS_READ, job_of, own};
use super::types::{ItemOutcome, ItemResult, JobHead, JobId, JobKind, JobStatus, Page};
use crate::path::{Caller, Gate};
use crate::query::Reply;

/// Results of a job that may be read: the entry of it stands in the journal.
#[derive(Debug)]
pub struct Reading {
    job: JobStatus,
}

impl Reading {
    /// The job, as it stood when reading began.
    pub fn job(&self) -> &JobStatus {
        &self.job
    }
}

/// Why results are not read.
#[derive(Debug)]
pub enum NotRead {
    /// The system has no such job.
    NoSuchJob,
    /// A rule forbids it; journaled.
    Refused(Box<Reply>),
    /// The store failed.
    Failed(Error),
}

impl From<Error> for NotRead {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Gate {
    /// Begins to read results of one of the caller's jobs, for one request: from a row on, so many
    /// of them or all. `form` = how they are told, e.g. `csv`; `reader` = the officer, where the
    /// request names one.
    ///
    /// # Errors
    /// There is no such job, a rule forbids it, or it cannot be journaled.
    pub async fn read_results(
        &self,
        caller: &Caller,
        id: JobId,
        (from, limit): (u32, Option<u32>),
        form: &str,
        reader: Option<&str>,
    ) -> std::result::Result<Reading, NotRead> {
        let system = caller.system;
        let job = self.away(move |store| job_of(store, system, id)).await?;
        let job = job.ok_or(NotRead::NoSuchJob)?;
        Box::pin(self.catch_up(caller.arrival)).await?;
        if let Err(reason) = self.may_read(caller, &job) {
            let refused = self.refuse_head(caller, &job.kind, &job.head, reason, vec![]);
            return Err(NotRead::Refused(Box::new(refused.await)));
        }
        let most = limit.map_or_else(String::new, |limit| format!(", at most {limit}"));
        let by = reader.map_or_else(String::new, |reader| format!(" by {reader}"));
        let detail = format!(
            "{id} {}: {form}, from row {from} of {}{most}, {} told so far{by}; from {}",
            job.kind.service().code(),
            job.counts.rows,
            job.counts.done,
            caller.source,
        );
        let entry = Body::Act(Act {
            kind: "job.read".into(),
            actor: self.code_of(system),
            system: system.0,
            detail,
        });
        self.store.ledger().note(caller.arrival, |_| Ok(entry)).await?;
        // What was revoked while the entry waited for its place is not told any more (E3).
        self.reload(caller.arrival).await?;
        match self.may_read(caller, &job) {
            Ok(()) => Ok(Reading { job }),
            Err(reason) => {
                let refused = self.refuse_head(caller, &job.kind, &job.head, reason, vec![]);
                Err(NotRead::Refused(Box::new(refused.await)))
            }
        }
    }

    /// Results from a row on, at most `limit`; `None` = the job is gone. Reads the store: not for
    /// the threads of questions. What was registered may have changed since reading began, so the
    /// snapshot should be the newest ([`Gate::reload`]).
    ///
    /// # Errors
    /// The store failed, or a rule forbids reading by now.
    pub fn results(
        &self,
        reading: &Reading,
        at: Moment,
        from: u32,
        limit: u32,
    ) -> Result<Option<Page>> {
        let JobStatus { id, system, kind, head, .. } = &reading.job;
        let fields = self.readable(*system, kind, head, at);
        let fields = fields.map_err(|_| Error::Unavailable("results may not be read any more"))?;
        if own(&self.store, *system, *id)?.is_none() {
            return Ok(None);
        }
        let mut page = self.page(*id, from, limit)?;
        page.results.iter_mut().for_each(|result| cut(result, fields));
        Ok(Some(page))
    }

    fn page(&self, id: JobId, from: u32, limit: u32) -> Result<Page> {
        let (mut page, mut from, limit) = (Page::default(), from, limit as usize);
        loop {
            let parts = self.store.job_parts(id.0, PartKind::Result, from, PARTS_READ)?;
            let Some(last) = parts.last().map(|p| p.last) else { break };
            for part in parts {
                let results: Vec<ItemResult> = code::decode(&part.plain)?;
                page.results.extend(results.into_iter().filter(|r| r.row >= from));
            }
            if page.results.len() > limit {
                break;
            }
            from = last.saturating_add(1);
        }
        page.next = page.results.get(limit).map(|r| r.row);
        page.results.truncate(limit);
        Ok(page)
    }

    fn may_read(&self, caller: &Caller, job: &JobStatus) -> std::result::Result<(), Reason> {
        // E3: credentials that were changed since the caller proved itself prove nothing.
        let snapshot = self.snapshot.load_full();
        self.still_known(&snapshot, caller).ok_or(Reason::CannotJournal)?;
        self.readable(caller.system, &job.kind, &job.head, caller.arrival).map(|_| ())
    }

    /// The fields that results of a job may tell now, by everything that would refuse a question of
    /// its head and is not bound to an hour or a count.
    fn readable(
        &self,
        system: SystemId,
        kind: &JobKind,
        head: &JobHead,
        at: Moment,
    ) -> std::result::Result<FieldSet, Reason> {
        let snapshot = self.snapshot.load_full();
        let system = snapshot.by_id(system).ok_or(Reason::ConnectionNotLive)?;
        let decided = decide(self.store.profiles().at(at), system, &question(kind, head, at));
        // The plan and its window bind the questions, and a case was not required when they were
        // asked.
        if let Err((reason, _)) = decided
            && !matches!(
                reason,
                Reason::PlanDoesNotCover | Reason::WindowNotRegistered | Reason::CaseCodeMissing
            )
        {
            return Err(reason);
        }
        // As a repeat is refused on a locked line, so is reading what was answered on it.
        let window = self.store.profiles().at(at).hours.duty(at).window;
        let line = system.service(kind.service()).and_then(|grant| grant.line(window));
        let lock = self.store.ledger().lines(|lines| match line {
            Some(line) => lines.lock_in_force(system.id, line.id, at),
            None => lines.connection_lock(system.id, at),
        });
        if let Some(lock) = lock {
            let reason =
                if lock.connection { Reason::ConnectionLocked } else { Reason::LineLocked };
            return Err(reason);
        }
        let fields = granted(system, kind, head);
        // Being on a list tells its criteria.
        if !fields.contains_all(told_by(kind)) {
            return Err(Reason::FieldNotGranted);
        }
        Ok(fields)
    }

    /// A system's code, for the actor of its acts.
    pub(super) fn code_of(&self, system: SystemId) -> String {
        let snapshot = self.snapshot.load();
        snapshot.by_id(system).map_or_else(|| "-".to_owned(), |s| s.code.as_str().to_owned())
    }
}

/// Takes out of a result what is not granted any more (A4).
fn cut(result: &mut ItemResult, fields: FieldSet) {
    match &mut result.outcome {
        ItemOutcome::Listed(citizen) => citizen.cut(fields),
        ItemOutcome::Match { alive, claims, .. } => {
            claims.retain(|(field, _)| fields.contains(*field));
            if !fields.contains(Field::VitalStatus) {
                *alive = None;
            }
        }
        ItemOutcome::NoMatch | ItemOutcome::Refused(_) => {}
    }
}
