//! Answers of a provider: the exchange of a code, the identity token, claims beside it.

use std::fmt;

use dancu_domain::people::MachineTime;
use jiff::civil::Date;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::claims::Identity;
use super::state::State;
use super::{Failure, Levels};

/// Keys of a set that are looked at: providers have two or three.
const KEYS_MAX: usize = 64;
/// Longest identity token, characters: some carry a picture's address, none a picture.
const TOKEN_MAX: usize = 64 * 1024;
/// The provider's clock and ours may differ by this, ms (*ours*): minutes are common, and the nonce
/// binds the token to this sign-in anyway.
const SKEW_MS: i64 = 2 * 60_000;
/// An identity token that is older was not made for this sign-in, ms: one takes ten minutes.
const AGE_MS: i64 = super::state::STATE_MS + SKEW_MS;

/// Algorithms that are believed: signatures with a key that only the provider has. `none` and those
/// with a shared secret are not among them, whatever a token says of itself.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// A provider's keys.
#[derive(Clone, Default)]
pub struct KeySet(Vec<Jwk>);

impl KeySet {
    /// Reads a JSON Web Key Set (RFC 7517); keys of kinds that are not known are passed over.
    ///
    /// # Errors
    /// [`Failure::Answer`] where it is none.
    pub fn parse(body: &[u8]) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let set: Set = serde_json::from_slice(body).map_err(|_| Failure::Answer("no key set"))?;
        let keys = set.keys.into_iter().take(KEYS_MAX);
        let known = keys.filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        let signs = |key: &Jwk| {
            let usage = key.common.public_key_use.as_ref();
            usage.is_none_or(|usage| *usage == PublicKeyUse::Signature)
        };
        Ok(Self(known.filter(signs).collect()))
    }

    /// Keys that a token may be signed with: of its id, where it names one, and of its kind.
    fn of(&self, algorithm: Algorithm, id: Option<&str>) -> impl Iterator<Item = &Jwk> {
        self.0.iter().filter(move |key| {
            let named = id.is_none_or(|id| key.common.key_id.as_deref() == Some(id));
            let said = key.common.key_algorithm.as_ref();
            let agreed = said.is_none_or(|said| *said == KeyAlgorithm::from(algorithm));
            named && agreed && fits(key, algorithm)
        })
    }
}

fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    use Algorithm as A;
    match &key.algorithm {
        AlgorithmParameters::RSA(_) => {
            matches!(algorithm, A::RS256 | A::RS384 | A::RS512 | A::PS256 | A::PS384 | A::PS512)
        }
        AlgorithmParameters::EllipticCurve(key) => match algorithm {
            A::ES256 => key.curve == EllipticCurve::P256,
            A::ES384 => key.curve == EllipticCurve::P384,
            _ => false,
        },
        AlgorithmParameters::OctetKeyPair(key) => {
            algorithm == A::EdDSA && key.curve == EllipticCurve::Ed25519
        }
        _ => false,
    }
}

/// The answer to the exchange of a code. Debug output shows nothing of it.
pub struct Answer {
    /// For [`verify`].
    pub id_token: Zeroizing<String>,
    /// For claims that stand in no token.
    pub access_token: Option<Zeroizing<String>>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer(***)")
    }
}

impl Answer {
    /// Reads it.
    ///
    /// # Errors
    /// [`Failure::Answer`] where there is no identity token in it.
    pub fn parse(body: &[u8]) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Read {
            id_token: String,
            access_token: Option<String>,
        }
        let read: Read =
            serde_json::from_slice(body).map_err(|_| Failure::Answer("no identity token"))?;
        let access_token = read.access_token.map(Zeroizing::new).filter(|token| {
            // It goes into a header.
            !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic())
        });
        Ok(Self { id_token: Zeroizing::new(read.id_token), access_token })
    }
}

/// Refusals of an exchange that name this centre (RFC 6749, 5.2), as they are told in the log.
const OURS: [&str; 5] = [
    "invalid_request",
    "invalid_client",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
];

/// Why an exchange was refused, by the body of the refusal (RFC 6749, 5.2). Only `invalid_grant` is
/// about the code, which whoever came back brought along ([`Failure::Answer`]); all else, also what
/// cannot be read, is this centre's or the provider's ([`Failure::Client`]).
pub fn refusal(body: &[u8]) -> Failure {
    #[derive(Deserialize)]
    struct Read {
        error: String,
    }
    let read = serde_json::from_slice::<Read>(body);
    let error = read.map(|read| read.error).unwrap_or_default();
    if error == "invalid_grant" {
        return Failure::Answer("the code is not taken");
    }
    let ours = OURS.into_iter().find(|known| *known == error);
    Failure::Client(ours.unwrap_or("refused without a known reason"))
}

/// What an identity token is held against.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// The issuer as configured.
    pub issuer: &'a str,
    /// This centre as the provider knows it.
    pub client_id: &'a str,
    /// The sign-in that it answers.
    pub state: &'a State,
    /// The machine's clock.
    pub now: MachineTime,
}

/// An identity token that is one for this sign-in.
#[derive(Clone)]
pub struct Verified {
    subject: String,
    acr: Option<String>,
    claims: Map<String, Value>,
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verified(***)")
    }
}

impl Verified {
    /// The provider's name for the person.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Whether a claim has to be read at the provider: the token itself need not carry it.
    pub fn lacks_claims(&self) -> bool {
        let told = |name: &&str| self.claims.contains_key(*name);
        !["SoDinhDanh", "HoVaTen", "NgayThangNamSinh", "LoaiTaiKhoan"].iter().all(told)
    }

