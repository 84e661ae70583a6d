//! The locked screen (E2): after idle time or by wish; password or passkey reopen it, and what was
//! being typed comes back.

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use dancu_access::people::{Answer, Trouble};
use dancu_domain::people::MachineTime;
use dancu_domain::people::session::idle_ms;
use dancu_portal::entry::{Again, GoOn, Lock};
use dancu_portal::parts::FieldError;
use std::net::SocketAddr;
use tower_service::Service as _;

use super::super::form::Form;
use super::super::guard::PutBack;
use super::super::kept::Kept;
use super::super::signed::Signed;
use super::super::{frame, oidc, paths};
use super::{busy, options, own_password, steps, waiting};
use crate::tls::connection::Secure;

/// The lock screen with what was being done sealed into it. 423: nothing else is answered.
pub fn page(signed: &Signed, kept: &Kept) -> Response {
    let sealed = kept.seal(signed).unwrap_or_default();
    drawn(signed, sealed, vec![], None)
}

fn drawn(signed: &Signed, kept: String, errors: Vec<FieldError>, wait: Option<u64>) -> Response {
    let mut s = signed.bare();
    s.here = "/".into();
    let page = Lock {
        t: signed.text(),
        s,
        errors,
        wait,
        name: signed.person.name.clone(),
        since: frame::time(frame::of_machine(&signed.app, since(signed))),
        passkey: steps::offered(signed.person.secrets.factors().usable()).key,
        password: signed.person.secrets.password.is_some(),
        again: without_password(signed, &kept),
        kept,
    };
    frame::as_a_whole(signed, frame::page_with(StatusCode::LOCKED, &page))
}

/// The way back of somebody who has no password: the identity provider asks anew, and one comes to
/// the page that was open.
fn without_password(signed: &Signed, kept: &str) -> Option<Again> {
    let has = signed.person.secrets.password.is_some();
    let kept = Kept::open(signed, kept).filter(|kept| !kept.sent);
    let to = kept.map_or_else(|| "/".to_owned(), |kept| kept.to);
    oidc::again(signed, &to).filter(|_| !has)
}

/// When it locked: after the idle time, or by wish, which was the last thing done.
fn since(signed: &Signed) -> MachineTime {
    let profile = signed.app.gate.store().profiles().at(signed.now);
    let idle = signed.session.seen.plus_ms(idle_ms(signed.session.class, &profile.sign_in));
    if idle <= signed.machine { idle } else { signed.session.seen }
}

/// `POST /lock`: by wish, or by the page after idle time.
pub async fn lock(signed: Signed, form: Form) -> Response {
    if !signed.session.locked
        && let Err(trouble) = signed.people().lock(&signed.present, signed.now).await
    {
        return busy(&signed, &trouble);
    }
    let typed = Form::parse(form.raw("kept").as_bytes()).unwrap_or_default();
    let mut response = page(&signed, &Kept::typed(form.raw("back"), &typed));
    // This is what was asked for.
    *response.status_mut() = StatusCode::OK;
    response
}

/// `POST /unlock` with the password. A window whose screen was opened in another one needs none.
pub async fn unlock(signed: Signed, headers: HeaderMap, form: Form) -> Response {
    if signed.session.locked {
        let (people, visit) = (signed.people(), signed.visit());
        let password = form.raw("password");
        let answer = people.unlock(&visit, &signed.present, password).await;
        if let Some(response) = stopped(&signed, &form, answer) {
            return response;
        }
    }
    reopened(&signed, &headers, form.raw("kept"), false).await
}

/// `POST /unlock/key/options`.
pub async fn key_options(signed: Signed) -> Response {
    match signed.people().key_options_for(&signed.visit(), &signed.present) {
        Ok(Some(made)) => options(&made),
        Ok(None) => frame::missing(&signed),
        Err(trouble) => busy(&signed, &trouble),
    }
}

/// `POST /unlock/key`.
pub async fn unlock_key(signed: Signed, headers: HeaderMap, form: Form) -> Response {
    if signed.session.locked {
        let (people, visit) = (signed.people(), signed.visit());
        let (ticket, response) = (form.raw("ticket"), form.raw("response"));
        let answer = people.unlock_key(&visit, &signed.present, ticket, response).await;
        if let Some(response) = stopped(&signed, &form, answer) {
            return response;
        }
    }
    reopened(&signed, &headers, form.raw("kept"), false).await
}

/// The lock screen again, where it did not open.
fn stopped(signed: &Signed, form: &Form, answer: Result<Answer, Trouble>) -> Option<Response> {
    let again = |reason, wait| {
        let errors = vec![own_password(signed, "password", reason)];
        drawn(signed, form.raw("kept").to_owned(), errors, wait)
    };
    match answer {
        Ok(Answer::Done) => None,
        Ok(Answer::Refused(reason)) => Some(again(reason, None)),
        Ok(Answer::Held(held)) => Some(again(held.reason, waiting(held))),
        Err(Trouble::Busy) => Some(again(dancu_domain::people::reasons::PortalReason::Busy, None)),
        Err(trouble) => Some(busy(signed, &trouble)),
    }
}

/// Goes on where the work stopped: at the page, with what was typed, or with the form that was
/// sent. `at_once`: the person has just confirmed this very act.
pub async fn reopened(signed: &Signed, headers: &HeaderMap, kept: &str, at_once: bool) -> Response {
    let Some(kept) = Kept::open(signed, kept) else {
        return frame::to_desk(signed);
    };
    if kept.sent {
        let page = GoOn {
            t: signed.text(),
            s: signed.shell(),
            action: kept.to,
            fields: kept.fields,
            at_once,
        };
        return frame::page(&page);
    }
    let to = paths::back(&kept.to).unwrap_or("/").to_owned();
    if kept.fields.is_empty() {
        return frame::to(&to);
    }
    put_back(signed, headers, &to, kept.fields).await
}

/// The page itself as the answer, with what was typed beside it: an address could not carry it.
async fn put_back(
    signed: &Signed,
    headers: &HeaderMap,
    to: &str,
    fields: Vec<(String, String)>,
) -> Response {
    let mut request = Request::new(Body::empty());
    let (Some(router), Ok(uri)) = (signed.portal().router.get(), to.parse()) else {
        return frame::to(to);
    };
    *request.uri_mut() = uri;
    for name in [header::COOKIE, header::USER_AGENT] {
        for value in headers.get_all(&name) {
            request.headers_mut().append(name.clone(), value.clone());
        }
    }
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new(signed.source, 0)));
    request.extensions_mut().insert(PutBack(fields));
    if signed.secure {
        request.extensions_mut().insert(Secure);
    }
    let Ok(response) = router.clone().call(request).await;
    response
}
