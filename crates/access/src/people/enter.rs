//! The transaction of a step: what was proved is used up, what comes next decided anew over the
//! person as they are now, and where nothing is missing the session begins.

use std::net::IpAddr;
use std::sync::Arc;

use dancu_domain::moment::Moment;
use dancu_domain::people::factors::{DEVICES_MAX, Device, FactorKind};
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::session::{Begun, Session};
use dancu_domain::people::sign_in::{Done, Second, Step, next_step};
use dancu_domain::people::totp::{OneTimeCode, accept};
use dancu_domain::people::{Epoch, MachineTime, PersonId};
use dancu_domain::profile::Profiles;
use dancu_store::engine::Tx;
use dancu_store::keys::Keyring;
use dancu_store::people::{self, EventKind, KnownDevice, Person, SessionRow};
use dancu_store::{Error, Result};

use super::engine::{Fate, device_of, entry, facts};
use super::marks::Mark;
use super::tickets::{Proved, TICKET_MS};
use super::{recovery, totp, webauthn};

/// Longest name of a device in the list of devices, bytes.
const DEVICE_NAME: usize = 80;

/// A second factor that was checked as far as it can be before the transaction.
pub(super) enum Used {
    /// None in this step.
    Nothing,
    /// A code of an application that matched.
    Totp(OneTimeCode),
    /// One that did not: it is counted in the transaction in which it would have let in.
    WrongTotp,
    /// The digest of a recovery code.
    Recovery([u8; 32]),
    /// A key whose signature is right.
    Key {
        /// Its credential id.
        id: Vec<u8>,
        /// What its counter says.
        counter: u32,
        /// What it signed.
        challenge: [u8; 32],
    },
}

impl Used {
    /// Uses a key's challenge up, on whichever node it is answered; whether this is the first
    /// answer. Everything else is used up with the person's document.
    fn first(&self, tx: &mut Tx<'_>, now: MachineTime) -> Result<bool> {
        let Self::Key { challenge, .. } = self else { return Ok(true) };
        let mut mark = [0; 16];
        mark.copy_from_slice(&challenge[..16]);
        people::answer_challenge(tx, mark, now.plus_ms(TICKET_MS))
    }
}

/// A step on its way into the ledger.
pub(super) struct Entering {
    pub(super) person: PersonId,
    pub(super) epoch: Epoch,
    pub(super) proved: Proved,
    pub(super) used: Used,
    pub(super) profiles: Arc<Profiles>,
    pub(super) source: IpAddr,
    pub(super) agent: String,
    pub(super) at: Moment,
    pub(super) machine: MachineTime,
    /// The device's cookie that came.
    pub(super) device: Option<Mark>,
    /// That of a device which is enrolled with this sign-in, where the person wants it.
    pub(super) new_device: Option<Mark>,
    /// The new session's cookie.
    pub(super) cookie: Mark,
    /// The ticket's session number, where it has one.
    pub(super) number: Option<u64>,
}

/// What it came to.
pub(super) enum Entered {
    /// There is a further page.
    Step(Step, Proved),
    /// The session has begun.
    In(Box<In>),
    /// The code was wrong, and is counted.
    Wrong,
}

/// A session that began.
pub(super) struct In {
    pub(super) person: Person,
    pub(super) session: Session,
    pub(super) done: Done,
    pub(super) replaced: Option<SessionRow>,
    pub(super) enrolled: bool,
}

/// Uses a second factor up; which kind it is.
pub(super) fn prove(
    person: &mut Person,
    used: &Used,
    at: Moment,
    machine: MachineTime,
) -> Result<Option<FactorKind>, PortalReason> {
    let secrets = &mut person.secrets;
    match used {
        Used::Nothing => Ok(None),
        Used::WrongTotp => Err(PortalReason::WrongCode),
        Used::Totp(code) => {
            let totp = secrets.totp.as_mut().ok_or(PortalReason::WrongCode)?;
            let matched = totp::matched(&totp.secret, totp.last, *code, machine);
            let step = matched.ok_or(PortalReason::WrongCode)?;
            totp.last = Some(accept(totp.last, step, machine)?);
            Ok(Some(FactorKind::Totp))
        }
        Used::Recovery(digest) => {
            let set = secrets.recovery.as_mut().ok_or(PortalReason::WrongCode)?;
            let number = recovery::find(&set.codes, digest).ok_or(PortalReason::WrongCode)?;
            set.left = set.left.redeem(number)?;
            Ok(Some(FactorKind::RecoveryCode))
        }
        Used::Key { id, counter, .. } => {
            let key = secrets.passkeys.iter_mut().find(|key| key.id == *id);
            let key = key.ok_or(PortalReason::WrongCode)?;
            key.credential =
                webauthn::counted(&key.credential, *counter).ok_or(PortalReason::WrongCode)?;
            key.last = Some(at);
            let kind = if key.security_key { FactorKind::SecurityKey } else { FactorKind::Passkey };
            Ok(Some(kind))
        }
    }
}

