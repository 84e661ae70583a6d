//! The open data folder.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dancu_domain::ids::SubjectId;
use dancu_domain::moment::Moment;
use dancu_domain::profile::Profiles;
use dancu_domain::registration::Snapshot;
use dancu_journal::Entry;
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension as _, params};
use rustix::fs::FlockOperation;

use crate::entries::{self, Pseudonyms, SearchKind};
use crate::error::{Error, Result};
use crate::keys::{Keyring, Purpose, master_key};
use crate::ledger::{CHECKPOINT_ENTRIES, Ledger, LedgerParts};
use crate::readers::Readers;
use crate::registry::Registry;
use crate::requests::{self, RequestItem, RequestMemory};
use crate::search::{Search, Tail};
use crate::sqlite::{self, Area};

/// How to open a data folder.
pub struct OpenOptions {
    /// The profile's versions.
    pub profiles: Arc<Profiles>,
    /// Master key from the environment, 64 hex digits; else the folder's file.
    pub master_key: Option<String>,
    /// The product's time: keys of this year are made ready.
    pub now: Moment,
    /// Whether a new or older folder is migrated; otherwise it is refused.
    pub migrate: bool,
}

/// An open data folder with its ledger running.
pub struct Store {
    dir: PathBuf,
    _lock: File,
    keys: Arc<Keyring>,
    registry: Registry,
    ledger: Ledger,
    requests: Arc<RequestMemory>,
    search: Search,
    readers: Readers,
    /// Connection of the checkpoints, and the journal's head at the last one.
    checkpoint: Mutex<(Connection, u64)>,
    profiles: Arc<Profiles>,
    used_headers: Mutex<Vec<RequestItem>>,
    stopped: std::sync::atomic::AtomicBool,
}

