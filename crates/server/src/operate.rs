//! `dancu operate`: named acts of the operator: temporary raises (D8), lifting a lock (D3), states
//! of connections and accounts (B3, E3), client certificates, units (B4), invitations of heads and
//! of the centre's staff (E1). Each is one transaction with its
//! journal entry. Where a process serves the folder it carries the act out (`control`), in force
//! for the next query; otherwise the command opens the data itself, on PostgreSQL beside the nodes
//! and with a folder of its own. The desks of the portal call the same functions.
//!
//! **Invariant:** an entry names, beside whoever the command says decided, the account of the
//! operating system that ran it: who calls by the socket is asked of the kernel.
//!
//! **Invariant:** what an act changes is decided inside its transaction, over what is registered
//! then: of two acts at the same time the second one builds on the first.

mod certificates;
mod imports;
mod invite;
mod statements;
#[cfg(test)]
mod tests;
mod units;
pub mod user;

use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use dancu_domain::ids::SystemCode;
use dancu_domain::moment::Moment;
use dancu_domain::people::MachineTime;
use dancu_domain::people::account::RevokeCause;
use dancu_domain::registration::{AccountState, ConnectionState, Snapshot, System};
use dancu_domain::service::{Service, Window};
use dancu_domain::text::fold;
use dancu_office::act::{Desk, Place};
use dancu_office::{self as office, Actor, Refused, locks, raises, states};
use dancu_store::Store;

use crate::cli::{self, say};
use crate::clock::{Clock, machine_ms};
use crate::control::{self, Door};
use crate::handlers::sandbox::OFFSET;

/// States of a connection that a command sets: it is prepared by its dossier alone.
const CONNECTIONS: [ConnectionState; 4] = [
    ConnectionState::Live,
    ConnectionState::Suspended,
    ConnectionState::Locked,
    ConnectionState::Closed,
];
/// Known names that an error lists at most: more would not be read.
const SHOWN_MAX: usize = 12;

/// Acts of the operator; the body of `POST /operate`.
#[derive(clap::Subcommand, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Command {
    /// Tăng tạm thời số lượt của một dòng (D8); trên 2 lần phải có hai người duyệt.
    Raise {
        /// Dòng dịch vụ.
        #[command(flatten)]
        line: LineArgs,
        /// Số lượt thêm mỗi ngày.
        #[arg(long)]
        extra: u32,
        /// Số ngày có hiệu lực, tính từ bây giờ.
        #[arg(long, default_value_t = 1)]
        days: u32,
    },
    /// Mở khóa một dòng bị khóa vì vượt số lượt (D3).
    Lift {
        /// Dòng dịch vụ.
        #[command(flatten)]
        line: LineArgs,
    },
    /// Đổi trạng thái một kết nối: live, suspended, locked, closed (B3).
    Connection {
        /// Chung.
        #[command(flatten)]
        who: WhoArgs,
        /// Trạng thái mới.
        #[arg(long, value_parser = CONNECTIONS.map(ConnectionState::code))]
        state: String,
    },
    /// Đổi trạng thái một tài khoản: live, suspended, locked, revoked (E3).
    Account {
        /// Chung.
        #[command(flatten)]
        who: WhoArgs,
        /// Tên đăng nhập.
        #[arg(long)]
        login: String,
        /// Trạng thái mới.
        #[arg(long, value_parser = AccountState::ALL.map(AccountState::code))]
        state: String,
        /// Vì sao thu hồi.
        #[arg(long, default_value = RevokeCause::Left.code(),
              value_parser = RevokeCause::ALL.map(RevokeCause::code))]
        #[serde(default = "left")]
        cause: String,
    },
    /// Chứng thư khách của một hệ thống (mutual TLS): thêm, bỏ, có bắt buộc hay không.
    Certificates {
        /// Chung.
        #[command(flatten)]
        who: WhoArgs,
        /// Thay đổi.
        #[command(flatten)]
        change: certificates::Change,
    },
    /// Cây đơn vị: nạp danh mục hành chính, thành lập, đổi tên, sáp nhập, liệt kê (B4).
    Units {
        /// Việc cần làm.
        #[command(subcommand)]
        command: units::Command,
    },
    /// Mời thủ trưởng một đơn vị, hoặc nhân sự của Trung tâm; mã mời chỉ hiện một lần (E1).
    Invite(invite::Args),
    /// Nhập một lần các kết nối đang chạy từ bảng tính theo mẫu; hồ sơ hoàn thiện theo đợt (B4).
    ImportLive(imports::Args),
    /// Bản xác nhận dịch vụ hằng tháng: lập các bản đến hạn, đếm lại, lập bản thay (A7).
    Statements(statements::Args),
}

