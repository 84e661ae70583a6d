//! What a step of a sign-in leads to, as a page.

use axum::http::StatusCode;
use axum::response::Response;
use dancu_access::people::{Held, Outcome, SignedIn, Trouble};
use dancu_domain::people::PersonId;
use dancu_domain::people::factors::{FactorKind, Kinds};
use dancu_domain::people::password::ChangeDue;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::sign_in::{Notice, Step};
use dancu_portal::entry::{ChangePassword, Enrol, Offered, RecoveryCodes, SecondFactor, Why};
use dancu_portal::parts::FieldError;

use super::super::cookies::Cookie;
use super::super::signed::Visitor;
use super::super::{frame, helped, paths};
use super::{busy, captcha, set_cookie, sign_in, waiting};

/// Why the same page is shown again.
pub struct Problem {
    /// Why.
    pub reason: PortalReason,
    /// Seconds to wait.
    pub wait: Option<u64>,
    /// Proof of work to solve first.
    pub captcha: Option<String>,
}

impl Problem {
    /// A plain reason.
    pub fn of(reason: PortalReason) -> Self {
        Self { reason, wait: None, captcha: None }
    }

    /// Something has to come before the next try.
    pub fn held(visitor: &Visitor, held: Held) -> Self {
        Self { reason: held.reason, wait: waiting(held), captcha: captcha(visitor, held.captcha) }
    }

    /// As an error beside a field.
    pub fn beside(&self, visitor: &Visitor, field: &'static str) -> Vec<FieldError> {
        vec![frame::reason_error(visitor.lang, field, self.reason)]
    }

    /// A page with its status and, where one waits, with the seconds.
    pub fn answer(&self, page: &impl dancu_portal::Page) -> Response {
        let status = self.reason.text().answer.http_status();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
        let mut response = frame::page_with(status, page);
        let busy = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(2);
        if let Some(seconds) = self.wait.or(busy) {
            frame::retry_after(&mut response, u32::try_from(seconds).unwrap_or(u32::MAX));
        }
        response
    }
}

/// The page that a step leads to; `again` draws the step's own page with what was wrong.
pub async fn answer(
    visitor: &Visitor,
    next: &str,
    result: Result<Outcome, Trouble>,
    again: impl FnOnce(&Problem) -> Response,
) -> Response {
    match result {
        Ok(Outcome::Next { step, ticket }) => step_page(visitor, next, &step, ticket),
        Ok(Outcome::Codes { codes, ticket }) => frame::page(&RecoveryCodes {
            t: visitor.text(),
            s: visitor.bare(),
            codes,
            action: "/sign-in/codes",
            ticket,
            next: next.to_owned(),
        }),
        Ok(Outcome::Done(signed_in)) => {
            leave_before(visitor, &signed_in).await;
            done(visitor, next, &signed_in).await
        }
        Ok(Outcome::Refused { reason, again: true }) => again(&Problem::of(reason)),
        Ok(Outcome::Refused { reason, again: false }) => {
            sign_in::page(visitor, next, "", Some(&Problem::of(reason)))
        }
        Ok(Outcome::Held(held)) => again(&Problem::held(visitor, held)),
        Err(Trouble::Busy) => again(&Problem::of(PortalReason::Busy)),
        Err(trouble) => busy(visitor, &trouble),
    }
}

fn step_page(visitor: &Visitor, next: &str, step: &Step, ticket: String) -> Response {
    match step {
        Step::SecondFactor(kinds) => {
            frame::page(&second_factor(visitor, next, offered(*kinds), ticket, None))
        }
        Step::ChangePassword(due) => {
            let why = match due {
                ChangeDue::Given => Why::Given,
                ChangeDue::Aged { days } => Why::Aged(*days),
            };
            frame::page(&change(visitor, next, why, ticket))
        }
        Step::Enrol { kinds, by_voucher } => frame::page(&Enrol {
            t: visitor.text(),
            s: visitor.bare(),
            errors: vec![],
            base: "/sign-in/enrol",
            reason_key: if *by_voucher { "enrol-vouched" } else { "enrol-first" },
            app: kinds.contains(FactorKind::Totp),
            keys: kinds.contains(FactorKind::Passkey),
            ticket,
            next: next.to_owned(),
        }),
        Step::Refused(reason) => sign_in::page(visitor, next, "", Some(&Problem::of(*reason))),
        Step::Password | Step::Done(_) => frame::to("/sign-in"),
    }
}

