//! Entry format, version 1.

use crate::bytes::{DecodeError, Reader, Writer};

/// The version byte of this format.
pub const VERSION: u8 = 1;
/// Subjects of one entry at most: a household look-up names its members; 64 × 19 bytes.
pub const SUBJECTS_MAX: usize = 64;

/// One journal entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Position in the log, gap-free from 0 per origin.
    pub index: u64,
    /// Journaled time: max(arrival, time of the entry before), ms since 1970 UTC.
    pub at: i64,
    /// Time of arrival at the gate, ms since 1970 UTC: it decided window and day (D1).
    pub arrival: i64,
    /// Random part of the correlation id; the other part is the index.
    pub nonce: [u8; 8],
    /// Version of the regulation profile that decided.
    pub profile: String,
    /// Policy epoch of the snapshot that decided.
    pub epoch: u64,
    /// What happened.
    pub body: Body,
}

/// What an entry is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// A question of an authenticated system.
    Query(Box<Query>),
    /// Failures without an authenticated system, and shed load: one per minute, source, cause.
    Aggregate(Aggregate),
    /// An act on what is registered or locked, or of the product itself.
    Act(Act),
}

/// A question and its decision (F3: who, when, from where, which case and purpose, about whom,
/// which fields, what decision and class of answer).
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Query {
    /// System row.
    pub system: u32,
    /// System code.
    pub system_code: String,
    /// Unit as stated, or the system's own.
    pub unit: String,
    /// Account row; 0 where it could not be resolved.
    pub account: u32,
    /// The officer as named on the wire.
    pub officer: String,
    /// X-Road userId.
    pub x_road_user: String,
    /// Protocol: 1 SOAP, 2 REST, 3 provincial JSON, 4 portal.
    pub protocol: u8,
    /// Channel (A2), as numbered in the domain.
    pub channel: u8,
    /// Address it came from: empty, 4 or 16 bytes.
    pub source: Vec<u8>,
    /// Request id.
    pub request_id: String,
    /// Digest of the body's meaning.
    pub body: [u8; 16],
    /// Procedure.
    pub procedure: String,
    /// Purpose that was applied.
    pub purpose: String,
    /// Case; empty = not stated (A5).
    pub case: String,
    /// Service number; 255 = not known.
    pub service: u8,
    /// Window: 0 in hours, 1 off hours.
    pub window: u8,
    /// Duty day, days since 1970-01-01.
    pub duty_day: i32,
    /// Line row; 0 = none.
    pub line: u32,
    /// Job plan row; 0 = none.
    pub plan: u32,
    /// Decision.
    pub decision: Decision,
    /// Reason number of a refusal; 0 = none.
    pub reason: u8,
    /// Rule id of a refusal, as text; empty = none.
    pub rule: String,
    /// Class of answer: 0 none, 1 match, 2 no match, 3 citizen, 4 household, 5 check agrees,
    /// 6 check differs, 7 check unknown, 8 blood group.
    pub answer: u8,
    /// Fields asked by claims, bit set.
    pub fields_asked: u32,
    /// Fields delivered, bit set.
    pub fields: u32,
    /// Persons counted; 0 for refusals and repeats.
    pub counted: u32,
    /// Exceedance made by this refusal: 0 none, 1 exceeded, 2 locked (D3).
    pub event: u8,
    /// About whom.
    pub subjects: Vec<Subject>,
    /// Features for the watch.
    pub features: Features,
}

/// The decision on a question.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(u8)]
pub enum Decision {
    /// Counted and answered.
    #[default]
    Accepted = 1,
    /// Refused.
    Refused = 2,
    /// The same id and body, answered again, not counted.
    Repeat = 3,
}

/// A person an entry is about, by pseudonym.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Subject {
    /// Whether data of this person was delivered; else only asked.
    pub delivered: bool,
    /// Year of the pseudonym key.
    pub epoch: u16,
    /// HMAC of the personal or old id, first 16 bytes.
    pub pseudonym: [u8; 16],
}

/// What the watch needs to rebuild its state, without the id itself.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Features {
    /// First three digits of the personal id asked; 65535 = asked by old id, 0 without a subject =
    /// unreadable.
    pub province: u16,
    /// Year of birth that the id asked carries; 0 = none.
    pub birth_year: u16,
    /// Keyed hash of the id without its last two digits: questions that walk through neighbouring
    /// numbers share it.
    pub neighbourhood: u32,
    /// Keyed hash of the folded name.
    pub name: u32,
    /// Line count in force at the decision.
    pub line_limit: u32,
    /// Left on the line after it.
    pub line_left: u32,
    /// Account count used after it.
    pub account_used: u32,
    /// The account's daily count.
    pub account_daily: u32,
}

