//! Campaigns (B4): the list with the form for a new one, which shows first what it would be for.

use axum::http::StatusCode;
use dancu_domain::campaigns::{Campaign, CampaignRefusal, Plan, Scope};
use dancu_domain::dossier::{Mark, Part};
use dancu_domain::people::may::Target;
use dancu_domain::people::powers::Power;
use dancu_domain::units::UnitKind;
use dancu_office::Refused;
use dancu_office::campaigns::read::{Preview, Tally as Counted};
use dancu_office::campaigns::{self as office, CampaignDesk, read};
use dancu_portal::campaigns::{CampaignRow, Campaigns, Tally};
use dancu_portal::centre::Field;
use dancu_portal::parts::{Choice, FieldError};
use jiff::civil::Date;

use super::known;
use super::list::{kinds, provinces};
use crate::portal::form::{self, Form};
use crate::portal::frame;
use crate::portal::once::Sent;
use crate::portal::operator::{actor, store};
use crate::portal::signed::Signed;
use crate::portal::words;
use crate::stop::{Handled, Stop};

/// Dossiers that a line names: what a person looks through.
const NAMED: usize = 20;

/// Whether the person may run campaigns, which belong to no unit.
pub(super) fn allowed(signed: &Signed) -> Result<(), Stop> {
    let may = signed.may(Power::RunCampaigns, Target::Centre).map(drop);
    may.map_err(|reason| frame::refused(signed, reason).into())
}

/// `GET /centre/campaigns`
pub(super) async fn show(signed: Signed) -> Handled {
    allowed(&signed)?;
    page(&signed, vec![], <_>::default(), &Form::default()).await
}

async fn page(
    signed: &Signed,
    errors: Vec<FieldError>,
    (preview, seen): (Vec<String>, String),
    typed: &Form,
) -> Handled {
    let all = read::list(store(signed)).await;
    let all = all.map_err(|refused| Stop::from(words::failed(signed, &refused)))?;
    let rows = all.into_iter().map(|(id, campaign, counted)| {
        let plan = campaign.plan();
        CampaignRow {
            id: id.to_string(),
            name: plan.name.clone(),
            ground: format!("{}, {}", plan.document, frame::date(plan.dated)),
            deadline: frame::date(plan.deadline),
            tally: tally(counted),
            href: format!("/centre/campaigns/{}", id.0),
        }
    });
    let (t, chosen) = (signed.text(), typed.all("part"));
    let parts = Part::ALL.map(|part| Choice {
        value: part.code().to_owned(),
        label: t.get(part_key(part)),
        chosen: chosen.contains(&part.code()),
    });
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = Campaigns {
        rows: rows.collect(),
        fields: fields(signed, typed),
        parts: parts.into(),
        preview,
        seen,
        once: form::once(),
        errors,
        s: signed.shell(),
        t,
    };
    Ok(frame::page_with(status, &page))
}

/// Key of a part's name.
pub(super) fn part_key(part: Part) -> String {
    format!("dossier-part-{}", part.code())
}

/// How far a campaign is, as pages show it.
pub(super) const fn tally(counted: Counted) -> Tally {
    let Counted { total, done, centre, unit, locked } = counted;
    Tally { total, done, centre, unit, locked, share: counted.share() }
}

fn fields(signed: &Signed, typed: &Form) -> Vec<Field> {
    let t = signed.text();
    let line = |id: &'static str, key, hint, first: &str| {
        let value = if typed.has(id) { typed.get(id) } else { first };
        Field { id, key, hint, value: value.to_owned(), choices: vec![] }
    };
    let list =
        |id: &'static str, key, choices| Field { id, key, hint: "", value: String::new(), choices };
    let province = typed.get("province").parse().ok();
    let kind = UnitKind::from_code(typed.get("kind"));
    let sources = ["all", "imported"].map(|value| Choice {
        value: value.to_owned(),
        label: t.get(format!("campaign-source-{value}")),
        chosen: typed.get("scope") == value,
    });
    vec![
        line("name", "campaign-name", "", ""),
        line("document", "campaign-document", "", ""),
        line("dated", "campaign-dated", "common-date-hint", ""),
        list("scope", "campaign-source", sources.into()),
        list("province", "unit-in-province", provinces(&t.get("campaign-any-province"), province)),
        list("kind", "unit-kind", kinds(signed, &t.get("campaign-any-kind"), kind)),
        line("deadline", "campaign-deadline", "common-date-hint", ""),
        line("remind", "campaign-remind", "campaign-remind-hint", "30, 7, 1"),
    ]
}

