//! What is registered: systems, grants, lines, raises, accounts, procedures, plans.

mod access;
pub mod accounts;
pub mod credentials;
pub mod setup;
pub mod write;

use hashbrown::HashMap;

use dancu_domain::ids::{
    AccountId, LineId, Login, OfficerCode, PersonalId, PlanId, ProcedureCode, Purpose, SystemCode,
    SystemId, UnitCode,
};
use dancu_domain::moment::Moment;
use dancu_domain::plans::ClockRange;
use dancu_domain::registration::{
    Account, AccountKind, AccountList, AccountState, Channel, ConnectionState, DateRange, Group,
    Line, Plan, Procedure, Raise, RequestIdMode, ServiceGrant, SharedOfficer, Snapshot, System,
    VerifyShape,
};
use dancu_domain::service::{FieldSet, Service, ServiceSet};
use serde::{Deserialize, Serialize};

use crate::engine::{Row, Tx};
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose as KeyPurpose};
use crate::values;

/// The personal part of an account as it is sealed in `account.sealed`. What is added goes to its
/// end: versions before do not read beyond what they know.
#[derive(Serialize, Deserialize)]
pub(crate) struct AccountRecord {
    pub(crate) login: Login,
    pub(crate) officer_code: Option<OfficerCode>,
    pub(crate) citizen_id: Option<PersonalId>,
    pub(crate) full_name: String,
    pub(crate) phone: String,
}

/// As it was before telephones were kept.
#[derive(Serialize, Deserialize)]
struct AccountRecordBefore {
    login: Login,
    officer_code: Option<OfficerCode>,
    citizen_id: Option<PersonalId>,
    full_name: String,
}

impl AccountRecord {
    fn to_bytes(&self) -> Result<Vec<u8>> {
        postcard::to_stdvec(self).map_err(|_| Error::Damaged("account"))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        // What was written before ends where the telephone begins.
        let before = |_| {
            let r: AccountRecordBefore =
                postcard::from_bytes(bytes).map_err(|_| Error::Damaged("account"))?;
            let AccountRecordBefore { login, officer_code, citizen_id, full_name } = r;
            Ok(Self { login, officer_code, citizen_id, full_name, phone: String::new() })
        };
        postcard::from_bytes(bytes).or_else(before)
    }
}

pub(crate) fn aad(table: &str, id: u32) -> Vec<u8> {
    format!("dancu {table} {id}").into_bytes()
}

/// Loads everything registered at the epoch that the ledger's head names. Raises that ended
/// before `oldest` are left out.
pub fn snapshot(tx: &mut Tx<'_>, keys: &Keyring, oldest: Moment) -> Result<Snapshot> {
    let sql = "SELECT policy_epoch FROM ledger_head WHERE id = 1";
    let epoch: i64 = tx.one(sql, &[], |r| r.get(0))?;
    let Some(key) = keys.get(KeyPurpose::Policy, 0) else {
        return Ok(Snapshot::new(epoch as u64, vec![]));
    };
    let mut raises = raises(tx, oldest)?;
    let mut lines = lines(tx, &mut raises)?;
    let mut grants = grants(tx, &mut lines)?;
    let mut accounts = accounts(tx, &key)?;
    let mut procedures = procedures(tx)?;
    let mut plans = plans(tx)?;
    let mut shared = shared_officers(tx, &key)?;
    let mut systems = vec![];
    let sql = "SELECT id, code, unit, user_group, state, channel_exceptions, request_ids, \
               verify_shape, lgsp_shape, credential_version, access FROM system ORDER BY id";
    tx.each(sql, &[], |r| {
        let id = SystemId(r.get(0)?);
        let mut sealed: Vec<u8> = r.get(10)?;
        let plain = key.seal.open(&aad("system", id.0), &mut sealed)?;
        let credentials = access::open(plain)?;
        systems.push(System {
            id,
            code: parsed(r, 1, "system.code", SystemCode::parse)?,
            unit: parsed(r, 2, "system.unit", UnitCode::parse)?,
            group: number(r, 3, "system.group", Group::from_number)?,
            state: number(r, 4, "system.state", ConnectionState::from_number)?,
            channel_exceptions: channels(&r.get::<String>(5)?)?,
            services: grants.remove(&id).unwrap_or_default(),
            procedures: procedures.remove(&id).unwrap_or_default(),
            accounts: AccountList::new(accounts.remove(&id).unwrap_or_default()),
            plans: plans.remove(&id).unwrap_or_default(),
            shared_officers: shared.remove(&id).unwrap_or_default(),
            request_ids: match r.get::<u8>(6)? {
                0 => RequestIdMode::Strict,
                _ => RequestIdMode::Lenient,
            },
            verify_shape: match r.get::<u8>(7)? {
                0 => VerifyShape::Both,
                _ => VerifyShape::KetQuaXacThuc,
            },
            lgsp_shape: r.get(8)?,
            credential_version: r.get(9)?,
            soap: credentials.soap,
            oauth: credentials.oauth,
            certificates: credentials.certificates,
            facts: credentials.facts,
        });
        Ok(true)
    })?;
    Ok(Snapshot::new(epoch as u64, systems))
}

