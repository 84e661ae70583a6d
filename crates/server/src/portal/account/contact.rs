//! Where the person is mailed, and how.

use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Response;
use dancu_domain::moment::Hours;
use dancu_domain::notices::{Ordinary, Preference};
use dancu_office::notices::contact;
use dancu_office::{Actor, Done, Refused};
use dancu_portal::notices::ContactPage;
use dancu_portal::parts::{Choice, FieldError};
use dancu_portal::text::Language;

use super::super::form::Form;
use super::super::frame::Told;
use super::super::signed::Signed;
use super::super::{frame, words};

/// What was done, by its word in the address.
const TOLD: [(&str, &str); 4] = [
    ("sent", "contact-told-sent"),
    ("confirmed", "contact-told-confirmed"),
    ("removed", "contact-told-removed"),
    ("saved", "contact-told-saved"),
];

/// `GET /account/contact`.
pub async fn show(signed: Signed, Query(told): Query<Told>) -> Response {
    page(&signed, "", vec![], told.key(&TOLD)).await
}

async fn page(
    signed: &Signed,
    typed: &str,
    errors: Vec<FieldError>,
    told: Option<&'static str>,
) -> Response {
    let store = signed.app.gate.store();
    let known = match store.notices().contact(signed.person.id).await {
        Ok(known) => known,
        Err(error) => return words::unread(signed, &error),
    };
    let t = signed.text();
    let pending = known.pending.filter(|pending| signed.now < pending.until);
    let ordinary = Ordinary::ALL.map(|choice| Choice {
        value: choice.code().to_owned(),
        label: t.get(format!("contact-ordinary-{}", choice.code())),
        chosen: choice == known.preference.ordinary,
    });
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let hours = open(&signed.app.gate.store().profiles().at(signed.now).hours);
    let body = ContactPage {
        address: known.address.unwrap_or_default(),
        pending: pending.map(|pending| pending.address).unwrap_or_default(),
        failing: known.failing.map(frame::stamp),
        typed: typed.to_owned(),
        ordinary: ordinary.into(),
        hours: hours
            .map(|hour| Choice {
                value: hour.to_string(),
                label: format!("{hour:02}:00"),
                chosen: hour == known.preference.digest_minute / 60,
            })
            .collect(),
        mails: signed.portal().mails,
        errors,
        told,
        s: signed.shell(),
        t,
    };
    frame::page_with(status, &body)
}

/// Whole hours in which the day's mail may be sent.
fn open(hours: &Hours) -> std::ops::Range<u16> {
    hours.from_minute.div_ceil(60)..hours.to_minute / 60
}

fn actor(signed: &Signed) -> Actor {
    Actor::Person(signed.person.id, signed.person.login.clone())
}

/// `POST /account/contact`: a code is mailed to the new address.
pub async fn ask(signed: Signed, form: Form) -> Response {
    let (at, by) = ((&**signed.app.gate.store(), signed.now), actor(&signed));
    let asked = contact::ask(at, &by, form.get("address")).await;
    answered(&signed, asked, "sent", form.get("address")).await
}

/// `POST /account/contact/confirm`.
pub async fn confirm(signed: Signed, form: Form) -> Response {
    let (at, by) = ((&**signed.app.gate.store(), signed.now), actor(&signed));
    let confirmed = contact::confirm(at, &by, form.get("code")).await;
    answered(&signed, confirmed, "confirmed", "").await
}

/// `POST /account/contact/remove`.
pub async fn remove(signed: Signed) -> Response {
    let (at, by) = ((&**signed.app.gate.store(), signed.now), actor(&signed));
    let removed = contact::remove(at, &by).await;
    answered(&signed, removed, "removed", "").await
}

/// `POST /account/contact/preferences`.
pub async fn prefer(signed: Signed, form: Form) -> Response {
    let hours = open(&signed.app.gate.store().profiles().at(signed.now).hours);
    let ordinary = Ordinary::ALL.into_iter().find(|o| o.code() == form.get("ordinary"));
    let hour = form.get("hour").parse::<u16>().ok().filter(|hour| hours.contains(hour));
    let Some((ordinary, hour)) = ordinary.zip(hour) else { return frame::missing(&signed) };
    let preference = Preference { ordinary, digest_minute: hour * 60 };
    let (at, by) = ((&**signed.app.gate.store(), signed.now), actor(&signed));
    let saved = contact::prefer(at, &by, preference).await;
    answered(&signed, saved, "saved", "").await
}

async fn answered(
    signed: &Signed,
    done: Result<Done, Refused>,
    told: &str,
    typed: &str,
) -> Response {
    match done {
        Ok(_) => frame::to(&format!("/account/contact?told={told}")),
        Err(Refused::Field { field, vi, en }) => {
            let sentence = if signed.lang == Language::Vietnamese { vi } else { en };
            page(signed, typed, vec![frame::wrong(field, sentence)], None).await
        }
        Err(refused) => words::failed(signed, &refused),
    }
}
