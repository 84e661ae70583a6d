//! Restoring a backup, and taking an older copy into use.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use dancu_office::Actor;
use dancu_store::backup;

use super::{bar, opened, report, show, site};
use crate::cli::{self, DataArgs};
use crate::operate;

/// Arguments of `dancu restore`.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Thư mục sao lưu (the backup).
    #[arg(long, required = true)]
    from: Option<PathBuf>,
    /// Tệp khóa đã bọc (the wrapped keys).
    #[arg(long, required = true)]
    keys: Option<PathBuf>,
    /// Nơi khôi phục: thư mục mới chỉ có master.key, hoặc cơ sở dữ liệu trống của tệp cấu hình.
    #[command(flatten)]
    place: DataArgs,
    /// In kết quả cho máy đọc.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Chấp nhận một bản dữ liệu cũ và ghi vào nhật ký (take an older copy into use).
    Accept(AcceptArgs),
}

/// Arguments of `dancu restore accept`.
#[derive(clap::Args)]
struct AcceptArgs {
    /// Nơi có dữ liệu, không đang phục vụ.
    #[command(flatten)]
    place: DataArgs,
    /// Người quyết định (who decides).
    #[arg(long)]
    actor: String,
    /// Lý do (why).
    #[arg(long)]
    reason: String,
    /// In kết quả cho máy đọc.
    #[arg(long)]
    json: bool,
}

/// Restores or accepts. Exit 0 fine, 1 failed, 2 bad use.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(Command::Accept(args)) = &args.command {
        return accept(args);
    }
    let Some((from, keys)) = args.from.as_ref().zip(args.keys.as_ref()) else {
        return Ok(ExitCode::from(2));
    };
    let config = args.place.configuration()?;
    let (site, (ring, file)) = (site(&config)?, opened(keys, &config)?);
    let (started, bar) = (crate::clock::steady(), bar(""));
    let restored = backup::restore(from, &site, &ring, &file, &mut |step, now| {
        bar.set_message(step);
        show(&bar, now);
    });
    bar.finish_and_clear();
    let restored = restored.context("chưa khôi phục được (nothing was restored)")?;
    report::restored(&restored, started.elapsed(), args.json);
    Ok(ExitCode::SUCCESS)
}

fn accept(args: &AcceptArgs) -> anyhow::Result<ExitCode> {
    let (actor, reason) = (args.actor.trim(), args.reason.trim());
    if actor.is_empty() || reason.is_empty() {
        eprintln!("dancu: cần --actor và --reason (who decides, and why)");
        return Ok(ExitCode::from(2));
    }
    let config = args.place.configuration()?;
    let store = cli::open_copy(&config)?;
    let now = operate::now(&store)?;
    let account = crate::operate::user::own();
    let actor = Actor::Named { names: vec![actor.to_owned()], account }.journaled();
    let accepted = crate::serve::runtime()?.block_on(store.accept_copy(now, &actor, reason));
    store.stop();
    report::accepted(&accepted?, args.json);
    Ok(ExitCode::SUCCESS)
}
