//! Protection from what a system does beside its questions: reading about itself, asking for
//! tokens. The rule on pace (D7) has figures for accounts and their questions; the pace of a system
//! beside them is ours, so that none slows the others down.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::Response;
use dancu_domain::ids::SystemId;
use dancu_domain::moment::Moment;
use dancu_domain::pace::PaceState;
use dancu_domain::profile::Pace;
use dancu_domain::registration::System;
use dancu_wire::rest::HttpProblem;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::peer::Peer;
use super::rest::authenticated;
use super::{fresh, problem};
use crate::app::{App, Shared};

/// What one system may ask beside its questions: 20 pages of 500 entries a second bring a day of
/// 1.4 million entries in three minutes.
const BESIDE: Pace = Pace { burst: 300, per_minute: 1_200, persons_per_minute: 0 };
/// Account lists that one system may send: a burst of 12, then one each ten minutes. Each is
/// parsed, compared with the whole list, and stored; a unit changes a few times a day (B6).
const LISTS: Pace = Pace { burst: 12, per_minute: 1, persons_per_minute: 0 };
/// A pace counts by the minute: in time that runs ten times slower one a minute is six an hour.
const LISTS_SLOWER: i64 = 10;
/// How long a long read waits for its turn before it is refused.
const WAIT: Duration = Duration::from_secs(2);

/// How long a page of a file waits for its turn: whoever fetches a file waits for it, and a file
/// that ends short has to be fetched again.
const FILE_WAIT: Duration = Duration::from_secs(30);

/// The pace of each system, and places for long reads.
pub struct Reads {
    pace: Mutex<HashMap<SystemId, PaceState>>,
    lists: Mutex<HashMap<SystemId, PaceState>>,
    places: Arc<Semaphore>,
}

impl Default for Reads {
    fn default() -> Self {
        // Half of the machine: questions go on meanwhile.
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let places = Arc::new(Semaphore::new((cores / 2).clamp(1, 3)));
        Self { pace: Mutex::default(), lists: Mutex::default(), places }
    }
}

impl Reads {
    /// Admits a request of a system, or says with 429 (D7) when to come again.
    #[expect(clippy::result_large_err, reason = "the error is the answer, sent as it is")]
    pub fn admit(&self, system: SystemId, at: Moment) -> Result<(), Response> {
        let mut pace = self.pace.lock();
        let admitted = pace.entry(system).or_default().admit(BESIDE, at, 0);
        admitted.map_err(|_| problem(HttpProblem::TooOften))
    }

    /// Admits an account list of a system, or says with 429 when to come again.
    #[expect(clippy::result_large_err, reason = "the error is the answer, sent as it is")]
    pub fn admit_list(&self, system: SystemId, at: Moment) -> Result<(), Response> {
        let mut lists = self.lists.lock();
        let slower = Moment(at.0 / LISTS_SLOWER);
        let admitted = lists.entry(system).or_default().admit(LISTS, slower, 0);
        admitted.map_err(|_| problem(HttpProblem::TooOften))
    }

    /// Reads away from the threads that questions run on, a few at a time; 503 where no turn
    /// comes.
    pub async fn long<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Response> {
        self.within(WAIT, read).await
    }

    /// The same for a page of a file that is under way, which waits longer.
    pub async fn page_of_file<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Response> {
        self.within(FILE_WAIT, read).await
    }

    async fn within<T: Send + 'static>(
        &self,
        wait: Duration,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Response> {
        let busy = || problem(HttpProblem::Unavailable);
        let place = tokio::time::timeout(wait, self.places.clone().acquire_owned()).await;
        let Ok(Ok(place)) = place else { return Err(busy()) };
        let done = tokio::task::spawn_blocking(move || {
            // A reader that leaves gives its place back only when its read is over.
            let _place = place;
            read()
        });
        done.await.map_err(|_| problem(HttpProblem::Internal))
    }
}

/// The system that reads about itself, if it may now.
pub async fn admitted(app: &App, peer: Peer, headers: &HeaderMap) -> Result<Arc<System>, Response> {
    let now = app.clock.now();
    let system = authenticated(app, peer, headers, now).await?;
    app.reads.admit(system.id, now)?;
    fresh(app, peer, &system, now).await
}

/// What a system reads about itself, away from the threads that questions run on; 404 where there
/// is no such thing.
pub async fn own<T: Send + 'static>(
    app: &Shared,
    peer: Peer,
    headers: &HeaderMap,
    read: impl FnOnce(&App, &System) -> dancu_store::Result<Option<T>> + Send + 'static,
) -> Result<T, Response> {
    let system = admitted(app, peer, headers).await?;
    let reader = app.clone();
    match app.reads.long(move || read(&reader, &system)).await? {
        Ok(Some(found)) => Ok(found),
        Ok(None) => Err(problem(HttpProblem::NotFound)),
        Err(error) => Err(failed(&error)),
    }
}

/// 503: what a system asked about itself could not be read.
pub fn failed(error: &dancu_store::Error) -> Response {
    tracing::error!(error = %error, "what a system asked about itself could not be read");
    problem(HttpProblem::Unavailable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_has_its_own_pace() {
        let reads = Reads::default();
        let at = Moment(1_772_416_800_000);
        let admitted = (0..500).filter(|_| reads.admit(SystemId(1), at).is_ok()).count();
        assert_eq!(admitted, 300);
        assert_eq!(reads.admit(SystemId(1), at).unwrap_err().status(), 429);
        assert!(reads.admit(SystemId(2), at).is_ok());
        let second = (1..=1_000).filter(|ms| reads.admit(SystemId(1), at.plus_ms(*ms)).is_ok());
        assert!((19..=21).contains(&second.count()));
    }

    #[test]
    fn a_system_sends_a_few_lists_an_hour() {
        let (reads, at) =
            (Reads::default(), Moment::parse_rfc3339("2026-03-09T01:00:00Z").unwrap());
        let sent = |from: i64, to: i64| {
            let minutes = (from..to).map(|n| at.plus_ms(n * 60_000));
            minutes.filter(|at| reads.admit_list(SystemId(1), *at).is_ok()).count()
        };
        let burst = (0..100).filter(|_| reads.admit_list(SystemId(1), at).is_ok());
        assert_eq!(burst.count(), 12);
        assert!((5..=7).contains(&sent(0, 61)));
        assert!(reads.admit_list(SystemId(2), at).is_ok(), "each for itself");
    }

    #[tokio::test]
    async fn long_reads_wait_for_a_place() {
        let reads = Reads { places: Arc::new(Semaphore::new(1)), ..Reads::default() };
        let held = reads.places.clone().acquire_owned().await.unwrap();
        assert_eq!(reads.long(|| 1).await.unwrap_err().status(), 503);
        drop(held);
        assert_eq!(reads.long(|| 1).await.unwrap(), 1);
        // A page of a file waits where a single read does not.
        let held = reads.places.clone().acquire_owned().await.unwrap();
        let release = async {
            tokio::time::sleep(WAIT + Duration::from_millis(200)).await;
            drop(held);
        };
        assert_eq!(tokio::join!(reads.page_of_file(|| 2), release).0.unwrap(), 2);
    }
}
