//! What a query leaves in the journal (F3).

use std::net::IpAddr;

use dancu_domain::ids::{AccountId, OfficerRef, ProcedureCode, RequestId, SubjectId};
use dancu_domain::lines::Intent;
use dancu_domain::moment::Duty;
use dancu_domain::registration::System;
use dancu_domain::service::{Field, FieldSet};
use dancu_journal::{Features, Query as EntryQuery};
use dancu_store::entries::{Pseudonyms, SearchKind, system_digest};

use crate::path::Caller;
use crate::query::{Answer, Ask, ClaimResult, Query, Unreadable};

/// The entry of a query as far as it is known before settling.
pub(crate) struct DraftParts<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) system: &'a System,
    pub(crate) query: &'a Query,
    /// Keyed digest of its body.
    pub(crate) body: [u8; 16],
    pub(crate) account: Option<AccountId>,
    pub(crate) duty: Duty,
    pub(crate) purpose: &'a str,
    pub(crate) asked: FieldSet,
    pub(crate) told: FieldSet,
    pub(crate) intent: Option<&'a Intent>,
    pub(crate) plan: u32,
    pub(crate) answer: Option<&'a Answer>,
    pub(crate) delivered: &'a [SubjectId],
}

impl DraftParts<'_> {
    /// The entry and the digests it is found by.
    pub(crate) fn build(&self, p: &Pseudonyms) -> (Box<EntryQuery>, Vec<(u8, [u8; 16])>) {
        let q = self.query;
        let account = self.account.map_or(0, |a| a.0);
        let case = q.case.as_ref().map_or("", |c| c.as_str());
        let mut subjects = vec![p.subject(q.subject.id, false)];
        for (i, id) in self.delivered.iter().enumerate() {
            if i == 0 && *id == q.subject.id {
                // Settling takes the mark back if the answer is dropped.
                subjects[0].delivered = true;
            } else {
                subjects.push(p.subject(*id, true));
            }
        }
        let mut features = features(p, q);
        if let Some(intent) = self.intent {
            features.line_limit = intent.limit.count;
            features.account_daily = intent.account_daily;
        }
        let (answer, fields) = self.answer.map_or((0, FieldSet::EMPTY), |a| self.class(a));
        let entry = EntryQuery {
            system: self.system.id.0,
            system_code: self.system.code.as_str().to_owned(),
            unit: q.unit.as_ref().unwrap_or(&self.system.unit).as_str().to_owned(),
            account,
            officer: officer(q),
            x_road_user: q.x_road_user.clone().unwrap_or_default(),
            protocol: self.caller.protocol as u8,
            channel: self.caller.channel as u8,
            source: address(self.caller.source),
            request_id: q.request_id.as_str().to_owned(),
            body: self.body,
            procedure: q.procedure.as_str().to_owned(),
            purpose: self.purpose.to_owned(),
            case: case.to_owned(),
            service: q.service as u8,
            window: self.duty.window as u8,
            duty_day: self.duty.day.0,
            line: self.intent.map_or(0, |i| i.line.0),
            plan: self.plan,
            answer,
            fields_asked: self.asked.bits(),
            fields: fields.bits(),
            subjects,
            features,
            ..EntryQuery::default()
        };
        (Box::new(entry), digests(p, self.system, account, case))
    }

    /// Class of answer and the fields that it tells.
    fn class(&self, answer: &Answer) -> (u8, FieldSet) {
        match answer {
            Answer::NoMatch => (2, FieldSet::EMPTY),
            // That somebody is alive, dead or missing is told with a match.
            Answer::Match { alive: Some(_), .. } => (1, FieldSet::of(&[Field::VitalStatus])),
            Answer::Match { alive: None, .. } => (1, FieldSet::EMPTY),
            Answer::Citizen { .. } => (3, self.told),
            Answer::Household { .. } => (4, self.told),
            Answer::Checked { result, .. } => (
                match result {
                    ClaimResult::Match => 5,
                    ClaimResult::Mismatch => 6,
                    ClaimResult::Unknown => 7,
                },
                FieldSet::EMPTY,
            ),
            Answer::Blood { .. } => (8, FieldSet::of(&[Field::BloodGroup])),
        }
    }
}

