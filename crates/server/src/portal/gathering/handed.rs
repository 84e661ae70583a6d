//! What was handed up, as it was then, with its receipt.

use axum::extract::{Path, Query};
use dancu_domain::gathering::Row;
use dancu_domain::ids::UnitCode;
use dancu_domain::people::powers::Power;
use dancu_office::gathering::{self as office, Kind};
use dancu_portal::gathering::Handed as Page;
use dancu_store::gathering::Handed;

use super::file::Made;
use super::rows::{Filter, paged, row, totals};
use super::{Here, failed};
use crate::portal::frame;
use crate::portal::signed::Signed;
use crate::stop::{Handled, Stop};

/// The one of an address; none where it is neither from here nor for here.
async fn found(
    signed: &Signed,
    power: Power,
    number: &str,
    at: &str,
) -> Result<(Here, Handed), Stop> {
    let here = Here::of(signed, power, at).await?;
    let missing = || Stop::from(frame::missing(signed));
    let number = number.parse().map_err(|_| missing())?;
    let handed = office::handed(&here.desk(), number).await;
    let handed = handed.map_err(|why| failed(signed, &why))?.ok_or_else(missing)?;
    Ok((here, handed))
}

/// `GET /gathering/handed/{number}`
pub(super) async fn show(
    signed: Signed,
    Path(number): Path<String>,
    Query(filter): Query<Filter>,
) -> Handled {
    let (here, handed) = found(&signed, Power::SeeGathering, &number, &filter.at).await?;
    let (receipt, summary) = (&handed.receipt, &handed.summary);
    let path = format!("/gathering/handed/{}", receipt.id);
    let query = here.query();
    let sign = if query.is_empty() { "?" } else { "&" };
    let all: Vec<&Row> = summary.rows.iter().collect();
    let address = |page: usize| format!("{path}{query}{sign}page={page}");
    let (rows, pager) = paged(&all, filter.page, address);
    let to: Vec<String> = handed.to.iter().map(|to| here.name(&signed, to.as_ref())).collect();
    let t = signed.text();
    Ok(frame::page(&Page {
        errors: vec![],
        told: (filter.told == "handed").then_some("gather-handed-done"),
        list: here.list(""),
        number: office::number(receipt.id),
        facts: vec![
            ("gather-focal", here.name(&signed, Some(&receipt.focal))),
            ("gather-to", to.join("; ")),
            ("gather-day", frame::date(receipt.day)),
            ("gather-version", t.num(u64::from(receipt.version))),
            ("gather-handed-at", frame::stamp(receipt.at)),
        ],
        digest: hex::encode(receipt.digest),
        totals: totals(summary.total),
        rows: rows.into_iter().map(|found| row(&signed, found, String::new(), None)).collect(),
        pager,
        path,
        query,
        s: signed.shell(),
        t,
    }))
}

/// `GET /gathering/handed/{number}/export.xlsx`
pub(super) async fn sheet(
    signed: Signed,
    Path(number): Path<String>,
    Query(filter): Query<Filter>,
) -> Handled {
    sent(&signed, &number, &filter.at, Kind::Sheet).await
}

/// `GET /gathering/handed/{number}/export.pdf`
pub(super) async fn pdf(
    signed: Signed,
    Path(number): Path<String>,
    Query(filter): Query<Filter>,
) -> Handled {
    sent(&signed, &number, &filter.at, Kind::Pdf).await
}

async fn sent(signed: &Signed, number: &str, at: &str, kind: Kind) -> Handled {
    let (here, handed) = found(signed, Power::ExportGathering, number, at).await?;
    let focal: UnitCode = handed.receipt.focal.clone();
    let made = Made {
        focal: Some(focal),
        day: handed.summary.day,
        rows: handed.summary.rows,
        scope: String::new(),
        receipt: Some(handed.receipt),
    };
    made.sent(signed, &here, kind).await
}
