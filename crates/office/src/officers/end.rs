//! What stops an officer, for a while or for good (E3): in force at once, everywhere.

use dancu_domain::ids::{AccountId, Login, SystemCode, SystemId};
use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::notices::{Audience, Notice};
use dancu_domain::people::PersonId;
use dancu_domain::people::account::{
    Account as Portal, Cause, InvalidTransition, RevokeCause, Standing,
};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::roles::Role;
use dancu_domain::profile::Profile;
use dancu_domain::registration::AccountState;
use dancu_store::desks::{self, RevocationNotice};
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::people::{self, EventKind, Person};
use dancu_store::policy::{self, accounts};

use super::{Found, HeadDesk, Inside, Who};
use crate::act::{Done, Entry, Refused, carry_out, note, reason};
use crate::states::{Says, WITHDRAWN, ended, suspension};
use crate::substitutes;

/// The operator of the agency's own software confirms within this time, ms (*ours*): the law names
/// none, and whoever left must not keep a way in for longer than a day.
pub const CONFIRM_MS: i64 = DAY_MS;

/// What is done to an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StateAct {
    /// Stopped until it is resumed.
    Suspend,
    /// The stop ends.
    Resume,
    /// Final.
    Revoke(RevokeCause),
}

/// What still stops an account or a person after the head's word ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Held {
    /// The centre's suspension: only the centre ends it.
    Centre,
    /// A lock for security (D6).
    Locked,
    /// Idleness, a review or a training.
    Otherwise,
}

impl Held {
    /// As entries tell it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Centre => "Trung tâm còn tạm ngừng",
            Self::Locked => "còn bị khóa",
            Self::Otherwise => "còn bị ngừng vì lý do khác",
        }
    }

    /// Of a person.
    fn of(account: &Portal, now: Moment, profile: &Profile) -> Option<Self> {
        match account.standing(now, profile) {
            Standing::Suspended(Cause::Centre) => Some(Self::Centre),
            Standing::Locked => Some(Self::Locked),
            Standing::Suspended(_) | Standing::Disabled => Some(Self::Otherwise),
            Standing::Active
            | Standing::Invited
            | Standing::InvitationExpired
            | Standing::Revoked => None,
        }
    }
}

/// What died with an account, and who was told (E3).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Died {
    /// Sessions that were alive.
    pub sessions: usize,
    /// Enrolled devices.
    pub devices: usize,
    /// Whether an invitation that nobody took up was withdrawn.
    pub invitation: bool,
    /// Factors: one-time codes, passkeys, security keys.
    pub factors: usize,
    /// Recovery codes that were still good.
    pub codes: u8,
    /// Whether the word of a head for a new factor was pending.
    pub voucher: bool,
    /// People who stood in for them, or were to.
    pub substitutes: Vec<PersonId>,
    /// Accounts on lists, with the systems they were of.
    pub accounts: Vec<(SystemCode, AccountId)>,
    /// The person's number, where the officer was one of the portal.
    pub person: Option<PersonId>,
    /// By when the operators of the agency's own software confirm; none where nothing is to be
    /// confirmed.
    pub confirm_by: Option<Moment>,
}

/// What a resumption put in use again, and what it did not.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Resumed {
    /// Accounts on lists that are in use, with the systems they are of.
    pub accounts: Vec<(SystemCode, AccountId)>,
    /// The person's number, where the person is in use.
    pub person: Option<PersonId>,
    /// What stays stopped, as entries name it, and by what.
    pub held: Vec<(String, Held)>,
}

/// What an act did: `died` tells of a stop, `resumed` of its end.
#[derive(Default)]
struct Outcome {
    died: Died,
    resumed: Resumed,
}

/// A revocation that waits to be confirmed in the agency's own software.
pub type Revocation = RevocationNotice;

