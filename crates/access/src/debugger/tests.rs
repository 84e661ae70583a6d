//! The debugger and authentication never disagree; each usual mistake is named; nothing that
//! proves anything is told again.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dancu_domain::credentials::{CredentialFacts, Facts};
use dancu_domain::ids::{SystemCode, SystemId, UnitCode};
use dancu_domain::registration::{Certificates, Group, OauthAccess, Secret, SoapAccess};
use dancu_store::engine::Tx;
use dancu_store::keys::{Keyring, Purpose};
use dancu_store::sqlite::{Area, migrate};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;

use super::*;
use crate::soap::hash_of;
use crate::token::{Claims, mint};

const NOW: i64 = 1_772_416_800_000;
const SOAP_SECRET: &str = "soap-secret-of-the-tests";
const OLD_SECRET: &str = "soap-secret-that-has-ended";
const CLIENT_SECRET: &str = "client-secret-of-the-tests";
/// What breaks texts apart: the separator of a header, and the beginning of a path and of a token.
const ODD_SECRET: &str = "/eyJmcm9t:somewhere/else.x.y";
/// Of some other system, or with a slip in it.
const STRANGE_SECRET: &str = "Zk3wPq9_vT-1rLxY7sBnQmE4uHcA0dJf8gKiO2tW5ye";
// A key made for these tests: it proves nothing anywhere else.
const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEICVHgzUuZXCrMcahajxP/mDnNXxEJ3Vmg9XVNv0kUenc\n\
    -----END PRIVATE KEY-----";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
    MCowBQYDK2VwAyEAFfrsT8WmpDXczwocR47+smBeu70wwrSpHlAkuwNh+4M=\n\
    -----END PUBLIC KEY-----";

fn secret(text: &str) -> Secret {
    Secret(text.as_bytes().into())
}

fn system() -> System {
    let ended = CredentialFacts { until: Some(Moment(NOW)), ..CredentialFacts::default() };
    let fresh = CredentialFacts::default();
    System {
        state: ConnectionState::Live,
        certificates: Certificates::OFF,
        facts: Facts { soap: vec![fresh, ended], ..Facts::default() },
        soap: Some(SoapAccess {
            user: "MAU_SOAP".into(),
            secrets: vec![secret(SOAP_SECRET), secret(OLD_SECRET)],
            service_urls: vec!["/dancu/xacthuc".into()],
            hosts: vec!["dancu.example.vn".into()],
            reuse_from: vec![],
            x_road_client: Some("VN/GOV/MAU".into()),
        }),
        oauth: Some(OauthAccess {
            client_id: "mau".into(),
            secrets: vec![secret(CLIENT_SECRET), secret(ODD_SECRET)],
            public_keys: vec![PUBLIC.into()],
        }),
        ..System::new(
            SystemId(1),
            SystemCode::parse("MAU").unwrap(),
            UnitCode::parse("H26.001").unwrap(),
            Group::State,
        )
    }
}

fn key() -> Arc<Key> {
    key_of(0)
}

/// The key of tokens, and another one.
fn key_of(period: u32) -> Arc<Key> {
    static KEYS: LazyLock<[Arc<Key>; 2]> = LazyLock::new(|| {
        let mut db = rusqlite::Connection::open_in_memory().unwrap();
        migrate(&mut db, Area::Core).unwrap();
        let keys = Keyring::new(&[7; 32]).unwrap();
        [0, 1].map(|n| keys.get_or_make(&mut Tx::from(&db), Purpose::Token, n).unwrap())
    });
    KEYS[period as usize].clone()
}

