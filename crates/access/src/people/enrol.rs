//! Enrolling a factor: in the first sign-in, on the head's word, or in a session.

use std::fmt::Write as _;

use dancu_domain::moment::Moment;
use dancu_domain::people::factors::{FactorKind, SeenInPerson, Signed};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::sign_in::{First, Step, next_step};
use dancu_domain::people::totp::{OneTimeCode, Step as TotpStep, accept};
use dancu_domain::people::{Epoch, MachineTime, PersonId};
use dancu_store::keys::random;
use dancu_store::people::{self, EventKind, Passkey, Person, Totp};

use super::engine::{Fate, People, entry, facts};
use super::enter::kind_word;
use super::marks::Mark;
use super::sessions::is_passkey;
use super::steps::{EXPIRED, Walk, is_key};
use super::tickets::{Pending, Proved, Purpose, Ticket};
use super::totp::TotpEnrolment;
use super::{Outcome, Trouble, Visit, totp, webauthn};

/// Passkeys and security keys of one person (*ours*): a phone, a computer, a key and its spare,
/// and as many again while they are changed.
pub const KEYS_MAX: usize = 8;
/// Longest name that a person gives a key, characters.
const KEY_NAME: usize = 60;

/// A form for the next page, with its ticket; or why there is none.
pub(super) type Page<T> = Result<Result<(T, String), PortalReason>, Trouble>;

/// A factor that was proved to work.
pub(super) enum NewFactor {
    /// Secret and the step of its first code.
    Totp(Vec<u8>, TotpStep),
    /// A key.
    Key(Passkey),
}

impl NewFactor {
    /// Reads the first code of a new secret.
    pub(super) fn of_code(
        pending: Pending,
        typed: &str,
        now: MachineTime,
    ) -> Result<Self, PortalReason> {
        let Pending::Totp(secret) = pending else { return Err(PortalReason::SignInExpired) };
        let code = OneTimeCode::parse(typed)?;
        let matched = totp::matched(&secret, None, code, now);
        let step = accept(None, matched.ok_or(PortalReason::WrongCode)?, now)?;
        Ok(Self::Totp(secret, step))
    }

    /// Puts it among a person's factors; what it is.
    pub(super) fn put(self, person: &mut Person, at: Moment) -> Result<FactorKind, PortalReason> {
        let secrets = &mut person.secrets;
        match self {
            Self::Totp(secret, step) => {
                secrets.totp = Some(Totp { secret, last: Some(step), since: at });
                Ok(FactorKind::Totp)
            }
            Self::Key(key) => {
                let known = secrets.passkeys.iter().any(|k| k.id == key.id);
                if known || secrets.passkeys.len() >= KEYS_MAX {
                    return Err(PortalReason::NotInThisState);
                }
                let kind =
                    if key.security_key { FactorKind::SecurityKey } else { FactorKind::Passkey };
                secrets.passkeys.push(key);
                Ok(kind)
            }
        }
    }
}

