//! A client assertion (RFC 7523) taken apart.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dancu_domain::moment::Moment;
use dancu_domain::registration::{OauthAccess, Snapshot};
use jsonwebtoken::{Algorithm, Validation};
use serde_json::Value;

use super::client::asked;
use super::paste::Pasted;
use super::{Case, Check, Hint, Name, State, Told, Way, certificate_check, source_check};
use crate::AuthFailure;
use crate::client::{ASSERTION_MS, authenticate, decoding_key, family};
use crate::public_key::PublicKey;

/// Algorithms that are taken, as they are told.
const ALGORITHMS: &str = "RS256, RS384, RS512, PS256, ES256, ES384, EdDSA";
/// `exp` beyond this is in milliseconds: 10^11 s is the year 5138.
const SECONDS_BELOW: i64 = 100_000_000_000;

/// Header and claims, read without believing them.
struct Parts {
    header: Value,
    claims: Value,
}

impl Parts {
    fn read(assertion: &str) -> Option<Self> {
        let mut parts = assertion.trim().split('.');
        let mut json = || {
            let bytes = URL_SAFE_NO_PAD.decode(parts.next()?.trim_end_matches('=')).ok()?;
            serde_json::from_slice::<Value>(&bytes).ok()
        };
        let (header, claims) = (json()?, json()?);
        (parts.next().is_some() && parts.next().is_none()).then_some(Self { header, claims })
    }

    fn text(value: &Value) -> String {
        match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

pub(super) fn explain(snapshot: &Snapshot, case: &Case<'_>, pasted: &Pasted<'_>) -> Told {
    let assertion = pasted.assertion.as_deref().unwrap_or_default();
    let certificate = case.certificate();
    let mut proof = pasted.proof();
    proof.certificate = certificate.as_ref();
    let mut told = Told {
        way: Way::Assertion,
        verdict: Err(AuthFailure::Malformed),
        checks: vec![],
        envelope: None,
    };
    let checks = &mut told.checks;
    let asked = asked(pasted, checks);
    let (Some(parts), Some(access)) = (Parts::read(assertion), &case.system.oauth) else {
        checks.push(Check::of(Name::Credentials, false, "JWT", "").hint(Hint::BrokenToken));
        return told;
    };
    let (subject, issuer) = (&parts.claims["sub"], &parts.claims["iss"]);
    let algorithm = serde_json::from_value::<Algorithm>(parts.header["alg"].clone()).ok();
    let taken = algorithm.is_some_and(|algorithm| family(algorithm).is_some());
    let sent = Parts::text(&parts.header["alg"]);
    checks.push(Check::of(Name::Algorithm, taken, ALGORITHMS, &sent));
    let id = Value::from(access.client_id.as_str());
    let [issued_by, about] = [issuer, subject].map(Parts::text);
    let name = |sent| case.name(sent, &access.client_id);
    let both = format!("iss={} sub={}", name(&issued_by), name(&about));
    let ours = *subject == id && *issuer == id;
    let expected = format!("iss={0} sub={0}", access.client_id);
    checks.push(Check::of(Name::Subject, ours, expected, &both));
    if *subject == id {
        let proved = authenticate(snapshot, &proof, case.audience, &case.arrival());
        told.verdict = asked.and(proved.map(drop));
    }
    checks.push(key_id_check(&parts));
    if let Some(algorithm) = algorithm.filter(|_| taken) {
        checks.push(signature_check(access, assertion, algorithm));
    }
    checks.push(audience_check(&parts, case.audience));
    checks.extend([certificate_check(case), source_check(case)]);
    checks.push(expiry_check(&parts, case));
    let jti = Parts::text(&parts.claims["jti"]);
    checks.push(Check::of(Name::TokenId, parts.claims["jti"].is_string(), "", &jti));
    told
}

/// Keys are tried one after the other, whatever the assertion calls its own.
fn key_id_check(parts: &Parts) -> Check {
    let kid = Parts::text(&parts.header["kid"]);
    Check::new(Name::KeyId, State::Open, "", &kid)
}

/// The signature alone: what it signs is looked at by other checks.
fn signature_check(access: &OauthAccess, assertion: &str, algorithm: Algorithm) -> Check {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let mut of_kind = 0;
    let mut right = false;
    for pem in &access.public_keys {
        let Ok(Some(key)) = decoding_key(pem, algorithm) else { continue };
        of_kind += 1;
        right |= jsonwebtoken::decode::<Value>(assertion.trim(), &key, &validation).is_ok();
    }
    let kinds: Vec<String> = access.public_keys.iter().map(|pem| PublicKey::kind_of(pem)).collect();
    let check = Check::of(Name::Signature, right, kinds.join(", "), &format!("{algorithm:?}"));
    if right || of_kind > 0 { check } else { check.hint(Hint::NoSuchKey) }
}

fn audience_check(parts: &Parts, expected: &[String]) -> Check {
    let sent = &parts.claims["aud"];
    let is_ours = |value: &Value| value.as_str().is_some_and(|v| expected.iter().any(|e| e == v));
    let right = match sent {
        Value::Array(all) => all.iter().any(is_ours),
        one => is_ours(one),
    };
    Check::of(Name::Audience, right, expected.join(" | "), &Parts::text(sent))
}

fn expiry_check(parts: &Parts, case: &Case<'_>) -> Check {
    let now = Moment(case.machine);
    let most = now.plus_ms(ASSERTION_MS);
    let expected = format!("{} … {}", now.rfc3339(), most.rfc3339());
    let sent = &parts.claims["exp"];
    let Some(exp) = sent.as_i64() else {
        return Check::of(Name::Expiry, false, expected, &Parts::text(sent)).hint(Hint::NoEpoch);
    };
    if exp >= SECONDS_BELOW {
        return Check::of(Name::Expiry, false, expected, &exp.to_string())
            .hint(Hint::InMilliseconds);
    }
    let end = Moment(exp.saturating_mul(1_000));
    let got = format!("{exp} = {}", end.rfc3339());
    if end <= now {
        Check::of(Name::Expiry, false, expected, &got).hint(Hint::MayBeOld)
    } else if end > most {
        Check::of(Name::Expiry, false, expected, &got).hint(Hint::TooLong)
    } else {
        Check::of(Name::Expiry, true, expected, &got)
    }
}
