//! `dancu operate units`: the tree of units (B4).

use std::fmt::Write as _;

use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use dancu_domain::ids::UnitCode;
use dancu_domain::moment::Moment;
use dancu_domain::units::{About, Change, Proposal, Tree, Unit, UnitKind, UnitName};
use dancu_office::units::{self, UnitsDesk};
use dancu_store::Store;
use jiff::civil::Date;

use super::{ByArgs, Done, Who, told, unknown_word};

/// Units that one list tells at most: a screen to read, not a file.
const LISTED_MAX: usize = 200;
/// Proposals for communes of before that a load tells at most.
const PROPOSED_MAX: usize = 50;

/// What is done to the tree.
#[derive(clap::Subcommand, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Command {
    /// Nạp UBND các tỉnh, xã theo danh mục hành chính; chạy lại không đổi gì.
    Load {
        /// Chung.
        #[command(flatten)]
        who: ByArgs,
    },
    /// Thành lập một đơn vị.
    Found {
        /// Chung.
        #[command(flatten)]
        who: ByArgs,
        /// Mã đơn vị.
        #[arg(long)]
        unit: String,
        /// Tên.
        #[arg(long)]
        name: String,
        /// Loại đơn vị.
        #[arg(long, default_value = "other", value_parser = kinds())]
        kind: String,
        /// Mã đơn vị cấp trên.
        #[arg(long)]
        parent: Option<String>,
        /// Từ ngày nào (yyyy-mm-dd); không nêu là hôm nay.
        #[arg(long)]
        on: Option<String>,
    },
    /// Đổi tên một đơn vị.
    Rename {
        /// Chung.
        #[command(flatten)]
        who: ByArgs,
        /// Mã đơn vị.
        #[arg(long)]
        unit: String,
        /// Tên mới.
        #[arg(long)]
        name: String,
        /// Từ ngày nào (yyyy-mm-dd); không nêu là hôm nay.
        #[arg(long)]
        on: Option<String>,
    },
    /// Sáp nhập các đơn vị vào một đơn vị: hệ thống, tài khoản, người dùng chuyển theo.
    Merge {
        /// Chung.
        #[command(flatten)]
        who: ByArgs,
        /// Mã đơn vị bị sáp nhập; nêu được nhiều lần.
        #[arg(long, required = true)]
        unit: Vec<String>,
        /// Mã đơn vị tiếp nhận.
        #[arg(long)]
        into: String,
        /// Từ ngày nào (yyyy-mm-dd); không nêu là hôm nay.
        #[arg(long)]
        on: Option<String>,
    },
    /// Giao một hệ thống cho đơn vị khác, dùng sau chia tách; người chỉ làm ở hệ thống đó đi theo.
    Give {
        /// Chung.
        #[command(flatten)]
        who: ByArgs,
        /// Mã hệ thống.
        #[arg(long)]
        system: String,
        /// Mã đơn vị nhận.
        #[arg(long)]
        to: String,
    },
    /// Liệt kê đơn vị theo mã hoặc tên, không cần dấu.
    List {
        /// Chung.
        #[command(flatten)]
        who: ByArgs,
        /// Phần của mã hoặc tên.
        #[arg(long, default_value = "")]
        search: String,
    },
}

fn kinds() -> PossibleValuesParser {
    PossibleValuesParser::new(UnitKind::ALL.iter().map(|kind| kind.code()))
}

impl Command {
    pub(super) const fn who(&self) -> &ByArgs {
        match self {
            Self::Load { who }
            | Self::Found { who, .. }
            | Self::Rename { who, .. }
            | Self::Merge { who, .. }
            | Self::Give { who, .. }
            | Self::List { who, .. } => who,
        }
    }
}

