//! Locks with their evidence, and unlocking: one by one, or in bulk after a false alarm (D3, D6).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use dancu_domain::appeals::Appeal;
use dancu_domain::lines::LineDay;
use dancu_domain::people::account::LockCause;
use dancu_domain::people::may::Target;
use dancu_domain::people::powers::Power;
use dancu_domain::registration::{Snapshot, System};
use dancu_office::appeals::{self as office_appeals, AppealDesk};
use dancu_office::decisions::Decision;
use dancu_office::locks::{self, Evidence, LockKey, Standing, Today};
use dancu_office::{Actor, Refused, act, decisions};
use dancu_portal::operator::{LockAct, LockPage, LockRow, Locks, Said};
use dancu_portal::parts::FieldError;
use dancu_portal::text::Text;
use serde::Deserialize;

use super::{actor, appeals, lines, may_on, registered, store, word};
use crate::portal::auditor::told;
use crate::portal::form::{self, Form};
use crate::portal::frame::Told;
use crate::portal::signed::Signed;
use crate::portal::{frame, line_use, words};

/// Locks that are lifted at a time: each is an act of its own with its entry, some ms each.
const BULK_MAX: usize = 200;

/// The filter, in the address.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Filter {
    system: String,
}

/// `GET /operate/locks`
pub async fn list(signed: Signed, Query(filter): Query<Filter>) -> Response {
    show(&signed, &filter.system, None, vec![], Typed::default()).await
}

/// What was typed into the forms of the list.
#[derive(Default)]
pub struct Typed {
    /// Why they are unlocked.
    pub reason: String,
    /// Who is locked at once, and why.
    pub lock: lines::Typed,
}

/// The list with what is wrong with an act.
pub async fn wrong(signed: &Signed, errors: Vec<FieldError>, typed: Typed) -> Response {
    show(signed, "", None, errors, typed).await
}

/// The list after an act that was done.
pub async fn done(signed: &Signed, sentence: String) -> Response {
    show(signed, "", Some(Said::done(sentence)), vec![], Typed::default()).await
}

/// The list where a lock stands no more.
async fn gone(signed: &Signed) -> Response {
    let said = Said::not_all(signed.text().get("unlock-gone"));
    show(signed, "", Some(said), vec![], Typed::default()).await
}

async fn show(
    signed: &Signed,
    only: &str,
    said: Option<Said>,
    errors: Vec<FieldError>,
    typed: Typed,
) -> Response {
    let (snapshot, mut standing) = match standing(signed).await {
        Ok(found) => found,
        Err(refused) => return words::failed(signed, &refused),
    };
    let only = super::system(&snapshot, only);
    standing.retain(|lock| only.is_none_or(|s| lock.system == Some(s.id)));
    let began = match began(signed, &snapshot, &standing).await {
        Ok(began) => began,
        Err(refused) => return unread(signed, &refused),
    };
    let open = match store(signed).desks().open_appeals().await {
        Ok(open) => open,
        Err(error) => return words::unread(signed, &error),
    };
    let open: BTreeMap<&str, &Appeal> =
        open.iter().map(|stored| (stored.appeal.lock.as_str(), &stored.appeal)).collect();
    let t = signed.text();
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let with_appeal = |lock: &Standing| {
        let appeal = open.get(lock.key.code().as_str());
        let appeal = appeal.and_then(|appeal| appeals::waiting(signed, appeal));
        LockRow { appeal, ..row(&t, &snapshot, lock, began.get(&lock.key)) }
    };
    let body = Locks {
        said,
        rows: standing.iter().map(with_appeal).collect(),
        system: only.map(|s| s.code.as_str().to_owned()),
        may_unlock: signed.holds(Power::BulkUnlock),
        may_lock: signed.holds(Power::LockAccounts),
        errors,
        reason: typed.reason,
        login: typed.lock.login,
        why: typed.lock.reason,
        s: signed.shell(),
        t,
    };
    frame::page_with(status, &body)
}

/// Every lock that this person may see: those of systems by their units, those of people of the
/// portal by who sees the centre's matters.
async fn standing(signed: &Signed) -> Result<(Arc<Snapshot>, Vec<Standing>), Refused> {
    let snapshot = registered(signed).await?;
    let today = Today::of(store(signed), signed.now);
    let mut found = store(signed).ledger().lines(|counts| {
        let all = snapshot.systems().iter();
        let seen = all.filter(|system| may_on(signed, Power::SeeLocks, system));
        seen.flat_map(|system| locks::of_system(system, counts, today)).collect::<Vec<_>>()
    });
    if signed.may(Power::SeeLocks, Target::Centre).is_ok() {
        // Whoever has a locked account besides is shown by that.
        let named: Vec<String> = found.iter().filter_map(login).collect();
        let people = locks::of_people(store(signed)).await?;
        let alone = people.into_iter().filter(|(login, _)| !named.contains(&login.folded()));
        found.extend(alone.map(|(_, lock)| lock));
    }
    Ok((snapshot, found))
}

