//! The command line of the measuring tools. Exit 0: fine; 1: an answer was not what it must be,
//! or a limit asked for was passed; 2: bad use.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Parser, Subcommand, ValueEnum};
use dancu_bench::ledger::{self, LedgerPlan};
use dancu_bench::load::{self, Arrivals, LoadPlan};
use dancu_bench::report::{Disk, Row};
use dancu_bench::requests::{self, RequestIds, RequestSet};
use dancu_bench::sign_in::{self, SignInPlan};
use dancu_bench::size::{Registry, SizePlan};
use dancu_bench::verify::{Protocol, VerifyPlan};
use dancu_bench::{crash, demo, empty, fsync, http, server, size, verify};
use parking_lot::Mutex;

/// The program uses it too; what the empty handler shows is the stack, not the allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measuring tools of dancu.
#[derive(Parser)]
#[command(name = "dancu-bench")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve fixed answers with the program's HTTP stack.
    Empty(EmptyArgs),
    /// Send a load to a server on this machine.
    Load(LoadArgs),
    /// Measure governed verification beside an empty handler.
    Verify(VerifyArgs),
    /// Compare the CPU per query on two registries.
    Size(SizeArgs),
    /// Kill the program under load and check what it kept.
    Crash(CrashArgs),
    /// Measure the ledger alone beside an append-only loop on the same disk.
    Ledger(LedgerArgs),
    /// Measure bare appends with fdatasync.
    Fdatasync(FdatasyncArgs),
    /// Measure sign-ins of people: password check and session, on a store of their own.
    SignIn(SignInArgs),
    /// Wait until a program on this machine is ready.
    Wait(WaitArgs),
}

#[derive(Args)]
struct EmptyArgs {
    /// Port on 127.0.0.1; 0 takes a free one, and the line `ready` names it.
    #[arg(long)]
    port: u16,
    /// Length of each answer.
    #[arg(long)]
    answer_bytes: usize,
    /// Content type of each answer.
    #[arg(long, default_value = "application/json")]
    content_type: String,
}

