//! A person's account as a state: invited, open with or without something that stops it, revoked.
//! A transition consumes the account and gives the next one, or says why there is none (E1-E5).
//!
//! Nothing here is caused by failed sign-ins: they slow down
//! ([`failures`](super::failures)), they never lock.

mod stops;

use jiff::civil::Date;

pub use self::stops::{Cause, Causes, Lock, LockCause, Revocation, RevokeCause, Stops};
use super::password::PasswordAge;
use super::reasons::PortalReason;
use super::roles::Class;
use super::{Epoch, PersonId, days_between, months_later};
use crate::moment::{DAY_MS, Moment};
use crate::profile::{Profile, TrainingLapse};

/// An invitation is good for so long, ms (*ours*): a week, so that somebody on leave still finds
/// it and a letter left lying does not stay a way in.
pub const INVITATION_MS: i64 = 7 * DAY_MS;

/// Whether an invitation of then can be taken up at an instant.
const fn is_open(invited: Moment, at: Moment) -> bool {
    at.0 - invited.0 < INVITATION_MS
}

/// The time of an invitation that was withdrawn, in place of its own: one that nobody ever sent,
/// and far beyond the edge, because a sign-in under way is judged as of its arrival, some seconds
/// before.
const fn withdrawn(at: Moment) -> Moment {
    at.plus_ms(-2 * INVITATION_MS)
}

/// A person's account of the portal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Whose.
    pub person: PersonId,
    /// Which figures of E2 hold; kept with the roles by [`Account::rights_changed`].
    pub class: Class,
    /// Sessions, tokens and devices name it and die when it changes (E3).
    pub epoch: Epoch,
    /// Where it stands.
    pub phase: Phase,
    /// The password's age; `None`: the person has none and signs in otherwise.
    pub password: Option<PasswordAge>,
    /// The last sign-in or query by any channel (E2); before the first, when it was opened.
    pub used: Moment,
    /// The Viet Nam day of the last training (E5); before the first, when it was opened.
    pub trained: Date,
}

/// The phases of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Named by the head, not yet taken up.
    Invited {
        /// Who invited.
        by: PersonId,
        /// When, by the product's clock; of one that was withdrawn, long before ([`withdrawn`]).
        at: Moment,
    },
    /// In use, as far as nothing stops it.
    Open(Stops),
    /// Final (E3).
    Revoked(Revocation),
}

/// Where an account stands at an instant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Standing {
    /// Waiting for the first sign-in.
    Invited,
    /// The invitation is too old.
    InvitationExpired,
    /// In use.
    Active,
    /// Suspended, for the first of its causes.
    Suspended(Cause),
    /// Disabled by idleness.
    Disabled,
    /// Locked for security.
    Locked,
    /// Final.
    Revoked,
}

impl Standing {
    /// Why a sign-in does not go on, told only to who proved to be the person. A revoked account
    /// is answered like an unknown one.
    pub const fn reason(self) -> Option<PortalReason> {
        match self {
            Self::Invited | Self::Active => None,
            Self::InvitationExpired => Some(PortalReason::InvitationExpired),
            Self::Suspended(Cause::Centre) => Some(PortalReason::SuspendedByCentre),
            Self::Suspended(Cause::Head) => Some(PortalReason::SuspendedByHead),
            Self::Suspended(Cause::Unreviewed) => Some(PortalReason::SuspendedUnreviewed),
            Self::Suspended(Cause::Untrained) => Some(PortalReason::SuspendedUntrained),
            Self::Disabled => Some(PortalReason::DisabledIdle),
            Self::Locked => Some(PortalReason::LockedForSecurity),
            Self::Revoked => Some(PortalReason::WrongCredentials),
        }
    }
}

