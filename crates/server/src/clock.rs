//! The clocks: the machine's for the freshness of credentials, the product's for windows,
//! calendars, validity and journal (contract, "Clocks"). The only place that asks the machine.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{bail, ensure};
use dancu_domain::moment::{HOUR_MS, MINUTE_MS, Moment};
use dancu_store::Store;
use parking_lot::Mutex;
use tokio::sync::MutexGuard;

use crate::handlers::sandbox::OFFSET;

/// A jump back of the machine's clock by more than this is told in the log.
const TOLERATED_BACK_MS: i64 = 1_000;
/// While the machine's clock is behind, the product's runs slower by this part of its pace until
/// the other has caught up: a clock that was set back by ten minutes after 100.
const SLOWER: i64 = 10;
/// A centre does not start where the machine's clock is behind the last entry by more than this.
pub const BEHIND_MAX_MS: i64 = HOUR_MS;
/// A sandbox clock is moved to moments before 2200-01-01 in Viet Nam. Counts and paces are exact
/// for half a century after it.
pub const LATEST: Moment = Moment(7_258_093_200_000);

/// Milliseconds of the machine's clock since 1970 UTC.
#[expect(clippy::disallowed_methods, reason = "the one door to the machine's clock")]
pub fn machine_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A steady clock for measuring how long something took.
#[expect(clippy::disallowed_methods, reason = "the one door to the steady clock")]
pub fn steady() -> Instant {
    Instant::now()
}

/// The product's clock: the machine's plus an offset. It never goes back and never stands still:
/// pace (D7) and windows (D1) need a time that goes on.
pub struct Clock {
    offset_ms: AtomicI64,
    shown: Mutex<Shown>,
    sandbox: bool,
    moving: tokio::sync::Mutex<()>,
}

struct Shown {
    last_ms: i64,
    /// Where the machine's clock is behind: what was shown when that was first seen.
    behind: Option<(i64, Instant)>,
    /// Whether the log was told: once per jump.
    told: bool,
}

impl Clock {
    /// A clock that runs on from the machine's, but never before `not_before`.
    pub fn new(offset_ms: i64, not_before: Moment, sandbox: bool) -> Self {
        let shown = Shown { last_ms: not_before.0, behind: None, told: false };
        Self {
            offset_ms: offset_ms.into(),
            shown: Mutex::new(shown),
            sandbox,
            moving: tokio::sync::Mutex::default(),
        }
    }

    /// The clock of a centre over its folder.
    ///
    /// # Errors
    /// The folder is a sandbox's, whose people are made up and whose clock was moved; or the
    /// machine's clock is far behind the last entry. Either it is wrong now or it was wrong then:
    /// nobody but a person can tell, and counts, locks and windows of a wrong day cannot be taken
    /// back. So it does not start.
    pub fn of_centre(store: &Store) -> anyhow::Result<Self> {
        ensure!(
            store.meta(OFFSET)?.is_none(),
            "đây là thư mục của môi trường thử: chạy `dancu demo`, hoặc đặt sandbox = true nếu chủ \
             ý phục vụ nó (a sandbox's folder: run `dancu demo`, or set sandbox = true)"
        );
        let last = store.last_at();
        close_enough(machine_ms(), last)?;
        Ok(Self::new(0, last, false))
    }

    /// The clock of a process that serves a sandbox's data: as `dancu demo` moved it. It is not
    /// moved while several nodes serve, which would each have to follow at once.
    ///
    /// # Errors
    /// The data is no sandbox's: real people are not served by a moved clock.
    pub fn of_sandbox(store: &Store) -> anyhow::Result<Self> {
        let offset = store.meta(OFFSET)?.and_then(|text| text.parse().ok());
        let Some(offset) = offset else {
            bail!("sandbox = true, nhưng đây không phải dữ liệu của `dancu demo` (no sandbox's)");
        };
        Ok(Self::new(offset, store.last_at(), false))
    }

    /// Now. Where the machine's clock went back, time goes on with the steady clock, a little
    /// slower, until the machine's has caught up.
    pub fn now(&self) -> Moment {
        self.at(machine_ms(), steady())
    }

    fn at(&self, machine_ms: i64, steady: Instant) -> Moment {
        let wall = machine_ms.saturating_add(self.offset_ms.load(Ordering::Acquire));
        let mut shown = self.shown.lock();
        let last = shown.last_ms;
        let (from, since) = *shown.behind.get_or_insert((last, steady));
        let gone = steady.saturating_duration_since(since).as_millis();
        let gone = i64::try_from(gone).unwrap_or(i64::MAX);
        let on = from.saturating_add(gone - gone / SLOWER);
        if wall >= on {
            shown.behind = None;
            shown.told = false;
        } else if on - wall > TOLERATED_BACK_MS && !shown.told {
            shown.told = true;
            tracing::error!(clock.back_ms = on - wall, "the machine's clock went back");
        }
        // Another thread may have asked a moment later and been here first.
        shown.last_ms = last.max(wall.max(on));
        Moment(shown.last_ms)
    }

