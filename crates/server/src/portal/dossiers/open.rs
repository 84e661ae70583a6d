//! One dossier: the track, whose turn it is, what it lacks, its parts, comments, acts and history.

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use dancu_domain::dossier::{Dossier, Missing, Part, Stage, Turn};
use dancu_domain::people::powers::Power;
use dancu_office::documents::in_words;
use dancu_office::dossiers::read::{Act, Open};
use dancu_portal::dossier::kept::Kept;
use dancu_portal::dossier::{Dossier as Page, Happened, Note, PartRow, states};
use dancu_portal::parts::{Choice, FieldError};

use super::told::{self, Names};
use super::{Place, at_centre, at_unit, copies, documents, forms, opened, track};
use crate::portal::form::{self, Form};
use crate::portal::frame::Told;
use crate::portal::signed::Signed;
use crate::portal::{frame, words};
use crate::stop::Handled;

/// Missing things and events that the page shows; the rest stands on the sheets.
const SHOWN: usize = 40;

/// What was done a moment ago.
const TOLD: [(&str, &str); 18] = [
    ("copied", "copies-told-done"),
    ("received", "copies-received-done"),
    ("begun", "dossier-told-begun"),
    ("signed", "dossier-told-signed"),
    ("submitted", "dossier-told-submitted"),
    ("withdrawn", "dossier-told-withdrawn"),
    ("reopened", "dossier-told-reopened"),
    ("accepted", "dossier-told-accepted"),
    ("checked", "dossier-told-checked"),
    ("resolved", "dossier-told-resolved"),
    ("asked", "dossier-told-asked"),
    ("refused", "dossier-told-refused"),
    ("step", "dossier-told-step"),
    ("exempted", "dossier-told-exempted"),
    ("approved", "dossier-told-approved"),
    ("half", "dossier-told-half"),
    ("live", "dossier-told-live"),
    ("closed", "dossier-told-closed"),
];

/// `GET /unit/dossiers/{number}`
pub(super) async fn of_unit(
    signed: Signed,
    Path(number): Path<String>,
    Query(told): Query<Told>,
) -> Handled {
    let place = at_unit(&signed, Power::EditDossier)?;
    let open = opened(&signed, &place, &number).await?;
    page(&signed, &place, &open, (told.key(&TOLD), vec![], &Form::default())).await
}

/// `GET /centre/dossiers/{number}`
pub(super) async fn of_centre(
    signed: Signed,
    Path(number): Path<String>,
    Query(told): Query<Told>,
) -> Handled {
    let place = at_centre(&signed, Power::SeeDossiers)?;
    let open = opened(&signed, &place, &number).await?;
    page(&signed, &place, &open, (told.key(&TOLD), vec![], &Form::default())).await
}

