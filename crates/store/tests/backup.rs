//! Backup, check, restoring and the anchor, on both engines and across them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "backup/anchor.rs"]
mod anchor;
mod common;
#[path = "common/draft.rs"]
mod draft;
#[path = "backup/drill.rs"]
mod drill;
#[path = "backup/faults.rs"]
mod faults;
#[path = "backup/keys.rs"]
mod keys;
#[path = "backup/months.rs"]
mod months;
#[path = "backup/registry.rs"]
mod registry;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use dancu_domain::files::{About, Role, Scan};
use dancu_domain::ids::SystemId;
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
use dancu_journal::Entry;
use dancu_store::anchor::Anchoring;
use dancu_store::backup::tables::{Kept, tables};
use dancu_store::backup::{self, Checked, KeyFile, Made, Making, Site};
use dancu_store::engine::{Db, Engine, PoolSettings, Postgres, Settings, Value};
use dancu_store::files::{self, Whose};
use dancu_store::keys::{Keyring, MASTER_KEY_FILE, MasterSource};
use dancu_store::ledger::Verdict;
use dancu_store::sqlite::{self, Area};
use dancu_store::{Database, OpenOptions, Store, values};
use dancu_testdb::Server;
use dancu_world::{PopulationSpec, block, block_count};

use self::common::{BEGIN, Folder};
use self::draft::{LINE, draft};

const DAY: i64 = 86_400_000;
const APRIL: i64 = 30 * DAY;
/// Persons of the line, more than are ever asked for.
const LINE_MAX: u32 = 1_000_000;
/// People of a small registry.
const PEOPLE: u64 = 300;

const BOTH: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

/// The machine's time.
fn clock() -> Moment {
    Moment(dancu_testdb::machine_ms())
}

/// A data folder, on PostgreSQL with its database beside it.
struct World {
    folder: Folder,
    database: Option<dancu_testdb::Database>,
    /// Where the anchor is; `None` = in the folder.
    anchor: Option<PathBuf>,
}

impl World {
    /// A place without data, with the master key of another or one of its own.
    fn empty(engine: Engine, of: Option<&World>) -> Self {
        let empty = || Server::durable().database("backup_empty", |_| Ok(()));
        let database = (engine == Engine::Postgres).then(empty);
        let world = Self { folder: Folder::new(), database, anchor: None };
        std::fs::create_dir_all(world.dir()).unwrap();
        if let Some(of) = of {
            let key = of.dir().join(MASTER_KEY_FILE);
            std::fs::copy(key, world.dir().join(MASTER_KEY_FILE)).unwrap();
        }
        world
    }

    fn dir(&self) -> PathBuf {
        self.folder.0.join("data")
    }

    fn url(&self) -> Option<String> {
        self.database.as_ref().map(dancu_testdb::Database::url)
    }

    fn site(&self) -> Site {
        match self.url() {
            None => Site::Folder(self.dir()),
            Some(url) => Site::Server(Box::new(Settings::new(&url).unwrap())),
        }
    }

    /// A child that another test is starting holds every file of this process, and with it the lock
    /// of a folder that was just closed, until it has become its program.
    fn try_open(&self, accept: bool) -> dancu_store::Result<Arc<Store>> {
        for _ in 0..100 {
            match self.open_once(accept) {
                Err(dancu_store::Error::InUse(_)) => {
                    std::thread::park_timeout(std::time::Duration::from_millis(10));
                }
                done => return done,
            }
        }
        self.open_once(accept)
    }

    fn open_once(&self, accept: bool) -> dancu_store::Result<Arc<Store>> {
        let database = self.url().map(|url| Database {
            settings: Settings::new(&url).unwrap(),
            nodes: 1,
            clock,
            pool: PoolSettings::default(),
        });
        let profiles = Arc::new(Profiles::parse(DEFAULT_PROFILE).unwrap());
        let options = OpenOptions {
            profiles,
            master_key: <_>::default(),
            now: BEGIN,
            migrate: true,
            database,
        };
        let anchoring = Anchoring { path: self.anchor.clone(), accept };
        Store::open_anchored(&self.dir(), options, &anchoring).map(Arc::new)
    }

