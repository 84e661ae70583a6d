//! The certificate that a calling system proved to hold.

use std::sync::Arc;

use aws_lc_rs::digest;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::parse_x509_certificate;

/// A verified client certificate, in the extensions of a request: by the handshake, or by a
/// trusted proxy. It says who may be meant, not what they may do: the gate compares the
/// fingerprint with the registration of the system that authenticates itself.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// SHA-256 of the certificate as it was sent (DER).
    pub sha256: [u8; 32],
    /// Subject, for people: `C=VN, O=…, CN=…`. May name a person: never in logs.
    pub subject: Arc<str>,
}

impl ClientCertificate {
    /// From DER; `None` where it is no certificate.
    pub fn of_der(der: &[u8]) -> Option<Self> {
        let (rest, parsed) = parse_x509_certificate(der).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest::digest(&digest::SHA256, der).as_ref());
        Some(Self { sha256, subject: parsed.subject().to_string().into() })
    }

    /// First and last moment of the first certificate of a PEM text, ms since 1970 UTC.
    pub fn validity_of_pem(pem: &[u8]) -> Option<(i64, i64)> {
        let der = CertificateDer::from_pem_slice(pem).ok()?;
        let (_, parsed) = parse_x509_certificate(&der).ok()?;
        let validity = parsed.validity();
        let ms = |seconds: i64| seconds.checked_mul(1_000);
        Some((ms(validity.not_before.timestamp())?, ms(validity.not_after.timestamp())?))
    }

    /// From the first certificate of a PEM text.
    pub fn of_pem(pem: &[u8]) -> Option<Self> {
        Self::of_der(&CertificateDer::from_pem_slice(pem).ok()?)
    }
}

/// The fingerprint only: a subject may be a person.
impl std::fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClientCertificate({})", hex::encode(self.sha256))
    }
}
