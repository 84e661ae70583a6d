//! Background work of a serving process: checkpoints, aggregates of failures, forgetting.

use std::sync::{Arc, Weak};
use std::time::Duration;

use dancu_domain::moment::Moment;
use dancu_domain::people::MachineTime;
use dancu_domain::people::session::SESSION_MS;
use dancu_journal::Body;
use dancu_office::notices::spread;
use dancu_office::notices::watch::Watch;
use dancu_store::Store;
use dancu_store::lease::Lease;
use dancu_store::ledger::health::Trouble;

use crate::app::{App, Shared};
use crate::clock::machine_ms;

/// How often WAL pages are looked at: 16 MiB are written in 0.7 s at 5,000 entries a second.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(500);
/// How often finished minutes of failures are journaled.
const FAILURES_EVERY: Duration = Duration::from_secs(5);
/// How often old requests are forgotten and keys of a new year made ready.
const HOUSEKEEPING_EVERY: Duration = Duration::from_mins(10);

/// How often it is looked for what other nodes or commands wrote down of units: the names on a page
/// may be this much behind.
const UNITS_EVERY: Duration = Duration::from_secs(15);
/// How often notices are handed out: "at once" (D6) is a matter of seconds.
const SPREAD_EVERY: Duration = Duration::from_secs(1);
/// Rounds of [`SPREAD_EVERY`] after which lines and ends are looked at (D2, D3): five seconds.
const ROUNDS_PER_WATCH: u32 = 5;
/// Handing out takes milliseconds: whoever takes a minute is gone.
const NOTICES_LEASE_MS: i64 = 60_000;

/// How often it is written which credentials were used: the list shows hours.
const USES_EVERY: Duration = Duration::from_hours(1);

/// Preparing takes milliseconds: whoever takes a minute is gone.
const PREPARE_LEASE_MS: i64 = 60_000;

/// Looks of [`STOP_SEEN`] after which the anchor is written: each second, which is what an older
/// copy may lack unseen after a kill.
const LOOKS_PER_ANCHOR: u32 = 5;
/// How soon the anchor's thread sees that the process stops, which waits for it.
const STOP_SEEN: Duration = Duration::from_millis(200);

/// Starts what runs beside the queries; it ends with the process.
pub fn start(app: &Shared) {
    checkpoint(Arc::downgrade(app.gate.store()));
    crate::jobs::start(app);
    crate::statements::start(app);
    keep_anchor(Arc::downgrade(app));
    tell(app);
    let failures = app.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(FAILURES_EVERY).await;
            let now = failures.clock.now();
            journal_failures(&failures, Some(now)).await;
        }
    });
    let uses = app.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(USES_EVERY).await;
            write_uses(&uses).await;
        }
    });
    start_units(app.clone());
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
            if let Err(error) = store.forget_used(now, machine_ms()).await {
                tracing::warn!(error = %error, "store.forget_used failed");
            }
            // Kept for as long again after their end: the next morning's visit is told why.
            let before = MachineTime(machine_ms()).plus_ms(-SESSION_MS);
            if let Err(error) = store.people().forget_sessions(now, before).await {
                tracing::warn!(error = %error, "store.forget_sessions failed");
            }
            if let Err(error) = spread::forget(store, now).await {
                tracing::warn!(error = %error, "old notices could not be forgotten");
            }
            if let Err(error) = store.forget_staged(now).await {
                tracing::warn!(error = %error, "what came of files could not be taken away");
            }
            if let Err(error) = prepare(store, now).await {
                tracing::warn!(error = %error, "store could not be prepared for what comes");
            }
            keep_dated(&housekeeping).await;
        }
    });
}

/// Copies pages of the WAL back (decision 15).
fn checkpoint(store: Weak<Store>) {
    tokio::task::spawn_blocking(move || {
        let wait = parking_lot::Mutex::new(());
        loop {
            let mut guard = wait.lock();
            let _ = parking_lot::Condvar::new().wait_for(&mut guard, CHECKPOINT_EVERY);
            let Some(store) = store.upgrade() else { return };
            if store.is_stopped() {
                return;
            }
            if let Err(error) = store.checkpoint() {
                tracing::warn!(error = %error, "store.checkpoint failed");
            }
        }
    });
}

