//! `/unit/statements`: what the centre confirms that it gave the unit's systems (A7).

use axum::extract::{Path, Query};
use dancu_domain::people::powers::Power;
use serde::Deserialize;

use super::{allowed, system_choices};
use crate::portal::signed::Signed;
use crate::portal::{frame, statements};
use crate::stop::Handled;

/// Which system.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Which {
    system: String,
}

/// `GET /unit/statements`.
pub(super) async fn list(signed: Signed, Query(which): Query<Which>) -> Handled {
    let unit = allowed(&signed, Power::SeeStatements).await?;
    let chosen = unit.shown(&which.system);
    if chosen.is_none() && !which.system.is_empty() {
        return Ok(frame::missing(&signed));
    }
    let all = unit.systems();
    let several = if all.len() > 1 { all.as_slice() } else { &[] };
    let choices = system_choices(several, chosen.as_ref().map_or(0, |s| s.id.0));
    let base = ("/unit/statements", None);
    statements::list(&signed, chosen.as_deref(), choices, base).await
}

/// `GET /unit/statements/{file}`.
pub(super) async fn file(signed: Signed, Path(name): Path<String>) -> Handled {
    let unit = allowed(&signed, Power::SeeStatements).await?;
    let own = |id| unit.snapshot.by_id(id).is_some_and(|system| system.unit == unit.code);
    statements::file(&signed, &name, |stored| own(stored.system)).await
}
