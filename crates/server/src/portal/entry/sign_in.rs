//! First page: login and password, or a passkey.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use dancu_access::people::Outcome;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::sign_in::Notice;
use dancu_portal::entry::{SignIn, Welcome};
use dancu_portal::text::Language;
use serde::Deserialize;

use super::super::form::Form;
use super::super::signed::{Signed, Visitor};
use super::super::{frame, helped, oidc, paths};
use super::steps::{self, Problem};
use super::{busy, captcha, options, solved};

/// Most days, codes that a notice names; what is beyond was not made by us.
const NOTICE_MAX: i64 = 1_000;

/// The query of the page.
#[derive(Deserialize, Default)]
pub struct Asked {
    /// Where one wanted to go.
    #[serde(default)]
    next: String,
    /// Name of the reason why one stands here again.
    #[serde(default)]
    why: String,
}

/// `GET /sign-in`.
pub async fn show(visitor: Visitor, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    if let Some(signed) = &visitor.signed {
        return paths::back(&asked.next).map_or_else(|| frame::to_desk(signed), frame::to);
    }
    let mut page = drawn(&visitor, &asked.next, "", None);
    let why = PortalReason::ALL.iter().find(|reason| reason.name() == asked.why);
    page.reason = why.map(|reason| frame::sentences(visitor.lang, *reason));
    page.provider = oidc::links(&visitor, &asked.next, why == Some(&PortalReason::SignedOut));
    frame::page(&page)
}

fn drawn(visitor: &Visitor, next: &str, login: &str, problem: Option<&Problem>) -> SignIn {
    SignIn {
        t: visitor.text(),
        s: visitor.bare(),
        errors: problem.map(|p| p.beside(visitor, "password")).unwrap_or_default(),
        login: login.to_owned(),
        captcha: problem.and_then(|p| p.captcha.clone()),
        wait: problem.and_then(|p| p.wait),
        provider: oidc::links(visitor, next, false),
        reason: None,
        next: paths::back(next).unwrap_or_default().to_owned(),
    }
}

/// The page, with what was wrong.
pub fn page(visitor: &Visitor, next: &str, login: &str, problem: Option<&Problem>) -> Response {
    let page = drawn(visitor, next, login, problem);
    match problem {
        Some(problem) => problem.answer(&page),
        None => frame::page(&page),
    }
}

/// `POST /sign-in`.
pub async fn send(visitor: Visitor, form: Form) -> Response {
    let (login, next) = (form.get("login"), form.get("next"));
    let visit = visitor.visit();
    let people = visitor.people();
    let password = form.raw("password");
    let result = people.begin(&visit, login, password, solved(&form), false).await;
    if let Ok(Outcome::Refused { reason, again: false }) = &result {
        let needed = people.captcha_needed(&visit, login);
        let problem = Problem { captcha: captcha(&visitor, needed), ..Problem::of(*reason) };
        return page(&visitor, next, login, Some(&problem));
    }
    steps::answer(&visitor, next, result, |problem| page(&visitor, next, login, Some(problem)))
        .await
}

/// `POST /sign-in/passkey/options`.
pub async fn passkey_options(visitor: Visitor) -> Response {
    match visitor.people().key_options(&visitor.visit(), None).await {
        Ok(Ok(made)) => options(&made),
        Ok(Err(reason)) => page(&visitor, "", "", Some(&Problem::of(reason))),
        Err(trouble) => busy(&visitor, &trouble),
    }
}

/// `POST /sign-in/passkey`.
pub async fn passkey(visitor: Visitor, form: Form) -> Response {
    let next = form.get("next");
    let (ticket, response) = (form.raw("ticket"), form.raw("response"));
    let visit = visitor.visit();
    let result = visitor.people().begin_passkey(&visit, ticket, response, false).await;
    steps::answer(&visitor, next, result, |problem| page(&visitor, next, "", Some(problem))).await
}

/// What the session's begin has to tell, in the address, so that the page can be loaded again.
#[derive(Deserialize, Default)]
pub struct Told {
    days: Option<i64>,
    codes: Option<u8>,
    trained: Option<jiff::civil::Date>,
    replaced: Option<String>,
    helped: Option<String>,
    #[serde(default)]
    next: String,
}

/// `GET /welcome`: what a person is told before the desk.
pub async fn welcome(signed: Signed, told: Result<Query<Told>, QueryRejection>) -> Response {
    let told = told.map(|Query(told)| told).unwrap_or_default();
    let say = |notice: Notice| match signed.lang {
        Language::Vietnamese => notice.text_vi(),
        Language::English => notice.text(),
    };
    let notices = [
        told.days.filter(|days| (0..NOTICE_MAX).contains(days)).map(Notice::PasswordDays),
        told.codes.map(Notice::RecoveryCodes),
        told.trained.map(Notice::TrainingLapsed),
    ];
    let mut notes: Vec<_> = notices.into_iter().flatten().map(|n| (say(n), true)).collect();
    if told.replaced.is_some() {
        notes.push((signed.text().get("welcome-replaced"), true));
    }
    if told.helped.is_some() {
        let done = helped::lately(&signed, signed.person.id).await;
        notes.extend(done.into_iter().map(|sentence| (sentence, true)));
    }
    let next = paths::back(&told.next).unwrap_or("/").to_owned();
    if notes.is_empty() {
        return frame::to(&next);
    }
    frame::page(&Welcome { t: signed.text(), s: signed.shell(), notes, next })
}