#[derive(Args)]
struct LoadArgs {
    /// Server on this machine, http://127.0.0.1:PORT.
    #[arg(long)]
    url: String,
    /// A file with one JSON request per line, or `rest` or `soap` with --demo-json.
    #[arg(long)]
    requests: String,
    /// Systems and citizens for `rest` and `soap`.
    #[arg(long)]
    demo_json: Option<PathBuf>,
    /// The calling system.
    #[arg(long, default_value = "BIG")]
    system: String,
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Arrivals per second (open loop); without it each connection is kept busy (closed loop).
    #[arg(long)]
    rate: Option<u32>,
    #[arg(long, default_value = "poisson")]
    arrivals: Spacing,
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Process whose CPU time is measured.
    #[arg(long)]
    server_pid: Option<u32>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Spacing {
    Poisson,
    Even,
}

impl Spacing {
    fn at(self, rate: u32) -> Arrivals {
        match self {
            Self::Poisson => Arrivals::Poisson(rate),
            Self::Even => Arrivals::Even(rate),
        }
    }
}

#[derive(Args)]
struct VerifyArgs {
    #[arg(long)]
    demo_json: PathBuf,
    #[arg(long)]
    server_pid: u32,
    /// CSV with personalId, fullName, dateOfBirth, instead of the citizens of demo.json.
    #[arg(long)]
    citizens: Option<PathBuf>,
    #[arg(long, default_value = "BIG")]
    system: String,
    #[arg(long, value_delimiter = ',', default_value = "rest,soap")]
    protocols: Vec<ProtocolName>,
    #[arg(long, value_delimiter = ',', default_value = "64,256")]
    connections: Vec<usize>,
    /// Length of a closed-loop round.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Arrivals per second of the open loop.
    #[arg(long, default_value_t = 5000)]
    rate: u32,
    #[arg(long, default_value = "poisson")]
    arrivals: Spacing,
    /// Length of the open loop.
    #[arg(long, default_value_t = 10)]
    open_seconds: u64,
    /// Appends in each of the two measurements of the disk.
    #[arg(long, default_value_t = 2000)]
    disk_samples: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The program's build profile, for the record.
    #[arg(long, default_value = "profile not stated")]
    profile: String,
    /// Exit 1 when the ratio is larger.
    #[arg(long)]
    max_ratio: Option<f64>,
    /// Write the figures here too.
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum ProtocolName {
    Rest,
    Soap,
}

#[derive(Args)]
struct SizeArgs {
    #[arg(long)]
    small: PathBuf,
    #[arg(long)]
    small_pid: u32,
    #[arg(long)]
    small_citizens: Option<PathBuf>,
    #[arg(long)]
    large: PathBuf,
    #[arg(long)]
    large_pid: u32,
    #[arg(long)]
    large_citizens: Option<PathBuf>,
    #[arg(long, default_value = "BIG")]
    system: String,
    #[arg(long, default_value_t = 64)]
    connections: usize,
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Exit 1 when the ratio is larger.
    #[arg(long)]
    max_ratio: Option<f64>,
}

#[derive(Args)]
struct CrashArgs {
    /// The dancu binary.
    #[arg(long)]
    binary: PathBuf,
    /// Data folder; made if missing, kept afterwards. The program's output goes to DIR.log.
    #[arg(long)]
    data: PathBuf,
    #[arg(long, default_value_t = 20)]
    rounds: u32,
    #[arg(long, default_value_t = 16)]
    connections: usize,
    #[arg(long, default_value_t = 2000)]
    population: u64,
    /// The product's clock at the beginning.
    #[arg(long, default_value = "2026-03-02T09:00:00+07:00")]
    clock: jiff::Timestamp,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long, default_value = "BIG")]
    system: String,
}

#[derive(Args)]
struct LedgerArgs {
    /// Folder on the disk to measure; what the run writes is removed afterwards.
    #[arg(long)]
    dir: PathBuf,
    /// Tasks that submit.
    #[arg(long, value_delimiter = ',', default_value = "64,256")]
    tasks: Vec<usize>,
    /// Length of one round.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// URL of an empty PostgreSQL database that holds the ledger instead of the folder; then with
    /// one number of tasks.
    #[arg(long)]
    database: Option<String>,
    /// Exit 1 when the ratio is smaller.
    #[arg(long)]
    min_ratio: Option<f64>,
    /// Exit 1 when the indexer's tail gets longer, in seconds.
    #[arg(long)]
    max_lag: Option<f64>,
}

#[derive(Args)]
struct SignInArgs {
    /// Folder on the disk to measure; what the run writes is removed afterwards.
    #[arg(long)]
    dir: PathBuf,
    /// Length of the run.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Threads that hash passwords.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// People who sign in at a time.
    #[arg(long, default_value_t = 32)]
    people: u32,
    /// Exit 1 when there are fewer sign-ins per second.
    #[arg(long)]
    min_rate: Option<f64>,
}

#[derive(Args)]
struct FdatasyncArgs {
    /// Folder on the disk to measure.
    #[arg(long)]
    dir: PathBuf,
    #[arg(long, default_value_t = 2000)]
    samples: usize,
}

#[derive(Args)]
struct WaitArgs {
    #[arg(long)]
    port: u16,
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Give up as soon as this process has ended.
    #[arg(long)]
    pid: Option<u32>,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("dancu-bench: {error:#}");
            ExitCode::from(1)
        }
    }
}

