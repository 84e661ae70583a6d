//! Sessions as requests find them: looked up by their cookie, locked, opened again, ended.

use std::sync::Arc;

use dancu_domain::moment::{MINUTE_MS, Moment};
use dancu_domain::people::MachineTime;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::session::{Cause, InForce, Key, Look as Found, Session};
use dancu_domain::profile::Profiles;
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::people::{self, EventKind, Person, SessionRow};

use super::engine::{Asker, Fate, People, entry};
use super::enter::{Used, kind_word, spend};
use super::keys::Guess;
use super::marks::Mark;
use super::tickets::{Pending, Proved, Purpose, Ticket};
use super::{Answer, Proof, Trouble, Visit, webauthn};

/// When a session was last seen is written down at most this often, ms: a click a second is no
/// transaction a second.
const SEEN_EVERY_MS: i64 = MINUTE_MS;
/// Sessions whose last click is in memory: 65,536 × about 60 bytes. Beyond it all go, and their
/// screens lock up to a minute early.
const SEEN_MAX: usize = 65_536;

/// What a request's cookie is worth.
pub enum Look {
    /// Nobody is signed in.
    Nobody,
    /// The session is over, and why.
    Ended(PortalReason),
    /// The screen is locked.
    Locked(Present),
    /// Somebody is there.
    Open(Present),
}

/// A person in a session.
#[derive(Clone)]
pub struct Present {
    /// Who, as stored now.
    pub person: Arc<Person>,
    /// The session.
    pub row: SessionRow,
    /// The cookie's mark.
    pub mark: Mark,
    /// For the forms of the session.
    pub csrf: String,
}

impl Present {
    /// The session.
    pub fn session(&self) -> &Session {
        &self.row.session
    }
}

/// A session inside a transaction.
pub(super) struct Mine {
    pub(super) mark: Mark,
    /// As the request saw it: what other requests saw may not be written down yet.
    pub(super) seen: MachineTime,
    pub(super) now: MachineTime,
    pub(super) at: Moment,
    pub(super) profiles: Arc<Profiles>,
}

impl Mine {
    /// The session and its person as they are now, where it is open; with `fresh`, only after a
    /// second factor within the last minutes.
    pub(super) fn open(
        &self,
        tx: &mut Tx<'_>,
        keys: &Keyring,
        fresh: bool,
    ) -> dancu_store::Result<Result<(Person, SessionRow), PortalReason>> {
        let row = match self.judge(people::session(tx, keys, &self.mark.0)?, fresh) {
            Ok(row) => row,
            Err(reason) => return Ok(Err(reason)),
        };
        let person = people::by_id(tx, keys, row.session.person)?;
        Ok(person.map(|person| (person, row)).ok_or(PortalReason::SignedOut))
    }

    /// The session as it was found, where it is open.
    pub(super) fn judge(
        &self,
        found: Option<(SessionRow, InForce)>,
        fresh: bool,
    ) -> Result<SessionRow, PortalReason> {
        let (mut row, in_force) = found.ok_or(PortalReason::SignedOut)?;
        row.session.seen = row.session.seen.max(self.seen);
        let figures = &self.profiles.at(self.at).sign_in;
        match row.session.request(Cause::Page, in_force, self.now, figures) {
            Found::Ended(reason) => Err(reason),
            Found::Locked(_) => Err(PortalReason::ScreenLocked),
            Found::Open(session) if fresh && !session.is_fresh(self.now) => {
                Err(PortalReason::FreshMfaNeeded)
            }
            Found::Open(_) => Ok(row),
        }
    }
}

