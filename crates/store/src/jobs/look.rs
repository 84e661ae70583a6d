//! Jobs looked at: by their system, by whoever runs them, part by part.

use dancu_domain::moment::Moment;

use super::rows::{JOB, read_job, read_part};
use super::{JobRow, Part, PartKind, State};
use crate::engine::Tx;
use crate::error::Result;
use crate::store::Store;
use crate::values;

/// Of the jobs those to be done.
const TO_DO: &str = " WHERE state > 0 AND state < 4 AND (lease_until <= $1 OR holder = $2) \
    ORDER BY (SELECT MAX(s.served_at) FROM job s WHERE s.system = job.system), journal_index";
/// How many wait before one.
const BEFORE: &str = "SELECT COUNT(*) FROM job WHERE state = 1 AND journal_index < $1";

impl Store {
    /// A job that exists for its system.
    pub fn job(&self, id: [u8; 16]) -> Result<Option<JobRow>> {
        let key = self.job_key()?;
        let sql = format!("{JOB} WHERE id = $1 AND state > 0 AND state < 7");
        self.jobs_read(|tx| tx.optional(&sql, values![id], |r| read_job(r, &key)))
    }

    /// Jobs of a system, the newest first.
    pub fn jobs_of(&self, system: u32, limit: u32) -> Result<Vec<JobRow>> {
        let key = self.job_key()?;
        let sql = format!(
            "{JOB} WHERE system = $1 AND state > 0 AND state < 7 \
             ORDER BY submitted_at DESC, journal_index DESC LIMIT $2"
        );
        self.jobs_read(|tx| tx.query(&sql, values![system, limit], |r| read_job(r, &key)))
    }

    /// The job that a request id made.
    pub fn job_of_request(&self, system: u32, request: [u8; 16]) -> Result<Option<JobRow>> {
        let key = self.job_key()?;
        let sql = format!("{JOB} WHERE system = $1 AND request = $2 AND state > 0 AND state < 7");
        self.jobs_read(|tx| tx.optional(&sql, values![system, request], |r| read_job(r, &key)))
    }

    /// Jobs of a system that were submitted from one moment on and before another, the newest
    /// first: at most `limit` of them after the first `skip`, and how many there are in all.
    pub fn jobs_between(
        &self,
        system: u32,
        (from, to): (Moment, Moment),
        skip: u32,
        limit: u32,
    ) -> Result<(Vec<JobRow>, u32)> {
        let key = self.job_key()?;
        let sql = format!(
            "{JOB} WHERE system = $1 AND state > 0 AND state < 7 AND submitted_at >= $2 \
             AND submitted_at < $3 ORDER BY submitted_at DESC, journal_index DESC \
             LIMIT $4 OFFSET $5"
        );
        let count = "SELECT COUNT(*) FROM job WHERE system = $1 AND state > 0 AND state < 7 \
                     AND submitted_at >= $2 AND submitted_at < $3";
        self.readers.read_state(|tx| {
            let page = values![system, from.0, to.0, limit, skip];
            let jobs = tx.query(&sql, page, |r| read_job(r, &key))?;
            let all = tx.one(count, values![system, from.0, to.0], |r| r.get(0))?;
            Ok((jobs, all))
        })
    }

    /// Jobs that are not over and that nobody else works on. First those of the system that was
    /// served least recently, by whichever node; of one system as they were submitted.
    pub fn jobs_to_do(&self, at: Moment, holder: [u8; 16]) -> Result<Vec<JobRow>> {
        let key = self.job_key()?;
        let sql = format!("{JOB}{TO_DO}");
        self.jobs_read(|tx| tx.query(&sql, values![at.0, holder], |r| read_job(r, &key)))
    }

    /// The highest row of a job that has a result or will have one; 0 = there is none yet. Rows
    /// are numbered as the file numbers them, where empty lines count on.
    pub fn job_last_row(&self, id: [u8; 16]) -> Result<u32> {
        let sql = "SELECT last_row FROM job_part WHERE job = $1 AND kind = $2 \
                   ORDER BY first_row DESC LIMIT 1";
        self.jobs_read(|tx| {
            let mut last = 0;
            for kind in [PartKind::Input, PartKind::Result] {
                let found = tx.optional(sql, values![id, kind as u8], |r| r.get::<u32>(0))?;
                last = last.max(found.unwrap_or_default());
            }
            Ok(last)
        })
    }

