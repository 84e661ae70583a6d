//! Handing notices out: who an audience is today, and when each of them is mailed.
//!
//! It may be stopped at any place and begun anew: who has a notice gets it and its mail no second
//! time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use dancu_domain::ids::UnitCode;
use dancu_domain::moment::{DAY_MS, Moment, VIET_NAM_OFFSET_MS};
use dancu_domain::notices::{Audience, Side, When, capped, plan};
use dancu_domain::people::PersonId;
use dancu_domain::people::account::Standing;
use dancu_domain::people::grants::Scope;
use dancu_domain::people::roles::Role;
use dancu_domain::profile::Profile;
use dancu_domain::webhooks::Event;
use dancu_store::notices::{self, Contact, KEPT_MS, Reader, Told};
use dancu_store::people::Person;
use dancu_store::{Error, Result, Store, webhooks};
use hashbrown::HashSet;

/// People that one read takes at a time.
const PEOPLE_AT_A_TIME: u32 = 500;
/// Readers of one transaction: some hundred statements, between which questions are settled.
const READERS_AT_A_TIME: usize = 200;
/// What cannot be read here waits so long for a program that can, ms (*ours*): nodes are renewed
/// one by one within hours.
const UNREAD_MS: i64 = DAY_MS;

/// Somebody of the staff, as far as audiences ask.
struct Staff {
    id: PersonId,
    /// Roles held today.
    roles: Vec<Role>,
    /// Units for whose software the person answers.
    integrates: Vec<UnitCode>,
    /// Units at which the person gathers.
    gathers: Vec<UnitCode>,
}

/// Hands out what waits, the oldest first; how many notices went. One that cannot be read here (a
/// newer program wrote it, or a record of its readers is damaged) waits, and none behind it does.
///
/// # Errors
/// Of the store: the rest goes the next time.
pub async fn spread(store: &Store, now: Moment) -> Result<usize> {
    let (mut count, mut after, mut staff) = (0, 0, None);
    loop {
        let waiting = store.notices().to_spread(after).await?;
        let Some((last, ..)) = waiting.last() else { return Ok(count) };
        after = *last;
        for (id, made, told) in waiting {
            let readers = match &told {
                Some(told) => of(store, told, now, &mut staff).await,
                None => Err(Error::Damaged("notice.sealed")),
            };
            match readers {
                Ok(readers) => {
                    if let Some(event) = told.and_then(|t| Event::of_told(&t.to, &t.notice)) {
                        tell_systems(store, now, (id, made), &event).await?;
                    }
                    hand_out(store, now, (id, made), &readers).await?;
                    count += 1;
                }
                Err(error) if made.plus_ms(UNREAD_MS) < now => {
                    tracing::error!(notice = id, error = %error, "a notice was given up");
                    hand_out(store, now, (id, made), &[]).await?;
                }
                Err(error) => {
                    tracing::debug!(notice = id, error = %error, "a notice waits");
                }
            }
        }
    }
}

/// Hands a notice out, a slice of its readers in each transaction.
async fn hand_out(
    store: &Store,
    now: Moment,
    notice: (i64, Moment),
    readers: &[Reader],
) -> Result<()> {
    let mut left = readers;
    loop {
        let (some, rest) = left.split_at(left.len().min(READERS_AT_A_TIME));
        let (some, last) = (some.to_vec(), rest.is_empty());
        let handed_out = store.ledger().tidy(now, move |tx| {
            if !notices::is_waiting(tx, notice.0)? {
                return Ok(());
            }
            notices::deliver(tx, notice, &some, last)
        });
        handed_out.await?;
        if last {
            return Ok(());
        }
        left = rest;
    }
}

/// Has the systems told too that an event is about, a slice of their addresses in each transaction.
/// An address that has it already is not told again.
async fn tell_systems(
    store: &Store,
    now: Moment,
    notice: (i64, Moment),
    event: &Event,
) -> Result<()> {
    let (event, last) = (Arc::new(event.clone()), Arc::new(AtomicI64::new(0)));
    loop {
        let (event, told, after) = (event.clone(), last.clone(), last.load(Ordering::Relaxed));
        let queued = store.ledger().tidy(now, move |tx| {
            let waits = notices::is_waiting(tx, notice.0)?;
            let more = if waits { webhooks::queue(tx, &event, notice, after)? } else { None };
            told.store(more.unwrap_or(0), Ordering::Relaxed);
            Ok(())
        });
        queued.await?;
        if last.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
    }
}

/// Forgets notices, mails and what was sent to systems of long ago.
///
/// # Errors
/// Of the store.
pub async fn forget(store: &Store, now: Moment) -> Result<()> {
    let before = now.plus_ms(-KEPT_MS);
    let forgotten = store.ledger().tidy(now, move |tx| {
        notices::forget(tx, before)?;
        notices::forget_mail(tx, now)?;
        webhooks::forget(tx, now)
    });
    forgotten.await
}

