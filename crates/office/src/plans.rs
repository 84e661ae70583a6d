//! Job plans (D5): a unit announces an automated run; the centre acknowledges it, and a named
//! approver agrees or refuses. What is agreed is registered in the same transaction, with the
//! account that it runs under: until then nothing is open.

use dancu_domain::ids::{AccountId, PlanId, SystemCode, SystemId};
use dancu_domain::moment::{DutyDay, Moment};
use dancu_domain::notices::{Audience, Notice};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::plans::{Deed, JobPlan, PlanFault, Standing, Step, Strip, Terms};
use dancu_domain::profile::Profile;
use dancu_domain::registration::{Account, AccountKind, AccountState, ConnectionState};
use dancu_domain::rule::RuleId;
use dancu_domain::service::Service;
use dancu_store::Store;
use dancu_store::desks::{self, Filed, Plans};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::policy::accounts::{self, Listed};
use dancu_store::policy::write;
use jiff::civil::Date;

use crate::act::{Desk, Done, Entry, Refused, carry_out, note};
use crate::officers::HeadDesk;

/// Plans that are looked at together: ten of each of some hundred systems, and as many again.
pub const OPEN_MAX: u32 = 4_000;
/// Plans of a system that wait at a time (*ours*): a year of months, and twice that.
pub const WAITING_MAX: usize = 24;
/// Plans of a system that a page lists, the newest.
const LISTED_MAX: u32 = 100;

/// Announces a plan; gives its number.
///
/// # Errors
/// [`Refused::Field`] names what is wrong; [`Refused::Gone`] where the system is not the unit's.
pub async fn announce(desk: &HeadDesk<'_>, terms: Terms) -> Result<(Done, i64), Refused> {
    let by = desk.by.person().ok_or(PortalReason::NoPower)?;
    let (now, unit, keys) = (desk.now, desk.unit.clone(), desk.store.keys().clone());
    let profile = desk.store.profiles().at(now).clone();
    let entry = Entry::new("plan.announced", desk.by, Some(terms.system));
    let announced = note((desk.store, now), entry, move |tx| {
        let owner = accounts::owner(tx, terms.system)?.ok_or(Refused::Gone)?;
        if owner.unit != unit || owner.state == ConnectionState::Closed {
            return Err(Refused::Gone);
        }
        let lines = accounts::registered_lines(tx, terms.system)?;
        terms.check(&profile.hours, now, |s, w| lines.contains(&(s, w))).map_err(fault)?;
        let known = accounts::of_system(tx, &keys, terms.system)?;
        let today = profile.hours.duty(now).day;
        // As of today: what could be agreed only once another plan is over is not announced.
        runs_as(tx, (&known, &keys), &terms, today.date())?;
        let open = open(tx, &keys, today)?;
        let own = open.iter().filter(|f| f.plan.terms.system == terms.system);
        if own.filter(|f| f.plan.last() != Deed::Agreed).count() >= WAITING_MAX {
            return Err(too_many());
        }
        clash(&terms, &open, &open, &profile)?;
        let plan = JobPlan::announce(terms, by, now);
        let id = desks::insert_job_plan(tx, &keys, &plan)?;
        let system = owner.code.clone();
        tell_step(tx, (&keys, now), &[Audience::PlanDesk], (system, Deed::Announced))?;
        Ok((
            format!("{} {}; lý do: {}", owner.code, told(id, &plan), plan.terms.reason.as_str()),
            id,
        ))
    });
    announced.await
}

/// Takes a plan back before it is decided, or ends an agreed one before its last day.
///
/// # Errors
/// [`Refused::Gone`] where it is not the unit's; [`PortalReason::AlreadyDecided`].
pub async fn give_up(desk: &HeadDesk<'_>, id: i64, reason: &str) -> Result<Done, Refused> {
    let by = desk.by.person().ok_or(PortalReason::NoPower)?;
    let known = desk.store.desks().job_plan(id).await?.ok_or(Refused::Gone)?;
    let deed = if known.plan.last() == Deed::Agreed { Deed::Ended } else { Deed::Withdrawn };
    let (unit, system, now) = (desk.unit.clone(), known.plan.terms.system, desk.now);
    let step = Step { deed, rule: None, by, at: now, reason: reason.to_owned() };
    let entry = Entry::new(kind(deed), desk.by, Some(system));
    let inside = Inside::of(desk.store, now);
    let done = carry_out((desk.store, now), entry, move |tx, _| {
        let owner = accounts::owner(tx, system)?.ok_or(Refused::Gone)?;
        if owner.unit != unit {
            return Err(Refused::Gone);
        }
        let told = inside.step(tx, id, system, step.clone())?;
        let centre = [Audience::PlanDesk];
        tell_step(tx, (&inside.keys, now), &centre, (owner.code.clone(), deed))?;
        Ok((format!("{} {told}; lý do: {}", owner.code, step.reason), ()))
    });
    Ok(done.await?.0)
}

