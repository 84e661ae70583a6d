//! The sealed registry: citizens and households, found by keyed digests.
//!
//! **Invariant:** no attribute stands in clear and no index undoes the sealing. **Invariant:** the
//! cost of a read does not grow with the population beyond the depth of two B-trees.

mod file;
pub mod load;

use std::path::Path;
use std::sync::Arc;

use dancu_domain::ids::{OldId, PersonalId};
use dancu_domain::person::{Household, Person, PersonKeys};
use zeroize::Zeroizing;

use self::load::Loader;
use crate::engine::{PoolSettings, Reads, Row, Settings, Tx};
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose};
use crate::readers::{Place, Readers};
use crate::sqlite::Area;
use crate::values;

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
    source: Source,
    keys: Arc<Keyring>,
    current: Current,
}

/// Where the registry is.
enum Source {
    /// A SQLite file: reads run at once where they are asked for.
    File(file::Readers),
    /// A PostgreSQL server: questions share a pool, what is rare waits for a connection.
    Server(Box<Server>),
}

struct Server {
    reads: Reads,
    readers: Readers,
    place: Place,
}

/// The keys in use, looked up once.
struct Current {
    blind: Vec<(u32, Arc<Key>)>,
    data: Vec<(u32, Arc<Key>)>,
}

impl Registry {
    /// Opens the registry of a data folder; its keys must be loaded.
    pub fn open(dir: &Path, keys: Arc<Keyring>) -> Self {
        let source = Source::File(file::Readers::new(dir.join(Area::Registry.file())));
        Self { source, current: Current::of(&keys), keys }
    }

    /// Opens the registry of a database; its keys must be loaded.
    pub(crate) fn on_server(settings: &Settings, keys: Arc<Keyring>) -> Result<Self> {
        let place = Place::Server(Box::new(settings.clone()));
        let reads = Reads::new(settings.clone(), PoolSettings::default());
        let readers = Readers::open(place.clone())?;
        let source = Source::Server(Box::new(Server { reads, readers, place }));
        Ok(Self { source, current: Current::of(&keys), keys })
    }

    /// The keyring that seals the registry.
    pub fn keys(&self) -> &Arc<Keyring> {
        &self.keys
    }

    /// A fact that was stored by the load, such as its seed.
    pub fn fact(&self, name: &str) -> Result<Option<String>> {
        let sql = "SELECT value FROM registry_meta WHERE name = $1";
        self.with(|tx| tx.optional(sql, values![name], |r| r.get(0)))
    }

    /// Closes every connection to a file, because it was replaced by a load.
    pub fn reopen(&self) {
        if let Source::File(readers) = &self.source {
            readers.close();
        }
    }

    /// Starts a bulk load; the registry must be empty.
    pub fn loader(&self) -> Result<Loader> {
        match &self.source {
            Source::File(readers) => Loader::into_file(readers.path(), &self.keys),
            Source::Server(server) => Loader::into_server(&server.place, &self.keys),
        }
    }

    /// The citizen with a personal id; waits where the registry is on a server.
    pub fn by_personal_id(&self, id: PersonalId) -> Result<Option<Record>> {
        let input = id.number().to_be_bytes();
        Ok(the_one(self.with(|tx| self.find_in(tx, KeyKind::PersonalId, &input))?, id))
    }

    /// The citizen with a personal id, for questions: one round trip where it is on a server.
    pub async fn look_up(&self, id: PersonalId) -> Result<Option<Record>> {
        let input = id.number().to_be_bytes();
        Ok(the_one(self.find(KeyKind::PersonalId, &input).await?, id))
    }

    /// Every citizen with an old id: some were issued twice.
    pub async fn look_up_old(&self, id: OldId) -> Result<Vec<Record>> {
        let mut found = self.find(KeyKind::OldId, &id.number().to_be_bytes()).await?;
        found.retain(|r| r.keys.old_ids.contains(&id));
        Ok(found)
    }

    /// A household by its key; waits where the registry is on a server.
    pub fn household(&self, key: u64) -> Result<Option<Household>> {
        let key = key.cast_signed();
        self.with(|tx| tx.optional(HOUSEHOLD, values![key], |r| self.open_household(r, key)))
    }

    /// A household by its key, for questions: one round trip where it is on a server.
    pub async fn look_up_household(&self, key: u64) -> Result<Option<Household>> {
        let Source::Server(server) = &self.source else { return self.household(key) };
        let key = key.cast_signed();
        // Boxed: the future of a question on SQLite is not made larger by it.
        let values = values![key];
        Box::pin(server.reads.optional(HOUSEHOLD, values, |r| self.open_household(r, key))).await
    }

