//! The worked example of docs/journal-format.md, so that document and program cannot drift.
//!
//! The numbers were worked out apart from this program, by the description alone.
#![expect(clippy::unwrap_used, reason = "the example is fixed: what cannot be read is a fault")]

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use dancu_journal::{
    Act, Aggregate, Body, Decision, Entry, Features, Query, Subject, commit, entry,
};

const DOCUMENT: &str = include_str!("../../../docs/journal-format.md");

/// The example's entry, 258 bytes.
const ENTRY: &str = "\
    01000000000000002a0000019cac4615030000019cac46150001020304050607\
    08000a564e2d323032352e31300000000000000007010000000100074f4e4553\
    544f5000074832362e3030310000000c00106f6e6573746f702e6f6666696365\
    723100000200047f0000010006722d30303031a0a1a2a3a4a5a6a7a8a9aaabac\
    adaeaf0008312e303034313934001578c3a163206d696e68206e68c3a26e2074\
    68c3a26e000c48532d323032362d303030310000000050220000000300000000\
    010000000100000000000000000000000100010107ea28ab6b5c649e8a557e8d\
    a546436316ba006307c6fc9699758452381b000001f4000001f3000000010000\
    00c8";
const PSEUDONYM: &str = "28ab6b5c649e8a557e8da546436316ba";
const NEIGHBOURHOOD: &str = "fc969975";
const NAME: &str = "8452381b";
const SALT: &str = "89b92f7b010ef7592024ff647a2b930fd890ef51da620b04e5d1e371b4188a6b";
const COMMITMENT: &str = "ad28cab428fefc8638712199175c4b998d0943f01587288485c345c2994b189c";
const LEAF: &str = "8273cd26e86ac9d88f55b78f1835081f02cd7b065e46a6f5792168d7f36936dc";
/// An aggregate and an act, the other two bodies.
const AGGREGATE: &str = "\
    01000000000000002b0000019cac46ff600000019cac46ff6001020304050607\
    08000a564e2d323032352e31300000000000000007020000019cac46150004cb\
    007107010000000c";
const ACT: &str = "\
    01000000000000002c0000019cac46ff600000019cac46ff6001020304050607\
    08000a564e2d323032352e313000000000000000080300096c696e652e6c6966\
    7400086f70657261746f720000000100066cc3bd20646f";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, b| {
        write!(text, "{b:02x}").unwrap();
        text
    })
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |i: usize| u8::from_str_radix(&hex[i..i + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digit).collect()
}

/// Both keys of the example: 32 bytes that count up.
fn key(first: u8) -> hmac::Key {
    let raw: Vec<u8> = (first..first + 32).collect();
    hmac::Key::new(hmac::HMAC_SHA256, &raw)
}

fn example() -> Entry {
    let query = Query {
        system: 1,
        system_code: "ONESTOP".into(),
        unit: "H26.001".into(),
        account: 12,
        officer: "onestop.officer1".into(),
        x_road_user: String::new(),
        protocol: 2,
        channel: 0,
        source: vec![127, 0, 0, 1],
        request_id: "r-0001".into(),
        body: std::array::from_fn(|i| 0xa0 + i as u8),
        procedure: "1.004194".into(),
        purpose: "xác minh nhân thân".into(),
        case: "HS-2026-0001".into(),
        service: 0,
        window: 0,
        duty_day: 20_514,
        line: 3,
        plan: 0,
        decision: Decision::Accepted,
        reason: 0,
        rule: String::new(),
        answer: 1,
        fields_asked: 0,
        fields: 0,
        counted: 1,
        event: 0,
        subjects: vec![Subject {
            delivered: true,
            epoch: 2026,
            pseudonym: bytes(PSEUDONYM).try_into().unwrap(),
        }],
        features: Features {
            province: 99,
            birth_year: 1990,
            neighbourhood: u32::from_str_radix(NEIGHBOURHOOD, 16).unwrap(),
            name: u32::from_str_radix(NAME, 16).unwrap(),
            line_limit: 500,
            line_left: 499,
            account_used: 1,
            account_daily: 200,
        },
    };
    Entry {
        index: 42,
        at: 1_772_416_800_003,
        arrival: 1_772_416_800_000,
        nonce: [1, 2, 3, 4, 5, 6, 7, 8],
        profile: "VN-2025.10".into(),
        epoch: 7,
        body: Body::Query(Box::new(query)),
    }
}

