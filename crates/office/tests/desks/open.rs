//! A store in a folder of its own, the same on SQLite and on PostgreSQL.

use std::path::PathBuf;
use std::sync::Arc;

use dancu_domain::moment::Moment;
use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
use dancu_store::engine::{PoolSettings, Settings};
use dancu_store::{Database, OpenOptions, Store};
use dancu_testdb::Server;

/// The product's time of these tests: a server compares it with its own.
pub fn clock() -> Moment {
    Moment(dancu_testdb::machine_ms())
}

/// An open store; its folder goes with it.
pub struct Opened {
    pub store: Store,
    pub dir: PathBuf,
    pub database: Option<dancu_testdb::Database>,
}

impl Opened {
    /// One on each engine; `name` tells the folders of tests apart.
    pub fn both(name: &str) -> [Self; 2] {
        let database = Server::durable().database("acts", |_| Ok(()));
        [Self::new(name, None), Self::new(name, Some(database))]
    }

    fn new(name: &str, database: Option<dancu_testdb::Database>) -> Self {
        let engine = if database.is_some() { "server" } else { "file" };
        let dir = format!("dancu-{name}-{engine}-{}", std::process::id());
        let dir = std::env::temp_dir().join(dir);
        let _ = std::fs::remove_dir_all(&dir);
        let store = Store::open(&dir, options(database.as_ref(), true)).unwrap();
        Self { store, dir, database }
    }
}

/// How to open it; `migrate` for who comes first.
pub fn options(database: Option<&dancu_testdb::Database>, migrate: bool) -> OpenOptions {
    OpenOptions {
        profiles: Arc::new(Profiles::parse(DEFAULT_PROFILE).unwrap()),
        master_key: <_>::default(),
        now: clock(),
        migrate,
        database: database.map(|d| Database {
            settings: Settings::new(&d.url()).unwrap(),
            nodes: 1,
            clock,
            pool: PoolSettings::default(),
        }),
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.store.stop();
        // The server's goes once nobody uses it.
        drop(self.database.take());
        let _ = std::fs::remove_dir_all(&self.dir);
        let _ = std::fs::remove_dir_all(self.dir.with_extension("second"));
    }
}
