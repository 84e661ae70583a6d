//! The command line. Exit 0 fine, 1 the check failed, 2 bad use, 77 a device refused its PIN.

pub mod said;
mod told;

use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use clap::{Parser, Subcommand};
use dancu_domain::moment::Moment;
use dancu_store::anchor::Anchoring;
use dancu_store::{OpenOptions, Store, Viewer};
use indicatif::{ProgressBar, ProgressStyle};

pub(crate) use self::said::say;
pub use self::told::{causes, told};
use crate::clock::machine_ms;
use crate::config::{self, Config};
use crate::{backup, demo, doctor, keys, mail, operate, population, serve, statements, telemetry};

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
    /// Quyết định của người vận hành, cả khi đang phục vụ (operator's acts, also while serving).
    Operate {
        #[command(subcommand)]
        command: operate::Command,
    },
    /// Khóa: liệt kê, xoay khóa khi đang phục vụ (keys and their rotation).
    Keys {
        #[command(subcommand)]
        command: keys::Command,
    },
    /// Kiểm tra một bản xác nhận hằng tháng và chữ ký (check a monthly statement, A7).
    Statement(statements::check::Args),
    /// Nhận thư bị trả lại từ máy chủ thư, trên stdin (a bounce from the mail server, on stdin).
    MailIn(mail::command::Args),
    /// Sao lưu khi đang phục vụ, kiểm tra bản sao lưu (online backup and its check).
    Backup(backup::Args),
    /// Khôi phục bản sao lưu, chấp nhận bản dữ liệu cũ (restore; accept an older copy).
    Restore(backup::RestoreArgs),
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
        /// Nơi có dữ liệu.
        #[command(flatten)]
        place: DataArgs,
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
        /// Nơi có dữ liệu.
        #[command(flatten)]
        place: DataArgs,
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
        /// Nơi có dữ liệu.
        #[command(flatten)]
        place: DataArgs,
        /// Tệp CSV.
        file: PathBuf,
    },
    /// Thống kê dân số đã nạp.
    Stats {
        /// Nơi có dữ liệu.
        #[command(flatten)]
        place: DataArgs,
        /// In kết quả cho máy đọc.
        #[arg(long)]
        json: bool,
    },
}

/// Where a command finds its data: a folder, or what a configuration file says.
#[derive(clap::Args, Default)]
pub struct DataArgs {
    /// Tệp cấu hình TOML của trung tâm: thư mục, cơ sở dữ liệu và quy định lấy theo tệp này.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Thư mục dữ liệu; bỏ trống: biến DANCU_DATA, rồi tệp cấu hình, rồi dancu-data.
    #[arg(long)]
    data: Option<PathBuf>,
}

impl DataArgs {
    /// The configuration that they name, with their folder in it.
    pub fn configuration(&self) -> anyhow::Result<Config> {
        let mut config = self.config.as_deref().map_or_else(Config::without_file, Config::read)?;
        if let Some(data) = &self.data {
            ensure!(
                !data.is_file(),
                "--data {}: là tệp, cần thư mục (a file, not a folder)",
                data.display()
            );
            config.data.clone_from(data);
        }
        Ok(config)
    }

    /// Opens the data.
    fn open(&self, migrate: bool) -> anyhow::Result<Store> {
        let config = self.configuration()?;
        open(&config.data, &config, migrate)
    }
}

/// Reads the command line and runs.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            if let Some(misused) = told::misused(&error) {
                let _ = writeln!(std::io::stderr(), "dancu: {misused}:");
            }
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let outcome = configuration(&cli.command).and_then(|config| {
        telemetry::start(&config)?;
        command(cli.command, &config)
    });
    match outcome {
        Ok(code) if said::all() => code,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            // The exit code tells it also where the text cannot be written.
            let _ = writeln!(std::io::stderr(), "dancu: {}", told(&error));
            ExitCode::from(keys::exit_code(&error))
        }
    }
}

/// What the command goes by: its file and the environment, or what the environment alone says of
/// logs and figures; other commands read the rest where they need it.
fn configuration(command: &Command) -> anyhow::Result<Config> {
    match command {
        Command::Serve { config } | Command::Migrate { config } => Config::read(config),
        _ => Config::of_telemetry(),
    }
}

fn command(command: Command, config: &Config) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(args) => demo::run(&args),
        Command::Serve { .. } => serve::run(config),
        Command::Config { command: ConfigCommand::Example } => {
            say!("{}", config::example().trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Command::Migrate { .. } => {
            open(&config.data, config, true)?.stop();
            say!("Lược đồ đã ở phiên bản mới nhất (schema is current).");
            Ok(ExitCode::SUCCESS)
        }
        Command::Doctor(args) => doctor::run(&args),
        Command::Operate { command } => operate::run(command),
        Command::Keys { command } => keys::run(&command),
        Command::Statement(args) => statements::check::run(&args),
        Command::MailIn(args) => mail::command::run(&args),
        Command::Backup(args) => backup::run(&args),
        Command::Restore(args) => backup::restore(&args),
        Command::Population { command } => population_command(command),
    }
}

/// Opens a data folder with the shipped or configured regulation profile.
pub fn open(data: &Path, config: &Config, migrate: bool) -> anyhow::Result<Store> {
    open_anchored(data, config, migrate, false)
}

