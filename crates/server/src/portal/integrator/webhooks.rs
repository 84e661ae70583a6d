//! Where a system is told of events: addresses, secrets that sign, and what was sent.

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use dancu_domain::people::powers::Power;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::registration::ConnectionState;
use dancu_domain::webhooks::{ADDRESSES_MAX, Kind, Kinds, Outcome, Policy};
use dancu_office::webhooks::{self as office, Issued};
use dancu_office::{Done, Refused};
use dancu_portal::parts::{Choice, FieldError, State as Tag};
use dancu_portal::text::Text;
use dancu_portal::webhooks::{self as page, states};
use dancu_store::webhooks::{Delivery, Ended, LISTED, State, Webhook};

use super::{Own, may};
use crate::portal::form::{self, Form};
use crate::portal::frame::Told;
use crate::portal::once::Sent;
use crate::portal::signed::Signed;
use crate::portal::{frame, words};
use crate::stop::{Handled, Stop};
use crate::webhooks::secret_text;

/// What is told as done.
const TOLD: [(&str, &str); 6] = [
    ("tested", "hook-told-tested"),
    ("paused", "hook-told-paused"),
    ("resumed", "hook-told-resumed"),
    ("removed", "hook-told-removed"),
    ("again", "hook-told-again"),
    ("made", "hook-told-made"),
];

/// The system, and to where it may be told; missing where this centre tells nobody.
async fn found(signed: &Signed, code: &str, power: Power) -> Result<(Own, Policy), Stop> {
    let Some(policy) = signed.portal().webhooks.clone() else {
        return Err(frame::missing(signed).into());
    };
    Ok((Own::find(signed, code, power).await?, policy))
}

/// An address of this system, by its number in the address of the page.
async fn one(signed: &Signed, own: &Own, id: &str) -> Result<Webhook, Stop> {
    let Ok(id) = id.parse() else { return Err(frame::missing(signed).into()) };
    match signed.app.gate.store().webhooks().by_id(id).await {
        Ok(Some(webhook)) if webhook.system == own.system.id => Ok(webhook),
        Ok(_) => Err(frame::missing(signed).into()),
        Err(error) => Err(words::unread(signed, &error).into()),
    }
}

/// `GET /integrator/{code}/webhooks`
pub(super) async fn list(
    signed: Signed,
    Path(code): Path<String>,
    Query(told): Query<Told>,
) -> Handled {
    let (own, _) = found(&signed, &code, Power::RevokeCredentials).await?;
    let every: Vec<_> = Kind::chosen().collect();
    Ok(list_of(&signed, &own, ("", &every), vec![], told.key(&TOLD)).await)
}

async fn list_of(
    signed: &Signed,
    own: &Own,
    (address, chosen): (&str, &[Kind]),
    errors: Vec<FieldError>,
    told: Option<&'static str>,
) -> Response {
    let known = match signed.app.gate.store().webhooks().of_system(own.system.id).await {
        Ok(known) => known,
        Err(error) => return words::unread(signed, &error),
    };
    let (t, manage) = (signed.text(), manages(signed, own));
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let row = |webhook: &Webhook| page::Row {
        address: shown(webhook, manage),
        state: tag(webhook),
        kinds: kinds_in_words(&t, webhook.kinds),
        since: frame::day(webhook.sealed.since),
        href: format!("/integrator/{}/webhooks/{}", own.system.code, webhook.id),
    };
    let kind = |kind: Kind| Choice {
        value: kind.code().to_owned(),
        label: in_words(&t, kind),
        chosen: chosen.contains(&kind),
    };
    let body = page::Webhooks {
        tabs: own.tabs(signed),
        errors,
        told,
        rows: known.iter().map(row).collect(),
        most: ADDRESSES_MAX as u64,
        may_add: manage && known.len() < ADDRESSES_MAX,
        address: address.to_owned(),
        kinds: Kind::chosen().map(kind).collect(),
        once: form::once(),
        s: signed.shell(),
        t,
    };
    frame::page_with(status, &body)
}

