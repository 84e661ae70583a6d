//! The keyring: every key in use, wrapped in `crypto_key`, in clear only here.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use dancu_domain::moment::Moment;
use dancu_journal::commit::MacKey;
use hmac::{KeyInit as _, Mac as _};
use parking_lot::{Mutex, RwLock};
use zeroize::Zeroizing;

use super::master::{LocalMaster, MasterHolder, MasterId, MasterSource, Masters, remove_drafts};
use super::stored::put_in_force;
pub(crate) use super::stored::{
    follow_rows, highest, highest_of_month, in_force, list, newest_live_of_month,
};
use super::{MONTHS, Purpose, SealKey, random};
use crate::engine::Tx;
use crate::error::{Error, Result};
use crate::values;

/// Every key of a data folder.
pub struct Keyring {
    masters: Mutex<Masters>,
    keys: RwLock<HashMap<(Purpose, u32), Arc<Key>>>,
    /// What a transaction that is not committed yet changes.
    pending: Mutex<Pending>,
    /// Rises whenever keys may have changed: who keeps some of them looks again.
    version: AtomicU64,
    /// When the store was opened, ms: no key that is made here is older.
    opened_at: AtomicI64,
}

#[derive(Default)]
struct Pending {
    made: Vec<(Purpose, u32)>,
    retired: Vec<(Purpose, u32)>,
    /// Other nodes have to look at the keys again.
    told: bool,
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

/// A key unwrapped, and the master that did it.
type Opened = (Arc<dyn MasterHolder>, Zeroizing<[u8; 32]>);

/// What is told of a stored key; never the key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyInfo {
    /// The word of its purpose.
    pub purpose: String,
    /// Its period.
    pub period: u32,
    /// The master that wrapped it; none before masters had names, and once it is retired.
    pub master: Option<MasterId>,
    /// The last journaled time when it was made, or that of the start where it is later; none where
    /// it was made before times were kept.
    pub made_at: Option<Moment>,
    /// When it was retired: from then on only this row tells of it.
    pub retired_at: Option<Moment>,
}

/// A master key within reach.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MasterInfo {
    /// Its public name.
    pub id: MasterId,
    /// Where it is.
    pub place: String,
}

impl Keyring {
    /// A keyring under one master key that is in memory. Keys are loaded as they are asked for.
    pub fn new(master: &[u8; 32]) -> Result<Self> {
        Ok(Self::over(Masters::only(LocalMaster::new(master, "memory")?)))
    }

    /// The keyring of a data folder. Where there is data already (`has_data`) no master is made.
    pub(crate) fn open(dir: &Path, source: &MasterSource, has_data: bool) -> Result<Self> {
        Ok(Self::over(Masters::open(dir, source, has_data)?))
    }

    /// An empty keyring under the masters of a folder, for data that is somewhere else.
    pub fn of_folder(dir: &Path, source: &MasterSource) -> Result<Self> {
        Self::open(dir, source, true)
    }

    fn over(masters: Masters) -> Self {
        Self {
            masters: Mutex::new(masters),
            keys: RwLock::default(),
            pending: Mutex::default(),
            version: AtomicU64::new(1),
            opened_at: AtomicI64::new(0),
        }
    }

    /// Rises whenever keys may have changed.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Says that keys, or what they are used for, may have changed.
    pub(crate) fn changed(&self) {
        self.version.fetch_add(1, Ordering::AcqRel);
    }

    /// A key that was loaded or made before.
    pub fn get(&self, purpose: Purpose, period: u32) -> Option<Arc<Key>> {
        self.keys.read().get(&(purpose, period)).cloned()
    }

    /// Whether a key is there and no transaction under way made it: it outlives a failed commit.
    pub(crate) fn is_durable(&self, purpose: Purpose, period: u32) -> bool {
        let pending = self.pending.lock();
        !pending.made.contains(&(purpose, period)) && self.get(purpose, period).is_some()
    }

