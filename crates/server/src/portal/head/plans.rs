//! Job plans of the unit: announced, followed, withdrawn, ended early (D5). Heads and who looks
//! after the unit's systems.

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use dancu_domain::ids::Login;
use dancu_domain::moment::Hours;
use dancu_domain::name::FullName;
use dancu_domain::people::may::Ground;
use dancu_domain::people::powers::Power;
use dancu_domain::plans::{ClockRange, Contact, Standing, Terms};
use dancu_domain::registration::System;
use dancu_domain::service::Window;
use dancu_office::{Refused, act, plans as office};
use dancu_portal::parts::{Choice, FieldError};
use dancu_portal::plans::{Acts, PlanForm, Plans, Stop, Strip, Typed, WindowField};
use dancu_store::desks::Filed;

use super::{Unit, allowed, answered, as_errors, services, system_choices, ticked};
use crate::portal::form::{self, Form};
use crate::portal::frame::Told;
use crate::portal::once::Sent;
use crate::portal::plan_view::{self, Around, SentForm, clock};
use crate::portal::signed::Signed;
use crate::portal::{frame, words};
use crate::stop::Handled;

const LIST: &str = "/unit/plans";
/// The windows of the form: name of their fields.
const WINDOWS: [(Window, &str); 2] = [(Window::InHours, "in"), (Window::OffHours, "off")];

/// `GET /unit/plans`.
pub(super) async fn list(signed: Signed, Query(told): Query<Told>) -> Handled {
    let unit = allowed(&signed, Power::AnnounceJobPlan).await?;
    let all = match office::of_unit(&unit.desk()).await {
        Ok(all) => all,
        Err(refused) => return Ok(answered(&signed, &refused)),
    };
    let row = |filed: &Filed| plan_view::row(&signed, &unit.snapshot, filed, LIST);
    let (waiting, others): (Vec<_>, Vec<_>) =
        all.iter().partition(|filed| waits(standing(&signed, filed)));
    Ok(frame::page(&Plans {
        waiting: waiting.into_iter().map(row).collect(),
        others: others.into_iter().map(row).collect(),
        centre: false,
        told: told.key(&[("announced", "plans-told-announced")]),
        s: signed.shell(),
        t: signed.text(),
    }))
}

fn standing(signed: &Signed, filed: &Filed) -> Standing {
    let hours = &signed.app.gate.store().profiles().at(signed.now).hours;
    filed.plan.standing(hours, signed.now)
}

const fn waits(standing: Standing) -> bool {
    matches!(standing, Standing::Announced | Standing::Acknowledged)
}

/// `GET /unit/plans/{id}`.
pub(super) async fn show(signed: Signed, Path(id): Path<i64>, Query(told): Query<Told>) -> Handled {
    let unit = allowed(&signed, Power::AnnounceJobPlan).await?;
    let told = told.key(&[("withdrawn", "plans-told-withdrawn"), ("ended", "plans-told-ended")]);
    page(&signed, &unit, id, told, vec![], "").await
}

async fn page(
    signed: &Signed,
    unit: &Unit,
    id: i64,
    told: Option<&'static str>,
    errors: Vec<FieldError>,
    reason: &str,
) -> Handled {
    let Some(filed) = own(signed, unit, id).await? else { return Ok(frame::missing(signed)) };
    let stands = standing(signed, &filed);
    let stop = match stands {
        _ if waits(stands) => Some(Stop::Withdraw),
        Standing::Agreed | Standing::Running => Some(Stop::End),
        _ => None,
    };
    let acts = Acts { stop, ..Acts::default() };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let form = if errors.is_empty() { "" } else { "end" };
    let sent = SentForm { form, reason: reason.to_owned(), ..SentForm::default() };
    let around = Around { list: LIST, acts, told, errors, sent };
    Ok(match plan_view::page(signed, &unit.snapshot, &filed, around).await {
        Ok(page) => frame::page_with(status, &page),
        Err(refused) => answered(signed, &refused),
    })
}

/// A plan of the unit. Those of others are told like those that are not there.
async fn own(signed: &Signed, unit: &Unit, id: i64) -> Result<Option<Filed>, crate::stop::Stop> {
    let found = unit.store.desks().job_plan(id).await;
    let found = found.map_err(|error| words::unread(signed, &error))?;
    let of_unit = |filed: &Filed| {
        let system = unit.snapshot.by_id(filed.plan.terms.system);
        system.is_some_and(|system| system.unit == unit.code)
    };
    Ok(found.filter(of_unit))
}

