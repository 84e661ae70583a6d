//! The report of a run: one line of JSON, signed by the key of the sandbox's log as a C2SP signed
//! note, so that whoever knows that key can tell it is the sandbox's.

use anyhow::Context as _;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dancu_domain::moment::Moment;
use dancu_domain::registration::System;
use dancu_store::Store;
use dancu_store::keys::Purpose;
use serde_json::json;

use super::Running;

/// Name of the log, as its key line carries it.
pub const LOG_ORIGIN: &str = "dancu.sandbox/log";

/// The text that is signed.
pub(super) fn text(running: &Running, system: &System, now: Moment) -> String {
    let cases = running.run.cases().iter().map(|shown| {
        let text = shown.case.text();
        json!({
            "case": shown.case.code(),
            "nameVi": text.name_vi,
            "passed": !shown.entries.is_empty(),
            "entries": shown.entries,
        })
    });
    let report = json!({
        "format": "dancu-conformance/1",
        "run": running.name(),
        "systemCode": system.code.as_str(),
        "unitCode": system.unit.as_str(),
        "client": running.client,
        "begunBy": running.by,
        "from": running.began.rfc3339(),
        "to": now.rfc3339(),
        "cases": cases.collect::<Vec<_>>(),
        "otherRefusals": running.run.unexpected().len(),
    });
    format!("{report}\n")
}

/// A text that ends with a line feed, with the signature below it (C2SP signed-note).
pub(super) fn signed(store: &Store, text: &str) -> anyhow::Result<String> {
    let pair = pair(store)?;
    let mut line = key_hash(&public(&pair)).to_vec();
    line.extend_from_slice(pair.sign(text.as_bytes()).as_ref());
    Ok(format!("{text}\n\u{2014} {LOG_ORIGIN} {}\n", STANDARD.encode(line)))
}

/// SHA-256, hex.
pub(super) fn sha256(text: &str) -> String {
    hex::encode(digest(&SHA256, text.as_bytes()))
}

/// The verifier key line of the log (C2SP signed-note): name, key hash, type 1 = Ed25519, key.
pub fn log_key(store: &Store) -> anyhow::Result<String> {
    let public = public(&pair(store)?);
    let hash = hex::encode(key_hash(&public));
    Ok(format!("{LOG_ORIGIN}+{hash}+{}", STANDARD.encode(public)))
}

fn pair(store: &Store) -> anyhow::Result<Ed25519KeyPair> {
    let key = store.keys().get(Purpose::Log, 0).context("thiếu khóa nhật ký (log key)")?;
    Ed25519KeyPair::from_seed_unchecked(key.raw())
        .map_err(|_| anyhow::anyhow!("khóa nhật ký hỏng (log key)"))
}

fn public(pair: &Ed25519KeyPair) -> Vec<u8> {
    [&[1][..], pair.public_key().as_ref()].concat()
}

fn key_hash(public: &[u8]) -> [u8; 4] {
    let whole = digest(&SHA256, &[LOG_ORIGIN.as_bytes(), b"\n", public].concat());
    let mut hash = [0; 4];
    hash.copy_from_slice(&whole.as_ref()[..4]);
    hash
}
