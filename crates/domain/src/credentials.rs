//! How a system proves itself: what is registered of its SOAP header and its OAuth client.

use std::net::IpAddr;

/// How the SOAP header of a system is verified.
#[derive(Clone)]
pub struct SoapAccess {
    /// The user of the header.
    pub user: String,
    /// Secrets, the newest first; two are valid while rotating.
    pub secrets: Vec<Secret>,
    /// Strings that the client may hash as `service_url`, besides the request's path.
    pub service_urls: Vec<String>,
    /// Hosts (with port where not the scheme's) for which a full URL is accepted.
    pub hosts: Vec<String>,
    /// Source addresses from which a used triple may come again; empty: never.
    pub reuse_from: Vec<IpAddr>,
    /// Subsystem that `X-Road-Client` must name, where registered.
    pub x_road_client: Option<String>,
}

/// How an OAuth client of a system proves itself.
#[derive(Clone)]
pub struct OauthAccess {
    /// client_id.
    pub client_id: String,
    /// Secrets, the newest first.
    pub secrets: Vec<Secret>,
    /// Public keys (PEM) for private_key_jwt.
    pub public_keys: Vec<String>,
}

/// A shared secret; debug output never shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Box<[u8]>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}
