//! `dancu keys`: which keys there are, and their rotation. Where a process serves the folder it is
//! asked (`control`) and does the work beside the questions; where none does, the command opens
//! the data itself and works to the end.

pub mod config;
pub mod folder;
pub mod work;

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand, ValueEnum};
use dancu_domain::moment::Moment;
use dancu_store::Store;
use dancu_store::keys::master::make_next;
use dancu_store::rotation::{self, Kind, MasterTarget, Rotation, Runner, Step};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::say;
use crate::control::{self, Door};
use crate::{cli, operate, serve};

/// Exit code where the device that holds the master key refused its PIN (EX_NOPERM of sysexits.h):
/// the service manager must not start again by itself, since devices lock after a few wrong PINs.
/// `RestartPreventExitStatus` of the unit names it.
const PIN_REFUSED: u8 = 77;

/// The exit code of a command that failed: 1, or the one of a refused PIN.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    let refused = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref(), Some(dancu_store::Error::Pin(_)))
    };
    if error.chain().any(refused) { PIN_REFUSED } else { 1 }
}

/// What may be done with keys.
#[derive(Subcommand)]
pub enum Command {
    /// Liệt kê các khóa: mục đích, kỳ, khóa chủ, ngày (every key; never its value).
    List(Common),
    /// Khóa chủ, việc xoay khóa đang chạy (master key and the rotation under way).
    Status(Common),
    /// Xoay khóa: master, data, blind hoặc month (a new key of this kind).
    Rotate {
        /// Chung.
        #[command(flatten)]
        common: Common,
        /// Yêu cầu.
        #[command(flatten)]
        asked: Asked,
    },
    /// Làm tiếp việc xoay khóa còn dở (goes on with a rotation that was cut off).
    Resume(Common),
}

/// Where, and in which form.
#[derive(Args)]
pub struct Common {
    /// Nơi có dữ liệu.
    #[command(flatten)]
    place: cli::DataArgs,
    /// In kết quả cho máy đọc.
    #[arg(long)]
    json: bool,
}

/// A rotation that is asked for; the body of `POST /keys/rotate`.
#[derive(Args, Serialize, Deserialize, Clone)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Asked {
    /// Loại khóa.
    #[arg(value_enum)]
    what: What,
    /// Tháng của nhật ký, YYYYMM; bỏ trống: tháng này.
    #[arg(long, value_name = "YYYYMM")]
    month: Option<u32>,
    /// Khóa chủ mới ở đâu; bỏ trống: cùng nơi với khóa đang dùng.
    #[arg(long, value_enum)]
    to: Option<To>,
    /// Chỉ tạo master.key.next để chép sang các nút khác; chưa đổi gì.
    #[arg(long)]
    #[serde(default)]
    prepare: bool,
    /// Người quyết định, ghi vào nhật ký.
    #[arg(long, default_value = "người vận hành (operator)")]
    by: String,
}

/// Kinds of keys that are rotated.
#[derive(ValueEnum, Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "camelCase")]
pub enum What {
    /// Khóa chủ, bọc mọi khóa khác.
    Master,
    /// Khóa niêm phong bản ghi công dân và hộ.
    Data,
    /// Khóa của các mã tra cứu.
    Blind,
    /// Khóa nhật ký của một tháng.
    Month,
}

/// Where a master key is kept.
#[derive(ValueEnum, Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "camelCase")]
pub enum To {
    /// Tệp master.key, hoặc biến môi trường nếu đang dùng biến.
    File,
    /// Thiết bị PKCS#11 (mục keys của cấu hình).
    Device,
}

/// Carries one command out.
pub fn run(command: &Command) -> anyhow::Result<ExitCode> {
    let common = match command {
        Command::List(common)
        | Command::Status(common)
        | Command::Resume(common)
        | Command::Rotate { common, .. } => common,
    };
    let config = common.place.configuration()?;
    let asked = match command {
        Command::Rotate { asked, .. } => Some(asked),
        _ => None,
    };
    let body = asked.map(serde_json::to_value).transpose()?;
    let request = if body.is_some() { ("POST", "/keys/rotate") } else { ("GET", "/keys") };
    let (answer, served) = match control::door(&config, request, body.as_ref())? {
        Door::Served(answer) => (answer, true),
        Door::Alone(store) => {
            let works = matches!(command, Command::Rotate { .. } | Command::Resume(_));
            let answer = alone(&store, asked, works);
            store.stop();
            (answer?, false)
        }
    };
    if common.json {
        say!("{answer}");
    } else {
        say!("{}", shown(command, &answer, served).trim_end());
    }
    Ok(ExitCode::SUCCESS)
}

