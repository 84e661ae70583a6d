//! A month's entries sealed anew. New entries of the month take the new key from the beginning,
//! so that what has to be sealed anew ends at the index of that act.

use std::sync::Arc;

use dancu_domain::moment::Moment;

use super::Rotation;
use crate::engine::Tx;
use crate::entries::Chunk;
use crate::error::{Error, Result};
use crate::keys::MONTHS;
use crate::keys::ring::{highest_of_month, newest_live_of_month};
use crate::lease::Lease;
use crate::store::Store;
use crate::values;

/// Rows of one slice: 8 × 14 KB are written in less than 2 ms between two commits.
const SLICE_CHUNKS: u32 = 8;

/// The key periods that a rotation of a month ends and begins.
pub(super) fn periods(tx: &mut Tx<'_>, month: u32) -> Result<(u32, u32)> {
    let none = || Error::Rotation(format!("tháng {month} không có khóa (no key of that month)"));
    let old = newest_live_of_month(tx, month)?.ok_or_else(none)?;
    let highest = highest_of_month(tx, month)?.ok_or_else(none)?;
    let new = highest.checked_add(MONTHS).filter(|n| i32::try_from(*n).is_ok());
    let spent = || Error::Rotation(format!("tháng {month} đã hết số khóa (no number left)"));
    Ok((old, new.ok_or_else(spent)?))
}

/// The first row of a month: months follow each other along the journal, so that it is found in
/// some thirty reads whatever the journal holds.
pub(super) fn first_row(store: &Store, month: u32) -> Result<i64> {
    let sql = "SELECT first_idx, month FROM entry_chunk WHERE first_idx >= $1 \
               ORDER BY first_idx LIMIT 1";
    store.readers.read(|tx| {
        let (mut low, mut high) = (0i64, store.ledger().next_index().cast_signed());
        while low < high {
            let middle = low + (high - low) / 2;
            let found = tx.optional(sql, values![middle], |r| Ok((r.get(0)?, r.get::<u32>(1)?)))?;
            match found {
                Some((first, of)) if of < month => low = i64::max(first, middle) + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    })
}

/// Seals some rows anew, then writes them between two commits of the ledger. Returns whether none
/// is left.
pub(super) async fn slice(store: &Store, lease: &Lease, now: Moment, r: &Rotation) -> Result<bool> {
    let sql = "SELECT first_idx, entries, month, commitments, sealed, key_number \
               FROM entry_chunk WHERE first_idx >= $1 AND first_idx < $2 \
               ORDER BY first_idx LIMIT $3";
    let limit = values![r.next_row, r.upto, SLICE_CHUNKS];
    let chunks = store.readers.read(|tx| tx.query(sql, limit, Chunk::of_row))?;
    let Some(last) = chunks.last() else { return Ok(true) };
    let month = r.new % MONTHS;
    let next = (last.first + u64::from(last.entries)).cast_signed();
    let over = last.month > month;
    let of_month = chunks.into_iter().filter(|c| c.month == month && c.period() != r.new);
    let mut sealed = vec![];
    for chunk in of_month {
        let old = chunk.key_number;
        sealed.push((old, chunk.sealed_by(store.keys(), r.new)?));
    }
    if over && sealed.is_empty() {
        return Ok(true);
    }
    let (lease, sealed, rotation) = (lease.clone(), Arc::new(sealed), *r);
    let written = move |tx: &mut Tx<'_>| {
        lease.hold(tx)?;
        for (old, chunk) in &*sealed {
            tx.queue(
                "UPDATE entry_chunk SET key_number = $1, sealed = $2 \
                 WHERE first_idx = $3 AND month = $4 AND key_number = $5",
                values![chunk.key_number, chunk.sealed, chunk.first.cast_signed(), month, old],
            )?;
        }
        let done = rotation.done + sealed.len() as u64;
        tx.execute(
            "UPDATE key_rotation SET next_row = $1, done = $2 WHERE id = 1",
            values![next, done.cast_signed()],
        )?;
        Ok(())
    };
    store.ledger().tidy(now, written).await?;
    Ok(false)
}
