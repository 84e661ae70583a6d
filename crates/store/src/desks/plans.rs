//! Job plans on their way (D5): what was announced, and every step since.

use dancu_domain::ids::{AccountId, Login, PlanId, SystemId};
use dancu_domain::moment::{DutyDay, Moment};
use dancu_domain::name::FullName;
use dancu_domain::people::PersonId;
use dancu_domain::people::may::Ground;
use dancu_domain::plans::{ClockRange, Contact, Deed, JobPlan, Step, Terms};
use dancu_domain::rule::RuleId;
use dancu_domain::service::ServiceSet;
use serde::{Deserialize, Serialize};

use super::{Desks, constrained, next};
use crate::engine::{Row, Tx, Value};
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose};
use crate::people::sealed::{self, Opened, Place};
use crate::values;

const BY_ID: &str = "SELECT id, system, state, to_day, sealed FROM job_plan WHERE id = $1";
pub(super) const OPEN: &str = "SELECT id, system, state, to_day, sealed FROM job_plan \
    WHERE state <= 2 AND to_day >= $1 ORDER BY to_day, id LIMIT $2";
pub(super) const OF_SYSTEM: &str = "SELECT id, system, state, to_day, sealed FROM job_plan \
    WHERE system = $1 ORDER BY id DESC LIMIT $2";
const NEWEST: &str = "SELECT id, system, state, to_day, sealed FROM job_plan \
    ORDER BY id DESC LIMIT $1";
/// Those that wait or hold: the first three.
const _: () = assert!(Deed::Agreed as u8 == 2);

/// A plan with its number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filed {
    /// Its number.
    pub id: i64,
    /// The plan.
    pub plan: JobPlan,
}

/// Which plans are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plans {
    /// Those that are announced, acknowledged or agreed and whose last day is not before this one,
    /// the soonest over first.
    Open(DutyDay),
    /// Those of a system in any state, the newest first.
    Of(SystemId),
    /// All, the newest first.
    Newest,
}

impl Plans {
    const fn text(self) -> &'static str {
        match self {
            Self::Open(_) => OPEN,
            Self::Of(_) => OF_SYSTEM,
            Self::Newest => NEWEST,
        }
    }

    fn values(self, limit: u32) -> Vec<Value<'static>> {
        match self {
            Self::Open(day) => vec![day.0.into(), limit.into()],
            Self::Of(system) => vec![system.0.into(), limit.into()],
            Self::Newest => vec![limit.into()],
        }
    }
}

/// A plan as it is sealed in `job_plan.sealed`.
#[derive(Serialize, Deserialize)]
struct PlanRecord {
    system: u32,
    services: ServiceSet,
    hours: [Option<(u16, u16)>; 2],
    from: String,
    to: String,
    daily: u32,
    own_count: bool,
    account: Login,
    contact: String,
    phone: String,
    purpose: String,
    reason: String,
    steps: Vec<StepRecord>,
    runs_as: Option<(u32, u32)>,
}

#[derive(PartialEq, Serialize, Deserialize)]
struct StepRecord {
    deed: u8,
    rule: Option<String>,
    by: u32,
    at: i64,
    reason: String,
}

/// Stores an announcement; gives its number.
pub fn insert_job_plan(tx: &mut Tx<'_>, keys: &Keyring, plan: &JobPlan) -> Result<i64> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let id = next(tx, "SELECT COALESCE(MAX(id), 0) FROM job_plan")?;
    let sealed = place(id).seal(&key, &PlanRecord::of(plan), &[])?;
    let inserted = tx.execute(
        "INSERT INTO job_plan (id, system, state, to_day, sealed) VALUES ($1, $2, $3, $4, $5)",
        values![id, plan.terms.system.0, plan.last() as u8, plan.terms.last_day().0, sealed],
    );
    inserted.map_err(constrained)?;
    Ok(id)
}

/// Stores a plan that was taken a step further. Read, decide and save belong into one transaction
/// of the ledger.
///
/// # Errors
/// [`Error::Final`] where there is none; [`Error::Refused`] where a step that was taken meanwhile
/// would be lost.
pub fn save_job_plan(tx: &mut Tx<'_>, keys: &Keyring, filed: &Filed) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let found = tx.lock_row(BY_ID, values![filed.id], |r| stored(r, &key))?;
    let before = found.ok_or(Error::Final("không có kế hoạch này (no such plan)"))?;
    let record = PlanRecord::of(&filed.plan);
    if before.record.system != record.system || !record.steps.starts_with(&before.record.steps) {
        return Err(Error::Refused(
            "kế hoạch vừa được thay đổi, hãy tải lại (the plan was changed meanwhile: load again)"
                .into(),
        ));
    }
    let sealed = place(filed.id).seal(&key, &record, before.rest())?;
    let sql = "UPDATE job_plan SET state = $1, sealed = $2 WHERE id = $3";
    tx.execute(sql, values![filed.plan.last() as u8, sealed, filed.id])?;
    Ok(())
}

