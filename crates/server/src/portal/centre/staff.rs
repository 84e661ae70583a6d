//! Who holds which role of the centre; inviting heads and staff, ending a role (E1, E3).

use std::ops::Deref;

use axum::extract::Query;
use axum::http::StatusCode;
use dancu_access::people::Trouble;
use dancu_domain::ids::{Login, PersonalId, UnitCode};
use dancu_domain::name::FullName;
use dancu_domain::people::PersonId;
use dancu_domain::people::account::{INVITATION_MS, Phase};
use dancu_domain::people::grants::Grant;
use dancu_domain::people::may::Target;
use dancu_domain::people::powers::Power;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::roles::Role;
use dancu_domain::text::fold;
use dancu_domain::units::UnitRefusal;
use dancu_office::staff::{self, GIVEN, New, StaffDesk};
use dancu_office::units::refused as of_unit;
use dancu_office::{Refused, act};
use dancu_portal::centre::{Field, Staff, StaffRow};
use dancu_portal::parts::{Choice, FieldError, Pager, State, states};
use dancu_store::people::Person;
use serde::Deserialize;

use crate::portal::form::{self, Form};
use crate::portal::frame::{self, Told};
use crate::portal::once::Sent;
use crate::portal::operator::{actor, store};
use crate::portal::paths::escaped;
use crate::portal::signed::Signed;
use crate::portal::words;
use crate::stop::{Handled, Stop};

/// Name, login, code and last day of who was invited just now.
type Given = (String, String, String, String);

fn allowed(signed: &Signed) -> Result<(), Stop> {
    let may = signed.may(Power::ManageStaff, Target::Centre).map(drop);
    may.map_err(|reason| frame::refused(signed, reason).into())
}

/// Roles of one page: what fits on two screens.
const PAGE: usize = 50;

/// The filters, in the address; forms of the list are sent with them, so that what they answer is
/// the same part of it.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Filter {
    role: String,
    unit: String,
    page: usize,
}

impl Filter {
    /// As the query of an address.
    fn query(&self, page: usize) -> String {
        let [role, unit] = [&self.role, &self.unit].map(|text| escaped(text));
        format!("?role={role}&unit={unit}&page={page}")
    }

    fn fits(&self, signed: &Signed, person: &Person, grant: &Grant) -> bool {
        let role = self.role.is_empty() || grant.role.row().code == self.role;
        role && (self.unit.is_empty()
            || fold(&signed.unit_named(&person.unit)).contains(&fold(&self.unit)))
    }
}

/// `GET /centre/staff`
pub(super) async fn show(
    signed: Signed,
    Query(filter): Query<Filter>,
    Query(told): Query<Told>,
) -> Handled {
    let told = told.key(&[("ended", "staff-ended"), ("invited", "staff-invited")]);
    page(&signed, &filter, Said { told, ..Said::default() }, &Form::default()).await
}

/// What a page says besides the list.
#[derive(Default)]
struct Said {
    told: Option<&'static str>,
    given: Option<Given>,
    errors: Vec<FieldError>,
}

async fn page(signed: &Signed, filter: &Filter, said: Said, typed: &Form) -> Handled {
    let people = staff::list(store(signed)).await;
    let people = people.map_err(|error| Stop::from(words::unread(signed, &error)))?;
    let wrong = !said.errors.is_empty();
    let status = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let all = people.iter().flat_map(|person| {
        let grants = person.grants.all().iter().filter(|g| GIVEN.contains(&g.role));
        grants.filter(|g| filter.fits(signed, person, g)).map(move |grant| (person, grant))
    });
    let all: Vec<_> = all.collect();
    let total = all.len();
    let at = filter.page.min(total.saturating_sub(1) / PAGE);
    let rows = all.iter().skip(at * PAGE).take(PAGE);
    let to = |page| format!("/centre/staff{}", filter.query(page));
    let page = Staff {
        errors: said.errors,
        told: said.told,
        roles: roles(signed, Some("staff-any-role"), &filter.role),
        unit: filter.unit.clone(),
        query: filter.query(at),
        rows: rows.map(|(person, grant)| row(signed, person, grant)).collect(),
        pager: Pager {
            from: if total == 0 { 0 } else { at as u64 * PAGE as u64 + 1 },
            to: ((at + 1) * PAGE).min(total) as u64,
            total: total as u64,
            before: (at > 0).then(|| to(at - 1)),
            after: ((at + 1) * PAGE < total).then(|| to(at + 1)),
        },
        given: said.given,
        fields: fields(signed, typed),
        reason: typed.get("why").to_owned(),
        once: form::once(),
        s: signed.shell(),
        t: signed.text(),
    };
    Ok(frame::page_with(status, &page))
}