/// Suspends an officer by the head's word: every account of the unit, and the person.
///
/// # Errors
/// For oneself, the last head, and where nothing of it is in use.
pub async fn suspend(desk: &HeadDesk<'_>, who: Who, why: &str) -> Result<(Done, Died), Refused> {
    set(desk, who, StateAct::Suspend, why).await.map(|(done, outcome)| (done, outcome.died))
}

/// Ends the suspension by the head. The centre's stays, and a lock: only the centre ends those.
///
/// # Errors
/// Where there is none, and where it is the centre's ([`PortalReason::HeldByCentre`]).
pub async fn resume(desk: &HeadDesk<'_>, who: Who, why: &str) -> Result<(Done, Resumed), Refused> {
    set(desk, who, StateAct::Resume, why).await.map(|(done, outcome)| (done, outcome.resumed))
}

/// Revokes an officer: final. The operators of the agency's own software are told and confirm.
///
/// # Errors
/// As [`suspend`].
pub async fn revoke(
    desk: &HeadDesk<'_>,
    who: Who,
    cause: RevokeCause,
    why: &str,
) -> Result<(Done, Died), Refused> {
    let revoked = set(desk, who, StateAct::Revoke(cause), why).await;
    revoked.map(|(done, outcome)| (done, outcome.died))
}

async fn set(
    desk: &HeadDesk<'_>,
    who: Who,
    act: StateAct,
    why: &str,
) -> Result<(Done, Outcome), Refused> {
    let inside = desk.inside()?;
    let why = reason(why)?.to_owned();
    let kind = match act {
        StateAct::Suspend => "officer.suspended",
        StateAct::Resume => "officer.resumed",
        StateAct::Revoke(_) => "officer.revoked",
    };
    let entry = Entry::new(kind, desk.by, None);
    let done = carry_out((desk.store, desk.now), entry, move |tx, _| {
        let found = inside.find(tx, who)?;
        match (act, &found.person) {
            (StateAct::Resume, Some(person)) => inside.may_touch(tx, person)?,
            (StateAct::Resume, None) => {}
            _ => inside.may_end(tx, &found)?,
        }
        let mut outcome = Outcome::default();
        let account = set_accounts(tx, &found, act, &mut outcome)?;
        let person = inside.set_person(tx, &found, act, &mut outcome)?;
        if !account && !person {
            let by_centre = outcome.resumed.held.iter().any(|(_, held)| *held == Held::Centre);
            let held = by_centre.then_some(PortalReason::HeldByCentre);
            return Err(Refused::Reason(held.unwrap_or(PortalReason::NotInThisState)));
        }
        if let StateAct::Revoke(_) = act {
            inside.tell(tx, &found, &mut outcome.died)?;
        }
        Ok((told(act, &outcome, &why), outcome))
    });
    done.await
}

/// What the entry says: numbers, never names.
fn told(act: StateAct, Outcome { died, resumed }: &Outcome, why: &str) -> String {
    let (accounts, person) = match act {
        StateAct::Resume => (&resumed.accounts, resumed.person),
        StateAct::Suspend | StateAct::Revoke(_) => (&died.accounts, died.person),
    };
    let mut parts: Vec<String> =
        accounts.iter().map(|(code, id)| format!("{code} #{}", id.0)).collect();
    parts.extend(person.map(|person| format!("cổng #{}", person.0)));
    parts.extend(died.invitation.then(|| WITHDRAWN.to_owned()));
    if let StateAct::Revoke(cause) = act {
        parts.push(cause.code().to_owned());
    }
    if act != StateAct::Resume {
        parts.push(format!("{} phiên, {} thiết bị", died.sessions, died.devices));
    }
    parts.extend(resumed.held.iter().map(|(what, held)| format!("{what} {}", held.words())));
    parts.extend(ended(&died.substitutes));
    format!("{}; lý do: {why}", parts.join(", "))
}

/// A transition: none where the account does not stand where it could be done.
pub(crate) fn moved(next: Result<Portal, InvalidTransition>) -> Result<Option<Portal>, Refused> {
    match next {
        Ok(account) => Ok(Some(account)),
        Err(InvalidTransition::State(_)) => Ok(None),
        Err(error @ InvalidTransition::Oneself(_)) => Err(error.into()),
    }
}

