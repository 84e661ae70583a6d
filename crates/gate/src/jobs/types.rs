//! The vocabulary of jobs: what is submitted, what is read back, and the figures that bound both.
//!
//! A job asks about many persons inside an approved plan (D5): a batch verifies the rows of a
//! file, a list tells who fits a filter. Either way each person is one ordinary question, decided,
//! counted (D2) and journaled (F1) when its turn comes.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use dancu_domain::birth::Precision;
use dancu_domain::ids::{
    CaseCode, OfficerRef, ProcedureCode, Purpose, RequestId, SystemId, UnitCode,
};
use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::person::{BloodGroup, Sex};
use dancu_domain::refusal::{Reason, Refusal};
use dancu_domain::service::{Field, Service};
use serde::{Deserialize, Serialize};

use crate::path::Protocol;
use crate::query::{Claim, ClaimResult, Disclosed, FieldError, Subject};

/// Rows of one job at most, good and bad together: a job of a million persons runs for minutes to
/// hours, and its rows fit seven digits.
pub const ROWS_MAX: u32 = 1_000_000;
/// Bytes of one row at most: the three keys take about 150, every claim together about 3,000.
pub const ROW_BYTES_MAX: usize = 8 * 1024;
/// Bytes of one body at most: a million rows of the usual 150 to 300 bytes.
pub const BODY_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Jobs of one system that are not over yet, at most: more would only wait, sealed and unread.
pub const JOBS_OPEN_MAX: usize = 10;
/// Jobs of one system that are kept, over or not, at most: files of nothing but bad rows count no
/// query and would else fill the disk for a week. Uploads count from their first byte until they
/// are deleted, whether they became a job or not.
pub const JOBS_KEPT_MAX: usize = 1_000;
/// Bytes of the rows that one system uploaded and that are kept, sealed, good and bad ones,
/// whatever became of them: ten jobs of a million rows of the usual 100 bytes, and a disk that is
/// sized for every system having them. More is refused while it comes in.
pub const KEPT_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Bad rows that are listed with their reason; of further ones only the number is kept. A file in
/// which so many rows are wrong has one mistake, not ten thousand.
pub const BAD_ROWS_LISTED: u32 = 10_000;
/// Result rows of one JSON page at most: about 200 bytes each.
pub const PAGE_MAX: u32 = 1_000;
/// How long a job and its result are kept after its end, ms: 7 days, so that a weekend and a
/// holiday do not lose it. Then it is deleted, since a result is personal data.
pub const KEPT_MS: i64 = 7 * DAY_MS;

/// A job's id: random, so that it tells nothing and nobody finds another's; 32 hex digits as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub [u8; 16]);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for JobId {
    type Err = ();

    /// Reads exactly 32 lower-case hex digits.
    fn from_str(text: &str) -> Result<Self, ()> {
        let bytes = text.as_bytes();
        if bytes.len() != 32 || bytes.iter().any(u8::is_ascii_uppercase) {
            return Err(());
        }
        let mut id = [0; 16];
        for (byte, pair) in id.iter_mut().zip(bytes.chunks_exact(2)) {
            let digit = |b: u8| char::from(b).to_digit(16).ok_or(());
            *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
        }
        Ok(Self(id))
    }
}

/// What a job does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum JobKind {
    /// Verifies each row of a file (`citizen.batchVerify`).
    BatchVerify,
    /// Tells the granted fields of everybody who fits (`citizen.list`).
    List(ListFilter),
}

impl JobKind {
    /// The service whose line, grant and plan decide.
    pub const fn service(&self) -> Service {
        match self {
            Self::BatchVerify => Service::CitizenBatchVerify,
            Self::List(_) => Service::CitizenList,
        }
    }
}

/// Who belongs to a list: everybody whom every stated criterion fits. At least one is stated.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct ListFilter {
    /// TheoDiaPhuong: where they live now.
    pub place: Option<ListPlace>,
    /// TheoDoTuoi: first and last age in whole years on the day the job was submitted, inclusive.
    pub ages: Option<(u8, u8)>,
    /// TheoNhomMau.
    pub blood: Option<BloodGroup>,
    /// TheoGioiTinh.
    pub sex: Option<Sex>,
    /// TheoDanToc: code of the list.
    pub ethnicity: Option<u8>,
    /// TheoTonGiao: code of the list.
    pub religion: Option<u8>,
}

