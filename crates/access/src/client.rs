//! OAuth client authentication: client_secret_basic, client_secret_post, private_key_jwt.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::constant_time;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dancu_domain::credentials::CredentialKind;
use dancu_domain::moment::Moment;
use dancu_domain::registration::{OauthAccess, Secret, Snapshot, System};
use dancu_store::used::UsedAssertion;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use crate::certificate::{self, Fingerprint};
use crate::public_key::Family;
use crate::soap::{FRESH_MS, sha256_16};
use crate::{Arrival, AuthFailure};

/// Longest life of a client assertion, ms (RFC 7523 leaves it to the server).
pub(crate) const ASSERTION_MS: i64 = 10 * 60 * 1000;
/// The assertion type of RFC 7523.
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The grant that is offered (RFC 6749, 4.4).
pub const CLIENT_CREDENTIALS: &str = "client_credentials";

/// What a token request asks for, beside who asks.
#[derive(Clone, Copy, Default, Debug)]
pub struct Grant<'a> {
    /// grant_type of the form.
    pub grant_type: Option<&'a str>,
    /// Whether the form has a client_assertion.
    pub by_assertion: bool,
    /// client_assertion_type of the form.
    pub assertion_type: Option<&'a str>,
}

/// Why a token request is refused before it is looked at who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WrongGrant {
    /// No grant_type.
    #[error("no grant type")]
    Missing,
    /// Another grant than [`CLIENT_CREDENTIALS`].
    #[error("unsupported grant type")]
    Unsupported,
    /// An assertion whose type is not said, or is another one than [`JWT_BEARER`].
    #[error("assertion of another type")]
    AssertionType,
}

impl Grant<'_> {
    /// Whether it is the grant that is offered.
    pub(crate) fn is_offered(&self) -> bool {
        self.grant_type == Some(CLIENT_CREDENTIALS)
    }

    /// Whether an assertion that is there says its type (RFC 7521, 4.2).
    pub(crate) fn is_assertion_named(&self) -> bool {
        !self.by_assertion || self.assertion_type == Some(JWT_BEARER)
    }

    /// Whether the request asks for what is offered.
    ///
    /// # Errors
    /// [`WrongGrant`].
    pub fn check(&self) -> Result<(), WrongGrant> {
        match self.grant_type {
            None => Err(WrongGrant::Missing),
            Some(_) if !self.is_offered() => Err(WrongGrant::Unsupported),
            Some(_) if !self.is_assertion_named() => Err(WrongGrant::AssertionType),
            Some(_) => Ok(()),
        }
    }
}

/// What a token request says about its client. Debug output shows nothing of it.
#[derive(Clone, Copy, Default)]
pub struct ClientProof<'a> {
    /// `Authorization` header.
    pub authorization: Option<&'a str>,
    /// client_id of the form.
    pub client_id: Option<&'a str>,
    /// client_secret of the form.
    pub client_secret: Option<&'a str>,
    /// client_assertion of the form.
    pub assertion: Option<&'a str>,
    /// The verified client certificate, where one was shown.
    pub certificate: Option<&'a Fingerprint>,
}

impl fmt::Debug for ClientProof<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientProof(***)")
    }
}

/// A client that proved itself.
#[derive(Clone)]
pub struct ProvedClient {
    /// Its system.
    pub system: Arc<System>,
    /// The assertion that it proved itself with: what it gets for it is given with the first use
    /// only.
    pub assertion: Option<UsedAssertion>,
    /// Number of the secret or key; 0 where it is not known.
    pub credential: u32,
    /// The end of the secret, product's clock: nothing that it gives lasts beyond it. `None`: it
    /// has none.
    pub until: Option<Moment>,
}

#[derive(Deserialize)]
struct Assertion {
    iss: String,
    sub: String,
    jti: String,
    exp: i64,
}

