//! `dancu statement`: whether a downloaded statement is what the centre signed. It needs the two
//! files and the centre's key line, and no data folder.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use dancu_domain::statements::{FORMAT, NOTE, Statement};

use crate::cli::say;
use crate::log_key::{sha256, verified};

/// Largest file that is read, bytes: a statement of a busy system is some tens of KB.
const FILE_MAX: u64 = 16 * 1024 * 1024;

/// The files of a statement.
#[derive(clap::Args)]
pub struct Args {
    /// Tệp JSON của bản xác nhận.
    json: PathBuf,
    /// Tệp chữ ký (.note) của bản xác nhận.
    note: PathBuf,
    /// Dòng khóa công khai của nhật ký Trung tâm (log key line).
    #[arg(long)]
    key: String,
}

/// Checks one; exit 1 where it is not what was signed.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (json, note) = (read(&args.json)?, read(&args.note)?);
    Ok(match fits(&json, &note, &args.key) {
        Ok(statement) => {
            let journal = &statement.journal;
            say!(
                "Đúng (genuine): {} {} {}, {} mục nhật ký, gốc {}.",
                statement.number,
                statement.system.code,
                statement.month,
                journal.end - journal.first,
                journal.root_hash
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            say!("Không đúng (not genuine): {error:#}");
            ExitCode::FAILURE
        }
    })
}

/// The statement, where its note names it and the key signed the note.
///
/// # Errors
/// What does not fit.
pub fn fits(json: &str, note: &str, key: &str) -> anyhow::Result<Statement> {
    let signed = verified(key, note)?;
    let statement = super::parse(json)?;
    ensure!(statement.format == FORMAT, "phiên bản khác (another format): {}", statement.format);
    let expected = dancu_domain::statements::note(&statement.number, &sha256(json.as_bytes()));
    ensure!(signed.starts_with(NOTE), "chữ ký của văn bản khác (a note about something else)");
    ensure!(signed == expected, "chữ ký không phải của tệp này (the note is of another file)");
    ensure!(statement.journal.first <= statement.journal.end, "journal");
    Ok(statement)
}

fn read(path: &Path) -> anyhow::Result<String> {
    let told = || path.display().to_string();
    let length = std::fs::metadata(path).with_context(told)?.len();
    ensure!(length <= FILE_MAX, "{}: tệp quá lớn (too large)", told());
    std::fs::read_to_string(path).with_context(told)
}