/// A province or one of its communes, by the codes of `dataset`'s list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ListPlace {
    /// Province code.
    pub province: u8,
    /// Commune code; 0 = the whole province.
    pub commune: u32,
    /// The list that the codes are read by.
    pub dataset: dancu_domain::person::Dataset,
}

/// The head of a job: what every one of its questions states.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobHead {
    /// The caller's request id: the same id with the same body is the same job.
    pub request_id: RequestId,
    /// The account, which must be of kind plan (D5), as named on the wire.
    pub officer: OfficerRef,
    /// Procedure.
    pub procedure: ProcedureCode,
    /// Purpose, where stated.
    pub purpose: Option<Purpose>,
    /// Case, where stated.
    pub case: Option<CaseCode>,
    /// Unit, where stated (SOAP); else the system's own.
    pub unit: Option<UnitCode>,
    /// X-Road `userId`, where sent.
    pub x_road_user: Option<String>,
}

/// A job about to be submitted by an authenticated system.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// What it does.
    pub kind: JobKind,
    /// What its questions state.
    pub head: JobHead,
    /// Digest of everything of the request that stands outside of its rows, as the wire read it:
    /// head, filter and form of the file. The rows are digested as they are taken.
    pub digest: [u8; 16],
}

/// One readable row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BatchItem {
    /// Number of the row in the file, from 1 on; the header of a CSV file is not counted.
    pub row: u32,
    /// The three keys.
    pub subject: Subject,
    /// Claims about fields; empty = only whether the keys agree.
    pub claims: Vec<Claim>,
}

/// One row that could not be read: the job goes on without it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BadRow {
    /// Number of the row in the file, from 1 on.
    pub row: u32,
    /// The field that is wrong, as the file names it; `row` for the whole row.
    pub field: String,
    /// What is wrong, in Vietnamese; never the value.
    pub reason_vi: String,
    /// The same in English.
    pub reason: String,
}

/// One row as a reader of files gives it.
#[derive(Clone, Debug)]
pub enum ReadRow {
    /// To be asked about.
    Good(BatchItem),
    /// To be listed.
    Bad(BadRow),
}

/// Where a job stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JobState {
    /// Submitted, not begun.
    Waiting,
    /// Under way.
    Running,
    /// Held by a rule; goes on by itself as soon as the rule lets it.
    Paused {
        /// Why.
        reason: Reason,
        /// When the rule lets it go on at the latest, where that is known.
        until: Option<Moment>,
    },
    /// Every row has its result.
    Done,
    /// Ended by its system; the results so far are kept.
    Cancelled,
    /// Ended by a refusal that does not end by itself: a withdrawn grant, a revoked account, a
    /// plan that is over. The results so far are kept.
    Failed {
        /// Why.
        reason: Reason,
    },
}

impl JobState {
    /// Whether the job is over.
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Done | Self::Cancelled | Self::Failed { .. })
    }

    /// The word in answers.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Paused { .. } => "paused",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed { .. } => "failed",
        }
    }

    /// What holds or ended it.
    pub const fn reason(&self) -> Option<Reason> {
        match self {
            Self::Paused { reason, .. } | Self::Failed { reason } => Some(*reason),
            _ => None,
        }
    }
}

/// How many rows of a job are what.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct JobCounts {
    /// Rows of the file; of a list `done + bad`, since who was found and not asked about yet is
    /// told to nobody.
    pub rows: u32,
    /// Readable ones: each becomes a question. Of a list those that did.
    pub items: u32,
    /// Rows that could not be read.
    pub bad: u32,
    /// Items that have their result.
    pub done: u32,
    /// Of these: answered and counted (D2): `matched + no_match`.
    pub accepted: u32,
    /// Of these: the keys agreed; for a list: told.
    pub matched: u32,
    /// Of these: nobody, or the keys did not agree.
    pub no_match: u32,
    /// Items that a rule refused, each by a journal entry of its own.
    pub refused: u32,
}

