//! The table of governed verification against an empty handler of the same stack.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use parking_lot::Mutex;

use crate::demo::{Caller, Demo};
use crate::empty::EmptyServer;
use crate::http::{self, Answer};
use crate::load::{self, Arrivals, LoadPlan, LoadReport};
use crate::report::{ClosedPair, Disk, Figures, OpenPair, ProtocolFigures, Row, millis};
use crate::requests::{self, Expect, RequestIds, RequestSet};
use crate::{fsync, machine};

/// Before anything is measured, each handler is kept busy this long.
const WARM_UP: Duration = Duration::from_secs(1);
/// SOAP stamps computed ahead of a round, per second of it.
const STAMPS_PER_SECOND: u64 = 10_000;
/// What the program may add to two waits for the disk.
const OWN_SHARE_MILLIS: f64 = 3.0;
/// Citizens taken from a CSV file: some 15 MB of prepared requests.
pub const MAX_CITIZENS: usize = 20_000;

/// What to measure.
pub struct VerifyPlan {
    /// `demo.json`; its folder is on the disk that is measured.
    pub demo_json: PathBuf,
    /// More citizens than it names, if wanted.
    pub citizens: Option<PathBuf>,
    /// The program's process.
    pub server_pid: u32,
    /// The calling system.
    pub system: String,
    /// Protocols, in order.
    pub protocols: Vec<Protocol>,
    /// Numbers of connections of the closed loops; the open loop takes the largest.
    pub connections: Vec<usize>,
    /// Length of one closed-loop round.
    pub round: Duration,
    /// Rounds per number of connections and handler.
    pub rounds: u32,
    /// Arrivals of the open loop, per second.
    pub arrivals: Arrivals,
    /// Length of the open loop.
    pub open: Duration,
    /// Appends in each measurement of the disk.
    pub disk_samples: usize,
    /// Seed of random arrivals.
    pub seed: u64,
    /// The build profile of the program, for the record.
    pub profile: String,
}

/// How the program is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `POST /api/v1/citizens/verify`.
    Rest,
    /// `XacThucThongTinCongDan`.
    Soap,
}

/// Measures; fails at the first answer that is not what it must be.
pub async fn measure(plan: &VerifyPlan) -> anyhow::Result<Figures> {
    let bench = Bench::new(plan)?;
    let mut protocols = Vec::new();
    for protocol in &plan.protocols {
        protocols.push(bench.protocol(*protocol).await?);
    }
    let open = plan.open.as_secs_f64();
    let kind = if matches!(plan.arrivals, Arrivals::Poisson(_)) { "Poisson" } else { "even" };
    Ok(Figures {
        commit: machine::commit(),
        machine: machine::describe(),
        command: machine::command_line(),
        profile: plan.profile.clone(),
        load: format!(
            "First table: closed loop, {} rounds of {} s per row, handlers taking turns, \
             unpinned, generator on the same machine. Second table: open loop, {kind} arrivals \
             for {open} s, latency from the moment a request was due.",
            plan.rounds,
            plan.round.as_secs_f64()
        ),
        protocols,
    })
}

/// Reads `demo.json` and, where given, the file with more citizens.
pub fn read_demo(demo_json: &Path, citizens: Option<&Path>) -> anyhow::Result<Demo> {
    let mut demo = Demo::read(demo_json)?;
    if let Some(path) = citizens {
        demo.citizens_from_csv(path, MAX_CITIZENS)?;
    }
    Ok(demo)
}

/// One call beforehand: its answer must be right, and shows the length to imitate.
pub async fn probe(address: SocketAddr, set: &mut RequestSet) -> anyhow::Result<Answer> {
    let mut request = Vec::new();
    let id = set.render(&mut request).context("no request to send")?;
    let answer = http::call(address, &request).await?;
    if answer.status != 200 || !set.expect.holds(&answer.body, &id) {
        bail!("HTTP {}: {}", answer.status, answer.excerpt());
    }
    Ok(answer)
}

/// The report, if every answer was right.
pub fn clean(report: LoadReport, name: &str) -> anyhow::Result<LoadReport> {
    if report.is_clean() {
        return Ok(report);
    }
    let row = Row::of(&report).lines();
    bail!("{name}: {}\n{row}", report.first_wrong.as_deref().unwrap_or("answers are missing"))
}

/// A server with the requests for it.
struct Side {
    name: &'static str,
    address: SocketAddr,
    pid: u32,
    set: Arc<Mutex<RequestSet>>,
}

struct Bench<'a> {
    plan: &'a VerifyPlan,
    demo: Demo,
    caller: Caller,
}

impl<'a> Bench<'a> {
    fn new(plan: &'a VerifyPlan) -> anyhow::Result<Self> {
        anyhow::ensure!(!plan.connections.is_empty() && plan.rounds > 0, "nothing to measure");
        let demo = read_demo(&plan.demo_json, plan.citizens.as_deref())?;
        let caller = demo.caller(&plan.system)?;
        Ok(Self { plan, demo, caller })
    }