/// Every account of the officer follows; those that did are named, and of a resumption those that
/// are in use then: a lock for security is the centre's to end (D6). Whether any did.
fn set_accounts(
    tx: &mut Tx<'_>,
    found: &Found,
    act: StateAct,
    Outcome { died, resumed }: &mut Outcome,
) -> Result<bool, Refused> {
    let person = found.person.as_ref();
    let mut any = false;
    for (system, listed) in &found.accounts {
        let at = (listed.account.id, listed.account.state);
        let next = match act {
            StateAct::Suspend => suspension(tx, at, Says::HeadSuspends, person)?,
            StateAct::Resume => suspension(tx, at, Says::HeadResumes, person)?,
            StateAct::Revoke(_) if at.1 == AccountState::Revoked => None,
            StateAct::Revoke(_) => {
                policy::write::set_account_state(tx, at.0, AccountState::Revoked)?;
                Some(AccountState::Revoked)
            }
        };
        any |= next.is_some();
        let held = match next.unwrap_or(at.1) {
            AccountState::Suspended if act == StateAct::Resume => Some(Held::Centre),
            AccountState::Locked if act == StateAct::Resume => Some(Held::Locked),
            _ => None,
        };
        if next.is_some() || held.is_some() {
            let code = accounts::owner(tx, *system)?.ok_or(Refused::Gone)?.code;
            match held {
                Some(held) => resumed.held.push((format!("{code} #{}", at.0.0), held)),
                None if act == StateAct::Resume => resumed.accounts.push((code, at.0)),
                None => died.accounts.push((code, at.0)),
            }
        }
    }
    Ok(any)
}

/// A person of whom an invitation that could still be taken up is withdrawn, with whatever would
/// let them in; none where there is none.
pub(crate) fn withdrawn(person: &Person, at: Moment) -> Result<Option<Person>, Refused> {
    let Some(account) = moved(person.account.clone().withdraw(at))? else { return Ok(None) };
    let mut gone = Person { account, ..person.clone() };
    gone.secrets.password = None;
    Ok(Some(gone))
}

/// Ends a person for good: nothing is left to sign in with, and who stood in for them stands in no
/// more. A stand-in never does more than who is absent (E3), and who is gone does nothing: the next
/// head names their own. Gives who stood in.
pub(crate) fn finish(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    person: &Person,
    (account, now): (Portal, Moment),
) -> Result<Vec<PersonId>, Refused> {
    let mut after = Person { account, ..person.clone() };
    dancu_access::people::forget_factors(&mut after);
    after.secrets.password = None;
    after.secrets.voucher = None;
    people::save(tx, keys, &after)?;
    people::note_event(tx, keys, person.id, now, EventKind::Revoked, None, "")?;
    substitutes::end_all_of(tx, keys, person, now)
}

/// Of which account the operator of the agency's own software is told.
#[derive(Clone, Copy)]
pub(crate) struct Told<'a> {
    /// The system that it was of.
    pub(crate) system: SystemId,
    /// Whose it was; none for who is on the list but no person of the portal.
    pub(crate) person: Option<PersonId>,
    /// Its login.
    pub(crate) login: &'a Login,
}

/// Tells the operator of the agency's own software that an account was revoked (E3).
pub(crate) fn tell_revoked(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    told: Told<'_>,
    (by, at): (PersonId, Moment),
) -> Result<(), Refused> {
    let notice = RevocationNotice {
        id: 0,
        system: told.system,
        // Who has no number stands as 0: people are numbered from 1.
        person: told.person.unwrap_or(PersonId(0)),
        login: told.login.clone(),
        by,
        at,
        confirmed_by: None,
        confirmed_at: None,
    };
    desks::insert_notice(tx, keys, &notice)?;
    let owner = accounts::owner(tx, told.system)?.ok_or(Refused::Gone)?;
    let to_confirm = Notice::RevocationToConfirm { system: owner.code };
    crate::notices::tell(tx, keys, at, &[Audience::Integrators(owner.unit)], &to_confirm)
}

