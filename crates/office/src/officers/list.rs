//! Who is on the lists of a unit, in which state, and how much they use (B6, D2).

use std::sync::Arc;

use dancu_domain::ids::{AccountId, Login, SystemId};
use dancu_domain::moment::{DAY_MS, DutyDay, Hours, Moment, VIET_NAM_OFFSET_MS};
use dancu_domain::people::account::Standing;
use dancu_domain::profile::Profile;
use dancu_domain::registration::{AccountKind, AccountState, System};
use dancu_store::people::Person;
use dancu_store::policy::accounts::Listed;
use hashbrown::{HashMap, HashSet};
use jiff::civil::Weekday;

use super::{HeadDesk, Who};
use crate::act::Refused;

/// Working days over which the mean is taken: four weeks, so that one odd day weighs little.
pub const MEAN_DAYS: usize = 20;
/// Days that are looked back for them: a long Tết has nine days off, and weekends come on top.
const LOOK_BACK: i32 = 60;

/// Where an officer stands: of account and person whichever stops more.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum State {
    /// In use.
    Active,
    /// Invited into the portal and never came.
    Invited,
    /// The invitation is too old.
    InvitationExpired,
    /// Suspended.
    Suspended,
    /// Disabled by idleness (E2).
    Disabled,
    /// Locked for security (D6).
    Locked,
    /// Final (E3).
    Revoked,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Active,
        Self::Invited,
        Self::InvitationExpired,
        Self::Suspended,
        Self::Disabled,
        Self::Locked,
        Self::Revoked,
    ];

    fn of(account: Option<AccountState>, person: Option<Standing>) -> Self {
        let by_account = match account {
            None | Some(AccountState::Live) => Self::Active,
            Some(AccountState::Suspended) => Self::Suspended,
            Some(AccountState::Locked) => Self::Locked,
            Some(AccountState::Revoked) => Self::Revoked,
        };
        let by_person = match person {
            None | Some(Standing::Active) => Self::Active,
            Some(Standing::Invited) => Self::Invited,
            Some(Standing::InvitationExpired) => Self::InvitationExpired,
            Some(Standing::Suspended(_)) => Self::Suspended,
            Some(Standing::Disabled) => Self::Disabled,
            Some(Standing::Locked) => Self::Locked,
            Some(Standing::Revoked) => Self::Revoked,
        };
        // A revoked account of a person who goes on is revoked; a revoked person takes all along.
        let rank = |s: Self| Self::ALL.iter().position(|x| *x == s).unwrap_or_default();
        if rank(by_person) > rank(by_account) { by_person } else { by_account }
    }
}

/// An officer of the unit, or a person of it who is on no list.
#[derive(Clone)]
pub struct Officer {
    /// Its address.
    pub who: Who,
    /// The system; none for who is on no list.
    pub system: Option<Arc<System>>,
    /// The account on the list.
    pub listed: Option<Listed>,
    /// The person of the portal.
    pub person: Option<Person>,
    /// Where they stand.
    pub state: State,
    /// Whether an invitation may go out: no account of the login in the unit is locked or
    /// suspended.
    pub invitable: bool,
    /// Persons asked about today.
    pub used: u32,
    /// Mean of the last [`MEAN_DAYS`] working days of which the system has counts.
    pub mean: u32,
    /// The last sign-in or query that is known; none: never.
    pub last: Option<Moment>,
}

impl Officer {
    /// Full name: of the list, else of the person.
    #[must_use]
    pub fn name(&self) -> &str {
        let listed = self.listed.as_ref().map(|k| k.full_name.as_str()).filter(|n| !n.is_empty());
        listed.or(self.person.as_ref().map(|p| p.name.as_str())).unwrap_or_default()
    }

    /// Login.
    #[must_use]
    pub fn login(&self) -> &str {
        let listed = self.listed.as_ref().map(|k| k.account.login.as_str());
        listed.or(self.person.as_ref().map(|p| p.login.as_str())).unwrap_or_default()
    }

    /// Declared daily count (D2).
    #[must_use]
    pub fn daily(&self) -> u32 {
        self.listed.as_ref().map_or(0, |k| k.account.daily)
    }
}

/// Everybody of the unit: officers by system and number, then people who are on no list. System
/// and plan accounts are not officers.
///
/// # Errors
/// The store could not be read.
pub async fn list(desk: &HeadDesk<'_>) -> Result<Vec<Officer>, Refused> {
    let profile = desk.profile();
    let people = desk.store.people().of_unit(desk.unit).await?;
    let mut by_login: HashMap<String, Person> =
        people.into_iter().map(|p| (p.login.folded(), p)).collect();
    let stopped = stopped(desk);
    let mut on_lists = vec![];
    let mut all = vec![];
    for system in desk.snapshot.systems().iter().filter(|s| s.unit == *desk.unit) {
        let used = Used::of(desk, system.id, &profile).await?;
        for listed in desk.store.account_list(system.id).await? {
            if listed.account.kind != AccountKind::Officer {
                continue;
            }
            let login = listed.account.login.folded();
            let person = by_login.get(&login).cloned();
            let invitable = !stopped.contains(&login);
            on_lists.push(login);
            let id = listed.account.id;
            let (state, last) = standing(desk, &profile, Some(&listed), person.as_ref());
            all.push(Officer {
                who: Who::Account(id),
                system: Some(system.clone()),
                state,
                invitable,
                used: used.today(desk, id),
                mean: used.mean(id),
                last: last.max(used.last(id)),
                listed: Some(listed),
                person,
            });
        }
    }
    for login in on_lists {
        by_login.remove(&login);
    }
    let mut others: Vec<Person> = by_login.into_values().collect();
    others.sort_by_key(|p| p.id);
    all.extend(others.into_iter().map(|person| {
        let (state, last) = standing(desk, &profile, None, Some(&person));
        let who = Who::Person(person.id);
        Officer {
            who,
            system: None,
            listed: None,
            state,
            invitable: !stopped.contains(&person.login.folded()),
            used: 0,
            mean: 0,
            last,
            person: Some(person),
        }
    }));
    Ok(all)
}