fn login(lock: &Standing) -> Option<String> {
    match &lock.evidence {
        Evidence::Account(login) => Some(login.folded()),
        _ => None,
    }
}

/// The answer where acts could not be read: there is no place, or the store failed.
fn unread(signed: &Signed, refused: &Refused) -> Response {
    match refused {
        Refused::Reason(reason) => frame::refused(signed, *reason),
        other => words::failed(signed, other),
    }
}

/// The acts that locks began with; where none stands, nothing is read.
async fn began(
    signed: &Signed,
    snapshot: &Arc<Snapshot>,
    locks: &[Standing],
) -> Result<BTreeMap<LockKey, Decision>, Refused> {
    if locks.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (snapshot, locks) = (snapshot.clone(), locks.to_vec());
    signed.acts(move |store| decisions::of_locks(store, &snapshot, &locks)).await
}

fn row(t: &Text, snapshot: &Snapshot, lock: &Standing, began: Option<&Decision>) -> LockRow {
    let system = lock.system.and_then(|id| snapshot.by_id(id));
    let code = system.map_or("–", |s| s.code.as_str());
    let (scope_key, what, rule) = match &lock.evidence {
        Evidence::Line { service, window, connection, .. } => {
            let scope = if *connection { "scope-connection" } else { "scope-line" };
            (scope, format!("{code} · {}", words::place(t, *service, *window)), "D3")
        }
        Evidence::Account(login) => ("scope-account", words::login(login), "D6"),
        Evidence::Connection => ("scope-connection", code.to_owned(), "D6"),
        Evidence::Person(login, _) => ("scope-person", words::login(login), "D6"),
    };
    LockRow {
        key: lock.key.code(),
        since: lock.since.or(began.map(|act| act.at)).map(frame::stamp),
        until: lock.until.map(frame::stamp),
        scope_key,
        what,
        rule,
        appeal: None,
        evidence: began.map_or_else(|| evidence(t, &lock.evidence), |act| decided(t, act)),
        href: format!("/operate/locks/{}", lock.key.code()),
    }
}

/// Who locked, and why.
fn decided(t: &Text, act: &Decision) -> String {
    let (by, why) = (words::actor(&act.act.actor), act.reason().unwrap_or("–"));
    t.with_two("evidence-decided", "by", by, "why", why)
}

fn evidence(t: &Text, evidence: &Evidence) -> String {
    match evidence {
        Evidence::Line { day, .. } => {
            t.with_two("evidence-line", "count", day.exceedances, "used", day.used)
        }
        Evidence::Account(_) => t.get("evidence-account"),
        Evidence::Connection => t.get("evidence-connection"),
        Evidence::Person(_, lock) => {
            let cause = match lock.cause {
                LockCause::AbnormalUse => "cause-abnormal",
                LockCause::Reported => "cause-reported",
                LockCause::Decision => "cause-decision",
            };
            t.with("evidence-person", "cause", t.get(cause))
        }
    }
}

/// `GET /operate/locks/{key}`
pub async fn one(signed: Signed, Path(key): Path<String>, Query(told): Query<Told>) -> Response {
    let typed = OnLock { told: told.key(&appeals::TOLD), ..OnLock::default() };
    match LockKey::parse(&key) {
        Some(key) => lock_page(&signed, key, vec![], typed).await,
        None => frame::missing(&signed),
    }
}

/// What was typed into the forms of one lock, and what was done a moment ago.
#[derive(Clone, Copy, Default)]
pub(super) struct OnLock<'a> {
    /// Why it is unlocked.
    pub(super) reason: &'a str,
    /// What the head says against it.
    pub(super) words: &'a str,
    /// Why it stays.
    pub(super) keep: &'a str,
    /// Key of what was done.
    pub(super) told: Option<&'static str>,
}

