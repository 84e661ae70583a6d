//! One connection to PostgreSQL as asynchronous code sees it: statements prepared once, requests
//! sent without waiting for each other's answers.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::future::{MaybeDone, maybe_done, poll_fn};
use parking_lot::Mutex;
use tokio_postgres::tls::TlsStream;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{
    AsyncMessage, Client, Connection, CopyInSink, NoTls, RowStream, Socket, Statement,
};

use super::bind::type_of;
use super::settings::Settings;
use super::tls::MakeTls;
use crate::engine::fault::Fault;
use crate::engine::value::{OwnedValue, Value};

/// Statements kept prepared per connection: several times what the store has. A full table is
/// emptied, which only costs preparing anew.
const STATEMENTS_MAX: usize = 512;

/// Drives a connection until it ends; to be spawned.
pub(in crate::engine) type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One connection.
pub(in crate::engine) struct Session {
    client: Client,
    statements: Mutex<HashMap<Box<str>, Statement>>,
    prepared: bool,
    warnings: Arc<AtomicU64>,
}

/// A request that waits to be sent with others.
pub(super) enum Queued {
    Text(String),
    Statement(&'static str, Vec<OwnedValue>),
}

impl Session {
    /// Connects; the driver must run beside every use.
    pub(in crate::engine) async fn connect(settings: &Settings) -> Result<(Self, Driver), Fault> {
        let warnings = Arc::new(AtomicU64::new(0));
        let config = settings.config();
        let (client, driver) = match &settings.tls {
            None => {
                let (client, connection) = config.connect(NoTls).await?;
                (client, drive(connection, warnings.clone()))
            }
            Some(tls) => {
                let (client, connection) = config.connect(MakeTls::new(tls)?).await?;
                (client, drive(connection, warnings.clone()))
            }
        };
        let prepared = settings.prepared_statements;
        Ok((Self { client, statements: Mutex::default(), prepared, warnings }, driver))
    }

    /// Whether the connection is gone.
    pub(in crate::engine) fn is_lost(&self) -> bool {
        self.client.is_closed()
    }

    /// Warnings that the server sent so far.
    pub(super) fn warnings(&self) -> u64 {
        self.warnings.load(Ordering::Acquire)
    }

    /// Runs statements without values.
    pub(in crate::engine) async fn batch(&self, sql: &str) -> Result<(), Fault> {
        Ok(self.client.batch_execute(sql).await?)
    }

    /// Prepares a text without keeping it.
    pub(super) async fn check(&self, sql: &str) -> Result<(), Fault> {
        self.client.prepare(sql).await?;
        Ok(())
    }

    /// The types of the columns that a text returns.
    pub(super) async fn types(&self, sql: &str) -> Result<Vec<Type>, Fault> {
        let statement = self.client.prepare(sql).await?;
        Ok(statement.columns().iter().map(|c| c.type_().clone()).collect())
    }

    /// Begins a COPY to the server.
    pub(super) async fn copy_in(&self, sql: &str) -> Result<CopyInSink<Bytes>, Fault> {
        Ok(self.client.copy_in(sql).await?)
    }

    /// Prepares what a request will need, so that the request itself is sent when it is polled.
    pub(super) async fn ready(&self, sql: &str) -> Result<(), Fault> {
        if self.prepared { self.statement(sql).await.map(|_| ()) } else { Ok(()) }
    }

    /// The rows of a statement.
    pub(in crate::engine) async fn rows(
        &self,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<RowStream, Fault> {
        let sent = if self.prepared {
            let statement = self.statement(sql).await?;
            self.client.query_raw(&statement, values.iter().copied()).await
        } else {
            self.client.query_typed_raw(sql, typed(values)).await
        };
        sent.map_err(|e| self.fault(e))
    }

    /// How many rows a statement changed.
    pub(super) async fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, Fault> {
        let sent = if self.prepared {
            let statement = self.statement(sql).await?;
            self.client.execute_raw(&statement, values.iter().copied()).await
        } else {
            let typed: Vec<_> =
                values.iter().map(|v| (v as &(dyn ToSql + Sync), type_of(*v))).collect();
            self.client.execute_typed(sql, &typed).await
        };
        sent.map_err(|e| self.fault(e))
    }

    /// Sends what is queued and then the last request, without waiting in between, and waits for
    /// all of it. The first error in their order is given.
    pub(super) async fn after<T>(
        &self,
        queued: &[Queued],
        last: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        for request in queued {
            if let Queued::Statement(sql, _) = request {
                self.ready(sql).await?;
            }
        }
        let mut sent: Vec<_> = queued.iter().map(|q| Box::pin(maybe_done(self.send(q)))).collect();
        let mut last = Box::pin(maybe_done(last));
        // A request is sent when its future is first polled: so they go out in this order.
        poll_fn(|cx| {
            for request in &mut sent {
                let _ = request.as_mut().poll(cx);
            }
            last.as_mut().poll(cx).map(|()| ()).is_ready();
            std::task::Poll::Ready(())
        })
        .await;
        let mut first_error = None;
        for mut request in sent {
            request.as_mut().await;
            if let Some(Err(fault)) = MaybeDone::take_output(request.as_mut()) {
                first_error.get_or_insert(fault);
            }
        }
        last.as_mut().await;
        match (first_error, MaybeDone::take_output(last.as_mut())) {
            (Some(fault), _) => Err(fault),
            (None, Some(done)) => done,
            (None, None) => Err(Fault::lost()),
        }
    }

    async fn send(&self, request: &Queued) -> Result<(), Fault> {
        match request {
            Queued::Text(sql) => self.batch(sql).await,
            Queued::Statement(sql, values) => {
                let values: Vec<Value<'_>> = values.iter().map(OwnedValue::borrow).collect();
                self.execute(sql, &values).await.map(|_| ())
            }
        }
    }

    async fn statement(&self, sql: &str) -> Result<Statement, Fault> {
        if let Some(known) = self.statements.lock().get(sql) {
            return Ok(known.clone());
        }
        let statement = self.client.prepare(sql).await?;
        let mut statements = self.statements.lock();
        if statements.len() >= STATEMENTS_MAX {
            statements.clear();
        }
        statements.insert(sql.into(), statement.clone());
        Ok(statement)
    }

    /// A migration beside this connection may change what a statement returns: prepare anew.
    fn fault(&self, error: tokio_postgres::Error) -> Fault {
        let fault = Fault::from(error);
        if fault.code() == "0A000" {
            self.statements.lock().clear();
        }
        fault
    }
}

fn typed<'a>(values: &'a [Value<'a>]) -> impl ExactSizeIterator<Item = (Value<'a>, Type)> {
    values.iter().map(|v| (*v, type_of(*v)))
}

fn drive<T>(mut connection: Connection<Socket, T>, warnings: Arc<AtomicU64>) -> Driver
where
    T: TlsStream + Unpin + Send + 'static,
{
    Box::pin(async move {
        while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
            match message {
                Ok(AsyncMessage::Notice(notice)) if notice.severity() == "WARNING" => {
                    warnings.fetch_add(1, Ordering::AcqRel);
                    tracing::warn!(code = notice.code().code(), "database.warning");
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(error = %Fault::from(error), "database.connection lost");
                    return;
                }
            }
        }
    })
}
