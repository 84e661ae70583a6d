//! Mail that is to be sent, and what became of it.

use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::people::PersonId;

use super::Notices;
use crate::engine::{Row, Tx};
use crate::error::{Error, Result};
use crate::values;

/// Mails that one look gives at most: more than a server takes in one turn of the worker.
pub const MAIL_READ: u32 = 64;
/// Notices that one daily mail gathers at most; the rest comes the next turn.
const DAILY_READ: u32 = 512;
/// The notice of a mail with the code of a new address: none is numbered 0.
pub const CODE: i64 = 0;
/// How long it is kept what became of a mail, ms (*ours*): a bounce comes within days.
const ENDED_KEPT_MS: i64 = 30 * DAY_MS;

const DUE: &str = "SELECT id, person, notice, daily, made_at, due_at, attempts, state \
    FROM mail_job WHERE state = 0 AND daily = $1 AND due_at <= $2 ORDER BY due_at, id LIMIT $3";
const DAILY: &str = "SELECT id, person, notice, daily, made_at, due_at, attempts, state \
    FROM mail_job WHERE state = 0 AND daily = 1 AND person = $1 AND due_at <= $2 \
    ORDER BY id LIMIT $3";
const BY_ID: &str = "SELECT id, person, notice, daily, made_at, due_at, attempts, state \
    FROM mail_job WHERE id = $1";
const GIVEN_UP: &str = "SELECT id, person, notice, daily, made_at, due_at, attempts, state \
    FROM mail_job WHERE state = 2 ORDER BY id DESC LIMIT $1";
const WAITING: &str = "SELECT COUNT(*) FROM mail_job WHERE state = 0 AND attempts > 0";

/// What became of a mail.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Ended {
    /// The server took it.
    Sent = 1,
    /// The server refused it, or was down for too long: an operator looks at it.
    GivenUp = 2,
    /// The person has no address that was confirmed: it stands in the portal.
    NoAddress = 3,
}

impl Ended {
    const ALL: [Self; 3] = [Self::Sent, Self::GivenUp, Self::NoAddress];
}

/// A mail to a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    /// The row id.
    pub id: i64,
    /// To whom.
    pub person: PersonId,
    /// About which notice; [`CODE`] = the code of a new address.
    pub notice: i64,
    /// Whether it goes with the others of its hour.
    pub daily: bool,
    /// Since when.
    pub made: Moment,
    /// From when on it is tried.
    pub due: Moment,
    /// Tries so far.
    pub attempts: u32,
    /// What became of it; none while it waits.
    pub ended: Option<Ended>,
}

/// Puts a mail into the queue.
pub fn enqueue(
    tx: &mut Tx<'_>,
    to: (PersonId, i64),
    daily: bool,
    at: (Moment, Moment),
) -> Result<()> {
    let id = next_mail(tx)?;
    insert_mail(tx, id, to, daily, at)
}

impl Notices<'_> {
    /// How many mails by themselves were made for a person since a moment.
    pub async fn mailed_since(self, person: PersonId, since: Moment) -> Result<u32> {
        let sql = "SELECT COUNT(*) FROM mail_job \
                   WHERE person = $1 AND daily = 0 AND made_at >= $2";
        let found = self.store.look(sql, values![person.0, since.0], |r| r.get(0)).await?;
        Ok(found.into_iter().next().unwrap_or_default())
    }
}

/// The number of the next mail.
pub(super) fn next_mail(tx: &mut Tx<'_>) -> Result<i64> {
    tx.one("SELECT COALESCE(MAX(id), 0) + 1 FROM mail_job", &[], |r| r.get(0))
}

/// Puts a mail into the queue under a number that is free.
pub(super) fn insert_mail(
    tx: &mut Tx<'_>,
    id: i64,
    (person, notice): (PersonId, i64),
    daily: bool,
    (made, due): (Moment, Moment),
) -> Result<()> {
    tx.execute(
        "INSERT INTO mail_job (id, person, notice, daily, made_at, due_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        values![id, person.0, notice, daily, made.0, due.0],
    )?;
    Ok(())
}