/// A plan.
pub fn job_plan(tx: &mut Tx<'_>, keys: &Keyring, id: i64) -> Result<Option<Filed>> {
    let key = sealed::key(keys)?;
    tx.optional(BY_ID, values![id], |r| read(r, &key))
}

/// At most `limit` plans.
pub fn job_plans(tx: &mut Tx<'_>, keys: &Keyring, which: Plans, limit: u32) -> Result<Vec<Filed>> {
    let key = sealed::key(keys)?;
    tx.query(which.text(), &which.values(limit), |r| read(r, &key))
}

impl Desks<'_> {
    /// [`job_plan`].
    pub async fn job_plan(self, id: i64) -> Result<Option<Filed>> {
        let key = sealed::key(&self.store.keys)?;
        let found = self.store.look(BY_ID, values![id], |r| read(r, &key)).await?;
        Ok(found.into_iter().next())
    }

    /// [`job_plans`].
    pub async fn job_plans(self, which: Plans, limit: u32) -> Result<Vec<Filed>> {
        let key = sealed::key(&self.store.keys)?;
        self.store.look(which.text(), &which.values(limit), |r| read(r, &key)).await
    }
}

impl PlanRecord {
    fn of(plan: &JobPlan) -> Self {
        let terms = &plan.terms;
        Self {
            system: terms.system.0,
            services: terms.services,
            hours: terms.hours.map(|range| range.map(|r| (r.from(), r.to()))),
            from: terms.from.to_string(),
            to: terms.to.to_string(),
            daily: terms.daily,
            own_count: terms.own_count,
            account: terms.account.clone(),
            contact: terms.contact.name.as_str().into(),
            phone: terms.contact.phone.clone(),
            purpose: terms.purpose.as_str().into(),
            reason: terms.reason.as_str().into(),
            steps: plan.steps().iter().map(StepRecord::of).collect(),
            runs_as: plan.runs_as.map(|(plan, account)| (plan.0, account.0)),
        }
    }

    fn plan(self) -> Option<JobPlan> {
        let [inside, off] = self.hours;
        let range = |stored: Option<(u16, u16)>| match stored {
            Some((from, to)) => ClockRange::new(from, to).map(Some),
            None => Some(None),
        };
        let terms = Terms {
            system: SystemId(self.system),
            services: self.services,
            hours: [range(inside)?, range(off)?],
            from: self.from.parse().ok()?,
            to: self.to.parse().ok()?,
            daily: self.daily,
            own_count: self.own_count,
            account: self.account,
            contact: Contact::new(FullName::parse(&self.contact).ok()?, &self.phone)?,
            purpose: Ground::parse(&self.purpose).ok()?,
            reason: Ground::parse(&self.reason).ok()?,
        };
        let steps = self.steps.into_iter().map(StepRecord::step).collect::<Option<_>>()?;
        let runs_as = self.runs_as.map(|(plan, account)| (PlanId(plan), AccountId(account)));
        JobPlan::stored(terms, steps, runs_as)
    }
}

impl StepRecord {
    fn of(step: &Step) -> Self {
        Self {
            deed: step.deed as u8,
            rule: step.rule.map(|rule| rule.code().into()),
            by: step.by.0,
            at: step.at.0,
            reason: step.reason.clone(),
        }
    }

    fn step(self) -> Option<Step> {
        let rule = match self.rule {
            Some(code) => Some(RuleId::from_code(&code)?),
            None => None,
        };
        let deed = Deed::from_number(self.deed)?;
        Some(Step { deed, rule, by: PersonId(self.by), at: Moment(self.at), reason: self.reason })
    }
}

/// The document of a row; what stands beside it says the same.
fn stored(r: &Row<'_>, key: &Key) -> Result<Opened<PlanRecord>> {
    let place = place(r.get(0)?);
    let opened = place.open::<PlanRecord>(key, r, 4)?;
    let last = opened.record.steps.last().map(|step| step.deed);
    let beside = (r.get::<u32>(1)?, Some(r.get::<u8>(2)?));
    if (opened.record.system, last) != beside {
        return Err(place.damaged());
    }
    Ok(opened)
}

fn read(r: &Row<'_>, key: &Key) -> Result<Filed> {
    let (id, day_beside) = (r.get(0)?, r.get::<i32>(3)?);
    let plan = stored(r, key)?.record.plan().filter(|plan| plan.terms.last_day().0 == day_beside);
    Ok(Filed { id, plan: plan.ok_or(Error::Damaged("job_plan.sealed"))? })
}

fn place(id: i64) -> Place {
    Place::numbered("job_plan.sealed", id)
}
