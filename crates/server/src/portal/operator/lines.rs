//! One system: its lines, the chart of the day, the off-hours total, and the locks at once.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use dancu_domain::people::powers::Power;
use dancu_domain::people::roles::Role;
use dancu_domain::registration::{ConnectionState, System};
use dancu_office::act::places;
use dancu_office::locks::Today;
use dancu_portal::operator::Lines as Page;
use dancu_portal::parts::FieldError;

use super::{may_on, registered, store, system};
use crate::portal::signed::Signed;
use crate::portal::{frame, line_use, words};

/// `GET /operate/systems/{code}`
pub async fn show(signed: Signed, Path(code): Path<String>) -> Response {
    page(&signed, &code, Typed::default(), vec![]).await
}

/// What was typed into the form that locks.
#[derive(Default)]
pub struct Typed {
    /// Login.
    pub login: String,
    /// Reason.
    pub reason: String,
}

/// The page, with what is wrong with a lock.
pub async fn page(signed: &Signed, code: &str, typed: Typed, errors: Vec<FieldError>) -> Response {
    let snapshot = match registered(signed).await {
        Ok(snapshot) => snapshot,
        Err(error) => return words::unread(signed, &error),
    };
    let Some(system) = system(&snapshot, code) else { return frame::missing(signed) };
    if !may_on(signed, Power::ManageSystems, system) {
        return frame::missing(signed);
    }
    let day = signed.portal().hours.of(store(signed), signed.now, &[system.id]).await;
    let contact = heads(signed, system).await;
    let (day, contact) = match (day, contact) {
        (Ok(days), Ok(contact)) => (days.first().copied(), contact),
        (Err(error), _) | (_, Err(error)) => return words::unread(signed, &error),
    };
    let Some(day) = day else { return frame::missing(signed) };
    let (t, today) = (signed.text(), Today::of(store(signed), signed.now));
    let (lines, night_used) = store(signed).ledger().lines(|counts| {
        let lines = places(system).map(|place| line_use::today(&t, system, &place, counts, today));
        (lines.collect(), counts.off_hours_used(system.id, today.day))
    });
    let profile = store(signed).profiles().at(signed.now);
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let body = Page {
        errors,
        system: system.code.as_str().to_owned(),
        unit: signed.unit_named(&system.unit),
        state: words::connection(system.state),
        contact,
        chart: line_use::chart(system, &day.used, (today.now, &profile.hours), false),
        until: day.until.map(frame::time),
        lines,
        night_used: night_used.into(),
        night_cap: profile.counts.off_hours_cap.into(),
        may_lock: may_on(signed, Power::LockAccounts, system),
        live: system.state == ConnectionState::Live,
        login: typed.login,
        reason: typed.reason,
        s: signed.shell(),
        t,
    };
    frame::page_with(status, &body)
}

/// The heads of a system's unit with their phones, as running text.
pub async fn heads(signed: &Signed, system: &System) -> dancu_store::Result<String> {
    let people = store(signed).people().leaders_of(&system.unit).await?;
    let today = signed.today();
    let heads = people.iter().filter(|person| {
        person.grants.on(today).any(|grant| matches!(grant.role, Role::Head | Role::Deputy))
    });
    let told: Vec<String> = heads
        .map(|person| match person.phone.as_str() {
            "" => person.name.clone(),
            phone => format!("{} – {phone}", person.name),
        })
        .collect();
    Ok(told.join("; "))
}
