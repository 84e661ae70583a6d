//! `dancu operate import-live`: connections that are live already enter from one workbook (B3, B4).

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use dancu_domain::campaigns::{Plan, Scope};
use dancu_domain::dossier::Part;
use dancu_domain::moment::Moment;
use dancu_office::imports::{self, ImportDesk, Look};
use dancu_store::Store;
use jiff::civil::Date;

use super::{ByArgs, Done, Who, told};

/// Wrong rows that are told at most: what somebody mends in one go.
const WRONG_MAX: usize = 100;
/// Days before the deadline on which units are reminded, where there are so many.
const REMIND: [u16; 3] = [30, 7, 1];

/// The workbook, and the campaign in which the dossiers are completed.
#[derive(clap::Args, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Chung.
    #[command(flatten)]
    pub(super) who: ByArgs,
    /// Tệp .xlsx theo mẫu, hoặc .zip gồm mỗi trang một tệp CSV; với --template là tệp mẫu trống
    /// được tạo ra.
    #[serde(skip)]
    file: PathBuf,
    /// Chỉ tạo tệp mẫu trống.
    #[arg(long)]
    #[serde(skip)]
    pub(super) template: bool,
    /// Chỉ xem trước, không nhập gì.
    #[arg(long)]
    check: bool,
    /// Số văn bản cho phép: căn cứ miễn trừ của kết nối đang chạy, và của đợt hoàn thiện hồ sơ.
    #[arg(long, default_value = "")]
    document: String,
    /// Ngày văn bản (yyyy-mm-dd).
    #[arg(long, default_value = "")]
    dated: String,
    /// Hạn hoàn thiện hồ sơ (yyyy-mm-dd).
    #[arg(long, default_value = "")]
    deadline: String,
    /// What the file holds, in hex: whoever carries it out may be in another folder.
    #[arg(skip)]
    content: String,
}

impl Args {
    /// Reads the file.
    pub(super) fn read_file(&mut self) -> anyhow::Result<()> {
        let told = || self.file.display().to_string();
        let length = std::fs::metadata(&self.file).with_context(told)?.len();
        let fits = length <= dancu_papers::sheet::FILE_BYTES_MAX as u64;
        ensure!(fits, "{}: tệp quá lớn (too large)", told());
        self.content = hex::encode(std::fs::read(&self.file).with_context(told)?);
        Ok(())
    }

    /// Writes an empty workbook.
    pub(super) fn write_template(&self) -> anyhow::Result<()> {
        let bytes = imports::template().map_err(told)?;
        std::fs::write(&self.file, bytes).with_context(|| self.file.display().to_string())
    }
}

/// Looks at the workbook, and lets it enter unless it is only to be looked at.
///
/// # Errors
/// The text of what is wrong, row by row.
pub(super) async fn carry_out(
    (store, now): (&Store, Moment),
    who: &Who<'_>,
    args: &Args,
) -> anyhow::Result<Done> {
    dancu_office::units::keep(store, now).await?;
    let bytes = hex::decode(&args.content).context("nội dung tệp (content)")?;
    let known = dancu_office::units::known(store, now.viet_nam_date()).await?;
    let snapshot = store.snapshot(now)?;
    let book = tokio::task::spawn_blocking(move || imports::open(&bytes)).await?.map_err(told)?;
    let look = imports::look((store, &snapshot, &known.tree), now, &book).await.map_err(told)?;
    let sums = seen(&look);
    if args.check || !look.wrong.is_empty() {
        ensure!(look.wrong.is_empty(), "{sums}");
        return Ok(Done { index: None, detail: sums, secret: None });
    }
    let day = |text: &str| text.parse::<Date>().ok();
    let dated = day(&args.dated).context("cần --dated yyyy-mm-dd (date of the document)")?;
    let deadline = day(&args.deadline).context("cần --deadline yyyy-mm-dd (deadline, B4)")?;
    let left = (deadline.duration_since(now.viet_nam_date()).as_hours() / 24).max(0);
    let plan = Plan {
        name: "Hoàn thiện hồ sơ của kết nối có từ trước".to_owned(),
        document: args.document.clone(),
        dated,
        scope: Scope { imported: true, ..Scope::default() },
        deadline,
        remind: REMIND.into_iter().filter(|days| i64::from(*days) <= left).collect(),
        parts: Part::ALL.to_vec(),
    };
    let actor = who.actor();
    let desk = ImportDesk { store, now, by: &actor, reason: who.reason };
    Ok(match imports::import(&desk, look, plan).await.map_err(told)? {
        Some((done, _)) => done.into(),
        None => Done { index: None, detail: sums, secret: None },
    })
}

/// What was seen: sums, then wrong rows.
fn seen(look: &Look) -> String {
    let (lines, accounts) = look.sums();
    let mut text = format!(
        "{} hệ thống mới, {lines} dòng dịch vụ, {accounts} tài khoản; {} hệ thống đã có; {} dòng \
         sai (new systems, lines, accounts; known; wrong)",
        look.entering.len(),
        look.known.len(),
        look.wrong.len()
    );
    for wrong in look.wrong.iter().take(WRONG_MAX) {
        let (vi, en) = wrong.sentence();
        let _ = write!(text, "\n{vi} ({en})");
    }
    text
}
