//! kill -9 under load, again and again on one folder: nothing that a caller was told may be
//! lost, and counters must equal the journal.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use tokio::task::JoinSet;

use crate::audit::{Acknowledged, Audit, Faults};
use crate::demo::Demo;
use crate::http::{self, Connection};
use crate::requests::{ID_IN_FILES, RequestIds, rest_body};
use crate::server::{Server, free_port};

/// A first start makes the synthetic people; later ones replay what a crash left.
const START_LIMIT: Duration = Duration::from_mins(3);
/// The program lives this long under load, in milliseconds: at random within.
const LIFE_MILLIS: std::ops::Range<u64> = 150..1500;
/// Acknowledged requests sent once more after each restart.
const REPEATS: usize = 8;

/// What to do.
pub struct CrashPlan {
    /// The `dancu` binary.
    pub binary: PathBuf,
    /// The data folder, kept from round to round.
    pub data: PathBuf,
    /// How often it is killed.
    pub rounds: u32,
    /// Connections that send requests.
    pub connections: usize,
    /// Synthetic people.
    pub population: u64,
    /// The product's clock at the beginning; it goes on with the time that passes.
    pub clock: Timestamp,
    /// Seed of the moments of death.
    pub seed: u64,
    /// The calling system.
    pub system: String,
}

/// Runs all rounds, printing a line of the table after each; `Ok` holds the faults found.
pub async fn run(plan: &CrashPlan) -> anyhow::Result<Faults> {
    std::fs::create_dir_all(&plan.data)?;
    let mut run = Run {
        plan,
        port: free_port()?,
        start: Instant::now(),
        audit: Audit::default(),
        faults: Faults::default(),
        before: 0,
        acknowledged: Vec::new(),
        resent: Vec::new(),
        ids: Arc::new(Mutex::new(RequestIds::of_now())),
    };
    let mut random = ChaCha8Rng::seed_from_u64(plan.seed);
    println!(
        "| kill | alive ms | acknowledged | in flight | restart ms | entries | used | faults |\n\
         |--:|--:|--:|--:|--:|--:|--:|--:|"
    );
    let (mut server, _) = run.start().await?;
    run.read_before().await?;
    for round in 1..=plan.rounds {
        let life = Duration::from_millis(random.random_range(LIFE_MILLIS));
        let caller = Arc::new(run.caller().await?);
        let left = run.drive_and_kill(&caller, &mut server, life).await?;
        let restart;
        (server, restart) = run.start().await?;
        let used = run.check(&left).await?;
        println!(
            "| {round} | {} | {} | {} | {} | {} | {used} | {} |",
            life.as_millis(),
            left.acknowledged.len(),
            left.in_flight.len(),
            restart.as_millis(),
            run.audit.entries.len(),
            run.faults.total()
        );
    }
    run.read_again().await?;
    server.stop().await?;
    let lasted = run.start.elapsed().as_secs_f64();
    let (told, resent) = (run.acknowledged.len(), run.resent.len());
    println!(
        "\n{} kills in {lasted:.0} s, seed {}: {told} acknowledged, {resent} in flight answered \
         when sent again; lost {}, disordered {}, \
         miscounted {}, counters off {}, refused {}",
        plan.rounds,
        plan.seed,
        run.faults.lost,
        run.faults.disordered,
        run.faults.miscounted,
        run.faults.counters,
        run.faults.refused
    );
    Ok(run.faults)
}

struct Run<'a> {
    plan: &'a CrashPlan,
    port: u16,
    start: Instant,
    audit: Audit,
    faults: Faults,
    /// Entries that the folder held when the run began.
    before: usize,
    acknowledged: Vec<Acknowledged>,
    /// Ids of requests that were in flight at a kill and were answered when sent again.
    resent: Vec<String>,
    ids: Arc<Mutex<RequestIds>>,
}

/// A caller of one life of the program.
struct Caller {
    address: SocketAddr,
    bearer: String,
    account: String,
    /// Bodies of all citizens with the request id left open.
    bodies: Vec<String>,
}

/// A request by its id and the number of its body.
#[derive(Clone)]
struct Sent {
    id: String,
    body: usize,
}

/// What a life of the program left behind.
#[derive(Default)]
struct Left {
    acknowledged: Vec<(Sent, u64)>,
    in_flight: Vec<Sent>,
    refused: Vec<String>,
}

