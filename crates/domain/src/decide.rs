//! `decide`: whether a question may be asked at all, over one immutable snapshot.

use crate::ids::{AccountId, CaseCode, ProcedureCode, Purpose};
use crate::lines::Intent;
use crate::moment::{Duty, Moment};
use crate::profile::Profile;
use crate::refusal::Reason;
use crate::registration::{
    Account, AccountKind, AccountState, Channel, ConnectionState, Plan, Procedure, System,
};
use crate::service::{FieldSet, Service};

/// What is asked, as far as the decision is concerned.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Time of arrival at the gate.
    pub at: Moment,
    /// Channel it came by.
    pub channel: Channel,
    /// Service.
    pub service: Service,
    /// The officer, as named on the wire: login, officer code or citizen id.
    pub officer: &'a str,
    /// Procedure.
    pub procedure: &'a ProcedureCode,
    /// Purpose, where stated.
    pub purpose: Option<&'a Purpose>,
    /// Case, where stated.
    pub case: Option<&'a CaseCode>,
    /// Fields named in claims: each must be granted.
    pub fields: FieldSet,
    /// Persons that the question counts.
    pub items: u32,
}

/// A question that may be asked, if there is room.
#[derive(Clone, Debug)]
pub struct Grant<'a> {
    /// The account that asks.
    pub account: &'a Account,
    /// The registered purpose it serves.
    pub purpose: &'a Purpose,
    /// Fields that may be answered: granted to the system and to the procedure.
    pub fields: FieldSet,
    /// The job plan that covers it.
    pub plan: Option<&'a Plan>,
    /// To be counted; `repeat` and `unread` are false.
    pub intent: Intent,
}

/// A refusal, with the account where it could be resolved.
pub type Refused = (Reason, Option<AccountId>);

/// Decides in the order of the law: connection, channel, account, service, procedure and
/// purpose, fields, plan, window. Counts, locks of lines and pace are not looked at here.
pub fn decide<'a>(
    profile: &Profile,
    system: &'a System,
    q: &Question<'_>,
) -> Result<Grant<'a>, Refused> {
    connection(profile, system, q).map_err(|r| (r, None))?;
    let day = q.at.viet_nam_date();
    let account = account(system, q).ok_or((Reason::AccountUnknown, None))?;
    let with = |r: Reason| (r, Some(account.id));
    let grant = system.service(q.service).ok_or(with(Reason::ServiceNotGranted))?;
    function(account, q.service).map_err(with)?;
    let procedure = system
        .procedures
        .get(q.procedure)
        .filter(|p| p.valid.contains(day))
        .ok_or(with(Reason::ProcedureUnknown))?;
    let purpose = purpose(procedure, q).map_err(with)?;
    let fields = grant.fields.and(procedure.fields);
    if !fields.contains_all(q.fields) {
        return Err(with(Reason::FieldNotGranted));
    }
    let duty = profile.hours.duty(q.at);
    let plan = plan(system, account, q, duty).map_err(with)?;
    let line = grant.line(duty.window).ok_or(with(Reason::WindowNotRegistered))?;
    let intent = Intent {
        at: q.at,
        duty,
        system: system.id,
        line: line.id,
        limit: line.limit(q.at),
        account: account.id,
        account_daily: account.daily,
        own_plan: plan.and_then(|p| p.own_count.map(|count| (p.id, count))),
        items: q.items,
        repeat: false,
        unread: false,
    };
    Ok(Grant { account, purpose, fields, plan, intent })
}

/// B3: whether the connection is live.
///
/// # Errors
/// [`Reason::ConnectionNotLive`].
pub fn live(system: &System) -> Result<(), Reason> {
    if system.state == ConnectionState::Live { Ok(()) } else { Err(Reason::ConnectionNotLive) }
}

/// B3, then A2: an approved exception per unit is possible.
fn connection(profile: &Profile, system: &System, q: &Question<'_>) -> Result<(), Reason> {
    live(system)?;
    let allowed = profile.group_may(system.group, q.channel)
        || system.channel_exceptions.contains(&q.channel);
    if allowed { Ok(()) } else { Err(Reason::ChannelNotAllowed) }
}

/// E1: the account of a name, where it may ask on that day.
pub fn own_account<'a>(system: &'a System, name: &str, at: Moment) -> Option<&'a Account> {
    system.accounts.find(name).filter(|account| may_ask(account, at))
}

fn may_ask(account: &Account, at: Moment) -> bool {
    account.state == AccountState::Live && account.valid.contains(at.viet_nam_date())
}

/// E1: the officer's own account, or the system account that a shared value stands for until a
/// date, verify services only.
fn account<'a>(system: &'a System, q: &Question<'_>) -> Option<&'a Account> {
    let day = q.at.viet_nam_date();
    if system.accounts.find(q.officer).is_some() {
        return own_account(system, q.officer, q.at);
    }
    let shared = system.shared_officers.iter().find(|s| {
        day <= s.until && q.service.verifies_only() && s.value.eq_ignore_ascii_case(q.officer)
    })?;
    system.accounts.by_id(shared.account).filter(|account| may_ask(account, q.at))
}

/// E1: whether a second name on the wire (MaCanBo beside TaiKhoan) names nobody but `account`: by
/// login, officer code or citizen id, or as a shared value that is still in force and so names
/// nobody of its own. Any other value is another's, or nobody's.
pub fn names_too(system: &System, account: AccountId, second: &str, at: Moment) -> bool {
    let day = at.viet_nam_date();
    match system.accounts.find(second) {
        Some(named) => named.id == account,
        None => system
            .shared_officers
            .iter()
            .any(|s| day <= s.until && s.value.eq_ignore_ascii_case(second)),
    }
}

/// B6 and E1: the functions of the task.
fn function(account: &Account, service: Service) -> Result<(), Reason> {
    if account.kind == AccountKind::System && !service.verifies_only() {
        return Err(Reason::SystemAccountVerifiesOnly);
    }
    if account.services.contains(service) { Ok(()) } else { Err(Reason::AccountWithoutService) }
}

/// A5 and B10: purpose stated and registered, or derived from the procedure.
fn purpose<'a>(procedure: &'a Procedure, q: &Question<'_>) -> Result<&'a Purpose, Reason> {
    let registered = procedure.purpose.as_ref().ok_or(Reason::ProcedureWithoutPurpose)?;
    if !procedure.services.contains(q.service) {
        return Err(Reason::ProcedureWithoutService);
    }
    if q.purpose.is_some_and(|stated| stated != registered) {
        return Err(Reason::PurposeNotRegistered);
    }
    if procedure.case_required && q.case.is_none() {
        return Err(Reason::CaseCodeMissing);
    }
    Ok(registered)
}

/// D5: automation without a plan is abnormal, so a plan account needs one that covers the run.
fn plan<'a>(
    system: &'a System,
    account: &Account,
    q: &Question<'_>,
    duty: Duty,
) -> Result<Option<&'a Plan>, Reason> {
    if account.kind != AccountKind::Plan {
        return Ok(None);
    }
    let covers = |p: &&Plan| {
        Some(p.id) == account.plan
            && p.services.contains(q.service)
            && p.hours[duty.window as usize].is_some_and(|range| range.contains(duty, q.at))
            && p.valid.contains(duty.day.date())
    };
    system.plans.iter().find(covers).map(Some).ok_or(Reason::PlanDoesNotCover)
}