/// `POST /unit/plans/{id}/end`: taken back, or ended early.
pub(super) async fn end(signed: Signed, Path(id): Path<i64>, form: Form) -> Handled {
    let unit = allowed(&signed, Power::AnnounceJobPlan).await?;
    let Some(filed) = own(&signed, &unit, id).await? else { return Ok(frame::missing(&signed)) };
    let Ok(reason) = act::reason(form.get("reason")) else {
        let sentence = signed.text().get("reason-missing");
        return page(&signed, &unit, id, None, vec![frame::wrong("reason", sentence)], "").await;
    };
    let told = if waits(standing(&signed, &filed)) { "withdrawn" } else { "ended" };
    match office::give_up(&unit.desk(), id, reason).await {
        Ok(_) => Ok(frame::to(&format!("{LIST}/{id}?told={told}"))),
        Err(refused) => {
            let errors = as_errors(&signed, &refused, "reason")?;
            page(&signed, &unit, id, None, errors, reason).await
        }
    }
}

/// `GET /unit/plans/new`: tomorrow, in hours, by who asks.
pub(super) async fn form(signed: Signed) -> Handled {
    let unit = allowed(&signed, Power::AnnounceJobPlan).await?;
    let hours = &unit.store.profiles().at(signed.now).hours;
    let tomorrow = signed.today().tomorrow().unwrap_or_else(|_| signed.today());
    let mut fields = vec![("window", "off".to_owned())];
    for (window, from, to) in
        [(Window::InHours, "inFrom", "inTo"), (Window::OffHours, "offFrom", "offTo")]
    {
        let whole = ClockRange::of_window(hours, window).clock(hours);
        fields.extend([(from, clock(whole.0)), (to, clock(whole.1))]);
    }
    fields.extend([
        ("from", frame::date(tomorrow)),
        ("to", frame::date(tomorrow)),
        ("contact", signed.person.name.clone()),
        ("phone", signed.person.phone.clone()),
    ]);
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
    form_page(&signed, &unit, &Form::of(fields.collect()), vec![], StatusCode::OK).await
}

/// `POST /unit/plans`: announces, or shows the room that is left.
pub(super) async fn announce(signed: Signed, form: Form) -> Handled {
    let unit = allowed(&signed, Power::AnnounceJobPlan).await?;
    if form.get("act") == "look" {
        return form_page(&signed, &unit, &form, vec![], StatusCode::OK).await;
    }
    let wrong = StatusCode::UNPROCESSABLE_ENTITY;
    let terms = match read(&signed, &unit, &form) {
        Ok(terms) => terms,
        Err(errors) => return form_page(&signed, &unit, &form, errors, wrong).await,
    };
    let asking = unit.clone();
    let act = async move { office::announce(&asking.desk(), terms).await };
    match form.carry_out(&signed, act).await? {
        Sent::First(Err(refused)) => {
            let errors = as_errors(&signed, &refused, "services")?;
            form_page(&signed, &unit, &form, errors, wrong).await
        }
        _ => Ok(frame::to("/unit/plans?told=announced")),
    }
}

fn system(unit: &Unit, form: &Form) -> Option<std::sync::Arc<System>> {
    unit.system(form.get("system"))
}

fn read(signed: &Signed, unit: &Unit, form: &Form) -> Result<Terms, Vec<FieldError>> {
    let t = signed.text();
    let profile = unit.store.profiles().at(signed.now);
    let mut errors = vec![];
    let mut or = |field, sentence: String| errors.push(frame::wrong(field, sentence));
    let system = system(unit, form);
    if system.is_none() {
        or("system", t.get("planform-system-wrong"));
    }
    let hours = read_hours(&profile.hours, form);
    if hours.is_none() {
        or("hours", t.get("planform-clock-wrong"));
    }
    let mut day = |field: &'static str| {
        let day = frame::parse_day(form.get(field));
        if day.is_none() {
            or(field, t.get("raise-date-wrong"));
        }
        day
    };
    let (from, to) = (day("from"), day("to"));
    let daily = read_count(form);
    if daily.is_none() {
        or("daily", t.get("planform-daily-wrong"));
    }
    let logins = profile.accounts.logins();
    let account = Login::parse(form.get("account")).ok();
    let account = account.filter(|login| logins.contains(&login.as_str().chars().count()));
    if account.is_none() {
        let (min, max) = (logins.start(), logins.end());
        or("account", t.with_two("planform-account-wrong", "min", min, "max", max));
    }
    let name = FullName::parse(form.get("contact")).ok();
    let contact = name.clone().and_then(|name| Contact::new(name, form.get("phone")));
    if name.is_none() {
        or("contact", t.get("planform-contact-wrong"));
    } else if contact.is_none() {
        or("phone", t.get("planform-phone-wrong"));
    }
    let mut stated = |field: &'static str| {
        let stated = Ground::parse(form.raw(field)).ok();
        if stated.is_none() {
            or(field, t.get("planform-text-wrong"));
        }
        stated
    };
    let (purpose, reason) = (stated("purpose"), stated("reason"));
    let read = || {
        Some(Terms {
            system: system?.id,
            services: ticked(form),
            hours: hours?,
            from: from?,
            to: to?,
            daily: daily?,
            own_count: form.has("own"),
            account: account?,
            contact: contact?,
            purpose: purpose?,
            reason: reason?,
        })
    };
    read().ok_or(errors)
}

