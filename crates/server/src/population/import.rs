//! Reads a population file into an empty registry: first every row is checked, then all are loaded.
//!
//! **Invariant:** the registry is replaced as a whole or not at all. **Invariant:** memory grows
//! by a few bytes per row and about a hundred per household, never by the records themselves.

mod check;
mod lines;
mod load;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::path::Path;

use anyhow::{Context as _, bail};
use dancu_store::Store;
use jiff::civil::Date;
use serde::Serialize;

use super::csv::read::Warning;
use super::csv::{COLUMNS, RowError};

/// Wrong rows that a report lists; it counts them all.
const ERRORS_LISTED_MAX: usize = 1_000;

/// Whether a file can be read at all.
///
/// # Errors
/// Names the file and why not.
pub fn readable(path: &Path) -> anyhow::Result<()> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("không đọc được {shown} (population)"))?;
    State::of(&file).with_context(|| format!("không đọc được {shown} (population)")).map(drop)
}

/// What an import found and did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// Rows of the file, without header and empty lines.
    pub rows: u64,
    /// People loaded; none where a row was wrong and wrong rows were not to be skipped.
    pub loaded: u64,
    /// Wrong rows, each counted once by its first fault.
    pub bad: u64,
    /// The first 1,000 wrong rows, by line.
    pub errors: Vec<RowError>,
    /// What is odd about rows that are right; such rows are loaded as they are.
    pub warnings: Vec<Warned>,
}

/// How many rows have one oddity.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Warned {
    /// Its column.
    pub column: &'static str,
    /// What is odd.
    pub message_vi: &'static str,
    /// Rows.
    pub rows: u64,
}

/// The oddities that were found at all.
fn warned(checked: &check::Checked) -> Vec<Warned> {
    let counted = Warning::ALL.into_iter().zip(checked.warned).filter(|(_, rows)| *rows > 0);
    let of = |(warning, rows): (Warning, u64)| Warned {
        column: COLUMNS[warning.column()],
        message_vi: warning.message_vi(),
        rows,
    };
    counted.map(of).collect()
}

impl Report {
    /// Whether every row was right.
    pub fn is_clean(&self) -> bool {
        self.bad == 0
    }

    /// The report for machines: one JSON object, without line end.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// For people: the wrong rows, then what was done.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for RowError { row, column, message_vi } in &self.errors {
            if column.is_empty() {
                writeln!(f, "dòng {row}: {message_vi}")?;
            } else {
                writeln!(f, "dòng {row}, cột {column}: {message_vi}")?;
            }
        }
        let unlisted = self.bad - self.errors.len() as u64;
        if unlisted > 0 {
            writeln!(f, "… và {unlisted} dòng sai nữa (more wrong rows)")?;
        }
        for Warned { column, message_vi, rows } in &self.warnings {
            writeln!(f, "lưu ý: {rows} dòng, cột {column}: {message_vi} (rows with a warning)")?;
        }
        let Self { rows, loaded, bad, .. } = self;
        if self.is_clean() {
            writeln!(f, "Đã nạp {loaded} người (imported).")
        } else if *loaded > 0 {
            writeln!(
                f,
                "Đã nạp {loaded} trong {rows} dòng, bỏ {bad} dòng sai (wrong rows skipped)."
            )
        } else {
            writeln!(
                f,
                "{bad} trong {rows} dòng sai, chưa nạp gì: sửa tệp, hoặc thêm --skip-bad để nạp \
                 các dòng đúng (nothing imported)."
            )
        }
    }
}

/// Imports a file, plain or compressed with zstd. `today` bounds the dates and stamps rows without
/// sources. Where a row is wrong nothing is loaded, or with `skip_bad` the other rows are.
/// `progress` gets the lines checked so far, then from 0 again the people loaded so far.
pub fn run(
    store: &Store,
    from: &Path,
    today: Date,
    skip_bad: bool,
    progress: &dyn Fn(u64),
) -> anyhow::Result<Report> {
    if store.registry().count()? > 0 {
        bail!("kho dân cư đã có dữ liệu: dùng thư mục mới (the registry is not empty)");
    }
    let opened = || format!("không đọc được tệp {} (cannot read)", from.display());
    let file = File::open(from).with_context(opened)?;
    let state = State::of(&file).with_context(opened)?;
    let checked = check::run(&file, today, progress).with_context(opened)?;
    let mut report = Report {
        rows: checked.rows,
        loaded: 0,
        bad: checked.bad,
        errors: checked.errors.clone(),
        warnings: warned(&checked),
    };
    if checked.good() > 0 && (skip_bad || report.is_clean()) {
        let loader = load::run(store, &file, &checked, today, progress).with_context(opened)?;
        if State::of(&file)? != state {
            bail!(CHANGED);
        }
        report.loaded = loader.finish()?;
        store.registry().reopen();
    }
    Ok(report)
}

/// The second reading must find what the first one checked.
const CHANGED: &str = "tệp bị sửa trong khi đọc, chưa nạp gì (the file changed while it was read)";

/// Length and time of change.
#[derive(PartialEq, Eq)]
struct State(u64, std::time::SystemTime);

impl State {
    fn of(file: &File) -> anyhow::Result<Self> {
        let about = file.metadata()?;
        if !about.is_file() {
            bail!("phải là tệp thường vì được đọc hai lần (not a regular file)");
        }
        Ok(Self(about.len(), about.modified()?))
    }
}