/// What the centre does with a plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It was seen; it is still not agreed.
    Acknowledge,
    /// It is agreed: registered, in force for the next question of its account.
    Agree,
    /// It is refused under a rule.
    Refuse(RuleId),
    /// It was agreed, and ends now.
    End,
}

/// Takes a plan of the desk's system a step further, with the desk's reason.
///
/// # Errors
/// [`Refused::Gone`]; [`PortalReason::AlreadyDecided`], [`PortalReason::OwnRequest`];
/// [`Refused::Field`] where there is no room any more, or the account is another's.
pub async fn decide(desk: &Desk<'_>, id: i64, verdict: Verdict) -> Result<Done, Refused> {
    let by = desk.actor.person().ok_or(PortalReason::NoPower)?;
    let (deed, rule) = match verdict {
        Verdict::Acknowledge => (Deed::Acknowledged, None),
        Verdict::Agree => (Deed::Agreed, None),
        Verdict::Refuse(rule) => (Deed::Refused, Some(rule)),
        Verdict::End => (Deed::Ended, None),
    };
    let told = matches!(verdict, Verdict::Refuse(_) | Verdict::End);
    let reason = if told { desk.reason.to_owned() } else { String::new() };
    let step = Step { deed, rule, by, at: desk.now, reason };
    let (system, inside) = (desk.system.id, Inside::of(desk.store, desk.now));
    let done = desk.carry_out(kind(deed), move |tx, _| {
        let owner = accounts::owner(tx, system)?.ok_or(Refused::Gone)?;
        let told = inside.step(tx, id, system, step)?;
        let unit = [Audience::Heads(owner.unit.clone(), None), Audience::Integrators(owner.unit)];
        tell_step(tx, (&inside.keys, inside.now), &unit, (owner.code, deed))?;
        Ok((told, ()))
    });
    Ok(done.await?.0)
}

/// Plans of a unit's systems, the newest first.
///
/// # Errors
/// The store could not be read.
pub async fn of_unit(desk: &HeadDesk<'_>) -> Result<Vec<Filed>, Refused> {
    let mut all = vec![];
    for system in desk.snapshot.systems().iter().filter(|s| s.unit == *desk.unit) {
        all.extend(desk.store.desks().job_plans(Plans::Of(system.id), LISTED_MAX).await?);
    }
    all.sort_by_key(|filed| std::cmp::Reverse(filed.id));
    Ok(all)
}

/// Plans that wait or hold, the soonest over first.
///
/// # Errors
/// The store could not be read.
pub async fn all_open(store: &Store, now: Moment) -> Result<Vec<Filed>, Refused> {
    let today = store.profiles().at(now).hours.duty(now).day;
    Ok(store.desks().job_plans(Plans::Open(today), OPEN_MAX).await?)
}

/// What the agreed plans among `open`, but for number `without`, take of each hour, on whichever of
/// these days takes most.
#[must_use]
pub fn taken(days: (Date, Date), open: &[Filed], without: i64) -> Strip {
    let agreed = open.iter().filter(|f| f.plan.last() == Deed::Agreed && f.id != without);
    dancu_domain::plans::taken(days, agreed.map(|f| &f.plan.terms))
}

/// Persons that its account asked about on a duty day.
#[must_use]
pub fn used(store: &Store, plan: &JobPlan, day: DutyDay) -> u32 {
    let Some((_, account)) = plan.runs_as else { return 0 };
    store.ledger().lines(|lines| lines.account_used(account, day))
}

/// What a step needs inside its transaction.
struct Inside {
    now: Moment,
    profile: Profile,
    keys: std::sync::Arc<Keyring>,
}

impl Inside {
    fn of(store: &Store, now: Moment) -> Self {
        Self { now, profile: store.profiles().at(now).clone(), keys: store.keys().clone() }
    }

