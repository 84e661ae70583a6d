//! The load itself: connections kept busy (closed loop), or arrivals on a schedule (open loop).
//!
//! All connections live on one thread, so that the server under test keeps the rest of the
//! machine, and the locks here are hardly ever contended.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use parking_lot::Mutex;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::histogram::Histogram;
use crate::http::Connection;
use crate::machine;
use crate::requests::{RequestId, RequestSet};

/// Most connections of a load: below the usual limit of 1,024 open files with its server's.
pub const MAX_CONNECTIONS: usize = 1000;
/// Longest load, in seconds.
pub const MAX_SECONDS: u64 = 600;
/// Highest rate of arrivals, per second: above what one thread can send.
pub const MAX_RATE: u32 = 100_000;
/// Requests of one load: ten minutes at the highest rate.
const MAX_REQUESTS: u64 = MAX_SECONDS * MAX_RATE as u64;
/// How long answers may still come after the last request was due.
const GRACE: Duration = Duration::from_secs(10);
/// Broken connections after which a load gives up.
const MAX_ERRORS: u64 = 1000;

/// When requests are sent.
#[derive(Clone, Copy)]
pub enum Arrivals {
    /// Each connection sends its next request as soon as it has its answer.
    Closed,
    /// Evenly spaced, per second.
    Even(u32),
    /// At random, independent of one another, this many per second on average.
    Poisson(u32),
}

/// What to do.
pub struct LoadPlan {
    /// The server.
    pub address: SocketAddr,
    /// Connections kept open.
    pub connections: usize,
    /// How long requests are sent.
    pub duration: Duration,
    /// When.
    pub arrivals: Arrivals,
    /// The process whose CPU time is measured.
    pub server_pid: Option<u32>,
    /// Seed of random arrivals.
    pub seed: u64,
}

/// What came of it.
#[derive(Default)]
pub struct LoadReport {
    /// Answers received.
    pub requests: u64,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// From the moment a request was due (open loop) or sent (closed loop) to its whole answer.
    pub latency: Histogram,
    /// Answers per HTTP status.
    pub statuses: BTreeMap<u16, u64>,
    /// Answers of status 200 that did not hold what they must.
    pub wrong: u64,
    /// Connections that broke.
    pub errors: u64,
    /// Requests that were due and got no answer.
    pub unanswered: u64,
    /// The load ended early because no fresh SOAP stamp was left.
    pub exhausted: bool,
    /// The first answer that was wrong or not 200.
    pub first_wrong: Option<String>,
    /// CPU time of the server's process, all its threads.
    pub server_cpu: Duration,
    /// CPU time of this process.
    pub client_cpu: Duration,
}

impl LoadReport {
    /// Whether every request was answered, with 200 and as expected.
    pub fn is_clean(&self) -> bool {
        let faults = self.wrong + self.errors + self.unanswered;
        faults == 0 && self.requests > 0 && self.statuses.keys().all(|status| *status == 200)
    }

    /// Answers per second.
    pub fn rate(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }

    /// The server's CPU per answer, in microseconds.
    pub fn cpu_micros(&self) -> f64 {
        self.server_cpu.as_secs_f64() * 1e6 / self.requests.max(1) as f64
    }

    /// Adds another round of the same load.
    pub fn add(&mut self, round: Self) {
        self.requests += round.requests;
        self.elapsed += round.elapsed;
        self.latency.merge(&round.latency);
        for (status, count) in round.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.wrong += round.wrong;
        self.errors += round.errors;
        self.unanswered += round.unanswered;
        self.exhausted |= round.exhausted;
        self.first_wrong = self.first_wrong.take().or(round.first_wrong);
        self.server_cpu += round.server_cpu;
        self.client_cpu += round.client_cpu;
    }
}