/// Everybody who is told, once, as the first thing that they are, with the mail about it.
async fn of(
    store: &Store,
    told: &Told,
    now: Moment,
    staff: &mut Option<Vec<Staff>>,
) -> Result<Vec<Reader>> {
    let (mut found, mut seen) = (vec![], HashSet::new());
    for audience in &told.to {
        let people = match audience {
            Audience::Person(person) => vec![*person],
            Audience::Heads(unit, but) => heads(store, unit, *but, now).await?,
            Audience::HeadsOf(person) => match store.people().person_by_id(*person).await? {
                Some(of) => heads(store, &of.unit, Some(*person), now).await?,
                None => vec![],
            },
            Audience::Integrators(_)
            | Audience::Operators(_)
            | Audience::PlanDesk
            | Audience::Reviewers
            | Audience::Assessors
            | Audience::FocalPoints(_)
            | Audience::Everybody => {
                if staff.is_none() {
                    *staff = Some(everybody(store, now).await?);
                }
                let all = staff.iter().flatten();
                all.filter(|one| one.is_in(audience)).map(|one| one.id).collect()
            }
        };
        let new = people.into_iter().filter(|person| seen.insert(*person));
        found.extend(new.map(|person| (person, audience.side())));
    }
    Ok(planned(store, told, found, now).await)
}

impl Staff {
    fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    fn is_in(&self, audience: &Audience) -> bool {
        match audience {
            Audience::Integrators(unit) => self.integrates.contains(unit),
            Audience::Operators(but) => self.is(Role::Operator) && *but != Some(self.id),
            Audience::PlanDesk => self.is(Role::Operator) || self.is(Role::JobPlanApprover),
            Audience::Reviewers => self.is(Role::DossierReviewer),
            Audience::Assessors => self.is(Role::SecurityAssessor),
            Audience::FocalPoints(unit) => self.gathers.contains(unit),
            _ => true,
        }
    }
}

/// Heads and deputies of a unit today.
async fn heads(
    store: &Store,
    unit: &UnitCode,
    but: Option<PersonId>,
    now: Moment,
) -> Result<Vec<PersonId>> {
    let today = now.viet_nam_date();
    let leads = |person: &Person| {
        let mut roles = person.grants.on(today).map(|grant| grant.role);
        roles.any(|role| matches!(role, Role::Head | Role::Deputy))
    };
    let (all, profile) = (store.people().leaders_of(unit).await?, store.profiles().at(now));
    let told = all.iter().filter(|p| is_here(p, now, profile) && leads(p) && Some(p.id) != but);
    Ok(told.map(|p| p.id).collect())
}

/// Whose account is not stopped: whoever is suspended, locked or revoked is told of their own
/// account alone ([`Audience::Person`]).
fn is_here(person: &Person, now: Moment, profile: &Profile) -> bool {
    let standing = person.account.standing(now, profile);
    !matches!(standing, Standing::Suspended(_) | Standing::Locked | Standing::Revoked)
}

/// All staff that is here.
async fn everybody(store: &Store, now: Moment) -> Result<Vec<Staff>> {
    let today = now.viet_nam_date();
    let (mut all, mut after, profile) = (vec![], PersonId(0), store.profiles().at(now));
    loop {
        let some = store.people().all(after, PEOPLE_AT_A_TIME).await?;
        let Some(last) = some.last() else { return Ok(all) };
        after = last.id;
        all.extend(some.iter().filter(|p| is_here(p, now, profile)).map(|person| {
            let unit = |scope: &Scope| match scope {
                Scope::Unit(unit) | Scope::Below(unit) => Some(unit.clone()),
                Scope::Person | Scope::All => None,
            };
            let grants = || person.grants.on(today);
            let units = |role: Role| {
                let held = grants().filter(|grant| grant.role == role);
                held.filter_map(|grant| unit(&grant.scope)).collect()
            };
            Staff {
                id: person.id,
                roles: grants().map(|grant| grant.role).collect(),
                integrates: units(Role::Integrator),
                gathers: units(Role::FocalPoint),
            }
        }));
    }
}

/// Readers with the mail of each: whether it goes with the day's others, and when. Whose address
/// cannot be read reads it in the portal.
async fn planned(
    store: &Store,
    told: &Told,
    people: Vec<(PersonId, Side)>,
    now: Moment,
) -> Vec<Reader> {
    let hours = store.profiles().at(now).hours.clone();
    let (urgency, pressing) = (told.notice.row().urgency, told.notice.is_pressing());
    let midnight = now.plus_ms(-(now.0 + VIET_NAM_OFFSET_MS).rem_euclid(DAY_MS));
    let mut readers = Vec::with_capacity(people.len());
    for (person, side) in people {
        let contact = store.notices().contact(person).await.unwrap_or_else(|error| {
            tracing::error!(person = person.0, error = %error, "an address cannot be read");
            Contact::default()
        });
        let mut when = plan(urgency, &contact.preference, &hours, now);
        if !pressing && matches!(when, When::At(_)) {
            // Where it cannot be counted it is mailed: nobody is left untold for that.
            let made = store.notices().mailed_since(person, midnight).await.unwrap_or_default();
            when = capped(when, made, &contact.preference, &hours, now);
        }
        let mail = match when {
            _ if contact.address.is_none() || contact.failing.is_some() => None,
            When::At(due) => Some((false, due)),
            When::Digest(due) => Some((true, due)),
            When::Never => None,
        };
        readers.push(Reader { person, side, mail });
    }
    readers
}
