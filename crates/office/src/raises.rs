//! Temporary raises of a line (D8): granted by one person, above the profile's factor by two, in
//! force at once. What heads ask for is decided here; they ask in
//! [`raise_requests`](crate::raise_requests).

use dancu_domain::ids::LineId;
use dancu_domain::lines::Lines;
use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::notices::{Audience, Notice};
use dancu_domain::people::approval::{Approval, Approvers, Signature};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::registration::{Line, Raise};
use dancu_store::desks::{self, RaiseRequest, RequestState};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::policy;

use crate::act::{Actor, Desk, Done, Place, Refused};
use crate::notices::{self, tell};

/// Longest raise: a quarter, after which the count itself is reviewed (B9).
pub const RAISE_DAYS_MAX: u32 = 92;

/// Grants a raise that nobody asked for in the portal, from now on for so many days.
///
/// # Errors
/// [`Refused::NoExtra`], [`Refused::Term`], [`Refused::TwoApprovers`].
pub async fn grant(
    desk: &Desk<'_>,
    place: &Place<'_>,
    extra: u32,
    days: u32,
) -> Result<Done, Refused> {
    if extra == 0 {
        return Err(Refused::NoExtra);
    }
    if !(1..=RAISE_DAYS_MAX).contains(&days) {
        return Err(Refused::Term(RAISE_DAYS_MAX));
    }
    let (now, id) = (desk.now, place.line.id);
    let to = now.plus_ms(i64::from(days) * DAY_MS);
    let raise = Raise { extra, approved_at: now, from: now, to };
    let detail = format!("{} +{extra} đến {}", place.code(), to.rfc3339());
    let factor = desk.store.profiles().at(now).two_approvers_above;
    let approvers = match desk.actor {
        Actor::Person(..) => 1,
        Actor::Named { names, .. } => names.len(),
    };
    let granted = desk.carry_out("line.raise", move |tx, counts| {
        match above(&policy::write::line(tx, id, now)?, &raise, factor) {
            Some(refused) if approvers < 2 => return Err(refused),
            _ => {}
        }
        insert(tx, counts.lines(), id, raise)?;
        Ok((detail, ()))
    });
    Ok(granted.await?.0)
}

fn insert(tx: &mut Tx<'_>, lines: &mut Lines, line: LineId, raise: Raise) -> Result<(), Refused> {
    policy::write::insert_raise(tx, line, raise)?;
    lines.raise_granted(line, &raise);
    Ok(())
}

/// What one person alone does not grant: a raise above so many times the registered count.
fn above(line: &Line, raise: &Raise, factor: u32) -> Option<Refused> {
    let (limit, daily) = (highest(line, raise), line.daily);
    let above = limit > daily.saturating_mul(factor);
    above.then_some(Refused::TwoApprovers { limit, factor, daily })
}

/// Whether a raise of a line needs two approvers (D8).
#[must_use]
pub fn needs_two(line: &Line, raise: &Raise, factor: u32) -> bool {
    above(line, raise, factor).is_some()
}

/// The highest count of a line while a raise lasts, with it. Others may begin a little later: the
/// clocks of two nodes differ.
fn highest(line: &Line, raise: &Raise) -> u32 {
    let lasts = raise.begins()..raise.to;
    let others = line.raises.iter().map(Raise::begins).filter(|begins| lasts.contains(begins));
    let counts = others.chain([lasts.start]).map(|at| line.limit(at).count);
    counts.max().unwrap_or(line.daily).saturating_add(raise.extra)
}

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decided {
    /// Granted: it is in force from its first day, or at once where that has come.
    InForce,
    /// Approved by the first of two people.
    FirstOfTwo,
    /// Refused.
    Refused,
}

/// The raise that a request asks for, approved now.
#[must_use]
pub const fn raise_of(request: &RaiseRequest, now: Moment) -> Raise {
    Raise { extra: request.extra, approved_at: now, from: request.from, to: request.to }
}

