//! Changes to what is registered. Each runs inside an act of the ledger, which raises the policy
//! epoch in the same transaction.

use dancu_domain::dossier::Clearance;
use dancu_domain::ids::{AccountId, LineId, PlanId, SystemId};
use dancu_domain::moment::{DutyDay, Moment};
use dancu_domain::plans::ClockRange;
use dancu_domain::registration::{
    Account, AccountState, ConnectionState, DateRange, Line, Plan, Procedure, Raise, ServiceGrant,
    SharedOfficer, System,
};
use dancu_domain::service::Window;

pub use super::credentials::change_certificates;
use super::{AccountRecord, aad, access, channel_word, setup};
use crate::engine::Tx;
use crate::error::{Error, Result};
use crate::keys::{Keyring, Purpose, random};
use crate::values;

/// Why a connection does not go live (B3).
const NOT_CLEARED: &str = "kết nối chưa từng hoạt động, chỉ hoạt động khi hồ sơ được phê \
    duyệt hoặc có miễn trừ được ghi nhận (never live: its dossier or a recorded exemption sets it \
    live, B3)";

/// Registers a whole system that is being prepared: its own ids and those of its parts are kept as
/// given.
///
/// # Errors
/// [`Error::Refused`] where it is in any other state: that needs a clearance
/// ([`insert_cleared`]).
pub fn insert_system(tx: &mut Tx<'_>, keys: &Keyring, s: &System, names: &[String]) -> Result<()> {
    if s.state != ConnectionState::Preparing {
        return Err(Error::Refused(NOT_CLEARED.into()));
    }
    insert(tx, keys, s, names)
}

/// Registers a whole system in whatever state, with why it may be live (B3).
pub fn insert_cleared(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    (s, names): (&System, &[String]),
    clearance: &Clearance,
) -> Result<()> {
    insert(tx, keys, s, names)?;
    setup::record(tx, keys, s.id, clearance)
}

fn insert(tx: &mut Tx<'_>, keys: &Keyring, s: &System, names: &[String]) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let plain = access::close(&access::of(s))?;
    let sealed = key.seal.seal(nonce()?, &aad("system", s.id.0), &plain)?;
    let exceptions: Vec<&str> = s.channel_exceptions.iter().map(|c| channel_word(*c)).collect();
    tx.execute(
        "INSERT INTO system (id, code, unit, user_group, state, channel_exceptions, request_ids, \
         verify_shape, lgsp_shape, credential_version, access) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        values![
            s.id.0,
            s.code.as_str(),
            s.unit.as_str(),
            s.group as u8,
            s.state as u8,
            exceptions.join(","),
            s.request_ids as u8,
            s.verify_shape as u8,
            s.lgsp_shape,
            s.credential_version,
            sealed
        ],
    )?;
    s.plans.iter().try_for_each(|p| insert_plan(tx, s.id, p))?;
    s.services.iter().flatten().try_for_each(|g| insert_grant(tx, s.id, g))?;
    for (i, account) in s.accounts.iter().enumerate() {
        let name = names.get(i).map_or("", String::as_str);
        insert_account(tx, keys, s.id, account, name, "")?;
    }
    s.shared_officers.iter().try_for_each(|shared| insert_shared(tx, keys, s.id, shared))?;
    s.procedures.values().try_for_each(|p| insert_procedure(tx, s.id, p))
}

/// Stores a value by which questions of a system name an account (MaCanBo).
pub fn insert_shared(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    system: SystemId,
    s: &SharedOfficer,
) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    // The value may be a person's name or id.
    let aad = aad("shared_officer", s.account.0);
    let digest = key.digest16(&[b"shared_officer", s.value.as_bytes()]);
    tx.execute(
        "INSERT INTO shared_officer (system, digest, sealed, account, until_day) \
         VALUES ($1, $2, $3, $4, $5)",
        values![
            system.0,
            digest,
            key.seal.seal(nonce()?, &aad, s.value.as_bytes())?,
            s.account.0,
            s.until.to_string()
        ],
    )?;
    Ok(())
}

