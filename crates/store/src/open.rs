//! Opening a store: a data folder with SQLite, or a folder beside a PostgreSQL database.

mod viewer;

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dancu_domain::moment::Moment;
use dancu_domain::profile::Profiles;
use parking_lot::Mutex;
use rustix::fs::FlockOperation;

pub use self::viewer::{Viewer, holder};

use crate::anchor::{self, Anchoring};
use crate::backup;
use crate::engine::checks::{Report, Wanted, examine, pooler};
use crate::engine::{Db, PoolSettings, Postgres, Reads, Settings, Tx, migrate};
use crate::error::{Error, Result};
use crate::keys::ring::highest;
use crate::keys::{Keyring, MasterSource, Purpose};
use crate::lease::Leases;
use crate::ledger::{self, Ledger, LedgerParts};
use crate::month;
use crate::readers::{Place, Readers};
use crate::registry::Registry;
use crate::requests::RequestMemory;
use crate::search::{Search, Tail};
use crate::sqlite::{self, Area};
use crate::store::Store;

/// How to open a data folder.
pub struct OpenOptions {
    /// The profile's versions.
    pub profiles: Arc<Profiles>,
    /// Master key from the environment, 64 hex digits; else the folder's file.
    pub master_key: MasterSource,
    /// The product's time: keys of this year are made ready.
    pub now: Moment,
    /// Whether a new or older schema is migrated; otherwise it is refused.
    pub migrate: bool,
    /// Where the data is; none = in the folder, with SQLite.
    pub database: Option<Database>,
}

/// A PostgreSQL database that holds the data. The folder then keeps the lock and the master key.
pub struct Database {
    /// How to reach it.
    pub settings: Settings,
    /// Processes on this database: with more than one, a standby must confirm each commit.
    pub nodes: u32,
    /// The machine's clock, compared with the database's.
    pub clock: fn() -> Moment,
    /// Connections for look-ups.
    pub pool: PoolSettings,
}

/// Connections of a node beside its pool: ledger, leases and indexer, two of a question's other
/// reads, and those that read journal, search and registry in longer statements.
const OTHER_CONNECTIONS: u32 = 14;

impl Database {
    /// Looks at the server, as every start and `doctor` do: the one that takes writes, or, where
    /// none does, any that answers.
    pub fn examine(&self) -> Result<Report> {
        let pool = u32::try_from(self.pool.connections).unwrap_or(u32::MAX);
        let connections = pool.saturating_add(OTHER_CONNECTIONS);
        let wanted = Wanted { nodes: self.nodes, connections };
        let settings = self.reachable();
        let mut db = Db::from(Postgres::connect(&settings)?);
        let mut report = db.read(|tx| examine(tx, wanted, self.clock))?;
        report.findings.extend(pooler(&settings)?);
        Ok(report)
    }

    /// Whether every part of the schema is as this program needs it.
    ///
    /// # Errors
    /// [`Error::Schema`] names the first that is not.
    pub fn check_schema(&self) -> Result<()> {
        let mut db = Db::from(Postgres::connect(&self.reachable())?);
        anchor::finished(&mut db)?;
        migrate::AREAS.into_iter().try_for_each(|area| migrate::check(&mut db, area))
    }

    fn reachable(&self) -> Settings {
        match Postgres::connect(&self.settings) {
            Ok(_) => self.settings.clone(),
            Err(_) => self.settings.clone().any_server(),
        }
    }
}

impl Store {
    /// Opens a folder and its database, makes what is missing, loads counts, keys and remembered
    /// requests.
    ///
    /// # Errors
    /// Among others [`Error::InUse`], [`Error::Schema`], [`Error::MasterKey`], and
    /// [`Error::Unfit`] for a server that does not keep what it was told.
    pub fn open(dir: &Path, options: OpenOptions) -> Result<Self> {
        Self::open_anchored(dir, options, &Anchoring::default())
    }

    /// The same with an anchor elsewhere than in the folder, or to accept an older copy.
    ///
    /// # Errors
    /// Also [`Error::OlderCopy`], as [`Store::open`] with the anchor in the folder.
    pub fn open_anchored(dir: &Path, options: OpenOptions, anchoring: &Anchoring) -> Result<Self> {
        // Nobody but the account that makes the folder gets into it.
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let lock = lock(dir)?;
        backup::unfinished(dir)?;
        let store = match &options.database {
            None => on_file(dir, lock, options, anchoring),
            Some(_) => on_server(dir, lock, options, anchoring),
        }?;
        store.hold(&anchoring.path_in(dir), anchoring.accept)?;
        Ok(store)
    }
}

