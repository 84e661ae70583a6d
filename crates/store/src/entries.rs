//! Sealing, opening and reading journal entries; pseudonyms.

use std::sync::Arc;

use dancu_domain::ids::SubjectId;
use dancu_domain::moment::Moment;
use dancu_journal::{Entry, Subject, commit};
use hashbrown::HashMap;
use parking_lot::RwLock;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::NONCE_BYTES;
use crate::engine::{Row, Tx};
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, MONTHS, Purpose, random};
use crate::values;

/// Entries that one page of a read returns at most.
pub const PAGE_MAX: usize = 1_000;

/// What is told of an entry whose month has no key here.
pub(crate) const MISSING_KEY: &str = "journal key";

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
    /// Acts by what they are and the system that they concern.
    Act = 5,
}

/// Entries sealed together at most: one row, opened whole to read one of them (about 12 KB).
pub const CHUNK_ENTRIES: usize = 32;

/// Room made for a chunk: what that many verifications take.
const CHUNK_BYTES: usize = CHUNK_ENTRIES * 448;

/// Entries that follow each other, as they are stored: one row.
pub struct Chunk {
    /// Index of the first.
    pub first: u64,
    /// How many.
    pub entries: u32,
    /// Month of their keys, yyyymm.
    pub month: u32,
    /// Which key of the month sealed them: 0 is its first.
    pub key_number: u32,
    /// `SHA-256(salt ‖ entry)` of each, 32 bytes after 32 bytes.
    pub commitments: Vec<u8>,
    /// Nonce and sealed bytes: each entry with its length in front (4 bytes, big-endian).
    pub sealed: Vec<u8>,
}

/// The commitment of an entry: 32 bytes that no other journal has at this index.
pub(crate) fn commitment_of(core: &mut Tx<'_>, index: u64) -> Result<Option<[u8; 32]>> {
    let sql = "SELECT first_idx, commitments FROM entry_chunk WHERE first_idx <= $1 \
               ORDER BY first_idx DESC LIMIT 1";
    let found = core.optional(sql, values![index.cast_signed()], |r| {
        let first = r.get::<i64>(0)?.cast_unsigned();
        let (each, _) = r.get::<&[u8]>(1)?.as_chunks::<32>();
        Ok(each.get((index - first) as usize).copied())
    })?;
    Ok(found.flatten())
}

/// Keys of a month.
struct MonthKeys {
    month: u32,
    /// Number of the newest key of the month.
    number: u32,
    /// The keyring's version when they were looked up.
    version: u64,
    data: Arc<Key>,
    secret: Arc<Key>,
}

/// Seals entries with the keys of their month.
pub struct Sealer {
    keys: Arc<Keyring>,
    month: Option<MonthKeys>,
    /// The chunk that is being filled, with its month's key.
    open: Option<(Chunk, Arc<Key>)>,
    done: Vec<Chunk>,
}

impl Sealer {
    /// A sealer that takes month keys from this keyring.
    pub fn new(keys: Arc<Keyring>) -> Self {
        Self { keys, month: None, open: None, done: vec![] }
    }

    /// Forgets what was sealed and the month's keys: the transaction that may have made them was
    /// rolled back, and the keyring knows whether they stay.
    pub fn forget(&mut self) {
        self.month = None;
        self.open = None;
        self.done.clear();
    }

    /// Whether the keys of a month are there; otherwise [`Sealer::make_keys`] makes them.
    pub fn has_keys(&mut self, month: u32) -> bool {
        let version = self.keys.version();
        if self.month.as_ref().is_some_and(|m| m.month == month && m.version == version) {
            return true;
        }
        self.month = self.look_up(month, version);
        self.month.is_some()
    }

    fn look_up(&self, month: u32, version: u64) -> Option<MonthKeys> {
        let period = self.keys.newest_of_month(month)?;
        let data = self.keys.get(Purpose::Journal, period)?;
        let secret = self.keys.get(Purpose::Salt, month)?;
        Some(MonthKeys { month, number: period / MONTHS, version, data, secret })
    }

