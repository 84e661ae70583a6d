//! The command line. Exit 0 fine, 1 the check failed, 2 bad use.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use dancu_domain::moment::Moment;
use dancu_store::{OpenOptions, Store};
use indicatif::{ProgressBar, ProgressStyle};

use crate::clock::machine_ms;
use crate::config::{self, Config};
use crate::{demo, doctor, operate, population, serve, telemetry};

/// Nền tảng kết nối, chia sẻ và khai thác Cơ sở dữ liệu quốc gia về dân cư.
#[derive(Parser)]
#[command(name = "dancu", version, about, long_about = None)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Chạy môi trường thử trên dữ liệu giả (sandbox on synthetic people).
    Demo(demo::Args),
    /// Chạy trung tâm (serve the centre).
    Serve {
        /// Tệp cấu hình TOML.
        #[arg(long)]
        config: PathBuf,
    },
    /// Nâng lược đồ dữ liệu (migrate the data folder).
    Migrate {
        /// Tệp cấu hình TOML.
        #[arg(long)]
        config: PathBuf,
    },
    /// Tệp cấu hình (configuration file).
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Kiểm tra thư mục dữ liệu, đồng hồ, khóa, quy định (check and say how to mend).
    Doctor(doctor::Args),
    /// Quyết định của người vận hành trên thư mục không đang phục vụ (operator's acts).
    Operate {
        #[command(subcommand)]
        command: operate::Command,
    },
    /// Dân số giả: sinh, nhập, xuất, thống kê (synthetic population).
    Population {
        #[command(subcommand)]
        command: PopulationCommand,
    },
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// In dancu.toml với mọi khóa, giá trị mặc định và giải thích (every key, explained).
    Example,
}

#[derive(Subcommand)]
enum PopulationCommand {
    /// Sinh dân số giả vào một thư mục dữ liệu trống.
    Generate {
        /// Thư mục dữ liệu.
        #[arg(long, default_value = "dancu-data")]
        data: PathBuf,
        /// Số người.
        #[arg(long, default_value_t = 100_000)]
        population: u64,
        /// Hạt giống: cùng hạt, cùng người.
        #[arg(long, default_value_t = demo::SEED)]
        seed: u64,
        /// In kết quả cho máy đọc.
        #[arg(long)]
        json: bool,
    },
    /// Nhập CSV (thường hoặc zstd) vào một thư mục dữ liệu trống.
    Import {
        /// Thư mục dữ liệu.
        #[arg(long, default_value = "dancu-data")]
        data: PathBuf,
        /// Tệp CSV.
        file: PathBuf,
        /// Nạp dòng đúng, liệt kê dòng sai.
        #[arg(long)]
        skip_bad: bool,
        /// In kết quả cho máy đọc.
        #[arg(long)]
        json: bool,
    },
    /// Xuất mọi người ra CSV (đuôi .zst: nén).
    Export {
        /// Thư mục dữ liệu.
        #[arg(long, default_value = "dancu-data")]
        data: PathBuf,
        /// Tệp CSV.
        file: PathBuf,
    },
    /// Thống kê dân số đã nạp.
    Stats {
        /// Thư mục dữ liệu.
        #[arg(long, default_value = "dancu-data")]
        data: PathBuf,
        /// In kết quả cho máy đọc.
        #[arg(long)]
        json: bool,
    },
}

/// Reads the command line and runs.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome = configuration(&cli.command).and_then(|config| {
        telemetry::start(&config)?;
        command(cli.command, &config)
    });
    match outcome {
        Ok(code) => code,
        Err(error) => {
            // The exit code tells it also where the text cannot be written.
            let _ = writeln!(std::io::stderr(), "dancu: {error:#}");
            ExitCode::from(1)
        }
    }
}

/// What the command goes by: its file and the environment, or what the environment alone says of
/// logs and figures.
fn configuration(command: &Command) -> anyhow::Result<Config> {
    match command {
        Command::Serve { config } | Command::Migrate { config } => Config::read(config),
        _ => Config::without_file(),
    }
}

fn command(command: Command, config: &Config) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(args) => demo::run(&args),
        Command::Serve { .. } => serve::run(config),
        Command::Config { command: ConfigCommand::Example } => {
            print!("{}", config::example());
            Ok(ExitCode::SUCCESS)
        }
        Command::Migrate { .. } => {
            open(&config.data, config, true)?.stop();
            println!("Lược đồ đã ở phiên bản mới nhất (schema is current).");
            Ok(ExitCode::SUCCESS)
        }
        Command::Doctor(args) => doctor::run(&args),
        Command::Operate { command } => operate::run(&command),
        Command::Population { command } => population_command(command),
    }
}

/// Opens a data folder with the shipped or configured regulation profile.
pub fn open(data: &std::path::Path, config: &Config, migrate: bool) -> anyhow::Result<Store> {
    let profiles = Arc::new(config::profiles(config.regulation.as_deref())?);
    Store::open(
        data,
        OpenOptions {
            profiles,
            master_key: std::env::var(dancu_store::keys::MASTER_KEY_VARIABLE).ok(),
            now: Moment(machine_ms()),
            migrate,
            database: None,
        },
    )
    .with_context(|| format!("không mở được thư mục dữ liệu {} (data folder)", data.display()))
}

fn population_command(command: PopulationCommand) -> anyhow::Result<ExitCode> {
    let today = Moment(machine_ms()).viet_nam_date();
    match command {
        PopulationCommand::Generate { data, population: persons, seed, json } => {
            let store = open(&data, &Config::default(), true)?;
            let bar = progress_bar(persons);
            let spec = dancu_world::PopulationSpec { seed, persons, today };
            let started = crate::clock::steady();
            let n = population::fill::run(&store, &spec, &|n| bar.set_position(n))?;
            bar.finish_and_clear();
            store.stop();
            let seconds = started.elapsed().as_secs_f64();
            if json {
                println!("{}", serde_json::json!({ "persons": n, "seconds": seconds }));
            } else {
                println!("Đã sinh và nạp {n} người trong {seconds:.1} s (generated and loaded).");
            }
            Ok(ExitCode::SUCCESS)
        }
        PopulationCommand::Import { data, file, skip_bad, json } => {
            let store = open(&data, &Config::default(), true)?;
            let bar = progress_spinner();
            let report = population::import::run(&store, &file, today, skip_bad, &|n| {
                bar.set_position(n);
            })?;
            bar.finish_and_clear();
            store.stop();
            print!("{}", if json { report.json() + "\n" } else { report.to_string() });
            Ok(ExitCode::from(u8::from(!report.is_clean())))
        }
        PopulationCommand::Export { data, file } => {
            let store = open(&data, &Config::default(), false)?;
            let bar = progress_bar(store.registry().count()?);
            let n = population::export::run(&store, &file, &|n| bar.set_position(n))?;
            bar.finish_and_clear();
            store.stop();
            println!("Đã xuất {n} người ra {} (exported).", file.display());
            Ok(ExitCode::SUCCESS)
        }
        PopulationCommand::Stats { data, json } => {
            let store = open(&data, &Config::default(), false)?;
            let stats = population::stats::run(&store, today)?;
            store.stop();
            print!(
                "{}",
                if json { population::stats::json(&stats) + "\n" } else { stats.to_string() }
            );
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// A bar on stderr; nothing where it is no terminal.
pub fn progress_bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let style = "{bar:40} {human_pos}/{human_len} người, còn {eta}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}

fn progress_spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} dòng, {elapsed}") {
        bar.set_style(style);
    }
    bar
}
