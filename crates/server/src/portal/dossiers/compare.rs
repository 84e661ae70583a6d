//! Two versions of a dossier side by side, item by item (B2). Of the account list only numbers are
//! told (A6).

use axum::extract::{Path, Query};
use dancu_domain::dossier::Item;
use dancu_domain::people::powers::Power;
use dancu_office::dossiers::read::{self, Open, Which};
use dancu_portal::dossier::Compare;
use dancu_portal::parts::Choice;
use dancu_portal::text::Text;
use serde::Deserialize;

use super::{Place, at_centre, at_unit, opened, told};
use crate::portal::signed::Signed;
use crate::portal::{frame, words};
use crate::stop::{Handled, Stop};

/// Which two: `now`, `live`, or the number of a submission.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    before: String,
    after: String,
}

/// `GET /unit/dossiers/{number}/compare`
pub(super) async fn of_unit(
    signed: Signed,
    Path(number): Path<String>,
    Query(asked): Query<Asked>,
) -> Handled {
    let place = at_unit(&signed, Power::EditDossier)?;
    page(&signed, &place, &number, &asked).await
}

/// `GET /centre/dossiers/{number}/compare`
pub(super) async fn of_centre(
    signed: Signed,
    Path(number): Path<String>,
    Query(asked): Query<Asked>,
) -> Handled {
    let place = at_centre(&signed, Power::SeeDossiers)?;
    page(&signed, &place, &number, &asked).await
}

async fn page(signed: &Signed, place: &Place, number: &str, asked: &Asked) -> Handled {
    let open = opened(signed, place, number).await?;
    let t = signed.text();
    let all = texts(&open);
    // The last two that there are, unless others are asked for.
    let usual = all.len().saturating_sub(2);
    let chosen = |word: &str, usual: usize| {
        let named = all.iter().position(|which| code(*which) == word);
        named.unwrap_or(usual)
    };
    let before = chosen(&asked.before, usual);
    let after = chosen(&asked.after, all.len() - 1);
    let of = (all[before], all[after]);
    let compared = read::compare(&place.desk(), open.dossier.number(), of).await;
    let compared = compared.map_err(|refused| Stop::from(words::failed(signed, &refused)))?;
    let Some(compared) = compared else { return Ok(frame::missing(signed)) };
    let rows = compared.differences.into_iter().filter(|d| {
        // A6: who edits technical items reads those.
        !place.integrator || d.item.is_technical()
    });
    let rows = rows.map(|d| {
        let (old, new) = if d.item == Item::Accounts {
            (vec![d.before], vec![d.after])
        } else {
            let (before, after) = &compared.texts;
            (told::value(&t, before, d.item), told::value(&t, after, d.item))
        };
        (told::item_key(d.item), alone(&old, &new), alone(&new, &old))
    });
    let choices = |at: usize| {
        let all = all.iter().enumerate().map(|(n, which)| Choice {
            value: code(*which),
            label: name(&t, *which),
            chosen: n == at,
        });
        all.collect()
    };
    let page = Compare {
        base: place.page(open.dossier.number()),
        number: open.dossier.number().to_string(),
        before: choices(before),
        after: choices(after),
        names: (name(&t, of.0), name(&t, of.1)),
        rows: rows.collect(),
        s: signed.shell(),
        t,
    };
    Ok(frame::page(&page))
}

/// What there is to compare, the oldest first.
fn texts(open: &Open) -> Vec<Which> {
    let mut all: Vec<Which> = (1..=open.dossier.version()).map(Which::Submitted).collect();
    if open.dossier.in_force().is_some() {
        all.push(Which::InForce);
    }
    all.push(Which::Now);
    all
}

fn code(which: Which) -> String {
    match which {
        Which::Submitted(version) => version.to_string(),
        Which::Now => "now".to_owned(),
        Which::InForce => "live".to_owned(),
    }
}

fn name(t: &Text, which: Which) -> String {
    match which {
        Which::Submitted(version) => t.with("dossier-version", "version", version),
        Which::Now => t.get("dossier-version-now"),
        Which::InForce => t.get("dossier-version-live"),
    }
}

/// Lines of one text, each with whether the other has it too.
fn alone(lines: &[String], other: &[String]) -> Vec<(String, bool)> {
    lines.iter().map(|line| (line.clone(), !other.contains(line))).collect()
}
