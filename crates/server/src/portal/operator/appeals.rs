//! Appeals against locks (D6): the head of the unit appeals, an operator acknowledges and answers.

use std::sync::Arc;

use axum::response::Response;
use dancu_domain::appeals::{Appeal, Stage};
use dancu_domain::people::may::Target;
use dancu_domain::people::powers::Power;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::registration::{Snapshot, System};
use dancu_office::appeals::{self, AppealDesk};
use dancu_office::locks::{LockKey, Standing};
use dancu_office::{Refused, act};
use dancu_portal::operator::{AppealNote, states};
use dancu_portal::parts::State;

use super::locks::{OnLock, lock_page};
use super::{actor, may_on, registered, store};
use crate::portal::form::Form;
use crate::portal::once::Sent;
use crate::portal::signed::Signed;
use crate::portal::{frame, words};
use crate::stop::{Handled, Stop};

/// What is told as done.
pub(super) const TOLD: [(&str, &str); 3] =
    [("sent", "appeal-sent"), ("seen", "appeal-seen"), ("answered", "appeal-answered")];

/// The last appeal against a lock that stands, and whether the reader may make one.
///
/// # Errors
/// Of the store.
pub(super) async fn of_lock(
    signed: &Signed,
    system: Option<&System>,
    lock: &Standing,
) -> Result<(Option<AppealNote>, bool), dancu_store::Error> {
    let stored = store(signed).desks().appeal_of(&lock.key.code()).await?;
    let appeal = stored.map(|stored| stored.appeal).filter(|appeal| is_of(appeal, lock));
    let open = appeal.as_ref().is_some_and(|a| a.stage() != Stage::Decided);
    let heads = system.is_some_and(|system| may_on(signed, Power::AppealLock, system));
    Ok((appeal.map(|appeal| note(signed, &appeal)), heads && !open))
}

/// Whether an appeal is about the lock that stands, and not about one of before in its place.
fn is_of(appeal: &Appeal, lock: &Standing) -> bool {
    let before = lock.since.is_some_and(|since| appeal.made.at < since);
    appeal.decided.as_ref().is_none_or(|decided| !decided.lifted && !before)
}

fn note(signed: &Signed, appeal: &Appeal) -> AppealNote {
    let stage = appeal.stage();
    let mut clocks = vec![("appeal-made", frame::stamp(appeal.made.at))];
    match (&appeal.acknowledged, &appeal.decided) {
        (None, _) => {
            clocks.push(("appeal-acknowledge-by", frame::stamp(appeal.clocks.acknowledge)));
            clocks.push(("appeal-decide-by", frame::stamp(appeal.clocks.decide)));
        }
        (Some(step), None) => {
            clocks.push(("appeal-acknowledged", frame::stamp(step.at)));
            clocks.push(("appeal-decide-by", frame::stamp(appeal.clocks.decide)));
        }
        (Some(step), Some(_)) => clocks.push(("appeal-acknowledged", frame::stamp(step.at))),
    }
    let answer = appeal.decided.as_ref().map(|decided| {
        let key = if decided.lifted { "appeal-lifted" } else { "appeal-kept" };
        (key, decided.reason.clone())
    });
    let centre = signed.holds(Power::DecideAppeal) && signed.person.id.0 != appeal.made.by;
    AppealNote {
        words: appeal.words.clone(),
        clocks,
        late: appeal.due().is_some_and(|due| due < signed.now),
        answer,
        may_acknowledge: centre && stage == Stage::Made,
        may_decide: centre && stage != Stage::Decided,
    }
}

/// An open appeal as a row of the list tells it: whether it is late, and until when it is due.
pub(super) fn waiting(signed: &Signed, appeal: &Appeal) -> Option<(State, String)> {
    let due = appeal.due()?;
    let state = if due < signed.now { states::LATE } else { states::APPEALED };
    Some((state, frame::stamp(due)))
}

