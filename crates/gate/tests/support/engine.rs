//! Where the data of a world is: in its folder, or in a database of a PostgreSQL server that all
//! tests of the process share.

use std::path::Path;

use dancu_domain::moment::Moment;
use dancu_store::engine::{Db, Engine, PoolSettings, Postgres, Settings, migrate};
use dancu_testdb::Server;

use crate::ENGINE;

/// The place of one world's data.
pub enum Place {
    Folder,
    Shared(dancu_testdb::Database),
    /// A database of a server that the test stops, or of a way to it that the test cuts.
    Url(String),
}

/// The machine's time.
pub fn clock() -> Moment {
    Moment(dancu_testdb::machine_ms())
}

pub fn connect(url: &str) -> Db {
    Postgres::connect(&Settings::new(url).unwrap()).unwrap().into()
}

/// Brings a database to the newest schema.
pub fn fill(url: &str) -> Result<(), String> {
    let mut db = connect(url);
    migrate::AREAS
        .into_iter()
        .try_for_each(|area| migrate::migrate(&mut db, area).map(drop))
        .map_err(|e| e.to_string())
}

impl Place {
    pub fn new() -> Self {
        match ENGINE {
            Engine::Sqlite => Self::Folder,
            Engine::Postgres => Self::Shared(Server::durable().database("gate", fill)),
        }
    }

    fn url(&self) -> Option<String> {
        match self {
            Self::Folder => None,
            Self::Shared(database) => Some(database.url()),
            Self::Url(url) => Some(url.clone()),
        }
    }

    /// The place as a store is told of it.
    pub fn database(&self, clock: fn() -> Moment) -> Option<dancu_store::Database> {
        let settings = Settings::new(&self.url()?).unwrap();
        Some(dancu_store::Database { settings, nodes: 1, clock, pool: self.pool() })
    }

    /// Look-ups give up soon, so that a test of a full pool need not wait.
    fn pool(&self) -> PoolSettings {
        let wait = std::time::Duration::from_millis(800);
        match self {
            Self::Url(_) => PoolSettings { connections: 2, under_way: 4, wait },
            _ => PoolSettings::default(),
        }
    }

    /// A connection of its own; SQLite to this file.
    pub fn connect(&self, file: &Path) -> Db {
        match self.url() {
            None => dancu_store::sqlite::writer(file).unwrap().into(),
            Some(url) => connect(&url),
        }
    }
}

/// SQL that lets each change of a kind fail in a table.
pub fn fault_on(table: &str, change: &str) -> String {
    match ENGINE {
        Engine::Sqlite => format!(
            "CREATE TRIGGER fault BEFORE {change} ON {table} \
             BEGIN SELECT RAISE(ABORT, 'fault of the test'); END"
        ),
        Engine::Postgres => format!(
            "CREATE OR REPLACE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'fault of the test'; END $$; \
             CREATE TRIGGER fault BEFORE {change} ON {table} \
             FOR EACH ROW EXECUTE FUNCTION fault()"
        ),
    }
}

/// SQL that ends it.
pub fn no_fault_on(table: &str) -> String {
    match ENGINE {
        Engine::Sqlite => "DROP TRIGGER fault".into(),
        Engine::Postgres => format!("DROP TRIGGER fault ON {table}"),
    }
}
