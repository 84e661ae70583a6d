//! Sessions of people (E2): 12 hours at most, a screen that locks, one per person, dead at once
//! when the epoch changes. Cookies, their hashing and CSRF are not its business.
//!
//! All of it goes by the machine's clock.

use super::account::Account;
use super::reasons::PortalReason;
use super::roles::Class;
use super::{CLOCKS_DIFFER_MS, Epoch, MachineTime, PersonId};
use crate::moment::{HOUR_MS, MINUTE_MS};
use crate::profile::SignInRaw;

/// A session ends this long after it began, whatever happens in it, ms (issue of people).
pub const SESSION_MS: i64 = 12 * HOUR_MS;

/// A second factor is fresh for so long, ms (*ours*): enough to read what is to be approved, too
/// short for a coffee.
pub const FRESH_MFA_MS: i64 = 10 * MINUTE_MS;

/// A session's number; the account names the one that is in force.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SessionNumber(pub u64);

/// A session that has not ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Session {
    /// Its number.
    pub number: SessionNumber,
    /// Whose.
    pub person: PersonId,
    /// Whose figures of E2 hold.
    pub class: Class,
    /// The account's epoch that it lives in.
    pub epoch: Epoch,
    /// When it began.
    pub began: MachineTime,
    /// When the person last did something.
    pub seen: MachineTime,
    /// When a second factor was last given in it.
    pub mfa: Option<MachineTime>,
    /// Whether the screen is locked.
    pub locked: bool,
}

/// What the account says now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InForce {
    /// The account's epoch.
    pub epoch: Epoch,
    /// The one session of the person.
    pub number: SessionNumber,
}

/// Who caused a request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cause {
    /// The person: it keeps the screen open.
    Person,
    /// The page by itself (a meter that refreshes): it does not.
    Page,
}

/// What opened a locked screen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Key {
    /// The password.
    Password,
    /// A passkey with user verification: a fresh second factor too.
    Passkey,
}

/// A session as a request finds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    /// It goes on.
    Open(Session),
    /// The screen is locked; the form is kept, and [`Session::unlock`] reopens it.
    Locked(Session),
    /// It is over.
    Ended(PortalReason),
}

/// A session that began, and what it ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Begun {
    /// The new session.
    pub session: Session,
    /// The person's session before, where it was still alive: it is told
    /// [`PortalReason::SessionReplaced`], and this one is told that there was another.
    pub replaced: Option<Session>,
}

impl Session {
    /// Begins one for a person who signed in; it ends the one before (E2: one per person).
    pub fn begin(
        number: SessionNumber,
        account: &Account,
        now: MachineTime,
        mfa: bool,
        before: Option<Self>,
    ) -> Begun {
        let session = Self {
            number,
            person: account.person,
            class: account.class,
            epoch: account.epoch,
            began: now,
            seen: now,
            mfa: mfa.then_some(now),
            locked: false,
        };
        let alive = |s: &Self| {
            let itself = InForce { epoch: account.epoch, number: s.number };
            s.person == account.person && s.ended(itself, now).is_none()
        };
        Begun { session, replaced: before.filter(alive) }
    }

    /// What a request finds.
    pub fn request(
        mut self,
        cause: Cause,
        in_force: InForce,
        now: MachineTime,
        figures: &SignInRaw,
    ) -> Look {
        if let Some(reason) = self.ended(in_force, now) {
            return Look::Ended(reason);
        }
        if self.locked || now.since(self.seen) >= idle_ms(self.class, figures) {
            self.locked = true;
            return Look::Locked(self);
        }
        if cause == Cause::Person {
            self.seen = self.seen.max(now);
        }
        Look::Open(self)
    }

    /// Locks the screen by wish.
    #[must_use]
    pub const fn lock(mut self) -> Self {
        self.locked = true;
        self
    }

    /// Reopens the screen after the key was checked. The 12 hours go on.
    ///
    /// # Errors
    /// Why the session is over.
    pub fn unlock(
        mut self,
        key: Key,
        in_force: InForce,
        now: MachineTime,
    ) -> Result<Self, PortalReason> {
        if let Some(reason) = self.ended(in_force, now) {
            return Err(reason);
        }
        self.locked = false;
        self.seen = self.seen.max(now);
        if key == Key::Passkey { Ok(self.mfa_given(now)) } else { Ok(self) }
    }

