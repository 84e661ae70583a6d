//! The steps of a sign-in. Each is one post of a page.

use std::sync::Arc;

use dancu_domain::ids::Login;
use dancu_domain::people::factors::FactorKind;
use dancu_domain::people::password::PasswordHistory;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::sign_in::{First, Step, next_step};
use dancu_domain::people::totp::OneTimeCode;
use dancu_domain::people::{Epoch, MachineTime, PersonId};
use dancu_store::people::{self, EventKind, Person};

use super::engine::{Asker, Fate, People, device_of, entry, facts, is_dead};
use super::enter::{Entered, Entering, Used, enter};
use super::keys::Guess;
use super::marks::{Mark, new_cookie};
use super::sessions::Mine;
use super::tickets::{Pending, Proved, Purpose, TICKET_MS, Ticket};
use super::{Held, Outcome, Proof, SignedIn, Trouble, Visit, password, recovery, totp, webauthn};

/// Wrong second factors after which a sign-in in progress begins anew with the password (*ours*).
const WRONG_MAX: u8 = 5;
/// Whoever lost a race for the turn of a code is told to wait so long, ms.
const TURN_MS: i64 = 1_000;

/// The sign-in cannot go on with this page.
pub(super) const EXPIRED: Outcome =
    Outcome::Refused { reason: PortalReason::SignInExpired, again: false };

/// Where a sign-in stands.
pub(super) struct Walk {
    /// What was proved.
    pub(super) proved: Proved,
    /// The ticket that the page came with; none before the first.
    pub(super) ticket: Option<Ticket>,
}

impl People {
    /// Login and password. `remember`: the person wants this device enrolled.
    ///
    /// # Errors
    /// [`Trouble`]; nothing was counted.
    pub async fn begin(
        &self,
        visit: &Visit<'_>,
        login: &str,
        typed: &str,
        captcha: Option<&str>,
        remember: bool,
    ) -> Result<Outcome, Trouble> {
        if Mark::of(visit.browser).is_none() {
            // The page was not ours, or the browser keeps no cookies.
            return Ok(EXPIRED);
        }
        let person = match Login::parse(login.trim()) {
            Ok(login) => self.store.people().person_by_login(&login).await?,
            Err(_) => None,
        };
        let guess = (login, Guess::Password);
        let asker = person.as_ref().map_or(Asker::Nobody, Asker::Person);
        let tried = match self.admit(visit, guess, asker, captcha).await? {
            Ok(tried) => tried,
            Err(held) => return Ok(Outcome::Held(held)),
        };
        let fits = match self.password_fits(person.as_ref(), typed).await {
            Ok(fits) => fits,
            Err(trouble) => {
                self.withdraw(visit, tried);
                return Err(trouble);
            }
        };
        let id = person.as_ref().map(|p| p.id);
        let living = person.filter(|p| !is_dead(p, visit.at, self.profile(visit.at)));
        let Some(person) = living.filter(|_| fits) else {
            self.settle(visit, tried, Some((EventKind::WrongPassword, id)));
            let reason = PortalReason::WrongCredentials;
            return Ok(Outcome::Refused { reason, again: true });
        };
        self.settle(visit, tried, None);
        let proved = Proved::new(First::Password, remember);
        self.advance(visit, &person, Walk { proved, ticket: None }, Used::Nothing).await
    }

