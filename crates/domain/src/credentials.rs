//! How a system proves itself: what is registered of its SOAP header, its OAuth client and its
//! client certificates.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

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

/// Client certificates (mutual TLS) of a system, beside its secrets.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Certificates {
    /// Whether one has to be shown.
    pub mode: CertificateMode,
    /// SHA-256 of each registered certificate (DER); two are valid while one is being renewed.
    pub sha256: Vec<[u8; 32]>,
}

impl Certificates {
    /// Certificates are not looked at.
    pub const OFF: Self = Self { mode: CertificateMode::Off, sha256: Vec::new() };
}

/// Whether a system has to show a certificate. A new one has to: who wants less says so.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[repr(u8)]
pub enum CertificateMode {
    /// Not looked at.
    Off = 0,
    /// One that is shown must be a registered one, where any is registered.
    Optional = 1,
    /// Without a registered one nobody is authenticated.
    #[default]
    Required = 2,
}

impl CertificateMode {
    /// The word in journal entries and commands.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }
}

/// A shared secret; debug output never shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Box<[u8]>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}
