//! What is to be sent to an address, and what became of it.

use dancu_domain::moment::{DAY_MS, Moment};
use dancu_domain::notices::RETRY_FOR_MS;
use dancu_domain::registration::ConnectionState;
use dancu_domain::webhooks::{Event, Kind, Kinds, Outcome, Subject};

use super::{State, Webhooks};
use crate::engine::{Row, Tx};
use crate::error::{Error, Result};
use crate::values;

/// Addresses to which one transaction adds something: an announcement goes to all of them.
pub const QUEUE_MAX: u32 = 200;
/// Deliveries that a page lists.
pub const LISTED: u32 = 50;
/// Addresses that one look gives at most: more than are served in one turn.
const DUE_READ: u32 = 64;
/// How long it is kept what became of a delivery, ms (*ours*): as of mail.
const ENDED_KEPT_MS: i64 = 30 * DAY_MS;

const TO_SYSTEM: &str = "SELECT w.id, w.kinds FROM webhook w JOIN system s ON s.id = w.system \
    WHERE s.code = $1 AND s.state <> $2 AND w.state <> $3 AND w.id > $4 ORDER BY w.id LIMIT $5";
const TO_DOSSIER: &str = "SELECT w.id, w.kinds FROM webhook w \
    JOIN system s ON s.id = w.system JOIN dossier d ON d.system = w.system \
    WHERE d.id = $1 AND s.state <> $2 AND w.state <> $3 AND w.id > $4 ORDER BY w.id LIMIT $5";
const TO_ALL: &str = "SELECT w.id, w.kinds FROM webhook w JOIN system s ON s.id = w.system \
    WHERE s.state <> $1 AND w.state <> $2 AND w.id > $3 ORDER BY w.id LIMIT $4";
const NEXT: &str = "SELECT COALESCE(MAX(id), 0) + 1 FROM webhook_delivery";
const INSERT: &str = "INSERT INTO webhook_delivery (id, webhook, notice, kind, made_at, due_at) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (webhook, notice) DO NOTHING";
/// Of each address that may be sent to now; those that fail come after all others.
const DUE: &str = "SELECT w.id, MIN(d.due_at), \
    CASE WHEN w.failing_since IS NULL THEN 0 ELSE 1 END \
    FROM webhook_delivery d JOIN webhook w ON w.id = d.webhook \
    WHERE d.state = 0 AND d.due_at <= $1 AND w.state = 0 AND w.rest_until <= $2 \
    GROUP BY w.id, w.failing_since ORDER BY 3, 2, w.id LIMIT $3";
const FIRST: &str = "SELECT id, webhook, notice, kind, made_at, attempts FROM webhook_delivery \
    WHERE webhook = $1 AND state = 0 AND due_at <= $2 ORDER BY due_at, id LIMIT 1";
const LIST: &str = "SELECT id, kind, made_at, due_at, attempts, state, outcome, ms, tried_at \
    FROM webhook_delivery WHERE webhook = $1 ORDER BY id DESC LIMIT $2";
const WAITING: &str = "SELECT COUNT(*) FROM webhook_delivery WHERE state = 0";

/// What became of a delivery that is over.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Ended {
    /// The receiver has it.
    Delivered = 1,
    /// It was tried for long enough, or the address is sent nothing any more.
    GivenUp = 2,
}

impl Ended {
    const ALL: [Self; 2] = [Self::Delivered, Self::GivenUp];
}

/// A delivery that is to be tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    /// The row id.
    pub id: i64,
    /// To which address.
    pub webhook: i64,
    /// About which notice; none: a test.
    pub notice: Option<i64>,
    /// What it is about.
    pub kind: Kind,
    /// Since when.
    pub made: Moment,
    /// Tries so far.
    pub attempts: u32,
}

/// A delivery as a page lists it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// The row id.
    pub id: i64,
    /// What it is about.
    pub kind: Kind,
    /// Since when.
    pub made: Moment,
    /// From when on it is tried, while it waits.
    pub due: Moment,
    /// Tries so far.
    pub attempts: u32,
    /// What became of it; none while it waits.
    pub ended: Option<Ended>,
    /// What became of the last try, how long it took (ms), and when it was.
    pub last: Option<(Outcome, u32, Moment)>,
}

