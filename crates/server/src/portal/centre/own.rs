//! A head's page of the own unit: representative and contacts are told here (B9).

use axum::extract::Query;
use dancu_domain::people::may::Target;
use dancu_domain::people::powers::Power;
use dancu_domain::units::Unit;

use super::known;
use super::unit::{Chosen, Shown, page, save};
use crate::portal::form::Form;
use crate::portal::frame;
use crate::portal::signed::Signed;
use crate::stop::{Handled, Stop};

/// The unit that the own one has become (B4): roles went there with its people.
fn allowed(signed: &Signed, unit: &Unit) -> Result<(), Stop> {
    let may =
        signed.may(Power::TellOfUnit, Target::Unit(std::slice::from_ref(&unit.code))).map(drop);
    may.map_err(|reason| frame::refused(signed, reason).into())
}

/// `GET /unit`
pub(super) async fn show(signed: Signed, Query(chosen): Query<Chosen>) -> Handled {
    let known = known(&signed).await?;
    match known.tree.resolve(&signed.person.unit) {
        Some(unit) => page(&signed, &known, unit, Shown::plain(true, &chosen)).await,
        None => Ok(frame::missing(&signed)),
    }
}

/// `POST /unit`
pub(super) async fn write(signed: Signed, form: Form) -> Handled {
    // Of the other events a head writes none down.
    if !super::acts::OF_UNIT.iter().any(|(act, _)| *act == form.get("act")) {
        return Ok(frame::missing(&signed));
    }
    let known = known(&signed).await?;
    match known.tree.resolve(&signed.person.unit) {
        Some(unit) => {
            allowed(&signed, unit)?;
            save(&signed, &known, unit, &form, true).await
        }
        None => Ok(frame::missing(&signed)),
    }
}
