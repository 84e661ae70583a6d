//! Words and choices about an officer.

use dancu_domain::people::account::{Phase, RevokeCause};
use dancu_domain::people::factors::SeenInPerson;
use dancu_office::officers::{Officer, State as Standing, StateAct};
use dancu_portal::head::{Training, WayBack};
use dancu_portal::parts::{Choice, State, states};
use dancu_portal::text::Text;

use crate::portal::frame;
use crate::portal::signed::Signed;

/// A state of an officer.
pub(super) const fn state(state: Standing) -> State {
    match state {
        Standing::Active => states::ACTIVE,
        Standing::Invited => states::NEW,
        Standing::InvitationExpired => states::EXPIRED_INVITATION,
        Standing::Suspended => states::SUSPENDED,
        Standing::Disabled => states::DISABLED,
        Standing::Locked => states::LOCKED,
        Standing::Revoked => states::REVOKED,
    }
}

/// The word of a state in addresses.
pub(super) const fn word(state: Standing) -> &'static str {
    match state {
        Standing::Active => "active",
        Standing::Invited => "invited",
        Standing::InvitationExpired => "expired",
        Standing::Suspended => "suspended",
        Standing::Disabled => "disabled",
        Standing::Locked => "locked",
        Standing::Revoked => "revoked",
    }
}

/// Acts on the state: word of the form, key of its words, what is done.
const ACTS: [(&str, &str, StateAct); 6] = [
    ("suspend", "officer-act-suspend", StateAct::Suspend),
    ("resume", "officer-act-resume", StateAct::Resume),
    revoking("officer-act-transfer", RevokeCause::Transferred),
    revoking("officer-act-left", RevokeCause::Left),
    revoking("officer-act-duplicate", RevokeCause::Duplicate),
    revoking("officer-act-misused", RevokeCause::Misused),
];

/// A revocation goes by the word of its cause.
const fn revoking(key: &'static str, cause: RevokeCause) -> (&'static str, &'static str, StateAct) {
    (cause.code(), key, StateAct::Revoke(cause))
}

/// The act of a word.
pub(super) fn act(word: &str) -> Option<StateAct> {
    ACTS.iter().find(|(w, ..)| *w == word).map(|(.., act)| *act)
}

/// Acts that fit the officer. Who never came to the portal may be at work in the agency's own
/// software, with an account that is suspended.
pub(super) fn acts(t: &Text, officer: &Officer, chosen: &str) -> Vec<Choice> {
    let state = officer.state;
    let fits = |act: StateAct| match act {
        StateAct::Suspend => match state {
            Standing::Active | Standing::Disabled => true,
            Standing::Invited | Standing::InvitationExpired => officer.listed.is_some(),
            Standing::Suspended | Standing::Locked | Standing::Revoked => false,
        },
        StateAct::Resume => state == Standing::Suspended,
        StateAct::Revoke(_) => state != Standing::Revoked,
    };
    let fitting = ACTS.iter().filter(|(.., act)| fits(*act));
    fitting
        .map(|(word, key, _)| Choice {
            value: (*word).to_owned(),
            label: t.get(key),
            chosen: *word == chosen,
        })
        .collect()
}

/// How identity was made sure of.
const SEEN: [(SeenInPerson, &str); 3] = [
    (SeenInPerson::CitizenCard, "vouch-citizen-card"),
    (SeenInPerson::ServiceCard, "vouch-service-card"),
    (SeenInPerson::KnownInPerson, "vouch-known"),
];

/// The way of a word.
pub(super) fn seen(word: &str) -> Option<SeenInPerson> {
    SEEN.into_iter().map(|(seen, _)| seen).find(|seen| seen.code() == word)
}

/// Until when the officer's training is good, and the form that records one (E5); none for who
/// is no person of the portal, or no more.
pub(super) fn training(signed: &Signed, officer: &Officer, typed: &str) -> Option<Training> {
    let person = officer.person.as_ref().filter(|_| officer.state != Standing::Revoked)?;
    let profile = signed.app.gate.store().profiles().at(signed.now);
    let until = person.account.trained_until(profile)?;
    Some(Training {
        until: frame::date(until),
        lapsed: person.account.training_lapsed(signed.now, profile),
        on: typed.to_owned(),
    })
}

/// Whether the officer was invited and never came.
pub(super) fn is_invited(officer: &Officer) -> bool {
    officer.person.as_ref().is_some_and(|p| matches!(p.account.phase, Phase::Invited { .. }))
}

/// Ways into the portal that fit an officer. Nobody is invited under a lock or a suspension (D6).
pub(super) fn back(t: &Text, officer: &Officer) -> Vec<WayBack> {
    let way = |name: &str, key, why, choices| WayBack {
        action: format!("/unit/officers/{}/{name}", officer.who),
        key,
        why,
        choices,
    };
    let none = Vec::new;
    match (&officer.person, officer.state) {
        (_, Standing::Revoked) => vec![],
        (None, _) if officer.invitable => {
            vec![way("invite", "way-invite", "way-invite-why", none())]
        }
        (Some(_), _) if is_invited(officer) && officer.invitable => {
            vec![way("password", "way-reinvite", "way-reinvite-why", none())]
        }
        (None, _) => vec![],
        (Some(_), _) if is_invited(officer) => vec![],
        (Some(_), state) => {
            let choice = |(seen, key): &(SeenInPerson, &str)| Choice {
                value: seen.code().to_owned(),
                label: t.get(key),
                chosen: false,
            };
            let seen = SEEN.iter().map(choice).collect();
            let mut ways = vec![
                way("password", "way-password", "way-password-why", none()),
                way("vouch", "way-vouch", "way-vouch-why", seen),
            ];
            if state == Standing::Disabled {
                ways.insert(0, way("reenable", "way-reenable", "way-reenable-why", none()));
            }
            ways
        }
    }
}
