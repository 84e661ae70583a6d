//! The engine: what signing in needs besides the person, and the helpers of its steps.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use dancu_domain::moment::Moment;
use dancu_domain::network::Network;
use dancu_domain::people::account::Standing;
use dancu_domain::people::failures::Try;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::sign_in::Facts;
use dancu_domain::people::{MachineTime, PersonId};
use dancu_domain::profile::Profile;
use dancu_journal::{Act, Body};
use dancu_store::engine::Tx;
use dancu_store::keys::{Keyring, Purpose as KeyPurpose};
use dancu_store::people::{self, EventKind, KnownDevice, Person, Recovery};
use dancu_store::{Error, Store};
use parking_lot::Mutex;
use zeroize::Zeroizing;

use super::captcha::Captcha;
use super::hasher::Hasher;
use super::keys::{Guess, Keys};
use super::marks::Mark;
use super::once::{Once, Tries};
use super::sessions::Present;
use super::throttle::{Asking, Place, Stop, Throttle};
use super::tickets::{Proved, Purpose, Ticket};
use super::webauthn::Site;
use super::{Held, Trouble, Visit, password, recovery};

/// How the engine is set up.
pub struct Settings {
    /// Threads that hash passwords: one per core, and more than four only where nothing else runs.
    pub threads: usize,
    /// Networks of units, which have limits of their own.
    pub networks: Vec<Network>,
    /// The portal's name and address.
    pub site: Site,
}

/// Signing in and sessions of people; one per process.
pub struct People {
    pub(super) store: Arc<Store>,
    pub(super) keys: Keys,
    pub(super) site: Site,
    pub(super) used: Once,
    /// Wrong second factors of each sign-in in progress.
    pub(super) wrong: Tries,
    /// Answers of a provider to each sign-in that were exchanged, or tried to be.
    pub(super) exchanged: Tries,
    /// When sessions were last seen by this process.
    pub(super) seen: Mutex<HashMap<Mark, MachineTime>>,
    hasher: Hasher,
    captcha: Captcha,
    throttle: Throttle,
    /// Counts a failure for the journal's aggregate.
    pub(super) failed: Box<dyn Fn(Moment, IpAddr) + Send + Sync>,
}

