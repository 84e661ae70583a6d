//! The summary as it is shown, as a file; who took it away is journaled.

use axum::extract::Query;
use dancu_domain::gathering::Row;
use dancu_domain::geo;
use dancu_domain::ids::UnitCode;
use dancu_domain::people::powers::Power;
use dancu_domain::person::Dataset;
use dancu_office::gathering::{self as office, File, Kind};
use dancu_portal::text::Language;
use dancu_store::gathering::Receipt;
use jiff::civil::Date;
use tokio::runtime::Handle;

use super::rows::{BEHIND, Filter, state};
use super::{Here, failed};
use crate::portal::frame;
use crate::portal::signed::Signed;
use crate::stop::Handled;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const PDF: &str = "application/pdf";

/// `GET /gathering/export.xlsx`
pub(super) async fn sheet(signed: Signed, Query(filter): Query<Filter>) -> Handled {
    filtered(&signed, &filter, Kind::Sheet).await
}

/// `GET /gathering/export.pdf`
pub(super) async fn pdf(signed: Signed, Query(filter): Query<Filter>) -> Handled {
    filtered(&signed, &filter, Kind::Pdf).await
}

async fn filtered(signed: &Signed, filter: &Filter, kind: Kind) -> Handled {
    let here = Here::of(signed, Power::ExportGathering, &filter.at).await?;
    let gathered = here.gathered(signed).await?;
    let rows = filter.of(&gathered.lines, &gathered.summary.rows);
    let rows: Vec<Row> = rows.into_iter().cloned().collect();
    let made = Made {
        focal: here.at.clone(),
        day: gathered.summary.day,
        rows,
        scope: scope(signed, &here, filter),
        receipt: None,
    };
    made.sent(signed, &here, kind).await
}

/// What was chosen, as the paper says it.
fn scope(signed: &Signed, here: &Here, filter: &Filter) -> String {
    let t = frame::text(Language::Vietnamese);
    let mut parts = vec![];
    let level = dancu_domain::gathering::Level::from_code(&filter.level);
    if let Some(level) = level {
        parts.push(t.get(state(level).key));
    } else if filter.level == BEHIND {
        parts.push(t.get("gather-behind"));
    }
    let province = filter.province.parse().ok();
    parts.extend(
        province
            .and_then(|code| geo::province(Dataset::Y2026, code))
            .map(|province| province.name.to_owned()),
    );
    let from = UnitCode::parse(&filter.from).ok();
    parts.extend(from.map(|from| here.name(signed, Some(&from))));
    if !filter.q.trim().is_empty() {
        parts.push(format!("“{}”", filter.q.trim()));
    }
    if parts.is_empty() {
        return String::new();
    }
    t.with("gather-scope", "what", parts.join("; "))
}

/// A file that is to be made.
pub(super) struct Made {
    pub(super) focal: Option<UnitCode>,
    pub(super) day: Date,
    pub(super) rows: Vec<Row>,
    pub(super) scope: String,
    pub(super) receipt: Option<Receipt>,
}

impl Made {
    /// Printed away from the threads that questions run on, then journaled, then sent.
    pub(super) async fn sent(self, signed: &Signed, here: &Here, kind: Kind) -> Handled {
        let name = match &self.receipt {
            Some(receipt) => office::number(receipt.id),
            None => "tong-hop".to_owned(),
        };
        let name = format!("{name}-{}", self.day);
        let (desk, runtime) = (here.clone(), Handle::current());
        let print = move || {
            let file = File {
                focal: self.focal.as_ref(),
                day: self.day,
                rows: self.rows.iter().collect(),
                scope: self.scope,
                receipt: self.receipt.as_ref(),
            };
            runtime.block_on(office::export(&desk.desk(), &file, kind))
        };
        let Ok(made) = signed.app.reads.long(print).await else {
            return Ok(frame::unavailable(signed));
        };
        let bytes = made.map_err(|why| failed(signed, &why))?;
        Ok(match kind {
            Kind::Sheet => frame::file(&format!("{name}.xlsx"), XLSX, bytes),
            Kind::Pdf => frame::file(&format!("{name}.pdf"), PDF, bytes),
        })
    }
}
