//! The decision on one question, from what is registered to what reply and journal need of it.

use dancu_domain::decide::{self, Grant, Question, Refused};
use dancu_domain::ids::{AccountId, OfficerRef};
use dancu_domain::lines::Intent;
use dancu_domain::moment::Duty;
use dancu_domain::profile::Profile;
use dancu_domain::refusal::{Reason, Refusal};
use dancu_domain::registration::System;
use dancu_domain::service::{Field, FieldSet};

use crate::path::{Caller, Protocol};
use crate::query::{Ask, FieldError, Query, Usage};

/// Fields that both the system's grant and the procedure allow.
pub(crate) fn granted_fields(system: &System, query: &Query) -> FieldSet {
    let grant = system.service(query.service).map_or(FieldSet::EMPTY, |g| g.fields);
    system.procedures.get(&query.procedure).map_or(grant, |p| grant.and(p.fields))
}

/// Decides; where the wire gave two names, both must name one account (E1). The check stands right
/// after the first name was resolved, and its refusal looks like that of an unknown account.
pub(crate) fn decide_with_second_name<'a>(
    profile: &Profile,
    system: &'a System,
    question: &Question<'_>,
    query: &Query,
) -> Result<Grant<'a>, Refused> {
    let decided = decide::decide(profile, system, question);
    let resolved = match &decided {
        Ok(grant) => Some(grant.account.id),
        Err((_, account)) => *account,
    };
    let agrees = |account, second: &OfficerRef| {
        decide::names_too(system, account, second.as_str(), question.at)
    };
    match resolved.zip(query.second_name.as_ref()) {
        Some((account, second)) if !agrees(account, second) => Err((Reason::AccountUnknown, None)),
        _ => decided,
    }
}

/// Granted fields, and in REST's answer about a household the role of each member: without it the
/// members would be a list of names. Where only some fields are asked, none of the others.
pub(crate) fn told_fields(caller: &Caller, query: &Query, granted: FieldSet) -> FieldSet {
    match (caller.protocol, &query.ask) {
        (Protocol::Rest, Ask::Household) => granted.or(FieldSet::of(&[Field::HouseholdRole])),
        (_, Ask::Fields(asked)) => granted.and(*asked),
        _ => granted,
    }
}

/// The decision on one question, as far as reply and journal need it.
pub(crate) struct Ruling {
    /// Journal index under which the request id was answered, as far as this node knows.
    pub(crate) answered: Option<u64>,
    pub(crate) account: Option<AccountId>,
    protocol: Protocol,
    pub(crate) duty: Duty,
    pub(crate) purpose: String,
    pub(crate) asked: FieldSet,
    /// Fields that an answer may tell.
    pub(crate) fields: FieldSet,
    pub(crate) plan: u32,
    pub(crate) intent: Option<Intent>,
    pub(crate) refused: Option<Refusal>,
    /// The line is locked, as far as this node knows (D3).
    pub(crate) locked: bool,
    pub(crate) usage: Option<Usage>,
}

impl Ruling {
    pub(crate) fn new(profile: &Profile, caller: &Caller, asked: FieldSet) -> Self {
        Self {
            account: None,
            answered: None,
            protocol: caller.protocol,
            duty: profile.hours.duty(caller.arrival),
            purpose: String::new(),
            asked,
            fields: FieldSet::EMPTY,
            plan: 0,
            intent: None,
            locked: false,
            refused: None,
            usage: None,
        }
    }

    pub(crate) fn refuse(mut self, reason: Reason) -> Self {
        self.refused = Some(reason.into());
        self
    }

    /// What is wrong with the question itself, where the refusal is one of input.
    pub(crate) fn errors(&self, reason: Reason) -> Vec<FieldError> {
        if reason != Reason::CaseCodeMissing {
            return vec![];
        }
        let field = match self.protocol {
            Protocol::Rest => "caseCode",
            Protocol::Soap => "MaHoSo",
            Protocol::ProvincialJson => "maHoSo",
            Protocol::Portal => "case",
        };
        let message_vi = "Thủ tục này bắt buộc có mã hồ sơ.".to_owned();
        vec![FieldError { field: field.to_owned(), message_vi }]
    }

    pub(crate) fn usage_with(&self, remaining: u32) -> Usage {
        Usage { remaining, resets_at: self.duty.resets_at }
    }
}