fn insert_grant(tx: &mut Tx<'_>, system: SystemId, g: &ServiceGrant) -> Result<()> {
    tx.execute(
        "INSERT INTO service_grant (system, service, ma_tich_hop, fields) \
         VALUES ($1, $2, $3, $4)",
        values![system.0, g.service as u8, g.ma_tich_hop, g.fields.bits()],
    )?;
    for window in [Window::InHours, Window::OffHours] {
        if let Some(Line { id, daily, .. }) = g.line(window) {
            tx.execute(
                "INSERT INTO line (id, system, service, off_hours, daily) \
                 VALUES ($1, $2, $3, $4, $5)",
                values![id.0, system.0, g.service as u8, window as u8, daily],
            )?;
        }
    }
    Ok(())
}

pub(super) fn insert_account(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    system: SystemId,
    a: &Account,
    full_name: &str,
    phone: &str,
) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let personal = AccountRecord {
        login: a.login.clone(),
        officer_code: a.officer_code.clone(),
        citizen_id: a.citizen_id,
        full_name: full_name.to_owned(),
        phone: phone.to_owned(),
    };
    let sealed = key.seal.seal(nonce()?, &aad("account", a.id.0), &personal.to_bytes()?)?;
    tx.queue(
        "INSERT INTO account (id, system, kind, state, daily, services, valid_from, valid_to, \
         plan, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        values![
            a.id.0,
            system.0,
            a.kind as u8,
            a.state as u8,
            a.daily,
            a.services.0,
            a.valid.from.map(|d| d.to_string()),
            a.valid.to.map(|d| d.to_string()),
            a.plan.map(|p| p.0),
            sealed
        ],
    )
}

pub(super) fn insert_procedure(tx: &mut Tx<'_>, system: SystemId, p: &Procedure) -> Result<()> {
    tx.execute(
        "INSERT INTO procedure (system, code, purpose, services, fields, valid_from, valid_to, \
         case_required) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        values![
            system.0,
            p.code.as_str(),
            p.purpose.as_ref().map(dancu_domain::ids::Purpose::as_str),
            p.services.0,
            p.fields.bits(),
            p.valid.from.map(|d| d.to_string()),
            p.valid.to.map(|d| d.to_string()),
            p.case_required
        ],
    )?;
    Ok(())
}

/// Registers a job plan (D5): in force for the next question.
pub fn insert_plan(tx: &mut Tx<'_>, system: SystemId, p: &Plan) -> Result<()> {
    tx.execute(
        "INSERT INTO plan (id, system, services, in_hours, off_hours, own_count, valid_from, \
         valid_to) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        values![
            p.id.0,
            system.0,
            p.services.0,
            p.hours[0].is_some(),
            p.hours[1].is_some(),
            p.own_count,
            p.valid.from.map(|d| d.to_string()),
            p.valid.to.map(|d| d.to_string())
        ],
    )?;
    let [inside, off] = p.hours;
    tx.execute(
        "INSERT INTO plan_clock (plan, in_from, in_to, off_from, off_to) \
         VALUES ($1, $2, $3, $4, $5)",
        values![
            p.id.0,
            inside.map(ClockRange::from),
            inside.map(ClockRange::to),
            off.map(ClockRange::from),
            off.map(ClockRange::to)
        ],
    )?;
    Ok(())
}

/// The days of a registered plan; none where there is no such plan.
pub fn plan_days(tx: &mut Tx<'_>, plan: PlanId) -> Result<Option<DateRange>> {
    let sql = "SELECT valid_from, valid_to FROM plan WHERE id = $1";
    tx.optional(sql, values![plan.0], |r| super::range(r, 0))
}

/// Sets the last day of a registered plan: of one that ends early the day before.
pub fn end_plan(tx: &mut Tx<'_>, plan: PlanId, last: DutyDay) -> Result<()> {
    let last = last.date().to_string();
    tx.execute("UPDATE plan SET valid_to = $1 WHERE id = $2", values![last, plan.0])?;
    Ok(())
}

/// A line with the raises that are not over at `now`, as it stands in this transaction: what an
/// act may change is decided over this, not over a snapshot, which another act may have overtaken.
///
/// # Errors
/// [`Error::Final`] where there is none.
pub fn line(tx: &mut Tx<'_>, line: LineId, now: Moment) -> Result<Line> {
    let sql = "SELECT daily FROM line WHERE id = $1";
    let daily = tx.optional(sql, values![line.0], |r| r.get(0))?;
    let daily = daily.ok_or(Error::Final("dòng không còn (no such line)"))?;
    let mut raises = vec![];
    let sql = "SELECT extra, approved_at, from_at, to_at FROM raise WHERE line = $1 AND to_at > $2";
    tx.each(sql, values![line.0, now.0], |r| {
        raises.push(Raise {
            extra: r.get(0)?,
            approved_at: Moment(r.get(1)?),
            from: Moment(r.get(2)?),
            to: Moment(r.get(3)?),
        });
        Ok(true)
    })?;
    Ok(Line { id: line, daily, raises })
}