/// Takes back a code that waits to be mailed to a person: only the newest is good.
pub fn replace_code(tx: &mut Tx<'_>, person: PersonId, at: Moment) -> Result<()> {
    let sql = "UPDATE mail_job SET state = 3, ended_at = $1 \
               WHERE person = $2 AND notice = $3 AND state = 0";
    tx.execute(sql, values![at.0, person.0, CODE])?;
    Ok(())
}

/// Writes down what became of a mail that waits.
pub fn end_mail(tx: &mut Tx<'_>, id: i64, ended: Ended, at: Moment) -> Result<()> {
    let sql = "UPDATE mail_job SET state = $1, ended_at = $2, attempts = attempts + 1 \
               WHERE id = $3 AND state = 0";
    tx.execute(sql, values![ended as u8, at.0, id])?;
    Ok(())
}

/// A try more that failed; the next one comes then.
pub fn postpone(tx: &mut Tx<'_>, id: i64, due: Moment) -> Result<()> {
    let sql = "UPDATE mail_job SET due_at = $1, attempts = attempts + 1 \
               WHERE id = $2 AND state = 0";
    tx.execute(sql, values![due.0, id])?;
    Ok(())
}

/// A mail.
pub fn job(tx: &mut Tx<'_>, id: i64) -> Result<Option<Job>> {
    tx.optional(BY_ID, values![id], read)
}

/// Forgets what became of mails long ago. The newest row stays: numbers never come again, so that
/// a bounce of before is no other mail's.
pub fn forget_mail(tx: &mut Tx<'_>, now: Moment) -> Result<()> {
    let before = now.0 - ENDED_KEPT_MS;
    let sql = "DELETE FROM mail_job WHERE id IN (SELECT id FROM mail_job \
               WHERE ended_at < $1 AND id < (SELECT MAX(id) FROM mail_job) LIMIT 1000)";
    tx.execute(sql, values![before])?;
    // No node sends mail: what nobody took in all that time is not held for ever.
    let sql = "UPDATE mail_job SET state = 3, ended_at = $1 \
               WHERE state = 0 AND attempts = 0 AND due_at < $2";
    tx.execute(sql, values![now.0, before])?;
    Ok(())
}

impl Notices<'_> {
    /// Mails that are to be sent now, at most [`MAIL_READ`]: those that go alone before what is
    /// gathered, the longest due first.
    pub async fn due_mail(self, now: Moment) -> Result<Vec<Job>> {
        let mut due = self.store.look(DUE, values![false, now.0, MAIL_READ], read).await?;
        let left = MAIL_READ.saturating_sub(u32::try_from(due.len()).unwrap_or(MAIL_READ));
        if left > 0 {
            due.extend(self.store.look(DUE, values![true, now.0, left], read).await?);
        }
        Ok(due)
    }

    /// What is gathered for a person and to be sent now.
    pub async fn due_daily(self, person: PersonId, now: Moment) -> Result<Vec<Job>> {
        self.store.look(DAILY, values![person.0, now.0, DAILY_READ], read).await
    }

    /// A mail.
    pub async fn mail(self, id: i64) -> Result<Option<Job>> {
        Ok(self.store.look(BY_ID, values![id], read).await?.into_iter().next())
    }

    /// Mails that were given up, the newest first; at most [`MAIL_READ`].
    pub async fn given_up(self) -> Result<Vec<Job>> {
        self.store.look(GIVEN_UP, values![MAIL_READ], read).await
    }

    /// How many mails wait after a try that failed.
    pub async fn mail_held_up(self) -> Result<u64> {
        let found = self.store.look(WAITING, &[], |r| r.get::<i64>(0)).await?;
        Ok(found.into_iter().next().unwrap_or(0).unsigned_abs())
    }
}

fn read(r: &Row<'_>) -> Result<Job> {
    let state: u8 = r.get(7)?;
    let ended = Ended::ALL.into_iter().find(|ended| *ended as u8 == state);
    if ended.is_none() && state != 0 {
        return Err(Error::Damaged("mail_job.state"));
    }
    Ok(Job {
        id: r.get(0)?,
        person: PersonId(r.get(1)?),
        notice: r.get(2)?,
        daily: r.get(3)?,
        made: Moment(r.get(4)?),
        due: Moment(r.get(5)?),
        attempts: r.get(6)?,
        ended,
    })
}
