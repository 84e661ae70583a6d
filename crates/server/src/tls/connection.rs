//! One connection: its handshake, its requests, and the watch over its time.
//!
//! A request pays for neither clock nor timer: the watch looks at what moved since it last looked,
//! a few times a minute. So a header is cut between one and one and a half times its limit.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, Response, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tower_service::Service as _;

use super::client::ClientCertificate;
use super::config::HttpConfig;
use super::{Tls, counts};
use crate::clock::{machine_ms, steady};
use crate::leftover;
use crate::proxy::Proxies;

/// Put on requests that came over TLS, to the server itself or to a proxy that is believed.
#[derive(Clone, Copy)]
pub struct Secure;

/// What all connections of a listener share.
pub struct Door {
    /// Routes.
    pub router: Router,
    /// Limits.
    pub http: HttpConfig,
    /// Proxies that are believed.
    pub proxies: Proxies,
    /// Certificates; `None`: plain HTTP.
    pub tls: Option<std::sync::Arc<Tls>>,
    /// Strict-Transport-Security of answers that went by TLS.
    pub hsts: Option<HeaderValue>,
    /// Whether connections shall end.
    pub drain: Drain,
}

/// Tells all connections at once that they shall end after what is under way.
#[derive(Default)]
pub struct Drain {
    begun: AtomicBool,
    told: Notify,
}

impl Drain {
    /// Begins.
    pub fn begin(&self) {
        self.begun.store(true, Ordering::Release);
        self.told.notify_waiters();
    }

    fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }
}

/// Serves a connection until it ends.
pub async fn serve(door: &Door, stream: TcpStream, peer: SocketAddr) {
    let trusted = door.proxies.trusts(peer.ip());
    let Some(tls) = &door.tls else {
        let caller = Caller { peer, trusted, secure: false, certificate: None, shown: None };
        return drive(door, stream, caller).await;
    };
    let begun = door.drain.told.notified();
    if door.drain.has_begun() {
        return;
    }
    // Before the handshake: a look that comes meanwhile is one that this connection has not seen.
    let looks = AtomicU64::new(tls.looks());
    let handshake = tokio::time::timeout(tls.handshake_limit(), tls.acceptor().accept(stream));
    let stream = tokio::select! {
        biased;
        end = handshake => match end {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return counts::handshake_failed(&error),
            Err(_) => return counts::handshakes_late(),
        },
        // Nothing was asked yet, so nothing is lost.
        () = begun => return,
    };
    counts::handshakes();
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    // A proxy's certificate is its own, not its callers'.
    let certificate = chain.first().filter(|_| !trusted).and_then(|c| ClientCertificate::of_der(c));
    let chain: Vec<_> = chain.iter().map(|c| c.clone().into_owned()).collect();
    let shown = (!chain.is_empty()).then_some(Shown { tls, chain, looks });
    let caller = Caller { peer, trusted, secure: true, certificate, shown };
    // Boxed: the state of a TLS stream would make the task of every plain connection larger.
    Box::pin(drive(door, stream, caller)).await;
}

/// Who is at the other end.
struct Caller<'a> {
    peer: SocketAddr,
    trusted: bool,
    secure: bool,
    certificate: Option<ClientCertificate>,
    shown: Option<Shown<'a>>,
}

/// The chain that the handshake verified, and when it was verified last.
struct Shown<'a> {
    tls: &'a Tls,
    chain: Vec<CertificateDer<'static>>,
    looks: AtomicU64,
}

impl Shown<'_> {
    /// Whether it is still good. It is verified once after each look at the files: a certificate
    /// that was revoked or has ended is not used for longer than `reloadSeconds`.
    fn holds(&self) -> bool {
        let looks = self.tls.looks();
        if self.looks.load(Ordering::Relaxed) == looks {
            return true;
        }
        let good = self.tls.still_admits(&self.chain, machine_ms());
        if good {
            self.looks.store(looks, Ordering::Relaxed);
        }
        good
    }
}

impl Caller<'_> {
    /// Puts address and certificate into the request's extensions; whether it came by TLS.
    fn enter(&self, door: &Door, request: &mut Request<Incoming>) -> bool {
        if !self.trusted {
            if let Some(certificate) = &self.certificate {
                request.extensions_mut().insert(certificate.clone());
            }
            request.extensions_mut().insert(ConnectInfo(self.peer));
            return self.secure;
        }
        let origin = door.proxies.origin(self.peer, request.headers());
        request.extensions_mut().insert(ConnectInfo(origin.address));
        if let Some(certificate) = origin.certificate {
            request.extensions_mut().insert(certificate);
        }
        self.secure || origin.secure
    }
}

