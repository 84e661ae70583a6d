//! The document of a person as it is sealed, and back.
//!
//! Enumerations stand as numbers, days as `yyyy-mm-dd`, instants in milliseconds.

use dancu_domain::ids::{Login, PersonalId, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::people::account::{
    Account, Causes, Lock, LockCause, Phase, Revocation, RevokeCause, Stops,
};
use dancu_domain::people::factors::{Device, RecoveryCodes, SeenInPerson, Voucher};
use dancu_domain::people::grants::{Grant, Grants, Scope};
use dancu_domain::people::password::PasswordAge;
use dancu_domain::people::roles::{Class, Role};
use dancu_domain::people::totp::Step;
use dancu_domain::people::{Epoch, PersonId};
use dancu_domain::registration::DateRange;
use serde::{Deserialize, Serialize};

use super::{KnownDevice, Passkey, Person, Recovery, Revision, Secrets, Totp};

/// A person as it is sealed in `portal_person.sealed`.
#[derive(Serialize, Deserialize)]
pub(super) struct PersonRecord {
    pub(super) login: Login,
    name: String,
    pub(super) unit: UnitCode,
    phone: String,
    personal_id: Option<PersonalId>,
    account: AccountRecord,
    grants: Vec<GrantRecord>,
    secrets: SecretsRecord,
}

#[derive(Serialize, Deserialize)]
struct AccountRecord {
    class: u8,
    epoch: u32,
    phase: PhaseRecord,
    /// The day it was set on, and whether it was given.
    password: Option<(String, bool)>,
    used: i64,
    trained: String,
}

#[derive(Serialize, Deserialize)]
enum PhaseRecord {
    Invited { by: u32, at: i64 },
    Open { causes: u8, idle: Option<i64>, lock: Option<LockRecord> },
    Revoked { cause: u8, by: u32, at: i64, confirmed: Option<(u32, i64)> },
}

#[derive(Serialize, Deserialize)]
struct LockRecord {
    cause: u8,
    by: Option<u32>,
    at: i64,
}

#[derive(Serialize, Deserialize)]
struct GrantRecord {
    role: u8,
    scope: ScopeRecord,
    from: Option<String>,
    to: Option<String>,
    in_place_of: Option<u32>,
}

#[derive(Serialize, Deserialize)]
enum ScopeRecord {
    Person,
    Unit(UnitCode),
    Below(UnitCode),
    All,
}

#[derive(Serialize, Deserialize)]
struct SecretsRecord {
    password: Option<String>,
    history: Vec<String>,
    totp: Option<TotpRecord>,
    /// Digests of the codes, and which are good.
    recovery: Option<(Vec<[u8; 32]>, u16)>,
    passkeys: Vec<PasskeyRecord>,
    devices: Vec<DeviceRecord>,
    voucher: Option<VoucherRecord>,
}

#[derive(Serialize, Deserialize)]
struct TotpRecord {
    secret: Vec<u8>,
    last: Option<i64>,
    since: i64,
}

#[derive(Serialize, Deserialize)]
struct PasskeyRecord {
    id: Vec<u8>,
    name: String,
    security_key: bool,
    credential: Vec<u8>,
    since: i64,
    last: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct DeviceRecord {
    mark: [u8; 32],
    name: String,
    person: u32,
    epoch: u32,
    used: i64,
    mfa: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct VoucherRecord {
    by: u32,
    at: i64,
    seen: u8,
}

// --- to be sealed --------------------------------------------------------------------------------

impl PersonRecord {
    /// `None`: the account, or the voucher, is somebody else's.
    pub(super) fn of(person: &Person) -> Option<Self> {
        if person.account.person != person.id {
            return None;
        }
        Some(Self {
            login: person.login.clone(),
            name: person.name.clone(),
            unit: person.unit.clone(),
            phone: person.phone.clone(),
            personal_id: person.personal_id,
            account: AccountRecord::of(&person.account),
            grants: person.grants.all().iter().map(GrantRecord::of).collect(),
            secrets: SecretsRecord::of(person)?,
        })
    }

    /// Keeps the grants that this program cannot take over, from the document before.
    pub(super) fn keep_unknown(&mut self, before: Self) {
        let (_, unknown) = grants(before.grants).unwrap_or_default();
        self.grants.extend(unknown);
    }
}

impl AccountRecord {
    fn of(account: &Account) -> Self {
        let phase = match &account.phase {
            Phase::Invited { by, at } => PhaseRecord::Invited { by: by.0, at: at.0 },
            Phase::Open(stops) => PhaseRecord::Open {
                causes: stops.causes.bits(),
                idle: stops.idle.map(|at| at.0),
                lock: stops.lock.map(|lock| LockRecord {
                    cause: lock.cause as u8,
                    by: lock.by.map(|by| by.0),
                    at: lock.at.0,
                }),
            },
            Phase::Revoked(r) => PhaseRecord::Revoked {
                cause: r.cause as u8,
                by: r.by.0,
                at: r.at.0,
                confirmed: r.confirmed.map(|(by, at)| (by.0, at.0)),
            },
        };
        Self {
            class: class_number(account.class),
            epoch: account.epoch.0,
            phase,
            password: account.password.map(|p| (p.set_on.to_string(), p.given)),
            used: account.used.0,
            trained: account.trained.to_string(),
        }
    }
}

impl GrantRecord {
    fn of(grant: &Grant) -> Self {
        Self {
            role: grant.role as u8,
            scope: match &grant.scope {
                Scope::Person => ScopeRecord::Person,
                Scope::Unit(unit) => ScopeRecord::Unit(unit.clone()),
                Scope::Below(unit) => ScopeRecord::Below(unit.clone()),
                Scope::All => ScopeRecord::All,
            },
            from: grant.valid.from.map(|day| day.to_string()),
            to: grant.valid.to.map(|day| day.to_string()),
            in_place_of: grant.in_place_of.map(|person| person.0),
        }
    }
}

impl SecretsRecord {
    fn of(person: &Person) -> Option<Self> {
        let secrets = &person.secrets;
        let voucher = match &secrets.voucher {
            None => None,
            Some(voucher) => {
                let (by, at, seen) = voucher.word();
                // It does not tell whose it is, only whether it is this person's.
                voucher.holds(person.id, at).ok()?;
                Some(VoucherRecord { by: by.0, at: at.0, seen: seen as u8 })
            }
        };
        Some(Self {
            password: secrets.password.clone(),
            history: secrets.history.clone(),
            totp: secrets.totp.as_ref().map(|t| TotpRecord {
                secret: t.secret.clone(),
                last: t.last.map(|step| step.0),
                since: t.since.0,
            }),
            recovery: secrets.recovery.as_ref().map(|r| (r.codes.clone(), r.left.bits())),
            passkeys: secrets.passkeys.iter().map(PasskeyRecord::of).collect(),
            devices: secrets.devices.iter().map(DeviceRecord::of).collect(),
            voucher,
        })
    }
}

impl PasskeyRecord {
    fn of(key: &Passkey) -> Self {
        Self {
            id: key.id.clone(),
            name: key.name.clone(),
            security_key: key.security_key,
            credential: key.credential.clone(),
            since: key.since.0,
            last: key.last.map(|at| at.0),
        }
    }
}

impl DeviceRecord {
    fn of(known: &KnownDevice) -> Self {
        let Device { person, epoch, used, mfa } = known.device;
        Self {
            mark: known.mark,
            name: known.name.clone(),
            person: person.0,
            epoch: epoch.0,
            used: used.0,
            mfa: mfa.map(|at| at.0),
        }
    }
}

// --- opened --------------------------------------------------------------------------------------

impl PersonRecord {
    /// The account's epoch, which the row tells too.
    pub(super) const fn epoch(&self) -> Epoch {
        Epoch(self.account.epoch)
    }

    /// The person; `None` where a value does not fit its type.
    pub(super) fn person(self, id: PersonId, revision: Revision) -> Option<Person> {
        let (grants, unknown) = grants(self.grants)?;
        if !unknown.is_empty() {
            let roles: Vec<u8> = unknown.iter().map(|grant| grant.role).collect();
            tracing::warn!(person = id.0, ?roles, "roles that are not known or not allowed");
        }
        Some(Person {
            id,
            login: self.login,
            name: self.name,
            unit: self.unit,
            phone: self.phone,
            personal_id: self.personal_id,
            account: self.account.account(id)?,
            grants,
            secrets: self.secrets.secrets(id)?,
            revision,
        })
    }
}

impl AccountRecord {
    fn account(self, person: PersonId) -> Option<Account> {
        let password = match self.password {
            None => None,
            Some((day, given)) => Some(PasswordAge { set_on: day.parse().ok()?, given }),
        };
        Some(Account {
            person,
            class: class_of(self.class)?,
            epoch: Epoch(self.epoch),
            phase: self.phase.phase()?,
            password,
            used: Moment(self.used),
            trained: self.trained.parse().ok()?,
        })
    }
}

impl PhaseRecord {
    fn phase(self) -> Option<Phase> {
        Some(match self {
            Self::Invited { by, at } => Phase::Invited { by: PersonId(by), at: Moment(at) },
            Self::Open { causes, idle, lock } => Phase::Open(Stops {
                causes: Causes::from_bits(causes),
                idle: idle.map(Moment),
                lock: match lock {
                    None => None,
                    Some(lock) => Some(Lock {
                        cause: lock_cause(lock.cause)?,
                        by: lock.by.map(PersonId),
                        at: Moment(lock.at),
                    }),
                },
            }),
            Self::Revoked { cause, by, at, confirmed } => Phase::Revoked(Revocation {
                cause: revoke_cause(cause)?,
                by: PersonId(by),
                at: Moment(at),
                confirmed: confirmed.map(|(by, at)| (PersonId(by), Moment(at))),
            }),
        })
    }
}

/// The grants, and those that this program does not know or that the tables no longer allow: they
/// give nothing, and the document keeps them. `None` where a day does not fit.
fn grants(records: Vec<GrantRecord>) -> Option<(Grants, Vec<GrantRecord>)> {
    let (mut grants, mut unknown) = (Grants::default(), vec![]);
    for record in records {
        let day = |text: &Option<String>| text.as_ref().map(|t| t.parse()).transpose().ok();
        let valid = DateRange { from: day(&record.from)?, to: day(&record.to)? };
        let scope = match &record.scope {
            ScopeRecord::Person => Scope::Person,
            ScopeRecord::Unit(unit) => Scope::Unit(unit.clone()),
            ScopeRecord::Below(unit) => Scope::Below(unit.clone()),
            ScopeRecord::All => Scope::All,
        };
        let in_place_of = record.in_place_of.map(PersonId);
        let next = Role::from_number(record.role)
            .and_then(|role| Grant::new(role, scope, valid, in_place_of).ok())
            .and_then(|grant| grants.clone().with(grant).ok());
        match next {
            Some(next) => grants = next,
            None => unknown.push(record),
        }
    }
    Some((grants, unknown))
}

impl SecretsRecord {
    fn secrets(self, person: PersonId) -> Option<Secrets> {
        let voucher = match self.voucher {
            None => None,
            Some(v) => {
                let (by, seen) = (PersonId(v.by), seen_in_person(v.seen)?);
                Some(Voucher::given(person, by, Moment(v.at), seen).ok()?)
            }
        };
        let recovery = |(codes, left)| Recovery { codes, left: RecoveryCodes::from_bits(left) };
        Some(Secrets {
            password: self.password,
            history: self.history,
            totp: self.totp.map(|t| Totp {
                secret: t.secret,
                last: t.last.map(Step),
                since: Moment(t.since),
            }),
            recovery: self.recovery.map(recovery),
            passkeys: self.passkeys.into_iter().map(PasskeyRecord::passkey).collect(),
            devices: self.devices.into_iter().map(DeviceRecord::known).collect(),
            voucher,
        })
    }
}

impl PasskeyRecord {
    fn passkey(self) -> Passkey {
        Passkey {
            id: self.id,
            name: self.name,
            security_key: self.security_key,
            credential: self.credential,
            since: Moment(self.since),
            last: self.last.map(Moment),
        }
    }
}

impl DeviceRecord {
    fn known(self) -> KnownDevice {
        let device = Device {
            person: PersonId(self.person),
            epoch: Epoch(self.epoch),
            used: Moment(self.used),
            mfa: self.mfa.map(Moment),
        };
        KnownDevice { mark: self.mark, name: self.name, device }
    }
}

// --- numbers -------------------------------------------------------------------------------------

/// Numbers of the classes, as stored.
pub(super) const fn class_number(class: Class) -> u8 {
    match class {
        Class::Staff => 0,
        Class::Administrator => 1,
        Class::Citizen => 2,
    }
}

pub(super) fn class_of(number: u8) -> Option<Class> {
    let all = [Class::Staff, Class::Administrator, Class::Citizen];
    all.into_iter().find(|class| class_number(*class) == number)
}

fn lock_cause(number: u8) -> Option<LockCause> {
    let all = [LockCause::AbnormalUse, LockCause::Reported, LockCause::Decision];
    all.into_iter().find(|cause| *cause as u8 == number)
}

fn revoke_cause(number: u8) -> Option<RevokeCause> {
    RevokeCause::ALL.into_iter().find(|cause| *cause as u8 == number)
}

fn seen_in_person(number: u8) -> Option<SeenInPerson> {
    SeenInPerson::ALL.into_iter().find(|seen| *seen as u8 == number)
}

#[cfg(test)]
mod tests;
