//! An access token taken apart.

use dancu_domain::moment::Moment;
use dancu_store::keys::Key;

use super::paste::Pasted;
use super::soap::subsystem_check;
use super::{Case, Check, Hint, Name, State, Told, Way, certificate_check, source_check};
use crate::soap::check_subsystem;
use crate::token::{self, Claims};
use crate::{AuthFailure, certificate};

pub(super) fn explain(key: &Key, case: &Case<'_>, pasted: &Pasted<'_>) -> Told {
    let text = pasted.authorization.as_deref().and_then(token::of_header).unwrap_or_default();
    let read = token::read(key, text);
    let mut checks = vec![token_check(case, text, &read)];
    let mut verdict = read.map(drop);
    // A token of another system is told like one of nobody.
    let own = read.ok().filter(|claims| claims.system == case.system.id);
    if let Some(claims) = own {
        let current = claims.credential_version == case.system.credential_version;
        let of = Check::of(Name::TokenOf, current, case.system.code.as_str(), "");
        let of = if current { of } else { of.hint(Hint::ChangedSince) };
        checks.push(expiry_check(&claims, case));
        checks.push(of);
        checks.push(bound_check(&claims, case));
        checks.push(source_check(case));
        verdict = judged(&claims, case);
        // The SOAP service alone looks at it, and at what was sent alone.
        let soap = case.system.soap.as_ref().filter(|_| pasted.is_to_soap());
        if let (Some(access), Some(sent)) = (soap, pasted.x_road_client) {
            checks.extend(subsystem_check(access, Some(sent)));
            verdict = verdict.and_then(|()| check_subsystem(access, Some(sent)));
        }
    } else if read.is_ok() {
        verdict = Err(AuthFailure::Wrong);
        checks = vec![token_check(case, text, &Err(AuthFailure::Wrong))];
    }
    Told { way: Way::Token, verdict, checks, envelope: None }
}

/// What authentication says of a token of this system.
fn judged(claims: &Claims, case: &Case<'_>) -> Result<(), AuthFailure> {
    if claims.expires_at <= case.machine {
        return Err(AuthFailure::Stale);
    }
    let shown = claims.certificate.or_else(|| case.certificate());
    token::admit(claims, case.system, shown.as_ref(), case.arrival().source)
}

fn token_check(case: &Case<'_>, text: &str, read: &Result<Claims, AuthFailure>) -> Check {
    let (is_jwt, is_ours) = (is_jwt(text), token::is_ours(text));
    let begin = case.beginning(text, is_jwt || is_ours);
    let got = format!("{begin} · {}", text.chars().count());
    let check = Check::of(Name::Token, read.is_ok(), "dcu1.… | dcu2.…", &got);
    if read.is_ok() {
        return check;
    }
    let broken = text.contains(|c: char| c.is_whitespace() || c == '"' || c == '\'')
        || *read == Err(AuthFailure::Malformed);
    match (is_jwt, is_ours && broken) {
        (true, _) => check.hint(Hint::ForeignToken),
        (_, true) => check.hint(Hint::BrokenToken),
        _ => check,
    }
}

/// Whether a text begins as a JWT does, and has as many parts.
pub(super) fn is_jwt(text: &str) -> bool {
    text.starts_with("ey") && text.split('.').count() == 3
}

fn expiry_check(claims: &Claims, case: &Case<'_>) -> Check {
    let now = format!("> {}", Moment(case.machine).rfc3339());
    let end = Moment(claims.expires_at).rfc3339();
    let right = claims.expires_at > case.machine;
    let check = Check::of(Name::Expiry, right, now, &end);
    if right { check } else { check.hint(Hint::MayBeOld) }
}

fn bound_check(claims: &Claims, case: &Case<'_>) -> Check {
    match &claims.certificate {
        None => certificate_check(case),
        Some(bound) => {
            let known = case.system.certificates.sha256.contains(bound);
            let expected = format!("x5t#S256 = {}", &certificate::text(bound)[..16]);
            let state = if known { State::Open } else { State::Wrong };
            Check::new(Name::Certificate, state, expected, "").hint(Hint::BoundToken)
        }
    }
}
