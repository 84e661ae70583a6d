//! Account lists that the unit's systems sent over their interface: looked at row by row, approved
//! or refused by the head (B6, E1, E3).

use std::collections::HashSet;

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use dancu_domain::ids::AccountId;
use dancu_domain::people::powers::Power;
use dancu_domain::registration::System;
use dancu_domain::service::ServiceSet;
use dancu_office::act;
use dancu_office::officers::check::Effect;
use dancu_office::officers::sent::{self, Approval, Difference};
use dancu_portal::parts::{FieldError, State, states};
use dancu_portal::sent::{Sent, SentList, SentRow};
use dancu_store::desks::{AccountChanges, SentRow as Row};
use dancu_store::policy::accounts::Listed;

use super::{Unit, allowed, answered, as_errors, services, ticked, usual};
use crate::portal::form::Form;
use crate::portal::frame;
use crate::portal::frame::Told;
use crate::portal::signed::Signed;
use crate::stop::{Handled, Stop};

/// Rows that a page shows; the others are approved with all.
const SHOWN_MAX: usize = 500;

/// `GET /unit/accounts-by-api`.
pub(super) async fn show(signed: Signed, Query(told): Query<Told>) -> Handled {
    let unit = allowed(&signed, Power::ApproveAccountChanges).await?;
    let told = told.key(&[("approved", "sent-told-approved"), ("refused", "sent-told-refused")]);
    page(&signed, &unit, told, vec![], None).await
}

/// What was ticked of a list whose approval was refused.
struct Ticks {
    list: i64,
    rows: HashSet<u32>,
    gone: HashSet<u32>,
    services: ServiceSet,
    most: bool,
}

async fn page(
    signed: &Signed,
    unit: &Unit,
    told: Option<&'static str>,
    errors: Vec<FieldError>,
    ticks: Option<Ticks>,
) -> Handled {
    let desk = unit.clone();
    let waiting = match apart(signed, async move { sent::waiting(&desk.desk()).await }).await? {
        Ok(waiting) => waiting,
        Err(refused) => return Ok(answered(signed, &refused)),
    };
    let list = |(changes, difference): &(AccountChanges, Difference)| {
        let ticks = ticks.as_ref().filter(|ticks| ticks.list == changes.id);
        let system = unit.snapshot.by_id(changes.system)?;
        Some(list(signed, system, (changes, difference), ticks))
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let lists = waiting.iter().filter_map(list).collect();
    let page = Sent { t: signed.text(), s: signed.shell(), errors, lists, told };
    Ok(frame::page_with(status, &page))
}

/// Compares thousands of rows away from the threads that questions run on.
async fn apart<T: Send + 'static>(
    signed: &Signed,
    compare: impl Future<Output = T> + Send + 'static,
) -> Result<T, Stop> {
    let runtime = tokio::runtime::Handle::current();
    let done = signed.app.reads.long(move || runtime.block_on(compare)).await;
    done.map_err(|_| frame::unavailable(signed).into())
}

fn list(
    signed: &Signed,
    system: &System,
    (changes, difference): (&AccountChanges, &Difference),
    ticks: Option<&Ticks>,
) -> SentList {
    let sums = difference.sums();
    let takes_most = difference.takes_most();
    let sent = (1u32..).zip(&changes.rows).zip(&difference.effects);
    let mut rows: Vec<SentRow> = difference.missing.iter().map(|k| gone(k, !takes_most)).collect();
    rows.extend(sent.filter_map(|((line, row), effect)| differs(line, row, effect)));
    if let Some(ticks) = ticks {
        for row in &mut rows {
            let of = if row.field == "gone" { &ticks.gone } else { &ticks.rows };
            row.chosen = row.value.parse().is_ok_and(|number| of.contains(&number));
        }
    }
    let more = rows.len().saturating_sub(SHOWN_MAX);
    rows.truncate(SHOWN_MAX);
    SentList {
        number: changes.id,
        system: system.code.as_str().to_owned(),
        sent: frame::stamp(changes.sent_at),
        over: hex::encode(difference.over),
        added: sums.added as u64,
        changed: sums.changed as u64,
        missing: difference.missing.len() as u64,
        same: sums.same as u64,
        wrong: sums.wrong as u64,
        more: more as u64,
        takes_most,
        most: ticks.is_some_and(|ticks| ticks.most),
        services: services(&signed.text(), system, ticks.map_or_else(usual, |t| t.services)),
        rows,
    }
}

