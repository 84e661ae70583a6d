//! Rows of people, written and read.

use dancu_domain::ids::{Login, PersonalId, UnitCode};
use dancu_domain::people::account::Phase;
use dancu_domain::people::grants::Grant;
use dancu_domain::people::roles::{Home, Role};
use dancu_domain::people::{Epoch, PersonId, UNIT_OF_CITIZENS};

use super::record::PersonRecord;
use super::sealed::{self, Opened, Place};
use super::{Person, Revision};
use crate::engine::{Kind, Row, Tx};
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose};
use crate::values;

/// What [`Error::Refused`] says where a login belongs to somebody already.
pub const LOGIN_TAKEN: &str = "tên đăng nhập đã có người dùng (the login is taken)";
/// What [`Error::Refused`] says where the row was changed since it was read: read it again.
pub const CHANGED: &str =
    "người dùng vừa được thay đổi, hãy tải lại (the person was changed meanwhile: load again)";

/// What digests of units begin with.
const UNIT: &[u8] = b"portal_person.unit\0";

/// Columns in the order that [`read`] reads.
pub(super) const BY_ID: &str =
    "SELECT id, revision, epoch, sealed FROM portal_person WHERE id = $1";
/// People that one statement reads by their ids: it has one text, however many are asked for.
pub(super) const IDS: usize = 16;
pub(super) const BY_IDS: &str = "SELECT id, revision, epoch, sealed FROM portal_person WHERE id IN \
     ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
pub(super) const BY_LOGIN: &str =
    "SELECT id, revision, epoch, sealed FROM portal_person WHERE login = $1";
pub(super) const OF_UNIT: &str =
    "SELECT id, revision, epoch, sealed FROM portal_person WHERE unit = $1 ORDER BY id";
pub(super) const PAGE: &str = "SELECT id, revision, epoch, sealed FROM portal_person \
                               WHERE id > $1 AND unit <> $2 ORDER BY id LIMIT $3";

pub(super) const OF_PERSONAL_ID: &str = "SELECT id, revision, epoch, sealed FROM portal_person \
                                         WHERE personal_id = $1 AND id > $2 ORDER BY id LIMIT $3";

/// People of one personal id that are read at a time: one person has an account as a citizen, one
/// of staff, and those that were revoked.
pub const OF_PERSONAL_ID_MAX: u32 = 64;

pub(super) const LOCKED: &str = "SELECT id, revision, epoch, sealed FROM portal_person \
                                 WHERE locked = 1 AND id > $1 ORDER BY id LIMIT $2";

pub(super) const LEADERS: &str = "SELECT id, revision, epoch, sealed FROM portal_person \
                                  WHERE leads = 1 AND unit = $1 ORDER BY id";

/// Rows of before say 1 until they are written again; citizens have no such role.
pub(super) const CENTRE: &str = "SELECT id, revision, epoch, sealed FROM portal_person \
                                 WHERE centre = 1 AND unit <> $1 ORDER BY id";

/// Tells anew of a slice of rows whether somebody holds a role that the centre gives: rows of
/// before say nothing sure of it until they are saved. Gives the last row that was looked at; none
/// where all were.
pub(super) fn mend_centre(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    after: PersonId,
    limit: u32,
) -> Result<Option<PersonId>> {
    let key = sealed::key(keys)?;
    let citizens = citizens_digest(&key);
    let some = tx.query(PAGE, values![after.0, citizens, limit], |r| read(r, &key))?;
    for person in &some {
        let holds = u8::from(by_centre(person));
        let sql = "UPDATE portal_person SET centre = $1 WHERE id = $2 AND centre <> $3";
        tx.execute(sql, values![holds, person.id.0, holds])?;
    }
    Ok(some.last().map(|person| person.id))
}

/// The number of the next new person: 1 and up, never one that was given.
pub fn next_id(tx: &mut Tx<'_>) -> Result<PersonId> {
    let sql = "SELECT COALESCE(MAX(id), 0) FROM portal_person";
    let highest: u32 = tx.one(sql, &[], |r| r.get(0))?;
    Ok(PersonId(highest.checked_add(1).ok_or(Error::Damaged("portal_person.id"))?))
}

