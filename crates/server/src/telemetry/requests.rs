//! Requests by route: how many, with which class of status, how long, how many under way.
//!
//! A route gets its number when the router is built; a request then adds to four counters that
//! only threads of the same shard touch, formats nothing and allocates nothing. The matched route
//! is the label, never the path that was asked for: its cardinality is that of `routes.rs`.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use axum::routing::{delete, get, post, put};
use parking_lot::RwLock;

use crate::clock::steady;

/// Routes that are told apart; beyond that they share the last number.
pub const ROUTES_MAX: usize = 400;
/// Sets of counters: threads share one where there are more of them.
const SHARDS: usize = 16;
/// Upper bounds of the buckets in microseconds, around the 3 ms that a verification may take.
pub const BOUNDS_US: [u64; 15] = [
    250, 500, 1_000, 2_000, 3_000, 5_000, 7_500, 10_000, 25_000, 50_000, 100_000, 250_000,
    1_000_000, 2_500_000, 10_000_000,
];
/// Buckets with the last one, which has no bound.
pub const BUCKETS: usize = BOUNDS_US.len() + 1;
/// Classes of status, as labels; the last one counts callers who left before their answer.
pub const CLASSES: [&str; 5] = ["2xx", "3xx", "4xx", "5xx", "gone"];
const GONE: usize = CLASSES.len() - 1;

/// Method and path of each route, by its number.
static ROUTES: RwLock<Vec<(&'static str, &'static str)>> = RwLock::new(Vec::new());
/// Counters of each shard, one after the other.
static COUNTS: [Counts; SHARDS * ROUTES_MAX] = [const { Counts::new() }; SHARDS * ROUTES_MAX];
/// Requests under way, by shard.
static UNDER_WAY: [UnderWay; SHARDS] = [const { UnderWay(AtomicI64::new(0)) }; SHARDS];
static NEXT_SHARD: AtomicUsize = AtomicUsize::new(0);
thread_local! {
    static SHARD: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// The counters of some threads, by number.
#[derive(Clone, Copy)]
struct Shard(usize);

/// Aligned, as [`Counts`] are, so that no two shards share a cache line.
#[repr(align(128))]
struct UnderWay(AtomicI64);

#[repr(align(128))]
struct Counts {
    micros: AtomicU64,
    answers: [[AtomicU64; BUCKETS]; CLASSES.len()],
}

impl Shard {
    /// The shard of this thread.
    fn own() -> Self {
        let mut n = SHARD.get();
        if n == usize::MAX {
            n = NEXT_SHARD.fetch_add(1, Ordering::Relaxed) % SHARDS;
            SHARD.set(n);
        }
        Self(n)
    }

    fn under_way(self) -> &'static AtomicI64 {
        &UNDER_WAY[self.0].0
    }

    fn of_route(self, route: usize) -> &'static Counts {
        &COUNTS[self.0 * ROUTES_MAX + route]
    }
}

impl Counts {
    const fn new() -> Self {
        Self {
            micros: AtomicU64::new(0),
            answers: [const { [const { AtomicU64::new(0) }; BUCKETS] }; CLASSES.len()],
        }
    }
}

/// A router whose routes are measured. `Router::route` itself would leave them out.
pub trait Routes<S>: Sized {
    /// `GET` on a path.
    fn get<H: Handler<T, S>, T: 'static>(self, path: &'static str, handler: H) -> Self;
    /// `POST` on a path.
    fn post<H: Handler<T, S>, T: 'static>(self, path: &'static str, handler: H) -> Self;
    /// `DELETE` on a path.
    fn delete<H: Handler<T, S>, T: 'static>(self, path: &'static str, handler: H) -> Self;
    /// `PUT` on a path.
    fn put<H: Handler<T, S>, T: 'static>(self, path: &'static str, handler: H) -> Self;
    /// Paths that do not exist, counted together.
    fn nowhere<H: Handler<T, S>, T: 'static>(self, handler: H) -> Self;
    /// Methods that a path does not have, counted together.
    fn no_such_method<H: Handler<T, S>, T: 'static>(self, handler: H) -> Self;
}

impl<S: Clone + Send + Sync + 'static> Routes<S> for Router<S> {
    fn get<H: Handler<T, S>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.route(path, get(Timed::new("GET", path, handler)))
    }

    fn post<H: Handler<T, S>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.route(path, post(Timed::new("POST", path, handler)))
    }

    fn delete<H: Handler<T, S>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.route(path, delete(Timed::new("DELETE", path, handler)))
    }

    fn put<H: Handler<T, S>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.route(path, put(Timed::new("PUT", path, handler)))
    }

    fn nowhere<H: Handler<T, S>, T: 'static>(self, handler: H) -> Self {
        self.fallback(Timed::new("any", "no such path", handler))
    }

    fn no_such_method<H: Handler<T, S>, T: 'static>(self, handler: H) -> Self {
        self.method_not_allowed_fallback(Timed::new("any", "no such method", handler))
    }
}

/// The number of a route, the same one each time it is named.
fn number(method: &'static str, path: &'static str) -> usize {
    let mut routes = ROUTES.write();
    if let Some(n) = routes.iter().position(|r| *r == (method, path)) {
        return n;
    }
    if routes.len() == ROUTES_MAX {
        return ROUTES_MAX - 1;
    }
    routes.push((method, path));
    routes.len() - 1
}

/// A handler with its clock.
#[derive(Clone, Copy)]
pub struct Timed<H> {
    route: usize,
    handler: H,
}

