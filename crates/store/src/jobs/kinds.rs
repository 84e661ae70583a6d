//! What a job and its parts are in the store.

use dancu_domain::moment::Moment;

/// Where a job stands, as numbered in `job.state`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum State {
    /// Its rows are still coming in; nobody is told of it.
    Receiving = 0,
    /// Submitted, not begun.
    Waiting = 1,
    /// Under way.
    Running = 2,
    /// Held by a rule.
    Paused = 3,
    /// Every row has its result.
    Done = 4,
    /// Ended by its system.
    Cancelled = 5,
    /// Ended by a refusal.
    Failed = 6,
    /// To be deleted; nobody is told of it.
    Gone = 7,
}

impl State {
    /// From its number.
    pub const fn from_number(n: u8) -> Option<Self> {
        Some(match n {
            0 => Self::Receiving,
            1 => Self::Waiting,
            2 => Self::Running,
            3 => Self::Paused,
            4 => Self::Done,
            5 => Self::Cancelled,
            6 => Self::Failed,
            7 => Self::Gone,
            _ => return None,
        })
    }
}

/// How many rows of a job are what.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Rows of the file, or persons found so far.
    pub rows: u32,
    /// Readable ones.
    pub items: u32,
    /// Others.
    pub bad: u32,
    /// Answered with a match, or told.
    pub matched: u32,
    /// Answered without.
    pub no_match: u32,
    /// Refused.
    pub refused: u32,
}

/// A job as it is stored, its head opened.
#[derive(Clone)]
pub struct JobRow {
    /// Its id.
    pub id: [u8; 16],
    /// Its system.
    pub system: u32,
    /// Where it stands.
    pub state: State,
    /// Reason number of what holds or ended it; 0 = none.
    pub reason: u8,
    /// When the hindrance ends at the latest.
    pub until: Option<Moment>,
    /// Keyed digest of system and request id.
    pub request: [u8; 16],
    /// Keyed digest of the whole request.
    pub body: [u8; 16],
    /// The head, as the gate wrote it; empty = it cannot be opened.
    pub head: Vec<u8>,
    /// How many rows are what.
    pub counts: Counts,
    /// Lists: the last record looked at; 0 before the first. `None` = nothing is left to look at.
    pub scan: Option<i64>,
    /// When it was submitted.
    pub submitted_at: Moment,
    /// When it began.
    pub started_at: Option<Moment>,
    /// When it last changed.
    pub changed_at: Moment,
    /// When it was over.
    pub ended_at: Option<Moment>,
    /// Journal index of its submission.
    pub journal_index: u64,
    /// Every entry of a row without a stored result has this index or a higher one.
    pub journal_from: u64,
    /// Until when somebody works on it.
    pub lease_until: Moment,
}

/// What a part holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum PartKind {
    /// Rows to be asked.
    Input = 1,
    /// Results.
    Result = 2,
    /// Rows that could not be read.
    Bad = 3,
}

/// Some rows of a job, opened.
#[derive(Clone, PartialEq, Eq)]
pub struct Part {
    /// First row.
    pub first: u32,
    /// Last row.
    pub last: u32,
    /// The rows, as the gate wrote them.
    pub plain: Vec<u8>,
}

/// Some rows of a job, sealed.
pub struct SealedPart {
    pub(super) kind: PartKind,
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) sealed: Vec<u8>,
}

/// What came of a submission.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Registered {
    /// It is a job now.
    New,
    /// The same request id made this job before.
    Earlier([u8; 16]),
    /// The request id was used for something else: a single question, or a job that is deleted.
    Taken,
    /// As many jobs of the system as may be are not over.
    TooMany,
}

/// What a holder stores at once.
#[derive(Default)]
pub struct Progress {
    /// The counts as they are now.
    pub counts: Counts,
    /// Results, and rows found by a list.
    pub parts: Vec<SealedPart>,
    /// First row of an input part whose rows all have results: it is deleted.
    pub asked: Option<u32>,
    /// Where a list's scan stands.
    pub scan: Option<i64>,
}
