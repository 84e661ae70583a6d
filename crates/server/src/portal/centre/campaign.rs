//! One campaign: how far it is by stage and province, extensions, its end (B4).

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use dancu_domain::campaigns::{CampaignId, TaskState, province_of};
use dancu_domain::dossier::{DossierNumber, Stage};
use dancu_domain::geo;
use dancu_domain::person::Dataset;
use dancu_domain::units::Tree;
use dancu_office::campaigns::read::{self, Progress};
use dancu_office::campaigns::{self as office, CampaignDesk};
use dancu_office::units::Known;
use dancu_portal::campaigns::{Campaign, TaskRow, Tile, states};
use dancu_portal::centre::Field;
use dancu_portal::parts::{FieldError, Pager};
use dancu_store::campaigns::Followed;
use serde::Deserialize;

use super::campaigns::{allowed, errors, no_day, part_key, tally};
use super::known;
use crate::portal::form::{self, Form};
use crate::portal::frame;
use crate::portal::once::Sent;
use crate::portal::operator::{actor, store};
use crate::portal::paths::escaped;
use crate::portal::signed::Signed;
use crate::portal::words;
use crate::stop::{Handled, Stop};

/// Dossiers of one page: what fits on two screens.
const PAGE: usize = 50;
/// Stands for units without a place in the address.
const ELSEWHERE: u8 = 0;

/// Words of the two sums besides the stages.
const DONE: &str = "done";
const LOCKED: &str = "locked";

/// Which dossiers are listed, in the address.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Filter {
    province: Option<u8>,
    /// A stage, among those that are not done with; or [`DONE`], [`LOCKED`].
    only: String,
    page: usize,
    told: String,
}

impl Filter {
    /// Whether a dossier is among those that are asked for.
    fn fits(&self, tree: &Tree, found: &Followed) -> bool {
        let place = || province_of(tree, &found.unit).unwrap_or(ELSEWHERE);
        let stage = || Stage::CODES.get(usize::from(found.standing.stage)).copied();
        let task = found.task.state();
        let only = match &*self.only {
            "" => true,
            DONE => task == TaskState::Done,
            LOCKED => task == TaskState::Locked,
            word => !task.is_over() && stage() == Some(word),
        };
        only && self.province.is_none_or(|wanted| place() == wanted)
    }

    /// What is chosen, in words.
    fn chosen(&self, signed: &Signed) -> String {
        let t = signed.text();
        let only = match &*self.only {
            DONE => Some(t.get("campaign-done")),
            LOCKED => Some(t.get("campaign-locked")),
            word => Stage::CODES.contains(&word).then(|| t.get(format!("dossier-stage-{word}"))),
        };
        let province = self.province.map(|code| province(signed, code));
        province.into_iter().chain(only).collect::<Vec<_>>().join(", ")
    }
}

/// `GET /centre/campaigns/{id}`
pub(super) async fn show(
    signed: Signed,
    Path(id): Path<String>,
    Query(filter): Query<Filter>,
) -> Handled {
    allowed(&signed)?;
    page(&signed, &id, &filter, vec![], &Form::default()).await
}

/// The number in an address: digits, or as it is written, `DCN-001`.
fn number(text: &str) -> Option<CampaignId> {
    text.strip_prefix("DCN-").unwrap_or(text).parse().ok().map(CampaignId)
}

async fn page(
    signed: &Signed,
    id: &str,
    filter: &Filter,
    errors: Vec<FieldError>,
    typed: &Form,
) -> Handled {
    let Some(id) = number(id) else { return Ok(frame::missing(signed)) };
    let known = known(signed).await?;
    let found = read::progress(store(signed), &known.tree, id).await;
    let found = found.map_err(|refused| Stop::from(words::failed(signed, &refused)))?;
    let Some(found) = found else { return Ok(frame::missing(signed)) };
    let told = [
        ("begun", "campaign-begun"),
        ("extended", "campaign-extended-done"),
        ("stopped", "campaign-stopped"),
    ];
    let told = told.iter().find(|(word, _)| *word == filter.told).map(|(_, key)| *key);
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let (rows, pager) = rows(signed, &known, &found, filter);
    let field = |field: &'static str, key, hint| Field {
        id: field,
        key,
        hint,
        value: typed.get(field).to_owned(),
        choices: vec![],
    };
    let page = Campaign {
        told,
        id: id.to_string(),
        name: found.campaign.plan().name.clone(),
        facts: facts(signed, &found),
        whole: tally(found.whole),
        stages: (0..).zip(found.stages).filter(|(_, n)| *n > 0).map(by_stage).collect(),
        tiles: tiles(signed, &found),
        chosen: filter.chosen(signed),
        rows,
        pager,
        runs: found.dossiers.iter().any(|f| !f.task.state().is_over()),
        fields: vec![
            field("dossier", "campaign-dossier", ""),
            field("deadline", "campaign-extend-to", "common-date-hint"),
            field("reason", "unit-reason", ""),
        ],
        why: typed.get("why").to_owned(),
        once: form::once(),
        errors,
        s: signed.shell(),
        t: signed.text(),
    };
    Ok(frame::page_with(status, &page))
}

/// Word of a stage, by its number.
fn stage_word(stage: usize) -> &'static str {
    Stage::CODES[stage.min(Stage::CODES.len() - 1)]
}

fn by_stage((stage, count): (usize, u64)) -> (&'static str, u64) {
    (stage_word(stage), count)
}