fn told_of(system: System, source: Option<&str>, text: &str) -> Told {
    let snapshot = Snapshot::new(1, vec![system]);
    let audience = ["https://dancu.example.vn/oauth/token".to_owned()];
    let case = Case {
        system: &snapshot.systems()[0].clone(),
        audience: &audience,
        source: source.map(|source| source.parse().unwrap()),
        at: Moment(NOW),
        machine: NOW,
    };
    let told = explain(&snapshot, &key(), &case, text);
    // The checks and authentication agree.
    let wrong = told.checks.iter().any(|c| c.state == State::Wrong && c.name != Name::State);
    assert_eq!(wrong, told.verdict.is_err(), "{text}\n{told:#?}");
    // Nothing that proves anything is told.
    for secret in [SOAP_SECRET, OLD_SECRET, CLIENT_SECRET, ODD_SECRET, STRANGE_SECRET] {
        assert!(!tells_of(&told, secret), "{text}\n{told:#?}");
    }
    told
}

/// Whether any eight characters of a secret in a row are told.
fn tells_of(told: &Told, secret: &str) -> bool {
    let shown = format!("{told:?}");
    let parts = secret.as_bytes().windows(8);
    parts.into_iter().any(|part| shown.contains(std::str::from_utf8(part).unwrap()))
}

fn told(text: &str) -> Told {
    told_of(system(), None, text)
}

fn header(hash: &str, stamp: impl std::fmt::Display) -> String {
    let proof = STANDARD.encode(format!("MAU_SOAP:{hash}"));
    format!(
        "POST /soap/dancu HTTP/1.1\nHost: gw.example.vn:8443\nTimestamp: {stamp}\n\
         Authorization: Basic {proof}\n"
    )
}

/// A header with a hash over these parts.
fn made(parts: &[&str], secret: &str) -> String {
    header(&hash_of(parts, secret.as_bytes()), NOW)
}

/// The checks that are wrong, with their hints.
fn faults(told: &Told) -> Vec<(Name, Option<Hint>)> {
    let wrong = told.checks.iter().filter(|c| c.state == State::Wrong);
    wrong.map(|c| (c.name, c.hint.as_ref().map(|(hint, _)| *hint))).collect()
}

fn stamp() -> String {
    NOW.to_string()
}

#[test]
fn a_right_header_is_right_in_every_check() {
    for url in ["/soap/dancu", "/dancu/xacthuc", "https://dancu.example.vn/soap/dancu"] {
        let told = told(&made(&[url, "MAU_SOAP", &stamp()], SOAP_SECRET));
        assert_eq!((told.way, faults(&told)), (Way::Soap, vec![]), "{url}");
    }
    // As a command of curl.
    let hash = hash_of(&["/soap/dancu", "MAU_SOAP", &stamp()], SOAP_SECRET.as_bytes());
    let proof = STANDARD.encode(format!("MAU_SOAP:{hash}"));
    let curl = format!(
        "curl -X POST 'https://dancu.example.vn/soap/dancu' \\\n  -H 'Timestamp: {NOW}' \\\n  \
         -H \"Authorization: Basic {proof}\" \\\n --data @request.xml"
    );
    assert_eq!(faults(&told(&curl)), []);
}

#[test]
fn each_usual_mistake_of_a_hash_is_named() {
    let (user, stamp) = ("MAU_SOAP", stamp());
    let hash = |hint| vec![(Name::Hash, Some(hint))];
    let seconds = (NOW / 1000).to_string();
    let right = hash_of(&["/soap/dancu", user, &stamp], SOAP_SECRET.as_bytes());
    let cases = [
        (made(&["/soap/dancu", user, &stamp], OLD_SECRET), hash(Hint::EndedSecret)),
        (made(&["/soap/dancu", user, &stamp], CLIENT_SECRET), hash(Hint::OtherSecret)),
        (made(&["/soap/dancu", user, &stamp], &format!("{SOAP_SECRET}\n")), hash(Hint::BlankAtEnd)),
        (made(&["/soap/dancu", user, &seconds], SOAP_SECRET), hash(Hint::OtherUnit)),
        (made(&["/soap/dancu/", user, &stamp], SOAP_SECRET), hash(Hint::OtherUrl)),
        (
            made(&["https://gw.example.vn:8443/soap/dancu", user, &stamp], SOAP_SECRET),
            hash(Hint::OtherUrl),
        ),
        (made(&[user, &stamp], SOAP_SECRET), hash(Hint::NoUrl)),
        (made(&["/soap/dancu", "mau_soap", &stamp], SOAP_SECRET), hash(Hint::OtherUser)),
        (made(&["/soap/dancu", &stamp, user], SOAP_SECRET), hash(Hint::OtherOrder)),
        (made(&["/soap/dancu", user, &stamp], "something else"), hash(Hint::SecretOrUrl)),
        (
            header(&right.to_uppercase(), NOW),
            vec![(Name::HashForm, Some(Hint::UpperCase)), (Name::Hash, Some(Hint::UpperCase))],
        ),
        (
            header(&STANDARD.encode(hex::decode(&right).unwrap()), NOW),
            vec![(Name::HashForm, Some(Hint::Base64)), (Name::Hash, Some(Hint::Base64))],
        ),
    ];
    for (text, expected) in cases {
        let told = told(&text);
        assert_eq!(faults(&told), expected, "{text}");
        assert!(!format!("{told:?}").contains(&right), "the right hash is a credential");
    }
    let md5 = faults(&told(&header(&"a".repeat(32), NOW)));
    assert_eq!(md5[0], (Name::HashForm, Some(Hint::Md5)));
}