/// What was tried.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Act {
    /// A new invitation in place of the old one.
    Reinvite,
    /// Withdraw an invitation.
    Withdraw,
    /// The first sign-in is complete.
    Activate,
    /// Suspend for a cause.
    Suspend(Cause),
    /// End a cause.
    Resume(Cause),
    /// Lock.
    Lock,
    /// Unlock.
    Unlock,
    /// Re-enable after idleness.
    Reenable,
    /// Revoke.
    Revoke,
    /// Confirm a revocation elsewhere.
    Confirm,
    /// Set or give a password.
    Password,
    /// Forget the factors.
    LoseFactor,
    /// Record a training.
    Train,
    /// Change roles.
    Rights,
}

/// A transition that there is none of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidTransition {
    /// The account does not stand where this can be done; nothing has changed.
    #[error("{0:?} is not possible in this state of the account")]
    State(Act),
    /// Nobody does this for themselves.
    #[error("{0:?} is for another person to do")]
    Oneself(Act),
}

impl InvalidTransition {
    /// The text for people.
    pub const fn reason(self) -> PortalReason {
        match self {
            Self::State(_) => PortalReason::NotInThisState,
            Self::Oneself(_) => PortalReason::OwnRequest,
        }
    }
}

type Next = Result<Account, InvalidTransition>;

impl Account {
    /// A new account, named by the head; its password, where it has one, was given with it.
    pub fn invite(person: PersonId, class: Class, by: PersonId, at: Moment) -> Self {
        let set_on = at.viet_nam_date();
        Self {
            person,
            class,
            epoch: Epoch::default(),
            phase: Phase::Invited { by, at },
            password: Some(PasswordAge { set_on, given: true }),
            used: at,
            trained: set_on,
        }
    }

    /// A citizen's own account: the electronic identity opened it, nobody invited, and it has no
    /// password (I1).
    pub fn citizen(person: PersonId, at: Moment) -> Self {
        Self {
            person,
            class: Class::Citizen,
            epoch: Epoch::default(),
            phase: Phase::Open(Stops::default()),
            password: None,
            used: at,
            trained: at.viet_nam_date(),
        }
    }

    /// Where it stands at an instant, whether or not the work of the night has been done.
    pub fn standing(&self, at: Moment, profile: &Profile) -> Standing {
        let stops = match &self.phase {
            Phase::Invited { at: when, .. } if is_open(*when, at) => return Standing::Invited,
            Phase::Invited { .. } => return Standing::InvitationExpired,
            Phase::Revoked(_) => return Standing::Revoked,
            Phase::Open(stops) => stops,
        };
        if stops.lock.is_some() {
            return Standing::Locked;
        }
        if stops.idle.is_some() || self.is_idle(at, profile) {
            return Standing::Disabled;
        }
        let causes = if self.training_suspends(at, profile) {
            stops.causes.with(Cause::Untrained)
        } else {
            stops.causes
        };
        causes.first().map_or(Standing::Active, Standing::Suspended)
    }

    /// Whether it was idle for too long: so many whole Viet Nam days without a sign-in or a query
    /// have gone by (E2: after use on the 1st, with 45 days, from the 46th day after it).
    pub fn is_idle(&self, at: Moment, profile: &Profile) -> bool {
        let days = days_between(self.used.viet_nam_date(), at.viet_nam_date());
        self.class != Class::Citizen && days > i64::from(profile.accounts.idle_days)
    }

    /// The last day on which the training is good (E5); `None` for citizens.
    pub fn trained_until(&self, profile: &Profile) -> Option<Date> {
        let until = months_later(self.trained, profile.accounts.training_months);
        (self.class != Class::Citizen).then_some(until)
    }

    /// Whether the training has lapsed, whatever the profile makes of it.
    pub fn training_lapsed(&self, at: Moment, profile: &Profile) -> bool {
        self.trained_until(profile).is_some_and(|until| until < at.viet_nam_date())
    }

    fn training_suspends(&self, at: Moment, profile: &Profile) -> bool {
        profile.accounts.training_lapse == TrainingLapse::Suspend
            && self.training_lapsed(at, profile)
    }

