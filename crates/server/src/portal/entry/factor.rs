//! The second factor of a sign-in.

use axum::response::Response;
use dancu_access::people::Proof;
use dancu_portal::entry::Offered;
use dancu_portal::parts::FieldError;

use super::super::form::Form;
use super::super::frame;
use super::super::signed::{Facts, Visitor};
use super::steps::{self, Problem};
use super::{busy, options, sign_in, solved};

/// `POST /sign-in/factor`: a code of an app, or a recovery code.
pub async fn send(visitor: Visitor, form: Form) -> Response {
    let (field, proof) = typed(&form);
    with(&visitor, &form, proof, field).await
}

/// The proof that was typed, and the field it was typed into.
pub fn typed(form: &Form) -> (&'static str, Proof<'_>) {
    if form.has("recovery") {
        ("recovery", Proof::Recovery(form.get("recovery")))
    } else {
        ("code", Proof::typed(form.get("code")))
    }
}

/// `POST /sign-in/factor/key`.
pub async fn key(visitor: Visitor, form: Form) -> Response {
    with(&visitor, &form, Proof::Key(form.raw("response")), "code").await
}

async fn with(visitor: &Visitor, form: &Form, proof: Proof<'_>, field: &'static str) -> Response {
    let (ticket, next) = (form.raw("ticket"), form.get("next"));
    let remember = form.get("enrol") == "yes";
    let visit = visitor.visit();
    let result =
        visitor.people().second_factor(&visit, ticket, proof, solved(form), remember).await;
    let offered = Offered::said(form.get("has"));
    steps::answer(visitor, next, result, |problem| {
        let shown = Some((problem, field));
        let page = steps::second_factor(visitor, next, offered, ticket.to_owned(), shown);
        problem.answer(&page)
    })
    .await
}

/// `POST /sign-in/factor/key/options`.
pub async fn key_options(visitor: Visitor, form: Form) -> Response {
    let ticket = form.raw("ticket");
    match visitor.people().key_options(&visitor.visit(), Some(ticket)).await {
        Ok(Ok(made)) => options(&made),
        Ok(Err(reason)) => {
            sign_in::page(&visitor, form.get("next"), "", Some(&Problem::of(reason)))
        }
        Err(trouble) => busy(&visitor, &trouble),
    }
}

/// Whether the new password was typed twice alike; otherwise the error beside its field.
pub fn typed_twice(facts: &Facts, form: &Form) -> Result<(), FieldError> {
    if form.raw("fresh") == form.raw("again") {
        return Ok(());
    }
    Err(frame::wrong("again", facts.text().get("password-differ")))
}