#[test]
fn rule_f3_the_example_has_these_bytes() {
    assert_eq!(entry::VERSION, 1);
    assert_eq!(hex(&example().encode()), ENTRY);
    assert_eq!(Entry::decode(&bytes(ENTRY)), Ok(example()));
}

#[test]
fn rule_f3_the_example_has_these_commitments() {
    let raw: Vec<u8> = (0..32).collect();
    let secret = <commit::MacKey as ::hmac::KeyInit>::new_from_slice(&raw).unwrap();
    let salt = commit::salt(&secret, 42);
    let c = commit::commitment(&salt, &bytes(ENTRY));
    assert_eq!(hex(&salt), SALT);
    assert_eq!(hex(&c), COMMITMENT);
    assert_eq!(hex(&commit::leaf(&c)), LEAF);
}

#[test]
fn the_example_has_these_pseudonyms() {
    let digest = |parts: &[&[u8]]| hex(&hmac::sign(&key(0x20), &parts.concat()).as_ref()[..16]);
    let id = 99_190_000_001_u64;
    assert_eq!(digest(&[&[3, 1], &id.to_be_bytes()]), PSEUDONYM);
    assert_eq!(digest(&[&[3, 9], b"n", &(id / 100).to_be_bytes()])[..8], *NEIGHBOURHOOD);
    assert_eq!(digest(&[&[3, 9], b"f", b"NGUYENTHIMAU"])[..8], *NAME);
}

#[test]
fn the_other_bodies_have_these_bytes() {
    let other = |index, epoch, body| Entry {
        index,
        at: 1_772_416_860_000,
        arrival: 1_772_416_860_000,
        nonce: [1, 2, 3, 4, 5, 6, 7, 8],
        profile: "VN-2025.10".into(),
        epoch,
        body,
    };
    let aggregate =
        Aggregate { minute: 1_772_416_800_000, source: vec![203, 0, 113, 7], cause: 1, count: 12 };
    assert_eq!(hex(&other(43, 7, Body::Aggregate(aggregate)).encode()), AGGREGATE);
    let act = Act {
        kind: "line.lift".into(),
        actor: "operator".into(),
        system: 1,
        detail: "lý do".into(),
    };
    assert_eq!(hex(&other(44, 8, Body::Act(act)).encode()), ACT);
}

/// The hex of the document's two listings of the entry, and every other number, are these.
#[test]
fn the_document_shows_this_example() {
    let listing = |mark: &str| -> String {
        let (_, rest) = DOCUMENT.split_once(mark).unwrap();
        let (_, rest) = rest.split_once("```\n").unwrap();
        rest.split_once("```").unwrap().0.to_owned()
    };
    let whole: String = listing("<!-- entry in one piece -->").split_whitespace().collect();
    assert_eq!(whole, ENTRY);
    let mut offset = 0;
    let mut by_field = String::new();
    for line in listing("<!-- entry by field -->").lines() {
        let (at, rest) = (line[..5].trim(), &line[5..]);
        if !at.is_empty() {
            assert_eq!(at.parse(), Ok(offset), "{line}");
        }
        let columns = rest.split("  ").next().unwrap();
        let pairs: Vec<&str> = columns.split_whitespace().collect();
        assert!(pairs.iter().all(|p| p.len() == 2), "{line}");
        offset += pairs.len();
        by_field += &pairs.concat();
    }
    assert_eq!(by_field, ENTRY);
    for number in [PSEUDONYM, NEIGHBOURHOOD, NAME, SALT, COMMITMENT, LEAF, AGGREGATE, ACT] {
        let spaceless: String = DOCUMENT.split_whitespace().collect();
        assert!(spaceless.contains(number), "{number}");
    }
}