    /// Takes the step and does what it means; gives what the entry tells of it.
    fn step(
        &self,
        tx: &mut Tx<'_>,
        id: i64,
        system: SystemId,
        step: Step,
    ) -> Result<String, Refused> {
        let mut filed = desks::job_plan(tx, &self.keys, id)?.ok_or(Refused::Gone)?;
        if filed.plan.terms.system != system {
            return Err(Refused::Gone);
        }
        let stands = filed.plan.standing(&self.profile.hours, self.now);
        let (deed, rule) = (step.deed, step.rule);
        filed.plan.step(step)?;
        match deed {
            Deed::Agreed if stands == Standing::Lapsed => return Err(lapsed()),
            Deed::Agreed => self.register(tx, &mut filed)?,
            Deed::Ended if stands == Standing::Over => {
                return Err(PortalReason::AlreadyDecided.into());
            }
            Deed::Ended => self.end(tx, &filed.plan)?,
            _ => {}
        }
        desks::save_job_plan(tx, &self.keys, &filed)?;
        let under = rule.map_or(String::new(), |rule| format!(" theo quy tắc {rule}"));
        let by = filed.plan.runs_as.filter(|_| deed == Deed::Agreed);
        let as_ =
            by.map_or(String::new(), |(p, a)| format!(", đăng ký #{}, tài khoản #{}", p.0, a.0));
        Ok(format!("{}{under}{as_}", told(id, &filed.plan)))
    }

    /// Registers an agreed plan and names its account (D5).
    fn register(&self, tx: &mut Tx<'_>, filed: &mut Filed) -> Result<(), Refused> {
        let today = self.profile.hours.duty(self.now).day;
        // What is over before it begins takes nothing from it.
        let mut others = open(tx, &self.keys, today.max(filed.plan.terms.first_day()))?;
        others.retain(|other| other.id != filed.id);
        clash(&filed.plan.terms, &[], &others, &self.profile)?;
        let terms = &filed.plan.terms;
        let highest = write::highest_ids(tx)?.3;
        let id = PlanId(highest.0.checked_add(1).ok_or(Refused::Gone)?);
        write::insert_plan(tx, terms.system, &filed.plan.registered(id))?;
        let account = self.open_account(tx, terms, today.date(), id)?;
        filed.plan.runs_as = Some((id, account));
        Ok(())
    }

    fn open_account(
        &self,
        tx: &mut Tx<'_>,
        terms: &Terms,
        today: Date,
        plan: PlanId,
    ) -> Result<AccountId, Refused> {
        let known = accounts::of_system(tx, &self.keys, terms.system)?;
        let account = match runs_as(tx, (&known, &self.keys), terms, today)? {
            Some(found) => found.account.clone(),
            None => Account::new(AccountId(0), terms.account.clone(), AccountKind::Plan),
        };
        let is_new = account.id == AccountId(0);
        let listed = Listed {
            account: Account {
                daily: terms.daily,
                services: terms.services,
                plan: Some(plan),
                ..account
            },
            full_name: terms.contact.name.as_str().to_owned(),
            phone: terms.contact.phone.clone(),
        };
        if is_new {
            let ids = accounts::insert(tx, &self.keys, terms.system, &[listed])?;
            return ids.first().copied().ok_or(Refused::Gone);
        }
        accounts::change(tx, &self.keys, &listed)?;
        accounts::run_under(tx, listed.account.id, plan)?;
        Ok(listed.account.id)
    }

    /// The registered plan ends with the day before: it covers no further question.
    fn end(&self, tx: &mut Tx<'_>, plan: &JobPlan) -> Result<(), Refused> {
        let Some((registered, _)) = plan.runs_as else { return Ok(()) };
        let today = self.profile.hours.duty(self.now).day;
        Ok(write::end_plan(tx, registered, DutyDay(today.0 - 1))?)
    }
}

/// The account of the plan's login, where there is one that is free from `by` on: no officer's, and
/// under no plan that lasts longer. `None`: it is to be opened.
fn runs_as<'a>(
    tx: &mut Tx<'_>,
    (known, keys): (&'a [Listed], &Keyring),
    terms: &Terms,
    by: Date,
) -> Result<Option<&'a Listed>, Refused> {
    let login = terms.account.folded();
    let Some(found) = known.iter().find(|k| k.account.login.folded() == login) else {
        // A login wins over an officer code and a citizen id: nobody is called by it so far.
        let called = |a: &Account| {
            a.officer_code.as_ref().is_some_and(|code| code.as_str().to_lowercase() == login)
                || a.citizen_id.is_some_and(|id| id.to_string() == login)
        };
        let shared = accounts::is_shared(tx, keys, terms.system, terms.account.as_str())?;
        let taken = shared || known.iter().any(|k| called(&k.account));
        return if taken { Err(account_taken()) } else { Ok(None) };
    };
    let account = &found.account;
    if account.kind != AccountKind::Plan || account.state != AccountState::Live {
        return Err(account_taken());
    }
    let Some(plan) = account.plan else { return Ok(Some(found)) };
    let lasts = write::plan_days(tx, plan)?.is_some_and(|days| days.to.is_none_or(|to| by <= to));
    if lasts { Err(account_busy()) } else { Ok(Some(found)) }
}

