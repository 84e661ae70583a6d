//! Requests to an identity provider: few, small, and never in the way of anything else.
//!
//! Everything together takes a few seconds at most, whatever the other side does.

use std::time::Duration;

use anyhow::ensure;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use dancu_access::oidc::ANSWER_MAX;
use tokio::net::TcpStream;
use zeroize::Zeroizing;

pub use crate::outgoing::Error;
use crate::outgoing::Trust;

/// A request with its answer takes so long at most: who waits is a person before a page.
const WAIT: Duration = Duration::from_secs(10);
/// A request.
pub struct Sent<'a> {
    /// https, or http on this machine.
    pub address: &'a str,
    /// `Authorization`.
    pub authorization: Option<&'a str>,
    /// A form to post; without one it is a `GET`.
    pub form: Option<&'a str>,
}

impl<'a> Sent<'a> {
    /// A document.
    pub fn get(address: &'a str) -> Self {
        Self { address, authorization: None, form: None }
    }
}

/// An answer. It has no debug output: tokens stand in it.
pub struct Answered {
    /// One of those that were waited for.
    pub status: StatusCode,
    /// No longer than [`ANSWER_MAX`].
    pub body: Zeroizing<Vec<u8>>,
}

/// What requests are sent with.
pub struct Http {
    trust: Trust,
    wait: Duration,
}

impl Http {
    /// Trusts the CAs of a file, or those of the system. An issuer on this machine needs none.
    ///
    /// # Errors
    /// A file without certificates.
    pub fn open(file: Option<&std::path::Path>, needed: bool) -> anyhow::Result<Self> {
        let trust = Trust::open(file)?;
        ensure!(
            trust.any || !needed,
            "không có CA nào để tin khi gọi nơi định danh điện tử: đặt identity.caFile (no CA to \
             trust)"
        );
        Ok(Self { trust, wait: WAIT })
    }

    /// The body of the answer, which has to be a 200.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn send(&self, sent: Sent<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.answered(sent, &[StatusCode::OK]).await.map(|answer| answer.body)
    }

    /// The answer, which has to have one of these statuses.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn answered(
        &self,
        sent: Sent<'_>,
        statuses: &[StatusCode],
    ) -> Result<Answered, Error> {
        match tokio::time::timeout(self.wait, self.exchange(sent, statuses)).await {
            Ok(answer) => {
                answer.map(|(status, body)| Answered { status, body: Zeroizing::new(body.into()) })
            }
            Err(_) => Err(Error::Slow),
        }
    }

    async fn exchange(
        &self,
        sent: Sent<'_>,
        statuses: &[StatusCode],
    ) -> Result<(StatusCode, Bytes), Error> {
        let uri: Uri = sent.address.parse().map_err(|_| Error::Connection)?;
        let host = uri.host().ok_or(Error::Connection)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let request = request(&uri, &sent).ok_or(Error::Connection)?;
        let stream = TcpStream::connect((bare, port)).await.map_err(|_| Error::Connection)?;
        let wanted = |status| statuses.contains(&status);
        let to = (stream, bare, secure);
        let (status, body) = self.trust.send(to, request, wanted, ANSWER_MAX).await?;
        Ok((status, body?))
    }
}