/// `POST /centre/campaigns`
pub(super) async fn write(signed: Signed, form: Form) -> Handled {
    allowed(&signed)?;
    let plan = match plan(&signed, &form) {
        Ok(plan) => plan,
        Err(errors) => return page(&signed, errors, <_>::default(), &form).await,
    };
    // What cannot be begun is said at once, not once it was looked at.
    let mark = Mark { by: actor(&signed).number(), at: signed.now };
    if let Err(why) = Campaign::begin(plan.clone(), mark) {
        let errors = errors(&signed, &office::refused(why))?;
        return page(&signed, errors, <_>::default(), &form).await;
    }
    let Some(preview) = preview(&signed, plan.scope).await? else {
        let errors = errors(&signed, &office::refused(CampaignRefusal::Nobody))?;
        return page(&signed, errors, <_>::default(), &form).await;
    };
    let seen = form.digest(&preview);
    // What was changed after it was looked at, here or in the data, is looked at anew.
    if form.has("look") || form.get("seen") != seen {
        return page(&signed, vec![], (preview, seen), &form).await;
    }
    let (open, now, by) = (store(&signed).clone(), signed.now, actor(&signed));
    let act =
        async move { office::begin(&CampaignDesk { store: &open, now, by: &by }, plan).await };
    match form.carry_out(&signed, act).await? {
        Sent::First(Ok((_, begun))) => {
            Ok(frame::to(&format!("/centre/campaigns/{}?told=begun", begun.id.0)))
        }
        Sent::First(Err(refused)) => {
            let errors = errors(&signed, &refused)?;
            page(&signed, errors, <_>::default(), &form).await
        }
        _ => Ok(frame::to("/centre/campaigns")),
    }
}

/// A refusal beside its field.
pub(super) fn errors(signed: &Signed, refused: &Refused) -> Result<Vec<FieldError>, Stop> {
    let field = match refused {
        Refused::Field { field, .. } => *field,
        Refused::NoReason => "reason",
        _ => "dossier",
    };
    match words::refused(signed, refused) {
        Some(sentence) => Ok(vec![frame::wrong(field, sentence)]),
        None => Err(words::failed(signed, refused).into()),
    }
}

/// What is said of a day that cannot be read.
pub(super) fn no_day(signed: &Signed) -> &'static str {
    signed.say("Nhập ngày dạng dd/mm/yyyy (B4).", "Type a day as dd/mm/yyyy (B4).")
}

/// What was typed; whether it fits is judged when it is begun.
fn plan(signed: &Signed, form: &Form) -> Result<Plan, Vec<FieldError>> {
    let mut errors = vec![];
    let mut day = |field| {
        frame::parse_day(form.get(field)).unwrap_or_else(|| {
            errors.push(frame::wrong(field, no_day(signed)));
            Date::ZERO
        })
    };
    let (dated, deadline) = (day("dated"), day("deadline"));
    let numbers = form.get("remind").split([',', ' ', ';']).filter(|word| !word.is_empty());
    let remind: Vec<Option<u16>> = numbers.map(|word| word.parse().ok()).collect();
    let remind = remind.into_iter().collect::<Option<Vec<u16>>>().unwrap_or_else(|| {
        let vi = "Nhập các số ngày, cách nhau bằng dấu phẩy (B4).";
        errors.push(frame::wrong("remind", signed.say(vi, "Type days, separated by commas (B4).")));
        vec![]
    });
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Plan {
        name: form.get("name").to_owned(),
        document: form.get("document").to_owned(),
        dated,
        scope: Scope {
            province: form.get("province").parse().ok(),
            kind: UnitKind::from_code(form.get("kind")),
            imported: form.get("scope") == "imported",
        },
        deadline,
        remind,
        parts: form.all("part").into_iter().filter_map(Part::from_code).collect(),
    })
}

/// What a campaign would be for; none: nobody.
async fn preview(signed: &Signed, scope: Scope) -> Result<Option<Vec<String>>, Stop> {
    let known = known(signed).await?;
    let snapshot = signed.app.gate.snapshot();
    let found = read::preview(store(signed), &snapshot, &known.tree, scope).await;
    let Preview { dossiers, units, within, without } =
        found.map_err(|refused| Stop::from(words::failed(signed, &refused)))?;
    if dossiers == 0 {
        return Ok(None);
    }
    let t = signed.text();
    let (dossiers, units) = (t.num(dossiers), t.num(units));
    let mut lines =
        vec![t.with_two("campaign-preview-dossiers", "dossiers", dossiers, "units", units)];
    if !within.is_empty() {
        let named: Vec<String> = within.iter().take(NAMED).map(ToString::to_string).collect();
        lines.push(t.with("campaign-preview-within", "dossiers", named.join(", ")));
    }
    if without > 0 {
        lines.push(t.with("campaign-preview-without", "count", t.num(without)));
    }
    Ok(Some(lines))
}