    /// The newest period of a purpose among the loaded keys.
    pub fn newest(&self, purpose: Purpose) -> Option<u32> {
        self.periods(purpose).into_iter().max()
    }

    /// The newest key period of a month's entries among the loaded keys.
    pub fn newest_of_month(&self, month: u32) -> Option<u32> {
        let keys = self.keys.read();
        let of_month = |(p, n): &&(Purpose, u32)| *p == Purpose::Journal && n % MONTHS == month;
        keys.keys().filter(of_month).map(|(_, n)| *n).max()
    }

    /// Every loaded period of a purpose, rising.
    pub fn periods(&self, purpose: Purpose) -> Vec<u32> {
        let keys = self.keys.read();
        let mut all: Vec<u32> =
            keys.keys().filter(|(p, _)| *p == purpose).map(|(_, n)| *n).collect();
        all.sort_unstable();
        all
    }

    /// Loads every key of the database that is not loaded yet and drops those that were retired.
    /// A wrong master key is told apart from damage.
    pub fn load(&self, tx: &mut Tx<'_>) -> Result<()> {
        let sql = "SELECT purpose, period, wrapped, master, retired_at FROM crypto_key";
        let mut changed = false;
        tx.each(sql, &[], |row| {
            let period: u32 = row.get(1)?;
            let Some(purpose) = Purpose::of_name(row.get(0)?) else { return Ok(true) };
            if row.get::<Option<i64>>(4)?.is_some() {
                changed |= self.keys.write().remove(&(purpose, period)).is_some();
            } else if self.get(purpose, period).is_none() {
                let master = row.get::<Option<&str>>(3)?.and_then(MasterId::parse);
                let raw = self.unwrap(purpose, period, row.get(2)?, master)?;
                self.keys.write().insert((purpose, period), Arc::new(Key::new(raw)?));
                changed = true;
            }
            Ok(true)
        })?;
        if changed {
            self.changed();
        }
        Ok(())
    }

    /// Names the master of rows that were stored before masters had names, and lets the folder's
    /// key files agree with the master in force: what a change of the master left undone when it
    /// was cut off is done here. The keys must be loaded.
    pub(crate) fn adopt(&self, tx: &mut Tx<'_>, now: Moment) -> Result<()> {
        self.opened_at.store(now.0, Ordering::Release);
        if let Some(dir) = self.masters.lock().dir() {
            remove_drafts(dir)?;
        }
        let unnamed = tx.query(
            "SELECT purpose, period, wrapped FROM crypto_key \
             WHERE master IS NULL AND retired_at IS NULL",
            &[],
            |r| Ok((r.get::<String>(0)?, r.get::<u32>(1)?, r.get::<Vec<u8>>(2)?)),
        )?;
        for (name, period, wrapped) in unnamed {
            let Some(purpose) = Purpose::of_name(&name) else { continue };
            let id = self.opener(purpose, period, &wrapped)?.0.id().to_string();
            tx.execute(
                "UPDATE crypto_key SET master = $1 WHERE purpose = $2 AND period = $3",
                values![id, name, period],
            )?;
        }
        if let Some(id) = in_force(tx)? {
            let mut masters = self.masters.lock();
            masters.by_id(id)?;
            if masters.settle(id)? {
                tracing::warn!(master = %id, "a change of the master key was finished");
            }
            return Ok(());
        }
        let sql = "SELECT master FROM crypto_key WHERE master IS NOT NULL LIMIT 1";
        let used: Option<String> = tx.optional(sql, &[], |r| r.get(0))?;
        match used.as_deref().and_then(MasterId::parse) {
            Some(id) => put_in_force(tx, id),
            None => self.master_in_force(tx).map(drop),
        }
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
        let master = self.master_in_force(tx)?;
        let wrapped = master.wrap(&wrap_aad(purpose, period), &raw)?;
        let sql = "SELECT MAX(last_at) FROM ledger_head";
        let last: Option<i64> = tx.one(sql, &[], |r| r.get(0))?;
        let made_at = self.opened_at.load(Ordering::Acquire).max(last.unwrap_or(0));
        tx.execute(
            "INSERT INTO crypto_key (purpose, period, wrapped, master, made_at) \
             VALUES ($1, $2, $3, $4, $5)",
            values![purpose.name(), period, wrapped, master.id().to_string(), made_at],
        )?;
        let key = Arc::new(Key::new(raw)?);
        self.keys.write().insert((purpose, period), key.clone());
        self.pending.lock().made.push((purpose, period));
        self.changed();
        Ok(key)
    }

