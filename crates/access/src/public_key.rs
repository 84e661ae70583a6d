//! Public keys that a client hands over for private_key_jwt: as PEM (RFC 7468) or JWK (RFC 7517),
//! kept as PEM. Kinds and sizes that are taken are those that assertions may be signed with.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;

/// Characters of a key at most: RSA of 4096 bits takes some 800 as PEM, as much as JWK.
pub const KEY_TEXT_MAX: usize = 8 * 1024;
/// Bits of an RSA key at least (NIST SP 800-57: 112 bits of security until 2030).
const RSA_BITS_MIN: usize = 2_048;
/// Bits of an RSA key at most, of those that are registered from now on (*ours*): with every
/// doubling an assertion costs four times as much, and whoever makes assertions up does not pay.
const RSA_BITS_MAX: usize = 4_096;
/// Bits of an RSA key that is registered, at most: what the provider verifies.
const RSA_BITS_KNOWN: usize = 8_192;
/// Characters of Base64 at the beginning of a key: 24 bytes name algorithm and curve of every kind.
const HEAD: usize = 32;
/// First and last line of PEM.
const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

/// Object identifiers in DER, without their heads: rsaEncryption, id-ecPublicKey with its two
/// curves, Ed25519.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: &[u8] = &[0x2b, 0x81, 4, 0, 0x22];
const EDWARDS: &[u8] = &[0x2b, 0x65, 0x70];

/// Tags of DER.
const INTEGER: u8 = 2;
const BITS: u8 = 3;
const NULL: u8 = 5;
const OID: u8 = 6;
const SEQUENCE: u8 = 0x30;

/// A key that may be registered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicKey {
    /// As it is kept: PEM of a SubjectPublicKeyInfo.
    pub pem: String,
    /// `RSA 2048`, `P-256`, `P-384`, `Ed25519`.
    pub kind: String,
}

/// Keys that go with the same algorithms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Family {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl Family {
    /// By algorithm and curve of a SubjectPublicKeyInfo.
    fn of(algorithm: &[u8], curve: &[u8]) -> Option<Self> {
        match (algorithm, curve) {
            (RSA, _) => Some(Self::Rsa),
            (EC, P256) => Some(Self::P256),
            (EC, P384) => Some(Self::P384),
            (EDWARDS, _) => Some(Self::Ed25519),
            _ => None,
        }
    }

    /// What the head of a registered key says, without the key being read; `None`: nothing.
    pub(crate) fn of_pem(pem: &str) -> Option<Self> {
        let body = pem.trim_start().strip_prefix(BEGIN)?;
        let head = body.bytes().filter(|byte| !byte.is_ascii_whitespace()).take(HEAD);
        let head = STANDARD.decode(head.collect::<Vec<u8>>()).ok()?;
        // The key itself goes on beyond the head.
        let (_, inside) = opened(&head, SEQUENCE)?;
        let (_, identifier) = opened(inside, SEQUENCE)?;
        let (algorithm, curve) = named(identifier)?;
        Self::of(algorithm, curve)
    }
}

/// Why a key is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WrongKey {
    /// A private key: it is not private any more.
    #[error("a private key")]
    Private,
    /// A certificate instead of a key.
    #[error("a certificate")]
    Certificate,
    /// Neither PEM nor JWK.
    #[error("no public key")]
    Unreadable,
    /// Of a kind that is not taken: DSA, other curves, keys for encryption, shared secrets.
    #[error("unsupported kind of key")]
    Kind,
    /// RSA below 2,048 bits.
    #[error("weak key")]
    Weak,
    /// RSA above 4,096 bits.
    #[error("key too large")]
    TooLarge,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    d: Option<serde_json::Value>,
    k: Option<serde_json::Value>,
    #[serde(rename = "use")]
    usage: Option<String>,
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

