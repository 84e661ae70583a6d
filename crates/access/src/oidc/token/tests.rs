use dancu_store::keys::SealKey;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde::{Serialize, Serializer};
use serde_json::json;

use super::super::state::Wanted;
use super::*;

// A key made for this test: it proves nothing anywhere else.
const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEICVHgzUuZXCrMcahajxP/mDnNXxEJ3Vmg9XVNv0kUenc\n\
    -----END PRIVATE KEY-----";
const PUBLIC: &str = "FfrsT8WmpDXczwocR47-smBeu70wwrSpHlAkuwNh-4M";
const ISSUER: &str = "https://dinhdanh.example.vn";
const CLIENT: &str = "dancu";
const NOW: MachineTime = MachineTime(1_772_416_800_000);
const SECONDS: i64 = NOW.0 / 1_000;

fn state() -> State {
    let key = SealKey::new(&[9; 32]).unwrap();
    let begun = State::begin(&key, [1; 32], (Wanted::Citizen, "", false), NOW).unwrap();
    State::open(&key, &begun.state, [1; 32], NOW).unwrap()
}

fn keys() -> KeySet {
    let set = json!({ "keys": [
        { "kty": "RSA", "use": "enc", "kid": "e", "n": "AQAB", "e": "AQAB" },
        { "kty": "lattice", "kid": "q" },
        { "kty": "oct", "kid": "k1", "k": "c2VjcmV0" },
        { "kty": "OKP", "crv": "Ed25519", "kid": "k1", "use": "sig", "x": PUBLIC },
    ]});
    KeySet::parse(set.to_string().as_bytes()).unwrap()
}