fn read_count(form: &Form) -> Option<u32> {
    form.get("daily").replace(['.', ' '], "").parse().ok().filter(|n| *n > 0)
}

/// The hours of the windows that are ticked; none where one is malformed or lies outside.
fn read_hours(hours: &Hours, form: &Form) -> Option<[Option<ClockRange>; 2]> {
    let mut read = [None; 2];
    for (window, name) in WINDOWS {
        if !form.all("window").contains(&name) {
            continue;
        }
        let at = |end: &str| minutes(form.get(&format!("{name}{end}")));
        let range = ClockRange::of_clock(hours, window, (at("From")?, at("To")?))?;
        read[window as usize] = Some(range);
    }
    Some(read)
}

/// Reads `HH:MM`.
fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once([':', 'h'])?;
    let part = |text: &str, below: u16| {
        let digits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u16>().ok().filter(|n| digits && *n < below)
    };
    Some(part(hour, 24)? * 60 + part(minute, 60)?)
}

async fn form_page(
    signed: &Signed,
    unit: &Unit,
    form: &Form,
    errors: Vec<FieldError>,
    status: StatusCode,
) -> Handled {
    let t = signed.text();
    let strip = match room(signed, unit, form).await {
        Ok(strip) => strip,
        Err(refused) => return Ok(answered(signed, &refused)),
    };
    let raw = |name: &str| form.raw(name).to_owned();
    let chosen = system(unit, form).map_or(0, |system| system.id.0);
    Ok(frame::page_with(
        status,
        &PlanForm {
            systems: system_choices(&unit.systems(), chosen),
            services: choices(signed, unit, form),
            windows: WINDOWS
                .into_iter()
                .map(|(window, name)| WindowField {
                    key: words::window_key(window),
                    name,
                    chosen: form.all("window").contains(&name),
                    from: raw(&format!("{name}From")),
                    to: raw(&format!("{name}To")),
                })
                .collect(),
            own_count: form.has("own"),
            cap: unit.store.profiles().at(signed.now).counts.off_hours_cap.into(),
            typed: Typed {
                from: raw("from"),
                to: raw("to"),
                daily: raw("daily"),
                account: raw("account"),
                contact: raw("contact"),
                phone: raw("phone"),
                purpose: raw("purpose"),
                reason: raw("reason"),
            },
            strip,
            errors,
            once: form::once(),
            s: signed.shell(),
            t,
        },
    ))
}

/// Services that any system of the unit is registered for.
fn choices(signed: &Signed, unit: &Unit, form: &Form) -> Vec<Choice> {
    let mut all: Vec<Choice> = vec![];
    for system in unit.systems() {
        for choice in services(&signed.text(), &system, ticked(form)) {
            if all.iter().all(|known| known.value != choice.value) {
                all.push(choice);
            }
        }
    }
    all
}

/// The strip of what was typed as far as it can be read: what is missing takes nothing.
async fn room(signed: &Signed, unit: &Unit, form: &Form) -> Result<Strip, Refused> {
    let open = office::all_open(&unit.store, signed.now).await?;
    let hours = &unit.store.profiles().at(signed.now).hours;
    let day = |name| frame::parse_day(form.get(name)).unwrap_or_else(|| signed.today());
    let ranges = read_hours(hours, form).unwrap_or_default();
    let daily = read_count(form).unwrap_or(0);
    let days = (day("from"), day("to"));
    Ok(plan_view::strip(
        signed,
        office::taken(days, &open, 0),
        dancu_domain::plans::load(&ranges, daily),
    ))
}

#[cfg(test)]
mod tests {
    use super::minutes;

    #[test]
    fn clocks_are_read() {
        assert_eq!((minutes("7:05"), minutes("22h30")), (Some(425), Some(1_350)));
        for wrong in ["", "7", "24:00", "07:60", "+7:00", "007:00"] {
            assert_eq!(minutes(wrong), None, "{wrong}");
        }
    }
}