    /// Makes the key where neither it nor a newer one of the purpose was ever made: the first key
    /// of purposes whose keys are changed by rotation is not made again once it was retired.
    pub(crate) fn ensure(&self, tx: &mut Tx<'_>, purpose: Purpose, period: u32) -> Result<()> {
        if highest(tx, purpose)?.is_none_or(|newest| newest < period) {
            self.get_or_make(tx, purpose, period)?;
        }
        Ok(())
    }

    /// The newest key of a month's entries, made where the month has none.
    pub(crate) fn month_key(&self, tx: &mut Tx<'_>, month: u32) -> Result<Arc<Key>> {
        let period = newest_live_of_month(tx, month)?.unwrap_or(month);
        self.get_or_make(tx, Purpose::Journal, period)
    }

    /// Retires a key: its wrapped bytes go with the transaction, its row stays as its record.
    pub(crate) fn retire(
        &self,
        tx: &mut Tx<'_>,
        (purpose, period): (Purpose, u32),
        at: Moment,
    ) -> Result<()> {
        let nothing: &[u8] = &[];
        tx.execute(
            "UPDATE crypto_key SET wrapped = $1, retired_at = $2, master = NULL \
             WHERE purpose = $3 AND period = $4 AND retired_at IS NULL",
            values![nothing, at.0, purpose.name(), period],
        )?;
        self.pending.lock().retired.push((purpose, period));
        Ok(())
    }

    /// Lets other nodes look at the keys again once the transaction under way is committed.
    pub(crate) fn tell_nodes(&self) {
        self.pending.lock().told = true;
    }

    /// Wraps every key by another master and puts that in force, in the caller's transaction. Each
    /// key is unwrapped from its row and compared after it was wrapped, so that a device that
    /// cannot give back what it took changes nothing. Returns how many.
    pub(crate) fn wrap_all(&self, tx: &mut Tx<'_>, to: &dyn MasterHolder) -> Result<u64> {
        let sql = "SELECT purpose, period, wrapped, master FROM crypto_key \
                   WHERE retired_at IS NULL ORDER BY purpose, period";
        let rows = tx.query(sql, &[], |r| {
            let master = r.get::<Option<&str>>(3)?.and_then(MasterId::parse);
            Ok((r.get::<String>(0)?, r.get::<u32>(1)?, r.get::<Vec<u8>>(2)?, master))
        })?;
        let mut n = 0;
        for (name, period, wrapped, master) in rows {
            let Some(purpose) = Purpose::of_name(&name) else { continue };
            let raw = self.unwrap(purpose, period, &wrapped, master)?;
            let aad = wrap_aad(purpose, period);
            let wrapped = to.wrap(&aad, &raw)?;
            if to.unwrap(&aad, &wrapped)? != raw {
                return Err(Error::Crypto("the new master does not give back what it wrapped"));
            }
            n += tx.execute(
                "UPDATE crypto_key SET wrapped = $1, master = $2 \
                 WHERE purpose = $3 AND period = $4",
                values![wrapped, to.id().to_string(), name, period],
            )?;
        }
        put_in_force(tx, to.id())?;
        self.tell_nodes();
        Ok(n)
    }

    /// The master by which new keys are wrapped.
    pub(crate) fn master_in_force(&self, tx: &mut Tx<'_>) -> Result<Arc<dyn MasterHolder>> {
        let stored = in_force(tx)?;
        let mut masters = self.masters.lock();
        if let Some(id) = stored {
            return masters.by_id(id);
        }
        let none = || Error::MasterKey("không có khóa chủ nào (no master key)".into());
        let first = masters.first().ok_or_else(none)?;
        put_in_force(tx, first.id())?;
        Ok(first)
    }

