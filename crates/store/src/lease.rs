//! Leases: work that one node at a time does, such as housekeeping or a long job.
//!
//! A lease has a name, a holder and an end by the database's clock; whoever is gone holds it until
//! then. SQLite has one process, which is always granted what it asks for.
//!
//! **Invariant:** what is changed after [`Lease::hold`] in the same transaction is committed only
//! while the lease is held: a node that slept through its end changes nothing any more.
//!
//! ```no_run
//! # async fn job(store: &dancu_store::Store, now: dancu_domain::moment::Moment)
//! # -> dancu_store::Result<()> {
//! let Some(lease) = store.leases().acquire("job", 60_000)? else { return Ok(()) };
//! let held = lease.clone();
//! store.ledger().tidy(now, move |tx| {
//!     held.hold(tx)?;
//!     // … one step of the work …
//!     Ok(())
//! }).await?;
//! lease.renew()?; // between steps, well before its end; false = another node has it
//! lease.release()
//! # }
//! ```

use std::sync::Arc;

use parking_lot::Mutex;

use crate::engine::checks::NOW;
use crate::engine::{Db, Engine, Tx};
use crate::error::{Error, Result};
use crate::keys::random;
use crate::readers::Place;
use crate::values;

/// Gives leases to this process.
pub struct Leases {
    place: Place,
    db: Mutex<Option<Db>>,
}

/// A lease that was granted. It ends by itself; dropping it does not end it sooner.
#[derive(Clone)]
pub struct Lease {
    leases: Arc<Leases>,
    name: Arc<str>,
    /// Random, so that each grant is told from every other.
    holder: [u8; 16],
    for_ms: i64,
}

impl Leases {
    pub(crate) fn new(place: Place) -> Arc<Self> {
        Arc::new(Self { place, db: Mutex::default() })
    }

    /// Asks for a lease by its name, for `for_ms` milliseconds; `None` = it is held elsewhere, or
    /// in this process by an earlier grant. Waits for the database.
    pub fn acquire(self: &Arc<Self>, name: &str, for_ms: i64) -> Result<Option<Lease>> {
        let mut holder = [0; 16];
        random(&mut holder)?;
        let lease = Lease { leases: self.clone(), name: name.into(), holder, for_ms };
        Ok(lease.renew()?.then_some(lease))
    }

    /// Runs a change on a connection of its own; none on SQLite, where `alone` is given.
    fn write<T>(&self, alone: T, change: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        let Place::Server(_) = &self.place else { return Ok(alone) };
        let mut db = self.db.lock();
        let db = match &mut *db {
            Some(db) => db,
            none => none.insert(self.place.writer()?),
        };
        if db.is_lost() {
            db.reconnect()?;
        }
        db.write(change)
    }
}

impl Lease {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Holds it for its whole time again; false = it ended meanwhile and another has it.
    pub fn renew(&self) -> Result<bool> {
        let sql = format!(
            "INSERT INTO lease (name, holder, until_at) VALUES ($1, $2, {NOW} + $3) \
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, \
             until_at = excluded.until_at \
             WHERE lease.holder = excluded.holder OR lease.until_at <= {NOW}"
        );
        let name = &*self.name;
        let values = values![name, self.holder, self.for_ms];
        self.leases.write(true, |tx| Ok(tx.execute(&sql, values)? == 1))
    }

    /// Makes sure, in the transaction of a change, that the lease is held until that transaction
    /// ends: nobody else gets it meanwhile.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: it ended. Nothing must be changed under it any more.
    pub fn hold(&self, tx: &mut Tx<'_>) -> Result<()> {
        if tx.engine() == Engine::Sqlite {
            return Ok(());
        }
        let sql = format!(
            "SELECT until_at FROM lease WHERE name = $1 AND holder = $2 AND until_at > {NOW}"
        );
        let name = &*self.name;
        let held = tx.lock_row(&sql, values![name, self.holder], |r| r.get::<i64>(0))?;
        held.map(drop).ok_or(Error::Unavailable("the lease ended"))
    }