/// Does what was asked for on data that nobody serves from this folder, to its end.
fn alone(store: &Store, asked: Option<&Asked>, works: bool) -> anyhow::Result<Value> {
    let (runtime, now) = (serve::runtime()?, operate::now(store)?);
    let Some(asked) = asked else {
        if works {
            finish(store, &runtime)?;
        }
        return status(store);
    };
    let mut answer = runtime.block_on(rotate(store, now, asked))?;
    finish(store, &runtime)?;
    if !answer["rotation"].is_null() {
        answer["ended"] = json!(status(store)?["rotation"].is_null());
    }
    Ok(answer)
}

/// Runs the rotation under way to its end, or until another node has it.
fn finish(store: &Store, runtime: &tokio::runtime::Runtime) -> anyhow::Result<()> {
    let mut runner = Runner::default();
    loop {
        let now = operate::now(store)?;
        match runtime.block_on(runner.slice(store, now))? {
            Step::Worked => {}
            Step::Idle | Step::Elsewhere | Step::Finished(_) => return Ok(()),
        }
    }
}

/// Begins a rotation, or changes the master key. What is left is done in slices by whoever serves.
pub async fn rotate(store: &Store, now: Moment, asked: &Asked) -> anyhow::Result<Value> {
    let by = asked.by.trim();
    ensure!(!by.is_empty(), "--by cần tên người quyết định (who decides)");
    ensure!(
        asked.what == What::Master || (asked.to.is_none() && !asked.prepare),
        "--to và --prepare chỉ dùng cho khóa chủ (for the master key only)"
    );
    ensure!(
        asked.what == What::Month || asked.month.is_none(),
        "--month chỉ dùng với month (for months only)"
    );
    let kind = match asked.what {
        What::Master => return master(store, now, asked, by).await,
        What::Data => Kind::Data,
        What::Blind => Kind::Blind,
        What::Month => Kind::Month,
    };
    let month = match kind {
        Kind::Month => Some(month(asked.month, now)?),
        Kind::Data | Kind::Blind => None,
    };
    let begun = rotation::begin(store, now, kind, month, by).await?;
    Ok(json!({ "rotation": rotation_json(&begun) }))
}

/// The month that is meant, as yyyymm.
fn month(asked: Option<u32>, now: Moment) -> anyhow::Result<u32> {
    let date = now.viet_nam_date();
    let this = u32::from(date.year().unsigned_abs()) * 100 + u32::from(date.month().unsigned_abs());
    let month = asked.unwrap_or(this);
    ensure!(
        (1..=12).contains(&(month % 100)) && (200_001..=219_912).contains(&month),
        "--month cần dạng YYYYMM, ví dụ 202611 (a month as YYYYMM)"
    );
    Ok(month)
}

async fn master(store: &Store, now: Moment, asked: &Asked, by: &str) -> anyhow::Result<Value> {
    let status = rotation::status(store)?;
    let on_device = status
        .masters
        .iter()
        .any(|m| Some(m.id) == status.master && m.place.starts_with("PKCS#11"));
    let to = asked.to.unwrap_or(if on_device { To::Device } else { To::File });
    if asked.prepare {
        ensure!(to == To::File, "--prepare chỉ dùng cho tệp (for the file only)");
        let id = make_next(store.dir())?;
        return Ok(json!({ "prepared": id.to_string() }));
    }
    ensure!(
        to == To::Device || status.next_waits || !rotation::is_shared(store),
        "nhiều nút cùng dùng cơ sở dữ liệu này: chạy `dancu keys rotate master --prepare`, chép \
         master.key.next (0600) vào thư mục của từng nút, rồi chạy lại (several nodes: prepare, \
         copy master.key.next into each node's folder, then again)"
    );
    let target = match to {
        To::File => MasterTarget::Local,
        To::Device => MasterTarget::Device,
    };
    let done = rotation::change_master(store, now, target, by).await?;
    Ok(json!({
        "master": { "old": done.old.to_string(), "new": done.new.to_string() },
        "keys": done.keys,
        "index": done.index,
    }))
}

