//! The rows of a job as they come, until it is one.
//!
//! **Invariant:** an upload that does not become a job leaves nothing: refused, broken off or
//! forgotten by its process, its rows are given to be deleted.

use std::sync::Arc;

use dancu_domain::moment::Moment;
use dancu_domain::refusal::Reason;
use dancu_domain::service::{Field, FieldSet};
use dancu_journal::{Act, Body};
use dancu_store::Store;
use dancu_store::jobs::{JobRow, Part, PartKind, Registered, SealedPart};

use super::code;
use super::types::{
    BAD_ROWS_LISTED, BadRow, BatchItem, JOBS_OPEN_MAX, JobDenied, JobId, JobKind, KEPT_BYTES_MAX,
    ListFilter, NewJob, ROWS_MAX, ReadRow, Submitted,
};
use crate::path::{Caller, Gate, unavailable};
use crate::query::{FieldError, Reply};

/// Rows sealed together: about 25 KB, read and written in well below a millisecond, and asked
/// within some ten.
pub(super) const PART_ROWS: usize = 256;
/// Parts written in one transaction: about 100 KB, so that no question waits long for its commit.
const PARTS_AT_ONCE: usize = 4;
/// Highest number of a row: empty lines are no rows and count on, and a request id has room for
/// seven digits beside the job's id.
const NUMBER_MAX: u32 = 9_999_999;

/// The file of a job while it comes in. It is a job only once it is finished; dropped before, what
/// came is deleted.
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
    /// What drops it; none where the request id is known: rows are then only compared.
    unfinished: Option<Unfinished>,
    /// Fields that rows may claim.
    granted: FieldSet,
}

/// Gives what came in to be deleted where its upload ends without a job: a connection that breaks
/// takes the future with it that was receiving.
pub(super) struct Unfinished {
    store: Option<Arc<Store>>,
    id: [u8; 16],
    /// When something last came, product's clock.
    at: Moment,
}

impl Unfinished {
    pub(super) fn new(store: Arc<Store>, id: [u8; 16], at: Moment) -> Self {
        Self { store: Some(store), id, at }
    }

    /// It is a job now, or was dropped.
    fn done(mut self) {
        self.store = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let Some(store) = self.store.take() else { return };
        // Where the runtime is gone the process ends; the next one gives the upload up.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (id, at) = (self.id, self.at);
        runtime.spawn(async move {
            if let Err(error) = store.job_drop(at, id).await {
                // It is deleted all the same, a little later.
                tracing::warn!(error = %error, "gate.job could not be dropped");
            }
        });
    }
}

impl<'a> Intake<'a> {
    pub(super) fn new(
        gate: &'a Gate,
        caller: &'a Caller,
        new: NewJob,
        row: JobRow,
        unfinished: Option<Unfinished>,
        granted: FieldSet,
    ) -> Self {
        let digest = row.body;
        let (items, bad, parts) = (vec![], vec![], vec![]);
        Self { gate, caller, new, row, items, bad, parts, digest, unfinished, granted }
    }

    /// How many rows came so far.
    pub fn rows(&self) -> u32 {
        self.row.counts.rows
    }

