//! Urging units, and handing the summary up. Both are confirmed by a tick.

use dancu_domain::gathering::GatherRefusal;
use dancu_domain::ids::UnitCode;
use dancu_domain::people::powers::Power;
use dancu_office::Refused;
use dancu_office::gathering::{self as office, Whom};
use dancu_portal::parts::FieldError;

use super::rows::Filter;
use super::{Here, failed, list, unit};
use crate::portal::form::Form;
use crate::portal::frame;
use crate::portal::once::Sent;
use crate::portal::signed::Signed;
use crate::portal::words;
use crate::stop::{Handled, Stop};

/// `POST /gathering/urge`: one unit, or with none all that are behind.
pub(super) async fn urge(signed: Signed, form: Form) -> Handled {
    let here = Here::of(&signed, Power::UrgeUnits, form.get("at")).await?;
    let whom = match form.get("unit") {
        "" => Whom::Behind,
        code => match UnitCode::parse(code) {
            Ok(code) => Whom::One(code),
            Err(_) => return Ok(frame::missing(&signed)),
        },
    };
    if form.get("confirmed").is_empty() {
        return unconfirmed(&signed, &here, &form).await;
    }
    let gathered = here.gathered(&signed).await?;
    let (desk, said) = (here.clone(), form.get("words").to_owned());
    let act = async move { office::urge(&desk.desk(), &gathered, &whom, &said).await };
    match form.carry_out(&signed, act).await? {
        Sent::First(Err(Refused::Gone)) => Ok(frame::missing(&signed)),
        Sent::First(Err(refused)) => wrong(&signed, &here, &form, errors(&signed, &refused)?).await,
        _ => Ok(frame::to(&match form.get("unit") {
            "" => here.list("&told=urged"),
            code => {
                let query = here.query();
                let sign = if query.is_empty() { "?" } else { "&" };
                format!("/gathering/{code}{query}{sign}told=urged")
            }
        })),
    }
}

/// `POST /gathering/hand-up`
pub(super) async fn hand_up(signed: Signed, form: Form) -> Handled {
    let here = Here::of(&signed, Power::ExportGathering, form.get("at")).await?;
    if here.at.is_none() {
        return Ok(frame::missing(&signed));
    }
    if form.get("confirmed").is_empty() {
        return unconfirmed(&signed, &here, &form).await;
    }
    let gathered = here.gathered(&signed).await?;
    let desk = here.clone();
    let act = async move { office::hand_up(&desk.desk(), &gathered).await };
    match form.carry_out(&signed, act).await? {
        Sent::First(Ok((_, receipt))) => {
            let query = here.query();
            let sign = if query.is_empty() { "?" } else { "&" };
            Ok(frame::to(&format!("/gathering/handed/{}{query}{sign}told=handed", receipt.id)))
        }
        Sent::First(Err(refused)) => wrong(&signed, &here, &form, errors(&signed, &refused)?).await,
        _ => Ok(frame::to(&here.list(""))),
    }
}

/// Nothing is done without the tick.
async fn unconfirmed(signed: &Signed, here: &Here, form: &Form) -> Handled {
    let errors = errors(signed, &office::refused(GatherRefusal::Unconfirmed))?;
    wrong(signed, here, form, errors).await
}

/// What is wrong, beside its field.
fn errors(signed: &Signed, refused: &Refused) -> Result<Vec<FieldError>, Stop> {
    let Some(sentence) = words::refused(signed, refused) else {
        return Err(failed(signed, refused));
    };
    let field = if let Refused::Field { field, .. } = refused { *field } else { "words" };
    Ok(vec![frame::wrong(field, sentence)])
}

/// The page that was sent from, with what is wrong.
async fn wrong(signed: &Signed, here: &Here, form: &Form, errors: Vec<FieldError>) -> Handled {
    match form.get("unit") {
        "" => list::page(signed, here, &Filter::default(), errors, form).await,
        code => unit::page(signed, here, code, None, errors, form).await,
    }
}
