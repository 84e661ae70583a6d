//! What is left of a request's body when its answer is ready, as where a token is refused before
//! anything else is read. A connection that is closed while bytes of it are still on their way is
//! reset, and its sender may never see the answer: so the rest is read and thrown away, within
//! bounds.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::{Request, header};
use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};
use parking_lot::Mutex;

/// Bytes of a body that are read for nothing: four times the largest question. Whoever sends more
/// is cut off; a file of a batch that is refused need not come.
const LEFT_MAX: usize = 256 * 1024;
/// How long an answer waits for them: what is on its way arrives within that, on poor lines too.
const LEFT_WAIT: Duration = Duration::from_secs(2);

/// Where a body goes that was not read to its end.
#[derive(Default)]
pub struct Leftover(Option<Arc<Mutex<Option<Incoming>>>>);

/// A request's body in the hands of its handler.
struct Lent {
    body: Option<Incoming>,
    left: Arc<Mutex<Option<Incoming>>>,
}

/// Gives a request to its handler, and keeps the way back of its body.
pub fn lend(request: Request<Incoming>) -> (Request<Body>, Leftover) {
    // Who waits to be asked for the body sends none where it is refused.
    let waits = request.headers().contains_key(header::EXPECT);
    if waits || request.body().is_end_stream() {
        return (request.map(Body::new), Leftover::default());
    }
    let left = Arc::<Mutex<Option<Incoming>>>::default();
    let leftover = Leftover(Some(left.clone()));
    (request.map(|body| Body::new(Lent { body: Some(body), left })), leftover)
}

impl Leftover {
    /// Reads what the handler left and throws it away, within its bounds.
    pub async fn read(self) {
        let Some(body) = self.0.and_then(|left| left.lock().take()) else { return };
        // Boxed: it runs where something was refused, and must not make each connection larger.
        let _ = tokio::time::timeout(LEFT_WAIT, Box::pin(thrown_away(body))).await;
    }
}

async fn thrown_away(mut body: Incoming) {
    let mut read = 0;
    while read <= LEFT_MAX {
        let next = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        let Some(Ok(frame)) = next else { return };
        read += frame.data_ref().map_or(0, Bytes::len);
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::new, Incoming::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let body = self.body.take().filter(|body| !body.is_end_stream());
        if body.is_some() {
            *self.left.lock() = body;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::post;
    use tokio::net::TcpListener;

    use crate::proxy::Proxies;
    use crate::tls::config::HttpConfig;
    use crate::tls::connection::{self, Door, Drain};

    use super::*;

    /// Refuses everything before its body is read.
    fn refusing() -> (tokio::runtime::Runtime, TcpStream) {
        let runtime = crate::serve::runtime().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let http = HttpConfig::default();
        let router = Router::new()
            .route("/", post(async |body: Body| (StatusCode::UNAUTHORIZED, drop(body)).0));
        let proxies = Proxies::new(&http);
        let door = Door { router, http, proxies, tls: None, hsts: None, drain: Drain::default() };
        runtime.spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                connection::serve(&door, stream, peer).await;
            }
        });
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        (runtime, stream)
    }

    fn head(length: usize, more: &str) -> String {
        format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{more}\r\n")
    }

    fn status(stream: &mut TcpStream) -> String {
        let (mut bytes, mut byte) = (vec![], [0]);
        while !bytes.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            bytes.push(byte[0]);
        }
        String::from_utf8(bytes).unwrap().lines().next().unwrap().to_owned()
    }

    /// The head is refused at once; the body comes later, in parts, as over a slow line.
    #[test]
    fn a_refusal_is_seen_by_who_still_sends_and_the_connection_goes_on() {
        let (_runtime, mut stream) = refusing();
        for length in [1, 60_000, LEFT_MAX] {
            stream.write_all(head(length, "").as_bytes()).unwrap();
            let body = vec![b'x'; length];
            for part in body.chunks(length.div_ceil(4)) {
                std::thread::park_timeout(Duration::from_millis(40));
                stream.write_all(part).unwrap();
            }
            assert_eq!(status(&mut stream), "HTTP/1.1 401 Unauthorized");
        }
    }

    #[test]
    fn nobody_is_waited_for_who_waits_to_be_asked_or_sends_without_end() {
        let (_runtime, mut stream) = refusing();
        stream.write_all(head(9, "Expect: 100-continue\r\n").as_bytes()).unwrap();
        assert_eq!(status(&mut stream), "HTTP/1.1 401 Unauthorized", "and not asked for its body");
        let (_runtime, mut stream) = refusing();
        stream.write_all(head(1 << 30, "").as_bytes()).unwrap();
        let part = vec![b'x'; 65_536];
        let mut sent = 0;
        while stream.write_all(&part).is_ok() {
            sent += part.len();
            assert!(sent < 1 << 28, "it reads on and on");
        }
    }
}
