//! Look-ups on PostgreSQL from asynchronous code: a few connections that many reads share.
//!
//! An own pool instead of deadpool-postgres, because a connection is not lent out: a read is sent
//! at once on the connection with the fewest reads under way and its answer comes in its turn. So
//! a look-up is one round trip, and eight connections serve hundreds of reads at a time.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::timeout;

use super::fault::{Fault, Kind};
use super::postgres::Settings;
use super::postgres::session::Session;
use super::row::Row;
use super::value::Value;
use crate::error::Result;

/// Sizes of a pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolSettings {
    /// Connections, made as they are needed. Eight keep two to four cores of a server busy.
    pub connections: usize,
    /// Reads under way at a time; more wait.
    pub under_way: usize,
    /// How long a read waits for its turn, a new connection included, before it is refused.
    pub wait: Duration,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self { connections: 8, under_way: 512, wait: Duration::from_secs(2) }
    }
}

/// Rows read at once from what has arrived.
const ROWS_AT_ONCE: usize = 64;
/// What the server's own time limit may take to be told.
const GRACE: Duration = Duration::from_secs(1);

/// Reads on PostgreSQL from asynchronous code, each a statement of its own.
pub struct Reads {
    settings: Settings,
    sizes: PoolSettings,
    slots: Vec<Slot>,
    permits: Semaphore,
}

#[derive(Default)]
struct Slot {
    session: Mutex<Option<Arc<Session>>>,
    under_way: AtomicUsize,
}

/// A read under way on a connection.
struct Turn<'a> {
    counted: Counted<'a>,
    session: Arc<Session>,
}

/// One of the reads under way; gives its place back when dropped.
struct Counted<'a>(&'a Slot);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Reads {
    /// A pool that connects when it is first used.
    pub fn new(settings: Settings, sizes: PoolSettings) -> Self {
        Self {
            settings,
            slots: (0..sizes.connections.max(1)).map(|_| Slot::default()).collect(),
            permits: Semaphore::new(sizes.under_way.max(1)),
            sizes,
        }
    }

    /// How long a read waits for its turn before it is refused.
    pub(crate) fn wait(&self) -> Duration {
        self.sizes.wait
    }

    /// Every row of a read, in one round trip. Reads that are polled together go out together.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when no turn came in time, no server answers or it answers too late.
    /// A read whose connection was lost is tried once more on another.
    pub async fn query<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let late = |_| Fault::new(Kind::Unavailable, "pool", "no turn in time");
        let permit = timeout(self.sizes.wait, self.permits.acquire()).await.map_err(late)?;
        let _permit = permit.map_err(|_| Fault::lost())?;
        let first = self.once(sql, values, &mut read).await;
        match &first {
            Err(e) if matches!(e.kind(), Some(Kind::Unavailable | Kind::Retryable)) => {
                self.once(sql, values, &mut read).await
            }
            _ => first,
        }
    }

    /// The first row of a read, if there is one.
    pub async fn optional<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.query(sql, values, read).await?.into_iter().next())
    }

    async fn once<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: &mut impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let late = |_| Fault::new(Kind::Unavailable, "pool", "no connection in time");
        let turn = timeout(self.sizes.wait, self.turn()).await.map_err(late)??;
        let limit = self.settings.statement_timeout + GRACE;
        if let Ok(done) = timeout(limit, rows(&turn.session, sql, values, read)).await {
            return done;
        }
        // Answers come in their turn: whoever waits behind this read would wait as long.
        let mut session = turn.counted.0.session.lock().await;
        if session.as_ref().is_some_and(|s| Arc::ptr_eq(s, &turn.session)) {
            *session = None;
        }
        Err(Fault::new(Kind::Unavailable, "pool", "no answer in time").into())
    }

    /// The connection with the fewest reads under way, made anew where it was lost.
    async fn turn(&self) -> Result<Turn<'_>, Fault> {
        let fewest = self.slots.iter().min_by_key(|s| s.under_way.load(Ordering::Acquire));
        let Some(slot) = fewest else { return Err(Fault::lost()) };
        slot.under_way.fetch_add(1, Ordering::AcqRel);
        let counted = Counted(slot);
        let mut session = slot.session.lock().await;
        let live = if let Some(live) = session.as_ref().filter(|s| !s.is_lost()) {
            live.clone()
        } else {
            let (made, driver) = Session::connect(&self.settings).await?;
            tokio::spawn(driver);
            if self.settings.prepared_statements {
                made.batch(&self.settings.limits("SET")).await?;
            }
            session.insert(Arc::new(made)).clone()
        };
        Ok(Turn { counted, session: live })
    }
}

async fn rows<T>(
    session: &Session,
    sql: &str,
    values: &[Value<'_>],
    read: &mut impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let rows = session.rows(sql, values).await?;
    let mut rows = pin!(rows.ready_chunks(ROWS_AT_ONCE));
    let mut out = vec![];
    while let Some(chunk) = rows.next().await {
        for row in chunk {
            out.push(read(&Row::postgres(&row.map_err(Fault::from)?))?);
        }
    }
    Ok(out)
}
