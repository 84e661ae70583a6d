//! A proof of work of an account that sends much; the work is kept meanwhile (C5b).

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use dancu_portal::entry::Prove;

use super::super::form::Form;
use super::super::frame;
use super::super::kept::Kept;
use super::super::signed::Signed;
use super::{captcha, lock, solved};

/// Where the proof is sent; it is not paced itself, but for the limit that nobody passes.
pub const PATH: &str = "/pace";

/// The page that asks, with what was being done sealed into it. `wait_s`: seconds until it goes on
/// without the proof.
pub fn ask(signed: &Signed, kept: &Kept, wait_s: u32) -> Response {
    let sealed = kept.seal(signed).unwrap_or_default();
    drawn(signed, sealed, wait_s)
}

fn drawn(signed: &Signed, kept: String, wait_s: u32) -> Response {
    let page = Prove {
        t: signed.text(),
        s: signed.shell(),
        captcha: captcha(signed, true).unwrap_or_default(),
        kept,
    };
    let mut response = frame::page_with(StatusCode::TOO_MANY_REQUESTS, &page);
    frame::retry_after(&mut response, wait_s);
    frame::as_a_whole(signed, response)
}

/// `POST /pace`: the proof.
pub async fn send(signed: Signed, headers: HeaderMap, form: Form) -> Response {
    let captcha = signed.people().captcha();
    if !solved(&form).is_some_and(|proof| captcha.verify(proof, signed.machine)) {
        return drawn(&signed, form.raw("kept").to_owned(), 1);
    }
    signed.portal().pace.proved(signed.person.id);
    lock::reopened(&signed, &headers, form.raw("kept"), true).await
}
