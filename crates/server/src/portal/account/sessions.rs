//! Sessions, remembered devices, and what happened to the account.

use axum::response::Response;
use dancu_access::people::{Answer, Mark, Trouble};
use dancu_portal::account::{Device, Event, History, Session, Sessions};
use dancu_portal::parts::{State, states};
use dancu_store::people::EventKind;

use super::super::entry::busy;
use super::super::form::Form;
use super::super::frame;
use super::super::signed::Signed;
use super::words;

/// Events on a page: what the store keeps.
const EVENTS: u32 = 250;

/// `GET /account/sessions`.
pub async fn show(signed: Signed) -> Response {
    let rows = match signed.people().sessions(&signed.present).await {
        Ok(rows) => rows,
        Err(trouble) => return busy(&signed, &trouble),
    };
    let stamp = |at| frame::stamp(frame::of_machine(&signed.app, at));
    let here = signed.device.as_deref().and_then(Mark::of);
    let rows = rows.iter().map(|row| Session {
        device: words::device(&row.agent),
        place: row.source.to_string(),
        since: stamp(row.session.began),
        last: stamp(row.session.seen),
        current: row.mark == signed.mark,
        id: Mark(row.mark).text(),
    });
    let devices = signed.person.secrets.devices.iter().map(|known| Device {
        name: words::device(&known.name),
        used: frame::stamp(known.device.used),
        here: here.is_some_and(|Mark(mark)| mark == known.mark),
        id: Mark(known.mark).text(),
    });
    frame::page(&Sessions {
        t: signed.text(),
        s: signed.shell(),
        rows: rows.collect(),
        devices: devices.collect(),
    })
}

/// `POST /account/sessions/end`.
pub async fn end(signed: Signed, form: Form) -> Response {
    let Some(other) = Mark::parse(form.get("session")) else { return frame::missing(&signed) };
    let answer = signed.people().end_session(&signed.visit(), &signed.present, other).await;
    back(&signed, answer)
}

/// `POST /account/sessions/end-all`: this session ends too, and its next page says so.
pub async fn end_all(signed: Signed) -> Response {
    let answer = signed.people().sign_out_everywhere(&signed.visit(), &signed.present).await;
    back(&signed, answer)
}

/// `POST /account/devices/forget`.
pub async fn forget_device(signed: Signed, form: Form) -> Response {
    let Some(device) = Mark::parse(form.get("device")) else { return frame::missing(&signed) };
    let (people, visit) = (signed.people(), signed.visit());
    let answer = people.remove_device(&visit, &signed.present, device).await;
    back(&signed, answer)
}

fn back(signed: &Signed, answer: Result<Answer, Trouble>) -> Response {
    match answer {
        Ok(Answer::Done) => frame::to("/account/sessions"),
        Ok(Answer::Refused(reason)) => frame::refused(signed, reason),
        Ok(Answer::Held(held)) => frame::refused(signed, held.reason),
        Err(trouble) => busy(signed, &trouble),
    }
}

/// `GET /account/history`.
pub async fn history(signed: Signed) -> Response {
    let store = signed.app.gate.store();
    let events = match store.people().events(signed.person.id, EVENTS).await {
        Ok(events) => events,
        Err(error) => return busy(&signed, &Trouble::Store(error)),
    };
    let rows = events.iter().map(|event| Event {
        time: frame::stamp(event.at),
        key: key(event.kind),
        place: place(&signed, event),
        state: state(event.kind),
    });
    frame::page(&History { t: signed.text(), s: signed.shell(), rows: rows.collect() })
}

fn place(signed: &Signed, event: &dancu_store::people::Event) -> String {
    match event.source {
        Some(source) => format!("{} · {source}", words::device(&event.agent)),
        None => signed.text().get("history-by-others"),
    }
}

/// Words of an event; each kind has its own.
fn key(kind: EventKind) -> &'static str {
    match kind {
        EventKind::SignedIn => "event-sign-in",
        EventKind::WrongPassword => "event-wrong-password",
        EventKind::WrongFactor => "event-wrong-factor",
        EventKind::WrongUnlock => "event-wrong-unlock",
        EventKind::SignedOut => "event-sign-out",
        EventKind::SessionReplaced => "event-replaced",
        EventKind::SessionsEnded => "event-session-ended",
        EventKind::ScreenUnlocked => "event-unlocked-screen",
        EventKind::PasswordChanged => "event-password",
        EventKind::PasswordGiven => "event-password-given",
        EventKind::FactorAdded => "event-factor",
        EventKind::FactorRemoved => "event-factor-removed",
        EventKind::FactorLost => "event-factor-lost",
        EventKind::Vouched => "event-vouched",
        EventKind::RecoveryMade => "event-recovery",
        EventKind::RecoveryUsed => "event-recovery-used",
        EventKind::DeviceAdded => "event-device",
        EventKind::DeviceForgotten => "event-device-forgotten",
        EventKind::Invited => "event-invited",
        EventKind::InvitationWithdrawn => "event-invitation-withdrawn",
        EventKind::Activated => "event-activated",
        EventKind::Suspended => "event-suspended",
        EventKind::Resumed => "event-resumed",
        EventKind::Locked => "event-locked",
        EventKind::Unlocked => "event-unlocked",
        EventKind::Reenabled => "event-reenabled",
        EventKind::Revoked => "event-revoked",
        EventKind::RolesChanged => "event-roles",
        EventKind::Trained => "event-trained",
    }
}

fn state(kind: EventKind) -> State {
    if kind.is_failure() { states::FAILED } else { states::DONE }
}
