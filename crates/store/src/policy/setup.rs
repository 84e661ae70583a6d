//! What a dossier sets up (B3): a connection that goes live, with services, lines, procedures and
//! accounts as its dossier says. Runs inside an act of the ledger.

use dancu_domain::dossier::{Clearance, DossierNumber, Ground, Registration};
use dancu_domain::ids::{AccountId, LineId, SystemCode, SystemId};
use dancu_domain::registration::{Channel, ConnectionState, Group, Line, ServiceGrant};
use dancu_domain::service::Window;
use hashbrown::HashSet;
use serde::{Deserialize, Serialize};

use super::accounts::{self, Listed};
use super::{channel_word, channels, write};
use crate::engine::Tx;
use crate::error::{Error, Result};
use crate::keys::{Keyring, Purpose};
use crate::people::sealed::Place;
use crate::store::Store;
use crate::values;

/// As it is sealed in `system_clearance.sealed`.
#[derive(Serialize, Deserialize)]
struct ClearanceRecord {
    evidence: String,
    approver: String,
}

/// Why a connection went live, as it was recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recorded {
    /// The word of the ground.
    pub ground: String,
    /// The dossier.
    pub dossier: Option<DossierNumber>,
    /// What shows it.
    pub evidence: String,
    /// Who approved.
    pub approver: String,
}

/// The system with a code, closed ones too; case does not count.
pub fn by_code(tx: &mut Tx<'_>, code: &SystemCode) -> Result<Option<SystemId>> {
    // Of several, the one that is written like it.
    let sql = "SELECT id FROM system WHERE LOWER(code) = $1 \
               ORDER BY CASE WHEN code = $2 THEN 0 ELSE 1 END, id LIMIT 1";
    let folded = code.as_str().to_ascii_lowercase();
    tx.optional(sql, values![folded, code.as_str()], |r| Ok(SystemId(r.get(0)?)))
}

/// Sets a connection that is being prepared live. One that is live already stays so; one that is
/// suspended or locked too, until that ends.
///
/// # Errors
/// [`Error::Final`] where it is closed or there is none.
pub fn go_live(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    system: SystemId,
    clearance: &Clearance,
) -> Result<()> {
    match write::system_state(tx, system)? {
        None | Some(ConnectionState::Closed) => Err(Error::Final("kết nối đã đóng (closed)")),
        Some(ConnectionState::Preparing) => {
            let live = values![ConnectionState::Live as u8, system.0];
            tx.execute("UPDATE system SET state = $1 WHERE id = $2", live)?;
            record(tx, keys, system, clearance)
        }
        Some(_) => Ok(()),
    }
}

/// Sets the group (A1) of a system and the channel beyond it that was approved (A2). One that is
/// being prepared has no other: what an earlier dossier asked for was not approved.
pub fn set_access(
    tx: &mut Tx<'_>,
    system: SystemId,
    group: Group,
    beyond: Option<Channel>,
) -> Result<()> {
    let sql = "SELECT channel_exceptions FROM system WHERE id = $1 AND state <> $2";
    let preparing = ConnectionState::Preparing as u8;
    let kept =
        tx.optional(sql, values![system.0, preparing], |r| channels(&r.get::<String>(0)?))?;
    let mut exceptions = kept.unwrap_or_default();
    if let Some(channel) = beyond.filter(|channel| !exceptions.contains(channel)) {
        exceptions.push(channel);
    }
    let words: Vec<&str> = exceptions.iter().map(|c| channel_word(*c)).collect();
    let sql = "UPDATE system SET user_group = $1, channel_exceptions = $2 WHERE id = $3";
    tx.execute(sql, values![group as u8, words.join(","), system.0])?;
    Ok(())
}

/// Writes down why a connection is live.
pub(super) fn record(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    system: SystemId,
    clearance: &Clearance,
) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let record = ClearanceRecord {
        evidence: clearance.evidence().to_owned(),
        approver: clearance.approver().to_owned(),
    };
    let dossier = match clearance.ground() {
        Ground::Dossier(number) => Some(number.0),
        _ => None,
    };
    let sealed = place(system).seal(&key, &record, &[])?;
    tx.execute(
        "INSERT INTO system_clearance (system, ground, dossier, sealed) VALUES ($1, $2, $3, $4)",
        values![system.0, clearance.ground().code(), dossier, sealed],
    )?;
    Ok(())
}

impl Store {
    /// Whether it is kept why a connection went live. Waits for the database.
    ///
    /// # Errors
    /// The store failed.
    pub fn is_cleared(&self, system: SystemId) -> Result<bool> {
        let sql = "SELECT COUNT(*) FROM system_clearance WHERE system = $1";
        let mut db = self.core.reader()?;
        let kept: i64 = db.tx().one(sql, values![system.0], |r| r.get(0))?;
        Ok(kept > 0)
    }
}

