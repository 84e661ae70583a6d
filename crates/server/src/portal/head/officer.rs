//! One officer: added, looked at, changed.

use std::sync::Arc;

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use dancu_domain::ids::PersonalId;
use dancu_domain::people::powers::Power;
use dancu_domain::registration::System;
use dancu_domain::service::ServiceSet;
use dancu_office::officers::{self, New, Officer, Who, check};
use dancu_papers::sheet::{Column, Raw};
use dancu_portal::head::OfficerPage;
use dancu_portal::parts::{FieldError, states};
use serde::Deserialize;

use super::{
    Unit, access, allowed, answered, as_errors, centre, say, services, system_choices, ticked,
    usual, ways,
};
use crate::portal::form::{self, Form};
use crate::portal::frame::Told;
use crate::portal::once::Sent;
use crate::portal::signed::Signed;
use crate::portal::{frame, words};
use crate::stop::{Handled, Stop};

/// What is told as done.
const DONE: [(&str, &str); 6] = [
    ("changed", "officer-told-changed"),
    ("suspendedInvited", "officer-told-suspended-invited"),
    ("resumed", "officer-told-resumed"),
    ("reenabled", "officer-told-reenabled"),
    ("vouched", "officer-told-vouched"),
    ("trained", "officer-told-trained"),
];
/// What is told as done in part: somebody else goes on with it, or the head does.
const PARTLY: [(&str, &str); 4] = [
    ("resumedCentre", "officer-told-resumed-centre"),
    ("resumedLocked", "officer-told-resumed-locked"),
    ("resumedHeld", "officer-told-resumed-held"),
    ("given", "officer-told-given"),
];

/// What stands in the form: as it was typed, or as it is stored.
pub(super) struct Typed {
    raw: Raw,
    services: ServiceSet,
    invite: bool,
    email: String,
    act: String,
    reason: String,
    trained: String,
}

impl Typed {
    fn of(form: &Form) -> Self {
        let raw = Column::ALL
            .into_iter()
            .fold(Raw::default(), |raw, column| raw.with(column, form.get(column.field())));
        Self {
            raw,
            services: ticked(form),
            invite: form.has("invite"),
            email: form.get("email").to_owned(),
            act: form.get("act").to_owned(),
            reason: form.raw("reason").to_owned(),
            trained: String::new(),
        }
    }

    fn stored(officer: &Officer) -> Self {
        let account = officer.listed.as_ref().map(|k| &k.account);
        let phone = officer.listed.as_ref().map(|k| k.phone.clone()).unwrap_or_default();
        let code = account.and_then(|a| a.officer_code.as_ref()).map_or("", |c| c.as_str());
        let raw = Raw::default()
            .with(Column::Login, officer.login())
            .with(Column::Name, officer.name())
            .with(Column::PersonalId, masked(account.and_then(|a| a.citizen_id)))
            .with(Column::OfficerCode, code)
            .with(Column::Phone, phone)
            .with(Column::Daily, account.map(|a| a.daily.to_string()).unwrap_or_default());
        Self {
            raw,
            services: account.map(|a| a.services).unwrap_or_default(),
            invite: false,
            email: String::new(),
            act: String::new(),
            reason: String::new(),
            trained: String::new(),
        }
    }

    /// What was typed for an act, over what is stored.
    pub(super) fn acting(officer: &Officer, form: &Form) -> Self {
        Self {
            act: form.get("act").to_owned(),
            reason: form.raw("reason").to_owned(),
            trained: form.get("trained").to_owned(),
            ..Self::stored(officer)
        }
    }
}

/// The citizen id is shown masked; left as it is shown, it stays as it is stored.
fn unmasked(raw: Raw, officer: &Officer) -> Raw {
    let stored = officer.listed.as_ref().and_then(|k| k.account.citizen_id);
    if raw.get(Column::PersonalId) == masked(stored) {
        raw.with(Column::PersonalId, "")
    } else {
        raw
    }
}

/// As it is shown; empty where there is none.
fn masked(id: Option<PersonalId>) -> String {
    id.map(words::personal_id).unwrap_or_default()
}

/// On which system's list, in the address.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Which {
    system: String,
}

