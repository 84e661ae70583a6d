//! Words that several desks say: services, windows, states, and what the office refuses.

use axum::response::Response;
use dancu_domain::registration::ConnectionState;
use dancu_domain::service::{Service, Window};
use dancu_office::Refused;
use dancu_portal::operator::states as desk;
use dancu_portal::parts::{State, states};
use dancu_portal::text::{Language, Text};
use dancu_store::Error;

use super::frame;
use super::signed::{Facts, Framed};

/// A service in words.
pub fn service(t: &Text, service: Service) -> String {
    t.get(format!("service-{}", service.code().replace('.', "-")))
}

/// Key of a window's words.
pub const fn window_key(window: Window) -> &'static str {
    match window {
        Window::InHours => "window-in",
        Window::OffHours => "window-off",
    }
}

/// A service and its window in words.
pub fn place(t: &Text, of: Service, window: Window) -> String {
    format!("{} · {}", service(t, of), t.get(window_key(window)))
}

/// A connection's state.
pub const fn connection(state: ConnectionState) -> State {
    match state {
        ConnectionState::Preparing => desk::PREPARING,
        ConnectionState::Live => states::ACTIVE,
        ConnectionState::Suspended => states::SUSPENDED,
        ConnectionState::Locked => states::LOCKED,
        ConnectionState::Closed => desk::CLOSED,
    }
}

/// What the office refuses, as a sentence for people; `None` where the store failed, which is no
/// answer to a person.
pub fn refused(facts: &Facts, refused: &Refused) -> Option<String> {
    let t = facts.text();
    Some(match refused {
        Refused::Reason(reason) => frame::sentences(facts.lang, *reason),
        Refused::NoReason => t.get("bulk-reason-missing"),
        Refused::NotLocked | Refused::Gone => t.get("unlock-gone"),
        Refused::Over => t.get("raises-passed"),
        Refused::Field { vi, en, .. } => match facts.lang {
            Language::Vietnamese => vi.clone(),
            Language::English => en.clone(),
        },
        Refused::Store(Error::Refused(text)) => text.clone(),
        Refused::Store(error @ Error::Final(_)) => error.to_string(),
        Refused::Store(_) => return None,
        other => other.to_string(),
    })
}

/// The answer where the store failed: told to whoever runs the centre, without what was asked.
pub fn failed(who: &impl Framed, refused: &Refused) -> Response {
    tracing::error!(error = %refused, "an act of the portal failed");
    frame::unavailable(who)
}

/// The same for a read.
pub fn unread(who: &impl Framed, error: &Error) -> Response {
    tracing::error!(error = %error, "a page of the portal could not be read");
    frame::unavailable(who)
}