/// The system that proves itself. `audience` = URLs of the token endpoint. An assertion is not used
/// up by it: that is done in the transaction that journals the token, so who is refused for the
/// pace or for want of a disk may send the same one again.
pub fn authenticate(
    snapshot: &Snapshot,
    proof: &ClientProof<'_>,
    audience: &[String],
    arrival: &Arrival,
) -> Result<ProvedClient, AuthFailure> {
    if let Some(assertion) = proof.assertion {
        return by_assertion(snapshot, (assertion, proof.certificate), audience, arrival);
    }
    let (id, secret) = by_secret(proof)?;
    let system = snapshot.by_client_id(&id);
    let access = system.and_then(|s| s.oauth.as_ref());
    let nobody = [Secret([0; 32].into())];
    let secrets = access.map_or(&nobody[..], |a| &a.secrets);
    let kind = CredentialKind::Client;
    let valid = |place: usize| system.is_none_or(|s| s.facts.is_valid(kind, place, arrival.at));
    let mut right = None;
    for (place, known) in secrets.iter().enumerate().filter(|(place, _)| valid(*place)) {
        if same(known, &secret) {
            right = Some(place);
        }
    }
    match (system, access, right) {
        (Some(system), Some(_), Some(place)) => {
            let credential = system.facts.number(kind, place);
            let until = system.facts.until(kind, place);
            let system = admitted(system, proof.certificate, arrival)?;
            Ok(ProvedClient { system, assertion: None, credential, until })
        }
        _ => Err(AuthFailure::Wrong),
    }
}

/// Whether a secret is the registered one, in the same time for each.
pub(crate) fn same(known: &Secret, secret: &str) -> bool {
    let (a, b) = (sha256_16(&[&known.0]), sha256_16(&[secret.as_bytes()]));
    constant_time::verify_slices_are_equal(&a, &b).is_ok()
}

/// Id and secret of a client that shows one.
pub(crate) fn by_secret(proof: &ClientProof<'_>) -> Result<(String, String), AuthFailure> {
    match (proof.authorization, proof.client_id, proof.client_secret) {
        (Some(header), _, _) => basic(header).ok_or(AuthFailure::Malformed),
        (None, Some(id), Some(secret)) => Ok((id.to_owned(), secret.to_owned())),
        _ => Err(AuthFailure::Missing),
    }
}

/// The system that a token request names, whether it proves it or not.
pub fn named<'a>(snapshot: &'a Snapshot, proof: &ClientProof<'_>) -> Option<&'a Arc<System>> {
    let id = match proof.assertion {
        Some(assertion) => {
            jsonwebtoken::dangerous::insecure_decode::<Assertion>(assertion).ok()?.claims.sub
        }
        None => match by_secret(proof) {
            Ok((id, _)) => id,
            Err(_) => proof.client_id?.to_owned(),
        },
    };
    snapshot.by_client_id(&id)
}

fn by_assertion(
    snapshot: &Snapshot,
    (assertion, shown): (&str, Option<&Fingerprint>),
    audience: &[String],
    arrival: &Arrival,
) -> Result<ProvedClient, AuthFailure> {
    let claimed = jsonwebtoken::dangerous::insecure_decode::<Assertion>(assertion)
        .map_err(|_| AuthFailure::Malformed)?;
    let algorithm = claimed.header.alg;
    let system = snapshot.by_client_id(&claimed.claims.sub).ok_or(AuthFailure::Wrong)?;
    let access = system.oauth.as_ref().ok_or(AuthFailure::Wrong)?;
    let (claims, place) = verified(access, assertion, algorithm, audience)?;
    let credential = system.facts.number(CredentialKind::Key, place);
    // A thief without the certificate learns nothing more than that, and uses nothing up.
    let system = admitted(system, shown, arrival)?;
    let expires = claims.exp.checked_mul(1000).ok_or(AuthFailure::Wrong)?;
    if expires <= arrival.machine {
        return Err(AuthFailure::Stale);
    }
    if claims.iss != claims.sub || expires.saturating_sub(arrival.machine) > ASSERTION_MS {
        return Err(AuthFailure::Wrong);
    }
    let mark = sha256_16(&[claims.sub.as_bytes(), b"\0", claims.jti.as_bytes()]);
    // Beyond its end, because the machine's clock may go back a little.
    let until = expires.saturating_add(FRESH_MS);
    let assertion = Some(UsedAssertion { mark, until });
    Ok(ProvedClient { system, assertion, credential, until: None })
}

/// The system that proved itself, where its certificate and its address agree.
fn admitted(
    system: &Arc<System>,
    shown: Option<&Fingerprint>,
    arrival: &Arrival,
) -> Result<Arc<System>, AuthFailure> {
    if !certificate::admits(&system.certificates, shown) {
        return Err(AuthFailure::ForeignCertificate);
    }
    if !system.facts.admits(arrival.source) {
        return Err(AuthFailure::ForeignSource);
    }
    Ok(system.clone())
}

