//! What a person does with the own account in a session: factors, recovery codes, devices,
//! password. Whatever changes how one signs in needs a fresh second factor.

use std::net::IpAddr;

use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use dancu_domain::people::factors::FactorKind;
use dancu_domain::people::reasons::PortalReason;
use dancu_journal::Act;
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::people::{self, EventKind, Person};

use super::engine::{Asker, Fate, People, entry};
use super::enrol::{NewFactor, Page};
use super::enter::{Used, kind_word, spend};
use super::keys::Guess;
use super::marks::Mark;
use super::sessions::Present;
use super::tickets::{Pending, Ticket};
use super::totp::TotpEnrolment;
use super::{Answer, Proof, Trouble, Visit, totp};

/// One of a person's factors, as forms name it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FactorRef {
    /// The application on a phone.
    Totp,
    /// A passkey or security key, by its credential id.
    Key(Vec<u8>),
}

impl FactorRef {
    /// For the field of a form.
    pub fn id(&self) -> String {
        match self {
            Self::Totp => "totp".to_owned(),
            Self::Key(id) => format!("key-{}", hex::encode(id)),
        }
    }

    /// Reads it again.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("key-") {
            Some(id) => hex::decode(id).ok().map(Self::Key),
            None => (text == "totp").then_some(Self::Totp),
        }
    }

    fn remove(&self, person: &mut Person) -> Option<FactorKind> {
        let secrets = &mut person.secrets;
        match self {
            Self::Totp => secrets.totp.take().map(|_| FactorKind::Totp),
            Self::Key(id) => {
                let place = secrets.passkeys.iter().position(|key| key.id == *id)?;
                let key = secrets.passkeys.remove(place);
                let kind =
                    if key.security_key { FactorKind::SecurityKey } else { FactorKind::Passkey };
                Some(kind)
            }
        }
    }
}

/// An act on the own account, for its entry and its event.
struct Did {
    kind: &'static str,
    event: EventKind,
    detail: String,
}

impl People {
    /// The second factor again: fresh for some minutes, for what asks for it.
    ///
    /// # Errors
    /// [`Trouble`]; nothing was counted.
    pub async fn confirm(
        &self,
        visit: &Visit<'_>,
        present: &Present,
        proof: Proof<'_>,
    ) -> Result<Answer, Trouble> {
        let person = &*present.person;
        let guess = (person.login.as_str(), Guess::Code);
        let tried = match self.admit(visit, guess, Asker::Present(present), None).await? {
            Ok(tried) => tried,
            Err(held) => return Ok(Answer::Held(held)),
        };
        // A key's answer needs its own ticket: `confirm_key`.
        let used = self.read_proof(person, proof, &Pending::Step, visit.machine);
        let answer = match used {
            Ok(Used::WrongTotp) => Ok(Answer::Refused(PortalReason::WrongCode)),
            Ok(used) => self.confirmed(visit, present, used).await,
            Err(reason) => Ok(Answer::Refused(reason)),
        };
        match answer {
            Ok(Answer::Done) => self.settle(visit, tried, None),
            Ok(Answer::Refused(PortalReason::WrongCode | PortalReason::RecoveryCodeUsed)) => {
                self.settle(visit, tried, Some((EventKind::WrongFactor, Some(person.id))));
            }
            // Nothing was found out about the factor.
            Err(_) | Ok(_) => self.withdraw(visit, tried),
        }
        answer
    }

    /// The same by a key; ticket and options are those of [`People::key_options_for`].
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn confirm_key(
        &self,
        visit: &Visit<'_>,
        present: &Present,
        ticket: &str,
        response: &str,
    ) -> Result<Answer, Trouble> {
        match self.key_answer(visit, present, (ticket, response), false) {
            Ok(used) => self.confirmed(visit, present, used).await,
            Err(reason) => Ok(Answer::Refused(reason)),
        }
    }

