//! client_id and client_secret at the token endpoint taken apart.

use dancu_domain::credentials::CredentialKind;
use dancu_domain::registration::{OauthAccess, Snapshot};

use super::paste::Pasted;
use super::{Case, Check, HIDDEN, Hint, Name, State, Told, Way, certificate_check, source_check};
use crate::AuthFailure;
use crate::client::{CLIENT_CREDENTIALS, JWT_BEARER, authenticate, by_secret, same};

pub(super) fn explain(snapshot: &Snapshot, case: &Case<'_>, pasted: &Pasted<'_>) -> Told {
    let certificate = case.certificate();
    let mut proof = pasted.proof();
    proof.certificate = certificate.as_ref();
    let mut told =
        Told { way: Way::Secret, verdict: Err(AuthFailure::Wrong), checks: vec![], envelope: None };
    let checks = &mut told.checks;
    let asked = asked(pasted, checks);
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
    let ours = id == access.client_id;
    // Where a secret with a colon stands first, what is before the colon is its beginning.
    let broken = !ours && secret.contains(':');
    let sent = if broken { HIDDEN } else { case.name(&id, &access.client_id) };
    checks.push(Check::of(Name::ClientId, ours, &access.client_id, sent));
    if ours {
        let proved = authenticate(snapshot, &proof, case.audience, &case.arrival());
        told.verdict = asked.and(proved.map(drop));
    }
    checks.push(secret_check(case, access, &secret));
    checks.extend([certificate_check(case), source_check(case)]);
    told
}

/// What the token endpoint asks of the form before it looks at anybody. Where only a header or an
/// assertion was pasted, the form that it came with is taken for right.
pub(super) fn asked(pasted: &Pasted<'_>, checks: &mut Vec<Check>) -> Result<(), AuthFailure> {
    if !pasted.has_form {
        let open = Check::new(Name::Grant, State::Open, CLIENT_CREDENTIALS, "");
        checks.push(open.hint(Hint::NotInPaste));
        return Ok(());
    }
    let grant = pasted.grant();
    let sent = grant.grant_type.unwrap_or_default();
    checks.push(Check::of(Name::Grant, grant.is_offered(), CLIENT_CREDENTIALS, sent));
    if grant.by_assertion {
        let (named, sent) = (grant.is_assertion_named(), grant.assertion_type.unwrap_or_default());
        checks.push(Check::of(Name::AssertionType, named, JWT_BEARER, sent));
    }
    grant.check().map_err(|_| AuthFailure::Malformed)
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
    let length = |secret: &[u8]| format!("{HIDDEN} · {}", secret.len());
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
