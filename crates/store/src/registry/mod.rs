//! The sealed registry: citizens and households, found by keyed digests.
//!
//! **Invariant:** no attribute stands in clear and no index undoes the sealing. **Invariant:** the
//! cost of a read does not grow with the population beyond the depth of two B-trees.

pub mod load;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dancu_domain::ids::{OldId, PersonalId};
use dancu_domain::person::{Household, Person, PersonKeys};
use parking_lot::{Mutex, MutexGuard};
use rusqlite::Connection;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose};
use crate::sqlite::{self, Area};

/// Connections for reading: more than cores, so that a slow page read holds up nobody else.
const READERS: usize = 16;
/// Persons that one old id may lead to: old ids were issued twice, not more often.
const SAME_OLD_ID_MAX: usize = 8;

/// Kinds of digests in `person_key`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum KeyKind {
    /// Personal identification number.
    PersonalId = 1,
    /// Old identity-card number; not unique.
    OldId = 2,
    /// Folded name and year of birth.
    NameAndYear = 3,
}

/// The registry, open for reading.
pub struct Registry {
    path: PathBuf,
    readers: Vec<Mutex<Option<Connection>>>,
    keys: Arc<Keyring>,
    current: Current,
}

/// The keys in use, looked up once.
struct Current {
    blind: Vec<(u32, Arc<Key>)>,
    data: Vec<(u32, Arc<Key>)>,
}

impl Registry {
    /// Opens the registry of a data folder; its keys must be loaded.
    pub fn open(dir: &Path, keys: Arc<Keyring>) -> Result<Self> {
        let path = dir.join(Area::Registry.file());
        let load = |purpose| -> Vec<_> {
            keys.periods(purpose)
                .into_iter()
                .rev()
                .filter_map(|n| keys.get(purpose, n).map(|k| (n, k)))
                .collect()
        };
        let current = Current { blind: load(Purpose::Blind), data: load(Purpose::Data) };
        let readers = (0..READERS).map(|_| Mutex::new(None)).collect();
        Ok(Self { path, readers, keys, current })
    }

    /// The keyring that seals the registry.
    pub fn keys(&self) -> &Arc<Keyring> {
        &self.keys
    }

    /// A fact that was stored by the load, such as its seed.
    pub fn fact(&self, name: &str) -> Result<Option<String>> {
        self.with(|db| {
            let mut statement = db.prepare("SELECT value FROM registry_meta WHERE name = $1")?;
            let mut rows = statement.query([name])?;
            Ok(rows.next()?.map(|r| r.get(0)).transpose()?)
        })
    }

    /// Closes every connection: the file was replaced by a load.
    pub fn reopen(&self) {
        self.readers.iter().for_each(|r| *r.lock() = None);
    }

    /// The citizen with a personal id.
    pub fn by_personal_id(&self, id: PersonalId) -> Result<Option<Record>> {
        let found = self.find(KeyKind::PersonalId, &id.number().to_be_bytes())?;
        Ok(found.into_iter().find(|r| r.keys.personal_id == id))
    }

    /// Every citizen with an old id: some were issued twice.
    pub fn by_old_id(&self, id: OldId) -> Result<Vec<Record>> {
        let mut found = self.find(KeyKind::OldId, &id.number().to_be_bytes())?;
        found.retain(|r| r.keys.old_ids.contains(&id));
        Ok(found)
    }

    /// A household by its key.
    pub fn household(&self, key: u64) -> Result<Option<Household>> {
        self.with(|db| {
            let mut statement =
                db.prepare_cached("SELECT key_number, sealed FROM household WHERE id = $1")?;
            let mut rows = statement.query([key.cast_signed()])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let sealed = row.get_ref(1)?.as_blob().map_err(|_| Error::Damaged("household"))?;
            let plain = self.opened("household", key.cast_signed(), row.get(0)?, sealed)?;
            postcard::from_bytes(&plain).map(Some).map_err(|_| Error::Damaged("household"))
        })
    }

    /// How many citizens there are.
    pub fn count(&self) -> Result<u64> {
        self.with(|db| {
            // Ids are given without gaps, so that the highest one is the count.
            let n: Option<i64> = db.query_row("SELECT MAX(id) FROM person", [], |r| r.get(0))?;
            Ok(n.unwrap_or(0).cast_unsigned())
        })
    }