/// The entry of a question that could not be read.
pub(crate) fn unreadable(
    caller: &Caller,
    system: &System,
    u: &Unreadable,
    duty: Duty,
    account: Option<AccountId>,
    p: &Pseudonyms,
) -> (Box<EntryQuery>, Vec<(u8, [u8; 16])>) {
    let account = account.map_or(0, |a| a.0);
    let case = u.case.as_ref().map_or("", |c| c.as_str());
    let text = |t: Option<&str>| t.unwrap_or_default().to_owned();
    let entry = EntryQuery {
        system: system.id.0,
        system_code: system.code.as_str().to_owned(),
        unit: system.unit.as_str().to_owned(),
        account,
        officer: text(u.officer.as_ref().map(OfficerRef::as_str)),
        x_road_user: text(u.x_road_user.as_deref()),
        protocol: caller.protocol as u8,
        channel: caller.channel as u8,
        source: address(caller.source),
        request_id: text(u.request_id.as_ref().map(RequestId::as_str)),
        // A SOAP header is bound to its body, whether that could be read or not.
        body: caller.header.map_or([0; 16], |h| h.body),
        procedure: text(u.procedure.as_ref().map(ProcedureCode::as_str)),
        case: case.to_owned(),
        service: u.service.map_or(255, |s| s as u8),
        window: duty.window as u8,
        duty_day: duty.day.0,
        ..EntryQuery::default()
    };
    (Box::new(entry), digests(p, system, account, case))
}

/// The officer as named on the wire. Where two names were sent (TaiKhoan and MaCanBo) and differ,
/// both stand here with a tab between them: no name has one.
fn officer(q: &Query) -> String {
    match &q.second_name {
        Some(second) if *second != q.officer => format!("{}\t{second}", q.officer),
        _ => q.officer.as_str().to_owned(),
    }
}

fn digests(p: &Pseudonyms, system: &System, account: u32, case: &str) -> Vec<(u8, [u8; 16])> {
    let mut out = Vec::with_capacity(3);
    out.push((SearchKind::System as u8, system_digest(system.id.0)));
    if account != 0 {
        out.push((SearchKind::Account as u8, p.account(account)));
    }
    if !case.is_empty() {
        out.push((SearchKind::Case as u8, p.case(case)));
    }
    out
}

/// What the watch needs to see neighbours and names walked through, without the id.
fn features(p: &Pseudonyms, q: &Query) -> Features {
    let (province, birth_year, neighbourhood) = match q.subject.id {
        SubjectId::Personal(id) => (id.prefix(), id.birth_year().unsigned_abs(), id.number() / 100),
        SubjectId::Old(id) => (u16::MAX, 0, u64::from(id.number() / 100)),
    };
    Features {
        province,
        birth_year,
        neighbourhood: p.feature(&[b"n", &neighbourhood.to_be_bytes()]),
        name: p.feature(&[b"f", q.subject.name.fold().as_bytes()]),
        ..Features::default()
    }
}

fn address(source: IpAddr) -> Vec<u8> {
    match source.to_canonical() {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

/// Fields that a question names: each must be granted (A4).
pub(crate) fn asked_fields(ask: &Ask, granted: FieldSet) -> FieldSet {
    match ask {
        Ask::Verify(claims) => {
            let mut set = FieldSet::EMPTY;
            for claim in claims {
                set.insert(claim.field);
            }
            set
        }
        Ask::Lookup | Ask::Household => FieldSet::EMPTY,
        Ask::Fields(fields) => *fields,
        Ask::Relation(kinds, _) => {
            let mut set = FieldSet::EMPTY;
            for kind in kinds {
                set.insert(kind.field());
            }
            // "Fits one of father, mother, spouse" may be asked where some of them are granted.
            let some = set.and(granted);
            if kinds.len() > 1 && !some.is_empty() { some } else { set }
        }
        Ask::Residence(_) => FieldSet::of(&[Field::CurrentResidence]),
        Ask::Marital(_) => FieldSet::of(&[Field::MaritalStatus]),
        Ask::Vital(_) => FieldSet::of(&[Field::VitalStatus]),
        Ask::BloodGroup => FieldSet::of(&[Field::BloodGroup]),
    }
}
