//! What people are told: notices, who reads them, the mail about them, and where people are mailed.
//!
//! A notice is written in the transaction of the act that it is about ([`insert`]), so that neither
//! is there without the other; handing it out ([`deliver`]) and mailing it come afterwards and may
//! be repeated. Nothing is decided here: who is told how soon says
//! [`dancu_domain::notices`].
//!
//! **Invariant:** what a notice says, to whom, and addresses of e-mail stand sealed, each bound to
//! its table and row.
//! **Invariant:** what has a mark is told once, whoever finds it how often.

mod contacts;
mod mail;

use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::notices::{Audience, Notice, Side};
use dancu_domain::people::PersonId;
use serde::{Deserialize, Serialize};

pub use self::contacts::{
    BOUNCE_KEPT_MS, CODE_TRIES, Contact, Pending, bounced_at, contact, note_bounce, save_contact,
};
pub use self::mail::{
    CODE, Ended, Job, MAIL_READ, end_mail, enqueue, forget_mail, job, postpone, replace_code,
};
use crate::engine::{Row, Tx};
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose};
use crate::people::sealed::{self, Place};
use crate::store::Store;
use crate::values;

/// How long a notice is kept, ms (*ours*): two quarters, so that the quarterly review (B9) sees the
/// last one; the record of what happened is the journal.
pub const KEPT_MS: i64 = 184 * DAY_MS;
/// Notices that are handed out in one step.
pub const SPREAD_MAX: u32 = 32;
/// Notices of a page.
pub const INBOX_READ: u32 = 50;
/// Notices that are counted as unread at most: above it a page says "more".
pub const UNREAD_MAX: u32 = 100;
/// Old notices that go in one transaction, with their readers: some ten thousand rows.
const FORGET_MAX: u32 = 200;

const TO_SPREAD: &str =
    "SELECT id, made_at, sealed FROM notice WHERE spread = 0 AND id > $1 ORDER BY id LIMIT $2";
const BY_ID: &str = "SELECT id, made_at, sealed FROM notice WHERE id = $1";
const INBOX: &str = "SELECT n.id, n.made_at, n.sealed, r.side, r.read_at FROM notice_reader r \
    JOIN notice n ON n.id = r.notice WHERE r.person = $1 AND r.notice < $2 \
    ORDER BY r.notice DESC LIMIT $3";
const UNREAD: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM notice_reader \
    WHERE person = $1 AND read_at IS NULL LIMIT $2) AS some_unread";
const OLD: &str = "SELECT id FROM notice WHERE made_at < $1 AND spread = 1 \
    AND id < (SELECT MAX(id) FROM notice) ORDER BY id LIMIT $2";

/// A notice as it is sealed in `notice.sealed`.
#[derive(Serialize, Deserialize)]
struct NoticeRecord {
    to: Vec<Audience>,
    notice: Notice,
}

/// A notice that was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// The row id, in the order in which they were written.
    pub id: i64,
    /// When, by the product's clock.
    pub at: Moment,
    /// To whom.
    pub to: Vec<Audience>,
    /// What.
    pub notice: Notice,
}

/// A notice as one person has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    /// The notice's row id.
    pub id: i64,
    /// When it was written.
    pub at: Moment,
    /// As what the person is told.
    pub side: Side,
    /// When the person read it.
    pub read: Option<Moment>,
    /// What.
    pub notice: Notice,
}

/// A mark by which something is told once: of a line on a day, of a credential's end.
pub fn mark(keys: &Keyring, parts: &[&[u8]]) -> Result<[u8; 16]> {
    let key = sealed::key(keys)?;
    let mut all: Vec<&[u8]> = vec![b"notice.mark"];
    for part in parts {
        all.extend([b"\0".as_slice(), part]);
    }
    Ok(key.digest16(&all))
}

/// Writes a notice, to be handed out; false where its mark was told already.
pub fn insert(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    at: Moment,
    mark: Option<[u8; 16]>,
    (to, notice): (&[Audience], &Notice),
) -> Result<bool> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let id: i64 = tx.one("SELECT COALESCE(MAX(id), 0) + 1 FROM notice", &[], |r| r.get(0))?;
    let record = NoticeRecord { to: to.to_vec(), notice: notice.clone() };
    let sealed = place(id).seal(&key, &record, &[])?;
    let sql = "INSERT INTO notice (id, mark, made_at, sealed) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (mark) DO NOTHING";
    Ok(tx.execute(sql, values![id, mark, at.0, sealed])? == 1)
}

/// Somebody to whom a notice is handed out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reader {
    /// Who.
    pub person: PersonId,
    /// As what.
    pub side: Side,
    /// The mail about it, where there is one: whether it is gathered, and when it is due.
    pub mail: Option<(bool, Moment)>,
}

/// Hands a notice out to some of its readers: each has it from now on, and is mailed, once. With
/// the `last` of them it is not to be handed out any more.
pub fn deliver(
    tx: &mut Tx<'_>,
    (notice, made): (i64, Moment),
    readers: &[Reader],
    last: bool,
) -> Result<()> {
    let mut next = mail::next_mail(tx)?;
    for Reader { person, side, mail } in readers {
        // Somebody who is told as two things reads it as the first.
        let new = tx.execute(
            "INSERT INTO notice_reader (person, notice, side) VALUES ($1, $2, $3) \
             ON CONFLICT (person, notice) DO NOTHING",
            values![person.0, notice, *side as u8],
        )?;
        if let Some((daily, due)) = mail.filter(|_| new == 1) {
            mail::insert_mail(tx, next, (*person, notice), daily, (made, due))?;
            next += 1;
        }
    }
    if last {
        tx.execute("UPDATE notice SET spread = 1 WHERE id = $1", values![notice])?;
    }
    Ok(())
}

