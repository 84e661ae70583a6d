//! Facts of the machine and of processes on it, read from `/proc`, and its clock.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;

/// The machine's time since 1970, which a database's clock is compared with.
pub fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// CPU time of a process so far, user and system, over all its threads, ended ones included.
pub fn cpu_time(pid: u32) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
        .with_context(|| format!("process {pid} is not there"))?;
    time_of(&stat)
}

/// Name and CPU time so far of each thread of this process.
pub fn threads_cpu_time() -> anyhow::Result<Vec<(String, Duration)>> {
    let mut threads = vec![];
    for thread in fs::read_dir("/proc/self/task")? {
        let path = thread?.path();
        // One that ended meanwhile is left out.
        let (name, stat) = (fs::read_to_string(path.join("comm")), path.join("stat"));
        if let (Ok(name), Ok(stat)) = (name, fs::read_to_string(stat)) {
            threads.push((name.trim_end().to_owned(), time_of(&stat)?));
        }
    }
    Ok(threads)
}

fn time_of(stat: &str) -> anyhow::Result<Duration> {
    let ticks = ticks_of(stat).context("/proc/PID/stat has no times")?;
    let per_second = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_secs_f64(ticks as f64 / per_second as f64))
}

/// The second field is the program's name in parentheses and may hold anything, so counting
/// starts after the last parenthesis: state is field 3, utime 14, stime 15.
fn ticks_of(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// One line: processor, cores, memory, kernel.
pub fn describe() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = value_of(&cpuinfo, "model name").unwrap_or("unknown processor");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kibibytes: u64 = value_of(&meminfo, "MemTotal")
        .and_then(|text| text.trim_end_matches(" kB").parse().ok())
        .unwrap_or(0);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{model}, {cores} cores, {} GiB, Linux {}", kibibytes >> 20, kernel.trim())
}

fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim())
}

/// The commit under test: `DANCU_COMMIT`, else git's answer, else "unknown".
pub fn commit() -> String {
    if let Ok(commit) = std::env::var("DANCU_COMMIT") {
        return commit;
    }
    let output = std::process::Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    match output {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => "unknown".to_owned(),
    }
}

/// The command line this process was started with, the program's folder left out.
pub fn command_line() -> String {
    let program = std::env::args().skip(1);
    std::iter::once("dancu-bench".to_owned()).chain(program).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_an_odd_program_name() {
        let stat = "7 (a) b ) S 1 7 7 0 -1 4194560 9 0 0 0 250 50 3 4 20 0 1 0";
        assert_eq!(ticks_of(stat), Some(300));
    }

    #[test]
    fn this_process_has_used_some_time() {
        assert!(cpu_time(std::process::id()).is_ok());
        assert!(cpu_time(u32::MAX).is_err());
        assert!(!threads_cpu_time().unwrap().is_empty());
    }
}
