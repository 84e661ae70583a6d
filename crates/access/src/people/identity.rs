//! Signing in by what an identity provider vouches for: staff by their personal id, citizens by who
//! they are to the provider. What the provider said was checked by [`oidc`](crate::oidc).
//!
//! **Invariant:** nobody becomes staff by signing in: an account that exists is found, or none.
//! **Invariant:** a citizen's account is the citizen's own: it is opened by the identity alone, for
//! a person of the registry whose name and birth date agree, and its personal id never changes.

use dancu_domain::birth::BirthDate;
use dancu_domain::ids::{Login, PersonalId, UnitCode};
use dancu_domain::name::FullName;
use dancu_domain::people::account::Account;
use dancu_domain::people::grants::{Grant, Grants, Scope};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::roles::{Class, Role};
use dancu_domain::people::sign_in::First;
use dancu_domain::people::{PersonId, UNIT_OF_CITIZENS};
use dancu_domain::registration::DateRange;
use dancu_store::people::{self, Person, Revision, Secrets};
use jiff::civil::Date;

use super::engine::{Fate, People, entry, is_dead};
use super::enter::Used;
use super::marks::Mark;
use super::steps::Walk;
use super::tickets::Proved;
use super::{Outcome, Trouble, Visit};
use crate::oidc::{Begun, Identity, Kind, State, Wanted};

/// Exchanges of one sign-in: one, and one more where the first came to nothing. A state costs
/// nothing, and each exchange holds a connection to the provider.
const EXCHANGES: u8 = 2;

/// What the registry has of a citizen, as far as an identity is held against it.
pub struct OnRecord {
    /// Personal id.
    pub personal_id: PersonalId,
    /// Full name.
    pub name: FullName,
    /// Date of birth.
    pub birth: BirthDate,
    /// Whether the person lives; nobody signs in as somebody who died.
    pub alive: bool,
}

impl OnRecord {
    /// Whether an identity is this person's. The provider has to say both: an id alone is no
    /// person.
    fn is(&self, identity: &Identity) -> bool {
        let named = identity.name.as_ref().is_some_and(|name| name.matches(&self.name));
        let born = identity.birth.is_some_and(|birth| birth.matches(self.birth).is_some());
        self.alive && identity.personal_id == Some(self.personal_id) && named && born
    }
}

impl People {
    /// Begins a sign-in at a provider, `signed_in`: of somebody who is signed in here. `None`: the
    /// browser keeps no cookies.
    ///
    /// # Errors
    /// No randomness.
    pub fn begin_identity(
        &self,
        visit: &Visit<'_>,
        (wanted, next): (Wanted, &str),
        signed_in: bool,
    ) -> Result<Option<Begun>, Trouble> {
        let Some(holder) = Mark::of(visit.browser) else { return Ok(None) };
        let key = &self.keys.state;
        Ok(Some(State::begin(key, holder.0, (wanted, next, signed_in), visit.machine)?))
    }

    /// Opens the state that came back with an answer, unless it was answered already.
    ///
    /// # Errors
    /// [`PortalReason::SignInExpired`].
    pub fn identity_state(&self, visit: &Visit<'_>, text: &str) -> Result<State, PortalReason> {
        let opened = Mark::of(visit.browser)
            .and_then(|holder| State::open(&self.keys.state, text, holder.0, visit.machine));
        opened.filter(|state| !self.used.is_used(state.id)).ok_or(PortalReason::SignInExpired)
    }

    /// Counts an exchange of what came back with a state, before the provider is asked.
    ///
    /// # Errors
    /// [`PortalReason::SignInExpired`] where it was tried often enough.
    pub fn identity_tried(&self, visit: &Visit<'_>, state: &State) -> Result<(), PortalReason> {
        let tried = self.exchanged.add(state.id, state.until(), visit.machine);
        (tried <= EXCHANGES).then_some(()).ok_or(PortalReason::SignInExpired)
    }

    /// Uses a state up, once the provider has vouched for somebody. States cost nothing, so only
    /// those are remembered that led to somebody who is known there.
    ///
    /// # Errors
    /// [`PortalReason::SignInExpired`] where it was used before.
    pub fn identity_answered(&self, visit: &Visit<'_>, state: &State) -> Result<(), PortalReason> {
        let first = self.used.first(state.id, state.until(), visit.machine);
        first.then_some(()).ok_or(PortalReason::SignInExpired)
    }

    /// Signs staff in; whoever is not a unit's by an identity of the nation only. `strong`: the
    /// provider is so sure that it stands for a second factor; otherwise the person's own is asked
    /// for.
    ///
    /// # Errors
    /// [`Trouble`]; nothing was changed.
    pub async fn identity_of_staff(
        &self,
        visit: &Visit<'_>,
        identity: &Identity,
        strong: bool,
    ) -> Result<Outcome, Trouble> {
        if identity.kind == Kind::Organisation {
            return Ok(refused(PortalReason::IdentityOrganisation));
        }
        let Some(id) = identity.personal_id else {
            return Ok(refused(PortalReason::IdentityUnknown));
        };
        match self.staff_of(visit, id, identity.kind).await?.as_slice() {
            [] => Ok(refused(PortalReason::IdentityUnknown)),
            [person] => self.identified(visit, person, strong).await,
            _ => Ok(refused(PortalReason::IdentityTwice)),
        }
    }