fn run(command: Command) -> anyhow::Result<bool> {
    if let Command::Empty(args) = command {
        // As many threads as the program has: the runtime's own choice.
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(empty::serve(args.port, args.answer_bytes, &args.content_type))?;
        return Ok(true);
    }
    let command = match command {
        // Looking into a database waits for it, which the only thread of a runtime must not do.
        Command::Ledger(args) if args.database.is_some() => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            return runtime.block_on(run_ledger(args));
        }
        other => other,
    };
    // The generator keeps to one thread; it looks at its sockets after every few steps, so that
    // a busy moment does not pass for a slow server.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().event_interval(8).build()?;
    runtime.block_on(async {
        match command {
            Command::Empty(_) => Ok(true),
            Command::Load(args) => run_load(args).await,
            Command::Verify(args) => run_verify(args).await,
            Command::Size(args) => run_size(args).await,
            Command::Crash(args) => run_crash(args).await,
            Command::Ledger(args) => run_ledger(args).await,
            Command::Fdatasync(args) => run_fdatasync(&args),
            Command::SignIn(args) => run_sign_in(args).await,
            Command::Wait(args) => run_wait(&args).await,
        }
    })
}

async fn run_load(args: LoadArgs) -> anyhow::Result<bool> {
    let mut set = load_requests(&args).await?;
    set.prepare(10_000 * args.seconds as usize);
    let plan = LoadPlan {
        address: http::local_address(&args.url)?.0,
        connections: args.connections,
        duration: Duration::from_secs(args.seconds),
        arrivals: args.rate.map_or(Arrivals::Closed, |rate| args.arrivals.at(rate)),
        server_pid: args.server_pid,
        seed: args.seed,
    };
    let report = load::run(&plan, &Arc::new(Mutex::new(set))).await?;
    print!("{}", Row::of(&report).lines());
    if let Some(wrong) = &report.first_wrong {
        println!("first wrong   {wrong}");
    }
    Ok(report.is_clean())
}

async fn load_requests(args: &LoadArgs) -> anyhow::Result<RequestSet> {
    let ids = RequestIds::of_now();
    if args.requests != "rest" && args.requests != "soap" {
        return requests::from_file(args.requests.as_ref(), ids);
    }
    let path = args.demo_json.as_ref().context("--demo-json is needed for rest and soap")?;
    let demo = demo::Demo::read(path)?;
    let caller = demo.caller(&args.system)?;
    if args.requests == "soap" {
        return requests::soap_verify(&demo, &caller, ids);
    }
    let token = demo.token(&caller.system).await?;
    Ok(requests::rest_verify(&demo, &caller, &token, ids))
}

async fn run_verify(args: VerifyArgs) -> anyhow::Result<bool> {
    let protocols = args.protocols.iter().map(|name| match name {
        ProtocolName::Rest => Protocol::Rest,
        ProtocolName::Soap => Protocol::Soap,
    });
    let plan = VerifyPlan {
        demo_json: args.demo_json,
        citizens: args.citizens,
        server_pid: args.server_pid,
        system: args.system,
        protocols: protocols.collect(),
        connections: args.connections,
        round: Duration::from_secs(args.seconds),
        rounds: args.rounds,
        arrivals: args.arrivals.at(args.rate),
        open: Duration::from_secs(args.open_seconds),
        disk_samples: args.disk_samples,
        seed: args.seed,
        profile: args.profile,
    };
    let figures = verify::measure(&plan).await?;
    println!("{}", figures.markdown());
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_vec_pretty(&figures)?)
            .with_context(|| format!("{}", path.display()))?;
    }
    if let Some(ratio) = figures.ratio("SOAP") {
        println!("ratio SOAP CPU governed/empty: {ratio:.2}");
    }
    let Some(ratio) = figures.ratio("REST") else {
        return Ok(true);
    };
    println!("ratio REST CPU governed/empty: {ratio:.2}");
    Ok(args.max_ratio.is_none_or(|max| ratio <= max))
}