/// The page of one lock.
pub(super) async fn lock_page(
    signed: &Signed,
    key: LockKey,
    errors: Vec<FieldError>,
    typed: OnLock<'_>,
) -> Response {
    let (snapshot, standing) = match standing(signed).await {
        Ok(found) => found,
        Err(refused) => return words::failed(signed, &refused),
    };
    let t = signed.text();
    let Some(lock) = standing.into_iter().find(|lock| lock.key == key) else {
        return gone(signed).await;
    };
    let system = lock.system.and_then(|id| snapshot.by_id(id));
    let today = Today::of(store(signed), signed.now);
    let mut chart = None;
    // Of one line or account its own numbers are shown: the system's day is not about it.
    if let (Some(system), true) = (system, is_of_connection(&lock)) {
        match signed.portal().hours.of(store(signed), signed.now, &[system.id]).await {
            Ok(days) => {
                let day = days.first();
                let hours = &store(signed).profiles().at(today.now).hours;
                chart =
                    day.map(|day| line_use::chart(system, &day.used, (today.now, hours), false));
            }
            Err(error) => return words::unread(signed, &error),
        }
    }
    let act = match decision(signed, &snapshot, &lock).await {
        Ok(act) => act,
        Err(refused) => return unread(signed, &refused),
    };
    let mut heads = None;
    if let Some(system) = system {
        match lines::heads(signed, system).await {
            Ok(told) => heads = Some(told),
            Err(error) => return words::unread(signed, &error),
        }
    }
    let (appeal, may_appeal) =
        match appeals::of_lock(signed, system.map(AsRef::as_ref), &lock).await {
            Ok(found) => found,
            Err(error) => return words::unread(signed, &error),
        };
    let may_manage = signed.holds(Power::ManageSystems);
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let body = LockPage {
        errors,
        lock: row(&t, &snapshot, &lock, act.as_ref().filter(|_| !is_of_line(&lock))),
        system: system
            .filter(|_| may_manage)
            .map(|s| (s.code.as_str().to_owned(), format!("/operate/systems/{}", s.code.as_str()))),
        measured: measured(signed, &t, system.map(AsRef::as_ref), &lock, today),
        act: act.map(|act| shown(&t, &snapshot, &act)),
        heads,
        chart,
        may_unlock: signed.holds(Power::Unlock),
        reason: typed.reason.to_owned(),
        told: typed.told,
        appeal,
        may_appeal,
        words: typed.words.to_owned(),
        keep_why: typed.keep.to_owned(),
        once: form::once(),
        s: signed.shell(),
        t,
    };
    frame::page_with(status, &body)
}

/// Whether it stops a whole connection.
const fn is_of_connection(lock: &Standing) -> bool {
    matches!(lock.evidence, Evidence::Connection | Evidence::Line { connection: true, .. })
}

const fn is_of_line(lock: &Standing) -> bool {
    matches!(lock.evidence, Evidence::Line { .. })
}

/// The act that a lock began with; of a line, which locks itself, the last one on it.
async fn decision(
    signed: &Signed,
    snapshot: &Arc<Snapshot>,
    lock: &Standing,
) -> Result<Option<Decision>, Refused> {
    if !is_of_line(lock) {
        let mut found = began(signed, snapshot, std::slice::from_ref(lock)).await?;
        return Ok(found.remove(&lock.key));
    }
    let (snapshot, lock) = (snapshot.clone(), lock.clone());
    signed.acts(move |store| decisions::of_line(store, &snapshot, &lock)).await
}

fn shown(t: &Text, snapshot: &Snapshot, act: &Decision) -> LockAct {
    let kind = told::kind(t, &act.act.kind);
    let what = told::what(t, snapshot, &act.act, words::login);
    LockAct {
        time: frame::stamp(act.at),
        by: words::actor(&act.act.actor),
        what: format!("{kind} · {what}"),
        reason: act.reason().map(ToOwned::to_owned),
        index: act.index,
    }
}