/// Keeps units by name, for pages.
fn start_units(app: Shared) {
    tokio::spawn(async move {
        // At once: merges of the days in which nobody served, and units of a folder of before.
        keep_dated(&app).await;
        if let Err(error) = app.gate.store().mend_people(app.clock.now()).await {
            tracing::warn!(error = %error, "rows of people could not be mended");
        }
        while !app.gate.store().is_stopped() {
            if let Err(error) = app.units.now(app.gate.store(), app.clock.now()).await {
                tracing::warn!(error = %error, "units could not be read");
            }
            // The clocks of appeals run in minutes (D6).
            let kept = dancu_office::appeals::keep(app.gate.store(), app.clock.now()).await;
            if let Err(error) = kept {
                tracing::warn!(error = %error, "late appeals could not be told yet");
            }
            tokio::time::sleep(UNITS_EVERY).await;
        }
    });
}

/// Hands notices out, and finds out what is to be told of lines; one node at a time does it.
fn tell(app: &Shared) {
    let app = Arc::downgrade(app);
    tokio::spawn(async move {
        let (mut watch, mut lease) = (Watch::default(), None);
        for round in 0u32.. {
            tokio::time::sleep(SPREAD_EVERY).await;
            let Some(app) = app.upgrade() else { return };
            if app.gate.store().is_stopped() {
                return;
            }
            if let Err(error) = tell_once(&app, &mut watch, &mut lease, round).await {
                tracing::warn!(error = %error, "notices could not be handed out");
            }
        }
    });
}

/// Founds units that are only known by a code, and hands over what waited for its day (B4).
async fn keep_dated(app: &App) {
    if let Err(error) = dancu_office::units::keep(app.gate.store(), app.clock.now()).await {
        tracing::warn!(error = %error, "units could not be kept and are looked at again");
    }
    // Then campaigns: opens their dossiers, reminds, and locks what is overdue.
    if let Err(error) = dancu_office::campaigns::keep(app.gate.store(), app.clock.now()).await {
        tracing::warn!(error = %error, "campaigns could not be kept and are looked at again");
    }
}

async fn tell_once(
    app: &App,
    watch: &mut Watch,
    lease: &mut Option<Lease>,
    round: u32,
) -> dancu_store::Result<()> {
    let (store, now) = (app.gate.store(), app.clock.now());
    let looks = round.is_multiple_of(ROUNDS_PER_WATCH);
    if looks && !lease.as_ref().map_or(Ok(false), Lease::renew)? {
        *lease = store.leases().acquire("notices", NOTICES_LEASE_MS)?;
    }
    if lease.is_none() {
        return Ok(());
    }
    // What is not found out holds up nothing that waits.
    let looked =
        if looks { watch.look(store, &app.gate.snapshot(), now).await.map(drop) } else { Ok(()) };
    spread::spread(store, now).await.map(drop).and(looked)
}

/// Writes which credentials were used since the last time; also at the end.
pub async fn write_uses(app: &App) {
    let used = app.gate.uses.take();
    if let Err(error) = app.gate.store().write_uses(app.clock.now(), &used).await {
        tracing::warn!(error = %error, "uses of credentials could not be written and are kept");
        app.gate.uses.put_back(&used);
    }
}

/// Makes keys of a new year and partitions of a new month; one node at a time does it.
async fn prepare(store: &Store, now: Moment) -> dancu_store::Result<()> {
    let Some(lease) = store.leases().acquire("prepare", PREPARE_LEASE_MS)? else { return Ok(()) };
    store.prepare_month(now)?;
    store.prepare_year(now).await?;
    lease.release()
}