impl PublicKey {
    /// Reads what was pasted: PEM, a JWK, or a set with one JWK.
    ///
    /// # Errors
    /// [`WrongKey`].
    pub fn parse(text: &str) -> Result<Self, WrongKey> {
        Self::read(text, RSA_BITS_MAX)
    }

    fn read(text: &str, rsa_bits_max: usize) -> Result<Self, WrongKey> {
        let text = text.trim();
        if text.contains("PRIVATE KEY") {
            return Err(WrongKey::Private);
        }
        if text.len() > KEY_TEXT_MAX {
            return Err(WrongKey::Unreadable);
        }
        if text.starts_with('{') {
            return Self::of_jwk(text, rsa_bits_max);
        }
        if text.contains("BEGIN CERTIFICATE") {
            return Err(WrongKey::Certificate);
        }
        let body = text.strip_prefix(BEGIN).ok_or(WrongKey::Unreadable)?;
        let body = body.strip_suffix(END).ok_or(WrongKey::Unreadable)?;
        let body: String = body.split_ascii_whitespace().collect();
        Self::of_der(&STANDARD.decode(body).map_err(|_| WrongKey::Unreadable)?, rsa_bits_max)
    }

    /// `RSA 2048` or the like of a registered key; empty where it cannot be told.
    pub fn kind_of(pem: &str) -> String {
        Self::read(pem, RSA_BITS_KNOWN).map(|key| key.kind).unwrap_or_default()
    }

    fn of_jwk(text: &str, rsa_bits_max: usize) -> Result<Self, WrongKey> {
        let unreadable = WrongKey::Unreadable;
        let jwk = if let Ok(jwk) = serde_json::from_str::<Jwk>(text) {
            jwk
        } else {
            let set: JwkSet = serde_json::from_str(text).map_err(|_| unreadable)?;
            let [one] = <[Jwk; 1]>::try_from(set.keys).map_err(|_| unreadable)?;
            one
        };
        if jwk.d.is_some() {
            return Err(WrongKey::Private);
        }
        let encrypts = jwk.usage.as_deref().is_some_and(|usage| usage != "sig");
        if jwk.k.is_some() || encrypts {
            return Err(WrongKey::Kind);
        }
        let part = |part: &Option<String>| {
            let text = part.as_deref().ok_or(WrongKey::Unreadable)?;
            let decoded = URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
            decoded.map_err(|_| WrongKey::Unreadable)
        };
        let (curve, point) = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => {
                let (n, e) = (part(&jwk.n)?, part(&jwk.e)?);
                let key = sequence(&[unsigned(&n), unsigned(&e)]);
                let spki = spki(&[der(OID, RSA), der(NULL, &[])], &key);
                return Self::of_der(&spki, rsa_bits_max);
            }
            ("EC", Some("P-256")) => (P256, [vec![4], part(&jwk.x)?, part(&jwk.y)?].concat()),
            ("EC", Some("P-384")) => (P384, [vec![4], part(&jwk.x)?, part(&jwk.y)?].concat()),
            ("OKP", Some("Ed25519")) => {
                let spki = spki(&[der(OID, EDWARDS)], &part(&jwk.x)?);
                return Self::of_der(&spki, rsa_bits_max);
            }
            _ => return Err(WrongKey::Kind),
        };
        Self::of_der(&spki(&[der(OID, EC), der(OID, curve)], &point), rsa_bits_max)
    }

    /// From a SubjectPublicKeyInfo.
    fn of_der(spki: &[u8], rsa_bits_max: usize) -> Result<Self, WrongKey> {
        let (algorithm, curve, key) = parts(spki).ok_or(WrongKey::Unreadable)?;
        let parsed =
            |algorithm| ParsedPublicKey::new(algorithm, key).map_err(|_| WrongKey::Unreadable);
        let kind = match Family::of(algorithm, curve).ok_or(WrongKey::Kind)? {
            Family::Rsa => {
                let bits = rsa_bits(key).ok_or(WrongKey::Unreadable)?;
                match bits {
                    ..RSA_BITS_MIN => return Err(WrongKey::Weak),
                    bits if bits > rsa_bits_max => return Err(WrongKey::TooLarge),
                    _ => {}
                }
                parsed(&RSA_PKCS1_2048_8192_SHA256)?;
                format!("RSA {bits}")
            }
            Family::P256 => parsed(&ECDSA_P256_SHA256_FIXED).map(|_| "P-256".to_owned())?,
            Family::P384 => parsed(&ECDSA_P384_SHA384_FIXED).map(|_| "P-384".to_owned())?,
            Family::Ed25519 => parsed(&ED25519).map(|_| "Ed25519".to_owned())?,
        };
        let mut pem = format!("{BEGIN}\n");
        let body = STANDARD.encode(spki);
        let mut rest = body.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(64));
            pem.extend([line, "\n"]);
            rest = after;
        }
        pem.extend([END, "\n"]);
        Ok(Self { pem, kind })
    }
}