/// Plans that wait or hold, as they stand in this transaction. Registered plans that nobody
/// announced (those of a sandbox) have no agreed count and are not among them.
fn open(tx: &mut Tx<'_>, keys: &Keyring, today: DutyDay) -> Result<Vec<Filed>, Refused> {
    if keys.get(dancu_store::keys::Purpose::Policy, 0).is_none() {
        return Ok(vec![]);
    }
    let found = desks::job_plans(tx, keys, Plans::Open(today), OPEN_MAX + 1)?;
    // One that was left out would be clashed with.
    if found.len() > OPEN_MAX as usize { Err(full()) } else { Ok(found) }
}

fn clash(
    terms: &Terms,
    open: &[Filed],
    agreed: &[Filed],
    profile: &Profile,
) -> Result<(), Refused> {
    let agreed = agreed.iter().filter(|f| f.plan.last() == Deed::Agreed);
    let agreed = agreed.map(|f| &f.plan.terms);
    let open = open.iter().map(|f| &f.plan.terms);
    terms.clash(open, agreed, profile.plans_per_hour).map_err(fault)
}

/// Tells the other side of a step.
fn tell_step(
    tx: &mut Tx<'_>,
    (keys, now): (&Keyring, Moment),
    to: &[Audience],
    (system, deed): (SystemCode, Deed),
) -> Result<(), Refused> {
    crate::notices::tell(tx, keys, now, to, &Notice::Plan { system, deed })
}

const fn kind(deed: Deed) -> &'static str {
    match deed {
        Deed::Announced => "plan.announced",
        Deed::Acknowledged => "plan.acknowledged",
        Deed::Agreed => "plan.agreed",
        Deed::Refused => "plan.refused",
        Deed::Withdrawn => "plan.withdrawn",
        Deed::Ended => "plan.ended",
    }
}

/// What entries tell of a plan.
fn told(id: i64, plan: &JobPlan) -> String {
    let Terms { services, from, to, daily, own_count, .. } = &plan.terms;
    let codes: Vec<&str> = services.iter().map(Service::code).collect();
    let own = if *own_count { ", số lượt riêng" } else { "" };
    format!("kế hoạch #{id}: {} từ {from} đến {to}, {daily} người/ngày{own}", codes.join(" "))
}

fn fault(fault: PlanFault) -> Refused {
    let (vi, en) = fault.sentence();
    field(fault.field(), vi, en)
}

fn account_taken() -> Refused {
    field(
        "account",
        "Tên này là của tài khoản khác hoặc của tài khoản không còn dùng; chọn tên khác.",
        "This login is another account's, or out of use; choose another one.",
    )
}

fn account_busy() -> Refused {
    field(
        "account",
        "Tài khoản này còn đăng ký cho kế hoạch khác chưa kết thúc; ghi tên tài khoản khác, hoặc \
         thông báo lại khi kế hoạch đó đã kết thúc.",
        "This account is another plan's that is not over; name another one, or announce the plan \
         again when that one is over.",
    )
}

fn too_many() -> Refused {
    field(
        "services",
        "Quá nhiều kế hoạch của hệ thống đang chờ; rút bớt rồi gửi lại.",
        "Too many plans of the system are waiting; withdraw some first.",
    )
}

fn full() -> Refused {
    field(
        "main",
        "Quá nhiều kế hoạch đang chờ hoặc đang chạy để so trùng; Trung tâm cần kết thúc bớt trước.",
        "Too many plans wait or run to be compared; the centre ends some of them first.",
    )
}

fn lapsed() -> Refused {
    field(
        "main",
        "Ngày cuối của kế hoạch đã qua; đơn vị cần thông báo lại.",
        "The last day of the plan has passed; the unit announces it again.",
    )
}

fn field(field: &'static str, vi: &str, en: &str) -> Refused {
    Refused::Field { field, vi: vi.to_owned(), en: en.to_owned() }
}