fn request(uri: &Uri, sent: &Sent<'_>) -> Option<Request<Body>> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let host = uri.authority()?.as_str();
    let mut request = Request::builder()
        .method(if sent.form.is_some() { Method::POST } else { Method::GET })
        .uri(path)
        .header(header::HOST, host)
        .header(header::ACCEPT, "application/json")
        .header(header::CONNECTION, "close");
    if let Some(text) = sent.authorization {
        let mut value = HeaderValue::from_str(text).ok()?;
        value.set_sensitive(true);
        request = request.header(header::AUTHORIZATION, value);
    }
    let body = match sent.form {
        Some(form) => {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            Body::from(form.to_owned())
        }
        None => Body::empty(),
    };
    request.body(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// Answers one request with these bytes; what was asked.
    async fn asked(answer: Vec<u8>, form: Option<&str>) -> (Result<Vec<u8>, Error>, String) {
        let (answer, sent) = asked_for(answer, form, &[StatusCode::OK]).await;
        (answer.map(|answer| answer.body.to_vec()), sent)
    }

    async fn asked_for(
        answer: Vec<u8>,
        form: Option<&str>,
        statuses: &[StatusCode],
    ) -> (Result<Answered, Error>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/x?y=1", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut read = vec![0; 4_096];
            let n = stream.read(&mut read).await.unwrap();
            let _ = stream.write_all(&answer).await;
            String::from_utf8_lossy(&read[..n]).into_owned()
        });
        let http = Http::open(None, false).unwrap();
        let sent = Sent { address: &address, authorization: Some("Basic eA=="), form };
        let answer = http.answered(sent, statuses).await;
        (answer, server.await.unwrap())
    }

    fn answer(status: &str, body: &str) -> Vec<u8> {
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    #[tokio::test]
    async fn a_form_goes_out_and_its_answer_comes_back() {
        let (body, sent) = asked(answer("200 OK", "{}"), Some("a=1")).await;
        assert_eq!(body.unwrap(), b"{}");
        assert!(sent.starts_with("POST /x?y=1 HTTP/1.1\r\n"), "{sent}");
        assert!(sent.contains("authorization: Basic eA==\r\n") && sent.contains("a=1"));
        let (_, sent) = asked(answer("200 OK", "{}"), None).await;
        assert!(sent.starts_with("GET /x?y=1 "));
    }

    #[tokio::test]
    async fn what_is_no_answer_is_an_error() {
        let (moved, _) = asked(answer("302 Found\r\nLocation: http://127.0.0.1/", ""), None).await;
        assert_eq!(moved.unwrap_err(), Error::Status(StatusCode::FOUND), "not followed");
        let (large, _) = asked(answer("200 OK", &"x".repeat(ANSWER_MAX + 1)), None).await;
        assert_eq!(large.unwrap_err(), Error::Large);
        for broken in [&b"\0\0\0\0"[..], b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"] {
            let (answer, _) = asked(broken.to_vec(), None).await;
            assert_eq!(answer.unwrap_err(), Error::Broken);
        }
        let http = Http::open(None, false).unwrap();
        let nobody = http.send(Sent::get("http://127.0.0.1:1/")).await;
        assert_eq!(nobody.unwrap_err(), Error::Connection);
    }

    #[tokio::test]
    async fn a_refusal_is_read_where_it_is_waited_for() {
        let both = [StatusCode::OK, StatusCode::BAD_REQUEST];
        let sent =
            async |status: &str, body: &str| asked_for(answer(status, body), None, &both).await.0;
        let refused = sent("400 Bad Request", "{}").await.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((refused.status, &refused.body[..]), (StatusCode::BAD_REQUEST, &b"{}"[..]));
        assert_eq!(sent("200 OK", "{}").await.map(|answer| answer.status), Ok(StatusCode::OK));
        let other = sent("401 Unauthorized", "{}").await.map(drop);
        assert_eq!(other, Err(Error::Status(StatusCode::UNAUTHORIZED)));
        let long = sent("400 Bad Request", &"x".repeat(ANSWER_MAX + 1)).await.map(drop);
        assert_eq!(long, Err(Error::Large));
    }

    #[tokio::test]
    async fn an_unknown_certificate_is_not_trusted() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        });
        let http = Http::open(None, false).unwrap();
        assert_eq!(http.send(Sent::get(&address)).await.unwrap_err(), Error::Tls);
    }

    #[tokio::test]
    async fn whoever_answers_nothing_is_not_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let http = Http { wait: Duration::from_millis(50), ..Http::open(None, false).unwrap() };
        assert_eq!(http.send(Sent::get(&address)).await.unwrap_err(), Error::Slow);
        drop(listener);
    }
}
