//! Sessions: found by the digest of their cookie, judged by what the person's row says in the same
//! query.
//!
//! Only when it was begun and last seen stands beside the sealed document, which holds all that a
//! decision goes by: whoever writes into the table gives nobody rights.

use std::net::IpAddr;

use dancu_domain::people::session::{InForce, SESSION_MS, Session, SessionNumber};
use dancu_domain::people::{Epoch, MachineTime, PersonId};
use serde::{Deserialize, Serialize};

use super::record::{class_number, class_of};
use super::rows::{CHANGED, constrained};
use super::sealed::{self, Place};
use super::{SessionRow, agent};
use crate::engine::{Row, Tx};
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose};
use crate::values;

/// Sessions of one person that are read, the newest first: one is in force, the others wait to be
/// forgotten.
pub const SESSIONS_READ: u32 = 50;
/// What [`Error::Final`] says of a session that is not there any more.
pub const SESSION_OVER: &str = "phiên đã kết thúc (the session is over)";

/// Rows deleted in one transaction: about 2 ms of work for the writer.
const FORGET_AT_ONCE: u32 = 1_000;

/// A session with what its person's row says now, in the order that [`read_live`] reads.
pub(super) const BY_MARK: &str = "SELECT s.mark, s.person, s.seen_at, s.sealed, p.epoch, \
    p.session_number FROM portal_session s JOIN portal_person p ON p.id = s.person \
    WHERE s.mark = $1";
pub(super) const OF_PERSON: &str = "SELECT mark, person, seen_at, sealed FROM portal_session \
    WHERE person = $1 ORDER BY began_at DESC, mark LIMIT $2";
pub(super) const IN_FORCE: &str = "SELECT epoch, session_number FROM portal_person WHERE id = $1";

/// A session as it is sealed in `portal_session.sealed`.
#[derive(Serialize, Deserialize)]
struct SessionRecord {
    person: u32,
    number: u64,
    class: u8,
    epoch: u32,
    began: i64,
    mfa: Option<i64>,
    locked: bool,
    source: IpAddr,
    agent: String,
    device: Option<[u8; 32]>,
}

/// The number for a person's next session.
///
/// # Errors
/// [`Error::Final`] where there is no such person.
pub fn next_session_number(tx: &mut Tx<'_>, person: PersonId) -> Result<SessionNumber> {
    let now = in_force(tx, person)?.ok_or(Error::Final("không có người này (no such person)"))?;
    Ok(SessionNumber(now.number.0 + 1))
}

/// What a person's row says of sessions: the epoch, and the number in force.
pub fn in_force(tx: &mut Tx<'_>, person: PersonId) -> Result<Option<InForce>> {
    tx.optional(IN_FORCE, values![person.0], |r| read_in_force(r, 0))
}

/// Stores a session that began and puts its number in force: the person's session before is over
/// from this transaction on (E2), and its row stays until it is forgotten, so that whoever holds
/// its cookie is told why.
///
/// # Errors
/// [`Error::Refused`] with [`CHANGED`] where the person's epoch is not the session's any more, or
/// the number is not above the one in force: read the person and the number in this transaction.
pub fn begin_session(tx: &mut Tx<'_>, keys: &Keyring, row: &SessionRow) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let session = &row.session;
    let changed = tx.execute(
        "UPDATE portal_person SET session_number = $1 \
         WHERE id = $2 AND epoch = $3 AND session_number < $1",
        values![session.number.0.cast_signed(), session.person.0, session.epoch.0],
    )?;
    if changed != 1 {
        return Err(Error::Refused(CHANGED.into()));
    }
    let sealed = place(&row.mark).seal(&key, &SessionRecord::of(row), &[])?;
    let inserted = tx.execute(
        "INSERT INTO portal_session (mark, person, began_at, seen_at, sealed) \
         VALUES ($1, $2, $3, $4, $5)",
        values![row.mark, session.person.0, session.began.0, session.seen.0, sealed],
    );
    inserted.map(drop).map_err(|error| constrained(error, CHANGED))
}

/// A session by the digest of its cookie, and what is in force now: whether it goes on says
/// [`Session::request`].
pub fn session(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    mark: &[u8; 32],
) -> Result<Option<(SessionRow, InForce)>> {
    let key = sealed::key(keys)?;
    tx.optional(BY_MARK, values![mark], |r| read_live(r, &key))
}

