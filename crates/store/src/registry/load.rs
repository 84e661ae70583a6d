//! Bulk loading of the registry: records in order, keys sorted, into a new file that takes the
//! place of an empty one only when it is complete and on disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dancu_domain::ids::PersonalId;
use dancu_domain::person::{Household, Person};
use rusqlite::{Connection, params};

use super::{KeyKind, digest, record_aad};
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose, random};
use crate::sqlite::{self, Area};

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
    blind: Arc<Key>,
}

impl Sealer {
    /// Seals a citizen under its row id, 1 or more.
    pub fn person(&self, id: u64, person: &Person) -> Result<Sealed> {
        let id = id.cast_signed();
        let mut digests = Vec::with_capacity(3);
        let mut add = |kind: KeyKind, input: &[u8]| {
            digests.push((kind as u8, digest(&self.blind, kind, input)));
        };
        add(KeyKind::PersonalId, &person.personal_id.number().to_be_bytes());
        for old in &person.old_ids {
            add(KeyKind::OldId, &old.number().to_be_bytes());
        }
        let mut name = person.full_name.fold().into_bytes();
        name.extend_from_slice(&person.birth.folded_key().to_be_bytes());
        add(KeyKind::NameAndYear, &name);
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
        let mut nonce = [0; crate::NONCE_BYTES];
        random(&mut nonce)?;
        self.data.seal.seal(nonce, &record_aad(table, id, 0), plain)
    }
}

/// Writes a registry.
pub struct Loader {
    db: Connection,
    target: PathBuf,
    temporary: PathBuf,
    digests: Vec<([u8; 16], u8, i64)>,
    persons: u64,
    sealer: Sealer,
}

impl Loader {
    /// Starts a new registry beside the present one, which must be empty.
    pub fn start(dir: &Path, keys: &Keyring) -> Result<Self> {
        let key = |purpose| keys.get(purpose, 0).ok_or(Error::Damaged("registry key"));
        let (data, blind) = (key(Purpose::Data)?, key(Purpose::Blind)?);
        let target = dir.join(Area::Registry.file());
        let temporary = dir.join("registry.db.new");
        for leftover in ["registry.db.new", "registry.db.new-journal"] {
            let _ = std::fs::remove_file(dir.join(leftover));
        }
        let mut db = Connection::open(&temporary)?;
        // The file takes its place only when complete: a crash leaves it behind, unused.
        db.pragma_update(None, "journal_mode", "OFF")?;
        db.pragma_update(None, "synchronous", "OFF")?;
        db.pragma_update(None, "cache_size", -131_072)?;
        sqlite::migrate(&mut db, Area::Registry)?;
        db.execute_batch("BEGIN")?;
        let sealer = Sealer { data, blind };
        Ok(Self { db, target, temporary, digests: vec![], persons: 0, sealer })
    }

    /// To seal records for this loader.
    pub fn sealer(&self) -> Sealer {
        self.sealer.clone()
    }

    /// Adds a sealed citizen.
    pub fn person(&mut self, sealed: &Sealed) -> Result<()> {
        if self.persons >= RECORDS_PER_KEY {
            return Err(Error::Damaged("too many records for one data key"));
        }
        self.db
            .prepare_cached("INSERT INTO person (id, key_number, sealed) VALUES ($1, 0, $2)")?
            .execute(params![sealed.id, sealed.blob])?;
        self.persons += 1;
        self.digests.extend(sealed.digests.iter().map(|(k, d)| (*d, *k, sealed.id)));
        if self.digests.len() >= DIGESTS_MAX { self.write_digests() } else { Ok(()) }
    }

    /// Adds a sealed household.
    pub fn household(&mut self, sealed: &Sealed) -> Result<()> {
        self.db
            .prepare_cached("INSERT INTO household (id, key_number, sealed) VALUES ($1, 0, $2)")?
            .execute(params![sealed.id, sealed.blob])?;
        Ok(())
    }

    /// Remembers a fact of the load, such as its seed.
    pub fn fact(&mut self, name: &str, value: &str) -> Result<()> {
        let sql = "INSERT INTO registry_meta (name, value) VALUES ($1, $2)";
        self.db.execute(sql, params![name, value])?;
        Ok(())
    }

    /// Writes what is left, brings the file to disk and puts it in place.
    pub fn finish(mut self) -> Result<u64> {
        self.write_digests()?;
        self.db.execute_batch("COMMIT")?;
        self.db.pragma_update(None, "journal_mode", "WAL")?;
        self.db.close().map_err(|(_, e)| Error::Engine(e))?;
        std::fs::File::open(&self.temporary)?.sync_all()?;
        for suffix in ["-wal", "-shm"] {
            let mut name = self.target.clone().into_os_string();
            name.push(suffix);
            let _ = std::fs::remove_file(name);
        }
        std::fs::rename(&self.temporary, &self.target)?;
        if let Some(dir) = self.target.parent() {
            std::fs::File::open(dir)?.sync_all()?;
        }
        Ok(self.persons)
    }

    fn write_digests(&mut self) -> Result<()> {
        self.digests.sort_unstable();
        let mut statement = self.db.prepare_cached(
            "INSERT INTO person_key (kind, epoch, digest, person) VALUES ($1, 0, $2, $3)",
        )?;
        for (digest, kind, person) in self.digests.drain(..) {
            statement.execute(params![kind, digest, person])?;
        }
        Ok(())
    }
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
