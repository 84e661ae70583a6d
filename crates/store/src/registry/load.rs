//! Bulk loading of the registry: records in order, keys sorted. SQLite gets a new file that takes
//! the place of an empty one only when it is complete and on disk; PostgreSQL one transaction.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dancu_domain::ids::PersonalId;
use dancu_domain::person::{Household, Person};
use rusqlite::Connection;

use super::{EPOCH, KeyKind, digest, record_aad};
use crate::engine::{Db, Mode};
use crate::error::{Error, Result};
use crate::facts;
use crate::keys::{Key, Keyring, Purpose, random};
use crate::readers::Place;
use crate::sqlite::{self, Area};
use crate::values;

/// Digests held in memory before they are sorted and written: 4 Mi × 25 bytes = 100 MiB.
const DIGESTS_MAX: usize = 4 << 20;
/// Records under one data key: with 2^28 random nonces the chance of two alike is below 2^-40.
const RECORDS_PER_KEY: u64 = 1 << 28;

/// A citizen or household, sealed outside the database so that several threads can do it.
pub struct Sealed {
    id: i64,
    blob: Vec<u8>,
    digests: Vec<(u8, [u8; 16])>,
}

/// Seals records; cheap to share between threads.
#[derive(Clone)]
pub struct Sealer {
    data: Arc<Key>,
    /// Number of the data key.
    number: u32,
    blind: Arc<Key>,
}

/// Every digest by which a citizen is found, with its kind.
pub(crate) fn digests(blind: &Key, person: &Person) -> Vec<(u8, [u8; 16])> {
    let mut digests = Vec::with_capacity(3);
    let mut add = |kind: KeyKind, input: &[u8]| {
        digests.push((kind as u8, digest(blind, kind, input)));
    };
    add(KeyKind::PersonalId, &person.personal_id.number().to_be_bytes());
    for old in &person.old_ids {
        add(KeyKind::OldId, &old.number().to_be_bytes());
    }
    let mut name = person.full_name.fold().into_bytes();
    name.extend_from_slice(&person.birth.folded_key().to_be_bytes());
    add(KeyKind::NameAndYear, &name);
    digests
}

/// Seals a record under a data key.
pub(crate) fn seal(data: &Key, number: u32, table: &str, id: i64, plain: &[u8]) -> Result<Vec<u8>> {
    let mut nonce = [0; crate::NONCE_BYTES];
    random(&mut nonce)?;
    data.seal.seal(nonce, &record_aad(table, id, number), plain)
}

impl Sealer {
    /// Seals a citizen under its row id, 1 or more.
    pub fn person(&self, id: u64, person: &Person) -> Result<Sealed> {
        let id = id.cast_signed();
        let digests = digests(&self.blind, person);
        let plain = postcard::to_stdvec(person).map_err(|_| Error::Damaged("person"))?;
        Ok(Sealed { id, blob: self.seal("person", id, &plain)?, digests })
    }

    /// Seals a household under its key.
    pub fn household(&self, household: &Household) -> Result<Sealed> {
        let id = household.key.cast_signed();
        let plain = postcard::to_stdvec(household).map_err(|_| Error::Damaged("household"))?;
        Ok(Sealed { id, blob: self.seal("household", id, &plain)?, digests: vec![] })
    }

    fn seal(&self, table: &str, id: i64, plain: &[u8]) -> Result<Vec<u8>> {
        seal(&self.data, self.number, table, id, plain)
    }
}

/// Rows that are gathered before they are written.
const ROWS_AT_ONCE: usize = 4_096;
/// A load of millions pauses and takes its time; nobody waits for its locks.
const LIMITS: &str = "SET LOCAL statement_timeout = 0; \
    SET LOCAL idle_in_transaction_session_timeout = 0";

/// Writes a registry.
pub struct Loader {
    db: Db,
    /// The file that is written and the one whose place it takes.
    files: Option<(PathBuf, PathBuf)>,
    persons: Vec<(i64, Vec<u8>)>,
    households: Vec<(i64, Vec<u8>)>,
    digests: Vec<([u8; 16], u8, i64)>,
    count: u64,
    sealer: Sealer,
    /// Epoch of the digests: the newest, complete with the load.
    epoch: u32,
}

impl Loader {
    /// Starts a new registry beside the present file.
    pub(super) fn into_file(target: &Path, keys: &Keyring) -> Result<Self> {
        let temporary = target.with_extension("db.new");
        for leftover in [temporary.clone(), target.with_extension("db.new-journal")] {
            let _ = std::fs::remove_file(leftover);
        }
        let mut db = Connection::open(&temporary)?;
        // The file takes its place only when complete: a crash leaves it behind, unused.
        db.pragma_update(None, "journal_mode", "OFF")?;
        db.pragma_update(None, "synchronous", "OFF")?;
        db.pragma_update(None, "cache_size", -131_072)?;
        sqlite::migrate(&mut db, Area::Registry)?;
        Self::start(db.into(), Some((temporary, target.to_owned())), keys)
    }

