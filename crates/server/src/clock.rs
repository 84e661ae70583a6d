//! The clocks: the machine's for the freshness of credentials, the product's for windows,
//! calendars, validity and journal (contract, "Clocks"). The only place that asks the machine.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dancu_domain::moment::Moment;

/// A jump back of the machine's clock by more than this is told in the log.
const TOLERATED_BACK_MS: i64 = 1_000;

/// Milliseconds of the machine's clock since 1970 UTC.
#[expect(clippy::disallowed_methods, reason = "the one door to the machine's clock")]
pub fn machine_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A steady clock for measuring how long something took.
#[expect(clippy::disallowed_methods, reason = "the one door to the steady clock")]
pub fn steady() -> std::time::Instant {
    std::time::Instant::now()
}

/// The product's clock: the machine's plus an offset; it never goes back.
pub struct Clock {
    offset_ms: AtomicI64,
    last_ms: AtomicI64,
    sandbox: bool,
    /// Whether the log was told that the machine's clock is behind: once per jump.
    told: AtomicBool,
}

impl Clock {
    /// A clock that runs on from the machine's, but never before `not_before`.
    pub fn new(offset_ms: i64, not_before: Moment, sandbox: bool) -> Self {
        Self {
            offset_ms: offset_ms.into(),
            last_ms: not_before.0.into(),
            sandbox,
            told: false.into(),
        }
    }

    /// Now. If the machine's clock went back, time stands still until it catches up.
    pub fn now(&self) -> Moment {
        let now = machine_ms() + self.offset_ms.load(Ordering::Relaxed);
        let last = self.last_ms.fetch_max(now, Ordering::AcqRel);
        if last - now <= TOLERATED_BACK_MS {
            if self.told.load(Ordering::Relaxed) {
                self.told.store(false, Ordering::Relaxed);
            }
        } else if !self.told.swap(true, Ordering::Relaxed) {
            tracing::error!(clock.back_ms = last - now, "the machine's clock went back");
        }
        Moment(last.max(now))
    }

    /// How far the product's clock is ahead of the machine's.
    pub fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::Relaxed)
    }

    /// Whether this is a sandbox clock that may be moved.
    pub fn is_sandbox(&self) -> bool {
        self.sandbox
    }

    /// Moves a sandbox clock forward; backwards is refused with the time it shows.
    pub fn move_to(&self, to: Moment) -> Result<Moment, Moment> {
        let now = self.now();
        if to < now {
            return Err(now);
        }
        self.offset_ms.fetch_add(to.0 - now.0, Ordering::AcqRel);
        Ok(self.now())
    }
}
