//! `dancu operate statements`: makes what is due now, counts one anew, corrects one (A7).

use anyhow::{Context as _, bail};
use dancu_domain::moment::Moment;
use dancu_domain::statements::Month;
use dancu_office::statements as office;
use dancu_store::Store;

use super::{ByArgs, Done, Who, system, told};
use crate::statements;

/// Which statements, and what to do with them.
#[derive(clap::Args, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Args {
    /// Chung.
    #[command(flatten)]
    pub(super) who: ByArgs,
    /// Mã hệ thống; không nêu thì lập mọi bản đến hạn.
    #[arg(long, requires = "month")]
    system: Option<String>,
    /// Tháng (yyyy-mm).
    #[arg(long, requires = "system")]
    month: Option<String>,
    /// Lập bản thay bản đã có; không nêu thì chỉ đếm lại từ nhật ký và so.
    #[arg(long, requires = "system")]
    correct: bool,
}

/// Carries one out.
///
/// # Errors
/// The text of what does not allow it.
pub(super) async fn carry_out(
    (store, now): (&Store, Moment),
    who: &Who<'_>,
    args: &Args,
) -> anyhow::Result<Done> {
    let (Some(code), Some(month)) = (&args.system, &args.month) else {
        let made = statements::catch_up(store, now, false).await?;
        let detail = format!("Đã lập {made} bản xác nhận (statements made).");
        return Ok(Done { index: None, detail, secret: None });
    };
    let snapshot = store.snapshot(now)?;
    let id = system(&snapshot, code)?.id;
    let month = Month::parse(month).context("--month yyyy-mm")?;
    let pass = office::again(store, now, month).await.map_err(told)?;
    let pass = statements::read(store, pass, None, None).await?;
    let pass = pass.context("đang dừng (stopping)")?;
    if args.correct {
        let (by, sign) = (who.actor(), statements::signing(store)?);
        let done = office::correct((store, now), id, (&by, who.reason), pass, &sign).await;
        return Ok(done.map_err(told)?.into());
    }
    let stored = store.statements().of_month(id, month).await?;
    let stored = stored.context("chưa có bản xác nhận tháng này (no statement of that month)")?;
    let counted = office::recounted((store, now), id, pass).map_err(told)?;
    if !office::agree(&counted, &statements::parse(&stored.document.json)?) {
        bail!("{}: đếm lại ra số khác (counted anew it differs)", stored.number);
    }
    let root = counted.journal.root_hash;
    let detail = format!("{}: đếm lại khớp (the recount agrees), gốc {root}", stored.number);
    Ok(Done { index: None, detail, secret: None })
}
