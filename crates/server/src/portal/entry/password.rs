//! A new password in the middle of a sign-in.

use axum::http::StatusCode;
use axum::response::Response;
use dancu_portal::entry::{ChangePassword, Why};

use super::super::form::Form;
use super::super::frame;
use super::super::signed::Visitor;
use super::factor::typed_twice;
use super::steps;

/// `POST /sign-in/password`.
pub async fn send(visitor: Visitor, form: Form) -> Response {
    let (ticket, next) = (form.raw("ticket"), form.get("next"));
    let why = Why::said(form.get("aged"));
    let drawn = || steps::change(&visitor, next, why, ticket.to_owned());
    if let Err(error) = typed_twice(&visitor, &form) {
        let page = ChangePassword { errors: vec![error], ..drawn() };
        return frame::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let visit = visitor.visit();
    let result = visitor.people().change_password(&visit, ticket, form.raw("fresh")).await;
    steps::answer(&visitor, next, result, |problem| {
        let mut page = drawn();
        page.errors = problem.beside(&visitor, "fresh");
        problem.answer(&page)
    })
    .await
}
