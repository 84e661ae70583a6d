//! Look-ups on PostgreSQL that share statements, as questions share commits in the ledger.
//!
//! A look-up of its own costs the server and both sides of the connection several times what the
//! index does. So while as many groups as may are under way, questions that come wait for each
//! other and go out together; a question that comes alone goes at once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::KeyKind;
use crate::engine::{Fault, Reads, Row, Value};
use crate::error::{Error, Result};
use crate::values;

/// Digests of one statement: its text has as many places.
const GROUP: usize = 16;
/// Statements under way at a time: two keep the server busy while answers are read, and the more
/// there are the smaller they get.
const UNDER_WAY: usize = 2;
/// More under way where so many questions wait behind each: then the server waits for its disk,
/// and other reads of it can go on beside.
const UNDER_WAY_MAX: usize = 8;
/// After such a wait one more group may set out: statements take a millisecond or two.
const SLOW: Duration = Duration::from_millis(50);
/// What a question is told whose group was given up by a fault of the program.
const GIVEN_UP: Error = Error::Unavailable("a look-up was given up");
/// Questions that wait at most; more are refused. It is above what a node lets in at a time.
const WAITING_MAX: usize = 8_192;

const BY_KEY: &str = "SELECT k.digest, p.id, p.key_number, p.sealed FROM person_key k \
    JOIN person p ON p.id = k.person WHERE k.kind = $1 AND k.epoch = $2 AND k.digest = $3";
const BY_KEYS: &str = "SELECT k.digest, p.id, p.key_number, p.sealed FROM person_key k \
    JOIN person p ON p.id = k.person WHERE k.kind = $1 AND k.epoch = $2 AND k.digest IN \
    ($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
const EPOCH_IN_FORCE: &str = "SELECT value FROM registry_meta WHERE name = 'blind.epoch'";

/// Look-ups by digest that go out in groups.
pub(super) struct Grouped {
    reads: Arc<Reads>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    /// In the order of their numbers.
    waiting: VecDeque<Asked>,
    number: u64,
    under_way: usize,
}

impl Queue {
    fn holds(&self, number: u64) -> bool {
        self.waiting.binary_search_by_key(&number, |a| a.number).is_ok()
    }

    /// Takes a question out that no group has taken; whether it was there.
    fn leave(&mut self, number: u64) -> bool {
        let found = self.waiting.binary_search_by_key(&number, |a| a.number);
        found.is_ok_and(|place| self.waiting.remove(place).is_some())
    }
}

/// One look-up that waits for its group.
struct Asked {
    number: u64,
    kind: KeyKind,
    epoch: u32,
    digest: [u8; 16],
    told: oneshot::Sender<Result<Found>>,
}

/// What stands under a digest.
#[derive(Default)]
pub(super) struct Found {
    /// Sealed records, in no order.
    pub(super) records: Vec<Sealed>,
    /// Where there are none: the epoch of digests in force, read after that was seen.
    pub(super) epoch_in_force: Option<u32>,
}

/// A record as it is stored.
pub(super) struct Sealed {
    pub(super) id: i64,
    pub(super) key_number: u32,
    pub(super) bytes: Vec<u8>,
}

impl Grouped {
    pub(super) fn new(reads: Arc<Reads>) -> Self {
        Self { reads, queue: Mutex::default() }
    }

    /// What stands under a digest of an epoch.
    ///
    /// # Errors
    /// The read of its group failed, too many wait already, or no group took it in time.
    pub(super) async fn look_up(
        self: &Arc<Self>,
        kind: KeyKind,
        epoch: u32,
        digest: [u8; 16],
    ) -> Result<Found> {
        let (told, mut answer) = oneshot::channel();
        let number = {
            let mut queue = self.queue.lock();
            if queue.waiting.len() >= WAITING_MAX {
                return Err(Error::Unavailable("too many look-ups wait"));
            }
            queue.number += 1;
            let number = queue.number;
            queue.waiting.push_back(Asked { number, kind, epoch, digest, told });
            let enough = (queue.waiting.len() / GROUP).clamp(UNDER_WAY, UNDER_WAY_MAX);
            self.go_on(&mut queue, enough);
            number
        };
        if let Ok(told) = timeout(SLOW, &mut answer).await {
            return told.unwrap_or(Err(GIVEN_UP));
        }
        // The groups under way wait for their server or their connections: another one may not.
        {
            let mut queue = self.queue.lock();
            if queue.holds(number) {
                self.go_on(&mut queue, UNDER_WAY_MAX);
            }
        }
        if let Ok(told) = timeout(self.reads.wait().saturating_sub(SLOW), &mut answer).await {
            return told.unwrap_or(Err(GIVEN_UP));
        }
        if self.queue.lock().leave(number) {
            return Err(Fault::no_turn().into());
        }
        // A group has taken it, and ends in a time of its own.
        answer.await.unwrap_or(Err(GIVEN_UP))
    }