type BySystem<T> = HashMap<SystemId, Vec<T>>;

fn raises(tx: &mut Tx<'_>, oldest: Moment) -> Result<HashMap<LineId, Vec<Raise>>> {
    let mut out: HashMap<LineId, Vec<Raise>> = HashMap::new();
    let sql = "SELECT line, extra, approved_at, from_at, to_at FROM raise WHERE to_at > $1";
    tx.each(sql, values![oldest.0], |r| {
        out.entry(LineId(r.get(0)?)).or_default().push(Raise {
            extra: r.get(1)?,
            approved_at: Moment(r.get(2)?),
            from: Moment(r.get(3)?),
            to: Moment(r.get(4)?),
        });
        Ok(true)
    })?;
    Ok(out)
}

type Lines = HashMap<(SystemId, u8), [Option<Line>; 2]>;

fn lines(tx: &mut Tx<'_>, raises: &mut HashMap<LineId, Vec<Raise>>) -> Result<Lines> {
    let mut out = Lines::new();
    let sql = "SELECT id, system, service, off_hours, daily FROM line";
    tx.each(sql, &[], |r| {
        let id = LineId(r.get(0)?);
        let line = Line { id, daily: r.get(4)?, raises: raises.remove(&id).unwrap_or_default() };
        let window = usize::from(r.get::<bool>(3)?);
        out.entry((SystemId(r.get(1)?), r.get(2)?)).or_default()[window] = Some(line);
        Ok(true)
    })?;
    Ok(out)
}

type Grants = HashMap<SystemId, [Option<ServiceGrant>; 12]>;

fn grants(tx: &mut Tx<'_>, lines: &mut Lines) -> Result<Grants> {
    let mut out = Grants::new();
    let sql = "SELECT system, service, ma_tich_hop, fields FROM service_grant";
    tx.each(sql, &[], |r| {
        let system = SystemId(r.get(0)?);
        let service = number(r, 1, "service_grant.service", Service::from_index)?;
        out.entry(system).or_default()[service.index()] = Some(ServiceGrant {
            service,
            ma_tich_hop: r.get(2)?,
            fields: FieldSet::from_bits(r.get(3)?),
            lines: lines.remove(&(system, service as u8)).unwrap_or_default(),
        });
        Ok(true)
    })?;
    Ok(out)
}

fn accounts(tx: &mut Tx<'_>, key: &Key) -> Result<BySystem<Account>> {
    let mut out = BySystem::new();
    let sql = "SELECT id, system, kind, state, daily, services, valid_from, valid_to, plan, sealed \
               FROM account ORDER BY id";
    tx.each(sql, &[], |r| {
        let id = AccountId(r.get(0)?);
        let mut sealed: Vec<u8> = r.get(9)?;
        let plain = key.seal.open(&aad("account", id.0), &mut sealed)?;
        let personal = AccountRecord::from_bytes(plain)?;
        out.entry(SystemId(r.get(1)?)).or_default().push(Account {
            id,
            login: personal.login,
            kind: number(r, 2, "account.kind", AccountKind::from_number)?,
            state: number(r, 3, "account.state", AccountState::from_number)?,
            daily: r.get(4)?,
            services: ServiceSet(r.get(5)?),
            officer_code: personal.officer_code,
            citizen_id: personal.citizen_id,
            valid: range(r, 6)?,
            plan: r.get::<Option<u32>>(8)?.map(PlanId),
        });
        Ok(true)
    })?;
    Ok(out)
}

fn procedures(tx: &mut Tx<'_>) -> Result<HashMap<SystemId, HashMap<ProcedureCode, Procedure>>> {
    let mut out: HashMap<_, HashMap<_, _>> = HashMap::new();
    let sql = "SELECT system, code, purpose, services, fields, valid_from, valid_to, case_required \
               FROM procedure";
    tx.each(sql, &[], |r| {
        let code = parsed(r, 1, "procedure.code", ProcedureCode::parse)?;
        let purpose = match r.get::<Option<String>>(2)? {
            Some(text) => {
                Some(Purpose::parse(&text).map_err(|_| Error::Damaged("procedure.purpose"))?)
            }
            None => None,
        };
        let procedure = Procedure {
            code: code.clone(),
            purpose,
            services: ServiceSet(r.get(3)?),
            fields: FieldSet::from_bits(r.get(4)?),
            valid: range(r, 5)?,
            case_required: r.get(7)?,
        };
        out.entry(SystemId(r.get(0)?)).or_default().insert(code, procedure);
        Ok(true)
    })?;
    Ok(out)
}

