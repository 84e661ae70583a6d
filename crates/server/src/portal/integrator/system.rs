//! Credentials of one system.

use std::collections::HashMap;

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use dancu_access::certificate;
use dancu_access::public_key::PublicKey;
use dancu_domain::credentials::{CredentialFacts, CredentialKind, UNNUMBERED};
use dancu_domain::moment::Moment;
use dancu_domain::people::powers::Power;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::registration::{CertificateMode, System};
use dancu_office::credentials::OVERLAP_DAYS;
use dancu_portal::integrator::{self as page, Credential, Group, Typed, states};
use dancu_portal::parts::{Choice, FieldError, State};
use dancu_portal::text::Text;
use dancu_store::credential_use::Use;

use super::{Own, head, may, user};
use crate::portal::frame::Told;
use crate::portal::signed::Signed;
use crate::portal::{form, frame, words};
use crate::stop::Handled;

/// Days for which the secret before may stay valid, to choose from.
pub(super) const OVERLAPS: [u32; 4] = [1, 7, OVERLAP_DAYS, 90];

/// What is told as done.
const TOLD: [(&str, &str); 4] = [
    ("material", "cred-told-material"),
    ("sources", "cred-told-sources"),
    ("revoked", "cred-told-revoked"),
    ("again", "cred-made-again"),
];

/// When each credential of a system was last used, by its number.
pub(super) struct Uses(HashMap<u32, Moment>);

impl Uses {
    /// What was written by every node, and what this one noted since.
    pub(super) async fn of(signed: &Signed, system: &System) -> dancu_store::Result<Self> {
        let gate = &signed.app.gate;
        let written = gate.store().uses_of(system.id).await?;
        let mut last: HashMap<u32, Moment> =
            written.iter().map(|Use { number, at, .. }| (*number, *at)).collect();
        for facts in CredentialKind::ALL.into_iter().flat_map(|kind| system.facts.of(kind)) {
            if let Some(at) = gate.uses.of(system.id, facts.number) {
                let known = last.entry(facts.number).or_insert(at);
                *known = at.max(*known);
            }
        }
        Ok(Self(last))
    }

    /// To the hour, as it is written; empty where there was none.
    pub(super) fn words(&self, number: u32) -> String {
        const HOUR: i64 = dancu_domain::moment::HOUR_MS;
        let at = self.0.get(&number).filter(|at| at.0 > 0);
        at.map(|at| frame::stamp(Moment(at.0 - at.0.rem_euclid(HOUR)))).unwrap_or_default()
    }
}

/// `GET /integrator/{code}`
pub(super) async fn show(
    signed: Signed,
    Path(code): Path<String>,
    Query(told): Query<Told>,
) -> Handled {
    let own = Own::find(&signed, &code, Power::RevokeCredentials).await?;
    Ok(page_of(&signed, &own, None, vec![], told.key(&TOLD)).await)
}