impl Inside {
    /// Revokes an account of one system. The person ends with it where nothing else is left of
    /// them: no account of another system, and no role but that of an officer.
    pub(super) fn revoke_from(
        &self,
        tx: &mut Tx<'_>,
        system: SystemId,
        account: AccountId,
    ) -> Result<(), Refused> {
        let mut found = self.find(tx, Who::Account(account))?;
        let (own, others): (Vec<_>, Vec<_>) =
            found.accounts.into_iter().partition(|(of, _)| *of == system);
        found.accounts = own;
        // Whoever the account is of: a deputy ends no head, nobody themselves, by a list either.
        self.may_end(tx, &found)?;
        let today = self.now.viet_nam_date();
        let goes_on = others.iter().any(|(_, k)| k.account.state != AccountState::Revoked);
        found.person = found.person.filter(|person| {
            !goes_on && person.grants.on(today).all(|grant| grant.role == Role::Officer)
        });
        let (act, mut outcome) = (StateAct::Revoke(RevokeCause::Left), Outcome::default());
        set_accounts(tx, &found, act, &mut outcome)?;
        self.set_person(tx, &found, act, &mut outcome)?;
        self.tell(tx, &found, &mut outcome.died)
    }

    /// The person's account follows; whether it did.
    fn set_person(
        &self,
        tx: &mut Tx<'_>,
        found: &Found,
        act: StateAct,
        Outcome { died, resumed }: &mut Outcome,
    ) -> Result<bool, Refused> {
        let Some(person) = &found.person else { return Ok(false) };
        let account = person.account.clone();
        match act {
            StateAct::Suspend => self.suspend_person(tx, found, person, died),
            StateAct::Resume => {
                let next = moved(account.resume(Cause::Head, self.by))?;
                let after = next.as_ref().unwrap_or(&person.account);
                let held = Held::of(after, self.now, &self.profile);
                resumed.held.extend(held.map(|held| (format!("cổng #{}", person.id.0), held)));
                let Some(account) = next else { return Ok(false) };
                resumed.person = held.is_none().then_some(person.id);
                let after = Person { account, ..person.clone() };
                self.keep(tx, &after, EventKind::Resumed)?;
                Ok(true)
            }
            StateAct::Revoke(cause) => {
                let next = moved(account.revoke(cause, self.by, self.now))?;
                let Some(account) = next else { return Ok(false) };
                self.begin_end(tx, person, died)?;
                let secrets = &person.secrets;
                died.factors = secrets.passkeys.len() + usize::from(secrets.totp.is_some());
                died.codes = secrets.recovery.as_ref().map_or(0, |r| r.left.left());
                died.voucher = secrets.voucher.is_some();
                died.substitutes = finish(tx, &self.keys, person, (account, self.now))?;
                Ok(true)
            }
        }
    }

    /// Suspends the person; of who is on a list and never came the invitation is withdrawn, because
    /// an invited account knows no stop: after the suspension the head invites again.
    fn suspend_person(
        &self,
        tx: &mut Tx<'_>,
        found: &Found,
        person: &Person,
        died: &mut Died,
    ) -> Result<bool, Refused> {
        let gone = if found.accounts.is_empty() { None } else { withdrawn(person, self.now)? };
        let (after, event) = match gone {
            Some(gone) => (gone, EventKind::InvitationWithdrawn),
            None => match moved(person.account.clone().suspend(Cause::Head))? {
                Some(account) => (Person { account, ..person.clone() }, EventKind::Suspended),
                None => return Ok(false),
            },
        };
        self.begin_end(tx, person, died)?;
        died.invitation = event == EventKind::InvitationWithdrawn;
        self.keep(tx, &after, event)?;
        Ok(true)
    }

