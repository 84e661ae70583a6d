//! The open data folder.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dancu_domain::ids::SubjectId;
use dancu_domain::moment::Moment;
use dancu_domain::profile::Profiles;
use dancu_domain::registration::Snapshot;
use dancu_journal::{Body, Entry, Query};
use parking_lot::Mutex;
use rusqlite::Connection;

use crate::engine::{Reads, Tx};
use crate::entries::{self, MISSING_KEY, Pseudonyms, Scanned, SearchKind};
use crate::error::{Error, Result};
use crate::facts;
use crate::keys::{Keyring, Purpose};
use crate::lease::Leases;
use crate::ledger::{CHECKPOINT_ENTRIES, Ledger};
use crate::month;
use crate::readers::{Place, Readers};
use crate::registry::Registry;
use crate::requests::{BATCH_OF, RequestItem, RequestMemory, item_of};
use crate::search::Search;
use crate::values;

/// An open data folder with its ledger running.
pub struct Store {
    pub(crate) dir: PathBuf,
    pub(crate) _lock: File,
    pub(crate) keys: Arc<Keyring>,
    pub(crate) registry: Registry,
    pub(crate) ledger: Ledger,
    pub(crate) requests: Arc<RequestMemory>,
    pub(crate) search: Search,
    /// Where policy, counts and journal are.
    pub(crate) core: Place,
    pub(crate) readers: Readers,
    /// On PostgreSQL: reads of questions.
    pub(crate) reads: Option<Reads>,
    pub(crate) leases: Arc<Leases>,
    /// On SQLite: connection of the checkpoints, and the journal's head at the last one.
    pub(crate) checkpoint: Option<Mutex<(Connection, u64)>>,
    pub(crate) profiles: Arc<Profiles>,
    pub(crate) used_headers: Mutex<Vec<RequestItem>>,
    /// The anchor that this store keeps.
    pub(crate) anchor: std::sync::OnceLock<crate::anchor::Holder>,
    /// An older copy that was opened to be accepted.
    pub(crate) copy: Mutex<Option<crate::anchor::Holder>>,
    pub(crate) stopped: std::sync::atomic::AtomicBool,
}

impl Store {
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