/// Failures without an authenticated system, within one minute.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aggregate {
    /// Start of the minute, ms since 1970 UTC.
    pub minute: i64,
    /// Address: empty (many sources), 4 or 16 bytes.
    pub source: Vec<u8>,
    /// Cause: 1 wrong SOAP header, 2 wrong token, 3 wrong client, 4 shed load, 5 unreadable,
    /// 6 refused too often, 7 wrong sign-in of a person.
    pub cause: u8,
    /// How many.
    pub count: u32,
}

/// An act, described by its kind and the text of what changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Act {
    /// Kind, e.g. `line.lift`.
    pub kind: String,
    /// Who did it.
    pub actor: String,
    /// System row it concerns; 0 = none.
    pub system: u32,
    /// Reason and detail.
    pub detail: String,
}

impl Entry {
    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        self.encode_into(&mut out);
        out
    }

    /// Appends the canonical bytes.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        let mut w = Writer(std::mem::take(out));
        w.u8(VERSION);
        w.u64(self.index);
        w.i64(self.at);
        w.i64(self.arrival);
        w.fixed(&self.nonce);
        w.text(&self.profile);
        w.u64(self.epoch);
        match &self.body {
            Body::Query(q) => {
                w.u8(1);
                q.encode(&mut w);
            }
            Body::Aggregate(a) => {
                w.u8(2);
                w.i64(a.minute);
                address(&mut w, &a.source);
                w.u8(a.cause);
                w.u32(a.count);
            }
            Body::Act(a) => {
                w.u8(3);
                w.text(&a.kind);
                w.text(&a.actor);
                w.u32(a.system);
                w.text(&a.detail);
            }
        }
        *out = w.0;
    }

    /// Reads canonical bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader(bytes);
        match r.u8()? {
            VERSION => {}
            other => return Err(DecodeError::Version(other)),
        }
        let (index, at, arrival) = (r.u64()?, r.i64()?, r.i64()?);
        let nonce = r.fixed()?;
        let profile = r.text()?;
        let epoch = r.u64()?;
        let body = match r.u8()? {
            1 => Body::Query(Box::new(Query::decode(&mut r)?)),
            2 => Body::Aggregate(Aggregate {
                minute: r.i64()?,
                source: read_address(&mut r)?,
                cause: r.u8()?,
                count: r.u32()?,
            }),
            3 => Body::Act(Act {
                kind: r.text()?,
                actor: r.text()?,
                system: r.u32()?,
                detail: r.text()?,
            }),
            _ => return Err(DecodeError::Value("body")),
        };
        r.end()?;
        Ok(Self { index, at, arrival, nonce, profile, epoch, body })
    }
}

impl Query {
    fn encode(&self, w: &mut Writer) {
        w.u32(self.system);
        w.text(&self.system_code);
        w.text(&self.unit);
        w.u32(self.account);
        w.text(&self.officer);
        w.text(&self.x_road_user);
        w.u8(self.protocol);
        w.u8(self.channel);
        address(w, &self.source);
        w.text(&self.request_id);
        w.fixed(&self.body);
        w.text(&self.procedure);
        w.text(&self.purpose);
        w.text(&self.case);
        w.u8(self.service);
        w.u8(self.window);
        w.u32(self.duty_day.cast_unsigned());
        w.u32(self.line);
        w.u32(self.plan);
        w.u8(self.decision as u8);
        w.u8(self.reason);
        w.text(&self.rule);
        w.u8(self.answer);
        w.u32(self.fields_asked);
        w.u32(self.fields);
        w.u32(self.counted);
        w.u8(self.event);
        let subjects = &self.subjects[..self.subjects.len().min(SUBJECTS_MAX)];
        w.u8(subjects.len() as u8);
        for s in subjects {
            w.u8(u8::from(s.delivered));
            w.u16(s.epoch);
            w.fixed(&s.pseudonym);
        }
        let f = &self.features;
        w.u16(f.province);
        w.u16(f.birth_year);
        for v in [f.neighbourhood, f.name, f.line_limit, f.line_left] {
            w.u32(v);
        }
        w.u32(f.account_used);
        w.u32(f.account_daily);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            system: r.u32()?,
            system_code: r.text()?,
            unit: r.text()?,
            account: r.u32()?,
            officer: r.text()?,
            x_road_user: r.text()?,
            protocol: r.u8()?,
            channel: r.u8()?,
            source: read_address(r)?,
            request_id: r.text()?,
            body: r.fixed()?,
            procedure: r.text()?,
            purpose: r.text()?,
            case: r.text()?,
            service: r.u8()?,
            window: r.u8()?,
            duty_day: r.u32()?.cast_signed(),
            line: r.u32()?,
            plan: r.u32()?,
            decision: match r.u8()? {
                1 => Decision::Accepted,
                2 => Decision::Refused,
                3 => Decision::Repeat,
                _ => return Err(DecodeError::Value("decision")),
            },
            reason: r.u8()?,
            rule: r.text()?,
            answer: r.u8()?,
            fields_asked: r.u32()?,
            fields: r.u32()?,
            counted: r.u32()?,
            event: r.u8()?,
            subjects: subjects(r)?,
            features: Features {
                province: r.u16()?,
                birth_year: r.u16()?,
                neighbourhood: r.u32()?,
                name: r.u32()?,
                line_limit: r.u32()?,
                line_left: r.u32()?,
                account_used: r.u32()?,
                account_daily: r.u32()?,
            },
        })
    }
}