/// Opens a sandbox's data, or makes it. Root is told on the folder of another account, and goes on:
/// no service is left without its files.
pub fn open_sandbox(config: &Config) -> anyhow::Result<Store> {
    if let Err(error) = right_account(&config.data) {
        // The demo goes on also where nobody can read this.
        let _ = writeln!(std::io::stderr(), "dancu: {error}");
    }
    opened(&config.data, config, true, false)
}

/// Opens an older copy of the data, to be accepted.
pub fn open_copy(config: &Config) -> anyhow::Result<Store> {
    open_anchored(&config.data, config, false, true)
}

fn open_anchored(
    data: &Path,
    config: &Config,
    migrate: bool,
    accept: bool,
) -> anyhow::Result<Store> {
    right_account(data)?;
    opened(data, config, migrate, accept)
}

/// Looks into a database on a server without writing anything; the outer error is of the
/// configuration. Nothing is looked at where it names no server.
pub fn view(config: &Config) -> anyhow::Result<Option<dancu_store::Result<Option<Viewer>>>> {
    let (options, anchoring) = options(config, false, false)?;
    let looked = options.database.is_some();
    Ok(looked.then(|| Viewer::open(&config.data, &options, &anchoring)))
}

fn options(
    config: &Config,
    migrate: bool,
    accept: bool,
) -> anyhow::Result<(OpenOptions, Anchoring)> {
    let options = OpenOptions {
        profiles: Arc::new(config::profiles(config.regulation.as_deref())?),
        master_key: config.keys.source()?,
        now: Moment(machine_ms()),
        migrate,
        database: config.database.open()?,
    };
    Ok((options, Anchoring { path: config.anchor.clone(), accept }))
}

fn opened(data: &Path, config: &Config, migrate: bool, accept: bool) -> anyhow::Result<Store> {
    if !migrate && !config.database.is_set() {
        holds_data(data)?;
    }
    let (options, anchoring) = options(config, migrate, accept)?;
    Store::open_anchored(data, options, &anchoring)
        .with_context(|| format!("không mở được thư mục dữ liệu {} (data folder)", data.display()))
}

/// Refuses the administrator on the folder of another account: what he writes there the service
/// can neither read nor replace.
fn right_account(data: &Path) -> anyhow::Result<()> {
    let Ok(folder) = std::fs::metadata(data) else { return Ok(()) };
    if rustix::process::geteuid().is_root() && folder.uid() != 0 {
        let (shown, owner) = (data.display(), folder.uid());
        bail!(
            "{shown} thuộc tài khoản {owner}, không phải root: tệp do root ghi thì dịch vụ không \
             dùng được (the folder belongs to account {owner}: what root writes there the service \
             cannot use)\n    → runuser -u $(id -un {owner}) -- dancu …"
        );
    }
    Ok(())
}

/// Refuses a folder without data, before anything is made in it: it may be the wrong one.
fn holds_data(data: &Path) -> anyhow::Result<()> {
    let shown = data.display();
    match std::fs::metadata(data.join(dancu_store::CORE_FILE)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "{shown} chưa có dữ liệu (no data in this folder)\n    → Kiểm tra --data, DANCU_DATA \
             hoặc `data` trong tệp cấu hình; trung tâm mới: `dancu migrate --config TỆP`; dữ liệu \
             giả: `dancu demo` hoặc `dancu population generate` (check the path; a new centre \
             begins with `dancu migrate`, made-up people with `dancu demo`)"
        ),
        Err(error) => Err(error).with_context(|| format!("không đọc được {shown} (data folder)")),
    }
}

fn population_command(command: PopulationCommand) -> anyhow::Result<ExitCode> {
    let today = Moment(machine_ms()).viet_nam_date();
    match command {
        PopulationCommand::Generate { place, population: persons, seed, json } => {
            let store = place.open(true)?;
            let bar = progress_bar(persons);
            let spec = dancu_world::PopulationSpec { seed, persons, today };
            let started = crate::clock::steady();
            let n = population::fill::run(&store, &spec, &|n| bar.set_position(n))?;
            bar.finish_and_clear();
            store.stop();
            let seconds = started.elapsed().as_secs_f64();
            if json {
                say!("{}", serde_json::json!({ "persons": n, "seconds": seconds }));
            } else {
                say!("Đã sinh và nạp {n} người trong {seconds:.1} s (generated and loaded).");
            }
            Ok(ExitCode::SUCCESS)
        }
        PopulationCommand::Import { place, file, skip_bad, json } => {
            // Before a folder is made for it.
            population::import::readable(&file)?;
            let store = place.open(true)?;
            let bar = progress_spinner();
            let report = population::import::run(&store, &file, today, skip_bad, &|n| {
                bar.set_position(n);
            })?;
            bar.finish_and_clear();
            store.stop();
            let text = if json { report.json() } else { report.to_string() };
            say!("{}", text.trim_end());
            Ok(ExitCode::from(u8::from(!report.is_clean())))
        }
        PopulationCommand::Export { place, file } => {
            let store = place.open(false)?;
            let bar = progress_bar(store.registry().count()?);
            let n = population::export::run(&store, &file, &|n| bar.set_position(n))?;
            bar.finish_and_clear();
            store.stop();
            say!("Đã xuất {n} người ra {} (exported).", file.display());
            Ok(ExitCode::SUCCESS)
        }
        PopulationCommand::Stats { place, json } => {
            let store = place.open(false)?;
            let stats = population::stats::run(&store, today)?;
            store.stop();
            let text = if json { population::stats::json(&stats) } else { stats.to_string() };
            say!("{}", text.trim_end());
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
