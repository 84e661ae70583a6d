//! One system: its lines, the chart of the day, the off-hours total, and the locks at once.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use dancu_domain::lines::Lines;
use dancu_domain::people::powers::Power;
use dancu_domain::people::roles::Role;
use dancu_domain::registration::{ConnectionState, System};
use dancu_domain::service::Window;
use dancu_office::act::{Place, places};
use dancu_office::locks::Today;
use dancu_portal::chart::DayChart;
use dancu_portal::operator::{Lines as Page, states as desk};
use dancu_portal::parts::{FieldError, LineUse, State, states};
use dancu_portal::text::Text;

use super::{may_on, registered, store, system};
use crate::portal::hours::Day;
use crate::portal::signed::Signed;
use crate::portal::{frame, words};

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
        let lines = places(system).map(|place| line(&t, system, &place, counts, today));
        (lines.collect(), counts.off_hours_used(system.id, today.day))
    });
    let profile = store(signed).profiles().at(signed.now);
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let body = Page {
        errors,
        system: system.code.as_str().to_owned(),
        unit: system.unit.as_str().to_owned(),
        state: words::connection(system.state),
        contact,
        chart: chart(system, &day, today),
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

/// The chart of a system's day against everything that it registered.
pub fn chart(system: &System, day: &Day, today: Today) -> DayChart {
    let sum = |window: Window| {
        let of = places(system).filter(|place| place.window == window);
        of.map(|place| u64::from(place.line.limit(today.now).count)).sum()
    };
    DayChart::new(&day.used, sum(Window::InHours), sum(Window::OffHours))
}

fn line(t: &Text, system: &System, place: &Place<'_>, counts: &Lines, today: Today) -> LineUse {
    let day = counts.line_day(place.line.id, today.day);
    LineUse {
        system: system.code.as_str().to_owned(),
        service: words::service(t, place.service),
        window_key: words::window_key(place.window),
        registered: place.line.limit(today.now).count.into(),
        used: day.used.into(),
        exceedances: day.exceedances.into(),
        state: state(system, place, counts, today),
        href: format!("/operate/systems/{}", system.code.as_str()),
    }
}

/// Locked before raised before exceeded before open.
pub fn state(system: &System, place: &Place<'_>, counts: &Lines, today: Today) -> State {
    if counts.lock_in_force(system.id, place.line.id, today.now).is_some() {
        states::LOCKED
    } else if place.line.limit(today.now).count > place.line.daily {
        states::RAISED
    } else if counts.line_day(place.line.id, today.day).exceedances > 0 {
        desk::EXCEEDED
    } else {
        states::ACTIVE
    }
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
