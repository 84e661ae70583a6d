//! A folder of one test, with its database where that is PostgreSQL, and the people in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dancu_domain::ids::{OldId, PersonalId};
use dancu_domain::moment::Moment;
use dancu_domain::person::Person;
use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
use dancu_journal::{Act, Body};
use dancu_store::engine::{Db, Engine, PoolSettings, Postgres, Settings};
use dancu_store::keys::MasterSource;
use dancu_store::sqlite::{self, Area};
use dancu_store::{Database, OpenOptions, Store};
use dancu_testdb::Server;
use dancu_world::PopulationSpec;

pub use crate::common::{BEGIN, Folder};

pub const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

/// The machine's time.
fn clock() -> Moment {
    Moment(dancu_testdb::machine_ms())
}

pub struct World {
    pub folder: Folder,
    pub database: Option<Arc<dancu_testdb::Database>>,
    pub people: Arc<People>,
    pub masters: MasterSource,
}

impl World {
    pub fn new(engine: Engine) -> Self {
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(Arc::new(Server::durable().database("rotation", |_| Ok(())))),
        };
        let masters = MasterSource::default();
        Self { folder: Folder::new(), database, people: Arc::default(), masters }
    }

    /// With this many people.
    pub fn filled(engine: Engine, persons: u64) -> Self {
        let mut world = Self::new(engine);
        let store = world.open();
        world.people = Arc::new(People::load(&store, persons));
        drop(store);
        world
    }

    /// Another node of the same database: its own folder, without a master key yet.
    pub fn another(&self) -> Self {
        let masters = MasterSource::default();
        let (database, people) = (self.database.clone(), self.people.clone());
        Self { folder: Folder::new(), database, people, masters }
    }

    pub fn dir(&self) -> &Path {
        &self.folder.0
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.0.join(name)
    }

    pub fn try_open(&self) -> dancu_store::Result<Arc<Store>> {
        let database = self.database.as_ref().map(|d| Database {
            settings: Settings::new(&d.url()).unwrap(),
            nodes: 1,
            clock,
            pool: PoolSettings::default(),
        });
        let options = OpenOptions {
            profiles: Arc::new(Profiles::parse(DEFAULT_PROFILE).unwrap()),
            master_key: self.masters.clone(),
            now: BEGIN,
            migrate: true,
            database,
        };
        Store::open(self.dir(), options).map(Arc::new)
    }

    pub fn open(&self) -> Arc<Store> {
        self.try_open().unwrap()
    }

    /// Why it does not open.
    pub fn refused(&self) -> String {
        match self.try_open() {
            Ok(_) => panic!("it opened"),
            Err(error) => error.to_string(),
        }
    }

    pub fn connect(&self, area: Area) -> Db {
        match &self.database {
            None => sqlite::writer(&self.file(area.file())).unwrap().into(),
            Some(d) => Postgres::connect(&Settings::new(&d.url()).unwrap()).unwrap().into(),
        }
    }

    /// Ends what a killed node held, as time would.
    pub fn end_leases(&self) {
        if self.database.is_some() {
            self.connect(Area::Core).tx().batch("DELETE FROM lease").unwrap();
        }
    }
}

/// Whom the registry holds, and what it has to answer.
#[derive(Default)]
pub struct People {
    persons: Vec<Person>,
    households: Vec<u64>,
    /// An old id that two citizens have.
    twice: Option<(OldId, [PersonalId; 2])>,
    /// Digests by which they are found.
    pub digests: i64,
}

impl People {
    fn load(store: &Store, persons: u64) -> Self {
        let today = BEGIN.viet_nam_date();
        let spec = PopulationSpec { seed: 7, persons, today };
        let generated = dancu_world::block(&spec, 0);
        let mut people = Self::default();
        let mut loader = store.registry().loader().unwrap();
        let sealer = loader.sealer();
        for household in generated {
            if !household.household.members.is_empty() {
                people.households.push(household.household.key);
                loader.household(sealer.household(&household.household).unwrap()).unwrap();
            }
            people.persons.extend(household.members);
        }
        let old = people.persons.iter().flat_map(|p| p.old_ids.clone()).next().unwrap();
        let first = people.persons.iter().position(|p| p.old_ids.contains(&old)).unwrap();
        let other = people.persons.iter().rposition(|p| !p.old_ids.contains(&old)).unwrap();
        people.persons[other].old_ids.push(old);
        let both = [first, other].map(|n| people.persons[n].personal_id);
        people.twice = Some((old, both));
        for (id, person) in (1..).zip(&people.persons) {
            loader.person(sealer.person(id, person).unwrap()).unwrap();
            people.digests += 2 + person.old_ids.len() as i64;
        }
        loader.finish().unwrap();
        store.registry().reopen();
        people
    }

    /// Every way to find people gives what it has to.
    pub async fn check(&self, store: &Store) {
        let registry = store.registry();
        for person in self.persons.iter().step_by(23) {
            let found = registry.look_up(person.personal_id).await.unwrap().unwrap();
            assert!(found.person().unwrap() == *person, "another citizen");
            for old in &person.old_ids {
                let found = registry.look_up_old(*old).await.unwrap();
                assert!(found.iter().any(|r| r.keys.personal_id == person.personal_id));
            }
        }
        for key in self.households.iter().step_by(17) {
            let found = registry.look_up_household(*key).await.unwrap().unwrap();
            assert_eq!(found.key, *key);
        }
        let (old, both) = self.twice.unwrap();
        let found = registry.look_up_old(old).await.unwrap();
        let mut ids: Vec<_> = found.iter().map(|r| r.keys.personal_id.number()).collect();
        let mut wanted = both.map(PersonalId::number).to_vec();
        ids.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(ids, wanted, "two citizens under one old id");
        let nobody = PersonalId::from_number(99_199_999_999).unwrap();
        assert!(registry.look_up(nobody).await.unwrap().is_none(), "somebody under no id");
    }
}

/// Journals something.
pub async fn note(store: &Store, at: Moment) -> u64 {
    try_note(store, at).await.unwrap()
}

pub async fn try_note(store: &Store, at: Moment) -> dancu_store::Result<u64> {
    let act = Act { kind: "t".into(), actor: "t".into(), system: 0, detail: String::new() };
    store.ledger().note(at, |_| Ok(Body::Act(act))).await
}

/// Every entry as it is journaled.
pub fn journal(store: &Store) -> Vec<Vec<u8>> {
    let mut entries = vec![];
    let scanned = store.scan_entries(0, |entry| {
        let mut bytes = vec![];
        entry.encode_into(&mut bytes);
        entries.push(bytes);
        Ok(true)
    });
    scanned.unwrap();
    entries
}