/// Who acts, and why, where it is about no system.
#[derive(clap::Args, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByArgs {
    /// Nơi có dữ liệu, đang phục vụ hay không.
    #[command(flatten)]
    #[serde(skip)]
    place: cli::DataArgs,
    /// Lý do.
    #[arg(long)]
    reason: String,
    /// Người quyết định.
    #[arg(long, required = true)]
    by: Vec<String>,
}

/// Who acts on what, and why.
#[derive(clap::Args, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhoArgs {
    /// Nơi có dữ liệu, đang phục vụ hay không.
    #[command(flatten)]
    #[serde(skip)]
    place: cli::DataArgs,
    /// Mã hệ thống.
    #[arg(long)]
    system: String,
    /// Lý do.
    #[arg(long)]
    reason: String,
    /// Người quyết định; nêu hai lần khi cần hai người.
    #[arg(long, required = true)]
    by: Vec<String>,
}

/// A line and who acts on it.
#[derive(clap::Args, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineArgs {
    #[command(flatten)]
    who: WhoArgs,
    /// Dịch vụ, ví dụ citizen.verify.
    #[arg(long)]
    service: String,
    /// Khung giờ: inHours hoặc offHours.
    #[arg(long, value_parser = ["inHours", "offHours"])]
    window: String,
}

/// What an act did; the answer of `POST /operate`.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Done {
    /// Index of its journal entry; none where nothing was changed.
    pub index: Option<u64>,
    /// What the entry says of it, or what was asked for.
    pub detail: String,
    /// What is told this once and stands nowhere.
    #[serde(default)]
    pub secret: Option<String>,
}

impl From<office::Done> for Done {
    fn from(done: office::Done) -> Self {
        Self { index: Some(done.index), detail: done.detail, secret: None }
    }
}

/// Carries one act out, by the process that serves the folder or alone.
pub fn run(command: Command) -> anyhow::Result<ExitCode> {
    if let Command::ImportLive(args) = &command
        && args.template
    {
        args.write_template()?;
        return Ok(ExitCode::SUCCESS);
    }
    let asked = command.who();
    Who::of(asked)?;
    let config = asked.place.configuration()?;
    let command = command.with_files()?;
    let asked = serde_json::to_value(&command)?;
    let done = match control::door(&config, ("POST", "/operate"), Some(&asked))? {
        Door::Served(answer) => {
            serde_json::from_value(answer).context("trả lời lạ (odd answer)")?
        }
        Door::Alone(store) => {
            let now = now(&store)?;
            let runtime = crate::serve::runtime()?;
            let done = runtime.block_on(carry_out((&store, now), &command, &user::own()));
            store.stop();
            done?
        }
    };
    say!("{}", done.detail);
    if let Some(secret) = &done.secret {
        say!("Mã mời, chỉ hiện lần này (shown this once): {secret}");
    }
    match done.index {
        Some(index) => say!("Đã thực hiện, mục nhật ký #{index} (done, journal entry)."),
        None => say!("Không thay đổi gì (nothing was changed)."),
    }
    Ok(ExitCode::SUCCESS)
}

/// Why an account was revoked where the command does not say: most people who go leave.
fn left() -> String {
    RevokeCause::Left.code().into()
}