    /// Accounts of staff in use that an identity may stand for: none, the one, or as many as show
    /// that there is more than one. Revoked ones and those of citizens are passed over, however
    /// many there are.
    async fn staff_of(
        &self,
        visit: &Visit<'_>,
        id: PersonalId,
        kind: Kind,
    ) -> Result<Vec<Person>, Trouble> {
        let (profile, day) = (self.profile(visit.at), visit.at.viet_nam_date());
        let (mut living, mut after) = (vec![], PersonId(0));
        loop {
            let page = self.store.people().of_personal_id(id, after).await?;
            let is_last = page.len() < people::OF_PERSONAL_ID_MAX as usize;
            after = page.last().map_or(after, |person| person.id);
            living.extend(page.into_iter().filter(|person| {
                stands_for(kind, person, day) && !is_dead(person, visit.at, profile)
            }));
            if is_last || living.len() > 1 {
                return Ok(living);
            }
        }
    }

    /// Signs a citizen in; the account is opened with the first sign-in. `record`: what the
    /// registry has under the personal id of the identity.
    ///
    /// # Errors
    /// [`Trouble`]; nothing was changed.
    pub async fn identity_of_citizen(
        &self,
        visit: &Visit<'_>,
        identity: &Identity,
        record: Option<&OnRecord>,
        strong: bool,
    ) -> Result<Outcome, Trouble> {
        if identity.kind != Kind::Citizen {
            return Ok(refused(PortalReason::IdentityOrganisation));
        }
        if !strong {
            return Ok(refused(PortalReason::AssuranceTooLow));
        }
        let Some(record) = record.filter(|record| record.is(identity)) else {
            return Ok(refused(PortalReason::IdentityDiffers));
        };
        let login = Login::of_citizen(self.keys.identity(&identity.issuer, &identity.subject));
        let found = self.store.people().person_by_login(&login).await?;
        let person = match found {
            Some(person) => person,
            None => match self.open_citizen(visit, login, record).await? {
                Ok(person) => person,
                Err(reason) => return Ok(refused(reason)),
            },
        };
        if person.personal_id != Some(record.personal_id) {
            // The provider gave its name for one person to another one.
            return Ok(refused(PortalReason::IdentityDiffers));
        }
        self.identified(visit, &person, strong).await
    }

    /// Opens a citizen's account, or finds the one that another request opened meanwhile.
    async fn open_citizen(
        &self,
        visit: &Visit<'_>,
        login: Login,
        record: &OnRecord,
    ) -> Result<Result<Person, PortalReason>, Trouble> {
        let at = visit.at;
        let (name, id) = (record.name.as_str().to_owned(), record.personal_id);
        let source = visit.source;
        self.change(at, move |tx, keys| {
            if let Some(person) = people::by_login(tx, keys, &login)? {
                return Ok(Fate::Keep(person));
            }
            let number = people::next_id(tx)?;
            let Some((unit, grants)) = place() else {
                return Ok(Fate::Refuse(PortalReason::NoPower));
            };
            let person = Person {
                id: number,
                login,
                name,
                unit,
                phone: String::new(),
                personal_id: Some(id),
                account: Account::citizen(number, at),
                grants,
                secrets: Secrets::default(),
                revision: Revision::NEW,
            };
            people::insert(tx, keys, &person)?;
            let act = entry("person.citizenOpened", &person, format!("từ {source}"));
            Ok(Fate::Journal(person, act))
        })
        .await
    }

    async fn identified(
        &self,
        visit: &Visit<'_>,
        person: &Person,
        strong: bool,
    ) -> Result<Outcome, Trouble> {
        let proved = Proved::new(First::Identity { strong }, false);
        self.advance(visit, person, Walk { proved, ticket: None }, Used::Nothing).await
    }
}

/// Where a citizen's account stands and what it may.
fn place() -> Option<(UnitCode, Grants)> {
    let unit = UnitCode::parse(UNIT_OF_CITIZENS).ok()?;
    let grant = Grant::new(Role::Citizen, Scope::Person, DateRange::default(), None).ok()?;
    Some((unit, Grants::default().with(grant).ok()?))
}

/// Whether an identity is one by which somebody signs in as staff on a day. A provider that tells
/// no kinds is an agency's own: what its directory says opens accounts of people who are a unit's
/// and nothing else, not those of the centre or of who watches it, on that day or later.
fn stands_for(kind: Kind, person: &Person, day: Date) -> bool {
    let grants = &person.grants;
    let vouched = match kind {
        Kind::Citizen => true,
        Kind::Organisation => false,
        Kind::Unsaid => grants.since(day).next().is_some() && grants.are_of_units(day),
    };
    vouched && person.account.class != Class::Citizen
}

fn refused(reason: PortalReason) -> Outcome {
    Outcome::Refused { reason, again: false }
}