impl People {
    /// What a request finds. The person's clicks keep the screen open, a page's own refreshing
    /// does not ([`Cause`]).
    ///
    /// # Errors
    /// [`Trouble::Store`].
    pub async fn look(
        &self,
        cookie: Option<&str>,
        cause: Cause,
        at: Moment,
        machine: MachineTime,
    ) -> Result<Look, Trouble> {
        let Some(mark) = cookie.and_then(Mark::of) else { return Ok(Look::Nobody) };
        let people = self.store.people();
        let Some((mut row, in_force)) = people.session(&mark.0).await? else {
            return Ok(Look::Nobody);
        };
        let written = row.session.seen;
        if let Some(seen) = self.seen.lock().get(&mark) {
            row.session.seen = written.max(*seen);
        }
        let figures = &self.profile(at).sign_in;
        let locked = match row.session.request(cause, in_force, machine, figures) {
            Found::Ended(reason) => {
                self.seen.lock().remove(&mark);
                return Ok(Look::Ended(reason));
            }
            Found::Locked(session) => {
                row.session = session;
                true
            }
            Found::Open(session) => {
                row.session = session;
                self.note_seen(mark, (written, session.seen), at);
                false
            }
        };
        let Some(person) = people.person_by_id(row.session.person).await? else {
            return Ok(Look::Nobody);
        };
        let csrf = self.csrf(mark);
        let present = Present { person: Arc::new(person), row, mark, csrf };
        Ok(if locked { Look::Locked(present) } else { Look::Open(present) })
    }

    fn note_seen(&self, mark: Mark, (written, seen): (MachineTime, MachineTime), at: Moment) {
        let mut all = self.seen.lock();
        if all.len() >= SEEN_MAX && !all.contains_key(&mark) {
            all.clear();
        }
        let due = seen.since(written) >= SEEN_EVERY_MS;
        all.insert(mark, seen);
        drop(all);
        if due {
            let store = self.store.clone();
            tokio::spawn(async move {
                // Lost, it is written with the next click.
                let seen = move |tx: &mut Tx<'_>| people::seen_session(tx, &mark.0, seen).map(drop);
                let _ = store.ledger().tidy(at, seen).await;
            });
        }
    }

    pub(super) fn mine(&self, present: &Present, at: Moment, now: MachineTime) -> Mine {
        let (mark, seen) = (present.mark, present.row.session.seen);
        Mine { mark, seen, now, at, profiles: self.store.profiles().clone() }
    }

    /// Locks the screen.
    ///
    /// # Errors
    /// [`Trouble::Store`].
    pub async fn lock(&self, present: &Present, at: Moment) -> Result<(), Trouble> {
        let mark = present.mark;
        let locked = self.change(at, move |tx, keys| {
            if let Some((mut row, _)) = people::session(tx, keys, &mark.0)? {
                row.session = row.session.lock();
                people::save_session(tx, keys, &row)?;
            }
            Ok(Fate::Keep(()))
        });
        locked.await.map(drop)
    }

    /// Opens a locked screen by the password.
    ///
    /// # Errors
    /// [`Trouble`]; nothing was counted.
    pub async fn unlock(
        &self,
        visit: &Visit<'_>,
        present: &Present,
        typed: &str,
    ) -> Result<Answer, Trouble> {
        match self.own_password(visit, present, typed, EventKind::WrongUnlock).await? {
            Answer::Done => self.opened_by(visit, present, Key::Password, Used::Nothing).await,
            other => Ok(other),
        }
    }

    /// Opens a locked screen by a passkey: a fresh second factor too. The ticket and the options
    /// are those of [`People::key_options_for`].
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn unlock_key(
        &self,
        visit: &Visit<'_>,
        present: &Present,
        ticket: &str,
        response: &str,
    ) -> Result<Answer, Trouble> {
        // A key that did not verify its user opens nothing: whoever stands there may hold it.
        match self.key_answer(visit, present, (ticket, response), true) {
            Ok(used) => self.opened_by(visit, present, Key::Passkey, used).await,
            Err(reason) => Ok(Answer::Refused(reason)),
        }
    }

    async fn opened_by(
        &self,
        visit: &Visit<'_>,
        present: &Present,
        key: Key,
        used: Used,
    ) -> Result<Answer, Trouble> {
        let (mark, at, machine) = (present.mark, visit.at, visit.machine);
        let (source, agent) = (visit.source, visit.agent.to_owned());
        let opened = self.change(at, move |tx, keys| {
            let Some((mut row, in_force)) = people::session(tx, keys, &mark.0)? else {
                return Ok(Fate::Refuse(PortalReason::SignedOut));
            };
            match row.session.unlock(key, in_force, machine) {
                Ok(session) => row.session = session,
                Err(reason) => return Ok(Fate::Refuse(reason)),
            }
            let Some(mut person) = people::by_id(tx, keys, row.session.person)? else {
                return Ok(Fate::Refuse(PortalReason::SignedOut));
            };
            let given = match spend(tx, keys, &mut person, &used, (at, machine))? {
                Ok(given) => given,
                Err(reason) => return Ok(Fate::Refuse(reason)),
            };
            people::save_session(tx, keys, &row)?;
            let kind = EventKind::ScreenUnlocked;
            people::note_event(tx, keys, person.id, at, kind, source, &agent)?;
            let by = given.map_or("password", kind_word);
            let detail = format!("từ {source}; {by}");
            Ok(Fate::Journal((), entry("person.screenUnlocked", &person, detail)))
        });
        let answer = opened.await?;
        if answer.is_ok() {
            self.seen.lock().insert(mark, machine);
        }
        Ok(answer.map_or_else(Answer::Refused, |()| Answer::Done))
    }