/// What a page offers of the kinds that may be asked for.
pub fn offered(kinds: Kinds) -> Offered {
    Offered {
        app: kinds.contains(FactorKind::Totp),
        key: kinds.contains(FactorKind::Passkey) || kinds.contains(FactorKind::SecurityKey),
        recovery: kinds.contains(FactorKind::RecoveryCode),
    }
}

/// The page that asks for the second factor. `problem`: what was wrong, beside which field.
pub fn second_factor(
    visitor: &Visitor,
    next: &str,
    offered: Offered,
    ticket: String,
    problem: Option<(&Problem, &'static str)>,
) -> SecondFactor {
    SecondFactor {
        t: visitor.text(),
        s: visitor.bare(),
        errors: problem.map(|(p, field)| p.beside(visitor, field)).unwrap_or_default(),
        captcha: problem.and_then(|(p, _)| p.captcha.clone()),
        wait: problem.and_then(|(p, _)| p.wait),
        offered,
        ticket,
        next: next.to_owned(),
    }
}

/// The page that asks for a new password in the middle of a sign-in.
pub fn change(visitor: &Visitor, next: &str, why: Why, ticket: String) -> ChangePassword {
    let figures = &visitor.app.gate.store().profiles().at(visitor.now).sign_in;
    ChangePassword {
        t: visitor.text(),
        s: visitor.bare(),
        errors: vec![],
        why,
        shortest: figures.password_min.into(),
        ticket: Some(ticket),
        wait: None,
        next: next.to_owned(),
    }
}

/// Ends the session of another person that this browser still has: its cookie is about to go.
async fn leave_before(visitor: &Visitor, signed_in: &SignedIn) {
    let before = visitor.signed.as_ref().filter(|before| before.person.id != signed_in.person.id);
    if let Some(before) = before
        && let Err(error) = visitor.people().sign_out(&visitor.visit(), &before.present).await
    {
        // It ends by itself within 12 hours, and nobody has its cookie.
        tracing::warn!(error = %error, "a session before was not ended");
    }
}

/// The session begins: its cookie is new, whatever the browser brought. What has to be told comes
/// before the desk.
async fn done(visitor: &Visitor, next: &str, signed_in: &SignedIn) -> Response {
    let mut told = vec![];
    for notice in &signed_in.done.notices {
        told.push(match notice {
            Notice::PasswordDays(days) => format!("days={days}"),
            Notice::TrainingLapsed(day) => format!("trained={day}"),
            Notice::RecoveryCodes(left) => format!("codes={left}"),
        });
    }
    if signed_in.replaced.is_some() {
        told.push("replaced=yes".into());
    }
    if !helped::lately(visitor, signed_in.person.id).await.is_empty() {
        told.push("helped=yes".into());
    }
    let next = paths::back(next).unwrap_or("/");
    let mut response = if told.is_empty() {
        frame::to(next)
    } else {
        told.push(format!("next={}", paths::escaped(next)));
        frame::to(&format!("/welcome?{}", told.join("&")))
    };
    set_cookie(&mut response, Cookie::Session.set(&signed_in.cookie, visitor.secure));
    if let Some(device) = &signed_in.device_cookie {
        set_cookie(&mut response, Cookie::Device.set(device, visitor.secure));
    }
    let PersonId(person) = signed_in.person.id;
    tracing::info!(person, "signed in");
    response
}