impl<H> Timed<H> {
    fn new(method: &'static str, path: &'static str, handler: H) -> Self {
        Self { route: number(method, path), handler }
    }
}

impl<H: Handler<T, S>, T: 'static, S: 'static> Handler<T, S> for Timed<H> {
    type Future = TimedFuture<H::Future>;

    fn call(self, request: Request, state: S) -> Self::Future {
        // The clock starts before the handler is made: it may do its first work there.
        let running = Running::start(self.route);
        TimedFuture { answer: self.handler.call(request, state), running }
    }
}

pin_project_lite::pin_project! {
    /// An answer under way with its clock.
    pub struct TimedFuture<F> {
        #[pin]
        answer: F,
        running: Running,
    }
}

impl<F: Future<Output = Response>> Future for TimedFuture<F> {
    type Output = Response;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        let this = self.project();
        let answer = this.answer.poll(context);
        if let Poll::Ready(answer) = &answer {
            this.running.end(class(answer.status().as_u16()));
        }
        answer
    }
}

fn class(status: u16) -> usize {
    usize::from(status / 100).clamp(2, 5) - 2
}

/// A request under way. Dropped unanswered, it counts as a caller who left.
struct Running {
    route: usize,
    began: Instant,
    ended: bool,
}

impl Running {
    fn start(route: usize) -> Self {
        Shard::own().under_way().fetch_add(1, Ordering::Relaxed);
        Self { route, began: steady(), ended: false }
    }

    fn end(&mut self, class: usize) {
        self.ended = true;
        let micros = self.began.elapsed().as_micros() as u64;
        let bucket = BOUNDS_US.iter().position(|b| micros <= *b).unwrap_or(BUCKETS - 1);
        let shard = Shard::own();
        shard.under_way().fetch_sub(1, Ordering::Relaxed);
        let counts = shard.of_route(self.route);
        counts.micros.fetch_add(micros, Ordering::Relaxed);
        counts.answers[class][bucket].fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            self.end(GONE);
        }
    }
}

/// What was counted of a route since the start.
pub struct RouteFigures {
    /// `GET`, `POST`, …; `any` where it does not matter.
    pub method: &'static str,
    /// The path as the router knows it.
    pub path: &'static str,
    /// Answers by class and bucket, not summed up.
    pub answers: [[u64; BUCKETS]; CLASSES.len()],
    /// Microseconds over all answers.
    pub micros: u64,
}

impl RouteFigures {
    /// Answers of a class.
    pub fn of_class(&self, class: usize) -> u64 {
        self.answers[class].iter().sum()
    }

    /// Answers of a bucket, over the classes.
    pub fn in_bucket(&self, bucket: usize) -> u64 {
        self.answers.iter().map(|class| class[bucket]).sum()
    }
}

/// What was counted of every route, in the order of the router.
pub fn figures() -> Vec<RouteFigures> {
    let routes = ROUTES.read();
    let each = routes.iter().enumerate().map(|(n, (method, path))| {
        let mut figures =
            RouteFigures { method, path, answers: [[0; BUCKETS]; CLASSES.len()], micros: 0 };
        for counts in (0..SHARDS).map(|shard| Shard(shard).of_route(n)) {
            figures.micros += counts.micros.load(Ordering::Relaxed);
            for (sums, class) in figures.answers.iter_mut().zip(&counts.answers) {
                for (sum, count) in sums.iter_mut().zip(class) {
                    *sum += count.load(Ordering::Relaxed);
                }
            }
        }
        figures
    });
    each.collect()
}

/// Requests that were taken up and are not answered yet.
pub fn under_way() -> u64 {
    let sum: i64 = UNDER_WAY.iter().map(|s| s.0.load(Ordering::Relaxed)).sum();
    // Shards are read one after the other: an answer in between may show as less than none.
    sum.max(0).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> RouteFigures {
        figures().into_iter().find(|f| f.path == path).unwrap()
    }

    #[test]
    fn answers_are_counted_by_class_and_bucket() {
        let route = number("GET", "/counted");
        for status in [200, 204, 302, 404, 503, 101, 599] {
            Running::start(route).end(class(status));
        }
        drop(Running::start(route));
        let figures = of("/counted");
        let by_class: Vec<u64> = (0..CLASSES.len()).map(|c| figures.of_class(c)).collect();
        assert_eq!(by_class, [3, 1, 1, 2, 1]);
        assert_eq!((0..BUCKETS).map(|b| figures.in_bucket(b)).sum::<u64>(), 8);
        assert_eq!(number("GET", "/counted"), route, "a route keeps its number");
    }

    #[test]
    fn threads_add_up() {
        let route = number("GET", "/threads");
        std::thread::scope(|scope| {
            for _ in 0..40 {
                scope.spawn(|| (0..500).for_each(|_| Running::start(route).end(0)));
            }
        });
        assert_eq!(of("/threads").of_class(0), 20_000);
    }

    /// The budget of a request is 0.3 µs; the bound here leaves room for a busy machine. The
    /// figure itself is printed (`--nocapture`).
    #[test]
    fn counting_a_request_is_cheap() {
        const N: u32 = 1_000_000;
        let route = number("GET", "/cheap");
        let began = steady();
        (0..N).for_each(|_| Running::start(route).end(0));
        let nanos = began.elapsed().as_nanos() / u128::from(N);
        println!("{nanos} ns per request");
        assert!(nanos < 2_000, "{nanos} ns");
    }
}
