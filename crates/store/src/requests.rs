//! Request ids and used SOAP headers: what was answered within the last 24 hours, here and on other
//! nodes.
//!
//! Memory holds 16 bytes per answered request (a fingerprint and the journal index); the exact key
//! and body digest stand in `request_batch`, written in the same transaction as the entry. At
//! 1.4 million requests a day this is about 28 MiB.

use std::sync::Arc;

use dancu_domain::moment::Moment;
use dancu_domain::profile::Profiles;
use hashbrown::{HashMap, HashTable};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use crate::charges::Charge;
use crate::engine::{Row, Tx};
use crate::error::Result;
use crate::used::{self, Used};
use crate::values;

/// Independent parts of the tables: more than threads that use them at once.
const SHARDS: usize = 16;
/// Marks in the first byte of a packed item.
const ANSWERED: u8 = 1;
const HEADER: u8 = 2;

/// One request as its batch keeps it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestItem {
    /// Journal index.
    pub index: u64,
    /// Whether it was answered (accepted and counted).
    pub answered: bool,
    /// Keyed digest of system and request id; zero where there was none.
    pub key: [u8; 16],
    /// Digest of the body's meaning.
    pub body: [u8; 16],
    /// Digest of the SOAP header triple; zero where there was none.
    pub header: [u8; 16],
    /// Until when (machine clock, ms) the triple counts as used.
    pub header_until: i64,
}

impl RequestItem {
    /// Appends the packed form of an item of the batch whose first index is `first`: marks 1,
    /// index after `first` 2, key 16, body 16 and, where there is one, header 16 and its end 8.
    pub fn pack(&self, first: u64, out: &mut Vec<u8>) {
        let header = self.header != [0; 16];
        let marks = if self.answered { ANSWERED } else { 0 } | if header { HEADER } else { 0 };
        out.push(marks);
        out.extend_from_slice(&((self.index - first) as u16).to_be_bytes());
        out.extend_from_slice(&self.key);
        out.extend_from_slice(&self.body);
        if header {
            out.extend_from_slice(&self.header);
            out.extend_from_slice(&self.header_until.to_be_bytes());
        }
    }

    /// Reads the packed items of the batch whose first index is `first`; a broken tail is ignored.
    pub fn unpack(first: u64, mut bytes: &[u8]) -> impl Iterator<Item = Self> {
        std::iter::from_fn(move || {
            let marks = take::<1>(&mut bytes)?[0];
            let index = first + u64::from(u16::from_be_bytes(take(&mut bytes)?));
            let (key, body) = (take(&mut bytes)?, take(&mut bytes)?);
            let (header, header_until) = if marks & HEADER == 0 {
                ([0; 16], 0)
            } else {
                (take(&mut bytes)?, i64::from_be_bytes(take(&mut bytes)?))
            };
            let answered = marks & ANSWERED != 0;
            Some(Self { index, answered, key, body, header, header_until })
        })
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = bytes.split_first_chunk::<N>()?;
    *bytes = tail;
    Some(*head)
}

/// A SOAP header triple that a question used up.
#[derive(Clone, Copy, Debug)]
pub struct HeaderUse {
    /// Digest of (user, timestamp, hash).
    pub triple: [u8; 16],
    /// Until when (machine clock, ms) the triple counts as used.
    pub until: i64,
    /// Whether its sender may use it with several bodies (timestamps of whole seconds).
    pub may_reuse: bool,
}

/// Triples that other nodes brought to disk, each with the body that it is bound to.
#[derive(Default)]
struct Headers {
    bound: HashMap<[u8; 16], ([u8; 16], i64)>,
    swept_at: i64,
}

/// How often triples that are stale by now are forgotten, ms.
const SWEEP_MS: i64 = 1_000;
/// They are kept this much longer, because nodes' clocks differ.
pub(crate) const SKEW_MS: i64 = 10_000;

/// Who is told what other nodes' questions took of their pace.
type Follower = Box<dyn Fn(&Charge) + Send + Sync>;

/// Which requests were answered, and which are being decided.
pub struct RequestMemory {
    follower: RwLock<Option<Follower>>,
    headers: Mutex<Headers>,
    answered: Vec<Mutex<HashTable<(u64, u64)>>>,
    in_flight: Vec<Mutex<HashMap<[u8; 16], Arc<Notify>>>>,
}

impl Default for RequestMemory {
    fn default() -> Self {
        Self {
            follower: RwLock::default(),
            headers: Mutex::default(),
            answered: (0..SHARDS).map(|_| Mutex::new(HashTable::new())).collect(),
            in_flight: (0..SHARDS).map(|_| Mutex::new(HashMap::new())).collect(),
        }
    }
}

impl RequestMemory {
    /// Remembers an answered request.
    pub fn remember(&self, key: &[u8; 16], index: u64) {
        let mark = fingerprint(key);
        let mut shard = self.answered[shard(key)].lock();
        if let Some(known) = shard.find_mut(mark, |(m, _)| *m == mark) {
            known.1 = index;
        } else {
            shard.insert_unique(mark, (mark, index), |(m, _)| *m);
        }
    }