/// What follows for a delivery that was tried.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Next {
    /// It is over.
    Ended(Ended),
    /// Another try, from then on.
    Again(Moment),
}

/// A try.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tried {
    /// Of what.
    pub due: Due,
    /// What became of it.
    pub outcome: Outcome,
    /// How long it took.
    pub ms: u32,
    /// When it was over.
    pub at: Moment,
}

/// Writes down to whom an event about a notice is to be sent, for the addresses behind one, at most
/// [`QUEUE_MAX`] of them; gives the last of those while there may be more. An address that has it
/// already is not told again.
pub fn queue(
    tx: &mut Tx<'_>,
    event: &Event,
    (notice, made): (i64, Moment),
    after: i64,
) -> Result<Option<i64>> {
    let (closed, off) = (ConnectionState::Closed as u8, State::Off as u8);
    let read = |r: &Row<'_>| Ok((r.get(0)?, Kinds::from_bits(r.get(1)?)));
    let found: Vec<(i64, Kinds)> = match &event.subject {
        Subject::System(code) => {
            tx.query(TO_SYSTEM, values![code.as_str(), closed, off, after, QUEUE_MAX], read)?
        }
        Subject::Dossier(number) => {
            tx.query(TO_DOSSIER, values![number.0, closed, off, after, QUEUE_MAX], read)?
        }
        Subject::Everybody => tx.query(TO_ALL, values![closed, off, after, QUEUE_MAX], read)?,
    };
    if found.is_empty() {
        return Ok(None);
    }
    let mut id: i64 = tx.one(NEXT, &[], |r| r.get(0))?;
    for (webhook, _) in found.iter().filter(|(_, kinds)| kinds.has(event.kind)) {
        let kind = event.kind as u8;
        let new = tx.execute(INSERT, values![id, *webhook, notice, kind, made.0, made.0])? == 1;
        id += i64::from(new);
    }
    let more = found.len() == QUEUE_MAX as usize;
    Ok(found.last().filter(|_| more).map(|(last, _)| *last))
}

/// A test for an address, to be sent at once; false where one is under way or was made within
/// `apart_ms`.
pub fn queue_test(tx: &mut Tx<'_>, webhook: i64, at: Moment, apart_ms: i64) -> Result<bool> {
    let sql = "SELECT COUNT(*) FROM webhook_delivery \
               WHERE webhook = $1 AND notice IS NULL AND (state = 0 OR made_at > $2)";
    let of_late = at.plus_ms(-apart_ms).0;
    let under_way: i64 = tx.one(sql, values![webhook, of_late], |r| r.get(0))?;
    if under_way > 0 {
        return Ok(false);
    }
    let id: i64 = tx.one(NEXT, &[], |r| r.get(0))?;
    let kind = Kind::Test as u8;
    tx.execute(INSERT, values![id, webhook, None::<i64>, kind, at.0, at.0])?;
    Ok(true)
}

/// Has a delivery of an address tried now, whatever became of it; false where there is none.
pub fn again(tx: &mut Tx<'_>, webhook: i64, delivery: i64, at: Moment) -> Result<bool> {
    let sql = "UPDATE webhook_delivery SET state = 0, due_at = $1, ended_at = NULL \
               WHERE id = $2 AND webhook = $3";
    Ok(tx.execute(sql, values![at.0, delivery, webhook])? == 1)
}

/// Writes down what became of a try; false where the delivery does not wait any more.
pub fn settle(tx: &mut Tx<'_>, tried: &Tried, next: Next) -> Result<bool> {
    let Tried { due, outcome, ms, at } = tried;
    let (state, from, ended) = match next {
        Next::Ended(ended) => (ended as u8, *at, Some(at.0)),
        Next::Again(then) => (0, then, None),
    };
    let sql = "UPDATE webhook_delivery SET state = $1, due_at = $2, ended_at = $3, \
               attempts = attempts + 1, outcome = $4, ms = $5, tried_at = $6 \
               WHERE id = $7 AND webhook = $8 AND made_at = $9 AND state = 0";
    let outcome = outcome.number();
    let values = values![state, from.0, ended, outcome, *ms, at.0, due.id, due.webhook, due.made.0];
    Ok(tx.execute(sql, values)? == 1)
}