    /// Whether the assurance level stands for a second factor (E2).
    pub fn is_strong(&self, levels: &Levels) -> bool {
        levels.is_strong(self.acr.as_deref())
    }

    /// Adds what [`user_info`] read. What both say has to agree.
    ///
    /// # Errors
    /// [`Failure::Claims`].
    pub fn with(mut self, further: Map<String, Value>) -> Result<Self, Failure> {
        for (name, value) in further {
            if self.claims.get(&name).is_some_and(|said| *said != value) {
                return Err(Failure::Claims("token and claims beside it differ"));
            }
            self.claims.insert(name, value);
        }
        Ok(self)
    }

    /// The person.
    ///
    /// # Errors
    /// [`Failure::Claims`].
    pub fn identity(&self, issuer: &str, today: Date) -> Result<Identity, Failure> {
        Identity::read(issuer, &self.subject, &self.claims, today)
    }
}

/// One audience or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
struct IdToken {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    nonce: Option<String>,
    azp: Option<String>,
    acr: Option<String>,
    auth_time: Option<i64>,
    #[serde(flatten)]
    rest: Claims,
}

/// Claims, each of which stands there once: of two under one name nobody knows which one was meant
/// (RFC 7519, 4).
#[derive(Default)]
struct Claims(Map<String, Value>);

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self::default())
    }
}

impl<'de> Visitor<'de> for Claims {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("claims")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some((name, value)) = map.next_entry()? {
            if self.0.insert(name, value).is_some() {
                return Err(A::Error::custom("a claim stands twice"));
            }
        }
        Ok(self)
    }
}

/// Checks an identity token (OpenID Connect Core, 3.1.3.7) for one sign-in.
///
/// # Errors
/// [`Failure::UnknownKey`] where the set lacks its key: a newer one may have it.
/// [`Failure::Token`] for everything else.
pub fn verify(token: &str, keys: &KeySet, expected: &Expected<'_>) -> Result<Verified, Failure> {
    let wrong = Failure::Token;
    if token.len() > TOKEN_MAX {
        return Err(wrong("too long"));
    }
    // An algorithm that is not known at all, `none` among them, does not parse.
    let header = decode_header(token).map_err(|_| wrong("unreadable"))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(wrong("algorithm"));
    }
    let mut validation = Validation::new(header.alg);
    // Everything is compared below with clocks and values that are arguments.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let (mut tried, mut read) = (false, None);
    for key in keys.of(header.alg, header.kid.as_deref()) {
        tried = true;
        let Ok(key) = DecodingKey::from_jwk(key) else { continue };
        if let Ok(data) = decode::<IdToken>(token, &key, &validation) {
            read = Some(data.claims);
            break;
        }
    }
    let claims = match read {
        Some(claims) => claims,
        None if tried => return Err(wrong("signature or form")),
        None => return Err(Failure::UnknownKey),
    };
    held_against(&claims, expected)?;
    Ok(Verified { subject: claims.sub, acr: claims.acr, claims: claims.rest.0 })
}

fn held_against(claims: &IdToken, expected: &Expected<'_>) -> Result<(), Failure> {
    let wrong = |what| Err(Failure::Token(what));
    let Expected { issuer, client_id, state, now } = *expected;
    if claims.iss != issuer {
        return wrong("issuer");
    }
    let (ours, others) = match &claims.aud {
        Audience::One(one) => (one == client_id, false),
        Audience::Several(all) => {
            (all.iter().any(|one| one == client_id), all.iter().any(|one| one != client_id))
        }
    };
    if !ours {
        return wrong("audience");
    }
    // Among several audiences the token says to whom it was given.
    let party = claims.azp.as_deref();
    if party.map_or(others, |party| party != client_id) {
        return wrong("authorised party");
    }
    let ms = |seconds: i64| seconds.saturating_mul(1_000);
    if ms(claims.exp) <= now.0.saturating_sub(SKEW_MS) {
        return wrong("expired");
    }
    let issued = ms(claims.iat);
    if issued > now.0.saturating_add(SKEW_MS) || claims.nbf.is_some_and(|n| ms(n) > now.0 + SKEW_MS)
    {
        return wrong("of the future");
    }
    if issued < now.0.saturating_sub(AGE_MS) {
        return wrong("too old");
    }
    if claims.nonce.as_deref() != Some(state.nonce().as_str()) {
        return wrong("nonce");
    }
    let proved = claims.auth_time.map(ms);
    if proved.is_none_or(|at| at < state.issued.0.saturating_sub(SKEW_MS)) {
        return wrong("not proved anew");
    }
    Ok(())
}

/// Claims that a provider tells beside the token, of the same person.
///
/// # Errors
/// [`Failure::Answer`].
pub fn user_info(body: &[u8], verified: &Verified) -> Result<Map<String, Value>, Failure> {
    #[derive(Deserialize)]
    struct Read {
        sub: String,
        #[serde(flatten)]
        rest: Claims,
    }
    let read: Read = serde_json::from_slice(body).map_err(|_| Failure::Answer("no claims"))?;
    if read.sub != verified.subject {
        return Err(Failure::Answer("claims of somebody else"));
    }
    // What is about the token is not said here.
    let own = ["iss", "aud", "exp", "iat", "nbf", "nonce", "azp", "acr", "auth_time"];
    Ok(read.rest.0.into_iter().filter(|(name, _)| !own.contains(&name.as_str())).collect())
}

#[cfg(test)]
mod tests;