/// Uses a factor of a person up and stores it; which kind it is.
pub(super) fn spend(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    person: &mut Person,
    used: &Used,
    (at, machine): (Moment, MachineTime),
) -> Result<Result<Option<FactorKind>, PortalReason>> {
    if !used.first(tx, machine)? {
        return Ok(Err(PortalReason::SignInExpired));
    }
    let proved = prove(person, used, at, machine);
    if let Ok(Some(_)) = proved {
        people::save(tx, keys, person)?;
    }
    Ok(proved)
}

/// A code from a device that is not known is looked at in its turn, one after the other over all
/// nodes, and only where none has to wait; a wrong one is counted. `None`: it goes on.
fn in_turn(tx: &mut Tx<'_>, person: &Person, e: &Entering) -> Result<Option<Fate<Entered>>> {
    let known = device_of(person, e.device, e.at).is_some();
    if known || !matches!(e.used, Used::Totp(_) | Used::WrongTotp) {
        return Ok(None);
    }
    let failures = people::code_failures(tx, e.person)?;
    if failures.wait_ms(e.machine) > 0 {
        return Ok(Some(Fate::Refuse(PortalReason::TooSoon)));
    }
    if matches!(e.used, Used::WrongTotp) {
        people::save_code_failures(tx, e.person, failures.failed(e.machine))?;
        return Ok(Some(Fate::Keep(Entered::Wrong)));
    }
    Ok(None)
}

/// The step inside the transaction.
pub(super) fn enter(tx: &mut Tx<'_>, keys: &Keyring, e: &Entering) -> Result<Fate<Entered>> {
    let Some(mut person) = people::by_id(tx, keys, e.person)? else {
        return Ok(Fate::Refuse(PortalReason::WrongCredentials));
    };
    if person.account.epoch != e.epoch {
        return Ok(Fate::Refuse(PortalReason::SignInExpired));
    }
    if let Some(fate) = in_turn(tx, &person, e)? {
        return Ok(fate);
    }
    if !e.used.first(tx, e.machine)? {
        return Ok(Fate::Refuse(PortalReason::SignInExpired));
    }
    let mut proved = e.proved;
    let given = match prove(&mut person, &e.used, e.at, e.machine) {
        Ok(given) => given,
        Err(reason) => return Ok(Fate::Refuse(reason)),
    };
    // A key that was the first factor is not given a second time.
    if let Some(kind) = given.filter(|_| proved.second().is_none()) {
        proved = proved.with(kind);
    }
    let profile = e.profiles.at(e.at);
    match next_step(&facts(&person, e.device, proved, e.at), e.at, profile) {
        Step::Done(done) => begin(tx, keys, e, person, done),
        other => {
            let Some(kind) = given else { return Ok(Fate::Keep(Entered::Step(other, proved))) };
            people::save(tx, keys, &person)?;
            used_event(tx, keys, e)?;
            let detail = format!("từ {}; {}", e.source, kind_word(kind));
            let act = entry("person.factorGiven", &person, detail);
            Ok(Fate::Journal(Entered::Step(other, proved), act))
        }
    }
}

