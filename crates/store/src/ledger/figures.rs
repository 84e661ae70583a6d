//! What the ledger counts about itself, for metrics: a few atomics per batch, none per question.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Upper bounds of batch sizes, in entries; the last is [`super::BATCH_MAX`].
pub const SIZE_BOUNDS: [u64; 11] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024];
/// Upper bounds of commit times in microseconds: from a disk with a protected cache to one that
/// stalls longer than callers wait.
pub const COMMIT_BOUNDS_US: [u64; 12] =
    [100, 250, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 500_000, 2_000_000];

/// A histogram with `N` bounds and a last bucket without one.
pub struct Histogram<const N: usize> {
    bounds: &'static [u64; N],
    below: [AtomicU64; N],
    above: AtomicU64,
    sum: AtomicU64,
}

impl<const N: usize> Histogram<N> {
    const fn new(bounds: &'static [u64; N]) -> Self {
        let below = [const { AtomicU64::new(0) }; N];
        Self { bounds, below, above: AtomicU64::new(0), sum: AtomicU64::new(0) }
    }

    fn add(&self, value: u64) {
        let bucket = self.bounds.iter().position(|bound| value <= *bound);
        bucket.map_or(&self.above, |n| &self.below[n]).fetch_add(1, Relaxed);
        self.sum.fetch_add(value, Relaxed);
    }

    fn counts(&self) -> HistogramCounts {
        let below = self.bounds.iter().zip(&self.below);
        HistogramCounts {
            below: below.map(|(bound, n)| (*bound, n.load(Relaxed))).collect(),
            above: self.above.load(Relaxed),
            sum: self.sum.load(Relaxed),
        }
    }
}

/// A histogram as it stands.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct HistogramCounts {
    /// Each upper bound, rising, with the number of values up to it and above the one before.
    pub below: Vec<(u64, u64)>,
    /// Values above the last bound.
    pub above: u64,
    /// Sum of all values.
    pub sum: u64,
}

/// What was counted since the process began, and what waits now.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct LedgerFigures {
    /// Jobs that wait for the next batch.
    pub queued: u64,
    /// Entries of each durable batch; their number and sum are the batches and entries so far.
    pub sizes: HistogramCounts,
    /// Microseconds that each durable batch took to be written and committed; empty where no
    /// steady clock was given.
    pub commit_us: HistogramCounts,
    /// Batches that could not be committed: nothing of them was journaled.
    pub failed: u64,
}

/// The counters.
pub(super) struct Counters {
    sizes: Histogram<{ SIZE_BOUNDS.len() }>,
    commits: Histogram<{ COMMIT_BOUNDS_US.len() }>,
    failed: AtomicU64,
    clock: OnceLock<fn() -> Instant>,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            sizes: Histogram::new(&SIZE_BOUNDS),
            commits: Histogram::new(&COMMIT_BOUNDS_US),
            failed: AtomicU64::new(0),
            clock: OnceLock::new(),
        }
    }
}

impl Counters {
    /// Commits are timed by this steady clock from now on.
    pub(super) fn measure(&self, clock: fn() -> Instant) {
        self.clock.get_or_init(|| clock);
    }

    /// The beginning of a commit.
    pub(super) fn begin(&self) -> Option<Instant> {
        self.clock.get().map(|clock| clock())
    }

    /// A commit that began then has ended well.
    pub(super) fn committed(&self, began: Option<Instant>) {
        if let Some(took) = self.since(began) {
            self.commits.add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
    }

    /// How long ago that was; `None` without a clock.
    pub(super) fn since(&self, began: Option<Instant>) -> Option<Duration> {
        Some(self.clock.get()?().saturating_duration_since(began?))
    }

    /// A batch of this many entries is durable.
    pub(super) fn durable(&self, entries: u64) {
        self.sizes.add(entries);
    }

    /// A batch was given up.
    pub(super) fn failed(&self) {
        self.failed.fetch_add(1, Relaxed);
    }

    pub(super) fn figures(&self, queued: usize) -> LedgerFigures {
        LedgerFigures {
            queued: queued as u64,
            sizes: self.sizes.counts(),
            commit_us: self.commits.counts(),
            failed: self.failed.load(Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_fall_into_their_buckets() {
        let counters = Counters::default();
        for entries in [1, 2, 3, 4, 1_024, 2_000] {
            counters.durable(entries);
        }
        counters.failed();
        let figures = counters.figures(7);
        assert_eq!((figures.queued, figures.failed), (7, 1));
        assert_eq!(figures.sizes.below[..4], [(1, 1), (2, 1), (4, 2), (8, 0)]);
        assert_eq!((figures.sizes.below[10], figures.sizes.above), ((1_024, 1), 1));
        assert_eq!(figures.sizes.sum, 3_034);
        // Without a clock nothing is timed.
        counters.committed(counters.begin());
        assert_eq!(counters.figures(0).commit_us.sum, 0);
        assert!(counters.figures(0).commit_us.below.iter().all(|b| b.1 == 0));
    }

    #[test]
    fn the_largest_batch_has_a_bucket() {
        assert_eq!(SIZE_BOUNDS.last(), Some(&(super::super::BATCH_MAX as u64)));
    }
}