/// Carries one act out. `account`: of the operating system, which runs the command ([`user`]).
///
/// # Errors
/// The text of what does not allow it.
pub async fn carry_out(
    (store, now): (&Store, Moment),
    command: &Command,
    account: &str,
) -> anyhow::Result<Done> {
    let who = Who { account, ..Who::of(command.who())? };
    match command {
        Command::Units { command } => units::carry_out((store, now), &who, command).await,
        Command::Invite(args) => invite::carry_out((store, now), &who, args).await,
        Command::ImportLive(args) => imports::carry_out((store, now), &who, args).await,
        Command::Statements(args) => statements::carry_out((store, now), &who, args).await,
        _ => {
            let snapshot = store.snapshot(now)?;
            act(store, &snapshot, now, &who, command).await
        }
    }
}

impl Command {
    fn who(&self) -> Asked<'_> {
        match self {
            Self::Raise { line, .. } | Self::Lift { line } => (&line.who).into(),
            Self::Connection { who, .. }
            | Self::Account { who, .. }
            | Self::Certificates { who, .. } => who.into(),
            Self::Units { command } => command.who().into(),
            Self::Invite(args) => (&args.who).into(),
            Self::ImportLive(args) => (&args.who).into(),
            Self::Statements(args) => (&args.who).into(),
        }
    }

    /// With what stands in the files that it names: whoever carries it out may be in another
    /// folder and read with other rights.
    fn with_files(mut self) -> anyhow::Result<Self> {
        match &mut self {
            Self::Certificates { change, .. } => change.read_files()?,
            Self::ImportLive(args) => args.read_file()?,
            _ => {}
        }
        Ok(self)
    }
}

/// Where, by whom and why, as the command line has it.
#[derive(Clone, Copy)]
struct Asked<'a> {
    place: &'a cli::DataArgs,
    /// The system it is about; none where it is about none.
    system: &'a str,
    reason: &'a str,
    by: &'a [String],
}

impl<'a> From<&'a WhoArgs> for Asked<'a> {
    fn from(args: &'a WhoArgs) -> Self {
        Self { place: &args.place, system: &args.system, reason: &args.reason, by: &args.by }
    }
}

impl<'a> From<&'a ByArgs> for Asked<'a> {
    fn from(args: &'a ByArgs) -> Self {
        Self { place: &args.place, system: "", reason: &args.reason, by: &args.by }
    }
}

/// Who acts and why, as it is journaled.
struct Who<'a> {
    system: &'a str,
    reason: &'a str,
    /// Each person once.
    by: Vec<&'a str>,
    /// The account of the operating system.
    account: &'a str,
}

impl<'a> Who<'a> {
    /// Refuses acts of nobody and for no reason. One name in two spellings is one person.
    fn of(asked: impl Into<Asked<'a>>) -> anyhow::Result<Self> {
        let asked = asked.into();
        let reason = asked.reason.trim();
        ensure!(!reason.is_empty(), "cần lý do (a reason is needed)");
        let mut by: Vec<&str> = vec![];
        for name in asked.by.iter().map(|name| name.trim()) {
            let folded = fold(name);
            ensure!(!folded.is_empty(), "--by cần tên người quyết định (who decides)");
            if by.iter().all(|known| fold(known) != folded) {
                by.push(name);
            }
        }
        Ok(Self { system: asked.system, reason, by, account: "" })
    }

    fn actor(&self) -> Actor {
        let names = self.by.iter().map(|&name| name.to_owned()).collect();
        Actor::Named { names, account: self.account.to_owned() }
    }
}

/// The product's time: a sandbox folder goes on with its own clock.
pub fn now(store: &Store) -> anyhow::Result<Moment> {
    match store.meta(OFFSET)?.and_then(|t| t.parse::<i64>().ok()) {
        Some(offset) => Ok(Moment(machine_ms() + offset).max(store.last_at())),
        None => Ok(Clock::of_centre(store)?.now()),
    }
}

