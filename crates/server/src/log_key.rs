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
/// What a signature line begins with.
const DASH: &str = "\u{2014} ";

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

    /// Of 32 equal bytes.
    #[cfg(test)]
    pub fn made_of(seed: u8) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        Self { origin: ORIGIN, pair }
    }

    /// The key that tells its notes from others.
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey::of(self.origin, self.pair.public_key().as_ref())
    }

    /// The verifier key line.
    pub fn line(&self) -> String {
        self.verifier().line()
    }

    /// A text that ends with a line feed, with the signature below it.
    pub fn signed(&self, text: &str) -> String {
        let mut line = self.verifier().hash.to_vec();
        line.extend_from_slice(self.pair.sign(text.as_bytes()).as_ref());
        format!("{text}\n{DASH}{} {}\n", self.origin, STANDARD.encode(line))
    }
}

/// The key that tells whether a note is a log's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifierKey {
    name: String,
    hash: [u8; 4],
    key: Vec<u8>,
}

impl VerifierKey {
    fn of(name: &str, key: &[u8]) -> Self {
        let whole = digest(&SHA256, &[name.as_bytes(), b"\n", &[ED25519_TYPE], key].concat());
        let mut hash = [0; 4];
        hash.copy_from_slice(&whole.as_ref()[..4]);
        Self { name: name.to_owned(), hash, key: key.to_vec() }
    }

    /// Reads a verifier key line (C2SP signed-note): name, key hash, type 1 = Ed25519, key.
    pub fn parse(line: &str) -> Option<Self> {
        let (name, rest) = line.split_once('+')?;
        let (_, key) = rest.split_once('+')?;
        let raw = STANDARD.decode(key).ok()?;
        let key = Self::of(name, raw.strip_prefix(&[ED25519_TYPE])?);
        (!name.is_empty() && key.key.len() == 32 && key.line() == line).then_some(key)
    }

    fn line(&self) -> String {
        let key = STANDARD.encode([&[ED25519_TYPE][..], &self.key].concat());
        format!("{}+{key}", self.told())
    }

    /// Name and hash, as entries and pages name it.
    pub fn told(&self) -> String {
        format!("{}+{}", self.name, hex::encode(self.hash))
    }

    /// Whether a signature line is by this key, for a text that ends with a line feed.
    pub fn signs(&self, text: &str, line: &str) -> bool {
        let told = line.strip_prefix(DASH).and_then(|rest| rest.rsplit_once(' '));
        let Some((name, line)) = told else { return false };
        let raw = STANDARD.decode(line).unwrap_or_default();
        let Some((hash, signature)) = raw.split_at_checked(4) else { return false };
        let key = UnparsedPublicKey::new(&ED25519, &self.key);
        name == self.name && hash == self.hash && key.verify(text.as_bytes(), signature).is_ok()
    }
}

/// The text of a signed note, where the key of a line signed it.
///
/// # Errors
/// The line is no key line, the note is none, or its signature is not by this key.
pub fn verified<'a>(line: &str, note: &'a str) -> anyhow::Result<&'a str> {
    let key = VerifierKey::parse(line.trim());
    let key = key.context("không phải dòng khóa của nhật ký (no key line)")?;
    let parts = note.rsplit_once("\n\n");
    let (text, signatures) = parts.context("không phải văn bản có ký (no signed note)")?;
    let text = &note[..=text.len()];
    let ours = signatures.lines().any(|line| key.signs(text, line));
    ensure!(ours, "không có chữ ký đúng của khóa này (not signed by this key)");
    Ok(text)
}

/// SHA-256, hex.
pub fn sha256(text: &[u8]) -> String {
    hex::encode(digest(&SHA256, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_line_is_read_whole_or_not_at_all() {
        let line = LogKey::made_of(1).line();
        assert_eq!(VerifierKey::parse(&line), Some(LogKey::made_of(1).verifier()));
        let other = line.replacen("centre", "other", 1);
        assert!(VerifierKey::parse(&other).is_none(), "the hash tells");
    }

    #[test]
    fn a_note_is_told_from_any_other() {
        let (ours, theirs) = (LogKey::made_of(1), LogKey::made_of(2));
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
