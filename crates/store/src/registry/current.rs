//! Which keys the registry is read with. They change while it is read: see [`crate::rotation`].
//!
//! **Invariant:** a look-up goes by one complete epoch of digests. That no digest was found is
//! believed only while that epoch is in force by what stands beside the digests themselves, so
//! that a process that slept through a rotation is never wrong, only slower.

use std::sync::Arc;

use super::{Registry, Source, record_aad};
use crate::engine::Tx;
use crate::error::{Error, Result};
use crate::facts;
use crate::keys::{Key, Keyring, Purpose};

/// Fact of the registry that names the complete epoch of digests; none = 0, the first.
pub(crate) const EPOCH: &str = "blind.epoch";
/// What a read says whose keys are not those of what it found: it is to be repeated.
pub(super) const OUTDATED: &str = "keys of the registry";
/// Rotations that one read may meet: a second one begins hours after the first.
pub(super) const ROUNDS: u32 = 4;

/// The keys in use, looked up once per change.
pub(super) struct Current {
    /// The keyring's version when they were looked up.
    version: u64,
    /// The epoch in force.
    pub(super) epoch: u32,
    /// Its key.
    pub(super) blind: Arc<Key>,
    data: Vec<(u32, Arc<Key>)>,
}

impl Current {
    /// The key of a record, if it is one of these.
    pub(super) fn data(&self, number: u32) -> Option<&Key> {
        self.data.iter().find(|(n, _)| *n == number).map(|(_, key)| &**key)
    }

    /// Opens a record with these keys.
    pub(super) fn opened(
        &self,
        table: &str,
        id: i64,
        key_number: u32,
        sealed: &[u8],
    ) -> Result<Vec<u8>> {
        let key = self.data(key_number).ok_or(Error::Damaged(OUTDATED))?;
        opened_by(key, table, id, key_number, sealed)
    }
}

/// Opens a record.
pub(crate) fn opened_by(
    key: &Key,
    table: &str,
    id: i64,
    key_number: u32,
    sealed: &[u8],
) -> Result<Vec<u8>> {
    let mut buffer = sealed.to_vec();
    let plain = key.seal.open(&record_aad(table, id, key_number), &mut buffer)?;
    let (start, length) = (crate::NONCE_BYTES, plain.len());
    buffer.truncate(start + length);
    buffer.drain(..start);
    Ok(buffer)
}

/// The epoch in force, as the registry itself says.
pub(crate) fn epoch(tx: &mut Tx<'_>) -> Result<u32> {
    facts::registry(tx, EPOCH)?
        .map_or(Ok(0), |text| text.parse().map_err(|_| Error::Damaged("blind.epoch")))
}

impl Registry {
    /// The keys in use.
    pub(super) fn current(&self) -> Result<Arc<Current>> {
        if let Some(known) = &*self.current.load()
            && known.version == self.keys.version()
        {
            return Ok(known.clone());
        }
        self.renew(false)
    }

    /// Looks the keys up again; `missed` = what was read needs keys that another node made.
    pub(super) fn renew(&self, missed: bool) -> Result<Arc<Current>> {
        if missed {
            self.load_keys()?;
        }
        let version = self.keys.version();
        let epoch = self.with(epoch)?;
        if self.keys.get(Purpose::Blind, epoch).is_none() {
            self.load_keys()?;
        }
        let blind = self.keys.get(Purpose::Blind, epoch).ok_or(Error::Damaged("blind key"))?;
        let data = all(&self.keys, Purpose::Data);
        let current = Arc::new(Current { version, epoch, blind, data });
        self.current.store(Some(current.clone()));
        Ok(current)
    }

    /// Keys that another node made; a file has one process, which knows them all.
    fn load_keys(&self) -> Result<()> {
        match &self.source {
            Source::File(_) => Ok(()),
            Source::Server(server) => server.readers.read(|tx| self.keys.load(tx)),
        }
    }

    /// Repeats a read while what it found needs other keys than it had.
    pub(super) fn settled<T>(&self, mut read: impl FnMut(&Current) -> Result<T>) -> Result<T> {
        let mut current = self.current()?;
        for _ in 0..ROUNDS {
            match read(&current) {
                Err(Error::Damaged(OUTDATED)) => current = self.renew(true)?,
                done => return done,
            }
        }
        read(&current)
    }
}

/// Every loaded key of a purpose, the newest first: nearly every record has it.
fn all(keys: &Keyring, purpose: Purpose) -> Vec<(u32, Arc<Key>)> {
    let periods = keys.periods(purpose).into_iter().rev();
    periods.filter_map(|n| keys.get(purpose, n).map(|key| (n, key))).collect()
}