/// Runs a load on the current single-threaded runtime.
pub async fn run(plan: &LoadPlan, requests: &Arc<Mutex<RequestSet>>) -> anyhow::Result<LoadReport> {
    check_bounds(plan)?;
    let mut connections = Vec::with_capacity(plan.connections);
    for _ in 0..plan.connections {
        connections.push(Connection::open(plan.address).await.context("connect")?);
    }
    let cpu = |pid: Option<u32>| pid.map_or(Ok(Duration::ZERO), machine::cpu_time);
    let own = Some(std::process::id());
    let (server_before, client_before) = (cpu(plan.server_pid)?, cpu(own)?);
    let start = Instant::now();
    let shared = Arc::new(Shared {
        address: plan.address,
        closed_until: matches!(plan.arrivals, Arrivals::Closed).then(|| start + plan.duration),
        requests: requests.clone(),
        tally: Mutex::default(),
        queue: Mutex::default(),
        arrived: Semaphore::new(0),
    });
    let mut tasks = JoinSet::new();
    for connection in connections {
        tasks.spawn(worker(shared.clone(), connection));
    }
    let gaps = match plan.arrivals {
        Arrivals::Closed => None,
        Arrivals::Even(rate) => Some(Gaps { rate, random: None }),
        Arrivals::Poisson(rate) => {
            Some(Gaps { rate, random: Some(ChaCha8Rng::seed_from_u64(plan.seed)) })
        }
    };
    let pacer = gaps.map(|gaps| {
        let (shared, duration) = (shared.clone(), plan.duration);
        std::thread::spawn(move || pace(&shared, gaps, start, duration))
    });
    let all = async { while tasks.join_next().await.is_some() {} };
    // What is missing after the grace shows as unanswered.
    let _ = tokio::time::timeout_at((start + plan.duration + GRACE).into(), all).await;
    tasks.shutdown().await;
    if let Some(pacer) = pacer {
        anyhow::ensure!(pacer.join().is_ok(), "the schedule of arrivals broke off");
    }
    let mut tally = std::mem::take(&mut *shared.tally.lock());
    tally.report.elapsed = tally.last.map_or(plan.duration, |last| last - start);
    tally.report.server_cpu = cpu(plan.server_pid)?.saturating_sub(server_before);
    tally.report.client_cpu = cpu(own)?.saturating_sub(client_before);
    let in_flight = tally.sent - tally.report.requests - tally.report.errors;
    let waiting = if tally.report.exhausted { 0 } else { shared.queue.lock().len() as u64 };
    tally.report.unanswered = waiting + in_flight;
    Ok(tally.report)
}

fn check_bounds(plan: &LoadPlan) -> anyhow::Result<()> {
    anyhow::ensure!(
        (1..=MAX_CONNECTIONS).contains(&plan.connections),
        "1 to {MAX_CONNECTIONS} connections"
    );
    anyhow::ensure!(plan.duration <= Duration::from_secs(MAX_SECONDS), "{MAX_SECONDS} s at most");
    match plan.arrivals {
        Arrivals::Even(rate) | Arrivals::Poisson(rate) => {
            anyhow::ensure!((1..=MAX_RATE).contains(&rate), "1 to {MAX_RATE} per second");
        }
        Arrivals::Closed => {}
    }
    Ok(())
}

struct Shared {
    address: SocketAddr,
    /// Set for a closed loop only.
    closed_until: Option<Instant>,
    requests: Arc<Mutex<RequestSet>>,
    tally: Mutex<Tally>,
    /// Moments at which requests were due and that no connection has taken yet.
    queue: Mutex<VecDeque<Instant>>,
    arrived: Semaphore,
}

#[derive(Default)]
struct Tally {
    report: LoadReport,
    sent: u64,
    last: Option<Instant>,
}

impl Shared {
    /// The moment the next request is due, once it is; `None` when there are no more.
    async fn next_due(&self) -> Option<Instant> {
        {
            let tally = self.tally.lock();
            if tally.report.exhausted || tally.report.errors >= MAX_ERRORS {
                return None;
            }
        }
        if let Some(until) = self.closed_until {
            let now = Instant::now();
            return (now < until && self.tally.lock().sent < MAX_REQUESTS).then_some(now);
        }
        // One permit per moment in the queue; the semaphore is never closed.
        self.arrived.acquire().await.ok()?.forget();
        self.queue.lock().pop_front()
    }

