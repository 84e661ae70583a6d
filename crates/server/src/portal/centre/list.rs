//! The list of units, with what they told of themselves lately.

use std::collections::HashMap;

use axum::extract::Query;
use dancu_domain::geo;
use dancu_domain::ids::UnitCode;
use dancu_domain::moment::DAY_MS;
use dancu_domain::person::Dataset;
use dancu_domain::units::{Unit, UnitKind};
use dancu_portal::centre::{UnitRow, Units, states};
use dancu_portal::parts::{Choice, Pager, SavedView, states as common};
use serde::Deserialize;

use super::{event, known, name_of};
use crate::portal::frame;
use crate::portal::paths::escaped;
use crate::portal::signed::Signed;
use crate::stop::Handled;

/// Units of one page: what fits on two screens.
const PAGE: usize = 50;
/// News are what was told within so many days, at most so many.
const NEWS: (i64, usize) = (30, 20);

/// The filters, in the address, so that a view can be kept and passed on.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Filter {
    q: String,
    province: String,
    kind: String,
    view: String,
    told: String,
    page: usize,
}

/// `GET /centre/units`
pub(super) async fn show(signed: Signed, Query(filter): Query<Filter>) -> Handled {
    let known = known(&signed).await?;
    let snapshot = signed.app.gate.snapshot();
    let t = signed.text();
    let province = filter.province.parse::<u8>().ok();
    let kind = UnitKind::from_code(&filter.kind);
    let fits = |unit: &&Unit| {
        let seat = unit.about.seat.map(|seat| (seat.dataset, seat.province));
        province.is_none_or(|wanted| seat == Some((Dataset::Y2026, wanted)))
            && kind.is_none_or(|kind| unit.about.kind == kind)
            && unit.lives() == (filter.view != "ended")
    };
    let found: Vec<&Unit> = known.tree.search(&filter.q).filter(fits).collect();
    let total = found.len();
    let first = filter.page.saturating_mul(PAGE).min(total.saturating_sub(1) / PAGE * PAGE);
    let mut systems: HashMap<&UnitCode, u64> = HashMap::new();
    for system in snapshot.systems() {
        *systems.entry(&system.unit).or_default() += 1;
    }
    let rows = found.iter().skip(first).take(PAGE).map(|unit| {
        let (vi, en) = unit.about.kind.names();
        UnitRow {
            code: unit.code.to_string(),
            name: unit.name().to_owned(),
            kind: signed.say(vi, en).to_owned(),
            above: name_of(unit.parent().and_then(|parent| known.tree.resolve(parent))),
            systems: systems.get(&unit.code).copied().unwrap_or(0),
            state: if unit.lives() { common::ACTIVE } else { states::ENDED },
            href: format!("/centre/units/{}", unit.code),
        }
    });
    let since = signed.now.plus_ms(-NEWS.0 * DAY_MS);
    let news = known.written.iter().rev().filter(|w| w.own && w.at >= since).take(NEWS.1);
    let mut ahead: Vec<_> = known.written.iter().filter(|w| w.event.day > signed.today()).collect();
    ahead.retain(|w| !known.annulled.contains(&w.id));
    ahead.sort_by_key(|w| w.event.day);
    Ok(frame::page(&Units {
        told: (filter.told == "annulled").then_some("unit-annulled-done"),
        views: views(&signed, &filter.view),
        provinces: provinces(&t.get("units-any-province"), province),
        kinds: kinds(&signed, &t.get("units-any-kind"), kind),
        rows: rows.collect(),
        news: news.map(|written| event(&signed, &known, written)).collect(),
        ahead: ahead.into_iter().take(NEWS.1).map(|w| event(&signed, &known, w)).collect(),
        pager: pager(&filter, first, total),
        search: filter.q.clone(),
        s: signed.shell(),
        t,
    }))
}

/// The ways to look at units.
pub(super) fn views(signed: &Signed, current: &str) -> Vec<SavedView> {
    let t = signed.text();
    let all = [
        ("", "units-living", "/centre/units"),
        ("tree", "units-tree", "/centre/units/tree"),
        ("ended", "units-ended", "/centre/units?view=ended"),
    ];
    let view = |(view, key, href): (&str, &str, &str)| SavedView {
        name: t.get(key),
        href: href.to_owned(),
        current: current == view,
    };
    all.map(view).into()
}

/// Provinces to choose from, after the words for none.
pub(in crate::portal) fn provinces(any: &str, chosen: Option<u8>) -> Vec<Choice> {
    let first = Choice { value: String::new(), label: any.to_owned(), chosen: chosen.is_none() };
    let listed = geo::provinces(Dataset::Y2026).iter().map(|p| Choice {
        value: p.code.to_string(),
        label: p.name.to_owned(),
        chosen: chosen == Some(p.code),
    });
    std::iter::once(first).chain(listed).collect()
}

/// Kinds to choose from, after the words for none.
pub(super) fn kinds(signed: &Signed, any: &str, chosen: Option<UnitKind>) -> Vec<Choice> {
    let first = Choice { value: String::new(), label: any.to_owned(), chosen: chosen.is_none() };
    let listed = UnitKind::ALL.iter().map(|kind| {
        let (vi, en) = kind.names();
        Choice {
            value: kind.code().to_owned(),
            label: signed.say(vi, en).to_owned(),
            chosen: chosen == Some(*kind),
        }
    });
    std::iter::once(first).chain(listed).collect()
}

fn pager(filter: &Filter, first: usize, total: usize) -> Pager {
    let page = |page: usize| {
        let [q, province, kind, view] =
            [&filter.q, &filter.province, &filter.kind, &filter.view].map(|text| escaped(text));
        format!("/centre/units?q={q}&province={province}&kind={kind}&view={view}&page={page}")
    };
    let at = first / PAGE;
    Pager {
        from: if total == 0 { 0 } else { first as u64 + 1 },
        to: (first + PAGE).min(total) as u64,
        total: total as u64,
        before: (at > 0).then(|| page(at - 1)),
        after: (first + PAGE < total).then(|| page(at + 1)),
    }
}
