//! Serving: listen, answer over HTTP or TLS, drain on Ctrl-C and SIGTERM.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{anyhow, ensure};
use axum::Router;
use axum::http::HeaderValue;
use dancu_gate::Gate;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Semaphore;

use crate::app::{App, Shared};
use crate::clock::Clock;
use crate::config::Config;
use crate::mail::Mailer;
use crate::portal::Portal;
use crate::proxy::Proxies;
use crate::tls::config::{HttpConfig, TlsConfig};
use crate::tls::connection::{self, Door, Drain};
use crate::tls::{Tls, counts};
use crate::{background, cli, control, jobs, keys, mail, readiness, routes, webhooks};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4_096;
/// Queries under way may take this long to finish after a signal.
const DRAIN: Duration = Duration::from_secs(10);
/// How soon it is seen that the ledger's thread ended.
const DEATH_SEEN: Duration = Duration::from_millis(500);
/// Files that the process needs beside its connections: databases, logs, certificates.
pub const OTHER_FILES: u64 = 256;
/// Pause where a connection cannot be accepted: for want of files or memory, which others free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How connections are let in.
pub struct Front {
    http: HttpConfig,
    tls: Option<Arc<Tls>>,
    /// Seconds of Strict-Transport-Security; 0 = not said.
    hsts: u32,
}

impl Front {
    /// Checks the configuration against the address and reads the certificates. `data` = data
    /// folder. Errors say what is wrong and where.
    pub fn open(
        listen: SocketAddr,
        http: &HttpConfig,
        tls: &TlsConfig,
        data: &Path,
    ) -> anyhow::Result<Self> {
        http.check(listen, tls)?;
        let hsts = tls.hsts();
        Ok(Self { http: http.clone(), tls: Tls::open(tls, data)?.map(Arc::new), hsts })
    }

    /// Plain HTTP with the default limits: for the sandbox, on loopback.
    pub fn plain() -> Self {
        Self { http: HttpConfig::default(), tls: None, hsts: 0 }
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    fn door(&self, router: Router) -> Door {
        let hsts = HeaderValue::from_str(&format!("max-age={}", self.hsts)).ok();
        Door {
            router,
            http: self.http.clone(),
            proxies: Proxies::new(&self.http),
            tls: self.tls.clone(),
            hsts: hsts.filter(|_| self.hsts > 0),
            drain: Drain::default(),
        }
    }
}

/// `dancu serve`.
pub fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let front = Front::open(config.listen, &config.http, &config.tls, &config.data)?;
    let store = Arc::new(cli::open(&config.data, config, false)?);
    keys::folder::make_ours(store.dir())?;
    let database = config.database.open()?;
    runtime()?.block_on(async {
        let clock =
            if config.sandbox { Clock::of_sandbox(&store) } else { Clock::of_centre(&store) }?;
        let now = clock.now();
        store.prepare_year(now).await?;
        let gate = Gate::open(store.clone(), now)?;
        let listener = listen(config.listen)?;
        let address = listener.local_addr()?;
        let url =
            config.base_url.clone().unwrap_or_else(|| format!("{}://{address}", front.scheme()));
        let portal =
            config.portal.enabled.then(|| Portal::open(&config.portal, store.clone(), &url));
        let portal = portal.map(|portal| portal?.with_identity(&config.identity));
        let mailer = Mailer::open(&config.mail)?;
        let trusted = config.conformance.keys().unwrap_or_default();
        let portal = portal
            .transpose()?
            .map(|portal| portal.with_mail(mailer.is_some()).with_dossiers(&config.dossiers))
            .map(|portal| portal.with_webhooks(webhooks::policy(&config.webhooks, config.sandbox)));
        let sender = webhooks::Sender::open(&config.webhooks, config.sandbox)?;
        let app = Arc::new(App::new(gate, clock, url).with_portal(portal).trusting(trusted));
        if let Some(mailer) = mailer {
            mail::start(&app, mailer);
        }
        if let Some(sender) = sender {
            webhooks::start(&app, sender);
        }
        // Whoever reads that it serves may stop it at once, in order.
        let signals = Signals::of_centre()?;
        app.set_ready(true);
        let said = format!("dancu phục vụ tại {} (serving). Ctrl-C để dừng.\n", app.base_url);
        // A centre whose output nobody can read serves all the same.
        let _ = std::io::stdout().write_all(said.as_bytes());
        readiness::start(&app, database);
        until_signal_through(app, listener, &front, signals).await
    })?;
    store.stop();
    Ok(ExitCode::SUCCESS)
}

