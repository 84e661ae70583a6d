//! The account list of a system, account by account (B6): with names and telephones, which no
//! decision needs and no snapshot keeps. Changes run inside an act of the ledger.

use std::hash::Hash;

use hashbrown::HashMap;

use dancu_domain::ids::{AccountId, LineId, PlanId, SystemCode, SystemId, UnitCode};
use dancu_domain::moment::DutyDay;
use dancu_domain::registration::{Account, AccountKind, AccountState, ConnectionState};
use dancu_domain::service::{Service, ServiceSet, Window};

use super::{AccountRecord, aad, number, parsed, range};
use crate::engine::{Row, Tx};
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose, random};
use crate::store::Store;
use crate::values;

/// An account as the list names it.
#[derive(Clone)]
pub struct Listed {
    /// The account.
    pub account: Account,
    /// Họ và tên; empty where it was not given.
    pub full_name: String,
    /// Số điện thoại; empty where it was not given.
    pub phone: String,
}

/// Names and telephones are personal data.
impl std::fmt::Debug for Listed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listed").field("id", &self.account.id).finish_non_exhaustive()
    }
}

/// A system as an act on its accounts looks at it.
#[derive(Clone, Debug)]
pub struct Owner {
    /// Code.
    pub code: SystemCode,
    /// The unit it belongs to.
    pub unit: UnitCode,
    /// State.
    pub state: ConnectionState,
    /// Services it is registered for: an account has none beyond them (E1).
    pub services: ServiceSet,
}

/// The system of an act, as it stands in this transaction; none where there is none.
pub fn owner(tx: &mut Tx<'_>, system: SystemId) -> Result<Option<Owner>> {
    let sql = "SELECT code, unit, state FROM system WHERE id = $1";
    let found = tx.optional(sql, values![system.0], |r| {
        Ok(Owner {
            code: parsed(r, 0, "system.code", SystemCode::parse)?,
            unit: parsed(r, 1, "system.unit", UnitCode::parse)?,
            state: number(r, 2, "system.state", ConnectionState::from_number)?,
            services: ServiceSet::default(),
        })
    })?;
    let Some(mut owner) = found else { return Ok(None) };
    let sql = "SELECT service FROM service_grant WHERE system = $1";
    let read = |r: &Row<'_>| number(r, 0, "service_grant.service", Service::from_index);
    let services = tx.query(sql, values![system.0], read)?;
    owner.services = ServiceSet::of(&services);
    Ok(Some(owner))
}

/// Systems of a unit, closed ones too, by their number.
pub fn systems_of(tx: &mut Tx<'_>, unit: &UnitCode) -> Result<Vec<SystemId>> {
    let sql = "SELECT id FROM system WHERE unit = $1 ORDER BY id";
    tx.query(sql, values![unit.as_str()], |r| Ok(SystemId(r.get(0)?)))
}

/// Hands the systems of a unit over to another, closed ones too; gives how many there were.
pub fn hand_over(tx: &mut Tx<'_>, from: &UnitCode, to: &UnitCode) -> Result<u64> {
    let sql = "UPDATE system SET unit = $1 WHERE unit = $2";
    tx.execute(sql, values![to.as_str(), from.as_str()])
}

/// Hands one system over to a unit; whether there is such a system.
pub fn give(tx: &mut Tx<'_>, system: SystemId, to: &UnitCode) -> Result<bool> {
    let sql = "UPDATE system SET unit = $1 WHERE id = $2";
    Ok(tx.execute(sql, values![to.as_str(), system.0])? == 1)
}

/// The units that systems are registered with, each once.
pub fn units(tx: &mut Tx<'_>) -> Result<Vec<UnitCode>> {
    let sql = "SELECT DISTINCT unit FROM system ORDER BY unit";
    tx.query(sql, values![], |r| parsed(r, 0, "system.unit", UnitCode::parse))
}

/// Lines of a system, by number.
pub fn lines_of(tx: &mut Tx<'_>, system: SystemId) -> Result<Vec<LineId>> {
    let sql = "SELECT id FROM line WHERE system = $1 ORDER BY id";
    tx.query(sql, values![system.0], |r| Ok(LineId(r.get(0)?)))
}

pub(crate) const OF_SYSTEM: &str = "SELECT id, kind, state, daily, services, valid_from, \
                                    valid_to, plan, sealed FROM account WHERE system = $1 \
                                    ORDER BY id";
const BY_ID: &str = "SELECT id, kind, state, daily, services, valid_from, valid_to, plan, sealed, \
                     system FROM account WHERE id = $1";

const ALL: &str = "SELECT id, kind, state, daily, services, valid_from, valid_to, plan, sealed, \
                   system FROM account ORDER BY id";

/// The whole list of a system, by number.
pub fn of_system(tx: &mut Tx<'_>, keys: &Keyring, system: SystemId) -> Result<Vec<Listed>> {
    let Some(key) = keys.get(Purpose::Policy, 0) else { return Ok(vec![]) };
    tx.query(OF_SYSTEM, values![system.0], |r| listed(r, &key))
}