/// Every key, the masters and the rotation under way.
pub fn status(store: &Store) -> anyhow::Result<Value> {
    let status = rotation::status(store).context("không đọc được các khóa (keys)")?;
    let time = |at: Option<Moment>| at.filter(|at| at.0 > 0).map(Moment::rfc3339);
    let keys: Vec<Value> = status
        .keys
        .iter()
        .map(|k| {
            json!({
                "purpose": k.purpose,
                "period": k.period,
                "master": k.master.map(|id| id.to_string()),
                "madeAt": time(k.made_at),
                "retiredAt": time(k.retired_at),
            })
        })
        .collect();
    let within_reach =
        |m: &dancu_store::keys::MasterInfo| json!({ "id": m.id.to_string(), "place": m.place });
    Ok(json!({
        "keys": keys,
        "master": {
            "inForce": status.master.map(|id| id.to_string()),
            "withinReach": status.masters.iter().map(within_reach).collect::<Vec<_>>(),
            "nextWaits": status.next_waits,
        },
        "rotation": status.rotation.as_ref().map(rotation_json),
    }))
}

fn rotation_json(r: &Rotation) -> Value {
    json!({
        "kind": r.kind.name(),
        "old": r.old,
        "new": r.new,
        "step": r.step,
        "done": r.done,
        "startedAt": r.started_at.rfc3339(),
    })
}

/// The answer for people.
fn shown(command: &Command, answer: &Value, served: bool) -> String {
    if let Some(id) = answer["prepared"].as_str() {
        return format!(
            "Đã có master.key.next, mã {id}: chép vào thư mục của từng nút (quyền 0600), rồi chạy \
             `dancu keys rotate master` (prepared: copy it to each node, then rotate).\n"
        );
    }
    if let Some(old) = answer["master"]["old"].as_str() {
        let new = text(&answer["master"]["new"]);
        return format!(
            "Khóa chủ mới có mã {new}; {} khóa đã được bọc lại, mục nhật ký #{}.\n\
             Bản sao lưu trước đây vẫn cần khóa {old}; nếu khóa đó ở tệp thì nay là \
             master.key.old, khóa cũ hơn là master.key.old.MÃ: cất vào két rồi xóa khỏi máy (older \
             backups need the old key; a file is now master.key.old, those before it are \
             master.key.old.NAME: put them away, then delete them here).\n",
            answer["keys"], answer["index"]
        );
    }
    match command {
        Command::List(_) => shown_keys(answer),
        Command::Rotate { .. } => shown_rotation(answer, served),
        Command::Status(_) | Command::Resume(_) => {
            shown_masters(&answer["master"]) + &shown_rotation(answer, served)
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

fn shown_keys(answer: &Value) -> String {
    let mut out = String::new();
    for key in answer["keys"].as_array().into_iter().flatten() {
        let (purpose, period) = (text(&key["purpose"]), key["period"].as_u64().unwrap_or(0));
        let (made, retired) = (text(&key["madeAt"]), text(&key["retiredAt"]));
        let master = text(&key["master"]);
        let _ = writeln!(out, "{purpose:<10} {period:>9}  {master:<16}  {made:<24} {retired}");
    }
    out
}

fn shown_masters(master: &Value) -> String {
    let mut out = format!("Khóa chủ (master in force): {}\n", text(&master["inForce"]));
    for m in master["withinReach"].as_array().into_iter().flatten() {
        let _ = writeln!(out, "  {}  {}", text(&m["id"]), text(&m["place"]));
    }
    if master["nextWaits"] == true {
        out += "Có master.key.next chưa dùng: `dancu keys rotate master` đổi sang khóa đó (a next \
                master key waits).\n";
    }
    out
}

fn shown_rotation(answer: &Value, served: bool) -> String {
    let r = &answer["rotation"];
    if r.is_null() {
        return "Không có việc xoay khóa nào đang chạy (no rotation under way).\n".into();
    }
    let state = if answer["ended"] == true {
        "đã xong (done)"
    } else if served {
        "tiến trình đang phục vụ làm tiếp (the serving process goes on)"
    } else {
        "còn dở, nút đang phục vụ hoặc `dancu keys resume` làm tiếp (to be gone on with)"
    };
    let (kind, old, new) = (text(&r["kind"]), &r["old"], &r["new"]);
    format!("Xoay khóa {kind} {old} -> {new}, bước {}, {} dòng: {state}.\n", r["step"], r["done"])
}