/// `POST /integrator/{code}/webhooks`
pub(super) async fn add(signed: Signed, Path(code): Path<String>, form: Form) -> Handled {
    let (own, policy) = found(&signed, &code, Power::ManageWebhooks).await?;
    let chosen: Vec<_> = form.all("kind").into_iter().filter_map(Kind::from_code).collect();
    let (acting, by) = (own.clone(), signed.clone());
    let (address, kinds) = (form.get("address").to_owned(), Kinds::of(&chosen));
    let act = async move { office::add(&acting.desk(&by), &policy, &address, kinds).await };
    Ok(match form.carry_out(&signed, act).await? {
        Sent::First(Ok((_, issued))) => secret(&signed, &own, form.get("address"), &issued),
        Sent::First(Err(refused)) => match words::refused(&signed, &refused) {
            Some(sentence) => {
                let errors = vec![frame::wrong(field_of(&refused), sentence)];
                list_of(&signed, &own, (form.get("address"), &chosen), errors, None).await
            }
            None => words::failed(&signed, &refused),
        },
        _ => frame::to(&format!("/integrator/{}/webhooks?told=made", own.system.code)),
    })
}

/// `GET /integrator/{code}/webhooks/{id}`
pub(super) async fn show(
    signed: Signed,
    Path((code, id)): Path<(String, String)>,
    Query(told): Query<Told>,
) -> Handled {
    let (own, _) = found(&signed, &code, Power::RevokeCredentials).await?;
    let webhook = one(&signed, &own, &id).await?;
    Ok(show_one(&signed, &own, &webhook, vec![], told.key(&TOLD)).await)
}

async fn show_one(
    signed: &Signed,
    own: &Own,
    webhook: &Webhook,
    errors: Vec<FieldError>,
    told: Option<&'static str>,
) -> Response {
    let sent = match signed.app.gate.store().webhooks().deliveries(webhook.id).await {
        Ok(sent) => sent,
        Err(error) => return words::unread(signed, &error),
    };
    let (t, manage) = (signed.text(), manages(signed, own));
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let before = webhook.sealed.before.as_ref().filter(|(_, until)| signed.now < *until);
    let body = page::Webhook {
        code: own.system.code.as_str().to_owned(),
        id: webhook.id.to_string(),
        errors,
        told,
        address: shown(webhook, manage),
        state: tag(webhook),
        failing: webhook.health.failing.map(frame::stamp).unwrap_or_default(),
        kinds: kinds_in_words(&t, webhook.kinds),
        since: frame::day(webhook.sealed.since),
        before: before.map(|(_, until)| frame::stamp(*until)).unwrap_or_default(),
        manage,
        in_use: webhook.state == State::InUse,
        rows: sent.iter().map(|one| delivery(&t, webhook, one)).collect(),
        listed: u64::from(LISTED),
        once: form::once(),
        s: signed.shell(),
        t,
    };
    frame::page_with(status, &body)
}

/// `POST /integrator/{code}/webhooks/{id}`
pub(super) async fn act(
    signed: Signed,
    Path((code, id)): Path<(String, String)>,
    form: Form,
) -> Handled {
    let (own, _) = found(&signed, &code, Power::ManageWebhooks).await?;
    let webhook = one(&signed, &own, &id).await?;
    let here = format!("/integrator/{}/webhooks/{}", own.system.code, webhook.id);
    let to = |told: &str| frame::to(&format!("{here}?told={told}"));
    if form.get("act") == "secret" {
        return renew(&signed, &own, &webhook, &form).await;
    }
    let (desk, id) = (own.desk(&signed), webhook.id);
    let (done, told) = match form.get("act") {
        "test" => (office::test(&desk, id).await, "tested"),
        "pause" => (office::pause(&desk, id).await, "paused"),
        "resume" => (office::resume(&desk, id).await, "resumed"),
        "again" => {
            let Ok(delivery) = form.get("delivery").parse() else {
                return Ok(frame::missing(&signed));
            };
            (office::send_again(&desk, id, delivery).await, "again")
        }
        "remove" if form.get("sure") == "yes" => {
            return Ok(match office::remove(&desk, id).await {
                Ok(_) | Err(Refused::Gone) => {
                    frame::to(&format!("/integrator/{}/webhooks?told=removed", own.system.code))
                }
                Err(refused) => words::answered(&signed, &refused),
            });
        }
        "remove" => {
            let errors = vec![frame::wrong("sure", signed.text().get("hook-remove-unsure"))];
            return Ok(show_one(&signed, &own, &webhook, errors, None).await);
        }
        _ => return Ok(frame::missing(&signed)),
    };
    Ok(match done {
        // Sent twice, the second finds it done: that is what was wanted.
        Ok(_) | Err(Refused::Gone) => to(told),
        Err(refused) => refuse(&signed, &own, &webhook, &refused).await,
    })
}

