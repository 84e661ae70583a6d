//! TLS of the front door: rustls over aws-lc-rs, versions 1.2 and 1.3 only, certificates that are
//! renewed while serving, client certificates. What is logged here names files, never callers.

pub mod authority;
pub mod client;
pub mod config;
pub mod connection;
pub mod counts;
pub mod material;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use dancu_domain::moment::{DAY_MS, Moment};
use parking_lot::{Mutex, RwLock};
use rustls::pki_types::{CertificateDer, UnixTime};
use tokio::signal::unix::Signal;
use tokio_rustls::TlsAcceptor;

use self::config::{ClientsMode, TlsConfig, TlsMode};
use self::material::{Facts, Files, Material};
use crate::clock::machine_ms;

/// Name of the development CA's folder in the data folder.
pub const FOLDER: &str = "tls";
/// With less than this left, the log says each day that the certificate has to be renewed, and so
/// does `doctor`.
pub const WARN_MS: i64 = 21 * DAY_MS;

/// Certificates in use; new connections take the newest, open ones keep the server's. A client's is
/// verified again after each look, so that a revoked or ended one closes its connection.
pub struct Tls {
    config: TlsConfig,
    folder: PathBuf,
    current: RwLock<Material>,
    /// How often the files were looked at: after each look open connections are verified again.
    looks: AtomicU64,
    seen: Mutex<Seen>,
}

/// What the last look at the files found.
#[derive(Default)]
struct Seen {
    stamps: Vec<Option<Stamp>>,
    /// Whether these files were refused: they are tried again at each look, because what was wrong
    /// may be none of theirs, such as a clock, a right or a date that has come since.
    refused: bool,
    warned_ms: i64,
}

/// A file as it looked: seconds and nanoseconds of its last change, its length and its inode.
type Stamp = (i64, i64, u64, u64);

impl Tls {
    /// Reads and checks the files of the configuration; `None` where TLS is off. `data` = data
    /// folder, for the development CA. Errors say which file is wrong and how.
    pub fn open(config: &TlsConfig, data: &Path) -> anyhow::Result<Option<Self>> {
        config.check()?;
        if config.mode == TlsMode::Off {
            return Ok(None);
        }
        let now = machine_ms();
        let folder = data.join(FOLDER);
        let files = files(config, &folder, now)?;
        let stamps = stamps(&files);
        let material = material::load(config, &files, now)?;
        counts::certificate_until(material.facts.until_ms);
        let tls = Self {
            config: config.clone(),
            folder,
            current: RwLock::new(material),
            looks: AtomicU64::new(0),
            seen: Mutex::new(Seen { stamps, ..Seen::default() }),
        };
        tls.warn(now);
        Ok(Some(tls))
    }