/// One account with its system; none where there is none.
pub fn by_id(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    account: AccountId,
) -> Result<Option<(SystemId, Listed)>> {
    let Some(key) = keys.get(Purpose::Policy, 0) else { return Ok(None) };
    tx.optional(BY_ID, values![account.0], |r| Ok((SystemId(r.get(9)?), listed(r, &key)?)))
}

/// Puts accounts on a list. Their numbers are given here, in order; those of `listed` do not count.
pub fn insert(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    system: SystemId,
    listed: &[Listed],
) -> Result<Vec<AccountId>> {
    let sql = "SELECT COALESCE(MAX(id), 0) FROM account";
    let highest: u32 = tx.one(sql, &[], |r| r.get(0))?;
    let mut ids = vec![];
    for (at, one) in listed.iter().enumerate() {
        let next = u32::try_from(at + 1).ok().and_then(|n| highest.checked_add(n));
        let id = AccountId(next.ok_or(Error::Damaged("account.id"))?);
        let account = Account { id, ..one.account.clone() };
        super::write::insert_account(tx, keys, system, &account, &one.full_name, &one.phone)?;
        ids.push(id);
    }
    Ok(ids)
}

/// Whether questions of a system name a shared account by this value (MaCanBo), as it is written.
pub fn is_shared(tx: &mut Tx<'_>, keys: &Keyring, system: SystemId, value: &str) -> Result<bool> {
    let Some(key) = keys.get(Purpose::Policy, 0) else { return Ok(false) };
    let digest = key.digest16(&[b"shared_officer", value.as_bytes()]);
    let sql = "SELECT 1 FROM shared_officer WHERE system = $1 AND digest = $2";
    Ok(tx.optional(sql, values![system.0, digest], |r| r.get::<i64>(0))?.is_some())
}

/// Lines of a system, by service and window (B5).
pub fn registered_lines(tx: &mut Tx<'_>, system: SystemId) -> Result<Vec<(Service, Window)>> {
    let sql = "SELECT service, off_hours FROM line WHERE system = $1 ORDER BY id";
    tx.query(sql, values![system.0], |r| {
        let service = number(r, 0, "line.service", Service::from_index)?;
        Ok((service, number(r, 1, "line.off_hours", Window::from_index)?))
    })
}

/// Puts an account under a job plan (D5); one of another kind has none.
///
/// # Errors
/// [`Error::Final`] where it is no account of plans, or revoked.
pub fn run_under(tx: &mut Tx<'_>, account: AccountId, plan: PlanId) -> Result<()> {
    let sql = "UPDATE account SET plan = $1 WHERE id = $2 AND kind = $3 AND state <> $4";
    let (kind, revoked) = (AccountKind::Plan as u8, AccountState::Revoked as u8);
    match tx.execute(sql, values![plan.0, account.0, kind, revoked])? {
        1 => Ok(()),
        _ => Err(Error::Final("không phải tài khoản kế hoạch (no account of plans)")),
    }
}

/// Changes what a list says of an account that was read in this transaction: services, daily
/// count, validity, officer code, citizen id, name, telephone. Login, kind, plan and state stay as
/// they are; of a revoked account nothing is changed.
pub fn change(tx: &mut Tx<'_>, keys: &Keyring, listed: &Listed) -> Result<()> {
    let a = &listed.account;
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let record = AccountRecord {
        login: a.login.clone(),
        officer_code: a.officer_code.clone(),
        citizen_id: a.citizen_id,
        full_name: listed.full_name.clone(),
        phone: listed.phone.clone(),
    };
    let mut nonce = [0; 12];
    random(&mut nonce)?;
    let sealed = key.seal.seal(nonce, &aad("account", a.id.0), &record.to_bytes()?)?;
    tx.queue(
        "UPDATE account SET daily = $1, services = $2, valid_from = $3, valid_to = $4, \
         sealed = $5 WHERE id = $6 AND state <> $7",
        values![
            a.daily,
            a.services.0,
            a.valid.from.map(|d| d.to_string()),
            a.valid.to.map(|d| d.to_string()),
            sealed,
            a.id.0,
            AccountState::Revoked as u8
        ],
    )
}

fn listed(r: &Row<'_>, key: &Key) -> Result<Listed> {
    let id = AccountId(r.get(0)?);
    let mut sealed: Vec<u8> = r.get(8)?;
    let record = AccountRecord::from_bytes(key.seal.open(&aad("account", id.0), &mut sealed)?)?;
    Ok(Listed {
        account: Account {
            id,
            login: record.login,
            kind: number(r, 1, "account.kind", AccountKind::from_number)?,
            state: number(r, 2, "account.state", AccountState::from_number)?,
            daily: r.get(3)?,
            services: ServiceSet(r.get(4)?),
            officer_code: record.officer_code,
            citizen_id: record.citizen_id,
            valid: range(r, 5)?,
            plan: r.get::<Option<u32>>(7)?.map(PlanId),
        },
        full_name: record.full_name,
        phone: record.phone,
    })
}

