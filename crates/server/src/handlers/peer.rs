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
    /// The address without its port. An IPv4 address that a listener of both families shows as
    /// mapped into IPv6 is the IPv4 one: so registered addresses and the journal name it.
    pub fn ip(&self) -> IpAddr {
        self.address.ip().to_canonical()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_mapped_into_ipv6_is_the_ipv4_one() {
        for (shown, ip) in [
            ("[::ffff:10.1.2.3]:4000", "10.1.2.3"),
            ("10.1.2.3:4000", "10.1.2.3"),
            ("[2001:db8::1]:4000", "2001:db8::1"),
        ] {
            let peer = Peer { address: shown.parse().unwrap(), certificate: None };
            assert_eq!(peer.ip(), ip.parse::<IpAddr>().unwrap(), "{shown}");
        }
    }
}
