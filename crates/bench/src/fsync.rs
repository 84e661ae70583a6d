//! What the disk itself takes: bare appends of one block, each followed by fdatasync.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;

use crate::histogram::Histogram;

/// One append, in bytes: a page of the file system.
const BLOCK: usize = 4096;
/// Upper limit of samples: 400 MB on the disk.
const MAX_SAMPLES: usize = 100_000;

/// Appends `samples` blocks of 4 KiB in a file of `dir` that was written once beforehand, so
/// that no sync has to allocate, and gives the time of each write + fdatasync.
pub fn measure(dir: &Path, samples: usize) -> anyhow::Result<Histogram> {
    let samples = samples.clamp(1, MAX_SAMPLES);
    let path = dir.join(format!("fdatasync-{}.probe", std::process::id()));
    let result = append(&path, samples).with_context(|| format!("probe in {}", dir.display()));
    // The probe goes whatever happened; the failure to measure is the one worth telling.
    let removed = fs::remove_file(&path);
    let histogram = result?;
    removed?;
    Ok(histogram)
}

fn append(path: &Path, samples: usize) -> anyhow::Result<Histogram> {
    let file = File::options().create_new(true).write(true).open(path)?;
    let zeros = vec![0_u8; BLOCK];
    for index in 0..samples {
        file.write_all_at(&zeros, (index * BLOCK) as u64)?;
    }
    file.sync_all()?;
    let mut histogram = Histogram::default();
    for index in 0..samples {
        let block = vec![index as u8 | 1; BLOCK];
        let start = Instant::now();
        file.write_all_at(&block, (index * BLOCK) as u64)?;
        file.sync_data()?;
        histogram.record(start.elapsed());
    }
    Ok(histogram)
}