const USED_BY_ACCOUNTS: &str = "SELECT d.duty_day, d.account, d.used FROM account a \
                                JOIN account_day d ON d.account = a.id WHERE a.system = $1 \
                                AND d.duty_day >= $2 AND d.duty_day <= $3";
const USED_ON_LINES: &str = "SELECT d.duty_day, l.id, d.used FROM line l \
                             JOIN line_day d ON d.line = l.id WHERE l.system = $1 \
                             AND d.duty_day >= $2 AND d.duty_day <= $3";

impl Store {
    /// The state of one connection; none where there is none.
    pub async fn system_state(&self, system: SystemId) -> Result<Option<ConnectionState>> {
        let sql = "SELECT state FROM system WHERE id = $1";
        let read = |r: &Row<'_>| number(r, 0, "system.state", ConnectionState::from_number);
        Ok(self.look(sql, values![system.0], read).await?.pop())
    }

    /// The account list of a system, for who keeps it.
    pub async fn account_list(&self, system: SystemId) -> Result<Vec<Listed>> {
        let Some(key) = self.keys.get(Purpose::Policy, 0) else { return Ok(vec![]) };
        self.look(OF_SYSTEM, values![system.0], |r| listed(r, &key)).await
    }

    /// The account lists of all systems, for whoever looks at them all.
    pub async fn account_lists(&self) -> Result<HashMap<SystemId, Vec<Listed>>> {
        let Some(key) = self.keys.get(Purpose::Policy, 0) else { return Ok(HashMap::new()) };
        let read = |r: &Row<'_>| Ok((SystemId(r.get(9)?), listed(r, &key)?));
        let mut lists: HashMap<SystemId, Vec<Listed>> = HashMap::new();
        for (system, one) in self.look(ALL, values![], read).await? {
            lists.entry(system).or_default().push(one);
        }
        Ok(lists)
    }

    /// One account with its system.
    pub async fn listed_account(&self, account: AccountId) -> Result<Option<(SystemId, Listed)>> {
        let Some(key) = self.keys.get(Purpose::Policy, 0) else { return Ok(None) };
        let read = |r: &Row<'_>| Ok((SystemId(r.get(9)?), listed(r, &key)?));
        Ok(self.look(BY_ID, values![account.0], read).await?.pop())
    }

    /// Persons asked about by each account of a system on each of these duty days, in their order;
    /// accounts without use are left out.
    pub async fn use_of_accounts(
        &self,
        system: SystemId,
        days: &[DutyDay],
    ) -> Result<Vec<HashMap<AccountId, u32>>> {
        self.use_of(USED_BY_ACCOUNTS, system, days, AccountId).await
    }

    /// The same by each line of the system.
    pub async fn use_of_lines(
        &self,
        system: SystemId,
        days: &[DutyDay],
    ) -> Result<Vec<HashMap<LineId, u32>>> {
        self.use_of(USED_ON_LINES, system, days, LineId).await
    }

    /// One look at all days between the first and the last.
    async fn use_of<K: Eq + Hash>(
        &self,
        sql: &'static str,
        system: SystemId,
        days: &[DutyDay],
        id: fn(u32) -> K,
    ) -> Result<Vec<HashMap<K, u32>>> {
        let (Some(first), Some(last)) = (days.iter().min(), days.iter().max()) else {
            return Ok(vec![]);
        };
        let read = |r: &Row<'_>| Ok((DutyDay(r.get(0)?), r.get(1)?, r.get::<u32>(2)?));
        let found = self.look(sql, values![system.0, first.0, last.0], read).await?;
        let mut all: Vec<HashMap<K, u32>> = days.iter().map(|_| HashMap::new()).collect();
        for (day, of, used) in found {
            for (at, _) in days.iter().enumerate().filter(|(_, asked)| **asked == day) {
                all[at].insert(id(of), used);
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::AccountRecordBefore;
    use dancu_domain::ids::Login;

    #[test]
    fn records_before_and_after_telephones_read_each_other() {
        let login = || Login::parse("onestop.canbo1").unwrap();
        let before = AccountRecordBefore {
            login: login(),
            officer_code: None,
            citizen_id: None,
            full_name: "Nguyễn Thị Bình".into(),
        };
        let read = AccountRecord::from_bytes(&postcard::to_stdvec(&before).unwrap()).unwrap();
        assert_eq!((read.full_name.as_str(), read.phone.as_str()), ("Nguyễn Thị Bình", ""));
        let after = AccountRecord { phone: "0900000000".into(), ..read };
        let bytes = after.to_bytes().unwrap();
        assert_eq!(AccountRecord::from_bytes(&bytes).unwrap().phone, "0900000000");
        // A node of the version before reads on.
        let read: AccountRecordBefore = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(read.full_name, "Nguyễn Thị Bình");
        assert!(AccountRecord::from_bytes(&bytes[..5]).is_err());
    }
}