    /// A second factor was given again.
    #[must_use]
    pub fn mfa_given(mut self, now: MachineTime) -> Self {
        self.mfa = Some(now);
        self
    }

    /// Carries it on after an act of the person in it that made a new epoch: the change of the own
    /// password.
    #[must_use]
    pub const fn carried_to(mut self, epoch: Epoch) -> Self {
        self.epoch = epoch;
        self
    }

    /// Whether the second factor is fresh. One of the future is not, but for what the
    /// clocks of two nodes may differ: the machine's clock went back, and how old it is cannot be
    /// said.
    pub fn is_fresh(&self, now: MachineTime) -> bool {
        self.mfa
            .is_some_and(|mfa| mfa.since(now) <= CLOCKS_DIFFER_MS && now.since(mfa) < FRESH_MFA_MS)
    }

    /// Milliseconds until the session ends; 0 when it has.
    pub fn left_ms(&self, now: MachineTime) -> i64 {
        SESSION_MS.saturating_sub(now.since(self.began)).max(0)
    }

    fn ended(&self, in_force: InForce, now: MachineTime) -> Option<PortalReason> {
        if self.epoch != in_force.epoch {
            return Some(PortalReason::SessionRevoked);
        }
        if self.number != in_force.number {
            return Some(PortalReason::SessionReplaced);
        }
        (self.left_ms(now) == 0).then_some(PortalReason::SessionOver)
    }
}