    /// Every master within reach, looked for again.
    pub(crate) fn masters(&self) -> Result<Vec<MasterInfo>> {
        self.with_masters(|masters| {
            let known = masters.known().iter();
            Ok(known.map(|m| MasterInfo { id: m.id(), place: m.place().to_owned() }).collect())
        })
    }

    /// Works with the masters, read again before.
    pub(crate) fn with_masters<T>(
        &self,
        work: impl FnOnce(&mut Masters) -> Result<T>,
    ) -> Result<T> {
        let mut masters = self.masters.lock();
        masters.read_again()?;
        work(&mut masters)
    }

    fn stored(&self, tx: &mut Tx<'_>, purpose: Purpose, period: u32) -> Result<Option<Arc<Key>>> {
        let sql = "SELECT wrapped, master, retired_at FROM crypto_key \
                   WHERE purpose = $1 AND period = $2";
        let found = tx.optional(sql, values![purpose.name(), period], |r| {
            let master = r.get::<Option<&str>>(1)?.and_then(MasterId::parse);
            Ok((r.get::<Vec<u8>>(0)?, master, r.get::<Option<i64>>(2)?))
        })?;
        let Some((wrapped, master, retired)) = found else { return Ok(None) };
        if retired.is_some() {
            return Err(Error::Damaged("a retired key"));
        }
        let key = Arc::new(Key::new(self.unwrap(purpose, period, &wrapped, master)?)?);
        self.keys.write().insert((purpose, period), key.clone());
        Ok(Some(key))
    }

    /// Whether the transaction under way changed keys that other nodes have to learn of.
    pub(crate) fn has_made(&self) -> bool {
        let pending = self.pending.lock();
        pending.told || !pending.made.is_empty() || !pending.retired.is_empty()
    }

    /// The transaction that changed keys was committed: they stay, and what was retired goes.
    pub fn committed(&self) {
        let Pending { retired, made, told } = std::mem::take(&mut *self.pending.lock());
        if !told && made.is_empty() && retired.is_empty() {
            return;
        }
        let mut keys = self.keys.write();
        for gone in retired {
            keys.remove(&gone);
        }
        drop(keys);
        self.changed();
    }

    /// The transaction that changed keys was rolled back: what it made never existed.
    pub fn rolled_back(&self) {
        let Pending { made, .. } = std::mem::take(&mut *self.pending.lock());
        if made.is_empty() {
            return;
        }
        let mut keys = self.keys.write();
        for made in made {
            keys.remove(&made);
        }
        drop(keys);
        self.changed();
    }

    fn unwrap(
        &self,
        purpose: Purpose,
        period: u32,
        wrapped: &[u8],
        master: Option<MasterId>,
    ) -> Result<Zeroizing<[u8; 32]>> {
        let Some(id) = master else { return Ok(self.opener(purpose, period, wrapped)?.1) };
        let master = self.masters.lock().by_id(id)?;
        master.unwrap(&wrap_aad(purpose, period), wrapped).map_err(|error| match error {
            Error::Crypto(_) => Error::Damaged("a wrapped key does not open by its master"),
            other => other,
        })
    }

    /// The master that opens a key whose master is not named, and the key.
    fn opener(&self, purpose: Purpose, period: u32, wrapped: &[u8]) -> Result<Opened> {
        let known = self.masters.lock().known().to_vec();
        let aad = wrap_aad(purpose, period);
        let found = known.into_iter().find_map(|m| {
            let raw = m.unwrap(&aad, wrapped).ok()?;
            Some((m, raw))
        });
        found.ok_or_else(|| {
            Error::MasterKey("khóa chủ không mở được dữ liệu này (wrong master key)".into())
        })
    }
}

fn wrap_aad(purpose: Purpose, period: u32) -> Vec<u8> {
    format!("dancu key {} {period}", purpose.name()).into_bytes()
}