/// `GET /unit/officers/new`; a unit with several systems first says which one.
pub(super) async fn new(signed: Signed, Query(which): Query<Which>) -> Handled {
    let unit = allowed(&signed, Power::ManageOfficers).await?;
    let system = unit.system(&which.system);
    if system.is_none() && !which.system.is_empty() {
        return Ok(frame::missing(&signed));
    }
    let typed = Typed {
        raw: Raw::default(),
        services: usual(),
        invite: true,
        email: String::new(),
        act: String::new(),
        reason: String::new(),
        trained: String::new(),
    };
    Ok(frame::page(&new_page(&signed, &unit, system.as_ref(), &typed, vec![])))
}

/// `POST /unit/officers/new`.
pub(super) async fn add(signed: Signed, form: Form) -> Handled {
    let unit = allowed(&signed, Power::ManageOfficers).await?;
    let typed = Typed::of(&form);
    let Some(system) = unit.system(form.get("system")) else { return Ok(frame::missing(&signed)) };
    let wrong = |errors| {
        let page = new_page(&signed, &unit, Some(&system), &typed, errors);
        frame::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
    };
    let logins = unit.store.profiles().at(signed.now).accounts.logins();
    if let Err(faults) = check::read(&typed.raw, &logins) {
        return Ok(wrong(beside(&signed, faults)));
    }
    let (password, phc) = access::given(&signed, typed.invite).await?;
    let (desk, id, raw, services) = (unit.clone(), system.id, typed.raw.clone(), typed.services);
    let email = typed.email.clone();
    let act = async move {
        let new = New { system: id, raw: &raw, services, invited: phc, email: &email };
        officers::add(&desk.desk(), new).await
    };
    let added = match form.carry_out(&signed, act).await? {
        Sent::First(Ok((_, added))) => added,
        Sent::First(Err(refused)) => {
            return Ok(wrong(as_errors(&signed, &refused, "login")?));
        }
        // The password was shown on the page that got lost.
        _ if typed.invite => return Ok(frame::to("/unit/officers?told=invited")),
        _ => return Ok(frame::to("/unit/officers?told=added")),
    };
    Ok(match (added.invited, password) {
        (Some(_), Some(password)) => {
            let who = Who::Account(added.account);
            let (name, login) = (typed.raw.get(Column::Name), typed.raw.get(Column::Login));
            access::shown(&signed, who, (name, login), &password, true)
        }
        _ => frame::to("/unit/officers?told=added"),
    })
}

/// `GET /unit/officers/{who}`.
pub(super) async fn show(
    signed: Signed,
    Path(who): Path<String>,
    Query(told): Query<Told>,
) -> Handled {
    let (_, officer) = found(&signed, &who, Power::ManageOfficers).await?;
    let typed = Typed::stored(&officer);
    let page = one_page(&signed, &officer, &typed, vec![], told.key(&DONE)).await;
    Ok(frame::page(&OfficerPage { partly: told.key(&PARTLY), ..page }))
}

/// `POST /unit/officers/{who}`.
pub(super) async fn change(signed: Signed, Path(who): Path<String>, form: Form) -> Handled {
    let (unit, officer) = found(&signed, &who, Power::ManageOfficers).await?;
    let Some(listed) = &officer.listed else { return Ok(frame::missing(&signed)) };
    let typed = Typed::of(&form);
    let login = listed.account.login.as_str();
    let typed = Typed { raw: typed.raw.clone().with(Column::Login, login), ..typed };
    let wrong = async |errors| {
        let page = one_page(&signed, &officer, &typed, errors, None).await;
        frame::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
    };
    let raw = unmasked(typed.raw.clone(), &officer);
    let logins = unit.store.profiles().at(signed.now).accounts.logins();
    if let Err(faults) = check::read(&raw, &logins) {
        return Ok(wrong(beside(&signed, faults)).await);
    }
    Ok(match officers::change(&unit.desk(), listed.account.id, &raw, typed.services).await {
        Ok(_) => frame::to(&format!("/unit/officers/{}?told=changed", officer.who)),
        Err(refused) => wrong(as_errors(&signed, &refused, "name")?).await,
    })
}

