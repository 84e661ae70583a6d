//! What the log commits to: a salted hash of the entry, so that a public leaf cannot be guessed.

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

/// An HMAC-SHA-256 key with its two states computed.
pub type MacKey = Hmac<Sha256>;

/// `salt = HMAC-SHA-256(month secret, index as 8 bytes, big-endian)`.
pub fn salt(month_secret: &MacKey, index: u64) -> [u8; 32] {
    let mut mac = month_secret.clone();
    mac.update(&index.to_be_bytes());
    mac.finalize().into_bytes().into()
}

/// `c = SHA-256(salt ‖ entry)`.
pub fn commitment(salt: &[u8; 32], entry: &[u8]) -> [u8; 32] {
    sha256(&[salt, entry])
}

/// `leaf = SHA-256(0x00 ‖ c)`, the leaf hash of RFC 6962 over `c`.
pub fn leaf(commitment: &[u8; 32]) -> [u8; 32] {
    sha256(&[&[0], commitment])
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors() {
        let key = <MacKey as hmac::KeyInit>::new_from_slice(&[7; 32]).unwrap();
        let s = salt(&key, 5);
        assert_ne!(s, salt(&key, 6));
        let c = commitment(&s, b"entry");
        assert_ne!(c, commitment(&salt(&key, 6), b"entry"));
        // SHA-256 of 33 zero bytes.
        assert_eq!(leaf(&[0; 32]), sha256(&[&[0u8; 33]]),);
    }
}