impl Store {
    /// Opens a folder, makes what is missing, loads counts, keys and remembered requests.
    pub fn open(dir: &Path, options: OpenOptions) -> Result<Self> {
        // Nobody but the account that makes the folder gets into it.
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let lock = lock(dir)?;
        let master = master_key(dir, options.master_key.as_deref())?;
        let core = dir.join(CORE);
        let mut db = sqlite::writer(&core)?;
        if options.migrate {
            sqlite::migrate(&mut db, Area::Core)?;
        } else {
            check_version(&db, Area::Core)?;
        }
        open_registry_file(dir)?;
        let keys = Arc::new(Keyring::new(&master)?);
        keys.load(&db)?;
        let year = options.now.viet_nam_date().year().unsigned_abs();
        for (purpose, period) in [
            (Purpose::Pseudonym, u32::from(year)),
            // Ready before New Year, so that no first question of the year waits.
            (Purpose::Pseudonym, u32::from(year) + 1),
            (Purpose::Data, 0),
            (Purpose::Blind, 0),
            (Purpose::Policy, 0),
            (Purpose::Token, 0),
            (Purpose::Request, 0),
            (Purpose::Log, 0),
        ] {
            keys.get_or_make(&db, purpose, period)?;
        }
        keys.committed();
        let requests = Arc::new(RequestMemory::default());
        let used_headers = requests::load(&db, &requests, &options.profiles, 0)?;
        let tail = Arc::new(Tail::default());
        let search = Search::start(dir, &db, &keys, tail.clone())?;
        let parts = LedgerParts {
            keys: keys.clone(),
            profiles: options.profiles.clone(),
            requests: requests.clone(),
            tail,
        };
        let ledger = Ledger::start(db, parts)?;
        Ok(Self {
            registry: Registry::open(dir, keys.clone())?,
            readers: Readers::open(core.clone())?,
            checkpoint: Mutex::new((sqlite::writer(&core)?, 0)),
            dir: dir.to_owned(),
            _lock: lock,
            keys,
            ledger,
            requests,
            search,
            profiles: options.profiles,
            used_headers: Mutex::new(used_headers),
            stopped: false.into(),
        })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The keys.
    pub fn keys(&self) -> &Arc<Keyring> {
        &self.keys
    }

    /// The sealed registry.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Counts and journal.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Requests of the last 24 hours.
    pub fn requests(&self) -> &Arc<RequestMemory> {
        &self.requests
    }

    /// The profile's versions.
    pub fn profiles(&self) -> &Arc<Profiles> {
        &self.profiles
    }

    /// SOAP headers used before the start that still count as used, the newest first; given out
    /// once.
    pub fn take_used_headers(&self) -> Vec<RequestItem> {
        std::mem::take(&mut self.used_headers.lock())
    }

    /// Everything registered, at the policy epoch in force.
    pub fn snapshot(&self, now: Moment) -> Result<Snapshot> {
        // Raises of the current duty day count even if they have ended (D3).
        let oldest = now.plus_ms(-2 * dancu_domain::moment::DAY_MS);
        self.read(|db| crate::policy::snapshot(db, &self.keys, oldest))
    }

    /// Pseudonyms of a moment's year.
    pub fn pseudonyms(&self, at: Moment) -> Result<Pseudonyms> {
        let year = at.viet_nam_date().year().unsigned_abs();
        Pseudonyms::of_year(&self.keys, year).ok_or(Error::Damaged("pseudonym key of the year"))
    }

    /// Makes the pseudonym keys of a moment's year and the next ready; cheap when they are.
    pub async fn prepare_year(&self, at: Moment) -> Result<()> {
        let year = u32::from(at.viet_nam_date().year().unsigned_abs());
        let missing: Vec<u32> = [year, year + 1]
            .into_iter()
            .filter(|y| self.keys.get(Purpose::Pseudonym, *y).is_none())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let keys = self.keys.clone();
        self.ledger
            .note(at, move |db| {
                for year in &missing {
                    keys.get_or_make(db, Purpose::Pseudonym, *year)?;
                }
                Ok(dancu_journal::Body::Act(dancu_journal::Act {
                    kind: "key.made".into(),
                    actor: "dancu".into(),
                    system: 0,
                    detail: format!("pseudonym {missing:?}"),
                }))
            })
            .await?;
        Ok(())
    }

    /// One journal entry.
    pub fn entry(&self, index: u64) -> Result<Option<Entry>> {
        self.read(|db| entries::read(db, &self.keys, index))
    }

    /// Calls `each` with every entry from an index on, until it says stop.
    pub fn scan_entries(&self, from: u64, each: impl FnMut(Entry) -> Result<bool>) -> Result<()> {
        let db = sqlite::reader(&self.dir.join(CORE))?;
        entries::scan(&db, &self.keys, from, each)
    }

    /// Entries of a system from an index on, at most `limit`.
    pub fn entries_of_system(&self, system: u32, from: u64, limit: usize) -> Result<Vec<Entry>> {
        let digest = entries::system_digest(system);
        let found = self.search.find(SearchKind::System, &digest, from, limit)?;
        let mut entries = self.entries(&found)?;
        // The search is derived: whatever it says, nobody is shown another system's entries.
        entries.retain(|e| matches!(&e.body, dancu_journal::Body::Query(q) if q.system == system));
        Ok(entries)
    }

    /// Entries about a citizen, over every year whose key is kept: who looked.
    pub fn entries_about(&self, id: SubjectId, limit: usize) -> Result<Vec<Entry>> {
        self.found_in_years(SearchKind::Subject, limit, |p| p.subject(id, false).pseudonym)
    }

    /// Entries of an account, over every year.
    pub fn entries_of_account(&self, account: u32, limit: usize) -> Result<Vec<Entry>> {
        self.found_in_years(SearchKind::Account, limit, |p| p.account(account))
    }

    /// Entries of a case, over every year.
    pub fn entries_of_case(&self, case: &str, limit: usize) -> Result<Vec<Entry>> {
        self.found_in_years(SearchKind::Case, limit, |p| p.case(case))
    }

    fn found_in_years(
        &self,
        kind: SearchKind,
        limit: usize,
        digest: impl Fn(&Pseudonyms) -> [u8; 16],
    ) -> Result<Vec<Entry>> {
        let mut found = vec![];
        for year in self.keys.periods(Purpose::Pseudonym) {
            if let Some(p) = Pseudonyms::of_year(&self.keys, year as u16) {
                found.extend(self.search.find(kind, &digest(&p), 0, limit)?);
            }
        }
        found.sort_unstable();
        found.truncate(limit);
        self.entries(&found)
    }

    fn entries(&self, indexes: &[u64]) -> Result<Vec<Entry>> {
        self.read(|db| entries::read_many(db, &self.keys, indexes))
    }

    /// The answered request under a key: its journal index, time and body digest.
    pub fn answered_request(&self, key: &[u8; 16]) -> Result<Option<(RequestItem, Moment)>> {
        let Some(index) = self.requests.answered(key) else { return Ok(None) };
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT first_idx, at, items FROM request_batch WHERE first_idx <= $1 \
                 ORDER BY first_idx DESC LIMIT 1",
            )?;
            let mut rows = statement.query([index.cast_signed()])?;
            let Some(r) = rows.next()? else { return Ok(None) };
            let first = r.get::<_, i64>(0)?.cast_unsigned();
            let items = r.get_ref(2)?.as_blob().map_err(|_| Error::Damaged("request_batch"))?;
            let mut items = RequestItem::unpack(first, items);
            let item = items.find(|i| i.index == index && i.key == *key);
            let at = Moment(r.get(1)?);
            Ok(item.map(|i| (i, at)))
        })
    }

    /// Copies WAL pages back when enough was journaled since the last time; call it regularly
    /// from a background thread. The writer copies the few pages that came meanwhile, so that the
    /// WAL begins anew and does not grow.
    pub fn checkpoint(&self) -> Result<()> {
        let head = self.ledger.next_index();
        let mut checkpoint = self.checkpoint.lock();
        if head.saturating_sub(checkpoint.1) >= CHECKPOINT_ENTRIES {
            checkpoint.0.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
            checkpoint.1 = head;
            self.ledger.checkpointed();
        }
        Ok(())
    }

    /// Forgets requests that no decision needs any more, in memory and in the file; at most
    /// [`FORGET_BATCHES`] batches a call, so that no commit waits long. Returns how many went.
    pub async fn forget_old(&self, now: Moment) -> Result<usize> {
        let keep = self.profiles.at(now).remember_requests_ms;
        let oldest = now.plus_ms(-keep).0;
        let gone = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = gone.clone();
        self.ledger
            .tidy(now, move |db| {
                // Batches stand in the order of time, so that the look ends at the first to keep.
                let n = db.execute(
                    "DELETE FROM request_batch WHERE first_idx IN (SELECT first_idx FROM \
                     request_batch ORDER BY first_idx LIMIT $1) AND at < $2",
                    params![FORGET_BATCHES as i64, oldest],
                )?;
                count.store(n, std::sync::atomic::Ordering::Relaxed);
                Ok(())
            })
            .await?;
        let sql = "SELECT MIN(first_idx) FROM request_batch";
        let first: Option<i64> = self.read(|db| Ok(db.query_row(sql, [], |r| r.get(0))?))?;
        if let Some(first) = first {
            self.requests.forget_before(first.cast_unsigned());
        }
        Ok(gone.load(std::sync::atomic::Ordering::Relaxed))
    }

    /// Reads a small fact of the folder.
    pub fn meta(&self, name: &str) -> Result<Option<String>> {
        let sql = "SELECT value FROM meta WHERE name = $1";
        self.read(|db| Ok(db.query_row(sql, [name], |r| r.get(0)).optional()?))
    }

    /// Stores a small fact of the folder, durable on return.
    pub async fn set_meta(&self, at: Moment, name: &str, value: &str) -> Result<()> {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.ledger
            .note(at, move |db| {
                db.execute(
                    "INSERT INTO meta (name, value) VALUES ($1, $2) \
                     ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    params![name, value],
                )?;
                Ok(dancu_journal::Body::Act(dancu_journal::Act {
                    kind: "meta.set".into(),
                    actor: "dancu".into(),
                    system: 0,
                    detail: name,
                }))
            })
            .await?;
        Ok(())
    }

    /// Journal items that are not yet in a search run.
    pub fn tail_items(&self) -> u64 {
        self.search.tail_items()
    }

    /// Journaled time of the last entry: the product's clock never shows less.
    pub fn last_at(&self) -> Moment {
        let sql = "SELECT last_at FROM ledger_head WHERE id = 1";
        let last = self.read(|db| Ok(db.query_row(sql, [], |r| r.get::<_, i64>(0))?));
        Moment(last.unwrap_or(0))
    }

    /// Whether [`Store::stop`] was called.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(std::sync::atomic::Ordering::Acquire)
    }

    /// Finishes what waits and brings everything to disk.
    pub fn stop(&self) {
        self.stopped.store(true, std::sync::atomic::Ordering::Release);
        self.ledger.stop();
        self.search.stop();
        let checkpoint = self.checkpoint.lock();
        let _ = checkpoint.0.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.readers.read(read)
    }
}