    /// Checks the person's own password in a session.
    pub(super) async fn own_password(
        &self,
        visit: &Visit<'_>,
        present: &Present,
        typed: &str,
        failure: EventKind,
    ) -> Result<Answer, Trouble> {
        let person = &*present.person;
        let guess = (person.login.as_str(), Guess::Password);
        let tried = match self.admit(visit, guess, Asker::Present(present), None).await? {
            Ok(tried) => tried,
            Err(held) => return Ok(Answer::Held(held)),
        };
        match self.password_fits(Some(person), typed).await {
            Err(trouble) => {
                self.withdraw(visit, tried);
                Err(trouble)
            }
            Ok(true) => {
                self.settle(visit, tried, None);
                Ok(Answer::Done)
            }
            Ok(false) => {
                self.settle(visit, tried, Some((failure, Some(person.id))));
                Ok(Answer::Refused(PortalReason::WrongCredentials))
            }
        }
    }

    /// What a browser needs to ask for one of the person's keys in a session; `None` where none is
    /// enrolled.
    ///
    /// # Errors
    /// No randomness.
    pub fn key_options_for(
        &self,
        visit: &Visit<'_>,
        present: &Present,
    ) -> Result<Option<(String, String)>, Trouble> {
        let keys = &present.person.secrets.passkeys;
        if keys.is_empty() {
            return Ok(None);
        }
        let mut challenge = [0; 32];
        dancu_store::keys::random(&mut challenge)?;
        let ticket = self.session_ticket(visit, present, Pending::Key { challenge })?;
        Ok(Some((webauthn::request(&self.site, &challenge, Some(keys)), ticket)))
    }

    /// A ticket that only this session can use.
    pub(super) fn session_ticket(
        &self,
        visit: &Visit<'_>,
        present: &Present,
        pending: Pending,
    ) -> Result<String, Trouble> {
        let owner = (present.person.id, present.person.account.epoch);
        let proved = Proved::new(dancu_domain::people::sign_in::First::Nothing, false);
        let mut ticket = Ticket::new(present.mark, owner, proved, visit.machine)?;
        ticket.pending = pending;
        ticket.seal(&self.keys.ticket, Purpose::Session)
    }

    /// Opens it; it serves once.
    pub(super) fn session_pending(
        &self,
        visit: &Visit<'_>,
        present: &Present,
        ticket: &str,
    ) -> Result<Ticket, PortalReason> {
        let key = &self.keys.ticket;
        let opened = Ticket::open(key, Purpose::Session, ticket, present.mark, visit.machine);
        let owner = (present.person.id, present.person.account.epoch);
        opened
            .filter(|t| (t.person, t.epoch) == owner && !self.used.is_used(t.id))
            .ok_or(PortalReason::SignInExpired)
    }

    /// A key's answer in a session, with the ticket of its options. `verified`: only of a key that
    /// verified its user.
    pub(super) fn key_answer(
        &self,
        visit: &Visit<'_>,
        present: &Present,
        (ticket, response): (&str, &str),
        verified: bool,
    ) -> Result<Used, PortalReason> {
        let (person, now) = (&present.person, visit.machine);
        let ticket = self.session_pending(visit, present, ticket)?;
        let used = self.read_proof(person, Proof::Key(response), &ticket.pending, now)?;
        // The store decides who came first; here it is told as what it is when it comes again.
        self.used.first(ticket.id, ticket.until(), now);
        if verified && !is_passkey(person, &used) {
            return Err(PortalReason::WrongCode);
        }
        Ok(used)
    }

