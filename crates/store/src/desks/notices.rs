//! Notices of revocations (E3): the operator of an agency's own software is told, and confirms
//! that the account is closed there too.

use dancu_domain::ids::{Login, SystemId};
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;

use super::{Desks, RevocationNotice, constrained, next};
use crate::engine::{Row, Tx};
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose};
use crate::people::sealed::{self, Place};
use crate::values;

/// Notices that one look gives at most: a page of work for a person (*ours*).
pub const NOTICES_READ: u32 = 500;

const BY_ID: &str = "SELECT id, system, person, made_by, made_at, confirmed_by, confirmed_at, \
    sealed FROM revocation_notice WHERE id = $1";
const OPEN: &str = "SELECT id, system, person, made_by, made_at, confirmed_by, confirmed_at, \
    sealed FROM revocation_notice WHERE system = $1 AND confirmed_at IS NULL ORDER BY id LIMIT $2";
const ABOUT: &str = "SELECT id, system, person, made_by, made_at, confirmed_by, confirmed_at, \
    sealed FROM revocation_notice WHERE person = $1 ORDER BY id DESC LIMIT $2";

/// Stores a new notice, not confirmed; gives its id.
pub fn insert_notice(tx: &mut Tx<'_>, keys: &Keyring, notice: &RevocationNotice) -> Result<i64> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let id = next(tx, "SELECT COALESCE(MAX(id), 0) FROM revocation_notice")?;
    let inserted = tx.execute(
        "INSERT INTO revocation_notice (id, system, person, made_by, made_at, sealed) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        values![
            id,
            notice.system.0,
            notice.person.0,
            notice.by.0,
            notice.at.0,
            place(id).seal(&key, &notice.login, &[])?
        ],
    );
    inserted.map_err(constrained)?;
    Ok(id)
}

/// Confirms a notice.
///
/// # Errors
/// [`Error::Final`] where it is confirmed or there is none.
pub fn confirm_notice(tx: &mut Tx<'_>, id: i64, by: PersonId, at: Moment) -> Result<()> {
    let sql = "UPDATE revocation_notice SET confirmed_by = $1, confirmed_at = $2 \
               WHERE id = $3 AND confirmed_at IS NULL";
    match tx.execute(sql, values![by.0, at.0, id])? {
        1 => Ok(()),
        _ => Err(Error::Final("đã được xác nhận (it is confirmed)")),
    }
}

/// A notice.
pub fn notice(tx: &mut Tx<'_>, keys: &Keyring, id: i64) -> Result<Option<RevocationNotice>> {
    let key = sealed::key(keys)?;
    tx.optional(BY_ID, values![id], |r| read(r, &key))
}

/// Notices of a system that wait to be confirmed, the oldest first; at most [`NOTICES_READ`].
pub fn open_notices(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    system: SystemId,
) -> Result<Vec<RevocationNotice>> {
    let key = sealed::key(keys)?;
    tx.query(OPEN, values![system.0, NOTICES_READ], |r| read(r, &key))
}

/// Notices about a person, confirmed or not, the newest first; at most [`NOTICES_READ`].
pub fn notices_about(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    person: PersonId,
) -> Result<Vec<RevocationNotice>> {
    let key = sealed::key(keys)?;
    tx.query(ABOUT, values![person.0, NOTICES_READ], |r| read(r, &key))
}

impl Desks<'_> {
    /// [`notice`].
    pub async fn notice(self, id: i64) -> Result<Option<RevocationNotice>> {
        let key = sealed::key(&self.store.keys)?;
        let found = self.store.look(BY_ID, values![id], |r| read(r, &key)).await?;
        Ok(found.into_iter().next())
    }

    /// [`open_notices`].
    pub async fn open_notices(self, system: SystemId) -> Result<Vec<RevocationNotice>> {
        let key = sealed::key(&self.store.keys)?;
        let values = values![system.0, NOTICES_READ];
        self.store.look(OPEN, values, |r| read(r, &key)).await
    }

    /// [`notices_about`].
    pub async fn notices_about(self, person: PersonId) -> Result<Vec<RevocationNotice>> {
        let key = sealed::key(&self.store.keys)?;
        let values = values![person.0, NOTICES_READ];
        self.store.look(ABOUT, values, |r| read(r, &key)).await
    }
}

fn read(r: &Row<'_>, key: &Key) -> Result<RevocationNotice> {
    let id = r.get(0)?;
    Ok(RevocationNotice {
        id,
        system: SystemId(r.get(1)?),
        person: PersonId(r.get(2)?),
        login: place(id).open::<Login>(key, r, 7)?.record,
        by: PersonId(r.get(3)?),
        at: Moment(r.get(4)?),
        confirmed_by: r.get::<Option<u32>>(5)?.map(PersonId),
        confirmed_at: r.get::<Option<i64>>(6)?.map(Moment),
    })
}

fn place(id: i64) -> Place {
    Place::numbered("revocation_notice.sealed", id)
}
