//! Beginning to take a job in: may it be submitted, and was it before. Its rows follow in
//! `taking.rs`.

use dancu_domain::decide::Question;
use dancu_domain::moment::Moment;
use dancu_domain::outlook::{Outlook, outlook};
use dancu_domain::refusal::Reason;
use dancu_domain::registration::{Channel, System};
use dancu_domain::service::FieldSet;
use dancu_store::jobs::{Counts, JobRow, State};
use dancu_store::keys::random;

use super::code::{self, StoredHead};
use super::lists;
use super::taking::{Intake, Unfinished};
use super::types::{
    JOBS_KEPT_MAX, JOBS_OPEN_MAX, JobHead, JobKind, KEPT_BYTES_MAX, NewJob, Submitted,
};
use crate::path::{Caller, Gate, unavailable};
use crate::query::{FieldError, Reply, Unreadable};

/// What a job can expect, as far as taking it in and running it need to know.
pub(super) enum Expects {
    Open,
    Waits(Reason, Option<Moment>),
    Never(Reason),
}

impl Gate {
    /// Begins to take a job in. The error is the refusal, journaled: D5 where no plan covers it,
    /// and everything that refuses a single question.
    ///
    /// # Errors
    /// The refusal, or 503 where nothing can be stored.
    pub async fn begin_job<'a>(
        &'a self,
        caller: &'a Caller,
        new: NewJob,
    ) -> Result<Intake<'a>, Reply> {
        // A refusal for what is not in force any more would be wrong, and is asked by nobody again.
        if let Err(error) = Box::pin(self.catch_up(caller.arrival)).await {
            tracing::error!(error = %error, "gate.job could not read what is registered");
            return Err(unavailable());
        }
        let granted = match self.may_submit(caller, &new) {
            Ok(granted) => granted,
            Err(reason) => return Err(self.refuse_job(caller, &new, reason, vec![]).await),
        };
        let begun = self.begin_known(caller, &new).await;
        match begun {
            Ok(Ok((row, unfinished))) => {
                Ok(Intake::new(self, caller, new, row, unfinished, granted))
            }
            Ok(Err(reason)) => Err(self.refuse_job(caller, &new, reason, vec![]).await),
            Err(error) => {
                tracing::error!(error = %error, "gate.job could not be stored");
                Err(unavailable())
            }
        }
    }

    /// Submits a job that brings no rows: a list.
    pub async fn submit_list(&self, caller: &Caller, new: NewJob) -> Submitted {
        match self.begin_job(caller, new).await {
            Ok(intake) => intake.finish(caller.arrival).await,
            Err(reply) => Submitted::Refused(reply),
        }
    }

    /// Refuses a submission, and journals it.
    pub async fn refuse_job(
        &self,
        caller: &Caller,
        new: &NewJob,
        reason: Reason,
        errors: Vec<FieldError>,
    ) -> Reply {
        self.refuse_head(caller, &new.kind, &new.head, reason, errors).await
    }

    /// Refuses what is asked about a job, by its head, and journals it.
    pub(super) async fn refuse_head(
        &self,
        caller: &Caller,
        kind: &JobKind,
        head: &JobHead,
        reason: Reason,
        mut errors: Vec<FieldError>,
    ) -> Reply {
        if reason == Reason::CaseCodeMissing && errors.is_empty() {
            let message_vi = "Thủ tục này bắt buộc có mã hồ sơ.".to_owned();
            errors.push(FieldError { field: "caseCode".to_owned(), message_vi });
        }
        let unreadable = Unreadable {
            errors,
            reason: Some(reason),
            service: Some(kind.service()),
            request_id: Some(head.request_id.clone()),
            officer: Some(head.officer.clone()),
            procedure: Some(head.procedure.clone()),
            case: head.case.clone(),
            x_road_user: head.x_road_user.clone(),
        };
        self.refuse_unreadable(caller, &unreadable).await
    }

    /// What a job of this system can expect now.
    pub(super) fn expects(
        &self,
        system: &System,
        kind: &JobKind,
        head: &JobHead,
        at: Moment,
    ) -> Expects {
        let question = question(kind, head, at);
        let profiles = self.store.profiles();
        let found = self.store.ledger().lines(|l| outlook(profiles, l, system, &question));
        match found {
            Outlook::Open(_) => Expects::Open,
            Outlook::Waits { reason, until } => Expects::Waits(reason, until),
            Outlook::Never(reason) => Expects::Never(reason),
        }
    }

    /// Whether a job may be submitted, by everything that refuses each question of its head now: a
    /// closed window and a count that is used up only let it wait. Gives the fields that its rows
    /// may claim (A4).
    pub(super) fn may_submit(&self, caller: &Caller, new: &NewJob) -> Result<FieldSet, Reason> {
        let snapshot = self.snapshot.load_full();
        let system = self.still_known(&snapshot, caller).ok_or(Reason::CannotJournal)?;
        match self.expects(system, &new.kind, &new.head, caller.arrival) {
            Expects::Open => {}
            Expects::Waits(reason, Some(_)) => match reason {
                Reason::ConnectionNotLive | Reason::AccountUnknown | Reason::ProcedureUnknown => {
                    return Err(reason);
                }
                _ => {}
            },
            Expects::Waits(reason, None) | Expects::Never(reason) => return Err(reason),
        }
        Ok(granted(system, &new.kind, &new.head))
    }

    /// The row of the job, and what drops it where it never becomes one; none where its request id
    /// made a job before.
    async fn begin_known(
        &self,
        caller: &Caller,
        new: &NewJob,
    ) -> dancu_store::Result<Result<(JobRow, Option<Unfinished>), Reason>> {
        let id = new.head.request_id.as_str().as_bytes();
        let request = self.request_key.digest16(&[&caller.system.0.to_be_bytes(), id]);
        let source = caller.source;
        let head = StoredHead::new(new.kind.clone(), new.head.clone(), caller.protocol, source);
        let body = self.request_key.digest16(&[b"job\0", &new.digest]);
        let mut row = JobRow {
            id: [0; 16],
            system: caller.system.0,
            state: State::Receiving,
            reason: 0,
            until: None,
            request,
            body,
            head: code::encode(&head)?,
            counts: Counts::default(),
            scan: matches!(new.kind, JobKind::List(_)).then_some(0),
            submitted_at: caller.arrival,
            started_at: None,
            changed_at: caller.arrival,
            ended_at: None,
            journal_index: 0,
            journal_from: 0,
            lease_until: Moment(0),
        };
        let (system, brings_rows) = (caller.system.0, row.scan.is_none());
        let (known, full) = self
            .away(move |store| {
                let earlier = store.job_of_request(system, request)?.is_some();
                let uploaded = store.jobs_uploaded(system)?;
                let full = store.jobs_open(system)? as usize >= JOBS_OPEN_MAX
                    || uploaded.jobs as usize >= JOBS_KEPT_MAX
                    || (brings_rows && uploaded.bytes >= KEPT_BYTES_MAX);
                Ok((earlier, full))
            })
            .await?;
        if known {
            return Ok(Ok((row, None)));
        }
        if self.is_taken(&request, caller.arrival).await? {
            return Ok(Err(Reason::RequestIdConflict));
        }
        if full {
            return Ok(Err(Reason::JobsOpen));
        }
        random(&mut row.id)?;
        // Made before the row is: whoever leaves meanwhile leaves nothing behind.
        let unfinished = Unfinished::new(self.store.clone(), row.id, caller.arrival);
        self.store.job_begin(caller.arrival, &row).await?;
        Ok(Ok((row, Some(unfinished))))
    }

    /// Whether a request id was answered or made a job that is deleted, within the time that ids
    /// are remembered: the ids of jobs and of single questions are one set. It is looked at again
    /// when the job is submitted; here it spares the upload.
    async fn is_taken(&self, request: &[u8; 16], at: Moment) -> dancu_store::Result<bool> {
        let Some(index) = self.store.requests().answered(request) else { return Ok(false) };
        let keep_ms = self.store.profiles().at(at).remember_requests_ms;
        let found = self.store.answered_request(request, index).await?;
        Ok(found.is_some_and(|(_, taken)| taken.plus_ms(keep_ms) > at))
    }
}

/// What each question of a job states. Claims stand in the rows, and each is decided with its row.
pub(super) fn question<'a>(kind: &JobKind, head: &'a JobHead, at: Moment) -> Question<'a> {
    Question {
        at,
        channel: Channel::Api,
        service: kind.service(),
        officer: head.officer.as_str(),
        procedure: &head.procedure,
        purpose: head.purpose.as_ref(),
        case: head.case.as_ref(),
        fields: told_by(kind),
        items: 1,
    }
}

/// The fields that being in the result tells, whatever the result says.
pub(super) fn told_by(kind: &JobKind) -> FieldSet {
    match kind {
        JobKind::BatchVerify => FieldSet::EMPTY,
        JobKind::List(filter) => lists::fields(filter),
    }
}

/// The fields granted to the system and to the procedure of a job now.
pub(super) fn granted(system: &System, kind: &JobKind, head: &JobHead) -> FieldSet {
    let grant = system.service(kind.service()).map_or(FieldSet::EMPTY, |g| g.fields);
    let procedure = system.procedures.get(&head.procedure);
    procedure.map_or(FieldSet::EMPTY, |p| grant.and(p.fields))
}
