//! What a merge or a split would move, line by line, before it is written down (B4).

use dancu_domain::units::Event;
use dancu_office::Refused;
use dancu_office::units::{self, Live, Wider};

use super::Known;
use crate::portal::operator::store;
use crate::portal::signed::Signed;
use crate::portal::words;
use crate::stop::Stop;

/// People whose roles reach further that one page names: more are counted.
const NAMED: usize = 40;

/// The lines, or why the events are refused.
///
/// # Errors
/// The page that answers instead.
pub(super) async fn lines(
    signed: &Signed,
    known: &Known,
    events: &[Event],
) -> Result<Result<Vec<String>, Refused>, Stop> {
    let snapshot = signed.app.gate.snapshot();
    let moved = match units::preview(store(signed), &snapshot, known, events).await {
        Ok(moved) => moved,
        Err(refused) => return Ok(Err(refused)),
    };
    let t = signed.text();
    let num = |n: usize| t.num(n as u64);
    let mut lines: Vec<String> = moved.live.iter().map(|live| connection(signed, live)).collect();
    lines.insert(0, t.with("unit-moves-systems", "count", num(moved.live.len())));
    lines.push(t.with_two(
        "unit-moves-lines",
        "lines",
        num(moved.lines),
        "accounts",
        num(moved.accounts),
    ));
    lines.push(t.with("unit-moves-people", "people", num(moved.people)));
    if !moved.twice.is_empty() {
        lines.push(t.with("unit-moves-twice", "people", moved.twice.join(", ")));
    }
    if moved.wider.is_empty() {
        lines.push(t.get("unit-moves-no-wider"));
    }
    lines.extend(moved.wider.iter().take(NAMED).map(|wider| reach(signed, wider)));
    if moved.wider.len() > NAMED {
        lines.push(t.with("unit-moves-more", "count", num(moved.wider.len() - NAMED)));
    }
    Ok(Ok(lines))
}

/// `SYSTEM, đang hoạt động: OLD → NEW`.
fn connection(signed: &Signed, live: &Live) -> String {
    let t = signed.text();
    let (from, to) = (signed.unit_named(&live.from), signed.unit_named(&live.to));
    let state = t.get(words::connection(live.state).key);
    let what = format!("{} ({state})", live.system);
    t.with_two("unit-moves-system", "system", what, "units", format!("{from} → {to}"))
}

fn reach(signed: &Signed, wider: &Wider) -> String {
    let t = signed.text();
    let row = wider.role.row();
    let who = format!(
        "{}, {}, {}",
        wider.name,
        signed.say(row.name_vi, row.name),
        signed.unit_named(&wider.unit)
    );
    let mut what = vec![];
    if !wider.systems.is_empty() {
        what.push(t.with("unit-wider-systems", "systems", wider.systems.join(", ")));
    }
    if wider.people > 0 {
        what.push(t.with("unit-wider-people", "count", t.num(wider.people)));
    }
    t.with_two("unit-wider", "who", who, "what", what.join("; "))
}