    /// The work of the night, and of a sign-in: writes down what time has done. `None`: nothing.
    #[must_use]
    pub fn aged(&self, at: Moment, profile: &Profile) -> Option<Self> {
        let Phase::Open(stops) = &self.phase else {
            return None;
        };
        let mut next = stops.clone();
        if self.is_idle(at, profile) && next.idle.is_none() {
            next.idle = Some(at);
        }
        if self.training_suspends(at, profile) {
            next.causes = next.causes.with(Cause::Untrained);
        }
        (next != *stops).then(|| self.clone().stopped(next))
    }
}

/// Transitions. Where one ends what people could do, the epoch is a new one.
impl Account {
    /// A new invitation, with a new password that is given.
    pub fn reinvite(mut self, by: PersonId, at: Moment) -> Next {
        self.other(by, Act::Reinvite)?;
        let Phase::Invited { .. } = self.phase else {
            return Err(InvalidTransition::State(Act::Reinvite));
        };
        self.phase = Phase::Invited { by, at };
        self.password = Some(PasswordAge { set_on: at.viet_nam_date(), given: true });
        self.epoch = self.epoch.next();
        Ok(self)
    }

    /// Withdraws an invitation that somebody could still take up: it is one that is too old then,
    /// without a password, and only a new one lets the person in. An invited account knows no lock:
    /// nothing of it is in use yet, so that this is what stops it (D6).
    pub fn withdraw(mut self, at: Moment) -> Next {
        match &mut self.phase {
            Phase::Invited { at: when, .. } if is_open(*when, at) => *when = withdrawn(at),
            _ => return Err(InvalidTransition::State(Act::Withdraw)),
        }
        self.password = None;
        self.epoch = self.epoch.next();
        Ok(self)
    }

    /// After the first sign-in. A given password that was not changed in it, because the person
    /// proved otherwise, is void.
    pub fn activate(mut self, at: Moment, profile: &Profile) -> Next {
        if self.standing(at, profile) != Standing::Invited {
            return Err(InvalidTransition::State(Act::Activate));
        }
        self.phase = Phase::Open(Stops::default());
        self.password = self.password.filter(|p| !p.given);
        self.used = at;
        self.trained = self.trained.max(at.viet_nam_date());
        Ok(self)
    }

    /// Suspends it for a cause.
    pub fn suspend(self, cause: Cause) -> Next {
        let act = Act::Suspend(cause);
        let mut stops = self.stops(act)?;
        if stops.causes.contains(cause) {
            return Err(InvalidTransition::State(act));
        }
        stops.causes = stops.causes.with(cause);
        Ok(self.stopped(stops))
    }

    /// Ends a cause; other stops stay.
    pub fn resume(mut self, cause: Cause, by: PersonId) -> Next {
        let act = Act::Resume(cause);
        self.other(by, act)?;
        let mut stops = self.stops(act)?;
        if !stops.causes.contains(cause) {
            return Err(InvalidTransition::State(act));
        }
        stops.causes = stops.causes.without(cause);
        self.phase = Phase::Open(stops);
        Ok(self)
    }

    /// Locks it for security.
    pub fn lock(self, lock: Lock) -> Next {
        let mut stops = self.stops(Act::Lock)?;
        if stops.lock.is_some() {
            return Err(InvalidTransition::State(Act::Lock));
        }
        stops.lock = Some(lock);
        Ok(self.stopped(stops))
    }

    /// Ends the lock; a named person does, with a reason that the journal keeps (D6).
    pub fn unlock(mut self, by: PersonId) -> Next {
        self.other(by, Act::Unlock)?;
        let mut stops = self.stops(Act::Unlock)?;
        if stops.lock.take().is_none() {
            return Err(InvalidTransition::State(Act::Unlock));
        }
        self.phase = Phase::Open(stops);
        Ok(self)
    }

    /// The head re-enables it after idleness (E2).
    pub fn reenable(mut self, by: PersonId, at: Moment, profile: &Profile) -> Next {
        self.other(by, Act::Reenable)?;
        let mut stops = self.stops(Act::Reenable)?;
        if stops.idle.take().is_none() && !self.is_idle(at, profile) {
            return Err(InvalidTransition::State(Act::Reenable));
        }
        self.phase = Phase::Open(stops);
        self.used = at;
        Ok(self)
    }