/// Idle time until the screen locks, ms (E2: 15 minutes, administration 5).
pub const fn idle_ms(class: Class, figures: &SignInRaw) -> i64 {
    let minutes = match class {
        Class::Administrator => figures.administrator_idle_lock_minutes,
        Class::Staff | Class::Citizen => figures.idle_lock_minutes,
    };
    minutes as i64 * MINUTE_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::Moment;
    use crate::profile::{DEFAULT_PROFILE, Profiles};

    const T0: MachineTime = MachineTime(1_772_409_600_000);
    const MIN: i64 = MINUTE_MS;

    fn figures() -> SignInRaw {
        Profiles::parse(DEFAULT_PROFILE).unwrap().versions()[0].sign_in.clone()
    }

    fn account(class: Class) -> Account {
        Account::invite(PersonId(7), class, PersonId(1), Moment(0))
    }

    fn begin(class: Class) -> (Session, InForce) {
        let session = Session::begin(SessionNumber(1), &account(class), T0, true, None).session;
        (session, InForce { epoch: session.epoch, number: session.number })
    }

    fn is_locked(look: Look) -> bool {
        matches!(look, Look::Locked(s) if s.locked)
    }

    #[test]
    fn rule_e2_the_screen_locks_after_idle_time() {
        for (class, minutes) in
            [(Class::Staff, 15), (Class::Administrator, 5), (Class::Citizen, 15)]
        {
            let (session, in_force) = begin(class);
            let look =
                |after| session.request(Cause::Person, in_force, T0.plus_ms(after), &figures());
            assert!(matches!(look(minutes * MIN - 1), Look::Open(_)), "{class:?}");
            assert!(is_locked(look(minutes * MIN)), "{class:?}");
        }
    }

    #[test]
    fn rule_e2_a_page_that_refreshes_keeps_no_screen_open() {
        let (mut session, in_force) = begin(Class::Staff);
        for minute in 1..15 {
            let now = T0.plus_ms(minute * MIN);
            match session.request(Cause::Page, in_force, now, &figures()) {
                Look::Open(next) => session = next,
                other => panic!("{other:?}"),
            }
        }
        let look = session.request(Cause::Page, in_force, T0.plus_ms(15 * MIN), &figures());
        assert!(is_locked(look));
        // Once locked it stays so, whoever asks.
        let Look::Locked(session) = look else { panic!("{look:?}") };
        let look = session.request(Cause::Person, in_force, T0.plus_ms(15 * MIN), &figures());
        assert!(is_locked(look));
    }

    #[test]
    fn rule_e2_unlocking_keeps_the_session() {
        let (session, in_force) = begin(Class::Staff);
        let later = T0.plus_ms(60 * MIN);
        let opened = session.lock().unlock(Key::Password, in_force, later).unwrap();
        assert_eq!((opened.locked, opened.seen, opened.began), (false, later, T0));
        assert!(!opened.is_fresh(later), "a password is no second factor");
        let opened = session.lock().unlock(Key::Passkey, in_force, later).unwrap();
        assert!(opened.is_fresh(later));
        // The 12 hours are over, locked or not.
        let end = T0.plus_ms(SESSION_MS);
        assert!(session.unlock(Key::Password, in_force, end.plus_ms(-1)).is_ok());
        let late = session.unlock(Key::Password, in_force, end);
        assert_eq!(late, Err(PortalReason::SessionOver));
    }

    #[test]
    fn rule_e2_twelve_hours_whatever_happens() {
        let (session, in_force) = begin(Class::Staff);
        let busy = Session { seen: T0.plus_ms(SESSION_MS - 1), ..session };
        let look = |after| busy.request(Cause::Person, in_force, T0.plus_ms(after), &figures());
        assert!(matches!(look(SESSION_MS - 1), Look::Open(_)));
        assert_eq!(look(SESSION_MS), Look::Ended(PortalReason::SessionOver));
        assert_eq!(busy.left_ms(T0), SESSION_MS);
        assert_eq!(busy.left_ms(T0.plus_ms(i64::MAX)), 0);
    }

    #[test]
    fn rule_e2_one_session_per_person_and_both_are_told() {
        let (first, mut in_force) = begin(Class::Staff);
        let now = T0.plus_ms(MIN);
        let begun =
            Session::begin(SessionNumber(2), &account(Class::Staff), now, true, Some(first));
        assert_eq!(begun.replaced, Some(first));
        in_force.number = begun.session.number;
        let old = first.request(Cause::Person, in_force, now, &figures());
        assert_eq!(old, Look::Ended(PortalReason::SessionReplaced));
        let new = begun.session.request(Cause::Person, in_force, now, &figures());
        assert!(matches!(new, Look::Open(_)));
        // One that was over already is nobody's to be told of.
        let late = T0.plus_ms(SESSION_MS);
        let begun =
            Session::begin(SessionNumber(2), &account(Class::Staff), late, true, Some(first));
        assert_eq!(begun.replaced, None);
    }

    #[test]
    fn rule_e3_a_new_epoch_ends_it_at_once() {
        let (session, in_force) = begin(Class::Staff);
        let raised = InForce { epoch: in_force.epoch.next(), ..in_force };
        let look = session.request(Cause::Person, raised, T0, &figures());
        assert_eq!(look, Look::Ended(PortalReason::SessionRevoked));
        let opened = session.lock().unlock(Key::Passkey, raised, T0);
        assert_eq!(opened, Err(PortalReason::SessionRevoked));
        let carried = session.carried_to(raised.epoch);
        assert!(matches!(carried.request(Cause::Person, raised, T0, &figures()), Look::Open(_)));
    }

    #[test]
    fn rule_e2_a_factor_is_fresh_for_minutes() {
        let (session, _) = begin(Class::Administrator);
        assert!(session.is_fresh(T0.plus_ms(FRESH_MFA_MS - 1)));
        assert!(!session.is_fresh(T0.plus_ms(FRESH_MFA_MS)));
        assert!(session.is_fresh(T0.plus_ms(-CLOCKS_DIFFER_MS)), "another node wrote it");
        assert!(
            !session.is_fresh(T0.plus_ms(-CLOCKS_DIFFER_MS - 1)),
            "the machine's clock went back"
        );
        assert!(!Session { mfa: None, ..session }.is_fresh(T0));
    }

    #[test]
    fn the_text_names_the_hours() {
        let text = PortalReason::SessionOver.text().text_vi;
        assert!(text.contains(&format!("{} giờ", SESSION_MS / HOUR_MS)));
    }
}