#[test]
fn clocks_units_users_and_subsystems() {
    let with = |stamp: &str, more: &str| {
        let hash = hash_of(&["/soap/dancu", "MAU_SOAP", stamp], SOAP_SECRET.as_bytes());
        faults(&told(&format!("{}{more}", header(&hash, stamp))))
    };
    let minutes = |m: i64| (NOW + m * 60_000).to_string();
    assert_eq!(with(&(NOW / 1000).to_string(), ""), [], "seconds are taken too");
    assert_eq!(with(&minutes(5), ""), []);
    assert_eq!(with(&minutes(-6), ""), [(Name::Clock, Some(Hint::MayBeOld))]);
    assert_eq!(with(&minutes(7 * 60), ""), [(Name::Clock, Some(Hint::TimeZone))]);
    assert_eq!(with(&format!("{NOW}000"), ""), [(Name::Clock, Some(Hint::TooFine))]);
    assert_eq!(with("2026-03-02 09:00", "")[0], (Name::Timestamp, Some(Hint::NoEpoch)));
    assert_eq!(with(&minutes(0), "X-Road-Client: VN/GOV/MAU"), []);
    assert_eq!(with(&minutes(0), "X-Road-Client: VN/GOV/X"), [(Name::Subsystem, None)]);
    let proof = STANDARD.encode(format!("ONESTOP_SOAP:{}", "a".repeat(64)));
    let other = told(&format!("Timestamp: {NOW}\nAuthorization: Basic {proof}"));
    assert_eq!(faults(&other)[0], (Name::User, None));
    assert_eq!(other.verdict, Err(AuthFailure::Wrong));
    assert_eq!(with(&minutes(0), "X-Road-Client:"), [(Name::Subsystem, None)], "sent and empty");
    let missing = faults(&told("Authorization: Basic TUFVX1NPQVA6YQ=="));
    assert_eq!(missing[0], (Name::Timestamp, Some(Hint::NoTimestamp)));
}