impl People {
    /// A new secret for an application on a phone.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn enrol_totp(&self, visit: &Visit<'_>, ticket: &str) -> Page<TotpEnrolment> {
        let opened = self.enrolling(visit, ticket, FactorKind::Totp).await?;
        let Some((ticket, person)) = opened else { return Ok(Err(PortalReason::SignInExpired)) };
        let secret = totp::secret()?;
        let shown = TotpEnrolment::new(&secret, &self.site.name, person.login.as_str());
        Ok(Ok((shown, self.waiting(ticket, Pending::Totp(secret))?)))
    }

    /// Its first code.
    ///
    /// # Errors
    /// [`Trouble`]; nothing was enrolled.
    pub async fn enrol_totp_done(
        &self,
        visit: &Visit<'_>,
        ticket: &str,
        code: &str,
    ) -> Result<Outcome, Trouble> {
        let opened = self.enrolling(visit, ticket, FactorKind::Totp).await?;
        let Some((ticket, person)) = opened else { return Ok(EXPIRED) };
        match NewFactor::of_code(ticket.pending.clone(), code, visit.machine) {
            Ok(factor) => self.enrolled(visit, ticket, &person, factor).await,
            Err(PortalReason::SignInExpired) => Ok(EXPIRED),
            Err(reason) => Ok(Outcome::Refused { reason, again: true }),
        }
    }

    /// What a browser needs to make a passkey or use a security key: JSON of
    /// `PublicKeyCredentialCreationOptions`, bytes as base64url.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn enrol_key(
        &self,
        visit: &Visit<'_>,
        ticket: &str,
        security_key: bool,
    ) -> Page<String> {
        let kind = if security_key { FactorKind::SecurityKey } else { FactorKind::Passkey };
        let opened = self.enrolling(visit, ticket, kind).await?;
        let Some((ticket, person)) = opened else { return Ok(Err(PortalReason::SignInExpired)) };
        let (options, pending) = self.creation(&person, security_key)?;
        Ok(Ok((options, self.waiting(ticket, pending)?)))
    }

    /// Its answer, JSON of the new credential. `name`: how the person calls it.
    ///
    /// # Errors
    /// [`Trouble`]; nothing was enrolled.
    pub async fn enrol_key_done(
        &self,
        visit: &Visit<'_>,
        ticket: &str,
        response: &str,
        name: &str,
    ) -> Result<Outcome, Trouble> {
        let opened = self.opened(visit, Purpose::SignIn, ticket).await?;
        let Some((ticket, person)) = opened else { return Ok(EXPIRED) };
        match self.new_key(&ticket.pending, response, name, visit.at) {
            Ok(key) => self.enrolled(visit, ticket, &person, NewFactor::Key(key)).await,
            Err(reason) => Ok(Outcome::Refused { reason, again: false }),
        }
    }

    /// What a browser needs to ask for a key: JSON of `PublicKeyCredentialRequestOptions`. With
    /// the ticket of a sign-in: as the second factor. Without: a passkey as the only step, whoever
    /// it belongs to ([`People::begin_passkey`]).
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn key_options(&self, visit: &Visit<'_>, ticket: Option<&str>) -> Page<String> {
        let expired = Ok(Err(PortalReason::SignInExpired));
        let challenge = challenge()?;
        let pending = Pending::Key { challenge };
        if let Some(ticket) = ticket {
            let opened = self.opened(visit, Purpose::SignIn, ticket).await?;
            let Some((ticket, person)) = opened else { return expired };
            let options = webauthn::request(&self.site, &challenge, Some(&person.secrets.passkeys));
            return Ok(Ok((options, self.waiting(ticket, pending)?)));
        }
        let Some(holder) = Mark::of(visit.browser) else { return expired };
        let nobody = (PersonId(0), Epoch(0));
        let proved = Proved::new(First::Nothing, false);
        let mut ticket = Ticket::new(holder, nobody, proved, visit.machine)?;
        ticket.pending = pending;
        let options = webauthn::request(&self.site, &challenge, None);
        Ok(Ok((options, ticket.seal(&self.keys.ticket, Purpose::Passkey)?)))
    }

    /// A passkey as the only step: it verified its user, so it stands for both factors.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn begin_passkey(
        &self,
        visit: &Visit<'_>,
        ticket: &str,
        response: &str,
        remember: bool,
    ) -> Result<Outcome, Trouble> {
        let Some(holder) = Mark::of(visit.browser) else { return Ok(EXPIRED) };
        let key = &self.keys.ticket;
        let opened = Ticket::open(key, Purpose::Passkey, ticket, holder, visit.machine);
        let Some(Ticket { pending: Pending::Key { challenge }, id, .. }) = opened else {
            return Ok(EXPIRED);
        };
        if self.used.is_used(id) {
            return Ok(EXPIRED);
        }
        let wrong = Outcome::Refused { reason: PortalReason::WrongCredentials, again: false };
        let claimed = webauthn::Assertion::read(response).and_then(|assertion| assertion.user);
        let Some(person) = claimed else { return Ok(wrong) };
        let person = self.store.people().person_by_id(person).await?;
        let used = person.map(|p| (self.read_key(&p, response, &challenge), p));
        let Some((Ok(used), person)) = used else {
            (self.failed)(visit.at, visit.source);
            return Ok(wrong);
        };
        if !is_passkey(&person, &used) {
            return Ok(wrong);
        }
        let proved = Proved::new(First::Passkey, remember);
        let walk = Walk { proved, ticket: None };
        let outcome = self.advance(visit, &person, walk, used).await?;
        // Told as what it is when it comes again. Only what an enrolled key signed is remembered:
        // strangers fill no memory, and the store decides who came first.
        self.used.first(id, visit.machine.plus_ms(super::TICKET_MS), visit.machine);
        match outcome {
            // A counter that went back: told like any other key that is not the person's.
            Outcome::Refused { reason: PortalReason::WrongCode, .. } => Ok(wrong),
            outcome => Ok(outcome),
        }
    }

    /// Opens the ticket of a page on which this kind is to be enrolled.
    async fn enrolling(
        &self,
        visit: &Visit<'_>,
        ticket: &str,
        kind: FactorKind,
    ) -> Result<Option<(Ticket, Person)>, Trouble> {
        let opened = self.opened(visit, Purpose::SignIn, ticket).await?;
        Ok(opened.filter(|(ticket, person)| {
            let facts = facts(person, visit.device(), ticket.proved, visit.at);
            let step = next_step(&facts, visit.at, self.profile(visit.at));
            matches!(step, Step::Enrol { kinds, .. } if kinds.contains(kind))
        }))
    }

    async fn enrolled(
        &self,
        visit: &Visit<'_>,
        ticket: Ticket,
        person: &Person,
        factor: NewFactor,
    ) -> Result<Outcome, Trouble> {
        let owner = (person.id, person.account.epoch);
        let (codes, recovery) = self.recovery_set(person.id)?;
        let (at, device, proved) = (visit.at, visit.device(), ticket.proved);
        let (source, agent) = (visit.source, visit.agent.to_owned());
        let profiles = self.store.profiles().clone();
        let changed = self.change(at, move |tx, keys| {
            let found = people::by_id(tx, keys, owner.0)?;
            let Some(mut person) = found.filter(|p| p.account.epoch == owner.1) else {
                return Ok(Fate::Refuse(PortalReason::SignInExpired));
            };
            let profile = profiles.at(at);
            let Step::Enrol { kinds, by_voucher } =
                next_step(&facts(&person, device, proved, at), at, profile)
            else {
                return Ok(Fate::Refuse(PortalReason::SignInExpired));
            };
            let mut signed = None;
            if by_voucher {
                let voucher = person.secrets.voucher.take();
                match voucher.ok_or(PortalReason::FactorMissing).and_then(|v| v.spend(owner.0, at))
                {
                    Ok(word) => signed = Some(word),
                    Err(reason) => return Ok(Fate::Refuse(reason)),
                }
            }
            let kind = match factor.put(&mut person, at) {
                Ok(kind) if kinds.contains(kind) => kind,
                Ok(_) => return Ok(Fate::Refuse(PortalReason::SignInExpired)),
                Err(reason) => return Ok(Fate::Refuse(reason)),
            };
            person.secrets.recovery = Some(recovery);
            people::save(tx, keys, &person)?;
            let happened = EventKind::FactorAdded;
            people::note_event(tx, keys, owner.0, at, happened, source, &agent)?;
            let act = entry("person.factorEnrolled", &person, detail(source, kind, signed));
            Ok(Fate::Journal(kind, act))
        });
        match changed.await? {
            Err(reason) => Ok(Outcome::Refused { reason, again: false }),
            Ok(kind) => {
                let walk = Walk { proved: proved.with(kind), ticket: Some(ticket) };
                let ticket = self.ticket(visit, owner, walk, Pending::Step).await?;
                Ok(ticket.map_or(EXPIRED, |ticket| Outcome::Codes { codes, ticket }))
            }
        }
    }

    /// Options for a new key, and what is waited for.
    pub(super) fn creation(
        &self,
        person: &Person,
        security_key: bool,
    ) -> Result<(String, Pending), Trouble> {
        let challenge = challenge()?;
        let options = webauthn::creation(&self.site, &challenge, person, security_key);
        Ok((options, Pending::NewKey { challenge, security_key }))
    }

    /// Checks the answer of a new key.
    pub(super) fn new_key(
        &self,
        pending: &Pending,
        response: &str,
        name: &str,
        at: Moment,
    ) -> Result<Passkey, PortalReason> {
        let Pending::NewKey { challenge, security_key } = *pending else {
            return Err(PortalReason::SignInExpired);
        };
        let made = webauthn::register(&self.site, &challenge, response, !security_key);
        let (id, credential) = made.ok_or(PortalReason::WrongCode)?;
        let name = name.trim();
        let named = name.chars().all(dancu_domain::text::is_storable);
        let name: String = name.chars().take(if named { KEY_NAME } else { 0 }).collect();
        Ok(Passkey { id, name, security_key, credential, since: at, last: None })
    }
}

/// What a key has to sign: 32 random bytes (Web Authentication, 13.4.3: 16 at least).
fn challenge() -> Result<[u8; 32], Trouble> {
    let mut challenge = [0; 32];
    random(&mut challenge)?;
    Ok(challenge)
}

/// Detail of the entry; whose word it rests on stands in it.
fn detail(source: std::net::IpAddr, kind: FactorKind, signed: Option<Signed>) -> String {
    let word = kind_word(kind);
    let spare = if is_key(kind) { "không cần điện thoại" } else { "điện thoại" };
    let mut detail = format!("từ {source}; {word} ({spare})");
    if let Some(Signed { by, at, seen }) = signed {
        let seen = match seen {
            SeenInPerson::CitizenCard => "thẻ căn cước",
            SeenInPerson::ServiceCard => "thẻ công tác",
            SeenInPerson::KnownInPerson => "quen biết trực tiếp",
        };
        let day = at.viet_nam_date().strftime("%d/%m/%Y");
        // Writing into a string does not fail.
        let _ = write!(detail, "; thủ trưởng (người {}) xác nhận ngày {day}, {seen}", by.0);
    }
    detail
}
