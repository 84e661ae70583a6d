//! The simplest thing that keeps entries: one thread, one table, one commit per batch.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use dancu_store::sqlite;

use super::Count;
use crate::machine;

/// WAL pages after which the loop copies back inline: 16 MiB, as the product does in its own
/// thread.
const CHECKPOINT_PAGES: i64 = 4_096;

/// File of the table.
const FILE: &str = "append.db";

/// A table `(idx, blob)` in a file of its own, opened as the store opens its journal: WAL, a full
/// sync at each commit.
pub struct Append {
    path: PathBuf,
    next: i64,
    blob: Vec<u8>,
}

impl Append {
    /// Makes the table; each entry is `bytes` long.
    pub fn create(dir: &Path, bytes: usize) -> anyhow::Result<Self> {
        fs::create_dir_all(dir)?;
        let path = dir.join(FILE);
        let db = sqlite::writer(&path)?;
        db.execute_batch("CREATE TABLE append (idx INTEGER PRIMARY KEY, blob BLOB NOT NULL)")
            .with_context(|| format!("{} is there already", path.display()))?;
        Ok(Self { path, next: 0, blob: (0..bytes).map(|byte| byte as u8).collect() })
    }

    /// Commits batches of `batch` entries for as long as told.
    pub fn round(&mut self, duration: Duration, batch: u64) -> anyhow::Result<Count> {
        let db = sqlite::writer(&self.path)?;
        // The thread copies the WAL back itself, as often as the program does, and begins it anew.
        db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        let cpu = machine::cpu_time(std::process::id())?;
        let begin = Instant::now();
        let mut count = Count::default();
        while begin.elapsed() < duration {
            db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            let mut insert = db.prepare_cached("INSERT INTO append (idx, blob) VALUES ($1, $2)")?;
            for _ in 0..batch {
                self.blob[..8].copy_from_slice(&self.next.to_be_bytes());
                insert.execute((self.next, &self.blob))?;
                self.next += 1;
            }
            db.prepare_cached("COMMIT")?.execute([])?;
            count.entries += batch;
            count.commits += 1;
        }
        count.elapsed = begin.elapsed();
        count.cpu = machine::cpu_time(std::process::id())?.saturating_sub(cpu);
        Ok(count)
    }
}