/// Secrets where something else belongs, as people paste them.
#[test]
fn a_secret_in_the_wrong_place_is_not_told_again() {
    for secret in [SOAP_SECRET, OLD_SECRET, CLIENT_SECRET, ODD_SECRET, STRANGE_SECRET] {
        let basic = |user: &str, secret: &str| STANDARD.encode(format!("{user}:{secret}"));
        let (right, swapped) = (basic("mau", secret), basic(secret, "mau"));
        let claims = json!({"iss": secret, "sub": secret});
        for text in [
            secret.to_owned(),
            right.clone(),
            format!("Bearer {secret}"),
            format!("Authorization: {secret}"),
            format!("Authorization: Bearer {secret}"),
            format!("Authorization: Basic {secret}"),
            format!("Authorization: Basic {right}"),
            format!("Authorization: Basic {swapped}"),
            format!("Timestamp: {NOW}\nAuthorization: Basic {right}"),
            format!("Timestamp: {NOW}\nAuthorization: Basic {swapped}"),
            format!("Timestamp: {NOW}\nAuthorization: Basic {}", basic("MAU_SOAP", secret)),
            format!("POST /oauth/token HTTP/1.1\nAuthorization: Basic {swapped}"),
            format!("grant_type=client_credentials&client_id={secret}&client_secret=mau"),
            format!("curl -u mau:{secret} https://dancu.example.vn/oauth/token"),
            format!("curl https://mau:{secret}@dancu.example.vn/soap/dancu\nTimestamp: {NOW}"),
            assertion(&claims),
        ] {
            told(&text);
        }
    }
    // Those of the system are known in every place.
    for secret in [SOAP_SECRET, OLD_SECRET, CLIENT_SECRET, ODD_SECRET] {
        for text in [
            format!("Timestamp: {secret}"),
            format!("Timestamp: {NOW}\nX-Road-Client: {secret}\nAuthorization: Basic QTpi"),
            format!("POST /a/{secret}\nTimestamp: {NOW}\nAuthorization: Basic QTpi"),
            format!("grant_type={secret}&client_id=mau&client_secret=x"),
            format!("client_assertion=ey.ey.x&client_assertion_type={secret}&grant_type=x"),
            assertion(&json!({"iss": "mau", "sub": "mau", "aud": secret, "jti": secret})),
        ] {
            told(&text);
        }
    }
    let hex = "0123456789abcdef".repeat(4);
    let mut own = system();
    own.soap.as_mut().unwrap().secrets = vec![secret(&hex), secret("ngắn")];
    for text in [
        format!("Timestamp: {NOW}\nAuthorization: Basic {}", STANDARD.encode(format!("a:{hex}"))),
        format!("Timestamp: {NOW}\nAuthorization: Basic {}", STANDARD.encode("ngắn:ngắn")),
    ] {
        let told = told_of(own.clone(), None, &text);
        assert!(!tells_of(&told, &hex) && !format!("{told:?}").contains("ngắn"), "{told:#?}");
    }
    // What is no secret is told, so that it can be compared.
    let hash = "ab12".repeat(16);
    let proof = STANDARD.encode(format!("ONESTOP_SOAP:{hash}"));
    let other = told(&format!("Timestamp: {NOW}\nAuthorization: Basic {proof}"));
    let told = |got: &str| other.checks.iter().any(|check| check.got == got);
    assert!(told("ONESTOP_SOAP") && told("ab12ab12… · 64"), "{other:#?}");
}

#[test]
fn tokens_are_explained_and_those_of_others_are_nobodys() {
    let claims = Claims {
        system: SystemId(1),
        credential_version: 1,
        expires_at: NOW + 1_000,
        certificate: None,
    };
    let of = |claims: Claims| told(&mint(&key(), claims, [7; 8]));
    assert_eq!(of(claims).verdict, Ok(()));
    let stale = Claims { expires_at: NOW, ..claims };
    assert_eq!(faults(&of(stale)), [(Name::Expiry, Some(Hint::MayBeOld))]);
    let changed = Claims { credential_version: 9, ..claims };
    assert_eq!(faults(&of(changed)), [(Name::TokenOf, Some(Hint::ChangedSince))]);
    let foreign = of(Claims { system: SystemId(2), ..claims });
    let forged = told(&mint(&key_of(1), claims, [7; 8]));
    assert_eq!(foreign.checks.len(), forged.checks.len());
    assert_eq!((faults(&foreign), foreign.verdict), (faults(&forged), forged.verdict));
    let token = mint(&key(), claims, [7; 8]);
    let cut = format!("Authorization: Bearer {}", &token[..token.len() - 4]);
    assert_eq!(faults(&told(&cut)), [(Name::Token, Some(Hint::BrokenToken))]);
    let jwt = told("Authorization: Bearer eyJhbGciOiJub25lIn0.e30.AA");
    assert_eq!(faults(&jwt), [(Name::Token, Some(Hint::ForeignToken))]);
    assert!(!format!("{:?}", told(&token)).contains(&token));
    // As the SOAP service takes it, and as the others do.
    let with = |more: &str| told(&format!("Authorization: Bearer {token}\n{more}"));
    assert_eq!(with("X-Road-Client: VN/GOV/MAU").verdict, Ok(()));
    let foreign = with("X-Road-Client: VN/GOV/X");
    assert_eq!(faults(&foreign), [(Name::Subsystem, None)]);
    assert_eq!(foreign.verdict, Err(AuthFailure::ForeignSubsystem));
    let rest = with("POST /api/v1/citizens/verify HTTP/1.1\nX-Road-Client: VN/GOV/X");
    assert_eq!(rest.verdict, Ok(()));
}