/// The runtime that queries run on.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Listens on an address, also right after a process that was killed.
pub fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address).map_err(|error| anyhow!(not_bound(address, &error)))?;
    Ok(socket.listen(BACKLOG)?)
}

/// Why an address cannot be listened on, and what to do.
fn not_bound(address: SocketAddr, error: &std::io::Error) -> String {
    use std::io::ErrorKind::{AddrInUse, AddrNotAvailable, PermissionDenied};
    let why = match error.kind() {
        AddrInUse => "đang được chương trình khác dùng: dừng nó hoặc đổi `listen` (address in use)",
        PermissionDenied => {
            "cần quyền: cổng dưới 1024 cần CAP_NET_BIND_SERVICE, hoặc đổi `listen` (not permitted)"
        }
        AddrNotAvailable => "không phải địa chỉ của máy này: sửa `listen` (not of this machine)",
        _ => "không mở được (cannot listen)",
    };
    format!("cổng {address} {why}: {error}")
}

/// What asks a serving process to stop, and to take renewed certificates. From when this is made
/// none of these signals ends the process by itself.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Option<Signal>,
}

impl Signals {
    /// SIGTERM, Ctrl-C, and SIGHUP, which does nothing where there are no certificates.
    pub fn of_centre() -> std::io::Result<Self> {
        Ok(Self { hangup: Some(signal(SignalKind::hangup())?), ..Self::of_sandbox()? })
    }

    /// SIGTERM and Ctrl-C: a sandbox ends with its terminal.
    pub fn of_sandbox() -> std::io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt, hangup: None })
    }
}

/// Answers over plain HTTP until a signal comes, then lets what is under way finish.
pub async fn until_signal(
    app: Shared,
    listener: TcpListener,
    signals: Signals,
) -> anyhow::Result<()> {
    until_signal_through(app, listener, &Front::plain(), signals).await
}

/// Answers until a signal comes, then lets what is under way finish.
///
/// # Errors
/// Also where it ended because the ledger's thread did: then after the same drain.
pub async fn until_signal_through(
    app: Shared,
    listener: TcpListener,
    front: &Front,
    signals: Signals,
) -> anyhow::Result<()> {
    background::start(&app);
    keys::work::start(&app);
    let control = control::start(&app)?;
    let stopping = app.clone();
    let Signals { mut terminate, mut interrupt, hangup } = signals;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = ledger_dies(&stopping) => {}
        }
        stopping.set_ready(false);
    };
    let fresh = front.tls.clone().map(|tls| tokio::spawn(tls.keep_fresh(hangup)));
    accept(listener, front.door(routes::router(app.clone())), stop).await;
    if let Some(fresh) = fresh {
        fresh.abort();
    }
    drop(control);
    jobs::stopped(&app).await;
    background::journal_failures(&app, None).await;
    background::write_uses(&app).await;
    // The store ends before the runtime does: background work waits for it.
    let store = app.gate.store().clone();
    tokio::task::spawn_blocking(move || store.stop()).await?;
    ensure!(
        !app.gate.store().ledger().is_dead(),
        "luồng ghi nhật ký dừng vì lỗi chương trình, xem nhật ký kỹ thuật; tiến trình kết thúc để \
         được khởi động lại (a thread of the ledger ended by a fault of the program: the process \
         ends so that it is started again)"
    );
    Ok(())
}

