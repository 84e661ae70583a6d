//! The ledger: counts and journal in one transaction, in batches (architecture, step 4).
//!
//! Jobs queue up while a commit is under way and form the next batch, so that the cost of bringing
//! a batch to disk is shared. A batch has two stages: `prepare` counts and seals in memory, and
//! `commit` brings it to disk. Small batches go through both in one thread; while a large one is
//! on its way to the disk the next is prepared on top of it. **Invariant:** no caller is woken
//! before its entry is durable. **Invariant:** a failed commit leaves counts, index and memory as
//! they were, and fails what was counted on top of it.

mod changes;
mod commit;
mod counts;
pub mod figures;
pub(crate) mod follow;
pub mod health;
mod nodes;
mod prepare;
mod rows;
mod writer;

use std::sync::Arc;

use dancu_domain::lines::{Intent, Lines, Outcome};
use dancu_domain::moment::Moment;
use dancu_domain::profile::Profiles;
use dancu_domain::refusal::Refusal;
use dancu_journal::Body;
use parking_lot::{Condvar, Mutex, RwLock};
use tokio::sync::{mpsc, oneshot};

pub use self::counts::Counts;
use self::follow::Seen;
use crate::engine::{Db, Engine, Tx};
use crate::error::{Error, Result};
use crate::keys::Keyring;
use crate::requests::{HeaderUse, InFlight, RequestItem, RequestMemory};
use crate::search::Tail;

/// Entries of one commit at most: 1,024 × ~0.6 KB keeps a batch below 1 MiB of WAL and a few ms.
pub const BATCH_MAX: usize = 1_024;
/// Under load the writer waits at most this long after a commit for as many jobs as the batch
/// before had: a commit costs as much CPU as the rest of two queries, and a sixth of the 3 ms that
/// a reply may take beyond the disk is spent on sharing it. A lone query never waits.
pub const GATHER: std::time::Duration = std::time::Duration::from_micros(500);
/// After a batch of this size the next is given time to grow by half: many callers wait at once,
/// and each commit less saves CPU. Below it the latency counts.
pub const SMALL: usize = 16;
/// A batch of this size is not made to wait.
pub const GATHER_UNTIL: usize = 256;
/// A batch of this size or more is committed by the second stage's thread while the next one is
/// prepared. Overlapping halves the batches: below this size the commits that come of it cost more
/// CPU than the overlap gains time (measured at 64 and 256 callers).
pub const HAND_OVER: usize = 512;
/// Jobs that may wait: at 5,000/s this is 1.6 s of a stalled disk; more are refused with 503.
pub const QUEUE_MAX: usize = 8_192;
/// Entries after which the checkpoint thread copies back: about 16 MiB of WAL.
pub const CHECKPOINT_ENTRIES: u64 = 16_384;
/// Days of counts kept in memory and file: today, yesterday and the days a late arrival may name.
pub const COUNT_DAYS_KEPT: i32 = 3;

/// A decided question on its way into the journal.
pub struct Draft {
    /// The entry without index, time and what settling finds out; its body is [`Body::Query`].
    pub query: Box<dancu_journal::Query>,
    /// Time of arrival.
    pub arrival: Moment,
    /// Policy epoch of the snapshot that decided.
    pub epoch: u64,
    /// What was decided.
    pub decided: Decided,
    /// Keyed digest of system and request id; zero = none.
    pub request_key: [u8; 16],
    /// What [`RequestMemory::answered`] said of the key when it was decided: where another node has
    /// answered meanwhile, it is decided again.
    pub answered: Option<u64>,
    /// The SOAP header that the question used up; the body of `query` is what it is bound to.
    pub header: Option<Box<HeaderUse>>,
    /// Holds the request id until the entry is settled, even if the caller leaves.
    pub guard: Option<Arc<InFlight>>,
    /// Digests by which the entry is found: system, account, case; subjects stand in the entry.
    pub search: Vec<(u8, [u8; 16])>,
}

/// What a decision left to be settled.
#[derive(Clone, Copy, Debug)]
pub enum Decided {
    /// Refused before the count was looked at.
    Refused(Refusal),
    /// To be counted.
    Count(Intent),
    /// To be counted; where there is no room it is held instead of refused (jobs, D5).
    Hold(Intent),
    /// Nothing was asked: only the SOAP header is used up, and no entry made.
    HeaderOnly,
}

