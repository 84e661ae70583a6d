//! The person's own factors.

use axum::http::StatusCode;
use axum::response::Response;
use dancu_access::people::{Answer, FactorRef, Trouble};
use dancu_domain::moment::Moment;
use dancu_domain::people::MachineTime;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::totp::{STEP_MS, Step};
use dancu_portal::account::{Factor, Factors};
use dancu_portal::entry::{Enrol, EnrolApp, RecoveryCodes};
use dancu_portal::parts::FieldError;

use super::super::entry::{app_page, busy, options, shown};
use super::super::form::Form;
use super::super::frame;
use super::super::signed::Signed;

/// Path of the forms that add a factor.
const ADD: &str = "/account/factors/add";

/// `GET /account/factors`.
pub async fn show(signed: Signed) -> Response {
    frame::page(&drawn(&signed, vec![]))
}

fn drawn(signed: &Signed, errors: Vec<FieldError>) -> Factors {
    let secrets = &signed.person.secrets;
    let never = || signed.text().get("common-never");
    let app = secrets.totp.as_ref().map(|totp| Factor {
        icon: "smartphone",
        key: "factor-kind-app",
        name: signed.text().get("factor-kind-app"),
        since: frame::day(totp.since),
        last: totp.last.map_or_else(never, |step| frame::stamp(of_step(signed, step))),
        id: FactorRef::Totp.id(),
    });
    let keys = secrets.passkeys.iter().map(|key| Factor {
        icon: if key.security_key { "key-round" } else { "fingerprint" },
        key: if key.security_key { "factor-kind-key" } else { "factor-kind-passkey" },
        name: key.name.clone(),
        since: frame::day(key.since),
        last: key.last.map_or_else(never, frame::stamp),
        id: FactorRef::Key(key.id.clone()).id(),
    });
    Factors {
        t: signed.text(),
        s: signed.shell(),
        rows: app.into_iter().chain(keys).collect(),
        codes_left: secrets.recovery.as_ref().map_or(0, |set| set.left.left().into()),
        errors,
    }
}

/// When a code of an app's step was shown: the last one that was used says when that was.
fn of_step(signed: &Signed, Step(step): Step) -> Moment {
    frame::of_machine(&signed.app, MachineTime(step.saturating_mul(STEP_MS)))
}

/// `GET /account/factors/add`.
pub async fn choose(signed: Signed) -> Response {
    frame::page(&Enrol {
        t: signed.text(),
        s: signed.shell(),
        errors: vec![],
        base: ADD,
        reason_key: "enrol-more",
        app: true,
        keys: true,
        ticket: String::new(),
        next: String::new(),
    })
}

/// `POST /account/factors/add/app`.
pub async fn add_app(signed: Signed) -> Response {
    match signed.people().add_totp(&signed.visit(), &signed.present).await {
        Ok(Ok((enrolment, ticket))) => match app_page(&signed, signed.shell(), ADD, enrolment) {
            Some(page) => frame::page(&EnrolApp { ticket, ..page }),
            None => frame::unavailable(&signed),
        },
        Ok(Err(reason)) => frame::refused(&signed, reason),
        Err(trouble) => busy(&signed, &trouble),
    }
}

/// `POST /account/factors/add/app/done`.
pub async fn add_app_done(signed: Signed, form: Form) -> Response {
    let (people, visit, ticket) = (signed.people(), signed.visit(), form.raw("ticket"));
    let answer = people.add_totp_done(&visit, &signed.present, ticket, form.get("code")).await;
    if let Ok(Answer::Refused(PortalReason::WrongCode)) = answer
        && let Some(page) = app_page(&signed, signed.shell(), ADD, shown(&form))
    {
        let errors = vec![frame::reason_error(signed.lang, "code", PortalReason::WrongCode)];
        let page = EnrolApp { errors, ticket: ticket.to_owned(), ..page };
        return frame::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    listed(&signed, answer)
}

/// `POST /account/factors/add/key/options`.
pub async fn key_options(signed: Signed, form: Form) -> Response {
    let security_key = form.get("kind") == "key";
    match signed.people().add_key(&signed.visit(), &signed.present, security_key).await {
        Ok(Ok(made)) => options(&made),
        Ok(Err(reason)) => frame::refused(&signed, reason),
        Err(trouble) => busy(&signed, &trouble),
    }
}

/// `POST /account/factors/add/key`.
pub async fn add_key(signed: Signed, form: Form) -> Response {
    let (ticket, key) = (form.raw("ticket"), (form.raw("response"), form.get("name")));
    let (people, visit) = (signed.people(), signed.visit());
    let answer = people.add_key_done(&visit, &signed.present, ticket, key).await;
    listed(&signed, answer)
}

/// `POST /account/factors/remove`.
pub async fn remove(signed: Signed, form: Form) -> Response {
    let Some(factor) = FactorRef::parse(form.get("factor")) else {
        return frame::missing(&signed);
    };
    let answer = signed.people().remove_factor(&signed.visit(), &signed.present, &factor).await;
    listed(&signed, answer)
}

/// The list again, changed or with what was wrong.
fn listed(signed: &Signed, answer: Result<Answer, Trouble>) -> Response {
    let wrong = |reason| {
        let errors = vec![frame::reason_error(signed.lang, "factors", reason)];
        frame::page_with(StatusCode::UNPROCESSABLE_ENTITY, &drawn(signed, errors))
    };
    match answer {
        Ok(Answer::Done) => frame::to("/account/factors"),
        Ok(Answer::Refused(PortalReason::FreshMfaNeeded)) => {
            frame::refused(signed, PortalReason::FreshMfaNeeded)
        }
        Ok(Answer::Refused(reason)) => wrong(reason),
        Ok(Answer::Held(held)) => wrong(held.reason),
        Err(trouble) => busy(signed, &trouble),
    }
}

/// `POST /account/recovery-codes`: a new set, shown this once; the old one is void.
pub async fn new_codes(signed: Signed) -> Response {
    match signed.people().new_recovery_codes(&signed.visit(), &signed.present).await {
        Ok(Ok(codes)) => frame::page(&RecoveryCodes {
            t: signed.text(),
            s: signed.shell(),
            codes,
            action: "/account/recovery-codes/kept",
            ticket: String::new(),
            next: String::new(),
        }),
        Ok(Err(reason)) => frame::refused(&signed, reason),
        Err(trouble) => busy(&signed, &trouble),
    }
}

/// `POST /account/recovery-codes/kept`.
pub async fn codes_kept(_: Signed) -> Response {
    frame::to("/account/factors")
}
