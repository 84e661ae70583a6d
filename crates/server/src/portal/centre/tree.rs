//! Units as a tree: what stands at the top, provinces first, and one of them opened at a time; it
//! works by links alone.

use axum::extract::Query;
use dancu_domain::ids::UnitCode;
use dancu_domain::units::{Tree, Unit, UnitKind};
use dancu_portal::centre::{Branch, TreePage};
use serde::Deserialize;

use super::{known, list};
use crate::portal::frame;
use crate::portal::signed::Signed;
use crate::stop::Handled;

/// Units of one level that a page lists: the largest province has 168 communes.
const LEVEL_MAX: usize = 300;

/// Which unit is opened.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Opened {
    open: String,
}

/// `GET /centre/units/tree`
pub(super) async fn show(signed: Signed, Query(opened): Query<Opened>) -> Handled {
    let known = known(&signed).await?;
    let tree = &known.tree;
    let open: Vec<&UnitCode> = UnitCode::parse(&opened.open)
        .map(|code| tree.path(&code).into_iter().map(|unit| &unit.code).collect())
        .unwrap_or_default();
    let mut roots: Vec<&Unit> =
        tree.all().filter(|unit| unit.lives() && unit.parent().is_none()).collect();
    let place = |unit: &Unit| (unit.about.kind != UnitKind::Province, unit.code.clone());
    roots.sort_by_cached_key(|unit| place(unit));
    let (mut rows, mut left) = (vec![], 0);
    level(tree, &roots, &open, 0, &mut rows, &mut left);
    Ok(frame::page(&TreePage {
        views: list::views(&signed, "tree"),
        rows,
        left: left as u64,
        s: signed.shell(),
        t: signed.text(),
    }))
}

/// The units of one level, and below the one that is open the next level.
fn level(
    tree: &Tree,
    units: &[&Unit],
    open: &[&UnitCode],
    depth: usize,
    rows: &mut Vec<Branch>,
    left: &mut usize,
) {
    *left += units.len().saturating_sub(LEVEL_MAX);
    for unit in units.iter().take(LEVEL_MAX) {
        let below: Vec<&Unit> = tree.children(&unit.code).collect();
        let is_open = open.contains(&&unit.code);
        let to = if is_open { unit.parent() } else { Some(&unit.code) };
        rows.push(Branch {
            depth,
            code: unit.code.to_string(),
            name: unit.name().to_owned(),
            below: below.len() as u64,
            open: is_open,
            toggle: to.map(ToString::to_string).unwrap_or_default(),
        });
        if is_open {
            level(tree, &below, open, depth + 1, rows, left);
        }
    }
}
