//! The side of the ledger: a store in a folder of its own, and tasks that submit to it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use dancu_domain::lines::Outcome;
use dancu_domain::moment::Moment;
use dancu_domain::profile::{DEFAULT_PROFILE, Profiles};
use dancu_store::engine::{Db, Postgres, Settings};
use dancu_store::ledger::Verdict;
use dancu_store::{CORE_FILE, Database, OpenOptions, Store, sqlite};
use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::Count;
use super::draft::Drafts;
use crate::machine;

/// Monday 2 March 2026, 09:00 in Viet Nam: in hours, and far from the end of the duty day.
const BEGIN: Moment = Moment(1_772_416_800_000);
/// Items that one draft gives the indexer: system, account, case, subject.
const ITEMS: u64 = 4;
/// How often the indexer's tail is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How often WAL pages are looked at, as in the program.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(500);
/// Looks until a tail that does not empty is a failure: 20 s.
const LOOKS_MAX: u32 = 1_000;

/// The machine's time, which a database's clock is compared with.
fn clock() -> Moment {
    Moment(machine::since_1970().as_millis() as i64)
}

/// A store with what a round needs.
pub struct LedgerSide {
    store: Arc<Store>,
    /// A connection of its own, to look at what was written.
    db: Mutex<Db>,
    drafts: Arc<Mutex<Drafts>>,
    tasks: usize,
    start: Instant,
}

/// One round of the ledger.
pub struct Round {
    /// Entries, commits, time, CPU.
    pub count: Count,
    /// CPU of the two threads that write.
    pub writer: Duration,
    /// CPU of the indexer.
    pub indexer: Duration,
    /// Items waiting for a search run at the end.
    pub tail_items: u64,
    /// The same in seconds of this round's rate.
    pub lag: f64,
    /// The longest tail of the round, in seconds.
    pub longest_lag: f64,
}

impl LedgerSide {
    /// Opens a store in a new folder, or on an empty database.
    pub fn open(dir: &Path, tasks: usize, database: Option<&str>) -> anyhow::Result<Self> {
        let settings = database.map(Settings::new).transpose()?;
        let profiles = Arc::new(Profiles::parse(DEFAULT_PROFILE)?);
        let options = OpenOptions {
            profiles: profiles.clone(),
            master_key: <_>::default(),
            now: BEGIN,
            migrate: true,
            database: settings.clone().map(|settings| Database {
                settings,
                nodes: 1,
                clock,
                pool: <_>::default(),
            }),
        };
        let store = Arc::new(Store::open(dir, options)?);
        let db = Mutex::new(match settings {
            None => sqlite::reader(&dir.join(CORE_FILE))?.into(),
            Some(settings) => Postgres::connect(&settings)?.into(),
        });
        let drafts = Drafts::new(&profiles, BEGIN, store.ledger().epoch(), tasks as u64);
        let drafts = Arc::new(Mutex::new(drafts));
        Ok(Self { store, db, drafts, tasks, start: Instant::now() })
    }

    /// Average length of an entry as stored.
    pub fn entry_bytes(&self) -> anyhow::Result<usize> {
        let sql = "SELECT CAST(SUM(LENGTH(sealed) + LENGTH(commitments)) / SUM(entries) AS BIGINT) \
                   FROM entry_chunk";
        Ok(self.number(sql)? as usize)
    }

    /// Commits so far: each leaves one row with the request ids of its batch.
    fn commits(&self) -> anyhow::Result<u64> {
        self.number("SELECT COUNT(*) FROM request_batch")
    }

    fn number(&self, sql: &str) -> anyhow::Result<u64> {
        Ok(self.db.lock().tx().one(sql, &[], |r| Ok(r.get::<i64>(0)?.cast_unsigned()))?)
    }