/// Why a connection went live; none before, and where it was not kept yet.
pub fn clearance(tx: &mut Tx<'_>, keys: &Keyring, system: SystemId) -> Result<Option<Recorded>> {
    let Some(key) = keys.get(Purpose::Policy, 0) else { return Ok(None) };
    let sql = "SELECT ground, dossier, sealed FROM system_clearance WHERE system = $1";
    tx.optional(sql, values![system.0], |r| {
        let record = place(system).open::<ClearanceRecord>(&key, r, 2)?.record;
        Ok(Recorded {
            ground: r.get(0)?,
            dossier: r.get::<Option<u32>>(1)?.map(DossierNumber),
            evidence: record.evidence,
            approver: record.approver,
        })
    })
}

/// Sets services, lines and procedures of a system to what its dossier says, and adds the accounts
/// whose logins its list never held; those that it holds or held are kept by their own desk (E3).
/// Services that were registered before keep their wire code, lines their number, counts and
/// raises. Gives the new accounts.
pub fn register(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    system: SystemId,
    wanted: &Registration,
) -> Result<Vec<AccountId>> {
    let sql = "SELECT service FROM service_grant WHERE system = $1";
    let before: Vec<u8> = tx.query(sql, values![system.0], |r| r.get(0))?;
    for service in &before {
        if wanted.grants.iter().all(|g| g.service as u8 != *service) {
            for window in [Window::InHours, Window::OffHours] {
                drop_line(tx, (system, *service, window))?;
            }
            let sql = "DELETE FROM service_grant WHERE system = $1 AND service = $2";
            tx.execute(sql, values![system.0, *service])?;
        }
    }
    wanted.grants.iter().try_for_each(|g| grant(tx, system, g, &before))?;
    tx.execute("DELETE FROM procedure WHERE system = $1", values![system.0])?;
    wanted.procedures.iter().try_for_each(|p| write::insert_procedure(tx, system, p))?;
    let held = accounts::of_system(tx, keys, system)?;
    // Revoked ones too: whoever left does not come back with an older list (E3).
    let held: HashSet<String> = held.iter().map(|l| l.account.login.folded()).collect();
    let new = wanted.accounts.iter().filter(|(a, ..)| !held.contains(&a.login.folded()));
    let new: Vec<Listed> = new
        .map(|(account, full_name, phone)| Listed {
            account: account.clone(),
            full_name: full_name.clone(),
            phone: phone.clone(),
        })
        .collect();
    accounts::insert(tx, keys, system, &new)
}

fn grant(tx: &mut Tx<'_>, system: SystemId, g: &ServiceGrant, before: &[u8]) -> Result<()> {
    let service = g.service as u8;
    if before.contains(&service) {
        let sql = "UPDATE service_grant SET fields = $1 WHERE system = $2 AND service = $3";
        tx.execute(sql, values![g.fields.bits(), system.0, service])?;
    } else {
        tx.execute(
            "INSERT INTO service_grant (system, service, ma_tich_hop, fields) \
             VALUES ($1, $2, $3, $4)",
            values![system.0, service, g.ma_tich_hop, g.fields.bits()],
        )?;
    }
    for window in [Window::InHours, Window::OffHours] {
        match g.line(window) {
            Some(line) => set_line(tx, (system, service, window), line)?,
            None => drop_line(tx, (system, service, window))?,
        }
    }
    Ok(())
}

type Place3 = (SystemId, u8, Window);

fn line_at(tx: &mut Tx<'_>, (system, service, window): Place3) -> Result<Option<LineId>> {
    let sql = "SELECT id FROM line WHERE system = $1 AND service = $2 AND off_hours = $3";
    tx.optional(sql, values![system.0, service, window as u8], |r| Ok(LineId(r.get(0)?)))
}

fn set_line(tx: &mut Tx<'_>, at: Place3, line: &Line) -> Result<()> {
    if let Some(id) = line_at(tx, at)? {
        tx.execute("UPDATE line SET daily = $1 WHERE id = $2", values![line.daily, id.0])?;
        return Ok(());
    }
    // A number that a line had which is gone counts on in that line's days: it is not given again.
    let sql = "SELECT (SELECT COALESCE(MAX(id), 0) FROM line), \
               (SELECT COALESCE(MAX(line), 0) FROM line_day)";
    let (lines, days): (u32, u32) = tx.one(sql, &[], |r| Ok((r.get(0)?, r.get(1)?)))?;
    let id = lines.max(days).checked_add(1).ok_or(Error::Damaged("line.id"))?;
    tx.execute(
        "INSERT INTO line (id, system, service, off_hours, daily) VALUES ($1, $2, $3, $4, $5)",
        values![id, at.0.0, at.1, at.2 as u8, line.daily],
    )?;
    Ok(())
}

fn drop_line(tx: &mut Tx<'_>, at: Place3) -> Result<()> {
    if let Some(id) = line_at(tx, at)? {
        tx.execute("DELETE FROM raise WHERE line = $1", values![id.0])?;
        tx.execute("DELETE FROM line WHERE id = $1", values![id.0])?;
    }
    Ok(())
}

fn place(system: SystemId) -> Place {
    Place::numbered("system_clearance.sealed", i64::from(system.0))
}
