//! OAuth clients: headers, forms and assertions, among them assertions that are rightly signed.

use std::sync::LazyLock;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use dancu_access::Arrival;
use dancu_access::client::{ClientProof, authenticate, form_decoded};
use dancu_domain::moment::Moment;
use dancu_domain::registration::Snapshot;

use crate::people::system;

/// The machine's clock, ms: early, so that assertions of long ago are not stale by it.
const NOW: i64 = 1_773_100_800_000;
/// DER in front of the 32 bytes of an Ed25519 public key (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

/// From loopback, both clocks alike.
fn arrival(now: i64) -> Arrival {
    Arrival { source: std::net::Ipv4Addr::LOCALHOST.into(), at: Moment(now), machine: now }
}

static PAIR: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key pair"));

static SNAPSHOT: LazyLock<Snapshot> = LazyLock::new(|| {
    let public = STANDARD.encode([&SPKI, PAIR.public_key().as_ref()].concat());
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{public}\n-----END PUBLIC KEY-----\n");
    Snapshot::new(1, vec![system(vec![pem])])
});

/// Reads a proof; its first byte says which: 0 header, 1 form, 2 assertion as it is, 3 the claims
/// of an assertion that is signed here.
///
/// # Panics
/// Where a law is broken.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    form(text);
    let Some((kind, text)) = text.split_at_checked(1) else { return };
    let signed = signed(text);
    let (id, secret) = text.split_once('\n').unwrap_or((text, ""));
    let proof = match kind {
        "0" => ClientProof { authorization: Some(text), ..ClientProof::default() },
        "1" => {
            ClientProof { client_id: Some(id), client_secret: Some(secret), ..Default::default() }
        }
        "2" => ClientProof { assertion: Some(text), ..ClientProof::default() },
        _ => ClientProof { assertion: Some(&signed), ..ClientProof::default() },
    };
    let audience = ["https://dancu.example/oauth/token".to_owned()];
    let Ok(first) = authenticate(&SNAPSHOT, &proof, &audience, &arrival(NOW)) else { return };
    assert_eq!(first.assertion.is_some(), proof.assertion.is_some());
    if let Some(used) = first.assertion {
        assert!(used.until > NOW, "it would be forgotten while it can be used");
        let again = authenticate(&SNAPSHOT, &proof, &audience, &arrival(NOW + 1));
        let mark = again.ok().and_then(|client| client.assertion).map(|again| again.mark);
        assert!(mark.is_none_or(|mark| mark == used.mark), "an assertion could be used twice");
    }
}

fn signed(claims: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","typ":"JWT"}"#);
    let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
    let signature = PAIR.sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// What was decoded can be encoded and decoded again.
fn form(text: &str) {
    let Some(plain) = form_decoded(text) else { return };
    let encoded: String = plain.bytes().map(|b| format!("%{b:02X}")).collect();
    assert_eq!(form_decoded(&encoded), Some(plain));
}
