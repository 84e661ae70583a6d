//! Acts of the unit and of the centre on one dossier. Each names the revision that was looked at;
//! what is refused is told on the page as it stands now, with what was typed.

use axum::extract::Path;
use axum::response::Response;
use dancu_domain::dossier::{Cause, Evidence, Exemption, ExemptionGround, Part, Stage, Step};
use dancu_domain::people::powers::Power;
use dancu_domain::rule::RuleId;
use dancu_office::Refused;
use dancu_office::dossiers::{self, live as lives, review, tested};

use super::{Place, at, at_centre, at_unit, carried, errors, open, opened};
use crate::portal::form::Form;
use crate::portal::frame;
use crate::portal::signed::Signed;
use crate::stop::{Handled, Stop};

/// Anchor of the acts on the page.
const ACTS: &str = "acts";

/// `POST /unit/dossiers/{number}/sign`
pub(super) async fn sign(signed: Signed, Path(number): Path<String>, form: Form) -> Handled {
    let place = at_unit(&signed, Power::SignDossier)?;
    let (at, doing) = (of(&signed, &place, &number, &form).await?, place.clone());
    let Some(part) = Part::from_code(form.get("part")) else { return Ok(frame::missing(&signed)) };
    let act = async move { dossiers::sign(&doing.desk(), at, part).await };
    let done = carried(&signed, &form, act).await?;
    after(&signed, &place, (&number, &form), done, "signed").await
}

/// `POST /unit/dossiers/{number}/submit`
pub(super) async fn submit(signed: Signed, Path(number): Path<String>, form: Form) -> Handled {
    let place = at_unit(&signed, Power::SignDossier)?;
    let (at, doing) = (of(&signed, &place, &number, &form).await?, place.clone());
    let carry = form.has("carry");
    let act = async move { dossiers::submit(&doing.desk(), at, carry).await };
    let done = carried(&signed, &form, act).await?;
    after(&signed, &place, (&number, &form), done, "submitted").await
}

/// `POST /unit/dossiers/{number}/withdraw`
pub(super) async fn withdraw(signed: Signed, Path(number): Path<String>, form: Form) -> Handled {
    let place = at_unit(&signed, Power::SignDossier)?;
    let (at, doing) = (of(&signed, &place, &number, &form).await?, place.clone());
    let why = form.get("why").to_owned();
    let act = async move { dossiers::withdraw(&doing.desk(), at, &why).await };
    let done = carried(&signed, &form, act).await?;
    after(&signed, &place, (&number, &form), done, "withdrawn").await
}

/// `POST /unit/dossiers/{number}/reopen`
pub(super) async fn reopen(signed: Signed, Path(number): Path<String>, form: Form) -> Handled {
    let place = at_unit(&signed, Power::SignDossier)?;
    let (at, doing) = (of(&signed, &place, &number, &form).await?, place.clone());
    let cause = Cause::ALL.into_iter().find(|cause| cause.code() == form.get("cause"));
    let (cause, why) = (cause.unwrap_or(Cause::Change), form.get("why").to_owned());
    let act = async move { lives::reopen(&doing.desk(), at, cause, &why).await };
    let done = carried(&signed, &form, act).await?;
    after(&signed, &place, (&number, &form), done, "reopened").await
}

/// `POST /centre/dossiers/{number}/step`: receives, checks, resolves, closes a step, refuses.
pub(super) async fn step(signed: Signed, Path(number): Path<String>, form: Form) -> Handled {
    let place = at_centre(&signed, Power::ReviewDossier)?;
    let (at, doing) = (of(&signed, &place, &number, &form).await?, place.clone());
    let missing = || Stop::from(frame::missing(&signed));
    let (done, told) = match form.get("act") {
        "accept" => {
            let act = async move { review::accept(&doing.desk(), at).await };
            (carried(&signed, &form, act).await?, "accepted")
        }
        "check" => {
            let part = Part::from_code(form.get("part")).ok_or_else(missing)?;
            let act = async move { review::check(&doing.desk(), at, part).await };
            (carried(&signed, &form, act).await?, "checked")
        }
        "resolve" => {
            let comment = form.get("comment").parse().map_err(|_| missing())?;
            let act = async move { review::resolve(&doing.desk(), at, comment).await };
            (carried(&signed, &form, act).await?, "resolved")
        }
        "documents" => {
            let (step, evidence) = (Step::Documents, Evidence::Checked);
            let act = async move { review::close_step(&doing.desk(), at, step, evidence).await };
            (carried(&signed, &form, act).await?, "step")
        }
        "sandbox" => (hand_in(&signed, &place, at, &form).await?, "step"),
        "refuse" => {
            let rule = RuleId::from_code(form.get("rule")).ok_or_else(missing)?;
            let (why, what) = (form.get("refusal").to_owned(), form.get("todo").to_owned());
            let act = async move { review::refuse(&doing.desk(), at, rule, (&why, &what)).await };
            (carried(&signed, &form, act).await?, "refused")
        }
        _ => return Err(missing()),
    };
    after(&signed, &place, (&number, &form), done, told).await
}

/// `POST /unit/dossiers/{number}/report`: the signed report of a conformance run (B3).
pub(super) async fn report(signed: Signed, Path(number): Path<String>, form: Form) -> Handled {
    let place = at_unit(&signed, Power::EditDossier)?;
    let at = of(&signed, &place, &number, &form).await?;
    let done = hand_in(&signed, &place, at, &form).await?;
    after(&signed, &place, (&number, &form), done, "step").await
}