fn gone(listed: &Listed, chosen: bool) -> SentRow {
    SentRow {
        field: "gone",
        value: listed.account.id.0.to_string(),
        chosen,
        name: listed.full_name.clone(),
        login: listed.account.login.as_str().to_owned(),
        role: String::new(),
        daily: listed.account.daily.to_string(),
        purpose: String::new(),
        change: State { class: "bad", ..states::REVOKED },
    }
}

fn differs(line: u32, row: &Row, effect: &Effect) -> Option<SentRow> {
    let change = match effect {
        Effect::Add(_) => states::ADDED,
        Effect::Change(..) => states::CHANGED,
        Effect::Wrong(_) => states::WRONG,
        Effect::Same(_) => return None,
    };
    let cell = |at: usize| row.cells.get(at).cloned().unwrap_or_default();
    Some(SentRow {
        field: "row",
        value: line.to_string(),
        chosen: !matches!(effect, Effect::Wrong(_)),
        name: cell(1),
        login: cell(0),
        role: row.role.clone(),
        daily: cell(5),
        purpose: row.purpose.clone(),
        change,
    })
}

/// `POST /unit/accounts-by-api/{id}/approve`: the rows that are ticked, or all.
pub(super) async fn approve(signed: Signed, Path(id): Path<i64>, form: Form) -> Handled {
    let unit = allowed(&signed, Power::ApproveAccountChanges).await?;
    let changes = match sent::of_unit(&unit.desk(), id).await {
        Ok((changes, _)) => changes,
        Err(refused) => return Ok(answered(&signed, &refused)),
    };
    let mut over = [0; 16];
    if hex::decode_to_slice(form.get("over"), &mut over).is_err() {
        return Ok(frame::missing(&signed));
    }
    let mut approval = Approval {
        rows: numbers(&form, "row").collect(),
        revoked: numbers(&form, "gone").map(AccountId).collect(),
        services: ticked(&form),
        over,
        takes_most: form.has("most"),
    };
    if form.get("act") == "all" {
        approval.rows = (1..).zip(&changes.rows).map(|(line, _)| line).collect();
        let (store, now) = (unit.store.clone(), signed.now);
        let compare = async move { sent::difference((store.as_ref(), now), &changes).await };
        let difference = match apart(&signed, compare).await? {
            Ok(difference) => difference,
            Err(refused) => return Ok(answered(&signed, &refused)),
        };
        approval.revoked = difference.missing.iter().map(|k| k.account.id).collect();
    }
    match sent::approve(&unit.desk(), id, approval).await {
        Ok(_) => Ok(frame::to("/unit/accounts-by-api?told=approved")),
        Err(refused) => {
            let errors = as_errors(&signed, &refused, "list")?;
            let ticks = Ticks {
                list: id,
                rows: numbers(&form, "row").collect(),
                gone: numbers(&form, "gone").collect(),
                services: ticked(&form),
                most: form.has("most"),
            };
            page(&signed, &unit, None, errors, Some(ticks)).await
        }
    }
}

fn numbers(form: &Form, name: &str) -> impl Iterator<Item = u32> {
    let all: HashSet<u32> = form.all(name).into_iter().filter_map(|n| n.parse().ok()).collect();
    all.into_iter()
}

/// `POST /unit/accounts-by-api/{id}/refuse`.
pub(super) async fn refuse(signed: Signed, Path(id): Path<i64>, form: Form) -> Handled {
    let unit = allowed(&signed, Power::ApproveAccountChanges).await?;
    if let Err(refused) = sent::of_unit(&unit.desk(), id).await {
        return Ok(answered(&signed, &refused));
    }
    let Ok(reason) = act::reason(form.get("reason")) else {
        let sentence = signed.text().get("reason-missing");
        return page(&signed, &unit, None, vec![frame::wrong("list", sentence)], None).await;
    };
    match sent::refuse(&unit.desk(), id, reason).await {
        Ok(_) => Ok(frame::to("/unit/accounts-by-api?told=refused")),
        Err(refused) => {
            let errors = as_errors(&signed, &refused, "list")?;
            page(&signed, &unit, None, errors, None).await
        }
    }
}
