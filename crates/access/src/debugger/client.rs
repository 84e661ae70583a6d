//! client_id and client_secret at the token endpoint taken apart.

use dancu_domain::credentials::CredentialKind;
use dancu_domain::registration::{OauthAccess, Snapshot};

use super::paste::Pasted;
use super::{Case, Check, Hint, Name, State, Told, Way, certificate_check, source_check};
use crate::AuthFailure;
use crate::client::{authenticate, by_secret, same};

pub(super) fn explain(snapshot: &Snapshot, case: &Case<'_>, pasted: &Pasted<'_>) -> Told {
    let certificate = case.certificate();
    let mut proof = pasted.proof();
    proof.certificate = certificate.as_ref();
    let mut told =
        Told { way: Way::Secret, verdict: Err(AuthFailure::Wrong), checks: vec![], envelope: None };
    let checks = &mut told.checks;
    checks.extend(grant_check(pasted));
    let Some(access) = &case.system.oauth else {
        checks.push(Check::of(Name::ClientId, false, "", ""));
        return told;
    };
    let (id, secret) = match by_secret(&proof) {
        Ok(read) => read,
        Err(failure) => {
            let check =
                Check::of(Name::Credentials, false, "Basic base64(client_id:client_secret)", "");
            let malformed = failure == AuthFailure::Malformed;
            checks.push(if malformed { check.hint(Hint::NotBasic) } else { check });
            told.verdict = Err(failure);
            return told;
        }
    };
    checks.push(Check::of(Name::ClientId, id == access.client_id, &access.client_id, &id));
    if id == access.client_id {
        told.verdict = authenticate(snapshot, &proof, case.audience, &case.arrival()).map(drop);
    }
    checks.push(secret_check(case, access, &secret));
    checks.extend([certificate_check(case), source_check(case)]);
    told
}

/// What the token endpoint asks of the form before it looks at anybody.
pub(super) fn grant_check(pasted: &Pasted<'_>) -> Option<Check> {
    const EXPECTED: &str = "client_credentials";
    let grant = pasted.grant_type.as_deref()?;
    Some(Check::of(Name::Grant, grant == EXPECTED, EXPECTED, grant))
}

fn secret_check(case: &Case<'_>, access: &OauthAccess, secret: &str) -> Check {
    let facts = &case.system.facts;
    let fits = |secret: &str, ended: bool| {
        access.secrets.iter().enumerate().any(|(place, known)| {
            let valid = facts.is_valid(CredentialKind::Client, place, case.at);
            (ended || valid) && same(known, secret)
        })
    };
    let right = fits(secret, false);
    // A secret is told by its length alone.
    let length = |secret: &[u8]| format!("•••• · {}", secret.len());
    let expected = access.secrets.first().map(|s| length(&s.0)).unwrap_or_default();
    let check = Check::of(Name::ClientSecret, right, expected, &length(secret.as_bytes()));
    if right {
        return check;
    }
    let soap = case.system.soap.as_ref();
    if fits(secret, true) {
        check.hint(Hint::EndedSecret)
    } else if soap.is_some_and(|a| a.secrets.iter().any(|known| same(known, secret))) {
        check.hint(Hint::OtherSecret)
    } else if fits(secret.trim(), true) {
        check.hint(Hint::BlankAtEnd)
    } else if access.secrets.is_empty() {
        Check { state: State::Wrong, ..check }
    } else {
        check
    }
}
