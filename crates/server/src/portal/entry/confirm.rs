//! A fresh second factor before an act that needs one (E2); the work is kept meanwhile.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use dancu_access::people::{Answer, Trouble};
use dancu_domain::people::reasons::PortalReason;
use dancu_portal::entry::{Again, Confirm, Offered};
use dancu_portal::parts::FieldError;

use super::super::form::Form;
use super::super::kept::Kept;
use super::super::signed::Signed;
use super::super::{frame, oidc};
use super::{busy, factor, lock, steps, waiting};

/// The page that asks, with what was being done sealed into it.
pub fn ask(signed: &Signed, kept: &Kept) -> Response {
    let sealed = kept.seal(signed).unwrap_or_default();
    drawn(signed, sealed, vec![], None)
}

fn drawn(signed: &Signed, kept: String, errors: Vec<FieldError>, wait: Option<u64>) -> Response {
    let offered = steps::offered(signed.person.secrets.factors().usable());
    let page = Confirm {
        t: signed.text(),
        s: signed.shell(),
        errors,
        wait,
        offered,
        again: without_factor(signed, offered, &kept),
        kept,
        back: "/".into(),
    };
    frame::as_a_whole(signed, frame::page_with(StatusCode::UNAUTHORIZED, &page))
}

/// The way of somebody who has no factor here: the identity provider asks anew, and one comes to
/// the page that was asked for.
fn without_factor(signed: &Signed, offered: Offered, kept: &str) -> Option<Again> {
    let has = offered.app || offered.key || offered.recovery;
    let kept = Kept::open(signed, kept).filter(|kept| !kept.sent);
    let to = kept.map_or_else(|| "/".to_owned(), |kept| kept.to);
    oidc::again(signed, &to).filter(|_| !has)
}

/// `POST /confirm`: a code of an app, or a recovery code.
pub async fn send(signed: Signed, headers: HeaderMap, form: Form) -> Response {
    let (field, proof) = factor::typed(&form);
    let (people, visit) = (signed.people(), signed.visit());
    let answer = people.confirm(&visit, &signed.present, proof).await;
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
    let again = |reason, wait| {
        let errors = vec![frame::reason_error(signed.lang, field, reason)];
        drawn(signed, form.raw("kept").to_owned(), errors, wait)
    };
    match answer {
        Ok(Answer::Done) => lock::reopened(signed, headers, form.raw("kept"), true).await,
        Ok(Answer::Refused(reason)) => again(reason, None),
        Ok(Answer::Held(held)) => again(held.reason, waiting(held)),
        Err(Trouble::Busy) => again(PortalReason::Busy, None),
        Err(trouble) => busy(signed, &trouble),
    }
}
