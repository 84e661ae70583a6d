//! Keys: one master key outside the databases wraps every other key, by purpose and period.
//!
//! **Invariant:** a key in clear exists only in memory. **Invariant:** each purpose has its own
//! keys; periods are key numbers (data), epochs (blind), months (journal), years (pseudonym).

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use dancu_journal::commit::MacKey;
use hmac::{KeyInit as _, Mac as _};
use parking_lot::{Mutex, RwLock};
use zeroize::Zeroizing;

use crate::engine::Tx;
use crate::error::{Error, Result};
use crate::values;

/// Environment variable that holds the master key as 64 hex digits instead of the file.
pub const MASTER_KEY_VARIABLE: &str = "DANCU_MASTER_KEY";
/// Name of the master key's file in the data folder.
pub const MASTER_KEY_FILE: &str = "master.key";

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Purpose {
    /// Seals registry records; period = key number, one per 2^28 records.
    Data,
    /// HMACs of ids and names in the registry; period = epoch.
    Blind,
    /// Seals journal entries; period = month as yyyymm.
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
}

impl Purpose {
    const fn name(self) -> &'static str {
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
        }
    }
}

/// Reads the master key from the environment or the folder; makes one on first run, 0600.
///
/// Where there is data already (`has_data`) none is made: it would not open what is there.
pub fn master_key(
    dir: &Path,
    from_environment: Option<&str>,
    has_data: bool,
) -> Result<Zeroizing<[u8; 32]>> {
    if let Some(text) = from_environment {
        return parse_master(text, MASTER_KEY_VARIABLE);
    }
    let path = dir.join(MASTER_KEY_FILE);
    match fs::read_to_string(&path) {
        Ok(text) => {
            let mode = fs::metadata(&path)?.permissions().mode() & 0o077;
            if mode != 0 {
                return Err(Error::MasterKey(format!(
                    "{MASTER_KEY_FILE} phải có quyền 0600 (must not be readable by others)"
                )));
            }
            parse_master(text.trim(), MASTER_KEY_FILE)
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => make_master(dir, &path, has_data),
        Err(e) => Err(e.into()),
    }
}

fn make_master(dir: &Path, path: &Path, has_data: bool) -> Result<Zeroizing<[u8; 32]>> {
    if has_data {
        return Err(Error::MasterKey(format!(
            "có dữ liệu nhưng thiếu {MASTER_KEY_FILE} (there is data but no master key)"
        )));
    }
    let mut key = Zeroizing::new([0u8; 32]);
    random(&mut *key)?;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let text = Zeroizing::new(hex::encode(*key) + "\n");
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::File::open(dir)?.sync_all()?;
    Ok(key)
}

fn parse_master(text: &str, from: &str) -> Result<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0u8; 32]);
    hex::decode_to_slice(text, &mut *key).map_err(|_| {
        Error::MasterKey(format!("{from}: cần đúng 64 chữ số hex (64 hex digits expected)"))
    })?;
    Ok(key)
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

/// Every key of a data folder.
pub struct Keyring {
    master: SealKey,
    keys: RwLock<HashMap<(Purpose, u32), Arc<Key>>>,
    /// Keys made by a transaction that is not committed yet.
    pending: Mutex<Vec<(Purpose, u32)>>,
}

/// One key, ready for both uses.
pub struct Key {
    /// For sealing.
    pub seal: SealKey,
    /// For HMAC-SHA-256.
    pub mac: MacKey,
    raw: Zeroizing<[u8; 32]>,
}

impl Key {
    fn new(raw: Zeroizing<[u8; 32]>) -> Result<Self> {
        let seal = SealKey::new(&raw)?;
        let mac = MacKey::new_from_slice(&*raw).map_err(|_| Error::Crypto("key"))?;
        Ok(Self { seal, mac, raw })
    }

    /// The key's bytes, for schemes other than sealing and HMAC.
    pub fn raw(&self) -> &[u8; 32] {
        &self.raw
    }

    /// The first 16 bytes of HMAC-SHA-256 over the parts.
    pub fn digest16(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mut mac = self.mac.clone();
        for part in parts {
            mac.update(part);
        }
        let mut out = [0; 16];
        out.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        out
    }
}

impl Keyring {
    /// A keyring under a master key. Keys are loaded as they are asked for.
    pub fn new(master: &[u8; 32]) -> Result<Self> {
        Ok(Self {
            master: SealKey::new(master)?,
            keys: RwLock::new(HashMap::new()),
            pending: Mutex::default(),
        })
    }