/// Answers one request. Where the certificate of its connection is no longer good there is no
/// answer, as a handshake with it would end now.
async fn answer(
    door: &Door,
    pulse: &Pulse,
    caller: &Caller<'_>,
    mut request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    pulse.asked();
    if caller.shown.as_ref().is_some_and(|shown| !shown.holds()) {
        counts::closed_certificate();
        return Err(io::Error::from(io::ErrorKind::ConnectionAborted));
    }
    let secure = caller.enter(door, &mut request);
    if secure {
        request.extensions_mut().insert(Secure);
    }
    let (request, leftover) = leftover::lend(request);
    let Ok(mut response) = door.router.clone().call(request).await;
    leftover.read().await;
    pulse.answered();
    if let (true, Some(hsts)) = (secure, &door.hsts) {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, hsts.clone());
    }
    Ok(response)
}

/// Answers requests; watches that headers come in time and that nothing stays open for nothing.
async fn drive<T: AsyncRead + AsyncWrite + Unpin>(door: &Door, stream: T, caller: Caller<'_>) {
    let pulse = Pulse::new();
    let (pulse, caller) = (&pulse, &caller);
    let service = service_fn(move |request| answer(door, pulse, caller, request));
    let mut connection = pin!(
        http1::Builder::new()
            .max_buf_size(door.http.max_header_bytes as usize)
            .serve_connection(TokioIo::new(Watched { stream, pulse }), service)
    );
    let mut watch = Watch::new(&door.http);
    let mut alarm = pin!(tokio::time::sleep(watch.header));
    let mut begun = pin!(door.drain.told.notified());
    let (mut registered, mut draining) = (false, false);
    poll_fn(|cx| {
        if connection.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        if !registered {
            // Once is enough: a task's wakers all wake it, and it stays in one task.
            registered = polled(begun.as_mut(), cx).is_pending();
        }
        if !draining && door.drain.has_begun() {
            draining = true;
            connection.as_mut().graceful_shutdown();
            if pulse.is_untouched() || connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
        }
        while !watch.armed || alarm.is_elapsed() {
            watch.armed = true;
            if polled(alarm.as_mut(), cx).is_pending() {
                break;
            }
            let after = match watch.look(pulse) {
                Look::Again(after) => after,
                Look::Close(after) => {
                    counts::closed_idle();
                    connection.as_mut().graceful_shutdown();
                    if connection.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(());
                    }
                    after
                }
                Look::Cut => {
                    counts::cut_slow();
                    return Poll::Ready(());
                }
            };
            let next = alarm.deadline() + after;
            alarm.as_mut().reset(next);
            watch.armed = false;
        }
        Poll::Pending
    })
    .await;
}

