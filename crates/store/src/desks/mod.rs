//! What desks hand to each other: raises that a head asks for, announcements, notices of
//! revocations that the operator of an agency's own software confirms, job plans, account lists
//! that systems send, who suspended an account and who let a person in again.
//!
//! Nothing is decided here. Writes run inside a transaction of the ledger; reads outside of one go
//! through [`Store::desks`](crate::Store::desks).
//!
//! **Invariant:** what people wrote to each other, and logins, stand sealed, each bound to its
//! table and row. Announcements are public and stand in clear.
//! **Invariant:** a decided request, an ended announcement and a confirmed notice stay what they
//! are.

pub mod appeals;
mod changes;
mod help;
mod news;
mod notices;
mod plans;
mod raises;
mod suspensions;

use dancu_domain::ids::{LineId, Login, SystemId};
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use dancu_domain::people::approval::Signature;

pub use self::changes::{
    AccountChanges, ChangesState, SentRow, account_changes, insert_account_changes, newest_changes,
    replace_waiting_changes, save_account_changes,
};
pub use self::help::{Help, last_help, note_help};
pub use self::news::{
    NEWS_READ, announcement, announcements, insert_announcement, past_announcements,
    save_announcement,
};
pub use self::notices::{
    NOTICES_READ, confirm_notice, insert_notice, notice, notices_about, open_notices,
};
pub use self::plans::{Filed, Plans, insert_job_plan, job_plan, job_plans, save_job_plan};
pub use self::raises::{
    Requests, insert_raise_request, raise_request, raise_requests, save_raise_request,
};
pub use self::suspensions::{Sides, set_suspended_by, suspended_by};
use crate::engine::{Kind, Tx};
use crate::error::{Error, Result};
use crate::store::Store;

/// A temporary raise that a head asks for (D8). Debug output leaves the texts out.
#[derive(Clone, PartialEq, Eq)]
pub struct RaiseRequest {
    /// The row id; whatever stands here before it is stored does not count.
    pub id: i64,
    /// The system of the line.
    pub system: SystemId,
    /// The line.
    pub line: LineId,
    /// Persons a day above the registered count.
    pub extra: u32,
    /// From when, by the product's clock.
    pub from: Moment,
    /// Until when.
    pub to: Moment,
    /// Why.
    pub reason: String,
    /// Who asked.
    pub asked_by: PersonId,
    /// When.
    pub asked_at: Moment,
    /// Where it stands.
    pub state: RequestState,
    /// Who approved so far, in order.
    pub approvals: Vec<Signature>,
    /// When it was granted, refused or withdrawn.
    pub decided_at: Option<Moment>,
    /// What the operator answered; empty while there is none.
    pub answer: String,
}

impl std::fmt::Debug for RaiseRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RaiseRequest({}, {:?})", self.id, self.state)
    }
}

/// Where a request stands. All but the first are final.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum RequestState {
    /// Not decided.
    Waiting = 0,
    /// Granted: the raise is registered.
    Granted = 1,
    /// Refused.
    Refused = 2,
    /// Taken back by who asked.
    Withdrawn = 3,
}

impl RequestState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Granted, Self::Refused, Self::Withdrawn];

    /// From its number in the store.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| *state as u8 == number)
    }
}

/// An announcement or maintenance window: plain text that everybody may read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Announcement {
    /// The row id; whatever stands here before it is stored does not count.
    pub id: i64,
    /// What it is.
    pub kind: News,
    /// Heading.
    pub title: String,
    /// Text.
    pub text: String,
    /// From when, by the product's clock.
    pub from: Moment,
    /// Until when; `None` = until it is ended.
    pub to: Option<Moment>,
    /// Who made it.
    pub by: PersonId,
    /// When it was made.
    pub at: Moment,
    /// When somebody ended it.
    pub ended_at: Option<Moment>,
}

/// Kinds of announcement.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum News {
    /// Thông báo.
    Notice = 0,
    /// Bảo trì: planned work.
    Maintenance = 1,
    /// Sự cố: something is wrong now.
    Incident = 2,
}

impl News {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Notice, Self::Maintenance, Self::Incident];

    /// From its number in the store.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|news| *news as u8 == number)
    }

    /// The word in forms and in entries of the journal.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Maintenance => "maintenance",
            Self::Incident => "incident",
        }
    }
}

/// What the operator of an agency's own software is told of a revocation (E3). Debug output leaves
/// the login out.
#[derive(Clone, PartialEq, Eq)]
pub struct RevocationNotice {
    /// The row id; whatever stands here before it is stored does not count.
    pub id: i64,
    /// The registered system in which the account was.
    pub system: SystemId,
    /// Who was revoked.
    pub person: PersonId,
    /// The login to close in the agency's own software.
    pub login: Login,
    /// Who revoked.
    pub by: PersonId,
    /// When, by the product's clock.
    pub at: Moment,
    /// Who confirmed that it is closed there too.
    pub confirmed_by: Option<PersonId>,
    /// When.
    pub confirmed_at: Option<Moment>,
}

impl std::fmt::Debug for RevocationNotice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RevocationNotice({}, {:?})", self.id, self.system)
    }
}

/// The desks' papers as they stand now, read from asynchronous code: each read is one statement.
/// On PostgreSQL it is read where is written.
#[derive(Clone, Copy)]
pub struct Desks<'a> {
    store: &'a Store,
}

impl Store {
    /// Papers of the desks.
    pub const fn desks(&self) -> Desks<'_> {
        Desks { store: self }
    }
}

/// The id of the next row; one transaction at a time inserts.
fn next(tx: &mut Tx<'_>, highest: &str) -> Result<i64> {
    let highest: i64 = tx.one(highest, &[], |r| r.get(0))?;
    Ok(highest + 1)
}

/// What a constraint of the schema refuses is the act's fault, not the database's.
fn constrained(error: Error) -> Error {
    if error.kind() == Some(Kind::Constraint) {
        return Error::Refused("dữ liệu không hợp lệ (a constraint refuses it)".into());
    }
    error
}
