//! The operator's door of a serving process: a unix socket in the data folder, HTTP with small JSON
//! bodies. Commands of the operator go through it where a process serves the folder, and open the
//! store themselves where none does.
//!
//! **Invariant:** only the account that owns the folder gets in: the socket is 0600 from the moment
//! it has its name, and nobody else may write into the folder, which is made 0700.

mod client;
mod handlers;

use std::fs::{self, File, Permissions};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::extract::connect_info::Connected;
use axum::routing::{get, post};
use axum::serve::IncomingStream;
use dancu_store::Store;
use serde_json::Value;
use tokio::net::UnixListener;
use tokio::task::JoinHandle;

pub use self::client::call;
use crate::app::Shared;
use crate::cli;
use crate::clock::steady;
use crate::config::Config;

/// Name of the socket in the data folder.
pub const SOCKET: &str = "control.sock";
/// Largest body of a request: an act of an operator takes less than 2 KiB, but for a workbook,
/// which comes in hex.
const BODY_MAX: usize = 2 * dancu_papers::sheet::FILE_BYTES_MAX + (64 << 10);
/// Bytes of a path that a socket's address surely holds (the limit of Linux is 107).
const ADDRESS_BYTES: usize = 100;

/// A process that starts or stops holds the folder without a socket: longer than either takes with
/// little data, and than anybody minds to wait.
const BETWEEN: Duration = Duration::from_secs(15);
/// How often it is looked meanwhile.
const LOOK: Duration = Duration::from_millis(100);

/// Who does what is asked for.
pub enum Door {
    /// The process that serves the folder did it, and answered.
    Served(Value),
    /// Nobody serves it: the data is open here.
    Alone(Box<Store>),
}

/// Asks the process that serves the folder of a configuration, or opens its data.
///
/// # Errors
/// The answer says no, or the data cannot be opened.
pub fn door(
    config: &Config,
    (method, path): (&str, &str),
    body: Option<&Value>,
) -> anyhow::Result<Door> {
    let began = steady();
    loop {
        if let Some(answer) = call(&config.data, method, path, body)? {
            return answer.into_body().map(Door::Served);
        }
        match cli::open(&config.data, config, false) {
            Ok(store) => return Ok(Door::Alone(Box::new(store))),
            Err(error) if is_in_use(&error) && began.elapsed() < BETWEEN => {
                let mutex = parking_lot::Mutex::new(());
                let _ = parking_lot::Condvar::new().wait_for(&mut mutex.lock(), LOOK);
            }
            Err(error) => return Err(error),
        }
    }
}

fn is_in_use(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(dancu_store::Error::InUse(_)))
}

/// The socket of this process; dropping it closes and removes it.
pub struct Control {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Drop for Control {
    fn drop(&mut self) {
        self.task.abort();
        let _ = fs::remove_file(&self.path);
    }
}

/// Listens in the data folder of a serving process, whose lock this process holds: a socket of
/// before is a dead one's.
pub fn start(app: &Shared) -> anyhow::Result<Control> {
    let dir = app.gate.store().dir();
    crate::keys::folder::is_ours(dir)?;
    let (path, draft) = (dir.join(SOCKET), format!("{SOCKET}.part"));
    let _ = fs::remove_file(dir.join(&draft));
    let (_open, address) = address(dir, &draft)?;
    let listener = UnixListener::bind(address)
        .with_context(|| format!("không mở được {} (control socket)", path.display()))?;
    fs::set_permissions(dir.join(&draft), Permissions::from_mode(0o600))?;
    fs::rename(dir.join(&draft), &path)?;
    let router = router(app.clone());
    let task = tokio::spawn(async move {
        let service = router.into_make_service_with_connect_info::<Caller>();
        if let Err(error) = axum::serve(listener, service).await {
            tracing::error!(error = %error, "the control socket closed");
        }
    });
    Ok(Control { path, task })
}

/// Who calls, as the kernel says: account and process; none where it does not.
#[derive(Clone, Copy)]
pub struct Caller(Option<(u32, Option<i32>)>);

impl Connected<IncomingStream<'_, UnixListener>> for Caller {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().ok().map(|peer| (peer.uid(), peer.pid())))
    }
}

fn router(app: Shared) -> Router {
    Router::new()
        .route("/keys", get(handlers::keys))
        .route("/keys/rotate", post(handlers::rotate))
        .route("/operate", post(handlers::operate))
        .route("/mail/bounce", post(handlers::bounce))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(app)
}

/// The address of a socket in a folder: its path, or where that is too long for an address a short
/// name for the same by the folder's open file, which has to stay open until the address was used.
fn address(dir: &Path, name: &str) -> std::io::Result<(Option<File>, PathBuf)> {
    let path = dir.join(name);
    if path.as_os_str().len() < ADDRESS_BYTES {
        return Ok((None, path));
    }
    let open = File::open(dir)?;
    let short = PathBuf::from(format!("/proc/self/fd/{}/{name}", open.as_raw_fd()));
    Ok((Some(open), short))
}

#[cfg(test)]
mod tests;