fn plans(tx: &mut Tx<'_>) -> Result<BySystem<Plan>> {
    let mut out = BySystem::new();
    let sql = "SELECT p.id, p.system, p.services, p.in_hours, p.off_hours, p.own_count, \
               p.valid_from, p.valid_to, c.in_from, c.in_to, c.off_from, c.off_to \
               FROM plan p LEFT JOIN plan_clock c ON c.plan = p.id ORDER BY p.id";
    let clock = |r: &Row<'_>, covered: usize, from: usize| -> Result<Option<ClockRange>> {
        match (r.get(covered)?, r.get(from)?, r.get(from + 1)?) {
            (false, ..) => Ok(None),
            (true, Some(from), Some(to)) => match ClockRange::new(from, to) {
                Some(range) => Ok(Some(range)),
                None => Err(Error::Damaged("plan_clock")),
            },
            (true, ..) => Ok(Some(ClockRange::WHOLE)),
        }
    };
    tx.each(sql, &[], |r| {
        out.entry(SystemId(r.get(1)?)).or_default().push(Plan {
            id: PlanId(r.get(0)?),
            services: ServiceSet(r.get(2)?),
            hours: [clock(r, 3, 8)?, clock(r, 4, 10)?],
            own_count: r.get(5)?,
            valid: range(r, 6)?,
        });
        Ok(true)
    })?;
    Ok(out)
}

fn shared_officers(tx: &mut Tx<'_>, key: &Key) -> Result<BySystem<SharedOfficer>> {
    let mut out = BySystem::new();
    let sql = "SELECT system, sealed, account, until_day FROM shared_officer";
    tx.each(sql, &[], |r| {
        let until = r.get::<String>(3)?;
        let account = AccountId(r.get(2)?);
        let mut sealed: Vec<u8> = r.get(1)?;
        let value = key.seal.open(&aad("shared_officer", account.0), &mut sealed)?.to_vec();
        out.entry(SystemId(r.get(0)?)).or_default().push(SharedOfficer {
            value: String::from_utf8(value).map_err(|_| Error::Damaged("shared_officer"))?,
            account,
            until: until.parse().map_err(|_| Error::Damaged("shared_officer.until_day"))?,
        });
        Ok(true)
    })?;
    Ok(out)
}

fn range(r: &Row<'_>, first: usize) -> Result<DateRange> {
    let day = |i: usize| -> Result<_> {
        r.get::<Option<String>>(i)?
            .map(|t| t.parse().map_err(|_| Error::Damaged("date")))
            .transpose()
    };
    Ok(DateRange { from: day(first)?, to: day(first + 1)? })
}

fn number<T>(
    r: &Row<'_>,
    column: usize,
    what: &'static str,
    from: fn(u8) -> Option<T>,
) -> Result<T> {
    from(r.get(column)?).ok_or(Error::Damaged(what))
}

fn parsed<T, E>(
    r: &Row<'_>,
    column: usize,
    what: &'static str,
    parse: fn(&str) -> Result<T, E>,
) -> Result<T> {
    parse(&r.get::<String>(column)?).map_err(|_| Error::Damaged(what))
}

fn channels(text: &str) -> Result<Vec<Channel>> {
    text.split_terminator(',')
        .map(|word| match word {
            "api" => Ok(Channel::Api),
            "portal" => Ok(Channel::Portal),
            "oneStop" => Ok(Channel::OneStop),
            "writtenRequest" => Ok(Channel::WrittenRequest),
            "documentAxis" => Ok(Channel::DocumentAxis),
            "sms" => Ok(Channel::Sms),
            _ => Err(Error::Damaged("system.channel_exceptions")),
        })
        .collect()
}

pub(crate) const fn channel_word(channel: Channel) -> &'static str {
    match channel {
        Channel::Api => "api",
        Channel::Portal => "portal",
        Channel::OneStop => "oneStop",
        Channel::WrittenRequest => "writtenRequest",
        Channel::DocumentAxis => "documentAxis",
        Channel::Sms => "sms",
    }
}

#[cfg(test)]
mod tests {
    use dancu_domain::dossier::{Clearance, Ground};
    use dancu_domain::registration::{CertificateMode, Certificates};
    use rusqlite::Connection;

    use super::*;

    const SHARED: &str = "nguyễn thị mẫu";
    const LOGIN: &str = "mau.canbo1";