impl Run<'_> {
    /// Starts the program and waits until it is ready; gives the time that took.
    async fn start(&self) -> anyhow::Result<(Server, Duration)> {
        let plan = self.plan;
        let begin = Instant::now();
        // One second more, so that rounding never turns the clock back.
        let passed = self.start.elapsed().as_secs() + 1;
        let clock = plan.clock + SignedDuration::from_secs(passed as i64);
        let log = log_path(&plan.data);
        let clock = clock.to_string();
        let mut server =
            Server::start(&plan.binary, &plan.data, &log, self.port, plan.population, &clock)?;
        let ready = server.ready(START_LIMIT).await;
        ready.with_context(|| format!("see {}", log.display()))?;
        Ok((server, begin.elapsed()))
    }

    async fn caller(&self) -> anyhow::Result<Caller> {
        let demo = Demo::read(&self.plan.data.join("demo.json"))?;
        let caller = demo.caller(&self.plan.system)?;
        let token = demo.token(&caller.system).await?;
        let bodies = demo.citizens.iter().map(|citizen| rest_body(&caller, citizen)).collect();
        Ok(Caller {
            address: http::local_address(&demo.base_url)?.0,
            bearer: format!("Bearer {token}"),
            account: caller.account,
            bodies,
        })
    }

    async fn drive_and_kill(
        &self,
        caller: &Arc<Caller>,
        server: &mut Server,
        life: Duration,
    ) -> anyhow::Result<Left> {
        let left = Arc::new(Mutex::new(Left::default()));
        let mut tasks = JoinSet::new();
        for _ in 0..self.plan.connections {
            let connection = Connection::open(caller.address).await?;
            tasks.spawn(work(caller.clone(), self.ids.clone(), left.clone(), connection));
        }
        tokio::time::sleep(life).await;
        server.kill()?;
        while tasks.join_next().await.is_some() {}
        Ok(std::mem::take(&mut *left.lock()))
    }

    /// After a restart: requests in flight at the kill are sent again as a client would, some
    /// answered ones too, and then the journal is read on. Gives the line's counter.
    async fn check(&mut self, left: &Left) -> anyhow::Result<u64> {
        let caller = self.caller().await?;
        let faults = &mut self.faults;
        for text in &left.refused {
            faults.refused += 1;
            faults.tell(|| text.clone());
        }
        let mut connection = Connection::open(caller.address).await?;
        for sent in &left.in_flight {
            // Answered anew, or as a repeat of an entry whose answer never arrived: which of
            // the two shows when request ids are counted at the end.
            match caller.ask(&mut connection, sent).await? {
                Ok(_) => self.resent.push(sent.id.clone()),
                Err(text) => {
                    faults.refused += 1;
                    faults.tell(|| text);
                }
            }
        }
        let mut repeats = Vec::new();
        for (sent, index) in left.acknowledged.iter().rev().take(REPEATS) {
            match caller.ask(&mut connection, sent).await? {
                Ok(again) => repeats.push((acknowledged(sent, *index), again)),
                Err(text) => {
                    faults.refused += 1;
                    faults.tell(|| text);
                }
            }
        }
        let mut told: Vec<Acknowledged> =
            left.acknowledged.iter().map(|(sent, index)| acknowledged(sent, *index)).collect();
        self.audit.read(caller.address, &caller.bearer, faults).await?;
        self.audit.check_acknowledged(&told, faults);
        for (first, again) in repeats {
            self.audit.check_repeat(&first, again, faults);
        }
        self.acknowledged.append(&mut told);
        let (line, _) =
            self.audit.check_usage(caller.address, &caller.bearer, &caller.account, faults).await?;
        Ok(line)
    }

    /// What the folder holds already is not this run's.
    async fn read_before(&mut self) -> anyhow::Result<()> {
        let caller = self.caller().await?;
        self.audit.read(caller.address, &caller.bearer, &mut self.faults).await?;
        self.before = self.audit.entries.len();
        Ok(())
    }

    /// At the end the whole journal is read once more: it must be what was read piece by piece,
    /// and no index may have been given to two requests in different lives.
    async fn read_again(&mut self) -> anyhow::Result<()> {
        anyhow::ensure!(!self.acknowledged.is_empty(), "nothing was acknowledged, or shown");
        let caller = self.caller().await?;
        let mut again = Audit::default();
        again.read(caller.address, &caller.bearer, &mut self.faults).await?;
        if again.entries != self.audit.entries {
            self.faults.lost += 1;
            let (now, before) = (again.entries.len(), self.audit.entries.len());
            self.faults.tell(|| format!("read again, the journal differs: {now} for {before}"));
        }
        if self.faults.lost == 0 {
            again.check_acknowledged(&self.acknowledged, &mut self.faults);
        }
        let told = self.acknowledged.iter().map(|answer| answer.request_id.as_str());
        let answered = told.chain(self.resent.iter().map(String::as_str));
        again.check_counted_once(self.before, answered, &mut self.faults);
        Ok(())
    }
}

/// Sends one request after the other until the connection breaks or one is refused.
async fn work(
    caller: Arc<Caller>,
    ids: Arc<Mutex<RequestIds>>,
    left: Arc<Mutex<Left>>,
    mut connection: Connection,
) {
    for number in 0.. {
        let id = ids.lock().next_id();
        let id = String::from_utf8_lossy(&id).into_owned();
        let sent = Sent { id, body: number % caller.bodies.len() };
        match caller.ask(&mut connection, &sent).await {
            Ok(Ok(index)) => left.lock().acknowledged.push((sent, index)),
            Ok(Err(text)) => {
                left.lock().refused.push(text);
                return;
            }
            Err(_) => {
                left.lock().in_flight.push(sent);
                return;
            }
        }
    }
}

impl Caller {
    /// One verification. The outer error is a broken connection, the inner one an answer other
    /// than the one due.
    async fn ask(
        &self,
        connection: &mut Connection,
        sent: &Sent,
    ) -> std::io::Result<Result<u64, String>> {
        #[derive(Deserialize)]
        struct Body {
            result: String,
            journal: Journal,
        }
        #[derive(Deserialize)]
        struct Journal {
            index: u64,
        }
        let body = self.bodies[sent.body].replace(ID_IN_FILES, &sent.id);
        let headers =
            [("Authorization", self.bearer.as_str()), ("Content-Type", "application/json")];
        let request = http::render("POST", "/api/v1/citizens/verify", &headers, &body);
        let head = connection.exchange(&request).await?;
        let answer = connection.body();
        match serde_json::from_slice::<Body>(answer) {
            Ok(body) if head.status == 200 && body.result == "match" => Ok(Ok(body.journal.index)),
            _ => {
                let text: String = String::from_utf8_lossy(answer).chars().take(300).collect();
                Ok(Err(format!("{}: HTTP {}: {text}", sent.id, head.status)))
            }
        }
    }
}

fn acknowledged(sent: &Sent, index: u64) -> Acknowledged {
    Acknowledged { request_id: sent.id.clone(), index }
}

/// The program's output stands beside its folder, not in it.
fn log_path(data: &Path) -> PathBuf {
    data.with_extension("log")
}