async fn act(
    store: &Store,
    snapshot: &Snapshot,
    now: Moment,
    who: &Who<'_>,
    command: &Command,
) -> anyhow::Result<Done> {
    let system = system(snapshot, who.system)?;
    let actor = who.actor();
    let machine = MachineTime(machine_ms());
    let desk = Desk { store, system, now, machine, actor: &actor, reason: who.reason };
    let done = match command {
        Command::Raise { line: args, extra, days } => {
            raises::grant(&desk, &line(system, args)?, *extra, *days).await
        }
        Command::Lift { line: args } => locks::lift(&desk, &line(system, args)?).await,
        Command::Certificates { change, .. } => {
            office::certificates::set(&desk, certificates::wanted(change)?).await
        }
        Command::Connection { state, .. } => {
            let found = CONNECTIONS.into_iter().find(|known| known.code() == state.as_str());
            let state = found.ok_or_else(|| unknown_word(state))?;
            states::connection(&desk, state).await
        }
        Command::Account { login, state, cause, .. } => {
            let found = system.accounts.find(login);
            let id = found.context("hệ thống không có tài khoản này (unknown account)")?.id;
            let state = AccountState::from_code(state).ok_or_else(|| unknown_word(state))?;
            let cause = RevokeCause::from_code(cause).ok_or_else(|| unknown_word(cause))?;
            states::account(&desk, id, state, cause).await
        }
        Command::Units { .. }
        | Command::Invite(_)
        | Command::ImportLive(_)
        | Command::Statements(_) => Err(Refused::Gone),
    };
    Ok(done.map_err(told)?.into())
}

/// What the office refuses, with the options of the command that would mend it.
fn told(refused: Refused) -> anyhow::Error {
    match refused {
        Refused::NoExtra => {
            anyhow::anyhow!("số lượt thêm phải lớn hơn 0 (--extra must be above 0, D8)")
        }
        Refused::Term(days) => anyhow::anyhow!("thời hạn từ 1 đến {days} ngày (--days, D8)"),
        Refused::TwoApprovers { limit, factor, daily } => anyhow::anyhow!(
            "dòng sẽ thành {limit} lượt, trên {factor} lần số đăng ký {daily}: cần hai người duyệt \
             khác nhau, --by A --by B (two different approvers above {factor} times the \
             registered count, D8)"
        ),
        Refused::Store(error) => error.into(),
        other => other.into(),
    }
}

/// The system of a code; an unknown one is told with those there are.
fn system<'a>(snapshot: &'a Snapshot, code: &str) -> anyhow::Result<&'a System> {
    let found = SystemCode::parse(code).ok().and_then(|code| snapshot.by_code(&code));
    found.map(AsRef::as_ref).with_context(|| {
        let mut known: Vec<&str> = snapshot.systems().iter().map(|s| s.code.as_str()).collect();
        known.sort_unstable();
        let more = if known.len() > SHOWN_MAX { ", …" } else { "" };
        known.truncate(SHOWN_MAX);
        let known = if known.is_empty() { "–".to_owned() } else { known.join(", ") };
        format!("không có hệ thống {code:?} (unknown system); có (known): {known}{more}")
    })
}

/// The line that the arguments name.
fn line<'a>(system: &'a System, args: &LineArgs) -> anyhow::Result<Place<'a>> {
    let Some(service) = Service::from_code(&args.service) else {
        let known: Vec<&str> = Service::ALL.iter().map(|s| s.code()).collect();
        let known = known.join(", ");
        bail!("không có dịch vụ {:?} (unknown service); có (known): {known}", args.service);
    };
    let window = match args.window.as_str() {
        "inHours" => Window::InHours,
        "offHours" => Window::OffHours,
        other => return Err(unknown_word(other)),
    };
    let grant = system.service(service);
    let grant = grant.context("hệ thống chưa đăng ký dịch vụ này (service not granted, A4)")?;
    let line = grant.line(window);
    let line = line.context("dịch vụ chưa đăng ký cho khung giờ này (no line in it, B5)")?;
    Ok(Place { service, window, line })
}

/// A word that the command line would have refused came through the socket: nothing is done, least
/// of all what is final.
fn unknown_word(word: &str) -> anyhow::Error {
    anyhow::anyhow!("không hiểu {word:?} (unknown word)")
}