/// A token of now with some claims changed; a null takes a claim away.
fn signed(state: &State, changes: &Value) -> String {
    let mut claims = json!({
        "iss": ISSUER, "sub": "s-1", "aud": CLIENT, "exp": SECONDS + 60, "iat": SECONDS,
        "nonce": state.nonce(), "acr": "2", "SoDinhDanh": "099301012345", "auth_time": SECONDS,
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let header = Header { kid: Some("k1".into()), ..Header::new(Algorithm::EdDSA) };
    let key = EncodingKey::from_ed_pem(PRIVATE.as_bytes()).unwrap();
    encode(&header, &claims, &key).unwrap()
}

fn checked(state: &State, token: &str) -> Result<Verified, Failure> {
    verify(token, &keys(), &Expected { issuer: ISSUER, client_id: CLIENT, state, now: NOW })
}

fn refused(changes: &Value) -> Failure {
    let state = state();
    checked(&state, &signed(&state, changes)).unwrap_err()
}

#[test]
fn a_token_for_this_sign_in_is_believed() {
    let state = state();
    let verified = checked(&state, &signed(&state, &json!({}))).unwrap();
    assert_eq!(verified.subject(), "s-1");
    assert!(verified.lacks_claims(), "the kind of the account stands beside it");
    let levels = Levels::new(vec!["1".into(), "2".into()], Some("2")).unwrap();
    assert!(verified.is_strong(&levels));
    let identity = verified.identity(ISSUER, Date::constant(2026, 3, 2)).unwrap();
    assert_eq!(identity.personal_id.map(|id| id.to_string()).as_deref(), Some("099301012345"));
    assert_eq!(format!("{verified:?}"), "Verified(***)");
    // Several audiences, and it was given to us.
    let several = json!({ "aud": ["khac", CLIENT], "azp": CLIENT });
    assert!(checked(&state, &signed(&state, &several)).is_ok());
    for acr in [json!(null), json!("1"), json!("0")] {
        let weak = checked(&state, &signed(&state, &json!({ "acr": acr }))).unwrap();
        assert!(!weak.is_strong(&levels));
    }
}

#[test]
fn a_token_for_another_is_not() {
    for (changes, what) in [
        (json!({ "iss": "https://khac.example.vn" }), "issuer"),
        (json!({ "iss": format!("{ISSUER}/") }), "issuer"),
        (json!({ "aud": "khac" }), "audience"),
        (json!({ "aud": [] }), "audience"),
        (json!({ "aud": ["khac"], "azp": CLIENT }), "audience"),
        (json!({ "aud": ["khac", CLIENT] }), "authorised party"),
        (json!({ "azp": "khac" }), "authorised party"),
        (json!({ "nonce": null }), "nonce"),
        (json!({ "nonce": "" }), "nonce"),
        (json!({ "nonce": state().nonce() }), "nonce"),
    ] {
        assert_eq!(refused(&changes), Failure::Token(what), "{changes}");
    }
    for missing in ["iss", "sub", "aud", "exp", "iat"] {
        let without = json!({ missing: null });
        assert_eq!(refused(&without), Failure::Token("signature or form"), "{missing}");
    }
}

#[test]
fn a_token_of_another_time_is_not() {
    let skew = SKEW_MS / 1_000;
    for (changes, what) in [
        (json!({ "exp": SECONDS - skew }), "expired"),
        (json!({ "exp": i64::MIN }), "expired"),
        (json!({ "iat": SECONDS + skew + 1 }), "of the future"),
        (json!({ "iat": i64::MAX, "exp": i64::MAX }), "of the future"),
        (json!({ "nbf": SECONDS + skew + 1 }), "of the future"),
        (json!({ "iat": SECONDS - AGE_MS / 1_000 - 1 }), "too old"),
    ] {
        assert_eq!(refused(&changes), Failure::Token(what), "{changes}");
    }
    let state = state();
    for fine in [
        json!({ "exp": SECONDS - skew + 1 }),
        json!({ "iat": SECONDS + skew }),
        json!({ "iat": SECONDS - AGE_MS / 1_000 }),
    ] {
        assert!(checked(&state, &signed(&state, &fine)).is_ok(), "{fine}");
    }
}

#[test]
fn everybody_proved_anew() {
    let state = state();
    let with = |at: Value| checked(&state, &signed(&state, &json!({ "auth_time": at })));
    assert!(with(json!(SECONDS)).is_ok());
    for before in [json!(null), json!(SECONDS - 3_600), json!(0)] {
        assert_eq!(with(before).unwrap_err(), Failure::Token("not proved anew"));
    }
}

#[test]
fn algorithms_and_keys_are_ours_to_choose() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let state = state();
    let good = signed(&state, &json!({}));
    let parts: Vec<&str> = good.split('.').collect();
    let with_head = |header: Value| {
        let head = URL_SAFE_NO_PAD.encode(header.to_string());
        [head.as_str(), parts[1], parts[2]].join(".")
    };
    // No signature at all.
    let none = with_head(json!({ "alg": "none" }));
    let bare = format!("{}.{}.", none.split('.').next().unwrap(), parts[1]);
    for token in [none, bare] {
        assert_eq!(checked(&state, &token).unwrap_err(), Failure::Token("unreadable"));
    }
    // The public key, or a key of the set, taken for a shared secret.
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    for secret in [PUBLIC.as_bytes(), b"secret"] {
        let header = Header { kid: Some("k1".into()), ..Header::new(Algorithm::HS256) };
        let token = encode(&header, &claims, &EncodingKey::from_secret(secret)).unwrap();
        assert_eq!(checked(&state, &token).unwrap_err(), Failure::Token("algorithm"));
    }
    // A key of another kind, or one that is not in the set.
    for other in [json!({ "alg": "RS256", "kid": "k1" }), json!({ "alg": "EdDSA", "kid": "k2" })] {
        assert_eq!(checked(&state, &with_head(other)).unwrap_err(), Failure::UnknownKey);
    }
    // A changed character anywhere.
    for at in [parts[0].len() + 5, good.len() - 3] {
        let mut changed = good.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(checked(&state, &changed).unwrap_err(), Failure::Token("signature or form"));
    }
    for text in ["", "a.b.c", "<html>", &"a".repeat(TOKEN_MAX + 1)] {
        assert!(matches!(checked(&state, text), Err(Failure::Token(_))));
    }
}

/// Claims as they are written, whatever stands twice among them.
struct Written(Vec<(&'static str, Value)>);

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[test]
fn a_claim_that_stands_twice_makes_the_token_none() {
    let state = state();
    let all = vec![
        ("iss", json!(ISSUER)),
        ("sub", json!("s-1")),
        ("aud", json!(CLIENT)),
        ("exp", json!(SECONDS + 60)),
        ("iat", json!(SECONDS)),
        ("nonce", json!(state.nonce())),
        ("auth_time", json!(SECONDS)),
        ("SoDinhDanh", json!("099301012345")),
    ];
    let checked_with = |claims: Vec<(&'static str, Value)>| {
        let header = Header { kid: Some("k1".into()), ..Header::new(Algorithm::EdDSA) };
        let key = EncodingKey::from_ed_pem(PRIVATE.as_bytes()).unwrap();
        checked(&state, &encode(&header, &Written(claims), &key).unwrap())
    };
    assert!(checked_with(all.clone()).is_ok());
    for twice in &all {
        let doubled = [&all[..], std::slice::from_ref(twice)].concat();
        let refused = checked_with(doubled).map(drop);
        assert_eq!(refused, Err(Failure::Token("signature or form")), "{}", twice.0);
    }
    // Nor is one believed beside the token.
    let verified = checked_with(all).unwrap();
    let one = br#"{"sub":"s-1","HoVaTen":"A"}"#;
    assert!(user_info(one, &verified).is_ok());
    for two in
        [&br#"{"sub":"s-1","HoVaTen":"A","HoVaTen":"B"}"#[..], br#"{"sub":"s-1","sub":"s-1"}"#]
    {
        assert_eq!(user_info(two, &verified).unwrap_err(), Failure::Answer("no claims"));
    }
}

#[test]
fn answers_are_read_or_refused() {
    let answer = Answer::parse(br#"{"id_token":"t","access_token":"a","token_type":"Bearer"}"#);
    let answer = answer.unwrap();
    assert_eq!(
        (answer.id_token.as_str(), answer.access_token.as_deref().map(String::as_str)),
        ("t", Some("a"))
    );
    assert_eq!(format!("{answer:?}"), "Answer(***)");
    let split = Answer::parse(b"{\"id_token\":\"t\",\"access_token\":\"a\\r\\nX: y\"}").unwrap();
    assert!(split.access_token.is_none(), "no header is split");
    for body in ["", "<html>", "{}", "[]", r#"{"error":"invalid_grant"}"#] {
        assert!(matches!(Answer::parse(body.as_bytes()), Err(Failure::Answer(_))), "{body}");
    }
    for body in ["", "<html>", "{}", r#"{"keys":1}"#] {
        assert!(KeySet::parse(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn claims_beside_the_token_are_of_the_same_person() {
    let state = state();
    let verified = checked(&state, &signed(&state, &json!({ "SoDinhDanh": null }))).unwrap();
    assert!(verified.lacks_claims());
    let other = user_info(br#"{"sub":"s-2","SoDinhDanh":"099301012345"}"#, &verified);
    assert_eq!(other.unwrap_err(), Failure::Answer("claims of somebody else"));
    let own = json!({
        "sub": "s-1", "SoDinhDanh": "099301012345", "acr": "9", "LoaiTaiKhoan": 1,
        "HoVaTen": "Nguyễn Văn Mẫu", "NgayThangNamSinh": "19900201",
    });
    let further = user_info(own.to_string().as_bytes(), &verified).unwrap();
    assert!(!further.contains_key("acr"), "the level stands in the token alone");
    let all = verified.clone().with(further).unwrap();
    assert!(!all.lacks_claims());
    let differs = all.with(json!({ "SoDinhDanh": "099301012346" }).as_object().unwrap().clone());
    assert!(matches!(differs, Err(Failure::Claims(_))));
    for body in ["", "<html>", "{}", "eyJhbGciOiJub25lIn0.e30."] {
        assert!(user_info(body.as_bytes(), &verified).is_err(), "{body}");
    }
}

#[test]
fn only_a_code_that_is_not_taken_is_told_apart() {
    for (body, told) in [
        (r#"{"error":"invalid_grant"}"#, Failure::Answer("the code is not taken")),
        (r#"{"error":"invalid_client","x":1}"#, Failure::Client("invalid_client")),
        (r#"{"error":"tên lạ"}"#, Failure::Client("refused without a known reason")),
        (r#"{"error":"x","error":"invalid_grant"}"#, refusal(b"")),
        (r#"["invalid_grant",1]"#, refusal(b"")),
    ] {
        assert_eq!(refusal(body.as_bytes()), told, "{body}");
    }
    assert_eq!(refusal(b"\xff"), Failure::Client("refused without a known reason"));
}