/// Stores a new person.
///
/// # Errors
/// [`Error::Refused`] with [`LOGIN_TAKEN`] where somebody has the login, whatever the case of its
/// letters and whichever node let them in; revoked people keep theirs.
pub fn insert(tx: &mut Tx<'_>, keys: &Keyring, person: &Person) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let login = login_digest(&key, &person.login);
    free(tx, &login, person.id)?;
    let place = place(person.id);
    let record = PersonRecord::of(person).ok_or(place.damaged())?;
    let sealed = place.seal(&key, &record, &[])?;
    let inserted = tx.execute(
        "INSERT INTO portal_person \
         (id, login, unit, epoch, session_number, revision, sealed, personal_id, locked, leads, \
         centre) VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8, $9, $10)",
        values![
            person.id.0,
            login,
            unit_digest(&key, &person.unit),
            person.account.epoch.0,
            person.revision.0,
            sealed,
            personal_id_digest(&key, person),
            is_locked(person),
            leads(person),
            u8::from(by_centre(person))
        ],
    );
    inserted.map(drop).map_err(|error| constrained(error, LOGIN_TAKEN))
}

/// Stores a person who was changed. Read, change and save belong into one transaction of the
/// ledger; to save again, read again.
///
/// # Errors
/// [`Error::Refused`] with [`CHANGED`] where the row is not the one that was read, or its epoch
/// would go back; with [`LOGIN_TAKEN`]. [`Error::Final`] where there is no such person.
pub fn save(tx: &mut Tx<'_>, keys: &Keyring, person: &Person) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let found = tx.lock_row(BY_ID, values![person.id.0], |r| stored(r, &key))?;
    let before = found.ok_or(Error::Final("không có người này (no such person)"))?;
    let goes_back = before.opened.record.epoch() > person.account.epoch;
    if before.revision != person.revision || goes_back {
        return Err(Error::Refused(CHANGED.into()));
    }
    let login = login_digest(&key, &person.login);
    free(tx, &login, person.id)?;
    let place = place(person.id);
    let mut record = PersonRecord::of(person).ok_or(place.damaged())?;
    let rest = before.opened.rest().to_vec();
    record.keep_unknown(before.opened.record);
    let sealed = place.seal(&key, &record, &rest)?;
    let next = person.revision.0.checked_add(1).ok_or(Error::Damaged("portal_person.revision"))?;
    let saved = tx.execute(
        "UPDATE portal_person SET login = $1, unit = $2, epoch = $3, revision = $4, sealed = $5, \
         personal_id = $6, locked = $7, leads = $8, centre = $9 WHERE id = $10",
        values![
            login,
            unit_digest(&key, &person.unit),
            person.account.epoch.0,
            next,
            sealed,
            personal_id_digest(&key, person),
            is_locked(person),
            leads(person),
            u8::from(by_centre(person)),
            person.id.0
        ],
    );
    saved.map(drop).map_err(|error| constrained(error, LOGIN_TAKEN))
}

/// A person by the row id.
pub fn by_id(tx: &mut Tx<'_>, keys: &Keyring, id: PersonId) -> Result<Option<Person>> {
    let key = sealed::key(keys)?;
    tx.optional(BY_ID, values![id.0], |r| read(r, &key))
}

/// A person by the login, whatever the case of its letters; revoked people too.
pub fn by_login(tx: &mut Tx<'_>, keys: &Keyring, login: &Login) -> Result<Option<Person>> {
    let key = sealed::key(keys)?;
    tx.optional(BY_LOGIN, values![login_digest(&key, login)], |r| read(r, &key))
}

/// Everybody of a unit, revoked people too, in the order of their ids. Units below it are units
/// of their own.
pub fn of_unit(tx: &mut Tx<'_>, keys: &Keyring, unit: &UnitCode) -> Result<Vec<Person>> {
    let key = sealed::key(keys)?;
    tx.query(OF_UNIT, values![unit_digest(&key, unit)], |r| read(r, &key))
}

/// Heads and deputies of a unit, those of other days and revoked ones too, in the order of their
/// ids: nobody else's record is opened for it.
pub fn leaders_of(tx: &mut Tx<'_>, keys: &Keyring, unit: &UnitCode) -> Result<Vec<Person>> {
    let key = sealed::key(keys)?;
    tx.query(LEADERS, values![unit_digest(&key, unit)], |r| read(r, &key))
}