/// The claims of an assertion that one of the keys signed for this audience, and the key's place.
fn verified(
    access: &OauthAccess,
    assertion: &str,
    algorithm: Algorithm,
    audience: &[String],
) -> Result<(Assertion, usize), AuthFailure> {
    let mut validation = Validation::new(algorithm);
    validation.set_audience(audience);
    validation.set_required_spec_claims(&["exp", "aud", "sub"]);
    // The caller compares `exp` with its own clock, to the millisecond: time is an argument, and
    // what is forgotten as used must not be valid any more.
    validation.validate_exp = false;
    for (place, pem) in access.public_keys.iter().enumerate() {
        let Some(key) = decoding_key(pem, algorithm)? else { continue };
        if let Ok(token) = jsonwebtoken::decode::<Assertion>(assertion, &key, &validation) {
            return Ok((token.claims, place));
        }
    }
    Err(AuthFailure::Wrong)
}

/// The keys that an algorithm goes with; `None`: it is none that is taken.
pub(crate) const fn family(algorithm: Algorithm) -> Option<Family> {
    match algorithm {
        Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512 | Algorithm::PS256 => {
            Some(Family::Rsa)
        }
        Algorithm::ES256 => Some(Family::P256),
        Algorithm::ES384 => Some(Family::P384),
        Algorithm::EdDSA => Some(Family::Ed25519),
        _ => None,
    }
}

/// The registered key as the algorithm takes it; `None`: it is a key of another kind. Whoever makes
/// assertions up says which algorithm it is: keys of other kinds are not even read for them.
///
/// # Errors
/// [`AuthFailure::Malformed`] where the algorithm is none that is taken.
pub(crate) fn decoding_key(
    pem: &str,
    algorithm: Algorithm,
) -> Result<Option<DecodingKey>, AuthFailure> {
    let family = family(algorithm).ok_or(AuthFailure::Malformed)?;
    // One whose head has a form that is not ours is read, and then fits or does not.
    if Family::of_pem(pem).is_some_and(|of| of != family) {
        return Ok(None);
    }
    let pem = pem.as_bytes();
    let key = match family {
        Family::Rsa => DecodingKey::from_rsa_pem(pem),
        Family::P256 | Family::P384 => DecodingKey::from_ec_pem(pem),
        Family::Ed25519 => DecodingKey::from_ed_pem(pem),
    };
    Ok(key.ok())
}

/// RFC 6749: id and secret are form-encoded before they are joined.
pub(crate) fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, value) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let plain = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = plain.split_once(':')?;
    Some((form_decoded(id)?, form_decoded(secret)?))
}