    /// Lets the tasks submit for as long as told.
    pub async fn round(&self, duration: Duration) -> anyhow::Result<Round> {
        let checkpoints = Checkpoints::start(self.store.clone());
        let (first, commits) = (self.store.ledger().next_index(), self.commits()?);
        let before = Cpu::now()?;
        let begin = Instant::now();
        let over = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for _ in 0..self.tasks {
            let (store, drafts) = (self.store.clone(), self.drafts.clone());
            tasks.spawn(submit(store, drafts, self.start, over.clone()));
        }
        let longest = self.watch(begin + duration).await?;
        over.store(true, Ordering::Release);
        while let Some(ended) = tasks.join_next().await {
            ended.context("a task that submits")??;
        }
        let elapsed = begin.elapsed();
        let tail_items = self.store.tail_items()?;
        let after = Cpu::now()?;
        checkpoints.stop()?;
        let entries = self.store.ledger().next_index() - first;
        let commits = self.commits()? - commits;
        ensure!(entries > 0 && commits > 0, "nothing was journaled");
        let cpu = after.process.saturating_sub(before.process);
        let count = Count { entries, commits, elapsed, cpu };
        let per_second = count.per_second() * ITEMS as f64;
        self.settle().await?;
        Ok(Round {
            count,
            writer: after.writer.saturating_sub(before.writer),
            indexer: after.indexer.saturating_sub(before.indexer),
            tail_items,
            lag: tail_items as f64 / per_second,
            longest_lag: longest as f64 / per_second,
        })
    }

    /// Looks at the tail until the time is over; gives the longest.
    async fn watch(&self, end: Instant) -> anyhow::Result<u64> {
        let mut longest = 0;
        while Instant::now() < end {
            tokio::time::sleep(LOOK).await;
            longest = longest.max(self.store.tail_items()?);
        }
        Ok(longest)
    }

    /// Waits until the indexer has nothing left, so that the other side has the machine alone.
    async fn settle(&self) -> anyhow::Result<()> {
        for _ in 0..LOOKS_MAX {
            if self.store.tail_items()? == 0 {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        anyhow::bail!("the indexer's tail does not empty")
    }

    /// Ends the store's threads.
    pub fn stop(&self) {
        self.store.stop();
    }
}

/// One task: the next draft is submitted when the one before is durable.
async fn submit(
    store: Arc<Store>,
    drafts: Arc<Mutex<Drafts>>,
    start: Instant,
    over: Arc<AtomicBool>,
) -> anyhow::Result<()> {
    while !over.load(Ordering::Acquire) {
        let draft = drafts.lock().next(start.elapsed().as_millis() as i64);
        let verdict = store.ledger().submit(draft).await?;
        let accepted = matches!(&verdict, Verdict::Settled(settled)
            if matches!(settled.outcome, Some(Outcome::Accepted { .. })));
        ensure!(accepted, "a draft came back as {verdict:?}");
    }
    Ok(())
}

/// CPU so far: of the process, of the ledger's writer, of the indexer.
struct Cpu {
    process: Duration,
    writer: Duration,
    indexer: Duration,
}

impl Cpu {
    fn now() -> anyhow::Result<Self> {
        let threads = machine::threads_cpu_time()?;
        let of = |name: &str| -> Duration {
            let named = threads.iter().filter(|(thread, _)| thread == name);
            named.map(|(_, time)| *time).sum()
        };
        Ok(Self {
            process: machine::cpu_time(std::process::id())?,
            writer: of("ledger") + of("ledger-commit"),
            indexer: of("indexer"),
        })
    }
}

/// A thread that copies WAL pages back now and then, until it is told to stop.
struct Checkpoints {
    stopped: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<anyhow::Result<()>>,
}

impl Checkpoints {
    fn start(store: Arc<Store>) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let told = stopped.clone();
        let thread = std::thread::spawn(move || {
            loop {
                std::thread::park_timeout(CHECKPOINT_EVERY);
                if told.load(Ordering::Acquire) {
                    return Ok(());
                }
                store.checkpoint()?;
            }
        });
        Self { stopped, thread }
    }

    fn stop(self) -> anyhow::Result<()> {
        self.stopped.store(true, Ordering::Release);
        self.thread.thread().unpark();
        self.thread.join().map_err(|_| anyhow::anyhow!("the checkpoint thread panicked"))?
    }
}