/// The page, with what was done or is wrong, and what was typed.
pub(super) async fn page(
    signed: &Signed,
    place: &Place,
    open: &Open,
    (told, errors, typed): (Option<&'static str>, Vec<FieldError>, &Form),
) -> Handled {
    let names = Names::of(signed, place, open).await?;
    let (t, dossier) = (signed.text(), &open.dossier);
    let base = place.page(dossier.number());
    let content = dossier.content();
    let lacks = open.missing.iter().filter(|m| {
        // A6: who edits technical items is shown those.
        !place.integrator || m.item.is_technical()
    });
    let lacks: Vec<_> = lacks.map(|m| told::lack(signed, place, &base, content, m)).collect();
    let count = lacks.len();
    let comparable = dossier.version() > 0 || dossier.in_force().is_some();
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = Page {
        told,
        errors,
        centre: place.unit.is_none(),
        list: place.list(),
        number: dossier.number().to_string(),
        name: named(signed, dossier),
        state: states::STAGES[usize::from(dossier.stage().number())],
        connection: open.connection.map(words::connection),
        facts: facts(signed, open),
        notes: notes(signed, open),
        turn: told::turns(&t, &open.turns),
        track: track::stations(signed, &names, open),
        lacks: lacks.into_iter().take(SHOWN).collect(),
        more_lacks: count.saturating_sub(SHOWN) as u64,
        parts: Part::ALL.map(|part| row(signed, (place, &names), open, part)).into(),
        remarks: told::remarks(signed, (place, &names), (&base, open), |_| true),
        acts: forms::of(signed, place, open, typed),
        history: open.history.iter().take(SHOWN).map(happened).collect(),
        kept: kept(signed, (place, &names), open, typed),
        compare: if comparable { format!("{base}/compare") } else { String::new() },
        revision: open.revision,
        once: form::once(),
        base,
        s: signed.shell(),
        t,
    };
    Ok(frame::page_with(status, &page))
}

/// Documents of the centre and paper copies; head and deputies tell of those.
fn kept(signed: &Signed, (place, names): (&Place, &Names), open: &Open, typed: &Form) -> Kept {
    let t = signed.text();
    let choice = |part: Part| Choice {
        value: part.code().to_owned(),
        label: t.get(part_key(part)),
        chosen: part.code() == typed.get("copyPart"),
    };
    let tells = place.unit.is_some() && !place.integrator;
    Kept {
        documents: documents::rows(signed, place, &open.documents),
        copies: copies::rows(signed, (place, names), open),
        parts: if tells { Part::ALL.map(choice).into() } else { vec![] },
        typed: ["copyNumber", "copyDate", "copyKept"].map(|name| typed.get(name).to_owned()),
    }
}

/// The name of a dossier's system, or that it has none yet.
pub(super) fn named(signed: &Signed, dossier: &Dossier) -> String {
    match dossier.content().system_name.trim() {
        "" => signed.text().get("dossier-unnamed"),
        name => name.to_owned(),
    }
}

fn facts(signed: &Signed, open: &Open) -> Vec<(&'static str, String)> {
    let (t, dossier) = (signed.text(), &open.dossier);
    let accounts = t.with_two(
        "dossier-accounts-sum",
        "count",
        t.num(open.accounts.count as u64),
        "daily",
        t.num(open.accounts.daily),
    );
    let channel = format!("dossier-channel-{}", super::list::channel_word(dossier.channel()));
    let mut facts = vec![
        ("col-unit", signed.unit_named(dossier.unit())),
        ("dossier-code", dossier.content().system_code.trim().to_owned()),
        ("col-group", (dossier.group() as u8).to_string()),
        ("dossier-channel", t.get(channel)),
        ("dossier-accounts", accounts),
        ("dossier-approvers", (open.approvers as u8).to_string()),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

fn notes(signed: &Signed, open: &Open) -> Vec<Note> {
    let (t, dossier) = (signed.text(), &open.dossier);
    let mut notes = vec![];
    let ended = match dossier.stage() {
        Stage::Refused(refusal) => Some(refusal),
        _ => dossier.turned_down(),
    };
    if let Some(refusal) = ended {
        let what = t.with("dossier-refused-do", "what", &refusal.what_to_do);
        notes.push(Note {
            class: "bad",
            key: "dossier-refused-head",
            lines: vec![refusal.reason.clone(), what],
            rule: refusal.rule.code(),
        });
    }
    if let Some(reopening) = dossier.reopening() {
        let cause = t.get(format!("dossier-cause-{}", reopening.cause.code()));
        let lines = vec![cause, reopening.reason.clone()];
        notes.push(Note { class: "", key: "dossier-reopened-head", lines, rule: "B9" });
    }
    if !open.warnings.is_empty() {
        let told = open.warnings.iter().map(|(part, law)| {
            let part = t.get(part_key(*part));
            let law = match law.replaced_by {
                Some(new) => t.with_two("dossier-law-replaced", "old", law.name, "new", new),
                None => law.name.to_owned(),
            };
            format!("{part}: {law}")
        });
        let lines = told.collect();
        notes.push(Note { class: "warn", key: "dossier-laws-head", lines, rule: "B2" });
    }
    if open.beyond_group {
        let lines = vec![t.get("dossier-beyond")];
        notes.push(Note { class: "warn", key: "dossier-beyond-head", lines, rule: "A2" });
    }
    notes
}

/// Key of a part's name.
pub(super) fn part_key(part: Part) -> String {
    format!("dossier-part-{}", part.code())
}

/// The sheets of a part.
pub(super) const fn sheets_of(part: Part) -> &'static [&'static str] {
    match part {
        Part::Commitment => &["commitment"],
        Part::Registration => &["about", "services", "fields"],
        Part::Accounts => &["accounts"],
        Part::Security => &["security"],
    }
}

fn row(signed: &Signed, (place, names): (&Place, &Names), open: &Open, part: Part) -> PartRow {
    let (t, dossier) = (signed.text(), &open.dossier);
    let paper = dossier.paper(part);
    let base = place.page(dossier.number());
    let edition = match paper.edition.as_str() {
        "" => t.with("dossier-paper", "version", paper.version),
        name => t.with_two("dossier-paper-edition", "version", paper.version, "edition", name),
    };
    let lacks = open.missing.iter().filter(|m| m.part == part).count();
    // A paper is signed when nothing but the signature is missing in it.
    let unit_lacks =
        |m: &&Missing| m.part == part && matches!(m.turn, Turn::Unit | Turn::Integrator);
    let whole = open.missing.iter().filter(unit_lacks).count() <= 1;
    let open_to_all = place.unit.is_some() && !place.integrator;
    let mine = |sheet: &&&str| {
        open_to_all || (place.integrator && matches!(**sheet, "about" | "security"))
    };
    let sheets = sheets_of(part).iter().filter(mine);
    PartRow {
        code: part.code(),
        key: part_key(part),
        version: edition,
        filled: names.mark(paper.filled),
        signed: names.or_empty(paper.signed),
        checked: names.or_empty(paper.checked),
        lacks: lacks as u64,
        sheets: sheets.map(|s| (format!("dossier-sheet-{s}"), format!("{base}/{s}"))).collect(),
        signs: whole && open.acts.contains(&Act::Sign(part)),
        checks: open.acts.contains(&Act::Check(part)),
    }
}

/// Kinds whose details are words for people; those of the others name items by their codes.
const IN_WORDS: [&str; 7] = [
    "dossier.submitted",
    "dossier.withdrawn",
    "dossier.refused",
    "dossier.answered",
    "dossier.commentResolved",
    "dossier.approved",
    "dossier.closed",
];

fn happened(event: &dancu_store::dossiers::Event) -> Happened {
    // The detail begins with number, unit and stage, which the page says itself.
    let detail = event.detail.split_once("; ").map_or("", |(_, rest)| rest);
    let told = IN_WORDS.contains(&event.kind.as_str());
    Happened {
        time: frame::stamp(event.at),
        who: words::actor(&event.actor),
        key: format!("did-{}", event.kind.replace('.', "-")),
        detail: if told { in_words(detail) } else { String::new() },
    }
}