/// Grants a request for a raise of a line, or approves it as the first of two; in force at once.
///
/// # Errors
/// [`Refused::Gone`]; [`PortalReason::AlreadyDecided`], [`PortalReason::OwnRequest`],
/// [`PortalReason::SameApprover`]; [`Refused::Over`] where its last day has passed. Only a
/// signed-in person decides requests.
pub async fn approve(
    desk: &Desk<'_>,
    place: &Place<'_>,
    request: i64,
) -> Result<(Done, Decided), Refused> {
    let by = desk.actor.person().ok_or(PortalReason::NoPower)?;
    let (now, line, code) = (desk.now, place.line.id, place.code());
    let keys = desk.store.keys().clone();
    let at = notices::line(desk.system, place);
    let factor = desk.store.profiles().at(now).two_approvers_above;
    let approved = desk.carry_out("line.raise", move |tx, counts| {
        let mut asked = waiting(tx, &keys, request, line)?;
        if asked.to <= now {
            return Err(Refused::Over);
        }
        let raise = raise_of(&asked, now);
        let two = needs_two(&policy::write::line(tx, line, now)?, &raise, factor);
        let approval = signed(&asked, two)?.approve(by, now)?;
        asked.approvals = approval.given().to_vec();
        let (what, decided) = if approval.is_granted() {
            insert(tx, counts.lines(), line, raise)?;
            asked.state = RequestState::Granted;
            asked.decided_at = Some(now);
            let told = Notice::RaiseGranted { line: at, to: raise.to };
            tell(tx, &keys, now, &asker(&asked), &told)?;
            ("", Decided::InForce)
        } else {
            (", người duyệt thứ nhất", Decided::FirstOfTwo)
        };
        desks::save_raise_request(tx, &keys, &asked)?;
        let detail = format!(
            "{code} +{} từ {} đến {}, đề nghị #{request}{what}",
            asked.extra,
            asked.from.rfc3339(),
            asked.to.rfc3339()
        );
        Ok((detail, decided))
    });
    approved.await
}

/// Refuses a request; the head reads the reason.
///
/// # Errors
/// [`Refused::Gone`], [`PortalReason::AlreadyDecided`], [`PortalReason::OwnRequest`].
pub async fn refuse(desk: &Desk<'_>, place: &Place<'_>, request: i64) -> Result<Done, Refused> {
    let by = desk.actor.person().ok_or(PortalReason::NoPower)?;
    let (now, answer, line) = (desk.now, desk.reason.to_owned(), place.line.id);
    let at = notices::line(desk.system, place);
    let keys = desk.store.keys().clone();
    let refused = desk.carry_out("line.raiseRefused", move |tx, _| {
        let mut asked = waiting(tx, &keys, request, line)?;
        if asked.asked_by == by {
            return Err(PortalReason::OwnRequest.into());
        }
        asked.state = RequestState::Refused;
        asked.decided_at = Some(now);
        asked.answer = answer;
        desks::save_raise_request(tx, &keys, &asked)?;
        tell(tx, &keys, now, &asker(&asked), &Notice::RaiseRefused { line: at })?;
        Ok((format!("đề nghị #{request}"), ()))
    });
    Ok(refused.await?.0)
}

/// Whoever asked, and the other heads of the same unit.
fn asker(asked: &RaiseRequest) -> [Audience; 2] {
    [Audience::Person(asked.asked_by), Audience::HeadsOf(asked.asked_by)]
}

/// The request as it stands in this transaction, while it is to be decided.
fn waiting(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    request: i64,
    line: LineId,
) -> Result<RaiseRequest, Refused> {
    let asked = desks::raise_request(tx, keys, request)?.ok_or(Refused::Gone)?;
    match asked.state {
        RequestState::Waiting if asked.line == line => Ok(asked),
        RequestState::Waiting => Err(Refused::Gone),
        _ => Err(PortalReason::AlreadyDecided.into()),
    }
}

/// The approval as far as it has come. Whatever has one signature and waits was found to need two,
/// and still does: what is registered may have changed meanwhile, the first approver's word not.
fn signed(asked: &RaiseRequest, two: bool) -> Result<Approval, PortalReason> {
    let needed = if two || !asked.approvals.is_empty() { Approvers::Two } else { Approvers::One };
    let begun = Approval::asked(asked.asked_by, needed);
    asked.approvals.iter().try_fold(begun, |a, Signature { by, at }| a.approve(*by, *at))
}
