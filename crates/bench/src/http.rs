//! HTTP/1.1 as a client that sends prepared bytes and reads just enough of the answer.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longest answer read, in bytes: a page of a journal stays far below it.
const MAX_ANSWER: usize = 64 << 20;
/// First size of a connection's read buffer, in bytes: a verify answer with its head fits.
const READ_BUFFER: usize = 4096;

/// Takes `http://127.0.0.1:PORT[/path]` apart. Other machines are refused: loads stay here.
pub fn local_address(url: &str) -> anyhow::Result<(SocketAddr, String)> {
    let rest = url.strip_prefix("http://").context("the address begins with http://")?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
    anyhow::ensure!(
        host == "127.0.0.1" || host == "localhost",
        "loads go to 127.0.0.1 only, not to {host}"
    );
    let port = port.parse().context("the address's port")?;
    Ok((SocketAddr::from((Ipv4Addr::LOCALHOST, port)), path.to_owned()))
}

/// Bytes of a request: start line, Host, the headers given, Content-Length, body.
pub fn render(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    for (name, value) in headers {
        text.push_str(name);
        text.push_str(": ");
        text.push_str(value);
        text.push_str("\r\n");
    }
    if method != "GET" {
        text.push_str("Content-Length: ");
        text.push_str(&body.len().to_string());
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

/// A whole answer of a single call.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Value of Content-Type, empty when absent.
    pub content_type: String,
    /// The body, chunks put together.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON, if the status was 200.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> anyhow::Result<T> {
        anyhow::ensure!(self.status == 200, "HTTP {}: {}", self.status, self.excerpt());
        serde_json::from_slice(&self.body).context("the answer is not the JSON expected")
    }

    /// The beginning of the body, for an error message.
    pub fn excerpt(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(300).collect()
    }
}

/// One request on a connection of its own.
pub async fn call(address: SocketAddr, request: &[u8]) -> anyhow::Result<Answer> {
    let mut connection = Connection::open(address).await?;
    let head = connection.exchange(request).await?;
    Ok(Answer {
        status: head.status,
        content_type: connection.header("content-type").unwrap_or_default(),
        body: connection.body().to_vec(),
    })
}

/// Status of an answer whose body stays in its connection.
#[derive(Clone, Copy)]
pub struct Head {
    /// HTTP status.
    pub status: u16,
    /// The server closes after this answer.
    pub closes: bool,
}

/// A keep-alive connection with one request in flight at a time.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
    head_bytes: usize,
    body: Body,
}

enum Body {
    Plain { start: usize, end: usize },
    Joined(Vec<u8>),
}

impl Connection {
    /// Opens a connection without Nagle's delay.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; READ_BUFFER],
            filled: 0,
            head_bytes: 0,
            body: Body::Plain { start: 0, end: 0 },
        })
    }

    /// Sends a request and reads its whole answer.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Head> {
        self.filled = 0;
        self.stream.write_all(request).await?;
        loop {
            if self.filled == self.buffer.len() {
                if self.filled >= MAX_ANSWER {
                    return Err(io::Error::other("the answer is too long"));
                }
                self.buffer.resize(self.filled * 2, 0);
            }
            let read = self.stream.read(&mut self.buffer[self.filled..]).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.filled += read;
            if let Some(parsed) = parse(&self.buffer[..self.filled])? {
                self.head_bytes = parsed.head_bytes;
                self.body = parsed.body;
                return Ok(parsed.head);
            }
        }
    }

    /// The body of the last answer.
    pub fn body(&self) -> &[u8] {
        match &self.body {
            Body::Plain { start, end } => &self.buffer[*start..*end],
            Body::Joined(bytes) => bytes,
        }
    }

    /// A header of the last answer; `name` in lower case.
    fn header(&self, name: &str) -> Option<String> {
        let head = std::str::from_utf8(&self.buffer[..self.head_bytes]).ok()?;
        head.split("\r\n").find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
}

struct Parsed {
    head: Head,
    head_bytes: usize,
    body: Body,
}

/// The answer at the start of `bytes`, or `None` while some of it is missing.
fn parse(bytes: &[u8]) -> io::Result<Option<Parsed>> {
    let Some(head_bytes) = find(bytes, b"\r\n\r\n").map(|at| at + 4) else {
        return Ok(None);
    };
    let invalid = || io::Error::other("the answer is not HTTP/1.1");
    let head_text = std::str::from_utf8(&bytes[..head_bytes]).map_err(|_| invalid())?;
    let mut lines = head_text.split("\r\n");
    let status_line = lines.next().ok_or_else(invalid)?;
    let status = status_line.get(9..12).and_then(|code| code.parse().ok()).ok_or_else(invalid)?;
    let (mut length, mut chunked, mut closes) = (0, false, false);
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().map_err(|_| invalid())?;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = value.eq_ignore_ascii_case("chunked");
        } else if name.eq_ignore_ascii_case("connection") {
            closes = value.eq_ignore_ascii_case("close");
        }
    }
    let head = Head { status, closes };
    let body = if chunked {
        join_chunks(&bytes[head_bytes..])?.map(Body::Joined)
    } else {
        let end = head_bytes + length;
        (bytes.len() >= end).then_some(Body::Plain { start: head_bytes, end })
    };
    Ok(body.map(|body| Parsed { head, head_bytes, body }))
}

fn join_chunks(mut rest: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut joined = Vec::new();
    loop {
        let Some(line_end) = find(rest, b"\r\n") else {
            return Ok(None);
        };
        let size = std::str::from_utf8(&rest[..line_end])
            .ok()
            .and_then(|line| line.split(';').next())
            .and_then(|digits| usize::from_str_radix(digits.trim(), 16).ok())
            .filter(|size| *size <= MAX_ANSWER)
            .ok_or_else(|| io::Error::other("a chunk has no length"))?;
        let data = &rest[line_end + 2..];
        if data.len() < size + 2 {
            return Ok(None);
        }
        if size == 0 {
            return Ok(Some(joined));
        }
        joined.extend_from_slice(&data[..size]);
        rest = &data[size + 2..];
    }
}

/// Where `needle` begins in `hay`.
pub fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body_of(text: &str) -> Option<(u16, Vec<u8>)> {
        let parsed = parse(text.as_bytes()).unwrap()?;
        let body = match parsed.body {
            Body::Plain { start, end } => text.as_bytes()[start..end].to_vec(),
            Body::Joined(bytes) => bytes,
        };
        Some((parsed.head.status, body))
    }

    #[test]
    fn an_answer_is_complete_with_its_last_byte_only() {
        for text in [
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
             2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
        ] {
            for end in 0..text.len() {
                assert!(body_of(&text[..end]).is_none(), "complete after {end} bytes");
            }
            assert_eq!(body_of(text), Some((200, b"hello".to_vec())));
        }
    }

    #[test]
    fn what_is_not_http_is_an_error() {
        assert!(parse(b"HTTP/1.1 2x0 OK\r\n\r\n").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n").is_err());
    }

    #[test]
    fn loads_stay_on_this_machine() {
        assert!(local_address("http://example.org/").is_err());
        assert!(local_address("http://127.0.0.1.example.org/").is_err());
        let (address, path) = local_address("http://localhost:81/soap/dancu?wsdl").unwrap();
        assert_eq!((address.port(), path.as_str()), (81, "/soap/dancu?wsdl"));
    }
}