fn on_file(dir: &Path, lock: File, options: OpenOptions, anchoring: &Anchoring) -> Result<Store> {
    let core = dir.join(Area::Core.file());
    if !options.migrate && !core.exists() {
        // Nothing is made in a folder that may be the wrong one.
        let (file, wanted) = (Area::Core.file(), Area::Core.version());
        return Err(Error::Schema { file, found: 0, wanted });
    }
    if !core.exists() {
        anchor::nothing_expected(dir, anchoring)?;
    }
    let keys = Arc::new(Keyring::open(dir, &options.master_key, core.exists())?);
    let place = Place::File(core.clone());
    let mut db = place.writer()?;
    // What is refused stays as it is; a copy that is accepted may be of an older schema.
    let is_copy = anchor::before_change(&mut db, &keys, dir, anchoring)?;
    let may_migrate = is_copy || options.migrate;
    schema(&mut db, Area::Core, may_migrate)?;
    let mut registry = registry_of(dir, may_migrate)?;
    ready(&mut db, &keys, options.now)?;
    registry.write(|tx| anchor::registry::begin_empty(tx, &keys))?;
    drop(registry);
    if !is_copy {
        // The state of a copy's registry is followed by the decision to accept it.
        anchor::follow_registry(&mut db, dir)?;
    }
    let tail = Arc::new(Tail::default());
    let search = Search::start(dir, &mut db.tx(), &keys, tail.clone())?;
    let requests = Arc::new(RequestMemory::default());
    let parts = parts(&options, &keys, &requests, Some(tail));
    let (ledger, headers) = Ledger::start(db, parts)?;
    Ok(Store {
        registry: Registry::open(dir, keys.clone()),
        readers: Readers::open(place.clone())?,
        reads: None,
        leases: Leases::new(place.clone()),
        core: place,
        checkpoint: Some(Mutex::new((sqlite::writer(&core)?, 0))),
        dir: dir.to_owned(),
        _lock: lock,
        keys,
        ledger,
        requests,
        search,
        profiles: options.profiles,
        used_headers: Mutex::new(headers),
        anchor: std::sync::OnceLock::new(),
        copy: Mutex::new(None),
        stopped: false.into(),
    })
}

/// The registry's file with its schema. It is made where it may be: in a new folder, and beside a
/// copy whose acceptance journals that its registry is empty.
fn registry_of(dir: &Path, may_migrate: bool) -> Result<Db> {
    let path = dir.join(Area::Registry.file());
    if !may_migrate && !path.exists() {
        // Made empty here it would answer "no such citizen" about everybody.
        return Err(Error::Damaged(
            "thiếu registry.db, hãy khôi phục thư mục; nếu chưa từng nhập dân số thì chạy `dancu \
             migrate` (registry.db is missing: restore the folder, or run `dancu migrate` if \
             nobody was ever imported)",
        ));
    }
    let mut db = Db::from(sqlite::writer(&path)?);
    schema(&mut db, Area::Registry, may_migrate)?;
    Ok(db)
}

fn on_server(dir: &Path, lock: File, options: OpenOptions, anchoring: &Anchoring) -> Result<Store> {
    let Some(database) = &options.database else {
        return on_file(dir, lock, options, anchoring);
    };
    let settings = &database.settings;
    let place = Place::Server(Box::new(settings.clone()));
    let mut db = place.writer()?;
    fit(database)?;
    anchor::finished(&mut db)?;
    if !options.migrate && !anchoring.accept {
        migrate::AREAS.into_iter().try_for_each(|area| migrate::check(&mut db, area))?;
    }
    let has_data = has_keys(&mut db)?;
    let keys = Keyring::open(dir, &options.master_key, has_data).map_err(of_another_node)?;
    let keys = Arc::new(keys);
    // What is refused stays as it is; a copy that is accepted may be of an older schema.
    let looked = anchor::before_change(&mut db, &keys, dir, anchoring).map_err(of_another_node);
    let may_migrate = looked? || options.migrate;
    for area in migrate::AREAS {
        schema(&mut db, area, may_migrate)?;
    }
    ready(&mut db, &keys, options.now).map_err(of_another_node)?;
    let requests = Arc::new(RequestMemory::default());
    let (ledger, headers) = Ledger::start(db, parts(&options, &keys, &requests, None))?;
    Ok(Store {
        registry: Registry::on_server(settings, database.pool, keys.clone())?,
        readers: Readers::open(place.clone())?,
        reads: Some(Reads::new(settings.clone(), PoolSettings { connections: 2, ..database.pool })),
        leases: Leases::new(place.clone()),
        core: place,
        checkpoint: None,
        dir: dir.to_owned(),
        _lock: lock,
        search: Search::start_node(settings, keys.clone())?,
        keys,
        ledger,
        requests,
        profiles: options.profiles,
        used_headers: Mutex::new(headers),
        anchor: std::sync::OnceLock::new(),
        copy: Mutex::new(None),
        stopped: false.into(),
    })
}

fn parts(
    options: &OpenOptions,
    keys: &Arc<Keyring>,
    requests: &Arc<RequestMemory>,
    tail: Option<Arc<Tail>>,
) -> LedgerParts {
    let profiles = options.profiles.clone();
    let clock = options.database.as_ref().map(|d| d.clock);
    LedgerParts { keys: keys.clone(), profiles, requests: requests.clone(), tail, clock }
}