/// Algorithm, curve (empty where there is none) and key of a SubjectPublicKeyInfo.
fn parts(spki: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (inside, rest) = take(spki, SEQUENCE)?;
    let (identifier, bits) = take(inside, SEQUENCE)?;
    let (algorithm, curve) = named(identifier)?;
    let (bits, end) = take(bits, BITS)?;
    let (unused, key) = bits.split_first()?;
    (rest.is_empty() && end.is_empty() && *unused == 0).then_some((algorithm, curve, key))
}

/// Algorithm and curve (empty where there is none) of an AlgorithmIdentifier.
fn named(identifier: &[u8]) -> Option<(&[u8], &[u8])> {
    let (algorithm, parameters) = take(identifier, OID)?;
    let curve = take(parameters, OID).map_or(&[][..], |(curve, _)| curve);
    Some((algorithm, curve))
}

/// Bits of the modulus of an RSAPublicKey.
fn rsa_bits(key: &[u8]) -> Option<usize> {
    let (inside, _) = take(key, SEQUENCE)?;
    let (modulus, _) = take(inside, INTEGER)?;
    let first = modulus.iter().position(|byte| *byte != 0)?;
    let modulus = &modulus[first..];
    Some(modulus.len() * 8 - modulus[0].leading_zeros() as usize)
}

/// The content of the first value, which has this tag, and what follows it.
fn take(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (length, rest) = opened(der, tag)?;
    (length <= rest.len()).then(|| rest.split_at(length))
}

