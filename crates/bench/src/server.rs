//! The program under test as a child process: started, waited for, stopped or killed.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::http;

/// How often a server that starts or stops is looked at.
const LOOK: Duration = Duration::from_millis(10);
/// A drain that takes longer than this has failed.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// A running `dancu demo`; killed when dropped.
pub struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Starts `binary demo` on a folder; what it prints is added to `log`.
    pub fn start(
        binary: &Path,
        data: &Path,
        log: &Path,
        port: u16,
        population: u64,
        clock: &str,
    ) -> anyhow::Result<Self> {
        let log = File::options().create(true).append(true).open(log)?;
        let child = Command::new(binary)
            .arg("demo")
            .arg("--data")
            .arg(data)
            .args(["--port", &port.to_string(), "--population", &population.to_string()])
            .args(["--clock", clock])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} does not start", binary.display()))?;
        Ok(Self { child, port })
    }

    /// Waits until /readyz answers 200; fails when the process ends before.
    pub async fn ready(&mut self, limit: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("the program ended while starting: {status}");
            }
            if is_ready(self.port).await {
                return Ok(());
            }
            anyhow::ensure!(Instant::now() < end, "not ready after {} s", limit.as_secs());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Ends it as a power failure would: SIGKILL.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end (SIGTERM) and waits until it has; it must end with success.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let end = Instant::now() + STOP_LIMIT;
        loop {
            if let Some(status) = self.child.try_wait()? {
                anyhow::ensure!(status.success(), "after SIGTERM the program ended: {status}");
                return Ok(());
            }
            anyhow::ensure!(Instant::now() < end, "still there {STOP_LIMIT:?} after SIGTERM");
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; nothing is left to do then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the program on this port says that it is ready.
pub async fn is_ready(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let request = http::render("GET", "/readyz", &[("Connection", "close")], "");
    let call = tokio::time::timeout(Duration::from_secs(2), http::call(address, &request));
    matches!(call.await, Ok(Ok(answer)) if answer.status == 200)
}

/// A port nobody listens on.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