    /// A key that was loaded or made before.
    pub fn get(&self, purpose: Purpose, period: u32) -> Option<Arc<Key>> {
        self.keys.read().get(&(purpose, period)).cloned()
    }

    /// The newest period of a purpose among the loaded keys.
    pub fn newest(&self, purpose: Purpose) -> Option<u32> {
        self.periods(purpose).into_iter().max()
    }

    /// Every loaded period of a purpose, rising.
    pub fn periods(&self, purpose: Purpose) -> Vec<u32> {
        let keys = self.keys.read();
        let mut all: Vec<u32> =
            keys.keys().filter(|(p, _)| *p == purpose).map(|(_, n)| *n).collect();
        all.sort_unstable();
        all
    }

    /// Loads every key of the database. A wrong master key is told apart from damage.
    pub fn load(&self, tx: &mut Tx<'_>) -> Result<()> {
        tx.each("SELECT purpose, period, wrapped FROM crypto_key", &[], |row| {
            let period: u32 = row.get(1)?;
            let mut wrapped: Vec<u8> = row.get(2)?;
            if let Some(purpose) = purpose_of(row.get(0)?) {
                let raw = self.unwrap(purpose, period, &mut wrapped)?;
                self.keys.write().insert((purpose, period), Arc::new(Key::new(raw)?));
            }
            Ok(true)
        })
    }

    /// The key, made and stored (committed by the caller's transaction) where it is missing.
    pub fn get_or_make(&self, tx: &mut Tx<'_>, purpose: Purpose, period: u32) -> Result<Arc<Key>> {
        if let Some(key) = self.get(purpose, period) {
            return Ok(key);
        }
        if let Some(key) = self.stored(tx, purpose, period)? {
            return Ok(key);
        }
        let mut raw = Zeroizing::new([0u8; 32]);
        random(&mut *raw)?;
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce)?;
        let wrapped = self.master.seal(nonce, &wrap_aad(purpose, period), &*raw)?;
        tx.execute(
            "INSERT INTO crypto_key (purpose, period, wrapped) VALUES ($1, $2, $3)",
            values![purpose.name(), period, wrapped],
        )?;
        let key = Arc::new(Key::new(raw)?);
        self.keys.write().insert((purpose, period), key.clone());
        self.pending.lock().push((purpose, period));
        Ok(key)
    }

    fn stored(&self, tx: &mut Tx<'_>, purpose: Purpose, period: u32) -> Result<Option<Arc<Key>>> {
        let sql = "SELECT wrapped FROM crypto_key WHERE purpose = $1 AND period = $2";
        let found = tx.optional(sql, values![purpose.name(), period], |r| r.get::<Vec<u8>>(0))?;
        let Some(mut wrapped) = found else { return Ok(None) };
        let key = Arc::new(Key::new(self.unwrap(purpose, period, &mut wrapped)?)?);
        self.keys.write().insert((purpose, period), key.clone());
        Ok(Some(key))
    }

    /// Whether the transaction under way made keys.
    pub(crate) fn has_made(&self) -> bool {
        !self.pending.lock().is_empty()
    }

    /// The transaction that made keys was committed: they stay.
    pub fn committed(&self) {
        self.pending.lock().clear();
    }

    /// The transaction that made keys was rolled back: they never existed.
    pub fn rolled_back(&self) {
        let mut keys = self.keys.write();
        for made in self.pending.lock().drain(..) {
            keys.remove(&made);
        }
    }

    fn unwrap(
        &self,
        purpose: Purpose,
        period: u32,
        wrapped: &mut [u8],
    ) -> Result<Zeroizing<[u8; 32]>> {
        let plain = self.master.open(&wrap_aad(purpose, period), wrapped).map_err(|_| {
            Error::MasterKey("khóa chủ không mở được dữ liệu này (wrong master key)".into())
        })?;
        let raw: [u8; 32] = plain.try_into().map_err(|_| Error::Crypto("unwrap"))?;
        Ok(Zeroizing::new(raw))
    }
}

fn wrap_aad(purpose: Purpose, period: u32) -> Vec<u8> {
    format!("dancu key {} {period}", purpose.name()).into_bytes()
}

fn purpose_of(name: &str) -> Option<Purpose> {
    [
        Purpose::Data,
        Purpose::Blind,
        Purpose::Journal,
        Purpose::Salt,
        Purpose::Pseudonym,
        Purpose::Policy,
        Purpose::Token,
        Purpose::Request,
        Purpose::Log,
    ]
    .into_iter()
    .find(|p| p.name() == name)
}
