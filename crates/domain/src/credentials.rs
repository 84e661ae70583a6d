//! How a system proves itself: what is registered of its SOAP header, its OAuth client and its
//! client certificates, and what is known of each credential beside itself.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::moment::{DAY_MS, Moment};
use crate::network::Network;

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

/// Kinds of credential.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CredentialKind {
    /// Secret of the SOAP header.
    Soap,
    /// Secret of the OAuth client.
    Client,
    /// Public key for private_key_jwt.
    Key,
    /// Client certificate.
    Certificate,
}

impl CredentialKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Soap, Self::Client, Self::Key, Self::Certificate];

    /// The word in journal entries and addresses.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Soap => "soap",
            Self::Client => "client",
            Self::Key => "key",
            Self::Certificate => "certificate",
        }
    }

    /// From its word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// What is known of a credential beside itself. Of all that only the end of a secret decides.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct CredentialFacts {
    /// Names it within its system; never given twice.
    pub number: u32,
    /// What its integrator calls it; may be empty.
    pub name: String,
    /// When it was registered, product's clock; `None`: before that was kept.
    pub since: Option<Moment>,
    /// From when on it is not valid: of a secret its end, of a certificate what stands in it.
    /// `None`: until it is revoked, or not known.
    pub until: Option<Moment>,
}

impl CredentialFacts {
    /// Whether it still is what it was.
    pub fn is_valid(&self, at: Moment) -> bool {
        self.until.is_none_or(|until| at < until)
    }

    /// Whether it is valid and its end is near ([`REMIND_MS`]).
    pub fn ends_soon(&self, at: Moment) -> bool {
        self.is_valid(at)
            && self.until.is_some_and(|until| until.0.saturating_sub(at.0) <= REMIND_MS)
    }
}

/// From so long before its end on people are reminded of a credential (*ours*), ms: a change in an
/// agency's software takes weeks to be agreed on.
pub const REMIND_MS: i64 = 30 * DAY_MS;
/// Numbers from here on are given by place to credentials that have none of their own yet.
pub const UNNUMBERED: u32 = 1 << 31;

/// What is known of a system's credentials, each list in the order of the credentials themselves,
/// and from where the system calls.
///
/// It is sealed beside the credentials as it stands here: what is added goes to its end.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// The last number that was given.
    pub last: u32,
    /// Of the secrets of the SOAP header.
    pub soap: Vec<CredentialFacts>,
    /// Of the secrets of the OAuth client.
    pub client: Vec<CredentialFacts>,
    /// Of the public keys.
    pub keys: Vec<CredentialFacts>,
    /// Of the client certificates.
    pub certificates: Vec<CredentialFacts>,
    /// Networks from which the system calls; empty: from anywhere.
    pub sources: Vec<Network>,
}

impl Facts {
    /// Of one kind.
    pub fn of(&self, kind: CredentialKind) -> &[CredentialFacts] {
        match kind {
            CredentialKind::Soap => &self.soap,
            CredentialKind::Client => &self.client,
            CredentialKind::Key => &self.keys,
            CredentialKind::Certificate => &self.certificates,
        }
    }

    /// The same, to be changed.
    pub fn of_mut(&mut self, kind: CredentialKind) -> &mut Vec<CredentialFacts> {
        match kind {
            CredentialKind::Soap => &mut self.soap,
            CredentialKind::Client => &mut self.client,
            CredentialKind::Key => &mut self.keys,
            CredentialKind::Certificate => &mut self.certificates,
        }
    }

    /// The number of a credential by its place; 0 where nothing is known of it.
    pub fn number(&self, kind: CredentialKind, place: usize) -> u32 {
        self.of(kind).get(place).map_or(0, |facts| facts.number)
    }

    /// Whether the credential at a place is valid; one of which nothing is known has no end.
    pub fn is_valid(&self, kind: CredentialKind, place: usize, at: Moment) -> bool {
        self.of(kind).get(place).is_none_or(|facts| facts.is_valid(at))
    }

    /// The end of the credential at a place; none where it has none, or nothing is known of it.
    pub fn until(&self, kind: CredentialKind, place: usize) -> Option<Moment> {
        self.of(kind).get(place)?.until
    }

    /// The next number.
    pub fn give_number(&mut self) -> u32 {
        self.last = (self.last + 1) % UNNUMBERED;
        self.last
    }

    /// Brings a list to the length of its credentials: what has no number gets one by its place,
    /// the same at each reading until somebody changes the list.
    pub fn fit(&mut self, kind: CredentialKind, length: usize) {
        let first = UNNUMBERED + ((kind as u32) << 16);
        let list = self.of_mut(kind);
        list.truncate(length);
        for place in list.len()..length {
            let number = first + place as u32;
            list.push(CredentialFacts { number, ..CredentialFacts::default() });
        }
    }

    /// Whether the system calls from this address.
    pub fn admits(&self, source: IpAddr) -> bool {
        self.sources.is_empty() || self.sources.iter().any(|network| network.contains(source))
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
