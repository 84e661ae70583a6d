//! `dancu operate`: named acts of the operator: temporary raises (D8), lifting a lock (D3), states
//! of connections and accounts (B3, E3). Each is one transaction with its journal entry. Where a
//! process serves the folder it carries the act out (`control`), in force for the next query;
//! otherwise the command opens the data itself, on PostgreSQL beside the nodes and with a folder
//! of its own. The operator's desk comes with the portal.

mod certificates;

use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use dancu_domain::ids::SystemCode;
use dancu_domain::moment::Moment;
use dancu_domain::registration::{AccountState, ConnectionState, Raise, Snapshot, System};
use dancu_domain::service::{Service, Window};
use dancu_domain::text::fold;
use dancu_journal::{Act, Body};
use dancu_store::{Store, policy};

use crate::cli;
use crate::clock::{Clock, machine_ms};
use crate::control::{self, Door};
use crate::handlers::sandbox::OFFSET;

/// Longest raise: a quarter, after which the count itself is reviewed (B9).
const RAISE_DAYS_MAX: u32 = 92;

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
        #[arg(long, value_parser = ["live", "suspended", "locked", "closed"])]
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
        #[arg(long, value_parser = ["live", "suspended", "locked", "revoked"])]
        state: String,
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

/// Carries one act out, by the process that serves the folder or alone.
pub fn run(command: &Command) -> anyhow::Result<ExitCode> {
    let who = Who::of(command.who())?;
    let config = who.args.place.configuration()?;
    let asked = serde_json::to_value(command)?;
    let index = match control::door(&config, ("POST", "/operate"), Some(&asked))? {
        Door::Served(answer) => answer["index"].as_u64().context("trả lời lạ (odd answer)")?,
        Door::Alone(store) => {
            let now = now(&store)?;
            let done = crate::serve::runtime()?.block_on(carry_out(&store, now, command));
            store.stop();
            done?
        }
    };
    println!("Đã thực hiện, mục nhật ký #{index} (done, journal entry).");
    Ok(ExitCode::SUCCESS)
}

/// Carries one act out and gives the index of its entry.
pub async fn carry_out(store: &Store, now: Moment, command: &Command) -> anyhow::Result<u64> {
    let who = Who::of(command.who())?;
    let snapshot = store.snapshot(now)?;
    act(store, &snapshot, now, &who, command).await
}

impl Command {
    fn who(&self) -> &WhoArgs {
        match self {
            Self::Raise { line, .. } | Self::Lift { line } => &line.who,
            Self::Connection { who, .. }
            | Self::Account { who, .. }
            | Self::Certificates { who, .. } => who,
        }
    }
}

/// Who acts and why, as it is journaled.
struct Who<'a> {
    args: &'a WhoArgs,
    reason: &'a str,
    /// Each person once.
    by: Vec<&'a str>,
}

