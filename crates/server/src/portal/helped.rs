//! What a unit did so that a person comes in again, told to the person at the next sign-in (E2):
//! who did not ask for it learns of it here, and calls the centre.

use dancu_domain::people::PersonId;
use dancu_store::people::{Event, EventKind};

use super::frame;
use super::signed::Facts;

/// Events that are looked through: what happens to an account between two sign-ins is far less, and
/// failures, which anybody causes, have a limit of their own.
const LOOKED: u32 = 100;

/// Sentences about what was done between the last sign-in but one and the last; none where nothing
/// was. What cannot be read is told by the account's history.
pub async fn since_before(facts: &Facts, person: PersonId) -> Vec<String> {
    let events = facts.app.gate.store().people().events(person, LOOKED).await;
    let events = events.unwrap_or_else(|error| {
        tracing::warn!(error = %error, "what was done for an account could not be read");
        vec![]
    });
    let t = facts.text();
    helped(&events).map(|(event, key)| t.with(key, "day", frame::stamp(event.at))).collect()
}

/// The newest event is the last sign-in.
fn helped(events: &[Event]) -> impl Iterator<Item = (&Event, &'static str)> {
    let is_sign_in = |event: &&Event| event.kind == EventKind::SignedIn;
    let since = events.iter().skip_while(move |e| !is_sign_in(e)).skip(1);
    since.take_while(move |e| !is_sign_in(e)).filter_map(|event| match event.kind {
        EventKind::PasswordGiven => Some((event, "helped-password")),
        EventKind::Vouched => Some((event, "helped-factor")),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use dancu_domain::moment::Moment;

    #[test]
    fn rule_e2_what_was_done_since_the_sign_in_before_is_told() {
        let event = |kind| Event { at: Moment(0), kind, source: None, agent: String::new() };
        let all = [
            EventKind::SignedIn,
            EventKind::RecoveryMade,
            EventKind::Vouched,
            EventKind::WrongPassword,
            EventKind::PasswordGiven,
            EventKind::SignedIn,
            EventKind::PasswordGiven,
        ];
        let keys = |kinds: &[EventKind]| {
            let events: Vec<Event> = kinds.iter().map(|kind| event(*kind)).collect();
            helped(&events).map(|(_, key)| key).collect::<Vec<_>>()
        };
        assert_eq!(keys(&all), ["helped-factor", "helped-password"]);
        assert_eq!(keys(&all[5..]), ["helped-password"], "since ever");
        assert!(keys(&[EventKind::SignedIn]).is_empty() && keys(&[]).is_empty());
    }
}