    fn system() -> System {
        let account = Account {
            daily: 10,
            services: ServiceSet(1),
            ..Account::new(AccountId(7), Login::parse(LOGIN).unwrap(), AccountKind::System)
        };
        System {
            state: ConnectionState::Live,
            accounts: AccountList::new(vec![account]),
            shared_officers: vec![SharedOfficer {
                value: SHARED.into(),
                account: AccountId(7),
                until: "2027-12-31".parse().unwrap(),
            }],
            certificates: Certificates { mode: CertificateMode::Required, sha256: vec![[7; 32]] },
            ..System::new(
                SystemId(3),
                SystemCode::parse("MAU").unwrap(),
                UnitCode::parse("H26.001").unwrap(),
                Group::State,
            )
        }
    }

    fn registered(db: &mut Connection) -> Keyring {
        crate::sqlite::migrate(db, crate::sqlite::Area::Core).unwrap();
        db.execute_batch("INSERT INTO ledger_head VALUES (1, 0, 0, 0, 0)").unwrap();
        let keys = Keyring::new(&[9; 32]).unwrap();
        let names = ["Nguyễn Thị Mẫu".into()];
        let mut tx = Tx::from(&*db);
        let without = write::insert_system(&mut tx, &keys, &system(), &names);
        assert!(matches!(without, Err(Error::Refused(_))), "B3: live without a clearance");
        let clearance = Clearance::exempt(Ground::SyntheticPeople, "thử nghiệm", "Mẫu").unwrap();
        write::insert_cleared(&mut tx, &keys, (&system(), &names), &clearance).unwrap();
        keys
    }

    #[test]
    fn nothing_of_a_person_stands_in_clear() {
        let path = std::env::temp_dir().join(format!("dancu-policy-{}.db", std::process::id()));
        let mut db = Connection::open(&path).unwrap();
        let keys = registered(&mut db);
        let read = snapshot(&mut Tx::from(&db), &keys, Moment(0)).unwrap();
        let shared = &read.by_id(SystemId(3)).unwrap().shared_officers[0];
        assert_eq!((shared.value.as_str(), shared.account), (SHARED, AccountId(7)));
        drop(db);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        for secret in [SHARED, LOGIN, "Nguyễn Thị Mẫu"] {
            let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!found, "stands in clear");
        }
    }

    #[test]
    fn changed_certificates_end_what_was_proved_before() {
        let mut db = Connection::open_in_memory().unwrap();
        let keys = registered(&mut db);
        let read = |db: &Connection| {
            let read = snapshot(&mut Tx::from(db), &keys, Moment(0)).unwrap();
            let system = read.by_id(SystemId(3)).unwrap();
            (system.certificates.clone(), system.credential_version)
        };
        assert_eq!(read(&db), (system().certificates, 1));
        let two = Certificates { mode: CertificateMode::Optional, sha256: vec![[7; 32], [8; 32]] };
        let set = |db: &Connection, id| {
            let change = |before: &Certificates| {
                assert_eq!(before, &system().certificates, "as it is registered now");
                Ok(two.clone())
            };
            write::change_certificates(&mut Tx::from(db), &keys, SystemId(id), change)
        };
        set(&db, 3).unwrap();
        assert_eq!(read(&db), (two.clone(), 2));
        assert!(matches!(set(&db, 4), Err(Error::Final(_))), "no such system");
        write::set_system_state(&mut Tx::from(&db), SystemId(3), ConnectionState::Closed).unwrap();
        assert!(matches!(set(&db, 3), Err(Error::Final(_))), "a closed connection");
    }

    #[test]
    fn rule_b3_rule_e3_final_states_stay() {
        let mut db = Connection::open_in_memory().unwrap();
        registered(&mut db);
        let id = SystemId(3);
        write::set_system_state(&mut Tx::from(&db), id, ConnectionState::Suspended).unwrap();
        write::set_system_state(&mut Tx::from(&db), id, ConnectionState::Closed).unwrap();
        for state in [ConnectionState::Live, ConnectionState::Suspended, ConnectionState::Closed] {
            let again = write::set_system_state(&mut Tx::from(&db), id, state);
            assert!(matches!(again, Err(Error::Final(_))), "{state:?}");
        }
        let id = AccountId(7);
        write::set_account_state(&mut Tx::from(&db), id, AccountState::Locked).unwrap();
        write::set_account_state(&mut Tx::from(&db), id, AccountState::Revoked).unwrap();
        for state in [AccountState::Live, AccountState::Locked, AccountState::Revoked] {
            let again = write::set_account_state(&mut Tx::from(&db), id, state);
            assert!(matches!(again, Err(Error::Final(_))), "{state:?}");
        }
    }
}