    /// Leases for work that one node at a time does.
    pub fn leases(&self) -> &Arc<Leases> {
        &self.leases
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
        self.readers.read_state(|tx| crate::policy::snapshot(tx, &self.keys, oldest))
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
            .filter(|y| !self.keys.is_durable(Purpose::Pseudonym, *y))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let keys = self.keys.clone();
        self.ledger
            .note(at, move |tx| {
                for year in &missing {
                    keys.get_or_make(tx, Purpose::Pseudonym, *year)?;
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

    /// Makes the journal's partitions of a moment's month and the next on PostgreSQL, so that no
    /// first entry of a month has to; cheap when they are. Waits for the database.
    pub fn prepare_month(&self, at: Moment) -> Result<()> {
        let Place::Server(_) = &self.core else { return Ok(()) };
        let mut db = self.core.writer()?;
        month::this_and_next(at)
            .into_iter()
            .try_for_each(|month| db.write(|tx| month::make_ready(tx, month)))
    }

    /// One journal entry.
    pub fn entry(&self, index: u64) -> Result<Option<Entry>> {
        self.read(|tx| entries::read(tx, &self.keys, index))
    }

    /// Calls `each` with every entry from an index on, until it says stop; an error at a row whose
    /// key is gone.
    pub fn scan_entries(&self, from: u64, each: impl FnMut(Entry) -> Result<bool>) -> Result<()> {
        let mut db = self.core.reader()?;
        // Another node may have made the keys of a new month.
        self.keys.load(&mut db.tx())?;
        entries::scan(&mut db.tx(), &self.keys, from, each)
    }

    /// The same, past rows whose key is gone.
    pub fn scan_past(&self, from: u64, each: impl FnMut(Scanned) -> Result<bool>) -> Result<()> {
        let mut db = self.core.reader()?;
        self.keys.load(&mut db.tx())?;
        entries::scan_past(&mut db.tx(), &self.keys, from, each)
    }

    /// Entries of a system from an index on, at most `limit`.
    pub fn entries_of_system(&self, system: u32, from: u64, limit: usize) -> Result<Vec<Entry>> {
        let digest = entries::system_digest(system);
        let find = |from| self.search.find(SearchKind::System, &digest, from, limit);
        gathered(from, limit, find, |found| {
            let mut entries = self.entries(found)?;
            // The search is derived: whatever it says, nobody is shown another system's entries.
            let own = |e: &Entry| matches!(&e.body, Body::Query(q) if q.system == system);
            entries.retain(own);
            Ok(entries)
        })
    }

    /// Entries about a citizen, over every year whose key is kept: who looked.
    pub fn entries_about(&self, id: SubjectId, limit: usize) -> Result<Vec<Entry>> {
        self.entries_by(&SearchBy::Subject(id), 0, limit)
    }

    /// Entries by what they are searched by, over every year whose key is kept, from an index on.
    pub fn entries_by(&self, by: &SearchBy<'_>, from: u64, limit: usize) -> Result<Vec<Entry>> {
        self.searched(by, &self.indexes_by(by, from, limit)?)
    }

    /// Where a search found something, what the entries themselves say of it. The search is
    /// derived: whatever it says, nobody is shown what they did not search for.
    pub(crate) fn searched(&self, by: &SearchBy<'_>, found: &[u64]) -> Result<Vec<Entry>> {
        let mut entries = self.entries(found)?;
        let own = |e: &Entry| matches!(&e.body, Body::Query(q) if by.finds(&self.keys, q));
        entries.retain(own);
        Ok(entries)
    }

    /// Indexes that a search finds from one on, rising, at most `limit`.
    pub(crate) fn indexes_by(
        &self,
        by: &SearchBy<'_>,
        from: u64,
        limit: usize,
    ) -> Result<Vec<u64>> {
        let kind = match by {
            SearchBy::Account(_) => SearchKind::Account,
            SearchBy::Case(_) => SearchKind::Case,
            SearchBy::Subject(_) => SearchKind::Subject,
        };
        let digest = |p: &Pseudonyms| match by {
            SearchBy::Account(account) => p.account(*account),
            SearchBy::Case(case) => p.case(case),
            SearchBy::Subject(id) => p.subject(*id, false).pseudonym,
        };
        let mut found = vec![];
        for year in self.keys.periods(Purpose::Pseudonym) {
            if let Some(p) = Pseudonyms::of_year(&self.keys, year as u16) {
                found.extend(self.search.find(kind, &digest(&p), from, limit)?);
            }
        }
        found.sort_unstable();
        found.truncate(limit);
        Ok(found)
    }

    pub(crate) fn entries(&self, indexes: &[u64]) -> Result<Vec<Entry>> {
        self.read(|tx| entries::read_many(tx, &self.keys, indexes))
    }

    /// The answered request under a key, whose journal index the memory gave: index, time and body
    /// digest.
    pub async fn answered_request(
        &self,
        key: &[u8; 16],
        index: u64,
    ) -> Result<Option<(RequestItem, Moment)>> {
        let of = index.cast_signed();
        let values = values![of];
        let found = if let Some(reads) = &self.reads {
            let read = reads.optional(BATCH_OF, values, |r| item_of(r, index, key));
            // Boxed: the future of a question on SQLite is not made larger by it.
            Box::pin(read).await?
        } else {
            self.read(|tx| tx.optional(BATCH_OF, values, |r| item_of(r, index, key)))?
        };
        Ok(found.flatten())
    }

    /// Copies WAL pages back when enough was journaled since the last time; call it regularly
    /// from a background thread. The writer copies the few pages that came meanwhile, so that the
    /// WAL begins anew and does not grow. PostgreSQL does so by itself.
    pub fn checkpoint(&self) -> Result<()> {
        let Some(checkpoint) = &self.checkpoint else { return Ok(()) };
        let head = self.ledger.next_index();
        let mut checkpoint = checkpoint.lock();
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
        let gone = match self.leases.acquire("forget", FORGET_LEASE_MS)? {
            Some(lease) => {
                let gone = self.delete_old(now).await;
                lease.release()?;
                gone?
            }
            // Another node is at it.
            None => 0,
        };
        // Without any batch nothing before the head is needed; the head is read first, since the
        // next batch may come meanwhile.
        let head = self.ledger.next_index();
        let sql = "SELECT MIN(first_idx) FROM request_batch";
        let first: Option<i64> = self.read(|tx| tx.one(sql, &[], |r| r.get(0)))?;
        self.requests.forget_before(first.map_or(head, i64::cast_unsigned));
        Ok(gone)
    }

    async fn delete_old(&self, now: Moment) -> Result<usize> {
        let keep = self.profiles.at(now).remember_requests_ms;
        let oldest = now.plus_ms(-keep).0;
        let gone = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = gone.clone();
        self.ledger
            .tidy(now, move |tx| {
                // Batches stand in the order of time, so that the look ends at the first to keep.
                let n = tx.execute(
                    "DELETE FROM request_batch WHERE first_idx IN (SELECT first_idx FROM \
                     request_batch ORDER BY first_idx LIMIT $1) AND at < $2",
                    values![FORGET_BATCHES as i64, oldest],
                )?;
                count.store(n as usize, std::sync::atomic::Ordering::Relaxed);
                Ok(())
            })
            .await?;
        Ok(gone.load(std::sync::atomic::Ordering::Relaxed))
    }

    /// Reads a small fact of the folder.
    pub fn meta(&self, name: &str) -> Result<Option<String>> {
        self.read(|tx| facts::core(tx, name))
    }

    /// Whether the people of this installation are made up: it has a clock that is moved.
    pub fn is_sandbox(&self) -> Result<bool> {
        Ok(self.meta(SANDBOX_CLOCK)?.is_some())
    }

    /// Stores a small fact of the folder, durable on return.
    pub async fn set_meta(&self, at: Moment, name: &str, value: &str) -> Result<()> {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.ledger
            .note(at, move |tx| {
                facts::set_core(tx, &name, &value)?;
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

    /// Journal items that are not yet in a search run. Waits for the database on PostgreSQL.
    pub fn tail_items(&self) -> Result<u64> {
        self.search.tail_items()
    }

    /// Journaled time of the last entry: the product's clock never shows less.
    pub fn last_at(&self) -> Moment {
        let sql = "SELECT last_at FROM ledger_head WHERE id = 1";
        let last = self.read(|tx| tx.one(sql, &[], |r| r.get::<i64>(0)));
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
        if let Err(error) = self.refresh_anchor() {
            tracing::warn!(error = %error, "the anchor could not be written");
        }
        self.search.stop();
        if let Some(checkpoint) = &self.checkpoint {
            let checkpoint = checkpoint.lock();
            let _ = checkpoint.0.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }

    fn read<T>(&self, mut read: impl FnMut(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        match self.readers.read(&mut read) {
            // Another node may have made the keys of a new month a moment ago.
            Err(Error::Damaged(MISSING_KEY)) if self.checkpoint.is_none() => {
                self.readers.read(|tx| self.keys.load(tx).and_then(|()| read(tx)))
            }
            done => done,
        }
    }
}

/// What entries of questions are searched by, whatever the year of their pseudonyms.
#[derive(Clone, Copy, Debug)]
pub enum SearchBy<'a> {
    /// By the account's row.
    Account(u32),
    /// By the case's code.
    Case(&'a str),
    /// By the citizen's id.
    Subject(SubjectId),
}

impl SearchBy<'_> {
    /// Whether a question's entry is one of those that are searched for, by what it says itself.
    pub fn finds(&self, keys: &Keyring, q: &Query) -> bool {
        match self {
            Self::Account(account) => q.account == *account,
            Self::Case(case) => q.case == *case,
            Self::Subject(id) => q.subjects.iter().any(|subject| {
                Pseudonyms::of_year(keys, subject.epoch)
                    .is_some_and(|p| p.subject(*id, false).pseudonym == subject.pseudonym)
            }),
        }
    }
}

/// What is kept of what is found from an index on, `limit` of it unless nothing further is found:
/// where some of it is dropped, the search goes on behind it. Who asks for one more than a page
/// holds can tell that there is another page.
fn gathered<T>(
    mut from: u64,
    limit: usize,
    mut find: impl FnMut(u64) -> Result<Vec<u64>>,
    mut keep: impl FnMut(&[u64]) -> Result<Vec<T>>,
) -> Result<Vec<T>> {
    let mut kept = vec![];
    loop {
        let found = find(from)?;
        kept.extend(keep(&found)?);
        match found.last() {
            Some(last) if found.len() >= limit && kept.len() < limit => from = last + 1,
            _ => break,
        }
    }
    kept.truncate(limit);
    Ok(kept)
}

/// A deletion takes milliseconds: whoever takes a minute is gone.
const FORGET_LEASE_MS: i64 = 60_000;

/// Name of the stored offset of a sandbox clock, ms: production has none.
pub const SANDBOX_CLOCK: &str = "sandbox.clock_offset_ms";

/// Batches of old requests deleted in one transaction: about 2 ms of work for the writer.
pub const FORGET_BATCHES: usize = 500;

/// Bytes that an ordinary process may still write on the disk of a folder.
pub fn free_bytes(dir: &Path) -> Result<u64> {
    let facts = rustix::fs::statvfs(dir).map_err(std::io::Error::from)?;
    Ok(facts.f_bavail.saturating_mul(facts.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_does_not_end_a_search() {
        // Every third of 1,000 belongs to another system, and so do the first 40.
        let own = |index: &u64| *index >= 40 && !index.is_multiple_of(3);
        let pages = |limit: usize| {
            let find = |from: u64| Ok((from..1_000).take(limit).collect::<Vec<_>>());
            let keep = |found: &[u64]| Ok(found.iter().copied().filter(own).collect::<Vec<_>>());
            gathered(0, limit, find, keep).unwrap()
        };
        let all: Vec<u64> = (0..1_000).filter(own).collect();
        for limit in [1, 11, 501] {
            assert_eq!(pages(limit), all[..limit]);
        }
        assert_eq!(pages(1_000), all);
        assert_eq!(pages(all.len() + 1).len(), all.len(), "nothing further is there");
    }
}
