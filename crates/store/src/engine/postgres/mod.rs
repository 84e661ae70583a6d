//! PostgreSQL for plain threads.
//!
//! A small wrapper over tokio-postgres instead of the `postgres` crate, which is built the same way
//! but can neither send several statements at once nor run without prepared ones. Each connection
//! brings its own single-threaded runtime that the caller's thread drives while it waits: nothing
//! crosses threads, so that a round trip costs what the socket costs.

mod bind;
mod copy;
pub(super) mod session;
mod settings;
mod tls;

use std::future::Future;
use std::pin::pin;

use futures_util::StreamExt as _;
use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};

pub(super) use copy::{TakeRow, load};
pub use settings::{Settings, Tls};

use self::session::{Queued, Session};
use super::Mode;
use super::fault::{Fault, Kind};
use super::row::Row;
use super::value::Value;
use crate::error::Result;

/// Requests that are sent together at most: 1,024 × about 1 KiB of futures.
const QUEUE_MAX: usize = 1_024;
/// Bytes of values that wait to be sent at most.
const QUEUE_BYTES: usize = 4 << 20;
/// Rows fetched before they are given on.
const ROWS_AT_ONCE: usize = 256;
/// COMMIT with no limit on its time: a wait for the standby that is cancelled would be answered as
/// if it had been fulfilled. In a transaction that failed the first statement fails, so that
/// COMMIT is never taken for a rollback.
const COMMIT: &str = "SET LOCAL statement_timeout = 0; COMMIT";

/// A connection to PostgreSQL, for one thread at a time.
pub struct Postgres {
    /// Taken only when dropped.
    runtime: Option<Runtime>,
    session: Session,
    settings: Settings,
    queued: Vec<Queued>,
    queued_bytes: usize,
    /// Between `begin` and `commit` or `rollback`.
    open: bool,
    /// Connections made so far, this one included.
    connections: u64,
}