    fn record(&self, due: Instant, status: u16, body: &[u8], id: &RequestId) {
        let now = Instant::now();
        let expected = status == 200 && self.requests.lock().expect.holds(body, id);
        let mut tally = self.tally.lock();
        tally.last = Some(now);
        let report = &mut tally.report;
        report.requests += 1;
        report.latency.record(now - due);
        *report.statuses.entry(status).or_default() += 1;
        if !expected {
            report.wrong += u64::from(status == 200);
            report.first_wrong.get_or_insert_with(|| {
                let text: String = String::from_utf8_lossy(body).chars().take(300).collect();
                format!("HTTP {status}: {text}")
            });
        }
    }
}

async fn worker(shared: Arc<Shared>, mut connection: Connection) {
    let mut request = Vec::with_capacity(2048);
    while let Some(due) = shared.next_due().await {
        request.clear();
        let Some(id) = shared.requests.lock().render(&mut request) else {
            shared.tally.lock().report.exhausted = true;
            return;
        };
        shared.tally.lock().sent += 1;
        let closes = if let Ok(head) = connection.exchange(&request).await {
            shared.record(due, head.status, connection.body(), &id);
            head.closes
        } else {
            shared.tally.lock().report.errors += 1;
            true
        };
        if closes {
            let Ok(fresh) = Connection::open(shared.address).await else {
                return;
            };
            connection = fresh;
        }
    }
}

/// The schedule of an open loop.
struct Gaps {
    rate: u32,
    random: Option<ChaCha8Rng>,
}

impl Gaps {
    /// Time between an arrival and the next.
    fn next_gap(&mut self) -> Duration {
        let mean = 1.0 / f64::from(self.rate);
        let share = self.random.as_mut().map_or(1.0, |random| {
            // Inverse of the exponential distribution; 1 - x is never 0 here.
            -(1.0 - random.random::<f64>()).ln()
        });
        Duration::from_secs_f64(mean * share)
    }
}

/// Puts each arrival into the queue when it is due. The runtime's own timer ticks in whole
/// milliseconds, too coarse beside a limit of a few, so a thread of its own sleeps here; it
/// wakes some 60 µs late, which counts as latency.
fn pace(shared: &Shared, mut gaps: Gaps, start: Instant, duration: Duration) {
    let end = start + duration;
    let mut due = start + gaps.next_gap();
    while due < end && shared.tally.lock().report.errors < MAX_ERRORS {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let now = Instant::now();
        while due <= now && due < end {
            shared.queue.lock().push_back(due);
            shared.arrived.add_permits(1);
            due += gaps.next_gap();
        }
    }
    // A permit without a moment in the queue tells a connection that there are no more.
    shared.arrived.add_permits(MAX_CONNECTIONS);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_keep_their_rate() {
        for random in [None, Some(ChaCha8Rng::seed_from_u64(1))] {
            let mut gaps = Gaps { rate: 5000, random };
            let total: Duration = (0..50_000).map(|_| gaps.next_gap()).sum();
            assert!((9.8..10.2).contains(&total.as_secs_f64()), "{total:?}");
        }
    }

    #[test]
    fn a_load_with_any_fault_is_not_clean() {
        let answered = |status| LoadReport {
            requests: 1,
            statuses: BTreeMap::from([(status, 1)]),
            ..LoadReport::default()
        };
        assert!(answered(200).is_clean());
        assert!(!answered(429).is_clean());
        assert!(!LoadReport::default().is_clean());
        assert!(!LoadReport { wrong: 1, ..answered(200) }.is_clean());
        assert!(!LoadReport { unanswered: 1, ..answered(200) }.is_clean());
    }
}
