//! What a unit did so that a person comes in again, told to the person at every sign-in of a week
//! (E2): who did not ask for it learns of it here, and calls the centre.
//!
//! **Invariant:** whoever comes in first does not use the warning up, and nothing that is done
//! afterwards pushes it out.

use std::cmp::Reverse;

use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::people::PersonId;
use dancu_store::desks::Help;
use dancu_store::people::{EVENTS_KEPT, Event, EventKind, FAILURES_KEPT};

use super::frame;
use super::signed::Facts;

/// How long it is told, ms (*ours*): whoever misuses it signs in at once, the person at the latest
/// after some days off. A week reaches both.
const TOLD_MS: i64 = 7 * DAY_MS;
/// Events that are looked through: all that are kept.
const LOOKED: u32 = (EVENTS_KEPT + FAILURES_KEPT) as u32;

/// Sentences about what was done within a week, the newest first; none where nothing was. What
/// cannot be read is told by the account's history.
pub async fn lately(facts: &Facts, person: PersonId) -> Vec<String> {
    let found = read(facts, person).await.unwrap_or_else(|error| {
        tracing::warn!(error = %error, "what was done for an account could not be read");
        vec![]
    });
    let t = facts.text();
    found.into_iter().map(|(at, key)| t.with(key, "day", frame::stamp(at))).collect()
}

async fn read(facts: &Facts, person: PersonId) -> dancu_store::Result<Vec<(Moment, &'static str)>> {
    let store = facts.app.gate.store();
    let events = store.people().events(person, LOOKED).await?;
    let mut last = vec![];
    for help in [Help::Password, Help::Factor] {
        let found = store.desks().last_help(person, help).await?;
        last.extend(found.map(|(_, at)| (help, at)));
    }
    Ok(helped(&events, &last, facts.now))
}

/// From the events, and from who helped last, which is kept by itself: the list of events forgets
/// what others push out.
fn helped(events: &[Event], last: &[(Help, Moment)], now: Moment) -> Vec<(Moment, &'static str)> {
    let told = |kind| match kind {
        EventKind::PasswordGiven => Some("helped-password"),
        EventKind::Vouched => Some("helped-factor"),
        _ => None,
    };
    let mut all: Vec<_> = events.iter().filter_map(|e| Some((e.at, told(e.kind)?))).collect();
    for (help, at) in last {
        let (key, others) = match help {
            // Whoever was invited again got a password as well, and has never been in.
            Help::Password => ("helped-password", Some(EventKind::Invited)),
            Help::Factor => ("helped-factor", None),
        };
        let is_it = |e: &Event| told(e.kind) == Some(key) || Some(e.kind) == others;
        if !events.iter().any(|e| e.at == *at && is_it(e)) {
            all.push((*at, key));
        }
    }
    all.retain(|(at, _)| now.0 - at.0 < TOLD_MS);
    all.sort_by_key(|(at, _)| Reverse(*at));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(100 * DAY_MS);

    fn event(days_ago: i64, kind: EventKind) -> Event {
        Event { at: ago(days_ago), kind, source: None, agent: String::new() }
    }

    fn ago(days: i64) -> Moment {
        NOW.plus_ms(-days * DAY_MS)
    }

    #[test]
    fn rule_e2_what_was_done_within_a_week_is_told_whoever_signed_in_since() {
        let events = [
            event(0, EventKind::SignedIn),
            event(1, EventKind::SignedIn),
            event(2, EventKind::Vouched),
            event(3, EventKind::WrongPassword),
            event(6, EventKind::PasswordGiven),
            event(7, EventKind::PasswordGiven),
        ];
        let both = [(ago(2), "helped-factor"), (ago(6), "helped-password")];
        assert_eq!(helped(&events, &[], NOW), both);
        let last = [(Help::Password, ago(6)), (Help::Factor, ago(2))];
        assert_eq!(helped(&events, &last, NOW), both, "each once");
        // The list of events forgot them.
        assert_eq!(helped(&events[..1], &last, NOW), both);
        assert_eq!(helped(&[], &[(Help::Factor, ago(7))], NOW), []);
        // A new invitation is one.
        let invited = [event(1, EventKind::Invited)];
        assert_eq!(helped(&invited, &[(Help::Password, ago(1))], NOW), []);
        assert_eq!(helped(&invited, &[(Help::Factor, ago(1))], NOW).len(), 1);
    }
}