/// Gives up whatever waits for an address.
pub fn drop_waiting(tx: &mut Tx<'_>, webhook: i64, at: Moment) -> Result<()> {
    let sql = "UPDATE webhook_delivery SET state = 2, ended_at = $1 \
               WHERE webhook = $2 AND state = 0";
    tx.execute(sql, values![at.0, webhook])?;
    Ok(())
}

/// Forgets what became of deliveries long ago, and gives up what nobody took in all the time for
/// which anything is tried: it waited for an address that is paused.
pub fn forget(tx: &mut Tx<'_>, now: Moment) -> Result<()> {
    let sql = "DELETE FROM webhook_delivery WHERE id IN \
               (SELECT id FROM webhook_delivery WHERE ended_at < $1 LIMIT 1000)";
    tx.execute(sql, values![now.0 - ENDED_KEPT_MS])?;
    let sql = "UPDATE webhook_delivery SET state = 2, ended_at = $1 \
               WHERE state = 0 AND due_at < $2";
    tx.execute(sql, values![now.0, now.0 - RETRY_FOR_MS - DAY_MS])?;
    Ok(())
}

impl Webhooks<'_> {
    /// Addresses for which something is due and that may be sent to now, with whether they fail of
    /// late: those that do not come first, then the longest due.
    pub async fn due(self, now: Moment) -> Result<Vec<(i64, bool)>> {
        let read = |r: &Row<'_>| Ok((r.get(0)?, r.get::<i64>(2)? != 0));
        self.store.look(DUE, values![now.0, now.0, DUE_READ], read).await
    }

    /// What is due first for an address.
    pub async fn first_due(self, webhook: i64, now: Moment) -> Result<Option<Due>> {
        let read = |r: &Row<'_>| {
            Ok(Due {
                id: r.get(0)?,
                webhook: r.get(1)?,
                notice: r.get(2)?,
                kind: kind(r.get(3)?)?,
                made: Moment(r.get(4)?),
                attempts: r.get(5)?,
            })
        };
        let found = self.store.look(FIRST, values![webhook, now.0], read).await?;
        Ok(found.into_iter().next())
    }

    /// The last deliveries of an address, the newest first; at most [`LISTED`].
    pub async fn deliveries(self, webhook: i64) -> Result<Vec<Delivery>> {
        self.store.look(LIST, values![webhook, LISTED], listed).await
    }

    /// How many deliveries wait.
    pub async fn waiting(self) -> Result<u64> {
        let found = self.store.look(WAITING, &[], |r| r.get::<i64>(0)).await?;
        Ok(found.into_iter().next().unwrap_or(0).unsigned_abs())
    }
}

fn listed(r: &Row<'_>) -> Result<Delivery> {
    let state: u8 = r.get(5)?;
    let ended = Ended::ALL.into_iter().find(|ended| *ended as u8 == state);
    if ended.is_none() && state != 0 {
        return Err(Error::Damaged("webhook_delivery.state"));
    }
    let last = match (r.get::<Option<u16>>(6)?, r.get(7)?, r.get::<Option<i64>>(8)?) {
        (Some(outcome), Some(ms), Some(at)) => {
            let outcome = Outcome::from_number(outcome);
            let outcome = outcome.ok_or(Error::Damaged("webhook_delivery.outcome"))?;
            Some((outcome, ms, Moment(at)))
        }
        _ => None,
    };
    Ok(Delivery {
        id: r.get(0)?,
        kind: kind(r.get(1)?)?,
        made: Moment(r.get(2)?),
        due: Moment(r.get(3)?),
        attempts: r.get(4)?,
        ended,
        last,
    })
}

fn kind(number: u8) -> Result<Kind> {
    Kind::from_number(number).ok_or(Error::Damaged("webhook_delivery.kind"))
}