    /// Lets one more group set out where fewer than `enough` are under way.
    fn go_on(self: &Arc<Self>, queue: &mut Queue, enough: usize) {
        if queue.under_way < enough {
            queue.under_way += 1;
            // Not held before it runs: a runtime that shuts down drops it here, under the lock.
            tokio::spawn(Place { of: self.clone(), held: false }.run());
        }
    }

    /// The next questions of one kind and epoch. None waits: the place is given up with that.
    fn next(&self) -> Vec<Asked> {
        let mut queue = self.queue.lock();
        let mut group: Vec<Asked> = Vec::with_capacity(queue.waiting.len().min(GROUP));
        while group.len() < GROUP
            && let Some(asked) = queue.waiting.pop_front()
        {
            if group.first().is_some_and(|g| (g.kind, g.epoch) != (asked.kind, asked.epoch)) {
                queue.waiting.push_front(asked);
                break;
            }
            // Whoever left needs no answer.
            if !asked.told.is_closed() {
                group.push(asked);
            }
        }
        if group.is_empty() {
            queue.under_way -= 1;
        }
        group
    }

    async fn answer(&self, group: Vec<Asked>) {
        match self.read(&group).await {
            Ok(found) => {
                for (asked, found) in group.into_iter().zip(found) {
                    let _ = asked.told.send(Ok(found));
                }
            }
            Err(error) => {
                for asked in group {
                    let _ = asked.told.send(Err(the_same(&error)));
                }
            }
        }
    }

    async fn read(&self, group: &[Asked]) -> Result<Vec<Found>> {
        let mut found: Vec<Found> = group.iter().map(|_| Found::default()).collect();
        let Some(first) = group.first() else { return Ok(found) };
        let (kind, epoch) = (first.kind as u8, first.epoch);
        let rows = if group.len() == 1 {
            self.reads.query(BY_KEY, values![kind, epoch, first.digest], sealed).await?
        } else {
            // Places that are left hold the first digest again: it is looked for once.
            let digests = (0..GROUP).map(|n| &group.get(n).unwrap_or(first).digest[..]);
            let mut values = vec![Value::from(kind), Value::from(epoch)];
            values.extend(digests.map(Value::Bytes));
            self.reads.query(BY_KEYS, &values, sealed).await?
        };
        for (digest, id, key_number, sealed) in rows {
            // Two questions at once may be about one citizen.
            for (asked, found) in group.iter().zip(&mut found) {
                if asked.digest == digest {
                    let bytes = sealed.clone();
                    found.records.push(Sealed { id, key_number, bytes });
                }
            }
        }
        if found.iter().any(|f| f.records.is_empty()) {
            let stored = self.reads.optional(EPOCH_IN_FORCE, &[], |r| r.get::<String>(0)).await?;
            let in_force = stored.map_or(Ok(0), |text| text.parse());
            let in_force = in_force.map_err(|_| Error::Damaged("blind.epoch"))?;
            for nothing in found.iter_mut().filter(|f| f.records.is_empty()) {
                nothing.epoch_in_force = Some(in_force);
            }
        }
        Ok(found)
    }
}

type Stored = ([u8; 16], i64, u32, Vec<u8>);

fn sealed(r: &Row<'_>) -> Result<Stored> {
    Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))
}

/// The error for each question of a group.
fn the_same(error: &Error) -> Error {
    match error {
        Error::Engine(fault) => Error::Engine(fault.clone()),
        Error::Damaged(what) => Error::Damaged(what),
        _ => Error::Unavailable("look-up"),
    }
}

/// A place among the groups under way.
struct Place {
    of: Arc<Grouped>,
    held: bool,
}

impl Place {
    /// Sends groups as long as questions wait.
    async fn run(mut self) {
        self.held = true;
        loop {
            let group = self.of.next();
            if group.is_empty() {
                self.held = false;
                return;
            }
            self.of.answer(group).await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.held {
            return;
        }
        // Its group was given up by a fault of the program: who waits is served all the same.
        let mut queue = self.of.queue.lock();
        queue.under_way -= 1;
        if !queue.waiting.is_empty() && tokio::runtime::Handle::try_current().is_ok() {
            self.of.go_on(&mut queue, UNDER_WAY_MAX);
        }
    }
}