    async fn confirmed(
        &self,
        visit: &Visit<'_>,
        present: &Present,
        used: Used,
    ) -> Result<Answer, Trouble> {
        let mine = self.mine(present, visit.at, visit.machine);
        let (at, machine) = (visit.at, visit.machine);
        let (source, agent) = (visit.source, visit.agent.to_owned());
        let confirmed = self.change(at, move |tx, keys| {
            let (mut person, mut row) = match mine.open(tx, keys, false)? {
                Ok(found) => found,
                Err(reason) => return Ok(Fate::Refuse(reason)),
            };
            let given = match spend(tx, keys, &mut person, &used, (at, machine))? {
                Ok(given) => given.map_or("", kind_word),
                Err(reason) => return Ok(Fate::Refuse(reason)),
            };
            row.session = row.session.mfa_given(machine);
            people::save_session(tx, keys, &row)?;
            if matches!(used, Used::Recovery(_)) {
                let kind = EventKind::RecoveryUsed;
                people::note_event(tx, keys, person.id, at, kind, source, &agent)?;
            }
            let detail = format!("từ {source}; {given}");
            Ok(Fate::Journal((), entry("person.factorGiven", &person, detail)))
        });
        Ok(confirmed.await?.map_or_else(Answer::Refused, |()| Answer::Done))
    }

    /// Changes the own password. This session and this device go on; all others are dead. Needs a
    /// fresh factor.
    ///
    /// # Errors
    /// [`Trouble`]; nothing was changed.
    pub async fn change_own_password(
        &self,
        visit: &Visit<'_>,
        present: &Present,
        (old, new): (&str, &str),
    ) -> Result<Answer, Trouble> {
        if let Err(reason) = self.still_fresh(visit, present).await? {
            return Ok(Answer::Refused(reason));
        }
        match self.own_password(visit, present, old, EventKind::WrongPassword).await? {
            Answer::Done => {}
            other => return Ok(other),
        }
        let hash = match self.new_hash(visit, &present.person, new).await? {
            Ok(hash) => hash,
            Err(reason) => return Ok(Answer::Refused(reason)),
        };
        let mine = Some(self.mine(present, visit.at, visit.machine));
        let stored = self.store_password(visit, &present.person, hash, mine).await?;
        Ok(stored.map_or_else(Answer::Refused, |_| Answer::Done))
    }

