//! Request ids of jobs: one set with those of single questions (A3).
//!
//! A job's id is kept where the ids of answered questions are: under the entry of its submission,
//! with a body that no question has. So a question under it is a conflict for as long as ids are
//! remembered, on every node and after the job is deleted too.

use dancu_domain::moment::Moment;

use crate::engine::Tx;
use crate::error::Result;
use crate::requests::{BATCH_OF, RequestItem, RequestMemory, item_of};
use crate::values;

/// Whether a question or a job was taken under a request id at `since` or later. The memory must be
/// as the head of this transaction says.
pub(super) fn is_taken(
    tx: &mut Tx<'_>,
    memory: &RequestMemory,
    key: &[u8; 16],
    since: Moment,
) -> Result<bool> {
    let Some(index) = memory.answered(key) else { return Ok(false) };
    let of = index.cast_signed();
    let found = tx.optional(BATCH_OF, values![of], |r| item_of(r, index, key))?.flatten();
    Ok(found.is_some_and(|(_, at)| at > since))
}

/// Keeps the request id of a job under the entry that this transaction is about to append. Gives
/// its index.
pub(super) fn take(tx: &mut Tx<'_>, key: &[u8; 16], body: &[u8; 16], at: Moment) -> Result<u64> {
    let sql = "SELECT next_index, last_at FROM ledger_head WHERE id = 1";
    let head = |r: &crate::engine::Row<'_>| Ok((r.get::<i64>(0)?, r.get::<i64>(1)?));
    let (first, last_at) = tx.one(sql, &[], head)?;
    let index = first.cast_unsigned();
    let item = RequestItem {
        index,
        answered: true,
        key: *key,
        body: *body,
        header: [0; 16],
        header_until: 0,
    };
    let mut packed = vec![];
    item.pack(index, &mut packed);
    tx.execute(
        "INSERT INTO request_batch (first_idx, at, items) VALUES ($1, $2, $3)",
        values![first, at.0.max(last_at), packed],
    )?;
    Ok(index)
}
