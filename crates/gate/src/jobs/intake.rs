//! Taking a job in: may it be submitted, its rows as they come, and the entry of its submission.

use dancu_domain::decide::Question;
use dancu_domain::moment::Moment;
use dancu_domain::outlook::{Outlook, outlook};
use dancu_domain::refusal::Reason;
use dancu_domain::registration::{Channel, System};
use dancu_domain::service::FieldSet;
use dancu_journal::{Act, Body};
use dancu_store::jobs::{Counts, JobRow, Part, PartKind, Registered, SealedPart, State};
use dancu_store::keys::random;

use super::code::{self, StoredHead};
use super::lists;
use super::types::{
    BAD_ROWS_LISTED, BadRow, BatchItem, JOBS_KEPT_MAX, JOBS_OPEN_MAX, JobHead, JobKind, NewJob,
    ROWS_MAX, ReadRow, Submitted,
};
use crate::path::{Caller, Gate, unavailable};
use crate::query::{FieldError, Reply, Unreadable};

/// Rows sealed together: about 25 KB, read and written in well below a millisecond, and asked
/// within some ten.
pub(super) const PART_ROWS: usize = 256;
/// Parts written in one transaction: about 100 KB, so that no question waits long for its commit.
const PARTS_AT_ONCE: usize = 4;

/// Highest number of a row: empty lines are no rows and count on, and a request id has room for
/// seven digits beside the job's id.
const NUMBER_MAX: u32 = 9_999_999;

/// What a job can expect, as far as taking it in and running it need to know.
pub(super) enum Expects {
    Open,
    Waits(Reason, Option<Moment>),
    Never(Reason),
}

