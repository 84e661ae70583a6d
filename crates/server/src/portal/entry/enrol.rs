//! The first factor, or a new one on the head's word, in the middle of a sign-in.

use axum::response::Response;
use dancu_access::people::{TotpEnrolment, qr};
use dancu_portal::entry::EnrolApp;

use super::super::form::Form;
use super::super::frame;
use super::super::signed::{Facts, Visitor};
use super::steps::{self, Problem};
use super::{busy, options, sign_in};
use dancu_portal::shell::Shell;

/// Longest text of a code to scan that is drawn again, bytes: ours have a hundred.
const URI_MAX: usize = 400;
/// Longest secret that is drawn again, bytes: ours have 40 with the gaps.
const SECRET_MAX: usize = 80;

/// Path of the forms that enrol in the middle of a sign-in.
const BASE: &str = "/sign-in/enrol";

/// `POST /sign-in/enrol/app`.
pub async fn app(visitor: Visitor, form: Form) -> Response {
    let next = form.get("next");
    match visitor.people().enrol_totp(&visitor.visit(), form.raw("ticket")).await {
        Ok(Ok((enrolment, ticket))) => match app_page(&visitor, visitor.bare(), BASE, enrolment) {
            Some(page) => frame::page(&EnrolApp { ticket, next: next.to_owned(), ..page }),
            None => frame::unavailable(&visitor),
        },
        Ok(Err(reason)) => sign_in::page(&visitor, next, "", Some(&Problem::of(reason))),
        Err(trouble) => busy(&visitor, &trouble),
    }
}

/// The page with the code to scan and the secret to type; `None` where there is no code.
pub fn app_page(
    facts: &Facts,
    s: Shell,
    base: &'static str,
    enrolment: TotpEnrolment,
) -> Option<EnrolApp> {
    let code = enrolment.qr?;
    Some(EnrolApp {
        t: facts.text(),
        s,
        errors: vec![],
        base,
        qr_size: code.size,
        qr_path: code.path,
        secret: enrolment.secret,
        uri: enrolment.uri,
        ticket: String::new(),
        next: String::new(),
    })
}

/// What the page showed. It comes back from the browser with a wrong first code and draws the page
/// again; what is enrolled stands in the ticket.
pub fn shown(form: &Form) -> TotpEnrolment {
    let (uri, secret) = (form.raw("uri"), form.raw("secret"));
    let ours = uri.len() <= URI_MAX && secret.len() <= SECRET_MAX;
    TotpEnrolment {
        qr: ours.then(|| qr(uri)).flatten(),
        secret: secret.to_owned(),
        uri: uri.to_owned(),
    }
}

/// `POST /sign-in/enrol/app/done`.
pub async fn app_done(visitor: Visitor, form: Form) -> Response {
    let (ticket, next) = (form.raw("ticket"), form.get("next"));
    let visit = visitor.visit();
    let result = visitor.people().enrol_totp_done(&visit, ticket, form.get("code")).await;
    steps::answer(&visitor, next, result, |problem| {
        match app_page(&visitor, visitor.bare(), BASE, shown(&form)) {
            Some(page) => problem.answer(&EnrolApp {
                errors: problem.beside(&visitor, "code"),
                ticket: ticket.to_owned(),
                next: next.to_owned(),
                ..page
            }),
            None => sign_in::page(&visitor, next, "", Some(problem)),
        }
    })
    .await
}

/// `POST /sign-in/enrol/key/options`.
pub async fn key_options(visitor: Visitor, form: Form) -> Response {
    let (ticket, security_key) = (form.raw("ticket"), form.get("kind") == "key");
    match visitor.people().enrol_key(&visitor.visit(), ticket, security_key).await {
        Ok(Ok(made)) => options(&made),
        Ok(Err(reason)) => {
            sign_in::page(&visitor, form.get("next"), "", Some(&Problem::of(reason)))
        }
        Err(trouble) => busy(&visitor, &trouble),
    }
}

/// `POST /sign-in/enrol/key`.
pub async fn key(visitor: Visitor, form: Form) -> Response {
    let (ticket, next) = (form.raw("ticket"), form.get("next"));
    let (visit, name) = (visitor.visit(), form.get("name"));
    let people = visitor.people();
    let result = people.enrol_key_done(&visit, ticket, form.raw("response"), name).await;
    steps::answer(&visitor, next, result, |problem| {
        sign_in::page(&visitor, next, "", Some(problem))
    })
    .await
}

/// `POST /sign-in/codes`: the recovery codes were kept.
pub async fn codes_kept(visitor: Visitor, form: Form) -> Response {
    let next = form.get("next");
    let result = visitor.people().go_on(&visitor.visit(), form.raw("ticket")).await;
    steps::answer(&visitor, next, result, |problem| {
        sign_in::page(&visitor, next, "", Some(problem))
    })
    .await
}