async fn hand_in(
    signed: &Signed,
    place: &Place,
    at: dossiers::At,
    form: &Form,
) -> Result<Result<(), Refused>, Stop> {
    let proven = signed.app.prove(form.raw("report"));
    let doing = place.clone();
    let act = async move { tested::hand_in(&doing.desk(), at, proven?).await };
    carried(signed, form, act).await
}

/// `POST /centre/dossiers/{number}/assess`: only a numbered confirmation closes it (C2).
pub(super) async fn assess(signed: Signed, Path(number): Path<String>, form: Form) -> Handled {
    let place = at_centre(&signed, Power::RecordAssessment)?;
    let (at, doing) = (of(&signed, &place, &number, &form).await?, place.clone());
    let number_of = form.get("confirmation").to_owned();
    let day = frame::parse_day(form.get("confirmed")).ok_or_else(|| no_day("confirmed"));
    let act = async move {
        let evidence = Evidence::Confirmation { number: number_of, date: day? };
        review::close_step(&doing.desk(), at, Step::Assessment, evidence).await
    };
    let done = carried(&signed, &form, act).await?;
    after(&signed, &place, (&number, &form), done, "step").await
}

/// `POST /centre/dossiers/{number}/exempt` (C3)
pub(super) async fn exempt(signed: Signed, Path(number): Path<String>, form: Form) -> Handled {
    let place = at_centre(&signed, Power::RecordExemption)?;
    let (at, doing) = (of(&signed, &place, &number, &form).await?, place.clone());
    let step = Step::from_code(form.get("step"));
    let ground = ExemptionGround::from_code(form.get("ground"));
    let (Some(step), Some(ground)) = (step, ground) else { return Ok(frame::missing(&signed)) };
    let evidence = form.get("evidence").to_owned();
    let day = frame::parse_day(form.get("dated")).ok_or_else(|| no_day("dated"));
    let act = async move {
        let exemption = Exemption { ground, evidence, date: day? };
        review::exempt(&doing.desk(), at, step, exemption).await
    };
    let done = carried(&signed, &form, act).await?;
    after(&signed, &place, (&number, &form), done, "exempted").await
}

/// `POST /centre/dossiers/{number}/approve`: sensitive fields are granted by a tick of their own,
/// by both approvers (A4).
pub(super) async fn approve(signed: Signed, Path(number): Path<String>, form: Form) -> Handled {
    let place = at_centre(&signed, Power::ApproveDossier)?;
    let found = opened(&signed, &place, &number).await?;
    let (at, doing) = (at(found.dossier.number(), &form), place.clone());
    let sensitive = !found.dossier.content().sensitive().is_empty();
    let unticked = sensitive && !form.has("sensitive");
    let act = async move {
        if unticked {
            return Err(Refused::Field {
                field: "sensitive",
                vi: "Xem và đánh dấu các trường nhạy cảm được cấp rồi phê duyệt (A4).".into(),
                en: "Look at the sensitive fields and tick that they are granted (A4).".into(),
            });
        }
        review::approve(&doing.desk(), at).await
    };
    let done = carried(&signed, &form, act).await?;
    let now = opened(&signed, &place, &number).await?;
    let whole = *now.dossier.stage() == Stage::Approved;
    let told = if whole { "approved" } else { "half" };
    after(&signed, &place, (&number, &form), done, told).await
}

/// `POST /centre/dossiers/{number}/live`: sets it live, or ends it.
pub(super) async fn live(signed: Signed, Path(number): Path<String>, form: Form) -> Handled {
    let place = at_centre(&signed, Power::ManageSystems)?;
    let (at, doing) = (of(&signed, &place, &number, &form).await?, place.clone());
    let closes = form.get("act") == "close";
    let end = form.get("end").to_owned();
    let act = async move {
        if closes {
            lives::close(&doing.desk(), at, &end).await
        } else {
            lives::go_live(&doing.desk(), at).await
        }
    };
    let done = carried(&signed, &form, act).await?;
    let told = if closes { "closed" } else { "live" };
    after(&signed, &place, (&number, &form), done, told).await
}

/// The dossier of an address, at the revision of the form.
async fn of(
    signed: &Signed,
    place: &Place,
    number: &str,
    form: &Form,
) -> Result<dossiers::At, Stop> {
    Ok(at(opened(signed, place, number).await?.dossier.number(), form))
}

/// Leads back to the page, or shows it with what was refused.
pub(super) async fn after(
    signed: &Signed,
    place: &Place,
    (number, form): (&str, &Form),
    done: Result<(), Refused>,
    told: &str,
) -> Result<Response, Stop> {
    let found = opened(signed, place, number).await?;
    match done {
        Ok(()) => Ok(frame::to(&format!("{}?told={told}", place.page(found.dossier.number())))),
        Err(refused) => {
            let field = match &refused {
                Refused::Field { field, .. } => *field,
                // Of a report every such refusal stands beside it.
                Refused::Dossier(_) if form.has("report") => "report",
                _ => ACTS,
            };
            let errors = errors(signed, &refused, field)?;
            open::page(signed, place, &found, (None, errors, form)).await
        }
    }
}

fn no_day(field: &'static str) -> Refused {
    Refused::Field {
        field,
        vi: "Nhập ngày dạng dd/mm/yyyy.".into(),
        en: "Type a day as dd/mm/yyyy.".into(),
    }
}
