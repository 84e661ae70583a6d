//! Client certificates beside the secrets: mutual TLS per system, and tokens that are bound to the
//! certificate they were issued over (RFC 8705).
//!
//! The handshake, or a trusted proxy, has verified the certificate and that the caller holds its
//! key; here it is only compared with what is registered.

use dancu_domain::registration::{CertificateMode, Certificates};

/// SHA-256 of a verified client certificate (DER): `x5t#S256` of RFC 8705.
pub type Fingerprint = [u8; 32];

/// A fingerprint as people and tools write it: 64 hex digits.
pub fn text(fingerprint: &Fingerprint) -> String {
    hex::encode(fingerprint)
}

/// Whether a caller with this certificate, or with none, may be the system. Fingerprints are no
/// secrets, so that the time of the comparison tells nothing.
pub fn admits(registered: &Certificates, shown: Option<&Fingerprint>) -> bool {
    let known = shown.is_some_and(|s| registered.sha256.contains(s));
    match registered.mode {
        CertificateMode::Off => true,
        CertificateMode::Optional => shown.is_none() || registered.sha256.is_empty() || known,
        CertificateMode::Required => known,
    }
}

/// The certificate that a new token is bound to: the one that was shown, where they are looked at.
pub fn binding(registered: &Certificates, shown: Option<&Fingerprint>) -> Option<Fingerprint> {
    shown.copied().filter(|_| registered.mode != CertificateMode::Off)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_admits_what_it_says() {
        use CertificateMode::{Off, Optional, Required};
        let (a, b): (Fingerprint, Fingerprint) = ([1; 32], [2; 32]);
        let admitted = |mode, sha256: &[Fingerprint]| {
            let registered = Certificates { mode, sha256: sha256.to_vec() };
            [None, Some(&a), Some(&b)].map(|shown| admits(&registered, shown))
        };
        assert_eq!(admitted(Off, &[a]), [true; 3]);
        assert_eq!(admitted(Optional, &[]), [true; 3]);
        assert_eq!(admitted(Optional, &[a]), [true, true, false]);
        assert_eq!(admitted(Required, &[a]), [false, true, false]);
        assert_eq!(admitted(Required, &[a, b]), [false, true, true], "while one is renewed");
        assert_eq!(admitted(Required, &[]), [false; 3], "a new system");
        assert!(!admits(&Certificates::default(), Some(&a)), "the default asks for one");
    }

    #[test]
    fn a_token_is_bound_where_certificates_are_looked_at() {
        let bound = |mode, shown: Option<&Fingerprint>| {
            binding(&Certificates { mode, sha256: vec![] }, shown)
        };
        assert_eq!(bound(CertificateMode::Off, Some(&[1; 32])), None);
        assert_eq!(bound(CertificateMode::Optional, Some(&[1; 32])), Some([1; 32]));
        assert_eq!(bound(CertificateMode::Optional, None), None);
    }
}
