//! Handing notices out: who an audience is today, and when each of them is mailed.
//!
//! It may be stopped at any place and begun anew: each notice goes out in one transaction.

use dancu_domain::ids::UnitCode;
use dancu_domain::moment::Moment;
use dancu_domain::notices::{Audience, Side, When, plan};
use dancu_domain::people::PersonId;
use dancu_domain::people::account::Phase;
use dancu_domain::people::grants::Scope;
use dancu_domain::people::roles::Role;
use dancu_store::notices::{self, KEPT_MS, Told};
use dancu_store::people::Person;
use dancu_store::{Result, Store};

/// People that one read takes at a time.
const PEOPLE_AT_A_TIME: u32 = 500;

/// Somebody of the staff, as far as audiences ask.
struct Staff {
    id: PersonId,
    operator: bool,
    /// Units for whose software the person answers.
    integrates: Vec<UnitCode>,
}

/// Hands out what waits; how many notices went.
///
/// # Errors
/// Of the store: the rest goes the next time.
pub async fn spread(store: &Store, now: Moment) -> Result<usize> {
    let waiting = store.notices().to_spread().await?;
    let count = waiting.len();
    let mut staff = None;
    for (id, told) in waiting {
        let Some(told) = told else {
            // A kind that this program does not know: nobody could read it here.
            store.ledger().tidy(now, move |tx| notices::deliver(tx, id, &[])).await?;
            continue;
        };
        let readers = readers(store, &told, now, &mut staff).await?;
        let mail = planned(store, &told, &readers, now).await?;
        let handed_out = store.ledger().tidy(now, move |tx| {
            if !notices::is_waiting(tx, id)? {
                return Ok(());
            }
            notices::deliver(tx, id, &readers)?;
            mail.iter().try_for_each(|(person, daily, due)| {
                notices::enqueue(tx, (*person, id), *daily, (told.at, *due))
            })
        });
        handed_out.await?;
    }
    Ok(count)
}

/// Forgets notices and mails of long ago.
///
/// # Errors
/// Of the store.
pub async fn forget(store: &Store, now: Moment) -> Result<()> {
    let before = now.plus_ms(-KEPT_MS);
    let forgotten = store.ledger().tidy(now, move |tx| {
        notices::forget(tx, before)?;
        notices::forget_mail(tx, now)
    });
    forgotten.await
}

/// Everybody who is told, once, as the first thing that they are.
async fn readers(
    store: &Store,
    told: &Told,
    now: Moment,
    staff: &mut Option<Vec<Staff>>,
) -> Result<Vec<(PersonId, Side)>> {
    let mut found: Vec<(PersonId, Side)> = vec![];
    for audience in &told.to {
        let people = match audience {
            Audience::Person(person) => vec![*person],
            Audience::Heads(unit, but) => heads(store, unit, *but, now).await?,
            Audience::HeadsOf(person) => match store.people().person_by_id(*person).await? {
                Some(of) => heads(store, &of.unit, Some(*person), now).await?,
                None => vec![],
            },
            Audience::Integrators(_) | Audience::Operators(_) | Audience::Everybody => {
                if staff.is_none() {
                    *staff = Some(everybody(store, now).await?);
                }
                let all = staff.iter().flatten();
                all.filter(|one| one.is_in(audience)).map(|one| one.id).collect()
            }
        };
        for person in people {
            if found.iter().all(|(known, _)| *known != person) {
                found.push((person, audience.side()));
            }
        }
    }
    Ok(found)
}

impl Staff {
    fn is_in(&self, audience: &Audience) -> bool {
        match audience {
            Audience::Integrators(unit) => self.integrates.contains(unit),
            Audience::Operators(but) => self.operator && *but != Some(self.id),
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
    let all = store.people().leaders_of(unit).await?;
    let told = all.iter().filter(|p| is_here(p) && leads(p) && Some(p.id) != but);
    Ok(told.map(|p| p.id).collect())
}

/// Whose account is not revoked.
fn is_here(person: &Person) -> bool {
    !matches!(person.account.phase, Phase::Revoked(_))
}

/// All staff that is here.
async fn everybody(store: &Store, now: Moment) -> Result<Vec<Staff>> {
    let today = now.viet_nam_date();
    let (mut all, mut after) = (vec![], PersonId(0));
    loop {
        let some = store.people().all(after, PEOPLE_AT_A_TIME).await?;
        let Some(last) = some.last() else { return Ok(all) };
        after = last.id;
        all.extend(some.iter().filter(|person| is_here(person)).map(|person| {
            let unit = |scope: &Scope| match scope {
                Scope::Unit(unit) | Scope::Below(unit) => Some(unit.clone()),
                Scope::Person | Scope::All => None,
            };
            let grants = || person.grants.on(today);
            Staff {
                id: person.id,
                operator: grants().any(|grant| grant.role == Role::Operator),
                integrates: grants()
                    .filter(|grant| grant.role == Role::Integrator)
                    .filter_map(|grant| unit(&grant.scope))
                    .collect(),
            }
        }));
    }
}

/// Who of the readers is mailed, whether with the day's others, and when.
async fn planned(
    store: &Store,
    told: &Told,
    readers: &[(PersonId, Side)],
    now: Moment,
) -> Result<Vec<(PersonId, bool, Moment)>> {
    let hours = store.profiles().at(now).hours.clone();
    let urgency = told.notice.row().urgency;
    let mut mail = vec![];
    for (person, _) in readers {
        let contact = store.notices().contact(*person).await?;
        if contact.address.is_none() || contact.failing.is_some() {
            continue;
        }
        match plan(urgency, &contact.preference, &hours, now) {
            When::At(due) => mail.push((*person, false, due)),
            When::Digest(due) => mail.push((*person, true, due)),
            When::Never => {}
        }
    }
    Ok(mail)
}