fn subjects(r: &mut Reader<'_>) -> Result<Vec<Subject>, DecodeError> {
    let n = usize::from(r.u8()?);
    if n > SUBJECTS_MAX {
        return Err(DecodeError::Value("subjects"));
    }
    (0..n)
        .map(|_| {
            let delivered = match r.u8()? {
                0 => false,
                1 => true,
                _ => return Err(DecodeError::Value("delivered")),
            };
            Ok(Subject { delivered, epoch: r.u16()?, pseudonym: r.fixed()? })
        })
        .collect()
}

fn address(w: &mut Writer, source: &[u8]) {
    let bytes: &[u8] = if matches!(source.len(), 4 | 16) { source } else { &[] };
    w.u8(bytes.len() as u8);
    w.0.extend_from_slice(bytes);
}

fn read_address(r: &mut Reader<'_>) -> Result<Vec<u8>, DecodeError> {
    match r.u8()? {
        n @ (0 | 4 | 16) => Ok(r.take(usize::from(n))?.to_vec()),
        _ => Err(DecodeError::Value("source")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn query() -> impl Strategy<Value = Query> {
        let texts = prop::collection::vec("\\PC{0,40}", 11);
        let subjects =
            prop::collection::vec((any::<bool>(), any::<u16>(), any::<[u8; 16]>()), 0..9);
        let source = prop_oneof![Just(0usize), Just(4), Just(16)]
            .prop_flat_map(|n| prop::collection::vec(any::<u8>(), n));
        (texts, any::<[u32; 9]>(), any::<[u8; 8]>(), subjects, source, any::<[u8; 16]>()).prop_map(
            |(t, n, b, subjects, source, body)| Query {
                system: n[0],
                system_code: t[0].clone(),
                unit: t[1].clone(),
                account: n[1],
                officer: t[2].clone(),
                x_road_user: t[3].clone(),
                protocol: b[0],
                channel: b[1],
                source,
                request_id: t[4].clone(),
                body,
                procedure: t[5].clone(),
                purpose: t[6].clone(),
                case: t[7].clone(),
                service: b[2],
                window: b[3],
                duty_day: n[2].cast_signed(),
                line: n[3],
                plan: n[4],
                decision: Decision::Repeat,
                reason: b[4],
                rule: t[8].clone(),
                answer: b[5],
                fields_asked: n[5],
                fields: n[6],
                counted: n[7],
                event: b[6],
                subjects: subjects
                    .into_iter()
                    .map(|(delivered, epoch, pseudonym)| Subject { delivered, epoch, pseudonym })
                    .collect(),
                features: Features { name: n[8], ..Features::default() },
            },
        )
    }

    proptest! {
        #[test]
        fn rule_f3_encode_and_decode_are_inverse(q in query(), index: u64, at: i64) {
            let entry = Entry {
                index, at, arrival: at, nonce: [3; 8], profile: "VN".into(), epoch: 9,
                body: Body::Query(Box::new(q)),
            };
            let bytes = entry.encode();
            prop_assert_eq!(Entry::decode(&bytes), Ok(entry));
            prop_assert_eq!(Entry::decode(&bytes[..bytes.len() - 1]), Err(DecodeError::Truncated));
            let mut longer = bytes;
            longer.push(0);
            prop_assert_eq!(Entry::decode(&longer), Err(DecodeError::Trailing));
        }

        #[test]
        fn whatever_decodes_encodes_to_itself(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut bytes = bytes;
            if let Some(first) = bytes.first_mut() { *first = VERSION; }
            if let Ok(entry) = Entry::decode(&bytes) {
                prop_assert_eq!(entry.encode(), bytes);
            }
        }
    }

    #[test]
    fn other_bodies() {
        for body in [
            Body::Aggregate(Aggregate {
                minute: 60_000,
                source: vec![127, 0, 0, 1],
                cause: 1,
                count: 3,
            }),
            Body::Act(Act {
                kind: "line.lift".into(),
                actor: "operator".into(),
                system: 2,
                detail: "lý do".into(),
            }),
        ] {
            let entry = Entry {
                index: 1,
                at: 2,
                arrival: 2,
                nonce: [0; 8],
                profile: String::new(),
                epoch: 0,
                body,
            };
            assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
        }
    }
}
