//! Lists and jobs over SOAP: a list is asked for, made in the background, and read page by page.
//!
//! The official shapes of these operations are not public. These are ours, in the style of the
//! others, and documented in the WSDL: the usual head, `MaCongViec` for a job, `Trang` and
//! `SoBanGhi` for pages. The jobs are the same as over REST: a batch that was sent there can be
//! watched and fetched here.
//!
//! To add an operation: a row in `operation.rs`, what it reads in `parse.rs`, its answer in
//! `answer.rs`, both in the schemas.

mod answer;
mod operation;
mod parse;

use dancu_domain::ids::OfficerRef;
use dancu_domain::moment::Moment;
use dancu_gate::jobs::types::{JobHead, JobId, JobStatus, ListFilter, Page};
use dancu_gate::query::{CorrelationId, Denied, FieldError};

use super::{SoapAnswer, XRoadEcho, fault};
use crate::batch::Format;

pub use operation::JobOperation;
pub use parse::parse_job;

/// Records of one page at most: a CongDan has up to 4 KB, so that an answer stays near 2 MB.
pub const RECORDS_MAX: u32 = 500;
/// Records of one file at most: about 300 KB of CSV, 400 KB as base64.
pub const FILE_RECORDS_MAX: u32 = 1_000;
/// Jobs of one page at most.
pub const JOBS_MAX: u32 = 100;

/// A request about lists, as read from an envelope.
#[derive(Clone, Debug)]
pub struct JobCall {
    /// The element under soap:Body.
    pub operation: JobOperation,
    /// The head: for a list, what every one of its questions states.
    pub head: JobHead,
    /// MaCanBo where TaiKhoan was sent too: it must name the same account (E1).
    pub second_name: Option<OfficerRef>,
    /// What is asked.
    pub ask: JobAsk,
    /// Digest of the infoset: same digest = same body.
    pub body: [u8; 16],
    /// X-Road headers to send back.
    pub echo: Option<XRoadEcho>,
}

/// What is asked about lists and jobs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JobAsk {
    /// `CungCapDanhSach…`: make a list.
    List(ListFilter),
    /// `GetRequests`: the system's jobs that were submitted in a time.
    Jobs {
        /// From when on.
        from: Option<Moment>,
        /// Until when.
        to: Option<Moment>,
        /// Which page, how large.
        paging: Paging,
    },
    /// `GetRequestStatus`, `GetRequestDetail`, `GetRequestHistory`, `GetRequestResult`,
    /// `DeleteRequest`: one job.
    Job(JobId),
    /// `GetResultDetailAsRecords`: a page of citizens.
    Records(JobId, Paging),
    /// `GetResultDetailAsFile`: a page as a file.
    File(JobId, Paging, Format),
}

/// Which page is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Paging {
    /// From 1.
    pub page: u32,
    /// Rows of each page, at least 1.
    pub size: u32,
}

impl Paging {
    /// The first row of the page: rows of a job are numbered from 1.
    pub const fn first_row(self) -> u32 {
        (self.page - 1).saturating_mul(self.size).saturating_add(1)
    }

    /// How many pages of this size a job has whose highest row is this one: pages are cut by row
    /// numbers, so that each holds the same rows whenever it is read.
    pub const fn pages(self, last_row: u32) -> u32 {
        last_row.div_ceil(self.size)
    }
}

/// What is told about lists and jobs.
#[derive(Clone, Debug)]
pub enum JobAnswer {
    /// One job: submitted, looked at, or ended and given to be deleted.
    Job(Box<JobStatus>),
    /// One job, and its highest row that has a result or will have one: it says how many pages
    /// there are. Empty lines of a file are no rows and count on.
    Pages(Box<JobStatus>, u32),
    /// Jobs of a page, and how many there are in all pages.
    Jobs(Vec<JobStatus>, u32),
    /// A page of results.
    Page(Box<JobStatus>, Page),
    /// There is no such job for this system, or no longer.
    NoSuchJob,
}

/// Writes the answer to a request about lists.
pub fn render_job(call: &JobCall, answer: &JobAnswer, correlation: &CorrelationId) -> SoapAnswer {
    match answer {
        JobAnswer::NoSuchJob => {
            let message_vi = "Không có công việc này, hoặc kết quả đã hết hạn lưu 7 ngày.";
            let errors = vec![FieldError {
                field: "MaCongViec".to_owned(),
                message_vi: message_vi.to_owned(),
            }];
            let denied =
                Denied { refusal: dancu_domain::refusal::Reason::InvalidInput.into(), errors };
            render_job_denied(call, &denied, correlation)
        }
        found => answer::render(call, found),
    }
}

/// Writes a refusal. The gate names a missing case as REST does.
pub fn render_job_denied(
    call: &JobCall,
    denied: &Denied,
    correlation: &CorrelationId,
) -> SoapAnswer {
    let mut denied = denied.clone();
    for error in denied.errors.iter_mut().filter(|e| e.field == "caseCode") {
        "MaHoSo".clone_into(&mut error.field);
    }
    fault::refused(&denied, &[], correlation, call.echo.as_ref())
}