#[test]
fn clients_by_secret() {
    let form = |id: &str, secret: &str| {
        format!("grant_type=client_credentials&client_id={id}&client_secret={secret}")
    };
    assert_eq!(faults(&told(&form("mau", CLIENT_SECRET))), []);
    assert_eq!(faults(&told(&form("khac", CLIENT_SECRET))), [(Name::ClientId, None)]);
    let hint = |secret: &str| faults(&told(&form("mau", secret)));
    assert_eq!(hint("wrong"), [(Name::ClientSecret, None)]);
    assert_eq!(hint(SOAP_SECRET), [(Name::ClientSecret, Some(Hint::OtherSecret))]);
    assert_eq!(
        hint(&format!("{CLIENT_SECRET}%0A")),
        [(Name::ClientSecret, Some(Hint::BlankAtEnd))]
    );
    let basic = STANDARD.encode(format!("mau:{CLIENT_SECRET}"));
    let header = format!("POST /oauth/token HTTP/1.1\nAuthorization: Basic {basic}");
    let alone = told(&header);
    assert_eq!(faults(&alone), []);
    assert!(alone.checks.iter().any(|c| (c.name, c.state) == (Name::Grant, State::Open)));
    // What the endpoint refuses before it looks at anybody.
    let proof = format!("client_id=mau&client_secret={CLIENT_SECRET}");
    for asked in [proof.clone(), format!("grant_type=&{proof}"), format!("grant_type=x&{proof}")] {
        let told = told(&asked);
        assert_eq!(faults(&told), [(Name::Grant, None)], "{asked}");
        assert_eq!(told.verdict, Err(AuthFailure::Malformed));
    }
    assert_eq!(faults(&told(&format!("{header}\n\ngrant_type=password"))), [(Name::Grant, None)]);
}

fn assertion(claims: &serde_json::Value) -> String {
    let key = EncodingKey::from_ed_pem(PRIVATE.as_bytes()).unwrap();
    encode(&Header::new(Algorithm::EdDSA), claims, &key).unwrap()
}