/// The page, with what was typed where something is wrong with it.
pub(super) async fn page_of(
    signed: &Signed,
    own: &Own,
    typed: Option<Typed>,
    errors: Vec<FieldError>,
    told: Option<&'static str>,
) -> Response {
    let system = &*own.system;
    let uses = match Uses::of(signed, system).await {
        Ok(uses) => uses,
        Err(error) => return words::unread(signed, &error),
    };
    let t = signed.text();
    let sources: Vec<String> = system.facts.sources.iter().map(ToString::to_string).collect();
    // A form is shown to whoever holds the power; the fresh factor is asked for when it is sent.
    let manage = match may(signed, Power::ManageCredentials, system) {
        Ok(()) => true,
        Err(reason) => reason == PortalReason::FreshMfaNeeded,
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = page::System {
        tabs: own.tabs(signed),
        errors,
        told,
        ending: ending(&t, system, signed.now),
        groups: CredentialKind::ALL
            .map(|kind| group(&t, system, kind, signed.now, &uses))
            .into_iter()
            .collect(),
        mode_key: match system.certificates.mode {
            CertificateMode::Off => "cred-mode-off",
            CertificateMode::Optional => "cred-mode-optional",
            CertificateMode::Required => "cred-mode-required",
        },
        typed: typed.unwrap_or_else(|| Typed { sources: sources.join("\n"), ..Typed::default() }),
        sources,
        manage,
        kinds: kinds(&t, system),
        overlaps: OVERLAPS
            .map(|days| Choice {
                value: days.to_string(),
                label: t.with("cred-overlap-days", "count", days),
                chosen: days == OVERLAP_DAYS,
            })
            .into(),
        seen: system.facts.last.to_string(),
        once: form::once(),
        s: signed.shell(),
        t,
    };
    frame::page_with(status, &page)
}

/// Ways to connect that the system is registered for.
fn kinds(t: &Text, system: &System) -> Vec<Choice> {
    let soap = system.soap.is_some().then_some((CredentialKind::Soap, "cred-kind-soap"));
    let client = system.oauth.is_some().then_some((CredentialKind::Client, "cred-kind-client"));
    let kinds = soap.into_iter().chain(client);
    let choice = |(kind, key): (CredentialKind, &str)| Choice {
        value: kind.code().to_owned(),
        label: t.get(key),
        chosen: false,
    };
    kinds.map(choice).collect()
}

fn ending(t: &Text, system: &System, now: Moment) -> Vec<(String, String)> {
    let kinds = CredentialKind::ALL.into_iter();
    let all = kinds.flat_map(|kind| system.facts.of(kind).iter().map(move |f| (kind, f)));
    let near = all.filter(|(_, facts)| facts.ends_soon(now));
    near.filter_map(|(kind, facts)| {
        let name = format!("{} · {}", t.get(head(kind)), label(t, facts));
        Some((name, frame::stamp(facts.until?)))
    })
    .collect()
}

fn group(t: &Text, system: &System, kind: CredentialKind, now: Moment, uses: &Uses) -> Group {
    let count = match kind {
        CredentialKind::Soap => system.soap.as_ref().map(|access| access.secrets.len()),
        CredentialKind::Client => system.oauth.as_ref().map(|access| access.secrets.len()),
        CredentialKind::Key => system.oauth.as_ref().map(|access| access.public_keys.len()),
        CredentialKind::Certificate => Some(system.certificates.sha256.len()),
    };
    let known = system.facts.of(kind).iter().enumerate().take(count.unwrap_or(0));
    let code = system.code.as_str();
    Group {
        kind: kind.code(),
        head: head(kind),
        user: user(system, kind).to_owned(),
        registered: count.is_some(),
        rows: known
            .map(|(place, facts)| Credential {
                label: label(t, facts),
                detail: detail(system, kind, place),
                since: facts.since.map(frame::day).unwrap_or_default(),
                until: facts.until.map(frame::stamp).unwrap_or_default(),
                last: uses.words(facts.number),
                state: state(facts, now),
                revoke: format!(
                    "/integrator/{code}/revoke?kind={}&number={}",
                    kind.code(),
                    facts.number
                ),
            })
            .collect(),
    }
}

/// What a credential is called: its name, or its number.
pub(super) fn label(t: &Text, facts: &CredentialFacts) -> String {
    match (facts.name.as_str(), facts.number) {
        ("", UNNUMBERED..) => t.get("cred-number-first"),
        ("", number) => t.with("cred-number", "number", number),
        (name, UNNUMBERED..) => name.to_owned(),
        (name, number) => format!("{name} ({})", t.with("cred-number", "number", number)),
    }
}

/// What can be told of it: of secrets nothing.
fn detail(system: &System, kind: CredentialKind, place: usize) -> String {
    match kind {
        CredentialKind::Soap | CredentialKind::Client => String::new(),
        CredentialKind::Key => {
            let keys = system.oauth.as_ref().map_or(&[][..], |access| &access.public_keys);
            keys.get(place).map(|pem| PublicKey::kind_of(pem)).unwrap_or_default()
        }
        CredentialKind::Certificate => {
            let print = system.certificates.sha256.get(place).map(certificate::text);
            print.map(|text| format!("SHA-256 {}…", &text[..16])).unwrap_or_default()
        }
    }
}

fn state(facts: &CredentialFacts, now: Moment) -> State {
    if !facts.is_valid(now) {
        states::ENDED
    } else if facts.ends_soon(now) {
        states::ENDING
    } else {
        states::VALID
    }
}