/// Stores a session that was changed: locked, unlocked, carried to another epoch, a factor given.
/// Read it in the same transaction; when it was last seen never goes back.
///
/// # Errors
/// [`Error::Final`] with [`SESSION_OVER`] where it is not there any more.
pub fn save_session(tx: &mut Tx<'_>, keys: &Keyring, row: &SessionRow) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let place = place(&row.mark);
    let sql = "SELECT sealed FROM portal_session WHERE mark = $1";
    let found = tx.lock_row(sql, values![row.mark], |r| place.open::<SessionRecord>(&key, r, 0))?;
    let before = found.ok_or(Error::Final(SESSION_OVER))?;
    let plain = place.plain(&SessionRecord::of(row), before.rest())?;
    // A key seals a limited number of documents: what did not change is not sealed anew.
    if plain != before.plain {
        let sql = "UPDATE portal_session SET sealed = $1 WHERE mark = $2";
        tx.execute(sql, values![place.seal_plain(&key, &plain)?, row.mark])?;
    }
    seen_session(tx, &row.mark, row.session.seen).map(drop)
}

/// Notes that the person did something in a session: a small write of its own, at most once a
/// minute, which changes nothing else, so that it undoes nobody's lock. Whether it is still there.
pub fn seen_session(tx: &mut Tx<'_>, mark: &[u8; 32], seen: MachineTime) -> Result<bool> {
    let sql = "UPDATE portal_session SET seen_at = CASE WHEN seen_at < $1 THEN $1 ELSE seen_at END \
               WHERE mark = $2";
    Ok(tx.execute(sql, values![seen.0, mark])? == 1)
}

/// Ends a session; whether there was one.
pub fn end_session(tx: &mut Tx<'_>, mark: &[u8; 32]) -> Result<bool> {
    let sql = "DELETE FROM portal_session WHERE mark = $1";
    Ok(tx.execute(sql, values![mark])? == 1)
}

/// Sessions of a person that are not forgotten, the newest first, at most [`SESSIONS_READ`]; the
/// one that [`in_force`] names is alive, the others are not.
pub fn sessions_of(tx: &mut Tx<'_>, keys: &Keyring, person: PersonId) -> Result<Vec<SessionRow>> {
    let key = sealed::key(keys)?;
    tx.query(OF_PERSON, values![person.0, SESSIONS_READ], |r| read(r, &key))
}

/// The session of a person that goes on, where there is one: that of the number and the epoch in
/// force, while its 12 hours last. A person has no second one (E2).
pub fn alive(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    person: PersonId,
    machine: MachineTime,
) -> Result<Option<SessionRow>> {
    let Some(now) = in_force(tx, person)? else { return Ok(None) };
    let all = sessions_of(tx, keys, person)?;
    let goes_on =
        |s: &Session| (s.number, s.epoch) == (now.number, now.epoch) && s.left_ms(machine) > 0;
    Ok(all.into_iter().find(|row| goes_on(&row.session)))
}

/// Deletes every session of a person: their cookies are then unknown ones. A new epoch alone ends
/// them too, and tells why. Returns how many of them were [`alive`]: before the epoch rises.
pub fn end_sessions(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    person: PersonId,
    machine: MachineTime,
) -> Result<u32> {
    let ended = alive(tx, keys, person, machine)?;
    tx.execute("DELETE FROM portal_session WHERE person = $1", values![person.0])?;
    Ok(u32::from(ended.is_some()))
}

/// Forgets sessions whose 12 hours were over before an instant, some at a time. Returns how many
/// went; fewer than a thousand: those were all.
pub fn forget_sessions(tx: &mut Tx<'_>, before: MachineTime) -> Result<u32> {
    let gone = tx.execute(
        "DELETE FROM portal_session WHERE mark IN (SELECT mark FROM portal_session \
         WHERE began_at < $1 ORDER BY began_at LIMIT $2)",
        values![before.plus_ms(-SESSION_MS).0, FORGET_AT_ONCE],
    )?;
    Ok(u32::try_from(gone).unwrap_or(u32::MAX))
}

/// Whether so many were all that there was to forget.
pub(super) const fn were_all(gone: u32) -> bool {
    gone < FORGET_AT_ONCE
}

