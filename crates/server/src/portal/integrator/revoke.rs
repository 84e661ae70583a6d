//! Revoking a credential: asked once, at once in force (E3).

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use dancu_domain::credentials::CredentialKind;
use dancu_domain::people::powers::Power;
use dancu_office::Refused;
use dancu_office::credentials;
use dancu_portal::integrator::Revoke;
use dancu_portal::parts::FieldError;
use serde::Deserialize;

use super::system::{Uses, label};
use super::{Own, head};
use crate::portal::form::Form;
use crate::portal::signed::Signed;
use crate::portal::{frame, words};
use crate::stop::Handled;

/// Which one, in the address.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Which {
    kind: String,
    number: String,
}

impl Which {
    fn read(&self) -> Option<(CredentialKind, u32)> {
        Some((CredentialKind::from_code(&self.kind)?, self.number.parse().ok()?))
    }
}

/// `GET /integrator/{code}/revoke`
pub(super) async fn ask(
    signed: Signed,
    Path(code): Path<String>,
    Query(which): Query<Which>,
) -> Handled {
    let own = Own::find(&signed, &code, Power::RevokeCredentials).await?;
    Ok(page(&signed, &own, &which, "", vec![]).await)
}

/// `POST /integrator/{code}/revoke`
pub(super) async fn revoke(signed: Signed, Path(code): Path<String>, form: Form) -> Handled {
    let own = Own::find(&signed, &code, Power::RevokeCredentials).await?;
    let of = |name: &str| form.get(name).to_owned();
    let which = Which { kind: of("kind"), number: of("number") };
    let Some(named) = which.read() else { return Ok(frame::missing(&signed)) };
    let why = form.raw("why");
    let told = format!("/integrator/{}?told=revoked", own.system.code.as_str());
    let is_sure = form.get("sure") == "yes";
    Ok(match credentials::revoke(&own.desk(&signed), named, why, is_sure).await {
        // Sent twice, the second finds it gone: that is what was wanted.
        Ok(_) | Err(Refused::Gone) => frame::to(&told),
        Err(refused) => {
            let field = match refused {
                Refused::Field { field, .. } => field,
                _ => "why",
            };
            match words::refused(&signed, &refused) {
                Some(sentence) => {
                    let errors = vec![frame::wrong(field, sentence)];
                    page(&signed, &own, &which, why, errors).await
                }
                None => words::failed(&signed, &refused),
            }
        }
    })
}

async fn page(
    signed: &Signed,
    own: &Own,
    which: &Which,
    why: &str,
    errors: Vec<FieldError>,
) -> Response {
    let Some((kind, number)) = which.read() else { return frame::missing(signed) };
    let known = own.system.facts.of(kind).iter().find(|facts| facts.number == number);
    let Some(facts) = known else { return frame::missing(signed) };
    let uses = match Uses::of(signed, &own.system).await {
        Ok(uses) => uses,
        Err(error) => return words::unread(signed, &error),
    };
    let t = signed.text();
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = Revoke {
        code: own.system.code.as_str().to_owned(),
        errors,
        kind: kind.code(),
        head: head(kind),
        number: number.to_string(),
        label: label(&t, facts),
        last_use: uses.words(number),
        is_last: credentials::would_end(&own.system, kind, number, signed.now),
        why: why.to_owned(),
        s: signed.shell(),
        t,
    };
    frame::page_with(status, &page)
}