    /// How many citizens there are.
    pub fn count(&self) -> Result<u64> {
        // Ids are given without gaps, so that the highest one is the count.
        let sql = "SELECT COALESCE(MAX(id), 0) FROM person";
        self.with(|tx| tx.one(sql, &[], |r| Ok(r.get::<i64>(0)?.cast_unsigned())))
    }

    /// Calls `each` with every citizen, in storage order; for export and statistics.
    pub fn scan(&self, mut each: impl FnMut(Person) -> Result<()>) -> Result<()> {
        let sql = "SELECT id, key_number, sealed FROM person WHERE id > $1 ORDER BY id LIMIT $2";
        let mut after = 0i64;
        loop {
            let (mut read, from) = (0, after);
            self.with(|tx| {
                tx.each(sql, values![from, SCAN_ROWS], |r| {
                    (after, read) = (r.get(0)?, read + 1);
                    let plain = self.opened("person", after, r.get(1)?, r.get(2)?)?;
                    each(postcard::from_bytes(&plain).map_err(|_| Error::Damaged("person"))?)?;
                    Ok(true)
                })
            })?;
            if read < SCAN_ROWS {
                return Ok(());
            }
        }
    }

    async fn find(&self, kind: KeyKind, input: &[u8]) -> Result<Vec<Record>> {
        match &self.source {
            Source::File(readers) => readers.with(|db| self.find_in_file(db, kind, input)),
            // Boxed: the future of a question on SQLite is not made larger by it.
            Source::Server(server) => Box::pin(self.find_on(&server.reads, kind, input)).await,
        }
    }

    async fn find_on(&self, reads: &Reads, kind: KeyKind, input: &[u8]) -> Result<Vec<Record>> {
        for (epoch, blind) in &self.current.blind {
            let digest = digest(blind, kind, input);
            let kind = kind as u8;
            let values = values![kind, epoch, digest];
            let mut found = reads.query(BY_KEY, values, |r| self.record(r)).await?;
            if !found.is_empty() {
                found.truncate(SAME_OLD_ID_MAX);
                return Ok(found);
            }
        }
        Ok(vec![])
    }

    fn find_in(&self, tx: &mut Tx<'_>, kind: KeyKind, input: &[u8]) -> Result<Vec<Record>> {
        for (epoch, blind) in &self.current.blind {
            let digest = digest(blind, kind, input);
            let mut found =
                tx.query(BY_KEY, values![kind as u8, epoch, digest], |r| self.record(r))?;
            if !found.is_empty() {
                found.truncate(SAME_OLD_ID_MAX);
                return Ok(found);
            }
        }
        Ok(vec![])
    }

    fn record(&self, r: &Row<'_>) -> Result<Record> {
        Record::new(self.opened("person", r.get(0)?, r.get(1)?, r.get(2)?)?)
    }

    fn open_household(&self, r: &Row<'_>, key: i64) -> Result<Household> {
        let plain = self.opened("household", key, r.get(0)?, r.get(1)?)?;
        postcard::from_bytes(&plain).map_err(|_| Error::Damaged("household"))
    }

    /// The same as [`Registry::find_in`] without the layer between: the look-up of each question.
    fn find_in_file(
        &self,
        db: &rusqlite::Connection,
        kind: KeyKind,
        input: &[u8],
    ) -> Result<Vec<Record>> {
        let mut found = vec![];
        for (epoch, blind) in &self.current.blind {
            let digest = digest(blind, kind, input);
            let mut statement = db.prepare_cached(BY_KEY)?;
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

    /// Runs a read on a free connection, each statement for itself.
    fn with<T>(&self, read: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        match &self.source {
            Source::File(readers) => readers.with(|db| read(&mut Tx::from(db))),
            Source::Server(server) => server.readers.read(read),
        }
    }
}

impl Current {
    fn of(keys: &Keyring) -> Self {
        let load = |purpose| -> Vec<_> {
            keys.periods(purpose)
                .into_iter()
                .rev()
                .filter_map(|n| keys.get(purpose, n).map(|k| (n, k)))
                .collect()
        };
        Self { blind: load(Purpose::Blind), data: load(Purpose::Data) }
    }
}

/// Records that a scan reads at a time, so that no statement runs for long.
const SCAN_ROWS: u32 = 4_096;

const BY_KEY: &str = "SELECT p.id, p.key_number, p.sealed FROM person_key k \
    JOIN person p ON p.id = k.person WHERE k.kind = $1 AND k.epoch = $2 AND k.digest = $3";
const HOUSEHOLD: &str = "SELECT key_number, sealed FROM household WHERE id = $1";

/// A digest leads to a citizen; the id itself decides.
fn the_one(found: Vec<Record>, id: PersonalId) -> Option<Record> {
    found.into_iter().find(|r| r.keys.personal_id == id)
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
