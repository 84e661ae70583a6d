//! Running jobs beside the questions of people who wait.
//!
//! A job asks some rows at a time. While somebody else asks, it asks few and rests between, so
//! that the latency of a question stays what it is; while nobody does, it takes what there is.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use dancu_domain::ids::SystemId;
use dancu_gate::jobs::types::JobId;
use dancu_gate::jobs::{JobRun, Step};
use parking_lot::Mutex;

use crate::app::Shared;

/// Jobs that one node runs at a time, one of a system: more would share the same threads.
const AT_ONCE: usize = 4;
/// How often jobs are looked for: a new job or one that may go on begins within this.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often it is looked whether somebody asks questions.
const LISTEN_EVERY: Duration = Duration::from_millis(100);
/// After a question jobs stay slow for this many looks, 2 s: of a few questions a second none
/// meets a job at full speed.
const SLOW_LOOKS: u32 = 20;
/// Rows in flight of all jobs while nobody asks: a commit of so many takes about as long as the
/// disk, and the first question that comes then waits a few ms once.
const ROWS_FREE: usize = 128;
/// Rows in flight of all jobs while somebody asks: about as many as one commit of questions has.
const ROWS_SLOW: usize = 4;
/// The rest between two such steps: about 300 rows a second, so that a part is stored, in a commit
/// of its own, less than twice a second, and few questions in a hundred meet one.
const REST: Duration = Duration::from_millis(12);
/// The rest where nothing can be journaled, or a rule changed under way.
const TROUBLE_REST: Duration = Duration::from_secs(1);
/// How often what is not needed any more is looked for.
const TIDY_EVERY: Duration = Duration::from_secs(10);
/// Rest between two slices of deleting, each a small commit.
const TIDY_REST: Duration = Duration::from_millis(20);
/// A stopping process waits this long for its jobs to give back what they hold.
const STOP_WAIT: Duration = Duration::from_secs(5);

/// The jobs that this node runs, and how fast they may.
pub struct Jobs {
    running: Mutex<HashMap<JobId, SystemId>>,
    /// Questions asked when it was last looked.
    asked: AtomicU64,
    /// Looks for which jobs stay slow.
    slow: AtomicU32,
}

impl Default for Jobs {
    fn default() -> Self {
        Self { running: Mutex::default(), asked: AtomicU64::new(0), slow: AtomicU32::new(0) }
    }
}

impl Jobs {
    /// Rests where somebody asks questions.
    pub async fn yield_to_questions(&self) {
        if self.is_slow() {
            tokio::time::sleep(REST).await;
        }
    }

    fn is_slow(&self) -> bool {
        self.slow.load(Ordering::Relaxed) > 0
    }

    /// Notes how many questions were asked so far; whether there were new ones.
    fn notice(&self, asked: u64) -> bool {
        let new = self.asked.swap(asked, Ordering::Relaxed) != asked;
        if new {
            self.slow.store(SLOW_LOOKS, Ordering::Relaxed);
        }
        new
    }