/// Roles that the centre gives, after the words for any.
fn roles(signed: &Signed, any: Option<&str>, chosen: &str) -> Vec<Choice> {
    let first = any.map(|key| Choice {
        value: String::new(),
        label: signed.text().get(key),
        chosen: chosen.is_empty(),
    });
    let all = GIVEN.iter().map(|role| {
        let row = role.row();
        Choice {
            value: row.code.to_owned(),
            label: signed.say(row.name_vi, row.name).to_owned(),
            chosen: chosen == row.code,
        }
    });
    first.into_iter().chain(all).collect()
}

fn row(signed: &Signed, person: &Person, grant: &Grant) -> StaffRow {
    let row = grant.role.row();
    let today = signed.today();
    let day = |day: Option<jiff::civil::Date>| day.map(frame::date).unwrap_or_default();
    let open = grant.valid.to.is_none_or(|to| to >= today);
    let standing = state(person);
    StaffRow {
        id: person.id.0.to_string(),
        name: person.name.clone(),
        login: words::login(&person.login),
        unit: signed.unit_named(&person.unit),
        role: signed.say(row.name_vi, row.name).to_owned(),
        code: row.code,
        period: format!("{} – {}", day(grant.valid.from), day(grant.valid.to)),
        state: if open { standing } else { states::OVER },
        ends: open && person.id != signed.person.id,
        again: open && matches!(person.account.phase, Phase::Invited { .. }),
    }
}

const fn state(person: &Person) -> State {
    match &person.account.phase {
        Phase::Invited { .. } => states::NEW,
        Phase::Open(stops) if stops.lock.is_some() => states::LOCKED,
        Phase::Open(_) => states::ACTIVE,
        Phase::Revoked(_) => states::REVOKED,
    }
}

fn fields(signed: &Signed, typed: &Form) -> Vec<Field> {
    let line = |id: &'static str, key, hint| Field {
        id,
        key,
        hint,
        value: typed.get(id).to_owned(),
        choices: vec![],
    };
    let role = Field {
        id: "role",
        key: "staff-role",
        hint: "",
        value: String::new(),
        choices: roles(signed, None, typed.get("role")),
    };
    vec![
        role,
        line("unit", "unit-code", "staff-unit-hint"),
        line("name", "col-name", ""),
        line("login", "col-login", "staff-login-hint"),
        line("personalId", "staff-personal-id", "staff-personal-id-hint"),
        line("phone", "unit-phone", ""),
        line("email", "staff-email", "staff-email-hint"),
        line("reason", "unit-reason", ""),
    ]
}

/// `POST /centre/staff`
pub(super) async fn invite(signed: Signed, form: Form) -> Handled {
    allowed(&signed)?;
    let filter = Filter::default();
    let new = match read(&form) {
        Ok(new) => new,
        Err(refused) => return wrong(&signed, &filter, &refused, &form, "reason").await,
    };
    let (code, phc) = given_code(&signed).await?;
    let (open, now, by) = (store(&signed).clone(), signed.now, actor(&signed));
    let (reason, asked) = (form.get("reason").to_owned(), new.clone());
    let act = async move {
        let desk = StaffDesk { store: &open, now, actor: &by, reason: act::reason(&reason)? };
        staff::invite(&desk, asked, phc).await
    };
    match form.carry_out(&signed, act).await? {
        Sent::First(Err(refused)) => wrong(&signed, &filter, &refused, &form, "reason").await,
        Sent::First(Ok(_)) => {
            let name = new.name.as_str();
            shown(&signed, &filter, (name, &new.login), code.as_str()).await
        }
        _ => Ok(frame::to("/centre/staff?told=invited")),
    }
}