    /// A second factor.
    ///
    /// # Errors
    /// [`Trouble`]; nothing was counted.
    pub async fn second_factor(
        &self,
        visit: &Visit<'_>,
        ticket: &str,
        proof: Proof<'_>,
        captcha: Option<&str>,
        remember: bool,
    ) -> Result<Outcome, Trouble> {
        let opened = self.opened(visit, Purpose::SignIn, ticket).await?;
        let Some((ticket, person)) = opened else { return Ok(EXPIRED) };
        let (id, until) = (ticket.id, visit.machine.plus_ms(TICKET_MS));
        if self.wrong.of(id) >= WRONG_MAX {
            return Ok(EXPIRED);
        }
        let known = device_of(&person, visit.device(), visit.at).is_some();
        let counted = !known && matches!(proof, Proof::Totp(_));
        if counted && let Some(held) = self.codes_held(visit, person.id, 0).await? {
            return Ok(Outcome::Held(held));
        }
        let guess = (person.login.as_str(), Guess::Code);
        let tried = match self.admit(visit, guess, Asker::Person(&person), captcha).await? {
            Ok(tried) => tried,
            Err(held) => return Ok(Outcome::Held(held)),
        };
        let mut proved = ticket.proved;
        proved.remember |= remember;
        let used = self.read_proof(&person, proof, &ticket.pending, visit.machine);
        let walk = Walk { proved, ticket: Some(ticket) };
        let wrong = |reason| Ok(Outcome::Refused { reason, again: true });
        let outcome = match used {
            Ok(Used::WrongTotp) if !counted => wrong(PortalReason::WrongCode),
            Ok(used) => self.advance(visit, &person, walk, used).await,
            Err(reason) => wrong(reason),
        };
        match &outcome {
            Ok(Outcome::Refused { again: true, .. }) => {
                self.wrong.add(id, until, visit.machine);
                self.settle(visit, tried, Some((EventKind::WrongFactor, Some(person.id))));
            }
            Ok(Outcome::Refused { reason: PortalReason::TooSoon, .. }) => {
                self.withdraw(visit, tried);
                let held = self.codes_held(visit, person.id, TURN_MS).await?;
                return Ok(held.map_or(EXPIRED, Outcome::Held));
            }
            // Nothing was found out about the factor.
            Err(_) | Ok(Outcome::Refused { .. }) => self.withdraw(visit, tried),
            Ok(_) => self.settle(visit, tried, None),
        }
        outcome
    }

    /// What the next code of a person has to wait for on a device that is not known, at least
    /// `least` ms; `None`: nothing.
    async fn codes_held(
        &self,
        visit: &Visit<'_>,
        person: PersonId,
        least: i64,
    ) -> Result<Option<Held>, Trouble> {
        let failures = self.store.people().code_failures(person).await?;
        let wait = failures.unwrap_or_default().wait_ms(visit.machine).max(least);
        let held = Held { reason: PortalReason::TooSoon, wait_ms: wait, captcha: false };
        Ok((wait > 0).then_some(held))
    }

    /// A new password in place of one that was given, or is too old.
    ///
    /// # Errors
    /// [`Trouble`]; nothing was changed.
    pub async fn change_password(
        &self,
        visit: &Visit<'_>,
        ticket: &str,
        new: &str,
    ) -> Result<Outcome, Trouble> {
        let opened = self.opened(visit, Purpose::SignIn, ticket).await?;
        let Some((ticket, person)) = opened else { return Ok(EXPIRED) };
        if !self.is_due(visit, &person, ticket.proved) {
            return Ok(EXPIRED);
        }
        let hash = match self.new_hash(visit, &person, new).await? {
            Ok(hash) => hash,
            Err(reason) => return Ok(Outcome::Refused { reason, again: true }),
        };
        match self.store_password(visit, &person, hash, None).await? {
            Ok(person) => {
                let walk = Walk { proved: ticket.proved, ticket: Some(ticket) };
                self.advance(visit, &person, walk, Used::Nothing).await
            }
            Err(reason) => Ok(Outcome::Refused { reason, again: false }),
        }
    }

    /// Goes on after the recovery codes were kept.
    ///
    /// # Errors
    /// [`Trouble`]; nothing was changed.
    pub async fn go_on(&self, visit: &Visit<'_>, ticket: &str) -> Result<Outcome, Trouble> {
        let opened = self.opened(visit, Purpose::SignIn, ticket).await?;
        let Some((ticket, person)) = opened else { return Ok(EXPIRED) };
        let walk = Walk { proved: ticket.proved, ticket: Some(ticket) };
        self.advance(visit, &person, walk, Used::Nothing).await
    }

    fn is_due(&self, visit: &Visit<'_>, person: &Person, proved: Proved) -> bool {
        let facts = facts(person, visit.device(), proved, visit.at);
        let step = next_step(&facts, visit.at, self.profile(visit.at));
        matches!(step, Step::ChangePassword(_))
    }

    /// Checks a new password by its text and against the last ones; its hash.
    pub(super) async fn new_hash(
        &self,
        visit: &Visit<'_>,
        person: &Person,
        new: &str,
    ) -> Result<Result<String, PortalReason>, Trouble> {
        let figures = &self.profile(visit.at).sign_in;
        let text = match password::check(new, &person.login, &person.name, figures) {
            Ok(text) => text,
            Err(reason) => return Ok(Err(reason)),
        };
        let history = PasswordHistory::new(person.secrets.history.clone()).hashes().to_vec();
        let last = person.secrets.password.iter().cloned().chain(history);
        let mut last: Vec<String> = last.collect();
        last.dedup();
        if self.hasher().is_one_of(last, &text).await? {
            return Ok(Err(PortalReason::PasswordReused));
        }
        Ok(Ok(self.hasher().hash(&text).await?))
    }

