//! Job plans that units announce: acknowledged, agreed, refused, ended early (D5).

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use dancu_domain::people::powers::Power;
use dancu_domain::plans::{Deed, REFUSED_UNDER, Standing};
use dancu_domain::registration::Snapshot;
use dancu_domain::rule::RuleId;
use dancu_office::plans::{self as office, Verdict};
use dancu_office::{Refused, act};
use dancu_portal::parts::FieldError;
use dancu_portal::plans::{Acts, Plans, Stop};
use dancu_store::desks::{Filed, Plans as Which};

use super::{actor, may_on, registered, store, word};
use crate::portal::form::Form;
use crate::portal::frame::Told;
use crate::portal::plan_view::{self, Around, SentForm};
use crate::portal::signed::Signed;
use crate::portal::{frame, words};

const LIST: &str = "/centre/plans";
/// Decided plans that the list shows, the newest.
const SHOWN: u32 = 100;

/// `GET /centre/plans`
pub async fn list(signed: Signed) -> Response {
    match all(&signed).await {
        Ok(page) => frame::page(&page),
        Err(refused) => words::failed(&signed, &refused),
    }
}

async fn all(signed: &Signed) -> Result<Plans, Refused> {
    let snapshot = registered(signed).await?;
    let mut filed = office::all_open(store(signed), signed.now).await?;
    filed.extend(store(signed).desks().job_plans(Which::Newest, SHOWN).await?);
    filed.sort_by_key(|f| f.id);
    filed.dedup_by_key(|f| f.id);
    let hours = &store(signed).profiles().at(signed.now).hours;
    let waits = |f: &Filed| {
        let stands = f.plan.standing(hours, signed.now);
        matches!(stands, Standing::Announced | Standing::Acknowledged)
    };
    let may = |f: &Filed| {
        let system = snapshot.by_id(f.plan.terms.system);
        system.is_some_and(|system| may_on(signed, Power::AcknowledgeJobPlan, system))
    };
    let row = |f: &Filed| plan_view::row(signed, &snapshot, f, LIST);
    let (waiting, decided): (Vec<_>, Vec<_>) =
        filed.iter().filter(|f| may(f)).partition(|f| waits(f));
    Ok(Plans {
        waiting: waiting.into_iter().map(row).collect(),
        others: decided.into_iter().rev().map(row).collect(),
        centre: true,
        told: None,
        s: signed.shell(),
        t: signed.text(),
    })
}

/// `GET /centre/plans/{id}`
pub async fn show(signed: Signed, Path(id): Path<i64>, Query(told): Query<Told>) -> Response {
    let told = told.key(&[
        ("acknowledged", "plans-told-acknowledged"),
        ("agreed", "plans-told-agreed"),
        ("refused", "plans-told-refused"),
        ("ended", "plans-told-ended"),
    ]);
    page(&signed, id, told, vec![], SentForm::default()).await
}

async fn page(
    signed: &Signed,
    id: i64,
    told: Option<&'static str>,
    errors: Vec<FieldError>,
    sent: SentForm,
) -> Response {
    let (snapshot, filed) = match found(signed, id, Power::AcknowledgeJobPlan).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let around = Around { list: LIST, acts: acts(signed, &filed), told, errors, sent };
    match plan_view::page(signed, &snapshot, &filed, around).await {
        Ok(page) => frame::page_with(status, &page),
        Err(refused) => words::failed(signed, &refused),
    }
}

/// What the page offers: only what would be carried out, but for the fresh factor, which is asked
/// for then.
fn acts(signed: &Signed, filed: &Filed) -> Acts {
    let hours = &store(signed).profiles().at(signed.now).hours;
    let standing = filed.plan.standing(hours, signed.now);
    let own = filed.plan.announced_by() == Some(signed.person.id);
    let waits = matches!(standing, Standing::Announced | Standing::Acknowledged);
    let approves = signed.holds(Power::ApproveJobPlan);
    Acts {
        stop: (approves && matches!(standing, Standing::Agreed | Standing::Running))
            .then_some(Stop::End),
        acknowledge: !own && filed.plan.last() == Deed::Announced && waits,
        decide: approves && !own && waits,
        own: own && waits,
    }
}

