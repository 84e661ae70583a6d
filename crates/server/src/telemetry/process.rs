//! Facts of the process and its machine: from `/proc` and the kernel's clock, without a crate.

use std::fs;
use std::path::Path;

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

/// Memory in use, in bytes.
pub fn resident_bytes() -> Option<u64> {
    status("/proc/self/status", "VmRSS:").map(|kib| kib * 1024)
}

/// Processor time used by all threads, in seconds.
pub fn cpu_seconds() -> f64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 / 1e9
}

/// Open files and sockets.
pub fn open_files() -> Option<u64> {
    // The look itself opens one.
    Some((fs::read_dir("/proc/self/fd").ok()?.count() as u64).saturating_sub(1))
}

/// How many files and sockets may be open at once; `None` = without limit.
pub fn open_files_max() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// How far the process may raise [`open_files_max`] itself; `None` = without limit.
pub fn open_files_hard_max() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}

/// Threads of the process.
pub fn threads() -> Option<u64> {
    status("/proc/self/status", "Threads:")
}

/// Memory that programs may still take from this machine or container, in bytes.
pub fn available_bytes() -> Option<u64> {
    let machine = status("/proc/meminfo", "MemAvailable:").map(|kib| kib * 1024);
    let number = |path| -> Option<u64> { fs::read_to_string(path).ok()?.trim().parse().ok() };
    let container = number("/sys/fs/cgroup/memory.max")
        .map(|max| max.saturating_sub(number("/sys/fs/cgroup/memory.current").unwrap_or(0)));
    machine.into_iter().chain(container).min()
}

/// The number behind a word in a file of lines.
fn status(path: &str, word: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix(word))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Name and size of the database files in a data folder, sorted; other files are not told.
pub fn database_files(dir: &Path) -> Vec<(String, u64)> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let each = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let ours = [".db", ".db-wal"].iter().any(|end| name.ends_with(end));
        let size = ours.then(|| entry.metadata().ok()).flatten()?.len();
        Some((name, size))
    });
    let mut out: Vec<_> = each.collect();
    out.sort();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_can_be_read() {
        assert!(resident_bytes().unwrap() > 1 << 20);
        assert!(cpu_seconds() >= 0.0);
        assert!(open_files().unwrap() >= 3);
        assert!(open_files_max().is_none_or(|n| n >= 64));
        assert!(threads().unwrap() >= 1);
        assert!(available_bytes().unwrap() > 1 << 20);
    }
}