    /// Takes rows in the order of the file and leaves `rows` empty.
    ///
    /// # Errors
    /// [`Reason::JobTooLarge`] over [`ROWS_MAX`]; [`Reason::JobsOpen`] where the uploads of the
    /// system would take more than [`KEPT_BYTES_MAX`]; [`Reason::FieldNotGranted`] where a row
    /// claims a field that is not granted (A4), as a single question is refused as a whole;
    /// [`Reason::CannotJournal`] where they cannot be stored. The submission is then refused with
    /// [`Intake::refuse`].
    pub async fn take(&mut self, at: Moment, rows: &mut Vec<ReadRow>) -> Result<(), JobDenied> {
        for row in rows.drain(..) {
            let (ReadRow::Good(BatchItem { row: number, .. })
            | ReadRow::Bad(BadRow { row: number, .. })) = &row;
            if self.row.counts.rows >= ROWS_MAX || *number > NUMBER_MAX {
                return Err(Reason::JobTooLarge.into());
            }
            self.row.counts.rows += 1;
            match row {
                ReadRow::Good(item) => {
                    self.may_claim(&item)?;
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

    /// A4: a file that claims what is not granted would be refused row by row, after hours.
    fn may_claim(&self, item: &BatchItem) -> Result<(), JobDenied> {
        let claimed = item.claims.iter().map(|c| c.field);
        let known = self.unfinished.is_none();
        match claimed.into_iter().find(|field| !self.granted.contains(*field)) {
            Some(field) if !known => Err(not_granted(item.row, field)),
            _ => Ok(()),
        }
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
            Err(reason) => Err(reason.into()),
        };
        if let Err(JobDenied { refusal, errors }) = written {
            return Submitted::Refused(self.refuse(at, refusal.reason, errors).await);
        }
        // An upload may take hours: what was revoked meanwhile submits nothing (E3, A4).
        if let Err(error) = Box::pin(self.gate.catch_up(at)).await {
            return unsubmitted(&error);
        }
        if let Err(reason) = self.gate.may_submit(self.caller, &self.new) {
            return Submitted::Refused(self.refuse(at, reason, vec![]).await);
        }
        self.row.body = self.digest;
        match self.register(at).await {
            Ok(Registered::New) => {
                let id = self.row.id;
                self.submitted(id).await
            }
            Ok(Registered::Earlier(id)) => {
                let earlier = self.gate.away(move |store| store.job(id)).await;
                match earlier {
                    Ok(Some(job)) if job.body == self.digest => self.submitted(id).await,
                    // Another body, or deleted meanwhile: the id is taken.
                    Ok(_) => {
                        let reason = Reason::RequestIdConflict;
                        Submitted::Refused(self.refuse(at, reason, vec![]).await)
                    }
                    Err(error) => unsubmitted(&error),
                }
            }
            Ok(Registered::Taken) => {
                Submitted::Refused(self.refuse(at, Reason::RequestIdConflict, vec![]).await)
            }
            Ok(Registered::TooMany) => {
                Submitted::Refused(self.refuse(at, Reason::JobsOpen, vec![]).await)
            }
            Err(error) => unsubmitted(&error),
        }
    }

    /// Makes it a job, unless the request id has another use; no question is asked under the id
    /// meanwhile. Once begun it goes on without its caller: a connection that breaks while the
    /// commit is under way must not leave a job whose request id this node does not know.
    async fn register(&mut self, at: Moment) -> dancu_store::Result<Registered> {
        let (system, request) = (self.row.system, self.row.request);
        let Some(unfinished) = self.unfinished.take() else {
            let found = self.gate.away(move |s| s.job_of_request(system, request)).await?;
            // Deleted while its copy came in: the id is taken all the same.
            return Ok(found.map_or(Registered::Taken, |job| Registered::Earlier(job.id)));
        };
        let (store, row, entry) = (self.gate.store.clone(), self.row.clone(), self.entry());
        let submitting = tokio::spawn(async move {
            let _taken = store.requests().enter(request).await;
            let found = store.job_submit(at, &row, JOBS_OPEN_MAX as u32, entry).await;
            if found.is_ok() {
                // It is a job now, or given to be deleted.
                unfinished.done();
            }
            found
        });
        submitting.await.map_err(|_| dancu_store::Error::Unavailable("job"))?
    }

    /// How the job stands that came of it. What it was made of is the job's, or given to be
    /// deleted.
    async fn submitted(self, id: [u8; 16]) -> Submitted {
        if let Some(unfinished) = self.unfinished {
            unfinished.done();
        }
        match self.gate.read_job(id).await {
            Ok(Some(status)) if id == self.row.id => Submitted::New(Box::new(status)),
            Ok(Some(status)) => Submitted::Same(Box::new(status)),
            Ok(None) => Submitted::Refused(unavailable()),
            Err(error) => unsubmitted(&error),
        }
    }

    /// Refuses the submission, journals that and deletes what came.
    pub async fn refuse(self, at: Moment, reason: Reason, errors: Vec<FieldError>) -> Reply {
        if let Some(unfinished) = self.unfinished
            && self.gate.store.job_drop(at, self.row.id).await.is_ok()
        {
            unfinished.done();
        }
        self.gate.refuse_job(self.caller, &self.new, reason, errors).await
    }

    /// The entry of the submission (F1): who, from where, for which procedure and case; of a list
    /// also by which criteria, which name nobody.
    fn entry(&self) -> Body {
        let head = &self.new.head;
        let case = head.case.as_ref().map_or("-", |c| c.as_str());
        let criteria = match &self.new.kind {
            JobKind::BatchVerify => String::new(),
            JobKind::List(filter) => format!("; criteria {}", criteria(filter)),
        };
        Body::Act(Act {
            kind: "job.submitted".into(),
            actor: head.officer.as_str().to_owned(),
            system: self.row.system,
            detail: format!(
                "{} {}: {} rows, {} bad; request {}, procedure {}, case {case}, from {}{criteria}",
                JobId(self.row.id),
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
        if self.unfinished.is_some() {
            self.parts.push(self.gate.store.seal_part(self.row.id, kind, part)?);
        }
        Ok(())
    }

    async fn write(&mut self, at: Moment) -> Result<(), JobDenied> {
        if self.parts.is_empty() {
            return Ok(());
        }
        if let Some(unfinished) = &mut self.unfinished {
            unfinished.at = at;
        }
        let parts = std::mem::take(&mut self.parts);
        match self.gate.store.job_take(at, self.row.id, parts, KEPT_BYTES_MAX).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(no_room()),
            Err(error) => Err(failed(&error).into()),
        }
    }
}

fn unsubmitted(error: &dancu_store::Error) -> Submitted {
    tracing::error!(error = %error, "gate.job could not be submitted");
    Submitted::Refused(unavailable())
}

fn failed(error: &dancu_store::Error) -> Reason {
    tracing::error!(error = %error, "gate.job could not be stored");
    Reason::CannotJournal
}

fn no_room() -> JobDenied {
    let message_vi = "Dữ liệu các lô mà hệ thống đã gửi và chưa xóa vượt quá 1 GiB. · What this \
                      system uploaded and did not delete is over 1 GiB."
        .to_owned();
    let errors = vec![FieldError { field: "body".to_owned(), message_vi }];
    JobDenied { refusal: Reason::JobsOpen.into(), errors }
}

fn not_granted(row: u32, field: Field) -> JobDenied {
    let message_vi = format!(
        "Dòng {row}: hệ thống hoặc thủ tục chưa được cấp trường này (A4). · Row {row}: this field \
         is not granted."
    );
    let errors = vec![FieldError { field: format!("claims.{}", field.code()), message_vi }];
    JobDenied { refusal: Reason::FieldNotGranted.into(), errors }
}

/// The criteria of a list in one line: codes only.
fn criteria(filter: &ListFilter) -> String {
    let ListFilter { place, ages, blood, sex, ethnicity, religion } = filter;
    let stated = [
        place.map(|p| {
            let (province, commune, list) = (p.province, p.commune, p.dataset.date());
            format!("place {province:02}/{commune:05} of {list}")
        }),
        ages.map(|(first, last)| format!("ages {first}-{last}")),
        blood.map(|b| format!("blood group {:02}", b.code())),
        sex.map(|s| format!("sex {}", s.code())),
        ethnicity.map(|code| format!("ethnicity {code:02}")),
        religion.map(|code| format!("religion {code:02}")),
    ];
    stated.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
