//! Lists and jobs over SOAP: the same jobs as over REST, asked for and read in envelopes.
//!
//! A list is submitted like any job and journaled; its persons are told, counted and journaled one
//! by one while it is made. Looking at jobs leaves no entry, like every look of a system at its own
//! affairs; reading results counts nothing and is journaled. Both need a live connection and a live
//! account: what is handed out is personal data.

use dancu_domain::decide::{live, names_too, own_account};
use dancu_domain::ids::SystemId;
use dancu_domain::refusal::{Reason, Refusal};
use dancu_domain::registration::System;
use dancu_gate::Caller;
use dancu_gate::jobs::types::{JobId, JobKind, JobState, ListFilter, NewJob, Submitted};
use dancu_gate::jobs::{Ended, NotRead};
use dancu_gate::query::{CorrelationId, Denied, FieldError, Reply, Unreadable};
use dancu_wire::soap::{
    JobAnswer, JobAsk, JobCall, JobOperation, Paging, SoapAnswer, render_job, render_job_denied,
};

use crate::app::{Shared, loose_correlation};

/// What a caller that reads too fast waits, in seconds.
const SLOWER_S: u32 = 1;

/// Answers one request about lists. The reply says what stands in headers.
pub async fn answer(
    app: &Shared,
    caller: &Caller,
    system: &System,
    call: &JobCall,
) -> (SoapAnswer, Reply) {
    if let Some(reason) = refuses(system, caller, call) {
        return refused(app, caller, call, reason, vec![]).await;
    }
    match &call.ask {
        JobAsk::List(filter) => submit(app, caller, call, filter).await,
        _ => match read(app, caller, call).await {
            Ok(answer) => {
                let reply = loose(Reason::CannotJournal.into());
                (render_job(call, &answer, &reply.correlation), reply)
            }
            Err(Refused::Quietly(refusal)) => {
                let reply = loose(refusal);
                (render_job_denied(call, &refusal_of(refusal), &reply.correlation), reply)
            }
            Err(Refused::Told(reply)) => denied(call, *reply),
            Err(Refused::Input(field, message_vi)) => {
                let errors =
                    vec![FieldError { field: field.into(), message_vi: message_vi.into() }];
                refused(app, caller, call, Reason::InvalidInput, errors).await
            }
        },
    }
}

/// Why a read is not answered.
enum Refused {
    /// Without an entry of its own: too fast, or nothing can be read now.
    Quietly(Refusal),
    /// The request asks for what there is not: element, text.
    Input(&'static str, &'static str),
    /// By a rule; journaled.
    Told(Box<Reply>),
}

impl From<dancu_store::Error> for Refused {
    fn from(error: dancu_store::Error) -> Self {
        tracing::error!(error = %error, "soap.jobs could not be read");
        Self::Quietly(Reason::CannotJournal.into())
    }
}

/// B3 and E1. A list is decided further when it is submitted, and again for each of its persons.
fn refuses(system: &System, caller: &Caller, call: &JobCall) -> Option<Reason> {
    if let Err(reason) = live(system) {
        return Some(reason);
    }
    let account = own_account(system, call.head.officer.as_str(), caller.arrival);
    let Some(account) = account else { return Some(Reason::AccountUnknown) };
    let second = call.second_name.as_ref();
    let agrees = |name: &str| names_too(system, account.id, name, caller.arrival);
    second.is_some_and(|name| !agrees(name.as_str())).then_some(Reason::AccountUnknown)
}

async fn submit(
    app: &Shared,
    caller: &Caller,
    call: &JobCall,
    filter: &ListFilter,
) -> (SoapAnswer, Reply) {
    if !app.gate.use_up(caller).await {
        return denied(call, dancu_gate::path::unavailable());
    }
    let kind = JobKind::List(filter.clone());
    let new = NewJob { kind, head: call.head.clone(), digest: call.body };
    match app.gate.submit_list(caller, new).await {
        Submitted::New(job) | Submitted::Same(job) => {
            let mut reply = loose(Reason::CannotJournal.into());
            reply.journal_index = Some(job.journal_index);
            (render_job(call, &JobAnswer::Job(job), &reply.correlation), reply)
        }
        Submitted::Refused(reply) => denied(call, reply),
    }
}

async fn read(app: &Shared, caller: &Caller, call: &JobCall) -> Result<JobAnswer, Refused> {
    let too_fast = Refusal { reason: Reason::PaceRequests, retry_after_s: Some(SLOWER_S) };
    let system = caller.system;
    app.reads.admit(system, caller.arrival).map_err(|_| Refused::Quietly(too_fast))?;
    // Before anything is told or ended: no entry says that the header was used.
    if !app.gate.use_up(caller).await {
        return Err(Refused::Quietly(Reason::CannotJournal.into()));
    }
    match &call.ask {
        JobAsk::Jobs { from, to, paging } => {
            let (from, to, paging) = (*from, *to, *paging);
            let (skip, size) = (paging.first_row() - 1, paging.size);
            let read = move |app: &Shared| app.gate.jobs_between(system, (from, to), skip, size);
            let (jobs, total) = looked(app, read).await?;
            Ok(JobAnswer::Jobs(jobs, total))
        }
        JobAsk::Job(id) if call.operation == JobOperation::Delete => {
            delete(app, caller, system, *id).await
        }
        JobAsk::Job(id) => {
            let (id, pages) = (*id, call.operation == JobOperation::Result);
            let found = looked(app, move |app| {
                let Some(job) = app.gate.job(system, id)? else { return Ok(None) };
                let last = match job.kind {
                    JobKind::BatchVerify if pages => app.gate.job_last_row(id)?,
                    // Who was found and is not told yet is no row of the result.
                    _ => job.counts.rows,
                };
                Ok(Some((Box::new(job), last)))
            });
            Ok(match found.await? {
                None => JobAnswer::NoSuchJob,
                Some((job, last)) if pages => JobAnswer::Pages(job, last),
                Some((job, _)) => JobAnswer::Job(job),
            })
        }
        JobAsk::Records(id, paging) => page(app, caller, call, *id, *paging, true).await,
        JobAsk::File(id, paging, _) => page(app, caller, call, *id, *paging, false).await,
        // A list is submitted and not read.
        JobAsk::List(_) => Ok(JobAnswer::NoSuchJob),
    }
}

