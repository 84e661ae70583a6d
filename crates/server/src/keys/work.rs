//! Rotations of keys while the centre serves: one slice, then a longer pause, so that questions
//! have most of the disk.

use std::sync::Arc;
use std::time::Duration;

use dancu_store::rotation::{Runner, Step};

use crate::app::Shared;
use crate::clock::steady;

/// How often it is looked whether a rotation began, or another node left one.
const LOOK: Duration = Duration::from_millis(500);
/// Pause after a slice that failed: the database is not there, or busy.
const FAILED: Duration = Duration::from_secs(5);
/// A pause is this many times as long as the slice before it: a rotation then takes a third of the
/// disk's time.
const PAUSES: u32 = 2;
/// Shortest and longest pause between two slices.
const PAUSE: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(200));

/// Starts the work; it ends with the store.
pub fn start(app: &Shared) {
    let (app, runtime) = (Arc::downgrade(app), tokio::runtime::Handle::current());
    tokio::task::spawn_blocking(move || {
        let (mut runner, wait) = (Runner::default(), parking_lot::Mutex::new(()));
        let mut pause = LOOK;
        loop {
            let mut guard = wait.lock();
            let _ = parking_lot::Condvar::new().wait_for(&mut guard, pause);
            let Some(app) = app.upgrade() else { return };
            let store = app.gate.store();
            if store.is_stopped() {
                return;
            }
            let began = steady();
            pause = match runtime.block_on(runner.slice(store, app.clock.now())) {
                Ok(Step::Worked) => (began.elapsed() * PAUSES).clamp(PAUSE.0, PAUSE.1),
                Ok(Step::Finished(done)) => {
                    let kind = done.kind.name();
                    tracing::info!(kind, old = done.old, new = done.new, "keys.rotation ended");
                    LOOK
                }
                Ok(Step::Idle | Step::Elsewhere) => LOOK,
                Err(_) if store.is_stopped() => return,
                Err(error) => {
                    tracing::warn!(error = %error, "keys.rotation could not go on");
                    FAILED
                }
            };
        }
    });
}