/// Ends when a thread of the ledger did: nothing can be journaled before the process is started
/// anew, which the service manager does.
async fn ledger_dies(app: &App) {
    while !app.gate.store().ledger().is_dead() {
        tokio::time::sleep(DEATH_SEEN).await;
    }
}

/// Accepts connections until `stop` ends, then closes the listener, lets requests under way finish
/// and returns, at the latest after [`DRAIN`].
async fn accept(listener: TcpListener, door: Door, stop: impl Future<Output = ()>) {
    let most = connections_max(door.http.max_connections);
    let places = Arc::new(Semaphore::new(most as usize));
    let door = Arc::new(door);
    let mut stop = std::pin::pin!(stop);
    let mut told = false;
    loop {
        let next = async {
            // No place: the connection waits in the listener's queue.
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            biased;
            () = &mut stop => break,
            next = next => next,
        };
        match accepted {
            Ok((stream, peer)) => {
                told = false;
                let door = door.clone();
                tokio::spawn(async move {
                    let _place = place;
                    let _open = counts::Open::new();
                    let _ = stream.set_nodelay(true);
                    connection::serve(&door, stream, peer).await;
                });
            }
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(error = %error, "a connection could not be accepted");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    door.drain.begin();
    if tokio::time::timeout(DRAIN, places.acquire_many(most)).await.is_err() {
        tracing::warn!("connections were still open after the drain time");
    }
}

/// Whether the caller went away before it was accepted.
fn is_of_the_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// As many connections as the process may open files for; raises its own limit where it may.
fn connections_max(wanted: u32) -> u32 {
    let limit = getrlimit(Resource::Nofile);
    let needed = u64::from(wanted) + OTHER_FILES;
    if limit.current.is_some_and(|now| now < needed) {
        let current = Some(limit.maximum.map_or(needed, |most| most.min(needed)));
        let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum: limit.maximum });
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let room = files.saturating_sub(OTHER_FILES).max(files / 2).max(1);
    let most = u32::try_from(room).unwrap_or(u32::MAX).min(wanted);
    if most < wanted {
        tracing::warn!(
            connections = most,
            "http.maxConnections is above the process's limit of open files (LimitNOFILE)"
        );
    }
    most
}

#[cfg(test)]
mod tests {
    use dancu_domain::moment::Moment;
    use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
    use dancu_store::{OpenOptions, Store};

    use super::*;

    /// A process that cannot journal any more ends with an error instead of living on unready.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn it_ends_where_the_ledgers_thread_did() {
        let dir = std::env::temp_dir().join(format!("dancu-dead-{}", std::process::id()));
        let now = Moment(crate::clock::machine_ms());
        let options = OpenOptions {
            profiles: Arc::new(Profiles::parse(DEFAULT_PROFILE).unwrap()),
            master_key: <_>::default(),
            now,
            migrate: true,
            database: None,
        };
        let gate = Gate::open(Arc::new(Store::open(&dir, options).unwrap()), now).unwrap();
        let app = Arc::new(App::new(gate, Clock::new(0, now, false), "http://localhost".into()));
        app.set_ready(true);
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let serving =
            tokio::spawn(until_signal(app.clone(), listener, Signals::of_sandbox().unwrap()));
        assert!(readiness::reasons(&app).is_empty());
        let ledger = app.gate.store().ledger();
        let fault =
            ledger.tidy(now, |_| -> dancu_store::Result<()> { panic!("fault of the test") });
        assert!(fault.await.is_err());
        // Who waited learns of the fault a moment before the thread has ended.
        while readiness::reasons(&app).is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(readiness::reasons(&app), ["journalStopped"]);
        let ended = tokio::time::timeout(DRAIN, serving).await.unwrap().unwrap().unwrap_err();
        assert!(ended.to_string().contains("ledger"), "{ended}");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
