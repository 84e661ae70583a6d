//! Revocations that the operator of the agency's own software confirms (E3).

use axum::extract::Query;
use dancu_domain::moment::Moment;
use dancu_domain::people::powers::Power;
use dancu_office::officers::{self, CONFIRM_MS, Revocation};
use dancu_portal::head::{RevocationRow, Revocations};
use dancu_portal::parts::states;

use super::{Unit, allowed, answered};
use crate::portal::form::Form;
use crate::portal::frame::Told;
use crate::portal::signed::Signed;
use crate::portal::{frame, words};
use crate::stop::Handled;

/// `GET /unit/revocations`.
pub(super) async fn show(signed: Signed, Query(told): Query<Told>) -> Handled {
    let unit = allowed(&signed, Power::ConfirmRevocation).await?;
    let notices = match officers::open_notices(&unit.desk()).await {
        Ok(notices) => notices,
        Err(refused) => return Ok(answered(&signed, &refused)),
    };
    Ok(frame::page(&Revocations {
        t: signed.text(),
        s: signed.shell(),
        rows: notices.iter().map(|notice| row(&unit, notice, signed.now)).collect(),
        told: told.key(&[("confirmed", "revocations-told-confirmed")]),
    }))
}

/// `POST /unit/revocations`.
pub(super) async fn confirm(signed: Signed, form: Form) -> Handled {
    let unit = allowed(&signed, Power::ConfirmRevocation).await?;
    let Ok(id) = form.get("notice").parse() else { return Ok(frame::missing(&signed)) };
    Ok(match officers::confirm_revocation(&unit.desk(), id).await {
        Ok(_) => frame::to("/unit/revocations?told=confirmed"),
        Err(refused) => answered(&signed, &refused),
    })
}

fn row(unit: &Unit, notice: &Revocation, now: Moment) -> RevocationRow {
    let due = notice.at.plus_ms(CONFIRM_MS);
    let system = unit.snapshot.by_id(notice.system);
    RevocationRow {
        id: notice.id.to_string(),
        system: system.map(|s| s.code.as_str().to_owned()).unwrap_or_default(),
        login: words::login(&notice.login),
        time: frame::stamp(notice.at),
        due: frame::stamp(due),
        state: if due < now { states::OVERDUE } else { states::WAITING },
    }
}