impl<'a> Who<'a> {
    /// Refuses acts of nobody and for no reason. One name in two spellings is one person.
    fn of(args: &'a WhoArgs) -> anyhow::Result<Self> {
        let reason = args.reason.trim();
        ensure!(!reason.is_empty(), "cần lý do (a reason is needed)");
        let mut by: Vec<&str> = vec![];
        for name in args.by.iter().map(|name| name.trim()) {
            let folded = fold(name);
            ensure!(!folded.is_empty(), "--by cần tên người quyết định (who decides)");
            if by.iter().all(|known| fold(known) != folded) {
                by.push(name);
            }
        }
        Ok(Self { args, reason, by })
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
) -> anyhow::Result<u64> {
    let code = SystemCode::parse(&who.args.system)?;
    let system = snapshot.by_code(&code).context("không có hệ thống này (unknown system)")?;
    match command {
        Command::Raise { line, extra, days } => {
            raise(store, system, now, (who, line), (*extra, *days)).await
        }
        Command::Lift { line } => lift(store, system, now, who, line).await,
        Command::Certificates { change, .. } => {
            certificates::set(store, system, now, who, change).await
        }
        Command::Connection { state, .. } => {
            let state = match state.as_str() {
                "live" => ConnectionState::Live,
                "suspended" => ConnectionState::Suspended,
                "locked" => ConnectionState::Locked,
                "closed" => ConnectionState::Closed,
                other => return Err(unknown_word(other)),
            };
            let (id, entry) = (system.id, entry("system.state", system, who, state.code()));
            let set = store.ledger().act(now, move |db, _| {
                policy::write::set_system_state(db, id, state)?;
                Ok(entry)
            });
            Ok(set.await?)
        }
        Command::Account { login, state, .. } => {
            let account = system.accounts.find(login).context("không có tài khoản này")?;
            let state = match state.as_str() {
                "live" => AccountState::Live,
                "suspended" => AccountState::Suspended,
                "locked" => AccountState::Locked,
                "revoked" => AccountState::Revoked,
                other => return Err(unknown_word(other)),
            };
            let id = account.id;
            let entry = entry("account.state", system, who, &format!("#{} {state:?}", id.0));
            let set = store.ledger().act(now, move |db, _| {
                policy::write::set_account_state(db, id, state)?;
                Ok(entry)
            });
            Ok(set.await?)
        }
    }
}

async fn raise(
    store: &Store,
    system: &System,
    now: Moment,
    (who, args): (&Who<'_>, &LineArgs),
    (extra, days): (u32, u32),
) -> anyhow::Result<u64> {
    ensure!(extra > 0, "số lượt thêm phải lớn hơn 0 (D8)");
    ensure!((1..=RAISE_DAYS_MAX).contains(&days), "thời hạn 1..{RAISE_DAYS_MAX} ngày (D8)");
    let line = line(system, args)?;
    let factor = store.profiles().at(now).two_approvers_above;
    let limit = line.limit(now).count.saturating_add(extra);
    if limit > line.daily.saturating_mul(factor) && who.by.len() < 2 {
        bail!(
            "tăng trên {factor} lần số đăng ký cần hai người duyệt khác nhau: --by A --by B (D8)"
        );
    }
    let to = now.plus_ms(i64::from(days) * dancu_domain::moment::DAY_MS);
    let raise = Raise { extra, approved_at: now, from: now, to };
    let detail = format!("{} {} +{extra} đến {}", args.service, args.window, to.rfc3339());
    let (id, entry) = (line.id, entry("line.raise", system, who, &detail));
    let granted = store.ledger().act(now, move |db, lines| {
        policy::write::insert_raise(db, id, raise)?;
        lines.raise_granted(id, &raise);
        Ok(entry)
    });
    Ok(granted.await?)
}

async fn lift(
    store: &Store,
    system: &System,
    now: Moment,
    who: &Who<'_>,
    args: &LineArgs,
) -> anyhow::Result<u64> {
    let (id, owner) = (line(system, args)?.id, system.id);
    ensure!(
        store.ledger().lines(|l| l.lock_in_force(owner, id, now)).is_some(),
        "dòng này không bị khóa (the line is not locked)"
    );
    let day = store.profiles().at(now).hours.duty(now).day;
    let detail = format!("{} {}", args.service, args.window);
    let entry = entry("line.lift", system, who, &detail);
    let lifted = store.ledger().act(now, move |_, lines| {
        lines.lift(owner, id, day, now);
        Ok(entry)
    });
    Ok(lifted.await?)
}

fn line<'a>(
    system: &'a System,
    args: &LineArgs,
) -> anyhow::Result<&'a dancu_domain::registration::Line> {
    let service = Service::from_code(&args.service).context("không có dịch vụ này")?;
    let window = match args.window.as_str() {
        "inHours" => Window::InHours,
        "offHours" => Window::OffHours,
        other => return Err(unknown_word(other)),
    };
    let grant = system.service(service).context("hệ thống chưa đăng ký dịch vụ này (A4)")?;
    grant.line(window).context("dịch vụ chưa đăng ký cho khung giờ này (B5)")
}

/// A word that the command line would have refused came through the socket: nothing is done, least
/// of all what is final.
fn unknown_word(word: &str) -> anyhow::Error {
    anyhow::anyhow!("không hiểu {word:?} (unknown word)")
}

fn entry(kind: &str, system: &System, who: &Who<'_>, detail: &str) -> Body {
    Body::Act(Act {
        kind: kind.into(),
        actor: who.by.join(", "),
        system: system.id.0,
        detail: format!("{} {detail}; lý do: {}", system.code, who.reason),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(by: &[&str]) -> WhoArgs {
        WhoArgs {
            place: cli::DataArgs::default(),
            system: "ONESTOP".into(),
            reason: " cao điểm ".into(),
            by: by.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    #[test]
    fn rule_d8_one_person_is_not_two_approvers() {
        let spellings = args(&["Trần Văn A", " trần văn a ", "TRAN VAN A"]);
        let who = Who::of(&spellings).unwrap();
        assert_eq!((who.by.as_slice(), who.reason), (&["Trần Văn A"][..], "cao điểm"));
        assert_eq!(Who::of(&args(&["A", "B"])).unwrap().by.len(), 2);
    }

    #[test]
    fn acts_of_nobody_are_refused() {
        for by in [&[""][..], &["  "], &["A", ""], &["."]] {
            assert!(Who::of(&args(by)).is_err(), "{by:?}");
        }
        assert!(Who::of(&WhoArgs { reason: " ".into(), ..args(&["A"]) }).is_err());
    }
}