    /// The journal index of the request that was answered under this key, if one may have been;
    /// the caller compares the whole key with the stored item.
    pub fn answered(&self, key: &[u8; 16]) -> Option<u64> {
        let mark = fingerprint(key);
        self.answered[shard(key)].lock().find(mark, |(m, _)| *m == mark).map(|(_, i)| *i)
    }

    /// Takes over the SOAP headers that other nodes brought to disk, in their order: the first
    /// body binds a triple. `now` is the machine's clock, ms.
    pub(crate) fn bind<'a>(&self, items: impl Iterator<Item = &'a RequestItem>, now: i64) {
        let mut headers = self.headers.lock();
        for item in items.filter(|i| i.header != [0; 16]) {
            headers.bound.entry(item.header).or_insert((item.body, item.header_until));
        }
        if now - headers.swept_at >= SWEEP_MS {
            headers.swept_at = now;
            headers.bound.retain(|_, (_, until)| *until >= now - SKEW_MS);
        }
    }

    /// Names who is told from now on what questions to other nodes take of their pace (D7). It is
    /// called by the ledger's thread, while it takes over what those nodes committed.
    pub fn follow(&self, follower: impl Fn(&Charge) + Send + Sync + 'static) {
        *self.follower.write() = Some(Box::new(follower));
    }

    /// Tells what a transaction of another node took.
    pub(crate) fn charge<'a>(&self, charges: impl Iterator<Item = &'a Charge>) {
        if let Some(follower) = &*self.follower.read() {
            charges.for_each(follower);
        }
    }

    /// The body that another node brought to disk with a SOAP header triple.
    pub fn bound_elsewhere(&self, triple: &[u8; 16]) -> Option<[u8; 16]> {
        self.headers.lock().bound.get(triple).map(|(body, _)| *body)
    }

    /// Forgets what was journaled before an index.
    pub fn forget_before(&self, index: u64) {
        for shard in &self.answered {
            shard.lock().retain(|(_, i)| *i >= index);
        }
    }

    /// How many answered requests are remembered.
    pub fn len(&self) -> usize {
        self.answered.iter().map(|s| s.lock().len()).sum()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits until no other request with this key is being decided, then holds the key.
    pub async fn enter(self: &Arc<Self>, key: [u8; 16]) -> InFlight {
        loop {
            let other = {
                let mut shard = self.in_flight[shard(&key)].lock();
                match shard.get(&key) {
                    None => {
                        shard.insert(key, Arc::new(Notify::new()));
                        return InFlight { memory: self.clone(), key };
                    }
                    Some(other) => other.clone(),
                }
            };
            let gone = other.notified();
            tokio::pin!(gone);
            gone.as_mut().enable();
            // Between the look and the wait the other may have left: look again before waiting.
            let still = {
                let shard = self.in_flight[shard(&key)].lock();
                shard.get(&key).is_some_and(|n| Arc::ptr_eq(n, &other))
            };
            if still {
                gone.await;
            }
        }
    }
}

/// A request being decided; leaving lets the next one with the same key in.
pub struct InFlight {
    memory: Arc<RequestMemory>,
    key: [u8; 16],
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let gone = self.memory.in_flight[shard(&self.key)].lock().remove(&self.key);
        if let Some(notify) = gone {
            notify.notify_waiters();
        }
    }
}

