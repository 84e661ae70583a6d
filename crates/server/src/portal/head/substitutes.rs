//! Who stands in for whom (E3).

use axum::extract::Query;
use axum::http::StatusCode;
use dancu_domain::people::PersonId;
use dancu_domain::people::account::Standing;
use dancu_domain::people::powers::Power;
use dancu_domain::people::roles::Role;
use dancu_office::substitutes::{self, StandIn};
use dancu_portal::head::{Substitute, Substitutes};
use dancu_portal::parts::{Choice, FieldError, states};
use dancu_store::people::Person;
use jiff::civil::Date;

use super::{Unit, allowed, answered, as_errors};
use crate::portal::form::{self, Form};
use crate::portal::frame::Told;
use crate::portal::once::Sent;
use crate::portal::signed::Signed;
use crate::portal::{frame, words};
use crate::stop::{Handled, Stop};

/// What was typed.
#[derive(Default)]
struct Typed {
    absent: String,
    substitute: String,
    from: String,
    to: String,
}

/// `GET /unit/substitutes`.
pub(super) async fn show(signed: Signed, Query(told): Query<Told>) -> Handled {
    let unit = allowed(&signed, Power::ManageOfficers).await?;
    let told = told
        .key(&[("appointed", "substitutes-told-appointed"), ("ended", "substitutes-told-ended")]);
    let page = page(&signed, &unit, &Typed::default(), vec![]).await?;
    Ok(frame::page(&Substitutes { told, ..page }))
}

/// `POST /unit/substitutes`.
pub(super) async fn appoint(signed: Signed, form: Form) -> Handled {
    let unit = allowed(&signed, Power::AppointSubstitute).await?;
    let typed = Typed {
        absent: form.get("absent").to_owned(),
        substitute: form.get("substitute").to_owned(),
        from: form.get("from").to_owned(),
        to: form.get("to").to_owned(),
    };
    let errors = match read(&signed, &typed) {
        Err(errors) => errors,
        Ok((absent, substitute, days)) => {
            let appointing = unit.clone();
            let act = async move {
                substitutes::appoint(&appointing.desk(), absent, substitute, days).await
            };
            match form.carry_out(&signed, act).await? {
                Sent::First(Err(refused)) => as_errors(&signed, &refused, "substitute")?,
                _ => return Ok(frame::to("/unit/substitutes?told=appointed")),
            }
        }
    };
    let page = page(&signed, &unit, &typed, errors).await?;
    Ok(frame::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

type Read = (PersonId, PersonId, (Date, Date));

fn read(signed: &Signed, typed: &Typed) -> Result<Read, Vec<FieldError>> {
    let t = signed.text();
    let mut errors = vec![];
    let mut day = |field, text: &str| {
        let day = frame::parse_day(text);
        if day.is_none() {
            errors.push(frame::wrong(field, t.get("raise-date-wrong")));
        }
        day
    };
    let (from, to) = (day("from", &typed.from), day("to", &typed.to));
    let person = |text: &str| text.parse().ok().map(PersonId);
    match (person(&typed.absent), person(&typed.substitute), from, to) {
        (Some(absent), Some(substitute), Some(from), Some(to)) => {
            Ok((absent, substitute, (from, to)))
        }
        (Some(_), Some(_), ..) => Err(errors),
        _ => {
            errors.push(frame::wrong("absent", t.get("substitutes-choose")));
            Err(errors)
        }
    }
}

/// `POST /unit/substitutes/end`.
pub(super) async fn end(signed: Signed, form: Form) -> Handled {
    let unit = allowed(&signed, Power::AppointSubstitute).await?;
    let Some((substitute, absent, began)) = named(form.get("substitute")) else {
        return Ok(frame::missing(&signed));
    };
    Ok(match substitutes::end(&unit.desk(), substitute, absent, began).await {
        Ok(_) => frame::to("/unit/substitutes?told=ended"),
        Err(refused) => answered(&signed, &refused),
    })
}

/// `7.3.2026-11-25`: who stands in, for whom, since when.
fn named(text: &str) -> Option<(PersonId, PersonId, Date)> {
    let mut parts = text.split('.');
    let mut number = || parts.next()?.parse().ok().map(PersonId);
    let (substitute, absent) = (number()?, number()?);
    Some((substitute, absent, parts.next()?.parse().ok()?))
}

async fn page(
    signed: &Signed,
    unit: &Unit,
    typed: &Typed,
    errors: Vec<FieldError>,
) -> Result<Substitutes, Stop> {
    let people = unit.store.people().of_unit(&unit.code).await;
    let people = people.map_err(|error| Stop::from(words::unread(signed, &error)))?;
    let today = signed.today();
    let profile = unit.store.profiles().at(signed.now);
    let own = |role: Role, p: &Person| {
        p.grants.on(today).any(|g| g.role == role && g.in_place_of.is_none())
    };
    let stands = |p: &&Person| p.account.standing(signed.now, profile) == Standing::Active;
    let works = |p: &&Person| own(Role::Officer, p) || own(Role::Head, p);
    Ok(Substitutes {
        t: signed.text(),
        s: signed.shell(),
        errors,
        rows: substitutes::of(&people, today).iter().map(|s| row(&people, s, today)).collect(),
        absent: choices(
            people.iter().filter(works).filter(|p| !substitutes::is_gone(p)),
            &typed.absent,
        ),
        substitutes: choices(people.iter().filter(works).filter(stands), &typed.substitute),
        from: typed.from.clone(),
        to: typed.to.clone(),
        once: form::once(),
        told: None,
    })
}

fn choices<'a>(people: impl Iterator<Item = &'a Person>, chosen: &str) -> Vec<Choice> {
    let choice = |p: &Person| {
        let value = p.id.0.to_string();
        Choice { label: p.name.clone(), chosen: value == chosen, value }
    };
    people.map(choice).collect()
}

fn row(people: &[Person], stand_in: &StandIn, today: Date) -> Substitute {
    let name = |id: PersonId| {
        people.iter().find(|p| p.id == id).map_or_else(String::new, |p| p.name.clone())
    };
    let open = stand_in.to >= today;
    let state = match (open, stand_in.from <= today) {
        (false, _) => states::OVER,
        (true, true) => states::ACTIVE,
        (true, false) => states::WAITING,
    };
    let (from, to) = (stand_in.from, stand_in.to);
    Substitute {
        substitute: name(stand_in.substitute),
        absent: name(stand_in.absent),
        period: format!("{} – {}", frame::date(from), frame::date(to)),
        state,
        open,
        id: format!("{}.{}.{from}", stand_in.substitute.0, stand_in.absent.0),
    }
}
