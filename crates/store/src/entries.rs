//! Sealing, opening and reading journal entries; pseudonyms.

use std::sync::Arc;

use dancu_domain::ids::SubjectId;
use dancu_domain::moment::Moment;
use dancu_journal::{Entry, Subject, commit};
use hashbrown::HashMap;
use parking_lot::RwLock;
use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose};

/// Entries that one page of a read returns at most.
pub const PAGE_MAX: usize = 1_000;

/// Kinds of digests that entries are found by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum SearchKind {
    /// By system row.
    System = 1,
    /// By account row.
    Account = 2,
    /// By a citizen's id.
    Subject = 3,
    /// By case code.
    Case = 4,
}

/// An entry as it is stored.
pub struct SealedEntry {
    /// Month of its keys, yyyymm.
    pub month: u32,
    /// `SHA-256(salt ‖ entry)`.
    pub commitment: [u8; 32],
    /// Nonce and sealed bytes.
    pub blob: Vec<u8>,
}

/// Seals entries with the keys of their month.
pub struct Sealer {
    keys: Arc<Keyring>,
    month: Option<(u32, Arc<Key>, Arc<Key>)>,
}

impl Sealer {
    /// A sealer that finds or makes month keys in this keyring.
    pub fn new(keys: Arc<Keyring>) -> Self {
        Self { keys, month: None }
    }

    /// Forgets the month's keys: the transaction that may have made them was rolled back, and the
    /// keyring knows whether they stay.
    pub fn forget(&mut self) {
        self.month = None;
    }

    /// Seals one entry. `nonce` is used once.
    pub fn seal(&mut self, db: &Connection, entry: &Entry, nonce: [u8; 12]) -> Result<SealedEntry> {
        let month = month_of(Moment(entry.at));
        if self.month.as_ref().is_none_or(|(m, ..)| *m != month) {
            let data = self.keys.get_or_make(db, Purpose::Journal, month)?;
            let secret = self.keys.get_or_make(db, Purpose::Salt, month)?;
            self.month = Some((month, data, secret));
        }
        let Some((_, data, secret)) = &self.month else { return Err(Error::Crypto("month key")) };
        let bytes = entry.encode();
        let salt = commit::salt(&secret.mac, entry.index);
        let commitment = commit::commitment(&salt, &bytes);
        let blob = data.seal.seal(nonce, &entry_aad(entry.index, month), &bytes)?;
        Ok(SealedEntry { month, commitment, blob })
    }
}

/// The month of an entry's keys, as yyyymm of Viet Nam time.
pub fn month_of(at: Moment) -> u32 {
    let date = at.viet_nam_date();
    u32::from(date.year().unsigned_abs()) * 100 + u32::from(date.month().unsigned_abs())
}

fn entry_aad(index: u64, month: u32) -> [u8; 20] {
    let mut aad = *b"entry1\0\0            ";
    aad[8..16].copy_from_slice(&index.to_be_bytes());
    aad[16..].copy_from_slice(&month.to_be_bytes());
    aad
}

/// Opens a stored entry and checks it against its commitment.
pub fn open(keys: &Keyring, index: u64, month: u32, c: &[u8], blob: &[u8]) -> Result<Entry> {
    let data = keys.get(Purpose::Journal, month).ok_or(Error::Damaged("journal key"))?;
    let secret = keys.get(Purpose::Salt, month).ok_or(Error::Damaged("salt key"))?;
    let mut buffer = blob.to_vec();
    let plain = data.seal.open(&entry_aad(index, month), &mut buffer)?;
    if commit::commitment(&commit::salt(&secret.mac, index), plain) != c {
        return Err(Error::Damaged("entry does not fit its commitment"));
    }
    let entry = Entry::decode(plain).map_err(|_| Error::Damaged("entry"))?;
    if entry.index == index { Ok(entry) } else { Err(Error::Damaged("entry index")) }
}