/// The lock that a form names, where the person holds the power on its system.
async fn named(
    signed: &Signed,
    form: &Form,
    power: Power,
) -> Result<(Arc<Snapshot>, LockKey), Stop> {
    let snapshot = registered(signed).await.map_err(|e| Stop::from(words::unread(signed, &e)))?;
    let Some(key) = LockKey::parse(form.get("lock")) else {
        return Err(frame::missing(signed).into());
    };
    let Some(system) = appeals::system_of(&snapshot, key) else {
        return Err(frame::missing(signed).into());
    };
    let unit = std::slice::from_ref(&system.unit);
    match signed.may(power, Target::Unit(unit)) {
        Ok(_) => Ok((snapshot, key)),
        // Of another unit's lock nothing is told.
        Err(PortalReason::OutsideScope) => Err(frame::missing(signed).into()),
        Err(reason) => Err(frame::refused(signed, reason).into()),
    }
}

/// `POST /unit/appeals`
pub async fn make(signed: Signed, form: Form) -> Handled {
    let (snapshot, key) = named(&signed, &form, Power::AppealLock).await?;
    let Some(unit) = appeals::system_of(&snapshot, key).map(|system| system.unit.clone()) else {
        return Ok(frame::missing(&signed));
    };
    let (open, now, by) = (store(&signed).clone(), signed.now, actor(&signed));
    let said = form.get("words").to_owned();
    let act = async move {
        let desk = AppealDesk { store: &open, snapshot: &snapshot, now, by: &by };
        appeals::appeal(&desk, &unit, key, &said).await
    };
    match form.carry_out(&signed, act).await? {
        Sent::First(Err(refused)) => {
            let typed = OnLock { words: form.raw("words"), ..OnLock::default() };
            Ok(wrong(&signed, key, &refused, "words", typed).await)
        }
        _ => Ok(frame::to(&format!("/operate/locks/{}?told=sent", key.code()))),
    }
}

/// `POST /operate/locks/appeals/acknowledge`
pub async fn acknowledge(signed: Signed, form: Form) -> Handled {
    let (snapshot, key) = named(&signed, &form, Power::DecideAppeal).await?;
    let by = actor(&signed);
    let desk = AppealDesk { store: store(&signed), snapshot: &snapshot, now: signed.now, by: &by };
    match appeals::acknowledge(&desk, key).await {
        Ok(_) => Ok(frame::to(&format!("/operate/locks/{}?told=seen", key.code()))),
        Err(refused) => Ok(wrong(&signed, key, &refused, "keep", OnLock::default()).await),
    }
}

/// `POST /operate/locks/appeals/keep`: the lock stays. To accept an appeal is to unlock.
pub async fn keep(signed: Signed, form: Form) -> Handled {
    let (snapshot, key) = named(&signed, &form, Power::DecideAppeal).await?;
    let by = actor(&signed);
    let desk = AppealDesk { store: store(&signed), snapshot: &snapshot, now: signed.now, by: &by };
    let done = match act::reason(form.get("keep")) {
        Ok(reason) => appeals::decide(&desk, key, false, reason).await,
        Err(refused) => Err(refused),
    };
    match done {
        Ok(_) => Ok(frame::to(&format!("/operate/locks/{}?told=answered", key.code()))),
        Err(refused) => {
            let typed = OnLock { keep: form.raw("keep"), ..OnLock::default() };
            Ok(wrong(&signed, key, &refused, "keep", typed).await)
        }
    }
}

async fn wrong(
    signed: &Signed,
    key: LockKey,
    refused: &Refused,
    field: &'static str,
    typed: OnLock<'_>,
) -> Response {
    let field = match refused {
        Refused::Gone => return frame::missing(signed),
        Refused::Field { field, .. } => *field,
        _ => field,
    };
    match words::refused(signed, refused) {
        Some(sentence) => lock_page(signed, key, vec![frame::wrong(field, sentence)], typed).await,
        None => words::failed(signed, refused),
    }
}