fn begin(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    e: &Entering,
    mut person: Person,
    done: Done,
) -> Result<Fate<Entered>> {
    let in_force = people::in_force(tx, person.id)?;
    if e.number.is_some_and(|number| in_force.is_none_or(|now| now.number.0 != number)) {
        return Ok(Fate::Refuse(PortalReason::SignInExpired));
    }
    let profile = e.profiles.at(e.at);
    if done.activates {
        match person.account.clone().activate(e.at, profile) {
            Ok(account) => person.account = account,
            Err(error) => return Ok(Fate::Refuse(error.reason())),
        }
        if person.account.password.is_none() {
            // It was given and never changed: it is void.
            person.secrets.password = None;
        }
    }
    person.account = person.account.seen(e.at);
    let given = matches!(done.second, Second::Given(_) | Second::Identity);
    let device = use_device(&mut person, e, given);
    people::save(tx, keys, &person)?;

    let before = people::alive(tx, keys, person.id, e.machine)?;
    let number = people::next_session_number(tx, person.id)?;
    let Begun { session, replaced } = Session::begin(
        number,
        &person.account,
        e.machine,
        given,
        before.as_ref().map(|row| row.session),
    );
    let row = SessionRow {
        mark: e.cookie.0,
        session,
        source: e.source,
        agent: e.agent.clone(),
        device: device.map(|mark| mark.0),
    };
    people::begin_session(tx, keys, &row)?;
    let replaced = before.filter(|_| replaced.is_some());
    let enrolled = device.is_some() && device == e.new_device;
    used_event(tx, keys, e)?;
    for (kind, happened) in [
        (EventKind::Activated, done.activates),
        (EventKind::DeviceAdded, enrolled),
        (EventKind::SessionReplaced, replaced.is_some()),
        (EventKind::SignedIn, true),
    ] {
        if happened {
            people::note_event(tx, keys, person.id, e.at, kind, e.source, &e.agent)?;
        }
    }
    let detail = detail(e, &done, replaced.is_some(), enrolled);
    let act = entry("person.signIn", &person, detail);
    // As it is stored now: whoever saves it again has its newest revision.
    let person = people::by_id(tx, keys, person.id)?.ok_or(Error::Damaged("portal_person"))?;
    Ok(Fate::Journal(Entered::In(Box::new(In { person, session, done, replaced, enrolled })), act))
}

fn used_event(tx: &mut Tx<'_>, keys: &Keyring, e: &Entering) -> Result<()> {
    match e.used {
        Used::Recovery(_) => {
            let kind = EventKind::RecoveryUsed;
            people::note_event(tx, keys, e.person, e.at, kind, e.source, &e.agent)
        }
        _ => Ok(()),
    }
}

/// Notes the sign-in on the device, or enrols it where the person wants it and gave a factor; the
/// least used ones make room. Devices that are not known any more go.
fn use_device(person: &mut Person, e: &Entering, given: bool) -> Option<Mark> {
    let (id, epoch) = (person.id, person.account.epoch);
    let known = device_of(person, e.device, e.at).map(|d| d.mark);
    let devices = &mut person.secrets.devices;
    devices.retain(|d| d.device.is_known(id, epoch, e.at));
    if let Some(mark) = known {
        for device in devices.iter_mut().filter(|d| d.mark == mark) {
            device.device = device.device.signed_in(epoch, e.at, given);
        }
        return Some(Mark(mark));
    }
    let mark = e.new_device.filter(|_| given)?;
    devices.sort_by_key(|d| std::cmp::Reverse(d.device.used));
    devices.truncate(DEVICES_MAX - 1);
    let name = e.agent[..e.agent.floor_char_boundary(DEVICE_NAME)].to_owned();
    let device = Device { person: id, epoch, used: e.at, mfa: Some(e.at) };
    devices.push(KnownDevice { mark: mark.0, name, device });
    Some(mark)
}

fn detail(e: &Entering, done: &Done, replaced: bool, enrolled: bool) -> String {
    let second = match done.second {
        Second::Given(kind) => kind_word(kind),
        Second::Identity => "identity",
        Second::Today => "today",
    };
    let mut detail = format!("từ {}; yếu tố thứ hai: {second}", e.source);
    for (happened, text) in [
        (done.activates, "; lần đầu"),
        (enrolled, "; đăng ký máy này"),
        (replaced, "; kết thúc phiên ở nơi khác"),
    ] {
        if happened {
            detail.push_str(text);
        }
    }
    detail
}

/// A kind of factor in entries.
pub(super) const fn kind_word(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Totp => "totp",
        FactorKind::Passkey => "passkey",
        FactorKind::SecurityKey => "securityKey",
        FactorKind::RecoveryCode => "recoveryCode",
    }
}