#[test]
fn assertions_are_explained() {
    let exp = NOW / 1000 + 60;
    let url = "https://dancu.example.vn/oauth/token";
    let right = json!({"iss": "mau", "sub": "mau", "aud": url, "jti": "1", "exp": exp});
    let with = |name: &str, value: serde_json::Value| {
        let mut claims = right.clone();
        claims[name] = value;
        faults(&told(&assertion(&claims)))
    };
    assert_eq!(faults(&told(&assertion(&right))), []);
    assert_eq!(with("aud", json!("https://other.example.vn")), [(Name::Audience, None)]);
    assert_eq!(with("aud", json!(["a", url])), []);
    assert_eq!(with("iss", json!("khac")), [(Name::Subject, None)]);
    assert_eq!(with("sub", json!("khac")), [(Name::Subject, None)]);
    assert_eq!(with("exp", json!(NOW)), [(Name::Expiry, Some(Hint::InMilliseconds))]);
    assert_eq!(with("exp", json!(exp - 60)), [(Name::Expiry, Some(Hint::MayBeOld))]);
    assert_eq!(with("exp", json!(exp + 3_600)), [(Name::Expiry, Some(Hint::TooLong))]);
    assert_eq!(with("jti", json!(null)), [(Name::TokenId, None)]);
    let form = |more: &str| {
        let text = format!("client_assertion={}{more}", assertion(&right));
        faults(&told(&text))
    };
    let (grant, kind) = ("&grant_type=client_credentials", "&client_assertion_type=");
    assert_eq!(form(&format!("{grant}{kind}{}", crate::client::JWT_BEARER)), []);
    assert_eq!(form(grant), [(Name::AssertionType, None)]);
    assert_eq!(form(&format!("{grant}{kind}saml2-bearer")), [(Name::AssertionType, None)]);
    assert_eq!(form(""), [(Name::Grant, None), (Name::AssertionType, None)]);
    let mut broken = assertion(&right);
    let last = broken.len() - 5;
    broken.replace_range(last.., "AAAAA");
    assert_eq!(faults(&told(&broken)), [(Name::Signature, None)]);
    let rsa = format!(
        "{}.x",
        broken.rsplit_once('.').unwrap().0.replacen(
            broken.split('.').next().unwrap(),
            "eyJhbGciOiJSUzI1NiJ9",
            1
        )
    );
    assert_eq!(faults(&told(&rsa)), [(Name::Signature, Some(Hint::NoSuchKey))]);
    let none = rsa.replacen("eyJhbGciOiJSUzI1NiJ9", "eyJhbGciOiJIUzI1NiJ9", 1);
    assert_eq!(faults(&told(&none)), [(Name::Algorithm, None)]);
}

#[test]
fn sources_certificates_and_states() {
    let text = made(&["/soap/dancu", "MAU_SOAP", &stamp()], SOAP_SECRET);
    let mut listed = system();
    listed.facts.sources = vec!["192.0.2.0/24".parse().unwrap()];
    let from = |source| told_of(listed.clone(), source, &text);
    assert_eq!(faults(&from(Some("192.0.2.9"))), []);
    assert_eq!(faults(&from(Some("198.51.100.1"))), [(Name::Source, None)]);
    assert_eq!(from(Some("198.51.100.1")).verdict, Err(AuthFailure::ForeignSource));
    assert_eq!(from(None).verdict, Ok(()));
    let mut required = system();
    required.certificates.mode = CertificateMode::Required;
    let none = told_of(required.clone(), None, &text);
    assert_eq!(none.verdict, Err(AuthFailure::ForeignCertificate));
    required.certificates.sha256 = vec![[1; 32]];
    assert_eq!(told_of(required, None, &text).verdict, Ok(()));
    let suspended = System { state: ConnectionState::Suspended, ..system() };
    assert_eq!(faults(&told_of(suspended, None, &text)), [(Name::State, None)]);
}

#[test]
fn nothing_known_and_anything_at_all() {
    let xml = told("<soapenv:Envelope/>");
    assert_eq!(faults(&xml), [(Name::Credentials, Some(Hint::EnvelopeOnly))]);
    assert!(xml.envelope.is_some() && !format!("{xml:?}").contains("soapenv"));
    assert_eq!(faults(&told("")), [(Name::Credentials, Some(Hint::NothingFound))]);
    let letters: Vec<char> = "a:=&.\n <>-'\\\"%0Bế\u{0}eyJ{}/".chars().collect();
    let mut state = 1_u32;
    for length in 0..2_000 {
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            letters[(state >> 16) as usize % letters.len()]
        };
        let text: String = (0..length % 200).map(|_| next()).collect();
        for front in ["", "Authorization: Basic ", "Authorization: Bearer ", "Timestamp: 1\n"] {
            let _ = told(&format!("{front}{text}"));
        }
    }
    let long =
        format!("Timestamp: {}\nAuthorization: Basic {}", "9".repeat(60_000), "QQ".repeat(2_000));
    assert!(told(&long).checks.iter().all(|c| c.got.chars().count() <= VALUE_MAX + 20));
}
