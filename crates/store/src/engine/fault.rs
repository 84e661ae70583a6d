//! What an engine may answer instead of a result, sorted by what the caller can do about it.
//!
//! **Invariant:** a fault carries codes and names of the schema, never the data of a row.

use std::fmt::{self, Write as _};
use std::time::Duration;

use rusqlite::ErrorCode;

use crate::error::{Error, Result};

/// The driver's texts for a connection that cannot be used any more.
const LOST: &[&str] = &["timeout waiting for server", "unexpected message from server"];

/// What the caller can do about a fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The database cannot be reached or does not serve: connect again later, answer 503.
    Unavailable,
    /// The answer to COMMIT was lost: the transaction may be durable or not. Ask for what it wrote
    /// before answering or repeating anything; what is found counts as durable once a later
    /// COMMIT was answered.
    InDoubt,
    /// Nothing was changed and the same transaction may succeed when it is run again.
    Retryable,
    /// A constraint of the schema refused the change.
    Constraint,
    /// No space is left where the database writes.
    DiskFull,
    /// A mistake in program, schema or settings: repeating does not help.
    Other,
}

/// A fault of an engine.
#[derive(Clone, PartialEq, Eq)]
pub struct Fault {
    kind: Kind,
    /// SQLSTATE, or SQLite's extended result code.
    code: String,
    text: String,
}

impl Fault {
    pub(super) fn new(kind: Kind, code: &str, text: impl Into<String>) -> Self {
        Self { kind, code: code.to_owned(), text: text.into() }
    }

    fn driver(text: &str) -> Self {
        Self::new(Kind::Other, "sqlite", text)
    }

    /// A connection that is not there.
    pub(super) fn lost() -> Self {
        Self::new(Kind::Unavailable, "connection", "lost")
    }

    /// A read that nobody took in time.
    pub(crate) fn no_turn() -> Self {
        Self::new(Kind::Unavailable, "pool", "no turn in time")
    }

    /// A COMMIT whose answer was lost, and that is known to have left nothing.
    pub(crate) fn not_committed() -> Self {
        Self::new(Kind::Retryable, "commit", "was not carried out")
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// SQLSTATE, SQLite's extended result code, or a word of this program.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The same after COMMIT was sent: a lost connection leaves open what became of it.
    pub(super) fn at_commit(mut self) -> Self {
        if self.kind == Kind::Unavailable {
            self.kind = Kind::InDoubt;
        }
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Unavailable => "không sẵn sàng (unavailable)",
            Kind::InDoubt => "chưa rõ đã ghi hay chưa (commit in doubt)",
            Kind::Retryable => "xung đột, có thể thử lại (try again)",
            Kind::Constraint => "vi phạm ràng buộc (constraint)",
            Kind::DiskFull => "hết dung lượng đĩa (disk full)",
            Kind::Other => "lỗi (failed)",
        };
        write!(f, "{kind}: {} {}", self.code, self.text)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Fault {}

impl From<&rusqlite::Error> for Fault {
    fn from(error: &rusqlite::Error) -> Self {
        let (failure, message) = match error {
            rusqlite::Error::SqliteFailure(failure, message) => (failure, message.clone()),
            // A text that cannot be prepared: the message names what is wrong in it.
            rusqlite::Error::SqlInputError { error, msg, .. } => (error, Some(msg.clone())),
            // Other errors of the driver may quote a value: they are told by a word alone.
            rusqlite::Error::QueryReturnedNoRows => return Self::driver("no row"),
            rusqlite::Error::InvalidParameterCount(..) => {
                return Self::driver("wrong number of values");
            }
            rusqlite::Error::ExecuteReturnedResults => {
                return Self::driver("rows where none were expected");
            }
            _ => return Self::driver("driver"),
        };
        let kind = match failure.code {
            ErrorCode::ConstraintViolation => Kind::Constraint,
            ErrorCode::DiskFull => Kind::DiskFull,
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Kind::Retryable,
            ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::OutOfMemory
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::OperationInterrupted => Kind::Unavailable,
            _ => Kind::Other,
        };
        let text = message.unwrap_or_else(|| failure.to_string());
        Self::new(kind, &failure.extended_code.to_string(), text)
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(db) = error.as_db_error() else {
            let (mut text, source) = (error.to_string(), std::error::Error::source(&error));
            let lost = error.is_closed()
                || LOST.contains(&text.as_str())
                || source.is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
            if let Some(source) = source {
                let _ = write!(text, ": {source}");
            }
            let kind = if lost { Kind::Unavailable } else { Kind::Other };
            return Self::new(kind, "postgresql", text);
        };
        let code = db.code().code();
        let mut text = String::new();
        // Messages about data quote it; those about connections, names and limits do not.
        if ["08", "0A", "25", "26", "28", "3D", "40", "42", "53", "55", "57", "58"]
            .contains(&&code[..2])
        {
            db.message().clone_into(&mut text);
        }
        let names = [("table", db.table()), ("constraint", db.constraint()), ("in", db.column())];
        for (what, name) in names.into_iter().filter_map(|(w, n)| Some((w, n?))) {
            let _ = write!(text, " {what}={name}");
        }
        Self::new(kind_of(code, db.message()), code, text.trim_start())
    }
}

/// PostgreSQL's codes (its documentation, appendix A) by what can be done about them.
fn kind_of(code: &str, message: &str) -> Kind {
    match code {
        // Serialization failure, deadlock, a lock that was not got in time.
        "40001" | "40P01" | "55P03" => Kind::Retryable,
        // A migration ran beside this connection; its statements are prepared anew.
        "0A000" if message.contains("cached plan") => Kind::Retryable,
        "53100" => Kind::DiskFull,
        // A standby, or a primary that was demoted: the writer has to connect elsewhere.
        "25006" => Kind::Unavailable,
        _ => match &code[..2] {
            "08" | "53" | "57" | "58" => Kind::Unavailable,
            "23" => Kind::Constraint,
            _ => Kind::Other,
        },
    }
}

impl Error {
    /// The engine's fault behind this error, if an engine failed.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Engine(fault) => Some(fault),
            _ => None,
        }
    }

    /// What can be done about the engine's fault, if an engine failed.
    pub fn kind(&self) -> Option<Kind> {
        self.fault().map(Fault::kind)
    }
}

/// Times that a transaction is run before its conflict is given to the caller.
pub const ATTEMPTS: u32 = 6;
/// Wait before the second run; each further wait is twice as long: 5 + 10 + 20 + 40 + 80 ms.
const FIRST_WAIT: Duration = Duration::from_millis(5);

/// Runs a whole transaction again while it fails with [`Kind::Retryable`], at most [`ATTEMPTS`]
/// times. `wait` is given how long to wait, so that no clock is asked here.
pub fn retry<T>(
    mut wait: impl FnMut(Duration),
    mut transaction: impl FnMut() -> Result<T>,
) -> Result<T> {
    for attempt in 0..ATTEMPTS - 1 {
        match transaction() {
            Err(e) if e.kind() == Some(Kind::Retryable) => wait(FIRST_WAIT * (1 << attempt)),
            done => return done,
        }
    }
    transaction()
}
