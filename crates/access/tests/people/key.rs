//! An authenticator in software, with everything about it that a test wants to be wrong.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

/// Its one credential.
pub const ID: &[u8] = b"credential of the test";

/// Somebody touched it.
pub const PRESENT: u8 = 0x01;
/// It verified who.
pub const VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;

pub enum Pair {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

pub struct Key {
    pub pair: Pair,
    pub flags: u8,
    pub counter: u32,
    pub origin: String,
    pub host: String,
    pub challenge: [u8; 32],
    pub kind: Option<&'static str>,
    pub cross: bool,
    pub user: u32,
}

impl Key {
    pub fn new(pair: Pair, origin: &str, challenge: [u8; 32]) -> Self {
        let host = origin.split("://").nth(1).unwrap().split(':').next().unwrap().to_owned();
        Self {
            pair,
            flags: PRESENT | VERIFIED,
            counter: 0,
            origin: origin.to_owned(),
            host,
            challenge,
            kind: None,
            cross: false,
            user: 7,
        }
    }

    pub fn p256(origin: &str, challenge: [u8; 32]) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        Self::new(Pair::P256(pair), origin, challenge)
    }

    fn client_data(&self, kind: &str) -> Vec<u8> {
        json!({
            "type": self.kind.unwrap_or(kind),
            "challenge": text(&self.challenge),
            "origin": self.origin,
            "crossOrigin": self.cross,
            "other_keys_can_be_added_here": true,
        })
        .to_string()
        .into_bytes()
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let site = digest(&SHA256, self.host.as_bytes());
        [site.as_ref(), &[flags], &self.counter.to_be_bytes()].concat()
    }

    fn cose(&self) -> Vec<u8> {
        let (head, point) = match &self.pair {
            Pair::P256(pair) => ("a5010203262001215820", pair.public_key().as_ref()),
            Pair::Ed25519(pair) => ("a4010103272006215820", pair.public_key().as_ref()),
        };
        let mut key = hex::decode(head).unwrap();
        match &self.pair {
            Pair::P256(_) => {
                key.extend_from_slice(&point[1..33]);
                key.extend_from_slice(&[0x22, 0x58, 0x20]);
                key.extend_from_slice(&point[33..]);
            }
            Pair::Ed25519(_) => key.extend_from_slice(point),
        }
        key
    }

    /// What a browser sends after `navigator.credentials.create`.
    pub fn made(&self) -> String {
        let mut data = self.data(self.flags | ATTESTED);
        data.extend_from_slice(&[0; 16]);
        data.extend_from_slice(&u16::try_from(ID.len()).unwrap().to_be_bytes());
        data.extend_from_slice(ID);
        data.extend_from_slice(&self.cose());
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
        object.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
        object.extend_from_slice(&data);
        json!({
            "id": text(ID), "type": "public-key",
            "response": {
                "clientDataJSON": text(&self.client_data("webauthn.create")),
                "attestationObject": text(&object),
            },
        })
        .to_string()
    }

    /// What a browser sends after `navigator.credentials.get`.
    pub fn signed(&self) -> String {
        let (data, client) = (self.data(self.flags), self.client_data("webauthn.get"));
        let message = [&data, digest(&SHA256, &client).as_ref()].concat();
        let signature = match &self.pair {
            Pair::P256(pair) => {
                pair.sign(&SystemRandom::new(), &message).unwrap().as_ref().to_vec()
            }
            Pair::Ed25519(pair) => pair.sign(&message).as_ref().to_vec(),
        };
        json!({
            "id": text(ID), "type": "public-key",
            "response": {
                "clientDataJSON": text(&client),
                "authenticatorData": text(&data),
                "signature": text(&signature),
                "userHandle": text(&self.user.to_be_bytes()),
            },
        })
        .to_string()
    }
}

/// Bytes as browsers write them.
pub fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The challenge of options.
pub fn challenge(options: &str) -> [u8; 32] {
    let options: serde_json::Value = serde_json::from_str(options).unwrap();
    let text = options["challenge"].as_str().unwrap();
    URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap()
}