/// The file of a job while it comes in. It is a job only once it is finished; dropped before, what
/// came is deleted later.
pub struct Intake<'a> {
    gate: &'a Gate,
    caller: &'a Caller,
    new: NewJob,
    row: JobRow,
    items: Vec<BatchItem>,
    bad: Vec<BadRow>,
    parts: Vec<SealedPart>,
    /// Keyed digest of everything so far.
    digest: [u8; 16],
    /// The request id is known: rows are only compared.
    known: bool,
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
        if let Some(reason) = self.refuses_job(caller, &new) {
            return Err(self.refuse_job(caller, &new, reason, vec![]).await);
        }
        let begun = self.begin_known(caller, &new).await;
        match begun {
            Ok(Ok((row, known))) => {
                let digest = row.body;
                let (items, bad, parts) = (vec![], vec![], vec![]);
                Ok(Intake { gate: self, caller, new, row, items, bad, parts, digest, known })
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
        mut errors: Vec<FieldError>,
    ) -> Reply {
        if reason == Reason::CaseCodeMissing && errors.is_empty() {
            let message_vi = "Thủ tục này bắt buộc có mã hồ sơ.".to_owned();
            errors.push(FieldError { field: "caseCode".to_owned(), message_vi });
        }
        let unreadable = Unreadable {
            errors,
            reason: Some(reason),
            service: Some(new.kind.service()),
            request_id: Some(new.head.request_id.clone()),
            officer: Some(new.head.officer.clone()),
            procedure: Some(new.head.procedure.clone()),
            case: new.head.case.clone(),
            x_road_user: new.head.x_road_user.clone(),
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
        let question = Question {
            at,
            channel: Channel::Api,
            service: kind.service(),
            officer: head.officer.as_str(),
            procedure: &head.procedure,
            purpose: head.purpose.as_ref(),
            case: head.case.as_ref(),
            fields: match kind {
                // Claims stand in the rows, and each is decided with its row.
                JobKind::BatchVerify => FieldSet::EMPTY,
                JobKind::List(filter) => lists::fields(filter),
            },
            items: 1,
        };
        let profiles = self.store.profiles();
        let found = self.store.ledger().lines(|l| outlook(profiles, l, system, &question));
        match found {
            Outlook::Open(_) => Expects::Open,
            Outlook::Waits { reason, until } => Expects::Waits(reason, until),
            Outlook::Never(reason) => Expects::Never(reason),
        }
    }

    /// Why a job may not be submitted: what refuses every question of its head now. A closed
    /// window and a count that is used up only let it wait.
    fn refuses_job(&self, caller: &Caller, new: &NewJob) -> Option<Reason> {
        let snapshot = self.snapshot.load_full();
        let Some(system) = self.still_known(&snapshot, caller) else {
            return Some(Reason::CannotJournal);
        };
        match self.expects(system, &new.kind, &new.head, caller.arrival) {
            Expects::Open => None,
            Expects::Waits(reason, Some(_)) => match reason {
                Reason::ConnectionNotLive | Reason::AccountUnknown | Reason::ProcedureUnknown => {
                    Some(reason)
                }
                _ => None,
            },
            Expects::Waits(reason, None) | Expects::Never(reason) => Some(reason),
        }
    }

    /// The row of the job, and whether its request id made one before.
    async fn begin_known(
        &self,
        caller: &Caller,
        new: &NewJob,
    ) -> dancu_store::Result<Result<(JobRow, bool), Reason>> {
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
        let store = self.store.clone();
        let system = caller.system.0;
        let looked = tokio::task::spawn_blocking(move || {
            let earlier = store.job_of_request(system, request)?.is_some();
            let full = store.jobs_open(system)? as usize >= JOBS_OPEN_MAX
                || store.jobs_kept(system)? as usize >= JOBS_KEPT_MAX;
            Ok::<_, dancu_store::Error>((earlier, full))
        });
        let (known, full) = looked.await.map_err(|_| dancu_store::Error::Unavailable("job"))??;
        if known {
            return Ok(Ok((row, true)));
        }
        // The ids of jobs and of single questions are one set.
        if let Some(index) = self.store.requests().answered(&request)
            && self.store.answered_request(&request, index).await?.is_some()
        {
            return Ok(Err(Reason::RequestIdConflict));
        }
        if full {
            return Ok(Err(Reason::JobsOpen));
        }
        random(&mut row.id)?;
        self.store.job_begin(caller.arrival, &row).await?;
        Ok(Ok((row, false)))
    }
}

impl Intake<'_> {
    /// How many rows came so far.
    pub fn rows(&self) -> u32 {
        self.row.counts.rows
    }

    /// Takes rows in the order of the file and leaves `rows` empty.
    ///
    /// # Errors
    /// [`Reason::JobTooLarge`] over [`ROWS_MAX`], [`Reason::CannotJournal`] where they cannot be
    /// stored. The submission is then refused with [`Intake::refuse`].
    pub async fn take(&mut self, at: Moment, rows: &mut Vec<ReadRow>) -> Result<(), Reason> {
        for row in rows.drain(..) {
            let (ReadRow::Good(BatchItem { row: number, .. })
            | ReadRow::Bad(BadRow { row: number, .. })) = &row;
            if self.row.counts.rows >= ROWS_MAX || *number > NUMBER_MAX {
                return Err(Reason::JobTooLarge);
            }
            self.row.counts.rows += 1;
            match row {
                ReadRow::Good(item) => {
                    self.row.counts.items += 1;
                    self.items.push(item);
                }
                ReadRow::Bad(bad) => {
                    self.row.counts.bad += 1;
                    if self.row.counts.bad <= BAD_ROWS_LISTED {
                        self.bad.push(bad);
                    }
                }
            }
            if self.items.len() >= PART_ROWS || self.bad.len() >= PART_ROWS {
                self.close_parts().map_err(|error| failed(&error))?;
            }
        }
        if self.parts.len() >= PARTS_AT_ONCE { self.write(at).await } else { Ok(()) }
    }

    /// The file is whole: makes it a job, or finds the one that the same request made before.
    pub async fn finish(mut self, at: Moment) -> Submitted {
        if matches!(self.new.kind, JobKind::BatchVerify) && self.row.counts.rows == 0 {
            let message_vi = "Tệp không có dòng nào.".to_owned();
            let errors = vec![FieldError { field: "body".to_owned(), message_vi }];
            return Submitted::Refused(self.refuse(at, Reason::InvalidInput, errors).await);
        }
        let written = match self.close_parts().map_err(|error| failed(&error)) {
            Ok(()) => self.write(at).await,
            Err(reason) => Err(reason),
        };
        if let Err(reason) = written {
            return Submitted::Refused(self.refuse(at, reason, vec![]).await);
        }
        self.row.body = self.digest;
        let registered = if self.known {
            let earlier = self.earlier();
            earlier.map(|id| id.map_or(Registered::TooMany, Registered::Earlier))
        } else {
            let open_max = JOBS_OPEN_MAX as u32;
            self.gate.store.job_submit(at, &self.row, open_max, self.entry()).await
        };
        let found = match registered {
            Ok(Registered::New) => self.gate.read_job(self.row.id).map(Ok),
            Ok(Registered::Earlier(id)) => match self.gate.store.job(id) {
                Ok(Some(job)) if job.body != self.digest => Ok(Err(Reason::RequestIdConflict)),
                Ok(_) => self.gate.read_job(id).map(Ok),
                Err(error) => Err(error),
            },
            Ok(Registered::TooMany) => Ok(Err(Reason::JobsOpen)),
            Err(error) => Err(error),
        };
        match found {
            Ok(Ok(Some(status))) if status.id.0 == self.row.id => Submitted::New(Box::new(status)),
            Ok(Ok(Some(status))) => Submitted::Same(Box::new(status)),
            Ok(Err(reason)) => Submitted::Refused(self.refuse(at, reason, vec![]).await),
            Ok(Ok(None)) => Submitted::Refused(unavailable()),
            Err(error) => {
                tracing::error!(error = %error, "gate.job could not be submitted");
                Submitted::Refused(unavailable())
            }
        }
    }

    /// Refuses the submission, journals that and deletes what came.
    pub async fn refuse(self, at: Moment, reason: Reason, errors: Vec<FieldError>) -> Reply {
        if !self.known
            && let Err(error) = self.gate.store.job_drop(at, self.row.id).await
        {
            // It is deleted all the same, a little later.
            tracing::warn!(error = %error, "gate.job could not be dropped");
        }
        self.gate.refuse_job(self.caller, &self.new, reason, errors).await
    }

    fn earlier(&self) -> dancu_store::Result<Option<[u8; 16]>> {
        let found = self.gate.store.job_of_request(self.row.system, self.row.request)?;
        Ok(found.map(|job| job.id))
    }

    /// The entry of the submission (F1): who, from where, for which procedure and case.
    fn entry(&self) -> Body {
        let head = &self.new.head;
        let case = head.case.as_ref().map_or("-", |c| c.as_str());
        Body::Act(Act {
            kind: "job.submitted".into(),
            actor: head.officer.as_str().to_owned(),
            system: self.row.system,
            detail: format!(
                "{} {}: {} rows, {} bad; request {}, procedure {}, case {case}, from {}",
                super::types::JobId(self.row.id),
                self.new.kind.service().code(),
                self.row.counts.rows,
                self.row.counts.bad,
                head.request_id,
                head.procedure,
                self.caller.source,
            ),
        })
    }

    fn close_parts(&mut self) -> dancu_store::Result<()> {
        if let (Some(first), Some(last)) = (self.items.first(), self.items.last()) {
            let (first, last) = (first.row, last.row);
            let plain = code::encode(&self.items)?;
            self.items.clear();
            self.close(PartKind::Input, &Part { first, last, plain })?;
        }
        if let (Some(first), Some(last)) = (self.bad.first(), self.bad.last()) {
            let (first, last) = (first.row, last.row);
            let plain = code::encode(&self.bad)?;
            self.bad.clear();
            self.close(PartKind::Bad, &Part { first, last, plain })?;
        }
        Ok(())
    }

    fn close(&mut self, kind: PartKind, part: &Part) -> dancu_store::Result<()> {
        let key = &self.gate.request_key;
        self.digest = key.digest16(&[&self.digest, &[kind as u8], &part.plain]);
        if !self.known {
            self.parts.push(self.gate.store.seal_part(self.row.id, kind, part)?);
        }
        Ok(())
    }

    async fn write(&mut self, at: Moment) -> Result<(), Reason> {
        if self.parts.is_empty() {
            return Ok(());
        }
        let parts = std::mem::take(&mut self.parts);
        let taken = self.gate.store.job_take(at, self.row.id, parts).await;
        taken.map_err(|error| failed(&error))
    }
}

fn failed(error: &dancu_store::Error) -> Reason {
    tracing::error!(error = %error, "gate.job could not be stored");
    Reason::CannotJournal
}
