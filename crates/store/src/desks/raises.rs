//! Raises that a head asks for (D8).

use dancu_domain::ids::{LineId, SystemId};
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use dancu_domain::people::approval::Signature;
use serde::{Deserialize, Serialize};

use super::{Desks, RaiseRequest, RequestState, constrained, next};
use crate::engine::{Row, Tx, Value};
use crate::error::{Error, Result};
use crate::keys::{Key, Keyring, Purpose};
use crate::people::sealed::{self, Opened, Place};
use crate::values;

const BY_ID: &str = "SELECT id, system, state, sealed FROM raise_request WHERE id = $1";
pub(super) const WAITING: &str = "SELECT id, system, state, sealed FROM raise_request \
    WHERE state = 0 AND to_at > $1 AND id > $2 ORDER BY id LIMIT $3";
pub(super) const OF_SYSTEM: &str = "SELECT id, system, state, sealed FROM raise_request \
    WHERE system = $1 ORDER BY id DESC LIMIT $2";
const _: () = assert!(RequestState::Waiting as u8 == 0);

/// A request as it is sealed in `raise_request.sealed`.
#[derive(Serialize, Deserialize)]
struct RequestRecord {
    system: u32,
    line: u32,
    extra: u32,
    from: i64,
    to: i64,
    reason: String,
    asked_by: u32,
    asked_at: i64,
    state: u8,
    approvals: Vec<(u32, i64)>,
    decided_at: Option<i64>,
    answer: String,
}

/// Which requests are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Requests {
    /// Those that wait and can still be granted at `now`, after a number, the oldest first. One
    /// whose last day has passed unanswered is over: it holds up nobody.
    Waiting {
        /// When, by the product's clock.
        now: Moment,
        /// After which one; 0 begins.
        after: i64,
    },
    /// Those of a system in any state, the newest first.
    Of(SystemId),
}

impl Requests {
    const fn text(self) -> &'static str {
        match self {
            Self::Waiting { .. } => WAITING,
            Self::Of(_) => OF_SYSTEM,
        }
    }

    fn values(&self, limit: u32) -> Vec<Value<'static>> {
        match *self {
            Self::Waiting { now, after } => vec![now.0.into(), after.into(), limit.into()],
            Self::Of(system) => vec![system.0.into(), limit.into()],
        }
    }
}

/// Stores a new request; gives its id.
pub fn insert_raise_request(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    request: &RaiseRequest,
) -> Result<i64> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let id = next(tx, "SELECT COALESCE(MAX(id), 0) FROM raise_request")?;
    let sealed = place(id).seal(&key, &RequestRecord::of(request), &[])?;
    let inserted = tx.execute(
        "INSERT INTO raise_request (id, system, state, to_at, sealed) VALUES ($1, $2, $3, $4, $5)",
        values![id, request.system.0, request.state as u8, request.to.0, sealed],
    );
    inserted.map_err(constrained)?;
    Ok(id)
}

/// Stores a request that was approved or decided. Read, decide and save belong into one
/// transaction of the ledger.
///
/// # Errors
/// [`Error::Final`] where it is decided or there is none; [`Error::Refused`] where an approval
/// that was given meanwhile would be lost.
pub fn save_raise_request(tx: &mut Tx<'_>, keys: &Keyring, request: &RaiseRequest) -> Result<()> {
    let key = keys.get_or_make(tx, Purpose::Policy, 0)?;
    let found = tx.lock_row(BY_ID, values![request.id], |r| stored(r, &key))?;
    let before = found.ok_or(Error::Final("không có đề nghị này (no such request)"))?;
    if before.record.state != RequestState::Waiting as u8 {
        return Err(Error::Final("đề nghị đã được quyết định (the request is decided)"));
    }
    let record = RequestRecord::of(request);
    if before.record.system != record.system
        || !record.approvals.starts_with(&before.record.approvals)
    {
        return Err(Error::Refused(
            "đề nghị vừa được thay đổi, hãy tải lại (the request was changed meanwhile: load again)"
                .into(),
        ));
    }
    let sealed = place(request.id).seal(&key, &record, before.rest())?;
    let sql = "UPDATE raise_request SET state = $1, sealed = $2 WHERE id = $3";
    tx.execute(sql, values![request.state as u8, sealed, request.id])?;
    Ok(())
}

/// A request.
pub fn raise_request(tx: &mut Tx<'_>, keys: &Keyring, id: i64) -> Result<Option<RaiseRequest>> {
    let key = sealed::key(keys)?;
    tx.optional(BY_ID, values![id], |r| read(r, &key))
}

/// At most `limit` requests.
pub fn raise_requests(
    tx: &mut Tx<'_>,
    keys: &Keyring,
    which: Requests,
    limit: u32,
) -> Result<Vec<RaiseRequest>> {
    let key = sealed::key(keys)?;
    tx.query(which.text(), &which.values(limit), |r| read(r, &key))
}

impl Desks<'_> {
    /// [`raise_request`].
    pub async fn raise_request(self, id: i64) -> Result<Option<RaiseRequest>> {
        let key = sealed::key(&self.store.keys)?;
        let found = self.store.look(BY_ID, values![id], |r| read(r, &key)).await?;
        Ok(found.into_iter().next())
    }

    /// [`raise_requests`].
    pub async fn raise_requests(self, which: Requests, limit: u32) -> Result<Vec<RaiseRequest>> {
        let key = sealed::key(&self.store.keys)?;
        self.store.look(which.text(), &which.values(limit), |r| read(r, &key)).await
    }
}

impl RequestRecord {
    fn of(request: &RaiseRequest) -> Self {
        Self {
            system: request.system.0,
            line: request.line.0,
            extra: request.extra,
            from: request.from.0,
            to: request.to.0,
            reason: request.reason.clone(),
            asked_by: request.asked_by.0,
            asked_at: request.asked_at.0,
            state: request.state as u8,
            approvals: request.approvals.iter().map(|s| (s.by.0, s.at.0)).collect(),
            decided_at: request.decided_at.map(|at| at.0),
            answer: request.answer.clone(),
        }
    }
}

/// The document of a row; what stands beside it says the same.
fn stored(r: &Row<'_>, key: &Key) -> Result<Opened<RequestRecord>> {
    let place = place(r.get(0)?);
    let opened = place.open::<RequestRecord>(key, r, 3)?;
    if (opened.record.system, opened.record.state) != (r.get(1)?, r.get(2)?) {
        return Err(place.damaged());
    }
    Ok(opened)
}

fn read(r: &Row<'_>, key: &Key) -> Result<RaiseRequest> {
    let record = stored(r, key)?.record;
    let signature = |(by, at)| Signature { by: PersonId(by), at: Moment(at) };
    Ok(RaiseRequest {
        id: r.get(0)?,
        system: SystemId(record.system),
        line: LineId(record.line),
        extra: record.extra,
        from: Moment(record.from),
        to: Moment(record.to),
        reason: record.reason,
        asked_by: PersonId(record.asked_by),
        asked_at: Moment(record.asked_at),
        state: RequestState::from_number(record.state)
            .ok_or(Error::Damaged("raise_request.state"))?,
        approvals: record.approvals.into_iter().map(signature).collect(),
        decided_at: record.decided_at.map(Moment),
        answer: record.answer,
    })
}

fn place(id: i64) -> Place {
    Place::numbered("raise_request.sealed", id)
}
