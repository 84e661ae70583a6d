//! The page of a focal point: who is behind first, totals, the map of provinces, what was handed
//! up and received.

use axum::extract::Query;
use axum::http::StatusCode;
use dancu_domain::gathering::{Counts, Level};
use dancu_domain::geo;
use dancu_domain::ids::UnitCode;
use dancu_domain::people::powers::Power;
use dancu_domain::person::Dataset;
use dancu_office::gathering::{self as office, Gathered};
use dancu_portal::campaigns::{Tally, Tile};
use dancu_portal::gathering::{Bar, Gathering, Part, ReceiptRow};
use dancu_portal::parts::{Choice, FieldError, SavedView};
use dancu_store::gathering::Receipt;

use super::rows::{BEHIND, ELSEWHERE, Filter, paged, row, state, totals};
use super::{Here, failed};
use crate::portal::centre::provinces;
use crate::portal::form::{self, Form};
use crate::portal::frame;
use crate::portal::signed::Signed;
use crate::stop::{Handled, Stop};

/// What may be told of a moment ago.
const TOLD: [(&str, &str); 1] = [("urged", "gather-urged-done")];

/// `GET /gathering`
pub(super) async fn show(signed: Signed, Query(filter): Query<Filter>) -> Handled {
    let here = Here::of(&signed, Power::SeeGathering, &filter.at).await?;
    page(&signed, &here, &filter, vec![], &Form::default()).await
}

pub(super) async fn page(
    signed: &Signed,
    here: &Here,
    filter: &Filter,
    errors: Vec<FieldError>,
    typed: &Form,
) -> Handled {
    let gathered = here.gathered(signed).await?;
    let (t, summary) = (signed.text(), &gathered.summary);
    let shown = filter.of(&gathered.lines, &summary.rows);
    let address = |page: usize| here.list(&format!("{}&page={page}", filter.query()));
    let (rows, pager) = paged(&shown, filter.page, address);
    let unit_row = |found: &&dancu_domain::gathering::Row| {
        let href = format!("/gathering/{}{}", found.unit, here.query());
        row(signed, found, href, gathered.urged.get(&found.unit).copied())
    };
    let [handed, received] = receipts(signed, here).await?;
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let beyond = here.at.is_none() || summary.provinces().keys().flatten().count() > 1;
    let urges = here.at.as_ref().filter(|_| signed.holds(Power::UrgeUnits));
    let today = signed.today();
    let page = Gathering {
        told: TOLD.iter().find(|(word, _)| *word == filter.told).map(|(_, key)| *key),
        name: here.name(signed, here.at.as_ref()),
        desks: desks(signed, here),
        totals: totals(summary.total),
        bars: bars(here, &gathered),
        tiles: if beyond { tiles(signed, here, &gathered) } else { vec![] },
        parts: parts(here, &gathered),
        search: filter.q.clone(),
        at: here.named().to_owned(),
        from: UnitCode::parse(&filter.from)
            .map_or_else(|_| String::new(), |from| here.name(signed, Some(&from))),
        levels: levels(signed, filter),
        provinces: if beyond {
            provinces(&t.get("campaign-any-province"), filter.province.parse().ok())
        } else {
            vec![]
        },
        filtered: filter.any(),
        rows: rows.iter().map(unit_row).collect(),
        pager,
        query: files(here, filter),
        left: urges.map(|at| office::left(&gathered, at, today).count() as u64),
        words: typed.get("words").to_owned(),
        to: urges.map(|at| receivers(signed, here, &gathered, at)),
        handed,
        received,
        once: [form::once(), form::once()],
        errors,
        s: signed.shell(),
        t,
    };
    Ok(frame::page_with(status, &page))
}

/// The filters behind the address of a file.
fn files(here: &Here, filter: &Filter) -> String {
    match here.list(&filter.query()).split_once('?') {
        Some((_, query)) => format!("?{query}"),
        None => String::new(),
    }
}