    /// Makes the keys of a month; they stay when the caller's transaction is committed.
    pub fn make_keys(&self, tx: &mut Tx<'_>, month: u32) -> Result<()> {
        self.keys.month_key(tx, month)?;
        self.keys.get_or_make(tx, Purpose::Salt, month)?;
        Ok(())
    }

    /// Adds an entry, the successor of the one before. Its month's keys must be there; `nonce`
    /// gives a nonce that was never used, once per chunk.
    pub fn add(
        &mut self,
        entry: &Entry,
        nonce: impl FnOnce() -> Result<[u8; NONCE_BYTES]>,
    ) -> Result<()> {
        let month = month_of(Moment(entry.at));
        if !self.has_keys(month) {
            return Err(Error::Crypto("month key"));
        }
        let number = self.month.as_ref().map_or(0, |m| m.number);
        let full = |c: &Chunk| {
            (c.month, c.key_number) != (month, number) || c.entries as usize == CHUNK_ENTRIES
        };
        if self.open.as_ref().is_some_and(|(c, _)| full(c)) {
            self.seal()?;
        }
        let Some(keys) = &self.month else { return Err(Error::Crypto("month key")) };
        let (chunk, _) = match &mut self.open {
            Some(open) => open,
            empty => {
                let mut sealed = Vec::with_capacity(CHUNK_BYTES);
                sealed.extend_from_slice(&nonce()?);
                let commitments = Vec::with_capacity(32 * CHUNK_ENTRIES);
                let first = entry.index;
                let chunk =
                    Chunk { first, entries: 0, month, key_number: number, commitments, sealed };
                empty.insert((chunk, keys.data.clone()))
            }
        };
        let start = chunk.sealed.len();
        chunk.sealed.extend_from_slice(&[0; 4]);
        entry.encode_into(&mut chunk.sealed);
        let length = (chunk.sealed.len() - start - 4) as u32;
        chunk.sealed[start..start + 4].copy_from_slice(&length.to_be_bytes());
        let salt = commit::salt(&keys.secret.mac, entry.index);
        let commitment = commit::commitment(&salt, &chunk.sealed[start + 4..]);
        chunk.commitments.extend_from_slice(&commitment);
        chunk.entries += 1;
        Ok(())
    }

    /// The chunks of everything added since the last call.
    pub fn finish(&mut self) -> Result<Vec<Chunk>> {
        self.seal()?;
        Ok(std::mem::take(&mut self.done))
    }

    fn seal(&mut self) -> Result<()> {
        let Some((mut chunk, data)) = self.open.take() else { return Ok(()) };
        data.seal.seal_after_nonce(&chunk_aad(&chunk), &mut chunk.sealed)?;
        self.done.push(chunk);
        Ok(())
    }
}

/// The month of an entry's keys, as yyyymm of Viet Nam time.
pub fn month_of(at: Moment) -> u32 {
    let date = at.viet_nam_date();
    u32::from(date.year().unsigned_abs()) * 100 + u32::from(date.month().unsigned_abs())
}

fn chunk_aad(chunk: &Chunk) -> [u8; 24] {
    let mut aad = *b"entries1                ";
    aad[8..16].copy_from_slice(&chunk.first.to_be_bytes());
    aad[16..20].copy_from_slice(&chunk.entries.to_be_bytes());
    aad[20..].copy_from_slice(&chunk.month.to_be_bytes());
    aad
}

impl Chunk {
    pub(crate) fn of_row(r: &Row<'_>) -> Result<Self> {
        Ok(Self {
            first: r.get::<i64>(0)?.cast_unsigned(),
            entries: r.get(1)?,
            month: r.get(2)?,
            commitments: r.get(3)?,
            sealed: r.get(4)?,
            key_number: r.get(5)?,
        })
    }

    /// Period of the key that sealed it.
    pub fn period(&self) -> u32 {
        self.key_number * MONTHS + self.month
    }