async fn run_size(args: SizeArgs) -> anyhow::Result<bool> {
    let plan = SizePlan {
        system: args.system,
        connections: args.connections,
        round: Duration::from_secs(args.seconds),
        rounds: args.rounds,
    };
    let (demo_json, citizens, pid) = (args.small, args.small_citizens, args.small_pid);
    let small = Registry { demo_json, citizens, pid };
    let (demo_json, citizens, pid) = (args.large, args.large_citizens, args.large_pid);
    let large = Registry { demo_json, citizens, pid };
    let rows = size::compare(&plan, [&small, &large]).await?;
    println!("| registry | requests/s | p50 ms | p99 ms | CPU µs/query |\n|---|--:|--:|--:|--:|");
    for (name, row) in ["small", "large"].iter().zip(&rows) {
        println!(
            "| {name} | {:.0} | {:.2} | {:.2} | {:.1} |",
            row.per_second, row.p50_ms, row.p99_ms, row.cpu_micros
        );
    }
    let ratio = rows[1].cpu_micros / rows[0].cpu_micros;
    println!("\nratio CPU per query large/small: {ratio:.2}");
    Ok(args.max_ratio.is_none_or(|max| ratio <= max))
}

async fn run_crash(args: CrashArgs) -> anyhow::Result<bool> {
    let plan = crash::CrashPlan {
        binary: args.binary,
        data: args.data,
        rounds: args.rounds,
        connections: args.connections,
        population: args.population,
        clock: args.clock,
        seed: args.seed,
        system: args.system,
    };
    let faults = crash::run(&plan).await?;
    for text in &faults.texts {
        println!("- {text}");
    }
    Ok(faults.total() == 0)
}

async fn run_ledger(args: LedgerArgs) -> anyhow::Result<bool> {
    let plan = LedgerPlan {
        dir: args.dir,
        database: args.database,
        round: Duration::from_secs(args.seconds),
        rounds: args.rounds,
        tasks: args.tasks,
    };
    let figures = ledger::measure(&plan).await?;
    let ratio = figures.iter().map(ledger::Figures::ratio).fold(f64::INFINITY, f64::min);
    let lag = figures.iter().map(|figures| figures.longest_lag).fold(0.0, f64::max);
    println!("\nratio ledger/append: {ratio:.2}");
    Ok(args.min_ratio.is_none_or(|min| ratio >= min) && args.max_lag.is_none_or(|max| lag <= max))
}

async fn run_sign_in(args: SignInArgs) -> anyhow::Result<bool> {
    let SignInArgs { dir, seconds, threads, people, min_rate } = args;
    let duration = Duration::from_secs(seconds);
    let figures = sign_in::measure(&SignInPlan { dir, duration, threads, people }).await?;
    let ms = |share| figures.latency.quantile(share).as_secs_f64() * 1e3;
    println!(
        "{people} people, {threads} threads: {:.1} sign-ins/s, p50 {:.0} ms, p99 {:.0} ms, \
         asked to come back {} times",
        figures.per_second(),
        ms(0.5),
        ms(0.99),
        figures.busy
    );
    Ok(min_rate.is_none_or(|min| figures.per_second() >= min))
}

fn run_fdatasync(args: &FdatasyncArgs) -> anyhow::Result<bool> {
    let disk = Disk::of(&fsync::measure(&args.dir, args.samples)?);
    println!(
        "fdatasync after 4 KiB: {} samples, p50 {:.3} ms, p99 {:.3} ms, max {:.3} ms",
        disk.samples, disk.p50_ms, disk.p99_ms, disk.max_ms
    );
    Ok(true)
}

async fn run_wait(args: &WaitArgs) -> anyhow::Result<bool> {
    for _ in 0..args.seconds.saturating_mul(10) {
        if server::is_ready(args.port).await {
            return Ok(true);
        }
        if let Some(pid) = args.pid {
            anyhow::ensure!(
                std::path::Path::new(&format!("/proc/{pid}")).exists(),
                "process {pid} ended before it was ready"
            );
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    eprintln!("not ready after {} s", args.seconds);
    Ok(false)
}