/// Loads what the requests of the last hours decide by, from a batch's first index on; returns
/// SOAP headers still in use, the newest first, and after them those that left no entry.
pub(crate) fn load(
    tx: &mut Tx<'_>,
    memory: &RequestMemory,
    profiles: &Profiles,
    from: u64,
) -> Result<Vec<RequestItem>> {
    // By the product's clock, which the last entry shows: a sandbox may be ahead or behind.
    let sql = "SELECT first_idx, at, items FROM request_batch WHERE first_idx >= $1 \
               ORDER BY first_idx DESC";
    let mut headers = vec![];
    let mut oldest = None;
    tx.each(sql, values![from.cast_signed()], |r| {
        let at = Moment(r.get(1)?);
        let keep = profiles.at(at).remember_requests_ms;
        // Batches stand in the order of time: the first one that is too old ends the search.
        if at < *oldest.get_or_insert(at.plus_ms(-keep)) {
            return Ok(false);
        }
        for item in RequestItem::unpack(r.get::<i64>(0)?.cast_unsigned(), r.get(2)?) {
            if item.answered {
                memory.remember(&item.key, item.index);
            }
            if item.header != [0; 16] {
                headers.push(item);
            }
        }
        Ok(true)
    })?;
    headers.extend(used::load(tx)?.iter().map(Used::item));
    Ok(headers)
}

/// The batch that holds an index: first index, time, items.
pub(crate) const BATCH_OF: &str = "SELECT first_idx, at, items FROM request_batch \
    WHERE first_idx <= $1 ORDER BY first_idx DESC LIMIT 1";

/// The item of an index and key in a row of [`BATCH_OF`], with its time.
pub(crate) fn item_of(
    r: &Row<'_>,
    index: u64,
    key: &[u8; 16],
) -> Result<Option<(RequestItem, Moment)>> {
    let first = r.get::<i64>(0)?.cast_unsigned();
    let mut items = RequestItem::unpack(first, r.get(2)?);
    let at = Moment(r.get(1)?);
    Ok(items.find(|i| i.index == index && i.key == *key).map(|i| (i, at)))
}

fn shard(key: &[u8; 16]) -> usize {
    usize::from(key[15]) % SHARDS
}

fn fingerprint(key: &[u8; 16]) -> u64 {
    let mut out = [0; 8];
    out.copy_from_slice(&key[..8]);
    u64::from_be_bytes(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_round_trip() {
        let item = RequestItem {
            index: 7,
            answered: true,
            key: [1; 16],
            body: [2; 16],
            header: [3; 16],
            header_until: -5,
        };
        let bare = RequestItem { index: 6, header: [0; 16], header_until: 0, ..item };
        let mut bytes = vec![];
        bare.pack(6, &mut bytes);
        item.pack(6, &mut bytes);
        assert_eq!(bytes.len(), 35 + 35 + 24);
        assert_eq!(RequestItem::unpack(6, &bytes).collect::<Vec<_>>(), [bare, item]);
        assert_eq!(RequestItem::unpack(6, &bytes[..bytes.len() - 1]).collect::<Vec<_>>(), [bare]);
    }

    #[test]
    fn the_first_body_binds_a_header_until_it_is_stale() {
        let memory = RequestMemory::default();
        let item = |body, header_until| RequestItem {
            index: 1,
            answered: false,
            key: [0; 16],
            body: [body; 16],
            header: [9; 16],
            header_until,
        };
        memory.bind([item(1, 50_000), item(2, 50_000)].iter(), 0);
        assert_eq!(memory.bound_elsewhere(&[9; 16]), Some([1; 16]));
        assert_eq!(memory.bound_elsewhere(&[0; 16]), None);
        memory.bind([].iter(), 50_000 + SKEW_MS);
        assert!(memory.bound_elsewhere(&[9; 16]).is_some());
        memory.bind([].iter(), 50_000 + SKEW_MS + SWEEP_MS);
        assert!(memory.bound_elsewhere(&[9; 16]).is_none());
    }

    #[tokio::test]
    async fn one_of_two_waits() {
        let memory = Arc::new(RequestMemory::default());
        let first = memory.enter([9; 16]).await;
        let other = memory.clone();
        let second = tokio::spawn(async move {
            let _guard = other.enter([9; 16]).await;
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        second.await.unwrap();
    }

    #[test]
    fn remembers_and_forgets() {
        let memory = RequestMemory::default();
        memory.remember(&[4; 16], 10);
        assert_eq!(memory.answered(&[4; 16]), Some(10));
        memory.forget_before(11);
        assert!(memory.is_empty());
    }
}
