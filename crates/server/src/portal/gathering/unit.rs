//! One unit of the line: what is open there, and urging it.

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use dancu_domain::gathering::Whose;
use dancu_domain::ids::UnitCode;
use dancu_domain::people::powers::Power;
use dancu_office::gathering::{self as office, Detail, Gathered};
use dancu_portal::gathering::{DossierRow, Unit};
use dancu_portal::parts::FieldError;

use super::rows::{Filter, stage, state};
use super::{Here, failed};
use crate::portal::form::{self, Form};
use crate::portal::frame;
use crate::portal::signed::Signed;
use crate::portal::words;
use crate::stop::Handled;

/// `GET /gathering/{unit}`
pub(super) async fn show(
    signed: Signed,
    Path(code): Path<String>,
    Query(filter): Query<Filter>,
) -> Handled {
    let here = Here::of(&signed, Power::SeeGathering, &filter.at).await?;
    let told = (filter.told == "urged").then_some("gather-urged-done");
    page(&signed, &here, &code, told, vec![], &Form::default()).await
}

pub(super) async fn page(
    signed: &Signed,
    here: &Here,
    code: &str,
    told: Option<&'static str>,
    errors: Vec<FieldError>,
    typed: &Form,
) -> Handled {
    // An old code leads to the unit that took over, one of another line to nothing.
    let unit = UnitCode::parse(code).ok().and_then(|code| here.known.tree.resolve(&code));
    let Some(unit) = unit else { return Ok(frame::missing(signed)) };
    let gathered = here.gathered(signed).await?;
    let found = office::detail(&here.desk(), &gathered, &unit.code).await;
    let Some(detail) = found.map_err(|why| failed(signed, &why))? else {
        return Ok(frame::missing(signed));
    };
    if unit.code.as_str() != code {
        return Ok(frame::to(&format!("/gathering/{}{}", unit.code, here.query())));
    }
    Ok(shown(signed, here, (&gathered, detail), told, errors, typed))
}

fn shown(
    signed: &Signed,
    here: &Here,
    (gathered, detail): (&Gathered, Detail),
    told: Option<&'static str>,
    errors: Vec<FieldError>,
    typed: &Form,
) -> Response {
    let row = &detail.row;
    let urged = gathered.urged.get(&row.unit).copied();
    let behind = row.level.is_behind() && here.at.as_ref() != Some(&row.unit);
    let next = gathered.lines.next(&row.unit);
    let mut gathers: Vec<String> = next.iter().map(|at| here.name(signed, Some(at))).collect();
    if gathers.is_empty() {
        gathers.push(here.name(signed, None));
    }
    let mut facts = vec![
        ("gather-next", gathers.join("; ")),
        ("gather-accounts", signed.text().num(u64::from(row.counts.accounts))),
    ];
    facts.extend(urged.map(|day| ("gather-urged", frame::date(day))));
    let systems = here.snapshot.systems().iter().filter(|system| {
        here.known.tree.resolve(&system.unit).is_some_and(|unit| unit.code == row.unit)
    });
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = Unit {
        errors,
        told,
        list: here.list(""),
        code: row.unit.to_string(),
        name: row.name.clone(),
        state: state(row.level),
        facts,
        systems: systems
            .map(|system| {
                let accounts = system.accounts.iter().count() as u64;
                (system.code.to_string(), words::connection(system.state), accounts)
            })
            .collect(),
        dossiers: dossiers(signed, &detail),
        urges: behind && urged != Some(signed.today()) && signed.holds(Power::UrgeUnits),
        at: here.named().to_owned(),
        words: typed.get("words").to_owned(),
        once: form::once(),
        s: signed.shell(),
        t: signed.text(),
    };
    frame::page_with(status, &page)
}

fn dossiers(signed: &Signed, detail: &Detail) -> Vec<DossierRow> {
    let row = |(listed, missing): &(_, Vec<dancu_domain::dossier::Missing>)| {
        let listed: &dancu_store::dossiers::Summary = listed;
        let whose = Whose::of(&listed.turns);
        let task = detail.tasks.iter().find(|task| task.dossier == listed.number);
        let mut lines: Vec<String> = vec![];
        for m in missing {
            let line = format!("{}: {}", m.part.name_vi(), signed.say(m.vi, m.en));
            // Rows of one table lack the same; whose they are is no matter of the focal point (A6).
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        DossierRow {
            number: listed.number.to_string(),
            name: listed.name.clone(),
            stage: stage(listed.stage),
            whose: match whose {
                Whose::Nobody => String::new(),
                whose => format!("gather-whose-{}", whose.code()),
            },
            since: frame::day(listed.since),
            deadline: task.map(|task| frame::date(task.deadline)).unwrap_or_default(),
            missing: lines,
        }
    };
    detail.dossiers.iter().map(row).collect()
}