    /// The same entries sealed by another key of their month. Salts and commitments stay: they
    /// hang on the month and were told.
    pub(crate) fn sealed_by(mut self, keys: &Keyring, period: u32) -> Result<Self> {
        let key = |n| keys.get(Purpose::Journal, n).ok_or(Error::Damaged(MISSING_KEY));
        let (old, new) = (key(self.period())?, key(period)?);
        let aad = chunk_aad(&self);
        let plain = Zeroizing::new(old.seal.open(&aad, &mut self.sealed)?.to_vec());
        let mut sealed = Vec::with_capacity(plain.len() + NONCE_BYTES + 16);
        let mut nonce = [0; NONCE_BYTES];
        random(&mut nonce)?;
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&plain);
        self.key_number = period / MONTHS;
        new.seal.seal_after_nonce(&chunk_aad(&self), &mut sealed)?;
        self.sealed = sealed;
        Ok(self)
    }

    /// Opens the entries from an index on, each checked against its commitment.
    pub fn open(mut self, keys: &Keyring, from: u64) -> Result<Vec<Entry>> {
        let data = keys.get(Purpose::Journal, self.period()).ok_or(Error::Damaged(MISSING_KEY))?;
        let secret = keys.get(Purpose::Salt, self.month).ok_or(Error::Damaged(MISSING_KEY))?;
        let aad = chunk_aad(&self);
        let mut rest = data.seal.open(&aad, &mut self.sealed)?;
        let (commitments, []) = self.commitments.as_chunks::<32>() else {
            return Err(Error::Damaged("commitments"));
        };
        if commitments.len() != self.entries as usize {
            return Err(Error::Damaged("commitments"));
        }
        let mut entries = vec![];
        for (index, c) in (self.first..).zip(commitments) {
            let (length, after) = rest.split_first_chunk::<4>().ok_or(Error::Damaged("entry"))?;
            let length = u32::from_be_bytes(*length) as usize;
            let (bytes, after) = after.split_at_checked(length).ok_or(Error::Damaged("entry"))?;
            rest = after;
            if index < from {
                continue;
            }
            if commit::commitment(&commit::salt(&secret.mac, index), bytes) != *c {
                return Err(Error::Damaged("entry does not fit its commitment"));
            }
            let entry = Entry::decode(bytes).map_err(|_| Error::Damaged("entry"))?;
            if entry.index != index {
                return Err(Error::Damaged("entry index"));
            }
            entries.push(entry);
        }
        if rest.is_empty() { Ok(entries) } else { Err(Error::Damaged("entry chunk")) }
    }
}

/// Reads one entry.
pub fn read(tx: &mut Tx<'_>, keys: &Keyring, index: u64) -> Result<Option<Entry>> {
    let Some(chunk) = chunk_of(tx, index)? else { return Ok(None) };
    Ok(opened(tx, keys, chunk, index)?.into_iter().next())
}

/// Opens a chunk that was read before. Where its key is gone it was sealed anew meanwhile, by a
/// rotation that has ended: it is read once more.
fn opened(tx: &mut Tx<'_>, keys: &Keyring, chunk: Chunk, from: u64) -> Result<Vec<Entry>> {
    let first = chunk.first;
    match chunk.open(keys, from) {
        Err(Error::Damaged(MISSING_KEY)) => {
            keys.load(tx)?;
            let again = chunk_of(tx, first)?.filter(|c| c.first == first);
            again.ok_or(Error::Damaged("entry_chunk"))?.open(keys, from)
        }
        done => done,
    }
}

/// The chunk that holds an index, or would hold it.
fn chunk_of(tx: &mut Tx<'_>, index: u64) -> Result<Option<Chunk>> {
    let sql = "SELECT first_idx, entries, month, commitments, sealed, key_number \
               FROM entry_chunk WHERE first_idx <= $1 ORDER BY first_idx DESC LIMIT 1";
    tx.optional(sql, values![index.cast_signed()], Chunk::of_row)
}