/// The officer of an address, where they belong to the unit.
///
/// # Errors
/// The page that answers instead.
pub(super) async fn found(
    signed: &Signed,
    who: &str,
    power: Power,
) -> Result<(Unit, Officer), Stop> {
    let unit = allowed(signed, power).await?;
    let Some(who) = Who::parse(who) else { return Err(frame::missing(signed).into()) };
    match officers::one(&unit.desk(), who).await {
        Ok(Some(officer)) => Ok((unit, officer)),
        Ok(None) => Err(frame::missing(signed).into()),
        Err(refused) => Err(answered(signed, &refused).into()),
    }
}

/// Faults as errors beside their fields.
fn beside(signed: &Signed, faults: check::Faults) -> Vec<FieldError> {
    let error = |(column, wrong): (Column, check::Wrong)| {
        frame::wrong(column.field(), say(signed.lang, wrong.sentence()))
    };
    faults.into_iter().map(error).collect()
}

fn new_page(
    signed: &Signed,
    unit: &Unit,
    system: Option<&Arc<System>>,
    typed: &Typed,
    errors: Vec<FieldError>,
) -> OfficerPage {
    let chosen = system.map_or(0, |s| s.id.0);
    let t = signed.text();
    let list = system.map(|s| services(&t, s, typed.services)).unwrap_or_default();
    let base = blank(signed, typed, errors);
    OfficerPage {
        action: "/unit/officers/new".into(),
        systems: system_choices(&unit.systems(), chosen),
        services: list,
        invite: typed.invite,
        email: typed.email.clone(),
        ..base
    }
}

/// The page of one officer.
pub(super) async fn one_page(
    signed: &Signed,
    officer: &Officer,
    typed: &Typed,
    errors: Vec<FieldError>,
    told: Option<&'static str>,
) -> OfficerPage {
    let t = signed.text();
    let system = officer.system.as_ref();
    let base = blank(signed, typed, errors);
    // Nobody stops or lets in themselves (E2, E3): what would be refused is not offered.
    let own = officer.person.as_ref().is_some_and(|person| person.id == signed.person.id);
    OfficerPage {
        action: format!("/unit/officers/{}", officer.who),
        existing: true,
        listed: officer.listed.is_some() && officer.state != officers::State::Revoked,
        state: ways::state(officer.state),
        name: officer.name().to_owned(),
        login: officer.login().to_owned(),
        systems: system
            .map(|s| system_choices(std::slice::from_ref(s), s.id.0))
            .unwrap_or_default(),
        services: system.map(|s| services(&t, s, typed.services)).unwrap_or_default(),
        acts: if own { vec![] } else { ways::acts(&t, officer, &typed.act) },
        ways: if own { vec![] } else { ways::back(&t, officer) },
        training: ways::training(signed, officer, &typed.trained),
        centre: centre::last(signed, officer).await,
        mail_fails: mail_fails(signed, officer).await,
        told,
        ..base
    }
}

/// Since when mail to the officer comes back; a page without it is better than none.
async fn mail_fails(signed: &Signed, officer: &Officer) -> String {
    let Some(person) = &officer.person else { return String::new() };
    let contact = signed.app.gate.store().notices().contact(person.id).await;
    contact.ok().and_then(|c| c.failing).map(frame::stamp).unwrap_or_default()
}

fn blank(signed: &Signed, typed: &Typed, errors: Vec<FieldError>) -> OfficerPage {
    let value = |column| typed.raw.get(column).to_owned();
    OfficerPage {
        t: signed.text(),
        s: signed.shell(),
        errors,
        action: String::new(),
        existing: false,
        listed: true,
        state: states::NEW,
        name: value(Column::Name),
        login: value(Column::Login),
        personal_id: value(Column::PersonalId),
        phone: value(Column::Phone),
        daily: value(Column::Daily),
        officer_code: value(Column::OfficerCode),
        systems: vec![],
        services: vec![],
        invite: false,
        email: String::new(),
        acts: vec![],
        reason: typed.reason.clone(),
        ways: vec![],
        training: None,
        centre: None,
        mail_fails: String::new(),
        told: None,
        partly: None,
        once: form::once(),
    }
}
