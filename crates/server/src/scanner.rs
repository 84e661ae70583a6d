//! The scanner of this centre: a program that reads a file on its standard input (B2, *ours*).
//!
//! **Invariant:** the program is given the file and nothing else: no environment, no folder, no
//! name. **Invariant:** what gave no clear answer in time is undecided. **Invariant:** with the
//! answer its processes end, and nothing waits for who keeps its input open.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe::Sender;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

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

/// A scan that runs; with its end, or dropped before, its processes are killed and its input is
/// closed, whoever holds the other end of it.
struct Running {
    child: Child,
    feeding: Option<JoinHandle<()>>,
    over: bool,
}

impl Running {
    fn start(command: &[String], bytes: Bytes) -> std::io::Result<Self> {
        let (program, arguments) = command.split_first().ok_or(std::io::ErrorKind::NotFound)?;
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut running = Self { child, feeding: None, over: false };
        if let Some(input) = running.child.stdin.take() {
            // What nobody reads waits in a task, which can be ended; a thread could not.
            let mut input = Sender::from_owned_fd(input.into())?;
            running.feeding = Some(tokio::spawn(async move {
                // A program that has seen enough closes its end, which is no fault.
                let _ = input.write_all(&bytes).await;
            }));
        }
        Ok(running)
    }

    /// Waits for its end; none where that cannot be told.
    async fn ended(mut self) -> Option<ExitStatus> {
        // Its number, and so its group's, is nobody else's before its status is taken.
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        while waitid(WaitId::Pid(Pid::from_child(&self.child)), look).ok()?.is_none() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self.end()
    }

    /// Kills what is left of it; how the program itself ended.
    fn end(&mut self) -> Option<ExitStatus> {
        if !self.over {
            self.over = true;
            // Whatever it started stands in its group.
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        }
        if let Some(feeding) = self.feeding.take() {
            feeding.abort();
        }
        self.child.wait().ok()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    use super::*;

    async fn said(script: &str, seconds: u32) -> Verdict {
        says(script, seconds, Bytes::from_static(b"EICAR mau")).await
    }

    async fn says(script: &str, seconds: u32, bytes: Bytes) -> Verdict {
        let scanner = ["/bin/sh", "-c", script].map(str::to_owned).into();
        let config = DossierConfig { scanner, scan_seconds: seconds, ..DossierConfig::default() };
        Scanner::of(&config).unwrap().scan(bytes).await
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
        assert_eq!(said("sleep 1000 & sleep 1000", 1).await, Verdict::Undecided);
    }

    /// The child of a script holds its input open, reads nothing of a file that no pipe takes
    /// whole, and ends with the script. Were it left, neither its end nor the test's would come.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_a_scan_leaves_behind_ends_with_it() {
        let name = format!("dancu-scanner-{}", std::process::id());
        let held = std::env::temp_dir().join(name);
        assert!(Command::new("mkfifo").arg(&held).status().unwrap().success());
        let nonblock = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let open = std::fs::OpenOptions::new().read(true).custom_flags(nonblock).open(&held);
        let mut end = open.unwrap();
        let script = format!("exec 9>{}; sleep 1000 <&0 & ", held.display());
        let file = Bytes::from(vec![7; 1 << 20]);
        for (then, seconds, verdict) in
            [("exit 0", 60, Verdict::Clean), ("sleep 1000", 1, Verdict::Undecided)]
        {
            let script = format!("{script}{then}");
            assert_eq!(says(&script, seconds, file.clone()).await, verdict, "{then}");
            while end.read(&mut [0]).is_err() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
        std::fs::remove_file(&held).unwrap();
    }

    #[tokio::test]
    async fn what_is_no_program_decides_nothing() {
        let config =
            DossierConfig { scanner: vec!["/no/such/scanner".into()], ..DossierConfig::default() };
        let scanner = Scanner::of(&config).unwrap();
        assert_eq!(scanner.scan(Bytes::new()).await, Verdict::Undecided);
    }
}
