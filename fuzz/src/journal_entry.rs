//! Journal entries: bytes that decode are the only bytes of that entry, and entries survive.

use arbitrary::{Result, Unstructured};
use dancu_journal::{Act, Aggregate, Body, Decision, Entry, Features, Query, Subject};

/// Longest text of an entry, bytes.
const TEXT_MAX: usize = 65_535;
/// Most subjects of an entry.
const SUBJECTS_MAX: usize = 64;

/// Decodes the bytes; then makes an entry of them and encodes it.
///
/// # Panics
/// Where a law is broken.
pub fn run(data: &[u8]) {
    if let Ok(entry) = Entry::decode(data) {
        assert_eq!(entry.encode(), data, "another encoding of the same entry");
    }
    let Ok(entry) = entry(&mut Unstructured::new(data)) else { return };
    let bytes = entry.encode();
    match Entry::decode(&bytes) {
        Ok(back) if fits(&entry) => assert_eq!(back, entry),
        Ok(back) => assert_eq!(back.encode(), bytes),
        Err(error) => panic!("what was encoded does not decode: {error}"),
    }
    for end in [0, bytes.len() / 2, bytes.len() - 1] {
        assert!(Entry::decode(&bytes[..end]).is_err());
    }
}

/// Whether nothing has to be cut. What is longer never reaches an entry: callers' types are
/// shorter.
fn fits(entry: &Entry) -> bool {
    let source = |s: &[u8]| matches!(s.len(), 0 | 4 | 16);
    match &entry.body {
        Body::Query(q) => q.subjects.len() <= SUBJECTS_MAX && source(&q.source),
        Body::Aggregate(a) => source(&a.source),
        Body::Act(a) => a.detail.len() <= TEXT_MAX,
    }
}

fn entry(u: &mut Unstructured<'_>) -> Result<Entry> {
    let body = match u.int_in_range(1..=3)? {
        1 => Body::Query(Box::new(query(u)?)),
        2 => Body::Aggregate(Aggregate {
            minute: u.arbitrary()?,
            source: source(u)?,
            cause: u.arbitrary()?,
            count: u.arbitrary()?,
        }),
        _ => {
            // Details longer than the format's texts are cut at a character.
            let detail: String = u.arbitrary()?;
            let detail = if u.ratio(1, 8)? { detail.repeat(8_192) } else { detail };
            Body::Act(Act {
                kind: u.arbitrary()?,
                actor: u.arbitrary()?,
                system: u.arbitrary()?,
                detail,
            })
        }
    };
    Ok(Entry {
        index: u.arbitrary()?,
        at: u.arbitrary()?,
        arrival: u.arbitrary()?,
        nonce: u.arbitrary()?,
        profile: u.arbitrary()?,
        epoch: u.arbitrary()?,
        body,
    })
}

fn source(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let length = *u.choose(&[0, 4, 16, 3, 255])?;
    (0..length).map(|_| u.arbitrary()).collect()
}

fn query(u: &mut Unstructured<'_>) -> Result<Query> {
    let subjects = (0..u.int_in_range(0..=80)?)
        .map(|_| {
            Ok(Subject {
                delivered: u.arbitrary()?,
                epoch: u.arbitrary()?,
                pseudonym: u.arbitrary()?,
            })
        })
        .collect::<Result<_>>()?;
    Ok(Query {
        system: u.arbitrary()?,
        system_code: u.arbitrary()?,
        unit: u.arbitrary()?,
        account: u.arbitrary()?,
        officer: u.arbitrary()?,
        x_road_user: u.arbitrary()?,
        protocol: u.arbitrary()?,
        channel: u.arbitrary()?,
        source: source(u)?,
        request_id: u.arbitrary()?,
        body: u.arbitrary()?,
        procedure: u.arbitrary()?,
        purpose: u.arbitrary()?,
        case: u.arbitrary()?,
        service: u.arbitrary()?,
        window: u.arbitrary()?,
        duty_day: u.arbitrary()?,
        line: u.arbitrary()?,
        plan: u.arbitrary()?,
        decision: *u.choose(&[Decision::Accepted, Decision::Refused, Decision::Repeat])?,
        reason: u.arbitrary()?,
        rule: u.arbitrary()?,
        answer: u.arbitrary()?,
        fields_asked: u.arbitrary()?,
        fields: u.arbitrary()?,
        counted: u.arbitrary()?,
        event: u.arbitrary()?,
        subjects,
        features: Features {
            province: u.arbitrary()?,
            birth_year: u.arbitrary()?,
            neighbourhood: u.arbitrary()?,
            name: u.arbitrary()?,
            line_limit: u.arbitrary()?,
            line_left: u.arbitrary()?,
            account_used: u.arbitrary()?,
            account_daily: u.arbitrary()?,
        },
    })
}
