//! The list of connected systems with today's use.

use axum::extract::Query;
use axum::response::Response;
use dancu_domain::moment::DAY_MS;
use dancu_domain::registration::{ConnectionState, System};
use dancu_domain::text::fold;
use dancu_office::act::places;
use dancu_office::locks::{self, Today};
use dancu_portal::operator::{SystemRow, Systems};
use dancu_portal::parts::{Choice, Pager, SavedView};
use dancu_portal::text::Text;
use serde::Deserialize;

use super::{registered, store};
use crate::portal::signed::Signed;
use crate::portal::{frame, words};

/// Systems of one page: what fits on two screens.
const PAGE: usize = 50;

/// The filters, in the address, so that a view can be kept and passed on.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Filter {
    q: String,
    state: String,
    page: usize,
}

/// Filters of state: value and the states it shows.
const STATES: &[(&str, &[ConnectionState])] = &[
    ("active", &[ConnectionState::Live]),
    ("stopped", &[ConnectionState::Suspended, ConnectionState::Locked]),
    ("preparing", &[ConnectionState::Preparing]),
    ("closed", &[ConnectionState::Closed]),
];

/// `GET /operate/systems`
pub async fn show(signed: Signed, Query(filter): Query<Filter>) -> Response {
    let snapshot = match registered(&signed).await {
        Ok(snapshot) => snapshot,
        Err(error) => return words::unread(&signed, &error),
    };
    let today = Today::of(store(&signed), signed.now);
    let duty = store(&signed).profiles().at(signed.now).hours.duty(signed.now);
    let wanted = fold(&filter.q);
    let mut rows: Vec<(&System, Counts)> = store(&signed).ledger().lines(|lines| {
        let all = snapshot.systems().iter().map(AsRef::as_ref);
        let named = all.filter(|s: &&System| {
            fold(s.code.as_str()).contains(&wanted)
                || fold(&signed.unit_named(&s.unit)).contains(&wanted)
        });
        named
            .map(|system| {
                let counts = Counts {
                    exceedances: places(system)
                        .map(|p| u64::from(lines.line_day(p.line.id, today.day).exceedances))
                        .sum(),
                    locks: locks::of_system(system, lines, today).len() as u64,
                };
                (system, counts)
            })
            .filter(|(system, counts)| shows(&filter.state, system, counts))
            .collect()
    });
    rows.sort_by(|(a, _), (b, _)| a.code.cmp(&b.code));
    let ids: Vec<_> = rows.iter().map(|(system, _)| system.id).collect();
    let days = match signed.portal().hours.of(store(&signed), signed.now, &ids).await {
        Ok(days) => days,
        Err(error) => return words::unread(&signed, &error),
    };
    let total = rows.len();
    let first = filter.page.saturating_mul(PAGE).min(total.saturating_sub(1) / PAGE * PAGE);
    let shown = rows.iter().zip(&days).skip(first).take(PAGE);
    let t = signed.text();
    frame::page(&Systems {
        views: views(&t, &filter),
        states: states(&t, &filter.state),
        rows: shown.map(|((system, counts), day)| row(&signed, system, counts, day)).collect(),
        answered: days.iter().map(|day| day.answered).sum(),
        refused: days.iter().map(|day| day.refused).sum(),
        from: frame::time(duty.resets_at.plus_ms(-DAY_MS)),
        until: days.iter().find_map(|day| day.until).map(frame::time),
        pager: pager(&filter, first, total),
        search: filter.q,
        s: signed.shell(),
        t,
    })
}

struct Counts {
    exceedances: u64,
    locks: u64,
}

fn shows(state: &str, system: &System, counts: &Counts) -> bool {
    match STATES.iter().find(|(value, _)| *value == state) {
        Some((value, states)) => {
            states.contains(&system.state) || (*value == "stopped" && counts.locks > 0)
        }
        None => state != "exceeded" || counts.exceedances > 0,
    }
}

fn row(
    signed: &Signed,
    system: &System,
    counts: &Counts,
    day: &crate::portal::hours::Day,
) -> SystemRow {
    SystemRow {
        code: system.code.as_str().to_owned(),
        unit: signed.unit_named(&system.unit),
        group: system.group as u8,
        state: words::connection(system.state),
        answered: day.answered,
        refused: day.refused,
        exceedances: counts.exceedances,
        locks: counts.locks,
        href: format!("/operate/systems/{}", system.code.as_str()),
    }
}

fn views(t: &Text, filter: &Filter) -> Vec<SavedView> {
    let named =
        [("", "systems-all"), ("stopped", "systems-stopped"), ("exceeded", "systems-exceeded")];
    named
        .into_iter()
        .map(|(state, key)| SavedView {
            name: t.get(key),
            href: format!("/operate/systems?state={state}"),
            current: filter.q.is_empty() && filter.state == state,
        })
        .collect()
}

fn states(t: &Text, chosen: &str) -> Vec<Choice> {
    let choice = |value: &str, label: String| Choice {
        value: value.to_owned(),
        label,
        chosen: value == chosen,
    };
    let named = STATES.iter().map(|(value, _)| match *value {
        "active" => choice(value, t.get("state-active")),
        "stopped" => choice(value, t.get("systems-stopped")),
        "preparing" => choice(value, t.get("state-preparing")),
        _ => choice(value, t.get("state-closed")),
    });
    let first = [choice("", t.get("systems-any-state"))];
    first.into_iter().chain(named).chain([choice("exceeded", t.get("systems-exceeded"))]).collect()
}

fn pager(filter: &Filter, first: usize, total: usize) -> Pager {
    let page = |page: usize| {
        let q = crate::portal::paths::escaped(&filter.q);
        let state = crate::portal::paths::escaped(&filter.state);
        format!("/operate/systems?q={q}&state={state}&page={page}")
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
