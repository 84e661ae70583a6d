//! Rows of a summary as pages show them, and which of them are shown.

use dancu_domain::dossier::{Part, Stage};
use dancu_domain::gathering::{Counts, Level, Lines, Row, Whose};
use dancu_domain::ids::UnitCode;
use dancu_domain::text::fold;
use dancu_portal::gathering::{UnitRow, states};
use dancu_portal::parts::{Pager, State};
use jiff::civil::Date;
use serde::Deserialize;

use crate::portal::frame;
use crate::portal::paths::escaped;
use crate::portal::signed::Signed;

/// Units of one page: what fits on two screens.
const PAGE: usize = 50;
/// Stands for units without a place in the address.
pub(super) const ELSEWHERE: u8 = 0;
/// Stands for every level of who has to do something.
pub(super) const BEHIND: &str = "behind";
/// Names of stages, by number, as dossiers say them.
const STAGES: [&str; 6] = [
    Stage::Draft.name_vi(),
    Stage::Submitted.name_vi(),
    Stage::Changes.name_vi(),
    Stage::Accepted.name_vi(),
    Stage::Approved.name_vi(),
    Stage::Live.name_vi(),
];

/// Which units are listed, in the address, so that a view can be kept and passed on.
#[derive(Clone, Deserialize, Default)]
#[serde(default)]
pub(super) struct Filter {
    pub(super) at: String,
    pub(super) q: String,
    pub(super) level: String,
    pub(super) province: String,
    pub(super) from: String,
    pub(super) page: usize,
    pub(super) told: String,
}

impl Filter {
    /// The rows of a summary that fit.
    pub(super) fn of<'a>(&self, lines: &Lines, rows: &'a [Row]) -> Vec<&'a Row> {
        let from = UnitCode::parse(&self.from).ok();
        let part = from.as_ref().map(|from| lines.line(Some(from)));
        let (wanted, province) = (fold(&self.q), self.province.parse::<u8>().ok());
        let (level, behind) = (Level::from_code(&self.level), self.level == BEHIND);
        let fits = |row: &&Row| {
            let place = row.province.unwrap_or(ELSEWHERE);
            let says = |text: &str| fold(text).contains(&wanted);
            part.as_ref().is_none_or(|part| part.contains(&row.unit))
                && province.is_none_or(|wanted| place == wanted)
                && level.is_none_or(|level| row.level == level)
                && (!behind || row.level.is_behind())
                && (wanted.is_empty() || says(&row.name) || says(row.unit.as_str()))
        };
        rows.iter().filter(fits).collect()
    }

    /// Whether it leaves anything out.
    pub(super) fn any(&self) -> bool {
        [&self.q, &self.level, &self.province, &self.from].iter().any(|text| !text.is_empty())
    }

    /// As it stands behind an address, each part with `&` in front; without the page.
    pub(super) fn query(&self) -> String {
        let parts = [
            ("q", &self.q),
            ("level", &self.level),
            ("province", &self.province),
            ("from", &self.from),
        ];
        let named = parts.iter().filter(|(_, value)| !value.is_empty());
        let part = |(name, value): &(&str, &String)| format!("&{name}={}", escaped(value));
        named.map(part).collect::<Vec<_>>().concat()
    }
}

/// Some of the rows, with what leads to the others; `address` makes one of a page.
pub(super) fn paged<'a>(
    all: &[&'a Row],
    page: usize,
    address: impl Fn(usize) -> String,
) -> (Vec<&'a Row>, Pager) {
    let total = all.len();
    let first = page.saturating_mul(PAGE).min(total.saturating_sub(1) / PAGE * PAGE);
    let at = first / PAGE;
    let pager = Pager {
        from: if total == 0 { 0 } else { first as u64 + 1 },
        to: (first + PAGE).min(total) as u64,
        total: total as u64,
        before: (at > 0).then(|| address(at - 1)),
        after: (first + PAGE < total).then(|| address(at + 1)),
    };
    (all.iter().skip(first).take(PAGE).copied().collect(), pager)
}

/// A row; `href`: its page.
pub(super) fn row(signed: &Signed, row: &Row, href: String, urged: Option<Date>) -> UnitRow {
    let c = row.counts;
    let t = signed.text();
    let whose = (row.whose != Whose::Nobody)
        .then(|| format!(" · {}", t.get(format!("gather-whose-{}", row.whose.code()))));
    let stage = row.stage.map(stage).unwrap_or_default();
    let (lacking, parts) = (row.lacks.len() as u64, Part::ALL.len() as u64);
    let lacks = t.with_two("gather-lacking", "count", t.num(lacking), "parts", t.num(parts));
    UnitRow {
        name: row.name.clone(),
        code: row.unit.to_string(),
        href,
        state: state(row.level),
        systems: [c.live, c.incomplete, c.locked].map(u64::from),
        accounts: c.accounts.into(),
        dossier: format!("{stage}{}", whose.unwrap_or_default()),
        lacks: if row.lacks.is_empty() { String::new() } else { lacks },
        deadline: row.deadline.map(frame::date).unwrap_or_default(),
        urged: urged.map(frame::date).unwrap_or_default(),
    }
}

/// A stage by its number, as dossiers say it.
pub(super) fn stage(number: u8) -> &'static str {
    STAGES.get(usize::from(number)).copied().unwrap_or_default()
}

/// A level as pages show it.
pub(super) const fn state(level: Level) -> State {
    match level {
        Level::Locked => states::LOCKED,
        Level::Overdue => states::OVERDUE,
        Level::Due => states::DUE,
        Level::Waits => states::WAITS,
        Level::Elsewhere => states::ELSEWHERE,
        Level::Stopped => states::STOPPED,
        Level::Fine => states::FINE,
        Level::Nothing => states::NOTHING,
    }
}

/// Totals with their labels.
pub(super) fn totals(counts: Counts) -> Vec<(&'static str, u64)> {
    let all = [
        ("gather-units", counts.units),
        ("gather-behind", counts.behind),
        ("gather-live", counts.live),
        ("gather-incomplete", counts.incomplete),
        ("gather-stopped", counts.locked),
        ("gather-under-way", counts.dossiers),
        ("gather-tasks", counts.tasks),
        ("gather-accounts", counts.accounts),
    ];
    all.map(|(key, count)| (key, u64::from(count))).into()
}
