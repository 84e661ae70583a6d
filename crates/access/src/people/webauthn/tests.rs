//! A key in software against the checks: what it makes is taken, and nothing else is.

#[expect(dead_code, reason = "the tests of the engine use the rest of it")]
#[path = "../../../tests/people/key.rs"]
mod key;

use aws_lc_rs::signature::Ed25519KeyPair;

use self::key::{ID, Key, PRESENT, Pair, VERIFIED};
use super::*;

const CHALLENGE: [u8; 32] = [7; 32];
const ORIGIN: &str = "https://dancu.example.vn:8443";

fn site() -> Site {
    Site { name: "Dân cư".into(), origin: ORIGIN.into() }
}

fn p256() -> Key {
    Key::p256(ORIGIN, CHALLENGE)
}

fn used(stored: &[u8], response: &str, verified: bool) -> Option<u32> {
    Assertion::read(response)?.verify(&site(), &CHALLENGE, stored, verified)
}

#[test]
fn a_key_is_enrolled_and_used() {
    let ed25519 = Ed25519KeyPair::generate().unwrap();
    for mut key in [p256(), Key::new(Pair::Ed25519(ed25519), ORIGIN, CHALLENGE)] {
        let (id, stored) = register(&site(), &CHALLENGE, &key.made(), true).unwrap();
        assert_eq!(id, ID);
        let assertion = Assertion::read(&key.signed()).unwrap();
        assert_eq!((assertion.id.as_slice(), assertion.user), (ID, Some(PersonId(7))));
        assert_eq!(used(&stored, &key.signed(), true), Some(0), "it does not count");
        key.counter = 5;
        assert_eq!(used(&stored, &key.signed(), true), Some(5));
        let stored = counted(&stored, 5).unwrap();
        assert_eq!(used(&stored, &key.signed(), true), None, "a copy of it");
        assert!(counted(&stored, 5).is_none() && counted(&stored, 0).is_none());
        key.counter = 6;
        assert_eq!(used(&stored, &key.signed(), true), Some(6));
    }
}

/// As `PublicKeyCredential.toJSON()` writes it (level 3, 5.1): the id twice, and more that is not
/// read.
#[test]
fn the_shape_that_browsers_write_themselves_is_read() {
    let key = p256();
    let written = |response: &str, raw: &[u8]| {
        let mut json: Value = serde_json::from_str(response).unwrap();
        json["rawId"] = json!(key::text(raw));
        json["authenticatorAttachment"] = json!("platform");
        json["clientExtensionResults"] = json!({ "credProps": { "rk": true } });
        json["response"]["transports"] = json!(["internal"]);
        json["response"]["publicKeyAlgorithm"] = json!(-7);
        json.to_string()
    };
    let (id, stored) = register(&site(), &CHALLENGE, &written(&key.made(), ID), true).unwrap();
    assert_eq!(id, ID);
    assert_eq!(used(&stored, &written(&key.signed(), ID), true), Some(0));
    assert_eq!(used(&stored, &written(&key.signed(), b"another"), true), None);
    assert!(register(&site(), &CHALLENGE, &written(&key.made(), b"another"), true).is_none());
}

#[test]
fn a_security_key_is_touched_and_a_passkey_verifies() {
    let mut key = p256();
    key.flags = PRESENT;
    let (_, stored) = register(&site(), &CHALLENGE, &key.made(), false).unwrap();
    assert_eq!(used(&stored, &key.signed(), false), Some(0));
    assert_eq!(used(&stored, &key.signed(), true), None);
    assert!(register(&site(), &CHALLENGE, &key.made(), true).is_none());
    key.flags = VERIFIED;
    assert!(register(&site(), &CHALLENGE, &key.made(), false).is_none(), "nobody touched it");
    assert_eq!(used(&stored, &key.signed(), false), None);
}

/// A way in which an answer is wrong.
type Wrong = fn(&mut Key);

#[test]
fn what_was_made_for_something_else_is_refused() {
    let wrongs: [(&str, Wrong); 6] = [
        ("origin", |key| key.origin = "https://dancu.example.vn".into()),
        ("scheme", |key| key.origin = "http://dancu.example.vn:8443".into()),
        ("host", |key| key.host = "example.vn".into()),
        ("challenge", |key| key.challenge = [8; 32]),
        ("kind", |key| key.kind = Some("payment.get")),
        ("frame", |key| key.cross = true),
    ];
    let key = p256();
    let (_, stored) = register(&site(), &CHALLENGE, &key.made(), true).unwrap();
    for (what, change) in wrongs {
        let mut key = p256();
        change(&mut key);
        assert!(register(&site(), &CHALLENGE, &key.made(), true).is_none(), "{what}");
    }
    let mut key = key;
    for (what, change) in wrongs {
        let pair = key.pair;
        key = Key::new(pair, ORIGIN, CHALLENGE);
        change(&mut key);
        assert_eq!(used(&stored, &key.signed(), true), None, "{what}");
    }
    assert_eq!(used(&stored, &p256().signed(), true), None, "another key");
}

#[test]
fn malformed_answers_are_refused() {
    let key = p256();
    let good = key.made();
    assert!(register(&site(), &CHALLENGE, &good, true).is_some());
    let whole: Value = serde_json::from_str(&good).unwrap();
    let object = bytes(whole["response"]["attestationObject"].as_str().unwrap()).unwrap();
    let with = |object: &[u8]| {
        let mut changed = whole.clone();
        changed["response"]["attestationObject"] = json!(text(object));
        changed.to_string()
    };
    // Cut anywhere, it is nothing.
    for end in 0..object.len() {
        assert!(register(&site(), &CHALLENGE, &with(&object[..end]), true).is_none(), "{end}");
    }
    let longer = [&object[..], &[0]].concat();
    assert!(register(&site(), &CHALLENGE, &with(&longer), true).is_none());
    let other = good.replace(&text(ID), &text(b"another"));
    assert!(register(&site(), &CHALLENGE, &other, true).is_none(), "another id than it signed");
    for response in ["", "null", "[]", "{}", &"x".repeat(RESPONSE_MAX + 1)] {
        assert!(register(&site(), &CHALLENGE, response, true).is_none());
        assert!(Assertion::read(response).is_none());
    }
}

#[test]
fn sites_have_one_host() {
    let host = |origin: &str| Site { name: String::new(), origin: origin.into() }.host().to_owned();
    assert_eq!(host("https://dancu.example.vn"), "dancu.example.vn");
    assert_eq!(host("https://dancu.example.vn:8443"), "dancu.example.vn");
    assert_eq!(host("http://localhost:8080"), "localhost");
}

#[test]
fn browsers_are_asked_for_no_more_than_is_needed() {
    let keys = [Passkey {
        id: ID.to_vec(),
        name: String::new(),
        security_key: true,
        credential: vec![],
        since: dancu_domain::moment::Moment(0),
        last: None,
    }];
    let asked: Value = serde_json::from_str(&request(&site(), &CHALLENGE, Some(&keys))).unwrap();
    assert_eq!(asked["rpId"], "dancu.example.vn");
    assert_eq!(asked["allowCredentials"][0]["id"], json!(text(ID)));
    assert_eq!(asked["userVerification"], "preferred");
    let any: Value = serde_json::from_str(&request(&site(), &CHALLENGE, None)).unwrap();
    assert_eq!(any["userVerification"], "required");
    assert_eq!(any["challenge"], json!(text(&CHALLENGE)));
}