/// Whether a notice waits to be handed out, in the transaction that does it.
pub fn is_waiting(tx: &mut Tx<'_>, notice: i64) -> Result<bool> {
    let sql = "SELECT spread FROM notice WHERE id = $1";
    Ok(tx.optional(sql, values![notice], |r| r.get::<i64>(0))? == Some(0))
}

/// Marks one notice of a person as read.
pub fn mark_read(tx: &mut Tx<'_>, person: PersonId, notice: i64, at: Moment) -> Result<()> {
    let sql = "UPDATE notice_reader SET read_at = $1 \
               WHERE person = $2 AND notice = $3 AND read_at IS NULL";
    tx.execute(sql, values![at.0, person.0, notice])?;
    Ok(())
}

/// Marks what a person has seen as read: everything up to a notice, and none that came meanwhile.
pub fn mark_all_read(tx: &mut Tx<'_>, person: PersonId, last: i64, at: Moment) -> Result<()> {
    let sql = "UPDATE notice_reader SET read_at = $1 \
               WHERE person = $2 AND notice <= $3 AND read_at IS NULL";
    tx.execute(sql, values![at.0, person.0, last])?;
    Ok(())
}

/// Forgets notices that were written before an instant, a little at a time; how many went. The
/// newest stays: numbers never come again.
pub fn forget(tx: &mut Tx<'_>, before: Moment) -> Result<u32> {
    let old: Vec<i64> = tx.query(OLD, values![before.0, FORGET_MAX], |r| r.get(0))?;
    for id in &old {
        tx.execute("DELETE FROM notice_reader WHERE notice = $1", values![*id])?;
        tx.execute("DELETE FROM notice WHERE id = $1", values![*id])?;
    }
    Ok(u32::try_from(old.len()).unwrap_or(u32::MAX))
}

/// Notices as they stand now, read from asynchronous code.
#[derive(Clone, Copy)]
pub struct Notices<'a> {
    store: &'a Store,
}

impl Store {
    /// What people are told.
    pub const fn notices(&self) -> Notices<'_> {
        Notices { store: self }
    }
}

impl Notices<'_> {
    /// Notices behind one that are to be handed out, with when they were written, the oldest first;
    /// at most [`SPREAD_MAX`]. What this program cannot read is told by its number alone.
    pub async fn to_spread(self, after: i64) -> Result<Vec<(i64, Moment, Option<Told>)>> {
        let key = sealed::key(&self.store.keys)?;
        let read = |r: &Row<'_>| Ok((r.get(0)?, Moment(r.get(1)?), read(r, &key).ok()));
        self.store.look(TO_SPREAD, values![after, SPREAD_MAX], read).await
    }

    /// A notice; none where it was forgotten.
    pub async fn notice(self, id: i64) -> Result<Option<Told>> {
        let key = sealed::key(&self.store.keys)?;
        let found = self.store.look(BY_ID, values![id], |r| read(r, &key)).await?;
        Ok(found.into_iter().next())
    }

    /// Notices of a person before one, the newest first; at most [`INBOX_READ`]. Those that this
    /// program does not know are left out.
    pub async fn inbox(self, person: PersonId, before: i64) -> Result<Vec<Letter>> {
        self.letters(person, before, INBOX_READ).await
    }

    /// A notice as a person has it; none where it was forgotten.
    pub async fn letter(self, person: PersonId, notice: i64) -> Result<Option<Letter>> {
        let found = self.letters(person, notice.saturating_add(1), 1).await?;
        Ok(found.into_iter().next().filter(|letter| letter.id == notice))
    }

    async fn letters(self, person: PersonId, before: i64, limit: u32) -> Result<Vec<Letter>> {
        let key = sealed::key(&self.store.keys)?;
        let read = |r: &Row<'_>| {
            let Ok(told) = read(r, &key) else { return Ok(None) };
            let side = Side::from_number(r.get(3)?).ok_or(Error::Damaged("notice_reader.side"))?;
            let read = r.get::<Option<i64>>(4)?.map(Moment);
            Ok(Some(Letter { id: told.id, at: told.at, side, read, notice: told.notice }))
        };
        let found = self.store.look(INBOX, values![person.0, before, limit], read).await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// How many a person has not read, at most [`UNREAD_MAX`]: one look into an index.
    pub async fn unread(self, person: PersonId) -> Result<u32> {
        let found = self.store.look(UNREAD, values![person.0, UNREAD_MAX], |r| r.get(0)).await?;
        Ok(found.into_iter().next().unwrap_or(0))
    }
}

fn read(r: &Row<'_>, key: &Key) -> Result<Told> {
    let id = r.get(0)?;
    let NoticeRecord { to, notice } = place(id).open(key, r, 2)?.record;
    Ok(Told { id, at: Moment(r.get(1)?), to, notice })
}

fn place(id: i64) -> Place {
    Place::numbered("notice.sealed", id)
}
