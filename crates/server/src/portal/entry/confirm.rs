//! A fresh second factor before an act that needs one (E2); the work is kept meanwhile.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use dancu_access::people::{Answer, Trouble};
use dancu_domain::people::reasons::PortalReason;
use dancu_portal::entry::Confirm;
use dancu_portal::parts::FieldError;

use super::super::form::Form;
use super::super::frame;
use super::super::kept::Kept;
use super::super::signed::Signed;
use super::steps::Usable;
use super::{busy, captcha, factor, lock, solved};

/// The page that asks, with what was being done sealed into it.
pub fn ask(signed: &Signed, kept: &Kept) -> Response {
    let sealed = kept.seal(signed.app.gate.store(), &signed.mark).unwrap_or_default();
    drawn(signed, sealed, vec![], None)
}

fn drawn(
    signed: &Signed,
    kept: String,
    errors: Vec<FieldError>,
    captcha: Option<String>,
) -> Response {
    let usable = Usable::of(signed.person.secrets.factors().usable());
    let page = Confirm {
        t: signed.text(),
        s: signed.shell(),
        errors,
        captcha,
        app: usable.app,
        passkey: usable.key,
        recovery: usable.recovery,
        kept,
        back: "/".into(),
    };
    frame::as_a_whole(signed, frame::page_with(StatusCode::UNAUTHORIZED, &page))
}

/// `POST /confirm`: a code of an app, or a recovery code.
pub async fn send(signed: Signed, headers: HeaderMap, form: Form) -> Response {
    let (field, proof) = factor::typed(&form);
    let (people, visit) = (signed.people(), signed.visit());
    let answer = people.confirm(&visit, &signed.present, proof, solved(&form)).await;
    finish(&signed, &headers, &form, answer, field).await
}

/// `POST /confirm/key/options`.
pub async fn key_options(signed: Signed) -> Response {
    lock::key_options(signed).await
}

/// `POST /confirm/key`.
pub async fn send_key(signed: Signed, headers: HeaderMap, form: Form) -> Response {
    let (people, visit) = (signed.people(), signed.visit());
    let (ticket, response) = (form.raw("ticket"), form.raw("response"));
    let answer = people.confirm_key(&visit, &signed.present, ticket, response).await;
    finish(&signed, &headers, &form, answer, "code").await
}

async fn finish(
    signed: &Signed,
    headers: &HeaderMap,
    form: &Form,
    answer: Result<Answer, Trouble>,
    field: &'static str,
) -> Response {
    let again = |reason, captcha| {
        let errors = vec![frame::reason_error(signed.lang, field, reason)];
        drawn(signed, form.raw("kept").to_owned(), errors, captcha)
    };
    match answer {
        Ok(Answer::Done) => lock::reopened(signed, headers, form.raw("kept"), true).await,
        Ok(Answer::Refused(reason)) => again(reason, None),
        Ok(Answer::Held(held)) => again(held.reason, captcha(signed, held.captcha)),
        Err(Trouble::Busy) => again(PortalReason::Busy, None),
        Err(trouble) => busy(signed, &trouble),
    }
}
