//! Change of the own password, by choice.

use axum::http::StatusCode;
use axum::response::Response;
use dancu_access::people::{Answer, Trouble};
use dancu_domain::people::password::PasswordAge;
use dancu_domain::people::reasons::PortalReason;
use dancu_portal::entry::{ChangePassword, Why};

use super::super::entry::{busy, own_password, typed_twice, waiting};
use super::super::form::Form;
use super::super::frame;
use super::super::signed::Signed;

fn drawn(signed: &Signed) -> ChangePassword {
    let figures = &signed.app.gate.store().profiles().at(signed.now).sign_in;
    ChangePassword {
        t: signed.text(),
        s: signed.shell(),
        errors: vec![],
        why: Why::Chosen(PasswordAge::good_for(signed.person.account.class, figures)),
        shortest: figures.password_min.into(),
        ticket: None,
        wait: None,
        next: String::new(),
    }
}

/// `GET /account/password`.
pub async fn show(signed: Signed) -> Response {
    frame::page(&drawn(&signed))
}

/// `POST /account/password`.
pub async fn send(signed: Signed, form: Form) -> Response {
    // Passwords are not kept while a second factor is asked for: they are typed again.
    if !form.has("current") {
        return frame::page(&drawn(&signed));
    }
    let wrong = |error, wait| {
        let page = ChangePassword { errors: vec![error], wait, ..drawn(&signed) };
        frame::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
    };
    if let Err(error) = typed_twice(&signed, &form) {
        return wrong(error, None);
    }
    let (people, visit) = (signed.people(), signed.visit());
    let passwords = (form.raw("current"), form.raw("fresh"));
    let answer = people.change_own_password(&visit, &signed.present, passwords).await;
    let beside = |reason| own_password(&signed, field(reason), reason);
    match answer {
        Ok(Answer::Done) => frame::to("/account/history"),
        Ok(Answer::Refused(PortalReason::FreshMfaNeeded)) => {
            frame::refused(&signed, PortalReason::FreshMfaNeeded)
        }
        Ok(Answer::Refused(reason)) => wrong(beside(reason), None),
        Ok(Answer::Held(held)) => wrong(beside(held.reason), waiting(held)),
        Err(Trouble::Busy) => wrong(beside(PortalReason::Busy), None),
        Err(trouble) => busy(&signed, &trouble),
    }
}

/// The field that a reason is about.
fn field(reason: PortalReason) -> &'static str {
    match reason {
        PortalReason::PasswordTooShort
        | PortalReason::PasswordTooLong
        | PortalReason::PasswordCommon
        | PortalReason::PasswordReused
        | PortalReason::PasswordHoldsLogin => "fresh",
        _ => "current",
    }
}