    /// Signs out.
    ///
    /// # Errors
    /// [`Trouble::Store`].
    pub async fn sign_out(&self, visit: &Visit<'_>, present: &Present) -> Result<(), Trouble> {
        let (mark, person) = (present.mark, present.person.clone());
        let (at, source, agent) = (visit.at, visit.source, visit.agent.to_owned());
        self.seen.lock().remove(&mark);
        let out = self.change(at, move |tx, keys| {
            if !people::end_session(tx, &mark.0)? {
                return Ok(Fate::Keep(()));
            }
            people::note_event(tx, keys, person.id, at, EventKind::SignedOut, source, &agent)?;
            Ok(Fate::Journal((), entry("person.signOut", &person, format!("từ {source}"))))
        });
        out.await.map(drop)
    }

    /// The person's sessions that go on: one, the own (E2).
    ///
    /// # Errors
    /// [`Trouble::Store`].
    pub async fn sessions(&self, present: &Present) -> Result<Vec<SessionRow>, Trouble> {
        let people = self.store.people();
        let id = present.person.id;
        let Some(InForce { epoch, number }) = people.in_force(id).await? else {
            return Ok(vec![]);
        };
        let mut rows = people.sessions_of(id).await?;
        rows.retain(|r| (r.session.epoch, r.session.number) == (epoch, number));
        Ok(rows)
    }

    /// Ends a session of the person, by its mark.
    ///
    /// # Errors
    /// [`Trouble::Store`].
    pub async fn end_session(
        &self,
        visit: &Visit<'_>,
        present: &Present,
        other: Mark,
    ) -> Result<Answer, Trouble> {
        let mine = self.mine(present, visit.at, visit.machine);
        let (at, source, agent) = (visit.at, visit.source, visit.agent.to_owned());
        let ended = self.change(at, move |tx, keys| {
            let person = match mine.open(tx, keys, false)? {
                Ok((person, _)) => person,
                Err(reason) => return Ok(Fate::Refuse(reason)),
            };
            let own = people::session(tx, keys, &other.0)?
                .is_some_and(|(row, _)| row.session.person == person.id);
            if !own || !people::end_session(tx, &other.0)? {
                return Ok(Fate::Refuse(PortalReason::AlreadyDecided));
            }
            let kind = EventKind::SessionsEnded;
            people::note_event(tx, keys, person.id, at, kind, source, &agent)?;
            Ok(Fate::Journal((), entry("person.sessionEnded", &person, format!("từ {source}"))))
        });
        Ok(ended.await?.map_or_else(Answer::Refused, |()| Answer::Done))
    }

    /// Ends every session of the person, this one too, and forgets every device.
    ///
    /// # Errors
    /// [`Trouble::Store`].
    pub async fn sign_out_everywhere(
        &self,
        visit: &Visit<'_>,
        present: &Present,
    ) -> Result<Answer, Trouble> {
        let mine = self.mine(present, visit.at, visit.machine);
        let (at, machine) = (visit.at, visit.machine);
        let (source, agent) = (visit.source, visit.agent.to_owned());
        let ended = self.change(at, move |tx, keys| {
            let mut person = match mine.open(tx, keys, false)? {
                Ok((person, _)) => person,
                Err(reason) => return Ok(Fate::Refuse(reason)),
            };
            people::end_sessions(tx, keys, person.id, machine)?;
            // A sign-in in progress, on whichever device, is of the epoch before.
            person.account = person.account.ended_everywhere();
            let devices = person.secrets.devices.len();
            person.secrets.devices.clear();
            people::save(tx, keys, &person)?;
            let kind = EventKind::SessionsEnded;
            people::note_event(tx, keys, person.id, at, kind, source, &agent)?;
            let detail = format!("từ {source}; mọi phiên; quên {devices} máy");
            Ok(Fate::Journal((), entry("person.sessionEnded", &person, detail)))
        });
        Ok(ended.await?.map_or_else(Answer::Refused, |()| Answer::Done))
    }
}

/// Whether what was used is a passkey, which verified its user.
pub(super) fn is_passkey(person: &Person, used: &Used) -> bool {
    matches!(used, Used::Key { id, .. }
        if person.secrets.passkeys.iter().any(|key| key.id == *id && !key.security_key))
}