/// Where else the person gathers.
fn desks(signed: &Signed, here: &Here) -> Vec<SavedView> {
    if here.all.len() < 2 {
        return vec![];
    }
    let view = |at: &Option<UnitCode>| SavedView {
        name: here.name(signed, at.as_ref()),
        href: match at {
            Some(at) => format!("/gathering?at={at}"),
            None => "/gathering".to_owned(),
        },
        current: *at == here.at,
    };
    here.all.iter().map(view).collect()
}

fn bars(here: &Here, gathered: &Gathered) -> Vec<Bar> {
    let summary = &gathered.summary;
    let bar = |level: Level| {
        let count = summary.rows.iter().filter(|row| row.level == level).count() as u64;
        Bar {
            state: state(level),
            count,
            share: (count * 100).checked_div(summary.total.units.into()).unwrap_or(0),
            href: here.list(&format!("&level={}#gather-rows", level.code())),
        }
    };
    Level::ALL.map(bar).into()
}

/// One tile each, as campaigns have them: units without anything to do of all units.
fn tiles(signed: &Signed, here: &Here, gathered: &Gathered) -> Vec<Tile> {
    let all = gathered.summary.provinces();
    let tile = |code: u8, name: String, counts: Counts| Tile {
        name,
        tally: Tally {
            total: counts.units.into(),
            done: u64::from(counts.units - counts.behind),
            locked: counts.locked.into(),
            share: counts.share().into(),
            ..Tally::default()
        },
        href: here.list(&format!("&province={code}#gather-rows")),
    };
    let of = |code: Option<u8>| all.get(&code).copied().unwrap_or_default();
    let mut tiles: Vec<Tile> = geo::provinces(Dataset::Y2026)
        .iter()
        .map(|p| tile(p.code, p.name.to_owned(), of(Some(p.code))))
        .collect();
    if all.contains_key(&None) {
        tiles.push(tile(ELSEWHERE, signed.text().get("campaign-elsewhere"), of(None)));
    }
    tiles
}

/// Focal points from which papers come here, who is furthest behind first.
fn parts(here: &Here, gathered: &Gathered) -> Vec<Part> {
    let lines = &gathered.lines;
    let mut below: Vec<&UnitCode> = lines.directly(here.at.as_ref());
    below.retain(|unit| lines.gathers(unit));
    let all = gathered.summary.parts(lines, &below);
    let part = |(unit, counts): (&UnitCode, Counts)| Part {
        name: here.known.tree.get(unit).map_or_else(String::new, |u| u.name().to_owned()),
        href: here.list(&format!("&from={unit}#gather-rows")),
        units: counts.units.into(),
        behind: counts.behind.into(),
        share: counts.share().into(),
    };
    let mut parts: Vec<Part> = below.into_iter().zip(all).map(part).collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.behind));
    parts
}

fn levels(signed: &Signed, filter: &Filter) -> Vec<Choice> {
    let t = signed.text();
    let choice = |value: &str, label: String| Choice {
        value: value.to_owned(),
        label,
        chosen: filter.level == value,
    };
    let some = [choice("", t.get("gather-any")), choice(BEHIND, t.get("gather-behind"))];
    let each = Level::ALL.map(|level| choice(level.code(), t.get(state(level).key)));
    some.into_iter().chain(each).collect()
}

/// To whom the summary of a focal point goes, by name.
fn receivers(signed: &Signed, here: &Here, gathered: &Gathered, at: &UnitCode) -> String {
    let next = gathered.lines.next(at);
    if next.is_empty() {
        return here.name(signed, None);
    }
    next.iter().map(|to| here.name(signed, Some(to))).collect::<Vec<_>>().join("; ")
}

async fn receipts(signed: &Signed, here: &Here) -> Result<[Vec<ReceiptRow>; 2], Stop> {
    let found = office::receipts(&here.desk()).await.map_err(|why| failed(signed, &why))?;
    let row = |receipt: Receipt| ReceiptRow {
        number: office::number(receipt.id),
        unit: here.name(signed, Some(&receipt.focal)),
        day: frame::date(receipt.day),
        version: receipt.version.into(),
        at: frame::stamp(receipt.at),
        href: format!("/gathering/handed/{}{}", receipt.id, here.query()),
    };
    Ok(found.map(|all| all.into_iter().map(row).collect()))
}
