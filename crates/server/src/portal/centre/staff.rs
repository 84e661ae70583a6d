//! Who holds which role of the centre; inviting heads and staff, ending a role (E1, E3).

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
use dancu_domain::units::UnitRefusal;
use dancu_office::staff::{self, GIVEN, New, StaffDesk};
use dancu_office::units::refused as of_unit;
use dancu_office::{Refused, act};
use dancu_portal::centre::{Field, Staff, StaffRow};
use dancu_portal::parts::{Choice, FieldError, State, states};
use dancu_store::people::Person;

use crate::portal::form::{self, Form};
use crate::portal::frame::{self, Told};
use crate::portal::once::Sent;
use crate::portal::operator::{actor, store};
use crate::portal::signed::Signed;
use crate::portal::words;
use crate::stop::{Handled, Stop};

/// Name, login, code and last day of who was invited just now.
type Given = (String, String, String, String);

fn allowed(signed: &Signed) -> Result<(), Stop> {
    let may = signed.may(Power::ManageStaff, Target::Centre).map(drop);
    may.map_err(|reason| frame::refused(signed, reason).into())
}

/// `GET /centre/staff`
pub(super) async fn show(signed: Signed, Query(told): Query<Told>) -> Handled {
    let told = told.key(&[("ended", "staff-ended"), ("invited", "staff-invited")]);
    page(&signed, told, None, vec![], &Form::default()).await
}

async fn page(
    signed: &Signed,
    told: Option<&'static str>,
    given: Option<Given>,
    errors: Vec<FieldError>,
    typed: &Form,
) -> Handled {
    let people = staff::list(store(signed)).await;
    let people = people.map_err(|error| Stop::from(words::unread(signed, &error)))?;
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let rows = people.iter().flat_map(|person| {
        let grants = person.grants.all().iter();
        grants.filter(|g| GIVEN.contains(&g.role)).map(move |grant| row(signed, person, grant))
    });
    let page = Staff {
        errors,
        told,
        rows: rows.collect(),
        given,
        fields: fields(signed, typed),
        reason: typed.get("why").to_owned(),
        once: form::once(),
        s: signed.shell(),
        t: signed.text(),
    };
    Ok(frame::page_with(status, &page))
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
    let roles = GIVEN.iter().map(|role| {
        let row = role.row();
        Choice {
            value: row.code.to_owned(),
            label: signed.say(row.name_vi, row.name).to_owned(),
            chosen: typed.get("role") == row.code,
        }
    });
    let role = Field {
        id: "role",
        key: "staff-role",
        hint: "",
        value: String::new(),
        choices: roles.collect(),
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
    let new = match read(&form) {
        Ok(new) => new,
        Err(refused) => return wrong(&signed, &refused, &form, "reason").await,
    };
    let (code, phc) = match signed.people().given_password().await {
        Ok(given) => given,
        Err(Trouble::Busy) => return Ok(frame::refused(&signed, PortalReason::Busy)),
        Err(error) => {
            tracing::error!(error = %error, "a password could not be made");
            return Ok(frame::unavailable(&signed));
        }
    };
    let (open, now, by) = (store(&signed).clone(), signed.now, actor(&signed));
    let (reason, asked) = (form.get("reason").to_owned(), new.clone());
    let act = async move {
        let desk = StaffDesk { store: &open, now, actor: &by, reason: act::reason(&reason)? };
        staff::invite(&desk, asked, phc).await
    };
    match form.carry_out(&signed, act).await? {
        Sent::First(Err(refused)) => wrong(&signed, &refused, &form, "reason").await,
        Sent::First(Ok(_)) => {
            let until = frame::day(signed.now.plus_ms(INVITATION_MS));
            let login = words::login(&new.login);
            let given = (new.name.as_str().to_owned(), login, code.as_str().to_owned(), until);
            page(&signed, None, Some(given), vec![], &Form::default()).await
        }
        _ => Ok(frame::to("/centre/staff?told=invited")),
    }
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
pub(super) async fn end(signed: Signed, form: Form) -> Handled {
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
        Ok(_) => Ok(frame::to("/centre/staff?told=ended")),
        Err(refused) => {
            let typed = Form::of(vec![("why".into(), form.get("why").into())]);
            wrong(&signed, &refused, &typed, "why").await
        }
    }
}

async fn wrong(signed: &Signed, refused: &Refused, typed: &Form, field: &'static str) -> Handled {
    let field = match refused {
        Refused::Gone => return Ok(frame::missing(signed)),
        Refused::Field { field: "role", .. } => "why",
        Refused::Field { field, .. } => *field,
        _ => field,
    };
    match words::refused(signed, refused) {
        Some(sentence) => {
            page(signed, None, None, vec![frame::wrong(field, sentence)], typed).await
        }
        None => Ok(words::failed(signed, refused)),
    }
}
