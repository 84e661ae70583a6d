//! The runs in their file: finding, writing, merging.

use super::{CHUNK_ITEMS, FAN_IN, ITEM, Key, bytes, index_of, item, key_of};
use crate::engine::Tx;
use crate::error::Result;
use crate::values;

/// Indexes of items with a digest, rising, from an index on, at most `limit`, in every run. The
/// transaction must see one state: a merge meanwhile puts the items of a run elsewhere.
pub(super) fn find_in_runs(
    tx: &mut Tx<'_>,
    kind: u8,
    digest: &[u8; 16],
    from: u64,
    limit: usize,
) -> Result<Vec<u64>> {
    let sql = "SELECT id FROM run WHERE end_index > $1 ORDER BY first_index";
    let ids: Vec<i64> = tx.query(sql, values![from.cast_signed()], |r| r.get(0))?;
    let mut found = vec![];
    for run in ids {
        find_in_run(tx, run, kind, digest, from, limit, &mut found)?;
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}

/// The same in one run, added to `found`.
pub(super) fn find_in_run(
    tx: &mut Tx<'_>,
    run: i64,
    kind: u8,
    digest: &[u8; 16],
    from: u64,
    limit: usize,
    found: &mut Vec<u64>,
) -> Result<()> {
    let first = item(kind, digest, from);
    let last = item(kind, digest, u64::MAX);
    // The chunk that may begin before the key, then those that begin within it.
    let sql = "SELECT items FROM run_chunk WHERE run = $1 AND first_key <= $2 AND first_key >= \
               COALESCE((SELECT first_key FROM run_chunk WHERE run = $1 AND first_key <= $3 \
               ORDER BY first_key DESC LIMIT 1), $3) ORDER BY first_key";
    tx.each(sql, values![run, last, first], |r| {
        let (items, _) = r.get::<&[u8]>(0)?.as_chunks::<ITEM>();
        let start = items.partition_point(|i| *i < first);
        for hit in items[start..].iter().take_while(|i| **i <= last) {
            found.push(index_of(hit));
            if found.len() >= limit {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

/// Binds the runs to the journal: the last entry that they cover has this commitment.
pub(super) fn bind(tx: &mut Tx<'_>, end: u64, commitment: &[u8]) -> Result<()> {
    tx.execute(
        "INSERT INTO run_origin (id, end_index, commitment) VALUES (1, $1, $2) \
         ON CONFLICT (id) DO UPDATE SET end_index = excluded.end_index, \
         commitment = excluded.commitment",
        values![end.cast_signed(), commitment],
    )?;
    Ok(())
}

/// Adds a run and gives its row.
pub(super) fn new_run(
    tx: &mut Tx<'_>,
    level: i64,
    first: u64,
    end: u64,
    items: i64,
) -> Result<i64> {
    tx.one(
        "INSERT INTO run (level, first_index, end_index, items) VALUES ($1, $2, $3, $4) \
         RETURNING id",
        values![level, first.cast_signed(), end.cast_signed(), items],
        |r| r.get(0),
    )
}

/// Adds a chunk of a run, in key order.
pub(super) fn write_chunk(tx: &mut Tx<'_>, run: i64, items: &[u8]) -> Result<()> {
    tx.queue(
        "INSERT INTO run_chunk (run, first_key, items) VALUES ($1, $2, $3)",
        values![run, items[..ITEM], items],
    )
}

/// Merges every level that has enough runs, from the lowest up.
pub(super) fn merge(tx: &mut Tx<'_>) -> Result<()> {
    for level in 0i64.. {
        let runs: Vec<(i64, i64, i64, i64)> = tx.query(
            "SELECT id, first_index, end_index, items FROM run WHERE level = $1 \
             ORDER BY first_index LIMIT $2",
            values![level, FAN_IN as i64],
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)),
        )?;
        if runs.len() < FAN_IN {
            return Ok(());
        }
        let first = runs[0].1.cast_unsigned();
        let end = runs[runs.len() - 1].2.cast_unsigned();
        let run = new_run(tx, level + 1, first, end, runs.iter().map(|r| r.3).sum())?;
        let ids: Vec<i64> = runs.iter().map(|r| r.0).collect();
        merge_into(tx, run, &ids)?;
        for id in ids {
            tx.queue("DELETE FROM run_chunk WHERE run = $1", values![id])?;
            tx.queue("DELETE FROM run WHERE id = $1", values![id])?;
        }
    }
    Ok(())
}

/// One source of a merge: its current chunk and the place in it.
struct Source {
    run: i64,
    chunk: Vec<u8>,
    at: usize,
    head: Option<Key>,
}

impl Source {
    fn advance(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        self.at += ITEM;
        if self.at >= self.chunk.len() {
            let first = self.chunk.get(..ITEM).map(<[u8]>::to_vec).unwrap_or_default();
            self.load_after(tx, &first)?;
        }
        self.head = self.chunk[self.at..].first_chunk::<ITEM>().map(key_of);
        Ok(())
    }

    fn load_after(&mut self, tx: &mut Tx<'_>, first_key: &[u8]) -> Result<()> {
        let sql = "SELECT items FROM run_chunk WHERE run = $1 AND first_key > $2 \
                   ORDER BY first_key LIMIT 1";
        let next = tx.optional(sql, values![self.run, first_key], |r| r.get(0))?;
        (self.at, self.chunk) = (0, next.unwrap_or_default());
        Ok(())
    }
}

fn merge_into(tx: &mut Tx<'_>, run: i64, ids: &[i64]) -> Result<()> {
    let mut sources = vec![];
    for id in ids {
        let mut source = Source { run: *id, chunk: vec![], at: 0, head: None };
        source.advance(tx)?;
        sources.push(source);
    }
    let mut out = Vec::with_capacity(CHUNK_ITEMS * ITEM);
    loop {
        let heads = sources.iter().enumerate().filter_map(|(i, s)| s.head.map(|h| (h, i)));
        let Some((least, next)) = heads.min() else { break };
        out.extend_from_slice(&bytes(&least));
        sources[next].advance(tx)?;
        if out.len() == CHUNK_ITEMS * ITEM {
            write_chunk(tx, run, &out)?;
            out.clear();
        }
    }
    if out.is_empty() { Ok(()) } else { write_chunk(tx, run, &out) }
}
