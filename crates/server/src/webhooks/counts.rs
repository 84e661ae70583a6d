//! What became of tries, for metrics.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use dancu_domain::webhooks::Outcome;

static TAKEN: AtomicU64 = AtomicU64::new(0);
static REFUSED: AtomicU64 = AtomicU64::new(0);
static SILENT: AtomicU64 = AtomicU64::new(0);

/// Counts one.
pub fn count(outcome: Outcome) {
    let counter = match outcome {
        taken if taken.is_taken() => &TAKEN,
        Outcome::Status(_) => &REFUSED,
        Outcome::Failed(_) => &SILENT,
    };
    counter.fetch_add(1, Relaxed);
}

/// Tries since the process began: taken, refused by their status, without an answer.
pub fn counts() -> [(&'static str, u64); 3] {
    let of = |counter: &AtomicU64| counter.load(Relaxed);
    [("taken", of(&TAKEN)), ("refused", of(&REFUSED)), ("silent", of(&SILENT))]
}