    /// Where a job stands, if this holder still has it.
    pub fn job_state(&self, id: [u8; 16], holder: [u8; 16]) -> Result<Option<State>> {
        let sql = "SELECT state FROM job WHERE id = $1 AND holder = $2 AND lease_until > 0 \
                   AND state > 1 AND state < 7";
        let state = self.jobs_read(|tx| tx.optional(sql, values![id, holder], |r| r.get(0)))?;
        Ok(state.and_then(State::from_number))
    }

    /// Jobs that were submitted before this one, by its journal index, and have not begun.
    pub fn jobs_before(&self, journal_index: u64) -> Result<u32> {
        let index = journal_index.cast_signed();
        self.jobs_read(|tx| tx.one(BEFORE, values![index], |r| r.get(0)))
    }

    /// Jobs of a system that are not over.
    pub fn jobs_open(&self, system: u32) -> Result<u32> {
        self.jobs_read(|tx| open_jobs(tx, system))
    }

    /// Parts of a job whose last row is `from` or a later one, in order, at most `limit`.
    pub fn job_parts(
        &self,
        id: [u8; 16],
        kind: PartKind,
        from: u32,
        limit: u32,
    ) -> Result<Vec<Part>> {
        let key = self.job_key()?;
        let sql = "SELECT first_row, last_row, sealed FROM job_part WHERE job = $1 AND kind = $2 \
                   AND last_row >= $3 ORDER BY first_row LIMIT $4";
        self.jobs_read(|tx| {
            tx.query(sql, values![id, kind as u8, from, limit], |r| read_part(r, &key, &id, kind))
        })
    }
}

/// Jobs of a system that are not over.
pub(super) fn open_jobs(tx: &mut Tx<'_>, system: u32) -> Result<u32> {
    let sql = "SELECT COUNT(*) FROM job WHERE system = $1 AND state > 0 AND state < 4";
    tx.one(sql, values![system], |r| r.get(0))
}

#[cfg(test)]
mod tests {
    use dancu_testdb::Server;
    use rusqlite::Connection;

    use super::*;
    use crate::engine::{Db, Postgres, Settings, migrate};
    use crate::sqlite::{Area, for_sqlite};

    /// What is looked for again and again does not read every job that is kept.
    #[test]
    fn what_is_to_be_done_is_found_by_an_index() {
        let todo = format!("{JOB}{TO_DO}").replace("$1", "5").replace("$2", "''");
        let before = BEFORE.replace("$1", "5");
        let file = Connection::open_in_memory().unwrap();
        file.execute_batch(&for_sqlite(Area::Core.latest())).unwrap();
        let database = Server::shared().database("jobs", |url| {
            let settings = Settings::new(url).map_err(|e| e.to_string())?;
            let mut db = Db::from(Postgres::connect(&settings).map_err(|e| e.to_string())?);
            let areas = migrate::AREAS.into_iter();
            areas
                .map(|area| migrate::migrate(&mut db, area))
                .try_for_each(|done| done.map(drop).map_err(|e| e.to_string()))
        });
        let settings = Settings::new(&database.url()).unwrap();
        let mut server = Db::from(Postgres::connect(&settings).unwrap());
        // An empty table is read whole unless that is forbidden.
        server.tx().execute("SET enable_seqscan = off", &[]).unwrap();
        for (db, explain, column) in
            [(&mut Db::from(file), "EXPLAIN QUERY PLAN", 3), (&mut server, "EXPLAIN", 0)]
        {
            let mut plan = |sql: &str| {
                let sql = format!("{explain} {sql}");
                db.tx().query(&sql, &[], |r| r.get::<String>(column)).unwrap().join("\n")
            };
            let (todo, before) = (plan(&todo), plan(&before));
            assert!(todo.contains("job_of_state") && todo.contains("job_served"), "{todo}");
            assert!(before.contains("job_of_state"), "{before}");
        }
    }
}
