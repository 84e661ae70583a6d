//! Units whose commune is one of before 2025-07-01, with the communes that may take over (B4). A
//! divided commune is never resolved by guessing: somebody chooses, looks at the merge, and writes
//! it down by the form of the unit.

use axum::extract::Query;
use dancu_domain::geo;
use dancu_domain::ids::UnitCode;
use dancu_domain::person::Dataset;
use dancu_domain::units::{Proposal, Unit, proposals};
use dancu_portal::centre::{ProposalRow, Proposals};
use dancu_portal::parts::{Choice, Pager};
use serde::Deserialize;

use super::known;
use crate::portal::frame;
use crate::portal::signed::Signed;
use crate::stop::Handled;

/// Units of one page: what fits on two screens.
const PAGE: usize = 50;

/// Which part of the list.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Part {
    page: usize,
}

/// `GET /centre/units/proposals`
pub(super) async fn show(signed: Signed, Query(part): Query<Part>) -> Handled {
    let known = known(&signed).await?;
    let mut all = proposals(&known.tree);
    // What somebody has to decide stands first.
    all.sort_by_key(|(_, proposal)| match proposal {
        Proposal::Divided(_) => 0,
        Proposal::Unknown => 1,
        Proposal::Whole(_) => 2,
    });
    let total = all.len();
    let at = part.page.min(total.saturating_sub(1) / PAGE);
    let there = |code: &UnitCode| known.tree.get(code).filter(|unit| unit.lives());
    let rows = all.iter().skip(at * PAGE).take(PAGE).filter_map(|(code, proposal)| {
        let candidates: &[UnitCode] = match proposal {
            Proposal::Whole(heir) => std::slice::from_ref(heir),
            Proposal::Divided(heirs) => heirs,
            Proposal::Unknown => &[],
        };
        let unit = there(code)?;
        Some(ProposalRow {
            code: code.to_string(),
            name: unit.name().to_owned(),
            old: old_commune(unit),
            divided: matches!(proposal, Proposal::Divided(_)),
            choices: candidates
                .iter()
                .filter(|heir| *heir != code)
                .filter_map(there)
                .map(|heir| Choice {
                    value: heir.code.to_string(),
                    label: heir.name().to_owned(),
                    chosen: false,
                })
                .collect(),
        })
    });
    let to = |page| format!("/centre/units/proposals?page={page}");
    Ok(frame::page(&Proposals {
        rows: rows.collect(),
        pager: Pager {
            from: if total == 0 { 0 } else { (at * PAGE + 1) as u64 },
            to: ((at + 1) * PAGE).min(total) as u64,
            total: total as u64,
            before: (at > 0).then(|| to(at - 1)),
            after: ((at + 1) * PAGE < total).then(|| to(at + 1)),
        },
        s: signed.shell(),
        t: signed.text(),
    }))
}

/// The commune of before, with its district and province.
fn old_commune(unit: &Unit) -> String {
    let commune = unit.about.seat.and_then(|seat| geo::commune(Dataset::Y2024, seat.commune?));
    let Some(commune) = commune else { return String::new() };
    let district = commune.district.and_then(geo::district).map(|d| d.name);
    let province = geo::province(Dataset::Y2024, commune.province).map(|p| p.name);
    [Some(commune.name), district, province].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