/// A plan of a system that the power reaches.
async fn found(
    signed: &Signed,
    id: i64,
    power: Power,
) -> Result<(std::sync::Arc<Snapshot>, Filed), Response> {
    let unread = |error| words::unread(signed, &error);
    let filed = store(signed).desks().job_plan(id).await.map_err(unread)?;
    let snapshot = registered(signed).await.map_err(unread)?;
    let filed = filed.ok_or_else(|| frame::missing(signed))?;
    let Some(system) = snapshot.by_id(filed.plan.terms.system) else {
        return Err(frame::missing(signed));
    };
    let unit = dancu_domain::people::may::Target::Unit(std::slice::from_ref(&system.unit));
    signed.may(power, unit).map_err(|reason| frame::refused(signed, reason))?;
    Ok((snapshot, filed))
}

/// `POST /centre/plans/{id}/acknowledge`
pub async fn acknowledge(signed: Signed, Path(id): Path<i64>) -> Response {
    decide(
        &signed,
        id,
        Power::AcknowledgeJobPlan,
        Ok((Verdict::Acknowledge, None)),
        SentForm::default(),
    )
    .await
}

/// `POST /centre/plans/{id}/agree`
pub async fn agree(signed: Signed, Path(id): Path<i64>) -> Response {
    decide(&signed, id, Power::ApproveJobPlan, Ok((Verdict::Agree, None)), SentForm::default())
        .await
}

/// `POST /centre/plans/{id}/refuse`
pub async fn refuse(signed: Signed, Path(id): Path<i64>, form: Form) -> Response {
    let rule = RuleId::from_code(form.get("rule")).filter(|rule| REFUSED_UNDER.contains(rule));
    let verdict = match (rule, act::reason(form.get("reason"))) {
        (Some(rule), Ok(why)) => Ok((Verdict::Refuse(rule), Some(why))),
        (None, _) => Err(frame::wrong("rule", signed.text().get("plan-rule-wrong"))),
        (_, Err(_)) => Err(frame::wrong("why-not", signed.text().get("plan-rule-wrong"))),
    };
    decide(&signed, id, Power::ApproveJobPlan, verdict, sent(&form, "refuse")).await
}

/// `POST /centre/plans/{id}/end`
pub async fn end(signed: Signed, Path(id): Path<i64>, form: Form) -> Response {
    let verdict = match act::reason(form.get("reason")) {
        Ok(why) => Ok((Verdict::End, Some(why))),
        Err(_) => Err(frame::wrong("reason", signed.text().get("reason-missing"))),
    };
    decide(&signed, id, Power::ApproveJobPlan, verdict, sent(&form, "end")).await
}

fn sent(form: &Form, which: &'static str) -> SentForm {
    let text = |name| form.get(name).to_owned();
    SentForm { form: which, rule: text("rule"), reason: text("reason") }
}

/// Carries a verdict out, unless what it needs was not stated. Without a reason of its own an entry
/// tells the purpose of the plan.
async fn decide(
    signed: &Signed,
    id: i64,
    power: Power,
    verdict: Result<(Verdict, Option<&str>), FieldError>,
    sent: SentForm,
) -> Response {
    let (snapshot, filed) = match found(signed, id, power).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let (verdict, reason) = match verdict {
        Ok(stated) => stated,
        Err(error) => return page(signed, id, None, vec![error], sent).await,
    };
    let terms = &filed.plan.terms;
    let Some(system) = snapshot.by_id(terms.system) else { return frame::missing(signed) };
    let by = actor(signed);
    let reason = reason.unwrap_or_else(|| terms.purpose.as_str());
    let desk = word(signed, &snapshot, &by, reason).on(system);
    match office::decide(&desk, id, verdict).await {
        Ok(_) => {
            let told = match verdict {
                Verdict::Acknowledge => "acknowledged",
                Verdict::Agree => "agreed",
                Verdict::Refuse(_) => "refused",
                Verdict::End => "ended",
            };
            frame::to(&format!("{LIST}/{id}?told={told}"))
        }
        Err(refused) => match words::refused(signed, &refused) {
            Some(sentence) => {
                page(signed, id, None, vec![frame::wrong("main", sentence)], sent).await
            }
            None => words::failed(signed, &refused),
        },
    }
}