    /// [`Self::hold`], and from now on for its whole time again: long work that writes step by step
    /// keeps its lease by its steps.
    ///
    /// # Errors
    /// As [`Self::hold`].
    pub fn prolong(&self, tx: &mut Tx<'_>) -> Result<()> {
        self.hold(tx)?;
        if tx.engine() == Engine::Sqlite {
            return Ok(());
        }
        let sql = format!("UPDATE lease SET until_at = {NOW} + $1 WHERE name = $2 AND holder = $3");
        tx.execute(&sql, values![self.for_ms, &*self.name, self.holder])?;
        Ok(())
    }

    /// Ends it, so that another node need not wait for its end.
    pub fn release(self) -> Result<()> {
        let sql = "DELETE FROM lease WHERE name = $1 AND holder = $2";
        let name = &*self.name;
        let values = values![name, self.holder];
        self.leases.write((), |tx| tx.execute(sql, values).map(drop))
    }
}

#[cfg(test)]
mod tests {
    use dancu_testdb::Server;

    use super::*;
    use crate::engine::{Settings, migrate};

    fn place() -> (dancu_testdb::Database, Place) {
        let database = Server::shared().database("lease", |url| {
            let settings = Settings::new(url).map_err(|e| e.to_string())?;
            let mut db = Place::Server(Box::new(settings)).writer().map_err(|e| e.to_string())?;
            migrate::AREAS
                .into_iter()
                .try_for_each(|area| migrate::migrate(&mut db, area).map(drop))
                .map_err(|e| e.to_string())
        });
        let place = Place::Server(Box::new(Settings::new(&database.url()).unwrap()));
        (database, place)
    }

    #[test]
    fn one_node_holds_a_lease_until_its_end() {
        let (database, place) = place();
        let nodes = [Leases::new(place.clone()), Leases::new(place.clone())];
        let first = nodes[0].acquire("a", 60_000).unwrap().unwrap();
        assert!(nodes[1].acquire("a", 60_000).unwrap().is_none(), "held by the other node");
        assert!(nodes[0].acquire("a", 60_000).unwrap().is_none(), "held by an earlier grant");
        assert!(nodes[1].acquire("b", 60_000).unwrap().is_some(), "another name is free");
        assert!(first.renew().unwrap());
        let mut db = place.writer().unwrap();
        db.write(|tx| first.hold(tx)).unwrap();
        // It ended while its holder slept: the other gets it, and the first changes nothing more.
        database.sql("UPDATE lease SET until_at = 1 WHERE name = 'a'");
        assert!(db.write(|tx| first.hold(tx)).is_err(), "ended, though nobody else has it");
        let second = nodes[1].acquire("a", 60_000).unwrap().unwrap();
        assert!(!first.renew().unwrap());
        assert!(matches!(db.write(|tx| first.hold(tx)), Err(Error::Unavailable(_))));
        first.release().unwrap();
        assert!(second.renew().unwrap(), "ending what is not held any more ends nothing");
        second.release().unwrap();
        assert!(nodes[0].acquire("a", 60_000).unwrap().is_some());
    }

    #[test]
    fn a_change_under_a_lease_keeps_others_waiting() {
        let (database, place) = place();
        let nodes = [Leases::new(place.clone()), Leases::new(place.clone())];
        let lease = nodes[0].acquire("a", 60_000).unwrap().unwrap();
        let mut db = place.writer().unwrap();
        db.begin(crate::engine::Mode::Write).unwrap();
        lease.hold(&mut db.tx()).unwrap();
        let taken = std::thread::spawn({
            let other = nodes[1].clone();
            move || other.acquire("a", 60_000)
        });
        let waits = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                     AND datname = current_database()";
        while database.sql(waits) != "1" {
            std::thread::yield_now();
        }
        assert!(!taken.is_finished());
        db.commit().unwrap();
        assert!(taken.join().unwrap().unwrap().is_none(), "it has not ended");
    }

    #[test]
    fn sqlite_grants_its_one_process_everything() {
        let leases = Leases::new(Place::File("/nowhere/at/all.db".into()));
        let lease = leases.acquire("a", 1).unwrap().unwrap();
        assert!(lease.renew().unwrap() && leases.acquire("a", 1).unwrap().is_some());
        let file = rusqlite::Connection::open_in_memory().unwrap();
        lease.hold(&mut Tx::from(&file)).unwrap();
        lease.release().unwrap();
    }
}
