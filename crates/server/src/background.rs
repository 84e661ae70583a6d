//! Background work of a serving process: checkpoints, aggregates of failures, forgetting.

use std::sync::Arc;
use std::time::Duration;

use dancu_store::Store;

use crate::app::Shared;

/// How often WAL pages are looked at: 16 MiB are written in 0.7 s at 5,000 entries a second.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(500);
/// How often finished minutes of failures are journaled.
const FAILURES_EVERY: Duration = Duration::from_secs(5);
/// How often old requests are forgotten and keys of a new year made ready.
const HOUSEKEEPING_EVERY: Duration = Duration::from_mins(10);

/// Starts what runs beside the queries; it ends with the process.
pub fn start(app: &Shared) {
    let store: Arc<Store> = app.gate.store().clone();
    let weak = Arc::downgrade(&store);
    drop(store);
    tokio::task::spawn_blocking(move || {
        let wait = parking_lot::Mutex::new(());
        loop {
            let mut guard = wait.lock();
            let _ = parking_lot::Condvar::new().wait_for(&mut guard, CHECKPOINT_EVERY);
            let Some(store) = weak.upgrade() else { return };
            if store.is_stopped() {
                return;
            }
            if let Err(error) = store.checkpoint() {
                tracing::warn!(error = %error, "store.checkpoint failed");
            }
        }
    });
    let failures = app.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(FAILURES_EVERY).await;
            let now = failures.clock.now();
            journal_failures(&failures, Some(now)).await;
        }
    });
    let housekeeping = app.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(HOUSEKEEPING_EVERY).await;
            let now = housekeeping.clock.now();
            let store = housekeeping.gate.store();
            loop {
                match store.forget_old(now).await {
                    Ok(gone) if gone == dancu_store::FORGET_BATCHES => {}
                    Ok(_) => break,
                    Err(error) => {
                        tracing::warn!(error = %error, "store.forget_old failed");
                        break;
                    }
                }
            }
            if let Err(error) = store.prepare_year(now).await {
                tracing::warn!(error = %error, "store.prepare_year failed");
            }
        }
    });
}

/// Journals the aggregates of minutes that are over; `None` = all of them, at the end.
pub async fn journal_failures(app: &Shared, now: Option<dancu_domain::moment::Moment>) {
    for body in app.gate.failures.take(now) {
        let noted = app.gate.store().ledger().note(app.clock.now(), move |_| Ok(body)).await;
        if let Err(error) = noted {
            tracing::error!(error = %error, "gate.failures could not be journaled");
        }
    }
}