    fn open(&self) -> Arc<Store> {
        self.try_open(false).unwrap()
    }

    /// What the refusal to open says.
    fn refused(&self) -> String {
        let Err(error) = self.try_open(false) else { panic!("an older copy was opened") };
        assert!(matches!(error, dancu_store::Error::OlderCopy(_)), "{error}");
        error.to_string()
    }

    fn connect(&self, area: Area) -> Db {
        match self.url() {
            None => sqlite::reader(&self.dir().join(area.file())).unwrap().into(),
            Some(url) => Postgres::connect(&Settings::new(&url).unwrap()).unwrap().into(),
        }
    }

    fn keyring(&self) -> Keyring {
        Keyring::of_folder(&self.dir(), &MasterSource::default()).unwrap()
    }

    fn back_up(&self, name: &str, base: Option<&str>, by_path: bool) -> dancu_store::Result<Made> {
        let (to, keys) = (self.folder.0.join(name), self.keyring());
        let base = base.map(|b| self.folder.0.join(b));
        let making = Making {
            site: &self.site(),
            keys: &keys,
            to: &to,
            base: base.as_deref(),
            by_path,
            keys_to: Some(&self.folder.0.join("wrapped.keys")),
            now: BEGIN,
            program: "test",
        };
        backup::make(&making, &mut |_| {})
    }

    /// The keys of its file, unwrapped by the master key of a folder.
    fn unwrapped(&self, master: &World) -> dancu_store::Result<(Keyring, KeyFile)> {
        let (keys, file) = (master.keyring(), KeyFile::read(&self.folder.0.join("wrapped.keys"))?);
        file.unwrap_into(&keys)?;
        Ok((keys, file))
    }

    fn verify(&self, name: &str) -> dancu_store::Result<Checked> {
        let (keys, _) = self.unwrapped(self)?;
        backup::verify(&self.folder.0.join(name), Some(&keys), &mut |_| {})
    }

    /// Restores one of this world's backups into an empty place.
    fn restore(&self, name: &str, into: &World) -> dancu_store::Result<backup::Restored> {
        let (keys, file) = self.unwrapped(into)?;
        backup::restore(&self.folder.0.join(name), &into.site(), &keys, &file, &mut |_, _| {})
    }

    /// Every row of every table that is kept, as text.
    fn dump(&self) -> BTreeMap<&'static str, Vec<String>> {
        let mut out = BTreeMap::new();
        for table in tables().into_iter().filter(|t| t.kept != Kept::Left) {
            let sql = format!("SELECT {} FROM {}", table.columns.join(", "), table.name);
            let mut db = self.connect(table.area);
            let rows = db.tx().query(&sql, &[], |r| {
                let values = (0..table.columns.len()).map(|c| Ok(text(r.value(c)?)));
                Ok(values.collect::<dancu_store::Result<Vec<_>>>()?.join(" "))
            });
            let mut rows = rows.unwrap();
            rows.sort_unstable();
            out.insert(table.name, rows);
        }
        out
    }
}

fn text(value: Value<'_>) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Int(n) => n.to_string(),
        Value::Bool(b) => i64::from(b).to_string(),
        Value::Text(t) => format!("{t:?}"),
        Value::Bytes(b) => hex::encode(b),
    }
}

/// Writes `n` entries and waits until they are durable.
async fn write(store: &Arc<Store>, from: u64, n: u64, after: i64) {
    let drafts: Vec<_> =
        (from..from + n).map(|i| draft(store, i, BEGIN.plus_ms(after), LINE_MAX)).collect();
    let waiting: Vec<_> = drafts.into_iter().map(|d| store.ledger().submit(d)).collect();
    for verdict in waiting {
        let verdict = verdict.await.unwrap();
        assert!(matches!(verdict, Verdict::Settled(_)), "{verdict:?}");
    }
}