/// Ends a job that is under way; deletes one that is over, with its result.
async fn delete(
    app: &Shared,
    caller: &Caller,
    system: SystemId,
    id: JobId,
) -> Result<JobAnswer, Refused> {
    let mut job = match app.gate.cancel_job(caller.arrival, system, id).await? {
        Some(Ended::Told(job)) => job,
        Some(Ended::Untold) => {
            // Nothing can be told of it but that there is no such job any more.
            app.gate.delete_job(caller.arrival, system, id).await?;
            return Ok(JobAnswer::NoSuchJob);
        }
        None => return Ok(JobAnswer::NoSuchJob),
    };
    if job.state.is_over() && app.gate.delete_job(caller.arrival, system, id).await? {
        job.deleted_at = Some(caller.arrival);
        if job.state == JobState::Cancelled && job.ended_at.is_none() {
            job.ended_at = Some(caller.arrival);
        }
    }
    Ok(JobAnswer::Job(job))
}

/// A page of results: read as over REST, by today's grants and with an entry. Records are citizens:
/// only a list has them.
async fn page(
    app: &Shared,
    caller: &Caller,
    call: &JobCall,
    id: JobId,
    paging: Paging,
    records: bool,
) -> Result<JobAnswer, Refused> {
    let system = caller.system;
    if records && let Some(job) = looked(app, move |app| app.gate.job(system, id)).await? {
        // Before an entry says that it was read.
        if !matches!(job.kind, JobKind::List(_)) {
            let message = "Công việc này không phải danh sách; hãy dùng GetResultDetailAsFile.";
            return Err(Refused::Input("MaCongViec", message));
        }
    }
    let (from, size) = (paging.first_row(), paging.size);
    let rows = (from, Some(size));
    let form = if records { "records" } else { "file" };
    let reader = Some(call.head.officer.as_str());
    let reading = match app.gate.read_results(caller, id, rows, form, reader).await {
        Ok(reading) => reading,
        Err(NotRead::NoSuchJob) => return Ok(JobAnswer::NoSuchJob),
        Err(NotRead::Refused(reply)) => return Err(Refused::Told(reply)),
        Err(NotRead::Failed(error)) => return Err(error.into()),
    };
    let (job, at) = (reading.job().clone(), caller.arrival);
    let read = move |app: &Shared| app.gate.results(&reading, at, from, size);
    let Some(mut page) = looked(app, read).await? else { return Ok(JobAnswer::NoSuchJob) };
    // Pages are cut by row numbers, so that a page holds the same rows whenever it is read.
    let after = paging.first_row().saturating_add(paging.size);
    if let Some(later) = page.results.iter().find(|r| r.row >= after) {
        page.next = Some(later.row);
    }
    page.results.retain(|r| r.row < after);
    Ok(JobAnswer::Page(Box::new(job), page))
}

/// Reads away from the threads that questions run on.
async fn looked<T: Send + 'static>(
    app: &Shared,
    read: impl FnOnce(&Shared) -> dancu_store::Result<T> + Send + 'static,
) -> Result<T, Refused> {
    let own = app.clone();
    let done = app.reads.long(move || read(&own)).await;
    let busy = Refusal { reason: Reason::CannotJournal, retry_after_s: Some(SLOWER_S) };
    Ok(done.map_err(|_| Refused::Quietly(busy))??)
}

async fn refused(
    app: &Shared,
    caller: &Caller,
    call: &JobCall,
    reason: Reason,
    errors: Vec<FieldError>,
) -> (SoapAnswer, Reply) {
    let unreadable = Unreadable {
        errors,
        reason: Some(reason),
        service: Some(dancu_domain::service::Service::CitizenList),
        request_id: Some(call.head.request_id.clone()),
        officer: Some(call.head.officer.clone()),
        procedure: Some(call.head.procedure.clone()),
        case: call.head.case.clone(),
        x_road_user: call.head.x_road_user.clone(),
    };
    denied(call, app.gate.refuse_unreadable(caller, &unreadable).await)
}

fn denied(call: &JobCall, reply: Reply) -> (SoapAnswer, Reply) {
    let other = Denied::from(Reason::CannotJournal);
    let why = reply.result.as_ref().err().unwrap_or(&other);
    (render_job_denied(call, why, &reply.correlation), reply)
}

/// What stands in the headers of an answer that has no entry of its own.
fn loose(refusal: Refusal) -> Reply {
    let correlation: CorrelationId = loose_correlation();
    Reply { correlation, journal_index: None, usage: None, result: Err(refusal_of(refusal)) }
}

fn refusal_of(refusal: Refusal) -> Denied {
    Denied { refusal, errors: vec![] }
}