/// The length of the first value, which has this tag, and everything from its content on.
fn opened(der: &[u8], tag: u8) -> Option<(usize, &[u8])> {
    let (found, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        ..=0x7f => (usize::from(*length), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => (usize::from(*rest.first()?) << 8 | usize::from(*rest.get(1)?), rest.get(2..)?),
        _ => return None,
    };
    (*found == tag).then_some((length, rest))
}

fn spki(identifier: &[Vec<u8>], key: &[u8]) -> Vec<u8> {
    let bits = der(BITS, &[&[0], key].concat());
    sequence(&[sequence(identifier), bits])
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    der(SEQUENCE, &parts.concat())
}

/// A positive integer of big-endian bytes.
fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let bytes = &bytes[first..];
    let sign: &[u8] = if bytes.first().is_none_or(|byte| *byte >= 0x80) { &[0] } else { &[] };
    der(INTEGER, &[sign, bytes].concat())
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match length {
        0..0x80 => out.push(length as u8),
        0x80..0x100 => out.extend([0x81, length as u8]),
        _ => out.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    out.extend_from_slice(content);
    out
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
    use aws_lc_rs::rsa::{KeyPair as RsaPair, KeySize};
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair as _,
    };
    use serde_json::json;

    use super::*;

    fn b64(bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Every kind as PEM and as JWK: both are the same key.
    fn pairs() -> Vec<(&'static str, Vec<u8>, serde_json::Value)> {
        let ed = Ed25519KeyPair::generate().unwrap();
        let (p256, p384) = (&ECDSA_P256_SHA256_FIXED_SIGNING, &ECDSA_P384_SHA384_FIXED_SIGNING);
        let ec = [("P-256", p256, 32), ("P-384", p384, 48)].map(|(name, algorithm, size)| {
            let pair = EcdsaKeyPair::generate(algorithm).unwrap();
            let point = pair.public_key().as_ref()[1..].to_vec();
            let (x, y) = (b64(&point[..size]), b64(&point[size..]));
            let spki = pair.public_key().as_der().unwrap().as_ref().to_vec();
            (name, spki, json!({"kty": "EC", "crv": name, "x": x, "y": y, "use": "sig"}))
        });
        let rsa = RsaPair::generate(KeySize::Rsa2048).unwrap();
        let inside = rsa.public_key().as_ref().to_vec();
        let (numbers, _) = take(&inside, SEQUENCE).unwrap();
        let (n, rest) = take(numbers, INTEGER).unwrap();
        let (e, _) = take(rest, INTEGER).unwrap();
        let spki_of_rsa: PublicKeyX509Der<'_> = rsa.public_key().as_der().unwrap();
        let mut all = vec![
            (
                "Ed25519",
                ed.public_key().as_der().unwrap().as_ref().to_vec(),
                json!({"kty": "OKP", "crv": "Ed25519", "x": b64(ed.public_key().as_ref())}),
            ),
            (
                "RSA 2048",
                spki_of_rsa.as_ref().to_vec(),
                json!({"kty": "RSA", "n": b64(&n[1..]), "e": b64(e), "kid": "1"}),
            ),
        ];
        all.extend(ec);
        all
    }

    #[test]
    fn keys_are_read_as_pem_and_as_jwk() {
        for (kind, der, jwk) in pairs() {
            let body = STANDARD.encode(&der);
            let pem = format!(" -----BEGIN PUBLIC KEY-----\r\n{body}\n-----END PUBLIC KEY-----\n");
            let key = PublicKey::parse(&pem).unwrap();
            assert_eq!(key.kind, kind);
            assert_eq!(PublicKey::parse(&jwk.to_string()).unwrap(), key, "{kind}");
            let set = json!({"keys": [jwk]}).to_string();
            assert_eq!(PublicKey::parse(&set).unwrap(), key, "{kind}");
            assert_eq!(PublicKey::kind_of(&key.pem), kind);
        }
    }

    /// Every algorithm that is taken gets the keys of its kind and no others, whose heads alone are
    /// looked at: what comes after them here is no key at all.
    #[test]
    fn an_algorithm_gets_keys_of_its_kind_only() {
        use jsonwebtoken::Algorithm as A;
        let all = [A::RS256, A::RS384, A::RS512, A::PS256, A::ES256, A::ES384, A::EdDSA];
        for (kind, der, _) in pairs() {
            let pem = PublicKey::parse(&pem(&der)).unwrap().pem;
            let taken = all.into_iter().filter(|algorithm| {
                crate::client::decoding_key(&pem, *algorithm).unwrap().is_some()
            });
            let expected = match kind {
                "Ed25519" => &[A::EdDSA][..],
                "P-256" => &[A::ES256],
                "P-384" => &[A::ES384],
                _ => &all[..4],
            };
            assert_eq!(taken.collect::<Vec<_>>(), expected, "{kind}");
            let family = crate::client::family(expected[0]);
            let cut = format!("{BEGIN}\n{}!!!", &STANDARD.encode(&der)[..HEAD]);
            assert_eq!((Family::of_pem(&pem), Family::of_pem(&cut)), (family, family), "{kind}");
        }
        let others = ["", BEGIN, "-----BEGIN RSA PUBLIC KEY-----\nMIIB", "MCowBQYDK2VwAyEA"];
        assert!(others.into_iter().all(|text| Family::of_pem(text).is_none()));
    }

    fn pem(der: &[u8]) -> String {
        format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(der))
    }

    #[test]
    fn a_large_key_that_is_registered_goes_on_and_a_new_one_is_refused() {
        let of = |bytes: usize| {
            let key = sequence(&[unsigned(&vec![0xc5; bytes]), unsigned(&[1, 0, 1])]);
            pem(&spki(&[der(OID, RSA), der(NULL, &[])], &key))
        };
        let most = of(RSA_BITS_MAX / 8);
        assert_eq!(PublicKey::parse(&most).unwrap().kind, "RSA 4096");
        for bytes in [RSA_BITS_MAX / 8 + 1, RSA_BITS_KNOWN / 8] {
            let large = of(bytes);
            assert_eq!(PublicKey::parse(&large), Err(WrongKey::TooLarge));
            assert_eq!(PublicKey::kind_of(&large), format!("RSA {}", bytes * 8));
            let key = crate::client::decoding_key(&large, jsonwebtoken::Algorithm::RS256);
            assert!(key.unwrap().is_some(), "{bytes}");
        }
        assert_eq!(PublicKey::kind_of(&of(RSA_BITS_KNOWN / 8 + 1)), "");
    }

    #[test]
    fn keys_of_a_weak_or_wrong_kind_are_refused() {
        let wrong = |text: &str| PublicKey::parse(text).unwrap_err();
        let small = json!({"kty": "RSA", "n": b64(&[0xc5; 128]), "e": "AQAB"}).to_string();
        assert_eq!(wrong(&small), WrongKey::Weak);
        let large = json!({"kty": "RSA", "n": b64(&[0xc5; 1_100]), "e": "AQAB"}).to_string();
        assert_eq!(wrong(&large), WrongKey::TooLarge);
        let private = json!({"kty": "OKP", "crv": "Ed25519", "x": b64(&[7; 32]), "d": "AA"});
        assert_eq!(wrong(&private.to_string()), WrongKey::Private);
        assert_eq!(wrong("-----BEGIN EC PRIVATE KEY-----\nAA"), WrongKey::Private);
        assert_eq!(wrong("-----BEGIN CERTIFICATE-----\nAA"), WrongKey::Certificate);
        let shared = json!({"kty": "oct", "k": "AAAA"}).to_string();
        assert_eq!(wrong(&shared), WrongKey::Kind);
        let curve = json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}).to_string();
        assert_eq!(wrong(&curve), WrongKey::Kind);
        let encrypts = json!({"kty": "RSA", "n": "AA", "e": "AQAB", "use": "enc"}).to_string();
        assert_eq!(wrong(&encrypts), WrongKey::Kind);
        // Not on the curve.
        let point = b64(&[1; 32]);
        let beside = json!({"kty": "EC", "crv": "P-256", "x": point, "y": point}).to_string();
        assert_eq!(wrong(&beside), WrongKey::Unreadable);
        let short = json!({"kty": "OKP", "crv": "Ed25519", "x": b64(&[7; 31])}).to_string();
        assert_eq!(wrong(&short), WrongKey::Unreadable);
        for text in ["", "{", "{}", "{\"keys\":[]}", "ssh-ed25519 AAAA", &"A".repeat(70_000)] {
            assert_eq!(wrong(text), WrongKey::Unreadable, "{}", text.len());
        }
    }

    #[test]
    fn no_bytes_break_the_reader() {
        let (_, der, _) = pairs().remove(1);
        for cut in 0..der.len() {
            let _ = PublicKey::of_der(&der[..cut], RSA_BITS_MAX);
            let mut broken = der.clone();
            broken[cut] ^= 0x81;
            let _ = PublicKey::of_der(&broken, RSA_BITS_MAX);
            let _ = Family::of_pem(&pem(&broken));
        }
    }
}
