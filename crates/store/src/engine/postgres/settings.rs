//! How to reach a PostgreSQL server.

use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};

use crate::engine::fault::{Fault, Kind};

/// Time in which a connection must stand, per host.
const CONNECT: Duration = Duration::from_secs(5);
/// Time in which a statement must be answered: what takes longer than the 2 s of a question and
/// some reserve is of no use to anybody.
const STATEMENT: Duration = Duration::from_secs(10);
/// Time in which a lock must be got; batches of the ledger wait for each other a few ms each.
const LOCK: Duration = Duration::from_secs(5);
/// Time after which the server ends a transaction that nobody goes on with: its locks would stop
/// every other node.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(15);
/// A peer that is gone without a word is noticed after 10 + 3 × 5 s, or when sent data stays
/// unconfirmed for 15 s.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_RETRIES: u32 = 3;
const UNCONFIRMED: Duration = Duration::from_secs(15);

/// How to reach a PostgreSQL server. There is no `Debug`: the password stands in it.
#[derive(Clone)]
pub struct Settings {
    config: Config,
    /// Certificates; none = plain, for a socket of the same machine.
    pub tls: Option<Tls>,
    /// Whether statements are prepared once per connection. False behind a pooler that gives each
    /// transaction another server connection (PgBouncer's transaction pooling): then each
    /// statement goes unnamed with the types of its values, still in one round trip.
    pub prepared_statements: bool,
    /// Time in which a statement must be answered; COMMIT is exempt, because a cancelled wait for
    /// a standby would answer as if it were durable there.
    pub statement_timeout: Duration,
    /// Time in which a lock must be got.
    pub lock_timeout: Duration,
    /// Time after which the server ends a transaction that stands still.
    pub idle_in_transaction_timeout: Duration,
}

/// Certificates for the way to the database, PEM files.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Roots that the server's certificate must lead to.
    pub root_certificates: PathBuf,
    /// Own chain and key, where the server asks for them.
    pub client: Option<(PathBuf, PathBuf)>,
}

impl Settings {
    /// From a URL, `postgres://user:password@host:5432/database`. Several hosts separated by commas
    /// are tried in turn until one takes writes, so that a failover is followed.
    ///
    /// # Errors
    /// The URL cannot be read; its text is not repeated, because it holds the password.
    pub fn new(url: &str) -> Result<Self, Fault> {
        let mut config: Config = url.parse().map_err(|_| {
            Fault::new(Kind::Other, "url", "postgres://user:password@host:port/database expected")
        })?;
        if config.get_application_name().is_none() {
            config.application_name("dancu");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        config
            .keepalives_idle(KEEPALIVE_IDLE)
            .keepalives_interval(KEEPALIVE_INTERVAL)
            .keepalives_retries(KEEPALIVE_RETRIES)
            .tcp_user_timeout(UNCONFIRMED)
            .target_session_attrs(TargetSessionAttrs::ReadWrite);
        Ok(Self {
            config,
            tls: None,
            prepared_statements: true,
            statement_timeout: STATEMENT,
            lock_timeout: LOCK,
            idle_in_transaction_timeout: IDLE_IN_TRANSACTION,
        })
    }

    /// The name under which the connections stand in `pg_stat_activity`.
    #[must_use]
    pub fn application_name(mut self, name: &str) -> Self {
        self.config.application_name(name);
        self
    }

    /// The user's password, kept apart from the URL.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.config.password(password);
        self
    }

    /// Time in which a connection must stand, per host.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.config.connect_timeout(timeout);
        self
    }

    /// Takes also servers that refuse writes: for `doctor`, which says so itself.
    #[must_use]
    pub fn any_server(mut self) -> Self {
        self.config.target_session_attrs(TargetSessionAttrs::Any);
        self
    }

    pub(super) fn config(&self) -> Config {
        let mut config = self.config.clone();
        // A URL that asks for TLS is refused where there are no roots to check the server by.
        let wanted = self.tls.is_some() || config.get_ssl_mode() == SslMode::Require;
        config.ssl_mode(if wanted { SslMode::Require } else { SslMode::Disable });
        config
    }

    /// The limits as statements, for a session or for one transaction.
    pub(in crate::engine) fn limits(&self, word: &str) -> String {
        format!(
            "{word} statement_timeout = {}; {word} lock_timeout = {}; \
             {word} idle_in_transaction_session_timeout = {}",
            self.statement_timeout.as_millis(),
            self.lock_timeout.as_millis(),
            self.idle_in_transaction_timeout.as_millis()
        )
    }
}