    /// Starts a load into the empty tables of a database.
    pub(super) fn into_server(place: &Place, keys: &Keyring) -> Result<Self> {
        let mut loader = Self::start(place.writer()?, None, keys)?;
        loader.db.tx().batch(LIMITS)?;
        Ok(loader)
    }

    fn start(mut db: Db, files: Option<(PathBuf, PathBuf)>, keys: &Keyring) -> Result<Self> {
        let newest = |purpose| {
            let n = keys.newest(purpose)?;
            Some((n, keys.get(purpose, n)?))
        };
        let missing = Error::Damaged("registry key");
        let ((number, data), (epoch, blind)) =
            newest(Purpose::Data).zip(newest(Purpose::Blind)).ok_or(missing)?;
        let sealer = Sealer { data, number, blind };
        db.begin(Mode::Write)?;
        let (persons, households, digests) = (vec![], vec![], vec![]);
        let mut loader = Self { db, files, persons, households, digests, count: 0, sealer, epoch };
        if epoch > 0 {
            loader.replace_fact(EPOCH, &epoch.to_string())?;
        }
        Ok(loader)
    }

    /// A table on a server may hold the fact from before its rows were removed.
    fn replace_fact(&mut self, name: &str, value: &str) -> Result<()> {
        facts::set_registry(&mut self.db.tx(), name, value)
    }

    /// To seal records for this loader.
    pub fn sealer(&self) -> Sealer {
        self.sealer.clone()
    }

    /// Adds a sealed citizen.
    pub fn person(&mut self, sealed: Sealed) -> Result<()> {
        if self.count >= RECORDS_PER_KEY {
            return Err(Error::Damaged("too many records for one data key"));
        }
        self.count += 1;
        self.digests.extend(sealed.digests.iter().map(|(k, d)| (*d, *k, sealed.id)));
        self.persons.push((sealed.id, sealed.blob));
        if self.persons.len() >= ROWS_AT_ONCE {
            write_records(&mut self.db, self.sealer.number, "person", &mut self.persons)?;
        }
        if self.digests.len() >= DIGESTS_MAX { self.write_digests() } else { Ok(()) }
    }

    /// Adds a sealed household.
    pub fn household(&mut self, sealed: Sealed) -> Result<()> {
        self.households.push((sealed.id, sealed.blob));
        if self.households.len() < ROWS_AT_ONCE {
            return Ok(());
        }
        write_records(&mut self.db, self.sealer.number, "household", &mut self.households)
    }

    /// Remembers a fact of the load, such as its seed.
    pub fn fact(&mut self, name: &str, value: &str) -> Result<()> {
        let sql = "INSERT INTO registry_meta (name, value) VALUES ($1, $2)";
        self.db.tx().execute(sql, values![name, value])?;
        Ok(())
    }

    /// Writes what is left and makes it durable; a file is put in place.
    pub fn finish(mut self) -> Result<u64> {
        write_records(&mut self.db, self.sealer.number, "person", &mut self.persons)?;
        write_records(&mut self.db, self.sealer.number, "household", &mut self.households)?;
        self.write_digests()?;
        let replaced = self.files.as_ref().map(|(_, target)| target.as_path());
        crate::anchor::registry::loaded(&mut self.db.tx(), replaced)?;
        self.db.commit()?;
        if let (Db::Sqlite(db), Some((temporary, target))) = (self.db, self.files) {
            put_in_place(db, &temporary, &target)?;
        }
        Ok(self.count)
    }

    fn write_digests(&mut self) -> Result<()> {
        self.digests.sort_unstable();
        let (digests, epoch) = (&self.digests, self.epoch);
        self.db.tx().load("person_key", "kind, epoch, digest, person", |take| {
            digests.iter().try_for_each(|(d, kind, person)| take(values![kind, epoch, d, person]))
        })?;
        self.digests.clear();
        Ok(())
    }
}

fn write_records(
    db: &mut Db,
    number: u32,
    table: &str,
    records: &mut Vec<(i64, Vec<u8>)>,
) -> Result<()> {
    db.tx().load(table, "id, key_number, sealed", |take| {
        records.iter().try_for_each(|(id, sealed)| take(values![id, number, sealed]))
    })?;
    records.clear();
    Ok(())
}

fn put_in_place(db: Connection, temporary: &Path, target: &Path) -> Result<()> {
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.close().map_err(|(_, e)| Error::from(e))?;
    std::fs::File::open(temporary)?.sync_all()?;
    for suffix in ["-wal", "-shm"] {
        let mut name = target.to_owned().into_os_string();
        name.push(suffix);
        let _ = std::fs::remove_file(name);
    }
    std::fs::rename(temporary, target)?;
    if let Some(dir) = target.parent() {
        std::fs::File::open(dir)?.sync_all()?;
    }
    Ok(())
}

/// Row-level check of an import: whether a personal id was already seen in this load.
#[derive(Default)]
pub struct Seen(std::collections::HashSet<u64>);

impl Seen {
    /// Remembers the id; false where it was there before.
    pub fn insert(&mut self, id: PersonalId) -> bool {
        self.0.insert(id.number())
    }
}
