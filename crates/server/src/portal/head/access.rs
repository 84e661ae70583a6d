//! Acts on an officer: stop, end, let in again.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use dancu_access::people::Trouble;
use dancu_domain::people::account::INVITATION_MS;
use dancu_domain::people::powers::Power;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::roles::Role;
use dancu_office::Refused;
use dancu_office::officers::{self, Died, Held, Officer, Resumed, StateAct, Who};
use dancu_portal::head::{Given, Revoked};
use dancu_portal::text::Text;

use super::officer::{Typed, found, one_page};
use super::{Unit, as_errors, ways};
use crate::portal::form::Form;
use crate::portal::frame;
use crate::portal::once::Sent;
use crate::portal::signed::Signed;
use crate::stop::{Handled, Stop};

/// `POST /unit/officers/{who}/state`.
pub(super) async fn state(signed: Signed, Path(who): Path<String>, form: Form) -> Handled {
    let (unit, officer) = found(&signed, &who, Power::ManageOfficers).await?;
    let typed = Typed::acting(&officer, &form);
    let Some(act) = ways::act(form.get("act")) else {
        let missing = signed.text().get("officer-act-missing");
        let page =
            one_page(&signed, &officer, &typed, vec![frame::wrong("act", missing)], None).await;
        return Ok(frame::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page));
    };
    let (desk, why) = (unit.desk(), form.raw("reason"));
    let here = |told: &str| frame::to(&format!("/unit/officers/{}?told={told}", officer.who));
    let done = match act {
        StateAct::Suspend => officers::suspend(&desk, officer.who, why).await.map(|(_, died)| {
            if died.invitation {
                here("suspendedInvited")
            } else {
                suspended(&signed, &officer, &died)
            }
        }),
        StateAct::Resume => {
            officers::resume(&desk, officer.who, why).await.map(|(_, done)| here(resumed(&done)))
        }
        StateAct::Revoke(cause) => match officers::revoke(&desk, officer.who, cause, why).await {
            Ok((_, died)) => Ok(revoked(&signed, &unit, &officer, &died).await),
            Err(refused) => Err(refused),
        },
    };
    Ok(match done {
        Ok(response) => response,
        Err(refused) => refuse(&signed, &officer, &typed, &refused).await,
    })
}

/// The word of what became of a resumption: what stays stopped is named.
fn resumed(done: &Resumed) -> &'static str {
    let mut by: Vec<Held> = done.held.iter().map(|(_, held)| *held).collect();
    by.dedup();
    match by.as_slice() {
        [] => "resumed",
        [Held::Centre] => "resumedCentre",
        [Held::Locked] => "resumedLocked",
        _ => "resumedHeld",
    }
}

async fn refuse(signed: &Signed, officer: &Officer, typed: &Typed, refused: &Refused) -> Response {
    match as_errors(signed, refused, "act") {
        Ok(errors) => {
            let page = one_page(signed, officer, typed, errors, None).await;
            let status = match refused {
                Refused::Reason(reason) => StatusCode::from_u16(reason.text().answer.http_status())
                    .unwrap_or(StatusCode::CONFLICT),
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            frame::page_with(status, &page)
        }
        Err(stop) => stop.into_response(),
    }
}

/// What was stopped: sessions and devices have ended, accounts wait.
fn suspended(signed: &Signed, officer: &Officer, died: &Died) -> Response {
    frame::page(&Revoked { suspended: true, ..ended(signed, officer, died) })
}

/// What died, and who was told.
async fn revoked(signed: &Signed, unit: &Unit, officer: &Officer, died: &Died) -> Response {
    let told = match unit.store.people().of_unit(&unit.code).await {
        Ok(people) => {
            let day = signed.today();
            let builds = people.iter().filter(|p| {
                p.grants.on(day).any(|g| g.role == Role::Integrator)
                    && officer.person.as_ref().is_none_or(|gone| gone.id != p.id)
            });
            builds.map(|p| p.name.clone()).collect::<Vec<_>>().join(", ")
        }
        // Whoever is to be told stands in their own list; here the sentence names nobody.
        Err(_) => String::new(),
    };
    let due = died.confirm_by.map(frame::stamp).unwrap_or_default();
    frame::page(&Revoked { told, due, ..ended(signed, officer, died) })
}

/// The page of what died, where nobody has to be told.
fn ended(signed: &Signed, officer: &Officer, died: &Died) -> Revoked {
    let t = signed.text();
    Revoked {
        suspended: false,
        href: format!("/unit/officers/{}", officer.who),
        name: officer.name().to_owned(),
        time: frame::stamp(signed.now),
        died: list(&t, died),
        told: String::new(),
        due: String::new(),
        s: signed.shell(),
        t,
    }
}

/// What died, in words; what there was none of is left out.
fn list(t: &Text, died: &Died) -> Vec<(&'static str, String)> {
    let count = |n: usize| t.num(n as u64);
    let mut all = vec![];
    if !died.accounts.is_empty() {
        let codes: Vec<&str> = died.accounts.iter().map(|(code, _)| code.as_str()).collect();
        all.push(("died-accounts", codes.join(", ")));
    }
    let counted = [
        ("died-sessions", died.sessions),
        ("died-devices", died.devices),
        ("died-factors", died.factors),
        ("died-codes", usize::from(died.codes)),
        ("died-voucher", usize::from(died.voucher)),
        ("died-substitutes", died.substitutes.len()),
    ];
    let counted = counted.into_iter().filter(|(_, n)| *n > 0 || died.person.is_some());
    all.extend(
        counted
            .filter(|(key, n)| *n > 0 || *key == "died-sessions")
            .map(|(key, n)| (key, count(n))),
    );
    all
}

/// `POST /unit/officers/{who}/invite`.
pub(super) async fn invite(signed: Signed, Path(who): Path<String>, form: Form) -> Handled {
    hand_over(&signed, &who, &form, Handed::Invitation).await
}

/// `POST /unit/officers/{who}/password`.
pub(super) async fn password(signed: Signed, Path(who): Path<String>, form: Form) -> Handled {
    hand_over(&signed, &who, &form, Handed::Password).await
}

/// With what a password for one use is handed over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Handed {
    /// The invitation of who is on the list.
    Invitation,
    /// In place of a forgotten one; a new invitation for who never came.
    Password,
}

