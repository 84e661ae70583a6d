//! The sealed registry: citizens and households, found by keyed digests.
//!
//! **Invariant:** no attribute stands in clear and no index undoes the sealing. **Invariant:** the
//! cost of a read does not grow with the population beyond the depth of two B-trees.

mod current;
mod file;
mod find;
mod grouped;
pub mod load;
mod scan;

use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use dancu_domain::ids::{OldId, PersonalId};
use dancu_domain::person::{Household, Person, PersonKeys};
use zeroize::Zeroizing;

pub use self::scan::Slice;

use self::current::{Current, OUTDATED, ROUNDS};
pub(crate) use self::current::{EPOCH, epoch, opened_by};
use self::grouped::Grouped;
use self::load::Loader;
use crate::engine::{Db, PoolSettings, Reads, Row, Settings, Tx};
use crate::error::{Error, Result};
use crate::facts;
use crate::keys::{Key, Keyring};
use crate::readers::{Place, Readers};
use crate::sqlite::{self, Area};
use crate::values;

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
    current: ArcSwapOption<Current>,
}

/// Where the registry is.
enum Source {
    /// A SQLite file: reads run at once where they are asked for.
    File(file::Readers),
    /// A PostgreSQL server: questions share a pool, what is rare waits for a connection.
    Server(Box<Server>),
}

struct Server {
    reads: Arc<Reads>,
    grouped: Arc<Grouped>,
    readers: Readers,
    place: Place,
}

impl Registry {
    /// Opens the registry of a data folder; its keys must be loaded.
    pub fn open(dir: &Path, keys: Arc<Keyring>) -> Self {
        let source = Source::File(file::Readers::new(dir.join(Area::Registry.file())));
        Self { source, current: ArcSwapOption::empty(), keys }
    }

    /// Opens the registry of a database; its keys must be loaded.
    pub(crate) fn on_server(
        settings: &Settings,
        pool: PoolSettings,
        keys: Arc<Keyring>,
    ) -> Result<Self> {
        let place = Place::Server(Box::new(settings.clone()));
        let reads = Arc::new(Reads::new(settings.clone(), pool));
        let grouped = Arc::new(Grouped::new(reads.clone()));
        let readers = Readers::open(place.clone())?;
        let source = Source::Server(Box::new(Server { reads, grouped, readers, place }));
        Ok(Self { source, current: ArcSwapOption::empty(), keys })
    }

    /// The keyring that seals the registry.
    pub fn keys(&self) -> &Arc<Keyring> {
        &self.keys
    }

    /// A fact that was stored by the load, such as its seed.
    pub fn fact(&self, name: &str) -> Result<Option<String>> {
        self.with(|tx| facts::registry(tx, name))
    }

    /// Closes every connection to a file, because it was replaced by a load.
    pub fn reopen(&self) {
        if let Source::File(readers) = &self.source {
            readers.close();
        }
        self.current.store(None);
    }

    /// Lets every later read see what was committed until now: readers of a file hold one state of
    /// it for many reads. Reads under way end first.
    pub(crate) fn refresh(&self) {
        if let Source::File(readers) = &self.source {
            readers.refresh();
        }
    }

    /// A connection of its own that writes.
    pub(crate) fn writer(&self) -> Result<Db> {
        match &self.source {
            Source::File(readers) => Ok(sqlite::writer(readers.path())?.into()),
            Source::Server(server) => server.place.writer(),
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
        Ok(the_one(self.find_in(KeyKind::PersonalId, &input)?, id))
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
        self.settled(|current| {
            self.with(|tx| tx.optional(HOUSEHOLD, values![key], |r| household_of(current, r, key)))
        })
    }

    /// A household by its key, for questions: one round trip where it is on a server.
    pub async fn look_up_household(&self, key: u64) -> Result<Option<Household>> {
        let Source::Server(server) = &self.source else { return self.household(key) };
        let key = key.cast_signed();
        // Boxed: the future of a question on SQLite is not made larger by it.
        Box::pin(self.household_on(&server.reads, key)).await
    }

    async fn household_on(&self, reads: &Reads, key: i64) -> Result<Option<Household>> {
        let mut current = self.current()?;
        for _ in 0..ROUNDS {
            let values = values![key];
            let read = reads.optional(HOUSEHOLD, values, |r| household_of(&current, r, key));
            match read.await {
                Err(Error::Damaged(OUTDATED)) => current = self.renew(true)?,
                done => return done,
            }
        }
        Err(Error::Damaged(OUTDATED))
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
            // A page whose keys changed meanwhile is gone on with behind its last record.
            let mut read = 0;
            self.settled(|current| {
                let (from, rest) = (after, SCAN_ROWS - read);
                self.with(|tx| {
                    tx.each(sql, values![from, rest], |r| {
                        let id = r.get(0)?;
                        let plain = current.opened("person", id, r.get(1)?, r.get(2)?)?;
                        (after, read) = (id, read + 1);
                        each(postcard::from_bytes(&plain).map_err(|_| Error::Damaged("person"))?)?;
                        Ok(true)
                    })
                })
            })?;
            if read < SCAN_ROWS {
                return Ok(());
            }
        }
    }

    /// Runs a read on a free connection, each statement for itself.
    fn with<T>(&self, read: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        match &self.source {
            Source::File(readers) => readers.with(|db| read(&mut Tx::from(db))),
            Source::Server(server) => server.readers.read(read),
        }
    }
}

/// Records that a scan reads at a time, so that no statement runs for long.
const SCAN_ROWS: u32 = 4_096;

const HOUSEHOLD: &str = "SELECT key_number, sealed FROM household WHERE id = $1";

fn household_of(current: &Current, r: &Row<'_>, key: i64) -> Result<Household> {
    let plain = current.opened("household", key, r.get(0)?, r.get(1)?)?;
    postcard::from_bytes(&plain).map_err(|_| Error::Damaged("household"))
}

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