/// Reads one entry.
pub fn read(db: &Connection, keys: &Keyring, index: u64) -> Result<Option<Entry>> {
    let mut statement =
        db.prepare_cached("SELECT month, commitment, sealed FROM entry WHERE idx = $1")?;
    let mut rows = statement.query([index.cast_signed()])?;
    let Some(r) = rows.next()? else { return Ok(None) };
    let c = r.get_ref(1)?.as_blob().map_err(|_| Error::Damaged("entry"))?;
    let blob = r.get_ref(2)?.as_blob().map_err(|_| Error::Damaged("entry"))?;
    open(keys, index, r.get(0)?, c, blob).map(Some)
}

/// Calls `each` with every entry from an index on, until it says stop.
pub fn scan(
    db: &Connection,
    keys: &Keyring,
    from: u64,
    mut each: impl FnMut(Entry) -> Result<bool>,
) -> Result<()> {
    let mut statement = db
        .prepare("SELECT idx, month, commitment, sealed FROM entry WHERE idx >= $1 ORDER BY idx")?;
    let mut rows = statement.query([from.cast_signed()])?;
    while let Some(r) = rows.next()? {
        let index = r.get::<_, i64>(0)?.cast_unsigned();
        let c = r.get_ref(2)?.as_blob().map_err(|_| Error::Damaged("entry"))?;
        let blob = r.get_ref(3)?.as_blob().map_err(|_| Error::Damaged("entry"))?;
        if !each(open(keys, index, r.get(1)?, c, blob)?)? {
            break;
        }
    }
    Ok(())
}

/// Pseudonyms and search digests of one year's key.
pub struct Pseudonyms {
    year: u16,
    key: Arc<Key>,
    /// Digests of accounts that asked: an account asks more than once a year.
    accounts: RwLock<HashMap<u32, [u8; 16]>>,
}

/// Accounts whose digest is kept: 36 bytes each, all officers of the country are 20 MiB.
const ACCOUNTS_KEPT: usize = 500_000;

impl Pseudonyms {
    /// The key of a year that was made before.
    pub fn of_year(keys: &Keyring, year: u16) -> Option<Self> {
        keys.get(Purpose::Pseudonym, u32::from(year)).map(|key| Self {
            year,
            key,
            accounts: RwLock::default(),
        })
    }

    /// The year of the key.
    pub fn year(&self) -> u16 {
        self.year
    }

    /// The pseudonym of a citizen by the id asked.
    pub fn subject(&self, id: SubjectId, delivered: bool) -> Subject {
        let (kind, number) = match id {
            SubjectId::Personal(p) => (1, p.number()),
            SubjectId::Old(o) => (2, u64::from(o.number())),
        };
        let pseudonym = self.digest(SearchKind::Subject, &[&[kind], &number.to_be_bytes()]);
        Subject { delivered, epoch: self.year, pseudonym }
    }

    /// The digest of an account.
    pub fn account(&self, account: u32) -> [u8; 16] {
        if let Some(known) = self.accounts.read().get(&account) {
            return *known;
        }
        let digest = self.digest(SearchKind::Account, &[&account.to_be_bytes()]);
        let mut accounts = self.accounts.write();
        if accounts.len() < ACCOUNTS_KEPT {
            accounts.insert(account, digest);
        }
        digest
    }

    /// The digest of a case code.
    pub fn case(&self, case: &str) -> [u8; 16] {
        self.digest(SearchKind::Case, &[case.as_bytes()])
    }

    /// A keyed 32-bit hash for the watch's features.
    pub fn feature(&self, parts: &[&[u8]]) -> u32 {
        let d = self.digest(SearchKind::Subject, &[&[9], &parts.concat()]);
        u32::from_be_bytes([d[0], d[1], d[2], d[3]])
    }

    fn digest(&self, kind: SearchKind, parts: &[&[u8]]) -> [u8; 16] {
        let mut all = Vec::with_capacity(64);
        all.push(kind as u8);
        for part in parts {
            all.extend_from_slice(part);
        }
        self.key.digest16(&[&all])
    }
}

/// The digest of a system: its row id, which is not personal data.
pub fn system_digest(system: u32) -> [u8; 16] {
    let mut d = [0; 16];
    d[..4].copy_from_slice(&system.to_be_bytes());
    d
}
