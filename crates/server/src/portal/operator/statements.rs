//! A system's monthly statements at the operator's desk (A7).

use axum::extract::Path;
use dancu_domain::people::powers::Power;

use super::{may_on, registered, system};
use crate::portal::signed::Signed;
use crate::portal::{frame, statements, words};
use crate::stop::Handled;

/// `GET /operate/systems/{code}/statements`.
pub async fn list(signed: Signed, Path(code): Path<String>) -> Handled {
    let snapshot = match registered(&signed).await {
        Ok(snapshot) => snapshot,
        Err(error) => return Ok(words::unread(&signed, &error)),
    };
    let Some(of) = system(&snapshot, &code) else { return Ok(frame::missing(&signed)) };
    if !may_on(&signed, Power::SeeStatements, of) {
        return Ok(frame::missing(&signed));
    }
    let above = format!("/operate/systems/{}", of.code);
    let base = format!("{above}/statements");
    statements::list(&signed, Some(of), vec![], (&base, Some(above))).await
}

/// `GET /operate/systems/{code}/statements/{file}`.
pub async fn file(signed: Signed, Path((code, name)): Path<(String, String)>) -> Handled {
    let snapshot = match registered(&signed).await {
        Ok(snapshot) => snapshot,
        Err(error) => return Ok(words::unread(&signed, &error)),
    };
    let Some(of) = system(&snapshot, &code) else { return Ok(frame::missing(&signed)) };
    if !may_on(&signed, Power::SeeStatements, of) {
        return Ok(frame::missing(&signed));
    }
    statements::file(&signed, &name, |stored| stored.system == of.id).await
}