    /// The same, each [`LISTEN_EVERY`]: where there are none jobs get faster again.
    fn listen(&self, asked: u64) {
        if !self.notice(asked) {
            let less = |n: u32| Some(n.saturating_sub(1));
            let _ = self.slow.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
    }

    /// Whether this node runs no job of a system.
    fn is_free(&self, system: SystemId) -> bool {
        !self.running.lock().values().any(|running| *running == system)
    }

    /// Rows that one job may have in flight now.
    fn rows(&self) -> usize {
        let jobs = self.running.lock().len().max(1);
        let all = if self.is_slow() { ROWS_SLOW } else { ROWS_FREE };
        (all / jobs).max(1)
    }
}

/// Starts what runs jobs; it ends with the process.
pub fn start(app: &Shared) {
    let listener = app.clone();
    tokio::spawn(async move {
        while !listener.gate.store().is_stopped() {
            listener.jobs.listen(listener.gate.asked());
            tokio::time::sleep(LISTEN_EVERY).await;
        }
    });
    let runner = app.clone();
    tokio::spawn(async move {
        // A name that no other process has: who holds a job is told by it.
        let mut holder = [0; 16];
        if let Err(error) = dancu_store::keys::random(&mut holder) {
            tracing::error!(error = %error, "jobs cannot be run");
            return;
        }
        if let Err(error) = runner.gate.store().jobs_begin(runner.clock.now()).await {
            tracing::warn!(error = %error, "jobs left by an earlier process wait for their leases");
        }
        while !runner.gate.store().is_stopped() {
            if runner.is_ready() {
                look(&runner, holder).await;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    });
    let tidy = app.clone();
    tokio::spawn(async move {
        while !tidy.gate.store().is_stopped() {
            tokio::time::sleep(TIDY_EVERY).await;
            while tidy.is_ready() {
                match tidy.gate.tidy_jobs(tidy.clock.now()).await {
                    Ok(true) => tokio::time::sleep(TIDY_REST).await,
                    Ok(false) => break,
                    Err(error) => {
                        tracing::warn!(error = %error, "jobs could not be tidied");
                        break;
                    }
                }
            }
        }
    });
}

/// Waits until this node's jobs were given back; the process must not be ready any more.
pub async fn stopped(app: &Shared) {
    let all = async {
        while !app.jobs.running.lock().is_empty() {
            tokio::time::sleep(LISTEN_EVERY / 10).await;
        }
    };
    if tokio::time::timeout(STOP_WAIT, all).await.is_err() {
        tracing::warn!("jobs were still under way; they go on when their leases are over");
    }
}

/// Takes the jobs that may go on, as long as there is a place for them.
async fn look(app: &Shared, holder: [u8; 16]) {
    while app.jobs.running.lock().len() < AT_ONCE {
        let free = |system, _| app.jobs.is_free(system);
        match app.gate.claim_job(app.clock.now(), holder, free).await {
            Ok(Some(run)) => {
                app.jobs.running.lock().insert(run.id(), run.system());
                let app = app.clone();
                tokio::spawn(async move {
                    let id = run.id();
                    // Also after a panic the place is free.
                    let _place = Place { app: app.clone(), id };
                    work(&app, run).await;
                });
            }
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(error = %error, "jobs could not be looked for");
                return;
            }
        }
    }
}

/// A job's place among those that this node runs.
struct Place {
    app: Shared,
    id: JobId,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.app.jobs.running.lock().remove(&self.id);
    }
}

/// Runs a job until a rule holds it, it is over, it gives way to a job of another system, or the
/// process stops.
async fn work(app: &Shared, mut run: JobRun) {
    while app.is_ready() && !gives_way(app, &mut run).await {
        // A question that came a moment ago slows this step down, not the next.
        app.jobs.notice(app.gate.asked());
        match run.step(&app.gate, app.clock.now(), app.jobs.rows()).await {
            Ok(Step::Went(1..) | Step::Looked) => app.jobs.yield_to_questions().await,
            Ok(Step::Went(_) | Step::Trouble) => tokio::time::sleep(TROUBLE_REST).await,
            Ok(Step::Paused | Step::Over | Step::Lost) => return,
            Err(error) => {
                tracing::warn!(error = %error, job = %run.id(), "a job could not go on");
                tokio::time::sleep(TROUBLE_REST).await;
            }
        }
    }
    let id = run.id();
    if let Err(error) = run.give_back(&app.gate, app.clock.now()).await {
        tracing::warn!(error = %error, job = %id, "a job could not be given back");
    }
}

/// Whether a job's turn is over and another one waits for its place. While a place is free here,
/// what waits takes that.
async fn gives_way(app: &Shared, run: &mut JobRun) -> bool {
    if app.jobs.running.lock().len() < AT_ONCE {
        return false;
    }
    let free = |system, _| app.jobs.is_free(system);
    match run.gives_way(&app.gate, app.clock.now(), free).await {
        Ok(gives_way) => gives_way,
        Err(error) => {
            tracing::warn!(error = %error, "jobs that wait could not be looked for");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_slow_while_somebody_asks_and_for_two_seconds_after() {
        let jobs = Jobs::default();
        jobs.listen(0);
        assert_eq!(jobs.rows(), ROWS_FREE);
        jobs.listen(1);
        for _ in 0..SLOW_LOOKS {
            assert_eq!(jobs.rows(), ROWS_SLOW);
            jobs.listen(1);
        }
        assert_eq!(jobs.rows(), ROWS_FREE);
        for n in 0..AT_ONCE as u8 {
            jobs.running.lock().insert(JobId([n; 16]), SystemId(n.into()));
        }
        assert_eq!(jobs.rows(), ROWS_FREE / AT_ONCE);
        jobs.listen(9);
        assert_eq!(jobs.rows(), 1);
    }
}