/// A job as its system sees it.
#[derive(Clone, Debug)]
pub struct JobStatus {
    /// Its id.
    pub id: JobId,
    /// The system that it belongs to.
    pub system: SystemId,
    /// What it does.
    pub kind: JobKind,
    /// What its questions state.
    pub head: JobHead,
    /// How it came in.
    pub protocol: Protocol,
    /// Where from.
    pub source: IpAddr,
    /// Where it stands.
    pub state: JobState,
    /// How many rows are what.
    pub counts: JobCounts,
    /// Jobs that were submitted before it and have not begun; 0 once it runs.
    pub position: u32,
    /// When it was submitted, product's clock.
    pub submitted_at: Moment,
    /// When its first row was asked.
    pub started_at: Option<Moment>,
    /// When it last stored results, or changed its state.
    pub changed_at: Moment,
    /// When it was over.
    pub ended_at: Option<Moment>,
    /// When job and result are deleted: [`KEPT_MS`] after the end.
    pub deleted_at: Option<Moment>,
    /// Journal index of the entry of its submission (F1).
    pub journal_index: u64,
}

/// What one item came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ItemResult {
    /// Its row.
    pub row: u32,
    /// Journal index of its question.
    pub journal_index: u64,
    /// Its correlation id, to ask about a refusal later.
    pub correlation: [u8; 16],
    /// What it was told.
    pub outcome: ItemOutcome,
}

/// The answer to one item, or its refusal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ItemOutcome {
    /// Nobody, or the three keys do not agree.
    NoMatch,
    /// The three keys agree.
    Match {
        /// Full, or by year only.
        precision: Precision,
        /// `None` where vitalStatus is not granted; else alive, dead or (inner `None`) missing.
        alive: Option<Option<bool>>,
        /// One result per claim, in the order asked.
        claims: Vec<(Field, ClaimResult)>,
    },
    /// A person of a list with the granted fields.
    Listed(Box<Disclosed>),
    /// Refused by a rule: [`Reason::from_number`] of this.
    Refused(u8),
}

/// A part of a result, by rising row.
#[derive(Clone, Default, Debug)]
pub struct Page {
    /// The results; an item without one has not been asked yet.
    pub results: Vec<ItemResult>,
    /// `from` of the next page: the row after the last one; `None` = nothing further is stored.
    pub next: Option<u32>,
}

/// A part of the bad rows, by rising row.
#[derive(Clone, Default, Debug)]
pub struct BadPage {
    /// The rows.
    pub rows: Vec<BadRow>,
    /// `from` of the next page.
    pub next: Option<u32>,
}

/// What a submission came to.
#[derive(Clone, Debug)]
pub enum Submitted {
    /// A new job, journaled.
    New(Box<JobStatus>),
    /// The job that the same request made before.
    Same(Box<JobStatus>),
    /// Refused; journaled where the reply has an index.
    Refused(crate::query::Reply),
}

/// Why a row is not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobDenied {
    /// Reason, rule, retry time.
    pub refusal: Refusal,
    /// Input errors; empty for other reasons.
    pub errors: Vec<FieldError>,
}

impl From<Reason> for JobDenied {
    fn from(reason: Reason) -> Self {
        Self { refusal: reason.into(), errors: vec![] }
    }
}

/// What a scan of the registry for a list found (`lists.rs`).
#[derive(Clone, Debug)]
pub struct Scanned {
    /// Who fits, in the registry's order; each becomes an item of the list.
    pub found: Vec<Subject>,
    /// Where the next scan goes on: the last record looked at. `None` = the registry ends here.
    pub next: Option<i64>,
    /// Records looked at.
    pub looked: u32,
    /// Records that could not be opened: nobody knows whether they fit.
    pub damaged: u32,
}

impl Scanned {
    /// Nothing yet, after a record; 0 = before the first.
    pub const fn after(record: i64) -> Self {
        Self { found: vec![], next: Some(record), looked: 0, damaged: 0 }
    }
}