const CORE: &str = crate::CORE_FILE;
/// Batches of old requests deleted in one transaction: about 2 ms of work for the writer.
pub const FORGET_BATCHES: usize = 500;

/// Bytes that an ordinary process may still write on the disk of a folder.
pub fn free_bytes(dir: &Path) -> Result<u64> {
    let facts = rustix::fs::statvfs(dir).map_err(std::io::Error::from)?;
    Ok(facts.f_bavail.saturating_mul(facts.f_frsize))
}

/// Takes the folder for this process; the file names the holder.
fn lock(dir: &Path) -> Result<File> {
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(dir.join("LOCK"))?;
    if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        let mut holder = String::new();
        let _ = file.read_to_string(&mut holder);
        return Err(Error::InUse(holder.trim().to_owned()));
    }
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())?;
    Ok(file)
}

fn check_version(db: &Connection, area: Area) -> Result<()> {
    let found = sqlite::version(db)?;
    if found == area.version() {
        return Ok(());
    }
    Err(Error::Schema { file: area.file(), found, wanted: area.version() })
}

fn open_registry_file(dir: &Path) -> Result<()> {
    let mut db = sqlite::writer(&dir.join(Area::Registry.file()))?;
    sqlite::migrate(&mut db, Area::Registry)?;
    Ok(())
}