type Measured = (&'static str, String, String);

fn measured(
    signed: &Signed,
    t: &Text,
    system: Option<&System>,
    lock: &Standing,
    today: Today,
) -> Vec<Measured> {
    let num = |n: u32| t.num(u64::from(n));
    match (&lock.evidence, lock.key) {
        (Evidence::Line { registered, day, .. }, _) => {
            let LineDay { used, refused, exceedances, refused_after, episode_at, .. } = *day;
            let first = episode_at.map_or_else(|| "–".into(), frame::time);
            vec![
                ("measured-used", num(used), num(*registered)),
                ("measured-exceedances", num(exceedances), num(0)),
                ("measured-refused", num(refused), num(0)),
                ("measured-after", num(refused_after), num(0)),
                ("measured-first", first, "–".into()),
            ]
        }
        (Evidence::Account(_), LockKey::Account(id)) => {
            let Some(account) = system.and_then(|s| s.accounts.by_id(id)) else { return vec![] };
            let used = store(signed).ledger().lines(|c| c.account_used(id, today.day));
            vec![("measured-account", num(used), num(account.daily))]
        }
        _ => vec![],
    }
}

/// `POST /operate/locks/unlock`
pub async fn unlock(signed: Signed, form: Form) -> Response {
    let Some(key) = LockKey::parse(form.get("lock")) else { return frame::missing(&signed) };
    let t = signed.text();
    let Ok(reason) = act::reason(form.get("reason")) else {
        let wrong = frame::wrong("reason", t.get("reason-missing"));
        let typed = OnLock { reason: form.get("reason"), ..OnLock::default() };
        return lock_page(&signed, key, vec![wrong], typed).await;
    };
    let (snapshot, standing) = match standing(&signed).await {
        Ok(found) => found,
        Err(refused) => return words::failed(&signed, &refused),
    };
    let Some(lock) = standing.iter().find(|lock| lock.key == key) else {
        return gone(&signed).await;
    };
    if let Err(reason) = may_unlock(&signed, Power::Unlock, &snapshot, lock) {
        return frame::refused(&signed, reason);
    }
    let by = actor(&signed);
    match unlocked(&signed, &snapshot, &by, (key, reason)).await {
        Ok(()) => {
            let what = row(&t, &snapshot, lock, None).what;
            done(&signed, t.with("unlock-done", "what", what)).await
        }
        Err(refused) => match words::refused(&signed, &refused) {
            Some(sentence) => {
                let typed = OnLock { reason, ..OnLock::default() };
                lock_page(&signed, key, vec![frame::wrong("reason", sentence)], typed).await
            }
            None => words::failed(&signed, &refused),
        },
    }
}

/// Ends a lock, and with it an appeal against it that was open.
async fn unlocked(
    signed: &Signed,
    snapshot: &Snapshot,
    by: &Actor,
    (key, reason): (LockKey, &str),
) -> Result<(), Refused> {
    locks::unlock(&word(signed, snapshot, by, reason), key).await?;
    let desk = AppealDesk { store: store(signed), snapshot, now: signed.now, by };
    match office_appeals::lifted(&desk, key, reason).await {
        Err(Refused::Store(error)) => Err(Refused::Store(error)),
        // Answered by somebody else meanwhile: the lock is lifted all the same.
        _ => Ok(()),
    }
}

fn may_unlock(
    signed: &Signed,
    power: Power,
    snapshot: &Snapshot,
    lock: &Standing,
) -> Result<(), dancu_domain::people::reasons::PortalReason> {
    let system = lock.system.and_then(|id| snapshot.by_id(id));
    let target = match system {
        Some(system) => Target::Unit(std::slice::from_ref(&system.unit)),
        None => Target::Centre,
    };
    signed.may(power, target).map(|_| ())
}

/// `POST /operate/locks/bulk`: one reason for all that were chosen; each is an act of its own, so
/// that one that stands no more does not hold up the others.
pub async fn bulk(signed: Signed, form: Form) -> Response {
    let t = signed.text();
    let keys: Vec<LockKey> = form.all("lock").iter().filter_map(|k| LockKey::parse(k)).collect();
    let reason = act::reason(form.get("reason"));
    let mut errors = vec![];
    if keys.is_empty() {
        errors.push(frame::wrong("reason", t.get("bulk-none")));
    } else if keys.len() > BULK_MAX {
        errors.push(frame::wrong("reason", t.with("bulk-many", "count", BULK_MAX)));
    } else if reason.is_err() {
        errors.push(frame::wrong("reason", t.get("reason-missing")));
    }
    let (Ok(reason), true) = (reason, errors.is_empty()) else {
        let typed = Typed { reason: form.get("reason").to_owned(), ..Typed::default() };
        return wrong(&signed, errors, typed).await;
    };
    let (snapshot, standing) = match standing(&signed).await {
        Ok(found) => found,
        Err(refused) => return words::failed(&signed, &refused),
    };
    let by = actor(&signed);
    let (mut lifted, mut left) = (0_u64, 0_u64);
    for key in keys {
        let known = standing.iter().find(|lock| lock.key == key);
        let may = known.map(|lock| may_unlock(&signed, Power::BulkUnlock, &snapshot, lock));
        if !matches!(may, Some(Ok(()))) {
            left += 1;
            continue;
        }
        match unlocked(&signed, &snapshot, &by, (key, reason)).await {
            Ok(()) => lifted += 1,
            Err(Refused::Store(error)) => return words::failed(&signed, &Refused::Store(error)),
            // Lifted meanwhile, with the connection's other lines, or one's own.
            Err(_) => left += 1,
        }
    }
    let mut said = t.with("bulk-done", "count", t.num(lifted));
    if left > 0 {
        said = format!("{said} {}", t.with("bulk-left", "count", t.num(left)));
    }
    show(&signed, "", Some(Said { sentence: said, done: left == 0 }), vec![], Typed::default())
        .await
}
