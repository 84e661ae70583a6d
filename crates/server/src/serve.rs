//! Serving: listen, answer, drain on Ctrl-C and SIGTERM.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use axum::serve::ListenerExt as _;
use dancu_domain::moment::Moment;
use dancu_gate::Gate;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};

use crate::app::{App, Shared};
use crate::clock::{Clock, machine_ms};
use crate::config::Config;
use crate::{background, cli, routes};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4_096;
/// Queries under way may take this long to finish after a signal.
const DRAIN: std::time::Duration = std::time::Duration::from_secs(10);

/// `dancu serve`.
pub fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let store = Arc::new(cli::open(&config.data, config, false)?);
    runtime()?.block_on(async {
        let now = Moment(machine_ms());
        let clock = Clock::new(0, store.last_at().max(now), false);
        store.prepare_year(now).await?;
        let gate = Gate::open(store.clone(), now)?;
        let listener = listen(config.listen)?;
        let url = config.base_url.clone().unwrap_or_else(|| format!("http://{}", config.listen));
        let app = Arc::new(App::new(gate, clock, url));
        app.set_ready(true);
        println!("dancu phục vụ tại {} (serving). Ctrl-C để dừng.", app.base_url);
        until_signal(app, listener).await
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
    socket.bind(address).with_context(|| {
        format!("cổng {address} đang được chương trình khác dùng (address in use)")
    })?;
    Ok(socket.listen(BACKLOG)?)
}

/// Answers until a signal comes, then lets what is under way finish.
pub async fn until_signal(app: Shared, listener: TcpListener) -> anyhow::Result<()> {
    background::start(&app);
    let service = routes::router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let (drain, draining) = tokio::sync::oneshot::channel::<()>();
    let stopping = app.clone();
    let shutdown = async move {
        stop_signal().await;
        stopping.set_ready(false);
        let _ = drain.send(());
    };
    let server = axum::serve(listener, service).with_graceful_shutdown(shutdown);
    let late = async {
        if draining.await.is_ok() {
            tokio::time::sleep(DRAIN).await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        end = server => end?,
        () = late => tracing::warn!("connections were still open after the drain time"),
    }
    background::journal_failures(&app, None).await;
    // The store ends before the runtime does: background work waits for it.
    let store = app.gate.store().clone();
    tokio::task::spawn_blocking(move || store.stop()).await?;
    Ok(())
}

async fn stop_signal() {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}