    /// Calls `each` with every citizen, in storage order; for export and statistics.
    pub fn scan(&self, mut each: impl FnMut(Person) -> Result<()>) -> Result<()> {
        self.with(|db| {
            let mut statement = db.prepare("SELECT id, key_number, sealed FROM person")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let sealed = row.get_ref(2)?.as_blob().map_err(|_| Error::Damaged("person"))?;
                let plain = self.opened("person", row.get(0)?, row.get(1)?, sealed)?;
                each(postcard::from_bytes(&plain).map_err(|_| Error::Damaged("person"))?)?;
            }
            Ok(())
        })
    }

    fn find(&self, kind: KeyKind, input: &[u8]) -> Result<Vec<Record>> {
        self.with(|db| {
            let mut found = vec![];
            for (epoch, blind) in &self.current.blind {
                let digest = digest(blind, kind, input);
                let mut statement = db.prepare_cached(
                    "SELECT p.id, p.key_number, p.sealed FROM person_key k \
                     JOIN person p ON p.id = k.person \
                     WHERE k.kind = $1 AND k.epoch = $2 AND k.digest = $3",
                )?;
                let mut rows = statement.query((kind as u8, epoch, &digest[..]))?;
                while let Some(row) = rows.next()? {
                    let sealed = row.get_ref(2)?.as_blob().map_err(|_| Error::Damaged("person"))?;
                    let plain = self.opened("person", row.get(0)?, row.get(1)?, sealed)?;
                    found.push(Record::new(plain)?);
                    if found.len() == SAME_OLD_ID_MAX {
                        return Ok(found);
                    }
                }
                if !found.is_empty() {
                    break;
                }
            }
            Ok(found)
        })
    }

    fn opened(&self, table: &str, id: i64, key_number: u32, sealed: &[u8]) -> Result<Vec<u8>> {
        let key = self
            .current
            .data
            .iter()
            .find(|(n, _)| *n == key_number)
            .ok_or(Error::Damaged("key number"))?;
        let mut buffer = sealed.to_vec();
        let plain = key.1.seal.open(&record_aad(table, id, key_number), &mut buffer)?;
        let (start, length) = (crate::NONCE_BYTES, plain.len());
        buffer.truncate(start + length);
        buffer.drain(..start);
        Ok(buffer)
    }

    /// Runs a read on a free connection. After an engine error the connection is opened anew, so
    /// that a database that was gone is found again without a restart.
    fn with<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut slot = self.reader();
        if slot.is_none() {
            let db = sqlite::reader(&self.path)?;
            // One read transaction for many reads: this process is the only writer, and a load
            // closes every reader, so that no lock has to be taken for each read.
            db.execute_batch("BEGIN")?;
            *slot = Some(db);
        }
        let Some(db) = slot.as_ref() else { return Err(Error::Damaged("reader")) };
        let result = read(db);
        if matches!(result, Err(Error::Engine(_))) {
            *slot = None;
        }
        result
    }

    fn reader(&self) -> MutexGuard<'_, Option<Connection>> {
        for slot in &self.readers {
            if let Some(free) = slot.try_lock() {
                return free;
            }
        }
        self.readers[0].lock()
    }
}

/// An opened record: its keys are decoded, the rest on demand.
pub struct Record {
    /// What every question compares.
    pub keys: PersonKeys,
    plain: Zeroizing<Vec<u8>>,
}

impl Record {
    fn new(plain: Vec<u8>) -> Result<Self> {
        let plain = Zeroizing::new(plain);
        let (keys, _) = postcard::take_from_bytes(&plain).map_err(|_| Error::Damaged("person"))?;
        Ok(Self { keys, plain })
    }

    /// The whole record.
    pub fn person(&self) -> Result<Person> {
        postcard::from_bytes(&self.plain).map_err(|_| Error::Damaged("person"))
    }
}

/// The digest under which a citizen is found.
pub(crate) fn digest(blind: &Key, kind: KeyKind, input: &[u8]) -> [u8; 16] {
    blind.digest16(&[&[kind as u8], input])
}

/// Table, record, version and key number are bound to the sealed record.
pub(crate) fn record_aad(table: &str, id: i64, key_number: u32) -> Vec<u8> {
    let mut aad = Vec::with_capacity(table.len() + 13);
    aad.extend_from_slice(table.as_bytes());
    aad.push(RECORD_VERSION);
    aad.extend_from_slice(&id.to_be_bytes());
    aad.extend_from_slice(&key_number.to_be_bytes());
    aad
}

/// Version of the sealed record's encoding.
pub(crate) const RECORD_VERSION: u8 = 1;