/// Who tries.
#[derive(Clone, Copy)]
pub(super) enum Asker<'a> {
    /// Somebody with a login that nobody has.
    Nobody,
    /// Who wants in.
    Person(&'a Person),
    /// Who is in: what others fail on the network does not reach them.
    Present(&'a Present),
}

/// What a transaction of a person's act comes to.
pub(super) enum Fate<T> {
    /// Committed, with this entry.
    Journal(T, Act),
    /// Committed without an entry.
    Keep(T),
    /// Undone.
    Refuse(PortalReason),
}

/// Who a person is in journal entries: the login, which the entry seals.
pub fn actor(person: &Person) -> String {
    person.login.as_str().to_owned()
}

impl People {
    /// Starts the engine over an open store. `failed` counts a failed sign-in by time and address
    /// for the aggregate that the journal keeps of them.
    ///
    /// # Errors
    /// A missing key, a thread that could not be started.
    pub fn new(
        store: Arc<Store>,
        settings: Settings,
        failed: impl Fn(Moment, IpAddr) + Send + Sync + 'static,
    ) -> Result<Self, Trouble> {
        let token = store.keys().get(KeyPurpose::Token, 0);
        let keys = Keys::derived(&*token.ok_or(Error::Damaged("key is missing"))?)?;
        Ok(Self {
            hasher: Hasher::new(settings.threads)?,
            captcha: Captcha::new(keys.captcha.clone()),
            throttle: Throttle::new(settings.networks),
            site: settings.site,
            used: Once::default(),
            wrong: Tries::default(),
            exchanged: Tries::default(),
            seen: Mutex::default(),
            failed: Box::new(failed),
            keys,
            store,
        })
    }

    /// The pool of password checks.
    pub fn hasher(&self) -> &Hasher {
        &self.hasher
    }

    /// The captcha.
    pub fn captcha(&self) -> &Captcha {
        &self.captcha
    }

    /// The store.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The CSRF token of a session, or before signing in of a browser, by its cookie's mark.
    pub fn csrf(&self, mark: Mark) -> String {
        hex::encode(self.keys.csrf(&mark.0))
    }

    /// Whether what a form sent is the token of the mark.
    pub fn csrf_fits(&self, mark: Mark, sent: &str) -> bool {
        let mut bytes = [0; 32];
        hex::decode_to_slice(sent, &mut bytes).is_ok() && self.keys.csrf_fits(&mark.0, &bytes)
    }

    /// Whether the form for this login has to show a captcha. It says nothing about the login.
    pub fn captcha_needed(&self, visit: &Visit<'_>, login: &str) -> bool {
        self.throttle.captcha_needed(
            &self.keys,
            &Asking {
                login: self.keys.login(login, Guess::Password),
                source: visit.source,
                place: Place::Network,
                captcha: None,
                now: visit.machine,
            },
        )
    }

    /// A one-time password for an invitation or a reset: the text to hand over, and its hash to
    /// store with [`set_password`](super::set_password).
    ///
    /// # Errors
    /// [`Trouble::Busy`].
    pub async fn given_password(&self) -> Result<(Zeroizing<String>, String), Trouble> {
        self.hasher.given_password().await
    }

    /// A new set of recovery codes: as shown, and as stored.
    ///
    /// # Errors
    /// No randomness.
    pub fn recovery_set(&self, person: PersonId) -> Result<(Vec<String>, Recovery), Trouble> {
        let (shown, codes) = recovery::issue(&self.keys, person)?;
        let left = dancu_domain::people::factors::RecoveryCodes::issued();
        Ok((shown, Recovery { codes, left }))
    }

    pub(super) fn profile(&self, at: Moment) -> &Profile {
        self.store.profiles().at(at)
    }

    /// Opens a page's ticket with the person that it is about, as the store has them now.
    pub(super) async fn opened(
        &self,
        visit: &Visit<'_>,
        purpose: Purpose,
        ticket: &str,
    ) -> Result<Option<(Ticket, Person)>, Trouble> {
        let Some(holder) = Mark::of(visit.browser) else { return Ok(None) };
        let key = &self.keys.ticket;
        let Some(ticket) = Ticket::open(key, purpose, ticket, holder, visit.machine) else {
            return Ok(None);
        };
        if self.used.is_used(ticket.id) {
            return Ok(None);
        }
        let person = self.store.people().person_by_id(ticket.person).await?;
        Ok(person.filter(|p| p.account.epoch == ticket.epoch).map(|p| (ticket, p)))
    }

    /// Lets a try of a person, or of an unknown login, go on. A device that failed too often is
    /// forgotten, and the try made as from any other.
    pub(super) async fn admit(
        &self,
        visit: &Visit<'_>,
        (login, guess): (&str, Guess),
        asker: Asker<'_>,
        captcha: Option<&str>,
    ) -> Result<Result<Try, Held>, Trouble> {
        let device = match asker {
            Asker::Person(person) => known_device(person, visit).map(|d| (person.id, Mark(d.mark))),
            Asker::Nobody | Asker::Present(_) => None,
        };
        let place = match (asker, device) {
            (Asker::Present(present), _) => Place::Session(present.mark),
            (_, Some((_, mark))) => Place::Device(mark),
            (_, None) => Place::Network,
        };
        let login = self.keys.login(login, guess);
        let (source, now) = (visit.source, visit.machine);
        let mut asking = Asking { login, source, place, captcha, now };
        let told = |stop| match stop {
            Stop::Held(held) => held,
            // Without a device there is none to forget.
            Stop::ForgetDevice => {
                Held { reason: PortalReason::CaptchaNeeded, wait_ms: 0, captcha: true }
            }
        };
        match self.throttle.admit(&self.keys, &self.captcha, &asking) {
            Err(Stop::ForgetDevice) => {}
            admitted => return Ok(admitted.map_err(told)),
        }
        if let Some((person, device)) = device {
            self.forget_device(person, device, visit.at).await?;
        }
        asking.place = Place::Network;
        Ok(self.throttle.admit(&self.keys, &self.captcha, &asking).map_err(told))
    }

    /// Settles a try that was checked; a failure of a person who exists is told to them, later
    /// than the answer, so that its time does not tell.
    pub(super) fn settle(
        &self,
        visit: &Visit<'_>,
        tried: Try,
        failed: Option<(EventKind, Option<PersonId>)>,
    ) {
        let Some((kind, person)) = failed else {
            return self.throttle.succeeded(tried, visit.machine);
        };
        self.network_failed(visit);
        let Some(person) = person else { return };
        let (store, at, source) = (self.store.clone(), visit.at, visit.source);
        let agent = visit.agent.to_owned();
        tokio::spawn(async move {
            let keys = store.keys().clone();
            // A comfort for the person: the journal's aggregate is the record.
            let _ = store
                .ledger()
                .tidy(at, move |tx| people::note_event(tx, &keys, person, at, kind, source, &agent))
                .await;
        });
    }

    /// Counts a failure of a network, and for the journal's aggregate.
    pub fn network_failed(&self, visit: &Visit<'_>) {
        self.throttle.failed(&self.keys, visit.source, visit.machine);
        (self.failed)(visit.at, visit.source);
    }

    /// Takes a try back that was not checked.
    pub(super) fn withdraw(&self, visit: &Visit<'_>, tried: Try) {
        self.throttle.withdrawn(tried, visit.machine);
    }

    /// Checks a password of a person or of nobody, at the same cost.
    pub(super) async fn password_fits(
        &self,
        person: Option<&Person>,
        typed: &str,
    ) -> Result<bool, Trouble> {
        let stored = person.and_then(|p| p.secrets.password.as_deref());
        match password::read(typed) {
            Some(text) => self.hasher.verify(stored, &text).await,
            None => self.hasher.verify(None, "").await,
        }
    }

    /// Runs a change in one transaction of the ledger. What is refused inside is undone.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        at: Moment,
        work: impl FnOnce(&mut Tx<'_>, &Keyring) -> dancu_store::Result<Fate<T>> + Send + 'static,
    ) -> Result<Result<T, PortalReason>, Trouble> {
        let keys = self.store.keys().clone();
        let said = Arc::new(Mutex::new(None));
        let saying = said.clone();
        let changed = self.store.ledger().attempt(at, move |tx| {
            let (value, entry) = match work(tx, &keys)? {
                Fate::Journal(value, act) => (Ok(value), Some(Body::Act(act))),
                Fate::Keep(value) => (Ok(value), None),
                Fate::Refuse(reason) => {
                    *saying.lock() = Some(Err(reason));
                    return Err(Error::Refused(reason.name().to_owned()));
                }
            };
            *saying.lock() = Some(value);
            Ok(entry)
        });
        let changed = changed.await;
        let said = said.lock().take();
        match (said, changed) {
            (Some(Err(reason)), Err(Error::Refused(_))) => Ok(Err(reason)),
            (Some(Ok(value)), Ok(())) => Ok(Ok(value)),
            (_, Err(error)) => Err(error.into()),
            (_, Ok(())) => Err(Error::Unavailable("nothing was said").into()),
        }
    }
}

/// The enrolled device that a request comes from, where it is this person's and still known.
pub(super) fn known_device<'a>(person: &'a Person, visit: &Visit<'_>) -> Option<&'a KnownDevice> {
    device_of(person, visit.device(), visit.at)
}

/// The same by its mark.
pub(super) fn device_of(person: &Person, mark: Option<Mark>, at: Moment) -> Option<&KnownDevice> {
    let (id, epoch) = (person.id, person.account.epoch);
    let known = |d: &&KnownDevice| Some(Mark(d.mark)) == mark && d.device.is_known(id, epoch, at);
    person.secrets.devices.iter().find(known)
}

/// What is known of a sign-in.
pub(super) fn facts(
    person: &Person,
    device: Option<Mark>,
    proved: Proved,
    at: Moment,
) -> Facts<'_> {
    Facts {
        account: Some(&person.account),
        factors: person.secrets.factors(),
        device: device_of(person, device, at).map(|d| &d.device),
        voucher: person.secrets.voucher.as_ref(),
        first: proved.first(),
        second: proved.second(),
    }
}

/// Whether the account answers like an unknown one.
pub(super) fn is_dead(person: &Person, at: Moment, profile: &Profile) -> bool {
    person.account.standing(at, profile) == Standing::Revoked
}

/// An entry about a person's own act.
pub(super) fn entry(kind: &str, person: &Person, detail: String) -> Act {
    Act { kind: kind.to_owned(), actor: actor(person), system: 0, detail }
}
