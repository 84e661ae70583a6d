//! Documents that the centre issued (A3, A4, B3, D6): lists of a unit and of the centre, and the
//! files.

use axum::extract::{Path, Query};
use dancu_domain::files::FileId;
use dancu_domain::people::powers::Power;
use dancu_office::documents;
use dancu_portal::dossier::kept::{DocumentRow, Documents};
use dancu_store::files::Issued;
use serde::Deserialize;

use super::{Place, at_centre, at_unit, kept};
use crate::portal::signed::Signed;
use crate::portal::{frame, words};
use crate::stop::{Handled, Stop};

/// Documents of a page of the centre's list.
const PAGE: usize = 100;

/// Where the centre's list goes on.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Which {
    before: String,
}

/// `GET /unit/documents`
pub(super) async fn of_unit(signed: Signed) -> Handled {
    let place = at_unit(&signed, Power::SeeDossiers)?;
    let [own] = signed.own_unit();
    let found = place.store.documents_of_unit(&own).await;
    page(&signed, &place, found, None)
}

/// `GET /centre/documents`
pub(super) async fn of_centre(signed: Signed, Query(which): Query<Which>) -> Handled {
    let place = at_centre(&signed, Power::SeeDossiers)?;
    let before = which.before.parse().unwrap_or(i64::MAX);
    let found = place.store.documents_before(FileId(before)).await;
    let last = found.as_ref().ok().filter(|all| all.len() >= PAGE).and_then(|all| all.last());
    let more = last.map(|issued| format!("/centre/documents?before={}", issued.file.0));
    page(&signed, &place, found, more)
}

fn page(
    signed: &Signed,
    place: &Place,
    found: dancu_store::Result<Vec<Issued>>,
    more: Option<String>,
) -> Handled {
    let found = found.map_err(|error| Stop::from(words::unread(signed, &error)))?;
    Ok(frame::page(&Documents {
        rows: rows(signed, place, &found),
        centre: place.unit.is_none(),
        more,
        s: signed.shell(),
        t: signed.text(),
    }))
}

/// Documents as pages list them.
pub(super) fn rows(signed: &Signed, place: &Place, found: &[Issued]) -> Vec<DocumentRow> {
    let base = if place.unit.is_some() { "/unit" } else { "/centre" };
    let snapshot = signed.app.gate.snapshot();
    let row = |issued: &Issued| {
        let system = issued.system.and_then(|id| snapshot.by_id(id));
        let about = issued.dossier.map(|number| number.to_string());
        DocumentRow {
            key: format!("document-{}", issued.kind.code()),
            number: issued.kind.sign(issued.number),
            date: frame::day(issued.at),
            about: about.or_else(|| system.map(|s| s.code.as_str().to_owned())).unwrap_or_default(),
            about_href: issued
                .dossier
                .map(|number| format!("{base}/dossiers/{number}"))
                .unwrap_or_default(),
            unit: signed.unit_named(&issued.unit),
            href: format!("{base}/documents/{}", issued.file.0),
        }
    };
    found.iter().map(row).collect()
}

/// `GET /unit/documents/{file}`; journaled.
pub(super) async fn file_of_unit(signed: Signed, Path(file): Path<String>) -> Handled {
    let place = at_unit(&signed, Power::SeeDossiers)?;
    handed(&signed, &place, &file).await
}

/// `GET /centre/documents/{file}`; journaled.
pub(super) async fn file_of_centre(signed: Signed, Path(file): Path<String>) -> Handled {
    let place = at_centre(&signed, Power::SeeDossiers)?;
    handed(&signed, &place, &file).await
}

async fn handed(signed: &Signed, place: &Place, file: &str) -> Handled {
    let Some(file) = file.parse().ok().map(FileId) else { return Ok(frame::missing(signed)) };
    let _turn = kept::turn(signed)?;
    let at = (&*place.store, place.now);
    match documents::fetch(at, &place.by, place.unit.as_ref(), file).await {
        Ok((issued, kept, bytes)) => Ok(kept::sent(issued.kind.code(), &kept, bytes)),
        Err(refused) => Ok(words::answered(signed, &refused)),
    }
}
