//! What the program tells about itself: logs ([`log`]) and figures ([`scrape`]).
//!
//! **Invariant:** no person, id, name, login or body reaches either. Figures of requests are of the
//! process, not of one [`crate::app::App`]: they are counted in statics, so that a request pays
//! for a few atomics of its own thread and for nothing else.

pub mod lines;
pub mod log;
pub mod process;
pub mod requests;
pub mod scrape;

use std::net::IpAddr;
use std::sync::OnceLock;

use crate::config::Config;
use crate::proxy::Network;

/// Who may read `/metrics`.
static READERS: OnceLock<Vec<Network>> = OnceLock::new();

/// Starts logging and takes over who may read the figures.
pub fn start(config: &Config) -> anyhow::Result<()> {
    READERS.get_or_init(|| config.metrics.from.clone());
    log::start(&config.log)
}

/// Whether an address may read `/metrics`.
pub fn may_read(address: IpAddr) -> bool {
    READERS.get().is_some_and(|readers| readers.iter().any(|network| network.contains(address)))
}
