//! Credentials of a system as they stand sealed in `system.access`.
//!
//! The plain text is one record after the other: SOAP header and OAuth client, then the client
//! certificates. A record that is not there yet says what was so before it existed, and a node of
//! the version before reads what it knows and leaves the rest: both work during an upgrade.

use std::net::IpAddr;

use dancu_domain::registration::{
    CertificateMode, Certificates, OauthAccess, Secret, SoapAccess, System,
};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What is sealed for a system.
#[derive(Serialize, Deserialize, Default)]
pub(super) struct AccessRecord {
    pub(super) soap: Option<SoapRecord>,
    pub(super) oauth: Option<OauthRecord>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SoapRecord {
    user: String,
    secrets: Vec<Vec<u8>>,
    service_urls: Vec<String>,
    hosts: Vec<String>,
    reuse_from: Vec<IpAddr>,
    x_road_client: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct OauthRecord {
    client_id: String,
    secrets: Vec<Vec<u8>>,
    public_keys: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct CertificatesRecord {
    mode: CertificateMode,
    sha256: Vec<[u8; 32]>,
}

const WHAT: &str = "system.access";

/// Reads both records. A system registered before there were certificates shows none.
pub(super) fn open(plain: &[u8]) -> Result<(AccessRecord, Certificates)> {
    let damaged = |_| Error::Damaged(WHAT);
    let (access, rest) = postcard::take_from_bytes::<AccessRecord>(plain).map_err(damaged)?;
    if rest.is_empty() {
        return Ok((access, Certificates::OFF));
    }
    let (record, _) = postcard::take_from_bytes::<CertificatesRecord>(rest).map_err(damaged)?;
    Ok((access, Certificates { mode: record.mode, sha256: record.sha256 }))
}

/// Writes both records.
pub(super) fn close(access: &AccessRecord, certificates: &Certificates) -> Result<Vec<u8>> {
    let damaged = |_| Error::Damaged(WHAT);
    let record =
        CertificatesRecord { mode: certificates.mode, sha256: certificates.sha256.clone() };
    let plain = postcard::to_stdvec(access).map_err(damaged)?;
    postcard::to_extend(&record, plain).map_err(damaged)
}

fn bytes(secrets: &[Secret]) -> Vec<Vec<u8>> {
    secrets.iter().map(|s| s.0.to_vec()).collect()
}

fn secrets(bytes: Vec<Vec<u8>>) -> Vec<Secret> {
    bytes.into_iter().map(|s| Secret(s.into())).collect()
}

impl From<&System> for AccessRecord {
    fn from(s: &System) -> Self {
        Self {
            soap: s.soap.as_ref().map(|a| SoapRecord {
                user: a.user.clone(),
                secrets: bytes(&a.secrets),
                service_urls: a.service_urls.clone(),
                hosts: a.hosts.clone(),
                reuse_from: a.reuse_from.clone(),
                x_road_client: a.x_road_client.clone(),
            }),
            oauth: s.oauth.as_ref().map(|a| OauthRecord {
                client_id: a.client_id.clone(),
                secrets: bytes(&a.secrets),
                public_keys: a.public_keys.clone(),
            }),
        }
    }
}

impl From<SoapRecord> for SoapAccess {
    fn from(r: SoapRecord) -> Self {
        Self {
            user: r.user,
            secrets: secrets(r.secrets),
            service_urls: r.service_urls,
            hosts: r.hosts,
            reuse_from: r.reuse_from,
            x_road_client: r.x_road_client,
        }
    }
}

impl From<OauthRecord> for OauthAccess {
    fn from(r: OauthRecord) -> Self {
        Self { client_id: r.client_id, secrets: secrets(r.secrets), public_keys: r.public_keys }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_before_and_after_read_each_other() {
        let certificates =
            Certificates { mode: CertificateMode::Optional, sha256: vec![[1; 32], [2; 32]] };
        let access = AccessRecord {
            soap: None,
            oauth: Some(OauthRecord {
                client_id: "mau".into(),
                secrets: vec![vec![7; 16]],
                public_keys: vec![],
            }),
        };
        let plain = close(&access, &certificates).unwrap();
        assert_eq!(open(&plain).unwrap().1, certificates);
        // As the version before reads it.
        let before: AccessRecord = postcard::from_bytes(&plain).unwrap();
        assert_eq!(before.oauth.unwrap().client_id, "mau");
        // As the version before wrote it.
        let old = postcard::to_stdvec(&access).unwrap();
        let (read, none) = open(&old).unwrap();
        assert_eq!((read.oauth.unwrap().secrets, none), (vec![vec![7; 16]], Certificates::OFF));
        for cut in old.len() + 1..plain.len() {
            assert!(matches!(open(&plain[..cut]), Err(Error::Damaged(_))), "{cut}");
        }
    }
}