    /// How far the product's clock is ahead of the machine's.
    pub fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::Acquire)
    }

    /// Whether this is a sandbox clock that may be moved.
    pub fn is_sandbox(&self) -> bool {
        self.sandbox
    }

    /// Begins to move a sandbox clock forward; backwards is refused with the time it shows. One
    /// move at a time: the clock moves when the returned one is finished.
    pub async fn begin_move(&self, to: Moment) -> Result<Move<'_>, Moment> {
        let alone = self.moving.lock().await;
        let now = self.now();
        if to < now {
            return Err(now);
        }
        Ok(Move { clock: self, offset_ms: to.0 - machine_ms(), _alone: alone })
    }
}

/// A move of the clock that is being stored.
pub struct Move<'a> {
    clock: &'a Clock,
    /// The offset that the clock will have.
    pub offset_ms: i64,
    _alone: MutexGuard<'a, ()>,
}

impl Move<'_> {
    /// Moves the clock; returns what it shows.
    pub fn finish(self) -> Moment {
        self.clock.offset_ms.store(self.offset_ms, Ordering::Release);
        self.clock.now()
    }
}

/// Whether a centre may go on from its last entry.
fn close_enough(machine_ms: i64, last: Moment) -> anyhow::Result<()> {
    let behind = last.0.saturating_sub(machine_ms);
    if behind <= BEHIND_MAX_MS {
        return Ok(());
    }
    bail!(
        "đồng hồ máy ({}) chậm hơn mục nhật ký cuối ({}) {} phút. Chỉnh đồng hồ máy (chronyc \
         makestep, timedatectl) rồi chạy lại. Nếu đồng hồ máy đang đúng, mục cuối đã được ghi khi \
         đồng hồ chạy trước: phục hồi bản sao lưu trước lúc đó, hoặc chờ đến giờ của mục cuối \
         (the machine's clock is behind the journal: set it right; else restore a backup from \
         before it was wrong)",
        Moment(machine_ms).rfc3339(),
        last.rfc3339(),
        behind / MINUTE_MS,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_772_416_800_000;

    fn later(from: Instant, ms: u64) -> Instant {
        from + Duration::from_millis(ms)
    }

    #[test]
    fn rule_d7_time_goes_on_where_the_machines_clock_went_back() {
        let clock = Clock::new(0, Moment(0), false);
        let t0 = steady();
        assert_eq!(clock.at(START, t0).0, START);
        // Set back by ten minutes: ten seconds later nine have gone on.
        let back = START - 600_000;
        assert_eq!(clock.at(back, t0).0, START);
        assert_eq!(clock.at(back + 10_000, later(t0, 10_000)).0, START + 9_000);
        assert_eq!(clock.at(back + 1_000_000, later(t0, 1_000_000)).0, START + 900_000);
        // Caught up after 100 minutes: both show the same from then on.
        let hundred = 6_000_000;
        for ms in [hundred, hundred + 1, hundred + 60_000] {
            assert_eq!(clock.at(back + ms, later(t0, ms as u64)).0, back + ms);
        }
    }

    #[test]
    fn rule_d7_a_start_before_the_last_entry_goes_on_from_it() {
        let clock = Clock::new(0, Moment(START), false);
        let t0 = steady();
        let shown: Vec<i64> = (0..60)
            .map(|s| clock.at(START - 300_000 + s * 1_000, later(t0, s as u64 * 1_000)).0)
            .collect();
        assert_eq!(shown[0], START);
        assert!(shown.windows(2).all(|w| w[1] - w[0] == 900), "{shown:?}");
    }

    #[test]
    fn time_never_goes_back() {
        let clock = Clock::new(0, Moment(0), false);
        let t0 = steady();
        let mut last = Moment(0);
        for (wall, gone) in [(0, 0), (50, 50), (49, 50), (-9_000, 60), (61, 61), (62, 62), (-1, 62)]
        {
            let now = clock.at(START + wall, later(t0, gone));
            assert!(now >= last, "{now:?} after {last:?}");
            last = now;
        }
    }

    #[test]
    fn a_centre_does_not_start_far_behind_its_journal() {
        assert!(close_enough(START, Moment(START + HOUR_MS)).is_ok());
        assert!(close_enough(START, Moment(0)).is_ok());
        let refused = close_enough(START, Moment(START + HOUR_MS + 1)).unwrap_err().to_string();
        assert!(refused.contains("60 phút") && refused.contains("timedatectl"), "{refused}");
    }

    #[tokio::test]
    async fn moves_wait_for_each_other() {
        let clock = Clock::new(0, Moment(0), true);
        let to = clock.now().plus_ms(HOUR_MS);
        let first = clock.begin_move(to).await.ok().unwrap();
        assert!(clock.now() < to, "it moves when it is stored");
        let shown = first.finish();
        assert!(shown >= to && shown < to.plus_ms(MINUTE_MS));
        // The same again is in the past by now, or this very moment.
        let again = clock.begin_move(to.plus_ms(-1)).await;
        assert!(again.is_err());
    }
}