/// Writes the anchor; in a thread of its own, as it may lie on another disk. A database that fell
/// behind it takes no more entries: then the centre says that it is not ready.
fn keep_anchor(app: Weak<App>) {
    tokio::task::spawn_blocking(move || {
        let wait = parking_lot::Mutex::new(());
        let mut told = false;
        for look in 1u32.. {
            let mut guard = wait.lock();
            let _ = parking_lot::Condvar::new().wait_for(&mut guard, STOP_SEEN);
            let Some(app) = app.upgrade() else { return };
            if app.gate.store().is_stopped() {
                return;
            }
            if !look.is_multiple_of(LOOKS_PER_ANCHOR) {
                continue;
            }
            match app.gate.store().refresh_anchor() {
                Ok(()) => {}
                Err(error @ dancu_store::Error::OlderCopy(_)) => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::error!(error = %error, "the database fell behind its anchor");
                    }
                }
                Err(error) => tracing::warn!(error = %error, "the anchor could not be written"),
            }
            if app.gate.store().ledger().trouble() == Some(Trouble::OlderCopy) {
                // Jobs are given back too: only a person can say what follows.
                app.set_ready(false);
            }
        }
    });
}

/// Journals the aggregates of minutes that are over; `None` = all of them, at the end. What cannot
/// be journaled is kept and tried again.
pub async fn journal_failures(app: &Shared, now: Option<Moment>) {
    let mut lost = None;
    for aggregate in app.gate.failures.take(now) {
        if lost.is_none() {
            let body = Body::Aggregate(aggregate.clone());
            let noted = app.gate.store().ledger().note(app.clock.now(), move |_| Ok(body)).await;
            lost = noted.err();
        }
        if lost.is_some() {
            app.gate.failures.put_back(&aggregate);
        }
    }
    if let Some(error) = lost {
        tracing::error!(error = %error, "gate.failures could not be journaled and are kept");
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
    use dancu_gate::Gate;
    use dancu_gate::path::Cause;
    use dancu_store::OpenOptions;

    use super::*;
    use crate::clock::Clock;
    use crate::readiness;

    const NOW: Moment = Moment(1_772_416_800_000);

    fn app(dir: &std::path::Path) -> Shared {
        let options = OpenOptions {
            profiles: Arc::new(Profiles::parse(DEFAULT_PROFILE).unwrap()),
            master_key: <_>::default(),
            now: NOW,
            migrate: true,
            database: None,
        };
        let gate = Gate::open(Arc::new(Store::open(dir, options).unwrap()), NOW).unwrap();
        Arc::new(App::new(gate, Clock::new(0, NOW, false), "http://localhost".into()))
    }

    /// Makes commits fail, or work again.
    async fn commits(app: &Shared, sql: &'static str) {
        let tidy = app.gate.store().ledger().tidy(NOW, move |tx| tx.batch(sql));
        tidy.await.unwrap();
    }

    #[tokio::test]
    async fn rule_f1_failures_are_kept_while_nothing_can_be_journaled() {
        let dir = std::env::temp_dir().join(format!("dancu-failures-{}", std::process::id()));
        let app = app(&dir);
        for cause in [Cause::Token, Cause::Shed] {
            app.gate.failures.note(NOW, IpAddr::from([10, 0, 0, 1]), cause);
        }
        commits(
            &app,
            "CREATE TRIGGER fault BEFORE UPDATE ON ledger_head \
             BEGIN SELECT RAISE(ABORT, 'fault of the test'); END",
        )
        .await;
        let before = app.gate.store().ledger().next_index();
        app.set_ready(true);
        assert!(readiness::reasons(&app).is_empty());
        journal_failures(&app, None).await;
        assert_eq!(app.gate.store().ledger().next_index(), before);
        assert_eq!(readiness::reasons(&app), ["journalUnavailable"]);
        commits(&app, "DROP TRIGGER fault").await;
        journal_failures(&app, None).await;
        assert_eq!(app.gate.store().ledger().next_index(), before + 2);
        // The ledger tries by itself, each second.
        for _ in 0..200 {
            if readiness::reasons(&app).is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(readiness::reasons(&app).is_empty());
        assert!(app.gate.failures.take(None).is_empty());
        app.gate.store().stop();
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
