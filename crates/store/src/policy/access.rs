//! Credentials of a system as they stand sealed in `system.access`.
//!
//! The plain text is one record after the other: SOAP header and OAuth client, then the client
//! certificates, then what is known of each credential. A record that is not there yet says what
//! was so before it existed, and a node of the version before reads what it knows and leaves the
//! rest: both work during an upgrade.

use std::net::IpAddr;

use dancu_domain::credentials::Facts;
use dancu_domain::registration::{
    CertificateMode, Certificates, OauthAccess, Secret, SoapAccess, System,
};
use serde::{Deserialize, Serialize};

use super::credentials::Credentials;
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

/// Reads the records. A system registered before there were certificates shows none, and of one
/// registered before that was kept nothing is known.
pub(super) fn open(plain: &[u8]) -> Result<Credentials> {
    let damaged = |_| Error::Damaged(WHAT);
    let (access, rest) = postcard::take_from_bytes::<AccessRecord>(plain).map_err(damaged)?;
    let mut credentials = Credentials {
        soap: access.soap.map(SoapAccess::from),
        oauth: access.oauth.map(OauthAccess::from),
        certificates: Certificates::OFF,
        facts: Facts::default(),
    };
    if !rest.is_empty() {
        let (record, rest) =
            postcard::take_from_bytes::<CertificatesRecord>(rest).map_err(damaged)?;
        credentials.certificates = Certificates { mode: record.mode, sha256: record.sha256 };
        if !rest.is_empty() {
            credentials.facts = postcard::take_from_bytes::<Facts>(rest).map_err(damaged)?.0;
        }
    }
    credentials.fit();
    Ok(credentials)
}

/// Writes the records.
pub(super) fn close(credentials: &Credentials) -> Result<Vec<u8>> {
    let damaged = |_| Error::Damaged(WHAT);
    let Credentials { soap, oauth, certificates, facts } = credentials;
    let access =
        AccessRecord { soap: soap.as_ref().map(Into::into), oauth: oauth.as_ref().map(Into::into) };
    let record =
        CertificatesRecord { mode: certificates.mode, sha256: certificates.sha256.clone() };
    let plain = postcard::to_stdvec(&access).map_err(damaged)?;
    let plain = postcard::to_extend(&record, plain).map_err(damaged)?;
    postcard::to_extend(facts, plain).map_err(damaged)
}

/// What a system is registered with.
pub(super) fn of(s: &System) -> Credentials {
    let mut credentials = Credentials {
        soap: s.soap.clone(),
        oauth: s.oauth.clone(),
        certificates: s.certificates.clone(),
        facts: s.facts.clone(),
    };
    credentials.fit();
    credentials
}

fn bytes(secrets: &[Secret]) -> Vec<Vec<u8>> {
    secrets.iter().map(|s| s.0.to_vec()).collect()
}

fn secrets(bytes: Vec<Vec<u8>>) -> Vec<Secret> {
    bytes.into_iter().map(|s| Secret(s.into())).collect()
}

impl From<&SoapAccess> for SoapRecord {
    fn from(a: &SoapAccess) -> Self {
        Self {
            user: a.user.clone(),
            secrets: bytes(&a.secrets),
            service_urls: a.service_urls.clone(),
            hosts: a.hosts.clone(),
            reuse_from: a.reuse_from.clone(),
            x_road_client: a.x_road_client.clone(),
        }
    }
}

impl From<&OauthAccess> for OauthRecord {
    fn from(a: &OauthAccess) -> Self {
        Self {
            client_id: a.client_id.clone(),
            secrets: bytes(&a.secrets),
            public_keys: a.public_keys.clone(),
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
    use dancu_domain::credentials::{CredentialFacts, CredentialKind, UNNUMBERED};
    use dancu_domain::moment::Moment;

    use super::*;

    /// What the version before last, and the last one, wrote.
    #[derive(Serialize)]
    struct Before(AccessRecord, Option<CertificatesRecord>);

    impl Before {
        fn written(&self) -> Vec<u8> {
            let plain = postcard::to_stdvec(&self.0).unwrap();
            match &self.1 {
                Some(record) => postcard::to_extend(record, plain).unwrap(),
                None => plain,
            }
        }
    }

    fn client() -> AccessRecord {
        let (client_id, secrets) = ("mau".into(), vec![vec![7; 16], vec![8; 16]]);
        AccessRecord {
            soap: None,
            oauth: Some(OauthRecord { client_id, secrets, public_keys: vec![] }),
        }
    }

    #[test]
    fn versions_before_and_after_read_each_other() {
        let sha256 = vec![[1; 32], [2; 32]];
        let certificates = Certificates { mode: CertificateMode::Optional, sha256: sha256.clone() };
        let named = CredentialFacts {
            number: 4,
            name: "Máy chủ mới".into(),
            since: Some(Moment(5)),
            until: Some(Moment(9)),
        };
        let facts = Facts {
            last: 4,
            client: vec![named.clone()],
            sources: vec!["192.0.2.0/24".parse().unwrap()],
            ..Facts::default()
        };
        let oauth = client().oauth.map(OauthAccess::from);
        let whole = Credentials { soap: None, oauth, certificates: certificates.clone(), facts };
        let plain = close(&whole).unwrap();
        let read = open(&plain).unwrap();
        assert_eq!((&read.certificates, &read.facts.client[0]), (&certificates, &named));
        // What has no number has one by its place, the same at each reading.
        assert!(read.facts.number(CredentialKind::Client, 1) >= UNNUMBERED);
        assert_eq!(open(&plain).unwrap().facts, read.facts);
        assert_eq!(read.facts.certificates.len(), 2);
        assert_eq!(read.facts.sources, whole.facts.sources);
        // As the versions before read it.
        let before: AccessRecord = postcard::from_bytes(&plain).unwrap();
        assert_eq!(before.oauth.unwrap().client_id, "mau");
        // As the versions before wrote it.
        let mode = CertificateMode::Optional;
        for record in [None, Some(CertificatesRecord { mode, sha256 })] {
            let expected = record.as_ref().map_or(Certificates::OFF, |_| certificates.clone());
            let old = Before(client(), record).written();
            let read = open(&old).unwrap();
            assert_eq!(read.oauth.unwrap().secrets.len(), 2);
            assert_eq!((read.certificates, read.facts.client.len()), (expected, 2));
            assert!(read.facts.client.iter().all(|f| f.until.is_none()));
            let whole = [old.len(), plain.len()];
            let cuts = (old.len()..plain.len()).filter(|cut| !whole.contains(cut));
            let open_cuts = cuts.filter(|cut| open(&plain[..*cut]).is_ok()).count();
            assert!(open_cuts <= 1, "only the version in between ends within: {open_cuts}");
        }
    }
}