/// A journaled question.
#[derive(Clone, Copy, Debug)]
pub struct Settled {
    /// Index of its entry.
    pub index: u64,
    /// Random part of its correlation id.
    pub nonce: [u8; 8],
    /// Journaled time.
    pub at: Moment,
    /// Counted, or refused late.
    pub outcome: Option<Outcome>,
}

/// What a submitted draft comes back as.
#[derive(Clone, Copy, Debug)]
pub enum Verdict {
    /// Journaled and durable.
    Settled(Settled),
    /// There is no room for a question that may be held: nothing was counted or journaled.
    Held(dancu_domain::refusal::Reason),
    /// There is room although the registry was not read: read it and submit again.
    ReadFirst,
    /// The policy changed since the snapshot, or another node answered the same request id: load
    /// what changed anew and decide again. Nothing was journaled.
    Stale,
    /// Another node journaled the SOAP header with another body: its sender has proved nothing.
    /// Nothing was journaled.
    Replayed,
    /// The SOAP header is durable as used, without an entry.
    HeaderUsed,
}

/// Where a caller waits.
type Waiter = oneshot::Sender<Result<Verdict>>;
/// Callers of one batch with what they are told.
type Replies = Vec<(Waiter, Result<Verdict>)>;

/// A task inside the runtime that wakes the callers of a batch: one wake crosses threads per
/// batch, not one per query.
fn spawn_waker() -> mpsc::UnboundedSender<Replies> {
    let (sender, mut receiver) = mpsc::unbounded_channel::<Replies>();
    tokio::spawn(async move {
        while let Some(replies) = receiver.recv().await {
            wake(replies);
        }
    });
    sender
}

fn wake(replies: Replies) {
    for (waiter, verdict) in replies {
        // A caller that is gone needs no answer; its entry stands all the same.
        let _ = waiter.send(verdict);
    }
}

/// What an act of the ledger does in its transaction, and what it journals.
type ActFn = Box<dyn FnOnce(&mut Tx<'_>, &mut Counts<'_>) -> Result<Option<Body>> + Send>;

enum Job {
    Draft(Draft, Waiter),
    Act(Moment, bool, ActFn, oneshot::Sender<Result<u64>>),
}

struct Queue {
    jobs: Vec<Job>,
    stopped: bool,
    /// The writer sleeps until a batch has gathered: the first job need not wake it.
    gathering: bool,
    /// Jobs that end the gathering.
    enough: usize,
}

/// What the writer thread and its callers share.
struct Shared {
    queue: Mutex<Queue>,
    work: Condvar,
    lines: RwLock<Lines>,
    replies: std::sync::OnceLock<mpsc::UnboundedSender<Replies>>,
    epoch: std::sync::atomic::AtomicU64,
    head: std::sync::atomic::AtomicU64,
    /// A checkpoint has copied what there was: the writer copies the rest.
    checkpointed: std::sync::atomic::AtomicBool,
    figures: figures::Counters,
    health: health::Health,
    /// What was seen in a history that the database does not have any more.
    lost: Mutex<Option<Seen>>,
    /// How often the writer connected to its database.
    connections: std::sync::atomic::AtomicU64,
}

/// The ledger's door: submit drafts, act, look at counts.
pub struct Ledger {
    shared: Arc<Shared>,
    threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
}

/// Fails every caller where a thread of the ledger ends by a panic: nobody waits for a reply that
/// cannot come.
struct Guard {
    shared: Arc<Shared>,
    committer: Arc<commit::Committer>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let abandoned = {
                let mut queue = self.shared.queue.lock();
                queue.stopped = true;
                std::mem::take(&mut queue.jobs)
            };
            // Callers whose place is dropped learn that nothing was journaled.
            drop(abandoned);
            self.committer.abandon();
            self.shared.work.notify_all();
        }
    }
}