/// Grants a temporary raise of a line (D8): in force at once, ends by itself. Who granted it and
/// why belongs into the act's entry.
pub fn insert_raise(tx: &mut Tx<'_>, line: LineId, raise: Raise) -> Result<()> {
    tx.execute(
        "INSERT INTO raise (line, extra, approved_at, from_at, to_at) \
         VALUES ($1, $2, $3, $4, $5)",
        values![line.0, raise.extra, raise.approved_at.0, raise.from.0, raise.to.0],
    )?;
    Ok(())
}

/// Sets a connection's state (B3). A closed connection stays closed, and one that was never live
/// may only be closed: it goes live by [`setup::go_live`].
///
/// # Errors
/// [`Error::Final`] where it is closed or there is none, [`Error::Refused`] where it was never
/// live or would be as if it never was: the act is undone with it.
pub fn set_system_state(tx: &mut Tx<'_>, system: SystemId, state: ConnectionState) -> Result<()> {
    let (preparing, closed) = (ConnectionState::Preparing, ConnectionState::Closed);
    let before = system_state(tx, system)?.unwrap_or(closed);
    if before == closed {
        return Err(Error::Final("kết nối đã đóng (closed)"));
    }
    if state == preparing || (before == preparing && state != closed) {
        return Err(Error::Refused(NOT_CLEARED.into()));
    }
    tx.execute("UPDATE system SET state = $1 WHERE id = $2", values![state as u8, system.0])?;
    Ok(())
}

/// Sets an account's state (E3). A revoked account stays revoked.
///
/// # Errors
/// [`Error::Final`] where it is revoked or there is none: the act is undone with it.
pub fn set_account_state(tx: &mut Tx<'_>, account: AccountId, state: AccountState) -> Result<()> {
    let sql = "UPDATE account SET state = $1 WHERE id = $2 AND state <> $3";
    let changed = tx.execute(sql, values![state as u8, account.0, AccountState::Revoked as u8])?;
    if changed == 1 { Ok(()) } else { Err(Error::Final("tài khoản đã thu hồi (revoked)")) }
}

/// A connection's state as it stands in this transaction; none where there is no such system.
pub fn system_state(tx: &mut Tx<'_>, system: SystemId) -> Result<Option<ConnectionState>> {
    let sql = "SELECT state FROM system WHERE id = $1";
    let found = tx.optional(sql, values![system.0], |r| {
        super::number(r, 0, "system.state", ConnectionState::from_number)
    })?;
    Ok(found)
}

/// An account's state as it stands in this transaction; none where there is no such account.
pub fn account_state(tx: &mut Tx<'_>, account: AccountId) -> Result<Option<AccountState>> {
    let sql = "SELECT state FROM account WHERE id = $1";
    let found = tx.optional(sql, values![account.0], |r| {
        super::number(r, 0, "account.state", AccountState::from_number)
    })?;
    Ok(found)
}

/// The highest row ids in use: systems, lines, accounts, plans.
pub fn highest_ids(tx: &mut Tx<'_>) -> Result<(SystemId, LineId, AccountId, PlanId)> {
    let sql = "SELECT (SELECT COALESCE(MAX(id), 0) FROM system), \
               (SELECT COALESCE(MAX(id), 0) FROM line), \
               (SELECT COALESCE(MAX(id), 0) FROM account), \
               (SELECT COALESCE(MAX(id), 0) FROM plan)";
    tx.one(sql, &[], |r| {
        Ok((SystemId(r.get(0)?), LineId(r.get(1)?), AccountId(r.get(2)?), PlanId(r.get(3)?)))
    })
}

pub(super) fn nonce() -> Result<[u8; 12]> {
    let mut nonce = [0; 12];
    random(&mut nonce)?;
    Ok(nonce)
}