    /// Revokes it: final (E3).
    pub fn revoke(mut self, cause: RevokeCause, by: PersonId, at: Moment) -> Next {
        self.other(by, Act::Revoke)?;
        if let Phase::Revoked(_) = self.phase {
            return Err(InvalidTransition::State(Act::Revoke));
        }
        self.phase = Phase::Revoked(Revocation { cause, by, at, confirmed: None });
        self.epoch = self.epoch.next();
        Ok(self)
    }

    /// The operator of the agency's own software confirms that it is closed there too (E3).
    pub fn confirm_revocation(mut self, by: PersonId, at: Moment) -> Next {
        self.other(by, Act::Confirm)?;
        match &mut self.phase {
            Phase::Revoked(r) if r.confirmed.is_none() => r.confirmed = Some((by, at)),
            _ => return Err(InvalidTransition::State(Act::Confirm)),
        }
        Ok(self)
    }

    /// The person changed the password. Whoever keeps the session and the device of this very act
    /// carries them on to the new epoch; all others are dead.
    pub fn password_changed(self, on: Date) -> Next {
        self.with_password(PasswordAge { set_on: on, given: false })
    }

    /// The head gave a new password, to be changed at the next sign-in.
    pub fn password_given(self, by: PersonId, on: Date) -> Next {
        self.other(by, Act::Password)?;
        self.with_password(PasswordAge { set_on: on, given: true })
    }

    /// A factor was lost: sessions and devices die, and whoever keeps the factors and recovery
    /// codes removes them with it. A new one needs the head's word
    /// ([`Voucher`](super::factors::Voucher)).
    pub fn factor_lost(mut self) -> Next {
        self.stops(Act::LoseFactor)?;
        self.epoch = self.epoch.next();
        Ok(self)
    }

    /// A training is recorded (E5); it ends the suspension for its lapse if it is recent enough.
    pub fn train(mut self, on: Date, at: Moment, profile: &Profile) -> Next {
        if on > at.viet_nam_date() || matches!(self.phase, Phase::Revoked(_)) {
            return Err(InvalidTransition::State(Act::Train));
        }
        self.trained = self.trained.max(on);
        let lapsed = self.training_lapsed(at, profile);
        if let Phase::Open(stops) = &mut self.phase
            && !lapsed
        {
            stops.causes = stops.causes.without(Cause::Untrained);
        }
        Ok(self)
    }

    /// The roles changed: what was open under the old ones ends.
    pub fn rights_changed(mut self, class: Class) -> Next {
        if let Phase::Revoked(_) = self.phase {
            return Err(InvalidTransition::State(Act::Rights));
        }
        self.class = class;
        self.epoch = self.epoch.next();
        Ok(self)
    }

    /// The person ends whatever was begun: sessions, sign-ins in progress, enrolled devices. Nobody
    /// is kept from doing so.
    #[must_use]
    pub const fn ended_everywhere(mut self) -> Self {
        self.epoch = self.epoch.next();
        self
    }

    /// A sign-in or a query by any channel (E2); it never goes back.
    #[must_use]
    pub fn seen(mut self, at: Moment) -> Self {
        self.used = self.used.max(at);
        self
    }

    fn with_password(mut self, password: PasswordAge) -> Next {
        if let Phase::Revoked(_) = self.phase {
            return Err(InvalidTransition::State(Act::Password));
        }
        self.password = Some(password);
        self.epoch = self.epoch.next();
        Ok(self)
    }

    fn stopped(mut self, stops: Stops) -> Self {
        self.phase = Phase::Open(stops);
        self.epoch = self.epoch.next();
        self
    }

    fn stops(&self, act: Act) -> Result<Stops, InvalidTransition> {
        match &self.phase {
            Phase::Open(stops) => Ok(stops.clone()),
            _ => Err(InvalidTransition::State(act)),
        }
    }

    fn other(&self, by: PersonId, act: Act) -> Result<(), InvalidTransition> {
        if by == self.person { Err(InvalidTransition::Oneself(act)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
