//! Whether the ledger can journal, and if not, why: what readiness goes by. A few atomics that are
//! written once a batch.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A turn of the writer (a batch, an act, a look) that lasts longer is told as a stall: turns take
/// milliseconds, and 5 s are longer than a checkpoint or a busy disk takes. A COMMIT that waits for
/// a standby that is gone has no limit at all.
pub const STALLED: Duration = Duration::from_secs(5);
/// Conflicts in a row after which callers are refused instead of decided again: under the lock of
/// the head there is hardly one, so that two mean that something stays in the way. Each may have
/// waited for `lock_timeout`.
pub const CONFLICTS_MAX: u32 = 2;

/// Why nothing can be journaled now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// The last try to commit failed; it is tried again each second.
    Failing,
    /// A commit has not ended for [`STALLED`].
    Stalled,
    /// It is not known what became of the last commit; it is being asked for.
    InDoubt,
    /// This machine's clock is too far off the database's.
    Clock,
    /// The schema was changed so that this program does not fit it any more.
    Schema,
    /// The database does not hold what was seen in it before: an older copy, or a standby that was
    /// promoted without the last commits. It stays so until the process is started anew.
    OlderCopy,
    /// A thread of the ledger ended by a fault of the program: it stays so.
    Dead,
}

impl Trouble {
    /// A stable word, as `/readyz` tells it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Failing => "journalUnavailable",
            Self::Stalled => "commitStalled",
            Self::InDoubt => "commitInDoubt",
            Self::Clock => "clockOff",
            Self::Schema => "schemaNewer",
            Self::OlderCopy => "olderCopy",
            Self::Dead => "journalStopped",
        }
    }

    /// Whether reads are refused too: what this node holds in memory, or shows of the database,
    /// may not be what is in force.
    pub const fn bars_reads(self) -> bool {
        matches!(self, Self::Clock | Self::Schema | Self::OlderCopy | Self::Dead)
    }
}

/// Who takes turns: the thread that counts and seals, and the one that commits.
#[derive(Clone, Copy)]
pub(super) enum Stage {
    Prepare,
    Commit,
}

/// Causes that pass, as they are stored; 0 = none.
const CAUSES: [Trouble; 4] = [Trouble::Failing, Trouble::InDoubt, Trouble::Clock, Trouble::Schema];

/// What is known of the ledger's state.
#[derive(Default)]
pub(super) struct Health {
    /// 0 = well, else one more than the place in [`CAUSES`].
    cause: AtomicU8,
    older_copy: AtomicBool,
    dead: AtomicBool,
    conflicts: AtomicU32,
    /// When each stage's turn began, one more than the microseconds since the clock was given; 0 =
    /// no turn is under way.
    turns: [AtomicU64; 2],
    clock: OnceLock<(fn() -> Instant, Instant)>,
}

/// A turn under way; it ends when this is dropped.
pub(super) struct Turn<'a>(&'a AtomicU64);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::Release);
    }
}

impl Health {
    /// Turns are timed by this steady clock from now on.
    pub(super) fn measure(&self, clock: fn() -> Instant) {
        self.clock.get_or_init(|| (clock, clock()));
    }

    /// Microseconds since the clock was given, plus one; 0 without a clock.
    fn now(&self) -> u64 {
        self.clock.get().map_or(0, |(clock, origin)| {
            let micros = clock().saturating_duration_since(*origin).as_micros();
            u64::try_from(micros).unwrap_or(u64::MAX - 1) + 1
        })
    }

