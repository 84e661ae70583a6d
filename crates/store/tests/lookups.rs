//! Look-ups on PostgreSQL that go out together: each question gets its own answer.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::sync::Arc;

use dancu_domain::ids::PersonalId;
use dancu_domain::moment::Moment;
use dancu_domain::person::Person;
use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
use dancu_store::engine::{Db, PoolSettings, Postgres, Settings};
use dancu_store::{Database, OpenOptions, Store};
use dancu_testdb::Server;
use dancu_world::PopulationSpec;
use futures_util::future::join_all;

/// Monday 2 March 2026, 09:00 in Viet Nam.
const NOW: Moment = Moment(1_772_416_800_000);

/// The machine's time.
fn clock() -> Moment {
    Moment(dancu_testdb::machine_ms())
}

struct World {
    store: Arc<Store>,
    people: Arc<Vec<Person>>,
    url: String,
    dir: PathBuf,
    // Dropped last: the database ends with it.
    _place: dancu_testdb::Database,
}

impl World {
    fn new(name: &str, connections: usize) -> Self {
        let place = Server::durable().database(name, |_| Ok(()));
        let dir = std::env::temp_dir().join(format!("dancu-lookups-{name}-{}", std::process::id()));
        let pool = PoolSettings { connections, ..PoolSettings::default() };
        let settings = Settings::new(&place.url()).unwrap().application_name("lookups");
        let options = OpenOptions {
            profiles: Arc::new(Profiles::parse(DEFAULT_PROFILE).unwrap()),
            master_key: <_>::default(),
            now: NOW,
            migrate: true,
            database: Some(Database { settings, nodes: 1, clock, pool }),
        };
        let store = Arc::new(Store::open(&dir, options).unwrap());
        let spec = PopulationSpec { seed: 5, persons: 600, today: NOW.viet_nam_date() };
        let people: Vec<_> =
            dancu_world::block(&spec, 0).into_iter().flat_map(|h| h.members).collect();
        let mut loader = store.registry().loader().unwrap();
        let sealer = loader.sealer();
        for (id, person) in (1..).zip(&people) {
            loader.person(sealer.person(id, person).unwrap()).unwrap();
        }
        loader.finish().unwrap();
        let url = place.url();
        Self { store, people: Arc::new(people), url, dir, _place: place }
    }

    /// Asks about citizen `n`, or about nobody; whether the answer is the right one.
    async fn ask(&self, n: usize) -> dancu_store::Result<bool> {
        let registry = self.store.registry();
        if n.is_multiple_of(7) {
            let nobody = PersonalId::from_number(99_199_900_000 + n as u64).unwrap();
            return Ok(registry.look_up(nobody).await?.is_none());
        }
        let person = &self.people[n % self.people.len()];
        if let (true, Some(old)) = (n.is_multiple_of(3), person.old_ids.first()) {
            let found = registry.look_up_old(*old).await?;
            let ids: Vec<_> = found.iter().map(|r| r.keys.personal_id).collect();
            return Ok(found.iter().all(|r| r.keys.old_ids.contains(old))
                && ids.contains(&person.personal_id));
        }
        let found = registry.look_up(person.personal_id).await?;
        Ok(found.is_some_and(|r| r.person().unwrap() == *person))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.store.stop();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_question_of_a_group_gets_its_own_answer() {
    let world = World::new("groups", 8);
    // One alone, a few, as many as a statement holds, and far more than are under way at a time.
    for crowd in [1, 2, 15, 16, 17, 64, 3_000] {
        let answers = join_all((0..crowd).map(|n| world.ask(n))).await;
        for (n, answer) in answers.into_iter().enumerate() {
            assert!(answer.unwrap(), "question {n} of {crowd}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_takes_nobodys_answer_along() {
    let world = Arc::new(World::new("leaving", 2));
    let tasks: Vec<_> = (0..2_000)
        .map(|n| {
            let world = world.clone();
            tokio::spawn(async move { world.ask(n).await })
        })
        .collect();
    for (n, task) in tasks.iter().enumerate() {
        if n % 5 == 1 {
            task.abort();
        }
    }
    for (n, task) in tasks.into_iter().enumerate() {
        match task.await {
            Ok(answer) => assert!(answer.unwrap(), "question {n}"),
            Err(left) => assert!(left.is_cancelled() && n % 5 == 1),
        }
    }
    assert!(world.ask(1).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_connections_give_errors_and_no_wrong_answers() {
    let world = Arc::new(World::new("cut", 3));
    let settings = Settings::new(&world.url).unwrap().application_name("cutter");
    let mut cutter = Db::from(Postgres::connect(&settings).unwrap());
    let mut failed = 0;
    for round in 0..10 {
        let tasks: Vec<_> = (0..1_500)
            .map(|n| {
                let world = world.clone();
                tokio::spawn(async move { world.ask(n).await })
            })
            .collect();
        // Three times in a row, so that the second try of a read is met too.
        for _ in 0..3 {
            let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                       WHERE application_name = 'lookups' AND datname = current_database() \
                       AND query LIKE '%person_key%'";
            cutter.tx().query(sql, &[], |r| r.get::<bool>(0)).unwrap();
        }
        for (n, task) in tasks.into_iter().enumerate() {
            match task.await.unwrap() {
                Ok(right) => assert!(right, "question {n} of round {round}"),
                Err(_) => failed += 1,
            }
        }
        // The places of groups that failed are free again.
        let after = join_all((0..200).map(|n| world.ask(n))).await;
        assert!(after.into_iter().all(|a| a.is_ok_and(|right| right)), "after round {round}");
    }
    assert!(failed < 15_000, "no question was answered while connections were cut");
}