/// A small registry, a registered line with a lock, and entries of March and April.
async fn filled(engine: Engine) -> (World, Arc<Store>) {
    let world = World::empty(engine, None);
    let store = world.open();
    people(&store);
    // A kept file of several parts.
    let staged = store.stage_file(BEGIN, &vec![7; 600 << 10]).await.unwrap();
    let keys = store.keys().clone();
    let registered = store.ledger().act(BEGIN, move |tx, _| {
        tx.execute(
            "INSERT INTO system (id, code, unit, user_group, state, channel_exceptions, \
             request_ids, verify_shape, lgsp_shape, credential_version, access) \
             VALUES (1, 'ONESTOP', 'Đơn vị', 1, 1, '', 1, 1, NULL, 1, $1)",
            values![[1u8, 2, 3]],
        )?;
        let line = "INSERT INTO line (id, system, service, off_hours, daily) \
                    VALUES (1, 1, 1, 0, 1000000)";
        tx.execute(line, &[])?;
        let lock = "INSERT INTO line_lock (line, system, since, until_at, connection) \
                    VALUES (1, 1, $1, NULL, 0)";
        tx.execute(lock, values![BEGIN.0])?;
        let raise = "INSERT INTO raise (id, line, extra, approved_at, from_at, to_at) \
                     VALUES (41, 1, 5, $1, $1, $1)";
        tx.execute(raise, values![BEGIN.0])?;
        let about = About {
            name: "danh sách.pdf".into(),
            kind: "pdf".into(),
            role: Role::Commitments,
            scan: Scan::Unasked,
            by: PersonId(1),
            at: BEGIN,
        };
        files::keep(tx, &keys, &staged, Whose::System(SystemId(1)), &about)?;
        Ok(some_act())
    });
    registered.await.unwrap();
    write(&store, 0, 600, 1_000).await;
    write(&store, 600, 300, APRIL).await;
    (world, store)
}

fn some_act() -> dancu_journal::Body {
    let (kind, detail) = ("test".to_owned(), String::new());
    dancu_journal::Body::Act(dancu_journal::Act { actor: kind.clone(), kind, system: 1, detail })
}

fn people(store: &Store) {
    let today = BEGIN.viet_nam_date();
    let spec = PopulationSpec { seed: 7, persons: PEOPLE, today };
    let mut loader = store.registry().loader().unwrap();
    let (sealer, mut id) = (loader.sealer(), 0);
    for number in 0..block_count(&spec) {
        for household in block(&spec, number) {
            for person in &household.members {
                id += 1;
                loader.person(sealer.person(id, person).unwrap()).unwrap();
            }
            if !household.household.members.is_empty() {
                loader.household(sealer.household(&household.household).unwrap()).unwrap();
            }
        }
    }
    loader.fact("seed", "7").unwrap();
    assert_eq!(loader.finish().unwrap(), PEOPLE);
    store.registry().reopen();
}

/// Everybody's personal id by the registry itself.
fn ids(store: &Store) -> Vec<u64> {
    let mut out = vec![];
    store
        .registry()
        .scan(|person| {
            out.push(person.personal_id.number());
            Ok(())
        })
        .unwrap();
    out.sort_unstable();
    out
}

/// Every entry; their indexes are gap-free.
fn entries(store: &Store) -> Vec<Entry> {
    let mut out: Vec<Entry> = vec![];
    store
        .scan_entries(0, |entry| {
            assert_eq!(entry.index, out.len() as u64);
            out.push(entry);
            Ok(true)
        })
        .unwrap();
    out
}

fn used(store: &Store, after: i64) -> u32 {
    let at = BEGIN.plus_ms(after);
    let day = store.profiles().at(at).hours.duty(at).day;
    store.ledger().lines(|lines| lines.line_day(LINE, day).used)
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut out: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    out.sort();
    out
}
