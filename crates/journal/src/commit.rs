//! What the log commits to: a salted hash of the entry, so that a public leaf cannot be guessed.

use aws_lc_rs::{digest, hmac};

/// `salt = HMAC-SHA-256(month secret, index as 8 bytes, big-endian)`.
pub fn salt(month_secret: &hmac::Key, index: u64) -> [u8; 32] {
    let tag = hmac::sign(month_secret, &index.to_be_bytes());
    let mut salt = [0; 32];
    salt.copy_from_slice(tag.as_ref());
    salt
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
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        let s = salt(&key, 5);
        assert_ne!(s, salt(&key, 6));
        let c = commitment(&s, b"entry");
        assert_ne!(c, commitment(&salt(&key, 6), b"entry"));
        // SHA-256 of 33 zero bytes.
        assert_eq!(leaf(&[0; 32]), sha256(&[&[0u8; 33]]),);
    }
}