    /// Counts what of a person dies with any stop.
    fn begin_end(&self, tx: &mut Tx<'_>, person: &Person, died: &mut Died) -> Result<(), Refused> {
        died.sessions = self.alive(tx, person)?;
        died.devices = person.secrets.devices.len();
        died.person = Some(person.id);
        Ok(())
    }

    /// Stores a person who changed, with the event that the person reads.
    fn keep(&self, tx: &mut Tx<'_>, after: &Person, event: EventKind) -> Result<(), Refused> {
        people::save(tx, &self.keys, after)?;
        Ok(people::note_event(tx, &self.keys, after.id, self.now, event, None, "")?)
    }

    /// Sessions of a person that are alive: the new epoch ends them, and their rows stay until
    /// they are forgotten, so that whoever holds a cookie is told why.
    pub(super) fn alive(&self, tx: &mut Tx<'_>, person: &Person) -> Result<usize, Refused> {
        let alive = people::alive(tx, &self.keys, person.id, self.machine)?;
        Ok(usize::from(alive.is_some()))
    }

    fn tell(&self, tx: &mut Tx<'_>, found: &Found, died: &mut Died) -> Result<(), Refused> {
        let revoked: Vec<SystemId> = found
            .accounts
            .iter()
            .filter(|(_, k)| died.accounts.iter().any(|(_, id)| *id == k.account.id))
            .map(|(system, _)| *system)
            .collect();
        let person = found.person.as_ref().map(|p| p.id);
        for system in revoked {
            let told = Told { system, person, login: &found.login };
            tell_revoked(tx, &self.keys, told, (self.by, self.now))?;
            died.confirm_by = Some(self.now.plus_ms(CONFIRM_MS));
        }
        Ok(())
    }
}

/// Revocations of a unit's systems that wait to be confirmed, the oldest first.
///
/// # Errors
/// The store could not be read.
pub async fn open_notices(desk: &HeadDesk<'_>) -> Result<Vec<Revocation>, Refused> {
    let mut notices = vec![];
    for system in desk.snapshot.systems().iter().filter(|s| s.unit == *desk.unit) {
        notices.extend(desk.store.desks().open_notices(system.id).await?);
    }
    notices.sort_by_key(|n| (n.at, n.id));
    Ok(notices)
}

/// The operator of the agency's own software confirms that an account is closed there too (E3).
///
/// # Errors
/// [`Refused::Gone`] where it is of another unit; where it was confirmed,
/// [`PortalReason::AlreadyDecided`].
pub async fn confirm_revocation(desk: &HeadDesk<'_>, id: i64) -> Result<Done, Refused> {
    let inside = desk.inside()?;
    let notice = desk.store.desks().notice(id).await?.ok_or(Refused::Gone)?;
    let entry = Entry::new("officer.revocationConfirmed", desk.by, Some(notice.system));
    let done = note((desk.store, desk.now), entry, move |tx| {
        let notice = desks::notice(tx, &inside.keys, id)?.ok_or(Refused::Gone)?;
        let owner = accounts::owner(tx, notice.system)?.ok_or(Refused::Gone)?;
        if owner.unit != inside.unit {
            return Err(Refused::Gone);
        }
        if notice.confirmed_at.is_some() {
            return Err(Refused::Reason(PortalReason::AlreadyDecided));
        }
        desks::confirm_notice(tx, id, inside.by, inside.now)?;
        if let Some(mut person) = people::by_id(tx, &inside.keys, notice.person)? {
            let next = person.account.clone().confirm_revocation(inside.by, inside.now);
            // A second system of the same unit confirms for itself: the first word stays.
            if let Some(account) = moved(next)? {
                person.account = account;
                people::save(tx, &inside.keys, &person)?;
            }
        }
        Ok((format!("{} thông báo #{id}", owner.code), ()))
    });
    done.await.map(|(done, ())| done)
}