impl Postgres {
    /// Connects to a server.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when no server answers in time; [`Kind::Other`] when it refuses the
    /// user, or when this runs on the only thread of another runtime, which it would stop.
    pub fn connect(settings: &Settings) -> Result<Self, Fault> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Fault::new(Kind::Unavailable, "runtime", e.to_string()))?;
        let session = wait(&runtime, open_session(settings, runtime.handle()));
        let session = match session.and_then(|s| s) {
            Ok(session) => session,
            Err(fault) => {
                runtime.shutdown_background();
                return Err(fault);
            }
        };
        Ok(Self {
            runtime: Some(runtime),
            session,
            settings: settings.clone(),
            queued: vec![],
            queued_bytes: 0,
            open: false,
            connections: 1,
        })
    }

    /// Whether the connection is gone; [`Postgres::reconnect`] makes a new one.
    pub fn is_lost(&self) -> bool {
        self.session.is_lost()
    }

    /// How often it connected so far.
    pub fn connections(&self) -> u64 {
        self.connections
    }

    /// Connects anew. What was open or queued is gone, as it is on the server.
    pub fn reconnect(&mut self) -> Result<(), Fault> {
        let mut made = Self::connect(&self.settings)?;
        made.connections += self.connections;
        *self = made;
        Ok(())
    }

    /// Nothing drove this connection since its last use. What the server said meanwhile, such as
    /// that it stops, is heard: one turn asks the socket, the next ones read it. A lost connection
    /// is made anew.
    pub(super) fn hear(&mut self) -> Result<(), Fault> {
        self.wait(async {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
        })?;
        if self.is_lost() { self.reconnect() } else { Ok(()) }
    }

    pub(super) fn begin(&mut self, mode: Mode) -> Result<(), Fault> {
        if self.open {
            return Err(Fault::new(Kind::Other, "25001", "a transaction is open"));
        }
        self.hear()?;
        let mut text = match mode {
            Mode::Write => "BEGIN".to_owned(),
            Mode::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned(),
        };
        if !self.settings.prepared_statements {
            // Behind a pooler a session's settings do not stay with us.
            text = format!("{text}; {}", self.settings.limits("SET LOCAL"));
        }
        self.queued = vec![Queued::Text(text)];
        self.queued_bytes = 0;
        self.open = true;
        Ok(())
    }

    pub(super) fn commit(&mut self) -> Result<(), Fault> {
        if !self.open {
            return Err(Fault::new(Kind::Other, "25P01", "no transaction is open"));
        }
        let warned = self.session.warnings();
        let queued = self.take_queue();
        let done = self.wait(self.session.after(&queued, self.session.batch(COMMIT)));
        match done.and_then(|d| d).map_err(Fault::at_commit) {
            Ok(()) if self.session.warnings() != warned => {
                self.open = false;
                let text = "the server warned while it committed: no standby may have confirmed";
                Err(Fault::new(Kind::InDoubt, "01000", text))
            }
            Ok(()) => {
                self.open = false;
                Ok(())
            }
            Err(fault) => {
                self.rollback();
                Err(fault)
            }
        }
    }

    pub(super) fn rollback(&mut self) {
        self.take_queue();
        if std::mem::take(&mut self.open) && !self.session.is_lost() {
            // Where BEGIN was never sent this is a warning of the server, no more.
            let _ = self.wait(self.session.batch("ROLLBACK"));
        }
    }

    pub(super) fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, Fault> {
        let queued = self.take_queue();
        self.wait(async {
            self.session.ready(sql).await?;
            self.session.after(&queued, self.session.execute(sql, values)).await
        })?
    }

    pub(super) fn queue(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<(), Fault> {
        self.queued_bytes += values.iter().map(Value::size).sum::<usize>();
        self.queued.push(Queued::Statement(sql, values.iter().map(|v| (*v).into()).collect()));
        if self.queued.len() >= QUEUE_MAX || self.queued_bytes >= QUEUE_BYTES {
            return self.flush();
        }
        Ok(())
    }

    pub(super) fn flush(&mut self) -> Result<(), Fault> {
        let queued = self.take_queue();
        if queued.is_empty() {
            return Ok(());
        }
        self.wait(self.session.after(&queued, async { Ok(()) }))?
    }

    pub(super) fn each(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<bool>,
    ) -> Result<()> {
        let queued = self.take_queue();
        let rows = self.wait(async {
            self.session.ready(sql).await?;
            self.session.after(&queued, self.session.rows(sql, values)).await
        })??;
        let mut rows = pin!(rows.ready_chunks(ROWS_AT_ONCE));
        while let Some(chunk) = self.wait(rows.next())? {
            for row in chunk {
                if !each(&Row::postgres(&row.map_err(Fault::from)?))? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    pub(super) fn batch(&mut self, sql: &str) -> Result<(), Fault> {
        let queued = self.take_queue();
        self.wait(self.session.after(&queued, self.session.batch(sql)))?
    }

    pub(super) fn check(&mut self, sql: &str) -> Result<(), Fault> {
        self.wait(self.session.check(sql))?
    }

    fn take_queue(&mut self) -> Vec<Queued> {
        self.queued_bytes = 0;
        std::mem::take(&mut self.queued)
    }

    fn wait<F: Future>(&self, future: F) -> Result<F::Output, Fault> {
        match &self.runtime {
            Some(runtime) => wait(runtime, future),
            None => Err(Fault::lost()),
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting is not allowed everywhere; the server notices the closed socket.
            runtime.shutdown_background();
        }
    }
}

async fn open_session(settings: &Settings, runtime: &Handle) -> Result<Session, Fault> {
    let (session, driver) = Session::connect(settings).await?;
    runtime.spawn(driver);
    if settings.prepared_statements {
        session.batch(&settings.limits("SET")).await?;
    }
    Ok(session)
}

/// Drives the connection's runtime until the future is ready. A worker thread of a larger runtime
/// hands its other tasks on meanwhile; the only thread of a runtime must not wait.
fn wait<F: Future>(runtime: &Runtime, future: F) -> Result<F::Output, Fault> {
    match Handle::try_current().map(|h| h.runtime_flavor()) {
        Err(_) => Ok(runtime.block_on(future)),
        Ok(RuntimeFlavor::CurrentThread) => {
            let text = "a blocking database call on the only thread of a runtime";
            Err(Fault::new(Kind::Other, "blocking", text))
        }
        Ok(_) => Ok(tokio::task::block_in_place(|| runtime.block_on(future))),
    }
}