/// Reads the entries of rising indexes; what is not there is left out.
pub fn read_many(tx: &mut Tx<'_>, keys: &Keyring, indexes: &[u64]) -> Result<Vec<Entry>> {
    let mut found = Vec::with_capacity(indexes.len());
    let mut at_hand: std::iter::Peekable<std::vec::IntoIter<Entry>> = vec![].into_iter().peekable();
    for index in indexes {
        while at_hand.next_if(|e| e.index < *index).is_some() {}
        if at_hand.peek().is_none()
            && let Some(chunk) = chunk_of(tx, *index)?
        {
            at_hand = opened(tx, keys, chunk, *index)?.into_iter().peekable();
        }
        found.extend(at_hand.next_if(|e| e.index == *index));
    }
    Ok(found)
}

/// Chunks that a scan reads at a time: 64 × 14 KB, so that no statement runs for long.
const SCAN_CHUNKS: u32 = 64;

/// What a scan comes upon.
pub enum Scanned {
    /// An entry.
    Entry(Entry),
    /// A row whose key is gone from the database: an erased month, or one that the keys of a
    /// restored backup do not open.
    Closed {
        /// Its month, yyyymm.
        month: u32,
        /// Index of its first entry that was asked for.
        first: u64,
        /// Index after its last entry.
        end: u64,
    },
}

/// Calls `each` with every entry from an index on, until it says stop. A row whose key is gone is
/// an error.
pub fn scan(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    from: u64,
    mut each: impl FnMut(Entry) -> Result<bool>,
) -> Result<()> {
    scan_past(tx, keys, from, |scanned| match scanned {
        Scanned::Entry(entry) => each(entry),
        Scanned::Closed { .. } => Err(Error::Damaged(MISSING_KEY)),
    })
}

/// The same, past rows whose key is gone.
pub fn scan_past(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    from: u64,
    mut each: impl FnMut(Scanned) -> Result<bool>,
) -> Result<()> {
    let sql = "SELECT first_idx, entries, month, commitments, sealed, key_number FROM entry_chunk \
               WHERE first_idx >= COALESCE((SELECT MAX(first_idx) FROM entry_chunk \
               WHERE first_idx <= $1), 0) ORDER BY first_idx LIMIT $2";
    let mut next = from;
    loop {
        let page = tx.query(sql, values![next.cast_signed(), SCAN_CHUNKS], Chunk::of_row)?;
        let last = page.len() < SCAN_CHUNKS as usize;
        for chunk in page {
            let (first, month) = (chunk.first, chunk.month);
            let end = first + u64::from(chunk.entries);
            let found = match opened(tx, keys, chunk, next) {
                Err(Error::Damaged(MISSING_KEY)) if is_closed(tx, first)? => {
                    vec![Scanned::Closed { month, first: next.max(first), end }]
                }
                entries => entries?.into_iter().map(Scanned::Entry).collect(),
            };
            for scanned in found {
                if !each(scanned)? {
                    return Ok(());
                }
            }
            next = next.max(end);
        }
        if last {
            return Ok(());
        }
    }
}

/// Whether a key that a row needs now is gone from the database, by one look at both: a key that
/// is only not loaded, or a row that is sealed anew a moment later, is not gone.
fn is_closed(tx: &mut Tx<'_>, first: u64) -> Result<bool> {
    let sql = "SELECT COUNT(*) FROM entry_chunk c \
               JOIN crypto_key j ON j.purpose = 'journal' AND j.retired_at IS NULL \
               AND j.period = c.key_number * 1000000 + c.month \
               JOIN crypto_key s ON s.purpose = 'salt' AND s.retired_at IS NULL \
               AND s.period = c.month WHERE c.first_idx = $1";
    tx.one(sql, values![first.cast_signed()], |r| Ok(r.get::<i64>(0)? == 0))
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

/// The digest of acts of one kind on a system, 0 = on none: the row id, and the first bytes of the
/// SHA-256 of the kind. Neither is personal data.
pub fn act_digest(system: u32, kind: &str) -> [u8; 16] {
    let mut d = system_digest(system);
    d[4..].copy_from_slice(&Sha256::digest(kind)[..12]);
    d
}
