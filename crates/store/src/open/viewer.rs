//! A database on a server, looked at and never changed: what `doctor` opens, also beside the nodes
//! that serve it.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use dancu_domain::moment::Moment;
use rustix::fs::FlockOperation;

use super::{OpenOptions, none_lost, of_another_node};
use crate::anchor::{self, Anchoring};
use crate::engine::migrate;
use crate::entries::{self, Scanned};
use crate::error::Result;
use crate::facts;
use crate::keys::Keyring;
use crate::readers::{Place, Readers};
use crate::registry::Registry;

/// A database on a server, opened to be looked at: no thread, no lease, no lock of the folder, and
/// nothing is written.
pub struct Viewer {
    keys: Arc<Keyring>,
    readers: Readers,
    place: Place,
    registry: Registry,
}

impl Viewer {
    /// Opens it as [`crate::Store::open`] does, as far as that changes nothing; `None` where the
    /// data is in the folder itself.
    ///
    /// # Errors
    /// As [`crate::Store::open_anchored`], except [`crate::Error::InUse`].
    pub fn open(dir: &Path, options: &OpenOptions, anchoring: &Anchoring) -> Result<Option<Self>> {
        let Some(database) = &options.database else { return Ok(None) };
        let place = Place::Server(Box::new(database.settings.clone()));
        let mut db = place.reader()?;
        anchor::finished(&mut db)?;
        migrate::AREAS.into_iter().try_for_each(|area| migrate::check(&mut db, area))?;
        let keys = Keyring::open(dir, &options.master_key, true).map_err(of_another_node)?;
        db.read(|tx| {
            keys.load(tx).map_err(of_another_node)?;
            none_lost(tx)
        })?;
        anchor::before_change(&mut db, &keys, dir, anchoring)?;
        let keys = Arc::new(keys);
        Ok(Some(Self {
            registry: Registry::on_server(&database.settings, database.pool, keys.clone())?,
            readers: Readers::open(place.clone())?,
            keys,
            place,
        }))
    }

    /// The keys.
    pub fn keys(&self) -> &Arc<Keyring> {
        &self.keys
    }

    /// The sealed registry.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The next journal index, and the journaled time of the last entry.
    pub fn head(&self) -> Result<(u64, Moment)> {
        let sql = "SELECT next_index, last_at FROM ledger_head WHERE id = 1";
        self.readers.read(|tx| {
            tx.one(sql, &[], |r| Ok((r.get::<i64>(0)?.cast_unsigned(), Moment(r.get(1)?))))
        })
    }

    /// Calls `each` with every entry from an index on, past rows whose key is gone, until it says
    /// stop.
    pub fn scan_past(&self, from: u64, each: impl FnMut(Scanned) -> Result<bool>) -> Result<()> {
        let mut db = self.place.reader()?;
        entries::scan_past(&mut db.tx(), &self.keys, from, each)
    }

    /// A small fact of the database.
    pub fn meta(&self, name: &str) -> Result<Option<String>> {
        self.readers.read(|tx| facts::core(tx, name))
    }
}

/// The process that uses a data folder now, as it named itself; `None` where nobody does.
pub fn holder(dir: &Path) -> Option<String> {
    let mut file = File::open(dir.join("LOCK")).ok()?;
    if rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared).is_ok() {
        return None;
    }
    let mut holder = String::new();
    let _ = file.read_to_string(&mut holder);
    Some(holder.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
    use dancu_testdb::{Options, Server};

    use super::*;
    use crate::engine::{PoolSettings, Settings};
    use crate::keys::Purpose;
    use crate::{Database, Error};

    /// Monday 2 March 2026, 09:00 in Viet Nam.
    const NOW: Moment = Moment(1_772_416_800_000);

    fn options(url: &str) -> OpenOptions {
        let settings = Settings::new(url).unwrap();
        let clock = || NOW;
        OpenOptions {
            profiles: Arc::new(Profiles::parse(DEFAULT_PROFILE).unwrap()),
            master_key: Some("07".repeat(32)).into(),
            now: NOW,
            migrate: true,
            database: Some(Database { settings, nodes: 1, clock, pool: PoolSettings::default() }),
        }
    }

    #[test]
    fn it_changes_nothing_and_stands_beside_a_store() {
        let server = Server::start(&Options { durable: true, ..Options::default() });
        let url = server.url("postgres");
        let dir = std::env::temp_dir().join(format!("dancu-viewer-{}", std::process::id()));
        let anchoring = Anchoring::default();
        let empty = Viewer::open(&dir, &options(&url), &anchoring).map(drop).unwrap_err();
        assert!(matches!(empty, Error::Schema { .. }), "{empty}");
        assert!(!dir.exists(), "nothing is made");
        // A start examines the clock too, which stands still here: it is made without one.
        let place = Place::Server(Box::new(Settings::new(&url).unwrap()));
        let mut db = place.writer().unwrap();
        for area in migrate::AREAS {
            migrate::migrate(&mut db, area).unwrap();
        }
        std::fs::create_dir_all(&dir).unwrap();
        let keys = Keyring::open(&dir, &options(&url).master_key, false).unwrap();
        super::super::ready(&mut db, &keys, NOW).unwrap();
        drop(db);
        // Who changes anything is given a transaction id.
        let next_id = || server.sql("postgres", "SELECT pg_snapshot_xmax(pg_current_snapshot())");
        let before = next_id();
        let lock = super::super::lock(&dir).unwrap();
        assert_eq!(holder(&dir), Some(std::process::id().to_string()));
        let viewer = Viewer::open(&dir, &options(&url), &anchoring).unwrap().unwrap();
        assert_eq!(viewer.head().unwrap().0, 0);
        assert_eq!(viewer.registry().count().unwrap(), 0);
        assert_eq!(viewer.keys().periods(Purpose::Data), [0]);
        assert!(viewer.meta("log.origin").unwrap().is_some());
        viewer.scan_past(0, |_| Ok(true)).unwrap();
        assert_eq!(next_id(), before);
        drop(lock);
        assert_eq!(holder(&dir), None);
        let wrong = OpenOptions { master_key: Some("08".repeat(32)).into(), ..options(&url) };
        let refused = Viewer::open(&dir, &wrong, &anchoring).map(drop).unwrap_err();
        assert!(matches!(refused, Error::MasterKey(_)), "{refused}");
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn who_only_looks_does_not_refuse_a_start() {
        let dir = std::env::temp_dir().join(format!("dancu-lock-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        drop(super::super::lock(&dir).unwrap());
        let (looking, looked) = std::sync::mpsc::channel();
        let path = dir.join("LOCK");
        let look = std::thread::spawn(move || {
            let file = File::open(path).unwrap();
            rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared).unwrap();
            looking.send(()).unwrap();
            std::thread::park_timeout(std::time::Duration::from_millis(20));
        });
        looked.recv().unwrap();
        let held = super::super::lock(&dir).unwrap();
        look.join().unwrap();
        let refused = super::super::lock(&dir).unwrap_err();
        assert!(matches!(&refused, Error::InUse(p) if *p == std::process::id().to_string()));
        drop(held);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
