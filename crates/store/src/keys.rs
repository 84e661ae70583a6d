//! Keys: one master key outside the databases wraps every other key, by purpose and period.
//!
//! `master` holds the master key (file, environment, or a PKCS#11 device), `ring` every other key;
//! `stored` tells which there are.
//! How keys are changed while the store is in use stands in [`crate::rotation`].
//!
//! **Invariant:** a key in clear exists only in memory. **Invariant:** each purpose has its own
//! keys; periods are key numbers (data), epochs (blind), months (journal), years (pseudonym).

pub mod master;
pub mod pkcs11;
pub mod ring;
mod stored;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

pub use self::master::{
    MASTER_KEY_FILE, MASTER_KEY_NEXT_FILE, MASTER_KEY_NEXT_VARIABLE, MASTER_KEY_OLD_FILE,
    MASTER_KEY_VARIABLE, MasterHolder, MasterId, MasterSource,
};
pub use self::ring::{Key, KeyInfo, Keyring, MasterInfo};
use crate::error::{Error, Result};

/// Key periods of a month's entries: the month as yyyymm for its first key, this much more for each
/// key that follows it. So rows of before keep their number, and a period modulo this is its month.
pub const MONTHS: u32 = 1_000_000;

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Purpose {
    /// Seals registry records; period = key number, one per 2^28 records.
    Data,
    /// HMACs of ids and names in the registry; period = epoch.
    Blind,
    /// Seals journal entries; period = month as yyyymm, and [`MONTHS`] more for each new key.
    Journal,
    /// Month secret of the salts; period = month as yyyymm.
    Salt,
    /// Pseudonyms of subjects, accounts and cases in the journal; period = year.
    Pseudonym,
    /// Seals secrets and personal data of what is registered; period 0.
    Policy,
    /// MAC of access tokens; period 0.
    Token,
    /// Keyed digests of request ids; period 0.
    Request,
    /// Ed25519 seed of the log; period 0.
    Log,
    /// Seals backups, and the MAC of manifests and anchors; period 0.
    Backup,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 10] = [
        Self::Data,
        Self::Blind,
        Self::Journal,
        Self::Salt,
        Self::Pseudonym,
        Self::Policy,
        Self::Token,
        Self::Request,
        Self::Log,
        Self::Backup,
    ];

    /// Its word in `crypto_key`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Blind => "blind",
            Self::Journal => "journal",
            Self::Salt => "salt",
            Self::Pseudonym => "pseudonym",
            Self::Policy => "policy",
            Self::Token => "token",
            Self::Request => "request",
            Self::Log => "log",
            Self::Backup => "backup",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }
}

/// Fills a buffer with random bytes of the operating system.
#[expect(clippy::disallowed_methods, reason = "the one door to randomness for keys and nonces")]
pub fn random(buffer: &mut [u8]) -> Result<()> {
    aws_lc_rs::rand::fill(buffer).map_err(|_| Error::Crypto("random"))
}

/// An AES-256-GCM key with the sealed form `nonce (12) ‖ ciphertext ‖ tag (16)`.
pub struct SealKey(LessSafeKey);

impl SealKey {
    /// From 32 key bytes.
    pub fn new(key: &[u8; 32]) -> Result<Self> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| Error::Crypto("key"))?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Seals `plain` under a nonce that must never be used twice with this key.
    pub fn seal(&self, nonce: [u8; NONCE_LEN], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(NONCE_LEN + plain.len() + 16);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(plain);
        self.seal_after_nonce(aad, &mut out)?;
        Ok(out)
    }

    /// Seals in its own buffer what follows the nonce at its beginning, and appends the tag. The
    /// nonce must never be used twice with this key.
    pub fn seal_after_nonce(&self, aad: &[u8], buffer: &mut Vec<u8>) -> Result<()> {
        let (nonce, plain) =
            buffer.split_first_chunk_mut::<NONCE_LEN>().ok_or(Error::Crypto("seal"))?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(aad), plain)
            .map_err(|_| Error::Crypto("seal"))?;
        buffer.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Opens a sealed blob in its own buffer and returns the plain part of it.
    pub fn open<'a>(&self, aad: &[u8], sealed: &'a mut [u8]) -> Result<&'a [u8]> {
        let (nonce, rest) =
            sealed.split_first_chunk_mut::<NONCE_LEN>().ok_or(Error::Crypto("open"))?;
        self.0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), rest)
            .map(|plain| &*plain)
            .map_err(|_| Error::Crypto("open"))
    }
}