    /// Begins a turn.
    pub(super) fn turn(&self, of: Stage) -> Turn<'_> {
        let turn = &self.turns[of as usize];
        turn.store(self.now(), Ordering::Release);
        Turn(turn)
    }

    fn is_stalled(&self) -> bool {
        let now = self.now();
        self.turns.iter().any(|turn| {
            let began = turn.load(Ordering::Acquire);
            began > 0 && u128::from(now.saturating_sub(began)) >= STALLED.as_micros()
        })
    }

    /// Why nothing can be journaled now, if that is so; the gravest first.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        if self.dead.load(Ordering::Acquire) {
            return Some(Trouble::Dead);
        }
        if self.is_older_copy() {
            return Some(Trouble::OlderCopy);
        }
        let stalled = || self.is_stalled().then_some(Trouble::Stalled);
        self.cause().or_else(stalled)
    }

    fn cause(&self) -> Option<Trouble> {
        let place = usize::from(self.cause.load(Ordering::Acquire)).checked_sub(1)?;
        CAUSES.get(place).copied()
    }

    /// Whether commits fail, so that it is tried whether they succeed again.
    pub(super) fn is_failing(&self) -> bool {
        self.cause.load(Ordering::Acquire) != 0 || self.dead.load(Ordering::Acquire)
    }

    /// A try failed; what is already told more exactly stays.
    pub(super) fn failed(&self) {
        let _ = self.cause.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Acquire);
    }

    /// The same with its cause.
    pub(super) fn failed_by(&self, cause: Trouble) {
        let place = CAUSES.iter().position(|c| *c == cause).unwrap_or_default();
        self.cause.store(place as u8 + 1, Ordering::Release);
    }

    /// Clock and schema were found in order: what fails from now on fails for another cause.
    pub(super) fn fits(&self) {
        if matches!(self.cause(), Some(Trouble::Clock | Trouble::Schema)) {
            self.failed_by(Trouble::Failing);
        }
    }

    /// Nothing stands in the way of a commit.
    pub(super) fn well(&self) {
        self.cause.store(0, Ordering::Release);
    }

    /// Something is durable.
    pub(super) fn durable(&self) {
        self.conflicts.store(0, Ordering::Release);
        self.well();
    }

    /// A transaction ended by a conflict; whether there were so many in a row that this goes on.
    pub(super) fn conflict(&self) -> bool {
        let before = self.conflicts.fetch_add(1, Ordering::AcqRel);
        let goes_on = before + 1 >= CONFLICTS_MAX;
        if goes_on {
            self.failed();
        }
        goes_on
    }

    /// The database is an older copy of what it was: for good.
    pub(super) fn set_older_copy(&self) {
        self.older_copy.store(true, Ordering::Release);
    }

    pub(super) fn is_older_copy(&self) -> bool {
        self.older_copy.load(Ordering::Acquire)
    }

    /// A thread ended by a panic.
    pub(super) fn set_dead(&self) {
        self.dead.store(true, Ordering::Release);
    }

    pub(super) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds that the clock of the test shows.
    static SHOWN: AtomicU64 = AtomicU64::new(0);
    static ORIGIN: OnceLock<Instant> = OnceLock::new();

    fn clock() -> Instant {
        ORIGIN.get().copied().unwrap() + Duration::from_secs(SHOWN.load(Ordering::Acquire))
    }

    #[tokio::test]
    async fn a_turn_that_does_not_end_is_told_while_it_lasts() {
        let now = tokio::time::sleep(Duration::ZERO).deadline().into_std();
        ORIGIN.set(now).unwrap();
        let health = Health::default();
        let unmeasured = health.turn(Stage::Prepare);
        health.measure(clock);
        SHOWN.store(60, Ordering::Release);
        assert_eq!(health.trouble(), None, "it began before there was a clock");
        drop(unmeasured);
        for stage in [Stage::Prepare, Stage::Commit] {
            let turn = health.turn(stage);
            SHOWN.fetch_add(STALLED.as_secs() - 1, Ordering::AcqRel);
            assert_eq!(health.trouble(), None);
            SHOWN.fetch_add(1, Ordering::AcqRel);
            assert_eq!(health.trouble(), Some(Trouble::Stalled));
            drop(turn);
            assert_eq!(health.trouble(), None);
        }
    }

    #[test]
    fn the_cause_is_told_until_something_is_durable() {
        let health = Health::default();
        health.failed_by(Trouble::Clock);
        health.failed();
        assert_eq!(health.trouble(), Some(Trouble::Clock));
        health.fits();
        assert_eq!(health.trouble(), Some(Trouble::Failing));
        health.durable();
        assert_eq!((health.trouble(), health.is_failing()), (None, false));
        health.set_older_copy();
        health.durable();
        assert_eq!(health.trouble(), Some(Trouble::OlderCopy));
    }

    #[test]
    fn conflicts_in_a_row_are_trouble_and_single_ones_are_not() {
        let health = Health::default();
        for _ in 0..10 {
            assert!(!health.conflict());
            health.durable();
        }
        let goes_on: Vec<bool> = (0..CONFLICTS_MAX).map(|_| health.conflict()).collect();
        assert_eq!(goes_on, [false, true]);
        assert_eq!(health.trouble(), Some(Trouble::Failing));
        // A probe that succeeds lets it be tried once more, not twice.
        health.well();
        assert!(health.conflict());
    }
}