    /// For the next handshake.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.read().server.clone())
    }

    /// How often the files were looked at. What was verified before the last look may have ended.
    pub fn looks(&self) -> u64 {
        self.looks.load(Ordering::Acquire)
    }

    /// Whether a client's chain is still good: by the trust anchors and revocation lists in use,
    /// and by its dates at `now`, ms.
    pub fn still_admits(&self, chain: &[CertificateDer<'_>], now: i64) -> bool {
        let Some(clients) = self.current.read().clients.clone() else { return true };
        let Some((leaf, intermediates)) = chain.split_first() else { return true };
        let now = UnixTime::since_unix_epoch(Duration::from_millis(now.max(0).unsigned_abs()));
        clients.verify_client_cert(leaf, intermediates, now).is_ok()
    }

    /// The server's certificate in use.
    pub fn facts(&self) -> Facts {
        self.current.read().facts.clone()
    }

    /// How long a handshake may take.
    pub fn handshake_limit(&self) -> Duration {
        Duration::from_secs(self.config.handshake_seconds.into())
    }

    /// Looks at the files each `reloadSeconds` and on `hangup` (SIGHUP), for as long as it is
    /// polled.
    pub async fn keep_fresh(self: Arc<Self>, mut hangup: Option<Signal>) {
        let every = Duration::from_secs(self.config.reload_seconds.into());
        loop {
            let asked = async {
                match &mut hangup {
                    Some(signal) => signal.recv().await,
                    None => std::future::pending().await,
                }
            };
            let forced = tokio::select! {
                _ = asked => true,
                () = tokio::time::sleep(every) => false,
            };
            let tls = self.clone();
            // Files may lie on a slow disk: no query waits for it.
            let _ = tokio::task::spawn_blocking(move || tls.look(forced, machine_ms())).await;
        }
    }

    /// Takes changed files, or all of them if `forced`. What is wrong is logged and the old ones
    /// stay in use.
    pub fn look(&self, forced: bool, now: i64) {
        match self.reload(forced, now) {
            Ok(false) => {}
            Ok(true) => {
                counts::reloads();
                let facts = self.facts();
                tracing::info!(
                    subject = %facts.subject,
                    until = %Moment(facts.until_ms).rfc3339(),
                    "tls: certificates taken (đã nạp chứng thư mới)"
                );
            }
            Err(error) => {
                counts::reloads_refused();
                tracing::error!(
                    error = %format!("{error:#}"),
                    "tls: new files refused, the old ones stay in use (giữ chứng thư đang dùng)"
                );
            }
        }
        self.looks.fetch_add(1, Ordering::Release);
        self.warn(now);
    }

    /// Whether new files were taken. Files are stamped before they are read: what changes in
    /// between is read again at the next look.
    fn reload(&self, forced: bool, now: i64) -> anyhow::Result<bool> {
        let mut seen = self.seen.lock();
        let files = files(&self.config, &self.folder, now)?;
        let stamps = stamps(&files);
        let same = seen.stamps == stamps;
        if !forced && same && !seen.refused {
            return Ok(false);
        }
        seen.stamps = stamps;
        let was_refused = std::mem::replace(&mut seen.refused, true);
        let material = match material::load(&self.config, &files, now) {
            // A refused state of the files is told once, not at each look.
            Err(_) if !forced && same && was_refused => return Ok(false),
            loaded => loaded?,
        };
        seen.refused = false;
        counts::certificate_until(material.facts.until_ms);
        *self.current.write() = material;
        Ok(true)
    }

    /// Says once a day that something is about to end.
    fn warn(&self, now: i64) {
        let mut seen = self.seen.lock();
        if now.saturating_sub(seen.warned_ms) < DAY_MS {
            return;
        }
        let current = self.current.read();
        if current.facts.until_ms.saturating_sub(now) < WARN_MS {
            seen.warned_ms = now;
            tracing::warn!(
                until = %Moment(current.facts.until_ms).rfc3339(),
                "tls: the certificate ends soon (chứng thư sắp hết hạn)"
            );
        }
        if current.stale_list {
            seen.warned_ms = now;
            tracing::warn!("tls: a revocation list is past its next update (danh sách thu hồi cũ)");
        }
    }
}

/// The files of a configuration; those of the development CA are made or renewed here.
fn files(config: &TlsConfig, folder: &Path, now: i64) -> anyhow::Result<Files> {
    let (certificate, key) = match config.mode {
        TlsMode::Development => {
            let made = authority::prepare(folder, &config.names, now)?;
            (made.clone(), made)
        }
        _ => (
            config.certificate.clone().context("thiếu tls.certificate (missing)")?,
            config.key.clone().context("thiếu tls.key (missing)")?,
        ),
    };
    let asked = config.client_certificates != ClientsMode::Off;
    let only_asked = |path: &Option<PathBuf>| path.clone().filter(|_| asked);
    Ok(Files {
        certificate,
        key,
        trust_anchors: only_asked(&config.trust_anchors),
        revocation_lists: only_asked(&config.revocation_lists),
    })
}

fn stamps(files: &Files) -> Vec<Option<Stamp>> {
    use std::os::unix::fs::MetadataExt as _;
    let stamp = |path: &Path| {
        let about = std::fs::metadata(path).ok()?;
        Some((about.mtime(), about.mtime_nsec(), about.len(), about.ino()))
    };
    files.all().map(stamp).collect()
}

/// Reads and checks as [`Tls::open`] does, but makes nothing: for `doctor`. `None` = TLS is off,
/// or the development CA has not been made yet. `now` = the machine's clock, ms.
pub fn inspect(config: &TlsConfig, data: &Path, now: i64) -> anyhow::Result<Option<Facts>> {
    config.check()?;
    let folder = data.join(FOLDER);
    let made = folder.join(authority::SERVER);
    let files = match config.mode {
        TlsMode::Off => return Ok(None),
        TlsMode::Development if !made.exists() => return Ok(None),
        TlsMode::Development => Files {
            certificate: made.clone(),
            key: made,
            trust_anchors: config.trust_anchors.clone(),
            revocation_lists: config.revocation_lists.clone(),
        },
        TlsMode::Files => files(config, &folder, now)?,
    };
    Ok(Some(material::load(config, &files, now)?.facts))
}