/// Makes a password for one use, gives it by an act and shows it; once for a form: a second one
/// would make the first, which somebody may have written down, worthless.
async fn hand_over(signed: &Signed, who: &str, form: &Form, handed: Handed) -> Handled {
    let (unit, officer) = found(signed, who, Power::ManageOfficers).await?;
    let (Some(password), Some(phc)) = given(signed, true).await? else {
        return Ok(frame::unavailable(signed));
    };
    let who = officer.who;
    let act = async move {
        match handed {
            Handed::Invitation => officers::invite(&unit.desk(), who, phc).await.map(drop),
            Handed::Password => officers::give_password(&unit.desk(), who, phc).await.map(drop),
        }
    };
    Ok(match form.carry_out(signed, act).await? {
        Sent::First(Ok(())) => {
            let invited = handed == Handed::Invitation || ways::is_invited(&officer);
            shown(signed, who, (officer.name(), officer.login()), &password, invited)
        }
        Sent::First(Err(refused)) => {
            refuse(signed, &officer, &Typed::acting(&officer, form), &refused).await
        }
        // It was shown on the page that got lost.
        _ => frame::to(&format!("/unit/officers/{who}?told=given")),
    })
}

/// `POST /unit/officers/{who}/reenable`.
pub(super) async fn reenable(signed: Signed, Path(who): Path<String>, form: Form) -> Handled {
    let (unit, officer) = found(&signed, &who, Power::ReenableAccount).await?;
    Ok(match officers::reenable(&unit.desk(), officer.who).await {
        Ok(_) => frame::to(&format!("/unit/officers/{}?told=reenabled", officer.who)),
        Err(refused) => refuse(&signed, &officer, &Typed::acting(&officer, &form), &refused).await,
    })
}

/// `POST /unit/officers/{who}/vouch`.
pub(super) async fn vouch(signed: Signed, Path(who): Path<String>, form: Form) -> Handled {
    let (unit, officer) = found(&signed, &who, Power::VouchForFactor).await?;
    let typed = Typed::acting(&officer, &form);
    let Some(seen) = ways::seen(form.get("seen")) else {
        let missing = signed.text().get("vouch-missing");
        let page =
            one_page(&signed, &officer, &typed, vec![frame::wrong("seen", missing)], None).await;
        return Ok(frame::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page));
    };
    let who = officer.who;
    let act = async move { officers::vouch(&unit.desk(), who, seen).await };
    Ok(match form.carry_out(&signed, act).await? {
        Sent::First(Err(refused)) => refuse(&signed, &officer, &typed, &refused).await,
        _ => frame::to(&format!("/unit/officers/{who}?told=vouched")),
    })
}

/// `POST /unit/officers/{who}/training`: a training that the officer had (E5). Sent twice it is
/// the same day.
pub(super) async fn train(signed: Signed, Path(who): Path<String>, form: Form) -> Handled {
    let (unit, officer) = found(&signed, &who, Power::ManageOfficers).await?;
    let typed = Typed::acting(&officer, &form);
    let Some(on) = frame::parse_day(form.get("trained")) else {
        let wrong = frame::wrong("trained", signed.text().get("raise-date-wrong"));
        let page = one_page(&signed, &officer, &typed, vec![wrong], None).await;
        return Ok(frame::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page));
    };
    Ok(match officers::train(&unit.desk(), officer.who, on).await {
        Ok(_) => frame::to(&format!("/unit/officers/{}?told=trained", officer.who)),
        Err(refused) => refuse(&signed, &officer, &typed, &refused).await,
    })
}

/// A password for one use and its hash; neither where none is wanted.
///
/// # Errors
/// The page that answers where passwords cannot be hashed now.
pub(super) async fn given(
    signed: &Signed,
    wanted: bool,
) -> Result<(Option<String>, Option<String>), Stop> {
    if !wanted {
        return Ok((None, None));
    }
    match signed.people().given_password().await {
        Ok((password, phc)) => Ok((Some(password.as_str().to_owned()), Some(phc))),
        Err(Trouble::Busy) => Err(frame::refused(signed, PortalReason::Busy).into()),
        Err(error) => {
            tracing::error!(error = %error, "a password could not be made");
            Err(frame::unavailable(signed).into())
        }
    }
}

/// The page that shows a password this once.
pub(super) fn shown(
    signed: &Signed,
    who: Who,
    (name, login): (&str, &str),
    password: &str,
    invited: bool,
) -> Response {
    let until = signed.now.plus_ms(INVITATION_MS - 1);
    frame::page(&Given {
        t: signed.text(),
        s: signed.shell(),
        name: name.to_owned(),
        login: login.to_owned(),
        password: password.to_owned(),
        until: if invited { frame::day(until) } else { String::new() },
        href: format!("/unit/officers/{who}"),
    })
}