/// What the writer needs besides its database.
pub struct LedgerParts {
    /// Keys of journal, salts.
    pub keys: Arc<Keyring>,
    /// The profile's versions.
    pub profiles: Arc<Profiles>,
    /// Answered requests.
    pub requests: Arc<RequestMemory>,
    /// What is not yet in a search run; none on PostgreSQL, where it is read from the journal.
    pub tail: Option<Arc<Tail>>,
    /// The machine's clock, compared with the database's while the ledger runs; none on SQLite.
    pub clock: Option<fn() -> Moment>,
}

impl LedgerParts {
    /// Takes over SOAP headers as they are loaded, the newest first.
    fn bind(&self, headers: &[RequestItem]) {
        if let Some(clock) = self.clock {
            self.requests.bind(headers.iter().rev(), clock().0);
        }
    }
}

/// Makes the head where there is none and locks it for the transaction, in which nobody else then
/// makes keys or entries.
pub(crate) fn lock(tx: &mut Tx<'_>) -> Result<()> {
    rows::make_head(tx)?;
    rows::lock_head(tx)?;
    Ok(())
}

impl Ledger {
    /// Loads counts, head and answered requests, and starts the writer thread. Also gives the SOAP
    /// headers that still count as used.
    pub fn start(mut db: Db, parts: LedgerParts) -> Result<(Self, Vec<RequestItem>)> {
        let (head, id, lines, headers) = db.read(|tx| {
            let head = rows::head(tx)?;
            let id = rows::id_of(tx, head.generation)?;
            let lines = rows::load(tx, head.last_at, &parts.profiles)?;
            Ok((head, id, lines, crate::requests::load(tx, &parts.requests, &parts.profiles, 0)?))
        })?;
        let seen = follow::Seen { generation: head.generation, id };
        let nodes = db.engine() == Engine::Postgres;
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue { jobs: vec![], stopped: false, gathering: false, enough: 0 }),
            work: Condvar::new(),
            lines: RwLock::new(lines),
            replies: std::sync::OnceLock::new(),
            epoch: head.policy_epoch.into(),
            head: head.next_index.into(),
            checkpointed: false.into(),
            figures: figures::Counters::default(),
            health: health::Health::default(),
            lost: Mutex::default(),
            connections: 0.into(),
        });
        let committer = Arc::new(commit::Committer::new(db, shared.clone(), &parts));
        let seen = nodes.then_some(seen);
        let writer = writer::Writer::new(committer.clone(), parts, shared.clone(), head, seen);
        let named = |name: &str| std::thread::Builder::new().name(name.into());
        let guard = || Guard { shared: shared.clone(), committer: committer.clone() };
        let (first, second) = (guard(), guard());
        let stage = committer.clone();
        let threads = vec![
            named("ledger").spawn(move || {
                let _guard = first;
                writer.run();
            })?,
            named("ledger-commit").spawn(move || {
                let _guard = second;
                stage.run();
            })?,
        ];
        Ok((Self { shared, threads: Mutex::new(threads) }, headers))
    }

    /// Journals a draft; the future is ready when its entry is durable. The draft is queued by the
    /// call itself, so that the future holds nothing but the place for the verdict.
    pub fn submit(&self, draft: Draft) -> impl Future<Output = Result<Verdict>> + use<> {
        self.shared.replies.get_or_init(spawn_waker);
        let (sender, receiver) = oneshot::channel();
        let pushed = self.push(Job::Draft(draft, sender));
        async move {
            pushed?;
            receiver.await.map_err(|_| Error::Unavailable("writer stopped"))?
        }
    }

    /// Runs a change of policy or locks with its journal entry in one transaction, raising the
    /// policy epoch: what is decided over an older snapshot is decided again. Returns the index.
    pub async fn act(
        &self,
        at: Moment,
        change: impl FnOnce(&mut Tx<'_>, &mut Counts<'_>) -> Result<Body> + Send + 'static,
    ) -> Result<u64> {
        self.run(at, true, Box::new(move |tx, counts| change(tx, counts).map(Some))).await
    }

    /// Journals something that changes no policy; the policy epoch stays.
    pub async fn note(
        &self,
        at: Moment,
        change: impl FnOnce(&mut Tx<'_>) -> Result<Body> + Send + 'static,
    ) -> Result<u64> {
        self.run(at, false, Box::new(move |tx, _| change(tx).map(Some))).await
    }

    /// The same where only the change itself finds out whether there is anything to journal.
    pub async fn attempt(
        &self,
        at: Moment,
        change: impl FnOnce(&mut Tx<'_>) -> Result<Option<Body>> + Send + 'static,
    ) -> Result<()> {
        self.run(at, false, Box::new(move |tx, _| change(tx))).await.map(drop)
    }

    /// Runs a small write that nobody needs to hear of, such as forgetting what is out of date.
    pub async fn tidy(
        &self,
        at: Moment,
        change: impl FnOnce(&mut Tx<'_>) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        self.run(at, false, Box::new(move |tx, _| change(tx).map(|()| None))).await?;
        Ok(())
    }

    async fn run(&self, at: Moment, policy: bool, change: ActFn) -> Result<u64> {
        let (sender, receiver) = oneshot::channel();
        self.push(Job::Act(at, policy, change, sender))?;
        receiver.await.map_err(|_| Error::Unavailable("writer stopped"))?
    }

    /// Looks at the counts. They may be a commit ahead: only a settled outcome binds.
    pub fn lines<T>(&self, look: impl FnOnce(&Lines) -> T) -> T {
        look(&self.shared.lines.read())
    }

    /// The policy epoch in force.
    pub fn epoch(&self) -> u64 {
        self.shared.epoch.load(std::sync::atomic::Ordering::Acquire)
    }

    /// Tells the writer that a checkpoint copied nearly everything back.
    pub(crate) fn checkpointed(&self) {
        self.shared.checkpointed.store(true, std::sync::atomic::Ordering::Release);
    }

    /// Whether queries can be journaled: see [`Ledger::trouble`].
    pub fn is_well(&self) -> bool {
        self.trouble().is_none()
    }

    /// Why nothing can be journaled now; `None` where nothing is known to stand in the way. A stall
    /// is only seen where [`Ledger::measure`] was given a clock.
    pub fn trouble(&self) -> Option<health::Trouble> {
        self.shared.health.trouble()
    }

    /// Whether a thread of the ledger ended by a panic: nothing is journaled any more until the
    /// process is started anew.
    pub fn is_dead(&self) -> bool {
        self.shared.health.is_dead()
    }

    /// How often the ledger connected to its server; 0 on SQLite. With each new connection it may
    /// be another server.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(std::sync::atomic::Ordering::Acquire)
    }

    /// The database was found to be an older copy of what it was: nothing is journaled any more.
    pub(crate) fn stop_for_older_copy(&self) {
        self.shared.health.set_older_copy();
        self.stop();
    }

    /// What was seen in a history that the database does not have any more, where that stopped the
    /// ledger.
    pub(crate) fn lost(&self) -> Option<Seen> {
        *self.shared.lost.lock()
    }

    /// The next journal index.
    pub fn next_index(&self) -> u64 {
        self.shared.head.load(std::sync::atomic::Ordering::Acquire)
    }

    /// Times commits by this steady clock from now on, for [`Ledger::figures`].
    pub fn measure(&self, steady: fn() -> std::time::Instant) {
        self.shared.figures.measure(steady);
        self.shared.health.measure(steady);
    }

    /// What was counted since the start, and what waits now: for metrics.
    pub fn figures(&self) -> figures::LedgerFigures {
        let queued = self.shared.queue.lock().jobs.len();
        self.shared.figures.figures(queued)
    }

    /// Takes no more work, finishes what waits, ends the thread.
    pub fn stop(&self) {
        self.shared.queue.lock().stopped = true;
        self.shared.work.notify_all();
        for thread in std::mem::take(&mut *self.threads.lock()) {
            let _ = thread.join();
        }
    }

    fn push(&self, job: Job) -> Result<()> {
        let mut queue = self.shared.queue.lock();
        if queue.stopped {
            return Err(Error::Unavailable("stopping"));
        }
        if queue.jobs.len() >= QUEUE_MAX {
            return Err(Error::Unavailable("queue full"));
        }
        queue.jobs.push(job);
        let wakes = match queue.jobs.len() {
            1 => !queue.gathering,
            n => queue.gathering && n == queue.enough,
        };
        drop(queue);
        if wakes {
            self.shared.work.notify_one();
        }
        Ok(())
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.stop();
    }
}
