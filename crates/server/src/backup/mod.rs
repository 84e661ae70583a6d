//! `dancu backup`, `dancu backup verify`, `dancu restore`, `dancu restore accept`.

mod report;
mod restore;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use dancu_domain::moment::Moment;
use dancu_store::backup::{self, KeyFile, Making, Progress, Site};
use dancu_store::keys::Keyring;
use indicatif::{ProgressBar, ProgressStyle};

pub use self::restore::{Args as RestoreArgs, run as restore};
use crate::cli::DataArgs;
use crate::clock::machine_ms;
use crate::config::Config;

/// The bar is drawn this often at most.
const BAR_EVERY: Duration = Duration::from_millis(200);

/// Arguments of `dancu backup`.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Nơi có dữ liệu.
    #[command(flatten)]
    place: DataArgs,
    /// Thư mục sao lưu sẽ lập; chưa được có sẵn (the folder to make).
    #[arg(long, required = true)]
    to: Option<PathBuf>,
    /// Bản sao lưu trước: phần không đổi được dùng lại (an earlier backup to build on).
    #[arg(long)]
    base: Option<PathBuf>,
    /// Không liên kết hay chép phần của bản trước, chỉ ghi đường dẫn (name the base's files).
    #[arg(long, requires = "base")]
    by_path: bool,
    /// Tệp nhận các khóa đã bọc, để ngoài bản sao lưu (the wrapped keys, kept elsewhere).
    #[arg(long)]
    keys: Option<PathBuf>,
    /// In kết quả cho máy đọc.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Kiểm tra một bản sao lưu mà không khôi phục (check a backup without restoring it).
    Verify(VerifyArgs),
}

/// Arguments of `dancu backup verify`.
#[derive(clap::Args)]
struct VerifyArgs {
    /// Thư mục sao lưu.
    dir: PathBuf,
    /// Tệp khóa; có nó và khóa chủ thì mọi khung, dòng và mục nhật ký đều được mở ra kiểm tra.
    #[arg(long)]
    keys: Option<PathBuf>,
    /// Nơi có khóa chủ.
    #[command(flatten)]
    place: DataArgs,
    /// In kết quả cho máy đọc.
    #[arg(long)]
    json: bool,
}

/// Makes or checks a backup. Exit 0 fine, 1 failed or not sound.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match (&args.command, &args.to) {
        (Some(Command::Verify(args)), _) => verify(args),
        (None, Some(to)) => make(args, to),
        (None, None) => Ok(ExitCode::from(2)),
    }
}

fn make(args: &Args, to: &Path) -> anyhow::Result<ExitCode> {
    let config = args.place.configuration()?;
    let (site, keys) = (site(&config)?, keyring(&config)?);
    let (started, bar) = (crate::clock::steady(), bar("sao lưu"));
    let making = Making {
        site: &site,
        keys: &keys,
        to,
        base: args.base.as_deref(),
        by_path: args.by_path,
        keys_to: args.keys.as_deref(),
        now: Moment(machine_ms()),
        program: env!("CARGO_PKG_VERSION"),
    };
    let made = backup::make(&making, &mut |now| show(&bar, now));
    bar.finish_and_clear();
    let made = made.context("chưa sao lưu được (no backup was made)")?;
    report::made(&made, to, args.keys.as_deref(), started.elapsed(), args.json);
    Ok(ExitCode::SUCCESS)
}

fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let keys = match &args.keys {
        Some(path) => Some(opened(path, &args.place.configuration()?)?.0),
        None => None,
    };
    let (started, bar) = (crate::clock::steady(), bar("kiểm tra"));
    let checked = backup::verify(&args.dir, keys.as_ref(), &mut |now| show(&bar, now));
    bar.finish_and_clear();
    let checked = checked.context("bản sao lưu không dùng được (the backup cannot be used)")?;
    report::checked(&checked, started.elapsed(), args.json);
    Ok(ExitCode::from(u8::from(!checked.is_sound())))
}

/// Where a configuration says that the data is.
fn site(config: &Config) -> anyhow::Result<Site> {
    Ok(match config.database.open()? {
        Some(database) => Site::Server(Box::new(database.settings)),
        None => Site::Folder(config.data.clone()),
    })
}

/// An empty keyring under the master key of a folder or the environment.
fn keyring(config: &Config) -> anyhow::Result<Keyring> {
    let keys = Keyring::of_folder(&config.data, &config.keys.source()?);
    keys.with_context(|| {
        format!(
            "đặt master.key của dữ liệu này vào {}, hoặc dùng biến DANCU_MASTER_KEY (put the \
             master key of this data there)",
            config.data.display()
        )
    })
}

/// The keys of a file, unwrapped.
fn opened(path: &Path, config: &Config) -> anyhow::Result<(Keyring, KeyFile)> {
    let (file, keys) = (KeyFile::read(path)?, keyring(config)?);
    file.unwrap_into(&keys)?;
    Ok((keys, file))
}

/// A bar on stderr; nothing where it is no terminal.
fn bar(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(0);
    let style = "{msg} {bar:40} {pos}/{len} phần, {elapsed}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar.enable_steady_tick(BAR_EVERY);
    bar
}

fn show(bar: &ProgressBar, now: Progress) {
    bar.set_length(now.of);
    bar.set_position(now.parts);
}
