//! Words that several desks say: services, windows, states, and what the office refuses.

use axum::response::Response;
use dancu_domain::ids::{Login, PersonalId};
use dancu_domain::registration::ConnectionState;
use dancu_domain::service::{Service, Window};
use dancu_office::Refused;
use dancu_portal::operator::states as desk;
use dancu_portal::parts::{State, states};
use dancu_portal::text::{Language, Text};
use dancu_store::Error;

use super::frame;
use super::signed::{Facts, Framed, Signed};

/// A login as desks show it to who is no auditor with a ground. One that is a citizen's id is
/// personal data, of which only its end is shown: integrators and incident leads never see more
/// (A6, B6).
pub fn login(login: &Login) -> String {
    match PersonalId::parse(login.as_str()) {
        Ok(id) if login.is_personal_data() => personal_id(id),
        _ => login.as_str().to_owned(),
    }
}

/// What the journal calls an actor, the same way.
pub fn actor(text: &str) -> String {
    Login::parse(text).map_or_else(|_| text.to_owned(), |known| login(&known))
}

/// A citizen's id with all but its last three digits hidden.
pub fn personal_id(id: PersonalId) -> String {
    let digits = id.to_string();
    format!("••• ••• ••• {}", digits.get(9..).unwrap_or_default())
}

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

/// What was refused, as a page of its own.
pub fn answered(signed: &Signed, refused: &Refused) -> Response {
    match refused {
        Refused::Reason(reason) => frame::refused(signed, *reason),
        Refused::Gone => frame::missing(signed),
        other => failed(signed, other),
    }
}

/// What the office refuses, as a sentence for people; `None` where the store failed, which is no
/// answer to a person.
pub fn refused(facts: &Facts, refused: &Refused) -> Option<String> {
    let t = facts.text();
    Some(match refused {
        Refused::Reason(reason) => frame::sentences(facts.lang, *reason),
        Refused::NoReason => t.get("reason-missing"),
        Refused::NotLocked => t.get("unlock-gone"),
        Refused::Gone => t.get("act-gone"),
        Refused::Over => t.get("raises-passed"),
        Refused::Field { vi, en, .. } => match facts.lang {
            Language::Vietnamese => vi.clone(),
            Language::English => en.clone(),
        },
        Refused::Dossier(blocked) => {
            let (what, todo) = match facts.lang {
                Language::Vietnamese => (blocked.vi(), blocked.what_to_do_vi()),
                Language::English => (blocked.en(), blocked.what_to_do()),
            };
            format!("{what} {todo} ({})", blocked.rule())
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_a6_a_login_that_is_a_citizens_id_is_masked() {
        let shown = |text: &str| login(&Login::parse(text).unwrap());
        assert_eq!(shown("099301012345"), "••• ••• ••• 345");
        assert_eq!(shown("mau.canbo1"), "mau.canbo1");
        assert_eq!(actor("099301012345"), "••• ••• ••• 345");
        assert_eq!(actor("Trần Văn A [root]"), "Trần Văn A [root]");
    }
}