    /// Stores a changed password. The device that the person is at goes on in the new epoch, and
    /// so does the session where it was done in one, which has to be open with a fresh factor in
    /// that very transaction; everything else is dead.
    pub(super) async fn store_password(
        &self,
        visit: &Visit<'_>,
        person: &Person,
        hash: String,
        session: Option<Mine>,
    ) -> Result<Result<Person, PortalReason>, Trouble> {
        let (id, epoch, at) = (person.id, person.account.epoch, visit.at);
        let (device, source, agent) = (visit.device(), visit.source, visit.agent.to_owned());
        self.change(at, move |tx, keys| {
            let (found, row) = match &session {
                None => (people::by_id(tx, keys, id)?, None),
                Some(mine) => match mine.open(tx, keys, true)? {
                    Ok((person, row)) => (Some(person), Some(row)),
                    Err(reason) => return Ok(Fate::Refuse(reason)),
                },
            };
            let Some(mut person) = found.filter(|p| p.account.epoch == epoch) else {
                return Ok(Fate::Refuse(PortalReason::SignInExpired));
            };
            match person.account.clone().password_changed(at.viet_nam_date()) {
                Ok(account) => person.account = account,
                Err(error) => return Ok(Fate::Refuse(error.reason())),
            }
            password::set_password(&mut person, hash);
            let next = person.account.epoch;
            person.secrets.devices.retain_mut(|d| {
                let here = Some(Mark(d.mark)) == device && d.device.is_known(id, epoch, at);
                d.device.epoch = next;
                here
            });
            people::save(tx, keys, &person)?;
            if let Some(mut row) = row {
                row.session = row.session.carried_to(next);
                people::save_session(tx, keys, &row)?;
            }
            let kind = EventKind::PasswordChanged;
            people::note_event(tx, keys, id, at, kind, source, &agent)?;
            let act = entry("person.passwordChanged", &person, format!("từ {source}"));
            let saved = people::by_id(tx, keys, id)?;
            Ok(match saved {
                Some(person) => Fate::Journal(person, act),
                None => Fate::Refuse(PortalReason::SignInExpired),
            })
        })
        .await
    }

    /// Reads a second factor as far as it can be checked before the transaction.
    pub(super) fn read_proof(
        &self,
        person: &Person,
        proof: Proof<'_>,
        pending: &Pending,
        now: MachineTime,
    ) -> Result<Used, PortalReason> {
        match proof {
            Proof::Totp(text) => {
                let code = OneTimeCode::parse(text)?;
                let totp = person.secrets.totp.as_ref().ok_or(PortalReason::WrongCode)?;
                let matched = totp::matched(&totp.secret, totp.last, code, now);
                Ok(matched.map_or(Used::WrongTotp, |_| Used::Totp(code)))
            }
            Proof::Recovery(text) => {
                let code = recovery::read(text).ok_or(PortalReason::WrongCode)?;
                Ok(Used::Recovery(self.keys.recovery(person.id.0, &code)))
            }
            Proof::Key(response) => {
                let Pending::Key { challenge } = pending else {
                    return Err(PortalReason::WrongCode);
                };
                self.read_key(person, response, challenge)
            }
        }
    }

    /// Checks a key's signature over a challenge. A passkey has to have verified its user.
    pub(super) fn read_key(
        &self,
        person: &Person,
        response: &str,
        challenge: &[u8; 32],
    ) -> Result<Used, PortalReason> {
        let wrong = PortalReason::WrongCode;
        let assertion = webauthn::Assertion::read(response).ok_or(wrong)?;
        let enrolled = person.secrets.passkeys.iter().find(|key| key.id == assertion.id);
        let key = enrolled.ok_or(wrong)?;
        let verified = !key.security_key;
        let counter = assertion.verify(&self.site, challenge, &key.credential, verified);
        let counter = counter.ok_or(wrong)?;
        Ok(Used::Key { id: assertion.id, counter, challenge: *challenge })
    }