/// Carries one of them out.
///
/// # Errors
/// The text of what does not allow it.
pub(super) async fn carry_out(
    (store, now): (&Store, Moment),
    who: &Who<'_>,
    command: &Command,
) -> anyhow::Result<Done> {
    let (today, actor) = (now.viet_nam_date(), who.actor());
    let desk = UnitsDesk { store, now, actor: &actor, reason: who.reason, own: false };
    let day = |on: &Option<String>| on.as_ref().map_or(Ok(today), |text| date(text));
    // Units that systems are registered with are there, also before the first start of a service.
    units::keep(store, now).await?;
    let done = match command {
        Command::Load { .. } => return load(&desk).await,
        Command::List { search, .. } => {
            let tree = units::known(store, today).await?.tree;
            return Ok(Done { index: None, detail: list(&tree, search), secret: None });
        }
        Command::Found { unit, name, kind, parent, on, .. } => {
            let kind = UnitKind::from_code(kind).ok_or_else(|| unknown_word(kind))?;
            let parent = parent.as_deref().map(code).transpose()?;
            let name = UnitName::parse(name)?;
            let change = Change::Founded { name, parent, about: About::of(kind) };
            units::record(&desk, &code(unit)?, day(on)?, change).await
        }
        Command::Rename { unit, name, on, .. } => {
            let change = Change::Renamed(UnitName::parse(name)?);
            units::record(&desk, &code(unit)?, day(on)?, change).await
        }
        Command::Merge { unit, into, on, .. } => {
            let merged = unit.iter().map(|unit| code(unit)).collect::<Result<Vec<_>, _>>()?;
            units::merge(&desk, &merged, &code(into)?, day(on)?).await
        }
        Command::Give { system, to, .. } => {
            let snapshot = store.snapshot(now)?;
            units::give(&desk, super::system(&snapshot, system)?.id, &code(to)?).await
        }
    };
    Ok(done.map_err(told)?.0.into())
}

async fn load(desk: &UnitsDesk<'_>) -> anyhow::Result<Done> {
    let (done, loaded) = units::load(desk).await.map_err(told)?;
    let mut detail = format!(
        "Thành lập {} đơn vị, {} đơn vị đã có (founded, known).",
        loaded.founded, loaded.known
    );
    for (unit, proposal) in loaded.proposals.iter().take(PROPOSED_MAX) {
        let what = match proposal {
            Proposal::Whole(new) => format!("đề xuất sáp nhập vào {new}"),
            Proposal::Divided(parts) => {
                let parts: Vec<&str> = parts.iter().map(UnitCode::as_str).collect();
                format!("địa bàn bị chia, chọn một trong: {}", parts.join(" "))
            }
            Proposal::Unknown => "không có trong bảng chuyển đổi".to_owned(),
        };
        // Writing into a text does not fail.
        let _ = write!(detail, "\n{unit}: {what}");
    }
    Ok(Done { index: done.map(|done| done.index), detail, secret: None })
}

fn list(tree: &Tree, search: &str) -> String {
    let found: Vec<&Unit> = tree.search(search).collect();
    let mut lines: Vec<String> = found.iter().take(LISTED_MAX).map(|unit| row(unit)).collect();
    if found.len() > LISTED_MAX {
        lines.push("…".to_owned());
    }
    lines.push(format!("{} đơn vị (units)", found.len()));
    lines.join("\n")
}

fn row(unit: &Unit) -> String {
    let end = match &unit.end {
        None => String::new(),
        Some((day, ending)) => match ending.heir() {
            Some(heir) => format!(" → {heir} từ {day}"),
            None => format!(" giải thể từ {day}"),
        },
    };
    format!("{}\t{}\t{}{end}", unit.code, unit.about.kind.code(), unit.name())
}

/// A code of a unit as it is typed.
pub(super) fn code(text: &str) -> anyhow::Result<UnitCode> {
    UnitCode::parse(text.trim()).with_context(|| {
        format!("mã đơn vị {text:?}: 1-35 chữ cái, chữ số, . _ - (code of a unit)")
    })
}

fn date(text: &str) -> anyhow::Result<Date> {
    text.trim().parse().with_context(|| format!("ngày {text:?} cần dạng yyyy-mm-dd (a date)"))
}
