//! The scanner of this centre: a program that reads a file on its standard input (B2, *ours*).
//!
//! **Invariant:** the program is given the file and nothing else: no environment, no folder, no
//! name. **Invariant:** what gave no clear answer in time is undecided, and its processes end.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::sync::Semaphore;

use crate::config::dossiers::DossierConfig;

/// How often it is looked whether the program has ended: a scan takes a second.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What the scanner said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing was found.
    Clean,
    /// Something was.
    Refused,
    /// No answer.
    Undecided,
}

/// The scanner.
pub struct Scanner {
    command: Vec<String>,
    wait: Duration,
    turns: Arc<Semaphore>,
}

impl Scanner {
    /// The scanner of a configuration; none where it names none.
    #[must_use]
    pub fn of(config: &DossierConfig) -> Option<Self> {
        (!config.scanner.is_empty()).then(|| Self {
            command: config.scanner.clone(),
            wait: Duration::from_secs(config.scan_seconds.into()),
            turns: Arc::new(Semaphore::new(config.scans as usize)),
        })
    }

    /// Scans a file. Who waits for a turn longer than a scan may take is undecided too.
    pub async fn scan(&self, bytes: Bytes) -> Verdict {
        let turn = tokio::time::timeout(self.wait, self.turns.clone().acquire_owned()).await;
        let Ok(Ok(_turn)) = turn else { return Verdict::Undecided };
        let running = match Running::start(&self.command, bytes) {
            Ok(running) => running,
            Err(error) => {
                tracing::warn!(error = %error, "the scanner could not be started");
                return Verdict::Undecided;
            }
        };
        match tokio::time::timeout(self.wait, running.ended()).await {
            Ok(Some(status)) if status.code() == Some(0) => Verdict::Clean,
            Ok(Some(status)) if status.code() == Some(1) => Verdict::Refused,
            Ok(ended) => {
                let code = ended.and_then(|status| status.code());
                tracing::warn!(scanner.exit = ?code, "the scanner gave no clear answer");
                Verdict::Undecided
            }
            Err(_) => {
                tracing::warn!(scanner.wait_s = self.wait.as_secs(), "the scanner took too long");
                Verdict::Undecided
            }
        }
    }
}

/// A scan that runs; dropped before its end, its processes are killed.
struct Running {
    child: Child,
    over: bool,
}

impl Running {
    fn start(command: &[String], bytes: Bytes) -> std::io::Result<Self> {
        let (program, arguments) = command.split_first().ok_or(std::io::ErrorKind::NotFound)?;
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            // A program that has seen enough closes its end, which is no fault.
            tokio::task::spawn_blocking(move || drop(input.write_all(&bytes)));
        }
        Ok(Self { child, over: false })
    }

    /// Waits for its end; none where that cannot be told.
    async fn ended(mut self) -> Option<ExitStatus> {
        loop {
            match self.child.try_wait() {
                Ok(None) => tokio::time::sleep(LOOK_EVERY).await,
                Ok(Some(status)) => {
                    self.over = true;
                    return Some(status);
                }
                Err(_) => return None,
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        // Whatever it started stands in its group.
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn said(script: &str, seconds: u32) -> Verdict {
        let scanner = ["/bin/sh", "-c", script].map(str::to_owned).into();
        let config = DossierConfig { scanner, scan_seconds: seconds, ..DossierConfig::default() };
        Scanner::of(&config).unwrap().scan(Bytes::from_static(b"EICAR mau")).await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_exit_decides_and_nothing_else() {
        assert!(Scanner::of(&DossierConfig::default()).is_none());
        assert_eq!(said("cat >/dev/null", 60).await, Verdict::Clean);
        // It is given the bytes, and the environment of nobody.
        let finds = "if grep -q EICAR && [ -z \"$HOME$DANCU_MASTER_KEY\" ]; then exit 1; fi";
        assert_eq!(said(finds, 60).await, Verdict::Refused);
        assert_eq!(said("exit 0", 60).await, Verdict::Clean, "without reading");
        for odd in ["exit 2", "kill -9 $$", "exit 127"] {
            assert_eq!(said(odd, 60).await, Verdict::Undecided, "{odd}");
        }
        // The child of the script holds its input open, and ends with it.
        assert_eq!(said("sleep 1000 & sleep 1000", 1).await, Verdict::Undecided);
    }

    #[tokio::test]
    async fn what_is_no_program_decides_nothing() {
        let config =
            DossierConfig { scanner: vec!["/no/such/scanner".into()], ..DossierConfig::default() };
        let scanner = Scanner::of(&config).unwrap();
        assert_eq!(scanner.scan(Bytes::new()).await, Verdict::Undecided);
    }
}