    /// A new secret for an application, beside or in place of the one before. Needs a fresh factor.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn add_totp(&self, visit: &Visit<'_>, present: &Present) -> Page<TotpEnrolment> {
        if let Err(reason) = self.still_fresh(visit, present).await? {
            return Ok(Err(reason));
        }
        let secret = totp::secret()?;
        let login = present.person.login.as_str();
        let shown = TotpEnrolment::new(&secret, &self.site.name, login);
        Ok(Ok((shown, self.session_ticket(visit, present, Pending::Totp(secret))?)))
    }

    /// Its first code.
    ///
    /// # Errors
    /// [`Trouble`]; nothing was enrolled.
    pub async fn add_totp_done(
        &self,
        visit: &Visit<'_>,
        present: &Present,
        ticket: &str,
        code: &str,
    ) -> Result<Answer, Trouble> {
        let factor = self.session_pending(visit, present, ticket).and_then(|ticket| {
            let factor = NewFactor::of_code(ticket.pending.clone(), code, visit.machine)?;
            Ok((ticket, factor))
        });
        match factor {
            Ok((ticket, factor)) => self.add(visit, present, &ticket, factor).await,
            Err(reason) => Ok(Answer::Refused(reason)),
        }
    }

    /// Options for a new passkey or security key. Needs a fresh factor.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn add_key(
        &self,
        visit: &Visit<'_>,
        present: &Present,
        security_key: bool,
    ) -> Page<String> {
        if let Err(reason) = self.still_fresh(visit, present).await? {
            return Ok(Err(reason));
        }
        let (options, pending) = self.creation(&present.person, security_key)?;
        Ok(Ok((options, self.session_ticket(visit, present, pending)?)))
    }

    /// Its answer.
    ///
    /// # Errors
    /// [`Trouble`]; nothing was enrolled.
    pub async fn add_key_done(
        &self,
        visit: &Visit<'_>,
        present: &Present,
        ticket: &str,
        (response, name): (&str, &str),
    ) -> Result<Answer, Trouble> {
        let key = self.session_pending(visit, present, ticket).and_then(|ticket| {
            let key = self.new_key(&ticket.pending, response, name, visit.at)?;
            Ok((ticket, key))
        });
        match key {
            Ok((ticket, key)) => self.add(visit, present, &ticket, NewFactor::Key(key)).await,
            Err(reason) => Ok(Answer::Refused(reason)),
        }
    }

    async fn add(
        &self,
        visit: &Visit<'_>,
        present: &Present,
        ticket: &Ticket,
        factor: NewFactor,
    ) -> Result<Answer, Trouble> {
        let at = visit.at;
        let added = self.own_act(visit, present, move |person| {
            let kind = factor.put(person, at)?;
            Ok(Did {
                kind: "person.factorEnrolled",
                event: EventKind::FactorAdded,
                detail: kind_word(kind).to_owned(),
            })
        });
        let answer = added.await?;
        if answer == Answer::Done {
            // Its secret is enrolled: enrolling it again would make used codes good.
            self.used.first(ticket.id, ticket.until(), visit.machine);
        }
        Ok(answer)
    }

    /// Removes a factor; the last one stays, because nobody signs in without any. Needs a fresh
    /// factor.
    ///
    /// # Errors
    /// [`Trouble`]; nothing was changed.
    pub async fn remove_factor(
        &self,
        visit: &Visit<'_>,
        present: &Present,
        factor: &FactorRef,
    ) -> Result<Answer, Trouble> {
        let factor = factor.clone();
        self.own_act(visit, present, move |person| {
            let kind = factor.remove(person).ok_or(PortalReason::AlreadyDecided)?;
            if person.secrets.factors().enrolled.is_empty() {
                return Err(PortalReason::NotInThisState);
            }
            Ok(Did {
                kind: "person.factorRemoved",
                event: EventKind::FactorRemoved,
                detail: kind_word(kind).to_owned(),
            })
        })
        .await
    }

    /// A new set of recovery codes; the old one is void. Needs a fresh factor.
    ///
    /// # Errors
    /// [`Trouble`]; nothing was changed.
    pub async fn new_recovery_codes(
        &self,
        visit: &Visit<'_>,
        present: &Present,
    ) -> Result<Result<Vec<String>, PortalReason>, Trouble> {
        let (codes, recovery) = self.recovery_set(present.person.id)?;
        let answer = self.own_act(visit, present, move |person| {
            person.secrets.recovery = Some(recovery);
            Ok(Did {
                kind: "person.recoveryCodes",
                event: EventKind::RecoveryMade,
                detail: "bộ mã khôi phục mới".to_owned(),
            })
        });
        match answer.await? {
            Answer::Done => Ok(Ok(codes)),
            Answer::Refused(reason) | Answer::Held(super::Held { reason, .. }) => Ok(Err(reason)),
        }
    }

    /// Forgets a device of the person. Whoever sits at it is asked for a second factor next time.
    ///
    /// # Errors
    /// [`Trouble`]; nothing was changed.
    pub async fn remove_device(
        &self,
        visit: &Visit<'_>,
        present: &Present,
        device: Mark,
    ) -> Result<Answer, Trouble> {
        let mine = self.mine(present, visit.at, visit.machine);
        let (at, source, agent) = (visit.at, visit.source, visit.agent.to_owned());
        let changed = self.change(at, move |tx, keys| {
            let mut person = match mine.open(tx, keys, false)? {
                Ok((person, _)) => person,
                Err(reason) => return Ok(Fate::Refuse(reason)),
            };
            if !forget(&mut person, device) {
                return Ok(Fate::Refuse(PortalReason::AlreadyDecided));
            }
            let did = forgotten(format!("từ {source}"));
            store(tx, keys, &person, did, (at, source, &agent)).map(|act| Fate::Journal((), act))
        });
        Ok(changed.await?.map_or_else(Answer::Refused, |()| Answer::Done))
    }

    /// Forgets a device on which signing in failed too often: it may be in other hands.
    pub(super) async fn forget_device(
        &self,
        person: PersonId,
        device: Mark,
        at: Moment,
    ) -> Result<(), Trouble> {
        let changed = self.change(at, move |tx, keys| {
            let Some(mut person) = people::by_id(tx, keys, person)? else {
                return Ok(Fate::Keep(()));
            };
            if !forget(&mut person, device) {
                return Ok(Fate::Keep(()));
            }
            people::save(tx, keys, &person)?;
            let event = EventKind::DeviceForgotten;
            people::note_event(tx, keys, person.id, at, event, None, "")?;
            let did = forgotten("sai nhiều lần liên tiếp trên máy này".to_owned());
            let act = Act { actor: "dancu".to_owned(), ..entry(did.kind, &person, did.detail) };
            Ok(Fate::Journal((), act))
        });
        changed.await.map(drop)
    }

    /// Whether the session goes on with a fresh factor, as it is stored now: before a secret is
    /// shown in it.
    async fn still_fresh(
        &self,
        visit: &Visit<'_>,
        present: &Present,
    ) -> Result<Result<(), PortalReason>, Trouble> {
        let found = self.store.people().session(&present.mark.0).await?;
        Ok(self.mine(present, visit.at, visit.machine).judge(found, true).map(drop))
    }

    /// An act on the own account that needs a fresh factor.
    async fn own_act(
        &self,
        visit: &Visit<'_>,
        present: &Present,
        act: impl FnOnce(&mut Person) -> Result<Did, PortalReason> + Send + 'static,
    ) -> Result<Answer, Trouble> {
        let mine = self.mine(present, visit.at, visit.machine);
        let (at, source, agent) = (visit.at, visit.source, visit.agent.to_owned());
        let changed = self.change(at, move |tx, keys| {
            let mut person = match mine.open(tx, keys, true)? {
                Ok((person, _)) => person,
                Err(reason) => return Ok(Fate::Refuse(reason)),
            };
            let mut did = match act(&mut person) {
                Ok(did) => did,
                Err(reason) => return Ok(Fate::Refuse(reason)),
            };
            did.detail = format!("từ {source}; {}", did.detail);
            store(tx, keys, &person, did, (at, source, &agent)).map(|act| Fate::Journal((), act))
        });
        Ok(changed.await?.map_or_else(Answer::Refused, |()| Answer::Done))
    }
}