/// Polls a timer or a notice so that it is registered even where the task has used up its share
/// of the thread: it is not polled again before it fires.
fn polled<F: Future<Output = ()>>(future: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<()> {
    Pin::new(&mut tokio::task::unconstrained(future)).poll(cx)
}

/// Between requests.
const IDLE: u8 = 0;
/// A request is being answered.
const BUSY: u8 = 1;
/// A header is arriving, or the first one is awaited.
const HEADER: u8 = 2;

/// What moved on a connection. Only its own task writes; atomics because tasks change threads.
struct Pulse {
    phase: AtomicU8,
    /// Reads and writes.
    moves: AtomicU32,
    /// Requests.
    asked: AtomicU32,
}

impl Pulse {
    fn new() -> Self {
        Self { phase: HEADER.into(), moves: 0.into(), asked: 0.into() }
    }

    fn asked(&self) {
        self.phase.store(BUSY, Ordering::Relaxed);
        add_one(&self.asked);
    }

    fn answered(&self) {
        self.phase.store(IDLE, Ordering::Relaxed);
    }

    fn moved(&self) {
        add_one(&self.moves);
    }

    fn read(&self) {
        self.moved();
        if self.phase.load(Ordering::Relaxed) == IDLE {
            self.phase.store(HEADER, Ordering::Relaxed);
        }
    }

    /// Whether not a single byte came yet.
    fn is_untouched(&self) -> bool {
        self.moves.load(Ordering::Relaxed) == 0
    }
}

/// One writer: no locked addition is needed.
fn add_one(counter: &AtomicU32) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

/// What the watch wants.
#[derive(PartialEq, Eq, Debug)]
enum Look {
    /// To look again after this time.
    Again(Duration),
    /// To end the connection in order, and to look again.
    Close(Duration),
    /// To end it at once.
    Cut,
}

/// Looks at a connection's pulse.
struct Watch {
    began: Instant,
    header: Duration,
    idle: Duration,
    /// Moves and requests at the last look.
    seen: (u32, u32),
    /// Since when the header that is arriving was seen to arrive, from the beginning on.
    arriving: Option<Duration>,
    idle_since: Duration,
    closing: bool,
    /// Whether the alarm is set.
    armed: bool,
}

impl Watch {
    fn new(http: &HttpConfig) -> Self {
        Self {
            began: steady(),
            header: Duration::from_secs(http.header_seconds.into()),
            idle: Duration::from_secs(http.idle_seconds.into()),
            seen: (0, 0),
            arriving: Some(Duration::ZERO),
            idle_since: Duration::ZERO,
            closing: false,
            armed: false,
        }
    }

    fn look(&mut self, pulse: &Pulse) -> Look {
        let now = steady().duration_since(self.began);
        let (moves, asked) = (&pulse.moves, &pulse.asked);
        let seen = (moves.load(Ordering::Relaxed), asked.load(Ordering::Relaxed));
        self.look_at(now, pulse.phase.load(Ordering::Relaxed), seen)
    }

    fn look_at(&mut self, now: Duration, phase: u8, seen: (u32, u32)) -> Look {
        let before = std::mem::replace(&mut self.seen, seen);
        // A header that begins right after a look is noticed after half of its time.
        let step = self.header / 2;
        if phase == HEADER {
            let since = self.arriving.filter(|_| before.1 == seen.1).unwrap_or(now);
            self.arriving = Some(since);
            let left = (since + self.header).saturating_sub(now);
            return if left.is_zero() { Look::Cut } else { Look::Again(left) };
        }
        self.arriving = None;
        if phase == BUSY || before != seen {
            // Handlers limit themselves; an answer that is being fetched is no idleness.
            self.idle_since = now;
            return Look::Again(step.min(self.idle));
        }
        let left = (self.idle_since + self.idle).saturating_sub(now);
        if !left.is_zero() {
            return Look::Again(left.min(step));
        }
        if std::mem::replace(&mut self.closing, true) {
            return Look::Cut;
        }
        Look::Close(self.header)
    }
}

/// A stream that tells the pulse what moves.
struct Watched<'a, T> {
    stream: T,
    pulse: &'a Pulse,
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<'_, T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.pulse.read();
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<'_, T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        if polled.is_ready() {
            self.pulse.moved();
        }
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        if polled.is_ready() {
            self.pulse.moved();
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u32) -> Duration {
        Duration::from_secs(n.into())
    }

    fn watch() -> Watch {
        Watch::new(&HttpConfig { header_seconds: 10, idle_seconds: 75, ..HttpConfig::default() })
    }

    #[test]
    fn a_slow_header_is_cut_and_a_new_one_has_its_whole_time() {
        let mut watch = watch();
        assert_eq!(watch.look_at(seconds(9), HEADER, (3, 0)), Look::Again(seconds(1)));
        assert_eq!(watch.look_at(seconds(10), HEADER, (9, 0)), Look::Cut);
        // One request later it is another header, even if both looks saw one arriving.
        assert_eq!(watch.look_at(seconds(10), HEADER, (9, 1)), Look::Again(seconds(10)));
        assert_eq!(watch.look_at(seconds(20), HEADER, (30, 1)), Look::Cut);
    }

    #[test]
    fn an_idle_connection_is_closed_and_then_cut() {
        let mut watch = watch();
        assert_eq!(watch.look_at(seconds(10), BUSY, (1, 1)), Look::Again(seconds(5)));
        assert_eq!(watch.look_at(seconds(15), IDLE, (2, 1)), Look::Again(seconds(5)));
        assert_eq!(watch.look_at(seconds(20), IDLE, (2, 1)), Look::Again(seconds(5)));
        assert_eq!(watch.look_at(seconds(87), IDLE, (2, 1)), Look::Again(seconds(3)));
        assert_eq!(watch.look_at(seconds(90), IDLE, (2, 1)), Look::Close(seconds(10)));
        assert_eq!(watch.look_at(seconds(100), IDLE, (2, 1)), Look::Cut);
    }

    #[test]
    fn an_answer_that_is_still_fetched_keeps_its_connection() {
        let mut watch = watch();
        for step in 1..100 {
            let look = watch.look_at(seconds(step * 10), IDLE, (step, 1));
            assert_eq!(look, Look::Again(seconds(5)));
        }
    }
}
