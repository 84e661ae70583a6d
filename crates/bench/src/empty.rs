//! The empty handler: the same HTTP stack as the program, reading the whole body and answering
//! a fixed one. What it costs is what HTTP itself costs.
//!
//! The stack is hyper's HTTP/1 under an axum router with accept loop, socket options and buffer
//! bound as in `crates/server/src/serve.rs` and `crates/server/src/tls/connection.rs`, over plain
//! HTTP. What the program adds to it counts as the program's: limits of connections and of time,
//! the caller's address, figures of requests. This room may not use the server's; a change of the
//! builder there has to be repeated here.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use axum::routing::post;
use bytes::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tower_service::Service as _;

/// Longest answer the empty handler gives, in bytes.
pub const MAX_ANSWER: usize = 1 << 20;

/// Connections that may wait to be accepted, as in the program.
const BACKLOG: u32 = 4_096;
/// Bytes of a connection's buffer: the program's `http.maxHeaderBytes` by default.
const HEADER_BYTES: usize = 16_384;

/// Serves on 127.0.0.1 until the process is ended; prints `ready http://…` once it listens.
/// Port 0 takes a free one.
pub async fn serve(port: u16, answer_bytes: usize, content_type: &str) -> anyhow::Result<()> {
    anyhow::ensure!(answer_bytes <= MAX_ANSWER, "an answer has at most {MAX_ANSWER} bytes");
    let content_type = HeaderValue::from_str(content_type).context("--content-type")?;
    let answer = Bytes::from(vec![b'x'; answer_bytes]);
    let handler = move |body: Bytes| {
        let (content_type, answer) = (content_type.clone(), answer.clone());
        async move {
            std::hint::black_box(body);
            let mut response = Response::new(Body::from(answer));
            response.headers_mut().insert(header::CONTENT_TYPE, content_type);
            response
        }
    };
    // The program's own paths are routed as the program routes them; other loads may use any.
    let router = Router::new()
        .route("/api/v1/citizens/verify", post(handler.clone()))
        .route("/soap/dancu", post(handler.clone()))
        .fallback(handler);
    let listener = listen(port)?;
    println!("ready http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let router = router.clone();
        tokio::spawn(async move {
            // A refused option costs latency, not correctness.
            let _ = stream.set_nodelay(true);
            // A connection that breaks is the generator's to tell.
            let _ = drive(router, stream).await;
        });
    }
}

fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], port)))?;
    Ok(socket.listen(BACKLOG)?)
}

/// Answers the requests of a connection until it ends.
async fn drive(router: Router, stream: TcpStream) -> hyper::Result<()> {
    let service = service_fn(move |request| router.clone().call(request));
    http1::Builder::new()
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

/// An empty handler in a process of its own, ended when dropped.
pub struct EmptyServer {
    child: Child,
    /// Where it listens, `http://127.0.0.1:PORT`.
    pub base_url: String,
}

impl EmptyServer {
    /// Starts this very program as `empty` on a free port and waits until it listens.
    pub fn start(answer_bytes: usize, content_type: &str) -> anyhow::Result<Self> {
        let child = Command::new(std::env::current_exe()?)
            .args(["empty", "--port", "0", "--answer-bytes", &answer_bytes.to_string()])
            .args(["--content-type", content_type])
            .stdout(Stdio::piped())
            .spawn()
            .context("the empty handler does not start")?;
        let mut server = Self { child, base_url: String::new() };
        let stdout = server.child.stdout.take().context("the empty handler has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let url = line.trim_end().strip_prefix("ready ");
        server.base_url.push_str(url.context("the empty handler did not say that it is ready")?);
        Ok(server)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for EmptyServer {
    fn drop(&mut self) {
        // It may have ended already; nothing is left to do then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
