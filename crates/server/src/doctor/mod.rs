//! `dancu doctor`: looks at everything a centre stands on and says how to mend what is wrong.
//!
//! Each check is a function that returns what it found; none of them stops another. To add one:
//! a function in the file of its subject and a line in [`all`].

mod certificates;
mod credentials;
mod databases;
mod folder;
mod machine;
mod mail;
mod masters;
mod store;
mod webhooks;

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use crate::cli::say;
use crate::config::Config;

/// Arguments of `dancu doctor`.
#[derive(clap::Args)]
pub struct Args {
    /// Tệp cấu hình TOML; không có thì kiểm tra theo giá trị mặc định.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Thư mục dữ liệu, thay cho thư mục trong cấu hình.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Mở mọi mục nhật ký thay vì 1.000 mục cuối, đọc hết các tệp dữ liệu lớn.
    #[arg(long)]
    full: bool,
    /// In kết quả cho máy đọc.
    #[arg(long)]
    json: bool,
}

/// How a check ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum State {
    /// As it should be.
    Ok,
    /// Works, but somebody should look at it.
    Warn,
    /// Has to be mended.
    Fail,
}

impl State {
    const fn mark(self) -> &'static str {
        match self {
            Self::Ok => "✓",
            Self::Warn => "!",
            Self::Fail => "✗",
        }
    }
}

/// What a check found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Check {
    /// Stable word for machines.
    name: &'static str,
    /// For people, Vietnamese first.
    title: &'static str,
    state: State,
    found: String,
    /// How to mend it; nothing where there is nothing to mend.
    mend: Option<&'static str>,
}

impl Check {
    /// A finding with the cure that is shown where one is needed.
    fn new([name, title, mend]: [&'static str; 3], state: State, found: impl Into<String>) -> Self {
        let mend = (state != State::Ok).then_some(mend);
        Self { name, title, state, found: found.into(), mend }
    }
}

/// Everything found, as `--json` prints it.
#[derive(Serialize)]
struct Report {
    /// The worst state of all.
    state: State,
    checks: Vec<Check>,
}

/// Runs every check; exit 1 if one failed, warnings are 0.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let checks = match args.config.as_deref().map_or_else(Config::without_file, Config::read) {
        Ok(mut config) => {
            if let Some(data) = &args.data {
                config.data.clone_from(data);
            }
            all(&config, args)
        }
        Err(error) => vec![Check::new(CONFIG, State::Fail, format!("{error:#}"))],
    };
    let state = checks.iter().map(|c| c.state).max().unwrap_or(State::Ok);
    let report = Report { state, checks };
    if args.json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(ExitCode::from(u8::from(report.state == State::Fail)))
}

const CONFIG: [&str; 3] = [
    "config",
    "cấu hình (configuration)",
    "Sửa những dòng được nêu; `dancu config example` in mọi khóa (mend the lines named).",
];

fn all(config: &Config, args: &Args) -> Vec<Check> {
    let told = match &args.config {
        Some(path) => format!("{} hợp lệ (valid)", path.display()),
        None => "mặc định và biến môi trường (defaults and environment)".to_owned(),
    };
    let mut checks = vec![
        Check::new(CONFIG, State::Ok, told),
        machine::clock(),
        machine::profile(config.regulation.as_deref()),
        folder::disk(&config.data),
        folder::space(&config.data),
        folder::modes(&config.data),
        masters::check(&config.data),
        folder::log_files(&config.data),
    ];
    checks.extend(databases::checks(&config.data, args.full));
    let (opened, served) = store::checks(config, args.full);
    checks.extend(opened);
    checks.extend([
        certificates::check(config),
        mail::check(config),
        webhooks::check(config),
        machine::port(config.listen, served),
        machine::memory(),
        machine::open_files(config.http.max_connections),
    ]);
    checks
}

fn print(report: &Report) {
    for check in &report.checks {
        say!("{} {}: {}", check.state.mark(), check.title, check.found);
        if let Some(mend) = check.mend {
            say!("    → {mend}");
        }
    }
    let count = |state| report.checks.iter().filter(|c| c.state == state).count();
    say!(
        "{} đạt, {} cần xem, {} phải sửa (ok, warnings, failures)",
        count(State::Ok),
        count(State::Warn),
        count(State::Fail)
    );
}