fn store(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    person: &Person,
    did: Did,
    (at, source, agent): (Moment, IpAddr, &str),
) -> dancu_store::Result<Act> {
    people::save(tx, keys, person)?;
    people::note_event(tx, keys, person.id, at, did.event, source, agent)?;
    Ok(entry(did.kind, person, did.detail))
}

fn forget(person: &mut Person, device: Mark) -> bool {
    let before = person.secrets.devices.len();
    person.secrets.devices.retain(|d| d.mark != device.0);
    person.secrets.devices.len() < before
}

fn forgotten(detail: String) -> Did {
    Did { kind: "person.deviceForgotten", event: EventKind::DeviceForgotten, detail }
}

/// Takes everything away that a person proved with besides the password; together with
/// [`Account::factor_lost`](dancu_domain::people::account::Account::factor_lost).
pub fn forget_factors(person: &mut Person) {
    let secrets = &mut person.secrets;
    secrets.totp = None;
    secrets.recovery = None;
    secrets.passkeys.clear();
    secrets.devices.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_have_names_in_forms() {
        for factor in [FactorRef::Totp, FactorRef::Key(vec![1, 255])] {
            assert_eq!(FactorRef::parse(&factor.id()), Some(factor));
        }
        for text in ["", "key", "key-x", "key-0", "recovery"] {
            assert_eq!(FactorRef::parse(text), None, "{text}");
        }
    }
}