/// The version that this program needs, reached by migration or refused.
fn schema(db: &mut Db, area: Area, may_migrate: bool) -> Result<()> {
    if may_migrate { migrate::migrate(db, area).map(drop) } else { migrate::check(db, area) }
}

/// Whether a database holds keys: then the master key that wraps them has to be there.
fn has_keys(db: &mut Db) -> Result<bool> {
    if migrate::version(db, Area::Core)? == 0 {
        return Ok(false);
    }
    let sql = "SELECT COUNT(*) FROM crypto_key";
    db.tx().one(sql, &[], |r| Ok(r.get::<i64>(0)? > 0))
}

/// Refuses a server that does not keep what it was told; warns of the rest.
fn fit(database: &Database) -> Result<()> {
    let mut refused = vec![];
    for finding in database.examine()?.findings {
        if finding.refuses {
            refused.push(format!("{} ({}): {}", finding.vi, finding.en, finding.mend));
        } else {
            tracing::warn!(id = finding.id, mend = finding.mend, "database.{}", finding.en);
        }
    }
    if refused.is_empty() { Ok(()) } else { Err(Error::Unfit(refused.join("; "))) }
}

/// Says of a missing or wrong master key what it means on a database of several nodes.
fn of_another_node(error: Error) -> Error {
    match error {
        Error::MasterKey(text) => Error::MasterKey(format!(
            "{text}. Mọi nút của một cơ sở dữ liệu dùng cùng một khóa chủ: chép master.key của \
             nút đã chạy vào thư mục này, quyền 0600 (all nodes of a database share one master \
             key: copy master.key of a node that runs into this folder)"
        )),
        other => other,
    }
}

/// Head and keys, made where they are missing, while no other node makes any.
fn ready(db: &mut Db, keys: &Keyring, now: Moment) -> Result<()> {
    let year = u32::from(now.viet_nam_date().year().unsigned_abs());
    let made = db.write(|tx| {
        ledger::lock(tx)?;
        keys.load(tx)?;
        keys.adopt(tx, now)?;
        none_lost(tx)?;
        anchor::make_origin(tx)?;
        for (purpose, period) in [
            (Purpose::Pseudonym, year),
            // Ready before New Year, so that no first question of the year waits.
            (Purpose::Pseudonym, year + 1),
            (Purpose::Data, 0),
            (Purpose::Blind, 0),
            (Purpose::Policy, 0),
            (Purpose::Token, 0),
            (Purpose::Request, 0),
            (Purpose::Log, 0),
            (Purpose::Backup, 0),
        ] {
            keys.ensure(tx, purpose, period)?;
        }
        // So that no first entry of a month makes its partition.
        month::this_and_next(now).into_iter().try_for_each(|m| month::make_ready(tx, m))
    });
    made?;
    keys.committed();
    Ok(())
}

/// Purposes whose first keys are made together with the first head.
pub(crate) const FIRST_KEYS: [Purpose; 6] = [
    Purpose::Data,
    Purpose::Blind,
    Purpose::Policy,
    Purpose::Token,
    Purpose::Request,
    Purpose::Log,
];

/// Refuses a database that has lost keys: made anew they would open nothing, and what is sealed
/// under them would be split from the rest.
pub(crate) fn none_lost(tx: &mut Tx<'_>) -> Result<()> {
    let mut found = 0;
    for purpose in FIRST_KEYS {
        found += usize::from(highest(tx, purpose)?.is_some());
    }
    let sql = "SELECT next_index FROM ledger_head WHERE id = 1";
    let is_new = found == 0 && tx.one(sql, &[], |r| r.get::<i64>(0))? == 0;
    if is_new || found == FIRST_KEYS.len() {
        return Ok(());
    }
    Err(Error::Damaged(
        "crypto_key thiếu khóa, hãy khôi phục từ tệp khóa (keys are missing: restore them from the \
         key file)",
    ))
}

/// Attempts to take a folder's lock, [`LOCK_PAUSE`] apart: who only looks whether somebody has it
/// ([`holder`]) holds it for a moment.
const LOCK_ATTEMPTS: u32 = 10;
/// Between two attempts: 100 ms in all, a start that is refused is not felt to wait.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Takes the folder for this process; the file names the holder.
pub(crate) fn lock(dir: &Path) -> Result<File> {
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(dir.join("LOCK"))?;
    let taken = || rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
    let mut is_ours = taken();
    for _ in 0..LOCK_ATTEMPTS {
        if is_ours {
            break;
        }
        std::thread::park_timeout(LOCK_PAUSE);
        is_ours = taken();
    }
    if !is_ours {
        let mut holder = String::new();
        let _ = file.read_to_string(&mut holder);
        return Err(Error::InUse(holder.trim().to_owned()));
    }
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())?;
    Ok(file)
}