/// One of them, without figures of use; none where the unit has none of the number.
///
/// # Errors
/// The store could not be read.
pub async fn one(desk: &HeadDesk<'_>, who: Who) -> Result<Option<Officer>, Refused> {
    let profile = desk.profile();
    let (system, listed, person) = match who {
        Who::Account(id) => {
            let Some((system, listed)) = desk.store.listed_account(id).await? else {
                return Ok(None);
            };
            let system = desk.snapshot.by_id(system).filter(|s| s.unit == *desk.unit).cloned();
            if system.is_none() || listed.account.kind != AccountKind::Officer {
                return Ok(None);
            }
            let person = desk.store.people().person_by_login(&listed.account.login).await?;
            (system, Some(listed), person.filter(|p| p.unit == *desk.unit))
        }
        Who::Person(id) => {
            let person = desk.store.people().person_by_id(id).await?;
            let Some(person) = person.filter(|p| p.unit == *desk.unit) else { return Ok(None) };
            (None, None, Some(person))
        }
    };
    let (state, last) = standing(desk, &profile, listed.as_ref(), person.as_ref());
    let mut one =
        Officer { who, system, listed, person, state, invitable: true, used: 0, mean: 0, last };
    let listed = one.listed.as_ref().map(|k| &k.account.login);
    let login = listed.or(one.person.as_ref().map(|p| &p.login)).map(Login::folded);
    one.invitable = login.is_none_or(|login| !stopped(desk).contains(&login));
    Ok(Some(one))
}

/// Logins of the unit of which an account is locked or suspended, folded: what a page offers goes
/// by what is registered; the act itself looks again.
fn stopped(desk: &HeadDesk<'_>) -> HashSet<String> {
    let own = desk.snapshot.systems().iter().filter(|s| s.unit == *desk.unit);
    let accounts = own.flat_map(|system| system.accounts.iter());
    accounts
        .filter(|a| matches!(a.state, AccountState::Locked | AccountState::Suspended))
        .map(|a| a.login.folded())
        .collect()
}

fn standing(
    desk: &HeadDesk<'_>,
    profile: &Profile,
    listed: Option<&Listed>,
    person: Option<&Person>,
) -> (State, Option<Moment>) {
    let stands = person.map(|p| p.account.standing(desk.now, profile));
    let state = State::of(listed.map(|k| k.account.state), stands);
    let never = matches!(stands, Some(Standing::Invited | Standing::InvitationExpired));
    (state, person.filter(|_| !never).map(|p| p.account.used))
}

/// Counts of a system's accounts on the last working days.
struct Used {
    today: DutyDay,
    /// The last day first; days of which the system has no count at all are left out.
    days: Vec<(DutyDay, HashMap<AccountId, u32>)>,
}

impl Used {
    async fn of(desk: &HeadDesk<'_>, system: SystemId, profile: &Profile) -> Result<Self, Refused> {
        let today = profile.hours.duty(desk.now).day;
        let days = working_days(&profile.hours, today, MEAN_DAYS);
        let counts = desk.store.use_of_accounts(system, &days).await?;
        let days = days.into_iter().zip(counts).filter(|(_, counts)| !counts.is_empty()).collect();
        Ok(Self { today, days })
    }

    fn today(&self, desk: &HeadDesk<'_>, account: AccountId) -> u32 {
        desk.store.ledger().lines(|lines| lines.account_used(account, self.today))
    }

    fn mean(&self, account: AccountId) -> u32 {
        let sum: u64 =
            self.days.iter().filter_map(|(_, c)| c.get(&account)).map(|n| u64::from(*n)).sum();
        let days = self.days.len() as u64;
        sum.checked_add(days / 2).and_then(|s| s.checked_div(days)).unwrap_or(0) as u32
    }

    /// The last of these days on which the account asked: its beginning, the hour is not known.
    fn last(&self, account: AccountId) -> Option<Moment> {
        let day = self.days.iter().find(|(_, c)| c.get(&account).is_some_and(|n| *n > 0))?.0;
        Some(Moment(i64::from(day.0) * DAY_MS - VIET_NAM_OFFSET_MS + DAY_MS / 2))
    }
}

/// The last working days before a duty day, the latest first, at most `count`: Monday to Friday
/// but for the days off of the profile (D1).
#[must_use]
pub fn working_days(hours: &Hours, before: DutyDay, count: usize) -> Vec<DutyDay> {
    let days = (1..=LOOK_BACK).map(|back| DutyDay(before.0 - back));
    let works = |day: &DutyDay| {
        let date = day.date();
        !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
            && hours.off_days.binary_search(&date).is_err()
    };
    days.filter(works).take(count).collect()
}
