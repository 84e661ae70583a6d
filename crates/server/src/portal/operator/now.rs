//! What is locked at once: an account with its officer, a person of the portal, a connection (D6).

use axum::extract::Path;
use axum::response::Response;
use dancu_domain::ids::Login;
use dancu_domain::people::may::Target;
use dancu_domain::people::powers::Power;
use dancu_domain::registration::Snapshot;
use dancu_office::states::Ended;
use dancu_office::{Refused, act, states};
use dancu_portal::parts::FieldError;
use dancu_portal::text::Text;

use super::lines::{self, Typed};
use super::{actor, locks, may_on, registered, system, word};
use crate::portal::form::Form;
use crate::portal::signed::Signed;
use crate::portal::{frame, words};

/// `POST /operate/systems/{code}/lock`: one account of the system, or its connection.
pub async fn on_system(signed: Signed, Path(code): Path<String>, form: Form) -> Response {
    let snapshot = match registered(&signed).await {
        Ok(snapshot) => snapshot,
        Err(error) => return words::unread(&signed, &error),
    };
    let Some(system) = system(&snapshot, &code) else { return frame::missing(&signed) };
    if !may_on(&signed, Power::LockAccounts, system) {
        return frame::missing(&signed);
    }
    let t = signed.text();
    let typed = || Typed { login: form.get("login").into(), reason: form.get("reason").into() };
    let Ok(reason) = act::reason(form.get("reason")) else {
        let wrong = frame::wrong("reason", t.get("reason-missing"));
        return lines::page(&signed, &code, typed(), vec![wrong]).await;
    };
    let by = actor(&signed);
    let desk = word(&signed, &snapshot, &by, reason).on(system);
    let done = if form.get("what") == "connection" {
        let locked = states::lock_connection(&desk).await;
        locked.map(|_| t.with("now-connection-done", "what", &code))
    } else {
        let found = Login::parse(form.get("login")).ok();
        let account = found.and_then(|login| system.accounts.by_login(&login));
        let Some(account) = account else {
            let wrong = frame::wrong("login", t.get("now-login-unknown"));
            return lines::page(&signed, &code, typed(), vec![wrong]).await;
        };
        let locked = states::lock_account(&desk, account.id).await;
        locked.map(|(_, ended)| said(&t, &account.login, true, ended))
    };
    match done {
        Ok(said) => locks::done(&signed, said).await,
        Err(refused) => match words::refused(&signed, &refused) {
            Some(sentence) => {
                let wrong = vec![frame::wrong("reason", sentence)];
                lines::page(&signed, &code, typed(), wrong).await
            }
            None => words::failed(&signed, &refused),
        },
    }
}

/// `POST /operate/locks/account`: every registered account with a login, and the person.
pub async fn by_login(signed: Signed, form: Form) -> Response {
    let snapshot = match registered(&signed).await {
        Ok(snapshot) => snapshot,
        Err(error) => return words::unread(&signed, &error),
    };
    if let Err(reason) = signed.may(Power::LockAccounts, Target::Centre) {
        return frame::refused(&signed, reason);
    }
    let t = signed.text();
    let wrong = async |errors| {
        let (login, reason) = (form.get("login").to_owned(), form.get("why").to_owned());
        let lock = lines::Typed { login, reason };
        locks::wrong(&signed, errors, locks::Typed { lock, ..locks::Typed::default() }).await
    };
    let mut errors: Vec<FieldError> = vec![];
    let login = Login::parse(form.get("login")).ok();
    if login.is_none() {
        errors.push(frame::wrong("login", t.get("now-login-unknown")));
    }
    let reason = act::reason(form.get("why"));
    if reason.is_err() {
        errors.push(frame::wrong("why", t.get("reason-missing")));
    }
    let (Some(login), Ok(reason)) = (login, reason) else {
        return wrong(errors).await;
    };
    match lock_all(&signed, &snapshot, &login, reason).await {
        Ok((locked, ended)) => locks::done(&signed, said(&t, &login, locked, ended)).await,
        Err(Refused::Gone) => {
            let unknown = frame::wrong("login", t.get("now-login-unknown"));
            wrong(vec![unknown]).await
        }
        Err(refused) => match words::refused(&signed, &refused) {
            Some(sentence) => wrong(vec![frame::wrong("login", sentence)]).await,
            None => words::failed(&signed, &refused),
        },
    }
}

/// What a lock did: of who never came the invitation was withdrawn, and only an account on a list
/// can be locked then.
fn said(t: &Text, login: &Login, locked: bool, ended: Ended) -> String {
    let login = words::login(login);
    if !locked && ended.invitation {
        return t.with("now-withdrawn", "what", login);
    }
    let done = t.with_two("now-done", "what", login, "count", ended.sessions);
    if ended.invitation { format!("{done} {}", t.get("now-invitation")) } else { done }
}

/// Locks the accounts of a login in every system, and the person where no account took them along.
/// Gives whether a lock stands now, and what ended.
async fn lock_all(
    signed: &Signed,
    snapshot: &Snapshot,
    login: &Login,
    reason: &str,
) -> Result<(bool, Ended), Refused> {
    let by = actor(signed);
    let word = word(signed, snapshot, &by, reason);
    let (mut all, mut locked, mut refused) = (Ended::default(), false, Refused::Gone);
    let systems = snapshot.systems().iter();
    for (system, account) in systems.filter_map(|s| Some((s, s.accounts.by_login(login)?))) {
        match states::lock_account(&word.on(system), account.id).await {
            Ok((_, ended)) => (all, locked) = (together(all, ended), true),
            Err(failed @ Refused::Store(_)) => return Err(failed),
            Err(other) => refused = other,
        }
    }
    match states::lock_person(&word, login).await {
        Ok((_, ended)) => Ok((locked || !ended.invitation, together(all, ended))),
        // The account took the person along, or there is none beside it.
        Err(Refused::Gone | Refused::Reason(_)) if locked => Ok((locked, all)),
        Err(Refused::Gone) => Err(refused),
        Err(other) => Err(other),
    }
}

const fn together(one: Ended, two: Ended) -> Ended {
    Ended { sessions: one.sessions + two.sessions, invitation: one.invitation || two.invitation }
}
