//! The way in and out: sign-in with its steps, lock, confirmation, sign-out, language and theme.

pub mod confirm;
mod enrol;
mod factor;
pub mod lock;
pub mod pace;
mod password;
mod sign_in;
pub(super) mod steps;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use dancu_access::people::{Held, Trouble};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::rule::RuleId;
use dancu_portal::changes::{Changes, releases};
use dancu_portal::parts::FieldError;
use dancu_portal::rules::Rules;
use dancu_portal::text::Language;
use serde_json::{Value, json};

pub(super) use self::enrol::{app_page, shown};
pub(super) use self::factor::typed_twice;
use super::cookies::Cookie;
use super::form::Form;
use super::signed::{Facts, Framed, Signed, Visitor};
use super::table::{Access, Table};
use super::{frame, paths};

/// Its routes.
pub fn routes(table: Table) -> Table {
    let public = Access::Public;
    let table = table
        .get("/", public, root)
        .post("/preferences", public, preferences)
        .get("/docs/rules", public, rules)
        .get("/docs/changes", public, changes)
        .get("/sign-in", public, sign_in::show)
        .post("/sign-in", public, sign_in::send)
        .post("/sign-in/passkey/options", public, sign_in::passkey_options)
        .post("/sign-in/passkey", public, sign_in::passkey)
        .post("/sign-in/factor", public, factor::send)
        .post("/sign-in/factor/key/options", public, factor::key_options)
        .post("/sign-in/factor/key", public, factor::key)
        .post("/sign-in/password", public, password::send)
        .post("/sign-in/enrol/app", public, enrol::app)
        .post("/sign-in/enrol/app/done", public, enrol::app_done)
        .post("/sign-in/enrol/key/options", public, enrol::key_options)
        .post("/sign-in/enrol/key", public, enrol::key)
        .post("/sign-in/codes", public, enrol::codes_kept)
        .get("/welcome", Access::Person, sign_in::welcome)
        .post("/sign-out", Access::Locked, sign_out);
    table
        .post("/lock", Access::Locked, lock::lock)
        .post_kept("/unlock", Access::Locked, lock::unlock)
        .post_kept("/unlock/key/options", Access::Locked, lock::key_options)
        .post_kept("/unlock/key", Access::Locked, lock::unlock_key)
        .post_kept("/confirm", Access::Person, confirm::send)
        .post_kept("/confirm/key/options", Access::Person, confirm::key_options)
        .post_kept("/confirm/key", Access::Person, confirm::send_key)
        .post_kept(pace::PATH, Access::Person, pace::send)
}

/// `GET /`: the desk, or the way to it.
async fn root(visitor: Visitor) -> Response {
    match &visitor.signed {
        Some(signed) => frame::to_desk(signed),
        // The lock screen stands before every page of one's own.
        None if visitor.locked => frame::to("/account"),
        None => frame::to("/sign-in"),
    }
}

/// `POST /preferences`: language and theme, for a year.
async fn preferences(visitor: Visitor, form: Form) -> Response {
    let lang = Language::from_tag(form.get("lang")).unwrap_or(visitor.lang);
    let theme = ["light", "dark"].into_iter().find(|theme| *theme == form.get("theme"));
    let look = format!("{}.{}", lang.tag(), theme.unwrap_or(visitor.theme));
    let mut response = frame::to(paths::local(form.get("back")).unwrap_or("/"));
    set_cookie(&mut response, Cookie::Look.set(&look, visitor.secure));
    response
}

/// `GET /docs/rules`: what the rule beside a refusal says.
async fn rules(visitor: Visitor) -> Response {
    let ids = RuleId::ALL.iter().map(|rule| rule.code()).collect();
    frame::page(&Rules { t: visitor.text(), s: visitor.shell(), ids })
}

/// `GET /docs/changes`: what changed for integrators.
async fn changes(visitor: Visitor) -> Response {
    let releases = releases(visitor.lang);
    frame::page(&Changes { t: visitor.text(), s: visitor.shell(), releases })
}

/// `POST /sign-out`.
async fn sign_out(signed: Signed) -> Response {
    if let Err(trouble) = signed.people().sign_out(&signed.visit(), &signed.present).await {
        return busy(&signed, &trouble);
    }
    let mut response = frame::to(&format!("/sign-in?why={}", PortalReason::SignedOut.name()));
    set_cookie(&mut response, Cookie::Session.clear(signed.secure));
    response
}

fn set_cookie(response: &mut Response, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// The page for a person while passwords cannot be checked or the store cannot be asked.
pub(super) fn busy(who: &impl Framed, trouble: &Trouble) -> Response {
    match trouble {
        Trouble::Busy => frame::refused_as(who, PortalReason::Busy),
        Trouble::Store(error) => {
            tracing::warn!(error = %error, "an act of sign-in failed");
            frame::unavailable(who)
        }
    }
}

/// What a script asks a key for: options and the ticket that goes back with the answer.
pub(super) fn options((options, ticket): &(String, String)) -> Response {
    let options: Value = serde_json::from_str(options).unwrap_or(Value::Null);
    let body = json!({ "options": options, "ticket": ticket }).to_string();
    let mut response = Response::new(Body::from(body));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// What is wrong with the password of somebody who is signed in: no login was typed.
pub(super) fn own_password(
    signed: &Signed,
    field: &'static str,
    reason: PortalReason,
) -> FieldError {
    match reason {
        PortalReason::WrongCredentials => frame::wrong(field, signed.text().get("password-wrong")),
        _ => frame::reason_error(signed.lang, field, reason),
    }
}

/// Seconds that a try has to wait, where it has to.
pub(super) fn waiting(held: Held) -> Option<u64> {
    let wait = u64::try_from(held.wait_ms).unwrap_or(0).div_ceil(1_000);
    (wait > 0).then_some(wait)
}

/// A proof of work for a page's form; without randomness there is none, and the form is refused
/// again.
pub(super) fn captcha(facts: &Facts, needed: bool) -> Option<String> {
    let challenge = facts.people().captcha().challenge(facts.machine).ok().filter(|_| needed)?;
    serde_json::to_string(&challenge).ok()
}

/// The solved proof of work of a form.
pub(super) fn solved(form: &Form) -> Option<&str> {
    Some(form.raw("altcha")).filter(|text| !text.is_empty())
}