    /// Works out the next page. A transaction is needed only where a factor is used up or the
    /// session begins.
    pub(super) async fn advance(
        &self,
        visit: &Visit<'_>,
        person: &Person,
        walk: Walk,
        used: Used,
    ) -> Result<Outcome, Trouble> {
        let owner = (person.id, person.account.epoch);
        if matches!(used, Used::Nothing) {
            let facts = facts(person, visit.device(), walk.proved, visit.at);
            let step = next_step(&facts, visit.at, self.profile(visit.at));
            if !matches!(step, Step::Done(_)) {
                return self.page(visit, step, owner, walk).await;
            }
        }
        let (cookie, device_cookie) = (new_cookie()?, new_cookie()?);
        let Some(mark) = Mark::of(&cookie) else { return Ok(EXPIRED) };
        if let Some(ticket) = &walk.ticket
            && self.used.is_used(ticket.id)
        {
            return Ok(EXPIRED);
        }
        let entering = Entering {
            person: owner.0,
            epoch: owner.1,
            proved: walk.proved,
            used,
            profiles: self.store.profiles().clone(),
            source: visit.source,
            agent: visit.agent.to_owned(),
            at: visit.at,
            machine: visit.machine,
            device: visit.device(),
            new_device: Mark::of(&device_cookie).filter(|_| walk.proved.remember),
            cookie: mark,
            number: walk.ticket.as_ref().and_then(|ticket| ticket.number),
        };
        match self.change(visit.at, move |tx, keys| enter(tx, keys, &entering)).await? {
            Err(reason) => {
                let again =
                    matches!(reason, PortalReason::WrongCode | PortalReason::RecoveryCodeUsed);
                Ok(Outcome::Refused { reason, again })
            }
            Ok(Entered::Wrong) => {
                Ok(Outcome::Refused { reason: PortalReason::WrongCode, again: true })
            }
            Ok(Entered::Step(step, proved)) => {
                self.page(visit, step, owner, Walk { proved, ..walk }).await
            }
            Ok(Entered::In(begun)) => {
                if let Some(ticket) = &walk.ticket {
                    self.used.first(ticket.id, ticket.until(), visit.machine);
                }
                Ok(Outcome::Done(Box::new(SignedIn {
                    cookie,
                    device_cookie: begun.enrolled.then_some(device_cookie),
                    person: Arc::new(begun.person),
                    session: begun.session,
                    done: begun.done,
                    replaced: begun.replaced,
                })))
            }
        }
    }

    /// A page with its ticket. Each step that proved something has five minutes of its own; the
    /// sign-in stays one, so that none of its tickets serves after it led to a session.
    async fn page(
        &self,
        visit: &Visit<'_>,
        step: Step,
        owner: (PersonId, Epoch),
        walk: Walk,
    ) -> Result<Outcome, Trouble> {
        if let Step::Refused(reason) = step {
            return Ok(Outcome::Refused { reason, again: false });
        }
        if matches!(step, Step::Password | Step::Done(_)) {
            return Ok(EXPIRED);
        }
        let ticket = self.ticket(visit, owner, walk, Pending::Step).await?;
        Ok(ticket.map_or(EXPIRED, |ticket| Outcome::Next { step, ticket }))
    }

    /// A new ticket of the same sign-in, from now on.
    pub(super) async fn ticket(
        &self,
        visit: &Visit<'_>,
        owner: (PersonId, Epoch),
        walk: Walk,
        pending: Pending,
    ) -> Result<Option<String>, Trouble> {
        let Some(holder) = Mark::of(visit.browser) else { return Ok(None) };
        let mut next = Ticket::new(holder, owner, walk.proved, visit.machine)?;
        if let Some(before) = walk.ticket {
            next.id = before.id;
            next.number = before.number;
            // Whoever proved or changed nothing gets no more time by asking again.
            if (before.person, before.epoch, before.proved) == (owner.0, owner.1, walk.proved) {
                next.issued = before.issued;
            }
        }
        next.pending = pending;
        if walk.proved.second().is_some() && next.number.is_none() {
            let in_force = self.store.people().in_force(owner.0).await?;
            next.number = in_force.map(|now| now.number.0);
        }
        next.seal(&self.keys.ticket, Purpose::SignIn).map(Some)
    }

    /// The same ticket, waiting for something else: it gets no older or younger by it.
    pub(super) fn waiting(&self, mut ticket: Ticket, pending: Pending) -> Result<String, Trouble> {
        ticket.pending = pending;
        ticket.seal(&self.keys.ticket, Purpose::SignIn)
    }
}

/// A kind of second factor that a person may be asked for by a key.
pub(super) const fn is_key(kind: FactorKind) -> bool {
    matches!(kind, FactorKind::Passkey | FactorKind::SecurityKey)
}
