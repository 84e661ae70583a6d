//! The queue of the centre: one stage at a time, those that stand there longest first.

use axum::extract::Query;
use dancu_domain::dossier::{DossierNumber, Stage, Turn};
use dancu_domain::moment::Moment;
use dancu_domain::people::powers::Power;
use dancu_domain::text::fold;
use dancu_office::dossiers::read;
use dancu_portal::dossier::Queue;
use dancu_portal::parts::{Choice, Pager, SavedView};
use dancu_store::dossiers::{After, LISTED};
use serde::Deserialize;

use super::{at_centre, list, told};
use crate::portal::paths::escaped;
use crate::portal::signed::Signed;
use crate::portal::{frame, words};
use crate::stop::{Handled, Stop};

/// Turns to filter by, with their words in the address.
const TURNS: [(&str, Turn); 5] = [
    ("reviewer", Turn::Reviewer),
    ("assessor", Turn::Assessor),
    ("integrator", Turn::Integrator),
    ("unit", Turn::Unit),
    ("operator", Turn::Operator),
];

/// Pages of the store that one answer looks through while a filter leaves rows out: 2,000 dossiers,
/// more than stand at a stage on an ordinary day.
const PAGES_LOOKED: usize = 40;

/// The filters, in the address.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Filter {
    stage: String,
    turn: String,
    q: String,
    since: Option<i64>,
    after: String,
    /// Rows that were shown before these.
    before: u64,
}

/// `GET /centre/dossiers`
pub(super) async fn show(signed: Signed, Query(filter): Query<Filter>) -> Handled {
    let place = at_centre(&signed, Power::SeeDossiers)?;
    let stage = usual_stage(&signed, &filter.stage);
    let after = match (filter.since, DossierNumber::parse(&filter.after)) {
        (Some(since), Some(number)) => After { since: Moment(since), number },
        _ => After::START,
    };
    let turn = TURNS.iter().find(|(word, _)| *word == filter.turn).map(|(_, turn)| *turn);
    let wanted = fold(&filter.q);
    let t = signed.text();
    let unread = |refused| Stop::from(words::failed(&signed, &refused));
    let counts = read::counts(&place.desk()).await.map_err(unread)?;
    let (mut rows, mut next) = (vec![], Some(after));
    // What does not fit is passed over until a page is full.
    for _ in 0..PAGES_LOOKED {
        let Some(from) = next.filter(|_| rows.len() < LISTED as usize) else { break };
        let found = read::queue(&place.desk(), stage, from).await.map_err(unread)?;
        for summary in &found.rows {
            let row = list::row(&signed, &place, summary);
            let says = [&row.number, &row.name, &row.code, &row.unit];
            let fits = wanted.is_empty() || says.iter().any(|text| fold(text).contains(&wanted));
            if fits && turn.is_none_or(|turn| summary.turns.contains(&turn)) {
                rows.push(row);
            }
        }
        next = found.next;
    }
    let code = Stage::CODES[usize::from(stage)];
    let views = Stage::CODES.iter().zip(counts).map(|(word, count)| SavedView {
        name: format!("{} ({})", t.get(format!("dossier-stage-{word}")), t.num(count)),
        href: format!("/centre/dossiers?stage={word}"),
        current: *word == code,
    });
    let [q, turn_word] = [&filter.q, &filter.turn].map(|text| escaped(text));
    let kept = format!("/centre/dossiers?stage={code}&turn={turn_word}&q={q}");
    let shown = rows.len() as u64;
    // The first page has none before it, whatever its address says.
    let earlier = if after == After::START { 0 } else { filter.before };
    let to = earlier.saturating_add(shown);
    let next = next.map(|after| {
        let (since, number) = (after.since.0, after.number);
        format!("{kept}&since={since}&after={number}&before={to}")
    });
    let before = (after != After::START).then_some(kept);
    let filtered = turn.is_some() || !wanted.is_empty();
    let total = if filtered { to } else { counts[usize::from(stage)].max(to) };
    let page = Queue {
        views: views.collect(),
        search: filter.q.clone(),
        turns: choices(&t.get("dossier-any-turn"), turn, |turn| t.get(told::turn_key(turn))),
        stage: code.to_owned(),
        oldest: rows.iter().map(|row| row.days).max().unwrap_or(0),
        pager: Pager { from: to - shown + u64::from(shown > 0), to, total, before, after: next },
        rows,
        s: signed.shell(),
        t,
    };
    Ok(frame::page(&page))
}

/// The stage that was asked for; else where this person's work begins.
fn usual_stage(signed: &Signed, word: &str) -> u8 {
    let named = Stage::CODES.iter().position(|code| *code == word);
    let usual = match () {
        () if signed.holds(Power::ReviewDossier) => Stage::Submitted,
        () if signed.holds(Power::ManageSystems) => Stage::Approved,
        () => Stage::Accepted,
    };
    named.and_then(|at| u8::try_from(at).ok()).unwrap_or_else(|| usual.number())
}

fn choices(any: &str, chosen: Option<Turn>, name: impl Fn(Turn) -> String) -> Vec<Choice> {
    let first = Choice { value: String::new(), label: any.to_owned(), chosen: chosen.is_none() };
    let listed = TURNS.iter().map(|(word, turn)| Choice {
        value: (*word).to_owned(),
        label: name(*turn),
        chosen: chosen == Some(*turn),
    });
    std::iter::once(first).chain(listed).collect()
}
