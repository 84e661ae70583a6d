//! Paper copies (B7): the unit tells of one, the centre receipts it.

use axum::extract::Path;
use dancu_domain::dossier::Part;
use dancu_domain::people::powers::Power;
use dancu_office::Refused;
use dancu_office::dossiers::{self, NewCopy};
use dancu_portal::dossier::kept::CopyRow;

use super::acts::after;
use super::told::Names;
use super::{Place, at_centre, at_unit, carried, open, opened};
use crate::portal::form::Form;
use crate::portal::frame;
use crate::portal::signed::Signed;
use crate::stop::Handled;

/// `POST /unit/dossiers/{number}/copies`
pub(super) async fn tell(signed: Signed, Path(number): Path<String>, form: Form) -> Handled {
    let place = at_unit(&signed, Power::EditDossier)?;
    let of = opened(&signed, &place, &number).await?.dossier.number();
    let Some(part) = Part::from_code(form.get("copyPart")) else {
        return Ok(frame::missing(&signed));
    };
    let (paper, kept) = (form.get("copyNumber").to_owned(), form.get("copyKept").to_owned());
    let (day, doing) = (frame::parse_day(form.get("copyDate")), place.clone());
    let act = async move {
        let date = day.ok_or_else(|| Refused::Field {
            field: "copyDate",
            vi: "Nhập ngày dạng dd/mm/yyyy.".into(),
            en: "Type a day as dd/mm/yyyy.".into(),
        })?;
        let new = NewCopy { part, number: paper, date, kept };
        dossiers::tell_of_copy(&doing.desk(), of, new).await
    };
    let done = carried(&signed, &form, act).await?;
    after(&signed, &place, (&number, &form), done, "copied").await
}

/// `POST /centre/dossiers/{number}/copies`
pub(super) async fn receive(signed: Signed, Path(number): Path<String>, form: Form) -> Handled {
    let place = at_centre(&signed, Power::ReviewDossier)?;
    let of = opened(&signed, &place, &number).await?.dossier.number();
    let Ok(copy) = form.get("copy").parse() else { return Ok(frame::missing(&signed)) };
    let (where_to, doing) = (form.get("copyPlace").to_owned(), place.clone());
    let act = async move { dossiers::receive_copy(&doing.desk(), (of, copy), &where_to).await };
    let done = carried(&signed, &form, act).await?;
    after(&signed, &place, (&number, &form), done, "received").await
}

/// Paper copies as the dossier's page shows them.
pub(super) fn rows(
    signed: &Signed,
    (place, names): (&Place, &Names),
    found: &dancu_office::dossiers::read::Open,
) -> Vec<CopyRow> {
    let receives = place.unit.is_none() && signed.holds(Power::ReviewDossier);
    let row = |(id, copy): &(i64, dancu_domain::files::PaperCopy)| CopyRow {
        id: *id,
        part: open::part_key(copy.part),
        number: copy.number.clone(),
        date: frame::date(copy.date),
        kept: copy.kept.clone(),
        told: names.mark(copy.told),
        received: copy
            .received
            .as_ref()
            .map(|(mark, at)| format!("{} · {at}", names.mark(*mark)))
            .unwrap_or_default(),
        receives: receives && copy.received.is_none(),
    };
    found.copies.iter().map(row).collect()
}
