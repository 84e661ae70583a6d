//! Public keys of authenticators (COSE, RFC 9053) and their signatures.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde::{Deserialize, Serialize};

use super::cbor::Item;

/// Algorithms that are asked for, the best liked first: Ed25519, ECDSA over P-256, and RSA for
/// computers with an older security chip.
pub(super) const ALGORITHMS: [i64; 3] = [-8, -7, -257];

/// Longest number of an RSA key, bytes.
const RSA_MAX: usize = 1_024;

/// A key as it is stored.
#[derive(Serialize, Deserialize, PartialEq, Debug)]
pub(super) enum PublicKey {
    /// ECDSA over P-256 with SHA-256: the point, uncompressed.
    P256(Vec<u8>),
    /// Ed25519.
    Ed25519(Vec<u8>),
    /// RSA, PKCS #1 version 1.5 with SHA-256.
    Rsa {
        /// Modulus.
        n: Vec<u8>,
        /// Exponent.
        e: Vec<u8>,
    },
}

impl PublicKey {
    /// Reads a COSE key; `None`: of no algorithm that was asked for, or malformed.
    pub(super) fn of_cose(key: &Item<'_>) -> Option<Self> {
        let number = |label| match key.get_number(label)? {
            Item::Number(n) => Some(*n),
            _ => None,
        };
        let bytes = |label| match key.get_number(label)? {
            Item::Bytes(bytes) => Some(*bytes),
            _ => None,
        };
        // Key type, algorithm, curve.
        match (number(1)?, number(3)?) {
            (2, -7) if number(-1) == Some(1) => {
                let (x, y) = (bytes(-2)?, bytes(-3)?);
                let whole = x.len() == 32 && y.len() == 32;
                whole.then(|| Self::P256([&[0x04], x, y].concat()))
            }
            (1, -8) if number(-1) == Some(6) => {
                let x = bytes(-2)?;
                (x.len() == 32).then(|| Self::Ed25519(x.to_vec()))
            }
            (3, -257) => {
                let (n, e) = (bytes(-1)?, bytes(-2)?);
                let fits = n.len() <= RSA_MAX && e.len() <= 8;
                fits.then(|| Self::Rsa { n: n.to_vec(), e: e.to_vec() })
            }
            _ => None,
        }
    }

    /// Whether a signature over a message is by this key.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
                .verify(message, signature)
                .is_ok(),
            Self::Ed25519(key) => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok()
            }
            Self::Rsa { n, e } => RsaPublicKeyComponents { n, e }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
        }
    }
}
