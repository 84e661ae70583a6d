//! The systems whose credentials the person may see.

use axum::extract::Query;
use dancu_domain::credentials::CredentialKind;
use dancu_domain::moment::Moment;
use dancu_domain::people::powers::Power;
use dancu_domain::registration::{ConnectionState, System};
use dancu_domain::text::fold;
use dancu_portal::integrator::{SystemRow, Systems};
use dancu_portal::parts::Pager;
use serde::Deserialize;

use super::{may, registered};
use crate::portal::signed::Signed;
use crate::portal::{frame, paths, words};
use crate::stop::Handled;

/// Systems of one page: what fits on two screens.
const PAGE: usize = 50;

/// The filters, in the address.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Filter {
    q: String,
    page: usize,
}

/// How many credentials of a system end soon or have ended, and the nearest end.
pub(super) fn ending(system: &System, now: Moment) -> (u64, Option<Moment>) {
    let kinds = CredentialKind::ALL.into_iter();
    let all = kinds.flat_map(|kind| system.facts.of(kind));
    let near: Vec<_> = all.filter(|f| f.ends_soon(now) || !f.is_valid(now)).collect();
    (near.len() as u64, near.iter().filter_map(|facts| facts.until).min())
}

/// `GET /integrator`
pub(super) async fn show(signed: Signed, Query(filter): Query<Filter>) -> Handled {
    let snapshot = registered(&signed).await?;
    let wanted = fold(&filter.q);
    let own = snapshot.systems().iter().filter(|system| {
        system.state != ConnectionState::Closed
            && may(&signed, Power::RevokeCredentials, system).is_ok()
            && (fold(system.code.as_str()).contains(&wanted)
                || fold(system.unit.as_str()).contains(&wanted))
    });
    let mut rows: Vec<_> = own.map(|system| (ending(system, signed.now), system)).collect();
    // What ends first comes first, then by code.
    rows.sort_by(|((_, a), x), ((_, b), y)| {
        let at = |end: &Option<Moment>| end.map_or(i64::MAX, |end| end.0);
        at(a).cmp(&at(b)).then_with(|| x.code.cmp(&y.code))
    });
    let total = rows.len();
    let first = filter.page.saturating_mul(PAGE).min(total.saturating_sub(1) / PAGE * PAGE);
    let shown = rows.into_iter().skip(first).take(PAGE);
    let page = |page: usize| format!("/integrator?q={}&page={page}", paths::escaped(&filter.q));
    let at = first / PAGE;
    Ok(frame::page(&Systems {
        rows: shown.map(|((count, end), system)| row(&signed, system, count, end)).collect(),
        pager: Pager {
            from: if total == 0 { 0 } else { first as u64 + 1 },
            to: (first + PAGE).min(total) as u64,
            total: total as u64,
            before: (at > 0).then(|| page(at - 1)),
            after: (first + PAGE < total).then(|| page(at + 1)),
        },
        sandbox: signed.app.sandbox.is_some() && signed.holds(Power::EditDossier),
        s: signed.shell(),
        t: signed.text(),
        search: filter.q,
    }))
}

fn row(signed: &Signed, system: &System, ending: u64, end: Option<Moment>) -> SystemRow {
    SystemRow {
        code: system.code.as_str().to_owned(),
        unit: signed.unit_named(&system.unit),
        state: words::connection(system.state),
        ending,
        end: end.map(frame::day).unwrap_or_default(),
        href: format!("/integrator/{}", system.code.as_str()),
    }
}