fn facts(signed: &Signed, found: &Progress) -> Vec<(&'static str, String)> {
    let plan = found.campaign.plan();
    let days: Vec<String> = plan.remind.iter().rev().map(ToString::to_string).collect();
    let t = signed.text();
    let parts: Vec<String> = plan.parts.iter().map(|part| t.get(part_key(*part))).collect();
    let mut facts = vec![
        ("campaign-ground", format!("{}, {}", plan.document, frame::date(plan.dated))),
        ("campaign-begun-by", frame::stamp(found.campaign.begun().at)),
        ("campaign-deadline", frame::date(plan.deadline)),
        ("campaign-total", found.whole.total.to_string()),
    ];
    if !days.is_empty() {
        facts.push(("campaign-remind", days.join(", ")));
    }
    if !parts.is_empty() {
        facts.push(("campaign-parts", parts.join("; ")));
    }
    facts
}

/// A name for a province's code.
fn province(signed: &Signed, code: u8) -> String {
    match geo::province(Dataset::Y2026, code) {
        Some(province) => province.name.to_owned(),
        None => signed.text().get("campaign-elsewhere"),
    }
}

/// One tile each, also of provinces without a dossier; units without a place last.
fn tiles(signed: &Signed, found: &Progress) -> Vec<Tile> {
    let tile = |code: u8, counted| Tile {
        name: province(signed, code),
        tally: tally(counted),
        href: format!("?province={code}#campaign-rows"),
    };
    let of = |code| found.provinces.get(&code).copied().unwrap_or_default();
    let mut tiles: Vec<Tile> = geo::provinces(Dataset::Y2026)
        .iter()
        .map(|province| tile(province.code, of(Some(province.code))))
        .collect();
    if found.provinces.contains_key(&None) {
        tiles.push(tile(ELSEWHERE, of(None)));
    }
    tiles
}

fn rows(
    signed: &Signed,
    known: &Known,
    found: &Progress,
    filter: &Filter,
) -> (Vec<TaskRow>, Pager) {
    let tree: &Tree = &known.tree;
    let mut all: Vec<&Followed> = found.dossiers.iter().filter(|f| filter.fits(tree, f)).collect();
    // What is overdue first, then by deadline.
    all.sort_by_key(|f| (f.task.state() != TaskState::Locked, f.task.deadline(), f.dossier));
    let total = all.len();
    let first = filter.page.saturating_mul(PAGE).min(total.saturating_sub(1) / PAGE * PAGE);
    let shown = all.into_iter().skip(first).take(PAGE).map(|f| row(signed, f)).collect();
    let province = filter.province.map(|code| format!("province={code}&")).unwrap_or_default();
    let only = if filter.only.is_empty() {
        String::new()
    } else {
        format!("only={}&", escaped(&filter.only))
    };
    let page = |page: usize| format!("?{province}{only}page={page}");
    let at = first / PAGE;
    let pager = Pager {
        from: if total == 0 { 0 } else { first as u64 + 1 },
        to: (first + PAGE).min(total) as u64,
        total: total as u64,
        before: (at > 0).then(|| page(at - 1)),
        after: (first + PAGE < total).then(|| page(at + 1)),
    };
    (shown, pager)
}

fn row(signed: &Signed, found: &Followed) -> TaskRow {
    let snapshot = signed.app.gate.snapshot();
    let system = snapshot.by_id(found.system);
    let state = match found.task.state() {
        TaskState::Done => states::DONE,
        TaskState::Locked => states::LOCKED,
        TaskState::Ended => states::LEFT,
        TaskState::Waiting | TaskState::Open if found.standing.is_units_turn() => states::UNIT,
        TaskState::Waiting | TaskState::Open => states::CENTRE,
    };
    TaskRow {
        dossier: found.dossier.to_string(),
        href: format!("/centre/dossiers/{}", found.dossier),
        unit: signed.unit_named(&found.unit),
        system: system.map_or_else(String::new, |s| s.code.to_string()),
        stage: format!("dossier-stage-{}", stage_word(found.standing.stage.into())),
        deadline: frame::date(found.task.deadline()),
        extended: found.task.extensions().len() as u64,
        state,
    }
}

/// `POST /centre/campaigns/{id}`
pub(super) async fn write(signed: Signed, Path(text): Path<String>, form: Form) -> Handled {
    allowed(&signed)?;
    let Some(id) = number(&text) else { return Ok(frame::missing(&signed)) };
    let all = Filter::default();
    let wrong = |errors| page(&signed, &text, &all, errors, &form);
    let (open, now, by) = (store(&signed).clone(), signed.now, actor(&signed));
    let (done, word) = if form.get("act") == "stop" {
        let why = form.get("why").to_owned();
        let act = async move {
            office::stop(&CampaignDesk { store: &open, now, by: &by }, id, &why).await
        };
        (form.carry_out(&signed, act).await?, "stopped")
    } else {
        let Some(dossier) = DossierNumber::parse(form.get("dossier")) else {
            let sentence = signed.text().get("act-gone");
            return wrong(vec![frame::wrong("dossier", sentence)]).await;
        };
        let Some(to) = frame::parse_day(form.get("deadline")) else {
            return wrong(vec![frame::wrong("deadline", no_day(&signed))]).await;
        };
        let why = form.get("reason").to_owned();
        let act = async move {
            let desk = CampaignDesk { store: &open, now, by: &by };
            office::extend(&desk, (id, dossier), to, &why).await
        };
        (form.carry_out(&signed, act).await?, "extended")
    };
    match done {
        Sent::First(Err(refused)) => {
            let mut errors = errors(&signed, &refused)?;
            for error in errors.iter_mut().filter(|_| word == "stopped") {
                error.field = "why";
            }
            wrong(errors).await
        }
        _ => Ok(frame::to(&format!("/centre/campaigns/{}?told={word}", id.0))),
    }
}