/// At most `limit` people after one, in the order of their ids; `PersonId(0)` begins. Citizens are
/// not among them: there may be millions.
pub fn all(tx: &mut Tx<'_>, keys: &Keyring, after: PersonId, limit: u32) -> Result<Vec<Person>> {
    let key = sealed::key(keys)?;
    let citizens = citizens_digest(&key);
    tx.query(PAGE, values![after.0, citizens, limit], |r| read(r, &key))
}

/// A row as it was found.
struct Stored {
    id: PersonId,
    revision: Revision,
    opened: Opened<PersonRecord>,
}

fn stored(r: &Row<'_>, key: &Key) -> Result<Stored> {
    let id = PersonId(r.get(0)?);
    let place = place(id);
    let opened = place.open::<PersonRecord>(key, r, 3)?;
    // Sessions live by the row's: one that was turned back would bring dead ones to life.
    if opened.record.epoch() != Epoch(r.get(2)?) {
        return Err(Error::Damaged("portal_person.epoch"));
    }
    Ok(Stored { id, revision: Revision(r.get(1)?), opened })
}

pub(super) fn read(r: &Row<'_>, key: &Key) -> Result<Person> {
    let Stored { id, revision, opened } = stored(r, key)?;
    opened.record.person(id, revision).ok_or(place(id).damaged())
}

/// Refuses a login that another person has.
fn free(tx: &mut Tx<'_>, login: &[u8; 16], person: PersonId) -> Result<()> {
    let sql = "SELECT id FROM portal_person WHERE login = $1 AND id <> $2";
    match tx.optional(sql, values![login, person.0], |r| r.get::<u32>(0))? {
        Some(_) => Err(Error::Refused(LOGIN_TAKEN.into())),
        None => Ok(()),
    }
}

/// What a constraint of the schema refuses is the act's fault, not the database's.
pub(super) fn constrained(error: Error, text: &str) -> Error {
    if error.kind() == Some(Kind::Constraint) { Error::Refused(text.into()) } else { error }
}

/// Everybody with a personal id, as [`People::of_personal_id`](super::People::of_personal_id).
pub fn of_personal_id(tx: &mut Tx<'_>, keys: &Keyring, id: PersonalId) -> Result<Vec<Person>> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let digest = id_digest(&key, id);
    tx.query(OF_PERSONAL_ID, values![digest, 0u32, OF_PERSONAL_ID_MAX], |r| read(r, &key))
}

fn place(id: PersonId) -> Place {
    Place::numbered("portal_person.sealed", id.0.into())
}

pub(super) fn login_digest(key: &Key, login: &Login) -> [u8; 16] {
    key.digest16(&[b"portal_person.login\0", login.folded().as_bytes()])
}

/// Whether a lock for security stops the account (D6).
fn is_locked(person: &Person) -> u8 {
    u8::from(matches!(&person.account.phase, Phase::Open(stops) if stops.lock.is_some()))
}

/// Whether the person is head or deputy of a unit on some day.
fn leads(person: &Person) -> u8 {
    let heads = |grant: &Grant| matches!(grant.role, Role::Head | Role::Deputy);
    u8::from(person.grants.all().iter().any(heads))
}

/// Whether the person holds a role of the centre on some day.
pub(super) fn of_centre(person: &Person) -> bool {
    person.grants.all().iter().any(|grant| grant.role.row().home == Home::Centre)
}

/// Whether the person holds a role that the centre gives, on some day.
pub(super) fn by_centre(person: &Person) -> bool {
    person.grants.all().iter().any(|grant| Role::GIVEN.contains(&grant.role))
}

/// Of the personal id, where the person has one.
fn personal_id_digest(key: &Key, person: &Person) -> Option<[u8; 16]> {
    person.personal_id.map(|id| id_digest(key, id))
}

pub(super) fn id_digest(key: &Key, id: PersonalId) -> [u8; 16] {
    key.digest16(&[b"portal_person.personal_id\0", &id.number().to_be_bytes()])
}

pub(super) fn citizens_digest(key: &Key) -> [u8; 16] {
    key.digest16(&[UNIT, UNIT_OF_CITIZENS.as_bytes()])
}

pub(super) fn unit_digest(key: &Key, unit: &UnitCode) -> [u8; 16] {
    key.digest16(&[UNIT, unit.as_str().as_bytes()])
}
