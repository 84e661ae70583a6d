//! The key pair by which a demo client proves itself with private_key_jwt (RFC 7523).
//!
//! It is derived from the client's secret: so it stays the same when the folder is used again, and
//! the folder holds no second secret. A real client makes its own and hands over the public half.

use anyhow::anyhow;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dancu_domain::registration::{OauthAccess, Secret};

/// What sets this use of the secret apart from every other.
const LABEL: &[u8] = b"dancu demo private_key_jwt";

/// The public key (PEM) that is registered for a client with this secret.
pub fn public(secret: &Secret) -> anyhow::Result<String> {
    let pair = pair(secret)?;
    let der: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(broken)?;
    Ok(pem("PUBLIC KEY", der.as_ref()))
}

/// The private key (PEM, PKCS #8) of a client that was registered with [`public`]; `None` for any
/// other client.
pub fn private(access: &OauthAccess) -> anyhow::Result<Option<String>> {
    let Some(secret) = access.secrets.first() else { return Ok(None) };
    if !access.public_keys.contains(&public(secret)?) {
        return Ok(None);
    }
    let der = pair(secret)?.to_pkcs8v1().map_err(broken)?;
    Ok(Some(pem("PRIVATE KEY", der.as_ref())))
}

fn pair(secret: &Secret) -> anyhow::Result<Ed25519KeyPair> {
    let seed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret.0), LABEL);
    Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).map_err(broken)
}

fn broken<E>(_: E) -> anyhow::Error {
    anyhow!("không lập được cặp khóa mẫu (demo key pair)")
}

/// RFC 7468. A key of Ed25519 fits one line.
fn pem(what: &str, der: &[u8]) -> String {
    format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", STANDARD.encode(der))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registered_client_finds_its_private_key_again() {
        let secret = Secret(b"0123456789abcdef".to_vec().into());
        let registered = public(&secret).unwrap();
        assert!(registered.starts_with("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA"));
        let mut access = OauthAccess {
            client_id: "bank".into(),
            secrets: vec![secret],
            public_keys: vec![registered],
        };
        let private_key = private(&access).unwrap().unwrap();
        assert!(private_key.starts_with("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEI"));
        assert_eq!(private(&access).unwrap().unwrap(), private_key);
        access.public_keys.clear();
        assert!(private(&access).unwrap().is_none());
    }
}
