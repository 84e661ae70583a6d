//! Who is at the other end of a request.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::response::Response;
use dancu_access::certificate::Fingerprint;
use dancu_wire::rest::HttpProblem;

use super::problem;
use crate::tls::client::ClientCertificate;

/// Address and certificate of the caller, as the connection or a trusted proxy says them.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Address.
    pub address: SocketAddr,
    /// The verified client certificate, where one was shown.
    pub certificate: Option<Fingerprint>,
}

impl Peer {
    /// The address without its port.
    pub fn ip(&self) -> IpAddr {
        self.address.ip()
    }

    /// The certificate, to be compared.
    pub fn shown(&self) -> Option<&Fingerprint> {
        self.certificate.as_ref()
    }
}

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let ConnectInfo(address) = *parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .ok_or_else(|| problem(HttpProblem::Internal))?;
        let certificate = parts.extensions.get::<ClientCertificate>().map(|c| c.sha256);
        Ok(Self { address, certificate })
    }
}