impl SessionRecord {
    fn of(row: &SessionRow) -> Self {
        let session = &row.session;
        Self {
            person: session.person.0,
            number: session.number.0,
            class: class_number(session.class),
            epoch: session.epoch.0,
            began: session.began.0,
            mfa: session.mfa.map(|at| at.0),
            locked: session.locked,
            source: row.source,
            agent: agent(&row.agent).to_owned(),
            device: row.device,
        }
    }
}

pub(super) fn read(r: &Row<'_>, key: &Key) -> Result<SessionRow> {
    let mark: [u8; 32] = r.get(0)?;
    let place = place(&mark);
    let record = place.open::<SessionRecord>(key, r, 3)?.record;
    if record.person != r.get::<u32>(1)? {
        return Err(Error::Damaged("portal_session.person"));
    }
    let session = Session {
        number: SessionNumber(record.number),
        person: PersonId(record.person),
        class: class_of(record.class).ok_or(place.damaged())?,
        epoch: Epoch(record.epoch),
        began: MachineTime(record.began),
        seen: MachineTime(r.get(2)?),
        mfa: record.mfa.map(MachineTime),
        locked: record.locked,
    };
    let SessionRecord { source, agent, device, .. } = record;
    Ok(SessionRow { mark, session, source, agent, device })
}

pub(super) fn read_live(r: &Row<'_>, key: &Key) -> Result<(SessionRow, InForce)> {
    Ok((read(r, key)?, read_in_force(r, 4)?))
}

pub(super) fn read_in_force(r: &Row<'_>, first: usize) -> Result<InForce> {
    let number = SessionNumber(r.get::<i64>(first + 1)?.cast_unsigned());
    Ok(InForce { epoch: Epoch(r.get(first)?), number })
}

fn place(mark: &[u8; 32]) -> Place {
    Place::marked("portal_session.sealed", mark)
}

#[cfg(test)]
mod tests {
    use dancu_testdb::Server;
    use rusqlite::Connection;

    use super::*;
    use crate::engine::{Db, Postgres, Settings, migrate};
    use crate::people::rows::{BY_LOGIN, LEADERS, LOCKED, OF_UNIT};
    use crate::policy::accounts::OF_SYSTEM as ACCOUNTS;
    use crate::sqlite::{Area, for_sqlite};

    /// What every request asks reads no table whole, whoever has signed in; nor does a list of
    /// accounts, of the locked, of who leads a unit.
    #[test]
    fn sessions_and_people_are_found_by_an_index() {
        let file = Connection::open_in_memory().unwrap();
        file.execute_batch(&for_sqlite(Area::Core.latest())).unwrap();
        let database = Server::shared().database("sessions", |url| {
            let settings = Settings::new(url).map_err(|e| e.to_string())?;
            let mut db = Db::from(Postgres::connect(&settings).map_err(|e| e.to_string())?);
            migrate::migrate(&mut db, Area::Core).map(drop).map_err(|e| e.to_string())
        });
        let settings = Settings::new(&database.url()).unwrap();
        let mut server = Db::from(Postgres::connect(&settings).unwrap());
        // An empty table is read whole unless that is forbidden.
        server.tx().execute("SET enable_seqscan = off", &[]).unwrap();
        let forget = "DELETE FROM portal_session WHERE mark IN (SELECT mark FROM portal_session \
                      WHERE began_at < 5 ORDER BY began_at LIMIT 9)";
        for (db, explain, column, whole) in [
            (&mut Db::from(file), "EXPLAIN QUERY PLAN", 3, "SCAN"),
            (&mut server, "EXPLAIN", 0, "Seq Scan"),
        ] {
            for text in
                [BY_MARK, OF_PERSON, IN_FORCE, BY_LOGIN, OF_UNIT, LOCKED, LEADERS, ACCOUNTS, forget]
            {
                // The plan depends on no value: any of the right kind stands for it.
                let bytes =
                    if db.engine() == crate::engine::Engine::Sqlite { "x'00'" } else { "''" };
                let bound = text.replace("mark = $1", &format!("mark = {bytes}"));
                let bound = bound.replace("login = $1", &format!("login = {bytes}"));
                let bound = bound.replace("unit = $1", &format!("unit = {bytes}"));
                let sql = format!("{explain} {}", bound.replace("$1", "1").replace("$2", "2"));
                let plan = db.tx().query(&sql, &[], |r| r.get::<String>(column)).unwrap();
                assert!(!plan.join("\n").contains(whole), "{text}\n{plan:?}");
            }
        }
    }
}
