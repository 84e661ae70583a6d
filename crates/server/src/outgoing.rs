//! Requests that this program sends, to an identity provider and to receivers of webhooks: few,
//! small, and never in the way of anything else.
//!
//! One connection per request, and no redirect is followed.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, StatusCode};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::tls::material;

/// Where systems keep the CAs that they trust: Debian, Red Hat, SUSE, Alpine.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// No connection: no such host, refused.
    #[error("no connection")]
    Connection,
    /// The certificate is not trusted, or no common protocol.
    #[error("TLS")]
    Tls,
    /// Too slow.
    #[error("no answer in time")]
    Slow,
    /// No HTTP, or the connection broke.
    #[error("the answer broke off")]
    Broken,
    /// More than is read.
    #[error("the answer is too large")]
    Large,
    /// A status that nobody reads.
    #[error("status {0}")]
    Status(StatusCode),
}

/// What TLS connections are opened with.
pub struct Trust {
    connector: TlsConnector,
    /// Whether any CA is trusted.
    pub any: bool,
}

impl Trust {
    /// Trusts the CAs of a file, or those of the system.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        let found = file.or_else(|| SYSTEM_ROOTS.iter().map(Path::new).find(|path| path.is_file()));
        if let Some(path) = found {
            let unread = || format!("không đọc được {} (CA file)", path.display());
            let bytes = std::fs::read(path).with_context(unread)?;
            let all = CertificateDer::pem_slice_iter(&bytes).filter_map(Result::ok);
            roots.add_parsable_certificates(all);
        }
        let any = !roots.is_empty();
        let builder = ClientConfig::builder_with_provider(material::provider())
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?;
        let config = builder.with_root_certificates(roots).with_no_client_auth();
        Ok(Self { connector: Arc::new(config).into(), any })
    }

    /// Sends a request over a connection to a host: by TLS, with its certificate verified, where it
    /// is `secure`. Of the answers whose status is `wanted` at most so many bytes are read.
    ///
    /// # Errors
    /// [`Error`]; the status came also where the body could not be read.
    pub async fn send(
        &self,
        (stream, host, secure): (TcpStream, &str, bool),
        request: Request<Body>,
        wanted: impl Fn(StatusCode) -> bool,
        most: usize,
    ) -> Result<(StatusCode, Result<Bytes, Error>), Error> {
        if !secure {
            return over(stream, request, wanted, most).await;
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Error::Tls)?;
        let stream = self.connector.connect(name, stream).await.map_err(|_| Error::Tls)?;
        over(stream, request, wanted, most).await
    }
}

async fn over<S>(
    stream: S,
    request: Request<Body>,
    wanted: impl Fn(StatusCode) -> bool,
    most: usize,
) -> Result<(StatusCode, Result<Bytes, Error>), Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let shaken = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|_| Error::Broken)?;
    let exchange = async {
        let answer = sender.send_request(request).await.map_err(|_| Error::Broken)?;
        let (head, body) = answer.into_parts();
        if !wanted(head.status) {
            return Err(Error::Status(head.status));
        }
        let body = to_bytes(Body::new(body), most).await.map_err(|error| {
            let over = error.into_inner().to_string().contains("length limit");
            if over { Error::Large } else { Error::Broken }
        });
        Ok((head.status, body))
    };
    tokio::pin!(exchange);
    // The connection goes on while the answer is waited for, and ends with it.
    tokio::select! {
        answer = &mut exchange => answer,
        _ = connection => exchange.await,
    }
}