    async fn requests(&self, protocol: Protocol) -> anyhow::Result<RequestSet> {
        let ids = RequestIds::of_now();
        match protocol {
            Protocol::Rest => {
                let token = self.demo.token(&self.caller.system).await?;
                Ok(requests::rest_verify(&self.demo, &self.caller, &token, ids))
            }
            Protocol::Soap => requests::soap_verify(&self.demo, &self.caller, ids),
        }
    }

    async fn protocol(&self, protocol: Protocol) -> anyhow::Result<ProtocolFigures> {
        let (name, url) = match protocol {
            Protocol::Rest => ("REST", &self.demo.base_url),
            Protocol::Soap => ("SOAP", &self.demo.soap_url),
        };
        let (address, _) = http::local_address(url)?;
        let mut set = self.requests(protocol).await?;
        let answer = probe(address, &mut set).await.with_context(|| name.to_owned())?;
        let server = EmptyServer::start(answer.body.len(), &answer.content_type)?;
        let mut empty_set = self.requests(protocol).await?;
        empty_set.expect = Expect::Anything;
        empty_set.repeat_stamps();
        let shared = |set| Arc::new(Mutex::new(set));
        let empty = Side {
            name: "empty",
            address: http::local_address(&server.base_url)?.0,
            pid: server.pid(),
            set: shared(empty_set),
        };
        let pid = self.plan.server_pid;
        let governed = Side { name: "governed", address, pid, set: shared(set) };
        let warm_up = self.plan.connections[0];
        for side in [&empty, &governed] {
            self.load(side, warm_up, WARM_UP, Arrivals::Closed).await?;
        }
        let mut closed = Vec::new();
        for connections in &self.plan.connections {
            self.refresh(protocol, &governed).await?;
            closed.push(self.closed(&empty, &governed, *connections).await?);
        }
        self.refresh(protocol, &governed).await?;
        let open = self.open(&empty, &governed).await?;
        Ok(ProtocolFigures { protocol: name, answer_bytes: answer.body.len(), closed, open })
    }

    /// A new token before the old one runs out. SOAP keeps its set, which knows the timestamps
    /// that are used up.
    async fn refresh(&self, protocol: Protocol, governed: &Side) -> anyhow::Result<()> {
        if protocol == Protocol::Rest {
            let fresh = self.requests(protocol).await?;
            *governed.set.lock() = fresh;
        }
        Ok(())
    }

    async fn closed(
        &self,
        empty: &Side,
        governed: &Side,
        connections: usize,
    ) -> anyhow::Result<ClosedPair> {
        let (mut empty_all, mut governed_all) = (LoadReport::default(), LoadReport::default());
        let (mut ratio_min, mut ratio_max) = (f64::INFINITY, 0.0_f64);
        for round in 0..self.plan.rounds {
            // The order changes each round, so that neither handler always runs second.
            let (first, second) =
                if round % 2 == 0 { (empty, governed) } else { (governed, empty) };
            let first = self.load(first, connections, self.plan.round, Arrivals::Closed).await?;
            let second = self.load(second, connections, self.plan.round, Arrivals::Closed).await?;
            let (one, other) = if round % 2 == 0 { (first, second) } else { (second, first) };
            let ratio = other.cpu_micros() / one.cpu_micros();
            (ratio_min, ratio_max) = (ratio_min.min(ratio), ratio_max.max(ratio));
            empty_all.add(one);
            governed_all.add(other);
        }
        Ok(ClosedPair {
            connections,
            ratio: governed_all.cpu_micros() / empty_all.cpu_micros(),
            ratio_min,
            ratio_max,
            empty: Row::of(&empty_all),
            governed: Row::of(&governed_all),
        })
    }

    async fn open(&self, empty: &Side, governed: &Side) -> anyhow::Result<OpenPair> {
        let plan = self.plan;
        let connections = plan.connections.iter().copied().max().unwrap_or(1);
        let folder = match plan.demo_json.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let empty_report = self.load(empty, connections, plan.open, plan.arrivals).await?;
        let before = fsync::measure(folder, plan.disk_samples)?;
        let report = self.load(governed, connections, plan.open, plan.arrivals).await?;
        let after = fsync::measure(folder, plan.disk_samples)?;
        let mut disk = before.clone();
        disk.merge(&after);
        let rate = match plan.arrivals {
            Arrivals::Even(rate) | Arrivals::Poisson(rate) => rate,
            Arrivals::Closed => 0,
        };
        Ok(OpenPair {
            rate,
            connections,
            empty: Row::of(&empty_report),
            governed: Row::of(&report),
            disk_before: Disk::of(&before),
            disk_after: Disk::of(&after),
            limit_ms: OWN_SHARE_MILLIS + 2.0 * millis(disk.quantile(0.99)),
        })
    }

    async fn load(
        &self,
        side: &Side,
        connections: usize,
        duration: Duration,
        arrivals: Arrivals,
    ) -> anyhow::Result<LoadReport> {
        let stamps = STAMPS_PER_SECOND * duration.as_secs().max(1);
        side.set.lock().prepare(stamps as usize);
        let plan = LoadPlan {
            address: side.address,
            connections,
            duration,
            arrivals,
            server_pid: Some(side.pid),
            seed: self.plan.seed,
        };
        let report = load::run(&plan, &side.set).await?;
        clean(report, side.name)
    }
}