/// `POST /centre/staff/invite-again`: the code of before ends with it.
pub(super) async fn invite_again(
    signed: Signed,
    Query(filter): Query<Filter>,
    form: Form,
) -> Handled {
    allowed(&signed)?;
    let Ok(person) = form.get("person").parse() else { return Ok(frame::missing(&signed)) };
    let (code, phc) = given_code(&signed).await?;
    let (open, now, by) = (store(&signed).clone(), signed.now, actor(&signed));
    let act = async move {
        let desk = StaffDesk { store: &open, now, actor: &by, reason: "" };
        staff::reinvite(&desk, PersonId(person), phc).await
    };
    match form.carry_out(&signed, act).await? {
        Sent::First(Err(refused)) => {
            wrong(&signed, &filter, &refused, &Form::default(), "why").await
        }
        Sent::First(Ok((_, person))) => {
            shown(&signed, &filter, (&person.name, &person.login), code.as_str()).await
        }
        _ => Ok(frame::to(&format!("/centre/staff{}&told=invited", filter.query(filter.page)))),
    }
}

/// A code that is handed over, and its hash.
async fn given_code(signed: &Signed) -> Result<(impl Deref<Target = String>, String), Stop> {
    match signed.people().given_password().await {
        Ok(given) => Ok(given),
        Err(Trouble::Busy) => Err(frame::refused(signed, PortalReason::Busy).into()),
        Err(error) => {
            tracing::error!(error = %error, "a password could not be made");
            Err(frame::unavailable(signed).into())
        }
    }
}

/// The page that shows a code, this once.
async fn shown(
    signed: &Signed,
    filter: &Filter,
    (name, login): (&str, &Login),
    code: &str,
) -> Handled {
    let until = frame::day(signed.now.plus_ms(INVITATION_MS));
    let given = (name.to_owned(), words::login(login), code.to_owned(), until);
    page(signed, filter, Said { given: Some(given), ..Said::default() }, &Form::default()).await
}

fn read(form: &Form) -> Result<New, Refused> {
    let field = |field, vi: &str, en: &str| Refused::Field { field, vi: vi.into(), en: en.into() };
    Ok(New {
        role: Role::from_code(form.get("role")).ok_or(PortalReason::NoPower)?,
        unit: UnitCode::parse(form.get("unit")).map_err(|_| of_unit(UnitRefusal::Unknown))?,
        name: FullName::parse(form.get("name"))
            .map_err(|_| field("name", "Nhập họ và tên.", "Type the full name."))?,
        login: Login::parse(form.get("login")).map_err(|_| {
            let vi = "Tên đăng nhập gồm 8-60 chữ cái, chữ số, dấu . _ - @ (B6).";
            field("login", vi, "A login has 8-60 letters, digits, . _ - @ (B6).")
        })?,
        personal_id: PersonalId::parse(form.get("personalId").trim()).map_err(|_| {
            let vi = "Số CCCD phải có đúng 12 chữ số (E1).";
            field("personalId", vi, "A citizen id has exactly 12 digits (E1).")
        })?,
        phone: form.get("phone").to_owned(),
        email: form.get("email").to_owned(),
    })
}

/// `POST /centre/staff/end`
pub(super) async fn end(signed: Signed, Query(filter): Query<Filter>, form: Form) -> Handled {
    allowed(&signed)?;
    let named = form
        .get("role")
        .split_once(' ')
        .and_then(|(person, role)| Some((PersonId(person.parse().ok()?), Role::from_code(role)?)));
    let Some((person, role)) = named else { return Ok(frame::missing(&signed)) };
    let by = actor(&signed);
    let done = match act::reason(form.get("why")) {
        Ok(reason) => {
            let desk = StaffDesk { store: store(&signed), now: signed.now, actor: &by, reason };
            staff::end(&desk, person, role).await
        }
        Err(refused) => Err(refused),
    };
    match done {
        Ok(_) => Ok(frame::to(&format!("/centre/staff{}&told=ended", filter.query(filter.page)))),
        Err(refused) => {
            let typed = Form::of(vec![("why".into(), form.get("why").into())]);
            wrong(&signed, &filter, &refused, &typed, "why").await
        }
    }
}

async fn wrong(
    signed: &Signed,
    filter: &Filter,
    refused: &Refused,
    typed: &Form,
    field: &'static str,
) -> Handled {
    let field = match refused {
        Refused::Gone => return Ok(frame::missing(signed)),
        Refused::Field { field: "role", .. } => "why",
        Refused::Field { field, .. } => *field,
        _ => field,
    };
    match words::refused(signed, refused) {
        Some(sentence) => {
            let errors = vec![frame::wrong(field, sentence)];
            page(signed, filter, Said { errors, ..Said::default() }, typed).await
        }
        None => Ok(words::failed(signed, refused)),
    }
}
