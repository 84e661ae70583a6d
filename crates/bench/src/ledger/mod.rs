//! The ledger alone beside a loop that only appends: same disk, same run, taking turns.
//!
//! The ledger side counts on lines and accounts, encrypts, commits itself to salted hashes and
//! feeds the search; the other side writes blobs of the same length, in batches of the size that
//! the ledger's commits had on average.

mod append;
mod draft;
mod side;

use std::path::PathBuf;
use std::time::Duration;

use append::Append;
use side::{LedgerSide, Round};

/// Length of the unmeasured round that shows the size of batch and entry.
const WARM_UP: Duration = Duration::from_secs(1);

/// What to do.
pub struct LedgerPlan {
    /// Folder on the disk to measure; a folder of this run is made in it and removed afterwards.
    pub dir: PathBuf,
    /// URL of an empty PostgreSQL database that holds the ledger instead of the folder.
    pub database: Option<String>,
    /// Length of one round.
    pub round: Duration,
    /// Rounds per side and number of tasks.
    pub rounds: u32,
    /// Numbers of tasks that submit, one run each.
    pub tasks: Vec<usize>,
}

/// What a side did in its rounds.
#[derive(Clone, Copy, Default)]
pub struct Count {
    /// Entries that are durable.
    pub entries: u64,
    /// Transactions that brought them there.
    pub commits: u64,
    /// Time of all rounds.
    pub elapsed: Duration,
    /// CPU of this process, user and system, over all threads.
    pub cpu: Duration,
}

impl Count {
    /// Entries per second.
    pub fn per_second(&self) -> f64 {
        self.entries as f64 / self.elapsed.as_secs_f64()
    }

    /// Entries of one commit on average.
    pub fn batch(&self) -> f64 {
        self.entries as f64 / self.commits as f64
    }

    fn micros(&self, cpu: Duration) -> f64 {
        cpu.as_secs_f64() * 1e6 / self.entries as f64
    }

    fn add(&mut self, other: &Self) {
        self.entries += other.entries;
        self.commits += other.commits;
        self.elapsed += other.elapsed;
        self.cpu += other.cpu;
    }
}

/// The figures of one number of tasks.
pub struct Figures {
    /// Tasks that submitted.
    pub tasks: usize,
    /// The ledger's rounds.
    pub ledger: Count,
    /// The append loop's rounds.
    pub append: Count,
    /// Entries per second, ledger over append, of each pair of rounds.
    pub pairs: Vec<f64>,
    /// CPU of the writer thread and of the indexer.
    pub writer: Duration,
    /// See `writer`.
    pub indexer: Duration,
    /// Items that waited for a search run when the last round ended.
    pub tail_items: u64,
    /// The longest the tail got, in seconds of the round's own rate.
    pub longest_lag: f64,
    /// The tail at the end of the last round, in seconds.
    pub lag: f64,
}

impl Figures {
    /// Entries per second of the ledger over those of the loop.
    pub fn ratio(&self) -> f64 {
        self.ledger.per_second() / self.append.per_second()
    }

    /// Three lines of text.
    pub fn lines(&self) -> String {
        let (ledger, append) = (&self.ledger, &self.append);
        let low = self.pairs.iter().copied().fold(f64::INFINITY, f64::min);
        let high = self.pairs.iter().copied().fold(0.0, f64::max);
        format!(
            "| {} | ledger | {:.0} | {:.1} | {:.1} | {:.2} ({low:.2}–{high:.2}) |\n\
             | | append | {:.0} | {:.1} | {:.1} | |\n\
             | | writer {:.1} µs, indexer {:.1} µs of CPU per entry; tail at the end {} items \
             = {:.2} s, longest {:.2} s | | | | |",
            self.tasks,
            ledger.per_second(),
            ledger.batch(),
            ledger.micros(ledger.cpu),
            self.ratio(),
            append.per_second(),
            append.batch(),
            append.micros(append.cpu),
            ledger.micros(self.writer),
            ledger.micros(self.indexer),
            self.tail_items,
            self.lag,
            self.longest_lag,
        )
    }

    fn add(&mut self, ledger: &Round, append: &Count) {
        self.pairs.push(ledger.count.per_second() / append.per_second());
        self.ledger.add(&ledger.count);
        self.append.add(append);
        self.writer += ledger.writer;
        self.indexer += ledger.indexer;
        self.tail_items = ledger.tail_items;
        self.lag = ledger.lag;
        self.longest_lag = self.longest_lag.max(ledger.longest_lag);
    }
}

/// Runs all rounds, printing the table.
pub async fn measure(plan: &LedgerPlan) -> anyhow::Result<Vec<Figures>> {
    anyhow::ensure!(plan.rounds > 0 && !plan.tasks.is_empty(), "nothing to measure");
    let folder = plan.dir.join(format!("ledger-{}.bench", std::process::id()));
    let result = measure_in(plan, &folder).await;
    // The folder goes whatever happened; the failure to measure is the one worth telling.
    let removed = std::fs::remove_dir_all(&folder);
    let figures = result?;
    removed?;
    Ok(figures)
}

async fn measure_in(plan: &LedgerPlan, folder: &std::path::Path) -> anyhow::Result<Vec<Figures>> {
    println!(
        "| tasks | side | entries/s | entries/commit | CPU µs/entry | ratio (pairs) |\n\
         |--:|---|--:|--:|--:|--:|"
    );
    let mut all = vec![];
    for tasks in &plan.tasks {
        let folder = folder.join(tasks.to_string());
        let side = LedgerSide::open(&folder.join("data"), *tasks, plan.database.as_deref())?;
        let warm = side.round(WARM_UP).await?;
        let mut batch = (warm.count.batch().round() as u64).max(1);
        let mut append = Append::create(&folder, side.entry_bytes()?)?;
        append.round(WARM_UP, batch)?;
        let mut figures = Figures {
            tasks: *tasks,
            ledger: Count::default(),
            append: Count::default(),
            pairs: vec![],
            writer: Duration::ZERO,
            indexer: Duration::ZERO,
            tail_items: 0,
            longest_lag: 0.0,
            lag: 0.0,
        };
        for number in 0..plan.rounds {
            let (ledger, appended);
            if number % 2 == 0 {
                ledger = side.round(plan.round).await?;
                batch = (ledger.count.batch().round() as u64).max(1);
                appended = append.round(plan.round, batch)?;
            } else {
                appended = append.round(plan.round, batch)?;
                ledger = side.round(plan.round).await?;
                batch = (ledger.count.batch().round() as u64).max(1);
            }
            figures.add(&ledger, &appended);
        }
        side.stop();
        println!("{}", figures.lines());
        all.push(figures);
    }
    Ok(all)
}
