//! The key of the log: it signs notes (C2SP signed-note, Ed25519), so that whoever knows its public
//! line can tell that a text is this centre's.

use anyhow::{Context as _, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dancu_store::Store;
use dancu_store::keys::Purpose;

/// Name of the log of a sandbox, as its key line carries it.
pub const SANDBOX_ORIGIN: &str = "dancu.sandbox/log";
/// Name of the log of a centre.
const ORIGIN: &str = "dancu.centre/log";
/// What stands in front of an Ed25519 key in a key line.
const ED25519_TYPE: u8 = 1;

/// The key that signs.
pub struct LogKey {
    origin: &'static str,
    pair: Ed25519KeyPair,
}

impl LogKey {
    /// Of an open store.
    ///
    /// # Errors
    /// The key is missing.
    pub fn of(store: &Store) -> anyhow::Result<Self> {
        let key = store.keys().get(Purpose::Log, 0).context("thiếu khóa nhật ký (log key)")?;
        let pair = Ed25519KeyPair::from_seed_unchecked(key.raw())
            .map_err(|_| anyhow::anyhow!("khóa nhật ký hỏng (log key)"))?;
        Ok(Self { origin: if store.is_sandbox()? { SANDBOX_ORIGIN } else { ORIGIN }, pair })
    }

    /// The verifier key line (C2SP signed-note): name, key hash, type 1 = Ed25519, key.
    pub fn line(&self) -> String {
        let hash = hex::encode(key_hash(self.origin, &self.public()));
        format!("{}+{hash}+{}", self.origin, STANDARD.encode(self.public()))
    }

    /// A text that ends with a line feed, with the signature below it.
    pub fn signed(&self, text: &str) -> String {
        let mut line = key_hash(self.origin, &self.public()).to_vec();
        line.extend_from_slice(self.pair.sign(text.as_bytes()).as_ref());
        format!("{text}\n\u{2014} {} {}\n", self.origin, STANDARD.encode(line))
    }

    fn public(&self) -> Vec<u8> {
        [&[ED25519_TYPE][..], self.pair.public_key().as_ref()].concat()
    }
}

/// The text of a signed note, where the key of a line signed it.
///
/// # Errors
/// The line is no key line, the note is none, or its signature is not by this key.
pub fn verified<'a>(line: &str, note: &'a str) -> anyhow::Result<&'a str> {
    let odd = "không phải dòng khóa của nhật ký (no key line)";
    let mut parts = line.trim().splitn(3, '+');
    let (name, hash, key) = (parts.next(), parts.next(), parts.next());
    let (name, hash, key) = (name.context(odd)?, hash.context(odd)?, key.context(odd)?);
    let public = STANDARD.decode(key).context(odd)?;
    let expected = key_hash(name, &public);
    ensure!(hex::encode(expected) == hash, odd);
    let (&ED25519_TYPE, raw) = public.split_first().context(odd)? else { anyhow::bail!(odd) };
    let odd = "không phải văn bản có ký (no signed note)";
    let (text, signatures) = note.rsplit_once("\n\n").context(odd)?;
    let text = &note[..=text.len()];
    let ours = signatures.lines().find_map(|line| {
        let signature = line.strip_prefix("\u{2014} ")?.strip_prefix(name)?.strip_prefix(' ')?;
        let bytes = STANDARD.decode(signature).ok()?;
        bytes.strip_prefix(&expected).map(<[u8]>::to_vec)
    });
    let signature = ours.context("không có chữ ký của khóa này (not signed by this key)")?;
    UnparsedPublicKey::new(&ED25519, raw)
        .verify(text.as_bytes(), &signature)
        .map_err(|_| anyhow::anyhow!("chữ ký không đúng (the signature does not fit)"))?;
    Ok(text)
}

/// SHA-256, hex.
pub fn sha256(text: &[u8]) -> String {
    hex::encode(digest(&SHA256, text))
}

fn key_hash(origin: &str, public: &[u8]) -> [u8; 4] {
    let whole = digest(&SHA256, &[origin.as_bytes(), b"\n", public].concat());
    let mut hash = [0; 4];
    hash.copy_from_slice(&whole.as_ref()[..4]);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> LogKey {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        LogKey { origin: ORIGIN, pair }
    }

    #[test]
    fn a_note_is_told_from_any_other() {
        let (ours, theirs) = (key(1), key(2));
        let note = ours.signed("một\nhai\n");
        assert_eq!(verified(&ours.line(), &note).unwrap(), "một\nhai\n");
        let signed_twice = format!("{note}{}", theirs.signed("").trim_start());
        assert_eq!(verified(&ours.line(), &signed_twice).unwrap(), "một\nhai\n");
        for wrong in [
            note.replace("hai", "ba"),
            theirs.signed("một\nhai\n"),
            note.replace("\n\n", "\n"),
            String::new(),
        ] {
            assert!(verified(&ours.line(), &wrong).is_err(), "{wrong}");
        }
        for line in ["", "dancu.centre/log", &ours.line().replace("centre", "other")] {
            assert!(verified(line, &note).is_err(), "{line}");
        }
    }
}