/// Decodes application/x-www-form-urlencoded text; `None` where it is malformed.
pub fn form_decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        out.push(match b {
            b'+' => b' ',
            b'%' => {
                let pair = [bytes.next()?, bytes.next()?];
                hex::decode(pair).ok()?[0]
            }
            other => other,
        });
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use dancu_domain::ids::{SystemCode, SystemId, UnitCode};
    use dancu_domain::registration::{CertificateMode, Certificates, Group};
    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde::Serialize;

    use super::*;

    // A key made for this test: it proves nothing anywhere else.
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEICVHgzUuZXCrMcahajxP/mDnNXxEJ3Vmg9XVNv0kUenc\n\
        -----END PRIVATE KEY-----";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAFfrsT8WmpDXczwocR47+smBeu70wwrSpHlAkuwNh+4M=\n\
        -----END PUBLIC KEY-----";
    const NOW: i64 = 1_772_416_800_000;

    #[derive(Serialize)]
    struct Made<'a> {
        iss: &'a str,
        sub: &'a str,
        aud: &'a str,
        jti: &'a str,
        exp: i64,
    }

    fn snapshot(certificates: Certificates) -> Snapshot {
        Snapshot::new(
            1,
            vec![System {
                certificates,
                oauth: Some(OauthAccess {
                    client_id: "mau".into(),
                    secrets: vec![],
                    public_keys: vec![PUBLIC.into()],
                }),
                ..System::new(
                    SystemId(1),
                    SystemCode::parse("MAU").unwrap(),
                    UnitCode::parse("H26.001").unwrap(),
                    Group::State,
                )
            }],
        )
    }

    fn asked(exp: i64, now: i64) -> Result<Option<UsedAssertion>, AuthFailure> {
        asked_with(&snapshot(Certificates::OFF), None, ("1", exp), now)
    }

    fn asked_with(
        snapshot: &Snapshot,
        certificate: Option<&Fingerprint>,
        (jti, exp): (&str, i64),
        now: i64,
    ) -> Result<Option<UsedAssertion>, AuthFailure> {
        let made = Made { iss: "mau", sub: "mau", aud: "https://x/oauth/token", jti, exp };
        let key = EncodingKey::from_ed_pem(PRIVATE.as_bytes()).unwrap();
        let assertion = encode(&Header::new(Algorithm::EdDSA), &made, &key).unwrap();
        let assertion = Some(assertion.as_str());
        let proof = ClientProof { assertion, certificate, ..ClientProof::default() };
        let audience = ["https://x/oauth/token".to_owned()];
        let source = std::net::Ipv4Addr::LOCALHOST.into();
        let arrival = Arrival { source, at: dancu_domain::moment::Moment(now), machine: now };
        authenticate(snapshot, &proof, &audience, &arrival).map(|client| client.assertion)
    }

    #[test]
    fn an_assertion_has_one_mark_until_after_its_end() {
        let exp = NOW / 1000 + 60;
        let first = asked(exp, NOW).unwrap().unwrap();
        assert_eq!(first.until, NOW + 60_000 + FRESH_MS);
        // Proving oneself uses nothing up: whoever got no token for it may send it again.
        assert_eq!(asked(exp, NOW + 59_999), Ok(Some(first)));
        for after in [60_000, 60_001, 119_000] {
            assert_eq!(asked(exp, NOW + after), Err(AuthFailure::Stale), "{after}");
        }
        let other = asked_with(&snapshot(Certificates::OFF), None, ("2", exp), NOW);
        assert_ne!(other.unwrap().unwrap().mark, first.mark, "another jti is another assertion");
    }

    #[test]
    fn a_stolen_assertion_is_nothing_without_the_certificate() {
        let registered = Certificates { mode: CertificateMode::Required, sha256: vec![[1; 32]] };
        let of = |shown: Option<&Fingerprint>| {
            asked_with(&snapshot(registered.clone()), shown, ("1", NOW / 1000 + 60), NOW)
        };
        for wrong in [None, Some(&[2; 32])] {
            assert_eq!(of(wrong), Err(AuthFailure::ForeignCertificate));
        }
        assert!(of(Some(&[1; 32])).unwrap().is_some());
    }

    #[test]
    fn the_end_of_the_secret_that_proved_a_client_goes_with_it() {
        use dancu_domain::credentials::{CredentialFacts, Facts};
        let end = Moment(NOW + 60_000);
        let mut system = (**snapshot(Certificates::OFF).by_id(SystemId(1)).unwrap()).clone();
        let secret = |text: &str| Secret(text.as_bytes().into());
        system.oauth.as_mut().unwrap().secrets = vec![secret("mới"), secret("cũ")];
        let ending = CredentialFacts { until: Some(end), ..CredentialFacts::default() };
        system.facts = Facts { client: vec![<_>::default(), ending], ..Facts::default() };
        let snapshot = Snapshot::new(1, vec![system]);
        let source = std::net::Ipv4Addr::LOCALHOST.into();
        let arrival = Arrival { source, at: Moment(NOW), machine: NOW };
        for (secret, until) in [("mới", None), ("cũ", Some(end))] {
            let (client_id, client_secret) = (Some("mau"), Some(secret));
            let proof = ClientProof { client_id, client_secret, ..ClientProof::default() };
            let client = authenticate(&snapshot, &proof, &[], &arrival).unwrap();
            assert_eq!(client.until, until, "{secret}");
            assert_eq!(format!("{proof:?}"), "ClientProof(***)");
        }
    }

    #[test]
    fn a_request_asks_for_what_is_offered() {
        let asked = |grant_type, by_assertion, assertion_type| {
            Grant { grant_type, by_assertion, assertion_type }.check()
        };
        let offered = Some(CLIENT_CREDENTIALS);
        assert_eq!(asked(offered, false, None), Ok(()));
        assert_eq!(asked(offered, true, Some(JWT_BEARER)), Ok(()));
        assert_eq!(asked(offered, false, Some("x")), Ok(()), "it says nothing without one");
        assert_eq!(asked(None, false, None), Err(WrongGrant::Missing));
        for other in ["", "password", "Client_Credentials"] {
            assert_eq!(asked(Some(other), false, None), Err(WrongGrant::Unsupported), "{other}");
        }
        for kind in [None, Some(""), Some("urn:ietf:params:oauth:client-assertion-type:saml2")] {
            assert_eq!(asked(offered, true, kind), Err(WrongGrant::AssertionType), "{kind:?}");
        }
    }

    #[test]
    fn ends_out_of_range_are_refused() {
        for exp in [i64::MAX, i64::MIN, NOW, NOW / 1000 + 601] {
            assert_eq!(asked(exp, NOW), Err(AuthFailure::Wrong), "{exp}");
        }
    }
}