async fn renew(signed: &Signed, own: &Own, webhook: &Webhook, form: &Form) -> Handled {
    let (acting, by, id) = (own.clone(), signed.clone(), webhook.id);
    let act = async move { office::renew_secret(&acting.desk(&by), id).await };
    let made: Sent<Result<(Done, Issued), Refused>> = form.carry_out(signed, act).await?;
    Ok(match made {
        Sent::First(Ok((_, issued))) => secret(signed, own, &webhook.sealed.address, &issued),
        Sent::First(Err(refused)) => refuse(signed, own, webhook, &refused).await,
        _ => frame::to(&format!("/integrator/{}/webhooks/{id}?told=made", own.system.code)),
    })
}

async fn refuse(signed: &Signed, own: &Own, webhook: &Webhook, refused: &Refused) -> Response {
    if matches!(refused, Refused::Gone) {
        return frame::missing(signed);
    }
    match words::refused(signed, refused) {
        Some(sentence) => {
            let errors = vec![frame::wrong("test", sentence)];
            show_one(signed, own, webhook, errors, None).await
        }
        None => words::failed(signed, refused),
    }
}

fn secret(signed: &Signed, own: &Own, address: &str, issued: &Issued) -> Response {
    frame::page(&page::Secret {
        code: own.system.code.as_str().to_owned(),
        id: issued.id.to_string(),
        address: address.to_owned(),
        secret: secret_text(&issued.secret),
        before: issued.before_until.map(frame::stamp).unwrap_or_default(),
        s: signed.shell(),
        t: signed.text(),
    })
}

const fn field_of(refused: &Refused) -> &'static str {
    match refused {
        Refused::Field { field, .. } => field,
        _ => "address",
    }
}

/// A form is shown to whoever holds the power; the fresh factor is asked for when it is sent.
fn manages(signed: &Signed, own: &Own) -> bool {
    let open = own.system.state != ConnectionState::Closed;
    open && match may(signed, Power::ManageWebhooks, &own.system) {
        Ok(()) => true,
        Err(reason) => reason == PortalReason::FreshMfaNeeded,
    }
}

/// The path of an address may hold a secret of the receiver: whoever may only look sees the host.
fn shown(webhook: &Webhook, manage: bool) -> String {
    if manage { webhook.sealed.address.clone() } else { office::host(webhook) }
}

const fn tag(webhook: &Webhook) -> Tag {
    match webhook.state {
        State::InUse if webhook.health.failing.is_some() => states::FAILING,
        State::InUse => states::IN_USE,
        State::Paused => states::PAUSED,
        State::Off => states::OFF,
    }
}

fn in_words(t: &Text, kind: Kind) -> String {
    t.get(format!("hook-kind-{}", kind.code().replace('.', "-")))
}

fn kinds_in_words(t: &Text, kinds: Kinds) -> String {
    if kinds == Kinds::EVERY {
        return t.get("hook-kinds-all");
    }
    let chosen: Vec<_> = Kind::chosen().filter(|k| kinds.has(*k)).map(|k| in_words(t, k)).collect();
    match chosen.len() {
        1..=3 => chosen.join(" · "),
        many => t.with("hook-kinds-some", "count", many as u64),
    }
}

fn delivery(t: &Text, webhook: &Webhook, one: &Delivery) -> page::Delivery {
    let outcome = |outcome: Outcome| match outcome {
        Outcome::Status(status) => t.with("hook-status", "status", status.to_string()),
        Outcome::Failed(cause) => t.get(format!("hook-cause-{}", cause.code())),
    };
    let waits = one.ended.is_none() && webhook.state == State::InUse;
    let next = one.due.max(webhook.health.rest_until);
    page::Delivery {
        id: one.id.to_string(),
        what: in_words(t, one.kind),
        code: one.kind.code(),
        time: frame::stamp(one.made),
        state: match one.ended {
            Some(Ended::Delivered) => states::TAKEN,
            Some(Ended::GivenUp) => states::GIVEN_UP,
            None if one.attempts > 0 => states::AGAIN,
            None => states::WAITING,
        },
        outcome: one.last.map(|(last, ..)| outcome(last)).unwrap_or_default(),
        ms: one.last.map(|(_, ms, _)| t.num(u64::from(ms))).unwrap_or_default(),
        attempts: u64::from(one.attempts),
        next: if waits && one.attempts > 0 { frame::stamp(next) } else { String::new() },
    }
}
